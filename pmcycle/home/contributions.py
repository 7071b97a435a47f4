"""What each app contributes to home, board and reminders: one table."""

from __future__ import annotations

import appraisals.models
import appraisals.rules
import evaluations.models
import evaluations.rules
import feedback.models
import feedback.rules
import goals.models
import goals.rules
import incentives.models
import incentives.rules
import pmcycle.cycles.rules

NEEDS = {
    **pmcycle.cycles.rules.NEEDS,
    **feedback.rules.NEEDS,
    **goals.rules.NEEDS,
    **appraisals.rules.NEEDS,
    **incentives.rules.NEEDS,
    **evaluations.rules.NEEDS,
}

OPEN_ITEMS = (
    feedback.models.open_items,
    goals.models.open_items,
    appraisals.models.open_items,
    incentives.models.open_items,
    evaluations.models.open_items,
)
