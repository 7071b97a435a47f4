"""Goals that count only when both sides agreed to the same text, their key results and their progress."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pmcycle.cycles.models import Participation, Relation, related
from pmcycle.people.models import Employee, Unit, User


class GoalQuerySet(models.QuerySet["Goal"]):
    def visible_to(self, user: User) -> Self:
        """Drafts: their author. Then the pair, the line, HR of the unit — and whom the owner opened it to.

        Team and organisation goals are open to all once they are agreed (published).
        """
        drafts = Q(state=Goal.State.DRAFT)
        mine = drafts & Q(created_by=user.pk)
        shared = ~drafts & related(
            user, Relation.SELF, Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_PARTNER, Relation.HR_ADMIN
        )
        found = mine | shared
        me = user.employee
        if me is not None:
            opened = Q(visibility=Goal.Visibility.EVERYONE)
            if me.unit_id:
                opened |= Q(visibility=Goal.Visibility.UNIT, participation__unit=me.unit_id)
            found |= Q(state__in=[Goal.State.AGREED, Goal.State.CLOSED]) & (opened | Q(participation__isnull=True))
        return self.filter(found)

    def editable_by(self, user: User) -> Self:
        """The pair; drafts their author; company and team goals HR and the unit's head."""
        drafts = Q(state=Goal.State.DRAFT)
        pair = ~drafts & related(user, Relation.SELF, Relation.MANAGER)
        company = ~drafts & Q(participation__isnull=True) if user.standing.is_hr_admin else Q(pk__in=[])
        return self.filter((drafts & Q(created_by=user.pk)) | pair | company)


class Goal(models.Model):
    """What is to be reached. Text, weight and key results live in versions; `agreed` names the one in force."""

    class Horizon(models.TextChoices):
        CYCLE = "cycle", _("This cycle")
        LONG_TERM = "long_term", _("Long-term")
        DEVELOPMENT = "development", _("Development")

    class Visibility(models.TextChoices):
        PAIR = "pair", _("The two of us")
        LINE = "line", _("Our line")
        UNIT = "unit", _("Our unit")
        EVERYONE = "everyone", _("Everyone")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PROPOSED = "proposed", _("Proposed")
        AGREED = "agreed", _("Agreed")
        CLOSED = "closed", _("Closed")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    participation = models.ForeignKey(Participation, null=True, on_delete=models.PROTECT, related_name="goals")
    unit = models.ForeignKey(Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="goals")
    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.PROTECT, related_name="goals")
    horizon = models.CharField(_("horizon"), max_length=12, choices=Horizon, default=Horizon.CYCLE)
    visibility = models.CharField(_("who may see it"), max_length=10, choices=Visibility, default=Visibility.LINE)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="aligned")
    carried_from = models.OneToOneField("self", null=True, on_delete=models.SET_NULL, related_name="carried_to")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    latest = models.ForeignKey("GoalVersion", null=True, on_delete=models.PROTECT, related_name="+")
    agreed = models.ForeignKey("GoalVersion", null=True, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    result = models.DecimalField(max_digits=7, decimal_places=2, null=True)
    version = models.PositiveIntegerField(default=1)

    objects = GoalQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["agreed", "closed"]) | Q(agreed__isnull=False),
                name="goal_agreed_names_the_version",
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("pk")), name="goal_not_its_own_parent"
            ),
        ]

    def __str__(self) -> str:
        return f"goal {self.pk}"


class GoalVersion(models.Model):
    """One wording of a goal by one author. Never edited once proposed: another wording is another version.

    `key_results` is a list of {key, title, kind, start, target, low, high, unit} with decimals as text;
    `key` is stable across versions, so that progress stays with its key result.
    """

    goal = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(_("title"), max_length=200)
    why = models.TextField(_("why it matters"), blank=True)
    weight = models.DecimalField(_("weight"), max_digits=5, decimal_places=2, null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    key_results = models.JSONField(default=list)
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(null=True)
    in_force_from = models.DateTimeField(null=True)
    in_force_to = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["goal", "number"], name="goal_version_number_once"),
            models.CheckConstraint(
                condition=Q(weight__isnull=True) | Q(weight__gt=0, weight__lte=100), name="goal_version_weight",
                violation_error_message=_("A weight is more than 0 and at most 100."),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Signature(models.Model):
    """One side's yes to one version. A goal is agreed when both sides signed the same version."""

    class Side(models.TextChoices):
        EMPLOYEE = "employee", _("Employee")
        MANAGER = "manager", _("Manager")

    version = models.ForeignKey(GoalVersion, on_delete=models.CASCADE, related_name="signatures")
    side = models.CharField(max_length=10, choices=Side)
    signer = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "side"], name="goal_signature_once_per_side"),
            models.UniqueConstraint(
                fields=["version", "signer"], name="goal_signature_two_people",
                violation_error_message=_("One person cannot sign for both sides."),
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.side} signs {self.version_id}"


class KeyResultQuerySet(models.QuerySet["KeyResult"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(goal__in=Goal.objects.visible_to(user))

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


class ProgressUpdateQuerySet(models.QuerySet["ProgressUpdate"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(key_result__in=KeyResult.objects.visible_to(user))

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
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.key_result_id}: {self.value}"


class ChangeRequest(models.Model):
    """A wish to change an agreed goal: the new wording, the reason, and how it ended."""

    class Reason(models.TextChoices):
        STRATEGY = "strategy", _("The strategy changed")
        RESOURCES = "resources", _("Resources changed")
        ERROR = "error", _("There was an error in it")
        ABSENCE = "absence", _("Absence")
        OTHER = "other", _("Another reason")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        AGREED = "agreed", _("Agreed")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        LAPSED = "lapsed", _("Lapsed")

    goal = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="change_requests")
    old = models.ForeignKey(GoalVersion, on_delete=models.PROTECT, related_name="+")
    new = models.ForeignKey(GoalVersion, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=10, choices=Reason)
    explanation = models.TextField()
    requested_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    lapses_on = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["goal"], condition=Q(state="open"), name="change_request_one_open",
                violation_error_message=_("There is already a change of this goal waiting for an answer."),
            )
        ]

    def __str__(self) -> str:
        return f"change of goal {self.goal_id}"


class ContributionQuerySet(models.QuerySet["Contribution"]):
    def visible_to(self, user: User) -> Self:
        me = user.employee_id
        own = Q(author=me) | Q(beneficiary=me) if me else Q(pk__in=[])
        return self.filter(own | related(user, Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_PARTNER))

    def editable_by(self, user: User) -> Self:
        me = user.employee_id
        return self.filter(Q(author=me) | Q(beneficiary=me)) if me else self.none()


class Contribution(models.Model):
    """Something valuable outside the goals; the one who had the benefit confirms it."""

    participation = models.ForeignKey(Participation, on_delete=models.PROTECT, related_name="contributions")
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    beneficiary = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    happened_on = models.DateField()
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    objects = ContributionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(author=F("beneficiary")), name="contribution_benefits_another",
                violation_error_message=_("Somebody else confirms a contribution."),
            )
        ]

    def __str__(self) -> str:
        return f"contribution {self.pk}"


def open_items() -> list[models.QuerySet[Any, Any]]:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`."""
    return []
