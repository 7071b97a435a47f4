"""Saying something to the other one: who reads it, who is told, what can never happen to it."""

from __future__ import annotations

import pytest
from django.db import Error, transaction
from django.urls import reverse

from feedback.models import Conversation, Entry, entries_known_since, thread_of
from pmcycle.access import today
from pmcycle.activity.models import Draft, Event, Notice
from pmcycle.cycles.actions import mark_left
from pmcycle.cycles.models import Cycle
from tests.conftest import SignedIn, World
from tests.factories.feedback import make_entry, person


def place(world: World, name: str = "say", stage: str = "objectives") -> str:
    return reverse(f"feedback:{name}", kwargs={"pk": world.ana_part.pk, "stage": stage})


def test_the_employee_says_something_and_the_manager_reads_it(world: World, as_: SignedIn) -> None:
    answer = as_(world.ana).post(place(world), {"body": "Can we talk about **line 3**?"})
    assert answer.status_code == 302
    page = as_(world.bashir).get(place(world, "conversation")).content.decode()
    assert "<strong>line 3</strong>" in page
    assert "You and Ana Popescu" in page


def test_the_other_one_is_told_a_task_and_a_link_but_no_content(
    world: World, as_: SignedIn
) -> None:
    as_(world.bashir).post(place(world), {"body": "The reject rate is too high."})
    notice = Notice.objects.get()
    assert notice.recipient == world.ana
    assert notice.title == "Bashir Nouri wrote to you: Objectives"
    assert notice.url == place(world, "conversation")
    event = Event.objects.get(verb="said")
    assert event.about == world.ana.employee
    assert "reject" not in str(event.data)


def test_nothing_is_said_in_the_cycle_to_who_has_left_it(world: World, as_: SignedIn) -> None:
    make_entry(world.ana_part, person(world.bashir), person(world.bashir), "Well done.")
    bashir = as_(world.bashir)
    assert place(world) in bashir.get(place(world, "conversation")).content.decode()
    mark_left(world.ana_part, left_on=today(), reason="", version=1, by=world.kim)
    page = bashir.get(place(world, "conversation")).content.decode()
    assert "Well done." in page, "what was said stays readable"
    assert f'action="{place(world)}"' not in page
    refused = bashir.post(place(world), {"body": "One more thing."})
    assert refused.status_code in (409, 422)
    assert "has left this cycle" in refused.content.decode()
    assert Entry.objects.count() == 1


def test_it_may_be_about_a_goal(world: World, as_: SignedIn) -> None:
    about = {"about_kind": "goals.goal", "about_id": 7, "about_label": "Fewer rejects"}
    as_(world.ana).post(place(world), {"body": "Is 2 % fair?", **about})
    entry = Entry.objects.get()
    assert (entry.about_kind, entry.about_id, entry.about_label) == (
        "goals.goal",
        7,
        "Fewer rejects",
    )
    assert "Fewer rejects" in as_(world.ana).get(place(world, "conversation")).content.decode()


def test_scripts_in_a_text_stay_words(world: World, as_: SignedIn) -> None:
    as_(world.ana).post(
        place(world), {"body": "<script>alert(1)</script> [x](javascript:alert(1))"}
    )
    page = as_(world.bashir).get(place(world, "conversation")).content.decode()
    assert "<script>alert" not in page
    assert 'href="javascript' not in page


@pytest.mark.parametrize("body", ["", "   ", "x" * 20_001, "a\x00b"])
def test_a_text_that_cannot_be_kept_is_refused_by_its_field(
    world: World, as_: SignedIn, body: str
) -> None:
    answer = as_(world.ana).post(place(world), {"body": body})
    assert answer.status_code == 422
    assert not Entry.objects.exists()


@pytest.mark.parametrize("wrong", ["-1", "9" * 30, "x"])
def test_an_absurd_reference_is_a_field_error(world: World, as_: SignedIn, wrong: str) -> None:
    data = {"body": "What about this?", "about_kind": "goals.goal", "about_id": wrong}
    assert as_(world.ana).post(place(world), data).status_code == 422


def test_htmx_gets_the_thread_with_the_new_entry(world: World, as_: SignedIn) -> None:
    answer = as_(world.ana).post(place(world), {"body": "A word."}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "A word." in text
    assert "<html" not in text


def test_one_returns_to_the_page_from_which_one_wrote_but_never_elsewhere(
    world: World, as_: SignedIn
) -> None:
    home = as_(world.ana).post(place(world), {"body": "One.", "next": "/?tab=now"})
    assert home.headers["Location"] == "/?tab=now"
    elsewhere = as_(world.ana).post(place(world), {"body": "Two.", "next": "https://example.com/"})
    assert elsewhere.headers["Location"] == place(world, "conversation")


def test_a_closed_cycle_says_so_and_keeps_what_was_typed(world: World, as_: SignedIn) -> None:
    Cycle.objects.update(state="closed")
    answer = as_(world.ana).post(place(world), {"body": "Too late?"})
    assert answer.status_code == 409
    assert "This cycle is closed" in answer.content.decode()
    assert "Too late?" in answer.content.decode()


def test_the_draft_is_dropped_when_the_words_are_sent(world: World, as_: SignedIn) -> None:
    key = f"say-{world.ana_part.pk}-objectives"
    Draft.objects.create(author=world.ana, key=key, data={"body": "half a"})
    as_(world.ana).post(place(world), {"body": "half a sentence"})
    assert not Draft.objects.kept().exists()


def test_an_unknown_stage_is_not_found(world: World, as_: SignedIn) -> None:
    assert as_(world.ana).get(place(world, "conversation", "lunch")).status_code == 404
    assert as_(world.ana).post(place(world, stage="lunch"), {"body": "x"}).status_code == 404


def test_nobody_rewrites_what_was_said(world: World) -> None:
    entry = make_entry(world.ana_part, person(world.bashir), person(world.bashir))
    with pytest.raises(Error), transaction.atomic():
        Entry.objects.filter(pk=entry.pk).update(body="I never said that")
    with pytest.raises(Error), transaction.atomic():
        entry.delete()


def test_a_pair_has_one_thread_a_stage(world: World) -> None:
    make_entry(world.ana_part, person(world.bashir), person(world.bashir))
    with pytest.raises(Error), transaction.atomic():
        Conversation.objects.create(
            participation=world.ana_part, manager=person(world.bashir), stage="objectives"
        )


class TestAfterAChangeOfManager:
    def test_the_former_manager_keeps_their_own_words_only(
        self, world: World, as_: SignedIn
    ) -> None:
        farid, ana = person(world.farid), person(world.ana)
        make_entry(world.ana_part, farid, farid, "Words of Farid", days_ago=60)
        make_entry(world.ana_part, farid, ana, "Words of Ana to Farid", days_ago=59)
        page = as_(world.farid).get(place(world, "conversation")).content.decode()
        assert "Words of Farid" in page
        assert "Words of Ana to Farid" not in page

    def test_the_new_manager_inherits_nothing(self, world: World, as_: SignedIn) -> None:
        farid = person(world.farid)
        make_entry(world.ana_part, farid, farid, "Words of Farid", days_ago=60)
        assert (
            "Words of Farid"
            not in as_(world.bashir).get(place(world, "conversation")).content.decode()
        )
        assert "Words of Farid" in as_(world.ana).get(place(world, "conversation")).content.decode()

    def test_the_former_manager_cannot_go_on(self, world: World, as_: SignedIn) -> None:
        farid = person(world.farid)
        make_entry(world.ana_part, farid, farid, days_ago=60)
        assert as_(world.farid).post(place(world), {"body": "One more thing"}).status_code == 404


def test_what_is_said_never_reaches_the_next_level_or_hr(world: World, as_: SignedIn) -> None:
    entry = make_entry(world.ana_part, person(world.bashir), person(world.bashir), "Between us")
    for user in (world.dora, world.ines, world.kim, world.mira, world.noor, world.chen, world.gita):
        assert as_(user).get(place(world, "conversation")).status_code == 404
        assert thread_of(world.ana_part, "objectives", user) is None
        assert not Entry.objects.visible_to(user).filter(pk=entry.pk).exists()


def test_pages_of_a_stage_show_the_last_words(world: World) -> None:
    bashir = person(world.bashir)
    for number in range(6):
        make_entry(world.ana_part, bashir, bashir, f"Word {number}", days_ago=10 - number)
    thread = thread_of(world.ana_part, "objectives", world.ana)
    assert thread is not None
    assert [e["text"] for e in thread["entries"]] == ["Word 2", "Word 3", "Word 4", "Word 5"]
    assert thread["has_earlier"]
    assert thread["other"] == "Bashir Nouri"


def test_a_long_conversation_has_pages(world: World, as_: SignedIn) -> None:
    bashir = person(world.bashir)
    for number in range(25):
        make_entry(world.ana_part, bashir, bashir, f"Word {number:02}", days_ago=30 - number)
    first = as_(world.ana).get(place(world, "conversation")).content.decode()
    assert "Word 24" in first
    assert "Word 04" not in first
    assert (
        "Word 04" in as_(world.ana).get(place(world, "conversation") + "?page=2").content.decode()
    )


class TestKnownSince:
    """What the no-surprise gate may cite."""

    def test_what_others_said_early_enough_counts(self, world: World) -> None:
        ana, bashir = person(world.ana), person(world.bashir)
        early = make_entry(world.ana_part, bashir, bashir, days_ago=15)
        make_entry(world.ana_part, bashir, bashir, days_ago=3)
        make_entry(world.ana_part, bashir, ana, days_ago=20)
        make_entry(world.part["chen"], bashir, bashir, days_ago=20)
        assert list(entries_known_since(world.ana_part, 14)) == [early]
