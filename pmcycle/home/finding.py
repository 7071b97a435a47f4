"""People, goals and pages by a few letters, each within what the reader may see anyway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, IntegerField, Value, When
from django.utils.translation import gettext as _

from goals.models import Goal
from pmcycle.access import UserRequest, show, today, with_outside
from pmcycle.home.context import nav_of
from pmcycle.home.needs import need_url
from pmcycle.people.models import Employee
from pmcycle.people.rules.names import plain
from pmcycle.spelling import holding

MOST = 8


@dataclass(frozen=True)
class Hit:
    icon: str
    label: str
    note: str
    url: str


def find(request: UserRequest, words: str) -> Sequence[Hit]:
    """Pages first when nothing is typed; else pages, people and goals that hold the words."""
    wanted = plain(words)
    pages = [
        Hit(entry.icon, entry.label, _("Page"), entry.url)
        for entry in nav_of(request)
        if wanted in plain(entry.label)
    ]
    if len(wanted) < 2:
        return pages
    return [*pages[:MOST], *_people(request, words), *_goals(request, words)]


def _people(request: UserRequest, words: str) -> list[Hit]:
    first = Case(
        When(name__begins=words, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    rows = Employee.objects.visible_to(request.user).working(today()).filter(holding(words, "name"))
    return [
        Hit(
            "user",
            row.name,
            " · ".join(filter(None, [row.job_title, row.unit.name if row.unit else ""])),
            need_url("home:person", row.pk),
        )
        for row in rows.select_related("unit").order_by(first, "sort_name", "pk")[:MOST]
    ]


def _goals(request: UserRequest, words: str) -> list[Hit]:
    seen = with_outside(Goal.objects.visible_to(request.user), request.user)
    rows = seen.filter(holding(words, "latest__title")).exclude(state=Goal.State.WITHDRAWN)
    found = list(rows.select_related("latest", "participation__employee").order_by("-pk")[:MOST])
    show(request.user, found)
    return [
        Hit(
            "target",
            row.latest.title if row.latest else "",
            row.participation.employee.name if row.participation else _("Goal of the organisation"),
            need_url("goals:detail", row.pk),
        )
        for row in found
    ]
