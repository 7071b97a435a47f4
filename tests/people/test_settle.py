"""Every question of an import is answered where it is asked: once for a word, or at once for all of its kind."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pmcycle.people.actions import importing
from pmcycle.people.actions.import_sql import WRITE_PEOPLE, WRITE_RANGES
from pmcycle.people.models import (
    Employee,
    FormerPeriod,
    PrivateProfile,
    ReportingLine,
    Salary,
    Settlement,
)
from tests.conftest import SignedIn, World
from tests.people.importing import Walk

HEAD = "Number,Name,Hired on,Left on,Status,Manager,Pay,E-mail,Born on\n"


@pytest.fixture
def walk(world: World, as_: SignedIn) -> Walk:
    return Walk(as_(world.kim))


def bring(walk: Walk, *lines: str, **answers: Any) -> dict[str, int]:
    answers.setdefault("no_manager", "top")
    return walk.bring((HEAD + "\n".join(lines)).encode(), **answers)


def doubts(walk: Walk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = walk.client.get(walk.url("rehearsal")).context["doubts"]
    return found


def groups(walk: Walk) -> dict[tuple[str, str], int]:
    shown = walk.client.get(walk.url("rehearsal")).context["groups"]
    return {(g["kind"], g["field"]): g["cards"] for g in shown}


FINE = "9002,Otto Good,2020-01-01,,,,50000,otto@example.com,1980-01-01"


@pytest.mark.parametrize(
    ("cell", "readings", "answer", "annual"),
    [
        ("65k", ["65000"], {"act": "read", "other": "65000"}, "65000.00"),
        ("G2", [], {"act": "read", "other": "31500.75"}, "31500.75"),
        ("61000 base", [], {"act": "read", "other": "61000 EUR"}, "61000.00"),
        ("G2", [], {"act": "leave"}, None),
    ],
)
def test_pay_with_text_beside_it_is_asked_and_answered(
    cell: str, readings: list[str], answer: dict[str, str], annual: str | None, walk: Walk
) -> None:
    assert bring(walk, f"9001,Ann Ash,2020-01-01,,,,{cell},,", FINE) == {
        "ambiguous": 1,
        "created": 1,
    }
    (card,) = doubts(walk)
    assert [r["value"] for r in card["readings"]] == readings
    walk.settle(field="pay", key=cell, **answer)
    assert walk.run.counts == {"created": 2}
    walk.apply()
    found = Salary.objects.filter(employee__number="9001").first()
    assert (str(found.annual) if found else None) == annual
    # The same file asks nothing again.
    assert bring(walk, f"9001,Ann Ash,2020-01-01,,,,{cell},,", FINE) == {"unchanged": 2}, walk.line(
        2
    ).messages


SEX = "Number,Name,Hired on,Gender\n"


def sexes() -> dict[str, str]:
    rows = PrivateProfile.objects.filter(employee__number__startswith="90")
    return dict(rows.values_list("employee__number", "sex"))


@pytest.mark.parametrize(
    ("one", "other"), [("1", "2"), ("1", "0"), ("K", "M"), ("V", "M"), ("N", "F")]
)
def test_a_code_for_a_sex_is_asked_once_for_each_word(one: str, other: str, walk: Walk) -> None:
    """However many lines say it; it comes in as what it was said to mean, and the same file asks nothing again."""
    codes = [one, other, one, one, other]
    file = SEX + "\n".join(f"900{n},Ann{n} Ash,2020-01-01,{code}" for n, code in enumerate(codes))
    assert walk.bring(file.encode(), no_manager="top") == {"ambiguous": 5}
    cards = {card["doubt"]["said"]: card for card in doubts(walk)}
    assert {said: card["uses"] for said, card in cards.items()} == {one: 3, other: 2}
    assert [r["value"] for r in cards[one]["readings"]] == ["female", "male", "diverse"]
    walk.settle(act="read", field="sex", key=one, other="female")
    walk.settle(act="read", field="sex", key=other, other="male")
    assert walk.run.counts == {"created": 5}
    walk.apply()
    assert sexes() == {
        f"900{n}": "female" if code == one else "male" for n, code in enumerate(codes)
    }
    assert walk.bring(file.encode(), no_manager="top") == {"unchanged": 5}


def test_a_code_for_a_sex_is_answered_by_no_other_code_and_can_be_left_out(walk: Walk) -> None:
    file = SEX + "9001,Ann Ash,2020-01-01,1"
    walk.bring(file.encode(), no_manager="top")
    walk.settle(act="read", field="sex", key="1", other="2")
    assert walk.run.counts == {"ambiguous": 1}
    walk.settle(act="leave", field="sex", key="1")
    walk.apply()
    assert not any(sexes().values())


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("M F F", "male female female"),
        ("male Female MALE", "male female male"),
        ("m w d", "male female diverse"),
        ("H F H", "male female male"),
        ("H M H", "male female male"),
        ("男 女 男", "male female male"),
        ("M F X", "male female diverse"),
    ],
)
def test_the_usual_words_for_a_sex_come_in_unasked(column: str, found: str, walk: Walk) -> None:
    file = SEX + "\n".join(
        f"900{n},Ann{n} Ash,2020-01-01,{code}" for n, code in enumerate(column.split())
    )
    assert walk.bring(file.encode(), no_manager="top") == {"created": 3}
    walk.apply()
    assert sexes() == {f"900{n}": sex for n, sex in enumerate(found.split())}


def test_one_bad_cell_is_left_out_and_the_line_comes_in(walk: Walk) -> None:
    bring(walk, "9001,Ann Ash,2020-01-01,,,,50000,ann@,1980-01-01", FINE)
    walk.settle(act="leave", field="email", key="ann@")
    walk.apply()
    ann = Employee.objects.get(number="9001")
    assert (ann.email, str(ann.private.born_on)) == ("", "1980-01-01")


def test_a_day_of_hire_cannot_be_left_out_but_can_be_written(walk: Walk) -> None:
    bring(walk, "9001,Ann Ash,soon,,,,,,", FINE)
    (card,) = doubts(walk)
    assert not card["doubt"]["can_leave"]
    walk.settle(act="leave", field="hired_on", key="soon")
    walk.settle(act="read", field="hired_on", key="soon", other="2026-02-28")
    walk.apply()
    assert Employee.objects.get(number="9001").hired_on == date(2026, 2, 28)


def test_704_like_this_take_one_answer(walk: Walk) -> None:
    lines = [f"{n},Person{n} Name{n},2020-01-01,,,,,,unknown {n}" for n in range(1, 705)]
    assert bring(walk, *lines) == {"ambiguous": 704}
    assert groups(walk) == {("cell", "born_on"): 704}
    walk.settle(act="all_leave", field="born_on")
    assert walk.run.counts == {"created": 704}
    walk.apply()
    assert Settlement.objects.count() == 1
    assert bring(walk, *lines) == {"unchanged": 704}


def test_births_in_the_future_and_hires_of_children_are_doubts(walk: Walk) -> None:
    counts = bring(
        walk,
        "9001,Ann Ash,2020-01-01,,,,,,2066-01-01",
        "9003,Bob Bay,2020-01-01,,,,,,2015-01-01",
        "9004,Cid Cox,2041-01-01,,,,,,1980-01-01",
        FINE,
    )
    assert counts == {"ambiguous": 3, "created": 1}
    said = " ".join(walk.line(n).messages[0] for n in (2, 3, 4))
    assert "born in the future" in said
    assert "a child when hired" in said
    assert "years ahead" in said
    walk.settle(act="leave", field="born_on", key="2066-01-01 | 2020-01-01")
    walk.settle(act="sure", field="born_on", key="2015-01-01 | 2020-01-01")
    walk.settle(act="all_sure", field="hired_on")
    assert walk.run.counts == {"created": 4}


def test_days_that_programs_write_for_unknown_ones_are_doubts(walk: Walk) -> None:
    counts = bring(
        walk,
        "9001,Ann Ash,1900-01-01,,,,,,",
        "9003,Bob Bay,2010-01-01,,,,,,1900-01-01",
        FINE,
    )
    assert counts == {"ambiguous": 2, "created": 1}
    assert "very long ago" in walk.line(2).messages[0]
    assert "older than anybody" in walk.line(3).messages[0]
    walk.settle(act="read", field="hired_on", key="1900-01-01", other="1990-04-01")
    walk.settle(act="all_leave", field="born_on")
    assert walk.run.counts == {"created": 3}


def test_pay_far_from_that_of_the_others_is_a_doubt(walk: Walk) -> None:
    lines = [f"{n},Person{n} Name{n},2020-01-01,,,,{50000 + n},," for n in range(9001, 9007)]
    assert bring(walk, *lines, "9009,Ann Ash,2020-01-01,,,,65,,", pay_basis="year") == {
        "created": 6,
        "ambiguous": 1,
    }
    walk.settle(act="sure", field="pay", key="65")
    assert walk.line(8).values["annual"] == "65.00"


def test_an_unknown_manager_can_wait_and_is_listed_until_named(walk: Walk) -> None:
    bring(walk, "9001,Ann Ash,2020-01-01,,,Nemo Nobody,,,", FINE)
    walk.settle(act="open", key="nemo nobody")
    walk.apply()
    assert not ReportingLine.objects.filter(employee__number="9001").exists()
    assert [p.name for p in walk.client.get("/people/imports/").context["without_manager"]] == [
        "Ann Ash"
    ]
    assert bring(walk, "9001,Ann Ash,2020-01-01,,,Nemo Nobody,,,", FINE) == {"unchanged": 2}


def test_all_unknown_managers_take_one_answer(walk: Walk) -> None:
    lines = [f"{n},Person{n} Name{n},2020-01-01,,,Nemo{n} Nobody{n},,," for n in range(9001, 9005)]
    assert bring(walk, *lines) == {"ambiguous": 4}
    assert groups(walk) == {("manager", ""): 4}
    walk.settle(act="all_open")
    assert walk.run.counts == {"created": 4}


def test_waiting_for_a_manager_takes_none_away(walk: Walk, world: World) -> None:
    ana = world.ana.employee
    assert ana is not None
    bring(walk, f"{ana.number},{ana.name},{ana.hired_on},,,Nemo Nobody,,,", FINE)
    walk.settle(act="open", key="nemo nobody")
    assert walk.line(2).fate == "unchanged"


@pytest.mark.parametrize(("known", "said"), [("001", "E001"), ("E001", "1"), ("EMP-17", "17")])
def test_a_number_that_looks_like_a_known_one_is_a_doubt(known: str, said: str, walk: Walk) -> None:
    bring(walk, f"{known},Ann Ash,2020-01-01,,,,,,")
    walk.apply()
    assert bring(walk, f"{said},Ann B. Ash,2020-01-01,,,,,,") == {"ambiguous": 1}
    assert doubts(walk)[0]["doubt"]["number"] == known
    walk.settle(act="number", line=2, number=known)
    assert walk.run.counts == {"changed": 1}
    walk.settle(act="new", line=2)
    assert walk.run.counts == {"created": 1}


def test_all_numbers_that_look_alike_take_one_answer(walk: Walk) -> None:
    people = ["Ann Ash", "Bob Bay", "Cid Cox"]
    bring(walk, *(f"{n},{name},2020-01-01,,,,,," for n, name in enumerate(people, 9001)))
    walk.apply()
    assert bring(
        walk, *(f"E{n},{name},2020-01-01,,,,,," for n, name in enumerate(people, 9001))
    ) == {"ambiguous": 3}
    walk.settle(act="all_new")
    assert walk.run.counts == {"created": 3}
    assert walk.settle(act="all_skip", kind_of="alike").status_code == 302


def test_lines_with_one_kind_of_doubt_are_left_out_together(walk: Walk) -> None:
    bring(walk, "9001,Ann Ash,soon,,,,,,", "9003,Bob Bay,later,,,,,,", FINE)
    walk.settle(act="all_skip", kind_of="cell", field="hired_on")
    assert walk.run.counts == {"passed": 2, "created": 1}


def test_whoever_returns_gets_a_second_period(walk: Walk, world: World) -> None:
    bring(walk, "9001,Ann Ash,2010-03-01,2015-02-28,left,,50000,,")
    walk.apply()
    ann = Employee.objects.get(number="9001")
    counts = bring(walk, "9001,Ann Ash,2020-05-04,,Active,,60000,,")
    assert counts == {"changed": 1}
    walk.apply()
    ann.refresh_from_db()
    assert (ann.hired_on, ann.left_on) == (date(2020, 5, 4), None)
    period = FormerPeriod.objects.get(employee=ann)
    assert (period.hired_on, period.left_on) == (date(2010, 3, 1), date(2015, 2, 28))
    assert bring(walk, "9001,Ann Ash,2020-05-04,,Active,,60000,,") == {"unchanged": 1}
    profile = walk.client.get(f"/people/{ann.pk}/").content.decode()
    assert "Worked here before" in profile


def test_two_lines_of_one_number_can_be_two_periods_of_one_person(walk: Walk) -> None:
    lines = ["9001,Ann Ash,2010-03-01,2015-02-28,Left,,,,", "9001,Ann Ash,2020-05-04,,Active,,,,"]
    assert bring(walk, *lines) == {"ambiguous": 2}
    walk.settle(act="period", line=2)
    assert walk.run.counts == {"passed": 1, "created": 1}
    walk.apply()
    ann = Employee.objects.get(number="9001")
    assert (ann.hired_on, ann.left_on) == (date(2020, 5, 4), None)
    assert [(p.hired_on, p.left_on) for p in ann.former_periods.all()] == [
        (date(2010, 3, 1), date(2015, 2, 28))
    ]
    assert bring(walk, *lines) == {"passed": 1, "unchanged": 1}


@pytest.mark.parametrize("left", ["", "2021-01-01"])
def test_nobody_manages_themselves_not_even_who_has_left(left: str, walk: Walk) -> None:
    status = "Left" if left else "Active"
    assert bring(walk, f"9001,Ann Ash,2020-01-01,{left},{status},9001,,,", FINE) == {
        "refused": 1,
        "created": 1,
    }
    assert "Nobody reports to themselves." in walk.line(2).messages
    walk.settle(act="skip", line=2)
    walk.apply()
    assert walk.run.state == "applied"


def test_what_only_the_database_refuses_is_said_at_the_rehearsal_with_its_line(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking = "UPDATE people_employee SET fte = 3 FROM l WHERE l.key = '9003' AND number = l.key"
    monkeypatch.setattr(importing, "WRITE_PEOPLE", (*WRITE_PEOPLE, breaking))
    counts = bring(walk, FINE, "9003,Ann Ash,2020-01-01,,,,,,", "9004,Bob Bay,2020-01-01,,,,,,")
    assert counts == {"created": 2, "refused": 1}
    assert "employee_fte_sensible" in walk.line(3).messages[0]
    assert not Employee.objects.filter(number__startswith="900").exists()


def test_what_the_database_refuses_of_pay_ranges_is_said_at_the_rehearsal_with_its_line(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking = WRITE_RANGES.replace(
        "(v->>'maximum')::numeric", "CASE v->>'grade' WHEN 'G2' THEN 1 ELSE 3e5 END"
    )
    monkeypatch.setattr(importing, "WRITE_RANGES", breaking)
    content = "Grade,Min,Max\nG1,10000,20000\nG2,10000,20000\nG3,10000,20000\n"
    assert walk.bring(content.encode(), kind="pay_ranges") == {"created": 2, "refused": 1}
    assert walk.line(3).messages == ["A pay range runs from minimum over midpoint to maximum."]


def test_placeholders_are_neither_people_nor_days(walk: Walk) -> None:
    counts = bring(
        walk,
        "9001,Ann Ash,2020-01-01,NULL,-,#N/A,-,N/A,null",
        "9003,Bob Null,2020-01-01,,,,,,",
        "NULL,#N/A,-,,,,,,",
    )
    assert counts == {"created": 2, "passed": 1}
    said = walk.line(2).values
    assert (
        said["left_on"],
        said["manager_number"],
        said["amount"],
        said["email"],
        said["born_on"],
    ) == ("",) * 5
    assert "status" not in said
    assert walk.line(3).values["name"] == "Bob Null"


def test_half_of_a_name_may_be_null_but_nobody_is_called_so_in_capitals(walk: Walk) -> None:
    rows = ["9001,NULL,Sukarno", "9002,Jennifer,Null", "9003,NULL,NULL"]
    head = "Number,First name,Last name,Hired on"
    counts = walk.bring("\n".join([head, *(f"{row},2020-01-01" for row in rows)]).encode())
    assert counts == {"created": 2, "refused": 1}
    assert [walk.line(n).values["name"] for n in (2, 3)] == ["Sukarno", "Jennifer Null"]


def test_a_line_that_is_refused_can_be_left_out_where_it_stands(walk: Walk) -> None:
    bring(walk, "9001,Ann Ash,,,,,,,", FINE)
    assert 'value="skip"' in walk.client.get(walk.url("rehearsal")).content.decode()
