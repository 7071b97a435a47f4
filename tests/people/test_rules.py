"""Names, dates, amounts and columns: tables of cases, and what holds for every input."""

from __future__ import annotations

import contextlib
import re
from datetime import date
from decimal import Decimal
from typing import Any

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
        ("山田 太郎", "山田 太郎", "山田, 太郎"),
        ("张伟", "张伟", "张伟"),
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
        ("山田 太郎", "山田太郎", True),
        ("张 伟", "张伟", True),
        ("Smith, John A", "John B. Smith", False),
        ("Smith, John", "Joan Smith", False),
    ],
)
def test_two_spellings_are_one_name_or_not(one: str, other: str, same: bool) -> None:
    assert (
        bool(names.pick(other, [("1", one)])) and names.key_of(one) == names.key_of(other)
    ) is same


@pytest.mark.parametrize(
    ("written", "shown", "sorted_by"),
    [
        ("Dr. Ann Ash, PhD", "Dr. Ann Ash PhD", "Ash PhD, Dr. Ann"),
        ("Ash, Ann, Jr.", "Ann Ash Jr.", "Ash Jr., Ann"),
        ("Bob Bay, III", "Bob Bay III", "Bay III, Bob"),
        ("Ash, Ann", "Ann Ash", "Ash, Ann"),
        (", MD", "MD", "MD"),
    ],
)
def test_a_title_behind_a_comma_is_no_name(written: str, shown: str, sorted_by: str) -> None:
    name = names.parse_name(written)
    assert (name.shown, name.sorted_by) == (shown, sorted_by)


def test_only_a_comma_between_names_says_their_order() -> None:
    assert [names.is_open(text) for text in ("Ann Ash, PhD", "Ash, Ann, Jr.", "Ann, MD")] == [
        True,
        False,
        False,
    ]


def test_the_order_decides_between_a_name_and_its_mirror() -> None:
    found = [("1", "Henry James"), ("2", "James Henry")]
    assert names.pick("James, Henry", found) == [("1", "Henry James")]
    assert names.pick("James Henry", found) == [("2", "James Henry")]


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_a_name(one: str, other: str) -> None:
    names.parse_name(one)
    names.pick(one, [("1", other)])
    assert names.key_of(names.parse_name(one).shown) == names.key_of(
        names.parse_name(one).sorted_by
    )


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
        ("15-Jan-2020", "mdy", date(2020, 1, 15)),
        ("15-Jan-20", "mdy", date(2020, 1, 15)),
        ("Jan 5, 2020", "dmy", date(2020, 1, 5)),
        ("15. März 2020", "mdy", date(2020, 3, 15)),
        ("1er août 2019", "mdy", date(2019, 8, 1)),
        ("31 de diciembre de 2020", "mdy", date(2020, 12, 31)),
        ("2 de março de 2020", "mdy", date(2020, 3, 2)),
        ("2020年1月5日", "mdy", date(2020, 1, 5)),
        ("2019-02-12", "dmy", date(2019, 2, 12)),
        ("20190212", "dmy", date(2019, 2, 12)),
        ("1/15/2020 12:00:00 AM", "mdy", date(2020, 1, 15)),
        ("2020-01-15T10:30:00Z", "dmy", date(2020, 1, 15)),
        ("13/2/2020", "each", date(2020, 2, 13)),
        ("2/13/2020", "each", date(2020, 2, 13)),
        ("", "mdy", None),
    ],
)
def test_a_date_is_read(text: str, order: str, found: date | None) -> None:
    assert cells.read_date(text, order, 2026) == found


@pytest.mark.parametrize(
    "text",
    [
        "2/30/2016",
        "2/29/2015",
        "13/13/2013",
        "0/1/2015",
        "soon",
        "1/1",
        "9999-01-01",
        "Resign",
        "NULL",
        "20191312",
    ],
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
        (["15-Jan-2020", "20190212"], ("ymd", True)),
        (["2/2/2015", "3/3/2015"], ("dmy", True)),
        # One day whichever figure is the month, and never the second month of 2001.
        (["1/1/20"], ("dmy", True)),
        (["1/1/20", "2/1/20"], ("mdy", False)),
        (["13/1/2015", "1/13/2015", "1/2/2015"], ("each", True)),
        ([], ("ymd", True)),
    ],
)
def test_the_order_of_a_date_is_proven_or_guessed(
    values: list[str], order: tuple[str, bool]
) -> None:
    assert cells.guess_order(values) == order


@given(st.dates(date(1901, 1, 1), date(2199, 12, 31)))
def test_every_day_is_read_back_in_every_order(day: date) -> None:
    assert cells.read_date(day.isoformat(), "mdy", 2026) == day
    assert cells.read_date(f"{day.month}/{day.day}/{day.year}", "mdy", 2026) == day
    assert cells.read_date(f"{day.day:02}.{day.month:02}.{day.year}", "dmy", 2026) == day


def test_a_day_that_may_be_another_is_a_doubt_with_both_days() -> None:
    with pytest.raises(cells.Unreadable) as doubt:
        cells.read_date("3/4/2020", "each", 2026)
    assert doubt.value.readings == ("2020-04-03", "2020-03-04")


@pytest.mark.parametrize(
    ("text", "decimal", "found"),
    [
        ("28.5", "", "28.5"),
        ("52,000", ".", "52000"),
        ("52,000.50", "", "52000.50"),
        ("52.000,50", "", "52000.50"),
        ("65.000", ",", "65000"),
        ("65.000", ".", "65.000"),
        ("52 000", "", "52000"),
        ("52\u202f000,5", "", "52000.5"),
        ("1,5", "", "1.5"),
        ("1.234.567", "", "1234567"),
        ("12,34,567", "", "1234567"),
        ("-3", "", "-3"),
        ("1'000", "", "1000"),
        ("5'200.–", "", "5200"),
        ("0,500", "", "0.500"),
        ("", "", None),
    ],
)
def test_an_amount_is_read(text: str, decimal: str, found: str | None) -> None:
    assert cells.read_amount(text, decimal) == (Decimal(found) if found else None)


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("65.000", ("65000", "65.000")),
        ("65,000", ("65000", "65.000")),
        ("65.000 €", ("65000 EUR", "65.000 EUR")),
        ("65k", ("65000",)),
        ("65 K", ("65000",)),
        ("G2", ()),
        ("28.50 hourly", ()),
        ("52 00", ()),
        ("much", ()),
        ("EUR 5 GBP", ()),
        ("¥ 30000", ("30000 JPY", "30000 CNY")),
        ("99999999999999", ()),
    ],
)
def test_an_amount_that_may_be_another_is_a_doubt(text: str, readings: tuple[str, ...]) -> None:
    with pytest.raises(cells.Unreadable) as doubt:
        cells.read_money(text, "", "EUR")
    assert doubt.value.readings == readings


@pytest.mark.parametrize(
    ("text", "home", "amount", "currency"),
    [
        ("$ 28.50", "USD", "28.50", "USD"),
        ("$ 28.50", "CAD", "28.50", "CAD"),
        ("52 000 €", "USD", "52000", "EUR"),
        ("CHF 5'200.-", "EUR", "5200", "CHF"),
        ("GBP 31,500.75", "EUR", "31500.75", "GBP"),
        ("1.234,50 EUR", "USD", "1234.50", "EUR"),
        ("R$ 1.234,50", "EUR", "1234.50", "BRL"),
        ("31500", "EUR", "31500", ""),
    ],
)
def test_a_currency_beside_an_amount_is_read(
    text: str, home: str, amount: str, currency: str
) -> None:
    assert cells.read_money(text, "", home) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["28.5", "23", "1,200.75"], (".", True)),
        (["1.234,5", "65.000"], (",", True)),
        (["65.000", "72.500"], ("", False)),
        (["28.5", "65.000"], ("", False)),
        (["1,234.5", "1.234,5", "65.000"], ("", False)),
        (["12", "130"], (".", True)),
        (["63,000", "58000"], (".", True)),
        (["63.000", "58000"], (",", True)),
        (["63.000", "58"], ("", False)),
        (["31.1250", "65.000"], (".", True)),
        (["1.200.000", "65.000"], (",", True)),
        ([], (".", True)),
    ],
)
def test_the_decimal_mark_of_a_column_is_proven_or_asked(
    values: list[str], found: tuple[str, bool]
) -> None:
    assert cells.guess_decimal(values) == found


@pytest.mark.parametrize(
    ("header", "cells_of_column", "doubtful"),
    [
        ("FTE", ["1", "0.5"], []),
        ("FTE", ["100", "50"], []),
        ("FTE", ["80%", "5"], []),
        ("FTE %", ["50", "40"], []),
        ("FTE", ["40", "37.5", "1"], ["40", "37.5"]),
        ("FTE", ["5", "0.5"], ["5"]),
        ("Jornada", ["40", "20,5"], ["40", "20,5"]),
    ],
)
def test_hours_a_week_are_not_taken_for_a_share(
    header: str, cells_of_column: list[str], doubtful: list[str]
) -> None:
    head = ["Number", "Name", "Hired on", header]
    rows = [[str(n), "Ash, Ann", "2020-01-01", text] for n, text in enumerate(cells_of_column)]
    mapping = columns.guess("people", head, rows)
    options = columns.guess_options("people", mapping, head, rows, currency="EUR")
    read = [lines.read_person(row, mapping, options, date(2026, 1, 1)) for row in rows]
    assert [ask["said"] for reading in read for ask in reading.asks] == doubtful


@pytest.mark.parametrize(
    ("header", "mapped"),
    [
        (
            ["Legal Name - First Name", "Legal Name - Last Name"],
            {"given_name": 0, "family_name": 1},
        ),
        (["Employee First Name", "Employee Last Name"], {"given_name": 0, "family_name": 1}),
        (["Worker Name (first)", "Legal Name"], {"name": 1}),
        (
            ["Preferred Name - Last Name", "Preferred Name - First Name"],
            {"given_name": 1, "family_name": 0},
        ),
    ],
)
def test_half_of_a_name_is_not_taken_for_the_name(
    header: list[str], mapped: dict[str, int]
) -> None:
    assert columns.guess("people", header) == mapped


@pytest.mark.parametrize(
    ("header", "column", "found"),
    [
        ("Total Base Pay Annualized - Currency", ["USD", "EUR"], True),
        ("Gehalt Währung", ["EUR"], True),
        ("Bonus Currency", [], True),
        ("ISO", ["USD", "GBP"], True),
        ("Curr.", ["EUR", "EUR"], True),
        ("Country", ["USA", "CHE"], False),
        ("Site", ["ALL", "TOP"], False),
        ("Note", [], False),
    ],
)
def test_a_column_of_currencies_is_known_by_its_header_or_by_its_cells(
    header: str, column: list[str], found: bool
) -> None:
    head = ["Number", "Name", "Hired on", "Pay", header]
    rows = [[str(n), "Ash, Ann", "2020-01-01", "65000", text] for n, text in enumerate(column)]
    assert columns.guess("people", head, rows).get("currency") == (4 if found else None)


def test_of_two_columns_of_currencies_the_one_beside_pay_is_taken() -> None:
    head = ["Number", "Name", "Hired on", "Bonus", "Bonus Cur", "Pay Rate", "Rate Cur"]
    rows = [["1", "Ash, Ann", "2020-01-01", "100", "GBP", "65000", "EUR"]]
    assert columns.guess("people", head, rows)["currency"] == 6


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Annual salary (k€)", True),
        ("Jahresgehalt (TEUR)", True),
        ("Gehalt in T€", True),
        ("Base pay kUSD", True),
        ("Salary ('000)", True),
        ("Salary (000s)", True),
        ("Gehalt in Tsd. €", True),
        ("Pay in thousands", True),
        ("年収（千円）", True),
        ("Salary (in k)", True),
        ("Salaire (k€)", True),
        ("Salary", False),
        ("Gehalt TREUE", False),
        ("Stock €", False),
        ("Monk EUR", False),
        ("Pay (EUR)", False),
        ("TOTAL", False),
        ("Salary 2000", False),
        ("PAY TYPE", False),
        ("TEAM PAY", False),
        ("Pay (miles)", False),
    ],
)
def test_a_header_that_says_thousands_is_understood(header: str, found: bool) -> None:
    assert columns.is_in_thousands(header) is found


def test_how_somebody_is_addressed_is_no_job_title() -> None:
    rows = [["1", "Mr.", "Cook", ""], ["2", "Dr", "Baker", ""], ["3", "", "Baker", ""]]
    assert columns.guess("people", ["Number", "Title", "Job", "x"], rows)["job_title"] == 2
    assert "job_title" not in columns.guess("people", ["Number", "Title", "Shoe", "x"], rows)
    assert columns.guess("people", ["Number", "Shoe", "Title", "x"], rows)["job_title"] == 2


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        # Midnight in the company's zone, as programs write it.
        ("2020-01-12T23:00:00Z", "Europe/Berlin", "2020-01-13"),
        ("2020-07-12T22:00:00.0000000Z", "Europe/Berlin", "2020-07-13"),
        ("2020-01-12 15:00:00+00:00", "Asia/Tokyo", "2020-01-13"),
        ("2020-01-13T05:00:00Z", "America/New_York", "2020-01-13"),
        # A day without a time, to which a program has added one.
        ("2020-01-13T00:00:00Z", "America/New_York", "2020-01-13"),
        ("2020-01-13T00:00:00", "America/New_York", "2020-01-13"),
        ("2020-01-12T23:00:00Z", "", "2020-01-12"),
    ],
)
def test_a_point_in_time_is_read_as_its_day_in_the_zone_of_the_company(
    text: str, zone: str, day: str
) -> None:
    assert str(cells.read_date(text, "ymd", 2026, zone)) == day


@pytest.mark.parametrize(
    ("text", "found"),
    [("1.23457E+16", True), ("1,2E+10", True), ("12345678901234567", False), ("E001", False)],
)
def test_a_number_cut_short_by_a_spreadsheet_is_noticed(text: str, found: bool) -> None:
    assert cells.shortened(text) is found


@given(st.text(max_size=30))
def test_no_cell_breaks_the_reading(text: str) -> None:
    for read in (
        cells.read_amount,
        lambda t: cells.read_money(t, ".", "EUR"),
        lambda t: cells.read_date(t, "mdy", 2026),
        lambda t: cells.read_date(t, "each", 2026),
    ):
        try:
            read(text)
        except cells.Unreadable:
            continue
    cells.guess_status(text)
    with contextlib.suppress(cells.Unreadable):
        cells.read_sex(text)
    cells.guess_decimal([text])
    cells.guess_order([text])
    columns.guess_basis(text)


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
        ("Active", "active"),
        ("Voluntarily Terminated", "leaver"),
        ("Terminated for Cause", "leaver"),
        ("Leave of Absence", "leave"),
        ("Future Start", "future"),
        ("INACTIVE", "leaver"),
        ("Blue", ""),
        ("", ""),
        ("Resign", "leaver"),
        ("Leaver", "leaver"),
        ("On leave", "leave"),
        ("not active", ""),
        ("Active (on leave)", ""),
        ("NULL", ""),
        ("#N/A", ""),
        ("-", ""),
        ("Pending", ""),
        ("Short term disability", "leave"),
        ("Term", "leaver"),
        ("Aktiv", "active"),
        ("Ausgeschieden", "leaver"),
        ("Elternzeit", "leave"),
        ("Sorti", "leaver"),
        ("Licencié", "leaver"),
        ("Licencia", "leave"),
        ("Baja", ""),
        ("Desligado", "leaver"),
        ("在职", "active"),
        ("退職", "leaver"),
        ("休職中", "leave"),
    ],
)
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
        "manager": 0,
        "name": 1,
        "number": 2,
        "hired_on": 3,
        "pay": 4,
        "unit": 5,
    }
    parts = columns.guess("people", ["ID", "First name", "Last name", "Name", "Start date"])
    assert "name" not in parts
    assert parts["given_name"] == 1


def test_addresses_are_found_under_an_odd_header() -> None:
    rows = [["1", "a@example.com"], ["2", "b@example.com"]]
    assert columns.guess("people", ["ID", "Login"], rows)["email"] == 1


# A system or a language, the header of its export, and the field of each column ("-" for none).
SYSTEMS = """
BambooHR
  Employee #,Last name - First name,Job Title,Department,Location,Supervisor name,Hire Date,Employment Status,
  Pay rate,Pay per,Work Email
  =
  number name job_title unit location manager hired_on status pay pay_per email
Workday
  Employee ID,Worker,Business Title,Supervisory Organization,Worker's Manager,Hire Date,Termination Date,
  Worker Status,Total Base Pay,Currency,Email - Primary Work,FTE
  =
  number name job_title unit manager hired_on left_on status pay currency email fte
SAP SuccessFactors
  Person ID External,First Name,Last Name,EmplStatus,Hire Date,Job Title,Department,Manager User Sys ID,Gender,
  Date Of Birth
  =
  number given_name family_name status hired_on job_title unit manager sex born_on
SAP SuccessFactors, its file of users
  STATUS,USERID,USERNAME,FIRSTNAME,LASTNAME,EMAIL,MANAGER,DEPARTMENT,TITLE,HIREDATE
  =
  status number - given_name family_name email manager unit job_title hired_on
ADP
  Associate ID,Payroll Name,Position Status,Hire Date,Job Title Description,Home Department Description,
  Reports To Name,Regular Pay Rate Amount,Rate Type,Location Description
  =
  number name status hired_on job_title unit manager pay pay_per location
Google
  First Name [Required],Last Name [Required],Email Address [Required],Org Unit Path [Required],Employee ID,
  Employee Title,Manager Email,Department
  =
  given_name family_name email - number job_title manager unit
Entra
  displayName,givenName,surname,userPrincipalName,jobTitle,department,officeLocation,employeeId,employeeHireDate,
  manager
  =
  - given_name family_name email job_title unit location number hired_on manager
Personio, German
  Personalnummer,Vorname,Nachname,E-Mail,Position,Abteilung,Standort,Vorgesetzter,Eintrittsdatum,Austrittsdatum,
  Status,Fixgehalt,Gehaltsintervall,Geschlecht,Geburtsdatum
  =
  number given_name family_name email job_title unit location manager hired_on left_on status pay pay_per sex
  born_on
French
  Matricule,Nom,Prénom,Adresse e-mail,Intitulé du poste,Service,Responsable hiérarchique,Date d'embauche,
  Date de sortie,Statut,Salaire annuel,Devise
  =
  number family_name given_name email job_title unit manager hired_on left_on status pay currency
Spanish
  Número de empleado,Nombre,Apellidos,Correo electrónico,Puesto,Departamento,Jefe directo,Fecha de ingreso,
  Fecha de baja,Estado,Salario mensual,Moneda
  =
  number given_name family_name email job_title unit manager hired_on left_on status pay currency
Portuguese
  Matrícula,Nome completo,E-mail corporativo,Cargo,Departamento,Gestor,Data de admissão,Data de desligamento,
  Situação,Salário mensal
  =
  number name email job_title unit manager hired_on left_on status pay
Japanese
  社員番号,氏名,メールアドレス,役職,部署,上司,入社日,退職日,在籍状況,月給,性別,生年月日
  =
  number name email job_title unit manager hired_on left_on status pay sex born_on
Chinese
  工号,姓名,邮箱,职位,部门,直属上级,入职日期,离职日期,员工状态,月薪,币种
  =
  number name email job_title unit manager hired_on left_on status pay currency
grown together
  EmpID,EmployeeName,DateofHire,DateofTermination,EmploymentStatus,ManagerName,PayRate,DOB,Dept
  =
  number name hired_on left_on status manager pay born_on unit
"""


def systems() -> list[Any]:
    """Each block of SYSTEMS as a case: header, and field of each column."""
    cases = []
    for block in re.split(r"\n(?=\S)", SYSTEMS.strip()):
        name, rest = block.split("\n", 1)
        header, fields = rest.split("=")
        cases.append(pytest.param([h.strip() for h in header.split(",")], fields.split(), id=name))
    return cases


@pytest.mark.parametrize(("header", "fields"), systems())
def test_the_columns_of_each_system_and_language_are_known(
    header: list[str], fields: list[str]
) -> None:
    by_column = {at: name for name, at in columns.guess("people", header).items()}
    assert [by_column.get(i, "-") for i in range(len(header))] == fields


def test_a_column_of_another_kind_of_values_is_passed_over() -> None:
    header = ["ID", "Name", "Start date", "Pay", "Salary", "Manager ID", "Manager email"]
    rows = [
        ["1", "Ann Ash", "2020-01-01", "Group A", "50000", "900", "bob@example.com"],
        ["2", "Bob Bay", "2020-01-01", "Group B", "60000", "901", ""],
    ]
    assert columns.guess("people", header, rows)["pay"] == 4


def test_of_two_columns_for_a_manager_the_one_that_names_people_of_the_file_is_taken() -> None:
    header = ["ID", "Name", "Work email", "Start date", "Manager ID", "Manager email"]
    rows = [
        ["1", "Ann Ash", "ann@example.com", "2020-01-01", "X900", "bob@example.com"],
        ["2", "Bob Bay", "bob@example.com", "2020-01-01", "X901", ""],
    ]
    assert columns.guess("people", header, rows)["manager"] == 5


def test_titles_above_the_header_are_passed_over_and_a_missing_header_is_noticed() -> None:
    rows = [
        ["Headcount report"],
        ["As of", "2026-01-01"],
        [],
        ["Emp ID", "Name", "Hire date"],
        ["1", "A B", "2020-01-01"],
    ]
    head = columns.find_header("people", rows)
    assert (head.row, columns.has_no_header("people", head)) == (3, False)
    bare = columns.find_header("people", [["1001", "Ann Ash", "2020-01-01", "ann@example.com"]])
    assert columns.has_no_header("people", bare)
    odd = columns.find_header("people", [["Shoe size", "Colour"], ["42", "blue"]])
    assert not columns.has_no_header("people", odd)


@pytest.mark.parametrize(
    ("header", "rows", "order"),
    [
        (["No", "Name"], [["1", "Ann Ash"]], ""),
        (["No", "Name (first last)"], [["1", "Ann Ash"]], "given"),
        (["No", "Name"], [["1", "Ann ASH"]], "given"),
        (["No", "Name"], [["1", "Ash, Ann"], ["2", "Bob"]], ""),
        (["No", "Name"], [["1", "ASH Ann"], ["2", "BAY Bob"]], "family"),
        (["No", "Name"], [["1", "ASH Ann"], ["2", "Bob BAY"]], ""),
        (["No", "Last name First name"], [["1", "Ash Ann"]], "family"),
        (["No", "Name", "Email"], [["1", "Ash Ann", "ann.ash@example.com"]], "family"),
        (["No", "Name", "Manager"], [["1", "Ash Ann", ""], ["2", "Bay Bob", "Ash, Ann"]], "family"),
        (
            ["No", "First name", "Last name", "Manager"],
            [["1", "Ash", "Ann", ""], ["2", "Bay", "Bob", "Ann Ash"]],
            "",
        ),
        (
            ["No", "First name", "Last name", "Manager"],
            [["1", "Ann", "Ash", ""], ["2", "Bob", "Bay", "Ann Ash"]],
            "given",
        ),
    ],
)
def test_which_name_stands_first_is_told_by_the_file_or_asked(
    header: list[str], rows: list[list[str]], order: str
) -> None:
    mapping = columns.guess("people", header, rows)
    assert (
        columns.guess_options("people", mapping, header, rows, currency="USD")["name_order"]
        == order
    )


@pytest.mark.parametrize(
    ("header", "values", "currency", "basis"),
    [
        ("Pay Rate", ["28.5", "23"], "USD", "hour"),
        ("Salary", ["52000", "61000"], "EUR", "year"),
        ("Salary", ["5200", "6100"], "EUR", ""),
        ("Salary", ["28.5", "61000"], "USD", ""),
        ("Salary", ["52000", "61000"], "JPY", ""),
        ("Monatsgehalt", ["5200"], "EUR", "month"),
        ("Salaire mensuel", ["3200"], "EUR", "month"),
        ("月給", ["300000"], "JPY", "month"),
        ("年俸", ["300000"], "CNY", "year"),
        ("Hourly wage", ["900"], "USD", "hour"),
        ("Annual salary", ["900"], "USD", "year"),
    ],
)
def test_what_pay_is_given_per_is_told_by_header_or_amounts_or_asked(
    header: str, values: list[str], currency: str, basis: str
) -> None:
    rows = [[v] for v in values]
    assert (
        columns.guess_options("people", {"pay": 0}, [header], rows, currency=currency)["pay_basis"]
        == basis
    )


@pytest.mark.parametrize(
    ("header", "currency"),
    [
        ("Salary (EUR)", "EUR"),
        ("Salary €", "EUR"),
        ("Salary in GBP", "GBP"),
        ("SALARY", "USD"),
        ("Salary", "USD"),
    ],
)
def test_the_currency_of_a_header_is_read(header: str, currency: str) -> None:
    found = columns.guess_options("people", {"pay": 0}, [header], [["50000"]], currency="USD")
    assert found["currency"] == currency


LETTERS = {
    "cp1252": "Müller,Jörg Núñez,Inés Lefèvre,François",
    "cp1250": "Wiśniewski,Łukasz Dvořák,Tomáš Szűcs,Győző",
    "cp1251": "Иванов,Иван Петрова,Анна",
    "cp1253": "Παπαδόπουλος,Γιώργος Νικολάου,Μαρία",
    "cp1254": "Yıldız,Ayşe Şahin,Oğuz Çelik,Gökçe",
    "cp1257": "Žukauskienė,Rūta Bērziņš,Jānis Ozoliņš,Pēteris",
    "cp1255": "כהן,דוד לוי,שרה פרץ,יעקב",
    "iso8859_8": "כהן,דוד לוי,שרה",
    "iso8859_7": "Παπαδόπουλος,Γιώργος",
    "cp1256": "العلي,محمد",
    "koi8_u": "Иванов,Иван Петрова,Анна Щукин,Юрий",
    "cp874": "ใจดี,สมชาย",
    "gb18030": "张,伟 王,芳 李,娜",
    "big5": "陳,志明 林,淑芬",
    "cp932": "山田,太郎 佐藤,花子",
    "cp949": "김,민준 이,서연",
    "utf-16": "Müller,Jörg 张,伟",
    "utf-16-le": "Müller,Jörg",
    "utf-16-be": "Müller,Jörg",
    "utf-8": "Müller,Jörg 张,伟",
    "utf-8-sig": "Müller,Jörg",
}


@pytest.mark.parametrize(("encoding", "people"), LETTERS.items())
@pytest.mark.parametrize("times", [1, 20])
def test_names_come_in_with_their_letters(encoding: str, people: str, times: int) -> None:
    lines_of = [
        f"{n},{person},2020-01-{n % 28 + 1:02}"
        for n, person in enumerate(people.split() * times, 1)
    ]
    text = "Number,Last name,First name,Hired on\n" + "\n".join(lines_of)
    rows = [row for _number, row in sheets.lines_of("people.csv", text.encode(encoding))]
    assert rows == [line.split(",") for line in text.split("\n")]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("gb18030", ["张伟"]),
        ("gb18030", ["李娜"]),
        ("gb18030", ["张伟", "陈静"]),
        ("gb18030", ["陈静", "刘洋"]),
        ("cp932", ["渡辺"]),
        ("cp932", ["山田 太郎", "渡辺", "加藤 翔"]),
        ("euc_jp", ["山田", "鈴木"]),
        ("cp1252", ["Íñigo"]),
        ("cp1252", ["“Head” – Größe…", "O’Brien"]),
        ("cp850", ["Björn"]),
        ("mac_roman", ["René"]),
        ("cp1252", ["Žofie Šimková", "Œuvré"]),
    ],
)
def test_few_names_come_in_with_their_letters_or_are_asked_about(
    encoding: str, names: list[str]
) -> None:
    lines_of_file = [f"{n},{name},2020-01-01" for n, name in enumerate(names, 9001)]
    content = "\n".join(["Number,Name,Hired on", *lines_of_file]).encode(encoding)
    guessed = sheets.guess_encodings(content)
    right = [e for e in guessed if content.decode(e) == content.decode(encoding)]
    assert right
    assert len(guessed) == 1 or guessed != right
    assert sheets.words_as(sheets.telling_lines(content), right[0])


def test_lines_that_end_as_on_an_old_mac_are_parted_by_their_own_sign() -> None:
    content = b"Number;Name\r1;Ash, Ann\r2;Bay, Bob\r"
    assert [c for _n, c in sheets.lines_of("x.csv", content)][1:] == [
        ["1", "Ash, Ann"],
        ["2", "Bay, Bob"],
    ]


def test_letters_can_be_chosen_and_what_is_not_written_so_is_said() -> None:
    content = "Number,Name\n1,Müller".encode("mac_roman")
    assert list(sheets.lines_of("a.csv", content, encoding="mac_roman"))[1] == (2, ["1", "Müller"])
    with pytest.raises(sheets.NotASheet, match="not written as"):
        list(sheets.lines_of("a.csv", content, encoding="utf-8"))


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("E001", "001", True),
        ("001", "1", True),
        ("EMP-17", "17", True),
        ("E001", "E002", False),
        ("7004-2", "7004", False),
        ("A1B2", "12", False),
    ],
)
def test_numbers_with_the_same_figures_are_alike(one: str, other: str, alike: bool) -> None:
    assert (bool(cells.digits_of(one)) and cells.digits_of(one) == cells.digits_of(other)) is alike


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ("M F", "male female"),
        ("m f", "male female"),
        ("H M", "male female"),
        ("M W D", "male female diverse"),
        ("m w d", "male female diverse"),
        ("H F", "male female"),
        ("M F X", "male female diverse"),
        ("男 女", "male female"),
        ("男性 女性", "male female"),
        ("male female", "male female"),
        ("Male Female", "male female"),
        ("männlich weiblich divers", "male female diverse"),
        ("homme femme", "male female"),
        ("non-binary undeclared", "non-binary undeclared"),
    ],
)
def test_the_letter_for_a_sex_is_read_by_the_letters_beside_it(texts: str, found: str) -> None:
    beside_h, is_open = cells.sex_signs([text for text in texts.split() if len(text) == 1])
    assert [
        cells.read_sex(t, beside_h=beside_h, is_open=is_open) for t in texts.split()
    ] == found.split()


@pytest.mark.parametrize("text", ["0", "1", "2", "9", "1.0", "U", "k", "?", "未"])
def test_a_code_for_a_sex_is_never_kept_as_a_text(text: str) -> None:
    with pytest.raises(cells.Unreadable) as refused:
        cells.read_sex(text)
    assert refused.value.readings == ("female", "male", "diverse")


@pytest.mark.parametrize(
    ("letters", "is_open"),
    [
        ("V M", True),
        ("N F", True),
        ("K M", True),
        ("M F U", False),
        ("M W D", False),
        ("M", False),
        ("H F", False),
        ("男 女 U", False),
    ],
)
def test_a_letter_without_its_other_is_in_doubt_beside_an_unknown_one(
    letters: str, is_open: bool
) -> None:
    assert cells.sex_signs(letters.split())[1] is is_open
    if is_open:
        with pytest.raises(cells.Unreadable):
            cells.read_sex(letters.split()[1], is_open=True)


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
    why_not = roles.why_not_grant(
        role, own=own, held=held, to_oneself=to_oneself, names_unit=names_unit
    )
    assert (why_not == "") is allowed
