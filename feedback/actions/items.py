"""Who does what by when: actions of the employee, promises of the manager."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from feedback.actions.check_ins import lock
from feedback.actions.telling import to_user
from feedback.models import ActionItem, AgendaPoint, CheckIn
from pmcycle.activity.actions import record
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import User

MOST_ITEMS = 40
FARTHEST = timedelta(days=731)


def add_action(
    check_in: CheckIn,
    *,
    owner_id: int,
    text: str,
    due_on: date,
    by: User,
    from_point: AgendaPoint | None = None,
) -> ActionItem:
    """Note who does what by when; what the manager takes on is a promise. The owner is told.

    Raises `Invalid` for an owner who is not of the two or a day that cannot be.
    """
    text = text.strip()
    if not text:
        raise Invalid("text", _("Write what is to be done."))
    _judge_day(due_on, by)
    with transaction.atomic():
        row = lock(check_in)
        if row.state == CheckIn.State.CANCELLED:
            raise Refused(_("This check-in was called off."))
        owner = {row.manager_id: row.manager, row.employee_id: row.employee}.get(owner_id)
        if owner is None:
            raise Invalid("owner", _("One of the two does it."))
        if ActionItem.objects.filter(check_in=row).count() >= MOST_ITEMS:
            raise Refused(
                _("This meeting has enough to follow up. Keep the rest for the next one.")
            )
        item = ActionItem.objects.create(
            check_in=row, owner=owner, text=text, due_on=due_on, from_point=from_point
        )
        notify = []
        if owner.pk != by.employee_id:
            notify = to_user(
                owner,
                _("%(name)s noted something for you to do") % {"name": by.name},
                reverse("feedback:item", kwargs={"pk": item.pk}),
                f"feedback.actionitem:{item.pk}",
                due_on=due_on,
            )
        record(
            "added_action",
            item,
            by=by,
            about=row.employee,
            notify=notify,
            promise=owner_id == row.manager_id,
        )
        return item


def turn_into_action(point: AgendaPoint, *, owner_id: int, due_on: date, by: User) -> ActionItem:
    """Make a point of the agenda somebody's action; the point counts as talked about. Once a point."""
    with transaction.atomic():
        check_in = lock(point.check_in)
        row = AgendaPoint.objects.select_for_update().get(pk=point.pk)
        if ActionItem.objects.filter(from_point=row).exists():
            raise Refused(_("This point has already become an action."))
        if row.withdrawn_at is not None:
            raise Refused(_("This point was taken off the agenda."))
        item = add_action(
            check_in, owner_id=owner_id, text=row.text, due_on=due_on, by=by, from_point=row
        )
        row.is_done, row.version = True, row.version + 1
        row.save(update_fields=["is_done", "version"])
        return item


def done(item: ActionItem, *, version: int | None, by: User) -> ActionItem:
    """It is done, or the promise is kept; either of the two may say so, and the other is told."""
    with transaction.atomic():
        row = _lock_open(item, version)
        row.done_at, row.version = timezone.now(), row.version + 1
        row.save(update_fields=["done_at", "version"])
        title = (
            _("%(name)s kept a promise to you")
            if row.is_promise
            else _("%(name)s finished an action")
        )
        _told(row, "done_action", title, by)
        return row


def drop(item: ActionItem, *, why: str, version: int | None, by: User) -> ActionItem:
    """It will not be done, for a reason that both can read."""
    why = why.strip()
    if not why:
        raise Invalid("why", _("Say why it is dropped."))
    with transaction.atomic():
        row = _lock_open(item, version)
        row.dropped_at, row.dropped_why, row.version = timezone.now(), why, row.version + 1
        row.save(update_fields=["dropped_at", "dropped_why", "version"])
        _told(row, "dropped_action", _("%(name)s dropped something you had agreed"), by)
        return row


def reschedule(item: ActionItem, *, due_on: date, version: int | None, by: User) -> ActionItem:
    """Give it another day; the other one is told."""
    _judge_day(due_on, by)
    with transaction.atomic():
        row = _lock_open(item, version)
        before, row.due_on, row.version = row.due_on, due_on, row.version + 1
        row.save(update_fields=["due_on", "version"])
        _told(
            row,
            "rescheduled_action",
            _("%(name)s changed the due date of something you had agreed"),
            by,
            before,
        )
        return row


def _judge_day(due_on: date, by: User) -> None:
    day = by.local_day(timezone.now())
    if due_on < day:
        raise Invalid("due_on", _("This day has already passed."))
    if due_on > day + FARTHEST:
        raise Invalid("due_on", _("Choose a day within two years."))


def _lock_open(item: ActionItem, version: int | None) -> ActionItem:
    row = (
        ActionItem.objects.select_for_update(of=("self",))
        .select_related("check_in__manager__user", "check_in__employee__user", "owner")
        .get(pk=item.pk)
    )
    if row.done_at is not None:
        raise Refused(_("This is already done."))
    if row.dropped_at is not None:
        raise Refused(_("This was dropped."))
    check_version(row, version, ("due_on",))
    return row


def _told(row: ActionItem, verb: str, title: str, by: User, before: date | None = None) -> None:
    notify = to_user(
        row.check_in.other_than(by),
        title % {"name": by.name},
        reverse("feedback:item", kwargs={"pk": row.pk}),
        f"feedback.actionitem:{row.pk}:{row.version}",
    )
    data: dict[str, Any] = {"due_before": before.isoformat()} if before else {}
    record(
        verb, row, by=by, about=row.check_in.employee, notify=notify, promise=row.is_promise, **data
    )
