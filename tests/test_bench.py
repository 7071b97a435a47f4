"""The company of the bench is whole: copied rows point to copied rows, as if people had written them."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from pmcycle.cycles.models import ChainLink, Cycle, Participation
from pmcycle.people.models import Employee, Unit, User
from tests.conftest import SignedIn
from tools.bench.company import copy_people

pytestmark = pytest.mark.django_db

KEYS = """
SELECT c.conrelid::regclass, a.attname, c.confrelid::regclass FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
"""


def test_copies_are_whole_and_work_is_done_in_them(as_: SignedIn) -> None:
    call_command("load_demo", verbosity=0, stdout=StringIO(), without_last_year=True)
    written = Employee.objects.count()
    with connection.cursor() as cursor:
        copy_people(cursor, 2)
        cursor.execute(KEYS)
        for table, column, target in cursor.fetchall():
            cursor.execute(
                f"SELECT count(*) FROM {table} t WHERE {column} IS NOT NULL"
                f" AND NOT EXISTS (SELECT FROM {target} o WHERE o.id = t.{column})"
            )
            assert cursor.fetchone() == (0,), f"{table}.{column} points to nothing"
    assert Employee.objects.count() == 3 * written
    assert Unit.objects.filter(parent=None).count() == 1
    running = Cycle.objects.get(state="running")
    anas = Participation.objects.filter(
        cycle=running, employee__email__endswith="ana.popescu@meridian.example"
    )
    lines = {
        tuple(part.chain.order_by("distance").values_list("distance", flat=True)) for part in anas
    }
    assert (anas.count(), lines) == (3, {(1, 2, 3), (1, 2, 3, 4)}), (
        "the heads of the copies report to the first"
    )
    chief = Employee.objects.get(reporting_lines=None)
    assert ChainLink.objects.filter(above=chief, participation__cycle=running).count() > 2 * written
    ana = User.objects.get(email="c2.ana.popescu@meridian.example")
    page = as_(ana).get(reverse("goals:list"))
    assert page.status_code == 200
    assert b"Ana Popescu 2" in page.content
