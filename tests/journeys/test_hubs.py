"""The hub of a cycle and of a person, reached by links alone: usable by all, in both themes, by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.conftest import World, build_world
from tests.factories import appraisals, feedback, goals, incentives
from tests.journeys.conftest import Visit
from tests.journeys.looking import in_both_themes, look
from tests.journeys.running import Stack


@pytest.fixture
def company(stack: Stack) -> World:
    """A cycle in which something of every stage is under way."""
    world = build_world()
    goals.publish(world.cycle, world.kim, title="Zero recordable accidents", key_results=[])
    appraisals.appealed(world)
    appraisals.hand_in(appraisals.manager_appraisal(world.part["chen"]), "Partly meets")
    incentives.write_plan(world)
    incentives.restraint(world)
    feedback.meeting_of_ana(world)
    feedback.praise_for_ana(world)
    return world


@pytest.mark.timeout(600)
def test_hr_comes_from_home_to_everything_in_a_cycle_and_to_everything_of_a_person(
    company: World, visit: Visit
) -> None:
    page = visit(company.kim)
    page.get_by_role("navigation", name="Main", exact=True).get_by_role(
        "link", name="Cycles"
    ).click()
    page.get_by_role("link", name=re.compile("Everything in it")).click()
    expect(page.get_by_role("heading", name="What others wait for")).to_be_visible()
    expect(page.get_by_text("1 held by first mention").first).to_be_visible()
    in_both_themes(page)
    look(page, "hub-cycle")
    # The skip link, then into the page: the first thing is what others wait for.
    page.locator("#main").focus()
    first = page.locator(".page-main a").first
    for _press in range(12):
        page.keyboard.press("Tab")
        if first.evaluate("link => link === document.activeElement"):
            break
    expect(first).to_be_focused()
    page.get_by_role("link", name="Board", exact=True).first.click()
    page.get_by_role("link", name="Ana Popescu").first.click()
    expect(page.get_by_role("heading", name="Ana Popescu")).to_be_visible()
    in_both_themes(page)
    look(page, "hub-person-hr")


@pytest.mark.timeout(600)
def test_a_manager_comes_from_the_team_and_the_person_from_their_menu(
    company: World, visit: Visit
) -> None:
    page = visit(company.bashir)
    page.get_by_role("navigation", name="Main", exact=True).get_by_role(
        "link", name="My team"
    ).click()
    page.get_by_role("link", name="Ana Popescu").first.click()
    expect(page.get_by_role("link", name=re.compile("^Result"))).to_be_visible()
    look(page, "hub-person-manager")
    ana = visit(company.ana, phone=True)
    ana.get_by_role("button", name="More").click()
    ana.get_by_role("button", name=re.compile("My menu")).click()
    ana.get_by_role("link", name="Everything about me").click()
    expect(ana.get_by_role("heading", name="Ana Popescu")).to_be_visible()
    in_both_themes(ana)
    look(ana, "hub-person-own")
