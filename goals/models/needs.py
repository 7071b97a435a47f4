"""What is not done yet in this app, and what people have reached in it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Greatest

from goals.models.agreement import ChangeRequest, Goal, Signature, may_plan_today, sets_of_weights
from goals.models.contributions import Contribution
from goals.models.progress import KeyResult
from goals.rules import QUIET_DAYS, WHOLE
from pmcycle.access import in_force
from pmcycle.cycles.models import (
    Assignment,
    Cycle,
    Participation,
    ParticipationQuerySet,
    StageKind,
    due_day,
    here_today,
    items,
    reached,
)

Rows = list[models.QuerySet[Any, Any]]


def open_items(day: date) -> Rows:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`."""
    return [
        *_to_plan(),
        *_to_answer(day),
        *_changes_to_answer(day),
        _quiet_goals(),
        _contributions_to_confirm(),
    ]


def milestones() -> Rows:
    """Who has agreed goals whose weights come to 100, since when."""
    agreed = (
        Goal.objects.filter(
            participation=OuterRef("pk"),
            horizon=Goal.Horizon.CYCLE,
            state__in=[Goal.State.AGREED, Goal.State.CLOSED],
        )
        .order_by()
        .values("participation")
        .annotate(
            total=models.Sum("agreed__weight"),
            tolerance=models.Count("pk") * Value(Decimal("0.005")),
            since=models.Max("agreed__in_force_from"),
        )
        .filter(total__gte=WHOLE - F("tolerance"), total__lte=WHOLE + F("tolerance"))
    )
    return [
        reached(
            Participation.objects.filter(Exists(agreed)),
            kind="goals_agreed",
            stage=StageKind.OBJECTIVES,
            step=1,
            at=Subquery(agreed.values("since")[:1]),
            to="",
        )
    ]


def _planning() -> ParticipationQuerySet:
    """People whose goals may be planned today."""
    return Participation.objects.filter(may_plan_today())


def _to_plan() -> Rows:
    """Nobody has proposed anything yet; or what there is does not come to 100."""
    known = Goal.objects.shared().filter(participation=OuterRef("pk"))
    columns = {
        "subject": F("pk"),
        "recipient": F("employee"),
        "about": F("employee"),
        "cycle": F("cycle"),
        "due_on": due_day(StageKind.OBJECTIVES),
    }
    missing = _planning().filter(~Exists(known))
    uneven = _planning().filter(Exists(sets_of_weights(is_whole=False)))
    return [
        items(missing, kind="goals:propose", stage=StageKind.OBJECTIVES, **columns),
        items(uneven, kind="goals:complete", stage=StageKind.OBJECTIVES, **columns),
    ]


def _waits_for(side: str, participation: str) -> Exists:
    """Whether proposals of the participation at this lookup wait for a side."""
    signed = Signature.objects.filter(version=OuterRef("latest"), side=side)
    return Exists(
        Goal.objects.filter(
            ~Exists(signed), participation=OuterRef(participation), state=Goal.State.PROPOSED
        )
    )


def _to_answer(day: date) -> Rows:
    """One line a person for all proposals that wait for the same side, and one for who waits."""
    led = Assignment.objects.current(day).filter(
        may_plan_today("participation"), _waits_for(Signature.Side.MANAGER, "participation")
    )
    # What came over and nobody has signed waits for both, so nobody waits for the other yet.
    signed = Signature.objects.filter(version=OuterRef("latest"), side=Signature.Side.EMPLOYEE)
    asked = Goal.objects.filter(
        Exists(signed), participation=OuterRef("participation"), state=Goal.State.PROPOSED
    )
    own = _planning().filter(_waits_for(Signature.Side.EMPLOYEE, "pk"))
    of_led = {
        "subject": F("participation"),
        "about": F("participation__employee"),
        "cycle": F("participation__cycle"),
        "due_on": due_day(StageKind.OBJECTIVES, "participation"),
    }
    return [
        items(
            led, kind="goals:answer", stage=StageKind.OBJECTIVES, recipient=F("manager"), **of_led
        ),
        items(
            led.filter(Exists(asked)),
            kind="goals:waits",
            stage=StageKind.OBJECTIVES,
            recipient=F("participation__employee"),
            named=F("manager"),
            phase=Value("waits", models.CharField()),
            **of_led,
        ),
        items(
            own,
            kind="goals:answer_own",
            stage=StageKind.OBJECTIVES,
            subject=F("pk"),
            recipient=F("employee"),
            about=F("employee"),
            cycle=F("cycle"),
            due_on=due_day(StageKind.OBJECTIVES),
        ),
    ]


def _changes_to_answer(day: date) -> Rows:
    """Changes that wait for the one who did not write them, until they lapse."""
    rows = ChangeRequest.objects.filter(
        state=ChangeRequest.State.OPEN,
        goal__state=Goal.State.AGREED,
        goal__participation__state=Participation.State.ACTIVE,
        goal__participation__cycle__state=Cycle.State.RUNNING,
    )
    employee = F("goal__participation__employee")
    common = {
        "subject": F("goal"),
        "about": employee,
        "cycle": F("goal__cycle"),
        "due_on": F("lapses_on"),
    }
    at = "goal__participation__assignments__"
    return [
        items(
            rows.filter(~Q(new__author=employee)),
            kind="goals:change_own",
            stage=StageKind.OBJECTIVES,
            recipient=employee,
            **common,
        ),
        items(
            rows.filter(in_force(day, prefix=at), new__author=employee),
            kind="goals:change",
            stage=StageKind.OBJECTIVES,
            recipient=F(f"{at}manager"),
            **common,
        ),
    ]


def _quiet_goals() -> models.QuerySet[Any, Any]:
    """Agreed goals of which nobody has said anything for a month: a gentle line without a due day."""
    agreed = (
        Goal.objects.filter(
            participation=OuterRef("pk"),
            state=Goal.State.AGREED,
            key_results__retired_at__isnull=True,
            key_results__isnull=False,
        )
        .order_by("agreed__in_force_from")
        .values("agreed__in_force_from")[:1]
    )
    touched = (
        KeyResult.objects.filter(
            goal__participation=OuterRef("pk"), retired_at__isnull=True, updated_at__isnull=False
        )
        .order_by("-updated_at")
        .values("updated_at")[:1]
    )
    rows = Participation.objects.filter(
        state=Participation.State.ACTIVE, cycle__state=Cycle.State.RUNNING
    ).annotate(agreed_at=Subquery(agreed), touched_at=Subquery(touched))
    quiet_from = ExpressionWrapper(
        Greatest("agreed_at", "touched_at") + timedelta(days=QUIET_DAYS),
        output_field=models.DateTimeField(),
    )
    return items(
        rows.filter(agreed_at__isnull=False),
        kind="goals:progress",
        stage=StageKind.OBJECTIVES,
        subject=F("pk"),
        recipient=F("employee"),
        about=F("employee"),
        cycle=F("cycle"),
        opens_at=quiet_from,
    )


def _contributions_to_confirm() -> models.QuerySet[Any, Any]:
    rows = Contribution.objects.filter(
        confirmed_at__isnull=True,
        declined_at__isnull=True,
        participation__cycle__state=Cycle.State.RUNNING,
        participation__state=Participation.State.ACTIVE,
    ).filter(here_today("beneficiary", "participation__cycle"))
    return items(
        rows,
        kind="goals:confirm",
        stage=StageKind.OBJECTIVES,
        subject=F("pk"),
        recipient=F("beneficiary"),
        about=F("author"),
        cycle=F("participation__cycle"),
    )
