"""What HR changes about one person, what is private, and who is seen looking."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from pmcycle.access import today
from pmcycle.activity.models import Event
from pmcycle.errors import Refused
from pmcycle.people.actions import accounts, records
from pmcycle.people.models import Absence, Employee, PayRange, ReportingLine, Unit, User
from tests.conftest import SignedIn, World
from tests.factories import people


def record_of(user: User) -> Employee:
    return Employee.objects.get(user=user)


def url(name: str, user: User) -> str:
    return reverse(f"people:{name}", kwargs={"pk": user.employee_id})


def typed(person: Employee, **changed: Any) -> dict[str, Any]:
    values = {
        "version": person.version,
        "name": person.name,
        "email": person.email,
        "job_title": person.job_title,
        "job_family": "",
        "grade": person.grade,
        "unit": person.unit.name if person.unit else "",
        "location": "",
    }
    return values | changed


@pytest.mark.parametrize("reader", ["bashir", "dora", "chen", "gita", "jan", "mira"])
def test_pay_and_private_facts_are_for_the_person_and_hr_only(
    reader: str, world: World, as_: SignedIn
) -> None:
    page = as_(getattr(world, reader)).get(url("profile", world.ana)).content.decode()
    assert "Ana Popescu" in page
    assert "52,000" not in page
    assert "Employee number" not in page


def test_an_hr_admin_without_a_record_of_their_own_reaches_everybody(
    world: World, as_: SignedIn
) -> None:
    first = people.make_user(email="first.admin@example.com", name="First Admin")
    people.grant(first, "hr_admin")
    assert "52,000" in as_(first).get(url("profile", world.ana)).content.decode()


def test_a_look_by_hr_is_noted_and_ones_own_is_not(world: World, as_: SignedIn) -> None:
    assert "52,000" in as_(world.ana).get(url("profile", world.ana)).content.decode()
    assert not Event.objects.filter(verb="viewed").exists()
    for _ in range(2):
        assert "52,000" in as_(world.ines).get(url("profile", world.ana)).content.decode()
    event = Event.objects.get(verb="viewed")
    assert (event.actor, event.about) == (world.ines, world.ana.employee)


def test_pay_is_shown_within_its_range(world: World, as_: SignedIn) -> None:
    PayRange.objects.create(
        job_title="technician", minimum=40000, midpoint=50000, maximum=60000, currency="USD"
    )
    assert "60,000" in as_(world.ana).get(url("profile", world.ana)).content.decode()


def test_hr_corrects_a_record_and_a_second_tab_overwrites_nothing(
    world: World, as_: SignedIn
) -> None:
    ana = record_of(world.ana)
    kim = as_(world.kim)
    data = typed(ana, name="Ana  Maria Popescu", unit="sales")
    assert kim.post(url("edit_employee", world.ana), data).status_code == 302
    ana.refresh_from_db()
    assert (ana.name, ana.sort_name, ana.unit, ana.version) == (
        "Ana Maria Popescu",
        "Popescu, Ana Maria",
        world.sales,
        2,
    )
    assert User.objects.get(employee=ana).name == "Ana Maria Popescu"
    # The other tab still holds version 1: both texts are shown, nothing is overwritten.
    stale = kim.post(url("edit_employee", world.ana), data | {"name": "Anna Popescu"})
    assert stale.status_code == 409
    assert "Anna Popescu" in stale.content.decode()


@pytest.mark.parametrize("whose", ["ana", "lea"])
def test_the_address_with_which_somebody_signs_in_is_not_corrected_in_the_record(
    whose: str, world: World, as_: SignedIn
) -> None:
    user = getattr(world, whose)
    data = typed(record_of(user), email="kims.other.mailbox@example.com")
    response = as_(world.kim).post(url("edit_employee", user), data)
    assert response.status_code == 422
    assert "email" in response.context["form"].errors
    assert User.objects.get(pk=user.pk).email == user.email
    assert record_of(user).email == user.email


def test_the_address_of_somebody_without_an_account_is_corrected(
    world: World, as_: SignedIn
) -> None:
    olga = people.make_employee("Olga Berg", world.sales)
    edit = reverse("people:edit_employee", kwargs={"pk": olga.pk})
    kim = as_(world.kim)
    # With an address that opens an account it would be taken for the account's owner.
    taken = kim.post(edit, typed(olga, email=world.mira.email))
    assert "email" in taken.context["form"].errors
    assert kim.post(edit, typed(olga, email="olga@example.com")).status_code == 302
    olga.refresh_from_db()
    assert olga.email == "olga@example.com"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": "x" * 500}, "name"),
        ({"email": "no"}, "email"),
        ({"email": "CHEN.WEI@example.com"}, "email"),
        ({"unit": "Nowhere"}, "unit"),
        ({"version": ""}, "version"),
    ],
)
def test_a_wrong_value_stays_beside_its_field(
    changed: dict[str, str], field: str, world: World, as_: SignedIn
) -> None:
    response = as_(world.kim).post(
        url("edit_employee", world.ana), typed(record_of(world.ana), **changed)
    )
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert record_of(world.ana).version == 1


def test_a_new_manager_counts_from_a_day_and_the_old_line_stays_on_record(
    world: World, as_: SignedIn
) -> None:
    day = today() + timedelta(days=10)
    gita = record_of(world.gita)
    data = {"version": 1, "manager": gita.pick_text, "starts_on": day.isoformat()}
    assert as_(world.kim).post(url("change_manager", world.ana), data).status_code == 302
    old, new = ReportingLine.objects.filter(employee=world.ana.employee).order_by("starts_on")
    assert old.ends_on == day - timedelta(days=1)
    assert (new.manager, new.starts_on, new.ends_on) == (gita, day, None)


@pytest.mark.parametrize(
    ("of", "manager", "starts_on", "field"),
    [
        ("gita", "Hugo Blanc", "", "manager"),
        ("bashir", "Ana Popescu", "", "manager"),
        ("ana", "Ana Popescu", "", "manager"),
        ("ana", "Nobody Known", "", "manager"),
        ("ana", "Gita Rao", "1990-01-01", "starts_on"),
        ("ana", "Gita Rao", "someday", "starts_on"),
    ],
)
def test_a_manager_who_cannot_be_is_refused(
    of: str, manager: str, starts_on: str, field: str, world: World, as_: SignedIn
) -> None:
    before = list(ReportingLine.objects.order_by("pk").values())
    data = {"version": 1, "manager": manager, "starts_on": starts_on or today().isoformat()}
    response = as_(world.kim).post(url("change_manager", getattr(world, of)), data)
    assert response.status_code == 422
    assert field in response.context["manager_form"].errors
    assert list(ReportingLine.objects.order_by("pk").values()) == before


def test_nobody_above_means_the_top(world: World, as_: SignedIn) -> None:
    data = {"version": 1, "manager": "", "starts_on": today().isoformat()}
    as_(world.kim).post(url("change_manager", world.bashir), data)
    assert record_of(world.bashir) in Employee.objects.at_the_top()


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_do_not_close_a_circle_together(world: World) -> None:
    gita, bashir = record_of(world.gita), record_of(world.bashir)
    barrier = threading.Barrier(2)
    ended: list[str] = []

    def change(one: Employee, other: Employee) -> None:
        barrier.wait()
        try:
            records.change_manager(one, other, today(), by=world.kim, version=None)
            ended.append("changed")
        except Refused:
            ended.append("refused")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=change, args=pair) for pair in ((gita, bashir), (bashir, gita))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["changed", "refused"]


def test_a_leave_is_noted_ended_and_never_doubled(world: World, as_: SignedIn) -> None:
    kim = as_(world.kim)
    data = {"kind": "parental", "is_paid": "on", "starts_on": today().isoformat(), "ends_on": ""}
    assert kim.post(url("add_absence", world.ana), data).status_code == 302
    assert kim.post(url("add_absence", world.ana), data).status_code == 422
    absence = Absence.objects.get()
    end = reverse("people:end_absence", kwargs={"pk": absence.pk})
    assert kim.post(end, {"ends_on": "2001-01-01"}).status_code == 409
    assert kim.post(end, {"ends_on": "never"}).status_code == 422
    assert kim.post(end, {"ends_on": (today() + timedelta(days=30)).isoformat()}).status_code == 302
    absence.refresh_from_db()
    assert absence.ends_on == today() + timedelta(days=30)


def test_leaving_is_dated_ends_lines_and_account_and_deletes_nothing(
    world: World, as_: SignedIn
) -> None:
    people_before = Employee.objects.count()
    day = today() - timedelta(days=1)
    data = {"version": 1, "left_on": day.isoformat(), "leave_reason": "moved away"}
    assert as_(world.kim).post(url("set_leave_date", world.ana), data).status_code == 302
    assert Employee.objects.count() == people_before
    assert ReportingLine.objects.get(employee=world.ana.employee).ends_on == day
    assert not User.objects.get(pk=world.ana.pk).is_active
    assert "moved away" in as_(world.ines).get(url("profile", world.ana)).content.decode()
    assert "moved away" not in as_(world.chen).get(url("profile", world.ana)).content.decode()
    back = {"version": 2, "left_on": "", "leave_reason": ""}
    as_(world.kim).post(url("set_leave_date", world.ana), back)
    assert ReportingLine.objects.get(employee=world.ana.employee).ends_on is None


def test_a_last_day_before_the_first_is_refused(world: World, as_: SignedIn) -> None:
    data = {"version": 1, "left_on": "1999-01-01", "leave_reason": ""}
    assert as_(world.kim).post(url("set_leave_date", world.ana), data).status_code == 422


def test_accounts_close_when_the_last_day_has_passed(world: World) -> None:
    Employee.objects.filter(user=world.ana).update(left_on=today())
    assert accounts.close_accounts_of_leavers(today()) == 0
    assert accounts.close_accounts_of_leavers(today() + timedelta(days=1)) == 1


def forbidden(world: World) -> dict[str, Any]:
    ana, bashir, dora = record_of(world.ana), record_of(world.bashir), record_of(world.dora)
    day = date(2020, 1, 1)
    return {
        "two managers on one day": ReportingLine(
            employee=ana, manager=record_of(world.gita), starts_on=today()
        ),
        "oneself as manager": ReportingLine(
            employee=record_of(world.dora), manager=record_of(world.dora), starts_on=day
        ),
        "a line that ends before it begins": ReportingLine(
            employee=dora, manager=bashir, starts_on=today(), ends_on=day
        ),
        "a leave that ends before it begins": Absence(employee=ana, starts_on=today(), ends_on=day),
        "a number twice": Employee(number=ana.number, name="x", sort_name="x", hired_on=day),
        "an address twice": Employee(
            number="n", name="x", sort_name="x", hired_on=day, email=ana.email.upper()
        ),
        "left before hired": Employee(
            number="n", name="x", sort_name="x", hired_on=today(), left_on=day
        ),
        "a unit twice in one place": Unit(name="SALES", parent=world.sales.parent),
        "a range upside down": PayRange(
            job_title="x", minimum=3, midpoint=2, maximum=1, currency="USD"
        ),
        "a range of nothing": PayRange(minimum=1, midpoint=2, maximum=3, currency="USD"),
    }


@pytest.mark.parametrize(
    "what",
    [
        "two managers on one day",
        "oneself as manager",
        "a line that ends before it begins",
        "a leave that ends before it begins",
        "a number twice",
        "an address twice",
        "left before hired",
        "a unit twice in one place",
        "a range upside down",
        "a range of nothing",
    ],
)
def test_the_database_itself_refuses(what: str, world: World) -> None:
    row = forbidden(world)[what]
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_pay_twice_on_one_day_is_refused_by_the_database(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        people.pay(record_of(world.ana))
