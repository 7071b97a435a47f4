"""What the product says when it will not do something, for pages and API alike.

An action raises `Refused` (wrong state: 409), `Stale` (somebody else saved meanwhile: 409 with
both texts) or `Invalid` (a field is wrong: 422). Who-may questions are answered at the edge, in
`pmcycle.access`, with 404 or 403.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import structlog
from django.conf import settings
from django.core.exceptions import (
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
    ValidationError,
)
from django.core.serializers.json import DjangoJSONEncoder as JSONEncoder
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect, render, resolve_url
from django.template.loader import get_template
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from redis.exceptions import RedisError
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import exception_handler


class Refused(Exception):
    """The verb is not possible now. `reason` is a whole sentence in the person's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoLonger(Refused):
    """Whoever acts has lost the right to it since they opened the page."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Your part in this has changed since you opened the page, and this is not yours to do any more."
            )
        )


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


class TooMany(Refused):
    """Asked for too often: 429. In `seconds` it is worth asking again."""

    def __init__(self, seconds: int, reason: str = "") -> None:
        super().__init__(
            reason or _("You have asked for this very often. Please try again in a while.")
        )
        self.seconds = seconds


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
    own = url_has_allowed_host_and_scheme(
        before, {request.get_host()}, require_https=request.is_secure()
    )
    return before if own else "/"


def path_before(request: HttpRequest) -> str:
    """The same as a path of ours, with its query."""
    before = urlsplit(page_before(request))
    return urlunsplit(("", "", f"/{before.path.lstrip('/')}", before.query, ""))


# The hidden field by which a form sent twice is known; the tag `csrf_token` writes it.
FORM_KEY = "form_key"
# Set on a request whose words are kept among its sender's unsent texts, so that the page can say so.
KEPT = "pmcycle_words_are_kept"
# Set on a request whose form was done.
DONE = "pmcycle_form_is_done"
HIDDEN = ("csrfmiddlewaretoken", "version", FORM_KEY)


def is_too_large(request: HttpRequest) -> bool:
    """Whether a body says of itself that it is larger than anything we take: nobody reads it then."""
    length = request.META.get("CONTENT_LENGTH") or ""
    has_files = request.content_type == "multipart/form-data"
    most = settings.LARGEST_UPLOAD if has_files else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return bool(length.isascii() and length.isdigit() and int(length[:18]) > most)


def typed_in(request: HttpRequest) -> list[tuple[str, str]]:
    """What a form sent, to be given back: no passwords, and nothing if the body could not be read."""
    if is_too_large(request):
        return []
    try:
        sent = [(name, value) for name in request.POST for value in request.POST.getlist(name)]
    except (OSError, SuspiciousOperation, MultiPartParserError, RuntimeError):
        return []
    return [
        (k, str(v)) for k, v in sent if k not in HIDDEN and "password" not in k and str(v).strip()
    ]


def given_back(request: HttpRequest) -> dict[str, Any]:
    """What a page of refusal shows of what was typed, and whether it is kept as well."""
    return {"typed": typed_in(request), "is_kept": getattr(request, KEPT, False)}


def by_script(request: HttpRequest) -> bool:
    """Whether a script of ours asks that reads JSON, and no person looks at the answer."""
    return "X-Autosave" in request.headers


def reference() -> str:
    """The number under which the log and the trail know this request; empty outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


class ReferenceMiddleware:
    """Name the request's number in its answer, so that a person can tell it and somebody can look it up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["X-Request-ID"] = reference()
        return response


class SizeMiddleware:
    """Refuse a body that is too large before anything reads it: the forgery check would be the first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        return too_large(request) if is_too_large(request) else None


class MissingMiddleware:
    """Show the demo the page of ours for what is not there, as in production, in the place of Django's list of URLs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Ours and those of the API are of other types; only Django's own, for whoever develops, is this one.
        if settings.DEBUG and type(response) is HttpResponseNotFound:
            return not_found(request, Http404())
        return response


class RefusedMiddleware:
    """Turn `Refused` raised by a page into 409, 422 or 429, never into a 200 page or a 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        """The sign-in library gives a form back with its errors as 200: 422, or 429 if it was too often."""
        form: Any = (response.context_data or {}).get("form")
        if (
            request.method == "POST"
            and response.status_code == 200
            and form is not None
            and form.errors
        ):
            too_often = [
                error
                for errors in form.errors.as_data().values()
                for error in errors
                if error.code in TOO_OFTEN
            ]
            response.status_code = 429 if too_often else 422
            if too_often:
                response.headers["Retry-After"] = str(
                    (too_often[0].params or {}).get("seconds", 60)
                )
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refused):
            return None
        code = 409
        if isinstance(exception, Invalid):
            code = 422
        elif isinstance(exception, TooMany):
            code = 429
        response: HttpResponse
        if by_script(request):
            body: dict[str, Any] = {"detail": exception.reason}
            if isinstance(exception, Stale):
                body |= {"current": exception.current, "version": exception.version}
            response = JsonResponse(body, status=code, encoder=JSONEncoder)
        elif isinstance(exception, Stale):
            return _conflict(request, exception)
        else:
            context = {
                "reason": exception.reason,
                **given_back(request),
                "back": page_before(request),
            }
            response = render(request, "refused.html", context, status=code)
        if isinstance(exception, TooMany):
            response.headers["Retry-After"] = str(exception.seconds)
        return response


# The codes under which the sign-in library says that somebody tried too often.
TOO_OFTEN = ("too_many_login_attempts", "rate_limited")


def _conflict(request: HttpRequest, stale: Stale) -> HttpResponse:
    names = [k for k in request.POST if k not in HIDDEN and "password" not in k]
    fields = [
        {
            "name": name,
            "label": stale.labels.get(name)
            or name.rsplit("-", 1)[-1].replace("_", " ").capitalize(),
            "mine": request.POST[name],
            "theirs": stale.current[name],
            "choices": stale.choices.get(name),
            "chosen": stale.choices.get(name, {}).get(str(stale.current[name] or ""), "–"),
        }
        for name in names
        if name in stale.current and request.POST[name] != str(stale.current[name] or "")
    ]
    hidden = [
        (k, v)
        for k in names
        if k not in {f["name"] for f in fields}
        for v in request.POST.getlist(k)
    ]
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
    if by_script(request):
        return JsonResponse({"detail": words}, status=403)
    # A second click after the first has signed in: the page is another sign-in's, and nothing is left to send.
    if request.path == resolve_url("mfa_authenticate") and request.user.is_authenticated:
        return redirect("home:index")
    context = {
        "reason": words,
        **given_back(request),
        "back": page_before(request),
        "is_held": True,
    }
    # For a form that stays on its page: the script keeps the words until the page is loaded anew.
    response = render(request, "refused.html", context, status=403)
    response.headers["X-Load-Anew"] = "yes"
    return response


def too_many(request: HttpRequest) -> HttpResponse:
    """429, where the sign-in library counts; all its counts are of a minute."""
    return (
        RefusedMiddleware(lambda _: HttpResponse()).process_exception(request, TooMany(60))
        or HttpResponse()
    )


def too_large(request: HttpRequest) -> HttpResponse:
    """413, for a body or a number of fields that no form of ours has."""
    words = _("That is too large: %(form)d MB for a form, %(files)d MB with files.") % {
        "form": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // settings.MIB,
        "files": settings.LARGEST_UPLOAD // settings.MIB,
    }
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": words}, status=413)
    return render(request, "413.html", {"reason": words}, status=413)


def signed_out(request: HttpRequest) -> HttpResponse:
    """401 for a form whose sender's sign-in has ended: its words, and the way back to it by the sign-in.

    The address of the form's page is where the sign-in leads, not that of the form, which only takes POST.
    """
    words = _("You are not signed in any more, so this was not handed in.")
    if by_script(request) or "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"detail": words}, status=401)
    way = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': path_before(request)})}"
    context = {"reason": words, **given_back(request), "sign_in_url": way}
    return render(request, "401.html", context, status=401)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 with the reason, and what was typed."""
    return _shut(request, 403, str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, the same whether there is nothing or it is hidden; what was typed is given back."""
    words = (
        _("This is not there any more, or not open to you any more.")
        if request.method == "POST"
        else ""
    )
    return _shut(request, 404, words)


def _shut(request: HttpRequest, status_code: int, reason: str) -> HttpResponse:
    if by_script(request):
        return JsonResponse({"detail": reason}, status=status_code)
    context = {"reason": reason, **given_back(request)}
    return render(request, f"{status_code}.html", context, status=status_code)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 where it was too much. Needs nobody signed in: the host itself may be the wrong one."""
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return too_large(request)
    words = _("The request was not understood.")
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": words}, status=400)
    return HttpResponse(get_template("400.html").render(), status=400)


def not_here(request: HttpRequest) -> HttpResponse:
    """404, for a page that a library brings and this product does not have."""
    raise Http404


# PostgreSQL's codes for "not now", beyond what the driver calls operational: a transaction that was ended
# because nothing happened in it, and a server that only reads, because another has taken over from it.
NOT_NOW = ("25P03", "25006")


def database_failed(error: BaseException | None) -> bool:
    """Whether the database did not let something through in time, or ended: the same may work a moment later."""
    if isinstance(error, DatabaseError):
        code = getattr(error.__cause__, "pgcode", None)
        # A server that ends in the middle of a statement has no code for it, and the driver no class.
        if code in NOT_NOW or (type(error) is DatabaseError and error.__cause__ and code is None):
            return True
    return isinstance(error, OperationalError | InterfaceError)


def is_outage(error: BaseException | None) -> bool:
    """Whether something we stand on does not answer, or not in time: worth trying again."""
    return database_failed(error) or isinstance(error, ConnectionError | TimeoutError | RedisError)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 with a page that needs nothing; 503 where the database or Redis does not answer just now, or the disk
    has no room for what was sent.

    Each gives back what was typed, and 503 a button that sends it again. A value that the database
    does not take, and that nothing before it refused, is 400: the sender can mend it, and the log has it.
    """
    error = sys.exc_info()[1]
    if isinstance(error, DataError):
        return bad_request(request, error)
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    status_code = 503 if is_full or is_outage(error) else 500
    if request.path.startswith("/api/"):
        words = (
            _("The server has no room left; nothing was kept.")
            if is_full
            else _("Not available just now; try again in a moment.")
            if status_code == 503
            else _("Something broke on our side.")
        )
        body = {"detail": words, "reference": reference()}
        response: HttpResponse = JsonResponse(body, status=status_code)
    else:
        typed = typed_in(request)
        context = {"typed": typed, "is_post": request.method == "POST"}
        if typed and not _has_secrets(request):
            context["again"] = [(k, v) for k in request.POST for v in request.POST.getlist(k)]
            context["action"] = request.get_full_path()
            context["had_files"] = bool(request.FILES)
        page = "full.html" if is_full else f"{status_code}.html"
        response = HttpResponse(get_template(page).render(context), status=status_code)
    if status_code == 503:
        response.headers["Retry-After"] = "10"
    return response


def _has_secrets(request: HttpRequest) -> bool:
    return any("password" in name for name in request.POST)


def api_exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The same contract for the API: field errors by name, 409 for state and version."""
    if isinstance(exc, Stale):
        body = {"detail": exc.reason, "current": exc.current, "version": exc.version}
        return Response(body, status=status.HTTP_409_CONFLICT)
    if isinstance(exc, Invalid):
        return Response({exc.field: [exc.reason]}, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    if isinstance(exc, TooMany):
        headers = {"Retry-After": str(exc.seconds)}
        return Response(
            {"detail": exc.reason}, status=status.HTTP_429_TOO_MANY_REQUESTS, headers=headers
        )
    if isinstance(exc, Refused):
        return Response({"detail": exc.reason}, status=status.HTTP_409_CONFLICT)
    if isinstance(exc, ValidationError):
        detail = exc.message_dict if hasattr(exc, "error_dict") else {"detail": exc.messages}
        return Response(detail, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    return exception_handler(exc, context)
