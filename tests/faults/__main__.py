"""`./dev faults [--quick] [--seed NAME] [--only FAULT …]`: break things under people who work, and look.

Proxy, web server, worker, clock, mail server, PostgreSQL and Valkey are the real ones; the people are threads with
a ledger of what they were told is written. After each fault whatever ended is started again, and everything has to
be as it should be. Exit code 1 if it is not.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import django

from tests.faults import seeds
from tests.faults.mailbox import MOODS, SILENT, SLOW
from tests.faults.people import Answer, People, post
from tests.faults.stack import Stack

if TYPE_CHECKING:
    from pmcycle.people.models import User
    from tests.conftest import World

# A quick run begins no further fault after so many seconds, so that it ends within six minutes.
QUICK_SECONDS = 300.0
# Seconds within which a worker that died is replaced, as docs/operator.md promises.
REPLACED_WITHIN = 60.0
# More than there are threads that serve.
SLOW_CLIENTS = 40
# Bytes of an upload that is not kept in memory while it is read.
LARGE = 3_000_000
SHOWN = 20

# Presses a button until it is answered.
Press = Callable[[], None]


@dataclass
class Scene:
    """What a fault works on; `long` faults last longer, and let leases pass instead of ending them."""

    stack: Stack
    people: People
    world: World
    writers: list[User]
    sessions: dict[str, str]
    long: bool
    cycles: int = 0
    files: int = 0
    told: int = 0
    repeated: set[str] = field(default_factory=set)

    def let_work(self, seconds: float = 0) -> None:
        """Wait so long, and until people have written more."""
        before, began = self.people.written(), time.monotonic()
        self.stack.wait_for(
            lambda: self.people.written() > before + 10 and time.monotonic() - began >= seconds,
            "people to write",
        )

    def until_answered(self, status: int, times: int) -> None:
        """Wait until people were answered so several times more."""
        known = self.people.ledger.answers
        before = known[status]
        self.stack.wait_for(lambda: known[status] >= before + times, f"an answer with {status}")

    def press(self, url: str, who: str = "kim", **typed: object) -> None:
        """Somebody presses a button, again until it is answered; pressed twice, it is one job."""
        body = urlencode(typed)
        self.stack.wait_for(
            lambda: post(self.stack.port, self.sessions[who], url, body).status == 302,
            f"an answer to {url}",
        )

    def launch(self) -> Press:
        """The button that launches one more cycle."""
        from tests.faults.company import next_cycle

        self.cycles += 1
        cycle = next_cycle(self.world, f"Next year {self.cycles}")
        return partial(self.press, f"/cycles/{cycle.pk}/launch/")

    def bring(self) -> Press:
        """The button that applies one more file of people."""
        from tests.faults.company import next_import

        self.files += 1
        run = next_import(self.world, self.files)
        return partial(self.press, f"/people/imports/{run.pk}/apply/", version=run.version)

    def tell_everybody(self) -> None:
        """A mail that is due at once waits for each of those who write."""
        from pmcycle.activity.actions import Tell, tell

        self.told += 1
        for user in self.writers:
            key = f"faults:{self.told}:{user.pk}"
            tell(user, [Tell(user.pk, "Look at your goals", "/goals/", key=key, is_urgent=True)])

    def work_is_done(self) -> None:
        """Wait until no long work is left."""
        unfinished = "SELECT 1 FROM activity_job WHERE state IN ('waiting', 'running')"
        self.stack.wait_for(lambda: not self.stack.sql(unfinished), "long work to end")

    def a_lease_later(self) -> None:
        """Whatever ended is started again, and its lease is over: its holder has not shown up for so long."""
        self.stack.heal()
        self.stack.sql(
            "UPDATE activity_job SET lease_until = now() - interval '1 second' WHERE state = 'running'"
        )

    def is_replaced(self) -> None:
        """Another worker has taken over what one had that died; in a long run, within the minute."""
        if not self.long:
            self.a_lease_later()
            return
        claims = "SELECT sum(fence) FROM activity_job"
        before, began = self.stack.sql(claims), time.monotonic()
        self.stack.heal()
        self.stack.wait_for(lambda: self.stack.sql(claims) != before, "another worker")
        took = time.monotonic() - began
        assert took < REPLACED_WITHIN, f"the worker was replaced after {took:.0f} s only"


def web_killed(scene: Scene) -> None:
    """The web processes, at the first, a middle and the last table that a sentence is written to."""
    for table in ("feedback_entry", "activity_event", "activity_delivery"):
        with scene.stack.stopped_at(table, 1):
            scene.stack.kill_children("web")
        scene.let_work()


def worker_killed(scene: Scene) -> None:
    """The worker at the first person of a launch, a child of its pool in the middle, the worker at the last."""
    [[people]] = scene.stack.sql("SELECT count(*) FROM people_employee")
    killed_in_work(scene, "cycles_participation", people, scene.launch)
    calculate = partial(scene.press, f"/incentives/cycles/{scene.world.cycle.pk}/run/calculate/")
    with scene.stack.stopped_at("incentives_award", len(scene.world.part), calculate):
        scene.stack.kill("worker")
    scene.is_replaced()
    scene.work_is_done()
    assert scene.stack.sql("SELECT 1 FROM incentives_award"), "nobody was awarded anything"


def import_killed(scene: Scene) -> None:
    """The same in an import."""
    from tests.faults.company import NEWCOMERS

    killed_in_work(scene, "people_employee", NEWCOMERS, scene.bring)


def killed_in_work(scene: Scene, table: str, rows: int, button: Callable[[], Press]) -> None:
    """At the first, a middle and the last row. Work that takes three workers with it is given up: so, two pieces."""
    stack = scene.stack
    with stack.stopped_at(table, 1, button()):
        stack.kill("worker")
    with stack.stopped_at(table, rows // 2, scene.is_replaced):
        stack.kill_children("worker")
    scene.is_replaced()
    scene.work_is_done()
    with stack.stopped_at(table, rows, button()):
        stack.kill_children("worker")
    scene.is_replaced()
    scene.work_is_done()


def worker_frozen(scene: Scene) -> None:
    """The worker in the middle of a launch for longer than its lease; another does it, and then it wakes up."""
    stack = scene.stack
    with stack.stopped_at("cycles_participation", 3, scene.launch()):
        stack.signal("worker", signal.SIGSTOP)
        stack.add("worker two")
        scene.is_replaced()
        scene.work_is_done()
    stack.signal("worker", signal.SIGCONT)
    scene.let_work(4)
    stack.remove("worker two")


def work_raises(scene: Scene) -> None:
    """An error that nobody has thought of in the middle of a launch: it ends in words, and is tried again."""
    stack = scene.stack
    press = scene.launch()
    with stack.raising_at("cycles_participation"):
        press()
        failed = (
            "SELECT id FROM activity_job WHERE state = 'failed' AND error <> '' AND message <> ''"
        )
        stack.wait_for(lambda: stack.sql(failed), "work to fail")
    [[job]] = stack.sql(failed)
    scene.press(f"/activity/jobs/{job}/retry/", "noor")
    scene.work_is_done()


def answers_lost(scene: Scene) -> None:
    """Everybody hangs up before the answer comes, and sends the same again."""
    scene.people.impatient.set()
    scene.let_work(20 if scene.long else 6)
    scene.people.impatient.clear()


def rows_held(scene: Scene) -> None:
    """Somebody holds the goals of two people for longer than a page waits: 503, with what was typed."""
    rows = [person.key_result for person in scene.people.cast[:2]]
    with scene.stack.held("SELECT 1 FROM goals_keyresult WHERE id = ANY(%s) FOR UPDATE", [rows]):
        scene.until_answered(503, 2)
        scene.let_work()
    scene.let_work()


def slow_clients(scene: Scene) -> None:
    """More clients than there are threads begin to send a form and do not go on."""
    from tests.home.test_serving import begin

    with ExitStack() as opened:
        for _ in range(SLOW_CLIENTS):
            opened.enter_context(begin(scene.stack.port))
        scene.let_work(20 if scene.long else 3)


def valkey_gone(scene: Scene) -> None:
    """Valkey ends, with every task that it held, and comes back empty."""
    scene.stack.valkey.kill()
    scene.stack.valkey.wait()
    scene.let_work(20 if scene.long else 4)
    scene.stack.heal()


def valkey_frozen(scene: Scene) -> None:
    """Valkey takes connections and says nothing."""
    scene.stack.valkey.send_signal(signal.SIGSTOP)
    scene.let_work(20 if scene.long else 4)
    scene.stack.valkey.send_signal(signal.SIGCONT)


def mail_refused(scene: Scene) -> None:
    """The mail server in each of its moods."""
    for mood in MOODS:
        scene.stack.mailbox.handler.mood = mood
        scene.tell_everybody()
        scene.let_work(20 if scene.long else 3)
    scene.stack.mailbox.handler.mood = ""


def mail_silent(scene: Scene) -> None:
    """The mail server says nothing while somebody asks for a new password: the page answers, the mail follows."""
    stack, ana = scene.stack, scene.world.ana
    stack.mailbox.handler.mood = SILENT
    asked = post(stack.port, "", "/account/password/reset/", urlencode({"email": ana.email}))
    assert asked.status == 302, f"who asked for a new password was answered {asked.status}"
    scene.let_work(25 if scene.long else 4)
    stack.mailbox.handler.mood = ""
    from tests.faults.verdict import TIME_PASSES
    from tools.mailbox import read

    def has_come() -> bool:
        stack.sql(TIME_PASSES)
        return any(
            "Choose a new password" in str(m["Subject"])
            for m in read(stack.folder / "mail", ana.email)
        )

    stack.wait_for(has_come, "the link for a new password")


def sessions_ended(scene: Scene) -> None:
    """Every session of the database is ended, every two seconds (in a long run every five)."""
    for _ in range(6 if scene.long else 3):
        scene.stack.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        time.sleep(5 if scene.long else 2)
        scene.stack.heal()


def postgres_stopped(scene: Scene) -> None:
    """PostgreSQL ends at once, without a word to anybody, and recovers from its log."""
    scene.stack.postgres.send_signal(signal.SIGQUIT)
    scene.stack.postgres.wait()
    time.sleep(10 if scene.long else 2)
    scene.stack.heal()
    scene.let_work()


def clock_doubled(scene: Scene) -> None:
    """The clock stands still, then strikes three days late, twice, and each task is handed out three times."""
    from pmcycle.celery import CLOCK, app

    stack = scene.stack
    stack.signal("beat", signal.SIGSTOP)
    scene.let_work(4)
    stack.sql("UPDATE activity_heartbeat SET at = at - interval '3 days'")
    stack.mailbox.handler.mood = SLOW
    scene.tell_everybody()
    stack.add("worker two")
    for job in CLOCK.values():
        for _ in range(3):
            app.send_task(job["task"])
    stack.add("beat two")
    stack.signal("beat", signal.SIGCONT)
    reminded = "SELECT 1 FROM activity_notice WHERE kind = 'reminder'"
    stack.wait_for(lambda: stack.sql(reminded), "reminders")
    scene.let_work(30 if scene.long else 8)
    stack.mailbox.handler.mood = ""
    stack.remove("beat two")
    stack.remove("worker two")


def disk_full(scene: Scene) -> None:
    """The disk of the database and of uploads has no room left while people write and upload."""

    def upload() -> Answer:
        head = {"Content-Type": "multipart/form-data; boundary=faults"}
        lines = b"".join(b'%07d,"Stone, Rita",2020-02-03\n' % n for n in range(LARGE // 30))
        body = (
            b'--faults\r\nContent-Disposition: form-data; name="kind"\r\n\r\npeople\r\n'
            b'--faults\r\nContent-Disposition: form-data; name="file"; filename="large.csv"\r\n\r\n'
            b"Number,Name,Hired on\n" + lines + b"\r\n--faults--\r\n"
        )
        return post(scene.stack.port, scene.sessions["kim"], "/people/imports/upload/", body, head)

    with scene.stack.full_disk():
        scene.until_answered(503, 5)
        answer = upload()
        assert answer.status == 503, f"an upload to a full disk was answered {answer.status}"
        assert "no room left" in answer.text, "a full disk is not named"
    assert not scene.stack.sql("SELECT 1 FROM people_import WHERE file_name = 'large.csv'"), (
        "half a file is kept"
    )
    scene.stack.wait_for(lambda: upload().status == 302, "room for a file")
    scene.let_work()


# What takes longest comes first: a quick run may have to leave out the last.
FAULTS: dict[str, Callable[[Scene], None]] = {
    "clock doubled": clock_doubled,
    "answers lost": answers_lost,
    "import killed": import_killed,
    "worker killed": worker_killed,
    "worker frozen": worker_frozen,
    "web killed": web_killed,
    "postgres stopped": postgres_stopped,
    "disk full": disk_full,
    "mail refused": mail_refused,
    "rows held": rows_held,
    "work raises": work_raises,
    "mail silent": mail_silent,
    "sessions ended": sessions_ended,
    "valkey gone": valkey_gone,
    "valkey frozen": valkey_frozen,
    "slow clients": slow_clients,
}
# In these somebody sends a mail and does not come to note it, so that it goes out again. In no other does a mail
# come twice.
MAIL_TWICE = {
    "worker killed",
    "import killed",
    "worker frozen",
    "mail refused",
    "mail silent",
    "sessions ended",
    "postgres stopped",
    "disk full",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="./dev faults", description="Break things under people who work."
    )
    parser.add_argument(
        "--quick", action="store_true", help="each fault once and shortly, in six minutes"
    )
    parser.add_argument(
        "--only", nargs="+", choices=FAULTS, default=list(FAULTS), help="these faults"
    )
    parser.add_argument(
        "--seed", choices=seeds.SEEDS, default="", help="with this bug put in; it has to be found"
    )
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if wanted.seed:
        print(f"Without {seeds.SEEDS[wanted.seed]}", flush=True)
    with Stack(wanted.seed) as stack:
        sys.exit(run(stack, wanted.only, long=not wanted.quick))


def run(stack: Stack, faults: list[str], *, long: bool) -> int:
    django.setup()
    from tests.faults import company, verdict
    from tests.journeys.conftest import session_of

    began = time.monotonic()
    world, writers = company.build()
    people = People(
        stack.port, company.cast(world, writers), company.version_of, pause=0.5 if long else 1.0
    )
    sessions = {"kim": session_of(world.kim), "noor": session_of(world.noor)}
    scene = Scene(stack, people, world, writers, sessions, long)
    if statement := seeds.STATEMENTS.get(stack.seed):
        stack.sql(statement)
    stack.start()
    scene.press("/activity/inbox/read/")
    people.start()
    left_out = [] if stack.has_small_disk else ["disk full (this machine lets nobody mount a disk)"]
    try:
        known = people.ledger.acknowledged
        stack.wait_for(lambda: {"said", "recorded", "typed"} <= set(known), "each kind of work")
        for name in faults:
            if name == "disk full" and not stack.has_small_disk:
                continue
            since = time.monotonic()
            if not long and since - began > QUICK_SECONDS:
                left_out.append(f"{name} (no time)")
                continue
            problems = []
            try:
                FAULTS[name](scene)
            except AssertionError as error:
                problems.append(str(error))
            with people.away():
                problems += verdict.settle(stack)
                problems += verdict.judge(
                    stack, people.ledger, scene.repeated, may_repeat=name in MAIL_TWICE
                )
            took = time.monotonic() - since
            print(
                f"{name:<20}{took:6.0f} s   {'not as it should be' if problems else 'ok'}",
                flush=True,
            )
            if problems:
                more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
                print("\n".join(f"  {line}" for line in problems[:SHOWN] + more), flush=True)
                return 1
    finally:
        people.stop()
    if left_out:
        print(f"Left out: {', '.join(left_out)}")
    told = ", ".join(f"{len(lines)} {kind}" for kind, lines in people.ledger.acknowledged.items())
    answers = ", ".join(
        f"{n} × {status or 'none'}" for status, n in sorted(people.ledger.answers.items())
    )
    print(
        f"\nAll as it should be after {time.monotonic() - began:.0f} s. Acknowledged to {len(writers)} people: {told}."
        f" Answers: {answers}. Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.",
        flush=True,
    )
    return 0


if __name__ == "__main__":
    main()
