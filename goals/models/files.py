"""What of this app a reader finds on the hub of a person."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Count, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from goals.models.agreement import Goal, readers, readers_of_a_part
from goals.models.contributions import Contribution
from pmcycle.cycles.models import papers
from pmcycle.people.models import User


def file_of(employee_id: int, user: User) -> list[models.QuerySet[Any, Any]]:
    """Their goals in each cycle, single goals that are open to the reader, and what they contributed."""
    in_part = Goal.objects.visible_to(user).shared().filter(participation=OuterRef("pk"))
    counted = (
        in_part.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk")).values("n")
    )
    read = readers(user).filter(employee=employee_id)
    opened = Goal.objects.visible_to(user).filter(participation__employee=employee_id)
    opened = opened.exclude(participation__in=read.values("pk")).exclude(state=Goal.State.WITHDRAWN)
    given = Contribution.objects.visible_to(user).filter(participation__employee=employee_id)
    of_part = {"part": F("participation"), "state": F("state")}
    return [
        papers(
            readers_of_a_part(user).filter(employee=employee_id),
            kind="goals:of",
            subject=F("pk"),
            part=F("pk"),
            number=Coalesce(Subquery(counted), 0),
        ),
        papers(read, kind="goals:contributions", subject=F("pk"), part=F("pk")),
        papers(
            opened,
            kind="goals:detail",
            subject=F("pk"),
            detail=Coalesce("agreed__title", "latest__title"),
            **of_part,
        ),
        papers(
            given,
            kind="goals:contribution",
            subject=F("pk"),
            part=F("participation"),
            at=F("created_at"),
            state=models.Case(
                models.When(confirmed_at__isnull=False, then=Value("confirmed")),
                models.When(declined_at__isnull=False, then=Value("declined")),
                default=Value("asked"),
            ),
        ),
    ]
