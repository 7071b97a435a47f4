"""What the faults are judged by finds what it has to find."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.people import Answer, Ledger, Sending, complaint
from tests.faults.verdict import compare


@pytest.fixture
def ledger() -> Ledger:
    """Two sentences were sent; the first was acknowledged."""
    known = Ledger()
    known.sending("said", "first")
    known.written("said", "first")
    known.sending("said", "second")
    return known


@pytest.mark.parametrize("rows", [["first"], ["first", "second"]])
def test_what_was_not_answered_may_be_written_or_not(ledger: Ledger, rows: list[str]) -> None:
    assert compare("said", Counter(rows), ledger) == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["second"], "lost, though acknowledged: said first"),
        (["first", "first"], "written 2 times: said first"),
        (["first", "second", "second"], "written 2 times: said second"),
        (["first", "third"], "written by nobody: said third"),
    ],
)
def test_what_is_lost_or_twice_or_out_of_nothing_is_named(
    ledger: Ledger, rows: list[str], words: str
) -> None:
    assert compare("said", Counter(rows), ledger) == [words]


def test_a_run_in_which_nothing_was_written_proves_nothing() -> None:
    assert compare("said", Counter(), Ledger()) == ["nothing was acknowledged: said"]


SENTENCE = Sending("said", "first", "/say/", "body=first", 302, words="first")
LATE_DRAFT = Sending("late", "first", "/drafts/", "{}", 409, method="PUT")


@pytest.mark.parametrize(
    "answer", [Answer(302), Answer(0), Answer(502), Answer(503, "Again: first")]
)
def test_done_or_not_just_now_is_what_people_may_be_told(answer: Answer) -> None:
    assert complaint(SENTENCE, answer) == ""


@pytest.mark.parametrize(
    ("sending", "answer", "words"),
    [
        (SENTENCE, Answer(500, "first"), "answered 500: said first"),
        (SENTENCE, Answer(503, "Later"), "503 without what was typed: said first"),
        (LATE_DRAFT, Answer(200), "answered 200: late first"),
    ],
)
def test_an_error_of_ours_a_lost_text_and_a_late_draft_that_is_taken_are_named(
    sending: Sending, answer: Answer, words: str
) -> None:
    assert complaint(sending, answer) == words
