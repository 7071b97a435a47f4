"""Key results in force, and what was measured."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

import pgtrigger
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import OuterRef, Q
from django.utils.translation import gettext_lazy as _

from goals.models.agreement import Goal, readers
from goals.rules import key_result_progress
from pmcycle.cycles.models import from_outside
from pmcycle.people.models import Employee, User


class KeyResultQuerySet(models.QuerySet["KeyResult"]):
    about = "goal__participation__employee"

    def outside(self, user: User) -> Q:
        return Q(goal__participation__in=readers(user)) & from_outside(
            user, to="goal__participation"
        )

    def visible_to(self, user: User) -> Self:
        return self.filter(goal__in=Goal.objects.visible_to(user))

    def for_list(self) -> Self:
        """Those in force, with the last measured values, oldest first, for a small line."""
        values = (
            ProgressUpdate.objects.filter(key_result=OuterRef("pk"), value__isnull=False)
            .order_by("-at", "-pk")
            .values("value")[:12]
        )
        return (
            self.filter(retired_at__isnull=True)
            .annotate(spark=ArraySubquery(values))
            .order_by("position", "pk")
        )

    def editable_by(self, user: User) -> Self:
        """Progress is recorded by the pair."""
        return self.filter(goal__in=Goal.objects.editable_by(user).filter(state=Goal.State.AGREED))


class KeyResult(models.Model):
    """How one sees that a goal is reached: the key results of the version in force, with their current value."""

    class Kind(models.TextChoices):
        INCREASE = "increase", _("increase to")
        DECREASE = "decrease", _("decrease to")
        KEEP = "keep", _("keep within")
        REACH = "reach", _("reach (yes or no)")
        ZERO = "zero", _("no incidents")

    class Confidence(models.TextChoices):
        ON_TRACK = "on_track", _("On track")
        AT_RISK = "at_risk", _("At risk")
        OFF_TRACK = "off_track", _("Off track")

    goal = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="key_results")
    key = models.CharField(max_length=12)
    position = models.PositiveSmallIntegerField(default=0)
    title = models.CharField(_("title"), max_length=200)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.INCREASE)
    start = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    target = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    low = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    high = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    unit = models.CharField(max_length=20, blank=True)
    current = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    confidence = models.CharField(max_length=10, choices=Confidence, blank=True)
    updated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = KeyResultQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["goal", "key"], name="key_result_key_once")]

    def __str__(self) -> str:
        return self.title

    @property
    def progress(self) -> Decimal | None:
        """In percent of the way from start to target, not capped; None while nobody has said how it stands."""
        if self.updated_at is None:
            return None
        return key_result_progress(
            self.kind,
            self.current,
            start=self.start,
            target=self.target,
            low=self.low,
            high=self.high,
        )


class ProgressUpdateQuerySet(models.QuerySet["ProgressUpdate"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(key_result__goal__in=Goal.objects.followed_by(user))

    def editable_by(self, user: User) -> Self:
        return self.none()


class ProgressUpdate(models.Model):
    """One value at one time with the author's confidence. Append-only; `value` NULL says "no change"."""

    key_result = models.ForeignKey(KeyResult, on_delete=models.CASCADE, related_name="updates")
    value = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    confidence = models.CharField(max_length=10, choices=KeyResult.Confidence)
    note = models.TextField(blank=True)
    link = models.URLField(max_length=500, blank=True)
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())

    objects = ProgressUpdateQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index("key_result", "at", name="progress_of_key_result")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.key_result_id}: {self.value}"
