"""What is open, as home, grid and API read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection, models

from pmcycle.activity.models import ToDo, named
from pmcycle.home.contributions import NEEDS
from pmcycle.kept import Kept, any_key, any_moment

COLUMNS = (
    "kind",
    "subject_id",
    "recipient_id",
    "about_id",
    "named_as",
    "cycle_id",
    "stage",
    "due_on",
    "phase",
    "opened_at",
    "cycle__zone",
)


@dataclass(frozen=True)
class Item:
    """One thing that somebody has to do or waits for; the fields are `COLUMNS`."""

    kind: str
    subject: int
    recipient: int
    about: int | None
    name: str
    cycle: int | None
    stage: str
    due_on: date | None
    phase: str
    opened_at: datetime
    zone: str | None


def _shaped(rows: models.QuerySet[ToDo]) -> models.QuerySet[ToDo, Any]:
    return rows.annotate(named_as=named()).order_by("due_on", "pk").values_list(*COLUMNS)


def _of(me: int, at: datetime) -> models.QuerySet[ToDo, Any]:
    return _shaped(ToDo.objects.filter(recipient=me).now(at))


OF: Kept[ToDo] = Kept(_of, me=any_key, at=any_moment)


def open_items_of(employee_id: int, at: datetime) -> list[Item]:
    """What one person has open at this instant, and what of theirs waits on others."""
    found: Any = OF(me=employee_id, at=at)
    return [Item(*row) for row in found if row[0] in NEEDS]


# Where people stand in the stages of a cycle: the furthest milestone, and who has something to do until when.
TURNS = """
SELECT t.about_id, t.stage, t.recipient_id, t.due_on, '', t.kind, t.subject_id FROM activity_todo t
WHERE t.about_id = ANY(%(people)s) AND t.cycle_id = %(cycle)s AND t.phase = 'todo' AND t.due_on IS NOT NULL
  AND t.done_at IS NULL AND t.dropped_at IS NULL
  AND (t.opens_at IS NULL OR t.opens_at <= %(at)s) AND (t.ends_at IS NULL OR t.ends_at > %(at)s)
UNION ALL
SELECT p.employee_id, x.stage, NULL, NULL, x.milestone, '', NULL FROM cycles_participation p
JOIN activity_place x ON x.participation_id = p.id AND x.milestone <> ''
WHERE p.employee_id = ANY(%(people)s) AND p.cycle_id = %(cycle)s
"""


@dataclass
class Turn:
    """One person in one stage: whose turn it is, with the first due day, and how far the person has come.

    `recipients` are those who have something to do, each with kind and subject of what is due first.
    """

    recipients: dict[int, tuple[str, int]] = field(default_factory=dict)
    due_on: date | None = None
    milestone: str = ""


def turns_of(
    employee_ids: Sequence[int], cycle_id: int, at: datetime
) -> dict[tuple[int, str], Turn]:
    """The turns of these people by employee and stage. One statement."""
    found: dict[tuple[int, str], Turn] = defaultdict(Turn)
    with connection.cursor() as cursor:
        cursor.execute(TURNS, {"people": list(employee_ids), "cycle": cycle_id, "at": at})
        # Due days come first, soonest first; the milestones have none.
        rows = sorted(cursor.fetchall(), key=lambda row: (row[3] or date.max, row[6] or 0))
        for about, stage, recipient, due_on, milestone, kind, subject in rows:
            turn = found[about, stage]
            if recipient is None:
                turn.milestone = milestone
            else:
                turn.recipients.setdefault(recipient, (kind, subject))
                turn.due_on = turn.due_on or due_on
    return found
