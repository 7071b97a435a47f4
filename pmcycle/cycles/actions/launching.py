"""A draft becomes a running cycle: once, all or nothing, in sets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions import (
    Step,
    asked_for,
    enqueue,
    in_parts,
    kind_of,
    no_step,
    record,
    settle_cycle,
    tell_all,
)
from pmcycle.activity.models import Job, JobQuerySet, Notice
from pmcycle.cycles.actions.checking import check
from pmcycle.cycles.actions.lines import CHAIN, FROM_LINES, LINKS_AND_MANAGERS, PARTICIPATIONS
from pmcycle.cycles.actions.locking import lock_stages
from pmcycle.cycles.actions.stages import open_and_close
from pmcycle.cycles.actions.work import link, stage_work
from pmcycle.cycles.models import (
    Cycle,
    population,
)
from pmcycle.errors import Refused
from pmcycle.people.models import User

# All lines of a launch stand in the cycle's own stream: one chain to lock, however many people.
EVENTS = """
INSERT INTO activity_event
  (stream, seq, at, verb, actor_id, about_id, subject_kind, subject_id, data, request_id, previous_hash, hash)
SELECT 'cycle:' || p.cycle_id, 0, %(now)s, 'takes_part', %(by)s, p.employee_id, 'cycles.participation', p.id,
  jsonb_build_object('unit', p.unit_id, 'grade', p.grade, 'title', p.job_title), '', '', ''
FROM cycles_participation p WHERE p.cycle_id = %(cycle)s ORDER BY p.id
"""


LAUNCH = "launch"

# Frozen, line above written, history written, stages prepared, stages opened, people told.
PARTS_OF_LAUNCH = 6


def request_launch(cycle: Cycle, *, by: User) -> Job:
    """Hand the launch to a worker, if the check lets it through now. Pressed twice, it is one job.

    Who presses after the others finds the launch they asked for, also where it has just been done.
    """
    with transaction.atomic():
        if known := asked_for(LAUNCH, cycle):
            return known
        draft = Cycle.objects.get(pk=cycle.pk)
        if draft.state != Cycle.State.DRAFT:
            raise Refused(_("“%s” has been launched already.") % draft.name)
        people = population(draft, draft.local_day(timezone.now()))
        found = check(draft, people=people)
        if found.errors or found.unsettled:
            raise Refused(_("The check has findings that are not settled yet."))
        url = link("home:board", pk=draft.pk) or link("cycles:detail", pk=draft.pk)
        return enqueue(LAUNCH, draft, by=by, total=people.count(), url=url)


def work_on_launch(cycle: Cycle, reader: User) -> JobQuerySet:
    """The launch that waits, runs or has failed, as far as the reader may see it."""
    wanted = Q(state=Cycle.State.DRAFT)
    return Job.objects.visible_to(reader).on(
        LAUNCH, Cycle.objects.filter(pk=cycle.pk), wanted=wanted
    )


def launch(cycle: Cycle, *, by: User, now: datetime | None = None, step: Step = no_step) -> Cycle:
    """Start a draft that passed the check: freeze who takes part and open what is due.

    All or nothing, in a number of statements that does not depend on how many take part. Refused if
    it was launched already, if the check has an error or a warning that nobody has accepted.
    """
    now = now or timezone.now()
    with transaction.atomic():
        locked = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        if locked.state != Cycle.State.DRAFT:
            raise Refused(_("“%s” has been launched already.") % locked.name)
        day = locked.local_day(now)
        people = population(locked, day)
        stages = lock_stages(locked)
        found = check(locked, on=day, people=people, stages=stages)
        if found.errors:
            sentences = " ".join(f.sentence for f in found.errors[:3])
            raise Refused(_("The check refuses the launch: %s") % sentences)
        if found.unsettled:
            raise Refused(
                _("A warning has not been accepted yet: %s") % found.unsettled[0].sentence
            )
        locked.state, locked.launched_at, locked.launched_by = Cycle.State.RUNNING, now, by
        locked.version += 1
        locked.save(update_fields=["state", "launched_at", "launched_by", "version"])
        sql, params = people.order_by().values("pk").query.sql_with_params()
        values: dict[str, Any] = {
            "cycle": locked.pk,
            "day": day,
            "only": None,
            "now": now,
            "by": by.pk,
        }
        with connection.cursor() as cursor:
            cursor.execute(
                PARTICIPATIONS.format(population=sql), [locked.pk, locked.first_day, day, *params]
            )
            count = cursor.rowcount
            part = in_parts(step, count, PARTS_OF_LAUNCH)
            # What was written a moment ago is unknown to the planner, which would walk through it row by row.
            cursor.execute("ANALYZE cycles_participation")
            part()
            cursor.execute(CHAIN.format(first=FROM_LINES, insert=LINKS_AND_MANAGERS), values)
            cursor.execute("ANALYZE cycles_assignment")
            part()
            cursor.execute(EVENTS, values)
            part()
            for work in stage_work().values():
                for freeze in work.launches:
                    freeze(locked)
            part()
            record("launched", locked, by=by, stream=f"cycle:{locked.pk}", people=count)
            open_and_close(stages, day)
            settle_cycle("launched", locked, by=by, at=now)
            part()
            _tell_of_it(locked)
            part()
    return locked


def _tell_of_it(cycle: Cycle) -> None:
    """Whom a stage that opened at once has told of their task has heard of the cycle by it."""
    # Not EXISTS: for the planner nobody has heard of it yet, so that it would compare each with each.
    heard = Notice.objects.filter(subject_kind=kind_of(cycle), subject_id=cycle.pk).values(
        "recipient"
    )
    who = User.objects.filter(is_active=True, employee__participations__cycle=cycle).exclude(
        pk__in=heard
    )
    tell_all(
        cycle,
        who.values_list("pk", "pk"),
        title=_("“%s” has begun: see your dates") % cycle.name,
        url=link("cycles:detail", pk=cycle.pk),
        key=f"launched:{cycle.pk}:{{n}}",
        kind="launched",
    )
