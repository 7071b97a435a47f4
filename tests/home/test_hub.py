"""The hub of a cycle: everything HR does in it with state and number, what others wait for first, own cases in none."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from goals.models import Goal
from incentives.actions import request_calculation
from pmcycle.activity.models import Job
from pmcycle.cycles.models import Assignment, Cycle, Stage
from pmcycle.people.models import User
from tests.conftest import SignedIn, World
from tests.factories import activity, appraisals, cycles, goals, incentives
from tests.pages import flat
from tests.walks import ways_of

pytestmark = pytest.mark.django_db


def hub(client: Client, cycle: Cycle) -> str:
    return flat(client.get(reverse("home:hub", args=[cycle.pk])))


def rated_low(world: World, *names: str) -> None:
    """Handed in with a low rating that nobody mentioned before."""
    for name in names:
        part = world.part[name]
        appraisals.hand_in(appraisals.manager_appraisal(part), "Partly meets")


@pytest.fixture
def low(world: World) -> World:
    appraisals.open_stage(world.cycle)
    rated_low(world, "ana", "kim")
    return world


def test_hr_finds_everything_it_does_in_a_cycle(world: World, as_: SignedIn) -> None:
    client = as_(world.kim)
    found = set(
        ways_of("/", client.get(reverse("home:hub", args=[world.cycle.pk])).content.decode())
    )
    names = (
        "home:board home:remind cycles:add_person cycles:close goals:company appraisals:form appraisals:calibrations"
        " appraisals:release incentives:plan incentives:criteria incentives:run evaluations:cycle cycles:detail"
    )
    missing = [name for name in names.split() if reverse(name, args=[world.cycle.pk]) not in found]
    assert missing == []
    steps = [
        reverse("cycles:configure", args=[world.cycle.pk, step]) for step in ("who", "reminders")
    ]
    assert found.issuperset([*steps, reverse("incentives:restraints")])


def test_each_stage_says_for_how_many_it_is_done(world: World, as_: SignedIn) -> None:
    def at_a_glance() -> str:
        page, link = hub(as_(world.jan), world.cycle), reverse("home:board", args=[world.cycle.pk])
        return page[page.index(f'href="{link}?stage=objectives"') :]

    assert (
        at_a_glance().index("0 of 2")
        < at_a_glance().index("open until")
        < at_a_glance().index("Setting up")
    )
    goals.agree(world.part["hugo"], world.hugo, world.gita, weight=100)
    assert "1 of 2" in at_a_glance()[:800]


def test_what_keeps_a_result_back_stands_with_its_number(low: World, as_: SignedIn) -> None:
    page = hub(as_(low.lea), low.cycle)
    assert "2 held by first mention" in page
    first = page.index("What others wait for")
    assert first < page.index("Release of results") < page.index("Setting up")


def test_nobody_counts_their_own_case(low: World, as_: SignedIn) -> None:
    assert "1 held by first mention" in hub(as_(low.kim), low.cycle)


def test_a_partner_counts_their_units(low: World, as_: SignedIn) -> None:
    ines, jan = hub(as_(low.ines), low.cycle), hub(as_(low.jan), low.cycle)
    assert "4 people take part" in ines
    assert "2 people take part" in jan
    assert "Release of results" not in ines


def test_reviews_stand_by_name_until_they_are_decided(world: World, as_: SignedIn) -> None:
    review = appraisals.appealed(world)
    page = hub(as_(world.kim), world.cycle)
    assert "1 review undecided" in page
    assert reverse("appraisals:appeal", args=[review.pk]) in page
    assert reverse("appraisals:appeal", args=[review.pk]) not in hub(as_(world.jan), world.cycle)


def test_a_stage_past_its_day_says_for_how_many_it_waits(world: World, as_: SignedIn) -> None:
    assert "past its day" not in hub(as_(world.kim), world.cycle)
    day = world.cycle.first_day
    Stage.objects.filter(cycle=world.cycle, kind="objectives").update(opens_on=day, due_on=day)
    assert "The stage is past its day and waits for" in hub(as_(world.kim), world.cycle)


def test_who_has_no_manager_is_named_as_waiting(world: World, as_: SignedIn) -> None:
    assert "Without a manager" not in hub(as_(world.kim), world.cycle)
    Assignment.objects.filter(participation=world.ana_part).delete()
    page = hub(as_(world.kim), world.cycle)
    assert "They cannot go on by themselves." in page


def test_a_draft_leads_to_its_launch(world: World, as_: SignedIn) -> None:
    draft = cycles.make_draft("Next year", by=world.kim)
    page = hub(as_(world.kim), draft)
    assert reverse("cycles:configure", args=[draft.pk, "check"]) in page
    assert reverse("home:board", args=[draft.pk]) not in page


def test_unfinished_goals_come_over_from_here(world: World, as_: SignedIn) -> None:
    client, ask = as_(world.kim), reverse("evaluations:carry_over", args=[world.cycle.pk])
    assert ask in hub(client, world.cycle)
    assert ask not in hub(as_(world.ines), world.cycle)
    assert Goal.objects.count() == 0


def test_the_reward_run_says_what_it_waits_for(world: World, as_: SignedIn) -> None:
    assert "not calculated" in hub(as_(world.kim), world.cycle)
    incentives.recommending(world)
    page = hub(as_(world.kim), world.cycle)
    assert "In recommendation" in page
    assert "teams are not handed in yet." in page


def test_work_that_is_under_way_or_has_failed_is_found_again(world: World, as_: SignedIn) -> None:
    failed = Job.objects.get(pk=activity.failed_launch(world)["pk"])
    draft = Cycle.objects.get(pk=failed.subject_id)
    page = hub(as_(world.lea), draft)
    there = reverse("activity:job", args=[failed.pk])
    waits, rest = page.index("It stopped: read why, and try again."), page.index("Setting up")
    assert page.index("What others wait for") < page.index(there) < waits < rest
    assert there not in hub(as_(world.ines), draft)
    assert there not in hub(as_(world.lea), world.cycle), "it is the other cycle's"
    plan = incentives.write_plan(world)
    incentives.publish(plan, world.lea)
    calculation = request_calculation(plan, by=world.kim)
    page = hub(as_(world.lea), world.cycle)
    assert reverse("activity:job", args=[calculation.pk]) in page
    assert "Calculating rewards" in page


@pytest.mark.parametrize(
    "name", ["home:board", "appraisals:calibrations", "incentives:plan", "cycles:close"]
)
def test_the_pages_of_a_cycle_lead_back_to_it(name: str, world: World, as_: SignedIn) -> None:
    page = as_(world.kim).get(reverse(name, args=[world.cycle.pk])).content.decode()
    crumbs = page[page.index('class="crumbs"') :]
    assert reverse("home:hub", args=[world.cycle.pk]) in crumbs[: crumbs.index("</nav>")]


@pytest.mark.parametrize("name", ["ana", "bashir", "dora", "mira", "noor"])
def test_nobody_else_knows_of_it(name: str, world: World, as_: SignedIn) -> None:
    reader: User = getattr(world, name)
    assert as_(reader).get(reverse("home:hub", args=[world.cycle.pk])).status_code == 404
