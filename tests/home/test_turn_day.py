"""What the day alone opens and drops, the clock opens and drops, also when it comes late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine

import pmcycle.cycles.actions as cycle_actions
from pmcycle.access import today
from pmcycle.activity.actions import drift, miscounted, misplaced
from pmcycle.activity.models import ToDo
from pmcycle.cycles.models import Stage
from pmcycle.home import actions as clock
from pmcycle.home import completion, tasks
from pmcycle.home.completion import Filters
from pmcycle.people.models import Employee, Role, RoleGrant, User
from tests.conftest import World
from tests.factories import goals as goal
from tests.factories import incentives
from tests.factories.cycles import accepting
from tests.factories.feedback import make_check_in
from tests.open_items import late_clock

pytestmark = pytest.mark.django_db


def of(user: User) -> Employee:
    assert user.employee
    return user.employee


@contextmanager
def days_later(days: int) -> Iterator[None]:
    """The same noon, so many days on; the clock has not struck since."""
    with (
        late_clock(),
        time_machine.travel(datetime.combine(today() + timedelta(days=days), time(12), UTC)),
    ):
        yield


def rows(kind: str, about: User) -> list[ToDo]:
    return list(ToDo.objects.filter(kind=kind, about=about.employee_id).order_by("pk"))


def is_whole() -> bool:
    return not (drift() or misplaced() or miscounted())


def objectives(world: World) -> Stage:
    return Stage.objects.get(cycle=world.cycle, kind="objectives")


def give_ana_more_time(world: World, *, days: int) -> None:
    """Objectives are closed; Ana may plan for so many days more."""
    until = today() + timedelta(days=days)
    Stage.objects.filter(pk=objectives(world).pk).update(due_on=today())
    cycle_actions.extend(
        world.ana_part, objectives(world), due_on=until, reason="Ill.", version=None, by=world.kim
    )
    left = accepting(cycle_actions.leftovers_of_stage(objectives(world), world.kim))
    cycle_actions.close_stage(
        objectives(world), reason="Over.", accepted=left, version=None, by=world.kim
    )


def state(world: World, stage: str = "objectives") -> str:
    """How Ana stands in a stage on the board of Kim."""
    board = completion.look(world.cycle, world.kim, today(), Filters())
    found, _total = completion.people(
        board, list(world.cycle.stages.all()), Filters(q="Ana Popescu")
    )
    return str(next(c["state"] for c in found[0].cells if c["stage"].kind == stage))


@pytest.mark.parametrize("days_late", [0, 3])
def test_the_last_day_of_somebodys_own_drops_what_they_let_pass(
    world: World, days_late: int
) -> None:
    assert clock.turn_day()
    give_ana_more_time(world, days=2)
    with days_later(3 + days_late):
        assert [row.dropped_why for row in rows("goals:propose", world.ana)] == [""], (
            "the clock is late"
        )
        assert state(world) == "overdue"
        assert clock.turn_day()
        (mine,) = rows("goals:propose", world.ana)
        assert (mine.done_at, mine.done_by, mine.dropped_why) == (None, None, "day_turned")
        assert state(world) == "missed"
        assert not clock.turn_day(), "once a day"
        assert is_whole()


@pytest.mark.parametrize("days_late", [0, 3])
def test_a_hand_over_that_begins_drops_it_for_one_and_opens_it_for_the_other(
    world: World, days_late: int
) -> None:
    goal.propose(world.ana_part, world.ana, weight="100")
    assert clock.turn_day()
    cycle_actions.transfer(
        world.ana_part,
        of(world.gita),
        on=today() + timedelta(days=1),
        reason="x",
        version=None,
        by=world.kim,
    )
    with days_later(1 + days_late):
        assert [row.recipient for row in rows("goals:answer", world.ana)] == [of(world.bashir)]
        assert clock.turn_day()
        old, new = rows("goals:answer", world.ana)
        assert (old.recipient, old.done_at, old.dropped_why) == (
            of(world.bashir),
            None,
            "day_turned",
        )
        assert (new.recipient, new.done_at, new.dropped_at) == (of(world.gita), None, None)
        assert is_whole()


@pytest.mark.parametrize("days_late", [0, 3])
def test_a_meeting_that_comes_near_opens_its_agenda(world: World, days_late: int) -> None:
    make_check_in(of(world.bashir), of(world.ana), in_days=6.2)
    assert clock.turn_day()
    assert not rows("feedback:agenda", world.ana)
    with days_later(5 + days_late):
        assert clock.turn_day()
        asked = {row.recipient for row in rows("feedback:agenda", world.ana)}
        assert asked == {of(world.ana), of(world.bashir)}
        assert is_whole()


@pytest.mark.parametrize("days_late", [0, 3])
def test_a_role_that_ends_with_the_day_passes_what_waits_on_to_the_next(
    world: World, days_late: int
) -> None:
    incentives.make_rule(incentives.make_component(incentives.make_plan(world.cycle, by=world.kim)))
    RoleGrant.objects.create(
        user=world.jan, role=Role.HR_ADMIN, starts_on=today() - timedelta(days=1)
    )
    RoleGrant.objects.filter(user=world.jan, role=Role.HR_ADMIN).update(ends_on=today())
    assert clock.turn_day()
    (first,) = ToDo.objects.filter(kind="incentives:publish")
    assert first.recipient == of(world.jan)
    with days_later(1 + days_late):
        assert clock.turn_day()
        first, again = ToDo.objects.filter(kind="incentives:publish").order_by("pk")
        assert (first.done_at, first.dropped_why) == (None, "day_turned")
        assert (again.recipient, again.done_at, again.dropped_at) == (of(world.lea), None, None)
        assert is_whole()


def test_a_stage_that_opens_late_does_nobodys_work(world: World) -> None:
    assert clock.turn_day()
    stages = list(Stage.objects.filter(cycle=world.cycle).order_by("position"))
    opens: dict[str, Any] = {
        "opens_on": today() + timedelta(days=2),
        "due_on": today() + timedelta(days=30),
        "state": "planned",
    }
    Stage.objects.filter(pk=stages[1].pk).update(**opens)
    give_ana_more_time(world, days=1)
    with days_later(5):
        assert cycle_actions.open_due() == 1
        tasks.turn_day()
        (mine,) = rows("goals:propose", world.ana)
        assert (mine.done_at, mine.dropped_why) == (None, "day_turned")
        assert state(world) == "missed"
        assert is_whole()
