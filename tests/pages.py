"""Pages as tests read them: what a browser shows the same reads the same."""

from __future__ import annotations

import re
from typing import Protocol


class HasContent(Protocol):
    @property
    def content(self) -> bytes: ...


def flat(response: HasContent) -> str:
    """The page with every run of white space as one space, and none before the end of a tag."""
    return re.sub(r"\s+", " ", response.content.decode()).replace(" >", ">")
