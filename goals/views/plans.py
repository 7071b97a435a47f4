"""The goals of one person on a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from feedback.models import ActionItem, thread_of
from goals.cards import Card, acts_of, card_of, key_results_of_plan
from goals.models import (
    ChangeRequest,
    Goal,
    GoalQuerySet,
    GoalVersion,
    ProgressUpdate,
    alignable,
    readers_of_a_part,
)
from goals.rules import Balance, balance, effective_weights, key_result_words
from goals.views.loading import is_of_pair, other_of, with_stage
from pmcycle.access import UserRequest, get_visible
from pmcycle.cycles.models import Cycle, Participation, ParticipationQuerySet, Stage, StageKind
from pmcycle.kept import Kept, any_key, any_moment, any_reader, reads_plainly
from pmcycle.people.models import User

ASIDE = 24  # goals at the side, to which one's own can contribute


@login_required
@require_GET
def list_(request: UserRequest) -> HttpResponse:
    """My goals in my newest running cycle."""
    me = request.user.employee_id
    participation = MINE.first(me=me, at=timezone.now()) if me else None
    if participation is None:
        return render(request, "goals/none.html")
    return _page(request, participation)


@login_required
@require_GET
def of(request: UserRequest, pk: int) -> HttpResponse:
    """The same page of one person, for the pair, the line above and HR; a former manager finds their own words."""
    rows = _with_standing(with_stage(readers_of_a_part(request.user)), request.user)
    participation: Any = get_visible(rows, request.user, pk=pk)
    return (
        _page(request, participation)
        if participation.is_reader
        else _own_part(request, participation)
    )


def _mine(me: int, at: datetime) -> ParticipationQuerySet:
    reader = any_reader(me)
    return _with_standing(with_stage(Participation.objects.mine(reader), at), reader)[:1]


def _goals(reader: User, participation: int) -> GoalQuerySet:
    """The goals of a participation that `reader` may see."""
    of_plan = (
        Goal.objects.for_list()
        .filter(participation=participation)
        .exclude(state=Goal.State.WITHDRAWN)
    )
    return of_plan.visible_to(reader).with_parent(reader).order_by("pk")


def _side(reader: User, cycle: int, manager: int | None) -> GoalQuerySet:
    """What the goals can contribute to, as far as `reader` may see it."""
    return alignable(cycle, manager).visible_to(reader)[:ASIDE]


# Of whoever holds no role, as everybody but a few; what those few may see is asked anew for each.
MINE: Kept[Participation] = Kept(_mine, me=any_key, at=any_moment)
GOALS: Kept[Goal] = Kept(
    lambda me, user, unit, participation: _goals(
        any_reader(me, user=user, unit=unit), participation
    ),
    me=any_key,
    user=any_key,
    unit=any_key,
    participation=any_key,
)
SIDE: Kept[Goal] = Kept(
    lambda me, unit, user, cycle, manager: _side(
        any_reader(me, user=user, unit=unit), cycle, manager
    ),
    me=any_key,
    user=any_key,
    unit=any_key,
    cycle=any_key,
    manager=any_key,
)


def _goals_and_side(user: User, participation: Any) -> tuple[list[Goal], list[Goal]]:
    """The goals of a plan, and what they can contribute to."""
    pk, cycle, manager = participation.pk, participation.cycle_id, participation.manager_id
    if not reads_plainly(user):
        return list(_goals(user, pk)), list(_side(user, cycle, manager))
    reader = {"me": user.employee_id, "user": user.pk, "unit": vars(user.employee)["unit_id"]}
    goals = list(GOALS(**reader, participation=pk))
    return goals, list(SIDE(**reader, cycle=cycle, manager=manager or 0))


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
    updates = ProgressUpdate.objects.filter(
        key_result__goal__participation=participation, author=me
    )
    name = participation.employee.name
    context = {
        "participation": participation,
        "title": _("Your words on the goals of %(name)s") % {"name": name},
        "wordings": [
            (version, [key_result_words(row) for row in version.key_results])
            for version in written[:100]
        ],
        "asked": asked.select_related("new").order_by("pk")[:100],
        "updates": updates.select_related("key_result").order_by("-at", "-pk")[:100],
    }
    return render(request, "goals/own_part.html", context)


def _page(request: UserRequest, participation: Any) -> HttpResponse:
    me = request.user.employee_id
    cap = participation.cycle.progress_cap
    goals, side = _goals_and_side(request.user, participation)
    rows = key_results_of_plan(participation.pk)
    cards = [card_of(goal, rows.get(goal.pk, []), participation, me, cap) for goal in goals]
    weighing, found = _weighed(cards)
    agreed = [c for c in weighing if c.goal.state in (Goal.State.AGREED, Goal.State.CLOSED)]
    is_pair = is_of_pair(request, participation)
    is_active = (
        participation.state == Participation.State.ACTIVE
        and participation.cycle.state == Cycle.State.RUNNING
    )
    mine = participation.employee_id == me
    may_plan = is_pair and participation.is_planning
    for card in cards:
        card.acts = acts_of(card, may_plan=may_plan, may_record=is_active) if is_pair else ""
    waiting = [c for c in cards if c.waits_for_me]
    of_manager = [g for g in side if g.participation_id is not None]
    is_agreed = found.is_whole and len(agreed) == len(weighing)
    context = {
        "participation": participation,
        "cycle": participation.cycle,
        "is_mine": mine,
        "is_pair": is_pair,
        "other": other_of(request, participation),
        "title": _("My goals")
        if mine
        else _("Goals of %(name)s") % {"name": participation.employee.name},
        "set_title": _set_title(cards, waiting, found, is_agreed=is_agreed),
        "no_goals": _no_goals(participation, is_mine=mine, may_plan=may_plan),
        "may_plan": may_plan,
        "may_record": is_pair and is_active,
        "cards": [
            c
            for c in cards
            if c.goal.horizon == Goal.Horizon.CYCLE and c.goal.state != Goal.State.DRAFT
        ],
        "beyond": [
            c
            for c in cards
            if c.goal.horizon != Goal.Horizon.CYCLE and c.goal.state != Goal.State.DRAFT
        ],
        "drafts": [c for c in cards if c.goal.state == Goal.State.DRAFT],
        "weights": [{"label": c.wording.title, "weight": c.weight} for c in weighing],
        "balance": found,
        "is_due": participation.is_planning and not is_agreed,
        "score": participation.goal_score,
        "measured": sum(c.progress is not None for c in agreed),
        "agreed": len(agreed),
        "waiting": waiting,
        "unsigned": any(c.may_drop for c in waiting),
        "company": [g for g in side if g.participation_id is None],
        "of_manager": of_manager,
        "manager_title": _whose(of_manager, me),
        "promises": [
            {**row, "due_on": date.fromisoformat(row["due_on"])}
            for row in participation.open_promises
        ],
        "thread": thread_of(participation, StageKind.OBJECTIVES, request.user),
        "opens_later": bool(waiting) and participation.stage_state == Stage.State.PLANNED,
    }
    return render(request, "goals/list.html", context)


def _weighed(cards: Sequence[Card]) -> tuple[list[Card], Balance]:
    """The goals that weigh, each with what rounding has left for it, and how their weights stand to 100."""
    weighing = [
        c
        for c in cards
        if c.goal.horizon == Goal.Horizon.CYCLE
        and c.goal.state != Goal.State.DRAFT
        and c.weight is not None
    ]
    weights = [c.weight for c in weighing if c.weight is not None]
    for card, weight in zip(weighing, effective_weights(weights), strict=True):
        card.added = weight - (card.weight or 0)
    return weighing, balance(weights)


def _no_goals(participation: Any, *, is_mine: bool, may_plan: bool) -> str:
    """What to know where there are no goals yet."""
    if may_plan and is_mine:
        return _(
            "Three to five goals are enough. Start from a goal at the side, or from what you would like to be"
            " proud of at the end."
        )
    if may_plan:
        return _(
            "A goal that people wrote themselves is reached more often. Ask for a proposal, or start with one."
        )
    if participation.cycle.state == Cycle.State.RUNNING:
        return _(
            "Goals are proposed while the objectives stage is open. If it is over, ask HR for more time for it."
        )
    return _("Goals are proposed while the objectives stage is open.")


def _set_title(
    cards: Sequence[Card], waiting: Sequence[Card], found: Balance, *, is_agreed: bool
) -> str:
    """What the set of goals stands at, in one line."""
    if is_agreed:
        return _("The set is agreed")
    if waiting:
        words = ngettext("One goal waits for you", "%(n)d goals wait for you", len(waiting))
        return words % {"n": len(waiting)}
    for card in cards:
        if card.waits_for and not card.waits_for_me:
            return _("Waits for %(name)s") % {"name": card.waits_for}
    if found.is_over:
        return _("The weights come to more than 100")
    return _("The weights do not come to 100 yet")


def _whose(goals: Sequence[Goal], me: int | None) -> str:
    """Whose goals of a manager these are; "" for none."""
    if not goals or goals[0].participation is None:
        return ""
    if goals[0].participation.employee_id == me:
        return _("My own goals")
    return _("%(name)s's goals") % {"name": goals[0].participation.employee.name}
