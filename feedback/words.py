"""How what is done here reads in the trail, and what was shown to whoever looked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

# What an event says, after the name of who did it.
VERBS: dict[str, Any] = {
    "added_action": _("agreed on a step in"),
    "added_point": _("put a point on the agenda of"),
    "answered_request": _("answered"),
    "cancelled": _("called off"),
    "carried_over": _("carried over from the cycle before:"),
    "declined_request": _("declined"),
    "done_action": _("ticked off"),
    "dropped_action": _("dropped"),
    "edited_point": _("edited"),
    "ended_series": _("ended"),
    "gave_feedback": _("gave"),
    "held": _("held"),
    "hid_praise": _("took from the wall of praise:"),
    "moved": _("moved"),
    "removed_point": _("took off the agenda:"),
    "requested_feedback": _("asked for feedback:"),
    "rescheduled": _("moved"),
    "rescheduled_action": _("changed the due day of"),
    "revoked_calendar": _("withdrew the calendar address of"),
    "said": _("wrote"),
    "said_useful": _("called useful:"),
    "scheduled": _("scheduled"),
    "shared_calendar": _("made a calendar address for"),
    "showed_praise": _("put on the wall of praise:"),
    "ticked_point": _("ticked"),
    "wrote_note": _("wrote the notes of"),
    "wrote_private_note": _("wrote in the private pad of"),
}

# What it was done to.
SUBJECTS: dict[str, Any] = {
    "feedback.actionitem": _("step agreed on"),
    "feedback.agendapoint": _("point of an agenda"),
    "feedback.calendarfeed": _("calendar address"),
    "feedback.checkin": _("check-in"),
    "feedback.checkinseries": _("check-in series"),
    "feedback.conversation": _("conversation"),
    "feedback.entry": _("conversation entry"),
    "feedback.feedback": _("feedback"),
    "feedback.feedbackrequest": _("request for feedback"),
    "feedback.privatenote": _("private pad"),
}
