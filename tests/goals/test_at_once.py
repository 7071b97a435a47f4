"""Two people, or two tabs, at the same moment: real threads on real PostgreSQL."""

from __future__ import annotations

from decimal import Decimal

import pytest

from goals import actions
from goals.models import Goal, ProgressUpdate, Signature
from goals.rules import balance
from tests.at_once import at_once, refused
from tests.conftest import World, build_world
from tests.factories import goals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    return build_world()


def test_two_accepts_agree_once(world: World) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    results = at_once(*[lambda: actions.accept(goal, version=goal.version, by=world.bashir)] * 2)
    assert refused(results) == 1
    assert Signature.objects.filter(version=goal.latest).count() == 2
    goal.refresh_from_db()
    assert goal.state == Goal.State.AGREED


def test_accept_against_counter_one_wins(world: World) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    results = at_once(
        lambda: actions.accept(goal, version=goal.version, by=world.bashir),
        lambda: actions.counter(
            goal, goals.text(title="Better"), version=goal.version, by=world.ana
        ),
    )
    assert refused(results) == 1
    goal.refresh_from_db()
    was_accepted = goal.state == Goal.State.AGREED
    assert str(goal.latest) == ("Halve the scrap of line 3" if was_accepted else "Better")


def test_parallel_agreement_never_passes_100(world: World) -> None:
    mine = goals.propose(world.ana_part, world.ana, weight="60")
    theirs = goals.propose(world.ana_part, world.bashir, weight="60")
    results = at_once(
        lambda: actions.accept(mine, version=mine.version, by=world.bashir),
        lambda: actions.accept(theirs, version=theirs.version, by=world.ana),
    )
    assert refused(results) == 1
    agreed = Goal.objects.filter(state=Goal.State.AGREED).values_list("agreed__weight", flat=True)
    assert not balance([weight for weight in agreed if weight is not None]).is_over


def test_two_tabs_record_one_number(world: World) -> None:
    row = goals.key_result(goals.agree(world.ana_part, world.ana, world.bashir))
    results = at_once(
        *[
            lambda value=value: actions.record_progress(
                row, value=Decimal(value), confidence="on_track", version=1, by=world.ana
            )
            for value in (5, 6)
        ]
    )
    assert refused(results) == 1
    assert ProgressUpdate.objects.count() == 1


def test_two_changes_of_one_goal_leave_one_open(world: World) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    results = at_once(
        lambda: goals.change(goal, world.ana),
        lambda: goals.change(goal, world.bashir, title="Mine"),
    )
    assert refused(results) == 1
    assert goal.change_requests.count() == 1


def test_two_alignments_close_no_ring(world: World) -> None:
    one, two = goals.publish(world.cycle, world.kim), goals.publish(world.cycle, world.kim)
    results = at_once(
        lambda: actions.align(one, two, version=one.version, by=world.kim),
        lambda: actions.align(two, one, version=two.version, by=world.kim),
    )
    assert refused(results) == 1
