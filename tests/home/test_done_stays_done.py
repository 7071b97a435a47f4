"""Who has come to the end of a stage stays done on the board, and what is asked of them afterwards stands beside it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from appraisals.models import Appeal
from goals.models import ChangeRequest, Goal
from pmcycle.access import today
from pmcycle.home.contributions import NEEDS
from pmcycle.people.models import Employee, User
from tests.boards import Shown, board
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make
from tests.factories import goals
from tests.open_items import catch_up
from tests.pages import flat

pytestmark = pytest.mark.django_db

ANA, OBJECTIVES, APPRAISAL, OTHERS = "Ana Popescu", "Objectives", "Appraisal", 9


@pytest.fixture
def kim(world: World, as_: SignedIn) -> Client:
    return as_(world.kim)


@pytest.fixture
def agreed(world: World) -> Goal:
    return goals.agree(world.ana_part, world.ana, world.bashir, weight="100")


def done(shown: Shown, stage: str) -> Any:
    """Every figure of the page that says who is done in a stage."""
    shares = [unit.get(stage) for unit in shown.units.values()]
    return (
        shown.stages[stage]["done"],
        shown.in_stage(stage)["done"],
        shares,
        shown.reached,
        shown.last,
    )


def asks_for_a_change(as_: SignedIn, who: User, goal: Goal) -> ChangeRequest:
    goal.refresh_from_db()
    data = {
        "title": "Lower the scrap of line 4",
        "why": "Every third complaint.",
        "weight": "100",
        "horizon": "cycle",
        "visibility": "line",
        "parent": "",
        "due_on": "",
        "reason": "resources",
        "explanation": "Line 4 goes.",
        "version": goal.version,
        "kr-TOTAL_FORMS": "1",
        "kr-INITIAL_FORMS": "0",
        "kr-MIN_NUM_FORMS": "0",
        "kr-MAX_NUM_FORMS": "12",
        "kr-0-title": "Scrap rate",
        "kr-0-kind": "decrease",
        "kr-0-start": "8",
        "kr-0-target": "4",
        "kr-0-unit": "%",
    }
    assert as_(who).post(reverse("goals:request_change", args=[goal.pk]), data).status_code == 302
    return ChangeRequest.objects.get()


def names(kim: Client, world: World, state: str) -> set[str]:
    page = kim.get(
        reverse("home:board", args=[world.cycle.pk]), {"state": state, "stage": "objectives"}
    )
    return {person.name for person in page.context["page"]}


def test_a_change_that_is_asked_for_takes_no_agreement_back(
    world: World, kim: Client, as_: SignedIn, agreed: Goal
) -> None:
    catch_up()
    hub = reverse("home:hub", args=[world.cycle.pk])
    before = board(kim, world.cycle)
    assert (before.lines[ANA][OBJECTIVES], before.beside) == ("done", {})
    assert before.reached["goals agreed"] == (1, OTHERS)
    assert f"1 of {OTHERS} are done" in flat(kim.get(hub))
    change = asks_for_a_change(as_, world.bashir, agreed)
    shown = board(kim, world.cycle)
    assert done(shown, OBJECTIVES) == done(before, OBJECTIVES)
    assert shown.beside == {ANA: {OBJECTIVES: "open"}}
    assert "due" in shown.cells[ANA][OBJECTIVES]
    assert f"1 of {OTHERS} are done" in flat(kim.get(hub))
    assert ANA in names(kim, world, "open")
    assert names(kim, world, "done") == {ANA}
    data = {"version": change.version}
    assert (
        as_(world.ana).post(reverse("goals:accept_change", args=[change.pk]), data).status_code
        == 302
    )
    after = board(kim, world.cycle)
    assert (done(after, OBJECTIVES), after.beside) == (done(before, OBJECTIVES), {})


def test_what_is_late_or_blocked_beside_done_is_found_by_figure_and_filter(
    world: World, kim: Client, as_: SignedIn, agreed: Goal
) -> None:
    catch_up()
    before = board(kim, world.cycle)
    asks_for_a_change(as_, world.ana, agreed)
    ChangeRequest.objects.update(lapses_on=today() - timedelta(days=1))
    catch_up()
    shown = board(kim, world.cycle)
    assert (shown.beside, shown.figures["Overdue"]) == ({ANA: {OBJECTIVES: "overdue"}}, 1)
    assert names(kim, world, "overdue") == {ANA}
    Employee.objects.filter(user=world.bashir).update(left_on=today() - timedelta(days=1))
    catch_up()
    shown = board(kim, world.cycle)
    assert shown.beside == {ANA: {OBJECTIVES: "blocked"}}
    assert "waits for Bashir Nouri, who has left" in shown.cells[ANA][OBJECTIVES]
    assert shown.figures["Overdue"] == 0
    assert ANA in names(kim, world, "blocked")
    assert done(shown, OBJECTIVES) == done(before, OBJECTIVES)
    file = kim.get(
        reverse("home:board", args=[world.cycle.pk]), {"as": "csv", "q": ANA}
    ).content.decode()
    assert ',"done",' in file
    assert ",blocked,waits for Bashir Nouri" in file.replace('"', "")


def test_a_result_that_is_looked_at_again_after_its_release_stays_released(
    world: World, kim: Client, as_: SignedIn
) -> None:
    result = make.released(world, "Partly meets")
    catch_up()
    before = board(kim, world.cycle)
    assert before.lines[ANA][APPRAISAL] == "done"
    assert before.beside == {ANA: {APPRAISAL: "open"}}, "she is to read it"
    assert before.last["result released"]
    text = {"text": "The goal was moved in May."}
    assert (
        as_(world.ana).post(reverse("appraisals:file_appeal", args=[result.pk]), text).status_code
        == 302
    )
    asked = board(kim, world.cycle)
    assert done(asked, APPRAISAL) == done(before, APPRAISAL)
    appeal = Appeal.objects.get()
    decision = {
        "version": appeal.version,
        "outcome": "upheld",
        "decision": "The change request shows it.",
        "new_level": make.level(world.cycle, "Meets").pk,
    }
    third = as_(make.make_third_hr_admin(world))
    assert (
        third.post(reverse("appraisals:decide_appeal", args=[appeal.pk]), decision).status_code
        == 302
    )
    decided = board(kim, world.cycle)
    assert decided.lines[ANA][APPRAISAL] == "done"
    assert decided.beside == {ANA: {APPRAISAL: "open"}}, "she is to read the second one"


def in_grid(client: Client, stage: str) -> list[str]:
    """The words that stand in a manager's grid in Ana's stage; the address to which they lead comes last."""
    page = flat(client.get(reverse("home:team")))
    row = page[page.index(ANA) :]
    cell = row[row.index(f'<td data-label="{stage}">') :].partition("</td>")[0]
    words = [
        word.strip() for word in re.findall(r"<span[^>]*>(?:<svg.*?</svg>)?([^<]+)</span>", cell)
    ]
    return [word for word in words if word] + re.findall(r'<a href="([^"]*)"', cell)


def on_ring(client: Client, stage: str) -> list[str]:
    """The words beside the reader's own stage on home."""
    page = flat(client.get(reverse("home:index")))
    line = page[page.index(f'<span class="home-stage">{stage}') :].partition("</li>")[0]
    words = re.findall(r'class="badge[^>]*>(?:<svg.*?</svg>)?([^<]+)<', line)
    return [word.strip() for word in words]


def test_the_grid_of_a_team_and_home_keep_done_what_a_change_is_asked_of(
    world: World, as_: SignedIn, agreed: Goal
) -> None:
    catch_up()
    bashir, ana, goals_of = (
        as_(world.bashir),
        as_(world.ana),
        reverse("goals:of", args=[world.ana_part.pk]),
    )
    assert in_grid(bashir, OBJECTIVES) == ["goals agreed", goals_of]
    assert on_ring(ana, OBJECTIVES) == ["goals agreed"]
    change = asks_for_a_change(as_, world.ana, agreed)
    answer = reverse(NEEDS["goals:change"].url_name, args=[change.goal_id])
    assert in_grid(bashir, OBJECTIVES) == ["goals agreed", "your turn", answer]
    assert on_ring(ana, OBJECTIVES) == ["goals agreed"], "it waits for him"
    ChangeRequest.objects.update(lapses_on=today() - timedelta(days=1))
    catch_up()
    assert in_grid(bashir, OBJECTIVES) == ["goals agreed", "your turn", answer], (
        "late, and still done"
    )


def test_what_is_asked_of_who_is_done_stands_beside_it_on_their_home_and_in_the_grid(
    world: World, as_: SignedIn, agreed: Goal
) -> None:
    catch_up()
    asks_for_a_change(as_, world.bashir, agreed)
    assert on_ring(as_(world.ana), OBJECTIVES) == ["goals agreed", "1 thing for you"]
    assert in_grid(as_(world.bashir), OBJECTIVES)[:2] == ["goals agreed", "their turn"]
    make.released(world)
    catch_up()
    assert on_ring(as_(world.ana), APPRAISAL) == ["result released", "1 thing for you"]
    assert in_grid(as_(world.bashir), APPRAISAL)[:2] == ["result released", "their turn"]


def test_who_is_not_done_yet_reads_first_what_is_asked(world: World, as_: SignedIn) -> None:
    goals.propose(world.ana_part, world.ana, weight="100")
    catch_up()
    [turn, _url] = in_grid(as_(world.bashir), OBJECTIVES)
    assert turn == "your turn"


def test_when_a_milestone_was_last_reached_is_said_of_those_whom_the_reader_sees(
    world: World, as_: SignedIn
) -> None:
    goals.agree(world.part["kim"], world.kim, world.dora, weight="100")
    catch_up()
    assert board(as_(world.kim), world.cycle).last == {}, "her own is in no number, and in no day"
    assert set(board(as_(world.lea), world.cycle).last) == {"goals agreed"}
    assert board(as_(world.jan), world.cycle).last == {}, "she is in none of his units"
