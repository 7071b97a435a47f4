"""The form of a wording with its rows of key results, as every page that writes one shows and reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy

from goals.actions import GoalText
from goals.forms import KeyResultFormSet, KeyResultRows, WordingForm
from goals.models import ChangeRequest, Goal, GoalVersion
from goals.rules import MAX_KEY_RESULTS, balance, key_result_words
from goals.views.loading import other_of, plan_around, refuse_unless_offered
from pmcycle.access import UserRequest
from pmcycle.activity.actions import drop_draft
from pmcycle.typed import done, row_number

EMPTY_ROWS = 2
SENT_BACK = gettext_lazy("Sent back. %(name)s answers next.")
# What a page does with the wording that was typed, and with the form that brought it.
Act = Callable[[GoalText, Any], Any]


def version_edited(form: WordingForm) -> int:
    """The version that the person was editing; a form without one counts as the oldest."""
    return form.cleaned_data.get("version") or 0


def forms_of(
    request: UserRequest,
    form_class: type[WordingForm],
    initial: Mapping[str, Any],
    key_results: Sequence[Any],
    **kwargs: Any,
) -> tuple[Any, Any]:
    """The form of a goal and the formset of its key results; bound when something was sent."""
    posted = request.POST.copy() if request.method == "POST" else None
    if posted is not None and posted.get("add_row"):
        total = row_number(posted.get("kr-TOTAL_FORMS"))
        if total is not None and total < MAX_KEY_RESULTS:
            posted["kr-TOTAL_FORMS"] = str(total + 1)
    form = form_class(posted, initial=dict(initial), **kwargs)
    blanks: list[dict[str, Any]] = [{} for _n in range(1 if key_results else EMPTY_ROWS)]
    start = [*(_as_initial(row) for row in key_results), *blanks][:MAX_KEY_RESULTS]
    return form, KeyResultFormSet(posted, initial=start if posted is None else None, prefix="kr")


def carried_out(
    request: UserRequest, form: WordingForm, rows: KeyResultRows, act: Act, *, draft: str
) -> bool:
    """Whether the form was sent for good, is well-formed, and `act` did it; then its draft is dropped.

    A rule about one field becomes that field's error. "Add a row" only shows the form again.
    """
    if not _is_sent(request) or not form.is_valid() & rows.is_valid():
        return False
    if not done(form, lambda: act(form.text(rows), form)):
        return False
    drop_draft(request.user, draft)
    return True


def _as_initial(row: Any) -> dict[str, Any]:
    """A stored key result for its form: its figures as numbers, so that they are written in the reader's language."""
    figures = {name: row.get(name) for name in ("start", "target", "low", "high")}
    return {
        **row,
        **{name: None if value is None else Decimal(value) for name, value in figures.items()},
    }


def status_of(request: UserRequest) -> int:
    """Of the page with the form: what was sent for good and is shown again was not taken."""
    return 422 if _is_sent(request) else 200


def _is_sent(request: UserRequest) -> bool:
    return request.method == "POST" and not request.POST.get("add_row")


def initial_of(
    wording: GoalVersion | None, goal: Goal | None, version: int | None
) -> dict[str, Any]:
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
    form_class: type[WordingForm],
    wording: GoalVersion | None,
    version: int,
    act: Act,
    said: Any,
    template: str,
    change: ChangeRequest | None = None,
) -> HttpResponse:
    """Another wording beside the one that is known; `said` is said afterwards, with the name of the other."""
    participation = plan_around(goal)
    if goal.state == Goal.State.PROPOSED:
        refuse_unless_offered(request, participation)
    weighs = goal.horizon == Goal.Horizon.CYCLE
    initial = {**initial_of(wording, None, version), "horizon": goal.horizon}
    form, rows = forms_of(
        request, form_class, initial, wording.key_results if wording else [], weighs=weighs
    )
    draft = f"goal-{goal.pk}-reworded"
    if carried_out(request, form, rows, act, draft=draft):
        messages.success(request, said % {"name": other_of(request, participation)})
        return redirect("goals:detail", goal.pk)
    others = Goal.objects.weighing().filter(participation=participation).exclude(pk=goal.pk)
    weights = [w for w in others.values_list("latest__weight", flat=True) if w is not None]
    context = {
        "goal": goal,
        "wording": wording,
        "form": form,
        "rows": rows,
        "other": other_of(request, participation),
        "participation": participation,
        "change": change,
        "rest": balance(weights).left,
        "draft_key": draft,
        "words": [key_result_words(row) for row in (wording.key_results if wording else [])],
    }
    return render(request, template, context, status=status_of(request))
