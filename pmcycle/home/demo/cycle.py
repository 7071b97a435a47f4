"""The demo cycles: last year's, closed, and this year's, with all four stages in the middle of their life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from pmcycle.access import today
from pmcycle.cycles.models import (
    Assignment,
    ChainLink,
    Cycle,
    Participation,
    PopulationRule,
    RatingLevel,
    RatingScale,
    ReminderPolicy,
    Stage,
    StageKind,
)
from pmcycle.home.demo import texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.hours import written_later
from pmcycle.people.models import Employee

LEVELS = [
    ("Below", "Most of what was agreed was not reached.", Decimal(1), True),
    ("Partly meets", "Some of what was agreed was not reached.", Decimal(2), True),
    ("Meets", "What was agreed was reached.", Decimal(3), False),
    ("Exceeds", "More was reached than agreed, in several places.", Decimal(4), False),
    ("Outstanding", "A result that changes what others think possible.", Decimal(5), False),
]
# When the stages open and are due, in working days before today (after it, if negative); this year's overlap so
# that each is half way.
THIS_YEAR = {
    StageKind.OBJECTIVES: (200, -4),
    StageKind.APPRAISAL: (12, -8),
    StageKind.INCENTIVES: (7, -17),
    StageKind.EVALUATION: (3, -27),
}
LAST_YEAR = {
    StageKind.OBJECTIVES: (466, 436),
    StageKind.APPRAISAL: (246, 231),
    StageKind.INCENTIVES: (230, 221),
    StageKind.EVALUATION: (220, 209),
}
# When last year's was closed: before this year's began.
CLOSED = 206


# What everybody's year comes to, as a place in `LEVELS`: these in turn, but for those whose story it is.
THIS_EARNED = (2, 3, 2, 2, 3, 2, 4, 2, 3, 2)
LAST_EARNED = (2, 2, 3, 2, 2, 3, 2, 2, 4, 3)
# Told in time of what fell short: Daniel this year; Luis last year, and he has caught up since.
TOLD, TOLD_LAST_YEAR = "Daniel Kowalski", "Luis Romero"
THIS_STORIES = {TOLD: 1, TOLD_LAST_YEAR: 2, "Ana Popescu": 3}
LAST_STORIES = {TOLD: 2, TOLD_LAST_YEAR: 1, "Ana Popescu": 2}


@dataclass
class DemoCycle:
    """A cycle of the demo; `earned` is what each employee's year comes to, as a place in `levels`."""

    cycle: Cycle
    levels: list[RatingLevel]
    part: dict[int, Participation]
    earned: dict[int, int]


def build_last_cycle(company: Company) -> DemoCycle:
    """Last year's, running, with the written people in it: `last_year` tells it and closes it."""
    first = _first_day()
    written = [p for p in company.people if p.name in texts.WRITTEN]
    return _build(
        company, written, first.replace(year=first.year - 1), LAST_YEAR, LAST_EARNED, LAST_STORIES
    )


def build_this_cycle(company: Company, last: DemoCycle) -> DemoCycle:
    """This year's, with all four stages in the middle of their life. Participations, assignments, chains are sets."""
    this = _build(company, company.people, _first_day(), THIS_YEAR, THIS_EARNED, THIS_STORIES)
    this.cycle.copied_from = last.cycle
    this.cycle.save(update_fields=["copied_from"])
    return this


def _first_day() -> date:
    return (today() - timedelta(days=290)).replace(day=1)


def _build(
    company: Company,
    people: list[Employee],
    first: date,
    days: dict[StageKind, tuple[int, int]],
    earned: tuple[int, ...],
    stories: dict[str, int],
) -> DemoCycle:
    kim, hours = company.users["Kim Larsen"], company.hours
    launched = hours.at(days[StageKind.OBJECTIVES][0], 40)

    def on(back: int) -> date:
        return hours.back(back) if back >= 0 else hours.ahead(-back)

    cycle = Cycle(
        name=f"Performance {first.year}",
        first_day=first,
        last_day=first.replace(year=first.year + 1) - timedelta(days=1),
        zone="Europe/Berlin",
        currency="EUR",
        state="running",
        launched_at=launched,
        launched_by=kim,
        stages_may_overlap=True,
        created_at=hours.at(days[StageKind.OBJECTIVES][0] + 8, 95),
    )
    with written_later(Cycle):
        cycle.save()
    PopulationRule.objects.create(cycle=cycle)
    scale = RatingScale.objects.create(name="Five levels", cycle=cycle)
    levels = RatingLevel.objects.bulk_create(
        [
            RatingLevel(
                scale=scale,
                position=n,
                label=label,
                meaning=meaning,
                value=value,
                needs_mention=low,
            )
            for n, (label, meaning, value, low) in enumerate(LEVELS, start=1)
        ]
    )
    Stage.objects.bulk_create(
        [
            Stage(
                cycle=cycle,
                kind=kind,
                position=n,
                opens_on=on(opens),
                due_on=on(due),
                grace_days=3,
                state="open",
            )
            for n, (kind, (opens, due)) in enumerate(days.items())
        ]
    )
    ReminderPolicy.objects.bulk_create(
        [
            ReminderPolicy(
                cycle=cycle, kind=kind, days_before=[7, 2], days_after=[1, 4], escalate_after=7
            )
            for kind in StageKind
        ]
    )
    part = _take_part(company, people, cycle, first, launched)
    years = {
        pk: stories.get(row.employee.name, earned[number % len(earned)])
        for number, (pk, row) in enumerate(part.items())
    }
    return DemoCycle(cycle, levels, part, years)


def _take_part(
    company: Company, people: list[Employee], cycle: Cycle, first: date, launched: datetime
) -> dict[int, Participation]:
    chief = next(p for p in company.people if not company.line[p.pk])
    takers = [p for p in people if p.pk != chief.pk and p.hired_on <= first]

    def has_left(person: Employee) -> bool:
        return person.left_on is not None and person.left_on <= cycle.last_day

    participations = Participation.objects.bulk_create(
        [
            Participation(
                cycle=cycle,
                employee=p,
                unit_id=p.unit_id,
                job_title=p.job_title,
                grade=p.grade,
                location=p.location,
                fte=p.fte,
                annual_pay=company.pay[p.pk],
                currency="EUR",
                hired_on=p.hired_on,
                left_on=p.left_on if has_left(p) else None,
                state="left" if has_left(p) else "active",
                left_by_date=has_left(p),
                starts_on=first,
                launched_at=launched,
            )
            for p in takers
        ],
        batch_size=5000,
    )
    part = {p.employee_id: p for p in participations}
    Assignment.objects.bulk_create(
        [
            Assignment(participation=part[p.pk], manager=company.line[p.pk][0], starts_on=first)
            for p in takers
        ],
        batch_size=5000,
    )
    ChainLink.objects.bulk_create(
        [
            ChainLink(participation=part[p.pk], above=above, distance=n)
            for p in takers
            for n, above in enumerate(company.line[p.pk], start=1)
        ],
        batch_size=5000,
    )
    return part
