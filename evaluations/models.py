"""The closing look: at the person (achievements, shortcomings, development) and at the cycle itself."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from pmcycle.cycles.models import (
    Assignment,
    Cycle,
    Participation,
    Relation,
    StageKind,
    due_day,
    from_outside,
    items,
    open_today,
    papers,
    reached,
    related,
)
from pmcycle.people.models import Employee, User


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    about = "participation__employee"

    def outside(self, user: User) -> Q:
        return from_outside(user, "author")

    def visible_to(self, user: User) -> Self:
        """A draft is its author's; once shared, the person, the line and HR of the unit read it."""
        me = user.employee_id
        own = Q(author=me) if me else Q(pk__in=[])
        shared = ~Q(state=Evaluation.State.DRAFT) & related(
            user,
            Relation.SELF,
            Relation.MANAGER,
            Relation.SKIP_LEVEL,
            Relation.HR_PARTNER,
            Relation.HR_ADMIN,
        )
        return self.filter(own | shared)

    def editable_by(self, user: User) -> Self:
        """The author while the assignment lasts; the person signs (`signable_by`)."""
        me = user.employee_id
        return self.filter(Q(author=me) & related(user, Relation.MANAGER)) if me else self.none()

    def begun_by(self, user: User) -> Self:
        """The drafts in which this user has written; they stay theirs when somebody else leads the person."""
        me = user.employee_id
        if me is None:
            return self.none()
        return self.filter(author=me, state=Evaluation.State.DRAFT, saved_at__isnull=False)

    def signable_by(self, user: User) -> Self:
        pair = related(user, Relation.SELF, Relation.MANAGER)
        return self.filter(pair).exclude(state=Evaluation.State.DRAFT)


class Evaluation(models.Model):
    """The closing evaluation of one participation by its manager.

    A new manager begins a draft of their own, the former one's stays theirs; one of them is shared.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SHARED = "shared", _("Shared for signature")
        SIGNED = "signed", _("Signed")

    class Potential(models.TextChoices):
        GROW = "grow", _("Grow in the present role")
        WIDEN = "widen", _("Ready for a wider role")
        NEXT = "next", _("Ready for the next role")

    participation = models.ForeignKey(
        Participation, on_delete=models.PROTECT, related_name="evaluations"
    )
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    summary = models.TextField(_("summary"), blank=True)
    potential = models.CharField(_("potential"), max_length=8, choices=Potential, blank=True)
    long_term_goal = models.TextField(_("long-term goal"), blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    shared_at = models.DateTimeField(null=True)
    snapshot = models.JSONField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    saved_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "author"], name="evaluation_once_per_author"
            ),
            models.UniqueConstraint(
                fields=["participation"],
                condition=~Q(state="draft"),
                name="evaluation_one_shared_per_person",
                violation_error_message=_("An evaluation of this person is shared already."),
            ),
            models.CheckConstraint(
                condition=Q(state="signed", signed_at__isnull=False, snapshot__isnull=False)
                | (~Q(state="signed") & Q(signed_at__isnull=True)),
                name="evaluation_signed_has_snapshot",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", shared_at__isnull=True)
                | (~Q(state="draft") & Q(shared_at__isnull=False)),
                name="evaluation_shared_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"evaluation of {self.participation_id}"


class Point(models.Model):
    """One achievement or shortcoming with the evidence it rests on (kind and id of a row, and its label)."""

    class Kind(models.TextChoices):
        ACHIEVEMENT = "achievement", _("Achievement")
        SHORTCOMING = "shortcoming", _("Shortcoming")

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="points")
    kind = models.CharField(max_length=12, choices=Kind)
    text = models.TextField()
    evidence_kind = models.CharField(max_length=60, blank=True)
    evidence_id = models.BigIntegerField(null=True)
    evidence_label = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.text


class DevelopmentStep(models.Model):
    """One dated step of the development plan."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="steps")
    text = models.CharField(max_length=300)
    due_on = models.DateField()
    support = models.CharField(max_length=300, blank=True)
    done_at = models.DateTimeField(null=True)
    position = models.PositiveSmallIntegerField(default=0)
    # The goal of development as which it came into the next cycle, at most once.
    carried_to = models.OneToOneField(
        "goals.Goal", null=True, on_delete=models.SET_NULL, related_name="from_step"
    )

    class Meta:
        ordering = ["due_on", "pk"]

    def __str__(self) -> str:
        return self.text


class Signature(models.Model):
    """One side has read and signed, with a comment of their own. Append-only."""

    class Side(models.TextChoices):
        EMPLOYEE = "employee", _("Employee")
        MANAGER = "manager", _("Manager")

    evaluation = models.ForeignKey(Evaluation, on_delete=models.PROTECT, related_name="signatures")
    side = models.CharField(max_length=10, choices=Side)
    signer = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    comment = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "side"], name="evaluation_signature_once_per_side"
            ),
            models.UniqueConstraint(
                fields=["evaluation", "signer"], name="evaluation_signature_two_people"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.side} signs {self.evaluation_id}"


class CycleEvaluationQuerySet(models.QuerySet["CycleEvaluation"]):
    def visible_to(self, user: User) -> Self:
        """HR and auditors always; everybody who works here once it is published."""
        if user.standing.is_hr or user.standing.is_auditor:
            return self
        return self.exclude(published_at__isnull=True) if user.employee_id else self.none()

    def editable_by(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()


class CycleEvaluation(models.Model):
    """What the cycle itself achieved: counted once when HR asks, kept as numbers, published as an act."""

    cycle = models.OneToOneField(Cycle, on_delete=models.PROTECT, related_name="evaluation")
    figures = models.JSONField(default=dict)
    computed_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = CycleEvaluationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"evaluation of cycle {self.cycle_id}"


def followed_in(cycle: Cycle, user: User) -> dict[str, models.QuerySet[Any]]:
    """What HR follows of a cycle in this app, by name: rows to be counted, never the reader's own."""
    people = Participation.objects.overseen_by(user).filter(cycle=cycle).values("pk")
    opened = Evaluation.objects.filter(participation__in=people)
    return {
        "evaluations_shared": opened.filter(state=Evaluation.State.SHARED),
        "evaluations_signed": opened.filter(state=Evaluation.State.SIGNED),
    }


def file_of(employee_id: int, user: User) -> list[models.QuerySet[Any, Any]]:
    """Of a person in this app: closing evaluations that the reader may open, and the one to write."""
    about = Evaluation.objects.visible_to(user).filter(participation__employee=employee_id)
    opened = Evaluation.objects.filter(participation=OuterRef("pk")).exclude(
        state=Evaluation.State.DRAFT
    )
    to_write = Participation.objects.led_by(user).filter(
        ~Exists(opened),
        employee=employee_id,
        state=Participation.State.ACTIVE,
        cycle__state=Cycle.State.RUNNING,
    )
    return [
        papers(
            about.exclude(state=Evaluation.State.DRAFT),
            kind="evaluations:read",
            subject=F("pk"),
            part=F("participation"),
            state=F("state"),
            at=F("saved_at"),
        ),
        papers(to_write, kind="evaluations:write", subject=F("pk"), part=F("pk")),
    ]


def _number(expression: Any) -> Any:
    return Cast(expression, models.BigIntegerField())


def open_items(day: date) -> list[models.QuerySet[Any, Any]]:
    """Evaluations to write (the manager's) and to sign (each side that has not yet), where the stage is
    open for the person."""
    opened = Evaluation.objects.filter(participation=OuterRef("participation")).exclude(
        state=Evaluation.State.DRAFT
    )
    unwritten = Assignment.objects.current(day).filter(
        open_today(StageKind.EVALUATION, "participation"), ~Exists(opened)
    )
    shared = Evaluation.objects.filter(
        open_today(StageKind.EVALUATION, "participation"), state=Evaluation.State.SHARED
    )
    columns = {
        "about": _number(F("participation__employee")),
        "cycle": _number(F("participation__cycle")),
        "due_on": due_day(StageKind.EVALUATION, "participation"),
    }
    return [
        items(
            unwritten,
            kind="evaluations:write",
            stage=StageKind.EVALUATION,
            subject=_number(F("participation")),
            recipient=_number(F("manager")),
            **columns,
        ),
        items(
            shared.exclude(signatures__side=Signature.Side.EMPLOYEE),
            kind="evaluations:sign",
            stage=StageKind.EVALUATION,
            subject=_number(F("pk")),
            recipient=_number(F("participation__employee")),
            **columns,
        ),
        items(
            shared.exclude(signatures__side=Signature.Side.MANAGER),
            kind="evaluations:sign",
            stage=StageKind.EVALUATION,
            subject=_number(F("pk")),
            recipient=_number(F("author")),
            **columns,
        ),
    ]


def milestones() -> list[models.QuerySet[Any, Any]]:
    """Shared by the manager, and signed by both."""
    stage = StageKind.EVALUATION
    opened = Evaluation.objects.filter(shared_at__isnull=False)
    signed = Evaluation.objects.filter(signed_at__isnull=False)
    return [
        reached(opened, kind="shared", stage=stage, step=1, at=F("shared_at")),
        reached(signed, kind="signed", stage=stage, step=2, at=F("signed_at")),
    ]
