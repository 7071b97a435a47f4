"""Ratings side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from appraisals import rules
from appraisals.models import CalibrationSession, Rating
from pmcycle.cycles.models import Cycle, RatingLevel
from pmcycle.people.models import Unit
from pmcycle.ui.formats import number_text


def whose(units: Iterable[Unit]) -> str:
    """Whose ratings a session looks at."""
    return ", ".join(unit.name for unit in units) or _("whole cycle")


@dataclass(frozen=True)
class SessionLine:
    """A session in the list of a cycle, with the number of its moves."""

    session: CalibrationSession
    whose: str
    moves: int


@dataclass(frozen=True)
class Case:
    """One rating as a card."""

    pk: int
    name: str
    job: str
    level_id: int
    proposed: str
    moved_from: str
    contradicts: bool
    score: Decimal | None
    proposed_by: str
    last_reason: str
    is_released: bool
    may_move: bool
    is_chosen: bool

    @property
    def story(self) -> str:
        """What was proposed, what the answers score and why it was moved last."""
        words = [
            _("%(manager)s proposed “%(proposed)s”.")
            % {"manager": self.proposed_by, "proposed": self.proposed}
        ]
        if self.score is not None:
            words.append(_("The answers score %(score)s.") % {"score": number_text(self.score, 2)})
        if self.last_reason:
            words.append(_("Last moved because: %(reason)s") % {"reason": self.last_reason})
        return " ".join(words)


def case_of(rating: Any, *, is_open: bool, chosen: int) -> Case:
    """A rating with its person, levels and the columns `may_move`, `is_released` and `last_reason`."""
    part = rating.participation
    is_moved = rating.calibrated_id not in (None, rating.proposed_id)
    may_move = is_open and rating.may_move and not rating.is_released
    return Case(
        pk=rating.pk,
        name=part.employee.name,
        job=" · ".join(
            words for words in (part.job_title, part.unit.name if part.unit else "") if words
        ),
        level_id=rating.level_id,
        proposed=rating.proposed.label,
        moved_from=rating.proposed.label if is_moved else "",
        contradicts=rules.contradicts(rating.score, rating.level.value),
        score=rating.score,
        proposed_by=rating.proposed_by.name,
        last_reason=rating.last_reason or "",
        is_released=rating.is_released,
        may_move=may_move,
        is_chosen=may_move and rating.pk == chosen,
    )


@dataclass(frozen=True)
class Column:
    """One level with the ratings that stand there now."""

    level: RatingLevel
    cases: list[Case]


@dataclass(frozen=True)
class Board:
    """The ratings of a session. `distribution` is (label, before, after), `strictness` (manager, mean proposed)."""

    session: CalibrationSession
    whose: str
    is_open: bool
    columns: list[Column]
    distribution: list[tuple[str, int, int]]
    strictness: list[tuple[str, Decimal]]
    low: Decimal
    high: Decimal
    moved: int
    chosen: Case | None

    @property
    def cycle(self) -> Cycle:
        return self.session.cycle


def board_of(
    session: CalibrationSession,
    levels: Sequence[RatingLevel],
    ratings: Sequence[Any],
    *,
    is_open: bool,
    chosen: int,
) -> Board:
    """The board over the ratings that the reader may see; no columns where there is no rating."""
    cases = [case_of(rating, is_open=is_open, chosen=chosen) for rating in ratings]
    columns = [
        Column(level, [case for case in cases if case.level_id == level.pk]) for level in levels
    ]
    values = [level.value for level in levels]
    return Board(
        session=session,
        whose=whose(session.units.all()),
        is_open=is_open,
        columns=columns if cases else [],
        distribution=_distribution(levels, ratings),
        strictness=_strictness(ratings),
        low=min(values, default=Decimal(0)),
        high=max(values, default=Decimal(1)),
        moved=sum(bool(case.moved_from) for case in cases),
        chosen=next((case for case in cases if case.is_chosen), None),
    )


def _distribution(
    levels: Sequence[RatingLevel], ratings: Sequence[Rating]
) -> list[tuple[str, int, int]]:
    return [
        (
            level.label,
            sum(r.proposed_id == level.pk for r in ratings),
            sum(r.level_id == level.pk for r in ratings),
        )
        for level in levels
    ]


def _strictness(ratings: Sequence[Rating]) -> list[tuple[str, Decimal]]:
    """The mean of what each manager proposed, for managers with at least two ratings here."""
    given: dict[str, list[Decimal]] = defaultdict(list)
    for rating in ratings:
        given[rating.proposed_by.name].append(rating.proposed.value)
    means = [
        (name, sum(values, Decimal(0)) / len(values))
        for name, values in given.items()
        if len(values) > 1
    ]
    return sorted(means, key=lambda row: row[1])
