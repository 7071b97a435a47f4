"""What a cycle leaves unfinished comes into the next one as proposals."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from pmcycle.activity.actions import record
from pmcycle.cycles.models import Cycle
from pmcycle.people.models import User

# Goals and their first wording in one statement: what the goal before ended with, proposed by its owner.
CARRY = """
WITH carried AS (
  INSERT INTO goals_goal
    (participation_id, cycle_id, horizon, visibility, carried_from_id, state, created_by_id, created_at, version)
  SELECT part.id, part.cycle_id, old.horizon, old.visibility, old.id, 'proposed', coalesce(u.id, %(fallback)s),
    %(now)s, 1
  FROM goals_goal old
  JOIN cycles_participation before ON before.id = old.participation_id AND before.cycle_id = %(from)s
  JOIN cycles_participation part ON part.employee_id = before.employee_id AND part.cycle_id = %(to)s
    AND part.state = 'active'
  LEFT JOIN people_user u ON u.employee_id = part.employee_id
  WHERE old.agreed_id IS NOT NULL AND old.state IN ('agreed', 'closed')
    AND (old.result IS NULL OR old.result < 100)
    AND NOT EXISTS (SELECT 1 FROM goals_goal again WHERE again.carried_from_id = old.id)
  ORDER BY old.id
  RETURNING id, carried_from_id, participation_id
)
INSERT INTO goals_goalversion
  (goal_id, number, title, why, weight, key_results, author_id, proposed_at, created_at)
SELECT carried.id, 1, wording.title, wording.why, wording.weight, wording.key_results, part.employee_id,
  %(now)s, %(now)s
FROM carried
JOIN cycles_participation part ON part.id = carried.participation_id
JOIN goals_goal old ON old.id = carried.carried_from_id
JOIN goals_goalversion wording ON wording.id = old.agreed_id
ORDER BY carried.id
"""
NAME_LATEST = """
UPDATE goals_goal SET latest_id = wording.id FROM goals_goalversion wording
WHERE wording.goal_id = goals_goal.id AND goals_goal.cycle_id = %(to)s AND goals_goal.latest_id IS NULL
"""


def carry_over(cycle: Cycle) -> int:
    """Unfinished goals of the cycle this one was copied from come in as proposals.

    Runs when the objectives stage opens, when the old cycle closes, and whenever HR asks; a goal is
    carried once (unique `carried_from`), all of them in the same number of statements. Returns how many
    came over. Only people who take part in both cycles get theirs.
    """
    if cycle.copied_from_id is None:
        return 0
    with transaction.atomic():
        Cycle.objects.select_for_update().get(pk=cycle.pk)
        values = {
            "from": cycle.copied_from_id,
            "to": cycle.pk,
            "fallback": cycle.launched_by_id,
            "now": timezone.now(),
        }
        with connection.cursor() as cursor:
            cursor.execute(CARRY, values)
            count = int(cursor.rowcount)
            cursor.execute(NAME_LATEST, values)
        record("carried_over_goals", cycle, by=None, goals=count)
        return count


def bring_over(cycle: Cycle) -> None:
    """When objectives open: what the cycle before left unfinished, if that one is closed already."""
    if cycle.copied_from is not None and cycle.copied_from.state != Cycle.State.RUNNING:
        carry_over(cycle)


def hand_on(cycle: Cycle, by: User) -> None:
    """When a cycle closes: its unfinished goals go to the cycles that were made from it and already run."""
    for following in Cycle.objects.filter(copied_from=cycle, state=Cycle.State.RUNNING):
        carry_over(following)
