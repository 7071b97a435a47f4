"""Addresses that no link leads to: numbers outside their type, text that is none, and far too much of it."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import quote

import pytest
from django import forms
from django.db import transaction
from django.urls import URLResolver, get_resolver, reverse

from tests.absurd import declared
from tests.access_table import ROWS
from tests.conftest import ACTORS, SignedIn, World
from tests.test_house import APPS, PYTHON_FILES, TEMPLATES

ASKED = re.compile(
    r'GET(?:\.get|\.getlist)?[\[(]\s*"([\w-]+)"|query_params\.get\(\s*"(\w+)"|[?&](\w+)='
)
IN_QUERY = [
    str(2**63),
    "9" * 5000,
    "-1",
    "\x00",
    "²",
    "NaN",
    "1e999",
    "٣",
    "0001-01-01",
    "9999-12-31",
    "x" * 3000,
    "%FF",
    "//evil.example/",
    "",
    "None",
]
IN_PATH = [str(2**63), "9" * 5000, "a%00b", "²"]
ROUNDS = 2


@cache
def asked() -> list[str]:
    """Every name that a page reads from its address."""
    text = "".join(path.read_text() for path in [*PYTHON_FILES, *TEMPLATES])
    written = {name for found in ASKED.findall(text) for name in found if name}
    filters = {
        name
        for app in APPS
        for name in declared(app.rpartition(".")[2], forms.BaseForm, "base_fields")
    }
    return sorted(
        written | filters | {"limit", "offset", "cycle", "stage", "owner", "page", "q", "as"}
    )


@pytest.mark.django_db
@pytest.mark.parametrize("app", [*(app.rpartition(".")[2] for app in APPS), "api"])
def test_no_query_breaks_a_page(app: str, world: World, as_: SignedIn) -> None:
    broken = []
    for row in ROWS:
        if row.method != "get" or not row.may or row.url_name.partition(":")[0] != app:
            continue
        with transaction.atomic():
            url = reverse(row.url_name, kwargs=row.build(world))
            key = ACTORS[row.may.split()[-1]]
            client = as_(getattr(world, key) if key else None, raise_request_exception=False)
            for turn in range(ROUNDS):
                query = {
                    name: IN_QUERY[(place + 5 * turn) % len(IN_QUERY)]
                    for place, name in enumerate(asked())
                }
                with transaction.atomic():
                    status = client.get(url, query).status_code
                    transaction.set_rollback(True)
                broken += [f"{row.url_name} round {turn}: {status}"] if status >= 500 else []
            for ask in (client.head, client.options):
                with transaction.atomic():
                    status = ask(url).status_code
                    transaction.set_rollback(True)
                broken += [f"{row.url_name} {ask.__name__}: {status}"] if status >= 500 else []
            transaction.set_rollback(True)
    assert broken == []


def addresses(resolver: URLResolver, before: str = "") -> list[str]:
    """The address of every page with parameters; a parameter is `{}`."""
    found = []
    for entry in resolver.url_patterns:
        route = before + re.sub(r"<[^>]+>", "{}", str(entry.pattern))
        if isinstance(entry, URLResolver):
            found += addresses(entry, route)
        elif "{}" in route:
            # The sign-in library and the router write regular expressions.
            found.append(re.sub(r"\(\?P\{\}[^)]*\)", "{}", route).replace("^", "").replace("$", ""))
    return found


ADDRESSES = addresses(get_resolver())


@pytest.mark.django_db
@pytest.mark.parametrize("first", sorted({route.partition("/")[0] for route in ADDRESSES}))
def test_no_part_of_an_address_breaks_a_page(first: str, world: World, as_: SignedIn) -> None:
    """Each address is asked with one of the values, so that all of them meet every kind of page."""
    client = as_(world.kim, raise_request_exception=False)
    broken = []
    for number, route in enumerate(
        route for route in ADDRESSES if route.partition("/")[0] == first
    ):
        path = "/" + route.replace("{}", IN_PATH[number % len(IN_PATH)])
        with transaction.atomic():
            status = client.get(quote(path, safe="/%.?=")).status_code
            transaction.set_rollback(True)
        broken += [f"{path[:80]}: {status}"] if status >= 500 else []
    assert broken == []
