"""Write a goal and put it to the other side."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from goals.actions.judging import (
    has_signed,
    lock_goal,
    lock_participation,
    participation_of,
    refuse_if_reworded,
    refuse_unless,
    refuse_unless_planning,
    refuse_unless_running,
    side_of,
    sign,
)
from goals.actions.telling import tell_other
from goals.actions.wordings import TEXT, GoalText, check, latest_of, new_version, rows_of, worded
from goals.models import Goal
from pmcycle.activity.actions import Tell, record
from pmcycle.cycles.models import Participation
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import User


def draft(participation: Participation, text: GoalText, *, by: User) -> Goal:
    """Keep a goal that only its author sees. Refused for leavers and outside a running cycle."""
    with transaction.atomic():
        participation = lock_participation(participation)
        refuse_unless_planning(participation)
        goal = _new_goal(participation, text, by)
        record("draft", goal, by=by, about=participation.employee)
        return goal


def edit(goal: Goal, text: GoalText, *, version: int | None, by: User) -> Goal:
    """Change a draft. Raises `Stale` if it was saved meanwhile."""
    with transaction.atomic():
        goal = lock_goal(goal)
        refuse_unless(goal, Goal.State.DRAFT)
        refuse_unless_planning(participation_of(goal))
        check_version(worded(goal), version, TEXT)
        _rewrite_draft(goal, text)
        record("edit", goal, by=by, about=participation_of(goal).employee)
        return goal


def propose(participation: Participation, text: GoalText, *, by: User) -> Goal:
    """Write a goal and put it to the other side; proposing is the author's own signature."""
    with transaction.atomic():
        participation = lock_participation(participation)
        refuse_unless_planning(participation)
        goal = _new_goal(participation, text, by)
        _send(goal, participation, by)
        return goal


def propose_draft(goal: Goal, text: GoalText, *, version: int | None, by: User) -> Goal:
    """Put one's draft, as it now reads, to the other side."""
    with transaction.atomic():
        goal = lock_goal(goal)
        refuse_unless(goal, Goal.State.DRAFT)
        refuse_unless_planning(participation_of(goal))
        check_version(worded(goal), version, TEXT)
        _rewrite_draft(goal, text)
        _send(goal, participation_of(goal), by)
        return goal


def assign(participations: Iterable[Participation], text: GoalText, *, by: User) -> list[Goal]:
    """Propose the same goal to several people; each answers for themselves.

    Refused as a whole if one of them cannot plan now, naming the person.
    """
    goals = []
    with transaction.atomic():
        for participation in sorted(participations, key=lambda p: p.pk):
            try:
                goals.append(propose(participation, text, by=by))
            except Invalid:
                raise
            except Refused as refused:
                raise Refused(f"{participation.employee.name}: {refused.reason}") from refused
    return goals


def withdraw(goal: Goal, *, version: int | None, by: User) -> Goal:
    """Take back a draft, or a proposal whose newest wording is one's own side's."""
    with transaction.atomic():
        goal = lock_goal(goal)
        refuse_unless(goal, Goal.State.DRAFT, Goal.State.PROPOSED)
        participation = participation_of(goal)
        refuse_unless_running(participation)
        refuse_if_reworded(goal, version)
        notify: list[Tell] = []
        if goal.state == Goal.State.PROPOSED:
            side = side_of(participation, by)
            if not has_signed(goal, side):
                raise Refused(_("This wording is the other side's. Counter it, or talk about it."))
            notify = tell_other(
                participation, side, _("%(name)s took back a goal"), by, goal, f"goals.withdrawn:{goal.pk}"
            )
        goal.state = Goal.State.WITHDRAWN
        goal.version += 1
        goal.save(update_fields=["state", "version"])
        record("withdraw", goal, by=by, about=participation.employee, notify=notify)
        return goal


def _new_goal(participation: Participation, text: GoalText, by: User) -> Goal:
    goal = Goal.objects.create(
        participation=participation, cycle_id=participation.cycle_id, horizon=text.horizon,
        visibility=text.visibility, parent=text.parent, created_by=by,
    )  # fmt: skip
    goal.latest = new_version(goal, text, by, proposed=False)
    goal.save(update_fields=["latest"])
    return goal


def _rewrite_draft(goal: Goal, text: GoalText) -> None:
    """A draft is its author's paper: it is written over, unlike anything the other side has read."""
    weighs = text.horizon == Goal.Horizon.CYCLE
    check(text, weighs=weighs)
    latest = latest_of(goal)
    latest.title, latest.why, latest.due_on = text.title, text.why, text.due_on
    latest.weight = text.weight if weighs else None
    latest.key_results = rows_of(text, [row["key"] for row in latest.key_results])
    latest.save(update_fields=["title", "why", "due_on", "weight", "key_results"])
    goal.horizon, goal.visibility, goal.parent = text.horizon, text.visibility, text.parent
    goal.version += 1
    goal.save(update_fields=["horizon", "visibility", "parent", "version"])


def _send(goal: Goal, participation: Participation, by: User) -> None:
    latest = latest_of(goal)
    latest.proposed_at = timezone.now()
    latest.save(update_fields=["proposed_at"])
    side = sign(latest, participation, by)
    goal.state = Goal.State.PROPOSED
    goal.save(update_fields=["state"])
    record(
        "propose", goal, by=by, about=participation.employee, number=latest.number,
        notify=tell_other(
            participation, side, _("%(name)s proposed a goal"), by, goal, f"goals.proposed:{latest.pk}"
        ),
    )  # fmt: skip
