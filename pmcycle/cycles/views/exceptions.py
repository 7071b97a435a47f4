"""One person's way through a cycle, and its exceptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Prefetch, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.cycles import actions, forms, pages
from pmcycle.cycles.actions import link
from pmcycle.cycles.models import (
    Assignment,
    Cycle,
    Extension,
    Participation,
    Stage,
)
from pmcycle.cycles.views.shared import change_page, editable_cycle, refuse_unless
from pmcycle.people.models import ReportingLine
from pmcycle.typed import done


def _overseen(request: UserRequest) -> Any:
    rows = Participation.objects.overseen_by(request.user)
    return rows.exclude(cycle__state=Cycle.State.DRAFT).select_related("cycle", "employee", "unit")


@login_required
@require_GET
def life_line(request: UserRequest, pk: int) -> HttpResponse:
    """One person's way through the cycle, for HR: dates, managers, absences, exceptions, then and now."""
    line_now = ReportingLine.objects.current().filter(employee=OuterRef("employee"), kind="line")
    more = Extension.objects.filter(stage=OuterRef("pk"), participation=pk)
    stages = Stage.objects.annotate(
        own_due=Subquery(more.values("due_on")), own_why=Subquery(more.values("reason"))
    )
    rows = (
        _overseen(request)
        .select_related("employee__unit")
        .prefetch_related(
            Prefetch("cycle__stages", stages),
            Prefetch(
                "assignments", Assignment.objects.select_related("manager").order_by("starts_on")
            ),
        )
    )
    changeable = Participation.objects.editable_by(request.user).filter(pk=OuterRef("pk"))
    rows = rows.annotate(
        manager_now=Subquery(line_now.values("manager__name")[:1]), is_changeable=Exists(changeable)
    )
    part = get_visible(rows, request.user, pk=pk)
    today = part.cycle.local_day(timezone.now())
    way = pages.way_through(part, today, is_changeable=part.is_changeable)
    return render(request, "cycles/life_line.html", {"cycle": part.cycle, "way": way})


def _changeable(rows: Any, request: UserRequest, pk: int) -> Participation:
    """Whose way is changed; the form is offered while the cycle runs and the person takes part."""
    part: Participation = get_editable(rows, request.user, pk=pk)
    refuse_unless(part.cycle, Cycle.State.RUNNING)
    return part


def _bound(request: UserRequest, needed: str) -> Any:
    """The data of a change: what is posted, or what is asked to be looked at first."""
    if request.method == "POST":
        return request.POST
    return request.GET if needed in request.GET else None


def _change(
    request: UserRequest,
    part: Participation,
    form: Any,
    act: Callable[[], Any],
    *,
    judge: Callable[[], None],
    does: Callable[[], list[str]],
    heading: str,
    button: str,
    said: str,
) -> HttpResponse:
    """An exception in two looks: what it will do (by GET, changing nothing), then the act (by POST).

    `judge` refuses in the first look whatever the act would refuse: no page promises what cannot be done.
    `does` says what it will do, of a form that can be read.
    """
    name = part.employee.name
    if form.is_bound and form.is_valid():
        if request.method == "GET":
            done(form, judge)
        elif done(form, act):
            messages.success(request, said % name)
            return redirect("cycles:life_line", pk=part.pk)
    change = pages.Change(
        heading=heading % name,
        button=button,
        form=form,
        back=reverse("cycles:life_line", kwargs={"pk": part.pk}),
        consequences=does() if form.is_bound and form.is_valid() else [],
        part=part,
    )
    return change_page(request, part.cycle, change)


@login_required
@require_http_methods(["GET", "POST"])
def extend(request: UserRequest, pk: int) -> HttpResponse:
    """More time for one person in one stage, also one that is closed for the others."""
    part = _changeable(_overseen(request), request, pk)
    form = forms.ExtendForm(
        _bound(request, "due_on"),
        stages=actions.stages_with_more_time(part.cycle),
        initial={"version": part.version},
    )

    def act() -> None:
        data = form.cleaned_data
        days = {"due_on": data["due_on"], "reason": data["reason"], "version": data["version"]}
        actions.extend(part, data["stage"], **days, by=request.user)

    return _change(
        request,
        part,
        form,
        act,
        judge=lambda: actions.judge_extension(
            part, form.cleaned_data["stage"], due_on=form.cleaned_data["due_on"]
        ),
        does=lambda: pages.more_time_does(
            part, form.cleaned_data["stage"], form.cleaned_data["due_on"]
        ),
        heading=_("More time for %s"),
        button=_("Give more time"),
        said=_("%s has more time."),
    )


@login_required
@require_http_methods(["GET", "POST"])
def transfer(request: UserRequest, pk: int) -> HttpResponse:
    """Another manager from a day on."""
    part = _changeable(_overseen(request).with_manager(), request, pk)
    initial = {"version": part.version, "on": part.cycle.local_day(timezone.now())}
    form = forms.TransferForm(_bound(request, "manager"), initial=initial)

    def judge() -> None:
        last = part.assignments.order_by("-starts_on").first()
        data = form.cleaned_data
        actions.judge_transfer(part, data["manager"], on=data["on"], last=last, by=request.user)

    def act() -> None:
        data = form.cleaned_data
        rest = {"on": data["on"], "reason": data["reason"], "version": data["version"]}
        actions.transfer(part, data["manager"], **rest, by=request.user)

    return _change(
        request,
        part,
        form,
        act,
        judge=judge,
        does=lambda: pages.handing_over_does(
            part, form.cleaned_data["manager"], form.cleaned_data["on"]
        ),
        heading=_("Another manager for %s"),
        button=_("Hand over"),
        said=_("%s has been handed over."),
    )


@login_required
@require_http_methods(["GET", "POST"])
def mark_left(request: UserRequest, pk: int) -> HttpResponse:
    """Freeze the part of somebody who has left."""
    part = _changeable(_overseen(request), request, pk)
    today = part.cycle.local_day(timezone.now())
    initial = {"version": part.version, "left_on": part.employee.left_on or today}
    form = forms.MarkLeftForm(_bound(request, "left_on"), initial=initial)

    def act() -> None:
        data = form.cleaned_data
        actions.mark_left(
            part,
            left_on=data["left_on"],
            reason=data["reason"],
            version=data["version"],
            by=request.user,
        )

    return _change(
        request,
        part,
        form,
        act,
        judge=lambda: actions.judge_leaving(part, left_on=form.cleaned_data["left_on"]),
        does=lambda: pages.leaving_does(part),
        heading=_("%s has left"),
        button=_("Freeze their part"),
        said=_("The part of %s is frozen."),
    )


@login_required
@require_http_methods(["GET", "POST"])
def return_person(request: UserRequest, pk: int) -> HttpResponse:
    """Take up the part of somebody who had left and is back."""
    part = get_editable(_overseen(request), request.user, pk=pk)
    form = forms.ReasonForm(_bound(request, "reason"), initial={"version": part.version})

    def act() -> None:
        data = form.cleaned_data
        actions.return_person(part, reason=data["reason"], version=data["version"], by=request.user)

    return _change(
        request,
        part,
        form,
        act,
        judge=lambda: actions.judge_return(part),
        does=lambda: pages.return_does(part),
        heading=_("%s is back"),
        button=_("Take up their part again"),
        said=_("%s takes part again."),
    )


@login_required
@require_http_methods(["GET", "POST"])
def add_person(request: UserRequest, pk: int) -> HttpResponse:
    """Add a late joiner to a running cycle."""
    cycle = editable_cycle(request, pk)
    refuse_unless(cycle, Cycle.State.RUNNING)
    initial = {"starts_on": cycle.local_day(timezone.now())}
    form = forms.AddPersonForm(_bound(request, "employee"), initial=initial)
    if form.is_bound and form.is_valid():
        who = form.cleaned_data["employee"]
        if request.method == "GET":
            done(form, lambda: _judge_addition(request, cycle, form))
        elif done(form, lambda: _add(request, cycle, form)):
            messages.success(request, _("%s takes part now.") % who.name)
            return redirect("cycles:life_line", pk=cycle.participations.get(employee=who).pk)
    data = form.cleaned_data if form.is_bound and form.is_valid() else None
    change = pages.Change(
        heading=_("Add somebody to “%s”") % cycle.name,
        button=_("Add"),
        form=form,
        back=link("home:board", pk=pk),
        consequences=pages.joining_does(cycle, data["employee"], data["starts_on"]) if data else [],
    )
    return change_page(request, cycle, change)


def _judge_addition(request: UserRequest, cycle: Cycle, form: forms.AddPersonForm) -> None:
    who = form.cleaned_data["employee"]
    actions.judge_addition(cycle, who, starts_on=form.cleaned_data["starts_on"], by=request.user)


def _add(request: UserRequest, cycle: Cycle, form: forms.AddPersonForm) -> None:
    _judge_addition(request, cycle, form)
    data = form.cleaned_data
    actions.add_person(
        cycle, data["employee"], starts_on=data["starts_on"], reason=data["reason"], by=request.user
    )
