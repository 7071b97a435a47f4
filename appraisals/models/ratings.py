"""The rating a manager proposes, what it rests on, and how it is calibrated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from appraisals.models.results import OVERSEERS, ReleasedResult
from appraisals.models.writing import Appraisal
from pmcycle.cycles.models import (
    Cycle,
    Participation,
    RatingLevel,
    Relation,
    from_outside,
    related,
    stands_apart,
)
from pmcycle.people.models import Employee, Unit, User

# Of ratings annotated by `RatingQuerySet.releasable`: low, and nothing cited that was said in time.
FIRST_MENTION = Q(is_below=True, is_heard=False)


class RatingQuerySet(models.QuerySet["Rating"]):
    about = "participation__employee"

    def outside(self, user: User) -> Q:
        return from_outside(user, "proposed_by")

    def visible_to(self, user: User) -> Self:
        """Manager, line, HR of the unit; the person only once it is released."""
        others = related(user, *OVERSEERS) & ~related(user, Relation.SELF)
        released = Q(participation__in=ReleasedResult.objects.values("participation"))
        return self.filter(others | (released & related(user, Relation.SELF)))

    def editable_by(self, user: User) -> Self:
        return self.calibratable_by(user)

    def calibratable_by(self, user: User) -> Self:
        """HR admins who stand apart from the person (`cycles.stands_apart`) and did not propose the rating."""
        if not user.standing.is_hr_admin:
            return self.none()
        rows = self.filter(stands_apart(user))
        return rows.exclude(proposed_by=user.employee_id) if user.employee_id else rows

    def releasable(self, cycle: Cycle, now: datetime, *, by: datetime | None = None) -> Self:
        """Ratings of a cycle that are handed in (`by` an instant, if one is given) and not released yet.

        Annotated with `is_below` (the level that counts needs a mention) and `is_heard` (one was cited that
        somebody else said at least `mention_days` ago). Below and not heard is a first mention.
        """
        handed_in = Appraisal.objects.filter(
            participation=OuterRef("participation"),
            kind=Appraisal.Kind.MANAGER,
            author=OuterRef("proposed_by"),
            submitted_at__isnull=False,
        )
        if by is not None:
            handed_in = handed_in.filter(submitted_at__lte=by)
        heard = Citation.objects.filter(
            appraisal__participation=OuterRef("participation"),
            appraisal__submitted_at__isnull=False,
            entry__said_at__lte=now - timedelta(days=cycle.mention_days),
        ).exclude(entry__author=OuterRef("participation__employee"))
        return self.filter(
            Exists(handed_in),
            ~Exists(ReleasedResult.objects.filter(participation=OuterRef("participation"))),
            participation__cycle=cycle,
            participation__state=Participation.State.ACTIVE,
        ).annotate(
            is_below=Coalesce("calibrated__needs_mention", "proposed__needs_mention"),
            is_heard=Exists(heard),
        )

    def of_session(self, session: CalibrationSession) -> Self:
        """The ratings of the session's units with everything below them; without units, of the whole cycle."""
        rows = self.filter(participation__cycle=session.cycle_id)
        within = Q()
        for unit in session.units.all():
            within |= Q(participation__unit__path__startswith=unit.path)
        return rows.filter(within)


class Rating(models.Model):
    """The manager's proposed level and the calibrated one; both stay. `score` is computed, with its tree."""

    participation = models.OneToOneField(
        Participation, on_delete=models.PROTECT, related_name="rating"
    )
    proposed = models.ForeignKey(RatingLevel, on_delete=models.PROTECT, related_name="+")
    proposed_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    score = models.DecimalField(max_digits=7, decimal_places=4, null=True)
    trace = models.JSONField(default=dict)
    calibrated = models.ForeignKey(
        RatingLevel, null=True, on_delete=models.PROTECT, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)

    objects = RatingQuerySet.as_manager()

    class Meta:
        indexes = [models.Index("proposed_by", name="rating_proposed_by")]

    def __str__(self) -> str:
        return f"rating of {self.participation_id}"

    @property
    def level(self) -> RatingLevel:
        """The level that counts."""
        return self.calibrated or self.proposed

    @property
    def level_id(self) -> int:
        return self.calibrated_id or self.proposed_id


class Citation(models.Model):
    """What a low rating points to: a conversation entry the person had the chance to read before.

    The no-surprise gate counts those said to the person at least `cycle.mention_days` before the release.
    """

    appraisal = models.ForeignKey(Appraisal, on_delete=models.CASCADE, related_name="citations")
    entry = models.ForeignKey("feedback.Entry", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["appraisal", "entry"], name="citation_once")]

    def __str__(self) -> str:
        return f"citation {self.pk}"


class CalibrationSessionQuerySet(models.QuerySet["CalibrationSession"]):
    def visible_to(self, user: User) -> Self:
        """HR admins all; an HR partner those that look at nothing outside their units."""
        if user.standing.is_hr_admin:
            return self
        if not user.standing.partner_paths:
            return self.none()
        mine = Q(pk__in=[])
        for path in user.standing.partner_paths:
            mine |= Q(path__startswith=path)
        outside = Unit.objects.exclude(mine).values("pk")
        return self.filter(units__isnull=False).exclude(units__in=outside).distinct()

    def editable_by(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()


class CalibrationSession(models.Model):
    """HR and others look at the ratings of units side by side."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="calibrations")
    name = models.CharField(_("name"), max_length=120)
    units = models.ManyToManyField(Unit, blank=True, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = CalibrationSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | Q(state="open", closed_at__isnull=True),
                name="calibration_closed_has_time",
            )
        ]

    def __str__(self) -> str:
        return self.name


class CalibrationMoveQuerySet(models.QuerySet["CalibrationMove"]):
    def visible_to(self, user: User) -> Self:
        """Who may see the session reads who moved what and why; never of their own rating."""
        rows = self.filter(session__in=CalibrationSession.objects.visible_to(user))
        return rows.exclude(rating__participation__employee=user.employee_id or 0)


class CalibrationMove(models.Model):
    """A rating moved, with the reason. Append-only."""

    session = models.ForeignKey(CalibrationSession, on_delete=models.PROTECT, related_name="moves")
    rating = models.ForeignKey(Rating, on_delete=models.PROTECT, related_name="moves")
    old = models.ForeignKey(RatingLevel, on_delete=models.PROTECT, related_name="+")
    new = models.ForeignKey(RatingLevel, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = CalibrationMoveQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(old=F("new")), name="calibration_move_moves"),
            models.CheckConstraint(condition=~Q(reason=""), name="calibration_move_has_reason"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"move of {self.rating_id}"
