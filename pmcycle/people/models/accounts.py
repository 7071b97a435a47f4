"""Who signs in, with which roles, and with which keys for the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import JSONObject, Lower
from django.utils.translation import gettext_lazy as _

from pmcycle.people.models.company import Organisation, Unit
from pmcycle.people.models.records import Employee, ReportingLine
from pmcycle.people.models.scopes import DatedQuerySet, date_span


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


class PasswordWish(models.Model):
    """Somebody typed this address to get a link for a new password. Gone once it is answered, within a minute."""

    email = models.CharField(max_length=254)
    asked_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"asked at {self.asked_at}"


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
    "todos:read": _("read what needs you"),
    "goals:read": _("read goals"),
    "goals:write": _("change goals and record progress"),
    "appraisals:read": _("read appraisals"),
    "appraisals:write": _("write appraisals"),
    "feedback:read": _("read feedback and conversations"),
    "feedback:write": _("give feedback and take part in conversations"),
    "check_ins:read": _("read check-ins, actions and promises"),
    "check_ins:write": _("write in check-ins"),
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


def hr_admins(day: date | None = None) -> models.QuerySet[User]:
    """HR admins of the day, or of today. Who administers the system as well reads no HR content and settles nothing."""
    granted = RoleGrant.objects.current(day)
    found = User.objects.filter(is_active=True, pk__in=granted.filter(role=Role.HR_ADMIN).values("user"))
    without_it: models.QuerySet[User] = found.exclude(
        pk__in=granted.filter(role=Role.IT_ADMIN).values("user")
    )
    return without_it.order_by("name", "pk")
