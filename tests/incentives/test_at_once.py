"""Rewards at the moment in which their cycle closes: one of the two comes first, and the other finds what it did."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.urls import reverse

from incentives import actions
from incentives.models import Award, Component, Plan, PlanVersion, Run, Statement
from pmcycle.activity.models import Event
from pmcycle.cycles import actions as of_cycle
from pmcycle.cycles.models import Cycle
from pmcycle.cycles.rules import Accepting
from pmcycle.errors import Refused
from tests.at_once import at_once, meanwhile, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import cycles, incentives
from tests.open_items import catch_up

pytestmark = pytest.mark.django_db(transaction=True)

AFTER_THE_START = (
    "incentives:left_out incentives:unread incentives:unpublished incentives:uncalculated"
)


@pytest.fixture
def world(transactional_db: None) -> World:
    return build_world()


def close(world: World) -> Cycle:
    """Over whatever is left, also what comes to be left in this very moment."""
    left = cycles.accepting(of_cycle.leftovers_of_cycle(world.cycle, world.kim))
    late = dict.fromkeys(AFTER_THE_START.split(), Accepting(100, "The board has decided so."))
    return of_cycle.close(world.cycle, accepted=late | left, version=None, by=world.kim)


def is_closed(world: World) -> bool:
    """Whether it is; nothing of rewards stands in the trail after the line of its end."""
    verbs = list(
        Event.objects.filter(stream=f"cycle:{world.cycle.pk}")
        .order_by("seq")
        .values_list("verb", flat=True)
    )
    closed = Cycle.objects.get(pk=world.cycle.pk).state == Cycle.State.CLOSED
    assert ("closed" in verbs) is closed
    assert not closed or verbs[-1] == "closed", verbs
    return closed


def hold_cycle(world: World) -> Callable[[], Any]:
    return lambda: Cycle.objects.select_for_update(no_key=True).get(pk=world.cycle.pk)


def not_calculated(world: World) -> Run:
    incentives.rate_all(world)
    plan = incentives.write_plan(world)
    incentives.publish(plan, world.lea)
    return Run.objects.create(plan=plan, number=1)


def test_either_the_run_is_calculated_or_its_cycle_is_closed(world: World) -> None:
    run = not_calculated(world)
    catch_up()
    calculated, closed = at_once(
        partial(actions.calculate, run, by=world.kim),
        partial(close, world),
    )
    assert refused([calculated, closed]) == 1
    run.refresh_from_db()
    assert is_closed(world) is isinstance(calculated, Refused)
    assert (run.state == Run.State.DRAFT) is isinstance(calculated, Refused)
    assert Award.objects.exists() is isinstance(closed, Refused)


def test_no_calculation_is_asked_for_in_a_cycle_that_closes(world: World) -> None:
    run = not_calculated(world)
    result = meanwhile(
        partial(actions.request_calculation, run.plan, by=world.kim),
        hold=hold_cycle(world),
        change=partial(close, world),
    )
    assert isinstance(result, Refused)
    assert is_closed(world)


def test_no_supplementary_run_is_opened_in_a_cycle_that_closes(world: World, as_: SignedIn) -> None:
    first = incentives.released_without(world, "hugo")
    url, lea = reverse("incentives:open_supplement", args=[world.cycle.pk]), as_(world.lea)
    answer = meanwhile(partial(lea.post, url), hold=hold_cycle(world), change=partial(close, world))
    assert answer.status_code == 409
    assert "This cycle is closed." in answer.content.decode()
    assert is_closed(world)
    assert list(Run.objects.filter(plan=first.plan)) == [first]


def test_a_supplementary_run_is_opened_before_the_end_or_not_at_all(world: World) -> None:
    first = incentives.released_without(world, "hugo")
    catch_up()
    opened, closed = at_once(
        partial(actions.open_supplement, first.plan, by=world.lea), partial(close, world)
    )
    assert isinstance(closed, Cycle)
    assert is_closed(world)
    assert Run.objects.filter(number=2).exists() is isinstance(opened, Run)


def test_an_amount_is_moved_and_the_end_refused_whoever_comes_first(world: World) -> None:
    run = incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    catch_up()
    moved, closed = at_once(
        partial(actions.adjust, award, award.amount - 10, "", version=None, by=world.bashir),
        partial(close, world),
    )
    assert isinstance(moved, Award)
    assert isinstance(closed, Refused)
    assert "its statements are not released" in closed.reason
    assert not is_closed(world)
    award.refresh_from_db()
    assert (award.amount, run.state) == (moved.amount, "recommending")
    assert sum(line.amount for line in award.lines.all()) == award.amount


def test_statements_are_released_whole_whether_or_not_the_cycle_ends_with_them(
    world: World,
) -> None:
    run = incentives.approved(world)
    incentives.ask_for_release(run, world.kim)
    catch_up()
    released, closed = at_once(partial(actions.release, run, by=world.kim), partial(close, world))
    run.refresh_from_db()
    assert (released, run.state) == (len(world.part), "released")
    assert Statement.objects.filter(run=run).count() == len(world.part)
    assert is_closed(world) is isinstance(closed, Cycle)


def test_who_calculates_again_while_an_amount_is_moved_waits_for_it(world: World) -> None:
    """Neither holds what the other waits for."""
    run = incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    result = meanwhile(
        partial(actions.calculate, run, by=world.kim),
        hold=hold_cycle(world),
        change=partial(actions.adjust, award, award.amount - 10, "", version=None, by=world.bashir),
    )
    assert isinstance(result, Run)
    again = incentives.award_of(world.ana_part)
    assert again.amount == award.amount - 10, "what was recommended stays where its guideline stays"
    assert Run.objects.get().state == "recommending"


def test_rules_that_are_published_as_the_cycle_ends_are_refused(world: World) -> None:
    plan = incentives.write_plan(world, by=world.kim)
    result = meanwhile(
        partial(actions.publish, plan, version=None, by=world.lea),
        hold=hold_cycle(world),
        change=partial(close, world),
    )
    assert isinstance(result, Refused)
    assert not PlanVersion.objects.exists()


def test_pools_stay_as_they_were_at_the_end(world: World) -> None:
    plan = incentives.write_plan(world)
    bonus: Component = Plan.objects.get(pk=plan.pk).components.get(kind="bonus")
    result = meanwhile(
        lambda: actions.set_pools(bonus, Decimal(1), {}, version=None, by=world.kim),
        hold=hold_cycle(world),
        change=partial(close, world),
    )
    assert isinstance(result, Refused)
    assert bonus.pools.get().amount == Decimal(20000)
