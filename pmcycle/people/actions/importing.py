"""A file of people or pay ranges on its way into the company: upload, map, rehearse, settle, apply."""

from __future__ import annotations

import hashlib
import io
import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import chain, islice
from typing import Any

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import CharField, Count, Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Concat, Greatest, JSONObject
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.access import in_force, today
from pmcycle.activity.actions import Step, asked_for, enqueue, in_parts, no_step, record, settle_all
from pmcycle.activity.models import Job
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.actions.accounts import close_accounts_of_leavers, lock_roles
from pmcycle.people.actions.hands import Nearness, hands_of
from pmcycle.people.actions.import_sql import LINES, WRITE_PEOPLE, WRITE_RANGES
from pmcycle.people.actions.records import LINES_LOCK
from pmcycle.people.models import (
    Absence,
    ColumnMapping,
    Employee,
    FormerPeriod,
    Import,
    ImportLine,
    Organisation,
    PayRange,
    ReportingLine,
    Salary,
    Settlement,
    Unit,
    User,
    hr_admins,
)
from pmcycle.people.rules import columns, lines, names, sheets
from pmcycle.people.rules.cells import digits_of

BATCH = 2_000
# Up to so many lines are rehearsed while the person waits; longer files are the worker's.
AT_ONCE = 5_000
APPLY = "people:import"
REHEARSE = "people:rehearse"
# Any number that no other lock of this product uses: one import changes the company at a time.
IMPORT_LOCK = 7301


# --- upload and columns ----------------------------------------------------------------------------


def upload_import(kind: str, file_name: str, content: bytes, *, by: User) -> Import:
    """Keep a file that can be read as a table, with its columns guessed; raises Invalid("file", …)."""
    if kind not in Import.Kind.values:
        raise Invalid("kind", _("Choose what the file holds."))
    run = Import(
        kind=kind,
        file_name=file_name[-200:].replace("\x00", "") or "file",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        uploaded_by=by,
    )
    _read_file(run, {})
    with transaction.atomic():
        run.save()
        run.hands.add(by)
        record("uploaded_import", run, by=by, sha256=run.sha256, kind=kind)
    return run


def reread(
    run: Import, *, encoding: str, sheet: str, header_line: int, by: User, version: int | None
) -> Import:
    """Read the file in another encoding, from another sheet or with another line as its header.

    Columns and their meaning are guessed anew; raises Invalid for what cannot be read so.
    """
    with transaction.atomic():
        row = Import.objects.select_for_update().get(pk=run.pk)
        check_version(row, version)
        _check_open(row)
        row.choices, row.deciders = {}, {}
        _read_file(row, {"encoding": encoding, "sheet": sheet, "header_line": header_line})
        row.state = Import.State.UPLOADED
        row.version += 1
        row.save()
        row.hands.add(by)
        record("reread_import", row, by=by, encoding=encoding, sheet=sheet, header_line=header_line)
    return row


def _read_file(run: Import, chosen: Mapping[str, Any]) -> None:
    """Set header, columns and options of `run` from its content, read as `chosen`; raises Invalid.

    What the values mean is told by all lines, which are taken one by one: a file that leaves something in
    doubt on its last line is asked about as one that does on its first.
    """
    content = bytes(run.content)
    reading: dict[str, Any] = {"encoding": "", "sheet": "", "sheets": [], "in_doubt": [], **chosen}
    try:
        reading["sheets"] = sheets.sheet_names(run.file_name, content)
        if reading["sheets"]:
            reading["encoding"] = ""
            reading["sheet"] = reading["sheet"] or _likely_sheet(run, reading["sheets"])
        else:
            found = (
                [reading["encoding"]] if reading["encoding"] else sheets.guess_encodings(content)
            )
            reading["encoding"], reading["sheet"] = found[0], ""
            reading["in_doubt"] = found if len(found) > 1 else []
        rest = sheets.lines_of(
            run.file_name, content, encoding=reading["encoding"], sheet=reading["sheet"]
        )
        first = list(islice(rest, columns.TELLING))
        rows = [cells for _number, cells in first]
        head = _head(
            run.kind,
            rows,
            [number for number, _cells in first],
            int(reading.pop("header_line", 0) or 0),
        )
        below = [r for r in rows[head.row + 1 :] if any(c.strip() for c in r)]
        if not below:
            raise Invalid("file", _("The file has a header but no lines below it."))
        run.header, run.header_row = head.names, head.row
        reading["header_line"] = first[head.row][0]
        run.mapping = columns.guess(run.kind, head.names, below[:400])
        remembered = ColumnMapping.objects.filter(
            kind=run.kind, signature=columns.signature(head.names)
        ).first()
        if remembered:
            run.mapping = {k: v for k, v in remembered.mapping.items() if v < len(head.names)}
        count = len(rows)

        def further() -> Iterator[list[str]]:
            nonlocal count
            for _number, cells in rest:
                count += 1
                yield cells

        run.options = _fresh_options(run, run.mapping, chain(below, further()))
    except sheets.NotASheet as error:
        raise Invalid("file", str(error)) from None
    run.line_count = max(0, count - head.row - 1)
    if remembered:
        run.options = _merged(run.options, remembered.options)
    run.options |= {"as_of": today().isoformat(), "reading": reading}


# Of so many sheets the first rows are looked at.
MOST_SHEETS = 12


def _likely_sheet(run: Import, names: list[str]) -> str:
    """The sheet whose header names most fields; the first of those that name as many."""

    def named(sheet: str) -> int:
        rows = sheets.lines_of(run.file_name, bytes(run.content), sheet=sheet)
        first = [cells for _number, cells in islice(rows, columns.HEADER_WITHIN)]
        return len(columns.guess(run.kind, columns.find_header(run.kind, first).names))

    return max(names[:MOST_SHEETS], key=named) if len(names) > 1 else names[0]


def _head(kind: str, rows: list[list[str]], numbers: list[int], line: int) -> columns.Head:
    """The header: on the line that was named, else found; raises Invalid if there is none."""
    if line:
        if line not in numbers:
            raise Invalid("header_line", _("There is nothing on this line."))
        at = numbers.index(line)
        return columns.Head([names.tidy(c) for c in rows[at]], at)
    head = columns.find_header(kind, rows)
    if columns.has_no_header(kind, head):
        raise Invalid(
            "file",
            _(
                "The first line already looks like a person, not like the names of columns. Put a line above it"
                " that names them, as in “Number, Name, Hired on”, and upload the file again."
            ),
        )
    return head


def _fresh_options(
    run: Import, mapping: Mapping[str, int], below: Iterable[list[str]]
) -> dict[str, Any]:
    organisation = Organisation.objects.first()
    fresh = columns.guess_options(
        run.kind,
        mapping,
        run.header,
        below,
        currency=organisation.currency if organisation else "USD",
    )
    return fresh | {"zone": organisation.zone if organisation else ""}


def _merged(guessed: dict[str, Any], remembered: Mapping[str, Any]) -> dict[str, Any]:
    """Remembered answers win over guesses; what this file proves wins over both, and new words keep their guess."""
    merged = {**guessed, **{k: v for k, v in remembered.items() if k not in FROM_THE_FILE}}
    for name in ("status", "pay_words"):
        if name in guessed:
            said = {w: m for w, m in dict(remembered.get(name, {})).items() if m}
            merged[name] = {w: said.get(w, m) for w, m in guessed[name].items()}
    if "orders" in guessed:
        old = dict(remembered.get("orders", {}))
        merged["orders"] = {
            name: order or old.get(name, "") for name, order in guessed["orders"].items()
        }
        merged["top"] = sorted({*guessed.get("top", []), *remembered.get("top", [])})
        merged["no_manager"] = guessed["no_manager"] or remembered.get("no_manager", "")
        merged["name_order"] = guessed["name_order"] or remembered.get("name_order", "")
    merged["decimal"] = guessed["decimal"] or remembered.get("decimal", "")
    return merged


# What is told by each file and never remembered from another.
FROM_THE_FILE = frozenset(
    ["as_of", "reading", "usual_pay", "sex_beside_h", "percent", "thousands", "zone", "examples"]
)


def samples(run: Import, most: int = 400) -> list[list[str]]:
    """The first lines below the header, for the page on which columns are chosen."""
    return [
        cells for _number, cells in islice(data_lines(run), most) if any(c.strip() for c in cells)
    ]


def choose_columns(
    run: Import,
    mapping: Mapping[str, int],
    options: Mapping[str, Any],
    *,
    by: User,
    version: int | None,
) -> bool:
    """Take other columns than before, and derive anew what their values mean; whether there were any.

    What `options` say about the other columns is kept. Nothing is rehearsed yet: what was derived is
    read by a person first.
    """
    with transaction.atomic():
        row = Import.objects.select_for_update().get(pk=run.pk)
        check_version(row, version)
        _check_open(row)
        if dict(mapping) == row.mapping:
            return False
        fresh = _fresh_options(row, mapping, (cells for _number, cells in data_lines(row)))
        row.options = columns.rederive({**row.options, **options}, fresh, row.mapping, mapping)
        row.mapping = dict(mapping)
        row.state = Import.State.UPLOADED
        row.version += 1
        row.save(update_fields=["mapping", "options", "state", "version"])
        row.hands.add(by)
        record("mapped_import", row, by=by)
    return True


def map_columns(
    run: Import,
    mapping: Mapping[str, int],
    options: Mapping[str, Any],
    *,
    by: User,
    version: int | None,
) -> Import:
    """Say which column is what and how to read its values; remembered for the next file of this header."""
    with transaction.atomic():
        row = Import.objects.select_for_update().get(pk=run.pk)
        check_version(row, version)
        _check_open(row)
        if row.options.get("reading", {}).get("in_doubt"):
            raise Refused(_("Say first how the letters of this file are written."))
        lacks = columns.missing(row.kind, mapping)
        if lacks:
            raise Refused(
                _("Choose a column for: %(fields)s.")
                % {"fields": ", ".join(str(label) for label in lacks)}
            )
        row.mapping, row.options = dict(mapping), {**row.options, **options}
        row.state = Import.State.UPLOADED
        row.version += 1
        row.save(update_fields=["mapping", "options", "state", "version"])
        row.hands.add(by)
        ColumnMapping.objects.update_or_create(
            kind=row.kind,
            signature=columns.signature(row.header),
            defaults={
                "mapping": row.mapping,
                "options": {k: v for k, v in row.options.items() if k not in FROM_THE_FILE},
            },
        )
        record("mapped_import", row, by=by)
    return row


def _check_open(run: Import) -> None:
    if run.state == Import.State.APPLIED:
        raise Refused(
            _("This import has been applied already. Upload the file again to compare it anew.")
        )


# --- rehearsal ---------------------------------------------------------------------------------------


def start_rehearsal(run: Import, *, by: User, url: str) -> Job:
    """Queue the rehearsal of a long file. Asked for twice, it is one job."""
    with transaction.atomic():
        if known := asked_for(REHEARSE, run):
            return known
        row = Import.objects.select_for_update().get(pk=run.pk)
        _check_open(row)
        return enqueue(REHEARSE, row, by=by, total=row.line_count, url=url)


def rehearse(run: Import, *, by: User, step: Step = no_step) -> Import:
    """Judge every line against the company as it is now and write down each one's fate. Changes no people."""
    with transaction.atomic():
        row = Import.objects.select_for_update().get(pk=run.pk)
        # Beside an import that is being applied it would take what that one writes for what the file broke.
        _one_at_a_time()
        _check_open(row)
        _judge(row, step)
        _refuse_what_the_database_would(row, by)
        row.state = Import.State.CHECKED
        row.version += 1
        row.save(update_fields=["state", "counts", "digest", "version"])
        record("rehearsed_import", row, by=by, **row.counts)
    return row


def settle(run: Import, choices: Mapping[str, Any], *, by: User, version: int | None) -> Import:
    """Keep what was decided by hand; the file has to be rehearsed again with it.

    Keys are "line:<number>" ({"number": …}, {"skip": true}, {"same": true}, {"period": true}),
    "manager:<key of the name>" (an employee number; "" for the top of the company; OPEN for nobody yet)
    and "cell:<field>:<text>" ({"read": …}, {"leave": true}, {"sure": true}); "lines:<kind of doubt>",
    "managers" and "cells:<field>" answer for all of their kind at once. A choice of None takes an
    earlier one back.
    """
    with transaction.atomic():
        row = Import.objects.select_for_update().get(pk=run.pk)
        check_version(row, version)
        _check_open(row)
        kept = {**row.choices, **choices}
        row.choices = {k: v for k, v in kept.items() if v is not None}
        row.deciders |= dict.fromkeys(choices, by.pk)
        row.state = Import.State.UPLOADED
        row.version += 1
        row.save(update_fields=["choices", "deciders", "state", "version"])
        row.hands.add(by)
        record("settled_import", row, by=by, choices=len(choices))
    return row


def leave_out_refused(run: Import, *, by: User, version: int | None) -> Import:
    """Pass over every line that is refused now; each stays in the report with its reason."""
    refused = ImportLine.objects.filter(run=run, fate=ImportLine.Fate.REFUSED).values_list(
        "number", flat=True
    )
    return settle(
        run, {f"line:{number}": {"skip": True} for number in refused}, by=by, version=version
    )


def leave_out_like(run: Import, kind: str, name: str, *, by: User, version: int | None) -> Import:
    """Pass over every line with a doubt of this kind, for cells: about the field `name`."""
    doubtful = ImportLine.objects.filter(run=run, fate=ImportLine.Fate.AMBIGUOUS)
    about = [{"kind": kind, "field": name}] if name else [{"kind": kind}]
    numbers = doubtful.filter(candidates__contains=about).values_list("number", flat=True)
    return settle(
        run, {f"line:{number}": {"skip": True} for number in numbers}, by=by, version=version
    )


def _judge(run: Import, step: Step, *, keep: bool = True) -> None:
    """Set counts and digest of `run`, and write its ImportLine rows anew if they are to be kept, batch by batch."""
    if keep:
        ImportLine.objects.filter(run=run).delete()
    fates: Counter[str] = Counter()
    digest = hashlib.sha256()
    judged = _judge_people(run) if run.kind == Import.Kind.PEOPLE else _judge_ranges(run)
    while batch := list(islice(judged, BATCH)):
        if keep:
            _copy_in(run, batch)
        for line in batch:
            fates[line.fate] += 1
            digest.update(json.dumps(_said(line), sort_keys=True).encode())
        step(fates.total())
    run.counts = {fate: fates[fate] for fate in ImportLine.Fate.values if fates[fate]}
    run.digest = digest.hexdigest()


COPY_LINES = 'COPY people_importline (run_id, number, fate, key, "values", changes, messages, candidates) FROM STDIN'
# What the text format of COPY reads as something else.
ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _copy_in(run: Import, batch: list[ImportLine]) -> None:
    """Write lines by COPY, which takes a third of the time that INSERT takes for as many values."""
    out = io.StringIO()
    for line in batch:
        told = (line.values, line.changes, line.messages, line.candidates)
        cells = [
            str(run.pk),
            str(line.number),
            str(line.fate),
            line.key,
            *(json.dumps(part) for part in told),
        ]
        out.write("\t".join(cell.translate(ESCAPED) for cell in cells) + "\n")
    out.seek(0)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(COPY_LINES, out)


def data_lines(run: Import) -> Iterator[sheets.Line]:
    """The lines below the header with their numbers, as the file is opened by its settled reading."""
    reading = run.options.get("reading", {})
    rows = sheets.lines_of(
        run.file_name,
        bytes(run.content),
        encoding=str(reading.get("encoding", "")),
        sheet=str(reading.get("sheet", "")),
    )
    yield from islice(rows, run.header_row + 1, None)


def line_memory(number: str, name: str) -> str:
    """The key under which a decision about one person's line is remembered."""
    return "person:" + hashlib.sha256(f"{number}|{names.key_of(name)}".encode()).hexdigest()[:60]


def manager_memory(key: str) -> str:
    """The key under which the meaning of a manager's spelling is remembered."""
    return "manager:" + hashlib.sha256(key.encode()).hexdigest()[:60]


def row_memory(cells: list[str]) -> str:
    """The key under which leaving out exactly this line is remembered."""
    return "row:" + hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:60]


# The choice about a manager that leaves them to be named later, and how such a cell is resolved.
OPEN = "?"
OPEN_WAY = ("open", "")


def memory(key: str, signature: str) -> str:
    """The key under which a decision of an import is remembered.

    A decision about many at once holds only for files with the same columns (`signature`).
    """
    kind, _colon, rest = key.partition(":")
    if kind == "manager":
        return manager_memory(rest)
    about = key if kind == "cell" else f"{key}|{signature}"
    return f"{kind}:" + hashlib.sha256(about.encode()).hexdigest()[:60]


class Answers(Mapping[str, Any]):
    """What was decided by hand, in this import or in an earlier one, by the keys of `settle`."""

    def __init__(self, run: Import) -> None:
        self.choices = run.choices
        self.signature = columns.signature(run.header)
        settled = list(Settlement.objects.values_list("key", "choice", "decided_by"))
        self.remembered: dict[str, Any] = {key: choice for key, choice, _by in settled}
        self.decided_by: dict[str, int] = {key: by for key, _choice, by in settled}
        # Whose earlier answers were taken since somebody emptied this.
        self.deciders: set[int] = set()

    def __getitem__(self, key: str) -> Any:
        if key in self.choices:
            return self.choices[key]
        return self.of_earlier(memory(key, self.signature))

    def of_earlier(self, key: str) -> Any:
        """What was decided in an earlier import under this key of memory; raises KeyError."""
        found = self.remembered[key]
        self.deciders.add(self.decided_by[key])
        return found

    def get(self, key: str, default: Any = None) -> Any:
        if not self.choices and not self.remembered:
            return default
        try:
            return self[key]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[str]:
        return iter(self.choices)

    def __len__(self) -> int:
        return len(self.choices)


class _People:
    """What the whole file and the whole company must be asked before one line can be judged.

    Holds a few short strings per person, never their records, so that memory stays flat.
    """

    def __init__(self, run: Import) -> None:
        self.run = run
        self.as_of = date.fromisoformat(run.options["as_of"])
        self.by_number: dict[str, list[int]] = {}
        self.by_name: dict[str, list[tuple[str, str, bool]]] = {}
        self.by_email: dict[str, str] = {}
        self.known: dict[str, str] = {}
        self.named: dict[str, str] = {}
        self.manager_said: dict[str, str] = {}
        self.gone: set[str] = set()
        self.resolved: dict[str, tuple[str, Any, set[int]]] = {}
        self.answers = Answers(run)
        self.remembered = self.answers.remembered
        self.hands = hands_of(run)
        self.near = Nearness({*self.hands, *self.answers.decided_by.values()})
        self.taken: set[str] = set()
        # What an account without a record signs in with: the record of that address becomes its own.
        self.loose = dict(User.objects.filter(employee__isnull=True).values_list("email", "name"))
        self.by_digits: dict[str, set[str]] = {}
        self.periods: dict[str, list[tuple[str, str]]] = {}
        self._read_company()
        # Into an empty company somebody has to bring themselves, too.
        self.is_first = not self.known
        self._read_file()
        self.in_loop = self._find_loops() if "manager" in run.mapping else {}

    def choice(self, number: int, cells: list[str], said: str, name: str) -> dict[str, Any]:
        """What was decided about a line: here by hand, or about the same doubt in an earlier import."""
        chosen = self.run.choices.get(f"line:{number}")
        if chosen is None and self.remembered:
            keys = (row_memory(cells), line_memory(said, name))
            chosen = next(
                (self.answers.of_earlier(key) for key in keys if self.remembered.get(key)), None
            )
        return chosen or {}

    def number_in(self, cells: list[str]) -> str:
        return lines.number_of(cells, self.run.mapping, self.answers)

    def like(self, number: str, name: str) -> tuple[str, str] | None:
        """Another number with the same figures, whose person has a name in common: E001 beside 001."""
        figures = digits_of(number)
        for other in sorted(self.by_digits.get(figures, set()) - {number}) if figures else ():
            if _shares_a_word(self.name_of(other), name):
                return other, self.name_of(other)
        return None

    def _read_company(self) -> None:
        people = Employee.objects.values_list("number", "name", "email", "left_on")
        for number, name, email, left_on in people.iterator(chunk_size=10_000):
            self.known[number] = name
            self._note_digits(number)
            self.by_name.setdefault(names.key_of(name), []).append((number, name, bool(left_on)))
            if email:
                self.by_email[email.lower()] = number
                self.taken.add(email.lower())
        for number, email in User.objects.filter(employee__isnull=False).values_list(
            "employee__number", "email"
        ):
            self.by_email.setdefault(email.lower(), number)
            self.taken.add(email.lower())

    def _note_digits(self, number: str) -> None:
        figures = digits_of(number)
        if figures:
            self.by_digits.setdefault(figures, set()).add(number)

    def _read_file(self) -> None:
        mapping, options = self.run.mapping, self.run.options
        for number, cells in data_lines(self.run):
            said = self.number_in(cells)
            shown = self.name_in(cells).shown
            if not said and not shown:
                continue
            chosen = self.choice(number, cells, said, shown)
            if chosen.get("skip"):
                continue
            said = str(chosen.get("number") or said)
            if chosen.get("period"):
                read = lines.read_person(cells, mapping, options, self.as_of, self.answers).values
                if read.get("hired_on") and read.get("left_on"):
                    self.periods.setdefault(said, []).append((read["hired_on"], read["left_on"]))
                continue
            self.by_number.setdefault(said, []).append(number)
            self._note_digits(said)
            self.named.setdefault(said, shown)
            left = bool(lines.cell(cells, mapping, "left_on"))
            if left:
                self.gone.add(said)
            if self.known.get(said) != shown:
                self.by_name.setdefault(names.key_of(shown), []).append((said, shown, left))
            if options.get("email_source") == "column":
                email = lines.cell(cells, mapping, "email").lower()
                left_out = (
                    self.answers.get(f"cell:email:{lines.cell(cells, mapping, 'email')}") or {}
                ).get("leave")
                if email and not left_out:
                    self.taken.add(email)
                    self.by_email.setdefault(email, said)
            if "manager" in mapping:
                self.manager_said[said] = lines.whole(lines.cell(cells, mapping, "manager"))

    def name_in(self, cells: list[str]) -> names.Name:
        return lines.name_of(cells, self.run.mapping, self.run.options)

    def manager(self, said: str) -> tuple[str, Any]:
        """("number", n), ("top", ""), ("open", "") or ("doubt", candidates) for what a manager cell says."""
        if said not in self.resolved:
            before, self.answers.deciders = self.answers.deciders, set()
            self.resolved[said] = (*self._resolve(said), self.answers.deciders)
            self.answers.deciders = before
        how, found, deciders = self.resolved[said]
        self.answers.deciders |= deciders
        return how, found

    def _resolve(self, said: str) -> tuple[str, Any]:
        tops = {" ".join(t.casefold().split()) for t in self.run.options.get("top", [])}
        if not said and self.run.options.get("no_manager") == "open":
            return OPEN_WAY
        if not said or " ".join(said.casefold().split()) in tops:
            return "top", ""
        if said in self.by_number or said in self.known:
            return "number", said
        if said.lower() in self.by_email:
            return "number", self.by_email[said.lower()]
        key = names.key_of(said)
        settled = self.answers.get(f"manager:{key}")
        if settled is not None:
            number = str(settled)
            if number in ("", OPEN):
                return OPEN_WAY if number else ("top", "")
            if number in self.by_number or number in self.known:
                return "number", number
            if number.lower() in self.by_email:
                return "number", self.by_email[number.lower()]
        found = list(
            {(number, name): left for number, name, left in self.by_name.get(key, [])}.items()
        )
        left = names.pick(said, [pair for pair, _left in found])
        if len({number for number, _name in left}) > 1:
            gone = {number for (number, _name), has_left in found if has_left}
            left = [pair for pair in left if pair[0] not in gone] or left
        if len({number for number, _name in left}) == 1:
            return "number", left[0][0]
        for_all = self.answers.get("managers")
        if for_all is not None:
            return OPEN_WAY if for_all == OPEN else ("top", "")
        figures = digits_of(said)
        alike = (
            [(n, self.name_of(n)) for n in sorted(self.by_digits.get(figures, ()))]
            if figures
            else []
        )
        return "doubt", left or alike or self._alike(said)

    def _alike(self, said: str) -> list[tuple[str, str]]:
        words = set(names.key_of(said).split())
        beginnings = {w[:3] for w in words}
        near = [
            (number, name)
            for key, people in self.by_name.items()
            if words & set(key.split()) or beginnings & {w[:3] for w in key.split()}
            for number, name, _left in people
        ]
        return names.closest(said, near[:5_000])

    def _find_loops(self) -> dict[str, list[str]]:
        above: dict[str, str] = dict(
            ReportingLine.objects.current(self.as_of)
            .filter(kind=ReportingLine.Kind.LINE)
            .values_list("employee__number", "manager__number")
        )
        for number, said in self.manager_said.items():
            if number in self.gone:
                continue
            how, found = self.manager(said)
            if how == "number":
                above[number] = found
            elif how != "open":
                above.pop(number, None)
        return {number: circle for circle in lines.loops(above) for number in circle}

    def name_of(self, number: str) -> str:
        return self.known.get(number) or self.named.get(number) or number


def _judge_people(run: Import) -> Iterator[ImportLine]:
    company = _People(run)
    rows = data_lines(run)
    while batch := list(islice(rows, BATCH)):
        readings = []
        for number, cells in batch:
            company.answers.deciders = set()
            reading = lines.read_person(
                cells, run.mapping, run.options, company.as_of, company.answers
            )
            said = company.number_in(cells)
            chosen = company.choice(number, cells, said, reading.name.shown)
            if chosen.get("number"):
                reading.values["number"] = str(chosen["number"])
            readings.append((number, cells, reading, chosen, company.answers.deciders))
        numbers = {row[2].values.get("number", "") for row in readings}
        existing = records_of(numbers, company.as_of)
        for number, cells, reading, chosen, deciders in readings:
            # Whoever decided what the line comes to: the hands of this file, and who settled a doubt before.
            company.answers.deciders = company.hands | deciders
            yield _fate(run, company, number, cells, reading, chosen, existing)


def _fate(
    run: Import,
    company: _People,
    number: int,
    cells: list[str],
    reading: lines.Reading,
    chosen: Mapping[str, Any],
    existing: Mapping[str, dict[str, str]],
) -> ImportLine:
    values = reading.values
    key = values.get("number", "")
    line = ImportLine(
        run=run, number=number, key=key[:200], values=values, messages=[*reading.notes]
    )
    if reading.passed:
        line.fate, line.messages = ImportLine.Fate.PASSED, [reading.passed]
        return line
    if chosen.get("skip"):
        here = f"line:{number}" in run.choices
        line.fate = ImportLine.Fate.PASSED
        line.messages = [
            _("Left out by hand.") if here else _("Left out, as decided in an earlier import.")
        ]
        line.messages += reading.errors
        line.candidates = [{"kind": "left_out"}] if here else []
        return line
    if chosen.get("period"):
        line.fate, line.messages = (
            ImportLine.Fate.PASSED,
            [_("An earlier period of the same person.")],
        )
        line.candidates = [{"kind": "left_out"}] if f"line:{number}" in run.choices else []
        return line
    before = existing.get(key)
    doubts = _doubts(company, line, reading, chosen, before)
    # Nobody who has left stands in a circle of today, but nobody at all reports to themselves.
    if values.get("manager_number") == key and key not in company.in_loop:
        reading.errors.append(_("Nobody reports to themselves."))
    if key in company.in_loop:
        circle = [company.name_of(n) for n in company.in_loop[key]]
        reading.errors.append(
            _("%(names)s would report to one another in a circle.")
            % {"names": " → ".join([*circle, circle[0]])}
            if len(circle) > 1
            else _("Nobody reports to themselves.")
        )
    email = values.get("email", "")
    if email and company.by_email.get(email, key) != key:
        other = company.by_email[email]
        if run.options.get("email_source") == "column":
            why = _("%(email)s belongs to %(name)s already.")
            said = lines.cell(cells, run.mapping, "email")
            reading.asks.append(
                {
                    "kind": "cell",
                    "field": "email",
                    "key": said,
                    "said": said,
                    "why": why % {"email": email, "name": company.name_of(other)},
                    "readings": [],
                    "can_leave": True,
                    "sure": False,
                }
            )
    doubts = [ask["why"] for ask in reading.asks] + doubts
    line.candidates = [*reading.asks, *line.candidates]
    if reading.errors:
        line.fate, line.messages = (
            ImportLine.Fate.REFUSED,
            [*reading.errors, *doubts, *reading.notes],
        )
        return line
    if doubts:
        line.fate, line.messages = ImportLine.Fate.AMBIGUOUS, [*doubts, *reading.notes]
        return line
    if _leave_address(company, reading, before):
        line.candidates = [{"kind": "address"}]
    _complete(run, company, reading, before)
    line.messages = [*reading.notes]
    if values.get("manager_open"):
        line.messages.append(_("The manager is still to be named."))
    if before is None:
        line.fate = ImportLine.Fate.CREATED
    else:
        line.changes = lines.differences(values, before)
        line.fate = ImportLine.Fate.CHANGED if line.changes else ImportLine.Fate.UNCHANGED
    if company.is_first or line.fate == ImportLine.Fate.UNCHANGED:
        return line
    if too_near := company.near.why_not(line, company.answers.deciders):
        line.fate, line.messages = ImportLine.Fate.REFUSED, [too_near, *reading.notes]
    return line


def _doubts(
    company: _People,
    line: ImportLine,
    reading: lines.Reading,
    chosen: Mapping[str, Any],
    before: Mapping[str, str] | None,
) -> list[str]:
    """What only a person can decide about a line; fills `line.candidates` for the screen."""
    values, key, doubts = reading.values, line.key, []
    others = [n for n in company.by_number.get(key, []) if n != line.number]
    same = chosen.get("same") or (company.answers.get("lines:same") or {}).get("same")
    alike = None if before or others else company.like(key, values["name"])
    if key and others and not reading.errors:
        doubts.append(
            _(
                "The number %(number)s stands on line %(others)s too, for another person or twice for one."
            )
            % {"number": key, "others": ", ".join(str(n) for n in others[:5])}
        )
        line.candidates = [
            {"kind": "number", "lines": others[:5], "has_left": bool(values.get("left_on"))}
        ]
    elif before and not same and not _shares_a_word(before["name"], values["name"]):
        doubts.append(
            _("The number %(number)s belongs to %(old)s, but the line says %(new)s.")
            % {"number": key, "old": before["name"], "new": values["name"]}
        )
        line.candidates = [{"kind": "same", "old": before["name"]}]
    elif (
        alike
        and not chosen.get("new")
        and not (company.answers.get("lines:alike") or {}).get("new")
    ):
        doubts.append(
            _("The number %(number)s looks like %(other)s, which belongs to %(name)s.")
            % {"number": key, "other": alike[0], "name": alike[1]}
        )
        line.candidates = [{"kind": "alike", "number": alike[0], "old": alike[1]}]
    if "manager" in values:
        how, found = company.manager(values["manager"])
        if how == "doubt":
            several = len(found) > 1 and all(
                names.key_of(n) == names.key_of(values["manager"]) for _ref, n in found
            )
            doubts.append(
                (
                    _("Several people are called %(name)s.")
                    if several
                    else _("Nobody is known as %(name)s, the manager.")
                )
                % {"name": values["manager"]}
            )
            line.candidates = [
                *line.candidates,
                {
                    "kind": "manager",
                    "key": names.key_of(values["manager"]),
                    "said": values["manager"],
                    "people": [{"number": ref, "name": name} for ref, name in found[:8]],
                },
            ]
        elif how == "open":
            values["manager_open"] = values["manager"] or "–"
        else:
            values["manager_number"] = str(found)
            values["manager_name"] = company.name_of(str(found)) if found else ""
    return doubts


def _shares_a_word(one: str, other: str) -> bool:
    return bool(set(names.words_of(one)) & set(names.words_of(other)))


def _leave_address(
    company: _People, reading: lines.Reading, before: Mapping[str, str] | None
) -> bool:
    """Leave out the address of whoever signs in with another, say so, and answer whether there was one.

    Whoever sets the address of an account can ask for a new password there: no file does.
    """
    values = reading.values
    email = values.get("email", "")
    if before and email and before["sign_in"] and before["sign_in"].lower() != email:
        del values["email"]
        reading.notes.append(
            _(
                "The line has another e-mail address, %(email)s. It is left out: %(name)s signs in with"
                " %(sign_in)s, which only they change, or two HR admins on the page of the account."
            )
            % {"email": email, "name": before["name"], "sign_in": before["sign_in"]}
        )
        return True
    if email in company.loose and not (before and before["email"].lower() == email):
        reading.notes.append(
            _("%(name)s signs in with %(email)s and is known as this person from then on.")
            % {"name": company.loose[email], "email": email}
        )
    return False


def _complete(
    run: Import, company: _People, reading: lines.Reading, before: Mapping[str, str] | None
) -> None:
    """Add what follows from options and record: a built address, absence, and what is not compared."""
    values = reading.values
    has_left = bool(values.get("left_on")) and values["left_on"] <= company.as_of.isoformat()
    is_reached = bool(before and (before["email"] or before["sign_in"]))
    if run.options.get("email_source") == "build" and not is_reached and not has_left:
        built = names.address(
            reading.name, run.options["email_pattern"], run.options["email_domain"], company.taken
        )
        company.taken.add(built)
        values["email"] = built
    if "status" in values and not has_left:
        values["absent"] = "yes" if values["status"] == "leave" else ""
        if before and before["absent"] == "dated":
            del values["absent"]
    if before and has_left and before["line_last"]:
        values.pop("manager_number", None)
    if before and before["manager_number"]:
        values.pop("manager_open", None)
    periods = set(company.periods.get(values["number"], ()))
    if before and before["left_on"] and values.get("hired_on", "") > before["left_on"]:
        # Whoever returns begins a second period; the first one is kept with its own days.
        periods.add((before["hired_on"], before["left_on"]))
        values.setdefault("left_on", "")
    if periods:
        kept = {tuple(p.split("/")) for p in (before or {}).get("former", "").split(";") if p}
        values["former"] = ";".join("/".join(p) for p in sorted({*kept, *periods}))


def records_of(numbers: set[str], as_of: date) -> dict[str, dict[str, str]]:
    """The records of these employee numbers on that day as text, in one statement."""
    own = Q(employee=OuterRef("pk"))
    of_line = ReportingLine.objects.filter(own, kind=ReportingLine.Kind.LINE).order_by("-starts_on")
    open_line = of_line.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=as_of))
    absence = Absence.objects.filter(own).filter(in_force(as_of))
    salary = (
        Salary.objects.filter(own, effective_from__lte=Greatest(OuterRef("hired_on"), as_of))
        .order_by("-effective_from")
        .values(
            row=JSONObject(annual="annual", amount="amount", basis="basis", currency="currency")
        )
    )
    text = CharField()
    days = Concat(Cast("hired_on", text), Value("/"), Cast("left_on", text), output_field=text)
    former = FormerPeriod.objects.filter(own).annotate(days=days)
    found: dict[str, dict[str, str]] = {}
    rows = Employee.objects.filter(number__in=numbers).values(
        "number",
        "name",
        "email",
        "job_title",
        "job_family",
        "grade",
        "location",
        "hired_on",
        "left_on",
        "fte",
        unit_name=F("unit__name"),
        born=F("private__born_on"),
        said_sex=F("private__sex"),
        reason=F("private__leave_reason"),
        sign_in=F("user__email"),
        line_now=Subquery(open_line.values("manager__number")[:1]),
        line_last=Subquery(of_line.values("manager__number")[:1]),
        salary=Subquery(salary[:1]),
        former=ArraySubquery(former.values("days")),
        is_absent=Exists(absence),
        is_absent_openly=Exists(absence.filter(ends_on__isnull=True)),
    )
    for row in rows:
        pay = row["salary"] or {}
        found[row["number"]] = {
            **{
                k: row[k] or ""
                for k in ("number", "name", "email", "job_title", "job_family", "grade", "location")
            },
            "unit": row["unit_name"] or "",
            "sign_in": row["sign_in"] or "",
            "hired_on": row["hired_on"].isoformat(),
            "left_on": row["left_on"].isoformat() if row["left_on"] else "",
            "fte": f"{row['fte']:.3f}",
            "born_on": row["born"].isoformat() if row["born"] else "",
            "sex": row["said_sex"] or "",
            "leave_reason": row["reason"] or "",
            "annual": f"{pay['annual']:.2f}" if pay else "",
            "amount": f"{pay['amount']:.4f}" if pay else "",
            "basis": pay.get("basis", ""),
            "currency": pay.get("currency", ""),
            "former": ";".join(sorted(row["former"] or [])),
            "manager_number": row["line_now"] or "",
            "line_last": row["line_last"] or "",
            "absent": "" if not row["is_absent"] else "yes" if row["is_absent_openly"] else "dated",
        }
    return found


def range_key(job_title: str, grade: str, currency: str) -> tuple[str, str, str]:
    """What makes two pay ranges one: the words of the database's unique rule."""
    return job_title.lower(), grade, currency


def _judge_ranges(run: Import) -> Iterator[ImportLine]:
    hands = hands_of(run)
    answers = Answers(run)
    near = Nearness({*hands, *answers.decided_by.values()})
    existing = {
        range_key(r.job_title, r.grade, r.currency): r
        for r in PayRange.objects.iterator(chunk_size=5_000)
    }
    seen: dict[tuple[str, str, str], int] = {}
    remembered = answers.remembered
    for number, cells in data_lines(run):
        answers.deciders = set(hands)
        reading = lines.read_range(cells, run.mapping, run.options, answers)
        values = reading.values
        line = ImportLine(run=run, number=number, values=values)
        line.key = (values.get("job_title") or values.get("grade", ""))[:200]
        chosen = run.choices.get(f"line:{number}") or remembered.get(row_memory(cells)) or {}
        if reading.passed:
            line.fate, line.messages = ImportLine.Fate.PASSED, [reading.passed]
        elif chosen.get("skip"):
            line.fate, line.messages = (
                ImportLine.Fate.PASSED,
                [_("Left out by hand."), *reading.errors],
            )
        elif reading.errors:
            line.fate, line.messages = ImportLine.Fate.REFUSED, reading.errors
        elif reading.asks:
            line.fate, line.candidates = ImportLine.Fate.AMBIGUOUS, reading.asks
            line.messages = [ask["why"] for ask in reading.asks]
        else:
            key = range_key(values["job_title"], values["grade"], values["currency"])
            if key in seen:
                line.fate = ImportLine.Fate.REFUSED
                line.messages = [
                    _("This job stands on line %(other)d already.") % {"other": seen[key]}
                ]
            elif key in existing:
                before = existing[key]
                line.changes = {
                    name: [f"{getattr(before, name):.2f}", values[name]]
                    for name in ("minimum", "midpoint", "maximum")
                    if f"{getattr(before, name):.2f}" != values[name]
                }
                line.fate = ImportLine.Fate.CHANGED if line.changes else ImportLine.Fate.UNCHANGED
            else:
                line.fate = ImportLine.Fate.CREATED
            is_written = line.fate in (ImportLine.Fate.CREATED, ImportLine.Fate.CHANGED)
            if (
                is_written
                and existing
                and (why_not := near.why_not_range(values, answers.deciders))
            ):
                line.fate, line.messages = ImportLine.Fate.REFUSED, [why_not]
            seen.setdefault(key, number)
        yield line


# --- apply ------------------------------------------------------------------------------------------


def start_apply(run: Import, *, by: User, version: int | None, url: str) -> Job:
    """Queue the rehearsed import; refused while a line is in doubt or wrong. Pressed twice, it is one job."""
    with transaction.atomic():
        if known := asked_for(APPLY, run):
            return known
        row = Import.objects.select_for_update().get(pk=run.pk)
        check_version(row, version)
        _check_ready(row)
        _check_hand(row, by)
        row.hands.add(by)
        return enqueue(APPLY, row, by=by, total=row.line_count, url=url)


def _check_ready(run: Import) -> None:
    _check_open(run)
    if run.state != Import.State.CHECKED:
        raise Refused(_("Rehearse the import first."))
    doubtful, wrong = run.counts.get("ambiguous", 0), run.counts.get("refused", 0)
    if doubtful:
        raise Refused(_("%(count)d lines still wait to be settled by hand.") % {"count": doubtful})
    if wrong:
        raise Refused(
            _("%(count)d lines are refused. Correct the file, or leave these lines out.")
            % {"count": wrong}
        )


def _check_hand(run: Import, by: User) -> None:
    """Refuse to let somebody apply what is too near to them; the rehearsal looked at those before."""
    hand = {by.pk}
    if hand <= hands_of(run):
        return
    near = Nearness(hand)
    written = ImportLine.objects.filter(
        run=run, fate__in=[ImportLine.Fate.CREATED, ImportLine.Fate.CHANGED]
    )
    if run.kind == Import.Kind.PEOPLE:
        is_first = not Employee.objects.exists()
        barred = (
            [] if is_first else [x.number for x in near.among(written) if near.why_not(x, hand)]
        )
    else:
        is_first = not PayRange.objects.exists()
        barred = (
            [] if is_first else [x.number for x in written if near.why_not_range(x.values, hand)]
        )
    if barred:
        raise Refused(
            _(
                "Line %(lines)s is about you, about whom you report to or about the pay of whom you lead. Leave"
                " it out, or let another HR admin apply this."
            )
            % {"lines": ", ".join(map(str, barred[:8]))}
        )


class CompanyChanged(Refused):
    """People were changed between rehearsal and apply; the new rehearsal is kept, no person is changed."""


def _one_at_a_time() -> None:
    """Wait until no other import is judged or written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])


def _hold_what_is_judged(run: Import) -> None:
    """Lock what the lines are judged by until they are written: roles, who leads whom, and whom they change.

    Whoever ends a role, hands somebody over or edits a record waits, or was first and is seen.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LINES_LOCK])
        lock_roles()
        cursor.execute(
            """
            SELECT count(*) FROM (SELECT e.id FROM people_employee e
              JOIN people_importline l ON l.key = e.number AND l.run_id = %s AND l.fate = 'changed'
              ORDER BY e.id FOR NO KEY UPDATE OF e) held
            """,
            [run.pk],
        )


# So many lines are named that came to something else than HR has read.
MOST_NAMED = 8


def _turned(run: Import) -> list[int]:
    """The first lines that come to something else now than the rehearsal wrote down."""
    found: list[int] = []
    judged = _judge_people(run) if run.kind == Import.Kind.PEOPLE else _judge_ranges(run)
    while len(found) < MOST_NAMED and (batch := list(islice(judged, BATCH))):
        rows = ImportLine.objects.filter(run=run, number__in=[line.number for line in batch])
        read = {line.number: _said(line) for line in rows}
        found += [line.number for line in batch if read.get(line.number) != _said(line)]
    return found[:MOST_NAMED]


def _said(line: ImportLine) -> list[Any]:
    """What a line comes to, as far as HR reads it."""
    return [line.number, line.fate, line.values, line.changes, line.messages]


def apply_import(run: Import, *, by: User, step: Step = no_step) -> Import:
    """Carry the rehearsed lines out, all or nothing, in a number of statements that does not grow with them.

    Judges every line again under the lock; if that comes to other fates than HR has read, the new
    rehearsal is kept and CompanyChanged raised. `settle_applied` follows it.
    """
    try:
        with transaction.atomic():
            row = Import.objects.select_for_update().get(pk=run.pk)
            _one_at_a_time()
            _check_ready(row)
            _hold_what_is_judged(row)
            row.hands.add(by)
            read, turned = row.digest, list[int]()
            # Each line is judged and then written: half of its way each.
            _judge(row, lambda done: step(done // 2), keep=False)
            if row.digest != read:
                turned = _turned(row)
                _judge(row, no_step)
            if not hr_admins().filter(pk=by.pk).exists():
                raise Refused(
                    _("Whoever asked for this is no HR admin any more. Somebody else applies it.")
                )
            row.version += 1
            if row.digest == read:
                if row.counts.get("created") or row.counts.get("changed"):
                    if row.kind == Import.Kind.PEOPLE:
                        _write_people(row, by, step)
                        close_accounts_of_leavers(today())
                    else:
                        _write_ranges(row)
                _remember(row, by)
                row.state, row.applied_at = Import.State.APPLIED, timezone.now()
                record("applied_import", row, by=by, **row.counts)
            row.save(update_fields=["state", "counts", "digest", "version", "applied_at"])
            # What the database checks at the end of a transaction it says here, with a line to name.
            connection.check_constraints()
    except (IntegrityError, DataError) as error:
        raise Refused(
            _("The database refused a line, and nothing was changed: %(why)s")
            % {"why": _in_words(error)}
        ) from error
    if row.digest != read:
        raise CompanyChanged(
            _(
                "The company was changed after this rehearsal, and line %(lines)s comes to something else now. It was"
                " made again; read it and apply it then."
            )
            % {"lines": ", ".join(map(str, turned))}
        )
    return row


def settle_applied(run: Import, *, by: User) -> None:
    """Bring what is open up to the people as an applied import has left them; as often as asked.

    After the import's transaction and in parts: within it, everybody would wait for the whole company.
    """
    if run.counts.get("created") or run.counts.get("changed"):
        settle_all("applied_import", by=by)


def _remember(run: Import, by: User) -> None:
    """Keep decisions made by hand, so that the same file asks and changes nothing next time."""
    if not run.choices:
        return
    kept: dict[str, Any] = {}
    deciders: dict[str, int] = {}
    wanted = {int(k[5:]): v for k, v in run.choices.items() if k.startswith("line:")}
    signature = columns.signature(run.header)
    for number, cells in data_lines(run) if wanted else ():
        if number in wanted:
            chosen = wanted[number]
            if chosen.get("skip") or chosen.get("period"):
                key = row_memory(cells)
            else:
                name = lines.name_of(cells, run.mapping, run.options).shown
                key = line_memory(lines.number_of(cells, run.mapping, run.choices), name)
            kept[key], deciders[key] = chosen, run.deciders.get(f"line:{number}", by.pk)
    for said, chosen in run.choices.items():
        if not said.startswith("line:"):
            key = memory(said, signature)
            kept[key], deciders[key] = chosen, run.deciders.get(said, by.pk)
    Settlement.objects.bulk_create(
        [
            Settlement(key=key, choice=chosen, decided_by_id=deciders[key])
            for key, chosen in kept.items()
        ],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["choice", "decided_by", "decided_at"],
    )


class _Undone(Exception):
    """Takes back what a rehearsal has written."""


# More than any file has lines.
MOST_LINE = 2**31 - 1
# So many lines that only the database refuses are looked for one by one.
MOST_REFUSED = 20


def _refuse_what_the_database_would(run: Import, by: User) -> None:
    """Write the judged lines as applying them would, take it all back, and refuse the lines that broke a rule.

    Whatever no line's reading could know (a row of another table, two lines against each other) is so
    said at the rehearsal, with its line and not only when everything is applied.
    """
    for _time in range(MOST_REFUSED):
        if not (run.counts.get("created") or run.counts.get("changed")):
            return
        error = _why_not(run, by, MOST_LINE)
        if error is None:
            return
        # The shortest beginning of the file that fails ends with the line that is at fault.
        written = ImportLine.objects.filter(run=run, fate__in=("created", "changed")).order_by(
            "number"
        )
        numbers = list(written.values_list("number", flat=True))
        at = bisect_left(
            range(len(numbers)), True, key=lambda i: _why_not(run, by, numbers[i]) is not None
        )
        line = ImportLine.objects.get(run=run, number=numbers[min(at, len(numbers) - 1)])
        run.counts[line.fate] -= 1
        run.counts["refused"] = run.counts.get("refused", 0) + 1
        run.counts = {fate: n for fate, n in run.counts.items() if n}
        line.fate, line.messages = (
            ImportLine.Fate.REFUSED,
            [_in_words(_why_not(run, by, line.number) or error)],
        )
        line.save(update_fields=["fate", "messages"])


def _why_not(run: Import, by: User, upto: int) -> Exception | None:
    """What the database says against the lines up to number `upto`; None if it takes them."""
    try:
        with transaction.atomic():
            if run.kind == Import.Kind.PEOPLE:
                # As in applying, or an act on roles that waits crosswise would end one of the two.
                lock_roles()
                _write_people(run, by, no_step, upto)
            else:
                _write_ranges(run, upto)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            raise _Undone
    except _Undone:
        return None
    except (IntegrityError, DataError) as error:
        return error


def _in_words(error: Exception) -> str:
    """The sentence of the rule that the database kept, or else what it says itself."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name and constraint.violation_error_message != (
                constraint.default_violation_error_message
            ):
                return str(constraint.violation_error_message)
    return str(error).splitlines()[0]


def root_unit() -> Unit:
    """The unit at the top of the tree; made from the organisation's name where there is none."""
    root = Unit.objects.filter(parent__isnull=True).order_by("pk").first()
    if root is None:
        organisation = Organisation.objects.first()
        root = Unit.objects.create(name=organisation.name if organisation else _("Company"))
        root.path = f"{root.pk}/"
        root.save(update_fields=["path"])
    return root


def _write_people(run: Import, by: User, step: Step, upto: int = MOST_LINE) -> None:
    """Carry out the lines up to number `upto` by the fixed list of statements."""
    root = root_unit()
    values = {
        "run": run.pk,
        "as_of": run.options["as_of"],
        "by": by.pk,
        "root": root.pk,
        "root_path": root.path,
        "upto": upto,
    }
    half = run.line_count // 2
    part = in_parts(lambda done: step(half + done // 2), run.line_count, len(WRITE_PEOPLE))
    with connection.cursor() as cursor:
        for statement in WRITE_PEOPLE:
            cursor.execute(
                statement if statement.startswith("ANALYZE") else LINES + statement, values
            )
            part()


def _write_ranges(run: Import, upto: int = MOST_LINE) -> None:
    """Carry out the lines up to number `upto`."""
    with connection.cursor() as cursor:
        cursor.execute(LINES + WRITE_RANGES, {"run": run.pk, "upto": upto})


def fates(run: Import) -> dict[str, int]:
    """How many lines of the last rehearsal came to each fate."""
    found = (
        ImportLine.objects.filter(run=run)
        .values("fate")
        .annotate(n=Count("pk"))
        .values_list("fate", "n")
    )
    return dict(found)
