"""Who signs in, with which roles, and with which keys for the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, ClassVar, Self

import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import JSONObject, Lower
from django.utils.translation import gettext_lazy as _

from pmcycle.activity.models import WithoutSwitch
from pmcycle.days import day_of, zone_of
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
            head_paths=tuple(
                sorted(g["path"] for g in grants if g["role"] == Role.UNIT_HEAD and g["path"])
            ),
            leads_people=leads_people,
        )


# Whoever sets the address of an account can ask for a new password there. So it moves by one way only,
# whatever statement tries: to the address whose confirmation is the latest on record.
ADDRESS_CONFIRMED = """
BEGIN
  IF (SELECT c.email FROM people_addresschange c WHERE c.user_id = NEW.id AND c.confirmed_at IS NOT NULL
      ORDER BY c.confirmed_at DESC, c.id DESC LIMIT 1) IS DISTINCT FROM NEW.email THEN
    RAISE EXCEPTION 'sign_in_address_is_confirmed' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END;
"""

# An account that is opened again begins without anything that it held before.
OPENED_BARE = """
BEGIN
  IF EXISTS (SELECT FROM people_rolegrant g WHERE g.user_id = NEW.id AND coalesce(g.ends_on >= current_date, true))
     OR EXISTS (SELECT FROM people_apitoken t WHERE t.user_id = NEW.id AND t.revoked_at IS NULL)
     OR EXISTS (SELECT FROM people_delegation d
       WHERE NEW.id IN (d.principal_id, d.delegate_id) AND d.ends_on >= current_date) THEN
    RAISE EXCEPTION 'user_opened_without_what_it_held' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END;
"""

# A grant that one person made takes another who approved it, and who approves did not make the account.
GRANT_TAKES_TWO = """
BEGIN
  IF NEW.granted_by_id IS NOT NULL AND (NEW.approved_by_id IS NULL OR EXISTS (
      SELECT FROM people_user u WHERE u.id = NEW.user_id AND u.made_by_id = NEW.approved_by_id)) THEN
    RAISE EXCEPTION 'role_grant_takes_two_people' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END;
"""

# An ended role never comes back, and a role never becomes another: both take a new grant.
GRANT_ONLY_ENDS = """
BEGIN
  IF (NEW.user_id, NEW.role, NEW.unit_id, NEW.starts_on, NEW.granted_by_id, NEW.approved_by_id) IS DISTINCT FROM
     (OLD.user_id, OLD.role, OLD.unit_id, OLD.starts_on, OLD.granted_by_id, OLD.approved_by_id)
     OR OLD.ends_on IS NOT NULL AND (NEW.ends_on IS NULL OR NEW.ends_on > OLD.ends_on) THEN
    RAISE EXCEPTION 'role_grant_only_ends' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END;
"""


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
    # The language by whose rules they write numbers; "" that of the page.
    numbers = models.CharField(_("numbers"), max_length=12, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    # Who invited this person; nobody made the accounts of the first visit.
    made_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # How often all that the account had handed out was ended: what is of an earlier life opens nothing.
    life = models.PositiveIntegerField(default=0, db_default=0)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        indexes = [models.Index("zone", name="user_zone")]  # see Employee
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(condition=~Q(made_by=F("id")), name="user_not_made_by_oneself"),
        ]
        triggers = [
            WithoutSwitch(
                name="address_by_confirmed_change",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("email"),
                condition=pgtrigger.Q(old__email__df=pgtrigger.F("new__email")),
                func=ADDRESS_CONFIRMED,
            ),
            WithoutSwitch(
                name="opened_bare",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("is_active"),
                condition=pgtrigger.Q(old__is_active=False, new__is_active=True),
                func=OPENED_BARE,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session is checked against: the password, and the life of the account that it began in."""
        found: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        return f"{found}-{self.life}" if self.life else found

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
        """The zone in which this person reads times: their own, else the company's; "" if there is none."""
        return self.zone or (self.employee.zone if self.employee else "") or self.house_zone or ""

    @cached_property
    def house_zone(self) -> str | None:
        """The company's zone; the sign-in backend reads it with the user."""
        return Organisation.objects.values_list("zone", flat=True).first()

    def local_day(self, now: datetime) -> date:
        """The day where this person is, by which what they promise and answer is judged."""
        return day_of(now, zone_of(self.zone_name) or UTC)


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
    unit = models.ForeignKey(
        Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    # Who asked for it and who approved it; both are empty where the first visit or an operator named somebody.
    granted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

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
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="role_grant_dates",
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
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | (
                    Q(granted_by__isnull=False)
                    & ~Q(approved_by=F("granted_by"))
                    & ~Q(approved_by=F("user"))
                ),
                name="role_grant_second_is_another",
                violation_error_message=_(
                    "A role takes a second person, who is not the one who gets it."
                ),
            ),
        ]
        triggers = [
            WithoutSwitch(
                name="takes_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=GRANT_TAKES_TWO,
            ),
            WithoutSwitch(
                name="only_ends",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=GRANT_ONLY_ENDS,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"

    @property
    def shown(self) -> str:
        """The role in words, with its unit; read it with `unit` selected."""
        return (
            f"{self.get_role_display()} · {self.unit.name}"
            if self.unit
            else str(self.get_role_display())
        )

    @staticmethod
    def standing_row() -> Any:
        """An expression that reads grants and 'leads people' together with the user, in one statement."""
        grants = (
            RoleGrant.objects.current()
            .filter(user=OuterRef("pk"))
            .values(row=JSONObject(role="role", path="unit__path"))
        )
        leads = ReportingLine.objects.current().filter(manager=OuterRef("employee"))
        return JSONObject(
            grants=Func(ArraySubquery(grants), function="to_jsonb"), leads=Exists(leads)
        )


class RoleRequestQuerySet(models.QuerySet["RoleRequest"]):
    def visible_to(self, user: User) -> Self:
        """Administrators; which of them may approve which role is the action's to say."""
        return self if user.standing.is_it_admin or user.standing.is_hr_admin else self.none()

    editable_by = visible_to

    def waiting(self) -> Self:
        """Asked for, and neither approved nor withdrawn."""
        return self.filter(approved_at__isnull=True, withdrawn_at__isnull=True)


class RoleRequest(models.Model):
    """A role that one administrator asks for and another approves; only then is it a `RoleGrant`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_requests")
    role = models.CharField(max_length=20, choices=Role)
    unit = models.ForeignKey(
        Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = RoleRequestQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(requested_by=F("user")),
                name="role_request_not_for_oneself",
                violation_error_message=_("Nobody grants a role to themselves."),
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | (~Q(approved_by=F("requested_by")) & ~Q(approved_by=F("user"))),
                name="role_request_takes_two_people",
                violation_error_message=_(
                    "A role takes a second person, who is not the one who gets it."
                ),
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | Q(
                    approved_by__isnull=False, approved_at__isnull=False, withdrawn_at__isnull=True
                ),
                name="role_request_approved_names_who",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="role_request_dates",
            ),
            models.UniqueConstraint(
                fields=["user", "role", "unit"],
                condition=Q(approved_at__isnull=True, withdrawn_at__isnull=True),
                nulls_distinct=False,
                name="role_request_waits_once",
                violation_error_message=_("Somebody has asked for it already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"

    @property
    def shown(self) -> str:
        """The role in words, with its unit; read it with `unit` selected."""
        return (
            f"{self.get_role_display()} · {self.unit.name}"
            if self.unit
            else str(self.get_role_display())
        )


class AddressChangeQuerySet(models.QuerySet["AddressChange"]):
    def visible_to(self, user: User) -> Self:
        """The owner of the account and HR admins."""
        return self if user.standing.is_hr_admin else self.filter(user=user)

    editable_by = visible_to

    def waiting(self) -> Self:
        """Asked for, and neither confirmed nor withdrawn."""
        return self.filter(confirmed_at__isnull=True, withdrawn_at__isnull=True)

    def for_a_second(self) -> Self:
        """What an HR admin has asked for and no second one has agreed to."""
        return self.waiting().filter(approved_at__isnull=True).exclude(requested_by=F("user"))


class AddressChange(models.Model):
    """Another sign-in address of an account: its owner asks, or an HR admin and a second one.

    It counts when the link that was sent to it is followed. The record's address goes with it.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="address_changes")
    email = models.EmailField(_("e-mail"))
    reason = models.CharField(max_length=500, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    # The link counts from here on: from asking, or from the second person's yes.
    sent_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = AddressChangeQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(email=Lower("email")) & ~Q(email=""),
                name="address_change_is_an_address",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | (~Q(approved_by=F("requested_by")) & ~Q(approved_by=F("user"))),
                name="address_change_takes_two_people",
                violation_error_message=_("Another person's address takes a second person."),
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="address_change_approved_names_who",
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True)
                | Q(requested_by=F("user"))
                | Q(approved_at__isnull=False),
                name="address_change_is_sent_when_agreed",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True)
                | Q(sent_at__isnull=False, withdrawn_at__isnull=True),
                name="address_change_confirmed_was_sent",
            ),
            models.CheckConstraint(
                condition=Q(requested_by=F("user")) | ~Q(reason=""),
                name="address_change_of_others_says_why",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(confirmed_at__isnull=True, withdrawn_at__isnull=True),
                name="address_change_one_waits",
                violation_error_message=_("Another address is waiting already."),
            ),
        ]

    def __str__(self) -> str:
        return f"address of {self.user_id}"

    @property
    def is_own(self) -> bool:
        """Whether the owner of the account asked."""
        return self.requested_by_id == self.user_id


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
            models.CheckConstraint(
                condition=~Q(principal=F("delegate")), name="delegation_not_to_oneself"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="delegation_dates"
            ),
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


def it_admins() -> models.QuerySet[User]:
    """Who runs the system today."""
    granted = RoleGrant.objects.current().filter(role=Role.IT_ADMIN)
    found: models.QuerySet[User] = User.objects.filter(
        is_active=True, pk__in=granted.values("user")
    )
    return found.order_by("name", "pk")


def hr_admins(day: date | None = None) -> models.QuerySet[User]:
    """HR admins of the day, or of today. Who administers the system as well reads no HR content and settles nothing."""
    granted = RoleGrant.objects.current(day)
    found = User.objects.filter(
        is_active=True, pk__in=granted.filter(role=Role.HR_ADMIN).values("user")
    )
    without_it: models.QuerySet[User] = found.exclude(
        pk__in=granted.filter(role=Role.IT_ADMIN).values("user")
    )
    return without_it.order_by("name", "pk")
