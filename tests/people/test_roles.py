"""Roles: one administrator asks, another approves; neither made the account, and nobody serves themselves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from pmcycle.access import today
from pmcycle.activity.models import Event, Notice, ToDo
from pmcycle.errors import Refused
from pmcycle.people.actions import accounts
from pmcycle.people.models import RoleGrant, RoleRequest, User
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World
from tests.factories import people
from tests.open_items import open_items_of


def waits_for(user: User) -> list[str]:
    """What of accounts waits for this person."""
    return [i.kind for i in open_items_of(user.employee_id or 0) if i.kind.startswith("people:")]


def ask(
    as_: SignedIn, by: User, to: User, role: str = "auditor", unit: str = "", **more: str
) -> HttpResponse:
    data = {"role": role, "unit": unit, "starts_on": today().isoformat(), "ends_on": "", **more}
    url = reverse("people:request_role", kwargs={"pk": to.pk})
    return as_(by).post(url, data)  # type: ignore[return-value]


def decide(as_: SignedIn, by: User, verb: str = "approve_role") -> int:
    asked = RoleRequest.objects.latest("pk")
    return as_(by).post(reverse(f"people:{verb}", kwargs={"pk": asked.pk})).status_code


def holds(user: User, role: str) -> bool:
    return role in User.objects.get(pk=user.pk).standing.roles


def test_a_role_holds_when_a_second_hr_admin_has_approved_it(world: World, as_: SignedIn) -> None:
    assert ask(as_, world.kim, world.chen, "hr_partner", "sales").status_code == 302
    assert not holds(world.chen, "hr_partner")
    assert waits_for(world.lea) == ["people:second_role"]
    told = Notice.objects.filter(kind="role_granted")
    assert [notice.recipient for notice in told] == [world.lea]
    page = (
        as_(world.lea).get(reverse("people:account", kwargs={"pk": world.chen.pk})).content.decode()
    )
    assert "Kim Larsen asked for it" in page
    assert "/approve/" in page

    assert decide(as_, world.lea) == 302

    grant = RoleGrant.objects.get(user=world.chen)
    assert (grant.role, grant.unit, grant.granted_by, grant.approved_by) == (
        "hr_partner",
        world.sales,
        world.kim,
        world.lea,
    )
    assert holds(world.chen, "hr_partner")
    assert not waits_for(world.lea)
    verbs = Event.objects.filter(stream="security").values_list("verb", "actor").order_by("seq")
    assert list(verbs) == [
        ("asked_for_role", world.kim.pk),
        ("approved_role", world.lea.pk),
        ("granted_role", world.lea.pk),
    ]
    done = ToDo.objects.get(kind="people:second_role")
    assert (done.recipient, done.done_by) == (world.lea.employee, world.lea)
    # The same days again are refused beside their field.
    assert ask(as_, world.kim, world.chen, "hr_partner", "sales").status_code == 422


@pytest.mark.parametrize("role", ["hr_admin", "hr_partner", "auditor", "it_admin", "unit_head"])
def test_one_person_alone_grants_no_role(role: str, world: World, as_: SignedIn) -> None:
    before = RoleGrant.objects.count()
    ask(as_, world.kim, world.chen, role, "Sales")
    assert decide(as_, world.kim) == 409
    assert RoleGrant.objects.count() == before
    page = (
        as_(world.kim).get(reverse("people:account", kwargs={"pk": world.chen.pk})).content.decode()
    )
    assert "/approve/" not in page


def test_who_gets_a_role_is_not_enough_of_a_second(world: World, as_: SignedIn) -> None:
    ask(as_, world.kim, world.lea, "auditor")
    assert decide(as_, world.lea) == 409
    assert not holds(world.lea, "auditor")


def test_who_made_the_account_is_neither_of_the_two_who_grant_its_roles(
    world: World, as_: SignedIn
) -> None:
    olga = people.make_employee("Olga Berg", world.sales)
    as_(world.kim).post(reverse("people:invite"), {"employee": [olga.pk]})
    puppet = User.objects.get(employee=olga)
    assert puppet.made_by == world.kim
    # Two HR admins can still grant: who made the account asks, the other answers for it.
    assert ask(as_, world.lea, puppet, "hr_admin").status_code == 302
    assert decide(as_, world.kim) == 409
    assert not waits_for(world.kim)
    assert decide(as_, world.lea, "withdraw_role") == 302
    assert ask(as_, world.kim, puppet, "hr_admin").status_code == 302
    assert decide(as_, world.lea, "withdraw_role") == 302
    # Where there are three, the other two do it.
    people.grant(world.hugo, "hr_admin")
    assert ask(as_, world.kim, puppet, "hr_admin").status_code == 422
    assert ask(as_, world.lea, puppet, "hr_admin").status_code == 302
    assert decide(as_, world.kim) == 409
    assert decide(as_, world.hugo) == 302
    assert holds(puppet, "hr_admin")


def test_it_asks_for_its_own_role_and_approves_none_of_hr(world: World, as_: SignedIn) -> None:
    ask(as_, world.kim, world.chen, "auditor")
    assert decide(as_, world.noor) == 409
    assert decide(as_, world.noor, "withdraw_role") == 409
    assert ask(as_, world.noor, world.hugo, "it_admin").status_code == 302
    assert decide(as_, world.noor) == 409
    assert decide(as_, world.lea) == 302
    assert holds(world.hugo, "it_admin")
    ines = RoleGrant.objects.get(user=world.ines)
    assert (
        as_(world.noor).post(reverse("people:end_role", kwargs={"pk": ines.pk})).status_code == 409
    )
    mine = RoleGrant.objects.get(user=world.hugo)
    assert (
        as_(world.noor).post(reverse("people:end_role", kwargs={"pk": mine.pk})).status_code == 302
    )


@pytest.mark.parametrize(
    ("by", "to", "role", "unit"),
    [
        ("kim", "kim", "auditor", ""),  # never to oneself
        ("noor", "chen", "hr_admin", ""),  # IT opens no personnel file
        ("noor", "chen", "hr_partner", "Sales"),
        ("noor", "chen", "auditor", ""),
        ("noor", "noor", "it_admin", ""),
        ("noor", "kim", "it_admin", ""),  # the IT role would take HR's away
        ("kim", "noor", "hr_admin", ""),
        ("kim", "chen", "hr_partner", ""),  # a partner of nothing
        ("kim", "chen", "hr_partner", "Nowhere"),
        ("kim", "chen", "emperor", ""),
        ("kim", "lea", "hr_admin", ""),  # held already
    ],
)
def test_a_question_that_may_not_be_is_refused_beside_its_field(
    by: str, to: str, role: str, unit: str, world: World, as_: SignedIn
) -> None:
    response = ask(as_, getattr(world, by), getattr(world, to), role, unit)
    assert response.status_code == 422
    assert not RoleRequest.objects.exists()


def test_what_turned_meanwhile_is_judged_when_it_is_approved(world: World, as_: SignedIn) -> None:
    people.grant(world.hugo, "hr_admin")
    ask(as_, world.hugo, world.chen, "auditor")
    # Who asked is no HR admin any more.
    accounts.end_role(RoleGrant.objects.get(user=world.hugo), by=world.lea)
    assert decide(as_, world.kim) == 409
    assert decide(as_, world.kim, "withdraw_role") == 302
    # Who gets it runs the system by now.
    ask(as_, world.kim, world.chen, "auditor")
    people.grant(world.chen, "it_admin")
    assert decide(as_, world.lea) == 409
    assert not holds(world.chen, "auditor")


def test_a_role_begins_when_it_is_approved_and_not_before(world: World, as_: SignedIn) -> None:
    ask(as_, world.kim, world.chen, "auditor", starts_on="2020-01-01")
    decide(as_, world.lea)
    assert RoleGrant.objects.get(user=world.chen).starts_on == today()


def test_a_question_is_asked_once_and_withdrawn_once(world: World, as_: SignedIn) -> None:
    ask(as_, world.kim, world.chen)
    assert ask(as_, world.lea, world.chen).status_code == 422
    assert decide(as_, world.kim, "withdraw_role") == 302
    assert decide(as_, world.lea) == 409
    assert decide(as_, world.kim, "withdraw_role") == 409
    assert not holds(world.chen, "auditor")


def test_an_ended_role_opens_nothing_from_the_next_request_on(world: World, as_: SignedIn) -> None:
    jan = as_(world.jan)
    assert jan.get(reverse("activity:trail")).status_code == 200
    grant = RoleGrant.objects.get(user=world.jan)
    assert (
        as_(world.kim).post(reverse("people:end_role", kwargs={"pk": grant.pk})).status_code == 302
    )
    assert jan.get(reverse("activity:trail")).status_code == 404


def test_the_last_hr_admin_cannot_be_ended(world: World, as_: SignedIn) -> None:
    kim, lea = (RoleGrant.objects.get(user=u) for u in (world.kim, world.lea))
    assert as_(world.kim).post(reverse("people:end_role", kwargs={"pk": lea.pk})).status_code == 302
    assert as_(world.kim).post(reverse("people:end_role", kwargs={"pk": kim.pk})).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_two_approvals_at_once_grant_once(world: World) -> None:
    people.grant(world.hugo, "hr_admin")
    asked = accounts.request_role(world.chen, "auditor", None, today(), None, by=world.kim)
    results = at_once(
        lambda: accounts.approve_role(asked, by=world.lea),
        lambda: accounts.approve_role(asked, by=world.hugo),
    )
    assert refused(results) == 1
    assert RoleGrant.objects.filter(user=world.chen).count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_approval_and_the_end_of_the_approvers_role_at_once_never_both_count(
    world: World,
) -> None:
    people.grant(world.hugo, "hr_admin")
    asked = accounts.request_role(world.chen, "auditor", None, today(), None, by=world.kim)
    mine = RoleGrant.objects.get(user=world.hugo)
    at_once(
        lambda: accounts.approve_role(asked, by=world.hugo),
        lambda: accounts.end_role(mine, by=world.lea),
    )
    ended = Event.objects.get(verb="ended_role").seq
    granted = Event.objects.filter(verb="granted_role").first()
    # One stream, one order: where both happened, the approval came while the role still held.
    assert granted is None or granted.seq < ended


@pytest.mark.django_db(transaction=True)
def test_two_hr_admins_who_end_each_other_at_once_leave_one(world: World) -> None:
    kim, lea = (RoleGrant.objects.get(user=u) for u in (world.kim, world.lea))
    results = at_once(
        lambda: accounts.end_role(lea, by=world.kim), lambda: accounts.end_role(kim, by=world.lea)
    )
    assert refused(results) == 1


def forbidden(world: World) -> dict[str, Any]:
    now, day = timezone.now(), today()
    of_chen: dict[str, Any] = {"user": world.chen, "role": "auditor", "starts_on": day}
    User.objects.filter(pk=world.ana.pk).update(made_by=world.lea)
    approved = {"approved_by": world.lea, "approved_at": now}
    return {
        "a grant by one": RoleGrant(**of_chen, granted_by=world.kim),
        "a grant approved by who asked": RoleGrant(
            **of_chen, granted_by=world.kim, approved_by=world.kim
        ),
        "a grant approved by who gets it": RoleGrant(
            user=world.lea,
            role="auditor",
            starts_on=day,
            granted_by=world.kim,
            approved_by=world.lea,
        ),
        "a grant approved by who made the account": RoleGrant(
            user=world.ana,
            role="auditor",
            starts_on=day,
            granted_by=world.kim,
            approved_by=world.lea,
        ),
        "a second without a first": RoleGrant(**of_chen, approved_by=world.lea),
        "a question for oneself": RoleRequest(
            user=world.kim, role="auditor", starts_on=day, requested_by=world.kim
        ),
        "a question answered by who asked": RoleRequest(
            **of_chen, requested_by=world.lea, **approved
        ),
        "a question answered by who gets it": RoleRequest(
            user=world.lea, role="auditor", starts_on=day, requested_by=world.kim, **approved
        ),
    }


@pytest.mark.parametrize(
    "what",
    [
        "a grant by one",
        "a grant approved by who asked",
        "a grant approved by who gets it",
        "a grant approved by who made the account",
        "a second without a first",
        "a question for oneself",
        "a question answered by who asked",
        "a question answered by who gets it",
    ],
)
def test_the_database_itself_refuses(what: str, world: World) -> None:
    row = forbidden(world)[what]
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


@pytest.mark.parametrize(
    "change",
    [
        {"ends_on": None},
        {"ends_on": date(2999, 1, 1)},
        {"role": "hr_admin"},
        {"unit": None, "user": "kim"},
    ],
    ids=["revived", "lengthened", "made another", "given to another"],
)
def test_an_ended_role_never_comes_back(change: dict[str, Any], world: World) -> None:
    grant = RoleGrant.objects.get(user=world.mira)
    accounts.end_role(grant, by=world.kim)
    values = {k: getattr(world, v) if k == "user" else v for k, v in change.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleGrant.objects.filter(pk=grant.pk).update(**values)


def test_an_operator_names_an_hr_admin_only_where_fewer_than_two_are_left(world: World) -> None:
    with pytest.raises(CommandError):
        call_command("name_hr_admin", world.chen.email)
    accounts.end_role(RoleGrant.objects.get(user=world.lea), by=world.kim)
    with pytest.raises(CommandError):
        call_command("name_hr_admin", "nobody@example.com")
    with pytest.raises(CommandError):
        call_command("name_hr_admin", world.noor.email)
    call_command("name_hr_admin", world.chen.email.upper())
    assert holds(world.chen, "hr_admin")
    assert Notice.objects.filter(recipient=world.kim, title__contains="operator").count() == 1


def test_nobody_approves_what_has_ended(world: World) -> None:
    asked = accounts.request_role(
        world.chen, "auditor", None, today(), today() + timedelta(days=1), by=world.kim
    )
    RoleRequest.objects.filter(pk=asked.pk).update(
        starts_on=today() - timedelta(days=3), ends_on=today() - timedelta(days=1)
    )
    with pytest.raises(Refused):
        accounts.approve_role(asked, by=world.lea)
