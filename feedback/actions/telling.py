"""Notices of this app: a task and a link, never what was said."""

from __future__ import annotations

from pmcycle.activity.actions import Tell
from pmcycle.people.models import Employee


def to_user(person: Employee, title: str, url: str, key: str, kind: str = "feedback") -> list[Tell]:
    """The notice for an employee, if they sign in and their account is open."""
    user = getattr(person, "user", None)
    if user is None or not user.is_active:
        return []
    return [Tell(user_id=user.pk, title=title, url=url, key=f"{key}:{user.pk}", kind=kind)]
