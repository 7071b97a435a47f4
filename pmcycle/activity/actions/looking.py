"""Noting in the trail who looked at whose records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.utils import timezone

if TYPE_CHECKING:
    from pmcycle.people.models import User

ONCE_IN = timedelta(hours=1)

# Whoever gives the same page twice within the hour, or at once, puts in no second look, and what is not put in
# is not told. The lines of one reader stand in a stream of their own: its lock makes nobody wait for long work
# that writes in the streams of many people, and nobody's page for another's.
NOTE = """
WITH shown AS (SELECT * FROM ({shown}) every (kind, id, about) WHERE about IS DISTINCT FROM %s),
fresh AS (
  INSERT INTO activity_look (reader_id, page, subject_kind, subject_id, at)
  SELECT %s, %s, kind, id, %s FROM shown ORDER BY kind, id
  ON CONFLICT (reader_id, page, subject_kind, subject_id) DO UPDATE SET at = excluded.at
  WHERE activity_look.at <= %s
  RETURNING subject_kind, subject_id
)
INSERT INTO activity_event
  (stream, seq, at, verb, actor_id, about_id, subject_kind, subject_id, data, request_id, previous_hash, hash)
SELECT %s, 0, %s, 'viewed', %s, shown.about, shown.kind, shown.id, %s::jsonb, %s, '', ''
FROM shown JOIN fresh ON fresh.subject_kind = shown.kind AND fresh.subject_id = shown.id
ORDER BY shown.about, shown.kind, shown.id
"""

FORGET = """
DELETE FROM activity_look WHERE id IN (SELECT id FROM activity_look WHERE at < %s FOR UPDATE SKIP LOCKED)
"""


def note_looks(
    user: User, shown: Sequence[models.QuerySet[Any]], *, page: str, role: str, way: str = "page"
) -> int:
    """One event about each person whose record `user` was shown; how many, without those of the last hour.

    One statement, however many people: a whole payroll file costs as much as a line of it, and a lookup
    of the chain. `shown` are querysets whose classes say in `about` whom a row is about.
    """
    parts, values = [], []
    for rows in shown:
        try:
            sql, params = rows.order_by().values_list("pk", rows.about).query.sql_with_params()  # type: ignore[attr-defined]
        except EmptyResultSet:
            continue
        parts.append(f"SELECT %s::text, one.id, one.about FROM ({sql}) one (id, about)")  # noqa: S608 - compiled
        values += [rows.model._meta.label_lower, *params]
    if not parts:
        return 0
    now = timezone.now()
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    data = json.dumps({"role": role, "page": page, "way": way})
    with connection.cursor() as cursor:
        cursor.execute(
            NOTE.format(shown=" UNION ".join(parts)),
            [
                *(*values, user.employee_id),
                *(user.pk, page[:60], now, now - ONCE_IN),
                *(f"reads:{user.pk}", now, user.pk, data, request_id),
            ],
        )
        return int(cursor.rowcount)


def forget_looks() -> int:
    """Drop what is older than the hour in which a second look leaves no line; what somebody renews now stays."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [timezone.now() - ONCE_IN])
        return int(cursor.rowcount)
