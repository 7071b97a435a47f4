"""Two people, or two tabs, at the same moment: real threads on real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from pmcycle.errors import Refused


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of them returned or was refused with, all started at the same moment."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait(10)
            return act()
        except Refused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(30) for future in [pool.submit(run, act) for act in acts]]


def refused(results: Sequence[Any]) -> int:
    """How many of them were refused."""
    return sum(isinstance(result, Refused) for result in results)
