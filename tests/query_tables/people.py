"""People's pages: org chart, search, profile, imports, rehearsal."""

from __future__ import annotations

from typing import Any

from pmcycle.people.models import Employee, Import, ImportLine
from tests.conftest import World
from tests.factories import people
from tests.query_tables import Page


def more_people(world: World, n: int) -> None:
    for _ in range(n):
        number = Employee.objects.count()
        person = people.make_employee(f"Extra Person{number}", world.production)
        people.report(person, world.bashir.employee)  # type: ignore[arg-type]
        top = people.make_employee(f"Extra Chief{number}", world.production)
        people.report(people.make_employee(f"Extra Helper{number}", world.production), top)


def more_imports(world: World, n: int) -> None:
    for number in range(n):
        Import.objects.create(
            kind="people", file_name=f"file {number}.csv", content=b"x", sha256="", uploaded_by=world.kim
        )


def more_lines(world: World, n: int) -> None:
    run = Import.objects.filter(file_name="lines.csv").first() or Import.objects.create(
        kind="people",
        file_name="lines.csv",
        content=b"x",
        sha256="",
        uploaded_by=world.kim,
        state="checked",
        counts={"ambiguous": 1},
    )
    start = run.lines.count()
    for number in range(start, start + n):
        doubt = {"kind": "number", "lines": [1]}
        ImportLine.objects.create(
            run=run, number=number, fate="ambiguous", candidates=[doubt], messages=["?"]
        )


def ana(world: World) -> dict[str, Any]:
    return {"pk": world.ana.employee_id}


def bashir(world: World) -> dict[str, Any]:
    return {"pk": world.bashir.employee_id}


def lines_run(world: World) -> dict[str, Any]:
    return {"pk": Import.objects.get(file_name="lines.csv").pk}


PAGES = [
    Page("people:org_chart", "ana", more_people),
    Page("people:profile", "ana", more_people, build=bashir),
    Page("people:profile", "kim", more_people, build=bashir, state="hr", limit=12),
    Page("people:edit_employee", "kim", more_people, build=bashir),
    Page("people:picker", "ana", more_people),
    Page("people:imports", "kim", more_imports),
    Page("people:rehearsal", "kim", more_lines, build=lines_run),
]
