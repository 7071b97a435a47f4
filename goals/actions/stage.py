"""What the calendar of the cycle does with goals."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from goals.models import ChangeRequest, Goal
from pmcycle.activity.actions import record, tell_all
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.people.models import User


def open_objectives(cycle: Cycle) -> None:
    """The objectives stage opens: everybody who takes part is told once, in one set."""
    who = User.objects.filter(
        is_active=True,
        employee__participations__cycle=cycle,
        employee__participations__state=Participation.State.ACTIVE,
    ).values_list("pk", "employee__participations__pk")
    tell_all(
        cycle,
        who,
        title=_("Propose your goals for %(cycle)s") % {"cycle": cycle.name},
        url=reverse("goals:of", args=[0]).replace("0", "{n}"),
        key="goals.open:{n}",
        kind="goals:propose",
    )


def close_goals(cycle: Cycle) -> None:
    """Freeze the cycle's agreed goals with their result; changes that nobody answered lapse.

    Proposals stay as they are: nobody signs them any more, and they count nowhere. A result that no appraisal has
    fixed is fixed today. May be called again: closed goals keep theirs.
    """
    with transaction.atomic():
        cycle = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        now = timezone.now()
        ChangeRequest.objects.filter(goal__cycle=cycle, state=ChangeRequest.State.OPEN).update(
            state=ChangeRequest.State.LAPSED, ended_at=now, version=F("version") + 1
        )
        closed = Goal.objects.filter(cycle=cycle, state=Goal.State.AGREED).update(
            state=Goal.State.CLOSED,
            closed_at=now,
            measured_on=Coalesce("measured_on", Value(cycle.local_day(now))),
            version=F("version") + 1,
        )
        if closed:
            record("close_goals", cycle, by=None, goals=closed)


def end_goals(cycle: Cycle, _by: User) -> None:
    """When the cycle ends: what was agreed since the evaluation closed, with more time, is frozen as well."""
    close_goals(cycle)
