"""People with a phone in one hand: nothing beside the screen, nothing too small to hit, and a board that is read."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.conftest import World
from tests.journeys.conftest import Visit
from tests.journeys.looking import axe
from tests.journeys.using import wrong_by_finger
from tests.journeys.walking import follow, go

PAGES: dict[str, list[tuple[str, ...]]] = {
    "ana": [
        ("Home",),
        ("Inbox",),
        ("Goals",),
        ("Goals", "New goal"),
        ("My menu", "Everything about me"),
    ],
    "bashir": [
        ("Home",),
        ("My team",),
        ("My team", "Ana Popescu"),
        ("Check-ins",),
        ("Appraisals",),
    ],
    "kim": [
        ("Cycles",),
        ("Cycles", "Everything in it"),
        ("Cycles", "Board"),
        ("Cycles", "Board", "Remind"),
        ("Cycles", "Board", "Close: Appraisal"),
        ("Cycles", "Everything in it", "Close the cycle"),
        ("People",),
    ],
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", PAGES)
def test_a_finger_hits_everything_and_nothing_stands_beside_the_screen(
    under_way: World, visit: Visit, who: str
) -> None:
    page = visit(getattr(under_way, who), phone=True)
    for way in PAGES[who]:
        go(page, *way)
        assert not wrong_by_finger(page), page.url


def test_the_board_says_of_everybody_in_two_lines_how_far_they_are(
    under_way: World, visit: Visit
) -> None:
    page = visit(under_way.kim, phone=True)
    go(page, "Cycles", "Board")
    people = page.get_by_role("region", name="People").locator("tbody tr")
    assert people.count() == len(under_way.part) - 1, "all but the reader"
    # What is blocked says why over the whole width.
    for person in people.filter(has_not_text="blocked").all():
        stages = person.locator("td").all()
        tops = {round((stage.bounding_box() or {"y": 0})["y"]) for stage in stages}
        assert len(stages) == 4
        assert len(tops) == 1, "the stages of a person stand side by side"
    assert (
        people.first.locator("td").first.evaluate(
            "cell => getComputedStyle(cell, '::before').content"
        )
        == '"Objectives"'
    )
    axe(page)
    # What the wide table sorts by stands above the cards.
    with page.expect_navigation():
        page.get_by_role("link", name="Name").click()
    expect(page.get_by_role("link", name=re.compile("^Name.*sorted"))).to_be_visible()


def test_a_card_leaves_out_what_is_empty(under_way: World, visit: Visit) -> None:
    page = visit(under_way.ana, phone=True)
    go(page, "Goals")
    page.get_by_role("button", name="No change").first.click()
    page.get_by_text("Saved.").wait_for()
    follow(page, "Halve the scrap of line 3")
    updates = page.get_by_role("region", name="Updates")
    expect(updates.locator("td[data-label=Confidence]")).to_be_visible()
    expect(updates.locator("td[data-label=Note]")).to_be_hidden()
