"""Write the history of the two whom a goal concerns, and tell the other one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from goals.models import Goal, Signature
from pmcycle.activity.actions import Tell, record
from pmcycle.cycles.models import Assignment, Participation
from pmcycle.people.models import User


def accounts_of(employees: Iterable[int]) -> dict[int, int]:
    """The users of those of these employees who can sign in."""
    users = User.objects.filter(employee__in=list(employees), is_active=True)
    return dict(users.values_list("employee", "pk"))


def tells(accounts: Iterable[int | None], title: str, url: str, key: str) -> list[Tell]:
    """The same notice for each of these users; None is somebody who cannot sign in."""
    return [Tell(user, title, url, f"{key}:{user}") for user in accounts if user is not None]


def record_and_tell(
    verb: str,
    subject: Goal | Participation,
    participation: Participation,
    side: str,
    title: str,
    *,
    key: str,
    by: User,
    **data: Any,
) -> None:
    """Record what one side did, and tell the other. The title is a task or a fact, never the text of the goal."""
    if side == Signature.Side.EMPLOYEE:
        current = Assignment.objects.current().filter(participation=participation)
        employees = list(current.values_list("manager", flat=True))
    else:
        employees = [participation.employee_id]
    url = reverse("goals:of", args=[participation.pk])
    if isinstance(subject, Goal) and subject.state == Goal.State.AGREED:
        url = reverse("goals:detail", args=[subject.pk])
    told = tells(accounts_of(employees).values(), title % {"name": by.name}, url, f"goals.{key}")
    record(verb, subject, by=by, about=participation.employee, notify=told, **data)
