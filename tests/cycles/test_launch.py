"""Launching a cycle: once, all or nothing, in as many statements for five people as for sixty."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pmcycle.access import today
from pmcycle.activity.models import Event, Notice
from pmcycle.cycles import actions
from pmcycle.cycles.models import Assignment, ChainLink, Cycle, Participation
from pmcycle.errors import Refused
from pmcycle.people.models import User
from tests.at_once import PATIENCE
from tests.conftest import World
from tests.factories import cycles, people
from tests.factories.cycles import accept_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(world: World) -> Cycle:
    cycle = cycles.make_draft("Next year", by=world.kim)
    accept_all(cycle, world.kim)
    return cycle


def test_freezes_who_takes_part_and_their_line(world: World, draft: Cycle) -> None:
    actions.launch(draft, by=world.kim)
    draft.refresh_from_db()
    assert draft.state == "running"
    ana = Participation.objects.get(cycle=draft, employee=world.ana.employee_id)
    assert (ana.unit_id, ana.grade, str(ana.annual_pay)) == (world.production.pk, "G3", "52000.00")
    assert Assignment.objects.get(participation=ana).manager_id == world.bashir.employee_id
    above = (
        ChainLink.objects.filter(participation=ana)
        .order_by("distance")
        .values_list("above", flat=True)
    )
    assert list(above) == [world.bashir.employee_id, world.dora.employee_id]
    assert Event.objects.filter(verb="takes_part", stream=f"cycle:{draft.pk}").count() == 11
    assert [s.state for s in draft.stages.all()] == ["open", "planned", "planned", "planned"]


def test_one_notice_says_that_the_cycle_has_begun(world: World, draft: Cycle) -> None:
    told = Notice.objects.filter(recipient=world.ana)
    actions.launch(draft, by=world.kim)
    assert [n.kind for n in told] == ["goals:propose"]
    told.delete()
    later = cycles.make_draft("Later", by=world.kim, starts_in=400)
    accept_all(later, world.kim)
    actions.launch(later, by=world.kim)
    assert [n.kind for n in told.all()] == ["launched"]


def test_tells_how_many_people_are_dealt_with(world: World, draft: Cycle) -> None:
    told: list[int] = []
    actions.launch(draft, by=world.kim, step=told.append)
    assert (len(told), told[-1]) == (actions.PARTS_OF_LAUNCH, 11)
    assert told == sorted(told)


def test_a_second_launch_is_refused_with_the_reason(world: World, draft: Cycle) -> None:
    actions.launch(draft, by=world.kim)
    with pytest.raises(Refused, match="launched already"):
        actions.launch(draft, by=world.lea)


def test_a_warning_nobody_accepted_refuses(world: World) -> None:
    cycle = cycles.make_draft("Next year", by=world.kim)
    with pytest.raises(Refused, match="has not been accepted"):
        actions.launch(cycle, by=world.kim)
    assert not Participation.objects.filter(cycle=cycle).exists()


def test_who_reports_to_a_leaver_gets_the_next_one_up(world: World, draft: Cycle) -> None:
    bashir = world.bashir.employee
    assert bashir is not None
    bashir.left_on = today() - timedelta(days=3)
    bashir.save(update_fields=["left_on"])
    accept_all(draft, world.kim)
    actions.launch(draft, by=world.kim)
    ana = Participation.objects.get(cycle=draft, employee=world.ana.employee_id)
    assert Assignment.objects.get(participation=ana).manager_id == world.dora.employee_id
    assert not Participation.objects.filter(cycle=draft, employee=bashir).exists()


def statements_of_launch(world: World, name: str) -> int:
    cycle = cycles.make_draft(name, by=world.kim)
    accept_all(cycle, world.kim)
    with CaptureQueriesContext(connection) as seen:
        actions.launch(cycle, by=world.kim)
    return sum("SAVEPOINT" not in query["sql"] for query in seen.captured_queries)


def test_statements_do_not_grow_with_people(world: World) -> None:
    few = statements_of_launch(world, "Few")
    for number in range(55):
        person = people.make_employee(f"Extra Person{number}", world.sales)
        people.make_user(person)
        people.report(person, world.gita.employee)  # type: ignore[arg-type]
        people.pay(person)
    many = statements_of_launch(world, "Many")
    assert few == many
    assert many <= 28


@pytest.mark.django_db(transaction=True)
def test_launched_twice_at_the_same_moment_happens_once() -> None:
    kim, cycle = cycles.draft_of_two()
    lea = User.objects.get(name="Lea Roth")
    barrier = threading.Barrier(2)
    results: list[str] = []

    def press(by: User) -> None:
        try:
            barrier.wait(PATIENCE)
            actions.launch(cycle, by=by)
            results.append("launched")
        except Refused as refused:
            results.append(refused.reason)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(user,)) for user in (kim, lea)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(r if r == "launched" else "refused" for r in results) == ["launched", "refused"]
    assert Participation.objects.filter(cycle=cycle).count() == 2
    assert Event.objects.filter(verb="launched").count() == 1
