"""An agreed goal changes only by a request: asked for, countered, accepted, declined, taken back or lapsed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from goals import actions, tasks
from goals.models import ChangeRequest, Goal, KeyResult
from goals.rules import KeyResultText
from pmcycle.access import today
from pmcycle.activity.models import Event, Notice
from tests.conftest import SignedIn, World
from tests.factories import goals
from tests.goals.test_propose import form

pytestmark = pytest.mark.django_db


@pytest.fixture
def goal(world: World) -> Goal:
    return goals.agree(world.ana_part, world.ana, world.bashir)


@pytest.fixture
def change(world: World, goal: Goal) -> ChangeRequest:
    return goals.change(goal, world.ana)


def test_whom_a_goal_is_opened_to_reads_what_holds_but_not_how_it_came_to_be(
    world: World, as_: SignedIn
) -> None:
    goal = Goal.objects.get(pk=goals.an_open(world)["pk"])
    row = goals.key_result(goal)
    actions.record_progress(
        row,
        value=Decimal(3),
        confidence="at_risk",
        note="Ana was ill.",
        link="",
        version=row.version,
        by=world.ana,
    )
    change = goals.change(goal, world.ana)
    for reader, reads in (
        (world.dora, True),
        (world.ines, True),
        (world.hugo, False),
        (world.chen, False),
    ):
        client = as_(reader)
        page = client.get(reverse("goals:detail", args=[goal.pk])).content.decode()
        updates = client.get(reverse("api:keyresult-updates", args=[row.pk])).content.decode()
        assert goal.agreed.title in page  # type: ignore[union-attr]
        for words in ("Ana was ill.", change.explanation, "How it came to be"):
            assert (words in page) is reads, (reader, words)
        assert ("Ana was ill." in updates) is reads
        assert client.get(reverse("api:goalchange-detail", args=[change.pk])).status_code == (
            200 if reads else 404
        )


def test_a_goal_does_not_tell_the_title_of_a_hidden_one_above_it(
    world: World, as_: SignedIn
) -> None:
    above = goals.agree(world.part["bashir"], world.bashir, world.dora, title="Close hall 4")
    goal = Goal.objects.get(pk=goals.an_open(world)["pk"])
    Goal.objects.filter(pk=goal.pk).update(parent=above)
    url = reverse("goals:detail", args=[goal.pk])
    assert "Close hall 4" in as_(world.ana).get(url).content.decode()
    assert "Close hall 4" not in as_(world.hugo).get(url).content.decode()


def ask(goal: Goal, **fields: str) -> dict[str, object]:
    why = {"reason": "resources", "explanation": "Line 4 goes to another hall."}
    return form(**{"title": "Lower the scrap of line 4", "version": goal.version, **why, **fields})


def test_a_change_is_asked_for_and_the_agreed_goal_holds(
    world: World, as_: SignedIn, goal: Goal
) -> None:
    url = reverse("goals:request_change", args=[goal.pk])
    assert b"Ask for this change" in as_(world.ana).get(url).content
    assert as_(world.ana).post(url, ask(goal, weight="30")).status_code == 302
    goal.refresh_from_db()
    assert (goal.state, str(goal.agreed)) == (Goal.State.AGREED, "Halve the scrap of line 3")
    page = as_(world.bashir).get(reverse("goals:detail", args=[goal.pk])).content.decode()
    assert "Ana Popescu asks for a change" in page
    assert "Line 4 goes to another hall." in page
    assert "40 → 30" in page
    assert Notice.objects.filter(recipient=world.bashir, title__contains="asks to change").exists()


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"reason": ""}, "This field is required"),
        ({"explanation": ""}, "This field is required"),
        ({"reason": "mood"}, "Select a valid choice"),
        ({"weight": ""}, "How much does it weigh"),
    ],
)
def test_a_change_needs_its_reason(
    world: World, as_: SignedIn, goal: Goal, fields: dict[str, str], error: str
) -> None:
    response = as_(world.ana).post(
        reverse("goals:request_change", args=[goal.pk]), ask(goal, **fields)
    )
    assert response.status_code == 422
    assert error in response.content.decode()


def test_nothing_different_is_no_change(world: World, as_: SignedIn, goal: Goal) -> None:
    data = ask(
        goal,
        title="Halve the scrap of line 3",
        why="Every third complaint comes from there.",
        **{"kr-0-title": "Scrap rate of line 3"},
    )
    response = as_(world.ana).post(reverse("goals:request_change", args=[goal.pk]), data)
    assert response.status_code == 422
    assert b"Nothing is different" in response.content


def test_one_change_at_a_time(
    world: World, as_: SignedIn, goal: Goal, change: ChangeRequest
) -> None:
    goal.refresh_from_db()
    response = as_(world.bashir).post(reverse("goals:request_change", args=[goal.pk]), ask(goal))
    assert response.status_code == 409
    with pytest.raises(IntegrityError), transaction.atomic():
        ChangeRequest.objects.create(
            goal=goal,
            old=change.old,
            new=change.new,
            reason="other",
            explanation="x",
            requested_by=change.requested_by,
            lapses_on=today(),
        )


def test_the_other_side_accepts_and_both_wordings_keep_their_time(
    world: World, as_: SignedIn, goal: Goal, change: ChangeRequest
) -> None:
    url = reverse("goals:accept_change", args=[change.pk])
    assert as_(world.ana).post(url, {"version": 1}).status_code == 409
    assert as_(world.bashir).post(url, {"version": 7}).status_code == 409
    assert as_(world.bashir).post(url, {"version": 1}).status_code == 302
    goal.refresh_from_db()
    old, new = goal.versions.all()
    assert goal.agreed == new
    assert old.in_force_to is not None
    assert new.in_force_from is not None
    assert new.in_force_to is None
    assert as_(world.bashir).post(url, {"version": 2}).status_code == 409


def test_key_results_come_and_go_and_measured_values_stay(
    world: World, as_: SignedIn, goal: Goal
) -> None:
    row = goals.key_result(goal)
    KeyResult.objects.filter(pk=row.pk).update(current=5)
    kept = KeyResultText(row.title, "decrease", Decimal(8), Decimal(3), unit="%", key=row.key)
    first = goals.change(goal, world.ana, key_results=[kept, goals.TRAINED])
    as_(world.bashir).post(reverse("goals:accept_change", args=[first.pk]), {"version": 1})
    row.refresh_from_db()
    assert (row.target, row.current) == (Decimal(3), Decimal(5))
    assert KeyResult.objects.get(title="People trained").current == 0
    goal.refresh_from_db()
    second = goals.change(goal, world.ana, key_results=[kept], title="Only scrap")
    as_(world.bashir).post(reverse("goals:accept_change", args=[second.pk]), {"version": 1})
    assert KeyResult.objects.get(title="People trained").retired_at is not None
    data = {"value": "3", "confidence": "on_track", "version": 1}
    gone = KeyResult.objects.get(title="People trained")
    assert (
        as_(world.ana).post(reverse("goals:record_progress", args=[gone.pk]), data).status_code
        == 404
    )


def test_a_change_over_100_is_refused(world: World, as_: SignedIn, goal: Goal) -> None:
    goals.agree(world.ana_part, world.ana, world.bashir, weight="60")
    change = goals.change(goal, world.ana, weight="50")
    response = as_(world.bashir).post(
        reverse("goals:accept_change", args=[change.pk]), {"version": 1}
    )
    assert response.status_code == 409
    assert b"the weights come to 110" in response.content


def test_a_gap_left_by_a_change_can_be_filled_after_the_stage(world: World, as_: SignedIn) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir, weight="100")
    change = goals.change(goal, world.ana, weight="70")
    world.cycle.stages.filter(kind="objectives").update(state="closed")
    url = reverse("goals:propose", args=[world.ana_part.pk])
    assert as_(world.ana).post(url, form(weight="30")).status_code == 409
    as_(world.bashir).post(reverse("goals:accept_change", args=[change.pk]), {"version": 1})
    assert as_(world.ana).post(url, form(weight="30")).status_code == 302


def test_the_other_side_counters_and_now_the_first_decides(
    world: World, as_: SignedIn, goal: Goal, change: ChangeRequest
) -> None:
    url = reverse("goals:counter_change", args=[change.pk])
    assert as_(world.ana).post(url, form(version=1)).status_code == 409
    assert b"Lower the scrap of lines 3 and 4" in as_(world.bashir).get(url).content
    assert (
        as_(world.bashir).post(url, form(title="Lower it a little", version=1)).status_code == 302
    )
    assert as_(world.bashir).post(url, form(title="Lower it more", version=1)).status_code == 409
    response = as_(world.bashir).post(
        reverse("goals:accept_change", args=[change.pk]), {"version": 2}
    )
    assert b"it waits for the other side" in response.content
    as_(world.ana).post(reverse("goals:accept_change", args=[change.pk]), {"version": 2})
    goal.refresh_from_db()
    assert str(goal.agreed) == "Lower it a little"


def test_a_change_is_declined_and_the_goal_stays(
    world: World, as_: SignedIn, goal: Goal, change: ChangeRequest
) -> None:
    url = reverse("goals:decline_change", args=[change.pk])
    assert as_(world.bashir).post(url, {"version": 1}).status_code == 302
    goal.refresh_from_db()
    assert str(goal.agreed) == "Halve the scrap of line 3"
    assert Notice.objects.filter(recipient=world.ana, title__contains="declined").exists()
    assert (
        "declined"
        in as_(world.ana).get(reverse("goals:detail", args=[goal.pk])).content.decode().lower()
    )


def test_only_ones_own_change_is_taken_back(
    world: World, as_: SignedIn, change: ChangeRequest
) -> None:
    url = reverse("goals:withdraw_change", args=[change.pk])
    assert as_(world.bashir).post(url, {"version": 1}).status_code == 409
    assert as_(world.ana).post(url, {"version": 1}).status_code == 302
    change.refresh_from_db()
    assert change.state == ChangeRequest.State.WITHDRAWN


def test_what_nobody_answers_lapses_once(world: World, change: ChangeRequest) -> None:
    assert tasks.lapse_changes() == 0
    ChangeRequest.objects.update(lapses_on=today() - timedelta(days=1))
    assert tasks.lapse_changes() == 1
    assert tasks.lapse_changes() == 0
    change.refresh_from_db()
    assert change.state == ChangeRequest.State.LAPSED
    assert Notice.objects.filter(recipient=world.ana, title__contains="lapsed").count() == 1


def test_many_changes_lapse_in_as_many_statements_as_one(
    world: World, change: ChangeRequest, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with CaptureQueriesContext(connection) as for_one:
        assert actions.lapse_changes(change.lapses_on + timedelta(days=1)) == 1
    for title in ("Guards on every press", "Nobody lifts alone"):
        goals.change(
            goals.agree(world.ana_part, world.ana, world.bashir, title=title, weight="5"), world.ana
        )
    with django_assert_num_queries(len(for_one)):
        assert actions.lapse_changes(change.lapses_on + timedelta(days=1)) == 2
    assert (
        Event.objects.filter(verb="lapse_change", actor=None, about=world.ana.employee).count() == 3
    )


def test_a_proposal_needs_no_change_request(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    assert as_(world.ana).get(reverse("goals:request_change", args=[goal.pk])).status_code == 409
