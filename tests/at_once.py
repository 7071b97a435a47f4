"""Two people, or two tabs, at the same moment: real threads on real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction

from pmcycle.errors import Refused
from tests.open_items import catch_up

# No measure of anything: so long a test waits before it calls a thread stuck, on whatever machine.
PATIENCE = 180


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of them returned or was refused with, all started at the same moment."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait(PATIENCE)
            return act()
        except Refused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(PATIENCE) for future in [pool.submit(run, act) for act in acts]]


def meanwhile(act: Callable[[], Any], *, hold: Callable[[], Any], change: Callable[[], Any]) -> Any:
    """What an act came to that had begun when somebody else held what it needs, and changed something.

    `hold` takes the lock, the act begins and comes to wait for it, `change` happens, and both are committed
    together: the act was let in before the change, and writes after it.
    """
    catch_up()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            hold()
            acting = pool.submit(at_once, act)
            until_it_waits()
            change()
        [result] = acting.result(PATIENCE)
    return result


def until_it_waits() -> None:
    """Return as soon as some session waits for a lock of ours."""
    with connection.cursor() as cursor:
        for _turn in range(PATIENCE * 20):
            cursor.execute(
                "SELECT pg_sleep(0.05), count(*) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[1]:
                return
    raise AssertionError("the act came to no lock")


def refused(results: Sequence[Any]) -> int:
    """How many of them were refused."""
    return sum(isinstance(result, Refused) for result in results)
