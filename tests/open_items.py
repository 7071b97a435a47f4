"""What every test holds: an act leaves exactly that open which the definitions say.

Tests put rows into the database by hand; what those open is written before the next page is asked
for, or the next action begins, as a database would have it where actions alone had made the rows. From
there on the action is on its own: when its transaction ends, to-dos, milestones, places and counts are
compared with what they are made from, and any difference fails the test that called it; so does a line of the
trail for which there are no words. Before the turn
of the day nothing is written: what the day opens and drops is for the clock to do.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, lru_cache
from types import FrameType
from typing import Any, NoReturn

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from pmcycle.activity.actions import definitions as todos
from pmcycle.activity.actions import drift, miscounted, misplaced, recount, settle_all
from pmcycle.activity.actions.definitions import Definition
from pmcycle.activity.actions.todos import Drift
from pmcycle.activity.models import Event, ToDo, named
from pmcycle.activity.words import words_of_all
from pmcycle.cycles.actions import stage_work
from pmcycle.home import actions as clock
from pmcycle.home import contributions
from pmcycle.home.items import COLUMNS, Item
from pmcycle.people.actions import importing


class Watch(threading.local):  # noqa: TID251 - two threads of a test act at once
    """How deep this thread is in an action."""

    depth = 0
    is_late = False


WATCH = Watch()


@contextmanager
def unseen() -> Iterator[None]:
    """Statements in here belong to no page: they are in no count."""
    was, connection.force_debug_cursor = connection.force_debug_cursor, False
    log = list(connection.queries_log)
    try:
        yield
    finally:
        connection.force_debug_cursor = was
        connection.queries_log.clear()
        connection.queries_log.extend(log)


def differences() -> list[Drift | str]:
    """Where rows differ from what they are made from."""
    if connection.needs_rollback:
        return []
    with unseen():
        found: list[Drift | str] = [*drift(), *misplaced()]
        if counts := miscounted():
            found.append(f"{counts} counts of the board")
        return found


def unworded() -> list[Drift | str]:
    """What stands in the trail without words for it."""
    if connection.needs_rollback:
        return []
    with unseen():
        recorded = list(Event.objects.order_by().values_list("verb", "subject_kind").distinct())
    verbs, subjects = words_of_all("VERBS"), words_of_all("SUBJECTS")
    return [
        f"no words for {verb} of {kind}: write them into words.py of its app"
        for verb, kind in recorded
        if verb not in verbs or kind not in subjects
    ]


def catch_up() -> None:
    """Write what rows made by hand have opened, moved and counted."""
    if WATCH.is_late or not differences():
        return
    with unseen():
        settle_all("repaired", by=None)
        if miscounted():
            recount()


@contextmanager
def late_clock() -> Iterator[None]:
    """In here the day has turned and the clock has not: what is open is as the last day left it.

    An act does its own part. What it leaves to the clock is compared when the clock has struck.
    """
    catch_up()
    WATCH.is_late = True
    try:
        yield
    finally:
        WATCH.is_late = False


def define(monkeypatch: pytest.MonkeyPatch, definitions: dict[str, Definition]) -> None:
    """Let these be the only things that can be open, until the test's transaction is rolled back."""
    monkeypatch.setattr(contributions, "DEFINITIONS", definitions)
    monkeypatch.setattr(todos, "union_of", lru_cache(todos.union_of.__wrapped__))
    todos.install()


def waiting(app: str = "", at: datetime | None = None) -> list[Item]:
    """What anybody has open now, of one app or of all."""
    catch_up()
    rows = ToDo.objects.filter(kind__startswith=f"{app}:" if app else "").now(at or timezone.now())
    found = rows.annotate(named_as=named()).order_by("pk").values_list(*COLUMNS)
    return [Item(*row) for row in found]


def open_items_of(employee_id: int) -> list[Item]:
    """What one person has open now."""
    return [item for item in waiting() if item.recipient == employee_id]


@cache
def steps() -> frozenset[Any]:
    """What a stage does as a part of the acts that open and close it, which settle for all of it."""
    return frozenset(
        step.__code__
        for work in stage_work().values()
        for name in ("copies", "checks", "launches", "opens", "closes", "ends")
        for step in getattr(work, name)
    )


def is_action(frame: FrameType) -> bool:
    """Whether the code of a business verb stands here."""
    name = frame.f_globals.get("__name__", "")
    is_verb = ".actions" in name and not name.startswith("pmcycle.activity")
    return is_verb and (WATCH.depth > 0 or frame.f_code not in steps())


def is_settled_after(frame: FrameType) -> bool:
    """Whether what is open follows this action in transactions of its own."""
    return frame.f_code is importing.apply_import.__code__


def fail(found: list[Drift | str]) -> NoReturn:
    lines = "\n".join(map(str, found[:8]))
    raise AssertionError(f"this action left open items that are not as defined:\n{lines}")


def watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare at the end of every action of this test, and read what it wrote into the trail."""
    enter, leave = transaction.Atomic.__enter__, transaction.Atomic.__exit__
    ask, turn = Client.request, clock.turn_day

    def entering(self: Any) -> None:
        frame = sys._getframe(1)
        self.is_action, self.is_settled_after = is_action(frame), is_settled_after(frame)
        if self.is_action:
            if WATCH.depth == 0:
                catch_up()
            WATCH.depth += 1
        enter(self)

    def leaving(self: Any, kind: Any, value: Any, traceback: Any) -> None:
        if getattr(self, "is_action", False):
            WATCH.depth -= 1
            is_over = (
                kind is None and WATCH.depth == 0 and not (WATCH.is_late or self.is_settled_after)
            )
            if is_over and (found := [*differences(), *unworded()]):
                leave(self, AssertionError, AssertionError("drift"), None)
                fail(found)
        leave(self, kind, value, traceback)

    def turning() -> bool:
        has_turned = turn()
        if found := differences():
            fail(found)
        return has_turned

    def asking(self: Client, **request: Any) -> Any:
        if WATCH.depth == 0 and connection.connection is not None:
            catch_up()
        return ask(self, **request)

    monkeypatch.setattr(transaction.Atomic, "__enter__", entering)
    monkeypatch.setattr(transaction.Atomic, "__exit__", leaving)
    monkeypatch.setattr(Client, "request", asking)
    monkeypatch.setattr(clock, "turn_day", turning)
