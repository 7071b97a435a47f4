"""Calendar files and the secret address: when and with whom, never what is said."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import Error, transaction
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from feedback.models import CalendarFeed, CheckIn
from tests.conftest import SignedIn, World
from tests.factories.feedback import make_check_in, make_point, make_series, person


@pytest.fixture
def meeting(world: World) -> CheckIn:
    row = make_check_in(person(world.bashir), person(world.ana), shared_note="Pay is an issue")
    make_point(row, person(world.ana), "I want to leave the shift")
    return row


def address(world: World, as_: SignedIn) -> str:
    page = as_(world.ana).post(reverse("feedback:share_calendar")).content.decode()
    return (
        page.split('class="address">')[1]
        .split("<")[0]
        .removeprefix("http://localhost:8000")
        .strip()
    )


def test_the_file_of_a_meeting_that_was_called_off_strikes_it(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    """The same meeting, a later version of it, cancelled: what RFC 5546 asks of a cancellation."""
    at = reverse("feedback:ics", kwargs={"pk": meeting.pk})
    (kept,) = Calendar.from_ical(as_(world.ana).get(at).content).walk("VEVENT")
    assert (kept["STATUS"], kept["SEQUENCE"]) == ("CONFIRMED", meeting.version)
    cancel = reverse("feedback:cancel_check_in", kwargs={"pk": meeting.pk})
    as_(world.bashir).post(cancel, {"version": meeting.version})
    page = (
        as_(world.ana).get(reverse("feedback:check_in", kwargs={"pk": meeting.pk})).content.decode()
    )
    assert f'href="{at}"' in page
    answer = as_(world.ana).get(at)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8; method=CANCEL"
    calendar = Calendar.from_ical(answer.content)
    (struck,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], struck["STATUS"]) == ("CANCEL", "CANCELLED")
    assert struck["UID"] == kept["UID"]
    assert struck.decoded("DTSTART") == kept.decoded("DTSTART")
    assert int(str(struck["SEQUENCE"])) > int(str(kept["SEQUENCE"]))
    assert struck["ORGANIZER"] == f"mailto:{person(world.bashir).email}"


def test_a_file_of_one_meeting_has_no_content(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    answer = as_(world.ana).get(reverse("feedback:ics", kwargs={"pk": meeting.pk}))
    assert answer["Content-Type"].startswith("text/calendar")
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert event["SUMMARY"] == "Check-in: Ana Popescu and Bashir Nouri"
    assert event.decoded("DTSTART") == meeting.starts_at.replace(microsecond=0)
    assert "DESCRIPTION" not in event
    assert b"shift" not in answer.content
    assert b"Pay" not in answer.content


def test_the_address_works_without_signing_in_until_it_is_revoked(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    make_check_in(person(world.gita), person(world.hugo))
    url = address(world, as_)
    answer = as_(None).get(url)
    assert answer.status_code == 200
    assert len(Calendar.from_ical(answer.content).walk("VEVENT")) == 1
    assert b"shift" not in answer.content
    assert "last read" in as_(world.ana).get(reverse("feedback:check_ins")).content.decode()
    as_(world.ana).post(reverse("feedback:revoke_calendar"))
    assert as_(None).get(url).status_code == 404


def test_a_new_address_ends_the_old_one(world: World, as_: SignedIn, meeting: CheckIn) -> None:
    old = address(world, as_)
    new = address(world, as_)
    assert as_(None).get(old).status_code == 404
    assert as_(None).get(new).status_code == 200
    with pytest.raises(Error), transaction.atomic():
        CalendarFeed.objects.create(user=world.ana, digest="x" * 64)


def test_the_secret_is_not_kept(world: World, as_: SignedIn) -> None:
    secret = address(world, as_).rsplit("/", 1)[1].removesuffix(".ics")
    assert secret not in str(list(CalendarFeed.objects.values()))


def test_a_closed_account_has_no_calendar(world: World, as_: SignedIn, meeting: CheckIn) -> None:
    url = address(world, as_)
    world.ana.is_active = False
    world.ana.save()
    assert as_(None).get(url).status_code == 404


def test_a_guessed_address_finds_nothing(world: World, as_: SignedIn) -> None:
    assert as_(None).get(reverse("feedback:calendar", kwargs={"token": "guess"})).status_code == 404


def test_what_is_long_past_is_not_in_it(world: World, as_: SignedIn) -> None:
    bashir, ana = person(world.bashir), person(world.ana)
    for state in ("held", "cancelled"):
        make_check_in(bashir, ana, state=state, starts_at=timezone.now() - timedelta(days=60))
    assert not Calendar.from_ical(as_(None).get(address(world, as_)).content).walk("VEVENT")


def test_a_meeting_that_is_called_off_is_struck_from_the_calendars_of_both(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    """The same meeting, a later version of it, cancelled, in a calendar that is published as before."""
    url = address(world, as_)
    (kept,) = Calendar.from_ical(as_(None).get(url).content).walk("VEVENT")
    cancel = reverse("feedback:cancel_check_in", kwargs={"pk": meeting.pk})
    as_(world.bashir).post(cancel, {"version": meeting.version})
    answer = as_(None).get(url)
    calendar = Calendar.from_ical(answer.content)
    (struck,) = calendar.walk("VEVENT")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert (calendar["METHOD"], kept["STATUS"], struck["STATUS"]) == (
        "PUBLISH",
        "CONFIRMED",
        "CANCELLED",
    )
    assert struck["UID"] == kept["UID"]
    assert struck.decoded("DTSTART") == kept.decoded("DTSTART")
    assert int(str(struck["SEQUENCE"])) > int(str(kept["SEQUENCE"]))
    assert b"shift" not in answer.content, "never what was to be said"


def test_it_stays_struck_until_a_month_after_its_time(
    world: World, as_: SignedIn, meeting: CheckIn
) -> None:
    url = address(world, as_)
    CheckIn.objects.update(state="cancelled", cancelled_why="by_hand")
    for days, found in ((0, 1), (29, 1), (31, 0)):
        with time_machine.travel(meeting.starts_at + timedelta(days=days, minutes=1), tick=False):
            assert len(Calendar.from_ical(as_(None).get(url).content).walk("VEVENT")) == found, days


def test_the_end_of_a_series_strikes_what_it_had_planned(world: World, as_: SignedIn) -> None:
    bashir, ana = person(world.bashir), person(world.ana)
    series = make_series(bashir, ana)
    planned = [
        make_check_in(bashir, ana, series=series, starts_at=timezone.now() + timedelta(days=d))
        for d in (3, 10)
    ]
    url = address(world, as_)
    as_(world.bashir).post(
        reverse("feedback:end_series", kwargs={"pk": series.pk}), {"version": series.version}
    )
    events = Calendar.from_ical(as_(None).get(url).content).walk("VEVENT")
    assert {str(event["STATUS"]) for event in events} == {"CANCELLED"}
    assert len(events) == len(planned)


def test_what_was_called_off_gives_way_where_there_is_too_much(world: World, as_: SignedIn) -> None:
    bashir, ana = person(world.bashir), person(world.ana)
    soon = timezone.now() + timedelta(days=1)
    CheckIn.objects.bulk_create(
        CheckIn(
            manager=bashir, employee=ana, starts_at=soon, state="cancelled", cancelled_why="by_hand"
        )
        for _number in range(500)
    )
    make_check_in(bashir, ana, starts_at=soon + timedelta(days=300))
    events = Calendar.from_ical(as_(None).get(address(world, as_)).content).walk("VEVENT")
    assert [str(event["STATUS"]) for event in events].count("CONFIRMED") == 1
    assert len(events) == 500
