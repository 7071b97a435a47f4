"""The pages of feedback that the walk of the whole cycle does not pass: usable by all, in both themes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from feedback import actions
from feedback.models import CheckIn
from tests.conftest import World, build_world
from tests.factories.feedback import (
    make_check_in,
    make_entry,
    make_feedback,
    make_item,
    make_point,
    make_request,
    make_series,
    person,
)
from tests.journeys.conftest import Visit
from tests.journeys.looking import in_both_themes
from tests.journeys.walking import go


def furnish(world: World) -> CheckIn:
    """A pair that has worked together for a while."""
    ana, bashir, chen = person(world.ana), person(world.bashir), person(world.chen)
    make_series(
        bashir, ana, rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", at="10:30", zone="Europe/Berlin"
    )
    held = make_check_in(
        bashir,
        ana,
        in_days=-14,
        state="held",
        shared_note="The new fixture **halves the setup time**. We try it on line 2 as well.",
    )
    make_check_in(bashir, ana, in_days=-28, state="held")
    make_item(held, bashir, "Ask purchasing for a second fixture")
    make_item(held, ana, "Write the checklist for the night shift")
    left = make_point(held, ana, "Training on the laser cutter")
    meeting = make_check_in(bashir, ana, starts_at=timezone.now() - timedelta(minutes=5))
    make_point(meeting, ana, "Training on the laser cutter", carried_from=left)
    make_point(meeting, ana, "What I would need to run line 3 alone")
    make_point(meeting, bashir, "Reject rate since March: thank you")
    make_point(meeting, bashir, "Holiday cover in August")
    actions.plan_check_ins()
    make_entry(
        world.ana_part,
        bashir,
        bashir,
        "How does the goal on **setup time** look to you?",
        days_ago=9,
    )
    make_entry(
        world.ana_part, bashir, ana, "Ambitious, but with the fixture I believe in it.", days_ago=8
    )
    make_feedback(
        chen,
        ana,
        body="You explained the new press so that even I understood it.",
        visibility="public",
    )
    make_feedback(
        bashir,
        ana,
        kind="suggestion",
        body="Bring the numbers first, then the story.",
        was_useful=True,
    )
    make_request(chen, ana, chen)
    make_request(ana, person(world.hugo), ana)
    return meeting


@pytest.mark.timeout(400)
def test_the_other_pages(transactional_db: None, visit: Visit) -> None:
    world = build_world()
    furnish(world)
    page = visit(world.ana)
    the_meeting = ("Check-ins", re.compile(r"^(Open|Prepare)\s*: Bashir Nouri"))
    for entry, *links in (
        ("Check-ins",),
        ("Check-ins", "Set up check-ins"),
        (*the_meeting, "Move"),
        (*the_meeting, "Write the checklist for the night shift"),
        ("Feedback",),
        ("Feedback", "Answer: Chen Wei"),
        ("Feedback", "Ask for feedback"),
        ("Feedback", "Give feedback"),
    ):
        go(page, entry, *links)
        in_both_themes(page)
    page.get_by_label("For whom").fill(person(world.chen).pick_text)
    page.get_by_role("radio", name="Praise", exact=True).check()
    page.get_by_label("The person and their manager").check()
    page.get_by_role("button", name="Go on to write").click()
    expect(page.get_by_label("Your words")).to_be_visible()
    in_both_themes(page)

    go(page, "My menu", "Everything about me", re.compile("^Objectives$"))
    in_both_themes(page)
    page.get_by_role("textbox", name="Say something to Bashir Nouri").fill(
        "And the second fixture?"
    )
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("And the second fixture?")).to_be_visible()
