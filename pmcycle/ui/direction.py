"""Marks that turn the direction of writing, which nobody sees and which reach over what stands behind them."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

# Embeddings, overrides, isolates and their ends, and the three marks without a width. Arabic and Hebrew read from
# right to left without any of them.
MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_MARKS = re.compile(f"[{MARKS}]")
_MARKS_IN_UTF8 = re.compile(b"|".join(mark.encode() for mark in MARKS))


def neutral(text: str) -> str:
    """The text without marks of direction: a name written with one cannot turn the figures beside it."""
    return _MARKS.sub("", text)


class DirectionMiddleware:
    """No page holds a mark of direction, wherever the words on it come from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        if is_page and isinstance(answer, HttpResponse) and _MARKS_IN_UTF8.search(answer.content):
            answer.content = _MARKS_IN_UTF8.sub(b"", answer.content)
        return answer
