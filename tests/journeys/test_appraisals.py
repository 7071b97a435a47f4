"""The editor of an appraisal form in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conftest import build_world
from tests.factories import cycles
from tests.journeys.looking import in_both_themes
from tests.journeys.walking import go

if TYPE_CHECKING:
    from tests.journeys.conftest import Visit


def test_the_form_editor_and_its_preview(visit: Visit) -> None:
    world = build_world()
    draft = cycles.make_cycle("Next year", state="draft")
    page = visit(world.kim)
    go(page, "Cycles", f"Everything in it: {draft.name}", "Appraisal form")
    page.get_by_role("button", name="Use this form").click()
    page.get_by_label("Weight, %").first.fill("50")
    page.get_by_text("90 / 100").wait_for()
    in_both_themes(page)
    page.get_by_role("button", name="Save the form").click()
    page.get_by_text("The launch waits until they total 100").wait_for()
    page.get_by_role("link", name="Preview as employee").click()
    page.get_by_role("heading", name="What an employee will see").wait_for()
    in_both_themes(page)
