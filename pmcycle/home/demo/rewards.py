"""Rewards of the demo company: published rules, a calculated run that managers are looking at, one restraint."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from incentives import actions
from incentives.models import Award, Component, Plan, RestraintEntry, Run
from pmcycle.home.demo import texts
from pmcycle.home.demo.company import Company
from pmcycle.home.demo.cycle import TOLD, DemoCycle
from pmcycle.home.demo.results import end_jobs, said_by_manager
from pmcycle.home.demo.talks import TOLD_BACK, month_before
from pmcycle.people.models import User

# (conditions, effect, basis, amount), in order; the first that fits counts.
Rules = list[tuple[list[dict[str, str]], str, str, str]]
# Of each component: its rules and the money in its pool.
Criteria = dict[str, tuple[Rules, str]]


def _rated(at_least: str) -> dict[str, str]:
    return {"fact": "rating", "op": "at_least", "value": at_least}


NEW_HERE: list[dict[str, str]] = [{"fact": "months_worked", "op": "less_than", "value": "6"}]
THIS_YEAR: Criteria = {
    "merit": (
        [
            (
                [_rated("4"), {"fact": "compa_ratio", "op": "less_than", "value": "100"}],
                "give",
                "percent",
                "4.5",
            ),
            ([_rated("4")], "give", "percent", "3"),
            ([_rated("3")], "give", "percent", "2"),
            ([_rated("2")], "give", "percent", "1"),
        ],
        "130000.00",
    ),
    "bonus": (
        [
            (NEW_HERE, "zero", "percent", "0"),
            ([{"fact": "rating", "op": "is", "value": "5"}], "give", "percent", "9"),
            ([_rated("4")], "give", "percent", "6"),
            (
                [_rated("3"), {"fact": "goal_score", "op": "at_least", "value": "95"}],
                "give",
                "percent",
                "4",
            ),
            ([_rated("3")], "give", "percent", "3"),
        ],
        "240000.00",
    ),
}
# Last year's knew neither the place in the range nor the goals: what a rehearsal of this year's compares with.
LAST_YEAR: Criteria = {
    "merit": (
        [
            ([_rated("4")], "give", "percent", "3.5"),
            ([_rated("3")], "give", "percent", "2"),
            ([_rated("2")], "give", "percent", "1"),
        ],
        "125000.00",
    ),
    "bonus": (
        [
            (NEW_HERE, "zero", "percent", "0"),
            ([_rated("4")], "give", "percent", "7"),
            ([_rated("3")], "give", "percent", "3.5"),
        ],
        "240000.00",
    ),
}


def build_rewards(company: Company, demo: DemoCycle) -> None:
    """The run is calculated and open to the managers; one person's rise is held."""
    kim, script = company.users["Kim Larsen"], company.script
    publish_plan(company, demo, THIS_YEAR, drafted=9)
    _restrain(company, demo)
    script.at(
        company.hours.at(2, 100),
        lambda: actions.request_calculation(demo.cycle.reward_plan, by=kim),
    )
    script.at(company.hours.at(2, 101), lambda: calculate(demo, by=kim))
    script.at(company.hours.at(2, 150), lambda: open_to_managers(demo, by=kim))
    _recommend(company, demo)


def calculate(demo: DemoCycle, *, by: User) -> None:
    """What the worker does, once it is asked for."""
    actions.calculate(run_of(demo), by=by)
    end_jobs()


def open_to_managers(demo: DemoCycle, *, by: User) -> None:
    run = run_of(demo)
    actions.open_recommending(run, version=run.version, by=by)


def run_of(demo: DemoCycle) -> Run:
    return Run.objects.select_related("plan__cycle").get(plan__cycle=demo.cycle)


def publish_plan(company: Company, demo: DemoCycle, criteria: Criteria, *, drafted: int) -> None:
    """Kim drafts the rules, Lea publishes them the day after."""
    kim, lea = company.users["Kim Larsen"], company.users["Lea Roth"]

    def draft() -> None:
        plan = actions.start_plan(demo.cycle, by=kim)
        for kind, (rules, money) in criteria.items():
            component = actions.add_component(plan, kind, by=kim)
            for conditions, effect, basis, amount in rules:
                values: dict[str, Any] = {
                    "conditions": conditions,
                    "effect": effect,
                    "basis": basis,
                    "amount": Decimal(amount),
                }
                actions.add_rule(component, values, by=kim)
            component.refresh_from_db()
            if kind == Component.Kind.MERIT:
                component = _from_the_new_year(component, by=kim)
            actions.set_pools(component, Decimal(money), {}, version=component.version, by=kim)

    def publish() -> None:
        plan = Plan.objects.get(cycle=demo.cycle)
        actions.publish(plan, version=plan.version, by=lea)

    company.script.at(company.hours.at(drafted, 130), draft)
    company.script.at(company.hours.at(drafted - 1, 45), publish)


def _from_the_new_year(component: Component, *, by: User) -> Component:
    """Rises hold from the day after the cycle."""
    values = {name: getattr(component, name) for name in actions.COMPONENT_FIELDS}
    values["takes_effect_on"] = component.plan.cycle.last_day + timedelta(days=1)
    return actions.edit_component(component, values, version=component.version, by=by)


def _restrain(company: Company, demo: DemoCycle) -> None:
    person = company.by_name[TOLD]
    manager = company.manager_of(person)
    participation = demo.part[person.pk]
    if manager is None:
        return
    entry = said_by_manager(participation)
    day = demo.cycle.local_day(entry.said_at)
    facts = texts.RESTRAINT_FACTS.format(
        month=month_before(company.hours.back(TOLD_BACK)), day=f"{day.day} {day:%B}"
    )
    values = {
        "component_kind": Component.Kind.MERIT.value,
        "effect": "hold",
        "percent": None,
        "facts": facts,
        "answer_by": company.hours.ahead(5),
        "lapses_on": company.hours.ahead(85),
    }
    by = company.users[manager.name]

    def answer() -> None:
        row = RestraintEntry.objects.get(participation=participation)
        actions.answer(
            row, texts.RESTRAINT_ANSWER, version=row.version, by=company.users[person.name]
        )

    script = company.script
    script.at(
        company.at(manager, 4, 300),
        lambda: actions.propose_restraint(participation, entry, values, by=by),
    )
    script.at(company.at(person, 3, 120), answer)


def _recommend(company: Company, demo: DemoCycle) -> None:
    """One manager has moved two amounts within the band, and has handed the sheet in."""
    hugo = company.by_name["Hugo Blanc"]
    by = company.users[hugo.name]

    def adjust() -> None:
        awards = Award.objects.filter(
            run=run_of(demo),
            participation__assignments__manager=hugo,
            ineligible_why="",
            guideline__gt=0,
        ).order_by("pk")
        for award, share in zip(awards, (Decimal("1.05"), Decimal("0.95")), strict=False):
            amount = (award.guideline * share).quantize(Decimal(1))
            actions.adjust(award, amount, "", version=award.version, by=by)

    def hand_in() -> None:
        actions.hand_in(
            run_of(demo), "Moved a little between two people who shared one account.", by=by
        )

    company.script.at(company.at(hugo, 2, 240), adjust)
    company.script.at(company.at(hugo, 1, 30), hand_in)
