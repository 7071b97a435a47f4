"""Home, the team's grid and finding: their SQL statements do not grow with people or items."""

from __future__ import annotations

from datetime import timedelta

from feedback.models import FeedbackRequest
from pmcycle.access import today
from tests.conftest import World
from tests.factories import cycles, goals, people
from tests.query_tables import Page


def more_items(world: World, number: int) -> None:
    FeedbackRequest.objects.bulk_create(
        FeedbackRequest(
            requester=world.chen.employee,
            reviewer=world.ana.employee,
            about=world.chen.employee,
            question="How was it?",
            due_on=today() + timedelta(days=number),
        )
        for number in range(number)
    )


def more_people(world: World, number: int) -> None:
    assert world.bashir.employee
    assert world.dora.employee
    for n in range(number):
        person = people.make_employee(f"Robin {number}x{n:03d}", world.production)
        people.report(person, world.bashir.employee)
        cycles.take_part(world.cycle, person, world.bashir.employee, world.dora.employee)


def more_about_ana(world: World, number: int) -> None:
    """Cycles in which Ana takes part, with a contribution in each."""
    assert world.ana.employee
    assert world.bashir.employee
    assert world.dora.employee
    for n in range(number):
        cycle = cycles.make_cycle(f"Year {number}x{n}")
        part = cycles.take_part(
            cycle, world.ana.employee, world.bashir.employee, world.dora.employee
        )
        goals.contribution(part, world.ana, world.chen)


PAGES = [
    Page("home:hub", as_="kim", grow=more_people, build=cycles.running, limit=12),
    Page(
        "home:hub", as_="ines", grow=more_people, build=cycles.running, limit=12, state="as partner"
    ),
    Page("home:person", as_="kim", grow=more_about_ana, build=people.ana, limit=12),
    Page(
        "home:person",
        as_="ana",
        grow=more_about_ana,
        build=people.ana,
        limit=12,
        state="of oneself",
    ),
    Page("home:index", as_="ana", grow=more_items, limit=12),
    Page("home:index", as_="kim", grow=more_people, limit=12, state="as HR"),
    Page("home:team", as_="bashir", grow=more_people, limit=12),
    Page("home:search", as_="ana", grow=more_people),
]
