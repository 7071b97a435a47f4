"""The statements that keep what is open: to-dos, milestones and places as the definitions say.

Every app defines what is open in it as querysets (`pmcycle.home.contributions.DEFINITIONS`). Here
they become one statement an app that compares the definition with the rows, opens what is missing,
finishes what has vanished and moves what has another day; the same text runs for some people, for a
cycle and for everybody. For a few people it runs inside a function of the database, because planning
the thirty querysets anew takes twenty times longer than running them; `install` writes the functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.db import connection, models
from django.utils.module_loading import import_string

# Under which name the clock notes that it has settled what turns with the day.
TURN_OF_DAY = "turn_day"

# The columns of a definition of open items, in the order of `pmcycle.cycles.models.items`.
ITEM = (
    "kind, subject, recipient, about, named, name, cycle, stage, due_on, opens_at, ends_at, phase"
)
# The columns of a definition of milestones, in the order of `pmcycle.cycles.models.reached`.
REACHED = "participation, about, cycle, stage, kind, step, at"

# Stands for the day of the relations while a definition is compiled.
ANY_DAY = date(4711, 1, 1)
# Stands for the moment, in the same way.
ANY_MOMENT = datetime(4711, 1, 1, 12, tzinfo=UTC)

Rows = Sequence[models.QuerySet[Any, Any]]


@dataclass(frozen=True)
class Definition:
    """What one app says is open, each a function of the day by which relations are judged.

    `people` is found by whom it is about, `matters` is the few things that wait for HR whatever
    they are about, `milestones` are what people have reached (no day needed: it never goes back).
    """

    people: Callable[[date], Rows] | None = None
    matters: Callable[[date], Rows] | None = None
    milestones: Callable[[], Rows] | None = None


def definitions() -> Mapping[str, Definition]:
    """The table of the apps above, found by its name."""
    return cast(Mapping[str, Definition], import_string(settings.TO_DOS))


# --- Text -----------------------------------------------------------------------------------------


def _text(rows: Rows) -> str:
    """The union of querysets as SQL without parameters; `:day` stands for the day, `:at` for the moment."""
    whole = rows[0].union(*rows[1:], all=True) if len(rows) > 1 else rows[0]
    sql, params = whole.query.get_compiler(connection=connection).as_sql()
    # Every moment in a definition is the one at which it is asked.
    given = [ANY_MOMENT if isinstance(value, datetime) else value for value in params]
    with connection.cursor() as cursor:
        text = str(cursor.cursor.mogrify(sql, given).decode())
    return text.replace(f"'{ANY_DAY.isoformat()}'::date", ":day").replace(
        f"'{ANY_MOMENT.isoformat()}'::timestamptz", ":at"
    )


@lru_cache(maxsize=64)
def union_of(app: str, part: str) -> tuple[str, tuple[str, ...]]:
    """The union of one part of a definition ("people", "matters", "milestones") and its kinds."""
    contribute = getattr(definitions()[app], part)
    if contribute is None:
        return "", ()
    rows = contribute() if part == "milestones" else contribute(ANY_DAY)
    if not rows:
        return "", ()
    column = "reached_kind" if part == "milestones" else "item_kind"
    kinds = sorted({str(q.query.annotations[column].value) for q in rows})
    return _text(rows), tuple(kinds)


IS_OPEN = "t.done_at IS NULL AND t.dropped_at IS NULL"
# An item that lies in the future again after it had come was done; it is not the same one moved.
SAME = """f.kind = t.kind AND f.subject = t.subject_id AND f.recipient = t.recipient_id AND f.phase = t.phase
    AND NOT (f.opens_at IS NOT NULL AND f.opens_at > :at AND coalesce(t.opens_at, '-infinity') <= :at)"""

ITEMS = """
  SELECT DISTINCT ON (kind, subject, recipient, phase) *
  FROM (SELECT kind::text, subject::bigint, recipient::bigint, about::bigint, named::bigint, name::text, cycle::bigint,
          stage::text, due_on::date, opens_at::timestamptz, ends_at::timestamptz, phase::text
        FROM (<union>) raw (<columns>)) i
  WHERE recipient IS NOT NULL AND <fresh scope>
  ORDER BY kind, subject, recipient, phase, due_on
"""

REFRESH = """
WITH fresh AS MATERIALIZED (<items>),
gone AS (
  UPDATE activity_todo t SET
    done_at = CASE WHEN :why = '' THEN :at END, done_by_id = CASE WHEN :why = '' THEN :actor END,
    dropped_at = CASE WHEN :why <> '' THEN :at END, dropped_why = :why
  WHERE <is open> AND t.kind = ANY(ARRAY[<kinds>]) AND <table scope>
    AND NOT EXISTS (SELECT 1 FROM fresh f WHERE <same>)
  RETURNING t.about_id AS about, t.cycle_id AS cycle
),
moved AS (
  UPDATE activity_todo t SET about_id = f.about, named_id = f.named, name = f.name, cycle_id = f.cycle,
    stage = f.stage, due_on = f.due_on, opens_at = f.opens_at, ends_at = f.ends_at
  FROM fresh f WHERE <is open> AND <same>
    AND (t.about_id, t.named_id, t.name, t.cycle_id, t.stage, t.due_on, t.opens_at, t.ends_at) IS DISTINCT FROM
        (f.about, f.named, f.name, f.cycle, f.stage, f.due_on, f.opens_at, f.ends_at)
  RETURNING t.about_id AS about, t.cycle_id AS cycle
),
made AS (
  INSERT INTO activity_todo (kind, subject_id, recipient_id, about_id, named_id, name, cycle_id, stage, due_on,
    opens_at, ends_at, phase, opened_at, dropped_why)
  SELECT f.kind, f.subject, f.recipient, f.about, f.named, f.name, f.cycle, f.stage, f.due_on, f.opens_at,
    f.ends_at, f.phase, :at, ''
  FROM fresh f
  -- Read, so that what is finished has left the unique index before its successor comes.
  CROSS JOIN (SELECT count(*) FROM gone) first
  WHERE NOT EXISTS (SELECT 1 FROM activity_todo t WHERE <is open> AND <same>)
  ON CONFLICT (kind, subject_id, recipient_id, phase) WHERE done_at IS NULL AND dropped_at IS NULL DO NOTHING
  RETURNING about_id AS about, cycle_id AS cycle
)
SELECT array_agg(DISTINCT about)
FROM (SELECT * FROM gone UNION ALL SELECT * FROM moved UNION ALL SELECT * FROM made) changed
WHERE cycle IS NOT NULL AND about IS NOT NULL
"""

# What the days since the clock last struck have taken away, and not the act that settles now: with what the
# act has changed, it was still to be done on the day up to which the clock has come.
LAPSE = """
WITH fresh AS MATERIALIZED (<items>),
before AS MATERIALIZED (<items before>),
gone AS (
  UPDATE activity_todo t SET dropped_at = :at, dropped_why = 'day_turned'
  WHERE <is open> AND t.kind = ANY(ARRAY[<kinds>]) AND <table scope>
    AND NOT EXISTS (SELECT 1 FROM fresh f WHERE <same>)
    AND EXISTS (SELECT 1 FROM before f WHERE <same>)
  RETURNING t.about_id AS about, t.cycle_id AS cycle
)
SELECT array_agg(DISTINCT about) FROM gone WHERE cycle IS NOT NULL AND about IS NOT NULL
"""

REACH = """
WITH made AS (
  INSERT INTO activity_milestone (participation_id, cycle_id, stage, kind, step, at)
  SELECT participation::bigint, cycle::bigint, stage::text, kind::text, step::smallint, at::timestamptz
  FROM (<union>) raw (<columns>) WHERE at IS NOT NULL AND <fresh scope>
    AND NOT EXISTS (SELECT 1 FROM activity_milestone m
      WHERE m.participation_id = participation::bigint AND m.kind = raw.kind::text)
  ON CONFLICT (participation_id, kind) DO NOTHING
  RETURNING participation_id
)
SELECT array_agg(DISTINCT p.employee_id) FROM made JOIN cycles_participation p ON p.id = made.participation_id
"""

# What closing, the end of somebody's own day, or leaving for longer than that has left undone: nothing of the same
# was opened or done since.
MISSED = """t.dropped_why IN ('stage_closed', 'closed', 'day_turned', 'left') AND NOT EXISTS (
  SELECT 1 FROM activity_todo later WHERE later.about_id = t.about_id AND later.cycle_id = t.cycle_id
    AND later.kind = t.kind AND later.id > t.id AND later.dropped_at IS NULL)"""

WHERE_THEY_STAND = """
WITH part AS MATERIALIZED (
  SELECT p.id, p.employee_id, p.cycle_id, p.unit_id, NOT EXISTS (
    SELECT 1 FROM cycles_assignment a WHERE a.participation_id = p.id AND a.starts_on <= :day
      AND (a.ends_on IS NULL OR a.ends_on >= :day)) AS is_alone
  FROM cycles_participation p WHERE p.state = 'active' AND <part scope>
),
work AS (
  SELECT part.id, t.stage, min(t.due_on) FILTER (WHERE <is open>) AS due_on,
    bool_or(<missed>) AS is_missed,
    (ARRAY['left', 'no_account', 'no_manager', 'away'])[min(CASE WHEN NOT (<is open>) THEN NULL
      WHEN r.left_on < :day OR EXISTS (
        SELECT 1 FROM cycles_participation gone WHERE gone.cycle_id = t.cycle_id AND gone.employee_id = t.recipient_id
          AND gone.state = 'left') THEN 1
      WHEN u.id IS NULL THEN 2
      WHEN part.is_alone THEN 3
      WHEN EXISTS (SELECT 1 FROM people_absence a WHERE a.employee_id = r.id AND a.starts_on <= :day
        AND (a.ends_on IS NULL OR a.ends_on >= greatest(t.due_on, :day))) THEN 4 END)] AS cause
  FROM part
  JOIN activity_todo t ON t.about_id = part.employee_id AND t.cycle_id = part.cycle_id
  JOIN people_employee r ON r.id = t.recipient_id
  LEFT JOIN people_user u ON u.employee_id = r.id AND u.is_active
  WHERE t.phase = 'todo' AND t.due_on IS NOT NULL
  GROUP BY part.id, t.stage
),
reached AS (
  SELECT DISTINCT ON (part.id, m.stage) part.id, m.stage, m.kind, m.at
  FROM part JOIN activity_milestone m ON m.participation_id = part.id ORDER BY part.id, m.stage, m.step DESC
),
fresh AS MATERIALIZED (
  SELECT part.id, part.cycle_id, part.unit_id, coalesce(w.stage, r.stage) AS stage, w.due_on,
    coalesce(w.is_missed, false) AS is_missed, coalesce(w.cause, '') AS cause,
    coalesce(r.kind, '') AS milestone, r.at
  FROM work w FULL JOIN reached r ON r.id = w.id AND r.stage = w.stage
  JOIN part ON part.id = coalesce(w.id, r.id)
)
"""

PLACES = f"""
{WHERE_THEY_STAND.rstrip()},
gone AS (
  DELETE FROM activity_place x USING cycles_participation p
  WHERE p.id = x.participation_id AND <part scope>
    AND NOT EXISTS (SELECT 1 FROM fresh f WHERE f.id = x.participation_id AND f.stage = x.stage)
)
INSERT INTO activity_place AS x
  (participation_id, cycle_id, unit_id, stage, due_on, is_missed, cause, milestone, reached_at)
SELECT id, cycle_id, unit_id, stage, due_on, is_missed, cause, milestone, at FROM fresh
ON CONFLICT (participation_id, stage) DO UPDATE SET unit_id = excluded.unit_id, due_on = excluded.due_on,
  is_missed = excluded.is_missed, cause = excluded.cause, milestone = excluded.milestone,
  reached_at = excluded.reached_at
WHERE (x.unit_id, x.due_on, x.is_missed, x.cause, x.milestone, x.reached_at) IS DISTINCT FROM
  (excluded.unit_id, excluded.due_on, excluded.is_missed, excluded.cause, excluded.milestone, excluded.reached_at)
"""  # noqa: S608 - constants

DRIFT_OF_PLACES = f"""
{WHERE_THEY_STAND.rstrip()},
wanted AS (
  SELECT id, stage, concat_ws(' ', unit_id, due_on, is_missed, cause, milestone, at) AS rest FROM fresh
),
kept AS (
  SELECT participation_id AS id, stage,
    concat_ws(' ', unit_id, due_on, is_missed, cause, milestone, reached_at) AS rest
  FROM activity_place
)
SELECT 'place'::text, stage::text, id, NULL::bigint, ''::text, w.rest, k.rest
FROM wanted w FULL JOIN kept k USING (id, stage) WHERE w.rest IS DISTINCT FROM k.rest
"""  # noqa: S608 - constants

# Who else is touched when something happens to a person: whom they write about, who writes about them.
EVERYBODY_NEAR = """
SELECT array_agg(DISTINCT found.near) FROM (
  SELECT unnest(:who) AS near
  UNION ALL SELECT t.about_id FROM activity_todo t WHERE t.recipient_id = ANY(:who) AND <is open>
  UNION ALL SELECT a.manager_id FROM cycles_assignment a JOIN cycles_participation p ON p.id = a.participation_id
    WHERE p.employee_id = ANY(:who)
  UNION ALL SELECT p.employee_id FROM cycles_assignment a JOIN cycles_participation p ON p.id = a.participation_id
    WHERE a.manager_id = ANY(:who) AND (a.ends_on IS NULL OR a.ends_on >= :day)
) found WHERE found.near IS NOT NULL
"""

# Where a definition speaks of the day and the moment at which it is asked.
WHEN = re.compile(r"(?<!:):(day|at)\b")


@dataclass(frozen=True)
class Scope:
    """For whom a statement runs, as conditions on its three kinds of rows."""

    fresh: str
    table: str
    part: str


OF_PEOPLE = Scope("about = ANY(:who)", "t.about_id = ANY(:who)", "p.employee_id = ANY(:who)")
# The few matters that are about no person; whoever is asked for people is asked for these beside them.
OF_NOBODY = Scope("about IS NULL", "t.about_id IS NULL", "false")
OF_CYCLE = Scope("cycle = :cycle", "t.cycle_id = :cycle", "p.cycle_id = :cycle")
OF_ALL = Scope("true", "true", "true")


def refresh_text(apps: Sequence[str], part: str, scope: Scope) -> str:
    """The statement that brings one part of these apps' open items up to their definitions; "" if none has it."""
    return _fill(REACH if part == "milestones" else REFRESH, apps, part, scope)


def lapse_text(apps: Sequence[str], part: str, scope: Scope) -> str:
    """The statement that drops what lapsed between `:since_at` and `:at`; "" if none of these apps has the part."""
    return _fill(LAPSE, apps, part, scope)


def _fill(text: str, apps: Sequence[str], part: str, scope: Scope) -> str:
    found = [union_of(app, part) for app in apps]
    union = " UNION ALL ".join(f"({text})" for text, _kinds in found if text)
    kinds = [kind for _text, some in found for kind in some]
    if not union:
        return ""
    for name, value in {
        "items before": ITEMS.replace("<union>", WHEN.sub(r":since_\1", union)),
        "items": ITEMS,
        "union": union,
        "columns": REACHED if part == "milestones" else ITEM,
        "kinds": ", ".join(f"'{kind}'" for kind in kinds),
        "same": SAME,
        "is open": IS_OPEN,
        "fresh scope": scope.fresh,
        "table scope": scope.table,
    }.items():
        text = text.replace(f"<{name}>", value)
    return text


def places_text(scope: Scope, text: str = PLACES) -> str:
    """The statement that brings the places of participations up to their to-dos and milestones."""
    text = text.replace("<missed>", MISSED).replace("<is open>", IS_OPEN)
    return text.replace("<part scope>", scope.part)


# --- Functions ------------------------------------------------------------------------------------

PLACEHOLDER = re.compile(r"(?<!:):(who|day|at|actor|why|cycle|since_day|since_at)\b")

BODY = """
CREATE OR REPLACE FUNCTION {name}({who}{arguments})
RETURNS bigint[] LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $function$
#variable_conflict use_column
DECLARE changed bigint[]; touched bigint[];
BEGIN
{steps}
  RETURN touched;
END $function$
"""
REFRESHING = "p_day date, p_at timestamptz, p_actor bigint, p_why text"
LAPSING = "p_day date, p_at timestamptz, p_since_day date, p_since_at timestamptz"

# Up to when the clock has come, if the day has turned since, in UTC or where a cycle is; otherwise nothing.
LATE_FUNCTION = f"""
CREATE OR REPLACE FUNCTION todo_late_since(p_day date, p_at timestamptz)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $function$
BEGIN
  RETURN (SELECT h.at FROM activity_heartbeat h WHERE h.name = '{TURN_OF_DAY}' AND h.at < p_at AND (
    (h.at AT TIME ZONE 'UTC')::date < p_day OR EXISTS (
      SELECT 1 FROM cycles_cycle c WHERE c.state = 'running'
        AND (h.at AT TIME ZONE c.zone)::date < (p_at AT TIME ZONE c.zone)::date)));
END $function$
"""  # noqa: S608 - a constant

STEP = """
{sql}
  INTO changed;
  touched := touched || changed;
"""

PLACES_FUNCTION = """
CREATE OR REPLACE FUNCTION todo_places(p_who bigint[], p_day date)
RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $function$
#variable_conflict use_column
BEGIN
{sql};
END $function$
"""

NEAR_FUNCTION = """
CREATE OR REPLACE FUNCTION todo_near(p_who bigint[], p_day date)
RETURNS bigint[] LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $function$
#variable_conflict use_column
DECLARE everybody bigint[];
BEGIN
{sql} INTO everybody;
  RETURN everybody;
END $function$
"""

# Two acts about the same person settle one after the other, each seeing what the other did. The key
# is the one under which the trail locks that person's stream, so that there is one order of locks.
# Acts share the locks of everything and of their cycles, which settling a whole cycle or the company's
# matters takes alone: what an act opens is committed before a closing stage looks for it, or not opened
# at all. Whoever settles for more people than they have locked shares a lock that each part of the day
# takes alone, and takes it before the others.
# Where the clock is late, what lapsed meanwhile is dropped first, so that the act neither does nor drops it.
# Acts on the company date who leads whom and who is what, often from today on: of them, what depends on
# that is theirs, and only what ran out is the day's.
ACT = """
CREATE OR REPLACE FUNCTION todo_act(p_apps text[], p_who bigint[], p_wide boolean, p_day date, p_at timestamptz,
  p_actor bigint, p_why text)
RETURNS void LANGUAGE plpgsql AS $function$
DECLARE near bigint[] := p_who; touched bigint[]; since timestamptz; since_day date := p_day;
BEGIN
  IF p_wide THEN PERFORM pg_advisory_xact_lock_shared(hashtextextended('settle:many', 7201)); END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('employee:' || one, 7201)) FROM unnest(p_who) one ORDER BY one;
  PERFORM todo_share(p_who);
  since := todo_late_since(p_day, p_at);
  IF NOT p_wide THEN since_day := (since AT TIME ZONE 'UTC')::date; END IF;
  IF p_wide THEN near := todo_near(p_who, p_day); touched := near; END IF;
{calls}
  IF cardinality(touched) > 0 THEN PERFORM todo_places(touched, p_day); END IF;
END $function$
"""

SHARE_FUNCTION = """
CREATE OR REPLACE FUNCTION todo_share(p_who bigint[]) RETURNS void LANGUAGE plpgsql AS $function$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('settle', 7201));
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('settle:' || of_them.cycle_id, 7201)) FROM (
    SELECT DISTINCT p.cycle_id FROM cycles_participation p
    JOIN cycles_cycle c ON c.id = p.cycle_id AND c.state = 'running'
    WHERE p.employee_id = ANY(p_who) ORDER BY p.cycle_id) of_them;
END $function$
"""

# One part of everybody: these people, as far as nobody acts on them at the moment; who is left for later.
# It waits before it holds anything and never afterwards, so no ring of locks can close through it. Each
# statement in it sees what is committed when it begins, which is after the locks.
PART = """
CREATE OR REPLACE FUNCTION todo_part(p_who bigint[], p_day date, p_at timestamptz, p_actor bigint, p_why text)
RETURNS bigint[] LANGUAGE plpgsql AS $function$
DECLARE free bigint[]; since timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('settle:many', 7201));
  free := ARRAY(SELECT one FROM unnest(p_who) one
    WHERE pg_try_advisory_xact_lock(hashtextextended('employee:' || one, 7201)));
  IF p_why <> 'day_turned' THEN since := todo_late_since(p_day, p_at); END IF;
{calls}
  PERFORM todo_places(free, p_day);
  RETURN ARRAY(SELECT unnest(p_who) EXCEPT SELECT unnest(free) ORDER BY 1);
END $function$
"""

# The last part: what is about nobody, which any act may open or finish; they all share this lock.
NOBODY = """
CREATE OR REPLACE FUNCTION todo_nobody(p_day date, p_at timestamptz, p_actor bigint, p_why text)
RETURNS void LANGUAGE plpgsql AS $function$
DECLARE since timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('settle', 7201));
  IF p_why <> 'day_turned' THEN since := todo_late_since(p_day, p_at); END IF;
{calls}
END $function$
"""

# For many people, for one whole cycle, and for whatever waits for HR.
HOLD_PEOPLE = """
SELECT pg_advisory_xact_lock_shared(hashtextextended('settle:many', 7201)), todo_share(%(who)s::bigint[])
"""
HOLD_CYCLE = """
SELECT pg_advisory_xact_lock_shared(hashtextextended('settle:many', 7201)),
  pg_advisory_xact_lock_shared(hashtextextended('settle', 7201)),
  pg_advisory_xact_lock(hashtextextended('settle:' || %(cycle)s::bigint, 7201))
"""
HOLD_ALL = """
SELECT pg_advisory_xact_lock_shared(hashtextextended('settle:many', 7201)),
  pg_advisory_xact_lock(hashtextextended('settle', 7201))
"""

CALL = """
  IF '{app}' = ANY(p_apps) THEN
    IF since IS NOT NULL THEN
      touched := touched || todo_lapse_{app}(near, p_day, p_at, since_day, since);
      PERFORM todo_lapse_nobody_{app}(p_day, p_at, since_day, since);
    END IF;
    touched := touched || todo_refresh_{app}(near, p_day, p_at, p_actor, p_why);
    PERFORM todo_nobody_{app}(p_day, p_at, p_actor, p_why);
  END IF;
"""
CALL_PART = """
  IF since IS NOT NULL THEN PERFORM todo_lapse_{app}(free, p_day, p_at, p_day, since); END IF;
  PERFORM todo_refresh_{app}(free, p_day, p_at, p_actor, p_why);
"""
CALL_NOBODY = """
  IF since IS NOT NULL THEN PERFORM todo_lapse_nobody_{app}(p_day, p_at, p_day, since); END IF;
  PERFORM todo_nobody_{app}(p_day, p_at, p_actor, p_why);
"""

DRIFT = """
CREATE OR REPLACE FUNCTION todo_drift_{app}(p_day date, p_at timestamptz)
RETURNS TABLE (what text, kind text, subject bigint, recipient bigint, phase text, wanted text, kept text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $function$
#variable_conflict use_column
BEGIN
{steps}
END $function$
"""

DRIFT_OF_ITEMS = """
  RETURN QUERY WITH fresh AS MATERIALIZED (
    SELECT DISTINCT ON (kind, subject, recipient, phase) kind::text, subject::bigint, recipient::bigint, phase::text,
      concat_ws(' ', about::bigint, named::bigint, name::text, cycle::bigint, stage::text, due_on::date,
        opens_at::timestamptz, ends_at::timestamptz) AS rest
    FROM (<union>) raw (<columns>) WHERE recipient IS NOT NULL ORDER BY kind, subject, recipient, phase, due_on
  ), kept AS (
    SELECT t.kind::text, t.subject_id AS subject, t.recipient_id AS recipient, t.phase::text,
      concat_ws(' ', t.about_id, t.named_id, t.name, t.cycle_id, t.stage, t.due_on, t.opens_at, t.ends_at) AS rest
    FROM activity_todo t WHERE <is open> AND t.kind = ANY(ARRAY[<kinds>])
  )
  SELECT 'to-do'::text, coalesce(f.kind, k.kind), coalesce(f.subject, k.subject), coalesce(f.recipient, k.recipient),
    coalesce(f.phase, k.phase), f.rest, k.rest
  FROM fresh f FULL JOIN kept k ON (f.kind, f.subject, f.recipient, f.phase) = (k.kind, k.subject, k.recipient, k.phase)
  WHERE f.rest IS DISTINCT FROM k.rest;
"""

DRIFT_OF_MILESTONES = """
  RETURN QUERY SELECT 'milestone'::text, raw.kind::text, participation::bigint, NULL::bigint, ''::text,
    raw.at::timestamptz::text, NULL::text
  FROM (<union>) raw (<columns>) WHERE raw.at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM activity_milestone m WHERE m.participation_id = participation::bigint AND m.kind = raw.kind::text);
"""


def _with_arguments(text: str) -> str:
    """The placeholders as arguments of a function, whose names no column has."""
    return PLACEHOLDER.sub(r"p_\1", text)


def drift_text(app: str, part: str) -> str:
    """The statement that tells where one part of an app's rows differs from its definition."""
    union, kinds = union_of(app, part)
    if not union:
        return ""
    text = DRIFT_OF_MILESTONES if part == "milestones" else DRIFT_OF_ITEMS
    for name, value in {
        "union": union,
        "columns": REACHED if part == "milestones" else ITEM,
        "kinds": ", ".join(f"'{kind}'" for kind in kinds),
        "is open": IS_OPEN,
    }.items():
        text = text.replace(f"<{name}>", value)
    return text


def _function(arguments: str, name: str, who: str, texts: Sequence[str]) -> str:
    steps = "".join(STEP.replace("{sql}", text) for text in texts if text)
    head = BODY.replace("{name}", name).replace("{who}", who).replace("{arguments}", arguments)
    return _with_arguments(head.replace("{steps}", steps))


def functions() -> list[str]:
    """The functions of this code as statements that create them."""
    made = [
        SHARE_FUNCTION,
        LATE_FUNCTION,
        _with_arguments(PLACES_FUNCTION.replace("{sql}", places_text(OF_PEOPLE))),
        _with_arguments(
            NEAR_FUNCTION.replace("{sql}", EVERYBODY_NEAR.replace("<is open>", IS_OPEN))
        ),
    ]
    for app in definitions():
        people = [("people", OF_PEOPLE), ("matters", OF_PEOPLE)]
        nobody = [("matters", OF_NOBODY)]
        for suffix, who, parts in (("", "p_who bigint[], ", people), ("_nobody", "", nobody)):
            lapses = [lapse_text([app], part, scope) for part, scope in parts]
            made.append(_function(LAPSING, f"todo_lapse{suffix}_{app}", who, lapses))
        steps = [
            refresh_text([app], part, scope) for part, scope in (*people, ("milestones", OF_PEOPLE))
        ]
        made.append(_function(REFRESHING, f"todo_refresh_{app}", "p_who bigint[], ", steps))
        made.append(
            _function(
                REFRESHING, f"todo_nobody_{app}", "", [refresh_text([app], "matters", OF_NOBODY)]
            )
        )
        drifts = "".join(drift_text(app, part) for part in ("people", "matters", "milestones"))
        made.append(_with_arguments(DRIFT.replace("{app}", app).replace("{steps}", drifts)))
    differ = f"  RETURN QUERY {places_text(OF_ALL, DRIFT_OF_PLACES)};"
    made.append(_with_arguments(DRIFT.replace("{app}", "places").replace("{steps}", differ)))
    for text, call in ((ACT, CALL), (PART, CALL_PART), (NOBODY, CALL_NOBODY)):
        made.append(
            text.replace("{calls}", "".join(call.replace("{app}", app) for app in definitions()))
        )
    return made


def install() -> None:
    """Write the functions of this code into the database, over those of an earlier one."""
    with connection.cursor() as cursor:
        for statement in functions():
            cursor.execute(statement)


def can_install() -> bool:
    """Whether the tables are there that the functions read: not in the middle of the migrations."""
    needed = {"activity_place", "evaluations_signature", "incentives_statement", "people_rolegrant"}
    return needed <= set(connection.introspection.table_names())
