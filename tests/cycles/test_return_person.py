"""Who leaves the company is frozen in the cycle on that day, and taken up when they come back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appraisals.models import Appraisal, Submission
from pmcycle.access import today
from pmcycle.activity.models import Event, Notice
from pmcycle.celery import CLOCK
from pmcycle.cycles import actions, tasks
from pmcycle.cycles.models import Assignment, Cycle, Participation
from pmcycle.home import actions as home
from pmcycle.people.actions.records import set_leave_date
from pmcycle.people.models import Employee, User
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals
from tests.open_items import open_items_of

pytestmark = pytest.mark.django_db

YESTERDAY = timedelta(days=1)


def of(user: User) -> Employee:
    assert user.employee is not None
    return user.employee


def leaves(world: World, key: str, day: date | None) -> None:
    """The company's record says so."""
    person = Employee.objects.get(pk=of(getattr(world, key)).pk)
    set_leave_date(person, day, "new job", by=world.lea, version=person.version)


def part(world: World, key: str = "ana") -> Participation:
    return Participation.objects.select_related("cycle", "employee").get(pk=world.part[key].pk)


def to(name: str, row: Participation) -> str:
    return reverse(f"cycles:{name}", kwargs={"pk": row.pk})


def kinds_of(user: User) -> set[str]:
    assert user.employee_id is not None
    return {item.kind for item in open_items_of(user.employee_id)}


def verbs(row: Participation) -> list[str]:
    found = Event.objects.filter(subject_kind="cycles.participation", subject_id=row.pk).order_by(
        "pk"
    )
    return list(found.values_list("verb", flat=True))


def test_the_clock_freezes_who_has_left_and_nobody_waits_for_them(world: World) -> None:
    appraisals.open_stage(world.cycle)
    assert "appraisals:manager" in kinds_of(world.bashir)
    leaves(world, "ana", today() - YESTERDAY)
    assert tasks.open_due() == 0, "no stage changes by it"
    ana = part(world)
    assert (ana.state, ana.left_on, ana.left_by_date) == ("left", today() - YESTERDAY, True)
    assert verbs(ana) == ["left"]
    assert not kinds_of(world.ana)
    about = {item.about for item in open_items_of(of(world.bashir).pk)}
    assert of(world.ana).pk not in about
    assert of(world.chen).pk in about
    tasks.open_due()
    assert verbs(ana) == ["left"], "once"
    assert any(job["task"] == "pmcycle.cycles.tasks.open_due" for job in CLOCK.values())


@pytest.mark.parametrize("days_late", [0, 3])
@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_the_last_day_ends_where_the_cycle_is_and_a_late_clock_comes_to_the_same(
    world: World, zone: str, days_late: int
) -> None:
    Cycle.objects.filter(pk=world.cycle.pk).update(zone=zone)
    last = today() + timedelta(days=5)
    Employee.objects.filter(pk=of(world.ana).pk).update(left_on=last)
    midnight = datetime.combine(last + YESTERDAY, time(), ZoneInfo(zone))
    with time_machine.travel(midnight - timedelta(minutes=1), tick=False):
        tasks.open_due()
        assert part(world).state == "active", "on the last day they still take part"
    with time_machine.travel(midnight + timedelta(days=days_late, minutes=1), tick=False):
        tasks.open_due()
        assert (part(world).state, part(world).left_on) == ("left", last)


def test_leaving_takes_the_same_number_of_statements_however_many_leave(world: World) -> None:
    def counted(*keys: str) -> int:
        Employee.objects.filter(pk__in=[of(getattr(world, k)).pk for k in keys]).update(
            left_on=today() - YESTERDAY
        )
        with CaptureQueriesContext(connection) as found, transaction.atomic():
            assert actions.follow_departures(world.cycle, today()) == len(keys)
        return len(found)

    assert counted("ana") == counted("chen", "gita", "hugo", "jan")


def test_who_must_write_and_has_left_blocks_and_the_board_says_whom(
    world: World, as_: SignedIn
) -> None:
    appraisals.open_stage(world.cycle)
    leaves(world, "bashir", today() - YESTERDAY)
    tasks.open_due()
    board = (
        as_(world.kim).get(reverse("home:board", kwargs={"pk": world.cycle.pk})).content.decode()
    )
    assert "waits for Bashir Nouri, who has left" in board
    Notice.objects.all().delete()
    stage = world.cycle.stages.get(kind="appraisal")
    stage.due_on = today()
    stage.save(update_fields=["due_on"])
    world.cycle.reminder_policies.create(
        kind="appraisal", days_before=[0], days_after=[1], escalate_after=1
    )
    for days in range(4):
        with time_machine.travel(
            datetime.combine(today() + timedelta(days=days), time(9), ZoneInfo("UTC"))
        ):
            home.remind()
    told = Notice.objects.filter(kind__in=["reminder", "escalation"])
    assert told.exists(), "others are reminded"
    assert not told.filter(recipient=world.bashir).exists()
    assert not told.filter(title__contains="Bashir").exists(), "nor is anybody told of him"


def test_left_in_the_cycle_alone_nobody_is_reminded_either(world: World, as_: SignedIn) -> None:
    appraisals.open_stage(world.cycle)
    actions.mark_left(part(world, "bashir"), left_on=today(), reason="x", version=1, by=world.kim)
    board = (
        as_(world.kim).get(reverse("home:board", kwargs={"pk": world.cycle.pk})).content.decode()
    )
    assert "waits for Bashir Nouri, who has left" in board
    tasks.open_due()
    assert part(world, "bashir").state == "left", "the clock leaves alone what HR has said"


def test_leaving_returning_and_leaving_again_comes_out_right(world: World) -> None:
    appraisals.open_stage(world.cycle)
    appraisals.save_draft(appraisals.self_appraisal(world.ana_part))
    forms = Appraisal.objects.count()
    for left_on in (today() - timedelta(days=9), today() - timedelta(days=2)):
        leaves(world, "ana", left_on)
        tasks.open_due()
        assert (part(world).state, part(world).left_on) == ("left", left_on)
        leaves(world, "ana", None)
        tasks.open_due()
        tasks.open_due()
        assert (part(world).state, part(world).left_on) == ("active", None)
        assert "appraisals:self" in kinds_of(world.ana)
    assert verbs(part(world)) == ["left", "came_back", "left", "came_back"]
    assert Appraisal.objects.count() == forms
    assert (
        Assignment.objects.filter(participation=world.ana_part, ends_on__isnull=True).count() == 1
    )


def test_a_last_day_that_moves_is_followed(world: World) -> None:
    leaves(world, "ana", today() - timedelta(days=9))
    tasks.open_due()
    leaves(world, "ana", today() - timedelta(days=4))
    tasks.open_due()
    assert (part(world).state, part(world).left_on) == ("left", today() - timedelta(days=4))
    leaves(world, "ana", today() + timedelta(days=4))
    tasks.open_due()
    assert (part(world).state, part(world).left_on) == ("active", today() + timedelta(days=4))


def test_hr_brings_somebody_back_after_a_look(world: World, as_: SignedIn) -> None:
    appraisals.open_stage(world.cycle)
    kim, url = as_(world.kim), to("return_person", world.ana_part)
    data: dict[str, Any] = {"reason": "came back", "version": 1}
    assert kim.get(url, data).status_code == kim.post(url, data).status_code == 409, (
        "she takes part"
    )
    actions.mark_left(part(world), left_on=today() - YESTERDAY, reason="x", version=1, by=world.kim)
    assert url in kim.get(to("life_line", world.ana_part)).content.decode()
    assert b"takes part again" in kim.get(url, {**data, "version": 2}).content
    assert part(world).state == "left"
    assert kim.post(url, {**data, "version": 2}).status_code == 302
    assert (part(world).state, part(world).left_on) == ("active", None)
    assert "appraisals:self" in kinds_of(world.ana)
    assert Notice.objects.filter(recipient=world.ana, title__contains="again").count() == 1
    assert kim.post(url, {**data, "version": 3}).status_code == 409


def test_nobody_comes_back_against_the_companys_record(world: World, as_: SignedIn) -> None:
    leaves(world, "ana", today() - YESTERDAY)
    tasks.open_due()
    kim, url = as_(world.kim), to("return_person", world.ana_part)
    data: dict[str, Any] = {"reason": "x", "version": part(world).version}
    for answer in (kim.get(url, data), kim.post(url, data)):
        assert answer.status_code == 409
        assert b"Clear or move the last day there first" in answer.content
    joins = {"employee": of(world.ana).pick_text, "starts_on": today(), "reason": "x"}
    leaves(world, "ana", None)
    actions.mark_left(part(world, "chen"), left_on=today(), reason="x", version=1, by=world.kim)
    add = reverse("cycles:add_person", kwargs={"pk": world.cycle.pk})
    chen = kim.post(add, {**joins, "employee": of(world.chen).pick_text})
    assert b"Bring them back on their own page" in chen.content


def test_the_database_keeps_who_takes_part_from_having_left(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Participation.objects.filter(pk=world.ana_part.pk).update(left_by_date=True)


@pytest.mark.django_db(transaction=True)
def test_two_who_mark_the_same_person_left_do_it_once() -> None:
    world = build_world()
    acts = [
        lambda by=by: actions.mark_left(part(world), left_on=today(), reason="x", version=1, by=by)
        for by in (world.kim, world.lea)
    ]
    assert refused(at_once(*acts)) == 1
    assert verbs(part(world)) == ["left"]


@pytest.mark.django_db(transaction=True)
def test_the_clock_and_hr_at_the_same_moment_freeze_once() -> None:
    world = build_world()
    Employee.objects.filter(pk=of(world.ana).pk).update(left_on=today() - YESTERDAY)
    at_once(
        lambda: actions.mark_left(
            part(world), left_on=today(), reason="x", version=None, by=world.kim
        ),
        tasks.open_due,
        tasks.open_due,
    )
    tasks.open_due()
    assert part(world).state == "left"
    assert verbs(part(world)) == ["left"]


@pytest.mark.django_db(transaction=True)
def test_a_leaver_who_hands_in_while_being_marked_left_is_before_or_after() -> None:
    world = build_world()
    appraisals.open_stage(world.cycle)
    own = appraisals.self_appraisal(world.ana_part)
    results = at_once(
        lambda: actions.mark_left(
            part(world), left_on=today(), reason="x", version=None, by=world.kim
        ),
        lambda: appraisals.hand_in(own),
    )
    assert part(world).state == "left"
    own.refresh_from_db()
    assert (own.submitted_at is None) == bool(refused(results))
    assert Submission.objects.count() == 1 - refused(results)
