"""Opening a file otherwise: its letters, its sheet, the line of its header; and workbooks that ask for too much."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from openpyxl import Workbook

from pmcycle.people.models import Employee, Organisation
from pmcycle.people.rules import workbook as reader
from tests.conftest import SignedIn, World
from tests.people.importing import Walk


@pytest.fixture
def walk(world: World, as_: SignedIn) -> Walk:
    return Walk(as_(world.kim))


def workbook(**sheets: Sequence[Sequence[object]]) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    return stream.getvalue()


HEAD = ["Number", "Name", "Hired on"]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("gb18030", "张伟"),
        ("utf-16", "Jörg Müller"),
        ("utf-16-le", "Jörg Müller"),
        ("cp1252", "Jörg Müller"),
        ("cp1251", "Иван Иванов"),
        ("cp1253", "Μαρία Νικολάου"),
        ("cp932", "山田 太郎"),
        ("cp949", "김 민준"),
    ],
)
def test_a_name_comes_in_with_its_letters(encoding: str, name: str, walk: Walk) -> None:
    walk.upload(f"Number,Name,Hired on\n9001,{name},2020-01-01\n".encode(encoding))
    assert walk.in_doubt() == []
    walk.rehearse()
    walk.apply()
    assert Employee.objects.get(number="9001").name == name


def test_a_letter_that_was_cut_does_not_break_the_others(walk: Walk) -> None:
    names = ["Jörg Müller", "Åsa Weiß", "Zoë Núñez", "Ève Noël", "Íñigo Peña"]
    lines = [f"{n},{name},2020-01-01".encode() for n, name in enumerate(names, 1)]
    lines[3] = "4,Ève No\u00eb".encode()[:-1] + b",2020-01-01"
    response = walk.upload(b"\n".join([b"Number,Name,Hired on", *lines]))
    assert response.status_code == 422
    assert "line 5" in " ".join(response.context["form"].errors["file"])  # type: ignore[attr-defined]


def test_a_day_that_a_program_wrote_as_a_point_in_time_is_that_of_the_company(walk: Walk) -> None:
    Organisation.objects.update(zone="Europe/Berlin")
    walk.bring(b'Number,Name,Hired on\n9001,"Ash, Ann",2020-01-12T23:00:00Z\n')
    assert walk.line(2).values["hired_on"] == "2020-01-13"


def test_letters_in_doubt_are_asked_with_names_as_examples(walk: Walk) -> None:
    walk.upload("Number,Name,Hired on\n9001,Inés Wiśniewski,2020-01-01\n".encode("cp1250"))
    assert walk.in_doubt() == ["cp1250", "cp1252"]
    page = walk.client.get(walk.url("map_columns")).content.decode()
    assert "Central European (Windows): Inés, Wiśniewski" in page
    response = walk.post("map_columns", **walk.shown())
    assert response.status_code == 422
    assert "letters" in str(response.context["form"].errors)  # type: ignore[attr-defined]
    walk.reread(encoding="cp1250")
    walk.rehearse()
    assert walk.line(2).values["name"] == "Inés Wiśniewski"


def test_letters_that_came_out_wrong_are_changed(walk: Walk) -> None:
    walk.upload("Number,Name,Hired on\n9001,Jörg Müller,2020-01-01\n".encode("mac_roman"))
    walk.reread(encoding="mac_roman")
    walk.rehearse()
    assert walk.line(2).values["name"] == "Jörg Müller"


def test_what_is_not_written_so_is_refused_beside_the_choice_and_changes_nothing(
    walk: Walk,
) -> None:
    walk.upload("Number,Name,Hired on\n9001,Jörg Müller,2020-01-01\n".encode())
    version = walk.run.version
    response = walk.reread(header_line="7")
    assert response.status_code == 422
    assert "nothing on this line" in response.content.decode()
    assert walk.run.version == version


def test_the_sheet_with_most_columns_is_taken_and_another_can_be_chosen(walk: Walk) -> None:
    content = workbook(
        Notes=[["Read me"], ["Headcount of the year", "as of", "2026"]],
        People=[["All staff"], [], [*HEAD, "Grade"], ["9001", "Ann Ash", "2020-01-01", "7"]],
        Old=[HEAD, ["9001", "Ann Oak", "2020-01-01"]],
    )
    walk.upload(content, "people.xlsx")
    assert (walk.run.options["reading"]["sheet"], walk.run.mapping["grade"]) == ("People", 3)
    assert walk.rehearse() == {"created": 1}
    assert walk.line(4).values["name"] == "Ann Ash"
    assert walk.reread(sheet="Old").status_code == 302
    assert walk.run.mapping == {"number": 0, "name": 1, "hired_on": 2}
    walk.rehearse()
    assert walk.line(2).values["name"] == "Ann Oak"


def test_titles_above_the_header_are_passed_over_and_its_line_can_be_named(walk: Walk) -> None:
    walk.upload(
        b"Report of all staff\n\nNo,Who,Since\nNumber,Name,Hired on\n9001,Ann Ash,2020-01-01\n"
    )
    assert walk.run.options["reading"]["header_line"] == 4
    walk.reread(header_line="3")
    assert walk.run.header == ["No", "Who", "Since"]


def test_a_workbook_with_one_cell_far_away_is_read_by_rows(walk: Walk) -> None:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEAD)
    sheet.write_row(1, 0, ["9001", "Ann Ash", "2020-01-01"])
    sheet.write(1_048_575, 16_383, "x")
    book.close()
    walk.upload(stream.getvalue(), "people.xlsx")
    assert walk.rehearse() == {"created": 1}


def test_a_workbook_that_asks_for_more_than_it_is_given_is_refused_in_words(
    walk: Walk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "greedy.py"
    source = Path(reader.__file__).read_text()
    program.write_text(source.replace("MEMORY = 1024 * 1024 * 1024", "MEMORY = 64 * 1024 * 1024"))
    monkeypatch.setattr(reader, "__file__", str(program))
    rows = [[f"{n}", f"{n}" + "x" * 3000, "2020-01-01"] for n in range(20_000)]
    response = walk.upload(workbook(People=[HEAD, *rows]), "people.xlsx")
    assert response.status_code == 422
    assert "more memory or time" in " ".join(response.context["form"].errors["file"])  # type: ignore[attr-defined]


def test_numbers_of_a_workbook_keep_every_figure(walk: Walk) -> None:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, [*HEAD, "Pay rate"])
    padded = book.add_format({"num_format": "00000"})
    sheet.write_number(1, 0, 123, padded)
    sheet.write_row(1, 1, ["Ann Ash", "2020-01-01", 31.125])
    sheet.write_number(2, 0, 4444444444)
    sheet.write_row(2, 1, ["Bob Bay", "2020-01-01", 28.1])
    sheet.write_string(3, 0, "12345678901234567")
    sheet.write_row(3, 1, ["Cid Cox", "2020-01-01", 28])
    book.close()
    content = stream.getvalue()
    # A program may write more figures than a spreadsheet would.
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(
                name, old.read(name).replace(b"<v>4444444444</v>", b"<v>98765432109876543</v>")
            )
    walk.upload(out.getvalue(), "people.xlsx")
    walk.rehearse()
    assert [walk.line(n).key for n in (2, 3, 4)] == [
        "00123",
        "98765432109876543",
        "12345678901234567",
    ]
    assert walk.line(2).values["annual"] == "64740.00"


def test_a_currency_that_only_the_format_of_a_cell_names_is_read(walk: Walk) -> None:
    formats = ["[$CHF-807] #,##0.00", '#,##0.00 "€"', "[$£-809]#,##0", '"$"#,##0.00', "[$-407]0.00"]
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, [*HEAD, "Annual salary"])
    for row, shown in enumerate(formats, 1):
        sheet.write_row(row, 0, [f"{row}", "Ash, Ann", "2020-01-01"])
        sheet.write_number(row, 3, 65_000.125, book.add_format({"num_format": shown}))
    book.close()
    walk.upload(stream.getvalue(), "people.xlsx")
    assert walk.rehearse() == {"created": len(formats)}
    read = [walk.line(n).values for n in range(2, 7)]
    assert [values["currency"] for values in read] == ["CHF", "EUR", "GBP", "USD", "USD"]
    assert {values["annual"] for values in read} == {"65000.13"}


@pytest.mark.parametrize("formula", ['=CONCATENATE("0","1")', '="0"&"1"&"<"'])
def test_a_formula_that_nobody_calculated_is_not_taken_for_an_empty_cell(
    formula: str, walk: Walk
) -> None:
    book, stream = Workbook(), io.BytesIO()
    sheet: Any = book.active
    sheet.append(["Number", "Name", "Hired on"])
    sheet.append([formula, "Berg, Anna", "2020-01-01"])
    book.save(stream)
    answer = walk.upload(stream.getvalue(), "people.xlsx")
    assert answer.status_code == 422
    assert "Cell A2 holds a formula that no program has calculated." in answer.content.decode()


def test_a_formula_that_came_to_a_text_is_read_as_that_text() -> None:
    cells = (
        b'<c r="A2" t="str"><f>""</f><v></v></c><c r="B2"><f>1+1</f><v>2</v></c>'
        b'<c r="C2" t="str"><f t="shared" si="0"/><v>x</v></c>'
    )
    assert reader.uncalculated(io.BytesIO(cells)) == ""
    shared = io.BytesIO(b" " * (reader.PIECE - 7) + b'<c r="D9" s="1"><f t="shared" si="0"/></c>')
    assert reader.uncalculated(shared) == "D9"
