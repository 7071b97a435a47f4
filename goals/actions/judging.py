"""Lock what a verb judges, and judge it: whose goals, which side, may it now, do the weights fit.

Every verb locks in the same order: participation, goal, change request or key result. Whoever
judges a set of weights holds the participation, so that two agreements at once are one after the
other.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from goals.models import ChangeRequest, Goal, GoalVersion, Signature
from goals.rules import balance
from pmcycle.access import today
from pmcycle.cycles.models import Assignment, Cycle, Extension, Participation, Stage, StageKind
from pmcycle.errors import Refused
from pmcycle.people.models import Employee, User


def author_of(by: User) -> Employee:
    if by.employee is None:
        raise Refused(_("Only somebody who works here writes goals."))
    return by.employee


def lock_participation(participation: Participation) -> Participation:
    return (
        Participation.objects.select_for_update(of=("self",))
        .select_related("employee", "cycle")
        .get(pk=participation.pk)
    )


def lock_goal(goal: Goal) -> Goal:
    """Participation first, then the goal, both with what the verbs read."""
    if goal.participation_id is None:
        raise Refused(_("A goal of the organisation is not agreed by two people."))
    participation = lock_participation(Participation(pk=goal.participation_id))
    row = Goal.objects.select_for_update(of=("self",)).select_related("latest", "agreed").get(pk=goal.pk)
    row.participation = participation
    return row


def participation_of(goal: Goal) -> Participation:
    if goal.participation is None:
        raise Refused(_("A goal of the organisation is not agreed by two people."))
    return goal.participation


def refuse_unless(goal: Goal, *states: str) -> None:
    if goal.state not in states:
        raise Refused(_("This goal is already: %(state)s.") % {"state": goal.get_state_display()})


def refuse_if_reworded(row: Any, version: int | None) -> None:
    """Nobody signs or declines what they have not read: no second try with a new number, read first."""
    if version is not None and row.version != version:
        raise Refused(_("The text changed since you opened the page. Read the new wording, then decide."))


def refuse_unless_running(participation: Participation) -> None:
    if participation.state == Participation.State.LEFT:
        raise Refused(_("%(name)s has left; these goals are frozen.") % {"name": participation.employee.name})
    if participation.cycle.state != Cycle.State.RUNNING:
        raise Refused(_("This cycle is not running."))


def refuse_unless_planning(participation: Participation) -> None:
    """Goals are agreed while the objectives stage is open, or as long as a person's own extension lasts.

    Afterwards only a gap may be filled that an agreed change has left.
    """
    refuse_unless_running(participation)
    stage = Stage.objects.filter(cycle=participation.cycle_id, kind=StageKind.OBJECTIVES).first()
    if stage is not None and stage.state == Stage.State.OPEN:
        return
    if stage is None or stage.state == Stage.State.PLANNED:
        raise Refused(_("The objectives stage has not opened yet."))
    if Extension.objects.filter(participation=participation, stage=stage, due_on__gte=today()).exists():
        return
    changed = ChangeRequest.objects.filter(
        goal__participation=participation, state=ChangeRequest.State.AGREED
    )
    if changed.exists() and not balance(weights_of(participation)).is_whole:
        return
    raise Refused(_("The objectives stage is closed. Ask for a change of an agreed goal instead."))


def side_of(participation: Participation, by: User) -> str:
    """On which side of the table `by` sits today."""
    if by.employee_id == participation.employee_id:
        return Signature.Side.EMPLOYEE
    if Assignment.objects.current().filter(participation=participation, manager=by.employee_id).exists():
        return Signature.Side.MANAGER
    raise Refused(_("Only the two whom this goal concerns decide about it."))


def has_signed(goal: Goal, side: str) -> bool:
    return Signature.objects.filter(version=goal.latest_id, side=side).exists()


def sign(version: GoalVersion, participation: Participation, by: User) -> str:
    side = side_of(participation, by)
    Signature.objects.create(version=version, side=side, signer=author_of(by))
    return side


def weights_of(
    participation: Participation, instead: Mapping[int, Decimal | None] | None = None
) -> list[Decimal]:
    """The weights of the set, agreed ones as agreed and proposed ones as proposed."""
    rows = Goal.objects.weighing().filter(participation=participation).values_list(
        "pk", "state", "agreed__weight", "latest__weight"
    )  # fmt: skip
    other = instead or {}
    found = [
        other.get(pk, agreed if state != Goal.State.PROPOSED else new) for pk, state, agreed, new in rows
    ]
    return [weight for weight in found if weight is not None]
