"""What operators see, what HR sees of the mails, and what neither sees."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from pmcycle.activity import machine
from pmcycle.activity.actions import beat
from pmcycle.activity.models import Delivery, Event, Notice
from tests.conftest import SignedIn, World
from tests.factories.activity import failed_mail


def test_operators_see_addresses_and_reasons_but_no_title(world: World, as_: SignedIn) -> None:
    failed_mail(world)
    page = as_(world.noor).get("/activity/operations/").content.decode()
    assert world.ana.email in page
    assert "550" in page
    assert "Write your self-appraisal" not in page


def test_a_failed_mail_is_tried_again_on_demand(world: World, as_: SignedIn) -> None:
    pk = failed_mail(world)["pk"]
    as_(world.noor).post(f"/activity/deliveries/{pk}/retry/")
    assert Delivery.objects.get().state == "pending"
    assert Event.objects.filter(verb="retried_delivery", actor=world.noor).exists()
    assert as_(world.noor).post(f"/activity/deliveries/{pk}/retry/").status_code == 409


NOW = timezone.now()


@pytest.mark.parametrize(
    ("beat_at", "queue", "words"),
    [
        (NOW, 0, "run"),
        (NOW - timedelta(minutes=3), 12, "run"),
        (NOW - timedelta(minutes=9), 12, "No worker"),
        (NOW - timedelta(minutes=9), 0, "clock does not strike"),
        (None, 0, "clock does not strike"),
        (NOW, None, "Redis does not answer"),
    ],
)
def test_the_diagnosis_names_what_stands_still(
    beat_at: object, queue: int | None, words: str
) -> None:
    assert words in machine.diagnose(beat_at, queue, NOW)[1]  # type: ignore[arg-type]


def test_a_beat_is_one_row_however_often_it_strikes(world: World, as_: SignedIn) -> None:
    beat("deliver")
    beat("deliver")
    assert "Clock and worker run" in as_(world.noor).get("/activity/operations/").content.decode()


def test_redis_that_does_not_answer_is_said_and_breaks_nothing(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "queue_length", lambda: None)
    assert "Redis does not answer" in as_(world.noor).get("/activity/operations/").content.decode()


def test_hr_sees_who_was_reminded_and_why_not(world: World, as_: SignedIn) -> None:
    failed_mail(world)
    page = as_(world.kim).get("/activity/deliveries/").content.decode()
    assert "Ana Popescu" in page
    assert "550" in page
    assert "Ana Popescu" in as_(world.ines).get("/activity/deliveries/").content.decode()
    assert "Ana Popescu" not in as_(world.jan).get("/activity/deliveries/").content.decode()
    assert "No reminder" in as_(world.kim).get("/activity/deliveries/?state=sent").content.decode()
    assert "No reminder" in as_(world.kim).get("/activity/deliveries/?q=hugo").content.decode()


def test_hr_s_log_names_the_kind_of_task_and_nobody_s_promise(world: World, as_: SignedIn) -> None:
    def told(subject_kind: str, title: str) -> None:
        notice = Notice.objects.create(
            recipient=world.bashir,
            kind="reminder",
            title=title,
            url="/",
            subject_kind=subject_kind,
            key=title,
        )
        Delivery.objects.create(notice=notice, channel="email")

    told("feedback:promise", "Keep your promise to Ana Popescu")
    told("feedback:request", "Give feedback about Chen Wei")
    page = as_(world.kim).get("/activity/deliveries/").content.decode()
    assert "Bashir Nouri" not in page
    told("appraisals:manager", "Appraise Ana Popescu")
    page = as_(world.kim).get("/activity/deliveries/").content.decode()
    assert "Appraisal of somebody they lead" in page
    for words in ("promise", "Ana Popescu", "your"):
        assert words not in page.partition("<tbody>")[2].partition("</tbody>")[0]


def test_what_one_person_told_another_is_not_in_hr_s_log(world: World, as_: SignedIn) -> None:
    pk = failed_mail(world)["pk"]
    Delivery.objects.get(pk=pk).notice.__class__.objects.update(kind="notice")
    assert "Ana Popescu" not in as_(world.kim).get("/activity/deliveries/").content.decode()
