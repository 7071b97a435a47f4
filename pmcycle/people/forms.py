"""The shape of what people type about people. What may be done is decided by rules and actions."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.utils import formats
from django.utils.dates import WEEKDAYS
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pmcycle.days import today_here
from pmcycle.people.actions.importing import OPEN
from pmcycle.people.models import SCOPES, Employee, Import, Role, Unit, named_here
from pmcycle.people.rules import columns, lines, names
from pmcycle.people.rules.cells import EXAMPLES, ORDERS, Unreadable, read_date, read_money
from pmcycle.people.rules.names import PATTERNS
from pmcycle.people.rules.sheets import ENCODINGS, telling_lines, words_as
from pmcycle.ui.fields import PersonField, WholeField
from pmcycle.ui.formats import NUMBERS

ORDER_LABELS = {
    "mdy": _("month/day/year, as in 12/31/2026"),
    "dmy": _("day/month/year, as in 31/12/2026"),
    "ymd": _("year-month-day, as in 2026-12-31"),
    "each": _("in both orders; what may be either is asked day by day"),
}
BASIS_LABELS = {"hour": _("an hour"), "month": _("a month"), "year": _("a year")}
SEX_LABELS = {"female": _("female"), "male": _("male"), "diverse": _("diverse")}
STATUS_LABELS = {
    "active": _("works here"),
    "leave": _("is on leave"),
    "future": _("has not started yet"),
    "leaver": _("has left"),
}


class UploadForm(forms.Form):
    """A file and what it holds."""

    kind = forms.ChoiceField(
        label=_("What the file holds"),
        choices=Import.Kind.choices,
        initial="people",
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or Excel (.xlsx), as your HR system exports it; up to 200,000 lines."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        allow_empty_file=True,
    )


NOT_SAID = ("", _("— please say —"))


class ReadingForm(forms.Form):
    """How a file is opened before its columns are looked at: letters or sheet, and where the header stands."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    header_line = WholeField(
        label=_("Line with the names of the columns"), min_value=1, max_value=10_000_000
    )

    def __init__(self, run: Import, data: Mapping[str, Any] | None = None) -> None:
        reading = run.options.get("reading", {})
        super().__init__(data, initial={"version": run.version, **reading})
        names = list(reading.get("sheets", []))
        if names:
            self.fields["sheet"] = forms.ChoiceField(
                label=_("Sheet"), choices=[(n, n) for n in names], required=False, initial=names[0]
            )
        else:
            telling = telling_lines(bytes(run.content))
            in_doubt = list(reading.get("in_doubt", []))
            as_read = {e: words_as(telling, e) for e in ENCODINGS} if telling else {}
            likely = [*in_doubt, *(e for e in ENCODINGS if e not in in_doubt)]
            self.fields["encoding"] = forms.ChoiceField(
                label=_("Letters are written as"),
                choices=[
                    *([NOT_SAID] if in_doubt else []),
                    *(
                        (
                            e,
                            format_lazy(
                                "{}{}", ENCODINGS[e], f": {as_read[e]}" if as_read.get(e) else ""
                            ),
                        )
                        for e in likely
                        if not telling or as_read.get(e) or e == reading.get("encoding")
                    ),
                ],
                help_text=_("Its few letters leave it in doubt: choose how the names are right.")
                if in_doubt
                else "",
            )
            if in_doubt:
                self.initial["encoding"] = ""
        self.order_fields(["sheet", "encoding", "header_line"])

    def chosen(self) -> dict[str, Any]:
        """What to open the file with. The header is looked for anew where its line was not changed."""
        said = self.cleaned_data
        moved = said["header_line"] != self.initial.get("header_line")
        return {
            "encoding": said.get("encoding", ""),
            "sheet": said.get("sheet", ""),
            "header_line": said["header_line"] if moved else 0,
        }


def _with_examples(label: Any, texts: Sequence[str], read: Callable[[str], str]) -> Any:
    """An answer with what it makes of some cells: "12.345,67 (65.000 → 65000; 72.500 → 72500)"."""
    shown = []
    for text in texts:
        try:
            after = read(text)
        except Unreadable:
            continue
        if after:
            shown.append(f"{text} → {after}")
    return format_lazy("{} ({})", label, "; ".join(shown)) if shown else label


class ColumnsForm(forms.Form):
    """A select for each field of the product, and how to read the values.

    What neither header nor values prove has no answer until a person gives one. `rows` are some lines
    of the file, for examples.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, run: Import, data: Mapping[str, Any] | None = None, rows: Sequence[Sequence[str]] = ()
    ) -> None:
        self.run, self.rows = run, rows
        options = run.options
        initial: dict[str, Any] = {f"field-{name}": at for name, at in run.mapping.items()}
        initial |= {"version": run.version, **options, "top": "\n".join(options.get("top", []))}
        for name in ("status", "pay_words"):
            meanings = dict(options.get(name, {})).values()
            initial |= {f"{name}-{i}": meaning for i, meaning in enumerate(meanings)}
        initial |= {
            f"order-{name}": order for name, order in dict(options.get("orders", {})).items()
        }
        super().__init__(data, initial=initial)
        choices: list[tuple[str, Any]] = [("", _("— not in this file —"))]
        choices += [(str(i), f"{i + 1} · {name}") for i, name in enumerate(run.header) if name]
        for f in columns.FIELDS[run.kind]:
            self.fields[f"field-{f.name}"] = forms.ChoiceField(
                label=str(f.label), choices=choices, required=False
            )
        self.fields["currency"] = forms.RegexField(
            r"^[A-Za-z]{3}$",
            label=_("Currency, where the file names none"),
            max_length=3,
            error_messages={"invalid": _("Three letters, as in USD.")},
        )
        if {"pay", "minimum"} & run.mapping.keys():
            self._ask("decimal", _("Numbers are written as"), self._marks())
        if run.kind == Import.Kind.PEOPLE:
            self._add_people_options()

    def _ask(
        self, name: str, label: Any, choices: Sequence[tuple[str, Any]], help_text: Any = ""
    ) -> None:
        """A choice that has no answer yet where the file proves none."""
        open_choice = [] if self.initial.get(name) else [NOT_SAID]
        self.fields[name] = forms.ChoiceField(
            label=label,
            choices=[*open_choice, *choices],
            help_text=help_text
            if self.initial.get(name)
            else _("The file does not prove it: please say."),
            error_messages={"required": _("The file does not prove it: please say.")},
        )

    def _examples(self, question: str, *fields: str) -> list[str]:
        """Up to three cells that each answer reads otherwise; where the file has none, the first of its columns."""
        found = list(dict(self.run.options.get("examples", {})).get(question, ()))
        return (
            found
            or [
                text
                for name in fields
                for text in columns.column_of(self.rows, self.run.mapping, name)
            ][:1]
        )

    def _marks(self) -> list[tuple[str, Any]]:
        currency = str(self.initial.get("currency", ""))
        texts = self._examples("decimal", "pay", "minimum", "midpoint", "maximum")

        def read(text: str, mark: str) -> str:
            amount, _code = read_money(text, mark, currency)
            return "" if amount is None else f"{amount:f}"

        return [
            (mark, _with_examples(label, texts, partial(read, mark=mark)))
            for mark, label in ((".", _("12,345.67")), (",", _("12.345,67")))
        ]

    def _orders(self, name: str) -> list[tuple[str, Any]]:
        texts, year = self._examples(name, name), today_here().year

        def read(text: str, order: str) -> str:
            day = read_date(text, order, year)
            return formats.date_format(day, "j F Y") if day else ""

        return [
            (order, _with_examples(ORDER_LABELS[order], texts, partial(read, order=order)))
            for order in ORDERS
        ]

    def _add_people_options(self) -> None:
        mapping = self.run.mapping
        for f in columns.PEOPLE:
            if f.is_date and f.name in mapping:
                self._ask(
                    f"order-{f.name}",
                    format_lazy(_("How “{}” is written"), f.label),
                    self._orders(f.name),
                    _("The days in this column prove it."),
                )
        self.fields["as_of"] = forms.DateField(
            label=_("The file holds from"),
            widget=forms.DateInput,
            help_text=_(
                "A new manager, a new pay or a leave that the file shows begins on this day."
            ),
        )
        if "pay" in mapping:
            self._ask("pay_basis", _("Pay is given"), list(BASIS_LABELS.items()))
            # Where every line says itself what its pay is per, the file need not.
            self.fields["pay_basis"].required = "pay_per" not in mapping
        self.fields["hours_per_year"] = WholeField(
            label=_("Hours a year"), min_value=1, max_value=4000
        )
        self.fields["payments_per_year"] = WholeField(
            label=_("Monthly payments a year"), min_value=1, max_value=20
        )
        for name, labels in (("pay_words", BASIS_LABELS), ("status", STATUS_LABELS)):
            for i, word in enumerate(dict(self.run.options.get(name, {}))):
                self._ask(f"{name}-{i}", format_lazy(_("“{}” means"), word), list(labels.items()))
        if self._is_order_open():
            self._ask("name_order", _("Names are written"), self._name_orders())
        if "manager" in mapping:
            self._ask(
                "no_manager",
                _("Who has no manager in the file"),
                [("top", _("stands at the top of the company")), ("open", _("gets one later"))],
            )
        self.fields["top"] = forms.CharField(
            label=_("Managers who are no person"),
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text=_(
                "One a line, as in “Board of Directors”. Who reports to them stands at the top of the company."
            ),
        )
        self.fields["email_source"] = forms.ChoiceField(
            label=_("E-mail addresses"),
            widget=forms.RadioSelect,
            choices=[
                ("column", _("are in the column chosen above")),
                ("build", _("are built from the names")),
                ("none", _("come later; nobody can be invited until then")),
            ],
        )
        self.fields["email_pattern"] = forms.ChoiceField(
            label=_("Built as"), choices=[(p, f"{p}@…") for p in PATTERNS], required=False
        )
        self.fields["email_domain"] = forms.RegexField(
            r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}$",
            label=_("at"),
            required=False,
            max_length=200,
            error_messages={"invalid": _("A domain, as in example.com.")},
        )

    def _is_order_open(self) -> bool:
        """Whether it depends on an answer which of the names on a line is the family name."""
        if "name" in self.run.mapping:
            return bool(self.initial.get("name_order") or self._examples("name"))
        return "given_name" in self.run.mapping

    def _name_orders(self) -> list[tuple[str, Any]]:
        mapping: Mapping[str, int] = self.run.mapping
        if "name" in mapping:
            people: list[Sequence[str]] = [[text] for text in self._examples("name", "name")]
            mapping = {"name": 0}
        else:
            people = [r for r in self.rows if columns.column_of([r], mapping, "family_name")][
                :EXAMPLES
            ]
        pairs = {lines.name_of(row, mapping, {}).shown: row for row in people}

        def read(text: str, order: str) -> str:
            name = lines.name_of(pairs[text], mapping, {"name_order": order})
            return name.sorted_by if name.given else ""

        labels = (("given", _("as first name, last name")), ("family", _("the other way round")))
        return [
            (order, _with_examples(label, list(pairs), partial(read, order=order)))
            for order, label in labels
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.check_columns()
        if self.run.options.get("reading", {}).get("in_doubt"):
            self.add_error(None, _("Say first how the letters of this file are written."))
        if self.run.kind == Import.Kind.PEOPLE:
            if cleaned.get("email_source") == "build" and not cleaned.get("email_domain"):
                self.add_error("email_domain", _("Say which domain the addresses end in."))
            if cleaned.get("email_source") == "column" and not cleaned.get("field-email"):
                self.add_error("email_source", _("No column is chosen for the e-mail address."))
        return cleaned

    def check_columns(self) -> None:
        """Say beside the columns that one is taken twice or one is missing."""
        cleaned = self.cleaned_data
        used: dict[str, str] = {}
        for f in columns.FIELDS[self.run.kind]:
            column = cleaned.get(f"field-{f.name}", "")
            if column and column in used:
                self.add_error(f"field-{f.name}", _("This column is taken by another field."))
            elif column:
                used[column] = f.name
        lacks = [
            f.name
            for f in columns.FIELDS[self.run.kind]
            if f.label in columns.missing(self.run.kind, self.mapping())
        ]
        for name in lacks:
            self.add_error(f"field-{name}", _("The import cannot do without this column."))

    def has_columns(self) -> bool:
        """Whether the columns by themselves can be taken, whatever else is still to be answered."""
        return not any(name.startswith("field-") or name == "version" for name in self.errors)

    def mapping(self) -> dict[str, int]:
        """Field → column as chosen."""
        return {
            name.removeprefix("field-"): int(value)
            for name, value in self.cleaned_data.items()
            if name.startswith("field-") and value
        }

    def options(self) -> dict[str, Any]:
        """How to read the values, as far as it was answered."""
        cleaned = self.cleaned_data
        said = (
            "decimal",
            "pay_basis",
            "hours_per_year",
            "payments_per_year",
            "name_order",
            "no_manager",
            "email_source",
            "email_pattern",
        )
        options: dict[str, Any] = {k: cleaned[k] for k in said if cleaned.get(k)}
        if cleaned.get("currency"):
            options["currency"] = cleaned["currency"].upper()
        if self.run.kind != Import.Kind.PEOPLE:
            return options
        if cleaned.get("as_of"):
            options["as_of"] = cleaned["as_of"].isoformat()
        options["email_domain"] = (cleaned.get("email_domain") or "").lower()
        if "top" in cleaned:
            options["top"] = [
                " ".join(line.split()) for line in cleaned["top"].splitlines() if line.strip()
            ][:50]
        options["orders"] = {
            name: cleaned.get(f"order-{name}") or order
            for name, order in dict(self.run.options.get("orders", {})).items()
        }
        for name in ("status", "pay_words"):
            words = dict(self.run.options.get(name, {}))
            options[name] = {
                word: cleaned.get(f"{name}-{i}") or old
                for i, (word, old) in enumerate(words.items())
            }
        return options

    def column_fields(self) -> Sequence[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("field-")]

    def order_fields_shown(self) -> Sequence[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("order-")]

    def status_fields(self) -> Sequence[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("status-")]

    def pay_fields(self) -> Sequence[forms.BoundField]:
        shown = ("pay_basis", "decimal", "hours_per_year", "payments_per_year", "currency")
        words = [name for name in self.fields if name.startswith("pay_words-")]
        return [self[name] for name in (*shown, *words) if name in self.fields]


# What a decision is about, by its act; then what it settles.
ABOUT_LINE = {
    "skip": {"skip": True},
    "same": {"same": True},
    "new": {"new": True},
    "period": {"period": True},
    "undo": None,
}
ABOUT_CELL = {"leave": {"leave": True}, "sure": {"sure": True}}
FOR_ALL = {
    "all_same": ("lines:same", {"same": True}),
    "all_new": ("lines:alike", {"new": True}),
    "all_top": ("managers", ""),
    "all_open": ("managers", OPEN),
}


class SettleForm(forms.Form):
    """One decision by hand about a line, a cell or a manager's name, or about all of their kind."""

    ACTS = (
        *ABOUT_LINE,
        *ABOUT_CELL,
        *FOR_ALL,
        "number",
        "read",
        "manager",
        "top",
        "open",
        "all_leave",
        "all_sure",
        "all_skip",
    )

    version = forms.IntegerField(widget=forms.HiddenInput)
    line = WholeField(required=False, min_value=1, max_value=10_000_000)
    act = forms.ChoiceField(choices=[(a, a) for a in ACTS])
    number = forms.CharField(required=False, max_length=40)
    key = forms.CharField(required=False, max_length=2_100)
    other = forms.CharField(required=False, max_length=200)
    kind_of = forms.CharField(required=False, max_length=20)
    field = forms.ChoiceField(
        required=False,
        choices=sorted({(f.name, f.name) for fields in columns.FIELDS.values() for f in fields}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        act = cleaned.get("act")
        if (act in ABOUT_LINE or act == "number") and not cleaned.get("line"):
            self.add_error("line", _("Say which line is meant."))
        if act == "number" and not cleaned.get("number"):
            self.add_error("number", _("Write the employee number that this person shall have."))
        if act in ("manager", "top", "open") and not cleaned.get("key"):
            self.add_error("key", _("Say which manager is meant."))
        if act == "manager" and not (cleaned.get("number") or cleaned.get("other")):
            self.add_error(
                "other", _("Choose one of the names, or write the manager's employee number.")
            )
        if act in (*ABOUT_CELL, "read", "all_leave", "all_sure") and not cleaned.get("field"):
            self.add_error("field", _("Say which column is meant."))
        if act == "read" and not cleaned.get("other"):
            self.add_error("other", _("Write what this cell means."))
        if act == "all_skip" and not cleaned.get("kind_of"):
            self.add_error("kind_of", _("Say which lines are meant."))
        return cleaned

    def choices(self) -> dict[str, Any]:
        """The decision under the keys of `importing.settle`."""
        said = self.cleaned_data
        act = said["act"]
        if act in FOR_ALL:
            key, choice = FOR_ALL[act]
            return {key: choice}
        if act in ("manager", "top", "open"):
            who = {"top": "", "open": OPEN}.get(act, said["other"].strip() or said["number"])
            return {f"manager:{said['key']}": who}
        if act in ("all_leave", "all_sure"):
            return {f"cells:{said['field']}": {act.removeprefix("all_"): True}}
        if act in ABOUT_CELL or act == "read":
            choice = {"read": said["other"].strip()} if act == "read" else ABOUT_CELL[act]
            return {f"cell:{said['field']}:{said['key']}": choice}
        if act == "number":
            return {f"line:{said['line']}": {"number": said["number"]}}
        return {f"line:{said['line']}": ABOUT_LINE[act]}


class ZoneField(forms.CharField):
    """A time zone by its name, with the names to choose from while typing."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"list": "zones", "autocomplete": "off"}
        super().__init__(max_length=64, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> str:
        said: str = super().clean(value)
        if said and said not in zoneinfo.available_timezones():
            raise forms.ValidationError(
                _("There is no time zone of this name; write it as in Europe/Madrid.")
            )
        return said


def zone_choices() -> list[str]:
    """Time zones by name, for a list to choose from while typing."""
    return sorted(
        z
        for z in zoneinfo.available_timezones()
        if "/" in z and not z.startswith(("Etc/", "posix", "right"))
    )


class EmployeeForm(forms.Form):
    """The public record of a person."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(label=_("Name"), max_length=190)
    email = forms.EmailField(label=_("E-mail"), required=False, max_length=254)
    job_title = forms.CharField(label=_("Job title"), required=False, max_length=200)
    job_family = forms.CharField(label=_("Job family"), required=False, max_length=200)
    grade = forms.CharField(label=_("Grade"), required=False, max_length=40)
    unit = forms.CharField(
        label=_("Unit"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "units", "autocomplete": "off"}),
    )
    location = forms.CharField(label=_("Location"), required=False, max_length=120)

    @staticmethod
    def of(person: Employee) -> dict[str, Any]:
        """What the form shows for a person as they are now."""
        simple = ("version", "name", "email", "job_title", "job_family", "grade", "location")
        return {
            **{k: getattr(person, k) for k in simple},
            "unit": person.unit.name if person.unit else "",
        }

    def clean_unit(self) -> Unit | None:
        return find_unit(self.cleaned_data["unit"])

    def values(self) -> dict[str, Any]:
        """The record's fields, ready for the action."""
        values = {k: v for k, v in self.cleaned_data.items() if k != "version"}
        values["email"] = values["email"].lower()
        values["sort_name"] = names.parse_name(values["name"]).sorted_by
        values["name"] = names.tidy(values["name"])
        return values


class ManagerForm(forms.Form):
    """A new line manager from a day on."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    manager = PersonField(
        named_here, label=_("Reports to"), required=False, help_text=_("Empty: top of the company.")
    )
    starts_on = forms.DateField(label=_("From"), widget=forms.DateInput)


class AbsenceForm(forms.Form):
    """A leave from a day to a day."""

    kind = forms.CharField(label=_("Kind"), max_length=40, initial="leave")
    is_paid = forms.BooleanField(label=_("Paid"), required=False)
    starts_on = forms.DateField(label=_("First day away"), widget=forms.DateInput)
    ends_on = forms.DateField(
        label=_("Last day away"),
        required=False,
        widget=forms.DateInput,
        help_text=_("Leave it empty if nobody knows yet."),
    )


class EndAbsenceForm(forms.Form):
    """The last day of a leave."""

    ends_on = forms.DateField(label=_("Last day away"), widget=forms.DateInput)


class LeaveForm(forms.Form):
    """The last day of a person in the company."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    left_on = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput,
        help_text=_("Empty: this person stays."),
    )
    leave_reason = forms.CharField(
        label=_("Reason (only HR sees it)"), required=False, max_length=200
    )


class FirstVisitForm(forms.Form):
    """The organisation and its first two HR admins."""

    code = forms.CharField(
        label=_("One-time code"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("It was printed to the log when pmcycle started."),
    )
    organisation = forms.CharField(label=_("Name of the organisation"), max_length=200)
    zone = ZoneField(label=_("Time zone"), initial="UTC")
    currency = forms.RegexField(
        r"^[A-Za-z]{3}$",
        label=_("Currency"),
        initial="USD",
        max_length=3,
        error_messages={"invalid": _("Three letters, as in USD.")},
    )
    name = forms.CharField(label=_("Your name"), max_length=190)
    email = forms.EmailField(
        label=_("Your e-mail"), max_length=254, help_text=_("You sign in with it.")
    )
    password = forms.CharField(
        label=_("Your password"),
        max_length=200,
        strip=False,
        help_text=_("Twelve letters or more."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    second_name = forms.CharField(label=_("Their name"), max_length=190)
    second_email = forms.EmailField(label=_("Their e-mail"), max_length=254)


class AddressForm(forms.Form):
    """Another sign-in address of one's own."""

    email = forms.EmailField(
        label=_("New address"),
        max_length=254,
        help_text=_("A link goes there; the new address counts when you have followed it."),
    )


class OthersAddressForm(forms.Form):
    """Another sign-in address of somebody's account, with the reason for the second person."""

    email = forms.EmailField(label=_("New address"), max_length=254)
    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        help_text=_("The second HR admin reads it."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class RoleForm(forms.Form):
    """A role from a day to a day, for a unit where the role has one."""

    role = forms.ChoiceField(
        label=_("Role"), choices=Role.choices, error_messages={"required": _("Choose a role.")}
    )
    unit = forms.CharField(
        label=_("Unit"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "units", "autocomplete": "off"}),
        help_text=_("For HR partners and unit heads: this unit and all below it."),
    )
    starts_on = forms.DateField(label=_("From"), widget=forms.DateInput)
    ends_on = forms.DateField(label=_("To"), required=False, widget=forms.DateInput)

    def clean_unit(self) -> Unit | None:
        return find_unit(self.cleaned_data["unit"])


def find_unit(text: str) -> Unit | None:
    """The unit of this name; None for no name, an error for an unknown or an ambiguous one."""
    said = " ".join(text.split())
    if not said:
        return None
    found = list(Unit.objects.filter(name__iexact=said)[:2])
    if len(found) != 1:
        raise forms.ValidationError(_("There is no unit of this name, or more than one."))
    return found[0]


class SettingsForm(forms.Form):
    """A person's own settings."""

    zone = ZoneField(
        label=_("Time zone"),
        required=False,
        help_text=_("Times and reminders follow it. Empty: that of your record."),
    )
    numbers = forms.ChoiceField(
        label=_("Numbers"),
        required=False,
        choices=[("", _("as the language of the page writes them")), *NUMBERS],
        help_text=_("So numbers are shown to you, and so you type them."),
    )


class PasswordLinkForm(forms.Form):
    """Where the link for a new password goes."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class TokenForm(forms.Form):
    """A new key for the API."""

    name = forms.CharField(label=_("What it is for"), max_length=80)
    scopes = forms.MultipleChoiceField(
        label=_("It may"), choices=list(SCOPES.items()), widget=forms.CheckboxSelectMultiple
    )
    expires_on = forms.DateField(
        label=_("It ends on"), widget=forms.DateInput, help_text=_("In a year at the latest.")
    )


class WorkingDaysForm(forms.Form):
    """The days of the week on which the company works."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    working_days = forms.TypedMultipleChoiceField(
        label=_("Working days"),
        coerce=int,
        choices=[(n, WEEKDAYS[n - 1]) for n in range(1, 8)],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one day.")},
    )


class HolidayForm(forms.Form):
    """A day on which nobody works."""

    day = forms.DateField(label=_("Day"), widget=forms.DateInput)
    name = forms.CharField(label=_("Name"), max_length=80)
