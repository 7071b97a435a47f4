"""Statements of the pages of conversations, check-ins and feedback."""

from __future__ import annotations

from typing import Any

from feedback.models import CheckIn
from tests.conftest import World
from tests.factories.feedback import (
    make_check_in,
    make_entry,
    make_feedback,
    make_item,
    make_point,
    make_request,
    make_series,
    person,
)
from tests.query_tables import Page


def talk(world: World, rows: int) -> None:
    for number in range(rows):
        make_entry(world.ana_part, person(world.bashir), person(world.bashir), days_ago=number)


def thread(world: World) -> dict[str, Any]:
    return {"pk": world.ana_part.pk, "stage": "objectives"}


def meetings(world: World, rows: int) -> None:
    bashir, ana = person(world.bashir), person(world.ana)
    if rows == 1:
        make_series(bashir, ana)
    for number in range(rows):
        make_point(make_check_in(bashir, ana, in_days=1 + number + rows / 100), ana)
        make_check_in(bashir, ana, in_days=-1 - number - rows / 100, state="held")


def agenda(world: World, rows: int) -> None:
    bashir, ana = person(world.bashir), person(world.ana)
    row = CheckIn.objects.first() or make_check_in(bashir, ana)
    for _ in range(rows):
        make_point(row, ana)
        make_point(row, bashir)
        make_item(row, ana)


def meeting(world: World) -> dict[str, Any]:
    row = CheckIn.objects.first()
    assert row is not None
    return {"pk": row.pk}


def pieces(world: World, rows: int) -> None:
    for _ in range(rows):
        make_feedback(person(world.chen), person(world.ana))
    for number in range(rows):
        asker = person(world.chen)
        make_request(asker, person(world.ana), asker, question=f"Question {number}")


PAGES = [
    Page("feedback:list", as_="ana", grow=pieces),
    Page("feedback:conversation", as_="ana", grow=talk, build=thread),
    Page("feedback:check_ins", as_="ana", grow=meetings),
    Page("feedback:check_in", as_="bashir", grow=agenda, build=meeting),
]
