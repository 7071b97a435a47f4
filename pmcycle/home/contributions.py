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
import pmcycle.people.models
import pmcycle.people.rules.needs
from feedback.actions import end_calendars
from pmcycle.activity.actions.definitions import Definition

NEEDS = {
    **pmcycle.people.rules.needs.NEEDS,
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
    "people": Definition(matters=pmcycle.people.models.matters),
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

# What an app keeps for an account beside the session, to be ended when the account is closed: functions of the
# closed accounts' ids. `people` lies below the apps named here, and finds this list through `settings.ACCOUNT_KEYS`.
ACCOUNT_KEYS = [end_calendars]
