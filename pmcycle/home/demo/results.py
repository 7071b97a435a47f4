"""Appraisals of the demo company: Sales has its results, the others are in the middle of writing.

Written with the same actions as the pages use, so that scores, snapshots and the trail are what a
real company would have. Only the people with texts of their own get appraisals.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from appraisals import actions
from appraisals.models import Appraisal, CycleForm, Rating, ReleasedResult
from feedback.models import Entry
from pmcycle.cycles.models import Participation, RatingLevel
from pmcycle.home.demo import texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import DemoCycle
from pmcycle.home.demo.talks import TOLD_IN_SEPTEMBER
from pmcycle.people.models import Employee, User

WRITTEN = {texts.CHIEF[0]} | {
    row[0] for teams in texts.UNITS.values() for team in teams.values() for row in team
}


def build_results(company: Company, demo: DemoCycle) -> None:
    """Open the appraisals of this year's cycle and bring each into some state."""
    kim, lea = company.users["Kim Larsen"], company.users["Lea Roth"]
    version = actions.make_default_form("Yearly appraisal", by=kim)
    CycleForm.objects.create(cycle=demo.cycle, form_version=version)
    actions.open_appraisals(demo.cycle)
    rows = {
        (a.participation_id, a.kind): a
        for a in Appraisal.objects.filter(
            participation__cycle=demo.cycle, participation__employee__name__in=WRITTEN
        ).select_related("participation__employee", "participation__cycle", "author")
    }
    sales = [
        p
        for p in demo.part.values()
        if _takes_part(company, p) and company.division[p.employee_id] == "Sales"
    ]
    others = [
        p
        for p in demo.part.values()
        if _takes_part(company, p) and company.division[p.employee_id] != "Sales"
    ]
    for number, participation in enumerate(sales):
        for kind in (Appraisal.Kind.SELF, Appraisal.Kind.MANAGER):
            _write(company, demo, rows.get((participation.pk, kind.value)), number, hand_in=True)
    why = "Sales goes first; the others follow when their appraisals are handed in."
    left = {one.code: (one.count, why) for one in actions.left_of_release(demo.cycle, kim)}
    release = actions.request_release(demo.cycle, "", accepted=left, by=kim)
    actions.approve_release(release, by=lea)
    actions.release(release)
    _answers_to_results(company, demo)
    for number, participation in enumerate(others):
        if number % 10 < 8 or participation.employee.name == "Ana Popescu":
            own = rows.get((participation.pk, "self"))
            done = number % 10 < 6 and participation.employee.name != "Ana Popescu"
            _write(company, demo, own, number, hand_in=done)
        if number % 10 < 5 and participation.employee.name != "Ana Popescu":
            _write(company, demo, rows.get((participation.pk, "manager")), number, hand_in=number % 10 < 3)
    _calibrate(company, demo)


def _takes_part(company: Company, participation: Participation) -> bool:
    employee = participation.employee
    return (
        employee.name in WRITTEN
        and participation.left_on is None
        and company.manager_of(employee) is not None
    )


def _level(demo: DemoCycle, employee: Employee, number: int) -> RatingLevel:
    """Most meet, some exceed; one person is below, and was told in September."""
    if employee.name == TOLD_IN_SEPTEMBER:
        return demo.levels[1]
    return demo.levels[(2, 3, 2, 2, 3, 2, 4, 2, 3, 2)[number % 10]]


def _marks(demo: DemoCycle, level: RatingLevel, number: int) -> Iterator[RatingLevel]:
    """The levels of the single answers, around that of the whole; who falls short does so in all of them."""
    at = demo.levels.index(level)
    around = cycle((0, 1, 0, -1, 0))
    for _skipped in range(number % 5):
        next(around)
    return (demo.levels[at if at < 2 else min(4, max(2, at + step))] for step in around)


def _write(company: Company, demo: DemoCycle, row: Appraisal | None, number: int, *, hand_in: bool) -> None:
    if row is None:
        return
    by = company.users[row.author.name]
    is_manager = row.kind == Appraisal.Kind.MANAGER
    level = _level(demo, row.participation.employee, number + (0 if is_manager else 4))
    words = texts.WORDS[company.division[row.participation.employee_id]]
    first = words.manager if is_manager else words.own
    said = iter([first, words.shortcoming, words.forward])
    marks = _marks(demo, level, number)
    answers: dict[tuple[int, int | None], actions.Value] = {}
    for question in actions.questions_of(row):
        if question.kind == "goals":
            for goal in actions.goals_of(row.participation):
                answers[question.pk, goal.pk] = actions.Value(level_id=next(marks).pk)
        elif question.kind == "text":
            answers[question.pk, None] = actions.Value(text=next(said, first.split(". ")[0] + "."))
        else:
            answers[question.pk, None] = actions.Value(level_id=next(marks).pk)
    cited = _heard(row) if is_manager and level.needs_mention else []
    level_id = level.pk if is_manager else None
    if hand_in:
        actions.submit(row, answers, level_id=level_id, citations=cited, version=row.version, by=by)
    else:
        actions.autosave(row, answers, level_id=level_id, citations=cited, version=row.version, by=by)


def _heard(row: Appraisal) -> list[int]:
    told = Entry.objects.filter(conversation__participation=row.participation, author=row.author)
    return list(told.values_list("pk", flat=True)[:1])


def _answers_to_results(company: Company, demo: DemoCycle) -> None:
    results = ReleasedResult.objects.filter(participation__cycle=demo.cycle).select_related(
        "participation__employee"
    )
    for number, result in enumerate(results):
        by: User = company.users[result.participation.employee.name]
        if by.name == TOLD_IN_SEPTEMBER:
            actions.file_appeal(result, texts.APPEAL, by=by)
        elif number % 3:
            actions.acknowledge(
                result, "Thank you. I would have put the first point higher." if number % 2 else "", by=by
            )


def _calibrate(company: Company, demo: DemoCycle) -> None:
    kim = company.users["Kim Larsen"]
    session = actions.open_calibration(demo.cycle, "Engineering", [company.units["Engineering"]], by=kim)
    movable = (
        Rating.objects.calibratable_by(kim)
        .filter(
            participation__cycle=demo.cycle,
            participation__unit__path__startswith=company.units["Engineering"].path,
        )
        .filter(proposed=demo.levels[2], participation__result__isnull=True)
        .first()
    )
    if movable is not None:
        reason = "Beside the two others who halved their drift, this is the same result."
        actions.move_rating(session, movable, demo.levels[3].pk, reason, version=movable.version, by=kim)
