"""HR's pages around a cycle in a real browser: usable by all, no errors, as pictures too."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from pmcycle.access import today
from pmcycle.cycles.models import Cycle
from pmcycle.people.models import Absence
from tests.conftest import build_world
from tests.factories import cycles
from tests.journeys.conftest import Visit
from tests.journeys.looking import axe, look
from tests.journeys.running import Stack


def test_hr_sets_up_launches_and_follows_a_cycle(visit: Visit, stack: Stack) -> None:
    world = build_world()
    draft = cycles.make_draft("Next year", by=world.kim)
    Absence.objects.create(
        employee=world.gita.employee, starts_on=today(), ends_on=today() + timedelta(days=400)
    )  # type: ignore[misc]
    page = visit(world.kim, "/cycles/")
    axe(page)
    look(page, "cycles-list")
    page.goto("/cycles/new/")
    axe(page)
    look(page, "cycles-create")
    for step in ("who", "stages", "rating", "visibility", "rewards", "reminders", "check"):
        page.goto(f"/cycles/{draft.pk}/set-up/{step}/")
        axe(page)
        look(page, f"cycles-{step}")
    # The rule on the screen is counted before it is saved.
    page.goto(f"/cycles/{draft.pk}/set-up/who/")
    page.locator("summary", has_text="Units").click()
    page.get_by_label("Sales").check()
    expect(page.locator("#preview").get_by_text("Ana Popescu")).to_have_count(0)
    expect(page.locator("#preview").get_by_text("Hugo Blanc")).to_be_visible()
    page.goto(f"/cycles/{draft.pk}/set-up/check/")
    while page.get_by_role("button", name="Go on with it").count():
        page.get_by_role("button", name="Go on with it").first.click()
    page.locator("summary", has_text="Launch for 11 people").click()
    page.get_by_role("button", name="Launch for 11 people").click()
    page.get_by_role("link", name="See the result").wait_for(timeout=20_000)
    page.get_by_role("link", name="See the result").click()
    page.get_by_role("heading", name="Where everybody stands").wait_for()
    assert Cycle.objects.get(pk=draft.pk).state == "running"
    page.goto(f"/cycles/{world.cycle.pk}/board/")
    axe(page)
    look(page, "cycles-board")
    for name, path in {
        "life-line": f"/cycles/person/{world.ana_part.pk}/",
        "extend": f"/cycles/person/{world.ana_part.pk}/extend/",
        "transfer": f"/cycles/person/{world.ana_part.pk}/transfer/?q=gita",
        "detail": f"/cycles/{world.cycle.pk}/",
        "remind": f"/cycles/{world.cycle.pk}/remind/",
        "close": f"/cycles/{world.cycle.pk}/close/",
    }.items():
        page.goto(path)
        axe(page)
        look(page, f"cycles-{name}")


def test_an_employee_reads_their_cycle(visit: Visit, stack: Stack) -> None:
    world = build_world()
    page = visit(world.ana, f"/cycles/{world.cycle.pk}/")
    page.get_by_text("Bashir Nouri").wait_for()
    axe(page)
