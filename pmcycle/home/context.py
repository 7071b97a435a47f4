"""What every page shows around its content: the way through the product for this reader."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from pmcycle.access import UserRequest
from pmcycle.people.models import Standing

# Pages that belong to an entry although their address does not begin with its own.
BELONGS = {
    "incentives:sheet": "incentives:sheets",
    "incentives:statement": "incentives:mine",
    "incentives:what_if": "incentives:mine",
    "incentives:plan": "cycles:list",
    "incentives:run": "cycles:list",
    "incentives:rehearse": "cycles:list",
    "incentives:edit_component": "cycles:list",
    "incentives:add_rule": "cycles:list",
    "incentives:edit_rule": "cycles:list",
    "incentives:set_pools": "cycles:list",
    "incentives:criteria": "incentives:mine",
    "incentives:restraints": "incentives:mine",
    "incentives:restraint": "incentives:mine",
    "incentives:award": "incentives:mine",
    "appraisals:form": "cycles:list",
    "appraisals:preview": "cycles:list",
    "appraisals:calibrations": "cycles:list",
    "appraisals:calibration": "cycles:list",
    "appraisals:release": "cycles:list",
    "evaluations:cycle": "cycles:list",
    "goals:assign": "home:team",
    "people:settings": "",
    "people:tokens": "",
}


class Entry(NamedTuple):
    """A way through the product: where it leads, whether the reader is there, and how much is new."""

    label: str
    url: str
    icon: str
    section: str
    short: str
    active: bool = False
    unread: int = 0


def shell(request: HttpRequest) -> dict[str, Any]:
    """`nav`: the entries that this reader can open; `palette_url` and `search_url`: where finding asks, by script
    and as a page. No statements of its own."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav": ()}
    return {
        "nav": nav_of(request),
        "palette_url": reverse("home:palette"),
        "search_url": reverse("home:search"),
    }


def nav_of(request: HttpRequest) -> tuple[Entry, ...]:
    """The reader's way through the product; `unread_notices` and the standing came with the user."""
    user = cast(UserRequest, request).user
    unread = getattr(user, "unread_notices", 0)
    entries = _entries(
        user.standing, bool(user.employee_id), bool(settings.MAILBOX_DIR), get_language() or ""
    )
    belongs = BELONGS.get(request.resolver_match.view_name) if request.resolver_match else None
    # A page that belongs to an entry which this reader does not have stays where its address says.
    is_theirs = any(name == belongs for _label, name, *_rest in entries)
    path = reverse(belongs) if belongs and is_theirs else "" if belongs == "" else request.path
    there = [
        url
        for _label, _name, url, *_rest in entries
        if (path == url if url == "/" else path.startswith(url))
    ]
    # "/people/" begins "/people/imports/" too: only the entry that says most is marked.
    marked = max(there, key=len, default=None)
    return tuple(
        Entry(
            label,
            url,
            icon,
            section,
            short,
            url == marked,
            unread if name == "activity:inbox" else 0,
        )
        for label, name, url, icon, section, short in entries
    )


@lru_cache(maxsize=256)
def _entries(
    standing: Standing, works_here: bool, has_mailbox: bool, _language: str
) -> list[tuple[str, str, str, str, str, str]]:
    """What a reader of this standing can open: label, name of the URL, URL, icon, section, short label."""
    team, company = _("Team"), _("Company")
    entries = [
        (True, _("What needs me"), "home:index", "home", "", _("Home")),
        (True, _("Inbox"), "activity:inbox", "inbox", "", ""),
        (works_here, _("My goals"), "goals:list", "target", "", _("Goals")),
        (works_here, _("Check-ins"), "feedback:check_ins", "calendar-event", "", ""),
        (works_here, _("Feedback"), "feedback:list", "message", "", ""),
        (works_here, _("Appraisals"), "appraisals:list", "list-check", "", ""),
        (works_here, _("Rewards"), "incentives:mine", "award", "", ""),
        (works_here, _("Evaluations"), "evaluations:list", "file-text", "", ""),
        (standing.leads_people, _("My team"), "home:team", "users", team, ""),
        (
            standing.leads_people or bool(standing.head_paths),
            _("Team rewards"),
            "incentives:sheets",
            "coin",
            team,
            "",
        ),
        (not standing.is_it_admin, _("People"), "people:org_chart", "sitemap", company, ""),
        (standing.is_hr or standing.is_auditor, _("Cycles"), "cycles:list", "refresh", company, ""),
        (standing.is_hr_admin, _("Imports"), "people:imports", "upload", company, ""),
        (
            standing.is_hr_admin or standing.is_it_admin,
            _("Accounts and roles"),
            "people:accounts",
            "key",
            company,
            "",
        ),
        (
            standing.is_hr_admin or standing.is_it_admin,
            _("Calendar"),
            "people:calendar",
            "calendar",
            company,
            "",
        ),
        (standing.is_hr, _("Reminders and mails"), "activity:deliveries", "mail", company, ""),
        (
            standing.is_auditor or bool(standing.partner_paths),
            _("Audit trail"),
            "activity:trail",
            "history",
            company,
            "",
        ),
        (standing.is_it_admin, _("Operations"), "activity:operations", "adjustments", company, ""),
        (has_mailbox, _("Mailbox"), "activity:mailbox", "mail", _("Development"), ""),
    ]
    return [
        (label, name, reverse(name), icon, section, short)
        for shown, label, name, icon, section, short in entries
        if shown
    ]
