"""Who leaves the company is frozen in the cycle, and taken up again when they come back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions import Line, Tell, record, record_each
from pmcycle.cycles import rules
from pmcycle.cycles.actions.lines import refresh_chains
from pmcycle.cycles.actions.locking import (
    lock_participation,
    refuse_unless_left,
    refuse_unless_taking_part,
    tell_person,
)
from pmcycle.cycles.actions.work import lay_out_for, link
from pmcycle.cycles.models import Cycle, Participation, ParticipationQuerySet
from pmcycle.errors import Invalid, Refused
from pmcycle.people.models import Employee, User


def judge_leaving(participation: Participation, *, left_on: date) -> None:
    """Raise what refuses that this person is frozen with this last day; the preview asks the same."""
    refuse_unless_taking_part(participation)
    today = participation.cycle.local_day(timezone.now())
    if fault := rules.fault_of_last_day(left_on, hired_on=participation.hired_on, today=today):
        raise Invalid("left_on", fault)


def mark_left(
    participation: Participation, *, left_on: date, reason: str, version: int | None, by: User
) -> Participation:
    """Freeze the part of somebody who has left: nobody waits for them and nothing reminds them."""
    with transaction.atomic():
        locked = lock_participation(participation, version)
        judge_leaving(locked, left_on=left_on)
        locked.state, locked.left_on = Participation.State.LEFT, left_on
        # The company's date says the same: then it also brings them back. On the last day itself it
        # does not say so yet, and the clock would undo what HR has just done.
        today = locked.cycle.local_day(timezone.now())
        locked.left_by_date = locked.employee.left_on == left_on and left_on < today
        locked.save(update_fields=["state", "left_on", "left_by_date"])
        record(
            "left", locked, by=by, about=locked.employee, left_on=left_on.isoformat(), reason=reason
        )
    return locked


def judge_return(participation: Participation) -> None:
    """Raise what refuses that this person takes part again; the preview asks the same."""
    refuse_unless_left(participation)
    person = participation.employee
    if not person.is_working(participation.cycle.local_day(timezone.now())):
        raise Refused(
            _(
                "By their record %s does not work here today. Clear or move the last day there first."
            )
            % person.name
        )


def return_person(
    participation: Participation, *, reason: str, version: int | None, by: User
) -> Participation:
    """Take up the part of somebody who has left and is back: what they wrote goes on where it stood.

    The stages that are open open for them, as for a late joiner; whatever is there already stays.
    """
    with transaction.atomic():
        locked = lock_participation(participation, version, refuse_unless_left)
        judge_return(locked)
        locked.state, locked.left_by_date = Participation.State.ACTIVE, False
        locked.left_on = locked.employee.left_on
        locked.save(update_fields=["state", "left_on", "left_by_date"])
        cycle = locked.cycle
        refresh_chains(cycle, cycle.local_day(timezone.now()), only=locked)
        lay_out_for(cycle, [locked])
        title = _("You take part in “%s” again") % cycle.name
        tells = tell_person(locked, title, f"came_back:{locked.pk}:{locked.version}")
        record("came_back", locked, by=by, about=locked.employee, reason=reason, notify=tells)
    return locked


def follow_departures(cycle: Cycle, day: date) -> int:
    """Freeze who has left the company by the day, and take up who is back; how many. In sets.

    For the clock, and for whoever must know it now. The day is the cycle's. What HR has said in the
    cycle itself stays as it was said. The stages that are open open for who is back. Runs in the
    caller's transaction; again it changes nothing.
    """
    # Before its people, as every act on one of them does.
    Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
    people = Participation.objects.filter(cycle=cycle)
    gone = Q(employee__left_on__lt=day)
    leaving = _locked(
        people.filter(
            gone
            & (
                Q(state=Participation.State.ACTIVE)
                | Q(left_by_date=True) & ~Q(left_on=F("employee__left_on"))
            )
        )
    )
    back = _locked(people.filter(~gone | Q(employee__left_on__isnull=True), left_by_date=True))
    by_record = Subquery(Employee.objects.filter(pk=OuterRef("employee")).values("left_on")[:1])
    if leaving:
        people.filter(pk__in=[p.pk for p in leaving]).update(
            state=Participation.State.LEFT,
            left_on=by_record,
            left_by_date=True,
            version=F("version") + 1,
        )
        lines = [
            Line(
                p,
                p.employee_id,
                (),
                {"left_on": p.employee.left_on.isoformat() if p.employee.left_on else ""},
            )
            for p in leaving
        ]
        record_each("left", lines, by=None)
    if back:
        people.filter(pk__in=[p.pk for p in back]).update(
            state=Participation.State.ACTIVE,
            left_on=by_record,
            left_by_date=False,
            version=F("version") + 1,
        )
        lay_out_for(cycle, back)
        users = _users_of(back)
        title, url = (
            _("You take part in “%s” again") % cycle.name,
            link("cycles:detail", pk=cycle.pk),
        )
        record_each(
            "came_back",
            [
                Line(
                    p,
                    p.employee_id,
                    [Tell(users[p.employee_id], title, url, f"came_back:{p.pk}:{p.version + 1}")]
                    if p.employee_id in users
                    else (),
                )
                for p in back
            ],
            by=None,
        )
    return len(leaving) + len(back)


def _locked(rows: ParticipationQuerySet) -> list[Participation]:
    """Those of them that are still so once they are ours, always in the same order."""
    return list(
        rows.select_for_update(of=("self",), no_key=True).select_related("employee").order_by("pk")
    )


def _users_of(people: Iterable[Participation]) -> dict[int, int]:
    users = User.objects.filter(employee__in=[p.employee_id for p in people], is_active=True)
    return {
        employee: pk for employee, pk in users.values_list("employee", "pk") if employee is not None
    }
