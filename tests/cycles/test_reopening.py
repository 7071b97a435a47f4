"""A closed cycle is opened again by two people with a reason, and what went on from it went on once."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from goals.models import Goal
from pmcycle.access import today
from pmcycle.activity.models import Event, Notice, ToDo
from pmcycle.cycles import actions
from pmcycle.cycles.models import Cycle, Reopening
from pmcycle.people.models import User
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals, cycles


def close(cycle: Cycle, by: User) -> Cycle:
    left = cycles.accepting(actions.leftovers_of_cycle(cycle, by))
    return actions.close(cycle, accepted=left, version=None, by=by)


@pytest.fixture
def closed(world: World) -> Cycle:
    return close(world.cycle, world.kim)


def ask(as_: SignedIn, user: User, cycle: Cycle, reason: str = "A rating was missed.") -> Any:
    return as_(user).post(reverse("cycles:request_reopening", args=[cycle.pk]), {"reason": reason})


def approve(as_: SignedIn, user: User, row: Reopening) -> Any:
    return as_(user).post(reverse("cycles:approve_reopening", args=[row.pk]))


@pytest.mark.django_db
def test_one_asks_another_approves_and_it_runs_again(
    world: World, as_: SignedIn, closed: Cycle
) -> None:
    assert ask(as_, world.kim, closed, reason="  ").status_code == 422
    assert ask(as_, world.kim, closed).status_code == 302
    row = Reopening.objects.get()
    assert Notice.objects.filter(recipient=world.lea, kind="reopening").count() == 1
    assert (
        "A rating was missed."
        in as_(world.lea).get(reverse("cycles:detail", args=[closed.pk])).content.decode()
    )
    assert approve(as_, world.kim, row).status_code == 409, "nobody alone"
    closed.refresh_from_db()
    assert closed.state == "closed"
    assert approve(as_, world.lea, row).status_code == 302
    closed.refresh_from_db()
    assert (closed.state, closed.closed_at) == ("running", None)
    assert set(closed.stages.values_list("state", flat=True)) == {"closed"}, (
        "stages stay as they were"
    )
    event = Event.objects.get(verb="reopened_cycle")
    assert (event.actor, event.data["reason"]) == (world.lea, "A rating was missed.")
    assert approve(as_, world.lea, row).status_code == 409


@pytest.mark.django_db
def test_the_clock_leaves_the_stages_of_a_reopened_cycle_alone(world: World, closed: Cycle) -> None:
    actions.approve_reopening(
        actions.request_reopening(closed, "Missed.", by=world.kim), by=world.lea
    )
    assert actions.open_due() == 0
    stage = closed.stages.get(kind="appraisal")
    actions.open_stage(
        stage, due_on=today() + timedelta(days=5), reason="Missed.", version=None, by=world.kim
    )
    assert list(closed.stages.filter(state="open").values_list("kind", flat=True)) == ["appraisal"]


@pytest.mark.django_db
def test_it_is_asked_for_once_and_only_of_a_closed_cycle(world: World, as_: SignedIn) -> None:
    assert ask(as_, world.kim, world.cycle).status_code == 409, "it runs"
    closed = close(world.cycle, world.kim)
    assert ask(as_, world.kim, closed).status_code == 302
    assert ask(as_, world.lea, closed).status_code == 409
    row = Reopening.objects.get()
    assert (
        as_(world.lea).post(reverse("cycles:withdraw_reopening", args=[row.pk])).status_code == 302
    )
    assert approve(as_, world.lea, row).status_code == 409, "it was withdrawn"
    assert ask(as_, world.lea, closed).status_code == 302, "and may be asked for anew"
    closed.refresh_from_db()
    actions.archive(closed, version=None, by=world.kim)
    assert approve(as_, world.kim, Reopening.objects.latest("pk")).status_code == 409, (
        "archived for good"
    )


def asked_of(cycle: Cycle) -> list[ToDo]:
    return list(ToDo.objects.filter(kind="cycles:reopen", subject_id=cycle.pk).order_by("pk"))


@pytest.mark.django_db
def test_it_waits_on_the_home_of_the_second_person_until_it_is_settled(
    world: World, as_: SignedIn, closed: Cycle
) -> None:
    def home(user: User) -> str:
        return as_(user).get("/").content.decode()

    words = f"Open “{closed.name}” again as second person"
    ask(as_, world.kim, closed)
    readers = (world.kim, world.lea, world.ines, world.ana, world.bashir)
    assert [user for user in readers if words in home(user)] == [world.lea]
    as_(world.kim).post(reverse("cycles:withdraw_reopening", args=[Reopening.objects.get().pk]))
    assert words not in home(world.lea)
    ask(as_, world.kim, closed)
    approve(as_, world.lea, Reopening.objects.latest("pk"))
    assert words not in home(world.lea)
    withdrawn, approved = asked_of(closed)
    assert (withdrawn.done_at, withdrawn.dropped_why) == (None, "withdrew_reopening")
    assert (approved.recipient_id, approved.done_by) == (world.lea.employee_id, world.lea)


@pytest.mark.django_db
def test_nobody_is_asked_to_open_what_is_archived_for_good(
    world: World, as_: SignedIn, closed: Cycle
) -> None:
    ask(as_, world.kim, closed)
    closed.refresh_from_db()
    actions.archive(closed, version=None, by=world.lea)
    assert [row.dropped_why for row in asked_of(closed)] == ["archived"]


@pytest.mark.django_db
def test_the_database_wants_two_people_and_a_reason(world: World, closed: Cycle) -> None:
    one: dict[str, Any] = {"cycle": closed, "reason": "x", "requested_by": world.kim}
    for wrong in (
        {"approved_by": world.kim, "approved_at": timezone.now()},
        {"approved_by": world.lea},
        {"reason": ""},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Reopening.objects.create(**{**one, **wrong})
    Reopening.objects.create(**one)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reopening.objects.create(**one)


@pytest.mark.django_db
def test_what_went_on_to_the_next_cycle_goes_on_once(world: World) -> None:
    appraisals.make_goal(world.ana_part, world.ana)
    following = cycles.make_cycle("Next year", copied_from=world.cycle)
    cycles.take_part(following, appraisals.employee(world.ana), appraisals.employee(world.bashir))
    closed = close(world.cycle, world.kim)
    assert Goal.objects.filter(cycle=following, carried_from__isnull=False).count() == 1
    again = actions.approve_reopening(
        actions.request_reopening(closed, "x", by=world.kim), by=world.lea
    )
    close(again, world.lea)
    assert Goal.objects.filter(cycle=following, carried_from__isnull=False).count() == 1
    assert Event.objects.filter(verb="closed").count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_people_approving_at_once_open_it_once() -> None:
    world = build_world()
    third = appraisals.make_third_hr_admin(world)
    row = actions.request_reopening(close(world.cycle, world.kim), "Missed.", by=world.kim)
    results = at_once(
        *(partial(actions.approve_reopening, row, by=user) for user in (world.lea, third))
    )
    assert refused(results) == 1
    assert Event.objects.filter(verb="reopened_cycle").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_closing_at_once_close_it_once() -> None:
    world = build_world()
    results = at_once(*(partial(close, world.cycle, user) for user in (world.kim, world.lea)))
    assert refused(results) == 1
    assert Event.objects.filter(verb="closed").count() == 1
