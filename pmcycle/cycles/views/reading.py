"""Cycles as everybody reads them, and their end."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.cycles import actions, forms, pages
from pmcycle.cycles.models import Cycle, Reopening
from pmcycle.cycles.views.shared import editable_cycle, end_page, refuse_unless, why_not
from pmcycle.typed import LeftoversForm, all_of_one_kind, done, read_version, went_on


@login_required
@require_GET
def list_cycles(request: UserRequest) -> HttpResponse:
    """The cycles the reader may know of, the newest first."""
    rows = (
        Cycle.objects.visible_to(request.user)
        .annotate(people=Count("participations", filter=Q(participations__state="active")))
        .prefetch_related("stages")
        .order_by("-first_day", "-pk")
    )
    page: Any = Paginator(rows, 20).get_page(request.GET.get("page"))
    now = timezone.now()
    is_hr = request.user.standing.is_hr
    page.object_list = [
        pages.ListedCycle(cycle, pages.line_of(cycle.stages.all()), cycle.local_day(now), is_hr)
        for cycle in page
    ]
    context = {"page": page, "may_create": request.user.standing.is_hr_admin}
    return render(request, "cycles/list.html", context)


@login_required
@require_GET
def detail(request: UserRequest, pk: int) -> HttpResponse:
    """What happens when in a cycle, for everybody; for those who take part with their own dates."""
    cycle = get_visible(Cycle.objects.select_related("scale"), request.user, pk=pk)
    if cycle.state == Cycle.State.DRAFT:
        return redirect("cycles:configure", pk=pk, step="who")
    shown = pages.dates_and_rules(cycle, request.user, cycle.local_day(timezone.now()))
    return render(request, "cycles/detail.html", {"cycle": cycle, "shown": shown})


@login_required
@require_http_methods(["GET", "POST"])
def close(request: UserRequest, pk: int) -> HttpResponse:
    """End a running cycle, after reading what that means."""
    cycle = editable_cycle(request, pk)
    refuse_unless(cycle, Cycle.State.RUNNING)
    sent = request.POST if request.method == "POST" else None
    form = forms.VersionForm(sent, initial={"version": cycle.version})
    leaving = LeftoversForm(
        sent, at=request.path, leftovers=actions.leftovers_of_cycle(cycle, request.user)
    )
    if whole := all_of_one_kind(request, leaving, cycle=cycle):
        return whole

    def act() -> None:
        version = form.cleaned_data["version"]
        actions.close(cycle, accepted=leaving.accepted(), version=version, by=request.user)

    if form.is_bound and form.is_valid() & leaving.is_valid() and went_on(form, leaving, act):
        messages.success(
            request, _("“%s” is closed. What is unfinished goes on in the next cycle.") % cycle.name
        )
        return redirect("cycles:detail", pk=pk)
    sure = _(
        "“%(name)s” ends for everybody now. What is left in it stays as it is, and your reasons stand in the trail."
    )
    end = pages.End(
        heading=_("Close %(name)s") % {"name": cycle.name},
        audience=_("HR sees this and the reasons. Everybody sees afterwards that it is closed."),
        form=form,
        leaving=leaving,
        refusal=why_not(actions.judge_end, cycle) if request.method == "GET" else "",
        parts=pages.end_of_cycle_does(
            list(cycle.stages.all()), actions.closed_to_what_is_left(cycle)
        ),
        button=_("Close the cycle"),
        sure=sure % {"name": cycle.name},
        back=reverse("cycles:detail", kwargs={"pk": pk}),
    )
    return end_page(request, cycle, end)


@login_required
@require_POST
def archive(request: UserRequest, pk: int) -> HttpResponse:
    cycle = editable_cycle(request, pk)
    actions.archive(cycle, version=read_version(request), by=request.user)
    return redirect("cycles:list")


@login_required
@require_http_methods(["GET", "POST"])
def request_reopening(request: UserRequest, pk: int) -> HttpResponse:
    """Ask, with a reason, for a closed cycle to run again; a second HR admin approves."""
    cycle = editable_cycle(request, pk)
    refuse_unless(cycle, Cycle.State.CLOSED)
    form = forms.ReopenForm(request.POST if request.method == "POST" else None)

    def act() -> None:
        actions.request_reopening(cycle, form.cleaned_data["reason"], by=request.user)

    if form.is_bound and form.is_valid() and done(form, act):
        messages.success(request, _("Asked. The cycle runs again when a second HR admin approves."))
        return redirect("cycles:detail", pk=pk)
    sure = _("All other HR admins are told; with the yes of one of them “%(name)s” runs again.")
    end = pages.End(
        heading=_("Open %(name)s again") % {"name": cycle.name},
        audience=_(
            "HR admins see this and the reason. Everybody sees afterwards that the cycle runs."
        ),
        form=form,
        parts=pages.reopening_does(),
        button=_("Ask to open it again"),
        sure=sure % {"name": cycle.name},
        back=reverse("cycles:detail", kwargs={"pk": pk}),
    )
    return end_page(request, cycle, end)


@login_required
@require_POST
def approve_reopening(request: UserRequest, pk: int) -> HttpResponse:
    row = get_editable(Reopening, request.user, pk=pk)
    cycle = actions.approve_reopening(row, by=request.user)
    messages.success(request, _("“%s” runs again. Open the stage that is needed.") % cycle.name)
    return redirect("cycles:detail", pk=cycle.pk)


@login_required
@require_POST
def withdraw_reopening(request: UserRequest, pk: int) -> HttpResponse:
    row = get_editable(Reopening, request.user, pk=pk)
    actions.withdraw_reopening(row, by=request.user)
    messages.success(request, _("Withdrawn. The cycle stays closed."))
    return redirect("cycles:detail", pk=row.cycle_id)
