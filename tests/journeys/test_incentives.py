"""The pages of rewards that the walk of the whole cycle does not pass: usable by all, in both themes."""

from __future__ import annotations

import pytest

from tests.conftest import World, build_world
from tests.factories import incentives, people
from tests.journeys.conftest import Visit
from tests.journeys.looking import in_both_themes
from tests.journeys.running import Stack
from tests.journeys.walking import follow, go


@pytest.fixture
def company(stack: Stack) -> World:
    """Ten people with a plan of merit and bonus, ratings of all kinds, and one entry about Ana in effect."""
    world = build_world()
    people.report(people.make_employee("Uma Stone", world.production), world.bashir.employee)  # type: ignore[arg-type]
    for number, part in enumerate(world.part.values()):
        if part != world.part["chen"]:
            incentives.rate(part, 3 + number % 2)
    plan = incentives.write_plan(world, pool="24500")
    merit = plan.components.order_by("pk")[0]
    incentives.make_rule(
        merit, "1.25",
        [*incentives.at_least(2), {"fact": "months_worked", "op": "at_least", "value": "6"}],
    )  # fmt: skip
    incentives.make_rule(merit, "0", [{"fact": "rating", "op": "at_most", "value": "1"}], effect="zero")
    incentives.make_pool(merit, "5000", world.sales)
    incentives.in_effect(world, kind="bonus")
    incentives.restraint(world)
    return world


@pytest.mark.timeout(400)
def test_what_everybody_reads_before_the_run_and_somebody_after_it(company: World, visit: Visit) -> None:
    world = company
    plan = world.cycle.reward_plan
    incentives.publish(plan, world.lea)
    page = visit(world.ana)
    for link in ("Read the rules", "What would they give me?"):
        go(page, "Rewards", link)
        in_both_themes(page)
    plan.refresh_from_db()
    incentives.released(world, plan=plan)
    go(page, "Rewards")
    in_both_themes(page)
    follow(page, "Read and answer")
    in_both_themes(page)
