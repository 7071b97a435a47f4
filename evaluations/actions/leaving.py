"""What the evaluation stage would leave open."""

from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.utils.translation import ngettext

from evaluations.models import Evaluation
from pmcycle.cycles.actions import leftover
from pmcycle.cycles.models import Cycle, Participation, taking_part
from pmcycle.cycles.rules import Leftover
from pmcycle.people.models import User


def left_of_evaluations(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Evaluations that nobody has shared, and those that a side has not signed."""
    shared = Evaluation.objects.filter(participation=OuterRef("pk")).exclude(
        state=Evaluation.State.DRAFT
    )
    return [
        *leftover(
            "evaluations:unwritten",
            lambda n: ngettext(
                "%(n)d person has no evaluation to sign: it is not written or not shared.",
                "%(n)d people have no evaluation to sign: it is not written or not shared.",
                n,
            ),
            Participation.objects.filter(taking_part(cycle, ""), ~Exists(shared)),
            reader=reader,
            person="employee",
        ),
        *leftover(
            "evaluations:unsigned",
            lambda n: ngettext(
                "%(n)d evaluation is not signed by both sides.",
                "%(n)d evaluations are not signed by both sides.",
                n,
            ),
            Evaluation.objects.filter(taking_part(cycle), state=Evaluation.State.SHARED),
            reader=reader,
            person="participation__employee",
            url_name="evaluations:read",
        ),
    ]
