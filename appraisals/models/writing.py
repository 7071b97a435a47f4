"""What people write into a form, and who may read it when."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

from appraisals.models.forms import FormVersion, Question
from appraisals.models.results import HR, ReleasedResult
from pmcycle.cycles.models import (
    Cycle,
    Extension,
    Participation,
    RatingLevel,
    Relation,
    StageKind,
    day_in,
    due_day,
    from_outside,
    open_today,
    related,
)
from pmcycle.people.models import Employee, User


class AppraisalQuerySet(models.QuerySet["Appraisal"]):
    about = "participation__employee"

    def outside(self, user: User) -> Q:
        return from_outside(user, "author")

    def visible_to(self, user: User) -> Self:
        """Whose text `user` may read now.

        Drafts: the author alone. A submitted self-appraisal: the person, the manager (where the cycle
        says so, only after a draft of their own is saved), the line above and HR of the unit. A submitted
        manager appraisal: its author, the manager, the line, HR; the person only once a result is released.
        Whoever is the manager gets no earlier look by another role: subtraction wins.
        """
        me = user.employee_id
        own = Q(author=me) if me else Q(pk__in=[])
        manager = related(user, Relation.MANAGER)
        above = related(user, Relation.SKIP_LEVEL, *HR) & ~related(user, Relation.SELF)
        wrote_first = Q(participation__cycle__self_opens_after_draft=False) | Exists(
            Appraisal.objects.filter(
                participation=OuterRef("participation"),
                kind=Appraisal.Kind.MANAGER,
                author=me,
                saved_at__isnull=False,
            )
        )
        self_text = Q(kind=Appraisal.Kind.SELF) & ((manager & wrote_first) | (above & ~manager))
        manager_text = (
            Q(kind=Appraisal.Kind.MANAGER) & (manager | above) & ~related(user, Relation.SELF)
        )
        released = (
            Q(kind=Appraisal.Kind.MANAGER)
            & Q(participation__in=ReleasedResult.objects.values("participation"))
            & related(user, Relation.SELF)
        )
        return self.filter(
            own | (Q(submitted_at__isnull=False) & (self_text | manager_text | released))
        )

    def editable_by(self, user: User) -> Self:
        """The author, until it is submitted; a manager only while the assignment lasts."""
        me = user.employee_id
        if me is None:
            return self.none()
        return self.filter(author=me, submitted_at__isnull=True).filter(
            Q(kind=Appraisal.Kind.SELF, participation__employee=me)
            | (Q(kind=Appraisal.Kind.MANAGER) & related(user, Relation.MANAGER))
        )

    def citable_by(self, user: User) -> Self:
        """The manager who wrote it may name what it rests on, also after handing it in."""
        me = user.employee_id
        mine = self.filter(author=me, kind=Appraisal.Kind.MANAGER) if me else self.none()
        return mine.filter(related(user, Relation.MANAGER))

    def returnable_by(self, user: User) -> Self:
        """A submitted appraisal goes back to its author by the manager's manager or by HR, with a reason.

        Never by its author, and never by the person it is about.
        """
        rows = self.filter(submitted_at__isnull=False).exclude(author=user.employee_id or 0)
        line = Q(kind=Appraisal.Kind.MANAGER) & related(user, Relation.SKIP_LEVEL)
        return rows.filter(
            (line | related(user, Relation.HR_ADMIN)) & ~related(user, Relation.SELF)
        )

    def writable(self) -> Self:
        """What its author may still write and hand in today; `actions.writing` judges the same under a lock.

        The stage is open for the person, or the form was given back and its own day has not passed.
        """
        newer = Return.objects.filter(
            appraisal=OuterRef("appraisal"), number__gt=OuterRef("number")
        )
        given_back = Return.objects.filter(
            ~Exists(newer), open_until__gte=day_in("appraisal__participation__cycle")
        )
        own_day = Q(
            pk__in=given_back.values("appraisal"),
            participation__state=Participation.State.ACTIVE,
            participation__cycle__state=Cycle.State.RUNNING,
        )
        return self.filter(
            open_today(StageKind.APPRAISAL, "participation") | own_day, submitted_at__isnull=True
        )

    def with_context(self) -> Self:
        """Everything that an appraisal's own page says around the text, in the same statement."""
        return self.select_related(
            "participation__employee__user",
            "participation__unit",
            "participation__cycle",
            "author",
            "level",
            "form_version__form",
        )


def writing_day() -> Any:
    """The day by which an appraisal is to be written.

    Where it was given back, the day named then, or a later one by extension; else the stage's day for
    the person.
    """
    more = Extension.objects.filter(
        stage__kind=StageKind.APPRAISAL, participation=OuterRef("appraisal__participation")
    )
    # GREATEST passes over what is empty.
    back = (
        Return.objects.filter(appraisal=OuterRef("pk"))
        .order_by("-number")
        .annotate(own=Greatest("open_until", Subquery(more.values("due_on")[:1])))
    )
    return Coalesce(Subquery(back.values("own")[:1]), due_day(StageKind.APPRAISAL, "participation"))


class Appraisal(models.Model):
    """What one author writes about one participation, on one frozen form."""

    class Kind(models.TextChoices):
        SELF = "self", _("Self-appraisal")
        MANAGER = "manager", _("Manager appraisal")

    participation = models.ForeignKey(
        Participation, on_delete=models.PROTECT, related_name="appraisals"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    author = models.ForeignKey(
        Employee, on_delete=models.PROTECT, related_name="appraisals_written"
    )
    form_version = models.ForeignKey(
        FormVersion, on_delete=models.PROTECT, related_name="appraisals"
    )
    saved_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    level = models.ForeignKey(RatingLevel, null=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1, db_default=1)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    objects = AppraisalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "kind", "author"], name="appraisal_once_per_author"
            ),
            models.CheckConstraint(
                condition=Q(kind="manager") | Q(level__isnull=True),
                name="appraisal_only_managers_rate",
                violation_error_message=_("Nobody proposes their own rating."),
            ),
        ]
        indexes = [models.Index("author", "submitted_at", name="appraisal_of_author")]

    def __str__(self) -> str:
        return f"{self.kind} {self.participation_id}"


class Answer(models.Model):
    """The answer to one question (for goal ratings: one per goal)."""

    appraisal = models.ForeignKey(Appraisal, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="+")
    goal = models.ForeignKey("goals.Goal", null=True, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(blank=True)
    level = models.ForeignKey(RatingLevel, null=True, on_delete=models.PROTECT, related_name="+")
    choice = models.CharField(max_length=200, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["appraisal", "question", "goal"], name="answer_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"answer {self.pk}"


class Submission(models.Model):
    """The author's act of handing in version n, with the answers as they were. Append-only."""

    appraisal = models.ForeignKey(Appraisal, on_delete=models.CASCADE, related_name="submissions")
    number = models.PositiveSmallIntegerField()
    answers = models.JSONField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["appraisal", "number"], name="submission_number_once")
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.appraisal_id} v{self.number}"


class Return(models.Model):
    """A submitted appraisal went back to its author, with the reason; version n stays as it was. Append-only."""

    class Kind(models.TextChoices):
        RETURNED = "returned", _("Returned for rework")
        REOPENED = "reopened", _("Opened again")

    appraisal = models.ForeignKey(Appraisal, on_delete=models.CASCADE, related_name="returns")
    kind = models.CharField(max_length=10, choices=Kind)
    number = models.PositiveSmallIntegerField()
    why = models.TextField()
    # The last day, in the cycle's zone, on which it can be written whatever the stage says. Empty: as the stage says.
    open_until = models.DateField(_("can be written until"), null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["appraisal", "number"], name="return_once_per_submission"
            ),
            models.CheckConstraint(
                condition=~Q(why=""),
                name="return_has_reason",
                violation_error_message=_("Say why it goes back."),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.appraisal_id} back after v{self.number}"
