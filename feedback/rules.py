"""Arithmetic and decisions of feedback: plain values in, plain values out.

Recurrence follows RFC 5545: a rule is read in its zone, so that ten o'clock stays ten o'clock when
the clocks change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from icalendar import Calendar, Event

from pmcycle.cycles.rules import Need

NEEDS: dict[str, Need] = {
    "feedback:request": Need(
        title=_("Give feedback about %(name)s"),
        button=_("Give feedback"),
        url_name="feedback:answer",
        minutes=10,
        waits=_("%(name)s has not answered your request for feedback"),
    ),
    "feedback:agenda": Need(
        title=_("Put a point on the agenda with %(name)s"),
        button=_("Add a point"),
        url_name="feedback:check_in",
        minutes=5,
    ),
    "feedback:not_held": Need(
        title=_("Did your check-in with %(name)s take place?"),
        button=_("Say whether you met"),
        url_name="feedback:check_in",
        minutes=2,
    ),
    "feedback:action": Need(
        title=_("Do what you agreed with %(name)s"),
        button=_("Mark it as done"),
        url_name="feedback:item",
        minutes=15,
        waits=_("%(name)s has an action to do"),
    ),
    "feedback:promise": Need(
        title=_("Keep your promise to %(name)s"),
        button=_("Mark it as kept"),
        url_name="feedback:item",
        minutes=15,
        waits=_("%(name)s has a promise to keep"),
    ),
}

# An empty agenda is worth a word from so long before the meeting on.
PREPARE_BEFORE = timedelta(days=2)

# How many meetings of a series stand in the calendar ahead of time.
PLANNED_AHEAD = 6
# After so many days without a word between the two, the silence is worth a remark.
SILENT_AFTER = 30
# From this share on, one of the two does all the talking.
ONE_WAY_FROM = 0.9
ONE_WAY_LEAST = 5

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WEEKDAY_NAMES = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)
WEEKLY, BIWEEKLY, MONTHLY, ONCE = "weekly", "biweekly", "monthly", "once"


def first_day(starts_on: date, weekday: int) -> date:
    """The first such weekday (Monday is 0) on or after the day."""
    return starts_on + timedelta(days=(weekday - starts_on.weekday()) % 7)


def rrule_text(frequency: str, first: date) -> str:
    """The recurrence rule of meetings that begin on `first`: weekly, every two weeks, or monthly on the
    same weekday of the month (a fifth one counts as the last, because not every month has five)."""
    day = WEEKDAYS[first.weekday()]
    if frequency == WEEKLY:
        return f"FREQ=WEEKLY;BYDAY={day}"
    if frequency == BIWEEKLY:
        return f"FREQ=WEEKLY;INTERVAL=2;BYDAY={day}"
    if frequency == MONTHLY:
        nth = (first.day - 1) // 7 + 1
        return f"FREQ=MONTHLY;BYDAY={-1 if nth == 5 else nth}{day}"
    raise ValueError(frequency)


def frequency_of(rrule: str) -> str:
    """Which of our choices a recurrence rule is."""
    if rrule.startswith("FREQ=MONTHLY"):
        return MONTHLY
    return BIWEEKLY if "INTERVAL=2" in rrule else WEEKLY


def rhythm_in_words(rrule: str) -> str:
    """The rule as people say it: "every two weeks on Tuesday"."""
    day = rrule.rpartition("BYDAY=")[2]
    name = WEEKDAY_NAMES[WEEKDAYS.index(day[-2:])]
    frequency = frequency_of(rrule)
    if frequency == WEEKLY:
        return _t("every week on %(day)s") % {"day": name}
    if frequency == BIWEEKLY:
        return _t("every two weeks on %(day)s") % {"day": name}
    which = {
        "1": _t("first"),
        "2": _t("second"),
        "3": _t("third"),
        "4": _t("fourth"),
        "-1": _t("last"),
    }[day[:-2]]
    return _t("on the %(which)s %(day)s of each month") % {"which": which, "day": name}


def instant(day: date, at: time, zone: str) -> datetime:
    """That local time as an instant in UTC.

    A time that the spring change skips is read with the offset before the change (RFC 5545, 3.3.5);
    of a time that happens twice in autumn the first one is meant.
    """
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def occurrences(
    rrule: str,
    starts_on: date,
    at: time,
    zone: str,
    *,
    after: datetime,
    limit: int,
    away: Iterable[tuple[date, date | None]] = (),
) -> list[datetime]:
    """The next `limit` meetings after an instant, in UTC, without the days on which somebody is away.

    `away` are spans of days, both ends inclusive, an open end is None. Looks at most two years
    ahead, so that an absence without an end yields a short list and not an endless search.
    """
    spans = list(away)
    local = ZoneInfo(zone)
    rule = rrulestr(rrule, dtstart=datetime.combine(starts_on, at))
    begin = after.astimezone(local).replace(tzinfo=None) - timedelta(days=1)
    until = begin + timedelta(days=731)
    found: list[datetime] = []
    for moment in rule.xafter(begin, inc=True):
        if len(found) >= limit or moment > until:
            break
        slot = instant(moment.date(), at, zone)
        if slot > after and not is_away(moment.date(), spans):
            found.append(slot)
    return found


def is_away(day: date, spans: Iterable[tuple[date, date | None]]) -> bool:
    """Whether the day lies in one of the spans; both ends belong to them."""
    return any(first <= day and (last is None or day <= last) for first, last in spans)


def silence_days(last: datetime | None, since: date, today: date) -> int:
    """Days without a word between the two: since they last talked, or since they became a pair."""
    return max(0, (today - max(last.date() if last else since, since)).days)


def is_silent(days: int) -> bool:
    """Whether the silence is long enough for a remark."""
    return days >= SILENT_AFTER


def one_way_share(by_manager: int, by_employee: int) -> float | None:
    """The share (0.5 to 1) of the one who talks more; None while too little was said to tell."""
    total = by_manager + by_employee
    return max(by_manager, by_employee) / total if total >= ONE_WAY_LEAST else None


def is_one_way(by_manager: int, by_employee: int) -> bool:
    """Whether one of the two does nearly all the talking."""
    share = one_way_share(by_manager, by_employee)
    return share is not None and share >= ONE_WAY_FROM


@dataclass(frozen=True)
class Meeting:
    """What a calendar may know of a check-in: when, with whom, and where to open it. Never what is said."""

    uid: str
    title: str
    starts_at: datetime
    minutes: int
    url: str
    sequence: int
    stamp: datetime
    # Whoever keeps the meeting in their calendar learns from its file that it was called off, and by whom it was set.
    is_cancelled: bool = False
    organiser: str = ""


def calendar_text(meetings: Iterable[Meeting], name: str, method: str = "PUBLISH") -> bytes:
    """The meetings as an iCalendar file (RFC 5545), times in UTC so that every program shows its own zone.

    `method` (RFC 5546) says what a program shall do with them: keep them ("PUBLISH") or strike them ("CANCEL").
    """
    calendar = Calendar()
    calendar.add("prodid", "-//pmcycle//check-ins//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add("x-wr-calname", name)
    for meeting in meetings:
        event = Event()
        event.add("uid", meeting.uid)
        event.add("summary", meeting.title)
        event.add("dtstart", meeting.starts_at.astimezone(UTC))
        event.add("dtend", meeting.starts_at.astimezone(UTC) + timedelta(minutes=meeting.minutes))
        event.add("dtstamp", meeting.stamp.astimezone(UTC))
        event.add("sequence", meeting.sequence)
        event.add("url", meeting.url)
        event.add("status", "CANCELLED" if meeting.is_cancelled else "CONFIRMED")
        if meeting.organiser:
            event.add("organizer", f"mailto:{meeting.organiser}")
        calendar.add_component(event)
    return bytes(calendar.to_ical())
