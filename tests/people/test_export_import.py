"""What was imported can be taken out again in the same columns, unharmed."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from pmcycle.activity.models import Event
from pmcycle.people.models import Employee, PayRange, Salary
from tests.conftest import SignedIn, World
from tests.people.importing import Walk

FILE = (
    "Emp ID;Full name;Shoe size;Start date;Salary;Manager;Status;Job title\n"
    "0009001;Ash, Ann;42;13/02/2020;65.000,50 €;;Aktiv;=1+1\n"
    "12345678901234567;Bay, Bob;-5;1/2/2021;52.000,00 €;0009001;Aktiv;+49 30 1234\n"
)


@pytest.fixture
def walk(world: World, as_: SignedIn) -> Walk:
    return Walk(as_(world.kim))


def exported(walk: Walk) -> list[list[str]]:
    response = walk.post("export_import")
    assert response.status_code == 200
    sheet = load_workbook(io.BytesIO(response.content)).worksheets[0]
    assert all(
        cell.data_type in ("s", "n") for row in sheet.iter_rows() for cell in row
    )  # no formula
    return [[str(cell.value or "") for cell in row] for row in sheet.iter_rows()]


def test_what_came_in_goes_out_as_it_was_and_comes_in_again_unchanged(walk: Walk) -> None:
    walk.bring(FILE.encode())
    walk.apply()
    rows = exported(walk)
    assert rows == [line.split(";") for line in FILE.strip().split("\n")]
    content = walk.post("export_import").content
    walk.upload(content, "again.xlsx")
    assert walk.rehearse() == {"unchanged": 2}
    assert Event.objects.filter(verb="exported_import").count() == 2


def test_what_has_changed_since_goes_out_as_it_is_now(walk: Walk) -> None:
    walk.bring(FILE.encode())
    walk.apply()
    ann = Employee.objects.get(number="0009001")
    ann.job_title, ann.name = "Baker", "Ann Oak"
    ann.save()
    Salary.objects.filter(employee=ann).update(
        amount=Decimal("70000.25"), annual=Decimal("70000.25")
    )
    rows = exported(walk)
    assert rows[1] == [
        "0009001",
        "Oak, Ann",
        "42",
        "13/02/2020",
        "70000,25 EUR",
        "",
        "Aktiv",
        "Baker",
    ]
    walk.upload(walk.post("export_import").content, "again.xlsx")
    assert walk.rehearse() == {"unchanged": 2}


def test_thousands_go_out_as_thousands_to_the_cent(walk: Walk) -> None:
    walk.bring(b"Number;Name;Hired on;Jahresgehalt (TEUR)\n1;Ash, Ann;13/02/2020;65,5\n")
    walk.apply()
    assert exported(walk)[1][3] == "65,5"
    Salary.objects.filter(employee__number="1").update(
        amount=Decimal("70123.45"), annual=Decimal("70123.45")
    )
    assert exported(walk)[1][3] == "70,1234500 EUR"
    walk.upload(walk.post("export_import").content, "again.xlsx")
    assert walk.rehearse() == {"unchanged": 1}


RANGES = (
    "Position;Band;Note;Salary Min;Mid;Salary Max\n"
    "=Engineer;G5;a;50.000,00;62.000,00;74.000,50\n"
    "-Baker;007;b;30.000,00;;42.000,00 €\n"
    ";G9;c;90.000,00;95.000,00;99.000,00\n"
)


def test_pay_ranges_go_out_as_they_came_in_and_come_in_again_unchanged(walk: Walk) -> None:
    walk.bring(RANGES.encode(), kind="pay_ranges")
    walk.apply()
    page = walk.client.get(walk.url("rehearsal")).content.decode()
    assert walk.url("export_import") in page
    assert exported(walk) == [line.split(";") for line in RANGES.strip().split("\n")]
    walk.upload(walk.post("export_import").content, "again.xlsx", kind="pay_ranges")
    assert walk.rehearse() == {"unchanged": 3}
    assert Event.objects.filter(verb="exported_import").count() == 2


def test_a_pay_range_that_has_changed_since_goes_out_as_it_is_now(walk: Walk) -> None:
    walk.bring(RANGES.encode(), kind="pay_ranges")
    walk.apply()
    PayRange.objects.filter(job_title="=Engineer").update(maximum=Decimal("80000.25"))
    rows = exported(walk)
    assert rows[1] == [
        "=Engineer",
        "G5",
        "a",
        "50.000,00",
        "62.000,00",
        f"80000,25 {rows[1][5][-3:]}",
    ]
    assert rows[2:] == [line.split(";") for line in RANGES.strip().split("\n")][2:]
    walk.upload(walk.post("export_import").content, "again.xlsx", kind="pay_ranges")
    assert walk.rehearse() == {"unchanged": 3}


@pytest.mark.parametrize(("kind", "content"), [("people", FILE), ("pay_ranges", RANGES)])
def test_only_what_has_been_imported_is_given_back(kind: str, content: str, walk: Walk) -> None:
    walk.bring(content.encode(), kind=kind)
    assert walk.post("export_import").status_code == 409
