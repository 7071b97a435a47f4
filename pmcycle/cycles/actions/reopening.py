"""A closed cycle runs again: one person asks, another approves."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions import Tell, record, settle_cycle
from pmcycle.cycles.actions.work import link
from pmcycle.cycles.models import Cycle, Reopening
from pmcycle.errors import Invalid, Refused
from pmcycle.people.models import User, hr_admins


def _lock_closed(cycle_id: int) -> Cycle:
    cycle = Cycle.objects.select_for_update(no_key=True).get(pk=cycle_id)
    if cycle.state == Cycle.State.ARCHIVED:
        raise Refused(_("This cycle is archived. It stays as it is."))
    if cycle.state != Cycle.State.CLOSED:
        raise Refused(_("Only a closed cycle is opened again."))
    return cycle


def _lock(reopening: Reopening) -> Reopening:
    row = Reopening.objects.select_for_update().get(pk=reopening.pk)
    if row.approved_at is not None:
        raise Refused(_("This is approved already; the cycle runs again."))
    if row.withdrawn_at is not None:
        raise Refused(_("This was withdrawn."))
    return row


def request_reopening(cycle: Cycle, reason: str, *, by: User) -> Reopening:
    """Ask for a closed cycle to run again. Somebody else approves it; until then nothing changes."""
    if not reason.strip():
        raise Invalid("reason", _("Say why it is opened again."))
    with transaction.atomic():
        locked = _lock_closed(cycle.pk)
        if Reopening.objects.waiting().filter(cycle=locked).exists():
            raise Refused(_("Somebody has asked for it already."))
        row = Reopening.objects.create(cycle=locked, reason=reason.strip(), requested_by=by)
        title = _("“%(name)s” is to be opened again: a second person approves") % {
            "name": locked.name
        }
        record(
            "requested_reopening",
            row,
            by=by,
            stream=f"cycle:{locked.pk}",
            reason=row.reason,
            notify=_tell_others(row, title, "asked", by),
        )
    return row


def withdraw_reopening(reopening: Reopening, *, by: User) -> Reopening:
    """Take the question back before it is approved."""
    with transaction.atomic():
        Cycle.objects.select_for_update(no_key=True).get(pk=reopening.cycle_id)
        row = _lock(reopening)
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])
        record("withdrew_reopening", row, by=by, stream=f"cycle:{row.cycle_id}")
    return row


def approve_reopening(reopening: Reopening, *, by: User) -> Cycle:
    """The second person's yes: the cycle runs again. Its stages stay closed until HR opens one."""
    with transaction.atomic():
        cycle = _lock_closed(reopening.cycle_id)
        row = _lock(reopening)
        if row.requested_by_id == by.pk:
            raise Refused(_("You asked for it; a second person approves."))
        row.approved_by, row.approved_at = by, timezone.now()
        row.save(update_fields=["approved_by", "approved_at"])
        cycle.state, cycle.closed_at = Cycle.State.RUNNING, None
        cycle.version += 1
        cycle.save(update_fields=["state", "closed_at", "version"])
        title = _("“%(name)s” runs again") % {"name": cycle.name}
        record(
            "reopened_cycle",
            cycle,
            by=by,
            stream=f"cycle:{cycle.pk}",
            reason=row.reason,
            asked_by=row.requested_by_id,
            notify=_tell_others(row, title, "approved", by),
        )
        settle_cycle("reopened_cycle", cycle, by=by)
    return cycle


def _tell_others(row: Reopening, title: str, key: str, by: User) -> list[Tell]:
    url = link("cycles:detail", pk=row.cycle_id)
    return [
        Tell(user.pk, title, url, f"reopening:{row.pk}:{key}:{user.pk}", kind="reopening")
        for user in hr_admins().exclude(pk=by.pk)
    ]
