"""What is measured, and how it is timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Spent(NamedTuple):
    """Milliseconds on the wall, and of processors in this process and in its PostgreSQL backend."""

    wall: float
    cpu: float


@dataclass
class Measure:
    """One line: what was measured, and the floor it stands beside, each on the wall and of processors."""

    name: str
    took: float
    floor: float
    cpu: float
    cpu_floor: float
    note: str = ""
    is_page: bool = False

    @property
    def ratio(self) -> float:
        return self.took / self.floor

    @property
    def cpu_ratio(self) -> float:
        """Steadier than the wall on a machine that others use; waiting for disks is not in it."""
        return self.cpu / self.cpu_floor if self.cpu_floor else 0.0


def milliseconds(*works: Callable[[], object]) -> Spent:
    """How long they take, one after the other."""
    began, cpu = time.perf_counter(), _cpu()
    for work in works:
        work()
    return Spent((time.perf_counter() - began) * 1e3, (_cpu() - cpu) * 1e3)


def measure(
    name: str,
    rounds: Iterable[tuple[Spent, Spent]],
    note: str,
    choose: Callable[[Iterable[float]], float] = min,
    *,
    is_page: bool = False,
) -> Measure:
    """One line of many rounds, each of the work and of the floor.

    The best of each side, because whatever disturbs a round makes it longer.
    """
    took, floor = zip(*rounds, strict=True)
    return Measure(
        name,
        choose([spent.wall for spent in took]),
        choose([spent.wall for spent in floor]),
        choose([spent.cpu for spent in took]),
        choose([spent.cpu for spent in floor]),
        note,
        is_page,
    )


def _cpu() -> float:
    """Seconds of processors so far; where the backend is out of sight, this process alone."""
    from django.db import connection

    spent = time.process_time()
    with suppress(OSError, AttributeError):
        backend = connection.connection.info.backend_pid
        spent += int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9
    return spent
