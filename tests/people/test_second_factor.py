"""A second factor is spent once, and whoever sends it twice is signed in once and told so twice."""

from __future__ import annotations

import time
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pmcycle.activity.models import SentForm
from pmcycle.people.models import User
from tests.at_once import at_once
from tests.factories import people

PASSWORD = "a long enough phrase"
SECRET = generate_totp_secret()
PERIOD = 30


@pytest.fixture
def ana(transactional_db: None) -> User:
    ana = people.make_user(people.make_employee("Ana Popescu"))
    ana.set_password(PASSWORD)
    ana.save()
    TOTP.activate(ana, SECRET)
    RecoveryCodes.activate(ana)
    return ana


def unspent(user: User) -> list[str]:
    row = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    return RecoveryCodes(row).get_unused_codes()


def from_app() -> str:
    return format_hotp_value(hotp_value(SECRET, int(time.time()) // PERIOD))


def gave_password(user: User, **how: Any) -> Client:
    client = Client(**how)
    answer = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert answer.headers["Location"] == reverse("mfa_authenticate")
    return client


def same_browser(client: Client) -> Client:
    """Another request of a browser that has not read the first one's answer yet."""
    other = Client()
    other.cookies = SimpleCookie({name: morsel.value for name, morsel in client.cookies.items()})
    return other


def send(client: Client, code: str, key: str = "k") -> Any:
    return client.post(reverse("mfa_authenticate"), {"code": code, "form_key": key})


def is_signed_in(client: Client) -> bool:
    return bool(client.get(reverse("people:settings")).status_code == 200)


@pytest.mark.parametrize("kind", ["from a list", "from an app"])
def test_a_double_click_spends_one_code_and_both_get_the_same_sign_in(kind: str, ana: User) -> None:
    codes = unspent(ana)
    code = codes[0] if kind == "from a list" else from_app()
    first = gave_password(ana)
    clients = [first, same_browser(first), same_browser(first)]
    answers = at_once(*(lambda c=c: send(c, code) for c in clients))
    assert [answer.status_code for answer in answers] == [302] * 3
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len({client.cookies["sessionid"].value for client in clients}) == 1
    assert all(is_signed_in(client) for client in clients)
    assert UserSession.objects.count() == 1
    assert len(codes) - len(unspent(ana)) == (1 if kind == "from a list" else 0)


def test_who_has_lost_the_answer_and_sends_it_again_is_signed_in(ana: User) -> None:
    code = unspent(ana)[0]
    lost = gave_password(ana)
    again = same_browser(lost)
    first, second = send(lost, code), send(again, code)
    assert second.headers["Location"] == first.headers["Location"] != reverse("account_login")
    assert is_signed_in(again)
    assert len(unspent(ana)) == 9


def test_a_spent_code_opens_no_other_session(ana: User) -> None:
    """The same code, and the same form's key, from another browser that knows the password."""
    code = unspent(ana)[0]
    assert send(gave_password(ana), code).status_code == 302
    other = gave_password(ana)
    assert send(other, code).status_code == 422
    assert not is_signed_in(other)


def test_two_browsers_with_one_code_at_the_same_moment_are_one_sign_in(ana: User) -> None:
    code = unspent(ana)[0]
    clients = [gave_password(ana), gave_password(ana)]
    answers = at_once(*(lambda c=c: send(c, code) for c in clients))
    assert sorted(answer.status_code for answer in answers) == [302, 422]
    assert len(unspent(ana)) == 9


def test_a_wrong_code_is_refused_each_time_and_leaves_no_key(ana: User) -> None:
    first = gave_password(ana)
    answers = at_once(*(lambda c=c: send(c, "000000") for c in (first, same_browser(first))))
    assert [answer.status_code for answer in answers] == [422] * 2
    assert not SentForm.objects.exists()
    assert send(first, unspent(ana)[0]).status_code == 302


def test_another_code_in_the_same_form_is_another_try(ana: User) -> None:
    first = gave_password(ana)
    assert send(first, "000000").status_code == 422
    assert send(first, unspent(ana)[0]).status_code == 302


def test_a_sign_in_that_was_ended_is_given_to_nobody_again(ana: User) -> None:
    code = unspent(ana)[0]
    first = gave_password(ana)
    again = same_browser(first)
    send(first, code)
    first.post(reverse("account_logout"))
    send(again, code)
    assert not is_signed_in(again)
    assert not Session.objects.filter(session_key=again.cookies["sessionid"].value).exists()


def test_after_a_minute_it_is_a_new_sign_in_that_begins_with_the_password(ana: User) -> None:
    code = unspent(ana)[0]
    first = gave_password(ana)
    again = same_browser(first)
    send(first, code)
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert send(again, code).headers["Location"] == reverse("account_login")
        assert not is_signed_in(again)
    assert len(unspent(ana)) == 9


def test_what_breaks_after_the_code_was_spent_gives_it_back(
    ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = unspent(ana)[0]
    client = gave_password(ana, raise_request_exception=False)
    with monkeypatch.context() as broken:
        broken.setattr("pmcycle.people.adapters.AccountAdapter.post_login", lambda *_a, **_k: 1 / 0)
        assert send(client, code).status_code == 500
    assert len(unspent(ana)) == 10
    assert send(client, code).status_code == 302


def test_a_click_that_comes_when_the_browser_is_signed_in_already_leads_home(ana: User) -> None:
    """The page it is on belongs to the sign-in before, and so does its token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    answer = send(client, "123456")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert send(Client(enforce_csrf_checks=True), "123456").status_code == 403


def test_asked_for_it_again_in_the_middle_somebody_spends_one_code_too(ana: User) -> None:
    """Signed in already, before a change that asks once more who it is."""
    client = Client()
    client.force_login(ana)
    code = unspent(ana)[0]
    clients = [client, same_browser(client)]
    where = reverse("mfa_reauthenticate")
    answers = at_once(
        *(lambda c=c: c.post(where, {"code": code, "form_key": "k"}) for c in clients)
    )
    assert [answer.status_code for answer in answers] == [302] * 2
    assert len(unspent(ana)) == 9
