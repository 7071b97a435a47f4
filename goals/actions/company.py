"""Goals of the organisation and its units, and what contributes to what."""

from __future__ import annotations

from dataclasses import replace

from django.db import connection, transaction
from django.utils.translation import gettext as _

from goals.actions.judging import author_of, refuse_if_reworded, refuse_unless
from goals.actions.wordings import GoalText, check, new_version, put_in_force
from goals.models import Goal
from goals.rules import makes_loop
from pmcycle.activity.actions import record
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Invalid, Refused
from pmcycle.people.models import Unit, User

ALIGNMENT_LOCK = 7301


def align(goal: Goal, parent: Goal | None, *, version: int | None, by: User) -> Goal:
    """Say to which goal this one contributes; not part of the signed text. Refuses loops."""
    with transaction.atomic():
        # Two alignments could each be harmless and close a ring together: one at a time.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ALIGNMENT_LOCK])
        goal = Goal.objects.select_for_update(of=("self",)).select_related("latest").get(pk=goal.pk)
        refuse_unless(goal, Goal.State.PROPOSED, Goal.State.AGREED)
        refuse_if_reworded(goal, version)
        if parent is not None and makes_loop(goal.pk, parent.pk, _line_above(parent)):
            raise Invalid("parent", _("That goal already contributes to this one; it cannot be both."))
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
        cycle = Cycle.objects.select_for_update().get(pk=cycle.pk)
        if cycle.state in (Cycle.State.CLOSED, Cycle.State.ARCHIVED):
            raise Refused(_("This cycle is closed."))
        check(text, weighs=False)
        goal = Goal.objects.create(
            cycle=cycle,
            unit=unit,
            horizon=text.horizon,
            visibility=Goal.Visibility.EVERYONE,
            parent=text.parent,
            created_by=by,
        )
        goal.latest = new_version(goal, replace(text, weight=None), by, proposed=True)
        put_in_force(goal)
        goal.save(update_fields=["latest", "agreed", "state", "version"])
        record("publish", goal, by=by, author=author.pk)
        return goal


def _line_above(goal: Goal) -> dict[int, int | None]:
    """Goal and parent, from `goal` up to the top, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE up AS (SELECT id, parent_id FROM goals_goal WHERE id = %s UNION "
            "SELECT g.id, g.parent_id FROM goals_goal g JOIN up ON g.id = up.parent_id) SELECT id, parent_id FROM up",
            [goal.pk],
        )
        return dict(cursor.fetchall())
