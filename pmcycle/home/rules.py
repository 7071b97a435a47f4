"""What stands where on home and in the team's grid: plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

THIS_WEEK = 7
# From so many lines of one kind on, they stand under one heading.
TOGETHER = 3
NONE: Mapping[str, Any] = {}
SILENT_AFTER = 30


@dataclass(frozen=True)
class Line:
    """One line of home: what, by when, how long it takes, and the one button."""

    title: str
    button: str
    url: str
    due_on: date | None
    minutes: int
    stage: str
    # The present day where the due day is judged, and that place: a cycle's zone, or "" where the reader is.
    on: date | None = None
    zone: str = ""
    kind: str = ""
    # Whom it is about, where lines of its kind stand under one heading.
    name: str = ""
    # What was promised or agreed, in the words of the two.
    words: str = ""
    # Somebody else cannot go on before it is done.
    is_awaited: bool = False

    @property
    def time(self) -> str:
        return time_needed(self.minutes)

    @property
    def days_left(self) -> int:
        """How many days are left in the line's place; without a due day, no end of them."""
        return (self.due_on - self.on).days if self.due_on and self.on else date.max.toordinal()


@dataclass(frozen=True)
class Part:
    """Lines that stand together; `title` where they are several of one kind ("Appraise 6 people")."""

    title: str
    lines: Sequence[Line]

    @property
    def time(self) -> str:
        return time_needed(sum(line.minutes for line in self.lines))


@dataclass(frozen=True)
class Group:
    title: Any
    parts: Sequence[Part]
    tone: str

    @property
    def lines(self) -> list[Line]:
        return [line for part in self.parts for line in part.lines]

    @property
    def minutes(self) -> int:
        return sum(line.minutes for line in self.lines)


def grouped(lines: Iterable[Line], many: Mapping[str, Any] = NONE) -> list[Group]:
    """Overdue, due within a week, later (or without a day), empty ones left out.

    In each stands first what others wait for, then by day. Lines of one kind stand together from `TOGETHER`
    on, if `many` has the words for several ("%(n)d") of it. How far off a day is, is counted from today in
    the line's own place.
    """
    in_order = sorted(
        lines, key=lambda line: (not line.is_awaited, line.due_on or date.max, line.title)
    )
    groups = [
        (gettext_lazy("Overdue"), [line for line in in_order if line.days_left < 0], "danger"),
        (
            gettext_lazy("This week"),
            [line for line in in_order if 0 <= line.days_left <= THIS_WEEK],
            "accent",
        ),
        (gettext_lazy("Later"), [line for line in in_order if line.days_left > THIS_WEEK], "mute"),
    ]
    return [Group(title, _together(found, many), tone) for title, found, tone in groups if found]


def _together(lines: Sequence[Line], many: Mapping[str, Any]) -> list[Part]:
    """The lines with those of one kind at the place of the first of them."""
    by_kind: dict[str, list[Line]] = {}
    for line in lines:
        by_kind.setdefault(line.kind, []).append(line)
    parts: list[Part] = []
    for line in lines:
        same = by_kind[line.kind]
        if line.kind not in many or len(same) < TOGETHER:
            parts.append(Part("", [line]))
        elif line is same[0]:
            parts.append(Part(str(many[line.kind] % {"n": len(same)}), same))
    return parts


def time_needed(minutes: int) -> str:
    """Minutes in words that help to plan a morning: "about 5 minutes", "about 2 hours"."""
    if minutes < 60:
        return ngettext("about %(n)d minute", "about %(n)d minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    return ngettext("about %(n)d hour", "about %(n)d hours", hours) % {"n": hours}


class Badge(NamedTuple):
    """Words in a tone."""

    tone: str
    words: str


def asked_of_me(todo: int) -> Badge | None:
    """What is asked of the reader in a stage."""
    words = ngettext("%(n)d thing for you", "%(n)d things for you", todo) % {"n": todo}
    return Badge("warn", words) if todo else None


def whose_turn(*, theirs: bool, mine: bool, others: bool, is_late: bool) -> Badge | None:
    """Of whom something is asked in one person's stage, as their manager reads it."""
    if mine:
        return Badge("danger" if is_late else "warn", _("your turn"))
    if theirs:
        return Badge("danger", _("overdue")) if is_late else Badge("info", _("their turn"))
    return Badge("info", _("with others")) if others else None


def goal_health(goals: int, at_risk: int, off_track: int, on_track: int) -> tuple[str, str]:
    """Tone and words for a person's agreed goals by the confidence last given."""
    if not goals:
        return "mute", _("no goals agreed")
    if off_track:
        return "danger", ngettext("%(n)d off track", "%(n)d off track", off_track) % {
            "n": off_track
        }
    if at_risk:
        return "warn", ngettext("%(n)d at risk", "%(n)d at risk", at_risk) % {"n": at_risk}
    if on_track:
        return "ok", _("on track")
    return "mute", _("no progress yet")


def silence(last_talk: datetime | None, now: datetime, *, begun: int) -> tuple[str, str]:
    """Tone and words for how long the two have not talked; if never, for the days that the cycle has `begun`."""
    days = (now - last_talk).days if last_talk else max(begun, 0)
    tone = "danger" if days > SILENT_AFTER else "warn" if days > SILENT_AFTER // 2 else "ok"
    if last_talk is None:
        words = ngettext("no talk for %(n)d day", "no talk for %(n)d days", days) % {"n": days}
        return ("mute" if tone == "ok" else tone), words if days else _("no talk yet")
    if days < 1:
        return tone, _("today")
    return tone, ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}
