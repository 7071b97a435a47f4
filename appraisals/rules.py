"""Arithmetic and decisions of appraisals: plain values in, plain values out."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from goals.rules import balance
from pmcycle.cycles.rules import Need

NEEDS: dict[str, Need] = {
    "appraisals:self": Need(
        title=_("Write your self-appraisal"),
        button=_("Write the self-appraisal"),
        url_name="appraisals:write",
        minutes=30,
        waits=_("%(name)s has not handed in the self-appraisal yet"),
    ),
    "appraisals:manager": Need(
        title=_("Appraise %(name)s"),
        button=_("Write the appraisal"),
        url_name="appraisals:write",
        minutes=25,
        waits=_("The appraisal of %(name)s is not handed in yet"),
    ),
    "appraisals:result": Need(
        title=_("Read your result"),
        button=_("Read the result"),
        url_name="appraisals:result",
        minutes=10,
    ),
    "appraisals:appeal": Need(
        title=_("Decide the review that %(name)s asked for"),
        button=_("Decide the review"),
        url_name="appraisals:appeal",
        minutes=20,
    ),
    "appraisals:release": Need(
        title=_("Results wait for your approval; %(name)s asked for it"),
        button=_("Approve the results"),
        url_name="appraisals:release",
        minutes=10,
    ),
}

# How far a person has come in this stage, in the words of the board.
MILESTONES: dict[str, Any] = {
    "self_handed_in": _("self-appraisal handed in"),
    "manager_handed_in": _("manager's appraisal handed in"),
    "rating_released": _("result released"),
    "acknowledged": _("acknowledged"),
}

HUNDRED = Decimal(100)
# Scores are kept to four decimals. Every node of the tree is rounded once, half up, so that it can be
# computed again from the values that its children show.
STEP = Decimal("0.0001")
ANSWER_LIMIT = 20_000


def rounded(value: Decimal) -> Decimal:
    return value.quantize(STEP, ROUND_HALF_UP)


# --- weights ---------------------------------------------------------------------------------------


def weight_problem(weights: Iterable[Decimal]) -> Decimal:
    """What the weights of the scored sections lack to 100: positive if too little, negative if too much.

    Nothing where they come to 100 by the one rule for weights (`goals.rules.balance`): 33.33 × 3 do. A
    score is a mean by weight, so what rounding has left needs no owner here. Sections without weight are
    not scored, and lend the rule no slack.
    """
    found = balance([weight for weight in weights if weight])
    return Decimal(0) if found.is_whole else found.left


# --- the score -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """One line of the tree of a score. A leaf has a value or lacks it; a node is the mean of its parts.

    `facts` are kept beside the line, as the words that explain it need them: what was measured, and when.
    """

    label: str
    weight: Decimal = HUNDRED
    value: Decimal | None = None
    note: str = ""
    parts: tuple[Node, ...] = field(default=())
    facts: Mapping[str, Any] = field(default_factory=dict)


def weighted_mean(parts: Sequence[tuple[Decimal, Decimal | None]], missing: str) -> Decimal | None:
    """Σ weight × value ÷ Σ weight over (weight, value), four decimals, half up.

    A part without value makes the result None (`missing="incomplete"`), or its weight is spread over
    the rest (`"reweight"`). It never counts as zero. Parts of weight 0 do not count at all.
    """
    counted = [(weight, value) for weight, value in parts if weight > 0]
    known = [(weight, value) for weight, value in counted if value is not None]
    if not known or (missing != "reweight" and len(known) < len(counted)):
        return None
    total = sum((weight for weight, _value in known), Decimal(0))
    return rounded(sum((weight * value for weight, value in known), Decimal(0)) / total)


def evaluate(node: Node, missing: str) -> dict[str, Any]:
    """The tree as JSON, with every value filled in from below; decimals as text."""
    if not node.parts:
        value = None if node.value is None else rounded(node.value)
        return {**_line(node, value), "parts": []}
    parts = [evaluate(part, missing) for part in node.parts]
    value = weighted_mean(
        [
            (part.weight, _decimal(done["value"]))
            for part, done in zip(node.parts, parts, strict=True)
        ],
        missing,
    )
    return {**_line(node, value), "rule": missing, "parts": parts}


def _line(node: Node, value: Decimal | None) -> dict[str, Any]:
    return {
        **node.facts,
        "label": node.label,
        "note": node.note,
        "weight": str(node.weight),
        "value": None if value is None else str(value),
    }


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def recompute(trace: Mapping[str, Any]) -> Decimal | None:
    """The value of a stored tree, computed again from its leaves alone."""
    if not trace.get("parts"):
        return _decimal(trace.get("value"))
    parts = [(Decimal(part["weight"]), recompute(part)) for part in trace["parts"]]
    return weighted_mean(parts, trace["rule"])


def on_scale(percent: Decimal, levels: Sequence[tuple[Decimal, bool]], cap: Decimal) -> Decimal:
    """A measured goal result (0 … `cap` %) as a number on the rating scale.

    `levels` are (value, below expectations) in ascending order. 0 % is the lowest value, 100 % is the
    first level that is not below expectations, `cap` % is the highest; in between it runs straight.
    """
    low, high = levels[0][0], levels[-1][0]
    meets = next((value for value, below in levels if not below), high)
    bounded = max(Decimal(0), min(percent, max(cap, HUNDRED)))
    if bounded <= HUNDRED:
        return rounded(low + (meets - low) * bounded / HUNDRED)
    if cap <= HUNDRED:
        return rounded(meets)
    return rounded(meets + (high - meets) * (bounded - HUNDRED) / (cap - HUNDRED))


def scale_facts(levels: Sequence[tuple[Decimal, bool]], cap: Decimal) -> dict[str, Any]:
    """Where 0 %, 100 % and the cap stand on the scale, for the words of the rule: `on_scale` as a table."""
    if not levels:
        return {}
    marks = sorted({Decimal(0), HUNDRED, max(cap, HUNDRED)})
    return {"marks": [[str(mark), str(on_scale(mark, levels, cap))] for mark in marks]}


@dataclass(frozen=True)
class SoFar:
    """A score while it is written: the mean of what has a value, and how many of the ratings have one."""

    value: Decimal | None
    rated: int
    total: int


def so_far(node: Node) -> SoFar:
    """The score of what is rated by now, whatever the cycle says of missing parts."""
    leaves = [leaf for leaf in _leaves(node) if leaf.weight > 0]
    rated = sum(leaf.value is not None for leaf in leaves)
    return SoFar(_decimal(evaluate(node, "reweight")["value"]), rated, len(leaves))


def _leaves(node: Node) -> list[Node]:
    return [leaf for part in node.parts for leaf in _leaves(part)] if node.parts else [node]


def contradicts(score: Decimal | None, level: Decimal) -> bool:
    """Whether what was written scores more than one step away from the rating."""
    return score is not None and abs(score - level) > 1


# --- the no-surprise gate --------------------------------------------------------------------------


@dataclass(frozen=True)
class Mention:
    """A cited conversation entry: when it was said, and by whom (employee id)."""

    said_on: date
    author_id: int


def was_mentioned(mentions: Iterable[Mention], person_id: int, on: date, days: int) -> bool:
    """Whether the person had the chance to hear it: said by somebody else, at least `days` before `on`."""
    limit = on - timedelta(days=days)
    return any(m.author_id != person_id and m.said_on <= limit for m in mentions)


def appeal_ends(released_on: date, days: int) -> date:
    """The last day on which a review can be asked for; the day of the release is one in the cycle's zone."""
    return released_on + timedelta(days=days)


# --- the form --------------------------------------------------------------------------------------

SCORED_KINDS = ("scale", "competency", "goals", "results")
STRUCTURE_LIMITS = {"sections": 20, "questions": 40, "choices": 20}

DEFAULT_FORM: list[dict[str, Any]] = [
    {
        "title": _("Results"),
        "help": _("What came of the goals that you agreed, and of what nobody could foresee."),
        "weight": "60",
        "questions": [
            {
                "kind": "goals",
                "text": _("How far was each goal reached?"),
                "weight": "100",
                "help": _("Choose by the description, and say in a line what you saw."),
            },
            {
                "kind": "text",
                "text": _("What was achieved, and what did it change?"),
                "part": "strengths",
                "help": _(
                    "Two or three results worth remembering, each with something one can look up."
                ),
            },
        ],
    },
    {
        "title": _("Ways of working"),
        "help": _("How the results came about: with others, reliably, and well made."),
        "weight": "40",
        "questions": [
            {
                "kind": "competency",
                "text": _("Working with others"),
                "weight": "34",
                "choices": [
                    _("Keeps back what others need, or leaves them worse off."),
                    _("Helps when asked; others sometimes wait for what they need."),
                    _("Shares what others need in time, and listens."),
                    _("Sees early what others will need, and settles differences."),
                    _("Others work better together because of them."),
                ],
                "help": _(
                    "Shares what others need in time, listens, and leaves colleagues better off."
                ),
            },
            {
                "kind": "competency",
                "text": _("Reliability"),
                "weight": "33",
                "choices": [
                    _("Promises are often missed, and nobody hears of it beforehand."),
                    _("Most promises are kept; slips are heard of late."),
                    _("Keeps what was promised, and says early when something slips."),
                    _(
                        "Keeps promises under pressure too, and has a way out ready when something slips."
                    ),
                    _("Others plan on their word, and the whole team has become more dependable."),
                ],
                "help": _("Says early when something slips, and keeps what was promised."),
            },
            {
                "kind": "competency",
                "text": _("Quality and methods"),
                "weight": "33",
                "choices": [
                    _("Others have to do the work again."),
                    _("The work can be used, but needs checking or mending."),
                    _("The work is sound, and others can build on it."),
                    _(
                        "The work is sound and well explained; mistakes are found before others meet them."
                    ),
                    _("Others have taken up their methods."),
                ],
                "help": _("Work that others can build on; improves the way it is done."),
            },
            {
                "kind": "text",
                "text": _("What fell short, or should change?"),
                "part": "shortcomings",
                "help": _("Name the situation and its effect. It should be no news to the person."),
            },
        ],
    },
    {
        "title": _("Looking ahead"),
        "help": _("Not scored. What the coming cycle should make possible."),
        "weight": "0",
        "questions": [
            {
                "kind": "text",
                "text": _("Which abilities should grow, and what would help?"),
                "required": False,
            },
            {
                "kind": "text",
                "text": _("The year in one sentence"),
                "part": "summary",
                "self": False,
                "help": _("The first line of the result that the person will read."),
            },
        ],
    },
]


# --- evidence --------------------------------------------------------------------------------------

# The icon of each kind of evidence, and what it is called by those who hear the page.
PROOFS = {
    "progress": ("trending-up", _("Progress")),
    "feedback": ("message", _("Feedback")),
    "promise": ("flag", _("Promise")),
    "action": ("list-check", _("Action")),
    "contribution": ("award", _("Contribution")),
}
GIVEN = {"praise": _("praised"), "suggestion": _("suggested")}


def _look_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """How a piece of evidence looks: `icon`, `sign` and what was done (`did`)."""
    icon, sign = PROOFS.get(row["kind"], ("messages", _("Conversation")))
    did = row["title"]
    if row["kind"] == "promise":
        did = _("promised")
    elif row["kind"] == "feedback":
        did = GIVEN.get(row["title"], _("gave feedback"))
    return {"icon": icon, "sign": sign, "did": did}


def by_month(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Evidence rows (with `day`) by month, newest first: {"year", "month", "name", "rows"}; each row with its look."""
    months: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda r: r["at"], reverse=True):
        months.setdefault((row["day"].year, row["day"].month), []).append({**row, **_look_of(row)})
    return [
        {
            "year": year,
            "month": month,
            "first": date(year, month, 1),
            "name": calendar.month_name[month],
            "rows": found,
        }
        for (year, month), found in months.items()
    ]
