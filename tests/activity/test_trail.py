"""The trail: whole, filtered, and shown to those who may read it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.urls import reverse

from pmcycle.activity.actions import record
from pmcycle.activity.models import Event
from tests.conftest import SignedIn, World


def write(world: World, verb: str = "submitted", who: str = "ana", **data: Any) -> Event:
    user = getattr(world, who)
    with transaction.atomic():
        return record(verb, world.part[who], by=user, about=user.employee, **data)


def lines(response: Any) -> list[str]:
    return [event.verb for event in response.context["events"]]


def test_the_auditor_reads_it_in_words_newest_first(world: World, as_: SignedIn) -> None:
    write(world, "propose")
    write(world, "submitted")
    response = as_(world.mira).get("/activity/trail/")
    assert lines(response) == ["submitted", "propose"]
    assert "handed in" in response.content.decode()


def test_a_verb_without_words_is_shown_as_it_is_spelled(world: World, as_: SignedIn) -> None:
    write(world, "polished_the_bell")
    assert "polished the bell" in as_(world.mira).get("/activity/trail/").content.decode()


def test_an_hr_partner_reads_their_units_and_not_themselves(world: World, as_: SignedIn) -> None:
    write(world, who="ana")
    write(world, who="hugo")
    assert len(lines(as_(world.ines).get("/activity/trail/"))) == 1
    assert len(lines(as_(world.jan).get("/activity/trail/"))) == 1
    world.ines.employee.unit = world.production  # type: ignore[union-attr]
    world.ines.employee.save()  # type: ignore[union-attr]
    write(world, who="ines")
    assert len(lines(as_(world.ines).get("/activity/trail/"))) == 1


def test_operators_read_security_events_only(world: World, as_: SignedIn) -> None:
    write(world)
    with transaction.atomic():
        record("granted", world.ana, by=world.kim, stream="security")
    assert lines(as_(world.noor).get("/activity/trail/")) == ["granted"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("verb=propose", 1),
        ("about=popes", 3),
        ("about=rao", 0),
        ("actor=chen", 1),
        ("subject=cycles.participation", 4),
        ("subject=goals.goal", 0),
        ("day=2001-01-01", 0),
        ("day=nonsense&before=nonsense&verb=%00", 4),
        ("before=99999999999999999999999", 4),
    ],
)
def test_filters_narrow_it_and_nonsense_is_passed_over(
    world: World, as_: SignedIn, query: str, found: int
) -> None:
    for verb in ("propose", "counter", "submitted"):
        write(world, verb)
    write(world, "submitted", who="chen")
    assert len(lines(as_(world.mira).get(f"/activity/trail/?{query}"))) == found


def test_older_lines_are_a_page_away(world: World, as_: SignedIn) -> None:
    for _ in range(60):
        write(world)
    first = as_(world.mira).get("/activity/trail/?verb=submitted")
    assert len(lines(first)) == 50
    second = as_(world.mira).get("/activity/trail/" + first.context["older"])
    assert len(lines(second)) == 10
    assert second.context["older"] == ""


def test_the_export_holds_what_the_filters_show_and_is_an_event_itself(
    world: World, as_: SignedIn
) -> None:
    write(world, "propose")
    write(world, "submitted", note="=1+1")
    response = as_(world.mira).get("/activity/trail/export/?verb=submitted")
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.startswith("\ufeff")  # the mark by which spreadsheets know UTF-8
    assert text.count("\n") == 2
    assert "submitted" in text
    assert "propose" not in text
    assert Event.objects.filter(verb="exported_trail", actor=world.mira, data__rows=1).exists()


def test_a_name_that_looks_like_a_formula_stays_text_in_the_export(
    world: World, as_: SignedIn
) -> None:
    assert world.ana.employee
    world.ana.employee.name = '=HYPERLINK("http://example.com")'
    world.ana.employee.save()
    write(world)
    response = as_(world.mira).get("/activity/trail/export/")
    assert "'=HYPERLINK" in b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def test_an_untouched_trail_is_whole(world: World, as_: SignedIn) -> None:
    for who in ("ana", "chen", "ana"):
        write(world, who=who)
    assert "The trail is whole" in as_(world.mira).get("/activity/trail/chain/").content.decode()


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE activity_event SET verb = 'viewed' WHERE seq = 2",
        "UPDATE activity_event SET data = '{\"a\": 2}' WHERE seq = 2",
        "UPDATE activity_event SET at = at - interval '1 day' WHERE seq = 2",
        "UPDATE activity_event SET actor_id = NULL WHERE seq = 2",
        "UPDATE activity_event SET hash = repeat('0', 64) WHERE seq = 2",
        "DELETE FROM activity_event WHERE seq = 2",
    ],
)
def test_a_changed_or_missing_line_is_found(world: World, as_: SignedIn, harm: str) -> None:
    for _ in range(3):
        write(world)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE activity_event DISABLE TRIGGER USER")
        cursor.execute(harm)
        cursor.execute("ALTER TABLE activity_event ENABLE TRIGGER USER")
    page = as_(world.mira).get("/activity/trail/chain/").content.decode()
    assert "The trail has been changed" in page
    assert "broken from line" in page


WRITE_MANY = """
INSERT INTO activity_event (stream, seq, at, verb, subject_kind, data, request_id, previous_hash, hash)
SELECT (ARRAY['cycle:1', 'cycle', 'cycle|1'])[1 + n %% %(streams)s], 0, now(), 'takes_part', '', '{}', '', '', ''
FROM generate_series(1, 60) n
"""


@pytest.mark.parametrize("streams", [1, 2, 3])
def test_lines_of_one_statement_follow_each_other_in_every_stream(db: None, streams: int) -> None:
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(WRITE_MANY, {"streams": streams})
    assert {row["length"]: row["broken"] for row in Event.objects.chain()} == {120 // streams: 0}


def test_what_a_savepoint_takes_back_leaves_no_gap(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(WRITE_MANY, {"streams": 1})
        before = transaction.savepoint()
        cursor.execute(WRITE_MANY, {"streams": 1})
        transaction.savepoint_rollback(before)
        cursor.execute(WRITE_MANY, {"streams": 1})
    (row,) = Event.objects.chain()
    assert (row["length"], row["broken"]) == (120, 0)


def test_the_trail_cannot_be_changed_by_the_application(world: World) -> None:
    event = write(world)
    with pytest.raises(Exception, match="annot"), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(verb="viewed")


def test_i_see_who_opened_my_records_and_in_which_role(world: World, as_: SignedIn) -> None:
    assert world.ana.employee
    for _twice in range(2):
        assert (
            as_(world.ines)
            .get(reverse("cycles:life_line", kwargs={"pk": world.ana_part.pk}))
            .status_code
            == 200
        )
    page = as_(world.ana).get("/activity/who-looked/").content.decode()
    assert page.count("Ines Costa") == 1
    assert "as HR partner" in page
    assert "Ines Costa" not in as_(world.chen).get("/activity/who-looked/").content.decode()
    assert "Nobody else has opened" in as_(world.chen).get("/activity/who-looked/").content.decode()
