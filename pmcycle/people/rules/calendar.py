"""Which days are worked: the days of the week and the holidays of the company."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

MONDAY_TO_FRIDAY = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Calendar:
    """`working_days` are ISO weekdays (Monday is 1); `holidays` name the days on which nobody works all the same.

    `WORKS_ON` in `pmcycle.people.models` says the same to the database.
    """

    working_days: Iterable[int] = MONDAY_TO_FRIDAY
    holidays: Mapping[date, str] = field(default_factory=dict)

    def works_on(self, day: date) -> bool:
        """Whether people work on the day."""
        return day.isoweekday() in self.working_days and day not in self.holidays

    def workday(self, day: date) -> date:
        """The day itself, or the next one that is worked; the day itself if a year has none."""
        following = (day + timedelta(days=n) for n in range(366))
        return next((d for d in following if self.works_on(d)), day)
