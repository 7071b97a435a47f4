"""Ana proposes on her laptop, Bashir counters and adds one, both agree, and Ana records from her phone."""

from __future__ import annotations

import re
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from goals import actions
from goals.models import Goal, KeyResult, ProgressUpdate
from tests.conftest import World, build_world
from tests.factories import goals
from tests.journeys.looking import axe, in_both_themes, look

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from tests.journeys.conftest import Visit


@pytest.fixture
def stack(live_server: LiveServer, transactional_db: None) -> SimpleNamespace:
    """The web server alone: nothing in this walk waits for the worker."""
    return SimpleNamespace(url=live_server.url)


@pytest.fixture
def company(stack: object) -> World:
    world = build_world()
    for title, why in (
        ("Zero recordable accidents", "Everybody goes home as they came."),
        ("Deliver 98 % of orders on the day we promised", "Customers plan their own week around us."),
    ):
        goals.publish(world.cycle, world.kim, title=title, why=why, key_results=[])
    goals.agree(
        world.part["bashir"],
        world.bashir,
        world.dora,
        title="Bring line 3 up to the quality of line 1",
        weight="60",
    )
    return world


def write_a_goal(page: Page, title: str, weight: str, measure: tuple[str, str, str, str]) -> None:
    page.get_by_label("Goal", exact=True).fill(title)
    page.get_by_label("Why it matters").fill("Every third complaint comes from there.")
    name, kind, start, target = measure
    row = page.locator("[data-row]").first
    row.get_by_label("Key result").fill(name)
    row.get_by_label("Measured by").select_option(label=kind)
    row.get_by_label("From").fill(start)
    row.get_by_label(re.compile(r"^To\b")).fill(target)
    page.get_by_label("Weight").fill(weight)


@pytest.mark.timeout(400)
def test_from_a_proposal_to_a_number_on_the_phone(company: World, visit: Visit) -> None:
    world = company
    ana = visit(world.ana, "/goals/")
    expect(ana.get_by_text("No goals yet.")).to_be_visible()
    axe(ana)
    ana.get_by_role("link", name="New goal").click()
    write_a_goal(ana, "Halve the scrap of line 3", "50", ("Scrap rate of line 3", "decrease to", "8", "4"))
    expect(ana.locator("[data-weight-live]")).to_have_text("= 50 / 100")
    ana.get_by_role("button", name="Add a row").click()
    expect(ana.locator("[data-rows] [data-row]")).to_have_count(3)
    axe(ana)
    ana.get_by_role("button", name="Propose to Bashir Nouri").click()
    expect(ana.get_by_role("heading", name="Waits for Bashir Nouri")).to_be_visible()

    for title, weight, measure in (
        (
            "Train every new operator before their first night shift",
            "30",
            ("Operators trained", "increase to", "0", "12"),
        ),
        ("Bring the changeover below 40 minutes", "10", ("Minutes a changeover", "decrease to", "55", "40")),
    ):
        ana.get_by_role("link", name="New goal").click()
        write_a_goal(ana, title, weight, measure)
        ana.get_by_role("button", name="Propose to").click()

    bashir = visit(world.bashir, f"/goals/of/{world.ana_part.pk}/")
    bashir.get_by_role("link", name=re.compile("Counter.*Halve the scrap")).click()
    bashir.get_by_label("Goal", exact=True).fill("Halve the scrap of lines 3 and 4")
    bashir.get_by_label("Weight").fill("45")
    axe(bashir)
    bashir.get_by_role("button", name="Send back").click()
    bashir.goto(f"/goals/of/{world.ana_part.pk}/")
    bashir.get_by_role("link", name="New goal").click()
    write_a_goal(
        bashir, "Write down how line 3 is set up", "15", ("Pages reviewed", "increase to", "0", "20")
    )
    bashir.get_by_role("button", name="Propose to Ana Popescu").click()
    in_both_themes(bashir)
    look(bashir, "goals-of-waiting")
    # From the mail's link: one click for the page, one to agree.
    bashir.get_by_role("button", name="Agree with Ana Popescu").click()
    expect(bashir.get_by_text("Agreed to 2 goals.")).to_be_visible()

    ana.goto("/goals/")
    expect(ana.get_by_role("heading", name="2 goals wait for you")).to_be_visible()
    in_both_themes(ana)
    look(ana, "goals-countered")
    ana.get_by_role("button", name="Agree with Bashir Nouri").click()
    expect(ana.get_by_role("heading", name="The set is agreed")).to_be_visible()
    assert Goal.objects.filter(participation=world.ana_part, state=Goal.State.AGREED).count() == 4

    row = KeyResult.objects.get(title="Scrap rate of line 3", goal__participation=world.ana_part)
    for value in ("7.4", "6.9", "6.2"):
        actions.record_progress(row, value=Decimal(value), confidence="on_track", version=None, by=world.ana)
    phone = visit(world.ana, "/goals/", phone=True)
    line = phone.locator(f"#kr-{row.pk}")
    line.get_by_label("Now at").fill("5.5")
    line.get_by_role("button", name="Save").click()
    expect(line.get_by_text("Saved.")).to_be_visible()
    expect(line.locator(".progress-words")).to_have_text("63 %")
    expect(phone.locator(f"#goal-{row.goal_id}-progress")).to_contain_text("63 %")
    line.get_by_label("Confidence").select_option(label="At risk")
    line.get_by_role("button", name="No change").click()
    expect(line.locator(".tone-badge")).to_contain_text("at risk")
    assert ProgressUpdate.objects.filter(key_result=row).count() == 5
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    in_both_themes(phone)
    look(phone, "goals-agreed")

    ana.goto(f"/goals/{row.goal_id}/")
    ana.get_by_role("link", name="Ask for a change").click()
    ana.get_by_label("Reason").select_option(label="Resources changed")
    ana.get_by_label("What happened?").fill("Line 4 goes to another hall in May.")
    ana.get_by_label("Goal", exact=True).fill("Halve the scrap of line 3")
    ana.get_by_label(re.compile(r"^To\b")).first.fill("4.5")
    axe(ana)
    ana.get_by_role("button", name="Ask for this change").click()
    expect(ana.get_by_role("heading", name="Your change waits for Bashir Nouri")).to_be_visible()
    bashir.goto(f"/goals/{row.goal_id}/")
    expect(bashir.get_by_role("heading", name="Ana Popescu asks for a change")).to_be_visible()
    in_both_themes(bashir)
    look(bashir, "goals-change")
    bashir.get_by_role("button", name="Accept the change").click()
    expect(bashir.get_by_role("heading", name="Halve the scrap of line 3", level=1)).to_be_visible()
    in_both_themes(bashir)
    look(bashir, "goals-detail")
    bashir.goto(f"/goals/company/{world.cycle.pk}/")
    look(bashir, "goals-company")
    axe(bashir)
    ana.goto(f"/goals/of/{world.ana_part.pk}/contributions/")
    axe(ana)


def test_what_was_typed_comes_back_with_its_rows(company: World, visit: Visit) -> None:
    ana = visit(company.ana, f"/goals/of/{company.ana_part.pk}/new/")
    ana.get_by_label("Goal", exact=True).fill("Halve the scrap of line 3")
    ana.get_by_role("button", name="Add a row").click()
    last = ana.locator("[data-rows] [data-row]").last
    last.get_by_label("Key result").fill("Hours without a stop")
    last.get_by_label("Measured by").select_option(label="keep within")
    last.get_by_label("At least").fill("7")
    expect(ana.locator("[data-draft-status]")).to_contain_text("draft kept")
    ana.close()

    later = visit(company.ana, f"/goals/of/{company.ana_part.pk}/new/")
    later.get_by_role("button", name="Bring it back").click()
    rows = later.locator("[data-rows] [data-row]")
    expect(rows).to_have_count(3)
    expect(later.get_by_label("Goal", exact=True)).to_have_value("Halve the scrap of line 3")
    expect(rows.last.get_by_label("Key result")).to_have_value("Hours without a stop")
    expect(rows.last.get_by_label("At least")).to_have_value("7")
    expect(rows.last.get_by_label("From")).to_be_hidden()
