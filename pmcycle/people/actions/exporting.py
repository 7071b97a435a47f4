"""An import given back: the same columns and lines as the file, with what the company holds now."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import chain, islice
from typing import Any

import xlsxwriter
from django.db import transaction

from pmcycle.access import today
from pmcycle.activity.actions import record
from pmcycle.people.actions.importing import BATCH, data_lines, range_key, records_of
from pmcycle.people.models import Import, ImportLine, PayRange, User
from pmcycle.people.rules import columns, lines
from pmcycle.people.rules.names import parse_name

SIMPLE = (
    "email",
    "job_title",
    "job_family",
    "grade",
    "unit",
    "location",
    "hired_on",
    "left_on",
    "leave_reason",
    "sex",
    "born_on",
)


def export_import(run: Import, *, by: User) -> bytes:
    """A workbook with the header and the lines of a file of people or pay ranges.

    A cell whose value is still what the file said keeps its own text; what has changed since is written
    plainly: days as ISO, a manager as their number. Every cell is text, so that leading zeros and long
    numbers stay, nothing is added to a number, and no spreadsheet runs what begins like a formula.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet()
    rows = 0
    now = lines_as_now(run) if run.kind == Import.Kind.PEOPLE else ranges_as_now(run)
    for rows, cells in enumerate(chain([run.header], now)):
        for column, text in enumerate(cells):
            if text:
                sheet.write_string(rows, column, text)
    book.close()
    with transaction.atomic():
        record("exported_import", run, by=by, lines=rows)
    return out.getvalue()


def lines_as_now(run: Import) -> Iterator[list[str]]:
    """The lines of a file of people as they would have to read today, in the order of the file."""
    rows = data_lines(run)
    while batch := list(islice(rows, BATCH)):
        numbers = [number for number, _cells in batch]
        judged = {
            line.number: line
            for line in ImportLine.objects.filter(run=run, number__in=numbers).exclude(
                fate="passed"
            )
        }
        now = records_of({line.key for line in judged.values()}, today())
        for number, cells in batch:
            line = judged.get(number)
            known = now.get(line.key) if line else None
            yield _as_now(run, cells, line.values, known) if line and known else cells


def ranges_as_now(run: Import) -> Iterator[list[str]]:
    """The lines of a file of pay ranges as they would have to read today, in the order of the file."""
    now = {
        range_key(r.job_title, r.grade, r.currency): r
        for r in PayRange.objects.iterator(chunk_size=5_000)
    }
    mark = str(run.options.get("decimal", ".")) or "."
    rows = data_lines(run)
    while batch := list(islice(rows, BATCH)):
        numbers = [number for number, _cells in batch]
        judged = {
            line.number: line.values
            for line in ImportLine.objects.filter(run=run, number__in=numbers).exclude(
                fate="passed"
            )
        }
        for number, cells in batch:
            said = judged.get(number)
            known = (
                now.get(range_key(said["job_title"], said["grade"], said["currency"]))
                if said
                else None
            )
            row = list(cells)
            for name in ("minimum", "midpoint", "maximum") if said and known else ():
                amount = getattr(known, name)
                if name in run.mapping and said and said[name] != f"{amount:.2f}":
                    row += [""] * (run.mapping[name] + 1 - len(row))
                    is_many = name in run.options.get("thousands", ())
                    text = columns.plain_amount(amount, mark, thousands=is_many)
                    row[run.mapping[name]] = (
                        text if "currency" in run.mapping else f"{text} {said['currency']}"
                    )
            yield row


def _as_now(
    run: Import, cells: list[str], said: Mapping[str, str], now: Mapping[str, str]
) -> list[str]:
    width = max([len(cells), *(at + 1 for at in run.mapping.values())])
    row = [*cells, *[""] * (width - len(cells))]

    def put(name: str, text: str) -> None:
        if name in run.mapping:
            row[run.mapping[name]] = text

    for name in SIMPLE:
        if name in said and said[name] != now[name]:
            put(name, now[name])
    if said["name"] != now["name"]:
        person = parse_name(now["name"])
        given_first = run.options.get("name_order") != "family"
        has_comma = "," in row[run.mapping.get("name", 0)]
        put("name", person.sorted_by if has_comma or not given_first else person.shown)
        put("given_name", person.given if given_first else person.family)
        put("family_name", person.family if given_first else person.given)
    if (
        "manager_number" in said
        and said["manager_number"] != now["manager_number"]
        and not now["left_on"]
    ):
        put("manager", now["manager_number"])
    if "fte" in said and said["fte"] != now["fte"]:
        put("fte", now["fte"])
    if said.get("annual", "") != now["annual"] or said.get("currency", "") != now["currency"]:
        _put_pay(run, put, now)
    status = _status(now, today())
    if "status" in said and said["status"] != status:
        put("status", _word(run.options.get("status", {}), status))
    return row


def _put_pay(run: Import, put: Any, now: Mapping[str, str]) -> None:
    """Pay as it is given now: in its own unit where the file says units line by line, else in that of the file."""
    if not now["annual"]:
        put("pay", "")
        return
    basis = now["basis"] if "pay_per" in run.mapping else str(run.options.get("pay_basis", "year"))
    amount = Decimal(now["amount"])
    if basis != now["basis"]:
        amount = Decimal(now["annual"]) / lines.payments(basis, run.options, Decimal(now["fte"]))
    mark = str(run.options.get("decimal", ".")) or "."
    text = columns.plain_amount(amount, mark, thousands="pay" in run.options.get("thousands", ()))
    put("pay", text if "currency" in run.mapping else f"{text} {now['currency']}")
    put("currency", now["currency"])
    put("pay_per", _word(run.options.get("pay_words", {}), basis))


def _word(words: Mapping[str, str], meaning: str) -> str:
    """The file's own word for a meaning, else the meaning itself."""
    return next((word for word, meant in words.items() if meant == meaning), meaning)


def _status(now: Mapping[str, str], day: date) -> str:
    if now["left_on"] and now["left_on"] <= day.isoformat():
        return "leaver"
    if now["hired_on"] > day.isoformat():
        return "future"
    return "leave" if now["absent"] else "active"
