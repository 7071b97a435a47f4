"""What stands against launching, and what HR accepts with its eyes open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pmcycle.activity.actions import record
from pmcycle.cycles import rules
from pmcycle.cycles.actions.locking import lock_draft
from pmcycle.cycles.actions.work import link, stage_work
from pmcycle.cycles.models import (
    AcceptedWarning,
    Cycle,
    Stage,
    population,
)
from pmcycle.cycles.rules import Check, Finding
from pmcycle.errors import Refused
from pmcycle.people.models import Employee, User, calendar

# One pass over the population: every person with what stands in their way. The loop is searched
# upward from everybody, at most fifty steps, because lines written by other tools may be closed; who
# stands in one is joined, because EXISTS would read the whole of `up` once for every person.
CHECK = """
WITH RECURSIVE pop(id) AS ({population}),
line AS (
  SELECT employee_id, manager_id FROM people_reportingline
  WHERE kind = 'line' AND starts_on <= %s AND (ends_on IS NULL OR ends_on >= %s)
),
up(start, above, step) AS (
  SELECT line.employee_id, line.manager_id, 1 FROM line JOIN pop ON pop.id = line.employee_id
  UNION
  SELECT up.start, line.manager_id, up.step + 1 FROM up JOIN line ON line.employee_id = up.above
  WHERE up.above <> up.start AND up.step < 50
),
flagged AS (
  SELECT e.id, e.name, e.sort_name, unnest(array_remove(ARRAY[
    CASE WHEN line.manager_id IS NULL THEN 'no_manager' END,
    CASE WHEN m.left_on < %s OR m.hired_on > %s THEN 'manager_left' END,
    CASE WHEN EXISTS (SELECT 1 FROM people_absence a WHERE a.employee_id = m.id AND a.starts_on <= %s
      AND (a.ends_on IS NULL OR a.ends_on >= %s)) THEN 'manager_away' END,
    CASE WHEN looped.start IS NOT NULL THEN 'loop' END,
    CASE WHEN e.email = '' THEN 'no_email' END,
    CASE WHEN NOT EXISTS (SELECT 1 FROM people_user u WHERE u.employee_id = e.id AND u.is_active)
      THEN 'no_account' END,
    CASE WHEN EXISTS (SELECT 1 FROM cycles_participation p JOIN cycles_cycle c ON c.id = p.cycle_id
      WHERE p.employee_id = e.id AND p.state = 'active' AND c.state = 'running'
      AND c.first_day <= %s AND c.last_day >= %s) THEN 'other_cycle' END
  ], NULL)) AS code
  FROM people_employee e JOIN pop ON pop.id = e.id
  LEFT JOIN line ON line.employee_id = e.id LEFT JOIN people_employee m ON m.id = line.manager_id
  LEFT JOIN (SELECT DISTINCT start FROM up WHERE above = start) looped ON looped.start = e.id
)
SELECT 'eligible' AS code, count(*), NULL::text[], NULL::bigint FROM pop
UNION ALL
SELECT 'levels', count(*), NULL, NULL FROM cycles_ratinglevel l JOIN cycles_ratingscale s ON s.id = l.scale_id
WHERE s.cycle_id = %s
UNION ALL
SELECT 'accepted ' || code, count, NULL, NULL FROM cycles_acceptedwarning WHERE cycle_id = %s
UNION ALL
SELECT code, count(*), (array_agg(name ORDER BY sort_name))[1:5], (array_agg(id ORDER BY sort_name))[1]
FROM flagged GROUP BY code
"""


def check(
    cycle: Cycle,
    *,
    on: date | None = None,
    people: QuerySet[Employee] | None = None,
    stages: Sequence[Stage] | None = None,
) -> Check:
    """Everything that stands against launching, and what of it HR has accepted. A constant number of statements.

    `people` (the population of the day) and `stages` spare a statement to who has asked for them.
    """
    day = on or cycle.local_day(timezone.now())
    people = population(cycle, day) if people is None else people
    rows = _rows(cycle, people, day)
    accepted = {
        code.removeprefix("accepted "): rows.pop(code)[0] for code in list(rows) if " " in code
    }
    count = rows["eligible"][0]
    found = _people_findings(cycle, rows)
    found += rules.date_findings(
        [s.dates for s in (cycle.stages.all() if stages is None else stages)],
        first=cycle.first_day,
        last=cycle.last_day,
        today=day,
        may_overlap=cycle.stages_may_overlap,
        calendar=calendar(),
        url=link("cycles:configure", pk=cycle.pk, step="stages"),
    )
    for work in stage_work().values():
        for step in work.checks:
            found += step(cycle, people)
    return Check(sorted(found, key=lambda f: not f.is_error), count, accepted)


def _rows(
    cycle: Cycle, people: QuerySet[Employee], day: date
) -> dict[str, tuple[int, list[str], int]]:
    """By code what `CHECK` counts: for how many it holds, the first names, the first person's id."""
    try:
        sql, params = people.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:  # Django knows without asking that nobody fits
        sql, params = "SELECT id FROM people_employee WHERE false", ()
    period = (cycle.last_day, cycle.first_day)
    with connection.cursor() as cursor:
        cursor.execute(
            CHECK.format(population=sql), [*params, *[day] * 6, *period, cycle.pk, cycle.pk]
        )
        return {code: (count, names, first) for code, count, names, first in cursor.fetchall()}


def _people_findings(cycle: Cycle, rows: Mapping[str, tuple[int, list[str], int]]) -> list[Finding]:
    who = link("cycles:configure", pk=cycle.pk, step="who")
    found: list[Finding] = []
    if rows["levels"][0] < 2:
        sentence = _("The rating scale has fewer than two levels.")
        url = link("cycles:configure", pk=cycle.pk, step="rating")
        found.append(
            Finding("rating:levels", sentence, is_error=True, url=url, fix=_("Change the scale"))
        )
    if not rows["eligible"][0]:
        sentence = _("Nobody fits the rule of who takes part.")
        found.append(
            Finding(
                "people:nobody", sentence, is_error=True, url=who, fix=_("Change who takes part")
            )
        )
    for code, (is_error, sentence_of, fix) in _people_words().items():
        if code not in rows:
            continue
        count, names, first = rows[code]
        url = who if code == "other_cycle" else link("people:profile", pk=first)
        if code == "no_account":
            url = link("people:accounts") or url
        sentence = sentence_of(count) % {"n": count}
        found.append(Finding(f"people:{code}", sentence, is_error, count, tuple(names), url, fix))
    return found


def _people_words() -> dict[str, tuple[bool, Callable[[int], str], str]]:
    """Per flag of the check: whether it refuses, its sentence for a count, and the word for its fix."""
    return {
        "loop": (
            True,
            lambda n: ngettext(
                "%(n)d person stands in a circle of managers, so nobody is above them.",
                "%(n)d people report to each other in a circle, so nobody is above them.",
                n,
            ),
            _("Mend the line"),
        ),
        "no_manager": (
            False,
            lambda n: ngettext(
                "%(n)d person has no manager: nobody can agree goals with them or appraise them.",
                "%(n)d people have no manager: nobody can agree goals with them or appraise them.",
                n,
            ),
            _("Name a manager"),
        ),
        "manager_left": (
            False,
            lambda n: ngettext(
                "%(n)d person reports to somebody who is not here; the next one up the line takes over.",
                "%(n)d people report to somebody who is not here; the next one up the line takes over.",
                n,
            ),
            _("Name a manager"),
        ),
        "manager_away": (
            False,
            lambda n: ngettext(
                "%(n)d person reports to somebody who is away today.",
                "%(n)d people report to somebody who is away today.",
                n,
            ),
            _("See the person"),
        ),
        "no_email": (
            False,
            lambda n: ngettext(
                "%(n)d person has no e-mail address, so no reminder reaches them.",
                "%(n)d people have no e-mail address, so no reminder reaches them.",
                n,
            ),
            _("Add the address"),
        ),
        "no_account": (
            False,
            lambda n: ngettext(
                "%(n)d person cannot sign in: they have no account.",
                "%(n)d people cannot sign in: they have no account.",
                n,
            ),
            _("Make accounts"),
        ),
        "other_cycle": (
            False,
            lambda n: ngettext(
                "%(n)d person already takes part in a running cycle of the same days.",
                "%(n)d people already take part in a running cycle of the same days.",
                n,
            ),
            _("Change who takes part"),
        ),
    }


def accept_warning(cycle: Cycle, code: str, count: int, *, by: User) -> AcceptedWarning:
    """HR has read a warning and goes on. Refused if it has grown or gone since it was read."""
    with transaction.atomic():
        locked = lock_draft(cycle)
        finding = next(
            (f for f in check(locked).findings if f.code == code and not f.is_error), None
        )
        if finding is None:
            raise Refused(_("This warning no longer holds. Look at the check again."))
        if finding.count > count:
            raise Refused(
                _("It now holds for %(now)d, not for %(read)d. Read it again.")
                % {"now": finding.count, "read": count}
            )
        accepted, _made = AcceptedWarning.objects.update_or_create(
            cycle=locked, code=code, defaults={"count": finding.count, "by": by}
        )
        record(
            "accepted_warning",
            locked,
            by=by,
            stream=f"cycle:{cycle.pk}",
            code=code,
            count=finding.count,
        )
    return accepted
