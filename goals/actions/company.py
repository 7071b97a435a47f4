"""Goals of the organisation and its units, and what contributes to what."""

from __future__ import annotations

from dataclasses import replace

from django.db import connection, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from goals.actions.judging import author_of, refuse_if_reworded, refuse_unless
from goals.actions.telling import accounts_of, tells
from goals.actions.wordings import (
    IN_FORCE,
    TEXT,
    GoalText,
    as_stored,
    check,
    latest_of,
    new_version,
    put_in_force,
    stored,
    worded,
)
from goals.models import Goal
from goals.rules import makes_loop
from pmcycle.activity.actions import record
from pmcycle.cycles.actions import hold_taking_part
from pmcycle.cycles.models import Assignment, Cycle, Participation
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import Unit, User

ALIGNMENT_LOCK = 7301


def align(goal: Goal, parent: Goal | None, *, version: int | None, by: User) -> Goal:
    """Say to which goal this one contributes; not part of the signed text. Refuses loops."""
    with transaction.atomic():
        # Two alignments could each be harmless and close a ring together: one at a time.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ALIGNMENT_LOCK])
        goal = (
            Goal.objects.select_for_update(of=("self",))
            .select_related("latest", "cycle")
            .get(pk=goal.pk)
        )
        if goal.cycle.state in (Cycle.State.CLOSED, Cycle.State.ARCHIVED):
            raise Refused(_("This cycle is closed."))
        if goal.participation_id is not None:
            hold_taking_part(goal.participation_id)
        refuse_unless(goal, Goal.State.PROPOSED, Goal.State.AGREED)
        refuse_if_reworded(goal, version)
        if parent is not None and makes_loop(goal.pk, parent.pk, _line_above(parent)):
            raise Invalid(
                "parent", _("That goal already contributes to this one; it cannot be both.")
            )
        goal.parent = parent
        goal.version += 1
        goal.save(update_fields=["parent", "version"])
        about = goal.participation.employee if goal.participation else None
        record("align", goal, by=by, about=about, parent=parent.pk if parent else None)
        return goal


def publish(cycle: Cycle, text: GoalText, *, unit: Unit | None, by: User) -> Goal:
    """A goal of the organisation, or of a unit, in force at once and open to all."""
    author = author_of(by)
    with transaction.atomic():
        cycle = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        if cycle.state in (Cycle.State.CLOSED, Cycle.State.ARCHIVED):
            raise Refused(_("This cycle is closed."))
        check(text, cycle, weighs=False)
        goal = Goal.objects.create(
            cycle=cycle,
            unit=unit,
            horizon=text.horizon,
            visibility=Goal.Visibility.EVERYONE,
            parent=text.parent,
            created_by=by,
        )
        goal.latest = new_version(goal, replace(text, weight=None), by, proposed=True)
        put_in_force(goal, cycle)
        goal.save(update_fields=["latest", *IN_FORCE])
        record("publish", goal, by=by, author=author.pk)
        return goal


def republish(goal: Goal, text: GoalText, *, version: int | None, by: User) -> Goal:
    """Put another wording of a published goal in force; the old one keeps the time in which it held.

    Those whose goals contribute to it, and their managers, are told: they may want to ask for a change.
    """
    with transaction.atomic():
        goal = (
            Goal.objects.select_for_update(of=("self",))
            .select_related("latest", "agreed", "cycle")
            .get(pk=goal.pk)
        )
        if goal.participation_id is not None:
            raise Refused(_("A goal of two people changes when both agree."))
        refuse_unless(goal, Goal.State.AGREED)
        if goal.cycle.state in (Cycle.State.CLOSED, Cycle.State.ARCHIVED):
            raise Refused(_("This cycle is closed."))
        check_version(worded(goal), version, TEXT)
        text = replace(text, horizon=goal.horizon, weight=None)
        if stored(latest_of(goal)) == as_stored(text):
            raise Invalid("title", _("You changed nothing."))
        goal.latest = new_version(goal, text, by, proposed=True)
        put_in_force(goal, goal.cycle)
        goal.save(update_fields=["latest", *IN_FORCE])
        title = _("A goal to which one of yours or of your team contributes has another wording")
        url = reverse("goals:detail", args=[goal.pk])
        told = tells(
            _contributors(goal).values(), title, url, f"goals.republished:{goal.latest.pk}"
        )
        record("republish", goal, by=by, number=goal.latest.number, notify=told)
        return goal


def _contributors(goal: Goal) -> dict[int, int]:
    """The accounts of those whose goals contribute to this one, and of who leads them today."""
    below = Goal.objects.shared().filter(parent=goal).exclude(state=Goal.State.CLOSED)
    people = Participation.objects.filter(pk__in=below.values("participation"))
    led = Assignment.objects.current().filter(participation__in=people)
    return accounts_of(
        [*people.values_list("employee", flat=True), *led.values_list("manager", flat=True)]
    )


def _line_above(goal: Goal) -> dict[int, int | None]:
    """Goal and parent, from `goal` up to the top, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE up AS (SELECT id, parent_id FROM goals_goal WHERE id = %s UNION "
            "SELECT g.id, g.parent_id FROM goals_goal g JOIN up ON g.id = up.parent_id) SELECT id, parent_id FROM up",
            [goal.pk],
        )
        return dict(cursor.fetchall())
