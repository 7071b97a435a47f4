"""What every page shows around its content: the way through the product for this reader."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _


def shell(request: HttpRequest) -> dict[str, Any]:
    """`nav`: the entries that this reader can open. No statements of its own beyond the user's."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav": []}
    standing = user.standing
    entries: list[tuple[bool, Any, str, str, Any]] = [
        (True, _("What needs me"), "home:index", "home", ""),
        (bool(user.employee_id), _("My goals"), "goals:list", "target", ""),
        (bool(user.employee_id), _("Check-ins"), "feedback:check_ins", "calendar-event", ""),
        (bool(user.employee_id), _("Feedback"), "feedback:list", "message", ""),
        (bool(user.employee_id), _("Appraisals"), "appraisals:list", "list-check", ""),
        (bool(user.employee_id), _("Rewards"), "incentives:mine", "award", ""),
        (bool(user.employee_id), _("Evaluations"), "evaluations:list", "file-text", ""),
        (standing.leads_people, _("My team"), "home:team", "users", _("Team")),
        (standing.leads_people, _("Team rewards"), "incentives:sheets", "coin", _("Team")),
        (not standing.is_it_admin, _("People"), "people:org_chart", "sitemap", _("Company")),
        (standing.is_hr, _("Cycles"), "cycles:list", "refresh", _("Company")),
        (standing.is_hr_admin, _("Imports"), "people:imports", "upload", _("Company")),
        (
            standing.is_hr_admin or standing.is_it_admin,
            _("Accounts and roles"),
            "people:accounts",
            "key",
            _("Company"),
        ),
        (standing.is_auditor or standing.is_hr, _("Audit trail"), "activity:trail", "history", _("Company")),
        (standing.is_it_admin, _("Operations"), "activity:operations", "adjustments", _("Company")),
    ]
    nav = []
    for shown, label, name, icon, section in entries:
        if not shown:
            continue
        try:
            url = reverse(name)
        except NoReverseMatch:
            continue
        active = request.path == url if url == "/" else request.path.startswith(url)
        nav.append({"label": label, "url": url, "icon": icon, "active": active, "section": section})
    return {"nav": nav}
