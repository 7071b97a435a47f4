"""HR opens, closes and postpones a stage by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from pmcycle.access import UserRequest, get_editable
from pmcycle.cycles import actions, forms
from pmcycle.cycles.actions import link
from pmcycle.cycles.models import Cycle, Stage
from pmcycle.cycles.pages import Change, End, end_of_stage_does
from pmcycle.cycles.views.shared import change_page, end_page, refuse_unless, why_not
from pmcycle.typed import LeftoversForm, all_of_one_kind, done, went_on


def _editable_stage(request: UserRequest, pk: int) -> Stage:
    known = Stage.objects.filter(cycle__in=Cycle.objects.configured_by(request.user))
    stage = get_editable(known.select_related("cycle"), request.user, pk=pk)
    refuse_unless(stage.cycle, Cycle.State.RUNNING)
    return stage


def _stage_page(
    request: UserRequest, pk: int, form_of: Any, act: Any, **words: Any
) -> HttpResponse:
    stage = _editable_stage(request, pk)
    refusal = why_not(words["judge"], stage) if request.method == "GET" else ""
    initial = {"version": stage.version, "due_on": stage.due_on}
    form = form_of(request.POST or None, initial=initial)
    if (
        request.method == "POST"
        and form.is_valid()
        and done(form, lambda: act(stage, form.cleaned_data))
    ):
        messages.success(request, words["said"] % {"stage": stage})
        return redirect(link("home:board", pk=stage.cycle_id) or "cycles:list")
    change = Change(
        heading=words["heading"] % {"stage": stage},
        button=words["button"],
        form=form,
        back=link("home:board", pk=stage.cycle_id),
        consequences=words["consequences"],
        two_looks=False,
        refusal=refusal,
    )
    return change_page(request, stage.cycle, change)


@login_required
@require_http_methods(["GET", "POST"])
def open_stage(request: UserRequest, pk: int) -> HttpResponse:
    return _stage_page(
        request,
        pk,
        forms.OpenStageForm,
        lambda stage, data: actions.open_stage(
            stage,
            due_on=data["due_on"],
            reason=data["reason"],
            version=data["version"],
            by=request.user,
        ),
        judge=actions.judge_opening,
        heading=_("Open %(stage)s now"),
        said=_("%(stage)s is open."),
        button=_("Open it"),
        consequences=[
            _("Everybody who takes part finds it on their home page at once."),
            _("Its forms are laid out now for all who do not have them yet."),
            _("Reminders follow the due day below."),
        ],
    )


@login_required
@require_http_methods(["GET", "POST"])
def close_stage(request: UserRequest, pk: int) -> HttpResponse:
    """Close a stage by hand, over what is left in it with a reason for each kind."""
    stage = _editable_stage(request, pk)
    sent = request.POST if request.method == "POST" else None
    if sent is not None:
        actions.judge_closing(stage)
    form = forms.CloseStageForm(sent, initial={"version": stage.version})
    leaving = LeftoversForm(
        sent, at=request.path, leftovers=actions.leftovers_of_stage(stage, request.user)
    )
    if whole := all_of_one_kind(request, leaving, cycle=stage.cycle):
        return whole

    def act() -> None:
        data = form.cleaned_data
        actions.close_stage(
            stage,
            reason=data["reason"],
            accepted=leaving.accepted(),
            version=data["version"],
            by=request.user,
        )

    if form.is_bound and form.is_valid() & leaving.is_valid() and went_on(form, leaving, act):
        messages.success(request, _("%(stage)s is closed.") % {"stage": stage})
        return redirect(link("home:board", pk=stage.cycle_id) or "cycles:list")
    sure = _(
        "%(stage)s closes for everybody now. What is left stays as it is; your reasons stand in the trail."
    )
    end = End(
        heading=_("Close %(stage)s now") % {"stage": stage},
        audience=_("HR sees this and the reasons. Everybody sees afterwards that it is closed."),
        form=form,
        leaving=leaving,
        refusal=why_not(actions.judge_closing, stage) if request.method == "GET" else "",
        parts=end_of_stage_does(),
        button=_("Close it"),
        sure=sure % {"stage": stage},
        back=link("home:board", pk=stage.cycle_id),
    )
    return end_page(request, stage.cycle, end)


@login_required
@require_http_methods(["GET", "POST"])
def postpone_stage(request: UserRequest, pk: int) -> HttpResponse:
    return _stage_page(
        request,
        pk,
        forms.PostponeStageForm,
        lambda stage, data: actions.postpone_stage(
            stage,
            due_on=data["due_on"],
            reason=data["reason"],
            version=data["version"],
            by=request.user,
        ),
        judge=actions.judge_postponing,
        heading=_("Another due day for %(stage)s"),
        said=_("%(stage)s has another due day."),
        button=_("Change the day"),
        consequences=[
            _(
                "The day changes for everybody, on every page; who has more time of their own keeps it if it is later."
            ),
            _("Reminders follow the new day."),
        ],
    )
