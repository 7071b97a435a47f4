"""Writing history, telling people, and claiming long work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions.inserting import insert_new
from pmcycle.activity.actions.jobs import (
    Step,
    asked_for,
    carry_out,
    enqueue,
    in_parts,
    no_step,
    retry_job,
)
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
from pmcycle.activity.rules import is_draft, words_in
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
    "drop_what_was_taken",
    "enqueue",
    "forget_looks",
    "forget_uses",
    "give_back",
    "hold_to",
    "in_parts",
    "insert_new",
    "keep_refused",
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
    "throw_away",
]


def save_draft(
    user: User, key: str, data: dict[str, Any], *, sent: int | None = None
) -> Draft | None:
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


# So much of what was refused is kept for one form; more than any text has.
MOST_KEPT = 512 * 1024


def _refused_key(path: str, what: str, is_conflict: bool = False) -> str:
    """Under which refused words are kept: the latest of one form, or of one text where it had no key."""
    where, text = (
        hashlib.sha256(part.encode("utf-8", "replace")).hexdigest()[:32] for part in (path, what)
    )
    return f"{'conflict' if is_conflict else 'refused'}:{where}:{text}"


def keep_refused(
    user: User,
    path: str,
    typed: Sequence[tuple[str, str]],
    *,
    reason: str,
    page: str,
    form: str = "",
    is_conflict: bool = False,
) -> Draft | None:
    """Keep what a form sent to `path` and was refused, with the reason; None if it is too much to keep."""
    data: dict[str, Any] = {}
    for name, text in typed:
        said = text.replace("\x00", "")
        name = name.replace("\x00", "")
        data[name] = [*data[name], said] if name in data else [said]
    data = {name: texts[0] if len(texts) == 1 else texts for name, texts in data.items()}
    if sum(map(len, map(str, data.values()))) > MOST_KEPT or not is_draft(data):
        return None
    key = _refused_key(path, form or repr(sorted(data.items())), is_conflict)
    with transaction.atomic():
        insert_new([Draft(author=user, key=key, updated_at=timezone.now())], "(author_id, key)")
        draft = Draft.objects.select_for_update().get(author=user, key=key)
        draft.data, draft.refused, draft.page = data, reason, page[:500]
        draft.save(update_fields=["data", "refused", "page", "updated_at"])
    return draft


def drop_what_was_taken(user: User, path: str, words: Sequence[str]) -> None:
    """What was refused before is not kept once it is taken: the same words, or a conflict that is settled."""
    kept = Draft.objects.filter(author=user).given_back()
    where = _refused_key(path, "").split(":")[1]
    for draft in kept.filter(key__regex=f"^(refused|conflict):{where}:"):
        texts = words_in(draft.texts())
        if draft.key.startswith("conflict:") or set(texts) <= set(words):
            draft.delete()


def throw_away(draft: Draft) -> None:
    """Its author wants it no more; a form that is still open begins empty."""
    if draft.refused:
        draft.delete()
    else:
        drop_draft(draft.author, draft.key)


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
        locked.state, locked.attempts, locked.not_before, locked.why = (
            "pending",
            0,
            timezone.now(),
            "",
        )
        locked.save(update_fields=["state", "attempts", "not_before", "why"])
        record("retried_delivery", locked, by=by, stream="security")


def mark_read(user: User, pks: Iterable[int] | None = None) -> int:
    """Mark the user's unread notices as read, all or the given ones; returns how many there were."""
    unread = Notice.objects.visible_to(user).filter(read_at__isnull=True)
    if pks is not None:
        unread = unread.filter(pk__in=list(pks))
    return unread.update(read_at=timezone.now())
