"""What an act would leave open or held: by name, with a link, refused or accepted with a reason for each kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pmcycle.activity.models import Event
from pmcycle.cycles import actions
from pmcycle.cycles.models import Acceptance, Stage
from pmcycle.cycles.rules import Accepting, Leftover, at_the_end
from pmcycle.errors import LeftBehind
from tests.conftest import SignedIn, World
from tests.factories import appraisals, cycles, goals, incentives

pytestmark = pytest.mark.django_db
OTHERS = 9  # who takes part, without Kim: nobody learns here of their own rating


@pytest.fixture
def stage(world: World) -> Stage:
    """The appraisal stage, with a form for everybody and nothing handed in."""
    appraisals.open_stage(world.cycle)
    return world.cycle.stages.get(kind="appraisal")


def page(stage: Stage) -> str:
    return reverse("cycles:close_stage", kwargs={"pk": stage.pk})


def answer(world: World, stage: Stage, **extra: object) -> dict[str, object]:
    left = cycles.reasons(actions.leftovers_of_stage(stage, world.kim))
    return {"version": stage.version, "reason": "It is time.", **left, **extra}


def test_the_page_names_who_is_left_and_leads_to_where_it_is_settled(
    world: World, as_: SignedIn, stage: Stage
) -> None:
    shown = as_(world.kim).get(page(stage)).content.decode()
    assert "people have no rating" in shown
    assert "self-appraisals are not handed in" in shown
    assert "Ana" in shown
    assert reverse("cycles:life_line", kwargs={"pk": world.ana_part.pk}) in shown
    assert "closes for everybody now" in shown, "it asks once more"


def test_every_name_leads_where_the_reader_may_go_their_own_too(
    world: World, as_: SignedIn, stage: Stage
) -> None:
    kim = as_(world.kim)
    for found in (
        actions.leftovers_of_stage(stage, world.kim),
        actions.leftovers_of_cycle(world.cycle, world.kim),
    ):
        led = {url for one in found for _name, url in one.names}
        assert {url: kim.get(url).status_code for url in led} == dict.fromkeys(led, 200)
        own = {url for one in found for name, url in one.names if name == world.kim.name}
        assert reverse("home:index") in own


def test_goals_that_do_not_come_to_100_are_named(world: World) -> None:
    goals.agree(world.ana_part, world.ana, world.bashir, weight="60")
    goals.agree(world.part["chen"], world.chen, world.bashir, weight="100")
    objectives = world.cycle.stages.get(kind="objectives")
    left = {one.code: one for one in actions.leftovers_of_stage(objectives, world.kim)}
    assert [name for name, _url in left["goals:uneven"].names] == ["Ana Popescu"]
    assert left["goals:unagreed"].count == len(world.part) - 2
    goals.propose(world.ana_part, world.ana, title="The rest", weight="40")
    left = {one.code: one for one in actions.leftovers_of_stage(objectives, world.kim)}
    assert "goals:uneven" not in left, "named once, for the proposal that waits"
    assert left["goals:unagreed"].count == len(world.part) - 1


def test_what_nobody_confirmed_is_named_at_the_end_of_the_cycle_alone(world: World) -> None:
    goals.contribution(world.ana_part, world.ana, world.chen)
    left = {one.code: one for one in actions.leftovers_of_cycle(world.cycle, world.kim)}
    assert [name for name, _url in left["goals:contribution"].names] == ["Ana Popescu"]
    objectives = world.cycle.stages.get(kind="objectives")
    codes = {one.code for one in actions.leftovers_of_stage(objectives, world.kim)}
    assert codes == {"goals:unagreed"}


def test_rules_that_no_second_person_has_published_are_named(world: World) -> None:
    plan = incentives.write_plan(world)
    stage = world.cycle.stages.get(kind="incentives")
    left = {one.code: one for one in actions.leftovers_of_stage(stage, world.kim)}
    address = reverse("incentives:plan", kwargs={"pk": world.cycle.pk})
    assert left["incentives:unpublished"].names == ((world.cycle.name, address),)
    incentives.publish(plan, world.lea)
    codes = {one.code for one in actions.leftovers_of_stage(stage, world.kim)}
    assert codes == {"incentives:uncalculated"}


def test_each_kind_needs_a_reason_of_its_own(world: World, as_: SignedIn, stage: Stage) -> None:
    kim = as_(world.kim)
    for empty in ("", "   "):
        refused = kim.post(page(stage), answer(world, stage, reason_appraisals_unrated=empty))
        assert refused.status_code == 422
        assert "Say why this may stay as it is" in refused.content.decode()
    stage.refresh_from_db()
    assert (stage.state, Acceptance.objects.count()) == ("open", 0)
    assert kim.post(page(stage), answer(world, stage)).status_code == 302
    stage.refresh_from_db()
    assert stage.state == "closed"
    kept = Acceptance.objects.get(code="appraisals:unrated")
    assert (kept.act, kept.count, kept.by) == ("close_stage:appraisal", OTHERS, world.kim)
    left = Event.objects.get(verb="stage_closed").data["left"]
    assert {"code": "appraisals:unrated", "count": kept.count, "reason": kept.reason} in left


def test_more_than_was_read_refuses_and_shows_the_new_list(
    world: World, as_: SignedIn, stage: Stage
) -> None:
    refused = as_(world.kim).post(page(stage), answer(world, stage, count_appraisals_unrated=3))
    assert refused.status_code == 422
    shown = " ".join(refused.content.decode().split())
    assert "You had read 3." in shown
    assert f'name="count_appraisals_unrated" value="{OTHERS}"' in shown


def test_the_action_judges_again_what_the_page_has_read(world: World, stage: Stage) -> None:
    read = cycles.accepting(actions.leftovers_of_stage(stage, world.kim))
    fewer = read | {"appraisals:unrated": Accepting(1, "One is on leave.")}
    with pytest.raises(LeftBehind, match="You had read 1"):
        actions.close_stage(stage, reason="x", accepted=fewer, version=None, by=world.kim)
    more = read | {
        "appraisals:unrated": Accepting(10**9, "All of them."),
        "nonsense:kind": Accepting(5, "?"),
    }
    actions.close_stage(stage, reason="x", accepted=more, version=None, by=world.kim)
    assert not Acceptance.objects.filter(code="nonsense:kind").exists()
    assert Acceptance.objects.get(code="appraisals:unrated").count == OTHERS, "what there was"


@pytest.mark.parametrize(
    "absurd",
    [
        {"count_appraisals_unrated": "-1"},
        {"count_appraisals_unrated": "many"},
        {"count_appraisals_unrated": ""},
        {"reason_appraisals_unrated": "x" * 501},
        {"reason_appraisals_unrated": "a\x00b"},
    ],
)
def test_absurd_answers_accept_nothing(
    world: World, as_: SignedIn, stage: Stage, absurd: dict[str, str]
) -> None:
    status = as_(world.kim).post(page(stage), answer(world, stage, **absurd)).status_code
    assert status in (409, 422)
    assert not Acceptance.objects.exists()


def test_what_refuses_cannot_be_accepted(world: World, as_: SignedIn, stage: Stage) -> None:
    session = appraisals.make_session(world.cycle, world.kim)
    kim = as_(world.kim)
    shown = kim.get(page(stage)).content.decode()
    assert reverse("appraisals:calibration", kwargs={"pk": session.pk}) in shown
    assert "To settle first" in shown
    assert "May stay as it is" not in shown, "no reason is asked for in vain"
    assert "closes for everybody now" not in shown, "the button is not offered"
    forged = {"count_appraisals_calibration": 1, "reason_appraisals_calibration": "Never mind."}
    assert kim.post(page(stage), answer(world, stage, **forged)).status_code == 409
    stage.refresh_from_db()
    assert stage.state == "open"


def test_some_things_refuse_only_at_the_end_of_the_cycle() -> None:
    review = Leftover("appraisals:review", "1 review is not decided.", 1, refuses_end=True)
    assert [one.refuses for one in at_the_end([review])] == [True]
    assert not review.refuses


def test_a_cycle_does_not_close_over_a_review_nor_over_ratings_that_are_ready(
    world: World, as_: SignedIn
) -> None:
    review = appraisals.appealed(world)
    appraisals.rate(world.part["chen"])
    url = reverse("cycles:close", kwargs={"pk": world.cycle.pk})
    kim = as_(world.kim)
    shown = kim.get(url).content.decode()
    assert "1 review is not decided." in shown
    assert reverse("appraisals:appeal", kwargs={"pk": review.pk}) in shown
    assert "1 rating is ready and not released." in shown
    assert "Close the cycle</button>" not in shown
    left = actions.leftovers_of_cycle(world.cycle, world.kim)
    everything = cycles.reasons([replace(one, refuses=False) for one in left])
    assert kim.post(url, {"version": world.cycle.version, **everything}).status_code == 409
    world.cycle.refresh_from_db()
    assert world.cycle.state == "running"
    stage = world.cycle.stages.get(kind="appraisal")
    assert kim.post(page(stage), answer(world, stage)).status_code == 302, (
        "the stage alone may close"
    )


def test_a_stage_that_has_not_opened_is_said_before_anybody_writes_reasons(
    world: World, as_: SignedIn
) -> None:
    world.cycle.stages.filter(kind="evaluation").update(state="planned")
    url = reverse("cycles:close", kwargs={"pk": world.cycle.pk})
    shown = as_(world.kim).get(url).content.decode()
    assert "Evaluation has not opened yet. Open it on the board first" in shown
    assert "Close the cycle</button>" not in shown
    left = cycles.reasons(actions.leftovers_of_cycle(world.cycle, world.kim))
    refused = as_(world.kim).post(url, {"version": world.cycle.version, **left})
    assert refused.status_code == 409
    assert "has not opened yet" in refused.content.decode()


def test_the_reasons_for_the_end_of_the_cycle_are_kept_with_it(world: World, as_: SignedIn) -> None:
    appraisals.released(world)
    url = reverse("cycles:close", kwargs={"pk": world.cycle.pk})
    left = actions.leftovers_of_cycle(world.cycle, world.kim)
    assert {"appraisals:unrated", "appraisals:unread", "appraisals:may_ask"} <= {
        one.code for one in left
    }
    sent = {"version": world.cycle.version, **cycles.reasons(left, "The works council agrees.")}
    assert as_(world.kim).post(url, sent).status_code == 302
    kept = Acceptance.objects.filter(cycle=world.cycle, act="close")
    assert set(kept.values_list("code", flat=True)) == {one.code for one in left}
    assert len(Event.objects.get(verb="closed").data["left"]) == len(left)


def test_nobody_reads_of_their_own_rating_what_waits_for_them(world: World, as_: SignedIn) -> None:
    appraisals.rate(world.part["kim"], "Partly meets")
    codes = {one.code: one for one in actions.leftovers_of_cycle(world.cycle, world.lea)}
    assert codes["appraisals:first_mention"].count == 1
    mine = {one.code: one for one in actions.leftovers_of_cycle(world.cycle, world.kim)}
    assert "appraisals:first_mention" not in mine
    assert "appraisals:unreleased" not in mine


def test_nobody_ends_the_cycle_over_a_rating_of_their_own_that_waits(
    world: World, as_: SignedIn
) -> None:
    appraisals.rate(world.part["kim"])
    kim, url = as_(world.kim), reverse("cycles:close", kwargs={"pk": world.cycle.pk})

    def end() -> Any:
        left = cycles.reasons(actions.leftovers_of_cycle(world.cycle, world.kim))
        return kim.post(url, {"version": world.cycle.version, **left})

    refused = end()
    assert refused.status_code == 409
    shown = refused.content.decode()
    assert "Something that you do not read here is still held." in shown
    assert "ready and not released" not in shown, "and it is not said what"
    assert not Acceptance.objects.exists()
    world.cycle.refresh_from_db()
    assert world.cycle.state == "running"
    stage = world.cycle.stages.get(kind="appraisal")
    assert kim.post(page(stage), answer(world, stage)).status_code == 302, (
        "the stage alone may close"
    )
    appraisals.release_all(world.cycle, world.lea, appraisals.make_third_hr_admin(world))
    assert end().status_code == 302


def test_an_acceptance_is_kept_as_it_was(world: World) -> None:
    row = Acceptance.objects.create(
        cycle=world.cycle,
        act="close",
        code="goals:unagreed",
        title="1 person.",
        count=1,
        reason="So be it.",
        by=world.kim,
    )
    for change in (lambda: row.delete(), lambda: Acceptance.objects.update(count=2)):
        with pytest.raises(Error), transaction.atomic():
            change()
    with pytest.raises(Error), transaction.atomic():
        Acceptance.objects.create(
            cycle=world.cycle, act="close", code="x", count=1, reason="", by=world.kim
        )


def test_the_statements_do_not_grow_with_the_company(world: World, stage: Stage) -> None:
    with CaptureQueriesContext(connection) as few:
        actions.leftovers_of_cycle(world.cycle, world.kim)
    for part in world.part.values():
        appraisals.rate(part, "Partly meets")
    with CaptureQueriesContext(connection) as many:
        found = actions.leftovers_of_cycle(world.cycle, world.kim)
    assert len(few) == len(many)
    assert "appraisals:first_mention" in [one.code for one in found]
