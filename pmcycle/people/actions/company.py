"""Settings of the company: the days of the week that are worked, and the holidays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from pmcycle.activity.actions import record
from pmcycle.errors import Invalid, check_version
from pmcycle.people.models import Holiday, Organisation, User


def set_working_days(
    organisation: Organisation, days: Sequence[int], *, version: int | None, by: User
) -> Organisation:
    """Say on which ISO weekdays the company works. Reminders wait for those days, from the next one on."""
    with transaction.atomic():
        row: Organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
        check_version(row, version, ("working_days",))
        row.working_days = sorted(set(days))
        row.version += 1
        row.save(update_fields=["working_days", "version"])
        record("set_working_days", row, by=by, days=row.working_days)
    return row


def add_holiday(day: date, name: str, *, by: User) -> Holiday:
    """Name a day on which nobody works. A day has one name."""
    try:
        with transaction.atomic():
            row: Holiday = Holiday.objects.create(day=day, name=name)
            record("added_holiday", row, by=by, day=day.isoformat(), name=name)
    except IntegrityError as error:
        raise Invalid("day", _("This day is a holiday already.")) from error
    return row


def remove_holiday(holiday: Holiday, *, by: User) -> None:
    """The day is worked again. Who presses twice changes nothing."""
    with transaction.atomic():
        gone, _kinds = Holiday.objects.filter(pk=holiday.pk).delete()
        if gone:
            record(
                "removed_holiday", holiday, by=by, day=holiday.day.isoformat(), name=holiday.name
            )
