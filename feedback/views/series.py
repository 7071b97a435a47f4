"""Setting up, changing and ending recurring check-ins; calendar files and the calendar address."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.http.request import HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback import actions, rules
from feedback.forms import RescheduleForm, RhythmForm, ScheduleForm, Versioned
from feedback.models import CalendarFeed, CheckIn, CheckInSeries, counterparts
from pmcycle.access import UserRequest, get_editable, get_visible, today
from pmcycle.activity.actions import hold_to
from pmcycle.days import today_in, zone_of
from pmcycle.errors import Invalid
from pmcycle.ui.direction import neutral

FEED_BACK = timedelta(days=30)


@login_required
@require_http_methods(["GET", "POST"])
def schedule(request: UserRequest) -> HttpResponse:
    """Set up check-ins with one's manager or with somebody one leads."""
    if request.user.employee_id is None:
        raise Http404
    initial = {**_defaults(request), "other": request.GET.get("with", "")}
    form = ScheduleForm(request.POST or None, initial=initial, user=request.user)
    if request.method == "POST" and form.is_valid():
        other = form.cleaned_data["other"]
        made = _try(form, lambda: actions.schedule(other, **form.rhythm(), by=request.user))
        if made is not None:
            messages.success(
                request,
                _("Set up. %(name)s is told, and the dates are below.") % {"name": other.name},
            )
            return redirect("feedback:check_ins")
    context = {"form": form, "nobody": not counterparts(request.user).exists()}
    return render(request, "feedback/schedule.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def reschedule_series(request: UserRequest, pk: int) -> HttpResponse:
    """Another rhythm or time for a series."""
    rows = CheckInSeries.objects.filter(ended_on__isnull=True).select_related("manager", "employee")
    row = get_editable(rows, request.user, pk=pk)
    now = {
        "frequency": rules.frequency_of(row.rrule),
        "weekday": row.starts_on.weekday(),
        "at": row.at,
        "minutes": row.minutes,
        "zone": row.zone,
        "starts_on": _today_in(row.zone),
        "version": row.version,
    }
    form = RescheduleForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        version = form.cleaned_data["version"]
        made = _try(
            form,
            lambda: actions.reschedule_series(
                row, **form.rhythm(), version=version, by=request.user
            ),
        )
        if made is not None:
            messages.success(request, _("Changed. The agendas you have written moved along."))
            return redirect("feedback:check_ins")
    other = row.other_than(request.user)
    title = _("Change check-ins with %(name)s") % {"name": other.name}
    context = {"series": row, "other": other, "title": title, "form": form}
    return render(
        request, "feedback/reschedule_series.html", context, status=422 if form.errors else 200
    )


@login_required
@require_POST
def end_series(request: UserRequest, pk: int) -> HttpResponse:
    """No more meetings of this series."""
    row = get_editable(CheckInSeries, request.user, pk=pk)
    form = Versioned(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else -1
    actions.end_series(row, version=version, by=request.user)
    messages.success(request, _("Ended. What you held stays readable for you both."))
    return redirect("feedback:check_ins")


@login_required
@require_GET
def ics(request: UserRequest, pk: int) -> HttpResponse:
    """One meeting as a calendar file: when and with whom, never what about.

    One that was called off comes as its cancellation, which strikes it from a calendar that has it.
    """
    row = get_visible(CheckIn.objects.with_pair(), request.user, pk=pk)
    method = "CANCEL" if row.state == CheckIn.State.CANCELLED else "PUBLISH"
    return _calendar([row], _("Check-in"), f"check-in-{row.pk}.ics", method)


@require_GET
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The times of one person's check-ins for their calendar program, which knows only the secret address.

    A meeting that was called off stays in it, struck, until a month after its time: a program that only finds it
    gone may keep what it has read before.
    """
    feed = (
        CalendarFeed.objects.filter(
            digest=actions.digest(token), revoked_at__isnull=True, user__is_active=True
        )
        .exclude(user__employee__left_on__lt=today())
        .select_related("user")
        .first()
    )
    if feed is None:
        raise Http404
    hold_to("calendar", feed.pk)
    actions.note_calendar_read(feed)
    rows = (
        CheckIn.objects.visible_to(feed.user)
        .filter(starts_at__gte=timezone.now() - FEED_BACK)
        .with_pair()
        # Planned, held, called off: should there be more than anybody has, what was called off gives way.
        .order_by("-state", "starts_at")[:500]
    )
    return _calendar(rows, _("Check-ins"), "check-ins.ics")


@login_required
@require_POST
def share_calendar(request: UserRequest) -> HttpResponse:
    """Make a new secret address and show it this once."""
    secret = actions.share_calendar(by=request.user)
    address = settings.SITE_URL.rstrip("/") + reverse("feedback:calendar", kwargs={"token": secret})
    return render(request, "feedback/calendar_address.html", {"address": address})


@login_required
@require_POST
def revoke_calendar(request: UserRequest) -> HttpResponse:
    """The address stops working."""
    actions.revoke_calendar(by=request.user)
    messages.success(request, _("The address does not work any more."))
    return redirect("feedback:check_ins")


def _calendar(rows: Any, name: str, file_name: str, method: str = "PUBLISH") -> HttpResponse:
    site = settings.SITE_URL.rstrip("/")
    # A cancellation names who set the meeting; programs look for it there.
    meetings = [
        rules.Meeting(
            uid=f"check-in-{row.pk}@{site.rpartition('//')[2]}",
            title=neutral(
                _("Check-in: %(employee)s and %(manager)s")
                % {"employee": row.employee.name, "manager": row.manager.name}
            ),
            starts_at=row.starts_at,
            minutes=row.minutes,
            sequence=row.version,
            stamp=timezone.now(),
            url=site + reverse("feedback:check_in", kwargs={"pk": row.pk}),
            is_cancelled=row.state == CheckIn.State.CANCELLED,
            organiser=row.manager.email if method == "CANCEL" else "",
        )
        for row in rows
    ]
    kind = f"text/calendar; charset=utf-8; method={method}"
    answer = HttpResponse(rules.calendar_text(meetings, name, method), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{file_name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _defaults(request: UserRequest) -> dict[str, Any]:
    zone = request.user.zone_name or "UTC"
    day = _today_in(zone) + timedelta(days=1)
    # A meeting begins on a working day unless somebody says otherwise.
    return {"starts_on": day, "weekday": day.weekday() % 5, "zone": zone, "at": "10:00"}


def _today_in(zone: str) -> date:
    return today_in(zone_of(zone) or UTC)


def _try(form: RhythmForm, act: Any) -> Any:
    """What the action made, or None with the reason beside its field."""
    try:
        return act()
    except Invalid as error:
        form.add_error(error.field, error.reason)
        return None
