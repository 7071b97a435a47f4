"""What the apps contribute fits together: words for every kind, an address for every button."""

from __future__ import annotations

import pytest
from django.db import connection
from django.urls import NoReverseMatch, reverse

from pmcycle.activity.actions import definitions as todos
from pmcycle.home.contributions import AWAITED, BUTTONS, DEFINITIONS, MANY, MILESTONES, NEEDS, TASKS
from pmcycle.home.needs import need_url
from tests.conftest import World


def test_every_kind_that_can_be_open_or_reached_has_its_words(db: None) -> None:
    kinds = {
        kind
        for app in DEFINITIONS
        for part in ("people", "matters")
        for kind in todos.union_of(app, part)[1]
    }
    reached = {kind for app in DEFINITIONS for kind in todos.union_of(app, "milestones")[1]}
    assert kinds == NEEDS.keys()
    assert reached == MILESTONES.keys()
    assert kinds >= MANY.keys() | AWAITED


def test_the_functions_of_the_database_are_those_of_this_code(db: None) -> None:
    bodies = "SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'todo%' ORDER BY 1"
    with connection.cursor() as cursor:
        cursor.execute(bodies)
        before = cursor.fetchall()
        todos.install()
        cursor.execute(bodies)
        assert cursor.fetchall() == before


def test_nothing_that_is_defined_depends_on_the_time_at_which_it_is_asked(world: World) -> None:
    before = [todos.union_of(app, "people") for app in DEFINITIONS]
    todos.union_of.cache_clear()
    assert [todos.union_of(app, "people") for app in DEFINITIONS] == before


@pytest.mark.parametrize("kind", NEEDS)
def test_every_button_leads_somewhere_and_every_title_takes_a_name(kind: str) -> None:
    need = NEEDS[kind]
    assert need_url(need.url_name, 1).startswith("/")
    assert str(need.title) % {"name": "Ana"}
    assert (str(need.waits) % {"name": "Ana"}) is not None
    assert need.minutes > 0
    # It says what one does there, also in a mail that has nothing else.
    assert len(str(need.button).split()) > 1, need.button


@pytest.mark.parametrize("kind", NEEDS)
def test_others_hear_of_every_task_but_what_two_people_agreed_between_them(kind: str) -> None:
    assert (kind in TASKS) is not kind.startswith("feedback:")


@pytest.mark.parametrize("view", BUTTONS)
def test_the_buttons_of_mails_are_named_for_pages_that_there_are(view: str) -> None:
    ways: list[dict[str, object]] = [{}, {"pk": 1}, {"pk": 1, "stage": "objectives"}]
    assert any(_leads(view, some) for some in ways), view


def _leads(view: str, kwargs: dict[str, object]) -> bool:
    try:
        return bool(reverse(view, kwargs=kwargs))
    except NoReverseMatch:
        return False
