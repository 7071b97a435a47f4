"""One function per verb of cycles; a module a subject."""

from pmcycle.cycles.actions.checking import accept_warning, check
from pmcycle.cycles.actions.departures import (
    follow_departures,
    judge_leaving,
    judge_return,
    mark_left,
    return_person,
)
from pmcycle.cycles.actions.exceptions import (
    add_person,
    extend,
    judge_addition,
    judge_extension,
    judge_transfer,
    transfer,
)
from pmcycle.cycles.actions.following import record_export, remind
from pmcycle.cycles.actions.launching import LAUNCH, PARTS_OF_LAUNCH, launch, request_launch
from pmcycle.cycles.actions.leaving import (
    accept_leftovers,
    accepted_of,
    closed_to_what_is_left,
    leftover,
    leftovers_of_cycle,
    leftovers_of_stage,
    refuse_unless_accepted,
)
from pmcycle.cycles.actions.lines import refresh_chains
from pmcycle.cycles.actions.locking import hold_people, hold_person, hold_taking_part, refuse_if_left
from pmcycle.cycles.actions.reopening import approve_reopening, request_reopening, withdraw_reopening
from pmcycle.cycles.actions.setting_up import (
    copy_cycle,
    create_cycle,
    discard,
    save_policies,
    save_population,
    save_reminders,
    save_scale,
    save_stages,
)
from pmcycle.cycles.actions.stages import (
    archive,
    close,
    close_stage,
    judge_closing,
    judge_end,
    judge_opening,
    judge_postponing,
    open_due,
    open_stage,
    postpone_stage,
)
from pmcycle.cycles.actions.standing import standing
from pmcycle.cycles.actions.work import StageWork, link, stage_work

__all__ = [
    "LAUNCH",
    "PARTS_OF_LAUNCH",
    "StageWork",
    "accept_leftovers",
    "accept_warning",
    "accepted_of",
    "add_person",
    "approve_reopening",
    "archive",
    "check",
    "close",
    "close_stage",
    "closed_to_what_is_left",
    "copy_cycle",
    "create_cycle",
    "discard",
    "extend",
    "follow_departures",
    "hold_people",
    "hold_person",
    "hold_taking_part",
    "judge_addition",
    "judge_closing",
    "judge_end",
    "judge_extension",
    "judge_leaving",
    "judge_opening",
    "judge_postponing",
    "judge_return",
    "judge_transfer",
    "launch",
    "leftover",
    "leftovers_of_cycle",
    "leftovers_of_stage",
    "link",
    "mark_left",
    "open_due",
    "open_stage",
    "postpone_stage",
    "record_export",
    "refresh_chains",
    "refuse_if_left",
    "refuse_unless_accepted",
    "remind",
    "request_launch",
    "request_reopening",
    "return_person",
    "save_policies",
    "save_population",
    "save_reminders",
    "save_scale",
    "save_stages",
    "stage_work",
    "standing",
    "transfer",
    "withdraw_reopening",
]
