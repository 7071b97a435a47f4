"""Whose records are too near to somebody to go through their hands: their own, whom they report to, whom they lead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from pmcycle.people.models import Import, ImportLine, ReportingLine, User
from pmcycle.people.rules.hands import touches_pay


@dataclass
class Near:
    """One person, and the employee numbers of whom they report to and of whom they lead."""

    name: str
    # With this an account that has no record yet becomes the record's.
    email: str
    own: str = ""
    job: tuple[str, str] = ("", "")
    above: set[str] = field(default_factory=set)
    led: set[str] = field(default_factory=set)


def hands_of(run: Import) -> set[int]:
    """Who has had a hand in a file so far."""
    return {run.uploaded_by_id, *run.hands.values_list("pk", flat=True)}


class Nearness:
    """Who is near to any of some users, read in two statements."""

    def __init__(self, users: Iterable[int]) -> None:
        self.of: dict[int, Near] = {}
        self.employees: dict[int, Near] = {}
        for user in User.objects.filter(pk__in=list(users)).select_related("employee"):
            near = self.of[user.pk] = Near(user.name, user.email.lower())
            if user.employee is not None:
                near.own = user.employee.number
                near.job = (user.employee.job_title.casefold(), user.employee.grade)
                self.employees[user.employee.pk] = near
        ids = list(self.employees)
        lines = ReportingLine.objects.unended_or_last().filter(
            Q(employee__in=ids) | Q(manager__in=ids)
        )
        for below, above, number, manager in lines.values_list(
            "employee", "manager", "employee__number", "manager__number"
        ):
            if below in self.employees:
                self.employees[below].above.add(manager)
            if above in self.employees:
                self.employees[above].led.add(number)

    def among(self, rows: QuerySet[ImportLine]) -> Iterator[ImportLine]:
        """Of many lines of people those that can be near to anybody at all."""
        near = self.of.values()
        keys = {number for one in near for number in (one.own, *one.above, *one.led) if number}
        own = [one.own for one in near if one.own]
        yield from rows.filter(
            Q(key__in=keys)
            | Q(values__manager_number__in=own)
            | Q(values__email__in=[one.email for one in near])
        ).iterator()

    def why_not(self, line: ImportLine, hands: Iterable[int]) -> str:
        """Why this line, which makes or changes somebody, does not go through these hands; "" if it may."""
        is_new = line.fate == ImportLine.Fate.CREATED
        changed = set(line.values) if is_new else set(line.changes)
        for one in (self.of[hand] for hand in hands if hand in self.of):
            said = {"name": one.name}
            is_theirs = not one.own and line.values.get("email", "").lower() == one.email
            if (one.own and line.key == one.own) or (is_theirs and "email" in changed):
                return (
                    _(
                        "This is the record of %(name)s, who has a hand in this import. Another HR admin brings it."
                    )
                    % said
                )
            if line.key in one.above:
                return (
                    _(
                        "%(name)s, who has a hand in this import, reports to this person. Another HR admin brings it."
                    )
                    % said
                )
            would_lead = bool(one.own) and line.values.get("manager_number") == one.own
            if (
                line.key in one.led or (would_lead and "manager_number" in changed)
            ) and touches_pay(changed, line.values, is_new=is_new):
                words = _(
                    "%(name)s, who has a hand in this import, leads this person: what decides their pay, and who"
                    " leads them, is brought by another HR admin."
                )
                return words % said
        return ""

    def why_not_range(self, values: Mapping[str, Any], hands: Iterable[int]) -> str:
        """Why the pay range of a job does not go through these hands: it is the range of one of them."""
        title, grade = str(values.get("job_title", "")).casefold(), values.get("grade", "")
        for one in (self.of[hand] for hand in hands if hand in self.of):
            own_title, own_grade = one.job
            if (title and title == own_title) or (not title and grade and grade == own_grade):
                words = _(
                    "This is the pay range of %(name)s, who has a hand in this import. Another HR admin brings it."
                )
                return words % {"name": one.name}
        return ""
