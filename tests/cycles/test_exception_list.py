"""All exceptions of a cycle on one page: found by name and kind, for HR and of whom HR may see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from pmcycle.access import today
from pmcycle.cycles import actions
from pmcycle.cycles.models import Participation
from tests.conftest import SignedIn, World
from tests.factories import cycles, people
from tests.pages import flat

pytestmark = pytest.mark.django_db


def page(world: World, client: Client, **query: str | int) -> str:
    return flat(client.get(reverse("cycles:exceptions", args=[world.cycle.pk]), query))


def more_time(world: World, part: Participation) -> None:
    stage = world.cycle.stages.get(kind="appraisal")
    until = stage.due_on + timedelta(days=9)
    actions.extend(part, stage, due_on=until, reason="Back from leave.", version=None, by=world.lea)


@pytest.fixture
def changed(world: World) -> World:
    """Ana has more time and another manager; Pia has left and is back; Olaf joined late."""
    more_time(world, world.ana_part)
    assert world.gita.employee
    actions.transfer(
        world.ana_part,
        world.gita.employee,
        on=today(),
        reason="Moved to sales.",
        version=None,
        by=world.lea,
    )
    gone = Participation.objects.get(pk=cycles.part_of_a_leaver(world)["pk"])
    actions.return_person(gone, reason="Came back.", version=None, by=world.lea)
    late = people.make_employee("Olaf Berg", world.sales)
    actions.add_person(world.cycle, late, starts_on=today(), reason="New here.", by=world.lea)
    return world


def test_every_exception_stands_with_its_kind_its_reason_and_the_way_to_the_person(
    changed: World, as_: SignedIn
) -> None:
    shown = page(changed, as_(changed.kim))
    for words in (
        "Appraisal until",
        "Back from leave.",
        "Gita",
        "Moved to sales.",
        "A new job.",
        "Came back.",
        "Olaf Berg",
        "New here.",
        changed.lea.name,
    ):
        assert words in shown
    assert reverse("cycles:life_line", args=[changed.ana_part.pk]) in shown


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("extended", "Back from leave."),
        ("transferred", "Moved to sales."),
        ("left", "A new job."),
        ("came_back", "Came back."),
        ("joined", "New here."),
    ],
)
def test_one_kind_alone(changed: World, as_: SignedIn, kind: str, reason: str) -> None:
    shown = page(changed, as_(changed.kim), kind=kind)
    reasons = {"Back from leave.", "Moved to sales.", "A new job.", "Came back.", "New here."}
    assert {one for one in reasons if one in shown} == {reason}


def test_somebody_is_found_by_name(changed: World, as_: SignedIn) -> None:
    shown = page(changed, as_(changed.kim), q="berg olaf")
    assert "New here." in shown
    assert "Back from leave." not in shown
    assert "No exception fits." in page(changed, as_(changed.kim), q="Nobody of this name")


def test_what_makes_no_sense_is_passed_over(changed: World, as_: SignedIn) -> None:
    for absurd in ({"kind": "launched"}, {"page": "-3"}, {"page": "9" * 30}, {"q": "a\x00b" * 99}):
        assert (
            as_(changed.kim)
            .get(reverse("cycles:exceptions", args=[changed.cycle.pk]), absurd)
            .status_code
            == 200
        )


def test_a_partner_reads_of_their_people_and_nobody_of_themselves(
    changed: World, as_: SignedIn
) -> None:
    more_time(changed, changed.part["kim"])
    ines, jan = page(changed, as_(changed.ines)), page(changed, as_(changed.jan))
    assert "Ana Popescu" in ines
    assert "Olaf Berg" not in ines
    assert "Ana Popescu" not in jan
    name = reverse("cycles:life_line", args=[changed.part["kim"].pk])
    assert name not in page(changed, as_(changed.kim))
    assert name in page(changed, as_(changed.lea))


def test_another_cycle_has_its_own(changed: World, as_: SignedIn) -> None:
    other = cycles.make_cycle("Next")
    shown = flat(as_(changed.kim).get(reverse("cycles:exceptions", args=[other.pk])))
    assert "Everybody goes the same way so far." in shown


def test_many_are_read_page_by_page(world: World, as_: SignedIn) -> None:
    leader = world.part["gita"].employee
    for number in range(30):
        person = people.make_employee(f"Late Joiner{number}", world.sales)
        people.report(person, leader)
        more_time(world, cycles.take_part(world.cycle, person, leader))
    first, second = page(world, as_(world.kim)), page(world, as_(world.kim), page=2)
    assert (first.count("Back from leave."), second.count("Back from leave.")) == (25, 5)


def test_the_hub_leads_there(world: World, as_: SignedIn) -> None:
    shown = flat(as_(world.kim).get(reverse("home:hub", args=[world.cycle.pk])))
    assert reverse("cycles:exceptions", args=[world.cycle.pk]) in shown
