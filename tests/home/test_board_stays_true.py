"""What goes wrong or comes twice leaves a true board: what people do through their pages, and what HR reads then.

Two at the same moment are two browsers on a barrier. Before each look at the board nothing is doubled and nothing
stuck, and every number of the board is that of its lines (`tests.boards`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

import appraisals.tasks
import pmcycle.cycles.tasks as cycle_clock
import pmcycle.home.actions as clock
from appraisals.actions import left_of_release
from appraisals.models import Appraisal, Release, ReleasedResult
from goals.models import Goal
from incentives.models import AwardLine
from pmcycle.access import today
from pmcycle.activity.models import Milestone, ToDo
from pmcycle.cycles.actions import leftovers_of_cycle, leftovers_of_stage
from pmcycle.cycles.models import Assignment, Cycle, Participation, Reopening, Stage
from pmcycle.people.models import Employee, User
from tests.at_once import at_once
from tests.boards import Shown, board, is_whole
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals as make
from tests.factories import cycles, evaluations
from tests.factories import goals as goal
from tests.factories import incentives as rewards
from tests.home.test_turn_day import days_later, give_ana_more_time
from tests.open_items import catch_up

pytestmark = pytest.mark.django_db(transaction=True)

ANA, CHEN = "Ana Popescu", "Chen Wei"
OBJECTIVES, APPRAISAL, INCENTIVES, EVALUATION = (
    "Objectives",
    "Appraisal",
    "Incentive control",
    "Evaluation",
)
OTHERS = 9  # who takes part without Kim, who reads the board


@pytest.fixture
def world(transactional_db: None) -> World:
    return build_world()


@pytest.fixture
def kim(world: World, as_: SignedIn) -> Client:
    return as_(world.kim)


def of(user: User) -> int:
    assert user.employee_id
    return user.employee_id


def post(client: Client, url_name: str, pk: int, **data: Any) -> int:
    """What a press of the button of a page answers."""
    status: int = client.post(reverse(url_name, args=[pk]), data).status_code
    return status


def pressed(client: Client, url_name: str, pk: int, **data: Any) -> Callable[[], int]:
    return partial(post, client, url_name, pk, **data)


def stage(world: World, kind: str) -> Stage:
    return Stage.objects.get(cycle=world.cycle, kind=kind)


def part(world: World, key: str = "ana") -> Participation:
    return Participation.objects.get(pk=world.part[key].pk)


def fate(kind: str, about: User) -> list[tuple[str | None, str]]:
    """By whom each was done, or with what it fell away; neither while it is open."""
    rows = ToDo.objects.filter(kind=kind, about=of(about)).order_by("pk")
    return list(rows.values_list("done_by__name", "dropped_why"))


OPEN = (None, "")


def close(client: Client, world: World, kind: str) -> int:
    """Close a stage over whatever its page names, each with a reason."""
    row = stage(world, kind)
    left = cycles.reasons(leftovers_of_stage(row, world.kim))
    return post(
        client, "cycles:close_stage", row.pk, version=row.version, reason="It is time.", **left
    )


def hand_in(client: Client, form: Appraisal, label: str = "Meets") -> int:
    return post(client, "appraisals:submit", form.pk, **make.filled(form, label))


def everybody_stands(shown: Shown, stage_name: str, **words: int) -> None:
    """So many stand where, by the words of the lines with _ for a space."""
    assert shown.in_stage(stage_name) == {word.replace("_", " "): n for word, n in words.items()}


# --- Two acts that finish the same to-do --------------------------------------------------------------


def test_two_tabs_that_agree_to_the_same_set_finish_it_once(
    world: World, kim: Client, as_: SignedIn
) -> None:
    wordings = [goal.propose(world.ana_part, world.ana, weight=weight) for weight in ("60", "40")]
    seen = [f"{one.pk}:{one.version}" for one in wordings]
    catch_up()
    everybody_stands(board(kim, world.cycle), OBJECTIVES, open=OTHERS)
    tabs = [as_(world.bashir) for _tab in range(2)]
    answers = at_once(
        *(pressed(tab, "goals:agree_set", world.ana_part.pk, seen=seen) for tab in tabs)
    )
    assert sorted(answers) == [302, 409]
    assert fate("goals:answer", world.ana) == [("Bashir Nouri", "")]
    shown = board(kim, world.cycle)
    everybody_stands(shown, OBJECTIVES, open=OTHERS - 1, done=1)
    assert shown.lines[ANA][OBJECTIVES] == "done"
    assert shown.reached["goals agreed"] == (1, OTHERS)
    assert shown.lines[ANA][INCENTIVES] == "nothing to do", "which is not done"


def test_two_tabs_that_answer_the_last_two_goals_leave_nobody_waiting(
    world: World, kim: Client, as_: SignedIn
) -> None:
    """Each finishes only a part; what waits for Bashir is one line for all of Ana's goals."""
    wordings = [goal.propose(world.ana_part, world.ana, weight="50") for _goal in range(2)]
    catch_up()
    answers = at_once(
        *(
            pressed(as_(world.bashir), "goals:accept", one.pk, version=one.version)
            for one in wordings
        )
    )
    assert answers == [302, 302]
    assert fate("goals:answer", world.ana) == [("Bashir Nouri", "")]
    assert Milestone.objects.filter(participation=world.ana_part, kind="goals_agreed").count() == 1
    shown = board(kim, world.cycle)
    everybody_stands(shown, OBJECTIVES, open=OTHERS - 1, done=1)
    assert shown.units["Production"][OBJECTIVES] == "1 / 4"


# --- A stage that is opened again ---------------------------------------------------------------------


def test_a_stage_opened_again_after_half_was_done_asks_for_the_other_half(
    world: World, kim: Client, as_: SignedIn
) -> None:
    make.open_stage(world.cycle)
    catch_up()
    chen = world.part["chen"]
    assert hand_in(as_(world.ana), make.self_appraisal(world.ana_part)) == 302
    assert hand_in(as_(world.chen), make.self_appraisal(chen)) == 302
    assert hand_in(as_(world.bashir), make.manager_appraisal(chen)) == 302
    everybody_stands(board(kim, world.cycle), APPRAISAL, open=OTHERS - 1, under_way=1)

    assert close(kim, world, "appraisal") == 302
    shown = board(kim, world.cycle)
    everybody_stands(shown, APPRAISAL, missed=OTHERS - 1, under_way=1)
    assert shown.lines[CHEN][APPRAISAL] == "under way", (
        "nothing of his is missing but what HR releases"
    )

    row, later = stage(world, "appraisal"), today() + timedelta(days=9)
    again = {"version": row.version, "reason": "Half is missing.", "due_on": later}
    assert post(kim, "cycles:open_stage", row.pk, **again) == 302
    shown = board(kim, world.cycle)
    everybody_stands(shown, APPRAISAL, open=OTHERS - 1, under_way=1)
    assert shown.lines[CHEN][APPRAISAL] == "under way"
    assert shown.reached["self-appraisal handed in"] == (2, OTHERS)
    assert fate("appraisals:self", world.ana) == [(ANA, "")], "what is done is not asked for again"
    assert fate("appraisals:manager", world.ana) == [(None, "stage_closed"), OPEN]

    assert hand_in(as_(world.bashir), make.manager_appraisal(world.ana_part)) == 302
    everybody_stands(board(kim, world.cycle), APPRAISAL, open=OTHERS - 2, under_way=2)
    assert Appraisal.objects.filter(participation=world.ana_part).count() == 2


def test_two_who_open_a_closed_stage_again_open_it_once(
    world: World, kim: Client, as_: SignedIn
) -> None:
    catch_up()
    assert close(kim, world, "objectives") == 302
    row, later = stage(world, "objectives"), today() + timedelta(days=9)
    again = {"version": row.version, "reason": "Once more.", "due_on": later}
    answers = at_once(
        *(
            pressed(who, "cycles:open_stage", row.pk, **again)
            for who in (as_(world.kim), as_(world.lea))
        )
    )
    assert sorted(answers) == [302, 409]
    everybody_stands(board(kim, world.cycle), OBJECTIVES, open=OTHERS)
    assert fate("goals:propose", world.ana) == [(None, "stage_closed"), OPEN]


def test_evaluations_opened_again_after_half_was_signed_ask_for_the_other_half(
    world: World, kim: Client, as_: SignedIn
) -> None:
    bashir = world.part["bashir"].employee
    mine = evaluations.make_evaluation(world.ana_part, bashir, state="shared")
    evaluations.make_evaluation(world.part["chen"], bashir, state="shared")
    row, later = stage(world, "evaluation"), today() + timedelta(days=9)
    if row.state == Stage.State.PLANNED:
        data = {"version": row.version, "reason": "x", "due_on": later}
        assert post(kim, "cycles:open_stage", row.pk, **data) == 302
    catch_up()
    for user in (world.ana, world.bashir):
        mine.refresh_from_db()
        assert post(as_(user), "evaluations:sign", mine.pk, version=mine.version) == 302
    everybody_stands(board(kim, world.cycle), EVALUATION, open=OTHERS - 1, done=1)
    assert close(kim, world, "evaluation") == 302
    everybody_stands(board(kim, world.cycle), EVALUATION, missed=OTHERS - 1, done=1)
    row = stage(world, "evaluation")
    again = {"version": row.version, "reason": "Half is missing.", "due_on": later}
    assert post(kim, "cycles:open_stage", row.pk, **again) == 302
    everybody_stands(board(kim, world.cycle), EVALUATION, open=OTHERS - 1, done=1)
    assert set(fate("evaluations:sign", world.ana)) == {(ANA, ""), ("Bashir Nouri", "")}
    assert (
        sorted(fate("evaluations:sign", world.chen), key=str)
        == [OPEN] * 2 + [(None, "stage_closed")] * 2
    )


# --- Leaving, coming back and leaving -----------------------------------------------------------------


class ByHand:
    """Kim says in the cycle alone that Ana has left and is back."""

    def __init__(self, kim: Client, world: World) -> None:
        self.kim, self.world = kim, world

    def leave(self) -> None:
        data = {"left_on": today(), "reason": "A new job.", "version": part(self.world).version}
        assert post(self.kim, "cycles:mark_left", self.world.ana_part.pk, **data) == 302
        assert post(self.kim, "cycles:mark_left", self.world.ana_part.pk, **data) == 409

    def come_back(self) -> None:
        data = {"reason": "She is back.", "version": part(self.world).version}
        assert post(self.kim, "cycles:return_person", self.world.ana_part.pk, **data) == 302
        assert post(self.kim, "cycles:return_person", self.world.ana_part.pk, **data) == 409


class ByRecord(ByHand):
    """Kim changes Ana's last day in the company's record; two clocks follow it."""

    def last_day(self, day: date | None) -> None:
        person = Employee.objects.get(pk=of(self.world.ana))
        data = {"version": person.version, "left_on": day or "", "leave_reason": ""}
        assert post(self.kim, "people:set_leave_date", person.pk, **data) == 302

    def leave(self) -> None:
        self.last_day(today() - timedelta(days=1))
        at_once(cycle_clock.open_due, cycle_clock.open_due)

    def come_back(self) -> None:
        self.last_day(None)
        assert post(self.kim, "people:reactivate", self.world.ana.pk) == 302
        at_once(cycle_clock.open_due, cycle_clock.open_due)


@pytest.mark.parametrize("way", [ByHand, ByRecord])
def test_who_leaves_comes_back_and_leaves_is_counted_as_they_are(
    way: type[ByHand], world: World, kim: Client
) -> None:
    make.open_stage(world.cycle)
    goal.agree(world.ana_part, world.ana, world.bashir, weight="100")
    catch_up()
    before = board(kim, world.cycle)
    forms = Appraisal.objects.count()
    ana = way(kim, world)

    def is_gone() -> None:
        shown = board(kim, world.cycle)
        assert set(shown.lines[ANA].values()) == {"has left"}
        assert shown.figures["Take part"] == OTHERS - 1
        assert shown.reached["goals agreed"] == (0, OTHERS - 1)
        assert not ToDo.objects.open().filter(about=of(world.ana)).exists()

    ana.leave()
    is_gone()
    ana.come_back()
    assert board(kim, world.cycle) == before, "as if she had not been away"
    mine = ToDo.objects.filter(kind="appraisals:self", about=of(world.ana)).order_by("pk")
    assert [row.dropped_at is not None for row in mine] == [True, False]
    ana.leave()
    is_gone()
    assert not mine.exclude(done_at=None).exists()
    assert [row.dropped_at is not None for row in mine.all()] == [True, True]
    assert Appraisal.objects.count() == forms


def test_who_leaves_comes_back_and_leaves_while_rewards_are_recommended(
    world: World, kim: Client, as_: SignedIn
) -> None:
    """Hugo is the only one whom Gita leads: her sheet comes and goes with him, and nothing is given twice."""
    run = rewards.recommending(world)
    gita, hugo = of(world.gita), world.part["hugo"]

    def sheets() -> list[tuple[bool, str]]:
        board(kim, world.cycle)
        rows = ToDo.objects.filter(kind="incentives:sheet", recipient=gita).order_by("pk")
        return [(row.done_at is not None, row.dropped_why) for row in rows]

    def says(url_name: str, **data: Any) -> int:
        return post(kim, url_name, hugo.pk, version=part(world, "hugo").version, reason="x", **data)

    catch_up()
    assert sheets() == [(False, "")]
    assert says("cycles:mark_left", left_on=today()) == 302
    assert sheets() == [(False, "left")]
    assert says("cycles:return_person") == 302
    assert sheets() == [(False, "left"), (False, "")]
    assert says("cycles:mark_left", left_on=today()) == 302
    assert sheets() == [(False, "left"), (False, "left")]
    for manager in (world.bashir, world.kim, world.dora):
        rewards.hand_in(run, manager, world.lea)
    rewards.release(rewards.approve(run, world.lea), world.kim)
    lines = AwardLine.objects.filter(award__participation=hugo)
    assert sum(line.amount for line in lines) == 0
    shown = board(kim, world.cycle)
    assert set(shown.lines["Hugo Blanc"].values()) == {"has left"}
    assert shown.reached["statement released"] == (OTHERS - 1, OTHERS - 1)


def test_who_was_away_when_a_stage_closed_has_missed_what_is_not_asked_again(
    world: World, kim: Client, as_: SignedIn
) -> None:
    """Ana had handed in, Chen had everything behind him; neither was there when the stage ended."""
    make.open_stage(world.cycle)
    chen = world.part["chen"]
    assert hand_in(as_(world.ana), make.self_appraisal(world.ana_part)) == 302
    assert hand_in(as_(world.chen), make.self_appraisal(chen)) == 302
    assert hand_in(as_(world.bashir), make.manager_appraisal(chen)) == 302
    for key in ("ana", "chen"):
        gone = {"left_on": today(), "reason": "x", "version": part(world, key).version}
        assert post(kim, "cycles:mark_left", world.part[key].pk, **gone) == 302
    assert close(kim, world, "appraisal") == 302
    for key in ("ana", "chen"):
        back = {"reason": "x", "version": part(world, key).version}
        assert post(kim, "cycles:return_person", world.part[key].pk, **back) == 302
    shown = board(kim, world.cycle)
    assert [shown.lines[name][APPRAISAL] for name in (ANA, CHEN)] == ["missed", "under way"]
    everybody_stands(shown, APPRAISAL, missed=OTHERS - 1, under_way=1)
    row = stage(world, "appraisal")
    again = {"version": row.version, "reason": "x", "due_on": today() + timedelta(days=9)}
    assert post(kim, "cycles:open_stage", row.pk, **again) == 302
    everybody_stands(board(kim, world.cycle), APPRAISAL, open=OTHERS - 1, under_way=1)


def test_two_who_bring_somebody_back_while_a_third_hands_in_about_them(
    world: World, kim: Client, as_: SignedIn
) -> None:
    make.open_stage(world.cycle)
    catch_up()
    gone = {"left_on": today(), "reason": "x", "version": part(world).version}
    assert post(kim, "cycles:mark_left", world.ana_part.pk, **gone) == 302
    back = {"reason": "She is back.", "version": part(world).version}
    about_ana = make.manager_appraisal(world.ana_part)
    written = make.filled(about_ana)
    first, second, third = at_once(
        pressed(as_(world.kim), "cycles:return_person", world.ana_part.pk, **back),
        pressed(as_(world.lea), "cycles:return_person", world.ana_part.pk, **back),
        pressed(as_(world.bashir), "appraisals:submit", about_ana.pk, **written),
    )
    assert sorted([first, second]) == [302, 409]
    assert third in (302, 409), "before she is back it is refused"
    rated = third == 302
    shown = board(kim, world.cycle)
    assert shown.figures["Take part"] == OTHERS
    assert shown.reached["manager's appraisal handed in"] == (int(rated), OTHERS)
    assert shown.lines[ANA][APPRAISAL] == "open", "her own is still to be written"
    assert fate("appraisals:self", world.ana) == [(None, "left"), OPEN]
    assert fate("appraisals:manager", world.ana)[-1] == (("Bashir Nouri", "") if rated else OPEN)


# --- A hand-over on the day of the launch -------------------------------------------------------------


def launched(world: World, kim: Client) -> Cycle:
    """A cycle that Kim launches now, and the worker carries out."""
    draft = cycles.make_draft("Next year", by=world.kim)
    cycles.accept_all(draft, world.kim)
    draft.refresh_from_db()
    assert post(kim, "cycles:launch", draft.pk, version=draft.version) == 302
    cycle_clock.launch_waiting()
    draft.refresh_from_db()
    assert draft.state == "running"
    return draft


def test_a_hand_over_on_the_day_of_the_launch_passes_on_what_is_open(
    world: World, kim: Client, as_: SignedIn
) -> None:
    cycle = launched(world, kim)
    shown = board(kim, cycle)
    everybody_stands(shown, OBJECTIVES, open=OTHERS, blocked=1)
    assert "has no manager" in shown.cells["Dora Kiss"][OBJECTIVES]
    everybody_stands(shown, APPRAISAL, planned=OTHERS + 1)
    ana = Participation.objects.get(cycle=cycle, employee=of(world.ana))
    goal.propose(ana, world.ana, weight="100")
    for to in (world.gita, world.bashir, world.gita):
        ana.refresh_from_db()
        data = {
            "manager": to.email,
            "on": today(),
            "reason": "The file had it wrong.",
            "version": ana.version,
        }
        assert post(kim, "cycles:transfer", ana.pk, **data) == 302
    assert Assignment.objects.get(participation=ana).manager_id == of(world.gita), (
        "nobody led for no day"
    )
    [answer] = ToDo.objects.open().filter(kind="goals:answer", about=of(world.ana), cycle=cycle)
    assert answer.recipient_id == of(world.gita)
    assert board(kim, cycle) == shown, "a hand-over is nobody's progress"
    mine = Goal.objects.get(participation=ana)
    data = {"version": mine.version}
    assert post(as_(world.bashir), "goals:accept", mine.pk, **data) in (403, 404)
    assert post(as_(world.gita), "goals:accept", mine.pk, **data) == 302
    shown = board(kim, cycle)
    everybody_stands(shown, OBJECTIVES, open=OTHERS - 1, blocked=1, done=1)
    assert shown.lines[ANA][OBJECTIVES] == "done"


def test_a_hand_over_while_the_old_manager_answers_comes_before_or_after(
    world: World, kim: Client, as_: SignedIn
) -> None:
    cycle = launched(world, kim)
    ana = Participation.objects.get(cycle=cycle, employee=of(world.ana))
    mine = goal.propose(ana, world.ana, weight="100")
    ana.refresh_from_db()
    to_gita = {"manager": world.gita.email, "on": today(), "reason": "x", "version": ana.version}
    handed_over, answered = at_once(
        pressed(as_(world.kim), "cycles:transfer", ana.pk, **to_gita),
        pressed(as_(world.bashir), "goals:accept", mine.pk, version=mine.version),
    )
    assert handed_over == 302
    agreed = answered == 302
    shown = board(kim, cycle)
    assert shown.lines[ANA][OBJECTIVES] == ("done" if agreed else "open")
    assert shown.reached["goals agreed"] == (int(agreed), OTHERS + 1)
    now = ToDo.objects.open().filter(kind="goals:answer", about=of(world.ana), cycle=cycle)
    assert list(now.values_list("recipient", flat=True)) == ([] if agreed else [of(world.gita)])


# --- A release while somebody hands in ----------------------------------------------------------------


def test_a_release_while_somebody_hands_in_counts_each_where_they_are(
    world: World, kim: Client, as_: SignedIn
) -> None:
    make.rate(world.ana_part)
    chen = world.part["chen"]
    assert hand_in(as_(world.chen), make.self_appraisal(chen)) == 302
    release = make.ask_for_release(world.cycle, world.kim)
    catch_up()
    everybody_stands(board(kim, world.cycle), APPRAISAL, open=OTHERS - 1, under_way=1)
    late = make.manager_appraisal(chen)
    written = make.filled(late)
    answers = at_once(
        pressed(as_(world.bashir), "appraisals:submit", late.pk, **written),
        pressed(as_(world.lea), "appraisals:approve_release", release.pk),
    )
    assert answers == [302, 302]
    everybody_stands(board(kim, world.cycle), APPRAISAL, open=OTHERS - 2, under_way=2)
    hugo = world.part["hugo"]
    last = make.manager_appraisal(hugo)
    written = make.filled(last)
    released, handed_in = at_once(
        appraisals.tasks.release_results,
        pressed(as_(world.gita), "appraisals:submit", last.pk, **written),
    )
    assert (released, handed_in) == (None, 302)
    release.refresh_from_db()
    assert release.done_at
    shown = board(kim, world.cycle)
    assert [shown.lines[name][APPRAISAL] for name in (ANA, CHEN, "Hugo Blanc")] == [
        "done",
        "under way",
        "open",
    ], "Hugo is to write about himself"
    assert shown.beside == {ANA: {APPRAISAL: "open"}}, "she is to read hers"
    assert shown.reached["result released"] == (1, OTHERS)
    assert shown.reached["manager's appraisal handed in"] == (3, OTHERS)
    result = ReleasedResult.objects.get()
    assert post(as_(world.ana), "appraisals:acknowledge", result.pk, note="") == 302
    shown = board(kim, world.cycle)
    assert (shown.lines[ANA][APPRAISAL], shown.beside) == ("done", {})
    assert list(
        ToDo.objects.filter(kind="appraisals:release").values_list("done_by__name", "dropped_why")
    ) == [("Lea Roth", "")]


def test_a_release_that_is_withdrawn_and_approved_at_once_ends_one_way(
    world: World, kim: Client, as_: SignedIn
) -> None:
    make.rate(world.ana_part)
    release = make.ask_for_release(world.cycle, world.kim)
    catch_up()
    answers = at_once(
        pressed(as_(world.kim), "appraisals:withdraw_release", release.pk),
        pressed(as_(world.lea), "appraisals:approve_release", release.pk),
    )
    assert sorted(answers) == [302, 409]
    appraisals.tasks.release_results()
    release.refresh_from_db()
    came = release.approved_at is not None
    assert (release.withdrawn_at is None) is came
    shown = board(kim, world.cycle)
    assert shown.lines[ANA][APPRAISAL] == ("done" if came else "under way")
    assert shown.reached["result released"] == (int(came), OTHERS)
    [second] = ToDo.objects.filter(kind="appraisals:release")
    assert (second.done_at is not None, second.dropped_why) == (
        came,
        "" if came else "withdrew_release",
    )


# --- The clock three days late ------------------------------------------------------------------------


def test_while_the_clock_is_three_days_late_the_board_says_so_and_then_what_was_missed(
    world: World, kim: Client, as_: SignedIn
) -> None:
    """What the day takes away is nobody's work, whoever acts in between."""
    give_ana_more_time(world, days=2)
    helped = goal.contribution(world.ana_part, world.ana, world.chen)
    clock.turn_day()
    shown = board(kim, world.cycle)
    everybody_stands(shown, OBJECTIVES, missed=OTHERS - 1, open=1)
    with days_later(5):
        kim, chen = as_(world.kim), as_(world.chen)
        shown = board(kim, world.cycle)
        everybody_stands(shown, OBJECTIVES, missed=OTHERS - 1, overdue=1)
        assert shown.lines[ANA][OBJECTIVES] == "overdue"
        confirm = {"version": helped.version}
        assert post(chen, "goals:confirm_contribution", helped.pk, **confirm) == 302
        everybody_stands(board(kim, world.cycle), OBJECTIVES, missed=OTHERS)
        at_once(clock.turn_day, clock.turn_day, cycle_clock.open_due, cycle_clock.open_due)
        assert is_whole()
        shown = board(kim, world.cycle)
        everybody_stands(shown, OBJECTIVES, missed=OTHERS)
        assert shown.lines[ANA][INCENTIVES] == "nothing to do"
        assert fate("goals:propose", world.ana) == [(None, "day_turned")]
        assert fate("goals:confirm", world.ana) == [("Chen Wei", "")]


def test_a_stage_whose_end_the_clock_slept_through_ends_once_for_all_who_did_not(
    world: World, kim: Client, as_: SignedIn
) -> None:
    Stage.objects.filter(cycle=world.cycle).update(due_on=today() + timedelta(days=60))
    Stage.objects.filter(cycle=world.cycle, kind="objectives").update(due_on=today())
    goal.agree(world.ana_part, world.ana, world.bashir, weight="100")
    catch_up()
    clock.turn_day()
    everybody_stands(board(kim, world.cycle), OBJECTIVES, open=OTHERS - 1, done=1)
    with days_later(3):
        kim = as_(world.kim)
        everybody_stands(board(kim, world.cycle), OBJECTIVES, overdue=OTHERS - 1, done=1)
        at_once(cycle_clock.open_due, clock.turn_day, cycle_clock.open_due, clock.turn_day)
        cycle_clock.open_due()
        assert stage(world, "objectives").state == "closed"
        assert is_whole()
        shown = board(kim, world.cycle)
        everybody_stands(shown, OBJECTIVES, missed=OTHERS - 1, done=1)
        everybody_stands(shown, INCENTIVES, nothing_to_do=OTHERS)
        assert fate("goals:propose", world.chen) == [(None, "stage_closed")]


# --- A to-do whose subject was withdrawn --------------------------------------------------------------


def test_what_is_withdrawn_is_asked_of_nobody_and_done_by_nobody(
    world: World, kim: Client, as_: SignedIn
) -> None:
    mine = goal.propose(world.ana_part, world.ana, weight="100")
    catch_up()
    bashir, asks = as_(world.bashir), "Answer the proposed goals of Ana Popescu"
    assert asks in bashir.get("/").content.decode()
    assert post(as_(world.ana), "goals:withdraw", mine.pk, version=mine.version) == 302
    assert asks not in bashir.get("/").content.decode()
    assert post(bashir, "goals:accept", mine.pk, version=mine.version) in (404, 409)
    shown = board(kim, world.cycle)
    everybody_stands(shown, OBJECTIVES, open=OTHERS)
    assert shown.reached["goals agreed"] == (0, OTHERS)
    assert fate("goals:answer", world.ana) == [(None, "withdraw")]
    assert fate("goals:propose", world.ana) == [(ANA, ""), OPEN], "she is asked once more"


def test_withdrawn_and_accepted_at_once_it_is_one_of_the_two(
    world: World, kim: Client, as_: SignedIn
) -> None:
    mine = goal.propose(world.ana_part, world.ana, weight="100")
    catch_up()
    withdrew, accepted = at_once(
        pressed(as_(world.ana), "goals:withdraw", mine.pk, version=mine.version),
        pressed(as_(world.bashir), "goals:accept", mine.pk, version=mine.version),
    )
    assert (withdrew == 302) is not (accepted == 302)
    agreed = accepted == 302
    shown = board(kim, world.cycle)
    everybody_stands(
        shown, OBJECTIVES, **({"open": OTHERS - 1, "done": 1} if agreed else {"open": OTHERS})
    )
    assert fate("goals:answer", world.ana) == [
        ("Bashir Nouri", "") if agreed else (None, "withdraw")
    ]


# --- What closes over something -----------------------------------------------------------------------


def release(world: World, as_: SignedIn) -> None:
    """Kim asks over whoever has no rating, Lea approves, the worker writes."""
    left = cycles.reasons(left_of_release(world.cycle, world.kim))
    assert post(as_(world.kim), "appraisals:request_release", world.cycle.pk, **left) == 302
    asked = Release.objects.latest("pk")
    assert post(as_(world.lea), "appraisals:approve_release", asked.pk) == 302
    appraisals.tasks.release_results()


def close_cycle(world: World, client: Client, user: User) -> int:
    cycle = Cycle.objects.get(pk=world.cycle.pk)
    left = cycles.reasons(leftovers_of_cycle(cycle, user))
    return post(client, "cycles:close", cycle.pk, version=cycle.version, **left)


def test_who_is_rated_late_in_a_closed_stage_has_missed_nothing_and_follows_in_a_further_release(
    world: World, kim: Client, as_: SignedIn
) -> None:
    make.rate(world.ana_part)
    catch_up()
    release(world, as_)
    assert close(kim, world, "appraisal") == 302
    shown = board(kim, world.cycle)
    everybody_stands(shown, APPRAISAL, missed=OTHERS - 1, done=1)
    hugo = world.part["hugo"]
    more = {
        "stage": stage(world, "appraisal").pk,
        "due_on": today() + timedelta(days=40),
        "reason": "Ill.",
    }
    assert post(kim, "cycles:extend", hugo.pk, version=part(world, "hugo").version, **more) == 302
    everybody_stands(board(kim, world.cycle), APPRAISAL, missed=OTHERS - 2, open=1, done=1)
    assert hand_in(as_(world.hugo), make.self_appraisal(hugo)) == 302
    assert hand_in(as_(world.gita), make.manager_appraisal(hugo)) == 302
    shown = board(kim, world.cycle)
    assert shown.lines["Hugo Blanc"][APPRAISAL] == "under way"
    everybody_stands(shown, APPRAISAL, missed=OTHERS - 2, done=1, under_way=1)
    release(world, as_)
    for user, key in ((world.ana, "ana"), (world.hugo, "hugo")):
        theirs = ReleasedResult.objects.get(participation=world.part[key])
        assert post(as_(user), "appraisals:acknowledge", theirs.pk, note="") == 302
    everybody_stands(board(kim, world.cycle), APPRAISAL, missed=OTHERS - 2, done=2)


def test_a_cycle_that_two_close_and_two_open_again_says_what_was_missed(
    world: World, kim: Client, as_: SignedIn
) -> None:
    """A rating that is held by its first mention is under way as long as it can be released."""
    make.rate(world.ana_part)
    make.rate(world.part["chen"], "Partly meets")
    catch_up()
    release(world, as_)
    everybody_stands(board(kim, world.cycle), APPRAISAL, open=OTHERS - 2, done=1, under_way=1)
    answers = at_once(
        lambda: close_cycle(world, as_(world.kim), world.kim),
        lambda: close_cycle(world, as_(world.lea), world.lea),
    )
    assert sorted(answers) == [302, 409]
    shown = board(kim, world.cycle)
    everybody_stands(shown, APPRAISAL, missed=OTHERS - 1, done=1)
    assert shown.lines[CHEN][APPRAISAL] == "missed", "with the cycle it ends unreleased"
    everybody_stands(shown, EVALUATION, missed=OTHERS)
    everybody_stands(shown, INCENTIVES, nothing_to_do=OTHERS)
    assert not ToDo.objects.open().filter(cycle=world.cycle).exists()

    assert (
        post(kim, "cycles:request_reopening", world.cycle.pk, reason="Chen was told in time.")
        == 302
    )
    asked = Reopening.objects.get()
    third = make.make_third_hr_admin(world)
    seconds = [as_(world.lea), as_(third)]
    answers = at_once(*(pressed(who, "cycles:approve_reopening", asked.pk) for who in seconds))
    assert sorted(answers) == [302, 409]
    shown = board(kim, world.cycle)
    everybody_stands(shown, APPRAISAL, missed=OTHERS - 2, done=1, under_way=1)
    everybody_stands(shown, EVALUATION, missed=OTHERS)
    evaluation = stage(world, "evaluation")
    again = {"version": evaluation.version, "reason": "x", "due_on": today() + timedelta(days=50)}
    assert post(kim, "cycles:open_stage", evaluation.pk, **again) == 302
    everybody_stands(board(kim, world.cycle), EVALUATION, open=OTHERS)
