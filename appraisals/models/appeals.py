"""The review that a person asks for, and who may decide it."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from appraisals.models.ratings import CalibrationMove, Rating
from appraisals.models.results import HR, Release, ReleasedResult
from appraisals.models.writing import Return
from pmcycle.cycles.models import (
    SEATS,
    ChainLink,
    Participation,
    RatingLevel,
    Relation,
    apart_from,
    from_outside,
    related,
    stands_apart,
)
from pmcycle.people.models import User, hr_admins

AT_RESULT = "result__participation"


class AppealQuerySet(models.QuerySet["Appeal"]):
    about = "result__participation__employee"

    def outside(self, user: User) -> Q:
        return from_outside(user, to=AT_RESULT)

    def visible_to(self, user: User) -> Self:
        """The person, the line above the manager and HR of the unit; the manager once it is decided."""
        others = related(user, Relation.SELF, Relation.SKIP_LEVEL, *HR, to=AT_RESULT)
        decided = Q(decided_at__isnull=False) & related(user, Relation.MANAGER, to=AT_RESULT)
        return self.filter(others | decided)

    def editable_by(self, user: User) -> Self:
        return self.decidable_by(user)

    def to_decide(self) -> Self:
        """Not decided. Of somebody who has left the cycle nothing is decided there, so nobody waits for it."""
        return self.filter(
            decided_at__isnull=True, result__participation__state=Participation.State.ACTIVE
        )

    def decidable_by(self, user: User) -> Self:
        """HR admins, if they had no part in it.

        A part have: the person, their line above, everybody below them, whoever wrote as manager, proposed or
        moved the rating, sent the appraisal back, or asked for or approved the release. Who reports to the one
        who rated decides only where everybody else has a part.
        """
        me = user.employee_id
        rows = self.filter(related(user, Relation.HR_ADMIN, to=AT_RESULT))
        rows = rows.exclude(result__participation__rating__moves__by=user)
        rows = rows.exclude(result__participation__appraisals__returns__by=user)
        rows = rows.exclude(result__release__approved_by=user).exclude(
            result__release__requested_by=user
        )
        if not me:
            return rows
        rows = rows.filter(stands_apart(user, to=AT_RESULT)).exclude(
            result__participation__rating__proposed_by=me
        )
        above_me = ChainLink.objects.filter(participation__employee=me).values("above")
        here, result = OuterRef(OuterRef(AT_RESULT)), OuterRef(OuterRef("result"))
        freer = without_a_part(here, result).exclude(below_who_rated(here))
        return rows.filter(
            ~Q(result__participation__rating__proposed_by__in=above_me) | ~Exists(freer)
        )


def deciders(result: ReleasedResult) -> models.QuerySet[User]:
    """To whom a review of this result is put: named to the person, told, and shown it on their home.

    At most `SEATS` of those whom `AppealQuerySet.decidable_by` lets decide.
    """
    return free_to_decide(result.participation_id, result.pk)[:SEATS]


def below_who_rated(participation: Any) -> Q:
    """Users who report, over however many steps, to whoever proposed the rating."""
    # One statement further in, where a reference reaches one further out.
    inside = OuterRef(participation) if isinstance(participation, OuterRef) else participation
    rated = Rating.objects.filter(participation=inside).values("proposed_by")
    return Q(
        employee__in=ChainLink.objects.filter(above__in=rated).values("participation__employee")
    )


def free_to_decide(
    participation: Any, result: Any, day: date | None = None
) -> models.QuerySet[User]:
    """Those without a part; who reports to the one who rated comes after the others, who stand freer.

    The first two arguments are keys, or references to them from a statement that this is part of.
    """
    below = models.Case(models.When(below_who_rated(participation), then=1), default=0)
    return (
        without_a_part(participation, result, day)
        .annotate(is_below=below)
        .order_by("is_below", "name", "pk")
    )


def without_a_part(
    participation: Any, result: Any, day: date | None = None
) -> models.QuerySet[User]:
    """HR admins (of the day) who had no part in a result: `AppealQuerySet.decidable_by` says who has.

    The first two arguments are keys, or references to them from a statement that this is part of.
    """
    hr = hr_admins(day).order_by().values("pk")
    releases = Release.objects.filter(results=result)
    had_part = (
        Q(pk__in=CalibrationMove.objects.filter(rating__participation=participation).values("by"))
        | Q(pk__in=Return.objects.filter(appraisal__participation=participation).values("by"))
        | Q(pk__in=releases.values("requested_by"))
        | Q(pk__in=releases.filter(approved_by__isnull=False).values("approved_by"))
        | Q(employee__in=Rating.objects.filter(participation=participation).values("proposed_by"))
    )
    # The few are named first: asked of everybody whether they are HR, it would read every account.
    found: models.QuerySet[User] = (
        User.objects.filter(apart_from(participation), pk__in=hr, is_active=True)
        .exclude(had_part)
        .order_by("name", "pk")
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
    new_level = models.ForeignKey(
        RatingLevel, null=True, on_delete=models.PROTECT, related_name="+"
    )
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
