"""How dates, amounts, numbers, names and texts are written for people, in pages, mails and files alike."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

import nh3
from babel.core import Locale, UnknownLocaleError
from babel.numbers import (
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
    get_decimal_symbol,
)
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext, to_locale
from markdown_it import MarkdownIt

from pmcycle.days import begin_of, today_here, today_in, zone_of

Number = int | float | Decimal
Day = dt.date | dt.datetime
Here = tuple[str, str, str, dt.date]

# How the reader of this request writes numbers, where they chose it: people read a page in English and write
# "1.000,50" all their life. "" as the language of the page does.
_numbers: Final = ContextVar("numbers", default="")

#: The languages of numbers that people choose between, with a number in each.
NUMBERS: Final = (("en", "1,234.56"), ("de", "1.234,56"), ("fr", "1 234,56"), ("de-ch", "1’234.56"))

#: How many classes ``hue-0`` … the stylesheet defines for avatars.
HUES: Final = 10

#: The percentages that say "nothing" and "all".
EDGES: Final = (Decimal(0), Decimal(100))

#: Beyond this many words a comparison shows the two texts whole, because a word-level one would be slow and
#: unreadable.
DIFF_LIMIT: Final = 4000

# Headings and images stay plain text: a heading would break the page's outline, an image would tell its
# host who reads.
_MARKDOWN: Final = (
    MarkdownIt("commonmark", {"html": False, "breaks": True})
    .enable(["table", "strikethrough"])
    .disable(["html_block", "html_inline", "heading", "lheading", "image"])
)
_TAGS: Final = {
    "p",
    "br",
    "strong",
    "em",
    "s",
    "ul",
    "ol",
    "li",
    "blockquote",
    "code",
    "pre",
    "hr",
    "a",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


@contextmanager
def numbers_as(language: str) -> Iterator[None]:
    """Write and read numbers as this language does until the end of the block; "" as the active language."""
    before = _numbers.set(language)
    try:
        yield
    finally:
        _numbers.reset(before)


def number_language() -> str:
    """Return the language by whose rules numbers are written and read now: the reader's choice, else the page's."""
    return _numbers.get() or get_language() or "en"


def babel_locale() -> Locale:
    """Return the language of numbers as a Babel locale, English if Babel does not know it."""
    try:
        return Locale.parse(to_locale(number_language()))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def to_decimal(value: object) -> Decimal | None:
    """Return ``value`` as a finite Decimal, or None if it is not a number."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() else None


def number_text(value: object, digits: int | None = None) -> str:
    """Return a number in the reader's language: no trailing zeros, or exactly ``digits`` decimals.

    "–" for none.
    """
    number = to_decimal(value)
    return "–" if number is None else _number_text(number, digits, number_language())


@lru_cache(maxsize=4096)
def _number_text(number: Decimal, digits: int | None, _language: str) -> str:
    if digits is None:
        return str(
            format_decimal(number.normalize(), format="#,##0.##########", locale=babel_locale())
        )
    exact = number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return str(format_decimal(exact, format=pattern, locale=babel_locale()))


def short_of(percent: Decimal, digits: int = 0) -> Decimal:
    """Return a percentage rounded half up, but never to a 0 or 100 that it is not.

    What comes that near keeps as many decimals more as tell it from them, four at most, and then is cut
    instead of rounded: 99.6 stays 99.6, 99.996 stays 99.996, 99.99999 becomes 99.9999.
    """
    for places in range(digits, max(digits, 4) + 1):
        rounded = percent.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
        if rounded not in EDGES or rounded == percent:
            return rounded
    # Cut away from the edge: down below 100 and above 0 up, so that neither is claimed.
    step = Decimal(1).scaleb(-max(digits, 4))
    return rounded + (step if percent > rounded else -step)


@dataclass(frozen=True)
class Unsure:
    """A typed number that can be read in two ways; both as they would be typed without doubt."""

    thousands: str
    decimals: str


def read_number(typed: str, places: int = 2) -> Decimal | Unsure | None:
    """Return the number that somebody typed, whose numbers are of the `number_language`; None if it is none.

    Marks of other languages are understood where only one reading is possible: "0,5", "12.5", "1 000,50",
    "1’000", "1.000.000", "1,234.5". One mark before exactly three digits says two things, "1.000" a
    thousand or one: it is `Unsure` where the mark parts decimals in this language, and in a field of
    `places` decimals that may have as many.
    """
    text = re.sub(r"[\s'’]", " ", typed.strip().replace("−", "-").replace("\u202f", " "))
    found = re.fullmatch(r"([-+]?) ?(\d{1,3}(?: \d{3})+|\d*)((?:[.,]\d+)*)", text)
    if found is None or len(text) > 40 or not any(sign.isdecimal() for sign in text):
        return None
    sign, spaced, rest = found[1].replace("+", ""), found[2].replace(" ", ""), found[3]
    marks, parts = re.findall(r"[.,]", rest), re.split(r"[.,]", rest)[1:]
    if not marks:
        return Decimal(sign + spaced)
    last, whole, fraction = marks[-1], spaced, ""
    is_grouped = all(len(part) == 3 for part in parts) and 0 < len(spaced) < 4 and spaced[0] != "0"
    if len(set(marks)) == 2:
        # The last mark parts the decimals; what stands before it are thousands, all by the other mark.
        *groups, fraction = parts
        if last in marks[:-1] or not 0 < len(spaced) < 4 or any(len(part) != 3 for part in groups):
            return None
        whole += "".join(groups)
    elif len(marks) > 1:
        if not is_grouped or " " in found[2]:
            return None
        whole += "".join(parts)
    elif is_grouped and " " not in found[2]:
        decimals, thousands = Decimal(f"{sign}{spaced}.{parts[0]}"), f"{spaced}{parts[0]}"
        if last == decimal_mark() or places >= len(parts[0]):
            return Unsure(sign + thousands, typed_text(decimals))
        whole += parts[0]
    else:
        fraction = parts[0]
    return Decimal(f"{sign}{whole or 0}.{fraction or 0}")


def decimal_mark() -> str:
    """Return what parts the decimals of a number in the reader's language."""
    return str(get_decimal_symbol(babel_locale()))


def typed_text(number: Decimal) -> str:
    """Return a number as somebody would type it in the reader's language, so that only one reading is possible."""
    text = f"{number:f}"
    if re.fullmatch(r"-?[1-9]\d{0,2}\.\d{3}", text):
        plain = f"{number.normalize():f}"
        text = plain if "." in plain else f"{plain}.0"
        text += "0" if re.fullmatch(r"-?\d+\.\d{3}", text) else ""
    return text.replace(".", decimal_mark())


def percent_number(percent: object, digits: int = 0) -> str:
    """Return a percentage given in points (42) as a number in the reader's language, by `short_of`; "–" for none."""
    number = to_decimal(percent)
    if number is None:
        return "–"
    exact = short_of(number, digits)
    return number_text(exact, max(digits, -int(exact.as_tuple().exponent)))


def percent_text(fraction: object, digits: int = 0) -> str:
    """Return a fraction (0.42) as a percentage (42%) in the reader's language, by `short_of`; "–" for none."""
    number = to_decimal(fraction)
    if number is None:
        return "–"
    exact = short_of(number * 100, digits).scaleb(-2)
    digits = max(digits, -int(exact.as_tuple().exponent) - 2)
    locale = babel_locale()
    suffix = locale.percent_formats[None].pattern.lstrip("#,0.")
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + suffix
    return str(format_percent(exact, format=pattern, locale=locale))


def money_text(amount: object, currency: str) -> str:
    """Return an amount with its ISO currency, rounded half up to the currency's own digits first.

    "–" for none.
    """
    number = to_decimal(amount)
    if number is None:
        return "–"
    code = str(currency).upper()
    exact = number.quantize(
        Decimal(1).scaleb(-get_currency_precision(code)), rounding=ROUND_HALF_UP
    )
    # A code of letters stands off its number, as CLDR's currency spacing has it and Babel does not.
    return re.sub(
        r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])",
        "\xa0",
        str(format_currency(exact, code, locale=babel_locale())),
    )


def here() -> Here:
    """What decides how times and numbers read now: language, that of numbers, zone, the day there."""
    return (
        get_language() or "",
        number_language(),
        timezone.get_current_timezone_name(),
        local_day(timezone.now()),
    )


def local_day(value: Day) -> dt.date:
    """Return the calendar day of a date or of an instant in the active time zone."""
    if isinstance(value, dt.datetime):
        return (timezone.localtime(value) if timezone.is_aware(value) else value).date()
    return value


def exact_instant(value: Day) -> str:
    """Return the unmistakable form of a date or instant, with the zone, for a hover or a file."""
    if isinstance(value, dt.datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return local.strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    return value.isoformat()


def when_text(value: Day, *, full: bool = False) -> str:
    """Return a date or instant in words; the year only where it differs from this one.

    ``full`` adds weekday and year.
    """
    day = local_day(value)
    if full:
        words = date_format(day, "l j F Y")
    elif day.year == local_day(timezone.now()).year:
        words = date_format(day, "j M")
    else:
        words = date_format(day, "j M Y")
    if isinstance(value, dt.datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        words = f"{words}, {time_format(local, 'H:i')}"
    return words


def when_html(value: Day | None, *, full: bool = False, relative: bool = False) -> SafeString:
    """Return a ``<time>`` in words with the exact instant as its title.

    The script may add "3 hours ago" if ``relative``.
    """
    if not isinstance(value, dt.date):
        return format_html('<span class="text-secondary">{}</span>', "–")
    return _when_html(value, full, relative, here())


@lru_cache(maxsize=8192)
def _when_html(value: Day, full: bool, relative: bool, _here: Here) -> SafeString:
    machine = (
        timezone.localtime(value)
        if isinstance(value, dt.datetime) and timezone.is_aware(value)
        else value
    )
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        machine.isoformat(),
        exact_instant(value),
        mark_safe(" data-relative") if relative else "",
        when_text(value, full=full),
    )


def due_text(day: dt.date, today: dt.date) -> str:
    """Return how far off a due day is: "due today", "due in 3 days", "2 days overdue"; far days as a date.

    ``today`` is the day in the place of the due day, which need not be the reader's.
    """
    days = (day - today).days
    if days == 0:
        return gettext("due today")
    if days == 1:
        return gettext("due tomorrow")
    if days < 0:
        return ngettext("%(n)d day overdue", "%(n)d days overdue", -days) % {"n": -days}
    if days <= 21:
        return ngettext("due in %(n)d day", "due in %(n)d days", days) % {"n": days}
    return gettext("due %(day)s") % {"day": when_text(day)}


def due_tone(day: dt.date, today: dt.date) -> str:
    """Return how pressing a due day is: ``late``, ``soon`` (within three days) or ``later``."""
    days = (day - today).days
    return "late" if days < 0 else "soon" if days <= 3 else "later"


def place_text(zone: str) -> str:
    """Return a time zone as people say it: the place, "New York"."""
    return zone.rpartition("/")[2].replace("_", " ")


def today_at(zone: str) -> dt.date:
    """Return today in the place of a due day: a cycle's zone, or "" for where the reader is."""
    there = zone_of(zone)
    return today_in(there) if there else today_here()


def due_place(day: dt.date, zone: str) -> tuple[str, str]:
    """Return the place where a due day is a day, and when that day is over for the reader, in their own zone.

    Two empty texts where it ends at the same moment for the reader, or nobody's zone but theirs is meant.
    """
    there, midnight = zone_of(zone), day + dt.timedelta(days=1)
    if there is None or begin_of(midnight, there) == begin_of(
        midnight, timezone.get_current_timezone()
    ):
        return "", ""
    return place_text(zone), when_text(begin_of(midnight, there))


def due_words(day: dt.date, zone: str) -> str:
    """Return by when, for a mail: how far off, which day, and whose where the reader's is another one.

    "due tomorrow (3 Mar)", "due tomorrow (3 Mar in New York, over 4 Mar, 06:00 your time)".
    """
    far, named = due_text(day, today_at(zone)), when_text(day)
    place, over = due_place(day, zone)
    if place:
        words = {"far": far, "day": named, "place": place, "over": over}
        return gettext("%(far)s (%(day)s in %(place)s, over %(over)s your time)") % words
    return far if named in far else f"{far} ({named})"


def markdown_html(text: object) -> SafeString:
    """Return people's Markdown as safe HTML.

    No raw HTML, no headings, no images, links that carry no referrer.
    """
    rendered = nh3.clean(
        _MARKDOWN.render(str(text or "")),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    # nh3 has just cleaned it.
    return mark_safe(f'<div class="prose">{rendered}</div>')  # noqa: S308


def name_of(person: object) -> str:
    """Return the display name of a person.

    A string itself, or its ``name``, ``full_name`` or ``get_full_name()``.
    """
    if isinstance(person, str):
        return person
    for attribute in ("name", "full_name", "get_full_name"):
        found = getattr(person, attribute, None)
        found = found() if callable(found) else found
        if found:
            return str(found)
    return str(person) if person is not None else ""


def initials(person: object) -> str:
    """Return one or two capital letters for a person's avatar, "?" if there is no letter in the name."""
    words = [word for word in re.split(r"[\s.\-_]+", name_of(person)) if word and word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] if len(words) == 1 else words[0][0] + words[-1][0]
    return letters.upper()


def hue(person: object) -> int:
    """Return the colour number of a person's avatar, the same at every visit."""
    return zlib.crc32(name_of(person).encode()) % HUES


def diff_html(old: object, new: object) -> SafeString:
    """Return the words of both texts in one line of reading.

    With what went and what came marked and named aloud.
    """
    before, after = (re.findall(r"\s+|\w+|[^\w\s]", str(text or "")) for text in (old, new))
    if len(before) + len(after) > DIFF_LIMIT:
        codes = [("replace", 0, len(before), 0, len(after))]
    else:
        codes = list(difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes())
    gone, came = gettext("removed:"), gettext("added:")
    pieces: list[SafeString] = []
    for kind, i1, i2, j1, j2 in codes:
        left, right = "".join(before[i1:i2]), "".join(after[j1:j2])
        if kind == "equal":
            pieces.append(format_html("{}", left))
            continue
        if left:
            pieces.append(
                format_html('<del><span class="visually-hidden">{} </span>{}</del>', gone, left)
            )
        if right:
            pieces.append(
                format_html('<ins><span class="visually-hidden">{} </span>{}</ins>', came, right)
            )
    return format_html(
        '<span class="diff">{}</span>', format_html_join("", "{}", ((piece,) for piece in pieces))
    )


# Which word in what a browser says of itself stands for it; the first that is there, because each also names others.
BROWSERS = (
    (("Edg/", "EdgA/", "EdgiOS/"), "Edge"),
    (("OPR/", "Opera"), "Opera"),
    (("SamsungBrowser/",), "Samsung Internet"),
    (("Firefox/", "FxiOS/"), "Firefox"),
    (("Chrome/", "CriOS/", "Chromium/"), "Chrome"),
    (("Safari/",), "Safari"),
)
SYSTEMS = (
    (("iPhone",), "iPhone"),
    (("iPad",), "iPad"),
    (("Android",), "Android"),
    (("Windows",), "Windows"),
    (("Macintosh", "Mac OS X"), "macOS"),
    (("CrOS",), "ChromeOS"),
    (("Linux", "X11"), "Linux"),
)


def browser_text(agent: str) -> str:
    """What a browser says of itself, as people say it: "Firefox on Linux"; what is not known is not repeated."""

    def first(known: tuple[tuple[tuple[str, ...], str], ...]) -> str:
        return next((name for marks, name in known if any(mark in agent for mark in marks)), "")

    browser, system = first(BROWSERS), first(SYSTEMS)
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    if system:
        return gettext("a browser on %(system)s") % {"system": system}
    return browser or gettext("another browser or program")
