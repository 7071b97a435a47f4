"""Single cells of a file: dates, amounts and status words, read exactly or refused with a sentence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global
from babel.dates import get_month_names
from django.utils.translation import gettext as _

from pmcycle.people.rules.names import plain

# How the parts of a date follow each other where figures alone do not say. "each": a column holds
# both orders, so every cell has to prove its own.
ORDERS = ("mdy", "dmy", "ymd", "each")
# A year of two figures up to this many years ahead is of this century.
PIVOT = 10
EXCEL_EPOCH = date(1899, 12, 30)
_TIME = r"(?:[T\s]+\d{1,2}[:.]\d.*|[T\s]*00:00.*)?"
_DATE = re.compile(
    rf"^(\d{{1,4}})\s*[./\-\s]\s*(\d{{1,2}})\s*[./\-\s]\s*(\d{{1,4}}){_TIME}$", re.ASCII
)
_EAST_ASIAN = re.compile(r"^(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]?$")
_GROWN_TOGETHER = re.compile(r"^(\d{4})(\d{2})(\d{2})$", re.ASCII)
MONTHS_IN = ("en", "de", "fr", "es", "pt", "it", "nl", "pl", "sv", "da", "cs")


class Unreadable(ValueError):
    """A cell cannot be read for certain; the text says so to the person who uploads the file.

    `readings` are what it may mean, in the plain form that an answer is written in.
    """

    def __init__(self, text: str, readings: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.readings = readings


# What programs write into a cell that holds nothing.
NOTHING = frozenset(
    [
        "null",
        "(null)",
        "#n/a",
        "#na",
        "n/a",
        "nan",
        "-",
        "--",
        "---",
        "–",
        "—",
        "(blank)",
        "(empty)",
        "(leer)",
    ]
)
# These are nothing too, where neither a person nor a place can be called so.
NO_VALUE = NOTHING | {"na", "none", "nil", "(none)", "n.a.", "k.a.", "s/o", "n/d"}
# A formula that failed before the file was written.
BROKEN = frozenset(
    ["#ref!", "#value!", "#name?", "#null!", "#div/0!", "#num!", "#spill!", "#calc!"]
)


@cache
def _months() -> dict[str, int]:
    """Month names and their short forms, without accents and dots, in the languages of exports."""
    return {
        plain(name).rstrip("."): number
        for language in MONTHS_IN
        for width in ("wide", "abbreviated")
        for context in ("format", "stand-alone")
        for number, name in get_month_names(width, context, language).items()
        if plain(name).rstrip(".").isalpha()
    } | {"sept": 9}


@lru_cache(maxsize=16_384)
def _parts(text: str, this_year: int = 2000) -> tuple[str, str, str] | None:
    """The three figures of a date; a month in words or a year in front leaves no doubt about their order."""
    found = _EAST_ASIAN.match(text) or _GROWN_TOGETHER.match(text)
    if found and 1900 <= int(found[1]) <= 2200:
        return found[1], found[2], found[3]
    found = _DATE.match(text)
    if found:
        return found[1], found[2], found[3]
    words = [
        w for w in re.split(r"[\s.,/\-]+", plain(text)) if w not in ("", "de", "del", "of", "the")
    ]
    if len(words) != 3:
        return None
    figures = [re.sub(r"^(\d{1,2})(st|nd|rd|th|er|o)$", r"\1", w) for w in words]
    named = [i for i, w in enumerate(words) if w in _months()]
    if len(named) != 1 or not all(
        w.isascii() and w.isdigit() for i, w in enumerate(figures) if i != named[0]
    ):
        return None
    one, other = (w for i, w in enumerate(figures) if i != named[0])
    year, day = (one, other) if len(one) == 4 else (other, one)
    if len(year) not in (2, 4) or len(day) > 2:
        return None
    return (
        year.zfill(4) if len(year) == 4 else str(_full_year(year, this_year)),
        str(_months()[words[named[0]]]),
        day,
    )


def _full_year(year: str, this_year: int) -> int:
    number = int(year)
    if len(year) > 2:
        return number
    century = this_year // 100 * 100
    return number + (century if century + number <= this_year + PIVOT else century - 100)


class OrderSigns:
    """What a column of dates says about the order of day and month, value by value; its size does not grow.

    A first figure above 12 proves day first, a second above 12 month first, both together that the
    column holds two orders ("each"). Where every date reads the same either way, nothing is in doubt.
    """

    def __init__(self) -> None:
        self.proofs: set[str] = set()
        # Some that may be two days.
        self.open: list[str] = []
        self.with_slash = False
        # "1/1/20" is one day, whichever of the two figures is the month; but its year stands last.
        self.is_year_last = False

    def add(self, value: str) -> None:
        parts = _parts(value.strip())
        if not parts or len(parts[0]) == 4 or not parts[0].isdigit():
            return
        if int(parts[0]) > 12:
            self.proofs.add("dmy" if int(parts[0]) <= 31 else "ymd")
        elif int(parts[1]) > 12:
            self.proofs.add("mdy")
        elif int(parts[0]) != int(parts[1]):
            self.with_slash = self.with_slash or "/" in value
            keep_some(self.open, value)
        else:
            self.is_year_last = True

    def order(self) -> tuple[str, bool]:
        """The order, and whether the values prove it."""
        if len(self.proofs) > 1:
            return "each", True
        if self.proofs:
            return next(iter(self.proofs)), True
        if self.open:
            return ("mdy" if self.with_slash else "dmy"), False
        return ("dmy" if self.is_year_last else "ymd"), True


# So many cells of a file are shown as examples of a question.
EXAMPLES = 3


def keep_some(kept: list[str], text: str) -> None:
    """Keep a cell as an example, unless there are enough or it is among them."""
    if len(kept) < EXAMPLES and text not in kept:
        kept.append(text)


def guess_order(values: Iterable[str]) -> tuple[str, bool]:
    """The order of day and month in one column of dates, and whether the values prove it."""
    signs = OrderSigns()
    for value in values:
        signs.add(value)
    return signs.order()


# A point in time with its distance from UTC, as programs write it.
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)? ?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII
)


def _day_of_instant(text: str, zone: str) -> date | None:
    """The day of a point in time in a zone; None if a cell holds none, or a midnight, which means its own day."""
    if not zone or not _INSTANT.fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text.replace(" +", "+").replace(" Z", "Z"))
        is_midnight = instant.time().replace(tzinfo=None) == time()
        return None if is_midnight else instant.astimezone(ZoneInfo(zone)).date()
    except (ValueError, OverflowError):
        return None


def read_date(text: str, order: str, this_year: int, zone: str = "") -> date | None:
    """The date in a cell, None for an empty one; raises Unreadable for a day that does not exist or is in doubt.

    A point in time ("2020-01-12T23:00:00Z") is read as its day in `zone`, where it was midnight.
    """
    text = text.strip()
    if not text:
        return None
    if there := _day_of_instant(text, zone):
        text = there.isoformat()
    parts = _parts(text, this_year)
    if not parts:
        if text.isascii() and text.isdigit() and len(text) == 5:
            return EXCEL_EPOCH + timedelta(days=int(text))
        raise Unreadable(_("“%(text)s” is not a date.") % {"text": text[:40]})
    if len(parts[0]) == 4:
        order = "ymd"
    elif order in ("each", ""):
        order = _own_order(text, parts, this_year)
    year, month, day = (parts[order.index(part)] for part in "ymd")
    if len(year) == 3:
        raise Unreadable(_("“%(text)s” is not a date.") % {"text": text[:40]})
    number = _full_year(year, this_year)
    try:
        found = date(number, int(month), int(day))
    except ValueError:
        raise Unreadable(
            _("“%(text)s” is a day that does not exist.") % {"text": text[:40]}
        ) from None
    if not 1900 <= found.year <= 2200:
        raise Unreadable(_("“%(text)s” is too far away to be meant.") % {"text": text[:40]})
    return found


def _own_order(text: str, parts: tuple[str, str, str], this_year: int) -> str:
    first, second = int(parts[0]), int(parts[1])
    if first > 31:
        return "ymd"
    if first > 12 or first == second:
        return "dmy"
    if second > 12:
        return "mdy"
    readings = []
    for order in ("dmy", "mdy"):
        try:
            readings.append(day_text(read_date(text, order, this_year)))
        except Unreadable:
            continue
    raise Unreadable(
        _("“%(text)s” may be one day or another: day and month can change places.")
        % {"text": text[:40]},
        tuple(readings),
    )


# --- amounts -----------------------------------------------------------------------------------------

MARKS = (".", ",")
_SPACE = r"'’\u00a0\u202f\u2009\s"
_NUMBER = re.compile(rf"([+-]?)(\d[\d.,{_SPACE}]*|[.,]\d+)", re.ASCII)
_GROUPED = {
    mark: re.compile(
        rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+|\d{{1,2}}(?:{re.escape(mark)}\d{{2}})*{re.escape(mark)}\d{{3}}"
    )
    for mark in MARKS
}
THOUSANDS = frozenset(["k", "tsd", "tsd.", "thousand", "mil", "mille"])
# Signs and words for money that are no three letters of ISO 4217; several where countries share one.
MONEY = {
    "€": ("EUR",),
    "euro": ("EUR",),
    "euros": ("EUR",),
    "£": ("GBP",),
    "¥": ("JPY", "CNY"),
    "￥": ("CNY", "JPY"),
    "円": ("JPY",),
    "元": ("CNY",),
    "rmb": ("CNY",),
    "₩": ("KRW",),
    "₹": ("INR",),
    "rs": ("INR",),
    "zł": ("PLN",),
    "kč": ("CZK",),
    "ft": ("HUF",),
    "₺": ("TRY",),
    "₽": ("RUB",),
    "₪": ("ILS",),
    "fr": ("CHF",),
    "sfr": ("CHF",),
    "r$": ("BRL",),
    "us$": ("USD",),
    "a$": ("AUD",),
    "c$": ("CAD",),
    "nz$": ("NZD",),
    "s$": ("SGD",),
    "hk$": ("HKD",),
    "mx$": ("MXN",),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "CLP", "COP", "ARS"),
}


@cache
def currencies() -> frozenset[str]:
    """Every code of ISO 4217, of today and of before."""
    return frozenset(get_global("all_currencies"))


def _not_a_number(text: str) -> Unreadable:
    return Unreadable(_("“%(text)s” is not a number.") % {"text": text[:40]})


def _two_readings(text: str, readings: tuple[str, ...]) -> Unreadable:
    words = {"text": text[:40], "many": readings[0], "few": readings[1]}
    return Unreadable(_("“%(text)s” may be %(many)s or %(few)s.") % words, readings)


def _marks(number: str) -> tuple[str, str]:
    """The decimal mark that a number proves by itself and the mark that leaves it in doubt; one of them or none.

    The mark that stands last is the decimal mark, one that stands twice is not, and a lone one is in
    doubt if it parts off exactly three figures.
    """
    dots, commas = number.count("."), number.count(",")
    if dots and commas:
        return ("." if number.rfind(".") > number.rfind(",") else ","), ""
    if not dots and not commas:
        return "", ""
    mark, other = (".", ",") if dots else (",", ".")
    if max(dots, commas) > 1:
        return other, ""
    whole, _mark, rest = number.partition(mark)
    if len(rest) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0"):
        return "", mark
    return mark, ""


def _bare(text: str) -> str:
    found = _NUMBER.search(re.sub(r"[.,]\s*[-–—]{1,2}$", "", text.strip()))
    return re.sub(f"[{_SPACE}]", "", found[2]).rstrip(".,") if found else ""


# Amounts of one column lie within this factor of each other.
ALIKE = 20


class MarkSigns:
    """What a column of numbers says about its decimal mark, value by value; its size does not grow.

    Proof is a number that can be read in one way only, or plain numbers beside it that are as large as
    the doubtful ones are if their mark parts thousands: "63,000" among 58000 and 74000.
    """

    def __init__(self) -> None:
        self.proofs: set[str] = set()
        # By mark the smallest and the largest number that it leaves in doubt, as if it parted thousands.
        self.doubts: dict[str, tuple[int, int]] = {}
        self.plain: tuple[int, int] | None = None
        self.is_fine = False
        # Some that may be two numbers.
        self.open: list[str] = []

    def add(self, value: str) -> None:
        number = _bare(value)
        proven, doubtful = _marks(number)
        self.proofs |= {proven} - {""}
        if doubtful:
            self.doubts[doubtful] = _widened(
                self.doubts.get(doubtful), int(number.replace(doubtful, ""))
            )
            keep_some(self.open, value)
        elif number.isdigit():
            self.plain = _widened(self.plain, int(number))
        # Numbers with more than three decimals show that three of them are nothing unusual here.
        self.is_fine = self.is_fine or (bool(proven) and len(number) - number.rfind(proven) > 4)

    def mark(self) -> tuple[str, bool]:
        """The mark, and whether the values prove it; "" where 65.000 may be 65."""
        if not self.doubts:
            return (next(iter(self.proofs)) if len(self.proofs) == 1 else "."), True
        if len(self.proofs) == 1 and (self.is_fine or not self.proofs & self.doubts.keys()):
            return next(iter(self.proofs)), True
        if not self.proofs and len(self.doubts) == 1 and self.plain:
            ((mark, (least, most)),) = self.doubts.items()
            low, high = self.plain[1] / ALIKE, self.plain[0] * ALIKE
            if low <= least and most <= high and most / 1000 < low:
                return ("," if mark == "." else "."), True
        return "", False


def _widened(span: tuple[int, int] | None, number: int) -> tuple[int, int]:
    return (min(span[0], number), max(span[1], number)) if span else (number, number)


def guess_decimal(values: Iterable[str]) -> tuple[str, bool]:
    """The decimal mark of a column of numbers, and whether the values prove it; "" where 65.000 may be 65."""
    signs = MarkSigns()
    for value in values:
        signs.add(value)
    return signs.mark()


def read_amount(text: str, decimal: str = "") -> Decimal | None:
    """A number in a cell, None for an empty one: "52,000.50", "52.000,50", "1'000"; raises Unreadable.

    `decimal` is the decimal mark of the column; it decides where a number alone does not: "65.000".
    """
    text = text.strip()
    if not text:
        return None
    cut = re.sub(r"[.,]\s*[-–—]{1,2}$", "", text)
    found = _NUMBER.fullmatch(cut)
    if not found:
        raise _not_a_number(text)
    spaced = re.sub(f"[{_SPACE}]+", " ", found[2]).strip()
    if " " in spaced and not re.fullmatch(r"\d{1,3}( \d{3})+([.,]\d*)?", spaced):
        raise _not_a_number(text)
    number = spaced.replace(" ", "").rstrip(".,")
    proven, doubtful = _marks(number)
    if doubtful and not decimal:
        raise _two_readings(text, (number.replace(doubtful, ""), number.replace(doubtful, ".")))
    mark = proven or decimal or "."
    group = "," if mark == "." else "."
    whole, _mark, rest = number.partition(mark)
    if group in rest or (group in whole and not _GROUPED[group].fullmatch(whole)):
        raise _not_a_number(text)
    value = Decimal(f"{found[1]}{whole.replace(group, '') or 0}{'.' if rest else ''}{rest}")
    if abs(value) >= Decimal(10) ** 10:
        raise Unreadable(_("“%(text)s” is too large to be meant.") % {"text": text[:40]})
    return value


def own_mark(text: str) -> str:
    """The decimal mark of a share: nobody parts its thousands."""
    return "," if "," in text else "."


# Nobody works more hours a week; a larger share is a percentage, and so are the others of its column.
MOST_HOURS = 60


def is_percent(text: str) -> bool:
    """Whether this cell of a column of shares shows that they are percentages."""
    try:
        return "%" in text or (read_amount(text, own_mark(text)) or 0) > MOST_HOURS
    except Unreadable:
        return False


def read_money(text: str, decimal: str, home: str) -> tuple[Decimal | None, str]:
    """An amount and the currency that stands with it ("" if none does); other text beside it is a doubt.

    `home` is the company's currency: a sign that several currencies share means it, if it is one of them.
    """
    text = text.strip()
    found = _NUMBER.search(text)
    if not text or not found:
        return read_amount(text, decimal), ""
    after = re.sub(r"^\s*[-–—]{1,2}(?=\s|$)", "", text[found.end() :])
    beside = [w.strip() for w in (text[: found.start()], after) if w.strip()]
    amount: Decimal | None
    readings: tuple[str, ...]
    try:
        amount = read_amount(found[0], decimal)
        readings = (f"{amount}",)
    except Unreadable as error:
        amount, readings = None, error.readings
        if not readings:
            raise
    meant = {_currency(word, text, home, readings) for word in beside}
    if len(meant) > 1:
        raise Unreadable(_("“%(text)s” names two currencies.") % {"text": text[:40]})
    code = meant.pop() if meant else ""
    if amount is None:
        raise _two_readings(text, tuple(f"{r} {code}".strip() for r in readings))
    return amount, code


def _currency(word: str, text: str, home: str, readings: tuple[str, ...]) -> str:
    if word.upper() in currencies():
        return word.upper()
    known = MONEY.get(word.casefold().rstrip("."), ())
    if home in known or len(known) == 1:
        return home if home in known else known[0]
    if known:
        raise Unreadable(
            _("“%(text)s” does not say which of several currencies is meant.")
            % {"text": text[:40]},
            tuple(f"{r} {code}" for r in readings for code in known[:3]),
        )
    many = tuple(f"{Decimal(r) * 1000:f}" for r in readings) if word.casefold() in THOUSANDS else ()
    raise Unreadable(_("“%(text)s” has text beside its number.") % {"text": text[:40]}, many)


THOUSAND = Decimal(1_000)


def in_thousands(amount: Decimal, text: str) -> Decimal:
    """What an amount comes to in a column whose header says thousands; raises Unreadable where the cell does not.

    Thousands of thousands are rather an amount that somebody has written out.
    """
    many = amount * THOUSAND
    if abs(amount) >= THOUSAND:
        why = _("The header says thousands, but “%(text)s” is rather the whole amount.")
        raise Unreadable(why % {"text": text[:40]}, (f"{amount:f}", f"{many:f}"))
    return many


def shortened(text: str) -> bool:
    """Whether a spreadsheet has written a long number in short, so that its last figures are lost: "1.23E+16"."""
    return bool(re.fullmatch(r"\d([.,]\d+)?E\+?\d+", text.strip(), re.IGNORECASE))


def digits_of(number: str) -> str:
    """What E001, 001 and 1 have in common; empty where an employee number has no figures or several groups."""
    found = re.fullmatch(r"[^\W\d]*[\s\-_#]*0*(\d+)", number.strip())
    return found[1] if found else ""


# --- words -------------------------------------------------------------------------------------------

# Stems of what HR systems write in a status column: English, German, French, Spanish, Portuguese.
STATUS_STEMS: dict[str, tuple[str, ...]] = {
    "future": ("future", "prehire", "preboard", "starter", "künftig", "zukünftig", "futur"),
    "leave": (
        "leave",
        "loa",
        "absen",
        "matern",
        "patern",
        "parental",
        "sabbatical",
        "furlough",
        "disability",
        "elternzeit",
        "mutterschutz",
        "beurlaubt",
        "ruhend",
        "abwesend",
        "congé",
        "licencia",
        "licença",
        "afastad",
        "excedencia",
    ),
    "leaver": (
        "terminat",
        "left",
        "leaver",
        "resign",
        "retire",
        "dismiss",
        "inactiv",
        "deceased",
        "separated",
        "former",
        "departed",
        "offboarded",
        "ausgeschieden",
        "ausgetreten",
        "gekündigt",
        "inaktiv",
        "inactif",
        "sorti",
        "démission",
        "licencié",
        "licencie",
        "retrait",
        "inactivo",
        "cesado",
        "despedid",
        "jubilad",
        "inativ",
        "desligad",
        "demitid",
        "aposentad",
    ),
    "active": (
        "activ",
        "employed",
        "current",
        "working",
        "regular",
        "permanent",
        "probation",
        "aktiv",
        "beschäftigt",
        "probezeit",
        "actif",
        "présent",
        "alta",
        "ativ",
        "efetiv",
    ),
}
STATUS_SIGNS = {
    "在籍": "active",
    "在職": "active",
    "在职": "active",
    "试用": "active",
    "試用": "active",
    "退職": "leaver",
    "离职": "leaver",
    "離職": "leaver",
    "退休": "leaver",
    "休職": "leave",
    "休假": "leave",
    "育休": "leave",
    "内定": "future",
    "待入职": "future",
    "term": "leaver",
    "parti": "leaver",
    "partie": "leaver",
    "not started": "future",
    "not yet started": "future",
    "pre-hire": "future",
    "new hire": "future",
}
NEGATIONS = frozenset(["not", "no", "non", "nicht", "pas", "ex", "ikke", "não"])
STATUSES = ("active", "leave", "future", "leaver")


def guess_status(word: str) -> str:
    """What a word of a status column most likely means; "" if it cannot be told, or says two things at once."""
    said = " ".join(word.casefold().split())
    signs = {
        meaning
        for sign, meaning in STATUS_SIGNS.items()
        if said == sign or (not sign.isascii() and sign in said)
    }
    if len(signs) == 1:
        return signs.pop()
    words = re.findall(r"[^\W\d_]+", said)
    if NEGATIONS & set(words):
        return ""
    meant = {m for m, stems in STATUS_STEMS.items() for w in words if w.startswith(stems)}
    if any(w.startswith("leaver") for w in words):
        meant.discard("leave")
    return meant.pop() if len(meant) == 1 else ""


SEX_WORDS = {
    "m": "male",
    "f": "female",
    "w": "female",
    "man": "male",
    "woman": "female",
    "d": "diverse",
    "x": "diverse",
    "h": "male",
    "männlich": "male",
    "weiblich": "female",
    "divers": "diverse",
    "homme": "male",
    "femme": "female",
    "masculin": "male",
    "féminin": "female",
    "hombre": "male",
    "mujer": "female",
    "masculino": "male",
    "femenino": "female",
    "feminino": "female",
    "男": "male",
    "女": "female",
    "男性": "male",
    "女性": "female",
    "♂": "male",
    "♀": "female",
}
SEXES = ("female", "male", "diverse")
# Letters that prove each other, whatever else stands in their column.
SEX_PAIRS = ({"m", "f"}, {"m", "w"}, {"h", "f"}, {"h", "m"}, {"男", "女"})
A_CODE = re.compile(r"\d+([.,]0+)?|.")


def sex_signs(letters: Collection[str]) -> tuple[bool, bool]:
    """Whether M beside these letters of a column is "mujer", and whether they leave M and F in doubt.

    They do where a letter stands beside one of them that is in no pair: V is "varón" in one language and "vrouw"
    in another, and F beside N is "férfi", a man.
    """
    small = {letter.casefold() for letter in letters}
    is_open = any(letter not in SEX_WORDS for letter in small) and not any(
        pair <= small for pair in SEX_PAIRS
    )
    return "h" in small, is_open


def read_sex(text: str, *, beside_h: bool = False, is_open: bool = False) -> str:
    """The sex as one word in small letters, others in their own words.

    Raises `Unreadable` for a number and for a letter that may mean either (`sex_signs`): no code is kept as it is.
    """
    said = " ".join(text.casefold().split())
    if beside_h and said == "m":
        return "female"
    known = SEX_WORDS.get(said)
    if A_CODE.fullmatch(said) and (known is None or (is_open and said in "mfwh")):
        raise Unreadable(
            _("“%(text)s” is a code for a sex that has no meaning yet.") % {"text": text[:20]},
            SEXES,
        )
    return (known or said)[:20]


NOT_A_PERSON = ("board", "director", "sharehold", "shareholders", "owner", "owners")


def is_no_person(name: str) -> bool:
    """Whether a manager's name says that nobody of the company leads: "Board of Directors"."""
    said = " ".join(name.casefold().split())
    return said in NOT_A_PERSON or said.startswith(
        ("board of", "supervisory board", "shareholder", "the board")
    )


def plain_reason(text: str) -> str:
    """A reason for leaving, without the filler that some systems write for those who have not left."""
    said = " ".join(text.split())
    return "" if said.casefold().startswith(("n/a", "none")) else said[:200]


def day_text(day: date | datetime | None) -> str:
    """A date as the database and a browser's date field write it."""
    return "" if day is None else (day.date() if isinstance(day, datetime) else day).isoformat()
