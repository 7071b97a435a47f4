"""What has to be true after each fault: nothing stuck, nothing lost, nothing twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command
from django.db import connection

from tests.faults.company import POOL
from tests.faults.people import Ledger
from tests.faults.stack import Stack
from tools.mailbox import read

# Time that passes: a mail that is to be tried later is due, so is work that rests, and whoever has not shown
# up since their process died has not done so for as long as a lease takes.
TIME_PASSES = """
UPDATE activity_delivery SET not_before = now()
  WHERE state = 'pending' AND message_id <> '' AND not_before > now() AND lease_until IS NULL
  AND notice_id IN (SELECT id FROM activity_notice WHERE kind NOT IN ('reminder', 'escalation'));
UPDATE activity_delivery SET lease_until = now() - interval '1 second'
  WHERE state = 'pending' AND lease_until < now() + interval '9 minutes 30 seconds' AND lease_until > now();
UPDATE activity_job SET lease_until = now() - interval '1 second'
  WHERE lease_until > now() AND (state = 'waiting' OR state = 'running' AND holder_pid NOT IN (
    SELECT pid FROM pg_stat_activity WHERE datname = current_database()));
"""
STUCK = """
SELECT 'long work: ' || kind || ' ' || state FROM activity_job WHERE state IN ('waiting', 'running')
UNION ALL SELECT 'a mail that is due: ' || id FROM activity_delivery WHERE state = 'pending' AND not_before <= now()
UNION ALL SELECT 'the clock, or the worker: nothing is done any more' WHERE NOT EXISTS (
  SELECT FROM activity_heartbeat WHERE name = 'deliver' AND at > %s)
"""
IDLE = """
SELECT 'a transaction in which nothing happens: ' || pid FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%%' AND state_change < now() - interval '10 s'
"""
WRONG = """
SELECT 'work that failed: ' || kind || ': ' || message FROM activity_job WHERE state = 'failed'
UNION ALL SELECT 'a mail given up: ' || why FROM activity_delivery WHERE state = 'failed'
UNION ALL SELECT 'a reminder twice: ' || max(title) FROM activity_notice WHERE kind = 'reminder'
  GROUP BY recipient_id, subject_kind, subject_id, due_on HAVING count(*) > 1
UNION ALL SELECT 'a launch told ' || count(*) || ' times' FROM activity_event WHERE verb = 'launched'
  GROUP BY subject_id HAVING count(*) > 1
UNION ALL SELECT 'in one cycle twice: ' || employee_id FROM cycles_participation
  GROUP BY cycle_id, employee_id HAVING count(*) > 1
"""


def settle(stack: Stack, seconds: float = 300) -> list[str]:
    """Wait until nothing is left to do and the clock strikes; what still is when the time is over."""
    give_up = time.monotonic() + seconds
    [[began]] = stack.sql("SELECT now()")
    while True:
        stack.heal()
        stack.sql(TIME_PASSES)
        stuck = [f"stuck: {row[0]}" for row in stack.sql(STUCK, [began])]
        if not stuck or time.monotonic() > give_up:
            return [*stuck, *(row[0] for row in stack.sql(IDLE))]
        time.sleep(0.5)


def judge(stack: Stack, ledger: Ledger, repeated: set[str], *, may_repeat: bool) -> list[str]:
    """Everything that is not as it has to be, in words. `repeated` are mails that may have come twice by now.

    A mail whose sender dies, or hears no answer, before it could note it goes out again under the same name.
    Looked at once more before it counts: the clock goes on, and a mail may be on its way just now.
    """
    for _ in range(2):
        problems = _judge(stack, ledger, repeated, may_repeat=may_repeat)
        if not problems:
            break
        time.sleep(5)
    return problems


def _judge(stack: Stack, ledger: Ledger, repeated: set[str], *, may_repeat: bool) -> list[str]:
    connection.close()
    problems = [str(row[0]) for row in stack.sql(WRONG)]
    out = StringIO()
    try:
        call_command("check_integrity", stdout=out)
    except CommandError as error:
        problems.append(f"check_integrity: {error} {out.getvalue()}")
    connection.close()
    for kind, rows in written(stack):
        problems += compare(kind, Counter(rows), ledger)
    problems += drafts(stack, ledger)
    awarded = stack.sql("SELECT coalesce(sum(guideline), 0) FROM incentives_award")[0][0]
    if awarded and str(awarded) != POOL:
        problems.append(f"the pool has {POOL}, given are {awarded}")
    problems += mails(stack, repeated, may_repeat=may_repeat)
    return problems + ledger.wrong


def written(stack: Stack) -> Iterator[tuple[str, list[Any]]]:
    yield "said", [row[0] for row in stack.sql("SELECT body FROM feedback_entry")]
    yield (
        "recorded",
        [
            (key_result, int(value))
            for key_result, value in stack.sql(
                "SELECT key_result_id, value FROM goals_progressupdate"
            )
        ],
    )


def compare(kind: str, rows: Counter[Any], ledger: Ledger) -> list[str]:
    """What was acknowledged is there once; what was sent and not answered is there once or not at all."""
    sent, known = set(ledger.sent.get(kind, ())), ledger.acknowledged.get(kind, [])
    problems = [f"lost, though acknowledged: {kind} {what}" for what in known if not rows[what]]
    problems += [f"written {n} times: {kind} {what}" for what, n in rows.items() if n > 1]
    problems += [f"written by nobody: {kind} {what}" for what in rows if what not in sent]
    if not known:
        problems.append(f"nothing was acknowledged: {kind}")
    return problems


def drafts(stack: Stack, ledger: Ledger) -> list[str]:
    """A draft is the last that was acknowledged, or one sent after it."""
    there = {
        int(key.partition(":")[2]): int(turn)
        for key, turn in stack.sql(
            "SELECT key, data->>'turn' FROM activity_draft WHERE key ~ '^faults:[0-9]+$' AND data ? 'turn'"
        )
    }
    last: dict[int, int] = {}
    for whose, turn in ledger.acknowledged.get("typed", []):
        last[whose] = max(turn, last.get(whose, 0))
    return [
        f"a draft is older than what was acknowledged: {there.get(whose)} instead of {turn}"
        for whose, turn in last.items()
        if there.get(whose, 0) < turn
    ]


def mails(stack: Stack, repeated: set[str], *, may_repeat: bool) -> list[str]:
    """Each that counts as sent has arrived, under one name, and once unless its sender could not know it."""
    arrived = Counter(str(mail["Message-ID"]) for mail in read(stack.folder / "mail"))
    sent = {
        row[0]
        for row in stack.sql(
            "SELECT DISTINCT message_id FROM activity_delivery WHERE state = 'sent'"
        )
    }
    problems = [f"counts as sent and has not arrived: {name}" for name in sent - set(arrived)]
    problems += [f"arrived and does not count as sent: {name}" for name in set(arrived) - sent]
    twice = {name for name, n in arrived.items() if n > 1}
    if may_repeat:
        repeated |= twice
    return problems + [f"arrived {arrived[name]} times: {name}" for name in twice - repeated]
