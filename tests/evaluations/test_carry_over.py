"""What a cycle leaves unfinished comes into the next one of each person: once, and signed by nobody yet."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from evaluations import actions
from evaluations.models import DevelopmentStep
from feedback.models import ActionItem
from goals import actions as of_goals
from goals.models import Goal, GoalVersion, Signature
from pmcycle.activity.models import Event, Notice
from pmcycle.cycles import actions as cycles
from pmcycle.cycles.models import Assignment, Cycle, Participation, Stage, StageKind
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import feedback, goals
from tests.factories.cycles import accepting, make_cycle, take_part
from tests.factories.evaluations import make_evaluation
from tests.open_items import open_items_of


def leave_unfinished(world: World) -> tuple[Goal, DevelopmentStep, ActionItem]:
    """In this cycle: a goal half reached, one reached, a step of development and a promise of Bashir's."""
    half = goals.agree(world.ana_part, world.ana, world.bashir, weight="60")
    full = goals.agree(world.ana_part, world.ana, world.bashir, title="Reached", weight="40")
    for goal, value in ((half, "6"), (full, "4")):
        of_goals.record_progress(
            goals.key_result(goal),
            value=Decimal(value),
            confidence="on_track",
            version=None,
            by=world.ana,
        )
    evaluation = make_evaluation(world.ana_part, feedback.person(world.bashir), state="signed")
    evaluation.steps.exclude(pk=evaluation.steps.earliest("pk").pk).delete()
    meeting = feedback.make_check_in(feedback.person(world.bashir), feedback.person(world.ana))
    promise = feedback.make_item(
        meeting, feedback.person(world.bashir), text="Two days with the supplier"
    )
    return half, evaluation.steps.get(), promise


def next_cycle(world: World, **fields: Any) -> tuple[Cycle, Participation]:
    """The year after, with Ana and her manager, running and planning; no copy of this one."""
    fields.setdefault("first_day", world.cycle.last_day + timedelta(days=1))
    fields.setdefault("last_day", world.cycle.last_day + timedelta(days=300))
    following = make_cycle("Next year", **fields)
    there = take_part(following, feedback.person(world.ana), feedback.person(world.bashir))
    # Its goals are planned before its first day, with the manager of today.
    Assignment.objects.filter(participation=there).update(starts_on=world.cycle.first_day)
    return following, there


def close(world: World) -> None:
    world.cycle.refresh_from_db()
    left = accepting(cycles.leftovers_of_cycle(world.cycle, world.kim))
    cycles.close(world.cycle, accepted=left, version=world.cycle.version, by=world.kim)


def open_objectives(cycle: Cycle, world: World) -> None:
    stage = cycle.stages.get(kind=StageKind.OBJECTIVES)
    cycles.open_stage(stage, due_on=None, reason="It begins.", version=stage.version, by=world.kim)


def came(participation: Participation) -> dict[str, Goal]:
    found = Goal.objects.filter(participation=participation).select_related("latest", "from_cycle")
    return {str(goal.latest): goal for goal in found}


def read(client: Any, participation: Participation) -> str:
    return " ".join(
        client.get(reverse("goals:of", args=[participation.pk])).content.decode().split()
    )


@pytest.mark.parametrize("is_copy", [True, False])
@pytest.mark.parametrize("runs_before", [True, False])
def test_goals_steps_and_promises_come_into_the_next_cycle_once(
    world: World, as_: SignedIn, is_copy: bool, runs_before: bool
) -> None:
    half, step, promise = leave_unfinished(world)
    copied = {"copied_from": world.cycle} if is_copy else {}
    if runs_before:
        following, there = next_cycle(world, **copied)
        close(world)
    else:
        close(world)
        following, there = next_cycle(world, **copied)
        Stage.objects.filter(cycle=following, kind=StageKind.OBJECTIVES).update(state="planned")
        open_objectives(following, world)
    # HR asks once more, for good measure.
    again = as_(world.kim).post(reverse("evaluations:carry_over", args=[following.pk]), follow=True)
    assert "unfinished goals 0, steps of development 0, open promises 0" in again.content.decode()
    found = came(there)
    assert set(found) == {"Halve the scrap of line 3", step.text}
    goal, development = found["Halve the scrap of line 3"], found[step.text]
    assert (goal.carried_from, goal.from_cycle, goal.state) == (half, world.cycle, "proposed")
    assert goal.latest is not None
    assert goal.latest.weight == 60
    assert (development.horizon, development.from_cycle) == ("development", world.cycle)
    assert development.latest is not None
    assert development.latest.due_on == step.due_on
    step.refresh_from_db()
    assert step.carried_to == development
    promise.refresh_from_db()
    assert (promise.stands_in, promise.owner.name, promise.is_open) == (there, "Bashir Nouri", True)
    page = read(as_(world.ana), there)
    assert "Promised before this cycle, still open" in page
    assert "Two days with the supplier" in page
    assert ActionItem.objects.count() == 1


def test_until_its_objectives_open_the_next_cycle_gets_nothing(world: World) -> None:
    leave_unfinished(world)
    following, there = next_cycle(world)
    following.stages.update(state="planned")
    close(world)
    assert came(there) == {}
    open_objectives(following, world)
    assert len(came(there)) == 2


def test_nobody_wrote_it_there_and_it_holds_only_when_both_signed_the_same_words(
    world: World, as_: SignedIn
) -> None:
    leave_unfinished(world)
    _following, there = next_cycle(world)
    close(world)
    goal = came(there)["Halve the scrap of line 3"]
    assert goal.latest is not None
    assert goal.latest.author is None
    assert goal.created_by == world.kim
    event = Event.objects.get(verb="carried_over", subject_kind="goals.goal", subject_id=goal.pk)
    assert (event.actor_id, event.about_id) == (world.kim.pk, world.ana.employee_id)
    assert event.data["from_name"] == world.cycle.name
    history = " ".join(
        as_(world.ana).get(reverse("goals:detail", args=[goal.pk])).content.decode().split()
    )
    assert f"It came over from {world.cycle.name}" in history
    assert "wrote it" not in history
    assert "waits for you and Bashir Nouri" in read(as_(world.ana), there)
    kinds = {item.kind for item in open_items_of(world.bashir.employee_id or 0)}
    assert "goals:answer" in kinds

    accept = reverse("goals:accept", args=[goal.pk])
    assert as_(world.ana).post(accept, {"version": goal.version}).status_code == 302
    goal.refresh_from_db()
    assert (str(goal.state), goal.agreed) == ("proposed", None)
    assert as_(world.ana).post(accept, {"version": goal.version}).status_code == 409
    assert "Ana Popescu signed · waits for you" in read(as_(world.bashir), there)
    assert as_(world.bashir).post(accept, {"version": goal.version}).status_code == 302
    goal.refresh_from_db()
    assert (str(goal.state), goal.agreed) == ("agreed", goal.latest)
    assert set(Signature.objects.filter(version=goal.agreed).values_list("side", flat=True)) == {
        "employee",
        "manager",
    }
    page = as_(world.ana).get(reverse("goals:detail", args=[goal.pk])).content.decode()
    assert "carried over as it was" in page


def test_a_set_that_came_over_is_agreed_by_one_and_then_by_the_other(
    world: World, as_: SignedIn
) -> None:
    whole = goals.agree(world.ana_part, world.ana, world.bashir, weight="100")
    _following, there = next_cycle(world)
    close(world)
    goal = Goal.objects.get(carried_from=whole)
    agree = reverse("goals:agree_set", args=[there.pk])
    signed = as_(world.bashir).post(agree, {"seen": f"{goal.pk}:{goal.version}"}, follow=True)
    assert "1 of them hold when the other side has signed them too" in signed.content.decode()
    goal.refresh_from_db()
    assert str(goal.state) == "proposed"
    assert as_(world.ana).post(agree, {"seen": f"{goal.pk}:{goal.version}"}).status_code == 302
    goal.refresh_from_db()
    assert str(goal.state) == "agreed"


def test_weights_that_do_not_come_to_100_are_countered_and_then_both_agree(
    world: World, as_: SignedIn
) -> None:
    leave_unfinished(world)
    _following, there = next_cycle(world)
    close(world)
    goal = came(there)["Halve the scrap of line 3"]
    step = next(g for g in came(there).values() if g.horizon == "development")
    seen = [f"{goal.pk}:{goal.version}", f"{step.pk}:{step.version}"]
    refusal = as_(world.ana).post(reverse("goals:agree_set", args=[there.pk]), {"seen": seen})
    assert refusal.status_code == 409
    assert "The weights come to 60, not to 100" in refusal.content.decode()
    of_goals.counter(goal, goals.text(weight="100"), version=goal.version, by=world.ana)
    goal.refresh_from_db()
    assert str(goal.state) == "proposed"
    of_goals.accept(goal, version=goal.version, by=world.bashir)
    goal.refresh_from_db()
    assert goal.agreed is not None
    assert (str(goal.state), goal.agreed.author) == ("agreed", world.ana.employee)


@pytest.mark.parametrize("who", ["ana", "bashir"])
def test_either_of_the_two_leaves_it_out_and_it_does_not_come_again(
    world: World, as_: SignedIn, who: str
) -> None:
    leave_unfinished(world)
    following, there = next_cycle(world)
    close(world)
    goal = came(there)["Halve the scrap of line 3"]
    user = getattr(world, who)
    assert "Leave it out" in read(as_(user), there)
    response = as_(user).post(reverse("goals:withdraw", args=[goal.pk]), {"version": goal.version})
    assert response.status_code == 302
    as_(world.kim).post(reverse("evaluations:carry_over", args=[following.pk]))
    goal.refresh_from_db()
    assert str(goal.state) == "withdrawn"
    assert Goal.objects.filter(carried_from=goal.carried_from).count() == 1


def test_what_the_other_side_has_signed_is_not_left_out(world: World, as_: SignedIn) -> None:
    leave_unfinished(world)
    _following, there = next_cycle(world)
    close(world)
    goal = came(there)["Halve the scrap of line 3"]
    of_goals.accept(goal, version=goal.version, by=world.bashir)
    goal.refresh_from_db()
    response = as_(world.ana).post(
        reverse("goals:withdraw", args=[goal.pk]), {"version": goal.version}
    )
    assert response.status_code == 409


def test_a_former_manager_signs_nothing_and_without_manager_it_waits(
    world: World, as_: SignedIn
) -> None:
    leave_unfinished(world)
    following = make_cycle(
        "Next year",
        first_day=world.cycle.last_day + timedelta(days=1),
        last_day=world.cycle.last_day + timedelta(days=300),
    )
    there = take_part(following, feedback.person(world.ana))
    close(world)
    goal = came(there)["Halve the scrap of line 3"]
    accept = reverse("goals:accept", args=[goal.pk])
    assert as_(world.bashir).post(accept, {"version": goal.version}).status_code in (403, 404)
    assert as_(world.ana).post(accept, {"version": goal.version}).status_code == 302
    goal.refresh_from_db()
    assert (str(goal.state), goal.agreed) == ("proposed", None)


def test_who_left_or_takes_no_part_in_the_next_cycle_gets_nothing(world: World) -> None:
    leave_unfinished(world)
    following, there = next_cycle(world)
    Participation.objects.filter(pk=there.pk).update(state="left", left_on=world.cycle.first_day)
    close(world)
    assert came(there) == {}
    assert not Goal.objects.filter(cycle=following).exists()


def test_a_late_joiner_gets_what_their_last_cycle_left(world: World) -> None:
    leave_unfinished(world)
    close(world)
    following = make_cycle("Next year", first_day=world.cycle.first_day + timedelta(days=1))
    there = cycles.add_person(
        following,
        feedback.person(world.ana),
        starts_on=following.first_day,
        reason="Back.",
        by=world.kim,
    )
    assert set(came(there)) >= {"Halve the scrap of line 3"}


def test_a_promise_made_in_the_next_cycle_is_no_leftover(world: World) -> None:
    _half, _step, promise = leave_unfinished(world)
    _following, there = next_cycle(world, first_day=world.cycle.first_day + timedelta(days=1))
    close(world)
    promise.refresh_from_db()
    assert promise.stands_in is None
    assert len(came(there)) == 2


def test_a_draft_evaluation_gives_nothing_away(world: World) -> None:
    make_evaluation(world.ana_part, feedback.person(world.bashir))
    _following, there = next_cycle(world)
    close(world)
    assert came(there) == {}


def test_both_are_told_once(world: World) -> None:
    leave_unfinished(world)
    _following, there = next_cycle(world)
    close(world)
    told = Notice.objects.filter(key__startswith=f"goals.carried:{there.pk}:")
    assert set(told.values_list("recipient", flat=True)) == {world.ana.pk, world.bashir.pk}


def test_the_database_lets_no_goal_of_two_people_hold_with_one_signature(world: World) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    with pytest.raises(IntegrityError, match="both have signed"), transaction.atomic():
        Goal.objects.filter(pk=goal.pk).update(agreed=goal.latest, state="agreed")
    with pytest.raises(IntegrityError), transaction.atomic():
        GoalVersion.objects.create(goal=goal, number=2, title="By nobody", author=None)


@pytest.mark.django_db(transaction=True)
def test_closing_twice_and_asking_at_once_carries_once(transactional_db: None) -> None:
    world = build_world()
    leave_unfinished(world)
    following, there = next_cycle(world)
    world.cycle.refresh_from_db()
    version = world.cycle.version
    left = accepting(cycles.leftovers_of_cycle(world.cycle, world.kim))
    results = at_once(
        lambda: cycles.close(world.cycle, accepted=left, version=version, by=world.kim),
        lambda: cycles.close(world.cycle, accepted=left, version=version, by=world.lea),
        lambda: actions.carry_over(following, by=world.kim),
        lambda: actions.bring_over(following),
    )
    assert refused(results) == 1
    assert len(came(there)) == 2
    assert Goal.objects.filter(cycle=following).count() == 2


def closed_next_year(world: World) -> tuple[Cycle, Participation]:
    """The next cycle runs, and its objectives are closed for everybody."""
    following, there = next_cycle(world)
    Stage.objects.filter(cycle=following, kind=StageKind.OBJECTIVES).update(state="closed")
    return following, there


def test_where_objectives_are_closed_only_promises_come_and_the_pages_name_the_way_out(
    world: World, as_: SignedIn
) -> None:
    _half, _step, promise = leave_unfinished(world)
    following, there = closed_next_year(world)
    page = as_(world.kim).get(reverse("cycles:close", args=[world.cycle.pk])).content.decode()
    assert "In “Next year” objectives are closed already" in page
    close(world)
    assert came(there) == {}
    promise.refresh_from_db()
    assert promise.stands_in == there
    for name in ("home:hub", "evaluations:cycle"):
        page = as_(world.kim).get(reverse(name, args=[following.pk])).content.decode()
        assert "are closed for everybody, so that nobody could sign" in page
        stage = following.stages.get(kind=StageKind.OBJECTIVES)
        assert reverse("cycles:open_stage", args=[stage.pk]) in page
        assert f"{reverse('home:board', args=[following.pk])}?stage=objectives" in page
    refused_ = as_(world.kim).post(reverse("evaluations:carry_over", args=[following.pk]))
    assert refused_.status_code == 409
    assert "more time for objectives, or open the stage again" in refused_.content.decode()
    assert came(there) == {}


def test_where_objectives_are_open_the_close_page_says_nothing_of_it(
    world: World, as_: SignedIn
) -> None:
    next_cycle(world)
    page = as_(world.kim).get(reverse("cycles:close", args=[world.cycle.pk])).content.decode()
    assert "objectives are closed already" not in page


def test_what_was_left_comes_with_more_time_and_both_sign_it(world: World, as_: SignedIn) -> None:
    leave_unfinished(world)
    following, there = closed_next_year(world)
    close(world)
    stage = following.stages.get(kind=StageKind.OBJECTIVES)
    day = max(following.local_day(timezone.now()), stage.due_on) + timedelta(days=10)
    cycles.extend(
        there, stage, due_on=day, reason="Goals of last year.", version=None, by=world.kim
    )
    goal = came(there)["Halve the scrap of line 3"]
    assert len(came(there)) == 2
    for user in (world.ana, world.bashir):
        of_goals.accept(goal, version=goal.version, by=user)
        goal.refresh_from_db()
    assert str(goal.state) == "agreed"
    again = as_(world.kim).post(reverse("evaluations:carry_over", args=[following.pk]), follow=True)
    assert "unfinished goals 0, steps of development 0, open promises 0" in again.content.decode()


def test_with_more_time_given_before_the_close_it_comes_at_once(world: World) -> None:
    leave_unfinished(world)
    following, there = closed_next_year(world)
    stage = following.stages.get(kind=StageKind.OBJECTIVES)
    day = max(following.local_day(timezone.now()), stage.due_on) + timedelta(days=10)
    cycles.extend(
        there, stage, due_on=day, reason="Goals of last year.", version=None, by=world.kim
    )
    assert came(there) == {}
    close(world)
    assert len(came(there)) == 2


def test_what_was_left_comes_when_the_closed_stage_opens_again(world: World) -> None:
    leave_unfinished(world)
    following, there = closed_next_year(world)
    close(world)
    stage = following.stages.get(kind=StageKind.OBJECTIVES)
    day = max(following.local_day(timezone.now()), stage.opens_on) + timedelta(days=10)
    cycles.open_stage(stage, due_on=day, reason="Once more.", version=stage.version, by=world.kim)
    assert len(came(there)) == 2


def test_a_late_joiner_gets_what_is_theirs_although_objectives_are_closed(
    world: World, as_: SignedIn
) -> None:
    _half, _step, promise = leave_unfinished(world)
    close(world)
    following = make_cycle(
        "Next year",
        first_day=world.cycle.last_day + timedelta(days=1),
        last_day=world.cycle.last_day + timedelta(days=300),
    )
    Stage.objects.filter(cycle=following, kind=StageKind.OBJECTIVES).update(state="closed")
    form = reverse("cycles:add_person", args=[following.pk])
    asked = {
        "employee": world.ana.email,
        "starts_on": following.first_day.isoformat(),
        "reason": "Back.",
    }
    assert (
        "what their last cycle left comes with them"
        in as_(world.kim).get(form, asked).content.decode()
    )
    there = cycles.add_person(
        following,
        feedback.person(world.ana),
        starts_on=following.first_day,
        reason="Back.",
        by=world.kim,
    )
    assert len(came(there)) == 2
    promise.refresh_from_db()
    assert promise.stands_in == there


def test_who_is_back_gets_what_is_theirs_although_objectives_are_closed(world: World) -> None:
    leave_unfinished(world)
    following, there = closed_next_year(world)
    cycles.mark_left(
        there,
        left_on=following.local_day(timezone.now()),
        reason="Moved.",
        version=None,
        by=world.kim,
    )
    close(world)
    assert came(there) == {}
    cycles.return_person(there, reason="Back.", version=None, by=world.kim)
    assert len(came(there)) == 2


def test_before_objectives_open_hr_is_told_that_it_comes_by_itself(
    world: World, as_: SignedIn
) -> None:
    leave_unfinished(world)
    following, there = next_cycle(world)
    following.stages.update(state="planned")
    close(world)
    page = as_(world.kim).get(reverse("home:hub", args=[following.pk])).content.decode()
    assert "What is left comes by itself when they do." in page
    assert (
        as_(world.kim).post(reverse("evaluations:carry_over", args=[following.pk])).status_code
        == 409
    )
    assert came(there) == {}
