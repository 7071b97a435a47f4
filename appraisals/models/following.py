"""What HR follows of a cycle in this app."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from appraisals.models.appeals import Appeal
from appraisals.models.ratings import FIRST_MENTION, CalibrationSession, Rating
from appraisals.models.results import Release, ReleasedResult
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.people.models import User


def followed_in(cycle: Cycle, user: User) -> dict[str, models.QuerySet[Any]]:
    """What HR follows of a cycle in this app, by name: rows to be counted, never the reader's own."""
    people = Participation.objects.overseen_by(user).filter(cycle=cycle).values("pk")
    ready = Rating.objects.releasable(cycle, timezone.now()).filter(participation__in=people)
    sessions = CalibrationSession.objects.visible_to(user).filter(cycle=cycle)
    reviews = Appeal.objects.filter(result__participation__in=people)
    return {
        "sessions": sessions,
        "sessions_open": sessions.filter(state=CalibrationSession.State.OPEN),
        "ready": ready.exclude(FIRST_MENTION),
        "held_by_first_mention": ready.filter(FIRST_MENTION),
        "released": ReleasedResult.objects.newest().filter(participation__in=people),
        "releases_waiting": Release.objects.visible_to(user).filter(
            cycle=cycle, approved_at__isnull=True, withdrawn_at__isnull=True
        ),
        "reviews": reviews,
        "reviews_undecided": reviews.to_decide(),
    }
