"""Who takes part and who stands above them, written in sets: shared by launch and exceptions."""

from __future__ import annotations

from datetime import date

from django.db import connection
from django.db.models import Exists, OuterRef

from pmcycle.cycles.models import (
    Assignment,
    ChainLink,
    Cycle,
    Participation,
)

PARTICIPATIONS = """
INSERT INTO cycles_participation
  (cycle_id, employee_id, unit_id, job_title, grade, location, fte, annual_pay, currency, hired_on, left_on, starts_on)
SELECT %s, e.id, e.unit_id, e.job_title, e.grade, e.location, e.fte, pay.annual, coalesce(pay.currency, ''),
  e.hired_on, e.left_on, greatest(%s, e.hired_on)
FROM people_employee e
LEFT JOIN LATERAL (SELECT s.annual, s.currency FROM people_salary s WHERE s.employee_id = e.id
  AND s.effective_from <= %s ORDER BY s.effective_from DESC LIMIT 1) pay ON true
WHERE e.id IN ({population})
ON CONFLICT (cycle_id, employee_id) DO NOTHING
"""


# The line above a participation, upward from the first step. Who has left or is not here yet is
# passed over, so that nobody waits for them; a closed line ends where it would meet itself.
CHAIN = """
WITH RECURSIVE up(participation_id, above_id, step, path) AS (
  {first}
  UNION ALL
  SELECT up.participation_id, r.manager_id, up.step + 1, up.path || r.manager_id
  FROM up JOIN people_reportingline r ON r.employee_id = up.above_id AND r.kind = 'line'
    AND r.starts_on <= %(day)s AND (r.ends_on IS NULL OR r.ends_on >= %(day)s)
  WHERE r.manager_id <> ALL(up.path) AND up.step < 30
)
{insert}
"""


LINKS = """
INSERT INTO cycles_chainlink (participation_id, above_id, distance)
SELECT up.participation_id, up.above_id, row_number() OVER (PARTITION BY up.participation_id ORDER BY up.step)
FROM up JOIN people_employee a ON a.id = up.above_id
WHERE a.hired_on <= %(day)s AND (a.left_on IS NULL OR a.left_on >= %(day)s)
"""


# At launch the first of the line becomes the manager of the cycle, in the same statement.
LINKS_AND_MANAGERS = (
    ", links AS ("
    + LINKS
    + """ RETURNING participation_id, above_id, distance)
INSERT INTO cycles_assignment (participation_id, manager_id, starts_on)
SELECT p.id, links.above_id, least(p.starts_on, %(day)s)
FROM links JOIN cycles_participation p ON p.id = links.participation_id WHERE links.distance = 1
"""
)


FROM_LINES = """
  SELECT p.id, r.manager_id, 1, ARRAY[p.employee_id, r.manager_id]
  FROM cycles_participation p JOIN people_reportingline r ON r.employee_id = p.employee_id AND r.kind = 'line'
    AND r.starts_on <= %(day)s AND (r.ends_on IS NULL OR r.ends_on >= %(day)s)
  WHERE p.cycle_id = %(cycle)s AND (%(only)s IS NULL OR p.id = %(only)s)
"""


FROM_ASSIGNMENTS = """
  SELECT a.participation_id, a.manager_id, 1, ARRAY[p.employee_id, a.manager_id]
  FROM cycles_assignment a JOIN cycles_participation p ON p.id = a.participation_id
  WHERE a.starts_on <= %(day)s AND (a.ends_on IS NULL OR a.ends_on >= %(day)s) AND p.id = ANY(%(only)s)
"""


def refresh_chains(cycle: Cycle, day: date, only: Participation | None = None) -> int:
    """Rewrite the line above whoever has another manager today than the line says; how many.

    A transfer with a date to come takes effect here, when the clock passes it.
    """
    current = Assignment.objects.current(day).filter(
        participation__cycle=cycle, participation__state=Participation.State.ACTIVE
    )
    # One row must say both: whoever gets the manager of their manager finds them in the line already.
    first = ChainLink.objects.filter(
        participation=OuterRef("participation"), distance=1, above=OuterRef("manager")
    )
    wrong = current.exclude(Exists(first))
    if only is not None:
        wrong = wrong.filter(participation=only)
    ids = list(wrong.values_list("participation_id", flat=True))
    if ids:
        ChainLink.objects.filter(participation__in=ids).delete()
        with connection.cursor() as cursor:
            cursor.execute(
                CHAIN.format(first=FROM_ASSIGNMENTS, insert=LINKS), {"day": day, "only": ids}
            )
    return len(ids)
