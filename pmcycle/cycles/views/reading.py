"""Cycles as everybody reads them, and their end."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pmcycle.access import UserRequest, get_visible
from pmcycle.cycles import actions
from pmcycle.cycles.actions import link
from pmcycle.cycles.models import (
    Cycle,
)
from pmcycle.cycles.views.shared import editable_cycle, line_of
from pmcycle.typed import read_version

WHAT = {
    "objectives": gettext_lazy(
        "You and your manager propose goals to each other and agree on them; weights come to 100."
    ),
    "appraisal": gettext_lazy(
        "You and your manager look back over the goals and the year. You read the result after its release."
    ),
    "incentives": gettext_lazy(
        "What the published rules give for results and behaviour is calculated, recommended and approved."
    ),
    "evaluation": gettext_lazy(
        "Your manager writes down achievements, shortcomings and next steps; you both sign."
    ),
}


PAGES = {
    "objectives": "goals:list",
    "appraisal": "appraisals:list",
    "incentives": "incentives:mine",
    "evaluation": "evaluations:list",
}


@login_required
@require_GET
def list_cycles(request: UserRequest) -> HttpResponse:
    """The cycles the reader may know of, the newest first."""
    rows = (
        Cycle.objects.visible_to(request.user)
        .annotate(people=Count("participations", filter=Q(participations__state="active")))
        .prefetch_related("stages")
        .order_by("-first_day", "-pk")
    )
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(cycle, line_of(cycle.stages.all())) for cycle in page],
        "may_create": request.user.standing.is_hr_admin,
    }
    return render(request, "cycles/list.html", context)


@login_required
@require_GET
def detail(request: UserRequest, pk: int) -> HttpResponse:
    """What happens when in a cycle, for everybody; for those who take part with their own dates."""
    user = request.user
    cycle = get_visible(Cycle.objects.select_related("scale"), user, pk=pk)
    if cycle.state == Cycle.State.DRAFT:
        return redirect("cycles:configure", pk=pk, step="who")
    stages = list(cycle.stages.all())
    part = None
    if user.employee_id:
        mine = cycle.participations.filter(employee=user.employee_id).with_manager()
        part = mine.prefetch_related("extensions").first()
    more_time = {e.stage_id: e for e in part.extensions.all()} if part else {}
    steps = [
        {"stage": s, "what": WHAT[s.kind], "extension": more_time.get(s.pk), "url": link(PAGES[s.kind])}
        for s in stages
    ]
    scale = getattr(cycle, "scale", None)
    is_checking = user.standing.is_hr or user.standing.is_auditor
    context = {
        "cycle": cycle,
        "line": line_of(stages),
        "steps": steps,
        "part": part,
        "levels": list(scale.levels.all()) if scale else [],
        "is_hr": user.standing.is_hr,
        "hub_url": link("home:hub", pk=pk),
        "board_url": link("home:board", pk=pk),
        "rules_url": link("incentives:criteria", pk=pk),
        "company_url": link("goals:company", pk=pk),
        # Everybody else finds it among the evaluations once it is published.
        "evaluation_url": link("evaluations:cycle", pk=pk) if is_checking else "",
    }
    return render(request, "cycles/detail.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def close(request: UserRequest, pk: int) -> HttpResponse:
    """End a running cycle, after reading what that means."""
    cycle = editable_cycle(request, pk)
    if request.method == "POST":
        actions.close(cycle, version=read_version(request), by=request.user)
        messages.success(
            request, _("“%s” is closed. What is unfinished goes on in the next cycle.") % cycle.name
        )
        return redirect("cycles:detail", pk=pk)
    return render(request, "cycles/close.html", {"cycle": cycle, "stages": cycle.stages.all()})


@login_required
@require_POST
def archive(request: UserRequest, pk: int) -> HttpResponse:
    cycle = editable_cycle(request, pk)
    actions.archive(cycle, version=read_version(request), by=request.user)
    return redirect("cycles:list")
