"""Who works here, where, for whom, for how much — and who may see it.

Dated rows (`starts_on`, `ends_on`) are inclusive on both ends; an open end is NULL. The exclusion
constraints in this file cannot be added to data that already breaks them, which is why they are
here from the first migration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import Coalesce, JSONObject, Lower
from django.utils.translation import gettext_lazy as _

from pmcycle.access import in_force, today
from pmcycle.people.rules.calendar import MONDAY_TO_FRIDAY, Calendar


def date_span() -> Func:
    """`daterange(starts_on, ends_on, '[]')` for exclusion constraints: both ends inclusive."""
    return Func(F("starts_on"), F("ends_on"), Value("[]"), function="daterange")


def monday_to_friday() -> list[int]:
    return list(MONDAY_TO_FRIDAY)


class AdministeredQuerySet(models.QuerySet[Any]):
    """Settings of the company: HR and IT administrators' to read and to change."""

    def visible_to(self, user: User) -> Self:
        return self if user.standing.is_hr_admin or user.standing.is_it_admin else self.none()

    editable_by = visible_to


class Organisation(models.Model):
    """The one company that this installation serves."""

    name = models.CharField(_("name"), max_length=200)
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    # ISO weekdays, Monday is 1. Nobody is reminded on the other days.
    working_days = ArrayField(models.PositiveSmallIntegerField(), default=monday_to_friday, size=7)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    objects = AdministeredQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="organisation_only_one"),
            models.CheckConstraint(
                condition=Q(working_days__len__gt=0, working_days__contained_by=[1, 2, 3, 4, 5, 6, 7]),
                name="organisation_works_on_some_day",
                violation_error_message=_("A company works on at least one day of the week."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Holiday(models.Model):
    """A day on which nobody in the company works, whatever day of the week it is."""

    day = models.DateField(_("day"), unique=True)
    name = models.CharField(_("name"), max_length=80)

    objects = AdministeredQuerySet.as_manager()

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return self.name


# Whether people work on the day that stands for {day}. `Calendar` says the same in Python.
WORKS_ON = """(extract(isodow FROM {day})::int = ANY(coalesce(
  (SELECT working_days::int[] FROM people_organisation), ARRAY[1, 2, 3, 4, 5]))
  AND NOT EXISTS (SELECT 1 FROM people_holiday h WHERE h.day = {day}))"""


def calendar() -> Calendar:
    """The company's working days and holidays. One statement."""
    holidays = ArraySubquery(Holiday.objects.values(pair=JSONObject(day="day", name="name")))
    row = Organisation.objects.annotate(holidays=holidays).values_list("working_days", "holidays").first()
    if row is None:
        return Calendar()
    return Calendar(row[0], {date.fromisoformat(h["day"]): h["name"] for h in row[1]})


class SetupCode(models.Model):
    """The one-time code of the first visit; only its hash is kept."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"setup code {self.pk}"


def in_use() -> bool:
    """Whether anybody could sign in: false only until the first visit."""
    return User.objects.exists() or Organisation.objects.exists()


class UnitQuerySet(models.QuerySet["Unit"]):
    def visible_to(self, user: User) -> Self:
        """The org chart is open to everybody who works here."""
        return self if user.is_active else self.none()

    def editable_by(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()


class Unit(models.Model):
    """A part of the organisation. `path` is the chain of ids from the root, as in `3/14/159/`.

    A prefix search on `path` is a whole subtree; the actions that move a unit keep it true.
    """

    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    path = models.CharField(max_length=400, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = UnitQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                "parent",
                name="unit_name_once",
                nulls_distinct=False,
                violation_error_message=_("There is already a unit of this name there."),
            ),
        ]
        indexes = [models.Index(fields=["path"], name="unit_path_prefix", opclasses=["varchar_pattern_ops"])]

    def __str__(self) -> str:
        return self.name


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
    def visible_to(self, user: User) -> Self:
        """The public profile (name, title, unit, location) is open to all who may sign in.

        IT administrators who do not work here themselves see accounts only.
        """
        if not user.is_active or (user.standing.is_it_admin and not user.employee_id):
            return self.none()
        return self

    def editable_by(self, user: User) -> Self:
        """HR admins edit records, but never their own."""
        return self.exclude(pk=user.employee_id) if user.standing.is_hr_admin else self.none()

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
        return self.select_related("unit").annotate(report_count=Coalesce(models.Subquery(reports), 0))

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
        found = self
        for word in text.replace("\x00", "").split()[:6]:
            found = found.filter(
                Q(name__icontains=word) | Q(job_title__icontains=word) | Q(unit__name__icontains=word)
            )
        return found

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
        found = list(self.filter(Q(number=text) | Q(email__iexact=text) | Q(name__iexact=text))[:2])
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
        """With unit and private profile, and whether `user` may read the latter (`is_private`)."""
        private = Employee.objects.private_to(user).filter(pk=OuterRef("pk"))
        return self.select_related("unit", "private").annotate(is_private=Exists(private))


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
    employment_kind = models.CharField(_("employment"), max_length=20, choices=Kind, default=Kind.REGULAR)
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
            models.CheckConstraint(condition=Q(fte__gt=0, fte__lte=2), name="employee_fte_sensible"),
        ]
        indexes = [GinIndex(fields=["name"], name="employee_name_search", opclasses=["gin_trgm_ops"])]

    def __str__(self) -> str:
        return self.name

    @property
    def pick_text(self) -> str:
        """What a picker field holds when this person is chosen; read back by `picked`."""
        return f"{self.name} #{self.pk}"

    def is_working(self, on: date) -> bool:
        return self.hired_on <= on and (self.left_on is None or self.left_on >= on)


class PrivateProfile(models.Model):
    """What only the person and HR may read."""

    employee = models.OneToOneField(Employee, on_delete=models.CASCADE, related_name="private")
    born_on = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=20, blank=True)
    leave_reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"private profile of {self.employee_id}"


class DatedQuerySet(models.QuerySet[Any]):
    """Rows with `starts_on` and `ends_on`, both inclusive."""

    def current(self, on: date | None = None) -> Self:
        return self.filter(in_force(on))


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

    objects = DatedQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="reporting_line_one_manager_a_day",
                expressions=[("employee", RangeOperators.EQUAL), (date_span(), RangeOperators.OVERLAPS)],
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
                expressions=[("employee", RangeOperators.EQUAL), (date_span(), RangeOperators.OVERLAPS)],
                violation_error_message=_("These days overlap another absence."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="absence_dates"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.starts_on}"


class SalaryQuerySet(models.QuerySet["Salary"]):
    def with_range(self) -> Self:
        """With the pay range of the person's job title in this currency: `minimum`, `midpoint`, `maximum`, or None."""
        ranges = PayRange.objects.filter(
            ~Q(job_title=""), job_title__iexact=OuterRef("employee__job_title"), currency=OuterRef("currency")
        ).order_by("pk")
        ends = ("minimum", "midpoint", "maximum")
        return self.annotate(**{name: models.Subquery(ranges.values(name)[:1]) for name in ends})


class Salary(models.Model):
    """Pay from a day on. `annual` is the yearly amount at the given FTE, in `currency`."""

    class Basis(models.TextChoices):
        YEAR = "year", _("a year")
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
            models.UniqueConstraint(fields=["employee", "effective_from"], name="salary_once_a_day"),
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
                violation_error_message=_("A pay range runs from minimum over midpoint to maximum."),
            ),
            models.CheckConstraint(condition=~Q(job_title="", grade=""), name="pay_range_names_a_job"),
        ]

    def __str__(self) -> str:
        return self.job_title or self.grade


class Role(models.TextChoices):
    HR_ADMIN = "hr_admin", _("HR admin")
    HR_PARTNER = "hr_partner", _("HR partner")
    AUDITOR = "auditor", _("Auditor")
    IT_ADMIN = "it_admin", _("IT admin")
    UNIT_HEAD = "unit_head", _("Unit head")


@dataclass(frozen=True)
class Standing:
    """What a user is, apart from any one row: read once per request with the user.

    IT administrators see no HR content, so that role takes the others away (subtraction wins).
    """

    roles: frozenset[str] = frozenset()
    partner_paths: tuple[str, ...] = ()
    head_paths: tuple[str, ...] = ()
    leads_people: bool = False

    @property
    def is_hr_admin(self) -> bool:
        return Role.HR_ADMIN in self.roles

    @property
    def is_hr(self) -> bool:
        return self.is_hr_admin or bool(self.partner_paths)

    @property
    def is_auditor(self) -> bool:
        return Role.AUDITOR in self.roles

    @property
    def is_it_admin(self) -> bool:
        return Role.IT_ADMIN in self.roles

    @classmethod
    def of(cls, grants: list[dict[str, Any]], leads_people: bool) -> Standing:
        roles = {g["role"] for g in grants}
        if Role.IT_ADMIN in roles:
            return cls(roles=frozenset({Role.IT_ADMIN.value}), leads_people=leads_people)
        return cls(
            roles=frozenset(roles),
            partner_paths=tuple(
                sorted(g["path"] for g in grants if g["role"] == Role.HR_PARTNER and g["path"])
            ),
            head_paths=tuple(sorted(g["path"] for g in grants if g["role"] == Role.UNIT_HEAD and g["path"])),
            leads_people=leads_people,
        )


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: User) -> Self:
        """IT admins and HR admins manage accounts; everybody sees their own."""
        if user.standing.is_it_admin or user.standing.is_hr_admin:
            return self
        return self.filter(pk=user.pk)

    editable_by = visible_to


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user with a hashed password (unusable if None); the e-mail is the sign-in name."""
        user = User(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser):
    """Somebody who signs in with an e-mail address; may or may not be an employee."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    employee = models.OneToOneField(
        Employee, null=True, blank=True, on_delete=models.PROTECT, related_name="user"
    )
    is_active = models.BooleanField(default=True)
    zone = models.CharField(_("time zone"), max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def standing(self) -> Standing:
        """Read with the user by the sign-in backend; otherwise one statement, once."""
        found = getattr(self, "standing_row", None)
        if found is None:
            found = (
                User.objects.filter(pk=self.pk)
                .annotate(standing_row=RoleGrant.standing_row())
                .values_list("standing_row", flat=True)
                .first()
            )
        row: dict[str, Any] = found or {"grants": [], "leads": False}
        if not self.is_active:
            return Standing()
        return Standing.of(row["grants"] or [], bool(row["leads"]))

    @property
    def has_password(self) -> bool:
        """Whether the invitation was followed."""
        return self.has_usable_password()

    @property
    def zone_name(self) -> str:
        """The zone in which this person reads times."""
        return self.zone or (self.employee.zone if self.employee else "") or ""


class RoleGrantQuerySet(DatedQuerySet):
    def visible_to(self, user: User) -> Self:
        """HR and IT admins see who holds what; everybody sees their own roles."""
        if user.standing.is_it_admin or user.standing.is_hr_admin:
            return self
        return self.filter(user=user)

    def editable_by(self, user: User) -> Self:
        """Administrators; which of them may end which role is the action's to say."""
        return self if user.standing.is_it_admin or user.standing.is_hr_admin else self.none()


class RoleGrant(models.Model):
    """A role held by a user from a day to a day, for one unit and everything below it (or for all)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20, choices=Role)
    unit = models.ForeignKey(Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    granted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = RoleGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="role_grant_once_a_day",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (Func(F("unit"), Value(0), function="coalesce"), RangeOperators.EQUAL),
                    (date_span(), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("This person already holds the role on these days."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="role_grant_dates"
            ),
            models.CheckConstraint(
                condition=~Q(role__in=["hr_partner", "unit_head"]) | Q(unit__isnull=False),
                name="role_grant_scoped_roles_name_a_unit",
                violation_error_message=_("HR partners and unit heads are named for a unit."),
            ),
            models.CheckConstraint(
                condition=Q(granted_by__isnull=True) | ~Q(granted_by=F("user")),
                name="role_grant_not_to_oneself",
                violation_error_message=_("Nobody grants a role to themselves."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"

    @property
    def shown(self) -> str:
        """The role in words, with its unit; read it with `unit` selected."""
        return f"{self.get_role_display()} · {self.unit.name}" if self.unit else str(self.get_role_display())

    @staticmethod
    def standing_row() -> Any:
        """An expression that reads grants and 'leads people' together with the user, in one statement."""
        grants = (
            RoleGrant.objects.current()
            .filter(user=OuterRef("pk"))
            .values(row=JSONObject(role="role", path="unit__path"))
        )
        leads = ReportingLine.objects.current().filter(manager=OuterRef("employee"))
        return JSONObject(grants=Func(ArraySubquery(grants), function="to_jsonb"), leads=Exists(leads))


def hr_scope(user: User, *, unit: str, employee: str) -> Q:
    """Rows that `user` may reach as HR: all for an HR admin, the units' subtree for an HR partner.

    `unit` and `employee` are the lookups from the row to its unit and to the person it is about.
    HR never reaches its own file this way (4-access, rule 5): the exclusion is here, in the query.
    """
    standing = user.standing
    if standing.is_hr_admin:
        # Not Q(): an empty condition vanishes when it is joined by "or", and would open nothing.
        reach = Q(pk__isnull=False)
    elif standing.partner_paths:
        reach = Q(pk__in=[])
        for path in standing.partner_paths:
            reach |= Q(**{f"{unit}__path__startswith": path})
    else:
        return Q(pk__in=[])
    return reach & ~Q(**{employee: user.employee_id}) if user.employee_id else reach


class Delegation(models.Model):
    """A named person does named tasks for another, from a day to a day."""

    principal = models.ForeignKey(User, on_delete=models.CASCADE, related_name="delegations")
    delegate = models.ForeignKey(User, on_delete=models.CASCADE, related_name="delegated")
    tasks = ArrayField(models.CharField(max_length=40))
    starts_on = models.DateField()
    ends_on = models.DateField()

    objects = DatedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(principal=F("delegate")), name="delegation_not_to_oneself"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="delegation_dates"),
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} → {self.delegate_id}"


SCOPES = {
    "goals:read": _("read goals"),
    "goals:write": _("change goals and record progress"),
    "appraisals:read": _("read appraisals"),
    "appraisals:write": _("write appraisals"),
    "feedback:read": _("read feedback and check-ins"),
    "feedback:write": _("give feedback and write in check-ins"),
}


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, user: User) -> Self:
        """A token is its owner's alone; administrators end it by closing the account."""
        return self.filter(user=user)

    editable_by = visible_to


class ApiToken(models.Model):
    """A scoped key for the API. Only the sha256 of the secret is kept; the prefix finds the row."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_on = models.DateField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()

    editable_by = visible_to


class Import(models.Model):
    """One uploaded file on its way into the company: mapped, rehearsed, applied — or not.

    `choices` are what was settled by hand ("line:12", "manager:jon smyth"); `digest` tells whether a
    second rehearsal came to the same fates as the one that HR has read.
    """

    class Kind(models.TextChoices):
        PEOPLE = "people", _("People")
        PAY_RANGES = "pay_ranges", _("Pay ranges")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        CHECKED = "checked", _("Rehearsed")
        APPLIED = "applied", _("Applied")
        FAILED = "failed", _("Not usable")

    kind = models.CharField(max_length=12, choices=Kind)
    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    header = models.JSONField(default=list)
    header_row = models.PositiveIntegerField(default=0)
    line_count = models.PositiveIntegerField(default=0)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    choices = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED)
    message = models.TextField(blank=True)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.file_name


CHANGE_LABELS = {
    "name": _("name"),
    "email": _("e-mail"),
    "job_title": _("job title"),
    "job_family": _("job family"),
    "grade": _("grade"),
    "unit": _("unit"),
    "location": _("location"),
    "hired_on": _("hired on"),
    "left_on": _("left on"),
    "fte": _("full-time equivalent"),
    "leave_reason": _("reason for leaving"),
    "sex": _("sex"),
    "born_on": _("born on"),
    "annual": _("yearly pay"),
    "manager_number": _("manager"),
    "absent": _("on leave"),
    "minimum": _("lowest pay"),
    "midpoint": _("middle pay"),
    "maximum": _("highest pay"),
}


def _in_words(name: str, value: str) -> Any:
    if name == "absent":
        return _("yes") if value else _("no")
    return value


class ImportLine(models.Model):
    """The fate of one line of the file, with the values as read and what is left to settle by hand."""

    class Fate(models.TextChoices):
        CREATED = "created", _("New")
        CHANGED = "changed", _("Changed")
        UNCHANGED = "unchanged", _("Unchanged")
        AMBIGUOUS = "ambiguous", _("To settle")
        REFUSED = "refused", _("Refused")
        PASSED = "passed", _("Passed over")

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField()
    fate = models.CharField(max_length=10, choices=Fate)
    key = models.CharField(max_length=200, blank=True)
    values = models.JSONField(default=dict)
    changes = models.JSONField(default=dict)
    messages = models.JSONField(default=list)
    candidates = models.JSONField(default=list)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="import_line_once")]
        indexes = [models.Index("run", "fate", name="import_line_fate")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.number}"

    @property
    def shown(self) -> str:
        """Whom or what the line is about."""
        return str(self.values.get("name") or self.values.get("job_title") or self.values.get("grade") or "–")

    @property
    def change_list(self) -> list[dict[str, Any]]:
        """`changes` in words for the page: label, old, new."""
        return [
            {"label": CHANGE_LABELS.get(name, name), "old": _in_words(name, old), "new": _in_words(name, new)}
            for name, (old, new) in self.changes.items()
        ]


class ColumnMapping(models.Model):
    """A mapping HR once corrected, remembered for the next file with the same header."""

    kind = models.CharField(max_length=12, choices=Import.Kind)
    signature = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "signature"], name="column_mapping_once")]

    def __str__(self) -> str:
        return self.signature


class Settlement(models.Model):
    """What HR once decided by hand about a doubtful line, so that the same file asks nothing again.

    `key` names the doubt (number and name, a manager's spelling, a whole line), not the row of a file.
    """

    key = models.CharField(max_length=80, unique=True)
    choice = models.JSONField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.key
