"""Step 8: a due self-appraisal reminds its author once, in their morning; nobody else whose turn it is not."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from playwright.sync_api import expect

from pmcycle.access import today
from pmcycle.activity.models import Notice
from pmcycle.cycles.models import Stage
from tests.journeys.cast import Journey
from tests.journeys.steps.appraising import self_appraisal
from tests.journeys.steps.company import FIRST

TASK = "Write your self-appraisal"


def where_it_is(hour: int) -> str:
    """A zone in which it is this hour now, so that the walk does not depend on the time of day."""
    offset = (hour - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-offset:+d}" if offset else "UTC"


def live_in(journey: Journey, name: str, zone: str) -> None:
    """Somebody says in their settings where they live."""
    person = journey.person(name)
    person.opens("My menu", "Settings")
    person.types("Time zone", zone)
    person.presses("Save")
    person.sees("Saved")


def leave(journey: Journey, name: str) -> None:
    """HR dates a person's leaving: yesterday was the last day."""
    kim = journey.person(FIRST)
    kim.opens_record(name)
    kim.follows(f"Profile: {name}")
    kim.follows("Edit the record")
    with kim.job("note that somebody has left"):
        leaving = kim.page.locator("form[action$='/leave/']")
        kim.types("Last day", (today() - timedelta(days=1)).isoformat(), inside=leaving)
        kim.presses("Save the last day", inside=leaving)
        kim.sees("Nothing of this person is deleted")


def bring_forward(journey: Journey) -> None:
    """HR gives everybody another due day, in a week: a rule of this cycle reminds a week before."""
    stage = Stage.objects.get(cycle=journey.cycle, kind="appraisal")
    kim = journey.in_cycle(FIRST, "Board")
    with kim.job("give everybody another due day", allowed=3):
        kim.follows(re.compile(f"Change due date.*{stage}"))
        kim.types("New due day", (today() + timedelta(days=7)).isoformat())
        kim.types("Reason", "The result is needed before the holidays.")
        kim.looks("postpone")
        kim.presses("Change the day")
        kim.reads("Where everybody stands")


def work_today(journey: Journey) -> None:
    """A walk cannot wait for a working day: HR makes each day one, and takes today's holiday back."""
    kim = journey.person(FIRST)
    kim.opens("Calendar")
    with kim.job("make every day a working day, and today no holiday"):
        for day in ("Saturday", "Sunday"):
            kim.ticks(day)
        kim.sends("Save")
        kim.confirms("Remove")
        kim.sees("No holiday is in the calendar yet")


def reminders(journey: Journey, name: str) -> list[EmailMessage]:
    """The mails to somebody that speak of the self-appraisal."""
    sent = journey.stack.mails(journey.user(name).email)
    return [
        mail for mail in sent if (body := mail.get_body(("plain",))) and TASK in body.get_content()
    ]


def walk(journey: Journey) -> None:
    """One has handed in, one has left, for one it is night: only the fourth is reminded, and once."""
    cast, stack = journey.cast, journey.stack
    for name in (cast.employee, cast.appellant, cast.leaving):
        live_in(journey, name, where_it_is(10))
    live_in(journey, cast.held, where_it_is(3))
    self_appraisal(journey, cast.appellant)
    leave(journey, cast.leaving)
    bring_forward(journey)
    work_today(journey)

    (mail,) = stack.wait_for(lambda: reminders(journey, cast.employee), 60)
    body = mail.get_body(("plain",))
    assert body is not None
    assert re.search(r"/appraisals/\d+/write/", body.get_content())
    employee = journey.person(cast.employee)
    employee.opens("Inbox")
    employee.looks("inbox")
    with employee.job("open what a reminder is about", allowed=1):
        employee.presses(re.compile(rf"^Open\s*: {TASK}"))
        employee.page.wait_for_url(re.compile(r"/appraisals/\d+/write/"))

    stack.tick("home.remind")
    stack.tick("home.deliver")
    assert len(reminders(journey, cast.employee)) == 1
    for name in (cast.appellant, cast.leaving, cast.held, cast.leaver):
        user = journey.employee(name)
        assert not Notice.objects.filter(
            recipient__employee=user, subject_kind="appraisals:self"
        ).exists(), name
    for name in (cast.appellant, cast.leaving, cast.held):
        assert not reminders(journey, name), name
    expect(employee.page.locator("#writing")).to_be_visible()
