"""One loop for all long work: claimed, held, done once, taken over, fenced, given up."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
import time_machine
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone

from pmcycle.activity.actions import Step, carry_out, enqueue
from pmcycle.activity.actions.jobs import LEASE, RENEWALS, REST, TRIES, Fenced, claim, finish
from pmcycle.activity.models import Event, Job, Notice
from pmcycle.celery import CLOCK
from pmcycle.cycles import tasks
from pmcycle.cycles.models import Cycle
from pmcycle.people.models import Role, RoleGrant, User
from tests.conftest import World
from tests.factories import cycles
from tests.stopping_worker import stopped

LAUNCH = "pmcycle.cycles.tasks.launch_waiting"
LAPSED = LEASE + timedelta(seconds=1)


def later(by: timedelta) -> Any:
    return time_machine.travel(timezone.now() + by, tick=False)


def the_job() -> Job:
    return Job.objects.get()


def asked(world: World, kind: str = "probe") -> Job:
    return enqueue(kind, world.cycle, by=world.kim, total=10)


def test_the_work_and_the_word_that_it_is_done_are_one_transaction(world: World) -> None:
    asked(world)

    def work(cycle: Cycle, by: User, step: Step) -> str:
        assert connection.in_atomic_block
        assert (cycle, by) == (world.cycle, world.kim)
        return "Done so"

    carry_out("probe", work)
    assert (the_job().state, the_job().message, the_job().done) == ("done", "Done so", 10)


def test_a_lease_that_holds_is_left_alone(world: World) -> None:
    asked(world)
    assert claim("probe")
    assert claim("probe") is None
    with later(LEASE - timedelta(seconds=1)):
        assert claim("probe") is None
    with later(LAPSED):
        assert claim("probe")


def test_whoever_comes_back_after_the_lease_is_fenced(world: World) -> None:
    asked(world)
    zombie = claim("probe")
    with later(LAPSED):
        holder = claim("probe")
    assert zombie
    assert holder
    assert holder.fence > zombie.fence
    with pytest.raises(Fenced), transaction.atomic():
        finish(zombie)
    assert the_job().state == "running"
    finish(holder)
    assert the_job().state == "done"


def test_what_a_zombie_wrote_is_taken_back(world: World) -> None:
    asked(world)

    def overtaken(cycle: Cycle, by: User, step: Step) -> None:
        Cycle.objects.filter(pk=cycle.pk).update(name="By the zombie")
        Job.objects.update(fence=9)

    carry_out("probe", overtaken)
    world.cycle.refresh_from_db()
    assert world.cycle.name != "By the zombie"
    assert the_job().state == "running"


def test_what_takes_its_worker_with_it_each_time_is_given_up_in_words(world: World) -> None:
    asked(world)
    for number in range(TRIES):
        with later(number * LAPSED):
            assert claim("probe")
    with later(TRIES * LAPSED):
        assert claim("probe") is None
    job = the_job()
    assert (job.state, job.error, job.attempts) == ("failed", "dead", TRIES)
    assert "The worker ended each time" in job.message
    assert Notice.objects.filter(recipient=world.noor, title__startswith="It stopped").exists()


def test_a_database_that_failed_gets_another_try_until_there_have_been_enough(world: World) -> None:
    asked(world)
    tried = []

    def fails(cycle: Cycle, by: User, step: Step) -> None:
        tried.append(by)
        raise OperationalError("canceling statement due to lock timeout")

    for number in range(TRIES + 1):
        with later(number * (REST + timedelta(seconds=1))):
            carry_out_in_a_test(fails)
    assert len(tried) == TRIES
    assert (the_job().state, the_job().error) == ("failed", "OperationalError")
    assert "did not let it through in time" in the_job().message


def carry_out_in_a_test(work: Any) -> None:
    """The connection stays: it holds the test's own transaction."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "close", lambda: None)
        carry_out("probe", work)


@pytest.mark.parametrize(
    ("error", "cause"),
    [(OperationalError, None), (DatabaseError, psycopg2.DatabaseError("server closed"))],
)
def test_between_two_tries_it_rests(
    world: World, error: type[Exception], cause: Exception | None
) -> None:
    asked(world)

    def fails(cycle: Cycle, by: User, step: Step) -> None:
        raise error from cause

    carry_out_in_a_test(fails)
    assert the_job().state == "waiting"
    assert claim("probe") is None
    with later(REST + timedelta(seconds=1)):
        assert claim("probe")


def test_work_is_not_done_for_somebody_whose_role_has_ended_since(world: World) -> None:
    asked(world)
    RoleGrant.objects.filter(user=world.kim, role=Role.HR_ADMIN).delete()
    done = []
    carry_out("probe", lambda cycle, by, step: done.append(by))
    assert not done
    assert (the_job().state, the_job().message) == (
        "failed",
        "Kim Larsen may not do this any more.",
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sign", "before"),
    [
        (signal.SIGKILL, "INSERT INTO cycles_participation"),
        (signal.SIGSTOP, '"activity_event"'),
        (signal.SIGKILL, 'UPDATE "activity_job" SET "state" = %s, "message" = %s, "done"'),
    ],
)
def test_a_worker_that_dies_or_freezes_is_replaced_and_everything_happens_once(
    sign: signal.Signals, before: str
) -> None:
    kim, cycle = cycles.draft_of_two()
    enqueue("launch", cycle, by=kim, total=2)
    with stopped(LAUNCH, before=before) as worker:
        worker.send_signal(sign)
        tasks.launch_waiting()
        assert the_job().state == "running"  # its lease holds
        with later(LAPSED):
            tasks.launch_waiting()
        assert (the_job().state, the_job().attempts) == ("done", 2)
    cycle.refresh_from_db()
    assert (cycle.state, cycle.participations.count()) == ("running", 2)
    assert Event.objects.filter(verb="launched").count() == 1
    assert Event.objects.filter(verb="takes_part").count() == 2


LONG_WORK = {
    "cycles.launch_waiting",
    "appraisals.release",
    "incentives.calculate",
    "incentives.release",
    "people.rehearse_imports",
    "people.apply_imports",
}


@pytest.mark.parametrize("job", sorted(LONG_WORK))
def test_lease_and_clock_leave_half_of_the_promised_minute_to_a_busy_machine(job: str) -> None:
    """A worker that died is replaced within a minute (docs/operator.md), also where the next one starts slowly."""
    assert LEASE + timedelta(seconds=CLOCK[job]["schedule"]) <= timedelta(seconds=30)


def test_a_renewal_that_is_lost_or_two_of_them_end_no_lease() -> None:
    assert RENEWALS > 3
