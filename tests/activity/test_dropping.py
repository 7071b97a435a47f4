"""What falls away with an act was done by nobody, and says with which act."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.commands import migrate
from django.utils import timezone

import appraisals.actions
import evaluations.actions
import feedback.actions
import goals.actions
import incentives.actions
import pmcycle.cycles.actions as cycle_actions
import pmcycle.home.actions as clock
from pmcycle.access import today
from pmcycle.activity.actions import drift, miscounted, misplaced
from pmcycle.activity.models import ToDo
from pmcycle.activity.rules import DROPPING
from pmcycle.cycles.models import ChainLink, Reopening, Stage
from pmcycle.people.actions import accounts, records
from pmcycle.people.models import Absence, Employee, Role, User
from tests.boards import is_whole
from tests.conftest import SignedIn, World
from tests.factories import appraisals as appraisal
from tests.factories import cycles, people
from tests.factories import evaluations as evaluation
from tests.factories import feedback as meeting
from tests.factories import goals as goal
from tests.factories import incentives as reward
from tests.home.test_turn_day import days_later, give_ana_more_time
from tests.open_items import catch_up
from tests.people.importing import Walk

pytestmark = pytest.mark.django_db


def of(user: User) -> Employee:
    assert user.employee
    return user.employee


def left_by_record(world: World, who: User, days_ago: int = 1) -> None:
    Employee.objects.filter(pk=of(who).pk).update(left_on=today() - timedelta(days=days_ago))


def withdraw(world: World) -> None:
    goals.actions.withdraw(goal.propose(world.ana_part, world.ana), version=None, by=world.ana)


def withdraw_change(world: World) -> None:
    change = goal.change(
        goal.agree(world.ana_part, world.ana, world.bashir, weight="100"), world.ana
    )
    goals.actions.withdraw_change(change, version=None, by=world.ana)


def lapse_change(world: World) -> None:
    goal.change(goal.agree(world.ana_part, world.ana, world.bashir, weight="100"), world.ana)
    goals.actions.lapse_changes(on=today() + timedelta(days=60))


def took_back_evaluation(world: World) -> None:
    shared = evaluation.make_evaluation(world.ana_part, of(world.bashir), state="shared")
    evaluations.actions.take_back(shared, version=None, by=world.bashir)


def withdrew_release(world: World) -> None:
    appraisal.rate(world.ana_part)
    appraisals.actions.withdraw_release(
        appraisal.ask_for_release(world.cycle, world.kim), by=world.kim
    )


def restraint_lapsed(world: World) -> None:
    yesterday = today() - timedelta(days=1)
    reward.restraint(world, answer_by=yesterday - timedelta(days=20), lapses_on=yesterday)
    incentives.actions.lapse_due()


def overtaken(world: World) -> None:
    run = reward.recommending(world)
    for manager in (world.gita, world.kim, world.dora):
        reward.hand_in(run, manager, world.lea)
    reward.approve(run, world.lea)


def cancelled(world: World) -> None:
    row = meeting.make_check_in(of(world.bashir), of(world.ana), in_days=0.5)
    feedback.actions.cancel_check_in(row, version=None, by=world.ana)


def moved(world: World) -> None:
    row = meeting.make_check_in(of(world.bashir), of(world.ana), in_days=0.5)
    feedback.actions.move_check_in(
        row, starts_at=row.starts_at + timedelta(days=30), minutes=30, version=None, by=world.ana
    )


def daily(world: World) -> Any:
    """A rhythm of Ana and Bashir whose next meeting is tomorrow."""
    first = today() + timedelta(days=1)
    row = meeting.make_series(
        of(world.bashir),
        of(world.ana),
        rrule=f"FREQ=WEEKLY;BYDAY={first:%a}"[:-1].upper(),
        starts_on=first,
    )
    feedback.actions.plan_check_ins()
    return row


def ended_series(world: World) -> None:
    feedback.actions.end_series(daily(world), version=None, by=world.bashir)


def rescheduled(world: World) -> None:
    row = daily(world)
    later = today() + timedelta(days=30)
    feedback.actions.reschedule_series(
        row,
        frequency="weekly",
        starts_on=later,
        weekday=later.weekday(),
        at=time(10),
        minutes=30,
        zone="UTC",
        version=None,
        by=world.bashir,
    )


def scheduled(world: World) -> None:
    """Ana is away on the day, so the plan calls the meeting off."""
    daily(world)
    Absence.objects.create(
        employee=of(world.ana), starts_on=today(), ends_on=today() + timedelta(days=3)
    )
    feedback.actions.plan_check_ins()


def dropped_action(world: World) -> None:
    row = meeting.make_item(
        meeting.make_check_in(of(world.bashir), of(world.ana), in_days=-2, state="held"),
        of(world.ana),
    )
    feedback.actions.drop(row, why="No budget.", version=None, by=world.ana)


def objectives(world: World) -> Stage:
    return Stage.objects.get(cycle=world.cycle, kind="objectives")


def stage_closed(world: World) -> None:
    left = cycles.accepting(cycle_actions.leftovers_of_stage(objectives(world), world.kim))
    cycle_actions.close_stage(
        objectives(world), reason="x", accepted=left, version=None, by=world.kim
    )


def closed(world: World) -> None:
    cycles.closed(world)


def left(world: World) -> None:
    cycle_actions.mark_left(world.ana_part, left_on=today(), reason="", version=None, by=world.kim)


def transferred(world: World) -> None:
    goal.propose(world.ana_part, world.ana)
    cycle_actions.transfer(
        world.ana_part, of(world.gita), on=today(), reason="x", version=None, by=world.kim
    )


def withdrew_reopening(world: World) -> None:
    row = Reopening.objects.get(pk=cycles.reopening(world)["pk"])
    cycle_actions.withdraw_reopening(row, by=world.lea)


def archived(world: World) -> None:
    cycles.reopening(world)
    world.cycle.refresh_from_db()
    cycle_actions.archive(world.cycle, version=None, by=world.kim)


def without_dora(world: World) -> None:
    """Bashir's sheet waits for HR while the line above him is not there."""
    left_by_record(world, world.dora)
    run = reward.recommending(world)
    incentives.actions.hand_in(run, "", by=world.bashir)


def took_back_leaving(world: World) -> None:
    without_dora(world)
    dora = Employee.objects.get(pk=of(world.dora).pk)
    # Both HR admins report to Dora; her record is for somebody who does not.
    outside = people.make_user(email="zoe@example.com", name="Zoe Outside")
    people.grant(outside, Role.HR_ADMIN)
    records.set_leave_date(dora, None, "", version=None, by=outside)


def dated_leaving(world: World) -> None:
    """Ana was asked for words, and the company's record says that she is gone."""
    meeting.request_to_ana(world)
    ana = Employee.objects.get(pk=of(world.ana).pk)
    records.set_leave_date(ana, today() - timedelta(days=1), "", version=None, by=world.lea)


def came_back(world: World) -> None:
    """While Hugo was away, he was handed over to Gita: the line above her team is the one that he brings."""
    line = ChainLink.objects.filter(participation=world.part["hugo"])
    line.filter(distance=1).update(above=of(world.farid))
    line.filter(distance=2).update(above=of(world.ines))
    incentives.actions.hand_in(reward.recommending(world), "", by=world.gita)
    hugo = world.part["hugo"]
    cycle_actions.mark_left(hugo, left_on=today(), reason="x", version=None, by=world.kim)
    cycle_actions.return_person(hugo, reason="x", version=None, by=world.kim)


def applied_import(world: World) -> None:
    """Chen, who cannot sign in any more, was asked for words, and a file says that he is gone."""
    accounts.deactivate(world.chen, by=world.kim)
    meeting.make_request(of(world.bashir), of(world.chen), of(world.ana))
    bring_in_leaver(world, of(world.chen))


def bring_in_leaver(world: World, person: Employee) -> None:
    """A file that Lea uploads and applies says that their last day was yesterday."""
    walk = Walk(SignedIn()(world.lea))
    last = today() - timedelta(days=1)
    walk.bring(
        f"Number,Name,Hired on,Left on\n{person.number},{person.name},{person.hired_on},{last}\n".encode()
    )
    walk.apply()
    assert walk.run.state == "applied"


def of_a_third(world: World) -> User:
    """Rules wait for Lea, until somebody is there who comes before her."""
    reward.make_rule(reward.make_component(reward.make_plan(world.cycle, by=world.kim)))
    return world.jan


def granted_role(world: World) -> None:
    third = of_a_third(world)
    asked = accounts.request_role(
        third, Role.HR_ADMIN, None, starts_on=today(), ends_on=None, by=world.kim
    )
    accounts.approve_role(asked, by=world.lea)


def closed_account(world: World) -> None:
    of_a_third(world)
    accounts.deactivate(world.lea, by=world.kim)


# The act, and what falls away with it: kinds, and of whom.
ACTS: list[tuple[Callable[[World], None], set[tuple[str, str]]]] = [
    (withdraw, {("goals:answer", "bashir"), ("goals:waits", "ana")}),
    (withdraw_change, {("goals:change", "bashir")}),
    (lapse_change, {("goals:change", "bashir")}),
    (took_back_evaluation, {("evaluations:sign", "ana"), ("evaluations:sign", "bashir")}),
    (withdrew_release, {("appraisals:release", "lea")}),
    (restraint_lapsed, {("incentives:answer", "ana"), ("incentives:decide", "kim")}),
    (overtaken, {("incentives:sheet", "bashir")}),
    (
        cancelled,
        {(f"feedback:{k}", who) for k in ("agenda", "not_held") for who in ("ana", "bashir")},
    ),
    (moved, {(f"feedback:{k}", who) for k in ("agenda", "not_held") for who in ("ana", "bashir")}),
    (
        ended_series,
        {(f"feedback:{k}", who) for k in ("agenda", "not_held") for who in ("ana", "bashir")},
    ),
    (
        rescheduled,
        {(f"feedback:{k}", who) for k in ("agenda", "not_held") for who in ("ana", "bashir")},
    ),
    (
        scheduled,
        {(f"feedback:{k}", who) for k in ("agenda", "not_held") for who in ("ana", "bashir")},
    ),
    (dropped_action, {("feedback:action", "ana"), ("feedback:action", "bashir")}),
    (stage_closed, {("goals:propose", "ana")}),
    (closed, {("goals:propose", "ana"), ("evaluations:write", "bashir")}),
    (left, {("goals:propose", "ana"), ("evaluations:write", "bashir")}),
    (transferred, {("goals:answer", "bashir"), ("evaluations:write", "bashir")}),
    (withdrew_reopening, {("cycles:reopen", "kim")}),
    (archived, {("cycles:reopen", "kim")}),
    (took_back_leaving, {("incentives:team", "kim")}),
    (dated_leaving, {("feedback:request", "ana")}),
    (granted_role, {("incentives:publish", "lea")}),
    (closed_account, {("incentives:publish", "lea")}),
    (came_back, {("incentives:team", "ines")}),
    (applied_import, {("feedback:request", "chen"), ("feedback:request", "bashir")}),
]

# What these end has fallen away a moment before, or is a draft of nobody's: "left" drops what an award leaves behind.
NOTHING_LEFT_TO_DROP = {"award_left_out", "calculated_again", "carried_over"}


@pytest.mark.parametrize(("act", "falls"), ACTS, ids=[act.__name__ for act, _ in ACTS])
def test_what_falls_away_with_an_act_is_dropped_and_says_with_which(
    world: World, act: Callable[[World], None], falls: set[tuple[str, str]]
) -> None:
    catch_up()
    began = timezone.now()
    act(world)
    names = {user.employee_id: key for key, user in vars(world).items() if isinstance(user, User)}
    found = ToDo.objects.filter(dropped_why=act.__name__)
    assert all(began <= row.dropped_at <= timezone.now() for row in found if row.dropped_at)
    fell = {(row.kind, names.get(row.recipient_id, "")) for row in found}
    assert fell >= falls
    assert not found.filter(done_at__isnull=False).exists()
    for kind, key in falls:
        mine = ToDo.objects.filter(
            kind=kind, recipient=of(getattr(world, key)), done_at__isnull=False
        )
        assert not mine.exists(), "nobody did it"
    assert (drift(), misplaced(), miscounted()) == ([], [], 0)


def test_every_verb_that_drops_is_tried_above() -> None:
    assert {act.__name__ for act, _ in ACTS} | NOTHING_LEFT_TO_DROP >= DROPPING


def test_with_the_account_of_a_leaver_falls_what_waits_for_them_and_the_rest_with_the_file(
    world: World,
) -> None:
    """The import closes the account at once; who was not near it is settled after it."""
    meeting.make_request(of(world.bashir), of(world.chen), of(world.ana))
    catch_up()
    bring_in_leaver(world, of(world.chen))
    asked = ToDo.objects.filter(kind="feedback:request")
    assert set(asked.values_list("phase", "dropped_why", "done_at")) == {
        ("todo", "closed_account", None),
        ("waits", "closed_account", None),
    }
    assert drift() == []


def test_another_due_day_moves_what_is_open_and_drops_nothing(world: World) -> None:
    catch_up()
    before = set(ToDo.objects.open().values_list("pk", flat=True))
    later = objectives(world).due_on + timedelta(days=7)
    cycle_actions.postpone_stage(
        objectives(world), due_on=later, reason="x", version=None, by=world.kim
    )
    assert set(ToDo.objects.open().values_list("pk", flat=True)) == before
    assert not ToDo.objects.exclude(dropped_at=None, done_at=None).exists()
    asked = ToDo.objects.filter(kind="goals:propose")
    assert set(asked.values_list("due_on", flat=True)) == {later}


def test_another_due_day_does_not_hide_what_ran_out_before_it(world: World) -> None:
    """The clock is late: Ana's own time had passed before HR gave everybody in another stage more."""
    give_ana_more_time(world, days=2)
    appraisal_stage = Stage.objects.get(cycle=world.cycle, kind="appraisal")
    clock.turn_day()
    with days_later(5):
        began = timezone.now()
        later = appraisal_stage.due_on + timedelta(days=30)
        cycle_actions.postpone_stage(
            appraisal_stage, due_on=later, reason="x", version=None, by=world.kim
        )
        mine = ToDo.objects.get(kind="goals:propose", about=of(world.ana), dropped_why="day_turned")
        assert mine.done_at is None
        assert mine.dropped_at
        assert began <= mine.dropped_at <= timezone.now()
        assert not ToDo.objects.filter(dropped_why="stage_postponed").exists()


def check_and_repair() -> None:
    call_command("check_integrity", "--repair")


def upgrade() -> None:
    call_command("migrate", verbosity=0)


# Of another person than she whom it is about; and of a kind that an earlier version had.
WRONG_KINDS = ["goals:answer", "goals:of_an_earlier_version"]


@pytest.mark.parametrize("kind", WRONG_KINDS)
@pytest.mark.parametrize("repair", [check_and_repair, upgrade])
def test_what_stands_open_against_its_definition_is_dropped_by_the_repair_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, repair: Callable[[], None]
) -> None:
    """As by a fault of an earlier version, or where this one defines something otherwise."""
    # Django's own part has its tests elsewhere; here the tables stand.
    monkeypatch.setattr(migrate.Command, "handle", lambda *_args, **_options: None)
    catch_up()
    right = set(ToDo.objects.open().values_list("pk", flat=True))
    wrong = ToDo.objects.get(kind="goals:propose", recipient=of(world.ana))
    wrong.pk, wrong.kind = None, kind
    wrong.save(force_insert=True)
    assert [row.kind for row in drift()] == [kind]
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        repair()
        wrong.refresh_from_db()
        assert (wrong.dropped_why, wrong.dropped_at) == ("repaired", timezone.now())
    assert (wrong.done_at, wrong.done_by) == (None, None)
    assert set(ToDo.objects.open().values_list("pk", flat=True)) == right
    assert is_whole()
