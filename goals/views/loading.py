"""The rows that the pages of goals stand on, and what a decision on one of them brings along."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Subquery
from django.utils.translation import gettext as _

from goals import actions
from goals.forms import DecisionForm
from goals.models import Goal, may_plan_today, readers
from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.cycles.models import (
    Cycle,
    Participation,
    ParticipationQuerySet,
    Stage,
    StageKind,
    due_day,
)
from pmcycle.errors import Refused


def with_stage(rows: ParticipationQuerySet, at: datetime | None = None) -> ParticipationQuerySet:
    """Participations with what the page of goals reads of them at a moment (now), in one statement."""
    stage = Stage.objects.filter(cycle=OuterRef("cycle"), kind=StageKind.OBJECTIVES)
    return (
        rows.with_manager()
        .select_related("cycle", "employee")
        .annotate(
            stage_state=Subquery(stage.values("state")[:1]),
            stage_opens=Subquery(stage.values("opens_on")[:1]),
            stage_due=due_day(StageKind.OBJECTIVES),
            is_planning=ExpressionWrapper(may_plan_today(now=at), output_field=BooleanField()),
        )
    )


def plan_of(request: UserRequest, pk: int, *, of_pair: bool = False) -> Participation:
    """The participation whose goals the reader may see; `of_pair`: refused to all but the two of it."""
    found: Participation = get_visible(with_stage(readers(request.user)), request.user, pk=pk)
    if of_pair and not is_of_pair(request, found):
        raise PermissionDenied(_("Goals are proposed and agreed by the two whom they concern."))
    if of_pair:
        _refuse_if_over(found.cycle)
    return found


def _refuse_if_over(cycle: Cycle) -> None:
    """No form of a closed cycle is offered: say so before somebody writes into it."""
    if cycle.state != Cycle.State.RUNNING:
        raise Refused(_("This cycle is closed. Everything in it stays readable."))


def refuse_unless_offered(request: UserRequest, participation: Any) -> None:
    """No form is offered where nothing can be planned today: say why before somebody writes into it.

    `participation` is as `with_stage` reads it. What was sent all the same is judged by its action, so that
    the page keeps what was typed.
    """
    if request.method == "GET" and not participation.is_planning:
        actions.refuse_unless_planning(participation)


def is_of_pair(request: UserRequest, participation: Any) -> bool:
    me = request.user.employee_id
    return me is not None and me in (participation.employee_id, participation.manager_id)


def goal_of_pair(request: UserRequest, pk: int) -> Goal:
    """A goal of a pair that the reader may change, with its plan."""
    goals = Goal.objects.for_list().select_related("participation__cycle", "cycle")
    goal = get_editable(goals, request.user, pk=pk)
    if goal.participation_id is None:
        raise Refused(_("A goal of the organisation is not agreed by two people."))
    _refuse_if_over(goal.cycle)
    return goal


def plan_around(goal: Goal) -> Any:
    """The participation of a goal, as the page of its goals knows it."""
    return with_stage(Participation.objects.filter(goals=goal)).get()


def other_of(request: UserRequest, participation: Any) -> str:
    """The other of the two, by name."""
    if request.user.employee_id == participation.employee_id:
        return participation.manager_name or _("your manager")
    return str(participation.employee.name)


def version_decided_on(request: UserRequest) -> int:
    """The version that a decision was made on; without one it is no decision."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise Refused(
            _("This page is too old to decide on. Open it again, read the text, then decide.")
        )
    version: int = form.cleaned_data["version"]
    return version
