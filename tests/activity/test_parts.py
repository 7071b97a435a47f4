"""The day turns a part of the people at a time: acts go on beside it, and nothing is doubled or forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction

import pmcycle.cycles.actions as cycle_actions
import pmcycle.home.actions as clock
from pmcycle.access import today
from pmcycle.activity.actions import drift, miscounted, misplaced, todos
from pmcycle.activity.actions.definitions import TURN_OF_DAY
from pmcycle.activity.models import Heartbeat, Milestone, ToDo
from pmcycle.cycles.models import Cycle, Participation
from tests import open_items
from tests.at_once import PATIENCE, at_once
from tests.conftest import World, build_world
from tests.factories import goals as goal
from tests.factories import incentives
from tests.factories.people import make_employee

pytestmark = pytest.mark.django_db(transaction=True)

MINE = """
SELECT classid::bigint << 32 | objid::bigint FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'
"""


@pytest.fixture
def world() -> World:
    """The cast, of whom nothing is written that is open for them."""
    world = build_world()
    ToDo.objects.all().delete()
    Heartbeat.objects.filter(name=TURN_OF_DAY).delete()
    return world


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody is a part of their own, and nothing is written but by what a test calls."""
    monkeypatch.setattr(todos, "PART", 1)
    monkeypatch.setattr(open_items, "differences", list)


def is_whole() -> bool:
    return not (drift() or misplaced() or miscounted())


def key(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hashtextextended(%s, 7201)", [name])
        return int(cursor.fetchone()[0])


def locks() -> set[int]:
    """The advisory locks that this connection holds."""
    with connection.cursor() as cursor:
        cursor.execute(MINE)
        return {row[0] for row in cursor.fetchall()}


@contextmanager
def after_each_part(
    monkeypatch: pytest.MonkeyPatch, then: Callable[[list[int]], None]
) -> Iterator[None]:
    """Call this with its people after each part, inside of its transaction."""
    settle_part = todos._settle_part

    def settle(who: list[int], *rest: Any) -> list[int]:
        with transaction.atomic():
            left = settle_part(who, *rest)
            then(who)
        return left

    with monkeypatch.context() as patched:
        patched.setattr(todos, "_settle_part", settle)
        yield


def test_a_part_locks_its_own_people_and_who_is_in_no_part_acts_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = world.ana.employee_id
    held, is_held, is_proposed = [], threading.Event(), threading.Event()

    def stand_still(who: list[int]) -> None:
        if who == [world.bashir.employee_id]:
            held.append(locks())
            is_held.set()
            assert is_proposed.wait(PATIENCE)

    def propose() -> None:
        assert is_held.wait(PATIENCE)
        goal.propose(world.ana_part, world.ana, weight="100")
        is_proposed.set()

    with after_each_part(monkeypatch, stand_still):
        at_once(clock.turn_day, propose)
    assert held == [{key("settle:many"), key(f"employee:{world.bashir.employee_id}")}]
    assert ToDo.objects.filter(about=ana, kind="goals:answer").count() == 1
    assert is_whole()


def test_who_is_acted_on_is_left_for_later_and_nobody_waits_with_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[int] = []
    is_proposed, are_others_settled = threading.Event(), threading.Event()
    last = max(Participation.objects.values_list("employee_id", flat=True))

    def note(who: list[int]) -> None:
        settled.extend(who)
        if who == [last]:
            are_others_settled.set()

    def propose() -> None:
        with transaction.atomic():
            goal.propose(world.ana_part, world.ana, weight="100")
            is_proposed.set()
            assert are_others_settled.wait(PATIENCE)
            assert set(settled) >= {world.bashir.employee_id, last}

    def turn() -> None:
        assert is_proposed.wait(PATIENCE)
        assert clock.turn_day()

    with after_each_part(monkeypatch, note):
        at_once(propose, turn)
    assert world.ana.employee
    assert settled.count(world.ana.employee.pk) == 2
    assert is_whole()


def test_a_day_that_was_killed_between_two_parts_is_turned_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    seen: list[int] = []

    def die(who: list[int]) -> None:
        if who[0] > world.bashir.employee_id:  # type: ignore[operator]
            raise Killed
        seen.extend(who)

    with after_each_part(monkeypatch, die), pytest.raises(Killed):
        clock.turn_day()
    kept = set(ToDo.objects.values_list("pk", "about"))
    assert {about for _pk, about in kept} <= set(seen)
    assert kept
    assert drift()
    assert not Heartbeat.objects.filter(name=TURN_OF_DAY).exists()
    assert clock.turn_day()
    assert not clock.turn_day()
    assert kept <= set(ToDo.objects.values_list("pk", "about"))
    assert is_whole()


def test_the_day_turns_twice_at_once_while_people_act_and_nothing_is_doubled(world: World) -> None:
    gita = world.gita.employee
    assert gita

    def transfer() -> None:
        part = Participation.objects.get(pk=world.ana_part.pk)
        cycle_actions.transfer(
            part, gita, on=today(), reason="New team.", version=None, by=world.kim
        )

    acts = [lambda: goal.agree(world.part["hugo"], world.hugo, world.gita, weight="100"), transfer]
    at_once(
        clock.turn_day, *acts, clock.turn_day, lambda: call_command("check_integrity", "--repair")
    )
    assert (
        Milestone.objects.filter(participation=world.part["hugo"], kind="goals_agreed").count() == 1
    )
    assert is_whole()


def test_a_matter_that_is_about_nobody_turns_with_the_day(world: World) -> None:
    incentives.make_rule(incentives.make_component(incentives.make_plan(world.cycle, by=world.kim)))
    ToDo.objects.all().delete()
    assert clock.turn_day()
    (publish,) = ToDo.objects.filter(kind="incentives:publish")
    assert (publish.about_id, publish.recipient_id) == (None, world.lea.employee_id)
    assert is_whole()


def test_midnight_in_one_cycle_settles_who_is_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = make_employee("Otis Out")
    Cycle.objects.update(zone="Pacific/Kiritimati")  # a new day begins there at 10:00 UTC
    Heartbeat.objects.create(name=TURN_OF_DAY, at=datetime.combine(today(), time(9, 58), UTC))
    seen: list[int] = []
    with after_each_part(monkeypatch, seen.extend):
        with time_machine.travel(datetime.combine(today(), time(9, 59), UTC)):
            assert not clock.turn_day()
        with time_machine.travel(datetime.combine(today(), time(10, 1), UTC)):
            assert clock.turn_day()
    inside = Participation.objects.filter(cycle=world.cycle).values_list("employee_id", flat=True)
    assert seen == sorted(inside)
    assert outside.pk not in seen
    assert is_whole()
