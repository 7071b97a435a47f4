"""Whether what pmcycle stands on answers, asked by whoever runs it: in a page, and beside the pages."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection

# Seconds within which everything has answered, or does not count as answering.
PATIENCE = 3.0


def problems() -> list[str]:
    """The names of what does not answer: "database", "redis"; empty if all is well."""
    missing = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        missing.append("database")
    if not _redis_answers():
        missing.append("redis")
    return missing


def _redis_answers() -> bool:
    """Whether it does so within a second: a frozen one takes connections and says nothing."""
    client = redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


class Probes:
    """Answers /livez and /readyz on a socket of its own, in threads of its own.

    Pages may all be waiting for something slow; that is no reason to restart what serves them, and
    whoever looks must not have to wait in the same line.
    """

    def __init__(self, opened: socket.socket) -> None:
        self.asking = ThreadPoolExecutor(1, thread_name_prefix="probe")
        self.asked: Future[list[str]] | None = None
        self.lock = threading.Lock()
        probes = self

        class Handler(BaseHTTPRequestHandler):
            timeout = PATIENCE

            def do_GET(self) -> None:
                probes.answer(self)

            def log_message(self, *_arguments: Any) -> None:
                """Every few seconds for ever: nothing for a log."""

        address = opened.getsockname()[:2]
        self.server = ThreadingHTTPServer(address, Handler, bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = opened
        self.server.daemon_threads = True

    def start(self) -> None:
        threading.Thread(target=self.server.serve_forever, name="probes", daemon=True).start()

    def missing(self) -> list[str]:
        """`problems`, or that there was no answer in time. One question at a time, however many ask."""
        with self.lock:
            if self.asked is None or self.asked.done():
                self.asked = self.asking.submit(self._ask)
            asked = self.asked
        try:
            return asked.result(PATIENCE)
        except TooLate:
            return ["answer in time"]

    def _ask(self) -> list[str]:
        try:
            return problems()
        finally:
            connection.close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        body: dict[str, object]
        if path == "/livez":
            status, body = 200, {"alive": True}
        elif path == "/readyz":
            missing = self.missing()
            status, body = (503 if missing else 200), {"ready": not missing, "missing": missing}
        else:
            status, body = 404, {}
        content = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        if status == 503:
            request.send_header("Retry-After", "5")
        request.end_headers()
        request.wfile.write(content)
