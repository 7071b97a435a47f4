"""Single cells of a file: dates, amounts and status words, read exactly or refused with a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

# How the parts of a date follow each other where figures alone do not say.
ORDERS = ("mdy", "dmy", "ymd")
# A year of two figures up to this many years ahead is of this century.
PIVOT = 10
EXCEL_EPOCH = date(1899, 12, 30)
_DATE = re.compile(r"^(\d{1,4})\s*[./\-\s]\s*(\d{1,2})\s*[./\-\s]\s*(\d{1,4})(?:[T\s].*)?$", re.ASCII)
_NUMBER = re.compile(r"^[+-]?\d[\d.,' \u00a0\u202f]*$|^[+-]?[.,]\d+$", re.ASCII)


class Unreadable(ValueError):
    """A cell cannot be read; the text says so to the person who uploads the file."""


def _parts(text: str) -> tuple[str, str, str] | None:
    found = _DATE.match(text)
    return (found[1], found[2], found[3]) if found else None


def guess_order(values: Iterable[str]) -> tuple[str, bool]:
    """The order of day and month in a column of dates, and whether the values prove it.

    A first figure above 12 proves day first, a second above 12 month first; a year in front is
    always year, month, day. Unproven columns read as month first if written with slashes.
    """
    seen_slash = seen_year = False
    for value in values:
        parts = _parts(value.strip())
        if not parts:
            continue
        if len(parts[0]) == 4:
            seen_year = True
            continue
        seen_slash = seen_slash or "/" in value
        if int(parts[0]) > 12:
            return "dmy", True
        if int(parts[1]) > 12:
            return "mdy", True
    if seen_year and not seen_slash:
        return "ymd", True
    return ("mdy" if seen_slash else "dmy"), False


def read_date(text: str, order: str, this_year: int) -> date | None:
    """The date in a cell, None for an empty one; raises Unreadable for a day that does not exist."""
    text = text.strip()
    if not text:
        return None
    parts = _parts(text)
    if not parts:
        if text.isascii() and text.isdigit() and len(text) == 5:
            return EXCEL_EPOCH + timedelta(days=int(text))
        raise Unreadable(_("“%(text)s” is not a date.") % {"text": text[:40]})
    if len(parts[0]) == 4:
        year, month, day = parts
    elif order == "mdy":
        month, day, year = parts
    elif order == "dmy":
        day, month, year = parts
    else:
        year, month, day = parts
    number = int(year)
    if len(year) <= 2:
        century = this_year // 100 * 100
        number += century if century + number <= this_year + PIVOT else century - 100
    try:
        found = date(number, int(month), int(day))
    except ValueError:
        raise Unreadable(_("“%(text)s” is a day that does not exist.") % {"text": text[:40]}) from None
    if not 1900 <= found.year <= 2200:
        raise Unreadable(_("“%(text)s” is too far away to be meant.") % {"text": text[:40]})
    return found


def read_amount(text: str) -> Decimal | None:
    """A number in a cell, None for an empty one: "52,000.50", "52.000,50", "$ 28.5"; raises Unreadable.

    The sign that stands last is the decimal sign, unless it parts groups of three and stands alone.
    """
    text = text.strip()
    if not text:
        return None
    bare = re.sub(r"^[^\d+\-.,]+|[^\d.,]+$", "", text).strip()
    if not _NUMBER.match(bare):
        raise Unreadable(_("“%(text)s” is not a number.") % {"text": text[:40]})
    bare = re.sub(r"['\s\u00a0\u202f]", "", bare)
    dot, comma = bare.rfind("."), bare.rfind(",")
    if dot >= 0 and comma >= 0:
        group = "," if dot > comma else "."
        bare = bare.replace(group, "").replace(",", ".")
    elif comma >= 0:
        groups = re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", bare)
        bare = bare.replace(",", "" if groups else ".")
    elif bare.count(".") > 1:
        bare = bare.replace(".", "")
    try:
        number = Decimal(bare)
    except InvalidOperation:
        raise Unreadable(_("“%(text)s” is not a number.") % {"text": text[:40]}) from None
    if abs(number) >= Decimal(10) ** 10:
        raise Unreadable(_("“%(text)s” is too large to be meant.") % {"text": text[:40]})
    return number


# What HR systems write in a status column, as beginnings of plain words.
STATUS_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("future", ("future", "not started", "not yet started", "pre-hire", "prehire", "new hire", "pending")),
    (
        "leave",
        (
            "leave of absence",
            "on leave",
            "loa",
            "absent",
            "maternity",
            "parental",
            "sabbatical",
            "leave",
            "furlough",
        ),
    ),
    (
        "leaver",
        (
            "voluntarily terminated",
            "terminated",
            "term",
            "left",
            "leaver",
            "resigned",
            "retired",
            "dismissed",
            "inactive",
            "ex-",
            "deceased",
            "separated",
            "former",
        ),
    ),
    ("active", ("active", "employed", "current", "working", "regular", "permanent", "probation")),
)
STATUSES = ("active", "leave", "future", "leaver")


def guess_status(word: str) -> str:
    """What a word of a status column most likely means; "" if it cannot be told."""
    said = " ".join(word.casefold().split())
    if not said:
        return ""
    for meaning, beginnings in STATUS_WORDS:
        if any(said.startswith(b) for b in beginnings):
            return meaning
    return ""


SEX_WORDS = {
    "m": "male",
    "f": "female",
    "w": "female",
    "man": "male",
    "woman": "female",
    "d": "diverse",
    "x": "diverse",
}


def read_sex(text: str) -> str:
    """The sex as one word in small letters."""
    said = " ".join(text.casefold().split())
    return SEX_WORDS.get(said, said)[:20]


NOT_A_PERSON = (
    "board",
    "director",
    "sharehold",
    "owner",
    "none",
    "n/a",
    "na",
    "-",
    "–",
    "—",
    "nobody",
    "vacant",
    "tbd",
)


def is_no_person(name: str) -> bool:
    """Whether a manager's name says that nobody of the company leads: "Board of Directors", "n/a", "-"."""
    said = " ".join(name.casefold().split())
    return said in NOT_A_PERSON or said.startswith(
        ("board of", "supervisory board", "shareholder", "the board")
    )


def plain_reason(text: str) -> str:
    """A reason for leaving, without the filler that some systems write for those who have not left."""
    said = " ".join(text.split())
    return "" if said.casefold().startswith(("n/a", "none")) or said == "-" else said[:200]


def day_text(day: date | datetime | None) -> str:
    """A date as the database and a browser's date field write it."""
    return "" if day is None else (day.date() if isinstance(day, datetime) else day).isoformat()
