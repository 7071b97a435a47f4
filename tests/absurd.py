"""Values that no form expects, for every field that any form has.

The names of the fields are read from the forms, the serializers, the templates and the views
themselves, so that a new field is tried from its first day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from django import forms
from rest_framework import serializers

from tests.test_house import PYTHON_FILES, TEMPLATES

NAMED = re.compile(r'POST(?:\.get|\.getlist)?[\[(]\s*"([\w-]+)"|\bname="([a-zA-Z][\w-]*)"')
TYPED = [
    "",
    "\x00",
    "9" * 5000,
    "99999999999999999999",
    "-1",
    "²",
    "remove-²",
    "NaN",
    "1e999",
    "٣",
    "0001-01-01",
    "9999-12-31",
    "25:61",
    "x" * 21_000,
    "\u202e<script>",
    "1:99999999999999999999",
    "//evil.example/",
]
IN_JSON: list[Any] = [
    "\x00",
    "\ud800",
    10**30,
    -1,
    0.5,
    "9" * 5000,
    [],
    {},
    None,
    True,
    "9999-99-99",
    "x" * 21_000,
]
# How often a page is asked; each field meets another value each time.
ROUNDS = 5


def subclasses(of: type[Any]) -> Iterator[type[Any]]:
    one: type[Any]
    for one in of.__subclasses__():
        yield one
        yield from subclasses(one)


def declared(app: str, base: type, fields: str) -> set[str]:
    """The fields of the forms (or serializers) of an app."""
    ours = (one for one in subclasses(base) if app in one.__module__.split("."))
    return {name for one in ours for name in getattr(one, fields, {})}


@cache
def names(app: str) -> list[str]:
    """Every field that an app's pages (or the API) read; not `version`, which would stop most at the door."""
    if app == "api":
        known = declared("api", serializers.Serializer, "_declared_fields")
    else:
        own = (path for path in [*PYTHON_FILES, *TEMPLATES] if app in path.parts)
        text = "".join(path.read_text() for path in own)
        written = {name for found in NAMED.findall(text) for name in found if name}
        known = written | declared(app, forms.BaseForm, "base_fields")
    return sorted(known - {"version", "csrfmiddlewaretoken", "form_key"})


def rounds(app: str) -> Iterator[dict[str, Any]]:
    """What is sent: all fields at once, each with another value from round to round."""
    values = IN_JSON if app == "api" else TYPED
    for turn in range(ROUNDS):
        sent = {
            name: values[(place + 3 * turn) % len(values)] for place, name in enumerate(names(app))
        }
        yield {**sent, "version": 1}
