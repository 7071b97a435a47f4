"""The board of a cycle: everybody's state in every stage, what blocks whom, and reminding them.

A state is read from rows: the milestones that a person has reached, and the first day by which something
is due (`pmcycle.activity.models.Place`). Nothing is inferred from silence: where there was nothing to do,
the board says so. Counts are kept beside the rows, so that the page costs the same for any company.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.activity.models import ToDo
from pmcycle.cycles.models import Cycle, Stage
from pmcycle.home.contributions import MILESTONES
from pmcycle.home.rules import Badge
from pmcycle.kept import prepared
from pmcycle.people.models import Unit, User
from pmcycle.spelling import holding_sql
from pmcycle.typed import row_number

PER_PAGE = 25
MOST_EXPORTED = 200_000
BRANCHES_A_PAGE = 10
UNITS_TO_CHOOSE = 30

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

# With any of these a stage is done for a person; what is asked of them afterwards does not take it away.
DONE = ("goals_agreed", "rating_released", "acknowledged", "statement", "signed")

# Which of the two ways out the board proposes first, by cause.
WAY_OUT: dict[str, Any] = {
    "left": gettext_lazy("Hand over"),
    "away": gettext_lazy("Hand over or give more time"),
    "no_account": gettext_lazy("Hand over, or make the account"),
    "no_manager": gettext_lazy("Name a manager"),
}


# What is due of a place (or a count of places, `x`) on a day; "" where nothing is.
DUE_STATE = """CASE
  WHEN x.due_on IS NULL THEN ''
  WHEN x.cause <> '' THEN 'blocked'
  WHEN x.due_on < %(day)s THEN 'overdue'
  ELSE 'open'
END"""

# Where it stands, in a stage (`s`). Who has come to the end of a stage stays done, whatever is asked of them
# afterwards: that stands beside it. Who did all that was asked of them before a stage closed has missed nothing:
# HR may still release it. When the cycle ends, nothing comes any more.
STATE = f"""CASE
  WHEN x.milestone = ANY(%(done)s) THEN 'done'
  WHEN x.due_on IS NOT NULL THEN {DUE_STATE}
  WHEN x.is_missed OR (x.milestone <> '' AND %(is_over)s) THEN 'missed'
  WHEN x.milestone <> '' THEN 'under_way'
  WHEN s.state = 'planned' THEN 'planned'
  ELSE 'nothing'
END"""
# What is due of who is done.
BESIDE = f"CASE WHEN x.milestone = ANY(%(done)s) THEN {DUE_STATE} ELSE '' END"


def stands(
    stage: Stage, milestone: str, asked: Badge | None, nothing: Badge
) -> tuple[Badge, Badge | None]:
    """How a stage stands for one person in words, and what is asked beside it: the rule of `STATE` and `BESIDE`, for
    pages that know whose turn it is.

    `milestone` is the furthest that the person has reached in the stage, or "". Of who is not done it is said first
    what is asked, then how far they have come; `nothing` where neither is.
    """
    word = str(MILESTONES.get(milestone, ""))
    if milestone in DONE:
        return Badge("ok", word), asked
    if asked:
        return asked, None
    if word:
        return Badge("info", word), None
    return (
        Badge("mute", _("not open yet")) if stage.state == Stage.State.PLANNED else nothing
    ), None


# A line of no stage counts people; one of no unit the whole company.
COUNTS = f"""
SELECT x.unit_id, x.stage, CASE WHEN x.stage = '' THEN x.milestone || x.cause ELSE {STATE} END,
  CASE WHEN x.stage = '' THEN '' ELSE {BESIDE} END, sum(x.people)::int
FROM activity_placecount x LEFT JOIN cycles_stage s ON s.cycle_id = %(cycle)s AND s.kind = x.stage
WHERE x.cycle_id = %(cycle)s AND (x.unit_id = ANY(%(units)s) OR (%(is_whole)s AND x.unit_id IS NULL))
GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - constants; every value is a parameter

# The reader's own part, which the kept counts hold and the reader does not see; with the path of their unit.
OWN = f"""
SELECT coalesce(u.path, ''), s.kind, {STATE}, {BESIDE}, NULL::timestamptz
FROM cycles_participation p LEFT JOIN people_unit u ON u.id = p.unit_id
JOIN activity_place x ON x.participation_id = p.id
JOIN cycles_stage s ON s.cycle_id = p.cycle_id AND s.kind = x.stage
WHERE p.cycle_id = %(cycle)s AND p.employee_id = %(me)s AND p.state = 'active'
UNION ALL
SELECT coalesce(u.path, ''), '', m.kind, '', NULL
FROM cycles_participation p LEFT JOIN people_unit u ON u.id = p.unit_id
JOIN LATERAL (SELECT replace(p.state, 'active', '') AS kind
  UNION ALL SELECT kind FROM activity_milestone WHERE participation_id = p.id AND p.state = 'active') m ON true
WHERE p.cycle_id = %(cycle)s AND p.employee_id = %(me)s
"""  # noqa: S608 - constants; every value is a parameter

# When each milestone was last reached, by those whom the counts hold and the reader sees. Along the index from
# the newest on, so that as a rule few rows are read for any company.
LAST = """
UNION ALL
SELECT NULL, '', k.kind, '', last.at
FROM unnest(%(kinds)s::text[]) k (kind) CROSS JOIN LATERAL (
  SELECT m.at FROM activity_milestone m JOIN cycles_participation p ON p.id = m.participation_id
  LEFT JOIN people_unit u ON u.id = p.unit_id
  WHERE m.cycle_id = %(cycle)s AND m.kind = k.kind AND p.state = 'active'
    AND p.employee_id IS DISTINCT FROM %(me)s AND {scope}
  ORDER BY m.at DESC LIMIT 1
) last
"""

# The units by which a company is split: its roots, or what lies below the only one.
# The units right below: of the one that is chosen, of a partner, or of the top. The first ones, to choose from,
# and one page of them.
BELOW = """
WITH total AS (SELECT count(*) AS n FROM people_unit WHERE {which})
SELECT * FROM (
  (SELECT false AS is_branch, id, name, n FROM people_unit, total WHERE {which}
   ORDER BY parent_id, name LIMIT %(listed)s)
  UNION ALL
  (SELECT true, id, name, n FROM people_unit, total WHERE {which}
   ORDER BY parent_id, name LIMIT %(size)s OFFSET %(skip)s)
) found
"""
BELOW_CHOSEN, BELOW_PARTNER = "parent_id = %(chosen)s", "id = ANY(%(mine)s)"
BELOW_ROOT, BELOW_NOBODY = (
    "parent_id = (SELECT min(id) FROM people_unit WHERE parent_id IS NULL HAVING count(*) = 1)",
    "parent_id IS NULL",
)

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
    AND CASE WHEN p.state = 'left' THEN %(state)s = 'left' WHEN x.id IS NULL THEN
      %(state)s = CASE WHEN s.state = 'planned' THEN 'planned' ELSE 'nothing' END
      ELSE %(state)s IN ({STATE}, {BESIDE}) END)
"""  # noqa: S608 - constants; every value is a parameter

# Whom a blocked place waits for: who has left before who has no account before who is away.
CELLS = f"""
SELECT x.participation_id, x.stage, {STATE}, {BESIDE}, x.due_on, x.milestone, x.reached_at, x.cause, w.who
FROM activity_place x
JOIN cycles_participation p ON p.id = x.participation_id
JOIN cycles_stage s ON s.cycle_id = p.cycle_id AND s.kind = x.stage
LEFT JOIN LATERAL (
  SELECT (array_agg(r.name ORDER BY r.left_on < %(day)s DESC NULLS LAST, usr.id IS NULL DESC, away.id IS NOT NULL DESC,
      t.due_on))[1] AS who
  FROM activity_todo t
  JOIN people_employee r ON r.id = t.recipient_id
  LEFT JOIN people_user usr ON usr.employee_id = r.id AND usr.is_active
  LEFT JOIN people_absence away ON away.employee_id = r.id AND away.starts_on <= %(day)s
    AND (away.ends_on IS NULL OR away.ends_on >= greatest(t.due_on, %(day)s))
  WHERE t.about_id = p.employee_id AND t.cycle_id = p.cycle_id AND t.stage = x.stage AND t.phase = 'todo'
    AND t.due_on IS NOT NULL AND t.done_at IS NULL AND t.dropped_at IS NULL
    -- In here, so that nothing is read for the many that are not blocked.
    AND x.due_on IS NOT NULL AND x.cause <> ''
) w ON true
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
            name: str(query.get(name, "")).replace("\x00", "").strip()[:100]
            for name in cls.__annotations__
        }
        if row_number(values["unit"]) is None:
            values["unit"] = ""
        if values["state"] not in STATES:
            values["state"] = ""
        return cls(**values)


R = TypeVar("R")


@dataclass(frozen=True)
class Board:
    """One reader's look at a cycle on a day, narrowed to a unit with all below it.

    `tops` are the units whose people it is about (None: everybody), `units` the first ones (id, name) right
    below, to choose from, `branches` the page of them by which the counts are split.
    """

    cycle: Cycle
    user: User
    day: date
    unit: Unit | None
    tops: Sequence[int] | None
    units: Sequence[tuple[int, str]]
    branches: Page[tuple[int, str]]

    def ask(self, sql: str, *, is_kept: bool = False, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement, for the reader's people only: HR partners reach their units.

        `is_kept`: every board asks it, so each connection keeps its plan.
        """
        conditions = ["true"]
        given: dict[str, Any] = {
            "cycle": self.cycle.pk,
            "day": self.day,
            "me": self.user.employee_id,
            "done": list(DONE),
            "is_over": self.cycle.state != Cycle.State.RUNNING,
            **values,
        }
        if not self.user.standing.is_hr_admin:
            conditions.append("u.path LIKE ANY(%(reach)s)")
            given["reach"] = [f"{path}%" for path in self.user.standing.partner_paths]
        if self.unit:
            conditions.append("u.path LIKE %(within)s")
            given["within"] = f"{self.unit.path}%"
        whole = sql.replace("{scope}", " AND ".join(conditions))
        with connection.cursor() as cursor:
            if is_kept:
                statement, names = prepared(whole)
                statement.execute(cursor, [given[name] for name in names])
            else:
                cursor.execute(whole, given)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def look(cycle: Cycle, user: User, day: date, filters: Filters, page: int = 1) -> Board:
    """The board for this reader, with one page of the units below. One statement, another for a chosen unit."""
    reach = None if user.standing.is_hr_admin else _outermost(user.standing.partner_paths)
    unit = Unit.objects.filter(pk=int(filters.unit)).first() if filters.unit else None
    mine = None if reach is None else [_id_of(path) for path in reach]
    tops = mine
    if unit is not None:
        is_within = reach is None or any(unit.path.startswith(path) for path in reach)
        inside = [_id_of(path) for path in reach or () if path.startswith(unit.path)]
        tops = [unit.pk] if is_within else inside
    ways = (
        [BELOW_CHOSEN] if unit else [BELOW_ROOT, BELOW_NOBODY] if mine is None else [BELOW_PARTNER]
    )
    values = {
        "chosen": unit.pk if unit else None,
        "mine": mine,
        "listed": UNITS_TO_CHOOSE,
        "size": BRANCHES_A_PAGE,
    }
    rows: list[tuple[bool, int, str, int]] = []
    with connection.cursor() as cursor:
        for which in ways:
            if not rows:
                statement, names = prepared(BELOW.replace("{which}", which))
                given = {**values, "skip": (page - 1) * BRANCHES_A_PAGE}
                statement.execute(cursor, [given[name] for name in names])
                rows = cursor.fetchall()
    units = [(pk, name) for is_branch, pk, name, _n in rows if not is_branch]
    branches = [(pk, name) for is_branch, pk, name, _n in rows if is_branch]
    if not branches:
        # Beyond the last page is the first.
        page, branches = 1, units[:BRANCHES_A_PAGE]
    total = rows[0][3] if rows else 0
    return Board(
        cycle, user, day, unit, tops, units, page_of(branches, total, page, BRANCHES_A_PAGE)
    )


def _id_of(path: str) -> int:
    return int(path.rstrip("/").rpartition("/")[2])


def _outermost(paths: Iterable[str]) -> list[str]:
    """Those of these paths that lie within no other of them."""
    found: list[str] = []
    for path in sorted(paths):
        if not (found and path.startswith(found[-1])):
            found.append(path)
    return found


@dataclass(frozen=True)
class Counts:
    """How many people stand where: `states[stage, state]`, `reached[milestone]`, and both by branch.

    `beside[stage, state]` is how many of those who are done have something to do again, and `last[milestone]`
    when somebody last came so far.
    """

    people: int
    left: int
    states: Mapping[tuple[str, str], int]
    beside: Mapping[tuple[str, str], int]
    reached: Mapping[str, int]
    branches: Mapping[int, Counts]
    last: Mapping[str, datetime] = field(default_factory=dict)

    def due(self, state: str) -> int:
        """In how many stages of people something is due that is open, overdue or blocked."""
        both = (*self.states.items(), *self.beside.items())
        return sum(n for (_stage, name), n in both if name == state)


def _fold(rows: Iterable[tuple[str, str, str, int]], stages: Sequence[Stage]) -> Counts:
    states: Counter[tuple[str, str]] = Counter()
    beside: Counter[tuple[str, str]] = Counter()
    reached: Counter[str] = Counter()
    people = left = 0
    for kind, what, also, n in rows:
        if kind:
            states[kind, what] += n
            if also:
                beside[kind, also] += n
        elif what == "left":
            left += n
        elif what:
            reached[what] += n
        else:
            people += n
    for stage in stages:
        rest = people - sum(n for (of, _state), n in states.items() if of == stage.kind)
        states[stage.kind, "planned" if stage.state == Stage.State.PLANNED else "nothing"] += rest
    return Counts(people, left, states, beside, reached, {})


def counts(board: Board, stages: Sequence[Stage]) -> Counts:
    """How many people stand where, all and by branch. Two statements, whatever the size of the company."""
    rows: dict[int | None, list[tuple[str, str, str, int]]] = defaultdict(list)
    units = [*(board.tops or ()), *(pk for pk, _name in board.branches)]
    for unit, stage, what, also, n in board.ask(
        COUNTS, is_kept=True, units=units, is_whole=board.tops is None
    ):
        rows[unit].append((stage, what, also, n))
    last: dict[str, datetime] = {}
    for path, stage, what, also, at in board.ask(OWN + LAST, is_kept=True, kinds=list(MILESTONES)):
        if at is not None:
            last[what] = at
            continue
        for unit in (None, *map(int, filter(None, path.split("/")))):
            rows[unit].append((stage, what, also, -1))
    whole = [
        row for top in ([None] if board.tops is None else board.tops) for row in rows.get(top, ())
    ]
    branches = {pk: _fold(rows[pk], stages) for pk, _name in board.branches if pk in rows}
    return replace(_fold(whole, stages), branches=branches, last=last)


@dataclass
class Person:
    """One line of the board: `cells` holds per stage its state, due day, milestone, cause and whom it waits for,
    and under `beside` what is due of somebody who is done ("" where nothing is).

    `head` and `row` are its name and its cells as markup, where a page shows them.
    """

    pk: int
    employee: int
    name: str
    number: str
    unit: str
    cells: list[dict[str, Any]]
    head: str = ""
    row: str = ""

    @property
    def blocked(self) -> list[dict[str, Any]]:
        return [c for c in self.cells if "blocked" in (c["state"], c["beside"])]


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
        named, words = holding_sql("e.name", filters.q)
        narrowed += f" AND ({named} OR e.number = %(q)s)"
        given |= {**words, "q": filters.q}
    if filters.state:
        narrowed += f" AND {IN_STATE}"
        given |= {"stage": filters.stage, "state": filters.state}
    is_whole = known is not None and not narrowed
    sql = (
        PEOPLE.replace("{narrowed}", narrowed)
        .replace("{order}", ORDERS.get(sort, "e.sort_name, e.id"))
        .replace("{total}", "" if is_whole else ", count(*) OVER ()")
    )
    rows = board.ask(sql, is_kept=not narrowed, **given)
    cells: dict[int, dict[str, tuple[Any, ...]]] = {}
    for part, stage, *rest in (
        board.ask(CELLS, is_kept=True, parts=[row[0] for row in rows]) if rows else ()
    ):
        cells.setdefault(part, {})[stage] = tuple(rest)
    reached = {kind: str(word) for kind, word in MILESTONES.items()}
    found = [
        Person(
            pk,
            employee,
            name,
            number,
            unit,
            [_cell(s, name, state, cells.get(pk, {}).get(s.kind), reached) for s in stages],
        )
        for pk, name, number, unit, state, employee, *_total in rows
    ]
    if is_whole:
        return found, known or 0
    return found, rows[0][6] if rows else 0


def _cell(
    stage: Stage,
    name: str,
    part_state: str,
    place: tuple[Any, ...] | None,
    reached: Mapping[str, str],
) -> dict[str, Any]:
    state, beside, due_on, milestone, reached_at, cause, who = place or (
        "planned" if stage.state == Stage.State.PLANNED else "nothing",
        "",
        None,
        "",
        None,
        "",
        None,
    )
    if part_state == "left":
        state, beside = "left", ""
    why = cause if "blocked" in (state, beside) else ""
    own = WHY_SELF.get(why) if who == name else None
    words = str(own or WHY[why]) if why else ""
    return {
        "stage": stage,
        "state": state,
        "word": STATES[state],
        "beside": beside,
        "due_on": due_on or stage.due_on,
        "milestone": reached.get(milestone, ""),
        "reached_at": reached_at,
        "why": words % (who or _("nobody")) if "%s" in words else words,
        "way_out": WAY_OUT[why] if why else "",
        "cause": why,
    }


def page_of(rows: list[R], total: int, number: int, size: int = PER_PAGE) -> Page[R]:
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
    found = counts(look(cycle, user, day, Filters()), stages)
    due: Counter[str] = Counter()
    for (stage, state), n in (*found.states.items(), *found.beside.items()):
        due[stage] += n if state in DUE else 0
    sheets = (
        ToDo.objects.open().filter(cycle=cycle, stage="incentives", kind="incentives:sheet").count()
    )
    return Open(
        due=sum(due.values()),
        late=found.due("overdue"),
        by_stage=due,
        done={stage.kind: found.states.get((stage.kind, "done"), 0) for stage in stages},
        sheets=sheets,
    )
