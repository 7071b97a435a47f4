"""The reference: a pool is spent to the cent, nothing is negative, and the order of people does not matter."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incentives import rules
from incentives.rules import Claim, Component, Condition, Person, Restraint, Rule, TooSmall, divide

CLAIMS = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(0, 500), st.integers(500, 10**7)),
    min_size=1,
    max_size=25,
)


@given(CLAIMS, st.integers(0, 10**8))
def test_a_pool_is_divided_to_the_last_unit_within_all_bounds(
    rows: list[tuple[int, int, int]], total: int
) -> None:
    claims = [Claim(key, *row) for key, row in enumerate(rows)]
    counted = [c for c in claims if c.weight > 0]
    if sum(c.least for c in counted) > total:
        with pytest.raises(TooSmall):
            divide(total, claims)
        return
    parts = divide(total, claims)
    assert sum(p.units for p in parts.values()) == min(total, sum(c.most for c in counted))
    assert all(c.least <= parts[c.key].units <= c.most for c in counted)
    assert divide(total, reversed(claims)) == parts


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=30), st.integers(0, 10**9))
def test_without_bounds_nobody_is_a_whole_unit_off_their_share(
    weights: list[int], total: int
) -> None:
    parts = divide(total, [Claim(key, weight, 0, total) for key, weight in enumerate(weights)])
    for key, weight in enumerate(weights):
        assert abs(parts[key].units - Decimal(total) * weight / sum(weights)) < 1


def test_equal_claims_give_the_spare_cent_to_the_smaller_key() -> None:
    parts = divide(100, [Claim(9, 1, 0, 100), Claim(4, 1, 0, 100), Claim(7, 1, 0, 100)])
    assert {key: p.units for key, p in parts.items()} == {4: 34, 7: 33, 9: 33}


def rated(position: int | None, **facts: object) -> Person:
    values = {
        "key": 1,
        "annual_pay": Decimal(50000),
        "full_time_pay": Decimal(50000),
        "currency": "USD",
        **facts,
    }
    return Person(**values, rating=position)  # type: ignore[arg-type]


def at_least(position: int) -> tuple[Condition, ...]:
    return (Condition("rating", "at_least", Decimal(position)),)


GIVE = (Rule(1, 1, at_least(4), amount=Decimal(4)), Rule(2, 2, at_least(3), amount=Decimal(2)))


@pytest.mark.parametrize(
    ("match", "position", "gross"),
    [("first", 4, 2000), ("first", 3, 1000), ("all", 4, 3000), ("all", 2, 0)],
)
def test_the_first_rule_that_fits_or_all_of_them(match: str, position: int, gross: int) -> None:
    component = Component(1, "bonus", "Bonus", match=match, rules=GIVE)
    assert rules.weigh(component, rated(position), currency="USD").gross == gross


@pytest.mark.parametrize(
    ("person", "why"),
    [
        (rated(4, has_left=True), "left"),
        (rated(4, annual_pay=None), "no_pay"),
        (rated(4, currency="EUR"), "currency"),
        (rated(None), "no_rating"),
        (rated(4, share_worked=Decimal(0)), "no_days"),
        (rated(1), "no_rule"),
        (rated(4, restraints=(Restraint(1, "bonus", "zero"),)), "restrained"),
        (rated(4), ""),
    ],
)
def test_who_gets_nothing_and_why(person: Person, why: str) -> None:
    assert (
        rules.weigh(Component(1, "bonus", "Bonus", rules=GIVE), person, currency="USD").why == why
    )


def test_the_largest_reduction_counts_and_a_hold_keeps_the_amount() -> None:
    twin = (
        *GIVE,
        Rule(3, 3, (), effect="reduce", amount=Decimal(20)),
        Rule(4, 4, (), effect="hold"),
    )
    person = rated(4, restraints=(Restraint(1, "bonus", "reduce", Decimal(50)),))
    said = rules.weigh(Component(1, "bonus", "Bonus", rules=twin), person, currency="USD")
    assert (said.gross, said.held, said.cut) == (Decimal(1000), True, Decimal(50))


def test_what_is_not_known_neither_holds_nor_fails() -> None:
    for fact, op, value in (
        ("goal_score", "at_most", Decimal(50)),
        ("compa_ratio", "at_least", Decimal(50)),
        ("grade", "is_not", "G4"),
    ):
        assert rules.holds(Condition(fact, op, value), rated(3)) is None
    # Nobody's promise fell due: that is no missing fact.
    assert rules.holds(Condition("promises_kept", "at_least", Decimal(50)), rated(3)) is False


def test_nothing_outside_the_closed_list_is_a_condition() -> None:
    for row in (
        {"fact": "salary", "op": "is", "value": "1"},
        {"fact": "rating", "op": "contains", "value": "1"},
    ):
        with pytest.raises(ValueError, match="unknown condition"):
            rules.condition_from(row)
    with pytest.raises(ValueError, match="not a number"):
        rules.condition_from({"fact": "fte", "op": "at_least", "value": "NaN"})


@given(
    st.integers(0, 364),
    st.integers(0, 364),
    st.dictionaries(st.integers(0, 364), st.sampled_from(["0.5", "0.8", "1"]), max_size=4),
)
def test_stretches_cover_every_day_once(start: int, end: int, changes: dict[int, str]) -> None:
    first = date(2025, 1, 1)
    parts = rules.segments(
        first + timedelta(days=start),
        first + timedelta(days=end),
        fte=Decimal(1),
        changes={first + timedelta(days=d): Decimal(f) for d, f in changes.items()},
    )
    days = [p.starts_on + timedelta(days=n) for p in parts for n in range(p.days)]
    assert days == [first + timedelta(days=n) for n in range(start, end + 1)]


def test_both_ends_of_unpaid_leave_count() -> None:
    parts = rules.segments(
        date(2025, 1, 1),
        date(2025, 12, 31),
        fte=Decimal(1),
        unpaid=[(date(2025, 3, 1), date(2025, 3, 31))],
    )
    assert rules.share_of(parts, 365, unpaid_counts=False) == Decimal("0.915068")
    assert rules.share_of(parts, 365, unpaid_counts=True) == 1


def test_a_rule_reads_as_a_sentence() -> None:
    rule = Rule(
        1,
        1,
        (*at_least(4), Condition("months_worked", "at_least", Decimal(6))),
        amount=Decimal("1.25"),
    )
    assert rules.sentence_text(rule, rules.Names({4: "Exceeds"})) == (
        "If rating is at least Exceeds and months worked here is at least 6 then give 1.25 % of yearly pay."
    )
