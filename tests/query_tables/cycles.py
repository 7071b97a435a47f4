"""Pages of cycles. The board gathers from many tables, so it may ask twelve times."""

from __future__ import annotations

from datetime import timedelta

from pmcycle.access import today
from pmcycle.cycles import actions
from tests.conftest import World
from tests.factories import cycles, people
from tests.query_tables import Page


def more_people(world: World, rows: int) -> None:
    """People in Sales who take part under Gita."""
    gita = world.gita.employee
    assert gita is not None
    have = world.cycle.participations.count()
    for number in range(rows):
        person = people.make_employee(f"Extra Person{have + number}", world.sales)
        people.make_user(person)
        people.report(person, gita)
        cycles.take_part(world.cycle, person, gita)


def more_cycles(world: World, rows: int) -> None:
    have = world.cycle.__class__.objects.count()
    for number in range(rows):
        cycles.make_cycle(f"Earlier {have + number}", state="closed")


def more_exceptions(world: World, rows: int) -> None:
    """People in Sales with more time, and with another manager."""
    stage = world.cycle.stages.get(kind="appraisal")
    until = stage.due_on + timedelta(days=9)
    dora = world.dora.employee
    assert dora is not None
    have = world.cycle.participations.count()
    more_people(world, rows)
    for part in world.cycle.participations.order_by("pk")[have:]:
        actions.extend(part, stage, due_on=until, reason="Leave.", version=None, by=world.lea)
        actions.transfer(part, dora, on=today(), reason="New team.", version=None, by=world.lea)


def draft_step(step: str) -> Page:
    def build(world: World) -> dict[str, object]:
        found = world.cycle.__class__.objects.filter(name="Next year").first()
        cycle = found or cycles.make_draft("Next year", by=world.kim)
        return {"pk": cycle.pk, "step": step}

    # The check asks for the launch that is under way as well.
    limit = 9 if step == "check" else 8
    return Page(
        "cycles:configure", as_="kim", grow=more_people, build=build, state=step, limit=limit
    )


PAGES = [
    Page("cycles:list", as_="kim", grow=more_cycles),
    Page("cycles:detail", as_="ana", grow=more_people, build=cycles.running),
    # Each kind of what would be left is one statement; the page is opened once a year.
    Page("cycles:close", as_="kim", grow=more_people, build=cycles.running, limit=31),
    Page("cycles:close_stage", as_="kim", grow=more_people, build=cycles.first_stage),
    Page("cycles:exceptions", as_="kim", grow=more_exceptions, build=cycles.running),
    Page("cycles:life_line", as_="kim", grow=more_people, build=cycles.part_of_ana),
    Page("home:board", as_="kim", grow=more_people, build=cycles.running, limit=12),
    Page("home:remind", as_="kim", grow=more_people, build=cycles.running, limit=12),
    *(
        draft_step(s)
        for s in ("who", "stages", "rating", "visibility", "rewards", "reminders", "check")
    ),
]
