"""What day it is: always somewhere.

A day belongs to a place, and each question has its own: the cycle's zone for due days, appeals and whatever
else a cycle sets; the person's for what they promise, answer or are reminded of; UTC for relations alone (who
leads whom, who holds which role, who still works here), so that every process agrees on who may see what.
Nothing else in the code asks the clock for a date, and nothing takes an instant's date without a zone;
`tests/test_house.py` holds that. `Cycle.local_day` and `User.local_day` are these functions for a row.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of that name; None if the machine does not know it, or for ""."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def day_of(moment: datetime, zone: tzinfo) -> date:
    """The day on which an instant falls in a zone."""
    return moment.astimezone(zone).date()


def today_in(zone: tzinfo) -> date:
    """Today in a zone."""
    return day_of(timezone.now(), zone)


def today_here() -> date:
    """Today where the reader is, whose zone is the active one: for what they see and write, never for due
    days of a cycle. Outside a request there is no reader; ask for the zone of a cycle or person there.
    """
    return today_in(timezone.get_current_timezone())


def today_for_relations() -> date:
    """The day by which relations are judged, in UTC so that every process agrees."""
    return today_in(UTC)


def begin_of(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day begins in a zone."""
    return datetime.combine(day, time(), zone)


def bounds_of(first: date, last: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The instants between which the days from first to last lie in a zone: from, inclusive, and to, exclusive."""
    return begin_of(first, zone), begin_of(last + timedelta(days=1), zone)
