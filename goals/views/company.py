"""Goals of the organisation and its units, and what contributes to what."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from goals import actions
from goals.cards import key_results_of, row_of
from goals.forms import AlignForm, PublishForm, owner_label
from goals.models import Goal, alignable
from goals.rules import goal_progress
from goals.views.forms import acts, forms_of, status_of, was_sent
from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Invalid


@login_required
@require_GET
def company(request: UserRequest, pk: int) -> HttpResponse:
    """The goals of the organisation and its units in a cycle, with what contributes to each."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    published = Goal.objects.filter(cycle=cycle, participation__isnull=True).visible_to(request.user)
    goals = list(published.select_related("agreed", "unit", "parent__agreed").order_by("unit__name", "pk"))
    rows = key_results_of(goals)
    visible = Goal.objects.visible_to(request.user).filter(parent__in=goals).select_related(
        "agreed", "latest", "participation__employee", "unit"
    )  # fmt: skip
    below: dict[int, list[Goal]] = {}
    for child in visible[:200]:
        below.setdefault(child.parent_id or 0, []).append(child)
    cards = [
        {
            "goal": goal, "wording": goal.agreed, "owner": owner_label(goal), "below": below.get(goal.pk, []),
            "key_results": [row_of(row, cycle.progress_cap) for row in rows.get(goal.pk, [])],
            "progress": goal_progress([r.progress for r in rows.get(goal.pk, [])], cycle.progress_cap),
        }
        for goal in goals
    ]  # fmt: skip
    return render(request, "goals/company.html", {"cycle": cycle, "cards": cards})


@login_required
@require_http_methods(["GET", "POST"])
def align(request: UserRequest, pk: int) -> HttpResponse:
    """Say to which goal this one contributes."""
    goal = get_editable(Goal.objects.for_list().with_plan(), request.user, pk=pk)
    initial = {"parent": goal.parent_id, "version": goal.version}
    form = AlignForm(request.POST or None, initial=initial, parents=_parents(request, goal))
    if form.is_valid():
        try:
            data = form.cleaned_data
            actions.align(goal, data["parent"], version=data["version"], by=request.user)
        except Invalid as error:
            form.add_error("parent", error.reason)
        else:
            messages.success(request, _("Saved."))
            return redirect("goals:detail", goal.pk)
    context = {"goal": goal, "wording": goal.agreed or goal.latest, "form": form}
    return render(request, "goals/align.html", context, status=422 if request.method == "POST" else 200)


@login_required
@require_http_methods(["GET", "POST"])
def publish(request: UserRequest, pk: int) -> HttpResponse:
    """Publish a goal of the organisation or of a unit; HR admins."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    if not request.user.standing.is_hr_admin:
        raise PermissionDenied(_("Goals of the organisation are published by HR."))
    parents = Goal.objects.filter(
        cycle=cycle, participation__isnull=True, state=Goal.State.AGREED
    ).select_related("agreed", "unit", "participation__employee")  # fmt: skip
    form, rows = forms_of(request, PublishForm, {}, [], parents=parents)
    if was_sent(request, form, rows):
        unit = form.cleaned_data["unit"]
        if acts(form, lambda: actions.publish(cycle, form.text(rows), unit=unit, by=request.user)):
            messages.success(request, _("Published. Everybody can align their goals to it."))
            return redirect("goals:company", cycle.pk)
    context = {"cycle": cycle, "form": form, "rows": rows}
    return render(request, "goals/publish.html", context, status=status_of(request, form, rows))


def _parents(request: UserRequest, goal: Any) -> Any:
    """What the goal can contribute to. The manager is annotated on the goal."""
    if goal.participation is None:
        published = Goal.objects.filter(
            cycle=goal.cycle_id, participation__isnull=True, state=Goal.State.AGREED
        )
        return published.select_related("agreed", "unit", "participation__employee").exclude(pk=goal.pk)
    return alignable(goal.participation, goal.manager_id).visible_to(request.user).exclude(pk=goal.pk)
