from __future__ import annotations

from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.ratelimit import truncate_ip
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import ngettext

from pmcycle.activity.actions import count, give_back
from pmcycle.people.actions.accounts import note_sign_in

# Names the accounts that somebody has signed in to with this browser, so that what strangers try on the
# same account, or from the same office, does not keep its owner out.
KNOWN = "known"
MOST_KNOWN = 5
YEAR = 365 * 24 * 3600


def address_of(request: HttpRequest) -> str:
    """Where a request comes from; of IPv6 the network, because one customer has more addresses than can be counted."""
    return truncate_ip(AccountAdapter(request).get_client_ip(request))


def _mark(email: str) -> str:
    return salted_hmac("people.known", email.strip().lower(), algorithm="sha256").hexdigest()[:32]


def _known(request: HttpRequest) -> list[str]:
    return request.COOKIES.get(KNOWN, "").split(".")[:MOST_KNOWN]


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by the first visit and by HR's invitations, never by strangers.

    Wrong passwords are counted in PostgreSQL (`settings.LIMITS`): every try in advance, so that many at
    once are not more, and a right one is given back.
    """

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        email = str(credentials.get("email", "")).strip().lower()
        address = address_of(request)
        self.counted: list[tuple[str, str]] = [("password", f"{address} {email}")]
        if any(constant_time_compare(mark, _mark(email)) for mark in _known(request)):
            self.counted = [("password_known_browser", email)]
        else:
            self.counted += [("passwords_from_address", address), ("passwords_of_account", email)]
        if seconds := max([count(what, who) for what, who in self.counted]):
            # Nothing was tried, so that waiting helps however often somebody asks meanwhile.
            self._rollback_login_failed_rl_usage()
            minutes = -(-seconds // 60)
            raise forms.ValidationError(
                ngettext(
                    "A wrong password was typed too often. Try again in %(minutes)d minute,"
                    " or let pmcycle send you a link for a new one.",
                    "A wrong password was typed too often. Try again in %(minutes)d minutes,"
                    " or let pmcycle send you a link for a new one.",
                    minutes,
                ),
                code="too_many_login_attempts",
                params={"minutes": minutes, "seconds": seconds},
            )

    def _rollback_login_failed_rl_usage(self) -> None:
        for what, who in self.counted:
            give_back(what, who)

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Nothing to delete: whoever has chosen a new password by a link is signed in by it."""

    def post_login(self, request: HttpRequest, user: Any, **how: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **how)
        marks = dict.fromkeys([_mark(user.email), *_known(request)])
        response.set_cookie(
            KNOWN,
            ".".join([mark for mark in marks if mark][:MOST_KNOWN]),
            max_age=YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> NoReturn:
        """Mail leaves by the outbox, never in a request: see `actions.signing_in`."""
        raise NotImplementedError(template_prefix)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_notification_mail(
        self,
        template_prefix: str,
        user: Any,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Another password, second factor or recovery code is on record and told by the outbox."""
        note_sign_in(user, template_prefix.rpartition("/")[2])

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There are no user names: the e-mail address is the sign-in name."""
