"""From one person of the manager's list to the one before and the next."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from appraisals.models import Appraisal
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make
from tests.factories import cycles, people
from tests.pages import flat


@pytest.fixture
def team(world: World) -> list[Appraisal]:
    """Bashir's people by name: Ana, Wanda and Yuri."""
    for name in ("Wanda Weber", "Yuri Young"):
        person = people.make_employee(name, world.production)
        cycles.take_part(
            world.cycle, person, make.employee(world.bashir), make.employee(world.dora)
        )
    make.open_stage(world.cycle)
    rows = Appraisal.objects.filter(author=world.bashir.employee, kind=Appraisal.Kind.MANAGER)
    return list(rows.order_by("participation__employee__sort_name"))


def neighbours(page: str) -> list[tuple[str, int]]:
    """Where the page leads before and after: rel and the appraisal."""
    return [
        (rel, int(pk))
        for rel, pk in re.findall(r'rel="(prev|next)" href="/appraisals/(\d+)/write/"', page)
    ]


def url(appraisal: Appraisal, verb: str = "write") -> str:
    return reverse(f"appraisals:{verb}", kwargs={"pk": appraisal.pk})


def test_the_page_leads_to_the_one_before_and_the_next(
    world: World, team: list[Appraisal], as_: SignedIn
) -> None:
    client = as_(world.bashir)
    first, middle, last = team[0], team[1], team[-1]
    assert neighbours(flat(client.get(url(first)))) == [("next", team[1].pk)]
    assert neighbours(flat(client.get(url(middle)))) == [("prev", first.pk), ("next", team[2].pk)]
    assert neighbours(flat(client.get(url(last)))) == [("prev", team[-2].pk)]


def test_so_does_one_that_is_handed_in(world: World, team: list[Appraisal], as_: SignedIn) -> None:
    make.hand_in(team[0])
    page = as_(world.bashir).get(url(team[0]), follow=True)
    assert neighbours(flat(page)) == [("next", team[1].pk)]


def test_another_reader_is_led_to_nobody(
    world: World, team: list[Appraisal], as_: SignedIn
) -> None:
    make.hand_in(team[0])
    assert neighbours(flat(as_(world.dora).get(url(team[0], "read")))) == []
