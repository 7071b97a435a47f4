"""Notices of this app: a task and a link, never what was said."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone

from pmcycle.activity.actions import Tell
from pmcycle.people.models import Employee

# What becomes of a meeting so near may come too late with the mails of the next working morning.
SOON = timedelta(days=2)


def to_user(
    person: Employee,
    title: str,
    url: str,
    key: str,
    kind: str = "feedback",
    *,
    due_on: date | None = None,
    meeting_at: datetime | None = None,
) -> list[Tell]:
    """The notice for an employee, if they sign in and their account is open.

    `meeting_at` is when a meeting begins, or would have begun: its mail does not wait if that is soon.
    """
    user = getattr(person, "user", None)
    if user is None or not user.is_active:
        return []
    is_urgent = meeting_at is not None and timezone.now() < meeting_at < timezone.now() + SOON
    return [Tell(user.pk, title, url, f"{key}:{user.pk}", kind, due_on, is_urgent)]
