"""What the clock does for check-ins."""

from celery import shared_task

from feedback import actions


@shared_task
def plan_check_ins() -> None:
    """Keep the next meetings of every series in the calendar, and end those of pairs that are none any more."""
    actions.plan_check_ins()
