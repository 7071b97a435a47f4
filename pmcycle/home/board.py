"""The pages of the board: who is where in a cycle, as a file too, and reminding those who are late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from pmcycle.access import UserRequest, get_visible
from pmcycle.activity.actions import Tell, hold_to
from pmcycle.cycles import actions as cycle_actions
from pmcycle.cycles.models import Cycle, Stage
from pmcycle.days import today_in
from pmcycle.home import completion
from pmcycle.home.completion import STATES, Board, Counts, Filters, Person
from pmcycle.home.contributions import MILESTONES
from pmcycle.home.team import STAGES
from pmcycle.kept import Kept, any_key
from pmcycle.typed import row_number
from pmcycle.ui import files
from pmcycle.ui.formats import Here, here
from pmcycle.ui.tags import due, person_chip, state, when

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
    source = Cycle.objects.configured_by(request.user).exclude(state=Cycle.State.DRAFT)
    return get_visible(source, request.user, pk=pk)


# What `configured_by` lets all of HR see of a launched cycle: the same rows for each of them.
FOLLOWED: Kept[Cycle] = Kept(
    lambda cycle: Cycle.objects.filter(pk=cycle).exclude(state=Cycle.State.DRAFT), cycle=any_key
)


@login_required
@require_GET
def board(request: UserRequest, pk: int) -> HttpResponse:
    """Everybody's state in every stage and what blocks whom."""
    cycle = FOLLOWED.first(cycle=pk) if request.user.standing.is_hr else None
    if cycle is None:
        raise Http404
    stages = list(STAGES(cycle=cycle.pk))
    filters = Filters.of(request.GET)
    branches = min(row_number(request.GET.get("units")) or 1, LAST_PAGE)
    seen = completion.look(cycle, request.user, cycle.local_day(timezone.now()), filters, branches)
    sort = request.GET.get("sort", "")
    if request.GET.get("as") in ("csv", "xlsx"):
        hold_to("costly", request.user.pk)
        return _file(request, seen, stages, filters, sort)
    counts = completion.counts(seen, stages)
    number = min(row_number(request.GET.get("page")) or 1, LAST_PAGE)
    found, total = completion.people(
        seen, stages, filters, known=counts.people + counts.left, sort=sort, page=number
    )
    blocked, overdue = counts.due("blocked"), counts.due("overdue")
    may_act = request.user.standing.is_hr_admin and cycle.state == Cycle.State.RUNNING
    labels = [str(stage) for stage in stages]
    words = {kind: str(word) for kind, word in STATES.items()} | {"timeline": _("Timeline")}
    for person in found:
        person.head = _head(person.name, person.unit, person.employee, person.pk, words["timeline"])
        person.row = _row(cycle, person, labels, words, may_act)
    context = {
        "cycle": cycle,
        "stages": stages,
        "labels": labels,
        "page": completion.page_of(found, total, number),
        "names": {
            "ok": _("done"),
            "info": _("open or under way"),
            "warn": _("overdue"),
            "danger": _("blocked or missed"),
            "mute": _("nothing to do, or not open yet"),
        },
        "funnel": _funnel(stages, counts),
        "reached": _reached(counts, cycle),
        "by_unit": _by_unit(stages, counts, seen),
        "branches": seen.branches,
        "unit": seen.unit,
        "people": counts.people,
        "blocked": blocked,
        "blocked_url": "?state=blocked" if blocked else "",
        "blocked_tone": "danger" if blocked else "",
        "overdue": overdue,
        "overdue_url": "?state=overdue" if overdue else "",
        "overdue_tone": "warn" if overdue else "",
        "filters": [
            {"name": "unit", "label": _("Unit"), "options": _units(seen)},
            {"name": "stage", "label": _("Stage"), "options": [(s.kind, str(s)) for s in stages]},
            {"name": "state", "label": _("State"), "options": list(STATES.items())},
        ],
        "may_act": may_act,
        "export": reverse("home:board", kwargs={"pk": pk}) + "?as=csv",
        "export_xlsx": "?" + _with(request, "xlsx"),
        "query": request.GET.urlencode(),
    }
    return render(request, "home/board.html", context)


# How states read as badges, where the word of the badge is another.
BADGES = {"left": "frozen", "missed": "lapsed"}


def _row(
    cycle: Cycle, person: Person, labels: Sequence[str], words: Mapping[str, str], may_act: bool
) -> SafeString:
    """The cells of one line. Written here and not in the template, because a page has a hundred of them."""
    place = (cycle.zone, today_in(cycle.tzinfo), here())
    cells = [
        _cell(
            label,
            cell["state"],
            words[cell["state"]],
            cell["milestone"],
            _day(cell, cycle),
            cell["beside"],
            words.get(cell["beside"], ""),
            _due_on(cell),
            place,
        )
        if not cell["why"]
        else _blocked(label, words, cell, cycle, person.pk, may_act)
        for label, cell in zip(labels, person.cells, strict=True)
    ]
    return format_html_join("", "{}", ((cell,) for cell in cells))


@lru_cache(maxsize=8192, typed=True)
def _head(name: str, unit: str, employee: int, pk: int, timeline: str) -> SafeString:
    return format_html(
        '{} <small><a href="{}">{}<span class="visually-hidden">: {}</span></a></small>',
        person_chip(name, "home:person", employee, note=unit, size="sm"),
        reverse("cycles:life_line", args=[pk]),
        timeline,
        name,
    )


CELL = '<td data-label="{}"><div>{}{}{}{}</div></td>'


def _day(cell: Mapping[str, Any], cycle: Cycle) -> date | None:
    return cycle.local_day(cell["reached_at"]) if cell["milestone"] else None


def _due_on(cell: Mapping[str, Any]) -> date | None:
    return cell["due_on"] if {"open", "overdue"} & {cell["state"], cell["beside"]} else None


@lru_cache(maxsize=8192, typed=True)
def _cell(
    label: str,
    name: str,
    word: str,
    milestone: str,
    day: date | None,
    beside: str,
    beside_word: str,
    due_on: date | None,
    place: tuple[str, date, Here],
) -> SafeString:
    """A cell is the same for everybody who stands there."""
    return format_html(
        CELL,
        label,
        state(BADGES.get(name, name), word),
        _milestone(milestone, day),
        _beside(beside, beside_word),
        format_html("<br><small>{}</small>", due(due_on, place[0])) if due_on else "",
    )


def _milestone(word: str, day: date | None) -> SafeString | str:
    return format_html("<br><small>{} · {}</small>", word, when(day)) if word else ""


def _beside(name: str, word: str) -> SafeString | str:
    """What is due of somebody who is done."""
    return format_html("<br>{}", state(name, word)) if name else ""


def _blocked(
    label: str,
    words: Mapping[str, str],
    cell: Mapping[str, Any],
    cycle: Cycle,
    pk: int,
    may_act: bool,
) -> SafeString:
    """Why it cannot go on, and for who may act the way out."""
    way = reverse("cycles:extend" if cell["cause"] == "away" else "cycles:transfer", args=[pk])
    out = format_html(' · <a href="{}">{}</a>', way, cell["way_out"]) if may_act else ""
    return format_html(
        CELL,
        label,
        state(cell["state"], words[cell["state"]]),
        _milestone(cell["milestone"], _day(cell, cycle)),
        _beside(cell["beside"], words.get(cell["beside"], "")),
        format_html("<br><small>{}{}</small>", cell["why"], out),
    )


def _with(request: UserRequest, kind: str) -> str:
    query = request.GET.copy()
    query["as"] = kind
    return query.urlencode()


def _units(seen: Board) -> list[tuple[str, str]]:
    chosen = [(seen.unit.pk, seen.unit.name)] if seen.unit else []
    return [(str(pk), name) for pk, name in [*chosen, *seen.units]]


def _funnel(stages: list[Stage], counts: Counts) -> list[dict[str, Any]]:
    found = []
    for stage in stages:
        parts = dict.fromkeys(("ok", "info", "warn", "danger", "mute"), 0)
        for (kind, name), n in counts.states.items():
            if kind == stage.kind:
                parts[TONES[name]] += n
        found.append({"label": str(stage), "parts": parts, "url": f"?stage={stage.kind}"})
    return found


def _reached(counts: Counts, cycle: Cycle) -> list[dict[str, Any]]:
    """How many have come how far, and on which day the last of them; these numbers never fall."""
    return [
        {
            "label": label,
            "n": counts.reached.get(kind, 0),
            "of": counts.people,
            "last": cycle.local_day(counts.last[kind]) if kind in counts.last else None,
        }
        for kind, label in MILESTONES.items()
    ]


def _by_unit(stages: list[Stage], counts: Counts, seen: Board) -> list[dict[str, SafeString]]:
    """Per unit (with all below it) and stage: done of all, as the lines of the table."""
    lines = []
    labels = [(s.kind, str(s), s.state == Stage.State.PLANNED) for s in stages]
    for pk, name in seen.branches:
        branch = counts.branches.get(pk)
        cells = (
            (
                label,
                "–"
                if planned or branch is None or not branch.people
                else f"{branch.states.get((kind, 'done'), 0)} / {branch.people}",
            )
            for kind, label, planned in labels
        )
        linked = format_html('<a href="?unit={}">{}</a>', pk, name)
        cells_html = format_html_join("", '<td class="num" data-label="{}">{}</td>', cells)
        lines.append({"unit": linked, "cells": cells_html})
    return lines


def _file(
    request: UserRequest, seen: Board, stages: list[Stage], filters: Filters, sort: str
) -> HttpResponse:
    """Exactly what the filters show, as CSV or XLSX."""
    found, _total = completion.people(
        seen, stages, filters, sort=sort, size=completion.MOST_EXPORTED
    )
    head = [_("Number"), _("Name"), _("Unit")]
    for stage in stages:
        head += [
            str(stage),
            _("%s due") % stage,
            _("%s reached") % stage,
            _("%s reached on") % stage,
            _("%s to do again") % stage,
            _("%s blocked by") % stage,
        ]
    rows = [
        [
            p.number,
            p.name,
            p.unit,
            *[x for c in p.cells for x in _columns(c, seen.cycle)],
        ]
        for p in found
    ]
    cycle_actions.record_export(seen.cycle, rows=len(rows), by=request.user)
    name = f"board-{seen.cycle.pk}-{seen.day.isoformat()}"
    return (
        files.xlsx(name, head, rows) if request.GET["as"] == "xlsx" else files.csv(name, head, rows)
    )


def _columns(cell: Mapping[str, Any], cycle: Cycle) -> tuple[str, ...]:
    """One cell in the file: state, due day, milestone and its day, what is due of who is done, what blocks it."""
    day = _day(cell, cycle)
    return (
        str(cell["word"]),
        cell["due_on"].isoformat(),
        str(cell["milestone"]),
        day.isoformat() if day else "",
        str(STATES[cell["beside"]]) if cell["beside"] else "",
        cell["why"],
    )


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
                due_zone=cycle.zone,
            )
            for c in told
            if c.user_id is not None
        ]
        sent = cycle_actions.remind(
            cycle, tells, suppressed=len(chased) - len(told), by=request.user
        )
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
