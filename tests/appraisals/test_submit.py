"""Handing in: what must be answered, what is kept, who learns of it, and that it happens once."""

from __future__ import annotations

import pytest
from django.urls import reverse

from appraisals import actions
from appraisals.models import Appraisal, Question, Rating, Submission
from pmcycle.activity.models import Event, Notice
from pmcycle.cycles.models import Stage, StageKind
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals as make


def url(appraisal: Appraisal, verb: str = "submit") -> str:
    return reverse(f"appraisals:{verb}", kwargs={"pk": appraisal.pk})


@pytest.fixture
def own(world: World) -> Appraisal:
    make.open_stage(world.cycle)
    return make.self_appraisal(world.ana_part)


def test_ana_hands_in_and_version_one_is_kept(world: World, own: Appraisal, as_: SignedIn) -> None:
    answer = as_(world.ana).post(url(own), make.filled(own, text="Rejects are down to 2 %."))
    assert answer.status_code == 302
    own.refresh_from_db()
    assert own.submitted_at is not None
    kept = Submission.objects.get(appraisal=own)
    assert kept.number == 1
    assert "Rejects are down to 2 %." in str(kept.answers)


def test_her_manager_is_told_a_task_without_content(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    as_(world.ana).post(url(own), make.filled(own, text="Rejects are down to 2 %."))
    notice = Notice.objects.get(recipient=world.bashir)
    assert notice.title == "Ana Popescu has handed in the self-appraisal"
    assert "Rejects" not in str(Event.objects.get(verb="submitted").data)


def test_an_empty_required_question_is_named_and_nothing_is_handed_in(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    data = make.filled(own)
    question = next(
        q for q in actions.questions_of(own) if q.kind == Question.Kind.TEXT and q.is_required
    )
    data[f"q{question.pk}"] = " "
    answer = as_(world.ana).post(url(own), data)
    assert answer.status_code == 422
    assert "This still needs an answer." in answer.content.decode()
    assert not Submission.objects.exists()


def test_the_action_names_every_question_that_lacks_an_answer(world: World, own: Appraisal) -> None:
    with pytest.raises(actions.Unanswered) as refused:
        actions.submit(own, {}, version=own.version, by=world.ana)
    assert len(refused.value.fields) == sum(
        q.is_required and q.kind != "goals" for q in actions.questions_of(own)
    )
    own.refresh_from_db()
    assert own.saved_at is None


def test_the_second_time_is_refused(world: World, own: Appraisal, as_: SignedIn) -> None:
    data = make.filled(own)
    as_(world.ana).post(url(own), data)
    assert as_(world.ana).post(url(own), data).status_code == 409
    assert Submission.objects.count() == 1


def test_an_old_tab_meets_the_conflict_screen_and_loses_nothing(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    old = make.filled(own, text="From the old tab.")
    as_(world.ana).post(url(own, "autosave"), make.filled(own, text="From the new tab."))
    answer = as_(world.ana).post(url(own), old)
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "From the old tab." in text
    assert "From the new tab." in text
    assert not Submission.objects.exists()


def test_before_the_stage_opens_it_is_refused(world: World, own: Appraisal, as_: SignedIn) -> None:
    Stage.objects.filter(cycle=world.cycle, kind=StageKind.APPRAISAL).update(state="planned")
    assert as_(world.ana).post(url(own), make.filled(own)).status_code == 409


def test_the_manager_proposes_a_rating_with_its_score(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    make.make_goal(world.ana_part, world.ana)
    theirs = make.manager_appraisal(world.ana_part)
    answer = as_(world.bashir).post(url(theirs), make.filled(theirs, "Exceeds"))
    assert answer.status_code == 302
    rating = Rating.objects.get(participation=world.ana_part)
    assert rating.proposed.label == "Exceeds"
    assert rating.score == 4


def test_without_a_rating_the_manager_cannot_hand_in(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    theirs = make.manager_appraisal(world.ana_part)
    data = make.filled(theirs)
    del data["level"]
    answer = as_(world.bashir).post(url(theirs), data)
    assert answer.status_code == 422
    assert "Propose a rating" in answer.content.decode()
    assert not Rating.objects.exists()


def test_the_next_person_of_the_team_opens_after_handing_in(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    theirs = make.manager_appraisal(world.ana_part)
    answer = as_(world.bashir).post(url(theirs), make.filled(theirs))
    chen = make.manager_appraisal(world.part["chen"])
    assert answer.headers["Location"] == reverse("appraisals:write", kwargs={"pk": chen.pk})


def test_the_person_hears_nothing_when_the_manager_hands_in(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    theirs = make.manager_appraisal(world.ana_part)
    as_(world.bashir).post(url(theirs), make.filled(theirs))
    assert not Notice.objects.filter(recipient=world.ana).exists()


@pytest.mark.django_db(transaction=True)
def test_handed_in_from_two_tabs_at_once_it_is_kept_once() -> None:
    world = build_world()
    make.open_stage(world.cycle)
    own = make.self_appraisal(world.ana_part)
    answers: dict[actions.Key, actions.Value] = {
        (q.pk, None): actions.Value(text="Done.")
        for q in actions.questions_of(own)
        if q.kind == Question.Kind.TEXT
    } | {
        (q.pk, None): actions.Value(level_id=make.level(world.cycle).pk)
        for q in actions.questions_of(own)
        if q.kind == Question.Kind.COMPETENCY
    }
    results = at_once(
        *[lambda: actions.submit(own, answers, version=own.version, by=world.ana)] * 2
    )
    assert refused(results) == 1
    assert Submission.objects.count() == 1
