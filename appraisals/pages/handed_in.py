"""An appraisal as it was handed in, and what a former manager had begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from appraisals.models import Answer, Appraisal, Rating, Submission
from appraisals.pages.said import Said, SectionRead, Told, Version, said_in, version_of
from appraisals.pages.writing import Team, author_words
from appraisals.why import why_tree
from pmcycle.cycles.models import Cycle, Participation, RatingLevel
from pmcycle.people.models import Employee


@dataclass(frozen=True)
class HandedIn:
    """The page of an appraisal that was handed in, for one of its readers."""

    appraisal: Appraisal
    part: Participation
    submissions: Sequence[Submission]
    rating: Rating | None
    may_return: bool
    may_cite: bool
    told: Sequence[Told]
    team: Team | None

    @property
    def person(self) -> Employee:
        return self.part.employee

    @property
    def cycle(self) -> Cycle:
        return self.part.cycle

    @property
    def title(self) -> str:
        return author_words(self.appraisal, self.person.name)

    @property
    def submission(self) -> Submission | None:
        """The version that counts."""
        return self.submissions[0] if self.submissions else None

    @property
    def sections(self) -> list[SectionRead]:
        return version_of(self.submission).sections if self.submission else []

    @property
    def earlier(self) -> list[Version]:
        return [version_of(row) for row in self.submissions[1:]]

    @property
    def readers(self) -> str:
        """Who reads this, and when."""
        if self.appraisal.kind == Appraisal.Kind.MANAGER:
            words = _(
                "The manager, the line above and HR of the unit read this now; %(name)s only once the result is"
                " released."
            )
        else:
            words = _(
                "%(name)s, the manager, the line above and HR of the unit read this. Every other reader is noted."
            )
        return words % {"name": self.person.name}

    @property
    def moved_from(self) -> str:
        """What the manager had proposed, where calibration moved it."""
        rating = self.rating
        if rating is None or rating.calibrated_id in (None, rating.proposed_id):
            return ""
        return rating.proposed.label

    @property
    def why(self) -> Mapping[str, object] | None:
        return why_tree(rating.trace) if (rating := self.rating) else None


@dataclass(frozen=True)
class DraftAnswer:
    """What was begun in answer to one question."""

    question: str
    goal: str
    said: Said


def draft_answers(answers: Sequence[Answer], levels: Sequence[RatingLevel]) -> list[DraftAnswer]:
    """Answers with their question and goal."""
    return [
        DraftAnswer(
            question=answer.question.text,
            goal=str(answer.goal.agreed or answer.goal.latest) if answer.goal else "",
            said=said_in(answer, answer.question.meanings(levels)) or Said(is_asked=False),
        )
        for answer in answers
    ]
