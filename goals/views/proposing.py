"""Write goals and put them to the other side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from goals import actions
from goals.actions import GoalText
from goals.forms import AssignForm, GoalForm
from goals.models import Goal, alignable
from goals.rules import balance
from goals.views.forms import Act, carried_out, forms_of, initial_of, status_of, version_edited
from goals.views.loading import (
    goal_of_pair,
    other_of,
    plan_around,
    plan_of,
    refuse_unless_offered,
    version_decided_on,
    with_stage,
)
from pmcycle.access import UserRequest, get_visible
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.errors import Refused
from pmcycle.typed import row_number


@login_required
@require_http_methods(["GET", "POST"])
def propose(request: UserRequest, pk: int) -> HttpResponse:
    """Write a goal and put it to the other side."""
    return _write(
        request,
        plan_of(request, pk, of_pair=True),
        actions.propose,
        _("Proposed. %(name)s answers next."),
    )


@login_required
@require_POST
def draft(request: UserRequest, pk: int) -> HttpResponse:
    """Keep a goal for oneself."""
    return _write(
        request,
        plan_of(request, pk, of_pair=True),
        actions.draft,
        _("Kept. Only you see this draft."),
    )


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: UserRequest, pk: int) -> HttpResponse:
    """Continue one's draft."""
    return _rewrite(request, pk, actions.edit, _("Kept. Only you see this draft."))


@login_required
@require_POST
def propose_draft(request: UserRequest, pk: int) -> HttpResponse:
    """Put one's draft to the other side."""
    return _rewrite(request, pk, actions.propose_draft, _("Proposed. %(name)s answers next."))


@login_required
@require_POST
def withdraw(request: UserRequest, pk: int) -> HttpResponse:
    """Take a draft or one's own proposal back."""
    goal = goal_of_pair(request, pk)
    actions.withdraw(goal, version=version_decided_on(request), by=request.user)
    messages.success(request, _("Taken back."))
    return redirect("goals:of", goal.participation_id)


@login_required
@require_http_methods(["GET", "POST"])
def assign(request: UserRequest, pk: int) -> HttpResponse:
    """Propose one goal to several people of one's team in a cycle."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    led_here = Participation.objects.led_by(request.user).filter(cycle=cycle)
    team: Any = with_stage(led_here.filter(state=Participation.State.ACTIVE))
    team = team.order_by("-is_planning", "employee__sort_name", "pk")
    led = team.first()
    if led is None:
        raise Http404
    refuse_unless_offered(request, led)
    if request.method == "GET":
        team = team.filter(is_planning=True)
    form, rows = forms_of(
        request,
        AssignForm,
        {"visibility": Goal.Visibility.LINE},
        [],
        team=team,
        parents=alignable(led.cycle_id, request.user.employee_id).visible_to(request.user),
    )
    draft_key = f"goal-assigned-{cycle.pk}"

    def act(text: GoalText, form: AssignForm) -> None:
        goals = actions.assign(form.cleaned_data["people"], text, by=request.user)
        done = _("Proposed to %(n)s people. Each answers for themselves.")
        messages.success(request, done % {"n": len(goals)})

    if carried_out(request, form, rows, act, draft=draft_key):
        return redirect("home:team")
    context = {"cycle": cycle, "form": form, "rows": rows, "draft_key": draft_key}
    return render(request, "goals/assign.html", context, status=status_of(request))


def _write(
    request: UserRequest, participation: Any, verb: Callable[..., Goal], done: str
) -> HttpResponse:
    """The form of a new goal; `?from=` copies an earlier one of the same person."""
    refuse_unless_offered(request, participation)
    initial, key_results = _copied(request, participation)
    initial.setdefault("parent", request.GET.get("parent"))

    def act(text: GoalText, form: GoalForm) -> None:
        verb(participation, text, by=request.user)

    return _form(request, participation, act, done, initial, key_results)


def _rewrite(request: UserRequest, pk: int, verb: Callable[..., Goal], done: str) -> HttpResponse:
    """The form of a draft that goes on."""
    goal = goal_of_pair(request, pk)
    if goal.state != Goal.State.DRAFT:
        raise Refused(_("This goal is already: %(state)s.") % {"state": goal.get_state_display()})
    participation = plan_around(goal)
    refuse_unless_offered(request, participation)
    initial = initial_of(goal.latest, goal, goal.version)

    def act(text: GoalText, form: GoalForm) -> None:
        verb(goal, text, version=version_edited(form), by=request.user)

    key_results = goal.latest.key_results if goal.latest else []
    return _form(request, participation, act, done, initial, key_results, goal)


def _form(
    request: UserRequest,
    participation: Any,
    act: Act,
    done: str,
    initial: Mapping[str, Any],
    key_results: Sequence[Any],
    goal: Goal | None = None,
) -> HttpResponse:
    parents = alignable(participation.cycle_id, participation.manager_id).visible_to(request.user)
    form, rows = forms_of(request, GoalForm, initial, key_results, parents=parents)
    draft_key = f"goal-{goal.pk}" if goal else f"goal-new-{participation.pk}"
    other = other_of(request, participation)
    if carried_out(request, form, rows, act, draft=draft_key):
        messages.success(request, done % {"name": other})
        return redirect("goals:of", participation.pk)
    others = Goal.objects.weighing().filter(participation=participation)
    weights = others.values_list("latest__weight", flat=True)
    is_mine = participation.employee_id == request.user.employee_id
    for_other = _("A goal for %(name)s") % {"name": participation.employee.name}
    context = {
        "participation": participation,
        "form": form,
        "rows": rows,
        "goal": goal,
        "other": other,
        "is_mine": is_mine,
        "heading": _("A goal of mine") if is_mine else for_other,
        "here": _("Draft") if goal else _("New goal"),
        "send_url": reverse("goals:propose_draft", args=[goal.pk])
        if goal
        else reverse("goals:propose", args=[participation.pk]),
        "keep_url": reverse("goals:edit", args=[goal.pk])
        if goal
        else reverse("goals:draft", args=[participation.pk]),
        "rest": balance([w for w in weights if w is not None]).left,
        "earlier": _earlier(participation) if request.method == "GET" and goal is None else [],
        "draft_key": draft_key,
    }
    return render(request, "goals/propose.html", context, status=status_of(request))


def _earlier(participation: Any) -> list[Goal]:
    """Goals of earlier cycles that the person can copy from."""
    rows = Goal.objects.filter(
        participation__employee=participation.employee_id,
        state__in=[Goal.State.AGREED, Goal.State.CLOSED],
    ).exclude(participation=participation)
    return list(rows.select_related("agreed", "cycle").order_by("-pk")[:8])


def _copied(request: UserRequest, participation: Any) -> tuple[dict[str, Any], list[Any]]:
    source = row_number(request.GET.get("from"))
    if source is None:
        return {}, []
    goal = get_visible(
        Goal.objects.select_related("agreed").filter(
            participation__employee=participation.employee_id
        ),
        request.user,
        pk=source,
    )
    if goal.agreed is None:
        return {}, []
    return {**initial_of(goal.agreed, goal, None), "parent": None}, [
        {**row, "key": ""} for row in goal.agreed.key_results
    ]
