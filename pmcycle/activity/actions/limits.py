"""Counting how often somebody asks, in PostgreSQL, so that a limit holds for all processes and outlives them."""

from __future__ import annotations

import hashlib
import math
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from pmcycle.activity.models import Use
from pmcycle.errors import TooMany

# A span begins with the first time and ends by the clock, whatever is asked meanwhile: who waits gets through.
COUNT = """
INSERT INTO activity_use AS u (key, since, times) VALUES (%(key)s, %(now)s, 1)
ON CONFLICT (key) DO UPDATE SET
  times = CASE WHEN u.since <= %(ended)s THEN 1 ELSE u.times + 1 END,
  since = CASE WHEN u.since <= %(ended)s THEN %(now)s ELSE u.since END
RETURNING times, since
"""


def _key(what: str, who: object) -> str:
    return hashlib.sha256(f"{what}:{who}".encode("utf-8", "replace")).hexdigest()


def count(what: str, who: object) -> int:
    """Count one more `what`, a name in the setting LIMITS, by `who`: the seconds to wait if it is one too many.

    0 means go on.
    """
    most, seconds = settings.LIMITS[what]
    now = timezone.now()
    span = timedelta(seconds=seconds)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"key": _key(what, who), "now": now, "ended": now - span})
        times, since = cursor.fetchone()
    return max(1, math.ceil((since + span - now).total_seconds())) if times > most else 0


def hold_to(what: str, who: object, reason: str = "") -> None:
    """Count one more; raises TooMany if it is one too many. Call it before the work, outside of a transaction."""
    if seconds := count(what, who):
        raise TooMany(seconds, reason)


def give_back(what: str, who: object) -> None:
    """Take one back that turned out to be harmless."""
    Use.objects.filter(key=_key(what, who), times__gt=0).update(times=F("times") - 1)


def forget_uses() -> int:
    """Drop what no limit looks at any more."""
    longest = max(seconds for _most, seconds in settings.LIMITS.values())
    return Use.objects.filter(since__lt=timezone.now() - timedelta(seconds=longest)).delete()[0]
