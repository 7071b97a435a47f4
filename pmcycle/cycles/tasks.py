"""What the clock and the buttons wake: launching, and opening what is due."""

from __future__ import annotations

from celery import shared_task

from pmcycle.activity.actions import claim, finish, steps
from pmcycle.cycles import actions
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Refused


@shared_task
def launch_waiting() -> None:
    """Launch every cycle whose job waits. A worker that died after the commit finds it done."""
    while job := claim("launch"):
        cycle = Cycle.objects.get(pk=job.subject_id)
        if job.attempts > 1 and cycle.state == Cycle.State.RUNNING:
            finish(job)
            continue
        try:
            with steps(job) as step:
                launched = actions.launch(cycle, by=job.started_by, step=step)
        except Refused as refused:
            finish(job, refused.reason, failed=True)
        else:
            finish(job, launched.name)


@shared_task
def open_due() -> int:
    """Open and close the stages whose day has come in their cycle's zone."""
    return actions.open_due()
