"""Words and decisions of activity: plain values in, plain values out."""

from __future__ import annotations

import hmac
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pmcycle.ui.formats import number_text


@dataclass(frozen=True)
class Need:
    """How one kind of open item reads on home, in the inbox and in a mail.

    `title` and `waits` may use %(name)s, the person it is about. `url_name` takes the item's subject
    as `pk`. `minutes` is what the job usually takes. `waits` is the line shown to whom it concerns but
    who cannot act ("Bashir has not answered yet"); empty means it is not shown to others.
    """

    title: Any
    button: Any
    url_name: str
    minutes: int
    waits: Any = ""


# How long work is called on its page; a kind that is missing here is shown as it is spelled.
JOB_TITLES: dict[str, Any] = {
    "import": _("Applying the import"),
    "rehearse": _("Rehearsing the import"),
    "launch": _("Launching the cycle"),
    "calculate": _("Calculating rewards"),
    "release": _("Releasing"),
    "export": _("Writing the export"),
}


def job_title(kind: str) -> str:
    """The name of a kind of long work; an app's prefix ("incentives:calculate") does not matter."""
    plain = kind.rpartition(":")[2].rpartition(".")[2]
    found = JOB_TITLES.get(kind) or JOB_TITLES.get(plain)
    return str(found) if found else plain.replace("_", " ").capitalize()


# What an event keeps of a person's own words, for the page of the matter itself. The trail does not show it.
TYPED = frozenset({"reason"})


def facts_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an event without what somebody typed."""
    return {key: value for key, value in data.items() if key not in TYPED}


# --- seals of the trail -----------------------------------------------------------------------------

Head = tuple[int, str]
Sign = Callable[[str], str]


@dataclass(frozen=True)
class SealFile:
    """A sealed file as it was read: its number, the hash of the file before, and how far streams went."""

    number: int
    previous: str
    heads: Mapping[str, Head]
    is_signed: bool


def seal_text(number: int, day: date, previous: str, heads: Mapping[str, Head], sign: Sign) -> str:
    """The lines of a sealed file: what it is, a line a stream (`[stream, number of its last line, hash]`), and
    the signature of all above."""
    top = json.dumps(
        {"number": number, "day": day.isoformat(), "previous": previous, "heads": len(heads)}
    )
    body = "".join(json.dumps([stream, *head]) + "\n" for stream, head in sorted(heads.items()))
    signed = f"{top}\n{body}"
    return signed + json.dumps({"signature": sign(signed)}) + "\n"


def read_seal(text: str, signs: Sequence[Sign]) -> SealFile:
    """A sealed file, checked with each of the keys that may have signed it. Raises ValueError if it is none."""
    signed, _break, last = text.rstrip("\n").rpartition("\n")
    signed += "\n"
    top, *lines = signed.splitlines()
    try:
        what, said = json.loads(top), json.loads(last)["signature"]
        heads = {stream: (int(seq), str(found)) for stream, seq, found in map(json.loads, lines)}
        is_signed = len(heads) == what["heads"] and any(
            hmac.compare_digest(sign(signed), str(said)) for sign in signs
        )
        return SealFile(int(what["number"]), str(what["previous"]), heads, is_signed)
    except (KeyError, TypeError) as error:
        raise ValueError(str(error)) from error


# What long work counts; people where a kind is missing here.
LINES = frozenset({"import", "rehearse"})


def job_progress(kind: str, done: int, total: int) -> str:
    """How far it is: "40 of 120 people", "300 of 2,700 lines"."""
    plain = kind.rpartition(":")[2].rpartition(".")[2]
    words = gettext("%(n)s of %(m)s lines") if plain in LINES else gettext("%(n)s of %(m)s people")
    return words % {"n": number_text(done), "m": number_text(total)}


# Why work ended in an error, by the name of the error.
FAILURES: dict[str, Any] = {
    "dead": _("The worker ended each time before this was done."),
    "OperationalError": _("The database did not let it through in time."),
    "InterfaceError": _("The connection to the database broke off."),
    "SoftTimeLimitExceeded": _("It took longer than work may take."),
}


def failure_words(error: str) -> str:
    """Why work ended in an error, and what to do."""
    why = FAILURES.get(error, _("It ended in an error of the program."))
    way_out = gettext(
        "Nothing of it was kept. IT has been told; have it tried again when they have looked."
    )
    return f"{why} {way_out}"


def is_draft(data: object) -> bool:
    """Whether this is a flat set of fields that the database can keep: text without NUL, numbers, yes or no."""
    return isinstance(data, dict) and all(
        _is_text(name) and all(map(_is_value, value if isinstance(value, list) else [value]))
        for name, value in data.items()
    )


def _is_value(value: object) -> bool:
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) < 10**15)


def _is_text(value: str) -> bool:
    """Lone surrogates come through JSON, but PostgreSQL refuses them."""
    return "\x00" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


# Minutes to wait after the first, second, … try of a mail that was not taken.
BACK_OFF = (1, 5, 30, 120)
TRIES = len(BACK_OFF) + 1


def retry_after(attempts: int) -> timedelta:
    """How long to wait after this many tries (1 or more)."""
    return timedelta(minutes=BACK_OFF[min(max(attempts, 1), len(BACK_OFF)) - 1])


def is_for_good(code: int) -> bool:
    """Whether a mail server's answer means that trying again cannot help (RFC 5321, 4.2.1: 5yz)."""
    return 500 <= code < 600


# After these nothing that vanished was done: it fell away, or its time ran out.
DROPPING = frozenset(
    {
        "award_left_out",
        "calculated_again",
        "cancelled",
        "carried_over",
        "dropped_action",
        "ended_series",
        "lapse_change",
        "moved",
        "overtaken",
        "rescheduled",
        "restraint_lapsed",
        "scheduled",
        "took_back_evaluation",
        "withdraw",
        "withdraw_change",
        "withdrew_release",
    }
)
# Acts on the company and on whole cycles, and the clock, do nobody's work, with these exceptions.
FINISHING = frozenset({"approved_address", "approved_role", "reopened_cycle"})


def cell(value: object) -> str:
    """A value for a file that a spreadsheet opens: what it would take for a formula stays text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


# --- statements -------------------------------------------------------------------------------------

# What changes a row, also behind WITH; the lock of a row is none.
WRITES = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|COPY|WITH\b.*\b(INSERT INTO|UPDATE|DELETE FROM))\b", re.DOTALL
)
# What is nobody's matter but the writer's own: what they type and send, how often, and that they are signed in.
OWN = re.compile(
    r'\s*(INSERT INTO|UPDATE|DELETE FROM) "?'
    r"(activity_draft|activity_sentform|activity_use|django_session|people_apitoken)\b"
)


def is_write(sql: str) -> bool:
    """Whether this statement changes something that is more than the writer's own."""
    return WRITES.match(sql) is not None and OWN.match(sql) is None


# --- words ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Begun:
    """Something that its author began and has not handed in, with its words by their questions.

    `where` is the cycle. `url` is its page, empty where its author may not open it any more. `away` is where it
    is thrown away at its `version`, empty where that is not theirs to do here.
    """

    title: str
    where: str
    at: datetime
    url: str
    texts: Sequence[tuple[str, str]]
    away: str = ""
    version: int = 0


# So many letters are words where a script puts no spaces between them.
UNSPACED = 4


def words_in(typed: Sequence[tuple[str, str]]) -> list[str]:
    """What in a form somebody wrote, rather than chose or counted: more words than one."""
    texts = [text.strip() for _name, text in typed]
    return [
        text
        for text in texts
        if len(text.split()) > 1 or (len(text) >= UNSPACED and not text.isascii())
    ]
