"""HR reminds people and takes the board away as a file."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from pmcycle.activity.actions import Tell, record, tell
from pmcycle.activity.models import Notice
from pmcycle.cycles.actions.locking import lock_running
from pmcycle.cycles.models import (
    Cycle,
)
from pmcycle.people.models import User


def remind(cycle: Cycle, tells: Sequence[Tell], *, suppressed: int = 0, by: User) -> int:
    """Send exactly these reminders, at most one a person and day; how many are new."""
    with transaction.atomic():
        locked = lock_running(cycle.pk)
        keys = [t.key for t in tells]
        known = Notice.objects.filter(key__in=keys).count()
        tell(locked, tells)
        sent = len(set(keys)) - known
        record(
            "reminded", locked, by=by, stream=f"cycle:{locked.pk}", sent=sent, suppressed=suppressed
        )
    return sent


def record_export(cycle: Cycle, *, rows: int, by: User) -> None:
    """Note that the board left the house as a file."""
    with transaction.atomic():
        record("exported_board", cycle, by=by, stream=f"cycle:{cycle.pk}", rows=rows)
