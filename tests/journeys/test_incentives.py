"""Rewards in the browser: the plan, the sheet by keyboard, why an amount, an entry, the statement."""

from __future__ import annotations

import pytest
from django.urls import reverse

from incentives import actions
from incentives.models import Award, Run
from tests.conftest import World, build_world
from tests.factories import incentives, people
from tests.journeys.conftest import Visit
from tests.journeys.looking import axe, look
from tests.journeys.running import Stack


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
def test_rewards_by_keyboard_from_plan_to_statement(company: World, visit: Visit) -> None:
    world = company
    plan = world.cycle.reward_plan
    page = visit(world.lea, reverse("incentives:plan", kwargs={"pk": world.cycle.pk}))
    axe(page)
    look(page, "reward-plan")
    page.get_by_text("Publish the rules").first.click()
    page.locator("dialog.ask button[type=submit]").click()
    page.get_by_text("published these rules").wait_for()

    rule = plan.components.order_by("pk")[0].rules.order_by("position")[2]
    page = visit(world.kim, reverse("incentives:edit_rule", kwargs={"pk": rule.pk}))
    axe(page)
    look(page, "reward-rule")

    page = visit(world.ana, reverse("incentives:criteria", kwargs={"pk": world.cycle.pk}))
    axe(page)
    look(page, "reward-criteria")
    page.goto(reverse("incentives:what_if", kwargs={"pk": world.cycle.pk}))
    axe(page)
    look(page, "reward-what-if")

    run = actions.calculate(Run.objects.create(plan=plan), by=world.kim)
    actions.open_recommending(run, version=None, by=world.kim)
    page = visit(world.bashir, reverse("incentives:sheet", kwargs={"pk": run.pk}))
    award = incentives.award_of(world.ana_part)
    field = page.locator(f"#amount-{award.pk}")
    field.fill(str(award.high))
    field.press("Enter")
    page.locator(f"#award-{award.pk}.is-saved").wait_for()
    assert Award.objects.get(pk=award.pk).amount == award.high
    axe(page)
    look(page, "reward-sheet")
    page.goto(reverse("incentives:award", kwargs={"pk": award.pk}))
    for summary in page.locator(".why summary").all():
        if summary.is_visible() and summary.locator("..").get_attribute("open") is None:
            summary.click()
    axe(page)
    look(page, "reward-why")

    page = visit(world.lea, reverse("incentives:run", kwargs={"pk": world.cycle.pk}))
    axe(page)
    look(page, "reward-run")

    actions.hand_in(run, "", by=world.dora)
    actions.approve(run, "The others are away.", version=None, by=world.lea)
    actions.release(run, by=world.kim)
    page = visit(
        world.ana, reverse("incentives:statement", kwargs={"pk": incentives.statement_of(world.ana_part).pk})
    )
    axe(page)
    look(page, "reward-statement")
    page.get_by_role("button", name="I have read it").click()
    page.get_by_text("Noted that you have read it").first.wait_for()
    page.goto(reverse("incentives:mine"))
    axe(page)
    look(page, "rewards-mine")
    entry = world.ana_part.restraints.get(state="proposed")
    page.goto(reverse("incentives:restraint", kwargs={"pk": entry.pk}))
    axe(page)
    look(page, "reward-restraint")
