"""What the stage of incentive control would leave open or held."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incentives.actions.supplementing import last_said, not_in_a_run
from incentives.models import (
    Approval,
    Award,
    Plan,
    PlanVersion,
    RestraintEntry,
    Rule,
    Run,
    Statement,
)
from pmcycle.cycles.actions import leftover
from pmcycle.cycles.models import Assignment, Cycle, Participation, here_today, taking_part
from pmcycle.cycles.rules import Leftover
from pmcycle.people.models import Employee, User

HALF_WAY = (Run.State.CALCULATED, Run.State.RECOMMENDING, Run.State.APPROVED)


def left_of_incentives(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Everything of the stage that is open or held, in the order in which it is settled."""
    return [
        *_unpublished(cycle, reader),
        *_uncalculated(cycle, reader),
        *left_sheets(cycle, reader),
        *left_restraints(cycle, reader),
        *_half_way(cycle, reader),
        *_left_out(cycle, reader),
        *_held(cycle, reader),
        *_unread(cycle, reader),
    ]


def _unpublished(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Rules that were written, for the first time or anew, and that no second person has published."""
    written = Rule.objects.filter(component__plan=OuterRef("pk"))
    rows = Plan.objects.filter(
        Exists(written), cycle=cycle, published_by__isnull=True, drafted_by__isnull=False
    )
    return leftover(
        "incentives:unpublished",
        lambda _n: _("Reward rules are written and not published: a second person publishes them."),
        rows,
        reader=reader,
        name="cycle__name",
        url_name="incentives:plan",
        pk="cycle_id",
    )


def _uncalculated(cycle: Cycle, reader: User | None) -> list[Leftover]:
    published = PlanVersion.objects.filter(plan=OuterRef("pk"))
    calculated = Run.objects.filter(plan=OuterRef("pk")).exclude(state=Run.State.DRAFT)
    rows = Plan.objects.filter(Exists(published), ~Exists(calculated), cycle=cycle)
    return leftover(
        "incentives:uncalculated",
        lambda _n: _("Rules are published and nothing is calculated: nobody gets a reward."),
        rows,
        reader=reader,
        name="cycle__name",
        url_name="incentives:run",
        pk="cycle_id",
    )


def left_sheets(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Managers who have not handed in their recommendations, or got them back: whoever leads somebody in the run now,
    whether or not they take part."""
    run = Run.objects.filter(plan__cycle=cycle, state=Run.State.RECOMMENDING)
    act = (
        Approval.objects.filter(run__in=run, manager=OuterRef("pk"))
        .order_by("-pk")
        .values("act")[:1]
    )
    led = Assignment.objects.current().filter(
        here_today("manager", "participation__cycle"),
        manager=OuterRef("pk"),
        participation__awards__run__in=run,
        participation__awards__ineligible_why="",
        participation__state=Participation.State.ACTIVE,
    )
    rows = (
        Employee.objects.filter(Exists(led))
        .annotate(act=Subquery(act), cycle=Subquery(run.values("plan__cycle")[:1]))
        .filter(Q(act__isnull=True) | Q(act=Approval.Act.RETURNED))
    )
    return leftover(
        "incentives:sheets",
        lambda n: ngettext(
            "%(n)d manager has not handed in recommendations.",
            "%(n)d managers have not handed in recommendations.",
            n,
        ),
        rows,
        reader=reader,
        name="name",
        sort="sort_name",
        url_name="incentives:run",
        pk="cycle",
    )


def left_restraints(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Entries that would restrain a reward and are not decided, answered or not."""
    rows = RestraintEntry.objects.filter(taking_part(cycle), state=RestraintEntry.State.PROPOSED)
    return leftover(
        "incentives:restraint",
        lambda n: ngettext(
            "%(n)d entry that would restrain a reward is not decided.",
            "%(n)d entries that would restrain a reward are not decided.",
            n,
        ),
        rows,
        reader=reader,
        person="participation__employee",
        url_name="incentives:restraint",
        refuses_end=True,
    )


def _half_way(cycle: Cycle, reader: User | None) -> list[Leftover]:
    rows = Run.objects.filter(plan__cycle=cycle, state__in=HALF_WAY)
    return leftover(
        "incentives:run",
        lambda _n: _("A reward run is calculated and its statements are not released."),
        rows,
        reader=reader,
        name="plan__cycle__name",
        url_name="incentives:run",
        pk="plan__cycle_id",
        refuses=True,
    )


def _left_out(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """For whom an approved run could not say anything, and who joined after it: no run has followed for them."""
    plan = Plan.objects.filter(cycle=cycle, runs__in=Run.objects.approved()).first()
    if plan is None:
        return []
    out = last_said(plan).left_out().values("participation")
    rows = Participation.objects.filter(Q(pk__in=out) | Q(pk__in=not_in_a_run(plan).values("pk")))
    return leftover(
        "incentives:left_out",
        lambda n: ngettext(
            "%(n)d person is left out of the reward runs: open a supplementary run.",
            "%(n)d people are left out of the reward runs: open a supplementary run.",
            n,
        ),
        rows,
        reader=reader,
        person="employee",
        without_own=True,
    )


def _held(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Amounts that are not paid yet. Nobody learns of their own before they read the statement."""
    rows = Award.objects.filter(run__plan__cycle=cycle, is_held=True).exclude(
        run__state__in=Run.OPEN
    )
    if reader and reader.employee_id:
        rows = rows.exclude(
            run__state=Run.State.APPROVED, participation__employee=reader.employee_id
        )
    return leftover(
        "incentives:held",
        lambda n: ngettext(
            "%(n)d amount is held and not paid.", "%(n)d amounts are held and not paid.", n
        ),
        rows,
        reader=reader,
        person="participation__employee",
        url_name="incentives:award",
    )


def _unread(cycle: Cycle, reader: User | None) -> list[Leftover]:
    rows = Statement.objects.filter(taking_part(cycle), acknowledged_at__isnull=True)
    return leftover(
        "incentives:unread",
        lambda n: ngettext(
            "%(n)d person has not acknowledged the reward statement.",
            "%(n)d people have not acknowledged their reward statements.",
            n,
        ),
        rows,
        reader=reader,
        person="participation__employee",
        url_name="incentives:statement",
    )
