"""What each app contributes to home, board and reminders: one table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, models
from django.db.models import Q

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


def open_items(condition: Q) -> list[Item]:
    """The open items of all apps that match, in one statement.

    The condition (on `item_recipient`, `item_about`, `item_cycle`) is put into each app's part, so that
    each uses its own indexes.
    """
    parts = [rows.filter(condition) for contribute in OPEN_ITEMS for rows in contribute()]
    if not parts:
        return []
    rows = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return [Item(*row) for row in rows if row[0] in NEEDS]


def open_items_sql() -> tuple[str, list[Any]]:
    """All open items as one SELECT with its parameters; columns as in `ITEM_COLUMNS`."""
    parts: list[models.QuerySet[Any, Any]] = [rows for contribute in OPEN_ITEMS for rows in contribute()]
    if not parts:
        nothing = "SELECT '', 0::bigint, 0::bigint, 0::bigint, '', 0::bigint, '', NULL::date, ''"
        return f"{nothing} WHERE false", []
    rows = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    sql, params = rows.query.get_compiler(connection=connection).as_sql()
    return sql, list(params)
