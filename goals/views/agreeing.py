"""Answer proposals: counter, accept, agree to the whole set."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from goals import actions
from goals.actions import GoalText
from goals.forms import WordingForm
from goals.models import Goal
from goals.views.forms import SENT_BACK, reword, version_edited
from goals.views.loading import goal_of_pair, plan_of, version_decided_on
from pmcycle.access import UserRequest
from pmcycle.typed import row_number


@login_required
@require_http_methods(["GET", "POST"])
def counter(request: UserRequest, pk: int) -> HttpResponse:
    """Answer a proposal with another wording."""
    goal = goal_of_pair(request, pk)

    def act(text: GoalText, form: WordingForm) -> None:
        actions.counter(goal, text, version=version_edited(form), by=request.user)

    return reword(
        request, goal, WordingForm, goal.latest, goal.version, act, SENT_BACK, "goals/counter.html"
    )


@login_required
@require_POST
def accept(request: UserRequest, pk: int) -> HttpResponse:
    """Sign the wording that was read."""
    goal = goal_of_pair(request, pk)
    done = actions.accept(goal, version=version_decided_on(request), by=request.user)
    if done.state == Goal.State.AGREED:
        messages.success(request, _("Agreed. The text is frozen; a change now takes both of you."))
    else:
        messages.success(request, _("Signed. It holds when the other side has signed it too."))
    return redirect("goals:of", goal.participation_id)


@login_required
@require_POST
def agree_set(request: UserRequest, pk: int) -> HttpResponse:
    """Sign everything that waits for me."""
    participation = plan_of(request, pk, of_pair=True)
    seen = _seen(request.POST.getlist("seen"))
    goals = actions.agree_set(participation, seen, by=request.user)
    waiting = sum(goal.state != Goal.State.AGREED for goal in goals)
    if waiting:
        words = _(
            "Signed %(n)s goals. %(waiting)s of them hold when the other side has signed them too."
        )
    else:
        words = _("Agreed to %(n)s goals. The texts are frozen.")
    messages.success(request, words % {"n": len(goals), "waiting": waiting})
    return redirect("goals:of", participation.pk)


def _seen(values: Sequence[str]) -> dict[int, int]:
    """`goal:version` pairs of what was on the page."""
    found = {}
    for value in values[:200]:
        goal, version = (row_number(part) for part in value.partition(":")[::2])
        if goal is not None and version is not None:
            found[goal] = version
    return found
