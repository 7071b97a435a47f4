"""Pages of goals whose statements are counted."""

from __future__ import annotations

from decimal import Decimal

from goals import actions
from goals.models import Goal
from tests.conftest import World
from tests.factories import goals
from tests.query_tables import Page


def grow_goals(world: World, n: int) -> None:
    """Goals of every kind, with progress, and goals to align to."""
    for number in range(n):
        weight = "0.5"
        goals.propose(world.ana_part, world.bashir, title=f"Proposed {number}", weight=weight)
        goal = goals.agree(
            world.ana_part, world.ana, world.bashir, title=f"Agreed {number}", weight=weight
        )
        row = goals.key_result(goal)
        for value in (Decimal(7), Decimal(6)):
            actions.record_progress(
                row, value=value, confidence="on_track", version=None, by=world.ana
            )
        above = goals.publish(world.cycle, world.kim, title=f"Published {number}")
        actions.align(goal, above, version=None, by=world.ana)


def grow_one(world: World, n: int) -> None:
    """One goal with n updates."""
    goal = Goal.objects.filter(participation=world.ana_part).first()
    goal = goal or goals.agree(world.ana_part, world.ana, world.bashir)
    row = goals.key_result(goal)
    for value in range(n):
        actions.record_progress(
            row, value=Decimal(value), confidence="on_track", version=None, by=world.ana
        )


def grow_change(world: World, n: int) -> None:
    """One goal with a change asked for, and n updates."""
    grow_one(world, n)
    goal = Goal.objects.get(participation=world.ana_part)
    if not goal.change_requests.exists():
        goals.change(goal, world.ana)


def grow_contributions(world: World, n: int) -> None:
    for _number in range(n):
        goals.contribution(world.ana_part, world.ana, world.chen)


PAGES = [
    Page("goals:list", as_="ana", grow=grow_goals),
    Page("goals:of", as_="bashir", grow=grow_goals, build=goals.of_ana),
    Page("goals:company", as_="chen", grow=grow_goals, build=goals.of_cycle),
    Page(
        "goals:detail",
        as_="ana",
        grow=grow_one,
        build=lambda world: {"pk": Goal.objects.get(participation=world.ana_part).pk},
    ),
    Page(
        "goals:detail",
        as_="bashir",
        grow=grow_change,
        build=lambda world: {"pk": Goal.objects.get(participation=world.ana_part).pk},
        state="with a change asked for",
    ),
    Page("goals:contributions", as_="ana", grow=grow_contributions, build=goals.of_ana),
]
