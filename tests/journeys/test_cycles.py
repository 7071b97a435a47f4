"""The pages around a running cycle that the walk of the whole cycle does not pass: usable by all."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from pmcycle.access import today
from pmcycle.people.models import Absence
from tests.conftest import build_world
from tests.factories import cycles
from tests.journeys.conftest import Visit
from tests.journeys.looking import axe
from tests.journeys.running import Stack

PAGES = [
    "/cycles/",
    "/cycles/{cycle}/",
    "/cycles/{cycle}/board/",
    "/cycles/{cycle}/remind/",
    "/cycles/person/{ana}/",
    "/cycles/person/{ana}/extend/",
    "/cycles/person/{ana}/transfer/?q=gita",
]


def test_each_page_of_a_running_cycle_is_usable_by_all(visit: Visit, stack: Stack) -> None:
    world = build_world()
    assert world.gita.employee
    Absence.objects.create(
        employee=world.gita.employee, starts_on=today(), ends_on=today() + timedelta(days=400)
    )
    page = visit(world.kim)
    for path in PAGES:
        page.goto(path.format(cycle=world.cycle.pk, ana=world.ana_part.pk))
        axe(page)


def test_hr_narrows_who_takes_part_and_sees_it_counted_before_saving(visit: Visit, stack: Stack) -> None:
    world = build_world()
    draft = cycles.make_draft("Next year", by=world.kim)
    page = visit(world.kim, f"/cycles/{draft.pk}/set-up/who/")
    page.locator("summary", has_text="Units").click()
    page.get_by_label("Sales").check()
    expect(page.locator("#preview").get_by_text("Ana Popescu")).to_have_count(0)
    expect(page.locator("#preview").get_by_text("Hugo Blanc")).to_be_visible()


def test_an_employee_reads_their_cycle(visit: Visit, stack: Stack) -> None:
    world = build_world()
    page = visit(world.ana, f"/cycles/{world.cycle.pk}/", phone=True)
    page.get_by_text("Bashir Nouri").wait_for()
    axe(page)
