from __future__ import annotations

import zoneinfo
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from pmcycle.people.models import in_use


class LocalTimeMiddleware:
    """Show every instant in the reader's own zone, and name the reader in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        name = user.zone_name if user.is_authenticated else ""
        if user.is_authenticated:
            structlog.contextvars.bind_contextvars(user_id=user.pk)
        try:
            zone = zoneinfo.ZoneInfo(name) if name else None
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            zone = None
        if zone is None:
            timezone.deactivate()
        else:
            timezone.activate(zone)
        return self.get_response(request)


# Asked by machines, or needed to draw the page of the first visit itself.
NOT_LED = ("/livez", "/readyz", "/static/", "/api/", "/ui/")


class FirstVisitMiddleware:
    """Lead a stranger from any page of an empty installation to the first visit.

    Asks only for visitors who are not signed in: with somebody signed in there is somebody.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated and not request.path.startswith(NOT_LED):
            first = reverse("people:first_visit")
            if request.path != first and not in_use():
                return redirect(first)
        return self.get_response(request)
