"""Write goals and put them to the other side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from goals import actions
from goals.forms import GoalForm, KeyResultRows
from goals.models import Goal, alignable
from goals.rules import balance
from goals.views.forms import acts, forms_of, initial_of, status_of, version_edited, was_sent
from goals.views.loading import goal_of_pair, other_of, plan_around, plan_of, version_decided_on
from pmcycle.access import UserRequest, get_visible
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.errors import Refused


@login_required
@require_http_methods(["GET", "POST"])
def propose(request: UserRequest, pk: int) -> HttpResponse:
    """Write a goal and put it to the other side."""
    return _write(
        request, plan_of(request, pk, of_pair=True), actions.propose, _("Proposed. %(name)s answers next.")
    )


@login_required
@require_POST
def draft(request: UserRequest, pk: int) -> HttpResponse:
    """Keep a goal for oneself."""
    return _write(
        request, plan_of(request, pk, of_pair=True), actions.draft, _("Kept. Only you see this draft.")
    )


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: UserRequest, pk: int) -> HttpResponse:
    """Go on with one's draft."""
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
    team = Participation.objects.led_by(request.user).filter(cycle=cycle, state=Participation.State.ACTIVE)
    team = team.select_related("employee", "cycle").order_by("employee__sort_name", "pk")
    if not team.exists():
        raise Http404
    chosen = [int(value) for value in request.POST.getlist("people") if value.isascii() and value.isdigit()][
        :500
    ]
    parents = alignable(team[0], request.user.employee_id).visible_to(request.user)
    form, rows = forms_of(request, GoalForm, {"visibility": Goal.Visibility.LINE}, [], parents=parents)
    problem = ""
    if was_sent(request, form, rows):
        people = list(team.filter(pk__in=[value for value in chosen if value < 2**63]))
        problem = "" if people else _("Choose at least one person.")
        if people and acts(form, lambda: actions.assign(people, form.text(rows), by=request.user)):
            messages.success(
                request, _("Proposed to %(n)s people. Each answers for themselves.") % {"n": len(people)}
            )
            return redirect("home:team")
    context = {
        "cycle": cycle,
        "form": form,
        "rows": rows,
        "team": team[:200],
        "chosen": chosen,
        "problem": problem,
    }
    return render(request, "goals/assign.html", context, status=status_of(request, form, rows, problem))


def _write(request: UserRequest, participation: Any, act: Callable[..., Goal], done: str) -> HttpResponse:
    """The form of a new goal; `?from=` copies an earlier one of the same person."""
    parents = alignable(participation, participation.manager_id).visible_to(request.user)
    initial, key_results = _copied(request, participation)
    initial.setdefault("parent", request.GET.get("parent"))
    form, rows = forms_of(request, GoalForm, initial, key_results, parents=parents)
    if was_sent(request, form, rows) and acts(
        form, lambda: act(participation, form.text(rows), by=request.user)
    ):  # fmt: skip
        messages.success(request, done % {"name": other_of(request, participation)})
        return redirect("goals:of", participation.pk)
    return _form_page(request, participation, form, rows)


def _rewrite(request: UserRequest, pk: int, act: Callable[..., Goal], done: str) -> HttpResponse:
    goal = goal_of_pair(request, pk)
    participation = plan_around(goal)
    if goal.state != Goal.State.DRAFT:
        raise Refused(_("This goal is already: %(state)s.") % {"state": goal.get_state_display()})
    latest = goal.latest
    parents = alignable(participation, participation.manager_id).visible_to(request.user)
    form, rows = forms_of(
        request,
        GoalForm,
        initial_of(latest, goal, goal.version),
        latest.key_results if latest else [],
        parents=parents,
    )
    if was_sent(request, form, rows) and acts(
        form, lambda: act(goal, form.text(rows), version=version_edited(form), by=request.user)
    ):
        messages.success(request, done % {"name": other_of(request, participation)})
        return redirect("goals:of", participation.pk)
    return _form_page(request, participation, form, rows, goal=goal)


def _form_page(
    request: UserRequest, participation: Any, form: GoalForm, rows: KeyResultRows, goal: Goal | None = None
) -> HttpResponse:
    others = Goal.objects.weighing().filter(participation=participation)
    weights = others.values_list("latest__weight", flat=True)
    context = {
        "participation": participation, "form": form, "rows": rows, "goal": goal,
        "other": other_of(request, participation),
        "is_mine": participation.employee_id == request.user.employee_id,
        "rest": balance([w for w in weights if w is not None]).left,
        "earlier": _earlier(participation) if request.method == "GET" and goal is None else [],
    }  # fmt: skip
    return render(request, "goals/propose.html", context, status=status_of(request, form, rows))


def _earlier(participation: Any) -> list[Goal]:
    """Goals of earlier cycles that the person can copy from."""
    rows = Goal.objects.filter(
        participation__employee=participation.employee_id, state__in=[Goal.State.AGREED, Goal.State.CLOSED]
    ).exclude(participation=participation)  # fmt: skip
    return list(rows.select_related("agreed", "cycle").order_by("-pk")[:8])


def _copied(request: UserRequest, participation: Any) -> tuple[dict[str, Any], list[Any]]:
    source = request.GET.get("from", "")
    if not (source.isascii() and source.isdigit()):
        return {}, []
    goal = get_visible(
        Goal.objects.select_related("agreed").filter(participation__employee=participation.employee_id),
        request.user, pk=int(source),
    )  # fmt: skip
    if goal.agreed is None:
        return {}, []
    return {**initial_of(goal.agreed, goal, None), "parent": None}, [
        {**row, "key": ""} for row in goal.agreed.key_results
    ]
