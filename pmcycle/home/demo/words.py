"""What is written about a year in the demo company: it names the goals, what was measured, and what was said before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from goals.models import Goal, KeyResult
from pmcycle.cycles.models import Participation
from pmcycle.home.demo.fields import Field

MEETS = 2
# Below so many percent of a goal each level, as a place in `cycle.LEVELS`; what lies above them all is the highest.
MARKS = ((50, 0), (85, 1), (103, 2), (113, 3))
WHOLE = 100


@dataclass(frozen=True)
class Reading:
    """What was measured of one goal, in percent and in words."""

    goal: int
    title: str
    result: Decimal
    words: str

    @property
    def mark(self) -> int:
        """The level at which this goal stands."""
        return next((level for limit, level in MARKS if self.result < limit), len(MARKS))

    @property
    def line(self) -> str:
        return f"“{self.title}”: {self.words}."

    @property
    def percent(self) -> str:
        return f"{int(self.result)} %"


@dataclass(frozen=True)
class Year:
    """One person's year: what it comes to, what was measured, and when a shortfall was named, if there is one."""

    first_name: str
    level: int
    readings: list[Reading]
    field: Field
    number: int
    told: date | None = None

    @property
    def best(self) -> Reading:
        return max(self.readings, key=lambda one: one.result)

    @property
    def worst(self) -> Reading:
        return min(self.readings, key=lambda one: one.result)

    @property
    def missed(self) -> list[Reading]:
        return [one for one in self.readings if one.mark < MEETS]

    @property
    def told_on(self) -> str:
        return f"{self.told.day} {self.told:%B %Y}" if self.told else ""

    def _one_of(self, texts: tuple[str, ...]) -> str:
        return texts[self.number % len(texts)]

    def of_manager(self) -> tuple[str, str, str, str]:
        """A manager's words: what was achieved, what fell short, what should grow, and the year in one sentence."""
        lines = " ".join(one.line for one in self.readings)
        praise, wish = self._one_of(self.field.praise), self._one_of(self.field.wish)
        forward = self._one_of(self.field.forward)
        if self.level < MEETS:
            missed = " ".join(f"Missed: {one.line}" for one in self.missed)
            return (
                f"{self.best.line} This part holds, and I count on it.",
                f"{missed} I said so in our conversation of {self.told_on}; nothing in this is news.",
                f"First of all: {wish}.",
                (
                    f"Less than agreed: “{self.worst.title}” came to {self.worst.percent}, "
                    f"as named in the conversation of {self.told_on}."
                ),
            )
        if self.level > MEETS:
            return (
                f"{self.first_name} reached more than we agreed. {lines} {praise}",
                f"Nothing that was agreed fell short. For the coming year: {wish}.",
                forward,
                f"More than agreed: “{self.best.title}” came to {self.best.percent}.",
            )
        short = (
            f"“{self.worst.title}” came to {self.worst.percent}. "
            if self.worst.result < WHOLE
            else ""
        )
        return (
            f"{self.first_name} delivered what we agreed. {lines} {praise}",
            f"{short}For the coming year: {wish}.",
            forward,
            f"What was agreed was reached; “{self.best.title}” stands out.",
        )

    def of_oneself(self) -> tuple[str, str, str]:
        """One's own words: what was achieved, what fell short, what should grow."""
        learned, forward = self._one_of(self.field.learned), self._one_of(self.field.forward)
        if self.level < MEETS:
            missed = " ".join(one.line for one in self.missed)
            return (
                self.best.line,
                f"{missed} We talked about it on {self.told_on}. {learned}",
                forward,
            )
        lines = " ".join(one.line for one in self.readings)
        opening = "I am proud of this year. " if self.level > MEETS else ""
        return (f"{opening}{lines}", learned, forward)


def readings_of(people: Iterable[Participation]) -> dict[int, list[Reading]]:
    """What was measured of the agreed goals of these people, by participation."""
    goals = Goal.objects.rated().filter(participation__in=list(people), result__isnull=False)
    words: dict[int, list[str]] = {}
    for row in KeyResult.objects.filter(goal__in=goals).order_by("position"):
        words.setdefault(row.goal_id, []).append(_measured(row))
    found: dict[int, list[Reading]] = {}
    for goal in goals.select_related("agreed").order_by("pk"):
        if goal.agreed is None or goal.result is None or goal.participation_id is None:
            continue
        one = Reading(goal.pk, goal.agreed.title, goal.result, "; ".join(words[goal.pk]))
        found.setdefault(goal.participation_id, []).append(one)
    return found


def _measured(row: KeyResult) -> str:
    title = row.title[0].lower() + row.title[1:]
    if row.current is None or row.target is None:
        return f"{title} not measured"
    if row.kind == KeyResult.Kind.REACH:
        return f"{title}: {'done' if row.current >= 1 else 'not yet'}"
    if row.kind == KeyResult.Kind.ZERO:
        return f"{title}: {_plain(row.current) if row.current else 'none'}"
    unit = f" {row.unit}" if row.unit else ""
    return f"{title} {_plain(row.current)}{unit}, agreed {_plain(row.target)}{unit}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
