"""Progress, weights, scores, loops and authorship: tables of cases, and what holds for all numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals import rules
from goals.rules import KeyResultText

D = Decimal
numbers = st.decimals(-10_000, 10_000, places=2)
weights = st.decimals("0.01", 100, places=2)


@pytest.mark.parametrize(
    ("kind", "current", "figures", "progress"),
    [
        ("increase", None, {"target": D(10)}, None),
        ("increase", D(5), {"target": D(10)}, 50),
        ("increase", D(15), {"target": D(10)}, 150),
        ("increase", D(-5), {"target": D(10)}, -50),
        ("increase", D(5), {"target": None}, None),
        ("decrease", D(6), {"start": D(8), "target": D(4)}, 50),
        ("decrease", D(9), {"start": D(8), "target": D(4)}, -25),
        ("increase", D(10), {"start": D(10), "target": D(10)}, 100),
        ("increase", D(9), {"start": D(10), "target": D(10)}, 0),
        ("decrease", D(10), {"start": D(10), "target": D(10)}, 100),
        ("decrease", D(11), {"start": D(10), "target": D(10)}, 0),
        ("keep", D(95), {"low": D(95), "high": D(99)}, 100),
        ("keep", D(94), {"low": D(95), "high": D(99)}, 0),
        ("keep", D(100), {"low": D(95), "high": D(99)}, 0),
        ("keep", D(3), {"high": D(5)}, 100),
        ("keep", D(3), {"low": D(2)}, 100),
        ("reach", D(1), {}, 100),
        ("reach", D(0), {}, 0),
        ("zero", D(0), {}, 100),
        ("zero", D(1), {}, 0),
    ],
)
def test_progress_of_a_key_result(
    kind: str, current: D | None, figures: dict[str, D], progress: int | None
) -> None:
    assert rules.key_result_progress(kind, current, **figures) == progress


@given(start=numbers, target=numbers)
def test_the_start_is_0_and_the_target_is_100(start: D, target: D) -> None:
    kind = "increase" if target >= start else "decrease"
    assert rules.key_result_progress(kind, target, start=start, target=target) == 100
    if start != target:
        assert (
            str(rules.key_result_progress(kind, start, start=start, target=target)).lstrip("0.E+-")
            == ""
        )
        assert not str(
            rules.key_result_progress(kind, start, start=start, target=target)
        ).startswith("-")


@given(raw=st.none() | numbers)
def test_what_is_shown_lies_between_0_and_the_cap(raw: D | None) -> None:
    shown = rules.capped(raw, D(120))
    assert shown is None if raw is None else shown is not None and 0 <= shown <= 120


@pytest.mark.parametrize(
    ("parts", "progress"),
    [
        ([], None),
        ([None], None),
        ([D(50), None], 50),
        ([D(500), D(0)], 60),
        ([D(-500), D(100)], 50),
    ],
)
def test_a_goal_is_the_mean_of_its_measured_key_results(
    parts: list[D | None], progress: int | None
) -> None:
    assert rules.goal_progress(parts, D(120)) == progress


@pytest.mark.parametrize(
    ("given_out", "is_whole", "is_rounded", "is_over"),
    [
        ([], False, False, False),
        (["100"], True, False, False),
        (["99.99"], False, False, False),
        (["100.01"], False, False, True),
        (["33.33"] * 3, True, True, False),
        (["16.67"] * 6, True, True, False),
        (["14.28"] * 7, False, False, False),
        (["14.29"] * 7, True, True, False),
        (["60", "30"], False, False, False),
        (["60", "50"], False, False, True),
    ],
)
def test_weights_come_to_100(
    given_out: list[str], is_whole: bool, is_rounded: bool, is_over: bool
) -> None:
    found = rules.balance([D(w) for w in given_out])
    assert (found.is_whole, found.is_rounded, found.is_over) == (is_whole, is_rounded, is_over)


@given(count=st.integers(1, 60))
def test_equal_shares_are_always_whole_and_then_sum_to_100_exactly(count: int) -> None:
    share = (D(100) / count).quantize(D("0.01"))
    assert rules.balance([share] * count).is_whole
    assert sum(rules.effective_weights([share] * count)) == 100


@given(given_out=st.lists(weights, min_size=1, max_size=12))
def test_only_a_whole_set_is_evened_out_and_by_little(given_out: list[D]) -> None:
    found, effective = rules.balance(given_out), rules.effective_weights(given_out)
    assert sum(effective) == (100 if found.is_whole else found.total)
    assert sum(abs(a - b) for a, b in zip(effective, given_out, strict=True)) <= D("0.005") * len(
        given_out
    )


@pytest.mark.parametrize(
    ("parent", "parents", "loops"),
    [
        (None, {}, False),
        (1, {}, True),
        (2, {2: None}, False),
        (2, {2: 3, 3: 1}, True),
        (2, {2: 3, 3: 2}, False),
    ],
)
def test_a_ring_of_goals_is_seen(
    parent: int | None, parents: dict[int, int | None], loops: bool
) -> None:
    assert rules.makes_loop(1, parent, parents) is loops


ANA, BASHIR, FARID = 1, 2, 3


@pytest.mark.parametrize(
    ("versions", "signatures", "found"),
    [
        ([(1, ANA)], [(1, ANA, "employee")], None),
        ([(1, ANA)], [(1, ANA, "employee"), (1, BASHIR, "manager")], "own"),
        ([(1, BASHIR)], [(1, BASHIR, "manager"), (1, ANA, "employee")], "handed_down"),
        (
            [(1, FARID), (2, BASHIR)],
            [(1, FARID, "manager"), (2, BASHIR, "manager"), (2, ANA, "employee")],
            "handed_down",
        ),
        (
            [(1, ANA), (2, BASHIR)],
            [(1, ANA, "employee"), (2, BASHIR, "manager"), (2, ANA, "employee")],
            "co_authored",
        ),
        # What was written after the agreed wording does not count.
        (
            [(1, ANA), (2, BASHIR)],
            [(1, ANA, "employee"), (1, BASHIR, "manager"), (2, BASHIR, "manager")],
            "own",
        ),
    ],
)
def test_who_made_the_agreed_text(
    versions: list[tuple[int, int]], signatures: list[tuple[int, int, str]], found: str | None
) -> None:
    assert rules.authorship(versions, signatures) == found


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (KeyResultText("A", "increase", D(0), D(1)), None),
        (KeyResultText("A", "increase", None, None), "target"),
        (KeyResultText("A", "increase", D(2), D(1)), "target"),
        (KeyResultText("A", "decrease", D(1), D(2)), "target"),
        (KeyResultText("A", "decrease", D(2), D(1)), None),
        (KeyResultText("A", "keep"), "low"),
        (KeyResultText("A", "keep", low=D(2), high=D(1)), "high"),
        (KeyResultText("A", "keep", low=D(1), high=D(2)), None),
        (KeyResultText("A", "increase", D(0), D(10) ** 12), "target"),
        (KeyResultText("A", "reach"), None),
        (KeyResultText("A", "zero"), None),
    ],
)
def test_a_key_result_that_cannot_be_measured_is_named(
    row: KeyResultText, field: str | None
) -> None:
    problem = rules.key_result_problem(row)
    assert (problem and problem[0]) == field


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (KeyResultText("Scrap", "decrease", D("8.00"), D(4), unit="%"), "Scrap: from 8 to 4 %"),
        (KeyResultText("Trained", "increase", None, D("1E+1")), "Trained: from 0 to 10"),
        (KeyResultText("On time", "keep", low=D(95)), "On time: keep at 95 or above"),
        (KeyResultText("Errors", "keep", high=D(5)), "Errors: keep at 5 or below"),
        (
            KeyResultText("Heat", "keep", low=D(19), high=D(23), unit="°C"),
            "Heat: keep between 19 and 23 °C",
        ),
        (KeyResultText("Certificate", "reach", D(1), D(2)), "Certificate: reached, yes or no"),
        (KeyResultText("Accidents", "zero"), "Accidents: no incidents"),
    ],
)
def test_a_key_result_reads_as_a_line_and_comes_back_from_storage(
    row: KeyResultText, words: str
) -> None:
    stored = row.as_row()
    assert rules.key_result_words(stored) == words
    assert KeyResultText.from_row(stored).as_row() == stored
