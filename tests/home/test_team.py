"""The team's grid: who of my people needs me, the longest silence first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from feedback.models import Conversation, Entry
from pmcycle.access import today
from tests.conftest import SignedIn, World
from tests.factories.feedback import make_check_in, person
from tests.factories.reminders import ask, only_requests


def talk(world: World, who: str, days_ago: int) -> None:
    assert world.bashir.employee
    conversation = Conversation.objects.create(
        participation=world.part[who], manager=world.bashir.employee, stage="objectives"
    )
    Entry.objects.create(
        conversation=conversation,
        author=world.bashir.employee,
        body="How is it going?",
        said_at=timezone.now() - timedelta(days=days_ago),
    )


def test_a_manager_sees_exactly_the_people_they_lead(world: World, as_: SignedIn) -> None:
    page = as_(world.bashir).get("/team/").content.decode()
    assert "Ana Popescu" in page
    assert "Chen Wei" in page
    assert "Hugo Blanc" not in page


def test_the_longest_silence_stands_first(world: World, as_: SignedIn) -> None:
    talk(world, "ana", 2)
    talk(world, "chen", 45)
    page = as_(world.bashir).get("/team/").content.decode()
    assert page.index("Chen Wei") < page.index("Ana Popescu")
    assert "45 days ago" in page
    by_name = as_(world.bashir).get("/team/?sort=name").content.decode()
    assert by_name.index("Ana Popescu") < by_name.index("Chen Wei")


def test_whose_turn_it_is_stands_in_words(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_requests(monkeypatch, world)
    ask(world.bashir, world.ana, today() + timedelta(days=3))
    page = as_(world.bashir).get("/team/").content.decode()
    assert "your turn" in page
    assert "nothing to do" in page


def test_a_badge_leads_to_what_it_asks_for(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_requests(monkeypatch, world)
    asked = ask(world.bashir, world.ana, today() + timedelta(days=3))
    page = as_(world.bashir).get("/team/").content.decode()
    badge = page.index("your turn")
    assert f'<a href="{reverse("activity:job", args=[asked.pk])}">' in page[badge - 400 : badge]
    assert page.count(f'<a href="{reverse("goals:of", args=[world.ana_part.pk])}">') == 2, (
        "stage and goals"
    )


def test_the_next_check_in_is_prepared_from_the_team(world: World, as_: SignedIn) -> None:
    meeting = make_check_in(person(world.bashir), person(world.ana))
    make_check_in(person(world.bashir), person(world.ana), in_days=-3)
    page = as_(world.bashir).get("/team/").content.decode()
    assert page.count(f'<a href="{reverse("feedback:check_in", args=[meeting.pk])}">') == 1
    assert page.count("Prepare check-in") == 1
    assert f'{reverse("feedback:schedule")}?with={person(world.chen).pk}"' in page


def test_no_talk_at_all_is_a_gap_in_words(world: World, as_: SignedIn) -> None:
    days = (world.cycle.local_day(timezone.now()) - world.cycle.first_day).days
    page = as_(world.bashir).get("/team/").content.decode()
    assert f"no talk for {days} days" in page
    talk(world, "ana", 2)
    assert "2 days ago" in as_(world.bashir).get("/team/").content.decode()


def test_the_search_keeps_those_whose_name_holds_the_words(world: World, as_: SignedIn) -> None:
    page = as_(world.bashir).get("/team/?q=chen").content.decode()
    assert "Chen Wei" in page
    assert "Ana Popescu" not in page
    assert "Nobody of your team" in as_(world.bashir).get("/team/?q=zzz").content.decode()


@pytest.mark.parametrize("actor", ["ana", "kim", "mira", "noor"])
def test_who_leads_nobody_has_no_team_page(world: World, as_: SignedIn, actor: str) -> None:
    # Kim leads Ines and Jan, who are in People; she has a page.
    expected = 200 if actor == "kim" else 404
    assert as_(getattr(world, actor)).get("/team/").status_code == expected


def test_bad_parameters_are_passed_over(world: World, as_: SignedIn) -> None:
    assert as_(world.bashir).get("/team/?sort=%00&q=%00").status_code == 200
    assert as_(world.bashir).get("/team/?q=" + "x" * 5000).status_code == 200
