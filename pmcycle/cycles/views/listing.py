"""All exceptions of a cycle on one page, for HR."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from pmcycle.access import UserRequest, get_visible
from pmcycle.activity.models import EXCEPTIONS, Event
from pmcycle.cycles.models import Cycle, Participation, Stage
from pmcycle.cycles.pages import KINDS, ExceptionLine
from pmcycle.people.models import Employee
from pmcycle.typed import search_words
from pmcycle.ui.formats import when_text

LINES = 25


@login_required
@require_GET
def list_exceptions(request: UserRequest, pk: int) -> HttpResponse:
    """Who got more time or another manager, left, came back or joined late, with the reason; the newest first.

    HR reads it, partners of their people, nobody of themselves: as on the timeline that each line leads to.
    """
    source = Cycle.objects.configured_by(request.user).exclude(state=Cycle.State.DRAFT)
    cycle = get_visible(source.prefetch_related("stages"), request.user, pk=pk)
    people = Participation.objects.overseen_by(request.user).filter(cycle=cycle)
    events = Event.objects.filter(
        subject_kind="cycles.participation", verb__in=EXCEPTIONS, subject_id__in=people.values("pk")
    )
    kind = request.GET.get("kind", "")
    if kind in KINDS:
        events = events.filter(verb=kind)
    for word in search_words(request).split()[:5]:
        events = events.filter(Q(about__name__icontains=word) | Q(about__number__iexact=word))
    rows = events.select_related("about__unit", "actor").order_by("-at", "-pk")
    page: Any = Paginator(rows, LINES).get_page(request.GET.get("page"))
    page.object_list = _lines(page, cycle.stages.all())
    context = {
        "cycle": cycle,
        "page": page,
        "filters": [{"name": "kind", "label": _("Kind"), "options": list(KINDS.items())}],
        "is_narrowed": kind in KINDS or bool(search_words(request)),
    }
    return render(request, "cycles/exceptions.html", context)


def _lines(events: Iterable[Event], stages: Iterable[Stage]) -> list[ExceptionLine]:
    """Each with its kind and what it comes to, in words."""
    found = list(events)
    named = {stage.kind: str(stage) for stage in stages}
    managers = dict(
        Employee.objects.filter(
            pk__in=[e.data.get("manager") for e in found if e.verb == "transferred"]
        )
        .order_by()
        .values_list("pk", "name")
    )
    return [ExceptionLine(e, str(KINDS[e.verb]), _what(e, named, managers)) for e in found]


def _what(event: Event, stages: dict[str, str], managers: dict[int, str]) -> str:
    data = event.data
    if event.verb == "extended":
        words = {"stage": stages.get(data["stage"], data["stage"]), "day": _day(data["due_on"])}
        return _("%(stage)s until %(day)s") % words
    if event.verb == "transferred":
        return _("%(name)s from %(day)s") % {
            "name": managers.get(data["manager"], "–"),
            "day": _day(data["on"]),
        }
    if event.verb == "left":
        return _("last day %s") % _day(data["left_on"])
    return _("from %s") % _day(data["starts_on"]) if event.verb == "joined" else ""


def _day(text: str) -> str:
    return when_text(date.fromisoformat(text)) if text else "–"
