"""More time, another manager, leaving and joining late: looked at first, then done, never for oneself."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from pmcycle.access import today
from pmcycle.activity.models import Event, Notice
from pmcycle.cycles import actions
from pmcycle.cycles.models import (
    Assignment,
    ChainLink,
    Cycle,
    Extension,
    Participation,
    Relation,
    related,
)
from pmcycle.errors import Invalid, Refused
from pmcycle.people.models import Employee, User
from tests.at_once import PATIENCE
from tests.conftest import SignedIn, World, build_world
from tests.factories import people
from tests.pages import flat

pytestmark = pytest.mark.django_db


def of(user: User) -> Employee:
    assert user.employee is not None
    return user.employee


def to(name: str, part: Participation) -> str:
    return reverse(f"cycles:{name}", kwargs={"pk": part.pk})


def test_more_time_is_looked_at_first_and_then_given(world: World, as_: SignedIn) -> None:
    stage = world.cycle.stages.get(position=0)
    data: dict[str, Any] = {
        "stage": stage.pk,
        "due_on": stage.due_on + timedelta(days=9),
        "reason": "back from leave",
        "version": 1,
    }
    kim = as_(world.kim)
    looked = kim.get(to("extend", world.ana_part), data)
    assert b"Ana Popescu has until" in looked.content
    assert not Extension.objects.exists()
    assert kim.post(to("extend", world.ana_part), data).status_code == 302
    assert Extension.objects.get().due_on == data["due_on"]
    assert Notice.objects.get(recipient=world.ana).title == "You have more time for Objectives"
    assert kim.post(to("extend", world.ana_part), data).status_code == 409, (
        "the version has moved on"
    )
    page = as_(world.ana).get(reverse("cycles:detail", kwargs={"pk": world.cycle.pk}))
    assert b"your own day" in page.content


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_more_time_is_more_and_not_endless(world: World, as_: SignedIn, days: int) -> None:
    stage = world.cycle.stages.get(position=0)
    data: dict[str, Any] = {
        "stage": stage.pk,
        "due_on": stage.due_on + timedelta(days=days),
        "reason": "x",
        "version": 1,
    }
    assert as_(world.kim).post(to("extend", world.ana_part), data).status_code == 422


def test_a_transfer_hands_over_and_rewrites_the_line(world: World, as_: SignedIn) -> None:
    data: dict[str, Any] = {
        "manager": of(world.gita).pick_text,
        "on": today(),
        "reason": "moved to sales",
        "version": 1,
    }
    kim = as_(world.kim)
    looked = kim.get(to("transfer", world.ana_part), data)
    assert b"What Bashir Nouri has written stays theirs" in looked.content
    assert kim.post(to("transfer", world.ana_part), data).status_code == 302
    line = ChainLink.objects.filter(participation=world.ana_part).order_by("distance")
    assert [x.above_id for x in line] == [of(world.gita).pk, of(world.dora).pk]
    ends = (
        Assignment.objects.filter(participation=world.ana_part)
        .order_by("starts_on")
        .values_list("ends_on", flat=True)
    )
    assert list(ends)[1:] == [today() - timedelta(days=1), None]
    rows = Participation.objects.all()
    assert (
        rows.filter(related(world.gita, Relation.MANAGER, to=""))
        .filter(pk=world.ana_part.pk)
        .exists()
    )
    assert (
        rows.filter(related(world.bashir, Relation.FORMER_MANAGER, to=""))
        .filter(pk=world.ana_part.pk)
        .exists()
    )
    assert {n.recipient for n in Notice.objects.all()} == {world.ana, world.gita, world.bashir}


def test_on_the_day_of_the_launch_another_manager_takes_the_place(
    world: World, as_: SignedIn
) -> None:
    Assignment.objects.filter(participation=world.ana_part).delete()
    Assignment.objects.create(
        participation=world.ana_part, manager=of(world.bashir), starts_on=today()
    )
    Cycle.objects.filter(pk=world.cycle.pk).update(first_day=today() + timedelta(days=2))
    data: dict[str, Any] = {
        "manager": of(world.gita).pick_text,
        "on": today(),
        "reason": "wrong line",
        "version": 1,
    }
    kim = as_(world.kim)
    assert b"Gita Rao is the manager" in kim.get(to("transfer", world.ana_part), data).content
    assert kim.post(to("transfer", world.ana_part), data).status_code == 302
    only = Assignment.objects.get(participation=world.ana_part)
    assert (only.manager, only.starts_on, only.ends_on) == (of(world.gita), today(), None)
    line = ChainLink.objects.filter(participation=world.ana_part).order_by("distance")
    assert [x.above_id for x in line] == [of(world.gita).pk, of(world.dora).pk]
    assert {n.recipient for n in Notice.objects.all()} == {world.ana, world.gita, world.bashir}
    back = {**data, "manager": of(world.bashir).pick_text, "version": 2}
    assert kim.post(to("transfer", world.ana_part), back).status_code == 302, (
        "and once more the same day"
    )
    assert Assignment.objects.get(participation=world.ana_part).manager == of(world.bashir)
    assert Notice.objects.filter(recipient=world.ana).count() == 2, "each is told"


@pytest.mark.parametrize(
    ("manager", "on"), [("ana", 0), ("bashir", 0), ("gita", -90), ("gita", -1000)]
)
def test_the_look_before_a_transfer_refuses_what_the_act_refuses(
    world: World, as_: SignedIn, manager: str, on: int
) -> None:
    data: dict[str, Any] = {
        "manager": of(getattr(world, manager)).pick_text,
        "on": today() + timedelta(days=on),
        "reason": "x",
        "version": 1,
    }
    assert as_(world.kim).get(to("transfer", world.ana_part), data).status_code == 422
    assert as_(world.kim).post(to("transfer", world.ana_part), data).status_code == 422


def test_the_look_before_the_other_exceptions_refuses_what_the_act_refuses(
    world: World, as_: SignedIn
) -> None:
    kim, tomorrow = as_(world.kim), today() + timedelta(days=1)
    left: dict[str, Any] = {"left_on": tomorrow, "reason": "x", "version": 1}
    joins: dict[str, Any] = {
        "employee": of(world.chen).pick_text,
        "starts_on": today(),
        "reason": "x",
    }
    for url, data in (
        (to("mark_left", world.ana_part), left),
        (reverse("cycles:add_person", kwargs={"pk": world.cycle.pk}), joins),
    ):
        assert kim.get(url, data).status_code == kim.post(url, data).status_code == 422
    stage = world.cycle.stages.get(kind="appraisal")
    for state, name, words in (
        ("closed", "close_stage", b"is not open"),
        ("open", "open_stage", b"is open already"),
        ("closed", "postpone_stage", b"Open it again with a new due day"),
    ):
        stage.state = state
        stage.save(update_fields=["state"])
        url = reverse(f"cycles:{name}", kwargs={"pk": stage.pk})
        page = kim.get(url)
        assert words in page.content
        assert b'name="reason"' not in page.content
        asked: dict[str, Any] = {"reason": "x", "version": stage.version, "due_on": tomorrow}
        assert kim.post(url, asked).status_code == 409


def test_a_transfer_to_come_takes_effect_on_its_day(world: World) -> None:
    later = today() + timedelta(days=5)
    actions.transfer(world.ana_part, of(world.gita), on=later, reason="x", version=1, by=world.kim)
    first = ChainLink.objects.get(participation=world.ana_part, distance=1)
    assert first.above_id == of(world.bashir).pk
    assert actions.refresh_chains(world.cycle, later) == 1
    first = ChainLink.objects.get(participation=world.ana_part, distance=1)
    assert first.above_id == of(world.gita).pk
    assert actions.refresh_chains(world.cycle, later) == 0


def test_a_transfer_to_the_manager_of_the_manager_shortens_the_line(world: World) -> None:
    actions.transfer(
        world.ana_part, of(world.dora), on=today(), reason="x", version=1, by=world.kim
    )
    line = ChainLink.objects.filter(participation=world.ana_part).order_by("distance")
    assert [(x.above_id, x.distance) for x in line] == [(of(world.dora).pk, 1)]


@pytest.mark.parametrize(
    ("manager", "on", "field"),
    [("ana", 0, "manager"), ("bashir", 0, "manager"), ("gita", -90, "on"), ("gita", -1000, "on")],
)
def test_a_transfer_that_makes_no_sense_names_the_field(
    world: World, manager: str, on: int, field: str
) -> None:
    day = today() + timedelta(days=on)
    with pytest.raises(Invalid) as refused:
        actions.transfer(
            world.ana_part, of(getattr(world, manager)), on=day, reason="x", version=1, by=world.kim
        )
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("whose", "to_whom"),
    [("ana", "kim"), ("ines", "gita")],
    ids=["to themselves", "from themselves"],
)
def test_nobody_in_hr_says_whom_they_lead_themselves(
    whose: str, to_whom: str, world: World, as_: SignedIn
) -> None:
    """Whoever leads rates, and recommends money: that is for somebody else to hand out."""
    part, manager = world.part[whose], of(getattr(world, to_whom))
    data: dict[str, Any] = {
        "manager": manager.number,
        "on": today(),
        "reason": "A new team.",
        "version": part.version,
    }
    for answer in (
        as_(world.kim).get(to("transfer", part), data),
        as_(world.kim).post(to("transfer", part), data),
    ):
        assert "for somebody else in HR to say" in answer.content.decode()
    assert not part.assignments.filter(manager=manager).exists()
    assert as_(world.lea).post(to("transfer", part), data).status_code == 302
    assert part.assignments.filter(manager=manager).exists()


@pytest.mark.parametrize("verb", ["extend", "transfer", "mark_left"])
def test_nobody_in_hr_changes_the_way_of_whom_they_report_to(
    verb: str, world: World, as_: SignedIn
) -> None:
    people.grant(world.hugo, "hr_admin")
    page = as_(world.hugo).get(to("life_line", world.part["gita"]))
    assert page.status_code == 200
    assert to(verb, world.part["gita"]) not in page.content.decode()
    assert as_(world.hugo).post(to(verb, world.part["gita"]), {}).status_code == 403
    assert (
        to(verb, world.part["gita"])
        in as_(world.kim).get(to("life_line", world.part["gita"])).content.decode()
    )


def test_nobody_adds_themselves_on_any_way(world: World) -> None:
    world.part["kim"].delete()
    with pytest.raises(Invalid, match="Somebody else adds you"):
        actions.add_person(world.cycle, of(world.kim), starts_on=today(), reason="x", by=world.kim)


def test_nobody_is_led_by_who_reports_to_them(world: World) -> None:
    with pytest.raises(Invalid, match="close on itself"):
        actions.transfer(
            world.part["bashir"], of(world.ana), on=today(), reason="x", version=1, by=world.kim
        )


def test_a_leaver_cannot_take_over(world: World) -> None:
    gita = of(world.gita)
    gita.left_on = today() - timedelta(days=1)
    gita.save()
    with pytest.raises(Invalid, match="does not work here"):
        actions.transfer(world.ana_part, gita, on=today(), reason="x", version=1, by=world.kim)


def test_leaving_freezes_and_says_who_is_left_without_manager(world: World, as_: SignedIn) -> None:
    data: dict[str, Any] = {"left_on": today(), "reason": "new job", "version": 1}
    kim = as_(world.kim)
    looked = kim.get(to("mark_left", world.part["bashir"]), data)
    assert b"Ana Popescu" in looked.content
    assert kim.post(to("mark_left", world.part["bashir"]), data).status_code == 302
    part = world.part["bashir"]
    part.refresh_from_db()
    assert (part.state, part.left_on) == ("left", today())
    with pytest.raises(Refused, match="has left this cycle"):
        actions.transfer(
            part, of(world.gita), on=today(), reason="x", version=part.version, by=world.kim
        )


@pytest.mark.parametrize("day", [1, -5_000])
def test_the_last_day_is_sensible(world: World, day: int) -> None:
    with pytest.raises(Invalid):
        actions.mark_left(
            world.ana_part,
            left_on=today() + timedelta(days=day),
            reason="x",
            version=1,
            by=world.kim,
        )


def test_a_late_joiner_comes_with_facts_manager_and_line(world: World, as_: SignedIn) -> None:
    late = people.make_employee("Olga Late", world.sales, hired_on=today() - timedelta(days=2))
    people.make_user(late)
    people.report(late, of(world.gita), today() - timedelta(days=2))
    data: dict[str, Any] = {
        "employee": late.pick_text,
        "starts_on": today(),
        "reason": "hired in summer",
    }
    url = reverse("cycles:add_person", kwargs={"pk": world.cycle.pk})
    kim = as_(world.kim)
    assert b"takes part from" in kim.get(url, data).content
    assert kim.post(url, data).status_code == 302
    part = Participation.objects.get(employee=late)
    assert (part.starts_on, part.unit) == (today(), world.sales)
    assert list(part.chain.order_by("distance").values_list("above", flat=True)) == [
        of(world.gita).pk,
        of(world.dora).pk,
    ]
    assert Event.objects.filter(verb="joined", about=late).exists()
    assert kim.post(url, data).status_code == 422, "takes part already"
    assert kim.post(url, {**data, "employee": of(world.kim).pick_text}).status_code == 422
    assert kim.post(url, {**data, "employee": "9" * 40}).status_code == 422


def test_the_picker_survives_odd_words(world: World, as_: SignedIn) -> None:
    for words in ("\x00", "%", "x" * 5_000, "' OR 1=1", "9" * 40, "#"):
        asked: dict[str, Any] = {
            "manager": words,
            "on": today(),
            "reason": "x",
            "version": world.ana_part.version,
        }
        assert as_(world.kim).get(to("transfer", world.ana_part), asked).status_code == 422


@pytest.mark.parametrize("typed", ["Gita Rao", "gita rao", "gita@example.com"])
def test_a_manager_is_named_as_one_would_say_it(world: World, as_: SignedIn, typed: str) -> None:
    gita = of(world.gita)
    Employee.objects.filter(pk=gita.pk).update(email="gita@example.com")
    data: dict[str, Any] = {
        "manager": typed,
        "on": today(),
        "reason": "x",
        "version": world.ana_part.version,
    }
    kim, page = as_(world.kim), to("transfer", world.ana_part)
    looked = flat(kim.get(page, data))
    assert "Gita Rao is the manager" in looked
    assert f'name="manager" value="{typed}"' in looked, "the act is asked of whom was looked at"
    assert kim.post(page, data).status_code == 302
    assert Assignment.objects.filter(
        participation=world.ana_part, manager=gita, ends_on=None
    ).exists()


def test_what_is_wrong_with_a_name_keeps_what_is_filled_in(world: World, as_: SignedIn) -> None:
    kim, reason = as_(world.kim), "Bashir leads another unit from May on."
    typed: dict[str, Any] = {
        "manager": "Nobody Such",
        "reason": reason,
        "on": "2031-02-03",
        "version": world.ana_part.version,
    }
    page = kim.get(to("transfer", world.ana_part), typed)
    assert page.status_code == 422
    assert "Nobody, or more than one person, is meant" in flat(page)
    for kept in ("Nobody Such", reason, "2031-02-03"):
        assert kept in flat(page)


def test_hr_does_not_except_itself(world: World, as_: SignedIn) -> None:
    for name in ("life_line", "extend", "transfer", "mark_left"):
        assert as_(world.kim).get(to(name, world.part["kim"])).status_code == 404
        assert as_(world.lea).get(to(name, world.part["kim"])).status_code == 200


def test_the_life_line_tells_dates_and_no_content(world: World, as_: SignedIn) -> None:
    actions.transfer(
        world.ana_part, of(world.gita), on=today(), reason="reorganised", version=1, by=world.kim
    )
    page = as_(world.ines).get(to("life_line", world.ana_part))
    assert b"Another manager" in page.content
    assert b"differs" in page.content, "the reporting line of today is another one"


@pytest.mark.parametrize("ends", [None, date(2200, 1, 1)])
def test_the_database_keeps_one_manager_a_day(world: World, ends: date | None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(
            participation=world.ana_part, manager=of(world.gita), starts_on=today(), ends_on=ends
        )


@pytest.mark.django_db(transaction=True)
def test_two_transfers_at_the_same_moment_leave_one_manager() -> None:
    world = build_world()
    barrier = threading.Barrier(2)
    results: list[str] = []

    def hand_over(key: str, by: User) -> None:
        try:
            barrier.wait(PATIENCE)
            actions.transfer(
                world.ana_part, of(getattr(world, key)), on=today(), reason="x", version=1, by=by
            )
            results.append("done")
        except Refused:
            results.append("refused")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=hand_over, args=("gita", world.kim)),
        threading.Thread(target=hand_over, args=("dora", world.lea)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(results) == ["done", "refused"]
    assert (
        Assignment.objects.filter(participation=world.ana_part, ends_on__isnull=True).count() == 1
    )
