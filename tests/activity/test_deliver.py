"""The outbox: one mail a person, once, however many workers there are and whatever the mail server does."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from celery.exceptions import OperationalError
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from pmcycle.activity import tasks
from pmcycle.activity.actions import Tell, delivery, tell
from pmcycle.activity.models import Delivery, Notice
from pmcycle.people.models import User
from pmcycle.ui.formats import number_text, numbers_as
from tests.at_once import PATIENCE
from tests.conftest import SignedIn, World, build_world
from tests.pages import flat


def say(user: User, key: str, title: str = "Answer the proposal", **fields: Any) -> None:
    """Leave a notice; an urgent one, because what is gathered waits for a morning (tests/home/test_remind.py)."""
    tell(
        user,
        [
            Tell(
                user_id=user.pk,
                title=title,
                url="/goals/",
                key=key,
                **{"is_urgent": True, **fields},
            )
        ],
    )


def send() -> int:
    return delivery.deliver(gathered=False)


def parts_of(sent: EmailMessage) -> list[tuple[str, str]]:
    assert isinstance(sent, EmailMultiAlternatives)
    return [(str(part[0]), str(part[1])) for part in sent.alternatives]


def break_mail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def send(self: EmailMultiAlternatives, fail_silently: bool = False) -> int:
        raise error

    monkeypatch.setattr(EmailMultiAlternatives, "send", send)


def let_time_pass(**span: float) -> None:
    """As if what waits had been waiting for longer."""
    for row in Delivery.objects.filter(state="pending"):
        assert row.not_before
        row.not_before -= timedelta(**span)
        row.lease_until = row.lease_until and row.lease_until - timedelta(**span)
        row.save()


def test_a_notice_leaves_as_text_and_html_with_its_link(world: World) -> None:
    say(world.ana, "a")
    assert send() == 1
    [sent] = mail.outbox
    assert sent.to == [world.ana.email]
    assert "http://localhost:8000/goals/" in str(sent.body)
    [(html, kind)] = parts_of(sent)
    assert kind == "text/html"
    assert 'href="http://localhost:8000/goals/"' in html
    assert 'style="' in html
    assert "<style" not in html
    row = Delivery.objects.get()
    assert (row.state, row.message_id, row.why) == ("sent", sent.extra_headers["Message-ID"], "")


def test_what_is_not_urgent_does_not_leave_at_once(world: World) -> None:
    say(world.ana, "a", is_urgent=False)
    assert send() == 0
    assert Delivery.objects.get().not_before is None


def test_what_was_said_once_is_not_said_again(world: World) -> None:
    say(world.ana, "a")
    say(world.ana, "a")
    send()
    send()
    assert len(mail.outbox) == 1


def test_a_burst_to_one_person_is_one_mail(world: World) -> None:
    for number in range(5):
        say(world.ana, f"a{number}")
    say(world.chen, "b")
    assert send() == 2
    assert [m.subject for m in mail.outbox] == ["5 things need you", "Answer the proposal"]


def test_a_title_cannot_smuggle_headers_into_the_mail(world: World) -> None:
    say(world.ana, "a", title="Hello\nBcc: everybody@example.com")
    send()
    assert mail.outbox[0].subject == "Hello Bcc: everybody@example.com"


def test_a_title_is_no_markup_in_the_mail(world: World) -> None:
    say(world.ana, "a", title="<img src=x>")
    send()
    assert "<img" not in parts_of(mail.outbox[0])[0][0]


def test_a_closed_account_gets_nothing(world: World) -> None:
    say(world.ana, "a")
    User.objects.filter(pk=world.ana.pk).update(is_active=False)
    assert send() == 0
    assert (Delivery.objects.get().state, Delivery.objects.get().why) == (
        "suppressed",
        "The account is closed.",
    )


def test_a_mail_server_that_is_down_is_tried_again_later_and_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(world.ana, "a")
    waits = []
    with monkeypatch.context() as broken:
        break_mail(broken, ConnectionRefusedError())
        for _ in range(4):
            send()
            row = Delivery.objects.get()
            assert row.state == "pending"
            assert row.not_before
            waits.append(round((row.not_before - timezone.now()).total_seconds() / 60))
            let_time_pass(minutes=waits[-1] + 1)
    assert waits == [1, 5, 30, 120]
    assert send() == 1
    assert Delivery.objects.get().attempts == 5


def test_after_five_tries_it_is_given_up_where_operators_see_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(world.ana, "a")
    break_mail(monkeypatch, smtplib.SMTPServerDisconnected())
    for _ in range(6):
        send()
        let_time_pass(hours=3)
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == ("failed", 5)
    assert "5 tries" in row.why


def test_an_address_that_does_not_exist_is_not_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(world.ana, "a")
    break_mail(
        monkeypatch, smtplib.SMTPRecipientsRefused({world.ana.email: (550, b"no such user")})
    )
    send()
    row = Delivery.objects.get()
    assert row.state == "failed"
    assert "550" in row.why


def test_one_person_s_trouble_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(world.ana, "a")
    say(world.chen, "b")
    whole = EmailMultiAlternatives.send

    def fussy(self: EmailMultiAlternatives, fail_silently: bool = False) -> int:
        if self.to == [world.ana.email]:
            raise smtplib.SMTPRecipientsRefused({world.ana.email: (451, b"later")})
        return whole(self, fail_silently)

    monkeypatch.setattr(EmailMultiAlternatives, "send", fussy)
    assert send() == 1
    assert mail.outbox[0].to == [world.chen.email]


def test_a_worker_killed_after_sending_repeats_the_very_same_mail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(world.ana, "a")
    with monkeypatch.context() as killed:
        killed.setattr(delivery, "_settle", lambda *a, **k: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            send()
    say(world.ana, "b", title="Something else")
    assert Delivery.objects.get(notice__key="a").lease_until
    send()  # while the lease lasts nobody touches it: only the new one leaves
    let_time_pass(minutes=11)
    send()
    first, other, again = mail.outbox
    assert first.extra_headers["Message-ID"] == again.extra_headers["Message-ID"]
    assert first.body == again.body
    assert other.extra_headers["Message-ID"] != first.extra_headers["Message-ID"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_a_worker_that_lost_its_lease_does_not_overwrite_the_other_s_result(world: World) -> None:
    say(world.ana, "a")
    slow = delivery.claim_mail(gathered=False)
    assert slow
    let_time_pass(minutes=11)
    send()
    delivery._keep_failure(slow, ConnectionRefusedError())
    assert Delivery.objects.get().state == "sent"


def run_at_once(number: int, work: Callable[[], object]) -> None:
    barrier = threading.Barrier(number)

    def run() -> None:
        try:
            barrier.wait(PATIENCE)
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_mail_once_and_split_no_digest() -> None:
    world = build_world()
    for user in (world.ana, world.bashir, world.chen, world.dora):
        for number in range(4):
            say(user, f"{user.pk}-{number}")
    run_at_once(3, send)
    assert sorted(m.to[0] for m in mail.outbox) == sorted(
        user.email for user in (world.ana, world.bashir, world.chen, world.dora)
    )
    assert {m.subject for m in mail.outbox} == {"4 things need you"}
    assert Notice.objects.filter(deliveries__state="sent").count() == 16


def test_a_broker_that_is_down_does_not_stop_the_person(
    world: World, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.deliver, "apply_async", refuse)
    with django_capture_on_commit_callbacks(execute=True) as callbacks, transaction.atomic():
        tasks.wake(tasks.deliver)
    assert len(callbacks) == 1


# --- by when, and in whose day ------------------------------------------------------------------------


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def due_line(user: User, zone: str, day: date) -> str:
    """What the mail says of a day that is due in this zone, at noon of 2 March in Greenwich."""
    with time_machine.travel(NOON, tick=False):
        say(user, "a", due_on=day, due_zone=zone)
        assert send() == 1
    text = str(mail.outbox[-1].body)
    return next(line for line in text.splitlines() if "Answer the proposal" in line).partition(
        " – "
    )[2]


def live_in(user: User, zone: str) -> None:
    user.employee.zone = zone  # type: ignore[union-attr]
    user.employee.save(update_fields=["zone"])  # type: ignore[union-attr]


def test_a_due_day_is_the_cycle_s_and_named_with_its_place_where_the_reader_s_is_another(
    world: World,
) -> None:
    live_in(world.ana, "Asia/Tokyo")
    said = due_line(world.ana, "America/New_York", date(2026, 3, 3))
    assert said == "due tomorrow (3 Mar in New York, over 4 Mar, 14:00 your time)"


def test_how_far_off_it_is_is_counted_where_it_is_due(world: World) -> None:
    """It is the third in Kiritimati already, and the second with the reader."""
    live_in(world.ana, "America/New_York")
    assert due_line(world.ana, "Pacific/Kiritimati", date(2026, 3, 3)).startswith(
        "due today (3 Mar in Kiritimati"
    )


def test_where_both_live_by_the_same_clock_no_place_is_named(world: World) -> None:
    live_in(world.ana, "Europe/Bucharest")
    assert due_line(world.ana, "Europe/Bucharest", date(2026, 3, 3)) == "due tomorrow (3 Mar)"


def test_a_day_that_two_people_agreed_is_the_reader_s(world: World) -> None:
    live_in(world.ana, "Asia/Tokyo")
    assert due_line(world.ana, "", date(2026, 3, 3)) == "due tomorrow (3 Mar)"


def test_the_inbox_counts_and_names_it_as_the_mail_does(world: World, as_: SignedIn) -> None:
    live_in(world.ana, "America/New_York")
    with time_machine.travel(NOON, tick=False):
        say(world.ana, "a", due_on=date(2026, 3, 3), due_zone="Pacific/Kiritimati")
        page = flat(as_(world.ana).get(reverse("activity:inbox")))
    assert "due today" in page
    assert "Kiritimati" in page


def test_a_mail_writes_numbers_as_its_reader_does_whoever_caused_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=world.ana.pk).update(numbers="de")
    monkeypatch.setattr(delivery, "due_words", lambda *_day: number_text("1234.5"))
    with numbers_as("en"):
        assert due_line(world.ana, "", date(2026, 3, 3)) == "1.234,5"
