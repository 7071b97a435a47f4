"""Names, dates, amounts and columns: tables of cases, and what holds for every input."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmcycle.people.rules import cells, columns, lines, names, roles, sheets


@pytest.mark.parametrize(
    ("written", "shown", "sorted_by"),
    [
        ("LeBlanc, Brandon  R", "Brandon R LeBlanc", "LeBlanc, Brandon R"),
        ("Roup,Simon", "Simon Roup", "Roup, Simon"),
        ("  Ait Sidi, Karthikeyan   ", "Karthikeyan Ait Sidi", "Ait Sidi, Karthikeyan"),
        ("Noah Birch", "Noah Birch", "Birch, Noah"),
        ("Anna von Massenbach", "Anna von Massenbach", "von Massenbach, Anna"),
        ("Cher", "Cher", "Cher"),
        ("", "", ""),
    ],
)
def test_a_name_is_read_from_any_usual_writing(written: str, shown: str, sorted_by: str) -> None:
    name = names.parse_name(written)
    assert (name.shown, name.sorted_by) == (shown, sorted_by)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("LeBlanc, Brandon  R", "Brandon R. LeBlanc", True),
        ("LeBlanc, Brandon", "Brandon R. LeBlanc", True),
        ("Núñez, Inés", "INES NUNEZ", True),
        ("Müller, Jörg", "Jorg Muller", True),
        ("Foster-Baker, Amy", "Amy Foster Baker", True),
        ("O'hare, Lynn", "Lynn O’Hare", True),
        ("Smith, John A", "John B. Smith", False),
        ("Smith, John", "Joan Smith", False),
    ],
)
def test_two_spellings_are_one_name_or_not(one: str, other: str, same: bool) -> None:
    assert (bool(names.pick(other, [("1", one)])) and names.key_of(one) == names.key_of(other)) is same


def test_the_order_decides_between_a_name_and_its_mirror() -> None:
    found = [("1", "Henry James"), ("2", "James Henry")]
    assert names.pick("James, Henry", found) == [("1", "Henry James")]
    assert names.pick("James Henry", found) == [("2", "James Henry")]


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_a_name(one: str, other: str) -> None:
    names.parse_name(one)
    names.pick(one, [("1", other)])
    assert names.key_of(names.parse_name(one).shown) == names.key_of(names.parse_name(one).sorted_by)


@given(st.lists(st.text(max_size=20), max_size=12), st.sampled_from(names.PATTERNS))
def test_built_addresses_are_never_twice_the_same(people: list[str], pattern: str) -> None:
    taken: set[str] = set()
    for person in people:
        built = names.address(names.parse_name(person), pattern, "example.com", taken)
        assert built not in taken or not built
        assert built.isascii()
        taken.add(built)


@pytest.mark.parametrize(
    ("text", "order", "found"),
    [
        ("9/21/1954", "mdy", date(1954, 9, 21)),
        ("21.09.1954", "dmy", date(1954, 9, 21)),
        ("1954-09-21", "mdy", date(1954, 9, 21)),
        ("1954-09-21 00:00:00", "dmy", date(1954, 9, 21)),
        ("1/2/16", "mdy", date(2016, 1, 2)),
        ("1/2/71", "mdy", date(1971, 1, 2)),
        ("2/29/2016", "mdy", date(2016, 2, 29)),
        ("43831", "mdy", date(2020, 1, 1)),
        ("", "mdy", None),
    ],
)
def test_a_date_is_read(text: str, order: str, found: date | None) -> None:
    assert cells.read_date(text, order, 2026) == found


@pytest.mark.parametrize(
    "text", ["2/30/2016", "2/29/2015", "13/13/2013", "0/1/2015", "soon", "1/1", "9999-01-01"]
)
def test_a_date_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(cells.Unreadable):
        cells.read_date(text, "mdy", 2026)


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (["1/2/2015", "1/13/2015"], ("mdy", True)),
        (["1/2/2015", "13/1/2015"], ("dmy", True)),
        (["1/2/2015"], ("mdy", False)),
        (["1.2.2015"], ("dmy", False)),
        (["2015-01-02"], ("ymd", True)),
        ([], ("dmy", False)),
    ],
)
def test_the_order_of_a_date_is_proven_or_guessed(values: list[str], order: tuple[str, bool]) -> None:
    assert cells.guess_order(values) == order


@given(st.dates(date(1901, 1, 1), date(2199, 12, 31)))
def test_every_day_is_read_back_in_every_order(day: date) -> None:
    assert cells.read_date(day.isoformat(), "mdy", 2026) == day
    assert cells.read_date(f"{day.month}/{day.day}/{day.year}", "mdy", 2026) == day
    assert cells.read_date(f"{day.day:02}.{day.month:02}.{day.year}", "dmy", 2026) == day


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("28.5", "28.5"), ("$ 28.50", "28.50"),
        ("52,000", "52000"), ("52,000.50", "52000.50"), ("52.000,50", "52000.50"),
        ("52 000 €", "52000"),
        ("1,5", "1.5"), ("1.234.567", "1234567"), ("-3", "-3"), ("1'000", "1000"), ("much", None), ("", None),
    ],
)  # fmt: skip
def test_an_amount_is_read(text: str, found: str | None) -> None:
    if text and found is None:
        with pytest.raises(cells.Unreadable):
            cells.read_amount(text)
    else:
        assert cells.read_amount(text) == (Decimal(found) if found else None)


@given(st.text(max_size=30))
def test_no_cell_breaks_the_reading(text: str) -> None:
    for read in (cells.read_amount, lambda t: cells.read_date(t, "mdy", 2026)):
        try:
            read(text)
        except cells.Unreadable:
            continue
    cells.guess_status(text)
    cells.read_sex(text)


@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.xlsx"]))
def test_no_bytes_break_the_reading_of_a_file(content: bytes, name: str) -> None:
    try:
        rows = [cell for _number, row in sheets.lines_of(name, content) for cell in row]
    except sheets.NotASheet:
        return
    assert all("\x00" not in cell for cell in rows)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("Active", "active"), ("Voluntarily Terminated", "leaver"), ("Terminated for Cause", "leaver"),
        ("Leave of Absence", "leave"), ("Future Start", "future"), ("INACTIVE", "leaver"), ("Blue", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_status_word_has_a_likely_meaning(word: str, meaning: str) -> None:
    assert cells.guess_status(word) == meaning


def test_columns_are_guessed_by_name_exact_names_first() -> None:
    header = [
        "Manager Name",
        "Employee Name",
        "Employee Number",
        "Date of Hire",
        "Pay Rate",
        "Department",
        "Zip",
    ]
    assert columns.guess("people", header) == {
        "manager": 0, "name": 1, "number": 2, "hired_on": 3, "pay": 4, "unit": 5,
    }  # fmt: skip
    parts = columns.guess("people", ["ID", "First name", "Last name", "Name", "Start date"])
    assert "name" not in parts
    assert parts["given_name"] == 1


def test_addresses_are_found_under_an_odd_header() -> None:
    rows = [["1", "a@example.com"], ["2", "b@example.com"]]
    assert columns.guess_by_values("people", {"number": 0}, rows)["email"] == 1


def test_group_titles_stand_before_the_names_of_their_columns() -> None:
    rows = [
        ["", "Salary", "", "", "Hourly"],
        ["Position", "Min", "Mid", "Max", "Min", "Mid", "Max"],
        ["A", "1"],
    ]
    head = columns.find_header("pay_ranges", rows)
    assert head.row == 1
    assert head.names == [
        "Position",
        "Salary Min",
        "Salary Mid",
        "Salary Max",
        "Hourly Min",
        "Hourly Mid",
        "Hourly Max",
    ]


def test_circles_are_found_each_once() -> None:
    assert lines.loops({"a": "b", "b": "c", "c": "a", "d": "a", "e": "f"}) == [["a", "b", "c"]]
    assert lines.loops({"a": "a"}) == [["a"]]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")))
def test_whoever_is_in_a_circle_comes_back_to_themselves(above: dict[str, str]) -> None:
    inside = {person for circle in lines.loops(above) for person in circle}
    for person in above:
        seen, at = set(), above.get(person)
        while at is not None and at not in seen and at != person:
            seen.add(at)
            at = above.get(at)
        assert (at == person) == (person in inside)


@pytest.mark.parametrize(
    ("role", "own", "held", "to_oneself", "names_unit", "allowed"),
    [
        ("hr_admin", {"hr_admin"}, set(), False, False, True),
        ("hr_admin", {"hr_admin"}, set(), True, False, False),
        ("hr_admin", {"it_admin"}, set(), False, False, False),
        ("it_admin", {"it_admin"}, set(), False, False, True),
        ("it_admin", set(), set(), False, False, False),
        ("hr_partner", {"hr_admin"}, set(), False, False, False),
        ("hr_partner", {"hr_admin"}, set(), False, True, True),
        # Who runs the system opens no personnel files, whichever of the two came first.
        ("hr_admin", {"hr_admin"}, {"it_admin"}, False, False, False),
        ("it_admin", {"hr_admin"}, {"hr_admin"}, False, False, False),
    ],
)
def test_who_may_grant_what(
    role: str, own: set[str], held: set[str], to_oneself: bool, names_unit: bool, allowed: bool
) -> None:
    why_not = roles.why_not_grant(role, own=own, held=held, to_oneself=to_oneself, names_unit=names_unit)
    assert (why_not == "") is allowed
