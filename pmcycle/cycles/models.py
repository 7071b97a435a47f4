"""A cycle, its four stages, who takes part — and the relation of a user to each participation.

Everything that a stage stores hangs on a `Participation`. `related(user, …)` is the one place that
says who is self, manager, former manager, skip-level or HR of a participation; every stage's
`visible_to` is built from it, so that a rule about a relation has one spelling.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Self

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pmcycle import days
from pmcycle.access import in_force, today
from pmcycle.activity.models import UNITS, Event, WithoutSwitch
from pmcycle.cycles.rules import StageDates
from pmcycle.people.models import SEATS as SEATS
from pmcycle.people.models import (
    DatedQuerySet,
    Employee,
    ReportingLine,
    Unit,
    User,
    date_span,
    hr_admins,
    hr_scope,
)
from pmcycle.people.models import items as items
from pmcycle.people.models import put_to_each as put_to_each


class StageKind(models.TextChoices):
    OBJECTIVES = "objectives", _("Objectives")
    APPRAISAL = "appraisal", _("Appraisal")
    INCENTIVES = "incentives", _("Incentive control")
    EVALUATION = "evaluation", _("Evaluation")


class RatingScale(models.Model):
    """Ordered, labelled levels. A scale with a cycle is that cycle's frozen copy; without, a template."""

    name = models.CharField(_("name"), max_length=120)
    cycle = models.OneToOneField(
        "Cycle", null=True, blank=True, on_delete=models.CASCADE, related_name="scale"
    )
    copied_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.name


class RatingLevel(models.Model):
    """One step of a scale. `value` is its number in a score; `needs_mention` marks levels below "meets",
    which the no-surprise gate guards."""

    scale = models.ForeignKey(RatingScale, on_delete=models.CASCADE, related_name="levels")
    position = models.PositiveSmallIntegerField()
    label = models.CharField(_("label"), max_length=60)
    meaning = models.CharField(_("meaning"), max_length=300)
    value = models.DecimalField(_("value"), max_digits=5, decimal_places=2)
    needs_mention = models.BooleanField(_("below expectations"), default=False)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["scale", "position"], name="rating_level_position_once"
            ),
            models.UniqueConstraint(fields=["scale", "label"], name="rating_level_label_once"),
        ]

    def __str__(self) -> str:
        return self.label


class CycleQuerySet(models.QuerySet["Cycle"]):
    def visible_to(self, user: User) -> Self:
        """Drafts are HR's; a launched cycle is known to all who work here (IT: no HR content)."""
        standing = user.standing
        if standing.is_hr:
            return self
        if standing.is_it_admin and not user.employee_id:
            return self.none()
        if user.employee_id or standing.is_auditor:
            return self.exclude(state=Cycle.State.DRAFT)
        return self.none()

    def editable_by(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()

    def configured_by(self, user: User) -> Self:
        """Whose setting-up and completion `user` follows: HR."""
        return self if user.standing.is_hr else self.none()

    def with_population(self) -> Self:
        """With the rule of who takes part: `population`, its `unit_paths` and `excluded_ids`."""
        of_this = {"populations__cycle": models.OuterRef("pk")}
        left_out = {"excluded_from__cycle": models.OuterRef("pk")}
        return self.select_related("population").annotate(
            unit_paths=ArraySubquery(Unit.objects.filter(**of_this).values("path")),
            excluded_ids=ArraySubquery(Employee.objects.filter(**left_out).values("pk")),
        )

    def for_setting_up(self) -> Self:
        """With what the steps show: stages, scale, rule of who takes part, and `saved_steps`."""
        saved = Event.objects.filter(
            subject_kind="cycles.cycle", subject_id=models.OuterRef("pk"), verb="configured"
        )
        steps = ArraySubquery(saved.values_list(KT("data__step")))
        rows = self.with_population().select_related("scale").prefetch_related("stages")
        return rows.annotate(saved_steps=steps)


class Cycle(models.Model):
    """One walk through the four stages, for a period, under one set of frozen rules."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RUNNING = "running", _("Running")
        CLOSED = "closed", _("Closed")
        ARCHIVED = "archived", _("Archived")

    class Incomplete(models.TextChoices):
        SHOW = "incomplete", _("leave the result incomplete")
        REWEIGHT = "reweight", _("spread the missing weight over the rest")

    name = models.CharField(_("name"), max_length=120, unique=True)
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    copied_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    mention_days = models.PositiveSmallIntegerField(
        _("days a mention must be known before"), default=14
    )
    appeal_days = models.PositiveSmallIntegerField(_("days to ask for a review"), default=14)
    missing_part = models.CharField(max_length=12, choices=Incomplete, default=Incomplete.SHOW)
    self_opens_after_draft = models.BooleanField(
        _("self-appraisal opens after the manager's own draft"), default=True
    )
    progress_cap = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(120))
    stages_may_overlap = models.BooleanField(_("stages may overlap"), default=False)
    launched_at = models.DateTimeField(null=True)
    launched_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CycleQuerySet.as_manager()

    # Set by `with_population` and `for_setting_up` only.
    unit_paths: list[str]
    excluded_ids: list[int]
    saved_steps: list[str]

    class Meta:
        ordering = ["-first_day", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(first_day__lt=F("last_day")),
                name="cycle_days_in_order",
                violation_error_message=_("The last day must come after the first."),
            ),
            models.CheckConstraint(
                condition=Q(state="draft", launched_at__isnull=True)
                | (~Q(state="draft") & Q(launched_at__isnull=False)),
                name="cycle_launched_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def local_day(self, now: datetime) -> date:
        """The day in the cycle's zone, by which its stages open and close."""
        return days.day_of(now, self.tzinfo)

    @property
    def tzinfo(self) -> tzinfo:
        """The cycle's zone; UTC where the machine does not know its name."""
        return days.zone_of(self.zone) or UTC


class StageQuerySet(models.QuerySet["Stage"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(cycle__in=Cycle.objects.visible_to(user))

    def editable_by(self, user: User) -> Self:
        """HR opens, closes and postpones stages by hand."""
        return self.filter(cycle__in=Cycle.objects.editable_by(user))


class Stage(models.Model):
    """One of the four stages of a cycle. Due dates are local days in the cycle's zone."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="stages")
    kind = models.CharField(max_length=12, choices=StageKind)
    position = models.PositiveSmallIntegerField()
    opens_on = models.DateField(_("opens on"))
    due_on = models.DateField(_("due on"))
    grace_days = models.PositiveSmallIntegerField(_("days of grace"), default=0)
    state = models.CharField(max_length=8, choices=State, default=State.PLANNED)
    version = models.PositiveIntegerField(default=1)

    objects = StageQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "kind"], name="stage_once_per_cycle"),
            models.CheckConstraint(
                condition=Q(opens_on__lte=F("due_on")),
                name="stage_days_in_order",
                violation_error_message=_("A stage opens before it is due."),
            ),
        ]

    def __str__(self) -> str:
        # Pages name their stages dozens of times, and `get_kind_display` translates every kind for each.
        return str(StageKind(self.kind).label)

    @property
    def dates(self) -> StageDates:
        """The stage as the rules of dates know it."""
        return StageDates(
            kind=self.kind,
            label=self.get_kind_display(),
            opens_on=self.opens_on,
            due_on=self.due_on,
            grace_days=self.grace_days,
            state=self.state,
        )


class PopulationRule(models.Model):
    """Who takes part: everybody who matches all filled-in conditions, less the exclusions."""

    cycle = models.OneToOneField(Cycle, on_delete=models.CASCADE, related_name="population")
    units = models.ManyToManyField(Unit, blank=True, related_name="populations")
    locations = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    grades = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    employment_kinds = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    hired_on_or_before = models.DateField(null=True, blank=True)
    minimum_fte = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    excluded = models.ManyToManyField(Employee, blank=True, related_name="excluded_from")
    version = models.PositiveIntegerField(default=1)

    CONDITIONS: ClassVar = (
        "locations",
        "grades",
        "employment_kinds",
        "hired_on_or_before",
        "minimum_fte",
    )

    def __str__(self) -> str:
        return f"population of {self.cycle_id}"

    def conditions(self) -> dict[str, Any]:
        """The filled-in and the empty conditions by name, without units and exclusions."""
        return {name: getattr(self, name) for name in self.CONDITIONS}


def matching(rule: Mapping[str, Any], on: date) -> models.QuerySet[Employee]:
    """Who works on the day and matches every filled-in condition of a rule, less its exclusions.

    `rule` has the field names of `PopulationRule`, but `unit_paths` and `excluded_ids` for its units
    and its exclusions. A unit stands for everything below it.
    """
    people = Employee.objects.working(on)
    if rule.get("unit_paths"):
        below = Q(pk__in=[])
        for path in rule["unit_paths"]:
            below |= Q(unit__path__startswith=path)
        people = people.filter(below)
    if rule.get("locations"):
        people = people.filter(location__in=list(rule["locations"]))
    if rule.get("grades"):
        people = people.filter(grade__in=list(rule["grades"]))
    if rule.get("employment_kinds"):
        people = people.filter(employment_kind__in=list(rule["employment_kinds"]))
    if rule.get("hired_on_or_before"):
        people = people.filter(hired_on__lte=rule["hired_on_or_before"])
    if rule.get("minimum_fte"):
        people = people.filter(fte__gte=rule["minimum_fte"])
    if rule.get("excluded_ids"):
        people = people.exclude(pk__in=list(rule["excluded_ids"]))
    return people


def population(cycle: Cycle, on: date) -> models.QuerySet[Employee]:
    """Who would take part if the cycle were launched on the day.

    One statement to read the rule, none if the cycle was read `with_population()`.
    """
    if not hasattr(cycle, "unit_paths"):
        cycle = Cycle.objects.with_population().get(pk=cycle.pk)
    rule = getattr(cycle, "population", None)
    if rule is None:
        return Employee.objects.none()
    reach = {"unit_paths": cycle.unit_paths, "excluded_ids": cycle.excluded_ids}
    return matching({**rule.conditions(), **reach}, on)


class AcceptedWarning(models.Model):
    """HR has read a warning of the check and goes on; the number of people it held for is kept."""

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="accepted_warnings")
    code = models.CharField(max_length=60)
    count = models.PositiveIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cycle", "code"], name="accepted_warning_once")
        ]

    def __str__(self) -> str:
        return self.code


class ReopeningQuerySet(models.QuerySet["Reopening"]):
    def visible_to(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()

    editable_by = visible_to

    def waiting(self) -> Self:
        """Asked for, and neither approved nor withdrawn."""
        return self.filter(approved_at__isnull=True, withdrawn_at__isnull=True)


class Reopening(models.Model):
    """A closed cycle runs again: one person asks with a reason, another approves."""

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="reopenings")
    reason = models.CharField(max_length=500)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = ReopeningQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")),
                name="reopening_takes_two_people",
                violation_error_message=_("Opening a closed cycle takes a second person."),
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | Q(
                    approved_by__isnull=False, approved_at__isnull=False, withdrawn_at__isnull=True
                ),
                name="reopening_approved_names_who",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="reopening_says_why"),
            models.UniqueConstraint(
                fields=["cycle"],
                condition=Q(approved_at__isnull=True, withdrawn_at__isnull=True),
                name="reopening_one_open_per_cycle",
                violation_error_message=_("Somebody has asked for it already."),
            ),
        ]

    def __str__(self) -> str:
        return f"reopening {self.pk}"


class Acceptance(models.Model):
    """Somebody did an act although something stayed open or held, and said why. Append-only.

    `act` is the verb with what it acted on ("close_stage:appraisal", "close", "release_results:7"), `title`
    the sentence as it was read.
    """

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="acceptances")
    act = models.CharField(max_length=60)
    code = models.CharField(max_length=60)
    title = models.CharField(max_length=300)
    count = models.PositiveIntegerField()
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason="") & Q(count__gt=0),
                name="acceptance_says_why",
                violation_error_message=_("Whoever goes on over something says why."),
            )
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.code}"


class ReminderPolicy(models.Model):
    """When items of a stage remind their owner, and when the manager hears of it. Days around the due day."""

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="reminder_policies")
    kind = models.CharField(max_length=12, choices=StageKind)
    days_before = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    days_after = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    escalate_after = models.PositiveSmallIntegerField(null=True, blank=True)
    # It acts from then on: nobody is reminded of a day that had passed when it was made or changed.
    since = models.DateTimeField(default=timezone.now)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cycle", "kind"], name="reminder_policy_once")
        ]

    def __str__(self) -> str:
        return f"{self.cycle_id} {self.kind}"


class Relation(Enum):
    """How a user stands to a participation. The names are the columns of the access matrix."""

    SELF = "self"
    MANAGER = "manager"
    FORMER_MANAGER = "former manager"
    SKIP_LEVEL = "skip-level"
    HR_PARTNER = "HR partner of the unit"
    HR_ADMIN = "HR admin"
    AUDITOR = "auditor"


def related(user: User, *relations: Relation, to: str = "participation") -> Q:
    """Rows whose participation (at lookup `to`; "" for participations themselves) stands so to `user`.

    HR relations never hold for the user's own participation. An auditor reaches rows only where a
    page asks for a typed reason first; name that relation only there.
    """
    at = f"{to}__" if to else ""
    pk = f"{to}__in" if to else "pk__in"
    me = user.employee_id
    found = Q(pk__in=[])
    for relation in relations:
        if (relation is Relation.HR_ADMIN and user.standing.is_hr_admin) or (
            relation is Relation.HR_PARTNER
            and user.standing.partner_paths
            and not user.standing.is_hr_admin
        ):
            found |= hr_scope(user, unit=f"{at}unit", employee=f"{at}employee")
        elif relation is Relation.AUDITOR and user.standing.is_auditor:
            found |= (
                ~Q(**{f"{at}employee": me})
                if me
                else Q(**{f"{at}pk__gt": 0} if to else {"pk__gt": 0})
            )
        elif me is None:
            continue
        elif relation is Relation.SELF:
            found |= Q(**{f"{at}employee": me})
        elif relation is Relation.MANAGER:
            found |= Q(
                **{pk: Assignment.objects.current().filter(manager=me).values("participation")}
            )
        elif relation is Relation.FORMER_MANAGER:
            ended = Assignment.objects.filter(manager=me, ends_on__lt=today())
            found |= Q(**{pk: ended.values("participation")})
        elif relation is Relation.SKIP_LEVEL:
            found |= Q(
                **{pk: ChainLink.objects.filter(above=me, distance__gte=2).values("participation")}
            )
            for path in user.standing.head_paths:
                found |= Q(**{f"{at}unit__path__startswith": path}) & ~Q(**{f"{at}employee": me})
    return found


def from_outside(user: User, *parties: str, to: str = "participation") -> Q:
    """Rows about a participation (at lookup `to`) which `user` reads as no party.

    Party are the person, their manager of today in the cycle, and whoever stands in the row itself: the
    employees at the lookups `parties`. Everybody else who may read it leaves a line about it (`access.show`).
    """
    found = ~related(user, Relation.SELF, Relation.MANAGER, to=to)
    if user.employee_id:
        for party in parties:
            found &= ~Q(**{party: user.employee_id})
    return found


def apart_from(participation: Any) -> Q:
    """Users who stand apart from a person in a cycle: not the person, not in the line above them, not below
    them, and never named as their manager.

    The rule of all who decide over somebody; `stands_apart` is the same asked of one user about rows. The
    argument is a key, or a reference to it from a statement that this is part of.
    """
    below = ChainLink.objects.filter(above__participations=participation)
    return ~(
        Q(employee__in=Participation.objects.filter(pk=participation).values("employee"))
        | Q(employee__in=ChainLink.objects.filter(participation=participation).values("above"))
        | Q(employee__in=Assignment.objects.filter(participation=participation).values("manager"))
        | Q(employee__in=below.values("participation__employee"))
    )


def stands_apart(user: User, *, to: str = "participation") -> Q:
    """Rows whose participation (at lookup `to`) is of a person from whom `user` stands apart: `apart_from`."""
    me = user.employee_id
    if me is None:
        return Q()
    above_me = ChainLink.objects.filter(participation__employee=me).values("above")
    return ~(
        Q(**{f"{to}__employee": me})
        | Q(**{f"{to}__employee__in": above_me})
        | Q(**{f"{to}__in": ChainLink.objects.filter(above=me).values("participation")})
        | Q(**{f"{to}__in": Assignment.objects.filter(manager=me).values("participation")})
    )


class ParticipationQuerySet(models.QuerySet["Participation"]):
    about = "employee"

    def outside(self, user: User) -> Q:
        """By their place in the line or in HR, or as auditor. A former manager finds what they wrote themselves."""
        place = (Relation.SKIP_LEVEL, Relation.HR_PARTNER, Relation.HR_ADMIN, Relation.AUDITOR)
        return related(user, *place, to="") & from_outside(user, to="")

    def visible_to(self, user: User) -> Self:
        """That somebody takes part: themselves, their line, HR of the unit, auditors."""
        return self.filter(
            related(
                user,
                Relation.SELF,
                Relation.MANAGER,
                Relation.FORMER_MANAGER,
                Relation.SKIP_LEVEL,
                Relation.HR_PARTNER,
                Relation.HR_ADMIN,
                Relation.AUDITOR,
                to="",
            )
        )

    def editable_by(self, user: User) -> Self:
        """Exceptions (extension, transfer, leave) are HR's, never for oneself, nor for whom one reports to."""
        rows = self.filter(related(user, Relation.HR_ADMIN, to=""))
        if user.employee_id is None:
            return rows
        in_record = (
            ReportingLine.objects.unended().filter(employee=user.employee_id).values("manager")
        )
        in_cycle = ChainLink.objects.filter(participation__employee=user.employee_id, distance=1)
        return rows.exclude(employee__in=in_record).exclude(employee__in=in_cycle.values("above"))

    def overseen_by(self, user: User) -> Self:
        """Whose way through the cycle HR follows on the board: all or the partner's units, never one's own."""
        return self.filter(related(user, Relation.HR_PARTNER, Relation.HR_ADMIN, to=""))

    def mine(self, user: User) -> Self:
        """The user's own participations in launched cycles, the newest running one first."""
        running_first = models.Case(
            models.When(cycle__state=Cycle.State.RUNNING, then=0), default=1
        )
        rows = self.filter(employee=user.employee_id) if user.employee_id else self.none()
        return rows.select_related("cycle").order_by(running_first, "-cycle__first_day")

    def led_by(self, user: User) -> Self:
        """The team of a manager, by assignment."""
        return self.filter(related(user, Relation.MANAGER, to=""))

    def with_manager(self, on: date | None = None) -> Self:
        """Annotate `manager_id` and `manager_name` of the day."""
        current = Assignment.objects.filter(in_force(on), participation=models.OuterRef("pk"))
        return self.annotate(
            manager_id=models.Subquery(current.values("manager")[:1]),
            manager_name=models.Subquery(current.values("manager__name")[:1]),
        )


# Who takes part is counted beside who stands where (`pmcycle.activity.models.PlaceCount`).
COUNT_JOINED = f"""
BEGIN
INSERT INTO activity_placecount (cycle_id, unit_id, cause, people)
SELECT cycle_id, in_unit::bigint, replace(state, 'active', ''), count(*)
FROM fresh LEFT JOIN people_unit u ON u.id = fresh.unit_id CROSS JOIN LATERAL {UNITS}
GROUP BY cycle_id, in_unit, state;
RETURN NULL;
END;
"""  # noqa: S608 - constants
COUNT_MOVED = f"""
BEGIN
INSERT INTO activity_placecount (cycle_id, unit_id, cause, people)
SELECT cycle_id, in_unit::bigint, replace(state, 'active', ''), n FROM (
  VALUES (OLD.cycle_id, OLD.unit_id, OLD.state, -1), (NEW.cycle_id, NEW.unit_id, NEW.state, 1)
) moved (cycle_id, unit_id, state, n) LEFT JOIN people_unit u ON u.id = unit_id CROSS JOIN LATERAL {UNITS};
INSERT INTO activity_placecount (cycle_id, unit_id, milestone, people)
SELECT moved.cycle_id, in_unit::bigint, m.kind, n FROM activity_milestone m, (
  VALUES (OLD.cycle_id, OLD.unit_id, OLD.state, -1), (NEW.cycle_id, NEW.unit_id, NEW.state, 1)
) moved (cycle_id, unit_id, state, n) LEFT JOIN people_unit u ON u.id = unit_id CROSS JOIN LATERAL {UNITS}
WHERE state = 'active' AND m.participation_id = NEW.id;
RETURN NULL;
END;
"""  # noqa: S608 - constants


class Participation(models.Model):
    """One person in one cycle, with the facts as they were at launch."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Taking part")
        LEFT = "left", _("Has left")

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="participations")
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="participations")
    state = models.CharField(
        max_length=8, choices=State, default=State.ACTIVE, db_default=State.ACTIVE
    )
    unit = models.ForeignKey(Unit, null=True, on_delete=models.PROTECT, related_name="+")
    job_title = models.CharField(max_length=200, blank=True)
    grade = models.CharField(max_length=40, blank=True)
    location = models.CharField(max_length=120, blank=True)
    fte = models.DecimalField(max_digits=4, decimal_places=3)
    annual_pay = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    hired_on = models.DateField()
    left_on = models.DateField(null=True)
    # Left by the date that stands in the company, which also brings them back when it is cleared or moved.
    left_by_date = models.BooleanField(default=False, db_default=False)
    starts_on = models.DateField()
    launched_at = models.DateTimeField(db_default=models.functions.Now())
    version = models.PositiveIntegerField(default=1, db_default=1)

    objects = ParticipationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "employee"], name="participation_once_per_cycle"
            ),
            models.CheckConstraint(
                condition=~Q(state="active", left_by_date=True),
                name="participation_only_leavers_left",
                violation_error_message=_("Who takes part has not left."),
            ),
        ]
        triggers = [
            WithoutSwitch(
                name="count_joined",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="fresh"),
                func=COUNT_JOINED,
            ),
            WithoutSwitch(
                name="count_moved",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__df=pgtrigger.F("new__state"))
                | pgtrigger.Q(old__unit_id__df=pgtrigger.F("new__unit_id")),
                func=COUNT_MOVED,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} in {self.cycle_id}"


class Assignment(models.Model):
    """Who writes as this person's manager in this cycle, from when to when."""

    participation = models.ForeignKey(
        Participation, on_delete=models.CASCADE, related_name="assignments"
    )
    manager = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="assignments")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="assignment_one_manager_a_day",
                expressions=[
                    ("participation", RangeOperators.EQUAL),
                    (date_span(), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("A person has one manager on any day of a cycle."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="assignment_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation_id} → {self.manager_id}"


class ChainLink(models.Model):
    """The line above a participation, frozen at launch and rewritten by a transfer: 1 is the manager."""

    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="chain")
    above = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    distance = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participation", "above"], name="chain_link_once"),
            models.UniqueConstraint(
                fields=["participation", "distance"], name="chain_link_one_per_step"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation_id} ↑{self.distance}"


class Extension(models.Model):
    """More time for one person in one stage, with the reason."""

    participation = models.ForeignKey(
        Participation, on_delete=models.CASCADE, related_name="extensions"
    )
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="extensions")
    due_on = models.DateField()
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "stage"], name="extension_once_per_stage"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participation_id} until {self.due_on}"


def due_day(kind: str, participation: str = "") -> Any:
    """The day a stage is due for the participation at this lookup, an extension counted.

    More time never means less: an extension that ends before everybody's day has been overtaken, unless
    the stage is closed by now. "" for a query of participations themselves.
    """
    cycle = f"{participation}__cycle" if participation else "cycle"
    stage = Stage.objects.filter(cycle=OuterRef(cycle), kind=kind)
    more = Extension.objects.filter(
        stage__kind=kind, participation=OuterRef(participation or "pk")
    ).annotate(
        own=models.Case(
            models.When(stage__state=Stage.State.CLOSED, then=F("due_on")),
            default=Greatest("due_on", "stage__due_on"),
        )
    )
    return Coalesce(Subquery(more.values("own")[:1]), Subquery(stage.values("due_on")[:1]))


def day_of(moment: Any, cycle: str) -> Any:
    """The day of a moment (expression) in the zone of the cycle at this lookup ("" for cycles themselves)."""
    zone = F(f"{cycle}__zone" if cycle else "zone")
    local = models.Func(zone, moment, function="timezone", output_field=models.CharField())
    return Cast(local, models.DateField())


def day_in(cycle: str, at: datetime | None = None) -> Any:
    """The day of a moment (now) in the zone of the cycle at this lookup ("" for cycles themselves), as an
    expression."""
    return day_of(Value(at or timezone.now(), models.DateTimeField()), cycle)


def open_today(kind: str, participation: str = "", now: datetime | None = None) -> Q:
    """Rows whose participation (at this lookup; "" for participations themselves) may do the stage's work on the
    day of a moment (now).

    The one predicate of it: they take part in a running cycle, and the stage is open, or it is closed
    and they have more time, by the day in the cycle's zone. `actions.standing` is the same under a lock.
    """
    at = f"{participation}__" if participation else ""
    running = Stage.objects.filter(
        kind=kind, state=Stage.State.OPEN, cycle__state=Cycle.State.RUNNING
    )
    more = Extension.objects.filter(
        stage__kind=kind, stage__state=Stage.State.CLOSED, due_on__gte=day_in("stage__cycle", now)
    )
    taking_part = Q(
        **{f"{at}state": Participation.State.ACTIVE, f"{at}cycle__state": Cycle.State.RUNNING}
    )
    return taking_part & (
        Q(**{f"{at}cycle__in": running.values("cycle")})
        | Q(**{f"{participation or 'pk'}__in": more.values("participation")})
    )


def taking_part(cycle: Cycle, participation: str = "participation") -> Q:
    """Rows whose participation (at this lookup; "" for participations themselves) is of somebody who has not left
    the cycle, running or not."""
    at = f"{participation}__" if participation else ""
    return Q(**{f"{at}cycle": cycle, f"{at}state": Participation.State.ACTIVE})


def here_today(employee: str, cycle: str) -> Q:
    """Rows whose employee (at this lookup) has left neither the company by today, in the zone of the cycle (at that
    lookup), nor that cycle: HR may have frozen them there whatever their record says. Who leads in it without
    taking part is here."""
    frozen = Participation.objects.filter(
        employee=OuterRef(employee), cycle=OuterRef(cycle), state=Participation.State.LEFT
    )
    here = Q(**{f"{employee}__left_on__isnull": True}) | Q(
        **{f"{employee}__left_on__gte": day_in(cycle)}
    )
    return here & ~Q(Exists(frozen))


def followed_in(cycle: Cycle, user: User) -> dict[str, models.QuerySet[Any]]:
    """What HR follows of a cycle, by name: rows to be counted, never the reader's own."""
    people = Participation.objects.overseen_by(user).filter(cycle=cycle)
    active = people.filter(state=Participation.State.ACTIVE)
    return {
        "people": active,
        "left": people.filter(state=Participation.State.LEFT),
        "without_manager": active.exclude(
            pk__in=Assignment.objects.filter(in_force(), participation__cycle=cycle).values(
                "participation"
            )
        ),
        "reopenings": Reopening.objects.waiting().filter(cycle=cycle),
        "given_more_time": Extension.objects.filter(participation__in=people.values("pk")),
    }


PAPER_COLUMNS = ("kind", "subject", "part", "detail", "state", "at", "number")


def papers(rows: models.QuerySet[Any], *, kind: str, **columns: Any) -> models.QuerySet[Any, Any]:
    """What one reader may see of a person, in the shape that the hub of a person unions into one statement.

    `rows` are within the reader's scope already. Columns (expressions): `subject` (pk in the page's URL),
    `part` (participation, if it belongs to one), `detail` (text), `state` (text), `at`, `number` (a count).
    """
    empty = {
        "kind": Value(kind, models.CharField()),
        "part": Cast(Value(None), models.BigIntegerField()),
        "detail": Value("", models.TextField()),
        "state": Value("", models.CharField()),
        "at": Cast(Value(None), models.DateTimeField()),
        "number": Cast(Value(None), models.BigIntegerField()),
    }
    types: dict[str, models.Field[Any, Any]] = {
        "subject": models.BigIntegerField(),
        "part": models.BigIntegerField(),
        "number": models.BigIntegerField(),
        "detail": models.TextField(),
        "state": models.CharField(),
    }
    given = {
        name: Cast(value, types[name]) if name in types else value
        for name, value in columns.items()
    }
    named = {f"paper_{name}": (empty | given)[name] for name in PAPER_COLUMNS}
    shaped: models.QuerySet[Any, Any] = rows.order_by().annotate(**named).values_list(*named)
    return shaped


def file_of(employee_id: int, user: User) -> list[models.QuerySet[Any, Any]]:
    """Of a person in this app: their way through each cycle, for HR."""
    overseen = Participation.objects.overseen_by(user).filter(employee=employee_id)
    return [papers(overseen, kind="cycles:life_line", subject=F("pk"), part=F("pk"))]


def matters(day: date) -> list[models.QuerySet[Any, Any]]:
    """A closed cycle that somebody wants to run again waits for a second person."""
    return put_to_each(
        Reopening.objects.waiting().filter(cycle__state=Cycle.State.CLOSED),
        hr_admins(day).exclude(pk=OuterRef("requested_by")),
        kind="cycles:reopen",
        stage="",
        subject=Cast(F("cycle"), models.BigIntegerField()),
        about=Cast(Value(None), models.BigIntegerField()),
        cycle=Cast(F("cycle"), models.BigIntegerField()),
    )


def reached(
    rows: models.QuerySet[Any],
    *,
    kind: str,
    stage: str,
    step: int,
    at: Any,
    to: str = "participation",
) -> models.QuerySet[Any, Any]:
    """Milestones of one kind: `rows` reached it at `at`; `to` leads to the participation ("" for itself)."""
    here = f"{to}__" if to else ""
    named = {
        "reached_participation": F(to or "pk"),
        "reached_about": F(f"{here}employee"),
        "reached_cycle": F(f"{here}cycle"),
        "reached_stage": Value(stage, models.CharField()),
        "reached_kind": Value(kind, models.CharField()),
        "reached_step": Value(step, models.SmallIntegerField()),
        "reached_at": at,
    }
    shaped: models.QuerySet[Any, Any] = rows.order_by().annotate(**named).values_list(*named)
    return shaped
