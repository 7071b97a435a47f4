"""What is not done yet in this app."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, TruncDate
from django.utils import timezone

from feedback import rules
from feedback.models.giving import FeedbackRequest
from feedback.models.meetings import ActionItem, AgendaPoint, CheckIn
from pmcycle.access import today
from pmcycle.cycles.models import items


def open_items() -> list[models.QuerySet[Any, Any]]:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`.

    Requests to answer, agendas that are empty shortly before a meeting, meetings past and not marked
    as held, actions and promises; each for who must act, and as waiting for who counts on it. None of
    it belongs to a cycle. Whoever has left neither acts nor waits, and nobody acts for or waits for them.
    """
    now = timezone.now()
    asked = FeedbackRequest.objects.filter(state=FeedbackRequest.State.OPEN)
    planned = CheckIn.objects.filter(state=CheckIn.State.PLANNED)
    soon = planned.filter(starts_at__gt=now, starts_at__lte=now + rules.PREPARE_BEFORE)
    length = models.ExpressionWrapper(
        F("minutes") * timedelta(minutes=1), output_field=models.DurationField()
    )
    past = planned.filter(starts_at__lt=now - length)
    todo = ActionItem.objects.open()
    promised, taken = todo.promises(), todo.exclude(owner=F("check_in__manager"))
    found = [
        _item(asked, "request", "reviewer", "about", "due_on"),
        _item(asked, "request", "requester", "reviewer", "due_on", waits=True),
        _item(promised, "promise", "owner", "check_in__employee", "due_on"),
        _item(promised, "promise", "check_in__employee", "owner", "due_on", waits=True),
        _item(taken, "action", "owner", "check_in__manager", "due_on"),
        _item(taken, "action", "check_in__manager", "owner", "due_on", waits=True),
    ]
    for me, other in (("manager", "employee"), ("employee", "manager")):
        mine = AgendaPoint.objects.standing().filter(check_in=OuterRef("pk"), author=OuterRef(me))
        found += [
            _item(soon.exclude(Exists(mine)), "agenda", me, other, TruncDate("starts_at")),
            _item(past, "not_held", me, other, TruncDate("starts_at")),
        ]
    return found


def _item(
    rows: models.QuerySet[Any], kind: str, recipient: str, about: str, due_on: Any, *, waits: bool = False
) -> models.QuerySet[Any, Any]:
    """Open items of one kind; `recipient` and `about` are lookups to the two people."""
    return items(
        rows.filter(_is_here(recipient), _is_here(about)),
        kind=f"feedback:{kind}",
        stage="feedback",
        subject=F("pk"),
        recipient=F(f"{recipient}_id"),
        about=F(f"{about}_id"),
        about_name=F(f"{about}__name"),
        cycle=Cast(Value(None), models.BigIntegerField()),
        due_on=F(due_on) if isinstance(due_on, str) else due_on,
        **({"phase": Value("waits", models.CharField())} if waits else {}),
    )


def _is_here(person: str) -> Q:
    return Q(**{f"{person}__left_on__isnull": True}) | Q(**{f"{person}__left_on__gte": today()})
