"""The secret address under which a calendar program reads the times of one's check-ins."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from feedback.models import CalendarFeed
from pmcycle.activity.actions import record
from pmcycle.people.models import User


def digest(secret: str) -> str:
    """What the database keeps of an address: enough to recognise it, not to use it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def share_calendar(*, by: User) -> str:
    """A new secret address, shown once; the one before stops working."""
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        CalendarFeed.objects.filter(user=by, revoked_at__isnull=True).update(
            revoked_at=timezone.now()
        )
        feed = CalendarFeed.objects.create(user=by, digest=digest(secret))
        record("shared_calendar", feed, by=by, about=by.employee)
    return secret


def revoke_calendar(*, by: User) -> bool:
    """The address stops working with the next request; whether there was one."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        feed = CalendarFeed.objects.filter(user=by, revoked_at__isnull=True).first()
        if feed is None:
            return False
        CalendarFeed.objects.filter(pk=feed.pk).update(revoked_at=timezone.now())
        record("revoked_calendar", feed, by=by, about=by.employee)
        return True


def end_calendars(users: Collection[int]) -> None:
    """The addresses of closed accounts are none any more; whoever comes back makes another."""
    CalendarFeed.objects.filter(user__in=users, revoked_at__isnull=True).update(
        revoked_at=timezone.now()
    )


def note_calendar_read(feed: CalendarFeed) -> None:
    """Keep when a calendar program last read the address, to the hour; the owner sees it beside Revoke."""
    now = timezone.now()
    CalendarFeed.objects.filter(pk=feed.pk).filter(
        Q(last_read_at__isnull=True) | Q(last_read_at__lt=now - timedelta(hours=1))
    ).update(last_read_at=now)
