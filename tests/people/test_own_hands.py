"""One's own record, that of whom one reports to and the pay of whom one leads: through others' hands, on every way."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from pmcycle.access import today
from pmcycle.activity.models import Job, Notice
from pmcycle.errors import Refused
from pmcycle.people import tasks
from pmcycle.people.actions import accounts, importing, records
from pmcycle.people.actions.importing import line_memory
from pmcycle.people.models import (
    Employee,
    Organisation,
    PayRange,
    ReportingLine,
    Salary,
    Settlement,
    User,
)
from tests.at_once import at_once, meanwhile
from tests.conftest import SignedIn, World, build_world
from tests.factories import people
from tests.people.importing import Walk

RAISED = "90000"


def of(user: User) -> Employee:
    return Employee.objects.get(user=user)


def file(*rows: dict[str, str]) -> bytes:
    """A file whose lines say what they name of people who are here, and all of who is not."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def line(person: Employee | User, **said: str) -> dict[str, str]:
    who = of(person) if isinstance(person, User) else person
    return {"Number": who.number, "Name": who.name, "Hired on": who.hired_on.isoformat(), **said}


def pay_of(user: User) -> str:
    return str(Salary.objects.filter(employee=of(user)).latest("effective_from", "pk").annual)


def walk_as(as_: SignedIn, user: User, walk: Walk | None = None) -> Walk:
    """The same file in the browser of somebody else, or the first steps of another."""
    other = Walk(as_(user))
    if walk is not None:
        other.run = walk.run
        other.run.refresh_from_db()
    return other


# --- import: whoever had a hand in it ------------------------------------------------------------------


@pytest.mark.parametrize(
    "whose", ["kim", "dora", "ines"], ids=["their own", "their manager", "whom they lead"]
)
@pytest.mark.parametrize("hand", ["upload", "columns", "settle", "apply"])
def test_pay_near_to_somebody_is_not_raised_by_a_file_through_their_hands(
    hand: str, whose: str, world: World, as_: SignedIn
) -> None:
    user = getattr(world, whose)
    people.pay(of(world.dora))
    before = pay_of(user)
    by = {
        step: world.kim if step == hand else world.hugo
        for step in ("upload", "columns", "settle", "apply")
    }
    people.grant(world.hugo, "hr_admin")
    content = file(line(user, Pay=RAISED), line(world.chen, Pay=RAISED))

    walk = walk_as(as_, by["upload"])
    walk.upload(content)
    walk = walk_as(as_, by["columns"], walk)
    walk.rehearse()
    walk = walk_as(as_, by["settle"], walk)
    walk.settle(act="same", line=3)
    if hand != "apply":
        assert walk.fates() == {2: "refused", 3: "changed"}
        assert "Kim Larsen" in " ".join(walk.line(2).messages)
    assert walk_as(as_, by["apply"], walk).apply().status_code == 409

    assert pay_of(user) == before
    assert pay_of(world.chen) == before


def test_hands_that_are_not_near_bring_the_same_file_in(world: World, as_: SignedIn) -> None:
    people.grant(world.hugo, "hr_admin")
    walk = walk_as(as_, world.hugo)
    walk.bring(file(*(line(user, Pay=RAISED) for user in (world.kim, world.dora, world.ines))))
    walk.apply()
    assert [pay_of(user) for user in (world.kim, world.dora, world.ines)] == ["90000.00"] * 3


def test_who_applies_is_told_which_lines_are_too_near_and_leaves_them_out(
    world: World, as_: SignedIn
) -> None:
    people.grant(world.hugo, "hr_admin")
    walk = walk_as(as_, world.hugo)
    walk.bring(file(line(world.kim, Pay=RAISED), line(world.chen, Pay=RAISED)))
    mine = walk_as(as_, world.kim, walk)
    refused = mine.apply()
    assert refused.status_code == 409
    assert "Line 2" in refused.content.decode()
    mine.settle(act="skip", line=2)
    assert mine.apply().status_code == 302
    assert pay_of(world.chen) == "90000.00"
    assert pay_of(world.kim) == "52000.00"


def test_what_turned_between_asking_and_applying_is_judged_when_it_is_written(
    world: World, as_: SignedIn
) -> None:
    """Chen comes to report to Kim after Kim has pressed the button."""
    walk = walk_as(as_, world.kim)
    walk.bring(file(line(world.chen, Pay=RAISED)))
    walk.run.refresh_from_db()
    assert walk.post("apply_import", version=walk.run.version).status_code == 302
    ReportingLine.objects.filter(employee=of(world.chen)).update(manager=of(world.kim))
    tasks.apply_imports()
    assert pay_of(world.chen) == "52000.00"
    assert walk.fates() == {2: "refused"}


def test_what_turned_is_named_by_its_line(world: World, as_: SignedIn) -> None:
    walk = walk_as(as_, world.kim)
    walk.bring(file(*(line(who, Pay=RAISED) for who in (world.ana, world.chen, world.bashir))))
    walk.run.refresh_from_db()
    walk.post("apply_import", version=walk.run.version)
    ReportingLine.objects.filter(employee=of(world.chen)).update(manager=of(world.kim))
    tasks.apply_imports()
    assert "line 3 comes to something else" in Job.objects.latest("pk").message
    assert pay_of(world.ana) == "52000.00"  # not one line of it is written


@pytest.mark.django_db(transaction=True)
def test_who_is_handed_over_while_an_import_is_applied_is_judged_as_they_are_then(
    as_: SignedIn,
) -> None:
    """Kim applies the pay of Chen, and comes to lead Chen at the same moment."""
    world = build_world()
    walk = walk_as(as_, world.kim)
    walk.bring(file(line(world.ana, Pay=RAISED), line(world.chen, Pay=RAISED)))

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [records.LINES_LOCK])

    refused = meanwhile(
        lambda: importing.apply_import(walk.run, by=world.kim),
        hold=hold,
        change=lambda: records.change_manager(
            of(world.chen), of(world.kim), today(), by=world.lea, version=None
        ),
    )
    assert isinstance(refused, Refused)
    assert "line 3" in str(refused.reason)
    assert (pay_of(world.ana), pay_of(world.chen)) == ("52000.00", "52000.00")


@pytest.mark.django_db(transaction=True)
def test_whose_role_ends_while_they_apply_applies_nothing(as_: SignedIn) -> None:
    world = build_world()
    walk = walk_as(as_, world.kim)
    walk.bring(file(line(world.chen, Pay=RAISED)))
    refused = meanwhile(
        lambda: importing.apply_import(walk.run, by=world.kim),
        hold=accounts.lock_roles,
        change=lambda: accounts.end_role(world.kim.grants.get(), by=world.lea),
    )
    assert isinstance(refused, Refused)
    assert pay_of(world.chen) == "52000.00"


@pytest.mark.django_db(transaction=True)
def test_an_import_and_acts_on_the_same_people_follow_one_another(as_: SignedIn) -> None:
    """Whoever is first: all of it happens or nothing, and nobody waits for ever."""
    world = build_world()
    walk = walk_as(as_, world.kim)
    walk.bring(file(line(world.ana, Pay=RAISED), line(world.chen, Pay=RAISED)))
    applied, *_others = at_once(
        lambda: importing.apply_import(walk.run, by=world.kim),
        lambda: records.change_manager(
            of(world.chen), of(world.kim), today(), by=world.lea, version=None
        ),
        lambda: accounts.end_role(world.ines.grants.get(), by=world.lea),
        lambda: records.edit_employee(
            of(world.ana), {"location": "Harbour"}, by=world.lea, version=None
        ),
    )
    both = {pay_of(world.ana), pay_of(world.chen)}
    assert both == ({"52000.00"} if isinstance(applied, Refused) else {"90000.00"})


@pytest.mark.django_db(transaction=True)
def test_a_rehearsal_beside_an_import_that_is_applied_waits_and_judges_what_it_left(
    as_: SignedIn,
) -> None:
    world = build_world()
    new = {"Number": "N1", "Name": "Olga Berg", "Hired on": "2024-01-02"}
    walk = walk_as(as_, world.kim)
    walk.bring(file(new))

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [importing.IMPORT_LOCK])

    rehearsed = meanwhile(
        lambda: importing.rehearse(walk.run, by=world.kim),
        hold=hold,
        change=lambda: Employee.objects.create(
            number="N1", name="Olga Berg", sort_name="Berg, Olga", hired_on="2024-01-02"
        ),
    )
    assert rehearsed.counts == {"unchanged": 1}


def test_whose_role_has_ended_meanwhile_applies_nothing(world: World, as_: SignedIn) -> None:
    walk = walk_as(as_, world.kim)
    walk.bring(file(line(world.chen, Pay=RAISED)))
    walk.run.refresh_from_db()
    walk.post("apply_import", version=walk.run.version)
    as_(world.lea).post(reverse("people:end_role", kwargs={"pk": world.kim.grants.get().pk}))
    tasks.apply_imports()
    assert pay_of(world.chen) == "52000.00"


@pytest.mark.parametrize(
    "said",
    [
        {"Grade": "G9"},
        {"Position": "Director"},
        {"FTE": "0.5"},
        {"Pay Rate": RAISED},
        {"Manager": "Chen Wei"},
    ],
    ids=lambda said: next(iter(said)),
)
def test_whatever_decides_the_pay_of_whom_one_leads_is_too_near(
    said: dict[str, str], world: World, as_: SignedIn
) -> None:
    walk = walk_as(as_, world.kim)
    walk.bring(file(line(world.ines, **said)))
    assert walk.fates() == {2: "refused"}


def test_what_does_not_decide_their_pay_is_not(world: World, as_: SignedIn) -> None:
    walk = walk_as(as_, world.kim)
    walk.bring(file(line(world.ines, Location="Harbour 3")))
    assert walk.fates() == {2: "changed"}


def test_nobody_is_brought_under_oneself_or_hired_there(world: World, as_: SignedIn) -> None:
    new = {
        "Number": "N1",
        "Name": "Olga Berg",
        "Hired on": "2024-01-02",
        "Pay": RAISED,
        "Manager": "Kim Larsen",
    }
    elsewhere = {**new, "Number": "N2", "Name": "Pete Vale", "Manager": "Gita Rao"}
    walk = walk_as(as_, world.kim)
    walk.bring(file(line(world.chen, Pay="", Manager="Kim Larsen"), new, elsewhere))
    assert walk.fates() == {2: "refused", 3: "refused", 4: "created"}


def test_what_somebody_settled_before_does_not_lead_a_line_of_others_to_them(
    world: World, as_: SignedIn
) -> None:
    """Kim once decided that a number is hers; another admin's file follows that, and Kim's record is not it."""
    people.grant(world.hugo, "hr_admin")
    said = line(world.chen, Pay=RAISED)
    key = line_memory(said["Number"], said["Name"])
    Settlement.objects.create(
        key=key, choice={"number": of(world.kim).number, "same": True}, decided_by=world.kim
    )
    walk = walk_as(as_, world.hugo)
    walk.bring(file(said))
    assert walk.fates() == {2: "refused"}


@pytest.mark.parametrize("kind", ["title", "grade"])
def test_the_range_of_ones_own_pay_is_brought_by_another(
    kind: str, world: World, as_: SignedIn
) -> None:
    Employee.objects.filter(pk=of(world.kim).pk).update(job_title="HR Lead", grade="G7")
    PayRange.objects.create(job_title="HR Lead", minimum=1, midpoint=2, maximum=3, currency="USD")
    head = "Position,Grade,Salary Min,Salary Mid,Salary Max\n"
    own = "hr lead,,50000,60000,70000\n" if kind == "title" else ",G7,50000,60000,70000\n"
    content = f"{head}{own}Engineer,,40000,50000,60000\n".encode()
    walk = walk_as(as_, world.kim)
    walk.bring(content, kind="pay_ranges")
    assert walk.fates() == {2: "refused", 3: "created"}
    people.grant(world.hugo, "hr_admin")
    other = walk_as(as_, world.hugo)
    other.bring(content, kind="pay_ranges")
    assert "refused" not in other.fates().values()
    # Who only applies it is as near to it as who uploaded it.
    assert walk_as(as_, world.kim, other).apply().status_code == 409


def test_into_an_empty_company_somebody_brings_themselves_and_never_again(
    db: None, as_: SignedIn
) -> None:
    Organisation.objects.create(pk=1, name="Harbour Tools", zone="UTC", currency="USD")
    first = people.make_user(email="kim@example.com", name="Kim Larsen")
    people.grant(first, "hr_admin")
    said = {
        "Number": "1",
        "Name": "Kim Larsen",
        "Hired on": "2020-01-02",
        "E-mail": first.email,
        "Pay": "50000",
    }
    walk = walk_as(as_, first)
    walk.bring(file(said))
    walk.apply()
    assert User.objects.get(pk=first.pk).employee == Employee.objects.get()
    walk.bring(file({**said, "Pay": RAISED}))
    assert walk.fates() == {2: "refused"}


def test_nobody_becomes_somebody_else_by_a_file(world: World, as_: SignedIn) -> None:
    """An HR admin without a record gives their own address to the record of somebody who has one to be had."""
    outside = people.make_user(email="outside@example.com", name="Out Side")
    people.grant(outside, "hr_admin")
    chief = people.make_employee("Chief Boss", world.sales, email="")
    new = {"Number": "N9", "Name": "Out Side", "Hired on": "2024-01-02"}
    walk = walk_as(as_, outside)
    walk.bring(file({**line(chief), "E-mail": outside.email}))
    assert walk.fates() == {2: "refused"}
    walk.bring(file({**new, "E-mail": outside.email}))
    assert walk.fates() == {2: "refused"}
    # Another HR admin brings them in, and the rehearsal says what it comes to.
    other = walk_as(as_, world.kim)
    other.bring(file({**new, "E-mail": outside.email}))
    assert "Out Side signs in with outside@example.com" in " ".join(other.line(2).messages)
    other.apply()
    assert User.objects.get(pk=outside.pk).employee == Employee.objects.get(number="N9")


# --- import: never an address ---------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["ana", "lea", "mira", "noor"])
@pytest.mark.parametrize("closed", [False, True])
def test_no_file_moves_the_address_with_which_somebody_signs_in(
    closed: bool, whose: str, world: World, as_: SignedIn
) -> None:
    user = getattr(world, whose)
    if user.employee_id is None:
        user.employee = people.make_employee(user.name, world.hr, email=user.email)
        user.save(update_fields=["employee"])
    if closed:
        User.objects.filter(pk=user.pk).update(is_active=False)
    walk = walk_as(as_, world.kim)
    walk.bring(file(line(user, **{"E-mail": "kims.other@example.com", "Location": "Harbour 3"})))
    assert walk.fates() == {2: "changed"}
    assert "email" not in walk.line(2).changes
    said = " ".join(walk.line(2).messages)
    assert "kims.other@example.com" in said
    assert user.email in said
    page = walk.client.get(walk.url("rehearsal"), {"fate": "address"}).content.decode()
    assert "Another address" in page
    assert "kims.other@example.com" in page
    walk.apply()
    assert User.objects.get(pk=user.pk).email == user.email
    assert of(user).email == user.email
    assert of(user).location == "Harbour 3"
    # Nothing else of the line: nothing changes.
    walk.bring(file(line(user, **{"E-mail": "kims.other@example.com"})))
    assert walk.fates() == {2: "unchanged"}


def test_the_address_of_an_account_is_not_given_to_somebody_else(
    world: World, as_: SignedIn
) -> None:
    people.sign_in_with(world.lea, "lea.private@example.com")
    new = {
        "Number": "N1",
        "Name": "Olga Berg",
        "Hired on": "2024-01-02",
        "E-mail": "lea.private@example.com",
    }
    walk = walk_as(as_, world.kim)
    walk.bring(file(new))
    assert walk.fates() == {2: "ambiguous"}
    assert "belongs to Lea Roth already" in " ".join(walk.line(2).messages)


def test_the_address_of_whoever_has_no_account_comes_from_the_file(
    world: World, as_: SignedIn
) -> None:
    olga = people.make_employee("Olga Berg", world.sales)
    walk = walk_as(as_, world.kim)
    walk.bring(file({**line(olga), "E-mail": "olga@example.com"}))
    walk.apply()
    olga.refresh_from_db()
    assert olga.email == "olga@example.com"


# --- the edit page ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["kim", "dora"], ids=["own", "whom they report to"])
@pytest.mark.parametrize(
    "verb", ["edit_employee", "change_manager", "add_absence", "set_leave_date"]
)
def test_one_changes_neither_ones_own_record_nor_that_of_whom_one_reports_to(
    verb: str, whose: str, world: World, as_: SignedIn
) -> None:
    person = of(getattr(world, whose))
    data = {
        "version": person.version,
        "name": "Another Name",
        "manager": "",
        "starts_on": today().isoformat(),
        "kind": "leave",
        "left_on": (today() + timedelta(days=9)).isoformat(),
    }
    url = reverse(f"people:{verb}", kwargs={"pk": person.pk})
    assert as_(world.kim).post(url, data).status_code == 403
    person.refresh_from_db()
    assert (person.version, person.left_on) == (1, None)
    profile = (
        as_(world.kim).get(reverse("people:profile", kwargs={"pk": person.pk})).content.decode()
    )
    assert reverse("people:edit_employee", kwargs={"pk": person.pk}) not in profile


@pytest.mark.parametrize("field", ["grade", "job_title"])
def test_what_decides_the_pay_of_whom_one_leads_is_edited_by_another(
    field: str, world: World, as_: SignedIn
) -> None:
    people.grant(world.hugo, "hr_admin")
    ines = of(world.ines)
    data = {
        "version": 1,
        "name": ines.name,
        "email": ines.email,
        "job_title": ines.job_title,
        "grade": ines.grade,
        field: "Director",
    }
    url = reverse("people:edit_employee", kwargs={"pk": ines.pk})
    refused = as_(world.kim).post(url, data)
    assert refused.status_code == 422
    assert field in refused.context["form"].errors
    assert as_(world.hugo).post(url, data).status_code == 302


@pytest.mark.parametrize(
    ("whose", "to"), [("ines", "dora"), ("chen", "kim")], ids=["away", "towards"]
)
def test_nobody_hands_people_from_or_to_themselves(
    whose: str, to: str, world: World, as_: SignedIn
) -> None:
    person, manager = of(getattr(world, whose)), of(getattr(world, to))
    data = {"version": 1, "manager": manager.pick_text, "starts_on": today().isoformat()}
    url = reverse("people:change_manager", kwargs={"pk": person.pk})
    refused = as_(world.kim).post(url, data)
    assert refused.status_code == 422
    assert "manager" in refused.context["manager_form"].errors
    people.grant(world.hugo, "hr_admin")
    assert as_(world.hugo).post(url, data).status_code == 302


def test_somebody_who_has_left_is_still_led_by_whom_they_had(world: World, as_: SignedIn) -> None:
    """Else a day of leaving, taken back afterwards, would open their pay."""
    leave = reverse("people:set_leave_date", kwargs={"pk": of(world.ines).pk})
    gone = {"version": 1, "left_on": (today() - timedelta(days=1)).isoformat(), "leave_reason": ""}
    assert as_(world.kim).post(leave, gone).status_code == 302
    walk = walk_as(as_, world.kim)
    walk.bring(file(line(world.ines, Pay=RAISED)))
    assert walk.fates() == {2: "refused"}
    assert not Notice.objects.filter(kind="role_granted").exists()
