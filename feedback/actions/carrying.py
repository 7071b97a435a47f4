"""Open promises go on into the next cycle: the same rows, never copies."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q

from feedback.models import ActionItem
from pmcycle.access import today
from pmcycle.activity.actions import Line, record_each
from pmcycle.cycles.models import Participation
from pmcycle.people.models import User


def carry_promises(into: Mapping[int, Participation], *, by: User | None) -> int:
    """Let the open promises to these people stand in their next cycle; how many came over.

    `into` maps each earlier participation to the one that follows it. What was promised before the
    first day of the next cycle comes over, once, from whoever promised it and still works here; words,
    owner and day stay. A promise that came over before goes on from where it stands.
    """
    following = {part.employee_id: part for part in into.values()}
    here = Q(owner__left_on__isnull=True) | Q(owner__left_on__gte=today())
    rows = (
        ActionItem.objects.open()
        .promises()
        .select_for_update(of=("self",))
        .filter(here, check_in__employee__in=following)
        .filter(Q(stands_in__isnull=True) | Q(stands_in__in=into))
        .select_related("check_in")
        .order_by("pk")
    )
    came = []
    for item in rows:
        part = following[item.check_in.employee_id]
        if part.cycle.local_day(item.created_at) < part.cycle.first_day:
            item.stands_in = part
            came.append(item)
    ActionItem.objects.bulk_update(came, ["stands_in"], batch_size=2000)
    lines = [
        Line(item, item.check_in.employee_id, data={"cycle": item.stands_in.cycle_id})
        for item in came
        if item.stands_in is not None
    ]
    record_each("carried_over", lines, by=by)
    return len(came)
