"""A draft is its author's alone until it is proposed, or thrown away."""

from __future__ import annotations

import pytest
from django.urls import reverse

from goals.models import Goal
from tests.conftest import SignedIn, World
from tests.factories import goals
from tests.goals.test_propose import form

pytestmark = pytest.mark.django_db


def test_a_draft_is_kept_edited_and_proposed(world: World, as_: SignedIn) -> None:
    ana = as_(world.ana)
    ana.post(reverse("goals:draft", args=[world.ana_part.pk]), form())
    goal = Goal.objects.get()
    assert "Drafts, seen by you alone" in ana.get(reverse("goals:list")).content.decode()
    assert (
        "Halve the scrap"
        not in as_(world.bashir).get(reverse("goals:of", args=[world.ana_part.pk])).content.decode()
    )
    url = reverse("goals:edit", args=[goal.pk])
    assert "Halve the scrap" in ana.get(url).content.decode()
    assert ana.post(url, form(title="Lower the scrap", version=1)).status_code == 302
    assert ana.post(url, form(title="In another tab", version=1)).status_code == 409
    data = form(title="Lower the scrap by half", version=2)
    assert ana.post(reverse("goals:propose_draft", args=[goal.pk]), data).status_code == 302
    goal.refresh_from_db()
    assert (goal.state, str(goal.latest)) == (Goal.State.PROPOSED, "Lower the scrap by half")
    assert goal.versions.count() == 1
    assert ana.get(url).status_code == 409


def test_a_draft_is_thrown_away(world: World, as_: SignedIn) -> None:
    goal = goals.draft(world.ana_part, world.ana)
    as_(world.ana).post(reverse("goals:withdraw", args=[goal.pk]), {"version": 1})
    assert "Drafts" not in as_(world.ana).get(reverse("goals:list")).content.decode()


def test_a_long_term_goal_needs_no_weight(world: World, as_: SignedIn) -> None:
    data = form(horizon="long_term", weight="")
    assert as_(world.ana).post(reverse("goals:draft", args=[world.ana_part.pk]), data).status_code == 302
    assert Goal.objects.filter(latest__weight=None).exists()


def test_ones_own_proposal_is_taken_back_but_not_the_others(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    url = reverse("goals:withdraw", args=[goal.pk])
    assert as_(world.bashir).post(url, {"version": goal.version}).status_code == 409
    assert as_(world.ana).post(url, {"version": 9}).status_code == 409
    assert as_(world.ana).post(url, {"version": goal.version}).status_code == 302
    goal.refresh_from_db()
    assert goal.state == Goal.State.WITHDRAWN


def test_an_earlier_goal_is_copied(world: World, as_: SignedIn) -> None:
    from tests.factories import cycles

    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    world.cycle.state = "closed"
    world.cycle.save(update_fields=["state"])
    part = cycles.take_part(
        cycles.make_cycle("Next year"), world.ana_part.employee, world.part["bashir"].employee
    )
    url = reverse("goals:propose", args=[part.pk])
    assert "Copy from an earlier cycle" in as_(world.ana).get(url).content.decode()
    page = as_(world.ana).get(f"{url}?from={goal.pk}").content.decode()
    assert 'value="Halve the scrap of line 3"' in page
    assert "Scrap rate of line 3" in page
    assert as_(world.ana).get(f"{url}?from=999999").status_code == 404
    assert as_(world.ana).get(f"{url}?from=x").status_code == 200
