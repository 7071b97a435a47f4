"""What the pages of cycles have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from pmcycle.access import UserRequest, get_editable, today
from pmcycle.cycles.models import (
    Cycle,
    Stage,
)
from pmcycle.cycles.pages import Change, End
from pmcycle.errors import Refused
from pmcycle.people.models import Employee
from pmcycle.spelling import holding


def editable_cycle(request: UserRequest, pk: int) -> Cycle:
    return get_editable(Cycle.objects.configured_by(request.user), request.user, pk=pk)


def refuse_unless(cycle: Cycle, state: str) -> None:
    """No form is offered for what the cycle's state refuses: say so before somebody writes into it."""
    if cycle.state == state:
        return
    if cycle.state == Cycle.State.DRAFT:
        raise Refused(_("This cycle has not been launched yet."))
    if cycle.state == Cycle.State.RUNNING:
        raise Refused(_("This cycle is running."))
    raise Refused(_("This cycle is closed. Everything in it stays readable."))


def why_not(judge: Callable[[Any], None], row: Cycle | Stage) -> str:
    """What the act would refuse whatever is filled in, said before anybody fills it in; "" if nothing."""
    try:
        judge(row)
    except Refused as refused:
        return str(refused.reason)
    return ""


def named(typed: str) -> Any:
    """Working people whose name or number holds these words, any order."""
    people = Employee.objects.working(today()).select_related("unit")
    for word in typed.split()[:5]:
        people = people.filter(holding(word, "name") | Q(number__iexact=word))
    return people


def who_is(person: Employee) -> str:
    return " · ".join(filter(None, [person.name, person.job_title, str(person.unit or "")]))


def end_page(request: UserRequest, cycle: Cycle, end: End) -> HttpResponse:
    """The page of an end, again with what is wrong with it if it was sent."""
    status = (end.leaving.status if end.leaving else 422) if end.form.is_bound else 200
    return render(request, "cycles/end.html", {"cycle": cycle, "end": end}, status=status)


def change_page(request: UserRequest, cycle: Cycle, change: Change) -> HttpResponse:
    """The page of an exception. It is wrong if it was sent and nothing came of it, or cannot be looked at yet."""
    form = change.form
    wrong = request.method == "POST" or (form.is_bound and not form.is_valid())
    return render(
        request,
        "cycles/change.html",
        {"cycle": cycle, "change": change},
        status=422 if wrong else 200,
    )
