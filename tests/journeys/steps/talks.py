"""Step 4: a word on the stage's page, a recurring check-in, what comes out of it, and what stays private."""

from __future__ import annotations

import re
from datetime import timedelta

from feedback.models import CheckIn
from pmcycle.access import today
from tests.journeys.cast import Journey
from tests.journeys.steps.objectives import GOALS
from tests.journeys.walking import Person

PROMISE, ACTION = "Ask for a second screen", "Show the new list to the team"
PRIVATE = "Praise the way this was brought up."


def say(journey: Journey, employee: Person, manager: Person) -> None:
    """Each says something on the page of the goals; both read it there."""
    employee.opens("My goals")
    with employee.job("say something on the page of my goals", allowed=1):
        employee.says("Can we talk about the third goal?")
    manager.opens("My team", employee.name, GOALS)
    manager.hears("Can we talk about the third goal?")
    manager.says("On Thursday, gladly.")


def schedule(journey: Journey, manager: Person, employee: str) -> None:
    """A series every week, from tomorrow on."""
    tomorrow = today() + timedelta(days=1)
    manager.opens("Check-ins")
    manager.looks("check-ins-empty")
    with manager.job("set up a recurring check-in"):
        manager.follows("Set up check-ins")
        manager.page.get_by_label("With", exact=True).select_option(label=employee)
        manager.ticks("Every week")
        manager.page.get_by_label("On", exact=True).select_option(index=tomorrow.weekday())
        manager.types("At", "00:05", exact=True)
        manager.types("From", tomorrow.isoformat())
        manager.looks("check-in-series")
        manager.presses("Set up")
        manager.reads("Coming up")
    manager.page.get_by_text(employee).first.wait_for()


def hold(journey: Journey, employee: Person, manager: Person) -> None:
    """Both write the agenda; a promise of the manager and an action of the employee come out of it."""
    meeting = CheckIn.objects.filter(employee__name=employee.name).earliest("starts_at")
    employee.opens("What needs me")
    with employee.job("come from home to the check-in that is to be prepared", allowed=1):
        employee.follows("Add a point")
        employee.page.wait_for_url(f"**/feedback/check-ins/{meeting.pk}/")
    with employee.job("put a point on the agenda", allowed=1):
        employee.types("What do you want to talk about?", "The list of open requests")
        employee.presses("Add", exact=True)
        employee.sees("The list of open requests")
    manager.opens("Check-ins", f"Prepare: {employee.name}")
    manager.types("What do you want to talk about?", "Who covers in January")
    manager.presses("Add", exact=True)
    manager.sees("Who covers in January")
    manager.sees("The list of open requests")
    with manager.job("note a promise and an action, and mark the check-in as held"):
        for text, owner in ((PROMISE, manager.name), (ACTION, employee.name)):
            manager.types("What is to be done", text)
            manager.chooses("Who does it", owner)
            manager.types("By when", (today() + timedelta(days=5)).isoformat())
            manager.presses("Note it")
            manager.page.locator("#actions").get_by_text(text).wait_for()
        manager.clicks_on(manager.page.locator("summary", has_text="Your private note"))
        manager.page.locator("#private-note").fill(PRIVATE)
        manager.presses("Save", inside=manager.page.locator("#private"))
        manager.page.wait_for_load_state()
        manager.looks("check-in")
        manager.presses("Mark as held")
        manager.page.get_by_text("held", exact=True).first.wait_for()
    employee.opens("Check-ins", f"Read: {manager.name}")
    employee.page.locator("summary", has_text="Your private note").click()
    assert PRIVATE not in employee.page.content()
    assert employee.page.locator("#private-note").input_value() == ""


def homes(journey: Journey, employee: Person, manager: Person) -> None:
    """What each has taken on waits on their own home."""
    manager.opens("What needs me")
    manager.sees(re.compile(re.escape(PROMISE)))
    manager.looks("home-manager")
    employee.opens("What needs me")
    employee.sees(re.compile(re.escape(ACTION)))
    employee.looks("home-employee")


def walk(journey: Journey) -> None:
    """From a question to what both have taken on."""
    employee, manager = journey.person(journey.cast.employee), journey.person(journey.cast.manager)
    say(journey, employee, manager)
    schedule(journey, manager, employee.name)
    hold(journey, employee, manager)
    homes(journey, employee, manager)
