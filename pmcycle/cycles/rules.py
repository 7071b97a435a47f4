"""Arithmetic and decisions of cycles: plain values in, plain values out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.activity.rules import Need as Need
from pmcycle.people.rules.calendar import Calendar

NEEDS: dict[str, Need] = {
    "cycles:reopen": Need(
        title=gettext_lazy("Open “%(name)s” again as second person"),
        button=gettext_lazy("Decide about it"),
        url_name="cycles:detail",
        minutes=5,
    ),
}


@dataclass(frozen=True)
class Finding:
    """One result of the check before launch, or one thing that stands against closing.

    `code` is stable ("appraisals:weights"): an accepted warning is kept under it. `sentence` is whole
    and in HR's words. `count` is how many people (or things) it holds for, `people` the first few
    names, `url` the page where it is put right. An error refuses; a warning must be accepted.
    """

    code: str
    sentence: str
    is_error: bool = False
    count: int = 1
    people: Sequence[str] = ()
    url: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Check:
    """What the check before launch came to: findings, the worst first, for how many people.

    `accepted` says, by code, for how many people a warning held when HR accepted it.
    """

    findings: Sequence[Finding]
    people: int
    accepted: Mapping[str, int]

    @property
    def errors(self) -> list[Finding]:
        """What refuses the launch."""
        return [f for f in self.findings if f.is_error]

    @property
    def unsettled(self) -> list[Finding]:
        """Warnings that nobody has accepted yet, or whose count has grown since they were."""
        return [
            f for f in self.findings if not f.is_error and self.accepted.get(f.code, -1) < f.count
        ]


# --- What is left behind -----------------------------------------------------------------------------

NAMES = 20


# Names, each with the address where it is settled; and how any of them are read by their places.
Names = Sequence[tuple[str, str]]
ReadNames = Callable[[int, int], Names]


@dataclass(frozen=True)
class Leftover:
    """One kind of thing that would stay open, or held, if an act were done now.

    `code` is stable ("appraisals:unrated") and `title` a whole sentence with the count in it. `names`
    are the first `NAMES` by name, each with the address where it is settled; `read` reads any others by
    their places in the whole list. What `refuses` cannot be accepted with a reason; what `refuses_end`
    can, but not at the end of the whole cycle. What is `only_at_end` ends with the cycle, not with the
    stage. `note` keeps that the reader was shown the people of `names`; `read` does so for
    whom it reads.
    """

    code: str
    title: str
    count: int
    names: Names = ()
    refuses: bool = False
    refuses_end: bool = False
    only_at_end: bool = False
    read: ReadNames | None = field(default=None, compare=False, repr=False)
    note: Callable[[], None] | None = field(default=None, compare=False, repr=False)

    @property
    def shown(self) -> Names:
        """The first names, for whoever draws them: that the reader was shown them is noted."""
        if self.note is not None:
            self.note()
        return self.names

    def part(self, first: int, last: int) -> Names:
        """Some of the whole list, as places from 0 to before `last`. One statement, unless all are named already."""
        return self.names[first:last] if self.read is None else self.read(first, last)

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.names)

    @property
    def field(self) -> str:
        """The end of the names of its fields: the reason and the count that was read."""
        return self.code.replace(":", "_")


class Accepting(NamedTuple):
    """That somebody goes on over one kind of leftover: how many they were shown, and why."""

    read: int
    reason: str


def at_the_end(leftovers: Iterable[Leftover]) -> list[Leftover]:
    """The same things, judged for the end of the whole cycle."""
    return [replace(one, refuses=one.refuses or one.refuses_end) for one in leftovers]


# --- Dates -----------------------------------------------------------------------------------------

# Where each stage lies within the year of a new cycle: first and last day as shares of the period,
# and the days of grace. Objectives come first, the other three in the last third.
PLAN: dict[str, tuple[Decimal, Decimal, int]] = {
    "objectives": (Decimal(0), Decimal("0.14"), 7),
    "appraisal": (Decimal("0.80"), Decimal("0.90"), 7),
    "incentives": (Decimal("0.91"), Decimal("0.95"), 3),
    "evaluation": (Decimal("0.96"), Decimal(1), 7),
}


def planned_dates(first: date, last: date, calendar: Calendar) -> dict[str, tuple[date, date, int]]:
    """Opening and due day and grace of each stage, spread over a period, on days that are worked.

    The last stage may end a few days after the period: it looks back over all of it.
    """
    days = (last - first).days
    plan: dict[str, tuple[date, date, int]] = {}
    after = first
    for kind, (start, end, grace) in PLAN.items():
        opens = max(calendar.workday(first + timedelta(days=int(days * start))), after)
        due = max(calendar.workday(first + timedelta(days=int(days * end))), opens)
        plan[kind] = (opens, due, grace)
        after = calendar.workday(due + timedelta(days=1))
    return plan


def year_later(day: date) -> date:
    """The same day a year on; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


@dataclass(frozen=True)
class StageDates:
    """What the check and the clock know of a stage."""

    kind: str
    label: str
    opens_on: date
    due_on: date
    grace_days: int = 0
    state: str = "planned"

    @property
    def closes_after(self) -> date:
        """The last day on which the stage takes anything in."""
        return self.due_on + timedelta(days=self.grace_days)


def date_findings(
    stages: Sequence[StageDates],
    *,
    first: date,
    last: date,
    today: date,
    may_overlap: bool,
    calendar: Calendar,
    url: str = "",
) -> list[Finding]:
    """What is wrong with the dates of a cycle, stage by stage in their order."""
    found: list[Finding] = []

    def add(code: str, sentence: str, *, error: bool = False) -> None:
        found.append(Finding(code, sentence, is_error=error, url=url, fix=_("Change the dates")))

    for stage in stages:
        if stage.opens_on > stage.due_on:
            add(
                f"dates:order:{stage.kind}",
                _("%s is due before it opens.") % stage.label,
                error=True,
            )
        if stage.due_on < today:
            add(
                f"dates:past:{stage.kind}",
                _("%s would be due in the past.") % stage.label,
                error=True,
            )
        elif stage.opens_on < today:
            sentence = _("%s should have opened already: it opens at once on launch.") % stage.label
            add(f"dates:late:{stage.kind}", sentence)
        off = [
            f"{word} ({calendar.holidays[day]})" if day in calendar.holidays else str(word)
            for word, day in ((_("opens"), stage.opens_on), (_("is due"), stage.due_on))
            if not calendar.works_on(day)
        ]
        if off:
            words = {"stage": stage.label, "what": _(" and ").join(off)}
            add(
                f"dates:day_off:{stage.kind}",
                _("%(stage)s %(what)s on a day that nobody works.") % words,
            )
        if stage.opens_on < first:
            sentence = _("%s opens before the first day of the period.") % stage.label
            add(f"dates:before:{stage.kind}", sentence)
        if (stage.due_on - last).days > 120:
            sentence = _("%s is due more than four months after the period.") % stage.label
            add(f"dates:after:{stage.kind}", sentence)
    for earlier, later in itertools.pairwise(stages):
        if later.opens_on < earlier.opens_on:
            sentence = _("%(later)s opens before %(earlier)s.") % {
                "later": later.label,
                "earlier": earlier.label,
            }
            add(f"dates:sequence:{later.kind}", sentence, error=True)
        elif later.opens_on <= earlier.due_on and not may_overlap:
            sentence = _(
                "%(later)s opens while %(earlier)s is still running, and stages may not overlap."
            )
            add(
                f"dates:overlap:{later.kind}",
                sentence % {"later": later.label, "earlier": earlier.label},
                error=True,
            )
    return found


def should_open(stage: StageDates, today: date) -> bool:
    """Whether the clock opens a planned stage on this day of the cycle's zone."""
    return stage.state == "planned" and stage.opens_on <= today


def should_close(
    stage: StageDates, following: StageDates | None, today: date, extended_to: date | None = None
) -> bool:
    """Whether the clock closes an open stage.

    Due day, grace and every extension must be over and the next stage be open; the last stage
    closes with the cycle. Without the second condition nobody could act between two stages.
    """
    if stage.state != "open" or following is None or following.state == "planned":
        return False
    return today > max(stage.closes_after, extended_to or stage.closes_after)


# How a stage stands for one person on a day.
OPEN, PLANNED, CLOSED, ENDED, LEFT = "open", "planned", "closed", "ended", "left"


def standing(
    *, takes_part: bool, runs: bool, state: str | None, extended_to: date | None, today: date
) -> str:
    """How a stage stands for one person: OPEN, or why it is not.

    ENDED: the cycle does not run; LEFT: they do not take part any more; PLANNED: it has not opened
    (a cycle without the stage included); CLOSED: it is over, and they have no more time today.
    """
    if not takes_part:
        return LEFT
    if not runs:
        return ENDED
    if state is None or state == "planned":
        return PLANNED
    if state == "open" or (extended_to is not None and extended_to >= today):
        return OPEN
    return CLOSED


MOST_EXTENSION = timedelta(days=366)


def fault_of_extension(due_on: date, stage: StageDates, today: date) -> str:
    """What is wrong with this day as one person's own day in a stage; "" if nothing is.

    The day is one to come (today counts). In a stage that is not closed it is later than everybody's.
    """
    if due_on < today:
        return _("Give a day that is still to come.")
    if stage.state != "closed" and due_on <= stage.due_on:
        return _("More time ends after the day that holds for all.")
    if due_on > max(stage.due_on, today) + MOST_EXTENSION:
        return _("More than a year is no extension.")
    return ""


# --- Given back ------------------------------------------------------------------------------------

DAYS_TO_REWRITE = 7


def day_to_rewrite(due_on: date | None, today: date) -> date:
    """Until when a form that is given back can be written, if nobody names a day: a week, or the day it was due."""
    return max(due_on or today, today + timedelta(days=DAYS_TO_REWRITE))


def fault_of_rewriting(until: date, today: date) -> str:
    """What is wrong with this day for a form that is given back; "" if nothing is."""
    if until < today:
        return _("Give a day that is still to come.")
    if until > today + MOST_EXTENSION:
        return _("Name a day within a year.")
    return ""


# --- Leaving ---------------------------------------------------------------------------------------


def fault_of_last_day(left_on: date, *, hired_on: date, today: date) -> str:
    """What is wrong with this day as the last one of somebody who takes part; "" if nothing is."""
    if left_on < hired_on:
        return _("The last day cannot be before the first.")
    if left_on > today:
        return _("Say it on the last day: until then they take part.")
    return ""


# --- Transfers -------------------------------------------------------------------------------------


def fault_of_transfer_day(on: date, *, began: date, last_began: date | None) -> str:
    """What is wrong with this day for another manager; "" if nothing is.

    `began` is the first day somebody could lead in this cycle. On the very day on which the last
    manager began, the new one takes their place; before it, the past would be rewritten.
    """
    if on < began:
        return _("The cycle had not begun then.")
    if last_began is not None and on < last_began:
        return (
            _("The present manager began on %s; choose that day or a later one.")
            % last_began.isoformat()
        )
    return ""


# --- Scales ----------------------------------------------------------------------------------------

Level = tuple[Any, Any, Decimal, bool]

SCALES: dict[str, tuple[Any, list[Level]]] = {
    "five": (
        gettext_lazy("Five levels"),
        [
            (
                gettext_lazy("Unsatisfactory"),
                gettext_lazy("Most of what was agreed was not reached."),
                Decimal(1),
                True,
            ),
            (
                gettext_lazy("Partly meets"),
                gettext_lazy("Some of what was agreed was not reached."),
                Decimal(2),
                True,
            ),
            (
                gettext_lazy("Meets"),
                gettext_lazy("What was agreed was reached, reliably."),
                Decimal(3),
                False,
            ),
            (
                gettext_lazy("Exceeds"),
                gettext_lazy("Clearly more was reached than was agreed."),
                Decimal(4),
                False,
            ),
            (
                gettext_lazy("Outstanding"),
                gettext_lazy("Far more than was agreed; others learn from it."),
                Decimal(5),
                False,
            ),
        ],
    ),
    "four": (
        gettext_lazy("Four levels, no middle"),
        [
            (
                gettext_lazy("Below"),
                gettext_lazy("Much of what was agreed was not reached."),
                Decimal(1),
                True,
            ),
            (
                gettext_lazy("Nearly meets"),
                gettext_lazy("Part of what was agreed was not reached."),
                Decimal(2),
                True,
            ),
            (
                gettext_lazy("Meets"),
                gettext_lazy("What was agreed was reached, reliably."),
                Decimal(3),
                False,
            ),
            (
                gettext_lazy("Exceeds"),
                gettext_lazy("Clearly more was reached than was agreed."),
                Decimal(4),
                False,
            ),
        ],
    ),
    "three": (
        gettext_lazy("Three levels"),
        [
            (
                gettext_lazy("Not yet"),
                gettext_lazy("What was agreed was not reached."),
                Decimal(1),
                True,
            ),
            (
                gettext_lazy("Meets"),
                gettext_lazy("What was agreed was reached, reliably."),
                Decimal(2),
                False,
            ),
            (
                gettext_lazy("Exceeds"),
                gettext_lazy("Clearly more was reached than was agreed."),
                Decimal(3),
                False,
            ),
        ],
    ),
}


# --- Reminders -------------------------------------------------------------------------------------

REMIND_BEFORE = (7, 2)
REMIND_AFTER = (1, 3)
ESCALATE_AFTER = 5


def reminder_days(due_on: date, before: Iterable[int], after: Iterable[int]) -> list[date]:
    """The days on which somebody who has not finished is reminded, in order."""
    days = {due_on - timedelta(days=n) for n in before} | {
        due_on + timedelta(days=n) for n in after
    }
    return sorted(days)


def days_from_text(text: str) -> list[int]:
    """ "7, 2" as [7, 2], largest first, without repeats. ValueError for anything that is no count of days."""
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    days = sorted({int(part) for part in parts if part.isascii() and part.isdigit()}, reverse=True)
    if len({part.lstrip("0") or "0" for part in parts}) != len(days):
        raise ValueError(text)
    return days


def escalation_day(due_on: date, after: int | None) -> date | None:
    """The day on which the manager hears that something is still open; None if they never do."""
    return due_on + timedelta(days=after) if after else None
