"""The clock's part in people: applying imports that wait, and closing accounts of those who left."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from celery import shared_task

from pmcycle.access import today
from pmcycle.activity.actions import claim, delivery, finish, steps
from pmcycle.activity.models import Job
from pmcycle.errors import Refused
from pmcycle.people.actions import accounts, importing, signing_in
from pmcycle.people.models import Import

log = structlog.get_logger()

# A little less than the minute after which the clock strikes again.
SECONDS = 50


@shared_task
def rehearse_imports() -> None:
    """Rehearse every long file that waits; a repeat comes to the same fates."""
    while job := claim(importing.REHEARSE):
        if _is_carried_out(job, importing.rehearse):
            finish(job)


@shared_task
def apply_imports() -> None:
    """Apply every import that somebody has queued. A worker that died leaves its job to the next tick."""
    while job := claim(importing.APPLY):
        # The worker before us may have ended after its transaction, before what is open was settled.
        is_applied = Import.objects.filter(pk=job.subject_id, state=Import.State.APPLIED).exists()
        if is_applied or _is_carried_out(job, importing.apply_import):
            importing.settle_applied(Import.objects.get(pk=job.subject_id), by=job.started_by)
            finish(job)


def _is_carried_out(job: Job, action: Callable[..., Import]) -> bool:
    """Whether the action came to its end; the job of one that did not is finished with the reason."""
    try:
        with steps(job) as step:
            action(Import.objects.get(pk=job.subject_id), by=job.started_by, step=step)
    except Refused as refusal:
        finish(job, refusal.reason, failed=True)
        return False
    except Exception:
        finish(job, "The work ended in an error; nothing was changed. The log has the details.", failed=True)
        raise
    return True


@shared_task
def answer_password_wishes() -> None:
    """Send who has asked for it the link for a new password; whoever waits before a form waits for seconds."""
    if signing_in.answer_password_wishes():
        until = time.monotonic() + SECONDS
        delivery.deliver(reminders=False, is_time_up=lambda: time.monotonic() > until)


@shared_task
def close_accounts_of_leavers() -> None:
    """End the accounts of those whose last day has passed."""
    closed = accounts.close_accounts_of_leavers(today())
    if closed:
        log.info("accounts_of_leavers_closed", count=closed)
