"""When things happen in the demo company: on working days, in the working hours of whoever does them.

What is written in sets says its moments itself. What is done by actions is put into a script, and played in the
order of its moments with the clock at each of them, so that the trail tells it as it would have happened.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pgtrigger
from django.apps import apps
from django.db import connection, models
from django.utils import timezone

from pmcycle.days import day_of

HOME = "Europe/Berlin"
# In the zone in which it is earliest, the day before is over everywhere.
WEST = ZoneInfo("America/New_York")
OPENS = time(9)
MINUTES = 480  # from nine to five


class Hours:
    """Days and moments around the one of loading. All count working days: 1 is the last one before today."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.today = day_of(now, WEST)
        self._past = [self.today]
        self._at = lru_cache(maxsize=None)(self._moment)

    def back(self, days: int) -> date:
        """The day so many working days before today."""
        while len(self._past) <= days:
            day = self._past[-1] - timedelta(days=1)
            while day.weekday() > 4:
                day -= timedelta(days=1)
            self._past.append(day)
        return self._past[days]

    def ahead(self, days: int) -> date:
        """The day so many working days after today."""
        day = self.today
        for _each in range(days):
            day += timedelta(days=1)
            while day.weekday() > 4:
                day += timedelta(days=1)
        return day

    def at(self, days: int, minute: int = 0, zone: str = HOME) -> datetime:
        """The moment so many working days back, so many minutes after nine where the person is.

        What follows something done elsewhere follows it on a later day: then no zone turns the two round.
        """
        return self._at(days, minute, zone)

    def on(self, day: date, minute: int = 0, zone: str = HOME) -> datetime:
        """The same on a day; of a weekend's day, on the Friday before."""
        day -= timedelta(days=max(0, day.weekday() - 4))
        return datetime.combine(day, OPENS, ZoneInfo(zone)) + timedelta(minutes=minute % MINUTES)

    def _moment(self, days: int, minute: int, zone: str) -> datetime:
        return self.on(self.back(days), minute, zone)


class Script:
    """What people did by the product's own actions, each act at its moment."""

    def __init__(self) -> None:
        self._acts: list[tuple[datetime, int, Callable[[], Any]]] = []
        self._begun = _clock_of_database()
        self._spans: list[tuple[datetime, datetime]] = []

    def at(self, moment: datetime, act: Callable[[], Any]) -> None:
        self._acts.append((moment, len(self._acts), act))

    def play(self) -> None:
        """Do all that is not done yet, in the order in which it happened."""
        really = timezone.now
        clock = [really()]
        try:
            setattr(timezone, "now", lambda: clock[0])  # noqa: B010 - a clock of our own is what this is about
            for moment, _place, act in sorted(self._acts, key=lambda one: one[:2]):
                clock[0] = moment
                self._spans.append((_clock_of_database(), moment))
                act()
            self._acts.clear()
        finally:
            setattr(timezone, "now", really)  # noqa: B010

    def set_back(self) -> None:
        """Move what the database dated by its own clock meanwhile to the moment that was played then."""
        starts = [real for real, _moment in self._spans]
        ended = _clock_of_database()

        def played(real: datetime) -> datetime:
            return self._spans[max(0, bisect_right(starts, real) - 1)][1]

        with pgtrigger.ignore(), connection.cursor() as cursor:
            for model in apps.get_models():
                for field in dated_by_database(model):
                    seen = model._base_manager.filter(
                        **{f"{field.name}__range": (self._begun, ended)}
                    )
                    moments = list(seen.values_list(field.name, flat=True).distinct())
                    if not moments:
                        continue
                    table, column = model._meta.db_table, field.column
                    cursor.execute(
                        f'UPDATE {table} t SET "{column}" = m.played'  # noqa: S608 - names of ours
                        " FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS m(real, played)"
                        f' WHERE t."{column}" = m.real',
                        [moments, [played(moment) for moment in moments]],
                    )


def _clock_of_database() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def dated_by_database(model: type[models.Model]) -> list[models.DateTimeField[Any, Any]]:
    """The moments of a row that the database sets by its own clock."""
    return [
        field
        for field in model._meta.local_fields
        if isinstance(field, models.DateTimeField)
        and isinstance(field.db_default, models.functions.Now)
        and model._meta.managed
    ]


@contextmanager
def written_later(*kinds: type[models.Model]) -> Iterator[None]:
    """Let rows say when they were made: they are written down later than that."""
    fields = [
        field
        for kind in kinds
        for field in kind._meta.local_fields
        if isinstance(field, models.DateTimeField) and (field.auto_now_add or field.auto_now)
    ]
    before = [(field.auto_now_add, field.auto_now) for field in fields]
    try:
        for field in fields:
            field.auto_now_add = field.auto_now = False
        yield
    finally:
        for field, (added, changed) in zip(fields, before, strict=True):
            field.auto_now_add, field.auto_now = added, changed
