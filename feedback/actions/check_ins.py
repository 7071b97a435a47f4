"""One meeting: held, moved, called off; and what was not talked about goes on to the next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from feedback.actions.telling import to_user
from feedback.models import AgendaPoint, CheckIn
from pmcycle.activity.actions import Tell, insert_new, record
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import Employee, User

# A meeting may be held up to a day before its time; points older than this are not carried on.
EARLY = timedelta(days=1)
CARRIED_FOR = timedelta(days=180)


def hold(check_in: CheckIn, *, version: int | None, by: User) -> CheckIn:
    """Mark a meeting as held. Points not ticked go to the next one, once; the other one is told.

    Raises `Refused` if it was held or called off already, or lies more than a day ahead.
    """
    with transaction.atomic():
        row = lock(check_in)
        if row.is_held:
            raise Refused(_("This check-in is already marked as held."))
        if not row.is_planned:
            raise Refused(_("This check-in was called off."))
        check_version(row, version)
        if row.starts_at > timezone.now() + EARLY:
            raise Refused(
                _("This check-in is still days ahead. Move it first if you meet earlier.")
            )
        row.state, row.held_at, row.version = CheckIn.State.HELD, timezone.now(), row.version + 1
        row.save(update_fields=["state", "held_at", "version"])
        carried = carry_over([(row.manager_id, row.employee_id)])
        title = _("%(name)s marked your check-in as held") % {"name": by.name}
        record(
            "held",
            row,
            by=by,
            about=row.employee,
            notify=to_other(row, by, title, "held"),
            carried=carried,
        )
        return row


def move_check_in(
    check_in: CheckIn, *, starts_at: datetime, minutes: int, version: int | None, by: User
) -> CheckIn:
    """Move this one meeting; the series stays as it is. Raises `Invalid` for a time that cannot be."""
    if not 5 <= minutes <= 480:
        raise Invalid("minutes", _("A check-in takes between 5 minutes and 8 hours."))
    if not timezone.now() < starts_at < timezone.now() + timedelta(days=366):
        raise Invalid("starts_at", _("Choose a time within the coming year."))
    with transaction.atomic():
        row = lock_planned(check_in)
        check_version(row, version, ("starts_at", "minutes"))
        # The lock on every planned meeting of the two makes the look for a free time hold.
        others = CheckIn.objects.select_for_update().filter(
            manager=row.manager_id, employee=row.employee_id, state=CheckIn.State.PLANNED
        )
        if starts_at in {other.starts_at for other in others.order_by("pk") if other.pk != row.pk}:
            raise Invalid("starts_at", _("You two already have a check-in at that time."))
        sooner = min(row.starts_at, starts_at)
        row.starts_at, row.minutes, row.version = starts_at, minutes, row.version + 1
        row.save(update_fields=["starts_at", "minutes", "version"])
        title = _("%(name)s moved your check-in") % {"name": by.name}
        record(
            "moved",
            row,
            by=by,
            about=row.employee,
            notify=to_other(row, by, title, f"moved:{row.version}", meeting_at=sooner),
        )
        return row


def cancel_check_in(check_in: CheckIn, *, version: int | None, by: User) -> CheckIn:
    """Call off this one meeting; its open points go to the next one, the other one is told."""
    with transaction.atomic():
        row = lock_planned(check_in)
        check_version(row, version)
        row.state, row.cancelled_why, row.version = (
            CheckIn.State.CANCELLED,
            CheckIn.Why.BY_HAND,
            row.version + 1,
        )
        row.save(update_fields=["state", "cancelled_why", "version"])
        carried = carry_over([(row.manager_id, row.employee_id)])
        title = _("%(name)s called off a check-in with you") % {"name": by.name}
        record(
            "cancelled",
            row,
            by=by,
            about=row.employee,
            notify=to_other(row, by, title, "off", meeting_at=row.starts_at),
            carried=carried,
        )
        return row


def carry_over(pairs: Iterable[tuple[int, int]]) -> int:
    """Copy what these pairs did not get to into their next planned meeting; returns how many points.

    In sets for many pairs. A point goes on at most once (`carried_from` is unique), whoever tries.
    """
    wanted = Q(pk__in=[])
    for manager, employee in set(pairs):
        wanted |= Q(manager=manager, employee=employee)
    over = (
        AgendaPoint.objects.standing()
        .filter(
            is_done=False,
            carried_to__isnull=True,
            check_in__state__in=[CheckIn.State.HELD, CheckIn.State.CANCELLED],
            check_in__starts_at__gte=timezone.now() - CARRIED_FOR,
            check_in__in=CheckIn.objects.filter(wanted),
        )
        .select_related("check_in")
    )
    points = list(over.order_by("pk"))
    if not points:
        return 0
    ahead: dict[tuple[int, int], list[CheckIn]] = {}
    for row in CheckIn.objects.filter(wanted, state=CheckIn.State.PLANNED).order_by("starts_at"):
        ahead.setdefault((row.manager_id, row.employee_id), []).append(row)
    copies = []
    for point in points:
        source = point.check_in
        following = ahead.get((source.manager_id, source.employee_id), [])
        target = next((row for row in following if row.starts_at > source.starts_at), None)
        if target is not None:
            copies.append(
                AgendaPoint(
                    check_in=target, author_id=point.author_id, text=point.text, carried_from=point
                )
            )
    return insert_new(copies, "(carried_from_id)")


def lock(check_in: CheckIn) -> CheckIn:
    """The meeting's row, locked, with the two people."""
    return (
        CheckIn.objects.select_for_update(of=("self",))
        .select_related("manager__user", "employee__user")
        .get(pk=check_in.pk)
    )


def lock_planned(check_in: CheckIn) -> CheckIn:
    """The same, if it is still to come about; raises `Refused` with what became of it."""
    row = lock(check_in)
    if row.is_held:
        raise Refused(_("This check-in has been held; it cannot be moved or called off any more."))
    if not row.is_planned:
        raise Refused(_("This check-in was called off."))
    return row


def to_other(
    row: CheckIn, by: User, title: str, key: str, *, meeting_at: datetime | None = None
) -> list[Tell]:
    """Tell whom `by` meets; at once, if a meeting at `meeting_at` is near."""
    url = reverse("feedback:check_in", kwargs={"pk": row.pk})
    return to_user(
        row.other_than(by), title, url, f"feedback.checkin:{row.pk}:{key}", meeting_at=meeting_at
    )


def side_of(row: CheckIn, by: User) -> Employee:
    """Which of the two `by` is; raises `Refused` for anybody else."""
    for person in (row.manager, row.employee):
        if person.pk == by.employee_id:
            return person
    raise Refused(_("Only the two who meet write here."))
