"""The database does what the settings ask of it: short patience for the web, long for the worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from pmcycle.access import today
from pmcycle.activity import checks
from pmcycle.cycles.models import Participation
from tests.conftest import SignedIn, build_world
from tests.open_items import catch_up
from tools.services import ROOT

ASK = """
import json, {entry}
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [{names}])
    print(json.dumps(dict(cursor.fetchall())))
"""
NAMES = [
    "jit",
    "random_page_cost",
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
]


@pytest.mark.parametrize(
    ("entry", "options", "expected"),
    [
        ("pmcycle.wsgi", "", ["off", "1.1", "5000", "25000", "30000"]),
        ("pmcycle.celery", "", ["off", "1.1", "60000", "900000", "900000"]),
        ("pmcycle.wsgi", "-c statement_timeout=7000", ["off", "1.1", "5000", "7000", "30000"]),
    ],
)
def test_each_process_asks_for_what_it_needs(entry: str, options: str, expected: list[str]) -> None:
    url = os.environ["DATABASE_URL"]
    if options:
        url += (
            f"{'&' if '?' in url else '?'}options={options.replace(' ', '%20').replace('=', '%3D')}"
        )
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "pmcycle.settings"}
    code = ASK.format(entry=entry, names=NAMES)
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    found = json.loads(told.stdout)
    assert [found[name] for name in NAMES] == expected


def test_no_task_is_cut_off_by_the_database_before_its_own_limit() -> None:
    _lock, statement, idle = settings.PATIENCE["worker"]
    assert min(statement, idle) >= settings.CELERY_TASK_SOFT_TIME_LIMIT
    assert max(settings.PATIENCE["web"]) < 60, (
        "a page that waits longer is given up by whoever asked"
    )


@pytest.mark.django_db
def test_the_check_says_what_is_not_in_force() -> None:
    assert checks.settings_in_force(None, ["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = on")
    (warning,) = checks.settings_in_force(None, ["default"])
    assert warning.msg == "PostgreSQL has jit = on for pmcycle instead of off."
    assert checks.settings_in_force(None, None) == [], "asks no database that nobody named"
    said = StringIO()
    call_command("check", databases=["default"], stderr=said)
    assert "jit = on" in said.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a_page_that_waits_too_long_for_somebody_else_says_so(as_: SignedIn) -> None:
    world = build_world()
    kim = as_(world.kim)
    kim.raise_request_exception = False
    url = reverse("cycles:mark_left", args=[world.ana_part.pk])
    data = {"left_on": today(), "reason": "gone", "version": world.ana_part.version}
    catch_up()
    beside = connection.copy()
    try:
        beside.set_autocommit(False)
        with beside.cursor() as other, connection.cursor() as cursor:
            other.execute(
                "SELECT FROM cycles_participation WHERE id = %s FOR UPDATE", [world.ana_part.pk]
            )
            cursor.execute("SET lock_timeout = '100ms'")
            answer = kim.post(url, data)
            assert (answer.status_code, answer["Retry-After"]) == (503, "10")
            beside.rollback()
            assert kim.post(url, data).status_code == 302
    finally:
        beside.close()
        connection.close()
    assert Participation.objects.get(pk=world.ana_part.pk).state == Participation.State.LEFT
