"""The clock's part in appraisals."""

from __future__ import annotations

from celery import shared_task

from appraisals import actions
from appraisals.models import Release
from pmcycle.activity.actions import claim, finish
from pmcycle.errors import Refused


@shared_task
def open_missing() -> None:
    """Forms for late joiners and for managers who took over."""
    actions.open_missing()


@shared_task
def release_results() -> None:
    """Write the results of approved releases."""
    while job := claim(actions.JOB):
        try:
            count = actions.release(Release.objects.get(pk=job.subject_id))
        except Refused as refused:
            finish(job, refused.reason, failed=True)
        else:
            finish(job, f"{count}")
