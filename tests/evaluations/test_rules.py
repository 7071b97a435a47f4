from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluations import rules


@pytest.mark.parametrize(
    ("part", "whole", "fraction"),
    [(1, 3, "0.3333"), (2, 3, "0.6667"), (0, 4, "0.0000"), (4, 4, "1.0000")],
)
def test_a_share_has_four_places(part: int, whole: int, fraction: str) -> None:
    assert rules.share(part, whole) == Decimal(fraction)


def test_there_is_no_share_of_nothing() -> None:
    assert rules.share(0, 0) is None


def test_one_small_group_hides_the_next_smallest_with_it() -> None:
    rows = [{"label": "a", "n": 3}, {"label": "b", "n": 9}, {"label": "c", "n": 30}]
    shown = rules.suppressed(rows, "n")
    assert [(r["label"], r["n"], r["is_hidden"]) for r in shown] == [
        ("a", None, True),
        ("b", None, True),
        ("c", 30, False),
    ]


def test_a_row_that_is_small_in_one_column_is_hidden_in_both() -> None:
    rows = [
        {"label": "a", "n": 9, "m": 2},
        {"label": "b", "n": 9, "m": 16},
        {"label": "c", "n": 30, "m": 30},
    ]
    shown = rules.suppressed(rows, "n", "m")
    assert [(r["n"], r["m"]) for r in shown] == [(None, None), (None, None), (30, 30)]


@given(st.lists(st.integers(0, 40), max_size=12))
def test_no_shown_group_is_small_and_one_hidden_group_is_never_alone(sizes: list[int]) -> None:
    shown = rules.suppressed([{"label": str(i), "n": n} for i, n in enumerate(sizes)], "n")
    assert all(r["n"] == 0 or r["n"] >= rules.SMALLEST_GROUP for r in shown if not r["is_hidden"])
    hidden = sum(r["is_hidden"] for r in shown)
    visible_and_filled = sum(1 for r in shown if not r["is_hidden"] and r["n"])
    assert hidden != 1 or visible_and_filled == 0


def test_the_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert rules.fingerprint({"a": 1, "b": "é"}) == rules.fingerprint({"b": "é", "a": 1})
    assert rules.fingerprint({"a": 1}) != rules.fingerprint({"a": 2})


@pytest.mark.parametrize(
    ("summary", "achievements", "uncited", "steps", "word"),
    [
        ("", 1, 0, 1, "summary"),
        ("x", 0, 0, 1, "achievement"),
        ("x", 1, 1, 1, "evidence"),
        ("x", 1, 0, 0, "step"),
    ],
)
def test_what_is_missing_is_named(
    summary: str, achievements: int, uncited: int, steps: int, word: str
) -> None:
    reason = rules.missing_before_sharing(summary, achievements, uncited, steps)
    assert reason is not None
    assert word in reason


def test_a_whole_evaluation_can_be_shared() -> None:
    assert rules.missing_before_sharing("x", 1, 0, 1) is None
