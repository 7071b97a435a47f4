"""What the calendar of the cycle does with goals."""

from __future__ import annotations

from decimal import Decimal

from django.db import connection, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from goals.models import ChangeRequest, Goal, KeyResult
from goals.rules import goal_progress, key_result_progress
from pmcycle.activity.actions import record, tell_all
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.people.models import User


def open_objectives(cycle: Cycle) -> None:
    """The objectives stage opens: everybody who takes part is told once, in one set."""
    who = User.objects.filter(
        is_active=True, employee__participations__cycle=cycle,
        employee__participations__state=Participation.State.ACTIVE,
    ).values_list("pk", "employee__participations__pk")  # fmt: skip
    tell_all(
        cycle,
        who,
        title=_("Propose your goals for %(cycle)s") % {"cycle": cycle.name},
        url=reverse("goals:of", args=[0]).replace("0", "{n}"),
        key="goals.open:{n}",
        kind="goals:propose",
    )


CLOSE = """
UPDATE goals_goal SET state = %s, closed_at = %s, version = goals_goal.version + 1, result = done.result
FROM unnest(%s::bigint[], %s::numeric[]) AS done (id, result) WHERE goals_goal.id = done.id
"""


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
            .values_list("pk", flat=True)
        )
        measured: dict[int, list[Decimal | None]] = {pk: [] for pk in goals}
        rows = KeyResult.objects.filter(
            goal__cycle=cycle, goal__state=Goal.State.AGREED, retired_at__isnull=True
        ).values_list("goal_id", "kind", "current", "start", "target", "low", "high")
        # Plain values, a few at a time: a large company has hundreds of thousands.
        for goal, kind, current, start, target, low, high in rows.iterator(chunk_size=5000):
            measured[goal].append(
                key_result_progress(kind, current, start=start, target=target, low=low, high=high)
            )
        results = []
        for pk in goals:
            found = goal_progress(measured[pk], cycle.progress_cap)
            results.append(None if found is None else found.quantize(Decimal("0.01")))
        with connection.cursor() as cursor:
            cursor.execute(CLOSE, [Goal.State.CLOSED, now, goals, results])
        if goals:
            record("close_goals", cycle, by=None, goals=len(goals))
