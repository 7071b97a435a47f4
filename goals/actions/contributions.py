"""Contributions beyond goals."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from goals.actions.judging import author_of, refuse_if_reworded, refuse_unless_running
from goals.actions.telling import accounts_of, tells
from goals.models import Contribution
from pmcycle.access import today
from pmcycle.activity.actions import record
from pmcycle.cycles.actions import hold_person, hold_taking_part
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.errors import Invalid, Refused
from pmcycle.people.models import Employee, User


def contribute(
    participation: Participation, *, beneficiary: Employee, text: str, happened_on: date, by: User
) -> Contribution:
    """Record something valuable outside the goals; who had the benefit is asked to confirm it."""
    author = author_of(by)
    with transaction.atomic():
        participation = hold_person(participation.pk)
        refuse_unless_running(participation)
        if beneficiary.pk == author.pk:
            raise Invalid("beneficiary", _("Somebody else confirms a contribution."))
        if not beneficiary.is_working(today()):
            raise Invalid("beneficiary", _("This person does not work here any more."))
        if happened_on > by.local_day(timezone.now()):
            raise Invalid("happened_on", _("This day is still to come."))
        row = Contribution.objects.create(
            participation=participation,
            author=author,
            beneficiary=beneficiary,
            text=text,
            happened_on=happened_on,
        )
        record(
            "contribute",
            row,
            by=by,
            about=participation.employee,
            notify=tells(
                accounts_of([beneficiary.pk]).values(),
                _("%(name)s asks you to confirm a contribution") % {"name": author.name},
                reverse("goals:contribution", args=[row.pk]),
                f"goals.contribution:{row.pk}",
            ),
        )
        return row


def confirm_contribution(
    contribution: Contribution, *, version: int | None, by: User
) -> Contribution:
    """The beneficiary says: yes, that helped."""
    return _answer_contribution(contribution, "confirm_contribution", "confirmed_at", version, by)


def decline_contribution(
    contribution: Contribution, *, version: int | None, by: User
) -> Contribution:
    """The beneficiary does not recognise it; the record stays with its author, unconfirmed."""
    return _answer_contribution(contribution, "decline_contribution", "declined_at", version, by)


def _answer_contribution(
    row: Contribution, verb: str, name: str, version: int | None, by: User
) -> Contribution:
    with transaction.atomic():
        hold_taking_part(row.participation_id)
        row = (
            Contribution.objects.select_for_update(of=("self",))
            .select_related("participation__employee", "participation__cycle")
            .get(pk=row.pk)
        )
        refuse_if_reworded(row, version)
        if row.participation.cycle.state != Cycle.State.RUNNING:
            raise Refused(_("This cycle is closed. Everything in it stays readable."))
        if row.confirmed_at or row.declined_at:
            raise Refused(_("This contribution was answered already."))
        setattr(row, name, timezone.now())
        row.version += 1
        row.save(update_fields=[name, "version"])
        record(
            verb,
            row,
            by=by,
            about=row.participation.employee,
            notify=tells(
                accounts_of([row.author_id]).values(),
                _("A contribution of yours was answered"),
                reverse("goals:contribution", args=[row.pk]),
                f"goals.contribution_answered:{row.pk}",
            ),
        )
        return row
