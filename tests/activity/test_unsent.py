"""My unsent texts: whatever somebody began stays theirs to read, whoever leads the person by now; nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from evaluations.actions import EvaluationText, PointText, StepText, begin
from evaluations.actions import save as save_evaluation
from evaluations.models import Evaluation
from feedback.models import PrivateNote
from pmcycle.access import today
from pmcycle.activity.actions import save_draft
from pmcycle.cycles import actions as cycling
from pmcycle.cycles.models import Cycle, Stage
from pmcycle.people.models import Employee, User
from tests.conftest import SignedIn, World
from tests.factories import appraisals, feedback, goals
from tests.forms import forms_of
from tests.goals.test_propose import form as goal_form
from tests.pages import flat

pytestmark = pytest.mark.django_db

WORDS = "What I saw in spring."
MINE = reverse("activity:unsent")


def to_gita(world: World) -> None:
    gita = Employee.objects.get(user=world.gita)
    cycling.transfer(
        world.ana_part, gita, on=today(), reason="A new team", version=None, by=world.kim
    )


def an_appraisal(world: World, as_: SignedIn) -> None:
    appraisals.save_draft(appraisals.manager_appraisal(world.ana_part), WORDS)


def an_evaluation(world: World, as_: SignedIn) -> None:
    row = begin(world.ana_part, by=world.bashir)
    save_evaluation(row, EvaluationText(summary=WORDS), version=row.version, by=world.bashir)


def a_point_of_an_evaluation(world: World, as_: SignedIn) -> None:
    row = begin(world.ana_part, by=world.bashir)
    text = EvaluationText(points=[PointText("achievement", WORDS)])
    save_evaluation(row, text, version=row.version, by=world.bashir)


def a_step_of_development(world: World, as_: SignedIn) -> None:
    row = begin(world.ana_part, by=world.bashir)
    text = EvaluationText(steps=[StepText("A course", today() + timedelta(days=40), WORDS)])
    save_evaluation(row, text, version=row.version, by=world.bashir)


def a_goal(world: World, as_: SignedIn) -> None:
    goals.draft(world.ana_part, world.bashir, why=WORDS)


def typed_into(key: str) -> Callable[[World, SignedIn], None]:
    """What the script of a form keeps while somebody types."""

    def type_it(world: World, as_: SignedIn) -> None:
        to = reverse(
            "activity:draft",
            kwargs={"key": key.format(part=world.ana_part.pk, cycle=world.cycle.pk)},
        )
        body = json.dumps({"fields": {"text": WORDS}})
        assert as_(world.bashir).put(to, body, content_type="application/json").status_code == 200

    type_it.__name__ = key
    return type_it


FORMS = [
    "goal-new-{part}",
    "goal-7",
    "goal-7-counter",
    "goal-7-reworded",
    "goal-assigned-{cycle}",
    "contribution-{part}",
    "say-{part}-objectives",
    "say-{part}-appraisal",
    "say-{part}-evaluation",
    "give-{part}",
    "answer-3",
]
KINDS = [
    an_appraisal,
    an_evaluation,
    a_point_of_an_evaluation,
    a_step_of_development,
    a_goal,
    *map(typed_into, FORMS),
]


@pytest.fixture
def world(world: World) -> World:
    appraisals.open_stage(world.cycle)
    return world


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_after_a_transfer_the_former_manager_reads_their_own_draft_and_nobody_else_does(
    kind: Callable[[World, SignedIn], None], world: World, as_: SignedIn
) -> None:
    kind(world, as_)
    assert WORDS in flat(as_(world.bashir).get(MINE)), "before"
    to_gita(world)
    assert WORDS in flat(as_(world.bashir).get(MINE)), "after"
    for other in (
        world.ana,
        world.gita,
        world.dora,
        world.farid,
        world.ines,
        world.kim,
        world.mira,
        world.noor,
    ):
        assert WORDS not in flat(as_(other).get(MINE)), other


@pytest.mark.parametrize(
    "kind", [an_appraisal, an_evaluation, a_goal], ids=lambda kind: kind.__name__
)
def test_each_text_leads_to_its_page_or_to_none_that_is_closed(
    kind: Callable[[World, SignedIn], None], world: World, as_: SignedIn
) -> None:
    """No link of the page leads a former manager where they may not go."""
    kind(world, as_)
    bashir = as_(world.bashir)
    for handed_on in (False, True):
        if handed_on:
            to_gita(world)
        begun = bashir.get(MINE).context["begun"]
        assert len(begun) == 1
        for one in begun:
            assert not one.url or bashir.get(one.url, follow=True).status_code == 200


def test_what_was_handed_in_is_no_unsent_text(world: World, as_: SignedIn) -> None:
    row = appraisals.manager_appraisal(world.ana_part)
    appraisals.save_draft(row, WORDS)
    row.answers.all().delete()
    appraisals.hand_in(row, text=WORDS)
    assert WORDS not in flat(as_(world.bashir).get(MINE))


def test_an_evaluation_that_is_begun_and_empty_is_not_shown(world: World, as_: SignedIn) -> None:
    begin(world.ana_part, by=world.bashir)
    assert "Everything you wrote has been handed in" in flat(as_(world.bashir).get(MINE))


def test_a_draft_goal_of_a_former_manager_is_theirs_to_read_and_not_to_propose(
    world: World, as_: SignedIn
) -> None:
    goal = goals.draft(world.ana_part, world.bashir, why=WORDS)
    to_gita(world)
    bashir = as_(world.bashir)
    answer = bashir.post(
        reverse("goals:propose_draft", args=[goal.pk]), goal_form(version=goal.version)
    )
    assert answer.status_code in (403, 404, 409)
    goal.refresh_from_db()
    assert goal.state == "draft"
    assert as_(world.gita).get(reverse("goals:detail", args=[goal.pk])).status_code == 404


def test_the_notes_of_a_check_in_stay_with_those_who_wrote_them(
    world: World, as_: SignedIn
) -> None:
    """They are no drafts: what is typed is the note. Both kinds stay readable where they were written."""
    held = feedback.meeting_held_with_farid(world)
    assert world.farid.employee
    PrivateNote.objects.create(check_in_id=held["pk"], author=world.farid.employee, body=WORDS)
    where = reverse("feedback:check_in", kwargs=held)
    assert WORDS in flat(as_(world.farid).get(where))
    assert WORDS not in flat(as_(world.ana).get(where))
    assert as_(world.bashir).get(where).status_code == 404


def test_a_note_that_came_after_the_transfer_is_kept_for_whoever_typed_it(
    world: World, as_: SignedIn
) -> None:
    meeting = feedback.meeting_held_with_farid(world)
    for name, field in (("feedback:write_note", "shared_note"), ("feedback:add_point", "text")):
        answer = as_(world.farid).post(reverse(name, kwargs=meeting), {field: WORDS, "version": 1})
        assert answer.status_code in (403, 404, 409)
        assert WORDS in flat(as_(world.farid).get(MINE))
        for other in (world.ana, world.bashir, world.kim):
            assert WORDS not in flat(as_(other).get(MINE))


def test_nobody_reads_or_ends_another_s_text_by_its_number_or_key(
    world: World, as_: SignedIn
) -> None:
    kept = save_draft(world.bashir, f"goal-new-{world.ana_part.pk}", {"text": WORDS})
    assert kept
    others: list[User] = [
        world.ana,
        world.gita,
        world.dora,
        world.farid,
        world.ines,
        world.kim,
        world.mira,
        world.noor,
    ]
    for other in others:
        browser = as_(other)
        assert browser.get(reverse("activity:draft", kwargs={"key": kept.key})).status_code == 204
        assert (
            browser.post(reverse("activity:throw_away", kwargs={"pk": kept.pk})).status_code == 404
        )
        browser.delete(reverse("activity:draft", kwargs={"key": kept.key}))
        for page in ("", "?page=1", "?page=2", f"?author={world.bashir.pk}"):
            assert WORDS not in flat(browser.get(f"{MINE}{page}"))
    kept.refresh_from_db()
    assert kept.data == {"text": WORDS}


def test_the_second_page_has_no_begun_texts_twice(world: World, as_: SignedIn) -> None:
    an_appraisal(world, as_)
    for number in range(11):
        save_draft(world.bashir, f"goal-{number}", {"text": f"Draft number {number}"})
    browser: Any = as_(world.bashir)
    assert WORDS in flat(browser.get(MINE))
    assert WORDS not in flat(browser.get(MINE, {"page": 2}))


# --- throwing away what was begun ---------------------------------------------------------------------


def away(world: World) -> tuple[Evaluation, str, dict[str, int]]:
    """An evaluation that Bashir has begun, the address at which it is thrown away, and what is sent there."""
    a_point_of_an_evaluation(world, lambda *_args: None)  # type: ignore[arg-type]
    row = Evaluation.objects.get()
    return row, reverse("evaluations:throw_away", args=[row.pk]), {"version": row.version}


@pytest.mark.parametrize("handed_on", [False, True], ids=["leads them", "led them"])
def test_a_begun_evaluation_is_thrown_away_after_asking_once_more(
    world: World, as_: SignedIn, handed_on: bool
) -> None:
    row, url, _data = away(world)
    if handed_on:
        to_gita(world)
    bashir = as_(world.bashir)
    [form] = [form for form in forms_of(bashir.get(MINE).content.decode()) if form.action == url]
    assert "nobody can bring it back" in flat(bashir.get(MINE))
    answer = bashir.post(url, form.filled(), follow=True)
    assert "The text is gone." in flat(answer)
    assert WORDS not in flat(answer)
    assert not row.points.exists()
    assert not Evaluation.objects.begun_by(world.bashir).exists()


def test_what_was_under_way_of_it_brings_nothing_back(world: World, as_: SignedIn) -> None:
    row, url, data = away(world)
    bashir = as_(world.bashir)
    typed = {
        "version": row.version,
        "summary": "Late words.",
        **{
            f"{name}-{count}_FORMS": "0"
            for name in ("achievement", "shortcoming", "step")
            for count in ("TOTAL", "INITIAL")
        },
    }
    where = reverse("evaluations:autosave", args=[world.ana_part.pk])
    Stage.objects.filter(cycle=world.cycle, kind="evaluation").update(state="open")
    assert bashir.post(url, data).status_code == 302
    late = bashir.post(where, typed, headers={"X-Autosave": "1"})
    assert late.status_code == 409, late.content
    row.refresh_from_db()
    assert (row.summary, row.saved_at) == ("", None)
    assert "Not taken" in flat(bashir.get(MINE)), "what was typed after that is nobody's loss"


def test_only_its_author_throws_it_away_and_nobody_what_has_moved_on(
    world: World, as_: SignedIn
) -> None:
    row, url, data = away(world)
    for other in (world.ana, world.gita, world.dora, world.ines, world.kim, world.mira, world.noor):
        assert as_(other).post(url, data).status_code == 404
    assert as_(world.bashir).post(url, {"version": row.version - 1}).status_code == 409
    Evaluation.objects.update(state="shared", shared_at=timezone.now())
    assert as_(world.bashir).post(url, data).status_code == 404
    assert row.points.exists()


def test_in_a_closed_cycle_it_can_still_be_thrown_away(world: World, as_: SignedIn) -> None:
    _row, url, data = away(world)
    Cycle.objects.filter(pk=world.cycle.pk).update(state="closed")
    assert as_(world.bashir).post(url, data).status_code == 302
    assert WORDS not in flat(as_(world.bashir).get(MINE))
