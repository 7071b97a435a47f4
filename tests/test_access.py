"""Every row of the access table, for every actor; and no named URL without a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.signals import request_started
from django.db import connection, transaction
from django.urls import URLResolver, get_resolver, reverse

from pmcycle.activity.models import Event
from tests import absurd
from tests.access_table import ROWS, SIGN_IN, Row
from tests.conftest import ACTORS, SignedIn, World


def named_urls(resolver: URLResolver, namespace: str = "") -> dict[str, dict[str, Any]]:
    """Every name with arguments that fit its address, whether such a row exists or not."""
    found: dict[str, dict[str, Any]] = {}
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            found |= named_urls(entry, inner)
        elif entry.name:
            names = entry.pattern.regex.groupindex
            found[f"{namespace}{entry.name}"] = dict.fromkeys(names, 1)
    return {name: kwargs for name, kwargs in found.items() if not name.startswith(SIGN_IN)}


def test_every_named_url_has_a_row() -> None:
    listed = {row.url_name for row in ROWS}
    names = set(named_urls(get_resolver()))
    assert names - listed == set(), "URLs without a row in tests/access_table.py"
    assert listed - names == set(), "rows of URLs that do not exist"


@pytest.mark.django_db
def test_every_method_that_a_url_takes_has_a_row(world: World, as_: SignedIn) -> None:
    client = as_(world.kim)
    listed = {(row.url_name, row.method) for row in ROWS}
    missing = []
    for name, kwargs in named_urls(get_resolver()).items():
        for method in ("get", "post", "put", "patch", "delete"):
            if (name, method) not in listed:
                status = getattr(client, method)(reverse(name, kwargs=kwargs)).status_code
                missing += [f"{method.upper()} {name}: {status}"] if status != 405 else []
    assert missing == [], "methods without a row in tests/access_table.py: " + ", ".join(missing)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "row", ROWS, ids=lambda r: " ".join(filter(None, [r.url_name, r.method, r.state]))
)
def test_the_relation_decides(row: Row, world: World, as_: SignedIn) -> None:
    url = reverse(row.url_name, kwargs=row.build(world))
    wrong, noted, shown = [], set(), set()
    looks = Event.objects.filter(verb="viewed", about=world.ana.employee)
    for actor, key in ACTORS.items():
        client = as_(getattr(world, key) if key else None, raise_request_exception=False)
        # Each actor finds the same state: what one of them changes is taken back.
        with transaction.atomic():
            with written() as rows:
                response = getattr(client, row.method)(url, row.data(world))
            if looks.exists():
                noted.add(actor)
            transaction.set_rollback(True)
        status = response.status_code
        if row.method == "get":
            assert rows.keys() <= ONLY_LOOKED, f"GET {url} writes, asked by {actor}"
        if row.method == "get" or draws_a_page(row, status):
            shown.add(actor)
        to_login = status == 302 and "/account/login/" in response.headers.get("Location", "")
        if actor in row.may.split():
            right = status < 500 and status not in (401, 403, 404, 405) and not to_login
        elif actor in row.told.split():
            right = status == 403
        elif actor == "anonymous":
            right = to_login or status in (401, 403, 404)
        else:
            right = status == 404
        if not right:
            wrong.append(f"{actor}: {status}")
    assert wrong == [], f"{row.method.upper()} {url}"
    assert noted == row.looked_at_by() & shown, (
        f"who leaves a line about Ana by {row.method.upper()} {url}"
    )
    if row.method == "post" and row.may:
        nothing_breaks(row, url, world, as_)


def draws_a_page(row: Row, status: int) -> bool:
    """Whether the answer to what was sent shows a page; refusals of the API say only what is wrong."""
    return status == 200 or (status in (409, 422) and not row.url_name.startswith("api:"))


# All that a GET may leave: who looked, and when last, how often somebody asked, the session, and when an address for
# calendars or a token was last used.
ONLY_LOOKED = {
    "activity_event",
    "activity_look",
    "activity_use",
    "django_session",
    "feedback_calendarfeed",
    "people_apitoken",
}

WRITTEN = """
SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables
WHERE n_tup_ins + n_tup_upd + n_tup_del > 0
"""


@contextmanager
def written() -> Iterator[dict[str, int]]:
    """How many rows a request writes in each table, from the moment when it reaches the application."""
    before: dict[str, int] = {}
    rows: dict[str, int] = {}

    def count() -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(WRITTEN)
            return dict(cursor.fetchall())

    def arrives(**_kwargs: Any) -> None:
        before.update(count())

    request_started.connect(arrives)
    try:
        yield rows
        rows.update({name: n for name, now in count().items() if (n := now - before.get(name, 0))})
    finally:
        request_started.disconnect(arrives)


@pytest.mark.django_db
def test_what_a_request_writes_is_seen(world: World, as_: SignedIn) -> None:
    client = as_(world.ana)
    with written() as rows:
        client.post(
            reverse("activity:draft", kwargs={"key": "a-form"}), {"text": "half a sentence"}
        )
    assert rows.keys() == {"activity_draft"}


def nothing_breaks(row: Row, url: str, world: World, as_: SignedIn) -> None:
    """Whatever somebody sends who may, the page answers: with an error of a field, a refusal, a conflict."""
    key = ACTORS[row.may.split()[0]]
    client = as_(getattr(world, key) if key else None)
    app = row.url_name.partition(":")[0]
    for number, typed in enumerate(absurd.rounds(app)):
        body: Any = json.dumps(typed) if app == "api" else typed
        how: Any = {"content_type": "application/json"} if app == "api" else {}
        headers = [{}, {"HX-Request": "true"}, {"X-Autosave": "1"}][number % 3]
        with transaction.atomic():
            status = client.post(url, body, headers=headers, **how).status_code
            transaction.set_rollback(True)
        assert status < 500, f"POST {url} round {number}"
