"""Managers recommend within a band and a pool, the line above decides, a second person in HR approves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from incentives import rules
from incentives.actions.holding import hold_run
from incentives.actions.plans import hr_admins_but
from incentives.models import Approval, Award, AwardLine, Pool, Run
from pmcycle.activity.actions import Tell, record, settle, settle_cycle
from pmcycle.cycles.actions import link
from pmcycle.cycles.models import Assignment, ChainLink, Participation
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import Employee, User
from pmcycle.ui.formats import money_text


def open_recommending(run: Run, *, version: int | None, by: User) -> Run:
    """Hand the calculated amounts to the managers."""
    with transaction.atomic():
        locked = hold_run(run.pk)
        check_version(locked, version)
        if locked.state != Run.State.CALCULATED:
            raise Refused(_("Managers recommend after the amounts are calculated, and once."))
        list(Pool.objects.select_for_update().filter(component__plan=locked.plan_id).order_by("pk"))
        # What hands out its whole pool fits it when calculated; percentages may overspend theirs until approved.
        if any(
            row["left"] < 0 and row["pool"].component.distributes_pool for row in pools_of(locked)
        ):
            raise Refused(_("A pool was lowered after this was calculated. Calculate it again."))
        locked.state = Run.State.RECOMMENDING
        locked.version += 1
        locked.save(update_fields=["state", "version"])
        url = link("incentives:sheet", pk=locked.pk)
        managers = User.objects.filter(
            is_active=True,
            employee__in=Assignment.objects.current()
            .filter(participation__awards__run=locked)
            .values("manager"),
        )
        record(
            "recommending_opened",
            locked,
            by=by,
            stream=f"cycle:{locked.plan.cycle_id}",
            notify=[
                Tell(
                    u.pk,
                    _("Recommend rewards for your team"),
                    url,
                    f"sheet:{locked.pk}:{u.pk}",
                    kind="incentives:sheet",
                )
                for u in managers
            ],
        )
        settle_cycle("recommending_opened", locked.plan.cycle_id, by=by, apps=["incentives"])
    return locked


def last_act(run: Run, manager_id: int) -> str:
    """How the team of a manager stands: submitted, approved, returned, or "" if nothing was handed in."""
    row = Approval.objects.filter(run=run, manager=manager_id).order_by("-pk").first()
    return row.act if row else ""


def manager_of(participation: Participation) -> int | None:
    """The employee who is manager of the participation today."""
    return (
        Assignment.objects.current()
        .filter(participation=participation)
        .values_list("manager", flat=True)
        .first()
    )


def spent_of(pool: Pool) -> Decimal:
    """What is given from a pool, held amounts included: they stay reserved."""
    return Award.objects.filter(pool=pool).aggregate(total=Sum("amount"))["total"] or Decimal(0)


def adjust(award: Award, amount: Decimal, reason: str, *, version: int | None, by: User) -> Award:
    """Recommend another amount: the old line is reversed and a new one written.

    Run and pool are locked before they are judged, so that two managers cannot spend the same money and
    nothing moves while HR approves. Within the
    band no reason is needed; outside it one is, and the pool limits it all the same.
    """
    if amount < 0 or amount != amount.quantize(rules.CENT):
        raise Invalid("amount", _("Give an amount of money, to the cent."))
    with transaction.atomic():
        run = hold_run(award.run_id)
        pool = Pool.objects.select_for_update().get(pk=award.pool_id) if award.pool_id else None
        row = (
            Award.objects.select_for_update(of=("self",))
            .select_related("participation__employee", "component")
            .get(pk=award.pk)
        )
        check_version(row, version, ("amount",))
        if run.state != Run.State.RECOMMENDING:
            raise Refused(
                _("Amounts may be moved while managers recommend; this run is not there now.")
            )
        if row.participation.state == Participation.State.LEFT:
            raise Refused(
                _("%s has left; nothing is given here.") % row.participation.employee.name
            )
        if row.ineligible_why:
            raise Refused(
                _("Nothing can be given here: %s.") % str(rules.WHY[row.ineligible_why]).lower()
            )
        manager = manager_of(row.participation)
        if manager is not None and last_act(run, manager) in (
            Approval.Act.SUBMITTED,
            Approval.Act.APPROVED,
        ):
            raise Refused(_("The team is handed in. The line above can return it."))
        outside = not row.low <= amount <= row.high
        if outside and not reason.strip():
            raise Invalid(
                "reason",
                _("The band runs from %(low)s to %(high)s. Outside it, say why.")
                % {
                    "low": money_text(row.low, row.currency),
                    "high": money_text(row.high, row.currency),
                },
            )
        if outside and pool is None and amount > row.high:
            raise Invalid("amount", _("Without a pool nothing goes above the band."))
        if pool is not None and amount > row.amount:
            left = pool.amount - spent_of(pool)
            if amount - row.amount > left:
                raise Refused(
                    _(
                        "The pool has %(left)s left, and this needs %(more)s more. "
                        "Take it from somebody first, or ask HR."
                    )
                    % {
                        "left": money_text(max(left, Decimal(0)), row.currency),
                        "more": money_text(amount - row.amount, row.currency),
                    }
                )
        if amount == row.amount:
            return row
        _rewrite(row, amount, reason.strip(), by)
        row.is_outside = outside
        row.save(update_fields=["amount", "is_outside", "version"])
        record(
            "adjusted",
            row,
            by=by,
            about=row.participation.employee,
            component=row.component.kind,
            outside=outside,
        )
    return row


def _rewrite(row: Award, amount: Decimal, reason: str, by: User) -> None:
    """Reverse the line in force and write the new one; the award follows its lines."""
    old = row.lines.exclude(kind=AwardLine.Kind.REVERSAL).filter(reversed_by__isnull=True).first()
    if old is not None:
        AwardLine.objects.create(
            award=row,
            kind=AwardLine.Kind.REVERSAL,
            amount=-old.amount,
            reverses=old,
            reason=reason,
            by=by,
        )
    if amount > 0:
        AwardLine.objects.create(
            award=row, kind=AwardLine.Kind.ADJUSTED, amount=amount, reason=reason, by=by
        )
    row.amount = amount
    row.version += 1


def line_above(run: Run, manager_id: int) -> list[User]:
    """Who decides about a manager's sheet: the next one above the team, else HR who are not in it."""
    links = ChainLink.objects.filter(
        distance=2,
        participation__awards__run=run,
        participation__in=Assignment.objects.current()
        .filter(manager=manager_id)
        .values("participation"),
    )
    above = list(
        User.objects.filter(is_active=True, employee__in=links.values("above")).exclude(
            employee=manager_id
        )
    )
    team = Assignment.objects.current().filter(manager=manager_id, participation__awards__run=run)
    return above or list(
        hr_admins_but()
        .exclude(employee=manager_id)
        .exclude(employee__in=team.values("participation__employee"))
    )


def hand_in(run: Run, note: str, *, by: User) -> Approval:
    """The manager is done with the team; the line above approves or returns it."""
    manager = by.employee
    if manager is None:
        raise Refused(_("Only a manager hands in a team."))
    with transaction.atomic():
        locked = hold_run(run.pk)
        if locked.state != Run.State.RECOMMENDING:
            raise Refused(
                _("Teams are handed in while managers recommend; this run is not there now.")
            )
        if last_act(locked, manager.pk) in (Approval.Act.SUBMITTED, Approval.Act.APPROVED):
            raise Refused(_("Your team is handed in already."))
        row = Approval.objects.create(
            run=locked, manager=manager, act=Approval.Act.SUBMITTED, note=note.strip(), by=by
        )
        url = f"{link('incentives:sheet', pk=locked.pk)}?team={manager.pk}"
        title = _("Approve the rewards that %s recommends") % manager.name
        record(
            "handed_in",
            locked,
            by=by,
            about=manager,
            notify=[
                Tell(u.pk, title, url, f"handed-in:{row.pk}:{u.pk}", kind="incentives:team")
                for u in line_above(locked, manager.pk)
            ],
        )
        team = Assignment.objects.current().filter(
            manager=manager, participation__awards__run=locked
        )
        settle(
            "handed_in", locked, set(team.values_list("participation__employee", flat=True)), by=by
        )
    return row


def may_decide(run: Run, manager: Employee, user: User) -> bool:
    """Whether `user` stands above the manager's team (or is HR) and is neither manager nor member of it."""
    if user.employee_id == manager.pk:
        return False
    team = Participation.objects.filter(
        pk__in=Assignment.objects.current().filter(manager=manager).values("participation"),
        awards__run=run,
    )
    if user.employee_id and team.filter(employee=user.employee_id).exists():
        return False
    above = ChainLink.objects.filter(
        participation__in=team.values("pk"), distance__gte=2, above=user.employee_id
    )
    return user.standing.is_hr_admin or (user.employee_id is not None and above.exists())


def decide_team(run: Run, manager: Employee, act: str, note: str, *, by: User) -> Approval:
    """The line above approves a sheet that was handed in, or returns it with a note."""
    if act == Approval.Act.RETURNED and not note.strip():
        raise Invalid("note", _("Say what should change."))
    with transaction.atomic():
        locked = hold_run(run.pk)
        if locked.state != Run.State.RECOMMENDING:
            raise Refused(_("This run is not in recommendation any more."))
        before = last_act(locked, manager.pk)
        if before != Approval.Act.SUBMITTED and not (
            before == Approval.Act.APPROVED and act == Approval.Act.RETURNED
        ):
            raise Refused(_("%s has not handed in the team.") % manager.name)
        row = Approval.objects.create(
            run=locked, manager=manager, act=act, note=note.strip(), by=by
        )
        user = User.objects.filter(employee=manager, is_active=True).first()
        title = (
            _("Your recommendations are approved")
            if act == Approval.Act.APPROVED
            else _("Your recommendations came back")
        )
        url = link("incentives:sheet", pk=locked.pk)
        record(
            f"team_{act}",
            locked,
            by=by,
            about=manager,
            notify=[Tell(user.pk, title, url, f"team:{row.pk}", kind="incentives:sheet")]
            if user
            else [],
        )
    return row


def outstanding(run: Run) -> list[tuple[Employee, str]]:
    """Managers whose team is not approved by the line above yet, with how it stands. One statement."""
    acts = Approval.objects.filter(run=run, manager=OuterRef("pk")).order_by("-pk")
    eligible = Award.objects.filter(run=run, ineligible_why="").values("participation")
    managers = (
        Employee.objects.filter(
            pk__in=Assignment.objects.current().filter(participation__in=eligible).values("manager")
        )
        .annotate(act=Coalesce(Subquery(acts.values("act")[:1]), Value("")))
        .exclude(act=Approval.Act.APPROVED)
        .order_by("sort_name")
    )
    return [(manager, vars(manager)["act"]) for manager in managers]


def pools_of(run: Run) -> list[dict[str, Any]]:
    """Every pool of a run's plan with what all its runs give and hold. One statement."""
    total, held = Sum("awards__amount"), Sum("awards__amount", filter=Q(awards__is_held=True))
    rows = (
        Pool.objects.filter(component__plan=run.plan_id)
        .annotate(spent=total, held=held)
        .select_related("component", "unit")
        .order_by("component", F("unit__path").asc(nulls_first=True))
    )
    return [
        {
            "pool": p,
            "spent": (p.spent or Decimal(0)) - (p.held or Decimal(0)),
            "held": p.held or Decimal(0),
            "left": p.amount - (p.spent or Decimal(0)),
        }
        for p in rows
    ]
