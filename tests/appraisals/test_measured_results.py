"""What was measured of the goals reads the same at writing, hand-in and release, in rewards and on the page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from appraisals import actions
from appraisals.models import Question, Rating, ReleasedResult
from goals import actions as of_goals
from goals.models import Goal
from goals.rules import KeyResultText
from incentives.actions import facts_of
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Refused
from tests.conftest import SignedIn, World
from tests.factories import appraisals, goals

D = Decimal
DEFECTS = KeyResultText("Defects a week", "decrease", D(8), D(4))
AUDITS = KeyResultText("Audits passed", "increase", D(0), D(12))


def measure(world: World, goal: Goal, value: str) -> None:
    of_goals.record_progress(
        goals.key_result(goal), value=D(value), confidence="on_track", version=None, by=world.ana
    )


@pytest.fixture
def two(world: World) -> tuple[Goal, Goal]:
    """A goal of 60 that is reached by 75 %, and one of 40 by 105 %; the form asks for the measured results."""
    first = goals.agree(
        world.ana_part,
        world.ana,
        world.bashir,
        title="Fewer defects",
        weight="60",
        key_results=[DEFECTS],
    )
    second = goals.agree(
        world.ana_part,
        world.ana,
        world.bashir,
        title="Pass the audits",
        weight="40",
        key_results=[AUDITS],
    )
    measure(world, first, "5")
    measure(world, second, "12.6")
    appraisals.open_stage(world.cycle)
    Question.objects.filter(kind=Question.Kind.GOALS).update(kind=Question.Kind.RESULTS)
    return first, second


def figures(world: World) -> dict[str, Any]:
    """Every place that reads how far the two goals are, as it reads it."""
    page = Goal.objects.filter(participation=world.ana_part).scores().get()
    return {
        "results": list(
            Goal.objects.filter(participation=world.ana_part).values_list("result", flat=True)
        ),
        "page": page["score"],
        "rewards": facts_of(world.cycle, world.ana_part)["goal_score"],
    }


def results_of(trace: dict[str, Any]) -> dict[str, Any]:
    """The line of the measured results in the tree of a score."""
    found: dict[str, Any] = trace["parts"][0]["parts"][0]
    return found


def words(response: Any) -> str:
    return " ".join(response.content.decode().split())


SEVENTY_FIVE = {"results": [D("75.00"), D("105.00")], "page": D("87.00"), "rewards": "87.00"}


def test_one_figure_from_writing_to_the_release(
    world: World, as_: SignedIn, two: tuple[Goal, Goal]
) -> None:
    day = date_format(world.cycle.local_day(timezone.now()), "j F Y")
    form = appraisals.manager_appraisal(world.ana_part)

    # At writing: live.
    page = words(as_(world.bashir).get(reverse("appraisals:write", args=[form.pk])))
    assert "Fewer defects: 75 %" in page
    assert "Pass the audits: 105 %" in page
    assert figures(world) == SEVENTY_FIVE

    # At hand-in: fixed, with the day.
    handed_in = appraisals.hand_in(form)
    rating = Rating.objects.get()
    line = results_of(rating.trace)
    assert [(p["measured"], p["value"], p["weight"]) for p in line["parts"]] == [
        ("75.00", "2.5000", "60.00"),
        ("105.00", "3.5000", "40.00"),
    ]
    assert line["value"] == "2.9000"
    # 60 % of the measured results, 40 % of the competencies, which all "meet".
    assert rating.score == D("2.9400")
    answers = handed_in.answers["sections"][0]["questions"][0]["answers"]
    assert [(a["goal"], a["measured"]) for a in answers] == [
        ("Fewer defects", "75.00"),
        ("Pass the audits", "105.00"),
    ]
    read = words(as_(world.bashir).get(reverse("appraisals:read", args=[form.pk])))
    assert f"75 %, measured on {day}" in read
    assert "on the scale 0 % is 1, 100 % is 3, 120 % is 5" in read
    assert figures(world) == SEVENTY_FIVE

    # What is recorded afterwards moves the key result, not the figure of the appraisal.
    measure(world, two[0], "4")
    assert figures(world) == SEVENTY_FIVE
    of_ana = words(as_(world.ana).get(reverse("goals:of", args=[world.ana_part.pk])))
    assert "<strong>75 %</strong> <small> measured on" in of_ana
    assert "<strong>87.00 %</strong>" in of_ana
    api = as_(world.ana).get(reverse("api:goal-detail", args=[two[0].pk])).json()
    assert (api["progress"], api["result"]) == ("75.00", "75.00")

    # At release, and when the cycle's goals close.
    appraisals.hand_in(appraisals.self_appraisal(world.ana_part))
    appraisals.release_all(world.cycle, world.kim, world.lea)
    of_goals.close_goals(world.cycle)
    released = ReleasedResult.objects.get()
    assert released.snapshot["trace"] == rating.trace
    assert released.snapshot["score"] == "2.9400"
    result = words(as_(world.ana).get(reverse("appraisals:result", args=[released.pk])))
    assert f"75 %, measured on {day}" in result
    assert figures(world) == SEVENTY_FIVE
    goal = Goal.objects.get(pk=two[0].pk)
    assert (str(goal.state), goal.measured_on) == ("closed", world.cycle.local_day(timezone.now()))
    pdf = as_(world.ana).get(reverse("appraisals:result_pdf", args=[released.pk]))
    assert pdf.content.startswith(b"%PDF")


def test_what_comes_back_is_measured_anew(world: World, two: tuple[Goal, Goal]) -> None:
    form = appraisals.manager_appraisal(world.ana_part)
    appraisals.hand_in(form)
    measure(world, two[0], "4")
    form.refresh_from_db()
    actions.return_for_rework(
        form, "Look at the defects again.", version=form.version, by=world.kim
    )
    assert figures(world) == {
        "results": [D("100.00"), D("105.00")],
        "page": D("102.00"),
        "rewards": "102.00",
    }
    appraisals.hand_in(form)
    assert [p["measured"] for p in results_of(Rating.objects.get().trace)["parts"]] == [
        "100.00",
        "105.00",
    ]
    assert figures(world)["rewards"] == "102.00"


@pytest.mark.parametrize(
    ("missing", "score", "line"), [("incomplete", None, None), ("reweight", D("75.00"), "2.5000")]
)
def test_what_nobody_measured_is_missing_and_never_zero(
    world: World, as_: SignedIn, missing: str, score: Decimal | None, line: str | None
) -> None:
    first = goals.agree(
        world.ana_part,
        world.ana,
        world.bashir,
        title="Fewer defects",
        weight="60",
        key_results=[DEFECTS],
    )
    goals.agree(
        world.ana_part,
        world.ana,
        world.bashir,
        title="Pass the audits",
        weight="40",
        key_results=[AUDITS],
    )
    measure(world, first, "5")
    Cycle.objects.filter(pk=world.cycle.pk).update(missing_part=missing)
    world.cycle.refresh_from_db()
    appraisals.open_stage(world.cycle)
    Question.objects.filter(kind=Question.Kind.GOALS).update(kind=Question.Kind.RESULTS)
    form = appraisals.manager_appraisal(world.ana_part)
    page = words(as_(world.bashir).get(reverse("appraisals:write", args=[form.pk])))
    assert "Pass the audits: not measured yet" in page
    appraisals.hand_in(form)
    found: dict[str, Any] = figures(world)
    assert found["results"] == [D("75.00"), None]
    assert found["page"] == score
    assert found["rewards"] == (str(score) if score else None)
    trace = results_of(Rating.objects.get().trace)
    assert trace["value"] == line
    assert trace["parts"][1]["value"] is None
    read = words(as_(world.bashir).get(reverse("appraisals:read", args=[form.pk])))
    assert "nothing measured until" in read
    of_ana = words(as_(world.ana).get(reverse("goals:of", args=[world.ana_part.pk])))
    assert ("1 of 2 goals measured" in of_ana) is (missing == "incomplete")


def test_what_was_measured_is_not_moved_by_a_change_afterwards(
    world: World, two: tuple[Goal, Goal]
) -> None:
    change = goals.change(two[0], world.ana, weight="60", key_results=[KeyResultText("X", "reach")])
    more = goals.propose(world.ana_part, world.ana, title="One more", weight="10")
    beyond = goals.propose(
        world.ana_part, world.ana, title="Learn", weight=None, horizon="development"
    )
    appraisals.hand_in(appraisals.manager_appraisal(world.ana_part))
    for act in (
        lambda: of_goals.accept_change(change, version=None, by=world.bashir),
        lambda: of_goals.accept(more, version=None, by=world.bashir),
        lambda: goals.change(two[1], world.ana),
    ):
        with pytest.raises(Refused, match="these goals are measured"):
            act()
    assert of_goals.accept(beyond, version=None, by=world.bashir).state == Goal.State.AGREED
    assert figures(world)["rewards"] == "87.00"


def test_a_self_appraisal_says_what_was_measured_and_fixes_nothing(
    world: World, two: tuple[Goal, Goal]
) -> None:
    handed_in = appraisals.hand_in(appraisals.self_appraisal(world.ana_part))
    answers = handed_in.answers["sections"][0]["questions"][0]["answers"]
    assert [a["measured"] for a in answers] == ["75.00", "105.00"]
    measure(world, two[0], "4")
    assert figures(world)["rewards"] == "102.00"


@pytest.mark.parametrize(
    ("sets", "reweight", "score"),
    [
        ([("60", "100"), ("40", "50")], False, "80.00"),
        ([("60", "100"), ("40", None)], False, None),
        ([("60", "100"), ("40", None)], True, "100.00"),
        ([("60", None)], True, None),
        ([("33.33", "100"), ("33.33", "0"), ("33.33", "0")], False, "33.34"),
        ([("33.33", None), ("33.33", "60"), ("33.33", "0")], True, "30.00"),
        ([("50", "120"), ("25", "10")], False, "83.33"),
    ],
)
def test_the_goal_score_is_the_weighted_mean(
    world: World, sets: list[tuple[str, str | None]], reweight: bool, score: str | None
) -> None:
    Cycle.objects.filter(pk=world.cycle.pk).update(
        missing_part="reweight" if reweight else "incomplete"
    )
    for number, (weight, result) in enumerate(sets):
        goal = appraisals.make_goal(world.ana_part, world.ana, f"Goal {number}", weight)
        Goal.objects.filter(pk=goal.pk).update(result=result)
    found = Goal.objects.filter(participation=world.ana_part).scores().get()
    assert found["score"] == (None if score is None else D(score))
    world.cycle.refresh_from_db()
    assert facts_of(world.cycle, world.ana_part)["goal_score"] == score
