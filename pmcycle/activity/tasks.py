"""The clock's part in activity: sending what waits in the outbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC
from typing import Any

import structlog
from celery import shared_task
from celery.exceptions import OperationalError
from django.db import transaction
from django.utils import timezone

from pmcycle.activity.actions import delivery, sealing

# A little less than the minute after which the clock strikes again.
SECONDS = 50

log = structlog.get_logger()


def wake(task: Any, *arguments: int | str) -> None:
    """Run a task soon, once the present transaction is committed.

    A broker that does not answer is no error for the person: the row is there, and the clock finds it
    within a minute.
    """
    transaction.on_commit(_send(task, arguments))


def _send(task: Any, arguments: tuple[int | str, ...]) -> Callable[[], None]:
    def send() -> None:
        try:
            # One try: the person waits for the page, and nothing is lost by not asking twice.
            task.apply_async(arguments, retry=False, expires=120)
        except (OperationalError, OSError) as error:
            log.warning("broker_unreachable", task=task.name, error=str(error))

    return send


@shared_task
def seal_trail() -> None:
    """Once a day: write outside the database how far the trail goes."""
    sealing.seal_trail(timezone.now().astimezone(UTC).date())


@shared_task
def deliver() -> None:
    """Send at once what somebody is told by somebody; the clock's own mails are `pmcycle.home`'s."""
    until = time.monotonic() + SECONDS
    delivery.deliver(reminders=False, is_time_up=lambda: time.monotonic() > until)
