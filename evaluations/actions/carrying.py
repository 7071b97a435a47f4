"""What a cycle leaves unfinished comes into the next one: goals and steps as proposals, promises as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from evaluations.models import DevelopmentStep, Evaluation
from feedback.actions import carry_promises
from goals.actions import bring, development_step, unfinished_goals
from pmcycle.activity.actions import record
from pmcycle.cycles.models import Cycle, Participation, Stage, StageKind
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
    """
    with transaction.atomic():
        locked = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        if locked.state != Cycle.State.RUNNING:
            raise Refused(_("This cycle is not running."))
        return _carry(locked, Q(cycle__state__in=OVER), by)


def bring_over(cycle: Cycle) -> None:
    """When objectives open, and for who joins later: what their last cycle left, if that one is closed already."""
    with transaction.atomic():
        locked = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        if locked.state == Cycle.State.RUNNING:
            _carry(locked, Q(cycle__state__in=OVER), None)


def hand_on(cycle: Cycle, by: User) -> None:
    """When a cycle closes: what it leaves goes into each person's next cycle, where that one plans already.

    Into a cycle whose objectives have yet to open it comes then. Each following cycle is locked before
    its stage is read, so that closing here and opening there find each other in either order.
    """
    later = Q(first_day__gt=cycle.first_day) | Q(first_day=cycle.first_day, pk__gt=cycle.pk)
    following = Cycle.objects.select_for_update(no_key=True).filter(later, state=Cycle.State.RUNNING)
    for one in following.order_by("first_day", "pk"):
        objectives = Stage.objects.filter(cycle=one, kind=StageKind.OBJECTIVES)
        if objectives.exclude(state=Stage.State.PLANNED).exists():
            _carry(one, Q(cycle=cycle), by)


def _carry(cycle: Cycle, left_by: Q, by: User | None) -> CarriedOver:
    """The caller holds the cycle, so that two runs are one after the other and each thing comes once."""
    into = _followed(cycle, left_by)
    if not into:
        return CarriedOver()
    goals = unfinished_goals(into)
    steps = list(
        DevelopmentStep.objects.select_for_update(of=("self",))
        .filter(evaluation__participation__in=into, done_at__isnull=True, carried_to__isnull=True)
        .exclude(evaluation__state=Evaluation.State.DRAFT)
        .select_related("evaluation__participation__cycle")
        .order_by("pk")
    )
    as_goals = [
        development_step(
            into[step.evaluation.participation_id], step.evaluation.participation.cycle,
            step.text, step.support, step.due_on,
        )
        for step in steps
    ]  # fmt: skip
    made = bring([*goals, *as_goals], by=by) if goals or steps else []
    for step, goal in zip(steps, made[len(goals) :], strict=True):
        step.carried_to = goal
    DevelopmentStep.objects.bulk_update(steps, ["carried_to"], batch_size=2000)
    found = CarriedOver(len(goals), len(steps), carry_promises(into, by=by))
    if found.total:
        record(
            "carried_over_goals", cycle, by=by, stream=f"cycle:{cycle.pk}",
            goals=found.goals, steps=found.steps, promises=found.promises,
        )  # fmt: skip
    return found


def _followed(cycle: Cycle, left_by: Q) -> dict[int, Participation]:
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
    found: dict[int, Participation] = {}
    for participation in people:
        participation.cycle = cycle
        found[participation.before] = participation
    return found
