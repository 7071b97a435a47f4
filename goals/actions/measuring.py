"""How far goals are: read in one way, written down by whatever changes it, fixed with its day."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from goals.models import Goal, KeyResult
from goals.rules import goal_progress
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.errors import Refused


def reading_of(rows: Iterable[KeyResult], cycle: Cycle) -> Decimal | None:
    """How far a goal with these key results is, by the cycle's cap."""
    return goal_progress(
        [row.progress for row in rows if row.retired_at is None], cycle.progress_cap
    )


def measure(goal: Goal, cycle: Cycle) -> None:
    """Write down how far a locked goal is now. A result that is fixed stays as it was measured."""
    if goal.measured_on is None:
        goal.result = reading_of(KeyResult.objects.filter(goal=goal), cycle)
        goal.save(update_fields=["result"])


def fix_results(participation: Participation) -> None:
    """The results on which an appraisal rests: as they are now, with the day. Closed goals keep theirs."""
    day = participation.cycle.local_day(timezone.now())
    goals = _read_again(participation)
    for goal in goals:
        goal.measured_on = day
    Goal.objects.bulk_update(goals, ["result", "measured_on"])


def free_results(participation: Participation) -> None:
    """The appraisal went back to its author: the results move again until it is handed in anew."""
    goals = _read_again(participation)
    for goal in goals:
        goal.measured_on = None
    Goal.objects.bulk_update(goals, ["result", "measured_on"])


def refuse_if_measured(participation: Participation, *goals: Goal) -> None:
    """What an appraisal was measured by is not moved afterwards; what lies beyond the cycle may."""
    fixed = Goal.objects.rated().filter(participation=participation, measured_on__isnull=False)
    if any(goal.horizon == Goal.Horizon.CYCLE for goal in goals) and fixed.exists():
        raise Refused(
            _(
                "The appraisal is handed in, and these goals are measured. It must come back before they change."
            )
        )


def _read_again(participation: Participation) -> list[Goal]:
    """The locked goals that an appraisal of this participation looks at, with their results of now."""
    agreed = Goal.objects.rated().filter(participation=participation, state=Goal.State.AGREED)
    goals = list(agreed.select_for_update(of=("self",)).order_by("pk"))
    rows: dict[int, list[KeyResult]] = {goal.pk: [] for goal in goals}
    for row in KeyResult.objects.filter(goal__in=goals):
        rows[row.goal_id].append(row)
    for goal in goals:
        goal.result = reading_of(rows[goal.pk], participation.cycle)
    return goals
