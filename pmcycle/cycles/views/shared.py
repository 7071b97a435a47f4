"""What the pages of cycles have in common: reading what was typed, acting on a form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from pmcycle.access import UserRequest, get_editable
from pmcycle.cycles.models import (
    Cycle,
)
from pmcycle.errors import Invalid
from pmcycle.people.models import Employee


def search_words(request: UserRequest, name: str = "q") -> str:
    """What was typed into a search field, fit for the database."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:100]


def done(form: Any, act: Callable[[], Any]) -> bool:
    """Act; a field the action refuses becomes that field's error. True if it was done."""
    try:
        act()
    except Invalid as invalid:
        form.add_error(invalid.field if invalid.field in form.fields else None, invalid.reason)
        return False
    return True


def editable_cycle(request: UserRequest, pk: int) -> Cycle:
    return get_editable(Cycle.objects.configured_by(request.user), request.user, pk=pk)


def named(typed: str) -> Any:
    """Working people whose name or number holds these words, any order."""
    people = Employee.objects.working(timezone.localdate()).select_related("unit")
    for word in typed.split()[:5]:
        people = people.filter(Q(name__icontains=word) | Q(number__iexact=word))
    return people


def who_is(person: Employee) -> str:
    return " · ".join(filter(None, [person.name, person.job_title, str(person.unit or "")]))


def read_version(request: UserRequest) -> int:
    """The version a one-button form was read at; none counts as stale."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def line_of(stages: Any) -> list[dict[str, Any]]:
    """Stages in the shape of the timeline picture."""
    return [{"label": str(s), "start": s.opens_on, "end": s.due_on, "state": s.state} for s in stages]
