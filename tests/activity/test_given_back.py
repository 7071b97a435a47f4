"""Whatever is refused gives the words back, says the true reason, and keeps them for their author."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.urls import reverse

from appraisals.models import Appraisal
from pmcycle.access import today
from pmcycle.activity.actions import keep_refused
from pmcycle.activity.models import Draft
from pmcycle.activity.rules import words_in
from pmcycle.cycles import actions as cycling
from pmcycle.cycles.models import Stage, StageKind
from pmcycle.people.models import Employee
from tests.conftest import SignedIn, World
from tests.factories import activity, appraisals, cycles, feedback
from tests.pages import flat

pytestmark = pytest.mark.django_db

WORDS = "Rejects are down to 2 % since the spring."


def to_gita(world: World) -> None:
    gita = Employee.objects.get(user=world.gita)
    cycling.transfer(
        world.ana_part, gita, on=today(), reason="A new team", version=None, by=world.kim
    )


def after_the_stage_closed(world: World) -> tuple[Any, str, dict[str, Any]]:
    own = appraisals.self_appraisal(world.ana_part)
    stage = Stage.objects.get(cycle=world.cycle, kind=StageKind.APPRAISAL)
    left = cycles.accepting(cycling.leftovers_of_stage(stage, world.kim))
    cycling.close_stage(stage, reason="", accepted=left, version=None, by=world.kim)
    return (
        world.ana,
        reverse("appraisals:submit", args=[own.pk]),
        appraisals.filled(own, text=WORDS),
    )


def after_a_transfer(world: World) -> tuple[Any, str, dict[str, Any]]:
    row = appraisals.manager_appraisal(world.ana_part)
    data = appraisals.filled(row, text=WORDS)
    to_gita(world)
    return world.bashir, reverse("appraisals:submit", args=[row.pk]), data


def after_the_talk_passed_to_another(world: World) -> tuple[Any, str, dict[str, Any]]:
    meeting = feedback.meeting_of_ana(world)
    return world.hugo, reverse("feedback:add_point", kwargs=meeting), {"text": WORDS}


def after_somebody_saved(world: World) -> tuple[Any, str, dict[str, Any]]:
    own = appraisals.self_appraisal(world.ana_part)
    data = appraisals.filled(own, text=WORDS)
    Appraisal.objects.filter(pk=own.pk).update(version=F("version") + 1)
    return world.ana, reverse("appraisals:submit", args=[own.pk]), data


REFUSALS = [
    (after_the_stage_closed, 409, "closed"),
    (after_a_transfer, 403, "changing it is not yours to do"),
    (after_the_talk_passed_to_another, 404, "not there any more, or not open to you any more"),
    (after_somebody_saved, 409, "Nothing of yours is lost"),
]


@pytest.fixture
def world(world: World) -> World:
    appraisals.open_stage(world.cycle)
    return world


@pytest.mark.parametrize(("make", "status", "reason"), REFUSALS)
def test_a_refusal_gives_the_words_back_and_keeps_them(
    make: Callable[[World], Any], status: int, reason: str, world: World, as_: SignedIn
) -> None:
    user, url, data = make(world)
    browser = as_(user)
    answer = browser.post(
        url, {**data, "form_key": "k"}, headers={"Referer": "http://testserver/here/"}
    )
    assert answer.status_code == status
    assert WORDS in flat(answer)
    kept = Draft.objects.visible_to(user).given_back().get()
    assert WORDS in str(kept.data)
    assert reason in kept.refused
    if status != 409 or "lost" not in reason:
        assert reason in flat(answer), "the page says the same reason"
        assert reverse("activity:unsent") in flat(answer)
    page = flat(browser.get(reverse("activity:unsent")))
    assert WORDS in page
    assert reason in page
    assert WORDS not in flat(as_(world.kim).get(reverse("activity:unsent")))


@pytest.mark.parametrize(("make", "status", "reason"), REFUSALS)
def test_an_autosave_is_told_the_reason_and_only_a_conflict_is_called_one(
    make: Callable[[World], Any], status: int, reason: str, world: World, as_: SignedIn
) -> None:
    user, url, data = make(world)
    headers = {"X-Autosave": "1"}
    answer = as_(user).post(url.replace("/submit/", "/autosave/"), data, headers=headers)
    assert answer.status_code == status
    said = json.loads(answer.content)
    assert reason in said["detail"]
    assert ("version" in said) == (make is after_somebody_saved)
    assert WORDS in str(Draft.objects.visible_to(user).given_back().get().data)


def test_the_same_form_refused_again_is_kept_once_as_it_was_last(
    world: World, as_: SignedIn
) -> None:
    user, url, data = after_the_stage_closed(world)
    browser = as_(user)
    for text in (WORDS, f"{WORDS} And more."):
        field = next(name for name, value in data.items() if value == WORDS)
        browser.post(url, {**data, field: text, "form_key": "k"})
    assert "And more." in str(Draft.objects.given_back().get().data)


def test_what_is_taken_at_last_is_kept_no_more(world: World, as_: SignedIn) -> None:
    user, url, data = after_somebody_saved(world)
    browser = as_(user)
    assert browser.post(url, {**data, "form_key": "a"}).status_code == 409
    own = appraisals.self_appraisal(world.ana_part)
    own.refresh_from_db()
    again = browser.post(url, {**data, "version": own.version, "form_key": "b"})
    assert again.status_code == 302
    assert not Draft.objects.given_back().exists()


def test_other_words_to_the_same_address_leave_it_there(world: World, as_: SignedIn) -> None:
    meeting = feedback.meeting_of_ana(world)
    url = reverse("feedback:add_point", kwargs=meeting)
    keep_refused(world.ana, url, [("text", WORDS)], reason="Closed.", page="/")
    assert (
        as_(world.ana).post(url, {"text": "Something else to say", "form_key": "k"}).status_code
        == 302
    )
    assert Draft.objects.given_back().count() == 1
    assert as_(world.ana).post(url, {"text": WORDS, "form_key": "l"}).status_code == 302
    assert not Draft.objects.given_back().exists()


def test_passwords_and_single_words_are_not_kept(world: World, as_: SignedIn) -> None:
    browser = as_(world.ana)
    meeting = reverse("feedback:add_point", kwargs=feedback.meeting_of_ana(world))
    as_(world.hugo).post(meeting, {"text": "Hello", "password": "a long secret of four words"})
    assert not Draft.objects.exists()
    assert browser.get(reverse("activity:unsent")).status_code == 200


def test_its_author_throws_it_away(world: World, as_: SignedIn) -> None:
    row = activity.text_of_ana(world)
    browser = as_(world.ana)
    with transaction.atomic():
        assert browser.post(reverse("activity:throw_away", kwargs=row)).status_code == 302
    assert not Draft.objects.exists()


def test_an_absurd_key_of_a_form_does_not_keep_its_words_from_being_kept(
    world: World, as_: SignedIn
) -> None:
    user, url, data = after_a_transfer(world)
    for key in ("a\x00b", "k" * 10_000, ""):
        assert as_(user).post(url, {**data, "form_key": key}).status_code == 403
    assert {WORDS in str(draft.data) for draft in Draft.objects.given_back()} == {True}
    assert set(Draft.objects.values_list("author", flat=True)) == {user.pk}


def test_two_people_with_the_same_form_and_key_keep_their_own_words(
    world: World, as_: SignedIn
) -> None:
    meeting = reverse("feedback:add_point", kwargs=feedback.meeting_of_ana(world))
    said = {world.hugo: "Words that Hugo wrote.", world.gita: "Words that Gita wrote."}
    for user, words in said.items():
        assert as_(user).post(meeting, {"text": words, "form_key": "k"}).status_code == 404
    for user, words in said.items():
        page = flat(as_(user).get(reverse("activity:unsent")))
        assert [other in page for other in said.values()] == [
            other == words for other in said.values()
        ]


def test_a_former_manager_reads_their_own_drafts(world: World, as_: SignedIn) -> None:
    """Both what they have saved on the form itself and what stands in forms that are not theirs any more."""
    row = appraisals.manager_appraisal(world.ana_part)
    appraisals.save_draft(row, "What I saw in spring.")
    bashir: Client = as_(world.bashir)
    to = reverse("activity:draft", kwargs={"key": f"goal-new-{world.ana_part.pk}"})
    bashir.put(
        to,
        json.dumps({"fields": {"title": "A goal that was never sent"}}),
        content_type="application/json",
    )
    to_gita(world)
    assert "A goal that was never sent" in flat(bashir.get(reverse("activity:unsent")))
    mine = reverse("appraisals:read", args=[row.pk])
    assert mine in flat(bashir.get(reverse("appraisals:list")))
    assert "What I saw in spring." in flat(bashir.get(mine))
    assert as_(world.gita).get(reverse("appraisals:read", args=[row.pk])).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"HX-Request": "true"}, 401), ({"X-Autosave": "1"}, 401)],
    ids=["page", "fragment", "autosave"],
)
def test_after_the_end_of_a_sign_in_the_words_stand_on_the_page_and_the_way_leads_to_the_form(
    headers: dict[str, str], status: int, world: World, as_: SignedIn
) -> None:
    url = reverse("feedback:add_point", kwargs=feedback.meeting_of_ana(world))
    form = {"Referer": "http://testserver/feedback/check-ins/7/?tab=agenda"}
    answer = as_(None).post(url, {"text": WORDS}, headers={**headers, **form})
    assert answer.status_code == status
    if "X-Autosave" in headers:
        assert "not signed in any more" in answer.json()["detail"]
    else:
        assert WORDS in flat(answer)
        assert "?next=%2Ffeedback%2Fcheck-ins%2F7%2F%3Ftab%3Dagenda" in flat(answer)
    assert not Draft.objects.exists(), "nobody is known, so the server keeps nothing"


@pytest.mark.parametrize(
    "before", ["https://evil.example/x", "http://testserver//evil.example/x", ""]
)
def test_the_way_back_leads_to_no_other_site(before: str, world: World, as_: SignedIn) -> None:
    url = reverse("feedback:add_point", kwargs=feedback.meeting_of_ana(world))
    answer = flat(as_(None).post(url, {"text": WORDS}, headers={"Referer": before}))
    assert "next=%2F%2F" not in answer
    assert "next=https" not in answer


def test_a_reader_who_is_signed_out_is_still_led_to_the_sign_in(
    world: World, as_: SignedIn
) -> None:
    answer = as_(None).get(reverse("activity:unsent"))
    assert answer.headers["Location"].startswith("/account/login/?next=")


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("Thank you", True),
        ("谢谢你的帮助", True),
        ("2031-02-03", False),
        ("approve", False),
        ("/goals/of/12/?stage=3", False),
    ],
)
def test_words_are_told_from_figures_choices_and_addresses(text: str, is_kept: bool) -> None:
    assert bool(words_in([("field", text)])) is is_kept
