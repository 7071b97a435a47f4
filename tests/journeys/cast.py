"""Who walks through the cycle, in each of the companies that a journey is walked in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pmcycle.people.models import Employee, User
from tests.company_files import CompanyFiles, all_files
from tests.journeys.running import Stack
from tests.journeys.walking import Person, Walk

if TYPE_CHECKING:
    from tests.journeys.conftest import Visit

PASSWORD = "correct horse battery staple"
# The cycle that they walk through.
CYCLE = "The year"


@dataclass(frozen=True)
class Cast:
    """Names of people of one company, by their part in the journey. All but the reviewer are one team."""

    manager: str
    # Proposes goals, meets the manager, acknowledges the result.
    employee: str
    # Appeals against the result.
    appellant: str
    # Answers a restraint, whose rise is held.
    held: str
    # Decides the appeal, having had no part in the case.
    reviewer: str
    # Left the company before the cycle.
    leaver: str
    # Leaves in the middle of it.
    leaving: str
    # Two words by which the search of the org chart finds the manager, and who stands above.
    above: str


CASTS = {
    20: Cast(
        manager="Inés Núñez",
        employee="Linh Tran",
        appellant="Omar Haddad",
        held="Ewa Kowal",
        reviewer="Paola Marchetti",
        leaver="Marta Ruiz",
        leaving="Noah Birch",
        above="Ngozi Okafor",
    ),
    301: Cast(
        manager="Simon Roup",
        employee="Jayne Horton",
        appellant="Thomas Murray",
        held="Thelma Petrowsky",
        reviewer="Brandon R LeBlanc",
        leaver="Edward True",
        leaving="Ivan Rogers",
        above="Jennifer Zamora",
    ),
}


@dataclass
class Journey:
    """One company on its way through a cycle."""

    files: CompanyFiles
    cast: Cast
    visit: Visit
    stack: Stack
    walk: Walk
    cycle: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    def user(self, name: str) -> User:
        """The account of somebody, by the name in the company's records."""
        user: User = User.objects.get(name=name)
        return user

    def employee(self, name: str) -> Employee:
        return Employee.objects.get(name=name)

    def person(self, name: str, *, phone: bool = False) -> Person:
        """Somebody signed in, in a browser of their own: where they were last, at first at home.

        Who has not signed in by a password of their own in the step about accounts gets a session as if.
        """
        known = self.walk.people.get(name)
        if known is None or phone:
            page = self.visit(self.user(name), phone=phone)
            return Person(f"{name} (phone)" if phone else name, page, self.walk)
        return known

    def in_cycle(self, name: str, *links: str) -> Person:
        """Somebody of HR, come by links from the cycle's own page."""
        person = self.person(name)
        person.opens("Cycles", f"Everything in it: {CYCLE}", *links)
        return person

    def part(self, name: str) -> int:
        """The key of somebody's participation, as it stands in addresses."""
        from pmcycle.cycles.models import Participation

        return Participation.objects.get(cycle_id=self.cycle, employee__name=name).pk


def companies() -> list[Any]:
    """The companies to walk in, named in the test's id whether the real export lies beside us or not."""
    return [pytest.param(p.values[0], id=str(p.id)) for p in all_files()]
