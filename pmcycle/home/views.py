"""What needs me, my team, and finding things."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from pmcycle.access import UserRequest


@login_required
@require_GET
def index(request: UserRequest) -> HttpResponse:
    """What needs me, the same for all."""
    return render(request, "home/index.html")


@login_required
@require_GET
def team(request: UserRequest) -> HttpResponse:
    return render(request, "home/team.html")


@login_required
@require_GET
def palette(request: UserRequest) -> HttpResponse:
    return render(request, "home/search.html")


@login_required
@require_GET
def search(request: UserRequest) -> HttpResponse:
    return render(request, "home/search.html")
