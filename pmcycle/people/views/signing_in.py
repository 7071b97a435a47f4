"""What a person who cannot sign in may ask for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from pmcycle.activity.actions import hold_to
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
