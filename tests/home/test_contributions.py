"""What the apps contribute fits together: one statement, words for every kind, an address for every button."""

from __future__ import annotations

import pytest
from django.db import connection

from pmcycle.home.contributions import NEEDS, OPEN_ITEMS, open_items_among, open_items_of, open_items_sql
from pmcycle.home.needs import need_url
from tests.conftest import World


def test_all_apps_open_items_are_one_statement_that_runs(world: World) -> None:
    assert world.ana.employee_id
    sql, params = open_items_sql()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        everything = cursor.fetchall()
    mine = [row for row in everything if row[2] == world.ana.employee_id]
    assert len(mine) == len(open_items_of(world.ana.employee_id))
    about = [row for row in everything if world.ana.employee_id in row[2:4]]
    assert len(about) == len(open_items_among([world.ana.employee_id]))


def test_every_kind_that_can_be_open_has_its_words(world: World) -> None:
    parts = [rows for contribute in OPEN_ITEMS for rows in contribute()]
    kinds = {getattr(rows.query.annotations["item_kind"], "value", "") for rows in parts}
    assert kinds - NEEDS.keys() == set()


@pytest.mark.parametrize("kind", NEEDS)
def test_every_button_leads_somewhere_and_every_title_takes_a_name(kind: str) -> None:
    need = NEEDS[kind]
    assert need_url(need.url_name, 1).startswith("/")
    assert str(need.title) % {"name": "Ana"}
    assert (str(need.waits) % {"name": "Ana"}) is not None
    assert need.minutes > 0
    assert str(need.button)
