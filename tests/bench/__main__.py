"""`./dev bench [--people N]`: how fast, as ratios to a floor measured in turn on the same machine.

Pages stand beside a bare Django page with the same session, layout and middleware. Work on many rows
stands beside COPY of the very rows that it wrote into a copy of the same database, with the same keys,
indexes and foreign keys, and without a trigger. Lone times prove nothing on a machine that others use.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import django
import psycopg2

from tests.services import Services

BASE, WORK = "bench_base", "bench_work"
STATIC = Path(__file__).resolve().parents[2] / ".dev" / "bench-static"
PAGE_ROUNDS, WORK_ROUNDS = 40, 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench", description="How fast, beside a floor.")
    parser.add_argument("--people", type=int, default=2_000, help="the size of the company (2 000)")
    people: int = parser.parse_args().people
    services = Services("bench", durable=True)
    services.ensure()
    os.environ.update(services.environment())
    os.environ.update(
        DATABASE_URL=services.database_url(BASE), DJANGO_SETTINGS_MODULE="tests.bench.settings",
        DEBUG="0", HTTPS="0", SECRET_KEY="a key that opens nothing but a bench", SITE_URL="http://localhost",
        LOG_LEVEL="ERROR", STATIC_ROOT=str(STATIC),
    )  # fmt: skip
    renew(services, BASE)
    django.setup()
    print(f"{people} people, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    began = time.monotonic()
    load_company(people)
    print(f"{'loaded in':<34}{time.monotonic() - began:9.1f} s\n")
    STATIC.mkdir(parents=True, exist_ok=True)
    bench_pages()
    bench_reminders()
    bench_work(services, people)
    for name in (WORK, BASE):
        services.run_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    print(f"\nload average at the end {os.getloadavg()[0]:.1f}")


def renew(services: Services, name: str, template: str = "template0") -> None:
    services.run_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    services.run_sql(f"CREATE DATABASE {name} TEMPLATE {template}")


def load_company(people: int) -> None:
    """The demo company in the middle of its cycle, with published reward rules and a draft of the next cycle."""
    from django.db import connection

    from pmcycle.home.demo import company, cycle, objectives, results, rewards, talks
    from tests.factories import cycles
    from tests.schema import prepare_database

    prepare_database()
    staff = company.build_company(people)
    _last, this = cycle.build_cycles(staff)
    objectives.build_goals(staff, this)
    talks.build_talks(staff, this)
    results.build_results(staff, this)
    rewards.publish_plan(staff, this)
    cycles.make_draft("Next year", by=staff.users["Kim Larsen"])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


# --- Pages ------------------------------------------------------------------------------------------


def bench_pages() -> None:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from pmcycle.cycles.models import Cycle
    from pmcycle.people.models import User

    running = Cycle.objects.get(state="running")
    pages = {
        "floor": ("ana.popescu", reverse("floor")),
        "home": ("ana.popescu", reverse("home:index")),
        "goals": ("ana.popescu", reverse("goals:list")),
        "team": ("bashir.nouri", reverse("home:team")),
        "board": ("kim.larsen", reverse("home:board", args=[running.pk])),
    }
    clients: dict[str, Client] = {}
    took: dict[str, list[float]] = {name: [] for name in pages}
    for turn in range(PAGE_ROUNDS + 3):
        for name, (who, url) in pages.items():
            if name not in clients:
                clients[name] = Client(SERVER_NAME="localhost")
                user = User.objects.get(email=f"{who}@meridian.example")
                clients[name].force_login(user, backend="pmcycle.people.backends.Backend")
            began = time.perf_counter()
            response = clients[name].get(url)
            if response.status_code != 200:
                raise SystemExit(f"{url} answered {response.status_code}")
            if turn >= 3:  # the first ones fill caches
                took[name].append(time.perf_counter() - began)
    floor = statistics.median(took["floor"])
    print(f"{'page':<34}{'median':>9}   {'p95':>9}   ratio   statements   kB")
    for name, (_who, url) in pages.items():
        with CaptureQueriesContext(connection) as seen:
            size = len(clients[name].get(url).content)
        middle, late = statistics.median(took[name]), statistics.quantiles(took[name], n=20)[-1]
        print(
            f"{name:<34}{middle * 1e3:9.1f} ms{late * 1e3:9.1f} ms"
            f"{middle / floor:8.2f}{len(seen):13}{size / 1024:5.0f}"
        )
    print()


# --- Work on many rows ------------------------------------------------------------------------------


def bench_reminders() -> None:
    """The sweep of the clock, beside counting what is open."""
    from django.db import connection

    from pmcycle.home import actions
    from pmcycle.home.contributions import open_items_sql

    items, params = open_items_sql()

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({items}) item", params)
            return int(cursor.fetchone()[0])

    count()
    actions.remind()  # what is due is written now, and not again
    swept, counted = [], []
    for _ in range(5):
        swept.append(seconds(actions.remind))
        counted.append(seconds(count))
    report("reminder sweep, all told", swept, counted, f"{count()} open items")
    print()


def bench_work(services: Services, people: int) -> None:
    from incentives import actions as incentives
    from incentives.models import Plan, Run
    from pmcycle.cycles import actions as cycles
    from pmcycle.cycles.actions.checking import check
    from pmcycle.cycles.models import Cycle
    from pmcycle.people.actions import importing
    from pmcycle.people.models import User

    def kim() -> User:
        found: User = User.objects.get(email="kim.larsen@meridian.example")
        return found

    def launch() -> None:
        draft = Cycle.objects.get(state="draft")
        for finding in check(draft).unsettled:
            cycles.accept_warning(draft, finding.code, finding.count, by=kim())
        cycles.launch(draft, by=kim())

    def calculate() -> None:
        plan = Plan.objects.get(cycle__state="running")
        incentives.request_calculation(plan, by=kim())
        incentives.calculate(Run.objects.get(plan=plan), by=kim())

    content = company_file(people)

    def bring() -> None:
        run = importing.upload_import("people", "people.csv", content, by=kim())
        run = importing.map_columns(run, run.mapping, run.options, by=kim(), version=run.version)
        importing.apply_import(importing.rehearse(run, by=kim()), by=kim())

    print(f"{'work':<34}{'took':>9}   {'COPY':>9}   ratio")
    for name, work in (
        ("launch", launch),
        ("reward run", calculate),
        ("import, rehearsed and applied", bring),
    ):
        took, floors, written = [], [], 0
        for _ in range(WORK_ROUNDS):
            with using(WORK), tempfile.TemporaryDirectory() as folder:
                renew(services, WORK, BASE)
                before = newest_ids(services)
                took.append(seconds(work))
                written = export(services, before, Path(folder))
                renew(services, WORK, BASE)
                floors.append(copy_in(services, Path(folder)))
        report(f"{name}, {people} people", took, floors, f"{written} rows")


@contextmanager
def using(name: str) -> Iterator[None]:
    """Let Django work in another database for a while."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = BASE


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


def tables(cursor: Any) -> list[str]:
    """Every table with a numbered key."""
    cursor.execute(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name = 'id' AND is_identity = 'YES' ORDER BY 1"
    )
    return [row[0] for row in cursor.fetchall()]


def newest_ids(services: Services) -> dict[str, int]:
    with closing(psycopg2.connect(services.database_url(WORK))) as connection, connection.cursor() as cursor:
        found: dict[str, int] = {}
        for table in tables(cursor):
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            ((newest,),) = cursor.fetchall()
            found[table] = int(newest)
        return found


def export(services: Services, before: dict[str, int], folder: Path) -> int:
    """Write the rows newer than `before` into a file each table; returns how many there are."""
    written = 0
    with closing(psycopg2.connect(services.database_url(WORK))) as connection, connection.cursor() as cursor:
        for table, newest in before.items():
            with (folder / table).open("w+b") as file:
                cursor.copy_expert(
                    f"COPY (SELECT * FROM {table} WHERE id > {newest} ORDER BY id) TO STDOUT", file
                )
                written += cursor.rowcount
    return written


def copy_in(services: Services, folder: Path) -> float:
    """Seconds to COPY those rows in and commit, foreign keys checked."""
    with closing(psycopg2.connect(services.database_url(WORK))) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE activity_event DISABLE TRIGGER USER")
        files = [path for path in sorted(folder.iterdir()) if path.stat().st_size]
        began = time.perf_counter()
        for path in files:
            with path.open("rb") as file:
                cursor.copy_expert(f"COPY {path.name} FROM STDIN", file)
        connection.commit()
        return time.perf_counter() - began


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def report(name: str, took: list[float], floors: list[float], note: str) -> None:
    """One line: the best of each side, because whatever disturbs a run makes it longer."""
    best, floor = min(took), min(floors)
    print(f"{name:<34}{best * 1e3:9.0f} ms{floor * 1e3:9.0f} ms{best / floor:8.2f}   {note}", flush=True)


if __name__ == "__main__":
    main()
