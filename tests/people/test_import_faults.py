"""What can be wrong with a file, a line or the moment: said clearly, and nothing is half done."""

from __future__ import annotations

import io
import threading
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pmcycle.access import today
from pmcycle.activity.models import Event, Job
from pmcycle.errors import Refused
from pmcycle.people import tasks
from pmcycle.people.actions import importing, records
from pmcycle.people.actions.import_sql import WRITE_PEOPLE
from pmcycle.people.models import Employee, Import, ImportLine, ReportingLine, Settlement
from tests.conftest import SignedIn, World
from tests.people.importing import Walk

HEAD = "Number,Name,Hired on,Left on,Status,Manager,Pay,E-mail\n"


@pytest.fixture
def walk(world: World, as_: SignedIn) -> Walk:
    return Walk(as_(world.kim))


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in members.items():
            pack.writestr(name.replace("__", "/") + ".xml", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("people.csv", b"", "empty"),
        ("people.csv", b"  \r\n \r\n", "empty"),
        ("people.csv", HEAD.encode(), "no lines below"),
        ("people.csv", b"%PDF-1.7 something", "PDF"),
        ("people.xlsx", zipped(letter=b"hello"), "zip archive"),
        ("people.xlsx", b"PK\x03\x04 broken", "damaged"),
        ("people.xlsx", zipped(xl__workbook=b"<nonsense"), "damaged"),
        ("people.xlsx", b"Number,Name\n1,Ann", "not an Excel workbook"),
        ("people.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "old kind"),
        ("people.csv", b"Number,Name\n1,An\x00n\n", "zero bytes"),
        ("people.csv", b"\xff\xfe\x00", "not written as"),
        (
            "people.csv",
            b"1001,Ann Ash,2020-01-01\n1002,Bob Bay,2020-01-01\n",
            "looks like a person",
        ),
        ("people.csv", b'Number,Name\n1,"' + b"a" * 3_000_000 + b"\n", "quotation mark"),
        (
            "people.csv",
            b"Number,Name,Hired on\n" + b"1,A,2020-01-01\n" * 1_000_000,
            "more than 200,000 lines",
        ),
        ("people.csv", b"x" * (41 * 1024 * 1024), "larger than 40 MB"),
        ("people.csv", b"a,b\n" + b"," * 900 + b"x\n", "too many columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused_beside_its_field(
    name: str, content: bytes, said: str, walk: Walk
) -> None:
    response = walk.upload(content, name)
    assert response.status_code == 422
    assert said in " ".join(response.context["form"].errors["file"])  # type: ignore[attr-defined]
    assert not Import.objects.exists()


def test_a_zip_bomb_is_not_unpacked(walk: Walk) -> None:
    bomb = zipped(xl__workbook=b"0" * (401 * 1024 * 1024))
    assert len(bomb) < 1_000_000
    response = walk.upload(bomb, "people.xlsx")
    assert "unpacks to more" in " ".join(response.context["form"].errors["file"])  # type: ignore[attr-defined]


def test_columns_that_the_import_cannot_do_without_are_asked_for(walk: Walk) -> None:
    walk.upload(b"Shoe size,Colour\n42,blue\n")
    response = walk.post("map_columns", **walk.shown())
    assert response.status_code == 422
    errors = response.context["form"].errors  # type: ignore[attr-defined]
    assert {"field-number", "field-name", "field-hired_on"} <= errors.keys()
    twice = walk.post("map_columns", **walk.shown(**{"field-number": "0", "field-name": "0"}))
    assert "taken by another" in str(twice.context["form"].errors["field-name"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (',"Stone, Rita",2020-01-01,,,,,', "number is missing"),
        ("1,,2020-01-01,,,,,", "name is missing"),
        ("1,NULL,2020-01-01,,,,,", "name is missing"),
        ("1,Rita Stone,,,,,,", "day of hire is missing"),
        ("1,Rita Stone,#N/A,,,,,", "day of hire is missing"),
        ("1,Rita Stone,2020-01-01,2021-01-01,left,Rita Stone,,", "reports to themselves"),
        ("1,Rita Stone,2020-01-01,2019-12-31,left,,,", "left before they were hired"),
        ("1,Rita Stone,2020-01-01,,left,,,", "no day on which"),
        ("1,Rita Stone,2020-01-01,2021-01-01,active,,,", "does not say that this person left"),
        ("1,Rita Stone,2020-01-01,,,Rita Stone,,", "reports to themselves"),
        (f"{'9' * 60},Rita Stone,2020-01-01,,,,,", "longer than 40"),
        (f"1,{'R' * 300},2020-01-01,,,,,", "longer than 190"),
    ],
)
def test_a_wrong_line_is_refused_with_its_reason_and_nothing_is_applied(
    line: str, said: str, walk: Walk
) -> None:
    before = Employee.objects.count()
    counts = walk.bring(
        f"{HEAD}{line}\n2,Otto Good,2020-01-01,,active,,50000,otto@example.com\n".encode()
    )
    assert counts == {"refused": 1, "created": 1}
    assert said in " ".join(walk.line(2).messages)
    assert walk.apply().status_code == 409
    assert Employee.objects.count() == before
    # Left out by hand, it is passed over, and the rest goes in.
    walk.post("leave_out_refused", version=walk.run.version)
    walk.apply()
    assert walk.run.counts == {"passed": 1, "created": 1}
    assert Employee.objects.count() == before + 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,Rita Stone,2016-02-30,,,,,", "does not exist"),
        ("1,Rita Stone,soon,,,,,", "not a date"),
        ("1,Rita Stone,1066-10-14,,,,,", "too far away"),
        ("1,Rita Stone,2066-10-14,,,,,", "years ahead"),
        ("1,Rita Stone,2020-01-01,Resign,,,,", "not a date"),
        ("1,Rita Stone,2020-01-01,,,,much,", "not a number"),
        ("1,Rita Stone,2020-01-01,,,,G2,", "text beside its number"),
        ("1,Rita Stone,2020-01-01,,,,65k,", "text beside its number"),
        ("1,Rita Stone,2020-01-01,,,,-5,", "above zero"),
        ("1,Rita Stone,2020-01-01,,,,99999999999999,", "too large"),
        ("1,Rita Stone,2020-01-01,,,,,rita@", "not an e-mail"),
        ("1,Rita Stone,2020-01-01,,,,,ana.popescu@example.com", "belongs to Ana Popescu"),
        ("1.2E+16,Rita Stone,2020-01-01,,,,,", "cut short"),
    ],
)
def test_a_cell_in_doubt_is_asked_about_and_nothing_is_applied(
    line: str, said: str, walk: Walk
) -> None:
    before = Employee.objects.count()
    counts = walk.bring(
        f"{HEAD}{line}\n2,Otto Good,2020-01-01,,active,,50000,otto@example.com\n".encode()
    )
    assert counts == {"ambiguous": 1, "created": 1}
    assert said in " ".join(walk.line(2).messages)
    assert said in walk.client.get(walk.url("rehearsal")).content.decode()
    assert walk.apply().status_code == 409
    assert Employee.objects.count() == before


def test_a_circle_of_managers_is_refused_on_every_line_of_it(walk: Walk) -> None:
    lines = [
        "1,Ann Ash,2020-01-01,,,Cid Cox,,",
        "2,Bob Bay,2020-01-01,,,Ann Ash,,",
        "3,Cid Cox,2020-01-01,,,Bob Bay,,",
    ]
    counts = walk.bring((HEAD + "\n".join([*lines, "4,Dan Day,2020-01-01,,,Ann Ash,,"])).encode())
    assert counts == {"refused": 3, "created": 1}
    assert "circle" in walk.line(2).messages[0]


def test_a_circle_that_closes_only_with_those_who_are_here_already_is_refused(
    walk: Walk, world: World
) -> None:
    dora, ana = world.dora.employee, world.ana.employee
    assert dora is not None
    assert ana is not None
    content = f"{HEAD}{dora.number},Dora Kiss,{dora.hired_on},,,{ana.number},,\n"
    assert walk.bring(content.encode()) == {"refused": 1}


def test_a_manager_whom_nobody_or_several_are_called_is_settled_once_for_all_lines(
    walk: Walk,
) -> None:
    content = HEAD + "\n".join(
        [
            "1,Ann B Ash,2020-01-01,,,,,",
            "2,Ann C Ash,2020-01-01,,,,,",
            "3,Dan Day,2020-01-01,,,Ann Ash,,",
            "4,Eve Elm,2020-01-01,,,Ann Ash,,",
            "5,Flo Fir,2020-01-01,,,Dann Daye,,",
            "6,Gus Gum,2020-01-01,,,Ann C. Ash,,",
        ]
    )
    assert walk.bring(content.encode()) == {"created": 3, "ambiguous": 3}
    page = walk.client.get(walk.url("rehearsal"))
    cards = {c["doubt"]["said"]: c for c in page.context["doubts"]}
    assert cards["Ann Ash"]["uses"] == 2
    assert [p["name"] for p in cards["Ann Ash"]["doubt"]["people"]] == ["Ann B Ash", "Ann C Ash"]
    assert cards["Dann Daye"]["doubt"]["people"][0]["name"] == "Dan Day"
    walk.settle(act="manager", key="ann ash", number="2")
    walk.settle(act="manager", key=cards["Dann Daye"]["doubt"]["key"], other="3")
    walk.apply()
    lines = dict(
        ReportingLine.objects.filter(employee__number__in="3456").values_list(
            "employee__number", "manager__number"
        )
    )
    assert lines == {"3": "2", "4": "2", "5": "3", "6": "2"}
    # The decisions are remembered.
    assert walk.bring(content.encode()) == {"unchanged": 6}


def test_a_manager_who_is_nobody_stands_for_the_top(walk: Walk) -> None:
    walk.bring(f"{HEAD}1,Ann Ash,2020-01-01,,,The Owners,,\n".encode())
    assert walk.run.counts == {"ambiguous": 1}
    walk.settle(act="top", key="owners the")
    walk.apply()
    assert not ReportingLine.objects.filter(employee__number="1").exists()


def test_a_number_that_belongs_to_somebody_else_is_asked_about(walk: Walk, world: World) -> None:
    ana = world.ana.employee
    assert ana is not None
    content = f"{HEAD}{ana.number},Zoe Quill,{ana.hired_on},,,,,\n".encode()
    assert walk.bring(content) == {"ambiguous": 1}
    walk.settle(act="same", line=2)
    assert walk.run.counts == {"changed": 1}
    walk.settle(act="undo", line=2)
    assert walk.run.counts == {"ambiguous": 1}
    walk.settle(act="skip", line=2)
    assert walk.run.counts == {"passed": 1}


@pytest.mark.parametrize(
    "decision",
    [
        {},
        {"act": "fly"},
        {"act": "number", "line": 2},
        {"act": "skip"},
        {"act": "manager", "key": "x"},
        {"act": "number", "line": 2, "number": "a\x00b"},
        {"act": "skip", "line": 10**12},
    ],
)
def test_a_decision_that_says_nothing_is_refused(decision: dict[str, Any], walk: Walk) -> None:
    walk.bring(f"{HEAD}1,Ann Ash,2020-01-01,,,Nobody Known,,\n".encode())
    assert walk.settle(**decision).status_code == 422


def test_two_tabs_do_not_settle_over_each_other(walk: Walk) -> None:
    walk.bring(f"{HEAD}1,Ann Ash,2020-01-01,,,Nobody Known,,\n".encode())
    old = walk.run.version
    walk.settle(act="skip", line=2)
    assert walk.post("settle", version=old, act="undo", line=2).status_code == 409
    assert walk.post("apply_import", version=old).status_code == 409
    assert walk.post("apply_import").status_code == 409


def test_corrected_columns_are_remembered_for_the_next_file_of_the_same_header(walk: Walk) -> None:
    content = b"No.,Worker name,Alias,Began\n1,Ann Ash,Boss,2020-01-01\n"
    walk.upload(content)
    walk.rehearse(
        **{"field-number": "0", "field-name": "1", "field-job_title": "2", "field-hired_on": "3"}
    )
    walk.upload(content.replace(b"Ash", b"Oak"))
    assert walk.run.mapping == {"number": 0, "name": 1, "job_title": 2, "hired_on": 3}


def test_people_changed_after_the_rehearsal_are_not_written_over(walk: Walk, world: World) -> None:
    ana = world.ana.employee
    assert ana is not None
    content = f"{HEAD}{ana.number},Ana Maria Popescu,{ana.hired_on},,,,,\n".encode()
    assert walk.bring(content) == {"changed": 1}
    records.edit_employee(
        ana, {"name": "Ana Lopez", "sort_name": "Lopez, Ana"}, by=world.lea, version=None
    )
    walk.apply()
    ana.refresh_from_db()
    assert ana.name == "Ana Lopez"
    assert walk.run.state == "checked"
    assert walk.line(2).changes["name"] == ["Ana Lopez", "Ana Maria Popescu"]
    assert "changed after this rehearsal" in walk.client.get(walk.url("rehearsal")).content.decode()
    walk.apply()
    ana.refresh_from_db()
    assert ana.name == "Ana Maria Popescu"


def test_an_applied_import_is_not_changed_or_applied_again(walk: Walk) -> None:
    walk.bring(f"{HEAD}1,Ann Ash,2020-01-01,,,,,\n".encode())
    walk.apply()
    for verb in ("rehearse", "leave_out_refused", "apply_import"):
        assert walk.post(verb, version=walk.run.version).status_code == 409
    assert walk.settle(act="skip", line=2).status_code == 409
    assert walk.client.get(walk.url("map_columns")).status_code == 302


def test_each_person_written_has_a_line_in_the_trail(walk: Walk) -> None:
    walk.bring(f"{HEAD}1,Ann Ash,2020-01-01,,,,,\n".encode())
    walk.apply()
    event = Event.objects.get(verb="imported_person")
    assert event.about is not None
    assert event.about.number == "1"
    assert Event.objects.filter(verb="applied_import").count() == 1


def big_file(number: int) -> bytes:
    lines = [
        f"{n},Person{n} Name{n},2020-01-01,,,{'' if n == 1 else max(1, n // 10)},50000,p{n}@example.com"
        for n in range(1, number)
    ]
    return (HEAD + "\n".join(lines)).encode()


def test_applying_costs_the_same_statements_for_ten_lines_and_for_a_thousand(
    walk: Walk, world: World
) -> None:
    counts = []
    for number in (10, 1_000):
        assert walk.bring(big_file(number)).keys() <= {"created", "unchanged"}
        walk.post("apply_import", version=walk.run.version)
        with CaptureQueriesContext(connection) as seen:
            importing.apply_import(walk.run, by=world.kim)
        counts.append(len(seen))
        tasks.apply_imports()  # what is open follows, in parts whose number grows with the company
    assert Employee.objects.filter(email__startswith="p").count() >= 999
    assert counts[0] == counts[1]
    assert counts[0] <= 60


def test_an_open_leave_a_dated_leave_and_a_leaver_meet_in_one_file(
    walk: Walk, world: World
) -> None:
    chen = world.chen.employee
    assert chen is not None
    records.add_absence(chen, "parental", True, today(), today() + timedelta(days=90), by=world.kim)
    content = f"{HEAD}{chen.number},Chen Wei,{chen.hired_on},,active,Bashir Nouri,,\n".encode()
    assert walk.bring(content) == {
        "unchanged": 1
    }  # HR's own dates are not ended by the word "active"


@pytest.mark.django_db(transaction=True)
def test_two_people_who_apply_at_once_apply_once(world: World, as_: SignedIn) -> None:
    walk = Walk(as_(world.kim))
    walk.bring(big_file(60))
    barrier = threading.Barrier(2)
    ended: list[str] = []

    def apply(by: Any) -> None:
        barrier.wait()
        try:
            importing.apply_import(walk.run, by=by)
            ended.append("applied")
        except Refused:
            ended.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=apply, args=(by,)) for by in (world.kim, world.lea)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["applied", "refused"]
    assert Employee.objects.filter(email__startswith="p").count() == 59


def test_pressing_the_button_twice_is_one_job(walk: Walk, world: World, as_: SignedIn) -> None:
    walk.bring(big_file(3))
    first = walk.post("apply_import", version=walk.run.version)
    second = as_(world.lea).post(walk.url("apply_import"), {"version": walk.run.version})
    assert first.headers["Location"] == second.headers["Location"]
    assert Job.objects.count() == 1


def test_lines_left_out_are_left_out_again_only_as_long_as_they_say_the_same(walk: Walk) -> None:
    content = f"{HEAD}1,Ann Ash,2020-02-31,,,,,\n2,Bob Bay,2020-01-01,,,,,\n"
    walk.bring(content.encode())
    walk.settle(act="skip", line=2)
    walk.apply()
    assert Settlement.objects.count() == 1
    assert walk.bring(content.encode()) == {"passed": 1, "unchanged": 1}
    assert walk.bring(content.replace("02-31", "02-28").encode()) == {"created": 1, "unchanged": 1}


def test_a_database_error_changes_nothing_and_is_said(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk.bring(big_file(4))
    before = Employee.objects.count()
    monkeypatch.setattr(
        importing, "WRITE_PEOPLE", (*WRITE_PEOPLE, "INSERT INTO people_organisation SELECT 2")
    )
    walk.apply()
    assert walk.run.state == "checked"
    assert Employee.objects.count() == before
    assert Job.objects.get().state == "failed"
    assert "nothing was changed" in Job.objects.get().message


def test_the_list_of_lines_is_filtered_searched_and_paged(walk: Walk) -> None:
    walk.bring(big_file(120))
    here = walk.url("rehearsal")
    assert len(walk.client.get(here).context["page"]) == 50
    assert [line.key for line in walk.client.get(f"{here}?q=Person117").context["page"]] == ["117"]
    assert walk.client.get(f"{here}?fate=refused").context["page"].paginator.count == 0
    assert walk.client.get(f"{here}?fate=%00&q=%00&page=x").status_code == 200
    assert ImportLine.objects.filter(run=walk.run).count() == 119
