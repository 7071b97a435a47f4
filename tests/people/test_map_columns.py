"""Which column is what, and what its values mean: shown, derived anew when chosen by hand, asked when in doubt."""

from __future__ import annotations

from typing import Any

import pytest

from pmcycle.people.models import Employee, ReportingLine, Salary
from pmcycle.people.rules import columns
from tests.conftest import SignedIn, World
from tests.people.importing import Walk


@pytest.fixture
def walk(world: World, as_: SignedIn) -> Walk:
    return Walk(as_(world.kim))


def page(walk: Walk) -> Any:
    return walk.client.get(walk.url("map_columns"))


def examples(walk: Walk, name: str) -> list[tuple[str, str]]:
    """What the page shows of a column: each cell before and after."""
    rows = page(walk).context["columns"]
    shown = next(r["values"] for r in rows if r["field"].name == f"field-{name}")
    return [(v["before"], v["after"]) for v in shown]


def errors(walk: Walk, **changed: Any) -> dict[str, Any]:
    response = walk.post("map_columns", **walk.shown(**walk.in_order() | changed))
    assert response.status_code == 422
    return dict(response.context["form"].errors)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("header", "values", "asked", "answers", "annual", "currency"),
    [
        # Header, cells, what the page asks, what is answered, yearly pay to the cent, its currency.
        (
            "Pay",
            ["65.000", "72.500"],
            {"decimal", "pay_basis"},
            {"decimal": ",", "pay_basis": "year"},
            "65000.00",
            "USD",
        ),
        (
            "Pay",
            ["65.000", "72.500"],
            {"decimal", "pay_basis"},
            {"decimal": ".", "pay_basis": "hour"},
            "135200.00",
            "USD",
        ),
        ("Monatsgehalt", ["5.200,50 €", "4.100,00 €"], set(), {}, "62406.00", "EUR"),
        (
            "Monthly salary",
            ["5200.50", "4100"],
            set(),
            {"payments_per_year": "13"},
            "67606.50",
            "USD",
        ),
        ("Salary", ["5200", "6100"], {"pay_basis"}, {"pay_basis": "month"}, "62400.00", "USD"),
        ("Pay Rate", ["28.5", "31"], set(), {}, "59280.00", "USD"),
        ("Salary (GBP)", ["52,000.50", "61000"], set(), {}, "52000.50", "GBP"),
        ("Salary", ["CHF 98'500.–", "CHF 87'000.–"], set(), {}, "98500.00", "CHF"),
        ("Pay", ["28.5", "61000"], {"pay_basis"}, {"pay_basis": "hour"}, "59280.00", "USD"),
        # Of thousands, neither 65 a year nor 65 an hour.
        ("Annual salary (k€)", ["65", "72.5"], set(), {}, "65000.00", "EUR"),
        ("Jahresgehalt (TEUR)", ["65,5", "72"], set(), {}, "65500.00", "EUR"),
        ("Salary ('000)", ["65", "72"], set(), {}, "65000.00", "USD"),
    ],
)
def test_pay_comes_in_right_to_the_cent_or_is_asked_about(
    header: str,
    values: list[str],
    asked: set[str],
    answers: dict[str, str],
    annual: str,
    currency: str,
    walk: Walk,
) -> None:
    rows = [f"{n};Ann{n} Ash;2020-01-01;{v}" for n, v in enumerate(values, 9001)]
    walk.upload("\n".join([f"Number;Name;Hired on;{header}", *rows]).encode())
    if asked:
        assert errors(walk).keys() == asked
    walk.rehearse(**answers)
    walk.apply()
    pay = Salary.objects.get(employee__number="9001")
    assert (str(pay.annual), pay.currency) == (annual, currency)


def test_a_whole_amount_among_thousands_is_asked_about(walk: Walk) -> None:
    rows = ["1,Ann Ash,2020-01-01,65", "2,Bob Bay,2020-01-01,72000"]
    counts = walk.bring("\n".join(["Number,Name,Hired on,Annual salary (k€)", *rows]).encode())
    assert counts == {"created": 1, "ambiguous": 1}
    (ask,) = walk.line(3).candidates
    assert ask["readings"] == ["72000", "72000000"]
    walk.settle(act="read", field="pay", key="72000", other="72000")
    walk.apply()
    found = Salary.objects.filter(employee__number__in="12").order_by("employee__number")
    assert [str(s.annual) for s in found] == ["65000.00", "72000.00"]


def test_the_currency_of_each_line_is_read_under_the_header_of_workday(walk: Walk) -> None:
    head = "Number,Name,Hired on,Total Base Pay Annualized - Amount,Total Base Pay Annualized - Currency"
    walk.bring(f"{head}\n1,Ann Ash,2020-01-01,65000,USD\n2,Bob Bay,2020-01-01,72000,EUR\n".encode())
    walk.apply()
    found = Salary.objects.filter(employee__number__in="12").order_by("employee__number")
    assert [(str(s.annual), s.currency) for s in found] == [
        ("65000.00", "USD"),
        ("72000.00", "EUR"),
    ]


def test_a_file_that_mixes_hours_months_and_years_says_so_line_by_line(walk: Walk) -> None:
    rows = [
        "1,Ann Ash,2020-01-01,28.5,Hour",
        "2,Bob Bay,2020-01-01,5200,Month",
        "3,Cid Cox,2020-01-01,61000,Year",
        "4,Dan Day,2020-01-01,900,Fortnight",
    ]
    walk.upload("\n".join(["Number,Name,Hired on,Pay rate,Pay per", *rows]).encode())
    fortnight = f"pay_words-{list(walk.run.options['pay_words']).index('fortnight')}"
    assert errors(walk).keys() == {fortnight}
    walk.rehearse(**{fortnight: "month"})
    walk.apply()
    found = Salary.objects.filter(employee__number__in="1234").order_by("employee__number")
    assert [(str(s.annual), s.basis) for s in found] == [
        ("59280.00", "hour"),
        ("62400.00", "month"),
        ("61000.00", "year"),
        ("10800.00", "month"),
    ]


@pytest.mark.parametrize(
    ("hired", "born", "asked", "answers", "came_in"),
    [
        (["15-Jan-2020"], ["20/07/1985"], set(), {}, ("2020-01-15", "1985-07-20")),
        (["20190212"], ["1985-07-02"], set(), {}, ("2019-02-12", "1985-07-02")),
        # Day first beside month first: each column has an order of its own.
        (["2/13/2020"], ["13/2/1985"], set(), {}, ("2020-02-13", "1985-02-13")),
        (
            ["3/4/2020"],
            ["13/2/1985"],
            {"order-hired_on"},
            {"order-hired_on": "mdy"},
            ("2020-03-04", "1985-02-13"),
        ),
        (
            ["3/4/2020"],
            ["13/2/1985"],
            {"order-hired_on"},
            {"order-hired_on": "dmy"},
            ("2020-04-03", "1985-02-13"),
        ),
        # Two orders in one column: what proves itself is read.
        (["2/13/2020", "13/2/2021"], ["1985-07-02"], set(), {}, ("2020-02-13", "1985-07-02")),
    ],
)
def test_days_come_in_right_or_their_order_is_asked(
    hired: list[str],
    born: list[str],
    asked: set[str],
    answers: dict[str, str],
    came_in: tuple[str, str],
    walk: Walk,
) -> None:
    rows = [
        f"{n},Ann{n} Ash,{h},{b}"
        for n, (h, b) in enumerate(zip(hired, born * 2, strict=False), 9001)
    ]
    walk.upload("\n".join(["Number,Name,Hired on,Born on", *rows]).encode())
    if asked:
        assert errors(walk).keys() == asked
        assert "3/4/2020 → 3 April 2020" in page(walk).content.decode()
    walk.rehearse(**answers)
    walk.apply()
    ann = Employee.objects.get(number="9001")
    assert (ann.hired_on.isoformat(), str(ann.private.born_on)) == came_in


def test_a_day_that_may_be_two_is_asked_where_a_column_has_both_orders(walk: Walk) -> None:
    rows = [
        "1,Ann Ash,2/13/2020",
        "2,Bob Bay,13/2/2020",
        "3,Cid Cox,3/4/2020",
        "4,Dan Day,3/4/2020",
    ]
    counts = walk.bring("\n".join(["Number,Name,Hired on", *rows]).encode())
    assert counts == {"created": 2, "ambiguous": 2}
    shown = walk.client.get(walk.url("rehearsal"))
    (card,) = shown.context["doubts"]
    assert (card["uses"], [r["value"] for r in card["readings"]]) == (
        2,
        ["2020-04-03", "2020-03-04"],
    )
    walk.settle(act="read", field="hired_on", key="3/4/2020", other="2020-03-04")
    walk.apply()
    assert Employee.objects.get(number="4").hired_on.isoformat() == "2020-03-04"


def test_a_column_chosen_by_hand_is_understood_anew_and_shown_before_anything_follows(
    walk: Walk,
) -> None:
    rows = [
        "1,Ann Ash,2020-01-01,13/02/2019,28.5,5.200",
        "2,Bob Bay,2020-01-01,02/03/2019,31,6.100",
    ]
    walk.upload(
        "\n".join(["Number,Name,Hired on,Joined the group,Pay rate,Package", *rows]).encode()
    )
    assert (walk.run.options["orders"], walk.run.options["pay_basis"]) == (
        {"hired_on": "ymd"},
        "hour",
    )
    response = walk.post("map_columns", **walk.shown(**{"field-hired_on": "3", "field-pay": "5"}))
    assert response.headers["Location"] == walk.url("map_columns")
    walk.run.refresh_from_db()
    assert walk.run.state == "uploaded"
    assert walk.run.options["orders"] == {"hired_on": "dmy"}
    assert (walk.run.options["pay_basis"], walk.run.options["decimal"]) == ("", "")
    assert ("02/03/2019", "2019-03-02") in examples(walk, "hired_on")
    assert "in doubt" in page(walk).content.decode()
    assert errors(walk).keys() == {"pay_basis", "decimal"}
    walk.rehearse(pay_basis="month", decimal=",")
    assert walk.line(2).values["annual"] == "62400.00"


def test_an_answer_about_another_column_is_kept_when_a_column_is_chosen(walk: Walk) -> None:
    rows = ["1,Ann Ash,3/4/2020,5200,A", "2,Bob Bay,3/5/2020,6100,B"]
    walk.upload("\n".join(["Number,Name,Hired on,Salary,Sort", *rows]).encode())
    said = {"order-hired_on": "dmy", "pay_basis": "month", "field-grade": "4"}
    assert walk.post("map_columns", **walk.shown(**said)).headers["Location"] == walk.url(
        "map_columns"
    )
    walk.rehearse()
    assert (
        walk.line(2).values | {"hired_on": "2020-04-03", "annual": "62400.00", "grade": "A"}
        == walk.line(2).values
    )


def test_words_of_a_status_are_asked_once_each_and_nothing_is_taken_for_working(walk: Walk) -> None:
    rows = [
        "1,Ann Ash,2020-01-01,Active",
        "2,Bob Bay,2020-01-01,Blue",
        "3,Cid Cox,2020-01-01,blue",
        "4,Dan Day,2020-01-01,-",
    ]
    walk.upload("\n".join(["Number,Name,Hired on,Status", *rows]).encode())
    assert walk.run.options["status"] == {"active": "active", "blue": ""}
    blue = f"status-{list(walk.run.options['status']).index('blue')}"
    assert errors(walk).keys() == {blue}
    walk.rehearse(**{blue: "leave"})
    assert [walk.line(n).values.get("status") for n in (2, 3, 4, 5)] == [
        "active",
        "leave",
        "leave",
        None,
    ]


def test_names_swapped_against_those_of_the_managers_are_noticed(walk: Walk) -> None:
    rows = ["1,Ash,Ann,2020-01-01,", "2,Bay,Bob,2020-01-01,Ann Ash"]
    walk.upload("\n".join(["Number,First name,Last name,Hired on,Manager", *rows]).encode())
    assert errors(walk, name_order="").keys() == {"name_order"}
    walk.rehearse(name_order="family")
    assert (walk.line(3).values["name"], walk.line(3).values["sort_name"]) == (
        "Bob Bay",
        "Bay, Bob",
    )


def test_which_name_stands_first_is_asked_with_names_of_the_file_before_and_after(
    walk: Walk,
) -> None:
    rows = [
        "1,Henry James,2020-01-01",
        "2,Thomas Henry,2020-01-01",
        "3,山田 太郎,2020-01-01",
        "4,Bea van Dam,2020-01-01",
        "5,Cid Cox,2020-01-01",
    ]
    walk.upload("\n".join(["Number,Name,Hired on", *rows]).encode())
    assert errors(walk, name_order="").keys() == {"name_order"}
    choices = dict(page(walk).context["form"].fields["name_order"].choices)
    assert str(choices["given"]).endswith(
        "(Henry James → James, Henry; Thomas Henry → Henry, Thomas; Bea van Dam → van Dam, Bea)"
    )
    assert str(choices["family"]).endswith(
        "(Henry James → Henry, James; Thomas Henry → Thomas, Henry; Bea van Dam → Bea, van Dam)"
    )
    walk.rehearse(name_order="family")
    assert [walk.line(n).values["sort_name"] for n in (2, 4)] == ["Henry, James", "山田, 太郎"]
    # The answer holds for the next file with these columns.
    walk.upload("\n".join(["Number,Name,Hired on", "6,Dan Day,2020-01-01"]).encode())
    assert walk.shown()["name_order"] == "family"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Name", "Ash, Ann"),
        ("Name", "山田 太郎"),
        ("Name", "Ann"),
        ("Name (first last)", "Ann Ash"),
    ],
)
def test_the_order_of_names_is_not_asked_where_nothing_depends_on_it_or_the_file_says_it(
    header: str, name: str, walk: Walk
) -> None:
    walk.upload(f'Number,{header},Hired on\n1,"{name}",2020-01-01\n'.encode())
    assert walk.shown().get("name_order", "given") == "given"
    assert walk.post("map_columns", **walk.shown()).status_code == 302


@pytest.mark.parametrize(
    ("header", "first", "late", "asked"),
    [
        ("Annual salary", "", "65.000", {"decimal"}),
        ("Annual salary", "61000.50", "65.000", {"decimal"}),
        ("Born on", "1985-07-02", "03/04/85", {"order-born_on"}),
        ("Born on", "13/2/1985", "3/13/1985", set()),
        ("Full name", "Ash, Ann", "Henry James", {"name_order"}),
        ("Manager", "9001", "", {"no_manager"}),
        ("Status", "active", "Blue", {"status-0"}),
    ],
)
def test_what_leaves_a_file_in_doubt_only_far_below_is_asked_as_well(
    header: str, first: str, late: str, asked: set[str], walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "TELLING", 10)
    names = [] if header == "Full name" else ["First name", "Last name"]
    head = ",".join(["Number", *names, "Hired on", header])
    rows = [
        ",".join(
            [
                str(n),
                *(["Ann", "Ash"] if names else []),
                "2020-01-01",
                f'"{first if n < 9015 else late}"',
            ]
        )
        for n in range(9001, 9020)
    ]
    walk.upload("\n".join([head, *rows]).encode())
    assert walk.run.line_count == 19
    answer: Any = walk.post("map_columns", **walk.shown())
    found = answer.context["form"].errors.keys() if answer.status_code == 422 else set()
    assert found == asked
    # An example of what is asked about is shown, however far below it stands.
    assert not asked & {"decimal", "order-born_on", "name_order"} or late in str(
        page(walk).context["form"].fields[min(asked)].choices
    )


def test_two_orders_in_a_column_are_seen_however_far_apart_they_stand(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "TELLING", 2)
    days = ["3/4/2020", "2/13/2020", "3/14/2020", "13/2/2020"]
    rows = [f'{n},"Ash, Ann{n}",{day}' for n, day in enumerate(days, 1)]
    counts = walk.bring("\n".join(["Number,Name,Hired on", *rows]).encode())
    assert counts == {"created": 3, "ambiguous": 1}
    assert walk.fates()[2] == "ambiguous"


def test_a_column_chosen_by_hand_is_read_to_its_end(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "TELLING", 3)
    rows = [f'{n},"Ash, Ann{n}",2020-01-01,{"" if n < 8 else "65.000"}' for n in range(1, 10)]
    walk.upload("\n".join(["Number,Name,Hired on,Package", *rows]).encode())
    assert walk.post("map_columns", **walk.shown(**{"field-pay": "3"})).status_code == 302
    assert errors(walk, pay_basis="year").keys() == {"decimal"}


def test_many_people_without_a_manager_are_asked_about_and_can_wait_for_one(
    walk: Walk, world: World
) -> None:
    rows = [f"{n},Person{n} Name{n},2020-01-01," for n in range(9001, 9006)]
    walk.upload("\n".join(["Number,Name,Hired on,Manager", *rows]).encode())
    assert errors(walk).keys() == {"no_manager"}
    walk.rehearse(no_manager="open")
    walk.apply()
    waiting = walk.client.get("/people/imports/").context["without_manager"]
    assert [p.number for p in waiting] == ["9001", "9002", "9003", "9004", "9005"]
    assert "Person9001" in walk.client.get("/people/imports/").content.decode()
    # Whoever gets a manager is off the list.
    one = Employee.objects.get(number="9001")
    assert world.dora.employee is not None
    ReportingLine.objects.create(employee=one, manager=world.dora.employee, starts_on=one.hired_on)
    waiting = walk.client.get("/people/imports/").context["without_manager"]
    assert [p.number for p in waiting] == ["9002", "9003", "9004", "9005"]


def test_which_of_two_columns_called_the_same_is_meant_is_not_guessed() -> None:
    header, rows = (
        ["Number", "Name", "Name", "Grade"],
        [["1", "Ann", "Ash", "A"], ["2", "Bob", "Bay", "B"]],
    )
    assert columns.guess("people", header, rows) == {"number": 0, "grade": 3}
    same = [[number, given, given, grade] for number, given, _family, grade in rows]
    assert columns.guess("people", header, same)["name"] == 1
