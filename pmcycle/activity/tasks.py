"""The clock's part in activity: sending what waits in the outbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from celery import shared_task
from celery.exceptions import OperationalError
from django.db import transaction
from redis.exceptions import RedisError

from pmcycle.activity.actions import delivery, forget_looks, sealing
from pmcycle.activity.actions import forget_uses as forget
from pmcycle.activity.once import forget_sent
from pmcycle.days import today_for_relations

# A little less than the minute after which the clock strikes again.
SECONDS = 50
# For so long a broker that did not answer is not asked again by this process: one person waits for it, not all.
LEFT_ALONE = 10.0
_asked_in_vain = -LEFT_ALONE

log = structlog.get_logger()


def wake(task: Any, *arguments: int | str) -> None:
    """Run a task soon, once the present transaction is committed.

    A broker that does not answer is no error for the person: the row is there, and the clock finds it
    within a minute.
    """
    transaction.on_commit(_send(task, arguments))


def _send(task: Any, arguments: tuple[int | str, ...]) -> Callable[[], None]:
    def send() -> None:
        global _asked_in_vain
        if time.monotonic() - _asked_in_vain < LEFT_ALONE:
            return
        try:
            # One try: the person waits for the page, and nothing is lost by not asking twice.
            task.apply_async(arguments, retry=False, expires=120)
        except (OperationalError, RedisError, OSError) as error:
            _asked_in_vain = time.monotonic()
            log.warning("broker_unreachable", task=task.name, error=str(error))

    return send


@shared_task
def seal_trail() -> None:
    """Once a day: write outside the database how far the trail goes."""
    sealing.seal_trail(today_for_relations())


@shared_task
def forget_uses() -> None:
    """Drop counts that no limit looks at any more, looks of more than an hour ago, and the answers of forms that
    nobody sends again."""
    forget()
    forget_looks()
    forget_sent()


@shared_task
def deliver() -> None:
    """Send what is urgent; what is gathered for a morning is `pmcycle.home`'s."""
    until = time.monotonic() + SECONDS
    delivery.deliver(gathered=False, is_time_up=lambda: time.monotonic() > until)
