"""Tables as files that open in a spreadsheet and run nothing there."""

from __future__ import annotations

import csv as plain_csv
import io
from collections.abc import Iterable, Sequence

import xlsxwriter
from django.http import HttpResponse

# A cell that begins so is read as a formula by spreadsheets.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def neutral(value: object) -> str:
    """The text of a cell of a CSV; one that a spreadsheet would run is led by an apostrophe (OWASP, CSV injection)."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _answer(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def csv(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A CSV in UTF-8 with its mark, so that spreadsheets read names right.

    Every cell is quoted: a spreadsheet that parts cells at semicolons would else run what follows one.
    """
    out = io.StringIO()
    writer = plain_csv.writer(out, quoting=plain_csv.QUOTE_ALL)
    writer.writerow([neutral(x) for x in head])
    writer.writerows([neutral(x) for x in row] for row in rows)
    return _answer(out.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", f"{name}.csv")


def xlsx(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """An XLSX whose cells are all text: nothing in it is a formula."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    for column, text in enumerate(head):
        sheet.write_string(0, column, text, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            sheet.write_string(number, column, str(value))
    sheet.freeze_panes(1, 0)
    book.close()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _answer(out.getvalue(), kind, f"{name}.xlsx")
