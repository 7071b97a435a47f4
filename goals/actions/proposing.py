"""Write a goal and put it to the other side."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from goals.actions.judging import (
    author_of,
    has_signed,
    lock_goal,
    participation_of,
    refuse_if_reworded,
    refuse_unless,
    refuse_unless_all_led,
    refuse_unless_all_plan,
    refuse_unless_planning,
    refuse_unless_running,
    side_of,
    sign,
)
from goals.actions.telling import accounts_of, record_and_tell, tells
from goals.actions.wordings import (
    TEXT,
    GoalText,
    check,
    goal_from,
    latest_of,
    new_version,
    rows_of,
    version_from,
    worded,
)
from goals.models import Goal, GoalVersion, Signature
from pmcycle.activity.actions import Line, record, record_each
from pmcycle.cycles.actions import hold_person
from pmcycle.cycles.models import Participation
from pmcycle.errors import Refused, check_version
from pmcycle.people.models import User


def draft(participation: Participation, text: GoalText, *, by: User) -> Goal:
    """Keep a goal that only its author sees. Refused for leavers and outside a running cycle."""
    with transaction.atomic():
        participation = hold_person(participation.pk)
        refuse_unless_planning(participation)
        goal = _new_goal(participation, text, by)
        record("draft", goal, by=by, about=participation.employee)
        return goal


def edit(goal: Goal, text: GoalText, *, version: int | None, by: User) -> Goal:
    """Change a draft. Raises `Stale` if it was saved meanwhile."""
    with transaction.atomic():
        goal = _rewrite(goal, text, version)
        record("edit", goal, by=by, about=participation_of(goal).employee)
        return goal


def propose(participation: Participation, text: GoalText, *, by: User) -> Goal:
    """Write a goal and put it to the other side; proposing is the author's own signature."""
    with transaction.atomic():
        participation = hold_person(participation.pk)
        refuse_unless_planning(participation)
        goal = _new_goal(participation, text, by)
        _send(goal, participation, by)
        return goal


def propose_draft(goal: Goal, text: GoalText, *, version: int | None, by: User) -> Goal:
    """Put one's draft, as it now reads, to the other side."""
    with transaction.atomic():
        goal = _rewrite(goal, text, version)
        _send(goal, participation_of(goal), by)
        return goal


def assign(participations: Iterable[Participation], text: GoalText, *, by: User) -> list[Goal]:
    """Propose the same goal to several people whom `by` leads; each answers for themselves.

    Refused as a whole if one of them cannot plan now or is not led by `by`, naming the person. A constant
    number of statements whatever the size of the team.
    """
    author = author_of(by)
    with transaction.atomic():
        chosen = Participation.objects.filter(pk__in=[p.pk for p in participations]).order_by("pk")
        # Read once they are ours: in the statement that waits, their cycle is as it was before.
        list(chosen.select_for_update(no_key=True).values_list("pk"))
        people = list(chosen.select_related("employee", "cycle"))
        refuse_unless_all_plan(people)
        refuse_unless_all_led(people, by)
        for cycle in {p.cycle for p in people}:
            check(text, cycle, weighs=text.horizon == Goal.Horizon.CYCLE)
        now = timezone.now()
        goals = Goal.objects.bulk_create(
            goal_from(text, participation, by) for participation in people
        )
        versions = GoalVersion.objects.bulk_create(
            version_from(goal, text, author, proposed_at=now) for goal in goals
        )
        Signature.objects.bulk_create(
            Signature(version=version, side=Signature.Side.MANAGER, signer=author)
            for version in versions
        )
        for goal, version in zip(goals, versions, strict=True):
            goal.latest, goal.state = version, Goal.State.PROPOSED
        Goal.objects.bulk_update(goals, ["latest", "state"])
        accounts = accounts_of(p.employee_id for p in people)
        title = _("%(name)s proposed a goal") % {"name": by.name}
        lines = []
        for goal, participation in zip(goals, people, strict=True):
            url, key = (
                reverse("goals:of", args=[participation.pk]),
                f"goals.proposed:{goal.latest_id}",
            )
            told = tells([accounts.get(participation.employee_id)], title, url, key)
            lines.append(Line(goal, participation.employee_id, told, {"number": 1}))
        record_each("propose", lines, by=by)
        return goals


def withdraw(goal: Goal, *, version: int | None, by: User) -> Goal:
    """Take back a draft, or a proposal whose newest wording is one's own side's.

    What came over from an earlier cycle and nobody has signed is dropped by either side; it does not come again.
    """
    with transaction.atomic():
        goal = lock_goal(goal)
        refuse_unless(goal, Goal.State.DRAFT, Goal.State.PROPOSED)
        participation = participation_of(goal)
        refuse_unless_running(participation)
        refuse_if_reworded(goal, version)
        is_known = goal.state == Goal.State.PROPOSED
        side = side_of(participation, by)
        if is_known and latest_of(goal).signatures.exists() and not has_signed(goal, side):
            raise Refused(_("This wording is the other side's. Counter it, or talk about it."))
        goal.state = Goal.State.WITHDRAWN
        goal.version += 1
        goal.save(update_fields=["state", "version"])
        if is_known:
            record_and_tell(
                "withdraw",
                goal,
                participation,
                side,
                _("%(name)s took back a goal"),
                key=f"withdrawn:{goal.pk}",
                by=by,
            )
        else:
            record("withdraw", goal, by=by, about=participation.employee)
        return goal


def _new_goal(participation: Participation, text: GoalText, by: User) -> Goal:
    goal = goal_from(text, participation, by)
    goal.save(force_insert=True)
    goal.latest = new_version(goal, text, by, proposed=False)
    goal.save(update_fields=["latest"])
    return goal


def _rewrite(goal: Goal, text: GoalText, version: int | None) -> Goal:
    """A draft is its author's paper: it is written over, unlike anything the other side has read."""
    goal = lock_goal(goal)
    refuse_unless(goal, Goal.State.DRAFT)
    refuse_unless_planning(participation_of(goal))
    check_version(worded(goal), version, TEXT)
    weighs = text.horizon == Goal.Horizon.CYCLE
    check(text, goal.cycle, weighs=weighs)
    latest = latest_of(goal)
    latest.title, latest.why, latest.due_on = text.title, text.why, text.due_on
    latest.weight = text.weight if weighs else None
    latest.key_results = rows_of(text, [row["key"] for row in latest.key_results])
    goal.horizon, goal.visibility, goal.parent = text.horizon, text.visibility, text.parent
    goal.version += 1
    # Before its wording: the database judges the day by the horizon.
    goal.save(update_fields=["horizon", "visibility", "parent", "version"])
    latest.save(update_fields=["title", "why", "due_on", "weight", "key_results"])
    return goal


def _send(goal: Goal, participation: Participation, by: User) -> None:
    latest = latest_of(goal)
    latest.proposed_at = timezone.now()
    latest.save(update_fields=["proposed_at"])
    side = sign(latest, participation, by)
    goal.state = Goal.State.PROPOSED
    goal.save(update_fields=["state"])
    record_and_tell(
        "propose",
        goal,
        participation,
        side,
        _("%(name)s proposed a goal"),
        key=f"proposed:{latest.pk}",
        by=by,
        number=latest.number,
    )
