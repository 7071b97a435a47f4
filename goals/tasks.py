"""What the clock does with goals: ids only, rules are in the actions."""

from __future__ import annotations

from celery import shared_task

from goals import actions


@shared_task
def lapse_changes() -> int:
    """End the changes that nobody answered in time."""
    return actions.lapse_changes()
