"""Check-ins: the list, one meeting on one screen, and everything done to the meeting itself."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback import actions
from feedback.forms import ActionForm, MoveForm, PointForm, Versioned
from feedback.models import (
    ActionItem,
    AgendaPoint,
    CalendarFeed,
    CheckIn,
    CheckInSeries,
    PrivateNote,
    still_meet,
)
from feedback.pages import Meeting, PointLine, Series, meet_of
from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.errors import Invalid
from pmcycle.people.models import User

HELD_A_PAGE = 15
# Both forms stand on one page and have a field of the same name.
POINT_IDS, ACTION_IDS = "point_%s", "action_%s"


@login_required
@require_GET
def check_ins(request: UserRequest) -> HttpResponse:
    """The reader's check-ins: what comes, what was held, and the series behind them."""
    mine = CheckIn.objects.visible_to(request.user).with_pair()
    ahead = list(_counted(mine.filter(state=CheckIn.State.PLANNED)).order_by("starts_at")[:40])
    held = mine.filter(state=CheckIn.State.HELD).order_by("-starts_at", "-pk")
    me = request.user.employee_id
    page: Any = Paginator(held, HELD_A_PAGE).get_page(request.GET.get("page"))
    page.object_list = [meet_of(c, me) for c in page.object_list]
    series = CheckInSeries.objects.visible_to(request.user).filter(ended_on__isnull=True)
    context = {
        "late": [meet_of(c, me) for c in ahead if c.is_past],
        "upcoming": [meet_of(c, me) for c in ahead if not c.is_past],
        "held": page,
        "series": [
            Series(row, row.other_than(request.user))
            for row in series.select_related("manager", "employee").order_by("pk")
        ],
        "feed": CalendarFeed.objects.visible_to(request.user)
        .filter(revoked_at__isnull=True)
        .first(),
    }
    return render(request, "feedback/check_ins.html", context)


def _counted(rows: QuerySet[CheckIn]) -> QuerySet[CheckIn]:
    """With the number of points on either side of the agenda."""
    standing = Q(points__withdrawn_at__isnull=True)
    return rows.annotate(
        points_of_manager=Count("points", filter=standing & Q(points__author=F("manager"))),
        points_of_employee=Count("points", filter=standing & Q(points__author=F("employee"))),
    )


@login_required
@require_GET
def check_in(request: UserRequest, pk: int) -> HttpResponse:
    """One meeting on one screen."""
    return show(request, load(request, pk))


def load(request: UserRequest, pk: int) -> Any:
    """The meeting with all that its screen says about it, in one statement."""
    same = CheckIn.objects.filter(
        manager=OuterRef("manager"), employee=OuterRef("employee")
    ).exclude(state=CheckIn.State.CANCELLED)
    before = same.filter(starts_at__lt=OuterRef("starts_at")).order_by("-starts_at")
    after = same.filter(starts_at__gt=OuterRef("starts_at")).order_by("starts_at")
    part = Participation.objects.filter(
        employee=OuterRef("employee"), cycle__state=Cycle.State.RUNNING
    )
    rows = CheckIn.objects.with_pair().annotate(
        before_pk=Subquery(before.values("pk")[:1]),
        after_pk=Subquery(after.values("pk")[:1]),
        participation_pk=Subquery(part.order_by("-cycle__first_day").values("pk")[:1]),
        may_write=Exists(CheckIn.objects.filter(still_meet(), pk=OuterRef("pk"))),
    )
    return get_visible(rows, request.user, pk=pk)


def show(
    request: UserRequest, row: Any, part: str = "", status: int = 200, **forms: Any
) -> HttpResponse:
    """Render the screen, or only the named part of it for htmx."""
    context = {
        "page": _meeting(request.user, row),
        "check_in": row,
        "other": row.other_than(request.user),
        "point_form": PointForm(auto_id=POINT_IDS),
        "action_form": ActionForm(
            check_in=row, auto_id=ACTION_IDS, initial={"owner": request.user.employee_id}
        ),
        **forms,
    }
    return render(
        request, f"feedback/check_in.html{'#' + part if part else ''}", context, status=status
    )


def _meeting(user: User, row: Any) -> Meeting:
    may_write = row.may_write and row.state != CheckIn.State.CANCELLED
    points = list(
        AgendaPoint.objects.visible_to(user)
        .standing()
        .filter(check_in=row)
        .select_related("action")
    )
    # What was carried over comes first: it has waited longest.
    points.sort(key=lambda p: (p.carried_from_id is None, p.pk))
    lines = [
        PointLine(p, p.author_id == user.employee_id, row.is_planned, may_write) for p in points
    ]
    items = _items(user, row)
    return Meeting(
        meeting=row,
        other=row.other_than(user),
        may_write=may_write,
        is_time_to_hold=row.is_planned and row.starts_at <= timezone.now() + actions.EARLY,
        mine=[line for line in lines if line.is_mine],
        theirs=[line for line in lines if not line.is_mine],
        here=[item for item in items if item.check_in_id == row.pk],
        before=[item for item in items if item.check_in_id != row.pk],
        private=PrivateNote.objects.visible_to(user).filter(check_in=row).first(),
    )


def _items(user: User, row: Any) -> list[ActionItem]:
    """Actions and promises of this meeting, and what the two have open from others, with their owners."""
    items = list(
        ActionItem.objects.visible_to(user)
        .filter(Q(check_in=row) | Q(done_at__isnull=True, dropped_at__isnull=True))
        .filter(check_in__manager=row.manager_id, check_in__employee=row.employee_id)
        .select_related("check_in")
    )
    people = {row.manager_id: row.manager, row.employee_id: row.employee}
    for item in items:
        item.owner = people[item.owner_id]
    return items


@login_required
@require_POST
def hold(request: UserRequest, pk: int) -> HttpResponse:
    """Mark the meeting as held."""
    row = get_editable(CheckIn, request.user, pk=pk)
    form = Versioned(request.POST)
    if not form.is_valid():
        messages.error(request, _("Open the check-in again, then mark it as held."))
        return redirect("feedback:check_in", pk=pk)
    actions.hold(row, version=form.cleaned_data["version"], by=request.user)
    messages.success(request, _("Held. What you did not get to is on the next agenda."))
    return redirect("feedback:check_in", pk=pk)


@login_required
@require_http_methods(["GET", "POST"])
def move_check_in(request: UserRequest, pk: int) -> HttpResponse:
    """Another time for this one meeting."""
    row = get_editable(CheckIn.objects.with_pair(), request.user, pk=pk)
    initial = {
        "starts_at": timezone.localtime(row.starts_at),
        "minutes": row.minutes,
        "version": row.version,
    }
    form = MoveForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.move_check_in(row, **form.cleaned_data, by=request.user)
            messages.success(
                request, _("Moved. %(name)s is told.") % {"name": row.other_than(request.user).name}
            )
            return redirect("feedback:check_in", pk=pk)
        except Invalid as error:
            form.add_error(error.field, error.reason)
    other = row.other_than(request.user)
    title = _("Move the check-in with %(name)s") % {"name": other.name}
    context = {"check_in": row, "other": other, "title": title, "form": form}
    return render(
        request, "feedback/move_check_in.html", context, status=422 if form.errors else 200
    )


@login_required
@require_POST
def cancel_check_in(request: UserRequest, pk: int) -> HttpResponse:
    """Call off this one meeting."""
    row = get_editable(CheckIn, request.user, pk=pk)
    form = Versioned(request.POST)
    if not form.is_valid():
        messages.error(request, _("Open the check-in again, then call it off."))
        return redirect("feedback:check_in", pk=pk)
    actions.cancel_check_in(row, version=form.cleaned_data["version"], by=request.user)
    messages.success(request, _("Called off. Open points are on the next agenda."))
    return redirect("feedback:check_ins")
