"""What the clock and the buttons wake: calculating, releasing, and entries that lapse."""

from __future__ import annotations

from celery import shared_task

from incentives import actions
from incentives.models import Run
from pmcycle.activity.actions import Step, carry_out
from pmcycle.people.models import User


@shared_task
def calculate_waiting() -> None:
    """Calculate every run whose job waits."""
    carry_out(actions.CALCULATE, _calculate)


def _calculate(run: Run, by: User, step: Step) -> None:
    actions.calculate(run, by=by, step=step)


@shared_task
def release_waiting() -> None:
    """Write the statements of every run whose job waits."""
    carry_out(actions.RELEASE, _release)


def _release(run: Run, by: User, step: Step) -> None:
    actions.release(run, by=by, step=step)


@shared_task
def lapse_due() -> int:
    """End the entries whose last day has passed."""
    return actions.lapse_due()
