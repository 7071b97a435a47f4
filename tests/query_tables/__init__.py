"""Pages whose SQL statements are counted, a module an app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import World


@dataclass(frozen=True)
class Page:
    """`grow(world, n)` adds n rows to what the page lists; `limit` is 8, or 12 for home, board and grids."""

    url_name: str
    as_: str
    grow: Callable[[World, int], None]
    build: Callable[[World], dict[str, Any]] = field(default=lambda world: {})
    limit: int = 8
    state: str = ""

    @property
    def label(self) -> str:
        return f"{self.url_name} {self.state}".strip()
