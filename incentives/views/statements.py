"""What a person reads about their own rewards: the statement, its file, and the own what-if."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from feedback.models import thread_of
from incentives import actions, rules, why
from incentives.actions.plans import names_of
from incentives.models import OPEN_TO_THE_PERSON, PlanVersion, RestraintEntry, Statement
from incentives.pages import StatementLine, TriedComponent, entry_line, given, how_paid
from incentives.pdf import statement_as_pdf
from incentives.views.plans import sentences
from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.activity.actions import hold_to
from pmcycle.cycles.models import Cycle, Participation, RatingLevel, Relation, StageKind, related


@login_required
@require_GET
def mine(request: UserRequest) -> HttpResponse:
    """One's statements, entries about oneself, and the rules that hold."""
    parts = list(Participation.objects.mine(request.user)[:10])
    own = related(request.user, Relation.SELF)
    statements = list(
        Statement.objects.visible_to(request.user)
        .filter(own)
        .select_related("participation__cycle", "run__plan_version")
        .order_by("-released_at")
    )
    entries = list(
        RestraintEntry.objects.answerable_by(request.user)
        .with_decision_due()
        .select_related("participation__cycle", "participation__employee")
        .order_by("-proposed_at")
    )
    published = set(
        PlanVersion.objects.filter(plan__cycle__in=[p.cycle_id for p in parts]).values_list(
            "plan__cycle", flat=True
        )
    )
    context = {
        "statements": [
            StatementLine(s, given(s.snapshot, _components(s).values())) for s in statements
        ],
        "entries": [entry_line(entry, request.user.employee_id) for entry in entries],
        "parts": [p for p in parts if p.cycle_id in published],
    }
    return render(request, "incentives/mine.html", context)


def _components(statement: Statement) -> dict[int, rules.Component]:
    """The components of the rules that a statement was made from, by their number."""
    version = statement.run.plan_version
    return {c.id: c for c in rules.components_of(version.content)} if version else {}


def _read(request: UserRequest, pk: int) -> tuple[Statement, dict[str, Any]]:
    """The statement and what its page shows, all from the snapshot and the rules it was made from."""
    found = get_visible(
        Statement.objects.filter(run__state__in=OPEN_TO_THE_PERSON).select_related(
            "run__plan__cycle",
            "run__plan_version",
            "participation__employee",
            "participation__cycle",
        ),
        request.user,
        pk=pk,
    )
    content = found.snapshot
    names = names_of(found.run.plan.cycle)
    components = _components(found)
    cards = []
    for award in content["awards"]:
        component = components[award["component"]]
        hits = set(award["trace"].get("hits", []))
        cards.append(
            {
                "award": award,
                "amount": Decimal(award["amount"]),
                "component": component,
                "why_words": str(rules.WHY.get(award["why"], "")),
                "is_left_out": award["why"] in rules.LEFT_OUT,
                "how_paid": how_paid(component),
                "sentences": [s for s in sentences(component, names) if s["rule"].id in hits],
                "tree": why.tree(component, content["facts"], award, names),
                "time": why.time_node(component, content["facts"]) if component.prorate else None,
            }
        )
    return found, {
        "statement": found,
        "content": content,
        "cards": cards,
        "cycle": found.run.plan.cycle,
        "given": given(content, components.values()),
        "before": Decimal(content["pay_before"]) if content["pay_before"] else None,
        "after": Decimal(content["pay_after"]) if content["pay_after"] else None,
        "is_own": found.participation.employee_id == request.user.employee_id,
        "has_left": found.participation.state == Participation.State.LEFT,
    }


@login_required
@require_GET
def statement(request: UserRequest, pk: int) -> HttpResponse:
    """The released statement: amounts, pay before and after, the rules' text, the tree."""
    found, context = _read(request, pk)
    context["thread"] = thread_of(found.participation, StageKind.INCENTIVES, request.user)
    return render(request, "incentives/statement.html", context)


@login_required
@require_GET
def statement_pdf(request: UserRequest, pk: int) -> HttpResponse:
    """The same as a file."""
    found, context = _read(request, pk)
    hold_to("costly", request.user.pk)
    response = HttpResponse(statement_as_pdf(found, context), content_type="application/pdf")
    name = slugify(f"rewards-{context['content']['cycle']}") or "rewards"
    response["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response


@login_required
@require_POST
def acknowledge(request: UserRequest, pk: int) -> HttpResponse:
    """I have read it."""
    found = get_editable(Statement, request.user, pk=pk)
    actions.acknowledge(found, by=request.user)
    messages.success(request, _("Noted that you have read it."))
    return redirect("incentives:statement", pk=found.pk)


@login_required
@require_GET
def what_if(request: UserRequest, pk: int) -> HttpResponse:
    """What the published rules would give oneself at each rating. Nobody else's facts, and no pool."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    part = (
        Participation.objects.filter(cycle=cycle, employee=request.user.employee_id or 0)
        .select_related("unit")
        .first()
    )
    version = (
        PlanVersion.objects.visible_to(request.user)
        .filter(plan__cycle=cycle)
        .order_by("-number")
        .first()
    )
    if part is None:
        raise Http404
    rows: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    components = rules.components_of(version.content) if version else []
    if version is not None:
        facts = actions.facts_of(cycle, part)
        person = rules.person_from(facts)
        levels = list(
            RatingLevel.objects.filter(scale__cycle=cycle)
            .order_by("position")
            .values_list("position", "label", "value")
        )
        names = rules.Names(
            {position: label for position, label, _value in levels},
            {part.unit.pk: part.unit.name} if part.unit else {},
            cycle.currency,
        )
        for position, label, value in levels:
            said = rules.at_rating(components, person, position, value, currency=cycle.currency)
            rows.append({"label": label, "parts": said})
        shown = [
            {"label": rules.FACTS[name].label, "value": why.fact_words(name, facts, names)}
            for name in rules.FACTS
            if name not in ("rating", "rating_value")
        ]
    context = {
        "cycle": cycle,
        "version": version,
        "rows": rows,
        "facts": shown,
        "names": [component.name for component in components],
        "tried": [
            TriedComponent(
                component,
                [
                    (r["label"], r["parts"][n].amount)
                    for r in rows
                    if r["parts"][n].amount is not None
                ],
            )
            for n, component in enumerate(components)
        ],
        "divides": any(c.distributes_pool for c in components),
    }
    return render(request, "incentives/what_if.html", context)
