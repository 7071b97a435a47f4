"""Lock what a verb judges, and judge it: whose goals, which side, may it now, do the weights fit.

Every verb locks in the same order: participation, goal, change request or key result. Whoever
judges a set of weights holds the participation, so that two agreements at once are one after the
other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from goals.models import ChangeRequest, Goal, GoalVersion, Signature
from goals.rules import balance
from pmcycle.cycles.actions import hold_person, standing
from pmcycle.cycles.models import Assignment, Cycle, Participation, StageKind
from pmcycle.cycles.rules import CLOSED, ENDED, LEFT, PLANNED
from pmcycle.errors import Refused
from pmcycle.people.models import Employee, User


def author_of(by: User) -> Employee:
    if by.employee is None:
        raise Refused(_("Only somebody who works here writes goals."))
    return by.employee


def lock_goal(goal: Goal) -> Goal:
    """Participation first, then the goal, both with what the verbs read."""
    if goal.participation_id is None:
        raise Refused(_("A goal of the organisation is not agreed by two people."))
    participation = hold_person(goal.participation_id)
    row = (
        Goal.objects.select_for_update(of=("self",))
        .select_related("latest", "agreed")
        .get(pk=goal.pk)
    )
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
        raise Refused(
            _("The text changed since you opened the page. Read the new wording, then decide.")
        )


def refuse_unless_running(participation: Participation) -> None:
    if why := _why_not_running(participation):
        raise Refused(why)


def refuse_unless_planning(participation: Participation) -> None:
    """Goals are agreed while the objectives stage is open, or as long as a person's own extension lasts.

    Afterwards only a gap may be filled that an agreed change has left.
    """
    for _hindered, why in _hindrances([participation]):
        raise Refused(why)


def refuse_unless_all_plan(people: Sequence[Participation]) -> None:
    """The same for several people; the one who cannot is named."""
    for hindered, why in _hindrances(people):
        raise Refused(f"{hindered.employee.name}: {why}")


def refuse_unless_all_led(people: Sequence[Participation], by: User) -> None:
    """Whoever gives one goal to several people leads each of them today."""
    current = Assignment.objects.current().filter(participation__in=people, manager=by.employee_id)
    led = set(current.values_list("participation", flat=True))
    for participation in people:
        if participation.pk not in led:
            raise Refused(
                _("%(name)s is not in your team.") % {"name": participation.employee.name}
            )


def _why_not_running(participation: Participation) -> str:
    if participation.state == Participation.State.LEFT:
        return _("%(name)s has left; these goals are frozen.") % {
            "name": participation.employee.name
        }
    return (
        "" if participation.cycle.state == Cycle.State.RUNNING else _("This cycle is not running.")
    )


def _hindrances(people: Sequence[Participation]) -> Iterator[tuple[Participation, str]]:
    """Who of these cannot plan goals now, and why, in at most five statements."""
    how = standing(people, StageKind.OBJECTIVES)
    late = [p for p in people if how[p.pk] == CLOSED]
    filling = _with_gap(late)
    changing = _with_agreed([p for p in late if p.pk not in filling])
    for participation in people:
        stands = how[participation.pk]
        if stands in (LEFT, ENDED):
            yield participation, _why_not_running(participation)
        elif stands == PLANNED:
            yield participation, _("The objectives stage has not opened yet.")
        elif stands == CLOSED and participation.pk in changing:
            yield (
                participation,
                _("The objectives stage is closed. Ask for a change of an agreed goal instead."),
            )
        elif stands == CLOSED and participation.pk not in filling:
            # Who joined late has nothing that could be changed.
            yield (
                participation,
                _(
                    "The objectives stage is closed, and no goal is agreed yet. Ask HR for more time for it."
                ),
            )


def _with_gap(late: Sequence[Participation]) -> set[int]:
    """Those who may still plan after the stage to fill what an agreed change has left."""
    if not late:
        return set()
    changed = ChangeRequest.objects.filter(
        goal__participation__in=late, state=ChangeRequest.State.AGREED
    ).values_list("goal__participation", flat=True)
    weights = _weights_of_each(late)
    return {pk for pk in changed if not balance(weights[pk]).is_whole}


def _with_agreed(late: Sequence[Participation]) -> set[int]:
    """Those who have a goal of the cycle that a change can be asked for."""
    if not late:
        return set()
    agreed = Goal.objects.filter(
        participation__in=late, state=Goal.State.AGREED, horizon=Goal.Horizon.CYCLE
    )
    return set(agreed.order_by().values_list("participation", flat=True))


def side_of(participation: Participation, by: User) -> str:
    """On which side of the table `by` sits today."""
    if by.employee_id == participation.employee_id:
        return Signature.Side.EMPLOYEE
    if (
        Assignment.objects.current()
        .filter(participation=participation, manager=by.employee_id)
        .exists()
    ):
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
    return _weights_of_each([participation], instead)[participation.pk]


def _weights_of_each(
    people: Sequence[Participation], instead: Mapping[int, Decimal | None] | None = None
) -> dict[int, list[Decimal]]:
    rows = (
        Goal.objects.weighing()
        .filter(participation__in=people)
        .values_list("pk", "participation", "state", "agreed__weight", "latest__weight")
    )
    other = instead or {}
    found: dict[int, list[Decimal]] = {p.pk: [] for p in people}
    for pk, participation, state, agreed, new in rows:
        weight = other.get(pk, agreed if state != Goal.State.PROPOSED else new)
        if weight is not None:
            found[participation].append(weight)
    return found
