"""What is not done yet in this app."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.utils import timezone

from goals.models.agreement import ChangeRequest, Goal, Signature
from goals.models.contributions import Contribution
from goals.models.progress import KeyResult
from goals.rules import QUIET_DAYS, WHOLE
from pmcycle.cycles.models import (
    Assignment,
    Cycle,
    Participation,
    ParticipationQuerySet,
    Stage,
    StageKind,
    due_day,
    items,
)


def open_items() -> list[models.QuerySet[Any, Any]]:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`."""
    return [*_to_plan(), *_to_answer(), *_changes_to_answer(), _quiet_goals(), _contributions_to_confirm()]


def _planning() -> ParticipationQuerySet:
    """People who take part in a running cycle whose objectives stage is open."""
    stage_open = Stage.objects.filter(
        cycle=OuterRef("cycle"), kind=StageKind.OBJECTIVES, state=Stage.State.OPEN
    )
    return Participation.objects.filter(
        Exists(stage_open), state=Participation.State.ACTIVE, cycle__state=Cycle.State.RUNNING
    )


def _to_plan() -> list[models.QuerySet[Any, Any]]:
    """Nobody has proposed anything yet; or what there is does not come to 100."""
    known = Goal.objects.shared().filter(participation=OuterRef("pk"))
    weights = (
        Goal.objects.weighing()
        .filter(participation=OuterRef("pk"))
        .order_by()
        .values("participation")
        .annotate(total=models.Sum("latest__weight"), tolerance=models.Count("pk") * Value(Decimal("0.005")))
    )
    columns = {
        "subject": F("pk"), "recipient": F("employee"), "about": F("employee"), "about_name": F("employee__name"),
        "cycle": F("cycle"), "due_on": due_day(StageKind.OBJECTIVES),
    }  # fmt: skip
    missing = _planning().filter(~Exists(known))
    uneven = _planning().filter(
        Exists(weights.filter(Q(total__gt=WHOLE + F("tolerance")) | Q(total__lt=WHOLE - F("tolerance"))))
    )
    return [
        items(missing, kind="goals:propose", stage=StageKind.OBJECTIVES, **columns),
        items(uneven, kind="goals:complete", stage=StageKind.OBJECTIVES, **columns),
    ]


def _to_answer() -> list[models.QuerySet[Any, Any]]:
    """One line a person for all proposals that wait for the same side, and one for who waits."""

    def waiting_for(side: str) -> ParticipationQuerySet:
        signed = Signature.objects.filter(version=OuterRef("latest"), side=side)
        goals = Goal.objects.filter(~Exists(signed), participation=OuterRef("pk"), state=Goal.State.PROPOSED)
        return Participation.objects.filter(
            Exists(goals), state=Participation.State.ACTIVE, cycle__state=Cycle.State.RUNNING
        )

    led = Assignment.objects.current().filter(participation=OuterRef("pk"))
    of_managers = waiting_for(Signature.Side.MANAGER).filter(Exists(led)).with_manager()
    # What came over and nobody has signed waits for both, so nobody waits for the other yet.
    own = Signature.objects.filter(version=OuterRef("latest"), side=Signature.Side.EMPLOYEE)
    asked = Goal.objects.filter(Exists(own), participation=OuterRef("pk"), state=Goal.State.PROPOSED)
    common = {
        "subject": F("pk"),
        "about": F("employee"),
        "cycle": F("cycle"),
        "due_on": due_day(StageKind.OBJECTIVES),
    }
    return [
        items(
            of_managers, kind="goals:answer", stage=StageKind.OBJECTIVES, recipient=F("manager_id"),
            about_name=F("employee__name"), **common,
        ),
        items(
            of_managers.filter(Exists(asked)), kind="goals:waits", stage=StageKind.OBJECTIVES, recipient=F("employee"),
            about_name=F("manager_name"), phase=Value("waits", models.CharField()), **common,
        ),
        items(
            waiting_for(Signature.Side.EMPLOYEE), kind="goals:answer_own", stage=StageKind.OBJECTIVES,
            recipient=F("employee"), about_name=F("employee__name"), **common,
        ),
    ]  # fmt: skip


def _changes_to_answer() -> list[models.QuerySet[Any, Any]]:
    """Changes that wait for the one who did not write them, until they lapse."""
    rows = ChangeRequest.objects.filter(
        state=ChangeRequest.State.OPEN,
        goal__state=Goal.State.AGREED,
        goal__participation__state=Participation.State.ACTIVE,
        goal__participation__cycle__state=Cycle.State.RUNNING,
    )
    employee = F("goal__participation__employee")
    manager = Assignment.objects.current().filter(participation=OuterRef("goal__participation"))
    common = {
        "subject": F("goal"), "about": employee, "about_name": F("goal__participation__employee__name"),
        "cycle": F("goal__cycle"), "due_on": F("lapses_on"),
    }  # fmt: skip
    return [
        items(
            rows.filter(~Q(new__author=employee)), kind="goals:change_own", stage=StageKind.OBJECTIVES,
            recipient=employee, **common,
        ),
        items(
            rows.filter(new__author=employee).annotate(answers=Subquery(manager.values("manager")[:1])).filter(
                answers__isnull=False
            ),
            kind="goals:change", stage=StageKind.OBJECTIVES, recipient=F("answers"), **common,
        ),
    ]  # fmt: skip


def _quiet_goals() -> models.QuerySet[Any, Any]:
    """Agreed goals of which nobody has said anything for a month: a gentle line without a due day."""
    before = timezone.now() - timedelta(days=QUIET_DAYS)
    touched = KeyResult.objects.filter(
        goal__participation=OuterRef("pk"), retired_at__isnull=True, updated_at__gte=before
    )
    quiet = Goal.objects.filter(
        participation=OuterRef("pk"), state=Goal.State.AGREED, agreed__in_force_from__lt=before,
        key_results__retired_at__isnull=True, key_results__isnull=False,
    )  # fmt: skip
    rows = Participation.objects.filter(
        Exists(quiet), ~Exists(touched), state=Participation.State.ACTIVE, cycle__state=Cycle.State.RUNNING
    )
    return items(
        rows, kind="goals:progress", stage=StageKind.OBJECTIVES, subject=F("pk"), recipient=F("employee"),
        about=F("employee"), about_name=F("employee__name"), cycle=F("cycle"),
        due_on=Value(None, models.DateField()),
    )  # fmt: skip


def _contributions_to_confirm() -> models.QuerySet[Any, Any]:
    rows = Contribution.objects.filter(
        confirmed_at__isnull=True, declined_at__isnull=True, participation__cycle__state=Cycle.State.RUNNING,
        participation__state=Participation.State.ACTIVE, beneficiary__left_on__isnull=True,
    )  # fmt: skip
    return items(
        rows, kind="goals:confirm", stage=StageKind.OBJECTIVES, subject=F("pk"), recipient=F("beneficiary"),
        about=F("author"), about_name=F("author__name"), cycle=F("participation__cycle"),
        due_on=Value(None, models.DateField()),
    )  # fmt: skip
