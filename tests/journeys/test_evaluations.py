"""Bashir writes Ana's evaluation beside the year's evidence; both sign; Kim counts the cycle and publishes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from evaluations.models import CycleEvaluation, Evaluation
from pmcycle.access import today
from tests.conftest import build_world
from tests.factories.feedback import make_entry
from tests.journeys.conftest import Visit
from tests.journeys.looking import in_both_themes, look


@pytest.mark.timeout(300)
def test_an_evaluation_is_written_signed_by_both_and_the_cycle_counted(visit: Visit) -> None:
    world = build_world()
    bashir, ana = world.part["bashir"].employee, world.ana_part.employee
    make_entry(world.ana_part, bashir, bashir, "The May report came two weeks late.", days_ago=40)

    writing = visit(world.bashir, "/evaluations/")
    writing.get_by_role("row", name=re.compile(ana.name)).get_by_role(
        "link", name=re.compile("Write")
    ).click()
    expect(writing.get_by_role("heading", level=1)).to_have_text(f"Evaluation of {ana.name}")
    in_both_themes(writing)
    writing.get_by_label("Summary").fill("A steady year; the line ran when it had to.")
    first = writing.get_by_role("group", name="Achievement 1")
    first.get_by_label("What happened").fill("Halved the rework on line 2")
    wrong = writing.get_by_role("group", name="Shortcoming 1")
    wrong.get_by_label("What happened").fill("Reports came late in spring")
    expect(writing.locator("[data-autosave-status]")).to_contain_text(re.compile("saved", re.IGNORECASE))
    # Without evidence the shortcoming keeps the evaluation from being shared, and nothing typed is lost.
    step = writing.get_by_role("group", name="Step 1")
    step.get_by_label("Step").fill("Course on reporting")
    step.get_by_label("By").fill((today() + timedelta(days=90)).isoformat())
    writing.get_by_role("button", name="Share for signature").click()
    expect(writing.get_by_text("Choose its evidence")).to_be_visible()
    again = writing.get_by_role("group", name="Shortcoming 1")
    expect(again.get_by_label("What happened")).to_have_value("Reports came late in spring")
    again.get_by_label("It rests on").select_option(index=1)
    writing.get_by_role("button", name="Share for signature").click()
    expect(writing.get_by_text("Shared for signature").first).to_be_visible()
    look(writing, "evaluation-shared")

    reading = visit(world.ana, "/", phone=True)
    reading.get_by_role("link", name=re.compile("Read")).first.click()
    expect(reading.get_by_text("Halved the rework on line 2")).to_be_visible()
    in_both_themes(reading)
    reading.get_by_label("Your comment").fill("The report waited for figures from Supply.")
    reading.get_by_role("button", name="Sign", exact=True).click()
    expect(reading.get_by_text("waited for figures")).to_be_visible()

    writing.reload()
    writing.get_by_role("button", name="Sign", exact=True).click()
    expect(writing.get_by_text("Frozen with both signatures")).to_be_visible()
    row = Evaluation.objects.get()
    assert (row.state, len(row.sha256)) == ("signed", 64)

    counting = visit(world.kim, f"/evaluations/cycle/{world.cycle.pk}/")
    counting.get_by_role("button", name="Count again").click()
    expect(counting.get_by_text("Evaluations signed").first).to_be_visible()
    in_both_themes(counting)
    assert CycleEvaluation.objects.get().published_at is None
