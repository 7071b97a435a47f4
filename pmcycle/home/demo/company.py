"""People, units, lines, pay and sign-ins of the demo company, written in sets."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from pmcycle.access import today
from pmcycle.activity.actions import insert_new
from pmcycle.home.demo import texts
from pmcycle.home.demo.hours import HOME, Hours, Script
from pmcycle.people.models import (
    Absence,
    Employee,
    Organisation,
    PayRange,
    PrivateProfile,
    ReportingLine,
    Role,
    RoleGrant,
    Salary,
    Unit,
    User,
)

PASSWORD = "look-around-please"
HIRED_BEFORE = 420
# Who has a year behind them that is told.
LONG_HERE = 900
STORIES = (
    "Ana Popescu",
    "Bashir Nouri",
    "Daniel Kowalski",
    "Hugo Blanc",
    "Luis Romero",
    "Farid Amiri",
)


@dataclass
class Company:
    """The rows the other parts of the demo hang on.

    `line` maps an employee to those above, nearest first; `team` to the unit whose work they do, and `place` to
    their place in it, which for the written people is the order in which they are written. `away` are spans of days.
    """

    people: list[Employee]
    by_name: dict[str, Employee]
    line: dict[int, list[Employee]]
    division: dict[int, str]
    pay: dict[int, Decimal]
    users: dict[str, User]
    units: dict[str, Unit]
    team: dict[int, str]
    place: dict[int, int]
    away: dict[int, list[tuple[date, date]]]
    hours: Hours
    script: Script = field(default_factory=Script)
    chance: random.Random = field(default_factory=lambda: random.Random(20))

    def manager_of(self, employee: Employee) -> Employee | None:
        above = self.line[employee.pk]
        return above[0] if above else None

    def at(self, who: Employee | None, days: int, minute: int = 0) -> datetime:
        """A moment in the working hours of that person, so many working days ago."""
        return self.hours.at(days, minute, who.zone if who else HOME)

    def some(self, who: Employee, days: int) -> datetime:
        """The same at some minute of that day."""
        return self.hours.at(days, self.chance.randrange(90) * 5, who.zone)

    def works(self, who: Employee, day: date) -> bool:
        """Whether that person was there on the day."""
        if who.left_on is not None and day > who.left_on:
            return False
        return not any(first <= day <= last for first, last in self.away.get(who.pk, ()))


@dataclass(frozen=True)
class _Seat:
    name: str
    title: str
    grade: str
    annual: int
    sex: str
    division: str
    unit: str
    manager: str | None
    team: str = ""
    place: int = 0


def _seats(count: int | None) -> list[_Seat]:
    """Who sits where. More than the written company is filled up with numbered technicians."""
    name, title, grade, annual, sex = texts.CHIEF
    seats = [_Seat(name, title, grade, annual, sex, "", texts.COMPANY, None)]
    for division, teams in texts.UNITS.items():
        head = teams[""][0][0]
        for team, members in teams.items():
            lead = members[0][0]
            for place, (who, job, level, amount, gender) in enumerate(members):
                above = texts.CHIEF[0] if who == head else head if who == lead else lead
                unit = team or division
                seats.append(
                    _Seat(who, job, level, amount, gender, division, unit, above, unit, place)
                )
    if count is None:
        return seats
    leads: list[str] = []
    chance = random.Random(7)
    for number in range(len(seats) + 1, count + 1):
        division = list(texts.UNITS)[number % len(texts.UNITS)]
        working = [name for name in texts.UNITS[division] if name]
        work = working[number % len(working)]
        if number % 9 == 0 or not leads:
            leads.append(f"Lead {number:06d}")
            head = texts.UNITS[division][""][0][0]
            seats.append(
                _Seat(leads[-1], "Team Lead", "G5", 88000, "f", division, division, head, work)
            )
        else:
            annual = 45000 + chance.randrange(0, 30000, 250)
            seats.append(
                _Seat(
                    f"Person {number:06d}",
                    "Technician",
                    "G3",
                    annual,
                    "mf"[number % 2],
                    division,
                    division,
                    leads[-1],
                    work,
                    number,
                )
            )
    return seats


def _address(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@meridian.example"


def build_company(count: int | None = None) -> Company:
    """Write the company and its sign-ins; `count` people if given, at least the written ones."""
    chance = random.Random(11)
    day = today()
    Organisation.objects.update_or_create(
        pk=1,
        defaults={
            "name": texts.COMPANY,
            "zone": "Europe/Berlin",
            "currency": "EUR",
            # Whoever tries the demo on a Sunday should see a reminder too.
            "working_days": [1, 2, 3, 4, 5, 6, 7],
        },
    )
    units = _units()
    seats = _seats(count)
    people = Employee.objects.bulk_create(
        [
            Employee(
                number=f"{1000 + n}",
                name=s.name,
                sort_name=f"{s.name.split()[-1]}, {s.name.rsplit(' ', 1)[0]}",
                email=_address(s.name),
                job_title=s.title,
                job_family=s.division,
                grade=s.grade,
                unit=units[s.unit],
                location={"Sales": "Boston", "Production": "Gdansk"}.get(s.division, "Berlin"),
                hired_on=day
                - timedelta(
                    days=HIRED_BEFORE
                    + chance.randrange(LONG_HERE if s.name in STORIES else 0, 3200)
                ),
                fte=Decimal("0.8") if n % 11 == 5 else Decimal(1),
                zone=texts.ZONES.get(s.division, HOME),
            )
            for n, s in enumerate(seats)
        ],
        batch_size=5000,
    )
    by_name = {p.name: p for p in people}
    manager = {s.name: s.manager for s in seats}
    line: dict[int, list[Employee]] = {}
    for person in people:
        above, name = [], manager[person.name]
        while name is not None:
            above.append(by_name[name])
            name = manager[name]
        line[person.pk] = above
    pay = {by_name[s.name].pk: Decimal(s.annual) * by_name[s.name].fte for s in seats}
    ReportingLine.objects.bulk_create(
        [
            ReportingLine(employee=p, manager=line[p.pk][0], starts_on=p.hired_on)
            for p in people
            if line[p.pk]
        ],
        batch_size=5000,
    )
    Salary.objects.bulk_create(
        [
            Salary(
                employee=p,
                amount=pay[p.pk],
                annual=pay[p.pk],
                currency="EUR",
                fte=p.fte,
                effective_from=p.hired_on,
            )
            for p in people
        ],
        batch_size=5000,
    )
    PrivateProfile.objects.bulk_create(
        [
            PrivateProfile(
                employee=by_name[s.name],
                sex={"f": "female", "m": "male"}[s.sex],
                born_on=date(
                    day.year - 24 - chance.randrange(0, 38),
                    1 + chance.randrange(12),
                    1 + chance.randrange(28),
                ),
            )
            for s in seats
        ],
        batch_size=5000,
    )
    insert_new(
        [
            PayRange(grade=g, minimum=low, midpoint=mid, maximum=high, currency="EUR")
            for g, (low, mid, high) in texts.PAY_RANGES.items()
        ],
        "(lower(job_title), grade, currency)",
    )
    away = _somebody_leaves_and_somebody_is_away(by_name, day)
    users = _sign_ins(people, units)
    return Company(
        people=people,
        by_name=by_name,
        line=line,
        division={by_name[s.name].pk: s.division for s in seats},
        pay=pay,
        users=users,
        units=units,
        team={by_name[s.name].pk: s.team for s in seats},
        place={by_name[s.name].pk: s.place for s in seats},
        away=away,
        hours=Hours(timezone.now()),
    )


def _units() -> dict[str, Unit]:
    units: dict[str, Unit] = {}

    def add(name: str, parent: Unit | None) -> Unit:
        unit = Unit.objects.create(name=name, parent=parent)
        unit.path = f"{parent.path if parent else ''}{unit.pk}/"
        unit.save(update_fields=["path"])
        units[name] = unit
        return unit

    top = add(texts.COMPANY, None)
    for division, teams in texts.UNITS.items():
        above = add(division, top)
        for team in teams:
            if team:
                add(team, above)
    return units


def _somebody_leaves_and_somebody_is_away(
    by_name: dict[str, Employee], day: date
) -> dict[int, list[tuple[date, date]]]:
    leaver = by_name["Karim Benali"]
    leaver.left_on = day - timedelta(days=25)
    Employee.objects.filter(pk=leaver.pk).update(left_on=leaver.left_on)
    helga, stefan = by_name["Helga Winter"], by_name["Stefan Roth"]
    away = {
        helga.pk: [(day - timedelta(days=30), day + timedelta(days=60))],
        stefan.pk: [(day - timedelta(days=90), day - timedelta(days=60))],
    }
    for person, kind, is_paid in ((helga, "parental leave", True), (stefan, "unpaid leave", False)):
        for first, last in away[person.pk]:
            Absence.objects.create(
                employee=person, kind=kind, is_paid=is_paid, starts_on=first, ends_on=last
            )
    return away


def _sign_ins(people: list[Employee], units: dict[str, Unit]) -> dict[str, User]:
    """Everybody may sign in with the same password; hashing it once keeps large companies quick."""
    hashed = make_password(PASSWORD)
    User.objects.bulk_create(
        [
            User(
                email=p.email, name=p.name, employee=p, password=hashed, is_active=p.left_on is None
            )
            for p in people
        ]
        + [
            User(email="mira.sand@meridian.example", name="Mira Sand", password=hashed),
            User(email="noor.haddad@meridian.example", name="Noor Haddad", password=hashed),
        ],
        batch_size=5000,
    )
    users = {u.name: u for u in User.objects.select_related("employee")}
    start = today() - timedelta(days=400)
    kim, lea = users["Kim Larsen"], users["Lea Roth"]
    grants = [
        ("Kim Larsen", Role.HR_ADMIN, None),
        ("Lea Roth", Role.HR_ADMIN, None),
        ("Milan Horvat", Role.HR_ADMIN, None),
        ("Ines Costa", Role.HR_PARTNER, "Engineering"),
        ("Mira Sand", Role.AUDITOR, None),
        ("Noor Haddad", Role.IT_ADMIN, None),
    ]
    RoleGrant.objects.bulk_create(
        [
            RoleGrant(
                user=users[name],
                role=role,
                unit=units[unit] if unit else None,
                starts_on=start,
                granted_by=None if users[name] in (kim, lea) else kim,
                approved_by=None if users[name] in (kim, lea) else lea,
            )
            for name, role, unit in grants
        ]
    )
    return users


WHO_SIGNS_IN = [
    ("ana.popescu@meridian.example", "employee: goals, self-appraisal, result"),
    ("bashir.nouri@meridian.example", "manager: team, appraisals, rewards"),
    ("dora.kiss@meridian.example", "head of a unit: the line above"),
    ("kim.larsen@meridian.example", "HR admin: cycles, imports, releases"),
    ("lea.roth@meridian.example", "second HR admin: approves what Kim asks for"),
    ("ines.costa@meridian.example", "HR partner of Engineering"),
    ("mira.sand@meridian.example", "auditor"),
    ("noor.haddad@meridian.example", "IT: operations, no HR content"),
]
