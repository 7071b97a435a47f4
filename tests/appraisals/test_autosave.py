"""Writing: what is typed is kept, for its author alone, and never over a newer text."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appraisals import actions
from appraisals.models import Answer, Appraisal, Question
from pmcycle.activity.models import Event
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make
from tests.factories.feedback import make_entry
from tests.pages import flat

BY_SCRIPT = {"X-Autosave": "1"}


@pytest.fixture
def own(world: World) -> Appraisal:
    make.open_stage(world.cycle)
    return make.self_appraisal(world.ana_part)


def url(appraisal: Appraisal, verb: str = "autosave") -> str:
    return reverse(f"appraisals:{verb}", kwargs={"pk": appraisal.pk})


def text_question(appraisal: Appraisal) -> Question:
    found: Question = next(
        q for q in actions.questions_of(appraisal) if q.kind == Question.Kind.TEXT
    )
    return found


def test_the_script_hears_the_time_and_the_next_version(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    name = f"q{text_question(own).pk}"
    answer = as_(world.ana).post(
        url(own), {"version": 1, name: "Half a sentence"}, headers=BY_SCRIPT
    )
    assert answer.json()["version"] == 2
    assert len(answer.json()["saved_at"]) == 5
    assert Answer.objects.get(appraisal=own, question=text_question(own)).text == "Half a sentence"


def test_a_draft_leaves_no_event_because_it_is_nobody_elses_matter(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    as_(world.ana).post(url(own), {"version": 1}, headers=BY_SCRIPT)
    assert not Event.objects.filter(subject_id=own.pk, subject_kind="appraisals.appraisal").exists()


def test_without_a_script_the_button_saves_and_leads_back(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    name = f"q{text_question(own).pk}"
    client = as_(world.ana)
    answer = client.post(url(own), {"version": 1, name: "By hand"})
    assert answer.headers["Location"] == url(own, "write")
    assert "By hand" in client.get(url(own, "write")).content.decode()


def test_an_older_tab_never_overwrites(world: World, own: Appraisal, as_: SignedIn) -> None:
    name = f"q{text_question(own).pk}"
    as_(world.ana).post(url(own), {"version": 1, name: "New"}, headers=BY_SCRIPT)
    answer = as_(world.ana).post(url(own), {"version": 1, name: "Old"}, headers=BY_SCRIPT)
    assert answer.status_code == 409
    assert answer.json()["current"][name] == "New"
    assert Answer.objects.get(appraisal=own, question=text_question(own)).text == "New"


def test_two_tabs_meet_in_the_words_of_the_questions(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    question = text_question(own)
    goal = make.make_goal(world.ana_part, world.ana)
    rating = next(q for q in actions.questions_of(own) if q.kind == "goals")
    name, rated = f"q{question.pk}", f"q{rating.pk}-g{goal.pk}"
    meets, exceeds = (make.level(world.cycle, label).pk for label in ("Meets", "Exceeds"))
    as_(world.ana).post(url(own), {"version": 1, name: "New", rated: meets})
    answer = as_(world.ana).post(url(own), {"version": 1, name: "Old", rated: exceeds})
    page = flat(answer)
    assert question.text in page
    assert goal.agreed is not None
    assert goal.agreed.title in page
    assert f"Q{question.pk}" not in page
    assert re.search(rf"value=\"{exceeds}\" selected>\s*Exceeds\s*<", page)
    assert "<p>Meets</p>" in page
    assert "Ana Popescu saved" in page


@pytest.mark.parametrize("version", ["", "x", "9" * 40, "-3", None])
def test_without_a_proper_version_nothing_is_written(
    world: World, own: Appraisal, as_: SignedIn, version: str | None
) -> None:
    data = {f"q{text_question(own).pk}": "Text"} | ({} if version is None else {"version": version})
    answer = as_(world.ana).post(url(own), data, headers=BY_SCRIPT)
    assert answer.status_code in (409, 422)
    assert not Answer.objects.exists()


@pytest.mark.parametrize("text", ["a\x00b", "x" * 20_001, "y" * 5_000_000])
def test_a_text_that_cannot_be_kept_is_named_by_its_field(
    world: World, own: Appraisal, as_: SignedIn, text: str
) -> None:
    name = f"q{text_question(own).pk}"
    answer = as_(world.ana).post(url(own), {"version": 1, name: text}, headers=BY_SCRIPT)
    assert answer.status_code == 422
    assert name in answer.json()["errors"]


def test_a_level_of_another_scale_is_refused(world: World, own: Appraisal, as_: SignedIn) -> None:
    question = next(q for q in actions.questions_of(own) if q.kind == Question.Kind.COMPETENCY)
    data = {"version": 1, f"q{question.pk}": "999999"}
    assert as_(world.ana).post(url(own), data, headers=BY_SCRIPT).status_code == 422


def test_autosaving_takes_at_most_fourteen_statements(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    client = as_(world.ana)
    data = make.filled(own)
    with CaptureQueriesContext(connection) as seen:
        assert client.post(url(own), data, headers=BY_SCRIPT).status_code == 200
    assert len([q for q in seen if "SAVEPOINT" not in q["sql"]]) <= 14


def test_the_managers_page_keeps_the_self_view_closed_until_something_is_saved(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    make.hand_in(own, text="My own words about the year.")
    theirs = make.manager_appraisal(world.ana_part)
    client = as_(world.bashir)
    assert "My own words about the year." not in client.get(url(theirs, "write")).content.decode()
    client.post(url(theirs), {"version": theirs.version, "level": ""}, headers=BY_SCRIPT)
    assert "My own words about the year." in client.get(url(theirs, "write")).content.decode()


def test_the_cycle_may_open_the_self_view_at_once(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    world.cycle.self_opens_after_draft = False
    world.cycle.save()
    make.hand_in(own, text="My own words about the year.")
    page = (
        as_(world.bashir).get(url(make.manager_appraisal(world.ana_part), "write")).content.decode()
    )
    assert "My own words about the year." in page


def test_what_was_said_stands_beside_the_form_and_can_be_cited(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    entry = make_entry(
        world.ana_part,
        make.employee(world.bashir),
        make.employee(world.bashir),
        "The June report was late.",
        days_ago=30,
    )
    theirs = make.manager_appraisal(world.ana_part)
    client = as_(world.bashir)
    page = client.get(url(theirs, "write")).content.decode()
    assert "The June report was late." in page
    assert "Insert as quote" in page
    data = {"version": theirs.version, "citations": [entry.pk]}
    assert client.post(url(theirs), data, headers=BY_SCRIPT).status_code == 200
    assert theirs.citations.get().entry == entry


def test_what_was_said_to_somebody_else_cannot_be_cited(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    entry = make_entry(world.part["chen"], make.employee(world.bashir), make.employee(world.bashir))
    theirs = make.manager_appraisal(world.ana_part)
    data = {"version": theirs.version, "citations": [entry.pk]}
    assert as_(world.bashir).post(url(theirs), data, headers=BY_SCRIPT).status_code == 422
    assert not theirs.citations.exists()


def test_opening_the_stage_again_adds_only_the_form_of_a_new_manager(
    world: World, own: Appraisal
) -> None:
    before = Appraisal.objects.count()
    actions.open_missing()
    assert Appraisal.objects.count() == before
    from tests.factories.cycles import change_manager

    change_manager(world.part["chen"], make.employee(world.gita))
    with CaptureQueriesContext(connection) as seen:
        actions.open_appraisals(world.cycle)
    assert len([q for q in seen if "SAVEPOINT" not in q["sql"]]) == 3
    assert Appraisal.objects.filter(participation=world.part["chen"], kind="manager").count() == 2


def test_the_list_says_how_far_the_team_is_but_not_what_they_write(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    make.save_draft(own, "A secret first thought.")
    page = as_(world.bashir).get(reverse("appraisals:list")).content.decode()
    assert "Ana Popescu" in page
    assert "A secret first thought." not in page


def test_sent_again_because_the_answer_was_lost_it_gets_that_answer(
    world: World, as_: SignedIn
) -> None:
    make.open_stage(world.cycle)
    for user, row in (
        (world.ana, make.self_appraisal(world.ana_part)),
        (world.bashir, make.manager_appraisal(world.ana_part)),
    ):
        browser, to = as_(user), reverse("appraisals:autosave", kwargs={"pk": row.pk})
        data = make.filled(row, text="Rejects are down.")
        first = browser.post(to, data, headers={"X-Autosave": "1"})
        again = browser.post(to, data, headers={"X-Autosave": "1"})
        assert (again.status_code, again.json()["version"]) == (200, first.json()["version"])
        other = make.filled(row, text="Something else.") | {"version": data["version"]}
        assert browser.post(to, other, headers={"X-Autosave": "1"}).status_code == 409
