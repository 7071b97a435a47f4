"""One line of a file: what it says about a person, and what would change. Nothing here reads or writes rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from pmcycle.people.rules import cells
from pmcycle.people.rules.names import Name, parse_name, tidy

CENT = Decimal("0.01")
LENGTHS = {
    "number": 40,
    "job_title": 200,
    "job_family": 200,
    "grade": 40,
    "unit": 200,
    "location": 120,
    "email": 254,
}
TEXTS = ("job_title", "job_family", "grade", "unit", "location")
TOTALS = ("total", "totals", "sum", "grand total", "subtotal", "count")
# Nobody comes in without these; every other cell can be left out alone.
NEEDED = frozenset(
    ["number", "name", "given_name", "family_name", "hired_on", "minimum", "maximum"]
)
# Names, places and titles can be called "Na" or "None"; elsewhere that says nothing.
CALLED = frozenset([*TEXTS, "name", "given_name", "family_name", "number"])
# Further ahead than this, or at a younger age, a day of hire is rather a slip than meant. Where the
# status says that somebody has not started yet, the day may lie further ahead, but not ten years.
YEARS_AHEAD, YEARS_AHEAD_IF_SAID, YOUNGEST = 2, 9, 14
# Further back than this nobody was hired, or born, who still stands in a file: it is what programs write for
# a day that they do not know.
LONGEST_AT_WORK, OLDEST = 80, 110
# Pay so many times above or below the usual of the file is rather given per something else.
FAR = 50
MOST_A_YEAR = Decimal(10) ** 12
BASES = ("hour", "month", "year")
NO_ANSWERS: Mapping[str, Any] = MappingProxyType({})


@dataclass
class Reading:
    """A line as read: `values` ready for the database as text, `errors` that refuse it, `notes` worth saying.

    `asks` are cells that cannot be read for certain: what they say, why that is in doubt, what it may
    mean, and whether the line can do without.
    """

    values: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    asks: list[dict[str, Any]] = field(default_factory=list)
    passed: str = ""
    name: Name = field(default_factory=lambda: Name("", ""))


class Doubt(cells.Unreadable):
    """A cell can be read, but what it says is unlikely: a person may say that it is right all the same."""


def cell(row: Sequence[str], mapping: Mapping[str, int], name: str) -> str:
    """The cell of the column mapped to `name`, with single spaces; empty where there is none or "NULL"."""
    at = mapping.get(name)
    text = tidy(row[at]) if at is not None and at < len(row) else ""
    if name in ("given_name", "family_name") and text == "Null":
        # There are people of that name; programs that mean nothing write it in one case.
        return text
    return "" if text.casefold() in (cells.NOTHING if name in CALLED else cells.NO_VALUE) else text


def name_of(row: Sequence[str], mapping: Mapping[str, int], options: Mapping[str, Any]) -> Name:
    """The name on a line, in the order that was settled for the file."""
    family_first = options.get("name_order") == "family"
    if "name" in mapping:
        return parse_name(cell(row, mapping, "name"), family_first=family_first)
    given, family = cell(row, mapping, "given_name"), cell(row, mapping, "family_name")
    return Name(family, given) if family_first else Name(given, family)


def number_of(row: Sequence[str], mapping: Mapping[str, int], answers: Mapping[str, Any]) -> str:
    """The employee number on a line as text, or the one that was typed for it; "1001.0" is a spreadsheet's 1001."""
    said = whole(cell(row, mapping, "number"))
    return str((answers.get(f"cell:number:{said}") or {}).get("read", said))


def whole(number: str) -> str:
    """A number of digits without the ".0" that programs add to it."""
    return number[:-2] if number.endswith(".0") and number[:-2].isdigit() else number


class _Line:
    """The cells of one line, read with the answers that people gave to cells like them."""

    def __init__(
        self,
        row: Sequence[str],
        mapping: Mapping[str, int],
        options: Mapping[str, Any],
        answers: Mapping[str, Any],
        reading: Reading,
    ) -> None:
        self.row, self.mapping, self.options, self.answers = row, mapping, options, answers
        self.reading = reading

    def said(self, name: str) -> str:
        return cell(self.row, self.mapping, name)

    def take(
        self,
        name: str,
        how: Callable[[str, bool], Any],
        doubt: Callable[[Any], None] | None = None,
        beside: str = "",
    ) -> Any:
        """The value of a cell as `how` reads it, or None where it is empty, left out or in doubt.

        `how` gets the text and whether it is an answer in plain form. `beside` is what else on the line
        the doubt is about, so that an answer holds only for lines that say the same.
        """
        text = self.said(name)
        key = f"{text} | {beside}" if beside else text
        answer = {
            **(self.answers.get(f"cells:{name}") or {}),
            **(self.answers.get(f"cell:{name}:{key}") or {}),
        }
        single = self.answers.get(f"cell:{name}:{key}") or {}
        if single.get("leave"):
            return None
        try:
            value = how(str(single["read"]), True) if "read" in single else how(text, False)
            if value is not None and doubt and not answer.get("sure"):
                doubt(value)
        except cells.Unreadable as error:
            if not (answer.get("leave") and name not in NEEDED):
                self.reading.asks.append(
                    {
                        "kind": "cell",
                        "field": name,
                        "key": key,
                        "said": text,
                        "why": str(error),
                        "readings": [r for r in error.readings if r],
                        "can_leave": name not in NEEDED,
                        "sure": isinstance(error, Doubt),
                    }
                )
            return None
        return value


def read_person(
    row: Sequence[str],
    mapping: Mapping[str, int],
    options: Mapping[str, Any],
    as_of: date,
    answers: Mapping[str, Any] = NO_ANSWERS,
) -> Reading:
    """Read one line of people. Keys of `values` are set only for columns that are mapped and cells that can be read."""
    reading = Reading()
    values, errors = reading.values, reading.errors
    if not any(c.strip() for c in row):
        reading.passed = _("An empty line.")
        return reading
    line = _Line(row, mapping, options, answers, reading)
    reading.name = name_of(row, mapping, options)
    name = reading.name
    values["name"], values["sort_name"] = name.shown, name.sorted_by
    number = whole(line.said("number"))
    if not number and (not name.shown or name.shown.casefold() in TOTALS):
        reading.passed = _("No person: a heading, a total or an empty line.")
        return reading
    values["number"] = line.take("number", _read_number) or number
    if not number:
        errors.append(_("The employee number is missing."))
    elif len(values["number"]) > LENGTHS["number"]:
        errors.append(_too_long("number", number))
    if not name.shown:
        errors.append(_("The name is missing."))
    elif len(name.shown) > 190:
        errors.append(_("The name is longer than 190 letters."))
    for simple in TEXTS:
        if simple in mapping:
            text = line.take(simple, partial(_read_text, simple))
            if text is not None:
                values[simple] = text
    if options.get("email_source") == "column" and "email" in mapping:
        address = line.take("email", _read_email)
        if address is not None:
            values["email"] = address
    _read_dates(line, as_of)
    _read_status(line, as_of)
    _read_pay(line)
    if "sex" in mapping:
        sex = line.take("sex", partial(_read_sex, options))
        if sex is not None:
            values["sex"] = sex
    if "leave_reason" in mapping:
        values["leave_reason"] = (
            cells.plain_reason(line.said("leave_reason")) if values.get("left_on") else ""
        )
    if "manager" in mapping:
        values["manager"] = whole(line.said("manager"))
    return reading


def _too_long(name: str, text: str) -> str:
    return _("“%(text)s…” is longer than %(most)d letters.") % {
        "text": text[:20],
        "most": LENGTHS[name],
    }


def _read_sex(options: Mapping[str, Any], text: str, plain: bool) -> str:
    if plain:
        return cells.read_sex(text)
    return cells.read_sex(
        text, beside_h=bool(options.get("sex_beside_h")), is_open=bool(options.get("sex_is_open"))
    )


def _read_number(text: str, plain: bool) -> str:
    text = whole(text)
    if not plain and cells.shortened(text):
        raise Doubt(
            _("“%(text)s” is a number cut short by a spreadsheet: its last figures are lost.")
            % {"text": text}
        )
    return text


def _read_text(name: str, text: str, _plain: bool = False) -> str:
    if text.casefold() in cells.BROKEN:
        raise cells.Unreadable(_("“%(text)s” is a formula that failed.") % {"text": text})
    if len(text) > LENGTHS[name]:
        raise cells.Unreadable(_too_long(name, text))
    return text


def _read_email(text: str, _plain: bool) -> str:
    if text:
        try:
            validate_email(text)
        except ValidationError:
            raise cells.Unreadable(
                _("“%(text)s” is not an e-mail address.") % {"text": text[:60]}
            ) from None
    return _read_text("email", text.lower())


DATE_LABELS = {"hired_on": "hired", "left_on": "left", "born_on": "born"}


def _read_dates(line: _Line, as_of: date) -> None:
    reading, orders = line.reading, dict(line.options.get("orders", {}))
    found: dict[str, date | None] = {}
    zone = str(line.options.get("zone", ""))

    def reader(name: str) -> Callable[[str, bool], date | None]:
        order = str(orders.get(name) or "each")
        return lambda text, plain: cells.read_date(
            text, "ymd" if plain else order, as_of.year, zone
        )

    def is_near(day: date) -> None:
        if as_of.year - day.year > LONGEST_AT_WORK:
            raise Doubt(
                _("“%(day)s” as the day of hire lies very long ago.") % {"day": day.isoformat()}
            )
        meaning = dict(line.options.get("status", {})).get(line.said("status").casefold())
        most = YEARS_AHEAD_IF_SAID if meaning == "future" else YEARS_AHEAD
        if day > as_of.replace(year=as_of.year + most, day=1):
            raise Doubt(
                _("“%(day)s” as the day of hire lies years ahead.") % {"day": day.isoformat()}
            )

    def is_grown(born: date) -> None:
        hired = found.get("hired_on")
        if born > as_of or (hired and born >= hired):
            raise cells.Unreadable(
                _("This person would have been born in the future.")
                if born > as_of
                else _("This person would have been born after they were hired.")
            )
        if hired and hired.year - born.year < YOUNGEST:
            raise Doubt(
                _("Born on %(born)s, this person would have been a child when hired.")
                % {"born": born.isoformat()}
            )
        if as_of.year - born.year > OLDEST:
            raise Doubt(
                _("Born on %(born)s, this person would be older than anybody who works.")
                % {"born": born.isoformat()}
            )

    doubts = {"hired_on": is_near, "born_on": is_grown}
    for name in DATE_LABELS:
        if name not in line.mapping:
            continue
        beside = line.said("hired_on") if name == "born_on" else ""
        asked = len(reading.asks)
        found[name] = line.take(name, reader(name), doubts.get(name), beside)
        if found[name] is not None or not line.said(name):
            reading.values[name] = cells.day_text(found[name])
        elif name == "hired_on" and len(reading.asks) == asked:
            reading.errors.append(_("The day of hire is missing."))
    if "hired_on" in found and not line.said("hired_on"):
        reading.errors.append(_("The day of hire is missing."))
    hired, left = found.get("hired_on"), found.get("left_on")
    if hired and left and left < hired:
        reading.errors.append(_("This person would have left before they were hired."))


def _read_status(line: _Line, as_of: date) -> None:
    reading = line.reading
    if "status" not in line.mapping or not line.said("status"):
        return
    meanings = dict(line.options.get("status", {}))

    def meaning_of(text: str, plain: bool) -> str:
        meaning = text if plain else meanings.get(" ".join(text.casefold().split()), "")
        if meaning not in cells.STATUSES:
            raise cells.Unreadable(
                _("The status “%(word)s” has no meaning yet.") % {"word": text[:40]}, cells.STATUSES
            )
        return str(meaning)

    meaning = line.take("status", meaning_of)
    if meaning is None:
        return
    reading.values["status"] = meaning
    left, hired = reading.values.get("left_on", ""), reading.values.get("hired_on", "")
    if (
        meaning == "leaver"
        and not left
        and not any(ask["field"] == "left_on" for ask in reading.asks)
    ):
        reading.errors.append(
            _("The status says that this person left, but there is no day on which.")
        )
    if meaning != "leaver" and left and left <= as_of.isoformat():
        reading.errors.append(
            _("There is a last day, but the status does not say that this person left.")
        )
    if meaning == "future" and hired and hired <= as_of.isoformat():
        reading.notes.append(
            _("The status says “not started yet”, but the day of hire has passed; the day counts.")
        )


def _read_share(text: str, _plain: bool) -> Decimal:
    share = cells.read_amount(text.rstrip("% ").strip(), cells.own_mark(text))
    fte = Decimal(1) if share is None else share / 100 if share > 2 or text.endswith("%") else share
    if not 0 < fte <= 2:
        raise cells.Unreadable(_("A full-time equivalent lies above 0 and is 2 at most."))
    fte = fte.quantize(Decimal("0.001"), ROUND_HALF_UP)
    if not fte:
        raise cells.Unreadable(_("A full-time equivalent lies above 0 and is 2 at most."))
    return fte


def _is_share(line: _Line, fte: Decimal) -> None:
    """Raise Doubt at 37.5 or 5 in a column in which nothing says that it holds percentages."""
    text = line.said("fte")
    if line.options.get("percent", True) or "%" in text:
        return
    if (cells.read_amount(text, cells.own_mark(text)) or 0) > 2:
        raise Doubt(
            _("“%(text)s” would be a share of %(share)s; it looks like hours or days a week.")
            % {"text": text[:20], "share": f"{fte.normalize():f}"}
        )


def _read_currency(text: str) -> str:
    code = text.upper() if text.upper() in cells.currencies() else ""
    if not code:
        raise cells.Unreadable(
            _("“%(text)s” is not a currency of three letters.") % {"text": text[:10]}
        )
    return code


def _read_pay(line: _Line) -> None:
    values, options = line.reading.values, line.options
    asked = len(line.reading.asks)
    fte = Decimal(1)
    if "fte" in line.mapping:
        share = line.take("fte", _read_share, partial(_is_share, line))
        if share is not None:
            fte, values["fte"] = share, f"{share:.3f}"
    if "pay" not in line.mapping:
        return
    home, mark = str(options.get("currency", "")), str(options.get("decimal", ""))
    column = line.take("currency", lambda t, _plain: _read_currency(t) if t else "") or ""
    usual = Decimal(str(options.get("usual_pay") or 0))

    def money(text: str, plain: bool) -> tuple[Decimal, str] | None:
        amount, beside = cells.read_money(text, "." if plain else mark, column or home)
        if amount is None:
            return None
        if not plain and "pay" in options.get("thousands", ()):
            amount = cells.in_thousands(amount, text)
        if amount.quantize(Decimal("0.0001"), ROUND_HALF_UP) <= 0:
            raise cells.Unreadable(_("Pay must be above zero."))
        if beside and column and beside != column:
            raise cells.Unreadable(
                _("“%(text)s” is in another currency than its column says, %(code)s.")
                % {"text": text[:40], "code": column},
                (f"{amount} {column}",),
            )
        return amount, beside or column or home

    def like_others(paid: tuple[Decimal, str]) -> None:
        if usual and not usual / FAR < paid[0] < usual * FAR:
            raise Doubt(
                _("“%(text)s” is far from what the others are paid.")
                % {"text": line.said("pay")[:40]}
            )

    paid = line.take("pay", money, like_others)
    basis = _basis(line) if paid else ""
    if paid and len(line.reading.asks) == asked:
        amount, currency = paid
        if currency not in cells.currencies():
            line.reading.errors.append(
                _("“%(text)s” is not a currency of three letters.") % {"text": currency[:10]}
            )
            return
        amount = amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)
        annual = (amount * payments(basis, options, fte)).quantize(CENT, ROUND_HALF_UP)
        if not 0 < annual < MOST_A_YEAR:
            line.reading.errors.append(
                _("The pay of a year is too small or too large to be meant.")
            )
            return
        values |= {
            "amount": f"{amount:.4f}",
            "annual": f"{annual:.2f}",
            "basis": basis,
            "currency": currency,
        }
    elif not line.said("pay"):
        values["amount"] = ""


def payments(basis: str, options: Mapping[str, Any], fte: Decimal) -> Decimal:
    """How often pay of this basis is paid in a year; hours are those of somebody full-time, by their share."""
    if basis == "hour":
        return Decimal(str(options.get("hours_per_year", 2080))) * fte
    return Decimal(str(options.get("payments_per_year", 12))) if basis == "month" else Decimal(1)


def _basis(line: _Line) -> str:
    """What the pay of this line is given per: its own word, else the answer for the file; asks if neither says."""
    words, general = dict(line.options.get("pay_words", {})), str(line.options.get("pay_basis", ""))

    def meant(text: str, plain: bool) -> str:
        basis = (
            text if plain else words.get(" ".join(text.casefold().split()), "") if text else general
        )
        if basis not in BASES:
            raise cells.Unreadable(
                _("It is not known yet what “%(text)s” is paid per.")
                % {"text": text or line.said("pay")},
                BASES,
            )
        return str(basis)

    return str(line.take("pay_per", meant) or "")


def examples(
    name: str,
    rows: Iterable[Sequence[str]],
    mapping: Mapping[str, int],
    options: Mapping[str, Any],
    as_of: date,
    most: int = 3,
) -> list[dict[str, str]]:
    """Up to three different cells of a column as the file says them (`before`) and as they are read (`after`).

    Cells in doubt come first and have no `after`, but `why`.
    """
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        text = cell(row, mapping, name)
        if not text or text in found:
            continue
        reading = read_person(row, mapping, options, as_of)
        if reading.passed:
            continue
        asked = next((ask["why"] for ask in reading.asks if ask["field"] == name), "")
        found[text] = {
            "before": text,
            "after": "" if asked else _after(name, reading),
            "why": asked,
        }
    ordered = sorted(found.values(), key=lambda e: (not e["why"], -len(set(e["before"]))))
    return ordered[:most]


def _after(name: str, reading: Reading) -> str:
    values = reading.values
    if name == "pay":
        return (
            " ".join(values.get(k, "") for k in ("annual", "currency"))
            if values.get("annual")
            else ""
        )
    if name in ("name", "given_name", "family_name"):
        return values.get("sort_name", "")
    return values.get({"pay_per": "basis"}.get(name, name), "")


# What is compared, in the order in which it is shown. `status` is judged by its effects.
COMPARED = (
    "name",
    "email",
    "job_title",
    "job_family",
    "grade",
    "unit",
    "location",
    "hired_on",
    "left_on",
    "fte",
    "leave_reason",
    "sex",
    "born_on",
    "annual",
    "manager_number",
    "absent",
    "former",
)
PRIVATE = frozenset({"leave_reason", "sex", "born_on", "annual"})


def differences(values: Mapping[str, str], existing: Mapping[str, str]) -> dict[str, list[str]]:
    """Field → [old, new] for everything the line says otherwise than the record.

    What a line does not speak of (no column, or an empty pay, e-mail or unit cell) stays as it is.
    """
    changes: dict[str, list[str]] = {}
    for name in COMPARED:
        if name not in values:
            continue
        old, new = existing.get(name, ""), values[name]
        if name in ("email", "annual", "born_on", "sex") and not new:
            continue
        same = old.casefold() == new.casefold() if name in ("email", "unit") else old == new
        if (
            name == "annual"
            and same
            and (values.get("currency"), values.get("basis"))
            != (
                existing.get("currency"),
                existing.get("basis"),
            )
        ):
            same = False
        if not same:
            changes[name] = [old, new]
    return changes


def loops(manager_of: Mapping[str, str]) -> list[list[str]]:
    """Every circle in "who reports to whom", each as the chain of its members once around."""
    done: set[str] = set()
    found: list[list[str]] = []
    for start in manager_of:
        path: list[str] = []
        at: dict[str, int] = {}
        person: str | None = start
        while person is not None and person not in done and person not in at:
            at[person] = len(path)
            path.append(person)
            person = manager_of.get(person)
        if person is not None and person in at:
            found.append(path[at[person] :])
        done.update(path)
    return found


def read_range(
    row: Sequence[str],
    mapping: Mapping[str, int],
    options: Mapping[str, Any],
    answers: Mapping[str, Any] = NO_ANSWERS,
) -> Reading:
    """Read one line of pay ranges; the middle is half way where the file has none."""
    reading = Reading()
    if not any(c.strip() for c in row):
        reading.passed = _("An empty line.")
        return reading
    line = _Line(row, mapping, options, answers, reading)
    values = reading.values
    values["job_title"], values["grade"] = line.said("job_title"), line.said("grade")
    if not values["job_title"] and not values["grade"]:
        if not any(line.said(name) for name in ("minimum", "midpoint", "maximum")):
            reading.passed = _("No pay range: a heading, a total or an empty line.")
            return reading
        reading.errors.append(_("Neither job title nor grade is named."))
    if len(values["job_title"]) > 200 or len(values["grade"]) > 40:
        reading.errors.append(_("The job title or the grade is too long."))
    home, mark = str(options.get("currency", "")), str(options.get("decimal", ""))
    column = line.take("currency", lambda t, _plain: _read_currency(t) if t else "") or home

    def money(name: str, text: str, plain: bool) -> tuple[Decimal | None, str]:
        amount, beside = cells.read_money(text, "." if plain else mark, column)
        if amount is not None and not plain and name in options.get("thousands", ()):
            amount = cells.in_thousands(amount, text)
        return amount, beside

    said = {
        name: line.take(name, partial(money, name))
        for name in ("minimum", "midpoint", "maximum")
        if line.said(name)
    }
    if reading.asks or reading.errors:
        return reading
    low, middle, high = (
        (said.get(name) or (None, ""))[0] for name in ("minimum", "midpoint", "maximum")
    )
    named = {code for _amount, code in (pair for pair in said.values() if pair) if code}
    if low is None or high is None:
        reading.errors.append(_("The lowest or the highest pay is missing."))
        return reading
    if len(named) > 1 or (named and line.said("currency") and named != {column}):
        reading.errors.append(_("This line names two currencies."))
        return reading
    currency = named.pop() if named else column
    if currency not in cells.currencies():
        reading.errors.append(
            _("“%(text)s” is not a currency of three letters.") % {"text": currency[:10]}
        )
        return reading
    middle = (low + high) / 2 if middle is None else middle
    low, middle, high = (n.quantize(CENT, ROUND_HALF_UP) for n in (low, middle, high))
    if not 0 < low <= middle <= high:
        reading.errors.append(_("A pay range runs from minimum over midpoint to maximum."))
        return reading
    values |= {
        "minimum": f"{low:.2f}",
        "midpoint": f"{middle:.2f}",
        "maximum": f"{high:.2f}",
        "currency": currency,
    }
    return reading
