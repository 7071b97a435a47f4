"""Answer a proposal: counter it, or sign it, alone or with the whole set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _

from goals.actions.judging import (
    has_signed,
    lock_goal,
    participation_of,
    refuse_if_reworded,
    refuse_unless,
    refuse_unless_planning,
    side_of,
    sign,
    weights_of,
)
from goals.actions.measuring import refuse_if_measured
from goals.actions.telling import record_and_tell
from goals.actions.wordings import (
    IN_FORCE,
    TEXT,
    GoalText,
    as_stored,
    latest_of,
    new_version,
    put_in_force,
    stored,
    worded,
)
from goals.models import Goal, Signature
from goals.rules import balance
from pmcycle.activity.actions import Line, record_each
from pmcycle.cycles.actions import hold_person
from pmcycle.cycles.models import Participation
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import User


def counter(goal: Goal, text: GoalText, *, version: int | None, by: User) -> Goal:
    """Answer a proposal with another wording, signed by whoever wrote it; the other side decides next."""
    with transaction.atomic():
        goal = lock_goal(goal)
        refuse_unless(goal, Goal.State.PROPOSED)
        participation = participation_of(goal)
        refuse_unless_planning(participation)
        check_version(worded(goal), version, TEXT)
        latest = latest_of(goal)
        text = replace(text, horizon=goal.horizon)
        if stored(latest) == as_stored(text):
            raise Invalid("title", _("You changed nothing. Accept the goal instead."))
        goal.latest = new_version(goal, text, by, proposed=True)
        goal.version += 1
        goal.save(update_fields=["latest", "version"])
        side = sign(goal.latest, participation, by)
        record_and_tell(
            "counter",
            goal,
            participation,
            side,
            _("%(name)s answered a goal with another wording"),
            key=f"countered:{goal.latest.pk}",
            by=by,
            number=goal.latest.number,
        )
        return goal


def accept(goal: Goal, *, version: int | None, by: User) -> Goal:
    """Sign the newest wording; with both signatures the goal is agreed and frozen.

    What came over from an earlier cycle has no signature yet: after the first it waits for the other.
    Refused if the wording changed since it was read, if it is one's own, or if the agreed weights
    would come to more than 100.
    """
    with transaction.atomic():
        goal = lock_goal(goal)
        refuse_unless(goal, Goal.State.PROPOSED)
        participation = participation_of(goal)
        refuse_unless_planning(participation)
        refuse_if_reworded(goal, version)
        refuse_if_measured(participation, goal)
        side = side_of(participation, by)
        if has_signed(goal, side):
            raise Refused(_("You have signed this wording already. It waits for the other side."))
        _within_whole(participation, [goal])
        _agree(goal, participation, by)
        record_and_tell(
            "accept",
            goal,
            participation,
            side,
            _("%(name)s agreed to a goal"),
            key=f"agreed:{goal.latest_id}:{side}",
            by=by,
            number=latest_of(goal).number,
        )
        return goal


def agree_set(participation: Participation, seen: Mapping[int, int], *, by: User) -> list[Goal]:
    """Sign every proposal that waits for `by`, at once; the whole set must come to 100.

    `seen` maps the goals the person read to the version they read; refused if anything else waits
    now, so that nobody signs what they have not seen.
    """
    with transaction.atomic():
        participation = hold_person(participation.pk)
        refuse_unless_planning(participation)
        side = side_of(participation, by)
        proposed = list(
            Goal.objects.select_for_update(of=("self",))
            .select_related("latest")
            .filter(participation=participation, state=Goal.State.PROPOSED)
            .order_by("pk")
        )
        signed = set(
            Signature.objects.filter(
                side=side, version__in=[g.latest_id for g in proposed]
            ).values_list("version", flat=True)
        )
        waiting = [goal for goal in proposed if goal.latest_id not in signed]
        if not waiting:
            raise Refused(_("Nothing waits for your signature."))
        if {goal.pk: goal.version for goal in waiting} != dict(seen):
            raise Refused(
                _("The goals changed since you opened the page. Read them again, then agree.")
            )
        refuse_if_measured(participation, *waiting)
        found = balance(weights_of(participation))
        if not found.is_whole:
            raise Refused(
                _("The weights come to %(total)s, not to 100. Counter a weight first.")
                % {"total": format(found.total.normalize(), "f")}
            )
        for goal in waiting:
            _agree(goal, participation, by)
        accepted = [
            Line(goal, participation.employee_id, data={"number": latest_of(goal).number})
            for goal in waiting
        ]
        record_each("accept", accepted, by=by)
        record_and_tell(
            "agree_set",
            participation,
            participation,
            side,
            _("%(name)s agreed to the goals"),
            key=f"agreed_set:{max(g.latest_id or 0 for g in waiting)}:{side}",
            by=by,
            goals=[g.pk for g in waiting],
        )
        return waiting


def _within_whole(participation: Participation, more: Sequence[Goal]) -> None:
    agreed = (
        Goal.objects.weighing()
        .exclude(state=Goal.State.PROPOSED)
        .filter(participation=participation)
    )
    weights = [w for w in agreed.values_list("agreed__weight", flat=True) if w is not None]
    weights += [
        w
        for g in more
        if g.horizon == Goal.Horizon.CYCLE and (w := latest_of(g).weight) is not None
    ]
    found = balance(weights)
    if found.is_over:
        raise Refused(
            _(
                "With this goal the agreed weights come to %(total)s. Counter it with a smaller weight."
            )
            % {"total": format(found.total.normalize(), "f")}
        )


def _agree(goal: Goal, participation: Participation, by: User) -> None:
    """Sign; the wording holds as soon as both have."""
    latest = latest_of(goal)
    sign(latest, participation, by)
    if latest.signatures.count() == len(Signature.Side):
        put_in_force(goal, participation.cycle)
    else:
        goal.version += 1
    goal.save(update_fields=IN_FORCE)
