"""Step 2: HR sets up a cycle, has it checked, and launches it."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from pmcycle.access import today
from pmcycle.cycles.models import Cycle, Participation, Stage
from tests.journeys.cast import CYCLE, Journey
from tests.journeys.steps.company import FIRST
from tests.journeys.walking import Person

STAGES = ("Objectives", "Appraisal", "Incentive control", "Evaluation")


def configure(journey: Journey, kim: Person) -> None:
    """Six short steps: who, when, how it is rated, what is seen when, rewards, reminders."""
    day = today()
    kim.opens("Cycles")
    kim.looks("cycles-empty")
    kim.follows("New cycle")
    with kim.job("set up a cycle, up to its check"):
        kim.types("Name", CYCLE, exact=True)
        kim.types(re.compile("^First day"), (day - timedelta(days=300)).isoformat())
        kim.types(re.compile("^Last day"), (day + timedelta(days=65)).isoformat())
        kim.presses("Make the draft")
        kim.reads("Who takes part")
        kim.page.locator("#preview").get_by_text("take part").wait_for()
        kim.looks("cycle-who")
        kim.presses("Save and continue")
        kim.reads("The year at a glance")
        # All four stages open today, so that one day is long enough for the whole walk.
        kim.ticks("Stages may overlap")
        for number, stage in enumerate(STAGES, start=1):
            kim.types(re.compile(f"^{stage}.* opens on", re.IGNORECASE), day.isoformat())
            kim.types(
                re.compile(f"^{stage}.* is due on", re.IGNORECASE),
                (day + timedelta(days=14 * number)).isoformat(),
            )
        kim.presses("Save", exact=True)
        kim.sees("is saved")
        kim.looks("cycle-stages")
        kim.presses("Save and continue")
        kim.reads("Rating scale")
        kim.looks("cycle-rating")
        kim.presses("Save and continue")
        kim.types(re.compile("^No surprises"), "0")
        kim.looks("cycle-visibility")
        kim.presses("Save and continue")
        kim.reads("Reward plan")
        kim.looks("cycle-rewards")
        kim.presses("Save and continue")
        kim.types(re.compile("^Appraisal.*days before"), "14, 7")
        kim.looks("cycle-reminders")
        kim.presses("Save and continue")
        kim.reads("The check")
    found = Cycle.objects.get()
    journey.cycle = found.pk


def choose_form(journey: Journey, kim: Person) -> None:
    """The good default of an appraisal form, with its weights at 100."""
    journey.in_cycle(kim.name, "Appraisal form")
    with kim.job("choose and save the appraisal form"):
        kim.presses("Use this form")
        kim.reads("Weights")
        kim.looks("appraisal-form")
        kim.sends("Save the form")


def accept_and_launch(kim: Person) -> None:
    """On the page of the check: go on with every warning, and launch."""
    go_on = kim.page.get_by_role("button", name="Accept it")
    while left := go_on.count():
        kim.clicks_on(go_on.first)
        expect(go_on).to_have_count(left - 1)
    kim.confirms(re.compile("Launch for"))
    kim.page.get_by_role("link", name="See the result").wait_for(timeout=180_000)
    kim.follows("See the result")
    kim.reads("Where everybody stands")


def launch(journey: Journey, kim: Person) -> None:
    """Each finding of the check is shown with its fix; what is only a warning is read and accepted."""
    journey.in_cycle(kim.name, "Check and launch")
    kim.looks("cycle-check")
    with kim.job("read the check and launch"):
        accept_and_launch(kim)
    cycle = Cycle.objects.get(pk=journey.cycle)
    assert cycle.state == Cycle.State.RUNNING
    assert set(cycle.stages.values_list("state", flat=True)) == {Stage.State.OPEN}
    kim.looks("board-launched")
    names = set(Participation.objects.filter(cycle=cycle).values_list("employee__name", flat=True))
    cast = journey.cast
    assert {cast.manager, cast.employee, cast.appellant, cast.held} <= names
    assert cast.leaver not in names


def rest_today(kim: Person) -> None:
    """Today is a holiday, so that nobody is reminded before the walk comes to the reminders."""
    kim.opens("Calendar")
    with kim.job("add a holiday"):
        kim.types("Day", today().isoformat(), exact=True)
        kim.types("Name", "Founders' day")
        kim.presses("Add")
        kim.sees("Founders' day")
    kim.looks("calendar")


def walk(journey: Journey) -> None:
    """From an empty list of cycles to the board of a running one."""
    kim = journey.person(FIRST)
    configure(journey, kim)
    choose_form(journey, kim)
    launch(journey, kim)
    rest_today(kim)
