"""Pages of appraisals whose statements are counted."""

from __future__ import annotations

from typing import Any

from appraisals.models import CalibrationSession, Rating, ReleasedResult
from pmcycle.cycles.models import StageKind
from tests.conftest import World
from tests.factories import appraisals as make
from tests.factories import cycles, people
from tests.factories.feedback import make_entry
from tests.query_tables import Page


def team(world: World, n: int) -> None:
    """n more people of Bashir, with everybody's forms."""
    for _ in range(n):
        number = world.production.employees.count()
        person = people.make_employee(f"Worker Number{number}", world.production)
        cycles.take_part(
            world.cycle, person, make.employee(world.bashir), make.employee(world.dora)
        )
    make.open_stage(world.cycle)


def evidence(world: World, n: int) -> None:
    """n more goals and n more things said to Ana."""
    team(world, n)
    bashir = make.employee(world.bashir)
    for number in range(n):
        make.make_goal(world.ana_part, world.ana, f"Goal {number}", "1")
        make_entry(world.ana_part, bashir, bashir, "Said.", stage=StageKind.APPRAISAL)


def rated(world: World, n: int) -> None:
    """n more people with a rating, proposed by Bashir."""
    team(world, n)
    bashir = make.employee(world.bashir)
    meets = make.level(world.cycle)
    unrated = world.cycle.participations.filter(rating__isnull=True, unit=world.production).exclude(
        employee__in=[bashir.pk]
    )
    Rating.objects.bulk_create(
        [Rating(participation=part, proposed=meets, proposed_by=bashir) for part in unrated]
    )


def ana_released(world: World, n: int) -> None:
    """One result, with n more versions of nothing: the page reads one snapshot whatever it holds."""
    if not ReleasedResult.objects.exists():
        evidence(world, n)
        make.released(world)


def session(world: World) -> dict[str, Any]:
    found = CalibrationSession.objects.first() or make.make_session(
        world.cycle, world.kim, world.production
    )
    return {"pk": found.pk}


def of_ana(world: World) -> dict[str, Any]:
    return {"pk": make.manager_appraisal(world.ana_part).pk}


def own(world: World) -> dict[str, Any]:
    return {"pk": make.self_appraisal(world.ana_part).pk}


def result(world: World) -> dict[str, Any]:
    return {"pk": ReleasedResult.objects.get().pk}


def cycle(world: World) -> dict[str, Any]:
    return {"pk": world.cycle.pk}


PAGES = [
    Page("appraisals:list", as_="bashir", grow=team),
    Page("appraisals:write", as_="ana", grow=evidence, build=own, limit=12, state="self"),
    Page("appraisals:write", as_="bashir", grow=evidence, build=of_ana, limit=12, state="manager"),
    Page("appraisals:calibrations", as_="kim", grow=rated, build=cycle),
    Page("appraisals:calibration", as_="kim", grow=rated, build=session),
    # Each kind of who is left out is a statement.
    Page("appraisals:release", as_="kim", grow=rated, build=cycle, limit=10),
    Page("appraisals:result", as_="ana", grow=ana_released, build=result),
    Page("appraisals:form", as_="kim", grow=team, build=cycle),
]
