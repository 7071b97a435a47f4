"""The heads of the trail, written daily into signed files, and what they say is missing from its table.

The chain shows a line that was changed or taken out of the middle. It cannot show that the last lines of a
stream are gone, or a whole stream, or all: for that, how far each stream went has to stand elsewhere. A file
holds the heads that moved since the file before, carries that file's hash, and is signed with the secret key.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pmcycle.activity.models import TrailSeal
from pmcycle.activity.rules import Head, SealFile, read_seal, seal_text

NAME = re.compile(r"^(\d{6})-\d{4}-\d{2}-\d{2}\.jsonl$")

HEADS = (
    "SELECT DISTINCT ON (stream) stream, seq, hash FROM activity_event ORDER BY stream, seq DESC"
)

# How far the table goes in each sealed stream, and what it has where the seal was set.
AT_SEALS = """
SELECT sealed.stream, there.hash, coalesce((SELECT max(seq) FROM activity_event WHERE stream = sealed.stream), 0)
FROM unnest(%(streams)s::text[], %(numbers)s::bigint[]) AS sealed (stream, seq)
LEFT JOIN activity_event there ON there.stream = sealed.stream AND there.seq = sealed.seq
"""

LOCK = 7204


@dataclass(frozen=True)
class Lack:
    """What a seal knows and the table, or the folder of seals, does not have: of which stream or file, in words."""

    where: str
    words: str


def seal_trail(day: date) -> TrailSeal | None:
    """Write the heads that moved since the last seal; None if this day is sealed already.

    Raises OSError if the file cannot be written; nothing is kept then.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            if TrailSeal.objects.filter(day=day).exists():
                return None
            known: dict[str, Head] = {}
            number, previous = 0, ""
            for path, content in _files():
                number, previous = int(path.name[:6]), _digest(content)
                known |= _read(content).heads
            cursor.execute(HEADS)
            moved = {
                stream: (seq, found)
                for stream, seq, found in cursor
                if known.get(stream) != (seq, found)
            }
        last = TrailSeal.objects.order_by("-number").values_list("number", flat=True).first() or 0
        number = max(number, last) + 1
        content = seal_text(
            number, day, previous, moved, partial(_sign, settings.SECRET_KEY)
        ).encode()
        _write(Path(settings.TRAIL_SEALS_DIR) / f"{number:06d}-{day.isoformat()}.jsonl", content)
        return TrailSeal.objects.create(
            number=number, day=day, digest=_digest(content), heads=len(moved)
        )


def missing_from_trail() -> list[Lack]:
    """What the seals say that the trail does not: streams gone, cut or rewritten, and files that are no seals."""
    found: list[Lack] = []
    heads: dict[str, Head] = {}
    digests: dict[int, str] = {}
    previous = ""
    for path, content in _files():
        number = int(path.name[:6])
        digests[number] = _digest(content)
        try:
            seal = _read(content)
        except ValueError:
            found.append(Lack(path.name, _("This file cannot be read as a seal.")))
            continue
        if not seal.is_signed:
            found.append(
                Lack(path.name, _("This file does not carry the signature of this installation."))
            )
            continue
        if seal.number != number or seal.previous != previous:
            found.append(
                Lack(
                    path.name,
                    _("This file does not follow the one before it: one is missing or changed."),
                )
            )
        previous = digests[number]
        heads |= seal.heads
    for seal_row in TrailSeal.objects.order_by("number"):
        if digests.get(seal_row.number) != seal_row.digest:
            words = _("The seal of this day is missing from its folder, or was changed.")
            found.append(Lack(f"{seal_row.number:06d}-{seal_row.day.isoformat()}.jsonl", words))
    return [*found, *_lacks(heads)]


def _lacks(heads: Mapping[str, Head]) -> Iterator[Lack]:
    with connection.cursor() as cursor:
        streams = list(heads)
        cursor.execute(
            AT_SEALS, {"streams": streams, "numbers": [heads[stream][0] for stream in streams]}
        )
        rows = cursor.fetchall()
    for stream, there, last in rows:
        sealed, known = heads[stream]
        if not last:
            yield Lack(stream, _("The whole stream is missing."))
        elif last < sealed:
            n = sealed - last
            yield Lack(
                stream,
                ngettext(
                    "%(n)d line is missing at its end.", "%(n)d lines are missing at its end.", n
                )
                % {"n": n},
            )
        elif there != known:
            yield Lack(stream, _("Line %(n)d is not the one that was sealed.") % {"n": sealed})


def _files() -> Iterator[tuple[Path, bytes]]:
    folder = Path(settings.TRAIL_SEALS_DIR)
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if NAME.match(path.name):
                yield path, path.read_bytes()


def _read(content: bytes) -> SealFile:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return read_seal(content.decode(), [partial(_sign, key) for key in keys])


def _sign(key: str, text: str) -> str:
    return salted_hmac("pmcycle.trail", text, key, algorithm="sha256").hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """All or nothing, and never over what is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".part") as half:
        half.write(content)
        half.flush()
        os.fsync(half.fileno())
        os.link(half.name, path)
    path.chmod(0o440)
