"""What an earlier cycle left unfinished comes over as proposals that nobody has signed yet."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from goals.actions.telling import accounts_of, tells
from goals.models import Goal, GoalVersion
from goals.rules import KeyResultText, day_problem
from pmcycle.activity.actions import Line, record_each
from pmcycle.cycles.models import Assignment, Cycle, Participation
from pmcycle.people.models import User


@dataclass(frozen=True)
class Unfinished:
    """A text that was in force in an earlier cycle, and into whose participation it comes over."""

    participation: Participation
    from_cycle: Cycle
    title: str
    why: str = ""
    weight: Decimal | None = None
    due_on: date | None = None
    key_results: Sequence[Mapping[str, Any]] = ()
    horizon: str = Goal.Horizon.CYCLE
    visibility: str = Goal.Visibility.LINE
    carried_from: Goal | None = field(default=None)


def unfinished_goals(into: Mapping[int, Participation]) -> list[Unfinished]:
    """The agreed goals of these earlier participations that were not reached and have not come over yet.

    `into` maps the key of each earlier participation to the one of the same person that follows it.
    """
    goals = (
        Goal.objects.unfinished()
        .filter(participation__in=into, carried_to__isnull=True)
        .select_related("agreed", "cycle")
        .order_by("pk")
    )
    found = []
    for goal in goals:
        participation, text = into[goal.participation_id or 0], goal.agreed
        if text is None:
            continue
        following = participation.cycle
        is_ahead = text.due_on is not None and text.due_on >= following.first_day
        if goal.horizon == Goal.Horizon.CYCLE:
            is_ahead = (
                is_ahead
                and day_problem(text.due_on, following.first_day, following.last_day) is None
            )
        found.append(
            Unfinished(
                participation,
                goal.cycle,
                text.title,
                text.why,
                text.weight,
                text.due_on if is_ahead else None,
                text.key_results,
                goal.horizon,
                goal.visibility,
                goal,
            )
        )
    return found


def development_step(
    participation: Participation, from_cycle: Cycle, text: str, support: str, due_on: date
) -> Unfinished:
    """A step of a development plan as a goal of development, which is reached or not; kept to the pair."""
    title = text if len(text) <= 200 else f"{text[:199]}…"
    done = KeyResultText(title, "reach", key=secrets.token_hex(4)).as_row()
    why = "\n\n".join(words for words in ("" if title == text else text, support) if words)
    return Unfinished(
        participation,
        from_cycle,
        title,
        why,
        None,
        due_on,
        [done],
        Goal.Horizon.DEVELOPMENT,
        Goal.Visibility.PAIR,
    )


def bring(texts: Sequence[Unfinished], *, by: User | None) -> list[Goal]:
    """Write these texts as proposals of the next cycle, in a constant number of statements.

    Nobody has written or signed them there: the version has no author, and each holds when both have
    signed it. Both are told once. The caller holds the cycle.
    """
    people = {text.participation.pk: text.participation for text in texts}
    list(
        Participation.objects.select_for_update(no_key=True)
        .filter(pk__in=people)
        .order_by("pk")
        .values_list("pk")
    )
    goals = Goal.objects.bulk_create(
        (
            Goal(
                participation=text.participation,
                cycle_id=text.participation.cycle_id,
                horizon=text.horizon,
                visibility=text.visibility,
                carried_from=text.carried_from,
                from_cycle=text.from_cycle,
                state=Goal.State.PROPOSED,
                created_by=by,
            )
            for text in texts
        ),
        batch_size=2000,
    )
    now = timezone.now()
    versions = GoalVersion.objects.bulk_create(
        (
            GoalVersion(
                goal=goal,
                number=1,
                title=text.title,
                why=text.why,
                weight=text.weight,
                due_on=text.due_on,
                key_results=list(text.key_results),
                author=None,
                proposed_at=now,
            )
            for goal, text in zip(goals, texts, strict=True)
        ),
        batch_size=2000,
    )
    for goal, version in zip(goals, versions, strict=True):
        goal.latest = version
    Goal.objects.bulk_update(goals, ["latest"], batch_size=2000)
    told = _tells(people.values())
    lines = []
    for goal, text in zip(goals, texts, strict=True):
        data: dict[str, Any] = {"from_cycle": text.from_cycle.pk, "from_name": text.from_cycle.name}
        if text.carried_from is not None:
            data["from_goal"] = text.carried_from.pk
        notify = told.pop(text.participation.pk, [])
        lines.append(Line(goal, text.participation.employee_id, notify, data))
    record_each("carried_over", lines, by=by)
    return goals


def _tells(people: Iterable[Participation]) -> dict[int, list[Any]]:
    """For each participation the notices to its two people, once for each day on which something came over."""
    people = list(people)
    led = dict(
        Assignment.objects.current()
        .filter(participation__in=people)
        .values_list("participation", "manager")
    )
    accounts = accounts_of([*(p.employee_id for p in people), *led.values()])
    title = _(
        "What the cycle before left unfinished came over: agree to it, change it or leave it out"
    )
    return {
        p.pk: tells(
            {accounts.get(p.employee_id), accounts.get(led.get(p.pk, 0))},
            title,
            reverse("goals:of", args=[p.pk]),
            f"goals.carried:{p.pk}:{p.cycle.local_day(timezone.now()).isoformat()}",
        )
        for p in people
    }
