from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.urls import reverse

from evaluations import actions
from evaluations.models import CycleEvaluation, Evaluation
from pmcycle.cycles.models import Cycle, Extension, StageKind
from tests.conftest import SignedIn, World
from tests.factories import appraisals, incentives
from tests.factories.evaluations import make_evaluation


def test_hr_counts_and_publishes_what_the_cycle_achieved(world: World, as_: SignedIn) -> None:
    make_evaluation(world.ana_part, world.part["bashir"].employee, state="signed")
    kim, ana = as_(world.kim), as_(world.ana)
    page = reverse("evaluations:cycle", kwargs={"pk": world.cycle.pk})
    assert ana.get(page).status_code == 404
    assert (
        kim.post(reverse("evaluations:compute", kwargs={"pk": world.cycle.pk})).status_code == 302
    )
    figures = CycleEvaluation.objects.get().figures
    assert figures["people"] == len(world.part)
    signed = next(row for row in figures["on_time"] if row["label"] == "Evaluations signed")
    assert signed["done"] == 1
    assert ana.get(page).status_code == 404
    version = CycleEvaluation.objects.get().version
    publish = reverse("evaluations:publish", kwargs={"pk": world.cycle.pk})
    assert kim.post(publish, {"version": version}).status_code == 302
    assert ana.get(page).status_code == 200
    assert (
        kim.post(reverse("evaluations:compute", kwargs={"pk": world.cycle.pk})).status_code == 409
    )


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


def test_what_was_nobodys_to_do_is_judged_by_its_own_time_in_the_zone_of_the_cycle(
    world: World,
) -> None:
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
