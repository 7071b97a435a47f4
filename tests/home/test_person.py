"""The hub of a person: what the relation to each row opens, nothing else, and nothing of what was written."""

from __future__ import annotations

import pytest
from django.urls import reverse

from pmcycle.activity.models import Event
from pmcycle.people.models import Employee, User
from tests.conftest import SignedIn, World
from tests.factories import appraisals, evaluations, feedback, goals, incentives
from tests.pages import flat

pytestmark = pytest.mark.django_db

LINE = ("bashir", "dora", "ines", "kim")
STRANGERS = ("chen", "gita", "jan", "mira", "farid")


class Page:
    """What one of the cast finds on the page of a person (of Ana unless said)."""

    def __init__(self, world: World, as_: SignedIn) -> None:
        self.world, self.as_ = world, as_

    def __call__(self, who: str, of: Employee | None = None) -> str:
        person = of or self.world.ana.employee
        assert person
        return flat(
            self.as_(getattr(self.world, who)).get(reverse("home:person", args=[person.pk]))
        )


@pytest.fixture
def page(world: World, as_: SignedIn) -> Page:
    return Page(world, as_)


def test_a_draft_is_its_authors_alone(world: World, page: Page) -> None:
    link = reverse("appraisals:write", kwargs=appraisals.own_draft(world))
    assert link in page("ana")
    for who in (*LINE, *STRANGERS):
        assert link not in page(who)
        assert "Self-appraisal" not in page(who)


def test_what_is_handed_in_opens_to_the_line_and_not_to_the_person(
    world: World, page: Page
) -> None:
    link = reverse("appraisals:read", kwargs=appraisals.manager_submitted(world))
    for who in LINE:
        assert link in page(who)
    for who in ("ana", *STRANGERS):
        assert link not in page(who)
        assert "Manager appraisal" not in page(who)


def test_a_released_result_opens_to_the_person_and_their_line_without_its_words(
    world: World, page: Page
) -> None:
    result = appraisals.released(world, "Exceeds")
    link = reverse("appraisals:result", args=[result.pk])
    for who in ("ana", *LINE):
        assert link in page(who)
        assert "Exceeds" not in page(who)
    for who in STRANGERS:
        assert link not in page(who)


def test_hr_sees_of_itself_what_anybody_sees_of_themselves(world: World, page: Page) -> None:
    appraisals.open_stage(world.cycle)
    appraisal = appraisals.manager_appraisal(world.part["kim"])
    appraisals.hand_in(appraisal, "Partly meets")
    link = reverse("appraisals:read", args=[appraisal.pk])
    assert link not in page("kim", world.kim.employee)
    assert reverse("cycles:life_line", args=[world.part["kim"].pk]) not in page(
        "kim", world.kim.employee
    )
    assert link in page("lea", world.kim.employee)


def test_rewards_stand_without_amounts_and_before_the_release_not_for_the_person(
    world: World, page: Page
) -> None:
    link = reverse("incentives:award", kwargs=incentives.award_before_release(world))
    for who in LINE:
        assert link in page(who)
    for who in ("ana", *STRANGERS):
        assert link not in page(who)
        assert "Award:" not in page(who)


def test_a_released_statement_stands_there(world: World, page: Page) -> None:
    link = reverse("incentives:statement", kwargs=incentives.statement_of_ana(world))
    for who in ("ana", *LINE):
        assert link in page(who)
    for who in STRANGERS:
        assert link not in page(who)


def test_an_evaluation_that_is_shared_stands_there_a_draft_does_not(
    world: World, page: Page
) -> None:
    draft = reverse("evaluations:read", kwargs=evaluations.of_ana(world))
    assert draft not in page("ana")
    assert draft not in page("dora")
    world_of_chen = evaluations.make_evaluation(
        world.part["chen"], appraisals.employee(world.bashir), state="shared"
    )
    link = reverse("evaluations:read", args=[world_of_chen.pk])
    assert link in page("dora", world.chen.employee)
    assert link not in page("gita", world.chen.employee)


def test_talks_are_the_pairs(world: World, page: Page) -> None:
    link = reverse("feedback:check_in", kwargs=feedback.meeting_of_ana(world))
    talk = reverse("feedback:conversation", args=[world.ana_part.pk, "objectives"])
    assert link in page("bashir")
    assert talk in page("bashir")
    assert talk in page("ana")
    for who in ("dora", "ines", "kim", *STRANGERS):
        assert link not in page(who)
        assert talk not in page(who)


def test_a_former_manager_finds_their_own_words(world: World, page: Page) -> None:
    feedback.thread_with_words_of_farid(world)
    assert reverse("feedback:conversation", args=[world.ana_part.pk, "objectives"]) in page("farid")


def test_a_colleague_finds_the_goal_that_is_open_to_all_and_no_count_of_others(
    world: World, page: Page
) -> None:
    private = reverse("goals:detail", kwargs=goals.a_draft(world))
    opened = reverse("goals:detail", kwargs=goals.an_open(world))
    assert opened in page("chen")
    assert private not in page("chen")
    assert reverse("goals:of", args=[world.ana_part.pk]) not in page("chen")
    assert "1 goal" in page("bashir")
    assert reverse("goals:of", args=[world.ana_part.pk]) in page("bashir")


def test_who_looks_at_the_page_from_outside_is_noted_once_and_whoever_leads_is_not(
    world: World, page: Page
) -> None:
    appraisals.released(world)
    noted = Event.objects.filter(verb="viewed", about=world.ana.employee_id)
    page("bashir")
    assert not noted.exists()
    page("kim")
    page("kim")
    assert [event.actor for event in noted] == [world.kim]


def test_names_lead_there(world: World, as_: SignedIn) -> None:
    link = reverse("home:person", args=[world.ana.employee_id])
    places: list[tuple[User, str]] = [
        (world.bashir, reverse("home:team")),
        (world.kim, reverse("home:board", args=[world.cycle.pk])),
        (world.chen, reverse("people:org_chart") + "?q=Ana"),
        (world.chen, reverse("home:search") + "?q=Ana"),
        (world.chen, reverse("people:profile", args=[world.ana.employee_id])),
    ]
    missing = [
        place for reader, place in places if link not in as_(reader).get(place).content.decode()
    ]
    assert missing == []
    assert link in as_(world.ana).get("/").content.decode()
