"""The clock's part in people: applying imports that wait, and closing accounts of those who left."""

from __future__ import annotations

import time

import structlog
from celery import shared_task

from pmcycle.access import today
from pmcycle.activity.actions import Step, carry_out, delivery
from pmcycle.people.actions import accounts, importing, signing_in
from pmcycle.people.models import Import, User

log = structlog.get_logger()

# A little less than the minute after which the clock strikes again.
SECONDS = 50


@shared_task
def rehearse_imports() -> None:
    """Rehearse every long file that waits; a repeat comes to the same fates."""
    carry_out(importing.REHEARSE, _rehearse)


def _rehearse(run: Import, by: User, step: Step) -> None:
    importing.rehearse(run, by=by, step=step)


@shared_task
def apply_imports() -> None:
    """Apply every import that somebody has queued, and settle what is open by the people as they are then."""
    carry_out(importing.APPLY, _apply, after=_settle)


def _apply(run: Import, by: User, step: Step) -> None:
    # The worker before us may have ended after its transaction, before what is open was settled.
    if run.state != Import.State.APPLIED:
        importing.apply_import(run, by=by, step=step)


def _settle(run: Import, by: User) -> None:
    importing.settle_applied(Import.objects.get(pk=run.pk), by=by)


@shared_task
def answer_password_wishes() -> None:
    """Send who has asked for it the link for a new password; whoever waits before a form waits for seconds."""
    if signing_in.answer_password_wishes():
        until = time.monotonic() + SECONDS
        delivery.deliver(gathered=False, is_time_up=lambda: time.monotonic() > until)


@shared_task
def close_accounts_of_leavers() -> None:
    """End the accounts of those whose last day has passed."""
    closed = accounts.close_accounts_of_leavers(today())
    if closed:
        log.info("accounts_of_leavers_closed", count=closed)
