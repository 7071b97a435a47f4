"""How what is done here reads in the trail, and what was shown to whoever looked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

# What an event says, after the name of who did it.
VERBS: dict[str, Any] = {
    "accepted_warning": _("accepted a warning of"),
    "archived": _("archived"),
    "came_back": _("took up again:"),
    "closed": _("closed"),
    "configured": _("configured"),
    "copied": _("copied"),
    "created": _("created"),
    "discarded": _("discarded"),
    "exported_board": _("exported the board of"),
    "extended": _("gave more time to"),
    "joined": _("added late"),
    "launched": _("launched"),
    "left": _("noted that somebody left:"),
    "reminded": _("had reminders sent for"),
    "reopened_cycle": _("opened again, as the second person,"),
    "requested_reopening": _("asked to open again"),
    "stage_closed": _("closed the stage"),
    "stage_opened": _("opened the stage"),
    "stage_postponed": _("postponed the stage"),
    "takes_part": _("took into the cycle:"),
    "transferred": _("transferred"),
    "withdrew_reopening": _("took back the question to open again"),
}

# What it was done to.
SUBJECTS: dict[str, Any] = {
    "cycles.acceptance": _("accepted exception"),
    "cycles.acceptedwarning": _("accepted warning"),
    "cycles.assignment": _("manager in a cycle"),
    "cycles.cycle": _("cycle"),
    "cycles.extension": _("extension"),
    "cycles.participation": _("participation"),
    "cycles.populationrule": _("rule of who takes part"),
    "cycles.ratingscale": _("rating scale"),
    "cycles.reminderpolicy": _("reminder rule"),
    "cycles.reopening": _("question to open a cycle again"),
    "cycles.stage": _("stage"),
}

# What somebody had before them when they looked, where the record alone does not say it. By the page's name.
LOOKS: dict[str, Any] = {
    "cycles:close": _("your name among what is open or held"),
    "cycles:close_stage": _("your name among what is open or held"),
    "cycles:life_line": _("your way through a cycle"),
}
