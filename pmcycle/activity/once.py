"""Every form is done once, however often it is sent.

A form carries a key of its own (the tag `csrf_token` writes it into each). The first that arrives with it
inserts the key, acts and leaves its answer, in one transaction; whoever comes meanwhile waits for the key and
then gets that answer; whoever comes later gets it at once. What was refused or broke leaves no key. Programs
name a key of their own (`once`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.messages import INFO, add_message, get_messages
from django.contrib.messages.storage.cookie import MessageDecoder, MessageEncoder
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import resolve
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from pmcycle.access import doors_of, not_found_unless, show_again, stood_on
from pmcycle.activity.actions import insert_new
from pmcycle.activity.models import SentForm
from pmcycle.activity.rules import is_write
from pmcycle.errors import DONE, FORM_KEY, Invalid, is_too_large, page_before

# The status and the text of an answer.
Answer = tuple[int, str]

# What a first answer is made of, beside its status. Cookies are not: they belong to the moment.
KEPT_HEADERS = (
    "Location",
    "Content-Type",
    "HX-Redirect",
    "HX-Location",
    "HX-Retarget",
    "HX-Reswap",
    "HX-Trigger",
)
LARGEST_FRAGMENT = 200_000
# So long a first answer is given again; after that the same key is a new one.
KEPT_FOR = timedelta(days=1)
# The sender of what is sent before anybody is signed in, and how long a sign-in is given again.
NOBODY = 0
SIGN_IN_KEPT_FOR = timedelta(minutes=1)


class OnceMiddleware:
    """Answer a form that was sent before with its first answer, and let no second one act."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Autosaves send the same form again and again, with versions that say which is the newer.
        if (
            request.method != "POST"
            or "X-Autosave" in request.headers
            or request.path.startswith("/api/")
        ):
            return self.get_response(request)
        # What is too large is refused by the door behind this one, which nothing may read it before.
        if (
            is_too_large(request)
            or not request.POST.get(FORM_KEY)
            or not request.user.is_authenticated
        ):
            return self.get_response(request)
        sent = SentForm(sender=request.user.pk, key=_fingerprint(request))
        writes = _Writes()
        with transaction.atomic(), connection.execute_wrapper(writes):
            if known := claim(sent):
                return _first_answer(request, known)
            response = self.get_response(request)
            if response.status_code >= 500 or connection.needs_rollback:
                transaction.set_rollback(True)
                return response
            rows = SentForm.objects.filter(sender=sent.sender, key=sent.key)
            if response.status_code >= 400 or not writes.happened:
                rows.delete()
            else:
                rows.update(**_answer(request, response))
                setattr(request, DONE, True)
        return response


def claim(sent: SentForm, kept_for: timedelta = KEPT_FOR) -> SentForm | None:
    """Insert the key; or the answer it was given before. Waits for whoever is handling the same at this moment.

    To be called in the transaction that acts: with it the key comes and goes.
    """
    sent.at = timezone.now()
    rows = SentForm.objects.filter(sender=sent.sender, key=sent.key)
    while not insert_new([sent], "(sender, key)"):
        known = rows.first()
        if known is not None and known.at > sent.at - kept_for:
            return known
        # Older than its life, or swept away just now.
        rows.filter(at__lte=sent.at - kept_for).delete()
    return None


def sign_in_once(request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
    """Sign in by what a form sends, once; the same form sent again gets the sign-in that the first one got.

    Nobody is known yet. That it is the same sender is known by the session in which they gave their password,
    which ends with the sign-in, and only who sends the same form with the same code comes into the new one, for
    as long as a double click or a lost answer takes. What breaks on the way takes back the code that it spent.
    """
    # As it was sent: of a session that has ended since, nothing else is left.
    before = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    is_known = request.user.is_authenticated
    if request.method != "POST" or is_known or not before or not request.POST.get(FORM_KEY):
        return act()
    sent = SentForm(sender=NOBODY, key=_hash(f"{before}:{_fingerprint(request)}"))
    with transaction.atomic():
        if known := claim(sent, SIGN_IN_KEPT_FOR):
            return _into_session(request, known)
        response = act()
        rows = SentForm.objects.filter(sender=sent.sender, key=sent.key)
        if request.user.is_authenticated:
            # Before whoever waits is led into it: the session would otherwise be written after the answer.
            request.session.save()
            headers = {"Location": response.headers["Location"]}
            rows.update(
                status=response.status_code, headers=headers, body=request.session.session_key
            )
        else:
            rows.delete()
    return response


def _into_session(request: HttpRequest, known: SentForm) -> HttpResponse:
    """The answer by which somebody was signed in, with their session, unless they have ended it since."""
    session = type(request.session)(known.body)
    if session.exists(known.body):
        session.modified = True
        request.session = session
    return HttpResponse(status=known.status, headers=known.headers)


def once(by: Any, key: str, said: str, act: Callable[[], Answer]) -> Answer:
    """Act once for this key of the user's own choosing; whoever comes again gets the first answer.

    `said` is all that was sent, its address too: the same key for something else raises `Invalid`. What is
    refused leaves no key, so that it can be sent again. To be given it again is a look like any other, and 404
    where what it shows is not theirs to see any more.
    """
    sender = by.pk
    sent = SentForm(sender=sender, key=_hash(f"chosen:{key}"), said=_hash(said))
    with transaction.atomic():
        if known := claim(sent):
            if known.said != sent.said:
                words = _(
                    "This key was sent before with something else. Take a new key for what is new."
                )
                raise Invalid("Idempotency-Key", words)
            not_found_unless(not known.body or show_again(by, known.stood_on))
            return known.status, known.body
        status, body = act()
        rows = SentForm.objects.filter(sender=sender, key=sent.key)
        if status >= 400:
            rows.delete()
        else:
            rows.update(status=status, body=body, stood_on=stood_on(by) if body else {})
    return status, body


class _Writes:
    """Stands beside every statement of one request, and sees whether anything was changed."""

    happened = False

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        self.happened = self.happened or is_write(sql)
        return execute(sql, params, many, context)


def _fingerprint(request: HttpRequest) -> str:
    """The same for the same form sent again, another for whatever was changed in it since."""
    fields = sorted(
        (k, request.POST.getlist(k)) for k in request.POST if k != "csrfmiddlewaretoken"
    )
    files = [
        (name, file.name, hashlib.sha256(b"".join(file.chunks())).hexdigest())
        for name in sorted(request.FILES)
        for file in request.FILES.getlist(name)
    ]
    for name in request.FILES:
        for file in request.FILES.getlist(name):
            file.seek(0)
    return _hash(json.dumps([request.get_full_path(), fields, files]))


def _hash(said: str) -> str:
    return salted_hmac(
        "pmcycle.activity.once", said.encode("utf-8", "replace"), algorithm="sha256"
    ).hexdigest()


def _answer(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """What is kept of a first answer."""
    fragment = ""
    stood: dict[str, list[Any]] = {}
    user: Any = request.user
    if _is_fragment(request, response) and len(response.content) <= LARGEST_FRAGMENT:
        # Given again it is judged by the rows on which it stands. Where something else let them through (a role,
        # a place in the line), the page is loaded anew instead, and judges for itself.
        is_of_rows = all(door.row is not None for door in doors_of(user))
        stood = stood_on(user) if is_of_rows else {}
        fragment = response.content.decode() if stood else ""
    queued = getattr(get_messages(request), "_queued_messages", [])
    return {
        "status": response.status_code,
        "headers": {
            name: response.headers[name] for name in KEPT_HEADERS if name in response.headers
        },
        "body": fragment.replace("\x00", ""),
        "stood_on": stood,
        "messages": json.dumps(list(queued), cls=MessageEncoder),
    }


def _is_fragment(request: HttpRequest, response: HttpResponse) -> bool:
    return (
        "HX-Request" in request.headers
        and not response.streaming
        and response.status_code < 300
        and response.headers.get("Content-Type", "").startswith("text/html")
    )


def _first_answer(request: HttpRequest, sent: SentForm) -> HttpResponse:
    for message in json.loads(sent.messages, cls=MessageDecoder):
        add_message(request, message.level, message.message, message.extra_tags)
    # So that a look says which page it was: the handler of it is not reached.
    request.resolver_match = resolve(request.path_info)
    user: Any = request.user
    may_see = not sent.body or show_again(user, sent.stood_on)
    if may_see and ("Location" in sent.headers or sent.body or sent.status == 204):
        return HttpResponse(sent.body, status=sent.status, headers=sent.headers)
    # The page that it was answered with is not kept, or not theirs to see any more; the page it came from shows
    # what has come of it, and to whom.
    add_message(request, INFO, _("This had been sent already, and was done once."))
    if "HX-Request" in request.headers:
        return HttpResponse(status=200, headers={"HX-Refresh": "true"})
    return redirect(page_before(request))


def forget_sent() -> int:
    """Drop the answers of forms that nobody sends again."""
    return SentForm.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()[0]
