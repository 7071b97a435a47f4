"""A program reads of a closed cycle what people read, and is refused in words whatever it sends there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from appraisals.models import Appraisal
from goals.models import Goal
from pmcycle.activity.actions import drift, miscounted, misplaced
from pmcycle.cycles.models import Cycle, Stage
from tests.access_table import ROWS, Row
from tests.conftest import ACTORS, SignedIn, World
from tests.factories import appraisals, cycles, feedback, goals

pytestmark = pytest.mark.django_db
Build = Callable[[World], dict[str, Any]]

# What belongs to no cycle goes on when one is closed.
WITHOUT_A_CYCLE = re.compile(
    r"api:(todo|feedback|feedbackrequest|checkin|actionitem|schema|docs)\b"
)
READS = [
    row
    for row in ROWS
    if row.method == "get"
    and row.url_name.startswith("api:")
    and not WITHOUT_A_CYCLE.match(row.url_name)
]
WRITES = {
    row.url_name
    for row in ROWS
    if row.method == "post"
    and row.url_name.startswith("api:")
    and not WITHOUT_A_CYCLE.match(row.url_name)
}


def shut(world: World) -> None:
    Stage.objects.filter(cycle=world.cycle).update(state=Stage.State.CLOSED)
    Cycle.objects.filter(pk=world.cycle.pk).update(state=Cycle.State.CLOSED)


@pytest.mark.parametrize("row", READS, ids=lambda row: f"{row.url_name} {row.state}".strip())
def test_who_could_read_it_reads_it_still_and_nobody_else(
    row: Row, world: World, as_: SignedIn
) -> None:
    url = reverse(row.url_name, kwargs=row.build(world))
    shut(world)
    for actor, key in ACTORS.items():
        with transaction.atomic():
            status = as_(getattr(world, key) if key else None).get(url).status_code
            transaction.set_rollback(True)
        assert (status == 200) == (actor in row.may.split()), f"{actor}: {status}"


def nothing(world: World) -> dict[str, Any]:
    return {}


def wording(world: World) -> dict[str, Any]:
    return {"title": "Halve the scrap", "weight": "40", "key_results": []}


def asked(world: World) -> dict[str, Any]:
    return {
        "version": 1,
        **wording(world),
        "reason": "resources",
        "explanation": "Line 4 joined us.",
    }


def progress(world: World) -> dict[str, Any]:
    return {"version": 1, "value": "5", "confidence": "on_track", "note": ""}


def seen(world: World) -> dict[str, Any]:
    first = Goal.objects.get(participation=world.ana_part)
    return {
        "participation": world.ana_part.pk,
        "seen": [{"goal": first.pk, "version": first.version}],
    }


def no_answers(world: World) -> dict[str, Any]:
    return {
        "version": Appraisal.objects.get(participation=world.ana_part, kind="self").version,
        "answers": [],
    }


ACTS: list[tuple[str, str, Build, Build]] = [
    ("api:goal-propose", "ana", nothing, lambda w: {"participation": w.ana_part.pk, **wording(w)}),
    ("api:goal-agree-set", "bashir", lambda w: goals.a_proposal(w) and {}, seen),
    ("api:goal-accept", "bashir", goals.a_proposal, goals.version_one),
    ("api:goal-align", "ana", goals.an_agreed, lambda w: {"version": 1, "parent": None}),
    ("api:goal-counter", "bashir", goals.a_proposal, lambda w: {"version": 1, **wording(w)}),
    ("api:goal-request-change", "ana", goals.an_agreed, asked),
    ("api:goal-withdraw", "ana", goals.a_proposal, goals.version_one),
    ("api:goalchange-accept-change", "bashir", goals.a_change, goals.version_one),
    ("api:goalchange-counter-change", "bashir", goals.a_change, asked),
    (
        "api:goalchange-decline-change",
        "bashir",
        goals.a_change,
        lambda w: {"version": 1, "note": "No."},
    ),
    ("api:goalchange-withdraw-change", "ana", goals.a_change, goals.version_one),
    ("api:keyresult-record-progress", "ana", goals.a_key_result, progress),
    ("api:contribution-contribute", "ana", nothing, goals.contributed),
    ("api:contribution-confirm-contribution", "chen", goals.a_contribution, goals.version_one),
    ("api:contribution-decline-contribution", "chen", goals.a_contribution, goals.version_one),
    ("api:conversation-say", "ana", nothing, feedback.saying),
    ("api:appraisal-autosave", "ana", appraisals.own_draft, no_answers),
    ("api:appraisal-submit", "ana", appraisals.own_draft, no_answers),
    ("api:result-acknowledge", "ana", appraisals.result_of_ana, nothing),
    ("api:result-file-appeal", "ana", appraisals.result_of_ana, lambda w: {"text": "Look again."}),
]


@pytest.mark.parametrize(("name", "who", "build", "data"), ACTS, ids=[act[0] for act in ACTS])
def test_whatever_a_program_sends_to_a_closed_cycle_is_refused_with_why(
    world: World, as_: SignedIn, name: str, who: str, build: Build, data: Build
) -> None:
    url = reverse(name, kwargs=build(world))
    sent = data(world)
    shut(world)
    answer = as_(getattr(world, who)).post(url, sent, content_type="application/json")
    assert answer.status_code == 409, answer.content
    assert re.search("closed|not open|not running|while the cycle runs", answer.content.decode())


def test_every_act_of_the_api_on_a_cycle_is_tried_above() -> None:
    assert {act[0] for act in ACTS} == WRITES


def test_nothing_of_a_closed_cycle_needs_anybody(world: World, as_: SignedIn) -> None:
    goals.change(goals.agree(world.ana_part, world.ana, world.bashir, weight="100"), world.ana)
    appraisals.open_stage(world.cycle)
    url = reverse("api:todo-list")
    readers = [getattr(world, key) for key in ACTORS.values() if key]

    def offered() -> list[str]:
        found = []
        for user in readers:
            answer = as_(user).get(url, {"cycle": world.cycle.pk}).json()
            found += [row["kind"] for row in answer["results"]]
        return found

    assert {"goals:change", "appraisals:self", "appraisals:manager"} <= set(offered())
    cycles.closed(world)
    assert offered() == []
    assert (drift(), misplaced(), miscounted()) == ([], [], 0)
