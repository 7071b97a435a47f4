"""Who looked: noted at the door, once an hour, in one statement, for everybody who is no party."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incentives import actions
from pmcycle.activity.actions import forget_looks
from pmcycle.activity.models import Event, Look
from tests.at_once import at_once
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals, goals, incentives

pytestmark = pytest.mark.django_db


def looks(**said: Any) -> models.QuerySet[Event]:
    return Event.objects.filter(verb="viewed", **said)


def url(name: str, pk: int) -> str:
    return reverse(name, kwargs={"pk": pk})


def test_each_page_of_a_person_leaves_its_own_line_and_says_what_it_showed(
    world: World, as_: SignedIn
) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    ines = as_(world.ines)
    for name, pk in (
        ("goals:of", world.ana_part.pk),
        ("goals:detail", goal.pk),
        ("goals:contributions", world.ana_part.pk),
        ("cycles:life_line", world.ana_part.pk),
    ):
        assert ines.get(url(name, pk)).status_code == 200
    assert looks(about=world.ana.employee, actor=world.ines).count() == 4
    page = as_(world.ana).get(reverse("activity:who_looked")).content.decode()
    for words in ("your goals with their notes", "goal ", "beyond your goals", "your way through a cycle"):
        assert words in page
    assert page.count("as HR partner") == 4


def test_a_file_and_the_interface_for_programs_are_named(world: World, as_: SignedIn) -> None:
    result = appraisals.released(world)
    kim = as_(world.kim)
    kim.get(url("appraisals:result_pdf", result.pk))
    kim.get(reverse("api:result-detail", kwargs={"pk": result.pk}))
    ways = looks(about=world.ana.employee, actor=world.kim).order_by("pk").values_list("data__way", flat=True)
    assert list(ways) == ["file", "api"]
    page = as_(world.ana).get(reverse("activity:who_looked")).content.decode()
    assert "as a file" in page
    assert "through the interface for programs" in page


def test_what_was_refused_or_led_elsewhere_leaves_no_line(world: World, as_: SignedIn) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    assert as_(world.dora).get(url("goals:propose", world.ana_part.pk)).status_code == 403
    assert as_(world.chen).get(url("goals:detail", goal.pk)).status_code == 404
    assert not looks().exists()


def test_the_same_page_leaves_a_second_line_after_an_hour(world: World, as_: SignedIn) -> None:
    where = url("cycles:life_line", world.ana_part.pk)
    start = timezone.now()
    for minutes, lines in ((0, 1), (59, 1), (61, 2), (62, 2)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            as_(world.ines).get(where)
        assert looks(about=world.ana.employee).count() == lines
    with time_machine.travel(start + timedelta(minutes=200), tick=False):
        assert forget_looks() == 1
    assert not Look.objects.exists()
    assert looks().count() == 2


def test_nobody_looks_at_themselves(world: World, as_: SignedIn) -> None:
    run = incentives.released(world)
    export = actions.export_payroll(run, "csv", by=world.kim)
    as_(world.lea).get(url("incentives:payroll_file", export.pk))
    assert not looks(about=world.lea.employee).exists()
    assert looks(actor=world.lea, about=world.kim.employee).exists()


def test_a_list_is_noted_about_each_person_in_it_by_one_statement(world: World, as_: SignedIn) -> None:
    counts = []
    client = as_(world.lea)
    for more in (0, 12):
        incentives.many_more(world, more)
        with CaptureQueriesContext(connection) as seen:
            page = client.get(url("incentives:run", world.cycle.pk)).context["page"]
        counts.append(sum("INSERT INTO activity_event" in q["sql"] for q in seen.captured_queries))
        listed = {award.participation.employee_id for award in page}
        assert listed
        assert set(looks(actor=world.lea).values_list("about", flat=True)) >= listed - {world.lea.employee_id}
    assert counts == [1, 1]


def test_the_lines_of_a_list_are_chained(world: World, as_: SignedIn) -> None:
    incentives.many_more(world, 10)
    as_(world.lea).get(url("incentives:run", world.cycle.pk))
    [stream] = [s for s in Event.objects.chain() if s["stream"] == f"reads:{world.lea.pk}"]
    assert stream["length"] > 10
    assert stream["broken"] == 0


def test_a_search_that_finds_a_goal_is_a_look_at_it(world: World, as_: SignedIn) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    assert goal.latest
    for reader in (world.ana, world.bashir, world.chen):
        as_(reader).get(reverse("home:search"), {"q": goal.latest.title})
    assert not looks().exists()
    as_(world.ines).get(reverse("home:search"), {"q": goal.latest.title})
    assert looks(about=world.ana.employee).get().actor == world.ines


def test_the_line_above_looks_at_a_team_on_its_managers_sheet(world: World, as_: SignedIn) -> None:
    run = incentives.recommending(world)
    sheet = f"{url('incentives:sheet', run.pk)}?team={world.bashir.employee_id}"
    for reader in (world.bashir, world.dora):
        assert "Ana Popescu" in as_(reader).get(sheet).content.decode()
    assert {look.actor for look in looks(about=world.ana.employee)} == {world.dora}


# Rows about a person that may be read, and whose reading is noted nowhere or elsewhere.
ASKED_NOWHERE = {
    # Who may read them is named in the row: the two who talk, giver and recipient, asker and asked.
    "feedback.conversation", "feedback.entry", "feedback.checkin", "feedback.checkinseries",
    "feedback.agendapoint", "feedback.actionitem", "feedback.privatenote", "feedback.feedback",
    "feedback.feedbackrequest",
    # Shown on the page of the key result or of the person, which is noted.
    "goals.progressupdate", "people.absence",
    # What the line did with a team, not what stands about anybody in it.
    "incentives.approval",
    # The account, not the person's work; what one is asked to do oneself; the trail itself.
    "people.user", "activity.todo", "activity.event",
}  # fmt: skip
TO_A_PERSON = {"people.employee", "cycles.participation"}


def leads_to_a_person(model: type[models.Model], depth: int = 2) -> bool:
    """Whether a row is about one person: by a key, or by the key of what it belongs to, but for whose act it was."""
    for field in model._meta.concrete_fields:
        other: Any = field.related_model
        if other is None or isinstance(other, str) or other._meta.label_lower == "people.user":
            continue
        if other._meta.label_lower in TO_A_PERSON:
            return True
        if depth > 1 and other is not model and leads_to_a_person(other, depth - 1):
            return True
    return False


def test_every_record_of_a_person_says_who_reads_it_from_outside() -> None:
    silent = {
        model._meta.label_lower
        for model in apps.get_models()
        if hasattr(model._default_manager.all(), "visible_to")
        and not hasattr(model._default_manager.all(), "outside")
        and leads_to_a_person(model)
    }
    assert silent == ASKED_NOWHERE


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.fixture
    def world(self, transactional_db: None) -> World:
        return build_world()

    def test_two_tabs_of_one_reader_leave_one_line(self, world: World, as_: SignedIn) -> None:
        where = url("cycles:life_line", world.ana_part.pk)
        clients = [as_(world.ines) for _ in range(4)]
        answers = at_once(*[lambda client=client: client.get(where).status_code for client in clients])
        assert answers == [200] * 4
        assert looks(about=world.ana.employee).count() == 1

    def test_two_readers_of_the_same_list_leave_theirs_both(self, world: World, as_: SignedIn) -> None:
        incentives.many_more(world, 5)
        where = url("incentives:run", world.cycle.pk)
        clients = [as_(world.kim), as_(world.lea)]
        assert at_once(*[lambda client=client: client.get(where).status_code for client in clients]) == [
            200,
            200,
        ]
        assert {look.actor_id for look in looks(about=world.ana.employee)} == {world.kim.pk, world.lea.pk}
        assert not [stream for stream in Event.objects.chain() if stream["broken"]]

    def test_a_reader_does_not_wait_for_long_work_about_the_person(self, world: World, as_: SignedIn) -> None:
        client = as_(world.ines)
        where = url("cycles:life_line", world.ana_part.pk)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7201))",
                [f"employee:{world.ana.employee_id}"],
            )
            assert at_once(lambda: client.get(where).status_code) == [200]
        assert looks(about=world.ana.employee).count() == 1
