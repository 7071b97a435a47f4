"""The pages of the board: who is where in a cycle, as a file too, and reminding those who are late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from pmcycle.access import UserRequest, get_visible
from pmcycle.activity.actions import Tell
from pmcycle.cycles import actions as cycle_actions
from pmcycle.cycles.models import Cycle, Stage
from pmcycle.home import completion, files
from pmcycle.home.completion import STATES, Filters
from pmcycle.typed import row_number

# Tones of the funnel, in the order in which they are drawn.
TONES = {
    "done": "ok",
    "open": "info",
    "overdue": "warn",
    "blocked": "danger",
    "missed": "danger",
    "planned": "mute",
    "left": "mute",
}
# Further down nobody leafs; a larger number must not reach the database.
LAST_PAGE = 100_000


def _cycle(request: UserRequest, pk: int) -> Cycle:
    """A launched cycle that HR follows; 404 for everybody else."""
    source = (
        Cycle.objects.configured_by(request.user).exclude(state=Cycle.State.DRAFT).prefetch_related("stages")
    )
    return get_visible(source, request.user, pk=pk)


@login_required
@require_GET
def board(request: UserRequest, pk: int) -> HttpResponse:
    """Everybody's state in every stage and what blocks whom."""
    cycle = _cycle(request, pk)
    stages = list(cycle.stages.all())
    filters = Filters.of(request.GET)
    day = cycle.local_day(timezone.now())
    if request.GET.get("as") in ("csv", "xlsx"):
        return _file(request, cycle, stages, filters)
    number = min(row_number(request.GET.get("page")) or 1, LAST_PAGE)
    found, total = completion.people(
        cycle, stages, request.user, day, filters, sort=request.GET.get("sort", ""), page=number
    )
    counts = completion.funnel(cycle, request.user, day, Filters())
    units = sorted({(str(pk), name) for pk, name, *_rest in counts if pk}, key=lambda u: u[1])
    page = completion.page_of(found, total, number)
    context = {
        "cycle": cycle,
        "stages": stages,
        "line": [{"label": str(s), "start": s.opens_on, "end": s.due_on, "state": s.state} for s in stages],
        "page": page,
        "names": {
            "ok": _("done"),
            "info": _("open"),
            "warn": _("overdue"),
            "danger": _("blocked or missed"),
            "mute": _("not open yet, or has left"),
        },
        "funnel": _funnel(stages, counts, filters.unit),
        "by_unit": _by_unit(stages, counts),
        "people": sum(n for _u, _n, kind, state, n in counts if kind == stages[0].kind and state != "left"),
        "blocked": sum(n for *_rest, state, n in counts if state == "blocked"),
        "overdue": sum(n for *_rest, state, n in counts if state == "overdue"),
        "filters": [
            {"name": "unit", "label": _("Unit"), "options": units},
            {"name": "stage", "label": _("Stage"), "options": [(s.kind, str(s)) for s in stages]},
            {"name": "state", "label": _("State"), "options": list(STATES.items())},
        ],
        "may_act": request.user.standing.is_hr_admin and cycle.state == Cycle.State.RUNNING,
        "export": reverse("home:board", kwargs={"pk": pk}) + "?as=csv",
        "export_xlsx": "?" + _with(request, "xlsx"),
        "query": request.GET.urlencode(),
    }
    return render(request, "home/board.html", context)


def _with(request: UserRequest, kind: str) -> str:
    query = request.GET.copy()
    query["as"] = kind
    return query.urlencode()


def _funnel(stages: list[Stage], counts: Iterable[tuple[Any, ...]], unit: str) -> list[dict[str, Any]]:
    parts: dict[str, dict[str, int]] = {
        s.kind: dict.fromkeys(("ok", "info", "warn", "danger", "mute"), 0) for s in stages
    }
    for unit_id, _name, kind, state, n in counts:
        if not unit or str(unit_id) == unit:
            parts[kind][TONES[state]] += n
    return [{"label": str(s), "parts": parts[s.kind], "url": f"?stage={s.kind}"} for s in stages]


def _by_unit(stages: list[Stage], counts: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Per unit and stage: done of all, for the table."""
    tally: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: {s.kind: [0, 0] for s in stages})
    for unit_id, name, kind, state, n in counts:
        if state == "left":
            continue
        cell = tally[str(unit_id or ""), name or _("no unit")][kind]
        cell[0] += n if state == "done" else 0
        cell[1] += n
    rows = []
    for (unit_id, name), cells in sorted(tally.items(), key=lambda item: item[0][1]):
        shown = [
            {"stage": s, "done": cells[s.kind][0], "total": cells[s.kind][1], "planned": s.state == "planned"}
            for s in stages
        ]
        rows.append({"id": unit_id, "name": name, "cells": shown})
    return rows


def _file(request: UserRequest, cycle: Cycle, stages: list[Stage], filters: Filters) -> HttpResponse:
    """Exactly what the filters show, as CSV or XLSX."""
    day = cycle.local_day(timezone.now())
    found, _total = completion.people(
        cycle,
        stages,
        request.user,
        day,
        filters,
        sort=request.GET.get("sort", ""),
        size=completion.MOST_EXPORTED,
    )
    head = [_("Number"), _("Name"), _("Unit")]
    for stage in stages:
        head += [str(stage), _("%s due") % stage, _("%s blocked by") % stage]
    rows = [
        [
            p.number,
            p.name,
            p.unit,
            *[x for c in p.cells for x in (str(c["word"]), c["due_on"].isoformat(), c["why"])],
        ]
        for p in found
    ]
    cycle_actions.record_export(cycle, rows=len(rows), by=request.user)
    name = f"board-{cycle.pk}-{day.isoformat()}"
    return files.xlsx(name, head, rows) if request.GET["as"] == "xlsx" else files.csv(name, head, rows)


@login_required
@require_http_methods(["GET", "POST"])
def remind(request: UserRequest, pk: int) -> HttpResponse:
    """Who would be reminded and who not, and why; then the reminding itself."""
    cycle = _cycle(request, pk)
    day = cycle.local_day(timezone.now())
    filters = Filters.of(request.POST if request.method == "POST" else request.GET)
    chased = completion.chase(cycle, request.user, day, filters)
    told = [c for c in chased if not c.why]
    if request.method == "POST":
        tells = [
            Tell(
                c.user_id,
                ngettext(
                    "%(n)d thing waits for you in “%(cycle)s”",
                    "%(n)d things wait for you in “%(cycle)s”",
                    c.count,
                )
                % {"n": c.count, "cycle": cycle.name},
                reverse("home:index"),
                f"chase:{cycle.pk}:{c.user_id}:{day.isoformat()}",
                kind="chase",
                due_on=c.due_on,
            )
            for c in told
            if c.user_id is not None
        ]
        sent = cycle_actions.remind(cycle, tells, suppressed=len(chased) - len(told), by=request.user)
        words = ngettext("%(n)d person is reminded.", "%(n)d people are reminded.", sent)
        messages.success(request, words % {"n": sent})
        return redirect("home:board", pk=pk)
    context = {
        "cycle": cycle,
        "told": told,
        "held": [c for c in chased if c.why],
        "filters": filters,
        "stage": next((s for s in cycle.stages.all() if s.kind == filters.stage), None),
    }
    return render(request, "home/remind.html", context)
