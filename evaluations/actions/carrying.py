"""What a cycle leaves unfinished comes into the next one as proposals."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from goals.models import Goal, GoalVersion
from pmcycle.activity.actions import record
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.people.models import User


def carry_over(cycle: Cycle) -> int:
    """Unfinished goals of the cycle this one was copied from come in as proposals.

    Runs when the objectives stage opens, when the old cycle closes, and whenever HR asks; a goal is
    carried once (unique `carried_from`). Returns how many goals came over. Only people who take part
    in both cycles get theirs.
    """
    if cycle.copied_from_id is None:
        return 0
    with transaction.atomic():
        Cycle.objects.select_for_update().get(pk=cycle.pk)
        part = dict(
            Participation.objects.filter(cycle=cycle, state=Participation.State.ACTIVE).values_list(
                "employee", "pk"
            )
        )
        unfinished = (
            Goal.objects.filter(
                participation__cycle=cycle.copied_from_id,
                participation__employee__in=part,
                agreed__isnull=False,
                state__in=[Goal.State.AGREED, Goal.State.CLOSED],
                carried_to__isnull=True,
            )
            .exclude(result__gte=100)
            .select_related("agreed", "participation__employee")
            .order_by("pk")
        )
        old = list(unfinished)
        users = dict(User.objects.filter(employee__in=part).values_list("employee", "pk"))
        fallback = cycle.launched_by_id or 0
        new = [
            Goal(
                participation_id=part[g.participation.employee_id],
                cycle=cycle,
                horizon=g.horizon,
                visibility=g.visibility,
                carried_from=g,
                state=Goal.State.PROPOSED,
                created_by_id=users.get(g.participation.employee_id) or fallback,
            )
            for g in old
            if g.participation is not None
        ]
        Goal.objects.bulk_create(new, batch_size=2000)
        now = timezone.now()
        wording = [
            GoalVersion(
                goal=goal,
                number=1,
                title=before.agreed.title,
                why=before.agreed.why,
                weight=before.agreed.weight,
                key_results=before.agreed.key_results,
                author_id=before.participation.employee_id,
                proposed_at=now,
            )
            for goal, before in zip(new, old, strict=True)
            if before.agreed is not None and before.participation is not None
        ]
        GoalVersion.objects.bulk_create(wording, batch_size=2000)
        for version in wording:
            version.goal.latest = version
        Goal.objects.bulk_update([v.goal for v in wording], ["latest"], batch_size=2000)
        record("carried_over_goals", cycle, by=None, goals=len(new))
        return len(new)


def bring_over(cycle: Cycle) -> None:
    """When objectives open: what the cycle before left unfinished, if that one is closed already."""
    if cycle.copied_from is not None and cycle.copied_from.state != Cycle.State.RUNNING:
        carry_over(cycle)


def hand_on(cycle: Cycle, by: User) -> None:
    """When a cycle closes: its unfinished goals go to the cycles that were made from it and already run."""
    for following in Cycle.objects.filter(copied_from=cycle, state=Cycle.State.RUNNING):
        carry_over(following)
