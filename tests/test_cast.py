from __future__ import annotations

from pmcycle.cycles.models import Participation, Relation, related
from tests.conftest import World


def test_the_relation_to_ana_decides_who_sees_that_she_takes_part(world: World) -> None:
    seers = {
        key
        for key in (
            "ana",
            "bashir",
            "chen",
            "dora",
            "farid",
            "gita",
            "hugo",
            "ines",
            "jan",
            "kim",
            "mira",
            "noor",
        )
        if Participation.objects.visible_to(getattr(world, key))
        .filter(pk=world.ana_part.pk)
        .exists()
    }
    assert seers == {"ana", "bashir", "dora", "farid", "ines", "kim", "mira"}


def test_hr_does_not_reach_its_own_file_as_hr(world: World) -> None:
    own = Participation.objects.filter(employee=world.kim.employee_id)
    assert not own.filter(related(world.kim, Relation.HR_ADMIN, to="")).exists()
    assert own.filter(related(world.lea, Relation.HR_ADMIN, to="")).exists()
