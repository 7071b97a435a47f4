"""Reward plans, rules as data, pools, runs, the immutable ledger of award lines, restraint and statements."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pmcycle.cycles.models import Cycle, Participation, Relation, related
from pmcycle.people.models import Employee, Unit, User

OVERSEERS = (Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_PARTNER, Relation.HR_ADMIN)


class Plan(models.Model):
    """The reward plan of a cycle. Published rules are open to all; a second person publishes them."""

    cycle = models.OneToOneField(Cycle, on_delete=models.CASCADE, related_name="reward_plan")
    drafted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    published_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(published_by__isnull=True) | ~Q(published_by=F("drafted_by")),
                name="plan_published_by_a_second_person",
                violation_error_message=_("A second person publishes the rules."),
            )
        ]

    def __str__(self) -> str:
        return f"plan of {self.cycle_id}"


class Component(models.Model):
    """Merit rise, bonus or one-off award of a plan, with its guideline band and its rounding."""

    class Kind(models.TextChoices):
        MERIT = "merit", _("Merit rise")
        BONUS = "bonus", _("Bonus")
        ONE_OFF = "one_off", _("One-off award")

    class Match(models.TextChoices):
        FIRST = "first", _("the first rule that fits")
        ALL = "all", _("all rules that fit, added up")

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="components")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=80)
    match = models.CharField(max_length=6, choices=Match, default=Match.FIRST)
    band_percent = models.DecimalField(_("managers may move by ± %"), max_digits=5, decimal_places=2, default=20)
    rounding = models.DecimalField(_("round to"), max_digits=8, decimal_places=2, default="0.01")
    distributes_pool = models.BooleanField(_("hand out the whole pool"), default=False)
    prorate = models.BooleanField(_("prorate by days and FTE"), default=True)
    unpaid_leave_counts = models.BooleanField(_("unpaid leave counts as worked"), default=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["plan", "kind"], name="component_once_per_plan")]

    def __str__(self) -> str:
        return self.name


class Rule(models.Model):
    """One sentence with slots: if the conditions hold, the person gets `amount`; or its restraint twin holds.

    `conditions` is a list of {fact, op, value} over the closed list of facts in `rules.FACTS`.
    """

    class Basis(models.TextChoices):
        PERCENT_OF_PAY = "percent", _("% of yearly pay")
        FIXED = "fixed", _("a fixed amount")

    class Effect(models.TextChoices):
        GIVE = "give", _("give")
        ZERO = "zero", _("give nothing")
        REDUCE = "reduce", _("reduce by %")
        HOLD = "hold", _("hold until it is settled")

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField()
    conditions = models.JSONField(default=list)
    effect = models.CharField(max_length=8, choices=Effect, default=Effect.GIVE)
    basis = models.CharField(max_length=8, choices=Basis, default=Basis.PERCENT_OF_PAY)
    amount = models.DecimalField(max_digits=12, decimal_places=4, default=0)
    lapses_after_days = models.PositiveSmallIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["component", "position"], name="rule_position_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="rule_amount_not_negative"),
        ]

    def __str__(self) -> str:
        return f"rule {self.position} of {self.component_id}"


class Pool(models.Model):
    """Money for one component, for a unit's subtree or (without a unit) for the whole cycle."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="pools")
    unit = models.ForeignKey(Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["component", "unit"], name="pool_once_per_unit", nulls_distinct=False),
            models.CheckConstraint(condition=Q(amount__gte=0), name="pool_not_negative"),
        ]

    def __str__(self) -> str:
        return f"pool {self.pk}"


class Run(models.Model):
    """One calculation of a plan and its way to payroll."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        CALCULATED = "calculated", _("Calculated")
        RECOMMENDING = "recommending", _("In recommendation")
        APPROVED = "approved", _("Approved")
        RELEASED = "released", _("Released")
        EXPORTED = "exported", _("Exported")

    plan = models.OneToOneField(Plan, on_delete=models.PROTECT, related_name="run")
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    calculated_at = models.DateTimeField(null=True)
    calculated_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("calculated_by")),
                name="run_approved_by_a_second_person",
                violation_error_message=_("A second person approves a reward run."),
            )
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"


class AwardQuerySet(models.QuerySet["Award"]):
    def visible_to(self, user: User) -> Self:
        """Manager, line and HR; the person once statements are released. Nobody's own before."""
        others = related(user, *OVERSEERS) & ~related(user, Relation.SELF)
        return self.filter(others | (Q(run__state__in=["released", "exported"]) & related(user, Relation.SELF)))

    def editable_by(self, user: User) -> Self:
        """The manager recommends for the team, never for themselves."""
        return self.filter(related(user, Relation.MANAGER) & ~related(user, Relation.SELF))


class Award(models.Model):
    """One person, one component, one run. `amount` is always the sum of its lines (the action writes both)."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="awards")
    component = models.ForeignKey(Component, on_delete=models.PROTECT, related_name="awards")
    pool = models.ForeignKey(Pool, null=True, on_delete=models.PROTECT, related_name="awards")
    participation = models.ForeignKey(Participation, on_delete=models.PROTECT, related_name="awards")
    guideline = models.DecimalField(max_digits=14, decimal_places=2)
    low = models.DecimalField(max_digits=14, decimal_places=2)
    high = models.DecimalField(max_digits=14, decimal_places=2)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    is_held = models.BooleanField(default=False, db_default=False)
    ineligible_why = models.CharField(max_length=200, blank=True, db_default="")
    trace = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1, db_default=1)

    objects = AwardQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "component", "participation"], name="award_once_per_person_and_component"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="award_not_negative"),
        ]
        indexes = [models.Index("run", "component", "pool", name="award_pool_sum")]

    def __str__(self) -> str:
        return f"award {self.pk}"


class AwardLine(models.Model):
    """The ledger: every change of an award is a line; a correction is a reversal and a new line. Append-only."""

    class Kind(models.TextChoices):
        CALCULATED = "calculated", _("Calculated")
        ADJUSTED = "adjusted", _("Recommended")
        REVERSAL = "reversal", _("Reversal")

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="lines")
    kind = models.CharField(max_length=10, choices=Kind)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")
    reason = models.TextField(blank=True, db_default="")
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="reversal", reverses__isnull=False) | (~Q(kind="reversal") & Q(reverses__isnull=True)),
                name="award_line_reversal_names_its_line",
            )
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class RestraintEntryQuerySet(models.QuerySet["RestraintEntry"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(related(user, Relation.SELF, *OVERSEERS))

    def editable_by(self, user: User) -> Self:
        """Manager, skip-level and HR decide; nobody over themselves. The person answers (`answerable_by`)."""
        return self.filter(related(user, *OVERSEERS) & ~related(user, Relation.SELF))

    def answerable_by(self, user: User) -> Self:
        return self.filter(related(user, Relation.SELF))


class RestraintEntry(models.Model):
    """A factual entry that restrains a reward. The person can answer before it takes effect; it lapses."""

    class Effect(models.TextChoices):
        ZERO = "zero", _("no reward")
        REDUCE = "reduce", _("reduced reward")
        HOLD = "hold", _("held until settled")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        EFFECTIVE = "effective", _("In effect")
        LIFTED = "lifted", _("Lifted")
        LAPSED = "lapsed", _("Lapsed")

    participation = models.ForeignKey(Participation, on_delete=models.PROTECT, related_name="restraints")
    component_kind = models.CharField(max_length=10, choices=Component.Kind)
    effect = models.CharField(max_length=8, choices=Effect)
    percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    facts = models.TextField()
    entry = models.ForeignKey("feedback.Entry", null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    answer_by = models.DateField()
    lapses_on = models.DateField()
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = RestraintEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "restraint entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="restraint_decided_by_a_second_person",
                violation_error_message=_("A second person decides about a restraint."),
            ),
            models.CheckConstraint(condition=Q(lapses_on__gte=F("answer_by")), name="restraint_lapses_after_answer"),
        ]

    def __str__(self) -> str:
        return f"restraint {self.pk}"


class Approval(models.Model):
    """A manager hands in the team's recommendations; the one above approves or returns them. Append-only."""

    class Act(models.TextChoices):
        SUBMITTED = "submitted", _("Handed in")
        APPROVED = "approved", _("Approved")
        RETURNED = "returned", _("Returned")

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="approvals")
    manager = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    act = models.CharField(max_length=10, choices=Act)
    note = models.TextField(blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.act} {self.manager_id}"


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(related(user, Relation.SELF, *OVERSEERS))

    def editable_by(self, user: User) -> Self:
        return self.filter(related(user, Relation.SELF))


class Statement(models.Model):
    """What a person gets to read about their rewards: an immutable snapshot with its hash."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="statements")
    participation = models.ForeignKey(Participation, on_delete=models.PROTECT, related_name="statements")
    snapshot = models.JSONField()
    sha256 = models.CharField(max_length=64)
    released_at = models.DateTimeField(db_default=models.functions.Now())
    acknowledged_at = models.DateTimeField(null=True)

    objects = StatementQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "participation"], name="statement_once")]

    def __str__(self) -> str:
        return f"statement {self.pk}"


class PayrollExport(models.Model):
    """A file handed to payroll: its columns, its rows and its total, as they were."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="exports")
    format = models.CharField(max_length=4)
    rows = models.PositiveIntegerField()
    total = models.DecimalField(max_digits=16, decimal_places=2)
    sha256 = models.CharField(max_length=64)
    columns = ArrayField(models.CharField(max_length=40), default=list)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"export {self.pk}"


def open_items() -> list[models.QuerySet[Any, Any]]:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`."""
    return []
