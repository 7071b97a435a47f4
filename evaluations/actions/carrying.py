"""What a cycle leaves unfinished comes into the next one: goals and steps as proposals, promises as they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from evaluations.models import DevelopmentStep, Evaluation
from feedback.actions import carry_promises
from goals.actions import bring, development_step, unfinished_goals
from pmcycle.activity.actions import record
from pmcycle.cycles.models import Cycle, Participation, Stage, StageKind, open_today
from pmcycle.errors import Refused
from pmcycle.people.models import User

OVER = (Cycle.State.CLOSED, Cycle.State.ARCHIVED)


@dataclass(frozen=True)
class CarriedOver:
    """How much came over: unfinished goals, open steps of development, open promises."""

    goals: int = 0
    steps: int = 0
    promises: int = 0

    @property
    def total(self) -> int:
        return self.goals + self.steps + self.promises


def carry_over(cycle: Cycle, *, by: User | None) -> CarriedOver:
    """Bring into this running cycle what the last cycle of each of its people left unfinished, once.

    Their last cycle is the one that began before this one and in which they took part, whether this one
    is a copy of it or not. As long as it runs, nothing comes over: it comes when that one closes.
    Refused while nobody here may plan: proposals that nobody can sign help nobody.
    """
    with transaction.atomic():
        locked = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        if locked.state != Cycle.State.RUNNING:
            raise Refused(_("This cycle is not running."))
        if why := why_nothing_comes(locked):
            raise Refused(why)
        return _carry(locked, Q(cycle__state__in=OVER), by)


def why_nothing_comes(cycle: Cycle) -> str:
    """Why no goal can come into this running cycle today, with the way out; "" if goals can."""
    objectives = next((one for one in cycle.stages.all() if one.kind == StageKind.OBJECTIVES), None)
    if objectives is None or objectives.state == Stage.State.OPEN:
        return ""
    if objectives.state == Stage.State.PLANNED:
        return _(
            "The objectives of “%(cycle)s” have not opened. What is left comes by itself when they do."
        ) % {"cycle": cycle.name}
    if Participation.objects.filter(open_today(StageKind.OBJECTIVES), cycle=cycle).exists():
        return ""
    return _(
        "The objectives of “%(cycle)s” are closed for everybody, so that nobody could sign a goal that comes over. "
        "Give the people concerned more time for objectives, or open the stage again: what is left comes then."
    ) % {"cycle": cycle.name}


def bring_over(cycle: Cycle) -> None:
    """When objectives open, and for who joins while they are: what their last cycle left, if that one is over."""
    with transaction.atomic():
        locked = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        if locked.state == Cycle.State.RUNNING:
            _carry(locked, Q(cycle__state__in=OVER), None)


def bring_over_for(participation: Participation) -> None:
    """When somebody gets more time for objectives that are closed: what their last cycle left comes now."""
    bring_over_to(participation.cycle, [participation])


def bring_over_to(cycle: Cycle, people: Collection[Participation]) -> None:
    """For who joins, or comes back, when objectives are closed: what their last cycle left, if that one is over.

    It is theirs from the first day on, although they sign it only with more time.
    """
    with transaction.atomic():
        locked = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        if locked.state == Cycle.State.RUNNING:
            _carry(locked, Q(cycle__state__in=OVER), None, only=people)


def hand_on(cycle: Cycle, by: User) -> None:
    """When a cycle closes: what it leaves goes into each person's next cycle, where that one plans already.

    Into a cycle whose objectives have yet to open it comes then, into one where they are closed for somebody
    when they get more time or the stage opens again; promises, which nobody signs, come at once. Each
    following cycle is locked before its stage is read, so that closing here and opening there find each other
    in either order.
    """
    later = Q(first_day__gt=cycle.first_day) | Q(first_day=cycle.first_day, pk__gt=cycle.pk)
    following = Cycle.objects.select_for_update(no_key=True).filter(
        later, state=Cycle.State.RUNNING
    )
    for one in following.order_by("first_day", "pk"):
        objectives = Stage.objects.filter(cycle=one, kind=StageKind.OBJECTIVES)
        if objectives.exclude(state=Stage.State.PLANNED).exists():
            _carry(one, Q(cycle=cycle), by)


def _carry(
    cycle: Cycle, left_by: Q, by: User | None, only: Collection[Participation] | None = None
) -> CarriedOver:
    """The caller holds the cycle, so that two runs are one after the other and each thing comes once.

    Goals and steps come to `only` these people, by default to all who may plan today.
    """
    into = _followed(cycle, left_by, only)
    if not into:
        return CarriedOver()
    planning = only
    if planning is None:
        planning = Participation.objects.filter(open_today(StageKind.OBJECTIVES), cycle=cycle)
    keys = {part.pk for part in planning}
    signing = {before: part for before, part in into.items() if part.pk in keys}
    goals = unfinished_goals(signing)
    steps = list(
        DevelopmentStep.objects.select_for_update(of=("self",))
        .filter(
            evaluation__participation__in=signing, done_at__isnull=True, carried_to__isnull=True
        )
        .exclude(evaluation__state=Evaluation.State.DRAFT)
        .select_related("evaluation__participation__cycle")
        .order_by("pk")
    )
    as_goals = [
        development_step(
            signing[step.evaluation.participation_id],
            step.evaluation.participation.cycle,
            step.text,
            step.support,
            step.due_on,
        )
        for step in steps
    ]
    made = bring([*goals, *as_goals], by=by) if goals or steps else []
    for step, goal in zip(steps, made[len(goals) :], strict=True):
        step.carried_to = goal
    DevelopmentStep.objects.bulk_update(steps, ["carried_to"], batch_size=2000)
    found = CarriedOver(len(goals), len(steps), carry_promises(into, by=by))
    if found.total:
        record(
            "carried_over_goals",
            cycle,
            by=by,
            stream=f"cycle:{cycle.pk}",
            goals=found.goals,
            steps=found.steps,
            promises=found.promises,
        )
    return found


def _followed(
    cycle: Cycle, left_by: Q, only: Collection[Participation] | None
) -> dict[int, Participation]:
    """Each earlier participation whose person goes on here, with their participation in this cycle.

    Only the last cycle of a person counts, and only if it fulfils `left_by`.
    """
    earlier = Q(cycle__first_day__lt=cycle.first_day) | Q(
        cycle__first_day=cycle.first_day, cycle__lt=cycle.pk
    )
    before = Participation.objects.filter(earlier, employee=OuterRef("employee"))
    last = before.order_by("-cycle__first_day", "-cycle").values("pk")[:1]
    people: QuerySet[Any] = (
        Participation.objects.filter(cycle=cycle, state=Participation.State.ACTIVE)
        .annotate(before=Subquery(last))
        .filter(before__in=Participation.objects.filter(left_by).values("pk"))
    )
    if only is not None:
        people = people.filter(pk__in=[part.pk for part in only])
    found: dict[int, Participation] = {}
    for participation in people:
        participation.cycle = cycle
        found[participation.before] = participation
    return found
