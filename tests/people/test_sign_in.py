"""Signing in: wrong answers are refused as such, guessing is slow, and nobody is kept out by somebody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pmcycle.activity.actions import delivery
from pmcycle.activity.models import Delivery, Event, Notice
from pmcycle.people import tasks
from pmcycle.people.actions import signing_in
from pmcycle.people.models import PasswordWish, User
from tests.at_once import at_once
from tests.conftest import SignedIn, World
from tests.factories import people
from tools.processes import listening_socket

PASSWORD = "a long enough phrase"
SIGN_IN = "/account/login/"
RESET = "/account/password/reset/"


@pytest.fixture
def ana(world: World) -> User:
    world.ana.set_password(PASSWORD)
    world.ana.save()
    return world.ana


def sign_in(client: Client, email: str, password: str = PASSWORD, address: str = "10.1.1.1") -> Any:
    return client.post(SIGN_IN, {"login": email, "password": password}, REMOTE_ADDR=address)


def test_a_wrong_password_is_422_and_the_address_stays_typed(ana: User, client: Client) -> None:
    answer = sign_in(client, ana.email, "wrong")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert ana.email in page
    assert 'value="wrong"' not in page
    assert sign_in(client, ana.email).status_code == 302


def test_the_sixth_wrong_password_is_429_with_the_time_to_wait_and_a_way_out(
    ana: User, client: Client
) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        codes = [sign_in(client, ana.email, "wrong").status_code for _ in range(5)]
        answer = sign_in(client, ana.email)
    assert codes == [422] * 5
    assert (answer.status_code, answer["Retry-After"]) == (429, "300")
    assert "Try again in 5 minutes, or let pmcycle send you a link" in answer.content.decode()
    with time_machine.travel(now + timedelta(seconds=200), tick=False):
        assert sign_in(client, ana.email)["Retry-After"] == "100"
    with time_machine.travel(now + timedelta(seconds=301), tick=False):
        assert sign_in(client, ana.email).status_code == 302


def test_what_others_of_the_office_type_wrongly_does_not_keep_somebody_out(
    ana: User, world: World, client: Client
) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        for number in range(59):
            assert sign_in(client, f"nobody{number}@example.com", "wrong").status_code == 422
        assert sign_in(Client(), ana.email).status_code == 302


def test_the_browser_somebody_has_signed_in_with_is_let_in_while_others_guess(
    ana: User, client: Client
) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        assert sign_in(client, ana.email).status_code == 302
        client.post("/account/logout/")
        stranger = Client()
        stranger.cookies["known"] = "0" * 32
        for number in range(60):
            sign_in(Client(), f"nobody{number}@example.com", "wrong")
        for number in range(30):
            sign_in(Client(), ana.email, "wrong", f"10.2.2.{number}")
        elsewhere = sign_in(Client(), ana.email, address="10.3.3.3")
        assert elsewhere.status_code == 429
        assert sign_in(client, ana.email).status_code == 302
        assert sign_in(stranger, ana.email).status_code == 429, "a made-up mark opens nothing"
    with time_machine.travel(now + timedelta(seconds=301), tick=False):
        assert sign_in(Client(), ana.email, address="10.3.3.3").status_code == 302


def test_asking_in_vain_does_not_make_the_wait_longer(ana: User, client: Client) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        for number in range(60):
            sign_in(Client(), f"nobody{number}@example.com", "wrong")
        for _ in range(20):
            assert sign_in(client, ana.email)["Retry-After"] == "60"
    with time_machine.travel(now + timedelta(seconds=61), tick=False):
        assert sign_in(client, ana.email).status_code == 302


def test_a_right_password_costs_nothing(ana: User) -> None:
    for _ in range(40):
        assert sign_in(Client(), ana.email).status_code == 302


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (SIGN_IN, {"login": "no address", "password": ""}),
        (RESET, {"email": "no address"}),
        ("/account/password/change/", {"oldpassword": "wrong", "password1": "a", "password2": "b"}),
        ("/account/reauthenticate/", {"password": "wrong"}),
    ],
)
def test_every_refused_form_of_the_sign_in_pages_is_4xx(
    path: str, data: dict[str, str], ana: User, as_: SignedIn
) -> None:
    client = as_(None) if path in (SIGN_IN, RESET) else as_(ana)
    assert client.post(path, data).status_code == 422


def test_too_many_changes_of_a_password_are_429_in_words(ana: User, as_: SignedIn) -> None:
    client = as_(ana)
    data = {"oldpassword": "wrong", "password1": "a", "password2": "b"}
    answers = [client.post("/account/password/change/", data) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert answers[-1]["Retry-After"] == "60"
    assert "very often" in answers[-1].content.decode()


# --- a link for a new password ----------------------------------------------------------------------


def test_asking_for_a_link_leaves_a_row_and_sends_nothing(ana: User, client: Client) -> None:
    known = client.post(RESET, {"email": ana.email.upper()}, headers={"Host": "localhost"})
    unknown = client.post(RESET, {"email": "nobody@example.com"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert mail.outbox == []
    assert not Notice.objects.exists()
    assert set(PasswordWish.objects.values_list("email", flat=True)) == {
        ana.email,
        "nobody@example.com",
    }


def test_known_and_unknown_addresses_cost_the_same_statements(
    ana: User, client: Client, django_assert_num_queries: Any
) -> None:
    client.get(RESET)
    with django_assert_num_queries(3):
        client.post(RESET, {"email": ana.email})
    with django_assert_num_queries(3):
        client.post(RESET, {"email": "nobody@example.com"})


def test_the_mail_leads_to_the_configured_address_and_to_a_new_password(
    ana: User, world: World, client: Client, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    client.post(RESET, {"email": ana.email}, headers={"Host": "evil.example"})
    client.post(RESET, {"email": "nobody@example.com"})
    assert signing_in.answer_password_wishes() == 1
    assert not PasswordWish.objects.exists(), "who has no account leaves no trace"
    Notice.objects.create(
        recipient=ana,
        kind="notice",
        title="Something else",
        url="/",
        key="x",
        subject_kind="",
        subject_id=1,
    )
    assert delivery.deliver(gathered=False) >= 1
    [sent] = [m for m in mail.outbox if "password" in m.subject]
    assert sent.subject == "Choose a new password for pmcycle"
    assert "evil.example" not in str(sent.body)
    link = next(word for word in str(sent.body).split() if "/password/reset/key/" in word)
    assert link.startswith("http://localhost:8000/account/password/reset/key/")
    notice = Notice.objects.get(kind="password_link")
    assert "/key/" not in notice.url, "the secret is in the mail alone"
    path = link.removeprefix("http://localhost:8000")
    form = client.get(path, follow=True).redirect_chain[-1][0]
    chosen = {"password1": "another long phrase", "password2": "another long phrase"}
    assert client.post(form, chosen).status_code == 302
    assert client.get("/").status_code == 200, "signed in by it"
    used = Client().get(path, follow=True)
    assert "password1" not in used.content.decode()
    assert Event.objects.filter(verb="asked_for_password", stream="security").count() == 1


def password_form(user: User, client: Client) -> str:
    """The page on which a new password is chosen, reached by a link as it is mailed."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    path = reverse("account_reset_password_from_key", args=key.split("-", 1))
    return str(client.get(path, follow=True).redirect_chain[-1][0])


CHOSEN = {"password1": "another long phrase", "password2": "another long phrase"}


def test_a_password_that_is_sent_twice_is_chosen_once_and_the_second_time_led_on(
    ana: User, world: World, client: Client
) -> None:
    form = password_form(ana, client)
    assert client.post(form, CHOSEN).status_code == 302
    again = client.post(form, CHOSEN)
    assert (again.status_code, again.headers["Location"]) == (302, "/")
    assert "it counts" in client.get("/").content.decode()
    assert Event.objects.filter(verb="changed_sign_in").count() == 1
    ana.refresh_from_db()
    assert ana.check_password(CHOSEN["password1"])


def test_who_has_lost_the_answer_is_led_to_the_sign_in_and_told_why(
    ana: User, world: World, client: Client
) -> None:
    form = password_form(ana, client)
    other = Client()
    assert password_form(ana, other) == form
    assert other.post(form, CHOSEN).status_code == 302
    late = client.post(
        form, {"password1": "a phrase of a thief", "password2": "a phrase of a thief"}
    )
    assert (late.status_code, late.headers["Location"]) == (302, reverse("account_login"))
    page = client.get(late.headers["Location"]).content.decode()
    assert "sign in with it" in page
    assert "_auth_user_id" not in client.session
    ana.refresh_from_db()
    assert ana.check_password(CHOSEN["password1"]), "a link is good for one password"


@pytest.mark.parametrize("uid", ["0", "zzzzzzzzzzzzz", "z" * 200, "1"])
def test_an_absurd_link_chooses_nothing(uid: str, ana: User, client: Client) -> None:
    answer = client.post(f"/account/password/reset/key/{uid}-set-password/", CHOSEN)
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("account_login"))


@pytest.mark.django_db(transaction=True)
def test_a_double_click_on_a_new_password_changes_it_once(transactional_db: None) -> None:
    ana = people.make_user(people.make_employee("Ana Popescu"))
    clients = [Client(), Client()]
    forms = [password_form(ana, client) for client in clients]
    answers = at_once(*(lambda c=c: c.post(forms[0], CHOSEN).headers["Location"] for c in clients))
    assert sorted(answers) == ["/", reverse("account_login")]
    assert Event.objects.filter(verb="changed_sign_in").count() == 1


def test_signing_out_twice_is_signing_out(ana: User, as_: SignedIn) -> None:
    browser = as_(ana)
    answers = [browser.post("/account/logout/").status_code for _click in range(2)]
    assert answers == [302, 302]


def test_asking_twice_for_a_link_is_answered_twice_the_same(ana: User, client: Client) -> None:
    answers = [client.post(RESET, {"email": ana.email}).headers["Location"] for _click in range(2)]
    assert len(set(answers)) == 1
    assert signing_in.answer_password_wishes() == 1, "one mail for both"


def test_a_mail_server_that_hangs_is_waited_for_by_the_worker_alone(
    ana: User, client: Client, settings: Any
) -> None:
    with listening_socket() as silent:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        settings.EMAIL_TIMEOUT = 0.2
        silent.setblocking(False)
        assert client.post(RESET, {"email": ana.email}).status_code == 302
        with pytest.raises(BlockingIOError):
            silent.accept()  # nobody has knocked
        tasks.answer_password_wishes()
        silent.accept()[0].close()
    row = Delivery.objects.get()
    assert (row.state, row.why) == (
        "pending",
        "The mail server did not take it; it is tried again.",
    )


def test_a_closed_account_gets_no_link_and_an_open_one_at_most_five_an_hour(
    ana: User, world: World, client: Client
) -> None:
    User.objects.filter(pk=world.chen.pk).update(is_active=False)
    for _ in range(8):
        client.post(RESET, {"email": ana.email})
        client.post(RESET, {"email": world.chen.email})
        signing_in.answer_password_wishes()
    assert Delivery.objects.filter(notice__recipient=ana).count() == 5
    assert not Notice.objects.filter(recipient=world.chen).exists()


def test_whoever_asks_without_end_is_told_to_wait(ana: User, client: Client) -> None:
    answers = [client.post(RESET, {"email": f"n{n}@example.com"}) for n in range(61)]
    assert [a.status_code for a in answers] == [302] * 60 + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60


def test_the_clock_answers_what_a_lost_wake_up_left(ana: User, client: Client) -> None:
    client.post(RESET, {"email": ana.email})
    tasks.answer_password_wishes()
    tasks.answer_password_wishes()
    assert [sent.to for sent in mail.outbox] == [[ana.email]]
    assert reverse("account_change_password") == Notice.objects.get(kind="password_link").url
