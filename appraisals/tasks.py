"""The clock's part in appraisals."""

from __future__ import annotations

from celery import shared_task

from appraisals import actions
from appraisals.models import Release
from pmcycle.activity.actions import Step, carry_out
from pmcycle.people.models import User


@shared_task
def open_missing() -> None:
    """Forms for late joiners and for managers who took over."""
    actions.open_missing()


@shared_task
def release_results() -> None:
    """Write the results of approved releases."""
    carry_out(actions.JOB, _release)


def _release(release: Release, by: User, step: Step) -> str:
    return f"{actions.release(release, step=step)}"
