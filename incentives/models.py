"""Reward plans, rules as data, pools, runs, the immutable ledger of award lines, restraint and statements."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Greatest, Least
from django.utils.translation import gettext_lazy as _

from incentives import rules
from pmcycle.cycles.models import (
    Assignment,
    ChainLink,
    Cycle,
    Participation,
    Relation,
    Stage,
    StageKind,
    apart_from,
    day_in,
    due_day,
    from_outside,
    here_today,
    items,
    papers,
    reached,
    related,
    stands_apart,
)
from pmcycle.people.models import Employee, Unit, User, hr_admins

OVERSEERS = (Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_PARTNER, Relation.HR_ADMIN)
OPEN_TO_THE_PERSON = ("released", "exported")
LONG_TEXT = 20_000


class PlanQuerySet(models.QuerySet["Plan"]):
    def visible_to(self, user: User) -> Self:
        """The working copy is HR's and the auditor's; everybody else reads published criteria."""
        return self if user.standing.is_hr or user.standing.is_auditor else self.none()

    def editable_by(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()


class Plan(models.Model):
    """The reward plan of a cycle: HR's working copy. What holds is its newest `PlanVersion`.

    `drafted_by` wrote the latest change; a change takes `published_by` away until somebody else
    publishes again.
    """

    cycle = models.OneToOneField(Cycle, on_delete=models.CASCADE, related_name="reward_plan")
    drafted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    published_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True)
    drafted_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = PlanQuerySet.as_manager()

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

    @property
    def is_published(self) -> bool:
        """Whether the working copy is what holds."""
        return self.published_by_id is not None


class PlanVersionQuerySet(models.QuerySet["PlanVersion"]):
    def visible_to(self, user: User) -> Self:
        """Published criteria are open to everybody who works here, and to auditors."""
        return self.filter(plan__cycle__in=Cycle.objects.visible_to(user))

    def editable_by(self, user: User) -> Self:
        """Nobody: what was published stays as it was."""
        return self.none()


class PlanVersion(models.Model):
    """The rules as they were published. Append-only: calculations and statements stand on one of these.

    `content` is {components: [{id, kind, name, match, …, rules: [{id, position, conditions, …}]}]},
    decimals as text; `pmcycle`'s rules read it with `rules.components_of`.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    content = models.JSONField()
    drafted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(db_default=models.functions.Now())

    objects = PlanVersionQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_number_once"),
            models.CheckConstraint(
                condition=Q(drafted_by__isnull=True) | ~Q(published_by=F("drafted_by")),
                name="plan_version_published_by_a_second_person",
                violation_error_message=_("A second person publishes the rules."),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} v{self.number}"


class OfPlanQuerySet(models.QuerySet[Any]):
    """Parts of a plan, reached as the plan is."""

    to_plan = "plan"

    def visible_to(self, user: User) -> Self:
        return self.filter(**{f"{self.to_plan}__in": Plan.objects.visible_to(user)})

    def editable_by(self, user: User) -> Self:
        return self.filter(**{f"{self.to_plan}__in": Plan.objects.editable_by(user)})


class OfComponentQuerySet(OfPlanQuerySet):
    to_plan = "component__plan"


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
    band_percent = models.DecimalField(
        _("managers may move by ± %"), max_digits=5, decimal_places=2, default=20
    )
    rounding = models.DecimalField(_("round to"), max_digits=8, decimal_places=2, default="0.01")
    distributes_pool = models.BooleanField(_("hand out the whole pool"), default=False)
    minimum = models.DecimalField(
        _("at least, a person"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    maximum = models.DecimalField(
        _("at most, a person"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    prorate = models.BooleanField(_("prorate by days and FTE"), default=True)
    unpaid_leave_counts = models.BooleanField(_("unpaid leave counts as worked"), default=False)
    takes_effect_on = models.DateField(_("takes effect on"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = OfPlanQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "kind"], name="component_once_per_plan"),
            models.CheckConstraint(
                condition=Q(band_percent__gte=0, band_percent__lte=100),
                name="component_band",
                violation_error_message=_("A band lies between 0 and 100 %."),
            ),
            models.CheckConstraint(
                condition=Q(rounding__gt=0),
                name="component_rounding",
                violation_error_message=_("Amounts are rounded to something more than nothing."),
            ),
            models.CheckConstraint(
                condition=Q(minimum__isnull=True) | Q(minimum__gte=0),
                name="component_minimum_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(maximum__isnull=True)
                | (Q(maximum__gt=0) & Q(maximum__gte=Coalesce(F("minimum"), 0))),
                name="component_maximum_above_minimum",
                violation_error_message=_("The most is not below the least."),
            ),
        ]

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
    version = models.PositiveIntegerField(default=1)

    objects = OfComponentQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["component", "position"],
                name="rule_position_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="rule_amount_not_negative"),
            models.CheckConstraint(
                condition=~Q(effect="reduce") | Q(amount__lte=100),
                name="rule_reduces_by_at_most_all",
                violation_error_message=_("A reduction is at most 100 %."),
            ),
        ]

    def __str__(self) -> str:
        return f"rule {self.position} of {self.component_id}"


# What managers recommend from, and what is approved, stands on the pool; what was only calculated is
# calculated anew.
COVERS_WHAT_IS_GIVEN = """
DECLARE given numeric;
BEGIN
  SELECT sum(a.amount) INTO given FROM incentives_award a JOIN incentives_run r ON r.id = a.run_id
  WHERE a.pool_id = NEW.id AND r.state NOT IN ('draft', 'calculated');
  IF given > NEW.amount THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_covers_what_is_given',
      MESSAGE = format('pool_covers_what_is_given: %s is given of pool %s', given, NEW.id);
  END IF;
  RETURN NEW;
END;
"""


class Pool(models.Model):
    """Money for one component, for a unit's subtree or (without a unit) for the whole cycle.

    It is never lowered below what is given of it; what managers recommend counts as given. Percentages may
    overspend it from the start: then no run is approved before it is raised or the money taken back.
    """

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="pools")
    unit = models.ForeignKey(
        Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    version = models.PositiveIntegerField(default=1)

    objects = OfComponentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["component", "unit"], name="pool_once_per_unit", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="pool_not_negative"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="covers_what_is_given",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("amount"),
                condition=pgtrigger.Q(new__amount__lt=pgtrigger.F("old__amount")),
                func=COVERS_WHAT_IS_GIVEN,
            )
        ]

    def __str__(self) -> str:
        return f"pool {self.pk}"

    @property
    def title(self) -> str:
        """What the money is for and who draws from it, in words."""
        return f"{self.component.name} · {self.unit.name if self.unit else _('everybody')}"


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: User) -> Self:
        """HR follows the run; managers and the line reach it by the awards of their people."""
        if user.standing.is_hr:
            return self
        return self.none()

    def editable_by(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()

    def approved(self) -> Self:
        """Whose amounts stay as they are: approved, and on the way to payroll."""
        return self.exclude(state__in=Run.OPEN)

    def led_by(self, user: User) -> Self:
        """Runs in which `user` recommends for somebody, or stands above who does."""
        mine = related(user, Relation.MANAGER, Relation.SKIP_LEVEL, to="awards__participation")
        own = related(user, Relation.SELF, to="awards__participation")
        return self.filter(pk__in=Run.objects.filter(mine).exclude(own & ~mine).values("pk"))


class Run(models.Model):
    """One calculation of a plan and its way to payroll.

    The first run is for everybody. Who could not be in it (no released rating then, an entry lifted since,
    joined late) follows in a supplementary run: the next `number`, from the same published rules and what is
    left of the same pools, one open at a time.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        CALCULATED = "calculated", _("Calculated")
        RECOMMENDING = "recommending", _("In recommendation")
        APPROVED = "approved", _("Approved")
        RELEASED = "released", _("Released")
        EXPORTED = "exported", _("Exported")

    OPEN = (State.DRAFT, State.CALCULATED, State.RECOMMENDING)

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveSmallIntegerField(default=1)
    supplements = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="supplemented_by"
    )
    plan_version = models.ForeignKey(
        PlanVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    calculated_at = models.DateTimeField(null=True)
    calculated_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)
    # Why it was approved without teams that their line had not approved.
    waived = models.TextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["plan", "number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="run_number_once"),
            models.UniqueConstraint(
                fields=["plan"],
                condition=Q(state__in=["draft", "calculated", "recommending"]),
                name="run_one_open_per_plan",
                violation_error_message=_(
                    "One run after the other: the one before is not approved yet."
                ),
            ),
            models.CheckConstraint(
                condition=Q(number=1, supplements__isnull=True)
                | Q(number__gt=1, supplements__isnull=False),
                name="run_supplements_the_one_before",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("calculated_by")),
                name="run_approved_by_a_second_person",
                violation_error_message=_("A second person approves a reward run."),
            ),
            models.CheckConstraint(
                condition=Q(released_by__isnull=True) | ~Q(released_by=F("approved_by")),
                name="run_released_by_a_second_person",
                violation_error_message=_("Who approved a run does not release it too."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "calculated", "recommending"])
                | Q(approved_by__isnull=False),
                name="run_goes_on_only_approved",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["released", "exported"]) | Q(released_by__isnull=False),
                name="run_released_names_who",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether amounts may still change."""
        return self.state in self.OPEN

    @property
    def title(self) -> str:
        """What a run of a plan is called."""
        if self.number == 1:
            return str(_("First run"))
        return str(_("Supplementary run %d") % (self.number - 1))


class FactSheet(models.Model):
    """What the rules knew of one person when the run was calculated; every amount recomputes from it."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="fact_sheets")
    participation = models.ForeignKey(
        Participation, on_delete=models.PROTECT, related_name="fact_sheets"
    )
    facts = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "participation"], name="fact_sheet_once")
        ]

    def __str__(self) -> str:
        return f"facts of {self.participation_id}"


class AwardQuerySet(models.QuerySet["Award"]):
    about = "participation__employee"

    def outside(self, user: User) -> Q:
        return from_outside(user)

    def visible_to(self, user: User) -> Self:
        """Manager, line and HR; the person once statements are released. Nobody's own before."""
        others = related(user, *OVERSEERS) & ~related(user, Relation.SELF)
        return self.filter(
            others | (Q(run__state__in=OPEN_TO_THE_PERSON) & related(user, Relation.SELF))
        )

    def editable_by(self, user: User) -> Self:
        """The manager recommends for the team, never for themselves."""
        return self.filter(related(user, Relation.MANAGER) & ~related(user, Relation.SELF))

    def approved(self) -> Self:
        """Of runs that are approved."""
        return self.exclude(run__state__in=Run.OPEN)

    def on_the_table(self) -> Self:
        """Of runs that are approved, or from which managers recommend: their pool must hold them."""
        return self.exclude(run__state__in=[Run.State.DRAFT, Run.State.CALCULATED])

    def given(self) -> Self:
        """Approved, and not nothing for a cause: no later run gives it again."""
        return self.approved().filter(ineligible_why="")

    def left_out(self) -> Self:
        """Of whom the rules could not say anything: a fact was missing, or they had left and are back."""
        is_back = Q(ineligible_why="left", participation__state=Participation.State.ACTIVE)
        return self.filter(Q(ineligible_why__in=rules.LEFT_OUT) | is_back)


class Award(models.Model):
    """One person, one component, one run. `amount` is always the sum of its lines (the action writes both).

    Given once: a person has one award a component in all runs of a plan that is not nothing for a cause.
    """

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="awards")
    component = models.ForeignKey(Component, on_delete=models.PROTECT, related_name="awards")
    pool = models.ForeignKey(Pool, null=True, on_delete=models.PROTECT, related_name="awards")
    participation = models.ForeignKey(
        Participation, on_delete=models.PROTECT, related_name="awards"
    )
    guideline = models.DecimalField(max_digits=14, decimal_places=2)
    low = models.DecimalField(max_digits=14, decimal_places=2)
    high = models.DecimalField(max_digits=14, decimal_places=2)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    is_held = models.BooleanField(default=False, db_default=False)
    ineligible_why = models.CharField(max_length=200, blank=True, db_default="")
    is_outside = models.BooleanField(default=False, db_default=False)
    payroll_batch = models.PositiveSmallIntegerField(null=True)
    trace = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1, db_default=1)

    objects = AwardQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "component", "participation"],
                name="award_once_per_person_and_component",
            ),
            models.UniqueConstraint(
                fields=["component", "participation"],
                condition=Q(ineligible_why=""),
                name="award_given_once_in_all_runs",
                violation_error_message=_("This reward was given in another run already."),
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="award_not_negative"),
            models.CheckConstraint(
                condition=Q(ineligible_why="") | Q(amount=0),
                name="award_ineligible_gets_nothing",
                violation_error_message=_("Who is not eligible gets nothing."),
            ),
            models.CheckConstraint(
                condition=Q(is_outside=True) | Q(amount__gte=F("low"), amount__lte=F("high")),
                name="award_within_its_band",
                violation_error_message=_("Outside the band needs a reason."),
            ),
            models.CheckConstraint(
                condition=Q(payroll_batch__isnull=True) | Q(is_held=False),
                name="award_held_is_not_paid",
                violation_error_message=_("What is held does not go to payroll."),
            ),
        ]
        indexes = [models.Index("run", "component", "pool", name="award_pool_sum")]

    def __str__(self) -> str:
        return f"award {self.pk}"

    @property
    def why_words(self) -> str:
        """Why the person gets nothing, in words; "" for who gets something."""
        return str(rules.WHY.get(self.ineligible_why, ""))

    @property
    def is_left_out(self) -> bool:
        """Whether a fact was missing, so that this waits for a later run."""
        return self.ineligible_why in rules.LEFT_OUT


class AwardLine(models.Model):
    """The ledger: every change of an award is a line; a correction is a reversal and a new line. Append-only."""

    class Kind(models.TextChoices):
        CALCULATED = "calculated", _("Calculated")
        ADJUSTED = "adjusted", _("Recommended")
        REVERSAL = "reversal", _("Reversal")

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="lines")
    kind = models.CharField(max_length=10, choices=Kind)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    reverses = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reversed_by"
    )
    reason = models.TextField(blank=True, db_default="")
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="reversal", reverses__isnull=False)
                | (~Q(kind="reversal") & Q(reverses__isnull=True)),
                name="award_line_reversal_names_its_line",
            ),
            models.CheckConstraint(
                condition=Q(kind="reversal", amount__lte=0)
                | (~Q(kind="reversal") & Q(amount__gte=0)),
                name="award_line_reversal_takes_away",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class RestraintEntryQuerySet(models.QuerySet["RestraintEntry"]):
    about = "participation__employee"

    def outside(self, user: User) -> Q:
        return from_outside(user) & ~Q(proposed_by=user)

    def visible_to(self, user: User) -> Self:
        return self.filter(related(user, Relation.SELF, *OVERSEERS))

    def editable_by(self, user: User) -> Self:
        """Manager, skip-level and HR decide; nobody over themselves. The person answers (`answerable_by`)."""
        return self.filter(related(user, *OVERSEERS) & ~related(user, Relation.SELF))

    def decidable_by(self, user: User) -> Self:
        """HR of the unit who stand apart from the person (`cycles.stands_apart`), never who proposed it."""
        hr = related(user, Relation.HR_PARTNER, Relation.HR_ADMIN)
        return self.filter(hr & stands_apart(user)).exclude(proposed_by=user)

    def answerable_by(self, user: User) -> Self:
        return self.filter(related(user, Relation.SELF))

    def in_force(self) -> Self:
        return self.filter(state=RestraintEntry.State.EFFECTIVE)

    def with_decision_due(self) -> Self:
        """With `decision_due`, the day by which a proposed entry is to be decided (`decision_due`)."""
        return self.annotate(decision_due=decision_due())

    def holding(self, participation: int, kind: str) -> Self:
        """The entries in force that hold this reward of a person."""
        return self.in_force().filter(
            participation=participation, component_kind=kind, effect=RestraintEntry.Effect.HOLD
        )


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

    participation = models.ForeignKey(
        Participation, on_delete=models.PROTECT, related_name="restraints"
    )
    component_kind = models.CharField(max_length=10, choices=Component.Kind)
    effect = models.CharField(max_length=8, choices=Effect)
    percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    facts = models.TextField()
    entry = models.ForeignKey(
        "feedback.Entry", null=True, on_delete=models.PROTECT, related_name="+"
    )
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
            models.CheckConstraint(
                condition=Q(lapses_on__gt=F("answer_by")),
                name="restraint_lapses_after_answer",
                violation_error_message=_("It lapses after the day to answer by."),
            ),
            models.CheckConstraint(
                condition=Q(effect="reduce", percent__gt=0, percent__lte=100)
                | (~Q(effect="reduce") & Q(percent__isnull=True)),
                name="restraint_reduces_by_a_share",
                violation_error_message=_("A reduction says by how much, at most 100 %."),
            ),
            models.CheckConstraint(
                condition=~Q(state="effective") | Q(decided_by__isnull=False),
                name="restraint_effective_was_decided",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answer="")
                | (Q(answered_at__isnull=False) & ~Q(answer="")),
                name="restraint_answer_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"restraint {self.pk}"


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def visible_to(self, user: User) -> Self:
        """Who leads the team today or stands above it, and HR; never by their own amount alone."""
        led = Assignment.objects.current().filter(
            related(user, Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_ADMIN),
            ~Q(participation__employee=user.employee_id or 0),
            manager=OuterRef("manager"),
            participation__awards__run=OuterRef("run"),
        )
        return self.filter(Exists(led))

    def editable_by(self, user: User) -> Self:
        """Nobody: another act follows it."""
        return self.none()


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

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.manager_id}"


class StatementQuerySet(models.QuerySet["Statement"]):
    about = "participation__employee"

    def outside(self, user: User) -> Q:
        return from_outside(user)

    def visible_to(self, user: User) -> Self:
        return self.filter(related(user, Relation.SELF, *OVERSEERS))

    def editable_by(self, user: User) -> Self:
        """The person says that they have read it."""
        return self.filter(related(user, Relation.SELF))


class Statement(models.Model):
    """What a person gets to read about their rewards: an immutable snapshot with its hash."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="statements")
    participation = models.ForeignKey(
        Participation, on_delete=models.PROTECT, related_name="statements"
    )
    snapshot = models.JSONField()
    sha256 = models.CharField(max_length=64)
    released_at = models.DateTimeField(db_default=models.functions.Now())
    acknowledged_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1, db_default=1)

    objects = StatementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "participation"], name="statement_once")
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="snapshot_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__snapshot__df=pgtrigger.F("new__snapshot"))
                | pgtrigger.Q(old__sha256__df=pgtrigger.F("new__sha256")),
                func="RAISE EXCEPTION 'a released statement stays as it is';",
            ),
        ]

    def __str__(self) -> str:
        return f"statement {self.pk}"


class PayrollExportQuerySet(models.QuerySet["PayrollExport"]):
    def visible_to(self, user: User) -> Self:
        """HR admins hand files to payroll; HR partners and everybody else do not reach them."""
        return self if user.standing.is_hr_admin else self.none()

    def editable_by(self, user: User) -> Self:
        return self.none()


class PayrollExport(models.Model):
    """A file handed to payroll: its columns, its rows, its totals and its bytes, as they were. Append-only."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="exports")
    batch = models.PositiveSmallIntegerField(default=1)
    format = models.CharField(max_length=4)
    rows = models.PositiveIntegerField()
    total = models.DecimalField(max_digits=16, decimal_places=2)
    sha256 = models.CharField(max_length=64)
    columns = ArrayField(models.CharField(max_length=40), default=list)
    totals = models.JSONField(default=dict)
    content = models.BinaryField(default=b"")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = PayrollExportQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "batch", "format"], name="payroll_export_once_per_batch"
            )
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"export {self.pk}"


def followed_in(cycle: Cycle, user: User) -> dict[str, models.QuerySet[Any]]:
    """What HR follows of a cycle in this app, by name: rows to be counted, never the reader's own."""
    people = Participation.objects.overseen_by(user).filter(cycle=cycle).values("pk")
    entries = RestraintEntry.objects.filter(participation__in=people)
    statements = Statement.objects.filter(participation__in=people)
    return {
        "restraints_proposed": entries.filter(state=RestraintEntry.State.PROPOSED),
        "restraints_in_force": entries.in_force(),
        "awards_held": Award.objects.filter(participation__in=people, is_held=True),
        "statements": statements,
        "statements_read": statements.filter(acknowledged_at__isnull=False),
        "payroll_files": PayrollExport.objects.visible_to(user).filter(run__plan__cycle=cycle),
    }


def file_of(employee_id: int, user: User) -> list[models.QuerySet[Any, Any]]:
    """Of a person in this app: statements, awards and restraints that the reader may open, without amounts."""
    about = {"participation__employee": employee_id}
    statements = Statement.objects.visible_to(user).filter(
        run__state__in=OPEN_TO_THE_PERSON, **about
    )
    awards = Award.objects.visible_to(user).filter(**about)
    entries = RestraintEntry.objects.visible_to(user).filter(**about)
    overseen = related(user, *OVERSEERS, to="") & ~related(user, Relation.SELF, to="")
    to_restrain = Participation.objects.filter(
        overseen,
        employee=employee_id,
        cycle__state=Cycle.State.RUNNING,
        state=Participation.State.ACTIVE,
    )
    of_part = {"subject": F("pk"), "part": F("participation")}
    is_read = models.When(acknowledged_at__isnull=False, then=Value("acknowledged"))
    return [
        papers(
            statements,
            kind="incentives:statement",
            at=F("released_at"),
            state=models.Case(is_read, default=Value("released")),
            **of_part,
        ),
        papers(
            awards,
            kind="incentives:award",
            detail=F("component__name"),
            **of_part,
            state=models.Case(
                models.When(is_held=True, then=Value("held")), default=F("run__state")
            ),
        ),
        papers(
            entries,
            kind="incentives:restraint",
            at=F("proposed_at"),
            detail=F("component_kind"),
            state=F("state"),
            **of_part,
        ),
        papers(to_restrain, kind="incentives:propose_restraint", subject=F("pk"), part=F("pk")),
    ]


def _id(expression: str) -> Any:
    return Cast(F(expression), models.BigIntegerField())


def _stage_due(cycle: str) -> Any:
    return Subquery(
        Stage.objects.filter(cycle=OuterRef(cycle), kind=StageKind.INCENTIVES).values("due_on")[:1]
    )


def decision_due() -> Any:
    """By when an entry is to be decided: when rewards are due, because what is decided later changes no amount.

    Never before the day to answer by, and never after the entry has lapsed.
    """
    answered = Greatest(_stage_due("participation__cycle"), F("answer_by"))
    return Least(answered, F("lapses_on"), output_field=models.DateField())


def _other_hr(day: date, *not_these: str, apart: str = "", team_of: str = "") -> Any:
    """An employee who is HR admin on the day, other than the users at these lookups of the outer row, who stands
    apart from the person of the participation at `apart` and is not in the team of the manager at `team_of`:
    nobody settles what concerns themselves."""
    is_here = Q(employee__left_on__isnull=True) | Q(employee__left_on__gte=day)
    found = hr_admins(day).filter(is_here, employee__isnull=False)
    for lookup in not_these:
        found = found.exclude(pk=OuterRef(lookup))
    if apart:
        found = found.filter(apart_from(OuterRef(OuterRef(apart))))
    if team_of:
        team = Assignment.objects.current(day).filter(
            manager=OuterRef(OuterRef(team_of)),
            participation__awards__run=OuterRef(OuterRef("run")),
            participation__employee=OuterRef("employee"),
        )
        found = found.exclude(employee=OuterRef(team_of)).exclude(Exists(team))
    return Cast(Subquery(found.order_by("pk").values("employee")[:1]), models.BigIntegerField())


def _handed_in() -> Any:
    """The latest act of a manager in a run that is being recommended, where it is a sheet handed in."""
    later = Approval.objects.filter(
        run=OuterRef("run"), manager=OuterRef("manager"), pk__gt=OuterRef("pk")
    )
    return Approval.objects.filter(
        ~Exists(later),
        act=Approval.Act.SUBMITTED,
        run__state=Run.State.RECOMMENDING,
        run__plan__cycle__state=Cycle.State.RUNNING,
    )


def open_items(day: date) -> list[models.QuerySet[Any, Any]]:
    """What people have to do in this app, in the shape of `pmcycle.cycles.models.items`.

    Sheets to fill in and teams to approve (about the manager), entries to answer, statements to read. A team
    to approve is the act that handed it in, so that each team of a run is a matter of its own.
    """
    stage = StageKind.INCENTIVES
    recommended = Award.objects.filter(
        participation=OuterRef("participation"),
        run__state=Run.State.RECOMMENDING,
        ineligible_why="",
    )
    # One row a manager and run: the first of their people stands for the team.
    team = Assignment.objects.current(day).filter(
        here_today("manager", "participation__cycle"),
        Exists(recommended),
        participation__state=Participation.State.ACTIVE,
        participation__cycle__state=Cycle.State.RUNNING,
    )
    earlier = team.filter(
        manager=OuterRef("manager"),
        participation__cycle=OuterRef("participation__cycle"),
        pk__lt=OuterRef("pk"),
    )
    sheets = team.filter(~Exists(earlier)).annotate(
        run=Subquery(recommended.order_by().values("run")[:1])
    )
    act = (
        Approval.objects.filter(run=OuterRef("run"), manager=OuterRef("manager"))
        .order_by("-pk")
        .values("act")
    )
    to_hand_in = sheets.annotate(act=Subquery(act[:1])).filter(
        Q(act__isnull=True) | Q(act=Approval.Act.RETURNED)
    )
    above = (
        ChainLink.objects.filter(
            here_today("above", "participation__cycle"),
            distance=2,
            participation__assignments__manager=OuterRef("manager"),
            participation__cycle=OuterRef("run__plan__cycle"),
        )
        .exclude(above=OuterRef("manager"))
        .order_by("pk")
    )
    decider = Coalesce(
        Cast(Subquery(above.values("above")[:1]), models.BigIntegerField()),
        _other_hr(day, "by", team_of="manager"),
    )
    about = {"about": _id("participation__employee"), "cycle": _id("participation__cycle")}
    statements = Statement.objects.filter(
        acknowledged_at__isnull=True,
        participation__state=Participation.State.ACTIVE,
        participation__cycle__state=Cycle.State.RUNNING,
    )
    return [
        items(
            to_hand_in,
            kind="incentives:sheet",
            stage=stage,
            subject=_id("run"),
            recipient=_id("manager"),
            about=_id("manager"),
            cycle=_id("participation__cycle"),
            due_on=due_day(StageKind.INCENTIVES, "participation"),
        ),
        items(
            _handed_in(),
            kind="incentives:team",
            stage=stage,
            subject=_id("pk"),
            recipient=decider,
            about=_id("manager"),
            cycle=_id("run__plan__cycle"),
            due_on=_stage_due("run__plan__cycle"),
        ),
        items(
            _proposed().filter(answered_at__isnull=True),
            kind="incentives:answer",
            stage=stage,
            subject=_id("pk"),
            recipient=_id("participation__employee"),
            due_on=F("answer_by"),
            **about,
        ),
        items(
            statements,
            kind="incentives:statement",
            stage=stage,
            subject=_id("pk"),
            recipient=_id("participation__employee"),
            **about,
        ),
    ]


def _proposed() -> Any:
    return RestraintEntry.objects.filter(
        participation__state=Participation.State.ACTIVE,
        participation__cycle__state=Cycle.State.RUNNING,
        state=RestraintEntry.State.PROPOSED,
    )


def matters(day: date) -> list[models.QuerySet[Any, Any]]:
    """What waits for HR: a supplementary run to calculate, a calculated run to hand to the managers, one to approve,
    approved statements to release, rules to publish, entries to decide (once they were answered or the day for it
    has passed).

    A supplementary run may follow before the statements of the run before are out, so each run to release is a
    matter of its own.
    """
    stage = StageKind.INCENTIVES
    none = Cast(Value(None), models.BigIntegerField())
    drafts = Plan.objects.filter(
        published_by__isnull=True,
        drafted_by__isnull=False,
        components__rules__isnull=False,
        cycle__state__in=[Cycle.State.DRAFT, Cycle.State.RUNNING],
    ).distinct()
    approving = Run.objects.filter(
        ~Exists(_handed_in().filter(run=OuterRef("pk"))),
        Exists(Approval.objects.filter(run=OuterRef("pk"), act=Approval.Act.APPROVED)),
        state=Run.State.RECOMMENDING,
        plan__cycle__state=Cycle.State.RUNNING,
    )
    calculated = Run.objects.filter(
        state=Run.State.CALCULATED, plan__cycle__state=Cycle.State.RUNNING
    )
    approved = Run.objects.filter(state=Run.State.APPROVED, plan__cycle__state=Cycle.State.RUNNING)
    opened = Run.objects.filter(
        state=Run.State.DRAFT, supplements__isnull=False, plan__cycle__state=Cycle.State.RUNNING
    )
    return [
        items(
            calculated,
            kind="incentives:hand_out",
            stage=stage,
            subject=_id("pk"),
            recipient=_other_hr(day),
            about=none,
            cycle=_id("plan__cycle"),
            due_on=_stage_due("plan__cycle"),
        ),
        items(
            approving,
            kind="incentives:approve",
            stage=stage,
            subject=_id("plan__cycle"),
            recipient=_other_hr(day, "calculated_by"),
            about=none,
            cycle=_id("plan__cycle"),
            due_on=_stage_due("plan__cycle"),
        ),
        items(
            approved,
            kind="incentives:release",
            stage=stage,
            subject=_id("pk"),
            recipient=_other_hr(day, "approved_by"),
            about=none,
            cycle=_id("plan__cycle"),
            due_on=_stage_due("plan__cycle"),
        ),
        items(
            opened,
            kind="incentives:supplement",
            stage=stage,
            subject=_id("plan__cycle"),
            recipient=_other_hr(day),
            about=none,
            cycle=_id("plan__cycle"),
            due_on=_stage_due("plan__cycle"),
        ),
        items(
            Plan.objects.filter(pk__in=drafts.values("pk")),
            kind="incentives:publish",
            stage=stage,
            subject=_id("cycle"),
            recipient=_other_hr(day, "drafted_by"),
            about=none,
            cycle=_id("cycle"),
            due_on=Subquery(
                Stage.objects.filter(cycle=OuterRef("cycle"), kind=StageKind.INCENTIVES).values(
                    "opens_on"
                )[:1]
            ),
        ),
        items(
            _proposed().filter(
                Q(answered_at__isnull=False) | Q(answer_by__lt=day_in("participation__cycle"))
            ),
            kind="incentives:decide",
            stage=stage,
            subject=_id("pk"),
            about=_id("participation__employee"),
            recipient=_other_hr(day, "proposed_by", apart="participation"),
            cycle=_id("participation__cycle"),
            due_on=decision_due(),
        ),
    ]


def milestones() -> list[models.QuerySet[Any, Any]]:
    """Recommended by the manager, approved, and the statement released."""
    stage = StageKind.INCENTIVES
    given = Award.objects.filter(ineligible_why="")
    handed_in = Approval.objects.filter(
        run=OuterRef("run"),
        act=Approval.Act.SUBMITTED,
        manager__in=Assignment.objects.filter(
            participation=OuterRef(OuterRef("participation"))
        ).values("manager"),
    ).order_by("pk")
    return [
        reached(
            given.annotate(handed_in=Subquery(handed_in.values("at")[:1])).filter(
                handed_in__isnull=False
            ),
            kind="recommended",
            stage=stage,
            step=1,
            at=F("handed_in"),
        ),
        reached(
            given.filter(run__approved_at__isnull=False),
            kind="approved",
            stage=stage,
            step=2,
            at=F("run__approved_at"),
        ),
        reached(
            Statement.objects.all(), kind="statement", stage=stage, step=3, at=F("released_at")
        ),
    ]
