"""A restored copy: it notices by itself, holds its mails, and sends under names of its own."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, InternalError, connection, transaction
from django.utils import timezone

from pmcycle.activity.actions import Tell, delivery, lives, tell
from pmcycle.activity.models import Delivery, Event, Life
from pmcycle.people.models import User
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world


def say(user: User, key: str) -> None:
    """Something urgent: what waits for a morning is asked of the same door."""
    tell(
        user,
        [
            Tell(
                user_id=user.pk, title="Answer the proposal", url="/goals/", key=key, is_urgent=True
            )
        ],
    )


def send() -> int:
    return delivery.deliver(gathered=False)


def restored() -> Life:
    """What a copy finds: the row of the former life, which began somewhere else."""
    Life.objects.update(place="another server")
    return lives.current()


def test_where_nothing_was_ever_sent_the_first_life_begins_and_mails_leave(world: World) -> None:
    say(world.ana, "a")
    assert send() == 1
    life = Life.objects.get()
    assert life.let_go_at
    assert f".{life.code}@" in mail.outbox[0].extra_headers["Message-ID"]
    assert not Event.objects.filter(verb="held_mails").exists()


def test_a_copy_that_finds_itself_elsewhere_holds_its_mails(world: World) -> None:
    say(world.ana, "a")
    send()
    say(world.ana, "b")
    life = restored()
    assert send() == 0
    assert delivery.deliver(gathered=True) == 0
    assert len(mail.outbox) == 1
    assert lives.held() == lives.Held(life, waiting=1, older=1)
    assert Event.objects.get(verb="held_mails").subject_id == life.pk


def test_a_place_is_a_server_a_database_a_table_a_timeline_and_a_host(world: World) -> None:
    server, database, _table, timeline, host = lives.place().split("/")
    with connection.cursor() as cursor:
        cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        assert cursor.fetchone()[0] == int(database)
    assert int(server) > 0
    assert (timeline, host) == ("00000001", "localhost")


def test_a_dump_read_into_the_same_database_is_another_place(world: World) -> None:
    say(world.ana, "a")
    send()
    say(world.ana, "b")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE activity_life RENAME TO former")
        cursor.execute("CREATE TABLE activity_life (LIKE former INCLUDING ALL)")
        cursor.execute("INSERT INTO activity_life OVERRIDING SYSTEM VALUE SELECT * FROM former")
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('activity_life', 'id'), max(id)) FROM former"
        )
    assert send() == 0
    assert lives.held()


def test_the_same_database_under_another_address_is_another_place(
    world: World, settings: Any
) -> None:
    lives.current()
    settings.SITE_URL = "https://rehearsal.example.com"
    say(world.ana, "a")
    assert send() == 0


def test_rows_of_mails_without_a_life_are_a_copy_half_restored(world: World) -> None:
    say(world.ana, "a")
    Delivery.objects.update(message_id="<notice-1-1@example.com>", state="pending")
    assert send() == 0
    assert lives.held()


def test_an_installation_from_before_goes_on_in_the_life_it_is_in(world: World) -> None:
    say(world.ana, "a")
    Delivery.objects.update(message_id="<notice-1-1@example.com>")
    Life.objects.create(code="0123456789ab", place="", let_go_at=timezone.now())
    assert send() == 1
    assert Life.objects.get().place == lives.place()


def test_what_the_former_life_tried_goes_out_under_another_name(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(world.ana, "a")
    claimed = delivery.claim_mail(gathered=False)
    assert claimed
    life = restored()
    assert as_(world.noor).post(f"/activity/lives/{life.pk}/let-go/").status_code == 302
    assert send() == 1
    [sent] = mail.outbox
    assert sent.extra_headers["Message-ID"] != claimed.message_id
    assert f".{life.code}@" in sent.extra_headers["Message-ID"]


@pytest.mark.parametrize(
    ("who", "page"), [("noor", "/activity/operations/"), ("kim", "/activity/deliveries/")]
)
def test_whoever_runs_it_and_hr_read_that_mails_are_held_and_let_them_go(
    world: World, as_: SignedIn, who: str, page: str
) -> None:
    client = as_(getattr(world, who))
    assert "restored copy" not in client.get(page).content.decode()
    say(world.ana, "a")
    lives.current()
    life = restored()
    assert "no mail leaves until you let them go" in client.get("/").content.decode()
    assert "Mails waiting: 1, of which 1" in client.get(page).content.decode()
    answer = client.post(f"/activity/lives/{life.pk}/let-go/", follow=True)
    assert answer.redirect_chain[-1][0] == page
    assert "This is a restored copy" not in answer.content.decode()
    assert send() == 1
    event = Event.objects.get(verb="let_mails_go")
    assert (event.actor, event.stream, event.data) == (
        getattr(world, who),
        "security",
        {"dropped": 0},
    )


def test_what_is_older_than_the_copy_can_be_dropped(world: World, as_: SignedIn) -> None:
    lives.current()
    say(world.ana, "a")
    life = restored()
    say(world.chen, "b")
    as_(world.kim).post(f"/activity/lives/{life.pk}/drop-older/")
    assert send() == 1
    assert mail.outbox[0].to == [world.chen.email]
    dropped = Delivery.objects.get(notice__key="a")
    assert (dropped.state, dropped.why) == (
        "suppressed",
        "It was written before a backup was restored.",
    )


def test_nobody_lets_go_what_is_not_held_nor_an_earlier_copy(world: World, as_: SignedIn) -> None:
    first = lives.current()
    client = as_(world.noor)
    assert client.post(f"/activity/lives/{first.pk}/let-go/").status_code == 409
    older, newer = restored(), restored()
    assert client.post(f"/activity/lives/{older.pk}/let-go/").status_code == 409
    assert lives.held()
    assert client.post(f"/activity/lives/{newer.pk}/let-go/").status_code == 302
    assert lives.held() is None


def test_the_command_lets_go_where_nobody_can_sign_in(world: World) -> None:
    lives.current()
    say(world.ana, "a")
    Life.objects.update(place="another server")
    call_command("let_mails_go", "--drop-older", verbosity=0)
    assert send() == 0
    assert lives.held() is None
    with pytest.raises(CommandError, match="No mails are held"):
        call_command("let_mails_go")


@pytest.mark.django_db(transaction=True)
def test_workers_that_notice_at_once_begin_one_life() -> None:
    world = build_world()
    say(world.ana, "a")
    lives.current()
    Life.objects.update(place="another server")
    assert at_once(send, send, send) == [0, 0, 0]
    assert Life.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_who_let_go_at_once_one_is_told_that_it_is_done() -> None:
    world = build_world()
    lives.current()
    life = restored()
    acts = [
        lambda: lives.let_mails_go(life, drop_older=True, by=world.kim),
        lambda: lives.let_mails_go(life, drop_older=False, by=world.noor),
    ]
    assert refused(at_once(*acts)) == 1
    assert Event.objects.filter(verb="let_mails_go").count() == 1


def test_the_database_keeps_lives(world: World) -> None:
    life = lives.current()
    with pytest.raises(InternalError), transaction.atomic():
        life.delete()
    with pytest.raises(IntegrityError, match="life_has_code"), transaction.atomic():
        Life.objects.create(code="no code", place="here")
    with pytest.raises(IntegrityError, match="life_let_go_has_time"), transaction.atomic():
        Life.objects.create(code="0123456789ab", place="here", let_go_by=world.noor)
