"""When something breaks: words, the right status, and nothing lost."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError

from pmcycle.home import needs, views
from tests.conftest import SignedIn, World


def break_home(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(needs, "desk", broken)


@pytest.mark.parametrize(
    "error", [OperationalError("gone"), RedisConnectionError("gone"), ConnectionRefusedError()]
)
def test_an_outage_is_503_with_a_time_to_come_back(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    break_home(monkeypatch, error)
    response = as_(world.ana, raise_request_exception=False).get("/")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"
    assert "Just a moment" in response.content.decode()


def test_a_fault_of_ours_is_500_with_words(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_home(monkeypatch, ZeroDivisionError())
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
        page = forged.post("/activity/inbox/read/", {}, headers={"Referer": before}).content.decode()
        assert f'href="{back}"' in page
        assert "evil.example" not in page
