"""Inbox, drafts, jobs and the trail."""

from __future__ import annotations

import json
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from pmcycle.access import UserRequest, get_visible
from pmcycle.activity import actions
from pmcycle.activity.forms import DRAFT_BYTES, NOT_TEXT, DraftForm
from pmcycle.activity.models import Draft, Job, Notice
from pmcycle.ui.formats import when_text


@login_required
@require_GET
def inbox(request: UserRequest) -> HttpResponse:
    """What the reader was told, unread first."""
    notices = Notice.objects.visible_to(request.user).order_by("-created_at")[:50]
    return render(request, "activity/inbox.html", {"notices": notices})


@login_required
@require_http_methods(["GET", "PUT", "POST", "DELETE"])
def draft(request: UserRequest, key: str) -> HttpResponse:
    """What the reader is typing into one form: read it, keep it, drop it. Answers JSON."""
    if request.method == "GET":
        found = Draft.objects.visible_to(request.user).filter(key=key).first()
        if found is None:
            return HttpResponse(status=204)
        text = when_text(found.updated_at)
        return JsonResponse(
            {"fields": found.data, "saved_at": found.updated_at.isoformat(), "saved_at_text": text}
        )
    if request.method == "DELETE":
        actions.drop_draft(request.user, key)
        return JsonResponse({})
    if len(request.body) > DRAFT_BYTES:
        return JsonResponse({"detail": _("This is too long to keep as a draft.")}, status=413)
    if request.content_type == "application/json":
        typed = request.body.decode(errors="replace")
    else:
        posted = {name: values for name, values in request.POST.lists() if name not in NOT_TEXT}
        typed = json.dumps({name: v[0] if len(v) == 1 else v for name, v in posted.items()})
    form = DraftForm({"key": key, "fields_json": typed})
    if not form.is_valid():
        return JsonResponse(form.errors, status=422)
    kept = actions.save_draft(request.user, form.cleaned_data["key"], form.cleaned_data["fields_json"])
    return JsonResponse({"saved_at": _clock(kept.updated_at)})


def _clock(instant: datetime) -> str:
    return f"{timezone.localtime(instant):%H:%M}"


@login_required
@require_GET
def job(request: UserRequest, pk: int) -> HttpResponse:
    """Long work with its n of m; asks for itself anew until it has ended."""
    found = get_visible(Job, request.user, pk=pk)
    name = "activity/job.html#progress" if request.headers.get("HX-Request") else "activity/job.html"
    return render(request, name, {"job": found})


@login_required
@require_GET
def trail(request: UserRequest) -> HttpResponse:
    return render(request, "activity/trail.html")


@login_required
@require_GET
def who_looked(request: UserRequest) -> HttpResponse:
    return render(request, "activity/who_looked.html")


@login_required
@require_GET
def operations(request: UserRequest) -> HttpResponse:
    return render(request, "activity/operations.html")
