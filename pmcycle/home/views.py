"""What needs me, my team, and finding things."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from pmcycle.access import UserRequest, not_found_unless
from pmcycle.activity.actions import hold_to
from pmcycle.home import finding, needs
from pmcycle.home import team as teams
from pmcycle.home.forms import FindForm, TeamForm
from pmcycle.home.health import problems


@login_required
@require_GET
def index(request: UserRequest) -> HttpResponse:
    """What needs me, the same page for all."""
    return render(request, "home/index.html", {"desk": needs.desk(request.user)})


@login_required
@require_GET
def team(request: UserRequest) -> HttpResponse:
    """My people at a glance, longest silence first."""
    not_found_unless(request.user.standing.leads_people)
    form = TeamForm(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    grid = teams.grid(
        request.user,
        timezone.now(),
        sort=chosen.get("sort") or "silence",
        search=chosen.get("q") or "",
    )
    sorts = [
        ("silence", _("Longest silence")),
        ("name", _("Name")),
        ("goals", _("Goals that worry")),
    ]
    query = request.GET.copy()
    tabs = []
    for value, label in sorts:
        query["sort"] = value
        tabs.append({"label": label, "url": f"?{query.urlencode()}", "active": value == grid.sort})
    return render(
        request, "home/team.html", {"grid": grid, "tabs": tabs, "searched": chosen.get("q")}
    )


@login_required
@require_GET
def palette(request: UserRequest) -> HttpResponse:
    """People, goals and pages by a few letters: a list for the script, a page without it."""
    return _find(
        request,
        "home/search.html#found" if request.headers.get("X-Palette") else "home/search.html",
    )


@login_required
@require_GET
def search(request: UserRequest) -> HttpResponse:
    """The same as a page of its own."""
    return _find(request, "home/search.html")


def _find(request: UserRequest, template: str) -> HttpResponse:
    hold_to("search", request.user.pk)
    form = FindForm(request.GET)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    found = finding.find(request, words)
    return render(
        request, template, {"q": words, "found": found}, status=200 if form.is_valid() else 422
    )


@never_cache
@require_GET
def livez(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """This process can do its work: database and Redis answer."""
    found = problems()
    response = JsonResponse({"ready": not found, "missing": found}, status=503 if found else 200)
    if found:
        response.headers["Retry-After"] = "5"
    return response


@require_GET
def robots(request: HttpRequest) -> HttpResponse:
    """Nothing here is for search engines."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")


@require_GET
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers and mail programs ask for this address whatever the page says."""
    return redirect(static("img/mark.svg"))
