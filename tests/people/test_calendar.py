"""The company's calendar: who sets it, what it refuses, and that Python and the database mean the same days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from pmcycle.activity.models import Event
from pmcycle.people.models import WORKS_ON, Holiday, Organisation, calendar
from tests.conftest import SignedIn, World

DAYS = reverse("people:set_working_days")
HOLIDAYS = reverse("people:add_holiday")
CHRISTMAS = date(2026, 12, 25)

pytestmark = pytest.mark.django_db


def test_it_says_on_which_days_the_company_works(world: World, as_: SignedIn) -> None:
    noor = as_(world.noor)
    assert noor.post(DAYS, {"working_days": ["7", "1"], "version": 1}).status_code == 302
    assert Organisation.objects.get().working_days == [1, 7]
    assert Event.objects.filter(verb="set_working_days", actor=world.noor).count() == 1
    assert noor.post(DAYS, {"working_days": ["2"], "version": 1}).status_code == 409
    assert noor.post(DAYS, {"version": 2}).status_code == 422
    assert noor.post(DAYS, {"working_days": ["8"], "version": 2}).status_code == 422
    assert Organisation.objects.get().working_days == [1, 7]


def test_a_holiday_comes_and_goes(world: World, as_: SignedIn) -> None:
    kim = as_(world.kim)
    assert kim.post(HOLIDAYS, {"day": CHRISTMAS, "name": "Christmas Day"}).status_code == 302
    again = kim.post(HOLIDAYS, {"day": CHRISTMAS, "name": "Another"})
    assert again.status_code == 422
    assert "a holiday already" in again.content.decode()
    assert "Another" in again.content.decode()
    row = Holiday.objects.get()
    assert "Christmas Day" in kim.get(reverse("people:calendar")).content.decode()
    gone = reverse("people:remove_holiday", kwargs={"pk": row.pk})
    assert kim.post(gone).status_code == 302
    assert kim.post(gone).status_code == 404
    assert [e.verb for e in Event.objects.filter(subject_kind="people.holiday")] == [
        "added_holiday",
        "removed_holiday",
    ]


def test_the_database_and_python_mean_the_same_days(world: World) -> None:
    Organisation.objects.update(working_days=[1, 2, 3, 6])
    for days in (0, 5, 6):
        Holiday.objects.create(day=CHRISTMAS + timedelta(days=days), name="Rest")
    worked = calendar()
    assert worked.holidays[CHRISTMAS] == "Rest"
    span = [CHRISTMAS + timedelta(days=n) for n in range(-10, 20)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {WORKS_ON.format(day='x.day')} FROM unnest(%s::date[]) WITH ORDINALITY x(day, n) ORDER BY n",
            [span],
        )
        assert [works for (works,) in cursor.fetchall()] == [worked.works_on(day) for day in span]
    assert worked.workday(CHRISTMAS) == date(2026, 12, 26)


def test_without_a_company_the_week_has_five_days() -> None:
    assert [calendar().works_on(CHRISTMAS + timedelta(days=n)) for n in range(7)].count(True) == 5


@pytest.mark.parametrize("days", [[], [0], [1, 8]])
def test_the_database_refuses_a_week_that_is_none(world: World, days: list[int]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Organisation.objects.update(working_days=days)
