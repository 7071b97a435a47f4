"""What the clock and the buttons wake: launching, and opening what is due."""

from __future__ import annotations

from celery import shared_task

from pmcycle.activity.actions import Step, carry_out
from pmcycle.cycles import actions
from pmcycle.cycles.models import Cycle
from pmcycle.people.models import User


@shared_task
def launch_waiting() -> None:
    """Launch every cycle whose job waits."""
    carry_out(actions.LAUNCH, _launch)


def _launch(cycle: Cycle, by: User, step: Step) -> str:
    return actions.launch(cycle, by=by, step=step).name


@shared_task
def open_due() -> int:
    """Open and close the stages whose day has come in their cycle's zone."""
    return actions.open_due()
