"""What a reader chooses about the look."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from pmcycle.ui.tags import THEMES

A_YEAR = 365 * 24 * 3600


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or auto in a cookie and go back to the page; works without script."""
    chosen = request.POST.get("theme", "")
    back = request.POST.get("next") or request.META.get("HTTP_REFERER") or "/"
    if not url_has_allowed_host_and_scheme(
        back, {request.get_host()}, require_https=request.is_secure()
    ):
        back = "/"
    response = HttpResponseRedirect(back)
    response.set_cookie(
        "theme",
        chosen if chosen in THEMES else "auto",
        max_age=A_YEAR,
        samesite="Lax",
        secure=request.is_secure(),
    )
    return response
