"""What is not done yet in this app."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Coalesce

from feedback import rules
from feedback.models.giving import FeedbackRequest
from feedback.models.meetings import ActionItem, AgendaPoint, CheckIn
from pmcycle.cycles.models import items

AHEAD = rules.PREPARE_BEFORE + timedelta(days=1)


def open_items(day: date) -> list[models.QuerySet[Any, Any]]:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`.

    Requests to answer, agendas that are empty shortly before a meeting, meetings past and not marked
    as held, actions and promises; each for who must act, and as waiting for who counts on it. None of
    it belongs to a cycle. Whoever has left neither acts nor waits, and nobody acts for or waits for them.
    """
    asked = FeedbackRequest.objects.filter(state=FeedbackRequest.State.OPEN)
    # Rows for all that is planned would be many; the day turns before the first of them is shown.
    soon = Cast(Value(day), models.DateTimeField()) + AHEAD
    planned = CheckIn.objects.filter(state=CheckIn.State.PLANNED, starts_at__lt=soon)
    length = ExpressionWrapper(
        F("minutes") * timedelta(minutes=1), output_field=models.DurationField()
    )
    todo = ActionItem.objects.open()
    promised, taken = todo.promises(), todo.exclude(owner=F("check_in__manager"))
    employee, manager = "check_in__employee", "check_in__manager"
    found = [
        _item(asked, "request", "reviewer", "about", "about", "due_on", day),
        _item(asked, "request", "requester", "about", "reviewer", "due_on", day, waits=True),
        _item(promised, "promise", "owner", employee, employee, "due_on", day),
        _item(promised, "promise", employee, employee, "owner", "due_on", day, waits=True),
        _item(taken, "action", "owner", employee, manager, "due_on", day),
        _item(taken, "action", manager, employee, "owner", "due_on", day, waits=True),
    ]
    # In the zone for which the two agreed upon the time; UTC for a meeting without a series.
    zone = Coalesce(F("series__zone"), Value("UTC"))
    local = models.Func(zone, F("starts_at"), function="timezone", output_field=models.CharField())
    meets_on = Cast(local, models.DateField())
    prepare_from = ExpressionWrapper(
        F("starts_at") - rules.PREPARE_BEFORE, output_field=models.DateTimeField()
    )
    ends = ExpressionWrapper(F("starts_at") + length, output_field=models.DateTimeField())
    for me, other in (("manager", "employee"), ("employee", "manager")):
        mine = AgendaPoint.objects.standing().filter(check_in=OuterRef("pk"), author=OuterRef(me))
        empty = planned.exclude(Exists(mine))
        found += [
            _item(
                empty,
                "agenda",
                me,
                "employee",
                other,
                meets_on,
                day,
                opens_at=prepare_from,
                ends_at=F("starts_at"),
            ),
            _item(planned, "not_held", me, "employee", other, meets_on, day, opens_at=ends),
        ]
    return found


def _item(
    rows: models.QuerySet[Any],
    kind: str,
    recipient: str,
    about: str,
    named: str,
    due_on: Any,
    day: date,
    *,
    waits: bool = False,
    **times: Any,
) -> models.QuerySet[Any, Any]:
    """Open items of one kind; `recipient`, `about` and `named` are lookups to people."""
    return items(
        rows.filter(_is_here(recipient, day), _is_here(named, day)),
        kind=f"feedback:{kind}",
        stage="feedback",
        subject=F("pk"),
        recipient=F(f"{recipient}_id"),
        about=F(f"{about}_id"),
        named=F(f"{named}_id"),
        due_on=F(due_on) if isinstance(due_on, str) else due_on,
        **({"phase": Value("waits", models.CharField())} if waits else {}),
        **times,
    )


def _is_here(person: str, day: date) -> Q:
    return Q(**{f"{person}__left_on__isnull": True}) | Q(**{f"{person}__left_on__gte": day})
