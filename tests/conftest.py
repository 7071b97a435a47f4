"""The cast: a company that everyone who reads a test knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as drawing
from pytest_django import DjangoDbBlocker

from pmcycle.cycles.models import Cycle, Participation
from pmcycle.people.models import Organisation, Role, Unit, User
from tests import open_items
from tests.company_files import report_line
from tests.factories import cycles, people

# A machine that is busy draws slowly; that says nothing about a rule.
drawing.register_profile("at any pace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
drawing.load_profile("at any pace")


def pytest_report_header() -> str:
    return report_line()


@dataclass
class World:
    """A company of twelve in a running cycle whose four stages are all open.

    Ana is whom it is about. Bashir leads her and Chen; Farid led her until three weeks ago; Dora
    leads Bashir, Farid and Gita; Gita leads Hugo in Sales. Ines is HR partner of Production, Jan of
    Sales. Kim and Lea are HR admins. Mira is an auditor and Noor runs the system; neither of those
    two is an employee.
    """

    cycle: Cycle
    production: Unit
    sales: Unit
    hr: Unit
    ana: User
    bashir: User
    chen: User
    dora: User
    farid: User
    gita: User
    hugo: User
    ines: User
    jan: User
    kim: User
    lea: User
    mira: User
    noor: User
    part: dict[str, Participation]

    @property
    def ana_part(self) -> Participation:
        return self.part["ana"]


# The columns of the access table, and who of the cast stands there in relation to Ana.
ACTORS: dict[str, str | None] = {
    "anonymous": None,
    "owner": "ana",
    "manager": "bashir",
    "former_manager": "farid",
    "skip_level": "dora",
    "other_manager": "gita",
    "colleague": "chen",
    "hr_partner": "ines",
    "other_hr_partner": "jan",
    "hr_admin": "kim",
    "auditor": "mira",
    "it_admin": "noor",
}


def build_world() -> World:
    Organisation.objects.get_or_create(
        pk=1, defaults={"name": "Example Works", "zone": "UTC", "currency": "USD"}
    )
    top = people.make_unit("Example Works")
    production = people.make_unit("Production", top)
    sales = people.make_unit("Sales", top)
    hr = people.make_unit("People", top)
    names = {
        "dora": ("Dora Kiss", top),
        "bashir": ("Bashir Nouri", production),
        "farid": ("Farid Amiri", production),
        "ana": ("Ana Popescu", production),
        "chen": ("Chen Wei", production),
        "gita": ("Gita Rao", sales),
        "hugo": ("Hugo Blanc", sales),
        "ines": ("Ines Costa", hr),
        "jan": ("Jan Novak", hr),
        "kim": ("Kim Larsen", hr),
        "lea": ("Lea Roth", hr),
    }
    staff = {key: people.make_employee(name, unit) for key, (name, unit) in names.items()}
    users = {key: people.make_user(person) for key, person in staff.items()}
    users["mira"] = people.make_user(email="mira.audit@example.com", name="Mira Sand")
    users["noor"] = people.make_user(email="noor.it@example.com", name="Noor Haddad")
    lines = {
        "bashir": ["dora"],
        "farid": ["dora"],
        "gita": ["dora"],
        "ana": ["bashir", "dora"],
        "chen": ["bashir", "dora"],
        "hugo": ["gita", "dora"],
        "kim": ["dora"],
        "ines": ["kim", "dora"],
        "jan": ["kim", "dora"],
        "lea": ["dora"],
    }
    cycle = cycles.make_cycle()
    part: dict[str, Participation] = {}
    for key, line in lines.items():
        people.report(staff[key], staff[line[0]])
        people.pay(staff[key])
        above = (
            [staff["farid"], *[staff[k] for k in line[1:]]]
            if key == "ana"
            else [staff[k] for k in line]
        )
        part[key] = cycles.take_part(cycle, staff[key], *above)
    cycles.change_manager(part["ana"], staff["bashir"])
    people.grant(users["ines"], Role.HR_PARTNER, production)
    people.grant(users["jan"], Role.HR_PARTNER, sales)
    people.grant(users["kim"], Role.HR_ADMIN)
    people.grant(users["lea"], Role.HR_ADMIN)
    people.grant(users["mira"], Role.AUDITOR)
    people.grant(users["noor"], Role.IT_ADMIN)
    return World(cycle=cycle, production=production, sales=sales, hr=hr, part=part, **fresh(users))


def fresh(users: dict[str, User]) -> dict[str, Any]:
    """Users as they are read back, without a standing cached before their grants."""
    found = {
        u.pk: u
        for u in User.objects.select_related("employee").filter(
            pk__in=[u.pk for u in users.values()]
        )
    }
    return {key: found[user.pk] for key, user in users.items()}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, which goes at the end whoever still holds a connection.

    A browser's greenlet has a context of its own, and Django a connection for each context. It begins without
    a life of the installation, as tests leave it that empty the tables.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE activity_life")
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def _open_items(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every action of a test that has a database leaves open what is defined as open, and nothing else."""
    if {"db", "transactional_db", "django_db_reset_sequences"} & set(request.fixturenames) or (
        request.node.get_closest_marker("django_db")
    ):
        open_items.watch(monkeypatch)


@pytest.fixture(autouse=True)
def _seals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test's trail has a folder of its own for its seals: those of another would miss what is gone."""
    monkeypatch.setattr(settings, "TRAIL_SEALS_DIR", str(tmp_path / "seals"))


@pytest.fixture
def world(db: None) -> World:
    return build_world()


class SignedIn:
    """`as_(world.ana).get(url)`: a browser without scripts, signed in as that user."""

    def __call__(self, user: User | None, **defaults: Any) -> Client:
        client = Client(**defaults)
        if user is not None:
            client.force_login(user, backend="pmcycle.people.backends.Backend")
        return client


@pytest.fixture
def as_() -> SignedIn:
    return SignedIn()
