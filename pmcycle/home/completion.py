"""The board of a cycle: everybody's state in every stage, what blocks whom, and reminding them.

What is open comes from every app's `open_items`; a stage that is open and has no open item for a
person is done for that person. All of it is counted in the database, whatever the size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.core.paginator import Page, Paginator
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.cycles.models import Cycle, Participation, Stage
from pmcycle.home.contributions import open_items_in_cycle
from pmcycle.people.models import User
from pmcycle.typed import row_number

PER_PAGE = 25
MOST_EXPORTED = 200_000

STATES: dict[str, Any] = {
    "done": gettext_lazy("done"),
    "open": gettext_lazy("open"),
    "overdue": gettext_lazy("overdue"),
    "blocked": gettext_lazy("blocked"),
    "missed": gettext_lazy("missed"),
    "planned": gettext_lazy("planned"),
    "left": gettext_lazy("has left"),
}

WHY: dict[str, Any] = {
    "left": gettext_lazy("waits for %s, who has left"),
    "away": gettext_lazy("waits for %s, who is away past the due day"),
    "no_account": gettext_lazy("waits for %s, who cannot sign in"),
    "no_manager": gettext_lazy("has no manager in this cycle"),
}

# The same where the one who must act is the person of the line.
WHY_SELF: dict[str, Any] = {
    "left": gettext_lazy("has left"),
    "away": gettext_lazy("is away past the due day"),
    "no_account": gettext_lazy("cannot sign in"),
}

# Which of the two ways out the board proposes first, by cause.
WAY_OUT: dict[str, Any] = {
    "left": gettext_lazy("Hand over"),
    "away": gettext_lazy("Hand over or give more time"),
    "no_account": gettext_lazy("Hand over, or make the account"),
    "no_manager": gettext_lazy("Name a manager"),
}

BOARD = """
WITH open(kind, subject, recipient, about, about_name, cycle, stage, due_on, phase) AS ({items}),
part AS (
  SELECT p.id, p.employee_id, p.unit_id, p.state, e.name, e.sort_name, e.number,
    coalesce(u.name, '') AS unit, coalesce(u.path, '') AS path,
    EXISTS (SELECT 1 FROM cycles_assignment a WHERE a.participation_id = p.id AND a.starts_on <= %s
      AND (a.ends_on IS NULL OR a.ends_on >= %s)) AS is_led
  FROM cycles_participation p JOIN people_employee e ON e.id = p.employee_id
  LEFT JOIN people_unit u ON u.id = p.unit_id
  WHERE p.cycle_id = %s AND p.id IN ({scope})
),
item AS (
  SELECT part.id AS part, open.stage, open.kind, open.due_on, open.recipient, r.name AS who, CASE
    WHEN r.left_on < %s THEN 'left'
    WHEN EXISTS (SELECT 1 FROM people_absence a WHERE a.employee_id = r.id AND a.starts_on <= %s
      AND (a.ends_on IS NULL OR a.ends_on >= greatest(open.due_on, %s))) THEN 'away'
    WHEN NOT EXISTS (SELECT 1 FROM people_user u WHERE u.employee_id = r.id AND u.is_active) THEN 'no_account'
  END AS why
  FROM open JOIN part ON part.employee_id = open.about AND part.state = 'active'
  LEFT JOIN people_employee r ON r.id = open.recipient
),
waiting AS (
  SELECT part, stage, count(*) AS n, min(due_on) AS due_on, min(why) AS why,
    (array_agg(who ORDER BY why NULLS LAST, due_on))[1] AS who
  FROM item GROUP BY part, stage
),
cell AS (
  SELECT part.id AS part, s.kind AS stage, s.position, w.n, w.who,
    coalesce(w.due_on, s.due_on) AS due_on,
    CASE WHEN w.why IS NOT NULL THEN w.why WHEN w.n > 0 AND NOT part.is_led THEN 'no_manager' END AS why,
    CASE
      WHEN part.state = 'left' THEN 'left'
      WHEN s.state = 'planned' THEN 'planned'
      WHEN w.n IS NULL THEN 'done'
      WHEN s.state = 'closed' THEN 'missed'
      WHEN w.why IS NOT NULL OR NOT part.is_led THEN 'blocked'
      WHEN w.due_on < %s THEN 'overdue'
      ELSE 'open'
    END AS state
  FROM part CROSS JOIN cycles_stage s LEFT JOIN waiting w ON w.part = part.id AND w.stage = s.kind
  WHERE s.cycle_id = %s
)
"""

FUNNEL = """
SELECT part.unit_id, part.unit, cell.stage, cell.state, count(*) FROM cell JOIN part ON part.id = cell.part
GROUP BY 1, 2, 3, 4 ORDER BY part.unit
"""

TABLE = """
, person AS (
  SELECT part, array_agg(state) AS states, json_object_agg(stage, json_build_object(
    'state', state, 'due_on', due_on, 'n', n, 'who', who, 'why', why)) AS cells
  FROM cell GROUP BY part
)
SELECT part.id, part.employee_id, part.name, part.number, part.unit, count(*) OVER (), person.cells
FROM part JOIN person ON person.part = part.id
WHERE (%s = '' OR part.name ILIKE %s OR part.number = %s)
  AND (%s = '' OR %s = ANY(person.states)) AND (%s = '' OR person.cells -> %s ->> 'state' = %s)
ORDER BY {order} LIMIT %s OFFSET %s
"""

CHASE = """
SELECT r.id, r.name, usr.id, count(*), min(item.due_on), r.left_on < %s,
  EXISTS (SELECT 1 FROM people_absence a WHERE a.employee_id = r.id AND a.starts_on <= %s
    AND (a.ends_on IS NULL OR a.ends_on >= %s)),
  EXISTS (SELECT 1 FROM activity_notice n WHERE n.key = 'chase:' || %s || ':' || usr.id || ':' || %s)
FROM item JOIN part ON part.id = item.part JOIN people_employee r ON r.id = item.recipient
JOIN cycles_stage s ON s.cycle_id = %s AND s.kind = item.stage AND s.state = 'open'
LEFT JOIN people_user usr ON usr.employee_id = r.id AND usr.is_active
WHERE (%s = '' OR item.stage = %s)
GROUP BY r.id, r.name, r.left_on, usr.id ORDER BY min(item.due_on), r.sort_name
"""


@dataclass(frozen=True)
class Filters:
    """What the reader has narrowed the board to."""

    q: str = ""
    unit: str = ""
    stage: str = ""
    state: str = ""

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> Filters:
        values = {
            name: str(query.get(name, "")).replace("\x00", "").strip()[:100] for name in cls.__annotations__
        }
        if row_number(values["unit"]) is None:
            values["unit"] = ""
        if values["state"] not in STATES:
            values["state"] = ""
        return cls(**values)


def _sql(cycle: Cycle, user: User, day: date, filters: Filters) -> tuple[str, list[Any]]:
    """The common part of every question to the board, with its parameters in order."""
    items, params = open_items_in_cycle(cycle.pk)
    people = Participation.objects.overseen_by(user).filter(cycle=cycle)
    if filters.unit:
        # Whoever stands in the unit or anywhere below it.
        people = people.filter(unit__path__regex=rf"(^|/){filters.unit}/")
    try:
        scope, scoped = people.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        scope, scoped = "SELECT 0", ()
    params += [day, day, cycle.pk, *scoped, day, day, day, day, cycle.pk]
    return BOARD.format(items=items, scope=scope), params


def _ask(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def funnel(cycle: Cycle, user: User, day: date, filters: Filters) -> list[tuple[Any, ...]]:
    """Counts by unit, stage and state: (unit id, unit, stage, state, people). One statement."""
    sql, params = _sql(cycle, user, day, filters)
    return _ask(sql + FUNNEL, params)


@dataclass(frozen=True)
class Person:
    """One line of the board: `cells` holds per stage its state, due day, cause and whom it waits for."""

    pk: int
    employee: int
    name: str
    number: str
    unit: str
    cells: list[dict[str, Any]]

    @property
    def blocked(self) -> list[dict[str, Any]]:
        return [c for c in self.cells if c["state"] == "blocked"]


def people(
    cycle: Cycle,
    stages: Sequence[Stage],
    user: User,
    day: date,
    filters: Filters,
    *,
    sort: str = "",
    page: int = 1,
    size: int = PER_PAGE,
) -> tuple[list[Person], int]:
    """One page of people with their states, and how many there are in all. One statement."""
    sql, params = _sql(cycle, user, day, filters)
    order = {
        "-name": "part.sort_name DESC, part.id",
        "unit": "part.unit, part.sort_name, part.id",
        "-unit": "part.unit DESC, part.sort_name, part.id",
    }.get(sort, "part.sort_name, part.id")
    words = filters.q.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    anywhere = "" if filters.stage else filters.state
    here = filters.state if filters.stage else ""
    given = [
        filters.q,
        f"%{words}%",
        filters.q,
        anywhere,
        anywhere,
        here,
        filters.stage,
        here,
        size,
        (page - 1) * size,
    ]
    rows = _ask(sql + TABLE.format(order=order), [*params, *given])
    found = []
    for pk, employee, name, number, unit, _total, cells in rows:
        by_stage = json.loads(cells) if isinstance(cells, str) else cells
        line = [_cell(stage, name, by_stage.get(stage.kind) or {"state": "planned"}) for stage in stages]
        found.append(Person(pk, employee, name, number, unit, line))
    return found, rows[0][5] if rows else 0


def _cell(stage: Stage, name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    due_on = date.fromisoformat(raw["due_on"]) if raw.get("due_on") else stage.due_on
    why = raw.get("why") if raw["state"] == "blocked" else None
    own = WHY_SELF.get(why or "") if raw.get("who") == name else None
    words = str(own or WHY[why]) if why else ""
    return {
        "stage": stage,
        "state": raw["state"],
        "word": STATES[raw["state"]],
        "due_on": due_on,
        "n": raw.get("n") or 0,
        "why": words % (raw.get("who") or _("nobody")) if "%s" in words else words,
        "way_out": WAY_OUT[why] if why else "",
        "cause": why or "",
    }


def page_of(rows: list[Person], total: int, number: int, size: int = PER_PAGE) -> Page[Person]:
    """A page over rows that the database has cut to size already."""
    pager = Paginator(rows, size)
    pager.count = total
    return Page(rows, max(1, min(number, pager.num_pages)), pager)


@dataclass(frozen=True)
class Chased:
    """Somebody with something open: `user_id` gets the reminder, unless `why` says why not."""

    name: str
    user_id: int | None
    count: int
    due_on: date
    why: str


def chase(cycle: Cycle, user: User, day: date, filters: Filters) -> list[Chased]:
    """Who would be reminded of what is open in the open stages, and who would not, and why. One statement."""
    sql, params = _sql(cycle, user, day, filters)
    given = [day, day, day, str(cycle.pk), day.isoformat(), cycle.pk, filters.stage, filters.stage]
    found = []
    for _pk, name, user_id, count, due_on, has_left, is_away, was_told in _ask(
        sql + CHASE, [*params, *given]
    ):
        why = ""
        if has_left:
            why = _("has left")
        elif user_id is None:
            why = _("cannot sign in: no account")
        elif is_away:
            why = _("is away today")
        elif was_told:
            why = _("was reminded today")
        found.append(Chased(name, user_id, count, due_on, why))
    return found


@dataclass(frozen=True)
class Open:
    """What is open in a cycle: people who have or wait for something, of whom late, by stage; things by kind."""

    people: int
    late: int
    by_stage: Mapping[str, int]
    by_kind: Mapping[str, int]


OPEN = """
WITH open(kind, subject, recipient, about, about_name, cycle, stage, due_on, phase) AS ({items}),
item AS (
  SELECT open.* FROM open JOIN cycles_participation p ON p.employee_id = open.about AND p.cycle_id = %s
  WHERE p.state = 'active' AND p.id IN ({scope})
)
SELECT grouping(kind), coalesce(kind, stage), count(DISTINCT about), count(DISTINCT (subject, about)),
  count(DISTINCT about) FILTER (WHERE due_on < %s)
FROM item GROUP BY GROUPING SETS ((), (stage), (kind))
"""


def open_in(cycle: Cycle, user: User, day: date) -> Open:
    """What is open in a cycle about the people whom HR follows, counted. One statement."""
    items, params = open_items_in_cycle(cycle.pk)
    people = Participation.objects.overseen_by(user).filter(cycle=cycle)
    try:
        scope, scoped = people.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        scope, scoped = "SELECT 0", ()
    rows = _ask(OPEN.format(items=items, scope=scope), [*params, cycle.pk, *scoped, day])
    whole = next(((n, late) for is_sum, name, n, _m, late in rows if is_sum and name is None), (0, 0))
    return Open(
        people=whole[0],
        late=whole[1],
        by_stage={name: n for is_sum, name, n, _m, _late in rows if is_sum and name is not None},
        by_kind={name: m for is_sum, name, _n, m, _late in rows if not is_sum},
    )
