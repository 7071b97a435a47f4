"""What each app contributes to home, board and reminders: one table of definitions, one of words."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

import appraisals.models
import appraisals.rules
import evaluations.models
import evaluations.rules
import feedback.models
import feedback.rules
import goals.models
import goals.rules
import incentives.models
import incentives.rules
import pmcycle.cycles.models
import pmcycle.cycles.rules
import pmcycle.people.models
import pmcycle.people.rules.needs
from feedback.actions import end_calendars
from pmcycle.activity.actions.definitions import Definition
from pmcycle.activity.models import PASSWORD_LINK, Notice

NEEDS = {
    **pmcycle.people.rules.needs.NEEDS,
    **pmcycle.cycles.rules.NEEDS,
    **feedback.rules.NEEDS,
    **goals.rules.NEEDS,
    **appraisals.rules.NEEDS,
    **incentives.rules.NEEDS,
    **evaluations.rules.NEEDS,
}

# What several of one kind are called on home, where they stand under one heading.
MANY: dict[str, Any] = {
    "feedback:request": ngettext_lazy(
        "Give feedback about %(n)d person", "Give feedback about %(n)d people", "n"
    ),
    "feedback:agenda": ngettext_lazy("Prepare %(n)d check-in", "Prepare %(n)d check-ins", "n"),
    "feedback:not_held": ngettext_lazy(
        "Say whether %(n)d check-in took place", "Say whether %(n)d check-ins took place", "n"
    ),
    "feedback:action": ngettext_lazy(
        "Do %(n)d thing you agreed", "Do %(n)d things you agreed", "n"
    ),
    "feedback:promise": ngettext_lazy("Keep %(n)d promise", "Keep %(n)d promises", "n"),
    "goals:answer": ngettext_lazy(
        "Answer the proposed goals of %(n)d person",
        "Answer the proposed goals of %(n)d people",
        "n",
    ),
    "goals:change": ngettext_lazy("Answer %(n)d changed goal", "Answer %(n)d changed goals", "n"),
    "goals:confirm": ngettext_lazy(
        "Confirm %(n)d contribution", "Confirm %(n)d contributions", "n"
    ),
    "appraisals:manager": ngettext_lazy("Appraise %(n)d person", "Appraise %(n)d people", "n"),
    "appraisals:appeal": ngettext_lazy("Decide %(n)d review", "Decide %(n)d reviews", "n"),
    "incentives:team": ngettext_lazy(
        "Approve rewards of %(n)d team", "Approve rewards of %(n)d teams", "n"
    ),
    "incentives:decide": ngettext_lazy(
        "Decide about %(n)d entry that would restrain a reward",
        "Decide about %(n)d entries that would restrain a reward",
        "n",
    ),
    "evaluations:write": ngettext_lazy("Write %(n)d evaluation", "Write %(n)d evaluations", "n"),
    "evaluations:sign": ngettext_lazy(
        "Read and sign %(n)d evaluation", "Read and sign %(n)d evaluations", "n"
    ),
}

# What somebody else waits for: they cannot go on before it is done.
AWAITED = frozenset(
    {
        "people:second_role",
        "people:second_address",
        "cycles:reopen",
        "feedback:request",
        "feedback:action",
        "feedback:promise",
        "goals:answer",
        "goals:answer_own",
        "goals:change",
        "goals:change_own",
        "goals:confirm",
        "appraisals:self",
        "appraisals:manager",
        "appraisals:appeal",
        "appraisals:release",
        "incentives:hand_out",
        "incentives:sheet",
        "incentives:team",
        "incentives:approve",
        "incentives:publish",
        "incentives:decide",
        "evaluations:write",
        "evaluations:sign",
    }
)

MILESTONES = {
    **goals.rules.MILESTONES,
    **appraisals.rules.MILESTONES,
    **incentives.rules.MILESTONES,
    **evaluations.rules.MILESTONES,
}

# `activity` lies below the apps named here, so it finds this table through `settings.TO_DOS`.
DEFINITIONS: dict[str, Definition] = {
    "people": Definition(matters=pmcycle.people.models.matters),
    "cycles": Definition(matters=pmcycle.cycles.models.matters),
    "feedback": Definition(feedback.models.open_items),
    "goals": Definition(goals.models.open_items, milestones=goals.models.milestones),
    "appraisals": Definition(
        appraisals.models.open_items, appraisals.models.matters, appraisals.models.milestones
    ),
    "incentives": Definition(
        incentives.models.open_items, incentives.models.matters, incentives.models.milestones
    ),
    "evaluations": Definition(
        evaluations.models.open_items, milestones=evaluations.models.milestones
    ),
}

# What an app keeps for an account beside the session, to be ended when the account is closed: functions of the
# closed accounts' ids. `people` lies below the apps named here, and finds this list through `settings.ACCOUNT_KEYS`.
ACCOUNT_KEYS = [end_calendars]

# What somebody does on the page that a notice leads to, where it is no item of `NEEDS`.
BUTTONS = {
    "account_change_password": gettext_lazy("Choose a password"),
    "activity:job": gettext_lazy("See what happened"),
    "activity:operations": gettext_lazy("See what broke"),
    "appraisals:form": gettext_lazy("Read the form"),
    "appraisals:result": gettext_lazy("Read the result"),
    "cycles:close": gettext_lazy("Close the stage"),
    "cycles:detail": gettext_lazy("Look at the cycle"),
    "evaluations:read": gettext_lazy("Read the evaluation"),
    "feedback:answer": gettext_lazy("Give feedback"),
    "feedback:check_in": gettext_lazy("Look at the check-in"),
    "feedback:check_ins": gettext_lazy("Look at your check-ins"),
    "feedback:conversation": gettext_lazy("Read and answer"),
    "feedback:item": gettext_lazy("Look at what was agreed"),
    "feedback:list": gettext_lazy("Read the feedback"),
    "goals:contribution": gettext_lazy("Look at the contribution"),
    "goals:detail": gettext_lazy("Look at the goal"),
    "goals:of": gettext_lazy("Look at the goals"),
    "home:board": gettext_lazy("See where everybody stands"),
    "home:index": gettext_lazy("See what needs you"),
    "home:team": gettext_lazy("See where the team stands"),
    "incentives:plan": gettext_lazy("Read the rules"),
    "incentives:restraint": gettext_lazy("Read the entry"),
    "incentives:run": gettext_lazy("Look at the rewards"),
    "incentives:sheet": gettext_lazy("Look at the sheet"),
    "people:account": gettext_lazy("Look at the account"),
    "people:change_address": gettext_lazy("Look at your address"),
    "people:settings": gettext_lazy("Look at your settings"),
}


def button_of(notice: Notice) -> str:
    """What is written on the button of the mail about a notice: what one does there."""
    if notice.kind in ("invitation", PASSWORD_LINK):
        return _("Choose a password")
    need = NEEDS.get(notice.subject_kind if notice.kind == "reminder" else notice.kind)
    if need:
        return str(need.button)
    try:
        found = resolve(urlsplit(notice.url).path).view_name
    except Resolver404:
        found = ""
    return str(BUTTONS.get(found) or _("Look at it"))


# The tasks of a cycle and of the company as others speak of them. What two people agreed between them is not here:
# nobody else hears that there is something.
TASKS = {
    "people:second_role": gettext_lazy("A role that takes a second person"),
    "people:second_address": gettext_lazy("A sign-in address that takes a second person"),
    "cycles:reopen": gettext_lazy("A closed cycle to be opened again"),
    "goals:propose": gettext_lazy("Goals to be proposed"),
    "goals:complete": gettext_lazy("Weights of goals that do not come to 100"),
    "goals:answer": gettext_lazy("Proposed goals of somebody they lead"),
    "goals:answer_own": gettext_lazy("Proposed goals of their own"),
    "goals:waits": gettext_lazy("Proposed goals that nobody has answered"),
    "goals:change": gettext_lazy("A changed goal of somebody they lead"),
    "goals:change_own": gettext_lazy("A changed goal of their own"),
    "goals:progress": gettext_lazy("Progress of goals"),
    "goals:confirm": gettext_lazy("A contribution to be confirmed"),
    "appraisals:self": gettext_lazy("Self-appraisal"),
    "appraisals:manager": gettext_lazy("Appraisal of somebody they lead"),
    "appraisals:result": gettext_lazy("A result to be read"),
    "appraisals:appeal": gettext_lazy("A review to be decided"),
    "appraisals:release": gettext_lazy("Results to be approved"),
    "incentives:hand_out": gettext_lazy("Calculated rewards to be handed to the managers"),
    "incentives:sheet": gettext_lazy("Rewards to be recommended"),
    "incentives:team": gettext_lazy("Rewards of a team to be approved"),
    "incentives:approve": gettext_lazy("A reward run to be approved"),
    "incentives:release": gettext_lazy("Reward statements to be released"),
    "incentives:supplement": gettext_lazy("A supplementary reward run to be calculated"),
    "incentives:publish": gettext_lazy("Reward rules to be published"),
    "incentives:answer": gettext_lazy("An entry to be answered"),
    "incentives:decide": gettext_lazy("An entry to be decided"),
    "incentives:statement": gettext_lazy("A reward statement to be read"),
    "evaluations:write": gettext_lazy("Evaluation to be written"),
    "evaluations:sign": gettext_lazy("Evaluation to be signed"),
}


def task_of(notice: Notice) -> str:
    """What a reminder was about, for others than its reader: the kind of task, nobody's name, no \"your\"."""
    task = str(TASKS.get(notice.subject_kind, _("A task")))
    return _("Somebody is late: %(task)s") % {"task": task} if notice.kind == "escalation" else task
