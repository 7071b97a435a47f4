"""People with only a keyboard: everything is reached and seen by Tab, and what they do leaves them where they were."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from goals.models import Goal
from pmcycle.cycles.models import Stage
from tests.conftest import World, build_world
from tests.journeys.conftest import Visit
from tests.journeys.running import Stack
from tests.journeys.using import focused, open_by_keys, press, write, wrong_by_keyboard
from tests.journeys.walking import go

PAGES = {
    "ana": [
        ("What needs me",),
        ("Inbox",),
        ("My goals",),
        ("My goals", "New goal"),
        ("My menu", "Everything about me"),
    ],
    "bashir": [("What needs me",), ("My team",), ("My team", "Ana Popescu")],
    "kim": [
        ("Cycles", "Everything in it"),
        ("Cycles", "Board"),
        ("Cycles", "Board", "Remind"),
        ("Cycles", "Board", "Close: Appraisal"),
        ("Cycles", "Everything in it", "Close the cycle"),
    ],
}


def main(page: Page, role: Literal["link", "button"], name: str | re.Pattern[str]) -> Locator:
    """A link or button in the page itself by its words."""
    return page.get_by_role("main").get_by_role(role, name=name).first


@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", PAGES)
def test_tab_comes_to_everything_and_is_seen(under_way: World, visit: Visit, who: str) -> None:
    page = visit(getattr(under_way, who))
    for way in PAGES[who]:
        go(page, *way)
        assert not wrong_by_keyboard(page), page.url


def test_the_skip_link_leads_past_the_menu(under_way: World, visit: Visit) -> None:
    page = visit(under_way.ana)
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#main') !== null")


@pytest.mark.timeout(600)
def test_a_goal_is_proposed_agreed_and_followed_and_its_stage_closed_by_keys_alone(
    stack: Stack, visit: Visit
) -> None:
    world = build_world()
    ana = visit(world.ana)
    open_by_keys(ana, ana.get_by_role("link", name="My goals"))
    open_by_keys(ana, main(ana, "link", "New goal"))
    write(ana, ana.get_by_label("Goal", exact=True), "Halve the scrap of line 3")
    row = ana.locator("[data-row]").first
    write(ana, row.get_by_label("Key result"), "Scrap rate")
    write(ana, row.get_by_label("From"), "2")
    write(ana, row.get_by_label(re.compile(r"^To\b")), "4")
    write(ana, ana.get_by_label("Weight"), "100")
    open_by_keys(ana, main(ana, "button", re.compile("^Propose to")))
    ana.get_by_role("heading", name="Waits for Bashir Nouri").wait_for()

    bashir = visit(world.bashir)
    open_by_keys(bashir, main(bashir, "link", re.compile("Answer the proposed goals of Ana")))
    press(bashir, bashir.get_by_role("button", name="Agree with Ana Popescu"))
    bashir.get_by_text(re.compile("^Agreed to")).first.wait_for()

    open_by_keys(ana, ana.get_by_role("link", name="My goals"))
    write(ana, ana.get_by_label("Now at"), "3")
    press(ana, main(ana, "button", "Save"))
    ana.get_by_text("Saved.").wait_for()
    assert focused(ana) == "Save"

    kim = visit(world.kim)
    open_by_keys(kim, kim.get_by_role("link", name="Cycles", exact=True))
    open_by_keys(kim, main(kim, "link", re.compile("^Board")))
    open_by_keys(kim, main(kim, "link", re.compile("^Close.*Objectives")))
    asked = kim.locator(".leftovers textarea")
    assert asked.count()
    for reason in asked.all():
        write(kim, reason, "They begin next week.")
    write(kim, kim.get_by_label("Reason", exact=True), "The year is short.")
    closing = kim.locator("details.confirm > summary")
    press(kim, closing)
    expect(kim.get_by_role("dialog")).to_be_visible()
    assert focused(kim) == "Cancel"
    kim.keyboard.press("Escape")
    expect(closing).to_be_focused()
    kim.keyboard.press("Enter")
    open_by_keys(kim, kim.locator("dialog.ask button[type=submit]"))
    assert world.cycle.stages.get(kind="objectives").state == Stage.State.CLOSED
    assert Goal.objects.get().state == Goal.State.AGREED


def test_what_is_swapped_leaves_the_focus_where_it_was(under_way: World, visit: Visit) -> None:
    page = visit(under_way.ana)
    go(page, "My goals")
    same = main(page, "button", "No change")
    press(page, same)
    page.get_by_text("Saved.").wait_for()
    expect(same).to_be_focused()

    go(page, "Check-ins", re.compile("^Prepare"))
    for words in ("The new fixture", "Holiday cover"):
        write(page, page.get_by_placeholder("Add a point"), words)
        press(page, main(page, "button", "Add"))
        page.get_by_text(words).wait_for()
        assert focused(page) == "Add"
    tick = page.get_by_role("button", name="Talked about: The new fixture")
    press(page, tick, "Space")
    expect(page.locator(".point-done")).to_be_visible()
    expect(tick).to_be_focused()
    # What is gone leaves the focus to what stands in its place.
    press(page, page.get_by_role("button", name="Take it off: The new fixture"))
    expect(page.get_by_text("The new fixture")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('#agenda') !== null")


def test_what_opens_out_of_a_menu_gives_the_focus_back(under_way: World, visit: Visit) -> None:
    page = visit(under_way.ana)
    press(page, page.get_by_role("button", name=re.compile("^My menu")))
    entry = page.locator("#user-menu").get_by_role("button", name="Keyboard")
    press(page, entry)
    assert focused(page) == "Close"
    page.keyboard.press("Escape")
    expect(entry).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=re.compile("^My menu"))).to_be_focused()


def test_single_keys_can_be_turned_off_on_a_device(under_way: World, visit: Visit) -> None:
    page = visit(under_way.ana)
    sheet = page.get_by_role("dialog", name="Keyboard")
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    press(page, sheet.get_by_label("Single keys work"), "Space")
    page.keyboard.press("Escape")
    go(page, "Inbox")
    page.keyboard.press("?")
    page.keyboard.press("Control+k")  # what is asked for with Ctrl goes on working
    expect(page.get_by_role("dialog", name="Find")).to_be_visible()
    expect(sheet).to_be_hidden()
