"""The review that a person asks for, and who may decide it."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appraisals.models.ratings import CalibrationMove
from appraisals.models.results import HR, Release, ReleasedResult
from appraisals.models.writing import Return
from pmcycle.cycles.models import (
    SEATS,
    Assignment,
    ChainLink,
    Participation,
    RatingLevel,
    Relation,
    related,
)
from pmcycle.people.models import User, hr_admins

AT_RESULT = "result__participation"


class AppealQuerySet(models.QuerySet["Appeal"]):
    def visible_to(self, user: User) -> Self:
        """The person, the line above the manager and HR of the unit; the manager once it is decided."""
        others = related(user, Relation.SELF, Relation.SKIP_LEVEL, *HR, to=AT_RESULT)
        decided = Q(decided_at__isnull=False) & related(user, Relation.MANAGER, to=AT_RESULT)
        return self.filter(others | decided)

    def editable_by(self, user: User) -> Self:
        return self.decidable_by(user)

    def decidable_by(self, user: User) -> Self:
        """HR admins and the line above the manager, if they had no part in it.

        A part have: the person, whoever wrote as manager, moved the rating, sent the appraisal back, or
        asked for or approved the release.
        """
        me = user.employee_id
        rows = self.filter(related(user, Relation.HR_ADMIN, Relation.SKIP_LEVEL, to=AT_RESULT))
        rows = rows.exclude(result__participation__rating__moves__by=user)
        rows = rows.exclude(result__participation__appraisals__returns__by=user)
        rows = rows.exclude(result__release__approved_by=user).exclude(result__release__requested_by=user)
        if me:
            rows = rows.exclude(result__participation__employee=me)
            rows = rows.exclude(result__participation__assignments__manager=me)
        return rows


def deciders(result: ReleasedResult) -> models.QuerySet[User]:
    """To whom a review of this result is put: named to the person, told, and shown it on their home.

    At most `SEATS` of those whom `AppealQuerySet.decidable_by` lets decide; HR first, then by name.
    """
    return without_a_part(result.participation_id, result.pk)[:SEATS]


def without_a_part(participation: Any, result: Any, day: date | None = None) -> models.QuerySet[User]:
    """HR admins (of the day) and the line above the manager who had no part in a result.

    The first two arguments are keys, or references to them from a statement that this is part of.
    """
    hr = hr_admins(day).order_by().values("pk")
    line = ChainLink.objects.filter(participation=participation, distance__gte=2).values("above__user")
    releases = Release.objects.filter(results=result)
    had_part = (
        Q(pk__in=CalibrationMove.objects.filter(rating__participation=participation).values("by"))
        | Q(pk__in=Return.objects.filter(appraisal__participation=participation).values("by"))
        | Q(pk__in=releases.values("requested_by"))
        | Q(pk__in=releases.filter(approved_by__isnull=False).values("approved_by"))
        | Q(employee__in=Participation.objects.filter(pk=participation).values("employee"))
        | Q(employee__in=Assignment.objects.filter(participation=participation).values("manager"))
    )
    # The few are named first: asked of everybody whether they are HR or above, it would read every account.
    found: models.QuerySet[User] = (
        User.objects.filter(pk__in=hr.union(line), is_active=True)
        .exclude(had_part)
        .order_by(models.Case(models.When(pk__in=hr, then=0), default=1), "name", "pk")
    )
    return found


class Appeal(models.Model):
    """The person asks for a review; somebody else decides, by a day."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld", _("Upheld: the rating changes")
        DISMISSED = "dismissed", _("Dismissed: the rating stays")

    result = models.OneToOneField(ReleasedResult, on_delete=models.PROTECT, related_name="appeal")
    text = models.TextField()
    filed_at = models.DateTimeField(auto_now_add=True)
    due_on = models.DateField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    decision = models.TextField(blank=True)
    new_level = models.ForeignKey(RatingLevel, null=True, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = AppealQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, outcome="", decided_by__isnull=True)
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(outcome="")),
                name="appeal_decided_has_outcome",
            ),
            models.CheckConstraint(
                condition=Q(outcome="upheld", new_level__isnull=False)
                | (~Q(outcome="upheld") & Q(new_level__isnull=True)),
                name="appeal_upheld_names_the_level",
                violation_error_message=_("An upheld review names the new rating."),
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True) | ~Q(decision=""),
                name="appeal_decision_has_text",
                violation_error_message=_("A decision says why."),
            ),
        ]

    def __str__(self) -> str:
        return f"appeal {self.pk}"
