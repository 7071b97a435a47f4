"""Inbox, drafts, long work, the trail, and what operators watch."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import (
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pmcycle.access import UserRequest, get_editable, get_visible, not_found_unless
from pmcycle.activity import actions, letters, machine
from pmcycle.activity.actions import lives, sealing
from pmcycle.activity.forms import (
    DRAFT_BYTES,
    NOT_TEXT,
    DeliveriesForm,
    DraftForm,
    InboxForm,
    MailboxForm,
    PageForm,
    TrailForm,
    chosen,
)
from pmcycle.activity.models import Delivery, Draft, Event, Job, Life, Notice, TrailSeal
from pmcycle.activity.rules import cell
from pmcycle.activity.words import words_of_all
from pmcycle.spelling import holding
from pmcycle.typed import row_number
from pmcycle.ui.formats import when_text

LINES = 50
EXPORT_LINES = 200_000


# --- inbox ------------------------------------------------------------------------------------------


@login_required
@require_GET
def inbox(request: UserRequest) -> HttpResponse:
    """What the reader was told, unread first."""
    wanted = chosen(InboxForm(request.GET))
    notices = Notice.objects.visible_to(request.user)
    if wanted["show"] == "unread":
        notices = notices.filter(read_at__isnull=True)
    notices = notices.order_by(F("read_at").desc(nulls_first=True), "-created_at", "-pk")
    page = Paginator(notices, 25).get_page(wanted["page"])
    only_unread = wanted["show"] == "unread"
    unread = getattr(request.user, "unread_notices", 0) or None
    tabs = [
        {"label": _("All"), "url": "?", "active": not only_unread},
        {"label": _("Unread"), "url": "?show=unread", "active": only_unread, "count": unread},
    ]
    return render(
        request, "activity/inbox.html", {"page": page, "only_unread": only_unread, "tabs": tabs}
    )


@login_required
@require_POST
def open_notice(request: UserRequest, pk: int) -> HttpResponse:
    """Mark one notice as read and go where it leads."""
    notice = get_editable(Notice, request.user, pk=pk)
    actions.mark_read(request.user, [notice.pk])
    return HttpResponseRedirect(reverse("activity:inbox") if "stay" in request.POST else notice.url)


@login_required
@require_POST
def read_all(request: UserRequest) -> HttpResponse:
    """Mark everything as read."""
    count = actions.mark_read(request.user)
    words = ngettext("%(n)d notice marked as read.", "%(n)d notices marked as read.", count) % {
        "n": count
    }
    messages.success(request, words)
    return redirect("activity:inbox")


# --- drafts -----------------------------------------------------------------------------------------


# How often a form had been sent when it was opened; the script sends back what it was told.
SENT = "X-Draft-Sent"


@login_required
@require_http_methods(["GET", "PUT", "POST", "DELETE"])
def draft(request: UserRequest, key: str) -> HttpResponse:
    """What the reader is typing into one form: read it, keep it, drop it. Answers JSON."""
    not_found_unless("\x00" not in key)
    if request.method == "GET":
        found = Draft.objects.visible_to(request.user).filter(key=key).first()
        sent = {SENT: str(found.sent if found else 0)}
        if found is None or not found.data:
            return HttpResponse(status=204, headers=sent)
        saved_at = found.updated_at.isoformat()
        words = when_text(found.updated_at)
        body = {"fields": found.data, "saved_at": saved_at, "saved_at_text": words}
        return JsonResponse(body, headers=sent)
    if request.method == "DELETE":
        if Draft.objects.visible_to(request.user).filter(key=key).exists():
            actions.drop_draft(request.user, key)
        return JsonResponse({})
    if (row_number(request.META.get("CONTENT_LENGTH")) or 0) > DRAFT_BYTES:
        return JsonResponse({"detail": _("This is too long to keep as a draft.")}, status=413)
    if request.content_type == "application/json":
        typed = request.body.decode(errors="replace")
    else:
        posted = {name: values for name, values in request.POST.lists() if name not in NOT_TEXT}
        typed = json.dumps({name: v[0] if len(v) == 1 else v for name, v in posted.items()})
    form = DraftForm({"key": key, "fields_json": typed})
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    typed_into = form.cleaned_data
    opened = row_number(request.headers.get(SENT))
    kept = actions.save_draft(
        request.user, typed_into["key"], typed_into["fields_json"], sent=opened
    )
    if kept is None:
        return JsonResponse({"detail": _("This form was sent since it was opened.")}, status=409)
    return JsonResponse({"saved_at": _clock(kept.updated_at)})


@login_required
@require_GET
def unsent(request: UserRequest) -> HttpResponse:
    """What the reader typed and was not taken, with the reason, and what stands in forms that were not sent."""
    drafts = Draft.objects.visible_to(request.user).kept().order_by("-updated_at", "-pk")
    page = Paginator(drafts, 10).get_page(chosen(PageForm(request.GET))["page"])
    begun = import_string(settings.BEGUN)(request.user) if page.number == 1 else []
    return render(request, "activity/unsent.html", {"page": page, "begun": begun})


@login_required
@require_POST
def throw_away(request: UserRequest, pk: int) -> HttpResponse:
    """End one text of one's own that was not sent or not taken."""
    actions.throw_away(get_editable(Draft, request.user, pk=pk))
    messages.success(request, _("The text is gone."))
    return redirect("activity:unsent")


def _clock(instant: datetime) -> str:
    """The time of day in the reader's zone."""
    return f"{timezone.localtime(instant):%H:%M}"


# --- long work --------------------------------------------------------------------------------------


@login_required
@require_GET
def job(request: UserRequest, pk: int) -> HttpResponse:
    """Long work with its n of m; asks for itself anew until it has ended."""
    found = get_visible(Job, request.user, pk=pk)
    name = (
        "activity/job.html#progress" if request.headers.get("HX-Request") else "activity/job.html"
    )
    return render(request, name, {"job": found})


@login_required
@require_POST
def retry_job(request: UserRequest, pk: int) -> HttpResponse:
    """Have work that failed tried again from the beginning."""
    found = get_editable(Job, request.user, pk=pk)
    actions.retry_job(found, by=request.user)
    messages.success(request, _("It is tried again within half a minute."))
    if Job.objects.visible_to(request.user).filter(pk=pk).exists():
        return redirect("activity:job", pk=pk)
    return redirect("activity:operations")


# --- the trail --------------------------------------------------------------------------------------


def _may_read_trail(request: UserRequest) -> None:
    standing = request.user.standing
    not_found_unless(standing.is_auditor or standing.is_it_admin or bool(standing.partner_paths))


def _trail(request: UserRequest, wanted: dict[str, Any]) -> QuerySet[Event]:
    """The events that the reader may see and asked for, newest first."""
    events = Event.objects.visible_to(request.user).select_related("actor", "on_behalf_of", "about")
    for name, lookup in {"verb": "verb", "subject": "subject_kind"}.items():
        if wanted[name]:
            events = events.filter(**{lookup: wanted[name]})
    for name in ("about", "actor"):
        if wanted[name]:
            events = events.filter(holding(wanted[name], f"{name}__name"))
    if wanted["day"]:
        zone = timezone.get_current_timezone()
        start = datetime.combine(wanted["day"], datetime.min.time(), tzinfo=zone)
        end = datetime.combine(wanted["day"], datetime.max.time(), tzinfo=zone)
        events = events.filter(at__range=(start, end))
    return events.order_by("-pk")


@login_required
@require_GET
def trail(request: UserRequest) -> HttpResponse:
    """What happened, by whom, to what: newest first, a page from any line on."""
    _may_read_trail(request)
    wanted = chosen(TrailForm(request.GET))
    events = _trail(request, wanted)
    if wanted["before"]:
        events = events.filter(pk__lt=wanted["before"])
    lines = list(events[: LINES + 1])
    query = request.GET.copy()
    query["before"] = str(lines[LINES - 1].pk) if len(lines) > LINES else ""
    export = request.GET.copy()
    export.pop("before", None)
    standing = request.user.standing
    filters = [("verb", _("Did"), "VERBS"), ("subject", _("To what"), "SUBJECTS")]
    context = {
        "events": lines[:LINES],
        "older": f"?{query.urlencode()}" if len(lines) > LINES else "",
        "is_later_page": bool(wanted["before"]),
        "export": f"{reverse('activity:export_trail')}?{export.urlencode()}",
        "filters": [
            {"name": name, "label": label, "options": _chosen_by(kind), "value": wanted[name]}
            for name, label, kind in filters
        ],
        "wanted": wanted,
        "is_narrowed": any(wanted[name] for name in ("about", "actor", "verb", "subject", "day")),
        "may_check": standing.is_auditor or standing.is_it_admin,
    }
    return render(request, "activity/trail.html", context)


def _chosen_by(kind: str) -> list[tuple[str, str]]:
    """Words of the trail to choose from, in their order; where two are spelled the same, with what tells them apart."""
    words = {key: str(word) for key, word in words_of_all(kind).items()}
    times = Counter(words.values())
    named = (
        (key, word if times[word] == 1 else f"{word} ({key.replace('_', ' ')})")
        for key, word in words.items()
    )
    return sorted(named, key=lambda pair: pair[1])


@login_required
@require_GET
def export_trail(request: UserRequest) -> HttpResponseBase:
    """Exactly the lines that the filters show, as CSV; that they were taken out is an event itself."""
    _may_read_trail(request)
    actions.hold_to("costly", request.user.pk)
    wanted = chosen(TrailForm(request.GET))
    events = _trail(request, wanted)[:EXPORT_LINES]
    filters = {name: str(value) for name, value in wanted.items() if value}
    actions.record_export(request.user, events.count(), filters)
    return StreamingHttpResponse(
        _csv(events),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit-trail.csv"'},
    )


def _csv(events: QuerySet[Event]) -> Iterator[str]:
    """The lines of the file, one at a time, so that a long trail needs no memory."""
    head = [
        "id",
        "at",
        "who",
        "on behalf of",
        "verb",
        "what",
        "number",
        "about",
        "stream",
        "line",
        "data",
        "hash",
    ]
    yield "\ufeff" + _csv_line(head)  # the mark by which spreadsheets know UTF-8
    for event in events.iterator(chunk_size=2000):
        yield _csv_line(
            [
                event.pk,
                event.at.isoformat(),
                event.actor,
                event.on_behalf_of,
                event.verb,
                event.subject_kind,
                event.subject_id,
                event.about,
                event.stream,
                event.seq,
                json.dumps(event.facts),
                event.hash,
            ]
        )


def _csv_line(values: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([cell(value) for value in values])
    return line.getvalue()


@login_required
@require_GET
def chain(request: UserRequest) -> HttpResponse:
    """Whether the trail is whole, stream by stream, recomputed now."""
    standing = request.user.standing
    not_found_unless(standing.is_auditor or standing.is_it_admin)
    actions.hold_to("costly", request.user.pk)
    streams = Event.objects.chain()
    broken = [stream for stream in streams if stream["broken"]]
    page: Any = Paginator(streams, 100).get_page(request.GET.get("page", "1")[:6])
    page.object_list = [
        {
            **row,
            "shown": row["stream"] if standing.is_auditor else _("stream %(n)d") % {"n": number},
        }
        for number, row in enumerate(page, start=page.start_index())
    ]
    context = {
        "page": page,
        "broken": broken,
        "lacks": sealing.missing_from_trail(),
        "sealed": TrailSeal.objects.order_by("-number").first(),
        "lines": sum(stream["length"] for stream in streams),
        "checked_at": timezone.now(),
        "names_shown": standing.is_auditor,
    }
    return render(request, "activity/chain.html", context)


@login_required
@require_GET
def who_looked(request: UserRequest) -> HttpResponse:
    """Who opened the reader's records, when, and in which role."""
    not_found_unless(bool(request.user.employee_id))
    events = Event.objects.visible_to(request.user).filter(
        about=request.user.employee_id, verb="viewed"
    )
    page = Paginator(events.select_related("actor").order_by("-pk"), 50).get_page(
        request.GET.get("page", "1")[:6]
    )
    return render(request, "activity/who_looked.html", {"page": page})


# --- deliveries and operations ----------------------------------------------------------------------


@login_required
@require_GET
def deliveries(request: UserRequest) -> HttpResponse:
    """Who was reminded of what, when, and why not."""
    not_found_unless(request.user.standing.is_hr)
    wanted = chosen(DeliveriesForm(request.GET))
    rows = Delivery.objects.visible_to(request.user).select_related("notice__recipient")
    if wanted["state"]:
        rows = rows.filter(state=wanted["state"])
    if wanted["q"]:
        rows = rows.filter(holding(wanted["q"], "notice__recipient__name"))
    page = Paginator(rows.order_by("-pk"), LINES).get_page(wanted["page"])
    task_of = import_string(settings.TASKS)
    for row in page:
        row.task = task_of(row.notice)
    filters = [{"name": "state", "label": _("State"), "options": Delivery.State.choices}]
    held = lives.held() if request.user.standing.is_hr_admin else None
    return render(
        request, "activity/deliveries.html", {"page": page, "filters": filters, "held": held}
    )


@login_required
@require_GET
def operations(request: UserRequest) -> HttpResponse:
    """Clock, worker, queue, mails and long work, without a word of what is in them."""
    not_found_unless(request.user.standing.is_it_admin)
    failed = Delivery.objects.editable_by(request.user).filter(state=Delivery.State.FAILED)
    rows = (
        failed.select_related("notice__recipient")
        .defer("notice__title", "notice__url")
        .order_by("-pk")[:50]
    )
    context = {"health": machine.health(), "failed": rows, "held": lives.held()}
    return render(request, "activity/operations.html", context)


@login_required
@require_POST
def retry_delivery(request: UserRequest, pk: int) -> HttpResponse:
    """Have a failed mail tried again."""
    delivery = get_editable(Delivery, request.user, pk=pk)
    actions.retry_delivery(delivery, by=request.user)
    messages.success(request, _("The mail is tried again within a minute."))
    return redirect("activity:operations")


@login_required
@require_POST
def let_mails_go(request: UserRequest, pk: int) -> HttpResponse:
    """Send what a restored copy holds."""
    lives.let_mails_go(get_editable(Life, request.user, pk=pk), drop_older=False, by=request.user)
    messages.success(request, _("Mails leave from now on, and so does what waited."))
    return _where_mails_are_watched(request)


@login_required
@require_POST
def drop_older_mails(request: UserRequest, pk: int) -> HttpResponse:
    """Drop what a restored copy holds from before, and send from now on."""
    life = get_editable(Life, request.user, pk=pk)
    dropped = lives.let_mails_go(life, drop_older=True, by=request.user)
    words = ngettext(
        "Mails leave from now on; %(n)d from before was dropped.",
        "Mails leave from now on; %(n)d from before were dropped.",
        dropped,
    )
    messages.success(request, words % {"n": dropped})
    return _where_mails_are_watched(request)


def _where_mails_are_watched(request: UserRequest) -> HttpResponse:
    return redirect(
        "activity:operations" if request.user.standing.is_it_admin else "activity:deliveries"
    )


# --- the mailbox of a development run ---------------------------------------------------------------


@login_required
@require_GET
def mailbox(request: UserRequest) -> HttpResponse:
    """The mails that `./dev run` has sent, newest first."""
    wanted = chosen(MailboxForm(request.GET))
    return render(
        request,
        "activity/mailbox.html",
        {"letters": letters.letters(wanted["q"]), "q": wanted["q"]},
    )


@login_required
@require_GET
def mail(request: UserRequest, name: str) -> HttpResponse:
    """One mail as text, and the way to how it looks."""
    return render(request, "activity/mail.html", {"letter": letters.letter(name)})


@login_required
@require_GET
def mail_page(request: UserRequest, name: str) -> HttpResponse:
    """One mail as it looks, shut off from everything: no script, no form, nothing loaded."""
    response = HttpResponse(letters.letter(name).html)
    response.headers["Content-Security-Policy"] = (
        "sandbox allow-popups allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'"
    )
    return response
