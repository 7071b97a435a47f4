"""Conversations, feedback and check-ins of the demo company."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from feedback import rules
from feedback.models import (
    ActionItem,
    AgendaPoint,
    CheckIn,
    CheckInSeries,
    Conversation,
    Entry,
    Feedback,
    FeedbackRequest,
)
from pmcycle.cycles.models import Participation
from pmcycle.days import day_of
from pmcycle.home.demo import fields, goal_texts, texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import TOLD, DemoCycle
from pmcycle.home.demo.hours import written_later
from pmcycle.people.models import Employee

# When somebody was told what falls short, in working days before today: long before the rating.
TOLD_BACK = 50
FORTNIGHT = timedelta(days=14)
HELD, PLANNED = 4, 3
# At what hour of theirs people meet, by how far their manager stands below the chief: so that who leads some and
# is led by others has time for both, and so that Berlin and New York are both awake when a head meets the chief.
HOUR = {0: 15, 1: 10, 2: 13}
HOUR_ABROAD = 9


def build_talks(company: Company, demo: DemoCycle) -> None:
    """Threads in three of four pairs, a running check-in series in most, feedback across the company."""
    _threads(company, demo)
    _check_ins(company, demo)
    _feedback(company)


def say(
    company: Company, participation: Participation, stage: str, thread: fields.Thread, back: int
) -> None:
    """Write down one conversation, a word a day, from so many working days ago."""
    _write_down(company, [(participation, stage, thread, back)])


def month_before(day: date) -> str:
    """The name of the month in which that happened of which somebody is told on the day."""
    return f"{day - timedelta(days=20):%B}"


def _threads(company: Company, demo: DemoCycle) -> None:
    scripts = []
    for number, participation in enumerate(demo.part.values()):
        employee = participation.employee
        is_told = employee.name == TOLD
        wanted = number % 4 != 3 or employee.name == "Ana Popescu" or is_told
        if company.manager_of(employee) is None or employee.pk in company.away or not wanted:
            continue
        stage = "objectives" if number % 3 else "appraisal"
        known = fields.BY_TEAM[company.team[employee.pk]].threads
        if is_told:
            month = month_before(company.hours.back(TOLD_BACK))
            thread = [(who, text.format(month=month)) for who, text in fields.TOLD]
            scripts.append((participation, stage, thread, TOLD_BACK))
        else:
            scripts.append((participation, stage, known[number % len(known)], 52 - number % 26))
    _write_down(company, scripts)


def _write_down(
    company: Company, scripts: list[tuple[Participation, str, fields.Thread, int]]
) -> None:
    conversations, entries = [], []
    for participation, stage, thread, back in scripts:
        employee = participation.employee
        manager = company.manager_of(employee)
        if manager is None:
            continue
        conversation = Conversation(participation=participation, manager=manager, stage=stage)
        conversations.append(conversation)
        for step, (side, text) in enumerate(thread):
            author = manager if side == "m" else employee
            said_at = company.some(author, back - step)
            entries.append(
                Entry(conversation=conversation, author=author, body=text, said_at=said_at)
            )
    Conversation.objects.bulk_create(conversations, batch_size=5000)
    Entry.objects.bulk_create(entries, batch_size=5000)


def _check_ins(company: Company, demo: DemoCycle) -> None:
    series, meetings = [], []
    led: Counter[int] = Counter()
    for number, participation in enumerate(demo.part.values()):
        employee = participation.employee
        manager = company.manager_of(employee)
        if (
            manager is None
            or employee.left_on
            or (number % 5 == 4 and employee.name != "Ana Popescu")
        ):
            continue
        one, days = _series(company, manager, employee, led[manager.pk])
        led[manager.pk] += 1
        series.append(one)
        known = goal_texts.goals_for(
            company.team[employee.pk], employee.job_title, company.place[employee.pk]
        )
        for step, day in enumerate(days):
            if company.works(employee, day) and company.works(manager, day):
                note = texts.MEETING_NOTES[(number + step) % 4].format(
                    goal=known[(number + step) % 3].title
                )
                meetings.append(_meeting(one, day, note if step < HELD else ""))
    with written_later(CheckInSeries):
        CheckInSeries.objects.bulk_create(series, batch_size=5000)
    CheckIn.objects.bulk_create(meetings, batch_size=5000)
    _agendas(company, meetings)


def _series(
    company: Company, manager: Employee, employee: Employee, place: int
) -> tuple[CheckInSeries, list[date]]:
    """The rhythm of a pair and the days around today that it gives; `place` among those whom the manager leads."""
    today = company.hours.today
    # Monday to Thursday, in the one week or the other; never today, which may be over or not have begun.
    ahead = (place % 4 - today.weekday() + 7 * (place // 4 % 2)) % 14 or 7
    following = today + timedelta(days=ahead)
    is_abroad = manager.zone != employee.zone and "America/New_York" in (
        manager.zone,
        employee.zone,
    )
    zone = "America/New_York" if is_abroad else employee.zone
    hour = HOUR_ABROAD if is_abroad else HOUR[min(2, len(company.line[manager.pk]))]
    half_hours = place // 8 % 5
    days = [following + step * FORTNIGHT for step in range(-HELD, PLANNED)]
    starts_on = following - 10 * FORTNIGHT
    return (
        CheckInSeries(
            manager=manager,
            employee=employee,
            rrule=rules.rrule_text(rules.BIWEEKLY, starts_on),
            starts_on=starts_on,
            at=time(hour + half_hours // 2, half_hours % 2 * 30),
            zone=zone,
            created_at=company.hours.on(starts_on - timedelta(days=4), 60, manager.zone),
        ),
        days,
    )


def _meeting(series: CheckInSeries, day: date, note: str) -> CheckIn:
    starts = datetime.combine(day, series.at, ZoneInfo(series.zone))
    return CheckIn(
        series=series,
        manager=series.manager,
        employee=series.employee,
        slot=starts,
        starts_at=starts,
        minutes=30,
        state="held" if note else "planned",
        held_at=starts + timedelta(minutes=28) if note else None,
        shared_note=note,
        note_by=series.manager if note else None,
    )


def _agendas(company: Company, meetings: list[CheckIn]) -> None:
    chance, hours = company.chance, company.hours
    points, actions = [], []
    for number, meeting in enumerate(meetings):
        held = meeting.state == "held"
        if not held and number % 7 != 4:
            continue
        field = fields.BY_TEAM[company.team[meeting.employee_id]]
        day = day_of(meeting.starts_at, ZoneInfo(meeting.manager.zone))
        for author, said in (
            (meeting.manager, field.agenda_manager),
            (meeting.employee, field.agenda_employee),
        ):
            written = (
                hours.on(day - timedelta(days=1), 30 + number % 400, author.zone)
                if held
                else company.some(author, 1)
            )
            points.append(
                AgendaPoint(
                    check_in=meeting,
                    author=author,
                    text=said[number % len(said)],
                    is_done=held,
                    created_at=written,
                )
            )
        if not held or number % 7 not in (2, 3):
            continue
        for owner, what, kept in (
            (meeting.employee, field.actions, 0.7),
            (meeting.manager, field.promises, 0.65),
        ):
            done = day + timedelta(days=chance.choice([5, 6, 9]))
            is_done = chance.random() < kept and done < hours.today and company.works(owner, done)
            due = day + timedelta(days=chance.choice([8, 14, 28]))
            actions.append(
                ActionItem(
                    check_in=meeting,
                    owner=owner,
                    text=what[number % len(what)],
                    due_on=due - timedelta(days=max(0, due.weekday() - 4)),
                    done_at=hours.on(done, 45 + number % 400, owner.zone) if is_done else None,
                    created_at=meeting.starts_at + timedelta(minutes=28),
                )
            )
    with written_later(AgendaPoint, ActionItem):
        AgendaPoint.objects.bulk_create(points, batch_size=5000)
        ActionItem.objects.bulk_create(actions, batch_size=5000)


def _feedback(company: Company) -> None:
    chance = company.chance
    here = [p for p in company.people if p.left_on is None and p.pk not in company.away]
    rows = []
    for number in range(len(here)):
        kind, body = texts.FEEDBACK[number % len(texts.FEEDBACK)]
        giver, recipient = chance.sample(here, 2)
        if kind == "upward":
            manager = company.manager_of(giver)
            if manager is None:
                continue
            recipient = manager
        visibility = (
            "public"
            if kind == "praise" and number % 2
            else "manager"
            if number % 3 == 0
            else "person"
        )
        rows.append(
            Feedback(
                giver=giver,
                recipient=recipient,
                kind=kind,
                visibility=visibility,
                body=body,
                given_at=company.some(giver, chance.randrange(2, 125)),
                was_useful=True if number % 4 == 0 else None,
            )
        )
    ana, chen = company.by_name["Ana Popescu"], company.by_name["Chen Wei"]
    Feedback.objects.bulk_create(rows, batch_size=5000)
    request = FeedbackRequest(
        requester=chen,
        reviewer=ana,
        about=chen,
        due_on=company.hours.ahead(4),
        created_at=company.at(chen, 1, 200),
        question="How did my part in the overnight series help, and what should I have done earlier?",
    )
    with written_later(FeedbackRequest):
        request.save()
