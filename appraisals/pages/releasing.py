"""The release of a cycle's results, for HR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appraisals.models import Rating, Release
from pmcycle.cycles.models import Participation


@dataclass(frozen=True)
class Accepted:
    """One kind of what a release leaves open, with the reason that accepts it; none where it has come since."""

    title: str
    reason: str
    by: str
    shown: Sequence[tuple[str, str]]
    more: int
    whole: str


@dataclass(frozen=True)
class ReleasePage:
    """Who would get what, what speaks against it, and whose yes is missing.

    `counted` has a row a level (label, total, first), `mentions` are ratings held back with their label and the
    appraisal to open; `…_whole` lead to the whole list where only some are named.
    """

    counted: Sequence[dict[str, Any]]
    mentions: Sequence[Rating]
    mentions_more: int
    mentions_whole: str
    unsent: Sequence[Participation]
    unsent_whole: str
    waiting: Release | None
    releases: Sequence[Release]
    accepted: list[Accepted]
    may_approve: bool
    is_running: bool

    @property
    def total(self) -> int:
        return sum(row["total"] for row in self.counted)

    @property
    def first_total(self) -> int:
        return sum(row["first"] for row in self.counted)

    @property
    def is_under_way(self) -> bool:
        return self.waiting is not None and self.waiting.approved_at is not None

    @property
    def may_ask(self) -> bool:
        return self.waiting is None and self.total > 0 and self.is_running

    @property
    def ask_title(self) -> str:
        is_later = any(release.done_at for release in self.releases)
        return _("Ask for a further release") if is_later else _("Ask for the release")

    @property
    def sure(self) -> str:
        """What asking does, said before the last click."""
        return ngettext(
            "A second HR admin is asked to release %(n)s result; then it cannot be taken back.",
            "A second HR admin is asked to release %(n)s results; then they cannot be taken back.",
            self.total,
        ) % {"n": self.total}

    @property
    def consequence(self) -> str:
        """What approving does, said before the last click."""
        left_out = _(
            "It cannot be taken back. Your own result is left out; somebody else releases it."
        )
        if self.first_total and not (self.waiting and self.waiting.accepted_first_mentions):
            gets = ngettext(
                "All but the %(n)s first mention can be read at once, and their people are told so.",
                "All but the %(n)s first mentions can be read at once, and their people are told so.",
                self.first_total,
            )
            return f"{gets % {'n': self.first_total}} {left_out}"
        gets = ngettext(
            "%(n)s person can read their result at once and is told so.",
            "%(n)s people can read their result at once and are told so.",
            self.total,
        )
        return f"{gets % {'n': self.total}} {left_out}"
