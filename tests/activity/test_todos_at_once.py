"""Clock, HR and people at the same moment: nothing doubled, nothing stuck, and the board says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

import appraisals.actions
import pmcycle.cycles.actions as cycle_actions
from appraisals.models import Appraisal
from pmcycle.access import today
from pmcycle.activity.models import Place, ToDo
from pmcycle.cycles.models import Participation, Stage
from pmcycle.people.actions.accounts import close_accounts_of_leavers
from pmcycle.people.models import Employee, User
from tests.at_once import at_once, refused
from tests.boards import board
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals as make
from tests.factories.cycles import accepting, take_part
from tests.factories.people import make_employee, make_user
from tests.open_items import catch_up

pytestmark = pytest.mark.django_db(transaction=True)


def shut(world: World, kind: str) -> None:
    stage = Stage.objects.get(cycle=world.cycle, kind=kind)
    left = accepting(cycle_actions.leftovers_of_stage(stage, world.kim))
    cycle_actions.close_stage(stage, reason="Over.", accepted=left, version=None, by=world.kim)


def test_a_form_that_is_opened_while_its_stage_closes_is_left_open_for_nobody(
    as_: SignedIn,
) -> None:
    world = build_world()
    make.open_stage(world.cycle)
    late = make_employee("Pia Olsen", world.production)
    make_user(late)
    part = take_part(world.cycle, late, make.employee(world.bashir))
    catch_up()
    results = at_once(
        appraisals.actions.open_missing,
        appraisals.actions.open_missing,
        lambda: shut(world, "appraisal"),
    )
    if refused(results):
        # Pia's form came between the look and the closing, which says so and is pressed again.
        shut(world, "appraisal")
    kinds = list(
        Appraisal.objects.filter(participation=part).order_by("kind").values_list("kind", flat=True)
    )
    assert kinds in ([], ["manager", "self"]), "both forms or none, and each once"
    assert not ToDo.objects.open().filter(
        cycle=world.cycle, kind__in=["appraisals:self", "appraisals:manager"]
    )
    dropped = ToDo.objects.filter(about=late, kind="appraisals:self").values_list(
        "dropped_why", flat=True
    )
    assert list(dropped) == ["stage_closed"] * len(kinds[:1])
    shown = board(as_(world.kim), world.cycle)
    assert shown.lines["Pia Olsen"]["Appraisal"] == ("missed" if kinds else "nothing to do")
    assert shown.in_stage("Appraisal").get("nothing to do", 0) == int(not kinds)


def test_accounts_of_leavers_are_ended_once_while_the_clock_freezes_them(as_: SignedIn) -> None:
    world = build_world()
    leavers = [world.part["ana"].employee_id, world.part["chen"].employee_id]
    Employee.objects.filter(pk__in=leavers).update(left_on=today() - timedelta(days=1))
    catch_up()
    ended = at_once(
        lambda: close_accounts_of_leavers(today()),
        lambda: close_accounts_of_leavers(today()),
        cycle_actions.open_due,
        cycle_actions.open_due,
    )
    assert sum(ended[:2]) == 2
    cycle_actions.open_due()
    assert not User.objects.filter(employee__in=leavers, is_active=True).exists()
    assert Participation.objects.filter(employee__in=leavers, state="left").count() == 2
    assert not ToDo.objects.open().filter(about__in=leavers, cycle=world.cycle).exists()
    assert not Place.objects.filter(participation__employee__in=leavers).exists()
    shown = board(as_(world.kim), world.cycle)
    left = {name for name, line in shown.lines.items() if "has left" in line.values()}
    assert left == {"Ana Popescu", "Chen Wei"}
    assert shown.in_stage("Objectives") == {"open": 7, "has left": 2}
