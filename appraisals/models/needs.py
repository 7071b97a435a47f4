"""What is not done yet in this app."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import BigIntegerField, Exists, ExpressionWrapper, F, OuterRef, Subquery, Value
from django.db.models.functions import Cast, TruncDate

from appraisals.models.appeals import Appeal, without_a_part
from appraisals.models.results import SEATS, Release, ReleasedResult
from appraisals.models.writing import Appraisal
from pmcycle.access import in_force
from pmcycle.cycles.models import (
    Cycle,
    Participation,
    Stage,
    StageKind,
    due_day,
    items,
)
from pmcycle.people.models import User, hr_admins


def as_id(expression: str) -> Any:
    return Cast(F(expression), BigIntegerField())


def _put_to_each(
    rows: models.QuerySet[Any], people: models.QuerySet[User], **columns: Any
) -> list[models.QuerySet[Any, Any]]:
    """The same open matter for each of the first `SEATS` of `people` (a subquery), one part of the union a seat.

    Whoever is no employee has no home to show it on; the notice reaches them.
    """
    seats = [people.values("employee")[seat : seat + 1] for seat in range(SEATS)]
    return [
        items(
            rows.annotate(seat=Subquery(seat)).filter(seat__isnull=False),
            stage=StageKind.APPRAISAL,
            recipient=as_id("seat"),
            **columns,
        )
        for seat in seats
    ]


def open_items() -> list[models.QuerySet[Any, Any]]:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`.

    Appraisals to write while their stage is open, results to read, reviews to decide, and releases that
    wait for a second person.
    """
    open_stages = Stage.objects.filter(kind=StageKind.APPRAISAL, state=Stage.State.OPEN).values("cycle")
    unsent = Appraisal.objects.filter(
        submitted_at__isnull=True,
        participation__state=Participation.State.ACTIVE,
        participation__cycle__state=Cycle.State.RUNNING,
        participation__cycle__in=open_stages,
        author__left_on__isnull=True,
    )
    current = Exists(
        Participation.objects.filter(
            in_force(prefix="assignments__"),
            pk=OuterRef("participation"),
            assignments__manager=OuterRef("author"),
        )
    )
    columns = {
        "subject": as_id("pk"),
        "about": as_id("participation__employee"),
        "about_name": F("participation__employee__name"),
        "cycle": as_id("participation__cycle"),
        "due_on": due_day(StageKind.APPRAISAL, "participation"),
    }
    results = ReleasedResult.objects.newest().filter(
        acknowledgement__isnull=True,
        appeal__isnull=True,
        participation__state=Participation.State.ACTIVE,
        participation__cycle__state=Cycle.State.RUNNING,
    )
    window = ExpressionWrapper(
        TruncDate("released_at") + F("participation__cycle__appeal_days"), output_field=models.DateField()
    )
    return [
        items(
            unsent.filter(kind=Appraisal.Kind.SELF),
            kind="appraisals:self",
            stage=StageKind.APPRAISAL,
            recipient=as_id("author"),
            **columns,
        ),
        items(
            unsent.filter(current, kind=Appraisal.Kind.MANAGER),
            kind="appraisals:manager",
            stage=StageKind.APPRAISAL,
            recipient=as_id("author"),
            **columns,
        ),
        items(
            results,
            kind="appraisals:result",
            stage=StageKind.APPRAISAL,
            subject=as_id("pk"),
            recipient=as_id("participation__employee"),
            about=as_id("participation__employee"),
            about_name=F("participation__employee__name"),
            cycle=as_id("participation__cycle"),
            due_on=window,
        ),
        *_put_to_each(
            Appeal.objects.filter(decided_at__isnull=True),
            without_a_part(OuterRef(OuterRef("result__participation")), OuterRef(OuterRef("result"))),
            kind="appraisals:appeal",
            subject=as_id("pk"),
            about=as_id("result__participation__employee"),
            about_name=F("result__participation__employee__name"),
            cycle=as_id("result__participation__cycle"),
            due_on=F("due_on"),
        ),
        *_put_to_each(
            Release.objects.filter(approved_at__isnull=True, withdrawn_at__isnull=True),
            hr_admins().exclude(pk=OuterRef("requested_by")),
            kind="appraisals:release",
            subject=as_id("cycle"),
            about=as_id("seat"),
            about_name=F("requested_by__name"),
            cycle=as_id("cycle"),
            due_on=Cast(Value(None), models.DateField()),
        ),
    ]
