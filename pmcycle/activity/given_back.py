"""What somebody typed and the product did not take is theirs still: it is kept among their unsent texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext as _

from pmcycle.access import UserRequest
from pmcycle.activity import actions
from pmcycle.activity.models import Job
from pmcycle.activity.rules import words_in
from pmcycle.errors import (
    DONE,
    FORM_KEY,
    KEPT,
    Refused,
    Stale,
    page_before,
    path_before,
    signed_out,
    typed_in,
)

NOT_TAKEN = (403, 404, 409)


class GivenBackMiddleware:
    """Keep the words of a refused form as a draft of whoever sent it, with the reason.

    Every refusal goes through here: a stage that has closed, a right that has gone, a text somebody saved
    meanwhile. A form that is shown again with the error of a field (422) has its words in it and is not kept.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method in ("GET", "HEAD", "OPTIONS", "TRACE") or request.path.startswith(
            "/api/"
        ):
            return response
        if _leads_to_sign_in(response) and not request.user.is_authenticated:
            return signed_out(request)
        if request.method != "POST":
            return response
        if response.status_code in NOT_TAKEN:
            keep(request, _reason_in(response) or _("It was not taken."))
        elif getattr(request, DONE, False) and request.user.is_authenticated:
            words = words_in(typed_in(request))
            if words:
                actions.drop_what_was_taken(request.user, request.path, words)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Keep it before the page of the refusal is drawn, which says so."""
        if request.method != "POST" or request.path.startswith("/api/"):
            return
        if isinstance(exception, Refused):
            keep(request, exception.reason, is_conflict=isinstance(exception, Stale))
        elif isinstance(exception, Http404 | PermissionDenied):
            keep(request, reason_of(exception))


def _leads_to_sign_in(response: HttpResponse) -> bool:
    """Whether a door sends somebody to sign in, to come back by GET to what they had sent."""
    to = urlsplit(response.headers.get("Location", ""))
    return to.path == resolve_url(settings.LOGIN_URL) and "next=" in to.query


def _reason_in(response: HttpResponse) -> str:
    """What an answer for a script says."""
    if isinstance(response, JsonResponse):
        return str(json.loads(response.content).get("detail", ""))
    return ""


def reason_of(exception: Exception) -> str:
    """Why somebody is not let in, in words."""
    said = str(exception) if isinstance(exception, PermissionDenied) else ""
    return said or _("This is not there any more, or not open to you any more.")


def keep(request: HttpRequest, reason: str, *, is_conflict: bool = False) -> None:
    """Keep what this request sent, once; figures, choices and single words are not worth it."""
    if getattr(request, KEPT, False) or not request.user.is_authenticated:
        return
    typed = typed_in(request)
    if not words_in(typed):
        return
    where = path_before(request)
    form = request.POST.get(FORM_KEY, "")
    kept = actions.keep_refused(
        request.user,
        request.path,
        typed,
        reason=reason,
        page=where,
        form=form,
        is_conflict=is_conflict,
    )
    setattr(request, KEPT, kept is not None)


def led_to(request: UserRequest, job: Job) -> HttpResponse:
    """To the page of long work. Who asks for what somebody else has asked for already is told so.

    The work goes on as that person asked for it: what was typed here was not taken, and is kept.
    """
    if job.started_by_id == request.user.pk:
        return redirect("activity:job", pk=job.pk)
    words = _("%(name)s has asked for this already.") % {"name": job.started_by.name}
    keep(request, words)
    is_kept = getattr(request, KEPT, False)
    more = _("What you typed was not taken; it is among your unsent texts.") if is_kept else ""
    messages.info(request, f"{words} {more}".strip())
    if Job.objects.visible_to(request.user).filter(pk=job.pk).exists():
        return redirect("activity:job", pk=job.pk)
    return redirect(page_before(request))
