"""Who left after the amounts were calculated gets none of them."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from incentives.models import Award, AwardLine, Run
from pmcycle.activity.actions import Line, record_each
from pmcycle.cycles.actions import follow_departures
from pmcycle.cycles.models import Participation
from pmcycle.people.models import User

LEFT = "left"


def leave_out_leavers(run: Run, *, by: User) -> int:
    """Take back the awards of those who have left since they were calculated; how many awards.

    As the calculation would today: nothing, with the cause "left". The line in force is reversed, the
    amount goes back to its pool and shows there as left over; others keep what they have. Called under
    the lock of the run, before it is approved or released, in a constant number of statements.
    """
    cycle = run.plan.cycle
    follow_departures(cycle, cycle.local_day(timezone.now()))
    rows = list(
        Award.objects.select_for_update(of=("self",))
        .filter(run=run, participation__state=Participation.State.LEFT)
        .exclude(ineligible_why=LEFT)
        .select_related("participation")
        .order_by("pk")
    )
    if not rows:
        return 0
    reversal = AwardLine.objects.filter(reverses=OuterRef("pk"))
    in_force = AwardLine.objects.filter(
        ~Exists(reversal), award__in=[row.pk for row in rows]
    ).exclude(kind=AwardLine.Kind.REVERSAL)
    AwardLine.objects.bulk_create(
        AwardLine(
            award_id=line.award_id,
            kind=AwardLine.Kind.REVERSAL,
            amount=-line.amount,
            reverses=line,
            reason=_("has left"),
            by=by,
        )
        for line in in_force.order_by("pk")
    )
    none = Decimal(0)
    Award.objects.filter(pk__in=[row.pk for row in rows]).update(
        ineligible_why=LEFT,
        amount=none,
        guideline=none,
        low=none,
        high=none,
        is_held=False,
        is_outside=False,
        version=F("version") + 1,
    )
    record_each(
        "award_left_out",
        [Line(row, row.participation.employee_id, (), {"cause": LEFT}) for row in rows],
        by=by,
    )
    return len(rows)
