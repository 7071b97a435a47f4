"""Drafts: kept on the server, said to be saved only after its answer, and the author's alone."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from pmcycle.activity.actions import drop_draft
from pmcycle.activity.models import Draft
from tests.conftest import SignedIn, World

URL = "/activity/drafts/goals-7/"
JSON = "application/json"


def put(client: Client, body: Any, url: str = URL) -> Any:
    return client.put(url, body, content_type="application/json")


def test_what_is_typed_comes_back(world: World, as_: SignedIn) -> None:
    ana = as_(world.ana)
    assert put(ana, {"fields": {"title": "Fewer faults", "tags": ["a", "b"]}}).status_code == 200
    assert ana.get(URL).json()["fields"] == {"title": "Fewer faults", "tags": ["a", "b"]}


def test_the_time_of_saving_is_said_in_the_author_s_zone(world: World, as_: SignedIn) -> None:
    assert world.ana.employee
    world.ana.employee.zone = "Asia/Kolkata"
    world.ana.employee.save()
    with time_machine.travel("2026-03-02T08:33:00Z", tick=False):
        assert put(as_(world.ana), {"fields": {"a": "b"}}).json() == {"saved_at": "14:03"}


def test_a_form_without_script_can_post_its_fields(world: World, as_: SignedIn) -> None:
    ana = as_(world.ana)
    assert ana.post(URL, {"title": "Fewer faults", "password": "secret"}).status_code == 200
    assert ana.get(URL).json()["fields"] == {"title": "Fewer faults"}


def test_nobody_else_sees_or_changes_it(world: World, as_: SignedIn) -> None:
    put(as_(world.ana), {"fields": {"title": "Mine"}})
    for other in (world.bashir, world.kim, world.noor):
        assert as_(other).get(URL).status_code == 204
        as_(other).delete(URL)
    assert Draft.objects.get().author == world.ana


def test_a_draft_is_dropped_on_demand(world: World, as_: SignedIn) -> None:
    put(as_(world.ana), {"fields": {"title": "Mine"}})
    assert as_(world.ana).delete(URL).status_code == 200
    assert as_(world.ana).get(URL).status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        "[1, 2]",
        '{"fields": {"a": {"deep": "down"}}}',
        '{"fields": {"a": "NUL \\u0000"}}',
        '{"fields": {"a": "half \\ud800"}}',
        '{"fields": {"a": NaN}}',
        '{"fields": {"a": 1e999}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_draft_is_refused(world: World, as_: SignedIn, body: str) -> None:
    assert put(as_(world.ana), body).status_code == 422
    assert not Draft.objects.kept().exists()


def test_too_much_text_is_refused_before_it_is_read(world: World, as_: SignedIn) -> None:
    assert put(as_(world.ana), {"fields": {"a": "x" * 600_000}}).status_code == 413


def test_an_absurd_key_is_refused(world: World, as_: SignedIn) -> None:
    assert (
        put(as_(world.ana), {"fields": {}}, "/activity/drafts/" + "k" * 300 + "/").status_code
        == 422
    )
    assert put(as_(world.ana), {"fields": {}}, "/activity/drafts/%00/").status_code == 404
    assert as_(world.ana).get("/activity/drafts/%00/").status_code == 404
    assert as_(world.ana).delete("/activity/drafts/%00/").status_code == 404


def test_a_draft_that_comes_after_the_form_was_sent_brings_nothing_back(
    world: World, as_: SignedIn
) -> None:
    ana = as_(world.ana)
    opened = ana.get(URL).headers["X-Draft-Sent"]
    typed = {"fields": {"title": "Fewer"}}
    assert (
        ana.put(URL, typed, content_type=JSON, headers={"X-Draft-Sent": opened}).status_code == 200
    )
    drop_draft(world.ana, "goals-7")
    late = ana.put(URL, typed, content_type=JSON, headers={"X-Draft-Sent": opened})
    assert (late.status_code, ana.get(URL).status_code) == (409, 204)
    anew = ana.get(URL).headers["X-Draft-Sent"]
    assert ana.put(URL, typed, content_type=JSON, headers={"X-Draft-Sent": anew}).status_code == 200
    assert ana.get(URL).json()["fields"] == {"title": "Fewer"}


def test_the_first_draft_of_a_form_may_come_late_too(world: World, as_: SignedIn) -> None:
    ana = as_(world.ana)
    opened = ana.get(URL).headers["X-Draft-Sent"]
    drop_draft(world.ana, "goals-7")
    late = {"fields": {"title": "Fewer"}}
    assert (
        ana.put(URL, late, content_type=JSON, headers={"X-Draft-Sent": opened}).status_code == 409
    )
    assert not Draft.objects.kept().exists()
