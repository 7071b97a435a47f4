"""What is measured, and how it is timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Measure:
    """One line: what was measured, the best or middle of its times, and of the floor's, in milliseconds."""

    name: str
    took: float
    floor: float
    note: str = ""
    is_page: bool = False

    @property
    def ratio(self) -> float:
        return self.took / self.floor


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3
