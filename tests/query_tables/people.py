"""People's pages: org chart, search, profile, imports, rehearsal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pmcycle.access import today
from pmcycle.people.models import (
    ApiToken,
    Employee,
    Holiday,
    Import,
    ImportLine,
    Role,
    RoleGrant,
    User,
)
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
            kind="people",
            file_name=f"file {number}.csv",
            content=b"x",
            sha256="",
            uploaded_by=world.kim,
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


def more_changed_lines(world: World, n: int) -> None:
    """Doubtful lines, and as many that change somebody, whose record stands beside what the file says."""
    more_lines(world, 2 * n)
    more_people(world, n)
    run = Import.objects.get(file_name="lines.csv")
    known = Employee.objects.order_by("-pk").values_list("number", flat=True)
    doubtful = run.lines.filter(fate="ambiguous").order_by("pk")[:n]
    for line, number in zip(doubtful, known, strict=False):
        line.fate, line.key, line.candidates = "changed", number, [{"kind": "address"}]
        line.changes = {"grade": ["G1", "G2"]}
        line.save()


def ana(world: World) -> dict[str, Any]:
    return {"pk": world.ana.employee_id}


def bashir(world: World) -> dict[str, Any]:
    return {"pk": world.bashir.employee_id}


def lines_run(world: World) -> dict[str, Any]:
    return {"pk": Import.objects.get(file_name="lines.csv").pk}


def more_accounts(world: World, n: int) -> None:
    for number in range(n):
        user = people.make_user(
            email=f"extra{User.objects.count()}@example.com", name=f"Extra {number}"
        )
        people.grant(user, Role.HR_PARTNER, world.sales)


def more_roles(world: World, n: int) -> None:
    start = RoleGrant.objects.filter(user=world.ana).count()
    for number in range(start, start + n):
        day = today() - timedelta(days=2000 - number)
        RoleGrant.objects.create(
            user=world.ana,
            role="unit_head",
            unit=world.sales,
            starts_on=day,
            ends_on=day,
            granted_by=world.kim,
            approved_by=world.lea,
        )


def more_tokens(world: World, n: int) -> None:
    for _ in range(n):
        prefix = f"p{ApiToken.objects.count()}"
        ApiToken.objects.create(
            user=world.ana, name="x", prefix=prefix, digest="", expires_on=today()
        )


def ana_account(world: World) -> dict[str, Any]:
    return {"pk": world.ana.pk}


def more_holidays(world: World, n: int) -> None:
    for _ in range(n):
        day = today() + timedelta(days=Holiday.objects.count())
        Holiday.objects.create(day=day, name="Rest")
        Holiday.objects.create(day=today() - timedelta(days=Holiday.objects.count()), name="Rest")


PAGES = [
    Page("people:calendar", "noor", more_holidays),
    Page("people:accounts", "kim", more_accounts),
    Page("people:account", "kim", more_roles, build=ana_account),
    Page("people:tokens", "ana", more_tokens),
    Page("people:org_chart", "ana", more_people),
    Page("people:profile", "ana", more_people, build=bashir),
    Page("people:profile", "kim", more_people, build=bashir, state="hr"),
    Page("people:edit_employee", "kim", more_people, build=bashir),
    Page("people:picker", "ana", more_people),
    Page("people:imports", "kim", more_imports),
    Page("people:rehearsal", "kim", more_lines, build=lines_run),
    Page("people:rehearsal", "kim", more_changed_lines, build=lines_run, state="changed"),
]
