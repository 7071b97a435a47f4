from __future__ import annotations

from pmcycle.people.models import Employee
from tests.conftest import World
from tests.factories import cycles, people
from tests.factories.evaluations import make_evaluation
from tests.query_tables import Page


def grow_team(world: World, number: int) -> None:
    bashir = world.part["bashir"].employee
    for n in range(number):
        someone = people.make_employee(
            f"Team {Employee.objects.count()} Member{n}", world.production
        )
        make_evaluation(cycles.take_part(world.cycle, someone, bashir), bashir, state="shared")


PAGES = [
    Page("evaluations:list", as_="bashir", grow=grow_team),
    Page("evaluations:list", as_="ana", grow=grow_team, state="employee"),
]
