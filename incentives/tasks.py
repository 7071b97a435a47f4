"""What the clock and the buttons wake: calculating, releasing, and entries that lapse."""

from __future__ import annotations

from celery import shared_task

from incentives import actions
from incentives.models import Run
from pmcycle.activity.actions import claim, finish, steps
from pmcycle.errors import Refused


@shared_task
def calculate_waiting() -> None:
    """Calculate every run whose job waits. A worker that died after the commit finds nothing to change."""
    while job := claim(actions.CALCULATE):
        try:
            with steps(job) as step:
                actions.calculate(Run.objects.get(pk=job.subject_id), by=job.started_by, step=step)
        except Refused as refused:
            finish(job, refused.reason, failed=True)
        else:
            finish(job)


@shared_task
def release_waiting() -> None:
    """Write the statements of every run whose job waits; a repeat finds them written."""
    while job := claim(actions.RELEASE):
        run = Run.objects.get(pk=job.subject_id)
        if job.attempts > 1 and run.released_at is not None:
            finish(job)
            continue
        try:
            with steps(job) as step:
                actions.release(run, by=job.started_by, step=step)
        except Refused as refused:
            finish(job, refused.reason, failed=True)
        else:
            finish(job)


@shared_task
def lapse_due() -> int:
    """End the entries whose last day has passed."""
    return actions.lapse_due()
