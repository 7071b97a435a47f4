"""Propose, counter, agree, change, measure and close goals.

Every verb locks in the same order: participation, goal, change request or key result. Whoever
judges a set of weights holds the participation, so that two agreements at once are one after the
other.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from goals.models import (
    ChangeRequest,
    Contribution,
    Goal,
    GoalVersion,
    KeyResult,
    ProgressUpdate,
    Signature,
)
from goals.rules import (
    LAPSE_DAYS,
    LIMIT,
    MAX_KEY_RESULTS,
    KeyResultText,
    balance,
    goal_progress,
    key_result_problem,
    makes_loop,
)
from pmcycle.access import today
from pmcycle.activity.actions import Tell, record, tell
from pmcycle.cycles.models import Assignment, Cycle, Extension, Participation, Stage, StageKind
from pmcycle.errors import Invalid, Refused, Stale, check_version
from pmcycle.people.models import Employee, Unit, User

TEXT = ("title", "why", "weight", "due_on")
ALIGNMENT_LOCK = 7301


@dataclass(frozen=True)
class GoalText:
    """A wording of a goal as a person gives it. `weight` is None for goals beyond the cycle."""

    title: str
    why: str = ""
    weight: Decimal | None = None
    due_on: date | None = None
    key_results: Sequence[KeyResultText] = ()
    horizon: str = Goal.Horizon.CYCLE
    visibility: str = Goal.Visibility.LINE
    parent: Goal | None = field(default=None, compare=False)


# --- proposing ----------------------------------------------------------------------------------------


def draft(participation: Participation, text: GoalText, *, by: User) -> Goal:
    """Keep a goal that only its author sees. Refused for leavers and outside a running cycle."""
    with transaction.atomic():
        participation = _lock(participation)
        _may_plan(participation)
        goal = _new_goal(participation, text, by)
        record("draft", goal, by=by, about=participation.employee)
        return goal


def edit(goal: Goal, text: GoalText, *, version: int | None, by: User) -> Goal:
    """Change a draft. Raises `Stale` if it was saved meanwhile."""
    with transaction.atomic():
        goal = _lock_goal(goal)
        _is(goal, Goal.State.DRAFT)
        _may_plan(_of(goal))
        check_version(_worded(goal), version, TEXT)
        _rewrite_draft(goal, text)
        record("edit", goal, by=by, about=_of(goal).employee)
        return goal


def propose(participation: Participation, text: GoalText, *, by: User) -> Goal:
    """Write a goal and put it to the other side; proposing is the author's own signature."""
    with transaction.atomic():
        participation = _lock(participation)
        _may_plan(participation)
        goal = _new_goal(participation, text, by)
        _send(goal, participation, by)
        return goal


def propose_draft(goal: Goal, text: GoalText, *, version: int | None, by: User) -> Goal:
    """Put one's draft, as it now reads, to the other side."""
    with transaction.atomic():
        goal = _lock_goal(goal)
        _is(goal, Goal.State.DRAFT)
        _may_plan(_of(goal))
        check_version(_worded(goal), version, TEXT)
        _rewrite_draft(goal, text)
        _send(goal, _of(goal), by)
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


def counter(goal: Goal, text: GoalText, *, version: int | None, by: User) -> Goal:
    """Answer a proposal with another wording, signed by whoever wrote it; the other side decides next."""
    with transaction.atomic():
        goal = _lock_goal(goal)
        _is(goal, Goal.State.PROPOSED)
        participation = _of(goal)
        _may_plan(participation)
        check_version(_worded(goal), version, TEXT)
        latest = _latest(goal)
        text = replace(text, horizon=goal.horizon)
        if _wording(latest) == _normal(text):
            raise Invalid("title", _("You changed nothing. Accept the goal instead."))
        goal.latest = _new_version(goal, text, by, proposed=True)
        goal.version += 1
        goal.save(update_fields=["latest", "version"])
        side = _sign(goal.latest, participation, by)
        record(
            "counter", goal, by=by, about=participation.employee, number=goal.latest.number,
            notify=_tell_other(
                participation, side, _("%(name)s answered a goal with another wording"), by, goal,
                f"goals.countered:{goal.latest.pk}",
            ),
        )  # fmt: skip
        return goal


def accept(goal: Goal, *, version: int | None, by: User) -> Goal:
    """Sign the newest wording; with both signatures the goal is agreed and frozen.

    Refused if the wording changed since it was read, if it is one's own, or if the agreed weights
    would come to more than 100.
    """
    with transaction.atomic():
        goal = _lock_goal(goal)
        _is(goal, Goal.State.PROPOSED)
        participation = _of(goal)
        _may_plan(participation)
        _same(goal, version)
        side = _side(participation, by)
        if _signed(goal, side):
            raise Refused(_("You have signed this wording already. It waits for the other side."))
        _within_whole(participation, [goal])
        _agree(goal, participation, by)
        record(
            "accept", goal, by=by, about=participation.employee, number=_latest(goal).number,
            notify=_tell_other(
                participation, side, _("%(name)s agreed to a goal"), by, goal, f"goals.agreed:{goal.latest_id}"
            ),
        )  # fmt: skip
        return goal


def agree_set(participation: Participation, seen: Mapping[int, int], *, by: User) -> list[Goal]:
    """Sign every proposal that waits for `by`, at once; the whole set must come to 100.

    `seen` maps the goals the person read to the version they read; refused if anything else waits
    now, so that nobody signs what they have not seen.
    """
    with transaction.atomic():
        participation = _lock(participation)
        _may_plan(participation)
        side = _side(participation, by)
        proposed = list(
            Goal.objects.select_for_update(of=("self",))
            .select_related("latest")
            .filter(participation=participation, state=Goal.State.PROPOSED)
            .order_by("pk")
        )
        signed = set(
            Signature.objects.filter(side=side, version__in=[g.latest_id for g in proposed]).values_list(
                "version", flat=True
            )
        )
        waiting = [goal for goal in proposed if goal.latest_id not in signed]
        if not waiting:
            raise Refused(_("Nothing waits for your signature."))
        if {goal.pk: goal.version for goal in waiting} != dict(seen):
            raise Refused(_("The goals changed since you opened the page. Read them again, then agree."))
        found = balance(_weights(participation))
        if not found.is_whole:
            raise Refused(
                _("The weights come to %(total)s, not to 100. Counter a weight first.")
                % {"total": format(found.total.normalize(), "f")}
            )
        for goal in waiting:
            _agree(goal, participation, by)
            record("accept", goal, by=by, about=participation.employee, number=_latest(goal).number)
        record(
            "agree_set", participation, by=by, about=participation.employee, goals=[g.pk for g in waiting],
            notify=_tell_other(
                participation, side, _("%(name)s agreed to the goals"), by, None,
                f"goals.agreed_set:{max(g.latest_id or 0 for g in waiting)}",
            ),
        )  # fmt: skip
        return waiting


def withdraw(goal: Goal, *, version: int | None, by: User) -> Goal:
    """Take back a draft, or a proposal whose newest wording is one's own side's."""
    with transaction.atomic():
        goal = _lock_goal(goal)
        _is(goal, Goal.State.DRAFT, Goal.State.PROPOSED)
        participation = _of(goal)
        _runs(participation)
        _same(goal, version)
        notify: list[Tell] = []
        if goal.state == Goal.State.PROPOSED:
            side = _side(participation, by)
            if not _signed(goal, side):
                raise Refused(_("This wording is the other side's. Counter it, or talk about it."))
            notify = _tell_other(
                participation, side, _("%(name)s took back a goal"), by, goal, f"goals.withdrawn:{goal.pk}"
            )
        goal.state = Goal.State.WITHDRAWN
        goal.version += 1
        goal.save(update_fields=["state", "version"])
        record("withdraw", goal, by=by, about=participation.employee, notify=notify)
        return goal


def align(goal: Goal, parent: Goal | None, *, version: int | None, by: User) -> Goal:
    """Say to which goal this one contributes; not part of the signed text. Refuses loops."""
    with transaction.atomic():
        # Two alignments could each be harmless and close a ring together: one at a time.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ALIGNMENT_LOCK])
        goal = Goal.objects.select_for_update(of=("self",)).select_related("latest").get(pk=goal.pk)
        _is(goal, Goal.State.PROPOSED, Goal.State.AGREED)
        _same(goal, version)
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
    author = _employee(by)
    with transaction.atomic():
        cycle = Cycle.objects.select_for_update().get(pk=cycle.pk)
        if cycle.state in (Cycle.State.CLOSED, Cycle.State.ARCHIVED):
            raise Refused(_("This cycle is closed."))
        _check(text, weighs=False)
        goal = Goal.objects.create(
            cycle=cycle,
            unit=unit,
            horizon=text.horizon,
            visibility=Goal.Visibility.EVERYONE,
            parent=text.parent,
            created_by=by,
        )
        goal.latest = _new_version(goal, replace(text, weight=None), by, proposed=True)
        _into_force(goal)
        goal.save(update_fields=["latest", "agreed", "state", "version"])
        record("publish", goal, by=by, author=author.pk)
        return goal


# --- changing what is agreed ----------------------------------------------------------------------------


def request_change(
    goal: Goal, text: GoalText, *, reason: str, explanation: str, version: int | None, by: User
) -> ChangeRequest:
    """Ask for another wording of an agreed goal; the agreed one stays in force until the other side says yes."""
    with transaction.atomic():
        goal = _lock_goal(goal)
        _is(goal, Goal.State.AGREED)
        participation = _of(goal)
        _runs(participation)
        check_version(_worded(goal), version, TEXT)
        if goal.change_requests.filter(state=ChangeRequest.State.OPEN).exists():
            raise Refused(_("There is already a change of this goal waiting for an answer."))
        old = goal.agreed
        assert old is not None  # noqa: S101 - the constraint goal_agreed_names_the_version
        text = replace(text, horizon=goal.horizon)
        if _wording(old) == _normal(text):
            raise Invalid("title", _("Nothing is different from what you agreed."))
        new = _new_version(goal, text, by, proposed=True)
        goal.version += 1
        goal.save(update_fields=["version"])
        side = _sign(new, participation, by)
        change = ChangeRequest.objects.create(
            goal=goal, old=old, new=new, reason=reason, explanation=explanation, requested_by=_employee(by),
            lapses_on=today() + timedelta(days=LAPSE_DAYS),
        )  # fmt: skip
        record(
            "request_change", goal, by=by, about=participation.employee, reason=reason, number=new.number,
            notify=_tell_other(
                participation, side, _("%(name)s asks to change an agreed goal"), by, goal, f"goals.change:{new.pk}"
            ),
        )  # fmt: skip
        return change


def counter_change(change: ChangeRequest, text: GoalText, *, version: int | None, by: User) -> ChangeRequest:
    """Answer a change with yet another wording; now the one who asked decides."""
    with transaction.atomic():
        change, goal, participation = _lock_change(change)
        side = _answers(change, participation, by)
        check_version(_worded_change(change), version, TEXT)
        text = replace(text, horizon=goal.horizon)
        if _wording(change.new) == _normal(text):
            raise Invalid("title", _("You changed nothing. Accept the change instead."))
        change.new = _new_version(goal, text, by, proposed=True)
        change.lapses_on = today() + timedelta(days=LAPSE_DAYS)
        change.version += 1
        change.save(update_fields=["new", "lapses_on", "version"])
        _sign(change.new, participation, by)
        record(
            "counter_change", goal, by=by, about=participation.employee, number=change.new.number,
            notify=_tell_other(
                participation, side, _("%(name)s answered a change with another wording"), by, goal,
                f"goals.change:{change.new_id}",
            ),
        )  # fmt: skip
        return change


def accept_change(change: ChangeRequest, *, version: int | None, by: User) -> Goal:
    """Put the changed wording in force; the old one keeps the time in which it held.

    Refused if the agreed weights would come to more than 100.
    """
    with transaction.atomic():
        change, goal, participation = _lock_change(change)
        side = _answers(change, participation, by)
        _same(change, version)
        found = balance(_weights(participation, instead={goal.pk: change.new.weight}))
        if found.is_over:
            raise Refused(
                _("With this change the weights come to %(total)s. Counter it with a smaller weight.")
                % {"total": format(found.total.normalize(), "f")}
            )
        _sign(change.new, participation, by)
        _end(change, ChangeRequest.State.AGREED, by)
        goal.latest = change.new
        _into_force(goal)
        goal.save(update_fields=["latest", "agreed", "state", "version"])
        record(
            "accept_change", goal, by=by, about=participation.employee, number=change.new.number,
            notify=_tell_other(
                participation, side, _("%(name)s agreed to a changed goal"), by, goal,
                f"goals.change_agreed:{change.new_id}",
            ),
        )  # fmt: skip
        return goal


def decline_change(change: ChangeRequest, *, version: int | None, by: User) -> ChangeRequest:
    """Leave the goal as it was agreed."""
    with transaction.atomic():
        change, goal, participation = _lock_change(change)
        side = _answers(change, participation, by)
        _same(change, version)
        _end(change, ChangeRequest.State.DECLINED, by)
        record(
            "decline_change", goal, by=by, about=participation.employee,
            notify=_tell_other(
                participation, side, _("%(name)s declined a changed goal"), by, goal,
                f"goals.change_declined:{change.pk}",
            ),
        )  # fmt: skip
        return change


def withdraw_change(change: ChangeRequest, *, version: int | None, by: User) -> ChangeRequest:
    """Take back a change whose newest wording is one's own."""
    with transaction.atomic():
        change, goal, participation = _lock_change(change)
        _same(change, version)
        if change.new.signatures.filter(side=_side(participation, by)).exists():
            _end(change, ChangeRequest.State.WITHDRAWN, by)
            record("withdraw_change", goal, by=by, about=participation.employee)
            return change
        raise Refused(_("The newest wording is the other side's. Accept, counter or decline it."))


def lapse_changes(on: date) -> int:
    """End the changes that nobody answered until the day before `on`; the agreed goal stays. By the clock."""
    due = ChangeRequest.objects.filter(state=ChangeRequest.State.OPEN, lapses_on__lt=on)
    count = 0
    for pk in due.values_list("pk", flat=True):
        with transaction.atomic():
            change = (
                due.select_for_update(skip_locked=True, of=("self",))
                .select_related("goal__participation__employee", "requested_by")
                .filter(pk=pk)
                .first()
            )
            if change is None or change.goal.participation is None:
                continue
            _end(change, ChangeRequest.State.LAPSED, None)
            told = _tells(
                [change.requested_by_id],
                _("Nobody answered your change of a goal; it has lapsed"),
                reverse("goals:detail", args=[change.goal_id]),
                f"goals.lapsed:{change.pk}",
            )
            employee = change.goal.participation.employee
            record("lapse_change", change.goal, by=None, about=employee, notify=told)
            count += 1
    return count


# --- progress -----------------------------------------------------------------------------------------


def record_progress(
    key_result: KeyResult,
    *,
    value: Decimal | None,
    confidence: str,
    note: str = "",
    link: str = "",
    version: int | None,
    by: User,
) -> KeyResult:
    """Append one update; `value=None` says that nothing changed. Both sides may, while the cycle runs.

    Raises `Stale` with the saved value if somebody else recorded meanwhile.
    """
    author = _employee(by)
    with transaction.atomic():
        goal = Goal.objects.select_for_update(of=("self",)).select_related(
            "participation__employee", "participation__cycle", "cycle"
        ).get(pk=key_result.goal_id)  # fmt: skip
        if goal.participation is not None:
            _runs(goal.participation)
        elif goal.cycle.state != Cycle.State.RUNNING:
            raise Refused(_("This cycle is not running."))
        if goal.state != Goal.State.AGREED:
            raise Refused(_("Progress is recorded on agreed goals only."))
        row = KeyResult.objects.select_for_update().get(pk=key_result.pk)
        if row.retired_at is not None:
            raise Refused(_("This key result is no longer part of the goal."))
        if version is not None and row.version != version:
            raise Stale({"value": row.current, "confidence": row.confidence}, row.version)
        if value is not None and abs(value) >= LIMIT:
            raise Invalid("value", _("That number is too large."))
        if value is None and row.current is None and row.kind in (KeyResult.Kind.KEEP, KeyResult.Kind.ZERO):
            raise Invalid("value", _("Nothing was measured yet: give a first number."))
        now = timezone.now()
        ProgressUpdate.objects.create(
            key_result=row, value=value, confidence=confidence, note=note, link=link, author=author, at=now
        )
        if value is not None:
            row.current = value
        row.confidence = confidence
        row.updated_at = now
        row.version += 1
        row.save(update_fields=["current", "confidence", "updated_at", "version"])
        about = goal.participation.employee if goal.participation else None
        record("record_progress", goal, by=by, about=about, key_result=row.pk)
        return row


# --- contributions beyond goals -------------------------------------------------------------------------


def contribute(
    participation: Participation, *, beneficiary: Employee, text: str, happened_on: date, by: User
) -> Contribution:
    """Record something valuable outside the goals; who had the benefit is asked to confirm it."""
    author = _employee(by)
    with transaction.atomic():
        participation = _lock(participation)
        _runs(participation)
        if beneficiary.pk == author.pk:
            raise Invalid("beneficiary", _("Somebody else confirms a contribution."))
        if not beneficiary.is_working(today()):
            raise Invalid("beneficiary", _("This person does not work here any more."))
        if happened_on > today():
            raise Invalid("happened_on", _("This day is still to come."))
        row = Contribution.objects.create(
            participation=participation,
            author=author,
            beneficiary=beneficiary,
            text=text,
            happened_on=happened_on,
        )
        record(
            "contribute", row, by=by, about=participation.employee,
            notify=_tells(
                [beneficiary.pk], _("%(name)s asks you to confirm a contribution") % {"name": author.name},
                reverse("goals:contribution", args=[row.pk]), f"goals.contribution:{row.pk}",
            ),
        )  # fmt: skip
        return row


def confirm_contribution(contribution: Contribution, *, version: int | None, by: User) -> Contribution:
    """The beneficiary says: yes, that helped."""
    return _answer_contribution(contribution, "confirm_contribution", "confirmed_at", version, by)


def decline_contribution(contribution: Contribution, *, version: int | None, by: User) -> Contribution:
    """The beneficiary does not recognise it; the record stays with its author, unconfirmed."""
    return _answer_contribution(contribution, "decline_contribution", "declined_at", version, by)


def _answer_contribution(
    row: Contribution, verb: str, name: str, version: int | None, by: User
) -> Contribution:
    with transaction.atomic():
        row = Contribution.objects.select_for_update(of=("self",)).select_related("participation__employee").get(
            pk=row.pk
        )  # fmt: skip
        _same(row, version)
        if row.confirmed_at or row.declined_at:
            raise Refused(_("This contribution was answered already."))
        setattr(row, name, timezone.now())
        row.version += 1
        row.save(update_fields=[name, "version"])
        record(
            verb, row, by=by, about=row.participation.employee,
            notify=_tells(
                [row.author_id], _("A contribution of yours was answered"),
                reverse("goals:contribution", args=[row.pk]), f"goals.contribution_answered:{row.pk}",
            ),
        )  # fmt: skip
        return row


# --- stages ---------------------------------------------------------------------------------------------


def open_objectives(cycle: Cycle) -> None:
    """The objectives stage opens: everybody who takes part is told once, in one set."""
    rows = User.objects.filter(
        is_active=True, employee__participations__cycle=cycle,
        employee__participations__state=Participation.State.ACTIVE,
    ).values_list("pk", "employee__participations__pk")  # fmt: skip
    title = _("Propose your goals for %(cycle)s") % {"cycle": cycle.name}
    with transaction.atomic():
        tell(
            cycle,
            [
                Tell(
                    user, title, reverse("goals:of", args=[part]), f"goals.open:{part}", kind="goals:propose"
                )
                for user, part in rows
            ],
        )


def close_goals(cycle: Cycle) -> None:
    """Freeze the cycle's agreed goals with their result; proposals and changes that nobody answered lapse.

    May be called again: closed goals keep their result.
    """
    with transaction.atomic():
        cycle = Cycle.objects.select_for_update().get(pk=cycle.pk)
        now = timezone.now()
        ChangeRequest.objects.filter(goal__cycle=cycle, state=ChangeRequest.State.OPEN).update(
            state=ChangeRequest.State.LAPSED, ended_at=now, version=F("version") + 1
        )
        goals = list(
            Goal.objects.select_for_update(of=("self",))
            .filter(cycle=cycle, state=Goal.State.AGREED)
            .order_by("pk")
        )
        measured: dict[int, list[Decimal | None]] = {goal.pk: [] for goal in goals}
        for row in KeyResult.objects.filter(goal__in=measured, retired_at__isnull=True):
            measured[row.goal_id].append(row.progress)
        for goal in goals:
            goal.state, goal.closed_at, goal.version = Goal.State.CLOSED, now, goal.version + 1
            found = goal_progress(measured[goal.pk], cycle.progress_cap)
            goal.result = None if found is None else found.quantize(Decimal("0.01"))
        Goal.objects.bulk_update(goals, ["state", "closed_at", "version", "result"], batch_size=2000)
        if goals:
            record("close_goals", cycle, by=None, goals=len(goals))


# --- inside -----------------------------------------------------------------------------------------------


def _employee(by: User) -> Employee:
    if by.employee is None:
        raise Refused(_("Only somebody who works here writes goals."))
    return by.employee


def _lock(participation: Participation) -> Participation:
    return (
        Participation.objects.select_for_update(of=("self",))
        .select_related("employee", "cycle")
        .get(pk=participation.pk)
    )


def _lock_goal(goal: Goal) -> Goal:
    """Participation first, then the goal, both with what the verbs read."""
    if goal.participation_id is None:
        raise Refused(_("A goal of the organisation is not agreed by two people."))
    participation = _lock(Participation(pk=goal.participation_id))
    row = Goal.objects.select_for_update(of=("self",)).select_related("latest", "agreed").get(pk=goal.pk)
    row.participation = participation
    return row


def _lock_change(change: ChangeRequest) -> tuple[ChangeRequest, Goal, Participation]:
    goal = _lock_goal(change.goal)
    participation = _of(goal)
    row = ChangeRequest.objects.select_for_update(of=("self",)).select_related("new", "old").get(pk=change.pk)
    _runs(participation)
    if row.state != ChangeRequest.State.OPEN or goal.state != Goal.State.AGREED:
        raise Refused(_("This change was ended already: %(state)s.") % {"state": row.get_state_display()})
    return row, goal, participation


def _of(goal: Goal) -> Participation:
    if goal.participation is None:
        raise Refused(_("A goal of the organisation is not agreed by two people."))
    return goal.participation


def _latest(goal: Goal) -> GoalVersion:
    if goal.latest is None:
        raise Refused(_("This goal has no text yet."))
    return goal.latest


def _worded(goal: Goal) -> Goal:
    """The goal with its newest wording beside its version, for the conflict screen."""
    for name in TEXT:
        setattr(goal, name, getattr(_latest(goal), name))
    return goal


def _worded_change(change: ChangeRequest) -> ChangeRequest:
    for name in TEXT:
        setattr(change, name, getattr(change.new, name))
    return change


def _is(goal: Goal, *states: str) -> None:
    if goal.state not in states:
        raise Refused(_("This goal is already: %(state)s.") % {"state": goal.get_state_display()})


def _same(row: Any, version: int | None) -> None:
    """Nobody signs or declines what they have not read: no second try with a new number, read first."""
    if version is not None and row.version != version:
        raise Refused(_("The text changed since you opened the page. Read the new wording, then decide."))


def _runs(participation: Participation) -> None:
    if participation.state == Participation.State.LEFT:
        raise Refused(_("%(name)s has left; these goals are frozen.") % {"name": participation.employee.name})
    if participation.cycle.state != Cycle.State.RUNNING:
        raise Refused(_("This cycle is not running."))


def _may_plan(participation: Participation) -> None:
    """Goals are agreed while the objectives stage is open, or as long as a person's own extension lasts.

    Afterwards only a gap may be filled that an agreed change has left.
    """
    _runs(participation)
    stage = Stage.objects.filter(cycle=participation.cycle_id, kind=StageKind.OBJECTIVES).first()
    if stage is not None and stage.state == Stage.State.OPEN:
        return
    if stage is None or stage.state == Stage.State.PLANNED:
        raise Refused(_("The objectives stage has not opened yet."))
    if Extension.objects.filter(participation=participation, stage=stage, due_on__gte=today()).exists():
        return
    changed = ChangeRequest.objects.filter(
        goal__participation=participation, state=ChangeRequest.State.AGREED
    )
    if changed.exists() and not balance(_weights(participation)).is_whole:
        return
    raise Refused(_("The objectives stage is closed. Ask for a change of an agreed goal instead."))


def _side(participation: Participation, by: User) -> str:
    """On which side of the table `by` sits today."""
    if by.employee_id == participation.employee_id:
        return Signature.Side.EMPLOYEE
    if Assignment.objects.current().filter(participation=participation, manager=by.employee_id).exists():
        return Signature.Side.MANAGER
    raise Refused(_("Only the two whom this goal concerns decide about it."))


def _signed(goal: Goal, side: str) -> bool:
    return Signature.objects.filter(version=goal.latest_id, side=side).exists()


def _sign(version: GoalVersion, participation: Participation, by: User) -> str:
    side = _side(participation, by)
    Signature.objects.create(version=version, side=side, signer=_employee(by))
    return side


def _answers(change: ChangeRequest, participation: Participation, by: User) -> str:
    """The side of `by`, which must be the one that the change waits for."""
    side = _side(participation, by)
    if change.new.signatures.filter(side=side).exists():
        raise Refused(_("This wording is yours; it waits for the other side."))
    return side


def _weights(
    participation: Participation, instead: Mapping[int, Decimal | None] | None = None
) -> list[Decimal]:
    """The weights of the set, agreed ones as agreed and proposed ones as proposed."""
    rows = Goal.objects.weighing().filter(participation=participation).values_list(
        "pk", "state", "agreed__weight", "latest__weight"
    )  # fmt: skip
    other = instead or {}
    found = [
        other.get(pk, agreed if state != Goal.State.PROPOSED else new) for pk, state, agreed, new in rows
    ]
    return [weight for weight in found if weight is not None]


def _within_whole(participation: Participation, more: Sequence[Goal]) -> None:
    agreed = Goal.objects.weighing().exclude(state=Goal.State.PROPOSED).filter(participation=participation)
    weights = [w for w in agreed.values_list("agreed__weight", flat=True) if w is not None]
    weights += [w for g in more if g.horizon == Goal.Horizon.CYCLE and (w := _latest(g).weight) is not None]
    found = balance(weights)
    if found.is_over:
        raise Refused(
            _("With this goal the agreed weights come to %(total)s. Counter it with a smaller weight.")
            % {"total": format(found.total.normalize(), "f")}
        )


def _check(text: GoalText, *, weighs: bool) -> None:
    if weighs and text.weight is None:
        raise Invalid("weight", _("How much does it weigh? The goals of the cycle come to 100."))
    if text.weight is not None and not Decimal(0) < text.weight <= 100:
        raise Invalid("weight", _("A weight is more than 0 and at most 100."))
    if len(text.key_results) > MAX_KEY_RESULTS:
        raise Invalid("key_results", _("At most %(n)s key results.") % {"n": MAX_KEY_RESULTS})
    for row in text.key_results:
        if problem := key_result_problem(row):
            raise Invalid("key_results", f"{row.title}: {problem[1]}")


def _normal(text: GoalText) -> tuple[Any, ...]:
    """A wording as it would be stored, to compare it."""
    weight = text.weight if text.horizon == Goal.Horizon.CYCLE else None
    rows = [{**row.as_row(), "key": ""} for row in text.key_results]
    return text.title, text.why, weight, text.due_on, rows


def _wording(version: GoalVersion) -> tuple[Any, ...]:
    rows = [{**row, "key": ""} for row in version.key_results]
    return version.title, version.why, version.weight, version.due_on, rows


def _rows_of(text: GoalText, known: Iterable[str]) -> list[dict[str, Any]]:
    """Key results for a version; a row keeps its key if the goal knows it, a new one gets a new key."""
    keys, used = set(known), set()
    rows = []
    for row in text.key_results:
        key = row.key if row.key in keys and row.key not in used else secrets.token_hex(4)
        used.add(key)
        rows.append(replace(row, key=key).as_row())
    return rows


def _new_version(goal: Goal, text: GoalText, by: User, *, proposed: bool) -> GoalVersion:
    weighs = text.horizon == Goal.Horizon.CYCLE and goal.participation_id is not None
    _check(text, weighs=weighs)
    previous = list(goal.versions.values_list("number", "key_results"))
    known = [row["key"] for _number, rows in previous for row in rows]
    return GoalVersion.objects.create(
        goal=goal, number=max((number for number, _rows in previous), default=0) + 1, title=text.title,
        why=text.why, weight=text.weight if weighs else None, due_on=text.due_on, author=_employee(by),
        key_results=_rows_of(text, known), proposed_at=timezone.now() if proposed else None,
    )  # fmt: skip


def _new_goal(participation: Participation, text: GoalText, by: User) -> Goal:
    goal = Goal.objects.create(
        participation=participation, cycle_id=participation.cycle_id, horizon=text.horizon,
        visibility=text.visibility, parent=text.parent, created_by=by,
    )  # fmt: skip
    goal.latest = _new_version(goal, text, by, proposed=False)
    goal.save(update_fields=["latest"])
    return goal


def _rewrite_draft(goal: Goal, text: GoalText) -> None:
    """A draft is its author's paper: it is written over, unlike anything the other side has read."""
    weighs = text.horizon == Goal.Horizon.CYCLE
    _check(text, weighs=weighs)
    latest = _latest(goal)
    latest.title, latest.why, latest.due_on = text.title, text.why, text.due_on
    latest.weight = text.weight if weighs else None
    latest.key_results = _rows_of(text, [row["key"] for row in latest.key_results])
    latest.save(update_fields=["title", "why", "due_on", "weight", "key_results"])
    goal.horizon, goal.visibility, goal.parent = text.horizon, text.visibility, text.parent
    goal.version += 1
    goal.save(update_fields=["horizon", "visibility", "parent", "version"])


def _send(goal: Goal, participation: Participation, by: User) -> None:
    latest = _latest(goal)
    latest.proposed_at = timezone.now()
    latest.save(update_fields=["proposed_at"])
    side = _sign(latest, participation, by)
    goal.state = Goal.State.PROPOSED
    goal.save(update_fields=["state"])
    record(
        "propose", goal, by=by, about=participation.employee, number=latest.number,
        notify=_tell_other(
            participation, side, _("%(name)s proposed a goal"), by, goal, f"goals.proposed:{latest.pk}"
        ),
    )  # fmt: skip


def _agree(goal: Goal, participation: Participation, by: User) -> None:
    _sign(_latest(goal), participation, by)
    _into_force(goal)
    goal.save(update_fields=["agreed", "state", "version"])


def _into_force(goal: Goal) -> None:
    """The newest wording holds from now on, and its key results with it; measured values stay."""
    now = timezone.now()
    latest = _latest(goal)
    if goal.agreed_id is not None:
        GoalVersion.objects.filter(pk=goal.agreed_id).update(in_force_to=now)
    GoalVersion.objects.filter(pk=latest.pk).update(in_force_from=now)
    goal.agreed, goal.state = latest, Goal.State.AGREED
    goal.version += 1
    known = {row.key: row for row in KeyResult.objects.select_for_update().filter(goal=goal)}
    rows = []
    for position, raw in enumerate(latest.key_results):
        text = KeyResultText.from_row(raw)
        row = known.pop(text.key, None) or KeyResult(goal=goal, key=text.key, version=0)
        row.position, row.title, row.kind, row.unit = position, text.title, text.kind, text.unit
        row.start, row.target, row.low, row.high = text.start or Decimal(0), text.target, text.low, text.high
        row.retired_at = None
        row.version += 1
        if row.current is None and row.kind in (
            KeyResult.Kind.INCREASE, KeyResult.Kind.DECREASE, KeyResult.Kind.REACH
        ):  # fmt: skip
            row.current = row.start if row.kind != KeyResult.Kind.REACH else Decimal(0)
        rows.append(row)
    for gone in known.values():
        gone.retired_at = gone.retired_at or now
        rows.append(gone)
    for row in rows:
        row.save()


def _end(change: ChangeRequest, state: str, by: User | None) -> None:
    change.state, change.ended_at = state, timezone.now()
    change.ended_by = by.employee if by else None
    change.version += 1
    change.save(update_fields=["state", "ended_at", "ended_by", "version"])


def _line_above(goal: Goal) -> dict[int, int | None]:
    """Goal and parent, from `goal` up to the top, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE up AS (SELECT id, parent_id FROM goals_goal WHERE id = %s UNION "
            "SELECT g.id, g.parent_id FROM goals_goal g JOIN up ON g.id = up.parent_id) SELECT id, parent_id FROM up",
            [goal.pk],
        )
        return dict(cursor.fetchall())


def _tells(employees: Iterable[int], title: str, url: str, key: str) -> list[Tell]:
    users = User.objects.filter(employee__in=list(employees), is_active=True).values_list("pk", flat=True)
    return [Tell(user, title, url, f"{key}:{user}") for user in users]


def _tell_other(
    participation: Participation, side: str, title: str, by: User, goal: Goal | None, key: str
) -> list[Tell]:
    """Tell the other of the two. The title is a task or a fact, never the text of the goal."""
    if side == Signature.Side.EMPLOYEE:
        current = Assignment.objects.current().filter(participation=participation)
        employees = list(current.values_list("manager", flat=True))
    else:
        employees = [participation.employee_id]
    url = reverse("goals:of", args=[participation.pk]) if goal is None or goal.state == Goal.State.PROPOSED else (
        reverse("goals:detail", args=[goal.pk])
    )  # fmt: skip
    return _tells(employees, title % {"name": by.name}, url, key)
