"""On-time shares: each thing is judged by the day by which it was due when it was done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from appraisals.models import Appraisal
from evaluations.models import CycleEvaluation
from pmcycle.access import today
from pmcycle.cycles.actions import leftovers_of_stage
from pmcycle.cycles.models import Cycle, Participation, Stage
from pmcycle.people.models import User
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make
from tests.factories import cycles
from tests.open_items import catch_up, late_clock

pytestmark = pytest.mark.django_db


@contextmanager
def on(day: date, hour: int = 12) -> Iterator[None]:
    with late_clock(), time_machine.travel(datetime.combine(day, time(hour), UTC)):
        yield


@pytest.fixture
def due(world: World) -> date:
    """Self-appraisals are written, and due in three days."""
    make.open_stage(world.cycle)
    day = today() + timedelta(days=3)
    Stage.objects.filter(cycle=world.cycle, kind="appraisal").update(due_on=day)
    catch_up()
    return day


def post(as_: SignedIn, user: User, url_name: str, pk: int, **data: Any) -> None:
    assert as_(user).post(reverse(url_name, args=[pk]), data).status_code == 302, url_name


def on_time(world: World, as_: SignedIn, label: str = "Self-appraisals") -> int:
    """As HR counts it now."""
    post(as_, world.kim, "evaluations:compute", world.cycle.pk)
    rows = CycleEvaluation.objects.get().figures["on_time"]
    return next(int(row["done"]) for row in rows if row["label"] == label)


def hand_in(as_: SignedIn, user: User, form: Appraisal) -> None:
    post(as_, user, "appraisals:submit", form.pk, **make.filled(form))


def stage(world: World) -> Stage:
    return Stage.objects.get(cycle=world.cycle, kind="appraisal")


def more_time(world: World, as_: SignedIn, until: date) -> None:
    version = Participation.objects.get(pk=world.ana_part.pk).version
    data = {
        "stage": stage(world).pk,
        "due_on": until,
        "reason": "Back from leave.",
        "version": version,
    }
    post(as_, world.kim, "cycles:extend", world.ana_part.pk, **data)


def test_what_was_late_stays_late_when_the_stage_is_opened_again_with_a_later_day(
    world: World, as_: SignedIn, due: date
) -> None:
    with on(due + timedelta(days=1)):
        hand_in(as_, world.ana, make.self_appraisal(world.ana_part))
        assert on_time(world, as_) == 0
        row = stage(world)
        left = cycles.reasons(leftovers_of_stage(row, world.kim))
        post(
            as_,
            world.kim,
            "cycles:close_stage",
            row.pk,
            version=row.version,
            reason="Over.",
            **left,
        )
        again = {"reason": "Too few.", "due_on": due + timedelta(days=20)}
        post(as_, world.kim, "cycles:open_stage", row.pk, version=stage(world).version, **again)
        assert on_time(world, as_) == 0
        hand_in(as_, world.chen, make.self_appraisal(world.part["chen"]))
        assert on_time(world, as_) == 1, "who had the later day"


def test_more_time_counts_if_it_was_given_before(world: World, as_: SignedIn, due: date) -> None:
    more_time(world, as_, due + timedelta(days=2))
    with on(due + timedelta(days=1)):
        hand_in(as_, world.ana, make.self_appraisal(world.ana_part))
        assert on_time(world, as_) == 1


def test_more_time_that_is_given_afterwards_changes_nothing(
    world: World, as_: SignedIn, due: date
) -> None:
    with on(due + timedelta(days=1)):
        hand_in(as_, world.ana, make.self_appraisal(world.ana_part))
        more_time(world, as_, due + timedelta(days=9))
        assert on_time(world, as_) == 0


@pytest.mark.parametrize(("days", "expected"), [(4, 1), (6, 0)])
def test_a_form_that_is_given_back_counts_by_its_own_day(
    world: World, as_: SignedIn, due: date, days: int, expected: int
) -> None:
    form = make.self_appraisal(world.ana_part)
    hand_in(as_, world.ana, form)
    assert on_time(world, as_) == 1
    form.refresh_from_db()
    own = {"version": form.version, "why": "Name an example.", "until": due + timedelta(days=5)}
    post(as_, world.kim, "appraisals:reopen", form.pk, **own)
    with on(due + timedelta(days=days)):
        hand_in(as_, world.ana, form)
        assert on_time(world, as_) == expected


@pytest.mark.parametrize(("zone", "expected"), [("Pacific/Auckland", 0), ("UTC", 1)])
def test_a_day_ends_where_the_cycle_is(
    world: World, as_: SignedIn, due: date, zone: str, expected: int
) -> None:
    """Already the day after in Auckland, still the due day in Greenwich."""
    Cycle.objects.filter(pk=world.cycle.pk).update(zone=zone)
    with on(due, hour=20):
        hand_in(as_, world.ana, make.self_appraisal(world.ana_part))
        assert on_time(world, as_) == expected
