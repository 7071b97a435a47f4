"""Leaving ends on the day whatever an account opens, and whoever comes back begins without any of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import pmcycle.cycles.tasks as cycle_clock
from feedback.models import CalendarFeed
from pmcycle.access import today
from pmcycle.activity.models import Event
from pmcycle.errors import Refused
from pmcycle.people import tasks
from pmcycle.people.actions import accounts, importing, records
from pmcycle.people.models import (
    AddressChange,
    ApiToken,
    Delegation,
    Employee,
    Import,
    RoleGrant,
    RoleRequest,
    User,
)
from tests.at_once import at_once
from tests.boards import board
from tests.conftest import SignedIn, World
from tests.factories import people
from tests.open_items import catch_up
from tests.people.importing import Walk


class Held:
    """All that opens something for Ines, and how it is used."""

    def __init__(self, world: World, as_: SignedIn) -> None:
        self.user, self.as_ = world.ines, as_
        self.browser = as_(world.ines)
        # Sessions that the sign-in library did not note down end as well.
        self.other = as_(world.ines)
        UserSession.objects.filter(user=world.ines).delete()
        day = today() + timedelta(days=30)
        _row, secret = accounts.create_token(world.ines, "probe", ["goals:read"], day)
        self.bearer = {"Authorization": f"Bearer {secret}"}
        page = self.browser.post(reverse("feedback:share_calendar")).content.decode()
        self.calendar = (
            page.split('class="address">')[1]
            .split("<")[0]
            .removeprefix("http://localhost:8000")
            .strip()
        )
        Delegation.objects.create(
            principal=world.ines,
            delegate=world.chen,
            tasks=["x"],
            starts_on=today() - timedelta(days=5),
            ends_on=day,
        )
        Delegation.objects.create(
            principal=world.bashir, delegate=world.ines, tasks=["x"], starts_on=today(), ends_on=day
        )
        accounts.request_role(world.ines, "unit_head", world.sales, today(), None, by=world.kim)

    def opens(self) -> dict[str, bool]:
        client: Client = self.as_(None)
        now = User.objects.filter(pk=self.user.pk, is_active=True).first()
        current = Delegation.objects.current()
        return {
            "session": self.browser.get("/people/").status_code == 200,
            "unnoted session": self.other.get("/people/").status_code == 200,
            "token": client.get("/api/v1/schema/", headers=self.bearer).status_code == 200,
            "calendar": client.get(self.calendar).status_code == 200,
            "role": bool(now and now.standing.roles),
            "deputy": current.filter(principal=self.user).exists(),
            "deputy of others": current.filter(delegate=self.user).exists(),
            "question": RoleRequest.objects.waiting().filter(user=self.user).exists(),
        }


@pytest.fixture
def held(world: World, as_: SignedIn) -> Held:
    held = Held(world, as_)
    assert set(held.opens().values()) == {True}
    return held


def leave_by_page(world: World, as_: SignedIn) -> None:
    """Ines' last day was yesterday."""
    url = reverse("people:set_leave_date", kwargs={"pk": world.ines.employee_id})
    data = {"version": 1, "left_on": (today() - timedelta(days=1)).isoformat(), "leave_reason": ""}
    assert as_(world.kim).post(url, data).status_code == 302


def leave_by_file(world: World, as_: SignedIn) -> None:
    person = Employee.objects.get(user=world.ines)
    yesterday = (today() - timedelta(days=1)).isoformat()
    content = f"Number,Name,Hired on,Left on\n{person.number},{person.name},{person.hired_on},{yesterday}\n"
    walk = Walk(as_(world.lea))
    walk.bring(content.encode())
    walk.apply()


def leave_by_day(world: World, as_: SignedIn) -> None:
    Employee.objects.filter(user=world.ines).update(left_on=today() - timedelta(days=1))
    tasks.close_accounts_of_leavers()


def be_closed(world: World, as_: SignedIn) -> None:
    as_(world.noor).post(reverse("people:deactivate", kwargs={"pk": world.ines.pk}))


@pytest.mark.parametrize("leave", [leave_by_page, leave_by_file, leave_by_day, be_closed])
def test_all_that_an_account_opens_ends_and_none_of_it_comes_back(
    leave: Any, held: Held, world: World, as_: SignedIn
) -> None:
    leave(world, as_)
    assert held.opens() == dict.fromkeys(held.opens(), False)
    closed = Event.objects.get(verb="closed_account")
    assert (closed.stream, closed.subject_id) == ("security", world.ines.pk)
    assert Event.objects.filter(verb="ended_role", data__user=world.ines.pk).count() == 1

    Employee.objects.filter(user=world.ines).update(left_on=None)
    as_(world.kim).post(reverse("people:reactivate", kwargs={"pk": world.ines.pk}))

    back = User.objects.get(pk=world.ines.pk)
    assert back.is_active
    assert held.opens() == dict.fromkeys(held.opens(), False)
    assert as_(back).get("/people/").status_code == 200


def test_on_the_last_day_everything_still_works_and_on_the_next_nothing_does(
    held: Held, world: World, as_: SignedIn
) -> None:
    """Before the clock has come by, too."""
    Employee.objects.filter(user=world.ines).update(left_on=today())
    assert held.opens()["session"]
    assert accounts.close_accounts_of_leavers(today()) == 0
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        now = held.opens()
        assert not any(now[key] for key in ("session", "unnoted session", "token", "calendar"))
        assert User.objects.get(pk=world.ines.pk).is_active
        assert accounts.close_accounts_of_leavers(today()) == 1
        assert RoleGrant.objects.get(user=world.ines).ends_on == today() - timedelta(days=1)
        assert set(held.opens().values()) == {False}


def test_a_role_that_was_yet_to_begin_never_does(world: World, as_: SignedIn) -> None:
    RoleGrant.objects.create(user=world.chen, role="auditor", starts_on=today() + timedelta(days=9))
    accounts.deactivate(world.chen, by=world.kim)
    assert not RoleGrant.objects.filter(user=world.chen).exists()


def test_what_whoever_left_had_asked_for_lapses(world: World, as_: SignedIn) -> None:
    people.grant(world.hugo, "hr_admin")
    asked = accounts.request_role(world.chen, "auditor", None, today(), None, by=world.hugo)
    change = AddressChange.objects.create(
        user=world.ana, email="x@example.com", reason="x", requested_by=world.hugo
    )
    accounts.deactivate(world.hugo, by=world.kim)
    for row in (asked, change):
        row.refresh_from_db()
        assert row.withdrawn_at is not None


def test_an_invitation_of_an_earlier_life_opens_nothing(world: World, as_: SignedIn) -> None:
    path = accounts.invitation_path(world.ana)
    accounts.deactivate(world.ana, by=world.kim)
    accounts.reactivate(world.ana, by=world.kim)
    assert as_(None).get(path).status_code == 409
    again = accounts.invitation_path(User.objects.get(pk=world.ana.pk))
    assert as_(None).get(again).status_code == 302


def test_a_password_link_of_an_earlier_life_opens_nothing(world: World, as_: SignedIn) -> None:
    def link() -> str:
        token = (
            accounts.invitation_path(User.objects.get(pk=world.ana.pk))
            .rstrip("/")
            .rpartition("/")[2]
        )
        return accounts.accept_invitation(token)

    def asks_for_a_password(path: str) -> bool:
        return 'name="password1"' in as_(None).get(path, follow=True).content.decode()

    before = link()
    assert asks_for_a_password(before)
    accounts.deactivate(world.ana, by=world.kim)
    accounts.reactivate(world.ana, by=world.kim)
    assert not asks_for_a_password(before)
    assert asks_for_a_password(link())


@pytest.mark.django_db(transaction=True)
def test_leavings_and_an_import_beside_the_granting_of_a_role_wait_for_one_another(
    world: World, as_: SignedIn
) -> None:
    """Each settles the to-dos of administrators and closes accounts; none of them waits in a ring."""
    walk = Walk(as_(world.kim))
    gone = today() - timedelta(days=1)
    who = Employee.objects.get(user=world.jan)
    words = [who.number, who.name, who.hired_on.isoformat(), gone.isoformat()]
    walk.bring(f"Number,Name,Hired on,Left on\n{','.join(words)}\n".encode())
    asked = [
        accounts.request_role(user, "auditor", None, today(), None, by=world.kim)
        for user in (world.chen, world.ana)
    ]

    def leave(user: User) -> None:
        person = Employee.objects.get(user=user)
        records.set_leave_date(person, gone, "", by=world.lea, version=None)

    results = at_once(
        lambda: accounts.approve_role(asked[0], by=world.lea),
        lambda: leave(world.hugo),
        lambda: importing.apply_import(walk.run, by=world.kim),
        lambda: leave(world.gita),
        lambda: accounts.approve_role(asked[1], by=world.lea),
    )

    assert not [
        r for r in results if isinstance(r, Refused) and not isinstance(r, importing.CompanyChanged)
    ]
    assert RoleGrant.objects.filter(user__in=[world.chen, world.ana]).count() == 2
    assert not User.objects.filter(pk__in=[world.hugo.pk, world.gita.pk], is_active=True).exists()


def leavers_file(people: list[Employee], gone: date) -> bytes:
    lines = [f"{one.number},{one.name},{one.hired_on},{gone}" for one in people]
    return "\n".join(["Number,Name,Hired on,Left on", *lines, ""]).encode()


def apply_here(walk: Walk, by: User) -> Import:
    """What a worker does of an import, in this thread."""
    run = importing.apply_import(walk.run, by=by)
    importing.settle_applied(run, by=by)
    return run


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", [False, True], ids=["others", "one in both"])
def test_of_two_imports_at_once_each_makes_its_people_leave_once(
    same: bool, world: World, as_: SignedIn
) -> None:
    """Who leaves by one file leads, or is led by, who leaves by the other, and the clock freezes them beside it."""
    catch_up()
    gone = today() - timedelta(days=1)
    in_files = [["ana", "hugo"], ["bashir", "chen", *(["ana"] if same else [])]]
    staff = {
        key: Employee.objects.get(user=getattr(world, key)) for keys in in_files for key in keys
    }
    hands = [world.kim, world.lea]
    walks = [Walk(as_(by)) for by in hands]
    for walk, keys in zip(walks, in_files, strict=True):
        assert walk.bring(leavers_file([staff[key] for key in keys], gone)) == {
            "changed": len(keys)
        }

    results = at_once(
        lambda: apply_here(walks[0], hands[0]),
        lambda: apply_here(walks[1], hands[1]),
        cycle_clock.open_due,
        cycle_clock.open_due,
    )

    late = [n for n, result in enumerate(results) if isinstance(result, importing.CompanyChanged)]
    assert len(late) == int(same), (
        "whose line another file has carried out reads the new rehearsal first"
    )
    for number in late:
        walks[number].run.refresh_from_db()
        assert apply_here(walks[number], hands[number]).state == "applied"
    cycle_clock.open_due()
    for key, person in staff.items():
        user = getattr(world, key)
        person.refresh_from_db()
        assert person.left_on == gone
        assert Event.objects.filter(verb="changed_by_import", about=person).count() == 1
        assert Event.objects.filter(verb="closed_account", subject_id=user.pk).count() == 1
        assert Event.objects.filter(verb="left", about=person).count() == 1
    shown = board(as_(world.kim), world.cycle)
    left = {name for name, line in shown.lines.items() if "has left" in line.values()}
    assert left == {person.name for person in staff.values()}
    assert shown.figures["Take part"] == 9 - len(staff)
    assert shown.in_stage("Objectives") == {"open": 9 - len(staff), "has left": len(staff)}


def test_the_clock_closes_one_and_ten_accounts_in_the_same_statements(world: World) -> None:
    counts = []
    for number in (1, 10):
        for n in range(number):
            person = people.make_employee(
                f"Gone{n} Leaver{number}", world.sales, left_on=today() - timedelta(days=2)
            )
            people.grant(people.make_user(person), "auditor")
        with CaptureQueriesContext(connection) as seen:
            assert accounts.close_accounts_of_leavers(today()) == number
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("kept", ["role", "token", "deputy"])
def test_the_database_opens_no_account_that_still_holds_something(kept: str, world: World) -> None:
    accounts.deactivate(world.ana, by=world.kim)
    day = today() + timedelta(days=3)
    if kept == "role":
        people.grant(world.ana, "auditor")
    elif kept == "token":
        ApiToken.objects.create(user=world.ana, name="x", prefix="p", digest="d", expires_on=day)
    else:
        Delegation.objects.create(
            principal=world.ana, delegate=world.chen, tasks=[], starts_on=today(), ends_on=day
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=world.ana.pk).update(is_active=True)
    # The action ends what is left over from accounts that were closed before closing ended everything.
    accounts.reactivate(world.ana, by=world.kim)
    assert User.objects.get(pk=world.ana.pk).is_active
    assert not CalendarFeed.objects.filter(user=world.ana, revoked_at__isnull=True).exists()
