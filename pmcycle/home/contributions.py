"""What each app contributes to home, board and reminders: one table of definitions, one of words."""

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
import pmcycle.cycles.models
import pmcycle.cycles.rules
from pmcycle.activity.actions.definitions import Definition

NEEDS = {
    **pmcycle.cycles.rules.NEEDS,
    **feedback.rules.NEEDS,
    **goals.rules.NEEDS,
    **appraisals.rules.NEEDS,
    **incentives.rules.NEEDS,
    **evaluations.rules.NEEDS,
}

MILESTONES = {
    **goals.rules.MILESTONES,
    **appraisals.rules.MILESTONES,
    **incentives.rules.MILESTONES,
    **evaluations.rules.MILESTONES,
}

# `activity` lies below the apps named here, so it finds this table through `settings.TO_DOS`.
DEFINITIONS: dict[str, Definition] = {
    "cycles": Definition(matters=pmcycle.cycles.models.matters),
    "feedback": Definition(feedback.models.open_items),
    "goals": Definition(goals.models.open_items, milestones=goals.models.milestones),
    "appraisals": Definition(
        appraisals.models.open_items, appraisals.models.matters, appraisals.models.milestones
    ),
    "incentives": Definition(
        incentives.models.open_items, incentives.models.matters, incentives.models.milestones
    ),
    "evaluations": Definition(evaluations.models.open_items, milestones=evaluations.models.milestones),
}
