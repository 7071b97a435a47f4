"""Querysets that are compiled once: every reader gets their own rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models

from pmcycle.kept import Kept, any_day, any_key
from pmcycle.people.models import Employee
from tests.conftest import World

pytestmark = pytest.mark.django_db


def people_of(unit: Any) -> models.QuerySet[Employee, Any]:
    return Employee.objects.filter(unit_id=unit).select_related("unit").order_by("pk")


def test_each_value_gets_its_own_rows_whoever_asks_first(world: World) -> None:
    kept = Kept(people_of, unit=any_key)
    units = [world.sales.pk, world.sales.parent_id, world.sales.pk]
    expected = [list(people_of(unit)) for unit in units]
    asked = [kept(unit=unit) for unit in units]
    assert expected[0]
    assert expected[0] != expected[1]
    assert [list(rows) for rows in asked] == expected
    first = kept.first(unit=units[0])
    assert first is not None
    assert first.unit == world.sales


def test_rows_that_were_read_are_not_kept(world: World) -> None:
    kept = Kept(people_of, unit=any_key)
    unit = world.sales.pk
    before = list(kept(unit=unit))
    Employee.objects.filter(pk=before[0].pk).update(unit=None)
    assert list(kept(unit=unit)) == before[1:]


def test_a_value_that_nothing_is_compared_with_is_refused(world: World) -> None:
    kept = Kept(lambda unit, day: people_of(unit), unit=any_key, day=any_day)
    with pytest.raises(TypeError, match="day"):
        list(kept(unit=1, day=any_day()))
