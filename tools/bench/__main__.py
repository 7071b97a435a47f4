"""`./dev bench [--people N …]`: how fast, as ratios to a floor measured in turn on the same machine.

Pages stand beside a bare Django page that never changes. Work on many rows stands beside COPY of the very rows
that it wrote, with the same keys, indexes and foreign keys, and without a trigger; both are rolled back, after
the foreign keys are checked. Lone times prove nothing on a machine that others use. Several sizes in one command
end in a table of how each measure grows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import django

from tools.bench.company import is_kept, keep, load_company
from tools.bench.measure import Measure
from tools.bench.pages import bench_pages
from tools.bench.work import bench_import, bench_launch, bench_rewards, bench_stages, bench_sweep
from tools.services import ROOT, Services

PARTS = {
    "pages": bench_pages,
    "sweep": bench_sweep,
    "launch": bench_launch,
    "stages": bench_stages,
    "rewards": bench_rewards,
    "import": bench_import,
}
STATIC = ROOT / ".dev" / "bench-static"


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench", description="How fast, beside a floor.")
    parser.add_argument(
        "--people", type=int, nargs="+", default=[1_000], help="sizes of the company (1 000)"
    )
    parser.add_argument(
        "--afresh", action="store_true", help="load the company again, even if it was kept"
    )
    parser.add_argument(
        "--only", choices=PARTS, nargs="+", default=list(PARTS), help="the measures to take"
    )
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if len(wanted.people) == 1:
        found = bench(wanted.people[0], afresh=wanted.afresh, parts=wanted.only)
        if wanted.answer:
            wanted.answer.write_text(json.dumps([asdict(m) for m in found]))
        return
    services = Services("bench", durable=True)
    services.ensure()  # stays up from size to size
    sizes: dict[int, dict[str, Measure]] = {}
    for people in sorted(wanted.people):
        with tempfile.NamedTemporaryFile(suffix=".json") as answer:
            # A process each: nothing that one company left in a cache helps or hinders the next.
            command = [
                sys.executable,
                "-m",
                "tools.bench",
                "--people",
                str(people),
                "--answer",
                answer.name,
            ]
            command += ["--only", *wanted.only, *(["--afresh"] if wanted.afresh else [])]
            if subprocess.run(command).returncode:
                sys.exit(1)
            rows = [Measure(**row) for row in json.loads(Path(answer.name).read_text())]
            sizes[people] = {m.name: m for m in rows}
    print_growth(sizes)


def bench(people: int, *, afresh: bool, parts: list[str]) -> list[Measure]:
    services = Services("bench", durable=True)
    services.ensure()
    name = f"bench_{people}"
    os.environ.update(services.environment())
    os.environ.update(
        DATABASE_URL=services.database_url(name),
        DJANGO_SETTINGS_MODULE="tools.bench.settings",
        DEBUG="0",
        HTTPS="0",
        SECRET_KEY="a key that opens nothing but a bench",
        SITE_URL="http://localhost",
        LOG_LEVEL="ERROR",
        STATIC_ROOT=str(STATIC),
    )
    STATIC.mkdir(parents=True, exist_ok=True)
    django.setup()
    from pmcycle.people.models import Employee

    began = time.monotonic()
    if afresh or not is_kept(services, name):
        services.run_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        services.run_sql(f"CREATE DATABASE {name} TEMPLATE template0")
        load_company(people)
        keep(services, name)
    spent = time.monotonic() - began
    count = Employee.objects.count()
    print(
        f"\n{count} people (database {name}, ready after {spent:.0f} s), load average", load(), "\n"
    )
    print(f"{'':<28}{'took':>12}{'floor':>12}   ratio   of CPU", flush=True)
    found: list[Measure] = []
    for part in parts:
        for measure in PARTS[part](count):
            found.append(measure)
            print(
                f"{measure.name:<28}{measure.took:9.1f} ms{measure.floor:9.1f} ms{measure.ratio:8.2f}"
                f"{measure.cpu_ratio:9.2f}   {measure.note}",
                flush=True,
            )
        print(flush=True)
    print("load average at the end", load(), flush=True)
    return found


def load() -> str:
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def print_growth(sizes: dict[int, dict[str, Measure]]) -> None:
    """Every ratio by size, and what a page as a whole, and work a person, costs in the largest company for one
    in the smallest."""
    small, large = min(sizes), max(sizes)
    for title, ratio, cost in (
        ("ratio to the floor", "ratio", "took"),
        ("the same, of CPU", "cpu_ratio", "cpu"),
    ):
        print(f"\n{title:<28}" + "".join(f"{people:>10}" for people in sizes) + "   grew")
        for name, first in sizes[small].items():
            if last := sizes[large].get(name):
                grew = (
                    getattr(last, cost)
                    / (getattr(first, cost) or 1)
                    / (1 if first.is_page else large / small)
                )
                cells = "".join(
                    f"{getattr(row[name], ratio):>10.2f}" if name in row else f"{'':>10}"
                    for row in sizes.values()
                )
                print(
                    f"{name:<28}{cells}{grew:7.2f}   {'the page' if first.is_page else 'a person'}"
                )


if __name__ == "__main__":
    main()
