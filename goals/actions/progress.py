"""Measure key results."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from goals.actions.judging import author_of, refuse_unless_running
from goals.actions.measuring import measure
from goals.models import Goal, KeyResult, ProgressUpdate
from goals.rules import LIMIT
from pmcycle.activity.actions import record
from pmcycle.cycles.actions import hold_person
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Invalid, Refused, Stale
from pmcycle.people.models import User


def record_progress(
    key_result: KeyResult,
    *,
    value: Decimal | None,
    confidence: str,
    note: str = "",
    link: str = "",
    version: int | None,
    by: User,
) -> KeyResult:
    """Append one update; `value=None` says that nothing changed. Both sides may, while the cycle runs.

    Raises `Stale` with the saved value if somebody else recorded meanwhile.
    """
    author = author_of(by)
    with transaction.atomic():
        if key_result.goal.participation_id is not None:
            hold_person(key_result.goal.participation_id)
        goal = (
            Goal.objects.select_for_update(of=("self",))
            .select_related("participation__employee", "participation__cycle", "cycle")
            .get(pk=key_result.goal_id)
        )
        if goal.participation is not None:
            refuse_unless_running(goal.participation)
        elif goal.cycle.state != Cycle.State.RUNNING:
            raise Refused(_("This cycle is not running."))
        if goal.state != Goal.State.AGREED:
            raise Refused(_("Progress is recorded on agreed goals only."))
        row = KeyResult.objects.select_for_update().get(pk=key_result.pk)
        if row.retired_at is not None:
            raise Refused(_("This key result is no longer part of the goal."))
        if version is not None and row.version != version:
            saved = {"value": row.current, "confidence": row.confidence}
            raise Stale(
                saved, row.version, choices={"confidence": dict(KeyResult.Confidence.choices)}
            )
        if value is not None and abs(value) >= LIMIT:
            raise Invalid("value", _("That number is too large."))
        if (
            value is None
            and row.current is None
            and row.kind in (KeyResult.Kind.KEEP, KeyResult.Kind.ZERO)
        ):
            raise Invalid("value", _("Nothing was measured yet: give a first number."))
        now = timezone.now()
        ProgressUpdate.objects.create(
            key_result=row,
            value=value,
            confidence=confidence,
            note=note,
            link=link,
            author=author,
            at=now,
        )
        if value is not None:
            row.current = value
        row.confidence = confidence
        row.updated_at = now
        row.version += 1
        row.save(update_fields=["current", "confidence", "updated_at", "version"])
        measure(goal, goal.cycle)
        about = goal.participation.employee if goal.participation else None
        record("record_progress", goal, by=by, about=about, key_result=row.pk)
        return row
