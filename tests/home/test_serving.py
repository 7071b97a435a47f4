"""The processes that serve, as they run in production: gunicorn with its probes, and the proxy before it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tools.processes import listening_socket, spawn, stop
from tools.services import ROOT

THREADS = 2
# More than there are threads: without help every thread would wait for one of them.
SLOW_CLIENTS = 10


def free_port() -> int:
    with listening_socket() as opened:
        port: int = opened.getsockname()[1]
    return port


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_for(port: int, path: str = "/livez", seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while True:
        try:
            assert get(port, path)[0] == 200
        except OSError:
            assert time.monotonic() < give_up, f"nobody answers on {port}"
            time.sleep(0.1)
        else:
            return


def begin(port: int, path: bytes = b"/livez") -> socket.socket:
    """A form whose sender has begun and does not go on. Whoever refuses it for want of a token reads it first."""
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.sendall(
        b"POST "
        + path
        + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 6\r\n\r\na"
    )
    return client


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[dict[str, int]]:
    """Ports of pages, probes and proxy; one process with two threads behind them."""
    web, probes, proxy = listening_socket(), free_port(), free_port()
    env = {
        **os.environ,
        "BIND": f"fd://{web.fileno()}",
        "PROBES_BIND": f"127.0.0.1:{probes}",
        "WEB_CONCURRENCY": "1",
        "WEB_THREADS": str(THREADS),
        "LISTEN": "127.0.0.1",
        "SITE_ADDRESS": f"http://:{proxy}",
        "WEB": f"127.0.0.1:{web.getsockname()[1]}",
        "XDG_DATA_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "LOG_LEVEL": "ERROR",
    }
    caddy = Path(sys.executable).parent / "caddy"
    log = (tmp_path / "log").open("wb")
    processes = [
        spawn(
            [sys.executable, "-m", "gunicorn", "-c", "python:pmcycle.home.serving", "pmcycle.wsgi"],
            env=env,
            output=log,
            cwd=ROOT,
            sockets=[web],
        ),
        spawn(
            [caddy, "run", "--config", ROOT / "Caddyfile", "--adapter", "caddyfile"],
            env=env,
            output=log,
        ),
    ]
    try:
        for port in (probes, proxy):
            wait_for(port)
        yield {"web": int(web.getsockname()[1]), "probes": probes, "proxy": proxy}
    finally:
        for process in processes:
            stop(process, patience=5)
        web.close()
        log.close()


@pytest.fixture
def many() -> Iterator[ExitStack]:
    """Closes what many clients have opened."""
    with ExitStack() as opened:
        yield opened


def test_probes_answer_while_every_thread_waits_for_a_slow_client(
    serving: dict[str, int], many: ExitStack
) -> None:
    for _ in range(SLOW_CLIENTS):
        many.enter_context(begin(serving["web"]))
    assert get(serving["probes"], "/livez") == (200, b'{"alive": true}')
    status, body = get(serving["probes"], "/readyz")
    assert (status, json.loads(body)) == (200, {"ready": True, "missing": []})
    assert get(serving["probes"], "/people/")[0] == 404


def test_the_proxy_hands_on_only_whole_requests_so_slow_clients_hold_up_nobody(
    serving: dict[str, int], many: ExitStack
) -> None:
    for _ in range(SLOW_CLIENTS):
        many.enter_context(begin(serving["proxy"]))
    assert get(serving["proxy"], "/livez") == (200, b"ok")
    # Whoever does go on is answered: here, that nobody is signed in.
    goes_on = many.enter_context(begin(serving["proxy"], b"/api/v1/todos/"))
    goes_on.sendall(b"=text")
    assert goes_on.recv(64).startswith(b"HTTP/1.1 401")


def test_a_probe_that_says_nothing_holds_up_no_other(serving: dict[str, int]) -> None:
    with socket.create_connection(("127.0.0.1", serving["probes"]), timeout=60):
        assert get(serving["probes"], "/livez")[0] == 200
