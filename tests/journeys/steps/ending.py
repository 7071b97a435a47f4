"""Step 7: the evaluation of a person and of the cycle, the end, and what goes on into the next one."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from evaluations.models import Evaluation
from goals.models import Goal
from pmcycle.access import today
from pmcycle.cycles.models import Cycle
from tests.journeys.cast import CYCLE, Journey
from tests.journeys.steps.appraising import saved_by_itself
from tests.journeys.steps.company import FIRST
from tests.journeys.steps.setting_up import accept_and_launch


def evaluate(journey: Journey) -> None:
    """The manager writes and shares; both sign what stays as it is from then on."""
    cast = journey.cast
    part = journey.part(cast.employee)
    manager = journey.person(cast.manager)
    manager.opens("Evaluations", f"Write: {cast.employee}")
    with manager.job("write an evaluation and share it"):
        manager.types("Summary", "A year in which requests were answered within a day.")
        achievement = manager.page.get_by_role("group", name="Achievement 1")
        manager.types("What happened", "The time to the answer was halved.", inside=achievement)
        achievement.get_by_label("It rests on").select_option(index=1)
        shortcoming = manager.page.get_by_role("group", name="Shortcoming 1")
        manager.types(
            "What happened", "The third goal was begun in autumn only.", inside=shortcoming
        )
        step = manager.page.get_by_role("group", name="Step 1")
        manager.types("Step", "Lead the talks with one supplier", inside=step)
        manager.types("By", (today() + timedelta(days=120)).isoformat(), inside=step)
        manager.types("Support", "The first two talks are held together", inside=step)
        saved_by_itself(manager)
        manager.looks("evaluation-write")
        # A shortcoming needs its evidence; what was typed stays.
        manager.presses("Share for signature")
        manager.sees("Choose its evidence")
        expect(shortcoming.get_by_label("What happened")).to_have_value(
            re.compile("^The third goal")
        )
        shortcoming.get_by_label("It rests on").select_option(index=1)
        manager.presses("Share for signature")
        manager.reads("Signatures")
    manager.says("I look forward to the talks with the supplier.")
    found = Evaluation.objects.get(participation=part)
    employee = journey.person(cast.employee)
    employee.opens("Evaluations", f"Read: {CYCLE}")
    employee.hears("I look forward to the talks with the supplier.")
    employee.looks("evaluation-read")
    for person, whose in ((employee, CYCLE), (manager, cast.employee)):
        person.opens("Evaluations", f"Read: {whose}")
        with person.job("sign an evaluation", allowed=2):
            sign = person.page.get_by_role("button", name="Sign", exact=True)
            person.clicks_on(sign)
            sign.wait_for(state="detached")
    found.refresh_from_db()
    assert found.sha256


def evaluate_cycle(journey: Journey) -> None:
    """Counted by HR: on time, who worded the goals, ratings and rewards."""
    kim = journey.in_cycle(FIRST, "What the cycle achieved")
    with kim.job("count what the cycle achieved"):
        kim.presses("Count again")
        for heading in ("On time", "Who worded the goals", "Ratings", "Rewards"):
            kim.reads(heading)
    kim.looks("cycle-evaluation")
    with kim.job("publish it", allowed=2):
        kim.confirms("Publish")
        kim.sees(re.compile("^Published"))


def follow_up(journey: Journey) -> Cycle:
    """The next cycle is a copy of this one, whose objectives open at once."""
    kim = journey.person(FIRST)
    kim.opens("Cycles", "New cycle")
    with kim.job("make the next cycle as a copy and launch it"):
        kim.types("Name", "The next year", exact=True)
        kim.chooses(re.compile("^Like an earlier cycle"), CYCLE)
        kim.presses("Make the draft")
        kim.reads("Who takes part")
        kim.presses("Save and continue")
        kim.reads("The year at a glance")
        kim.types(re.compile("^Objectives.* opens on"), today().isoformat())
        kim.presses("Save and continue")
        kim.reads("Rating scale")
        kim.follows("Check", inside=kim.page.locator("nav.stepper"))
        kim.reads("The check")
        accept_and_launch(kim)
    return Cycle.objects.exclude(pk=journey.cycle).get()


def close(journey: Journey, following: Cycle) -> None:
    """What is unfinished comes into the next cycle as proposals, to which the employee agrees there."""
    kim = journey.in_cycle(FIRST, "Close the cycle")
    kim.looks("cycle-close")
    with kim.job("close the cycle", allowed=2):
        kim.gives_reasons("They have said so on paper.")
        kim.confirms("Close the cycle")
        kim.sees("This cycle is closed.")
    assert Cycle.objects.get(pk=journey.cycle).state == Cycle.State.CLOSED
    employee = journey.person(journey.cast.employee)
    employee.opens("What needs me")
    employee.looks("home-next-cycle")
    with employee.job("agree to the goals carried over", allowed=3):
        employee.opens("My goals")
        employee.sees("Write down how it is done")
        employee.looks("goals-carried")
        employee.sends(re.compile("^Agree with"))
    carried = Goal.objects.filter(
        participation__cycle=following, participation__employee__name=employee.name
    )
    # Three goals and the step of development, which hold when the manager has signed them too.
    assert set(carried.values_list("state", flat=True)) == {Goal.State.PROPOSED}
    manager = journey.person(journey.cast.manager)
    with manager.job("agree to the goals carried over", allowed=3):
        manager.opens("What needs me", f"Answer the proposed goals of {employee.name}")
        manager.sends(re.compile("^Agree with"))
    assert carried.filter(state=Goal.State.AGREED).count() == 4


def walk(journey: Journey) -> None:
    """From the first line of the evaluation to the proposals of the next cycle."""
    evaluate(journey)
    evaluate_cycle(journey)
    close(journey, follow_up(journey))
