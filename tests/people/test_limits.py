"""How much and how often one person may ask: words and a time to wait, never a fault of ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.actions import share_calendar
from pmcycle.access import today
from pmcycle.activity.actions import count, forget_uses, give_back
from pmcycle.activity.models import Use
from pmcycle.people.actions import accounts
from pmcycle.people.models import SCOPES
from tests.at_once import at_once
from tests.conftest import SignedIn, World
from tests.people.importing import Walk

GOALS = "/api/v1/goals/"
PROPOSE = "/api/v1/goals/propose/"


def bearer(world: World, name: str = "ana") -> Client:
    user = getattr(world, name)
    days = today() + timedelta(days=30)
    _token, secret = accounts.create_token(user, "probe", sorted(dict(SCOPES)), days)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def few(settings: Any, **limits: tuple[int, int]) -> None:
    settings.LIMITS = {**settings.LIMITS, **limits}


# --- how often ---------------------------------------------------------------------------------------


def test_the_api_answers_a_user_so_often_and_then_says_when_again(
    world: World, settings: Any
) -> None:
    few(settings, api=(3, 60))
    ana, chen, now = bearer(world), bearer(world, "chen"), timezone.now()
    with time_machine.travel(now, tick=False):
        assert [ana.get(GOALS).status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = bearer(world).get(GOALS)
        assert (refused.status_code, refused["Retry-After"]) == (429, "60"), (
            "another token is the same user"
        )
        assert "detail" in refused.json()
        assert chen.get(GOALS).status_code == 200
        assert ana.get("/api/v1/schema/").status_code == 429
    with time_machine.travel(now + timedelta(seconds=60), tick=False):
        assert ana.get(GOALS).status_code == 200


def test_a_calendar_address_is_read_so_often_and_then_refused(world: World, settings: Any) -> None:
    few(settings, calendar=(2, 3600))
    path = reverse("feedback:calendar", kwargs={"token": share_calendar(by=world.ana)})
    other = reverse("feedback:calendar", kwargs={"token": share_calendar(by=world.chen)})
    assert [Client().get(path).status_code for _ in range(3)] == [200, 200, 429]
    assert int(Client().get(path)["Retry-After"]) > 3500
    assert Client().get(other).status_code == 200


@pytest.mark.parametrize(
    ("who", "what", "name", "kwargs"),
    [
        ("mira", "costly", "activity:export_trail", {}),
        ("mira", "costly", "activity:chain", {}),
        ("kim", "costly", "home:board", {"as": "csv"}),
        ("ana", "search", "home:search", {"q": "an"}),
        ("ana", "search", "home:palette", {"q": "an"}),
        ("ana", "search", "people:picker", {"q": "an"}),
    ],
)
def test_a_costly_page_is_opened_so_often_and_then_refused_in_words(
    who: str,
    what: str,
    name: str,
    kwargs: dict[str, str],
    world: World,
    as_: SignedIn,
    settings: Any,
) -> None:
    few(settings, **{what: (1, 60)})
    url = reverse(name, args=[world.cycle.pk] if name == "home:board" else [])
    client = as_(getattr(world, who))
    first = client.get(url, kwargs)
    assert first.status_code == 200
    first.getvalue()
    refused = client.get(url, kwargs)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "very often" in refused.content.decode()


def test_uploads_are_taken_so_often(world: World, as_: SignedIn, settings: Any) -> None:
    few(settings, upload=(1, 600))
    kim = as_(world.kim)
    url = reverse("people:upload_import")
    codes = [kim.post(url, {"kind": "people"}).status_code for _ in range(2)]
    assert codes == [422, 429]


def test_a_file_is_read_anew_and_given_back_so_often(
    world: World, as_: SignedIn, settings: Any
) -> None:
    walk = Walk(as_(world.kim))
    walk.bring(b'Number,Name,Hired on\n9001,"Ash, Ann",2020-01-01\n')
    walk.apply()
    few(settings, costly=(4, 60))
    open_one = Walk(walk.client)
    open_one.upload(b"Shoe size\n42\n")
    codes = [
        one.post(name).status_code
        for one, name in [
            (walk, "export_import"),
            (open_one, "map_columns"),
            (open_one, "reread"),
        ]
        * 2
    ]
    assert codes == [200, 422, 422, 429, 429, 429]


@pytest.mark.django_db(transaction=True)
def test_asked_at_the_same_moment_each_time_counts(settings: Any) -> None:
    few(settings, api=(5, 60))
    waits = at_once(*[lambda: count("api", 1)] * 8)
    assert sorted(bool(wait) for wait in waits) == [False] * 5 + [True] * 3


def test_what_is_given_back_does_not_count_and_what_is_over_is_forgotten(db: None) -> None:
    for _ in range(50):
        assert count("password", "somebody") == 0
        give_back("password", "somebody")
    later = timezone.now() + timedelta(days=1)
    with time_machine.travel(later, tick=False):
        count("api", 1)
        assert forget_uses() == 1
    assert Use.objects.count() == 1


# --- how much ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "limit", [str(2**63), "9" * 5000, "-1", "0", "x", "1.5", "²", "1e3", "\x00"]
)
@pytest.mark.parametrize("name", ["limit", "offset"])
def test_a_number_of_a_list_outside_its_type_is_400(name: str, limit: str, world: World) -> None:
    if (name, limit) == ("offset", "0"):
        limit = str(10**7)
    answer = bearer(world).get(GOALS, {name: limit})
    assert answer.status_code == 400
    assert name in answer.json()["detail"]


def test_a_page_of_a_list_is_two_hundred_at_most(world: World) -> None:
    from rest_framework.request import Request
    from rest_framework.test import APIRequestFactory

    from pmcycle.people.paging import Paging

    wanted = {
        typed: Paging().get_limit(Request(APIRequestFactory().get("/", {"limit": typed})))
        for typed in ("", "1", "200", "201", "1000000")
    }
    assert wanted == {"": 50, "1": 1, "200": 200, "201": 200, "1000000": 200}


@pytest.mark.parametrize("name", ["cycle", "owner", "stage", "phase", "state"])
@pytest.mark.parametrize(
    "typed", [str(2**63), "9" * 400, "1e400", "NaN", "Infinity", "-1", "\x00", "x"]
)
def test_a_filter_outside_its_type_is_400_or_finds_nothing(
    name: str, typed: str, world: World
) -> None:
    client = bearer(world)
    for path in (GOALS, "/api/v1/todos/", "/api/v1/appraisals/", "/api/v1/check-ins/"):
        assert client.get(path, {name: typed}).status_code in (200, 400)


@pytest.mark.parametrize(
    "body",
    [
        "[" * 5000 + "]" * 5000,
        '{"a":' * 5000 + "1" + "}" * 5000,
        "[" * 900 + "]" * 900,
        '{"title": 1e999}',
        '{"title": -1e999}',
        '{"title": NaN}',
        '{"weight": ' + "9" * 5000 + "}",
        "",
        "\\ud800",
        "[]",
        "1",
    ],
)
def test_json_that_no_form_would_send_is_4xx(body: str, world: World) -> None:
    answer = bearer(world).post(PROPOSE, body, content_type="application/json")
    assert 400 <= answer.status_code < 500
    assert answer.json()


def test_json_nested_too_deeply_is_400(world: World) -> None:
    answer = bearer(world).post(PROPOSE, "[" * 5000 + "]" * 5000, content_type="application/json")
    assert (answer.status_code, answer.json()) == (
        400,
        {"detail": "The JSON is nested too deeply."},
    )


@pytest.mark.parametrize("path", ["/activity/inbox/read/", "/account/login/", PROPOSE])
def test_a_body_that_is_too_large_is_413_and_says_how_large_it_may_be(
    path: str, world: World, as_: SignedIn, settings: Any
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1024
    client = bearer(world) if path == PROPOSE else as_(None if "login" in path else world.ana)
    kind = "application/json" if path == PROPOSE else "application/x-www-form-urlencoded"
    answer = client.post(path, "text=" + "x" * 2000, content_type=kind)
    assert answer.status_code == 413
    assert "too large" in answer.content.decode()


def test_a_file_that_is_too_large_is_413(world: World, as_: SignedIn, settings: Any) -> None:
    settings.LARGEST_UPLOAD = 1024
    data = {"kind": "people", "file": SimpleUploadedFile("people.csv", b"x" * 2000)}
    answer = as_(world.kim).post(reverse("people:upload_import"), data)
    assert answer.status_code == 413
    assert "40 MB" not in answer.content.decode()


def test_more_fields_than_any_form_has_are_413(world: World, as_: SignedIn) -> None:
    answer = as_(None).post("/account/login/", {f"f{n}": "1" for n in range(5001)})
    assert answer.status_code == 413
    many = {f"f{n}": SimpleUploadedFile("a", b"a") for n in range(21)}
    assert as_(world.kim).post(reverse("people:upload_import"), many).status_code == 413


def test_a_length_that_is_no_number_is_no_fault_of_ours(world: World, as_: SignedIn) -> None:
    for length in ("²", "x", "-1", "9" * 400):
        answer = as_(world.ana).post(
            "/activity/inbox/read/", {}, headers={"Content-Length": length}
        )
        assert answer.status_code < 500
