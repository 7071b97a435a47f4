"""How far the trail goes is written outside its table every day, so that what is gone is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from pmcycle.activity.actions import record
from pmcycle.activity.actions.sealing import missing_from_trail, seal_trail
from pmcycle.activity.models import Event, TrailSeal
from pmcycle.activity.rules import facts_of
from tests.conftest import SignedIn, World

DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: object) -> Path:
    settings.TRAIL_SEALS_DIR = str(tmp_path / "seals")  # type: ignore[attr-defined]
    return tmp_path / "seals"


def write(world: World, times: int = 1, stream: str | None = None) -> None:
    for _ in range(times):
        with transaction.atomic():
            record(
                "viewed",
                world.ana_part,
                by=world.ines,
                about=world.ana.employee,
                stream=stream,
                role="hr",
            )


def harm(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE activity_event DISABLE TRIGGER USER")
        cursor.execute(sql)
        cursor.execute("ALTER TABLE activity_event ENABLE TRIGGER USER")
        # What the trigger remembers of its last line ends with a transaction; a test is one.
        cursor.execute("SELECT set_config('pmcycle.tail', '', true)")


def lacks() -> list[str]:
    return [lack.words for lack in missing_from_trail()]


def test_a_day_is_sealed_once(world: World, folder: Path) -> None:
    write(world)
    assert seal_trail(DAY)
    assert seal_trail(DAY) is None
    assert [path.name for path in folder.iterdir()] == ["000001-2026-03-02.jsonl"]
    assert lacks() == []


def test_a_seal_holds_what_moved_since_the_one_before(world: World, folder: Path) -> None:
    write(world, stream="one")
    write(world, stream="two")
    seal_trail(DAY)
    write(world, stream="two")
    seal = seal_trail(DAY + timedelta(days=1))
    assert seal
    assert seal.heads == 1
    top, head, _signature = (folder / "000002-2026-03-03.jsonl").read_text().splitlines()
    assert json.loads(head)[:2] == ["two", 2]
    assert json.loads(top)["number"] == 2
    assert lacks() == []


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (
            "DELETE FROM activity_event WHERE stream = 'one' AND seq = 3",
            ["1 line is missing at its end."],
        ),
        (
            "DELETE FROM activity_event WHERE stream = 'one' AND seq > 1",
            ["2 lines are missing at its end."],
        ),
        ("DELETE FROM activity_event WHERE stream = 'one'", ["The whole stream is missing."]),
        (
            "TRUNCATE activity_event",
            ["The whole stream is missing.", "The whole stream is missing."],
        ),
        (
            "UPDATE activity_event SET hash = repeat('0', 64) WHERE stream = 'one' AND seq = 3",
            ["Line 3 is not the one that was sealed."],
        ),
    ],
)
def test_what_the_chain_cannot_see_is_noticed(world: World, what: str, said: list[str]) -> None:
    harm("TRUNCATE activity_event")
    write(world, 3, stream="one")
    write(world, 1, stream="two")
    seal_trail(DAY)
    harm(what)
    assert lacks() == said


def test_lines_taken_and_written_anew_are_noticed(world: World) -> None:
    write(world, 3, stream="one")
    seal_trail(DAY)
    harm("DELETE FROM activity_event WHERE stream = 'one' AND seq > 1")
    write(world, 3, stream="one")
    assert not [row for row in Event.objects.chain() if row["broken"]]
    assert lacks() == ["Line 3 is not the one that was sealed."]


def _forge(path: Path) -> None:
    path.chmod(0o640)
    path.write_text(path.read_text().replace('"one", 3', '"one", 1'))


def _take_away(path: Path) -> None:
    path.unlink()


def _scribble(path: Path) -> None:
    path.chmod(0o640)
    path.write_text("nothing\n")


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (_forge, "does not carry the signature"),
        (_take_away, "is missing from its folder"),
        (_scribble, "cannot be read"),
    ],
)
def test_a_seal_that_was_touched_is_noticed(
    world: World, folder: Path, act: Callable[[Path], None], said: str
) -> None:
    write(world, 3, stream="one")
    seal_trail(DAY)
    write(world, 1, stream="one")
    seal_trail(DAY + timedelta(days=1))
    act(folder / "000001-2026-03-02.jsonl")
    assert any(said in words for words in lacks())


def test_a_seal_of_an_older_key_still_counts(world: World, settings: object) -> None:
    write(world)
    seal_trail(DAY)
    old = settings.SECRET_KEY  # type: ignore[attr-defined]
    settings.SECRET_KEY = "a new one"  # type: ignore[attr-defined]
    assert any("signature" in words for words in lacks())
    settings.SECRET_KEY_FALLBACKS = [old]  # type: ignore[attr-defined]
    assert lacks() == []


def test_a_database_from_before_the_last_seal_lacks_lines(world: World) -> None:
    """A backup of yesterday beside the seals of today."""
    write(world, 1, stream="one")
    seal_trail(DAY)
    with transaction.atomic():
        write(world, 1, stream="one")
        seal_trail(DAY + timedelta(days=1))
        transaction.set_rollback(True)
    assert lacks() == ["1 line is missing at its end."]
    seal = seal_trail(DAY + timedelta(days=2))
    assert seal
    assert seal.number == 3


def test_auditors_see_what_is_missing_by_name_and_it_sees_that_something_is(
    world: World, as_: SignedIn
) -> None:
    write(world, 2, stream="one")
    seal_trail(DAY)
    harm("DELETE FROM activity_event WHERE stream = 'one' AND seq = 2")
    for reader, named in ((world.mira, True), (world.noor, False)):
        page = as_(reader).get("/activity/trail/chain/").content.decode()
        assert "The trail has been changed" in page
        assert "1 line is missing at its end." in page
        assert ("<code>one</code>" in page) is named


def test_the_check_of_the_installation_names_it(world: World) -> None:
    write(world, 2, stream="one")
    seal_trail(DAY)
    harm("DELETE FROM activity_event WHERE stream = 'one' AND seq = 2")
    out = StringIO()
    with pytest.raises(CommandError, match="The trail has been changed"):
        call_command("check_integrity", "--repair", stdout=out)
    assert "trail: one: 1 line is missing at its end." in out.getvalue()


def test_seals_are_not_changed_by_the_application(world: World) -> None:
    seal_trail(DAY)
    with pytest.raises(Exception, match="annot"), transaction.atomic():
        TrailSeal.objects.update(digest="0" * 64)


@pytest.mark.parametrize(
    "change",
    [
        "request_id = 'another'",
        "actor_id = on_behalf_of_id, on_behalf_of_id = actor_id",
        "about_id = NULL",
        "verb = verb || '|', stream = stream",
        "subject_id = NULL",
        "subject_kind = subject_kind || ' '",
        "data = '{}'",
        "at = at + interval '1 microsecond'",
    ],
)
def test_every_column_of_a_line_counts(world: World, change: str) -> None:
    with transaction.atomic():
        record(
            "viewed",
            world.ana_part,
            by=world.ines,
            on_behalf_of=None,
            stream="one",
            role="hr",
            about=world.ana.employee,
        )
        record(
            "viewed", world.ana_part, by=world.ines, on_behalf_of=world.kim, stream="one", role="hr"
        )
    harm(f"UPDATE activity_event SET {change} WHERE stream = 'one'")
    (row,) = [row for row in Event.objects.chain() if row["stream"] == "one"]
    assert row["broken"]


def test_lines_of_an_older_form_are_hashed_anew_unless_they_are_broken(world: World) -> None:
    older = import_module(
        "pmcycle.activity.migrations.0006_trail_covers_every_column_and_is_sealed"
    ).HASH_ANEW
    harm("TRUNCATE activity_event")
    for stream in ("one", "two"):
        write(world, 3, stream=stream)
    harm(OLDER_FORM)
    harm("UPDATE activity_event SET verb = 'left' WHERE stream = 'two' AND seq = 2")
    with connection.cursor() as cursor:
        cursor.execute(older)
    assert {row["stream"]: bool(row["broken"]) for row in Event.objects.chain()} == {
        "one": False,
        "two": True,
    }


OLDER_FORM = """
DO $$
DECLARE line record; tail text := '';
BEGIN
  FOR line IN SELECT id, seq FROM activity_event ORDER BY stream, seq LOOP
    IF line.seq = 1 THEN tail := ''; END IF;
    UPDATE activity_event SET previous_hash = tail, hash = encode(sha256(convert_to(concat_ws('|', tail, stream, seq,
      extract(epoch from at), verb, actor_id, on_behalf_of_id, about_id, subject_kind, subject_id, data::text),
      'UTF8')), 'hex') WHERE id = line.id RETURNING hash INTO tail;
  END LOOP;
END $$
"""


def test_the_trail_does_not_show_what_somebody_typed(world: World, as_: SignedIn) -> None:
    with transaction.atomic():
        record(
            "extended",
            world.ana_part,
            by=world.kim,
            about=world.ana.employee,
            until="2026-04-01",
            reason="burnout",
        )
    for reader in (world.mira, world.ines):
        for url in ("/activity/trail/", "/activity/trail/export/"):
            answer = as_(reader).get(url)
            page = (answer.getvalue() if answer.streaming else answer.content).decode()
            assert "2026-04-01" in page, url
            assert "burnout" not in page, url


def test_facts_are_all_that_nobody_typed() -> None:
    assert facts_of({"until": "2026-04-01", "reason": "burnout"}) == {"until": "2026-04-01"}
