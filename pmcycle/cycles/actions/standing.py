"""Whether a person may do the work of a stage today, for every action that asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.utils import timezone

from pmcycle.cycles import rules
from pmcycle.cycles.models import Cycle, Extension, Participation, Stage


def standing(
    people: Sequence[Participation], kind: str, now: datetime | None = None
) -> dict[int, str]:
    """How the stage stands for each of these today, by participation: `rules.OPEN`, or why it is not.

    By the day in the cycle's zone. The same as the predicate `models.open_today`; the caller holds
    the participations, which `extend` and `mark_left` lock too. Two statements, however many they are.
    """
    now = now or timezone.now()
    cycles = {p.cycle_id for p in people}
    states = dict(Stage.objects.filter(cycle__in=cycles, kind=kind).values_list("cycle", "state"))
    late = [p.pk for p in people if states.get(p.cycle_id) == Stage.State.CLOSED]
    more: dict[int, date] = {}
    if late:
        rows = Extension.objects.filter(participation__in=late, stage__kind=kind)
        more = dict(rows.values_list("participation", "due_on"))
    return {
        p.pk: rules.standing(
            takes_part=p.state == Participation.State.ACTIVE,
            runs=p.cycle.state == Cycle.State.RUNNING,
            state=states.get(p.cycle_id),
            extended_to=more.get(p.pk),
            today=p.cycle.local_day(now),
        )
        for p in people
    }
