"""From facts to awards in a number of statements that does not depend on how many people there are.

The facts of everybody are read once into a table of this transaction, the rules are compiled to one
SELECT over it, pools are divided by window functions, and what differs from the awards there are is
written as reversals and new lines. `incentives.rules` is the reference for every amount.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from goals.models import Contribution, Goal
from incentives import rules
from incentives.actions.holding import hold_plan
from incentives.models import Approval, Plan, PlanVersion, Pool, Run
from pmcycle.activity.actions import (
    Step,
    asked_for,
    enqueue,
    in_parts,
    no_step,
    record,
    settle_cycle,
)
from pmcycle.activity.models import Job
from pmcycle.cycles.actions import follow_departures, link
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.errors import Refused
from pmcycle.people.models import User
from pmcycle.ui.formats import money_text

CALCULATE = "incentives:calculate"

# What other apps say of everybody comes as their querysets, so that a figure is read in one way only.
FACTS = """
WITH part AS (
  SELECT p.id, p.employee_id, p.grade, p.fte, p.annual_pay, p.currency, p.job_title, p.state, p.hired_on,
    coalesce(u.path, '') AS unit_path, greatest(%(first)s::date, p.hired_on) AS from_day,
    least(%(last)s::date, coalesce(p.left_on, %(last)s::date)) AS to_day,
    CASE WHEN p.fte = 1 THEN p.annual_pay ELSE round(p.annual_pay / p.fte, 2) END AS full_time_pay
  FROM cycles_participation p LEFT JOIN people_unit u ON u.id = p.unit_id
  WHERE p.cycle_id = %(cycle)s AND (%(only)s IS NULL OR p.id = %(only)s)
),
segment AS (
  SELECT part.id, c.from_day, c.to_day, c.fte, c.to_day - c.from_day + 1 AS days, coalesce((
    SELECT sum(least(coalesce(a.ends_on, c.to_day), c.to_day) - greatest(a.starts_on, c.from_day) + 1)
    FROM people_absence a WHERE a.employee_id = part.employee_id AND NOT a.is_paid
      AND a.starts_on <= c.to_day AND coalesce(a.ends_on, c.to_day) >= c.from_day), 0) AS unpaid
  FROM part CROSS JOIN LATERAL (
    SELECT x.from_day, coalesce(lead(x.from_day) OVER (ORDER BY x.from_day) - 1, part.to_day) AS to_day, x.fte
    FROM (
      SELECT part.from_day, coalesce((SELECT s.fte FROM people_salary s WHERE s.employee_id = part.employee_id
        AND s.effective_from <= part.from_day ORDER BY s.effective_from DESC LIMIT 1), part.fte) AS fte
      UNION ALL
      SELECT s.effective_from, s.fte FROM people_salary s WHERE s.employee_id = part.employee_id
        AND s.effective_from > part.from_day AND s.effective_from <= part.to_day
    ) x
  ) c
  WHERE part.from_day <= part.to_day
),
worked AS (
  SELECT id, jsonb_agg(jsonb_build_object('from', from_day, 'to', to_day, 'days', days, 'unpaid', unpaid,
      'fte', fte::text) ORDER BY from_day) AS segments,
    round(sum((days - unpaid) * fte) / %(days)s, 6) AS share_worked,
    round(sum(days * fte) / %(days)s, 6) AS share_all
  FROM segment GROUP BY id
),
absent AS (
  SELECT part.id, sum(least(coalesce(a.ends_on, part.to_day), part.to_day)
    - greatest(a.starts_on, part.from_day) + 1) AS days
  FROM part JOIN people_absence a ON a.employee_id = part.employee_id
    AND a.starts_on <= part.to_day AND coalesce(a.ends_on, part.to_day) >= part.from_day
  GROUP BY part.id
),
result AS (
  SELECT DISTINCT ON (r.participation_id) r.participation_id AS id, l.position, l.value
  FROM appraisals_releasedresult r JOIN cycles_ratinglevel l ON l.id = r.level_id
  WHERE r.participation_id IN (SELECT id FROM part)
  ORDER BY r.participation_id, r.id DESC
),
goal AS ({goal_scores}),
given AS ({contributions}),
promise AS (
  -- All of them kept is 100, and nothing less is.
  SELECT i.owner_id, CASE WHEN bool_and(i.done_at IS NOT NULL) THEN 100
    ELSE least(round(100.0 * count(*) FILTER (WHERE i.done_at IS NOT NULL) / count(*), 2), 99.99) END AS kept
  FROM feedback_actionitem i JOIN feedback_checkin c ON c.id = i.check_in_id AND c.manager_id = i.owner_id
  WHERE i.dropped_at IS NULL AND i.due_on BETWEEN %(first)s AND least(%(last)s::date, %(today)s::date)
  GROUP BY i.owner_id
),
restraint AS (
  SELECT participation_id AS id, jsonb_agg(jsonb_build_object('id', id, 'kind', component_kind,
    'effect', effect, 'percent', percent::text) ORDER BY id) AS entries
  FROM incentives_restraintentry
  WHERE state = 'effective' AND lapses_on >= %(today)s AND participation_id IN (SELECT id FROM part)
  GROUP BY participation_id
)
SELECT part.id AS participation_id, part.employee_id, part.unit_path, part.grade, part.currency, part.fte,
  part.annual_pay, part.full_time_pay, part.state = 'left' AS has_left,
  result.position::int AS rating, result.value AS rating_value, goal.score AS goal_score,
  round(part.full_time_pay * 100 / range.midpoint, 2) AS compa_ratio, range.midpoint,
  greatest(0, extract(year FROM age(part.to_day + 1, part.hired_on)) * 12
    + extract(month FROM age(part.to_day + 1, part.hired_on)))::int AS months_worked,
  coalesce(absent.days, 0)::int AS days_absent, coalesce(given.n, 0)::int AS contributions,
  promise.kept AS promises_kept, coalesce(worked.share_worked, 0) AS share_worked,
  coalesce(worked.share_all, 0) AS share_all, coalesce(worked.segments, '[]') AS segments,
  %(days)s::int AS period_days, coalesce(restraint.entries, '[]') AS restraints
FROM part
LEFT JOIN worked ON worked.id = part.id LEFT JOIN absent ON absent.id = part.id
LEFT JOIN result ON result.id = part.id LEFT JOIN goal ON goal.participation = part.id
LEFT JOIN given ON given.participation = part.id LEFT JOIN promise ON promise.owner_id = part.employee_id
LEFT JOIN restraint ON restraint.id = part.id
LEFT JOIN LATERAL (
  SELECT r.midpoint FROM people_payrange r WHERE r.currency = part.currency
    AND ((r.job_title <> '' AND lower(r.job_title) = lower(part.job_title) AND r.grade IN ('', part.grade))
      OR (r.job_title = '' AND r.grade = part.grade))
  ORDER BY r.job_title = '', r.grade = '' LIMIT 1
) range ON true
"""

# The stored facts keep numbers as text: JSON has no decimals of its own.
STORED = """jsonb_build_object('participation_id', f.participation_id, 'unit_path', f.unit_path, 'grade', f.grade,
  'currency', f.currency, 'fte', f.fte::text, 'annual_pay', f.annual_pay::text,
  'full_time_pay', f.full_time_pay::text, 'has_left', f.has_left, 'rating', f.rating,
  'rating_value', f.rating_value::text, 'goal_score', f.goal_score::text, 'compa_ratio', f.compa_ratio::text,
  'midpoint', f.midpoint::text, 'months_worked', f.months_worked, 'days_absent', f.days_absent,
  'contributions', f.contributions, 'promises_kept', f.promises_kept::text,
  'share_worked', f.share_worked::text, 'share_all', f.share_all::text, 'segments', f.segments,
  'period_days', f.period_days, 'restraints', f.restraints)"""

# Pools of whole units. Below a rate everybody stands at their least, above it at their most; between
# them the spending grows in a straight line from one bound to the next, so running sums over the bounds
# find the common rate without a loop. Forty decimals keep two rates apart that differ at all.
DIVIDE = """
WITH claim AS (
  SELECT c.component_id, c.participation_id, c.pool_id, c.unit, (p.amount / c.unit)::numeric(40,0) AS total,
    (round(c.gross, 2) * 100)::numeric(40,0) AS weight,
    coalesce(ceil(c.minimum / c.unit), 0)::numeric(40,0) AS least,
    greatest(coalesce(floor(c.maximum / c.unit), p.amount / c.unit), coalesce(ceil(c.minimum / c.unit), 0))
      ::numeric(40,0) AS most
  FROM reward_calc c JOIN reward_pool p ON p.id = c.pool_id
  WHERE c.divides AND round(c.gross, 2) > 0
),
bound AS (
  SELECT pool_id, total, least::numeric(80,40) / weight AS rate, weight AS slope, -least AS shift, least FROM claim
  UNION ALL
  SELECT pool_id, total, most::numeric(80,40) / weight, -weight, most, 0 FROM claim
),
spending AS (
  SELECT pool_id, total, rate, sum(least) OVER (PARTITION BY pool_id)
    + sum(slope) OVER upto * rate + sum(shift) OVER upto AS spent
  FROM bound WINDOW upto AS (PARTITION BY pool_id ORDER BY rate RANGE UNBOUNDED PRECEDING)
),
common AS (
  SELECT pool_id, max(rate) FILTER (WHERE spent <= total) AS rate FROM spending GROUP BY pool_id
),
placed AS (
  SELECT claim.*, CASE
    WHEN least::numeric(80,40) / weight > common.rate THEN 'least'
    WHEN most::numeric(80,40) / weight <= common.rate THEN 'most' ELSE '' END AS bound
  FROM claim JOIN common ON common.pool_id = claim.pool_id
),
rest AS (
  SELECT pool_id, max(total) - coalesce(sum(CASE bound WHEN 'least' THEN least WHEN 'most' THEN most END), 0) AS rest,
    coalesce(sum(weight) FILTER (WHERE bound = ''), 0) AS weights
  FROM placed GROUP BY pool_id
),
ranked AS (
  SELECT placed.*, rest.rest, rest.weights, div(weight * rest.rest, nullif(weights, 0)) AS whole,
    row_number() OVER (PARTITION BY placed.pool_id, bound
      ORDER BY mod(weight * rest.rest, nullif(weights, 0)) DESC, participation_id) AS place,
    rest.rest - sum(div(weight * rest.rest, nullif(weights, 0))) FILTER (WHERE bound = '')
      OVER (PARTITION BY placed.pool_id) AS over
  FROM placed JOIN rest ON rest.pool_id = placed.pool_id
),
divided AS (
  SELECT component_id, participation_id, CASE bound WHEN 'least' THEN least WHEN 'most' THEN most
      ELSE whole + (place <= over)::int END * unit AS amount,
    CASE WHEN bound = '' THEN jsonb_build_object('unit', unit::text, 'total', total::text, 'weight', weight::text,
        'rest', rest::text, 'weights', weights::text, 'whole', whole::text, 'extra', (place <= over)::int, 'bound', '')
      ELSE jsonb_build_object('unit', unit::text, 'total', total::text, 'weight', weight::text,
        'bound', bound) END AS part
  FROM ranked
)
UPDATE reward_calc c SET guideline = d.amount, part = d.part FROM divided d
WHERE d.component_id = c.component_id AND d.participation_id = c.participation_id
"""

# What a run may give of each pool: all of it, less what other runs of the plan have given or reserved.
POOLS = """
CREATE TEMPORARY TABLE reward_pool ON COMMIT DROP AS
SELECT p.id, p.component_id, coalesce(u.path, '') AS path, greatest(p.amount - coalesce((
  SELECT sum(a.amount) FROM incentives_award a WHERE a.pool_id = p.id AND a.run_id <> %(run)s), 0), 0) AS amount
FROM incentives_pool p LEFT JOIN people_unit u ON u.id = p.unit_id WHERE p.component_id = ANY(%(components)s)
"""

# A supplementary run takes whom no run before has given this component, and whom the rules say something
# about now, or have not said anything about yet: also who had left then and is back. What the run has taken
# once stays in it.
SUPPLEMENT = """
DELETE FROM reward_calc c
WHERE EXISTS (
  SELECT 1 FROM incentives_award a JOIN incentives_run r ON r.id = a.run_id
  WHERE r.plan_id = %(plan)s AND r.id <> %(run)s AND a.component_id = c.component_id
    AND a.participation_id = c.participation_id
    AND (a.ineligible_why = '' OR (c.why <> '' AND a.ineligible_why <> ALL(%(left_out)s)
      AND NOT (a.ineligible_why = 'left' AND c.why <> 'left'))))
  AND NOT EXISTS (
    SELECT 1 FROM incentives_award a WHERE a.run_id = %(run)s AND a.component_id = c.component_id
      AND a.participation_id = c.participation_id)
"""

SPENT = """
SELECT p.id FROM reward_calc c JOIN reward_pool p ON p.id = c.pool_id
WHERE c.divides AND round(c.gross, 2) > 0 AND p.amount <= 0 GROUP BY p.id
"""

TOO_SMALL = """
SELECT p.id, p.amount FROM reward_calc c JOIN reward_pool p ON p.id = c.pool_id
WHERE c.divides AND round(c.gross, 2) > 0
GROUP BY p.id, p.amount HAVING sum(ceil(coalesce(c.minimum, 0) / c.unit) * c.unit) > p.amount
"""

BAND = """
UPDATE reward_calc SET low = round(guideline * (1 - band * 0.01), 2), high = round(guideline * (1 + band * 0.01), 2)
"""

SHEETS = f"""
INSERT INTO incentives_factsheet (run_id, participation_id, facts)
SELECT %(run)s, f.participation_id, {STORED} FROM reward_facts f
WHERE EXISTS (SELECT 1 FROM reward_calc c WHERE c.participation_id = f.participation_id)
ON CONFLICT (run_id, participation_id) DO UPDATE SET facts = EXCLUDED.facts
WHERE incentives_factsheet.facts IS DISTINCT FROM EXCLUDED.facts
"""  # noqa: S608  (the columns are ours)

MOVED = "(a.guideline, a.low, a.high, a.ineligible_why) IS DISTINCT FROM (c.guideline, c.low, c.high, c.why)"

REVERSALS = f"""
INSERT INTO incentives_awardline (award_id, kind, amount, reverses_id, reason, by_id)
SELECT a.id, 'reversal', -l.amount, l.id, %(again)s, %(by)s
FROM reward_calc c JOIN incentives_award a ON a.run_id = %(run)s AND a.component_id = c.component_id
  AND a.participation_id = c.participation_id AND {MOVED}
JOIN incentives_awardline l ON l.award_id = a.id AND l.kind <> 'reversal'
  AND NOT EXISTS (SELECT 1 FROM incentives_awardline r WHERE r.reverses_id = l.id)
"""  # noqa: S608  (the condition is ours)

CHANGES = f"""
UPDATE incentives_award a SET guideline = c.guideline, low = c.low, high = c.high, pool_id = c.pool_id,
  amount = CASE WHEN {MOVED} THEN c.guideline ELSE a.amount END,
  is_outside = a.is_outside AND NOT {MOVED},
  is_held = c.held, ineligible_why = c.why, trace = c.trace, version = a.version + 1
FROM reward_calc c
WHERE a.run_id = %(run)s AND a.component_id = c.component_id AND a.participation_id = c.participation_id
  AND ({MOVED} OR (a.pool_id, a.is_held, a.trace) IS DISTINCT FROM (c.pool_id, c.held, c.trace))
"""  # noqa: S608  (the condition is ours)

AWARDS = """
INSERT INTO incentives_award (run_id, component_id, pool_id, participation_id, guideline, low, high, amount, currency,
  is_held, ineligible_why, is_outside, trace)
SELECT %(run)s, c.component_id, c.pool_id, c.participation_id, c.guideline, c.low, c.high, c.guideline, %(currency)s,
  c.held, c.why, false, c.trace
FROM reward_calc c ORDER BY c.component_id, c.participation_id
ON CONFLICT (run_id, component_id, participation_id) DO NOTHING
"""

LINES = """
INSERT INTO incentives_awardline (award_id, kind, amount, reason, by_id)
SELECT a.id, 'calculated', a.amount, '', %(by)s FROM incentives_award a
WHERE a.run_id = %(run)s AND a.amount > 0 AND NOT EXISTS (
  SELECT 1 FROM incentives_awardline l WHERE l.award_id = a.id AND l.kind <> 'reversal'
    AND NOT EXISTS (SELECT 1 FROM incentives_awardline r WHERE r.reverses_id = l.id))
ORDER BY a.id
"""

SUMMARY = """
SELECT count(*), count(*) FILTER (WHERE why = '' AND guideline > 0), coalesce(sum(guideline), 0),
  count(DISTINCT participation_id) FILTER (WHERE why = ANY(%(left_out)s)) FROM reward_calc
"""


def request_calculation(plan: Plan, *, by: User) -> Job:
    """Ask for a calculation of the open run; a worker does it. Refused where it could not succeed."""
    with transaction.atomic():
        newest = plan.runs.order_by("-number").first()
        if newest is not None and (known := asked_for(CALCULATE, newest)):
            return known
        locked = hold_plan(plan.pk)
        run = locked.runs.order_by("-number").first() or Run.objects.create(plan=locked)
        _rules_of(run, locked)
        _still_open(run)
        url = link("incentives:run", pk=locked.cycle_id)
        return enqueue(CALCULATE, run, by=by, total=_people_of(locked.cycle), url=url)


def _people_of(cycle: Cycle) -> int:
    return cycle.participations.count()


def _rules_of(run: Run, plan: Plan) -> PlanVersion:
    """The published version that holds; for a supplementary run the one that the run before stands on."""
    if run.number > 1 and run.plan_version is not None:
        return run.plan_version
    version = plan.versions.order_by("-number").first()
    if version is None or not plan.is_published:
        raise Refused(
            _("The rules are not published yet. A second person in HR publishes them first.")
        )
    return version


def _still_open(run: Run) -> None:
    if not run.is_open:
        raise Refused(
            _(
                "This run is approved. What is approved is not calculated again. "
                "Open a supplementary run for whom it left out."
            )
        )
    handed_in = (
        Approval.objects.filter(run=run).order_by("manager_id", "-pk").distinct("manager_id")
    )
    if any(row.act != Approval.Act.RETURNED for row in handed_in):
        raise Refused(_("Teams have handed in their recommendations. Return their sheets first."))


# Facts read, rules weighed, pools divided, and one each of `WRITES`.
WRITES = (SHEETS, REVERSALS, CHANGES, AWARDS, LINES)
PARTS_OF_CALCULATION = 3 + len(WRITES)


def calculate(run: Run, *, by: User, step: Step = no_step) -> Run:
    """Calculate every award of a run from the published rules and the facts of today.

    Again with the same facts writes nothing; what has changed is reversed and written anew, and a
    recommendation stays where its guideline stays. Refused once the run is approved or a team has handed in.
    Of whom a fact is missing the rules say nothing: left out, by cause, for a supplementary run.
    """
    with transaction.atomic():
        plan = hold_plan(run.plan_id)
        locked = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
        version = _rules_of(locked, plan)
        _still_open(locked)
        pools = list(
            Pool.objects.select_for_update(of=("self",)).filter(component__plan=plan).order_by("pk")
        )
        components = rules.components_of(version.content)
        values: dict[str, Any] = {
            "run": locked.pk,
            "by": by.pk,
            "currency": plan.cycle.currency,
            "again": _("calculated again"),
            "plan": plan.pk,
            "left_out": list(rules.LEFT_OUT),
        }
        follow_departures(plan.cycle, plan.cycle.local_day(timezone.now()))
        part = in_parts(step, _people_of(plan.cycle), PARTS_OF_CALCULATION)
        with connection.cursor() as cursor:
            read_facts(cursor, plan.cycle)
            part()
            weigh(cursor, components, plan.cycle.currency, run=locked.pk)
            if locked.number > 1:
                _only_who_is_left(cursor, pools, values)
            part()
            divide(cursor, pools)
            part()
            for statement in WRITES:
                cursor.execute(statement, values)
                part()
            cursor.execute(SUMMARY, values)
            people, paid, total, left_out = cursor.fetchone()
        if locked.state == Run.State.DRAFT:
            locked.state = Run.State.CALCULATED
        locked.plan_version, locked.calculated_by, locked.calculated_at = (
            version,
            by,
            timezone.now(),
        )
        locked.version += 1
        locked.save()
        record(
            "calculated",
            locked,
            by=by,
            stream=f"cycle:{plan.cycle_id}",
            rules=version.number,
            awards=people,
            paid=paid,
            total=str(total),
            left_out=left_out,
        )
        if locked.state == Run.State.RECOMMENDING:
            # Who has nobody left to recommend for has not done their sheet.
            settle_cycle("calculated_again", plan.cycle_id, by=by, apps=["incentives"])
    return locked


def read_facts(cursor: Any, cycle: Cycle) -> None:
    """Everybody's facts into `reward_facts`, which lasts as long as the transaction."""
    cursor.execute("DROP TABLE IF EXISTS reward_facts, reward_calc, reward_pool")
    sql, values = _facts(cycle, None)
    cursor.execute(f"CREATE TEMPORARY TABLE reward_facts ON COMMIT DROP AS {sql}", values)


def _facts(cycle: Cycle, only: int | None) -> tuple[str, dict[str, Any]]:
    """The statement of the facts, of everybody or of one participation, and its parameters."""
    values: dict[str, Any] = {
        "cycle": cycle.pk,
        "first": cycle.first_day,
        "last": cycle.last_day,
        "only": only,
        "today": cycle.local_day(timezone.now()),
        "days": (cycle.last_day - cycle.first_day).days + 1,
    }
    whom: dict[str, Any] = (
        {"participation__cycle": cycle} if only is None else {"participation": only}
    )
    given = (
        Contribution.objects.filter(**whom, confirmed_at__isnull=False)
        .order_by()
        .values("participation")
    )
    parts = {
        "goal_scores": Goal.objects.filter(**whom).scores().order_by(),
        "contributions": given.annotate(n=Count("pk")),
    }
    return FACTS.format(
        **{name: _named(name, rows, values) for name, rows in parts.items()}
    ), values


def _named(name: str, rows: QuerySet[Any, Any], values: dict[str, Any]) -> str:
    """A queryset as text whose parameters have names; they join `values`."""
    sql, params = rows.query.sql_with_params()
    names = [f"{name}_{number}" for number in range(len(params))]
    values.update(zip(names, params, strict=True))
    text: str = sql % tuple(f"%({one})s" for one in names)
    return text


def _only_who_is_left(cursor: Any, pools: Iterable[Pool], values: dict[str, Any]) -> None:
    """A supplementary run's people in `reward_calc`. Refused if there is nobody, or nothing left to divide."""
    cursor.execute(SUPPLEMENT, values)
    cursor.execute("SELECT EXISTS (SELECT 1 FROM reward_calc)")
    if not cursor.fetchone()[0]:
        raise Refused(
            _("Nobody is left for this run: the runs before have said something about everybody.")
        )
    cursor.execute(SPENT)
    spent = {row[0] for row in cursor.fetchall()}
    for pool in pools:
        if pool.pk in spent:
            raise Refused(
                _(
                    "Nothing is left of the pool of %(money)s: the run before has handed it out. "
                    "Raise the pool in the reward plan; who approves this run approves that too."
                )
                % {"money": money_text(pool.amount, pool.currency)}
            )


def weigh(
    cursor: Any, components: Sequence[rules.Component], currency: str, *, run: int | None = None
) -> None:
    """The published rules over `reward_facts`, as one statement, into `reward_calc`.

    Pools stand in `reward_pool` with what `run` may give of them; without a run with all they have.
    """
    cursor.execute(POOLS, {"run": run, "components": [c.id for c in components]})
    parts, values = [], []
    for component in components:
        sql, more = _component_sql(component, currency)
        parts.append(sql)
        values += more
    cursor.execute(
        f"CREATE TEMPORARY TABLE reward_calc ON COMMIT DROP AS {' UNION ALL '.join(parts)}", values
    )


def divide(cursor: Any, pools: Iterable[Pool]) -> None:
    """Pools among whom `reward_calc` gives a share of them. Refused if one cannot pay everybody the least."""
    cursor.execute(TOO_SMALL)
    short = dict(cursor.fetchall())
    for pool in pools:
        if pool.pk in short:
            raise Refused(
                _("A pool of %(money)s cannot pay everybody the least amount of its component.")
                % {"money": money_text(short[pool.pk], pool.currency)}
            )
    cursor.execute(DIVIDE)
    cursor.execute(BAND)
    # The trace is put together last: it names the part of the pool.
    cursor.execute(
        "UPDATE reward_calc SET trace = trace || jsonb_build_object('part', part) WHERE part IS NOT NULL"
    )


def _any(names: Sequence[str]) -> str:
    return "(" + " OR ".join(names) + ")" if names else "false"


def _component_sql(component: rules.Component, currency: str) -> tuple[str, list[Any]]:
    """One component over the facts `f`: names and numbers of our own in the text, values as parameters."""
    inner: list[str] = []
    values: list[Any] = []
    for number, rule in enumerate(component.rules):
        sql, more = rules.rule_sql(rule)
        inner.append(f"({sql}) AS q{number}")
        values += more
    fit = [f"q{n} IS TRUE" for n in range(len(component.rules))]
    giving = [n for n, r in enumerate(component.rules) if r.effect == "give"]
    chosen: dict[int, str] = {}
    beaten: dict[int, str] = {}
    for place, number in enumerate(giving):
        before = _any([fit[n] for n in giving[:place]] if component.match == "first" else [])
        beaten[number] = before
        chosen[number] = f"({fit[number]} AND NOT {before})"
    # A rule of which nobody can say whether it fits, and that would still count, names its missing fact.
    missing = [
        f"CASE WHEN q{n} IS NULL AND NOT {beaten.get(n, 'false')} THEN {rules.missing_sql(rule)} END"
        for n, rule in enumerate(component.rules)
        if any(c.fact in rules.MISSING for c in rule.conditions)
    ]
    unknown = f"coalesce({', '.join(missing)})" if missing else "NULL::text"

    def added(basis: str) -> str:
        rows = [n for n in giving if component.rules[n].basis == basis]
        return (
            " + ".join(
                f"CASE WHEN {chosen[n]} THEN {component.rules[n].amount:f} ELSE 0 END" for n in rows
            )
            or "0"
        )

    def effect(name: str) -> str:
        return _any([fit[n] for n, r in enumerate(component.rules) if r.effect == name])

    cuts = [
        f"CASE WHEN {fit[n]} THEN {r.amount:f} ELSE 0 END"
        for n, r in enumerate(component.rules)
        if r.effect == "reduce"
    ]
    hits = [
        f"CASE WHEN {chosen.get(n, fit[n])} THEN {rule.id:d} END"
        for n, rule in enumerate(component.rules)
    ]
    pay = "f.full_time_pay" if component.prorate else "f.annual_pay"
    share = "1"
    if component.prorate:
        share = "f.share_all" if component.unpaid_leave_counts else "f.share_worked"
    unit = f"{component.rounding:f}"
    divides = "true" if component.distributes_pool else "false"
    step = (
        f"CASE WHEN mod(pool.amount, {unit}) = 0 THEN {unit} ELSE 0.01 END"
        if component.distributes_pool
        else unit
    )
    least = "NULL::numeric" if component.minimum is None else f"{component.minimum:f}"
    most = "NULL::numeric" if component.maximum is None else f"{component.maximum:f}"
    text = f"""
SELECT {component.id:d}::bigint AS component_id, w.participation_id, w.pool_id, w.why, w.held AND w.why = '' AS held,
  w.gross, {component.band_percent:f} AS band, w.pool_id IS NOT NULL AND {divides} AS divides, w.unit,
  {least} AS minimum, {most} AS maximum,
  CASE WHEN w.gross <= 0 OR (w.pool_id IS NOT NULL AND {divides}) THEN 0
    ELSE least(greatest(round(w.gross / {unit}, 0) * {unit}, {least}), {most}) END::numeric(14,2) AS guideline,
  0::numeric(14,2) AS low, 0::numeric(14,2) AS high, NULL::jsonb AS part,
  jsonb_build_object('hits', to_jsonb(w.hits), 'percent', w.percent::text, 'fixed', w.fixed::text,
    'pay', coalesce(w.pay, 0)::text, 'share', w.share::text, 'cut', w.cut::text, 'gross', w.gross::text) AS trace
FROM (
  SELECT v.*, CASE WHEN v.why = '' THEN (coalesce(v.pay, 0) * v.percent * 0.01 + v.fixed) * v.share * (1 - v.cut * 0.01)
    ELSE 0 END AS gross
  FROM (
    SELECT f.participation_id, {added("percent")} AS percent, {added("fixed")} AS fixed, {pay} AS pay, {share} AS share,
      array_remove(ARRAY[{", ".join(hits) or "NULL"}]::bigint[], NULL) AS hits,
      greatest({", ".join([*cuts, "e.cut", "0"])}) AS cut,
      {effect("hold")} OR coalesce(e.hold, false) AS held,
      pool.id AS pool_id, {step} AS unit,
      CASE WHEN f.has_left THEN 'left'
        WHEN {"true" if component.needs_pay else "false"} AND f.annual_pay IS NULL THEN 'no_pay'
        WHEN f.currency <> '' AND f.currency <> %s THEN 'currency'
        WHEN {"true" if component.asks_rating else "false"} AND f.rating IS NULL THEN 'no_rating'
        WHEN {unknown} IS NOT NULL THEN {unknown}
        WHEN {share} <= 0 THEN 'no_days'
        WHEN NOT {_any(list(chosen.values()))} THEN 'no_rule'
        WHEN {effect("zero")} OR coalesce(e.zero, false) OR greatest({", ".join([*cuts, "e.cut", "0"])}) >= 100
          THEN 'restrained'
        ELSE '' END AS why
    FROM (SELECT f.*{"".join(", " + sql for sql in inner)} FROM reward_facts f) f
    LEFT JOIN LATERAL (
      SELECT bool_or(x.effect = 'zero') AS zero, bool_or(x.effect = 'hold') AS hold,
        max(x.percent) FILTER (WHERE x.effect = 'reduce') AS cut
      FROM jsonb_to_recordset(f.restraints) AS x(kind text, effect text, percent numeric) WHERE x.kind = %s
    ) e ON f.restraints <> '[]'
    LEFT JOIN LATERAL (
      SELECT p.id, p.amount FROM reward_pool p
      WHERE p.component_id = {component.id:d} AND starts_with(f.unit_path, p.path)
      ORDER BY length(p.path) DESC LIMIT 1
    ) pool ON true
  ) v
) w
"""  # noqa: S608  (numbers from decimals of ours, all texts are parameters)
    return text, [currency, *values, component.kind]


def facts_of(cycle: Cycle, participation: Participation) -> dict[str, Any]:
    """One person's facts of today, as they would be stored with a run. One statement."""
    sql, values = _facts(cycle, participation.pk)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {STORED} FROM ({sql}) f", values)  # noqa: S608
        found: dict[str, Any] | str = cursor.fetchone()[0]
    return json.loads(found) if isinstance(found, str) else found
