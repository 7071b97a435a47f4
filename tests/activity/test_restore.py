"""The drill: a backup made while people write, restored beside the original, which goes on as well."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from feedback.models import Entry
from pmcycle.activity.actions import Tell, lives, sealing, tell
from tests.conftest import SignedIn, World, build_world
from tests.open_items import catch_up
from tools import backup
from tools.mailbox import OnSocket, read
from tools.processes import listening_socket
from tools.services import ROOT

DELIVER = "import django; django.setup(); from pmcycle.home.tasks import deliver; deliver()"


class Installation:
    """What runs on one database, with a mailbox of its own for what it sends."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        folder.mkdir()
        self.socket = listening_socket()
        self.mailbox = OnSocket(folder, self.socket)

    def run(self, *command: str) -> str:
        env = {
            **os.environ,
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "pmcycle.settings",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.socket.getsockname()[1]}",
            "TRAIL_SEALS_DIR": str(settings.TRAIL_SEALS_DIR),
        }
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def manage(self, *arguments: str) -> str:
        return self.run("manage.py", *arguments)

    def deliver(self) -> list[EmailMessage]:
        """Let the worker send what waits; all that this installation has sent so far."""
        self.run("-c", DELIVER)
        return read(self.folder)


@contextmanager
def people_write(world: World, as_: SignedIn) -> Iterator[list[str]]:
    """Four people who write to each other without a pause; what they were told is written."""
    catch_up()
    over, written = threading.Event(), []
    url = reverse("feedback:say", kwargs={"pk": world.ana_part.pk, "stage": "objectives"})
    clients = [as_(user) for user in (world.ana, world.bashir, world.ana, world.bashir)]

    def write(number: int) -> None:
        turn = 0
        try:
            while not over.is_set():
                words = f"Sentence {turn} of {number}"
                if clients[number].post(url, {"body": words}).status_code == 302:
                    written.append(words)
                turn += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[number]) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    try:
        while len(written) < 8:
            assert any(thread.is_alive() for thread in threads)
            time.sleep(0.01)
        yield written
    finally:
        over.set()
        for thread in threads:
            thread.join(60)


@pytest.fixture
def dumped(
    transactional_db: None, as_: SignedIn, tmp_path: Path
) -> Iterator[tuple[str, str, list[str], list[str]]]:
    """The original's address, the copy's, what was written before the backup began, and all that was written."""
    world = build_world()
    lives.current()  # as `migrate` does
    here = str(connection.settings_dict["NAME"])
    original = backup.with_name(os.environ["DATABASE_URL"], here)
    copy = backup.with_name(original, f"{here}_restored")
    for user in (world.ana, world.bashir, world.kim):
        # Urgent, so that it is due whatever the hour.
        tell(
            user,
            [
                Tell(
                    user.pk,
                    "Answer the proposal",
                    "/goals/",
                    key=f"drill:{user.pk}",
                    is_urgent=True,
                )
            ],
        )
    with people_write(world, as_) as written:
        sealing.seal_trail(timezone.now().date())
        before = list(written)
        backup.dump(original, tmp_path / "backup")
    backup.drop(copy)
    backup.create(copy)
    try:
        backup.load(copy, tmp_path / "backup")
        yield original, copy, before, written
    finally:
        backup.drop(copy)


def rows(url: str, query: str) -> list[Any]:
    import psycopg2

    connected = psycopg2.connect(url)
    try:
        with connected.cursor() as cursor:
            cursor.execute(query)
            return [row[0] for row in cursor.fetchall()]
    finally:
        connected.close()


def ids(mails: list[EmailMessage]) -> set[str]:
    found = [str(mail["Message-ID"]) for mail in mails]
    assert len(found) == len(set(found))
    return set(found)


def test_a_backup_under_load_comes_back_whole_and_sends_nothing_until_let_go(
    dumped: tuple[str, str, list[str], list[str]], tmp_path: Path
) -> None:
    here, there, before, written = dumped
    # Everything that was acknowledged before is in it, once, and nothing that was not written.
    restored = rows(there, "SELECT body FROM feedback_entry")
    assert len(restored) == len(set(restored))
    assert set(before) <= set(restored)
    assert set(written) == set(Entry.objects.values_list("body", flat=True))
    assert set(restored) <= set(written)

    original, copy = Installation(here, tmp_path / "here"), Installation(there, tmp_path / "there")
    original.mailbox.start()
    copy.mailbox.start()
    try:
        copy.manage("migrate", "--verbosity", "0")
        said = copy.manage("check_integrity")
        assert "trail: 0 streams broken, 0 things missing" in said
        assert "Everything is as it is defined." in said
        assert re.search(r"mails: this is a restored copy, which holds [1-9]", said)

        assert copy.deliver() == []
        first = original.deliver()
        assert first, "the original goes on"
        assert "mails leave from now on" in copy.manage("let_mails_go").lower()
        second = copy.deliver()
        assert second
        assert not ids(first) & ids(second)
        assert "restored copy" not in copy.manage("check_integrity")
    finally:
        original.mailbox.stop()
        copy.mailbox.stop()


def test_a_file_that_cannot_be_read_changes_nothing(transactional_db: None, tmp_path: Path) -> None:
    here = backup.with_name(os.environ["DATABASE_URL"], str(connection.settings_dict["NAME"]))
    there = backup.with_name(here, f"{connection.settings_dict['NAME']}_place")
    backup.drop(there)
    backup.create(there)
    (tmp_path / "no backup").write_bytes(b"PGDMP and nothing more")
    try:
        with pytest.raises(SystemExit, match="pg_restore failed"):
            backup.put_in_place(there, tmp_path / "no backup")
        names = rows(here, "SELECT datname FROM pg_database WHERE datname LIKE '%_place%'")
        assert [
            name for name in names if name.startswith(f"{connection.settings_dict['NAME']}_place")
        ] == [f"{connection.settings_dict['NAME']}_place"]
    finally:
        backup.drop(there)


def test_what_is_restored_stands_in_the_place_of_what_is_kept(
    transactional_db: None, tmp_path: Path
) -> None:
    here = backup.with_name(os.environ["DATABASE_URL"], str(connection.settings_dict["NAME"]))
    backup.dump(here, tmp_path / "backup")
    there = backup.with_name(here, f"{connection.settings_dict['NAME']}_place")
    backup.drop(there)
    backup.create(there)
    former = backup.put_in_place(there, tmp_path / "backup")
    kept = backup.with_name(there, former)
    try:
        assert rows(there, "SELECT count(*) FROM activity_event") == [0]
        assert rows(kept, "SELECT count(*) FROM pg_class WHERE relname = 'activity_event'") == [0]
    finally:
        backup.drop(there)
        backup.drop(kept)
