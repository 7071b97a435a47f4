"""The API does what the pages do, for the same people, and shows no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.models import ActionItem, AgendaPoint, CheckIn, Entry, Feedback, PrivateNote
from pmcycle.access import today
from pmcycle.people.authentication import digest
from pmcycle.people.models import ApiToken, User
from tests.conftest import SignedIn, World
from tests.factories.feedback import (
    make_check_in,
    make_entry,
    make_feedback,
    make_item,
    make_point,
    make_request,
    person,
)

JSON = "application/json"


@pytest.fixture
def meeting(world: World) -> CheckIn:
    return make_check_in(
        person(world.bashir), person(world.ana), in_days=-0.1, shared_note="Between us"
    )


def url(name: str, pk: int | None = None) -> str:
    return reverse(f"api:{name}", kwargs={"pk": pk} if pk else {})


def post(client: Client, address: str, **data: Any) -> Any:
    return client.post(address, data, content_type=JSON)


def test_the_two_read_and_say(world: World, as_: SignedIn) -> None:
    data = {"participation": world.ana_part.pk, "stage": "objectives", "body": "Shall we talk?"}
    answer = post(as_(world.ana), url("conversation-say"), **data)
    assert answer.status_code == 201
    assert answer.json()["stage"] == "objectives"
    assert as_(world.bashir).get(url("conversation-list")).json()["count"] == 1
    for outsider in (world.dora, world.kim, world.ines, world.chen, world.mira, world.noor):
        assert as_(outsider).get(url("conversation-list")).json()["count"] == 0
        assert post(as_(outsider), url("conversation-say"), **data).status_code == 404
    assert Entry.objects.count() == 1


def test_a_former_manager_reads_only_their_own_words(world: World, as_: SignedIn) -> None:
    farid = person(world.farid)
    own = make_entry(world.ana_part, farid, farid, days_ago=60)
    make_entry(world.ana_part, farid, person(world.ana), days_ago=59)
    rows = as_(world.farid).get(url("conversation-list")).json()["results"]
    assert [row["id"] for row in rows] == [own.pk]


def test_feedback_is_given_and_read_by_whom_it_is_for(world: World, as_: SignedIn) -> None:
    data = {
        "recipient": person(world.ana).pk,
        "kind": "praise",
        "visibility": "person",
        "body": "Well done.",
    }
    assert post(as_(world.chen), url("feedback-give"), **data).status_code == 201
    assert as_(world.ana).get(url("feedback-list")).json()["count"] == 1
    assert as_(world.bashir).get(url("feedback-list")).json()["count"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipient": 0},
        {"recipient": 10**30},
        {"recipient": 999999},
        {"body": ""},
        {"body": "a\x00"},
        {"kind": "x"},
        {"visibility": "public", "kind": "suggestion"},
    ],
)
def test_wrong_input_is_named_by_field(world: World, as_: SignedIn, wrong: dict[str, Any]) -> None:
    data = {
        "recipient": person(world.ana).pk,
        "kind": "praise",
        "visibility": "person",
        "body": "x",
    }
    answer = post(as_(world.chen), url("feedback-give"), **(data | wrong))
    oneself = post(as_(world.ana), url("feedback-give"), **data)
    assert list(oneself.json()) == ["recipient"]
    assert answer.status_code in (400, 422)
    assert set(answer.json()) <= {"recipient", "body", "kind", "visibility"}
    assert not Feedback.objects.exists()


def test_a_request_is_answered_or_declined_by_the_one_asked(world: World, as_: SignedIn) -> None:
    ana, chen = person(world.ana), person(world.chen)
    first, second = make_request(ana, chen, ana), make_request(ana, chen, ana)
    words = {"kind": "praise", "visibility": "person", "body": "All of it."}
    assert (
        post(as_(world.chen), url("feedbackrequest-answer", first.pk), **words).status_code == 428
    )
    assert (
        post(
            as_(world.chen), url("feedbackrequest-answer", first.pk), **words, version=7
        ).status_code
        == 409
    )
    assert (
        post(
            as_(world.ana), url("feedbackrequest-answer", first.pk), **words, version=1
        ).status_code
        == 403
    )
    assert (
        post(
            as_(world.chen), url("feedbackrequest-answer", first.pk), **words, version=1
        ).status_code
        == 201
    )
    answer = post(as_(world.chen), url("feedbackrequest-decline", second.pk), version=1)
    assert answer.json()["state"] == "declined"


def test_a_meeting_is_prepared_and_held(world: World, as_: SignedIn, meeting: CheckIn) -> None:
    ana = as_(world.ana)
    assert post(ana, url("checkin-add-point", meeting.pk), text="Spare parts").status_code == 201
    assert ana.get(url("checkin-points", meeting.pk)).json()["results"][0]["text"] == "Spare parts"
    note = url("checkin-write-note", meeting.pk)
    assert post(ana, note, shared_note="x").status_code == 428
    saved = post(ana, note, shared_note="Both agreed.", version=1).json()
    assert (saved["shared_note"], saved["note_version"]) == ("Both agreed.", 2)
    stale = post(as_(world.bashir), note, shared_note="Other words", version=1)
    assert stale.status_code == 409
    assert stale.json()["current"] == {"shared_note": "Both agreed."}
    due = (today() + timedelta(days=3)).isoformat()
    item = post(
        ana,
        url("checkin-add-action", meeting.pk),
        text="Order it",
        owner=person(world.bashir).pk,
        due_on=due,
    ).json()
    assert item["is_promise"] is True
    assert post(ana, url("checkin-hold", meeting.pk)).status_code == 428
    assert post(ana, url("checkin-hold", meeting.pk), version=1).json()["state"] == "held"
    assert post(ana, url("checkin-hold", meeting.pk), version=2).status_code == 409
    done = post(as_(world.bashir), url("actionitem-done", item["id"]), version=1)
    assert done.json()["done_at"]


def test_nobody_else_reaches_a_meeting(world: World, as_: SignedIn, meeting: CheckIn) -> None:
    make_point(meeting, person(world.ana))
    item = make_item(meeting, person(world.ana))
    for outsider in (
        world.dora,
        world.farid,
        world.kim,
        world.ines,
        world.chen,
        world.mira,
        world.noor,
    ):
        client = as_(outsider)
        assert client.get(url("checkin-detail", meeting.pk)).status_code == 404
        assert client.get(url("checkin-points", meeting.pk)).status_code == 404
        assert post(client, url("checkin-add-point", meeting.pk), text="x").status_code == 404
        assert post(client, url("actionitem-done", item.pk), version=1).status_code == 404
        assert client.get(url("actionitem-list")).json()["count"] == 0
    assert AgendaPoint.objects.count() == 1
    assert ActionItem.objects.open().count() == 1


def test_private_notes_are_nowhere_in_it(world: World, as_: SignedIn, meeting: CheckIn) -> None:
    PrivateNote.objects.create(check_in=meeting, author=person(world.ana), body="For me alone")
    assert (
        "For me alone" not in as_(world.ana).get(url("checkin-detail", meeting.pk)).content.decode()
    )


def test_open_and_closed_items_are_told_apart(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    make_item(meeting, person(world.ana))
    listed = url("actionitem-list")
    assert as_(world.ana).get(listed, {"open": "true"}).json()["count"] == 1
    assert as_(world.ana).get(listed, {"open": "false"}).json()["count"] == 0


def with_token(user: User, *scopes: str) -> Client:
    ApiToken.objects.create(
        user=user,
        name="script",
        prefix="abc",
        digest=digest("secret"),
        scopes=list(scopes),
        expires_on=today() + timedelta(days=5),
    )
    return Client(headers={"Authorization": "Bearer pmc_abc_secret"})


def test_a_token_reaches_only_its_scopes(world: World, meeting: CheckIn) -> None:
    make_feedback(person(world.chen), person(world.ana))
    client = with_token(world.ana, "check_ins:read")
    assert client.get(url("checkin-list")).json()["count"] == 1
    assert client.get(url("feedback-list")).status_code == 403
    assert post(client, url("checkin-add-point", meeting.pk), text="x").status_code == 403


def test_a_token_that_may_write_writes(world: World, meeting: CheckIn) -> None:
    client = with_token(world.ana, "check_ins:write", "feedback:write")
    assert post(client, url("checkin-add-point", meeting.pk), text="By script").status_code == 201
