"""Measure key results."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from goals import actions
from goals.cards import row_of, standing_at, standing_of
from goals.forms import ProgressForm
from goals.models import Goal, KeyResult
from pmcycle.access import UserRequest, get_editable
from pmcycle.errors import Invalid, Stale


@login_required
@require_http_methods(["GET", "POST"])
def record_progress(request: UserRequest, pk: int) -> HttpResponse:
    """One number, one word of confidence; the row of the page comes back."""
    rows = KeyResult.objects.for_list().select_related(
        "goal__agreed", "goal__participation__employee", "goal__participation__cycle", "goal__cycle"
    )
    key_result = get_editable(rows, request.user, pk=pk)
    form = ProgressForm(
        request.POST or None, key_result=key_result, initial=standing_of(key_result)
    )
    status, note = 200, ""
    if request.method == "POST":
        status = 422
        try:
            if form.is_valid():
                data = {
                    name: form.cleaned_data[name]
                    for name in ("value", "confidence", "note", "link", "version")
                }
                actions.record_progress(key_result, by=request.user, **data)
                if not request.htmx:
                    messages.success(request, _("Recorded."))
                    return redirect(_back(request, key_result.goal))
                key_result = rows.get(pk=pk)
                form, status, note = (
                    ProgressForm(key_result=key_result, initial=standing_of(key_result)),
                    200,
                    "saved",
                )
        except Invalid as error:
            form.add_error(error.field, error.reason)
        except Stale as stale:
            if not request.htmx:
                raise
            key_result, status, note = rows.get(pk=pk), 409, stale.reason
            typed = request.POST.copy()
            typed["version"] = str(stale.version)
            form.data = typed
    cap = key_result.goal.cycle.progress_cap
    context = {
        "row": row_of(key_result, cap, form=form),
        "goal": key_result.goal,
        "note": note,
        "may_record": True,
        "open": status != 200,
    }
    if not request.htmx:
        return render(request, "goals/record_progress.html", context, status=status)
    parts = [
        row.progress
        for row in KeyResult.objects.filter(goal=key_result.goal_id, retired_at__isnull=True)
    ]
    context |= {"standing": standing_at(key_result.goal, parts)}
    return render(
        request, "goals/_key_result.html", {**context, "is_fragment": True}, status=status
    )


def _back(request: UserRequest, goal: Goal) -> str:
    """After recording: the page of the person's goals, or of the company's."""
    if goal.participation_id is None:
        return reverse("goals:detail", args=[goal.pk])
    return reverse("goals:of", args=[goal.participation_id]) + f"#goal-{goal.pk}"
