"""One person's way apart: more time, another manager, joining late."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions import Tell, record
from pmcycle.cycles import rules
from pmcycle.cycles.actions.lines import (
    CHAIN,
    FROM_LINES,
    LINKS_AND_MANAGERS,
    PARTICIPATIONS,
    refresh_chains,
)
from pmcycle.cycles.actions.locking import (
    lock_participation,
    lock_running,
    refuse_unless_running,
    refuse_unless_taking_part,
    tell_person,
)
from pmcycle.cycles.actions.work import lay_out_for, link, stage_work
from pmcycle.cycles.models import (
    Assignment,
    ChainLink,
    Cycle,
    Extension,
    Participation,
    Stage,
)
from pmcycle.errors import Invalid
from pmcycle.people.models import Employee, User


def stages_with_more_time(cycle: Cycle) -> QuerySet[Stage]:
    """The stages in which more time for one person does something: not those that have closed and are done for
    everybody at once, where it would only change a day."""
    whole = [kind for kind, work in stage_work().items() if not work.is_for_one]
    return cycle.stages.exclude(kind__in=whole, state=Stage.State.CLOSED)


def judge_extension(participation: Participation, stage: Stage, *, due_on: date) -> None:
    """Raise what refuses this extension today; the preview asks the same as the act."""
    refuse_unless_taking_part(participation)
    if stage.state == Stage.State.CLOSED and not stage_work()[stage.kind].is_for_one:
        raise Invalid(
            "stage",
            _("%s is closed and is done for everybody at once. Open the stage again.") % stage,
        )
    today = participation.cycle.local_day(timezone.now())
    if fault := rules.fault_of_extension(due_on, stage.dates, today):
        raise Invalid("due_on", fault)


def extend(
    participation: Participation,
    stage: Stage,
    *,
    due_on: date,
    reason: str,
    version: int | None,
    by: User,
) -> Extension:
    """Give one person more time in one stage, also after it has closed for the others.

    Until that day they, and who writes about them, may do the stage's work. A second extension
    replaces the day, and both are in the trail.
    """
    with transaction.atomic():
        # Whatever opens, closes or postpones a stage holds the cycle, so its days stand still here.
        locked = lock_participation(participation, version)
        stage = Stage.objects.get(pk=stage.pk, cycle=locked.cycle_id)
        judge_extension(locked, stage, due_on=due_on)
        extension, _made = Extension.objects.update_or_create(
            participation=locked,
            stage=stage,
            defaults={"due_on": due_on, "reason": reason, "by": by},
        )
        if stage.state == Stage.State.CLOSED:
            for step in stage_work()[stage.kind].extends:
                step(locked)
        record(
            "extended",
            locked,
            by=by,
            about=locked.employee,
            stage=stage.kind,
            due_on=due_on.isoformat(),
            reason=reason,
            notify=tell_person(
                locked,
                _("You have more time for %s") % stage,
                f"extended:{locked.pk}:{locked.version}",
            ),
        )
    return extension


def _judge_hands(
    participation: Participation, manager: Employee, last: Assignment | None, by: User
) -> None:
    """Raise what refuses that `by` says who leads somebody: whoever leads rates, and recommends money.

    As in the record, nobody hands people to or from themselves.
    """
    me = by.employee_id
    if me is None:
        return
    if manager.pk == me:
        raise Invalid("manager", _("Who reports to you is for somebody else in HR to say."))
    if last and last.manager_id == me:
        raise Invalid(
            "manager", _("You lead this person. Who leads them is for somebody else in HR to say.")
        )


def judge_transfer(
    participation: Participation, manager: Employee, *, on: date, last: Assignment | None, by: User
) -> None:
    """Raise what refuses this transfer today; `last` is the newest assignment. The preview asks the same."""
    refuse_unless_taking_part(participation)
    _judge_hands(participation, manager, last, by)
    cycle, day = participation.cycle, participation.cycle.local_day(timezone.now())
    if manager.pk == participation.employee_id:
        raise Invalid("manager", _("Nobody is their own manager."))
    if not manager.is_working(max(on, day)):
        raise Invalid("manager", _("%s does not work here on that day.") % manager.name)
    if _is_below(manager, participation, day):
        raise Invalid(
            "manager",
            _("%s reports to this person, so the line would close on itself.") % manager.name,
        )
    if last and last.manager_id == manager.pk and last.ends_on is None:
        raise Invalid("manager", _("%s is the manager already.") % manager.name)
    # A cycle may be launched before its first day, and then somebody leads from the launch on.
    began = (
        min(cycle.first_day, cycle.local_day(cycle.launched_at))
        if cycle.launched_at
        else cycle.first_day
    )
    last_began = last.starts_on if last else None
    if fault := rules.fault_of_transfer_day(on, began=began, last_began=last_began):
        raise Invalid("on", fault)


def transfer(
    participation: Participation,
    manager: Employee,
    *,
    on: date,
    reason: str,
    version: int | None,
    by: User,
) -> Assignment:
    """Hand a person over to another manager from a day on.

    The former manager keeps what they wrote; the new one starts forms of their own. The line above
    is rewritten on the day itself. On the very day on which the former one began, the new one takes
    their place: nobody leads for less than a day.
    """
    with transaction.atomic():
        locked = lock_participation(participation, version)
        day = locked.cycle.local_day(timezone.now())
        last = locked.assignments.select_for_update().order_by("-starts_on").first()
        judge_transfer(locked, manager, on=on, last=last, by=by)
        former = last.manager if last else None
        assignment: Assignment
        if last and last.starts_on == on:
            last.manager, last.ends_on = manager, None
            last.save(update_fields=["manager", "ends_on"])
            assignment = last
        else:
            if last and (last.ends_on is None or last.ends_on >= on):
                last.ends_on = on - timedelta(days=1)
                last.save(update_fields=["ends_on"])
            assignment = Assignment.objects.create(
                participation=locked, manager=manager, starts_on=on
            )
        refresh_chains(locked.cycle, day, only=locked)
        key = f"transfer:{assignment.pk}:{locked.version}"
        tells = tell_person(locked, _("You have a new manager in “%s”") % locked.cycle.name, key)
        url = link("cycles:detail", pk=locked.cycle_id)
        for person, title in (
            (manager, _("%(name)s is on your team in “%(cycle)s”")),
            (former, _("%(name)s has another manager in “%(cycle)s”")),
        ):
            user = User.objects.filter(employee=person, is_active=True).first() if person else None
            if user:
                words = title % {"name": locked.employee.name, "cycle": locked.cycle.name}
                tells.append(Tell(user.pk, words, url, f"{key}:{user.pk}"))
        record(
            "transferred",
            locked,
            by=by,
            about=locked.employee,
            notify=tells,
            on=on.isoformat(),
            reason=reason,
            manager=manager.pk,
            former=former.pk if former else None,
        )
    return assignment


def _is_below(manager: Employee, participation: Participation, day: date) -> bool:
    """Whether the person stands above the manager, in this cycle or in the reporting lines of the day."""
    if ChainLink.objects.filter(
        participation__cycle=participation.cycle_id,
        participation__employee=manager,
        above=participation.employee_id,
    ).exists():
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE up(above) AS (
              SELECT %(manager)s::bigint
              UNION
              SELECT r.manager_id FROM up JOIN people_reportingline r ON r.employee_id = up.above
                AND r.kind = 'line' AND r.starts_on <= %(day)s AND (r.ends_on IS NULL OR r.ends_on >= %(day)s)
            ) SELECT EXISTS (SELECT 1 FROM up WHERE above = %(person)s)
            """,
            {"manager": manager.pk, "person": participation.employee_id, "day": day},
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def judge_addition(cycle: Cycle, employee: Employee, *, starts_on: date, by: User) -> None:
    """Raise what refuses that this person joins the cycle today; the preview asks the same."""
    refuse_unless_running(cycle)
    if employee.pk == by.employee_id:
        raise Invalid("employee", _("Somebody else adds you."))
    if not employee.is_working(cycle.local_day(timezone.now())):
        raise Invalid("employee", _("%s does not work here today.") % employee.name)
    if not cycle.first_day <= starts_on <= cycle.last_day:
        raise Invalid("starts_on", _("Choose a day within the cycle."))
    if starts_on < employee.hired_on:
        raise Invalid("starts_on", _("%s was hired later than that.") % employee.name)
    known = Participation.objects.filter(cycle=cycle, employee=employee).first()
    if known is not None and known.state == Participation.State.LEFT:
        raise Invalid(
            "employee",
            _("%s has left this cycle. Bring them back on their own page.") % employee.name,
        )
    if known is not None:
        raise Invalid("employee", _("%s takes part already.") % employee.name)


def add_person(
    cycle: Cycle, employee: Employee, *, starts_on: date, reason: str, by: User
) -> Participation:
    """Add a late joiner with the facts of today and their own first day; open stages open for them too."""
    now = timezone.now()
    with transaction.atomic():
        locked = lock_running(cycle.pk)
        day = locked.local_day(now)
        judge_addition(locked, employee, starts_on=starts_on, by=by)
        alone = (
            Employee.objects.filter(pk=employee.pk).order_by().values("pk").query.sql_with_params()
        )
        values: dict[str, Any] = {"cycle": locked.pk, "day": day}
        with connection.cursor() as cursor:
            cursor.execute(
                PARTICIPATIONS.format(population=alone[0]), [locked.pk, starts_on, day, *alone[1]]
            )
            participation = Participation.objects.select_related("cycle", "employee").get(
                cycle=locked, employee=employee
            )
            chain = CHAIN.format(first=FROM_LINES, insert=LINKS_AND_MANAGERS)
            cursor.execute(chain, {**values, "only": participation.pk})
        lay_out_for(locked, [participation])
        title = _("You take part in “%s”: see your dates") % locked.name
        record(
            "joined",
            participation,
            by=by,
            about=employee,
            starts_on=starts_on.isoformat(),
            reason=reason,
            notify=tell_person(participation, title, f"launched:{locked.pk}"),
        )
    return participation
