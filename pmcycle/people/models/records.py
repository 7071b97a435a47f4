"""Who works here, where, for whom and for how much."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from pmcycle.access import today
from pmcycle.people.models.company import Unit
from pmcycle.people.models.scopes import DatedQuerySet, date_span, hr_scope
from pmcycle.spelling import Plain, holding

if TYPE_CHECKING:
    from pmcycle.people.models.accounts import User


# Steps above a person count upward from 1; who reports to them stands at -1. Ends where the line goes in a circle.
AROUND = """
WITH RECURSIVE line AS (
  SELECT employee_id, manager_id FROM people_reportingline
  WHERE kind = 'line' AND starts_on <= %(day)s AND (ends_on IS NULL OR ends_on >= %(day)s)
),
chain(id, step, seen) AS (
  SELECT %(person)s::bigint, 0, ARRAY[%(person)s::bigint]
  UNION ALL
  SELECT line.manager_id, step + 1, seen || line.manager_id FROM chain JOIN line ON line.employee_id = chain.id
  WHERE NOT line.manager_id = ANY(seen) AND step < 40
),
near AS (
  SELECT id, step FROM chain WHERE step > 0
  UNION ALL
  (SELECT e.id, -1 FROM line JOIN people_employee e ON e.id = line.employee_id
   WHERE line.manager_id = %(person)s AND (e.left_on IS NULL OR e.left_on >= %(day)s)
   ORDER BY e.sort_name, e.id LIMIT %(below)s)
)
SELECT e.*, near.step FROM near JOIN people_employee e ON e.id = near.id ORDER BY near.step, e.sort_name, e.id
"""


class EmployeeQuerySet(models.QuerySet["Employee"]):
    # The public profile is no secret. A page that shows more of a record says so (`access.show`).
    about = "pk"

    def visible_to(self, user: User) -> Self:
        """The public profile (name, title, unit, location) is open to all who may sign in.

        IT administrators who do not work here themselves see accounts only.
        """
        if not user.is_active or (user.standing.is_it_admin and not user.employee_id):
            return self.none()
        return self

    def editable_by(self, user: User) -> Self:
        """HR admins edit records, but never their own, nor that of whom they report to."""
        if not user.standing.is_hr_admin:
            return self.none()
        above = ReportingLine.objects.unended().filter(employee=user.employee_id).values("manager")
        return self.exclude(pk=user.employee_id).exclude(pk__in=above)

    def working(self, on: date) -> Self:
        """Hired on or before the day and not yet gone."""
        return self.filter(hired_on__lte=on).filter(Q(left_on__isnull=True) | Q(left_on__gte=on))

    def here(self) -> Self:
        """Who works here today, or will: everybody who has not left."""
        return self.filter(Q(left_on__isnull=True) | Q(left_on__gte=today()))

    def for_chart(self) -> Self:
        """With unit, and how many people report to each today (`report_count`)."""
        reports = (
            ReportingLine.objects.current()
            .filter(manager=OuterRef("pk"), kind="line", employee__in=Employee.objects.here())
            .order_by()
            .values("manager")
            .annotate(n=models.Count("pk"))
            .values("n")
        )
        return self.select_related("unit").annotate(
            report_count=Coalesce(models.Subquery(reports), 0)
        )

    def biggest_first(self) -> Self:
        """Of a chart's rows: who leads most people first, then by name."""
        return self.order_by(F("report_count").desc(), "sort_name")

    def reporting_to(self, managers: Any) -> Self:
        """Who reports to any of `managers` today, with `manager_id` to group by."""
        line = ReportingLine.objects.current().filter(kind="line", employee=OuterRef("pk"))
        return (
            self.here()
            .annotate(manager_id=models.Subquery(line.values("manager")[:1]))
            .filter(manager_id__in=managers)
        )

    def at_the_top(self) -> Self:
        """Who has not left and reports to nobody, today or from a later first day on."""
        line = ReportingLine.objects.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=today()), kind="line", employee=OuterRef("pk")
        )
        return self.here().filter(~Exists(line))

    def search(self, text: str) -> Self:
        """Whose name, title or unit holds every word of `text`."""
        return self.filter(holding(text, "name", "job_title", "unit__name"))

    def picked(self, text: str) -> Employee | None:
        """The person meant by what a picker field holds: "Ana Popescu #12", an e-mail, a number or a full name.

        None if nobody or more than one is meant.
        """
        text = " ".join(text.replace("\x00", "").split())[:300]
        if not text:
            return None
        _name, mark, key = text.rpartition("#")
        if mark and key.isdecimal() and len(key) < 18:
            return self.filter(pk=int(key)).first()
        found = list(self.filter(Q(number=text) | Q(email__iexact=text) | Q(name__spelt=text))[:2])
        return found[0] if len(found) == 1 else None

    def above(self, employee: Employee) -> list[Employee]:
        """The line of managers over a person today, the nearest first; ends where it would go in a circle."""
        return self.around(employee, below=0)[0]

    def around(self, employee: Employee, *, below: int) -> tuple[list[Employee], list[Employee]]:
        """The line over a person as in `above`, and by name the first `below` who report to them. One statement."""
        rows = Employee.objects.raw(AROUND, {"person": employee.pk, "day": today(), "below": below})
        found = [(row.step, row) for row in rows]
        return [e for step, e in found if step > 0], [e for step, e in found if step < 0]

    def private_to(self, user: User) -> Self:
        """Whose private profile and pay `user` may read: their own; HR admins everybody's but … their own
        as HR; HR partners their units'."""
        own = Q(pk=user.employee_id) if user.employee_id else Q(pk__in=[])
        return self.filter(own | hr_scope(user, unit="unit", employee="pk"))

    def for_profile(self, user: User) -> Self:
        """With unit, private profile and earlier periods (`former`), whether `user` may read the latter two
        (`is_private`) and edit the record (`is_editable`)."""
        private = Employee.objects.private_to(user).filter(pk=OuterRef("pk"))
        editable = Employee.objects.editable_by(user).filter(pk=OuterRef("pk"))
        periods = FormerPeriod.objects.filter(employee=OuterRef("pk")).order_by("hired_on")
        return self.select_related("unit", "private").annotate(
            is_private=Exists(private),
            is_editable=Exists(editable),
            former_hires=ArraySubquery(periods.values("hired_on")),
            former_ends=ArraySubquery(periods.values("left_on")),
        )


class Employee(models.Model):
    """The HR record of a person: what colleagues may see. Private facts are in `PrivateProfile`."""

    class Kind(models.TextChoices):
        REGULAR = "regular", _("Regular")
        FIXED_TERM = "fixed_term", _("Fixed term")
        INTERN = "intern", _("Intern")
        CONTRACTOR = "contractor", _("Contractor")

    number = models.CharField(_("employee number"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=200)
    sort_name = models.CharField(_("sort name"), max_length=200, db_index=True)
    email = models.EmailField(_("e-mail"), blank=True)
    job_title = models.CharField(_("job title"), max_length=200, blank=True)
    job_family = models.CharField(_("job family"), max_length=200, blank=True)
    grade = models.CharField(_("grade"), max_length=40, blank=True)
    unit = models.ForeignKey(Unit, null=True, on_delete=models.PROTECT, related_name="employees")
    location = models.CharField(_("location"), max_length=120, blank=True)
    employment_kind = models.CharField(
        _("employment"), max_length=20, choices=Kind, default=Kind.REGULAR
    )
    hired_on = models.DateField(_("hired on"))
    left_on = models.DateField(_("left on"), null=True, blank=True)
    fte = models.DecimalField(_("full-time equivalent"), max_digits=4, decimal_places=3, default=1)
    zone = models.CharField(_("time zone"), max_length=64, blank=True)
    locale = models.CharField(_("language"), max_length=12, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EmployeeQuerySet.as_manager()

    # Set by `for_chart`, `reporting_to`, `around` and `for_profile` only.
    report_count: int
    manager_id: int
    step: int
    is_private: bool
    former_hires: list[date]
    former_ends: list[date]
    is_editable: bool

    class Meta:
        ordering = ["sort_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email=""),
                name="employee_email_once",
                violation_error_message=_("Another employee has this e-mail address."),
            ),
            models.CheckConstraint(
                condition=Q(left_on__isnull=True) | Q(left_on__gte=F("hired_on")),
                name="employee_leaves_after_hire",
                violation_error_message=_("The last day cannot be before the first."),
            ),
            models.CheckConstraint(
                condition=Q(fte__gt=0, fte__lte=2), name="employee_fte_sensible"
            ),
        ]
        indexes = [
            GinIndex(OpClass(Plain("name"), "gin_trgm_ops"), name="employee_name_plain"),
            models.Index("sort_name", "id", name="employee_in_order"),
            # The clock asks which zones there are, and steps from one to the next.
            models.Index("zone", name="employee_zone"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def pick_text(self) -> str:
        """What a picker field holds when this person is chosen; read back by `picked`."""
        return f"{self.name} #{self.pk}"

    def is_working(self, on: date) -> bool:
        return self.hired_on <= on and (self.left_on is None or self.left_on >= on)


def named_here(text: str) -> Employee | None:
    """Who has not left, as a picker field names them (see `picked`); None if nobody or more than one is meant."""
    return Employee.objects.here().picked(text)


class PrivateProfile(models.Model):
    """What only the person and HR may read."""

    employee = models.OneToOneField(Employee, on_delete=models.CASCADE, related_name="private")
    born_on = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=20, blank=True)
    leave_reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"private profile of {self.employee_id}"


class FormerPeriod(models.Model):
    """A time in which somebody worked here before they left and returned; the record holds the present one."""

    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="former_periods")
    hired_on = models.DateField()
    left_on = models.DateField()

    class Meta:
        ordering = ["hired_on"]
        constraints = [
            models.UniqueConstraint(fields=["employee", "hired_on"], name="former_period_once"),
            models.CheckConstraint(
                condition=Q(left_on__gte=F("hired_on")),
                name="former_period_dates",
                violation_error_message=_("The last day cannot be before the first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} {self.hired_on} – {self.left_on}"


class ReportingLineQuerySet(DatedQuerySet):
    def unended(self) -> Self:
        """Lines of today and those that are to come."""
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today()))

    def unended_or_last(self) -> Self:
        """The same, and of people whose lines have all ended the latest: who leads them, or did until they left."""
        later = self.model.objects.filter(
            employee=OuterRef("employee"), starts_on__gt=OuterRef("starts_on")
        )
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today()) | ~Exists(later))


class ReportingLine(models.Model):
    """Who reports to whom, and when. At most one line manager on any day; never oneself."""

    class Kind(models.TextChoices):
        LINE = "line", _("Line")
        MATRIX = "matrix", _("Matrix")

    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="reporting_lines")
    manager = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="reports")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.LINE)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    objects = ReportingLineQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="reporting_line_one_manager_a_day",
                expressions=[
                    ("employee", RangeOperators.EQUAL),
                    (date_span(), RangeOperators.OVERLAPS),
                ],
                condition=Q(kind="line"),
                violation_error_message=_("A person has one line manager on any day."),
            ),
            models.CheckConstraint(
                condition=~Q(employee=F("manager")),
                name="reporting_line_not_oneself",
                violation_error_message=_("Nobody reports to themselves."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="reporting_line_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} → {self.manager_id}"


class AbsenceQuerySet(DatedQuerySet):
    def visible_to(self, user: User) -> Self:
        """Leave is private: the person's own, and HR's."""
        own = Q(employee=user.employee_id) if user.employee_id else Q(pk__in=[])
        return self.filter(own | hr_scope(user, unit="employee__unit", employee="employee"))

    def editable_by(self, user: User) -> Self:
        return self.filter(employee__in=Employee.objects.editable_by(user))


class Absence(models.Model):
    """Leave: pauses reminders and shifts due dates; paid or not decides proration."""

    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="absences")
    kind = models.CharField(max_length=40, default="leave")
    is_paid = models.BooleanField(default=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="absence_no_overlap",
                expressions=[
                    ("employee", RangeOperators.EQUAL),
                    (date_span(), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("These days overlap another absence."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="absence_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.starts_on}"


class SalaryQuerySet(models.QuerySet["Salary"]):
    def with_range(self) -> Self:
        """With the pay range of the person's job title in this currency: `minimum`, `midpoint`, `maximum`, or None."""
        ranges = PayRange.objects.filter(
            ~Q(job_title=""),
            job_title__iexact=OuterRef("employee__job_title"),
            currency=OuterRef("currency"),
        ).order_by("pk")
        ends = ("minimum", "midpoint", "maximum")
        return self.annotate(**{name: models.Subquery(ranges.values(name)[:1]) for name in ends})


class Salary(models.Model):
    """Pay from a day on. `annual` is the yearly amount at the given FTE, in `currency`."""

    class Basis(models.TextChoices):
        YEAR = "year", _("a year")
        MONTH = "month", _("a month")
        HOUR = "hour", _("an hour")

    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="salaries")
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    basis = models.CharField(max_length=5, choices=Basis, default=Basis.YEAR)
    annual = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    fte = models.DecimalField(max_digits=4, decimal_places=3, default=1)
    effective_from = models.DateField()

    objects = SalaryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "salaries"
        constraints = [
            models.UniqueConstraint(
                fields=["employee", "effective_from"], name="salary_once_a_day"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0, annual__gt=0), name="salary_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} {self.effective_from}"


class PayRange(models.Model):
    """Minimum, middle and maximum yearly pay of a job title (or of a grade where the title is empty)."""

    job_title = models.CharField(max_length=200, blank=True)
    grade = models.CharField(max_length=40, blank=True)
    minimum = models.DecimalField(max_digits=14, decimal_places=2)
    midpoint = models.DecimalField(max_digits=14, decimal_places=2)
    maximum = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("job_title"), "grade", "currency", name="pay_range_once"),
            models.CheckConstraint(
                condition=Q(minimum__gt=0, minimum__lte=F("midpoint"), midpoint__lte=F("maximum")),
                name="pay_range_in_order",
                violation_error_message=_(
                    "A pay range runs from minimum over midpoint to maximum."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(job_title="", grade=""), name="pay_range_names_a_job"
            ),
        ]

    def __str__(self) -> str:
        return self.job_title or self.grade
