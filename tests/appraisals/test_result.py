"""Reading a result, acknowledging it, asking for a review, and how that is decided."""

from __future__ import annotations

import io
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse

from appraisals import actions
from appraisals.models import Acknowledgement, Appeal, Rating, ReleasedResult, deciders
from pmcycle.activity.models import Event, Notice
from pmcycle.cycles.actions import leftovers_of_cycle
from pmcycle.cycles.models import Cycle
from pmcycle.people.models import Role
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals as make
from tests.factories import cycles
from tests.factories.people import grant
from tests.open_items import waiting


def url(pk: int, verb: str = "result") -> str:
    return reverse(f"appraisals:{verb}", kwargs={"pk": pk})


@pytest.fixture
def result(world: World) -> ReleasedResult:
    return make.released(world, "Partly meets")


def test_ana_reads_the_rating_against_its_description_and_why(
    world: World, result: ReleasedResult, as_: SignedIn
) -> None:
    page = as_(world.ana).get(url(result.pk)).content.decode()
    for words in (
        "Partly meets",
        "Some expectations were missed.",
        "Why this score",
        "I have read it",
        result.sha256,
    ):
        assert words in page


def test_who_is_no_party_leaves_a_trace_and_the_pair_does_not(
    world: World, result: ReleasedResult, as_: SignedIn
) -> None:
    as_(world.ana).get(url(result.pk))
    as_(world.bashir).get(url(result.pk))
    assert not Event.objects.filter(verb="viewed").exists()
    as_(world.dora).get(url(result.pk))
    assert Event.objects.get(verb="viewed").actor == world.dora


def test_she_acknowledges_with_a_note_once(
    world: World, result: ReleasedResult, as_: SignedIn
) -> None:
    client = as_(world.ana)
    assert (
        client.post(
            url(result.pk, "acknowledge"), {"comment": "Read, but see my review."}
        ).status_code
        == 302
    )
    assert Acknowledgement.objects.get().comment == "Read, but see my review."
    assert client.post(url(result.pk, "acknowledge"), {"comment": ""}).status_code == 409


def test_the_page_names_who_would_decide_and_until_when(
    world: World, result: ReleasedResult, as_: SignedIn
) -> None:
    third = make.make_third_hr_admin(world)
    page = as_(world.ana).get(url(result.pk)).content.decode()
    assert third.name in page
    assert "Possible until" in page
    names = {user.name for user in deciders(result)}
    assert names == {third.name}


def test_a_review_is_asked_for_and_those_who_decide_are_told(
    world: World, result: ReleasedResult, as_: SignedIn
) -> None:
    third = make.make_third_hr_admin(world)
    answer = as_(world.ana).post(
        url(result.pk, "file_appeal"), {"text": "The goal was moved in May."}
    )
    assert answer.status_code == 302
    appeal = Appeal.objects.get()
    assert (appeal.due_on - appeal.filed_at.date()).days == world.cycle.appeal_days
    told = set(
        Notice.objects.filter(kind="appraisals:appeal").values_list("recipient__name", flat=True)
    )
    assert told == {third.name}


@pytest.mark.parametrize("text", ["", "  ", "x" * 20_001, "a\x00b"])
def test_a_review_without_words_is_refused_by_its_field(
    world: World, result: ReleasedResult, as_: SignedIn, text: str
) -> None:
    assert as_(world.ana).post(url(result.pk, "file_appeal"), {"text": text}).status_code == 422
    assert not Appeal.objects.exists()


@pytest.mark.parametrize(("minutes", "status"), [(-2, 302), (2, 409)])
def test_a_review_can_be_asked_for_until_the_last_day_ends_where_the_cycle_is(
    world: World, result: ReleasedResult, as_: SignedIn, minutes: int, status: int
) -> None:
    zone = ZoneInfo("Pacific/Auckland")
    Cycle.objects.filter(pk=world.cycle.pk).update(zone=zone.key)
    last = result.released_at.astimezone(zone).date() + timedelta(days=world.cycle.appeal_days)
    midnight = datetime.combine(last + timedelta(days=1), time(), zone)
    with time_machine.travel(midnight + timedelta(minutes=minutes)):
        left = {one.code for one in leftovers_of_cycle(world.cycle, world.kim)}
        assert ("appraisals:may_ask" in left) is (status == 302)
        assert (
            as_(world.ana).post(url(result.pk, "file_appeal"), {"text": "Look again."}).status_code
            == status
        )


def test_upheld_the_result_gets_a_second_version_and_both_stay(
    world: World, result: ReleasedResult, as_: SignedIn
) -> None:
    third = make.make_third_hr_admin(world)
    appeal = actions.file_appeal(result, "The goal was moved in May.", by=world.ana)
    data = {
        "version": 1,
        "outcome": "upheld",
        "decision": "The change request shows it.",
        "new_level": make.level(world.cycle, "Meets").pk,
    }
    assert as_(third).post(url(appeal.pk, "decide_appeal"), data).status_code == 302
    first, second = ReleasedResult.objects.order_by("number")
    assert (first.level.label, second.level.label) == ("Partly meets", "Meets")
    assert second.reason == "The change request shows it."
    assert second.sha256 != first.sha256
    assert Rating.objects.get(participation=world.ana_part).level.label == "Meets"
    page = as_(world.ana).get(url(second.pk)).content.decode()
    assert "Changed by a review" in page
    assert Notice.objects.filter(recipient=world.ana, title="Your review is decided").exists()
    assert ReleasedResult.objects.newest().get() == second


def test_dismissed_everything_stays(world: World, result: ReleasedResult, as_: SignedIn) -> None:
    third = make.make_third_hr_admin(world)
    appeal = actions.file_appeal(result, "Please look.", by=world.ana)
    data = {"version": 1, "outcome": "dismissed", "decision": "The evidence holds."}
    assert as_(third).post(url(appeal.pk, "decide_appeal"), data).status_code == 302
    assert ReleasedResult.objects.count() == 1
    assert as_(third).post(url(appeal.pk, "decide_appeal"), data).status_code == 409


@pytest.mark.parametrize(
    "data",
    [
        {"version": 1, "outcome": "upheld", "decision": "Why."},
        {"version": 1, "outcome": "dismissed", "decision": ""},
        {"version": 1, "outcome": "perhaps", "decision": "Why."},
        {"outcome": "dismissed", "decision": "Why."},
    ],
)
def test_half_a_decision_is_a_field_error(
    world: World, result: ReleasedResult, as_: SignedIn, data: dict[str, Any]
) -> None:
    third = make.make_third_hr_admin(world)
    appeal = actions.file_appeal(result, "Please look.", by=world.ana)
    assert as_(third).post(url(appeal.pk, "decide_appeal"), data).status_code == 422


def test_whoever_had_a_part_in_it_does_not_decide(world: World, result: ReleasedResult) -> None:
    third = make.make_third_hr_admin(world)
    appeal = actions.file_appeal(result, "Please look.", by=world.ana)
    for key in ("ana", "bashir", "farid", "dora", "kim", "lea"):
        assert not Appeal.objects.decidable_by(getattr(world, key)).filter(pk=appeal.pk).exists(), (
            key
        )
    assert Appeal.objects.decidable_by(third).filter(pk=appeal.pk).exists()


@pytest.mark.parametrize(
    "above", [["ana"], ["chen", "ana"], ["dora"]], ids=["below", "far below", "beside"]
)
def test_an_hr_admin_below_the_person_does_not_decide_their_review(
    world: World, result: ReleasedResult, as_: SignedIn, above: list[str]
) -> None:
    third = make.make_third_hr_admin(world)
    assert third.employee
    cycles.take_part(world.cycle, third.employee, *[getattr(world, key).employee for key in above])
    appeal = actions.file_appeal(result, "Please look.", by=world.ana)
    may = above == ["dora"]
    assert [user.name for user in deciders(result)] == ([third.name] if may else [])
    recipients = [
        item.recipient for item in waiting("appraisals") if item.kind == "appraisals:appeal"
    ]
    assert recipients == ([third.employee_id] if may else [])
    data = {"version": 1, "outcome": "dismissed", "decision": "The evidence holds."}
    assert as_(third).post(url(appeal.pk, "decide_appeal"), data).status_code == (
        302 if may else 403
    )


def test_who_reports_to_the_one_who_rated_decides_only_where_nobody_stands_freer(
    world: World, result: ReleasedResult
) -> None:
    third = make.make_third_hr_admin(world)
    assert third.employee
    assert world.bashir.employee
    cycles.take_part(world.cycle, third.employee, world.bashir.employee)
    appeal = actions.file_appeal(result, "Please look.", by=world.ana)
    assert Appeal.objects.decidable_by(third).filter(pk=appeal.pk).exists()
    freer = make.make_third_hr_admin(world, "Pia Lund")
    assert not Appeal.objects.decidable_by(third).filter(pk=appeal.pk).exists()
    assert Appeal.objects.decidable_by(freer).filter(pk=appeal.pk).exists()
    assert next(iter(deciders(result))) == freer


def test_the_pdf_is_a_tagged_attachment_with_the_hash(
    world: World, result: ReleasedResult, as_: SignedIn
) -> None:
    answer = as_(world.ana).get(url(result.pk, "result_pdf"))
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    body = io.BytesIO(answer.content).getvalue()
    assert body.startswith(b"%PDF-")
    assert b"/MarkInfo" in body


def test_the_database_keeps_decisions_whole(world: World, result: ReleasedResult) -> None:
    appeal = actions.file_appeal(result, "Please look.", by=world.ana)
    for change in (
        {"outcome": "dismissed"},
        {"outcome": "upheld", "new_level": None},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Appeal.objects.filter(pk=appeal.pk).update(**change)


def test_open_items_name_what_waits_for_whom(world: World, result: ReleasedResult) -> None:
    third = make.make_third_hr_admin(world)
    mine = [item for item in waiting("appraisals") if item.recipient == world.ana.employee_id]
    assert [item.kind for item in mine] == ["appraisals:result"]
    actions.file_appeal(result, "Please look.", by=world.ana)
    rows = waiting("appraisals")
    assert not [item for item in rows if item.recipient == world.ana.employee_id]
    asked = [item.recipient for item in rows if item.kind == "appraisals:appeal"]
    assert asked == [third.employee_id]


def test_a_review_is_on_the_home_of_everybody_who_was_told_of_it(
    world: World, result: ReleasedResult, as_: SignedIn
) -> None:
    third, fourth = make.make_third_hr_admin(world), make.make_third_hr_admin(world, "Pia Lund")
    appeal = actions.file_appeal(result, "Please look.", by=world.ana)
    told = Notice.objects.filter(key__startswith=f"appeal:{appeal.pk}:filed")
    assert set(told.values_list("recipient", flat=True)) == {third.pk, fourth.pk}
    for user in (third, fourth):
        assert url(appeal.pk, "appeal") in as_(user).get(reverse("home:index")).content.decode()
    for user in (world.kim, world.lea, world.bashir, world.dora):
        assert url(appeal.pk, "appeal") not in as_(user).get(reverse("home:index")).content.decode()
    decision = {"outcome": "dismissed", "decision": "It stands.", "version": appeal.version}
    assert as_(third).post(url(appeal.pk, "decide_appeal"), decision).status_code == 302
    assert url(appeal.pk, "appeal") not in as_(fourth).get(reverse("home:index")).content.decode()


def test_who_administers_the_system_decides_no_review(world: World, result: ReleasedResult) -> None:
    third = make.make_third_hr_admin(world)
    assert [user.name for user in deciders(result)] == [third.name]
    grant(third, Role.IT_ADMIN)
    assert not deciders(result)


def test_open_items_know_what_is_to_be_written(world: World) -> None:
    make.open_stage(world.cycle)
    rows = waiting("appraisals")
    assert {item.kind for item in rows if item.recipient == world.ana.employee_id} == {
        "appraisals:self"
    }
    to_write = [item for item in rows if item.kind == "appraisals:manager"]
    assert {item.name for item in to_write if item.recipient == world.bashir.employee_id} == {
        "Ana Popescu",
        "Chen Wei",
    }
    Cycle.objects.filter(pk=world.cycle.pk).update(state="closed")
    assert not waiting("appraisals")


@pytest.mark.django_db(transaction=True)
def test_asked_for_a_review_from_two_tabs_at_once_it_is_asked_once() -> None:
    world = build_world()
    result = make.released(world)
    results = at_once(*[lambda: actions.file_appeal(result, "Please look.", by=world.ana)] * 2)
    assert refused(results) == 1


def test_a_closed_cycle_without_a_result_promises_none(world: World, as_: SignedIn) -> None:
    participation = world.ana_part
    promise = "Not released yet. You get a notice on the day."
    assert promise in as_(world.ana).get(reverse("appraisals:list")).content.decode()
    Cycle.objects.filter(pk=participation.cycle_id).update(state=Cycle.State.CLOSED)
    page = as_(world.ana).get(reverse("appraisals:list")).content.decode()
    assert promise not in page
    assert "None was released in this cycle." in page
