"""The clock's part in people: applying imports that wait, and closing accounts of those who left."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from celery import shared_task

from pmcycle.access import today
from pmcycle.activity.actions import claim, finish, steps
from pmcycle.activity.models import Job
from pmcycle.errors import Refused
from pmcycle.people.actions import importing
from pmcycle.people.models import Import

log = structlog.get_logger()


@shared_task
def rehearse_imports() -> None:
    """Rehearse every long file that waits; a repeat comes to the same fates."""
    while job := claim(importing.REHEARSE):
        _carry_out(job, importing.rehearse)


@shared_task
def apply_imports() -> None:
    """Apply every import that somebody has queued. A worker that died leaves its job to the next tick."""
    while job := claim(importing.APPLY):
        if Import.objects.filter(pk=job.subject_id, state=Import.State.APPLIED).exists():
            finish(job)  # the worker before us ended after its transaction, before it could say so
        else:
            _carry_out(job, importing.apply_import)


def _carry_out(job: Job, action: Callable[..., Import]) -> None:
    try:
        with steps(job) as step:
            action(Import.objects.get(pk=job.subject_id), by=job.started_by, step=step)
    except Refused as refusal:
        finish(job, refusal.reason, failed=True)
    except Exception:
        finish(job, "The work ended in an error; nothing was changed. The log has the details.", failed=True)
        raise
    else:
        finish(job)


@shared_task
def close_accounts_of_leavers() -> None:
    """End the accounts of those whose last day has passed."""
    closed = importing.close_accounts_of_leavers(today())
    if closed:
        log.info("accounts_of_leavers_closed", count=closed)
