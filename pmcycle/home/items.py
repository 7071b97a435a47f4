"""What is open, as home, grid and API read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Q

from pmcycle.activity.models import ToDo, named
from pmcycle.home.contributions import NEEDS

COLUMNS = (
    "kind", "subject_id", "recipient_id", "about_id", "named_as", "cycle_id", "stage", "due_on", "phase", "opened_at",
)  # fmt: skip


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


def _items(rows: models.QuerySet[ToDo]) -> list[Item]:
    found: Any = rows.annotate(named_as=named()).values_list(*COLUMNS)
    return [Item(*row) for row in found if row[0] in NEEDS]


def open_items_of(employee_id: int, at: datetime) -> list[Item]:
    """What one person has open at this instant, and what of theirs waits on others."""
    return _items(ToDo.objects.filter(recipient=employee_id).now(at).order_by("due_on", "pk"))


def open_items_about(employee_ids: Sequence[int], cycle_id: int, at: datetime) -> list[Item]:
    """What somebody has to do about these people in one cycle."""
    rows = ToDo.objects.filter(about__in=employee_ids, cycle=cycle_id, phase=ToDo.Phase.TODO).now(at)
    return _items(rows.filter(Q(due_on__isnull=False)).order_by("due_on", "pk"))
