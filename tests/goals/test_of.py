"""The goals of one person: all of them for the pair, the line and HR; for a former manager what they wrote."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from goals import actions
from tests.conftest import SignedIn, World
from tests.factories import goals

pytestmark = pytest.mark.django_db


@pytest.fixture
def words_of_farid(world: World) -> None:
    """Farid proposed and measured a goal while he led Ana; Bashir proposed another one since."""
    with time_machine.travel(timezone.now() - timedelta(days=40)):
        goal = goals.agree(world.ana_part, world.farid, world.ana, title="Cut the changeover time")
        actions.record_progress(
            goals.key_result(goal),
            value=Decimal(7),
            confidence="at_risk",
            note="The press waits for a part.",
            version=None,
            by=world.farid,
        )
    actions.record_progress(
        goals.key_result(goal),
        value=Decimal("5.25"),
        confidence="on_track",
        note="The part came.",
        version=None,
        by=world.bashir,
    )
    goals.propose(world.ana_part, world.bashir, title="Train the night shift")


@pytest.mark.usefixtures("words_of_farid")
def test_a_former_manager_keeps_what_they_wrote_and_reads_nothing_else(
    world: World, as_: SignedIn
) -> None:
    page = as_(world.farid).get(reverse("goals:of", args=[world.ana_part.pk])).content.decode()
    assert "Cut the changeover time" in page
    assert "The press waits for a part." in page
    assert "Train the night shift" not in page
    assert "The part came." not in page
    assert "5.25" not in page


@pytest.mark.usefixtures("words_of_farid")
def test_the_manager_of_today_reads_all_of_it(world: World, as_: SignedIn) -> None:
    page = as_(world.bashir).get(reverse("goals:of", args=[world.ana_part.pk])).content.decode()
    assert "Cut the changeover time" in page
    assert "Train the night shift" in page


def test_a_former_manager_who_wrote_nothing_finds_that_said(world: World, as_: SignedIn) -> None:
    goals.propose(world.ana_part, world.bashir, title="Train the night shift")
    page = as_(world.farid).get(reverse("goals:of", args=[world.ana_part.pk])).content.decode()
    assert "You worded none of these goals" in page
    assert "Train the night shift" not in page


def test_whoever_never_led_her_finds_nothing(world: World, as_: SignedIn) -> None:
    assert as_(world.gita).get(reverse("goals:of", args=[world.ana_part.pk])).status_code == 404
