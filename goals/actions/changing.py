"""Change what is agreed: ask, counter, accept, decline, take back, lapse."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from goals.actions.judging import (
    author_of,
    lock_goal,
    participation_of,
    refuse_if_reworded,
    refuse_unless,
    refuse_unless_running,
    side_of,
    sign,
    weights_of,
)
from goals.actions.measuring import refuse_if_measured
from goals.actions.telling import accounts_of, record_and_tell, tells
from goals.actions.wordings import (
    IN_FORCE,
    TEXT,
    GoalText,
    agreed_of,
    as_stored,
    new_version,
    put_in_force,
    stored,
    worded,
)
from goals.models import ChangeRequest, Goal
from goals.rules import LAPSE_DAYS, balance
from pmcycle.activity.actions import Line, record, record_each
from pmcycle.cycles.models import Participation, day_in
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import User


def request_change(
    goal: Goal, text: GoalText, *, reason: str, explanation: str, version: int | None, by: User
) -> ChangeRequest:
    """Ask for another wording of an agreed goal; the agreed one stays in force until the other side says yes."""
    with transaction.atomic():
        goal = lock_goal(goal)
        refuse_unless(goal, Goal.State.AGREED)
        participation = participation_of(goal)
        refuse_unless_running(participation)
        refuse_if_measured(participation, goal)
        check_version(worded(goal), version, TEXT)
        if goal.change_requests.filter(state=ChangeRequest.State.OPEN).exists():
            raise Refused(_("There is already a change of this goal waiting for an answer."))
        old = agreed_of(goal)
        text = replace(text, horizon=goal.horizon)
        if stored(old) == as_stored(text):
            raise Invalid("title", _("Nothing is different from what you agreed."))
        new = new_version(goal, text, by, proposed=True)
        goal.version += 1
        goal.save(update_fields=["version"])
        side = sign(new, participation, by)
        change = ChangeRequest.objects.create(
            goal=goal,
            old=old,
            new=new,
            reason=reason,
            explanation=explanation,
            requested_by=author_of(by),
            lapses_on=_lapse_day(participation),
        )
        record_and_tell(
            "request_change",
            goal,
            participation,
            side,
            _("%(name)s asks to change an agreed goal"),
            key=f"change:{new.pk}",
            by=by,
            reason=reason,
            number=new.number,
        )
        return change


def counter_change(
    change: ChangeRequest, text: GoalText, *, version: int | None, by: User
) -> ChangeRequest:
    """Answer a change with yet another wording; now the one who asked decides."""
    with transaction.atomic():
        change, goal, participation = _lock_change(change)
        side = _answers(change, participation, by)
        refuse_if_measured(participation, goal)
        check_version(_worded_change(change), version, TEXT)
        text = replace(text, horizon=goal.horizon)
        if stored(change.new) == as_stored(text):
            raise Invalid("title", _("You changed nothing. Accept the change instead."))
        change.new = new_version(goal, text, by, proposed=True)
        change.lapses_on = _lapse_day(participation)
        change.version += 1
        change.save(update_fields=["new", "lapses_on", "version"])
        sign(change.new, participation, by)
        record_and_tell(
            "counter_change",
            goal,
            participation,
            side,
            _("%(name)s answered a change with another wording"),
            key=f"change:{change.new_id}",
            by=by,
            number=change.new.number,
        )
        return change


def accept_change(change: ChangeRequest, *, version: int | None, by: User) -> Goal:
    """Put the changed wording in force; the old one keeps the time in which it held.

    Refused if the agreed weights would come to more than 100.
    """
    with transaction.atomic():
        change, goal, participation = _lock_change(change)
        side = _answers(change, participation, by)
        refuse_if_reworded(change, version)
        refuse_if_measured(participation, goal)
        found = balance(weights_of(participation, instead={goal.pk: change.new.weight}))
        if found.is_over:
            raise Refused(
                _(
                    "With this change the weights come to %(total)s. Counter it with a smaller weight."
                )
                % {"total": format(found.total.normalize(), "f")}
            )
        sign(change.new, participation, by)
        _end(change, ChangeRequest.State.AGREED, by)
        goal.latest = change.new
        put_in_force(goal, participation.cycle)
        goal.save(update_fields=["latest", *IN_FORCE])
        record_and_tell(
            "accept_change",
            goal,
            participation,
            side,
            _("%(name)s agreed to a changed goal"),
            key=f"change_agreed:{change.new_id}",
            by=by,
            number=change.new.number,
        )
        return goal


def decline_change(change: ChangeRequest, *, version: int | None, by: User) -> ChangeRequest:
    """Leave the goal as it was agreed."""
    with transaction.atomic():
        change, goal, participation = _lock_change(change)
        side = _answers(change, participation, by)
        refuse_if_reworded(change, version)
        _end(change, ChangeRequest.State.DECLINED, by)
        record_and_tell(
            "decline_change",
            goal,
            participation,
            side,
            _("%(name)s declined a changed goal"),
            key=f"change_declined:{change.pk}",
            by=by,
        )
        return change


def withdraw_change(change: ChangeRequest, *, version: int | None, by: User) -> ChangeRequest:
    """Take back a change whose newest wording is one's own."""
    with transaction.atomic():
        change, goal, participation = _lock_change(change)
        refuse_if_reworded(change, version)
        if change.new.signatures.filter(side=side_of(participation, by)).exists():
            _end(change, ChangeRequest.State.WITHDRAWN, by)
            record("withdraw_change", goal, by=by, about=participation.employee)
            return change
        raise Refused(_("The newest wording is the other side's. Accept, counter or decline it."))


def _lapse_day(participation: Participation) -> date:
    """The last day on which a change that is written now can be answered, in the cycle's zone."""
    return participation.cycle.local_day(timezone.now()) + timedelta(days=LAPSE_DAYS)


def lapse_changes(on: date | None = None) -> int:
    """End the changes whose last day has passed in their cycle's zone (or by `on`); the agreed goal stays.

    For the clock.

    Three statements and the history, however many lapse. One that somebody is answering just now is
    left to them, or to the next morning.
    """
    with transaction.atomic():
        lapsed = list(
            ChangeRequest.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("goal__participation")
            .filter(
                state=ChangeRequest.State.OPEN,
                lapses_on__lt=on or day_in("goal__cycle"),
                goal__participation__isnull=False,
            )
        )
        ChangeRequest.objects.filter(pk__in=[change.pk for change in lapsed]).update(
            state=ChangeRequest.State.LAPSED, ended_at=timezone.now(), version=F("version") + 1
        )
        accounts = accounts_of(change.requested_by_id for change in lapsed)
        title = _("Nobody answered your change of a goal; it has lapsed")
        lines = []
        for change in lapsed:
            url = reverse("goals:detail", args=[change.goal_id])
            told = tells(
                [accounts.get(change.requested_by_id)], title, url, f"goals.lapsed:{change.pk}"
            )
            lines.append(Line(change.goal, participation_of(change.goal).employee_id, told))
        record_each("lapse_change", lines, by=None)
    return len(lapsed)


def _lock_change(change: ChangeRequest) -> tuple[ChangeRequest, Goal, Participation]:
    goal = lock_goal(change.goal)
    participation = participation_of(goal)
    row = (
        ChangeRequest.objects.select_for_update(of=("self",))
        .select_related("new", "old")
        .get(pk=change.pk)
    )
    refuse_unless_running(participation)
    if row.state != ChangeRequest.State.OPEN or goal.state != Goal.State.AGREED:
        raise Refused(
            _("This change was ended already: %(state)s.") % {"state": row.get_state_display()}
        )
    return row, goal, participation


def _worded_change(change: ChangeRequest) -> ChangeRequest:
    for name in TEXT:
        setattr(change, name, getattr(change.new, name))
    return change


def _answers(change: ChangeRequest, participation: Participation, by: User) -> str:
    """The side of `by`, which must be the one that the change waits for."""
    side = side_of(participation, by)
    if change.new.signatures.filter(side=side).exists():
        raise Refused(_("This wording is yours; it waits for the other side."))
    return side


def _end(change: ChangeRequest, state: str, by: User) -> None:
    change.state, change.ended_at = state, timezone.now()
    change.ended_by = by.employee
    change.version += 1
    change.save(update_fields=["state", "ended_at", "ended_by", "version"])
