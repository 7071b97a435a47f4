"""An empty installation leads to the first visit, which happens once."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from pmcycle.activity.models import Notice
from pmcycle.errors import Refused
from pmcycle.people.actions import accounts
from pmcycle.people.models import Organisation, SetupCode, User
from tests.at_once import at_once
from tests.conftest import SignedIn, World

URL = "/people/first-visit/"


def typed(code: str, **changed: str) -> dict[str, str]:
    return {
        "code": code,
        "organisation": "Harbour Tools",
        "zone": "Europe/Madrid",
        "currency": "eur",
        "name": "Kira Moss",
        "email": "kira@harbour.example",
        "password": "a long enough phrase",
        "second_name": "Leo Park",
        "second_email": "leo@harbour.example",
    } | changed


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/account/login/", "/people/", "/cycles/"])
def test_every_page_of_an_empty_installation_leads_to_the_first_visit(
    path: str, client: Client
) -> None:
    assert client.get(path).headers["Location"] == URL
    assert client.get(URL).status_code == 200


@pytest.mark.django_db
def test_the_code_of_the_log_makes_organisation_and_two_hr_admins_and_leads_to_the_import(
    client: Client,
) -> None:
    out = StringIO()
    call_command("setup_code", stdout=out)
    code = out.getvalue().split()[-1]

    response = client.post(URL, typed(code))

    assert response.headers["Location"] == reverse("people:imports")
    organisation = Organisation.objects.get()
    assert (organisation.name, organisation.zone, organisation.currency) == (
        "Harbour Tools",
        "Europe/Madrid",
        "EUR",
    )
    kira, leo = User.objects.order_by("pk")
    assert kira.standing.is_hr_admin
    assert leo.standing.is_hr_admin
    assert kira.check_password("a long enough phrase")
    assert not leo.has_usable_password()
    imports = client.get(reverse("people:imports"))
    link = accounts.invitation_path(leo).rsplit(":", 2)[0]
    assert link in imports.content.decode()
    assert Notice.objects.get(recipient=leo).url.startswith(link)
    # Once used it is gone, for her, for strangers, and with a new code too.
    assert client.get(URL).status_code == 404
    assert Client().get(URL).status_code == 404
    again = Client().post(URL, typed(code))
    assert (again.status_code, again.headers["Location"]) == (302, reverse("account_login"))
    assert User.objects.count() == 2
    with pytest.raises(Refused):
        accounts.new_setup_code()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"code": "0000-0000"}, "code"),
        ({"password": "short"}, "password"),
        ({"password": "kira@harbour.example"}, "password"),
        ({"second_email": "KIRA@harbour.example"}, "second_email"),
        ({"zone": "Middle/Earth"}, "zone"),
        ({"currency": "EURO"}, "currency"),
        ({"organisation": ""}, "organisation"),
        ({"name": "a\x00b"}, "name"),
    ],
)
def test_a_wrong_entry_is_said_beside_its_field_and_makes_nothing(
    changed: dict[str, str], field: str, client: Client
) -> None:
    code = accounts.new_setup_code()
    response = client.post(URL, typed(code) | changed)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not User.objects.exists()
    assert client.post(URL, typed(code)).status_code == 302


@pytest.mark.django_db
def test_a_new_code_ends_the_one_before(client: Client) -> None:
    old, new = accounts.new_setup_code(), accounts.new_setup_code()
    assert client.post(URL, typed(old)).status_code == 422
    assert client.post(URL, typed(new)).status_code == 302
    assert SetupCode.objects.get().used_at is not None


@pytest.mark.django_db(transaction=True)
def test_of_two_first_visits_at_once_one_wins() -> None:
    code = accounts.new_setup_code()
    barrier = threading.Barrier(2)
    ended: list[str] = []

    def visit(name: str) -> None:
        data: dict[str, Any] = typed(code, name=name, email=f"{name}@harbour.example")
        barrier.wait()
        try:
            accounts.first_visit(**data)
            ended.append("won")
        except Refused:
            ended.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=visit, args=(name,)) for name in ("kira", "mona")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["refused", "won"]
    assert User.objects.count() == 2
    assert Organisation.objects.count() == 1


@pytest.mark.django_db
def test_who_sends_it_twice_is_led_on_and_told_why(client: Client) -> None:
    code = accounts.new_setup_code()
    lost = Client()
    assert lost.post(URL, typed(code)).status_code == 302
    # The answer was lost with its cookie: by what it set, and without.
    again = lost.post(URL, typed(code))
    assert again.headers["Location"] == "/"
    stranger = client.post(URL, typed(code))
    assert stranger.headers["Location"] == reverse("account_login")
    assert (
        "This installation is set up already"
        in client.get(stranger.headers["Location"]).content.decode()
    )
    assert "_auth_user_id" not in client.session, "nobody is signed in by a form that did nothing"
    assert User.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_double_click_sets_up_once_and_neither_answer_is_an_error() -> None:
    code = accounts.new_setup_code()
    answers = at_once(*[lambda: Client().post(URL, typed(code)).headers["Location"]] * 2)
    assert set(answers) <= {reverse("people:imports"), reverse("account_login")}
    assert reverse("people:imports") in answers
    assert User.objects.count() == 2


def test_the_cast_is_not_led_to_the_first_visit(world: World, as_: SignedIn) -> None:
    assert as_(None).get("/").headers["Location"].startswith("/account/login/")
    assert as_(world.ana).get("/people/").status_code == 200
