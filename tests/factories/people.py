"""People, units and roles for tests."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from pmcycle.access import today
from pmcycle.people.actions import accounts, addresses, importing
from pmcycle.people.authentication import digest
from pmcycle.people.models import (
    Absence,
    AddressChange,
    ApiToken,
    Employee,
    Holiday,
    Import,
    ReportingLine,
    RoleGrant,
    Salary,
    Unit,
    User,
)

PASSWORD = "correct horse battery staple"


def make_unit(name: str, parent: Unit | None = None) -> Unit:
    unit = Unit.objects.create(name=name, parent=parent)
    unit.path = f"{parent.path if parent else ''}{unit.pk}/"
    unit.save(update_fields=["path"])
    return unit


def make_employee(name: str, unit: Unit | None = None, **fields: Any) -> Employee:
    first, _, last = name.rpartition(" ")
    fields.setdefault("number", f"T{Employee.objects.count() + 1:05d}")
    fields.setdefault("email", f"{name.lower().replace(' ', '.')}@example.com")
    fields.setdefault("job_title", "Technician")
    fields.setdefault("grade", "G3")
    fields.setdefault("hired_on", today() - timedelta(days=900))
    return Employee.objects.create(name=name, sort_name=f"{last}, {first}", unit=unit, **fields)


def make_user(employee: Employee | None = None, *, email: str = "", name: str = "") -> User:
    """A user who signs in by `client.force_login`; no password, because hashing is slow."""
    user: User = User.objects.create(
        email=email or (employee.email if employee else ""),
        name=name or (employee.name if employee else email),
        employee=employee,
        password="!unusable",
    )
    return user


def grant(user: User, role: str, unit: Unit | None = None) -> RoleGrant:
    return RoleGrant.objects.create(
        user=user, role=role, unit=unit, starts_on=today() - timedelta(days=400)
    )


def sign_in_with(user: User, email: str) -> None:
    """Let a user have another address, as if its owner had asked for it and confirmed it."""
    now = timezone.now()
    AddressChange.objects.create(
        user=user, email=email, requested_by=user, sent_at=now, confirmed_at=now
    )
    User.objects.filter(pk=user.pk).update(email=email)


def role_request(world: Any) -> dict[str, Any]:
    """The URL of a role for Chen that Lea has asked for."""
    asked = accounts.request_role(world.chen, "auditor", None, today(), None, by=world.lea)
    return {"pk": asked.pk}


def address_of_ana(world: Any) -> dict[str, Any]:
    """The URL of another sign-in address of Ana's that Lea has asked for."""
    change = addresses.request_address(
        world.ana, "ana.new@example.com", "lost mailbox", by=world.lea
    )
    return {"pk": change.pk}


def report(employee: Employee, manager: Employee, starts_on: date | None = None) -> ReportingLine:
    start = starts_on or today() - timedelta(days=800)
    return ReportingLine.objects.create(employee=employee, manager=manager, starts_on=start)


def pay(employee: Employee, annual: str = "52000.00", currency: str = "USD") -> Salary:
    return Salary.objects.create(
        employee=employee,
        amount=annual,
        annual=annual,
        currency=currency,
        effective_from=employee.hired_on,
    )


def ana(world: Any) -> dict[str, Any]:
    """The URL of Ana's record."""
    return {"pk": world.ana.employee_id}


def bashir(world: Any) -> dict[str, Any]:
    """The URL of Bashir's record, to whom others report."""
    return {"pk": world.bashir.employee_id}


def holiday(world: Any) -> dict[str, Any]:
    """The URL of a holiday."""
    return {"pk": Holiday.objects.get_or_create(day=today(), defaults={"name": "Spring"})[0].pk}


def absence_of_ana(world: Any) -> dict[str, Any]:
    """The URL of a leave of Ana that has no end yet."""
    return {"pk": Absence.objects.create(employee=world.ana.employee, starts_on=today()).pk}


PEOPLE_CSV = b'Number,Name,Hired on\n9001,"Stone, Rita",2020-02-03\n'


def rehearsed_import(world: Any) -> dict[str, Any]:
    """The URL of an import of one new person that Kim has rehearsed."""
    run = importing.upload_import("people", "people.csv", PEOPLE_CSV, by=world.kim)
    importing.rehearse(run, by=world.kim)
    return {"pk": Import.objects.latest("pk").pk}


def applied_ranges(world: Any) -> dict[str, Any]:
    """The URL of an import of one pay range that Kim has applied."""
    content = b"Grade,Min,Max\nG1,10000,20000\n"
    run = importing.upload_import("pay_ranges", "ranges.csv", content, by=world.kim)
    importing.apply_import(importing.rehearse(run, by=world.kim), by=world.kim)
    return {"pk": run.pk}


def account_of_ana(world: Any) -> dict[str, Any]:
    """The URL of Ana's account."""
    return {"pk": world.ana.pk}


def role_of_ines(world: Any) -> dict[str, Any]:
    """The URL of the grant that makes Ines HR partner of Production."""
    return {"pk": RoleGrant.objects.get(user=world.ines).pk}


def bearer(user: User, *scopes: str, prefix: str = "abcd") -> dict[str, str]:
    """What a program sends with a token of this user."""
    ApiToken.objects.create(
        user=user,
        name="test",
        prefix=prefix,
        digest=digest("secret"),
        scopes=list(scopes),
        expires_on=today() + timedelta(days=9),
    )
    return {"Authorization": f"Bearer pmc_{prefix}_secret"}


def token_of_ana(world: Any) -> dict[str, Any]:
    """The URL of an API token of Ana's."""
    token, _secret = accounts.create_token(
        world.ana, "probe", ["goals:read"], today() + timedelta(days=9)
    )
    return {"pk": token.pk}
