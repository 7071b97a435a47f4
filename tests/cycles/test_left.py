"""Who has left a cycle is frozen in it: whatever anybody would still do about them there is refused, by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse

import incentives.actions
from appraisals import actions as appraisals
from appraisals.models import Appeal, ReleasedResult
from goals import actions as goals
from goals.models import Goal
from pmcycle.access import today
from pmcycle.activity.models import ToDo
from pmcycle.cycles import actions as cycles
from pmcycle.cycles.actions import mark_left
from pmcycle.cycles.models import Participation
from pmcycle.errors import Refused
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make
from tests.factories import cycles as make_cycles
from tests.factories import goals as make_goals
from tests.factories import incentives as rewards
from tests.factories.feedback import make_entry, person
from tests.open_items import waiting

pytestmark = pytest.mark.django_db

Act = Callable[[], object]


def ana_leaves(world: World) -> None:
    Participation.objects.filter(pk=world.ana_part.pk).update(
        state="left", left_on=today() - timedelta(days=1)
    )


def citing(world: World) -> Act:
    make.rate(world.ana_part)
    theirs = make.manager_appraisal(world.ana_part)
    entry = make_entry(
        world.ana_part, person(world.bashir), person(world.bashir), "Late.", days_ago=30
    )
    return lambda: appraisals.cite(theirs, [entry.pk], version=theirs.version, by=world.bashir)


def calibrating(world: World) -> Act:
    make.rate(world.ana_part)
    session = appraisals.open_calibration(world.cycle, "All", [], by=world.kim)
    rating = world.ana_part.rating
    other = rating.level.scale.levels.exclude(pk=rating.level_id).earliest("pk")
    return lambda: appraisals.move_rating(
        session, rating, other.pk, "Beside others.", version=None, by=world.kim
    )


def acknowledging(world: World) -> Act:
    result = rewards.rate(world.ana_part)
    return lambda: appraisals.acknowledge(result, "", by=world.ana)


def asking_for_a_review(world: World) -> Act:
    result = rewards.rate(world.ana_part)
    return lambda: appraisals.file_appeal(result, "Look again.", by=world.ana)


def deciding_a_review(world: World) -> Act:
    appeal = appraisals.file_appeal(rewards.rate(world.ana_part), "Look again.", by=world.ana)
    return lambda: appraisals.decide_appeal(
        appeal, "dismissed", "It stands.", None, version=None, by=world.lea
    )


def answering_an_entry(world: World) -> Act:
    entry = rewards.restraint(world)
    return lambda: incentives.actions.answer(entry, "No.", version=None, by=world.ana)


def letting_an_entry_take_effect(world: World) -> Act:
    entry = incentives.actions.answer(rewards.restraint(world), "No.", version=None, by=world.ana)
    return lambda: incentives.actions.decide(
        entry, "effective", "It holds.", version=None, by=world.lea
    )


def reading_the_statement(world: World) -> Act:
    rewards.released(world)
    statement = rewards.statement_of(world.ana_part)
    return lambda: incentives.actions.acknowledge(statement, by=world.ana)


def confirming_a_contribution(world: World) -> Act:
    row = make_goals.contribution(world.ana_part, world.ana, world.chen)
    return lambda: goals.confirm_contribution(row, version=None, by=world.chen)


def aligning_a_goal(world: World) -> Act:
    goal = make_goals.propose(world.ana_part, world.ana)
    return lambda: goals.align(goal, None, version=None, by=world.ana)


ACTS = [
    citing,
    calibrating,
    acknowledging,
    asking_for_a_review,
    deciding_a_review,
    answering_an_entry,
    letting_an_entry_take_effect,
    reading_the_statement,
    confirming_a_contribution,
    aligning_a_goal,
]


@pytest.mark.parametrize("prepare", ACTS)
@pytest.mark.parametrize("has_left", [True, False])
def test_an_act_about_somebody_is_done_unless_they_have_left(
    world: World, prepare: Callable[[World], Act], has_left: bool
) -> None:
    act = prepare(world)
    if not has_left:
        act()
        return
    ana_leaves(world)
    with pytest.raises(Refused, match="Ana Popescu has left this cycle"):
        act()


def test_an_entry_is_lifted_although_they_have_left(world: World) -> None:
    entry = rewards.restraint(world)
    ana_leaves(world)
    assert (
        incentives.actions.decide(entry, "lifted", "They left.", version=None, by=world.lea).state
        == "lifted"
    )


def test_a_review_of_who_has_left_waits_for_nobody_and_holds_up_no_end(
    world: World, as_: SignedIn
) -> None:
    third = make.make_third_hr_admin(world)
    make.appealed(world)
    review = ToDo.objects.open().filter(kind="appraisals:appeal")
    assert list(review.values_list("recipient", flat=True)) == [third.employee_id]
    world.ana_part.refresh_from_db()
    cycles.mark_left(
        world.ana_part, left_on=today(), reason="A new job.", version=None, by=world.kim
    )
    assert not review.exists()
    hub = as_(world.kim).get(reverse("home:hub", args=[world.cycle.pk])).content.decode()
    assert "0 reviews undecided" in hub
    left = cycles.leftovers_of_cycle(world.cycle, world.kim)
    assert "appraisals:review" not in {one.code for one in left}
    sent = {"version": world.cycle.version, **make_cycles.reasons(left)}
    url = reverse("cycles:close", args=[world.cycle.pk])
    assert as_(world.kim).post(url, sent).status_code == 302


def test_a_review_waits_again_for_who_is_back(world: World) -> None:
    make.make_third_hr_admin(world)
    make.appealed(world)
    part = world.ana_part
    part.refresh_from_db()
    cycles.mark_left(part, left_on=today(), reason="A new job.", version=None, by=world.kim)
    assert not ToDo.objects.open().filter(kind="appraisals:appeal").exists()
    cycles.return_person(part, reason="Came back.", version=None, by=world.kim)
    assert ToDo.objects.open().filter(kind="appraisals:appeal").exists()
    assert "appraisals:review" in {
        one.code for one in cycles.leftovers_of_cycle(world.cycle, world.kim)
    }


def test_no_page_offers_what_is_refused(world: World, as_: SignedIn) -> None:
    result = rewards.rate(world.ana_part)
    entry = rewards.restraint(world)
    own = as_(world.ana)
    assert "acknowledge/" in own.get(f"/appraisals/results/{result.pk}/").content.decode()
    ana_leaves(world)
    assert "acknowledge/" not in own.get(f"/appraisals/results/{result.pk}/").content.decode()
    assert ReleasedResult.objects.get() == result
    assert not Appeal.objects.exists()
    assert not Goal.objects.exists()
    assert "answer/" not in own.get(f"/incentives/restraints/{entry.pk}/").content.decode()


def test_nothing_waits_any_more_for_who_has_left_the_cycle_alone(world: World) -> None:
    """By the company's record they are here: HR has frozen them in this cycle. Chen confirms, Bashir recommends."""
    make_goals.contribution(world.ana_part, world.ana, world.chen)
    run = rewards.recommending(world)
    sheets = {(item.kind, item.recipient) for item in waiting()}
    assert ("goals:confirm", world.chen.employee_id) in sheets
    assert ("incentives:sheet", world.bashir.employee_id) in sheets
    for key in ("chen", "bashir"):
        part = world.part[key]
        part.refresh_from_db()
        mark_left(part, left_on=today(), reason="A long leave.", version=None, by=world.kim)
    found = {(item.kind, item.recipient) for item in waiting()}
    assert not {kind for kind, _who in found} & {"goals:confirm"}
    assert ("incentives:sheet", world.bashir.employee_id) not in found
    assert run.state == "recommending"
