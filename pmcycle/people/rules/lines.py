"""One line of a file: what it says about a person, and what would change. Nothing here reads or writes rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
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
TOTALS = ("total", "totals", "sum", "grand total", "subtotal", "count")


@dataclass
class Reading:
    """A line as read: `values` ready for the database as text, `errors` that refuse it, `notes` worth saying."""

    values: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    passed: str = ""
    name: Name = field(default_factory=lambda: Name("", ""))


def cell(row: Sequence[str], mapping: Mapping[str, int], name: str) -> str:
    """The cell of the column mapped to `name`, with single spaces; empty where there is none."""
    at = mapping.get(name)
    return tidy(row[at]) if at is not None and at < len(row) else ""


def read_person(
    row: Sequence[str], mapping: Mapping[str, int], options: Mapping[str, Any], as_of: date
) -> Reading:
    """Read one line of people. Keys of `values` are set only for columns that are mapped."""
    reading = Reading()
    values, errors = reading.values, reading.errors
    if not any(c.strip() for c in row):
        reading.passed = _("An empty line.")
        return reading

    def said(name: str) -> str:
        return cell(row, mapping, name)

    if "name" in mapping:
        reading.name = parse_name(said("name"))
    else:
        reading.name = Name(said("given_name"), said("family_name"))
    name = reading.name
    values["name"], values["sort_name"] = name.shown, name.sorted_by
    values["number"] = said("number")
    if not values["number"] and (not name.shown or name.shown.casefold() in TOTALS):
        reading.passed = _("No person: a heading, a total or an empty line.")
        return reading
    if not values["number"]:
        errors.append(_("The employee number is missing."))
    if not name.shown:
        errors.append(_("The name is missing."))
    elif len(name.shown) > 190:
        errors.append(_("The name is longer than 190 letters."))
    for simple in ("job_title", "job_family", "grade", "unit", "location"):
        if simple in mapping:
            values[simple] = said(simple)
    for limited, most in LENGTHS.items():
        if len(values.get(limited, "")) > most:
            errors.append(
                _("“%(text)s…” is longer than %(most)d letters.")
                % {"text": values[limited][:20], "most": most}
            )
    _read_email(said("email") if "email" in mapping else "", values, options, errors)
    _read_dates(said, mapping, options, as_of, reading)
    _read_status(said, mapping, options, as_of, reading)
    _read_pay(said, mapping, options, reading)
    if "sex" in mapping:
        values["sex"] = cells.read_sex(said("sex"))
    if "leave_reason" in mapping:
        values["leave_reason"] = cells.plain_reason(said("leave_reason")) if values.get("left_on") else ""
    if "manager" in mapping:
        values["manager"] = said("manager")
    return reading


def _read_email(text: str, values: dict[str, str], options: Mapping[str, Any], errors: list[str]) -> None:
    if options.get("email_source") != "column":
        return
    values["email"] = text.lower()
    if text:
        try:
            validate_email(text)
        except ValidationError:
            errors.append(_("“%(text)s” is not an e-mail address.") % {"text": text[:60]})


DATE_LABELS = {"hired_on": "hired", "left_on": "left", "born_on": "born"}


def _read_dates(
    said: Any, mapping: Mapping[str, int], options: Mapping[str, Any], as_of: date, reading: Reading
) -> None:
    found: dict[str, date | None] = {}
    for name in DATE_LABELS:
        if name not in mapping:
            continue
        try:
            found[name] = cells.read_date(said(name), str(options.get("date_order", "ymd")), as_of.year)
        except cells.Unreadable as error:
            reading.errors.append(str(error))
            continue
        reading.values[name] = cells.day_text(found[name])
    if "hired_on" in found and found["hired_on"] is None:
        reading.errors.append(_("The day of hire is missing."))
    hired, left, born = found.get("hired_on"), found.get("left_on"), found.get("born_on")
    if hired and left and left < hired:
        reading.errors.append(_("This person would have left before they were hired."))
    if born and hired and born >= hired:
        reading.errors.append(_("This person would have been born after they were hired."))


def _read_status(
    said: Any, mapping: Mapping[str, int], options: Mapping[str, Any], as_of: date, reading: Reading
) -> None:
    if "status" not in mapping:
        return
    word = said("status")
    meaning = dict(options.get("status", {})).get(" ".join(word.casefold().split()), "" if word else "active")
    if not meaning:
        reading.errors.append(
            _("The status “%(word)s” has no meaning yet; say what it means under columns.")
            % {"word": word[:40]}
        )
        return
    reading.values["status"] = meaning
    left, hired = reading.values.get("left_on", ""), reading.values.get("hired_on", "")
    if meaning == "leaver" and not left:
        reading.errors.append(_("The status says that this person left, but there is no day on which."))
    if meaning != "leaver" and left and left <= as_of.isoformat():
        reading.errors.append(_("There is a last day, but the status does not say that this person left."))
    if meaning == "future" and hired and hired <= as_of.isoformat():
        reading.notes.append(
            _("The status says “not started yet”, but the day of hire has passed; the day counts.")
        )


def _read_pay(said: Any, mapping: Mapping[str, int], options: Mapping[str, Any], reading: Reading) -> None:
    values, errors = reading.values, reading.errors
    fte = Decimal(1)
    if "fte" in mapping:
        try:
            share = cells.read_amount(said("fte"))
        except cells.Unreadable as error:
            errors.append(str(error))
            return
        fte = Decimal(1) if share is None else share / 100 if share > 2 else share
        if not 0 < fte <= 2:
            errors.append(_("A full-time equivalent lies above 0 and is 2 at most."))
            return
        fte = fte.quantize(Decimal("0.001"), ROUND_HALF_UP)
        values["fte"] = f"{fte:.3f}"
    if "pay" not in mapping:
        return
    try:
        amount = cells.read_amount(said("pay"))
    except cells.Unreadable as error:
        errors.append(str(error))
        return
    if amount is None:
        values["amount"] = ""
        return
    if amount <= 0:
        errors.append(_("Pay must be above zero."))
        return
    currency = (said("currency") or str(options.get("currency", ""))).upper()
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        errors.append(_("“%(text)s” is not a currency of three letters.") % {"text": currency[:10]})
        return
    basis = str(options.get("pay_basis", "year"))
    amount = amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    yearly = amount * Decimal(str(options.get("hours_per_year", 2080))) * fte if basis == "hour" else amount
    annual = yearly.quantize(CENT, ROUND_HALF_UP)
    if annual <= 0:
        errors.append(_("Pay must be above zero."))
        return
    values |= {"amount": f"{amount:.4f}", "annual": f"{annual:.2f}", "basis": basis, "currency": currency}


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


def read_range(row: Sequence[str], mapping: Mapping[str, int], options: Mapping[str, Any]) -> Reading:
    """Read one line of pay ranges; the middle is half way where the file has none."""
    reading = Reading()
    if not any(c.strip() for c in row):
        reading.passed = _("An empty line.")
        return reading
    values = reading.values
    values["job_title"], values["grade"] = cell(row, mapping, "job_title"), cell(row, mapping, "grade")
    numbers: dict[str, Decimal | None] = {}
    for name in ("minimum", "midpoint", "maximum"):
        try:
            numbers[name] = cells.read_amount(cell(row, mapping, name))
        except cells.Unreadable as error:
            reading.errors.append(str(error))
            numbers[name] = None
    if not values["job_title"] and not values["grade"]:
        if not any(numbers.values()) and not reading.errors:
            reading.passed = _("No pay range: a heading, a total or an empty line.")
            return reading
        reading.errors.append(_("Neither job title nor grade is named."))
    if len(values["job_title"]) > 200 or len(values["grade"]) > 40:
        reading.errors.append(_("The job title or the grade is too long."))
    low, high = numbers["minimum"], numbers["maximum"]
    if not reading.errors and (low is None or high is None):
        reading.errors.append(_("The lowest or the highest pay is missing."))
    currency = (cell(row, mapping, "currency") or str(options.get("currency", ""))).upper()
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        reading.errors.append(_("“%(text)s” is not a currency of three letters.") % {"text": currency[:10]})
    if reading.errors or low is None or high is None:
        return reading
    middle = numbers["midpoint"]
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
