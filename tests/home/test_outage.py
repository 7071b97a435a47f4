"""When something breaks: words, the right status, and nothing lost."""

from __future__ import annotations

import errno
import re
import time
from html import unescape
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import DatabaseError, DataError, OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from redis.exceptions import ConnectionError as RedisConnectionError

from feedback.models import Entry
from pmcycle.activity.models import Event
from pmcycle.home import needs, views
from pmcycle.people.models import Import
from tests.conftest import SignedIn, World, build_world
from tests.open_items import catch_up

TEXT = "Two pages of what I have thought about for weeks. <b>"


def broken_off() -> DatabaseError:
    """What comes of a server that ends in the middle of a statement, now and then: no code, and no kind."""
    words = "server closed the connection unexpectedly"
    error = DatabaseError(words)
    error.__cause__ = psycopg2.DatabaseError(words)
    return error


def break_home(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(needs, "desk", broken)


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("gone"),
        broken_off(),
        RedisConnectionError("gone"),
        ConnectionRefusedError(),
    ],
)
def test_an_outage_is_503_with_a_time_to_come_back(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    break_home(monkeypatch, error)
    response = as_(world.ana, raise_request_exception=False).get("/")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"
    assert "Just a moment" in response.content.decode()


# Django itself says so when a row to be changed is not there.
@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), DatabaseError("Save did not affect any rows.")]
)
def test_a_fault_of_ours_is_500_with_words(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    break_home(monkeypatch, error)
    response = as_(world.ana, raise_request_exception=False).get("/")
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_readyz_names_what_is_missing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "problems", lambda: ["database"])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"ready": False, "missing": ["database"]}
    assert response.headers["Retry-After"]


def test_a_forged_or_stale_form_gives_back_what_was_typed(world: World, as_: SignedIn) -> None:
    response = as_(world.ana, enforce_csrf_checks=True).post(
        "/activity/inbox/read/", {"text": "My long text"}
    )
    assert response.status_code == 403
    assert "My long text" in response.content.decode()


def test_a_refusal_leads_back_to_a_page_of_ours_only(world: World, as_: SignedIn) -> None:
    forged = as_(world.ana, enforce_csrf_checks=True)
    for before, back in (
        ("https://evil.example/", "/"),
        ("http://testserver/goals/", "http://testserver/goals/"),
    ):
        page = forged.post(
            "/activity/inbox/read/", {}, headers={"Referer": before}
        ).content.decode()
        assert f'href="{back}"' in page
        assert "evil.example" not in page


# --- what was typed, and the number to name -----------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("setting", ["lock_timeout", "statement_timeout"])
def test_a_table_that_somebody_holds_is_503_with_the_text_and_a_button_that_sends_it_again(
    as_: SignedIn, setting: str
) -> None:
    world = build_world()
    ana = as_(world.ana, raise_request_exception=False)
    url = reverse("feedback:say", args=[world.ana_part.pk, "objectives"])
    catch_up()
    beside = connection.copy()
    try:
        beside.set_autocommit(False)
        with beside.cursor() as other, connection.cursor() as cursor:
            other.execute("LOCK feedback_entry IN EXCLUSIVE MODE")
            cursor.execute(f"SET {setting} = '100ms'")
            answer = ana.post(url, {"body": TEXT})
            beside.rollback()
            cursor.execute(f"SET {setting} = 0")
        page = answer.content.decode()
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert answer["X-Request-ID"] in page
        assert "Send it again" in page
        # What the button sends is what was sent.
        sent = re.search(
            r'<form method="post" action="([^"]+)">.*?name="body"\s+value="([^"]+)"',
            page,
            re.DOTALL,
        )
        assert sent
        assert (unescape(sent[1]), unescape(sent[2])) == (url, TEXT)
        assert ana.post(url, {"body": unescape(sent[2])}).status_code == 302
        assert Entry.objects.get().body == TEXT
    finally:
        beside.close()
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_was_ended_for_doing_nothing_is_503(
    as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build_world()

    def dawdle(*_: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '20ms'")
            time.sleep(0.5)
            cursor.execute("SELECT 1")

    ana = as_(world.ana, raise_request_exception=False)
    with monkeypatch.context() as slow:
        slow.setattr(needs, "desk", dawdle)
        assert ana.get("/").status_code == 503
    assert ana.get("/").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/", "/account/login/", "/people/", "/api/v1/goals/"])
def test_a_database_that_is_gone_is_503_on_every_page(path: str, as_: SignedIn) -> None:
    world = build_world()
    clients = [
        as_(world.ana, raise_request_exception=False),
        as_(None, raise_request_exception=False),
    ]
    host = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        answers = [client.post(path, {"login": TEXT, "password": "secret"}) for client in clients]
        answers += [client.get(path) for client in clients]
    finally:
        connection.settings_dict["HOST"] = host
        connection.close()
    known = [a for a in answers if path != "/api/v1/goals/" or a.status_code not in (401, 403, 405)]
    assert known
    assert {a.status_code for a in known} == {503}
    assert all(a["Retry-After"] and a["X-Request-ID"] for a in known)
    assert not any("secret" in a.content.decode() for a in answers)


def test_a_value_the_database_does_not_take_is_400_and_not_our_fault(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_home(monkeypatch, DataError("out of range"))
    response = as_(world.ana, raise_request_exception=False).get("/")
    assert response.status_code == 400
    assert response["X-Request-ID"] in response.content.decode()


def test_a_fault_gives_back_what_was_typed_but_no_password(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmcycle.activity.actions.mark_read", lambda *_: 1 / 0)
    ana = as_(world.ana, raise_request_exception=False)
    page = ana.post("/activity/inbox/read/", {"note": TEXT, "password1": "secret"}).content.decode()
    assert escape(TEXT) in page
    assert "secret" not in page
    assert "Send it again" not in page, "what holds a password is not written into a page"


@pytest.mark.parametrize("path", ["/people/999999/", "/nowhere/", "/goals/?x=%00"])
def test_every_answer_has_a_number_and_every_page_of_an_error_names_it(
    path: str, world: World, as_: SignedIn
) -> None:
    answer = as_(world.ana).get(path, headers={"X-Request-ID": "chosen-by-a-stranger"})
    number = answer["X-Request-ID"]
    assert len(number) == 36
    assert answer.status_code == 200 or number in answer.content.decode()


def test_the_trail_knows_the_number_of_the_answer(world: World, as_: SignedIn) -> None:
    url = reverse("feedback:say", args=[world.ana_part.pk, "objectives"])
    answer = as_(world.ana).post(url, {"body": TEXT})
    assert Event.objects.get(verb="said").request_id == answer["X-Request-ID"]


def test_a_full_disk_says_so_and_keeps_nothing(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE, settings.FILE_UPLOAD_TEMP_DIR = 0, str(tmp_path)
    write = TemporaryFileUploadHandler.receive_data_chunk

    def until_full(handler: TemporaryFileUploadHandler, data: bytes, start: int) -> None:
        write(handler, data, start)
        assert list(tmp_path.iterdir())
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", until_full)
    kim = as_(world.kim, raise_request_exception=False)
    answer = kim.post(
        reverse("people:upload_import"),
        {"file": SimpleUploadedFile("people.csv", b"name\nAnn"), "kind": "people"},
    )
    assert answer.status_code == 503
    assert "The server has no room left" in answer.content.decode()
    assert not list(tmp_path.iterdir())
    assert not Import.objects.exists()
