"""Conversations of a pair through all stages, feedback, check-ins with their agenda, actions and promises."""

from feedback.models.conversations import (
    LONG_TEXT,
    PAIR,
    Conversation,
    Entry,
    as_line,
    entries_known_since,
    thread_of,
)
from feedback.models.files import file_of
from feedback.models.giving import Feedback, FeedbackRequest, reports_of
from feedback.models.meetings import (
    ActionItem,
    AgendaPoint,
    CalendarFeed,
    CheckIn,
    CheckInSeries,
    PrivateNote,
    counterparts,
    last_talk,
    still_meet,
)
from feedback.models.needs import open_items

__all__ = [
    "LONG_TEXT",
    "PAIR",
    "ActionItem",
    "AgendaPoint",
    "CalendarFeed",
    "CheckIn",
    "CheckInSeries",
    "Conversation",
    "Entry",
    "Feedback",
    "FeedbackRequest",
    "PrivateNote",
    "as_line",
    "counterparts",
    "entries_known_since",
    "file_of",
    "last_talk",
    "open_items",
    "reports_of",
    "still_meet",
    "thread_of",
]
