"""A goal is proposed by either side, and waits for the other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from goals import actions
from goals.models import Goal, GoalVersion
from goals.rules import KeyResultText
from pmcycle.activity.actions import save_draft
from pmcycle.activity.models import Draft, Event, Notice
from pmcycle.errors import Invalid
from tests.conftest import SignedIn, World
from tests.factories import goals

pytestmark = pytest.mark.django_db


def form(**fields: Any) -> dict[str, Any]:
    """What the browser sends for a goal with one key result."""
    data = {
        "title": "Halve the scrap of line 3",
        "why": "Every third complaint.",
        "weight": "40",
        "horizon": "cycle",
        "visibility": "line",
        "parent": "",
        "due_on": "",
        "kr-TOTAL_FORMS": "2",
        "kr-INITIAL_FORMS": "0",
        "kr-MIN_NUM_FORMS": "0",
        "kr-MAX_NUM_FORMS": "12",
        "kr-0-title": "Scrap rate",
        "kr-0-kind": "decrease",
        "kr-0-start": "8",
        "kr-0-target": "4",
        "kr-0-unit": "%",
        "kr-1-title": "",
        "kr-1-kind": "increase",
    }
    return {**data, **fields}


def test_an_employee_proposes_and_the_manager_is_told(world: World, as_: SignedIn) -> None:
    response = as_(world.ana).post(reverse("goals:propose", args=[world.ana_part.pk]), form())
    assert response.status_code == 302
    goal = Goal.objects.get()
    assert goal.state == Goal.State.PROPOSED
    assert goal.latest is not None
    assert [s.side for s in goal.latest.signatures.all()] == ["employee"]
    assert goal.latest.key_results[0]["target"] == "4"
    assert Notice.objects.filter(
        recipient=world.bashir, title="Ana Popescu proposed a goal"
    ).exists()
    assert Event.objects.filter(verb="propose", about=world.ana.employee, actor=world.ana).exists()


def test_a_manager_proposes_and_the_employee_is_told(world: World, as_: SignedIn) -> None:
    as_(world.bashir).post(reverse("goals:propose", args=[world.ana_part.pk]), form())
    page = as_(world.ana).get(reverse("goals:list")).content.decode()
    assert "One goal waits for you" in page
    assert "Bashir Nouri signed · waits for you" in page
    assert Notice.objects.filter(recipient=world.ana).count() == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"title": ""}, "This field is required."),
        ({"title": "x\x00y"}, "Null characters are not allowed."),
        ({"weight": ""}, "How much does it weigh?"),
        ({"weight": "0"}, "greater than or equal to 0.01"),
        ({"weight": "100.01"}, "less than or equal to 100"),
        ({"weight": "NaN"}, "Enter a number."),
        ({"weight": "1e9999"}, "Enter a number."),
        ({"weight": "33.333"}, "can be read in two ways"),
        ({"due_on": "1999-12-31"}, "A goal of the cycle is reached within it"),
        ({"due_on": "2999-01-01"}, "A goal of the cycle is reached within it"),
        ({"why": "x" * 20_001}, "at most 20000"),
        ({"horizon": "century"}, "Select a valid choice"),
        ({"parent": "999999"}, "Select a valid choice"),
        ({"kr-0-target": "9"}, "the target lies below the start"),
        ({"kr-0-target": ""}, "What is the target?"),
        ({"kr-0-target": "9" * 20}, "Ensure"),
        ({"kr-1-target": "9"}, "Say what is measured."),
        ({"kr-TOTAL_FORMS": "9999"}, "at most 12"),
        ({"kr-TOTAL_FORMS": "x"}, "ManagementForm"),
    ],
)
def test_a_wrong_field_keeps_what_was_typed(
    world: World, as_: SignedIn, fields: dict[str, str], error: str
) -> None:
    url = reverse("goals:propose", args=[world.ana_part.pk])
    response = as_(world.ana).post(url, form(**fields))
    assert response.status_code == 422
    page = response.content.decode()
    assert error in page
    assert "Every third complaint." in page or "why" in fields
    assert not Goal.objects.exists()


def test_what_is_typed_is_kept_as_a_draft_until_it_is_sent(world: World, as_: SignedIn) -> None:
    url = reverse("goals:propose", args=[world.ana_part.pk])
    ana = as_(world.ana)
    key = f"goal-new-{world.ana_part.pk}"
    assert (
        f'data-draft-url="{reverse("activity:draft", args=[key])}"' in ana.get(url).content.decode()
    )
    save_draft(world.ana, key, {"title": "Halve"})
    ana.post(url, form(title=""))
    assert Draft.objects.filter(author=world.ana, key=key).exists()
    ana.post(url, form())
    assert not Draft.objects.kept().exists()


def test_a_row_is_added_without_script_and_nothing_is_lost(world: World, as_: SignedIn) -> None:
    url = reverse("goals:propose", args=[world.ana_part.pk])
    response = as_(world.ana).post(url, form(add_row="1"))
    assert response.status_code == 200
    page = response.content.decode()
    assert 'name="kr-2-title"' in page
    assert "Halve the scrap of line 3" in page


def test_a_removed_row_is_left_out(world: World, as_: SignedIn) -> None:
    as_(world.ana).post(
        reverse("goals:propose", args=[world.ana_part.pk]), form(**{"kr-0-DELETE": "on"})
    )
    latest = Goal.objects.get().latest
    assert latest is not None
    assert latest.key_results == []


def test_a_goal_aligns_to_a_published_one(world: World, as_: SignedIn) -> None:
    above = goals.publish(world.cycle, world.kim)
    url = reverse("goals:propose", args=[world.ana_part.pk])
    assert (
        f'value="{above.pk}" selected'
        in as_(world.ana).get(f"{url}?parent={above.pk}").content.decode()
    )
    as_(world.ana).post(url, form(parent=above.pk))
    assert Goal.objects.get(participation=world.ana_part).parent == above


@pytest.mark.parametrize("state", ["planned", "closed"])
def test_nothing_is_proposed_outside_the_stage(world: World, as_: SignedIn, state: str) -> None:
    world.cycle.stages.filter(kind="objectives").update(state=state)
    response = as_(world.ana).post(reverse("goals:propose", args=[world.ana_part.pk]), form())
    assert response.status_code == 409
    assert b"objectives stage" in response.content
    assert not Goal.objects.exists()


def test_a_leaver_gets_no_new_goal(world: World, as_: SignedIn) -> None:
    world.ana_part.state = "left"
    world.ana_part.save(update_fields=["state"])
    response = as_(world.bashir).post(reverse("goals:propose", args=[world.ana_part.pk]), form())
    assert response.status_code == 409
    assert b"Ana Popescu has left" in response.content


@pytest.mark.parametrize(
    ("typed", "weight"), [("33,33", "33.33"), ("33.33", "33.33"), ("0,5", "0.5"), (" 40 ", "40")]
)
def test_a_weight_is_read_with_the_mark_of_any_language(
    world: World, as_: SignedIn, typed: str, weight: str
) -> None:
    answer = as_(world.ana).post(
        reverse("goals:propose", args=[world.ana_part.pk]), form(weight=typed)
    )
    assert answer.status_code == 302
    latest = Goal.objects.get().latest
    assert latest is not None
    assert latest.weight == Decimal(weight)


def test_a_figure_that_can_be_read_in_two_ways_is_shown_back_and_asked(
    world: World, as_: SignedIn
) -> None:
    url = reverse("goals:propose", args=[world.ana_part.pk])
    asked = as_(world.ana).post(url, form(**{"kr-0-start": "1.200", "kr-0-target": "0"}))
    assert asked.status_code == 422
    assert "“1.200” can be read in two ways. Write 1200 or 1.2." in asked.content.decode()
    assert not Goal.objects.exists()
    as_(world.ana).post(url, form(**{"kr-0-start": "1200", "kr-0-target": "0"}))
    latest = Goal.objects.get().latest
    assert latest is not None
    assert latest.key_results[0]["start"] == "1200"


def test_a_figure_that_was_stored_is_never_asked_about(world: World, as_: SignedIn) -> None:
    row = KeyResultText("Length", "increase", Decimal("1.125"), Decimal("2.000"))
    goal = goals.draft(world.ana_part, world.ana, key_results=[row])
    page = as_(world.ana).get(reverse("goals:edit", args=[goal.pk])).content.decode()
    assert 'value="1.1250"' in page
    assert 'value="2"' in page


@pytest.mark.parametrize(
    ("days", "status"), [((0, 0), 302), ((0, -1), 422), ((1, 0), 302), ((1, 1), 422)]
)
def test_the_day_of_a_goal_lies_in_its_cycle(
    world: World, as_: SignedIn, days: tuple[int, int], status: int
) -> None:
    edge, more = days
    day = (world.cycle.first_day, world.cycle.last_day)[edge] + timedelta(days=more)
    url = reverse("goals:propose", args=[world.ana_part.pk])
    assert as_(world.ana).post(url, form(due_on=day.isoformat())).status_code == status
    # What reaches beyond the cycle has its day there.
    beyond = form(due_on=day.isoformat(), horizon="long_term", title="Lead the plant")
    assert as_(world.ana).post(url, beyond).status_code == 302


@pytest.mark.parametrize("after", [-1, 0])
def test_the_database_keeps_the_day_of_a_goal_in_its_cycle(world: World, after: int) -> None:
    goal = goals.draft(world.ana_part, world.ana)
    day = world.cycle.first_day + timedelta(days=after)
    rows = GoalVersion.objects.filter(goal=goal)
    if after < 0:
        with pytest.raises(IntegrityError, match="reached within it"), transaction.atomic():
            rows.update(due_on=day)
    else:
        assert rows.update(due_on=day) == 1


def test_a_draft_moves_beyond_the_cycle_with_its_day_and_back(world: World) -> None:
    goal = goals.draft(world.ana_part, world.ana)
    day = world.cycle.last_day + timedelta(days=90)
    beyond = goals.text(weight=None, horizon=Goal.Horizon.LONG_TERM, due_on=day)
    goal = actions.edit(goal, beyond, version=None, by=world.ana)
    assert goal.latest is not None
    assert goal.latest.due_on == day
    with pytest.raises(Invalid, match="reached within it"):
        actions.edit(goal, goals.text(due_on=day), version=None, by=world.ana)
    actions.edit(goal, goals.text(), version=None, by=world.ana)
