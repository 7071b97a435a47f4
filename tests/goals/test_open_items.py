"""What home, board and reminders learn from goals: who must act, until when, and never the done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from goals.models import GoalVersion, KeyResult
from goals.rules import NEEDS
from pmcycle.access import today
from pmcycle.cycles.models import Extension, Participation
from pmcycle.home.items import Item
from pmcycle.people.models import User
from tests.conftest import World
from tests.factories import goals
from tests.open_items import waiting

pytestmark = pytest.mark.django_db


def items_of(user: User) -> dict[str, Item]:
    """The open items of one person by kind."""
    return {item.kind: item for item in waiting("goals") if item.recipient == user.employee_id}


def test_who_has_no_goal_yet_proposes_one(world: World) -> None:
    item = items_of(world.ana)["goals:propose"]
    assert item.subject == world.ana_part.pk
    assert item.due_on == world.cycle.stages.get(kind="objectives").due_on
    goals.propose(world.ana_part, world.ana, weight="100")
    assert "goals:propose" not in items_of(world.ana)


def test_an_extension_moves_the_day(world: World) -> None:
    stage = world.cycle.stages.get(kind="objectives")
    later = today() + timedelta(days=40)
    Extension.objects.create(
        participation=world.ana_part, stage=stage, due_on=later, reason="Leave", by=world.kim
    )
    assert items_of(world.ana)["goals:propose"].due_on == later


def test_a_proposal_waits_for_the_manager_and_shows_to_the_employee(world: World) -> None:
    goals.propose(world.ana_part, world.ana, weight="60")
    goals.propose(world.ana_part, world.ana, weight="40")
    assert items_of(world.bashir)["goals:answer"].name == "Ana Popescu"
    assert items_of(world.ana)["goals:waits"].phase == "waits"
    assert items_of(world.ana)["goals:waits"].name == "Bashir Nouri"


def test_a_counter_waits_for_the_employee(world: World) -> None:
    goals.propose(world.ana_part, world.bashir, weight="100")
    assert "goals:answer_own" in items_of(world.ana)
    assert "goals:answer" not in items_of(world.bashir)


def test_weights_that_do_not_come_to_100_are_asked_for(world: World) -> None:
    goals.agree(world.ana_part, world.ana, world.bashir, weight="90")
    assert "goals:complete" in items_of(world.ana)
    goals.agree(world.ana_part, world.ana, world.bashir, weight="10")
    assert items_of(world.ana) == {}


def test_three_thirds_ask_for_nothing(world: World) -> None:
    goals.agree_set(world.ana_part, world.ana, world.bashir, ["33.33"] * 3)
    assert items_of(world.ana) == {}


def test_a_change_waits_for_who_did_not_write_it(world: World) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir, weight="100")
    goals.change(goal, world.ana, weight="100")
    item = items_of(world.bashir)["goals:change"]
    assert (item.subject, item.due_on) == (goal.pk, goal.change_requests.get().lapses_on)
    goal.change_requests.update(state="withdrawn")
    goal.refresh_from_db()
    goals.change(goal, world.bashir, weight="100", title="The manager's wish")
    assert "goals:change_own" in items_of(world.ana)


def test_a_quiet_month_is_mentioned_gently(world: World) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir, weight="100")
    assert "goals:progress" not in items_of(world.ana)
    GoalVersion.objects.filter(goal=goal).update(in_force_from=timezone.now() - timedelta(days=31))
    assert items_of(world.ana)["goals:progress"].due_on is None
    KeyResult.objects.filter(goal=goal).update(updated_at=timezone.now())
    assert "goals:progress" not in items_of(world.ana)


def test_a_contribution_waits_for_its_beneficiary(world: World) -> None:
    row = goals.contribution(world.ana_part, world.ana, world.chen)
    item = items_of(world.chen)["goals:confirm"]
    assert (item.subject, item.name) == (row.pk, "Ana Popescu")


def test_leavers_and_closed_cycles_ask_nobody(world: World) -> None:
    goals.propose(world.ana_part, world.ana, weight="100")
    Participation.objects.filter(pk=world.ana_part.pk).update(state="left")
    assert "goals:answer" not in items_of(world.bashir)
    assert items_of(world.ana) == {}


def test_every_kind_has_its_words(world: World) -> None:
    goals.propose(world.ana_part, world.ana)
    kinds = {
        "propose",
        "complete",
        "answer",
        "answer_own",
        "waits",
        "change",
        "change_own",
        "progress",
        "confirm",
    }
    assert {f"goals:{kind}" for kind in kinds} == set(NEEDS)
