"""Actions of the employee and promises of the manager."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import Error, transaction
from django.urls import reverse
from django.utils import timezone

from feedback import actions
from feedback.models import ActionItem, CheckIn
from pmcycle.access import today
from pmcycle.activity.models import Event, Notice, ToDo
from tests.conftest import SignedIn, World
from tests.factories.feedback import make_check_in, make_item, make_point, person


def url(name: str, pk: int) -> str:
    return reverse(f"feedback:{name}", kwargs={"pk": pk})


@pytest.fixture
def meeting(world: World) -> CheckIn:
    return make_check_in(person(world.bashir), person(world.ana), in_days=-0.1)


def new(owner: Any, **changes: Any) -> dict[str, Any]:
    due = (today() + timedelta(days=5)).isoformat()
    return {"text": "Order the fixture", "owner": person(owner).pk, "due_on": due, **changes}


def test_what_the_manager_takes_on_is_a_promise(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    assert as_(world.ana).post(url("add_action", meeting.pk), new(world.bashir)).status_code == 302
    item = ActionItem.objects.get()
    assert item.is_promise
    assert list(ActionItem.objects.promises()) == [item]
    assert Notice.objects.get().recipient == world.bashir
    assert "promise" in as_(world.ana).get(url("check_in", meeting.pk)).content.decode()


def test_what_the_employee_takes_on_is_an_action(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    as_(world.ana).post(url("add_action", meeting.pk), new(world.ana))
    assert not ActionItem.objects.get().is_promise
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"owner": "0"},
        {"owner": "9" * 40},
        {"due_on": "2001-01-01"},
        {"due_on": "9999-01-01"},
    ],
)
def test_what_cannot_be(
    world: World, as_: SignedIn, meeting: CheckIn, wrong: dict[str, Any]
) -> None:
    answer = as_(world.ana).post(url("add_action", meeting.pk), new(world.ana) | wrong)
    assert answer.status_code == 422
    assert not ActionItem.objects.exists()


def test_an_owner_outside_the_two_is_refused(world: World, as_: SignedIn, meeting: CheckIn) -> None:
    assert as_(world.ana).post(url("add_action", meeting.pk), new(world.chen)).status_code == 422


def test_what_is_open_shows_in_the_next_check_in_until_it_is_done(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    item = make_item(meeting, person(world.bashir), "Speak with the supplier")
    following = make_check_in(person(world.bashir), person(world.ana), in_days=7)
    assert (
        "Still open from before"
        in as_(world.ana).get(url("check_in", following.pk)).content.decode()
    )
    assert as_(world.bashir).post(url("done", item.pk), {"version": 1}).status_code == 302
    assert (
        "Speak with the supplier"
        not in as_(world.ana).get(url("check_in", following.pk)).content.decode()
    )
    assert Notice.objects.get().title == "Bashir Nouri kept a promise to you"


def test_done_once_and_never_from_a_stale_page(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    item = make_item(meeting, person(world.ana))
    assert as_(world.ana).post(url("done", item.pk), {"version": 4}).status_code == 409
    assert as_(world.ana).post(url("done", item.pk), {}).status_code == 422
    assert as_(world.ana).post(url("done", item.pk), {"version": 1}).status_code == 302
    assert as_(world.ana).post(url("done", item.pk), {"version": 2}).status_code == 409


def test_dropping_needs_a_reason_that_both_read(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    item = make_item(meeting, person(world.ana))
    assert as_(world.ana).post(url("drop", item.pk), {"version": 1, "why": ""}).status_code == 422
    assert (
        as_(world.ana).post(url("drop", item.pk), {"version": 1, "why": "No budget"}).status_code
        == 302
    )
    assert set(
        ToDo.objects.filter(kind="feedback:action").values_list("dropped_why", flat=True)
    ) == {"dropped_action"}
    assert "No budget" in as_(world.bashir).get(url("item", item.pk)).content.decode()
    with pytest.raises(Error), transaction.atomic():
        make_item(meeting, person(world.ana), dropped_at=timezone.now())
    with pytest.raises(Error), transaction.atomic():
        make_item(
            meeting,
            person(world.ana),
            dropped_at=timezone.now(),
            dropped_why="x",
            done_at=timezone.now(),
        )


def test_another_day(world: World, as_: SignedIn, meeting: CheckIn) -> None:
    item = make_item(meeting, person(world.ana))
    day = today() + timedelta(days=30)
    assert (
        as_(world.ana)
        .post(url("reschedule", item.pk), {"version": 1, "due_on": "2001-01-01"})
        .status_code
        == 422
    )
    assert (
        as_(world.ana).post(url("reschedule", item.pk), {"version": 1, "due_on": day}).status_code
        == 302
    )
    item.refresh_from_db()
    assert item.due_on == day
    assert Event.objects.get(verb="rescheduled_action").data["due_before"]


def test_a_point_becomes_an_action_once(world: World, as_: SignedIn, meeting: CheckIn) -> None:
    point = make_point(meeting, person(world.ana), "A second fixture")
    data = {"owner": person(world.bashir).pk, "due_on": today() + timedelta(days=9)}
    assert as_(world.ana).get(url("turn_into_action", point.pk)).status_code == 200
    assert as_(world.ana).post(url("turn_into_action", point.pk), data).status_code == 302
    item = ActionItem.objects.get()
    assert (item.text, item.from_point, item.is_promise) == ("A second fixture", point, True)
    point.refresh_from_db()
    assert point.is_done
    assert as_(world.bashir).post(url("turn_into_action", point.pk), data).status_code == 409


def test_a_former_manager_still_ticks_their_own_promise_but_changes_nothing_else(
    world: World, as_: SignedIn
) -> None:
    old = make_check_in(person(world.farid), person(world.ana), in_days=-40, state="held")
    promise = make_item(old, person(world.farid))
    action = make_item(old, person(world.ana))
    assert as_(world.farid).post(url("done", promise.pk), {"version": 1}).status_code == 302
    assert as_(world.farid).post(url("done", action.pk), {"version": 1}).status_code == 403
    assert (
        as_(world.farid)
        .post(url("write_note", old.pk), {"shared_note": "x", "version": 1})
        .status_code
        == 403
    )


def test_nothing_is_added_to_a_meeting_that_was_called_off(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    actions.cancel_check_in(meeting, version=1, by=world.ana)
    assert as_(world.ana).post(url("add_action", meeting.pk), new(world.ana)).status_code == 409
