from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.urls import reverse

from evaluations import actions
from evaluations.models import CycleEvaluation, Evaluation
from goals.models import Goal, GoalVersion
from pmcycle.cycles.models import Cycle, Extension, StageKind
from tests.conftest import SignedIn, World
from tests.factories import appraisals, incentives
from tests.factories.cycles import make_cycle, take_part
from tests.factories.evaluations import make_evaluation


def test_hr_counts_and_publishes_what_the_cycle_achieved(world: World, as_: SignedIn) -> None:
    make_evaluation(world.ana_part, world.part["bashir"].employee, state="signed")
    kim, ana = as_(world.kim), as_(world.ana)
    page = reverse("evaluations:cycle", kwargs={"pk": world.cycle.pk})
    assert ana.get(page).status_code == 404
    assert kim.post(reverse("evaluations:compute", kwargs={"pk": world.cycle.pk})).status_code == 302
    figures = CycleEvaluation.objects.get().figures
    assert figures["people"] == len(world.part)
    signed = next(row for row in figures["on_time"] if row["label"] == "Evaluations signed")
    assert signed["done"] == 1
    assert ana.get(page).status_code == 404
    version = CycleEvaluation.objects.get().version
    publish = reverse("evaluations:publish", kwargs={"pk": world.cycle.pk})
    assert kim.post(publish, {"version": version}).status_code == 302
    assert ana.get(page).status_code == 200
    assert kim.post(reverse("evaluations:compute", kwargs={"pk": world.cycle.pk})).status_code == 409


def test_a_rating_is_counted_from_its_release_on(world: World) -> None:
    appraisals.rate(world.ana_part, "Partly meets")
    figures = actions.compute(world.cycle, by=world.kim).figures
    assert (figures["low_ratings"], figures["first_mentions"]) == (0, 0)
    assert {row["after"] for row in figures["ratings"]} == {0}


def test_rewards_are_counted_from_their_release_on(world: World) -> None:
    incentives.award_before_release(world)
    assert actions.compute(world.cycle, by=world.kim).figures["rewards"] == []


def test_a_released_rating_that_few_people_share_stays_hidden(world: World, as_: SignedIn) -> None:
    appraisals.released(world, "Partly meets")
    figures = actions.compute(world.cycle, by=world.kim).figures
    assert [row["label"] for row in figures["ratings"] if row["is_hidden"]] == ["Partly meets"]
    assert figures["low_ratings"] == 1
    page = as_(world.kim).get(reverse("evaluations:cycle", kwargs={"pk": world.cycle.pk}))
    assert "the groups are too small: Partly meets" in " ".join(page.content.decode().split())


def test_a_day_is_judged_in_the_zone_of_the_cycle_and_an_extension_counts(world: World) -> None:
    made = make_evaluation(world.ana_part, world.part["bashir"].employee, state="signed")
    Cycle.objects.filter(pk=world.cycle.pk).update(zone="Pacific/Auckland")
    world.cycle.refresh_from_db()
    stage = world.cycle.stages.get(kind=StageKind.EVALUATION)
    # Already the day after in Auckland, still the due day in Greenwich.
    Evaluation.objects.filter(pk=made.pk).update(
        signed_at=datetime.combine(stage.due_on, time(20), tzinfo=UTC)
    )

    def signed_on_time() -> int:
        rows = actions.compute(world.cycle, by=world.kim).figures["on_time"]
        return next(int(row["done"]) for row in rows if row["label"] == "Evaluations signed")

    assert signed_on_time() == 0
    Extension.objects.create(
        participation=world.ana_part,
        stage=stage,
        due_on=stage.due_on + timedelta(days=1),
        reason="Back from leave.",
        by=world.kim,
    )
    assert signed_on_time() == 1


def unfinished_goal(world: World) -> Goal:
    goal = Goal.objects.create(
        participation=world.ana_part, cycle=world.cycle, created_by=world.ana, state="proposed"
    )
    version = GoalVersion.objects.create(
        goal=goal,
        number=1,
        title="Learn a second station",
        weight=100,
        author=world.ana_part.employee,
        key_results=[
            {"key": "k1", "title": "Signed off", "kind": "reach", "start": "0", "target": "1", "unit": ""}
        ],
    )
    Goal.objects.filter(pk=goal.pk).update(latest=version, agreed=version, state="agreed")
    goal.refresh_from_db()
    return goal


def test_unfinished_goals_come_as_proposals_into_the_next_cycle_once(world: World) -> None:
    old = unfinished_goal(world)
    nxt = make_cycle(
        "Next year",
        first_day=world.cycle.last_day + timedelta(days=1),
        last_day=world.cycle.last_day + timedelta(days=300),
        copied_from=world.cycle,
    )
    there = take_part(nxt, world.part["ana"].employee, world.part["bashir"].employee)
    assert actions.carry_over(nxt) == 1
    assert actions.carry_over(nxt) == 0
    new = Goal.objects.get(carried_from=old)
    assert (new.participation_id, new.state) == (there.pk, "proposed")
    assert new.latest is not None
    assert new.latest.title == "Learn a second station"


def test_a_finished_goal_stays_where_it_is(world: World) -> None:
    old = unfinished_goal(world)
    Goal.objects.filter(pk=old.pk).update(result=100, state="closed")
    nxt = make_cycle("Next year", copied_from=world.cycle)
    take_part(nxt, world.part["ana"].employee)
    assert actions.carry_over(nxt) == 0
