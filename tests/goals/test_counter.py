"""The other side answers a proposal with another wording; both wordings are kept and compared."""

from __future__ import annotations

import pytest
from django.urls import reverse

from goals.models import Goal
from pmcycle.activity.models import Notice
from tests.conftest import SignedIn, World
from tests.factories import goals
from tests.goals.test_propose import form
from tests.pages import flat

pytestmark = pytest.mark.django_db


def test_the_manager_counters_and_the_employee_sees_the_words_that_changed(
    world: World, as_: SignedIn
) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    url = reverse("goals:counter", args=[goal.pk])
    assert "Halve the scrap of line 3" in as_(world.bashir).get(url).content.decode()
    data = form(title="Halve the scrap of line 3 and 4", weight="35", version=goal.version)
    assert as_(world.bashir).post(url, data).status_code == 302
    goal.refresh_from_db()
    assert goal.state == Goal.State.PROPOSED
    assert list(goal.versions.values_list("author__name", flat=True)) == [
        "Ana Popescu",
        "Bashir Nouri",
    ]
    page = flat(as_(world.ana).get(reverse("goals:list")))
    assert "</span> and 4</ins>" in page
    assert "<del>40</del>" in page
    assert "Bashir Nouri signed · waits for you" in page
    assert Notice.objects.filter(recipient=world.ana, title__contains="another wording").exists()
    assert (
        as_(world.ana)
        .post(reverse("goals:accept", args=[goal.pk]), {"version": goal.version})
        .status_code
        == 302
    )


def test_a_key_result_keeps_its_key_through_wordings(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    assert goal.latest is not None
    key = goal.latest.key_results[0]["key"]
    data = form(version=goal.version, **{"kr-0-key": key, "kr-0-target": "3"})
    as_(world.bashir).post(reverse("goals:counter", args=[goal.pk]), data)
    goal.refresh_from_db()
    assert goal.latest is not None
    assert (goal.latest.key_results[0]["key"], goal.latest.key_results[0]["target"]) == (key, "3")


def test_a_made_up_key_is_replaced(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    data = form(version=goal.version, **{"kr-0-key": "forged"})
    as_(world.bashir).post(reverse("goals:counter", args=[goal.pk]), data)
    goal.refresh_from_db()
    assert goal.latest is not None
    assert goal.latest.key_results[0]["key"] != "forged"


def test_an_unchanged_wording_is_no_counter(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    data = {
        "title": "Halve the scrap of line 3",
        "why": "Every third complaint comes from there.",
        "weight": "40",
        "kr-0-title": "Scrap rate of line 3",
        "version": goal.version,
    }
    response = as_(world.bashir).post(reverse("goals:counter", args=[goal.pk]), form(**data))
    assert response.status_code == 422
    assert b"You changed nothing" in response.content


def test_two_wordings_at_once_show_both(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    url = reverse("goals:counter", args=[goal.pk])
    as_(world.ana).post(url, form(title="Another idea", version=goal.version))
    response = as_(world.bashir).post(url, form(title="My idea", version=goal.version))
    assert response.status_code == 409
    page = response.content.decode()
    assert "My idea" in page
    assert "Another idea" in page


def test_a_form_without_its_version_is_a_conflict(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    response = as_(world.bashir).post(
        reverse("goals:counter", args=[goal.pk]), form(title="My idea")
    )
    assert response.status_code == 409


def test_an_agreed_goal_is_not_countered(world: World, as_: SignedIn) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    response = as_(world.bashir).post(
        reverse("goals:counter", args=[goal.pk]), form(version=goal.version)
    )
    assert response.status_code == 409
