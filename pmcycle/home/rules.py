"""What stands where on home and in the team's grid: plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

THIS_WEEK = 7
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

    @property
    def time(self) -> str:
        return time_needed(self.minutes)

    @property
    def days_left(self) -> int:
        """How many days are left in the line's place; without a due day, no end of them."""
        return (self.due_on - self.on).days if self.due_on and self.on else date.max.toordinal()


@dataclass(frozen=True)
class Group:
    title: Any
    lines: Sequence[Line]
    tone: str

    @property
    def minutes(self) -> int:
        return sum(line.minutes for line in self.lines)


def grouped(lines: Iterable[Line]) -> list[Group]:
    """Overdue, due within a week, later (or without a day); each by day, empty ones left out.

    How far off a day is, is counted from today in the line's own place.
    """
    in_order = sorted(lines, key=lambda line: (line.due_on or date.max, line.title))
    groups = [
        Group(gettext_lazy("Overdue"), [line for line in in_order if line.days_left < 0], "danger"),
        Group(
            gettext_lazy("This week"),
            [line for line in in_order if 0 <= line.days_left <= THIS_WEEK],
            "accent",
        ),
        Group(gettext_lazy("Later"), [line for line in in_order if line.days_left > THIS_WEEK], "mute"),
    ]
    return [group for group in groups if group.lines]


def time_needed(minutes: int) -> str:
    """Minutes in words that help to plan a morning: "about 5 minutes", "about 2 hours"."""
    if minutes < 60:
        return ngettext("about %(n)d minute", "about %(n)d minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    return ngettext("about %(n)d hour", "about %(n)d hours", hours) % {"n": hours}


def my_part(state: str, todo: int, waits: int, milestone: Any, is_done: bool) -> tuple[str, str]:
    """Tone and words for how a stage stands for the reader: what is to do first, then how far they have come."""
    if todo:
        return "warn", ngettext("%(n)d thing for you", "%(n)d things for you", todo) % {"n": todo}
    if milestone:
        return ("ok" if is_done else "info"), str(milestone)
    if state == "planned":
        return "mute", _("not open yet")
    if waits:
        return "info", _("waiting for others")
    return "mute", _("closed") if state == "closed" else _("nothing for you now")


def stage_state(
    state: str, *, theirs: bool, mine: bool, others: bool, is_late: bool, milestone: Any, is_done: bool
) -> tuple[str, str]:
    """Tone and words of one person's stage in the manager's grid: whose turn, or how far they have come."""
    if mine:
        return ("danger" if is_late else "warn"), _("your turn")
    if theirs:
        return ("danger" if is_late else "info"), _("overdue") if is_late else _("their turn")
    if others:
        return "info", _("with others")
    if milestone:
        return ("ok" if is_done else "info"), str(milestone)
    if state == "planned":
        return "mute", _("not open yet")
    return "mute", _("nothing to do")


def goal_health(goals: int, at_risk: int, off_track: int, on_track: int) -> tuple[str, str]:
    """Tone and words for a person's agreed goals by the confidence last given."""
    if not goals:
        return "mute", _("no goals agreed")
    if off_track:
        return "danger", ngettext("%(n)d off track", "%(n)d off track", off_track) % {"n": off_track}
    if at_risk:
        return "warn", ngettext("%(n)d at risk", "%(n)d at risk", at_risk) % {"n": at_risk}
    if on_track:
        return "ok", _("on track")
    return "mute", _("no progress yet")


def silence(last_talk: datetime | None, now: datetime) -> tuple[str, str]:
    """Tone and words for how long the two have not talked."""
    if last_talk is None:
        return "danger", _("not yet talked")
    days = (now - last_talk).days
    tone = "danger" if days > SILENT_AFTER else "warn" if days > SILENT_AFTER // 2 else "ok"
    if days < 1:
        return tone, _("today")
    return tone, ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}
