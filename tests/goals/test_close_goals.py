"""The stage opens and closes in sets: everybody told once, results frozen once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from goals import actions
from goals.models import ChangeRequest, Goal
from pmcycle.access import today
from pmcycle.activity.models import Notice
from pmcycle.cycles import actions as of_cycle
from tests.conftest import SignedIn, World
from tests.factories import cycles, goals

pytestmark = pytest.mark.django_db


def test_everybody_who_takes_part_is_told_once(world: World) -> None:
    actions.open_objectives(world.cycle)
    actions.open_objectives(world.cycle)
    assert Notice.objects.filter(kind="goals:propose").count() == len(world.part)


def test_results_are_frozen_and_stay(world: World, as_: SignedIn) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    unmeasured = goals.agree(world.ana_part, world.ana, world.bashir, key_results=[])
    open_one = goals.propose(world.ana_part, world.ana)
    change = goals.change(goal, world.ana)
    row = goals.key_result(goal)
    data = {"value": "6", "confidence": "on_track", "version": 1}
    as_(world.ana).post(reverse("goals:record_progress", args=[row.pk]), data)
    actions.close_goals(world.cycle)
    actions.close_goals(world.cycle)
    for thing in (goal, unmeasured, open_one, change):
        thing.refresh_from_db()
    assert (str(goal.state), goal.result) == ("closed", Decimal(50))
    assert (str(unmeasured.state), unmeasured.result) == ("closed", None)
    assert open_one.state == Goal.State.PROPOSED
    assert change.state == ChangeRequest.State.LAPSED
    page = as_(world.ana).get(reverse("goals:detail", args=[goal.pk])).content.decode()
    assert "Result at the end of the cycle" in page
    assert (
        as_(world.ana).post(reverse("goals:record_progress", args=[row.pk]), data).status_code
        == 403
    )


def test_what_was_agreed_after_the_evaluation_closed_is_frozen_at_the_end_of_the_cycle(
    world: World,
) -> None:
    evaluation, objectives = (
        world.cycle.stages.get(kind=kind) for kind in ("evaluation", "objectives")
    )
    for stage in (objectives, evaluation):
        left = cycles.accepting(of_cycle.leftovers_of_stage(stage, world.kim))
        of_cycle.close_stage(stage, reason="It is time.", accepted=left, version=None, by=world.kim)
    of_cycle.extend(
        world.ana_part, objectives, due_on=today(), reason="Leave.", version=None, by=world.kim
    )
    goal = goals.agree(world.ana_part, world.ana, world.bashir, weight="100")
    left = cycles.accepting(of_cycle.leftovers_of_cycle(world.cycle, world.kim))
    of_cycle.close(world.cycle, accepted=left, version=None, by=world.kim)
    goal.refresh_from_db()
    assert (str(goal.state), goal.measured_on) == ("closed", world.cycle.local_day(timezone.now()))


def test_closing_costs_the_same_for_one_and_for_many(
    world: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _n in range(30):
        goals.agree(world.ana_part, world.ana, world.bashir, weight="1")
    with django_assert_max_num_queries(10):
        actions.close_goals(world.cycle)
