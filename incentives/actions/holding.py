"""What every verb about a reward plan or run locks before it judges.

Always in this order: the cycle, the plan, its runs. The cycle first, as whoever closes it does: of the two one
waits, and then finds what the other has done.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from incentives.models import Plan, Run
from pmcycle.cycles.actions import lock_running
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Refused


def judge_planning(cycle: Cycle) -> None:
    """Raise what refuses any change of this cycle's reward plan, whatever is filled in; the pages ask the same."""
    if cycle.state not in (Cycle.State.DRAFT, Cycle.State.RUNNING):
        raise Refused(_("This cycle is closed. Its reward rules stay as they were."))


def hold_plan_of_open_cycle(pk: int) -> Plan:
    """The plan with its cycle and its runs, locked: none is approved meanwhile. Refused once the cycle is closed."""
    cycle = Cycle.objects.select_for_update(no_key=True).get(pk=_cycle_of(pk))
    judge_planning(cycle)
    plan = _hold(pk, cycle)
    list(Run.objects.select_for_update(of=("self",)).filter(plan=plan).order_by("pk"))
    return plan


def hold_plan(pk: int) -> Plan:
    """The plan with its cycle, locked before its runs are judged. Refused while its cycle does not run."""
    return _hold(pk, lock_running(_cycle_of(pk)))


def _cycle_of(plan_id: int) -> int:
    return Plan.objects.values_list("cycle", flat=True).get(pk=plan_id)


def _hold(pk: int, cycle: Cycle) -> Plan:
    plan = Plan.objects.select_for_update(of=("self",)).get(pk=pk)
    plan.cycle = cycle
    return plan


def hold_run(pk: int) -> Run:
    """The run with its plan and cycle, locked. Refused while its cycle does not run."""
    cycle = lock_running(Run.objects.values_list("plan__cycle", flat=True).get(pk=pk))
    run = Run.objects.select_for_update(of=("self",)).select_related("plan").get(pk=pk)
    run.plan.cycle = cycle
    return run
