"""From the bytes of a file to numbered rows of text, one at a time, whatever program wrote it."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from typing import IO, Any, cast

from chardetng_py import EncodingDetector
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from pmcycle.people.rules import workbook

MOST_BYTES = 40 * 1024 * 1024
MOST_LINES = 200_000
MOST_CELLS = 200
LONGEST_CELL = 2_000
# What an .xlsx may unpack to: a small file can hold gigabytes of zeros.
MOST_UNPACKED = 400 * 1024 * 1024
DELIMITERS = (",", ";", "\t", "|")
# How the reading process ends if the workbook cannot be opened.
BROKEN = 2

csv.field_size_limit(1024 * 1024)

Line = tuple[int, list[str]]


class NotASheet(ValueError):
    """The file as a whole cannot be used; the text is a sentence for the person who uploads it."""


# What HR can choose if the letters of a file come out wrong; the names are Python's.
ENCODINGS: dict[str, Any] = {
    "utf-8": _lazy("Unicode (UTF-8)"),
    "utf-16": _lazy("Unicode (UTF-16)"),
    "utf-16-le": _lazy("Unicode (UTF-16, little end first)"),
    "utf-16-be": _lazy("Unicode (UTF-16, big end first)"),
    "cp1252": _lazy("Western European (Windows)"),
    "cp1250": _lazy("Central European (Windows)"),
    "cp1251": _lazy("Cyrillic (Windows)"),
    "cp1253": _lazy("Greek (Windows)"),
    "cp1254": _lazy("Turkish (Windows)"),
    "cp1257": _lazy("Baltic (Windows)"),
    "iso8859_2": _lazy("Central European (ISO)"),
    "iso8859_15": _lazy("Western European (ISO)"),
    "mac_roman": _lazy("Western European (Mac)"),
    "cp850": _lazy("Western European (DOS)"),
    "gb18030": _lazy("Chinese, simplified (GBK)"),
    "big5hkscs": _lazy("Chinese, traditional (Big5)"),
    "cp932": _lazy("Japanese (Shift-JIS)"),
    "euc_jp": _lazy("Japanese (EUC)"),
    "cp949": _lazy("Korean"),
    "cp874": _lazy("Thai (Windows)"),
    "cp1255": _lazy("Hebrew (Windows)"),
    "cp1256": _lazy("Arabic (Windows)"),
    "cp1258": _lazy("Vietnamese (Windows)"),
    "iso8859_4": _lazy("Baltic (ISO)"),
    "iso8859_13": _lazy("Baltic (ISO, newer)"),
    "iso8859_5": _lazy("Cyrillic (ISO)"),
    "koi8_u": _lazy("Cyrillic (KOI8)"),
    "cp866": _lazy("Cyrillic (DOS)"),
    "iso8859_6": _lazy("Arabic (ISO)"),
    "iso8859_7": _lazy("Greek (ISO)"),
    "iso8859_8": _lazy("Hebrew (ISO)"),
    "iso2022_jp": _lazy("Japanese (ISO-2022)"),
}
# The detector names encodings as the web does.
OF_THE_WEB = {
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "iso-8859-2": "iso8859_2",
    "iso-8859-4": "iso8859_4",
    "iso-8859-5": "iso8859_5",
    "iso-8859-6": "iso8859_6",
    "iso-8859-7": "iso8859_7",
    "iso-8859-8": "iso8859_8",
    "iso-8859-13": "iso8859_13",
    "koi8-u": "koi8_u",
    "ibm866": "cp866",
    "iso-2022-jp": "iso2022_jp",
    "iso-8859-15": "iso8859_15",
    "macintosh": "mac_roman",
    "windows-874": "cp874",
}
# Of a long file so many bytes beside its letters beyond ASCII are enough to tell.
ENOUGH = 400_000


def guess_encodings(content: bytes) -> list[str]:
    """In which encoding a text is, the likeliest first: by its mark, else UTF-8 if it is that, else by its letters.

    More than one where its few letters beyond ASCII leave it in doubt, as "Núñez" and "Núńez" do.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ["utf-16"]
    zeros = [content[:2000][i::2].count(0) for i in (0, 1)]
    if max(zeros) * 4 > len(content[:2000]) // 2 > 0 and min(zeros) * 8 < max(zeros):
        return ["utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"]
    try:
        content.decode("utf-8-sig")
        return ["utf-8"]
    except UnicodeDecodeError:
        pass
    _check_not_broken_utf8(content)
    telling = telling_lines(content)
    # The detector leans to what is usual where a page comes from. Two leanings agree if letters are many.
    found = list(dict.fromkeys(_detected(telling, leaning) for leaning in (None, b"us")))
    if _is_short_chinese(telling):
        if found[0].startswith("cp125"):
            return ["gb18030"]
        # Of few names the detector knows too little: they may be Cyrillic or Japanese, and are asked about.
        found = ["gb18030", *found] if found[0] in LIKE_CHINESE else found
    if found[0].startswith("cp125"):
        found = [*_otherwise(telling, found), *found]
    return list(dict.fromkeys(e for e in found if _can_be(telling, e))) or ["cp1252"]


LIKE_CHINESE = ("iso8859_5", "euc_jp")
# Windows writes quotation marks and bullets with these; in Japan they begin a letter.
_SIGNS = re.compile(rb"[\x80-\x89\x8b\x8d\x8f\x90\x93-\x99\x9b\x9d]")
# No such mark and no capital stands within a word: for DOS and the Mac it is another letter.
_SIGN_IN_WORD = re.compile(
    rb"[A-Za-z][\x80-\x84\x86-\x89\x8b\x8d\x8f\x90\x93-\x95\x98\x99\x9b\x9d][a-z]|[a-z][\x8a\x8e\x9f]"
)


def _otherwise(telling: bytes, found: list[str]) -> list[str]:
    """In which encodings marks of Windows are letters: in Japanese if all are, else in those of DOS and the Mac."""
    if _SIGNS.search(telling) and _can_be(telling, "cp932"):
        words = re.findall(r"[^\W\d_]+", telling.decode("cp932"))
        beyond = [w for w in words if not w.isascii()]
        if beyond and all(re.fullmatch("[\u3040-\u30ff\u3400-\u9fff\u3005]+", w) for w in beyond):
            return ["cp932"]
    return ["cp850", "mac_roman"] if found == ["cp1252"] and _SIGN_IN_WORD.search(telling) else []


# Of so many lines with letters beyond ASCII in ten the others are broken, not written otherwise.
MOST_OF_TEN = 8


def _check_not_broken_utf8(content: bytes) -> None:
    """Raise NotASheet for a file in UTF-8 in which a letter is cut in two, or some lines are written otherwise.

    Read in any other encoding, all that is right in it would come out wrong.
    """
    beyond = [(n, line) for n, line in enumerate(content.splitlines(), 1) if not line.isascii()]
    broken = [n for n, line in beyond if not _can_be(line, "utf-8")]
    if len(beyond) > 1 and (len(beyond) - len(broken)) * 10 >= len(beyond) * MOST_OF_TEN:
        raise NotASheet(
            _(
                "The file is written in Unicode (UTF-8), but line %(number)d holds a letter that is cut or written"
                " otherwise. Correct that line and upload the file again."
            )
            % {"number": broken[0]}
        )


def telling_lines(content: bytes) -> bytes:
    """The lines of a text that hold more than ASCII, as many as it takes to tell their encoding."""
    return b"\n".join(line for line in content.splitlines() if not line.isascii())[:ENOUGH]


def _detected(telling: bytes, leaning: bytes | None) -> str:
    detector = EncodingDetector()
    detector.feed(telling, last=True)
    named = detector.guess(tld=leaning, allow_utf8=False).lower()
    found = OF_THE_WEB.get(named, named.replace("windows-", "cp"))
    return found if found in ENCODINGS else "cp1252"


def _can_be(telling: bytes, encoding: str) -> bool:
    try:
        telling.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def words_as(telling: bytes, encoding: str, most: int = 3) -> str:
    """Some words with letters beyond ASCII as an encoding reads them; empty if the text cannot be in it."""
    try:
        text = telling[:20_000].decode(encoding, "strict" if len(telling) <= 20_000 else "ignore")
    except UnicodeDecodeError:
        return ""
    words = dict.fromkeys(w for w in re.findall(r"[^\W\d_]+", text) if not w.isascii())
    return ", ".join(list(words)[:most])


def _is_short_chinese(content: bytes) -> bool:
    """Whether all that is not ASCII comes in pairs that are everyday Chinese characters in GBK.

    The detector takes names of one and two characters for Western or Cyrillic letters, which never
    come in pairs in all of a file's words.
    """
    runs: list[bytes] = re.findall(rb"[\x80-\xff]+", content)
    if not runs or any(len(run) % 2 for run in runs):
        return False
    # "Íñigo" begins with a pair as well, but no Chinese name goes on in Latin letters.
    if re.search(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]", content):
        return False
    pairs = [run[i : i + 2] for run in runs for i in range(0, len(run), 2)]
    everyday = sum(0xB0 <= pair[0] <= 0xD7 and pair[1] >= 0xA1 for pair in pairs)
    return everyday * 10 >= len(pairs) * 9


def decode(content: bytes, encoding: str = "") -> tuple[str, str]:
    """The text of a CSV file and the name of its encoding, as it was chosen or else guessed; raises NotASheet."""
    chosen = encoding or guess_encodings(content)[0]
    try:
        text = content.decode("utf-8-sig" if chosen == "utf-8" else chosen)
    except UnicodeDecodeError:
        raise NotASheet(
            _(
                "This file is not written as “%(name)s”. Choose other letters, or save it as “CSV UTF-8”."
            )
            % {"name": ENCODINGS[chosen]}
        ) from None
    return text.removeprefix("\ufeff"), chosen


def kind_of(name: str, content: bytes) -> str:
    """ "csv" or "xlsx", by what is inside, not by the name; raises NotASheet for anything else."""
    if not content.strip():
        raise NotASheet(_("The file is empty."))
    if len(content) > MOST_BYTES:
        raise NotASheet(
            _("The file is larger than %(mb)d MB.") % {"mb": MOST_BYTES // 1024 // 1024}
        )
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
    if b"\x00" in content and not guess_encodings(content)[0].startswith("utf-16"):
        raise NotASheet(_("This is not a table: it holds zero bytes, as programs and pictures do."))
    if name.lower().endswith(".xlsx"):
        raise NotASheet(_("The name ends in .xlsx, but this is not an Excel workbook."))
    return "csv"


def guess_delimiter(text: str) -> str:
    """The sign between cells: the one that parts the first lines most evenly."""
    head = text[:20_000]

    def score(delimiter: str) -> tuple[float, int]:
        widths = [
            len(row)
            for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
            if row
        ][:-1][:30] or [
            len(row)
            for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
            if row
        ]
        if not widths or max(widths) == 1:
            return (0.0, 0)
        usual = max(set(widths), key=widths.count)
        return (widths.count(usual) / len(widths) if usual > 1 else 0.0, usual)

    try:
        return max(DELIMITERS, key=score)
    except csv.Error:
        return ","


def lines_of(name: str, content: bytes, *, encoding: str = "", sheet: str = "") -> Iterator[Line]:
    """Every row with its number in the file (from 1), cells as text; raises NotASheet.

    `encoding` is of a CSV file, `sheet` of a workbook; without them they are guessed. One row at a
    time, so that a large file never lies in memory twice.
    """
    if kind_of(name, content) == "xlsx":
        yield from (line for _sheets, line in _xlsx_lines(content, sheet) if line)
    else:
        yield from _csv_lines(content, encoding)


def sheet_names(name: str, content: bytes) -> list[str]:
    """The sheets of a workbook, none for a CSV file."""
    if kind_of(name, content) != "xlsx":
        return []
    return next((names for names, _line in _xlsx_lines(content, "")), [])


def _csv_lines(content: bytes, encoding: str) -> Iterator[Line]:
    if content.count(b"\n") + content.count(b"\r") // 2 > 2 * MOST_LINES:
        raise _too_long()
    text, _encoding = decode(content, encoding)
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


def _xlsx_lines(content: bytes, sheet: str) -> Iterator[tuple[list[str], Line | None]]:
    """First the names of the sheets, then the rows that hold something, as the limited process reads them."""
    # The interpreter, our own program, and a sheet's name as one argument: no shell reads it.
    reader = subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", workbook.__file__, *([sheet] if sheet else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    stdin, stdout = cast("IO[bytes]", reader.stdin), cast("IO[bytes]", reader.stdout)
    try:
        with contextlib.suppress(BrokenPipeError):
            stdin.write(content)
            stdin.close()
        names: list[str] = []
        for count, line in enumerate(stdout):
            said = json.loads(line)
            if isinstance(said, dict) and "uncalculated" in said:
                raise NotASheet(
                    _(
                        "Cell %(cell)s holds a formula that no program has calculated. Open the workbook in a"
                        " spreadsheet program, save it, and choose it again."
                    )
                    % {"cell": said["uncalculated"]}
                )
            if isinstance(said, dict):
                names = said["sheets"]
                if not names:
                    raise NotASheet(_("This workbook has no sheet."))
                yield names, None
                continue
            if count > MOST_LINES + 20:
                raise _too_long()
            yield names, (said[0], _checked(said[1], said[0]))
        code = reader.wait()
        if code == BROKEN:
            raise NotASheet(_("This workbook is damaged and cannot be opened."))
        if code:
            raise NotASheet(
                _(
                    "This workbook asks for more memory or time than it is given. Save its sheet as CSV."
                )
            )
    finally:
        reader.kill()
        reader.wait()
        stdout.close()


def _checked(row: list[str], number: int) -> list[str]:
    if len(row) > MOST_CELLS:
        if any(c.strip() for c in row[MOST_CELLS:]):
            raise NotASheet(_("Line %(number)d has too many columns.") % {"number": number})
        row = row[:MOST_CELLS]
    for cell in row:
        if len(cell) > LONGEST_CELL:
            raise NotASheet(
                _(
                    "Line %(number)d holds a cell of %(length)d letters; a quotation mark may be missing."
                )
                % {"number": number, "length": len(cell)}
            )
    return [cell.replace("\x00", "") for cell in row]


def _too_long() -> NotASheet:
    return NotASheet(
        _(
            "The file has more than %(most)s lines. Split it and import the parts one after the other."
        )
        % {"most": f"{MOST_LINES:,}"}
    )
