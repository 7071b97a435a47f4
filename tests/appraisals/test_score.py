"""The score: a weighted mean whose tree recomputes to the same value, and in which nothing missing counts as zero."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisals import rules

D = Decimal


@pytest.mark.parametrize(
    ("parts", "missing", "mean"),
    [
        ([(D(60), D(4)), (D(40), D(3))], "incomplete", D("3.6000")),
        ([(D(60), D(4)), (D(40), None)], "incomplete", None),
        ([(D(60), D(4)), (D(40), None)], "reweight", D("4.0000")),
        ([(D(60), None), (D(40), None)], "reweight", None),
        ([(D(0), None), (D(40), D(2))], "incomplete", D("2.0000")),
        ([(D(1), D(1)), (D(1), D(1)), (D(1), D(2))], "incomplete", D("1.3333")),
        ([(D(1), D("1.00005")), (D(1), D("1.00005"))], "incomplete", D("1.0001")),
        ([], "reweight", None),
    ],
)
def test_the_weighted_mean(
    parts: list[tuple[Decimal, Decimal | None]], missing: str, mean: Decimal | None
) -> None:
    assert rules.weighted_mean(parts, missing) == mean


values = st.one_of(st.none(), st.decimals(min_value=1, max_value=5, places=2))
weights = st.decimals(min_value=0, max_value=100, places=2)
leaves = st.builds(lambda weight, value: rules.Node("leaf", weight, value), weights, values)
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda weight, parts: rules.Node("node", weight, parts=tuple(parts)),
        weights,
        st.lists(inner, min_size=1, max_size=4),
    ),
    max_leaves=20,
)


@given(trees, st.sampled_from(["incomplete", "reweight"]))
def test_every_tree_recomputes_from_its_leaves_to_the_same_value(
    tree: rules.Node, missing: str
) -> None:
    trace = rules.evaluate(tree, missing)
    again = rules.recompute(trace)
    assert (None if again is None else str(again)) == trace["value"]


@given(
    st.lists(
        st.tuples(weights, st.decimals(min_value=1, max_value=5, places=2)), min_size=1, max_size=8
    )
)
def test_a_mean_lies_between_its_parts(parts: list[tuple[Decimal, Decimal]]) -> None:
    mean = rules.weighted_mean(list(parts), "incomplete")
    counted = [value for weight, value in parts if weight > 0]
    if counted:
        assert mean is not None
        assert min(counted) <= mean <= max(counted)
    else:
        assert mean is None


LEVELS = [(D(1), True), (D(2), True), (D(3), False), (D(4), False), (D(5), False)]


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1), (50, 2), (100, 3), (110, 4), (120, 5), (300, 5), (-40, 1)]
)
def test_a_measured_result_stands_on_the_scale(percent: int, value: int) -> None:
    assert rules.on_scale(D(percent), LEVELS, D(120)) == value


def test_with_a_cap_of_a_hundred_the_goal_reached_is_meets() -> None:
    assert rules.on_scale(D(100), LEVELS, D(100)) == 3


@pytest.mark.parametrize(
    ("said_on", "author", "heard"),
    [(date(2026, 5, 1), 2, True), (date(2026, 5, 2), 2, False), (date(2026, 5, 1), 1, False)],
)
def test_a_mention_counts_if_somebody_else_said_it_in_time(
    said_on: date, author: int, heard: bool
) -> None:
    assert rules.was_mentioned([rules.Mention(said_on, author)], 1, date(2026, 5, 15), 14) is heard


def test_a_score_more_than_a_step_away_contradicts_the_rating() -> None:
    assert rules.contradicts(D("3.2"), D(5))
    assert not rules.contradicts(D("4.0"), D(5))
    assert not rules.contradicts(None, D(5))
