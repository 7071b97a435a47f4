"""One goal on a page: what holds, how it stands, how it came to be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from feedback.models import thread_of
from goals.cards import card_of, charts_of, effect_of, history_of, key_results_of, published_card
from goals.forms import owner_label
from goals.models import ChangeRequest, Goal, ProgressUpdate, Signature
from goals.rules import AUTHORSHIP_WORDS, authorship
from goals.views.loading import is_of_pair, other_of
from pmcycle.access import UserRequest, get_visible
from pmcycle.cycles.models import Cycle, Participation, StageKind


@login_required
@require_GET
def detail(request: UserRequest, pk: int) -> HttpResponse:
    """One goal: what holds, how it stands, how it came to be, what it contributes to."""
    goals = Goal.objects.for_list().with_plan().with_parent(request.user).for_detail(request.user)
    return _detail(request, get_visible(goals, request.user, pk=pk))


def _detail(request: UserRequest, goal: Any) -> HttpResponse:
    participation = goal.participation
    if participation is not None:
        participation.manager_id, participation.manager_name = goal.manager_id, goal.manager_name
    me = request.user.employee_id
    cap = goal.cycle.progress_cap
    rows = key_results_of([goal]).get(goal.pk, [])
    signed = Signature.objects.filter(version=OuterRef("pk")).order_by("pk")
    versions = list(
        goal.versions.select_related("author")
        .annotate(
            signed=ArraySubquery(
                signed.values(
                    row=JSONObject(side="side", signer="signer", name="signer__name", at="at")
                )
            )
        )
        .order_by("number")
    )
    changes = _changes(goal, versions) if goal.is_followed else []
    updates = list(
        ProgressUpdate.objects.visible_to(request.user)
        .filter(key_result__goal=goal)
        .select_related("author", "key_result")
        .order_by("-at", "-pk")[:100]
    )
    card = (
        card_of(goal, rows, participation, me, cap)
        if participation
        else published_card(goal, rows, cap)
    )
    is_pair = participation is not None and is_of_pair(request, participation)
    runs = goal.cycle.state == Cycle.State.RUNNING
    may_edit = is_pair and runs and participation.state == Participation.State.ACTIVE
    opened = next((c for c in changes if c.state == ChangeRequest.State.OPEN), None)
    is_of_company = participation is None and request.user.standing.is_hr_admin
    may_align = (may_edit or (is_of_company and runs)) and goal.state in (
        Goal.State.PROPOSED,
        Goal.State.AGREED,
    )
    author = authorship(
        [(v.number, v.author_id) for v in versions],
        [(v.number, s["signer"], s["side"]) for v in versions for s in v.signed],
    )
    may_record = (may_edit or (is_of_company and runs)) and goal.state == Goal.State.AGREED
    other = other_of(request, participation) if participation else ""
    context = {
        "goal": goal,
        "card": card,
        "way": _way(goal),
        "owner": owner_label(goal),
        "other": other,
        "may_answer": is_pair and goal.is_planning and card.waits_for_me,
        "may_change": may_edit
        and goal.state == Goal.State.AGREED
        and goal.measured_on is None
        and opened is None,
        "may_record": may_record,
        "may_align": may_align,
        "may_republish": is_of_company and runs and goal.state == Goal.State.AGREED,
        "change": opened,
        "change_title": _change_title(opened, me, other) if opened else "",
        "change_is_mine": opened is not None and opened.new.author_id == me,
        "may_answer_change": is_pair and may_record,
        "changes": [c for c in changes if c is not opened],
        "effect": effect_of(goal, opened, rows, cap) if opened and participation else None,
        "history": history_of(versions, goal),
        "authorship": AUTHORSHIP_WORDS.get(author or "") if goal.is_followed else "",
        "updates": updates,
        "charts": charts_of(rows, updates),
        "thread": thread_of(participation, StageKind.OBJECTIVES, request.user) if is_pair else None,
    }
    return render(request, "goals/detail.html", context)


def _way(goal: Any) -> tuple[str, str]:
    """From where one comes to this goal: words and address."""
    if goal.participation is None:
        return _("The organisation's goals"), reverse("goals:company", args=[goal.cycle_id])
    words = _("Goals of %(name)s") % {"name": goal.participation.employee.name}
    if goal.is_followed:
        return words, reverse("goals:of", args=[goal.participation_id])
    return words, reverse("home:person", args=[goal.participation.employee_id])


def _change_title(change: ChangeRequest, me: int | None, other: str) -> str:
    if change.new.author_id == me:
        return _("Your change waits for %(name)s") % {"name": other}
    return _("%(name)s asks for a change") % {
        "name": change.new.author.name if change.new.author else ""
    }


def _changes(goal: Any, versions: Sequence[Any]) -> list[Any]:
    """The change requests that came with the goal, with the wordings they name."""
    wordings = {version.pk: version for version in versions}
    changes = []
    for row in goal.changes:
        change: Any = ChangeRequest(
            pk=row["pk"],
            goal=goal,
            old=wordings[row["old_id"]],
            new=wordings[row["new_id"]],
            reason=row["reason"],
            explanation=row["explanation"],
            state=row["state"],
            lapses_on=date.fromisoformat(row["lapses_on"]),
            ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
            version=row["version"],
        )
        change.requested_name = row["requested_name"]
        changes.append(change)
    return changes
