"""Appraisals of the demo company: Sales has its results, the others are in the middle of writing.

Written with the same actions as the pages use, so that scores, snapshots and the trail are what a
real company would have. Only the people with texts of their own get appraisals.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import cycle
from typing import Any

from django.db.models import F
from django.utils import timezone

from appraisals import actions
from appraisals.models import (
    Appraisal,
    CycleForm,
    FormVersion,
    Question,
    Rating,
    Release,
    ReleasedResult,
)
from feedback.models import Entry
from pmcycle.activity.models import Job
from pmcycle.cycles.models import Participation, RatingLevel
from pmcycle.home.demo import fields, texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import TOLD, DemoCycle
from pmcycle.home.demo.objectives import CHANGES
from pmcycle.home.demo.talks import TOLD_BACK, month_before
from pmcycle.home.demo.words import Reading, Year, readings_of
from pmcycle.people.models import Employee

WHY = "Sales goes first; the others follow when their appraisals are handed in."


def build_results(company: Company, demo: DemoCycle, form: FormVersion) -> None:
    """Open the appraisals of this year's cycle and bring each into some state."""
    CycleForm.objects.create(cycle=demo.cycle, form_version=form)
    kim, lea, script = company.users["Kim Larsen"], company.users["Lea Roth"], company.script
    script.at(company.hours.at(12), partial(actions.open_appraisals, demo.cycle))
    people = [p for p in demo.part.values() if _writes(company, p)]
    readings = readings_of(people)
    sales = [p for p in people if company.division[p.employee_id] == "Sales"]
    others = [p for p in people if company.division[p.employee_id] != "Sales"]
    questions: dict[str, list[Question]] = {}
    entry = said_by_manager(demo.part[company.by_name[TOLD].pk])

    def write(
        participation: Participation, kind: str, back: int, number: int, *, hand_in: bool
    ) -> None:
        person = participation.employee
        known = readings.get(participation.pk)
        author = person if kind == Appraisal.Kind.SELF else company.manager_of(person)
        if not known or author is None:
            return
        told = entry if person.name == TOLD else None
        year = year_of(company, demo, person, known, told)
        act = partial(
            _write, company, demo, participation, kind, year, told, questions, hand_in=hand_in
        )
        script.at(company.at(author, back, 20 + number * 37 % 420), act)

    for number, participation in enumerate(sales):
        write(participation, "self", 11 - number % 3, number, hand_in=True)
        write(participation, "manager", 8 - number % 3, number, hand_in=True)
    script.at(company.hours.at(5, 60), lambda: _request(demo, kim))
    script.at(company.hours.at(5, 240), lambda: actions.approve_release(_release(demo), by=lea))
    script.at(company.hours.at(5, 250), lambda: _release_now(demo))
    for number, participation in enumerate(sales):
        act = partial(_answer, company, participation, number)
        script.at(company.at(participation.employee, 4 - number % 2, 30 + number * 41 % 400), act)
    for number, participation in enumerate(others):
        is_ana = participation.employee.name == "Ana Popescu"
        done, begun = number % 10 < 6 and not is_ana, number % 10 < 8 or is_ana
        if begun:
            write(
                participation,
                "self",
                11 - number % 4 if done else 3 - number % 2,
                number,
                hand_in=done,
            )
        if number % 10 < 5 and not is_ana:
            handed_in = number % 10 < 3
            write(
                participation,
                "manager",
                6 - number % 3 if handed_in else 2,
                number,
                hand_in=handed_in,
            )
    _calibrate(company, demo)


def _writes(company: Company, participation: Participation) -> bool:
    employee = participation.employee
    return (
        employee.name in texts.WRITTEN
        and employee.name not in CHANGES
        and company.works(employee, company.hours.today)
        and company.manager_of(employee) is not None
    )


def year_of(
    company: Company, demo: DemoCycle, person: Employee, readings: list[Reading], told: Entry | None
) -> Year:
    """What there is to say of somebody's year; `told` is the entry that named a shortfall."""
    return Year(
        first_name=person.name.split()[0],
        level=demo.earned[person.pk],
        readings=readings,
        field=fields.BY_TEAM[company.team[person.pk]],
        number=company.place[person.pk],
        told=demo.cycle.local_day(told.said_at) if told else None,
    )


def said_by_manager(participation: Participation) -> Entry:
    """What a manager said first to this person in the cycle."""
    told = Entry.objects.filter(conversation__participation=participation)
    return told.filter(author=F("conversation__manager")).earliest("said_at")


def answers_of(
    demo: DemoCycle, questions: list[Question], kind: str, year: Year
) -> dict[tuple[int, int | None], actions.Value]:
    """The answers to a form: each goal at the level that was measured, ways of working around that of the whole."""
    said = iter(year.of_manager() if kind == Appraisal.Kind.MANAGER else year.of_oneself())
    marks = _marks(demo, year)
    answers: dict[tuple[int, int | None], actions.Value] = {}
    for question in questions:
        if question.kind == Question.Kind.GOALS:
            for one in year.readings:
                words = one.words[0].upper() + one.words[1:] + "."
                answers[question.pk, one.goal] = actions.Value(
                    text=words, level_id=demo.levels[one.mark].pk
                )
        elif question.kind == Question.Kind.TEXT:
            answers[question.pk, None] = actions.Value(text=next(said))
        else:
            answers[question.pk, None] = actions.Value(level_id=next(marks).pk)
    return answers


def _marks(demo: DemoCycle, year: Year) -> Iterator[RatingLevel]:
    """The levels of how somebody works, around that of the whole; who falls short does so in all of them."""
    at = year.level
    around = cycle((0, 1, 0, -1, 0))
    for _skipped in range(year.number % 5):
        next(around)
    return (demo.levels[at if at < 2 else min(4, max(2, at + step))] for step in around)


def _write(
    company: Company,
    demo: DemoCycle,
    participation: Participation,
    kind: str,
    year: Year,
    told: Entry | None,
    questions: dict[str, list[Question]],
    *,
    hand_in: bool,
) -> None:
    rows = Appraisal.objects.select_related(
        "participation__employee", "participation__cycle", "author"
    )
    row = rows.get(participation=participation, kind=kind)
    is_manager = kind == Appraisal.Kind.MANAGER
    values: dict[str, Any] = {
        "level_id": demo.levels[year.level].pk if is_manager else None,
        "citations": [told.pk] if is_manager and told else [],
        "version": row.version,
        "by": company.users[row.author.name],
    }
    asked = questions.setdefault(kind, [])
    asked += [] if asked else actions.questions_of(row)
    answers = answers_of(demo, asked, kind, year)
    (actions.submit if hand_in else actions.autosave)(row, answers, **values)


def _request(demo: DemoCycle, by: Any) -> None:
    left = {one.code: (one.count, WHY) for one in actions.left_of_release(demo.cycle, by)}
    actions.request_release(demo.cycle, "", accepted=left, by=by)


def _release(demo: DemoCycle) -> Release:
    return Release.objects.filter(cycle=demo.cycle).latest("pk")


def _release_now(demo: DemoCycle) -> None:
    actions.release(_release(demo))
    end_jobs()


def end_jobs() -> None:
    """What waits for a worker was carried out here: left to the worker it would be done a second time, and fail."""
    Job.objects.unfinished().update(
        state=Job.State.DONE, done=F("total"), finished_at=timezone.now()
    )


def _answer(company: Company, participation: Participation, number: int) -> None:
    result = ReleasedResult.objects.filter(participation=participation).first()
    by = company.users[participation.employee.name]
    if result is None:
        return
    if by.name == TOLD:
        month = month_before(company.hours.back(TOLD_BACK))
        actions.file_appeal(result, texts.APPEAL.format(month=month), by=by)
    elif number % 3:
        note = "Thank you. I would have put the first point higher." if number % 2 else ""
        actions.acknowledge(result, note, by=by)


def _calibrate(company: Company, demo: DemoCycle) -> None:
    kim, engineering = company.users["Kim Larsen"], company.units["Engineering"]

    def move() -> None:
        session = demo.cycle.calibrations.get()
        movable = (
            Rating.objects.calibratable_by(kim)
            .filter(
                participation__cycle=demo.cycle,
                participation__unit__path__startswith=engineering.path,
            )
            .filter(proposed=demo.levels[2], participation__result__isnull=True)
            .first()
        )
        if movable is not None:
            reason = "Beside the two others who reached as much, this is the same result."
            actions.move_rating(
                session, movable, demo.levels[3].pk, reason, version=movable.version, by=kim
            )

    script, hours = company.script, company.hours
    script.at(
        hours.at(2, 20),
        lambda: actions.open_calibration(demo.cycle, "Engineering", [engineering], by=kim),
    )
    script.at(hours.at(1, 60), move)
