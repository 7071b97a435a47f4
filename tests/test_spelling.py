"""Every search finds a name however it is spelt: accents, apostrophes, case and ß make no difference."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse

from pmcycle.activity.actions import Tell, record
from pmcycle.people.models import Employee, User
from tests.conftest import SignedIn, World
from tests.factories.feedback import make_feedback, person

NAME = "Zoë O’Brien-Großmüller"


@pytest.fixture
def zoe(world: World) -> User:
    """Chen under another name, told of something, and with an event about them."""
    Employee.objects.filter(user=world.chen).update(name=NAME, sort_name=NAME)
    User.objects.filter(pk=world.chen.pk).update(name=NAME)
    world.chen.refresh_from_db()
    assert world.chen.employee
    with transaction.atomic():
        told = Tell(world.chen.pk, "Look", "/", "look", kind="reminder")
        record(
            "noted", world.chen.employee, by=world.chen, about=world.chen.employee, notify=[told]
        )
    make_feedback(world.chen.employee, person(world.ana))
    return world.chen


BOXES = [
    ("ana", "home:search", "q"),
    ("ana", "home:palette", "q"),
    ("ana", "people:picker", "q"),
    ("ana", "people:org_chart", "q"),
    ("bashir", "home:team", "q"),
    ("kim", "home:board", "q"),
    ("ana", "feedback:list", "q"),
    ("noor", "people:accounts", "q"),
    ("kim", "activity:deliveries", "q"),
    ("mira", "activity:trail", "about"),
    ("mira", "activity:trail", "actor"),
]
TYPED = [
    "Zoë",
    "zoe",
    "ZOE",
    "O'Brien",
    "o’brien",
    "obrien",
    "Großmüller",
    "grossmuller",
    "GROSSMÜLLER",
    "Grossmueller",
    "brien zoe",
    "  zoe   obrien ",
]


@pytest.mark.parametrize(("reader", "view", "field"), BOXES)
def test_every_box_finds_every_spelling(
    world: World, zoe: User, as_: SignedIn, reader: str, view: str, field: str
) -> None:
    client = as_(getattr(world, reader))
    at = reverse(view, kwargs={"pk": world.cycle.pk} if view == "home:board" else None)
    for typed in TYPED:
        shown = client.get(at, {field: typed}).content.decode()
        assert "-Großmüller" in shown, typed
    for wrong in ("zob", "o%brien", "_", "grosx"):
        shown = client.get(at, {field: wrong}).content.decode()
        assert "-Großmüller" not in shown, wrong
