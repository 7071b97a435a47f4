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
from goals.actions import GoalText
from goals.cards import key_results_of, tree_of
from goals.forms import AlignForm, PublishForm, WordingForm
from goals.models import Goal, GoalQuerySet, alignable
from goals.views.forms import carried_out, forms_of, initial_of, status_of, version_edited
from pmcycle.access import UserRequest, get_editable, get_visible, show, with_outside
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Invalid, Refused

PEOPLE_SHOWN = 200
OVER = (Cycle.State.CLOSED, Cycle.State.ARCHIVED)


@login_required
@require_GET
def company(request: UserRequest, pk: int) -> HttpResponse:
    """The goals of the organisation and its units in a cycle, with what contributes to each."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    published = Goal.objects.filter(cycle=cycle, participation__isnull=True).visible_to(
        request.user
    )
    goals = list(
        published.select_related("agreed", "unit", "parent__agreed").order_by("unit__name", "pk")
    )
    rows = key_results_of(goals)
    visible = with_outside(Goal.objects.visible_to(request.user), request.user).filter(
        parent__in=goals, participation__isnull=False
    )
    people = list(
        visible.select_related("agreed", "latest", "participation__employee")[:PEOPLE_SHOWN]
    )
    show(request.user, people)
    context = {
        "cycle": cycle,
        "tree": tree_of(goals, people, rows, cycle.progress_cap),
        "people_shown": len(people) if len(people) == PEOPLE_SHOWN else 0,
        "may_publish": request.user.standing.is_hr_admin and cycle.state not in OVER,
    }
    return render(request, "goals/company.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def align(request: UserRequest, pk: int) -> HttpResponse:
    """Say to which goal this one contributes."""
    goal = get_editable(
        Goal.objects.for_list().with_plan().select_related("cycle"), request.user, pk=pk
    )
    if goal.cycle.state in OVER:
        raise Refused(_("This cycle is closed. Everything in it stays readable."))
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
    return render(
        request, "goals/align.html", context, status=422 if request.method == "POST" else 200
    )


@login_required
@require_http_methods(["GET", "POST"])
def publish(request: UserRequest, pk: int) -> HttpResponse:
    """Publish a goal of the organisation or of a unit; HR admins."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    if not request.user.standing.is_hr_admin:
        raise PermissionDenied(_("Goals of the organisation are published by HR."))
    if cycle.state in OVER:
        raise Refused(_("This cycle is closed. Everything in it stays readable."))
    form, rows = forms_of(request, PublishForm, {}, [], parents=_published(cycle.pk))
    draft_key = f"goal-published-{cycle.pk}"

    def act(text: GoalText, form: PublishForm) -> None:
        actions.publish(cycle, text, unit=form.cleaned_data["unit"], by=request.user)

    if carried_out(request, form, rows, act, draft=draft_key):
        messages.success(request, _("Published. Everybody can align their goals to it."))
        return redirect("goals:company", cycle.pk)
    context = {"cycle": cycle, "form": form, "rows": rows, "draft_key": draft_key}
    return render(request, "goals/publish.html", context, status=status_of(request))


@login_required
@require_http_methods(["GET", "POST"])
def republish(request: UserRequest, pk: int) -> HttpResponse:
    """Put another wording of a published goal in force; HR admins."""
    published = Goal.objects.filter(participation__isnull=True).select_related(
        "agreed", "cycle", "unit"
    )
    goal = get_editable(published, request.user, pk=pk)
    if goal.cycle.state in OVER:
        raise Refused(_("This cycle is closed. Everything in it stays readable."))
    wording = goal.agreed
    if wording is None or goal.state != Goal.State.AGREED:
        raise Refused(_("This goal is already: %(state)s.") % {"state": goal.get_state_display()})
    initial = {**initial_of(wording, None, goal.version), "horizon": goal.horizon}
    form, rows = forms_of(request, WordingForm, initial, wording.key_results, weighs=False)
    draft_key = f"goal-{goal.pk}-reworded"

    def act(text: GoalText, form: WordingForm) -> None:
        actions.republish(goal, text, version=version_edited(form), by=request.user)

    if carried_out(request, form, rows, act, draft=draft_key):
        messages.success(
            request, _("In force from now on. Whoever has aligned a goal to it is told.")
        )
        return redirect("goals:detail", goal.pk)
    context = {
        "cycle": goal.cycle,
        "goal": goal,
        "form": form,
        "rows": rows,
        "draft_key": draft_key,
    }
    return render(request, "goals/publish.html", context, status=status_of(request))


def _published(cycle_id: int) -> GoalQuerySet:
    """The goals of the organisation and its units that hold in a cycle."""
    rows = Goal.objects.filter(cycle=cycle_id, participation__isnull=True, state=Goal.State.AGREED)
    return rows.select_related("agreed", "unit", "participation__employee")


def _parents(request: UserRequest, goal: Any) -> GoalQuerySet:
    """What the goal can contribute to. The manager is annotated on the goal."""
    if goal.participation is None:
        return _published(goal.cycle_id).exclude(pk=goal.pk)
    return alignable(goal.cycle_id, goal.manager_id).visible_to(request.user).exclude(pk=goal.pk)
