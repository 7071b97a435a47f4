"""Recurring check-ins: set up, changed, ended, and kept planned ahead by the clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from feedback import rules
from feedback.actions.check_ins import carry_over
from feedback.actions.telling import to_user
from feedback.models import CheckIn, CheckInSeries, still_meet
from pmcycle.access import today
from pmcycle.activity.actions import Tell, insert_new, record, settle
from pmcycle.cycles.models import Assignment, Participation
from pmcycle.days import day_of, today_in, zone_of
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import Absence, Employee, ReportingLine, User

# How far ahead a first meeting may lie, and how many series the clock plans in one transaction.
FARTHEST = timedelta(days=366)
BATCH = 500


def schedule(
    other: Employee,
    *,
    frequency: str,
    starts_on: date,
    weekday: int,
    at: time,
    minutes: int,
    zone: str,
    by: User,
) -> CheckInSeries | CheckIn:
    """Set up check-ins of `by` and `other`: a series, or a single meeting for the frequency "once".

    Raises `Invalid` for a date, length or zone that cannot be, and `Refused` if the two are not
    manager and employee or already have a series.
    """
    _judge_time(starts_on, minutes, zone)
    with transaction.atomic():
        manager, employee = _lock_pair(other, by)
        if frequency == rules.ONCE:
            when = rules.instant(starts_on, at, zone)
            return _single(manager, employee, when, minutes, by=by)
        if CheckInSeries.objects.filter(
            manager=manager, employee=employee, ended_on__isnull=True
        ).exists():
            raise Refused(_("You two already have a recurring check-in. Change that one instead."))
        series = _begin(manager, employee, frequency, starts_on, weekday, at, minutes, zone)
        plan([series])
        record(
            "scheduled",
            series,
            by=by,
            about=employee,
            notify=_to_other(series, by, _("%(name)s set up your recurring check-in")),
            rrule=series.rrule,
        )
        return series


def reschedule_series(
    series: CheckInSeries,
    *,
    frequency: str,
    starts_on: date,
    weekday: int,
    at: time,
    minutes: int,
    zone: str,
    version: int | None,
    by: User,
) -> CheckInSeries:
    """Give a series another rhythm or time. The agendas already written move along, in order.

    The old rule is ended and kept, a new one begins; raises `Refused` if it had ended already.
    """
    _judge_time(starts_on, minutes, zone)
    with transaction.atomic():
        old = _lock_running(series, version)
        now = timezone.now()
        CheckInSeries.objects.filter(pk=old.pk).update(ended_on=today(), version=F("version") + 1)
        new = _begin(old.manager, old.employee, frequency, starts_on, weekday, at, minutes, zone)
        ahead = list(
            CheckIn.objects.select_for_update()
            .filter(series=old, state=CheckIn.State.PLANNED, starts_at__gt=now)
            .order_by("starts_at")
        )
        # First out of the way, because a new time may be the old one of the next meeting.
        CheckIn.objects.filter(pk__in=[c.pk for c in ahead]).update(
            state=CheckIn.State.CANCELLED, cancelled_why=CheckIn.Why.ENDED, version=F("version") + 1
        )
        slots = _slots(new, now, _absences([new]))
        moved = [
            CheckIn(
                pk=row.pk,
                series=new,
                slot=slot,
                starts_at=slot,
                minutes=minutes,
                state=CheckIn.State.PLANNED,
                cancelled_why="",
            )
            for row, slot in zip(ahead, slots, strict=False)
        ]
        CheckIn.objects.bulk_update(
            moved, ["series", "slot", "starts_at", "minutes", "state", "cancelled_why"]
        )
        plan([new])
        record(
            "rescheduled",
            new,
            by=by,
            about=new.employee,
            notify=_to_other(new, by, _("%(name)s changed the time of your check-ins")),
            rrule=new.rrule,
        )
        return new


def end_series(series: CheckInSeries, *, version: int | None, by: User) -> CheckInSeries:
    """End a series: what was held stays, what was planned is called off, agendas stay readable."""
    with transaction.atomic():
        row = _lock_running(series, version)
        _end([row])
        record(
            "ended_series",
            row,
            by=by,
            about=row.employee,
            notify=_to_other(row, by, _("%(name)s ended your recurring check-in")),
        )
        return row


def plan_check_ins() -> int:
    """What the clock does: end the series of pairs that are none any more and hand their rhythm to the
    new manager, then plan all others ahead. Returns how many meetings were put into the calendar.

    A batch a transaction; repeating it, or two workers at once, plans nothing twice.
    """
    with transaction.atomic():
        over = list(
            CheckInSeries.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(ended_on__isnull=True)
            .exclude(still_meet())
            .select_related("manager__user", "employee__user")
            .order_by("pk")[:BATCH]
        )
        if over:
            _end(over)
            _hand_on(over)
    planned, last = 0, 0
    while True:
        with transaction.atomic():
            batch = list(
                CheckInSeries.objects.select_for_update(skip_locked=True)
                .filter(ended_on__isnull=True, pk__gt=last)
                .order_by("pk")[:BATCH]
            )
            planned += plan(batch)
        if len(batch) < BATCH:
            return planned
        last = batch[-1].pk


def plan(series: Sequence[CheckInSeries]) -> int:
    """Put the next meetings of these locked series into the calendar, in sets; returns how many are new.

    Days on which one of the two is away are left out; a meeting already planned on such a day is
    called off and comes back if the absence goes.
    """
    if not series:
        return 0
    now = timezone.now()
    absences = _absences(series)
    ids = [s.pk for s in series]
    known: dict[int | None, dict[datetime | None, CheckIn]] = defaultdict(dict)
    for check_in in CheckIn.objects.filter(series__in=ids, slot__gt=now).only(
        "series", "slot", "starts_at", "state", "cancelled_why"
    ):
        known[check_in.series_id][check_in.slot] = check_in
    away: list[int] = []
    again: list[int] = []
    fresh: list[CheckIn] = []
    for one in series:
        spans = absences[one.manager_id] + absences[one.employee_id]
        local = zone_of(one.zone) or UTC
        for row in known[one.pk].values():
            is_away = rules.is_away(day_of(row.starts_at, local), spans)
            if row.is_planned and is_away:
                away.append(row.pk)
            elif row.cancelled_why == CheckIn.Why.AWAY and not is_away:
                again.append(row.pk)
        fresh += [
            CheckIn(
                series=one,
                manager_id=one.manager_id,
                employee_id=one.employee_id,
                slot=slot,
                starts_at=slot,
                minutes=one.minutes,
            )
            for slot in _slots(one, now, absences)
            if slot not in known[one.pk]
        ]
    _called_off(away, CheckIn.Why.AWAY)
    if again:
        CheckIn.objects.filter(pk__in=again).update(
            state=CheckIn.State.PLANNED, cancelled_why="", version=F("version") + 1
        )
    if fresh:
        # No slot of a series comes twice under its lock; at the same time the two may have moved another one.
        insert_new(fresh, "(manager_id, employee_id, starts_at) WHERE state = 'planned'")
    if fresh or away or again:
        carry_over([(s.manager_id, s.employee_id) for s in series])
        settle("scheduled", "feedback", {s.employee_id for s in series}, by=None)
    return len(fresh)


# --- parts of the verbs -----------------------------------------------------------------------------


def _judge_time(starts_on: date, minutes: int, zone: str) -> None:
    found = zone_of(zone)
    if found is None:
        raise Invalid("zone", _("This time zone is not known."))
    if not 5 <= minutes <= 480:
        raise Invalid("minutes", _("A check-in takes between 5 minutes and 8 hours."))
    day = today_in(found)
    if starts_on < day:
        raise Invalid("starts_on", _("The first day has already passed."))
    if starts_on > day + FARTHEST:
        raise Invalid("starts_on", _("Begin within a year from now."))


def _lock_pair(other: Employee, by: User) -> tuple[Employee, Employee]:
    """Manager and employee, both rows locked in the same order whoever presses the button first."""
    pair = {
        e.pk: e
        for e in Employee.objects.select_for_update(of=("self",))
        .filter(pk__in=[other.pk, by.employee_id])
        .select_related("user")
        .order_by("pk")
    }
    leads = ReportingLine.objects.current().filter(kind=ReportingLine.Kind.LINE)
    writes = Assignment.objects.current().filter(
        participation__cycle__state="running", participation__state=Participation.State.ACTIVE
    )
    mine, theirs = pair.get(by.employee_id or 0), pair.get(other.pk)
    if mine is None or theirs is None or mine is theirs:
        raise Refused(_("A check-in is for a manager and an employee."))
    for manager, employee in ((mine, theirs), (theirs, mine)):
        if (
            leads.filter(manager=manager, employee=employee).exists()
            or writes.filter(manager=manager, participation__employee=employee).exists()
        ):
            return manager, employee
    raise Refused(_("You two are not manager and employee, so there is no check-in to set up."))


def _single(
    manager: Employee, employee: Employee, when: datetime, minutes: int, *, by: User
) -> CheckIn:
    if when <= timezone.now():
        raise Invalid("at", _("This time has already passed."))
    taken = CheckIn.objects.filter(
        manager=manager, employee=employee, starts_at=when, state=CheckIn.State.PLANNED
    )
    if taken.exists():
        raise Invalid("at", _("You two already have a check-in at that time."))
    check_in = CheckIn.objects.create(
        manager=manager, employee=employee, starts_at=when, minutes=minutes
    )
    carry_over([(manager.pk, employee.pk)])
    other = employee if by.employee_id == manager.pk else manager
    record(
        "scheduled",
        check_in,
        by=by,
        about=employee,
        notify=to_user(
            other,
            _("%(name)s set up a check-in with you") % {"name": by.name},
            reverse("feedback:check_in", kwargs={"pk": check_in.pk}),
            f"feedback.check_in:{check_in.pk}:new",
            meeting_at=when,
        ),
    )
    return check_in


def _begin(
    manager: Employee,
    employee: Employee,
    frequency: str,
    starts_on: date,
    weekday: int,
    at: time,
    minutes: int,
    zone: str,
) -> CheckInSeries:
    first = rules.first_day(starts_on, weekday)
    return CheckInSeries.objects.create(
        manager=manager,
        employee=employee,
        rrule=rules.rrule_text(frequency, first),
        starts_on=first,
        at=at,
        minutes=minutes,
        zone=zone,
    )


def _lock_running(series: CheckInSeries, version: int | None) -> CheckInSeries:
    row = (
        CheckInSeries.objects.select_for_update(of=("self",))
        .select_related("manager__user", "employee__user")
        .get(pk=series.pk)
    )
    if row.ended_on is not None:
        raise Refused(_("This series has already ended."))
    check_version(row, version, ("at", "minutes", "zone", "starts_on"))
    return row


def _absences(series: Iterable[CheckInSeries]) -> dict[int, list[tuple[date, date | None]]]:
    people = {person for one in series for person in (one.manager_id, one.employee_id)}
    spans: dict[int, list[tuple[date, date | None]]] = defaultdict(list)
    rows = Absence.objects.filter(employee__in=people).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today())
    )
    for employee, first, last in rows.values_list("employee", "starts_on", "ends_on"):
        spans[employee].append((first, last))
    return spans


def _slots(
    series: CheckInSeries, after: datetime, absences: dict[int, list[tuple[date, date | None]]]
) -> list[datetime]:
    return rules.occurrences(
        series.rrule,
        series.starts_on,
        series.at,
        series.zone,
        after=after,
        limit=rules.PLANNED_AHEAD,
        away=[*absences[series.manager_id], *absences[series.employee_id]],
    )


def _end(series: Sequence[CheckInSeries]) -> None:
    """End locked series and call off what they had planned."""
    ids = [s.pk for s in series]
    CheckInSeries.objects.filter(pk__in=ids).update(ended_on=today(), version=F("version") + 1)
    ahead = CheckIn.objects.filter(
        series__in=ids, state=CheckIn.State.PLANNED, starts_at__gt=timezone.now()
    )
    _called_off(list(ahead.values_list("pk", flat=True)), CheckIn.Why.ENDED)
    carry_over([(s.manager_id, s.employee_id) for s in series])


def _called_off(ids: list[int], why: str) -> None:
    if ids:
        CheckIn.objects.filter(pk__in=ids).update(
            state=CheckIn.State.CANCELLED, cancelled_why=why, version=F("version") + 1
        )


def _hand_on(series: Sequence[CheckInSeries]) -> None:
    """The rhythm goes on with the manager of today; notes and agenda stay with the two who wrote them."""
    managers = dict(
        ReportingLine.objects.current()
        .filter(kind=ReportingLine.Kind.LINE, employee__in=[s.employee_id for s in series])
        .values_list("employee", "manager")
    )
    heirs = [
        CheckInSeries(
            manager_id=managers[old.employee_id],
            employee_id=old.employee_id,
            title=old.title,
            rrule=old.rrule,
            starts_on=old.starts_on,
            at=old.at,
            minutes=old.minutes,
            zone=old.zone,
        )
        for old in series
        if old.employee_id in managers
    ]
    insert_new(heirs, "(manager_id, employee_id) WHERE ended_on IS NULL")
    for old in series:
        told = _("Your recurring check-in goes on with your new manager")
        ended = _("Your recurring check-in with %(name)s has ended") % {"name": old.employee.name}
        url = reverse("feedback:check_ins")
        key = f"feedback.checkinseries:{old.pk}:ended"
        notify = to_user(old.manager, ended, url, key)
        if old.employee_id in managers:
            notify += to_user(old.employee, told, url, key)
        record("ended_series", old, by=None, about=old.employee, notify=notify)


def _to_other(series: CheckInSeries, by: User, title: str) -> list[Tell]:
    other = series.other_than(by)
    return to_user(
        other,
        title % {"name": by.name},
        reverse("feedback:check_ins"),
        f"feedback.checkinseries:{series.pk}:{series.version}:{title[:20]}",
    )
