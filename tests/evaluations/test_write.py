from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from evaluations.models import Evaluation
from feedback.models import Conversation, Entry
from pmcycle.access import today
from pmcycle.activity.models import Event
from tests.conftest import SignedIn, World
from tests.factories.evaluations import make_evaluation


def typed(version: int = 1, **more: Any) -> dict[str, Any]:
    rows = {
        "version": version,
        "summary": "A year of steady work.",
        "potential": "grow",
        "long_term_goal": "",
        "achievement-TOTAL_FORMS": 1,
        "achievement-INITIAL_FORMS": 0,
        "achievement-0-text": "Halved the rework",
        "achievement-0-evidence": "",
        "shortcoming-TOTAL_FORMS": 1,
        "shortcoming-INITIAL_FORMS": 0,
        "shortcoming-0-text": "",
        "shortcoming-0-evidence": "",
        "step-TOTAL_FORMS": 1,
        "step-INITIAL_FORMS": 0,
        "step-0-text": "A course",
        "step-0-due_on": (today() + timedelta(days=60)).isoformat(),
        "step-0-support": "",
    }
    return {**rows, **more}


def write_url(world: World) -> str:
    return reverse("evaluations:write", kwargs={"pk": world.ana_part.pk})


def test_the_manager_finds_an_empty_draft_and_saves_it(world: World, as_: SignedIn) -> None:
    bashir = as_(world.bashir)
    assert bashir.get(write_url(world)).status_code == 200
    assert bashir.post(write_url(world), typed()).status_code == 302
    row = Evaluation.objects.get(participation=world.ana_part)
    assert row.summary == "A year of steady work."
    assert [p.text for p in row.points.all()] == ["Halved the rework"]
    assert row.steps.get().text == "A course"


def test_opening_the_page_begins_nothing(world: World, as_: SignedIn) -> None:
    assert as_(world.bashir).get(write_url(world)).status_code == 200
    assert not Evaluation.objects.exists()
    assert not Event.objects.filter(verb="began_evaluation").exists()


def test_nothing_is_begun_once_the_stage_is_closed(world: World, as_: SignedIn) -> None:
    world.cycle.stages.filter(kind="evaluation").update(state="closed")
    bashir = as_(world.bashir)
    url = reverse("evaluations:autosave", kwargs={"pk": world.ana_part.pk})
    assert bashir.get(write_url(world)).status_code == 409
    assert bashir.post(write_url(world), typed()).status_code == 409
    answer = bashir.post(url, typed())
    assert answer.status_code == 409
    assert "is closed" in answer.json()["detail"]
    assert not Evaluation.objects.exists()


def test_a_draft_is_read_by_nobody_but_its_author(world: World, as_: SignedIn) -> None:
    row = make_evaluation(world.ana_part, world.part["bashir"].employee)
    for other in (world.ana, world.dora, world.kim, world.ines, world.farid, world.chen):
        assert as_(other).get(reverse("evaluations:read", kwargs={"pk": row.pk})).status_code == 404
    assert not Evaluation.objects.visible_to(world.ana).exists()
    assert Evaluation.objects.visible_to(world.bashir).exists()


def test_two_tabs_end_on_the_conflict_screen_and_nothing_is_lost(
    world: World, as_: SignedIn
) -> None:
    bashir = as_(world.bashir)
    bashir.get(write_url(world))
    assert bashir.post(write_url(world), typed(1)).status_code == 302
    answer = bashir.post(write_url(world), typed(1, summary="What the second tab says"))
    assert answer.status_code == 409
    assert b"What the second tab says" in answer.content
    assert b"A year of steady work." in answer.content


def test_autosave_says_saved_only_after_the_row_is_written(world: World, as_: SignedIn) -> None:
    bashir = as_(world.bashir)
    bashir.get(write_url(world))
    url = reverse("evaluations:autosave", kwargs={"pk": world.ana_part.pk})
    answer = bashir.post(url, typed(1, summary="half a sent"))
    assert answer.json()["version"] == 2
    row = Evaluation.objects.get()
    assert row.summary == "half a sent"
    assert bashir.post(url, typed(1)).status_code == 409
    row.refresh_from_db()
    assert row.summary == "half a sent"


def test_what_was_saved_by_itself_is_still_there_after_the_next_time(
    world: World, as_: SignedIn
) -> None:
    bashir = as_(world.bashir)
    bashir.get(write_url(world))
    url = reverse("evaluations:autosave", kwargs={"pk": world.ana_part.pk})
    for version in (1, 2, 3):
        assert bashir.post(url, typed(version)).json()["version"] == version + 1
    row = Evaluation.objects.get()
    assert [p.text for p in row.points.all()] == ["Halved the rework"]
    assert row.steps.get().text == "A course"
    assert bashir.post(url, typed(4, **{"achievement-0-text": ""})).status_code == 200
    assert not row.points.exists()


def test_words_of_the_two_are_cited_without_the_words(world: World, as_: SignedIn) -> None:
    bashir_hr = world.part["bashir"].employee
    talk = Conversation.objects.create(
        participation=world.ana_part, manager=bashir_hr, stage="objectives"
    )
    entry = Entry.objects.create(
        conversation=talk, author=world.part["bashir"].employee, body="Reports came late"
    )
    bashir = as_(world.bashir)
    assert b"Reports came late" in bashir.get(write_url(world)).content
    data = {**typed(), "shortcoming-0-text": "Late", "shortcoming-0-evidence": f"entry:{entry.pk}"}
    assert bashir.post(write_url(world), data).status_code == 302
    point = Evaluation.objects.get().points.get(kind="shortcoming")
    assert (point.evidence_kind, point.evidence_id) == ("entry", entry.pk)
    # The line above and HR read the evaluation, and no word of what the two said to one another.
    assert point.evidence_label.endswith("Conversation, Bashir Nouri")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("summary", "x" * 20_001),
        ("summary", "nul\x00byte"),
        ("step-0-due_on", "2026-02-30"),
        ("achievement-0-evidence", "entry:999999"),
        ("step-0-due_on", ""),
        ("potential", "king"),
        ("version", "9" * 40),
        ("step-TOTAL_FORMS", "100000"),
    ],
)
def test_bad_input_is_told_beside_the_field_and_kept(
    world: World, as_: SignedIn, field: str, value: str
) -> None:
    bashir = as_(world.bashir)
    bashir.get(write_url(world))
    answer = bashir.post(write_url(world), {**typed(), field: value})
    assert answer.status_code in (409, 422)
    assert Evaluation.objects.get().summary == ""
    if answer.status_code == 422:
        assert b"Halved the rework" in answer.content
