"""Step 3: goals that two people sign, progress in two clicks on a phone, a change that both agree to."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from goals.models import Goal, KeyResult, ProgressUpdate
from tests.journeys.cast import Journey
from tests.journeys.walking import Person

# How many there are is the link from somebody's page to their goals.
GOALS = re.compile(r"^\d+ goals?\b")


def write_goal(person: Person, title: str, weight: str, measure: tuple[str, str, str, str]) -> None:
    """Fill in the form of a goal with one key result."""
    person.types("Goal", title, exact=True)
    person.types("Why it matters", "Everybody downstream waits for it.")
    name, kind, start, target = measure
    row = person.page.locator("[data-row]").first
    person.types("Key result", name, inside=row)
    person.chooses("Measured by", kind, inside=row)
    person.types("From", start, inside=row)
    person.types(re.compile(r"^To\b"), target, inside=row)
    person.types("Weight", weight)


def propose(journey: Journey, employee: Person, manager: str) -> None:
    """The employee proposes two goals."""
    employee.opens("My goals")
    employee.looks("goals-empty")
    with employee.job("propose two goals"):
        employee.follows("New goal")
        write_goal(
            employee,
            "Halve the time a request waits",
            "50",
            ("Hours until the answer", "decrease to", "8", "4"),
        )
        employee.presses(re.compile("^Propose to"))
        employee.reads(f"Waits for {manager}")
        employee.follows("New goal")
        write_goal(
            employee,
            "Write down how it is done",
            "30",
            ("Pages that a colleague reviewed", "increase to", "0", "20"),
        )
        employee.looks("goals-propose")
        employee.presses(re.compile("^Propose to"))
        employee.reads(f"Waits for {manager}")


def counter(journey: Journey, manager: Person, employee: str) -> None:
    """The manager counters one, proposes another, and agrees to the rest."""
    manager.opens("My team", employee, GOALS)
    with manager.job("counter one goal and propose another"):
        manager.follows(re.compile("Counter.*Halve the time"))
        manager.types("Goal", "Halve the time every request waits", exact=True)
        manager.types("Weight", "45")
        manager.looks("goals-counter")
        manager.sends("Send back")
    manager.opens("My team", employee, GOALS)
    manager.follows("New goal")
    write_goal(
        manager,
        "Teach two colleagues the night shift",
        "25",
        ("Colleagues taught", "increase to", "0", "2"),
    )
    manager.presses(re.compile("^Propose to"))
    manager.looks("goals-waiting")
    with manager.job("agree to a set of goals, from home", allowed=3):
        manager.opens("What needs me", f"Answer the proposed goals of {employee}")
        manager.presses(f"Agree with {employee}")
        manager.sees(re.compile("^Agreed to"))


def agree(journey: Journey, employee: Person, manager: str) -> None:
    """The employee signs with the keyboard alone; then both have signed the same words, at exactly 100."""
    employee.opens("My goals")
    employee.looks("goals-countered")
    button = employee.page.get_by_role("button", name=f"Agree with {manager}")
    for _press in range(80):
        if button.evaluate("node => node === document.activeElement"):
            break
        employee.page.keyboard.press("Tab")
    expect(button).to_be_focused()
    employee.page.keyboard.press("Enter")
    employee.reads("The set is agreed")
    agreed = Goal.objects.filter(participation=journey.part(employee.name), state=Goal.State.AGREED)
    assert sorted(
        int(goal.agreed.weight or 0) for goal in agreed.select_related("agreed") if goal.agreed
    ) == [25, 30, 45]


def progress(journey: Journey, name: str) -> None:
    """On a phone: a number and Save, or one click for "no change"."""
    phone = journey.person(name, phone=True)
    phone.opens("Goals")
    row = KeyResult.objects.get(title="Hours until the answer", retired_at__isnull=True)
    line = phone.page.locator(f"#kr-{row.pk}")
    with phone.job("record progress on a phone", allowed=2):
        line.get_by_label("Now at").fill("5")
        phone.presses("Save", inside=line)
        expect(line.get_by_text("Saved.")).to_be_visible()
    with phone.job("record that nothing changed", allowed=1):
        phone.presses("No change", inside=line)
        journey.stack.wait_for(lambda: ProgressUpdate.objects.filter(key_result=row).count() == 2)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.looks("goals-phone")


def change(journey: Journey, employee: Person, manager: Person) -> None:
    """An agreed goal changes only when both say so."""
    title = "Halve the time every request waits"
    employee.opens("My goals", title)
    with employee.job("ask for a change of a goal"):
        employee.follows("Ask for a change")
        employee.chooses("Reason", "Resources changed")
        employee.types("What happened?", "A colleague moves to another team.")
        employee.types(re.compile(r"^To\b"), "4.5")
        employee.looks("goals-change-form")
        employee.presses("Ask for this change")
        employee.reads(re.compile("Your change waits"))
    manager.opens("What needs me", f"Answer the change of a goal of {employee.name}")
    manager.looks("goals-change")
    with manager.job("accept a change", allowed=1):
        manager.presses("Accept the change")
        manager.page.get_by_role("button", name="Accept the change").wait_for(state="detached")


def walk(journey: Journey) -> None:
    """From a proposal to a changed goal."""
    cast = journey.cast
    employee, manager = journey.person(cast.employee), journey.person(cast.manager)
    propose(journey, employee, manager.name)
    counter(journey, manager, employee.name)
    agree(journey, employee, manager.name)
    progress(journey, cast.employee)
    change(journey, employee, manager)
