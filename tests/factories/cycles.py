"""A launched cycle for tests, written directly so that no test depends on the launch action."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

import appraisals.actions
from pmcycle.access import today
from pmcycle.cycles import actions
from pmcycle.cycles.models import (
    Assignment,
    ChainLink,
    Cycle,
    Participation,
    RatingLevel,
    RatingScale,
    Stage,
    StageKind,
)
from pmcycle.cycles.rules import Accepting, Leftover
from pmcycle.people.models import Employee, Role, User
from tests.factories import people

if TYPE_CHECKING:
    from tests.conftest import World

LEVELS = [
    ("Unsatisfactory", "Most expectations were missed.", 1, True),
    ("Partly meets", "Some expectations were missed.", 2, True),
    ("Meets", "All expectations were met.", 3, False),
    ("Exceeds", "Several expectations were exceeded.", 4, False),
    ("Outstanding", "Far beyond all expectations.", 5, False),
]


def make_cycle(name: str = "This year", *, state: str = "running", **fields: Any) -> Cycle:
    """A cycle around today with all four stages open (`state="draft"`: planned)."""
    day = today()
    running = state != "draft"
    fields.setdefault("first_day", day - timedelta(days=200))
    fields.setdefault("last_day", day + timedelta(days=100))
    cycle = Cycle.objects.create(
        name=name,
        state=state,
        stages_may_overlap=True,
        launched_at=timezone.now() if running else None,
        **fields,
    )
    for position, kind in enumerate(StageKind):
        Stage.objects.create(
            cycle=cycle,
            kind=kind,
            position=position,
            opens_on=day - timedelta(days=30 - position),
            due_on=day + timedelta(days=10 + 10 * position),
            state="open" if running else "planned",
        )
    scale = RatingScale.objects.create(name="Five levels", cycle=cycle)
    for position, (label, meaning, value, low) in enumerate(LEVELS, start=1):
        RatingLevel.objects.create(
            scale=scale,
            position=position,
            label=label,
            meaning=meaning,
            value=value,
            needs_mention=low,
        )
    return cycle


def reasons(
    leftovers: Iterable[Leftover], why: str = "The board has decided so."
) -> dict[str, Any]:
    """What a page posts that goes on over everything it showed."""
    shown = [one for one in leftovers if not one.refuses]
    return {f"count_{one.field}": one.count for one in shown} | {
        f"reason_{one.field}": why for one in shown
    }


def accepting(
    leftovers: Iterable[Leftover], why: str = "The board has decided so."
) -> dict[str, Accepting]:
    """The same, as actions take it."""
    return {one.code: Accepting(one.count, why) for one in leftovers}


def take_part(cycle: Cycle, employee: Employee, *line: Employee) -> Participation:
    """A participation with the line above it, the manager first."""
    salary = employee.salaries.order_by("-effective_from").first()
    participation = Participation.objects.create(
        cycle=cycle,
        employee=employee,
        unit=employee.unit,
        job_title=employee.job_title,
        grade=employee.grade,
        location=employee.location,
        fte=employee.fte,
        hired_on=employee.hired_on,
        starts_on=cycle.first_day,
        annual_pay=salary.annual if salary else None,
        currency=salary.currency if salary else "",
    )
    for distance, above in enumerate(line, start=1):
        if distance == 1:
            Assignment.objects.create(
                participation=participation, manager=above, starts_on=cycle.first_day
            )
        ChainLink.objects.create(participation=participation, above=above, distance=distance)
    return participation


def change_manager(participation: Participation, new: Employee, *, days_ago: int = 20) -> None:
    """The present manager's assignment ends `days_ago`; `new` takes over the next day."""
    end = today() - timedelta(days=days_ago)
    old = Assignment.objects.get(participation=participation, ends_on__isnull=True)
    old.ends_on = end
    old.save(update_fields=["ends_on"])
    Assignment.objects.create(
        participation=participation, manager=new, starts_on=end + timedelta(days=1)
    )
    ChainLink.objects.filter(participation=participation, distance=1).update(above=new)


def make_draft(name: str, *, by: User, starts_in: int = 0) -> Cycle:
    """A draft as HR creates it, starting today or in some days, with everybody in it."""
    first = today() + timedelta(days=starts_in)
    cycle = actions.create_cycle(
        name=name, first_day=first, last_day=first + timedelta(days=364), by=by
    )
    # On a weekend the plan would wait for Monday; tests run on any day.
    cycle.stages.filter(position=0).update(opens_on=first)
    appraisals.actions.choose_form(cycle, None, by=by)
    return cycle


def accept_all(cycle: Cycle, by: User) -> None:
    """Accept every warning of the check."""
    for finding in actions.check(cycle).findings:
        if not finding.is_error:
            actions.accept_warning(cycle, finding.code, finding.count, by=by)


def draft_of_two() -> tuple[User, Cycle]:
    """A company of two HR admins and a draft that can be launched, for tests whose rows are committed."""
    top = people.make_unit("Works")
    kim, lea = (
        people.make_user(people.make_employee(name, top)) for name in ("Kim Larsen", "Lea Roth")
    )
    for user in (kim, lea):
        people.grant(user, Role.HR_ADMIN)
    cycle = make_draft("Next year", by=kim)
    accept_all(cycle, kim)
    return kim, cycle


# --- For the access table ---

# Pages of an end, which name whoever has something open or held.
ENDS = ("cycles:close", "cycles:close_stage")
PARTNERS = "hr_partner other_hr_partner"
HR = f"{PARTNERS} hr_admin"


def running(world: World) -> dict[str, Any]:
    return {"pk": world.cycle.pk}


def closed(world: World) -> dict[str, Any]:
    left = accepting(actions.leftovers_of_cycle(world.cycle, world.lea))
    return {"pk": actions.close(world.cycle, accepted=left, version=None, by=world.lea).pk}


def reopening(world: World) -> dict[str, Any]:
    cycle = Cycle.objects.get(pk=closed(world)["pk"])
    return {"pk": actions.request_reopening(cycle, "A rating was missed.", by=world.lea).pk}


def draft(world: World) -> dict[str, Any]:
    return {"pk": make_draft("Next year", by=world.kim).pk}


def draft_step(world: World) -> dict[str, Any]:
    return {**draft(world), "step": "stages"}


def running_step(world: World) -> dict[str, Any]:
    return {**running(world), "step": "stages"}


def first_stage(world: World) -> dict[str, Any]:
    return {"pk": world.cycle.stages.order_by("position").values_list("pk", flat=True)[0]}


def closed_stage(world: World) -> dict[str, Any]:
    """The first one, which can be opened again."""
    stage = world.cycle.stages.order_by("position")[0]
    left = accepting(actions.leftovers_of_stage(stage, world.lea))
    actions.close_stage(stage, reason="All is agreed.", accepted=left, version=None, by=world.lea)
    return {"pk": stage.pk}


def part_of_ana(world: World) -> dict[str, Any]:
    return {"pk": world.ana_part.pk}


def part_of_a_leaver(world: World) -> dict[str, Any]:
    """Of somebody in Production who left this month; they could come back."""
    from tests.factories import people

    leader = world.part["bashir"].employee
    person = people.make_employee("Pia Olsen", world.production)
    people.report(person, leader)
    part = take_part(world.cycle, person, leader)
    actions.mark_left(part, left_on=today(), reason="A new job.", version=None, by=world.lea)
    return {"pk": part.pk}


def part_of_kim(world: World) -> dict[str, Any]:
    return {"pk": world.part["kim"].pk}
