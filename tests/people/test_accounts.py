"""Accounts: invited, closed, opened again; one's own settings and tokens."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pmcycle.access import today
from pmcycle.activity.actions import misplaced, settle_all
from pmcycle.activity.models import Delivery, Event, Notice, Place
from pmcycle.errors import Invalid, Refused
from pmcycle.people.actions import accounts
from pmcycle.people.models import ApiToken, RoleRequest, User
from pmcycle.ui import formats
from tests.conftest import SignedIn, World
from tests.factories import goals, people


def test_hr_invites_the_chosen_and_each_gets_a_link_to_choose_a_password(
    world: World, as_: SignedIn
) -> None:
    olga = people.make_employee("Olga Berg", world.sales)
    pete = people.make_employee("Pete Vale", world.sales)
    without = people.make_employee("Quin Hale", world.sales, email="")

    as_(world.kim).post(
        reverse("people:invite"), {"employee": [olga.pk, without.pk, "9" * 30, "x"]}
    )

    user = User.objects.get(employee=olga)
    assert not user.has_usable_password()
    assert not User.objects.filter(employee__in=[pete, without]).exists()
    notice = Notice.objects.get(recipient=user)
    assert Delivery.objects.filter(notice=notice, channel="email").count() == 1
    # The link leads a stranger to the page of the sign-in library, and from there to a form.
    stranger = as_(None)
    response = stranger.get(notice.url, follow=True)
    assert response.status_code == 200
    address = response.redirect_chain[-1][0]
    done = stranger.post(
        address, {"password1": "a long enough phrase", "password2": "a long enough phrase"}
    )
    assert done.status_code == 302
    assert stranger.login(email=olga.email, password="a long enough phrase")
    # A second use is refused, in words.
    assert as_(None).get(notice.url).status_code == 409


def test_whoever_is_invited_is_no_cause_any_more_why_something_stands_still(
    world: World, as_: SignedIn
) -> None:
    for user in (world.ana, world.bashir):
        people.sign_in_with(user, f"old.{user.email}")
        User.objects.filter(pk=user.pk).update(employee=None)
    settle_all("repaired", by=None)
    stuck = Place.objects.filter(
        cause="no_account", participation__in=[world.ana_part, world.part["bashir"]]
    )
    assert {row.participation_id for row in stuck} == {world.ana_part.pk, world.part["bashir"].pk}
    as_(world.kim).post(reverse("people:invite"), {"who": "all"})
    assert not stuck.all().exists()
    assert not misplaced()


def test_inviting_everybody_costs_the_same_statements_for_two_and_for_twenty(
    world: World, as_: SignedIn
) -> None:
    counts = []
    for number in (2, 20):
        for _ in range(number):
            people.make_employee(
                f"New Person{User.objects.count()} {_}",
                world.sales,
                email=f"n{number}.{_}@example.com",
            )
        with CaptureQueriesContext(connection) as seen:
            as_(world.kim).post(reverse("people:invite"), {"who": "all"})
        counts.append(len(seen))
    assert User.objects.filter(email__startswith="n20.").count() == 20
    assert counts[0] == counts[1]


def test_nobody_is_invited_twice_or_after_leaving(world: World, as_: SignedIn) -> None:
    people.make_employee("Gone Girl", world.sales, left_on=today() - timedelta(days=3))
    before = User.objects.count()
    as_(world.kim).post(reverse("people:invite"), {"who": "all"})
    as_(world.kim).post(reverse("people:invite"), {"employee": [world.ana.employee_id]})
    assert User.objects.count() == before


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "\x00",
        signing.dumps([1, "a"], salt="other"),
        signing.dumps(5, salt=accounts.INVITATION_SALT),
    ],
    ids=["empty", "short", "with a NUL byte", "of another kind", "of another shape"],
)
def test_a_false_invitation_is_refused(token: str, db: None) -> None:
    with pytest.raises(Refused):
        accounts.accept_invitation(token)


def test_closing_an_account_ends_its_sessions_and_tokens_with_the_next_request(
    world: World, as_: SignedIn
) -> None:
    ana = as_(world.ana)
    _token, secret = accounts.create_token(
        world.ana, "probe", ["goals:read"], today() + timedelta(days=30)
    )
    bearer = {"Authorization": f"Bearer {secret}"}
    assert ana.get("/people/").status_code == 200
    assert as_(None).get("/api/v1/schema/", headers=bearer).status_code == 200

    as_(world.noor).post(reverse("people:deactivate", kwargs={"pk": world.ana.pk}))

    assert ana.get("/people/").status_code == 302
    assert as_(None).get("/api/v1/schema/", headers=bearer).status_code == 401
    assert ApiToken.objects.get().revoked_at is not None
    assert (
        Event.objects.filter(stream="security", verb="closed_account", actor=world.noor).count()
        == 1
    )

    as_(world.noor).post(reverse("people:reactivate", kwargs={"pk": world.ana.pk}))
    assert as_(User.objects.get(pk=world.ana.pk)).get("/people/").status_code == 200
    assert as_(None).get("/api/v1/schema/", headers=bearer).status_code == 401


def test_nobody_closes_their_own_account_and_the_last_hr_admin_stays(
    world: World, as_: SignedIn
) -> None:
    assert (
        as_(world.kim).post(reverse("people:deactivate", kwargs={"pk": world.kim.pk})).status_code
        == 409
    )
    assert (
        as_(world.kim).post(reverse("people:deactivate", kwargs={"pk": world.lea.pk})).status_code
        == 302
    )
    assert (
        as_(world.noor).post(reverse("people:deactivate", kwargs={"pk": world.kim.pk})).status_code
        == 409
    )
    assert User.objects.get(pk=world.kim.pk).is_active


def test_who_has_left_is_not_let_in_again(world: World, as_: SignedIn) -> None:
    accounts.deactivate(world.ana, by=world.kim)
    employee = world.ana.employee
    assert employee is not None
    employee.left_on = today() - timedelta(days=1)
    employee.save(update_fields=["left_on"])
    assert (
        as_(world.kim).post(reverse("people:reactivate", kwargs={"pk": world.ana.pk})).status_code
        == 409
    )


def test_it_admins_see_accounts_but_no_record_of_a_person(world: World, as_: SignedIn) -> None:
    noor = as_(world.noor)
    page = noor.get(reverse("people:accounts")).content.decode()
    assert world.ana.email in page
    assert "Technician" not in page
    assert noor.get(reverse("people:accounts") + "?show=without").status_code == 200
    assert (
        "Technician"
        not in noor.get(reverse("people:account", kwargs={"pk": world.ana.pk})).content.decode()
    )
    assert (
        noor.get(reverse("people:profile", kwargs={"pk": world.ana.employee_id})).status_code == 404
    )


def test_a_token_is_shown_once_and_only_its_hash_is_kept(world: World, as_: SignedIn) -> None:
    ana = as_(world.ana)
    data = {
        "name": "Reports",
        "scopes": ["goals:read"],
        "expires_on": (today() + timedelta(days=10)).isoformat(),
    }
    made = ana.post(reverse("people:tokens"), data)
    assert made.status_code == 201
    secret = made.context["secret"]
    assert secret in made.content.decode()
    assert secret not in ana.get(reverse("people:tokens")).content.decode()
    assert ApiToken.objects.get().digest not in secret
    ana.post(reverse("people:revoke_token", kwargs={"pk": ApiToken.objects.get().pk}))
    assert (
        as_(None).get("/api/v1/schema/", headers={"Authorization": f"Bearer {secret}"}).status_code
        == 401
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"expires_on": "2019-01-01"},
        {"expires_on": "2999-01-01"},
        {"scopes": ["all"]},
        {"name": "x" * 90},
    ],
)
def test_a_token_without_end_or_with_unknown_scope_is_refused(
    changed: dict[str, object], world: World, as_: SignedIn
) -> None:
    data = {
        "name": "Reports",
        "scopes": ["goals:read"],
        "expires_on": (today() + timedelta(days=10)).isoformat(),
    }
    assert as_(world.ana).post(reverse("people:tokens"), data | changed).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_person_sets_their_own_time_zone(world: World, as_: SignedIn) -> None:
    ana = as_(world.ana)
    assert ana.post(reverse("people:settings"), {"zone": "Asia/Tokyo"}).status_code == 302
    assert User.objects.get(pk=world.ana.pk).zone == "Asia/Tokyo"
    assert ana.post(reverse("people:settings"), {"zone": "../etc/passwd"}).status_code == 422
    assert ana.post(reverse("people:settings"), {"zone": ""}).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("numbers", "typed", "kept", "shown"),
    [
        ("de", "0,5", "0.5", "0,5"),
        ("de", "1.000,50", "1000.5", "1.000,5"),
        ("fr", "1 000,50", "1000.5", "1\u202f000,5"),
        ("de-ch", "1’000.50", "1000.5", "1’000.5"),
        ("", "1,000.50", "1000.5", "1,000.5"),
        # Whatever they chose, a writing that can be read in one way only is understood.
        ("", "0,5", "0.5", "0.5"),
        ("de", "0.5", "0.5", "0,5"),
    ],
)
def test_a_person_types_and_reads_numbers_as_they_write_them(
    numbers: str, typed: str, kept: str, shown: str, world: World, as_: SignedIn
) -> None:
    """On pages in English all the while, and nobody else's numbers change."""
    row = goals.key_result(goals.agree(world.ana_part, world.ana, world.bashir))
    ana = as_(world.ana)
    assert ana.post(reverse("people:settings"), {"numbers": numbers}).status_code == 302
    page = ana.get(reverse("people:settings")).content.decode()
    assert f'data-numbers="{numbers or "en"}"' in page
    said = {"value": typed, "confidence": "on_track", "version": 1}
    assert ana.post(reverse("goals:record_progress", args=[row.pk]), said).status_code == 302
    row.refresh_from_db()
    assert row.current == Decimal(kept)
    where = reverse("goals:detail", args=[row.goal_id])
    assert shown in ana.get(where).content.decode()
    assert formats.number_text(Decimal(kept)) in as_(world.bashir).get(where).content.decode()


def test_what_can_be_two_numbers_is_shown_back_as_the_person_writes_them(
    world: World, as_: SignedIn
) -> None:
    row = goals.key_result(goals.agree(world.ana_part, world.ana, world.bashir))
    User.objects.filter(pk=world.ana.pk).update(numbers="de")
    said = {"value": "1,000", "confidence": "on_track", "version": 1}
    refused = as_(world.ana).post(reverse("goals:record_progress", args=[row.pk]), said)
    assert refused.status_code == 422
    assert "Write 1000 or 1,0." in refused.content.decode()


def test_numbers_are_written_only_in_ways_that_there_are(world: World, as_: SignedIn) -> None:
    assert as_(world.ana).post(reverse("people:settings"), {"numbers": "xx"}).status_code == 422
    with pytest.raises(Invalid):
        accounts.change_settings(world.ana, "", "xx")


def test_an_address_of_the_records_is_enough_for_a_second_factor_and_nobody_adds_another(
    world: World, as_: SignedIn
) -> None:
    """Also where the sign-in library once wrote the address down as unconfirmed."""
    EmailAddress.objects.create(user=world.ana, email=world.ana.email, verified=False, primary=True)
    client = as_(world.ana)

    page = client.get(reverse("mfa_activate_totp"))
    assert page.status_code == 200
    assert page.context["form"].secret
    assert client.get(reverse("account_email")).status_code == 404


def test_where_one_is_signed_in_is_said_in_words(world: World, as_: SignedIn) -> None:
    ana = as_(world.ana)
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    UserSession.objects.update_or_create(
        session_key=ana.session.session_key,
        defaults={"user": world.ana, "ip": "192.0.2.1", "user_agent": agent},
    )
    page = ana.get(reverse("usersessions_list"), headers={"User-Agent": agent}).content.decode()
    assert "Firefox on Linux" in page
    assert "Gecko" not in page


def test_no_role_is_chosen_beforehand(world: World, as_: SignedIn) -> None:
    shown = (
        as_(world.kim).get(reverse("people:account", kwargs={"pk": world.chen.pk})).content.decode()
    )
    assert '<option value="" selected>Choose a role</option>' in shown
    url = reverse("people:request_role", kwargs={"pk": world.chen.pk})
    refused = as_(world.kim).post(url, {"role": "", "starts_on": today().isoformat()})
    assert refused.status_code == 422
    assert "Choose a role." in refused.content.decode()
    assert not RoleRequest.objects.filter(user=world.chen).exists()
