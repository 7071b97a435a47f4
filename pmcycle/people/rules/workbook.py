"""Reads a workbook row by row in a process of its own, whose memory and time are limited.

Run as a program, not imported: a workbook is somebody else's file, and a small one can ask for
gigabytes. It takes the file on standard input and a sheet's name as its argument, and writes a line
of JSON with the names of the sheets, then one for every row that holds something: [number, cells].
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import re
import sys
import warnings
from typing import IO, Any

MEMORY = 1024 * 1024 * 1024
SECONDS = 120
MOST_CELLS = 200


def limit() -> None:
    """Take what is left to this process before the file is opened."""
    # Not every system of a developer knows these limits; the one in production does.
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


# A currency that only the format of a cell names, and that everybody sees beside its number: "[$CHF-807]",
# "#,##0 €". A bare "$" names none: it stands in built-in formats for whatever the computer is set to.
CURRENCY = re.compile(r"\[\$([^\]\-]+)|([€£¥₩₹₺₽₪])|\"\s*([A-Z]{3}|zł|Kč|Ft)\s*\"")


def text_of(cell: Any) -> str:
    """A cell as it is meant: numbers with their figures and currency, days as ISO, leading zeros where they show."""
    text = plain_text_of(cell)
    if isinstance(cell.value, (int, float)) and (
        found := CURRENCY.search(cell.number_format or "")
    ):
        return f"{text} {next(filter(None, found.groups())).strip()}"
    return text


def plain_text_of(cell: Any) -> str:
    """A cell without what its format adds to a number."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if (
        isinstance(value, (int, float))
        and re.fullmatch("0+", cell.number_format or "")
        and value == int(value)
    ):
        return str(int(value)).zfill(len(cell.number_format))
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        text = f"{value:.15g}"
        # A number of a workbook is exact: its dot is the decimal mark, which three decimals would leave in doubt.
        return f"{text}0" if re.fullmatch(r"-?\d{1,3}\.\d{3}", text) else text
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


# A formula whose cell holds no result: no program calculated it. One that came to an empty text says so by its type.
FORMULA = re.compile(
    rb"<c\b(?P<cell>[^>]*)>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)
NAME = re.compile(rb"\br=\"([A-Z]+[0-9]+)\"")
PIECE, LONGEST = 1 << 20, 1 << 16


def uncalculated(xml: IO[bytes]) -> str:
    """The name of the first cell of a sheet with a formula that was never calculated, "" if there is none.

    What reads the results gives nothing for such a cell, as if it were empty.
    """
    kept = b""
    while piece := xml.read(PIECE):
        kept += piece
        for found in FORMULA.finditer(kept):
            if b't="str"' not in found["cell"]:
                name = NAME.search(found["cell"])
                return name[1].decode() if name else "?"
        kept = kept[-LONGEST:]
    return ""


def say(what: object) -> None:
    """A line for the process that asked."""
    sys.stdout.write(f"{json.dumps(what)}\n")


def main() -> None:
    limit()
    warnings.simplefilter("ignore")
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(sys.stdin.buffer.read()), read_only=True, data_only=True)
    sheets = [sheet.title for sheet in book.worksheets]
    shown = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    wanted = (
        sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] in sheets else (shown or sheets or [""])[0]
    )
    say({"sheets": sheets, "sheet": wanted})
    if not wanted:
        return
    sheet = book[wanted]
    # The reader of rows has the archive open, and knows which part of it is the sheet.
    archive, path = vars(book)["_archive"], vars(sheet)["_worksheet_path"]
    with archive.open(path) as xml:
        if cell := uncalculated(xml):
            say({"uncalculated": cell})
            return
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if not row:  # up to a cell far below there may be a million of them
            continue
        cells = [text_of(cell) for cell in row]
        beyond = [text for text in cells[MOST_CELLS:] if text.strip()]
        if len(beyond) < 2:  # one stray cell far to the right is nobody's column
            cells = cells[:MOST_CELLS]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            say([number, cells])


if __name__ == "__main__":
    try:
        main()
    except MemoryError:
        sys.exit(3)
    except BrokenPipeError:
        sys.exit(0)
    except Exception:
        sys.exit(2)
