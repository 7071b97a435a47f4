"""A second person in HR approves a run, over what is open or held with a reason for each kind."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incentives.actions.guarding import TEAM, act_of, left_of_approval
from incentives.actions.holding import hold_run
from incentives.actions.leavers import leave_out_leavers
from incentives.actions.plans import hr_admins_but
from incentives.actions.recommending import last_act, manager_of, pools_of
from incentives.models import Approval, Pool, Run
from pmcycle.activity.actions import Tell, record, settle_cycle
from pmcycle.cycles.actions import accept_leftovers, link
from pmcycle.cycles.models import Participation
from pmcycle.errors import Refused, check_version
from pmcycle.people.models import User
from pmcycle.ui.formats import money_text


def approve(
    run: Run, *, accepted: Mapping[str, tuple[int, str]], version: int | None, by: User
) -> Run:
    """The second person in HR approves all amounts; from then on nothing changes.

    Refused to who calculated it, while a pool is overspent by all runs together, and to somebody whose own amount
    nobody above has recommended. What is open or held (`left_of_approval`) is accepted with a reason for each
    kind: `accepted`, by code. Who is left out follows in a supplementary run.
    """
    with transaction.atomic():
        locked = hold_run(run.pk)
        list(Pool.objects.select_for_update().filter(component__plan=locked.plan_id).order_by("pk"))
        check_version(locked, version)
        if locked.state != Run.State.RECOMMENDING:
            raise Refused(_("A run is approved once managers have recommended."))
        if locked.calculated_by_id == by.pk:
            raise Refused(_("You calculated this run. A second person in HR approves it."))
        newest = locked.plan.versions.order_by("-number").values_list("pk", flat=True).first()
        if locked.number == 1 and newest != locked.plan_version_id:
            raise Refused(
                _(
                    "The rules were published again after this run was calculated. Calculate it again."
                )
            )
        leavers = leave_out_leavers(locked, by=by)
        over = [row for row in pools_of(locked) if row["left"] < 0]
        if over:
            raise Refused(
                _("%(component)s is overspent by %(money)s. Take it back before approving.")
                % {
                    "component": over[0]["pool"].component.name,
                    "money": money_text(-over[0]["left"], over[0]["pool"].currency),
                }
            )
        _own_is_recommended(locked, by)
        leftovers = left_of_approval(locked, by)
        act = act_of("approve_run", locked)
        left = accept_leftovers(locked.plan.cycle, act, leftovers, accepted, by=by)
        locked.state, locked.approved_by, locked.approved_at = (
            Run.State.APPROVED,
            by,
            timezone.now(),
        )
        locked.waived = next((row["reason"] for row in left if row["code"] == TEAM), "")
        locked.version += 1
        locked.save()
        tells = [
            Tell(
                u.pk,
                _("A reward run is approved: release the statements"),
                link("incentives:run", pk=locked.plan.cycle_id),
                f"run-approved:{locked.pk}:{u.pk}",
            )
            for u in hr_admins_but(by)
        ]
        record(
            "approved",
            locked,
            by=by,
            stream=f"cycle:{locked.plan.cycle_id}",
            left=left,
            leavers=leavers,
            notify=tells,
        )
        # Sheets that nobody handed in or approved fall away: they are not done.
        settle_cycle("overtaken", locked.plan.cycle_id, by=by, apps=["incentives"])
    return locked


def _own_is_recommended(run: Run, by: User) -> None:
    """Nobody approves an amount of their own that no other person has stood for."""
    if by.employee_id is None:
        return
    own = Participation.objects.filter(
        employee=by.employee_id, awards__run=run, awards__amount__gt=0
    ).first()
    if own is None:
        return
    manager = manager_of(own)
    if manager is None or last_act(run, manager) not in (
        Approval.Act.SUBMITTED,
        Approval.Act.APPROVED,
    ):
        raise Refused(
            _(
                "Your own amount is in this run, and your manager has not handed it in. "
                "Let another person in HR approve."
            )
        )
