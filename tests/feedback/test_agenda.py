"""Points, the shared note and private notes of a meeting."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
from django.urls import reverse

from feedback import actions
from feedback.models import AgendaPoint, CheckIn, PrivateNote
from pmcycle.activity.models import Event
from pmcycle.errors import Stale
from tests.at_once import at_once
from tests.conftest import SignedIn, World, build_world
from tests.factories.feedback import make_check_in, make_point, person


def url(name: str, pk: int) -> str:
    return reverse(f"feedback:{name}", kwargs={"pk": pk})


@pytest.fixture
def meeting(world: World) -> CheckIn:
    return make_check_in(person(world.bashir), person(world.ana), in_days=1)


class TestPoints:
    def test_both_write_their_side(self, world: World, as_: SignedIn, meeting: CheckIn) -> None:
        as_(world.ana).post(url("add_point", meeting.pk), {"text": "Training on the new press"})
        as_(world.bashir).post(url("add_point", meeting.pk), {"text": "Holiday cover"})
        page = as_(world.ana).get(url("check_in", meeting.pk)).content.decode()
        assert (
            page.index("What you bring")
            < page.index("Training on the new press")
            < page.index("What Bashir Nouri")
        )
        assert page.index("What Bashir Nouri brings") < page.index("Holiday cover")

    def test_every_field_of_the_screen_has_its_own_label(
        self, world: World, as_: SignedIn, meeting: CheckIn
    ) -> None:
        page = as_(world.ana).get(url("check_in", meeting.pk)).content.decode()
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))

    @pytest.mark.parametrize("text", ["", "  ", "x" * 501, "a\x00b"])
    def test_a_point_that_cannot_be(
        self, world: World, as_: SignedIn, meeting: CheckIn, text: str
    ) -> None:
        assert as_(world.ana).post(url("add_point", meeting.pk), {"text": text}).status_code == 422
        assert not AgendaPoint.objects.exists()

    def test_htmx_gets_only_the_agenda(self, world: World, as_: SignedIn, meeting: CheckIn) -> None:
        headers = {"HX-Request": "true"}
        answer = as_(world.ana).post(
            url("add_point", meeting.pk), {"text": "Quick"}, headers=headers
        )
        assert "Quick" in answer.content.decode()
        assert "<html" not in answer.content.decode()
        wrong = as_(world.ana).post(url("add_point", meeting.pk), {"text": ""}, headers=headers)
        assert wrong.status_code == 422
        assert "<html" not in wrong.content.decode()

    def test_only_the_author_changes_the_words(
        self, world: World, as_: SignedIn, meeting: CheckIn
    ) -> None:
        point = make_point(meeting, person(world.ana))
        change = {"text": "In other words", "version": 1}
        assert as_(world.bashir).post(url("edit_point", point.pk), change).status_code == 404
        assert as_(world.ana).get(url("edit_point", point.pk)).status_code == 200
        assert as_(world.ana).post(url("edit_point", point.pk), change).status_code == 302
        assert as_(world.ana).post(url("edit_point", point.pk), change).status_code == 409
        point.refresh_from_db()
        assert point.text == "In other words"

    def test_only_the_author_takes_it_off_and_the_words_are_kept(
        self, world: World, as_: SignedIn, meeting: CheckIn
    ) -> None:
        point = make_point(meeting, person(world.ana), "Never mind")
        assert (
            as_(world.bashir).post(url("remove_point", point.pk), {"version": 1}).status_code == 404
        )
        assert as_(world.ana).post(url("remove_point", point.pk), {}).status_code == 409
        assert as_(world.ana).post(url("remove_point", point.pk), {"version": 1}).status_code == 302
        assert AgendaPoint.objects.get().withdrawn_at is not None
        assert "Never mind" not in as_(world.ana).get(url("check_in", meeting.pk)).content.decode()

    def test_both_tick(self, world: World, as_: SignedIn, meeting: CheckIn) -> None:
        point = make_point(meeting, person(world.ana))
        as_(world.bashir).post(url("tick_point", point.pk), {"done": "1"})
        point.refresh_from_db()
        assert point.is_done
        as_(world.ana).post(url("tick_point", point.pk), {"done": "0"})
        point.refresh_from_db()
        assert not point.is_done

    def test_ticking_twice_is_one_tick(self, world: World, as_: SignedIn, meeting: CheckIn) -> None:
        point = make_point(meeting, person(world.ana))
        for _ in range(2):
            as_(world.ana).post(url("tick_point", point.pk), {"done": "1"})
        assert Event.objects.filter(verb="ticked_point").count() == 1

    def test_the_agenda_closes_with_the_meeting(
        self, world: World, as_: SignedIn, meeting: CheckIn
    ) -> None:
        point = make_point(meeting, person(world.ana))
        actions.hold(meeting, version=1, by=world.ana)
        assert (
            as_(world.ana).post(url("add_point", meeting.pk), {"text": "Late"}).status_code == 409
        )
        change = {"text": "Late", "version": 1}
        assert as_(world.ana).post(url("edit_point", point.pk), change).status_code == 409


class TestTheSharedNote:
    def save(self, client: Any, meeting: CheckIn, text: str, version: int, **headers: str) -> Any:
        data = {"shared_note": text, "version": version}
        return client.post(url("write_note", meeting.pk), data, headers=headers)

    def test_it_says_saved_with_the_time_and_the_next_version(
        self, world: World, as_: SignedIn, meeting: CheckIn
    ) -> None:
        answer = self.save(
            as_(world.ana), meeting, "We agreed on **two** steps.", 1, X_Autosave="1"
        )
        assert answer.json()["version"] == 2
        assert len(answer.json()["saved_at"]) == 5
        assert "two" in as_(world.bashir).get(url("check_in", meeting.pk)).content.decode()

    def test_two_who_type_at_once_lose_nothing(
        self, world: World, as_: SignedIn, meeting: CheckIn
    ) -> None:
        self.save(as_(world.ana), meeting, "Words of Ana", 1, X_Autosave="1")
        answer = self.save(as_(world.bashir), meeting, "Words of Bashir", 1)
        assert answer.status_code == 409
        page = answer.content.decode()
        assert "Words of Ana" in page
        assert "Words of Bashir" in page
        meeting.refresh_from_db()
        assert meeting.shared_note == "Words of Ana"

    def test_moving_the_meeting_does_not_stop_the_one_who_writes(
        self, world: World, as_: SignedIn, meeting: CheckIn
    ) -> None:
        actions.hold(meeting, version=1, by=world.bashir)
        assert self.save(as_(world.ana), meeting, "Written after", 1).status_code == 302

    def test_too_long_or_without_version_is_said_and_not_saved(
        self, world: World, as_: SignedIn, meeting: CheckIn
    ) -> None:
        long = self.save(as_(world.ana), meeting, "x" * 20_001, 1, X_Autosave="1")
        assert long.status_code == 422
        assert "shared_note" in long.json()["errors"]
        assert (
            as_(world.ana).post(url("write_note", meeting.pk), {"shared_note": "x"}).status_code
            == 422
        )

    @pytest.mark.django_db(transaction=True)
    def test_two_saves_at_the_same_moment_are_one_save_and_one_conflict(
        self, transactional_db: None
    ) -> None:
        world = build_world()
        meeting = make_check_in(person(world.bashir), person(world.ana))
        results = at_once(
            *(
                partial(actions.write_note, meeting, f"Words of {by.name}", version=1, by=by)
                for by in (world.ana, world.bashir)
            )
        )
        (stale,) = [result for result in results if isinstance(result, Stale)]
        assert stale.current["shared_note"].startswith("Words of")


class TestPrivateNotes:
    def save(self, client: Any, meeting: CheckIn, text: str, version: int) -> Any:
        data = {"body": text, "version": version}
        return client.post(url("write_private_note", meeting.pk), data, headers={"X-Autosave": "1"})

    def test_nobody_else_ever_reads_it(self, world: World, as_: SignedIn, meeting: CheckIn) -> None:
        assert self.save(as_(world.bashir), meeting, "Ana seems tired", 0).json()["version"] == 1
        assert (
            "Ana seems tired" in as_(world.bashir).get(url("check_in", meeting.pk)).content.decode()
        )
        assert (
            "Ana seems tired"
            not in as_(world.ana).get(url("check_in", meeting.pk)).content.decode()
        )
        for user in (world.ana, world.dora, world.ines, world.kim, world.mira, world.noor):
            assert not PrivateNote.objects.visible_to(user).exists()
        assert "tired" not in str(list(Event.objects.values("data")))

    def test_each_has_their_own(self, world: World, as_: SignedIn, meeting: CheckIn) -> None:
        self.save(as_(world.bashir), meeting, "One", 0)
        self.save(as_(world.ana), meeting, "Two", 0)
        assert PrivateNote.objects.count() == 2

    def test_two_tabs_lose_nothing(self, world: World, as_: SignedIn, meeting: CheckIn) -> None:
        self.save(as_(world.ana), meeting, "First tab", 0)
        assert self.save(as_(world.ana), meeting, "Second tab", 0).status_code == 409
        assert PrivateNote.objects.get().body == "First tab"

    def test_the_page_says_that_the_law_may_ask_for_it(
        self, world: World, as_: SignedIn, meeting: CheckIn
    ) -> None:
        page = as_(world.ana).get(url("check_in", meeting.pk)).content.decode()
        assert "the law may require that notes are handed over" in page
