"""Arithmetic and decisions of goals: plain values in, plain values out.

Progress is a percentage as `Decimal`: 0 is the start, 100 the target. Weights are percentages of a
set of goals that comes to 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.cycles.rules import Need

WHOLE = Decimal(100)
CENT = Decimal("0.01")
HALF_CENT = Decimal("0.005")
QUIET_DAYS = 30
LAPSE_DAYS = 21
MAX_KEY_RESULTS = 12
# Digits before the point that the database keeps for a measured value.
LIMIT = Decimal(10) ** 10

NEEDS: dict[str, Need] = {
    "goals:propose": Need(
        title=gettext_lazy("Propose your goals"),
        button=gettext_lazy("Propose goals"),
        url_name="goals:propose",
        minutes=20,
    ),
    "goals:complete": Need(
        title=gettext_lazy("Bring the weights of your goals to 100"),
        button=gettext_lazy("Set the weights"),
        url_name="goals:of",
        minutes=5,
    ),
    "goals:answer": Need(
        title=gettext_lazy("Answer the proposed goals of %(name)s"),
        button=gettext_lazy("Answer the goals"),
        url_name="goals:of",
        minutes=10,
    ),
    "goals:answer_own": Need(
        title=gettext_lazy("Answer the goals proposed to you"),
        button=gettext_lazy("Answer the goals"),
        url_name="goals:of",
        minutes=10,
    ),
    "goals:waits": Need(
        title=gettext_lazy("%(name)s has not answered your goals yet"),
        button=gettext_lazy("Read the goals"),
        url_name="goals:of",
        minutes=1,
        waits=gettext_lazy("%(name)s has not answered your goals yet"),
    ),
    "goals:change": Need(
        title=gettext_lazy("Answer the change of a goal of %(name)s"),
        button=gettext_lazy("Answer the change"),
        url_name="goals:detail",
        minutes=5,
    ),
    "goals:change_own": Need(
        title=gettext_lazy("Answer the change of one of your goals"),
        button=gettext_lazy("Answer the change"),
        url_name="goals:detail",
        minutes=5,
    ),
    "goals:progress": Need(
        title=gettext_lazy("Say how your goals stand"),
        button=gettext_lazy("Update your goals"),
        url_name="goals:of",
        minutes=1,
    ),
    "goals:confirm": Need(
        title=gettext_lazy("Did %(name)s help you? Confirm a contribution"),
        button=gettext_lazy("Confirm it or not"),
        url_name="goals:contribution",
        minutes=1,
    ),
}

# How far a person has come in this stage, in the words of the board.
MILESTONES: dict[str, Any] = {
    "goals_agreed": gettext_lazy("goals agreed"),
}


# --- progress ---------------------------------------------------------------------------------------


def key_result_progress(
    kind: str,
    current: Decimal | None,
    *,
    start: Decimal = Decimal(0),
    target: Decimal | None = None,
    low: Decimal | None = None,
    high: Decimal | None = None,
) -> Decimal | None:
    """How far a key result has come, in percent, not capped; None while nothing was measured.

    Increase and decrease: (current − start) ÷ (target − start). Where start is the target, the
    question is yes or no: kept at it or better, or not. Keep: inside the range or not. Reach: a
    current value of 1 is yes. Zero: no incident or not.
    """
    if current is None:
        return None
    if kind == "keep":
        inside = (low is None or current >= low) and (high is None or current <= high)
        return WHOLE if inside else Decimal(0)
    if kind == "reach":
        return WHOLE if current >= 1 else Decimal(0)
    if kind == "zero":
        return WHOLE if current <= 0 else Decimal(0)
    if target is None:
        return None
    if start == target:
        met = current <= target if kind == "decrease" else current >= target
        return WHOLE if met else Decimal(0)
    # Adding zero makes the minus of a −0 vanish, which a decrease at its start would show.
    return (current - start) * WHOLE / (target - start) + 0


def capped(raw: Decimal | None, cap: Decimal) -> Decimal | None:
    """The progress as it is shown: between 0 and the cycle's cap (3-domain: 120 by default)."""
    return None if raw is None else min(max(raw, Decimal(0)), cap)


def behind_of(parts: Iterable[Decimal | None]) -> int:
    """How many key results are below their start, which the capped progress does not show."""
    return sum(part is not None and part < 0 for part in parts)


def goal_progress(parts: Sequence[Decimal | None], cap: Decimal) -> Decimal | None:
    """The mean of the measured key results, each capped first, so that one cannot hide another; two decimals.

    None while none is measured: what nobody measured never counts as zero (3-domain, Score).
    """
    known = [value for part in parts if (value := capped(part, cap)) is not None]
    return percent_of(sum(known, Decimal(0)) / len(known)) if known else None


def percent_of(exact: Decimal) -> Decimal:
    """A percentage with two decimals, half up; what lies below 100 stays below it, however near: 99.996 is 99.99.

    "Reached" asks for 100, here and in every rule that stands on the result.
    """
    rounded = exact.quantize(CENT, ROUND_HALF_UP)
    return exact.quantize(CENT, ROUND_DOWN) if exact < WHOLE <= rounded else rounded


# --- weights ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Balance:
    """The weights of a set against 100. `left` is negative when there is too much."""

    total: Decimal
    left: Decimal
    is_whole: bool

    @property
    def is_over(self) -> bool:
        return self.left < 0 and not self.is_whole

    @property
    def is_rounded(self) -> bool:
        """Whole only by the remainder rule."""
        return self.is_whole and self.left != 0


def balance(weights: Sequence[Decimal]) -> Balance:
    """Whether a set of weights comes to 100.

    The remainder rule: a weight has two decimals, so each may be rounded by half a hundredth; a set
    of n goals that misses 100 by at most n × 0.005 counts as 100 (33.33 × 3, 16.67 × 6), and
    `effective_weights` gives the remainder to the heaviest goal.
    """
    total = sum(weights, Decimal(0))
    left = WHOLE - total
    return Balance(total, left, bool(weights) and abs(left) <= HALF_CENT * len(weights))


def effective_weights(weights: Sequence[Decimal]) -> list[Decimal]:
    """The weights with the remainder of a whole set on the heaviest (the first of equal ones): sum 100.

    A set that is not whole comes back as it is.
    """
    found = balance(weights)
    result = list(weights)
    if found.is_rounded:
        result[result.index(max(result))] += found.left
    return result


def day_problem(due_on: date | None, first: date, last: date) -> str | None:
    """What is wrong with the day by which a goal of the cycle is to be reached; None if nothing."""
    if due_on is None or first <= due_on <= last:
        return None
    return _(
        "A goal of the cycle is reached within it: choose a day from %(first)s to %(last)s."
    ) % {
        "first": first.isoformat(),
        "last": last.isoformat(),
    }


# --- alignment and authorship -----------------------------------------------------------------------


def makes_loop(goal: int, parent: int | None, parents: Mapping[int, int | None]) -> bool:
    """Whether hanging `goal` under `parent` closes a ring; `parents` maps goals to their present parent."""
    seen: set[int] = set()
    step = parent
    while step is not None and step not in seen:
        if step == goal:
            return True
        seen.add(step)
        step = parents.get(step)
    return False


CO_AUTHORED, PROPOSED_BY_EMPLOYEE, HANDED_DOWN = "co_authored", "own", "handed_down"
CARRIED = "carried"
AUTHORSHIP_WORDS = {
    CO_AUTHORED: gettext_lazy("written by both"),
    PROPOSED_BY_EMPLOYEE: gettext_lazy("written by the employee"),
    HANDED_DOWN: gettext_lazy("handed down"),
    CARRIED: gettext_lazy("carried over as it was"),
}


def authorship(
    versions: Sequence[tuple[int, int | None]], signatures: Sequence[tuple[int, int, str]]
) -> str | None:
    """Who made the text that both agreed: `co_authored`, `own` (the employee's), `handed_down` or `carried`.

    `versions` are (number, author), without author where the text came over from an earlier cycle;
    `signatures` (number, signer, side). What counts is who wrote the wordings up to the newest one that
    both sides signed; None if there is none.
    """
    sides: dict[int, dict[str, int]] = {}
    for number, signer, side in signatures:
        sides.setdefault(number, {})[side] = signer
    agreed = max(
        (n for n, signed in sides.items() if {"employee", "manager"} <= signed.keys()), default=None
    )
    if agreed is None:
        return None
    employee = sides[agreed]["employee"]
    authors = {author for number, author in versions if number <= agreed and author is not None}
    if not authors:
        return CARRIED
    if employee not in authors:
        return HANDED_DOWN
    return PROPOSED_BY_EMPLOYEE if authors == {employee} else CO_AUTHORED


# --- key results as text -----------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyResultText:
    """A key result as it is worded in a version; `key` stays the same through all versions."""

    title: str
    kind: str = "increase"
    start: Decimal | None = None
    target: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    unit: str = ""
    key: str = ""

    def as_row(self) -> dict[str, Any]:
        """JSON with decimals as text, without the figures that its kind does not use."""
        used = {
            "increase": ("start", "target"),
            "decrease": ("start", "target"),
            "keep": ("low", "high"),
        }
        figures = {
            name: _plain(getattr(self, name)) if name in used.get(self.kind, ()) else None
            for name in ("start", "target", "low", "high")
        }
        return {
            "key": self.key,
            "title": self.title,
            "kind": self.kind,
            "unit": self.unit,
            **figures,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> KeyResultText:
        def number(name: str) -> Decimal | None:
            return Decimal(row[name]) if row.get(name) is not None else None

        return cls(
            row["title"],
            row["kind"],
            number("start"),
            number("target"),
            number("low"),
            number("high"),
            row.get("unit", ""),
            row.get("key", ""),
        )


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else format(value.normalize(), "f")


def key_result_problem(row: KeyResultText) -> tuple[str, str] | None:
    """What is wrong with a worded key result, as (field, sentence); None if nothing."""
    if row.kind in ("increase", "decrease"):
        if row.target is None:
            return "target", _("What is the target?")
        start = row.start or Decimal(0)
        if row.kind == "increase" and row.target < start:
            return "target", _("To increase, the target lies above the start.")
        if row.kind == "decrease" and row.target > start:
            return "target", _("To decrease, the target lies below the start.")
    if row.kind == "keep":
        if row.low is None and row.high is None:
            return "low", _("Between what? Give the lower end, the upper end, or both.")
        if row.low is not None and row.high is not None and row.low > row.high:
            return "high", _("The upper end lies above the lower end.")
    figures = (row.start, row.target, row.low, row.high)
    if any(value is not None and abs(value) >= LIMIT for value in figures):
        return "target", _("That number is too large.")
    return None


def key_result_words(row: Mapping[str, Any]) -> str:
    """One key result in a line, for the comparison of two wordings: "Scrap rate: from 4 to 2 %"."""
    unit = f" {row['unit']}" if row.get("unit") else ""
    kind = row["kind"]
    if kind in ("increase", "decrease"):
        start = row.get("start") or "0"
        return _("%(title)s: from %(start)s to %(target)s%(unit)s") % {
            "title": row["title"],
            "start": start,
            "target": row.get("target"),
            "unit": unit,
        }
    if kind == "keep":
        low, high = row.get("low"), row.get("high")
        if high is None:
            return _("%(title)s: keep at %(low)s%(unit)s or above") % {
                "title": row["title"],
                "low": low,
                "unit": unit,
            }
        if low is None:
            return _("%(title)s: keep at %(high)s%(unit)s or below") % {
                "title": row["title"],
                "high": high,
                "unit": unit,
            }
        return _("%(title)s: keep between %(low)s and %(high)s%(unit)s") % {
            "title": row["title"],
            "low": low,
            "high": high,
            "unit": unit,
        }
    if kind == "zero":
        return _("%(title)s: no incidents") % {"title": row["title"]}
    return _("%(title)s: reached, yes or no") % {"title": row["title"]}
