"""Stages open and close by the calendar of the cycle's zone, and by hand with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from appraisals import actions as actions_of_appraisals
from pmcycle.access import today
from pmcycle.activity.models import Event, Notice
from pmcycle.cycles import actions, rules
from pmcycle.cycles.actions import StageWork
from pmcycle.cycles.models import Assignment, Cycle, Extension, Participation, Stage
from pmcycle.cycles.rules import StageDates
from pmcycle.errors import Refused
from tests.conftest import SignedIn, World
from tests.factories import appraisals, cycles, goals, people

pytestmark = pytest.mark.django_db
DAY = date(2030, 3, 4)


def stage(**changed: object) -> StageDates:
    base = StageDates("objectives", "Objectives", DAY, DAY + timedelta(days=20), 5, "planned")
    return replace(base, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "day", "opens"),
    [
        ("planned", -1, False),
        ("planned", 0, True),
        ("planned", 90, True),
        ("open", 0, False),
        ("closed", 0, False),
    ],
)
def test_a_planned_stage_opens_on_its_day(state: str, day: int, opens: bool) -> None:
    assert rules.should_open(stage(state=state), DAY + timedelta(days=day)) is opens


@pytest.mark.parametrize(
    ("day", "following", "extended", "closes"),
    [
        (20, "open", None, False),
        (25, "open", None, False),
        (26, "open", None, True),
        (26, "planned", None, False),
        (26, "open", 40, False),
        (41, "open", 40, True),
        (400, None, None, False),
    ],
)
def test_an_open_stage_closes_when_nobody_needs_it(
    day: int, following: str | None, extended: int | None, closes: bool
) -> None:
    after = stage(kind="appraisal", state=following) if following else None
    until = DAY + timedelta(days=extended) if extended else None
    assert (
        rules.should_close(stage(state="open"), after, DAY + timedelta(days=day), until) is closes
    )


@pytest.fixture
def cycle(world: World) -> Cycle:
    """Objectives are over since yesterday, appraisal is planned for today, the others to come."""
    cycle, day = world.cycle, today()
    dates = [(-60, -10, 9), (0, 20, 0), (30, 40, 0), (50, 60, 0)]
    for row, (opens, due, grace) in zip(cycle.stages.order_by("position"), dates, strict=True):
        row.opens_on, row.due_on, row.grace_days = (
            day + timedelta(days=opens),
            day + timedelta(days=due),
            grace,
        )
        row.state = "open" if row.position == 0 else "planned"
        row.save()
    return cycle


def states(cycle: Cycle) -> list[str]:
    return list(cycle.stages.order_by("position").values_list("state", flat=True))


def test_the_clock_opens_and_closes_once(cycle: Cycle) -> None:
    assert actions.open_due() == 2
    assert states(cycle) == ["closed", "open", "planned", "planned"]
    assert actions.open_due() == 0
    assert Event.objects.filter(verb="stage_opened", stream=f"cycle:{cycle.pk}").count() == 1


def test_more_time_for_one_keeps_the_stage_open(world: World, cycle: Cycle) -> None:
    Extension.objects.create(
        participation=world.ana_part,
        stage=cycle.stages.get(position=0),
        due_on=today() + timedelta(days=3),
        reason="leave",
        by=world.kim,
    )
    actions.open_due()
    assert states(cycle)[0] == "open"


def test_a_step_that_refuses_keeps_the_stage_open(
    cycle: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_yet(_cycle: Cycle) -> None:
        raise Refused("Results wait to be released.")

    table = {**actions.stage_work(), "objectives": StageWork(closes=(not_yet,))}
    monkeypatch.setattr("pmcycle.stages.STAGES", table)
    actions.open_due()
    assert states(cycle) == ["open", "open", "planned", "planned"]


def test_the_clock_says_what_it_left_when_a_stage_closes_on_its_day(
    world: World, cycle: Cycle
) -> None:
    actions.open_due()
    event = Event.objects.get(verb="stage_closed")
    assert event.data["left"] == [{"code": "goals:unagreed", "count": len(world.part)}]
    told = Notice.objects.filter(kind="stage")
    assert set(told.values_list("recipient", flat=True)) == {world.kim.pk, world.lea.pk}
    assert "10 people have no agreed goals" in told[0].title
    actions.open_due()
    assert told.count() == 2


def test_a_stage_with_something_that_refuses_stays_open_and_hr_is_told_once(
    world: World, cycle: Cycle
) -> None:
    cycle.stages.filter(position=0).update(state="closed")
    day = today()
    cycle.stages.filter(position=1).update(
        state="open", opens_on=day - timedelta(days=9), due_on=day - timedelta(days=1)
    )
    cycle.stages.filter(position=2).update(opens_on=day)
    session = appraisals.make_session(cycle, world.kim)
    for _again in range(3):
        actions.open_due()
    assert states(cycle) == ["closed", "open", "open", "planned"]
    told = Notice.objects.filter(kind="stage")
    assert told.count() == 2, "each HR admin once, however often the clock comes by"
    assert "stays open" in told[0].title
    actions_of_appraisals.close_calibration(session, version=session.version, by=world.kim)
    assert actions.open_due() == 1
    assert states(cycle)[1] == "closed"


def test_what_breaks_in_one_cycle_does_not_stop_the_clock(
    cycle: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_cycle: Cycle) -> None:
        raise ZeroDivisionError

    table = {**actions.stage_work(), "appraisal": StageWork(opens=(broken,))}
    monkeypatch.setattr("pmcycle.stages.STAGES", table)
    assert actions.open_due() == 0
    assert states(cycle) == ["open", "planned", "planned", "planned"]


def test_the_day_is_that_of_the_cycles_zone(world: World) -> None:
    world.cycle.zone = "Pacific/Auckland"
    late = datetime(2030, 3, 4, 20, 0, tzinfo=UTC)
    assert world.cycle.local_day(late) == date(2030, 3, 5)
    world.cycle.zone = "Nowhere/AtAll"
    assert world.cycle.local_day(late) == date(2030, 3, 4)


def send(world: World, as_: SignedIn, name: str, row: Stage, **data: object) -> int:
    url = reverse(f"cycles:{name}", kwargs={"pk": row.pk})
    status: int = (
        as_(world.kim)
        .post(url, {"version": row.version, "reason": "The board asked.", **data})
        .status_code
    )
    return status


def test_hr_opens_a_stage_early_by_hand(world: World, as_: SignedIn, cycle: Cycle) -> None:
    row = cycle.stages.get(position=2)
    assert send(world, as_, "open_stage", row) == 302
    row.refresh_from_db()
    assert row.state == "open"
    assert Event.objects.get(verb="stage_opened").data["reason"] == "The board asked."
    assert send(world, as_, "open_stage", row) == 409


def test_a_closed_stage_opens_again_only_with_a_day_to_come(
    world: World, as_: SignedIn, cycle: Cycle
) -> None:
    actions.open_due()
    row = cycle.stages.get(position=0)
    assert send(world, as_, "open_stage", row) == 422
    assert send(world, as_, "open_stage", row, due_on=today() + timedelta(days=5)) == 302
    assert states(cycle)[0] == "open"


def test_hr_closes_a_stage_by_hand(world: World, as_: SignedIn, cycle: Cycle) -> None:
    row = cycle.stages.get(position=0)
    assert send(world, as_, "close_stage", row, reason="") == 422
    left = cycles.reasons(actions.leftovers_of_stage(row, world.kim))
    assert send(world, as_, "close_stage", row) == 422, (
        "nobody has agreed goals, and no reason is given"
    )
    assert send(world, as_, "close_stage", row, **left) == 302
    planned = cycle.stages.get(position=1)
    left = cycles.reasons(actions.leftovers_of_stage(planned, world.kim))
    assert send(world, as_, "close_stage", planned, **left) == 409


def test_a_due_day_moves_forward_for_everybody(world: World, as_: SignedIn, cycle: Cycle) -> None:
    row = cycle.stages.get(position=0)
    assert send(world, as_, "postpone_stage", row, due_on=today() - timedelta(days=1)) == 422
    assert send(world, as_, "postpone_stage", row, due_on=today() + timedelta(days=7)) == 302
    assert send(world, as_, "postpone_stage", row, due_on=today() + timedelta(days=8)) == 409, (
        "stale version"
    )


def test_close_ends_what_is_open_and_runs_the_last_steps(
    world: World, as_: SignedIn, cycle: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Cycle] = []
    table = {**actions.stage_work(), "evaluation": StageWork(ends=(lambda c, by: ended.append(c),))}
    monkeypatch.setattr("pmcycle.stages.STAGES", table)
    url = reverse("cycles:close", kwargs={"pk": cycle.pk})
    kim = as_(world.kim)
    left = cycles.reasons(actions.leftovers_of_cycle(cycle, world.kim))
    refused = kim.post(url, {"version": cycle.version, **left})
    assert refused.status_code == 409
    assert b"opened yet" in refused.content
    cycle.stages.update(state="open")
    left = cycles.reasons(actions.leftovers_of_cycle(cycle, world.kim))
    assert kim.post(url, left).status_code == 422, "without the version nobody knows what was read"
    assert kim.post(url, {"version": cycle.version, **left}).status_code == 302
    cycle.refresh_from_db()
    assert (cycle.state, states(cycle), ended) == ("closed", ["closed"] * 4, [cycle])
    archive = reverse("cycles:archive", kwargs={"pk": cycle.pk})
    assert kim.post(archive, {"version": cycle.version}).status_code == 302
    cycle.refresh_from_db()
    assert cycle.state == "archived"
    assert kim.get("/cycles/").status_code == 200


def statements_of_stages(world: World, name: str, goals_each: int) -> dict[str, int]:
    """How many statements it takes to open and to close each stage of a cycle that was just launched."""
    cycle = cycles.make_draft(name, by=world.kim)
    days = cycle.last_day - timedelta(days=20)
    Cycle.objects.filter(pk=cycle.pk).update(stages_may_overlap=True, copied_from=world.cycle)
    cycle.stages.update(opens_on=days, due_on=days + timedelta(days=5))
    for finding in actions.check(cycle).unsettled:
        actions.accept_warning(cycle, finding.code, finding.count, by=world.kim)
    actions.launch(cycle, by=world.kim)
    taken: dict[str, int] = {}

    def count(label: str, work: Callable[[], object]) -> None:
        with CaptureQueriesContext(connection) as seen:
            work()
        taken[label] = sum("SAVEPOINT" not in query["sql"] for query in seen.captured_queries)

    for row in cycle.stages.all():
        count(
            f"open {row.kind}",
            partial(actions.open_stage, row, due_on=None, reason="", version=None, by=world.kim),
        )
    part = Participation.objects.get(cycle=cycle, employee=world.ana.employee)
    for _number in range(goals_each):
        goals.agree(part, world.ana, world.bashir, weight="1")
    for row in cycle.stages.all():
        left = cycles.accepting(actions.leftovers_of_stage(row, world.kim))
        close = partial(
            actions.close_stage, row, reason="", accepted=left, version=None, by=world.kim
        )
        count(f"close {row.kind}", close)
    return taken


def test_stages_open_and_close_in_as_many_statements_for_sixty_as_for_five(world: World) -> None:
    few = statements_of_stages(world, "Few", 1)
    for number in range(55):
        person = people.make_employee(f"Extra Person{number}", world.sales)
        people.make_user(person)
        people.report(person, world.gita.employee)  # type: ignore[arg-type]
    assert statements_of_stages(world, "Many", 20) == few
    # What refuses an end is read twice: for whoever closes, and over everybody.
    assert max(few.values()) <= 32


def test_many_handed_over_are_followed_in_three_statements(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Assignment.objects.filter(manager=world.bashir.employee).update(manager=world.gita.employee)
    with django_assert_num_queries(3):
        assert actions.refresh_chains(world.cycle, today()) > 1
