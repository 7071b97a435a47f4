"""A number and one word of confidence: two clicks, append-only, nothing lost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from goals import actions
from goals.models import Goal, KeyResult, ProgressUpdate
from goals.rules import KeyResultText
from pmcycle.activity.models import Event
from tests.conftest import SignedIn, World
from tests.factories import goals
from tests.pages import flat

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(world: World) -> KeyResult:
    return goals.key_result(goals.agree(world.ana_part, world.ana, world.bashir))


def test_a_number_is_recorded_and_the_page_shows_it(
    world: World, as_: SignedIn, row: KeyResult
) -> None:
    data = {
        "value": "6",
        "confidence": "on_track",
        "note": "New blades.",
        "link": "https://example.com/a",
        "version": 1,
    }
    response = as_(world.ana).post(
        reverse("goals:record_progress", args=[row.pk]), data, follow=True
    )
    assert response.status_code == 200
    row.refresh_from_db()
    assert (row.current, row.confidence, row.version) == (Decimal(6), "on_track", 2)
    assert row.progress == 50
    assert "50 %" in response.content.decode()
    assert Event.objects.filter(
        verb="record_progress", actor=world.ana, about=world.ana.employee
    ).exists()
    detail = as_(world.bashir).get(reverse("goals:detail", args=[row.goal_id])).content.decode()
    assert "New blades." in detail


def test_a_script_gets_the_row_and_the_progress_of_the_goal(
    world: World, as_: SignedIn, row: KeyResult
) -> None:
    response = as_(world.ana, headers={"HX-Request": "true"}).post(
        reverse("goals:record_progress", args=[row.pk]),
        {"value": "6", "confidence": "at_risk", "version": 1},
    )
    page = flat(response)
    assert response.status_code == 200
    assert page.count(f'id="kr-{row.pk}"') == 1
    assert "<html" not in page
    assert "at risk" in page
    assert f'id="goal-{row.goal_id}-progress" hx-swap-oob="true"' in page


def test_no_change_is_one_button(world: World, as_: SignedIn, row: KeyResult) -> None:
    data = {"value": "8", "confidence": "on_track", "no_change": "1", "version": 1}
    assert (
        as_(world.ana).post(reverse("goals:record_progress", args=[row.pk]), data).status_code
        == 302
    )
    assert ProgressUpdate.objects.get().value is None
    row.refresh_from_db()
    assert row.current == 8
    assert row.updated_at is not None


def test_the_manager_records_too(world: World, as_: SignedIn, row: KeyResult) -> None:
    data = {"value": "7.5", "confidence": "on_track", "version": 1}
    assert (
        as_(world.bashir).post(reverse("goals:record_progress", args=[row.pk]), data).status_code
        == 302
    )
    assert ProgressUpdate.objects.get().author == world.bashir.employee


def test_the_second_tab_keeps_what_it_typed(world: World, as_: SignedIn, row: KeyResult) -> None:
    url = reverse("goals:record_progress", args=[row.pk])
    ana = as_(world.ana)
    ana.post(url, {"value": "6", "confidence": "on_track", "version": 1})
    late = {"value": "5", "confidence": "at_risk", "note": "Counted twice.", "version": 1}
    response = ana.post(url, late)
    assert response.status_code == 409
    page = response.content.decode()
    assert "Someone saved while you were writing" in page
    assert "Counted twice." in page
    response = as_(world.ana, headers={"HX-Request": "true"}).post(url, late)
    page = response.content.decode()
    assert response.status_code == 409
    assert "Saved meanwhile: 6" in page
    assert "Counted twice." in page
    assert 'name="version" value="2"' in page
    assert ProgressUpdate.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"value": ""}, "Give the number"),
        ({"value": "many"}, "Enter a number."),
        ({"value": "NaN"}, "Enter a number."),
        ({"value": "1" * 30}, "Ensure"),
        ({"confidence": "great"}, "Select a valid choice"),
        ({"confidence": ""}, "This field is required."),
        ({"link": "javascript:alert(1)"}, "Enter a valid URL."),
        ({"note": "x\x00"}, "Null characters"),
        ({"note": "x" * 20_001}, "at most 20000"),
    ],
)
@pytest.mark.parametrize("script", [True, False])
def test_a_wrong_field_says_so_beside_it(
    world: World, as_: SignedIn, row: KeyResult, fields: dict[str, str], error: str, script: bool
) -> None:
    client = as_(world.ana, headers={"HX-Request": "true"} if script else {})
    data = {"value": "6", "confidence": "on_track", "version": 1, **fields}
    response = client.post(reverse("goals:record_progress", args=[row.pk]), data)
    assert response.status_code == 422
    assert error in response.content.decode()
    assert not ProgressUpdate.objects.exists()


def test_a_proposal_has_no_progress(world: World, as_: SignedIn, row: KeyResult) -> None:
    Goal.objects.filter(pk=row.goal_id).update(state=Goal.State.PROPOSED)
    data = {"value": "6", "confidence": "on_track", "version": 1}
    assert (
        as_(world.ana).post(reverse("goals:record_progress", args=[row.pk]), data).status_code
        == 403
    )


def test_progress_goes_on_when_the_stage_is_closed_but_not_when_the_cycle_is(
    world: World, as_: SignedIn, row: KeyResult
) -> None:
    world.cycle.stages.update(state="closed")
    url = reverse("goals:record_progress", args=[row.pk])
    assert (
        as_(world.ana).post(url, {"value": "6", "confidence": "on_track", "version": 1}).status_code
        == 302
    )
    world.cycle.state = "closed"
    world.cycle.save(update_fields=["state"])
    response = as_(world.ana).post(url, {"value": "5", "confidence": "on_track", "version": 2})
    assert response.status_code == 409


def test_no_change_of_what_was_never_measured_asks_for_a_number(
    world: World, as_: SignedIn
) -> None:
    kept = KeyResultText("Delivery on time", "keep", low=Decimal(95))
    row = goals.key_result(goals.agree(world.ana_part, world.ana, world.bashir, key_results=[kept]))
    data = {"confidence": "on_track", "no_change": "1", "version": 1}
    response = as_(world.ana).post(reverse("goals:record_progress", args=[row.pk]), data)
    assert response.status_code == 422
    assert b"give a first number" in response.content


@pytest.mark.parametrize(("value", "progress"), [("0", 0), ("1", 100)])
def test_reached_is_yes_or_no(world: World, as_: SignedIn, value: str, progress: int) -> None:
    kept = KeyResultText("Certificate renewed", "reach")
    row = goals.key_result(goals.agree(world.ana_part, world.ana, world.bashir, key_results=[kept]))
    data = {"value": value, "confidence": "on_track", "version": 1}
    assert (
        as_(world.ana).post(reverse("goals:record_progress", args=[row.pk]), data).status_code
        == 302
    )
    row.refresh_from_db()
    assert row.progress == progress


def test_an_update_is_never_rewritten(world: World, as_: SignedIn, row: KeyResult) -> None:
    data = {"value": "6", "confidence": "on_track", "version": 1}
    as_(world.ana).post(reverse("goals:record_progress", args=[row.pk]), data)
    for change in (
        lambda: ProgressUpdate.objects.update(value=1),
        lambda: ProgressUpdate.objects.all().delete(),
    ):
        with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
            change()


def test_saving_costs_few_statements(
    world: World,
    as_: SignedIn,
    row: KeyResult,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = as_(world.ana, headers={"HX-Request": "true"})
    data = {"value": "6", "confidence": "on_track", "version": 1}
    # Five of them judge once more, under the lock, whether this person still may.
    with django_assert_max_num_queries(20):
        client.post(reverse("goals:record_progress", args=[row.pk]), data)


@pytest.mark.parametrize(
    ("typed", "words", "bar", "goal"),
    [
        # From 8 down to 4; the cycle counts up to 120 %.
        ("8", "0 %", 'max="100" value="0"', "0 %"),
        (
            "10",
            "0 %, below the start: -50 %",
            'max="100" value="0"',
            "one key result below its start",
        ),
        ("4.0001", "99.998 %", 'max="100" value="100"', "99.99 %"),
        ("4", "100 %", 'max="100" value="100"', "100 %"),
        ("3.32", "117 %", 'max="117" value="117"', "117 %"),
        ("2", "120 %, in fact 150 %", 'max="120" value="120"', "120 %"),
    ],
)
def test_progress_says_what_was_measured_and_its_bar_tells_all_from_more(
    world: World, as_: SignedIn, row: KeyResult, typed: str, words: str, bar: str, goal: str
) -> None:
    data = {"value": typed, "confidence": "on_track", "version": 1}
    as_(world.ana).post(reverse("goals:record_progress", args=[row.pk]), data)
    page = " ".join(
        as_(world.ana).get(reverse("goals:detail", args=[row.goal_id])).content.decode().split()
    )
    assert f'aria-label="{row.title}: {words}"' in page
    assert bar in page
    assert goal in page
    assert ("bar-beyond" in page) == (typed in ("3.32", "2"))


def test_what_lies_below_the_target_is_not_reached_however_near(
    world: World, row: KeyResult
) -> None:
    actions.record_progress(
        row,
        value=Decimal("4.0001"),
        confidence="on_track",
        note="",
        link="",
        version=None,
        by=world.ana,
    )
    goal = Goal.objects.get(pk=row.goal_id)
    assert goal.result == Decimal("99.99")
    assert goal in Goal.objects.unfinished()
    (score,) = Goal.objects.filter(participation=world.ana_part).scores()
    assert score["score"] == Decimal("99.99")
