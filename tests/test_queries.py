"""SQL statements a page, session and user included: on file, and equal for 1 row and for 30.

A module an app in tests/query_tables/ lists its PAGES; the counts are in tests/query_counts/<app>.json.
To accept a new count, run with PMCYCLE_WRITE_COUNTS=1 and read the diff.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import pkgutil

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import tests.query_tables
from tests.conftest import SignedIn, World
from tests.query_tables import Page

COUNTS = pathlib.Path(__file__).parent / "query_counts"
PAGES: list[tuple[str, Page]] = [
    (module.name, page)
    for module in pkgutil.iter_modules(tests.query_tables.__path__)
    for page in importlib.import_module(f"tests.query_tables.{module.name}").PAGES
]


@pytest.mark.django_db
@pytest.mark.parametrize(("app", "page"), PAGES, ids=[p.label for _, p in PAGES])
def test_statements_do_not_grow_with_rows(
    app: str, page: Page, world: World, as_: SignedIn
) -> None:
    client = as_(getattr(world, page.as_))
    counts = []
    for rows in (1, 29):
        page.grow(world, rows)
        url = reverse(page.url_name, kwargs=page.build(world))
        assert client.get(url).status_code == 200
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(url).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1], "\n".join(q["sql"][:200] for q in seen.captured_queries)
    assert counts[0] <= page.limit
    path = COUNTS / f"{app}.json"
    on_file = json.loads(path.read_text()) if path.exists() else {}
    if os.environ.get("PMCYCLE_WRITE_COUNTS"):
        on_file[page.label] = counts[0]
        path.write_text(json.dumps(on_file, indent=1, sort_keys=True) + "\n")
    assert on_file.get(page.label) == counts[0]
