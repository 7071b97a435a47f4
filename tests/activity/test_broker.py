"""Valkey gone or frozen: people are answered, and the worker comes back by itself."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
from celery import Celery
from django.db import connection, transaction
from django.test import Client

from pmcycle.activity.models import Heartbeat
from pmcycle.home.health import Probes, problems
from pmcycle.settings import broker_url
from tests.conftest import World
from tools.processes import listening_socket, spawn, stop
from tools.services import ROOT, valkey_binary

WAKE_TWICE = """
import django
django.setup()
from pmcycle.activity.tasks import deliver, wake
wake(deliver)
wake(deliver)
print("answered")
"""


class Broker:
    """A Valkey of the test's own, which may be frozen, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "v.sock"
        self.url = f"unix://{self.path}?db=0"
        self.start()

    def start(self) -> None:
        options = [
            "--port",
            "0",
            "--unixsocket",
            str(self.path),
            "--save",
            "",
            "--dir",
            str(self.path.parent),
        ]
        self.process = spawn([valkey_binary(), *options], env=os.environ, output=subprocess.DEVNULL)
        wait_until(self.answers)

    def answers(self) -> bool:
        with (
            contextlib.suppress(redis.RedisError, OSError),
            contextlib.closing(redis.from_url(self.url)) as client,
        ):
            return bool(client.ping())
        return False

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.thaw()
        stop(self.process)


@pytest.fixture
def broker() -> Iterator[Broker]:
    # A socket's path has room for about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="pm") as folder:
        one = Broker(Path(folder))
        yield one
        one.stop()


def wait_until(true: Callable[[], Any], seconds: float = 90) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.1)


@pytest.mark.parametrize("state", ["frozen", "gone"])
def test_a_page_that_wakes_a_worker_is_answered_and_only_one_waits(
    broker: Broker, state: str
) -> None:
    if state == "frozen":
        broker.freeze()
    else:
        broker.kill()
    env = {
        **os.environ,
        "REDIS_URL": broker.url,
        "PMCYCLE_PROCESS": "web",
        "DJANGO_SETTINGS_MODULE": "pmcycle.settings",
    }
    # The limit only ends a wait without end; answered is answered.
    told = subprocess.run(
        [sys.executable, "-c", WAKE_TWICE],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert told.stdout == "answered\n", told.stderr
    assert told.stderr.count("broker_unreachable") == 1, "the second did not wait again"


@pytest.mark.django_db
def test_whether_a_frozen_broker_answers_is_known_soon(broker: Broker, settings: Any) -> None:
    settings.REDIS_URL = broker.url
    assert problems() == []
    broker.freeze()
    assert problems() == ["redis"]
    broker.thaw()
    assert problems() == []


def test_a_probe_does_not_wait_for_what_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmcycle.home.health.PATIENCE", 0.05)
    ends = threading.Event()
    monkeypatch.setattr(Probes, "_ask", lambda self: ends.wait(60) and [])
    with listening_socket() as opened:
        probes = Probes(opened)
        assert probes.missing() == ["answer in time"]
        assert probes.missing() == ["answer in time"], "nor does the next one, behind it"
        ends.set()
        probes.asking.shutdown()


def test_signing_in_and_asking_for_a_new_password_need_no_broker(
    world: World, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("redis.connection.AbstractConnection.connect", unreachable)
    monkeypatch.setattr("pmcycle.activity.tasks._asked_in_vain", -60.0)
    world.ana.set_password("a long enough phrase")
    world.ana.save()
    client = Client()
    assert (
        client.post("/account/login/", {"login": world.ana.email, "password": "wrong"}).status_code
        == 422
    )
    typed = {"login": world.ana.email, "password": "a long enough phrase"}
    assert client.post("/account/login/", typed).status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        asked = Client().post("/account/password/reset/", {"email": world.ana.email})
    assert asked.status_code == 302


# --- the worker --------------------------------------------------------------------------------------


@pytest.fixture
def worker(broker: Broker, transactional_db: None, tmp_path: Path) -> Iterator[Celery]:
    """A real worker on the test's broker and database, and the app that sends it tasks."""
    server = urlsplit(os.environ["DATABASE_URL"])
    env = {
        **os.environ,
        "DATABASE_URL": urlunsplit(server._replace(path=f"/{connection.settings_dict['NAME']}")),
        "REDIS_URL": broker.url,
        "BROKER_PATIENCE": "1",
        "DJANGO_SETTINGS_MODULE": "pmcycle.settings",
    }
    command = [sys.executable, "-m", "celery", "-A", "pmcycle", "worker", "--concurrency", "1"]
    with (tmp_path / "worker.log").open("wb") as log:
        process = spawn(
            [*command, "--without-gossip", "--without-mingle"], env=env, output=log, cwd=ROOT
        )
    app = Celery(broker=broker_url(broker.url), set_as_current=False)
    app.conf.broker_transport_options = {"socket_timeout": 5}
    try:
        tick(app)
        yield app
    finally:
        app.close()
        stop(process)


def beaten_at() -> datetime:
    found = Heartbeat.objects.filter(name="deliver").values_list("at", flat=True).first()
    return found or datetime(2000, 1, 1, tzinfo=UTC)


def tick(app: Celery) -> None:
    """Send a tick of the clock, and wait until the worker has done it."""
    before = beaten_at()
    app.send_task("pmcycle.home.tasks.deliver")
    wait_until(lambda: beaten_at() > before)


def test_a_worker_comes_back_when_its_broker_died_during_a_task(
    broker: Broker, worker: Celery
) -> None:
    before = beaten_at()
    with transaction.atomic():
        Heartbeat.objects.select_for_update().get(name="deliver")
        worker.send_task("pmcycle.home.tasks.deliver")
        wait_until(waits_for_a_lock)
        broker.kill()
        broker.start()
    # It is given up by the worker; the next tick of the clock is done all the same.
    tick(worker)
    assert beaten_at() > before


def test_a_worker_goes_on_when_its_broker_was_frozen(broker: Broker, worker: Celery) -> None:
    broker.freeze()
    # Long enough for the worker's patience of a second to end; more of it changes nothing.
    time.sleep(3)
    broker.thaw()
    tick(worker)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
