"""One function per verb of incentives, a module a subject."""

from incentives.actions.approving import approve
from incentives.actions.calculating import CALCULATE, calculate, facts_of, request_calculation
from incentives.actions.guarding import left_of_approval, left_of_release
from incentives.actions.holding import judge_planning
from incentives.actions.leaving import left_of_incentives, left_restraints, left_sheets
from incentives.actions.plans import (
    COMPONENT_FIELDS,
    add_component,
    add_rule,
    check_plan,
    content_of,
    copy_plan,
    edit_component,
    edit_rule,
    move_rule,
    names_of,
    publish,
    rehearse,
    remove_component,
    remove_rule,
    set_pools,
    start_plan,
)
from incentives.actions.recommending import (
    adjust,
    decide_team,
    hand_in,
    last_act,
    may_decide,
    open_recommending,
    outstanding,
    pools_of,
)
from incentives.actions.releasing import (
    RELEASE,
    acknowledge,
    export_payroll,
    reconciliation,
    release,
    request_release,
    work_on_runs,
)
from incentives.actions.restraining import (
    answer,
    decide,
    is_decidable,
    judge_restraining,
    lapse_due,
    may_take_effect,
    propose_restraint,
    settle,
)
from incentives.actions.stage import close_incentives, open_incentives
from incentives.actions.supplementing import Waiting, last_said, not_in_a_run, open_supplement, waiting

__all__ = [
    "CALCULATE", "COMPONENT_FIELDS", "RELEASE", "Waiting", "acknowledge", "add_component", "add_rule",
    "adjust", "answer", "approve", "calculate", "check_plan", "close_incentives", "content_of",
    "copy_plan", "decide", "decide_team", "edit_component", "edit_rule", "export_payroll", "facts_of",
    "hand_in", "is_decidable", "judge_planning", "judge_restraining", "lapse_due", "last_act", "last_said",
    "left_of_approval", "left_of_incentives", "left_of_release", "left_restraints",
    "left_sheets", "may_decide", "may_take_effect", "move_rule", "names_of", "not_in_a_run",
    "open_incentives", "open_recommending", "open_supplement", "outstanding", "pools_of",
    "propose_restraint", "publish", "reconciliation", "rehearse", "release", "remove_component",
    "remove_rule", "request_calculation", "request_release", "set_pools", "settle", "start_plan",
    "waiting", "work_on_runs",
]  # fmt: skip
