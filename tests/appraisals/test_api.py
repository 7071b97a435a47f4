"""The API of appraisals keeps the same rules as the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from appraisals import actions
from appraisals.models import (
    Acknowledgement,
    Answer,
    Appeal,
    Appraisal,
    Question,
    ReleasedResult,
    Submission,
)
from pmcycle.activity.models import Event
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make


def url(pk: int, verb: str = "detail", kind: str = "appraisal") -> str:
    return reverse(f"api:{kind}-{verb}", kwargs={"pk": pk})


def post(client: Any, where: str, data: dict[str, Any]) -> Any:
    return client.post(where, data, content_type="application/json")


@pytest.fixture
def own(world: World) -> Appraisal:
    make.open_stage(world.cycle)
    return make.self_appraisal(world.ana_part)


def everything(row: Appraisal, **extra: Any) -> dict[str, Any]:
    level = make.level(row.participation.cycle).pk
    answers: list[dict[str, Any]] = []
    for question in actions.questions_of(row):
        if question.kind == Question.Kind.TEXT:
            answers.append({"question": question.pk, "text": "Done."})
        elif question.kind == Question.Kind.COMPETENCY:
            answers.append({"question": question.pk, "level": level})
    return {"version": Appraisal.objects.get(pk=row.pk).version, "answers": answers, **extra}


def test_ana_saves_one_answer_and_the_others_stay(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    client = as_(world.ana)
    data = everything(own)
    first = post(client, url(own.pk, "autosave"), {"version": 1, "answers": data["answers"][:1]})
    assert first.json()["version"] == 2
    second = post(client, url(own.pk, "autosave"), {"version": 2, "answers": data["answers"][1:2]})
    assert second.json()["version"] == 3
    assert Answer.objects.filter(appraisal=own).count() == 2


def test_without_a_version_it_is_428_and_with_an_old_one_409(
    world: World, own: Appraisal, as_: SignedIn
) -> None:
    client = as_(world.ana)
    assert post(client, url(own.pk, "autosave"), {"answers": []}).status_code == 428
    assert post(client, url(own.pk, "autosave"), {"version": 9, "answers": []}).status_code == 409


@pytest.mark.parametrize(
    "answer",
    [
        {"question": 0},
        {"question": 2**60},
        {"question": "x"},
        {"question": None},
        {},
        {"question": "first", "text": "a\x00b"},
        {"question": "first", "level": 1, "goal": 3},
        {"question": "first", "choice": "maybe"},
        {"question": "first", "level": 2**61},
    ],
)
def test_an_answer_that_does_not_fit_is_a_field_error(
    world: World, own: Appraisal, as_: SignedIn, answer: dict[str, Any]
) -> None:
    text = next(q for q in actions.questions_of(own) if q.kind == Question.Kind.TEXT)
    sent = {**answer, "question": text.pk} if answer.get("question") == "first" else answer
    got = post(as_(world.ana), url(own.pk, "autosave"), {"version": 1, "answers": [sent]})
    assert got.status_code in (400, 422)
    assert not Answer.objects.exists()


def test_she_hands_in_once(world: World, own: Appraisal, as_: SignedIn) -> None:
    client = as_(world.ana)
    done = post(client, url(own.pk, "submit"), everything(own))
    assert (done.status_code, done.json()["submission"]) == (201, 1)
    assert post(client, url(own.pk, "submit"), everything(own)).status_code in (403, 409)
    assert Submission.objects.count() == 1


def test_a_self_appraisal_proposes_no_rating(world: World, own: Appraisal, as_: SignedIn) -> None:
    data = everything(own, level=make.level(world.cycle, "Outstanding").pk)
    assert post(as_(world.ana), url(own.pk, "submit"), data).status_code == 422


def test_before_the_release_her_lists_hold_nothing_of_the_manager(
    world: World, as_: SignedIn
) -> None:
    make.rate(world.ana_part, "Outstanding")
    client = as_(world.ana)
    kinds = {row["kind"] for row in client.get(reverse("api:appraisal-list")).json()["results"]}
    assert kinds == {"self"}
    body = client.get(reverse("api:result-list"))
    assert body.json()["count"] == 0
    assert "Outstanding" not in client.get(reverse("api:appraisal-list")).content.decode()


def test_what_others_wrote_is_read_one_by_one_and_the_person_sees_who_looked(
    world: World, as_: SignedIn
) -> None:
    make.released(world)
    kim = as_(world.kim)
    for listed, hidden in (("appraisal", "answers"), ("result", "snapshot")):
        looked = Event.objects.filter(verb="viewed", actor=world.kim).count()
        of_ana = {"participation": world.ana_part.pk}
        rows = kim.get(reverse(f"api:{listed}-list"), of_ana).json()["results"]
        assert rows
        assert not any(hidden in row or "level" in row for row in rows)
        assert Event.objects.filter(verb="viewed", actor=world.kim).count() == looked
        assert hidden in kim.get(url(rows[0]["id"], kind=listed)).json()
        assert Event.objects.filter(verb="viewed", actor=world.kim).count() == looked + 1


def test_she_reads_acknowledges_and_asks_for_a_review(world: World, as_: SignedIn) -> None:
    result = make.released(world)
    client = as_(world.ana)
    assert (
        client.get(url(result.pk, kind="result")).json()["sha256"]
        == ReleasedResult.objects.get().sha256
    )
    assert (
        post(client, url(result.pk, "acknowledge", "result"), {"comment": "Read."}).status_code
        == 201
    )
    assert Acknowledgement.objects.get().comment == "Read."
    assert (
        post(client, url(result.pk, "file-appeal", "result"), {"text": "Please look."}).status_code
        == 201
    )
    assert Appeal.objects.exists()
