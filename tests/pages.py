"""Pages as tests read them: what a browser shows the same reads the same."""

from __future__ import annotations

import re

from django.http import HttpResponse


def flat(response: HttpResponse) -> str:
    """The page with every run of white space as one space, and none before the end of a tag."""
    return re.sub(r"\s+", " ", response.content.decode()).replace(" >", ">")
