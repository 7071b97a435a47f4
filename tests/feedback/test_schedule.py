"""Setting up, changing and ending recurring check-ins; what the clock plans ahead."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import Error, transaction
from django.urls import reverse
from django.utils import timezone

from feedback import actions
from feedback.models import CheckIn, CheckInSeries
from feedback.rules import PLANNED_AHEAD
from feedback.tasks import plan_check_ins
from pmcycle.access import today
from pmcycle.activity.models import Event, Notice
from pmcycle.people.models import Absence, ReportingLine
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories.feedback import make_check_in, make_point, make_series, person

NEW = "feedback:schedule"


def rhythm(**changes: Any) -> dict[str, Any]:
    start = today() + timedelta(days=1)
    return {
        "frequency": "weekly",
        "weekday": 0,
        "at": "10:00",
        "minutes": 30,
        "starts_on": start.isoformat(),
        "zone": "Europe/Berlin",
        **changes,
    }


def planned(world: World) -> list[CheckIn]:
    rows = CheckIn.objects.filter(employee=person(world.ana), state="planned")
    return list(rows.order_by("starts_at"))


def test_a_manager_sets_up_weekly_check_ins(world: World, as_: SignedIn) -> None:
    ana = person(world.ana)
    answer = as_(world.bashir).post(reverse(NEW), rhythm(other=ana.pk))
    assert answer.status_code == 302
    rows = planned(world)
    assert len(rows) == PLANNED_AHEAD
    local = [row.starts_at.astimezone(ZoneInfo("Europe/Berlin")) for row in rows]
    assert {(moment.weekday(), moment.hour) for moment in local} == {(0, 10)}
    assert all(row.manager == person(world.bashir) for row in rows)


def test_so_does_the_employee_and_the_manager_is_told(world: World, as_: SignedIn) -> None:
    as_(world.ana).post(reverse(NEW), rhythm(other=person(world.bashir).pk))
    series = CheckInSeries.objects.get()
    assert (series.manager, series.employee) == (person(world.bashir), person(world.ana))
    assert Notice.objects.get().recipient == world.bashir
    assert Event.objects.filter(verb="scheduled").count() == 1


def test_one_meeting_only(world: World, as_: SignedIn) -> None:
    day = today() + timedelta(days=3)
    data = rhythm(other=person(world.ana).pk, frequency="once", starts_on=day.isoformat())
    assert as_(world.bashir).post(reverse(NEW), data).status_code == 302
    only = CheckIn.objects.get()
    assert only.series is None
    assert only.starts_at == datetime(
        day.year, day.month, day.day, 10, tzinfo=ZoneInfo("Europe/Berlin")
    )


@pytest.mark.parametrize("who", ["chen", "gita", "farid", "kim"])
def test_only_manager_and_employee_meet(world: World, as_: SignedIn, who: str) -> None:
    answer = as_(getattr(world, who)).post(reverse(NEW), rhythm(other=person(world.ana).pk))
    assert answer.status_code == 422
    assert not CheckInSeries.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("zone", "Mars/Olympus"),
        ("zone", "../../etc/passwd"),
        ("minutes", "7"),
        ("minutes", "9" * 30),
        ("starts_on", "2001-01-01"),
        ("starts_on", "9999-12-31"),
        ("starts_on", "2027-02-30"),
        ("at", "25:00"),
        ("weekday", "8"),
        ("frequency", "hourly"),
        ("other", "0"),
        ("zone", "Europe/\x00"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    world: World, as_: SignedIn, field: str, value: str
) -> None:
    data = rhythm(other=person(world.ana).pk) | {field: value}
    assert as_(world.bashir).post(reverse(NEW), data).status_code == 422
    assert not CheckInSeries.objects.exists()


def test_a_second_series_of_the_same_two_is_refused(world: World, as_: SignedIn) -> None:
    make_series(person(world.bashir), person(world.ana))
    answer = as_(world.bashir).post(reverse(NEW), rhythm(other=person(world.ana).pk))
    assert answer.status_code == 409
    with pytest.raises(Error), transaction.atomic():
        make_series(person(world.bashir), person(world.ana))


@pytest.mark.django_db(transaction=True)
def test_both_set_one_up_at_the_same_moment_and_there_is_one(transactional_db: None) -> None:
    world = build_world()
    values = rhythm() | {"starts_on": today() + timedelta(days=1), "at": datetime.min.time()}
    results = at_once(
        lambda: actions.schedule(person(world.ana), by=world.bashir, **values),
        lambda: actions.schedule(person(world.bashir), by=world.ana, **values),
    )
    assert refused(results) == 1
    assert CheckInSeries.objects.count() == 1
    assert CheckIn.objects.count() == PLANNED_AHEAD


class TestTheClock:
    def test_it_keeps_the_next_meetings_planned_and_doubles_none(self, world: World) -> None:
        make_series(person(world.bashir), person(world.ana))
        plan_check_ins()
        first = [c.pk for c in planned(world)]
        assert len(first) == PLANNED_AHEAD
        plan_check_ins()
        assert [c.pk for c in planned(world)] == first

    def test_a_meeting_called_off_does_not_come_back(self, world: World) -> None:
        make_series(person(world.bashir), person(world.ana))
        plan_check_ins()
        gone = planned(world)[0]
        actions.cancel_check_in(gone, version=gone.version, by=world.ana)
        plan_check_ins()
        assert gone.pk not in [c.pk for c in planned(world)]

    def test_a_meeting_moved_is_not_planned_again_in_its_old_place(self, world: World) -> None:
        make_series(person(world.bashir), person(world.ana))
        plan_check_ins()
        row = planned(world)[0]
        actions.move_check_in(
            row,
            starts_at=row.starts_at + timedelta(hours=3),
            minutes=30,
            version=row.version,
            by=world.ana,
        )
        plan_check_ins()
        assert len(planned(world)) == PLANNED_AHEAD

    def test_nobody_meets_on_a_day_of_leave_and_the_meetings_come_back_with_the_person(
        self, world: World
    ) -> None:
        make_series(person(world.bashir), person(world.ana))
        plan_check_ins()
        before = planned(world)
        last = today() + timedelta(days=15)
        away = Absence.objects.create(employee=person(world.ana), starts_on=today(), ends_on=last)
        plan_check_ins()
        left_out = [c for c in before if c.starts_at.date() <= last]
        assert left_out
        assert all(c.starts_at.date() > last for c in planned(world))
        for row in left_out:
            row.refresh_from_db()
            assert (row.state, row.cancelled_why) == ("cancelled", "away")
        away.delete()
        plan_check_ins()
        assert {c.pk for c in before} <= {c.pk for c in planned(world)}

    def test_a_new_manager_takes_over_the_rhythm_but_nothing_written(
        self, world: World, as_: SignedIn
    ) -> None:
        farid, ana, bashir = person(world.farid), person(world.ana), person(world.bashir)
        old = make_series(farid, ana)
        held = make_check_in(
            farid, ana, in_days=-40, state="held", shared_note="Between Ana and Farid"
        )
        ahead = make_check_in(farid, ana, in_days=3, series=old)
        make_point(ahead, ana, "For Farid only")
        plan_check_ins()
        old.refresh_from_db()
        ahead.refresh_from_db()
        assert old.ended_on == today()
        assert ahead.state == "cancelled"
        assert CheckInSeries.objects.get(ended_on=None).manager == bashir
        assert {c.manager for c in planned(world)} == {bashir}
        assert not any(c.points.exists() for c in planned(world))
        url = reverse("feedback:check_in", kwargs={"pk": held.pk})
        assert as_(world.farid).get(url).status_code == 200
        assert as_(world.ana).get(url).status_code == 200
        assert as_(world.bashir).get(url).status_code == 404

    def test_whoever_has_left_is_not_planned_for(self, world: World) -> None:
        make_series(person(world.bashir), person(world.chen))
        day = today() - timedelta(days=1)
        ReportingLine.objects.filter(employee=person(world.chen)).update(ends_on=day)
        world.part["chen"].assignments.update(ends_on=day)
        plan_check_ins()
        assert not CheckIn.objects.exists()

    def test_it_takes_as_many_statements_for_many_series_as_for_one(
        self, world: World, django_assert_max_num_queries: Any
    ) -> None:
        for employee, manager in (
            ("ana", "bashir"),
            ("chen", "bashir"),
            ("hugo", "gita"),
            ("kim", "dora"),
        ):
            make_series(person(getattr(world, manager)), person(getattr(world, employee)))
        with django_assert_max_num_queries(12):
            plan_check_ins()
        assert CheckIn.objects.count() == 4 * PLANNED_AHEAD


class TestChangingASeries:
    def test_the_agendas_move_along_in_order(self, world: World, as_: SignedIn) -> None:
        bashir, ana = person(world.bashir), person(world.ana)
        series = make_series(bashir, ana)
        plan_check_ins()
        first, second = planned(world)[:2]
        make_point(first, ana, "First")
        make_point(second, ana, "Second")
        url = reverse("feedback:reschedule_series", kwargs={"pk": series.pk})
        answer = as_(world.ana).post(url, rhythm(weekday=2, at="15:30", version=series.version))
        assert answer.status_code == 302
        rows = planned(world)
        assert [p.text for row in rows for p in row.points.all()] == ["First", "Second"]
        assert rows[0].pk == first.pk
        assert {row.starts_at.astimezone(ZoneInfo("Europe/Berlin")).weekday() for row in rows} == {
            2
        }
        assert len(rows) == PLANNED_AHEAD
        series.refresh_from_db()
        assert series.ended_on == today()

    def test_the_same_weekday_at_another_week_does_not_trip_over_itself(
        self, world: World, as_: SignedIn
    ) -> None:
        series = make_series(person(world.bashir), person(world.ana), zone="Europe/Berlin")
        plan_check_ins()
        url = reverse("feedback:reschedule_series", kwargs={"pk": series.pk})
        later = (today() + timedelta(days=8)).isoformat()
        data = rhythm(weekday=0, starts_on=later, version=series.version)
        assert as_(world.bashir).post(url, data).status_code == 302
        assert len(planned(world)) == PLANNED_AHEAD

    def test_a_stale_form_is_a_conflict(self, world: World, as_: SignedIn) -> None:
        series = make_series(person(world.bashir), person(world.ana))
        url = reverse("feedback:reschedule_series", kwargs={"pk": series.pk})
        assert as_(world.ana).post(url, rhythm(version=series.version + 1)).status_code == 409

    def test_ending_calls_off_what_is_ahead_and_keeps_what_was(
        self, world: World, as_: SignedIn
    ) -> None:
        bashir, ana = person(world.bashir), person(world.ana)
        series = make_series(bashir, ana)
        held = make_check_in(bashir, ana, in_days=-7, state="held", series=series)
        plan_check_ins()
        url = reverse("feedback:end_series", kwargs={"pk": series.pk})
        assert as_(world.ana).post(url, {"version": series.version}).status_code == 302
        assert not planned(world)
        held.refresh_from_db()
        assert held.is_held
        assert as_(world.ana).post(url, {"version": series.version}).status_code == 409


def test_the_list_shows_what_comes_what_was_held_and_what_waits_for_a_word(
    world: World, as_: SignedIn
) -> None:
    bashir, ana = person(world.bashir), person(world.ana)
    make_series(bashir, ana)
    make_check_in(bashir, ana, in_days=2)
    make_check_in(bashir, ana, in_days=-2)
    make_check_in(bashir, ana, in_days=-9, state="held")
    page = as_(world.ana).get(reverse("feedback:check_ins")).content.decode()
    for words in (
        "Coming up",
        "Did you meet?",
        "Held",
        "Every week on Monday, 10:00",
        "Bashir Nouri",
    ):
        assert words in page
    empty = as_(world.hugo).get(reverse("feedback:check_ins")).content.decode()
    assert "No check-in is planned." in empty


def test_a_meeting_has_one_place_in_its_series(world: World) -> None:
    bashir, ana = person(world.bashir), person(world.ana)
    series, when = make_series(bashir, ana), timezone.now()
    make_check_in(bashir, ana, series=series, slot=when)
    with pytest.raises(Error), transaction.atomic():
        make_check_in(bashir, ana, in_days=5, series=series, slot=when)
    with pytest.raises(Error), transaction.atomic():
        CheckIn.objects.create(
            manager=bashir, employee=ana, starts_at=when, state="planned", cancelled_why="away"
        )
