"""Goals of the demo company: each unit's own, agreed, proposed, countered, changed, with a year of progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, OuterRef, Subquery

from goals.actions import reading_of
from goals.models import (
    ChangeRequest,
    Contribution,
    Goal,
    GoalVersion,
    KeyResult,
    ProgressUpdate,
    Signature,
)
from pmcycle.cycles.models import Participation
from pmcycle.home.demo import goal_texts, texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import DemoCycle
from pmcycle.home.demo.hours import written_later
from pmcycle.people.models import Employee

# Of every ten people: how many have an agreed set, one that waits for an answer, one in draft.
AGREED, PROPOSED = 8, 1
# Who asks for another target, and why. Their appraisals are not begun: what is measured does not move any more.
CHANGES = {
    "Sami Virtanen": "The chamber is out of order for a quarter; without it the old target cannot be reached.",
    "Rosa Fernandez": "The reference lamp is at the institute until next month; the old target was set with it.",
    "Quentin Moreau": "The new ledger comes a quarter later than planned; until then two steps stay manual.",
}
ALWAYS_AGREED = ("Ana Popescu", "Bashir Nouri", *CHANGES)
# How far the goals of a year go that comes to each level, as a share of the way to the target.
REACHED = ((0.15, 0.4), (0.35, 0.7), (0.92, 1.02), (1.04, 1.14), (1.14, 1.2))
MOODS = ("off_track", "at_risk", "on_track", "on_track", "on_track")


@dataclass(frozen=True)
class Pace:
    """When a year's goals were begun and measured, in working days before today; the last measure is the result."""

    begun: int
    measured: Sequence[int]
    shift: int = 0


THIS_YEAR = Pace(begun=196, measured=(151, 124, 97, 70, 43, 16))
# Another place in the team gives other goals than this year's.
LAST_YEAR = Pace(begun=462, measured=(350, 251), shift=3)

Agreed = list[tuple[Goal, GoalVersion, Employee, Employee]]


def build_goals(company: Company, demo: DemoCycle) -> None:
    """The company's own goals, below them those of the units, and below those what everybody aims at this year."""
    agreed = _build(company, demo, THIS_YEAR, list(demo.part.values()))
    _changes(company, agreed)
    _contributions(company, demo)


def build_last_goals(company: Company, demo: DemoCycle) -> None:
    """The goals of last year, agreed and measured."""
    _build(company, demo, LAST_YEAR, list(demo.part.values()))


def _build(company: Company, demo: DemoCycle, pace: Pace, people: list[Participation]) -> Agreed:
    chance = company.chance
    parents = _published(company, demo)
    is_past = pace is LAST_YEAR
    goals: list[Goal] = []
    wording: list[GoalVersion] = []
    countered: list[GoalVersion] = []
    signatures: list[Signature] = []
    agreed: Agreed = []
    for number, participation in enumerate(people):
        employee = participation.employee
        manager = company.manager_of(employee)
        if manager is None:
            continue
        bucket = 0 if is_past or employee.name in ALWAYS_AGREED else number % 10
        is_agreed, is_draft = bucket < AGREED, bucket >= AGREED + PROPOSED
        mine = goal_texts.goals_for(
            company.team[employee.pk], employee.job_title, _place(company, employee, pace)
        )
        for position, (text, weight) in enumerate(zip(mine, goal_texts.WEIGHTS, strict=True)):
            if is_draft and position:
                continue
            from_manager = chance.random() < 0.4 and not is_draft
            first, other = (manager, employee) if from_manager else (employee, manager)
            day = pace.begun - chance.randrange(8) if is_agreed else 9 - chance.randrange(4)
            begun = company.some(first, day)
            goal = Goal(
                participation=participation,
                cycle=demo.cycle,
                state="draft" if is_draft else "proposed",
                created_by=company.users[first.name],
                created_at=begun,
                visibility="line" if position else "everyone",
                parent=parents[company.division[employee.pk]][position % 2],
            )
            goals.append(goal)
            version = _version(goal, 1, text, first, begun, weight)
            if is_agreed and chance.random() < 0.45:
                version.weight = max(Decimal(5), weight - 10)
                countered.append(version)
                first, other, day = other, first, day - 2
                begun = company.some(first, day)
                version = _version(goal, 2, text, first, begun, weight)
            wording.append(version)
            if is_draft:
                version.proposed_at = None
                continue
            signatures.append(_signature(version, first, employee, begun))
            if is_agreed:
                version.in_force_from = company.some(other, day - 1)
                signatures.append(_signature(version, other, employee, version.in_force_from))
                agreed.append((goal, version, employee, manager))
    with written_later(Goal):
        Goal.objects.bulk_create(goals, batch_size=5000)
    GoalVersion.objects.bulk_create(countered + wording, batch_size=5000)
    # A goal may call itself agreed only once it names the version, and the version needs the goal first.
    newest = GoalVersion.objects.filter(goal=OuterRef("pk")).order_by("-number").values("pk")[:1]
    mine_all = Goal.objects.filter(cycle=demo.cycle, participation__isnull=False)
    mine_all.update(latest=Subquery(newest))
    Signature.objects.bulk_create(signatures, batch_size=5000)
    mine_all.filter(latest__in_force_from__isnull=False).update(agreed=F("latest"), state="agreed")
    _progress(company, demo, agreed, pace)
    return agreed


def _place(company: Company, employee: Employee, pace: Pace) -> int:
    """A lead stays the lead; everybody else has other goals than the year before."""
    place = company.place[employee.pk]
    return place + pace.shift if place else 0


def _published(company: Company, demo: DemoCycle) -> dict[str, list[Goal]]:
    """The goals of the organisation and of its divisions, by division, in force since the launch."""
    chief = next(p for p in company.people if not company.line[p.pk])
    kim = company.users["Kim Larsen"]
    at = demo.cycle.launched_at
    if at is None:
        raise ValueError("a demo cycle is launched")

    def publish(text: goal_texts.DemoGoal, unit: str, parent: Goal | None) -> Goal:
        goal = Goal(
            cycle=demo.cycle,
            unit=company.units[unit] if unit else None,
            visibility="everyone",
            state="draft",
            created_by=kim,
            created_at=at,
            parent=parent,
        )
        with written_later(Goal):
            goal.save()
        version = _version(goal, 1, text, chief, at, None)
        version.in_force_from = at
        version.save()
        goal.latest = goal.agreed = version
        goal.state = "agreed"
        goal.save(update_fields=["latest", "agreed", "state"])
        return goal

    tops = [publish(text, "", None) for text in goal_texts.COMPANY_GOALS]
    return {
        division: [publish(text, division, tops[place]) for text, place in rows]
        for division, rows in goal_texts.UNIT_GOALS.items()
    }


def _version(
    goal: Goal,
    number: int,
    text: goal_texts.DemoGoal,
    author: Employee,
    at: datetime,
    weight: Decimal | None,
) -> GoalVersion:
    return GoalVersion(
        goal=goal,
        number=number,
        title=text.title,
        why=text.why,
        weight=weight,
        author=author,
        proposed_at=at,
        created_at=at,
        key_results=[
            {
                "key": f"k{n}",
                "title": title,
                "kind": kind,
                "start": start,
                "target": target,
                "low": None,
                "high": None,
                "unit": unit,
            }
            for n, (title, kind, start, target, unit) in enumerate(text.key_results, start=1)
        ],
    )


def _signature(
    version: GoalVersion, signer: Employee, employee: Employee, at: datetime
) -> Signature:
    side = "employee" if signer.pk == employee.pk else "manager"
    return Signature(version=version, side=side, signer=signer, at=at)


def _progress(company: Company, demo: DemoCycle, agreed: Agreed, pace: Pace) -> None:
    """What was measured over the year of each key result, with noise, up to what the year comes to."""
    chance = company.chance
    results: list[KeyResult] = []
    updates: list[ProgressUpdate] = []
    for goal, version, employee, _manager in agreed:
        mine: list[KeyResult] = []
        earned = demo.earned[employee.pk]
        reach = chance.uniform(*REACHED[earned])
        for position, row in enumerate(version.key_results):
            result = KeyResult(
                goal=goal,
                key=row["key"],
                position=position,
                title=row["title"],
                kind=row["kind"],
                start=Decimal(row["start"]),
                target=Decimal(row["target"]),
                unit=row["unit"],
            )
            mine.append(result)
            for step, back in enumerate(pace.measured, start=1):
                day = back - chance.randrange(4)
                is_last = step == len(pace.measured)
                if not company.works(employee, company.hours.back(day)):
                    continue
                noise = 0.0 if is_last else chance.uniform(-0.04, 0.04)
                share = reach * step / len(pace.measured) + noise
                mood = MOODS[earned] if step > len(pace.measured) // 2 else "on_track"
                notes = texts.GOING_WELL if mood == "on_track" else texts.GOING_BADLY
                result.current = _value(row, share)
                result.confidence = mood
                result.updated_at = company.some(employee, day)
                updates.append(
                    ProgressUpdate(
                        key_result=result,
                        value=result.current,
                        confidence=mood,
                        note=chance.choice(notes) if chance.random() < 0.35 else "",
                        author=employee,
                        at=result.updated_at,
                    )
                )
        goal.result = reading_of(mine, demo.cycle)
        results += mine
    Goal.objects.bulk_update([goal for goal, *_rest in agreed], ["result"], batch_size=5000)
    KeyResult.objects.bulk_create(results, batch_size=5000)
    ProgressUpdate.objects.bulk_create(updates, batch_size=5000)


def _value(row: dict[str, str], share: float) -> Decimal:
    """What is measured that share of the way, as exactly as the target is named; shares of all end at all."""
    if row["kind"] == "reach":
        return Decimal(1 if share > 0.8 else 0)
    if row["kind"] == "zero":
        return Decimal(0 if share > 0.2 else 1)
    start, target = Decimal(row["start"]), Decimal(row["target"])
    value = max(Decimal(0), start + (target - start) * Decimal(str(round(max(0.0, share), 3))))
    if row["unit"] == "%":
        value = min(Decimal(100), value)
    digits = max(len(number.partition(".")[2]) for number in (row["start"], row["target"]))
    return value.quantize(Decimal(1).scaleb(-digits))


def _changes(company: Company, agreed: Agreed) -> None:
    """Three people ask for a change of an agreed goal; the manager has not answered yet."""
    for name, why in CHANGES.items():
        goal, version, employee, _manager = next(row for row in agreed if row[2].name == name)
        rows = [dict(row) for row in version.key_results]
        start, target = Decimal(rows[0]["start"]), Decimal(rows[0]["target"])
        digits = max(0, -int(target.as_tuple().exponent))
        rows[0]["target"] = str(
            (start + (target - start) * Decimal("0.7")).quantize(Decimal(1).scaleb(-digits))
        )
        asked = company.at(employee, 2, 140)
        new = GoalVersion.objects.create(
            goal=goal,
            number=version.number + 1,
            title=version.title,
            why=version.why,
            weight=version.weight,
            key_results=rows,
            author=employee,
            proposed_at=asked,
            created_at=asked,
        )
        Goal.objects.filter(pk=goal.pk).update(latest=new)
        Signature.objects.create(version=new, side="employee", signer=employee, at=asked)
        request = ChangeRequest(
            goal=goal,
            old=version,
            new=new,
            reason="resources",
            requested_by=employee,
            requested_at=asked,
            explanation=why,
            lapses_on=company.hours.ahead(8),
        )
        with written_later(ChangeRequest):
            request.save()


def _contributions(company: Company, demo: DemoCycle) -> None:
    people = [
        p for p in demo.part.values() if not company.away.get(p.employee_id) and p.left_on is None
    ]
    chance = company.chance
    rows = []
    for number, text in enumerate(texts.CONTRIBUTIONS * 4):
        mine, other = chance.sample(people, 2)
        day = 8 + chance.randrange(130)
        rows.append(
            Contribution(
                participation=mine,
                author=mine.employee,
                beneficiary=other.employee,
                text=text,
                happened_on=company.hours.back(day),
                created_at=company.some(mine.employee, day - 1),
                confirmed_at=company.some(other.employee, day - 3) if number % 3 else None,
            )
        )
    with written_later(Contribution):
        Contribution.objects.bulk_create(rows)
