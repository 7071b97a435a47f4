"""Work on many rows, beside writing the same rows and nothing else.

Everything is done in a transaction that is rolled back, so that the company can be kept: first the work, with
the foreign keys checked at its end as at a commit, then the floor with the rows that the work wrote.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.bench.company import newest, numbered_tables
from tools.bench.measure import Measure, Spent, measure, milliseconds

if TYPE_CHECKING:
    from pmcycle.people.models import User

ROUNDS = 2
FRIDAY = 4
TOGETHER = 10_000  # how many are handed over at once
CHECKED = "SET CONSTRAINTS ALL IMMEDIATE"


def bench_sweep(_people: int) -> list[Measure]:
    """The clock's sweep in the morning: when all is to be written, and when all is told.

    Each after a sweep that is not measured, as the clock's: it comes by every few minutes on one connection, which
    knows its plans from the sweep before. One after VACUUM or ANALYZE plans anew.
    """
    import time_machine
    from django.db import connection, transaction
    from django.utils import timezone

    from pmcycle.activity.models import ToDo
    from pmcycle.home import actions

    def count_open() -> None:
        # The source that the sweep reads, read and nothing more.
        due = ToDo.objects.now(timezone.now()).filter(
            phase="todo", due_on__lte=morning.date() + timedelta(days=8)
        )
        list(due.values_list("kind", "subject_id", "recipient_id", "due_on"))

    def write_again() -> None:
        count_open()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO activity_notice SELECT * FROM floor_notice")
            cursor.execute("INSERT INTO activity_delivery SELECT * FROM floor_delivery")

    def sweep_before() -> None:
        with transaction.atomic():
            actions.remind()
            transaction.set_rollback(True)

    first: list[tuple[Spent, Spent]] = []
    again: list[tuple[Spent, Spent]] = []
    morning = timezone.now().replace(hour=9, minute=0)  # where most of the demo company is
    if morning.weekday() > FRIDAY:  # nobody is reminded then
        morning += timedelta(days=7 - morning.weekday())
    written = 0
    for _ in range(ROUNDS):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(time_machine.travel(morning))
            with rolled_back() as cursor:
                before = newest_ids(cursor)
                sweep_before()
                took = milliseconds(actions.remind, partial(cursor.execute, CHECKED))
                written = export(cursor, before, folder)
                cursor.execute("ANALYZE activity_notice, activity_delivery")
                sweep_before()
                again.append((milliseconds(actions.remind), milliseconds(count_open)))
            with rolled_back() as cursor:
                for table in ("notice", "delivery"):
                    cursor.execute(
                        f"CREATE TEMP TABLE floor_{table} (LIKE activity_{table}) ON COMMIT DROP"
                    )
                    if (path := folder / f"activity_{table}").exists():
                        copy_file(cursor, path, f"floor_{table}")
                first.append((took, milliseconds(write_again, partial(cursor.execute, CHECKED))))
        tidy()
    return [
        measure(
            "sweep, all to be told",
            first,
            f"{written} rows; floor: read what is open, insert them",
        ),
        measure("sweep, all told", again, "floor: read what is open"),
    ]


def bench_launch(people: int) -> list[Measure]:
    from pmcycle.cycles.actions.checking import check

    def look() -> None:
        check(draft())

    with rolled_back():
        looked = min(milliseconds(look) for _ in range(ROUNDS))
    launched = beside_copy("launch", launch_draft, people, accept_warnings)
    copied = Spent(launched.floor, launched.cpu_floor)
    return [
        launched,
        measure("check before the launch", [(looked, copied)], "floor: the launch's COPY"),
    ]


def bench_stages(people: int) -> list[Measure]:
    """Opening and closing each stage of the next cycle, and what the clock does when many are handed over."""
    from django.utils import timezone

    from appraisals.models import CalibrationSession
    from pmcycle.cycles import actions
    from pmcycle.cycles.actions.lines import refresh_chains
    from pmcycle.cycles.models import Assignment, Cycle, Stage

    def prepare_opening() -> None:
        """Launch the draft with every stage still to come."""
        Cycle.objects.filter(state="draft").update(stages_may_overlap=True)
        soon = draft().last_day - timedelta(days=20)
        for number, stage in enumerate(draft().stages.order_by("-position")):
            days = {
                "opens_on": soon - timedelta(days=number),
                "due_on": soon + timedelta(days=10 - number),
            }
            Stage.objects.filter(pk=stage.pk).update(**days)
        accept_warnings()
        launch_draft()

    def open_stage(kind: str) -> Callable[[], object]:
        def work() -> None:
            newest = Cycle.objects.filter(state="running").latest("launched_at")
            stage = newest.stages.get(kind=kind)
            actions.open_stage(stage, due_on=stage.due_on, reason="", version=None, by=kim())

        return work

    def close_stage(kind: str) -> Callable[[], object]:
        def work() -> None:
            stage = (
                Cycle.objects.filter(state="running").earliest("launched_at").stages.get(kind=kind)
            )
            left = actions.leftovers_of_stage(stage, kim())
            accepted = {one.code: (one.count, "Measured.") for one in left}
            actions.close_stage(stage, reason="", accepted=accepted, version=None, by=kim())

        return work

    def end_calibrations() -> None:
        """What refuses to let the appraisal close is out of the way."""
        CalibrationSession.objects.filter(state="open").update(
            state="closed", closed_at=timezone.now()
        )

    handed: list[int] = []

    def without_lines() -> None:
        with connection_cursor() as cursor:
            cursor.execute(
                "DELETE FROM cycles_chainlink WHERE participation_id = ANY(%s)", [handed]
            )

    def end_goals() -> None:
        """The floor of closing: the same rows updated with what is known already."""
        with connection_cursor() as cursor:
            cursor.execute(
                "UPDATE goals_goal SET state = 'closed', closed_at = now(), version = version + 1, result = 50,"
                " measured_on = current_date WHERE state = 'agreed'"
            )

    def hand_over() -> None:
        """Ten thousand people get the manager of their manager."""
        running = Cycle.objects.filter(state="running").earliest("launched_at")
        with connection_cursor() as cursor:
            cursor.execute(
                "UPDATE cycles_assignment a SET manager_id = l.above_id FROM cycles_chainlink l"
                " WHERE l.participation_id = a.participation_id AND l.distance = 2 AND a.id IN (SELECT a.id"
                " FROM cycles_assignment a JOIN cycles_participation p ON p.id = a.participation_id"
                " JOIN cycles_chainlink l ON l.participation_id = p.id AND l.distance = 2"
                " WHERE p.cycle_id = %s AND p.state = 'active' ORDER BY a.id LIMIT %s) RETURNING a.participation_id",
                [running.pk, TOGETHER],
            )
            handed[:] = [pk for (pk,) in cursor.fetchall()]

    def follow() -> None:
        running = Cycle.objects.filter(state="running").earliest("launched_at")
        refresh_chains(running, Assignment.objects.latest("starts_on").starts_on)

    return [
        *(
            beside_copy(f"open {kind}", open_stage(kind), people, prepare_opening, rounds=1)
            for kind in ("objectives", "appraisal", "incentives", "evaluation")
        ),
        *(
            beside_copy(f"close {kind}", close_stage(kind), people, end_calibrations, rounds=1)
            for kind in ("objectives", "appraisal")
        ),
        beside_copy(
            "close evaluation", close_stage("evaluation"), people, first=end_goals, rounds=1
        ),
        beside_copy("10 000 handed over", follow, people, hand_over, first=without_lines, rounds=1),
    ]


def bench_rewards(people: int) -> list[Measure]:
    from incentives import actions
    from incentives.models import Plan, Run

    def calculate() -> None:
        plan = Plan.objects.get(cycle__state="running")
        actions.request_calculation(plan, by=kim())
        actions.calculate(Run.objects.get(plan=plan), by=kim())

    def undone() -> None:
        """As if the run had never been calculated."""
        with connection_cursor() as cursor:
            cursor.execute(
                "TRUNCATE incentives_approval, incentives_awardline, incentives_award, incentives_factsheet CASCADE"
            )

    return [beside_copy("reward run", calculate, people, undone)]


def bench_import(people: int) -> list[Measure]:
    from pmcycle.people.actions import importing

    content = company_file(people)

    def bring() -> None:
        run = importing.upload_import("people", "people.csv", content, by=kim())
        run = importing.map_columns(run, run.mapping, run.options, by=kim(), version=run.version)
        importing.apply_import(importing.rehearse(run, by=kim()), by=kim())

    return [beside_copy("import, rehearsed and applied", bring, people, rounds=1)]


# --- The demo's people --------------------------------------------------------------------------------


def kim() -> User:
    from pmcycle.people.models import User

    found: User = User.objects.get(email="kim.larsen@meridian.example")
    return found


def draft() -> Any:
    from pmcycle.cycles.models import Cycle

    return Cycle.objects.get(state="draft")


def accept_warnings() -> None:
    from pmcycle.cycles import actions
    from pmcycle.cycles.actions.checking import check

    for finding in check(draft()).unsettled:
        actions.accept_warning(draft(), finding.code, finding.count, by=kim())


def launch_draft() -> None:
    from pmcycle.cycles import actions

    actions.launch(draft(), by=kim())


def company_file(people: int) -> bytes:
    out = io.StringIO()
    out.write("Employee Number,Name,Date of Hire,Position,Department,Salary,Manager,E-mail\n")
    for n in range(people):
        manager = 500_000 + n // 8 if n else ""
        out.write(
            f"{500_000 + n},New{n % 997} Person{n},20{10 + n % 14}-0{1 + n % 9}-1{n % 9},Technician,"
            f"Unit {n % 40},{40_000 + n % 30_000},{manager},new{n}@meridian.example\n"
        )
    return out.getvalue().encode()


# --- Timing beside COPY -------------------------------------------------------------------------------


def beside_copy(
    name: str,
    work: Callable[[], object],
    people: int,
    prepare: Callable[[], object] = lambda: None,
    first: Callable[[], object] = lambda: None,
    rounds: int = ROUNDS,
) -> Measure:
    """The work, and COPY of the rows that it wrote, into the same company without them.

    `prepare` comes before both and is not timed; `first` is the floor's part of what is no new row.
    """
    from django.db import connection

    times: list[tuple[Spent, Spent]] = []
    written = statements = 0

    def counted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(sql, params, many, context)

    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            with rolled_back() as cursor:
                numbers = next_ids(cursor)
                prepare()
                before = newest_ids(cursor)
                cursor.execute(CHECKED)
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
                statements = 0
                with connection.execute_wrapper(counted):
                    took = milliseconds(work, partial(cursor.execute, CHECKED))
                written = export(cursor, before, Path(folder))
            tidy()
            with rolled_back() as cursor:
                take_again(cursor, numbers)
                prepare()
                cursor.execute(CHECKED)
                # What triggers write is among the rows that are copied.
                for table in WITH_TRIGGERS:
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
                floor = milliseconds(
                    first, partial(copy_in, cursor, Path(folder)), partial(cursor.execute, CHECKED)
                )
        times.append((took, floor))
        tidy()
    each = min(took.wall for took, _floor in times) * 1e3 / people
    note = f"{written} rows, {statements - 1} statements, {each:.0f} µs a person"
    return measure(name, times, note)


WITH_TRIGGERS = ("activity_event", "activity_milestone", "activity_place", "cycles_participation")


@contextmanager
def connection_cursor() -> Iterator[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        yield cursor


@contextmanager
def rolled_back() -> Iterator[Any]:
    from django.db import transaction

    with transaction.atomic(), connection_cursor() as cursor:
        yield cursor
        transaction.set_rollback(True)


def tidy() -> None:
    """What was rolled back still lies in the tables."""
    with connection_cursor() as cursor:
        cursor.execute("VACUUM")


def newest_ids(cursor: Any) -> dict[str, int]:
    """The newest row of every table with a numbered key."""
    return {table: newest(cursor, table) for table in numbered_tables(cursor)}


def next_ids(cursor: Any) -> dict[str, int]:
    """Where the numbers of each table stand: a rollback does not take them back."""
    found: dict[str, int] = {}
    for table in numbered_tables(cursor):
        cursor.execute(f"SELECT last_value FROM {table}_id_seq")
        found[table] = int(cursor.fetchone()[0])
    return found


def take_again(cursor: Any, numbers: dict[str, int]) -> None:
    """Give out the same numbers once more, so that what is prepared again gets the keys it had."""
    for table, number in numbers.items():
        cursor.execute(f"SELECT setval('{table}_id_seq', {number})")


def export(cursor: Any, before: dict[str, int], folder: Path) -> int:
    """Write the rows newer than `before` into a file each table; returns how many there are."""
    written = 0
    for table, last in before.items():
        with (folder / table).open("w+b") as file:
            cursor.copy_expert(
                f"COPY (SELECT * FROM {table} WHERE id > {last} ORDER BY id) TO STDOUT", file
            )
            written += cursor.rowcount
    return written


def copy_in(cursor: Any, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.stat().st_size:
            copy_file(cursor, path, path.name)


def copy_file(cursor: Any, path: Path, table: str) -> None:
    with path.open("rb") as file:
        cursor.copy_expert(f"COPY {table} FROM STDIN", file)
