"""A company of any size in a minute, kept for the next run.

The demo company is written once, as people would write it, in the middle of its running cycle; then every
row that belongs to its people is copied by the database as often as the size asks for. So a team of ten stays
a team of ten, and Ana, Bashir and Kim meet the same pages in a company of a thousand and of a hundred thousand.
The heads of the copies report to the first one.
"""

from __future__ import annotations

import hashlib
import time
from io import StringIO
from pathlib import Path
from typing import Any

from tools.services import ROOT, Services

# What a company has once, however many people it has. Every other table that knows a person is copied.
ONCE = {
    "activity_event",  # its streams are chained by hash; the launch is measured with streams of its own
    "activity_job",
    "activity_life",
    "activity_milestone",
    "activity_place",
    "activity_placecount",
    "activity_todo",
    "appraisals_calibrationmove",
    "appraisals_calibrationsession",
    "appraisals_calibrationsession_units",
    "appraisals_cycleform",
    "appraisals_form",
    "appraisals_formversion",
    "appraisals_question",
    "appraisals_release",
    "appraisals_section",
    "auth_permission",
    "cycles_cycle",
    "cycles_populationrule",
    "cycles_ratinglevel",
    "cycles_ratingscale",
    "cycles_reminderpolicy",
    "cycles_stage",
    "django_content_type",
    "django_migrations",
    "incentives_component",
    "incentives_plan",
    "incentives_planversion",
    "incentives_pool",
    "incentives_rule",
    "incentives_run",
    "people_organisation",
    "people_payrange",
    "people_rolegrant",
}
# Tables of which some rows belong to the company: those of the others are copied.
PERSONAL = {
    "people_user": "employee_id IS NOT NULL",
    "activity_notice": "recipient_id IN (SELECT id FROM people_user WHERE employee_id IS NOT NULL)",
    "activity_delivery": "notice_id IN (SELECT n.id FROM activity_notice n JOIN people_user u"
    " ON u.id = n.recipient_id WHERE u.employee_id IS NOT NULL)",
    "goals_goal": "participation_id IS NOT NULL",
    "goals_goalversion": "goal_id IN (SELECT id FROM goals_goal WHERE participation_id IS NOT NULL)",
}
# What must differ from copy to copy; k is the number of the copy.
DIFFERS = {
    ("people_employee", "number"): "number || '-' || k",
    ("people_employee", "name"): "name || ' ' || k",
    ("people_employee", "sort_name"): "sort_name || ' ' || k",
    ("people_employee", "email"): "'c' || k || '.' || email",
    ("people_user", "email"): "'c' || k || '.' || email",
    ("people_user", "name"): "name || ' ' || k",
    ("people_unit", "name"): "name || ' ' || k",
    ("activity_notice", "key"): "key || ':' || k",
}
OLDEST = 3 * 24 * 3600  # the demo's days hang on the day it was loaded


def stamp() -> str:
    """Names the schema and the content: of another checkout's database nothing is measured."""
    parts = [
        Path(__file__),
        *ROOT.glob("**/migrations/*.py"),
        *ROOT.glob("*/models*/**/*.py"),
        *ROOT.glob("*/models.py"),
        *ROOT.glob("pmcycle/*/models*/**/*.py"),
        *ROOT.glob("pmcycle/*/models.py"),
        *ROOT.glob("pmcycle/home/demo/*.py"),
    ]
    content = b"".join(p.read_bytes() for p in sorted(set(parts)) if ".venv" not in p.parts)
    return hashlib.sha256(content).hexdigest()[:20]


def is_kept(services: Services, name: str) -> bool:
    """Whether that database holds such a company, loaded by this code in the last days."""
    rows = services.run_sql(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
    )
    kept, _, at = str(rows[0][0] if rows else "").partition(" ")
    return kept == stamp() and time.time() - float(at or 0) < OLDEST


def keep(services: Services, name: str) -> None:
    services.run_sql(f"COMMENT ON DATABASE {name} IS '{stamp()} {int(time.time())}'")


def load_company(people: int) -> None:
    """The demo company about as large as asked, with a draft of the next cycle."""
    from django.core.management import call_command
    from django.db import connection, transaction

    from pmcycle.people.models import Employee, User
    from tests.factories import cycles
    from tools.schema import prepare_database

    prepare_database()
    # A page is measured by the year that runs; last year's rows would only be copied.
    call_command("load_demo", verbosity=0, stdout=StringIO(), without_last_year=True)
    cycles.make_draft("Next year", by=User.objects.get(email="kim.larsen@meridian.example"))
    copies = max(0, round(people / Employee.objects.count()) - 1)
    with transaction.atomic(), connection.cursor() as cursor:
        copy_people(cursor, copies)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    rebuild_what_is_derived()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def rebuild_what_is_derived() -> None:
    """THE place for whatever the product keeps beside its rows and can build anew from their definitions."""
    from django.db import connection

    from pmcycle.activity.actions import recount, settle_all

    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE activity_todo, activity_milestone, activity_place, activity_placecount"
        )
    settle_all("repaired", by=None)
    recount()


def copy_people(cursor: Any, copies: int) -> None:
    """Copy every row that belongs to people so many times, with keys that are as far apart for each copy."""
    if not copies:
        return
    cursor.execute(
        "SET LOCAL session_replication_role = replica"
    )  # no triggers; the copies fit like the originals
    tables = _copied_tables(cursor)
    step = 10 ** len(str(max(newest(cursor, table) for table in tables)))
    left: dict[str, list[int]] = {}
    for table in tables:
        left[table] = _ids(
            cursor, f"SELECT id FROM {table} WHERE NOT ({PERSONAL.get(table, 'true')})"
        )
    kinds = {t.replace("_", ".", 1): t for t in tables}
    for table in tables:
        columns = _columns(cursor, table)
        values = []
        for column in columns:
            to = columns[column]
            value = f't."{column}"'
            if column == "id":
                value = f"t.id + k * {step}"
            elif (table, column) in DIFFERS:
                value = DIFFERS[table, column]
            elif to in left:
                stays = f"WHEN {value} = ANY('{{{','.join(map(str, left[to]))}}}'::bigint[]) THEN {value} "
                value = f"CASE {stays if left[to] else ''}WHEN true THEN {value} + k * {step} END"
            elif column == "subject_id":
                names = ",".join(f"'{kind}'" for kind in kinds)
                value = f"CASE WHEN t.subject_kind IN ({names}) THEN {value} + k * {step} ELSE {value} END"
            values.append(value)
        names = ",".join(f'"{column}"' for column in columns)
        cursor.execute(
            f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {','.join(values)}"
            f" FROM generate_series(1, {copies}) k CROSS JOIN {table} t WHERE {PERSONAL.get(table, 'true')}"
            " ORDER BY k, t.id"
        )
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
        )
    _join(cursor, step)


def _join(cursor: Any, step: int) -> None:
    """Hang the copies below the first chief and the first unit."""
    cursor.execute("SET LOCAL session_replication_role = origin")
    values = {"step": step}
    cursor.execute(
        """
        WITH RECURSIVE top AS (SELECT id FROM people_unit WHERE parent_id IS NULL AND id < %(step)s),
        moved(id, parent_id, path) AS (
          SELECT u.id, top.id, top.id || '/' || u.id || '/' FROM people_unit u, top
          WHERE u.parent_id IS NULL AND u.id > %(step)s
          UNION ALL
          SELECT u.id, u.parent_id, moved.path || u.id || '/' FROM moved JOIN people_unit u ON u.parent_id = moved.id
        )
        UPDATE people_unit u SET parent_id = moved.parent_id, path = moved.path FROM moved WHERE moved.id = u.id
        """,
        values,
    )
    chiefs = "SELECT e.id, e.hired_on FROM people_employee e WHERE NOT EXISTS (SELECT FROM people_reportingline r"
    chiefs += " WHERE r.employee_id = e.id)"
    cursor.execute(
        f"""
        WITH chief AS ({chiefs}), first AS (SELECT id FROM chief WHERE id < %(step)s),
        links AS (
          INSERT INTO cycles_chainlink (participation_id, above_id, distance)
          SELECT l.participation_id, first.id, l.distance + 1
          FROM cycles_chainlink l JOIN chief ON chief.id = l.above_id, first WHERE chief.id > %(step)s
        )
        INSERT INTO people_reportingline (employee_id, manager_id, kind, starts_on)
        SELECT chief.id, first.id, 'line', chief.hired_on FROM chief, first WHERE chief.id > %(step)s
        """,
        values,
    )


def _copied_tables(cursor: Any) -> list[str]:
    return [t for t in numbered_tables(cursor) if t not in ONCE and newest(cursor, t)]


def numbered_tables(cursor: Any) -> list[str]:
    """Every table with a numbered key."""
    cursor.execute(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name = 'id' AND is_identity = 'YES' ORDER BY 1"
    )
    return [name for (name,) in cursor.fetchall()]


def newest(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
    return int(cursor.fetchone()[0])


def _ids(cursor: Any, sql: str) -> list[int]:
    cursor.execute(sql)
    return [pk for (pk,) in cursor.fetchall()]


def _columns(cursor: Any, table: str) -> dict[str, str]:
    """By column: the table that it points to, or nothing."""
    cursor.execute(
        """
        SELECT a.attname, coalesce((SELECT c.confrelid::regclass::text FROM pg_constraint c
          WHERE c.conrelid = a.attrelid AND c.contype = 'f' AND c.conkey = ARRAY[a.attnum]), '')
        FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated = '' ORDER BY a.attnum
        """,
        [table],
    )
    return dict(cursor.fetchall())
