"""Writing, handing in, returning and reopening an appraisal; and what a stage's opening creates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appraisals import rules
from appraisals.actions.shaping import freeze_form
from appraisals.actions.telling import account_of, tells
from appraisals.models import (
    Answer,
    Appraisal,
    Citation,
    Question,
    Rating,
    ReleasedResult,
    Return,
    Submission,
)
from feedback.models import Entry
from goals.actions import fix_results, free_results
from goals.models import Goal
from goals.rules import effective_weights
from pmcycle.activity.actions import Tell, insert_new, record, settle, settle_cycle
from pmcycle.cycles.actions import refuse_if_left, standing
from pmcycle.cycles.models import (
    Assignment,
    Cycle,
    Participation,
    RatingLevel,
    Stage,
    StageKind,
    due_day,
    open_today,
)
from pmcycle.cycles.rules import ENDED, LEFT, OPEN, PLANNED, day_to_rewrite, fault_of_rewriting
from pmcycle.errors import Invalid, Refused, Stale
from pmcycle.people.models import User


@dataclass(frozen=True)
class Value:
    """What was answered to one question (for one goal, where the question is about goals)."""

    text: str = ""
    level_id: int | None = None
    choice: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and self.level_id is None and not self.choice


Key = tuple[int, int | None]
Answers = Mapping[Key, Value]


class Unanswered(Invalid):
    """Required questions without an answer: `fields` maps the name of each field to its sentence."""

    def __init__(self, fields: dict[str, str]) -> None:
        name, reason = next(iter(fields.items()))
        super().__init__(name, reason)
        self.fields = fields


def field_name(question_id: int, goal_id: int | None = None) -> str:
    """How the answer to a question is called in form, conflict screen and API."""
    return f"q{question_id}" if goal_id is None else f"q{question_id}-g{goal_id}"


# --- opening the stage -----------------------------------------------------------------------------

OPEN_SELF = """
INSERT INTO appraisals_appraisal (participation_id, kind, author_id, form_version_id)
SELECT p.id, 'self', p.employee_id, f.form_version_id
FROM cycles_participation p JOIN appraisals_cycleform f ON f.cycle_id = p.cycle_id
WHERE p.cycle_id = %(cycle)s AND p.state = 'active' AND (%(only)s::bigint[] IS NULL OR p.id = ANY(%(only)s))
ON CONFLICT (participation_id, kind, author_id) DO NOTHING
"""
OPEN_MANAGER = """
INSERT INTO appraisals_appraisal (participation_id, kind, author_id, form_version_id)
SELECT p.id, 'manager', a.manager_id, f.form_version_id
FROM cycles_participation p
JOIN appraisals_cycleform f ON f.cycle_id = p.cycle_id
JOIN cycles_assignment a ON a.participation_id = p.id
  AND a.starts_on <= %(day)s AND (a.ends_on IS NULL OR a.ends_on >= %(day)s)
WHERE p.cycle_id = %(cycle)s AND p.state = 'active' AND (%(only)s::bigint[] IS NULL OR p.id = ANY(%(only)s))
ON CONFLICT (participation_id, kind, author_id) DO NOTHING
"""


def open_appraisals(cycle: Cycle, only: Sequence[int] | None = None) -> int:
    """A self-appraisal for everybody who takes part, a manager appraisal for every present assignment.

    Three statements whatever the size; called again it adds only what is new: late joiners, and the
    form of a manager who took over. The text of the one before stays with its author. `only` keeps to
    these participations. How many are new.
    """
    with transaction.atomic():
        freeze_form(cycle)
        with connection.cursor() as cursor:
            day = cycle.local_day(timezone.now())
            values: dict[str, Any] = {
                "cycle": cycle.pk,
                "day": day,
                "only": list(only) if only is not None else None,
            }
            cursor.execute(OPEN_SELF, values)
            made: int = cursor.rowcount
            cursor.execute(OPEN_MANAGER, values)
            return made + int(cursor.rowcount)


def open_appraisals_of(participation: Participation) -> None:
    """The forms that one person and their manager lack, when they get more time after the stage."""
    open_appraisals(participation.cycle, [participation.pk])


def open_missing() -> int:
    """Give everybody the form they lack: in each running cycle whose appraisal stage is open, and whoever
    has more time in one that is closed; how many cycles were looked at."""
    running = Cycle.objects.filter(state=Cycle.State.RUNNING)
    still_open = running.filter(stages__kind=StageKind.APPRAISAL, stages__state=Stage.State.OPEN)
    for cycle in still_open:
        with transaction.atomic():
            # Under its lock no stage closes between the look and the forms.
            Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
            if still_open.filter(pk=cycle.pk).exists() and open_appraisals(cycle):
                settle_cycle("opened_missing", cycle, by=None, apps=["appraisals"])
    late = list(
        Participation.objects.filter(open_today(StageKind.APPRAISAL))
        .exclude(cycle__in=still_open)
        .values_list("cycle", "pk", "employee")
    )
    for cycle in running.filter(pk__in={pk for pk, _part, _person in late}):
        with transaction.atomic():
            if open_appraisals(cycle, [part for pk, part, _person in late if pk == cycle.pk]):
                people = {person for pk, _part, person in late if pk == cycle.pk}
                settle("opened_missing", "appraisals", people, by=None)
    return len(still_open)


# --- writing ---------------------------------------------------------------------------------------


def _lock(appraisal: Appraisal) -> Appraisal:
    """The appraisal under its person's lock and its own: what opens it for them, and whether they
    have left, stands still while it is judged."""
    Participation.objects.select_for_update(no_key=True).only("pk").get(
        pk=appraisal.participation_id
    )
    return (
        Appraisal.objects.select_for_update(of=("self",))
        .select_related("participation__cycle", "participation__employee", "author")
        .get(pk=appraisal.pk)
    )


def _refuse_unless_writable(row: Appraisal) -> None:
    if row.submitted_at is not None:
        raise Refused(
            _("This appraisal is handed in. Ask HR to open it again if something must change.")
        )
    if row.kind == Appraisal.Kind.MANAGER and not _leads(row):
        raise Refused(
            _(
                "%(name)s has another manager in this cycle by now. What you wrote is kept for you to read."
            )
            % {"name": row.participation.employee.name}
        )
    if why := why_not_writable(row):
        raise Refused(why)


def _leads(row: Appraisal) -> bool:
    """Whether the author is the manager today; a transfer holds the person too, so it is before or after this."""
    current = Assignment.objects.current().filter(participation=row.participation_id)
    return current.filter(manager=row.author_id).exists()


def why_not_writable(row: Appraisal) -> str:
    """Why a draft cannot be written today, in the author's words; "" if it can.

    The person takes part, and the stage is open for them or the form was given back until a day that
    has not passed. `AppraisalQuerySet.writable` says the same for lists.
    """
    part = row.participation
    how = standing([part], StageKind.APPRAISAL)[part.pk]
    if how == OPEN:
        return ""
    if how == LEFT:
        return _("This person has left the cycle; the text stays as it is.")
    if how == ENDED:
        return _("This cycle is not running. What is written stays as it is.")
    back = row.returns.order_by("-number").first()
    until = back.open_until if back else None
    if until is not None and until >= part.cycle.local_day(timezone.now()):
        return ""
    if until is not None:
        return _(
            "This could be written until %(day)s. Ask HR for more time if you still need to write."
        ) % {"day": date_format(until)}
    if how == PLANNED:
        return _("The appraisal stage of this cycle has not opened yet.")
    return _("The appraisal stage is closed. Ask HR for more time if you still need to write.")


def _refuse_if_released(participation_id: int) -> None:
    if ReleasedResult.objects.filter(participation=participation_id).exists():
        raise Refused(_("The result is released. It changes only through a review."))


def _check_version(row: Appraisal, version: int | None, answers: Answers) -> None:
    if version == row.version:
        return
    saved = {(a.question_id, a.goal_id): a for a in row.answers.all()}
    questions = {question.pk: question for question in questions_of(row)}
    titles = {goal.pk: title_of(goal) for goal in goals_of(row.participation)}
    scale = RatingLevel.objects.filter(scale__cycle=row.participation.cycle_id)
    levels = {str(pk): label for pk, label in scale.values_list("pk", "label")}
    current: dict[str, Any] = {"level": row.level_id or ""}
    labels: dict[str, str] = {"level": _("The rating you propose")}
    choices: dict[str, Mapping[str, Any]] = {"level": levels}
    for question_id, goal_id in answers:
        name, question = field_name(question_id, goal_id), questions[question_id]
        found = saved.get((question_id, goal_id)) or Answer()
        labels[name] = question.text
        if goal_id is not None:
            labels[name] = titles[goal_id]
            current[f"{name}-text"] = found.text
            labels[f"{name}-text"] = _("What did you see?") + f" {titles[goal_id]}"
        if goal_id is not None or question.is_rated:
            current[name], choices[name] = found.level_id or "", levels
        elif question.kind == Question.Kind.TEXT:
            current[name] = found.text
        else:
            current[name], choices[name] = found.choice, question.options
    raise Stale(current, row.version, by=row.author.name, labels=labels, choices=choices)


def _write(
    row: Appraisal,
    answers: Answers,
    *,
    level_id: int | None,
    citations: Sequence[int] | None,
    by: User,
) -> None:
    """Put the answers down in one statement; nothing is ever removed, an emptied answer is kept empty."""
    now = timezone.now()
    Answer.objects.bulk_create(
        [
            Answer(
                appraisal=row,
                question_id=question,
                goal_id=goal,
                text=value.text,
                level_id=value.level_id,
                choice=value.choice,
                updated_at=now,
            )
            for (question, goal), value in answers.items()
        ],
        update_conflicts=True,
        unique_fields=["appraisal", "question", "goal"],
        update_fields=["text", "level", "choice", "updated_at"],
    )
    if row.kind == Appraisal.Kind.MANAGER:
        row.level_id = level_id
        if citations is not None:
            _cite(row, citations, by=by)
    row.saved_at = now
    row.version += 1


def _cite(row: Appraisal, entries: Sequence[int], *, by: User) -> None:
    """Name the conversation entries that the rating rests on: only of this person, only what `by` may read."""
    readable = set(
        Entry.objects.visible_to(by)
        .filter(pk__in=entries, conversation__participation=row.participation_id)
        .values_list("pk", flat=True)
    )
    if len(readable) != len(set(entries)):
        raise Invalid("citations", _("One of these conversation entries is not about this person."))
    row.citations.exclude(entry__in=readable).delete()
    insert_new(
        [Citation(appraisal=row, entry_id=pk) for pk in readable], "(appraisal_id, entry_id)"
    )


def autosave(
    appraisal: Appraisal,
    answers: Answers,
    *,
    level_id: int | None = None,
    citations: Sequence[int] | None = None,
    version: int | None,
    by: User,
) -> Appraisal:
    """Keep what the author has typed so far. A draft is nobody else's matter, so it leaves no event.

    Raises `Stale` with the saved texts if another tab saved meanwhile, `Refused` once it is handed in. Sent again
    because the answer was lost, it gets that answer.
    """
    with transaction.atomic():
        row = _lock(appraisal)
        _refuse_unless_writable(row)
        if version != row.version and _is_saved(row, answers, level_id, citations):
            return row
        _check_version(row, version, answers)
        _write(row, answers, level_id=level_id, citations=citations, by=by)
        row.save(update_fields=["level", "saved_at", "version"])
    return row


def _is_saved(
    row: Appraisal, answers: Answers, level_id: int | None, citations: Sequence[int] | None
) -> bool:
    """Whether exactly this is saved: the first answer was lost on its way, and the script asks again."""
    if row.saved_at is None or (row.kind == Appraisal.Kind.MANAGER and row.level_id != level_id):
        return False
    saved = {
        (a.question_id, a.goal_id): Value(a.text, a.level_id, a.choice) for a in row.answers.all()
    }
    if any(saved.get(key) != value for key, value in answers.items()):
        return False
    cited = set(row.citations.values_list("entry", flat=True))
    return row.kind != Appraisal.Kind.MANAGER or citations is None or cited == set(citations)


def cite(
    appraisal: Appraisal, entries: Sequence[int], *, version: int | None, by: User
) -> Appraisal:
    """Name what a rating rests on, also after handing in, until it is released (the way out of the gate)."""
    with transaction.atomic():
        row = _lock(appraisal)
        if row.participation.cycle.state != Cycle.State.RUNNING:
            raise Refused(_("This cycle is closed. Everything in it stays readable."))
        refuse_if_left(row.participation)
        _refuse_if_released(row.participation_id)
        _check_version(row, version, {})
        _cite(row, entries, by=by)
        row.version += 1
        row.save(update_fields=["version"])
        record("cited", row, by=by, about=row.participation.employee, count=len(set(entries)))
    return row


# --- handing in ------------------------------------------------------------------------------------


def submit(
    appraisal: Appraisal,
    answers: Answers,
    *,
    level_id: int | None = None,
    citations: Sequence[int] | None = None,
    version: int | None,
    by: User,
) -> Submission:
    """Hand the appraisal in as version n, with the answers as they are; a manager's also proposes the rating.

    Raises `Unanswered` with a sentence for every required question that is still empty, `Refused` for a
    second hand-in, `Stale` if another tab saved meanwhile. With the manager's, the measured results of the
    goals are fixed with the day, so that score, rewards and the page of goals go on to read the same figures.
    """
    with transaction.atomic():
        row = _lock(appraisal)
        _refuse_unless_writable(row)
        _refuse_if_released(row.participation_id)
        _check_version(row, version, answers)
        _write(row, answers, level_id=level_id, citations=citations, by=by)
        questions = list(questions_of(row))
        if row.kind == Appraisal.Kind.MANAGER:
            fix_results(row.participation)
        goals = list(goals_of(row.participation))
        _refuse_unless_complete(row, questions, goals, answers)
        row.submitted_at = row.saved_at
        row.save(update_fields=["level", "saved_at", "submitted_at", "version"])
        content = content_of(row, questions, goals)
        submission = Submission.objects.create(
            appraisal=row, number=row.submissions.count() + 1, answers=content, by=by
        )
        if row.kind == Appraisal.Kind.MANAGER:
            _propose(row, questions, goals)
        record(
            "submitted",
            row,
            by=by,
            about=row.participation.employee,
            number=submission.number,
            sha256=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
            notify=_tell_manager(row, submission.number) if row.kind == Appraisal.Kind.SELF else (),
        )
    return submission


def questions_of(row: Appraisal) -> Any:
    """The questions that this author answers, in their order; measured results are answered by nobody."""
    rows = Question.objects.filter(section__form_version=row.form_version_id).select_related(
        "section"
    )
    mine = (
        rows.filter(for_self=True)
        if row.kind == Appraisal.Kind.SELF
        else rows.filter(for_manager=True)
    )
    return mine.order_by("section__position", "position")


def goals_of(participation: Participation) -> Any:
    """The agreed goals of the cycle that an appraisal rates, with the version in force."""
    return (
        Goal.objects.rated()
        .filter(participation=participation)
        .select_related("agreed")
        .order_by("pk")
    )


def _refuse_unless_complete(
    row: Appraisal, questions: Sequence[Question], goals: Sequence[Goal], answers: Answers
) -> None:
    lacking: dict[str, str] = {}
    for question in questions:
        if not question.is_required or question.kind == Question.Kind.RESULTS:
            continue
        if question.kind == Question.Kind.GOALS:
            for goal in goals:
                if answers.get((question.pk, goal.pk), Value()).level_id is None:
                    lacking[field_name(question.pk, goal.pk)] = _(
                        "How far was “%(goal)s” reached?"
                    ) % {"goal": goal.agreed.title if goal.agreed else ""}
        elif answers.get((question.pk, None), Value()).is_empty:
            lacking[field_name(question.pk)] = _("“%(question)s” still needs an answer.") % {
                "question": question.text
            }
    if row.kind == Appraisal.Kind.MANAGER and row.level_id is None:
        lacking["level"] = _("Propose a rating before you hand this in.")
    if lacking:
        raise Unanswered(lacking)


def _tell_manager(row: Appraisal, number: int) -> list[Tell]:
    managers = User.objects.filter(
        is_active=True,
        employee__in=Appraisal.objects.filter(
            participation=row.participation_id, kind=Appraisal.Kind.MANAGER
        ).values("author"),
    )
    title = _("%(name)s has handed in the self-appraisal") % {
        "name": row.participation.employee.name
    }
    key = f"appraisal:{row.pk}:submitted:{number}"
    return tells(managers, title, reverse("appraisals:list"), key, kind="submitted")


def content_of(
    row: Appraisal,
    questions: Sequence[Question],
    goals: Sequence[Goal],
    saved: Mapping[Key, Answer] | None = None,
    levels: Sequence[RatingLevel] | None = None,
) -> dict[str, Any]:
    """What was handed in, complete in itself: titles, questions, words and levels, so that it can be read alone.

    `saved` are its answers with their levels, where they were read with those of others (`saved_answers`);
    `levels` are those of the cycle, where they were read already.
    """
    saved = _answers_of(row) if saved is None else saved
    levels = _levels_of(row) if levels is None else levels
    day = row.participation.cycle.local_day(row.submitted_at or timezone.now())
    sections: dict[int, dict[str, Any]] = {}
    for question in questions:
        meanings = question.meanings(levels)
        section = sections.setdefault(
            question.section_id,
            {
                "title": question.section.title,
                "weight": str(question.section.weight),
                "questions": [],
            },
        )
        of_goals = question.kind in (Question.Kind.GOALS, Question.Kind.RESULTS)
        wanted: list[Goal | None] = list(goals) if of_goals else [None]
        answers = []
        for goal in wanted:
            found = saved.get((question.pk, goal.pk if goal else None))
            answers.append(
                {
                    "goal": goal.agreed.title if goal and goal.agreed else "",
                    "text": found.text if found else "",
                    "choice": found.choice if found else "",
                    "level": found.level.label if found and found.level else "",
                    "meaning": meanings.get(found.level_id or 0, "") if found else "",
                    **(_reading(goal, day) if goal else {}),
                }
            )
        section["questions"].append(
            {
                "id": question.pk,
                "kind": question.kind,
                "part": question.part,
                "text": question.text,
                "answers": answers,
            }
        )
    return {"author": row.author.name, "kind": row.kind, "sections": list(sections.values())}


# --- the proposed rating and its score -------------------------------------------------------------


def _propose(row: Appraisal, questions: Sequence[Question], goals: Sequence[Goal]) -> None:
    """Write the manager's proposal and the score of what was written. A calibrated level stays as it is."""
    if row.level is None:
        raise Invalid("level", _("Propose a rating before you hand this in."))
    trace = score_of(row, questions, goals)
    value = rules.recompute(trace)
    rating = Rating.objects.select_for_update().filter(participation=row.participation_id).first()
    if rating is None:
        Rating.objects.create(
            participation=row.participation,
            proposed=row.level,
            proposed_by=row.author,
            score=value,
            trace=trace,
        )
        return
    rating.proposed, rating.proposed_by = row.level, row.author
    rating.score, rating.trace = value, trace
    rating.version += 1
    rating.save(update_fields=["proposed", "proposed_by", "score", "trace", "version"])


def score_of(
    row: Appraisal,
    questions: Sequence[Question],
    goals: Sequence[Goal],
    saved: Mapping[Key, Answer] | None = None,
    levels: Sequence[RatingLevel] | None = None,
) -> dict[str, Any]:
    """The tree of the score: sections by their weight, in each its scored questions by theirs.

    A goal counts by its agreed weight, the heaviest with what rounding has left of 100. A measured result
    stands on the scale by `rules.on_scale`; the tree says what was measured, on which day and by which rule.
    `saved` and `levels` as in `content_of`.
    """
    cycle = row.participation.cycle
    saved = _answers_of(row) if saved is None else saved
    levels = _levels_of(row) if levels is None else levels
    chosen = {key: answer.level for key, answer in saved.items()}
    return rules.evaluate(tree_of(cycle, questions, goals, levels, chosen), cycle.missing_part)


def tree_of(
    cycle: Cycle,
    questions: Sequence[Question],
    goals: Sequence[Goal],
    levels: Sequence[RatingLevel],
    chosen: Mapping[Key, RatingLevel | None],
) -> rules.Node:
    """The tree of a score over the levels that are `chosen`: what is handed in, or what is written by now."""
    day = cycle.local_day(timezone.now())
    shares = dict(
        zip([g.pk for g in goals], effective_weights([_weight(g) for g in goals]), strict=True)
    )
    steps = steps_of(levels)
    sections: dict[int, list[Question]] = {}
    for question in questions:
        if (
            question.kind in rules.SCORED_KINDS
            and question.weight > 0
            and question.section.weight > 0
        ):
            sections.setdefault(question.section_id, []).append(question)

    def leaf(label: str, weight: Decimal, key: Key, facts: Mapping[str, Any]) -> rules.Node:
        level = chosen.get(key)
        value, note = (level.value, level.label) if level else (None, "")
        return rules.Node(label, weight, value, note=note, facts=facts)

    def node(question: Question) -> rules.Node:
        if question.kind == Question.Kind.GOALS:
            parts = tuple(
                leaf(title_of(g), shares[g.pk], (question.pk, g.pk), _reading(g, day))
                for g in goals
            )
            return rules.Node(question.text, question.weight, parts=parts)
        if question.kind == Question.Kind.RESULTS:
            parts = tuple(_measured(g, shares[g.pk], steps, cycle.progress_cap, day) for g in goals)
            return rules.Node(
                question.text,
                question.weight,
                parts=parts,
                facts=rules.scale_facts(steps, cycle.progress_cap),
            )
        return leaf(question.text, question.weight, (question.pk, None), {})

    parts = tuple(
        rules.Node(
            found[0].section.title, found[0].section.weight, parts=tuple(node(q) for q in found)
        )
        for found in sections.values()
    )
    return rules.Node(_("Score"), rules.HUNDRED, parts=parts)


def steps_of(levels: Sequence[RatingLevel]) -> list[tuple[Decimal, bool]]:
    """The scale as `rules.on_scale` reads it: value and whether it is below expectations, the lowest first."""
    return [
        (level.value, level.needs_mention) for level in sorted(levels, key=lambda one: one.value)
    ]


def _answers_of(row: Appraisal) -> dict[Key, Answer]:
    return {(a.question_id, a.goal_id): a for a in row.answers.select_related("level")}


def _levels_of(row: Appraisal) -> list[RatingLevel]:
    return list(RatingLevel.objects.filter(scale__cycle=row.participation.cycle_id))


def title_of(goal: Goal) -> str:
    """What a goal is called on the form: by its wording in force."""
    return goal.agreed.title if goal.agreed else str(goal)


def _weight(goal: Goal) -> Decimal:
    return goal.agreed.weight if goal.agreed and goal.agreed.weight is not None else Decimal(0)


def _measured(
    goal: Goal, weight: Decimal, steps: Sequence[tuple[Decimal, bool]], cap: Decimal, day: date
) -> rules.Node:
    facts = _reading(goal, day)
    if goal.result is None or not steps:
        return rules.Node(title_of(goal), weight, facts=facts)
    return rules.Node(title_of(goal), weight, rules.on_scale(goal.result, steps, cap), facts=facts)


def _reading(goal: Goal, day: date) -> dict[str, Any]:
    """What was measured of a goal and when: on the day its result was fixed, or on `day` while it moves."""
    return {
        "measured": None if goal.result is None else str(goal.result),
        "measured_on": (goal.measured_on or day).isoformat(),
    }


# --- back to the author ----------------------------------------------------------------------------


def return_for_rework(
    appraisal: Appraisal, why: str, *, until: date | None = None, version: int | None, by: User
) -> Return:
    """Send a submitted appraisal back with a reason; what was handed in stays as version n.

    It can be written until the day named, whatever becomes of the stage; without one for a week, or as
    long as the stage gives.
    """
    return _give_back(appraisal, why, Return.Kind.RETURNED, until=until, version=version, by=by)


def reopen(
    appraisal: Appraisal, why: str, *, until: date | None = None, version: int | None, by: User
) -> Return:
    """Open one person's form again with a reason, when the author asked for it; version n stays.

    Until when is as in `return_for_rework`.
    """
    return _give_back(appraisal, why, Return.Kind.REOPENED, until=until, version=version, by=by)


def _give_back(
    appraisal: Appraisal, why: str, kind: str, *, until: date | None, version: int | None, by: User
) -> Return:
    if not why.strip():
        raise Invalid("why", _("Say why it goes back; the author reads it."))
    with transaction.atomic():
        row = _lock(appraisal)
        if row.submitted_at is None:
            raise Refused(_("This appraisal is with its author already."))
        part = row.participation
        if part.state != Participation.State.ACTIVE:
            raise Refused(_("This person has left the cycle; the text stays as it is."))
        if part.cycle.state != Cycle.State.RUNNING:
            raise Refused(_("This cycle is not running. What is written stays as it is."))
        _refuse_if_released(row.participation_id)
        _check_version(row, version, {})
        today = part.cycle.local_day(timezone.now())
        until = until or default_day(row)
        if fault := fault_of_rewriting(until, today):
            raise Invalid("until", fault)
        number = row.submissions.count()
        back = Return.objects.create(
            appraisal=row, kind=kind, number=number, why=why.strip(), open_until=until, by=by
        )
        row.submitted_at = None
        row.version += 1
        row.save(update_fields=["submitted_at", "version"])
        if Rating.objects.filter(
            participation=row.participation_id, proposed_by=row.author_id
        ).exists():
            free_results(row.participation)
        told = tells(
            account_of(row.author_id),
            _("An appraisal came back to you"),
            reverse("appraisals:write", args=[row.pk]),
            f"appraisal:{row.pk}:{kind}:{number}",
            kind="returned",
        )
        record(
            kind,
            row,
            by=by,
            about=part.employee,
            number=number,
            until=until.isoformat(),
            notify=told,
        )
    return back


def default_day(appraisal: Appraisal) -> date:
    """Until when an appraisal that goes back can be written, if nobody names a day."""
    part = appraisal.participation
    due = (
        Participation.objects.filter(pk=part.pk)
        .values_list(due_day(StageKind.APPRAISAL), flat=True)
        .get()
    )
    return day_to_rewrite(due, part.cycle.local_day(timezone.now()))


def saved_answers(rows: Iterable[Appraisal]) -> dict[int, dict[Key, Answer]]:
    """The answers of several appraisals in one statement, by appraisal and question."""
    found: dict[int, dict[Key, Answer]] = {}
    for answer in Answer.objects.filter(appraisal__in=[row.pk for row in rows]).select_related(
        "level"
    ):
        found.setdefault(answer.appraisal_id, {})[(answer.question_id, answer.goal_id)] = answer
    return found


__all__ = [
    "Answers",
    "Key",
    "Unanswered",
    "Value",
    "autosave",
    "cite",
    "content_of",
    "default_day",
    "field_name",
    "goals_of",
    "open_appraisals",
    "open_appraisals_of",
    "open_missing",
    "questions_of",
    "reopen",
    "return_for_rework",
    "saved_answers",
    "score_of",
    "steps_of",
    "submit",
    "tree_of",
    "why_not_writable",
]
