"""Giving feedback: who reads it is fixed before a word is written, and holds everywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import Error, transaction
from django.urls import reverse
from django.utils import timezone

from feedback.models import Feedback
from pmcycle.access import today
from pmcycle.activity.models import Event, Notice
from pmcycle.people.models import ReportingLine
from tests.conftest import SignedIn, World
from tests.factories.feedback import make_check_in, make_feedback, make_point, person

GIVE, LIST = "feedback:give", "feedback:list"


def to_ana(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "to": person(world.ana).pick_text,
        "kind": "praise",
        "visibility": "person",
        "body": "Calm under pressure.",
        **changes,
    }


def test_first_the_readers_then_the_words(world: World, as_: SignedIn) -> None:
    chen = as_(world.chen)
    first = chen.get(reverse(GIVE), {"to": person(world.ana).pk}).content.decode()
    assert "Who will read it" in first
    assert person(world.ana).pick_text in first
    assert 'name="body"' not in first
    choice = {
        k: v
        for k, v in to_ana(world, visibility="manager", kind="suggestion").items()
        if k != "body"
    }
    second = chen.get(reverse(GIVE), choice).content.decode()
    assert "Ana Popescu and their manager, today Bashir Nouri, read this." in second
    assert 'name="body"' in second
    assert chen.post(reverse(GIVE), to_ana(world)).status_code == 302
    given = Feedback.objects.get()
    assert (given.giver, given.recipient) == (person(world.chen), person(world.ana))


@pytest.mark.parametrize(
    ("visibility", "sentence"),
    [
        ("person", "Only Ana Popescu reads this: not their manager, not HR."),
        ("public", "Everybody who works here reads this, until Ana Popescu hides it."),
    ],
)
def test_the_page_says_exactly_who_reads_it(
    world: World, as_: SignedIn, visibility: str, sentence: str
) -> None:
    choice = to_ana(world, visibility=visibility)
    assert sentence in as_(world.chen).get(reverse(GIVE), choice).content.decode()


def test_the_manager_who_reads_along_is_the_one_of_the_line(world: World, as_: SignedIn) -> None:
    ReportingLine.objects.create(
        employee=person(world.ana), manager=person(world.gita), kind="matrix", starts_on=today()
    )
    as_(world.chen).post(reverse(GIVE), to_ana(world, visibility="manager"))
    given = Feedback.objects.get()
    for reader, reads in ((world.bashir, True), (world.gita, False)):
        assert Feedback.objects.visible_to(reader).filter(pk=given.pk).exists() is reads
        page = as_(reader).get(reverse(LIST), {"show": "team"}).content.decode()
        assert ("Calm under pressure." in page) is reads


def test_the_recipient_is_told_without_content(world: World, as_: SignedIn) -> None:
    as_(world.chen).post(reverse(GIVE), to_ana(world))
    notice = Notice.objects.get()
    assert (notice.recipient, notice.title) == (world.ana, "Chen Wei gave you feedback")
    assert "Calm" not in str(Event.objects.get(verb="gave_feedback").data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": ""},
        {"to": "Nobody #999999"},
        {"to": "#" + "9" * 40},
        {"kind": "gossip"},
        {"visibility": "all"},
        {"kind": "suggestion", "visibility": "public"},
        {"body": ""},
        {"body": "x" * 20_001},
        {"body": "a\x00"},
        {"kind": "upward"},
    ],
)
def test_what_cannot_be(world: World, as_: SignedIn, wrong: dict[str, Any]) -> None:
    answer = as_(world.chen).post(reverse(GIVE), to_ana(world) | wrong)
    assert answer.status_code == 422
    assert not Feedback.objects.exists()


def test_not_to_oneself(world: World, as_: SignedIn) -> None:
    assert as_(world.ana).post(reverse(GIVE), to_ana(world)).status_code == 422
    with pytest.raises(Error), transaction.atomic():
        make_feedback(person(world.ana), person(world.ana))


def test_upward_feedback_goes_to_ones_own_manager_with_a_name(world: World, as_: SignedIn) -> None:
    data = to_ana(world, to=person(world.bashir).pick_text, kind="upward")
    assert as_(world.ana).post(reverse(GIVE), data).status_code == 302
    page = as_(world.bashir).get(reverse(LIST)).content.decode()
    assert "Upward feedback" in page
    assert "Ana Popescu" in page


def test_whoever_has_left_gets_none(world: World, as_: SignedIn) -> None:
    chen = person(world.chen)
    chen.left_on = today() - timedelta(days=1)
    chen.save()
    data = to_ana(world, to=chen.pick_text)
    assert as_(world.ana).post(reverse(GIVE), data).status_code == 422


def test_a_point_of_the_agenda_begins_the_words_but_only_for_the_two(
    world: World, as_: SignedIn
) -> None:
    meeting = make_check_in(person(world.bashir), person(world.ana))
    point = make_point(meeting, person(world.ana), "The new fixture works")
    choice = {**to_ana(world), "point": point.pk}
    assert "The new fixture works" in as_(world.bashir).get(reverse(GIVE), choice).content.decode()
    assert as_(world.chen).get(reverse(GIVE), choice).status_code == 404


@pytest.mark.parametrize(
    ("visibility", "readers"),
    [
        ("person", {"ana", "chen"}),
        ("manager", {"ana", "chen", "bashir"}),
        (
            "public",
            {"ana", "chen", "bashir", "farid", "dora", "gita", "hugo", "ines", "jan", "kim", "lea"},
        ),
    ],
)
def test_it_is_read_by_exactly_those(world: World, visibility: str, readers: set[str]) -> None:
    given = make_feedback(person(world.chen), person(world.ana), visibility=visibility)
    everybody = [*world.part, "dora", "farid", "mira", "noor"]
    found = {
        key
        for key in everybody
        if Feedback.objects.visible_to(getattr(world, key)).filter(pk=given.pk).exists()
    }
    assert found == readers


def test_the_database_keeps_who_may_be_told(world: World) -> None:
    with pytest.raises(Error), transaction.atomic():
        make_feedback(person(world.chen), person(world.ana), kind="suggestion", visibility="public")
    with pytest.raises(Error), transaction.atomic():
        make_feedback(person(world.chen), person(world.ana), hidden_at=timezone.now())


class TestTheList:
    def test_each_tab_shows_its_part(self, world: World, as_: SignedIn) -> None:
        ana, chen = person(world.ana), person(world.chen)
        make_feedback(chen, ana, body="Received one")
        make_feedback(ana, chen, body="Given one")
        make_feedback(chen, person(world.hugo), body="On the wall", visibility="public")
        make_feedback(chen, ana, body="Shared with the manager", visibility="manager")
        client, url = as_(world.ana), reverse(LIST)
        received = client.get(url).content.decode()
        assert "Received one" in received
        assert "Given one" not in received
        assert "Given one" in client.get(url, {"show": "given"}).content.decode()
        assert "On the wall" in client.get(url, {"show": "praise"}).content.decode()
        team = as_(world.bashir).get(url, {"show": "team"}).content.decode()
        assert "Shared with the manager" in team
        assert "Received one" not in team

    def test_search_and_filter(self, world: World, as_: SignedIn) -> None:
        make_feedback(person(world.chen), person(world.ana), body="About the fixture")
        make_feedback(
            person(world.hugo), person(world.ana), body="About the report", kind="suggestion"
        )
        client, url = as_(world.ana), reverse(LIST)
        found = client.get(url, {"q": "fixture"}).content.decode()
        assert "About the fixture" in found
        assert "About the report" not in found
        assert "About the report" in client.get(url, {"kind": "suggestion"}).content.decode()
        assert "Nothing matches." in client.get(url, {"q": "elephant"}).content.decode()
        assert (
            client.get(url, {"kind": "x", "q": "a\x00", "show": "y", "page": "z"}).status_code
            == 200
        )


class TestUseful:
    def url(self, name: str, row: Feedback) -> str:
        return reverse(f"feedback:{name}", kwargs={"pk": row.pk})

    def test_the_recipient_answers_and_the_giver_sees_it(self, world: World, as_: SignedIn) -> None:
        row = make_feedback(person(world.chen), person(world.ana))
        data = {"version": 1, "was_useful": "1"}
        assert as_(world.ana).post(self.url("say_useful", row), data).status_code == 302
        assert Notice.objects.get().recipient == world.chen
        page = as_(world.chen).get(reverse(LIST), {"show": "given"}).content.decode()
        assert "Ana Popescu found this useful." in page
        assert as_(world.ana).post(self.url("say_useful", row), data).status_code == 409

    def test_nothing_without_version_or_answer(self, world: World, as_: SignedIn) -> None:
        row = make_feedback(person(world.chen), person(world.ana))
        as_(world.ana).post(self.url("say_useful", row), {"was_useful": "1"})
        as_(world.ana).post(self.url("say_useful", row), {"version": 1, "was_useful": "maybe"})
        row.refresh_from_db()
        assert row.was_useful is None

    def test_praise_leaves_the_wall_and_comes_back(self, world: World, as_: SignedIn) -> None:
        row = make_feedback(
            person(world.chen), person(world.ana), visibility="public", body="On the wall"
        )
        wall = {"show": "praise"}
        assert as_(world.ana).post(self.url("hide", row), {"version": 1}).status_code == 302
        assert "On the wall" not in as_(world.hugo).get(reverse(LIST), wall).content.decode()
        assert "On the wall" in as_(world.ana).get(reverse(LIST)).content.decode()
        assert as_(world.ana).post(self.url("show_again", row), {"version": 2}).status_code == 302
        assert "On the wall" in as_(world.hugo).get(reverse(LIST), wall).content.decode()
        assert as_(world.ana).post(self.url("hide", row), {"version": 2}).status_code == 409
