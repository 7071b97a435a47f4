"""The company that works while everything is broken around it: the cast of the tests and twenty more, in one cycle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.urls import reverse

from tests.faults import people as load

if TYPE_CHECKING:
    from pmcycle.cycles.models import Cycle
    from pmcycle.people.models import Import, User
    from tests.conftest import World

POOL = "10000.00"
# Of the cast, who takes part; with the others thirty people who write.
OF_THE_CAST = ("ana", "bashir", "chen", "gita", "hugo", "ines", "jan", "kim", "lea", "farid")
OTHERS = 20
# So many come with each file.
NEWCOMERS = 30


def build() -> tuple[World, list[User]]:
    """Everybody rated, rules published, and a to-do due tomorrow where it is morning now: reminders are due.

    Returns the cast, and those who write.
    """
    from incentives.models import Run
    from pmcycle.access import today
    from pmcycle.activity.actions import add_up_places, lives, recount, settle_all
    from pmcycle.people.models import Employee, Organisation
    from tests.conftest import build_world
    from tests.factories import incentives
    from tools.schema import prepare_database

    prepare_database()
    with transaction.atomic():
        lives.current()
        world = build_world()
        writers = [getattr(world, name) for name in OF_THE_CAST] + [
            other(world, n) for n in range(OTHERS)
        ]
        Organisation.objects.update(working_days=[1, 2, 3, 4, 5, 6, 7])
        Employee.objects.update(zone=morning_now())
        world.cycle.stages.filter(kind="objectives").update(due_on=today() + timedelta(days=1))
        incentives.rate_all(world)
        plan = incentives.make_plan(world.cycle, by=world.kim)
        merit = incentives.make_component(plan, "merit", distributes_pool=True)
        incentives.make_rule(merit, "2", incentives.at_least(incentives.MEETS))
        incentives.make_pool(merit, POOL)
        incentives.publish(plan, world.lea)
        Run.objects.create(plan=plan)
    settle_all("repaired", by=None)
    recount()
    add_up_places()
    return world, writers


def other(world: World, number: int) -> User:
    """One more in Bashir's or Gita's team."""
    from tests.factories import cycles, people

    unit, above = (world.sales, world.gita) if number % 2 else (world.production, world.bashir)
    assert above.employee
    assert world.dora.employee
    person = people.make_employee(f"Toma Writer{number:02d}", unit)
    people.report(person, above.employee)
    people.pay(person)
    world.part[f"other{number:02d}"] = cycles.take_part(
        world.cycle, person, above.employee, world.dora.employee
    )
    return people.make_user(person)


def morning_now() -> str:
    """A zone in which it is between eight and nine."""
    ahead = 8 - datetime.now(UTC).hour
    ahead += 24 if ahead < -12 else 0
    return f"Etc/GMT{-ahead:+d}"


def cast(world: World, writers: list[User]) -> list[load.Person]:
    """Those who write, each with a conversation and a goal of their own."""
    from tests.factories import goals
    from tests.journeys.conftest import session_of

    part_of = {part.employee_id: part for part in world.part.values()}
    persons = []
    for user in writers:
        assert user.employee_id
        part = part_of[user.employee_id]
        manager = part.assignments.get(ends_on__isnull=True).manager.user
        row = goals.key_result(goals.agree(part, user, manager))
        thread = reverse("feedback:say", kwargs={"pk": part.pk, "stage": "objectives"})
        persons.append(load.Person(user.name, session_of(user), thread, row.pk))
    return persons


def version_of(key_result: int) -> int | None:
    """What the page shows as its version; None while the database is away."""
    from goals.models import KeyResult

    try:
        found: int = KeyResult.objects.values_list("version", flat=True).get(pk=key_result)
    except (DatabaseError, InterfaceError):
        connection.close()
        return None
    return found


def next_cycle(world: World, name: str) -> Cycle:
    """A draft whose check is settled."""
    from tests.factories import cycles

    draft = cycles.make_draft(name, by=world.kim)
    cycles.accept_all(draft, world.kim)
    return draft


def next_import(world: World, number: int) -> Import:
    """A file of new people that Kim has rehearsed."""
    from pmcycle.people.actions import importing

    lines = [
        f'{number}{n:03d},"Newcomer, Nia{number:02d}{n:03d}",2020-02-03'
        for n in range(1, NEWCOMERS + 1)
    ]
    content = "\n".join(["Number,Name,Hired on", *lines, ""]).encode()
    run = importing.upload_import("people", f"people{number}.csv", content, by=world.kim)
    return importing.rehearse(run, by=world.kim)
