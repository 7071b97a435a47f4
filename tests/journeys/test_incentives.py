"""The pages of rewards that the walk of the whole cycle does not pass: usable by all, in both themes."""

from __future__ import annotations

import re
from decimal import Decimal

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
        merit,
        "1.25",
        [*incentives.at_least(2), {"fact": "months_worked", "op": "at_least", "value": "6"}],
    )
    incentives.make_rule(
        merit, "0", [{"fact": "rating", "op": "at_most", "value": "1"}], effect="zero"
    )
    incentives.make_pool(merit, "5000", world.sales)
    incentives.in_effect(world, kind="bonus")
    incentives.restraint(world)
    return world


@pytest.mark.timeout(400)
def test_what_everybody_reads_before_the_run_and_somebody_after_it(
    company: World, visit: Visit
) -> None:
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


@pytest.mark.timeout(400)
def test_the_sheet_with_its_handles_and_no_pool_over_it_at_twice_the_size(
    company: World, visit: Visit
) -> None:
    world = company
    plan = world.cycle.reward_plan
    incentives.publish(plan, world.lea)
    plan.refresh_from_db()
    incentives.recommending(world, plan=plan)
    page = visit(world.bashir)
    go(page, "Team rewards", re.compile("^Open the sheet"))
    in_both_themes(page)
    award = incentives.award_of(world.ana_part)
    handle = page.locator(f"#award-{award.pk} [data-handle]")
    handle.press("ArrowLeft")
    amount = Decimal(page.locator(f"#amount-{award.pk}").input_value())
    assert award.low <= amount < award.amount
    handle.press("Enter")
    page.locator(f"#award-{award.pk}.is-saved").wait_for()
    award.refresh_from_db()
    assert award.amount == amount
    page.set_viewport_size({"width": 640, "height": 450})  # a laptop at 200 %
    page.locator(f"#amount-{award.pk}").scroll_into_view_if_needed()
    place = page.locator(".sheet-top").evaluate("e => getComputedStyle(e).position")
    assert place == "static", "it scrolls away, and leaves the window to the sheet"
