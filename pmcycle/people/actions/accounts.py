"""Accounts, roles, invitations, API tokens, and the first visit of an empty installation."""

from __future__ import annotations

import secrets
import zoneinfo
from collections.abc import Sequence
from datetime import date, timedelta

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.access import today
from pmcycle.activity.actions import Tell, record, settle, settle_roles
from pmcycle.errors import Invalid, Refused
from pmcycle.people.authentication import digest
from pmcycle.people.models import (
    ApiToken,
    Employee,
    Organisation,
    Role,
    RoleGrant,
    SetupCode,
    Unit,
    User,
    in_use,
)
from pmcycle.people.rules import roles

INVITATION_DAYS = 14
INVITATION_SALT = "people.invitation"
MOST_INVITED = 20_000
TOKEN_DAYS = 365
# Any number that no other lock of this product uses: only one first visit wins.
SETUP_LOCK = 7303
SECURITY = "security"


# --- invitations -------------------------------------------------------------------------------------


def invitation_path(user: User) -> str:
    """The address that lets an account without a password choose one; good for INVITATION_DAYS days."""
    token = signing.dumps([user.pk, user.email], salt=INVITATION_SALT)
    return reverse("people:accept_invitation", kwargs={"token": token})


def accept_invitation(token: str) -> str:
    """The address of the page on which the invited person chooses a password.

    Raises Refused if the invitation is unknown, too old, or was used: whoever has a password asks for
    a new one under "Forgot your password?".
    """
    try:
        pk, email = signing.loads(token, salt=INVITATION_SALT, max_age=timedelta(days=INVITATION_DAYS))
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused(_("This invitation is not valid any more. Ask HR for a new one.")) from None
    user = User.objects.filter(pk=pk, email=email, is_active=True).first()
    if user is None:
        raise Refused(_("This invitation is not valid any more. Ask HR for a new one."))
    if user.has_usable_password():
        raise Refused(_("You have chosen a password already. Sign in with it, or ask for a new one there."))
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})


def _invitation(user: User, again: str = "") -> Tell:
    return Tell(
        user_id=user.pk,
        title=_("Choose your password for pmcycle"),
        url=invitation_path(user),
        key=f"invitation:{user.pk}:{user.email}:{again}",
        kind="invitation",
        is_urgent=True,
    )


def invite(employees: Sequence[int] | None, *, by: User) -> int:
    """Give accounts to employees (None: to everybody with an e-mail address) and ask them to choose a password.

    Passes over who has an account, has left, or has no address. Answers how many were invited; the
    number of statements does not grow with them.
    """
    with transaction.atomic():
        wanted = Employee.objects.here().filter(user__isnull=True).exclude(email="")
        if employees is not None:
            wanted = wanted.filter(pk__in=employees)
        people = list(wanted.select_for_update(of=("self",))[: MOST_INVITED + 1])
        if len(people) > MOST_INVITED:
            raise Refused(_("Invite %(most)d people at most at once.") % {"most": MOST_INVITED})
        taken = set(
            User.objects.filter(email__in=[p.email.lower() for p in people]).values_list("email", flat=True)
        )
        people = [p for p in people if p.email.lower() not in taken]
        if not people:
            return 0
        users = [User(email=p.email.lower(), name=p.name, employee=p) for p in people]
        for user in users:
            user.set_unusable_password()
        User.objects.bulk_create(users, batch_size=5_000)
        record(
            "invited_people",
            users[0],
            by=by,
            stream=SECURITY,
            notify=[_invitation(user) for user in users],
            accounts=[user.pk for user in users],
        )
        # The board says of each that they cannot sign in, until now.
        settle("invited_people", "people", {person.pk for person in people}, by=by)
    return len(users)


def invite_again(user: User, *, by: User) -> None:
    """Send the invitation anew to somebody who has not chosen a password yet; once a day at most."""
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        if not row.is_active:
            raise Refused(_("This account is closed. Open it again first."))
        if row.has_usable_password():
            raise Refused(_("This person has a password already, and can ask for a new one when signing in."))
        record("invited_again", row, by=by, stream=SECURITY, notify=[_invitation(row, today().isoformat())])


# --- opening and closing -----------------------------------------------------------------------------


def deactivate(user: User, *, by: User) -> None:
    """Close an account: sessions and tokens end at once, roles and everything written stay on record."""
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        if row.pk == by.pk:
            raise Refused(_("Nobody closes their own account."))
        if not row.is_active:
            raise Refused(_("This account is closed already."))
        _check_hr_admin_left(row)
        row.is_active = False
        row.save(update_fields=["is_active"])
        end_sessions(row)
        ApiToken.objects.filter(user=row, revoked_at__isnull=True).update(revoked_at=timezone.now())
        record("closed_account", row, by=by, stream=SECURITY)


def end_sessions(user: User) -> None:
    """Sign a user out everywhere."""
    sessions = UserSession.objects.filter(user=user)
    Session.objects.filter(session_key__in=sessions.values("session_key")).delete()
    sessions.delete()


def reactivate(user: User, *, by: User) -> None:
    """Open a closed account again. Who has left the company stays out."""
    with transaction.atomic():
        row = User.objects.select_for_update(of=("self",)).select_related("employee").get(pk=user.pk)
        if row.is_active:
            raise Refused(_("This account is open."))
        if row.employee is not None and row.employee.left_on and row.employee.left_on < today():
            raise Refused(_("This person has left. Take the last day back first."))
        row.is_active = True
        row.save(update_fields=["is_active"])
        record("opened_account", row, by=by, stream=SECURITY)


# --- roles -------------------------------------------------------------------------------------------


def grant_role(
    user: User, role: str, unit: Unit | None, starts_on: date, ends_on: date | None, *, by: User
) -> RoleGrant:
    """Give a role from a day on, for a unit and all below it (None: everywhere).

    Every other HR admin is told of a role that opens personnel files.
    """
    if role not in Role.values:
        raise Invalid("role", _("Choose a role."))
    if ends_on and ends_on < starts_on:
        raise Invalid("ends_on", _("The last day cannot be before the first."))
    try:
        with transaction.atomic():
            row = User.objects.select_for_update().get(pk=user.pk)
            unended = Q(ends_on__isnull=True) | Q(ends_on__gte=today())
            why_not = roles.why_not_grant(
                role,
                own=by.standing.roles,
                held=set(RoleGrant.objects.filter(unended, user=row).values_list("role", flat=True)),
                to_oneself=row.pk == by.pk,
                names_unit=unit is not None,
            )
            if why_not:
                raise Invalid("unit" if role in roles.SCOPED and unit is None else "role", why_not)
            grant = RoleGrant.objects.create(
                user=row,
                role=role,
                unit=unit if role in roles.SCOPED else None,
                starts_on=starts_on,
                ends_on=ends_on,
                granted_by=by,
            )
            alert = _alert(grant, by) if role in roles.HR_ROLES else []
            record("granted_role", grant, by=by, stream=SECURITY, notify=alert, role=role, user=row.pk)
            settle_roles("granted_role", by=by)
    except IntegrityError as error:
        raise Invalid("starts_on", _("This person already holds the role on these days.")) from error
    return grant


def _alert(grant: RoleGrant, by: User) -> list[Tell]:
    admins = User.objects.filter(
        is_active=True, pk__in=RoleGrant.objects.current().filter(role=Role.HR_ADMIN).values("user")
    ).exclude(pk__in=[by.pk, grant.user_id])
    url = reverse("people:account", kwargs={"pk": grant.user_id})
    return [
        Tell(
            user_id=admin.pk,
            title=_("A role that opens personnel files was granted"),
            url=url,
            key=f"role:{grant.pk}:{admin.pk}",
            kind="role_granted",
            is_urgent=True,
        )
        for admin in admins
    ]


def end_role(grant: RoleGrant, *, by: User) -> None:
    """Take a role back from now on. A grant that began today, or has yet to begin, is as if never given."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=grant.user_id)
        row = RoleGrant.objects.select_for_update().get(pk=grant.pk)
        if row.role in roles.HR_ROLES and not by.standing.is_hr_admin:
            raise Refused(_("A role that opens personnel files is ended by an HR admin, not by IT."))
        if row.ends_on and row.ends_on < today():
            raise Refused(_("This role has ended already."))
        if row.role == Role.HR_ADMIN:
            _check_hr_admin_left(user)
        record("ended_role", row, by=by, stream=SECURITY, role=row.role, user=user.pk)
        yesterday = today() - timedelta(days=1)
        if row.starts_on > yesterday:
            row.delete()
        else:
            row.ends_on = yesterday
            row.save(update_fields=["ends_on"])
        settle_roles("ended_role", by=by)


def _check_hr_admin_left(without: User) -> None:
    """Refuse what would leave the installation without an HR admin who can sign in."""
    # One row stands for the whole company, so that two admins cannot end each other at the same moment.
    Organisation.objects.select_for_update().first()
    admins = RoleGrant.objects.current().filter(role=Role.HR_ADMIN, user__is_active=True)
    if admins.filter(user=without).exists() and not admins.exclude(user=without).exists():
        raise Refused(_("This is the last HR admin. Name another one first."))


# --- one's own --------------------------------------------------------------------------------------


def set_zone(user: User, zone: str) -> None:
    """Set the time zone in which a person reads times; "" follows the browser of the company."""
    if zone and zone not in zoneinfo.available_timezones():
        raise Invalid("zone", _("There is no time zone of this name."))
    User.objects.filter(pk=user.pk).update(zone=zone)


def create_token(user: User, name: str, scopes: list[str], expires_on: date) -> tuple[ApiToken, str]:
    """A new key for the API and, for this once, its secret."""
    if expires_on <= today():
        raise Invalid("expires_on", _("Choose a day that is still to come."))
    if expires_on > today() + timedelta(days=TOKEN_DAYS):
        raise Invalid("expires_on", _("A token lasts a year at most."))
    secret = secrets.token_hex(24)
    with transaction.atomic():
        if ApiToken.objects.filter(user=user, revoked_at__isnull=True, expires_on__gte=today()).count() >= 20:
            raise Refused(_("Twenty tokens are enough. Revoke one that is not used."))
        token = ApiToken.objects.create(
            user=user,
            name=name,
            prefix=secrets.token_hex(5),
            digest=digest(secret),
            scopes=sorted(set(scopes)),
            expires_on=expires_on,
        )
        record("created_token", token, by=user, stream=SECURITY, scopes=token.scopes)
    return token, f"pmc_{token.prefix}_{secret}"


def revoke_token(token: ApiToken, *, by: User) -> None:
    """End a token; the next request with it is refused. Doing it twice does nothing."""
    with transaction.atomic():
        row = ApiToken.objects.select_for_update().get(pk=token.pk)
        if row.revoked_at is None:
            row.revoked_at = timezone.now()
            row.save(update_fields=["revoked_at"])
            record("revoked_token", row, by=by, stream=SECURITY)


# --- the first visit -----------------------------------------------------------------------------------


def new_setup_code() -> str:
    """A one-time code for the first visit; earlier unused ones end. Only its hash is kept.

    Raises Refused where somebody can sign in already.
    """
    if in_use():
        raise Refused(_("This installation is in use; the first visit is over."))
    code = "-".join(secrets.token_hex(2) for _part in range(6))
    with transaction.atomic():
        SetupCode.objects.filter(used_at__isnull=True).delete()
        SetupCode.objects.create(digest=digest(code))
    return code


def first_visit(
    code: str,
    *,
    organisation: str,
    zone: str,
    currency: str,
    name: str,
    email: str,
    password: str,
    second_name: str,
    second_email: str,
) -> tuple[User, User]:
    """Make the organisation and its first two HR admins; the second chooses a password by invitation.

    Two, because release, pay and appeals need a second person from the first cycle on. Of two first
    visits at the same moment one wins, the other raises Refused. Raises Invalid for a wrong code, a
    weak password or equal addresses.
    """
    if zone not in zoneinfo.available_timezones():
        raise Invalid("zone", _("There is no time zone of this name."))
    if email.lower() == second_email.lower():
        raise Invalid("second_email", _("The second HR admin is another person."))
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        raise Invalid("password", " ".join(error.messages)) from error
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SETUP_LOCK])
        if in_use():
            raise Refused(_("Somebody else has just set this installation up."))
        typed = code.strip().lower()
        found = (
            SetupCode.objects.select_for_update().filter(digest=digest(typed), used_at__isnull=True).first()
        )
        if found is None:
            raise Invalid(
                "code", _("This is not the code in the log. Mind that a new one ends the one before.")
            )
        found.used_at = timezone.now()
        found.save(update_fields=["used_at"])
        company = Organisation.objects.create(pk=1, name=organisation, zone=zone, currency=currency.upper())
        first = User.objects.create_user(email, password, name=name)
        second = User.objects.create_user(second_email, None, name=second_name)
        for admin in (first, second):
            RoleGrant.objects.create(user=admin, role=Role.HR_ADMIN, starts_on=today() - timedelta(days=1))
        record("set_up", company, by=first, stream=SECURITY, notify=[_invitation(second)])
    return first, second


def full_address(path: str) -> str:
    """A path of this site as people can send it to one another."""
    return f"{settings.SITE_URL}{path}"
