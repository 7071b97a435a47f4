"""The clock's part in people: applying imports that wait, and closing accounts of those who left."""

from __future__ import annotations

import structlog
from celery import shared_task

from pmcycle.access import today
from pmcycle.activity.actions import claim, finish
from pmcycle.errors import Refused
from pmcycle.people.actions import importing
from pmcycle.people.models import Import, User

log = structlog.get_logger()


@shared_task
def apply_imports() -> None:
    """Apply every import that somebody has queued. A worker that died leaves its job to the next tick."""
    while job := claim(importing.APPLY):
        run = Import.objects.get(pk=job.subject_id)
        if run.state == Import.State.APPLIED:
            finish(job)  # the worker before us ended after its transaction, before it could say so
            continue
        try:
            importing.apply_import(run, by=User.objects.get(pk=job.started_by_id))
        except Refused as refusal:
            finish(job, refusal.reason, failed=True)
        except Exception:
            finish(
                job, "The work ended in an error; nothing was changed. The log has the details.", failed=True
            )
            raise
        else:
            finish(job)


@shared_task
def close_accounts_of_leavers() -> None:
    """End the accounts of those whose last day has passed."""
    closed = importing.close_accounts_of_leavers(today())
    if closed:
        log.info("accounts_of_leavers_closed", count=closed)
