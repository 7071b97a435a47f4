"""What of this app a reader finds on the hub of a person."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Case, F, Value, When

from appraisals.models.appeals import Appeal
from appraisals.models.results import ReleasedResult
from appraisals.models.writing import Appraisal
from pmcycle.cycles.models import papers
from pmcycle.people.models import User


def file_of(employee_id: int, user: User) -> list[models.QuerySet[Any, Any]]:
    """Their appraisals as far as the reader may open them, results and reviews: that they exist, not what they say."""
    texts = Appraisal.objects.visible_to(user).filter(participation__employee=employee_id)
    results = (
        ReleasedResult.objects.newest().visible_to(user).filter(participation__employee=employee_id)
    )
    reviews = Appeal.objects.visible_to(user).filter(result__participation__employee=employee_id)
    of_part = {"subject": F("pk"), "part": F("participation")}
    of_text = {**of_part, "detail": F("kind")}
    drafts = texts.filter(submitted_at__isnull=True).editable_by(user)
    is_read = When(acknowledgement__isnull=False, then=Value("acknowledged"))
    return [
        papers(drafts, kind="appraisals:write", at=F("saved_at"), state=Value("draft"), **of_text),
        papers(
            texts.filter(submitted_at__isnull=False),
            kind="appraisals:read",
            at=F("submitted_at"),
            state=Value("submitted"),
            **of_text,
        ),
        papers(
            results,
            kind="appraisals:result",
            at=F("released_at"),
            state=Case(is_read, default=Value("released")),
            **of_part,
        ),
        papers(
            reviews,
            kind="appraisals:appeal",
            subject=F("pk"),
            part=F("result__participation"),
            at=F("filed_at"),
            state=Case(When(decided_at__isnull=False, then=Value("done")), default=Value("open")),
        ),
    ]
