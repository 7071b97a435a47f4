"""The goals of one person on a page."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from feedback.models import ActionItem, thread_of
from goals.cards import card_of, key_results_of
from goals.models import ChangeRequest, Goal, GoalVersion, ProgressUpdate, alignable, readers_of_a_part
from goals.rules import balance, effective_weights, key_result_words
from goals.views.loading import is_of_pair, other_of, with_stage
from pmcycle.access import UserRequest, get_visible
from pmcycle.cycles.models import Cycle, Participation, ParticipationQuerySet, Stage, StageKind
from pmcycle.people.models import User


@login_required
@require_GET
def list_(request: UserRequest) -> HttpResponse:
    """My goals in my newest running cycle."""
    participation = _with_standing(with_stage(Participation.objects.mine(request.user)), request.user).first()
    if participation is None:
        return render(request, "goals/none.html")
    return _page(request, participation)


@login_required
@require_GET
def of(request: UserRequest, pk: int) -> HttpResponse:
    """The same page of one person, for the pair, the line above and HR; a former manager finds their own words."""
    rows = _with_standing(with_stage(readers_of_a_part(request.user)), request.user)
    participation: Any = get_visible(rows, request.user, pk=pk)
    return _page(request, participation) if participation.is_reader else _own_part(request, participation)


def _with_standing(rows: ParticipationQuerySet, user: User) -> ParticipationQuerySet:
    """With the goal score, and what was promised before this cycle and is open still.

    Of promises only the two of the meeting read; the others see none.
    """
    scores = Goal.objects.filter(participation=OuterRef("pk")).scores().values("score")
    promises = ActionItem.objects.visible_to(user).open().filter(stands_in=OuterRef("pk"))
    shown = promises.order_by("due_on", "pk").values(
        row=JSONObject(pk="pk", text="text", owner="owner__name", due_on="due_on")
    )
    return rows.annotate(goal_score=Subquery(scores), open_promises=ArraySubquery(shown[:40]))


def _own_part(request: UserRequest, participation: Participation) -> HttpResponse:
    """What the reader wrote as the manager of then: wordings, reasons for a change, and progress."""
    me = request.user.employee_id
    written = GoalVersion.objects.filter(
        goal__participation=participation, author=me, proposed_at__isnull=False
    ).order_by("goal", "number")
    asked = ChangeRequest.objects.filter(goal__participation=participation, requested_by=me)
    updates = ProgressUpdate.objects.filter(key_result__goal__participation=participation, author=me)
    context = {
        "participation": participation,
        "wordings": [
            (version, [key_result_words(row) for row in version.key_results]) for version in written[:100]
        ],
        "asked": asked.select_related("new").order_by("pk")[:100],
        "updates": updates.select_related("key_result").order_by("-at", "-pk")[:100],
    }
    return render(request, "goals/own_part.html", context)


def _page(request: UserRequest, participation: Any) -> HttpResponse:
    me = request.user.employee_id
    cap = participation.cycle.progress_cap
    of_plan = Goal.objects.for_list().filter(participation=participation).exclude(state=Goal.State.WITHDRAWN)
    goals = list(of_plan.visible_to(request.user).with_parent(request.user).order_by("pk"))
    rows = key_results_of(goals)
    cards = [card_of(goal, rows.get(goal.pk, []), participation, me, cap) for goal in goals]
    weighing = [
        c
        for c in cards
        if c.goal.horizon == Goal.Horizon.CYCLE and c.goal.state != Goal.State.DRAFT and c.weight is not None
    ]
    weights = [c.weight for c in weighing if c.weight is not None]
    found = balance(weights)
    for card, weight in zip(weighing, effective_weights(weights), strict=True):
        card.added = weight - (card.weight or 0)
    agreed = [c for c in weighing if c.goal.state in (Goal.State.AGREED, Goal.State.CLOSED)]
    is_pair = is_of_pair(request, participation)
    is_active = (
        participation.state == Participation.State.ACTIVE and participation.cycle.state == Cycle.State.RUNNING
    )
    mine = participation.employee_id == me
    side = list(alignable(participation, participation.manager_id).visible_to(request.user)[:24])
    waiting = [c for c in cards if c.waits_for_me]
    context = {
        "participation": participation,
        "cycle": participation.cycle,
        "is_mine": mine,
        "is_pair": is_pair,
        "other": other_of(request, participation),
        "may_plan": is_pair and participation.is_planning,
        "may_record": is_pair and is_active,
        "cards": [
            c for c in cards if c.goal.horizon == Goal.Horizon.CYCLE and c.goal.state != Goal.State.DRAFT
        ],
        "beyond": [
            c for c in cards if c.goal.horizon != Goal.Horizon.CYCLE and c.goal.state != Goal.State.DRAFT
        ],
        "drafts": [c for c in cards if c.goal.state == Goal.State.DRAFT],
        "weights": [{"label": c.wording.title, "weight": c.weight} for c in weighing],
        "balance": found,
        "is_agreed": found.is_whole and len(agreed) == len(weighing),
        "score": participation.goal_score,
        "measured": sum(c.progress is not None for c in agreed),
        "agreed": len(agreed),
        "waiting": waiting,
        "unsigned": any(c.may_drop for c in waiting),
        "waits_for_other": [c for c in cards if c.waits_for and not c.waits_for_me],
        "changes": [c for c in cards if c.change_waits_for_me],
        "company": [g for g in side if g.participation_id is None],
        "of_manager": [g for g in side if g.participation_id is not None],
        "promises": [
            {**row, "due_on": date.fromisoformat(row["due_on"])} for row in participation.open_promises
        ],
        "thread": thread_of(participation, StageKind.OBJECTIVES, request.user),
        "stage_open": participation.is_planning,
        "stage_planned": participation.stage_state == Stage.State.PLANNED,
    }
    return render(request, "goals/list.html", context)
