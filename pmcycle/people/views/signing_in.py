"""What a person who cannot sign in may ask for."""

from __future__ import annotations

from typing import Any

from allauth.account.views import password_reset_from_key
from allauth.mfa.base.views import authenticate
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from pmcycle.activity.actions import hold_to
from pmcycle.activity.once import sign_in_once
from pmcycle.activity.tasks import wake
from pmcycle.people.actions import signing_in as actions
from pmcycle.people.adapters import address_of
from pmcycle.people.forms import PasswordLinkForm
from pmcycle.people.tasks import answer_password_wishes


@never_cache
@require_http_methods(["GET", "POST"])
def ask_for_password(request: HttpRequest) -> HttpResponse:
    """Ask for the mail with a link for a new password; the same answer whether the address is known or not."""
    form = PasswordLinkForm(request.POST or None)
    if form.is_valid():
        hold_to("links_from_address", address_of(request))
        actions.ask_for_password(form.cleaned_data["email"])
        wake(answer_password_wishes)
        return redirect("account_reset_password_done")
    return render(
        request, "account/password_reset.html", {"form": form}, status=422 if form.is_bound else 200
    )


@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "POST"])
def choose_password(request: HttpRequest, uidb36: str, key: str) -> HttpResponse:
    """Choose a password on the page to which a link leads; sent twice, it is chosen once.

    The link is used up by the first time, so the second is led on to where the password counts.
    """
    with transaction.atomic():
        if request.method == "POST":
            actions.one_at_a_time(uidb36)
        response: Any = password_reset_from_key(request, uidb36=uidb36, key=key)
    if request.method == "POST" and (getattr(response, "context_data", None) or {}).get(
        "token_fail"
    ):
        if request.user.is_authenticated:
            messages.info(
                request, _("The link is used up. If you have just chosen a password, it counts.")
            )
            return redirect("home:index")
        words = _(
            "The link is used up or too old. If you have just chosen a password, sign in with it; "
            "otherwise ask for a new link."
        )
        messages.info(request, words)
        return redirect("account_login")
    answer: HttpResponse = response
    return answer


@never_cache
@sensitive_post_parameters("code", "credential")
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor after the password; sent twice, it is spent once and signs in both times."""
    return sign_in_once(request, lambda: authenticate(request))
