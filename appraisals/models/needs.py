"""What is not done yet in this app."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import BigIntegerField, Exists, ExpressionWrapper, F, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, TruncDate

from appraisals.models.appeals import Appeal
from appraisals.models.ratings import CalibrationMove
from appraisals.models.results import Release, ReleasedResult
from appraisals.models.writing import Appraisal, Return
from pmcycle.access import in_force
from pmcycle.cycles.models import (
    Assignment,
    ChainLink,
    Cycle,
    Extension,
    Participation,
    Stage,
    StageKind,
    items,
)
from pmcycle.people.models import Role, RoleGrant


def stage_due(participation: str) -> Any:
    """The day by which the appraisal stage is due for the participation at this lookup ("" for participations
    themselves), extensions counted."""
    at = f"{participation}__cycle" if participation else "cycle"
    stage = Stage.objects.filter(cycle=OuterRef(at), kind=StageKind.APPRAISAL)
    more = Extension.objects.filter(
        participation=OuterRef(participation or "pk"), stage__kind=StageKind.APPRAISAL
    )
    return Coalesce(Subquery(more.values("due_on")[:1]), Subquery(stage.values("due_on")[:1]))


def as_id(expression: str) -> Any:
    return Cast(F(expression), BigIntegerField())


def _hr_admins() -> models.QuerySet[RoleGrant]:
    """HR admins of today who are employees, so that an open matter can be put to them."""
    return RoleGrant.objects.current().filter(
        role=Role.HR_ADMIN, user__employee__isnull=False, user__is_active=True
    )


def _decider() -> Any:
    """For an appeal: the first HR admin who had no part in the result, else the nearest above the manager."""
    part = "result__participation"
    moved = CalibrationMove.objects.filter(rating__participation=OuterRef(OuterRef(part))).values("by")
    returned = Return.objects.filter(appraisal__participation=OuterRef(OuterRef(part))).values("by")
    wrote = Assignment.objects.filter(participation=OuterRef(OuterRef(part))).values("manager")
    hr = (
        _hr_admins()
        .exclude(user=OuterRef("result__release__requested_by"))
        .exclude(user=OuterRef("result__release__approved_by"))
        .exclude(user__employee=OuterRef(f"{part}__employee"))
        .exclude(user__in=moved)
        .exclude(user__in=returned)
        .exclude(user__employee__in=wrote)
    )
    line = ChainLink.objects.filter(participation=OuterRef(part), distance__gte=2).order_by("distance")
    return Coalesce(
        Subquery(hr.order_by("pk").values("user__employee")[:1]), Subquery(line.values("above")[:1])
    )


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
        "due_on": stage_due("participation"),
    }
    results = ReleasedResult.objects.latest().filter(
        acknowledgement__isnull=True,
        appeal__isnull=True,
        participation__state=Participation.State.ACTIVE,
        participation__cycle__state=Cycle.State.RUNNING,
    )
    window = ExpressionWrapper(
        TruncDate("released_at") + F("participation__cycle__appeal_days"), output_field=models.DateField()
    )
    appeals = Appeal.objects.filter(decided_at__isnull=True)
    releases = Release.objects.filter(approved_at__isnull=True, withdrawn_at__isnull=True).annotate(
        second=Subquery(
            _hr_admins().exclude(user=OuterRef("requested_by")).order_by("pk").values("user__employee")[:1]
        )
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
        items(
            appeals,
            kind="appraisals:appeal",
            stage=StageKind.APPRAISAL,
            subject=as_id("pk"),
            recipient=Cast(_decider(), BigIntegerField()),
            about=as_id("result__participation__employee"),
            about_name=F("result__participation__employee__name"),
            cycle=as_id("result__participation__cycle"),
            due_on=F("due_on"),
        ),
        items(
            releases.filter(second__isnull=False),
            kind="appraisals:release",
            stage=StageKind.APPRAISAL,
            subject=as_id("cycle"),
            recipient=Cast(F("second"), BigIntegerField()),
            about=Cast(F("second"), BigIntegerField()),
            about_name=F("requested_by__name"),
            cycle=as_id("cycle"),
            due_on=Cast(Value(None), models.DateField()),
        ),
    ]
