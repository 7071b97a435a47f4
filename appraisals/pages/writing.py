"""The sheet on which an appraisal is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appraisals import rules
from appraisals.actions import Key, field_name, steps_of, tree_of
from appraisals.forms import AnswersForm
from appraisals.models import Answer, Appraisal, Question, Section
from appraisals.pages.said import Row, Said, Year, said_in
from goals.models import Goal
from pmcycle.cycles.models import Cycle, Participation, RatingLevel
from pmcycle.people.models import Employee
from pmcycle.ui.formats import number_text, percent_number

Chosen = Mapping[Key, RatingLevel | None]


@dataclass(frozen=True)
class GoalRow:
    """One goal to rate: how far it is, the fields, and what the person wrote."""

    goal: Goal
    level: BoundField
    text: BoundField
    theirs: Said | None
    warning: str

    @property
    def weight(self) -> Decimal | None:
        return self.goal.agreed.weight if self.goal.agreed else None

    @property
    def name(self) -> str:
        """The name of the field, which the script that follows the typing knows it by."""
        return self.level.html_name


@dataclass(frozen=True)
class QuestionRow:
    """One question to answer. `shape` is goals, results, rating, text or choice."""

    question: Question
    shape: str
    meanings: Mapping[str, str]
    field: BoundField | None = None
    goals: Sequence[GoalRow] = ()
    theirs: Said | None = None


@dataclass(frozen=True)
class SheetPart:
    """A section of the form with its questions."""

    section: Section
    rows: list[QuestionRow]


def parts_of(
    form: AnswersForm,
    levels: Sequence[RatingLevel],
    theirs: Mapping[Key, Answer] | None = None,
    warnings: Mapping[str, str] | None = None,
) -> list[SheetPart]:
    """The questions of a form by section; beside each the other side's answer where it is open (`theirs`)."""
    parts: dict[int, SheetPart] = {}
    for question in form.questions:
        part = parts.setdefault(question.section_id, SheetPart(question.section, []))
        part.rows.append(
            _row(form, question, question.meanings(levels), theirs or {}, warnings or {})
        )
    return list(parts.values())


def _row(
    form: AnswersForm,
    question: Question,
    meanings: dict[int, str],
    theirs: Mapping[Key, Answer],
    warnings: Mapping[str, str],
) -> QuestionRow:
    words = {str(pk): meaning for pk, meaning in meanings.items()}
    if question.kind in (Question.Kind.GOALS, Question.Kind.RESULTS):
        rows = []
        for goal in form.goals:
            name = field_name(question.pk, goal.pk)
            own = said_in(theirs.get((question.pk, goal.pk)), meanings)
            if question.kind == Question.Kind.GOALS:
                rows.append(
                    GoalRow(goal, form[name], form[f"{name}-text"], own, warnings.get(name, ""))
                )
        return QuestionRow(question, question.kind, words, goals=rows)
    shape = "choice"
    if question.is_rated:
        shape = "rating"
    elif question.kind == Question.Kind.TEXT:
        shape = "text"
    own = said_in(theirs.get((question.pk, None)), meanings)
    return QuestionRow(question, shape, words, field=form[field_name(question.pk)], theirs=own)


# --- the score while it is written ----------------------------------------------------------------


@dataclass(frozen=True)
class Running:
    """What the answers score by now, and where a rating and what was measured contradict each other.

    `warnings` are sentences by the name of the field; that of the rating itself is `level`.
    """

    words: str
    warnings: Mapping[str, str]

    @property
    def warning(self) -> str:
        """What speaks against the rating that is proposed."""
        return self.warnings.get("level", "")


def running_of(
    cycle: Cycle,
    questions: Sequence[Question],
    goals: Sequence[Goal],
    levels: Sequence[RatingLevel],
    chosen: Chosen,
    proposed: RatingLevel | None,
) -> Running:
    """The running score over what is chosen, and the contradictions in it. No statement."""
    score = rules.so_far(tree_of(cycle, questions, goals, levels, chosen))
    warnings = _contradictions(cycle, goals, levels, chosen)
    if proposed is not None and rules.contradicts(score.value, proposed.value):
        warnings["level"] = _(
            "The answers score %(score)s, and you propose “%(level)s”. Look again, or say in your words why."
        ) % {"score": number_text(score.value, 2), "level": proposed.label}
    return Running(_score_words(score), warnings)


def _contradictions(
    cycle: Cycle, goals: Sequence[Goal], levels: Sequence[RatingLevel], chosen: Chosen
) -> dict[str, str]:
    """Goals that were rated more than a step away from where their measured result stands on the scale."""
    by_pk = {goal.pk: goal for goal in goals}
    found = {}
    for (question, goal_pk), level in chosen.items():
        goal = by_pk.get(goal_pk or 0)
        if level is None or goal is None or goal.result is None:
            continue
        if rules.contradicts(
            rules.on_scale(goal.result, steps_of(levels), cycle.progress_cap), level.value
        ):
            found[field_name(question, goal.pk)] = _(
                "%(percent)s %% was measured, and you rate it “%(level)s”. Look again, or say what the figure"
                " does not show."
            ) % {"percent": percent_number(goal.result), "level": level.label}
    return found


def _score_words(score: rules.SoFar) -> str:
    """ "3.20 from 2 of 5 ratings"; what is missing where nothing is rated yet."""
    if score.value is None:
        return _("no rating yet")
    words = ngettext(
        "%(score)s from %(n)s of %(total)s rating",
        "%(score)s from %(n)s of %(total)s ratings",
        score.total,
    )
    return words % {"score": number_text(score.value, 2), "n": score.rated, "total": score.total}


# --- the manager's list ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Neighbour:
    """Somebody else on the manager's list, by the appraisal about them."""

    pk: int
    name: str


@dataclass(frozen=True)
class Team:
    """Where a person stands among those whom the manager appraises.

    `previous` and `following` are the neighbours on the list, `unsent` the next whose appraisal can still be written.
    """

    words: str
    previous: Neighbour | None
    following: Neighbour | None
    unsent: Neighbour | None


def team_of(rows: Sequence[Row], pk: int) -> Team:
    """The team around the appraisal `pk`; `rows` have pk, name, submitted_at and is_open, by name."""
    people = [Neighbour(row["pk"], row["name"]) for row in rows]
    at = next((n for n, one in enumerate(people) if one.pk == pk), 0)
    after = [*range(at + 1, len(rows)), *range(at)]
    sent = sum(row["submitted_at"] is not None for row in rows)
    words = _("%(place)s of %(total)s · %(sent)s handed in")
    return Team(
        words=words % {"place": at + 1, "total": len(rows), "sent": sent},
        previous=people[at - 1] if at > 0 else None,
        following=people[at + 1] if at + 1 < len(people) else None,
        unsent=next((people[n] for n in after if rows[n]["is_open"]), None),
    )


# --- the sheet ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheet:
    """Everything on the page on which one person's appraisal is written."""

    appraisal: Any
    part: Participation
    is_manager: bool
    form: AnswersForm
    parts: list[SheetPart]
    levels: Sequence[RatingLevel]
    year: Year
    running: Running
    closed: str
    is_self_open: bool
    team: Team | None
    thread: Mapping[str, object] | None

    @property
    def person(self) -> Employee:
        return self.part.employee

    @property
    def cycle(self) -> Cycle:
        return self.part.cycle

    @property
    def title(self) -> str:
        if self.is_manager:
            return _("Appraisal of %(name)s") % {"name": self.person.name}
        return _("My self-appraisal")

    @property
    def here(self) -> str:
        return self.person.name if self.is_manager else self.title

    @property
    def due(self) -> date | None:
        """Until when it can be written; none where that is over."""
        due_on: date | None = self.appraisal.due_on
        return None if self.closed else due_on

    @property
    def may_rewrite(self) -> bool:
        """It came back, and has a day of its own until when it can be written."""
        return bool(self.appraisal.back_until) and not self.closed

    @property
    def readers(self) -> str:
        """Who reads this, and when."""
        if self.is_manager:
            return _(
                "A draft is yours alone. Once handed in, your manager and HR read it; %(name)s reads it only when the"
                " result is released."
            ) % {"name": self.person.name}
        return _(
            "A draft is yours alone. Once handed in, your manager, the line above and HR of your unit can read it."
        )

    @property
    def once_handed_in(self) -> str:
        """What handing in opens to whom, beside its button."""
        if self.is_manager:
            return _(
                "%(name)s sees nothing of this before the release. Your manager and HR see it when you hand it in."
            ) % {"name": self.person.name}
        if self.cycle.self_opens_after_draft:
            return _(
                "Your manager sees all of it from the moment you hand it in and they have begun their own."
            )
        return _("Your manager sees all of it from the moment you hand it in.")

    @property
    def why_self_waits(self) -> str:
        """Why the self-appraisal is not shown beside; "" where it is, or where there is none to wait for."""
        if not self.is_manager or self.is_self_open:
            return ""
        if self.cycle.self_opens_after_draft:
            return _(
                "What %(name)s wrote opens once it is handed in and you have saved something of your own, so that your"
                " view is yours."
            ) % {"name": self.person.name}
        return _("%(name)s has not handed it in yet.") % {"name": self.person.name}

    @property
    def low_levels(self) -> str:
        """The keys of the levels that need a mention, as the script reads them."""
        return ",".join(str(level.pk) for level in self.levels if level.needs_mention)

    @property
    def is_gated(self) -> bool:
        """Whether the page asks what the rating rests on: it is low, or something is cited already."""
        is_low = any(
            level.needs_mention and level.pk == self.appraisal.level_id for level in self.levels
        )
        return is_low or bool(self.appraisal.cited)


def author_words(appraisal: Appraisal, name: str) -> str:
    """The heading of an appraisal that was handed in."""
    if appraisal.kind == Appraisal.Kind.MANAGER:
        return _("Appraisal of %(name)s") % {"name": name}
    return _("Self-appraisal of %(name)s") % {"name": name}
