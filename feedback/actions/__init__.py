"""The verbs of feedback, a module a subject; callers import them from here."""

from feedback.actions.agenda import (
    add_point,
    edit_point,
    remove_point,
    tick_point,
    write_note,
    write_private_note,
)
from feedback.actions.calendars import (
    digest,
    end_calendars,
    note_calendar_read,
    revoke_calendar,
    share_calendar,
)
from feedback.actions.carrying import carry_promises
from feedback.actions.check_ins import EARLY, cancel_check_in, hold, move_check_in
from feedback.actions.conversations import say
from feedback.actions.giving import (
    answer,
    decline,
    give,
    hide,
    request_feedback,
    say_useful,
    show_again,
)
from feedback.actions.items import add_action, done, drop, reschedule, turn_into_action
from feedback.actions.series import end_series, plan_check_ins, reschedule_series, schedule

__all__ = [
    "EARLY",
    "add_action",
    "add_point",
    "answer",
    "cancel_check_in",
    "carry_promises",
    "decline",
    "digest",
    "done",
    "drop",
    "edit_point",
    "end_calendars",
    "end_series",
    "give",
    "hide",
    "hold",
    "move_check_in",
    "note_calendar_read",
    "plan_check_ins",
    "remove_point",
    "request_feedback",
    "reschedule",
    "reschedule_series",
    "revoke_calendar",
    "say",
    "say_useful",
    "schedule",
    "share_calendar",
    "show_again",
    "tick_point",
    "turn_into_action",
    "write_note",
    "write_private_note",
]
