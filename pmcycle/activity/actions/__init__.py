"""Writing history, telling people, and claiming long work."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions.inserting import insert_new
from pmcycle.activity.actions.jobs import Step, asked_for, carry_out, enqueue, in_parts, no_step, retry_job
from pmcycle.activity.actions.limits import count, forget_uses, give_back, hold_to
from pmcycle.activity.actions.looking import forget_looks, note_looks
from pmcycle.activity.actions.telling import (
    Line,
    Tell,
    kind_of,
    record,
    record_each,
    tell,
    tell_all,
)
from pmcycle.activity.actions.todos import (
    add_up_places,
    drift,
    miscounted,
    misplaced,
    recount,
    settle,
    settle_all,
    settle_cycle,
    settle_roles,
)
from pmcycle.activity.models import Delivery, Draft, Heartbeat, Notice
from pmcycle.errors import Refused

if TYPE_CHECKING:
    from pmcycle.people.models import User

__all__ = [
    "Line",
    "Step",
    "Tell",
    "add_up_places",
    "asked_for",
    "beat",
    "carry_out",
    "count",
    "drift",
    "drop_draft",
    "enqueue",
    "forget_looks",
    "forget_uses",
    "give_back",
    "hold_to",
    "in_parts",
    "insert_new",
    "kind_of",
    "mark_read",
    "miscounted",
    "misplaced",
    "no_step",
    "note_looks",
    "record",
    "record_each",
    "record_export",
    "recount",
    "retry_delivery",
    "retry_job",
    "save_draft",
    "settle",
    "settle_all",
    "settle_cycle",
    "settle_roles",
    "tell",
    "tell_all",
]


def save_draft(user: User, key: str, data: dict[str, Any], *, sent: int | None = None) -> Draft | None:
    """Keep what the person is typing; the last answer of the server is the time shown as saved.

    `sent` is how often the form had been sent when it was opened. Sent since, nothing is kept: None.
    """
    with transaction.atomic():
        insert_new([Draft(author=user, key=key)], "(author_id, key)")
        draft = Draft.objects.select_for_update().get(author=user, key=key)
        if sent is not None and sent != draft.sent:
            return None
        draft.data = data
        draft.save(update_fields=["data", "updated_at"])
    return draft


def drop_draft(user: User, key: str) -> None:
    """The form was sent: its draft has done its work, and what is still under way of it comes too late."""
    with transaction.atomic():
        insert_new([Draft(author=user, key=key)], "(author_id, key)")
        Draft.objects.filter(author=user, key=key).update(data={}, sent=F("sent") + 1)


def beat(name: str, at: datetime | None = None) -> None:
    """Note that a job of the clock ran just now (or began `at`): beat and worker are both alive."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at or timezone.now()})


def record_export(by: User, rows: int, filters: dict[str, str]) -> None:
    """Note that somebody took lines of the trail out of the system."""
    with transaction.atomic():
        record("exported_trail", by, by=by, stream="security", rows=rows, filters=filters)


def retry_delivery(delivery: Delivery, *, by: User) -> None:
    """Have a failed mail tried again from the beginning. Raises Refused if it is not failed."""
    with transaction.atomic():
        locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if locked.state != Delivery.State.FAILED:
            raise Refused(_("This mail has not failed; nothing was changed."))
        locked.state, locked.attempts, locked.not_before, locked.why = "pending", 0, timezone.now(), ""
        locked.save(update_fields=["state", "attempts", "not_before", "why"])
        record("retried_delivery", locked, by=by, stream="security")


def mark_read(user: User, pks: Iterable[int] | None = None) -> int:
    """Mark the user's unread notices as read, all or the given ones; returns how many there were."""
    unread = Notice.objects.visible_to(user).filter(read_at__isnull=True)
    if pks is not None:
        unread = unread.filter(pk__in=list(pks))
    return unread.update(read_at=timezone.now())
