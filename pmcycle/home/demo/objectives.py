"""Goals of the demo company: agreed, proposed, countered, changed, with a year of progress."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

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
from pmcycle.access import today
from pmcycle.cycles.models import Participation
from pmcycle.home.demo import texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import DemoCycle
from pmcycle.people.models import Employee

# Of every ten people: how many have an agreed set, one that waits for an answer, one in draft.
AGREED, PROPOSED = 8, 1


def build_goals(company: Company, demo: DemoCycle) -> None:
    """The company's own goals, and below them those of everybody who takes part."""
    chance = company.chance
    now = timezone.now()
    parents = _company_goals(company, demo)
    plan: list[tuple[Participation, Employee, Employee, int]] = []
    for number, participation in enumerate(demo.part.values()):
        employee = participation.employee
        manager = company.manager_of(employee)
        if manager is not None:
            plan.append((participation, employee, manager, number))

    goals: list[Goal] = []
    wording: list[GoalVersion] = []
    countered: list[GoalVersion] = []
    agreed: list[tuple[Goal, GoalVersion, Employee, Employee]] = []
    for participation, employee, manager, number in plan:
        bucket = number % 10 if employee.name not in ("Ana Popescu", "Bashir Nouri") else 0
        for position, text in enumerate(texts.GOALS[company.division[employee.pk]]):
            from_manager = chance.random() < 0.4
            author = manager if from_manager else employee
            is_agreed, is_draft = bucket < AGREED, bucket >= AGREED + PROPOSED
            if is_draft and position:
                continue
            creator = company.users[(employee if is_draft else author).name]
            goal = Goal(
                participation=participation,
                cycle=demo.cycle,
                state="draft" if is_draft else "proposed",
                created_by=creator,
                visibility="line" if position else "everyone",
                parent=parents[position % len(parents)],
            )
            goals.append(goal)
            begun = now - timedelta(days=260 - chance.randrange(20))
            was_countered = is_agreed and chance.random() < 0.45
            if was_countered:
                countered.append(_version(goal, 1, text, author, begun, max(Decimal(5), text.weight - 10)))
                author = employee if from_manager else manager
            nth = 2 if was_countered else 1
            last = _version(goal, nth, text, author, begun + timedelta(days=3), text.weight)
            if is_draft:
                last.proposed_at = None
            if is_agreed:
                last.in_force_from = last.proposed_at
                agreed.append((goal, last, employee, manager))
            wording.append(last)
    Goal.objects.bulk_create(goals, batch_size=5000)
    GoalVersion.objects.bulk_create(countered + wording, batch_size=5000)
    # A goal may call itself agreed only once it names the version, and the version needs the goal first.
    newest = GoalVersion.objects.filter(goal=OuterRef("pk")).order_by("-number").values("pk")[:1]
    mine = Goal.objects.filter(cycle=demo.cycle, participation__isnull=False)
    mine.update(latest=Subquery(newest))
    _sign(agreed, wording)
    mine.filter(latest__in_force_from__isnull=False).update(agreed=F("latest"), state="agreed")
    _progress(company, demo, agreed, now)
    _changes(demo, agreed)
    _contributions(company, demo)


def _company_goals(company: Company, demo: DemoCycle) -> list[Goal]:
    chief = next(p for p in company.people if not company.line[p.pk])
    found = []
    for title, why in texts.COMPANY_GOALS:
        goal = Goal.objects.create(
            cycle=demo.cycle, visibility="everyone", state="draft", created_by=company.users["Kim Larsen"]
        )
        version = GoalVersion.objects.create(
            goal=goal,
            number=1,
            title=title,
            why=why,
            author=chief,
            proposed_at=demo.cycle.launched_at,
            in_force_from=demo.cycle.launched_at,
        )
        goal.latest = goal.agreed = version
        goal.state = "agreed"
        goal.save(update_fields=["latest", "agreed", "state"])
        found.append(goal)
    return found


def _version(
    goal: Goal, number: int, text: texts.DemoGoal, author: Employee, at: datetime, weight: Decimal
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
                "target": None if kind == "keep" else target,
                "low": start if kind == "keep" else None,
                "high": target if kind == "keep" else None,
                "unit": unit,
            }
            for n, (title, kind, start, target, unit) in enumerate(text.key_results, start=1)
        ],
    )


def _sign(agreed: list[tuple[Goal, GoalVersion, Employee, Employee]], wording: list[GoalVersion]) -> None:
    both = [
        Signature(version=version, side=side, signer=signer, at=version.created_at)
        for _, version, employee, manager in agreed
        for side, signer in (("employee", employee), ("manager", manager))
    ]
    one = []
    for version in wording:
        owner = version.goal.participation
        if owner is not None and version.goal.state == "proposed" and version.in_force_from is None:
            one.append(
                Signature(
                    version=version,
                    side="employee" if version.author_id == owner.employee_id else "manager",
                    signer=version.author,
                    at=version.created_at,
                )
            )
    Signature.objects.bulk_create(both + one, batch_size=5000)


def _progress(
    company: Company,
    demo: DemoCycle,
    agreed: list[tuple[Goal, GoalVersion, Employee, Employee]],
    now: datetime,
) -> None:
    """Eight updates over the year for each key result, rising with noise, some of them worrying."""
    chance = company.chance
    results: list[KeyResult] = []
    updates: list[ProgressUpdate] = []
    for goal, version, employee, _manager in agreed:
        mine: list[KeyResult] = []
        reach = Decimal(str(round(chance.uniform(0.45, 1.1), 2)))
        for position, row in enumerate(version.key_results):
            result = KeyResult(
                goal=goal,
                key=row["key"],
                position=position,
                title=row["title"],
                kind=row["kind"],
                start=Decimal(row["start"]),
                target=Decimal(row["target"]) if row["target"] else None,
                low=Decimal(row["low"]) if row["low"] else None,
                high=Decimal(row["high"]) if row["high"] else None,
                unit=row["unit"],
            )
            mine.append(result)
            for step in range(1, 9):
                value = _value(result, reach * step / 8, chance.uniform(-0.04, 0.04), step)
                mood = (
                    "on_track"
                    if reach > Decimal("0.75")
                    else "at_risk"
                    if reach > Decimal("0.55")
                    else "off_track"
                )
                updates.append(
                    ProgressUpdate(
                        key_result=result,
                        value=value,
                        confidence=mood if step > 4 else "on_track",
                        note=chance.choice(texts.NOTES) if chance.random() < 0.35 else "",
                        author=employee,
                        at=now
                        - timedelta(days=240 - 29 * step - chance.randrange(6), hours=chance.randrange(9)),
                    )
                )
                result.current, result.confidence, result.updated_at = (
                    value,
                    updates[-1].confidence,
                    updates[-1].at,
                )
        goal.result = reading_of(mine, demo.cycle)
        results += mine
    Goal.objects.bulk_update([goal for goal, *_rest in agreed], ["result"], batch_size=5000)
    KeyResult.objects.bulk_create(results, batch_size=5000)
    ProgressUpdate.objects.bulk_create(updates, batch_size=5000)


def _value(result: KeyResult, share: Decimal, noise: float, step: int) -> Decimal:
    if result.kind == "reach":
        return Decimal(1 if step == 8 and share > Decimal("0.8") else 0)
    if result.kind == "zero":
        return Decimal(0)
    if result.kind == "keep":
        return ((result.low or 0) + ((result.high or 0) - (result.low or 0)) * share).quantize(Decimal("0.1"))
    span = (result.target or Decimal(0)) - result.start
    value = result.start + span * max(Decimal(0), share + Decimal(str(round(noise, 3))))
    counted = result.start % 1 == 0 and span % 1 == 0 and result.unit not in ("%", "nm")
    return value.quantize(Decimal(1) if counted or abs(span) >= 10 else Decimal("0.01"))


def _changes(demo: DemoCycle, agreed: list[tuple[Goal, GoalVersion, Employee, Employee]]) -> None:
    """Three people ask for a change of an agreed goal; the manager has not answered yet."""
    for goal, version, employee, _manager in agreed[4:40:13]:
        rows = [dict(r) for r in version.key_results]
        if rows and rows[0]["target"]:
            rows[0]["target"] = str(Decimal(rows[0]["target"]) + 1)
        new = GoalVersion.objects.create(
            goal=goal,
            number=version.number + 1,
            title=version.title,
            why=version.why,
            weight=version.weight,
            key_results=rows,
            author=employee,
            proposed_at=timezone.now() - timedelta(days=2),
        )
        Goal.objects.filter(pk=goal.pk).update(latest=new)
        Signature.objects.create(version=new, side="employee", signer=employee)
        ChangeRequest.objects.create(
            goal=goal,
            old=version,
            new=new,
            reason="resources",
            requested_by=employee,
            explanation="The new supplier delivers from January; until then the old target cannot be reached.",
            lapses_on=today() + timedelta(days=12),
        )


def _contributions(company: Company, demo: DemoCycle) -> None:
    people = list(demo.part.values())
    chance = company.chance
    rows = []
    for number, text in enumerate(texts.CONTRIBUTIONS * 4):
        mine, other = chance.sample(people, 2)
        rows.append(
            Contribution(
                participation=mine,
                author=mine.employee,
                beneficiary=other.employee,
                text=text,
                happened_on=today() - timedelta(days=chance.randrange(10, 200)),
                confirmed_at=timezone.now() if number % 3 else None,
            )
        )
    Contribution.objects.bulk_create(rows)
