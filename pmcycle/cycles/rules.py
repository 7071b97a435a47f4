"""Arithmetic and decisions of cycles: plain values in, plain values out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Need:
    """How one kind of open item reads on home, in the inbox and in a mail.

    `title` and `waits` may use %(name)s, the person it is about. `url_name` takes the item's subject
    as `pk`. `minutes` is what the job usually takes. `waits` is the line shown to whom it concerns but
    who cannot act ("Bashir has not answered yet"); empty means it is not shown to others.
    """

    title: Any
    button: Any
    url_name: str
    minutes: int
    waits: Any = ""


NEEDS: dict[str, Need] = {}
