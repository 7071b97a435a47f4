"""Open items that a test controls: requests for feedback, as if they belonged to a stage of the cycle."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.db import models
from django.db.models import F, Value

from feedback.models import FeedbackRequest
from pmcycle.activity.actions.definitions import Definition
from pmcycle.cycles.models import ReminderPolicy, items
from pmcycle.cycles.rules import Need
from pmcycle.home import actions as clock
from pmcycle.home import contributions
from pmcycle.people.models import User
from tests.open_items import define

if TYPE_CHECKING:
    from tests.conftest import World

KIND = "test:answer"


def only_requests(
    monkeypatch: pytest.MonkeyPatch, world: World, *, of_a_cycle: bool = True
) -> None:
    """Let requests for feedback be the only open items there are."""

    def open_items(day: date) -> list[models.QuerySet[Any, Any]]:
        rows = FeedbackRequest.objects.filter(state="open")
        return [
            items(
                rows,
                kind=KIND,
                stage="appraisal",
                subject=F("pk"),
                recipient=F("reviewer"),
                about=F("about"),
                cycle=Value(world.cycle.pk if of_a_cycle else None, models.BigIntegerField()),
                due_on=F("due_on"),
            )
        ]

    need = Need(title="Answer about %(name)s", button="Answer", url_name="activity:job", minutes=5)
    define(monkeypatch, {"feedback": Definition(open_items)})
    monkeypatch.setitem(contributions.NEEDS, KIND, need)
    clock.need_rows.cache_clear()  # which keeps the kinds as they were


def ask(reviewer: User, about: User, due_on: date) -> FeedbackRequest:
    assert reviewer.employee
    assert about.employee
    return FeedbackRequest.objects.create(
        requester=about.employee,
        reviewer=reviewer.employee,
        about=about.employee,
        question="How was it?",
        due_on=due_on,
    )


def policy(
    world: World, *, before: list[int], after: list[int], escalate: int | None = None
) -> ReminderPolicy:
    return ReminderPolicy.objects.create(
        cycle=world.cycle,
        kind="appraisal",
        days_before=before,
        days_after=after,
        escalate_after=escalate,
    )
