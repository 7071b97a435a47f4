"""The processes of an installation, each of which can be killed, frozen and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg2

from tests.faults import seeds, small_disk
from tests.faults.mailbox import MoodyServer
from tools.processes import listening_socket, spawn, stop
from tools.services import ROOT, Services, numbered_services

DATABASE = "faults"
# The disk on which the database's tables lie, and what is uploaded while it is read.
DISK_MEGABYTES = 256
PYTHON = [sys.executable, "-W", "ignore:You're running"]
CELERY = [*PYTHON, "-m", "celery", "-q", "-A"]


class Stack:
    """To be made while this process has a single thread: it may get a disk of its own."""

    def __init__(self, seed: str = "") -> None:
        self.services: Services = numbered_services("faults", durable=True)
        self.seed = seed
        self.folder = self.services.dir / "run"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.disk = self.folder / "disk"
        for folder in (self.disk, self.folder / "mail", self.folder / "static"):
            folder.mkdir(parents=True)
        self.has_small_disk = small_disk.mount(self.disk, DISK_MEGABYTES)
        self.mail, self.web = listening_socket(), listening_socket()
        with listening_socket() as proxy:
            self.port: int = proxy.getsockname()[1]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.commands: dict[str, list[str | Path]] = {
            "proxy": [
                *(Path(sys.executable).parent / "caddy", "run"),
                *("--config", ROOT / "Caddyfile", "--adapter", "caddyfile"),
            ],
            "web": [*PYTHON, "-m", "gunicorn", "-c", "python:tests.faults.serving", "pmcycle.wsgi"],
            "worker": self._worker("one"),
            "beat": self._beat("one"),
        }

    # --- starting and ending

    def __enter__(self) -> Stack:
        # A cluster of its own each time: the disk of the one before is gone.
        for cluster in self.services.dir.glob("pg*"):
            shutil.rmtree(cluster)
        self.mailbox = MoodyServer(self.folder / "mail", self.mail)
        self.mailbox.start()
        self.postgres = self.services.start_postgres()
        self.valkey = self.services.start_valkey()
        tables, uploads = self.disk / "tables", self.disk / "uploads"
        for folder in (tables, uploads):
            folder.mkdir()
        os.chown(tables, self.services.owner, -1)
        self.services.run_sql(f"CREATE TABLESPACE small LOCATION '{tables}'")
        self.services.run_sql(f"CREATE DATABASE {DATABASE} TEMPLATE template0 TABLESPACE small")
        os.environ.update(self.environment())
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
            stop(process, patience=5)
        self.valkey.send_signal(signal.SIGCONT)
        stop(self.valkey)
        stop(self.postgres, stop_signal=signal.SIGINT)
        self.mailbox.stop()

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.services.database_url(DATABASE),
            "REDIS_URL": self.services.redis_url(0),
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "DEBUG": "0",
            "HTTPS": "0",
            "SECRET_KEY": "a key that opens nothing but faults",
            "SITE_URL": f"http://localhost:{self.port}",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail.getsockname()[1]}",
            "LOG_LEVEL": "WARNING",
            "STATIC_ROOT": str(self.folder / "static"),
            "MEDIA_ROOT": str(self.folder / "media"),
            "TRAIL_SEALS_DIR": str(self.folder / "seals"),
            "BIND": f"fd://{self.web.fileno()}",
            "PROBES_BIND": "",
            "WEB_CONCURRENCY": "2",
            seeds.VARIABLE: self.seed,
            "LISTEN": "127.0.0.1",
            "SITE_ADDRESS": f"http://:{self.port}",
            "XDG_DATA_HOME": str(self.folder),
            "WEB": f"127.0.0.1:{self.web.getsockname()[1]}",
            "XDG_CONFIG_HOME": str(self.folder),
            "FAULTS_UPLOADS": str(self.disk / "uploads"),
        }

    def start(self) -> None:
        for name in self.commands:
            self.launch(name)

    def launch(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            # Frozen processes hear nothing but SIGKILL.
            self.processes[name] = spawn(
                self.commands[name],
                env=os.environ,
                output=log,
                cwd=ROOT,
                sockets=[self.web],
                stop_signal=signal.SIGKILL,
            )

    def add(self, name: str) -> None:
        """A second worker or a second clock."""
        kind = name.partition(" ")[0]
        self.commands[name] = self._worker(name) if kind == "worker" else self._beat(name)
        self.launch(name)

    def remove(self, name: str) -> None:
        del self.commands[name]
        stop(self.processes.pop(name), patience=60)

    def heal(self) -> None:
        """Start again whatever has ended, as whoever watches over processes does."""
        if self.postgres.poll() is not None:
            self.postgres = self.services.start_postgres()
        if self.valkey.poll() is not None:
            self.valkey = self.services.start_valkey()
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.launch(name)

    # --- doing harm

    def kill(self, name: str) -> None:
        """kill -9, with everything it has started."""
        os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()

    def kill_children(self, name: str) -> None:
        """kill -9 what serves, but not what starts it again."""
        pid = self.processes[name].pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def signal(self, name: str, number: signal.Signals) -> None:
        os.killpg(self.processes[name].pid, number)

    @contextlib.contextmanager
    def raising_at(self, table: str) -> Iterator[None]:
        """Whoever writes a row of the table within gets an error that nobody has thought of."""
        self.sql(
            "CREATE OR REPLACE FUNCTION faults_raise() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'a fault'; END $$"
        )
        self.sql(
            f"CREATE TRIGGER faults_raise BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION faults_raise()"
        )
        try:
            yield
        finally:
            self.sql(f"DROP TRIGGER faults_raise ON {table}")

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """Within, the disk has no room for another block."""
        self.sql("CREATE UNLOGGED TABLE faults_filler (t text) WITH (autovacuum_enabled = false)")
        try:
            # A line is a quarter of a block. What did not fit is taken back, but not its blocks. Many are asked
            # for at once, so that a few are left, which single lines take.
            for lines in (DISK_MEGABYTES * 1024 // 8 * 4, *[4] * 1000):
                try:
                    self.sql(
                        "INSERT INTO faults_filler SELECT repeat('x', 1900) FROM generate_series(1, %s)",
                        [lines],
                    )
                except psycopg2.errors.DiskFull:
                    if lines == 4:
                        break
            yield
        finally:
            self.sql("DROP TABLE faults_filler")

    @contextlib.contextmanager
    def held(self, statement: str, parameters: Sequence[object] = ()) -> Iterator[None]:
        """Within, somebody else holds the rows that the statement locks."""
        with contextlib.closing(self.connect()) as holder:
            holder.autocommit = False
            holder.cursor().execute(statement, parameters)
            yield

    @contextlib.contextmanager
    def stopped_at(
        self, table: str, row: int, press: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Whoever writes this row of the table, counted from when `press` is called, stands there within."""
        with contextlib.closing(self.connect()) as holder:
            cursor = holder.cursor()
            cursor.execute("SELECT pg_advisory_lock(4711)")
            cursor.execute("DROP SEQUENCE IF EXISTS faults_row; CREATE SEQUENCE faults_row")
            cursor.execute(
                "CREATE OR REPLACE FUNCTION faults_stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " IF nextval('faults_row') = TG_ARGV[0]::bigint THEN PERFORM pg_advisory_xact_lock(4711); END IF;"
                " RETURN NEW; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER faults_stop BEFORE INSERT ON {table} FOR EACH ROW"
                f" EXECUTE FUNCTION faults_stop('{row}')"
            )
            try:
                press()
                self.wait_for(
                    lambda: self.sql(
                        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"
                    ),
                    f"row {row} of {table}",
                )
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(4711)")
                cursor.execute(f"DROP TRIGGER faults_stop ON {table}")

    # --- looking

    def connect(self) -> Any:
        connection = psycopg2.connect(self.services.database_url(DATABASE))
        connection.autocommit = True
        return connection

    def sql(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def wait_for(self, true: Any, what: str, seconds: float = 180) -> None:
        give_up = time.monotonic() + seconds
        while not true():
            if time.monotonic() > give_up:
                raise AssertionError(
                    f"waited {seconds:.0f} s in vain for {what}; logs are in {self.folder}"
                )
            time.sleep(0.1)

    def _worker(self, name: str) -> list[str | Path]:
        quiet = [
            "--without-gossip",
            "--without-mingle",
            "-c",
            "2",
            "-n",
            f"{name.replace(' ', '-')}@faults",
        ]
        return [*CELERY, "tests.faults.seeds", "worker", *quiet]

    def _beat(self, name: str) -> list[str | Path]:
        schedule = self.folder / f"beat-{name.replace(' ', '-')}"
        return [*CELERY, "tests.journeys.fast_clock", "beat", "--schedule", schedule, "--pidfile="]
