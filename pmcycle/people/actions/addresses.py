"""Another sign-in address: asked for by its owner or by two HR admins, confirmed there, announced at the one before."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.core import signing
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions import Tell, record, tell
from pmcycle.errors import Invalid, Refused
from pmcycle.people.actions.accounts import SECURITY, end_sessions, lock_roles
from pmcycle.people.models import AddressChange, Employee, User, hr_admins

LINK_DAYS = 3
LINK_SALT = "people.address"


def change_address(email: str, *, by: User) -> AddressChange:
    """Ask for another address of one's own. It counts when the link that is sent there is followed, signed in."""
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=by.pk)
        _check_free(account, email)
        change = AddressChange.objects.create(
            user=account, email=email.lower(), requested_by=account, sent_at=timezone.now()
        )
        record(
            "asked_for_address",
            change,
            by=by,
            stream=SECURITY,
            notify=_announce(change, account),
            user=account.pk,
        )
        _send_link(change)
    return change


def request_address(user: User, email: str, reason: str, *, by: User) -> AddressChange:
    """Ask, as an HR admin, for another address of somebody else's account. A second HR admin agrees to it."""
    if not reason.strip():
        raise Invalid("reason", _("Say why, for the person who agrees to it."))
    with transaction.atomic():
        lock_roles()
        account = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if account.pk == by.pk:
            raise Refused(_("Your own address changes under Settings."))
        _check_hr_admin(by)
        _check_free(account, email)
        change = AddressChange.objects.create(
            user=account, email=email.lower(), reason=reason.strip(), requested_by=by
        )
        title = _("A sign-in address waits for a second person")
        url = reverse("people:account", kwargs={"pk": account.pk})
        others = [
            Tell(
                admin.pk,
                title,
                url,
                f"address:{change.pk}:second:{admin.pk}",
                "address",
                is_urgent=True,
            )
            for admin in hr_admins().exclude(pk__in=[by.pk, account.pk])
        ]
        record(
            "asked_for_address",
            change,
            by=by,
            stream=SECURITY,
            notify=[*_announce(change, account), *others],
            user=account.pk,
        )
    return change


def _check_free(account: User, email: str) -> None:
    if not account.is_active:
        raise Invalid("email", _("This account is closed. Open it again first."))
    if account.email.lower() == email.lower():
        raise Invalid("email", _("This is the address already."))
    if AddressChange.objects.waiting().filter(user=account).exists():
        raise Invalid("email", _("Another address is waiting already. Take it back first."))
    if (
        User.objects.filter(email__iexact=email).exists()
        or Employee.objects.filter(email__iexact=email).exclude(user=account).exists()
    ):
        raise Invalid("email", _("Somebody else has this e-mail address."))


def _check_hr_admin(user: User) -> None:
    """Judged under `lock_roles`: the role may have ended since the page was opened."""
    if not hr_admins().filter(pk=user.pk).exists():
        raise Refused(_("This takes two HR admins."))


def _announce(change: AddressChange, account: User) -> list[Tell]:
    """What the owner reads at the address that counts until now, whoever asked, and however late the mail goes."""
    return [
        Tell(
            account.pk,
            _("Another sign-in address was asked for. If that is wrong, take it back"),
            reverse("people:change_address"),
            f"address:{change.pk}:asked",
            kind="address",
            is_urgent=True,
            address=account.email,
        )
    ]


def _send_link(change: AddressChange) -> None:
    """The link goes to the new address only; the notice that carries it leads to the settings."""
    link = confirmation_path(change)
    said = Tell(
        change.user_id,
        _("Confirm your new sign-in address"),
        reverse("people:change_address"),
        f"address:{change.pk}:confirm",
        kind="address",
        is_urgent=True,
        address=change.email,
        link=link,
    )
    tell(change, [said])


def confirmation_path(change: AddressChange) -> str:
    """The address of the page on which the new address is confirmed; good for LINK_DAYS days."""
    token = signing.dumps([change.pk, change.email], salt=LINK_SALT)
    return reverse("people:confirm_address", kwargs={"token": token})


def approve_address(change: AddressChange, *, by: User) -> AddressChange:
    """The second HR admin's yes: the link goes to the new address. Who asked must still be able to ask."""
    with transaction.atomic():
        lock_roles()
        User.objects.select_for_update(no_key=True).get(pk=change.user_id)
        row = _waiting(change)
        if row.is_own:
            raise Refused(
                _("Its owner asked for it, and confirms it by the link that was sent there.")
            )
        if row.approved_at is not None:
            raise Refused(
                _("This is agreed to already; the link is on its way to the new address.")
            )
        if row.requested_by_id == by.pk:
            raise Refused(_("You asked for it; a second person agrees to it."))
        if row.user_id == by.pk:
            raise Refused(_("This is your own account; another HR admin agrees to it."))
        _check_hr_admin(row.requested_by)
        _check_hr_admin(by)
        row.approved_by, row.approved_at, row.sent_at = by, timezone.now(), timezone.now()
        row.save(update_fields=["approved_by", "approved_at", "sent_at"])
        record(
            "approved_address",
            row,
            by=by,
            stream=SECURITY,
            user=row.user_id,
            asked_by=row.requested_by_id,
        )
        _send_link(row)
    return row


def withdraw_address(change: AddressChange, *, by: User) -> None:
    """Take the question back before it is confirmed: the owner of the account, or an HR admin."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=change.user_id)
        row = _waiting(change)
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])
        record("withdrew_address", row, by=by, stream=SECURITY, user=row.user_id)


def _waiting(change: AddressChange) -> AddressChange:
    row = (
        AddressChange.objects.select_for_update(of=("self",))
        .select_related("requested_by")
        .get(pk=change.pk)
    )
    if row.confirmed_at is not None:
        raise Refused(_("This is confirmed already; the new address counts."))
    if row.withdrawn_at is not None:
        raise Refused(_("This was withdrawn."))
    return row


def read_link(token: str) -> AddressChange:
    """What a link asks to confirm, or has confirmed: that address is the one that counts then.

    Raises Refused if it is unknown, too old, taken back, or of an address that another has followed.
    """
    old = _("This link is not valid any more. Ask for the address anew.")
    try:
        pk, email = signing.loads(token, salt=LINK_SALT, max_age=timedelta(days=LINK_DAYS))
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused(old) from None
    sent = AddressChange.objects.filter(
        pk=pk, email=email, sent_at__isnull=False, withdrawn_at__isnull=True
    )
    change = sent.filter(Q(confirmed_at__isnull=True) | Q(user__email=F("email"))).first()
    if change is None:
        raise Refused(old)
    return change


def confirm_address(token: str, *, by: User | None) -> User:
    """From now on the account signs in with its new address, and the record has it too.

    What its owner asked for only the owner confirms, signed in, so that a mistyped address gives the account to
    nobody. What two HR admins asked for is confirmed by whoever reads the mail there, because the owner may
    not be able to sign in; it signs the account out everywhere. A second time changes nothing.
    """
    with transaction.atomic():
        found = read_link(token)
        owner = User.objects.get(pk=found.user_id)
        # In the order of the edit page: the record, then the account.
        employee = Employee.objects.select_for_update().filter(pk=owner.employee_id).first()
        account: User = User.objects.select_for_update().get(pk=owner.pk)
        if found.is_own and (by is None or by.pk != account.pk):
            raise Refused(
                _("Sign in to the account whose address this is, and follow the link again.")
            )
        found.refresh_from_db()
        if found.confirmed_at is not None and account.email == found.email:
            return account
        row = _waiting(found)
        if not account.is_active:
            raise Refused(_("This account is closed."))
        if (
            User.objects.filter(email__iexact=row.email).exclude(pk=account.pk).exists()
            or Employee.objects.filter(email__iexact=row.email).exclude(user=account).exists()
        ):
            raise Refused(_("Somebody else has this e-mail address by now."))
        before = account.email
        row.confirmed_at = timezone.now()
        row.save(update_fields=["confirmed_at"])
        # The sign-in library keeps every address that was ever used, and would accept it for a new password.
        EmailAddress.objects.filter(user=account).delete()
        account.email = row.email
        account.save(update_fields=["email"])
        if employee is not None:
            employee.email = row.email
            employee.version += 1
            employee.save(update_fields=["email", "version"])
        if not row.is_own:
            end_sessions([account.pk])
        said = Tell(
            account.pk,
            _("Your sign-in address was changed. If that is wrong, tell HR now"),
            reverse("people:change_address"),
            f"address:{row.pk}:changed",
            kind="address",
            is_urgent=True,
            address=before,
        )
        record(
            "moved_sign_in",
            account,
            by=account,
            about=employee,
            stream=SECURITY,
            notify=[said],
            asked_by=row.requested_by_id,
            approved_by=row.approved_by_id,
        )
    return account
