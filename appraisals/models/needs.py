"""What is not done yet in this app, and what people have reached in it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import BigIntegerField, Exists, ExpressionWrapper, F, OuterRef, Value
from django.db.models.functions import Cast

from appraisals.models.appeals import Appeal, free_to_decide
from appraisals.models.results import Release, ReleasedResult
from appraisals.models.writing import Appraisal, writing_day
from pmcycle.access import in_force
from pmcycle.cycles.models import (
    Cycle,
    Participation,
    StageKind,
    day_of,
    items,
    put_to_each,
    reached,
)
from pmcycle.people.models import hr_admins

Rows = list[models.QuerySet[Any, Any]]


def as_id(expression: str) -> Any:
    return Cast(F(expression), BigIntegerField())


def open_items(day: date) -> Rows:
    """What people have to do in this app, in the shape of `pmcycle.cycles.models.items`.

    Appraisals that can be written today (their stage is open for the person, or they were given back
    until a day of their own), and results to read.
    """
    # Who has left and still has to write about somebody stays: the board says whom it waits for.
    unsent = Appraisal.objects.writable()
    current = Exists(
        Participation.objects.filter(
            in_force(day, prefix="assignments__"),
            pk=OuterRef("participation"),
            assignments__manager=OuterRef("author"),
        )
    )
    columns = {
        "subject": as_id("pk"),
        "about": as_id("participation__employee"),
        "cycle": as_id("participation__cycle"),
        "due_on": writing_day(),
    }
    results = ReleasedResult.objects.newest().filter(
        acknowledgement__isnull=True,
        appeal__isnull=True,
        participation__state=Participation.State.ACTIVE,
        participation__cycle__state=Cycle.State.RUNNING,
    )
    window = ExpressionWrapper(
        day_of(F("released_at"), "participation__cycle") + F("participation__cycle__appeal_days"),
        output_field=models.DateField(),
    )
    stage = StageKind.APPRAISAL
    return [
        items(
            unsent.filter(kind=Appraisal.Kind.SELF),
            kind="appraisals:self",
            stage=stage,
            recipient=as_id("author"),
            **columns,
        ),
        items(
            unsent.filter(current, kind=Appraisal.Kind.MANAGER),
            kind="appraisals:manager",
            stage=stage,
            recipient=as_id("author"),
            **columns,
        ),
        items(
            results,
            kind="appraisals:result",
            stage=stage,
            recipient=as_id("participation__employee"),
            **{**columns, "due_on": window},
        ),
    ]


def matters(day: date) -> Rows:
    """Reviews to decide, and releases that wait for a second person."""
    return [
        *put_to_each(
            Appeal.objects.to_decide(),
            free_to_decide(
                OuterRef(OuterRef("result__participation")), OuterRef(OuterRef("result")), day
            ),
            kind="appraisals:appeal",
            stage=StageKind.APPRAISAL,
            subject=as_id("pk"),
            about=as_id("result__participation__employee"),
            cycle=as_id("result__participation__cycle"),
            due_on=F("due_on"),
        ),
        *put_to_each(
            Release.objects.filter(approved_at__isnull=True, withdrawn_at__isnull=True),
            hr_admins(day).exclude(pk=OuterRef("requested_by")),
            kind="appraisals:release",
            stage=StageKind.APPRAISAL,
            subject=as_id("cycle"),
            about=Cast(Value(None), BigIntegerField()),
            name=F("requested_by__name"),
            cycle=as_id("cycle"),
        ),
    ]


def milestones() -> Rows:
    """Handed in by the person and by the manager, released, acknowledged."""
    sent = Appraisal.objects.filter(submitted_at__isnull=False)
    stage = StageKind.APPRAISAL
    return [
        reached(
            sent.filter(kind=Appraisal.Kind.SELF),
            kind="self_handed_in",
            stage=stage,
            step=1,
            at=F("submitted_at"),
        ),
        reached(
            sent.filter(kind=Appraisal.Kind.MANAGER),
            kind="manager_handed_in",
            stage=stage,
            step=2,
            at=F("submitted_at"),
        ),
        reached(
            ReleasedResult.objects.filter(number=1),
            kind="rating_released",
            stage=stage,
            step=3,
            at=F("released_at"),
        ),
        reached(
            ReleasedResult.objects.filter(acknowledgement__isnull=False),
            kind="acknowledged",
            stage=stage,
            step=4,
            at=F("acknowledgement__at"),
        ),
    ]
