"""What the objectives and the end of a cycle would leave open of its goals."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import ngettext

from goals.models import ChangeRequest, Goal
from pmcycle.cycles.actions import leftover
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.cycles.rules import Leftover
from pmcycle.people.models import User


def left_unagreed(cycle: Cycle, _reader: User | None) -> list[Leftover]:
    """People without a goal that both sides agreed to, or with a proposal that nobody answered."""
    goals = Goal.objects.filter(participation=OuterRef("pk"), horizon=Goal.Horizon.CYCLE)
    agreed = goals.filter(state__in=[Goal.State.AGREED, Goal.State.CLOSED])
    rows = Participation.objects.filter(
        ~Exists(agreed) | Exists(goals.filter(state=Goal.State.PROPOSED)),
        cycle=cycle,
        state=Participation.State.ACTIVE,
    )
    return leftover(
        "goals:unagreed",
        lambda n: ngettext(
            "%(n)d person has no agreed goals, or a proposal that is not answered.",
            "%(n)d people have no agreed goals, or a proposal that is not answered.",
            n,
        ),
        rows,
        person="employee",
        url_name="goals:of",
    )


def left_changes(cycle: Cycle, _reader: User | None) -> list[Leftover]:
    """Changes of agreed goals that nobody answered: they lapse when the goals close."""
    rows = ChangeRequest.objects.filter(
        Q(goal__participation__state=Participation.State.ACTIVE),
        goal__cycle=cycle,
        state=ChangeRequest.State.OPEN,
    )
    return leftover(
        "goals:change",
        lambda n: ngettext(
            "%(n)d change of an agreed goal is not answered and lapses.",
            "%(n)d changes of agreed goals are not answered and lapse.",
            n,
        ),
        rows,
        person="goal__participation__employee",
        url_name="goals:detail",
        pk="goal_id",
    )
