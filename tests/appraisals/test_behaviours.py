"""A behaviour is rated by words of its own: those of the scale speak of results."""

from __future__ import annotations

import pytest
from django.urls import reverse

from appraisals import actions
from appraisals.models import Question
from pmcycle.cycles.models import RatingLevel
from tests.appraisals.test_form import posted, url
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make
from tests.factories.cycles import make_cycle
from tests.pages import flat

WORDS = ["Seldom.", "At times.", "Mostly.", "Always.", "Others follow."]


@pytest.fixture
def behaviour(world: World) -> Question:
    """The first behaviour of the form that everybody answers, described for each of the levels of the scale."""
    make.open_stage(world.cycle)
    found = Question.objects.filter(kind=Question.Kind.COMPETENCY).earliest(
        "section__position", "position"
    )
    scale = RatingLevel.objects.filter(scale__cycle=world.cycle).count()
    Question.objects.filter(pk=found.pk).update(choices=WORDS[:scale])
    found.refresh_from_db()
    return found


def test_the_good_default_describes_every_behaviour_by_five_levels(world: World) -> None:
    make.open_stage(world.cycle)
    described = Question.objects.filter(kind=Question.Kind.COMPETENCY).values_list(
        "choices", flat=True
    )
    assert [len(words) for words in described] == [5, 5, 5]
    assert len({word for words in described for word in words}) == 15


def test_the_sheet_shows_the_words_of_the_behaviour(
    world: World, behaviour: Question, as_: SignedIn
) -> None:
    own = make.self_appraisal(world.ana_part)
    page = flat(as_(world.ana).get(reverse("appraisals:write", args=[own.pk])))
    for words in behaviour.choices:
        assert words in page


def test_so_does_what_is_handed_in(world: World, behaviour: Question) -> None:
    handed_in = make.hand_in(make.self_appraisal(world.ana_part), "Meets")
    meets = make.level(world.cycle, "Meets")
    levels = list(RatingLevel.objects.filter(scale__cycle=world.cycle))
    meanings = {
        question["id"]: question["answers"][0]["meaning"]
        for section in handed_in.answers["sections"]
        for question in section["questions"]
        if question["answers"]
    }
    assert meanings[behaviour.pk] == behaviour.meanings(levels)[meets.pk]
    assert meanings[behaviour.pk] in WORDS


def test_words_that_do_not_fit_the_scale_are_left_out_and_those_of_results_not_taken(
    world: World, behaviour: Question
) -> None:
    levels = list(RatingLevel.objects.filter(scale__cycle=world.cycle))
    behaviour.choices = ["One.", "Two."]
    assert behaviour.meanings(levels[:2]) == {levels[0].pk: "One.", levels[1].pk: "Two."}
    assert behaviour.meanings(levels[:1]) == {}
    behaviour.kind = Question.Kind.SCALE
    assert behaviour.meanings(levels) == {level.pk: level.meaning for level in levels}


def test_hr_writes_them_in_the_editor(world: World, as_: SignedIn) -> None:
    draft = make_cycle("Next year", state="draft")
    version = make.make_form(draft)
    data = posted(version, **{"s1-q0-choices": "\n".join(WORDS)})
    assert as_(world.kim).post(url(draft, "save_form"), data).status_code == 302
    saved = actions.structure_of(version)[1]["questions"][0]
    assert (saved["kind"], saved["choices"]) == ("competency", WORDS)
