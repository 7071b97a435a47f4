"""Every page of cycles and of the board answers to whom it is for."""

from __future__ import annotations

import pytest
from django.urls import reverse

from pmcycle.cycles.models import Cycle
from tests.conftest import SignedIn, World
from tests.factories import cycles

pytestmark = pytest.mark.django_db
STEPS = ["who", "stages", "rating", "visibility", "rewards", "reminders", "check"]


@pytest.fixture
def draft(world: World) -> Cycle:
    return cycles.make_draft("Next year", by=world.kim)


@pytest.mark.parametrize("step", STEPS)
def test_each_step_opens_for_admin_and_partner(
    world: World, as_: SignedIn, draft: Cycle, step: str
) -> None:
    url = reverse("cycles:configure", kwargs={"pk": draft.pk, "step": step})
    for user in (world.kim, world.ines):
        page = as_(user).get(url)
        assert page.status_code == 200
    assert as_(world.ana).get(url).status_code == 404


@pytest.mark.parametrize(
    "name", ["cycles:detail", "home:board", "home:remind", "cycles:close", "cycles:add_person"]
)
def test_pages_of_a_running_cycle_open(world: World, as_: SignedIn, name: str) -> None:
    assert as_(world.kim).get(reverse(name, kwargs={"pk": world.cycle.pk})).status_code == 200


def test_list_and_create_open(world: World, as_: SignedIn) -> None:
    assert as_(world.kim).get("/cycles/").status_code == 200
    assert as_(world.kim).get("/cycles/new/").status_code == 200


@pytest.mark.parametrize(
    "name", ["cycles:life_line", "cycles:extend", "cycles:transfer", "cycles:mark_left"]
)
def test_pages_of_a_person_open(world: World, as_: SignedIn, name: str) -> None:
    assert as_(world.kim).get(reverse(name, kwargs={"pk": world.ana_part.pk})).status_code == 200


@pytest.mark.parametrize(
    "name", ["cycles:open_stage", "cycles:close_stage", "cycles:postpone_stage"]
)
def test_pages_of_a_stage_open(world: World, as_: SignedIn, name: str) -> None:
    stage = world.cycle.stages.first()
    assert stage is not None
    assert as_(world.kim).get(reverse(name, kwargs={"pk": stage.pk})).status_code == 200
