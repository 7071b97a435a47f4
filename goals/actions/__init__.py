"""The verbs of goals, a module a subject; callers import them from here."""

from goals.actions.agreeing import accept, agree_set, counter
from goals.actions.carrying import bring, development_step, unfinished_goals
from goals.actions.changing import (
    accept_change,
    counter_change,
    decline_change,
    lapse_changes,
    request_change,
    withdraw_change,
)
from goals.actions.company import align, publish, republish
from goals.actions.contributions import confirm_contribution, contribute, decline_contribution
from goals.actions.judging import refuse_unless_planning
from goals.actions.leaving import left_changes, left_of_objectives
from goals.actions.measuring import fix_results, free_results, reading_of, refuse_if_measured
from goals.actions.progress import record_progress
from goals.actions.proposing import assign, draft, edit, propose, propose_draft, withdraw
from goals.actions.stage import close_goals, end_goals, open_objectives
from goals.actions.wordings import GoalText

__all__ = [
    "GoalText",
    "accept",
    "accept_change",
    "agree_set",
    "align",
    "assign",
    "bring",
    "close_goals",
    "confirm_contribution",
    "contribute",
    "counter",
    "counter_change",
    "decline_change",
    "decline_contribution",
    "development_step",
    "draft",
    "edit",
    "end_goals",
    "fix_results",
    "free_results",
    "lapse_changes",
    "left_changes",
    "left_of_objectives",
    "open_objectives",
    "propose",
    "propose_draft",
    "publish",
    "reading_of",
    "record_progress",
    "refuse_if_measured",
    "refuse_unless_planning",
    "republish",
    "request_change",
    "unfinished_goals",
    "withdraw",
    "withdraw_change",
]
