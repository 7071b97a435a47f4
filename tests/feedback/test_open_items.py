"""What stands on whose home, and when it goes away."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from feedback import actions
from feedback.models import last_talk
from pmcycle.access import today
from pmcycle.cycles.models import Participation
from pmcycle.people.models import User
from tests.conftest import SignedIn, World
from tests.factories.feedback import (
    make_check_in,
    make_entry,
    make_feedback,
    make_item,
    make_point,
    make_request,
    person,
)
from tests.open_items import waiting


def needs(user: User) -> set[tuple[str, str, str]]:
    return {
        (item.kind.removeprefix("feedback:"), item.phase, item.name)
        for item in waiting("feedback")
        if item.recipient == user.employee_id
    }


def test_a_request_is_on_the_desk_of_the_one_asked_until_answered(world: World) -> None:
    asked = make_request(person(world.ana), person(world.chen), person(world.ana))
    assert needs(world.chen) == {("request", "todo", "Ana Popescu")}
    assert needs(world.ana) == {("request", "waits", "Chen Wei")}
    actions.decline(asked, version=1, by=world.chen)
    assert needs(world.chen) == needs(world.ana) == set()


def test_an_empty_agenda_shortly_before_the_meeting_is_for_whoever_left_it_empty(
    world: World,
) -> None:
    meeting = make_check_in(person(world.bashir), person(world.ana), in_days=1)
    make_check_in(person(world.bashir), person(world.chen), in_days=4)
    make_point(meeting, person(world.ana))
    make_point(meeting, person(world.bashir), withdrawn_at=timezone.now())
    assert needs(world.ana) == set()
    assert needs(world.bashir) == {("agenda", "todo", "Ana Popescu")}


def test_a_meeting_past_and_not_held_asks_both(world: World) -> None:
    meeting = make_check_in(person(world.bashir), person(world.ana), in_days=-1)
    make_check_in(person(world.bashir), person(world.chen), in_days=0, minutes=60)
    assert ("not_held", "todo", "Bashir Nouri") in needs(world.ana)
    assert {n for n in needs(world.bashir) if n[0] == "not_held"} == {
        ("not_held", "todo", "Ana Popescu")
    }
    actions.hold(meeting, version=1, by=world.ana)
    assert needs(world.ana) == set()


def test_actions_and_promises_are_on_both_homes(world: World, as_: SignedIn) -> None:
    meeting = make_check_in(person(world.bashir), person(world.ana), in_days=-9, state="held")
    promise = make_item(meeting, person(world.bashir), "Ask for a second fixture")
    make_item(meeting, person(world.ana), "Write the checklist")
    assert needs(world.bashir) == {
        ("promise", "todo", "Ana Popescu"),
        ("action", "waits", "Ana Popescu"),
    }
    assert needs(world.ana) == {
        ("action", "todo", "Bashir Nouri"),
        ("promise", "waits", "Bashir Nouri"),
    }
    home = as_(world.bashir).get(reverse("home:index")).content.decode()
    assert "Keep your promise to Ana Popescu" in home
    actions.done(promise, version=1, by=world.bashir)
    assert needs(world.bashir) == {("action", "waits", "Ana Popescu")}


def test_whoever_has_left_neither_acts_nor_waits(world: World) -> None:
    meeting = make_check_in(person(world.bashir), person(world.ana), in_days=-9, state="held")
    make_item(meeting, person(world.bashir))
    bashir = person(world.bashir)
    bashir.left_on = today() - timedelta(days=1)
    bashir.save()
    assert needs(world.bashir) == set()


class TestLastTalk:
    def talked(self, world: World) -> int | None:
        rows = Participation.objects.filter(pk=world.ana_part.pk).annotate(last=last_talk())
        last = rows.values_list("last", flat=True).get()
        return (timezone.now() - last).days if last else None

    def test_nothing_yet_is_nothing(self, world: World) -> None:
        assert self.talked(world) is None

    def test_whatever_was_last_counts(self, world: World) -> None:
        ana, bashir = person(world.ana), person(world.bashir)
        make_check_in(bashir, ana, in_days=-40, state="held")
        assert self.talked(world) == 40
        make_feedback(ana, bashir, given_at=timezone.now() - timedelta(days=20))
        assert self.talked(world) == 20
        make_entry(world.ana_part, bashir, bashir, days_ago=9)
        assert self.talked(world) == 9

    def test_talk_with_others_and_meetings_not_held_do_not_count(self, world: World) -> None:
        ana, bashir, farid = person(world.ana), person(world.bashir), person(world.farid)
        make_entry(world.ana_part, farid, farid, days_ago=30)
        make_check_in(farid, ana, in_days=-30, state="held")
        make_check_in(bashir, ana, in_days=-3)
        make_feedback(person(world.chen), ana)
        assert self.talked(world) is None
