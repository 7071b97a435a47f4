"""Fragments that are rendered once for each shape they have, and filled in for every row.

A form that stands on a page ten times differs in a handful of values. Its template takes most of the time that the
page takes, so it is rendered with stand-ins once in each language, cut where they stand, and joined with the values
of each row.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

# Keys that no row has and letters that nobody types.
_keys = itertools.count(10**15 + 500_000_001)
_letters = itertools.count(1)


def any_number() -> int:
    """Stands for a whole number that is no more than written down: a key, a version."""
    return next(_keys)


def any_text() -> str:
    """Stands for a text, or for markup that is ready."""
    return f"\ue000{next(_letters)}\ue001"


class Stencil:
    """``Stencil("goals/_record.html", context, pk=any_number, unit=any_text)``.

    ``context`` gets the shape and the stand-ins by name and returns what the fragment is rendered with. It may
    branch on the shape, and do nothing with the stand-ins but have them written. A shape is hashable, and there
    are few: the markup is kept for each, in each language.
    """

    def __init__(
        self,
        fragment: str,
        context: Callable[..., Mapping[str, Any]],
        **stand_ins: Callable[[], object],
    ) -> None:
        self.fragment, self.context, self.stand_ins = fragment, context, stand_ins
        self._pieces = lru_cache(maxsize=256)(self._cut)

    def _cut(self, _language: str, shape: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The markup between the stand-ins, and the names of the stand-ins between it."""
        standing = {str(make()): name for name, make in self.stand_ins.items()}
        given = {name: int(text) if text.isdigit() else text for text, name in standing.items()}
        markup = render_to_string(self.fragment, dict(self.context(shape, **given)))
        found = re.split(f"({'|'.join(map(re.escape, standing))})", markup)
        return tuple(found[::2]), tuple(standing[text] for text in found[1::2])

    def fill(self, shape: Any, values: Mapping[str, object]) -> SafeString:
        """The fragment in this shape with these values; what is not markup yet is escaped."""
        between, names = self._pieces(get_language() or "", shape)
        texts = {
            name: value if isinstance(value, SafeString) else escape(str(value))
            for name, value in values.items()
        }
        drawn = [between[0]]
        for name, rest in zip(names, between[1:], strict=True):
            drawn += [texts[name], rest]
        return mark_safe("".join(drawn))  # noqa: S308 - the fragment is markup, and each value is escaped


@dataclass(frozen=True)
class Filling:
    """A stencil with what one row writes into it, all but what only the page has: ``{% filled row.recording %}``."""

    stencil: Stencil
    shape: Any
    values: Mapping[str, object]
