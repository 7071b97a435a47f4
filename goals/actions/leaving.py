"""What the objectives and the end of a cycle would leave open of its goals."""

from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.utils.translation import ngettext

from goals.models import ChangeRequest, Contribution, Goal, sets_of_weights
from pmcycle.cycles.actions import leftover
from pmcycle.cycles.models import Cycle, Participation, taking_part
from pmcycle.cycles.rules import Leftover
from pmcycle.people.models import User


def left_of_objectives(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Who has no agreed set of goals, and contributions that end with the cycle unconfirmed."""
    return [*_unagreed(cycle, reader), *_unconfirmed(cycle, reader)]


def _unagreed(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """People without a goal that both sides agreed to, with a proposal that nobody answered, or with a set
    that does not come to 100."""
    goals = Goal.objects.filter(participation=OuterRef("pk"), horizon=Goal.Horizon.CYCLE)
    agreed = goals.filter(state__in=[Goal.State.AGREED, Goal.State.CLOSED])
    proposed = Exists(goals.filter(state=Goal.State.PROPOSED))
    people = Participation.objects.filter(taking_part(cycle, ""))
    uneven = people.filter(~proposed, Exists(agreed), Exists(sets_of_weights(is_whole=False)))
    return [
        *leftover(
            "goals:unagreed",
            lambda n: ngettext(
                "%(n)d person has no agreed goals, or a proposal that is not answered.",
                "%(n)d people have no agreed goals, or a proposal that is not answered.",
                n,
            ),
            people.filter(~Exists(agreed) | proposed),
            reader=reader,
            person="employee",
            url_name="goals:of",
        ),
        *leftover(
            "goals:uneven",
            lambda n: ngettext(
                "%(n)d person has agreed goals whose weights do not come to 100.",
                "%(n)d people have agreed goals whose weights do not come to 100.",
                n,
            ),
            uneven,
            reader=reader,
            person="employee",
            url_name="goals:of",
        ),
    ]


def _unconfirmed(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Nobody confirms or declines them once the cycle is closed, and only what is confirmed counts."""
    rows = Contribution.objects.filter(
        taking_part(cycle), confirmed_at__isnull=True, declined_at__isnull=True
    )
    return leftover(
        "goals:contribution",
        lambda n: ngettext(
            "%(n)d contribution is not confirmed by whom it helped.",
            "%(n)d contributions are not confirmed by whom they helped.",
            n,
        ),
        rows,
        reader=reader,
        person="participation__employee",
        pk="participation_id",
        only_at_end=True,
    )


def left_changes(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Changes of agreed goals that nobody answered: they lapse when the goals close."""
    rows = ChangeRequest.objects.filter(
        taking_part(cycle, "goal__participation"), state=ChangeRequest.State.OPEN
    )
    return leftover(
        "goals:change",
        lambda n: ngettext(
            "%(n)d change of an agreed goal is not answered and lapses.",
            "%(n)d changes of agreed goals are not answered and lapse.",
            n,
        ),
        rows,
        reader=reader,
        person="goal__participation__employee",
        url_name="goals:detail",
        pk="goal_id",
    )
