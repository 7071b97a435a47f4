"""What HR changes about one person: the record, the manager, an absence, the last day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from pmcycle.access import today
from pmcycle.activity.actions import record
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.actions.accounts import close_accounts_of_leavers, lock_roles
from pmcycle.people.models import Absence, Employee, PrivateProfile, ReportingLine, User
from pmcycle.people.rules import lines
from pmcycle.people.rules.hands import PAY

EDITABLE = (
    "name",
    "sort_name",
    "email",
    "job_title",
    "job_family",
    "grade",
    "unit",
    "location",
    "zone",
)
# Any number that no other lock of this product uses: two changes of managers could close a loop together.
LINES_LOCK = 7302


def _locked(employee: Employee, version: int | None, fields: tuple[str, ...], by: User) -> Employee:
    """The record to change, which is neither one's own nor that of somebody one reports to."""
    row = (
        Employee.objects.select_for_update(of=("self",)).select_related("unit").get(pk=employee.pk)
    )
    if not Employee.objects.editable_by(by).filter(pk=row.pk).exists():
        raise Refused(_("Another HR admin changes your own record and that of whom you report to."))
    check_version(row, version, fields)
    return row


def _check_not_led(row: Employee, by: User, field: str) -> None:
    """Refuse what decides the pay of somebody whom one leads."""
    if (
        ReportingLine.objects.unended_or_last()
        .filter(employee=row, manager=by.employee_id)
        .exists()
    ):
        raise Invalid(
            field,
            _(
                "You lead this person. What decides their pay, and who leads them, another HR admin changes."
            ),
        )


def _bump(row: Employee, *fields: str) -> None:
    row.version += 1
    row.save(update_fields=[*fields, "version"])


def edit_employee(
    employee: Employee, values: dict[str, Any], *, by: User, version: int | None
) -> Employee:
    """Correct the public record.

    The address of somebody who has an account is what they sign in with; it changes on the page of the
    account, by its owner or by two HR admins (`pmcycle.people.actions.addresses`).
    """
    with transaction.atomic():
        row = _locked(employee, version, EDITABLE, by)
        changed = [f for f in EDITABLE if f in values and getattr(row, f) != values[f]]
        if not changed:
            return row
        if deciding := sorted(PAY.intersection(changed)):
            _check_not_led(row, by, deciding[0])
        account = User.objects.select_for_update().filter(employee=row).first()
        if "email" in changed:
            _check_email(row, account, values["email"])
        for name in changed:
            setattr(row, name, values[name])
        _bump(row, *changed)
        if account is not None and "name" in changed:
            account.name = row.name
            account.save(update_fields=["name"])
        record("edited_employee", row, by=by, about=row, fields=changed)
    return row


def _check_email(row: Employee, account: User | None, email: str) -> None:
    if account is not None and email.lower() != account.email:
        raise Invalid(
            "email",
            _(
                "This person signs in with it. It changes on the page of their account, by them or by two HR"
                " admins."
            ),
        )
    if not email:
        return
    if Employee.objects.filter(email__iexact=email).exclude(pk=row.pk).exists():
        raise Invalid("email", _("Another employee has this e-mail address."))
    if account is None and User.objects.filter(email__iexact=email).exists():
        raise Invalid("email", _("Another account signs in with this e-mail address."))


def change_manager(
    employee: Employee, manager: Employee | None, starts_on: date, *, by: User, version: int | None
) -> Employee:
    """Let a person report to somebody else (None: to nobody) from a day on; the earlier line ends the day before.

    Refused if it would close a circle on any day from then on. Lines that would have begun on or
    after the day give way to the new one.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LINES_LOCK])
        row = _locked(employee, version, (), by)
        _check_not_led(row, by, "manager")
        if manager is not None and manager.pk == by.employee_id:
            raise Invalid("manager", _("Who reports to you is for another HR admin to say."))
        if manager is not None and manager.pk == row.pk:
            raise Invalid("manager", _("Nobody reports to themselves."))
        if starts_on < row.hired_on:
            raise Invalid("starts_on", _("This is before the person's first day."))
        if row.left_on and starts_on > row.left_on:
            raise Invalid("starts_on", _("This is after the person's last day."))
        if manager is not None and not manager.is_working(max(starts_on, manager.hired_on)):
            raise Invalid(
                "manager", _("%(name)s does not work here on that day.") % {"name": manager.name}
            )
        mine = ReportingLine.objects.filter(employee=row, kind=ReportingLine.Kind.LINE)
        mine.filter(starts_on__gte=starts_on).delete()
        mine.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on)).update(
            ends_on=starts_on - timedelta(days=1)
        )
        if manager is not None:
            ReportingLine.objects.create(
                employee=row, manager=manager, starts_on=starts_on, ends_on=row.left_on
            )
            if circle := _circle(starts_on, row.pk):
                names = dict(Employee.objects.filter(pk__in=circle).values_list("pk", "name"))
                shown = " → ".join(names[pk] for pk in [*circle, circle[0]])
                raise Invalid(
                    "manager",
                    _("%(names)s would report to one another in a circle.") % {"names": shown},
                )
        _bump(row)
        record(
            "changed_manager",
            row,
            by=by,
            about=row,
            manager=manager.pk if manager else None,
            starts_on=starts_on.isoformat(),
        )
    return row


def _circle(start: date, employee: int) -> list[int]:
    """The circle through `employee` on any day from `start` on at which somebody's line begins; else empty."""
    all_lines = ReportingLine.objects.filter(kind=ReportingLine.Kind.LINE).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=start)
    )
    rows = list(all_lines.values_list("employee_id", "manager_id", "starts_on", "ends_on"))
    days = sorted({start, *(s for _e, _m, s, _x in rows if s > start)})
    for day in days:
        above = {str(e): str(m) for e, m, s, x in rows if s <= day and (x is None or x >= day)}
        for circle in lines.loops(above):
            if str(employee) in circle:
                return [int(pk) for pk in circle]
    return []


def add_absence(
    employee: Employee, kind: str, is_paid: bool, starts_on: date, ends_on: date | None, *, by: User
) -> Absence:
    """Note a leave from a day to a day, both included; an open end is allowed. Overlaps are refused."""
    if ends_on and ends_on < starts_on:
        raise Invalid("ends_on", _("The last day cannot be before the first."))
    try:
        with transaction.atomic():
            row = _locked(employee, None, (), by)
            absence: Absence = Absence.objects.create(
                employee=row, kind=kind, is_paid=is_paid, starts_on=starts_on, ends_on=ends_on
            )
            record("added_absence", absence, by=by, about=row)
    except IntegrityError as error:
        raise Invalid("starts_on", _("These days overlap another absence.")) from error
    return absence


def end_absence(absence: Absence, last_day: date, *, by: User) -> Absence:
    """Say on which day a leave ends, that day included."""
    with transaction.atomic():
        employee = _locked(absence.employee, None, (), by)
        row: Absence = Absence.objects.select_for_update().get(pk=absence.pk)
        if last_day < row.starts_on:
            raise Refused(_("The last day cannot be before the first."))
        row.ends_on = last_day
        row.save(update_fields=["ends_on"])
        record("ended_absence", row, by=by, about=employee)
    return row


def set_leave_date(
    employee: Employee, left_on: date | None, reason: str, *, by: User, version: int | None
) -> Employee:
    """Date a person's leaving (None: they stay). Lines and leave end with the last day; nothing is deleted."""
    with transaction.atomic():
        lock_roles()
        row = _locked(employee, version, ("left_on",), by)
        if left_on and left_on < row.hired_on:
            raise Invalid("left_on", _("The last day cannot be before the first."))
        before, row.left_on = row.left_on, left_on
        _bump(row, "left_on")
        PrivateProfile.objects.update_or_create(
            employee=row, defaults={"leave_reason": reason if left_on else ""}
        )
        if left_on:
            ReportingLine.objects.filter(employee=row, starts_on__gt=left_on).delete()
            mine = ReportingLine.objects.filter(employee=row, starts_on__lte=left_on)
            mine.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=left_on)).update(ends_on=left_on)
            away = Absence.objects.filter(employee=row, starts_on__lte=left_on)
            away.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=left_on)).update(ends_on=left_on)
        elif before:
            ReportingLine.objects.filter(employee=row, ends_on=before).update(ends_on=None)
        record("dated_leaving" if left_on else "took_back_leaving", row, by=by, about=row)
        close_accounts_of_leavers(today())
    return row
