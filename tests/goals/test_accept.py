"""A goal is agreed when both signed the same wording; the agreed weights never pass 100."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from goals.models import Goal, KeyResult
from pmcycle.activity.models import Event, Notice
from tests.conftest import SignedIn, World
from tests.factories import goals

pytestmark = pytest.mark.django_db


def test_the_other_side_accepts_and_the_goal_is_frozen(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    response = as_(world.bashir).post(
        reverse("goals:accept", args=[goal.pk]), {"version": goal.version}
    )
    assert response.status_code == 302
    goal.refresh_from_db()
    assert goal.state == Goal.State.AGREED
    assert goal.agreed is not None
    assert goal.agreed == goal.latest
    assert goal.agreed.in_force_from is not None
    assert {s.side for s in goal.agreed.signatures.all()} == {"employee", "manager"}
    row = KeyResult.objects.get(goal=goal)
    assert (row.start, row.target, row.current) == (Decimal(8), Decimal(4), Decimal(8))
    assert Notice.objects.filter(
        recipient=world.ana, title="Bashir Nouri agreed to a goal"
    ).exists()
    assert Event.objects.filter(verb="accept", actor=world.bashir).exists()


def test_nobody_accepts_their_own_wording(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    response = as_(world.ana).post(
        reverse("goals:accept", args=[goal.pk]), {"version": goal.version}
    )
    assert response.status_code == 409
    assert b"signed this wording already" in response.content


@pytest.mark.parametrize("version", ["", "7", "x", "1e3"])
def test_what_was_not_read_is_not_signed(world: World, as_: SignedIn, version: str) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    response = as_(world.bashir).post(reverse("goals:accept", args=[goal.pk]), {"version": version})
    assert response.status_code == 409
    goal.refresh_from_db()
    assert goal.state == Goal.State.PROPOSED


def test_more_than_100_is_refused(world: World, as_: SignedIn) -> None:
    goals.agree(world.ana_part, world.ana, world.bashir, weight="70")
    more = goals.propose(world.ana_part, world.ana, weight="30.5")
    response = as_(world.bashir).post(
        reverse("goals:accept", args=[more.pk]), {"version": more.version}
    )
    assert response.status_code == 409
    assert b"the agreed weights come to 100.5" in response.content


def test_a_goal_beyond_the_cycle_weighs_nothing(world: World, as_: SignedIn) -> None:
    goals.agree(world.ana_part, world.ana, world.bashir, weight="100")
    more = goals.propose(world.ana_part, world.ana, weight=None, horizon=Goal.Horizon.LONG_TERM)
    response = as_(world.bashir).post(
        reverse("goals:accept", args=[more.pk]), {"version": more.version}
    )
    assert response.status_code == 302


def test_an_agreed_goal_is_not_accepted_again(world: World, as_: SignedIn) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    response = as_(world.bashir).post(
        reverse("goals:accept", args=[goal.pk]), {"version": goal.version}
    )
    assert response.status_code == 409
    assert b"already: Agreed" in response.content
