"""The shape in which every app says what is open, and the matters of accounts that wait for a second person."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce

from pmcycle.people.models.accounts import AddressChange, RoleRequest, User, hr_admins

ITEM_COLUMNS = (
    "kind",
    "subject",
    "recipient",
    "about",
    "named",
    "name",
    "cycle",
    "stage",
    "due_on",
    "opens_at",
    "ends_at",
    "phase",
)


def items(
    rows: models.QuerySet[Any], *, kind: str, stage: str, **columns: Any
) -> models.QuerySet[Any, Any]:
    """Open items of one kind, in the shape that `pmcycle.activity.actions.definitions` keeps as rows.

    `rows` are what is not done yet. Columns (expressions): `subject` (pk in the item's URL),
    `recipient` (employee who must act), `about` (employee whom the acts on it are about), `named`
    (employee in its title; the same unless given), `name` (text, where the title names no employee),
    `cycle`, `due_on`; `opens_at` and `ends_at` where it is shown only for a time; `phase` (default
    "todo") is "waits" where the row is shown as waiting on others. Nothing here may depend on the time
    of day, and on the day only through the argument of the definition.
    """
    values = {
        "kind": Value(kind, models.CharField()),
        "stage": Value(stage, models.CharField()),
        "phase": Value("todo", models.CharField()),
        "named": columns["about"],
        "name": Value("", models.CharField()),
        "cycle": Cast(Value(None), models.BigIntegerField()),
        "due_on": Cast(Value(None), models.DateField()),
        "opens_at": Cast(Value(None), models.DateTimeField()),
        "ends_at": Cast(Value(None), models.DateTimeField()),
        **columns,
    }
    named = {f"item_{name}": values[name] for name in ITEM_COLUMNS}
    shaped: models.QuerySet[Any, Any] = rows.order_by().annotate(**named).values_list(*named)
    return shaped


# To how many people at most a matter that any HR admin could settle is put.
SEATS = 4


def put_to_each(
    rows: models.QuerySet[Any], people: models.QuerySet[User], **columns: Any
) -> list[models.QuerySet[Any, Any]]:
    """The same open matter for each of the first `SEATS` of `people` (a subquery), one part of the union a seat.

    Whoever is no employee has no home to show it on; the notice reaches them.
    """
    seats = [people.values("employee")[seat : seat + 1] for seat in range(SEATS)]
    return [
        items(
            rows.annotate(seat=Subquery(seat)).filter(seat__isnull=False),
            recipient=Cast(F("seat"), models.BigIntegerField()),
            **columns,
        )
        for seat in seats
    ]


def matters(day: date) -> list[models.QuerySet[Any, Any]]:
    """A role and a sign-in address that an HR admin has asked for wait for a second one."""
    nobody = Cast(Value(None), models.BigIntegerField())
    account = Cast(F("user"), models.BigIntegerField())
    second = hr_admins(day).exclude(pk=OuterRef("requested_by")).exclude(pk=OuterRef("user"))
    # Nobody made the accounts of the first visit: "not zero" is everybody.
    not_maker = second.exclude(pk=Coalesce(OuterRef("user__made_by"), Value(0)))
    return [
        *put_to_each(
            RoleRequest.objects.waiting(),
            not_maker,
            kind="people:second_role",
            stage="",
            subject=account,
            about=nobody,
            name=F("user__name"),
        ),
        *put_to_each(
            AddressChange.objects.for_a_second(),
            second,
            kind="people:second_address",
            stage="",
            subject=account,
            about=nobody,
            name=F("user__name"),
        ),
    ]
