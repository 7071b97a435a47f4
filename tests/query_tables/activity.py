"""Inbox, trail, logs and operations: their SQL statements do not grow with rows."""

from __future__ import annotations

import itertools

from django.db import transaction

from pmcycle.activity.actions import keep_refused, record
from pmcycle.activity.models import Delivery, Event, Notice
from tests.conftest import World
from tests.query_tables import Page

NUMBERS = itertools.count()


def more_mails(world: World, number: int) -> None:
    for _ in range(number):
        notice = Notice.objects.create(
            recipient=world.ana, kind="reminder", title="Write", url="/", key=f"probe{next(NUMBERS)}"
        )
        Delivery.objects.create(notice=notice, channel="email", state="failed", why="550")


def more_unsent_texts(world: World, number: int) -> None:
    for _ in range(number):
        typed = [("body", f"Sentence number {next(NUMBERS)} of many.")]
        keep_refused(world.ana, "/feedback/1/say/", typed, reason="This is closed.", page="/")


def more_events(world: World, number: int) -> None:
    for _ in range(number):
        with transaction.atomic():
            record("viewed", world.ana_part, by=world.ines, about=world.ana.employee, role="HR partner")


def more_streams(world: World, number: int) -> None:
    for _ in range(number):
        with transaction.atomic():
            record("configured", world.cycle, by=world.kim, stream=f"probe:{Event.objects.count()}")


PAGES = [
    Page("activity:inbox", as_="ana", grow=more_mails),
    Page("activity:unsent", as_="ana", grow=more_unsent_texts),
    Page("activity:trail", as_="mira", grow=more_events),
    Page("activity:trail", as_="ines", grow=more_events, state="as HR partner"),
    Page("activity:chain", as_="mira", grow=more_streams),
    Page("activity:who_looked", as_="ana", grow=more_events),
    Page("activity:deliveries", as_="kim", grow=more_mails),
    Page("activity:operations", as_="noor", grow=more_mails, limit=12),
]
