"""What is open is a row: opened once, done by who did it, dropped with a reason, never doubled and never stuck."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

import goals.actions
import pmcycle.cycles.actions as cycle_actions
import pmcycle.home.actions as clock
from appraisals.models import Appraisal
from pmcycle.access import today
from pmcycle.activity.actions import add_up_places, drift, miscounted, misplaced, settle_all
from pmcycle.activity.models import Milestone, Place, PlaceCount, ToDo
from pmcycle.celery import CLOCK
from pmcycle.cycles.models import Assignment, Participation, Stage
from pmcycle.home import completion
from pmcycle.home.completion import Filters
from pmcycle.home.tasks import turn_day
from pmcycle.people.actions import accounts as people_actions
from pmcycle.people.models import RoleGrant, User
from tests.at_once import PATIENCE, at_once, refused, until_it_waits
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals as make
from tests.factories import feedback, incentives, people
from tests.factories import goals as goal
from tests.factories.cycles import accepting
from tests.open_items import catch_up

pytestmark = pytest.mark.django_db


def of_ana(world: World, kind: str) -> list[ToDo]:
    return list(ToDo.objects.filter(about=world.ana.employee_id, kind=kind).order_by("pk"))


def state(world: World, stage: str) -> str:
    """How Ana stands in a stage on the board of Kim."""
    board = completion.look(world.cycle, world.kim, today(), Filters())
    found, _total = completion.people(
        board, list(world.cycle.stages.all()), Filters(q="Ana Popescu")
    )
    return str(next(c["state"] for c in found[0].cells if c["stage"].kind == stage))


def close(stage: Stage, by: User) -> None:
    """Close a stage over whatever is left in it."""
    left = accepting(cycle_actions.leftovers_of_stage(stage, by))
    cycle_actions.close_stage(stage, reason="Over.", accepted=left, version=None, by=by)


def is_whole() -> bool:
    return not (drift() or misplaced() or miscounted())


def test_what_somebody_did_is_done_by_them_then(world: World) -> None:
    catch_up()
    goal.propose(world.ana_part, world.ana, weight="100")
    (proposed,) = of_ana(world, "goals:propose")
    assert (proposed.done_by, proposed.dropped_at) == (world.ana, None)
    (answer, waits) = [*of_ana(world, "goals:answer"), *of_ana(world, "goals:waits")]
    assert (answer.recipient_id, answer.done_at) == (world.bashir.employee_id, None)
    assert (waits.recipient_id, waits.phase) == (world.ana.employee_id, "waits")


def test_what_falls_away_is_dropped_and_says_why(world: World) -> None:
    row = goal.propose(world.ana_part, world.ana, weight="100")
    goals.actions.withdraw(row, version=None, by=world.ana)
    (answer,) = of_ana(world, "goals:answer")
    assert (answer.done_at, answer.dropped_why) == (None, "withdraw")
    first, again = of_ana(world, "goals:propose")
    assert (first.done_by, again.done_at, again.dropped_at) == (world.ana, None, None)


def test_a_stage_opened_again_asks_again_only_for_what_is_not_done(world: World) -> None:
    make.open_stage(world.cycle)
    catch_up()
    make.hand_in(make.self_appraisal(world.ana_part))
    stage = Stage.objects.get(cycle=world.cycle, kind="appraisal")
    close(stage, world.kim)
    assert {t.dropped_why for t in of_ana(world, "appraisals:manager")} == {"stage_closed"}
    stage = Stage.objects.get(pk=stage.pk)
    later = today() + timedelta(days=9)
    cycle_actions.open_stage(stage, due_on=later, reason="Not yet.", version=None, by=world.kim)
    assert [t.done_at is not None for t in of_ana(world, "appraisals:self")] == [True]
    closed, again = of_ana(world, "appraisals:manager")
    assert (closed.dropped_why, again.dropped_at, again.due_on) == ("stage_closed", None, later)
    assert is_whole()


def test_milestones_stay_when_what_they_rest_on_is_taken_back(world: World) -> None:
    make.open_stage(world.cycle)
    mine = make.self_appraisal(world.ana_part)
    make.hand_in(mine)
    at = Milestone.objects.get(participation=world.ana_part, kind="self_handed_in").at
    Appraisal.objects.filter(pk=mine.pk).update(submitted_at=None)
    catch_up()
    assert Milestone.objects.get(participation=world.ana_part, kind="self_handed_in").at == at
    with pytest.raises(IntegrityError), transaction.atomic():
        Milestone.objects.create(
            participation=world.ana_part,
            cycle=world.cycle,
            stage="appraisal",
            kind="self_handed_in",
            step=1,
            at=timezone.now(),
        )
    with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
        Milestone.objects.all().delete()


def test_the_database_refuses_two_of_the_same_and_an_end_without_a_reason(world: World) -> None:
    catch_up()
    one = ToDo.objects.get(recipient=world.ana.employee_id, kind="goals:propose")
    one.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        one.save(force_insert=True)
    for change in ({"dropped_at": timezone.now()}, {"dropped_why": "left"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ToDo.objects.filter(recipient=world.ana.employee_id).update(**change)


def test_a_hand_over_moves_what_is_open_to_the_new_manager(world: World) -> None:
    goal.propose(world.ana_part, world.ana, weight="100")
    assert world.gita.employee
    cycle_actions.transfer(
        world.ana_part,
        world.gita.employee,
        on=today(),
        reason="New team.",
        version=None,
        by=world.kim,
    )
    old, new = of_ana(world, "goals:answer")
    assert (old.recipient_id, old.dropped_why) == (world.bashir.employee_id, "transferred")
    assert (new.recipient_id, new.done_at, new.dropped_at) == (world.gita.employee_id, None, None)
    assert is_whole()


def test_a_hand_over_with_a_day_to_come_is_followed_by_the_clock(world: World) -> None:
    goal.propose(world.ana_part, world.ana, weight="100")
    last = Assignment.objects.filter(participation=world.ana_part).latest("starts_on")
    Assignment.objects.filter(pk=last.pk).update(ends_on=today() - timedelta(days=1))
    assert world.gita.employee
    Assignment.objects.create(
        participation=world.ana_part, manager=world.gita.employee, starts_on=today()
    )
    assert {d.kind for d in drift()} >= {"goals:answer"}
    assert clock.turn_day()
    assert not clock.turn_day()
    assert is_whole()
    assert of_ana(world, "goals:answer")[-1].recipient_id == world.gita.employee_id


def test_whoever_let_their_own_day_pass_has_missed_it(world: World) -> None:
    objectives = Stage.objects.get(cycle=world.cycle, kind="objectives")
    until = objectives.due_on + timedelta(days=2)
    cycle_actions.extend(
        world.ana_part, objectives, due_on=until, reason="Ill.", version=None, by=world.kim
    )
    close(objectives, world.kim)
    assert state(world, "objectives") == "open"
    with time_machine.travel(datetime.combine(until + timedelta(days=3), time(12), UTC)):
        settle_all("day_turned", by=None)
        assert state(world, "objectives") == "missed"
        assert is_whole()


def test_a_stage_that_closes_on_the_day_of_a_hand_over_was_missed_all_the_same(
    world: World,
) -> None:
    catch_up()
    stages = list(Stage.objects.filter(cycle=world.cycle).order_by("position"))
    Stage.objects.filter(pk=stages[1].pk).update(state="open")
    assert world.kim.employee
    over = stages[0].due_on + timedelta(days=stages[0].grace_days + 3)
    cycle_actions.transfer(
        world.part["hugo"],
        world.kim.employee,
        on=over - timedelta(days=1),
        reason="x",
        version=None,
        by=world.lea,
    )
    with time_machine.travel(datetime.combine(over, time(12), UTC)):
        assert cycle_actions.open_due() >= 1
        assert state(world, "objectives") == "missed"
        assert is_whole()


def test_what_passes_to_somebody_else_in_hr_was_not_done(world: World) -> None:
    third = make.make_third_hr_admin(world)
    incentives.make_rule(incentives.make_component(incentives.make_plan(world.cycle, by=world.kim)))
    catch_up()
    (first,) = ToDo.objects.filter(kind="incentives:publish")
    assert first.recipient_id == world.lea.employee_id
    grant = RoleGrant.objects.current().get(user=world.lea, role="hr_admin")
    people_actions.end_role(grant, by=world.kim)
    first, again = ToDo.objects.filter(kind="incentives:publish").order_by("pk")
    assert (first.done_at, first.dropped_why) == (None, "ended_role")
    assert again.recipient_id == third.employee_id


def test_who_leaves_is_waited_for_by_nobody_and_counted_apart(world: World) -> None:
    goal.propose(world.ana_part, world.ana, weight="100")
    board = completion.look(world.cycle, world.kim, today(), Filters())
    stages = list(world.cycle.stages.all())
    before = completion.counts(board, stages)
    cycle_actions.mark_left(world.ana_part, left_on=today(), reason="", version=None, by=world.kim)
    after = completion.counts(board, stages)
    assert not ToDo.objects.open().filter(about=world.ana.employee_id, cycle=world.cycle).exists()
    assert (after.people, after.left) == (before.people - 1, before.left + 1)
    assert not Place.objects.filter(participation=world.ana_part).exists()
    assert is_whole()


def test_the_board_says_what_was_missed_and_where_nothing_was_to_do(world: World) -> None:
    catch_up()
    assert state(world, "objectives") == "open"
    goal.agree(world.ana_part, world.ana, world.bashir, weight="100")
    assert state(world, "objectives") == "done"
    assert state(world, "incentives") == "nothing"
    Milestone.objects.get(participation=world.ana_part, kind="goals_agreed")
    objectives = Stage.objects.get(cycle=world.cycle, kind="objectives")
    close(objectives, world.kim)
    assert state(world, "objectives") == "done"
    board = completion.look(world.cycle, world.kim, today(), Filters())
    counts = completion.counts(board, list(world.cycle.stages.all()))
    assert counts.states["objectives", "done"] == 1
    assert counts.states["objectives", "missed"] == counts.people - 1
    assert counts.reached["goals_agreed"] == 1


def test_counts_are_the_same_before_and_after_they_are_added_up(world: World) -> None:
    goal.agree(world.ana_part, world.ana, world.bashir, weight="100")
    board = completion.look(world.cycle, world.lea, today(), Filters())
    stages = list(world.cycle.stages.all())
    before = completion.counts(board, stages)
    lines = PlaceCount.objects.count()
    assert add_up_places() < lines
    assert completion.counts(board, stages) == before
    assert is_whole()


def test_a_partner_counts_their_units_and_nobody_counts_themselves(world: World) -> None:
    catch_up()
    stages = list(world.cycle.stages.all())
    seen = {}
    for user in (world.kim, world.lea, world.ines, world.jan):
        board = completion.look(world.cycle, user, today(), Filters())
        counts = completion.counts(board, stages)
        found, total = completion.people(board, stages, Filters())
        assert counts.people == len(found) == total
        seen[user.name] = counts.people
    everybody = Participation.objects.filter(cycle=world.cycle).count()
    assert seen == {
        "Kim Larsen": everybody - 1,
        "Lea Roth": everybody - 1,
        "Ines Costa": 4,
        "Jan Novak": 2,
    }


def test_integrity_is_told_by_name_and_repaired_when_asked(world: World) -> None:
    catch_up()
    call_command("check_integrity")
    ToDo.objects.filter(recipient=world.ana.employee_id).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE activity_place SET is_missed = true WHERE participation_id = %s",
            [world.ana_part.pk],
        )
        cursor.execute("DELETE FROM activity_placecount WHERE stage = ''")
    with pytest.raises(CommandError, match="--repair"):
        call_command("check_integrity")
    call_command("check_integrity", "--repair")
    call_command("check_integrity")
    assert is_whole()


def test_a_program_reads_what_home_shows(world: World, as_: SignedIn) -> None:
    goal.propose(world.ana_part, world.ana, weight="100")
    url = reverse("api:todo-list")
    rows = as_(world.bashir).get(url).json()
    rows = rows["results"] if isinstance(rows, dict) else rows
    mine = [row for row in rows if row["kind"] == "goals:answer"]
    assert [row["title"] for row in mine] == ["Answer the proposed goals of Ana Popescu"]
    assert mine[0]["url"] in as_(world.bashir).get("/").content.decode()
    waits = as_(world.ana).get(url, {"phase": "waits"}).json()
    waits = waits["results"] if isinstance(waits, dict) else waits
    assert {row["kind"] for row in waits} == {"goals:waits"}


def test_a_program_reads_in_which_zone_a_due_day_is_a_day(world: World, as_: SignedIn) -> None:
    """That of the cycle; of what belongs to no cycle the reader's, as on their home page. By token too."""
    world.cycle.zone = "Asia/Kolkata"
    world.cycle.save()
    assert world.ana.employee
    world.ana.employee.zone = "America/Lima"
    world.ana.employee.save()
    goal.propose(world.ana_part, world.bashir, weight="100")
    asked = feedback.request_to_ana(world)
    catch_up()
    program = Client(headers=people.bearer(world.ana, "todos:read"))
    rows = program.get(reverse("api:todo-list")).json()
    rows = rows["results"] if isinstance(rows, dict) else rows
    zones = {(row["kind"], row["subject_id"]): row["due_zone"] for row in rows}
    of_cycle = {row["due_zone"] for row in rows if row["cycle"] and row["due_on"]}
    assert of_cycle == {"Asia/Kolkata"}
    assert zones["feedback:request", asked["pk"]] == "America/Lima"
    assert all(row["due_zone"] is None for row in rows if row["due_on"] is None)
    one = program.get(reverse("api:todo-detail", args=[rows[0]["id"]])).json()
    assert one["due_zone"] == rows[0]["due_zone"]


@pytest.mark.django_db(transaction=True)
def test_two_acts_that_finish_the_same_thing_at_once_finish_it_once() -> None:
    world = build_world()
    first = goal.propose(world.ana_part, world.ana, weight="60")
    second = goal.propose(world.ana_part, world.ana, weight="40")
    catch_up()
    seen = {first.pk: first.version, second.pk: second.version}
    results = at_once(*[lambda: goals.actions.agree_set(world.ana_part, seen, by=world.bashir)] * 2)
    assert refused(results) == 1
    (answer,) = of_ana(world, "goals:answer")
    assert (answer.done_by, answer.dropped_at) == (world.bashir, None)
    assert Milestone.objects.filter(participation=world.ana_part, kind="goals_agreed").count() == 1
    assert is_whole()


def test_the_clock_strikes_for_the_day() -> None:
    job = CLOCK["home.turn_day"]
    assert import_string(job["task"]) is turn_day
    assert job["schedule"] <= 300
    assert job["options"]["expires"] <= job["schedule"]


@pytest.mark.django_db(transaction=True)
def test_what_is_proposed_while_its_stage_closes_is_left_open_for_nobody() -> None:
    """The proposal is judged while the stage is open, and committed when it is closed."""
    world = build_world()
    catch_up()
    is_proposed = threading.Event()

    def propose() -> None:
        with transaction.atomic():
            goal.propose(world.ana_part, world.ana, weight="100")
            is_proposed.set()
            until_it_waits()

    def shut() -> None:
        assert is_proposed.wait(PATIENCE)
        close(Stage.objects.get(cycle=world.cycle, kind="objectives"), world.kim)

    at_once(propose, shut)
    (answer,) = of_ana(world, "goals:answer")
    assert (answer.done_at, answer.dropped_why) == (None, "stage_closed")
    assert is_whole()


@pytest.mark.django_db(transaction=True)
def test_two_acts_about_one_person_at_once_leave_what_both_of_them_left() -> None:
    """Each alone sees a set that does not come to 100; together it does, and the row must know."""
    world = build_world()
    goal.propose(world.ana_part, world.ana, weight="20")
    catch_up()
    at_once(*[lambda: goal.propose(world.ana_part, world.ana, weight="40")] * 2)
    assert [t.done_at is not None for t in of_ana(world, "goals:complete")] == [True]
    assert is_whole()
