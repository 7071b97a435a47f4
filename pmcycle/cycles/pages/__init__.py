"""What the pages of cycles show; a module a subject."""

from pmcycle.cycles.pages.ends import (
    Consequences,
    End,
    end_of_cycle_does,
    end_of_stage_does,
    reopening_does,
)
from pmcycle.cycles.pages.exceptions import (
    KINDS,
    Change,
    ExceptionLine,
    WayThrough,
    handing_over_does,
    joining_does,
    leaving_does,
    more_time_does,
    return_does,
    way_through,
)
from pmcycle.cycles.pages.reading import DatesAndRules, ListedCycle, dates_and_rules, line_of
from pmcycle.cycles.pages.setting_up import STEPS, CheckStep, ReminderRow, Step

__all__ = [
    "KINDS",
    "STEPS",
    "Change",
    "CheckStep",
    "Consequences",
    "DatesAndRules",
    "End",
    "ExceptionLine",
    "ListedCycle",
    "ReminderRow",
    "Step",
    "WayThrough",
    "dates_and_rules",
    "end_of_cycle_does",
    "end_of_stage_does",
    "handing_over_does",
    "joining_does",
    "leaving_does",
    "line_of",
    "more_time_does",
    "reopening_does",
    "return_does",
    "way_through",
]
