"""How the trail reads: each app says in its own `words.py` what is done in it, to what, and what it shows.

`VERBS` is what an event says after the name of who did it, `SUBJECTS` what it was done to, `LOOKS` what somebody
had before them on a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.utils.translation import gettext_lazy as _

# What an event says, after the name of who did it.
VERBS: dict[str, Any] = {
    "exported_trail": _("exported the audit trail as"),
    "held_mails": _("held the mails back in"),
    "job_failed": _("could not finish"),
    "let_mails_go": _("let the mails go in"),
    "retried_delivery": _("had tried again"),
    "retried_job": _("had tried again"),
    "viewed": _("opened"),
}

# What it was done to.
SUBJECTS: dict[str, Any] = {
    "activity.delivery": _("mail"),
    "activity.job": _("long work"),
    "activity.life": _("restored copy"),
}
# In which role somebody looked. Older lines say it in words of their own.
LOOKED_AS: dict[str, Any] = {
    "hr_admin": _("HR admin"),
    "hr_partner": _("HR partner"),
    "auditor": _("auditor"),
    "unit_head": _("head of a unit"),
    "line": _("one of the line above you"),
}
WAYS: dict[str, Any] = {"file": _("as a file"), "api": _("through the interface for programs")}


@cache
def words_of_all(kind: str) -> dict[str, Any]:
    """The words of every app of one kind: "VERBS", "SUBJECTS" or "LOOKS"."""
    found: dict[str, Any] = {}
    for app in apps.get_app_configs():
        if find_spec(f"{app.name}.words"):
            found |= getattr(import_module(f"{app.name}.words"), kind, {})
    return found


def verb_words(verb: str) -> str:
    """What a verb of the trail says, in the reader's language; one that nothing records any more as it is spelled."""
    known = words_of_all("VERBS")
    found = known.get(verb) or known.get(verb.rpartition(":")[2])
    return str(found) if found else verb.replace("_", " ").replace(":", ": ")


def subject_words(kind: str) -> str:
    """What kind of thing an event is about: "goals.goal" is a goal."""
    found = words_of_all("SUBJECTS").get(kind)
    return str(found) if found else kind.rpartition(".")[2]


def look_words(data: Mapping[str, Any], subject: str) -> tuple[str, str, str]:
    """Of a line about a look, in words: what it showed (`subject` unless the page says it), as whom, by which way."""
    role = data.get("role", "")
    return (
        str(words_of_all("LOOKS").get(data.get("page", ""), subject)),
        str(LOOKED_AS.get(role, role)),
        str(WAYS.get(data.get("way", ""), "")),
    )
