"""How what is done here reads in the trail, and what was shown to whoever looked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

# What an event says, after the name of who did it.
VERBS: dict[str, Any] = {
    "accept": _("agreed to"),
    "accept_change": _("agreed to a change of"),
    "agree_set": _("agreed to all goals of"),
    "align": _("aligned"),
    "carried_over": _("carried over from the cycle before:"),
    "close_goals": _("closed the goals of"),
    "confirm_contribution": _("confirmed"),
    "contribute": _("recorded"),
    "counter": _("countered"),
    "counter_change": _("countered a change of"),
    "decline_change": _("declined a change of"),
    "decline_contribution": _("declined"),
    "draft": _("drafted"),
    "edit": _("edited"),
    "lapse_change": _("let lapse a change of"),
    "propose": _("proposed"),
    "publish": _("published"),
    "record_progress": _("recorded progress of"),
    "republish": _("published another wording of"),
    "request_change": _("asked to change"),
    "withdraw": _("withdrew"),
    "withdraw_change": _("withdrew a change of"),
}

# What it was done to.
SUBJECTS: dict[str, Any] = {
    "goals.changerequest": _("change of a goal"),
    "goals.contribution": _("contribution"),
    "goals.goal": _("goal"),
    "goals.goalversion": _("wording of a goal"),
    "goals.keyresult": _("key result"),
    "goals.progressupdate": _("progress"),
    "goals.signature": _("signature"),
}

# What somebody had before them when they looked, where the record alone does not say it. By the page's name.
LOOKS: dict[str, Any] = {
    "goals:company": _("your goal among those of the company"),
    "goals:contributions": _("what you gave beyond your goals"),
    "goals:of": _("your goals with their notes"),
}
