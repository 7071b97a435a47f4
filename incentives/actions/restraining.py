"""Entries that restrain a reward: proposed with facts, answered by the person, decided by a second person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from feedback.models import Entry, entries_known_since
from incentives.actions.plans import hr_admins_but
from incentives.models import Award, RestraintEntry, Run
from pmcycle.activity.actions import Tell, record
from pmcycle.cycles.actions import (
    hold_person,
    hold_taking_part,
    link,
    refuse_if_left,
    refuse_unless_running,
)
from pmcycle.cycles.models import Cycle, Participation, apart_from, day_in
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import User


def _tell(user: User | None, title: str, entry: RestraintEntry, step: str) -> list[Tell]:
    if user is None or not user.is_active:
        return []
    url = link("incentives:restraint", pk=entry.pk)
    return [
        Tell(
            user.pk,
            title,
            url,
            f"restraint:{entry.pk}:{step}:{user.pk}",
            kind="incentives:restraint",
        )
    ]


def _user_of(employee_id: int) -> User | None:
    found: User | None = User.objects.filter(employee=employee_id).first()
    return found


def judge_restraining(part: Participation) -> None:
    """Raise what refuses any entry about this person, whatever is filled in; the page asks the same."""
    if part.cycle.state != Cycle.State.RUNNING:
        raise Refused(_("This cycle is closed."))
    refuse_if_left(part)


def propose_restraint(
    participation: Participation, entry: Entry | None, values: Mapping[str, Any], *, by: User
) -> RestraintEntry:
    """Propose to restrain one kind of reward, with facts, and with something the person was told before.

    `values`: component_kind, effect, percent, facts, answer_by, lapses_on. The no-surprise gate (1-mission):
    `entry` must have been said to the person by somebody else at least the cycle's `mention_days` ago.
    """
    with transaction.atomic():
        part = hold_person(participation.pk)
        if part.employee_id == by.employee_id:
            raise Refused(_("Nobody restrains their own reward."))
        judge_restraining(part)
        if _is_given(part.pk, values["component_kind"]):
            raise Refused(
                _("This reward is approved. An entry can restrain the one of the next cycle.")
            )
        known = entries_known_since(part, part.cycle.mention_days)
        if entry is None or not known.filter(pk=entry.pk).exists():
            raise Invalid(
                "entry",
                _(
                    "This would be the first mention. Name something %(name)s was told at least %(days)d days ago."
                )
                % {"name": part.employee.name, "days": part.cycle.mention_days},
            )
        if values["answer_by"] <= part.cycle.local_day(timezone.now()):
            raise Invalid("answer_by", _("Leave at least until tomorrow to answer."))
        if values["lapses_on"] <= values["answer_by"]:
            raise Invalid("lapses_on", _("It lapses after the day to answer by."))
        if values["effect"] == RestraintEntry.Effect.REDUCE and not values["percent"]:
            raise Invalid("percent", _("Say by how many per cent."))
        open_one = RestraintEntry.objects.filter(
            participation=part,
            component_kind=values["component_kind"],
            state__in=[RestraintEntry.State.PROPOSED, RestraintEntry.State.EFFECTIVE],
        )
        if open_one.exists():
            raise Refused(_("There is an open entry about this reward already."))
        row = RestraintEntry.objects.create(
            participation=part,
            component_kind=values["component_kind"],
            effect=values["effect"],
            percent=values["percent"] if values["effect"] == RestraintEntry.Effect.REDUCE else None,
            facts=values["facts"],
            entry=entry,
            answer_by=values["answer_by"],
            lapses_on=values["lapses_on"],
            proposed_by=by,
        )
        record(
            "restraint_proposed",
            row,
            by=by,
            about=part.employee,
            component=row.component_kind,
            effect=row.effect,
            notify=_tell(
                _user_of(part.employee_id),
                _("Read and answer an entry that may restrain your reward"),
                row,
                "proposed",
            ),
        )
    return row


def _is_given(participation: int, kind: str) -> bool:
    """Whether a reward of a person is approved, so that no entry can restrain it any more."""
    given = Award.objects.given().filter(participation=participation, component__kind=kind)
    return given.exists()


def answer(entry: RestraintEntry, text: str, *, version: int | None, by: User) -> RestraintEntry:
    """The person's own account, before anything takes effect. It may be rewritten until it is decided."""
    if not text.strip():
        raise Invalid("answer", _("Write something first."))
    with transaction.atomic():
        refuse_unless_running(hold_taking_part(entry.participation_id).cycle)
        row = (
            RestraintEntry.objects.select_for_update(of=("self",))
            .select_related("participation__employee")
            .get(pk=entry.pk)
        )
        check_version(row, version, ("answer",))
        if row.state != RestraintEntry.State.PROPOSED:
            raise Refused(_("This entry is decided. What you wrote stays beside it."))
        row.answer, row.answered_at = text.strip(), timezone.now()
        row.version += 1
        row.save(update_fields=["answer", "answered_at", "version"])
        part = row.participation
        title = _("%s has answered an entry: decide") % part.employee.name
        tells = [t for u in deciders(row) for t in _tell(u, title, row, f"answered:{row.version}")]
        record("restraint_answered", row, by=by, about=part.employee, notify=tells)
    return row


def deciders(entry: RestraintEntry) -> list[User]:
    """Who is asked to decide: HR admins who stand apart from the person and did not propose it."""
    return list(
        hr_admins_but().filter(apart_from(entry.participation_id)).exclude(pk=entry.proposed_by_id)
    )


def may_take_effect(entry: RestraintEntry, on: date) -> bool:
    """The person has answered, or the day to answer by has passed."""
    return entry.answered_at is not None or on > entry.answer_by


def is_decidable(entry: RestraintEntry) -> bool:
    """Whether anything can be decided about it: after its cycle has closed only whether what it holds is paid."""
    if entry.participation.cycle.state == Cycle.State.RUNNING:
        return True
    return (
        entry.state == RestraintEntry.State.EFFECTIVE and entry.effect == RestraintEntry.Effect.HOLD
    )


def decide(
    entry: RestraintEntry, outcome: str, text: str, *, version: int | None, by: User
) -> RestraintEntry:
    """A second person lets the entry take effect, or lifts it (also later: a hold is settled so).

    It takes effect only after the person has answered or the day to answer has passed, and before the rewards
    reward is approved. Lifting is always possible: it sets free what is held, and a reward that the entry took
    away follows in a supplementary run. An amount that was approved while the entry cut it stays as it is.
    Of somebody who has left it is lifted, and takes effect no more: what they earned is owed all the same. In a
    cycle that is closed only an entry that holds an amount is lifted (`is_decidable`): nothing can be undecided
    when it closes, and no run follows in which anything else would count.
    """
    if not text.strip():
        raise Invalid("decision", _("Say why; the person reads it."))
    with transaction.atomic():
        hold_person(entry.participation_id)
        row = (
            RestraintEntry.objects.select_for_update(of=("self",))
            .select_related("participation__employee", "participation__cycle")
            .get(pk=entry.pk)
        )
        today = row.participation.cycle.local_day(timezone.now())
        check_version(row, version, ("decision",))
        if row.proposed_by_id == by.pk:
            raise Refused(_("You proposed this entry. A second person decides about it."))
        if row.state in (RestraintEntry.State.LIFTED, RestraintEntry.State.LAPSED):
            raise Refused(_("This entry is over."))
        effective = outcome == RestraintEntry.State.EFFECTIVE
        if effective or not is_decidable(row):
            refuse_unless_running(row.participation.cycle)
        if effective:
            refuse_if_left(row.participation)
        if effective and row.state == RestraintEntry.State.EFFECTIVE:
            raise Refused(_("This entry is in effect already."))
        if effective and not may_take_effect(row, today):
            raise Refused(
                _(
                    "%(name)s may answer until %(day)s. It can take effect after the answer, or after that day."
                )
                % {"name": row.participation.employee.name, "day": row.answer_by.isoformat()}
            )
        if effective and row.lapses_on < today:
            raise Refused(_("This entry has lapsed."))
        # The runs are locked too: none is approved while it is judged whether the entry comes too late.
        list(
            Run.objects.select_for_update()
            .filter(plan__cycle=row.participation.cycle_id)
            .order_by("pk")
        )
        if effective and _is_given(row.participation_id, row.component_kind):
            raise Refused(
                _("This reward is approved already. Lift the entry: it restrains nothing any more.")
            )
        row.state = RestraintEntry.State.EFFECTIVE if effective else RestraintEntry.State.LIFTED
        row.decided_by, row.decided_at, row.decision = by, timezone.now(), text.strip()
        row.version += 1
        row.save()
        freed = 0 if effective else _free(row)
        title = _("An entry about your reward is decided")
        record(
            f"restraint_{row.state}",
            row,
            by=by,
            about=row.participation.employee,
            freed=freed,
            notify=_tell(_user_of(row.participation.employee_id), title, row, row.state),
        )
    return row


def _free(entry: RestraintEntry) -> int:
    """A hold that ends sets the money free: what was approved meanwhile goes to payroll next. How many."""
    if entry.effect != RestraintEntry.Effect.HOLD:
        return 0
    others = RestraintEntry.objects.holding(entry.participation_id, entry.component_kind)
    if others.exclude(pk=entry.pk).exists():
        return 0
    held = (
        Award.objects.filter(
            participation=entry.participation_id, component__kind=entry.component_kind, is_held=True
        )
        .select_for_update(of=("self",))
        .select_related("run__plan_version")
    )
    freed = 0
    for award in held:
        if not held_by_rule(award):
            award.is_held = False
            award.version += 1
            award.save(update_fields=["is_held", "version"])
            freed += 1
    return freed


def held_by_rule(award: Award) -> bool:
    """Whether one of the rules that fit holds the amount, apart from any entry."""
    version = award.run.plan_version
    hits = set(award.trace.get("hits", []))
    rows = [r for c in (version.content["components"] if version else []) for r in c["rules"]]
    return any(r["id"] in hits and r["effect"] == "hold" for r in rows)


def settle(award: Award, reason: str, *, version: int | None, by: User) -> Award:
    """HR settles what a rule has held: the amount goes to payroll with the next file."""
    if not reason.strip():
        raise Invalid("reason", _("Say what has settled it."))
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=award.run_id)
        row = (
            Award.objects.select_for_update(of=("self",))
            .select_related("participation__employee", "component")
            .get(pk=award.pk)
        )
        check_version(row, version)
        if not row.is_held:
            raise Refused(_("Nothing is held here."))
        if run.is_open:
            raise Refused(_("Until the run is approved, calculating again decides what is held."))
        if RestraintEntry.objects.holding(row.participation_id, row.component.kind).exists():
            raise Refused(_("An entry holds this amount. Decide about the entry instead."))
        row.is_held = False
        row.version += 1
        row.save(update_fields=["is_held", "version"])
        record("settled", row, by=by, about=row.participation.employee, reason=reason.strip())
    return row


def lapse_due() -> int:
    """End entries whose last day has passed; how many. For the clock."""
    ended = 0
    due = RestraintEntry.objects.filter(
        state__in=["proposed", "effective"], lapses_on__lt=day_in("participation__cycle")
    )
    for pk in due.values_list("pk", flat=True):
        with transaction.atomic():
            row = (
                RestraintEntry.objects.select_for_update(of=("self",), skip_locked=True)
                .select_related("participation__employee")
                .filter(pk=pk, state__in=["proposed", "effective"])
                .first()
            )
            if row is None:
                continue
            row.state = RestraintEntry.State.LAPSED
            row.version += 1
            row.save(update_fields=["state", "version"])
            record(
                "restraint_lapsed", row, by=None, about=row.participation.employee, freed=_free(row)
            )
            ended += 1
    return ended
