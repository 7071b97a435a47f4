"""Who looked: noted at the door, once an hour, in one statement, for everybody who is no party."""

from __future__ import annotations

import re
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
from pmcycle import typed
from pmcycle.activity.actions import forget_looks
from pmcycle.activity.models import Event, Look
from pmcycle.cycles.actions import leftovers_of_stage
from pmcycle.people.models import Role, User
from tests.at_once import at_once
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals, cycles, goals, incentives, people
from tests.query_tables.cycles import more_people

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
    for words in (
        "your goals with their notes",
        "goal ",
        "beyond your goals",
        "your way through a cycle",
    ):
        assert words in page
    assert page.count("as HR partner") == 4


def test_a_file_and_the_interface_for_programs_are_named(world: World, as_: SignedIn) -> None:
    result = appraisals.released(world)
    kim = as_(world.kim)
    kim.get(url("appraisals:result_pdf", result.pk))
    kim.get(reverse("api:result-detail", kwargs={"pk": result.pk}))
    ways = (
        looks(about=world.ana.employee, actor=world.kim)
        .order_by("pk")
        .values_list("data__way", flat=True)
    )
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


def test_a_list_is_noted_about_each_person_in_it_by_one_statement(
    world: World, as_: SignedIn
) -> None:
    counts = []
    client = as_(world.lea)
    for more in (0, 12):
        incentives.many_more(world, more)
        with CaptureQueriesContext(connection) as seen:
            page = client.get(url("incentives:run", world.cycle.pk)).context["rows"]
        counts.append(sum("INSERT INTO activity_event" in q["sql"] for q in seen.captured_queries))
        listed = {award.participation.employee_id for award in page}
        assert listed
        assert set(looks(actor=world.lea).values_list("about", flat=True)) >= listed - {
            world.lea.employee_id
        }
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


def test_a_form_that_is_drawn_again_shows_as_much_as_the_first_time(
    world: World, as_: SignedIn
) -> None:
    person = world.ana.employee
    assert person
    where = url("people:edit_employee", person.pk)
    answer = as_(world.kim).post(where, {"name": "", "version": 1})
    assert answer.status_code == 422
    assert looks(actor=world.kim, about=person).exists()


def test_a_conflict_that_shows_what_stands_there_now_is_a_look(world: World, as_: SignedIn) -> None:
    appraisals.open_stage(world.cycle)
    rating = appraisals.rate(world.ana_part)
    session = appraisals.make_session(world.cycle, world.kim, world.production)
    where = reverse("appraisals:move_rating", kwargs={"pk": session.pk, "rating": rating.pk})
    data = {
        "level": appraisals.level(world.cycle, "Exceeds").pk,
        "reason": "Same output.",
        "version": 99,
    }
    assert as_(world.kim).post(where, data).status_code == 409
    assert looks(actor=world.kim, about=world.ana.employee).exists()


def test_a_refusal_in_words_and_one_of_the_interface_for_programs_show_nothing(
    world: World, as_: SignedIn
) -> None:
    run = incentives.approved(world)
    before = looks().count()
    assert (
        as_(world.lea).post(url("incentives:open_recommending", run.pk), {"version": 1}).status_code
        == 409
    )
    goal = goals.propose(world.ana_part, world.ana)
    data = {"version": goal.version}
    answer = as_(world.ines).post(
        reverse("api:goal-accept", args=[goal.pk]), data, content_type="application/json"
    )
    assert answer.status_code == 403
    assert looks().count() == before


def names_on(page: str) -> set[str]:
    """Whom a list of what is left names."""
    return set(re.findall(r">(Extra Person\d+|Ana Popescu)</a>", page))


def test_whoever_ends_a_stage_looks_at_those_who_are_named_and_at_nobody_else(
    world: World, as_: SignedIn
) -> None:
    appraisals.open_stage(world.cycle)
    more_people(world, 25)
    where = url("cycles:close_stage", world.cycle.stages.get(kind="appraisal").pk)
    kim = as_(world.kim)
    page = kim.get(where).content.decode()
    named = names_on(page)
    assert len(named) < 26, "more are left than are named"
    assert named <= seen_by(world.kim)
    assert not ({f"Extra Person{10 + n}" for n in range(25)} - named) & seen_by(world.kim)
    whole = {"kind": "appraisals:unrated"}
    listed = names_on(kim.get(where, whole).content.decode())
    assert listed > named
    assert listed <= seen_by(world.kim)


def test_each_page_of_a_list_is_a_look_at_whom_it_names(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed, "LEFTOVERS_A_PAGE", 5)
    appraisals.open_stage(world.cycle)
    more_people(world, 40)
    where = url("cycles:close", world.cycle.pk)
    last = names_on(as_(world.lea).get(f"{where}?kind=appraisals:self&page=9").content.decode())
    assert last
    assert last <= seen_by(world.lea)
    assert not ({f"Extra Person{10 + n}" for n in range(40)} - last) & seen_by(world.lea)


def test_a_page_of_an_end_that_was_refused_is_a_look_too(world: World, as_: SignedIn) -> None:
    appraisals.open_stage(world.cycle)
    where = url("cycles:close_stage", world.cycle.stages.get(kind="appraisal").pk)
    answer = as_(world.kim).post(where, {"version": 1})
    assert answer.status_code == 422
    assert "Ana Popescu" in answer.content.decode()
    assert looks(actor=world.kim, about=world.ana.employee).exists()
    page = as_(world.ana).get(reverse("activity:who_looked")).content.decode()
    assert "your name among what is open or held" in page


def test_an_end_that_is_done_shows_nobody(world: World, as_: SignedIn) -> None:
    appraisals.open_stage(world.cycle)
    stage = world.cycle.stages.get(kind="appraisal")
    left = cycles.reasons(leftovers_of_stage(stage, world.kim))
    answer = as_(world.kim).post(
        url("cycles:close_stage", stage.pk),
        {"version": stage.version, "reason": "It is over.", **left},
    )
    assert answer.status_code == 302
    assert not looks(actor=world.kim).exists()


def test_a_manager_who_is_hr_too_looks_at_nobody_they_lead_by_such_a_list(
    world: World, as_: SignedIn
) -> None:
    people.grant(world.bashir, Role.HR_ADMIN)
    appraisals.open_stage(world.cycle)
    bashir = User.objects.get(pk=world.bashir.pk)
    as_(bashir).get(url("cycles:close_stage", world.cycle.stages.get(kind="appraisal").pk))
    assert looks(actor=bashir).exists()
    assert not looks(actor=bashir, about=world.ana.employee).exists()


def seen_by(user: User) -> set[str]:
    """The names of those about whom this reader has left a line."""
    return set(looks(actor=user).values_list("about__name", flat=True))


# Rows about a person that may be read, and whose reading is noted nowhere or elsewhere.
ASKED_NOWHERE = {
    # Who may read them is named in the row: the two who talk, giver and recipient, asker and asked.
    "feedback.conversation",
    "feedback.entry",
    "feedback.checkin",
    "feedback.checkinseries",
    "feedback.agendapoint",
    "feedback.actionitem",
    "feedback.privatenote",
    "feedback.feedback",
    "feedback.feedbackrequest",
    # Shown on the page of a result, which is noted.
    "appraisals.calibrationmove",
    # Shown on the page of the key result or of the person, which is noted.
    "goals.progressupdate",
    "people.absence",
    # What the line did with a team, not what stands about anybody in it.
    "incentives.approval",
    # The account, not the person's work; what one is asked to do oneself; the trail itself.
    "people.user",
    "activity.todo",
    "activity.event",
}
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
        answers = at_once(
            *[lambda client=client: client.get(where).status_code for client in clients]
        )
        assert answers == [200] * 4
        assert looks(about=world.ana.employee).count() == 1

    def test_two_readers_of_the_same_list_leave_theirs_both(
        self, world: World, as_: SignedIn
    ) -> None:
        incentives.many_more(world, 5)
        where = url("incentives:run", world.cycle.pk)
        clients = [as_(world.kim), as_(world.lea)]
        assert at_once(
            *[lambda client=client: client.get(where).status_code for client in clients]
        ) == [
            200,
            200,
        ]
        assert {look.actor_id for look in looks(about=world.ana.employee)} == {
            world.kim.pk,
            world.lea.pk,
        }
        assert not [stream for stream in Event.objects.chain() if stream["broken"]]

    def test_a_reader_does_not_wait_for_long_work_about_the_person(
        self, world: World, as_: SignedIn
    ) -> None:
        client = as_(world.ines)
        where = url("cycles:life_line", world.ana_part.pk)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7201))",
                [f"employee:{world.ana.employee_id}"],
            )
            assert at_once(lambda: client.get(where).status_code) == [200]
        assert looks(about=world.ana.employee).count() == 1
