"""A whole company from its HR system's export, as it is: our own export, and a real one where it lies beside us."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
import xlsxwriter
from django.db import connection
from django.db.models import Count, Q

from pmcycle.access import today
from pmcycle.people.models import (
    Absence,
    Employee,
    ImportLine,
    Organisation,
    PayRange,
    ReportingLine,
    Salary,
    Unit,
    User,
)
from tests.company_files import OUR_OWN, CompanyFiles, all_files
from tests.conftest import SignedIn
from tests.factories import people
from tests.people.importing import Walk

TABLES = (
    "employee",
    "reportingline",
    "salary",
    "absence",
    "unit",
    "privateprofile",
    "payrange",
    "user",
    "rolegrant",
)


@pytest.fixture
def kim(db: None) -> User:
    """The HR admin of a company in which nobody is yet."""
    Organisation.objects.create(pk=1, name="Harbour Tools", zone="UTC", currency="USD")
    user = people.make_user(email="kim@example.com", name="Kim Larsen")
    people.grant(user, "hr_admin")
    return user


@pytest.fixture
def walk(kim: User, as_: SignedIn) -> Walk:
    return Walk(as_(kim))


def bring_in(walk: Walk, files: CompanyFiles) -> None:
    walk.bring(files.people.read_bytes(), email_source="build", email_domain="example.com")
    second = ImportLine.objects.filter(run=walk.run, fate="ambiguous").order_by("number").last()
    assert second is not None
    walk.settle(act="number", line=second.number, number=f"{second.key}-2")
    walk.apply()
    assert walk.run.state == "applied"


def fingerprint() -> dict[str, tuple[int, int]]:
    """Every row's last writing transaction: unchanged means that not one row was written."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"SELECT count(*), coalesce(sum(xmin::text::bigint), 0) FROM people_{table}"
            )
            found[table] = cursor.fetchone()
    return found


@pytest.mark.parametrize("files", all_files())
def test_the_export_as_it_is_becomes_the_company(files: CompanyFiles, walk: Walk) -> None:
    counts = walk.bring(files.people.read_bytes(), email_source="build", email_domain="example.com")
    expected = {
        "created": files.created - files.doubtful,
        "ambiguous": files.doubtful,
        "passed": files.passed,
    }
    assert counts == {fate: n for fate, n in expected.items() if n}
    assert not Employee.objects.exists()  # a rehearsal changes nothing
    page = walk.client.get(walk.url("rehearsal")).content.decode()
    assert "Give this person another number" in page

    # One number on two people: one of them gets another, and both are right.
    second = ImportLine.objects.filter(run=walk.run, fate="ambiguous").order_by("number").last()
    assert second is not None
    assert walk.post("apply_import", version=walk.run.version).status_code == 409
    walk.settle(act="number", line=second.number, number=f"{second.key}-2")
    assert walk.run.counts["created"] == files.created
    walk.apply()

    assert Employee.objects.count() == files.created
    left = Employee.objects.filter(left_on__isnull=False)
    assert left.count() == files.leavers
    assert (
        not ReportingLine.objects.filter(employee__in=left).exclude(ends_on__isnull=False).exists()
    )
    assert Absence.objects.filter(ends_on__isnull=True).count() == files.leaves
    here = Employee.objects.here()
    assert Employee.objects.at_the_top().count() == files.tops
    lines = Count("reporting_lines", filter=Q(reporting_lines__ends_on__isnull=True))
    assert set(here.annotate(n=lines).values_list("n", flat=True)) == {0, 1}
    for number, manager in files.manager_of.items():
        assert ReportingLine.objects.get(employee__number=number).manager.number == manager
    root = Unit.objects.get(parent__isnull=True)
    assert Unit.objects.filter(parent=root).count() == files.units
    assert not Unit.objects.filter(Q(name__endswith=" ") | Q(path="")).exists()
    assert not Employee.objects.filter(
        Q(name__contains="  ") | Q(name__contains=",") | Q(unit=None)
    ).exists()
    # Pay by the hour counts as 2 080 hours a year.
    salary = Salary.objects.order_by("pk").first()
    assert salary is not None
    assert salary.annual == salary.amount * 2080
    assert here.filter(email="").count() == 0
    assert here.values("email").distinct().count() == here.count()


@pytest.mark.parametrize("files", all_files())
def test_the_same_file_again_asks_nothing_and_writes_not_one_row(
    files: CompanyFiles, walk: Walk
) -> None:
    bring_in(walk, files)
    before = fingerprint()

    counts = walk.bring(files.people.read_bytes())
    assert counts == {
        k: v for k, v in {"unchanged": files.created, "passed": files.passed}.items() if v
    }
    walk.apply()

    assert walk.run.state == "applied"
    assert fingerprint() == before


@pytest.mark.parametrize("files", all_files())
def test_pay_ranges_under_two_header_rows_are_read_and_shown(
    files: CompanyFiles, walk: Walk
) -> None:
    walk.bring(files.ranges.read_bytes(), kind="pay_ranges")
    assert walk.run.counts["created"] == files.pay_ranges
    walk.apply()
    assert PayRange.objects.count() == files.pay_ranges
    technician = PayRange.objects.get(job_title="Production Technician I")
    assert (technician.minimum, technician.midpoint, technician.maximum) == tuple(
        map(Decimal, (30000, 40000, 50000))
    )
    again = walk.bring(files.ranges.read_bytes(), kind="pay_ranges")
    assert again["unchanged"] == files.pay_ranges
    assert "created" not in again


def as_xlsx(rows: list[list[str]]) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(number, column, float(cell) if cell.replace(".", "", 1).isdigit() else cell)
    book.close()
    return stream.getvalue()


def as_csv(rows: list[list[str]], delimiter: str, encoding: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


@pytest.mark.parametrize("files", all_files())
@pytest.mark.parametrize("form", ["xlsx", "; cp1252", "\t utf-16", "| utf-8"])
def test_the_same_lines_in_another_form_are_the_same_people(
    form: str, files: CompanyFiles, walk: Walk
) -> None:
    bring_in(walk, files)
    rows = list(csv.reader(io.StringIO(files.people.read_text(encoding="utf-8-sig"), newline="")))
    content = as_xlsx(rows) if form == "xlsx" else as_csv(rows, form[0], form[2:])
    response = walk.upload(content, "people.xlsx" if form == "xlsx" else "people.csv")
    assert response.status_code == 302
    if walk.in_doubt():  # a few accents may be those of Spanish or of Polish names
        walk.reread(encoding=form[2:])
    counts = walk.rehearse()
    assert counts.get("unchanged") == files.created, list(
        ImportLine.objects.filter(run=walk.run)
        .exclude(fate="unchanged")
        .values_list("messages", "changes")[:3]
    )


def changed_file(**cells: dict[str, str]) -> bytes:
    """Our own export with some cells of some employees changed, by number and header."""
    rows = list(csv.reader(io.StringIO(OUR_OWN.people.read_text(encoding="utf-8-sig"), newline="")))
    header = rows[0]
    for row in rows[1:]:
        for name, value in cells.get(f"n{row[1]}" if len(row) > 1 else "", {}).items():
            row[header.index(name)] = value
    return as_csv(rows, ",", "utf-8")


def test_a_later_file_changes_what_it_says_and_keeps_what_was(walk: Walk) -> None:
    bring_in(walk, OUR_OWN)
    day = today()
    counts = walk.bring(
        changed_file(
            n7004={"Pay Rate": "24", "Position": "Accountant II"},
            n7005={"Employment Status": "Active"},
            n7009={"Manager Name": "Chidi Abara", "Department": "Assembly"},
            n7010={"Employment Status": "Leave of Absence"},
            n7013={
                "Date of Termination": day.strftime("%m/%d/%Y"),
                "Employment Status": "Voluntarily Terminated",
            },
            n7014={"Date of Termination": "", "Employment Status": "Active"},
        )
    )
    assert counts == {"changed": 6, "unchanged": 14, "passed": 2}
    assert walk.line(5).changes["job_title"] == ["Accountant I", "Accountant II"]
    walk.apply()

    lind = Employee.objects.get(number="7004")
    assert [(s.annual, s.effective_from) for s in lind.salaries.order_by("effective_from")] == [
        (Decimal("47840.00"), lind.hired_on),
        (Decimal("49920.00"), day),
    ]
    assert lind.version == 2
    assert (
        Absence.objects.get(employee__number="7005").ends_on == day
    )  # it had begun today, with the first file
    tran = Employee.objects.get(number="7009")
    assert tran.unit is not None
    assert tran.unit.path == f"{tran.unit.parent.path}{tran.unit_id}/"  # type: ignore[union-attr]
    old, new = tran.reporting_lines.order_by("starts_on")
    assert (old.manager.number, old.ends_on) == ("7007", day - timedelta(days=1))
    assert (new.manager.number, new.starts_on, new.ends_on) == ("7008", day, None)
    assert Absence.objects.get(employee__number="7010").ends_on is None
    assert Employee.objects.get(number="7013").reporting_lines.get().ends_on == day
    back = Employee.objects.get(number="7014")
    assert back.left_on is None
    assert [line.ends_on for line in back.reporting_lines.order_by("starts_on")] == [
        day.replace(2015, 8, 7),
        None,
    ]
    assert Employee.objects.count() == OUR_OWN.created
