"""Evaluations of the demo company: some signed, some waiting for a signature, some being written."""

from __future__ import annotations

from datetime import UTC, date
from functools import partial

from evaluations import actions
from evaluations.actions import EvaluationText, PointText, StepText
from evaluations.models import Evaluation
from feedback.models import Entry
from pmcycle.cycles.models import Participation
from pmcycle.days import day_of
from pmcycle.home.demo import texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import TOLD, DemoCycle
from pmcycle.home.demo.results import said_by_manager, year_of
from pmcycle.home.demo.words import MEETS, WHOLE, Year, readings_of
from pmcycle.people.models import Employee

POTENTIAL = ("grow", "grow", "grow", "widen", "next")


def build_evaluations(company: Company, demo: DemoCycle) -> None:
    """The evaluation of everybody in Sales, who have their results, each in another state."""
    people = [
        p
        for p in demo.part.values()
        if p.employee.name in texts.WRITTEN
        and company.division[p.employee_id] == "Sales"
        and company.works(p.employee, company.hours.today)
    ]
    readings = readings_of(people)
    for number, participation in enumerate(people):
        person, known = participation.employee, readings.get(participation.pk)
        manager = company.manager_of(person)
        if manager is None or not known or number % 4 == 3:
            continue
        told = said_by_manager(participation) if person.name == TOLD else None
        year = year_of(company, demo, person, known, told)
        days = (company.hours.ahead(45), company.hours.ahead(85))
        text = text_of(year, number, days, told)
        _tell(company, participation, manager, text, number)


def _tell(
    company: Company,
    participation: Participation,
    manager: Employee,
    text: EvaluationText,
    number: int,
) -> None:
    by, person = company.users[manager.name], company.users[participation.employee.name]
    script, minute = company.script, 40 + number * 53 % 380

    def row() -> Evaluation:
        return Evaluation.objects.get(participation=participation, author=manager)

    def begin() -> None:
        begun = actions.begin(participation, by=by)
        actions.save(begun, text, version=begun.version, by=by)

    def share() -> None:
        found = row()
        actions.share(found, version=found.version, by=by)

    def sign(comment: str, who: str) -> None:
        found = row()
        actions.sign(found, comment, version=found.version, by=company.users[who])

    script.at(company.at(manager, 3, minute), begin)
    if number % 4 == 2:
        return
    script.at(company.at(manager, 2, minute), share)
    if number % 4 == 0:
        script.at(company.at(manager, 1, minute // 4), partial(sign, "", by.name))
        comment = "Agreed. It was teamwork, and I would like that to be read here."
        script.at(
            company.at(participation.employee, 1, 240 + minute // 2),
            partial(sign, comment, person.name),
        )


def text_of(year: Year, number: int, days: tuple[date, ...], told: Entry | None) -> EvaluationText:
    """The evaluation of a year: goals that were reached, what was missed with where it was said, and two steps."""
    achieved = [one for one in year.readings if one.result >= WHOLE] or [year.best]
    points = [PointText("achievement", one.line) for one in achieved]
    if told is not None:
        label = f"{day_of(told.said_at, UTC):%d %b %Y} · Conversation: {told.body[:100]}"
        points += [
            PointText("shortcoming", one.line, "entry", told.pk, label) for one in year.missed
        ]
    known = year.field.steps
    steps = [
        StepText(*known[(number + n) % len(known)][:1], day, *known[(number + n) % len(known)][1:])
        for n, day in enumerate(days)
    ]
    achievements, shortfall, forward, summary = year.of_manager()
    return EvaluationText(
        summary=f"{summary} {shortfall if year.level < MEETS else achievements}",
        potential=POTENTIAL[year.level],
        long_term_goal=forward,
        points=points,
        steps=steps,
    )
