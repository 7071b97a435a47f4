"""A real worker process that stops in the middle of its work, where a test wants to kill it.

``with stopped("pmcycle.cycles.tasks.launch_waiting", before="INSERT INTO activity_event") as worker`` runs the
task in a process of its own on the database of the test, and goes on as soon as that process stands
before the first statement with these words. `worker.kill()` is SIGKILL; at the end it is killed anyway.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tools.processes import die_with_parent


@contextmanager
def stopped(task: str, *, before: str) -> Iterator[subprocess.Popen[str]]:
    """The process of a task that stands before a statement, holding what it holds."""
    from django.db import connection

    here = urlsplit(os.environ["DATABASE_URL"])
    env = {
        **os.environ,
        "DATABASE_URL": urlunsplit(here._replace(path=f"/{connection.settings_dict['NAME']}")),
        "DJANGO_SETTINGS_MODULE": "pmcycle.settings",
    }
    command = [sys.executable, "-m", "tests.stopping_worker", task, before]
    with subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    ) as worker:
        assert worker.stdout
        try:
            said = worker.stdout.readline().strip()
            assert said == "here", f"the worker never came to: {before}"
            yield worker
        finally:
            worker.kill()


def _run(task: str, before: str) -> None:
    import django

    django.setup()
    from django.db import connection
    from django.utils.module_loading import import_string

    def stop(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if before in sql:
            print("here", flush=True)
            sys.stdin.read()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(stop):
        import_string(task)()


if __name__ == "__main__":
    _run(*sys.argv[1:])
