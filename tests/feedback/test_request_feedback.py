"""Asking a colleague, answering, declining."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import Error, transaction
from django.urls import reverse

from feedback.models import Feedback, FeedbackRequest
from feedback.views.giving import QUESTION
from pmcycle.access import today
from pmcycle.activity.actions import save_draft
from pmcycle.activity.models import Draft, Notice
from pmcycle.people.models import Employee
from tests.conftest import SignedIn, World
from tests.factories.feedback import make_feedback, make_request, person

ASK = "feedback:request_feedback"


def url(name: str, row: FeedbackRequest) -> str:
    return reverse(f"feedback:{name}", kwargs={"pk": row.pk})


def asking(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "reviewer": person(world.chen).pick_text,
        "about": person(world.ana).pk,
        "question": "What could I explain better?",
        "due_on": (today() + timedelta(days=7)).isoformat(),
        **changes,
    }


def test_one_asks_about_oneself_and_the_other_is_told(world: World, as_: SignedIn) -> None:
    assert as_(world.ana).get(reverse(ASK)).status_code == 200
    assert as_(world.ana).post(reverse(ASK), asking(world)).status_code == 302
    row = FeedbackRequest.objects.get()
    assert (row.requester, row.reviewer, row.about) == (
        person(world.ana),
        person(world.chen),
        person(world.ana),
    )
    notice = Notice.objects.get()
    assert notice.recipient == world.chen
    assert "explain" not in notice.title


def test_the_question_is_kept_as_a_draft_until_it_is_sent(world: World, as_: SignedIn) -> None:
    draft_url = reverse("activity:draft", kwargs={"key": QUESTION})
    assert f'data-draft-url="{draft_url}"' in as_(world.ana).get(reverse(ASK)).content.decode()
    save_draft(world.ana, QUESTION, {"question": "What could"})
    as_(world.ana).post(reverse(ASK), asking(world, question=""))
    assert Draft.objects.filter(author=world.ana, key=QUESTION).exists()
    as_(world.ana).post(reverse(ASK), asking(world))
    assert not Draft.objects.kept().exists()


def test_a_manager_asks_about_somebody_they_lead(world: World, as_: SignedIn) -> None:
    assert as_(world.bashir).post(reverse(ASK), asking(world)).status_code == 302


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": ""},
        {"question": "x" * 2001},
        {"due_on": "2001-01-01"},
        {"due_on": "9999-01-01"},
        {"reviewer": "Nobody"},
        {"reviewer": ""},
        {"about": "0"},
        {"about": "x"},
    ],
)
def test_what_cannot_be(world: World, as_: SignedIn, wrong: dict[str, Any]) -> None:
    assert as_(world.ana).post(reverse(ASK), asking(world) | wrong).status_code == 422
    assert not FeedbackRequest.objects.exists()


def test_not_about_people_one_does_not_lead_nor_to_oneself(world: World, as_: SignedIn) -> None:
    assert as_(world.gita).post(reverse(ASK), asking(world)).status_code == 422
    mine = asking(world, reviewer=person(world.ana).pick_text)
    assert as_(world.ana).post(reverse(ASK), mine).status_code == 422
    with pytest.raises(Error), transaction.atomic():
        make_request(person(world.ana), person(world.ana), person(world.chen))
    with pytest.raises(Error), transaction.atomic():
        make_request(person(world.ana), person(world.chen), person(world.chen))


def test_the_same_is_not_asked_twice_while_it_is_open(world: World, as_: SignedIn) -> None:
    as_(world.ana).post(reverse(ASK), asking(world))
    assert as_(world.ana).post(reverse(ASK), asking(world)).status_code == 409


class TestAnswering:
    @pytest.fixture
    def asked(self, world: World) -> FeedbackRequest:
        return make_request(person(world.ana), person(world.chen), person(world.ana))

    def words(self, **changes: Any) -> dict[str, Any]:
        return {
            "kind": "suggestion",
            "visibility": "person",
            "body": "Shorter notes.",
            "version": 1,
            **changes,
        }

    def test_it_is_read_by_the_one_who_asked(
        self, world: World, as_: SignedIn, asked: FeedbackRequest
    ) -> None:
        page = as_(world.chen).get(url("answer", asked)).content.decode()
        assert "Only Ana Popescu reads this" in page
        assert "What helped you in my handover?" in page
        assert as_(world.chen).post(url("answer", asked), self.words()).status_code == 302
        given = Feedback.objects.get()
        assert (given.recipient, given.request, given.visibility) == (
            person(world.ana),
            asked,
            "person",
        )
        assert "Shorter notes." in as_(world.ana).get(reverse("feedback:list")).content.decode()

    def test_the_reader_may_be_widened_before_writing(
        self, world: World, as_: SignedIn, asked: FeedbackRequest
    ) -> None:
        page = as_(world.chen).get(url("answer", asked), {"visibility": "manager"}).content.decode()
        assert "Ana Popescu and their manager, today Bashir Nouri, read this." in page

    def test_once(self, world: World, as_: SignedIn, asked: FeedbackRequest) -> None:
        as_(world.chen).post(url("answer", asked), self.words())
        assert as_(world.chen).post(url("answer", asked), self.words(version=2)).status_code == 409
        assert "Shorter notes." in as_(world.chen).get(url("answer", asked)).content.decode()
        with pytest.raises(Error), transaction.atomic():
            make_feedback(person(world.chen), person(world.ana), request=asked)

    @pytest.mark.parametrize(
        "wrong", [{"body": ""}, {"visibility": "public"}, {"kind": "upward"}, {"version": ""}]
    )
    def test_what_cannot_be(
        self, world: World, as_: SignedIn, asked: FeedbackRequest, wrong: dict[str, Any]
    ) -> None:
        assert as_(world.chen).post(url("answer", asked), self.words() | wrong).status_code == 422

    def test_not_about_who_has_left_the_company(
        self, world: World, as_: SignedIn, asked: FeedbackRequest
    ) -> None:
        Employee.objects.filter(pk=person(world.ana).pk).update(left_on=today() - timedelta(days=1))
        assert as_(world.chen).post(url("answer", asked), self.words()).status_code == 409
        assert not Feedback.objects.exists()

    def test_an_answer_to_the_manager_is_read_by_both(self, world: World, as_: SignedIn) -> None:
        asked = make_request(person(world.bashir), person(world.chen), person(world.ana))
        as_(world.chen).post(url("answer", asked), self.words())
        given = Feedback.objects.get()
        assert given.visibility == "manager"
        for reader in (world.ana, world.bashir):
            assert Feedback.objects.visible_to(reader).filter(pk=given.pk).exists()

    def test_declining_tells_who_asked(
        self, world: World, as_: SignedIn, asked: FeedbackRequest
    ) -> None:
        assert as_(world.chen).post(url("decline", asked), {}).status_code == 409
        assert as_(world.chen).post(url("decline", asked), {"version": 1}).status_code == 302
        assert Notice.objects.get().recipient == world.ana
        assert as_(world.chen).post(url("answer", asked), self.words(version=2)).status_code == 409
        assert as_(world.chen).post(url("decline", asked), {"version": 2}).status_code == 409
