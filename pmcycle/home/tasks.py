"""The clock's part in home: reminders, and the outbox with them."""

from __future__ import annotations

import time

from celery import shared_task

from pmcycle.activity.actions import add_up_places, beat
from pmcycle.activity.tasks import wake
from pmcycle.home import actions

# A little less than the minute after which the clock strikes again.
SECONDS = 50


@shared_task
def remind() -> None:
    """Write this morning's reminders, wherever it is morning, and send them."""
    if actions.remind():
        wake(deliver)


@shared_task
def turn_day() -> None:
    """What turns with the day, once a day; and the board's counts added up."""
    actions.turn_day()
    add_up_places()


@shared_task
def deliver() -> None:
    """Send what waits, and leave a sign of life for the operators."""
    until = time.monotonic() + SECONDS
    beat("deliver")
    actions.deliver(lambda: time.monotonic() > until)
