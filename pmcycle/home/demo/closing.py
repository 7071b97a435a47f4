"""Evaluations of the demo company: some signed, some waiting for a signature, some being written."""

from __future__ import annotations

from datetime import UTC, timedelta

from appraisals.models import ReleasedResult
from evaluations import actions
from evaluations.actions import EvaluationText, PointText, StepText
from feedback.models import Entry
from pmcycle.access import today
from pmcycle.cycles.models import Participation
from pmcycle.days import day_of
from pmcycle.home.demo import texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import DemoCycle
from pmcycle.people.models import Employee


def build_evaluations(company: Company, demo: DemoCycle) -> None:
    """The evaluation of everybody who has a result, each in another state."""
    results = ReleasedResult.objects.filter(participation__cycle=demo.cycle).select_related(
        "participation__employee", "participation__cycle"
    )
    for number, result in enumerate(results.order_by("pk")):
        person = result.participation.employee
        manager = company.manager_of(person)
        if manager is None or number % 4 == 3:
            continue
        by = company.users[manager.name]
        row = actions.begin(result.participation, by=by)
        row = actions.save(
            row, _text(company, result.participation, manager, number), version=row.version, by=by
        )
        if number % 4 == 2:
            continue
        row = actions.share(row, version=row.version, by=by)
        if number % 4 == 0:
            row = actions.sign(row, "", version=row.version, by=by)
            comment = "Agreed. The Vienna visit was teamwork, and I would like that to be read here."
            actions.sign(row, comment, version=row.version, by=company.users[person.name])


def _text(company: Company, participation: Participation, manager: Employee, number: int) -> EvaluationText:
    words = texts.WORDS[company.division[participation.employee_id]]
    points = [PointText("achievement", text) for text in words.achievements]
    told = Entry.objects.filter(conversation__participation=participation, author=manager).first()
    if told is not None:
        day = day_of(told.said_at, UTC)
        label = f"{day:%d %b %Y} · Conversation: {told.body[:100]}"
        points.append(PointText("shortcoming", words.shortcoming, "entry", told.pk, label))
    steps = [
        StepText(text, today() + timedelta(days=60 + 45 * n), support)
        for n, (text, support) in enumerate((texts.STEPS[number % 4], texts.STEPS[(number + 2) % 4]))
    ]
    return EvaluationText(
        summary=words.manager,
        potential=("grow", "widen", "next")[number % 3],
        long_term_goal=words.forward,
        points=points,
        steps=steps,
    )
