"""From the bytes of a file to numbered rows of text, one at a time, whatever program wrote it."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import IO

import python_calamine
from django.utils.translation import gettext as _

MOST_BYTES = 40 * 1024 * 1024
MOST_LINES = 200_000
MOST_CELLS = 200
LONGEST_CELL = 2_000
# What an .xlsx may unpack to: a small file can hold gigabytes of zeros.
MOST_UNPACKED = 400 * 1024 * 1024
DELIMITERS = (",", ";", "\t", "|")

csv.field_size_limit(1024 * 1024)

Line = tuple[int, list[str]]


class NotASheet(ValueError):
    """The file as a whole cannot be used; the text is a sentence for the person who uploads it."""


def decode(content: bytes) -> tuple[str, str]:
    """The text of a CSV file and the name of its encoding.

    UTF-16 with its mark, UTF-8 with or without, else the Western Windows code page, in which old
    spreadsheets save.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return content.decode("utf-16"), "utf-16"
        except UnicodeDecodeError:
            raise NotASheet(_("This file is damaged: its text cannot be read.")) from None
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        try:
            return content.decode("cp1252"), "cp1252"
        except UnicodeDecodeError:
            raise NotASheet(
                _(
                    "The letters of this file are in an unknown encoding. Save it as “CSV UTF-8” and try again."
                )
            ) from None


def kind_of(name: str, content: bytes) -> str:
    """ "csv" or "xlsx", by what is inside, not by the name; raises NotASheet for anything else."""
    if not content.strip():
        raise NotASheet(_("The file is empty."))
    if len(content) > MOST_BYTES:
        raise NotASheet(_("The file is larger than %(mb)d MB.") % {"mb": MOST_BYTES // 1024 // 1024})
    if content[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as pack:
                members = pack.infolist()
        except (zipfile.BadZipFile, NotImplementedError):
            # Not implemented: the file claims to need a zip of the future.
            raise NotASheet(_("This workbook is damaged and cannot be opened.")) from None
        if not any(m.filename == "xl/workbook.xml" for m in members):
            raise NotASheet(
                _("This is a zip archive, not an Excel workbook. Upload the file that is inside.")
            )
        if sum(m.file_size for m in members) > MOST_UNPACKED:
            raise NotASheet(
                _("This workbook unpacks to more than pmcycle reads. Save its first sheet as CSV.")
            )
        return "xlsx"
    if content[:4] == b"%PDF":
        raise NotASheet(_("This is a PDF. Export a CSV or Excel file instead."))
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise NotASheet(_("This is an Excel file of the old kind (.xls). Save it as .xlsx or CSV."))
    if content[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\x00" in content:
        raise NotASheet(_("This is not a table: it holds zero bytes, as programs and pictures do."))
    if name.lower().endswith(".xlsx"):
        raise NotASheet(_("The name ends in .xlsx, but this is not an Excel workbook."))
    return "csv"


def guess_delimiter(text: str) -> str:
    """The sign between cells: the one that parts the first lines most evenly."""
    head = text[:20_000]

    def score(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(io.StringIO(head), delimiter=delimiter) if row][:-1][
            :30
        ] or [len(row) for row in csv.reader(io.StringIO(head), delimiter=delimiter) if row]
        if not widths or max(widths) == 1:
            return (0.0, 0)
        usual = max(set(widths), key=widths.count)
        return (widths.count(usual) / len(widths) if usual > 1 else 0.0, usual)

    try:
        return max(DELIMITERS, key=score)
    except csv.Error:
        return ","


def lines_of(name: str, content: bytes) -> Iterator[Line]:
    """Every row with its number in the file (from 1), cells as text; raises NotASheet.

    One row at a time, so that a large file never lies in memory twice.
    """
    if kind_of(name, content) == "xlsx":
        yield from _xlsx_lines(io.BytesIO(content))
    else:
        yield from _csv_lines(content)


def _csv_lines(content: bytes) -> Iterator[Line]:
    if content.count(b"\n") + content.count(b"\r") // 2 > 2 * MOST_LINES:
        raise _too_long()
    text, _encoding = decode(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=guess_delimiter(text))
    count = 0
    try:
        for row in reader:
            count += 1
            if count > MOST_LINES + 20:
                raise _too_long()
            yield reader.line_num, _checked(row, reader.line_num)
    except csv.Error:
        raise NotASheet(
            _("Line %(number)d cannot be read as a table line; a quotation mark may be missing.")
            % {"number": reader.line_num}
        ) from None


def _xlsx_lines(stream: IO[bytes]) -> Iterator[Line]:
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(stream)
        if not book.sheet_names:
            raise NotASheet(_("This workbook has no sheet."))
        sheet = book.get_sheet_by_index(0)
        if sheet.total_height > MOST_LINES + 20:
            raise _too_long()
        if sheet.total_width > 2_000:
            raise NotASheet(_("This sheet has too many columns."))
        start = (sheet.start or (0, 0))[0]
        rows = sheet.to_python(skip_empty_area=True)
    except python_calamine.CalamineError:
        raise NotASheet(_("This workbook is damaged and cannot be opened.")) from None
    for offset, row in enumerate(rows):
        yield start + offset + 1, _checked([_cell_text(cell) for cell in row], start + offset + 1)


def _cell_text(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


def _checked(row: list[str], number: int) -> list[str]:
    if len(row) > MOST_CELLS:
        if any(c.strip() for c in row[MOST_CELLS:]):
            raise NotASheet(_("Line %(number)d has too many columns.") % {"number": number})
        row = row[:MOST_CELLS]
    for cell in row:
        if len(cell) > LONGEST_CELL:
            raise NotASheet(
                _("Line %(number)d holds a cell of %(length)d letters; a quotation mark may be missing.")
                % {"number": number, "length": len(cell)}
            )
    return [cell.replace("\x00", "") for cell in row]


def _too_long() -> NotASheet:
    return NotASheet(
        _("The file has more than %(most)s lines. Split it and import the parts one after the other.")
        % {"most": f"{MOST_LINES:,}"}
    )
