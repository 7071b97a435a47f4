"""What every verb about a reward run locks before it judges."""

from __future__ import annotations

from incentives.models import Run
from pmcycle.cycles.actions import lock_running


def hold_run(pk: int) -> Run:
    """The run with its plan and cycle, locked. Refused while its cycle does not run.

    The cycle first, as whoever closes it does: of the two one waits, and then finds what the other has done.
    """
    cycle = lock_running(Run.objects.values_list("plan__cycle", flat=True).get(pk=pk))
    run = Run.objects.select_for_update(of=("self",)).select_related("plan").get(pk=pk)
    run.plan.cycle = cycle
    return run
