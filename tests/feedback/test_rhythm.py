"""When a series meets: across the changes of the clock, in both zones, without days of leave."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback import rules

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def times(
    frequency: str,
    first: date,
    at: time,
    zone: str,
    limit: int = 4,
    away: list[tuple[date, date | None]] | None = None,
) -> list[datetime]:
    begin = datetime.combine(first, time(0), UTC) - timedelta(days=1)
    return rules.occurrences(
        rules.rrule_text(frequency, first),
        first,
        at,
        zone,
        after=begin,
        limit=limit,
        away=away or [],
    )


@pytest.mark.parametrize(
    ("zone", "first", "hours_in_utc"),
    [
        # Germany goes to summer time on 29 March 2026 and back on 25 October.
        ("Europe/Berlin", date(2026, 3, 23), [9, 8, 8, 8]),
        ("Europe/Berlin", date(2026, 10, 12), [8, 8, 9, 9]),
        # New York on 8 March and 1 November.
        ("America/New_York", date(2026, 3, 2), [15, 14, 14, 14]),
        ("America/New_York", date(2026, 10, 19), [14, 14, 15, 15]),
        ("Asia/Kolkata", date(2026, 3, 23), [4, 4, 4, 4]),
    ],
)
def test_ten_o_clock_stays_ten_o_clock(zone: str, first: date, hours_in_utc: list[int]) -> None:
    found = times("weekly", first, time(10), zone)
    assert [moment.hour for moment in found] == hours_in_utc
    assert {moment.astimezone(ZoneInfo(zone)).time() for moment in found} == {time(10)}


def test_whoever_lives_elsewhere_sees_the_hour_shift_and_come_back() -> None:
    found = times("weekly", date(2026, 3, 2), time(16), "Europe/Berlin", limit=6)
    assert [moment.astimezone(NEW_YORK).hour for moment in found] == [10, 11, 11, 11, 10, 10]
    assert {moment.astimezone(BERLIN).hour for moment in found} == {16}


def test_a_time_that_spring_skips_is_an_hour_later_that_day_only() -> None:
    found = times("weekly", date(2026, 3, 22), time(2, 30), "Europe/Berlin", limit=3)
    assert [moment.astimezone(BERLIN).time() for moment in found] == [
        time(2, 30),
        time(3, 30),
        time(2, 30),
    ]


def test_a_time_that_comes_twice_in_autumn_is_the_first() -> None:
    (found,) = times("weekly", date(2026, 10, 25), time(2, 30), "Europe/Berlin", limit=1)
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_every_two_weeks_and_the_same_weekday_of_the_month() -> None:
    first = date(2026, 1, 13)
    assert [m.date() for m in times("biweekly", first, time(9), "UTC", limit=3)] == [
        date(2026, 1, 13),
        date(2026, 1, 27),
        date(2026, 2, 10),
    ]
    assert [m.date() for m in times("monthly", first, time(9), "UTC", limit=3)] == [
        date(2026, 1, 13),
        date(2026, 2, 10),
        date(2026, 3, 10),
    ]


def test_a_fifth_weekday_is_the_last_so_that_no_month_is_left_out() -> None:
    assert [m.date() for m in times("monthly", date(2026, 1, 29), time(9), "UTC", limit=3)] == [
        date(2026, 1, 29),
        date(2026, 2, 26),
        date(2026, 3, 26),
    ]


def test_days_of_leave_are_left_out_and_made_up_for() -> None:
    leave: list[tuple[date, date | None]] = [(date(2026, 1, 12), date(2026, 1, 19))]
    found = times("weekly", date(2026, 1, 5), time(9), "UTC", limit=3, away=leave)
    assert [m.date() for m in found] == [date(2026, 1, 5), date(2026, 1, 26), date(2026, 2, 2)]


def test_leave_without_an_end_yields_nothing_and_ends() -> None:
    assert times("weekly", date(2026, 1, 5), time(9), "UTC", away=[(date(2026, 1, 1), None)]) == []


@pytest.mark.parametrize(
    ("frequency", "first", "words"),
    [
        ("weekly", date(2026, 1, 5), "every week on Monday"),
        ("biweekly", date(2026, 1, 9), "every two weeks on Friday"),
        ("monthly", date(2026, 1, 13), "on the second Tuesday of each month"),
        ("monthly", date(2026, 1, 29), "on the last Thursday of each month"),
    ],
)
def test_the_rule_in_words_and_back(frequency: str, first: date, words: str) -> None:
    rule = rules.rrule_text(frequency, first)
    assert rules.rhythm_in_words(rule) == words
    assert rules.frequency_of(rule) == frequency


def test_an_unknown_rhythm_is_refused() -> None:
    with pytest.raises(ValueError, match="hourly"):
        rules.rrule_text("hourly", date(2026, 1, 5))


ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
)


@given(
    st.sampled_from(["weekly", "biweekly", "monthly"]),
    st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    st.times(),
    ZONES,
    st.integers(0, 6),
)
def test_meetings_are_in_order_on_the_weekday_and_none_is_doubled(
    frequency: str, day: date, at: time, zone: str, weekday: int
) -> None:
    first = rules.first_day(day, weekday)
    at = at.replace(second=0, microsecond=0)
    assert 0 <= (first - day).days < 7
    found = times(frequency, first, at, zone)
    assert len(found) == 4
    assert found == sorted(set(found))
    # A skipped hour may end after midnight in no zone of ours, so the weekday always holds.
    assert {m.astimezone(ZoneInfo(zone)).weekday() for m in found} == {weekday}


class TestSilence:
    def test_days_count_from_the_last_talk_or_from_becoming_a_pair(self) -> None:
        today = date(2026, 5, 31)
        assert (
            rules.silence_days(datetime(2026, 5, 1, 12, tzinfo=UTC), date(2026, 1, 1), today) == 30
        )
        assert rules.silence_days(None, date(2026, 5, 11), today) == 20
        assert rules.silence_days(datetime(2026, 1, 1, tzinfo=UTC), date(2026, 5, 11), today) == 20
        assert rules.silence_days(datetime(2026, 6, 2, tzinfo=UTC), date(2026, 1, 1), today) == 0

    @pytest.mark.parametrize(("days", "silent"), [(0, False), (29, False), (30, True), (400, True)])
    def test_a_month_is_silence(self, days: int, silent: bool) -> None:
        assert rules.is_silent(days) is silent

    @pytest.mark.parametrize(
        ("manager", "employee", "share", "one_way"),
        [
            (0, 0, None, False),
            (4, 0, None, False),
            (5, 0, 1.0, True),
            (9, 1, 0.9, True),
            (3, 3, 0.5, False),
            (1, 8, 8 / 9, False),
        ],
    )
    def test_one_of_the_two_does_the_talking(
        self, manager: int, employee: int, share: float | None, one_way: bool
    ) -> None:
        assert rules.one_way_share(manager, employee) == share
        assert rules.is_one_way(manager, employee) is one_way
