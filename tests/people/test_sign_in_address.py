"""The address with which somebody signs in: its owner changes it, or two HR admins, and never one alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from pmcycle.activity.actions.delivery import deliver
from pmcycle.activity.models import Delivery, Event, Notice
from pmcycle.people.actions import accounts, addresses
from pmcycle.people.models import AddressChange, Employee, RoleGrant, User
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World
from tests.factories import people
from tests.open_items import open_items_of

NEW = "ana.new@example.com"


def waits_for(user: User) -> list[str]:
    """What of accounts waits for this person."""
    return [i.kind for i in open_items_of(user.employee_id or 0) if i.kind.startswith("people:")]


def email_of(user: User) -> str:
    return str(User.objects.get(pk=user.pk).email)


def ask_oneself(as_: SignedIn, by: User, email: str = NEW) -> HttpResponse:
    return as_(by).post(reverse("people:change_address"), {"email": email})  # type: ignore[return-value]


def ask_for(
    as_: SignedIn, by: User, user: User, email: str = NEW, reason: str = "lost mailbox"
) -> HttpResponse:
    url = reverse("people:request_address", kwargs={"pk": user.pk})
    return as_(by).post(url, {"email": email, "reason": reason})  # type: ignore[return-value]


def decide(as_: SignedIn, by: User, verb: str = "approve_address") -> int:
    change = AddressChange.objects.latest("pk")
    return as_(by).post(reverse(f"people:{verb}", kwargs={"pk": change.pk})).status_code


def link() -> str:
    return Delivery.objects.exclude(link="").latest("pk").link


def test_the_owner_asks_and_confirms_at_the_new_address_and_the_old_one_is_told(
    world: World, as_: SignedIn
) -> None:
    old = world.ana.email
    EmailAddress.objects.create(user=world.ana, email=old)
    assert ask_oneself(as_, world.ana, NEW.upper()).status_code == 302
    deliver(gathered=False)
    to = {address: message for message in mail.outbox for address in message.to}
    assert set(to) == {old, NEW}
    assert link() in str(to[NEW].body)
    assert link() not in str(to[old].body)
    # The inbox shows the notice, but not the link: whoever confirms reads the mail there.
    assert not Notice.objects.filter(url=link()).exists()
    ana = as_(world.ana)
    assert link() not in ana.get(reverse("activity:inbox")).content.decode()
    # Following a link changes nothing; the button does.
    assert NEW in ana.get(link()).content.decode()
    assert email_of(world.ana) == old

    assert ana.post(link()).status_code == 302

    assert email_of(world.ana) == NEW
    assert Employee.objects.get(user=world.ana).email == NEW
    # The address before opens nothing any more, and is told where it can still be read.
    assert not EmailAddress.objects.exists()
    mail.outbox.clear()
    deliver(gathered=False)
    assert [message.to for message in mail.outbox] == [[old]]
    verbs = Event.objects.filter(stream="security").values_list("verb", flat=True).order_by("seq")
    assert list(verbs) == ["asked_for_address", "moved_sign_in"]
    assert ana.get(reverse("people:settings")).status_code == 200
    # Used once, and a second time it says the same.
    assert ana.post(link()).headers["Location"] == reverse("people:change_address")
    assert Event.objects.filter(verb="moved_sign_in").count() == 1


def test_the_old_address_hears_of_the_question_though_the_mail_goes_after_the_answer(
    world: World, as_: SignedIn
) -> None:
    old = world.ana.email
    ask_for(as_, world.kim, world.ana)
    decide(as_, world.lea)
    as_(None).post(link())
    assert email_of(world.ana) == NEW
    deliver(gathered=False)
    told = "\n".join(str(message.body) for message in mail.outbox if message.to == [old])
    assert "was asked for" in told
    assert "was changed" in told
    assert link() not in told


def test_who_has_a_password_types_it_again_before_the_address_changes(
    world: World, as_: SignedIn
) -> None:
    world.ana.set_password(people.PASSWORD)
    world.ana.save(update_fields=["password"])
    response = ask_oneself(as_, world.ana)
    assert response.status_code == 302
    assert "reauthenticate" in response.headers["Location"]
    assert not AddressChange.objects.exists()


@pytest.mark.parametrize("reader", [None, "chen", "kim"])
def test_a_mistyped_address_gives_the_account_to_nobody(
    reader: str | None, world: World, as_: SignedIn
) -> None:
    """Whoever gets the mail by mistake, or reads it with another account, cannot confirm."""
    ask_oneself(as_, world.ana)
    client = as_(getattr(world, reader) if reader else None)
    assert client.post(link()).status_code in (302, 401, 409)
    assert email_of(world.ana) == world.ana.email


def test_two_hr_admins_change_the_address_and_the_link_goes_to_the_new_mailbox(
    world: World, as_: SignedIn
) -> None:
    old, ana = world.ana.email, as_(world.ana)
    assert ana.get("/").status_code == 200
    assert ask_for(as_, world.kim, world.ana).status_code == 302
    assert not Delivery.objects.exclude(link="").exists()
    # The owner is told at the address that counts, and could take it back.
    assert Notice.objects.filter(recipient=world.ana, kind="address").count() == 1
    assert waits_for(world.lea) == ["people:second_address"]
    page = (
        as_(world.lea).get(reverse("people:account", kwargs={"pk": world.ana.pk})).content.decode()
    )
    assert "lost mailbox" in page

    assert decide(as_, world.lea) == 302
    assert not waits_for(world.lea)
    assert email_of(world.ana) == old
    # Whoever reads the mail there may be unable to sign in.
    assert as_(None).get(link()).status_code == 200
    assert as_(None).post(link()).status_code == 302

    assert email_of(world.ana) == NEW
    assert Employee.objects.get(user=world.ana).email == NEW
    assert ana.get("/").status_code == 302
    moved = Event.objects.get(verb="moved_sign_in")
    assert (moved.data["asked_by"], moved.data["approved_by"]) == (world.kim.pk, world.lea.pk)


def test_who_confirms_twice_is_told_the_same_and_nothing_is_done_again(
    world: World, as_: SignedIn
) -> None:
    """By whoever reads the mail, without a session, so that no key of a form knows them."""
    ask_for(as_, world.kim, world.ana)
    decide(as_, world.lea)
    path, reader = link(), as_(None)
    first, again = reader.post(path), reader.post(path)
    followed = reader.get(path)
    for answer in (first, again, followed):
        assert (answer.status_code, answer.headers["Location"]) == (302, reverse("account_login"))
    assert (
        "The new address counts from now on."
        in reader.get(reverse("account_login")).content.decode()
    )
    assert Event.objects.filter(verb="moved_sign_in").count() == 1
    assert Notice.objects.filter(key__endswith=":changed").count() == 1


def test_a_link_that_was_followed_by_another_address_is_not_valid_any_more(
    world: World, as_: SignedIn
) -> None:
    ask_for(as_, world.kim, world.ana)
    decide(as_, world.lea)
    old = link()
    as_(None).post(old)
    ask_for(as_, world.kim, world.ana, "ana.third@example.com")
    decide(as_, world.lea)
    as_(None).post(link())
    for answer in (as_(None).get(old), as_(None).post(old)):
        assert answer.status_code == 409
        assert "not valid any more" in answer.content.decode()
    assert email_of(world.ana) == "ana.third@example.com"


def test_a_link_of_one_s_own_that_was_confirmed_opens_nothing_to_others(
    world: World, as_: SignedIn
) -> None:
    ask_oneself(as_, world.ana)
    assert as_(world.ana).post(link()).status_code == 302
    assert as_(None).post(link()).status_code == 401
    assert as_(None).get(link()).headers["Location"].startswith(reverse("account_login"))
    assert as_(world.chen).post(link()).status_code == 409
    assert as_(world.ana).post(link()).headers["Location"] == reverse("people:change_address")


@pytest.mark.parametrize("whose", ["ana", "lea", "mira", "noor", "ines"])
def test_one_hr_admin_alone_changes_no_address(whose: str, world: World, as_: SignedIn) -> None:
    user = getattr(world, whose)
    assert ask_for(as_, world.kim, user).status_code == 302
    assert decide(as_, world.kim) == 409
    assert (
        as_(world.kim).get(addresses.confirmation_path(AddressChange.objects.get())).status_code
        == 409
    )
    assert email_of(user) == user.email


def test_whose_account_it_is_is_not_the_second(world: World, as_: SignedIn) -> None:
    ask_for(as_, world.kim, world.lea)
    assert decide(as_, world.lea) == 409
    assert decide(as_, world.lea, "withdraw_address") == 302
    people.grant(world.hugo, "hr_admin")
    ask_for(as_, world.kim, world.lea)
    assert decide(as_, world.hugo) == 302


def test_ones_own_address_is_asked_for_under_settings(world: World, as_: SignedIn) -> None:
    assert ask_for(as_, world.kim, world.kim).status_code == 409
    ask_oneself(as_, world.kim)
    # Another HR admin does not stand in for the mailbox.
    assert decide(as_, world.lea) == 409


@pytest.mark.parametrize(
    "email", ["", "no", "chen.wei@example.com", "MIRA.AUDIT@example.com", "ana.popescu@example.com"]
)
def test_an_address_that_cannot_be_stays_beside_its_field(
    email: str, world: World, as_: SignedIn
) -> None:
    assert ask_oneself(as_, world.ana, email).status_code == 422
    assert ask_for(as_, world.kim, world.ana, email).status_code == 422
    assert not AddressChange.objects.exists()


def test_hr_says_why(world: World, as_: SignedIn) -> None:
    assert ask_for(as_, world.kim, world.ana, reason=" ").status_code == 422


def test_one_address_waits_at_a_time_and_the_owner_takes_back_what_hr_asked_for(
    world: World, as_: SignedIn
) -> None:
    ask_for(as_, world.kim, world.ana)
    assert ask_oneself(as_, world.ana, "ana.own@example.com").status_code == 422
    page = as_(world.ana).get(reverse("people:change_address")).content.decode()
    assert "Kim Larsen asks" in page
    assert decide(as_, world.ana, "withdraw_address") == 302
    assert decide(as_, world.lea) == 409
    assert ask_oneself(as_, world.ana, "ana.own@example.com").status_code == 302


def test_a_link_is_good_for_three_days(world: World, as_: SignedIn) -> None:
    ask_oneself(as_, world.ana)
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1), tick=True):
        assert as_(world.ana).post(link()).status_code == 409
    assert email_of(world.ana) == world.ana.email


def test_what_somebody_asked_for_whose_role_has_ended_is_not_agreed_to(
    world: World, as_: SignedIn
) -> None:
    people.grant(world.hugo, "hr_admin")
    ask_for(as_, world.hugo, world.ana)
    accounts.end_role(RoleGrant.objects.get(user=world.hugo), by=world.kim)
    assert decide(as_, world.lea) == 409


def test_an_address_that_somebody_took_meanwhile_is_refused(world: World, as_: SignedIn) -> None:
    ask_oneself(as_, world.ana)
    people.make_employee("Another Ana", world.sales, email=NEW)
    assert as_(world.ana).post(link()).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_two_who_agree_at_once_agree_once(world: World) -> None:
    people.grant(world.hugo, "hr_admin")
    change = addresses.request_address(world.ana, NEW, "lost mailbox", by=world.kim)
    results = at_once(
        lambda: addresses.approve_address(change, by=world.lea),
        lambda: addresses.approve_address(change, by=world.hugo),
    )
    assert refused(results) == 1
    assert Delivery.objects.exclude(link="").count() == 1


@pytest.mark.django_db(transaction=True)
def test_confirmed_twice_at_once_it_moves_once(world: World) -> None:
    change = addresses.change_address(NEW, by=world.ana)
    token = addresses.confirmation_path(change).split("/")[-2]
    results = at_once(*[lambda: addresses.confirm_address(token, by=world.ana)] * 2)
    assert results == [world.ana, world.ana]
    assert Event.objects.filter(verb="moved_sign_in").count() == 1


@pytest.mark.django_db(transaction=True)
def test_confirmed_and_taken_back_at_once_only_one_counts(world: World) -> None:
    change = addresses.change_address(NEW, by=world.ana)
    token = addresses.confirmation_path(change).split("/")[-2]
    results = at_once(
        lambda: addresses.confirm_address(token, by=world.ana),
        lambda: addresses.withdraw_address(change, by=world.ana),
    )
    assert refused(results) == 1
    change.refresh_from_db()
    assert (email_of(world.ana) == NEW) == (change.withdrawn_at is None)


@pytest.mark.parametrize("confirmed", [None, "other@example.com"], ids=["never", "another"])
def test_no_statement_moves_an_address_that_was_not_confirmed(
    confirmed: str | None, world: World
) -> None:
    if confirmed:
        people.sign_in_with(world.ana, confirmed)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=world.ana.pk).update(email=NEW)


def forbidden(world: World) -> dict[str, AddressChange]:
    now = timezone.now()
    by_kim: dict[str, Any] = {
        "user": world.ana,
        "email": NEW,
        "reason": "x",
        "requested_by": world.kim,
    }
    return {
        "agreed to by who asked": AddressChange(**by_kim, approved_by=world.kim, approved_at=now),
        "agreed to by whose it is": AddressChange(**by_kim, approved_by=world.ana, approved_at=now),
        "sent before anybody agreed": AddressChange(**by_kim, sent_at=now),
        "confirmed before it was sent": AddressChange(**by_kim, confirmed_at=now),
        "without a reason": AddressChange(**{**by_kim, "reason": ""}),
        "in capitals": AddressChange(**{**by_kim, "email": NEW.upper()}),
    }


@pytest.mark.parametrize(
    "what",
    [
        "agreed to by who asked",
        "agreed to by whose it is",
        "sent before anybody agreed",
        "confirmed before it was sent",
        "without a reason",
        "in capitals",
    ],
)
def test_the_database_itself_refuses(what: str, world: World) -> None:
    row = forbidden(world)[what]
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_another_password_is_on_record_and_told(world: World, as_: SignedIn) -> None:
    world.ana.set_password(people.PASSWORD)
    world.ana.save(update_fields=["password"])
    client = as_(User.objects.get(pk=world.ana.pk))
    new = "another long enough phrase"
    data = {"oldpassword": people.PASSWORD, "password1": new, "password2": new}
    assert client.post(reverse("account_change_password"), data).status_code == 302
    event = Event.objects.get(verb="changed_sign_in")
    assert (event.stream, event.data) == ("security", {"what": "password_changed"})
    assert Notice.objects.filter(recipient=world.ana, kind="sign_in").count() == 1
