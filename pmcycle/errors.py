"""What the product says when it will not do something, for pages and API alike.

An action raises `Refused` (wrong state: 409), `Stale` (somebody else saved meanwhile: 409 with
both texts) or `Invalid` (a field is wrong: 422). Who-may questions are answered at the edge, in
`pmcycle.access`, with 404 or 403.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import exception_handler


class Refused(Exception):
    """The verb is not possible now. `reason` is a whole sentence in the person's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stale(Refused):
    """The row has changed since the person opened it.

    `current` maps field names to the text that is saved now, so that the conflict screen can show
    it beside what the person typed; `version` is the version to send with a second attempt. `labels`
    are the words of fields whose name is not one, `choices` the words of the values of those that
    are chosen, not written; `by` is who saved meanwhile.
    """

    def __init__(
        self,
        current: Mapping[str, Any],
        version: int,
        *,
        by: str = "",
        labels: Mapping[str, str] | None = None,
        choices: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(_("Somebody saved this while you were writing. Nothing of yours is lost."))
        self.current = dict(current)
        self.version = version
        self.by = by
        self.labels = labels or {}
        self.choices = choices or {}


class LeftBehind(Refused):
    """Something open or held stands against the act. `leftovers` are all of it as it is now."""

    def __init__(self, reason: str, leftovers: Sequence[Any]) -> None:
        super().__init__(reason)
        self.leftovers = leftovers


class Invalid(Refused):
    """A value breaks a rule that belongs to one field. `field` is its name in form and API."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def check_version(row: Any, version: int | None, fields: tuple[str, ...] = ()) -> None:
    """Raise `Stale` unless the locked `row` still has the `version` that the person read.

    `None` means the caller has no reader (the clock, a job). `fields` are shown on the conflict
    screen with the text saved now.
    """
    if version is not None and row.version != version:
        raise Stale({name: getattr(row, name) for name in fields}, row.version)


def page_before(request: HttpRequest) -> str:
    """The page of ours that the request came from, else home: a refusal never leads to somebody else's site."""
    before = request.headers.get("Referer", "")
    own = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return before if own else "/"


HIDDEN = ("csrfmiddlewaretoken", "version", "password")


class RefusedMiddleware:
    """Turn `Refused` raised by a page into 409 or 422, never into a 200 page or a 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refused):
            return None
        if isinstance(exception, Stale):
            return _conflict(request, exception)
        code = 422 if isinstance(exception, Invalid) else 409
        typed = [(k, v) for k, v in request.POST.items() if k not in HIDDEN and str(v).strip()]
        context = {"reason": exception.reason, "typed": typed, "back": page_before(request)}
        return render(request, "refused.html", context, status=code)


def _conflict(request: HttpRequest, stale: Stale) -> HttpResponse:
    names = [k for k in request.POST if k not in HIDDEN]
    fields = [
        {
            "name": name,
            "label": stale.labels.get(name) or name.rsplit("-", 1)[-1].replace("_", " ").capitalize(),
            "mine": request.POST[name],
            "theirs": stale.current[name],
            "choices": stale.choices.get(name),
            "chosen": stale.choices.get(name, {}).get(str(stale.current[name] or ""), "–"),
        }
        for name in names
        if name in stale.current and request.POST[name] != str(stale.current[name] or "")
    ]
    hidden = [(k, v) for k in names if k not in {f["name"] for f in fields} for v in request.POST.getlist(k)]
    context = {
        "reason": stale.reason,
        "fields": fields,
        "hidden": hidden,
        "version": stale.version,
        "who": stale.by,
        "action": request.get_full_path(),
        "back_url": page_before(request),
    }
    return render(request, "ui/conflict.html", context, status=409)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page was open too long, or in two sign-ins: say so, and give back what was typed."""
    words = _(
        "This page was open for too long or belongs to another sign-in. Go back, load it anew and send it again."
    )
    typed = [(k, v) for k, v in request.POST.items() if k not in HIDDEN and str(v).strip()]
    context = {"reason": words, "typed": typed, "back": page_before(request)}
    return render(request, "refused.html", context, status=403)


def not_here(request: HttpRequest) -> HttpResponse:
    """404, for a page that a library brings and this product does not have."""
    raise Http404


def server_error(request: HttpRequest) -> HttpResponse:
    """500 with a page that needs nothing; 503 where the database or Redis does not answer just now."""
    error = sys.exc_info()[1]
    is_outage = isinstance(error, (OperationalError, InterfaceError, ConnectionError, RedisConnectionError))
    status_code = 503 if is_outage else 500
    if request.path.startswith("/api/"):
        words = (
            _("Not available just now; try again in a moment.")
            if is_outage
            else _("Something broke on our side.")
        )
        response: HttpResponse = JsonResponse({"detail": words}, status=status_code)
    else:
        page = "503.html" if is_outage else "500.html"
        response = HttpResponse(get_template(page).render(), status=status_code)
    if is_outage:
        response.headers["Retry-After"] = "10"
    return response


def api_exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The same contract for the API: field errors by name, 409 for state and version."""
    if isinstance(exc, Stale):
        body = {"detail": exc.reason, "current": exc.current, "version": exc.version}
        return Response(body, status=status.HTTP_409_CONFLICT)
    if isinstance(exc, Invalid):
        return Response({exc.field: [exc.reason]}, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    if isinstance(exc, Refused):
        return Response({"detail": exc.reason}, status=status.HTTP_409_CONFLICT)
    if isinstance(exc, ValidationError):
        detail = exc.message_dict if hasattr(exc, "error_dict") else {"detail": exc.messages}
        return Response(detail, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    return exception_handler(exc, context)
