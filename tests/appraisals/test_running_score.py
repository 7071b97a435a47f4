"""The score while it is written, and a word where a rating and what was measured contradict each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from appraisals import actions, rules
from appraisals.models import Appraisal, Question
from goals.models import Goal
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make
from tests.pages import flat

BY_SCRIPT = {"X-Autosave": "1"}
D = Decimal


@pytest.fixture
def goal(world: World) -> Goal:
    """A goal of Ana's that was reached to a tenth."""
    row = make.make_goal(world.ana_part, world.ana)
    Goal.objects.filter(pk=row.pk).update(result=10)
    make.open_stage(world.cycle)
    return row


@pytest.fixture
def appraisal(world: World, goal: Goal) -> Appraisal:
    return make.manager_appraisal(world.ana_part)


def url(appraisal: Appraisal, verb: str = "write") -> str:
    return reverse(f"appraisals:{verb}", kwargs={"pk": appraisal.pk})


def goal_field(appraisal: Appraisal, goal: Goal) -> str:
    question = next(q for q in actions.questions_of(appraisal) if q.kind == Question.Kind.GOALS)
    return actions.field_name(question.pk, goal.pk)


def rated(appraisal: Appraisal, label: str, **extra: Any) -> dict[str, Any]:
    return make.filled(appraisal, label, **extra)


def test_the_manager_sees_how_far_each_goal_is_and_no_score_yet(
    world: World, appraisal: Appraisal, as_: SignedIn
) -> None:
    page = flat(as_(world.bashir).get(url(appraisal)))
    assert "measured 10 %" in page
    assert "no rating yet" in page


def test_saving_brings_the_running_score(world: World, appraisal: Appraisal, as_: SignedIn) -> None:
    answer = as_(world.bashir).post(
        url(appraisal, "autosave"), rated(appraisal, "Partly meets"), headers=BY_SCRIPT
    )
    assert answer.json()["score"] == "2.00 from 4 of 4 ratings"
    assert answer.json()["warnings"] == {}
    assert "2.00 from 4 of 4 ratings" in flat(as_(world.bashir).get(url(appraisal)))


def test_a_goal_that_was_missed_and_is_praised_is_named(
    world: World, appraisal: Appraisal, goal: Goal, as_: SignedIn
) -> None:
    client, name = as_(world.bashir), goal_field(appraisal, goal)
    warnings = client.post(
        url(appraisal, "autosave"), rated(appraisal, "Exceeds"), headers=BY_SCRIPT
    ).json()["warnings"]
    assert list(warnings) == [name]
    assert warnings[name].startswith("10 % was measured, and you rate it “Exceeds”.")
    assert warnings[name] in flat(client.get(url(appraisal)))


def test_a_rating_that_the_answers_do_not_bear_is_named(
    world: World, appraisal: Appraisal, as_: SignedIn
) -> None:
    meets_not = rated(appraisal, "Partly meets", level=make.level(world.cycle, "Outstanding").pk)
    client = as_(world.bashir)
    warnings = client.post(url(appraisal, "autosave"), meets_not, headers=BY_SCRIPT).json()[
        "warnings"
    ]
    assert warnings["level"].startswith("The answers score 2.00, and you propose “Outstanding”.")
    assert "you propose “Outstanding”" in flat(client.get(url(appraisal)))


def test_it_can_be_handed_in_all_the_same(
    world: World, appraisal: Appraisal, as_: SignedIn
) -> None:
    """The figure may not show everything: it is a word to the manager, no rule."""
    as_(world.bashir).post(url(appraisal, "submit"), rated(appraisal, "Exceeds"))
    appraisal.refresh_from_db()
    assert appraisal.submitted_at is not None


def test_who_writes_about_themselves_sees_no_score(world: World, goal: Goal, as_: SignedIn) -> None:
    own = make.self_appraisal(world.ana_part)
    client = as_(world.ana)
    saved = client.post(url(own, "autosave"), make.filled(own), headers=BY_SCRIPT).json()
    assert "score" not in saved
    assert "Score so far" not in flat(client.get(url(own)))


def test_the_score_so_far_leaves_out_what_is_not_rated() -> None:
    parts = (rules.Node("a", D(60), D(4)), rules.Node("b", D(40)), rules.Node("c", D(0), D(1)))
    assert rules.so_far(rules.Node("Score", parts=parts)) == rules.SoFar(D("4.0000"), 1, 2)
    assert rules.so_far(rules.Node("Score", parts=parts[1:2])) == rules.SoFar(None, 0, 1)
