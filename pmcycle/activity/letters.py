"""The mails of a development run, read from the folder where its mail server puts them."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.http import Http404

NAME = re.compile(r"^(\d{8}T\d{12})-[0-9a-f]{8}\.eml$")
MOST = 100


@dataclass(frozen=True)
class Letter:
    name: str
    at: datetime
    to: str
    subject: str
    text: str = ""
    html: str = ""


def folder() -> Path:
    """The mailbox; 404 wherever there is none, which is everywhere but in development."""
    if not settings.MAILBOX_DIR:
        raise Http404
    return Path(settings.MAILBOX_DIR)


def letters(recipient: str = "") -> list[Letter]:
    """The newest mails, headers only; those whose recipient holds these letters."""
    found: list[Letter] = []
    for path in sorted(folder().glob("*.eml"), reverse=True):
        if len(found) == MOST:
            break
        if NAME.match(path.name):
            letter = _letter(path, _parse(path))
            if recipient.casefold() in letter.to.casefold():
                found.append(letter)
    return found


def letter(name: str) -> Letter:
    """One mail with its text and its HTML."""
    if not NAME.match(name):
        raise Http404
    path = folder() / name
    if not path.is_file():
        raise Http404
    mail = _parse(path)
    return _letter(path, mail, text=_body(mail, "plain"), html=_body(mail, "html"))


def _parse(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def _letter(path: Path, mail: EmailMessage, text: str = "", html: str = "") -> Letter:
    found = NAME.match(path.name)
    at = datetime.strptime(found[1] if found else "", "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    return Letter(
        path.name,
        at,
        str(mail["To"] or mail["X-Envelope-To"] or ""),
        str(mail["Subject"] or ""),
        text,
        html,
    )


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
