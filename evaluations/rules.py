"""Arithmetic and decisions of evaluations: plain values in, plain values out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from pmcycle.cycles.rules import Need

NEEDS: dict[str, Need] = {
    "evaluations:write": Need(
        title=_("Write the evaluation of %(name)s"),
        button=_("Write the evaluation"),
        url_name="evaluations:write",
        minutes=25,
        waits=_("The evaluation of %(name)s is being written"),
    ),
    "evaluations:sign": Need(
        title=_("Read and sign the evaluation of %(name)s"),
        button=_("Read and sign"),
        url_name="evaluations:read",
        minutes=10,
    ),
}

# How far a person has come in this stage, in the words of the board.
MILESTONES: dict[str, Any] = {
    "shared": _("shared"),
    "signed": _("signed by both"),
}

# Below this many people a share says too much about single ones (4-access, rule 10).
SMALLEST_GROUP = 5
PLACES = Decimal("0.0001")


def share(part: int, whole: int) -> Decimal | None:
    """A fraction of one with four places, one itself only for all; None when there is nothing to take a part of."""
    if whole == 0:
        return None
    exact = Decimal(part) / Decimal(whole)
    rounded = exact.quantize(PLACES, rounding=ROUND_HALF_UP)
    return exact.quantize(PLACES, rounding=ROUND_DOWN) if exact < 1 <= rounded else rounded


def suppressed(rows: Sequence[Mapping[str, Any]], *sizes: str) -> list[dict[str, Any]]:
    """Rows with the figures of small groups taken out, and of the next smallest with them.

    `sizes` name the columns that count people; a row that is small in one of them is hidden. One hidden
    group can be computed from the total and the others; hiding a second one leaves two unknowns. Hidden
    rows keep their label and get `is_hidden`; all other figures become None.
    """
    small = set().union(*(_small(rows, size) for size in sizes))
    return [
        {
            **{k: (v if k == "label" or n not in small else None) for k, v in row.items()},
            "is_hidden": n in small,
        }
        for n, row in enumerate(rows)
    ]


def _small(rows: Sequence[Mapping[str, Any]], size: str) -> set[int]:
    """Which rows one column of counts has to hide."""
    small = {n for n, row in enumerate(rows) if 0 < row[size] < SMALLEST_GROUP}
    if len(small) == 1:
        others = [(row[size], n) for n, row in enumerate(rows) if n not in small and row[size] > 0]
        small |= {min(others)[1]} if others else set()
    return small


def fingerprint(snapshot: Mapping[str, Any]) -> str:
    """SHA-256 of a snapshot in one canonical spelling, so that the same content has the same hash."""
    text = json.dumps(snapshot, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def missing_before_sharing(
    summary: str, achievements: int, uncited_shortcomings: int, steps: int
) -> str | None:
    """Why an evaluation cannot be shared yet, as a sentence; None if it can.

    An evaluation affirms achievements and points out shortcomings, each with evidence (3-domain).
    """
    if not summary.strip():
        return str(_("Write a summary first: two or three sentences the person can remember."))
    if achievements == 0:
        return str(_("Name at least one achievement."))
    if uncited_shortcomings:
        return str(
            _(
                "Every shortcoming points to something that happened. Choose its evidence, or leave it out."
            )
        )
    if steps == 0:
        return str(_("Name at least one step of development, with a day."))
    return None
