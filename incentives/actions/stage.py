"""What the stage of incentive control needs when it opens and closes."""

from __future__ import annotations

from django.utils.translation import gettext as _

from incentives.models import Plan, Run
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Refused


def open_incentives(cycle: Cycle) -> None:
    """A run for the cycle's plan, so that HR finds where to calculate. Again changes nothing."""
    plan = Plan.objects.filter(cycle=cycle).first()
    if plan is not None:
        Run.objects.get_or_create(plan=plan, number=1)


def close_incentives(cycle: Cycle) -> None:
    """Money that was calculated must not be left half-way: such a run is released before the stage closes."""
    half_way = (Run.State.CALCULATED, Run.State.RECOMMENDING, Run.State.APPROVED)
    if Run.objects.filter(plan__cycle=cycle, state__in=half_way).exists():
        raise Refused(_("A reward run is calculated but its statements are not released."))
