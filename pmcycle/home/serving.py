"""How gunicorn serves the pages: `gunicorn -c python:pmcycle.home.serving pmcycle.wsgi`.

What differs from place to place comes from the environment: BIND, WEB_CONCURRENCY, WEB_THREADS, PROBES_BIND.
"""

import os
import socket
from typing import Any

bind = os.environ.get("BIND", "127.0.0.1:8000")
worker_class = "gthread"
# The number of processes comes from WEB_CONCURRENCY.
threads = int(os.environ.get("WEB_THREADS", "4"))
control_socket_disable = True
max_requests = 5000
max_requests_jitter = 500
# A worker says that it lives by touching a file: not on a disk that may be slow.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108

# Where probes are answered; empty for not at all.
PROBES = os.environ.get("PROBES_BIND", "127.0.0.1:8001")
_opened: list[socket.socket] = []


def on_starting(server: Any) -> None:
    """Open the socket of the probes once; every worker answers on it, so that one is enough to answer."""
    if PROBES:
        host, _, port = PROBES.rpartition(":")
        _opened.append(socket.create_server((host, int(port)), backlog=64))


def post_worker_init(worker: Any) -> None:
    """Answer probes in threads of their own, beside those that serve pages."""
    from pmcycle.home.health import Probes

    for opened in _opened:
        Probes(opened).start()
