"""What people type, read at the edge, and what they are told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from pmcycle.errors import Invalid


def search_words(request: HttpRequest, name: str = "q") -> str:
    """What was typed into a search field, as one line that the database takes."""
    return " ".join(request.GET.get(name, "").replace("\x00", "").split())[:100]


def row_number(text: str | None) -> int | None:
    """The number of a row or a page as an address or a form has it; None if it is no such number."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None


def read_version(request: HttpRequest) -> int:
    """The version a one-button form was read at; 0, which no row has, if it has none."""
    return row_number(request.POST.get("version")) or 0


def done(form: Any, act: Callable[[], Any]) -> bool:
    """Act; a field the action refuses becomes that field's error. True if it was done."""
    try:
        act()
    except Invalid as invalid:
        form.add_error(invalid.field if invalid.field in form.fields else None, invalid.reason)
        return False
    return True
