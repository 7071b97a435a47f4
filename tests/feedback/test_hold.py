"""Holding, moving and calling off a meeting; points that go on to the next."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.db import Error, transaction
from django.urls import reverse
from django.utils import timezone

from feedback import actions
from feedback.models import AgendaPoint, CheckIn
from pmcycle.activity.models import Event, Notice
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories.feedback import make_check_in, make_point, person


def url(name: str, row: CheckIn) -> str:
    return reverse(f"feedback:{name}", kwargs={"pk": row.pk})


@pytest.fixture
def meeting(world: World) -> CheckIn:
    return make_check_in(person(world.bashir), person(world.ana), in_days=-0.1)


@pytest.fixture
def following(world: World) -> CheckIn:
    return make_check_in(person(world.bashir), person(world.ana), in_days=7)


def test_what_was_not_ticked_goes_to_the_next_agenda(
    world: World, as_: SignedIn, meeting: CheckIn, following: CheckIn
) -> None:
    make_point(meeting, person(world.ana), "Talked about", is_done=True)
    left = make_point(meeting, person(world.ana), "Spare parts")
    make_point(meeting, person(world.bashir), "Safety walk")
    make_point(meeting, person(world.ana), "Taken back", withdrawn_at=timezone.now())
    assert (
        as_(world.bashir).post(url("hold", meeting), {"version": meeting.version}).status_code
        == 302
    )
    meeting.refresh_from_db()
    assert meeting.is_held
    assert [(p.text, p.author) for p in following.points.all()] == [
        ("Spare parts", person(world.ana)),
        ("Safety walk", person(world.bashir)),
    ]
    assert following.points.get(text="Spare parts").carried_from == left
    page = as_(world.ana).get(url("check_in", following)).content.decode()
    assert "carried over from last time" in page


def test_the_other_one_is_told_once_and_the_event_is_written(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    as_(world.bashir).post(url("hold", meeting), {"version": meeting.version})
    assert Notice.objects.get().recipient == world.ana
    assert Event.objects.get(verb="held").about == person(world.ana)


def test_it_is_held_once(world: World, as_: SignedIn, meeting: CheckIn) -> None:
    first = as_(world.ana).post(url("hold", meeting), {"version": meeting.version})
    again = as_(world.ana).post(url("hold", meeting), {"version": meeting.version})
    assert (first.status_code, again.status_code) == (302, 409)


def test_a_stale_page_and_one_without_a_version_hold_nothing(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    assert as_(world.ana).post(url("hold", meeting), {"version": 9}).status_code == 409
    as_(world.ana).post(url("hold", meeting), {})
    meeting.refresh_from_db()
    assert meeting.is_planned


def test_a_meeting_days_ahead_is_not_held_yet(
    world: World, as_: SignedIn, following: CheckIn
) -> None:
    assert as_(world.ana).post(url("hold", following), {"version": 1}).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_both_press_held_at_the_same_moment_and_points_go_on_once(transactional_db: None) -> None:
    world = build_world()
    bashir, ana = person(world.bashir), person(world.ana)
    meeting, following = (
        make_check_in(bashir, ana, in_days=-0.1),
        make_check_in(bashir, ana, in_days=7),
    )
    make_point(meeting, ana)
    both = (partial(actions.hold, meeting, version=1, by=by) for by in (world.ana, world.bashir))
    assert refused(at_once(*both)) == 1
    assert AgendaPoint.objects.filter(check_in=following).count() == 1
    assert Event.objects.filter(verb="held").count() == 1


def test_a_point_goes_on_at_most_once(world: World, meeting: CheckIn, following: CheckIn) -> None:
    point = make_point(meeting, person(world.ana))
    make_point(following, person(world.ana), carried_from=point)
    with pytest.raises(Error), transaction.atomic():
        make_point(following, person(world.ana), carried_from=point)


def test_a_point_waits_for_a_meeting_that_is_set_up_later(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    make_point(meeting, person(world.ana), "Waits")
    as_(world.ana).post(url("hold", meeting), {"version": meeting.version})
    day = (timezone.now() + timedelta(days=4)).date()
    data = {
        "other": person(world.bashir).pk,
        "frequency": "once",
        "weekday": 0,
        "at": "09:00",
        "minutes": 30,
        "starts_on": day.isoformat(),
        "zone": "UTC",
    }
    as_(world.ana).post(reverse("feedback:schedule"), data)
    assert CheckIn.objects.get(state="planned").points.get().text == "Waits"


class TestMoving:
    def test_one_meeting_moves_and_the_other_one_is_told(
        self, world: World, as_: SignedIn, following: CheckIn
    ) -> None:
        when = (timezone.now() + timedelta(days=9)).replace(second=0, microsecond=0)
        data = {"starts_at": when.strftime("%Y-%m-%dT%H:%M"), "minutes": 45, "version": 1}
        assert as_(world.ana).post(url("move_check_in", following), data).status_code == 302
        following.refresh_from_db()
        assert (following.starts_at, following.minutes) == (when, 45)
        assert Notice.objects.get().recipient == world.bashir

    @pytest.mark.parametrize("when", ["2001-01-01T10:00", "9998-01-01T10:00", "tomorrow", ""])
    def test_a_time_that_cannot_be(
        self, world: World, as_: SignedIn, following: CheckIn, when: str
    ) -> None:
        data = {"starts_at": when, "minutes": 30, "version": 1}
        assert as_(world.ana).post(url("move_check_in", following), data).status_code == 422

    def test_not_onto_another_meeting_of_the_two(
        self, world: World, as_: SignedIn, following: CheckIn
    ) -> None:
        when = (timezone.now() + timedelta(days=9)).replace(second=0, microsecond=0)
        make_check_in(person(world.bashir), person(world.ana), starts_at=when)
        data = {"starts_at": when.strftime("%Y-%m-%dT%H:%M"), "minutes": 30, "version": 1}
        assert as_(world.ana).post(url("move_check_in", following), data).status_code == 422

    def test_a_held_one_does_not_move(self, world: World, as_: SignedIn, meeting: CheckIn) -> None:
        actions.hold(meeting, version=1, by=world.ana)
        when = (timezone.now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
        data = {"starts_at": when, "minutes": 30, "version": 2}
        assert as_(world.ana).post(url("move_check_in", meeting), data).status_code == 409


class TestCallingOff:
    def test_open_points_go_on(
        self, world: World, as_: SignedIn, meeting: CheckIn, following: CheckIn
    ) -> None:
        make_point(meeting, person(world.ana), "Still matters")
        assert (
            as_(world.bashir).post(url("cancel_check_in", meeting), {"version": 1}).status_code
            == 302
        )
        meeting.refresh_from_db()
        assert (meeting.state, meeting.cancelled_why) == ("cancelled", "by_hand")
        assert following.points.get().text == "Still matters"
        assert (
            as_(world.bashir).post(url("cancel_check_in", meeting), {"version": 2}).status_code
            == 409
        )
