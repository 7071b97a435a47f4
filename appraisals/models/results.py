"""The release of results, their immutable snapshots, and that they were read."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from pmcycle.cycles.models import (
    SEATS,
    Cycle,
    Participation,
    RatingLevel,
    Relation,
    from_outside,
    related,
)
from pmcycle.people.models import User, hr_admins

HR = (Relation.HR_PARTNER, Relation.HR_ADMIN)
OVERSEERS = (Relation.MANAGER, Relation.SKIP_LEVEL, *HR)


def second_people(requested_by: Any) -> models.QuerySet[User]:
    """To whom a release is put for approval: at most `SEATS` HR admins, never the one who asked."""
    return hr_admins().exclude(pk=requested_by)[:SEATS]


class ReleaseQuerySet(models.QuerySet["Release"]):
    def visible_to(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()

    editable_by = visible_to


class Release(models.Model):
    """The act that opens results to the people they are about: one asks, another approves."""

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="releases")
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    accepted_first_mentions = models.TextField(blank=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(approved_by__isnull=False),
                name="release_done_was_approved",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")),
                name="release_takes_two_people",
                violation_error_message=_("A release takes a second person."),
            ),
            models.UniqueConstraint(
                fields=["cycle"],
                condition=Q(done_at__isnull=True, withdrawn_at__isnull=True),
                name="release_one_open_per_cycle",
            ),
        ]

    def __str__(self) -> str:
        return f"release {self.pk}"


class ReleasedResultQuerySet(models.QuerySet["ReleasedResult"]):
    about = "participation__employee"

    def outside(self, user: User) -> Q:
        return from_outside(user)

    def visible_to(self, user: User) -> Self:
        return self.filter(related(user, Relation.SELF, *OVERSEERS))

    def editable_by(self, user: User) -> Self:
        """The person acknowledges and appeals."""
        return self.filter(related(user, Relation.SELF))

    def newest(self) -> Self:
        """The version that counts for each participation."""
        newer = ReleasedResult.objects.filter(
            participation=OuterRef("participation"), number__gt=OuterRef("number")
        )
        return self.filter(~Exists(newer))


class ReleasedResult(models.Model):
    """The immutable snapshot a person was given: rating, texts, score tree; `sha256` over the snapshot.

    A correction (a review that was upheld) is the next `number`, with its reason; both are kept. The
    hash is taken by the database over `snapshot::text`, so that it can be taken again from the row.
    """

    participation = models.ForeignKey(
        Participation, on_delete=models.PROTECT, related_name="results", related_query_name="result"
    )
    number = models.PositiveSmallIntegerField(default=1, db_default=1)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="results")
    level = models.ForeignKey(RatingLevel, on_delete=models.PROTECT, related_name="+")
    snapshot = models.JSONField()
    sha256 = models.CharField(max_length=64)
    reason = models.TextField(blank=True, db_default="")
    released_at = models.DateTimeField(db_default=models.functions.Now())

    objects = ReleasedResultQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participation", "number"], name="result_number_once"),
            models.CheckConstraint(
                condition=Q(number=1) | ~Q(reason=""),
                name="result_correction_has_reason",
                violation_error_message=_("A correction says why."),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"result of {self.participation_id}"


class Acknowledgement(models.Model):
    """The person has read the result; not an agreement."""

    result = models.OneToOneField(
        ReleasedResult, on_delete=models.PROTECT, related_name="acknowledgement"
    )
    comment = models.TextField(blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"acknowledged {self.result_id}"
