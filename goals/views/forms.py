"""The form of a wording with its rows of key results, as every page that writes one shows and reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from goals.actions import GoalText
from goals.forms import GoalForm, KeyResultFormSet, KeyResultRows, RewordForm
from goals.models import ChangeRequest, Goal, GoalVersion
from goals.rules import MAX_KEY_RESULTS, balance, key_result_words
from goals.views.loading import other_of, plan_around
from pmcycle.access import UserRequest
from pmcycle.errors import Invalid

EMPTY_ROWS = 2


def version_edited(form: GoalForm) -> int:
    """The version that the person was editing; a form without one counts as the oldest."""
    return form.cleaned_data.get("version") or 0


def forms_of(
    request: UserRequest,
    form_class: type[GoalForm],
    initial: Mapping[str, Any],
    key_results: Sequence[Any],
    **kwargs: Any,
) -> tuple[Any, Any]:
    """The form of a goal and the formset of its key results; bound when something was sent."""
    posted = request.POST.copy() if request.method == "POST" else None
    if posted is not None and posted.get("add_row"):
        total = posted.get("kr-TOTAL_FORMS", "")
        if total.isascii() and total.isdigit() and int(total) < MAX_KEY_RESULTS:
            posted["kr-TOTAL_FORMS"] = str(int(total) + 1)
    form = form_class(posted, initial=dict(initial), **kwargs)
    blanks: list[dict[str, Any]] = [{} for _n in range(1 if key_results else EMPTY_ROWS)]
    start = [*key_results, *blanks][:MAX_KEY_RESULTS]
    return form, KeyResultFormSet(posted, initial=start if posted is None else None, prefix="kr")


def was_sent(request: UserRequest, form: GoalForm, rows: KeyResultRows) -> bool:
    """Whether the form was sent for good and is well-formed; "Add a row" only shows it again."""
    return request.method == "POST" and not request.POST.get("add_row") and form.is_valid() & rows.is_valid()


def status_of(request: UserRequest, form: GoalForm, rows: KeyResultRows, problem: str = "") -> int:
    return 422 if request.method == "POST" and not request.POST.get("add_row") else 200


def acts(form: GoalForm, act: Callable[[], Any]) -> bool:
    """Do it; a rule about one field becomes that field's error."""
    try:
        act()
    except Invalid as error:
        form.add_error(error.field if error.field in form.fields else None, error.reason)
        return False
    return True


def initial_of(wording: GoalVersion | None, goal: Goal | None, version: int | None) -> dict[str, Any]:
    if wording is None:
        return {}
    found: dict[str, Any] = {
        "title": wording.title,
        "why": wording.why,
        "weight": wording.weight,
        "due_on": wording.due_on,
        "version": version,
    }
    if goal is not None:
        found |= {"horizon": goal.horizon, "visibility": goal.visibility, "parent": goal.parent_id}
    return found


def reword(
    request: UserRequest,
    goal: Goal,
    form_class: type[RewordForm],
    wording: GoalVersion | None,
    version: int,
    act: Callable[[GoalText, RewordForm], None],
    template: str,
    change: ChangeRequest | None = None,
) -> HttpResponse:
    """Another wording beside the one that is known."""
    participation = plan_around(goal)
    weighs = goal.horizon == Goal.Horizon.CYCLE
    initial = {**initial_of(wording, None, version), "horizon": goal.horizon}
    form, rows = forms_of(request, form_class, initial, wording.key_results if wording else [], weighs=weighs)
    if was_sent(request, form, rows) and acts(form, lambda: act(form.text(rows), form)):
        return redirect("goals:detail", goal.pk)
    others = Goal.objects.weighing().filter(participation=participation).exclude(pk=goal.pk)
    weights = [w for w in others.values_list("latest__weight", flat=True) if w is not None]
    context = {
        "goal": goal, "wording": wording, "form": form, "rows": rows, "other": other_of(request, participation),
        "participation": participation, "change": change, "rest": balance(weights).left,
        "words": [key_result_words(row) for row in (wording.key_results if wording else [])],
    }  # fmt: skip
    return render(request, template, context, status=status_of(request, form, rows))
