"""Which column of a file is what: guessed from its header and its values, corrected by people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pmcycle.people.rules import cells
from pmcycle.people.rules.names import PATTERNS, plain, tidy

HEADER_WITHIN = 15
Text = str | Promise


@dataclass(frozen=True)
class Field:
    """One thing that a column can hold. `headers`: how columns that hold it are usually called."""

    name: str
    label: Text
    headers: tuple[str, ...]
    is_date: bool = False
    help: Text = ""


PEOPLE: tuple[Field, ...] = (
    Field(
        "number",
        _("Employee number"),
        (
            "employee number",
            "employee id",
            "employee no",
            "emp id",
            "emp no",
            "staff number",
            "staff id",
            "personnel number",
            "number",
            "id",
            "empid",
            "payroll number",
            "worker id",
        ),
    ),
    Field("name", _("Name"), ("employee name", "full name", "name", "employee", "worker", "display name")),
    Field("given_name", _("First name"), ("first name", "given name", "forename")),
    Field("family_name", _("Last name"), ("last name", "family name", "surname")),
    Field("email", _("E-mail"), ("e mail", "email", "email address", "work email", "mail")),
    Field("job_title", _("Job title"), ("position", "job title", "title", "role", "job")),
    Field("job_family", _("Job family"), ("job family", "job group", "career track", "function")),
    Field("grade", _("Grade"), ("grade", "level", "band", "pay grade", "job grade", "job level")),
    Field(
        "unit",
        _("Unit"),
        ("department", "unit", "team", "division", "org unit", "business unit", "cost centre name"),
    ),
    Field(
        "location", _("Location"), ("location", "site", "office", "city", "state", "country", "work location")
    ),
    Field(
        "manager",
        _("Manager (name, number or e-mail)"),
        (
            "manager name",
            "manager",
            "supervisor",
            "reports to",
            "line manager",
            "manager id",
            "manager number",
            "manager e mail",
            "manager email",
        ),
    ),
    Field(
        "hired_on",
        _("Hired on"),
        ("date of hire", "hire date", "hired on", "start date", "hired", "joined", "entry date"),
        True,
    ),
    Field(
        "left_on",
        _("Left on"),
        (
            "date of termination",
            "termination date",
            "leaving date",
            "left on",
            "end date",
            "exit date",
            "last day",
        ),
        True,
    ),
    Field("status", _("Status"), ("employment status", "status", "state of employment")),
    Field(
        "leave_reason",
        _("Reason for leaving"),
        ("reason for term", "termination reason", "reason for leaving", "leave reason", "term reason"),
    ),
    Field(
        "pay",
        _("Pay"),
        (
            "pay rate",
            "salary",
            "pay",
            "base pay",
            "annual salary",
            "wage",
            "rate",
            "base salary",
            "hourly rate",
        ),
    ),
    Field("currency", _("Currency of pay"), ("currency", "pay currency")),
    Field("fte", _("Full-time equivalent"), ("fte", "full time equivalent")),
    Field("sex", _("Sex"), ("sex", "gender")),
    Field("born_on", _("Born on"), ("dob", "date of birth", "birth date", "born on", "birthday"), True),
)

PAY_RANGES: tuple[Field, ...] = (
    Field("job_title", _("Job title"), ("position", "job title", "title", "job", "role")),
    Field("grade", _("Grade"), ("grade", "level", "band", "pay grade")),
    Field(
        "minimum", _("Lowest yearly pay"), ("salary min", "min", "minimum", "annual min", "yearly min", "low")
    ),
    Field(
        "midpoint",
        _("Middle yearly pay"),
        ("salary mid", "mid", "midpoint", "median", "middle", "annual mid", "yearly mid"),
    ),
    Field(
        "maximum",
        _("Highest yearly pay"),
        ("salary max", "max", "maximum", "annual max", "yearly max", "high"),
    ),
    Field("currency", _("Currency"), ("currency",)),
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
        lacks += [f.label for f in PAY_RANGES if f.name in ("minimum", "maximum") and f.name not in mapping]
    return lacks


def _said(header: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in plain(header)).split())


@dataclass
class Head:
    """The header of a file: its names and the number of the row it (last) stands on, counted from 0."""

    names: list[str] = field(default_factory=list)
    row: int = 0


def find_header(kind: str, rows: Sequence[Sequence[str]]) -> Head:
    """The header among the first rows: the row that names most fields, with group titles above it put in front.

    A sheet with "Salary … Hourly" over "Min, Mid, Max, Min, Mid, Max" gets "Salary Min" and "Hourly Min".
    """
    best, found = 0, Head()
    for index, row in enumerate(rows[:HEADER_WITHIN]):
        names = [tidy(c) for c in row]
        above = rows[index - 1] if index else []
        if index and _is_group_row(above, row):
            group, full = "", []
            for column, name in enumerate(names):
                group = tidy(above[column]) if column < len(above) and above[column].strip() else group
                full.append(f"{group} {name}".strip() if name else "")
            names = full
        count = len(guess(kind, names))
        if count > best:
            best, found = count, Head(names, index)
    if not best and rows:
        index = next((i for i, row in enumerate(rows[:HEADER_WITHIN]) if any(c.strip() for c in row)), 0)
        found = Head([tidy(c) for c in rows[index]], index)
    return found


def _is_group_row(above: Sequence[str], row: Sequence[str]) -> bool:
    """Whether `above` titles groups of columns of `row`: fewer words, none a number, over a row of repeated names."""
    titles = [c for c in above if c.strip()]
    names = [c.strip().casefold() for c in row if c.strip()]
    return 0 < len(titles) < len(names) and len(set(names)) < len(names)


def guess(kind: str, header: Sequence[str]) -> dict[str, int]:
    """Field name → column index, by the names of the columns: exact names first, then names that begin so."""
    said = [_said(h) for h in header]
    mapping: dict[str, int] = {}
    taken: set[int] = set()
    for exact in (True, False):
        for f in FIELDS[kind]:
            if f.name in mapping:
                continue
            for wanted in f.headers:
                column = next(
                    (
                        i
                        for i, s in enumerate(said)
                        if i not in taken
                        and s
                        and (s == wanted if exact else s.startswith(f"{wanted} ") and len(wanted) > 3)
                    ),
                    None,
                )
                if column is not None:
                    mapping[f.name] = column
                    taken.add(column)
                    break
    if "name" in mapping and {"given_name", "family_name"} <= mapping.keys():
        del mapping["name"]
    return mapping


def guess_by_values(kind: str, mapping: dict[str, int], samples: Sequence[Sequence[str]]) -> dict[str, int]:
    """The mapping with columns added whose values give them away: e-mail addresses under an odd header."""
    if kind != "people" or "email" in mapping:
        return mapping
    width = max((len(r) for r in samples), default=0)
    for column in range(width):
        values = [r[column] for r in samples if column < len(r) and r[column].strip()]
        if (
            column not in mapping.values()
            and len(values) > 1
            and sum("@" in v for v in values) > 0.6 * len(values)
        ):
            return {**mapping, "email": column}
    return mapping


def signature(header: Sequence[str]) -> str:
    """What two files with the same columns have in common, so that a mapping once corrected is found again."""
    return hashlib.sha256(json.dumps([_said(h) for h in header]).encode()).hexdigest()


def column_of(rows: Sequence[Sequence[str]], mapping: Mapping[str, int], name: str) -> list[str]:
    """The non-empty values of the column mapped to `name`."""
    at = mapping.get(name)
    return [] if at is None else [tidy(r[at]) for r in rows if at < len(r) and r[at].strip()]


def guess_options(
    kind: str, mapping: Mapping[str, int], rows: Sequence[Sequence[str]], *, currency: str
) -> dict[str, Any]:
    """How to read the values, guessed from up to a few thousand rows.

    `date_order` with `date_order_proven`; `pay_basis` (hour if the usual pay is below 500);
    `status`: every word of the status column with its likely meaning; `top`: managers that are no
    persons; `email_source`: the column, built addresses, or none.
    """
    if kind != "people":
        return {"currency": currency}
    dates = [v for f in PEOPLE if f.is_date for v in column_of(rows, mapping, f.name)]
    order, proven = cells.guess_order(dates)
    amounts = []
    for value in column_of(rows, mapping, "pay"):
        try:
            amounts.append(cells.read_amount(value) or Decimal(0))
        except cells.Unreadable:
            continue
    usual = sorted(amounts)[len(amounts) // 2] if amounts else Decimal(0)
    words = {" ".join(v.casefold().split()): v for v in column_of(rows, mapping, "status")}
    managers = {" ".join(v.casefold().split()): v for v in column_of(rows, mapping, "manager")}
    return {
        "date_order": order,
        "date_order_proven": proven,
        "pay_basis": "hour" if 0 < usual < 500 else "year",
        "hours_per_year": 2080,
        "currency": currency,
        "status": {word: cells.guess_status(shown) or "active" for word, shown in sorted(words.items())[:30]},
        "top": sorted(shown for shown in managers.values() if cells.is_no_person(shown))[:20],
        "email_source": "column" if "email" in mapping else "none",
        "email_pattern": PATTERNS[0],
        "email_domain": "",
    }
