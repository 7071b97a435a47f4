"""How what is done here reads in the trail, and what was shown to whoever looked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

# What an event says, after the name of who did it.
VERBS: dict[str, Any] = {
    "adjusted": _("adjusted"),
    "approved": _("approved"),
    "award_left_out": _("left out, because they have left, of the rewards:"),
    "calculated": _("calculated"),
    "component_added": _("added a component to"),
    "component_edited": _("edited a component of"),
    "component_removed": _("removed a component from"),
    "exported": _("exported"),
    "handed_in": _("handed in a team of"),
    "plan_started": _("started"),
    "pools_set": _("set the pools of"),
    "published": _("published"),
    "recommending_opened": _("opened for recommendations:"),
    "released": _("released"),
    "requested_release": _("asked to release"),
    "restraint_answered": _("answered"),
    "restraint_effective": _("let take effect"),
    "restraint_lapsed": _("let lapse"),
    "restraint_lifted": _("lifted"),
    "restraint_proposed": _("proposed"),
    "rule_added": _("added a rule to"),
    "rule_edited": _("edited a rule of"),
    "rule_moved": _("moved a rule of"),
    "rule_removed": _("removed a rule from"),
    "settled": _("settled"),
    "statement_acknowledged": _("acknowledged"),
    "statement_released": _("released"),
    "supplement_opened": _("opened"),
    "team_approved": _("approved the recommendations of"),
    "team_returned": _("returned the recommendations of"),
}

# What it was done to.
SUBJECTS: dict[str, Any] = {
    "incentives.approval": _("approval"),
    "incentives.award": _("award"),
    "incentives.awardline": _("line of an award"),
    "incentives.component": _("component"),
    "incentives.payrollexport": _("file for payroll"),
    "incentives.plan": _("reward rules"),
    "incentives.planversion": _("published rules"),
    "incentives.pool": _("pool"),
    "incentives.restraintentry": _("restraint"),
    "incentives.rule": _("reward rule"),
    "incentives.run": _("reward run"),
    "incentives.statement": _("reward statement"),
}

# What somebody had before them when they looked, where the record alone does not say it. By the page's name.
LOOKS: dict[str, Any] = {
    "incentives:approve": _("your award in a list"),
    "incentives:payroll_file": _("your award in a file for payroll"),
    "incentives:release": _("your award in a list"),
    "incentives:run": _("your award in a list"),
    "incentives:sheet": _("your award on a manager's sheet"),
}
