"""Writing the reward plan, publishing it as a second person, copying and checking it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import (
    BigIntegerField,
    CharField,
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    QuerySet,
    Sum,
    TextField,
    Value,
    Window,
)
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incentives import rules
from incentives.actions.calculating import divide, read_facts, weigh
from incentives.actions.holding import hold_plan_of_open_cycle, judge_planning
from incentives.models import Award, Component, Plan, PlanVersion, Pool, Rule, Run
from pmcycle.activity.actions import Tell, record
from pmcycle.cycles.actions import link
from pmcycle.cycles.models import Cycle, RatingLevel
from pmcycle.cycles.rules import Finding
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import Employee, PayRange, Role, RoleGrant, Salary, Unit, User
from pmcycle.ui.formats import money_text

COMPONENT_FIELDS = (
    "name",
    "match",
    "band_percent",
    "rounding",
    "distributes_pool",
    "minimum",
    "maximum",
    "prorate",
    "unpaid_leave_counts",
    "takes_effect_on",
)


def content_of(plan: Plan) -> dict[str, Any]:
    """The working copy as it would be published: see `PlanVersion`."""

    def text(number: Decimal | None) -> str | None:
        return None if number is None else rules.plain(Decimal(number))

    return {
        "components": [
            {
                "id": c.pk,
                "kind": c.kind,
                "name": c.name,
                "match": c.match,
                "band_percent": text(c.band_percent),
                "rounding": text(c.rounding),
                "distributes_pool": c.distributes_pool,
                "minimum": text(c.minimum),
                "maximum": text(c.maximum),
                "prorate": c.prorate,
                "unpaid_leave_counts": c.unpaid_leave_counts,
                "takes_effect_on": c.takes_effect_on.isoformat() if c.takes_effect_on else None,
                "rules": [
                    {
                        "id": r.pk,
                        "position": r.position,
                        "conditions": r.conditions,
                        "effect": r.effect,
                        "basis": r.basis,
                        "amount": text(r.amount),
                    }
                    for r in c.rules.all()
                ],
            }
            for c in plan.components.prefetch_related("rules").order_by("pk")
        ]
    }


def names_of(cycle: Cycle) -> rules.Names:
    """What levels and units are called, for sentences. One statement."""
    level, unit = Value("level", CharField()), Value("unit", CharField())
    levels = (
        RatingLevel.objects.filter(scale__cycle=cycle)
        .order_by()
        .annotate(
            kind=level, key=Cast("position", BigIntegerField()), words=Cast("label", TextField())
        )
    )
    units = Unit.objects.order_by().annotate(
        kind=unit, key=F("pk"), words=Cast("name", TextField())
    )
    found: dict[str, dict[int, str]] = {"level": {}, "unit": {}}
    columns = ("kind", "key", "words")
    for kind, key, words in levels.values_list(*columns).union(
        units.values_list(*columns), all=True
    ):
        found[kind][key] = words
    return rules.Names(dict(sorted(found["level"].items())), found["unit"], cycle.currency)


def hr_admins_but(*users: User | None) -> QuerySet[User]:
    """Who could be the second person in HR."""
    grants = RoleGrant.objects.current().filter(role=Role.HR_ADMIN).values("user")
    found: QuerySet[User] = User.objects.filter(pk__in=grants, is_active=True)
    return found.exclude(pk__in=[u.pk for u in users if u])


def _changeable(plan_id: int) -> Plan:
    """The locked plan; its rules may change until a run of it is approved."""
    plan = hold_plan_of_open_cycle(plan_id)
    if Run.objects.approved().filter(plan=plan).exists():
        raise Refused(
            _(
                "A reward run is approved. Its rules stay as they were; "
                "a supplementary run for whom it left out stands on the same ones."
            )
        )
    return plan


def _drafted(plan: Plan, verb: str, *, by: User, **data: Any) -> None:
    """A change of the rules waits to be published again, by somebody else than who wrote it."""
    plan.drafted_by, plan.drafted_at, plan.published_by, plan.published_at = (
        by,
        timezone.now(),
        None,
        None,
    )
    plan.version += 1
    plan.save()
    record(verb, plan, by=by, stream=f"cycle:{plan.cycle_id}", **data)


def start_plan(cycle: Cycle, *, by: User) -> Plan:
    """An empty plan for a cycle; the one there is already, if so."""
    with transaction.atomic():
        judge_planning(Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk))
        plan, made = Plan.objects.get_or_create(cycle=cycle)
        if made:
            _drafted(plan, "plan_started", by=by)
    return plan


def add_component(plan: Plan, kind: str, *, by: User) -> Component:
    """Add merit rise, bonus or one-off award, with sensible settings to begin with."""
    with transaction.atomic():
        locked = _changeable(plan.pk)
        if locked.components.filter(kind=kind).exists():
            raise Refused(_("The plan has this component already."))
        component = Component.objects.create(
            plan=locked, kind=kind, name=str(Component.Kind(kind).label)
        )
        _drafted(locked, "component_added", by=by, kind=kind)
    return component


def edit_component(
    component: Component, values: Mapping[str, Any], *, version: int | None, by: User
) -> Component:
    """Save how a component counts. `values` has the names in `COMPONENT_FIELDS`."""
    if (
        values["minimum"] is not None
        and values["maximum"] is not None
        and values["maximum"] < values["minimum"]
    ):
        raise Invalid("maximum", _("The most is not below the least."))
    with transaction.atomic():
        plan = _changeable(component.plan_id)
        locked: Component = Component.objects.select_for_update().get(pk=component.pk)
        check_version(locked, version, COMPONENT_FIELDS)
        for name in COMPONENT_FIELDS:
            setattr(locked, name, values[name])
        locked.version += 1
        locked.save()
        _drafted(plan, "component_edited", by=by, component=locked.pk, version=locked.version)
    return locked


def remove_component(component: Component, *, version: int | None, by: User) -> None:
    """Take a component out of the plan. Refused once amounts stand on it."""
    with transaction.atomic():
        plan = _changeable(component.plan_id)
        locked: Component = Component.objects.select_for_update().get(pk=component.pk)
        check_version(locked, version)
        if locked.awards.exists():
            raise Refused(_("Amounts have been calculated from it. Empty its rules instead."))
        _drafted(plan, "component_removed", by=by, kind=locked.kind)
        locked.delete()


def _check_conditions(conditions: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Conditions as they are stored. Raises `Invalid` for anything outside the closed list of facts."""
    if len(conditions) > rules.MAX_CONDITIONS:
        raise Invalid("conditions", _("A rule has at most %d conditions.") % rules.MAX_CONDITIONS)
    stored = []
    for row in conditions:
        try:
            condition = rules.condition_from(row)
        except (ValueError, ArithmeticError) as error:
            raise Invalid("conditions", _("One of the conditions cannot be read.")) from error
        value = (
            condition.value if isinstance(condition.value, str) else rules.plain(condition.value)
        )
        stored.append({"fact": condition.fact, "op": condition.op, "value": value})
    return stored


def _check_amount(values: Mapping[str, Any]) -> None:
    amount = values["amount"]
    if values["effect"] == Rule.Effect.GIVE and amount <= 0:
        raise Invalid("amount", _("Say how much it gives."))
    if values["effect"] == Rule.Effect.REDUCE and not 0 < amount <= 100:
        raise Invalid("amount", _("A reduction is more than 0 and at most 100 %."))
    if (
        values["effect"] == Rule.Effect.GIVE
        and values["basis"] == Rule.Basis.PERCENT_OF_PAY
        and amount > 100
    ):
        raise Invalid("amount", _("More than a whole year of pay is no reward rule."))


def _fill(rule: Rule, values: Mapping[str, Any]) -> None:
    rule.conditions = _check_conditions(values["conditions"])
    _check_amount(values)
    rule.effect, rule.basis = values["effect"], values["basis"]
    has_amount = values["effect"] in (Rule.Effect.GIVE, Rule.Effect.REDUCE)
    rule.amount = values["amount"] if has_amount else Decimal(0)


def add_rule(component: Component, values: Mapping[str, Any], *, by: User) -> Rule:
    """Append a sentence. `values`: conditions (fact, op, value), effect, basis, amount."""
    with transaction.atomic():
        plan = _changeable(component.plan_id)
        found = component.rules.aggregate(last=Max("position"), count=Count("pk"))
        if found["count"] >= rules.MAX_RULES:
            raise Refused(_("A component has at most %d rules.") % rules.MAX_RULES)
        rule = Rule(component=component, position=(found["last"] or 0) + 1)
        _fill(rule, values)
        rule.save()
        _drafted(plan, "rule_added", by=by, rule=rule.pk)
    return rule


def edit_rule(rule: Rule, values: Mapping[str, Any], *, version: int | None, by: User) -> Rule:
    """Save another wording of a sentence."""
    with transaction.atomic():
        plan = _changeable(rule.component.plan_id)
        locked: Rule = Rule.objects.select_for_update().get(pk=rule.pk)
        check_version(locked, version, ("effect", "basis", "amount"))
        _fill(locked, values)
        locked.version += 1
        locked.save()
        _drafted(plan, "rule_edited", by=by, rule=locked.pk, version=locked.version)
    return locked


def move_rule(rule: Rule, *, up: bool, by: User) -> None:
    """Put a rule one place up or down; the order decides where only the first that fits counts."""
    with transaction.atomic():
        plan = _changeable(rule.component.plan_id)
        ordered = list(
            Rule.objects.select_for_update()
            .filter(component=rule.component_id)
            .order_by("position")
        )
        here = next((n for n, r in enumerate(ordered) if r.pk == rule.pk), None)
        if here is None:
            raise Refused(_("This rule is gone."))
        there = here + (-1 if up else 1)
        if not 0 <= there < len(ordered):
            return
        one, other = ordered[here], ordered[there]
        one.position, other.position = other.position, one.position
        Rule.objects.bulk_update([one, other], ["position"])
        _drafted(plan, "rule_moved", by=by, rule=rule.pk, direction="up" if up else "down")


def remove_rule(rule: Rule, *, version: int | None, by: User) -> None:
    """Take a sentence out of the working copy; published versions keep it."""
    with transaction.atomic():
        plan = _changeable(rule.component.plan_id)
        locked: Rule = Rule.objects.select_for_update().get(pk=rule.pk)
        check_version(locked, version)
        _drafted(
            plan,
            "rule_removed",
            by=by,
            rule=locked.pk,
            conditions=locked.conditions,
            effect=locked.effect,
        )
        locked.delete()


def set_pools(
    component: Component,
    whole: Decimal | None,
    by_unit: Mapping[int, Decimal],
    *,
    version: int | None,
    by: User,
) -> Component:
    """Save the money of a component: for everybody (`whole`), and apart for some units' subtrees.

    Money is no rule, so this needs no new publication; it may change while no run is approved, and while a
    supplementary run is open, whose approval covers it; but is never lowered below what is given: by approved
    runs, and by the amounts from which managers recommend. One that is overspent may be raised little by little.
    """
    with transaction.atomic():
        plan = hold_plan_of_open_cycle(component.plan_id)
        newest = Run.objects.filter(plan=plan).order_by("-number").first()
        if newest is not None and not newest.is_open:
            raise Refused(
                _(
                    "The reward run is approved, and its pools stay as they were. "
                    "While a supplementary run is open they can be raised."
                )
            )
        locked: Component = Component.objects.select_for_update().get(pk=component.pk)
        check_version(locked, version)
        old = {p.unit_id: p for p in Pool.objects.select_for_update().filter(component=locked)}
        asked: list[tuple[int | None, Decimal]] = [*by_unit.items()]
        wanted = dict([*asked, (None, whole)] if whole is not None else asked)
        for gone, pool in old.items():
            if gone not in wanted:
                if pool.awards.exists():
                    raise Invalid(
                        "whole",
                        _(
                            "Amounts stand on a pool that you are taking away. Set it to 0 or keep it."
                        ),
                    )
                pool.delete()
        stays = [pool.pk for place, pool in old.items() if place in wanted]
        given = dict(
            Award.objects.on_the_table()
            .filter(pool__in=stays)
            .order_by()
            .values_list("pool")
            .annotate(total=Sum("amount"))
        )
        for place, money in wanted.items():
            known = old.get(place)
            least = given.get(known.pk, Decimal(0)) if known else Decimal(0)
            if known and money < min(known.amount, least):
                raise Invalid(
                    "whole" if place is None else f"unit_{place}",
                    _("%s is given of this pool. It cannot hold less; have amounts lowered first.")
                    % money_text(least, plan.cycle.currency),
                )
            if known is None:
                Pool.objects.create(
                    component=locked, unit_id=place, amount=money, currency=plan.cycle.currency
                )
            elif known.amount != money:
                known.amount = money
                known.version += 1
                known.save(update_fields=["amount", "version"])
        locked.version += 1
        locked.save(update_fields=["version"])
        total = sum(wanted.values(), Decimal(0))
        record(
            "pools_set",
            locked,
            by=by,
            stream=f"cycle:{plan.cycle_id}",
            total=str(total),
            pools=len(wanted),
        )
    return locked


def publish(plan: Plan, *, version: int | None, by: User) -> PlanVersion:
    """Make the working copy what holds, as a second person; everybody can read it from then on."""
    with transaction.atomic():
        locked = _changeable(plan.pk)
        check_version(locked, version)
        if locked.is_published:
            raise Refused(_("These rules are published already."))
        if locked.drafted_by_id == by.pk:
            raise Refused(
                _("You wrote the latest change. A second person in HR publishes the rules.")
            )
        content = content_of(locked)
        if not any(c["rules"] for c in content["components"]):
            raise Refused(_("There is no rule to publish yet."))
        if any(not c["rules"] for c in content["components"]):
            raise Refused(_("A component has no rule yet. Write one, or take the component out."))
        number = (locked.versions.aggregate(m=Max("number"))["m"] or 0) + 1
        published = PlanVersion.objects.create(
            plan=locked,
            number=number,
            content=content,
            drafted_by=locked.drafted_by,
            published_by=by,
        )
        locked.published_by, locked.published_at = by, timezone.now()
        locked.version += 1
        locked.save()
        tells = []
        if locked.drafted_by and locked.drafted_by.is_active:
            url, key = link("incentives:plan", pk=locked.cycle_id), f"plan-published:{published.pk}"
            tells = [Tell(locked.drafted_by_id or 0, _("The reward rules are published"), url, key)]
        record(
            "published",
            locked,
            by=by,
            stream=f"cycle:{locked.cycle_id}",
            number=number,
            notify=tells,
        )
    return published


# --- The stage's part --------------------------------------------------------------------------------


def copy_plan(old: Cycle, new: Cycle, by: User) -> None:
    """Bring components, rules and pools of an earlier cycle into a copied one, as a working copy."""
    source = Plan.objects.filter(cycle=old).first()
    if source is None or Plan.objects.filter(cycle=new).exists():
        return
    plan = Plan.objects.create(cycle=new, drafted_by=by, drafted_at=timezone.now())
    for component in list(source.components.prefetch_related("rules", "pools")):
        sentences, pools = list(component.rules.all()), list(component.pools.all())
        component.pk, component.plan, component.version = None, plan, 1
        component.takes_effect_on = None  # a day of the earlier cycle
        component._state.adding = True
        component.save(force_insert=True)
        Rule.objects.bulk_create(
            Rule(
                component=component,
                position=r.position,
                conditions=r.conditions,
                effect=r.effect,
                basis=r.basis,
                amount=r.amount,
            )
            for r in sentences
        )
        Pool.objects.bulk_create(
            Pool(component=component, unit=p.unit, amount=p.amount, currency=new.currency)
            for p in pools
        )


def check_plan(cycle: Cycle, people: QuerySet[Employee]) -> list[Finding]:
    """What stands against rewarding anybody: no rule, not published, no pay, no pay range, no pool."""
    url = link("incentives:plan", pk=cycle.pk)
    fix = _("Open the reward plan")
    own_rules = Rule.objects.filter(component=OuterRef("pk"))
    shares = own_rules.filter(effect=Rule.Effect.GIVE, basis=Rule.Basis.PERCENT_OF_PAY)
    components = list(
        Component.objects.filter(plan__cycle=cycle)
        .select_related("plan")
        .annotate(
            has_rules=Exists(own_rules),
            has_pool=Exists(Pool.objects.filter(component=OuterRef("pk"))),
            gives_shares=Exists(shares),
            asks_ranges=Exists(own_rules.filter(conditions__contains=[{"fact": "compa_ratio"}])),
            ranges_on_file=Exists(PayRange.objects.all()),
        )
    )
    if not components:
        return []  # a cycle without rewards is a cycle too; the step of the setting-up says that there is no plan
    found = []
    empty = [c.name for c in components if not c.has_rules]
    if empty:
        sentence = _("These parts of the reward plan have no rule: %s.") % ", ".join(empty)
        found.append(
            Finding(
                "incentives:no_rule", sentence, is_error=True, count=len(empty), url=url, fix=fix
            )
        )
    elif not components[0].plan.is_published:
        sentence = _("The reward rules wait for a second person to publish them.")
        found.append(Finding("incentives:unpublished", sentence, url=url, fix=fix))
    if any(c.distributes_pool and not c.has_pool for c in components):
        sentence = _("A part of the plan that hands out its whole pool has no pool.")
        found.append(Finding("incentives:no_pool", sentence, url=url, fix=fix))
    if any(c.gives_shares for c in components):
        found += _without_pay(people)
    if any(c.asks_ranges and not c.ranges_on_file for c in components):
        sentence = _("A rule asks about pay ranges, and none are on file.")
        found.append(
            Finding(
                "incentives:no_range",
                sentence,
                url=link("people:imports"),
                fix=_("Import pay ranges"),
            )
        )
    return found


def _without_pay(people: QuerySet[Employee]) -> list[Finding]:
    """Whom a share of pay cannot be given to. One statement: the first five names, and how many in all."""
    unpaid = people.filter(~Exists(Salary.objects.filter(employee=OuterRef("pk"))))
    rows = list(unpaid.annotate(n=Window(Count("pk"))).values_list("name", "n")[:5])
    names = tuple(name for name, _n in rows)
    if not names:
        return []
    count = rows[0][1]
    sentence = ngettext(
        "%d person has no pay on file, so no share of pay can be given.",
        "%d people have no pay on file, so no share of pay can be given.",
        count,
    )
    fix = _("Import pay")
    return [
        Finding(
            "incentives:no_pay",
            sentence % count,
            count=count,
            people=names,
            url=link("people:imports"),
            fix=fix,
        )
    ]


# --- Trying rules out ----------------------------------------------------------------------------------


def rehearse(plan: Plan, past: Cycle) -> dict[str, Any]:
    """What the working copy and its pools would have given on a past cycle's facts, and what was given then.

    Nothing is written: the calculation's own tables last as long as the transaction. `rows` are
    amounts by group, never by name (`out` counts those of whom a fact is missing: they neither gain nor
    lose); `pools` what each pool would have given. `refused` says why it
    could not have been calculated at all. A cycle in another currency is weighed without the pools.
    """
    components = rules.components_of(content_of(plan))
    has_pools = past.currency == plan.cycle.currency
    if not has_pools:
        components = [_alone(c) for c in components]
    pools = list(Pool.objects.filter(component__plan=plan)) if has_pools else []
    found: dict[str, Any] = {"rows": [], "pools": [], "refused": "", "has_pools": has_pools}
    with transaction.atomic(), connection.cursor() as cursor:
        read_facts(cursor, past)
        weigh(cursor, components, past.currency)
        try:
            divide(cursor, pools)
        except Refused as refused:
            found["refused"] = refused.reason
        else:
            found["rows"] = _named(cursor, REHEARSAL, {"left_out": list(rules.LEFT_OUT)})
            found["pools"] = _named(cursor, REHEARSED_POOLS, {"pools": [p.pk for p in pools]})
        cursor.execute("DROP TABLE reward_facts, reward_calc, reward_pool")
    return found


def _named(cursor: Any, sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    cursor.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _alone(component: rules.Component) -> rules.Component:
    """The component without its pool: everybody gets what the rules say."""
    return replace(component, distributes_pool=False)


# What each pool would have given; the rules may ask a pool that is not handed out whole for more than it has.
REHEARSED_POOLS = """
SELECT k.name, coalesce(u.name, '') AS unit, p.amount, p.currency, coalesce(sum(c.guideline), 0) AS given,
  p.amount - coalesce(sum(c.guideline), 0) AS left
FROM incentives_pool p JOIN incentives_component k ON k.id = p.component_id
LEFT JOIN people_unit u ON u.id = p.unit_id LEFT JOIN reward_calc c ON c.pool_id = p.id
WHERE p.id = ANY(%(pools)s) GROUP BY p.id, k.id, k.name, u.name, u.path, p.amount, p.currency
ORDER BY k.id, u.path NULLS FIRST
"""

REHEARSAL = """
WITH person AS (
  SELECT c.participation_id, sum(c.guideline) AS new, bool_or(c.why = ANY(%(left_out)s)) AS is_out,
    max((SELECT coalesce(sum(a.amount), 0) FROM incentives_award a
    JOIN incentives_run r ON r.id = a.run_id AND r.state IN ('released', 'exported')
    WHERE a.participation_id = c.participation_id)) AS old
  FROM reward_calc c GROUP BY c.participation_id
),
grouped AS (
  SELECT g.kind, g.label, p.new, p.old, p.is_out FROM person p
  JOIN reward_facts f ON f.participation_id = p.participation_id
  CROSS JOIN LATERAL (VALUES
    ('all', ''), ('grade', f.grade), ('fte', CASE WHEN f.fte < 1 THEN 'part' ELSE 'full' END),
    ('leave', CASE WHEN f.days_absent > 0 THEN 'yes' ELSE 'no' END), ('rating', coalesce(f.rating::text, ''))
  ) AS g(kind, label)
)
SELECT kind, label, count(*) AS people, count(*) FILTER (WHERE new > old AND NOT is_out) AS gain,
  count(*) FILTER (WHERE new < old AND NOT is_out) AS lose, count(*) FILTER (WHERE is_out) AS out,
  count(*) FILTER (WHERE new > 0) AS paid, sum(new) AS new, sum(old) AS old
FROM grouped GROUP BY kind, label ORDER BY kind, label
"""
