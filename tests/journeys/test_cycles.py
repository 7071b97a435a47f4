"""The pages around a running cycle that the walk of the whole cycle does not pass: usable by all."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from pmcycle.access import today
from pmcycle.people.models import Absence
from tests.conftest import build_world
from tests.factories import cycles
from tests.journeys.conftest import Visit
from tests.journeys.looking import axe
from tests.journeys.running import Stack
from tests.journeys.walking import follow, go

# The ways by which HR comes to each page, each page being looked at: the menu's entry and links from there on.
WAYS = [
    ("Cycles", "Dates and rules"),
    ("Cycles", "Board", "Remind"),
    (
        "Cycles",
        "Board",
        "Timeline: Ana Popescu",
        "More time in a stage",
        "Cancel",
        "Another manager",
    ),
]


@pytest.mark.timeout(400)
def test_each_page_of_a_running_cycle_is_usable_by_all(visit: Visit, stack: Stack) -> None:
    world = build_world()
    assert world.gita.employee
    Absence.objects.create(
        employee=world.gita.employee, starts_on=today(), ends_on=today() + timedelta(days=400)
    )
    page = visit(world.kim)
    seen = set()
    for entry, *links in WAYS:
        go(page, entry)
        for link in [None, *links]:
            if link:
                follow(page, link)
            if page.url not in seen:
                axe(page)
            seen.add(page.url)
    # One person out of all, by keyboard: accents or none, arrows, Enter.
    who = page.get_by_label("New manager")
    who.press_sequentially("kiss")
    expect(page.get_by_role("option")).to_have_count(1)
    axe(page)
    who.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Dora Kiss")
    who.press("Enter")
    expect(who).to_have_value(re.compile(r"^Dora Kiss #\d+$"))
    expect(page.get_by_role("listbox")).to_be_hidden()
    who.press("ArrowDown")
    expect(page.get_by_role("listbox")).to_be_visible()
    who.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_hr_narrows_who_takes_part_and_sees_it_counted_before_saving(
    visit: Visit, stack: Stack
) -> None:
    world = build_world()
    draft = cycles.make_draft("Next year", by=world.kim)
    page = visit(world.kim)
    go(page, "Cycles", f"Set up: {draft.name}")
    page.locator("summary", has_text="Units").click()
    page.get_by_label("Sales").check()
    expect(page.locator("#preview").get_by_text("Ana Popescu")).to_have_count(0)
    expect(page.locator("#preview").get_by_text("Hugo Blanc")).to_be_visible()


def test_an_employee_reads_their_cycle(visit: Visit, stack: Stack) -> None:
    world = build_world()
    page = visit(world.ana, phone=True)
    go(page, "My menu", "Everything about me", f"The cycle “{world.cycle.name}”")
    page.get_by_text("Bashir Nouri").wait_for()
    axe(page)
