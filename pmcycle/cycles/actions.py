"""Set up, check, launch, follow, except and close a cycle: one function per verb."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Max, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pmcycle.activity.actions import Tell, record, tell
from pmcycle.activity.models import Notice
from pmcycle.cycles import rules
from pmcycle.cycles.models import (
    AcceptedWarning,
    Assignment,
    ChainLink,
    Cycle,
    Extension,
    Participation,
    PopulationRule,
    RatingLevel,
    RatingScale,
    ReminderPolicy,
    Stage,
    StageKind,
    population,
)
from pmcycle.cycles.rules import Finding
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import Employee, Organisation, User

log = structlog.get_logger()

# --- The table of stages ---------------------------------------------------------------------------


@dataclass(frozen=True)
class StageWork:
    """What one stage needs of the apps, in lists of plain functions that work in sets.

    `copies(old, new, by)` brings an app's settings into a copied cycle. `checks(cycle, people)`
    returns findings before launch. `launches(cycle)` freezes what must not change afterwards.
    `opens(cycle)` and `closes(cycle)` run when the stage does so; a closing step raises `Refused`
    while something must not be left behind, and the stage stays open. `ends(cycle, by)` runs when
    the whole cycle closes. All run inside the transaction of the verb and may run again.
    """

    copies: Sequence[Callable[[Cycle, Cycle, User], None]] = ()
    checks: Sequence[Callable[[Cycle, QuerySet[Employee]], Iterable[Finding]]] = ()
    launches: Sequence[Callable[[Cycle], None]] = ()
    opens: Sequence[Callable[[Cycle], None]] = ()
    closes: Sequence[Callable[[Cycle], None]] = ()
    ends: Sequence[Callable[[Cycle, User], None]] = ()


def stage_work() -> Mapping[str, StageWork]:
    """The table `pmcycle.stages.STAGES`, found by its name because it lies above this app."""
    table: Mapping[str, StageWork] = import_string(settings.STAGES)
    return table


def link(name: str, **kwargs: Any) -> str:
    """The address of a page that mends a finding; empty if this installation has no such page."""
    try:
        return reverse(name, kwargs=kwargs)
    except NoReverseMatch:
        return ""


# --- Setting up ------------------------------------------------------------------------------------


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
        dates = rules.planned_dates(first_day, last_day)
        Stage.objects.bulk_create(
            Stage(cycle=cycle, kind=kind, position=position, opens_on=opens, due_on=due, grace_days=grace)
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
        Stage.objects.bulk_create(
            Stage(
                cycle=cycle,
                kind=s.kind,
                position=s.position,
                grace_days=s.grace_days,
                opens_on=rules.workday(rules.year_later(s.opens_on)),
                due_on=rules.workday(rules.year_later(s.due_on)),
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
            hired_on_or_before=rule.hired_on_or_before and rules.year_later(rule.hired_on_or_before),
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


def _draft(cycle: Cycle) -> Cycle:
    """The locked cycle, which must still be a draft: what is launched is frozen."""
    locked = Cycle.objects.select_for_update().get(pk=cycle.pk)
    if locked.state != Cycle.State.DRAFT:
        raise Refused(_("“%s” has been launched. What people rely on is frozen now.") % locked.name)
    return locked


def save_population(
    cycle: Cycle, values: Mapping[str, Any], *, version: int | None, by: User
) -> PopulationRule:
    """Save who takes part. `values` has the fields of `PopulationRule`; units and excluded are rows or ids."""
    plain = ("locations", "grades", "employment_kinds", "hired_on_or_before", "minimum_fte")
    with transaction.atomic():
        _draft(cycle)
        rule = PopulationRule.objects.select_for_update().get(cycle=cycle)
        check_version(rule, version, plain)
        for name in plain:
            setattr(rule, name, values[name])
        rule.version += 1
        rule.save()
        rule.units.set(values["units"])
        rule.excluded.set(values["excluded"])
        record("configured", cycle, by=by, stream=f"cycle:{cycle.pk}", step="who", version=rule.version)
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
        locked = _draft(cycle)
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
        record("configured", locked, by=by, stream=f"cycle:{cycle.pk}", step="stages", version=locked.version)
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
        _draft(cycle)
        scale, _made = RatingScale.objects.get_or_create(cycle=cycle, defaults={"name": name})
        scale = RatingScale.objects.select_for_update().get(pk=scale.pk)
        check_version(scale, version, ("name",))
        scale.levels.all().delete()
        scale.name = name
        scale.version += 1
        scale.save()
        _write_levels(scale, levels)
        record("configured", cycle, by=by, stream=f"cycle:{cycle.pk}", step="rating", version=scale.version)
    return scale


def save_policies(cycle: Cycle, values: Mapping[str, Any], *, version: int | None, by: User) -> Cycle:
    """Save who sees what and when: the gate, the window for a review, missing parts, the cap of progress."""
    fields = ("mention_days", "appeal_days", "missing_part", "self_opens_after_draft", "progress_cap")
    with transaction.atomic():
        locked = _draft(cycle)
        check_version(locked, version, fields)
        for name in fields:
            setattr(locked, name, values[name])
        locked.version += 1
        locked.save()
        record(
            "configured", locked, by=by, stream=f"cycle:{cycle.pk}", step="visibility", version=locked.version
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
        locked = _draft(cycle)
        check_version(locked, version)
        for kind, (before, after, escalate_after) in policies.items():
            ReminderPolicy.objects.update_or_create(
                cycle=locked,
                kind=kind,
                defaults={"days_before": before, "days_after": after, "escalate_after": escalate_after},
            )
        locked.version += 1
        locked.save()
        record(
            "configured", locked, by=by, stream=f"cycle:{cycle.pk}", step="reminders", version=locked.version
        )
    return locked


# --- The check before launch -----------------------------------------------------------------------

# One pass over the population: every person with what stands in their way. The loop is searched
# upward from everybody, at most fifty steps, because lines written by other tools may be closed.
CHECK = """
WITH RECURSIVE pop(id) AS ({population}),
line AS (
  SELECT employee_id, manager_id FROM people_reportingline
  WHERE kind = 'line' AND starts_on <= %s AND (ends_on IS NULL OR ends_on >= %s)
),
up(start, above, step) AS (
  SELECT line.employee_id, line.manager_id, 1 FROM line JOIN pop ON pop.id = line.employee_id
  UNION
  SELECT up.start, line.manager_id, up.step + 1 FROM up JOIN line ON line.employee_id = up.above
  WHERE up.above <> up.start AND up.step < 50
),
flagged AS (
  SELECT e.id, e.name, e.sort_name, unnest(array_remove(ARRAY[
    CASE WHEN line.manager_id IS NULL THEN 'no_manager' END,
    CASE WHEN m.left_on < %s OR m.hired_on > %s THEN 'manager_left' END,
    CASE WHEN EXISTS (SELECT 1 FROM people_absence a WHERE a.employee_id = m.id AND a.starts_on <= %s
      AND (a.ends_on IS NULL OR a.ends_on >= %s)) THEN 'manager_away' END,
    CASE WHEN EXISTS (SELECT 1 FROM up WHERE up.start = e.id AND up.above = e.id) THEN 'loop' END,
    CASE WHEN e.email = '' THEN 'no_email' END,
    CASE WHEN NOT EXISTS (SELECT 1 FROM people_user u WHERE u.employee_id = e.id AND u.is_active)
      THEN 'no_account' END,
    CASE WHEN EXISTS (SELECT 1 FROM cycles_participation p JOIN cycles_cycle c ON c.id = p.cycle_id
      WHERE p.employee_id = e.id AND p.state = 'active' AND c.state = 'running'
      AND c.first_day <= %s AND c.last_day >= %s) THEN 'other_cycle' END
  ], NULL)) AS code
  FROM people_employee e JOIN pop ON pop.id = e.id
  LEFT JOIN line ON line.employee_id = e.id LEFT JOIN people_employee m ON m.id = line.manager_id
)
SELECT 'eligible' AS code, count(*), NULL::text[], NULL::bigint FROM pop
UNION ALL
SELECT 'levels', count(*), NULL, NULL FROM cycles_ratinglevel l JOIN cycles_ratingscale s ON s.id = l.scale_id
WHERE s.cycle_id = %s
UNION ALL
SELECT code, count(*), (array_agg(name ORDER BY sort_name))[1:5], (array_agg(id ORDER BY sort_name))[1]
FROM flagged GROUP BY code
"""


def check(
    cycle: Cycle,
    *,
    on: date | None = None,
    people: QuerySet[Employee] | None = None,
    stages: Sequence[Stage] | None = None,
) -> list[Finding]:
    """Everything that stands against launching, worst first. A constant number of statements.

    `people` (the population of the day) and `stages` spare a statement to who has asked for them.
    """
    day = on or cycle.local_day(timezone.now())
    people = population(cycle, day) if people is None else people
    found = [*_people_findings(cycle, people, day)]
    found += rules.date_findings(
        [s.dates for s in (cycle.stages.all() if stages is None else stages)],
        first=cycle.first_day,
        last=cycle.last_day,
        today=day,
        may_overlap=cycle.stages_may_overlap,
        url=link("cycles:configure", pk=cycle.pk, step="stages"),
    )
    for work in stage_work().values():
        for step in work.checks:
            found += step(cycle, people)
    return sorted(found, key=lambda f: not f.is_error)


def _people_findings(cycle: Cycle, people: QuerySet[Employee], day: date) -> list[Finding]:
    try:
        sql, params = people.order_by().values("pk").query.sql_with_params()
    except Exception as error:  # EmptyResultSet: Django knows without asking that nobody fits
        if type(error).__name__ != "EmptyResultSet":
            raise
        sql, params = "SELECT id FROM people_employee WHERE false", ()
    with connection.cursor() as cursor:
        cursor.execute(
            CHECK.format(population=sql), [*params, *[day] * 6, cycle.last_day, cycle.first_day, cycle.pk]
        )
        rows = {code: (count, names, first) for code, count, names, first in cursor.fetchall()}
    who = link("cycles:configure", pk=cycle.pk, step="who")
    found: list[Finding] = []
    if rows.pop("levels")[0] < 2:
        sentence = _("The rating scale has fewer than two levels.")
        url = link("cycles:configure", pk=cycle.pk, step="rating")
        found.append(Finding("rating:levels", sentence, is_error=True, url=url, fix=_("Change the scale")))
    if not rows.pop("eligible")[0]:
        sentence = _("Nobody fits the rule of who takes part.")
        found.append(
            Finding("people:nobody", sentence, is_error=True, url=who, fix=_("Change who takes part"))
        )
    for code, (is_error, sentence_of, fix) in _people_words().items():
        if code not in rows:
            continue
        count, names, first = rows[code]
        url = who if code == "other_cycle" else link("people:profile", pk=first)
        if code == "no_account":
            url = link("people:accounts") or url
        sentence = sentence_of(count) % {"n": count}
        found.append(Finding(f"people:{code}", sentence, is_error, count, tuple(names), url, fix))
    return found


def _people_words() -> dict[str, tuple[bool, Callable[[int], str], str]]:
    """Per flag of the check: whether it refuses, its sentence for a count, and the word for its fix."""
    return {
        "loop": (
            True,
            lambda n: ngettext(
                "%(n)d person stands in a circle of managers, so nobody is above them.",
                "%(n)d people report to each other in a circle, so nobody is above them.",
                n,
            ),
            _("Mend the line"),
        ),
        "no_manager": (
            False,
            lambda n: ngettext(
                "%(n)d person has no manager: nobody can agree goals with them or appraise them.",
                "%(n)d people have no manager: nobody can agree goals with them or appraise them.",
                n,
            ),
            _("Name a manager"),
        ),
        "manager_left": (
            False,
            lambda n: ngettext(
                "%(n)d person reports to somebody who is not here; the next one up the line takes over.",
                "%(n)d people report to somebody who is not here; the next one up the line takes over.",
                n,
            ),
            _("Name a manager"),
        ),
        "manager_away": (
            False,
            lambda n: ngettext(
                "%(n)d person reports to somebody who is away today.",
                "%(n)d people report to somebody who is away today.",
                n,
            ),
            _("See the person"),
        ),
        "no_email": (
            False,
            lambda n: ngettext(
                "%(n)d person has no e-mail address, so no reminder reaches them.",
                "%(n)d people have no e-mail address, so no reminder reaches them.",
                n,
            ),
            _("Add the address"),
        ),
        "no_account": (
            False,
            lambda n: ngettext(
                "%(n)d person cannot sign in: they have no account.",
                "%(n)d people cannot sign in: they have no account.",
                n,
            ),
            _("Make accounts"),
        ),
        "other_cycle": (
            False,
            lambda n: ngettext(
                "%(n)d person already takes part in a running cycle of the same days.",
                "%(n)d people already take part in a running cycle of the same days.",
                n,
            ),
            _("Change who takes part"),
        ),
    }


def accept_warning(cycle: Cycle, code: str, count: int, *, by: User) -> AcceptedWarning:
    """HR has read a warning and goes on. Refused if it has grown or gone since it was read."""
    with transaction.atomic():
        locked = _draft(cycle)
        finding = next((f for f in check(locked) if f.code == code and not f.is_error), None)
        if finding is None:
            raise Refused(_("This warning no longer holds. Look at the check again."))
        if finding.count > count:
            raise Refused(
                _("It now holds for %(now)d, not for %(read)d. Read it again.")
                % {"now": finding.count, "read": count}
            )
        accepted, _made = AcceptedWarning.objects.update_or_create(
            cycle=locked, code=code, defaults={"count": finding.count, "by": by}
        )
        record("accepted_warning", locked, by=by, stream=f"cycle:{cycle.pk}", code=code, count=finding.count)
    return accepted


def accepted_counts(cycle: Cycle) -> dict[str, int]:
    """How many each accepted warning held for when it was accepted."""
    return dict(AcceptedWarning.objects.filter(cycle=cycle).values_list("code", "count"))


# --- Launch ----------------------------------------------------------------------------------------

PARTICIPATIONS = """
INSERT INTO cycles_participation
  (cycle_id, employee_id, unit_id, job_title, grade, location, fte, annual_pay, currency, hired_on, left_on, starts_on)
SELECT %s, e.id, e.unit_id, e.job_title, e.grade, e.location, e.fte, pay.annual, coalesce(pay.currency, ''),
  e.hired_on, e.left_on, greatest(%s, e.hired_on)
FROM people_employee e
LEFT JOIN LATERAL (SELECT s.annual, s.currency FROM people_salary s WHERE s.employee_id = e.id
  AND s.effective_from <= %s ORDER BY s.effective_from DESC LIMIT 1) pay ON true
WHERE e.id IN ({population})
ON CONFLICT (cycle_id, employee_id) DO NOTHING
"""

# The line above a participation, upward from the first step. Who has left or is not here yet is
# passed over, so that nobody waits for them; a closed line ends where it would meet itself.
CHAIN = """
WITH RECURSIVE up(participation_id, above_id, step, path) AS (
  {first}
  UNION ALL
  SELECT up.participation_id, r.manager_id, up.step + 1, up.path || r.manager_id
  FROM up JOIN people_reportingline r ON r.employee_id = up.above_id AND r.kind = 'line'
    AND r.starts_on <= %(day)s AND (r.ends_on IS NULL OR r.ends_on >= %(day)s)
  WHERE r.manager_id <> ALL(up.path) AND up.step < 30
)
{insert}
"""
LINKS = """
INSERT INTO cycles_chainlink (participation_id, above_id, distance)
SELECT up.participation_id, up.above_id, row_number() OVER (PARTITION BY up.participation_id ORDER BY up.step)
FROM up JOIN people_employee a ON a.id = up.above_id
WHERE a.hired_on <= %(day)s AND (a.left_on IS NULL OR a.left_on >= %(day)s)
"""
# At launch the first of the line becomes the manager of the cycle, in the same statement.
LINKS_AND_MANAGERS = (
    ", links AS ("
    + LINKS
    + """ RETURNING participation_id, above_id, distance)
INSERT INTO cycles_assignment (participation_id, manager_id, starts_on)
SELECT p.id, links.above_id, least(p.starts_on, %(day)s)
FROM links JOIN cycles_participation p ON p.id = links.participation_id WHERE links.distance = 1
"""
)
FROM_LINES = """
  SELECT p.id, r.manager_id, 1, ARRAY[p.employee_id, r.manager_id]
  FROM cycles_participation p JOIN people_reportingline r ON r.employee_id = p.employee_id AND r.kind = 'line'
    AND r.starts_on <= %(day)s AND (r.ends_on IS NULL OR r.ends_on >= %(day)s)
  WHERE p.cycle_id = %(cycle)s AND (%(only)s IS NULL OR p.id = %(only)s)
"""
FROM_ASSIGNMENTS = """
  SELECT a.participation_id, a.manager_id, 1, ARRAY[p.employee_id, a.manager_id]
  FROM cycles_assignment a JOIN cycles_participation p ON p.id = a.participation_id
  WHERE a.starts_on <= %(day)s AND (a.ends_on IS NULL OR a.ends_on >= %(day)s) AND p.id = ANY(%(only)s)
"""

# All lines of a launch stand in the cycle's own stream: one chain to lock, however many people.
EVENTS = """
INSERT INTO activity_event
  (stream, seq, at, verb, actor_id, about_id, subject_kind, subject_id, data, request_id, previous_hash, hash)
SELECT 'cycle:' || p.cycle_id, 0, %(now)s, 'takes_part', %(by)s, p.employee_id, 'cycles.participation', p.id,
  jsonb_build_object('unit', p.unit_id, 'grade', p.grade, 'title', p.job_title), '', '', ''
FROM cycles_participation p WHERE p.cycle_id = %(cycle)s ORDER BY p.id
"""
NOTICES = """
WITH told AS (
  INSERT INTO activity_notice
    (recipient_id, kind, title, url, subject_kind, subject_id, is_urgent, key, created_at)
  SELECT u.id, 'launched', %(title)s, %(url)s, 'cycles.cycle', %(cycle)s, false,
    'launched:' || p.cycle_id || ':' || u.id, %(now)s
  FROM cycles_participation p JOIN people_user u ON u.employee_id = p.employee_id AND u.is_active
  WHERE p.cycle_id = %(cycle)s ON CONFLICT (key) DO NOTHING
  RETURNING id
)
INSERT INTO activity_delivery (notice_id, channel, not_before) SELECT id, 'email', %(now)s FROM told
"""


def launch(cycle: Cycle, *, by: User, now: datetime | None = None) -> Cycle:
    """Start a draft that passed the check: freeze who takes part and open what is due.

    All or nothing, in a number of statements that does not depend on how many take part. Refused if
    it was launched already, if the check has an error or a warning that nobody has accepted.
    """
    now = now or timezone.now()
    with transaction.atomic():
        locked = Cycle.objects.select_for_update().get(pk=cycle.pk)
        if locked.state != Cycle.State.DRAFT:
            raise Refused(_("“%s” has been launched already.") % locked.name)
        day = locked.local_day(now)
        people = population(locked, day)
        stages = _locked_stages(locked)
        findings = check(locked, on=day, people=people, stages=stages)
        errors = [f.sentence for f in findings if f.is_error]
        if errors:
            raise Refused(_("The check refuses the launch: %s") % " ".join(errors[:3]))
        open_warnings = rules.unsettled(findings, accepted_counts(locked))
        if open_warnings:
            raise Refused(_("A warning has not been accepted yet: %s") % open_warnings[0].sentence)
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
            "title": (_("“%s” has begun: see your dates") % locked.name)[:200],
            "url": link("cycles:detail", pk=locked.pk),
        }
        with connection.cursor() as cursor:
            cursor.execute(PARTICIPATIONS.format(population=sql), [locked.pk, locked.first_day, day, *params])
            count = cursor.rowcount
            cursor.execute(CHAIN.format(first=FROM_LINES, insert=LINKS_AND_MANAGERS), values)
            cursor.execute(EVENTS, values)
            cursor.execute(NOTICES, values)
        for work in stage_work().values():
            for step in work.launches:
                step(locked)
        record("launched", locked, by=by, stream=f"cycle:{locked.pk}", people=count)
        _open_and_close(stages, day)
    return locked


# --- Stages ----------------------------------------------------------------------------------------


def open_due(now: datetime | None = None) -> int:
    """Open and close what is due in every running cycle; how many stages changed. For the clock.

    Each cycle is its own transaction under a lock on its row; one that another worker holds is left
    to it. What fails in one cycle is logged and does not hold up the others.
    """
    now = now or timezone.now()
    changed = 0
    for pk in Cycle.objects.filter(state=Cycle.State.RUNNING).values_list("pk", flat=True):
        try:
            with transaction.atomic():
                cycle = (
                    Cycle.objects.select_for_update(skip_locked=True)
                    .filter(pk=pk, state=Cycle.State.RUNNING)
                    .first()
                )
                if cycle is None:
                    continue
                day = cycle.local_day(now)
                changed += _open_and_close(_locked_stages(cycle), day)
                refresh_chains(cycle, day)
        except Exception:
            log.exception("stages could not be opened", cycle=pk)
    return changed


def _open_and_close(stages: Sequence[Stage], day: date) -> int:
    """Open what has come, then close what is over, in the transaction that holds the cycle's rows."""
    changed = 0
    for stage in stages:
        if rules.should_open(stage.dates, day):
            _open(stage, by=None)
            changed += 1
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
                    _close(stage, by=None)
                    changed += 1
            except Refused as why:
                log.info("stage stays open", stage=stage.pk, why=why.reason)
    return changed


def _locked_stages(cycle: Cycle) -> list[Stage]:
    return list(cycle.stages.select_for_update().order_by("position"))


def _open(stage: Stage, *, by: User | None, reason: str = "") -> None:
    stage.state = Stage.State.OPEN
    stage.version += 1
    stage.save(update_fields=["state", "version", "due_on"])
    for step in stage_work()[stage.kind].opens:
        step(stage.cycle)
    record("stage_opened", stage, by=by, stream=f"cycle:{stage.cycle_id}", kind=stage.kind, reason=reason)


def _close(stage: Stage, *, by: User | None, reason: str = "") -> None:
    for step in stage_work()[stage.kind].closes:
        step(stage.cycle)
    Stage.objects.filter(pk=stage.pk).update(state=Stage.State.CLOSED, version=F("version") + 1)
    stage.state = Stage.State.CLOSED
    record("stage_closed", stage, by=by, stream=f"cycle:{stage.cycle_id}", kind=stage.kind, reason=reason)


def _running(cycle_id: int) -> Cycle:
    cycle = Cycle.objects.select_for_update().get(pk=cycle_id)
    if cycle.state == Cycle.State.DRAFT:
        raise Refused(_("This cycle has not been launched yet."))
    if cycle.state != Cycle.State.RUNNING:
        raise Refused(_("This cycle is closed."))
    return cycle


def open_stage(stage: Stage, *, due_on: date | None, reason: str, version: int | None, by: User) -> Stage:
    """Open a stage by hand, early or again. A stage that was over needs a due day to come."""
    with transaction.atomic():
        cycle = _running(stage.cycle_id)
        locked = Stage.objects.select_for_update().select_related("cycle").get(pk=stage.pk)
        check_version(locked, version, ("due_on",))
        if locked.state == Stage.State.OPEN:
            raise Refused(_("%s is open already.") % locked)
        today = cycle.local_day(timezone.now())
        locked.due_on = due_on or locked.due_on
        if locked.due_on < today:
            raise Invalid("due_on", _("Give a due day that is still to come."))
        if locked.opens_on > locked.due_on:
            raise Invalid("due_on", _("A stage opens before it is due."))
        _open(locked, by=by, reason=reason)
    return locked


def close_stage(stage: Stage, *, reason: str, version: int | None, by: User) -> Stage:
    """Close an open stage by hand. Refused while something must not be left behind."""
    with transaction.atomic():
        _running(stage.cycle_id)
        locked = Stage.objects.select_for_update().select_related("cycle").get(pk=stage.pk)
        check_version(locked, version)
        if locked.state != Stage.State.OPEN:
            raise Refused(_("%s is not open.") % locked)
        _close(locked, by=by, reason=reason)
    return locked


def postpone_stage(stage: Stage, *, due_on: date, reason: str, version: int | None, by: User) -> Stage:
    """Give everybody another due day in a stage that is not closed."""
    with transaction.atomic():
        cycle = _running(stage.cycle_id)
        locked = Stage.objects.select_for_update().get(pk=stage.pk)
        check_version(locked, version, ("due_on",))
        if locked.state == Stage.State.CLOSED:
            raise Refused(_("%s is closed. Open it again with a new due day.") % locked)
        if due_on < max(cycle.local_day(timezone.now()), locked.opens_on):
            raise Invalid("due_on", _("Give a due day that is still to come, after the stage opens."))
        old, locked.due_on = locked.due_on, due_on
        locked.version += 1
        locked.save(update_fields=["due_on", "version"])
        record(
            "stage_postponed",
            locked,
            by=by,
            stream=f"cycle:{cycle.pk}",
            kind=locked.kind,
            reason=reason,
            old=old.isoformat(),
            new=due_on.isoformat(),
        )
    return locked


# --- Exceptions ------------------------------------------------------------------------------------


def _locked_participation(participation: Participation, version: int | None) -> Participation:
    """The participation under its cycle's and its own lock; it must be active in a running cycle."""
    _running(participation.cycle_id)
    locked = (
        Participation.objects.select_for_update(of=("self",))
        .select_related("cycle", "employee")
        .get(pk=participation.pk)
    )
    check_version(locked, version)
    if locked.state != Participation.State.ACTIVE:
        raise Refused(_("%s has left this cycle; what was written is frozen.") % locked.employee.name)
    locked.version += 1
    locked.save(update_fields=["version"])
    return locked


def extend(
    participation: Participation, stage: Stage, *, due_on: date, reason: str, version: int | None, by: User
) -> Extension:
    """Give one person more time in one stage. A second extension replaces the day, and both are in the trail."""
    with transaction.atomic():
        locked = _locked_participation(participation, version)
        stage = Stage.objects.select_for_update().get(pk=stage.pk, cycle=locked.cycle_id)
        if stage.state == Stage.State.CLOSED:
            raise Refused(_("%s is closed. Open it again first.") % stage)
        if due_on <= stage.due_on:
            raise Invalid("due_on", _("More time ends after the day that holds for all."))
        if due_on > stage.due_on + timedelta(days=366):
            raise Invalid("due_on", _("More than a year is no extension."))
        extension, _made = Extension.objects.update_or_create(
            participation=locked, stage=stage, defaults={"due_on": due_on, "reason": reason, "by": by}
        )
        record(
            "extended",
            locked,
            by=by,
            about=locked.employee,
            stage=stage.kind,
            due_on=due_on.isoformat(),
            reason=reason,
            notify=_tell_person(
                locked, _("You have more time for %s") % stage, f"extended:{locked.pk}:{locked.version}"
            ),
        )
    return extension


def transfer(
    participation: Participation, manager: Employee, *, on: date, reason: str, version: int | None, by: User
) -> Assignment:
    """Hand a person over to another manager from a day on.

    The former manager keeps what they wrote; the new one starts forms of their own. The line above
    is rewritten on the day itself.
    """
    with transaction.atomic():
        locked = _locked_participation(participation, version)
        day = locked.cycle.local_day(timezone.now())
        if manager.pk == locked.employee_id:
            raise Invalid("manager", _("Nobody is their own manager."))
        if not manager.is_working(max(on, day)):
            raise Invalid("manager", _("%s does not work here on that day.") % manager.name)
        if _is_below(manager, locked, day):
            raise Invalid(
                "manager", _("%s reports to this person, so the line would close on itself.") % manager.name
            )
        last = locked.assignments.select_for_update().order_by("-starts_on").first()
        if last and last.manager_id == manager.pk and last.ends_on is None:
            raise Invalid("manager", _("%s is the manager already.") % manager.name)
        if last and on <= last.starts_on:
            raise Invalid(
                "on", _("The present manager began on %s; choose a later day.") % last.starts_on.isoformat()
            )
        if on < locked.cycle.first_day:
            raise Invalid("on", _("The cycle had not begun then."))
        if last and (last.ends_on is None or last.ends_on >= on):
            last.ends_on = on - timedelta(days=1)
            last.save(update_fields=["ends_on"])
        assignment = Assignment.objects.create(participation=locked, manager=manager, starts_on=on)
        refresh_chains(locked.cycle, day, only=locked)
        former = last.manager if last else None
        tells = _tell_person(
            locked, _("You have a new manager in “%s”") % locked.cycle.name, f"transfer:{assignment.pk}"
        )
        url = link("cycles:detail", pk=locked.cycle_id)
        for person, title in (
            (manager, _("%(name)s is on your team in “%(cycle)s”")),
            (former, _("%(name)s has another manager in “%(cycle)s”")),
        ):
            user = User.objects.filter(employee=person, is_active=True).first() if person else None
            if user:
                words = title % {"name": locked.employee.name, "cycle": locked.cycle.name}
                tells.append(Tell(user.pk, words, url, f"transfer:{assignment.pk}:{user.pk}"))
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


def refresh_chains(cycle: Cycle, day: date, only: Participation | None = None) -> int:
    """Rewrite the line above whoever has another manager today than the line says; how many.

    A transfer with a date to come takes effect here, when the clock passes it.
    """
    current = Assignment.objects.current(day).filter(
        participation__cycle=cycle, participation__state=Participation.State.ACTIVE
    )
    wrong = current.exclude(participation__chain__distance=1, participation__chain__above=F("manager"))
    if only is not None:
        wrong = wrong.filter(participation=only)
    ids = list(wrong.values_list("participation_id", flat=True))
    if ids:
        ChainLink.objects.filter(participation__in=ids).delete()
        with connection.cursor() as cursor:
            cursor.execute(CHAIN.format(first=FROM_ASSIGNMENTS, insert=LINKS), {"day": day, "only": ids})
    return len(ids)


def mark_left(
    participation: Participation, *, left_on: date, reason: str, version: int | None, by: User
) -> Participation:
    """Freeze the part of somebody who has left: nobody waits for them and nothing reminds them."""
    with transaction.atomic():
        locked = _locked_participation(participation, version)
        if left_on < locked.hired_on:
            raise Invalid("left_on", _("The last day cannot be before the first."))
        if left_on > locked.cycle.local_day(timezone.now()):
            raise Invalid("left_on", _("Say it on the last day: until then they take part."))
        locked.state, locked.left_on = Participation.State.LEFT, left_on
        locked.save(update_fields=["state", "left_on"])
        record("left", locked, by=by, about=locked.employee, left_on=left_on.isoformat(), reason=reason)
    return locked


def add_person(cycle: Cycle, employee: Employee, *, starts_on: date, reason: str, by: User) -> Participation:
    """Add a late joiner with the facts of today and their own first day; open stages open for them too."""
    now = timezone.now()
    with transaction.atomic():
        locked = _running(cycle.pk)
        day = locked.local_day(now)
        if not employee.is_working(day):
            raise Invalid("employee", _("%s does not work here today.") % employee.name)
        if not locked.first_day <= starts_on <= locked.last_day:
            raise Invalid("starts_on", _("Choose a day within the cycle."))
        if starts_on < employee.hired_on:
            raise Invalid("starts_on", _("%s was hired later than that.") % employee.name)
        alone = Employee.objects.filter(pk=employee.pk).order_by().values("pk").query.sql_with_params()
        values: dict[str, Any] = {"cycle": locked.pk, "day": day}
        with connection.cursor() as cursor:
            cursor.execute(PARTICIPATIONS.format(population=alone[0]), [locked.pk, starts_on, day, *alone[1]])
            if cursor.rowcount == 0:
                raise Invalid("employee", _("%s takes part already.") % employee.name)
            participation = Participation.objects.select_related("cycle", "employee").get(
                cycle=locked, employee=employee
            )
            chain = CHAIN.format(first=FROM_LINES, insert=LINKS_AND_MANAGERS)
            cursor.execute(chain, {**values, "only": participation.pk})
        for stage in locked.stages.filter(state=Stage.State.OPEN):
            for step in stage_work()[stage.kind].opens:
                step(locked)
        title = _("You take part in “%s”: see your dates") % locked.name
        record(
            "joined",
            participation,
            by=by,
            about=employee,
            starts_on=starts_on.isoformat(),
            reason=reason,
            notify=_tell_person(participation, title, f"launched:{locked.pk}"),
        )
    return participation


def _tell_person(participation: Participation, title: str, key: str) -> list[Tell]:
    user = User.objects.filter(employee=participation.employee_id, is_active=True).first()
    url = link("cycles:detail", pk=participation.cycle_id)
    return [Tell(user.pk, title, url, f"{key}:{user.pk}")] if user else []


# --- Chasing and closing ---------------------------------------------------------------------------


def remind(cycle: Cycle, tells: Sequence[Tell], *, suppressed: int = 0, by: User) -> int:
    """Send exactly these reminders, at most one a person and day; how many are new."""
    with transaction.atomic():
        locked = _running(cycle.pk)
        keys = [t.key for t in tells]
        known = Notice.objects.filter(key__in=keys).count()
        tell(locked, tells)
        sent = len(set(keys)) - known
        record("reminded", locked, by=by, stream=f"cycle:{locked.pk}", sent=sent, suppressed=suppressed)
    return sent


def record_export(cycle: Cycle, *, rows: int, by: User) -> None:
    """Note that the board left the house as a file."""
    with transaction.atomic():
        record("exported_board", cycle, by=by, stream=f"cycle:{cycle.pk}", rows=rows)


def close(cycle: Cycle, *, version: int | None, by: User) -> Cycle:
    """End a running cycle. Every stage closes with it, so its closing steps may refuse with their reason."""
    with transaction.atomic():
        locked = _running(cycle.pk)
        check_version(locked, version)
        planned = [str(s) for s in locked.stages.filter(state=Stage.State.PLANNED)]
        if planned:
            raise Refused(
                ngettext("%s has not opened yet.", "%s have not opened yet.", len(planned))
                % _(" and ").join(planned)
            )
        for stage in _locked_stages(locked):
            if stage.state == Stage.State.OPEN:
                _close(stage, by=by)
        for work in stage_work().values():
            for step in work.ends:
                step(locked, by)
        locked.state, locked.closed_at = Cycle.State.CLOSED, timezone.now()
        locked.version += 1
        locked.save(update_fields=["state", "closed_at", "version"])
        record("closed", locked, by=by, stream=f"cycle:{locked.pk}")
    return locked


def archive(cycle: Cycle, *, version: int | None, by: User) -> Cycle:
    """Put a closed cycle out of the way; everything stays readable."""
    with transaction.atomic():
        locked = Cycle.objects.select_for_update().get(pk=cycle.pk)
        check_version(locked, version)
        if locked.state != Cycle.State.CLOSED:
            raise Refused(_("Only a closed cycle can be archived."))
        locked.state = Cycle.State.ARCHIVED
        locked.version += 1
        locked.save(update_fields=["state", "version"])
        record("archived", locked, by=by, stream=f"cycle:{locked.pk}")
    return locked


def discard(cycle: Cycle, *, version: int | None, by: User) -> None:
    """Delete a draft that was never launched."""
    with transaction.atomic():
        locked = _draft(cycle)
        check_version(locked, version)
        record("discarded", locked, by=by, stream=f"cycle:{locked.pk}", name=locked.name)
        locked.delete()
