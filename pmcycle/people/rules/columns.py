"""Which column of a file is what: guessed from its header and its values, corrected by people."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import chain, islice
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pmcycle.people.rules import cells, headers
from pmcycle.people.rules.names import PATTERNS, is_open, key_of, plain, same_order, tidy, words_of

HEADER_WITHIN = 30
Text = str | Promise


@dataclass(frozen=True)
class Field:
    """One thing that a column can hold. `headers`: how columns that hold it are usually called."""

    name: str
    label: Text
    headers: tuple[str, ...]
    is_date: bool = False


PEOPLE: tuple[Field, ...] = tuple(
    Field(name, label, headers.PEOPLE[name], name in ("hired_on", "left_on", "born_on"))
    for name, label in (
        ("number", _("Employee number")),
        ("name", _("Name")),
        ("given_name", _("First name")),
        ("family_name", _("Last name")),
        ("email", _("E-mail")),
        ("job_title", _("Job title")),
        ("job_family", _("Job family")),
        ("grade", _("Grade")),
        ("unit", _("Unit")),
        ("location", _("Location")),
        ("manager", _("Manager (name, number or e-mail)")),
        ("hired_on", _("Hired on")),
        ("left_on", _("Left on")),
        ("status", _("Status")),
        ("leave_reason", _("Reason for leaving")),
        ("pay", _("Pay")),
        ("pay_per", _("Pay is per")),
        ("currency", _("Currency of pay")),
        ("fte", _("Full-time equivalent")),
        ("sex", _("Sex")),
        ("born_on", _("Born on")),
    )
)

PAY_RANGES: tuple[Field, ...] = tuple(
    Field(name, label, headers.PAY_RANGES[name])
    for name, label in (
        ("job_title", _("Job title")),
        ("grade", _("Grade")),
        ("minimum", _("Lowest yearly pay")),
        ("midpoint", _("Middle yearly pay")),
        ("maximum", _("Highest yearly pay")),
        ("currency", _("Currency")),
    )
)

FIELDS: dict[str, tuple[Field, ...]] = {"people": PEOPLE, "pay_ranges": PAY_RANGES}


def missing(kind: str, mapping: Mapping[str, int]) -> list[Text]:
    """What a file of this kind cannot do without and has no column for, as labels."""
    lacks: list[Text] = []
    if kind == "people":
        if "number" not in mapping:
            lacks.append(_("Employee number"))
        if "name" not in mapping and "family_name" not in mapping:
            lacks.append(_("Name"))
        if "hired_on" not in mapping:
            lacks.append(_("Hired on"))
    else:
        if "job_title" not in mapping and "grade" not in mapping:
            lacks.append(_("Job title"))
        lacks += [
            f.label
            for f in PAY_RANGES
            if f.name in ("minimum", "maximum") and f.name not in mapping
        ]
    return lacks


@cache
def _said(header: str) -> str:
    """A header in plain small letters, its words parted by blanks: "DateofHire" as "dateof hire"."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", header).replace(
        "#", " # "
    )
    return " ".join("".join(c if c.isalnum() or c == "#" else " " for c in plain(parted)).split())


def _compact(header: str) -> str:
    return _said(header).replace(" ", "")


@dataclass
class Head:
    """The header of a file: its names and the number of the row it (last) stands on, counted from 0."""

    names: list[str] = field(default_factory=list)
    row: int = 0


def find_header(kind: str, rows: Sequence[Sequence[str]]) -> Head:
    """The header among the first rows: the row that names most fields, with group titles above it put in front.

    Titles above it are passed over. A sheet with "Salary … Hourly" over "Min, Mid, Max, Min, Mid, Max"
    gets "Salary Min" and "Hourly Min". Where no row names a field, it is the first of the fullest rows.
    """
    best, found = 0, Head()
    for index, row in enumerate(rows[:HEADER_WITHIN]):
        names = [tidy(c) for c in row]
        above = rows[index - 1] if index else []
        if index and _is_group_row(above, row):
            group, full = "", []
            for column, name in enumerate(names):
                group = (
                    tidy(above[column]) if column < len(above) and above[column].strip() else group
                )
                full.append(f"{group} {name}".strip() if name else "")
            names = full
        count = len(guess(kind, names))
        if count > best:
            best, found = count, Head(names, index)
    if not best and rows:
        filled = [sum(bool(c.strip()) for c in row) for row in rows[:HEADER_WITHIN]]
        index = filled.index(max(filled))
        found = Head([tidy(c) for c in rows[index]], index)
    return found


def has_no_header(kind: str, head: Head) -> bool:
    """Whether what was taken for a header is a line of values: it names no field, and holds a day, sum or address."""
    return not guess(kind, head.names) and any(
        "@" in c or fits("hired_on", [c]) or (fits("pay", [c]) and len(c) > 2)
        for c in head.names
        if c
    )


def _is_group_row(above: Sequence[str], row: Sequence[str]) -> bool:
    """Whether `above` titles groups of columns of `row`: fewer words, none a number, over a row of repeated names."""
    titles = [c for c in above if c.strip()]
    names = [c.strip().casefold() for c in row if c.strip()]
    return 0 < len(titles) < len(names) and len(set(names)) < len(names)


def fits(name: str, values: Sequence[str]) -> bool:
    """Whether at least half of a column's values look like what the field `name` holds; true for an empty column."""
    said = [v for v in values if v.casefold() not in cells.NO_VALUE]
    if not said:
        return True
    if name == "number":
        return len(set(said)) * 2 > len(said)
    if name in ("name", "given_name", "family_name"):
        return sum(any(c.isalpha() for c in v) and "@" not in v for v in said) * 2 > len(said)
    looks = {
        **dict.fromkeys(
            ("hired_on", "left_on", "born_on"), lambda v: cells.read_date(v, "each", 2000)
        ),
        **dict.fromkeys(
            ("pay", "minimum", "midpoint", "maximum"), lambda v: cells.read_money(v, "", "")
        ),
        "email": lambda v: "@" in v,
        "pay_per": guess_basis,
    }.get(name)
    if looks is None:
        return True

    def right(value: str) -> bool:
        try:
            return bool(looks(value))
        except cells.Unreadable as error:
            return bool(error.readings)

    return sum(map(right, said)) * 2 >= len(said)


# Every code of money that people write a sign for; no country is written like one of these.
WIDELY_USED = frozenset(code for codes in cells.MONEY.values() for code in codes)
# What a column "Title" holds that says how somebody is addressed, not what they do.
SALUTATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "professor",
        "sir",
        "herr",
        "frau",
        "m",
        "mme",
        "mlle",
        "monsieur",
        "madame",
        "sr",
        "sra",
        "srta",
        "senor",
        "senora",
        "dra",
        "prof dr",
        "dr ing",
        "dipl ing",
        "mag",
    ]
)


def _is_salutation(column: Sequence[str]) -> bool:
    said = [_said(v) for v in column if v.casefold() not in cells.NO_VALUE]
    return bool(said) and sum(v in SALUTATIONS for v in said) * 2 > len(said)


# What follows the name of a field and makes another thing of it: "Department Code", "Salary Grade".
OTHER_THINGS = frozenset(
    ["id", "code", "number", "no", "nr", "date", "type", "group", "grade", "currency", "level"]
)


def _has_a_twin(at: int, compact: Sequence[str], values: Sequence[Sequence[str]]) -> bool:
    """Whether another column is called the same and says something else: which of them is meant is not guessed."""
    return any(
        i != at and compact[i] == compact[at] and column and column != values[at]
        for i, column in enumerate(values)
    )


def guess(kind: str, header: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> dict[str, int]:
    """Field name → column index: by names that are the field's own, then by names that begin so.

    A column whose values in `rows` are of another kind is passed over for one that fits. Of several columns that name a
    manager it is the one whose values are found among the people.
    """
    said, compact = [_said(h) for h in header], [_compact(h) for h in header]
    values = [[tidy(r[i]) for r in rows if i < len(r) and r[i].strip()] for i in range(len(header))]
    mapping: dict[str, int] = {}
    for exact in (True, False):
        for f in FIELDS[kind]:
            if f.name in mapping:
                continue
            found = [
                i
                for wanted in f.headers
                for i in range(len(header))
                if i not in mapping.values()
                and said[i]
                and not (f.name == "job_title" and _is_salutation(values[i]))
                and (
                    compact[i] == _compact(wanted)
                    if exact
                    else _begins(said[i], _said(wanted)) and fits(f.name, values[i])
                )
            ]
            # What is called so and holds something else is taken only where nothing fits, and then asked about.
            found = [i for i in found if fits(f.name, values[i])] or found
            if f.name == "manager" and rows and found:
                keys = [mapping[n] for n in ("number", "email") if n in mapping]
                known = {v.casefold() for i in keys for v in values[i]}
                found.sort(key=lambda i: -sum(v.casefold() in known for v in values[i]))
            if found and not _has_a_twin(found[0], compact, values):
                mapping[f.name] = found[0]
    if "name" in mapping and {"given_name", "family_name"} <= mapping.keys():
        del mapping["name"]
    for alone, other in (("given_name", "family_name"), ("family_name", "given_name")):
        if alone in mapping and other not in mapping and "name" not in mapping:
            mapping["name"] = mapping.pop(alone)
    if kind == "people" and "email" not in mapping:
        for i, column in enumerate(values):
            if i not in mapping.values() and len(column) > 1 and fits("email", column):
                mapping["email"] = i
                break
    return mapping | _currency_beside(mapping, said, values)


def _currency_beside(
    mapping: Mapping[str, int], said: Sequence[str], values: Sequence[Sequence[str]]
) -> dict[str, int]:
    """The column that names the currencies of the pay, where no header calls it so."""
    if "currency" in mapping or not {"pay", "minimum"} & mapping.keys():
        return {}
    free = [i for i in range(len(said)) if i not in mapping.values()]
    found = [i for i in free if _names_currencies(said[i], values[i])]
    # Nearest to the pay of which it speaks, rather behind it: another may be of a bonus.
    pay = mapping.get("pay", mapping.get("minimum", 0))
    return {"currency": min(found, key=lambda i: (abs(i - pay), i < pay))} if found else {}


def _names_currencies(said: str, column: Sequence[str]) -> bool:
    """Whether a column names currencies: by its header, or because each of its cells is one that is in use widely."""
    codes = {v.upper() for v in column if v.casefold() not in cells.NO_VALUE}
    if any(w in said for w in headers.PEOPLE["currency"]):
        return codes <= cells.currencies()
    return bool(codes) and codes <= WIDELY_USED


# A column that is called a name and one of these is half of a name: "Legal Name - First".
HALVES = frozenset(["first", "given", "last", "family", "middle", "surname"])


def _begins(said: str, wanted: str) -> bool:
    rest = said.removeprefix(f"{wanted} ")
    words = set(rest.split())
    # Half a name, unless the field itself is one: "First name [required]" begins with a whole field.
    is_whole = (
        HALVES & set(wanted.split()) or len(HALVES & words) != 1 or "name" not in said.split()
    )
    return len(wanted) > 3 and rest != said and not OTHER_THINGS & words and bool(is_whole)


def signature(header: Sequence[str]) -> str:
    """What two files with the same columns have in common, so that a mapping once corrected is found again."""
    return hashlib.sha256(json.dumps([_said(h) for h in header]).encode()).hexdigest()


def column_of(rows: Iterable[Sequence[str]], mapping: Mapping[str, int], name: str) -> list[str]:
    """The non-empty values of the column mapped to `name`."""
    at = mapping.get(name)
    return [] if at is None else [tidy(r[at]) for r in rows if at < len(r) and r[at].strip()]


def word(text: str) -> str:
    """A word of a column of words, as its meaning is kept."""
    return " ".join(text.casefold().split())


def guess_basis(text: str) -> str:
    """Whether a header or a cell names an hour, a month or a year; "" for none or several of them."""
    said = _said(text)
    found = {
        basis
        for basis, stems in headers.BASES.items()
        for stem in stems
        if (
            stem in text
            if not stem.isascii()
            else any(w == stem or (len(stem) > 3 and w.startswith(stem)) for w in said.split())
        )
    }
    return found.pop() if len(found) == 1 else ""


# Where amounts in these currencies lie, hours, months and years of pay cannot be taken for each other.
ALIKE = frozenset(["USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD"])
HOUR_BELOW, YEAR_FROM = 200, 20_000


def _basis_of(header: str, amounts: Sequence[Decimal], unread: bool, currency: str) -> str:
    """What pay is given per, if header or amounts say so for certain; else ""."""
    named = guess_basis(header)
    if named or not (amounts or unread):  # of no amount nothing is in doubt
        return named or "year"
    if not amounts:
        return ""
    low, high = min(amounts), max(amounts)
    if currency in ALIKE and high < HOUR_BELOW:
        return "hour"
    return "year" if currency in ALIKE and low >= YEAR_FROM else ""


# "kEUR" and "TEUR", which are no word like "TEAM".
_OF_A_CURRENCY = rf"(?<![^\W\d_])[kKT](?=(?:{'|'.join(sorted(WIDELY_USED))})\b)"
# How a header says that its amounts are thousands: "k€", "TEUR", "in Tsd.", "('000)", "千円".
_IN_THOUSANDS = re.compile(
    r"(?<![^\W\d_])[kK]\s?[€$£]|[€$£]\s?[kK](?![^\W\d_])|(?<![^\W\d_])T[€$£]|\b[Tt]sd\b|[Tt]housand|\b[Tt]ausend"
    r"|\bmilliers\b|\b(en miles|miles de)\b|\bmilhares\b|['’]000|\b000s\b|[(\[]000[)\]]|\bin [kK]\b|[(\[][kK][)\]]|千"
    rf"|{_OF_A_CURRENCY}"
)


def is_in_thousands(header: str) -> bool:
    """Whether a header says that its amounts are given in thousands."""
    return bool(_IN_THOUSANDS.search(header))


def _currency_in(header: str) -> str:
    parted = re.sub(_OF_A_CURRENCY, "", header)
    said = re.findall(r"[A-Z]{3}|[€£₹₩₺]|zł|Kč", parted)
    found = {cells.MONEY[c][0] if c in cells.MONEY else c for c in said}
    found &= (
        cells.currencies() - {"ANG", "ALL", "TOP", "TRY"}
        if "(" not in header
        else cells.currencies()
    )
    return found.pop() if len(found) == 1 else ""


class _NameSigns:
    """What a file says about which name stands first where no comma says; its size does not grow with the lines.

    Signs: the header, family names in capitals, addresses that begin with one of the names, and managers
    whose names are written with a comma or, for two columns, the other way round. `first` are lines
    enough to know managers from.
    """

    def __init__(
        self, header: str, mapping: Mapping[str, int], first: Sequence[Sequence[str]]
    ) -> None:
        self.mapping = mapping
        self.votes: Counter[str] = Counter()
        # Some names of which only the order tells the parts.
        self.open: list[str] = []
        managers = column_of(first, mapping, "manager")
        if "name" not in mapping:
            self._compare(managers, first)
            return
        said = _said(header)
        firsts = [
            said.find(w)
            for w in ("last", "family", "surname", "nach", "apellido", "nom ")
            if w in said
        ]
        seconds = [said.find(w) for w in ("first", "given", "vor", "prenom", "nombre") if w in said]
        if firsts and seconds:
            self.votes["family" if min(firsts) < min(seconds) else "given"] += 1
        self.with_comma = {key_of(m): words_of(m.partition(",")[0]) for m in managers if "," in m}

    def _compare(self, managers: Sequence[str], first: Sequence[Sequence[str]]) -> None:
        people = {}
        for row in first:
            given, family = (
                column_of([row], self.mapping, n)[:1] for n in ("given_name", "family_name")
            )
            if given and family:
                people[key_of(f"{given[0]} {family[0]}")] = f"{given[0]} {family[0]}"
        for said in managers:
            if "," not in said and (person := people.get(key_of(said))):
                self.votes["given" if same_order(said, person) else "family"] += 1

    def add(self, row: Sequence[str]) -> None:
        found = column_of([row], self.mapping, "name")
        if not found or not is_open(found[0]):
            return
        cells.keep_some(self.open, found[0])
        words = found[0].split()
        first, last = words[0], words[-1]
        if first.isupper() != last.isupper() and len(first) > 1 and len(last) > 1:
            self.votes["family" if first.isupper() else "given"] += 1
        local = "".join(column_of([row], self.mapping, "email")[:1]).partition("@")[0].casefold()
        begins = [words_of(w)[:1] for w in (first, last)]
        if local and "." in local and begins[0] != begins[1]:
            start = [local.partition(".")[0]]
            self.votes["given"] += start == begins[0]
            self.votes["family"] += start == begins[1]
        last_words = self.with_comma and self.with_comma.get(key_of(found[0]))
        if last_words:
            self.votes["family" if words_of(first) == last_words else "given"] += 1

    def order(self) -> str:
        """ "given" or "family"; "" where the file gives signs of both or of neither, or nothing depends on it."""
        given, family = self.votes["given"], self.votes["family"]
        if "name" not in self.mapping:
            return "given" if given >= family else ""
        if bool(given) == bool(family):
            return ""
        return "family" if family else "given"


# The answers of the page of columns, and the columns that each of them is about.
ABOUT: dict[str, tuple[str, ...]] = {
    "orders": ("hired_on", "left_on", "born_on"),
    "decimal": ("pay", "minimum", "midpoint", "maximum"),
    "pay_basis": ("pay", "pay_per"),
    "pay_words": ("pay_per",),
    "usual_pay": ("pay", "pay_per"),
    "sex_beside_h": ("sex",),
    "sex_is_open": ("sex",),
    "percent": ("fte",),
    "currency": ("pay", "currency", "minimum", "maximum"),
    "thousands": ("pay", "minimum", "midpoint", "maximum"),
    "status": ("status",),
    "name_order": ("name", "given_name", "family_name", "manager"),
    "no_manager": ("manager",),
    "top": ("manager",),
    "email_source": ("email",),
}
MOST_WORDS = 60
# A column with more different words than this holds none whose meaning could be asked.
KEPT_WORDS = 1_000
# So many people without a manager may be the top of a company; of more it is asked.
FEW_AT_THE_TOP = 3
# The columns are told by so many lines, and so are managers and what is usual. What leaves a whole
# file in doubt is looked for in all of it.
TELLING = 20_000


class _Words:
    """The different words of a column, each as it was written last."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def add(self, text: str) -> None:
        said = word(text)
        if said in self.found or len(self.found) < KEPT_WORDS:
            self.found[said] = text

    def meanings(self, guess: Callable[[str], str]) -> dict[str, str]:
        told = {said: shown for said, shown in self.found.items() if said not in cells.NO_VALUE}
        return {said: guess(shown) for said, shown in sorted(told.items())[:MOST_WORDS]}


def guess_options(
    kind: str,
    mapping: Mapping[str, int],
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    currency: str,
) -> dict[str, Any]:
    """How to read the values, as far as header and values say it; "" for what has to be asked.

    `rows` are all lines below the header, taken one by one. `orders`: the order of day and month of each
    column of days; `decimal`: the decimal mark of pay; `pay_basis`; `pay_words` and `status`: every word
    of these columns with its likely meaning; `name_order`: which name stands first; `no_manager`: whether
    people without one are the top of the company or wait for one; `top`: managers that are no persons;
    `percent`: whether something shows that shares of full time are percentages;
    `thousands`: the columns of amounts whose header says that they are thousands;
    `email_source`: the column or none; `examples`: cells that each answer reads otherwise.
    """

    def title(name: str) -> str:
        return header[mapping[name]] if name in mapping and mapping[name] < len(header) else ""

    rest = iter(rows)
    first = list(islice(rest, TELLING))
    marks, letters, percent = (
        cells.MarkSigns(),
        set[str](),
        "%" in title("fte") or "percent" in title("fte").lower(),
    )
    orders = {f.name: cells.OrderSigns() for f in PEOPLE if f.is_date and f.name in mapping}
    status, per, tops = _Words(), _Words(), _Words()
    order_of_names = _NameSigns(title("name"), mapping, first)
    without = 0
    for row in chain(first, rest):
        for name in ABOUT["decimal"]:
            for value in column_of([row], mapping, name):
                if word(value) not in cells.NO_VALUE:
                    marks.add(value)
        if kind != "people":
            continue
        for name, signs in orders.items():
            for value in column_of([row], mapping, name):
                signs.add(value)
        for name, words in (("status", status), ("pay_per", per)):
            for value in column_of([row], mapping, name):
                words.add(value)
        for value in column_of([row], mapping, "manager"):
            if cells.is_no_person(value):
                tops.add(value)
        order_of_names.add(row)
        without += is_without_manager(row, mapping)
        percent = percent or any(map(cells.is_percent, column_of([row], mapping, "fte")))
        letters |= {
            word(v)
            for v in column_of([row], mapping, "sex")
            if len(v.strip()) == 1 and v.strip().isalpha()
        }
    decimal, _proven = marks.mark()
    named = _currency_in(title("pay") or title("minimum"))
    options: dict[str, Any] = {
        "decimal": decimal,
        "currency": named or currency,
        "thousands": [name for name in ABOUT["thousands"] if is_in_thousands(title(name))],
        "examples": {"decimal": marks.open},
    }
    if kind != "people":
        return options
    said_pay = [v for v in column_of(first, mapping, "pay") if word(v) not in cells.NO_VALUE]
    amounts, own = _amounts(said_pay, decimal, currency)
    amounts = [a * cells.THOUSAND for a in amounts] if "pay" in options["thousands"] else amounts
    per_words = per.meanings(guess_basis)
    beside_h, sex_is_open = cells.sex_signs(letters)
    return options | {
        "orders": {
            name: order if proven else ""
            for name, (order, proven) in ((name, signs.order()) for name, signs in orders.items())
        },
        "pay_basis": _basis_of(
            title("pay"),
            [a for a in amounts if a > 0],
            bool(said_pay),
            min(own, default=named or currency),
        ),
        "pay_words": per_words,
        "usual_pay": str(sorted(amounts)[len(amounts) // 2])
        if len(amounts) > 4 and not per_words
        else "",
        "sex_beside_h": beside_h,
        "sex_is_open": sex_is_open,
        "percent": percent,
        "hours_per_year": 2080,
        "payments_per_year": 12,
        "status": status.meanings(cells.guess_status),
        "name_order": order_of_names.order(),
        "no_manager": "top" if without <= FEW_AT_THE_TOP else "",
        "top": sorted(tops.found.values())[:20],
        "email_source": "column" if "email" in mapping else "none",
        "email_pattern": PATTERNS[0],
        "email_domain": "",
        "examples": {
            "decimal": marks.open,
            "name": order_of_names.open,
            **{name: signs.open for name, signs in orders.items()},
        },
    }


def _amounts(said: Sequence[str], decimal: str, home: str) -> tuple[list[Decimal], set[str]]:
    """The amounts that can be read, and the currencies that stand with them."""
    amounts, own = [], set()
    for value in said:
        try:
            amount, code = cells.read_money(value, decimal, home)
        except cells.Unreadable:
            continue
        own |= {code} - {""}
        amounts.append(amount or Decimal(0))
    return amounts, own


def is_without_manager(row: Sequence[str], mapping: Mapping[str, int]) -> bool:
    """Whether a line has a column for a manager with nothing in it, and is about somebody who has not left."""
    at = mapping.get("manager")
    if at is None or not any(c.strip() for c in row) or column_of([row], mapping, "left_on"):
        return False
    return not column_of([row], mapping, "manager") or word(row[at]) in cells.NO_VALUE


def rederive(
    options: Mapping[str, Any],
    fresh: Mapping[str, Any],
    old: Mapping[str, int],
    new: Mapping[str, int],
) -> dict[str, Any]:
    """`options`, with everything that is about a column chosen anew as `fresh` derives it."""
    moved = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    about = {name for name, fields in ABOUT.items() if moved & set(fields)}
    kept = {
        **fresh,
        **{k: v for k, v in options.items() if k not in about},
        "examples": fresh["examples"],
    }
    if "orders" in about:
        kept["orders"] = {
            name: order if name in moved else dict(options.get("orders", {})).get(name, order)
            for name, order in fresh["orders"].items()
        }
    return kept


def plain_amount(amount: Decimal, mark: str, *, thousands: bool = False) -> str:
    """An amount with two decimals or more, never three, so that it is read back in one way only."""
    places = Decimal("0.0001")
    rounded = amount.quantize(places, ROUND_HALF_UP)
    if thousands:
        rounded = (rounded / cells.THOUSAND).quantize(places / cells.THOUSAND)
    cents = rounded.quantize(Decimal("0.01"))
    return f"{cents if cents == rounded else rounded:f}".replace(".", mark)
