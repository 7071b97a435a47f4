"""Home is the same for all: what needs me, what waits on others, how the cycle stands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.translation import ngettext_lazy

from pmcycle.access import today
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.home import contributions
from tests.conftest import SignedIn, World
from tests.factories import evaluations
from tests.factories.feedback import make_check_in, make_item, person
from tests.factories.reminders import KIND, ask, only_requests


def words(page: str) -> str:
    return " ".join(page.split())


def test_what_is_open_stands_on_home_grouped_by_when_it_is_due(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_requests(monkeypatch, world)
    ask(world.ana, world.chen, today() - timedelta(days=2))
    ask(world.ana, world.farid, today() + timedelta(days=2))
    ask(world.ana, world.gita, today() + timedelta(days=40))
    page = words(as_(world.ana).get("/").content.decode())
    assert page.index("Overdue") < page.index("Answer about Chen Wei") < page.index("This week")
    assert page.index("This week") < page.index("Answer about Farid Amiri") < page.index("Later")
    assert page.index("Later") < page.index("Answer about Gita Rao")
    assert "2 days overdue" in page
    assert "about 15 minutes" in page


def test_several_of_one_kind_stand_under_one_heading_with_their_names(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_requests(monkeypatch, world)
    many = ngettext_lazy("Answer about %(n)d person", "Answer about %(n)d people", "n")
    monkeypatch.setitem(contributions.MANY, KIND, many)
    for about in (world.chen, world.farid):
        ask(world.ana, about, today() + timedelta(days=3))
    assert "Answer about 2 people" not in words(as_(world.ana).get("/").content.decode())
    ask(world.ana, world.gita, today() + timedelta(days=4))
    page = words(as_(world.ana).get("/").content.decode())
    heading = page.index("Answer about 3 people")
    assert all(heading < page.index(name) for name in ("Chen Wei", "Farid Amiri", "Gita Rao"))
    assert page.count('<details class="todo-part"') == 1


def test_what_others_wait_for_stands_before_what_is_due_earlier(
    world: World, as_: SignedIn
) -> None:
    stage = world.cycle.stages.get(kind="objectives")
    later = stage.due_on + timedelta(days=1)
    make_item(
        make_check_in(person(world.bashir), person(world.ana)), person(world.ana), due_on=later
    )
    page = words(as_(world.ana).get("/").content.decode())
    assert page.index("Do what you agreed with Bashir Nouri") < page.index("Propose your goals")
    assert page.count("others wait") == 1


def test_a_promise_is_shown_once_and_with_its_words(world: World, as_: SignedIn) -> None:
    text = "Ask for a second fixture"
    make_item(make_check_in(person(world.bashir), person(world.ana)), person(world.bashir), text)
    mine = words(as_(world.bashir).get("/").content.decode())
    assert f"Keep your promise to Ana Popescu: {text}" in mine
    assert mine.count(text) == 1
    theirs = words(as_(world.ana).get("/").content.decode())
    assert f'<div class="todo-what"> {text} <small>Bashir Nouri' in theirs
    assert "has a promise to keep" not in theirs


def test_other_people_s_items_are_not_on_my_home(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_requests(monkeypatch, world)
    ask(world.ana, world.chen, today())
    assert "Answer about" not in as_(world.chen).get("/").content.decode()


@pytest.mark.parametrize("actor", ["ana", "bashir", "dora", "ines", "kim", "mira", "noor"])
def test_home_opens_for_everybody_from_the_first_day(
    world: World, as_: SignedIn, actor: str
) -> None:
    response = as_(getattr(world, actor)).get("/")
    assert response.status_code == 200
    assert "What needs me" in response.content.decode()


def test_home_without_any_cycle_says_what_comes(world: World, as_: SignedIn) -> None:
    Participation.objects.all().delete()
    Cycle.objects.all().delete()
    assert "No cycle is running" in as_(world.ana).get("/").content.decode()
    assert "Prepare one" in as_(world.kim).get("/").content.decode()


def test_hr_sees_the_cycle_being_prepared_and_others_do_not(world: World, as_: SignedIn) -> None:
    Cycle.objects.create(
        name="Next year", first_day=today(), last_day=today() + timedelta(days=300)
    )
    assert "A cycle is being prepared" in as_(world.kim).get("/").content.decode()
    assert "A cycle is being prepared" not in as_(world.ana).get("/").content.decode()


def test_operators_hear_that_the_clock_stands_still(world: World, as_: SignedIn) -> None:
    assert "no mail leaves" in as_(world.noor).get("/").content.decode()


def test_auditors_are_led_to_the_trail(world: World, as_: SignedIn) -> None:
    assert "audit trail" in as_(world.mira).get("/").content.decode()


def test_hr_is_told_of_a_stage_past_its_day_only_where_somebody_is_missing(
    world: World, as_: SignedIn
) -> None:
    world.cycle.stages.filter(kind="evaluation").update(
        due_on=today() - timedelta(days=2), opens_on=today() - timedelta(days=9)
    )
    assert (
        "1 stage is open past its due day"
        in as_(world.kim).get(reverse("home:index")).content.decode()
    )
    for part in world.cycle.participations.select_related("employee"):
        leads = world.part["chen" if part == world.part["bashir"] else "bashir"].employee
        evaluations.make_evaluation(part, leads, state="signed")
    assert "past its due day" not in as_(world.kim).get(reverse("home:index")).content.decode()
