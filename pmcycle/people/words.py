"""How what is done here reads in the trail, and what was shown to whoever looked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

# What an event says, after the name of who did it.
VERBS: dict[str, Any] = {
    "added_absence": _("noted an absence of"),
    "added_holiday": _("put into the calendar"),
    "applied_import": _("applied"),
    "approved_address": _("agreed, as the second person, to another sign-in address of"),
    "approved_role": _("approved, as the second person,"),
    "asked_for_address": _("asked for another sign-in address of"),
    "asked_for_password": _("asked for a new password of"),
    "asked_for_role": _("asked for a role of"),
    "changed_by_import": _("changed by an import:"),
    "changed_manager": _("changed the manager of"),
    "changed_sign_in": _("changed how they sign in with"),
    "closed_account": _("closed"),
    "created_token": _("made"),
    "dated_leaving": _("noted the last day of"),
    "edited_employee": _("edited"),
    "ended_absence": _("ended an absence of"),
    "ended_role": _("ended"),
    "exported_import": _("took the people of an import out of the system:"),
    "granted": _("granted a role to"),
    "granted_role": _("granted"),
    "imported_person": _("brought in by an import:"),
    "invited_again": _("invited again"),
    "invited_people": _("invited people of"),
    "mapped_import": _("chose the columns of"),
    "moved_sign_in": _("changed the sign-in address of"),
    "opened_account": _("opened"),
    "rehearsed_import": _("rehearsed"),
    "removed_holiday": _("took out of the calendar"),
    "reread_import": _("read again"),
    "revoked": _("took back a role of"),
    "revoked_token": _("withdrew"),
    "set_up": _("set up"),
    "set_working_days": _("set the working days of"),
    "settled_import": _("settled doubts of"),
    "signed_in": _("signed in as"),
    "took_back_leaving": _("took back the last day of"),
    "uploaded_import": _("uploaded"),
    "withdrew_address": _("took back the question for another address of"),
    "withdrew_role": _("took back the question for a role of"),
}

# What it was done to.
SUBJECTS: dict[str, Any] = {
    "people.absence": _("absence"),
    "people.addresschange": _("sign-in address"),
    "people.apitoken": _("access token"),
    "people.columnmapping": _("choice of columns"),
    "people.delegation": _("deputy"),
    "people.employee": _("employee record"),
    "people.formerperiod": _("earlier employment"),
    "people.holiday": _("holiday"),
    "people.import": _("import"),
    "people.organisation": _("company"),
    "people.payrange": _("pay range"),
    "people.privateprofile": _("private profile"),
    "people.reportingline": _("reporting line"),
    "people.rolegrant": _("role"),
    "people.rolerequest": _("role"),
    "people.salary": _("pay"),
    "people.unit": _("unit"),
    "people.user": _("account"),
}

# What somebody had before them when they looked, where the record alone does not say it. By the page's name.
LOOKS: dict[str, Any] = {
    "people:edit_employee": _("your record, to correct it"),
    "people:export_import": _("your record in a file"),
    "people:profile": _("your private profile and pay"),
    "people:rehearsal": _("your record beside an import"),
}
