"""The pages of the board: who is where in a cycle, as a file too, and reminding those who are late."""

from __future__ import annotations

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
from pmcycle.home.completion import STATES, Board, Counts, Filters
from pmcycle.home.contributions import MILESTONES
from pmcycle.typed import row_number

# Tones of the funnel, in the order in which they are drawn.
TONES = {
    "done": "ok",
    "under_way": "info",
    "open": "info",
    "overdue": "warn",
    "blocked": "danger",
    "missed": "danger",
    "nothing": "mute",
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
    seen = completion.look(cycle, request.user, cycle.local_day(timezone.now()), filters)
    sort = request.GET.get("sort", "")
    if request.GET.get("as") in ("csv", "xlsx"):
        return _file(request, seen, stages, filters, sort)
    counts = completion.counts(seen, stages)
    number = min(row_number(request.GET.get("page")) or 1, LAST_PAGE)
    found, total = completion.people(
        seen, stages, filters, known=counts.people + counts.left, sort=sort, page=number
    )
    context = {
        "cycle": cycle,
        "stages": stages,
        "page": completion.page_of(found, total, number),
        "names": {
            "ok": _("done"),
            "info": _("open or under way"),
            "warn": _("overdue"),
            "danger": _("blocked or missed"),
            "mute": _("nothing to do, or not open yet"),
        },
        "funnel": _funnel(stages, counts),
        "reached": _reached(counts),
        "by_unit": _by_unit(stages, counts, seen),
        "unit": seen.unit,
        "people": counts.people,
        "blocked": sum(n for (_stage, state), n in counts.states.items() if state == "blocked"),
        "overdue": sum(n for (_stage, state), n in counts.states.items() if state == "overdue"),
        "filters": [
            {"name": "unit", "label": _("Unit"), "options": _units(seen)},
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


def _units(seen: Board) -> list[tuple[str, str]]:
    chosen = [(str(seen.unit.pk), seen.unit.name)] if seen.unit else []
    return [*chosen, *seen.branches]


def _funnel(stages: list[Stage], counts: Counts) -> list[dict[str, Any]]:
    found = []
    for stage in stages:
        parts = dict.fromkeys(("ok", "info", "warn", "danger", "mute"), 0)
        for (kind, state), n in counts.states.items():
            if kind == stage.kind:
                parts[TONES[state]] += n
        found.append({"label": str(stage), "parts": parts, "url": f"?stage={stage.kind}"})
    return found


def _reached(counts: Counts) -> list[dict[str, Any]]:
    """How many have come how far; these numbers never fall."""
    return [
        {"label": label, "n": counts.reached.get(kind, 0), "of": counts.people}
        for kind, label in MILESTONES.items()
    ]


def _by_unit(stages: list[Stage], counts: Counts, seen: Board) -> list[dict[str, Any]]:
    """Per unit (with all below it) and stage: done of all, for the table."""
    rows = []
    here = [("", seen.unit.name if seen.unit else _("no unit"))]
    for pk, name in [*seen.branches, *here]:
        branch = counts.branches.get(pk)
        if branch is None or not branch.people:
            continue
        cells = [
            {
                "stage": s,
                "done": branch.states.get((s.kind, "done"), 0),
                "total": branch.people,
                "planned": s.state == Stage.State.PLANNED,
            }
            for s in stages
        ]
        rows.append({"id": pk, "name": name, "cells": cells})
    return rows


def _file(
    request: UserRequest, seen: Board, stages: list[Stage], filters: Filters, sort: str
) -> HttpResponse:
    """Exactly what the filters show, as CSV or XLSX."""
    found, _total = completion.people(seen, stages, filters, sort=sort, size=completion.MOST_EXPORTED)
    head = [_("Number"), _("Name"), _("Unit")]
    for stage in stages:
        head += [str(stage), _("%s due") % stage, _("%s reached") % stage, _("%s blocked by") % stage]
    rows = [
        [
            p.number,
            p.name,
            p.unit,
            *[
                x
                for c in p.cells
                for x in (str(c["word"]), c["due_on"].isoformat(), str(c["milestone"]), c["why"])
            ],
        ]
        for p in found
    ]
    cycle_actions.record_export(seen.cycle, rows=len(rows), by=request.user)
    name = f"board-{seen.cycle.pk}-{seen.day.isoformat()}"
    return files.xlsx(name, head, rows) if request.GET["as"] == "xlsx" else files.csv(name, head, rows)


@login_required
@require_http_methods(["GET", "POST"])
def remind(request: UserRequest, pk: int) -> HttpResponse:
    """Who would be reminded and who not, and why; then the reminding itself."""
    cycle = _cycle(request, pk)
    day = cycle.local_day(timezone.now())
    filters = Filters.of(request.POST if request.method == "POST" else request.GET)
    seen = completion.look(cycle, request.user, day, filters)
    chased = completion.chase(seen, filters, timezone.now())
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
