"""Tell people what waits for them; a notice carries a task and a link, never a text or a rating."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pmcycle.activity.actions import Tell
from pmcycle.people.models import User


def tells(
    users: Iterable[User],
    title: str,
    url: str,
    key: str,
    *,
    kind: str,
    due_on: date | None = None,
    due_zone: str = "",
) -> list[Tell]:
    """The same notice for each of these users, of the kind `appraisals:<kind>`; `due_zone` is where it is due."""
    return [
        Tell(
            user.pk,
            title,
            url,
            f"{key}:{user.pk}",
            f"appraisals:{kind}",
            due_on=due_on,
            due_zone=due_zone,
        )
        for user in users
    ]


def account_of(employee_id: int) -> list[User]:
    """The account of an employee who can sign in, or nothing."""
    return list(User.objects.filter(employee=employee_id, is_active=True))
