"""What every test stands on, before any test or setting is read: servers, environment, no network."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from tools.processes import die_with_parent
from tools.services import ServiceError, Services, numbered_services

ROOT = Path(__file__).resolve().parent.parent
LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost", "", None)
MINE = pytest.StashKey[Services]()


def with_number(redis_url: str, number: int) -> str:
    """Return the address of another numbered database of the same Redis."""
    if redis_url.startswith("unix://"):
        return f"{redis_url.partition('?')[0]}?db={number}"
    return urlunsplit(urlsplit(redis_url)._replace(path=f"/{number}"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Make the environment complete; the processes of pytest-xdist inherit what the first one set."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _start_servers(early_config)
    else:
        die_with_parent()  # a worker in the middle of a test would not notice
    number = int(worker.removeprefix("gw")) if worker else 0
    os.environ["REDIS_URL"] = with_number(os.environ["REDIS_URL"], number)
    return (yield)


def _start_servers(config: pytest.Config) -> None:
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        try:
            services = numbered_services("test", durable=False)
            services.ensure()
        except ServiceError as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[MINE] = services
        os.environ.update(services.environment())
    static = ROOT / ".dev" / "test-static"
    static.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        DEBUG="0",
        HTTPS="0",
        SECRET_KEY="a key that opens nothing but tests",
        SITE_URL="http://localhost:8000",
        EMAIL_URL="smtp://127.0.0.1:9",
        LOG_LEVEL="WARNING",
        STATIC_ROOT=str(static),
        MEDIA_ROOT=str(ROOT / ".dev" / "test-media"),
        # Playwright's loop runs in the thread of the test, where Django then suspects async code.
        DJANGO_ALLOW_ASYNC_UNSAFE="1",
    )
    if MINE in config.stash:
        os.environ["TEST_TEMPLATE"] = _template(config.stash[MINE])


def _template(services: Services) -> str:
    """Return the name of a database with all tables. It is made once for a set of migrations; every
    test database starts as its copy, which saves each run and each worker the making."""
    digest = hashlib.sha256()
    for pattern in ("*/migrations/*.py", "pmcycle/*/migrations/*.py", "requirements.lock"):
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    name = f"template_{digest.hexdigest()[:12]}"
    found = [str(row[0]) for row in services.run_sql("SELECT datname FROM pg_database")]
    if name in found:
        return name
    for old in (other for other in found if other.startswith("template_")):
        services.run_sql(f"DROP DATABASE {old} WITH (FORCE)")
    services.run_sql(f"CREATE DATABASE {name}_unfinished")
    made = subprocess.run(
        [sys.executable, "-m", "tools.schema"],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": services.database_url(f"{name}_unfinished"),
            "DJANGO_SETTINGS_MODULE": "pmcycle.settings",
        },
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise pytest.UsageError(f"The tables cannot be made:\n{made.stderr}")
    # Every copy begins a life of its own: one that was born here would take itself for a restored copy there.
    services.run_sql("TRUNCATE activity_life", database=f"{name}_unfinished")
    services.run_sql(f"ALTER DATABASE {name}_unfinished RENAME TO {name}")
    return name


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    if template := os.environ.get("TEST_TEMPLATE"):
        settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = template
    # A strong hash costs a tenth of a second for every user that a test makes.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Hashed names need collectstatic first; `./dev check` does that.
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    sys.addaudithook(_stay_at_home)


def _stay_at_home(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse every connection and name look-up that would leave this machine."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and address[0] not in LOCAL_HOSTS:
            raise RuntimeError(f"A test tried to reach {address[0]}: tests stay on this machine")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if (host.decode() if isinstance(host, bytes) else host) not in LOCAL_HOSTS:
            raise RuntimeError(f"A test tried to look up {host}: tests stay on this machine")


def pytest_unconfigure(config: pytest.Config) -> None:
    if services := config.stash.get(MINE, None):
        services.release()


def pictures_dir() -> Path:
    """Return the folder for screenshots, from the environment variable PICTURES."""
    return Path(os.environ.get("PICTURES") or ROOT / ".dev" / "pictures")
