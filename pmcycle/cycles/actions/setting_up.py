"""A draft is made, copied, filled in and discarded."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions import record, settle_cycle
from pmcycle.activity.models import ToDo
from pmcycle.cycles import rules
from pmcycle.cycles.actions.locking import lock_draft
from pmcycle.cycles.actions.work import stage_work
from pmcycle.cycles.models import (
    Cycle,
    PopulationRule,
    RatingLevel,
    RatingScale,
    ReminderPolicy,
    Stage,
    StageKind,
)
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import Organisation, User, calendar


def create_cycle(
    *, name: str, first_day: date, last_day: date, by: User, zone: str = "", currency: str = ""
) -> Cycle:
    """A draft with sensible dates, five levels, everybody in it and reminders that do not nag."""
    _check_period(first_day, last_day)
    organisation = Organisation.objects.first()
    with transaction.atomic():
        cycle = _insert_cycle(
            Cycle(
                name=name,
                first_day=first_day,
                last_day=last_day,
                zone=zone or (organisation.zone if organisation else "UTC"),
                currency=currency or (organisation.currency if organisation else "USD"),
            )
        )
        dates = rules.planned_dates(first_day, last_day, calendar())
        Stage.objects.bulk_create(
            Stage(
                cycle=cycle,
                kind=kind,
                position=position,
                opens_on=opens,
                due_on=due,
                grace_days=grace,
            )
            for position, (kind, (opens, due, grace)) in enumerate(dates.items())
        )
        PopulationRule.objects.create(cycle=cycle)
        _write_levels(
            RatingScale.objects.create(cycle=cycle, name=str(rules.SCALES["five"][0])),
            rules.SCALES["five"][1],
        )
        ReminderPolicy.objects.bulk_create(
            ReminderPolicy(
                cycle=cycle,
                kind=kind,
                days_before=list(rules.REMIND_BEFORE),
                days_after=list(rules.REMIND_AFTER),
                escalate_after=rules.ESCALATE_AFTER,
            )
            for kind in StageKind.values
        )
        record("created", cycle, by=by, stream=f"cycle:{cycle.pk}", name=name)
    return cycle


def copy_cycle(old: Cycle, *, name: str, by: User) -> Cycle:
    """A draft like an earlier cycle, every date a year later, with all that the stage apps copy."""
    with transaction.atomic():
        cycle = _insert_cycle(
            Cycle(
                name=name,
                first_day=rules.year_later(old.first_day),
                last_day=rules.year_later(old.last_day),
                zone=old.zone,
                currency=old.currency,
                copied_from=old,
                mention_days=old.mention_days,
                appeal_days=old.appeal_days,
                missing_part=old.missing_part,
                self_opens_after_draft=old.self_opens_after_draft,
                progress_cap=old.progress_cap,
                stages_may_overlap=old.stages_may_overlap,
            )
        )
        worked = calendar()
        Stage.objects.bulk_create(
            Stage(
                cycle=cycle,
                kind=s.kind,
                position=s.position,
                grace_days=s.grace_days,
                opens_on=worked.workday(rules.year_later(s.opens_on)),
                due_on=worked.workday(rules.year_later(s.due_on)),
            )
            for s in old.stages.all()
        )
        rule = PopulationRule.objects.filter(cycle=old).first() or PopulationRule()
        units = list(rule.units.all()) if rule.pk else []
        excluded = list(rule.excluded.filter(left_on__isnull=True)) if rule.pk else []
        copied = PopulationRule.objects.create(
            cycle=cycle,
            locations=rule.locations,
            grades=rule.grades,
            employment_kinds=rule.employment_kinds,
            minimum_fte=rule.minimum_fte,
            hired_on_or_before=rule.hired_on_or_before
            and rules.year_later(rule.hired_on_or_before),
        )
        copied.units.set(units)
        copied.excluded.set(excluded)
        scale = RatingScale.objects.filter(cycle=old).first()
        if scale:
            new_scale = RatingScale.objects.create(cycle=cycle, name=scale.name, copied_from=scale)
            levels = [(x.label, x.meaning, x.value, x.needs_mention) for x in scale.levels.all()]
            _write_levels(new_scale, levels)
        ReminderPolicy.objects.bulk_create(
            ReminderPolicy(
                cycle=cycle,
                kind=p.kind,
                days_before=p.days_before,
                days_after=p.days_after,
                escalate_after=p.escalate_after,
            )
            for p in ReminderPolicy.objects.filter(cycle=old)
        )
        for work in stage_work().values():
            for step in work.copies:
                step(old, cycle, by)
        record("copied", cycle, by=by, stream=f"cycle:{cycle.pk}", name=name, copied_from=old.pk)
        settle_cycle("copied", cycle, by=by)
    return cycle


def _check_period(first_day: date, last_day: date) -> None:
    if last_day <= first_day:
        raise Invalid("last_day", _("The last day must come after the first."))
    if (last_day - first_day).days < 27:
        raise Invalid("last_day", _("A cycle takes at least four weeks."))
    if (last_day - first_day).days > 3 * 366:
        raise Invalid("last_day", _("A cycle takes at most three years."))


def _insert_cycle(cycle: Cycle) -> Cycle:
    if Cycle.objects.filter(name__iexact=cycle.name).exists():
        raise Invalid("name", _("There is already a cycle of this name."))
    try:
        with transaction.atomic():
            cycle.save(force_insert=True)
    except IntegrityError as error:
        raise Invalid("name", _("There is already a cycle of this name.")) from error
    return cycle


def _write_levels(scale: RatingScale, levels: Sequence[tuple[Any, Any, Decimal, bool]]) -> None:
    RatingLevel.objects.bulk_create(
        RatingLevel(
            scale=scale,
            position=position,
            label=str(label),
            meaning=str(meaning),
            value=value,
            needs_mention=low,
        )
        for position, (label, meaning, value, low) in enumerate(levels, start=1)
    )


def save_population(
    cycle: Cycle, values: Mapping[str, Any], *, version: int | None, by: User
) -> PopulationRule:
    """Save who takes part. `values` has the fields of `PopulationRule`; units and excluded are rows or ids."""
    with transaction.atomic():
        lock_draft(cycle)
        rule = PopulationRule.objects.select_for_update().get(cycle=cycle)
        check_version(rule, version, PopulationRule.CONDITIONS)
        for name in PopulationRule.CONDITIONS:
            setattr(rule, name, values[name])
        rule.version += 1
        rule.save()
        rule.units.set(values["units"])
        rule.excluded.set(values["excluded"])
        record(
            "configured", cycle, by=by, stream=f"cycle:{cycle.pk}", step="who", version=rule.version
        )
    return rule


def save_stages(
    cycle: Cycle,
    values: Mapping[str, Any],
    dates: Mapping[str, tuple[date, date, int]],
    *,
    version: int | None,
    by: User,
) -> Cycle:
    """Save name, period, zone and the dates of the four stages. Odd dates are left to the check."""
    fields = ("name", "first_day", "last_day", "zone", "currency", "stages_may_overlap")
    _check_period(values["first_day"], values["last_day"])
    with transaction.atomic():
        locked = lock_draft(cycle)
        check_version(locked, version, fields)
        if Cycle.objects.filter(name__iexact=values["name"]).exclude(pk=cycle.pk).exists():
            raise Invalid("name", _("There is already a cycle of this name."))
        for kind, (opens_on, due_on, _grace) in dates.items():
            if due_on < opens_on:
                raise Invalid(f"{kind}_due_on", _("A stage opens before it is due."))
        for name in fields:
            setattr(locked, name, values[name])
        locked.version += 1
        locked.save()
        stages = {s.kind: s for s in locked.stages.select_for_update()}
        for kind, (opens_on, due_on, grace) in dates.items():
            stage = stages[kind]
            stage.opens_on, stage.due_on, stage.grace_days = opens_on, due_on, grace
            stage.version += 1
        Stage.objects.bulk_update(stages.values(), ["opens_on", "due_on", "grace_days", "version"])
        record(
            "configured",
            locked,
            by=by,
            stream=f"cycle:{cycle.pk}",
            step="stages",
            version=locked.version,
        )
        settle_cycle("configured", locked, by=by)
    return locked


def save_scale(
    cycle: Cycle,
    name: str,
    levels: Sequence[tuple[str, str, Decimal, bool]],
    *,
    version: int | None,
    by: User,
) -> RatingScale:
    """Replace the draft's scale. Levels in order, lowest first: label, meaning, value, below expectations."""
    labels = [label.casefold() for label, *_rest in levels]
    if len(set(labels)) != len(labels):
        raise Invalid("levels", _("Two levels have the same name."))
    values = [value for _label, _meaning, value, _low in levels]
    if any(later <= earlier for earlier, later in itertools.pairwise(values)):
        raise Invalid("levels", _("Each level needs a higher value than the one before it."))
    with transaction.atomic():
        lock_draft(cycle)
        scale, _made = RatingScale.objects.get_or_create(cycle=cycle, defaults={"name": name})
        scale = RatingScale.objects.select_for_update().get(pk=scale.pk)
        check_version(scale, version, ("name",))
        scale.levels.all().delete()
        scale.name = name
        scale.version += 1
        scale.save()
        _write_levels(scale, levels)
        record(
            "configured",
            cycle,
            by=by,
            stream=f"cycle:{cycle.pk}",
            step="rating",
            version=scale.version,
        )
    return scale


def save_policies(
    cycle: Cycle, values: Mapping[str, Any], *, version: int | None, by: User
) -> Cycle:
    """Save who sees what and when: the gate, the window for a review, missing parts, the cap of progress."""
    fields = (
        "mention_days",
        "appeal_days",
        "missing_part",
        "self_opens_after_draft",
        "progress_cap",
    )
    with transaction.atomic():
        locked = lock_draft(cycle)
        check_version(locked, version, fields)
        for name in fields:
            setattr(locked, name, values[name])
        locked.version += 1
        locked.save()
        record(
            "configured",
            locked,
            by=by,
            stream=f"cycle:{cycle.pk}",
            step="visibility",
            version=locked.version,
        )
    return locked


def save_reminders(
    cycle: Cycle,
    policies: Mapping[str, tuple[list[int], list[int], int | None]],
    *,
    version: int | None,
    by: User,
) -> Cycle:
    """Save per stage: days before, days after, and after how many days the manager hears of it."""
    with transaction.atomic():
        locked = lock_draft(cycle)
        check_version(locked, version)
        for kind, (before, after, escalate_after) in policies.items():
            rule = {"days_before": before, "days_after": after, "escalate_after": escalate_after}
            if not ReminderPolicy.objects.filter(cycle=locked, kind=kind, **rule).exists():
                ReminderPolicy.objects.update_or_create(
                    cycle=locked, kind=kind, defaults={**rule, "since": timezone.now()}
                )
        locked.version += 1
        locked.save()
        record(
            "configured",
            locked,
            by=by,
            stream=f"cycle:{cycle.pk}",
            step="reminders",
            version=locked.version,
        )
    return locked


def discard(cycle: Cycle, *, version: int | None, by: User) -> None:
    """Delete a draft that was never launched, unless something in it was published: that stays as it was."""
    with transaction.atomic():
        locked = lock_draft(cycle)
        check_version(locked, version)
        record("discarded", locked, by=by, stream=f"cycle:{locked.pk}", name=locked.name)
        ToDo.objects.filter(
            cycle=locked
        ).delete()  # what was open in it, and done: nothing of it ever counted
        try:
            locked.delete()
        except ProtectedError as error:
            raise Refused(
                _(
                    "Something in this draft was published, and that stays as it was. Change the draft instead."
                )
            ) from error
