"""The company: its calendar and its units."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import JSONObject, Lower
from django.utils.translation import gettext_lazy as _

from pmcycle.people.rules.calendar import MONDAY_TO_FRIDAY, Calendar

if TYPE_CHECKING:
    from pmcycle.people.models.accounts import User


def monday_to_friday() -> list[int]:
    return list(MONDAY_TO_FRIDAY)


class AdministeredQuerySet(models.QuerySet[Any]):
    """Settings of the company: HR and IT administrators' to read and to change."""

    def visible_to(self, user: User) -> Self:
        return self if user.standing.is_hr_admin or user.standing.is_it_admin else self.none()

    editable_by = visible_to


class Organisation(models.Model):
    """The one company that this installation serves."""

    name = models.CharField(_("name"), max_length=200)
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    # ISO weekdays, Monday is 1. Nobody is reminded on the other days.
    working_days = ArrayField(models.PositiveSmallIntegerField(), default=monday_to_friday, size=7)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    objects = AdministeredQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="organisation_only_one"),
            models.CheckConstraint(
                condition=Q(
                    working_days__len__gt=0, working_days__contained_by=[1, 2, 3, 4, 5, 6, 7]
                ),
                name="organisation_works_on_some_day",
                violation_error_message=_("A company works on at least one day of the week."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Holiday(models.Model):
    """A day on which nobody in the company works, whatever day of the week it is."""

    day = models.DateField(_("day"), unique=True)
    name = models.CharField(_("name"), max_length=80)

    objects = AdministeredQuerySet.as_manager()

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return self.name


# Whether people work on the day that stands for {day}. `Calendar` says the same in Python.
WORKS_ON = """(extract(isodow FROM {day})::int = ANY(coalesce(
  (SELECT working_days::int[] FROM people_organisation), ARRAY[1, 2, 3, 4, 5]))
  AND NOT EXISTS (SELECT 1 FROM people_holiday h WHERE h.day = {day}))"""


def calendar() -> Calendar:
    """The company's working days and holidays. One statement."""
    holidays = ArraySubquery(Holiday.objects.values(pair=JSONObject(day="day", name="name")))
    row = (
        Organisation.objects.annotate(holidays=holidays)
        .values_list("working_days", "holidays")
        .first()
    )
    if row is None:
        return Calendar()
    return Calendar(row[0], {date.fromisoformat(h["day"]): h["name"] for h in row[1]})


class UnitQuerySet(models.QuerySet["Unit"]):
    def visible_to(self, user: User) -> Self:
        """The org chart is open to everybody who works here."""
        return self if user.is_active else self.none()

    def editable_by(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()


class Unit(models.Model):
    """A part of the organisation. `path` is the chain of ids from the root, as in `3/14/159/`.

    A prefix search on `path` is a whole subtree; the actions that move a unit keep it true.
    """

    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    path = models.CharField(max_length=400, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = UnitQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                "parent",
                name="unit_name_once",
                nulls_distinct=False,
                violation_error_message=_("There is already a unit of this name there."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["path"], name="unit_path_prefix", opclasses=["varchar_pattern_ops"]
            )
        ]

    def __str__(self) -> str:
        return self.name
