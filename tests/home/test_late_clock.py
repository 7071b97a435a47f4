"""While the clock is late, an act does and drops what it changes; what ran out meanwhile is the day's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

import feedback.actions
import goals.actions
import pmcycle.cycles.actions as cycle_actions
from pmcycle.access import today
from pmcycle.activity.actions import settle, settle_all
from pmcycle.activity.models import ToDo
from pmcycle.home import actions as clock
from pmcycle.people.models import Employee, Role, RoleGrant, User
from tests.conftest import World
from tests.factories import appraisals as make
from tests.factories import feedback as meeting
from tests.factories import goals as goal
from tests.factories import incentives
from tests.home.test_turn_day import days_later, give_ana_more_time, is_whole, of, state

pytestmark = pytest.mark.django_db


def fate(kind: str, recipient: User) -> list[tuple[User | None, str]]:
    """Who did, or what dropped, each that somebody had to do for Ana or nobody; neither while it is open."""
    of_ana = Q(about__name="Ana Popescu") | Q(about=None)
    found = ToDo.objects.filter(of_ana, kind=kind, recipient=of(recipient)).order_by("pk")
    return [(row.done_by, row.dropped_why) for row in found]


OPEN = (None, "")


def test_goals_nobody_proposed_in_time_are_not_done_by_who_confirms_a_contribution(
    world: World,
) -> None:
    give_ana_more_time(world, days=2)
    helped = goal.contribution(world.ana_part, world.ana, world.chen)
    assert clock.turn_day()
    assert fate("goals:propose", world.ana) == [OPEN]
    with days_later(5):
        goals.actions.confirm_contribution(helped, version=None, by=world.chen)
        assert fate("goals:propose", world.ana) == [(None, "day_turned")]
        assert fate("goals:confirm", world.chen) == [(world.chen, "")]
        assert state(world) == "missed"
        assert clock.turn_day()
        assert is_whole()


def test_a_request_to_who_has_left_is_not_done_by_who_ticks_off_an_action(world: World) -> None:
    held = meeting.make_check_in(of(world.bashir), of(world.ana), in_days=-2, state="held")
    action = meeting.make_item(held, of(world.ana))
    meeting.make_request(of(world.bashir), of(world.chen), of(world.ana))
    Employee.objects.filter(pk=of(world.chen).pk).update(left_on=today() + timedelta(days=1))
    assert clock.turn_day()
    assert fate("feedback:request", world.chen) == [OPEN]
    with days_later(4):
        feedback.actions.done(action, version=None, by=world.ana)
        assert fate("feedback:request", world.chen) == [(None, "day_turned")]
        assert fate("feedback:action", world.ana) == [(world.ana, "")]
        assert clock.turn_day()
        assert is_whole()


def test_a_hand_over_that_has_begun_is_not_the_work_of_who_hands_in(world: World) -> None:
    make.open_stage(world.cycle)
    assert clock.turn_day()
    cycle_actions.transfer(
        world.ana_part,
        of(world.gita),
        on=today() + timedelta(days=1),
        reason="x",
        version=None,
        by=world.kim,
    )
    with days_later(4):
        make.hand_in(make.self_appraisal(world.ana_part))
        assert fate("appraisals:self", world.ana) == [(world.ana, "")]
        assert fate("appraisals:manager", world.bashir) == [(None, "day_turned")]
        assert clock.turn_day()
        assert is_whole()


def test_what_passed_to_another_with_a_role_is_not_done_by_who_hands_in(world: World) -> None:
    incentives.make_rule(incentives.make_component(incentives.make_plan(world.cycle, by=world.kim)))
    RoleGrant.objects.create(
        user=world.jan, role=Role.HR_ADMIN, starts_on=today() - timedelta(days=1), ends_on=today()
    )
    assert clock.turn_day()
    assert fate("incentives:publish", world.jan) == [OPEN]
    with days_later(3):
        settle("handed_in", "incentives", {of(world.ana).pk}, by=world.bashir)
        assert fate("incentives:publish", world.jan) == [(None, "day_turned")]
        assert fate("incentives:publish", world.lea) == [OPEN]


def test_a_hand_over_dated_today_drops_for_the_old_manager_and_what_ran_out_was_missed(
    world: World,
) -> None:
    goal.propose(world.ana_part, world.ana, weight="40")
    give_ana_more_time(world, days=2)
    assert clock.turn_day()
    with days_later(5):
        cycle_actions.transfer(
            world.ana_part, of(world.gita), on=today(), reason="x", version=None, by=world.kim
        )
        assert fate("evaluations:write", world.bashir) == [(None, "transferred")]
        assert fate("goals:complete", world.ana) == [(None, "day_turned")]
        assert state(world) == "missed"
        assert clock.turn_day()
        assert is_whole()


def test_acts_on_many_and_on_a_whole_cycle_leave_to_the_day_what_is_the_days(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmcycle.activity.actions.todos.MANY", 0)
    make.open_stage(world.cycle)
    assert clock.turn_day()
    cycle_actions.transfer(
        world.ana_part,
        of(world.gita),
        on=today() + timedelta(days=1),
        reason="x",
        version=None,
        by=world.kim,
    )
    with days_later(4):
        make.hand_in(make.self_appraisal(world.ana_part))
        assert fate("appraisals:self", world.ana) == [(world.ana, "")]
        assert fate("appraisals:manager", world.bashir) == [(None, "day_turned")]
        assert clock.turn_day()
        assert is_whole()


def test_an_import_and_a_repair_leave_to_the_day_what_ran_out(world: World) -> None:
    give_ana_more_time(world, days=2)
    assert clock.turn_day()
    assert fate("goals:propose", world.ana) == [OPEN]
    with days_later(5):
        settle_all("applied_import", by=world.kim)
        assert fate("goals:propose", world.ana) == [(None, "day_turned")]
        assert state(world) == "missed"
        assert clock.turn_day()
        assert is_whole()


def test_that_the_clock_is_late_is_no_statement_more(world: World) -> None:
    assert clock.turn_day()
    people = {of(world.ana).pk}

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            settle("handed_in", "appraisals", people, by=world.ana)
        return len(asked)

    assert statements() == 1
    with days_later(3):
        assert statements() == 1
