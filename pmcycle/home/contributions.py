"""What each app contributes to home, board and reminders: one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.utils import timezone

import appraisals.models
import appraisals.rules
import evaluations.models
import evaluations.rules
import feedback.models
import feedback.rules
import goals.models
import goals.rules
import incentives.models
import incentives.rules
import pmcycle.cycles.rules
from pmcycle.cycles.models import ITEM_COLUMNS

NEEDS = {
    **pmcycle.cycles.rules.NEEDS,
    **feedback.rules.NEEDS,
    **goals.rules.NEEDS,
    **appraisals.rules.NEEDS,
    **incentives.rules.NEEDS,
    **evaluations.rules.NEEDS,
}

OPEN_ITEMS = (
    feedback.models.open_items,
    goals.models.open_items,
    appraisals.models.open_items,
    incentives.models.open_items,
    evaluations.models.open_items,
)


Contributor = Callable[[], list[models.QuerySet[Any, Any]]]

# Stands for the key of the reader, or of the cycle, while the statement is compiled.
ANY_KEY = 10**15 + 11
NARROWED: dict[str, dict[str, Any]] = {
    "": {},
    "recipient": {"item_recipient": ANY_KEY},
    "cycle": {"item_cycle": ANY_KEY, "item_phase": "todo"},
}


@dataclass(frozen=True)
class Item:
    """One open item; the fields are `ITEM_COLUMNS`."""

    kind: str
    subject: int
    recipient: int
    about: int
    about_name: str
    cycle: int | None
    stage: str
    due_on: date | None
    phase: str


def open_items_of(employee_id: int) -> list[Item]:
    """What one person has open, in one statement that was compiled within this minute."""
    sql, params = _narrowed("recipient", employee_id)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [Item(*row) for row in cursor.fetchall() if row[0] in NEEDS]


def open_items_among(employee_ids: Sequence[int]) -> list[Item]:
    """What these people have open, and what is open about them; compiled within this minute too."""
    sql, params = open_items_sql()
    items = f"WITH item ({', '.join(ITEM_COLUMNS)}) AS ({sql})"
    among = f"{items} SELECT * FROM item WHERE recipient = ANY(%s) OR about = ANY(%s)"  # noqa: S608 - constants
    with connection.cursor() as cursor:
        cursor.execute(among, [*params, list(employee_ids), list(employee_ids)])
        return [Item(*row) for row in cursor.fetchall() if row[0] in NEEDS]


def open_items_sql() -> tuple[str, list[Any]]:
    """All open items as one SELECT with its parameters; columns as in `ITEM_COLUMNS`."""
    return _narrowed("", 0)


def open_items_in_cycle(cycle_id: int) -> tuple[str, list[Any]]:
    """What somebody has to do in one cycle, as one SELECT with its parameters; columns as in `ITEM_COLUMNS`."""
    return _narrowed("cycle", cycle_id)


def _narrowed(to: str, key: int) -> tuple[str, list[Any]]:
    sql, params = _compiled(OPEN_ITEMS, int(timezone.now().timestamp()) // 60, to)
    return sql, [key if value == ANY_KEY else value for value in params]


@lru_cache(maxsize=8)
def _compiled(contributors: tuple[Contributor, ...], minute: int, to: str) -> tuple[str, tuple[Any, ...]]:
    """The union as text. Building it from thirty querysets takes longer than running it for one person.

    It is kept for a minute, because its parameters hold the day and the hour at which it was built.
    """
    parts: list[models.QuerySet[Any, Any]] = [
        rows.filter(**NARROWED[to]) for contribute in contributors for rows in contribute()
    ]
    if not parts:
        nothing = "SELECT '', 0::bigint, 0::bigint, 0::bigint, '', 0::bigint, '', NULL::date, ''"
        return f"{nothing} WHERE false", ()
    whole = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    sql, params = whole.query.get_compiler(connection=connection).as_sql()
    return sql, tuple(params)
