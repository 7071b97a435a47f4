"""What somebody answered and handed in, as pages show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from appraisals.models import Answer, Question, Submission
from appraisals.rules import Mention, by_month, was_mentioned
from appraisals.why import measured_words
from pmcycle.cycles.models import Participation

# What JSON or a statement keeps of something, by name.
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """The answer to one question; `meaning` is what the chosen level stands for there."""

    level: str = ""
    meaning: str = ""
    choice: str = ""
    text: str = ""
    goal: str = ""
    reading: str = ""
    is_asked: bool = True

    @property
    def is_empty(self) -> bool:
        """Nothing was answered to something that asked for it."""
        return self.is_asked and not (self.level or self.choice or self.text)


def choice_words(value: str) -> str:
    """A choice in the reader's language: yes and no are kept as keys, all others as their words."""
    return {"yes": _("Yes"), "no": _("No")}.get(value, value)


def said_of(row: Row, kind: str = "") -> Said:
    """An answer as a submission keeps it; measured results are asked of nobody."""
    return Said(
        level=row["level"],
        meaning=row["meaning"],
        choice=choice_words(row["choice"]),
        text=row["text"],
        goal=row["goal"],
        reading=measured_words(row),
        is_asked=kind != Question.Kind.RESULTS,
    )


def said_in(answer: Answer | None, meanings: Mapping[int, str]) -> Said | None:
    """A saved answer, with what its level means there; None where nothing was written."""
    if answer is None:
        return None
    said = Said(
        level=answer.level.label if answer.level else "",
        meaning=meanings.get(answer.level_id or 0, ""),
        choice=choice_words(answer.choice),
        text=answer.text,
    )
    return None if said.is_empty else said


@dataclass(frozen=True)
class QuestionRead:
    """A question with what was answered to it, once for each goal where it is about goals."""

    text: str
    answers: list[Said]


@dataclass(frozen=True)
class SectionRead:
    """A section of a form that was handed in."""

    title: str
    questions: list[QuestionRead]


@dataclass(frozen=True)
class Version:
    """One version as it was handed in."""

    title: str
    sections: list[SectionRead]


def version_of(submission: Submission) -> Version:
    """What was handed in at one time, to read."""
    title = _("Version %(number)s, as it was handed in before") % {"number": submission.number}
    return Version(
        title,
        [
            SectionRead(
                section["title"],
                [
                    QuestionRead(q["text"], [said_of(row, q["kind"]) for row in q["answers"]])
                    for q in section["questions"]
                ],
            )
            for section in submission.answers["sections"]
        ],
    )


# --- the year -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """A conversation entry that a rating may rest on; `is_early` if the person heard it in time."""

    entry: int
    who: str
    day: date
    at: datetime
    body: str
    is_cited: bool
    is_early: bool


@dataclass(frozen=True)
class Year:
    """The year's evidence by month, and what was said in it."""

    months: list[dict[str, object]]
    count: int
    told: list[Told]

    @property
    def is_heard(self) -> bool:
        """Something cited was said in time, so that a low rating is no news."""
        return any(row.is_cited and row.is_early for row in self.told)


def year_of(
    rows: Iterable[tuple[Any, ...]], part: Participation, cited: Iterable[int], today: date
) -> Year:
    """The evidence of `appraisals.models.evidence_for`, its entries judged by the rule of the first mention.

    `today` is the day in the zone of the cycle.
    """
    names = ("kind", "at", "title", "body", "who", "row")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    chosen = set(cited)
    told = []
    for row in found:
        row["day"] = part.cycle.local_day(row["at"])
        if row["kind"] == "entry":
            told.append(_told(row, part, is_cited=row["row"] in chosen, today=today))
    return Year(by_month(found), len(found), told)


def _told(row: Row, part: Participation, *, is_cited: bool, today: date) -> Told:
    by = part.employee_id if row["who"] == part.employee.name else 0
    is_early = was_mentioned(
        [Mention(row["day"], by)], part.employee_id, today, part.cycle.mention_days
    )
    return Told(row["row"], row["who"], row["day"], row["at"], row["body"], is_cited, is_early)
