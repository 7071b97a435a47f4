"""Scripted people at work, and the ledger of what they were told is written."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

CSRF = "c" * 32
FORM = "application/x-www-form-urlencoded"
# Answered so, whoever sent it sends it again: nobody there, a proxy without anybody behind it, not just now.
NOT_NOW = (0, 502, 503, 504)
TOLD = 302
KEPT = 200
LATE = 409


@dataclass
class Ledger:
    """What was sent, what of it was answered with "it is written", and what nobody should have been answered."""

    sent: dict[str, list[Any]] = field(default_factory=dict)
    acknowledged: dict[str, list[Any]] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def sending(self, kind: str, what: Any) -> None:
        with self.lock:
            self.sent.setdefault(kind, []).append(what)

    def written(self, kind: str, what: Any) -> None:
        with self.lock:
            self.acknowledged.setdefault(kind, []).append(what)

    def answered(self, status: int, complaint: str = "") -> None:
        with self.lock:
            self.answers[status] += 1
            if complaint:
                self.wrong.append(complaint)


@dataclass
class Person:
    """Somebody with a browser, a conversation, a goal and forms that they fill in."""

    name: str
    session: str
    thread: str
    key_result: int


@dataclass(frozen=True)
class Sending:
    """What is sent until it is answered, the same each time. `words` have to stand on the page of a 503."""

    kind: str
    what: Any
    url: str
    body: str
    good: int
    words: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class People:
    """All of them, each in a thread: they write without a pause, except while somebody looks.

    What is not answered is sent again, as it was, until it is; the form's key tells the server that it is the
    same. While `impatient`, they hang up each time before the first answer comes.
    """

    def __init__(
        self, port: int, cast: list[Person], version_of: Callable[[int], int | None], pause: float
    ) -> None:
        self.port, self.cast, self.version_of, self.pause = port, cast, version_of, pause
        self.ledger = Ledger()
        self.may_write, self.over, self.impatient = (
            threading.Event(),
            threading.Event(),
            threading.Event(),
        )
        self.at_it = [threading.Lock() for _ in cast]
        self.threads = [
            threading.Thread(target=self._work, args=[person, lock], daemon=True)
            for person, lock in zip(cast, self.at_it, strict=True)
        ]

    def start(self) -> None:
        self.may_write.set()
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.over.set()
        self.may_write.set()
        for thread in self.threads:
            thread.join(60)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Nobody sends anything in here, and whatever was sent before is answered or given up."""
        self.may_write.clear()
        for lock in self.at_it:
            with lock:
                pass
        yield
        self.may_write.set()

    def written(self) -> int:
        return sum(len(known) for known in self.ledger.acknowledged.values())

    def _work(self, person: Person, lock: threading.Lock) -> None:
        for turn in itertools.count(1):
            for act in (self._say, self._record, self._type, self._come_late):
                for sending in act(person, turn):
                    if not self._send(person, sending, lock):
                        return
                if self.over.wait(self.pause):
                    return

    def _say(self, person: Person, turn: int) -> Iterator[Sending]:
        words = f"{person.name} says {turn}"
        body = urlencode({"body": words, "form_key": words})
        yield Sending("said", words, person.thread, body, TOLD, words)

    def _record(self, person: Person, turn: int) -> Iterator[Sending]:
        version = self.version_of(person.key_result)
        if version is not None:
            what = (person.key_result, turn)
            typed = {"value": turn, "confidence": "on_track", "version": version, "form_key": what}
            url = f"/goals/key-results/{person.key_result}/progress/"
            yield Sending("recorded", what, url, urlencode(typed), TOLD, "Send it again")

    def _type(self, person: Person, turn: int) -> Iterator[Sending]:
        yield self._draft(f"faults:{person.key_result}", "typed", (person.key_result, turn), turn)

    def _come_late(self, person: Person, turn: int) -> Iterator[Sending]:
        """What was typed before a form was sent, and arrives after it, brings nothing back."""
        if turn % 5:
            return
        key = f"faults:late:{person.key_result}"
        opened = post(self.port, person.session, f"/activity/drafts/{key}/", method="GET")
        if opened.status not in (KEPT, 204):
            return
        count = {"X-Draft-Sent": opened.headers.get("X-Draft-Sent", "")}
        yield self._draft(key, "opened", (key, turn), turn, count)
        yield Sending("emptied", (key, turn), f"/activity/drafts/{key}/", "", KEPT, method="DELETE")
        yield self._draft(key, "late", (key, turn), turn, count, good=LATE)

    def _draft(
        self,
        key: str,
        kind: str,
        what: Any,
        turn: int,
        headers: Mapping[str, str] | None = None,
        good: int = KEPT,
    ) -> Sending:
        body = json.dumps({"fields": {"turn": str(turn)}})
        head = {"Content-Type": "application/json", **(headers or {})}
        return Sending(
            kind, what, f"/activity/drafts/{key}/", body, good, method="PUT", headers=head
        )

    def _send(self, person: Person, sending: Sending, lock: threading.Lock) -> bool:
        """Send until it is answered; False when the work is over."""
        self.ledger.sending(sending.kind, sending.what)
        hang_up = self.impatient.is_set()
        while True:
            self.may_write.wait()
            if self.over.is_set():
                return False
            # Looked at again under the lock: nobody begins while somebody waits for it.
            with lock:
                if not self.may_write.is_set():
                    continue
                answer = post(
                    self.port,
                    person.session,
                    sending.url,
                    sending.body,
                    sending.headers,
                    method=sending.method,
                    hang_up=hang_up,
                )
                self.ledger.answered(answer.status, complaint(sending, answer))
                if answer.status == sending.good:
                    self.ledger.written(sending.kind, sending.what)
            if answer.status not in NOT_NOW:
                return True
            if not hang_up and self.over.wait(max(self.pause, 0.2)):
                return False
            hang_up = False


def complaint(sending: Sending, answer: Answer) -> str:
    """What is wrong with an answer, empty if nothing is: not just now is no wrong, if the words are on the page."""
    if answer.status == 503 and sending.words not in answer.text:
        return f"503 without what was typed: {sending.kind} {sending.what}"
    if answer.status not in (*NOT_NOW, sending.good):
        return f"answered {answer.status}: {sending.kind} {sending.what}"
    return ""


def post(
    port: int,
    session: str,
    url: str,
    body: str | bytes = "",
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
    hang_up: bool = False,
) -> Answer:
    """What a browser is answered; status 0 if it is not, or hangs up before."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    head = {
        "Host": f"localhost:{port}",
        "Content-Type": FORM,
        "X-CSRFToken": CSRF,
        "Cookie": f"sessionid={session}; csrftoken={CSRF}",
        **(headers or {}),
    }
    try:
        connection.request(method, url, body, head)
        if hang_up:
            time.sleep(0.02)
            return Answer(0)
        answer = connection.getresponse()
        return Answer(
            answer.status, answer.read().decode(errors="replace"), dict(answer.getheaders())
        )
    except (OSError, http.client.HTTPException):
        return Answer(0)
    finally:
        connection.close()
