"""One Agree for everything that waits for me, when the weights come to 100."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from goals.models import Goal
from pmcycle.access import today
from pmcycle.cycles.models import Extension, Stage
from tests.conftest import SignedIn, World
from tests.factories import goals
from tests.pages import flat

pytestmark = pytest.mark.django_db


def seen_on(page: str) -> list[str]:
    return re.findall(r'name="seen"\s+value="([^"]+)"', page)


def test_one_button_agrees_to_the_set_that_was_read(world: World, as_: SignedIn) -> None:
    for weight in ("50", "30"):
        goals.propose(world.ana_part, world.ana, weight=weight)
    goals.propose(world.ana_part, world.bashir, weight="20")
    bashir = as_(world.bashir)
    page = bashir.get(reverse("goals:of", args=[world.ana_part.pk])).content.decode()
    assert "2 goals wait for you" in page
    assert "Bashir Nouri and Ana Popescu agree to these 2 goals" in page
    response = bashir.post(
        reverse("goals:agree_set", args=[world.ana_part.pk]), {"seen": seen_on(page)}
    )
    assert response.status_code == 302
    assert Goal.objects.filter(state=Goal.State.AGREED).count() == 2
    ana = as_(world.ana)
    page = ana.get(reverse("goals:list")).content.decode()
    ana.post(reverse("goals:agree_set", args=[world.ana_part.pk]), {"seen": seen_on(page)})
    assert Goal.objects.filter(state=Goal.State.AGREED).count() == 3
    assert "The set is agreed" in ana.get(reverse("goals:list")).content.decode()


def test_before_the_stage_opens_the_page_says_when_it_will(world: World, as_: SignedIn) -> None:
    goals.propose(world.ana_part, world.bashir, weight="100")
    world.cycle.stages.filter(kind="objectives").update(state=Stage.State.PLANNED)
    page = as_(world.ana).get(reverse("goals:list")).content.decode()
    assert "You can agree or counter when the objectives stage opens" in page
    assert not seen_on(page)


@pytest.mark.parametrize("weights", [("50", "30"), ("60", "50"), ("99.9",)])
def test_a_set_that_is_not_100_is_refused(
    world: World, as_: SignedIn, weights: tuple[str, ...]
) -> None:
    made = [goals.propose(world.ana_part, world.ana, weight=weight) for weight in weights]
    seen = [f"{goal.pk}:{goal.version}" for goal in made]
    response = as_(world.bashir).post(
        reverse("goals:agree_set", args=[world.ana_part.pk]), {"seen": seen}
    )
    assert response.status_code == 409
    assert b"not to 100" in response.content
    assert not Goal.objects.filter(state=Goal.State.AGREED).exists()


def test_three_thirds_are_100_and_the_page_says_where_the_remainder_goes(
    world: World, as_: SignedIn
) -> None:
    made = [goals.propose(world.ana_part, world.ana, weight="33.33") for _n in range(3)]
    seen = [f"{goal.pk}:{goal.version}" for goal in made]
    bashir = as_(world.bashir)
    assert (
        bashir.post(
            reverse("goals:agree_set", args=[world.ana_part.pk]), {"seen": seen}
        ).status_code
        == 302
    )
    page = flat(bashir.get(reverse("goals:of", args=[world.ana_part.pk])))
    assert "The weights come to 99.99; rounding leaves a remainder" in page
    assert "+0.01 remainder" in page


@pytest.mark.parametrize("seen", [[], ["1:1"], ["x"], ["9:9:9"], ["²:1"], ["1"] * 500])
def test_what_was_not_read_is_not_signed(world: World, as_: SignedIn, seen: list[str]) -> None:
    goals.propose(world.ana_part, world.ana, weight="100")
    response = as_(world.bashir).post(
        reverse("goals:agree_set", args=[world.ana_part.pk]), {"seen": seen}
    )
    assert response.status_code == 409
    assert b"Read them again" in response.content


def test_nothing_to_sign_is_said(world: World, as_: SignedIn) -> None:
    goals.propose(world.ana_part, world.bashir, weight="100")
    response = as_(world.bashir).post(reverse("goals:agree_set", args=[world.ana_part.pk]))
    assert response.status_code == 409
    assert b"Nothing waits for your signature" in response.content


def test_an_extension_holds_the_stage_open_for_one_person(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana, weight="100")
    stage = world.cycle.stages.get(kind="objectives")
    stage.state = "closed"
    stage.save(update_fields=["state"])
    url, data = (
        reverse("goals:agree_set", args=[world.ana_part.pk]),
        {"seen": f"{goal.pk}:{goal.version}"},
    )
    assert as_(world.bashir).post(url, data).status_code == 409
    Extension.objects.create(
        participation=world.ana_part,
        stage=stage,
        due_on=today(),
        reason="Back from leave",
        by=world.kim,
    )
    assert as_(world.bashir).post(url, data).status_code == 302
