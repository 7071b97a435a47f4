"""Stages open and close, by the clock and by hand; the cycle ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pmcycle.activity.actions import Tell, record, settle_cycle, tell
from pmcycle.cycles import rules
from pmcycle.cycles.actions.departures import follow_departures
from pmcycle.cycles.actions.leaving import (
    accept_leftovers,
    leftovers_of_cycle,
    leftovers_of_stage,
    refuse_what_is_not_read,
)
from pmcycle.cycles.actions.lines import refresh_chains
from pmcycle.cycles.actions.locking import (
    hold_people,
    lock_running,
    lock_stages,
    refuse_unless_running,
)
from pmcycle.cycles.actions.work import link, stage_work
from pmcycle.cycles.models import (
    Cycle,
    Participation,
    Stage,
)
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import User, hr_admins

log = structlog.get_logger()

TITLE = 200


def open_due(now: datetime | None = None) -> int:
    """Open and close what is due in every running cycle; how many stages changed. For the clock.

    Before that, whoever has left the company by then is frozen, so that no stage opens for them.
    Each cycle is its own transaction under a lock on its row; one that another worker holds is left
    to it. What fails in one cycle is logged and does not hold up the others.
    """
    now = now or timezone.now()
    changed = 0
    for pk in Cycle.objects.filter(state=Cycle.State.RUNNING).values_list("pk", flat=True):
        try:
            with transaction.atomic():
                cycle = (
                    Cycle.objects.select_for_update(skip_locked=True, no_key=True)
                    .filter(pk=pk, state=Cycle.State.RUNNING)
                    .first()
                )
                if cycle is None:
                    continue
                day = cycle.local_day(now)
                moved = follow_departures(cycle, day)
                done = open_and_close(lock_stages(cycle), day)
                moved += refresh_chains(cycle, day)
                # Whose own day has passed has missed it, whatever else the day brought.
                if done or moved:
                    verb = "stage_closed" if "stage_closed" in done else "day_turned"
                    settle_cycle(verb, cycle, by=None, at=now)
                changed += len(done)
        except Exception:
            log.exception("stages could not be opened", cycle=pk)
    return changed


def open_and_close(stages: Sequence[Stage], day: date) -> list[str]:
    """Open what has come, then close what is over, in the transaction that holds the cycle's rows.

    The verbs of what was done; the caller settles what is open in the cycle, once for all of it.
    """
    changed = []
    for stage in stages:
        if rules.should_open(stage.dates, day):
            _open(stage, by=None)
            changed.append("stage_opened")
    for stage, following in zip(stages, [*stages[1:], None], strict=True):
        after = following.dates if following else None
        if not rules.should_close(stage.dates, after, day):
            continue
        latest = stage.extensions.filter(participation__state=Participation.State.ACTIVE).aggregate(
            m=Max("due_on")
        )["m"]
        if rules.should_close(stage.dates, after, day, latest):
            try:
                with transaction.atomic():
                    _close_by_date(stage)
                    changed.append("stage_closed")
            except Refused as why:
                log.info("stage stays open", stage=stage.pk, why=why.reason)
                _tell_hr(stage, _("%(stage)s is over and stays open: %(why)s"), why.reason)
    return changed


def _close_by_date(stage: Stage) -> None:
    """The day that HR set has passed. What is left stays in the event, and HR is told how much."""
    hold_people(stage.cycle)
    left = leftovers_of_stage(stage, None)
    for one in left:
        if one.refuses:
            raise Refused(one.title)
    _close(stage, by=None, left=[{"code": one.code, "count": one.count} for one in left])
    if left:
        _tell_hr(
            stage, _("%(stage)s closed on its day. %(why)s"), " ".join(one.title for one in left)
        )


def _tell_hr(stage: Stage, title: str, why: str) -> None:
    """Once for each time the stage was opened, however often the clock comes by."""
    words = title % {"stage": stage, "why": why}
    shown = words if len(words) <= TITLE else words[: TITLE - 1].rstrip() + "…"
    state = "closed" if stage.state == Stage.State.CLOSED else "stays"
    url = link("cycles:close", pk=stage.cycle_id)
    key = f"stage:{stage.pk}:v{stage.version}:{state}"
    tell(
        stage, [Tell(user.pk, shown, url, f"{key}:{user.pk}", kind="stage") for user in hr_admins()]
    )


def _open(stage: Stage, *, by: User | None, reason: str = "") -> None:
    stage.state = Stage.State.OPEN
    stage.version += 1
    stage.save(update_fields=["state", "version", "due_on"])
    for step in stage_work()[stage.kind].opens:
        step(stage.cycle)
    record(
        "stage_opened",
        stage,
        by=by,
        stream=f"cycle:{stage.cycle_id}",
        kind=stage.kind,
        reason=reason,
    )


def _close(
    stage: Stage, *, by: User | None, reason: str = "", left: Sequence[dict[str, Any]] = ()
) -> None:
    for step in stage_work()[stage.kind].closes:
        step(stage.cycle)
    Stage.objects.filter(pk=stage.pk).update(state=Stage.State.CLOSED, version=F("version") + 1)
    stage.state = Stage.State.CLOSED
    record(
        "stage_closed",
        stage,
        by=by,
        stream=f"cycle:{stage.cycle_id}",
        kind=stage.kind,
        reason=reason,
        left=list(left),
    )


def _lock_stage(stage: Stage, version: int | None, asked: Sequence[str] = ()) -> Stage:
    """The stage under its cycle's and its own lock; the cycle runs."""
    lock_running(stage.cycle_id)
    locked = Stage.objects.select_for_update(of=("self",)).select_related("cycle").get(pk=stage.pk)
    check_version(locked, version, tuple(asked))
    return locked


def judge_opening(stage: Stage, *, due_on: date | None = None) -> None:
    """Raise what refuses that this stage opens by hand; the page asks the same, without a day yet."""
    refuse_unless_running(stage.cycle)
    if stage.state == Stage.State.OPEN:
        raise Refused(_("%s is open already.") % stage)
    if due_on is None:
        return
    if due_on < stage.cycle.local_day(timezone.now()):
        raise Invalid("due_on", _("Give a due day that is still to come."))
    if stage.opens_on > due_on:
        raise Invalid("due_on", _("A stage opens before it is due."))


def open_stage(
    stage: Stage, *, due_on: date | None, reason: str, version: int | None, by: User
) -> Stage:
    """Open a stage by hand, early or again. A stage that was over needs a due day to come."""
    with transaction.atomic():
        locked = _lock_stage(stage, version, ("due_on",))
        judge_opening(locked, due_on=due_on or locked.due_on)
        locked.due_on = due_on or locked.due_on
        _open(locked, by=by, reason=reason)
        settle_cycle("stage_opened", locked.cycle, by=by)
    return locked


def judge_closing(stage: Stage) -> None:
    """Raise what refuses that this stage closes by hand; the page asks the same."""
    refuse_unless_running(stage.cycle)
    if stage.state != Stage.State.OPEN:
        raise Refused(_("%s is not open.") % stage)


def close_stage(
    stage: Stage,
    *,
    reason: str,
    accepted: Mapping[str, tuple[int, str]],
    version: int | None,
    by: User,
) -> Stage:
    """Close an open stage by hand. What is left is accepted with a reason for each kind, or refuses."""
    with transaction.atomic():
        locked = _lock_stage(stage, version)
        judge_closing(locked)
        hold_people(locked.cycle)
        act = f"close_stage:{locked.kind}"
        leftovers = leftovers_of_stage(locked, by)
        left = accept_leftovers(locked.cycle, act, leftovers, accepted, by=by)
        refuse_what_is_not_read(leftovers_of_stage(locked, None), leftovers)
        _close(locked, by=by, reason=reason, left=left)
        settle_cycle("stage_closed", locked.cycle, by=by)
    return locked


def judge_postponing(stage: Stage, *, due_on: date | None = None) -> None:
    """Raise what refuses another due day for everybody; the page asks the same, without a day yet."""
    refuse_unless_running(stage.cycle)
    if stage.state == Stage.State.CLOSED:
        raise Refused(_("%s is closed. Open it again with a new due day.") % stage)
    if due_on is not None and due_on < max(stage.cycle.local_day(timezone.now()), stage.opens_on):
        raise Invalid("due_on", _("Give a due day that is still to come, after the stage opens."))


def postpone_stage(
    stage: Stage, *, due_on: date, reason: str, version: int | None, by: User
) -> Stage:
    """Give everybody another due day in a stage that is not closed."""
    with transaction.atomic():
        locked = _lock_stage(stage, version, ("due_on",))
        judge_postponing(locked, due_on=due_on)
        old, locked.due_on = locked.due_on, due_on
        locked.version += 1
        locked.save(update_fields=["due_on", "version"])
        record(
            "stage_postponed",
            locked,
            by=by,
            stream=f"cycle:{locked.cycle_id}",
            kind=locked.kind,
            reason=reason,
            old=old.isoformat(),
            new=due_on.isoformat(),
        )
        settle_cycle("stage_postponed", locked.cycle_id, by=by)
    return locked


def judge_end(cycle: Cycle) -> None:
    """Raise what refuses that this cycle ends, whatever is accepted; the page asks the same."""
    refuse_unless_running(cycle)
    planned = [str(s) for s in cycle.stages.filter(state=Stage.State.PLANNED)]
    if planned:
        words = ngettext("%s has not opened yet.", "%s have not opened yet.", len(planned))
        raise Refused(
            words % _(" and ").join(planned)
            + " "
            + _("Open it on the board first: what stays undone in it is then named here.")
        )


def close(
    cycle: Cycle, *, accepted: Mapping[str, tuple[int, str]], version: int | None, by: User
) -> Cycle:
    """End a running cycle, its open stages with it. What is left in any stage is accepted with a reason, or refuses."""
    with transaction.atomic():
        locked = lock_running(cycle.pk)
        check_version(locked, version)
        judge_end(locked)
        hold_people(locked)
        leftovers = leftovers_of_cycle(locked, by)
        left = accept_leftovers(locked, "close", leftovers, accepted, by=by)
        refuse_what_is_not_read(leftovers_of_cycle(locked, None), leftovers)
        for stage in lock_stages(locked):
            if stage.state == Stage.State.OPEN:
                _close(stage, by=by)
        for work in stage_work().values():
            for step in work.ends:
                step(locked, by)
        locked.state, locked.closed_at = Cycle.State.CLOSED, timezone.now()
        locked.version += 1
        locked.save(update_fields=["state", "closed_at", "version"])
        record("closed", locked, by=by, stream=f"cycle:{locked.pk}", left=left)
        settle_cycle("closed", locked, by=by)
    return locked


def archive(cycle: Cycle, *, version: int | None, by: User) -> Cycle:
    """Put a closed cycle out of the way; everything stays readable."""
    with transaction.atomic():
        locked = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        check_version(locked, version)
        if locked.state != Cycle.State.CLOSED:
            raise Refused(_("Only a closed cycle can be archived."))
        locked.state = Cycle.State.ARCHIVED
        locked.version += 1
        locked.save(update_fields=["state", "version"])
        record("archived", locked, by=by, stream=f"cycle:{locked.pk}")
    return locked
