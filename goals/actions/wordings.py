"""Wordings of a goal: as a person gives them, as they are stored, and which one is in force."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from goals.actions.judging import author_of
from goals.actions.measuring import reading_of
from goals.models import Goal, GoalVersion, KeyResult
from goals.rules import MAX_KEY_RESULTS, KeyResultText, day_problem, key_result_problem
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.errors import Invalid, Refused
from pmcycle.people.models import Employee, User

TEXT = ("title", "why", "weight", "due_on")


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


def latest_of(goal: Goal) -> GoalVersion:
    if goal.latest is None:
        raise Refused(_("This goal has no text yet."))
    return goal.latest


def agreed_of(goal: Goal) -> GoalVersion:
    if goal.agreed is None:
        raise Refused(_("This goal has no text in force yet."))
    return goal.agreed


def worded(goal: Goal) -> Goal:
    """The goal with its newest wording beside its version, for the conflict screen."""
    for name in TEXT:
        setattr(goal, name, getattr(latest_of(goal), name))
    return goal


def check(text: GoalText, cycle: Cycle, *, weighs: bool) -> None:
    """Raise `Invalid` on a field that breaks a rule. The wording is for a goal of this cycle."""
    if text.horizon == Goal.Horizon.CYCLE and (
        late := day_problem(text.due_on, cycle.first_day, cycle.last_day)
    ):
        raise Invalid("due_on", late)
    if weighs and text.weight is None:
        raise Invalid("weight", _("How much does it weigh? The goals of the cycle come to 100."))
    if text.weight is not None and not Decimal(0) < text.weight <= 100:
        raise Invalid("weight", _("A weight is more than 0 and at most 100."))
    if len(text.key_results) > MAX_KEY_RESULTS:
        raise Invalid("key_results", _("At most %(n)s key results.") % {"n": MAX_KEY_RESULTS})
    for row in text.key_results:
        if problem := key_result_problem(row):
            raise Invalid("key_results", f"{row.title}: {problem[1]}")


def as_stored(text: GoalText) -> tuple[Any, ...]:
    """A wording as it would be stored, to compare it."""
    weight = text.weight if text.horizon == Goal.Horizon.CYCLE else None
    rows = [{**row.as_row(), "key": ""} for row in text.key_results]
    return text.title, text.why, weight, text.due_on, rows


def stored(version: GoalVersion) -> tuple[Any, ...]:
    rows = [{**row, "key": ""} for row in version.key_results]
    return version.title, version.why, version.weight, version.due_on, rows


def rows_of(text: GoalText, known: Iterable[str]) -> list[dict[str, Any]]:
    """Key results for a version; a row keeps its key if the goal knows it, a new one gets a new key."""
    keys, used = set(known), set()
    rows = []
    for row in text.key_results:
        key = row.key if row.key in keys and row.key not in used else secrets.token_hex(4)
        used.add(key)
        rows.append(replace(row, key=key).as_row())
    return rows


def new_version(goal: Goal, text: GoalText, by: User, *, proposed: bool) -> GoalVersion:
    """The next wording of a goal. Raises `Invalid` on a field that breaks a rule."""
    check(replace(text, horizon=goal.horizon), goal.cycle, weighs=_weighs(goal, text))
    previous = list(goal.versions.values_list("number", "key_results"))
    version = version_from(
        goal,
        text,
        author_of(by),
        number=max((number for number, _rows in previous), default=0) + 1,
        known=[row["key"] for _number, rows in previous for row in rows],
        proposed_at=timezone.now() if proposed else None,
    )
    version.save(force_insert=True)
    return version


def _weighs(goal: Goal, text: GoalText) -> bool:
    return text.horizon == Goal.Horizon.CYCLE and goal.participation_id is not None


def goal_from(text: GoalText, participation: Participation, by: User) -> Goal:
    """A new goal, not saved yet."""
    return Goal(
        participation=participation,
        cycle_id=participation.cycle_id,
        horizon=text.horizon,
        visibility=text.visibility,
        parent=text.parent,
        created_by=by,
    )


def version_from(
    goal: Goal,
    text: GoalText,
    author: Employee,
    *,
    number: int = 1,
    known: Iterable[str] = (),
    proposed_at: datetime | None = None,
) -> GoalVersion:
    """A new wording, not saved yet; `known` are the keys of the key results that the goal has had."""
    return GoalVersion(
        goal=goal,
        number=number,
        title=text.title,
        why=text.why,
        due_on=text.due_on,
        author=author,
        weight=text.weight if _weighs(goal, text) else None,
        key_results=rows_of(text, known),
        proposed_at=proposed_at,
    )


IN_FORCE = ["agreed", "state", "version", "result"]


def put_in_force(goal: Goal, cycle: Cycle) -> None:
    """The newest wording holds from now on, and its key results with it; measured values stay.

    The caller saves `IN_FORCE`.
    """
    now = timezone.now()
    latest = latest_of(goal)
    if goal.agreed_id is not None:
        GoalVersion.objects.filter(pk=goal.agreed_id).update(in_force_to=now)
    GoalVersion.objects.filter(pk=latest.pk).update(in_force_from=now)
    goal.agreed, goal.state = latest, Goal.State.AGREED
    goal.version += 1
    known = {row.key: row for row in KeyResult.objects.select_for_update().filter(goal=goal)}
    rows: list[KeyResult] = []
    for position, raw in enumerate(latest.key_results):
        text = KeyResultText.from_row(raw)
        row = known.pop(text.key, None) or KeyResult(goal=goal, key=text.key, version=0)
        row.position, row.title, row.kind, row.unit = position, text.title, text.kind, text.unit
        row.start, row.target, row.low, row.high = (
            text.start or Decimal(0),
            text.target,
            text.low,
            text.high,
        )
        row.retired_at = None
        row.version += 1
        if row.current is None and row.kind in (
            KeyResult.Kind.INCREASE,
            KeyResult.Kind.DECREASE,
            KeyResult.Kind.REACH,
        ):
            row.current = row.start if row.kind != KeyResult.Kind.REACH else Decimal(0)
        rows.append(row)
    for gone in known.values():
        gone.retired_at = gone.retired_at or now
        rows.append(gone)
    for row in rows:
        row.save()
    goal.result = reading_of(rows, cycle)
