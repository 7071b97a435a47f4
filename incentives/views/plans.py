"""The reward plan: HR's working copy, the sentences, the pools, and what everybody reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from incentives import actions, rules
from incentives.actions.plans import names_of
from incentives.forms import ComponentForm, ConditionForm, PoolsForm, RuleForm
from incentives.models import Component, Plan, PlanVersion, Pool, Rule
from incentives.pages import how_it_counts, pool_lines
from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.errors import Refused
from pmcycle.people.models import Unit
from pmcycle.typed import done, read_version, row_number

UNITS_SHOWN = 40


def _plan_cycle(request: UserRequest, pk: int) -> Cycle:
    """A cycle whose working copy the reader may see: HR and auditors."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    if not (request.user.standing.is_hr or request.user.standing.is_auditor):
        raise Http404
    return cycle


def sentences(component: Any, names: rules.Names) -> list[dict[str, Any]]:
    """The rules of a published component or of a row, ready to show."""
    return [
        {"rule": rule, "words": rules.sentence(rule, names), "restrains": rule.effect != "give"}
        for rule in component.rules
    ]


@login_required
@require_GET
def plan(request: UserRequest, pk: int) -> HttpResponse:
    """The working copy: components with their sentences and pools, and whether it is published."""
    cycle = _plan_cycle(request, pk)
    found = (
        Plan.objects.visible_to(request.user)
        .filter(cycle=cycle)
        .select_related("drafted_by", "published_by")
        .prefetch_related(
            Prefetch("components", Component.objects.order_by("pk")),
            "components__rules",
            Prefetch(
                "components__pools", Pool.objects.select_related("unit").order_by("unit__path")
            ),
        )
        .first()
    )
    names = names_of(cycle)
    cards = []
    for component in found.components.all() if found else ():
        shown = {r.pk: r for r in component.rules.all()}
        row = rules.components_of({"components": [_as_content(component)]})[0]
        cards.append(
            {
                "component": component,
                "facts": how_it_counts(row, cycle.currency),
                "pools": pool_lines(list(component.pools.all()), cycle.currency),
                "sentences": [{**s, "row": shown[s["rule"].id]} for s in sentences(row, names)],
            }
        )
    taken = {c["component"].kind for c in cards}
    context = {
        "cycle": cycle,
        "plan": found,
        "cards": cards,
        "kinds": [(k.value, k.label) for k in Component.Kind if k.value not in taken],
        "may_edit": request.user.standing.is_hr_admin
        and cycle.state in (Cycle.State.DRAFT, Cycle.State.RUNNING),
        "is_author": bool(found and found.drafted_by_id == request.user.pk),
        "may_run": request.user.standing.is_hr,
    }
    return render(request, "incentives/plan.html", context)


def _as_content(component: Component) -> dict[str, Any]:
    """One component of the working copy in the shape that is published, from rows already read."""
    return {
        **{name: getattr(component, name) for name in ("kind", *actions.COMPONENT_FIELDS)},
        "id": component.pk,
        "rules": [
            {
                "id": r.pk,
                "position": r.position,
                "conditions": r.conditions,
                "effect": r.effect,
                "basis": r.basis,
                "amount": r.amount,
            }
            for r in component.rules.all()
        ],
    }


@login_required
@require_POST
def start_plan(request: UserRequest, pk: int) -> HttpResponse:
    """Begin a plan for a cycle."""
    cycle = _hr_cycle(request, pk)
    actions.start_plan(cycle, by=request.user)
    return redirect("incentives:plan", pk=cycle.pk)


def _hr_cycle(request: UserRequest, pk: int) -> Cycle:
    """A cycle that HR admins change; HR partners and auditors hear that reading is theirs."""
    cycle = _plan_cycle(request, pk)
    if not request.user.standing.is_hr_admin:
        raise PermissionDenied(_("You may read this, but changing it is not yours to do."))
    return cycle


def _own_plan(request: UserRequest, pk: int) -> Plan:
    return get_editable(Plan, request.user, cycle=_hr_cycle(request, pk))


@login_required
@require_POST
def add_component(request: UserRequest, pk: int) -> HttpResponse:
    """Add merit rise, bonus or one-off award to the plan."""
    plan = _own_plan(request, pk)
    kind = request.POST.get("kind", "")
    if kind not in Component.Kind.values:
        raise Refused(_("Choose merit rise, bonus or one-off award."))
    component = actions.add_component(plan, kind, by=request.user)
    return redirect("incentives:edit_component", pk=component.pk)


@login_required
@require_http_methods(["GET", "POST"])
def edit_component(request: UserRequest, pk: int) -> HttpResponse:
    """How a component counts: match, band, rounding, pool, proration."""
    component = get_editable(Component.objects.select_related("plan__cycle"), request.user, pk=pk)
    if request.method == "GET":
        actions.judge_planning(component.plan.cycle)
    first = {
        name: getattr(component, name) for name in ComponentForm.base_fields if name != "version"
    }
    first["rounding"] = rules.plain(component.rounding)
    form = ComponentForm(request.POST or None, initial={**first, "version": component.version})
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        version = values.pop("version")
        if done(
            form,
            lambda: actions.edit_component(component, values, version=version, by=request.user),
        ):
            messages.success(
                request, _("Saved. The rules wait for a second person to publish them.")
            )
            return redirect("incentives:plan", pk=component.plan.cycle_id)
    context = {"form": form, "component": component, "cycle": component.plan.cycle}
    return render(request, "incentives/component.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def remove_component(request: UserRequest, pk: int) -> HttpResponse:
    """Take a component out of the plan."""
    component = get_editable(Component.objects.select_related("plan"), request.user, pk=pk)
    actions.remove_component(component, version=read_version(request), by=request.user)
    return redirect("incentives:plan", pk=component.plan.cycle_id)


# --- Sentences -----------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "POST"])
def add_rule(request: UserRequest, pk: int) -> HttpResponse:
    """Write a new sentence."""
    component = get_editable(Component.objects.select_related("plan__cycle"), request.user, pk=pk)
    return _write_rule(request, component, None)


@login_required
@require_http_methods(["GET", "POST"])
def edit_rule(request: UserRequest, pk: int) -> HttpResponse:
    """Write a sentence anew."""
    rule = get_editable(Rule.objects.select_related("component__plan__cycle"), request.user, pk=pk)
    return _write_rule(request, rule.component, rule)


def _write_rule(request: UserRequest, component: Component, rule: Rule | None) -> HttpResponse:
    """The sentence as a form of slots. Adding and taking away a condition works without a script."""
    cycle = component.plan.cycle
    names = names_of(cycle)
    act = request.POST.get("act", "save")
    if request.method == "POST":
        form = RuleForm(request.POST)
        typed = _typed_conditions(request)
        if act == "add" and len(typed) < rules.MAX_CONDITIONS:
            typed.append({})
        elif act.startswith("remove-"):
            gone = row_number(act.removeprefix("remove-"))
            typed = [row for place, row in enumerate(typed) if place != gone]
        lines = [_condition_form(n, names, row, bound=act == "save") for n, row in enumerate(typed)]
        if act == "save" and all([form.is_valid(), *[line.is_valid() for line in lines]]):
            values = {
                **form.cleaned_data,
                "conditions": [line.condition for line in lines if line.condition],
            }
            version = values.pop("version")
            if done(form, lambda: _save_rule(component, rule, values, version, request)):
                messages.success(
                    request, _("Saved. The rules wait for a second person to publish them.")
                )
                return redirect("incentives:plan", pk=cycle.pk)
        if act != "save":
            form = RuleForm(
                initial={name: request.POST.get(name, "") for name in RuleForm.base_fields}
            )
    else:
        actions.judge_planning(cycle)
        stored = (
            [_shown(rules.condition_from(c), names) for c in rule.conditions]
            if rule
            else [{"fact": "rating", "op": "at_least"}]
        )
        lines = [_condition_form(n, names, row, bound=False) for n, row in enumerate(stored)]
        first = (
            {"effect": rule.effect, "basis": rule.basis, "amount": rules.plain(rule.amount)}
            if rule
            else {}
        )
        form = RuleForm(initial={**first, "version": rule.version if rule else 0})
    wrong = bool(request.method == "POST" and act == "save")
    context = {
        "form": form,
        "lines": lines,
        "component": component,
        "rule": rule,
        "cycle": cycle,
        "facts": rules.FACTS,
        "values": [*names.levels.values(), *sorted(set(names.units.values()))[:UNITS_SHOWN]],
        "may_add": len(lines) < rules.MAX_CONDITIONS,
        "heading": _("Edit a rule") if rule else _("Write a rule"),
    }
    return render(request, "incentives/rule.html", context, status=422 if wrong else 200)


def _save_rule(
    component: Component,
    rule: Rule | None,
    values: dict[str, Any],
    version: int,
    request: UserRequest,
) -> None:
    if rule is None:
        actions.add_rule(component, values, by=request.user)
    else:
        actions.edit_rule(rule, values, version=version, by=request.user)


def _typed_conditions(request: UserRequest) -> list[dict[str, str]]:
    """The rows of slots as they were sent, in their order."""
    found = []
    for number in range(rules.MAX_CONDITIONS):
        row = {
            name: request.POST[f"c{number}-{name}"]
            for name in ("fact", "op", "value")
            if f"c{number}-{name}" in request.POST
        }
        if row:
            found.append(row)
    return found


def _condition_form(
    number: int, names: rules.Names, row: dict[str, Any], *, bound: bool
) -> ConditionForm:
    prefix = f"c{number}"
    if bound:
        return ConditionForm(
            {f"{prefix}-{k}": v for k, v in row.items()}, prefix=prefix, names=names
        )
    return ConditionForm(initial=row, prefix=prefix, names=names)


def _shown(condition: rules.Condition, names: rules.Names) -> dict[str, str]:
    is_name = condition.kind in ("level", "unit", "grade")
    value = rules.value_words(condition, names) if is_name else rules.plain(condition.number)
    return {"fact": condition.fact, "op": condition.op, "value": value}


@login_required
@require_POST
def move_rule(request: UserRequest, pk: int) -> HttpResponse:
    """One place up or down."""
    rule = get_editable(Rule.objects.select_related("component__plan"), request.user, pk=pk)
    actions.move_rule(rule, up=request.POST.get("direction", "up") == "up", by=request.user)
    return redirect("incentives:plan", pk=rule.component.plan.cycle_id)


@login_required
@require_POST
def remove_rule(request: UserRequest, pk: int) -> HttpResponse:
    """Take a sentence out of the working copy."""
    rule = get_editable(Rule.objects.select_related("component__plan"), request.user, pk=pk)
    actions.remove_rule(rule, version=read_version(request), by=request.user)
    return redirect("incentives:plan", pk=rule.component.plan.cycle_id)


# --- Money, publishing ---------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "POST"])
def set_pools(request: UserRequest, pk: int) -> HttpResponse:
    """How much money there is for a component, for all and by unit."""
    component = get_editable(Component.objects.select_related("plan__cycle"), request.user, pk=pk)
    if request.method == "GET":
        actions.judge_planning(component.plan.cycle)
    pools = {p.unit_id: p.amount for p in component.pools.all()}
    units = list(Unit.objects.visible_to(request.user).order_by("path")[:UNITS_SHOWN])
    first = {f"unit_{u.pk}": pools.get(u.pk) for u in units} | {
        "whole": pools.get(None),
        "version": component.version,
    }
    form = PoolsForm(request.POST or None, units=units, initial=first)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data

        def save() -> None:
            actions.set_pools(
                component, data["whole"], form.by_unit(), version=data["version"], by=request.user
            )

        if done(form, save):
            messages.success(request, _("Saved."))
            return redirect("incentives:plan", pk=component.plan.cycle_id)
    fields = [{"field": form[f"unit_{u.pk}"], "depth": u.path.count("/") - 1} for u in units]
    context = {
        "form": form,
        "fields": fields,
        "component": component,
        "cycle": component.plan.cycle,
        "total": sum(pools.values(), Decimal(0)),
    }
    return render(request, "incentives/pools.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def publish(request: UserRequest, pk: int) -> HttpResponse:
    """The second person's yes to the rules."""
    plan = _own_plan(request, pk)
    actions.publish(plan, version=read_version(request), by=request.user)
    messages.success(request, _("Published. Everybody can read these rules now."))
    return redirect("incentives:plan", pk=pk)


@login_required
@require_GET
def criteria(request: UserRequest, pk: int) -> HttpResponse:
    """The published rules as everybody reads them; never the pools."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    if request.user.standing.is_it_admin:
        raise Http404
    version = (
        PlanVersion.objects.visible_to(request.user)
        .filter(plan__cycle=cycle)
        .order_by("-number")
        .first()
    )
    names = names_of(cycle)
    components = rules.components_of(version.content) if version else []
    context = {
        "cycle": cycle,
        "version": version,
        "cards": [
            {
                "component": c,
                "facts": how_it_counts(c, cycle.currency),
                "sentences": sentences(c, names),
            }
            for c in components
        ],
        "may_try": bool(
            version and Participation.objects.mine(request.user).filter(cycle=cycle).exists()
        ),
        "sees_plan": request.user.standing.is_hr or request.user.standing.is_auditor,
    }
    return render(request, "incentives/criteria.html", context)


@login_required
@require_GET
def rehearse(request: UserRequest, pk: int) -> HttpResponse:
    """What the working copy would have given in an earlier cycle: who gains, who loses, in groups."""
    cycle = _plan_cycle(request, pk)
    plan = get_visible(Plan.objects.select_related("cycle"), request.user, cycle=cycle)
    past = list(
        Cycle.objects.visible_to(request.user)
        .exclude(state=Cycle.State.DRAFT)
        .order_by("-first_day", "-pk")[:20]
    )
    chosen = next((c for c in past if str(c.pk) == request.GET.get("on", "")), None)
    if chosen is None:
        chosen = next((c for c in past if c.pk != cycle.pk), past[0] if past else None)
    found: dict[str, Any] = {"rows": []}
    if chosen is not None and plan.components.filter(rules__isnull=False).exists():
        found = actions.rehearse(plan, chosen)
    context = {
        "cycle": cycle,
        "plan": plan,
        "past": past,
        "chosen": chosen,
        "found": found,
        **_grouped(found["rows"], names_of(cycle)),
    }
    return render(request, "incentives/rehearse.html", context)


# Groups of fewer people than this are not shown: an amount in a small group is somebody's amount.
SMALLEST_GROUP = 3


def _grouped(rows: list[dict[str, Any]], names: rules.Names) -> dict[str, Any]:
    words = {
        "part": _("Part-time"),
        "full": _("Full-time"),
        "yes": _("With absence"),
        "no": _("Without absence"),
        "": _("None"),
    }
    titles = {
        "rating": _("By rating"),
        "grade": _("By grade"),
        "fte": _("By working time"),
        "leave": _("By absence"),
    }
    groups = []
    for kind, title in titles.items():
        lines = []
        for row in rows:
            if row["kind"] != kind:
                continue
            label = row["label"]
            if kind == "rating":
                label = names.levels.get(int(label), label) if label else _("No rating")
            elif kind != "grade" or not label:
                label = words.get(label, label)
            lines.append({**row, "label": label, "is_small": row["people"] < SMALLEST_GROUP})
        groups.append({"title": title, "rows": lines})
    return {
        "total": next((r for r in rows if r["kind"] == "all"), None),
        "groups": groups if rows else [],
    }
