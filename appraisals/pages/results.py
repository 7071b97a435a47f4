"""A released result and a review of it, as their readers see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from appraisals.models import Acknowledgement, Appeal, CalibrationMove, ReleasedResult
from appraisals.pages.said import Said, said_of
from appraisals.why import why_tree
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.people.models import Employee, User

Snapshot = dict[str, Any]


def reading(snapshot: Snapshot) -> Snapshot:
    """A snapshot in reading order: summary, strengths and shortcomings first, then the rest, each with the own view.

    Own answers stand beside by question; those to questions that only the person answered come last.
    """
    manager, own = snapshot.get("manager") or {}, snapshot.get("self") or {}
    mine = {q["id"]: q for section in own.get("sections", []) for q in section["questions"]}
    named: dict[str, list[str]] = {"summary": [], "strengths": [], "shortcomings": []}
    sections = []
    for section in manager.get("sections", []):
        rows = []
        for question in section["questions"]:
            if question["kind"] == "results":
                continue
            if question["part"] in named:
                named[question["part"]] += [a["text"] for a in question["answers"] if a["text"]]
            rows.append({**question, "pairs": _pairs(question, mine.pop(question["id"], None))})
        sections.append({"title": section["title"], "questions": rows})
    left = [{**q, "pairs": _pairs(q, q)} for q in mine.values() if q["kind"] != "results"]
    return {**snapshot, **named, "sections": sections, "only_mine": left, "has_self": bool(own)}


def _pairs(question: Snapshot, own: Snapshot | None) -> list[Snapshot]:
    mine = own["answers"] if own else []
    found = {a["goal"]: a for a in mine}
    return [
        {"goal": a["goal"], "theirs": a, "mine": found.get(a["goal"])} for a in question["answers"]
    ]


@dataclass(frozen=True)
class Pair:
    """The manager's answer and the own view beside it; an answer that was not given is None."""

    goal: str
    theirs: Said | None
    mine: Said | None


@dataclass(frozen=True)
class QuestionShown:
    """A question of a result with its answers."""

    text: str
    pairs: list[Pair]


@dataclass(frozen=True)
class SectionShown:
    """A section of a result; what stands on top of the page already shows only the own view here."""

    title: str
    questions: list[QuestionShown]


def sections_of(content: Snapshot) -> list[SectionShown]:
    """The sections of a snapshot in reading order, without questions to which there is nothing to show."""
    sections = [SectionShown(s["title"], _questions(s["questions"])) for s in content["sections"]]
    return [section for section in sections if section.questions]


def _questions(rows: Iterable[Snapshot]) -> list[QuestionShown]:
    found = []
    for row in rows:
        pairs = [
            Pair(
                goal=pair["goal"],
                theirs=None if row["part"] else said_of(pair["theirs"]),
                mine=said_of(pair["mine"]) if pair["mine"] else None,
            )
            for pair in row["pairs"]
        ]
        pairs = [pair for pair in pairs if pair.theirs or pair.mine]
        if pairs:
            found.append(QuestionShown(row["text"], pairs))
    return found


@dataclass(frozen=True)
class Mention:
    """What was said that a rating rests on; its words only for who may read the conversation."""

    by: str
    at: datetime | None
    words: str


def mentions_of(snapshot: Snapshot, texts: Mapping[int, str]) -> list[Mention]:
    """The mentions that a snapshot cites, with the words that the reader may see."""
    return [
        Mention(row["by"], parse_datetime(row["said_at"]), texts.get(row["entry"], ""))
        for row in snapshot.get("mentions") or []
    ]


@dataclass(frozen=True)
class Calibrated:
    """That a rating was set in calibration; `moves` (who moved it and why) for those who may see the session."""

    moves: Sequence[CalibrationMove]

    @property
    def is_told(self) -> bool:
        return bool(self.moves)


@dataclass(frozen=True)
class ResultPage:
    """A result for one of its readers."""

    result: ReleasedResult
    content: Snapshot
    is_own: bool
    versions: Sequence[ReleasedResult]
    mentions: list[Mention]
    calibrated: Calibrated | None
    acknowledgement: Acknowledgement | None
    appeal: Appeal | None
    may_acknowledge: bool
    may_appeal: bool
    is_over: bool
    appeal_ends_on: date
    deciders: Sequence[User]
    thread: Mapping[str, object] | None

    @property
    def part(self) -> Participation:
        return self.result.participation

    @property
    def person(self) -> Employee:
        return self.part.employee

    @property
    def cycle(self) -> Cycle:
        return self.part.cycle

    @property
    def title(self) -> str:
        return (
            _("My result") if self.is_own else _("Result of %(name)s") % {"name": self.person.name}
        )

    @property
    def here(self) -> str:
        return self.title if self.is_own else self.person.name

    @property
    def own_view(self) -> str:
        """Whose view stands beside the manager's."""
        return _("My own view") if self.is_own else self.person.name

    @property
    def newest(self) -> ReleasedResult | None:
        """The version that counts, where that is another one."""
        return None if self.versions[0].pk == self.result.pk else self.versions[0]

    @property
    def earlier(self) -> list[ReleasedResult]:
        """All other versions."""
        return [row for row in self.versions if row.pk != self.result.pk]

    @property
    def sections(self) -> list[SectionShown]:
        return sections_of(self.content)

    @property
    def summary(self) -> str:
        return " ".join(self.content["summary"])

    @property
    def may_answer(self) -> bool:
        return self.may_acknowledge or self.may_appeal

    @property
    def leads_to_review(self) -> bool:
        """Whether this reader may open the review from here."""
        return self.appeal is not None and (self.is_own or self.appeal.decided_at is not None)

    @property
    def who_decides(self) -> str:
        """Who decides a review that is asked for."""
        if self.deciders:
            words = _(
                "One of these people decides; none of them had a part in the result: %(names)s."
            )
            return words % {"names": names_of(self.deciders)}
        return _("HR names somebody who had no part in the result to decide it.")

    @property
    def decided_by(self) -> str:
        """Who decides a review that was asked for; "" where nobody can yet."""
        if not self.deciders:
            return ""
        return _("Decided by one of: %(names)s") % {"names": names_of(self.deciders)}

    @property
    def why(self) -> Mapping[str, object] | None:
        trace = self.result.snapshot.get("trace")
        return why_tree(trace) if trace else None


def names_of(people: Iterable[User]) -> str:
    """Names in a row."""
    return ", ".join(person.name for person in people)


@dataclass(frozen=True)
class Review:
    """A review that was asked for."""

    appeal: Appeal
    summary: list[str]
    deciders: Sequence[User]

    @property
    def result(self) -> ReleasedResult:
        return self.appeal.result

    @property
    def person(self) -> Employee:
        return self.result.participation.employee

    @property
    def cycle(self) -> Cycle:
        return self.result.participation.cycle

    @property
    def who_decides(self) -> str:
        """Who decides it, for those who wait."""
        if not self.deciders:
            return _(
                "Nobody without a part in this result can decide it yet. HR needs a further HR admin."
            )
        words = _("Decided by somebody who had no part in the result: %(names)s.")
        return words % {"names": names_of(self.deciders)}
