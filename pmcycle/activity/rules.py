"""Words and decisions of activity: plain values in, plain values out."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

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
