"""Bringing what is open up to what the definitions say, in the transaction of the act."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction
from django.utils import timezone

from pmcycle.activity.actions import definitions as todos
from pmcycle.activity.actions.definitions import (
    OF_ALL,
    OF_CYCLE,
    OF_NOBODY,
    OF_PEOPLE,
    Scope,
)
from pmcycle.activity.models import UNITS
from pmcycle.activity.rules import DROPPING, FINISHING
from pmcycle.days import day_of, today_for_relations

if TYPE_CHECKING:
    from pmcycle.people.models import User

# From so many people on, planning for them is worth its time, and the database's function is not.
MANY = 50
ALL = ("people", "matters", "milestones")
HOLD = {OF_PEOPLE: todos.HOLD_PEOPLE, OF_CYCLE: todos.HOLD_CYCLE, OF_ALL: todos.HOLD_ALL}
# Everybody is settled so many at a time: long enough to be worth a transaction, short enough to be waited for.
PART = 250
# The verb of what brings rows up to their definitions where these have changed: an upgrade, or a repair by hand.
REPAIRED = "repaired"
UNKNOWN = f"{todos.IS_OPEN} AND t.kind <> ALL(%s::text[])"
# Whatever happens here touches what is open in every app, and for everybody near.
WIDE = ("cycles", "people")


def settle(
    verb: str,
    subject: models.Model | str,
    about: Collection[int],
    *,
    by: User | None,
    at: datetime | None = None,
) -> None:
    """Open, finish and move what an act on `subject` changed for these employees.

    `record` calls this, so an action need not. What vanishes was done, by that person and now; after a
    verb of `DROPPING`, or of company and cycle, it was dropped, and the verb says why. What ran out before,
    while the clock is late, was dropped by the day. `subject` is a row or an app's name. About nobody, it
    is about what waits for HR in the app.
    """
    app = subject if isinstance(subject, str) else subject._meta.app_label
    wide, known = app in WIDE, todos.definitions().get(app)
    if not (wide and about) and not (known and (about or known.matters)):
        return
    apps = list(todos.definitions()) if wide else [app]
    why = _why(verb, is_wide=wide)
    if len(about) > MANY:
        who = _near(about) if wide else sorted(about)
        _run(apps, OF_PEOPLE, why, by=by, at=at, is_wide=wide, who=who)
        return
    values: list[Any] = [
        apps,
        sorted(about),
        wide,
        today_for_relations(),
        at or timezone.now(),
        by.pk if by else None,
        why,
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT todo_act(%s::text[], %s::bigint[], %s, %s, %s, %s, %s)", values)


def settle_cycle(
    verb: str,
    cycle: models.Model | int,
    *,
    by: User | None,
    at: datetime | None = None,
    apps: Sequence[str] | None = None,
) -> None:
    """The same for everything of one cycle: launched, a stage opened or closed, many people moved."""
    pk = cycle if isinstance(cycle, int) else cycle.pk
    why = _why(verb, is_wide=apps is None)
    _run(
        list(apps or todos.definitions()),
        OF_CYCLE,
        why,
        by=by,
        at=at,
        is_wide=apps is None,
        cycle=pk,
    )


def settle_all(verb: str, *, by: User | None, cycle: int | None = None) -> None:
    """The same for everybody (or all in a cycle), a part at a time: when the day turns, after an import, to repair.

    Each part is a transaction that locks its own people and no others, so an act waits for one part at
    most, and only where it is about somebody in it. Killed, it is run again: what is as defined is not touched.
    Never call it in a transaction, which would hold the locks of all parts to its end.
    """
    actor = by.pk if by else None
    if verb == REPAIRED:
        _drop_unknown()
    later: list[int] = []
    for who in _parts(cycle):
        later += _settle_part(who, actor, verb)
    while later:
        # Somebody acts on them just now. Nothing is held while that is waited for.
        _ask(
            "SELECT pg_advisory_xact_lock(hashtextextended('employee:' || %s::bigint, 7201))",
            [later[0]],
        )
        later = later[PART:] + _settle_part(later[:PART], actor, verb)
    _ask("SELECT todo_nobody(%s, %s, %s, %s)", [today_for_relations(), timezone.now(), actor, verb])


def _drop_unknown() -> None:
    """Drop what is open of a kind that no definition has any more: an earlier version opened it, and nothing else
    would ever end it. Before the places are made anew, which count it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE activity_todo t SET dropped_at = %s, dropped_why = %s WHERE {UNKNOWN}",  # noqa: S608 - constants
            [timezone.now(), REPAIRED, _kinds()],
        )


def _kinds() -> list[str]:
    """The kinds of all that can be open."""
    parts = [(app, part) for app in todos.definitions() for part in ("people", "matters")]
    return [kind for app, part in parts for kind in todos.union_of(app, part)[1]]


def _settle_part(who: list[int], actor: int | None, why: str) -> list[int]:
    """Settle for those of these people on whom nobody acts at the moment; the others."""
    values = [who, today_for_relations(), timezone.now(), actor, why]
    left: list[int] = _ask("SELECT todo_part(%s::bigint[], %s, %s, %s, %s)", values)
    return left


def _parts(cycle: int | None) -> Iterator[list[int]]:
    """Everybody's keys, or of all who ever were in a cycle, `PART` at a time and in their order."""
    source = "SELECT id FROM people_employee"
    if cycle is not None:
        source = (
            "SELECT DISTINCT employee_id AS id FROM cycles_participation WHERE cycle_id = %(cycle)s"
        )
    text = (
        f"SELECT ARRAY(SELECT id FROM ({source}) who WHERE id > %(last)s ORDER BY id LIMIT {PART})"  # noqa: S608 - constants
    )
    last = 0
    while who := _ask(text, {"cycle": cycle, "last": last}):
        yield who
        last = who[-1]


def _ask(text: str, values: Sequence[Any] | Mapping[str, Any]) -> Any:
    """The one value of a statement that is a transaction of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchone()[0]


def settle_roles(verb: str, *, by: User | None) -> None:
    """The same where somebody became or ceased to be HR: to whom a matter is put depends on who is."""
    apps = [app for app, defined in todos.definitions().items() if defined.matters]
    _run(apps, OF_ALL, verb, by=by, parts=("matters",))


def _near(people: Collection[int]) -> list[int]:
    """These people, whom they write about and who writes about them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT todo_near(%s, %s)", [sorted(people), today_for_relations()])
        return sorted((cursor.fetchone() or [None])[0] or people)


def _why(verb: str, *, is_wide: bool) -> str:
    """Why what vanishes after a verb was dropped; "" if it was done."""
    drops = verb not in FINISHING if is_wide else verb in DROPPING
    return verb if drops else ""


def _run(
    apps: Sequence[str],
    scope: Scope,
    why: str,
    *,
    by: User | None,
    at: datetime | None = None,
    is_wide: bool = True,
    parts: Sequence[str] = ALL,
    **values: Any,
) -> None:
    """Run the statements for many, each planned for what it is about."""
    given = {
        "day": today_for_relations(),
        "at": at or timezone.now(),
        "actor": by.pk if by else None,
        "why": why,
        **values,
    }
    touched: set[int] = set()
    wanted = [(part, scope) for part in parts]
    if scope is OF_PEOPLE:
        wanted.append(("matters", OF_NOBODY))
    with transaction.atomic(), connection.cursor() as cursor:

        def run(text: str) -> None:
            named = todos.PLACEHOLDER.sub(r"%(\1)s", text.replace("%", "%%"))
            for name, kind in (
                ("actor", "bigint"),
                ("at", "timestamptz"),
                ("why", "text"),
                ("who", "bigint[]"),
            ):
                named = named.replace(f"%({name})s", f"%({name})s::{kind}")
            cursor.execute(named, given)

        cursor.execute(f"{HOLD[scope].rstrip()}, todo_late_since(%(day)s, %(at)s)", given)
        texts = [todos.refresh_text(apps, part, of) for part, of in wanted]
        if _is_late(cursor.fetchone()[-1], given, is_wide=is_wide):
            lapses = [
                todos.lapse_text(apps, part, of) for part, of in wanted if part != "milestones"
            ]
            texts = [*lapses, *texts]
        for text in texts:
            if text:
                run(text)
                touched.update((cursor.fetchone() or [None])[0] or ())
        if scope is OF_ALL and parts != ALL:
            scope = OF_PEOPLE
        given["who"] = sorted(touched.union(values.get("who", ())))
        run(todos.places_text(scope))


def _is_late(since: datetime | None, given: dict[str, Any], *, is_wide: bool) -> bool:
    """Whether what lapsed since the clock struck is dropped first; `given` learns since when that is."""
    if since is None or given["why"] == "day_turned":
        return False
    given["since_at"], given["since_day"] = since, given["day"] if is_wide else day_of(since, UTC)
    return True


@dataclass(frozen=True)
class Drift:
    """One row that is not as its definition says: `wanted` and `kept` are its columns, None where it is missing."""

    what: str
    kind: str
    subject: int
    recipient: int | None
    phase: str
    wanted: str | None
    kept: str | None


def drift() -> list[Drift]:
    """Where to-dos and milestones differ from their definitions now; nothing, if every act did its part."""
    return [row for app in todos.definitions() for row in _differences(app)] + _unknown()


def _unknown() -> list[Drift]:
    """What is open of a kind that no definition has."""
    what = "'to-do', kind, subject_id, recipient_id, phase, NULL, concat_ws(' ', about_id, cycle_id, due_on)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {what} FROM activity_todo t WHERE {UNKNOWN}", [_kinds()])  # noqa: S608 - constants
        return [Drift(*row) for row in cursor.fetchall()]


def misplaced() -> list[Drift]:
    """Where places differ from the to-dos and milestones that they are made from."""
    return _differences("places")


def _differences(part: str) -> list[Drift]:
    with connection.cursor() as cursor:
        drift = f"SELECT * FROM todo_drift_{part}(%s, %s)"  # noqa: S608 - an app's name
        cursor.execute(drift, [today_for_relations(), timezone.now()])
        return [Drift(*row) for row in cursor.fetchall()]


# --- Counts ---------------------------------------------------------------------------------------

COUNTED = "cycle_id, unit_id, stage, milestone, due_on, is_missed, cause"

ADD_UP = f"""
WITH taken AS (DELETE FROM activity_placecount RETURNING {COUNTED}, people)
INSERT INTO activity_placecount ({COUNTED}, people)
SELECT {COUNTED}, sum(people) FROM taken GROUP BY {COUNTED} HAVING sum(people) <> 0
"""  # noqa: S608 - constants

# What the counts come to when they are made from the rows that they count.
COUNT_ANEW = f"""
SELECT {COUNTED.replace("unit_id", "in_unit::bigint AS unit_id")}, count(*)::int AS people FROM (
  SELECT {COUNTED} FROM activity_place
  UNION ALL
  SELECT cycle_id, unit_id, '', '', NULL, false, replace(state, 'active', '') FROM cycles_participation
  UNION ALL
  SELECT m.cycle_id, p.unit_id, '', m.kind, NULL, false, '' FROM activity_milestone m
  JOIN cycles_participation p ON p.id = m.participation_id AND p.state = 'active'
) one LEFT JOIN people_unit u ON u.id = unit_id CROSS JOIN LATERAL {UNITS}
GROUP BY {COUNTED.replace("unit_id", "in_unit")}
"""  # noqa: S608 - constants


def add_up_places() -> int:
    """Bring the signed lines of the counts together, so that a look at the board adds few; how many are left."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE activity_placecount IN SHARE UPDATE EXCLUSIVE MODE")
        cursor.execute(ADD_UP)
        return int(cursor.rowcount)


def recount() -> None:
    """Make the counts of the board anew from what they count.

    One statement, so that lines go and come as of one moment: an act under way adds its own when it is done.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE activity_placecount IN SHARE UPDATE EXCLUSIVE MODE")
        cursor.execute(
            "WITH gone AS (DELETE FROM activity_placecount) "  # noqa: S608 - constants
            f"INSERT INTO activity_placecount ({COUNTED}, people) {COUNT_ANEW}"
        )


def miscounted() -> int:
    """How many counts of the board differ from what they count."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*) FROM (
              SELECT {COUNTED}, sum(people) AS people FROM (
                SELECT {COUNTED}, people FROM activity_placecount
                UNION ALL SELECT {COUNTED}, -people FROM ({COUNT_ANEW}) anew
              ) both_ways GROUP BY {COUNTED} HAVING sum(people) <> 0
            ) odd
            """  # noqa: S608 - constants
        )
        return int(cursor.fetchone()[0])
