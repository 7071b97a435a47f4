"""Querysets that are compiled once: every reader gets their own rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, models
from django.test.utils import CaptureQueriesContext

from pmcycle.errors import is_outage
from pmcycle.kept import Kept, Prepared, any_day, any_key
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


@pytest.mark.parametrize("unit", [2**63, -(2**63) - 1, 10**40])
def test_a_number_that_no_key_can_be_finds_nothing(unit: int) -> None:
    assert list(Kept(people_of, unit=any_key)(unit=unit)) == []


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


@pytest.mark.django_db(transaction=True)
def test_a_plan_is_kept_by_its_connection_and_made_anew_by_the_next(world: World) -> None:
    kept = Kept(people_of, unit=any_key)
    expected = list(people_of(world.sales.pk))
    for _connection in range(2):
        with CaptureQueriesContext(connection) as asked:
            assert list(kept(unit=world.sales.pk)) == expected
            assert list(kept(unit=world.sales.pk)) == expected
        # A connection that is new asks PostgreSQL for its types first.
        assert [one["sql"].split()[0] for one in asked][-2:] == ["EXECUTE", "EXECUTE"]
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_what_is_written_out_is_planned_once_a_connection(world: World) -> None:
    names = Prepared(
        "SELECT name FROM people_employee WHERE unit_id = %s AND name LIKE '%%a%%' ORDER BY id"
    )
    expected = [one.name for one in people_of(world.sales.pk) if "a" in one.name]
    for _connection in range(2):
        with connection.cursor() as cursor:
            for _sweep in range(2):
                names.execute(cursor, [world.sales.pk])
                assert [name for (name,) in cursor.fetchall()] == expected
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE name = %s", [names.name]
            )
            assert cursor.fetchone() == (1,)
        connection.close()


def test_behind_a_pooler_no_plan_is_kept(world: World, settings: Any) -> None:
    settings.KEEPS_PLANS = False
    kept = Kept(people_of, unit=any_key)
    with CaptureQueriesContext(connection) as asked:
        assert list(kept(unit=world.sales.pk)) == list(people_of(world.sales.pk))
    assert "EXECUTE" not in asked[0]["sql"]


def test_signs_of_the_language_in_a_constant_stay_what_they_are(world: World) -> None:
    ana = world.ana_part.employee
    Employee.objects.filter(pk=ana.pk).update(job_title="100 % of O'Brien's $1 :name")
    kept = Kept(
        lambda unit: people_of(unit).filter(job_title__contains="% of O'Brien's $1 :"), unit=any_key
    )
    assert list(kept(unit=ana.unit_id)) == [ana]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_ends_before_a_plan_is_made_is_an_outage(world: World) -> None:
    kept, written = Kept(people_of, unit=any_key), Prepared("SELECT 1")
    for ask in (lambda: list(kept(unit=1)), lambda: written.execute(connection.cursor())):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        other.close()
        with pytest.raises((OperationalError, InterfaceError)) as ended:
            ask()
        assert is_outage(ended.value)
        connection.close()
