"""What day it is depends on where: at the person's for what they promise and ask, in the cycle's zone for its days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.urls import reverse

from feedback.models import ActionItem, FeedbackRequest
from goals.models import Contribution
from pmcycle.access import today
from pmcycle.cycles.models import Cycle, Stage
from pmcycle.people.models import ApiToken, Organisation, User
from tests.conftest import SignedIn, World
from tests.factories.feedback import make_check_in, person
from tests.factories.reminders import ask, only_requests

# At 20:00 in UTC it is tomorrow on Kiritimati (UTC+14) and today on Pago Pago (UTC-11).
AHEAD, BEHIND = "Pacific/Kiritimati", "Pacific/Pago_Pago"
ZONES = pytest.mark.parametrize(("zone", "day_there"), [("UTC", 0), (AHEAD, 1), (BEHIND, 0)])


@pytest.fixture(autouse=True)
def evening(world: World) -> Iterator[None]:
    with time_machine.travel(datetime.combine(today(), time(20), UTC), tick=False):
        yield


def live_in(user: User, zone: str) -> None:
    User.objects.filter(pk=user.pk).update(zone=zone)


@ZONES
@pytest.mark.parametrize(("after", "status"), [(-1, 422), (0, 302)])
def test_a_promise_is_for_a_day_that_has_not_passed_where_its_author_is(
    world: World, as_: SignedIn, zone: str, day_there: int, after: int, status: int
) -> None:
    live_in(world.bashir, zone)
    meeting = make_check_in(person(world.bashir), person(world.ana), in_days=-0.1)
    day = today() + timedelta(days=day_there + after)
    data = {
        "text": "Order the fixture",
        "owner": person(world.bashir).pk,
        "due_on": day.isoformat(),
    }
    url = reverse("feedback:add_action", kwargs={"pk": meeting.pk})
    assert as_(world.bashir).post(url, data).status_code == status
    assert ActionItem.objects.exists() == (status == 302)


@ZONES
@pytest.mark.parametrize(("after", "status"), [(-1, 422), (0, 302)])
def test_a_colleague_is_asked_until_a_day_to_come_where_the_asker_is(
    world: World, as_: SignedIn, zone: str, day_there: int, after: int, status: int
) -> None:
    live_in(world.ana, zone)
    day = today() + timedelta(days=day_there + after)
    data = {
        "reviewer": person(world.chen).pick_text,
        "about": person(world.ana).pk,
        "question": "What could I explain better?",
        "due_on": day.isoformat(),
    }
    assert as_(world.ana).post(reverse("feedback:request_feedback"), data).status_code == status
    assert FeedbackRequest.objects.exists() == (status == 302)


@ZONES
@pytest.mark.parametrize(("after", "is_taken"), [(0, True), (1, False)])
def test_what_happened_today_where_the_person_is_is_not_still_to_come(
    world: World, as_: SignedIn, zone: str, day_there: int, after: int, is_taken: bool
) -> None:
    live_in(world.ana, zone)
    day = today() + timedelta(days=day_there + after)
    data = {
        "text": "Two night shifts.",
        "beneficiary": "chen.wei@example.com",
        "happened_on": day.isoformat(),
    }
    as_(world.ana).post(reverse("goals:contribute", args=[world.ana_part.pk]), data)
    assert Contribution.objects.exists() == is_taken


@ZONES
@pytest.mark.parametrize(("after", "status"), [(0, 422), (1, 201)])
def test_a_token_runs_out_with_the_day_where_its_owner_is(
    world: World, as_: SignedIn, zone: str, day_there: int, after: int, status: int
) -> None:
    live_in(world.ana, zone)
    day = today() + timedelta(days=day_there + after)
    data = {"name": "Dashboard", "scopes": ["goals:read"], "expires_on": day.isoformat()}
    answer = as_(world.ana).post(reverse("people:tokens"), data)
    assert answer.status_code == status
    if status == 201:
        # Its last day has begun everywhere the owner may be; the day after it is refused.
        client, bearer = as_(None), {"Authorization": f"Bearer {answer.context['secret']}"}
        assert client.get("/api/v1/goals/", headers=bearer).status_code == 200
        ApiToken.objects.update(expires_on=today() + timedelta(days=day_there - 1))
        assert client.get("/api/v1/goals/", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("cycle_zone", "reader_zone", "due_in", "group", "words"),
    [
        ("UTC", "UTC", 0, "This week", "due today"),
        # Over on Kiritimati, whose cycle it is; the reader still has the day.
        (AHEAD, "UTC", 0, "Overdue", "1 day overdue"),
        (AHEAD, "UTC", 1, "This week", "due today"),
        # Tomorrow for the reader, today for the cycle: not late.
        ("UTC", AHEAD, 0, "This week", "due today"),
        (BEHIND, AHEAD, 0, "This week", "due today"),
        (AHEAD, BEHIND, 0, "Overdue", "1 day overdue"),
    ],
)
def test_home_counts_the_days_of_a_cycle_in_its_zone_and_names_it(
    world: World,
    as_: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
    cycle_zone: str,
    reader_zone: str,
    due_in: int,
    group: str,
    words: str,
) -> None:
    only_requests(monkeypatch, world)
    Cycle.objects.filter(pk=world.cycle.pk).update(zone=cycle_zone)
    live_in(world.ana, reader_zone)
    ask(world.ana, world.chen, today() + timedelta(days=due_in))
    page = as_(world.ana).get("/").content.decode()
    assert f"{group}<" in page or f">{group}" in page
    assert words in page
    place = cycle_zone.rpartition("/")[2].replace("_", " ")
    assert (f'<span class="due-place"> · {place}</span>' in page) == (cycle_zone != reader_zone)


@pytest.mark.parametrize("name", ["cycles:list", "cycles:detail", "cycles:life_line"])
@pytest.mark.parametrize(
    ("cycle_zone", "reader_zone", "is_marked"), [(AHEAD, "UTC", True), ("UTC", AHEAD, False)]
)
def test_a_line_of_dates_marks_today_where_the_cycle_is(
    name: str, cycle_zone: str, reader_zone: str, is_marked: bool, world: World, as_: SignedIn
) -> None:
    """The line begins tomorrow by UTC, which is today on Kiritimati."""
    begin = today() + timedelta(days=1)
    Cycle.objects.update(zone=cycle_zone, first_day=begin, last_day=begin + timedelta(days=300))
    Stage.objects.update(opens_on=begin, due_on=begin + timedelta(days=30))
    live_in(world.kim, reader_zone)
    which = {"cycles:list": {}, "cycles:detail": {"pk": world.cycle.pk}}.get(
        name, {"pk": world.ana_part.pk}
    )
    page = as_(world.kim).get(reverse(name, kwargs=which))
    assert page.status_code == 200
    assert ("now-line" in page.content.decode()) == is_marked


def test_who_has_no_zone_of_their_own_reads_the_company_s(world: World, as_: SignedIn) -> None:
    Organisation.objects.update(zone=AHEAD)
    User.objects.update(zone="")
    page = as_(world.ana).get(reverse("feedback:request_feedback"))
    assert page.context["form"].initial["due_on"] == today() + timedelta(days=1 + 14)
