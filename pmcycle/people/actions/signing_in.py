"""Asking for a link on which a new password is chosen: a row for whoever asks, a mail for whoever has an account."""

from __future__ import annotations

from allauth.account.utils import url_str_to_user_pk
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions import Tell, count, record
from pmcycle.activity.models import PASSWORD_LINK
from pmcycle.people.actions.accounts import SECURITY
from pmcycle.people.models import PasswordWish, User

AT_ONCE = 200


def ask_for_password(email: str) -> None:
    """Note the wish of whoever typed this address: one row, known or not, so that neither text nor time tells."""
    PasswordWish.objects.create(email=email.strip().lower())


def one_at_a_time(uidb36: str) -> None:
    """Hold the account that a link is about until the transaction ends: whoever follows it too waits."""
    try:
        pk = url_str_to_user_pk(uidb36)  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError):
        return
    User.objects.select_for_update(no_key=True).filter(pk=pk).first()


def answer_password_wishes() -> int:
    """Tell the owners of the addresses how to choose a new password, and forget the wishes; how many were told.

    A closed account and an address of nobody get nothing, an account at most `LIMITS["links_to_account"]`.
    """
    told = 0
    with transaction.atomic():
        wishes = list(
            PasswordWish.objects.select_for_update(skip_locked=True).order_by("pk")[:AT_ONCE]
        )
        wanted = {wish.email for wish in wishes}
        for user in User.objects.filter(email__in=wanted, is_active=True):
            if count("links_to_account", user.pk):
                continue
            tell = Tell(
                user_id=user.pk,
                title=_("Choose a new password for pmcycle"),
                url=reverse("account_change_password"),
                key=f"{PASSWORD_LINK}:{user.pk}:{timezone.now().isoformat()}",
                kind=PASSWORD_LINK,
                is_urgent=True,
            )
            record("asked_for_password", user, by=None, stream=SECURITY, notify=[tell])
            told += 1
        PasswordWish.objects.filter(pk__in=[wish.pk for wish in wishes]).delete()
    return told
