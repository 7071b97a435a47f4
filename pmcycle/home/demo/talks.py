"""Conversations, feedback and check-ins of the demo company."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery
from django.utils import timezone

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
from pmcycle.access import today
from pmcycle.days import day_of
from pmcycle.home.demo import texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import DemoCycle

# Whom the demo gives a low rating that is no surprise.
TOLD_IN_SEPTEMBER = "Daniel Kowalski"


def build_talks(company: Company, demo: DemoCycle) -> None:
    """Threads in three of four pairs, a running check-in series in most, feedback across the company."""
    _threads(company, demo)
    _check_ins(company, demo)
    _feedback(company)


def _threads(company: Company, demo: DemoCycle) -> None:
    now = timezone.now()
    conversations = []
    scripts = []
    for number, participation in enumerate(demo.part.values()):
        if number % 4 == 3 and participation.employee.name not in ("Ana Popescu", TOLD_IN_SEPTEMBER):
            continue
        stage = "objectives" if number % 3 else "appraisal"
        manager = company.manager_of(participation.employee)
        if manager is None:
            continue
        conversations.append(Conversation(participation=participation, manager=manager, stage=stage))
        told = participation.employee.name == TOLD_IN_SEPTEMBER
        scripts.append(texts.THREADS[2 if told else number % len(texts.THREADS)])
    Conversation.objects.bulk_create(conversations, batch_size=5000)
    entries = []
    for number, (conversation, script) in enumerate(zip(conversations, scripts, strict=True)):
        employee = conversation.participation.employee
        manager = company.manager_of(employee)
        if manager is None:
            continue
        start = now - timedelta(days=70 - number % 40)
        entries += [
            Entry(
                conversation=conversation,
                author=manager if who == "m" else employee,
                body=text,
                said_at=start + timedelta(days=step, hours=step * 3),
            )
            for step, (who, text) in enumerate(script)
        ]
    Entry.objects.bulk_create(entries, batch_size=5000)


def _check_ins(company: Company, demo: DemoCycle) -> None:
    chance = company.chance
    day = today()
    pairs = []
    for number, participation in enumerate(demo.part.values()):
        manager = company.manager_of(participation.employee)
        if (
            manager is None
            or participation.left_on
            or (number % 5 == 4 and participation.employee.name != "Ana Popescu")
        ):
            continue
        zone = participation.employee.zone
        weekday = ("MO", "TU", "WE", "TH")[number % 4]
        pairs.append(
            CheckInSeries(
                manager=manager,
                employee=participation.employee,
                rrule=f"FREQ=WEEKLY;INTERVAL=2;BYDAY={weekday}",
                starts_on=day - timedelta(days=200),
                at=time(9 + number % 7, 30 * (number % 2)),
                zone=zone,
            )
        )
    CheckInSeries.objects.bulk_create(pairs, batch_size=5000)
    meetings = []
    for number, series in enumerate(pairs):
        days_to_next = (number % 4 - day.weekday()) % 7 or 7
        for step in range(-4, 3):
            on = day + timedelta(days=days_to_next + 14 * step)
            starts = datetime.combine(on, series.at, ZoneInfo(series.zone))
            held = step < 0
            meetings.append(
                CheckIn(
                    series=series,
                    manager=series.manager,
                    employee=series.employee,
                    starts_at=starts,
                    minutes=30,
                    state="held" if held else "planned",
                    held_at=starts + timedelta(minutes=28) if held else None,
                    shared_note="We looked at the goals, the trips before the fair, and what to leave out."
                    if held
                    else "",
                )
            )
    CheckIn.objects.bulk_create(meetings, batch_size=5000)
    points, actions = [], []
    for number, meeting in enumerate(meetings):
        held = meeting.state == "held"
        if not held and number % 7 != 4:
            continue
        points.append(
            AgendaPoint(
                check_in=meeting,
                author=meeting.manager,
                text=chance.choice(texts.AGENDA_MANAGER),
                is_done=held,
            )
        )
        points.append(
            AgendaPoint(
                check_in=meeting,
                author=meeting.employee,
                text=chance.choice(texts.AGENDA_EMPLOYEE),
                is_done=held,
            )
        )
        if held and number % 7 in (2, 3):
            done = meeting.starts_at + timedelta(days=6) if chance.random() < 0.7 else None
            due = day_of(meeting.starts_at + timedelta(days=chance.choice([8, 16, 30])), UTC)
            actions.append(
                ActionItem(
                    check_in=meeting,
                    owner=meeting.employee,
                    text=chance.choice(texts.ACTIONS),
                    due_on=due,
                    done_at=done,
                )
            )
            actions.append(
                ActionItem(
                    check_in=meeting,
                    owner=meeting.manager,
                    text=chance.choice(texts.PROMISES),
                    due_on=due,
                    done_at=None if chance.random() < 0.35 else meeting.starts_at + timedelta(days=9),
                )
            )
    AgendaPoint.objects.bulk_create(points, batch_size=5000)
    ActionItem.objects.bulk_create(actions, batch_size=5000)
    meeting_of = CheckIn.objects.filter(pk=OuterRef("check_in")).values("starts_at")
    ActionItem.objects.update(created_at=Subquery(meeting_of))


def _feedback(company: Company) -> None:
    chance = company.chance
    now = timezone.now()
    here = [p for p in company.people if p.left_on is None]
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
            "public" if kind == "praise" and number % 2 else "manager" if number % 3 == 0 else "person"
        )
        rows.append(
            Feedback(
                giver=giver,
                recipient=recipient,
                kind=kind,
                visibility=visibility,
                body=body,
                given_at=now - timedelta(days=chance.randrange(2, 180)),
                was_useful=True if number % 4 == 0 else None,
            )
        )
    ana, chen = company.by_name["Ana Popescu"], company.by_name["Chen Wei"]
    Feedback.objects.bulk_create(rows, batch_size=5000)
    FeedbackRequest.objects.create(
        requester=chen,
        reviewer=ana,
        about=chen,
        due_on=today() + timedelta(days=5),
        question="How did my part in the overnight series help, and what should I have done earlier?",
    )
