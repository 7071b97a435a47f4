"""The board of a cycle: everybody's state in every stage, what blocks whom, and reminding them.

A state is read from rows: the milestones that a person has reached, and the first day by which something
is due (`pmcycle.activity.models.Place`). Nothing is inferred from silence: where there was nothing to do,
the board says so. Counts are kept beside the rows, so that the page costs the same for any company.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.activity.models import ToDo
from pmcycle.cycles.models import Cycle, Stage
from pmcycle.home.contributions import MILESTONES
from pmcycle.people.models import Unit, User
from pmcycle.typed import row_number

PER_PAGE = 25
MOST_EXPORTED = 200_000
MOST_BRANCHES = 40

STATES: dict[str, Any] = {
    "done": gettext_lazy("done"),
    "under_way": gettext_lazy("under way"),
    "open": gettext_lazy("open"),
    "overdue": gettext_lazy("overdue"),
    "blocked": gettext_lazy("blocked"),
    "missed": gettext_lazy("missed"),
    "nothing": gettext_lazy("nothing to do"),
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

# With the last of these a stage is done for a person; the one before still has the others to come.
DONE = ("goals_agreed", "rating_released", "acknowledged", "statement", "signed")

# Which of the two ways out the board proposes first, by cause.
WAY_OUT: dict[str, Any] = {
    "left": gettext_lazy("Hand over"),
    "away": gettext_lazy("Hand over or give more time"),
    "no_account": gettext_lazy("Hand over, or make the account"),
    "no_manager": gettext_lazy("Name a manager"),
}


# Where a place stands on a day. `x` is the place (or a count of places), `s` the stage; away is said apart.
STATE = """CASE
  WHEN x.due_on IS NOT NULL AND (x.cause <> '' OR {away}) THEN 'blocked'
  WHEN x.due_on < %(day)s THEN 'overdue'
  WHEN x.due_on IS NOT NULL THEN 'open'
  WHEN x.milestone = ANY(%(done)s) THEN 'done'
  WHEN x.is_missed OR (x.milestone <> '' AND s.state = 'closed') THEN 'missed'
  WHEN x.milestone <> '' THEN 'under_way'
  WHEN s.state = 'planned' THEN 'planned'
  ELSE 'nothing'
END"""

# Whoever must act about somebody is away beyond the day.
IS_AWAY = """EXISTS (SELECT 1 FROM activity_todo t JOIN people_absence a ON a.employee_id = t.recipient_id
    AND a.starts_on <= %(day)s AND (a.ends_on IS NULL OR a.ends_on >= greatest(t.due_on, %(day)s))
  WHERE t.about_id = p.employee_id AND t.cycle_id = p.cycle_id AND t.stage = x.stage AND t.phase = 'todo'
    AND t.due_on IS NOT NULL AND t.done_at IS NULL AND t.dropped_at IS NULL)"""

# {scope} is on the unit's path (u) and leaves out the reader. A line of no stage counts people.
COUNTS = f"""
WITH x AS (
  SELECT unit_id, stage, milestone, due_on, is_missed, cause, sum(people) AS people
  FROM activity_placecount WHERE cycle_id = %(cycle)s GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(people) <> 0
)
SELECT split_part(coalesce(u.path, ''), '/', %(depth)s), x.stage,
  CASE WHEN x.stage = '' THEN x.milestone || x.cause ELSE {STATE.format(away="false")} END, sum(x.people)::int
FROM x LEFT JOIN people_unit u ON u.id = x.unit_id
LEFT JOIN cycles_stage s ON s.cycle_id = %(cycle)s AND s.kind = x.stage
WHERE {{scope}} GROUP BY 1, 2, 3
"""  # noqa: S608 - constants; every value is a parameter

# What the kept counts cannot know, because it turns with the day: who is away past the due day.
AWAY = """
SELECT branch, stage, CASE WHEN due_on < %(day)s THEN 'overdue' ELSE 'open' END, count(*)::int FROM (
  SELECT DISTINCT split_part(coalesce(u.path, ''), '/', %(depth)s) AS branch, x.stage, x.due_on, x.id
  FROM people_absence a
  JOIN activity_todo t ON t.recipient_id = a.employee_id AND t.cycle_id = %(cycle)s AND t.phase = 'todo'
    AND t.done_at IS NULL AND t.dropped_at IS NULL AND t.due_on IS NOT NULL
    AND (a.ends_on IS NULL OR a.ends_on >= greatest(t.due_on, %(day)s))
  JOIN cycles_participation p ON p.cycle_id = t.cycle_id AND p.employee_id = t.about_id AND p.state = 'active'
  JOIN activity_place x ON x.participation_id = p.id AND x.stage = t.stage AND x.cause = ''
  LEFT JOIN people_unit u ON u.id = p.unit_id
  WHERE a.starts_on <= %(day)s AND (a.ends_on IS NULL OR a.ends_on >= %(day)s) AND {scope}
    AND p.employee_id IS DISTINCT FROM %(me)s
) found GROUP BY 1, 2, 3
"""

# The reader's own part, which the kept counts hold and the reader does not see.
OWN = f"""
SELECT split_part(coalesce(u.path, ''), '/', %(depth)s), s.kind, {STATE.format(away="false")}, -1
FROM cycles_participation p LEFT JOIN people_unit u ON u.id = p.unit_id
JOIN activity_place x ON x.participation_id = p.id
JOIN cycles_stage s ON s.cycle_id = p.cycle_id AND s.kind = x.stage
WHERE p.cycle_id = %(cycle)s AND p.employee_id = %(me)s AND p.state = 'active' AND {{scope}}
UNION ALL
SELECT split_part(coalesce(u.path, ''), '/', %(depth)s), '', m.kind, -1
FROM cycles_participation p LEFT JOIN people_unit u ON u.id = p.unit_id
JOIN LATERAL (SELECT replace(p.state, 'active', '') AS kind
  UNION ALL SELECT kind FROM activity_milestone WHERE participation_id = p.id AND p.state = 'active') m ON true
WHERE p.cycle_id = %(cycle)s AND p.employee_id = %(me)s AND {{scope}}
"""  # noqa: S608 - constants; every value is a parameter

PEOPLE = """
SELECT p.id, e.name, e.number, coalesce(u.name, ''), p.state, p.employee_id{total}
FROM cycles_participation p
JOIN people_employee e ON e.id = p.employee_id
LEFT JOIN people_unit u ON u.id = p.unit_id
WHERE p.cycle_id = %(cycle)s AND p.employee_id IS DISTINCT FROM %(me)s AND {scope}{narrowed}
ORDER BY {order} LIMIT %(size)s OFFSET %(skip)s
"""

IN_STATE = f"""EXISTS (
  SELECT 1 FROM cycles_stage s
  LEFT JOIN activity_place x ON x.participation_id = p.id AND x.stage = s.kind
  WHERE s.cycle_id = p.cycle_id AND (%(stage)s = '' OR s.kind = %(stage)s)
    AND %(state)s = CASE WHEN p.state = 'left' THEN 'left' WHEN x.id IS NULL THEN
      CASE WHEN s.state = 'planned' THEN 'planned' ELSE 'nothing' END ELSE {STATE.format(away=IS_AWAY)} END)
"""  # noqa: S608 - constants; every value is a parameter

CELLS = f"""
SELECT x.participation_id, x.stage, {STATE.format(away="coalesce(w.is_away, false)")}, x.due_on, x.milestone,
  x.reached_at, x.cause, coalesce(w.is_away, false), coalesce(w.n, 0), w.who
FROM activity_place x
JOIN cycles_participation p ON p.id = x.participation_id
JOIN cycles_stage s ON s.cycle_id = p.cycle_id AND s.kind = x.stage
LEFT JOIN LATERAL (
  SELECT count(*) AS n, bool_or(away.id IS NOT NULL) AS is_away,
    (array_agg(r.name ORDER BY r.left_on < %(day)s DESC NULLS LAST, usr.id IS NULL DESC, away.id IS NOT NULL DESC,
      t.due_on))[1] AS who
  FROM activity_todo t
  JOIN people_employee r ON r.id = t.recipient_id
  LEFT JOIN people_user usr ON usr.employee_id = r.id AND usr.is_active
  LEFT JOIN people_absence away ON away.employee_id = r.id AND away.starts_on <= %(day)s
    AND (away.ends_on IS NULL OR away.ends_on >= greatest(t.due_on, %(day)s))
  WHERE t.about_id = p.employee_id AND t.cycle_id = p.cycle_id AND t.stage = x.stage AND t.phase = 'todo'
    AND t.due_on IS NOT NULL AND t.done_at IS NULL AND t.dropped_at IS NULL
) w ON x.due_on IS NOT NULL
WHERE x.participation_id = ANY(%(parts)s)
"""  # noqa: S608 - constants; every value is a parameter

CHASE = """
SELECT r.id, r.name, usr.id, count(*), min(t.due_on), r.left_on < %(day)s OR EXISTS (
    SELECT 1 FROM cycles_participation gone
    WHERE gone.cycle_id = %(cycle)s AND gone.employee_id = r.id AND gone.state = 'left'),
  EXISTS (SELECT 1 FROM people_absence a WHERE a.employee_id = r.id AND a.starts_on <= %(day)s
    AND (a.ends_on IS NULL OR a.ends_on >= %(day)s)),
  EXISTS (SELECT 1 FROM activity_notice n WHERE n.key = 'chase:' || %(cycle)s || ':' || usr.id || ':' || %(day)s)
FROM activity_todo t
JOIN people_employee r ON r.id = t.recipient_id
JOIN cycles_participation p ON p.cycle_id = t.cycle_id AND p.employee_id = t.about_id AND p.state = 'active'
LEFT JOIN people_unit u ON u.id = p.unit_id
LEFT JOIN people_user usr ON usr.employee_id = r.id AND usr.is_active
WHERE t.cycle_id = %(cycle)s AND t.phase = 'todo' AND t.done_at IS NULL AND t.dropped_at IS NULL
  AND t.due_on IS NOT NULL AND (t.opens_at IS NULL OR t.opens_at <= %(now)s)
  AND (t.ends_at IS NULL OR t.ends_at > %(now)s)
  AND p.employee_id IS DISTINCT FROM %(me)s AND (%(stage)s = '' OR t.stage = %(stage)s) AND {scope}
GROUP BY r.id, r.name, r.left_on, usr.id ORDER BY min(t.due_on), r.sort_name
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


@dataclass(frozen=True)
class Board:
    """One reader's look at a cycle on a day, narrowed to a unit with all below it.

    `branches` are the units (id, name) by which the counts are split; they stand `depth` steps down.
    """

    cycle: Cycle
    user: User
    day: date
    unit: Unit | None
    depth: int
    branches: Sequence[tuple[str, str]]

    def ask(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement, for the reader's people only: HR partners reach their units."""
        conditions = ["true"]
        given: dict[str, Any] = {
            "cycle": self.cycle.pk, "day": self.day, "me": self.user.employee_id, "done": list(DONE),
            "depth": self.depth, **values,
        }  # fmt: skip
        if not self.user.standing.is_hr_admin:
            conditions.append("u.path LIKE ANY(%(reach)s)")
            given["reach"] = [f"{path}%" for path in self.user.standing.partner_paths]
        if self.unit:
            conditions.append("u.path LIKE %(within)s")
            given["within"] = f"{self.unit.path}%"
        with connection.cursor() as cursor:
            cursor.execute(sql.replace("{scope}", " AND ".join(conditions)), given)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def look(cycle: Cycle, user: User, day: date, filters: Filters) -> Board:
    """The board for this reader. A company with one root unit is split by what lies below it."""
    unit = Unit.objects.filter(pk=int(filters.unit)).first() if filters.unit else None
    parts = Unit.objects.order_by("name")
    if unit is None:
        roots = list(parts.filter(parent__isnull=True)[: MOST_BRANCHES + 1])
        if len(roots) != 1:
            return Board(cycle, user, day, None, 1, [(str(u.pk), u.name) for u in roots[:MOST_BRANCHES]])
        depth, parts = 2, parts.filter(parent=roots[0])
    else:
        depth, parts = unit.path.count("/") + 1, parts.filter(parent=unit)
    return Board(cycle, user, day, unit, depth, [(str(u.pk), u.name) for u in parts[:MOST_BRANCHES]])


@dataclass(frozen=True)
class Counts:
    """How many people stand where: `states[stage, state]`, `reached[milestone]`, and both by branch."""

    people: int
    left: int
    states: Mapping[tuple[str, str], int]
    reached: Mapping[str, int]
    branches: Mapping[str, Counts]


def _fold(rows: Iterable[tuple[str, str, str, int]], stages: Sequence[Stage]) -> Counts:
    states: Counter[tuple[str, str]] = Counter()
    reached: Counter[str] = Counter()
    people = left = 0
    for _branch, kind, what, n in rows:
        if kind:
            states[kind, what] += n
        elif what == "left":
            left += n
        elif what:
            reached[what] += n
        else:
            people += n
    for stage in stages:
        rest = people - sum(n for (of, _state), n in states.items() if of == stage.kind)
        states[stage.kind, "planned" if stage.state == Stage.State.PLANNED else "nothing"] += rest
    return Counts(people, left, states, reached, {})


def counts(board: Board, stages: Sequence[Stage]) -> Counts:
    """How many people stand where, all and by branch. Two statements."""
    rows: list[tuple[str, str, str, int]] = []
    own = board.ask(OWN) if board.user.employee_id else []
    for branch, stage, what, n in [*board.ask(COUNTS), *own]:
        rows.append((branch, stage, what, n))
    for branch, stage, state, n in board.ask(AWAY):
        rows += [(branch, stage, state, -n), (branch, stage, "blocked", n)]
    by_branch = {pk: _fold([row for row in rows if row[0] == pk], stages) for pk in {row[0] for row in rows}}
    whole = _fold(rows, stages)
    return replace(whole, branches=by_branch)


@dataclass(frozen=True)
class Person:
    """One line of the board: `cells` holds per stage its state, due day, milestone, cause and whom it waits for."""

    pk: int
    employee: int
    name: str
    number: str
    unit: str
    cells: list[dict[str, Any]]

    @property
    def blocked(self) -> list[dict[str, Any]]:
        return [c for c in self.cells if c["state"] == "blocked"]


ORDERS = {
    "-name": "e.sort_name DESC, e.id DESC",
    "unit": "u.name, e.sort_name, e.id",
    "-unit": "u.name DESC, e.sort_name, e.id",
}


def people(
    board: Board,
    stages: Sequence[Stage],
    filters: Filters,
    *,
    known: int | None = None,
    sort: str = "",
    page: int = 1,
    size: int = PER_PAGE,
) -> tuple[list[Person], int]:
    """One page of people with their states, and how many there are in all. Two statements.

    `known` is their number where the counts have it (nobody is filtered out); else it is counted here.
    """
    narrowed = ""
    given: dict[str, Any] = {"size": size, "skip": (page - 1) * size}
    if filters.q:
        words = filters.q.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        narrowed += " AND (e.name ILIKE %(words)s OR e.number = %(q)s)"
        given |= {"words": f"%{words}%", "q": filters.q}
    if filters.state:
        narrowed += f" AND {IN_STATE}"
        given |= {"stage": filters.stage, "state": filters.state}
    is_whole = known is not None and not narrowed
    sql = (
        PEOPLE.replace("{narrowed}", narrowed)
        .replace("{order}", ORDERS.get(sort, "e.sort_name, e.id"))
        .replace("{total}", "" if is_whole else ", count(*) OVER ()")
    )
    rows = board.ask(sql, **given)
    cells: dict[int, dict[str, tuple[Any, ...]]] = {}
    for part, stage, *rest in board.ask(CELLS, parts=[row[0] for row in rows]) if rows else ():
        cells.setdefault(part, {})[stage] = tuple(rest)
    found = [
        Person(
            pk, employee, name, number, unit, [_cell(s, name, state, cells.get(pk, {}).get(s.kind)) for s in stages]
        )
        for pk, name, number, unit, state, employee, *_total in rows
    ]  # fmt: skip
    if is_whole:
        return found, known or 0
    return found, rows[0][6] if rows else 0


def _cell(stage: Stage, name: str, part_state: str, place: tuple[Any, ...] | None) -> dict[str, Any]:
    state, due_on, milestone, reached_at, cause, is_away, n, who = place or (
        "planned" if stage.state == Stage.State.PLANNED else "nothing", None, "", None, "", False, 0, None,
    )  # fmt: skip
    if part_state == "left":
        state = "left"
    why = (cause or ("away" if is_away else "")) if state == "blocked" else ""
    own = WHY_SELF.get(why) if who == name else None
    words = str(own or WHY[why]) if why else ""
    return {
        "stage": stage,
        "state": state,
        "word": STATES[state],
        "due_on": due_on or stage.due_on,
        "n": n,
        "milestone": MILESTONES.get(milestone, ""),
        "reached_at": reached_at,
        "why": words % (who or _("nobody")) if "%s" in words else words,
        "way_out": WAY_OUT[why] if why else "",
        "cause": why,
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


def chase(board: Board, filters: Filters, now: datetime) -> list[Chased]:
    """Who would be reminded of what is open, and who would not, and why. One statement."""
    found = []
    for _pk, name, user_id, count, due_on, has_left, is_away, was_told in board.ask(
        CHASE, stage=filters.stage, now=now
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
    """What is open in a cycle, counted in people and stages: what is due, of it what is late, by stage; who is done.

    `sheets` is how many teams are not handed in.
    """

    due: int
    late: int
    by_stage: Mapping[str, int]
    done: Mapping[str, int]
    sheets: int


DUE = ("open", "overdue", "blocked")


def open_in(cycle: Cycle, user: User, day: date) -> Open:
    """What is open in a cycle about the people whom HR follows, from the counts of the board."""
    stages = list(cycle.stages.all())
    states = counts(look(cycle, user, day, Filters()), stages).states
    due: Counter[str] = Counter()
    for (stage, state), n in states.items():
        due[stage] += n if state in DUE else 0
    sheets = ToDo.objects.open().filter(cycle=cycle, stage="incentives", kind="incentives:sheet").count()
    return Open(
        due=sum(due.values()),
        late=sum(n for (_stage, state), n in states.items() if state == "overdue"),
        by_stage=due,
        done={stage.kind: states.get((stage.kind, "done"), 0) for stage in stages},
        sheets=sheets,
    )
