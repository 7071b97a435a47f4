"""A form given back has a day of its own: until then it is written whatever the stage says, and not after."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from appraisals import actions
from appraisals.models import Appraisal, Return, Submission
from pmcycle.access import today
from pmcycle.activity.models import Event
from pmcycle.cycles.models import Cycle, Extension, Stage
from pmcycle.cycles.rules import day_to_rewrite
from pmcycle.people.models import User
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals as make
from tests.open_items import open_items_of

pytestmark = pytest.mark.django_db


def url(row: Appraisal, verb: str) -> str:
    return reverse(f"appraisals:{verb}", kwargs={"pk": row.pk})


def close_stage(cycle: Cycle) -> None:
    last = today() - timedelta(days=2)
    cycle.stages.filter(kind="appraisal").update(
        state=Stage.State.CLOSED, opens_on=last, due_on=last
    )


def given_back(row: Appraisal, **more: Any) -> dict[str, Any]:
    row.refresh_from_db()
    return {"version": row.version, "why": "Name an example.", **more}


def item_of(user: User, kind: str) -> date | None:
    assert user.employee_id is not None
    return {item.kind: item.due_on for item in open_items_of(user.employee_id)}.get(kind)


@pytest.mark.parametrize(("kind", "author"), [("self", "ana"), ("manager", "bashir")])
def test_in_a_closed_stage_it_is_written_until_its_own_day(
    world: World, as_: SignedIn, kind: str, author: str
) -> None:
    make.rate(world.ana_part)
    close_stage(world.cycle)
    row = Appraisal.objects.get(
        participation=world.ana_part, kind=kind, author=getattr(world, author).employee
    )
    kim, until = as_(world.kim), today() + timedelta(days=3)
    page = kim.get(url(row, "read")).content.decode()
    assert f'value="{(today() + timedelta(days=7)).isoformat()}"' in page, "a week is proposed"
    assert kim.post(url(row, "reopen"), given_back(row, until=until)).status_code == 302
    back = Return.objects.get()
    assert (back.open_until, back.by, back.why) == (until, world.kim, "Name an example.")
    assert Event.objects.get(verb="reopened").data["until"] == until.isoformat()

    user = getattr(world, author)
    assert item_of(user, f"appraisals:{kind}") == until, "the person is reminded by that day"
    assert url(row, "write") in as_(user).get(reverse("appraisals:list")).content.decode()
    page = as_(user).get(url(row, "write")).content.decode()
    assert "You can write and hand in until" in page
    with time_machine.travel(datetime.combine(until + timedelta(days=1), time(1), ZoneInfo("UTC"))):
        late = as_(user)
        assert item_of(user, f"appraisals:{kind}") is None
        answer = late.post(url(row, "submit"), make.filled(row))
        assert answer.status_code == 409
        assert "This could be written until" in answer.content.decode()
        assert "This could be written until" in late.get(url(row, "write")).content.decode()
    assert as_(user).post(url(row, "submit"), make.filled(row)).status_code == 302
    assert Submission.objects.filter(appraisal=row).count() == 2


def test_others_gain_nothing_by_it(world: World, as_: SignedIn) -> None:
    make.rate(world.ana_part)
    close_stage(world.cycle)
    own, chen = make.self_appraisal(world.ana_part), make.self_appraisal(world.part["chen"])
    as_(world.kim).post(url(own, "reopen"), given_back(own))
    assert as_(world.chen).post(url(chen, "submit"), make.filled(chen)).status_code == 409
    assert item_of(world.chen, "appraisals:self") is None


@pytest.mark.parametrize("days", [-1, 400])
def test_a_day_that_makes_no_sense_is_named(world: World, as_: SignedIn, days: int) -> None:
    make.rate(world.ana_part)
    own = make.self_appraisal(world.ana_part)
    data = given_back(own, until=today() + timedelta(days=days))
    assert as_(world.kim).post(url(own, "reopen"), data).status_code == 422
    assert not Return.objects.exists()


def test_who_has_left_gets_nothing_back(world: World, as_: SignedIn) -> None:
    make.rate(world.ana_part)
    own = make.self_appraisal(world.ana_part)
    world.ana_part.state = "left"
    world.ana_part.save(update_fields=["state"])
    kim = as_(world.kim)
    assert url(own, "reopen") not in kim.get(url(own, "read")).content.decode()
    assert kim.post(url(own, "reopen"), given_back(own)).status_code == 409


def test_the_newest_day_holds_and_a_later_extension_goes_beyond_it(
    world: World, as_: SignedIn
) -> None:
    make.rate(world.ana_part)
    own, kim = make.self_appraisal(world.ana_part), as_(world.kim)
    kim.post(url(own, "reopen"), given_back(own, until=today() + timedelta(days=30)))
    make.hand_in(own)
    close_stage(world.cycle)
    kim.post(url(own, "reopen"), given_back(own, until=today() + timedelta(days=2)))
    assert item_of(world.ana, "appraisals:self") == today() + timedelta(days=2)
    with time_machine.travel(
        datetime.combine(today() + timedelta(days=5), time(9), ZoneInfo("UTC"))
    ):
        assert item_of(world.ana, "appraisals:self") is None
    later = today() + timedelta(days=9)
    Extension.objects.create(
        participation=world.ana_part,
        stage=world.cycle.stages.get(kind="appraisal"),
        due_on=later,
        reason="leave",
        by=world.kim,
    )
    assert item_of(world.ana, "appraisals:self") == later


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
@pytest.mark.parametrize(("minutes", "is_open"), [(-1, True), (1, False)])
def test_the_day_ends_where_the_cycle_is(
    world: World, zone: str, minutes: int, is_open: bool
) -> None:
    make.rate(world.ana_part)
    Cycle.objects.filter(pk=world.cycle.pk).update(zone=zone)
    close_stage(world.cycle)
    own, last = make.self_appraisal(world.ana_part), today() + timedelta(days=4)
    actions.reopen(own, "Once more.", until=last, version=own.version, by=world.kim)
    midnight = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(zone))
    with time_machine.travel(midnight + timedelta(minutes=minutes), tick=False):
        row = Appraisal.objects.get(pk=own.pk)
        assert (actions.why_not_writable(row) == "") is is_open
        assert Appraisal.objects.writable().filter(pk=own.pk).exists() is is_open


def test_a_day_is_proposed_that_is_not_earlier_than_the_stages() -> None:
    on = date(2026, 3, 2)
    assert day_to_rewrite(None, on) == day_to_rewrite(on, on) == date(2026, 3, 9)
    assert day_to_rewrite(date(2026, 4, 1), on) == date(2026, 4, 1)


@pytest.mark.django_db(transaction=True)
def test_two_who_give_back_at_the_same_moment_do_it_once() -> None:
    world = build_world()
    make.rate(world.ana_part)
    own = make.self_appraisal(world.ana_part)
    acts = [
        lambda by=by: actions.reopen(own, "Once.", version=own.version, by=by)
        for by in (world.kim, world.lea)
    ]
    assert refused(at_once(*acts)) == 1
    assert Return.objects.count() == 1
