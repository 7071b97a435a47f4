"""The demo company's last year: told from the goals to the statements, and closed.

What one act does for everybody is done by that act. What each person does for themselves is written down in sets,
because it is told once and looked at: it leaves the same rows, without the lines in the trail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any

from django.db.models import F, OuterRef, Subquery

from appraisals import actions
from appraisals.actions.writing import content_of, score_of
from appraisals.models import (
    Acknowledgement,
    Answer,
    Appraisal,
    Citation,
    CycleForm,
    FormVersion,
    Question,
    Rating,
    Release,
    ReleasedResult,
    Submission,
)
from appraisals.rules import recompute
from evaluations import actions as evaluating
from evaluations.models import CycleEvaluation, DevelopmentStep, Evaluation, Point, Signature
from evaluations.rules import fingerprint
from feedback.models import Entry
from goals.models import Goal
from incentives import actions as rewarding
from incentives.models import Approval, Award, Statement
from pmcycle.activity.models import Delivery, Notice
from pmcycle.cycles import actions as running
from pmcycle.cycles.models import Participation, RatingLevel
from pmcycle.days import day_of, zone_of
from pmcycle.home.demo import fields, rewards
from pmcycle.home.demo.closing import text_of
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import CLOSED, TOLD_LAST_YEAR, DemoCycle
from pmcycle.home.demo.hours import HOME, written_later
from pmcycle.home.demo.objectives import build_last_goals
from pmcycle.home.demo.results import answers_of, end_jobs, said_by_manager, year_of
from pmcycle.home.demo.talks import month_before, say
from pmcycle.home.demo.words import Year, readings_of
from pmcycle.people.models import Employee, User

TOLD_BACK = 300
FRIDAY = 4
WHY = "Looked at one by one and settled with their managers."


@dataclass
class _Past:
    """Last year, as far as it is told; `years` are those of whom there is something to say, by participation."""

    company: Company
    demo: DemoCycle
    people: list[Participation] = field(default_factory=list)
    years: dict[int, Year] = field(default_factory=dict)
    told: Entry | None = None

    def manager(self, participation: Participation) -> Employee:
        return self.company.line[participation.employee_id][0]

    def user(self, person: Employee) -> User:
        return self.company.users[person.name]


def build_last_year(company: Company, demo: DemoCycle, *, is_told: bool) -> FormVersion:
    """Tell last year and close it, or close it with nothing in it; the form on which appraisals are written."""
    kim = company.users["Kim Larsen"]
    script, at = company.script, company.hours.at
    made: list[FormVersion] = []

    def make_form() -> None:
        made.append(actions.make_default_form("Yearly appraisal", by=kim))
        CycleForm.objects.create(cycle=demo.cycle, form_version=made[0])

    script.at(at(258, 60), make_form)
    if is_told:
        _tell(company, demo)
    script.at(at(CLOSED, 300), lambda: _close(demo, kim))
    script.play()
    settle_mail(company)
    return made[0]


def _tell(company: Company, demo: DemoCycle) -> None:
    past = _Past(company, demo)
    build_last_goals(company, demo)
    _read(past)
    kim, lea, milan = (company.users[name] for name in ("Kim Larsen", "Lea Roth", "Milan Horvat"))
    script, at = company.script, company.hours.at
    rewards.publish_plan(company, demo, rewards.LAST_YEAR, drafted=256)
    script.at(at(246), lambda: actions.open_appraisals(demo.cycle, [p.pk for p in past.people]))
    script.at(at(234, 400), lambda: _appraise(past))
    for back, asks, approves in ((233, kim, lea), (232, milan, kim)):
        # Nobody approves their own result, so there are two.
        script.at(at(back, 60), _asking(demo, asks))
        script.at(at(back, 200), _approving(demo, approves))
        script.at(at(back, 205), _releasing(demo))
    script.at(at(231, 400), lambda: _acknowledge(past))
    script.at(at(230, 100), lambda: rewarding.request_calculation(demo.cycle.reward_plan, by=kim))
    script.at(at(230, 101), lambda: rewards.calculate(demo, by=kim))
    script.at(at(229, 60), lambda: rewards.open_to_managers(demo, by=kim))
    script.at(at(225, 400), lambda: _hand_in_sheets(past))
    script.at(at(224, 60), lambda: _approve_rewards(demo, lea))
    script.at(at(223, 60), lambda: _release_rewards(demo, kim))
    script.at(at(221, 90), lambda: rewarding.export_payroll(rewards.run_of(demo), "csv", by=kim))
    script.at(at(210, 400), lambda: _evaluate(past))
    # Once it is closed, the milestones that this counts have come to rest.
    script.at(at(CLOSED - 1, 100), lambda: evaluating.compute(demo.cycle, by=kim))
    script.at(at(CLOSED - 2, 45), lambda: _publish(demo, lea))


def _read(past: _Past) -> None:
    company, demo = past.company, past.demo
    past.people = list(demo.part.values())
    luis = demo.part[company.by_name[TOLD_LAST_YEAR].pk]
    month = month_before(company.hours.back(TOLD_BACK))
    thread = [(who, text.format(month=month)) for who, text in fields.TOLD_LAST_YEAR]
    say(company, luis, "objectives", thread, TOLD_BACK)
    past.told = said_by_manager(luis)
    readings = readings_of(past.people)
    past.people = [p for p in past.people if p.pk in readings]
    past.years = {
        p.pk: year_of(
            company, demo, p.employee, readings[p.pk], past.told if p.pk == luis.pk else None
        )
        for p in past.people
    }


# --- appraisals ------------------------------------------------------------------------------------


def _appraise(past: _Past) -> None:
    company, demo = past.company, past.demo
    rows = list(
        Appraisal.objects.filter(participation__in=past.people)
        .select_related("participation__employee", "participation__cycle", "author", "form_version")
        .order_by("pk")
    )
    questions: dict[str, list[Question]] = {}
    answers: list[Answer] = []
    for row in rows:
        asked = questions.setdefault(row.kind, [])
        asked += [] if asked else actions.questions_of(row)
        place = company.place[row.participation.employee_id]
        back = (245 if row.kind == Appraisal.Kind.SELF else 239) - place % 5
        row.saved_at = row.submitted_at = company.some(row.author, back)
        row.version += 1
        year = past.years[row.participation_id]
        if row.kind == Appraisal.Kind.MANAGER:
            row.level = demo.levels[year.level]
        for (question, goal), value in answers_of(demo, asked, row.kind, year).items():
            answers.append(
                Answer(
                    appraisal=row,
                    question_id=question,
                    goal_id=goal,
                    text=value.text,
                    level_id=value.level_id,
                    updated_at=row.saved_at,
                )
            )
    with written_later(Answer):
        Answer.objects.bulk_create(answers)
    Appraisal.objects.bulk_update(rows, ["saved_at", "submitted_at", "level", "version"])
    _measure(past, rows)
    _hand_in(past, rows, questions)


def _measure(past: _Past, rows: list[Appraisal]) -> None:
    """The results of goals stand as they were on the day of the manager's appraisal."""
    days = {
        row.participation_id: past.demo.cycle.local_day(row.submitted_at)
        for row in rows
        if row.kind == Appraisal.Kind.MANAGER and row.submitted_at
    }
    goals = list(Goal.objects.filter(participation__in=past.people))
    for goal in goals:
        goal.measured_on = days[goal.participation_id or 0]
    Goal.objects.bulk_update(goals, ["measured_on"])


def _hand_in(past: _Past, rows: list[Appraisal], questions: dict[str, list[Question]]) -> None:
    goals: dict[int, list[Goal]] = {}
    for goal in (
        Goal.objects.rated()
        .filter(participation__in=past.people)
        .select_related("agreed")
        .order_by("pk")
    ):
        goals.setdefault(goal.participation_id or 0, []).append(goal)
    submissions, ratings = [], []
    saved = actions.saved_answers(rows)
    levels = list(RatingLevel.objects.filter(scale__cycle=past.demo.cycle))
    for row in rows:
        asked, mine = questions[row.kind], goals[row.participation_id]
        if row.submitted_at is None:
            continue
        submissions.append(
            Submission(
                appraisal=row,
                number=1,
                answers=content_of(row, asked, mine, saved.get(row.pk, {}), levels),
                by=past.user(row.author),
                at=row.submitted_at,
            )
        )
        if row.kind == Appraisal.Kind.MANAGER and row.level is not None:
            trace = score_of(row, asked, mine, saved.get(row.pk, {}), levels)
            ratings.append(
                Rating(
                    participation=row.participation,
                    proposed=row.level,
                    proposed_by=row.author,
                    score=recompute(trace),
                    trace=trace,
                )
            )
            if row.level.needs_mention and past.told is not None:
                Citation.objects.create(appraisal=row, entry=past.told, at=row.submitted_at)
    with written_later(Submission):
        Submission.objects.bulk_create(submissions)
    Rating.objects.bulk_create(ratings)


def _asking(demo: DemoCycle, by: User) -> Callable[[], Any]:
    def ask() -> None:
        left = {one.code: (one.count, WHY) for one in actions.left_of_release(demo.cycle, by)}
        actions.request_release(demo.cycle, "", accepted=left, by=by)

    return ask


def _newest(demo: DemoCycle) -> Release:
    return Release.objects.filter(cycle=demo.cycle).latest("pk")


def _approving(demo: DemoCycle, by: User) -> Callable[[], Any]:
    return lambda: actions.approve_release(_newest(demo), by=by)


def _releasing(demo: DemoCycle) -> Callable[[], Any]:
    def release() -> None:
        actions.release(_newest(demo))
        end_jobs()

    return release


def _acknowledge(past: _Past) -> None:
    results = ReleasedResult.objects.filter(participation__in=past.people).select_related(
        "participation__employee"
    )
    rows = []
    for number, result in enumerate(results):
        person = result.participation.employee
        note = "" if number % 7 else "Thank you. It says what we talked about over the year."
        rows.append(
            Acknowledgement(
                result=result,
                comment=note,
                by=past.user(person),
                at=past.company.some(person, 231 - number % 4),
            )
        )
    with written_later(Acknowledgement):
        Acknowledgement.objects.bulk_create(rows)


# --- rewards ---------------------------------------------------------------------------------------


def _hand_in_sheets(past: _Past) -> None:
    """Every manager hands the team in, and the one above approves it; HR accepts that nobody is above the chief."""
    company, run = past.company, rewards.run_of(past.demo)
    awards = Award.objects.filter(run=run).values_list("participation__employee", flat=True)
    managers = {company.line[pk][0].pk: company.line[pk][0] for pk in awards if company.line[pk]}
    rows = []
    for manager in managers.values():
        act = Approval.Act
        handed_in = company.some(manager, 228)
        rows.append(
            Approval(
                run=run, manager=manager, act=act.SUBMITTED, by=past.user(manager), at=handed_in
            )
        )
        above = company.manager_of(manager)
        if above is not None:
            rows.append(
                Approval(
                    run=run,
                    manager=manager,
                    act=act.APPROVED,
                    by=past.user(above),
                    at=company.some(above, 226),
                )
            )
    rows.sort(key=lambda row: row.at)
    with written_later(Approval):
        Approval.objects.bulk_create(rows)


def _approve_rewards(demo: DemoCycle, by: User) -> None:
    run = rewards.run_of(demo)
    left = {one.code: (one.count, WHY) for one in rewarding.left_of_approval(run, by)}
    rewarding.approve(run, accepted=left, version=run.version, by=by)


def _release_rewards(demo: DemoCycle, by: User) -> None:
    run = rewards.run_of(demo)
    left = {one.code: (one.count, WHY) for one in rewarding.left_of_release(run, by)}
    rewarding.request_release(run, accepted=left, version=run.version, by=by)
    run.refresh_from_db()
    rewarding.release(run, by=by)
    end_jobs()


# --- the end ---------------------------------------------------------------------------------------


def _evaluate(past: _Past) -> None:
    """Everybody's evaluation, signed by both; and the statements are read."""
    company, hours = past.company, past.company.hours
    statements = list(
        Statement.objects.filter(participation__in=past.people).select_related(
            "participation__employee"
        )
    )
    for number, statement in enumerate(statements):
        statement.acknowledged_at = company.some(statement.participation.employee, 220 - number % 5)
    Statement.objects.bulk_update(statements, ["acknowledged_at"])
    rows, points, steps, signatures = [], [], [], []
    for number, participation in enumerate(past.people):
        year, manager = past.years[participation.pk], past.manager(participation)
        shared, back = company.some(manager, 219 - number % 3), 215 - number % 3
        told = past.told if year.told else None
        # By the end of this year.
        text = text_of(year, number, (hours.back(120), hours.back(20)), told)
        row = Evaluation(
            participation=participation,
            author=manager,
            summary=text.summary,
            potential=text.potential,
            long_term_goal=text.long_term_goal,
            state="shared",
            saved_at=shared,
            shared_at=shared,
        )
        rows.append(row)
        points += [
            Point(
                evaluation=row,
                kind=p.kind,
                text=p.text,
                evidence_kind=p.evidence_kind,
                evidence_id=p.evidence_id,
                evidence_label=p.evidence_label,
                position=n,
            )
            for n, p in enumerate(text.points)
        ]
        for n, step in enumerate(text.steps):
            done = company.some(participation.employee, 122) if n == 0 and number % 3 else None
            steps.append(
                DevelopmentStep(
                    evaluation=row,
                    text=step.text,
                    due_on=step.due_on,
                    support=step.support,
                    position=n,
                    done_at=done,
                )
            )
        for side, signer, day in (
            ("manager", manager, back),
            ("employee", participation.employee, back - 2),
        ):
            signatures.append(
                Signature(evaluation=row, side=side, signer=signer, at=company.some(signer, day))
            )
    Evaluation.objects.bulk_create(rows)
    Point.objects.bulk_create(points)
    DevelopmentStep.objects.bulk_create(steps)
    with written_later(Signature):
        Signature.objects.bulk_create(signatures)
    signed = {one.evaluation_id: one.at for one in signatures if one.side == "employee"}
    whole = Evaluation.objects.filter(pk__in=signed).select_related(
        "participation__employee", "participation__cycle", "author"
    )
    found = list(whole.prefetch_related("points", "steps", "signatures__signer"))
    for row in found:
        row.snapshot = evaluating.snapshot_of(row)
        row.sha256 = fingerprint(row.snapshot)
        row.state, row.signed_at, row.version = "signed", signed[row.pk], 3
    Evaluation.objects.bulk_update(found, ["snapshot", "sha256", "state", "signed_at", "version"])


def _publish(demo: DemoCycle, by: User) -> None:
    row = CycleEvaluation.objects.get(cycle=demo.cycle)
    evaluating.publish(row, version=row.version, by=by)


def _close(demo: DemoCycle, by: User) -> None:
    left = {one.code: (one.count, WHY) for one in running.leftovers_of_cycle(demo.cycle, by)}
    demo.cycle.refresh_from_db()
    running.close(demo.cycle, accepted=left, version=demo.cycle.version, by=by)


def settle_mail(company: Company) -> None:
    """What was told more than a day ago has been mailed the morning after, and what is older was read."""
    old = Notice.objects.filter(created_at__lt=company.hours.at(1))
    mailed = Notice.objects.filter(pk=OuterRef("notice")).values(
        at=F("created_at") + timedelta(hours=16)
    )
    Delivery.objects.filter(notice__in=old, state=Delivery.State.PENDING).update(
        state=Delivery.State.SENT, sent_at=Subquery(mailed[:1])
    )
    unread = Notice.objects.filter(created_at__lt=company.hours.at(5), read_at__isnull=True)
    rows = list(unread.select_related("recipient__employee"))
    for row in rows:
        reader = row.recipient.employee
        zone = reader.zone if reader else HOME
        day = day_of(row.created_at, zone_of(zone) or UTC)
        # The next working day.
        row.read_at = company.hours.on(
            day + timedelta(days=3 if day.weekday() == FRIDAY else 1), 15 + row.pk % 90, zone
        )
    Notice.objects.bulk_update(rows, ["read_at"])
