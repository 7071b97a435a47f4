"""The demo cycles: last year's, closed, and this year's, with all four stages in the middle of their life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

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
from pmcycle.home.demo.company import Company

LEVELS = [
    ("Below", "Most of what was agreed was not reached.", Decimal(1), True),
    ("Partly meets", "Some of what was agreed was not reached.", Decimal(2), True),
    ("Meets", "What was agreed was reached.", Decimal(3), False),
    ("Exceeds", "More was reached than agreed, in several places.", Decimal(4), False),
    ("Outstanding", "A result that changes what others think possible.", Decimal(5), False),
]
# When the stages open and are due, in days from today; this year's overlap so that each is half way.
THIS_YEAR = {
    StageKind.OBJECTIVES: (-280, 6),
    StageKind.APPRAISAL: (-16, 12),
    StageKind.INCENTIVES: (-9, 25),
    StageKind.EVALUATION: (-4, 38),
}
LAST_YEAR = {
    StageKind.OBJECTIVES: (-660, -600),
    StageKind.APPRAISAL: (-400, -372),
    StageKind.INCENTIVES: (-371, -350),
    StageKind.EVALUATION: (-349, -320),
}


@dataclass
class DemoCycle:
    cycle: Cycle
    levels: list[RatingLevel]
    part: dict[int, Participation]


def build_cycles(company: Company) -> tuple[DemoCycle, DemoCycle]:
    """(last year's, this year's). Participations, assignments and chains are written in sets."""
    day = today()
    first = (day - timedelta(days=290)).replace(day=1)
    last = _build(
        company, f"Performance {first.year - 1}", first.replace(year=first.year - 1), LAST_YEAR, "closed"
    )
    this = _build(company, f"Performance {first.year}", first, THIS_YEAR, "running")
    this.cycle.copied_from = last.cycle
    this.cycle.save(update_fields=["copied_from"])
    return last, this


def _build(
    company: Company, name: str, first: date, days: dict[StageKind, tuple[int, int]], state: str
) -> DemoCycle:
    day = today()
    kim = company.users["Kim Larsen"]
    launched = timezone.now() - timedelta(days=-days[StageKind.OBJECTIVES][0])
    cycle = Cycle.objects.create(
        name=name,
        first_day=first,
        last_day=first.replace(year=first.year + 1) - timedelta(days=1),
        zone="Europe/Berlin",
        currency="EUR",
        state=state,
        launched_at=launched,
        launched_by=kim,
        stages_may_overlap=True,
        closed_at=timezone.now() - timedelta(days=315) if state == "closed" else None,
    )
    PopulationRule.objects.create(cycle=cycle)
    scale = RatingScale.objects.create(name="Five levels", cycle=cycle)
    levels = RatingLevel.objects.bulk_create(
        [
            RatingLevel(scale=scale, position=n, label=label, meaning=meaning, value=value, needs_mention=low)
            for n, (label, meaning, value, low) in enumerate(LEVELS, start=1)
        ]
    )
    Stage.objects.bulk_create(
        [
            Stage(
                cycle=cycle,
                kind=kind,
                position=n,
                opens_on=day + timedelta(days=opens),
                due_on=day + timedelta(days=due),
                grace_days=3,
                state="closed" if state == "closed" else "open",
            )
            for n, (kind, (opens, due)) in enumerate(days.items())
        ]
    )
    ReminderPolicy.objects.bulk_create(
        [
            ReminderPolicy(cycle=cycle, kind=kind, days_before=[7, 2], days_after=[1, 4], escalate_after=7)
            for kind in StageKind
        ]
    )
    return DemoCycle(cycle, levels, _take_part(company, cycle, first))


def _take_part(company: Company, cycle: Cycle, first: date) -> dict[int, Participation]:
    chief = next(p for p in company.people if not company.line[p.pk])
    takers = [p for p in company.people if p.pk != chief.pk and p.hired_on <= first]
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
                left_on=p.left_on,
                state="left" if p.left_on else "active",
                left_by_date=p.left_on is not None,
                starts_on=first,
                launched_at=cycle.launched_at or timezone.now(),
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
