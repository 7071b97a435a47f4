"""The pages that gather: a cycle with everything HR does in it, a person with everything one may see of them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from evaluations.actions import why_nothing_comes
from pmcycle.access import UserRequest, get_visible
from pmcycle.cycles.models import Cycle, StageKind
from pmcycle.home import hub as cycles
from pmcycle.home import person as people


@login_required
@require_GET
def hub(request: UserRequest, pk: int) -> HttpResponse:
    """Everything HR does in a cycle, each with its state and number; 404 for everybody else."""
    rows = cycles.with_what_it_leads_to().configured_by(request.user)
    cycle = get_visible(rows, request.user, pk=pk)
    found = cycles.hub(cycle, request.user, cycle.local_day(timezone.now()))
    may_carry = cycle.state == Cycle.State.RUNNING and request.user.standing.is_hr_admin
    context = {
        "cycle": cycle,
        "hub": found,
        "may_carry": may_carry,
        "nothing_comes": why_nothing_comes(cycle) if may_carry else "",
        "objectives": next((s for s in cycle.stages.all() if s.kind == StageKind.OBJECTIVES), None),
    }
    return render(request, "home/hub.html", context)


@login_required
@require_GET
def person(request: UserRequest, pk: int) -> HttpResponse:
    """Everything the reader may see of a person over the years: links and states, no content."""
    employee = get_visible(people.with_reach(request.user), request.user, pk=pk)
    return render(
        request,
        "home/person.html",
        {"person": employee, "file": people.file_of(employee, request.user)},
    )
