"""The rows that a verb locks before it judges them, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from pmcycle.activity.actions import Tell
from pmcycle.cycles.actions.work import link
from pmcycle.cycles.models import (
    Cycle,
    Participation,
    Stage,
)
from pmcycle.errors import Refused, check_version
from pmcycle.people.models import User


def lock_draft(cycle: Cycle) -> Cycle:
    """The locked cycle, which must still be a draft: what is launched is frozen."""
    locked = Cycle.objects.select_for_update().get(pk=cycle.pk)
    if locked.state != Cycle.State.DRAFT:
        raise Refused(_("“%s” has been launched. What people rely on is frozen now.") % locked.name)
    return locked


def lock_running(cycle_id: int) -> Cycle:
    """The locked cycle, which must run. Without its key: what is written in the cycle meanwhile may still be
    committed, because whoever closes a stage waits for it."""
    cycle = Cycle.objects.select_for_update(no_key=True).get(pk=cycle_id)
    refuse_unless_running(cycle)
    return cycle


def refuse_unless_running(cycle: Cycle) -> None:
    if cycle.state == Cycle.State.DRAFT:
        raise Refused(_("This cycle has not been launched yet."))
    if cycle.state != Cycle.State.RUNNING:
        raise Refused(_("This cycle is closed."))


def refuse_unless_taking_part(participation: Participation) -> None:
    """They take part, in a running cycle."""
    refuse_unless_running(participation.cycle)
    refuse_if_left(participation)


def refuse_if_left(participation: Participation) -> None:
    """What stands about somebody who has left is frozen, in every app, until they are brought back."""
    if participation.state != Participation.State.ACTIVE:
        raise Refused(
            _("%s has left this cycle; what was written is frozen.") % participation.employee.name
        )


def refuse_unless_left(participation: Participation) -> None:
    """They have left a cycle that runs on."""
    refuse_unless_running(participation.cycle)
    if participation.state != Participation.State.LEFT:
        raise Refused(_("%s takes part.") % participation.employee.name)


def lock_stages(cycle: Cycle) -> list[Stage]:
    return list(cycle.stages.select_for_update().order_by("position"))


def hold_people(cycle: Cycle) -> None:
    """Wait for whoever writes in the cycle at this moment, and let nobody begin until this transaction ends.

    For what ends or opens something for everybody at once. Who writes for one person holds their participation
    first and then judges, so they find what was done here. The cycle is locked first, so that of two of these
    one waits before it holds anybody; always in one order.
    """
    Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
    people = cycle.participations.select_for_update(of=("self",), no_key=True).order_by("pk")
    # Read to the end, but kept nowhere: locked are the rows, not the numbers.
    for _pk in people.values_list("pk", flat=True).iterator(chunk_size=10_000):
        pass


def hold_person(pk: int) -> Participation:
    """The participation, read once it is ours, with its cycle and person as they are then.

    In the statement that locks it, what is joined is as it was before the wait.
    """
    Participation.objects.select_for_update(no_key=True).only("pk").get(pk=pk)
    return Participation.objects.select_related("cycle", "employee").get(pk=pk)


def hold_taking_part(pk: int) -> Participation:
    """The same of somebody who has not left, for acts about a person that lock nothing else of theirs first."""
    held = hold_person(pk)
    refuse_if_left(held)
    return held


def lock_participation(
    participation: Participation,
    version: int | None,
    judge: Callable[[Participation], None] = refuse_unless_taking_part,
) -> Participation:
    """The participation under its cycle's and its own lock, judged: by default it is active in a running cycle."""
    Cycle.objects.select_for_update(no_key=True).get(pk=participation.cycle_id)
    locked = (
        Participation.objects.select_for_update(of=("self",))
        .select_related("cycle", "employee")
        .get(pk=participation.pk)
    )
    check_version(locked, version)
    judge(locked)
    locked.version += 1
    locked.save(update_fields=["version"])
    return locked


def tell_person(participation: Participation, title: str, key: str) -> list[Tell]:
    user = User.objects.filter(employee=participation.employee_id, is_active=True).first()
    url = link("cycles:detail", pk=participation.cycle_id)
    return [Tell(user.pk, title, url, f"{key}:{user.pk}")] if user else []
