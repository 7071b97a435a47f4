"""Rewards of the demo company: published rules, a calculated run that managers are looking at, one restraint."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from feedback.models import Entry
from incentives import actions
from incentives.models import Award, Component, Plan, Run
from pmcycle.access import today
from pmcycle.home.demo import texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import DemoCycle
from pmcycle.home.demo.talks import TOLD_IN_SEPTEMBER

# (conditions, effect, basis, amount), in order; the first that fits counts.
BONUS: list[tuple[list[dict[str, str]], str, str, str]] = [
    ([{"fact": "months_worked", "op": "less_than", "value": "6"}], "zero", "percent", "0"),
    ([{"fact": "rating", "op": "is", "value": "5"}], "give", "percent", "9"),
    ([{"fact": "rating", "op": "at_least", "value": "4"}], "give", "percent", "6"),
    (
        [{"fact": "rating", "op": "at_least", "value": "3"}, {"fact": "goal_score", "op": "at_least", "value": "80"}],
        "give", "percent", "4",
    ),
    ([{"fact": "rating", "op": "at_least", "value": "3"}], "give", "percent", "3"),
]  # fmt: skip
MERIT: list[tuple[list[dict[str, str]], str, str, str]] = [
    (
        [
            {"fact": "rating", "op": "at_least", "value": "4"},
            {"fact": "compa_ratio", "op": "less_than", "value": "100"},
        ],
        "give", "percent", "4.5",
    ),
    ([{"fact": "rating", "op": "at_least", "value": "4"}], "give", "percent", "3"),
    ([{"fact": "rating", "op": "at_least", "value": "3"}], "give", "percent", "2"),
    ([{"fact": "rating", "op": "at_least", "value": "2"}], "give", "percent", "1"),
]  # fmt: skip


def build_rewards(company: Company, demo: DemoCycle) -> None:
    """The run is calculated and open to the managers; one person's rise is held."""
    kim = company.users["Kim Larsen"]
    plan = publish_plan(company, demo)
    _restrain(company, demo)
    actions.request_calculation(plan, by=kim)
    run = actions.calculate(Run.objects.get(plan=plan), by=kim)
    run = actions.open_recommending(run, version=run.version, by=kim)
    _recommend(company, run)


def publish_plan(company: Company, demo: DemoCycle) -> Plan:
    """Kim drafts the rules, Lea publishes them."""
    kim, lea = company.users["Kim Larsen"], company.users["Lea Roth"]
    plan = actions.start_plan(demo.cycle, by=kim)
    for kind, rules, money in (("merit", MERIT, "90000.00"), ("bonus", BONUS, "160000.00")):
        component = actions.add_component(plan, kind, by=kim)
        for conditions, effect, basis, amount in rules:
            values: dict[str, Any] = {
                "conditions": conditions, "effect": effect, "basis": basis, "amount": Decimal(amount)
            }  # fmt: skip
            actions.add_rule(component, values, by=kim)
        component.refresh_from_db()
        actions.set_pools(component, Decimal(money), {}, version=component.version, by=kim)
    plan.refresh_from_db()
    actions.publish(plan, version=plan.version, by=lea)
    return plan


def _restrain(company: Company, demo: DemoCycle) -> None:
    person = company.by_name[TOLD_IN_SEPTEMBER]
    manager = company.manager_of(person)
    participation = demo.part[person.pk]
    entry = Entry.objects.filter(conversation__participation=participation, author=manager).first()
    if manager is None or entry is None:
        return
    values = {
        "component_kind": Component.Kind.MERIT.value, "effect": "hold", "percent": None,
        "facts": texts.RESTRAINT_FACTS, "answer_by": today() + timedelta(days=7),
        "lapses_on": today() + timedelta(days=120),
    }  # fmt: skip
    row = actions.propose_restraint(participation, entry, values, by=company.users[manager.name])
    actions.answer(row, texts.RESTRAINT_ANSWER, version=row.version, by=company.users[person.name])


def _recommend(company: Company, run: Run) -> None:
    """Two managers have moved an amount within the band; one has handed the sheet in."""
    hugo = company.by_name["Hugo Blanc"]
    awards = Award.objects.filter(
        run=run, participation__assignments__manager=hugo, ineligible_why="", guideline__gt=0
    ).order_by("pk")
    for award, share in zip(awards, (Decimal("1.05"), Decimal("0.95")), strict=False):
        amount = (award.guideline * share).quantize(Decimal(1))
        actions.adjust(award, amount, "", version=award.version, by=company.users["Hugo Blanc"])
    actions.hand_in(
        run, "Moved a little between two people who shared one account.", by=company.users["Hugo Blanc"]
    )
