"""What of this app a reader finds on the hub of a person."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Subquery, Value

from feedback.models.conversations import PAIR, Entry
from feedback.models.giving import Feedback, reports_of
from feedback.models.meetings import CheckIn
from pmcycle.cycles.models import Participation, StageKind, papers, related
from pmcycle.people.models import Employee, User

TALKS_SHOWN = 5


def file_of(employee_id: int, user: User) -> list[models.QuerySet[Any, Any]]:
    """What the reader and the person said to each other, their newest check-ins, and feedback one may read."""
    me = user.employee_id
    if me is None:
        return []
    of_pair = Participation.objects.filter(related(user, *PAIR, to=""), employee=employee_id)
    said = Entry.objects.filter(author=me, conversation__participation=OuterRef("pk"))
    own_words = Participation.objects.filter(employee=employee_id).exclude(
        pk__in=of_pair.values("pk")
    )
    found = [papers(of_pair, kind="feedback:pair", subject=F("pk"), part=F("pk"))]
    found += [
        papers(
            own_words.filter(Exists(said.filter(conversation__stage=stage))),
            kind="feedback:conversation",
            subject=F("pk"),
            part=F("pk"),
            detail=Value(stage),
        )
        for stage in StageKind.values
    ]
    if employee_id != me:
        meetings = CheckIn.objects.visible_to(user).filter(
            models.Q(employee=employee_id) | models.Q(manager=employee_id)
        )
        newest = meetings.order_by("-starts_at", "-pk").values("pk")[:TALKS_SHOWN]
        found.append(
            papers(
                CheckIn.objects.filter(pk__in=newest),
                kind="feedback:check_in",
                subject=F("pk"),
                at=F("starts_at"),
                state=F("state"),
            )
        )
    return found + _feedback(employee_id, user)


def _feedback(employee_id: int, user: User) -> list[models.QuerySet[Any, Any]]:
    """How much feedback of each list is about the person; words stay on the lists."""
    rows = Feedback.objects.visible_to(user).filter(recipient=employee_id)
    lists = {
        "feedback:praise": rows.filter(
            visibility=Feedback.Visibility.PUBLIC, hidden_at__isnull=True
        ),
        "feedback:given": rows.filter(giver=user.employee_id),
        "feedback:team": rows.filter(
            visibility=Feedback.Visibility.MANAGER, recipient__in=reports_of(user.employee_id)
        ),
        "feedback:received": rows if employee_id == user.employee_id else rows.none(),
    }
    found = []
    for kind, wanted in lists.items():
        counted = (
            wanted.order_by()
            .annotate(one=Value(1))
            .values("one")
            .annotate(n=Count("pk"))
            .values("n")
        )
        person = Employee.objects.filter(pk=employee_id, pk__in=wanted.values("recipient"))
        found.append(papers(person, kind=kind, subject=F("pk"), number=Subquery(counted)))
    return found
