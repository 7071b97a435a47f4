"""Pages of incentives whose SQL statements are counted."""

from __future__ import annotations

from tests.conftest import World
from tests.factories import incentives
from tests.query_tables import Page


def more_rules(world: World, count: int) -> None:
    from incentives.models import Plan

    plan = Plan.objects.filter(cycle=world.cycle).first() or incentives.write_plan(world)
    merit = plan.components.order_by("pk")[0]
    for _number in range(count):
        incentives.make_rule(merit, "1", incentives.at_least(2))
    plan.published_by = None
    plan.save()
    incentives.publish(plan, world.lea)


def more_entries(world: World, count: int) -> None:
    for _number in range(count):
        incentives.restraint(world)


def once_released(world: World, count: int) -> None:
    from incentives.models import Statement

    if not Statement.objects.exists():
        incentives.released(world)


PAGES = [
    Page("incentives:plan", as_="kim", grow=more_rules, build=lambda w: {"pk": w.cycle.pk}),
    Page("incentives:criteria", as_="ana", grow=more_rules, build=lambda w: {"pk": w.cycle.pk}),
    Page("incentives:what_if", as_="ana", grow=more_rules, build=lambda w: {"pk": w.cycle.pk}),
    # With all that stands against an approval, kind by kind; and who looked, noted once about all that are listed.
    Page(
        "incentives:run",
        as_="lea",
        grow=incentives.many_more,
        build=lambda w: {"pk": w.cycle.pk},
        limit=16,
    ),
    Page("incentives:sheets", as_="bashir", grow=incentives.many_more),
    Page(
        "incentives:sheet",
        as_="bashir",
        grow=incentives.many_more,
        build=incentives.run_in_recommendation,
    ),
    Page(
        "incentives:award", as_="bashir", grow=incentives.many_more, build=incentives.merit_of_ana
    ),
    Page("incentives:restraints", as_="bashir", grow=more_entries),
    Page("incentives:mine", as_="ana", grow=once_released),
    Page(
        "incentives:statement", as_="ana", grow=once_released, build=incentives.released_statement
    ),
]
