"""Goals of the cast, written through the actions so that every state is one that people can reach."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from goals import actions
from goals.actions import GoalText
from goals.models import ChangeRequest, Contribution, Goal, KeyResult
from goals.rules import KeyResultText
from pmcycle.access import today
from pmcycle.cycles.models import Participation
from pmcycle.people.models import User
from tests.conftest import World

SCRAP = KeyResultText("Scrap rate of line 3", "decrease", Decimal(8), Decimal(4), unit="%")
TRAINED = KeyResultText("People trained", "increase", Decimal(0), Decimal(12))


def text(
    title: str = "Halve the scrap of line 3", weight: str | None = "40", **fields: Any
) -> GoalText:
    fields.setdefault("key_results", [SCRAP])
    fields.setdefault("why", "Every third complaint comes from there.")
    return GoalText(title=title, weight=Decimal(weight) if weight else None, **fields)


def draft(participation: Participation, by: User, **fields: Any) -> Goal:
    return actions.draft(participation, text(**fields), by=by)


def propose(participation: Participation, by: User, **fields: Any) -> Goal:
    """A goal that `by` has proposed and the other side has not answered."""
    return actions.propose(participation, text(**fields), by=by)


def agree(participation: Participation, by: User, other: User, **fields: Any) -> Goal:
    """A goal that `by` proposed and `other` accepted."""
    goal = propose(participation, by, **fields)
    return actions.accept(goal, version=None, by=other)


def agree_set(
    participation: Participation, by: User, other: User, weights: Sequence[str]
) -> list[Goal]:
    return [
        agree(participation, by, other, title=f"Goal number {number}", weight=weight)
        for number, weight in enumerate(weights, start=1)
    ]


def change(goal: Goal, by: User, **fields: Any) -> ChangeRequest:
    """An open wish of `by` for another wording of an agreed goal."""
    fields.setdefault("title", "Lower the scrap of lines 3 and 4")
    return actions.request_change(
        goal,
        text(**fields),
        reason="resources",
        explanation="Line 4 joined us.",
        version=None,
        by=by,
    )


def key_result(goal: Goal) -> KeyResult:
    return KeyResult.objects.filter(goal=goal).earliest("pk")


def contribution(participation: Participation, by: User, beneficiary: User) -> Contribution:
    assert beneficiary.employee is not None
    return actions.contribute(
        participation,
        beneficiary=beneficiary.employee,
        text="Covered two night shifts.",
        happened_on=today(),
        by=by,
    )


def publish(cycle: Any, by: User, **fields: Any) -> Goal:
    fields.setdefault("title", "Zero recordable accidents")
    return actions.publish(cycle, text(**{"weight": None, **fields}), unit=None, by=by)


# --- for the access table: each makes the row and returns the arguments of its URL ---------------------------


def of_ana(world: World) -> dict[str, Any]:
    return {"pk": world.ana_part.pk}


def of_cycle(world: World) -> dict[str, Any]:
    return {"pk": world.cycle.pk}


def a_draft(world: World) -> dict[str, Any]:
    return {"pk": draft(world.ana_part, world.ana).pk}


def a_proposal(world: World) -> dict[str, Any]:
    return {"pk": propose(world.ana_part, world.ana).pk}


def a_proposal_of_ana(world: World) -> dict[str, Any]:
    """Her list of goals, with a proposal in it."""
    a_proposal(world)
    return of_ana(world)


def an_agreed(world: World) -> dict[str, Any]:
    return {"pk": agree(world.ana_part, world.ana, world.bashir).pk}


def a_private(world: World) -> dict[str, Any]:
    return {
        "pk": agree(world.ana_part, world.ana, world.bashir, visibility=Goal.Visibility.PAIR).pk
    }


def an_open(world: World) -> dict[str, Any]:
    return {
        "pk": agree(world.ana_part, world.ana, world.bashir, visibility=Goal.Visibility.EVERYONE).pk
    }


def a_published(world: World) -> dict[str, Any]:
    return {"pk": publish(world.cycle, world.kim).pk}


def a_change(world: World) -> dict[str, Any]:
    return {"pk": change(agree(world.ana_part, world.ana, world.bashir), world.ana).pk}


def a_key_result(world: World) -> dict[str, Any]:
    return {"pk": key_result(agree(world.ana_part, world.ana, world.bashir)).pk}


def a_published_key_result(world: World) -> dict[str, Any]:
    return {"pk": key_result(publish(world.cycle, world.kim)).pk}


def a_contribution(world: World) -> dict[str, Any]:
    return {"pk": contribution(world.ana_part, world.ana, world.chen).pk}


def version_one(world: World) -> dict[str, Any]:
    return {"version": 1}


def wording(world: World) -> dict[str, Any]:
    return {"participation": world.ana_part.pk, "title": "Halve the scrap", "weight": "40"}


def seen(world: World) -> dict[str, Any]:
    goal = propose(world.ana_part, world.ana, weight="100")
    return {
        "participation": world.ana_part.pk,
        "seen[0]goal": goal.pk,
        "seen[0]version": goal.version,
    }


def contributed(world: World) -> dict[str, Any]:
    return {
        "participation": world.ana_part.pk,
        "beneficiary": world.chen.employee_id,
        "text": "Two night shifts.",
        "happened_on": today().isoformat(),
    }
