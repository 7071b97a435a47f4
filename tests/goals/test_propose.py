"""A goal is proposed by either side, and waits for the other."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from goals.models import Goal
from pmcycle.activity.actions import save_draft
from pmcycle.activity.models import Draft, Event, Notice
from tests.conftest import SignedIn, World
from tests.factories import goals

pytestmark = pytest.mark.django_db


def form(**fields: Any) -> dict[str, Any]:
    """What the browser sends for a goal with one key result."""
    data = {
        "title": "Halve the scrap of line 3", "why": "Every third complaint.", "weight": "40", "horizon": "cycle",
        "visibility": "line", "parent": "", "due_on": "",
        "kr-TOTAL_FORMS": "2", "kr-INITIAL_FORMS": "0", "kr-MIN_NUM_FORMS": "0", "kr-MAX_NUM_FORMS": "12",
        "kr-0-title": "Scrap rate", "kr-0-kind": "decrease", "kr-0-start": "8", "kr-0-target": "4", "kr-0-unit": "%",
        "kr-1-title": "", "kr-1-kind": "increase",
    }  # fmt: skip
    return {**data, **fields}


def test_an_employee_proposes_and_the_manager_is_told(world: World, as_: SignedIn) -> None:
    response = as_(world.ana).post(reverse("goals:propose", args=[world.ana_part.pk]), form())
    assert response.status_code == 302
    goal = Goal.objects.get()
    assert goal.state == Goal.State.PROPOSED
    assert goal.latest is not None
    assert [s.side for s in goal.latest.signatures.all()] == ["employee"]
    assert goal.latest.key_results[0]["target"] == "4"
    assert Notice.objects.filter(recipient=world.bashir, title="Ana Popescu proposed a goal").exists()
    assert Event.objects.filter(verb="propose", about=world.ana.employee, actor=world.ana).exists()


def test_a_manager_proposes_and_the_employee_is_told(world: World, as_: SignedIn) -> None:
    as_(world.bashir).post(reverse("goals:propose", args=[world.ana_part.pk]), form())
    page = as_(world.ana).get(reverse("goals:list")).content.decode()
    assert "One goal waits for you" in page
    assert "Bashir Nouri signed · waits for you" in page
    assert Notice.objects.filter(recipient=world.ana).count() == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"title": ""}, "This field is required."),
        ({"title": "x\x00y"}, "Null characters are not allowed."),
        ({"weight": ""}, "How much does it weigh?"),
        ({"weight": "0"}, "greater than or equal to 0.01"),
        ({"weight": "100.01"}, "less than or equal to 100"),
        ({"weight": "NaN"}, "Enter a number."),
        ({"weight": "1e9999"}, "Ensure"),
        ({"why": "x" * 20_001}, "at most 20000"),
        ({"horizon": "century"}, "Select a valid choice"),
        ({"parent": "999999"}, "Select a valid choice"),
        ({"kr-0-target": "9"}, "the target lies below the start"),
        ({"kr-0-target": ""}, "What is the target?"),
        ({"kr-0-target": "9" * 20}, "Ensure"),
        ({"kr-1-target": "9"}, "Say what is measured."),
        ({"kr-TOTAL_FORMS": "9999"}, "at most 12"),
        ({"kr-TOTAL_FORMS": "x"}, "ManagementForm"),
    ],
)
def test_a_wrong_field_keeps_what_was_typed(
    world: World, as_: SignedIn, fields: dict[str, str], error: str
) -> None:
    url = reverse("goals:propose", args=[world.ana_part.pk])
    response = as_(world.ana).post(url, form(**fields))
    assert response.status_code == 422
    page = response.content.decode()
    assert error in page
    assert "Every third complaint." in page or "why" in fields
    assert not Goal.objects.exists()


def test_what_is_typed_is_kept_as_a_draft_until_it_is_sent(world: World, as_: SignedIn) -> None:
    url = reverse("goals:propose", args=[world.ana_part.pk])
    ana = as_(world.ana)
    key = f"goal-new-{world.ana_part.pk}"
    assert f'data-draft-url="{reverse("activity:draft", args=[key])}"' in ana.get(url).content.decode()
    save_draft(world.ana, key, {"title": "Halve"})
    ana.post(url, form(title=""))
    assert Draft.objects.filter(author=world.ana, key=key).exists()
    ana.post(url, form())
    assert not Draft.objects.kept().exists()


def test_a_row_is_added_without_script_and_nothing_is_lost(world: World, as_: SignedIn) -> None:
    url = reverse("goals:propose", args=[world.ana_part.pk])
    response = as_(world.ana).post(url, form(add_row="1"))
    assert response.status_code == 200
    page = response.content.decode()
    assert 'name="kr-2-title"' in page
    assert "Halve the scrap of line 3" in page


def test_a_removed_row_is_left_out(world: World, as_: SignedIn) -> None:
    as_(world.ana).post(reverse("goals:propose", args=[world.ana_part.pk]), form(**{"kr-0-DELETE": "on"}))
    latest = Goal.objects.get().latest
    assert latest is not None
    assert latest.key_results == []


def test_a_goal_aligns_to_a_published_one(world: World, as_: SignedIn) -> None:
    above = goals.publish(world.cycle, world.kim)
    url = reverse("goals:propose", args=[world.ana_part.pk])
    assert f'value="{above.pk}" selected' in as_(world.ana).get(f"{url}?parent={above.pk}").content.decode()
    as_(world.ana).post(url, form(parent=above.pk))
    assert Goal.objects.get(participation=world.ana_part).parent == above


@pytest.mark.parametrize("state", ["planned", "closed"])
def test_nothing_is_proposed_outside_the_stage(world: World, as_: SignedIn, state: str) -> None:
    world.cycle.stages.filter(kind="objectives").update(state=state)
    response = as_(world.ana).post(reverse("goals:propose", args=[world.ana_part.pk]), form())
    assert response.status_code == 409
    assert b"objectives stage" in response.content
    assert not Goal.objects.exists()


def test_a_leaver_gets_no_new_goal(world: World, as_: SignedIn) -> None:
    world.ana_part.state = "left"
    world.ana_part.save(update_fields=["state"])
    response = as_(world.bashir).post(reverse("goals:propose", args=[world.ana_part.pk]), form())
    assert response.status_code == 409
    assert b"Ana Popescu has left" in response.content
