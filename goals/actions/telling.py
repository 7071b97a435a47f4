"""Tell the other of the two."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse

from goals.models import Goal, Signature
from pmcycle.activity.actions import Tell
from pmcycle.cycles.models import Assignment, Participation
from pmcycle.people.models import User


def tells(employees: Iterable[int], title: str, url: str, key: str) -> list[Tell]:
    users = User.objects.filter(employee__in=list(employees), is_active=True).values_list("pk", flat=True)
    return [Tell(user, title, url, f"{key}:{user}") for user in users]


def tell_other(
    participation: Participation, side: str, title: str, by: User, goal: Goal | None, key: str
) -> list[Tell]:
    """Tell the other of the two. The title is a task or a fact, never the text of the goal."""
    if side == Signature.Side.EMPLOYEE:
        current = Assignment.objects.current().filter(participation=participation)
        employees = list(current.values_list("manager", flat=True))
    else:
        employees = [participation.employee_id]
    url = reverse("goals:of", args=[participation.pk]) if goal is None or goal.state == Goal.State.PROPOSED else (
        reverse("goals:detail", args=[goal.pk])
    )  # fmt: skip
    return tells(employees, title % {"name": by.name}, url, key)
