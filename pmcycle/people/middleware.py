from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from pmcycle.access import doors_of, kept_with, shown_to
from pmcycle.activity.actions import note_looks
from pmcycle.activity.rules import is_write
from pmcycle.days import zone_of
from pmcycle.errors import NoLonger, Stale
from pmcycle.people.backends import Backend
from pmcycle.people.models import Role, Standing, User, in_use
from pmcycle.ui.formats import numbers_as


class LocalTimeMiddleware:
    """Show every instant in the reader's own zone and numbers as they write them, and name them in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated:
            structlog.contextvars.bind_contextvars(user_id=user.pk)
        zone = zone_of(user.zone_name) if user.is_authenticated else None
        if zone is None:
            timezone.deactivate()
        else:
            timezone.activate(zone)
        with numbers_as(user.numbers if user.is_authenticated else ""):
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


class Noted:
    """Write down who looked, once at the end of a request that showed what it was asked for.

    The door gathers what it lets somebody see who is no party to it (`access.show`). A page that is drawn again
    because a form was refused shows as much as the first time, and a conflict what stands there now. An answer
    that shows nothing, a refusal or a way to another page, leaves no line; and what cannot be noted is not shown.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user: Any = request.user
        if _shows(request, response) and user.is_authenticated and (shown := shown_to(user)):
            match = request.resolver_match
            note_looks(
                user,
                shown,
                page=match.view_name if match else "",
                role=_role(user),
                way=_way(request, response),
            )
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """What was let through the door is not shown after all, unless the refusal says how it is now."""
        user: Any = request.user
        if user.is_authenticated and not (isinstance(exception, Stale) and exception.current):
            shown_to(user).clear()


def _shows(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether an answer may show what it was asked for."""
    if response.status_code == 200:
        return True
    if request.path.startswith("/api/"):
        # Refusals say what is wrong with what was sent; only a conflict what stands in the row.
        said = getattr(response, "data", None)
        return response.status_code == 201 or (isinstance(said, dict) and bool(said.get("current")))
    return response.status_code in (409, 422)


def _role(user: User) -> str:
    """What they are beside their place in the line, the widest first."""
    order = (Role.HR_ADMIN, Role.HR_PARTNER, Role.AUDITOR, Role.UNIT_HEAD)
    return next((role.value for role in order if role in user.standing.roles), "line")


def _way(request: HttpRequest, response: HttpResponse) -> str:
    if request.path.startswith("/api/"):
        return "api"
    return "file" if response.has_header("Content-Disposition") else "page"


class JudgedAgain:
    """Judge once more, at the moment of the write, what let a request through at the door.

    Between the two somebody may have lost the role, or handed the person over to somebody else. An action
    locks what it judges before it writes, so just before its first write in a transaction everything stands
    still that the action has locked. There the user is read and locked again (whoever ends a role or closes
    an account locks them too, so one waits for the other), and every scope by which a row was reached is
    asked again. What does not hold any more is refused, and nothing of it is written.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            return self.get_response(request)
        with connection.execute_wrapper(_Judge(request)):
            return self.get_response(request)


class _Judge:
    """Stands before every statement of one request. It knows the request by being made for it."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.is_asking = False
        # A form is handled in a transaction of its own; the actions' lie within it, and only they have locked
        # what they judge.
        self.depth = len(connection.savepoint_ids) if connection.in_atomic_block else -1

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        if not self.is_asking and self.is_in_action() and is_write(sql):
            self.is_asking = True
            try:
                self.judge()
            finally:
                self.is_asking = False
        return execute(sql, params, many, context)

    def is_in_action(self) -> bool:
        """Whether a transaction is open that began after the request."""
        return connection.in_atomic_block and len(connection.savepoint_ids) > self.depth

    def judge(self) -> None:
        """Raise NoLonger unless everything holds for the user as they are in the database now."""
        user: Any = self.request.user
        if not user.is_authenticated:
            return
        doors = [door for door in doors_of(user) if not door.is_judged]
        if not doors:
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM people_user WHERE id = %s FOR SHARE", [user.pk])
        now = Backend().get_user(user.pk)
        if now is None or not _still(user, now) or not all(door.holds_for(now) for door in doors):
            raise NoLonger
        for door in doors:
            door.is_judged = True


def _still(user: User, now: User) -> bool:
    """Whether no role has gone on which a page may have stood."""
    before: Standing | None = kept_with(user).get("standing")
    return before is None or (
        before.roles <= now.standing.roles
        and set(before.partner_paths) <= set(now.standing.partner_paths)
        and set(before.head_paths) <= set(now.standing.head_paths)
    )
