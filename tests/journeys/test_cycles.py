"""HR's pages around a cycle in a real browser: usable by all, without errors, walked to the board."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from pmcycle.access import today
from pmcycle.cycles.models import Cycle
from pmcycle.people.models import Absence
from tests.conftest import build_world
from tests.factories import cycles
from tests.journeys.conftest import Visit
from tests.journeys.looking import axe
from tests.journeys.running import Stack


@pytest.mark.parametrize("step", ["who", "stages", "rating", "visibility", "rewards", "reminders", "check"])
def test_each_step_of_setting_up_is_usable_by_all(visit: Visit, stack: Stack, step: str) -> None:
    world = build_world()
    draft = cycles.make_draft("Next year", by=world.kim)
    axe(visit(world.kim, f"/cycles/{draft.pk}/set-up/{step}/"))


@pytest.mark.parametrize(
    "path",
    [
        "/cycles/",
        "/cycles/new/",
        "/cycles/{cycle}/",
        "/cycles/{cycle}/board/",
        "/cycles/{cycle}/remind/",
        "/cycles/{cycle}/close/",
        "/cycles/person/{ana}/",
        "/cycles/person/{ana}/extend/",
        "/cycles/person/{ana}/transfer/?q=gita",
        "/cycles/stage/{stage}/postpone/",
    ],
)
def test_each_page_of_a_running_cycle_is_usable_by_all(visit: Visit, stack: Stack, path: str) -> None:
    world = build_world()
    assert world.gita.employee
    Absence.objects.create(
        employee=world.gita.employee, starts_on=today(), ends_on=today() + timedelta(days=400)
    )
    stage = world.cycle.stages.order_by("position")[0]
    axe(visit(world.kim, path.format(cycle=world.cycle.pk, ana=world.ana_part.pk, stage=stage.pk)))


def test_hr_narrows_who_takes_part_and_sees_it_counted_before_saving(visit: Visit, stack: Stack) -> None:
    world = build_world()
    draft = cycles.make_draft("Next year", by=world.kim)
    page = visit(world.kim, f"/cycles/{draft.pk}/set-up/who/")
    page.locator("summary", has_text="Units").click()
    page.get_by_label("Sales").check()
    expect(page.locator("#preview").get_by_text("Ana Popescu")).to_have_count(0)
    expect(page.locator("#preview").get_by_text("Hugo Blanc")).to_be_visible()


def test_hr_accepts_the_warnings_launches_and_comes_to_the_board(visit: Visit, stack: Stack) -> None:
    world = build_world()
    draft = cycles.make_draft("Next year", by=world.kim)
    page = visit(world.kim, f"/cycles/{draft.pk}/set-up/check/")
    while page.get_by_role("button", name="Go on with it").count():
        page.get_by_role("button", name="Go on with it").first.click()
    page.locator("summary", has_text="Launch for 11 people").click()
    page.get_by_role("button", name="Launch for 11 people").click()
    page.get_by_role("link", name="See the result").click(timeout=60_000)
    page.get_by_role("heading", name="Where everybody stands").wait_for()
    assert Cycle.objects.get(pk=draft.pk).state == "running"


def test_an_employee_reads_their_cycle(visit: Visit, stack: Stack) -> None:
    world = build_world()
    page = visit(world.ana, f"/cycles/{world.cycle.pk}/", phone=True)
    page.get_by_text("Bashir Nouri").wait_for()
    axe(page)
