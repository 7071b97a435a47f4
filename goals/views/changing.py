"""Change what is agreed."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from goals import actions
from goals.actions import GoalText
from goals.forms import ChangeForm, WordingForm
from goals.models import ChangeRequest, Goal
from goals.views.forms import SENT_BACK, reword, version_edited
from goals.views.loading import goal_of_pair, version_decided_on
from pmcycle.access import UserRequest, get_editable
from pmcycle.errors import Refused


@login_required
@require_http_methods(["GET", "POST"])
def request_change(request: UserRequest, pk: int) -> HttpResponse:
    """Ask for another wording of an agreed goal."""
    goal = goal_of_pair(request, pk)
    if goal.state != Goal.State.AGREED:
        raise Refused(_("Only an agreed goal needs a change request."))
    if request.method == "GET" and goal.participation is not None:
        actions.refuse_if_measured(goal.participation, goal)

    def act(text: GoalText, form: ChangeForm) -> None:
        data = form.cleaned_data
        actions.request_change(
            goal,
            text,
            reason=data["reason"],
            explanation=data["explanation"],
            version=version_edited(form),
            by=request.user,
        )

    done = _("%(name)s is asked. Until then the agreed goal holds.")
    return reword(
        request, goal, ChangeForm, goal.agreed, goal.version, act, done, "goals/request_change.html"
    )


@login_required
@require_http_methods(["GET", "POST"])
def counter_change(request: UserRequest, pk: int) -> HttpResponse:
    """Answer a change with yet another wording."""
    change = _change(request, pk)

    def act(text: GoalText, form: WordingForm) -> None:
        actions.counter_change(change, text, version=version_edited(form), by=request.user)

    return reword(
        request,
        change.goal,
        WordingForm,
        change.new,
        change.version,
        act,
        SENT_BACK,
        "goals/counter.html",
        change,
    )


@login_required
@require_POST
def accept_change(request: UserRequest, pk: int) -> HttpResponse:
    """Put the changed wording in force."""
    change = _change(request, pk)
    actions.accept_change(change, version=version_decided_on(request), by=request.user)
    messages.success(
        request, _("Agreed. The new wording holds from now on; the old one stays in the history.")
    )
    return redirect("goals:detail", change.goal_id)


@login_required
@require_POST
def decline_change(request: UserRequest, pk: int) -> HttpResponse:
    """Leave the goal as it was agreed."""
    change = _change(request, pk)
    actions.decline_change(change, version=version_decided_on(request), by=request.user)
    messages.success(request, _("Declined. The goal holds as it was agreed."))
    return redirect("goals:detail", change.goal_id)


@login_required
@require_POST
def withdraw_change(request: UserRequest, pk: int) -> HttpResponse:
    """Take one's own change back."""
    change = _change(request, pk)
    actions.withdraw_change(change, version=version_decided_on(request), by=request.user)
    messages.success(request, _("Taken back. The goal holds as it was agreed."))
    return redirect("goals:detail", change.goal_id)


def _change(request: UserRequest, pk: int) -> ChangeRequest:
    changes = ChangeRequest.objects.select_related(
        "goal__latest",
        "goal__agreed",
        "goal__participation__employee",
        "new__author",
        "old",
        "requested_by",
    )
    return get_editable(changes, request.user, pk=pk)
