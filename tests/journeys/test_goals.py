"""The pages of goals that the walk of the whole cycle does not pass: usable by all, in both themes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.conftest import build_world
from tests.factories import goals
from tests.journeys.looking import in_both_themes
from tests.journeys.walking import go

if TYPE_CHECKING:
    from tests.journeys.conftest import Visit


def test_goals_of_the_company_contributions_and_a_form_that_grows(visit: Visit) -> None:
    world = build_world()
    for title in ("Zero recordable accidents", "Deliver 98 % of orders on the day we promised"):
        goals.publish(
            world.cycle, world.kim, title=title, why="It is what we promise.", key_results=[]
        )
    goals.contribution(world.ana_part, world.ana, world.chen)
    bashir = visit(world.bashir)
    go(bashir, "My goals", "All of them, and what contributes")
    in_both_themes(bashir)
    ana = visit(world.ana)
    go(ana, "My goals", "Contributions")
    in_both_themes(ana)

    go(ana, "My goals", "New goal")
    ana.get_by_label("Weight").fill("50")
    expect(ana.locator("[data-weight-live]")).to_have_text("= 50 / 100")
    ana.get_by_role("button", name="Add a row").click()
    expect(ana.locator("[data-rows] [data-row]")).to_have_count(3)
    in_both_themes(ana)


def test_what_was_typed_comes_back_with_its_rows(visit: Visit) -> None:
    world = build_world()
    ana = visit(world.ana)
    go(ana, "My goals", "New goal")
    ana.get_by_label("Goal", exact=True).fill("Halve the scrap of line 3")
    ana.get_by_role("button", name="Add a row").click()
    last = ana.locator("[data-rows] [data-row]").last
    last.get_by_label("Key result").fill("Hours without a stop")
    last.get_by_label("Measured by").select_option(label="keep within")
    last.get_by_label("At least").fill("7")
    expect(ana.locator("[data-draft-status]")).to_contain_text("draft kept")
    ana.close()

    later = visit(world.ana)
    go(later, "My goals", "New goal")
    later.get_by_role("button", name="Bring it back").click()
    rows = later.locator("[data-rows] [data-row]")
    expect(rows).to_have_count(3)
    expect(later.get_by_label("Goal", exact=True)).to_have_value("Halve the scrap of line 3")
    expect(rows.last.get_by_label("Key result")).to_have_value("Hours without a stop")
    expect(rows.last.get_by_label("At least")).to_have_value("7")
    expect(rows.last.get_by_label("From")).to_be_hidden()
