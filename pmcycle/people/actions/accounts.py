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
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from pmcycle.access import today
from pmcycle.activity.actions import Line, Tell, record, record_each, settle, settle_roles
from pmcycle.errors import Invalid, Refused
from pmcycle.people.authentication import digest
from pmcycle.people.models import (
    AddressChange,
    ApiToken,
    Delegation,
    Employee,
    Organisation,
    Role,
    RoleGrant,
    RoleRequest,
    SetupCode,
    Unit,
    User,
    hr_admins,
    in_use,
)
from pmcycle.people.rules import roles
from pmcycle.ui.formats import NUMBERS

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
    token = signing.dumps([user.pk, user.email, user.life], salt=INVITATION_SALT)
    return reverse("people:accept_invitation", kwargs={"token": token})


def accept_invitation(token: str) -> str:
    """The address of the page on which the invited person chooses a password.

    Raises Refused if the invitation is unknown, too old, or was used: whoever has a password asks for
    a new one under "Forgot your password?".
    """
    try:
        pk, email, life = signing.loads(
            token, salt=INVITATION_SALT, max_age=timedelta(days=INVITATION_DAYS)
        )
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused(_("This invitation is not valid any more. Ask HR for a new one.")) from None
    user = User.objects.filter(pk=pk, email=email, life=life, is_active=True).first()
    if user is None:
        raise Refused(_("This invitation is not valid any more. Ask HR for a new one."))
    if user.has_usable_password():
        raise Refused(
            _("You have chosen a password already. Sign in with it, or ask for a new one there.")
        )
    key = default_token_generator.make_token(user)
    return reverse(
        "account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key}
    )


def _invitation(user: User, again: str = "") -> Tell:
    return Tell(
        user_id=user.pk,
        title=_("Choose your password for pmcycle"),
        url=invitation_path(user),
        key=f"invitation:{user.pk}:{user.life}:{again}",
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
            User.objects.filter(email__in=[p.email.lower() for p in people]).values_list(
                "email", flat=True
            )
        )
        people = [p for p in people if p.email.lower() not in taken]
        if not people:
            return 0
        users = [User(email=p.email.lower(), name=p.name, employee=p, made_by=by) for p in people]
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
            raise Refused(
                _("This person has a password already, and can ask for a new one when signing in.")
            )
        record(
            "invited_again",
            row,
            by=by,
            stream=SECURITY,
            notify=[_invitation(row, today().isoformat())],
        )


# --- opening and closing -----------------------------------------------------------------------------


def deactivate(user: User, *, by: User) -> None:
    """Close an account: everything that it opened ends at once, its roles too. What was written stays."""
    with transaction.atomic():
        lock_roles()
        row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if row.pk == by.pk:
            raise Refused(_("Nobody closes their own account."))
        if not row.is_active:
            raise Refused(_("This account is closed already."))
        _check_hr_admin_left(row)
        _close([row], by=by)


def close_accounts_of_leavers(on: date) -> int:
    """Close the accounts of everybody whose last day has passed; answers how many. What was written stays."""
    with transaction.atomic():
        leavers = User.objects.filter(is_active=True, employee__left_on__lt=on)
        if not leavers.exists():
            return 0
        lock_roles()
        gone = list(leavers.select_for_update(of=("self",), no_key=True).order_by("pk"))
        _close(gone, by=None)
    return len(gone)


def _close(users: Sequence[User], *, by: User | None) -> None:
    """End the accounts and all that hangs on them, in a fixed number of statements."""
    pks = [user.pk for user in users]
    ended = _end_keys(pks)
    User.objects.filter(pk__in=pks).update(is_active=False)
    lines = [Line(user, None) for user in users]
    record_each("closed_account", lines, by=by, stream=SECURITY)
    if ended:
        told = [
            Line(grant, None, data={"role": grant.role, "user": grant.user_id}) for grant in ended
        ]
        record_each("ended_role", told, by=by, stream=SECURITY)
        settle_roles("ended_role", by=by)


def _end_keys(pks: Sequence[int]) -> list[RoleGrant]:
    """End sessions, tokens, calendar addresses, roles and deputies of accounts, and what they have asked for.

    Answers the roles that held until now. Whoever comes back begins without any of it.
    """
    now, day = timezone.now(), today()
    end_sessions(pks)
    ApiToken.objects.filter(user__in=pks, revoked_at__isnull=True).update(revoked_at=now)
    unended = Q(ends_on__isnull=True) | Q(ends_on__gte=day)
    ended = list(RoleGrant.objects.filter(unended, user__in=pks).order_by("pk"))
    deputies = Delegation.objects.filter(Q(principal__in=pks) | Q(delegate__in=pks)).filter(unended)
    for rows in (RoleGrant.objects.filter(unended, user__in=pks), deputies):
        rows.filter(starts_on__gte=day).delete()
        rows.update(ends_on=day - timedelta(days=1))
    for asked in (RoleRequest.objects.waiting(), AddressChange.objects.waiting()):
        asked.filter(Q(user__in=pks) | Q(requested_by__in=pks)).update(withdrawn_at=now)
    for end in import_string(settings.ACCOUNT_KEYS):
        end(pks)
    return ended


def end_sessions(pks: Sequence[int]) -> None:
    """Sign users out everywhere, also where the sign-in library did not note a session down."""
    User.objects.filter(pk__in=pks).update(life=F("life") + 1)
    sessions = UserSession.objects.filter(user__in=pks)
    Session.objects.filter(session_key__in=sessions.values("session_key")).delete()
    sessions.delete()


def reactivate(user: User, *, by: User) -> None:
    """Open a closed account again, without anything that it once held. Who has left the company stays out."""
    with transaction.atomic():
        lock_roles()
        row = (
            User.objects.select_for_update(of=("self",), no_key=True)
            .select_related("employee")
            .get(pk=user.pk)
        )
        if row.is_active:
            raise Refused(_("This account is open."))
        if row.employee is not None and row.employee.left_on and row.employee.left_on < today():
            raise Refused(_("This person has left. Take the last day back first."))
        # Accounts that were closed before closing ended everything.
        _end_keys([row.pk])
        row.is_active = True
        row.save(update_fields=["is_active"])
        record("opened_account", row, by=by, stream=SECURITY)


# --- roles -------------------------------------------------------------------------------------------


def lock_roles() -> None:
    """Let acts on roles and accounts follow one another: one row stands for the whole company.

    The first lock of its transaction, because what settles the to-dos of administrators waits for all other acts.
    Accounts are locked after it without their keys: whoever writes on record what they do need not wait.
    """
    Organisation.objects.select_for_update().first()


def _roles_now(user: User) -> frozenset[str]:
    """What somebody may do at this moment, read under the lock; nothing if their account is closed."""
    row = User.objects.filter(pk=user.pk).first()
    return row.standing.roles if row is not None else frozenset()


def request_role(
    user: User, role: str, unit: Unit | None, starts_on: date, ends_on: date | None, *, by: User
) -> RoleRequest:
    """Ask for a role from a day on, for a unit and all below it (None: everywhere). A second person approves.

    Every other HR admin is told.
    """
    if role not in Role.values:
        raise Invalid("role", _("Choose a role."))
    if ends_on and ends_on < starts_on:
        raise Invalid("ends_on", _("The last day cannot be before the first."))
    if ends_on and ends_on < today():
        raise Invalid("ends_on", _("This day has passed."))
    scope = unit if role in roles.SCOPED else None
    with transaction.atomic():
        lock_roles()
        row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not row.is_active:
            raise Invalid("role", _("This account is closed."))
        if why_not := _why_not_grant(row, role, names_unit=unit is not None, by=by):
            raise Invalid("unit" if role in roles.SCOPED and unit is None else "role", why_not)
        if row.made_by_id == by.pk and hr_admins().exclude(pk__in=[by.pk, row.pk]).count() > 1:
            raise Invalid(
                "role",
                _(
                    "You made this account. Two others grant its roles: ask another HR admin to begin."
                ),
            )
        until = Q() if ends_on is None else Q(starts_on__lte=ends_on)
        held = RoleGrant.objects.filter(until, user=row, role=role, unit=scope)
        if held.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on)).exists():
            raise Invalid("starts_on", _("This person already holds the role on these days."))
        if RoleRequest.objects.waiting().filter(user=row, role=role, unit=scope).exists():
            raise Invalid("role", _("Somebody has asked for it already; a second person approves."))
        asked = RoleRequest.objects.create(
            user=row, role=role, unit=scope, starts_on=starts_on, ends_on=ends_on, requested_by=by
        )
        record(
            "asked_for_role",
            asked,
            by=by,
            stream=SECURITY,
            notify=_tell_admins(asked, _("A role waits for a second person"), "asked", by),
            role=role,
            user=row.pk,
        )
    return asked


def _why_not_grant(user: User, role: str, *, names_unit: bool, by: User) -> str:
    unended = Q(ends_on__isnull=True) | Q(ends_on__gte=today())
    return roles.why_not_grant(
        role,
        own=_roles_now(by),
        held=set(RoleGrant.objects.filter(unended, user=user).values_list("role", flat=True)),
        to_oneself=user.pk == by.pk,
        names_unit=names_unit,
    )


def _waiting_request(request: RoleRequest) -> RoleRequest:
    row = (
        RoleRequest.objects.select_for_update(of=("self",))
        .select_related("unit")
        .get(pk=request.pk)
    )
    if row.approved_at is not None:
        raise Refused(_("This is approved already; the role holds."))
    if row.withdrawn_at is not None:
        raise Refused(_("This was withdrawn."))
    return row


def approve_role(request: RoleRequest, *, by: User) -> RoleGrant:
    """The second person's yes: the role holds from its day on, or from today if that has passed.

    The second is neither who asked nor who gets it, nor who made the account; and who asked could still ask.
    """
    with transaction.atomic():
        lock_roles()
        user = User.objects.select_for_update(no_key=True).get(pk=request.user_id)
        row = _waiting_request(request)
        if not user.is_active:
            raise Refused(_("This account is closed."))
        if why_not := roles.why_not_second(
            asked=row.requested_by_id == by.pk, gets=user.pk == by.pk, made=user.made_by_id == by.pk
        ):
            raise Refused(why_not)
        for person in (row.requested_by, by):
            if why_not := _why_not_grant(
                user, row.role, names_unit=row.unit is not None, by=person
            ):
                raise Refused(why_not)
        starts_on = max(row.starts_on, today())
        if row.ends_on and row.ends_on < starts_on:
            raise Refused(_("Its last day has passed. Take it back and ask anew."))
        row.approved_by, row.approved_at = by, timezone.now()
        row.save(update_fields=["approved_by", "approved_at"])
        # Said before the role holds: what waited for a second is done, what the new role moves falls away.
        record("approved_role", row, by=by, stream=SECURITY, role=row.role, user=user.pk)
        try:
            with transaction.atomic():
                grant = RoleGrant.objects.create(
                    user=user,
                    role=row.role,
                    unit=row.unit,
                    starts_on=starts_on,
                    ends_on=row.ends_on,
                    granted_by=row.requested_by,
                    approved_by=by,
                )
        except IntegrityError as error:
            raise Refused(_("This person already holds the role on these days.")) from error
        record(
            "granted_role",
            grant,
            by=by,
            stream=SECURITY,
            notify=_tell_admins(
                row, _("A role that opens other people's matters was granted"), "granted", by
            ),
            role=row.role,
            user=user.pk,
            asked_by=row.requested_by_id,
        )
        settle_roles("granted_role", by=by)
    return grant


def withdraw_role(request: RoleRequest, *, by: User) -> None:
    """Take the question back, whoever of the administrators asked."""
    with transaction.atomic():
        lock_roles()
        row = _waiting_request(request)
        if row.role in roles.HR_ROLES and Role.HR_ADMIN not in _roles_now(by):
            raise Refused(
                _("A role that opens personnel files is for HR admins to decide, not for IT.")
            )
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])
        record("withdrew_role", row, by=by, stream=SECURITY, role=row.role, user=row.user_id)


def _tell_admins(request: RoleRequest, title: str, key: str, by: User) -> list[Tell]:
    url = reverse("people:account", kwargs={"pk": request.user_id})
    return [
        Tell(
            admin.pk,
            title,
            url,
            f"role:{request.pk}:{key}:{admin.pk}",
            kind="role_granted",
            is_urgent=True,
        )
        for admin in hr_admins().exclude(pk__in=[by.pk, request.user_id])
    ]


def name_hr_admin(email: str) -> RoleGrant:
    """Make somebody HR admin where fewer than two are left, who could not grant a role any more.

    For whoever operates the server, who holds the database anyway. Every HR admin is told.
    """
    with transaction.atomic():
        lock_roles()
        user = (
            User.objects.select_for_update(no_key=True)
            .filter(email__iexact=email, is_active=True)
            .first()
        )
        if user is None:
            raise Refused(_("No open account signs in with this address."))
        if hr_admins().count() > 1:
            raise Refused(_("There are two HR admins, and they grant roles."))
        unended = Q(ends_on__isnull=True) | Q(ends_on__gte=today())
        held = set(RoleGrant.objects.filter(unended, user=user).values_list("role", flat=True))
        if held & {Role.HR_ADMIN, Role.IT_ADMIN}:
            raise Refused(_("This person is HR admin or runs the system already."))
        grant = RoleGrant.objects.create(user=user, role=Role.HR_ADMIN, starts_on=today())
        title = _("An operator of the server has named an HR admin")
        url = reverse("people:account", kwargs={"pk": user.pk})
        record(
            "granted_role",
            grant,
            by=None,
            stream=SECURITY,
            notify=[
                Tell(
                    admin.pk,
                    title,
                    url,
                    f"role:operator:{grant.pk}:{admin.pk}",
                    "role_granted",
                    is_urgent=True,
                )
                for admin in hr_admins()
            ],
            role=grant.role,
            user=user.pk,
        )
        settle_roles("granted_role", by=None)
    return grant


def end_role(grant: RoleGrant, *, by: User) -> None:
    """Take a role back from now on. A grant that began today, or has yet to begin, is as if never given."""
    with transaction.atomic():
        lock_roles()
        user = User.objects.select_for_update(no_key=True).get(pk=grant.user_id)
        row = RoleGrant.objects.select_for_update().get(pk=grant.pk)
        own = _roles_now(by)
        if row.role in roles.HR_ROLES and Role.HR_ADMIN not in own:
            raise Refused(
                _("A role that opens personnel files is ended by an HR admin, not by IT.")
            )
        if not own & {Role.HR_ADMIN, Role.IT_ADMIN}:
            raise Refused(_("Only HR and IT admins end roles."))
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
    """Refuse what would leave the installation without an HR admin who can sign in; under `lock_roles`."""
    admins = RoleGrant.objects.current().filter(role=Role.HR_ADMIN, user__is_active=True)
    if admins.filter(user=without).exists() and not admins.exclude(user=without).exists():
        raise Refused(_("This is the last HR admin. Name another one first."))


# --- one's own --------------------------------------------------------------------------------------


def note_sign_in(user: User, what: str) -> None:
    """Note and tell the owner that `what` ("password_changed", "totp_deactivated") changed how they sign in."""
    with transaction.atomic():
        said = Tell(
            user.pk,
            _("How you sign in was changed. If that was not you, tell IT now"),
            reverse("people:settings"),
            f"sign_in:{user.pk}:{what}:{timezone.now().timestamp()}",
            kind="sign_in",
            is_urgent=True,
        )
        record("changed_sign_in", user, by=user, stream=SECURITY, notify=[said], what=what)


def change_settings(user: User, zone: str, numbers: str) -> None:
    """Set the zone in which a person reads times and the language by which they write numbers.

    "" follows the record and the company for the one, the language of the page for the other.
    """
    if zone and zone not in zoneinfo.available_timezones():
        raise Invalid("zone", _("There is no time zone of this name."))
    if numbers and numbers not in dict(NUMBERS):
        raise Invalid("numbers", _("Choose how numbers are written."))
    User.objects.filter(pk=user.pk).update(zone=zone, numbers=numbers)


def create_token(
    user: User, name: str, scopes: list[str], expires_on: date
) -> tuple[ApiToken, str]:
    """A new key for the API and, for this once, its secret."""
    day = user.local_day(timezone.now())
    if expires_on <= day:
        raise Invalid("expires_on", _("Choose a day that is still to come."))
    if expires_on > day + timedelta(days=TOKEN_DAYS):
        raise Invalid("expires_on", _("A token lasts a year at most."))
    secret = secrets.token_hex(24)
    with transaction.atomic():
        if (
            ApiToken.objects.filter(user=user, revoked_at__isnull=True, expires_on__gte=day).count()
            >= 20
        ):
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
            SetupCode.objects.select_for_update()
            .filter(digest=digest(typed), used_at__isnull=True)
            .first()
        )
        if found is None:
            raise Invalid(
                "code",
                _("This is not the code in the log. Mind that a new one ends the one before."),
            )
        found.used_at = timezone.now()
        found.save(update_fields=["used_at"])
        company = Organisation.objects.create(
            pk=1, name=organisation, zone=zone, currency=currency.upper()
        )
        first = User.objects.create_user(email, password, name=name)
        second = User.objects.create_user(second_email, None, name=second_name)
        for admin in (first, second):
            RoleGrant.objects.create(
                user=admin, role=Role.HR_ADMIN, starts_on=today() - timedelta(days=1)
            )
        record("set_up", company, by=first, stream=SECURITY, notify=[_invitation(second)])
    return first, second


def full_address(path: str) -> str:
    """A path of this site as people can send it to one another."""
    return f"{settings.SITE_URL}{path}"
