"""Step 5: both write, HR moves one rating, two people release, one acknowledges and one appeals."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from appraisals.models import Appeal, Appraisal, Rating, ReleasedResult
from tests.journeys.cast import Journey
from tests.journeys.steps.company import FIRST, SECOND
from tests.journeys.walking import Person

WORDS = "The list of open requests was kept every week, and nobody waited longer than a day."


def write(person: Person, level: int) -> None:
    """Answer every question of the screen: the same level for each rating, a sentence for each text."""
    form = person.page.locator("#writing")
    for rating in form.locator(".rating").all():
        labels = rating.locator("label")
        person.clicks_on(labels.nth(min(level, labels.count() - 1)))
    for box in form.locator("textarea:visible").all():
        box.fill(WORDS)


def saved_by_itself(person: Person) -> None:
    """The words are on the server before the page says so."""
    expect(person.page.locator("[data-autosave-status]").first).to_contain_text(
        re.compile(r"saved \d\d:\d\d")
    )


def self_appraisal(journey: Journey, name: str) -> None:
    """One screen, saved as one writes, one click to hand in."""
    mine = Appraisal.objects.get(participation=journey.part(name), kind="self")
    person = journey.person(name)
    person.opens("Appraisals", re.compile("^Write"))
    with person.job("write the self-appraisal (a click a rating) and hand it in"):
        write(person, 3)
        saved_by_itself(person)
        if name == journey.cast.employee:
            person.page.reload()
            assert WORDS in person.page.locator("#writing textarea").first.input_value()
            expect(person.page.locator(".evidence")).to_contain_text("Hours until the answer")
            person.presses("Insert as quote")
            expect(person.page.locator("#writing textarea").first).to_have_value(
                re.compile("^> ", re.MULTILINE)
            )
            person.looks("appraisal-self")
        before = person.clicks
        person.sends("Hand in")
        assert person.clicks - before == 1
    mine.refresh_from_db()
    assert mine.submitted_at


def manager_appraisal(journey: Journey, name: str, level: int) -> None:
    """The same screen for the manager, with the year beside it and the employee's view once they have begun."""
    theirs = Appraisal.objects.get(participation=journey.part(name), kind="manager")
    manager = journey.person(journey.cast.manager)
    manager.opens("My team", name, "Manager appraisal")
    with manager.job("appraise one person (a click a rating) and hand it in"):
        write(manager, level)
        saved_by_itself(manager)
        if name == journey.cast.employee:
            manager.says("Thank you for the list; we go through it on Monday.")
            manager.looks("appraisal-manager")
        manager.sends("Hand in")
    theirs.refresh_from_db()
    assert theirs.submitted_at


def calibrate(journey: Journey) -> None:
    """HR looks at the ratings side by side and moves one, with a reason, from the keyboard's form."""
    kim = journey.in_cycle(FIRST, "Calibration")
    kim.looks("calibrations-empty")
    with kim.job("open a calibration session and move one rating"):
        kim.page.get_by_label(re.compile("name", re.IGNORECASE)).first.fill("All teams")
        kim.presses("Open the session")
        kim.page.locator("#board").wait_for()
        kim.looks("calibration")
        name = journey.cast.appellant
        kim.clicks_on(kim.page.get_by_role("link", name=f"Move {name}"))
        panel = kim.page.locator("#move")
        kim.types("Why", "Compared with the same work in two other teams.", inside=panel)
        panel.get_by_label("To", exact=True).select_option(index=2)
        kim.presses("Move", inside=panel)
        kim.page.locator(".case-moved").first.wait_for()
    with kim.job("close the session", allowed=2):
        kim.confirms("Close the session")
        kim.page.locator("details.confirm").wait_for(state="detached")
    rating = Rating.objects.get(participation=journey.part(name))
    assert rating.moves.count() == 1


def release(journey: Journey) -> None:
    """One asks, a second one approves; nobody reads anything before."""
    cast = journey.cast
    employee = journey.person(cast.employee)
    employee.opens("Appraisals")
    assert not employee.page.get_by_role("link", name=re.compile("result", re.IGNORECASE)).count()
    kim = journey.in_cycle(FIRST, "Release of results")
    kim.looks("release")
    with kim.job("ask for the release", allowed=2):
        kim.gives_reasons("The others follow when their appraisals are handed in.")
        kim.confirms("Ask for the release")
        kim.reads("Waits for a second person")
    leo = journey.in_cycle(SECOND, "Release of results")
    with leo.job("approve the release", allowed=2):
        leo.confirms(re.compile("Approve|Release"))
        leo.page.wait_for_load_state()
    journey.stack.wait_for(lambda: ReleasedResult.objects.count() == 3, 30)
    leo.page.reload()
    leo.looks("release-job")


def answer(journey: Journey) -> None:
    """One has read it, another asks for a review."""
    cast = journey.cast
    employee = journey.person(cast.employee)
    employee.opens("Appraisals", "Read my result")
    employee.hears("we go through it on Monday")
    employee.looks("result")
    with employee.page.expect_download() as download:
        employee.follows("Download PDF")
    assert download.value.path().read_bytes().startswith(b"%PDF")
    with employee.job("acknowledge the result", allowed=2):
        employee.presses("I have read it")
        employee.reads("Acknowledged")
    appellant = journey.person(cast.appellant)
    appellant.opens("Appraisals", "Read my result")
    with appellant.job("ask for a review", allowed=3):
        appellant.clicks_on(appellant.page.locator("summary", has_text="Ask for a review"))
        appellant.page.locator("form[action$='/appeal/'] textarea").fill(
            "The night shift of spring is missing."
        )
        appellant.presses("Send", inside=appellant.page.locator("form[action$='/appeal/']"))
        appellant.reads("Review")


def decide(journey: Journey) -> None:
    """Somebody without a part in it decides; who moved the rating or released it is not offered the form."""
    appeal = Appeal.objects.get()
    for name in (FIRST, SECOND):
        hr = journey.in_cycle(name, journey.cast.appellant)
        hr.reads("Review")
        assert not hr.page.get_by_role("button", name="Decide").count()
    reviewer = journey.in_cycle(journey.cast.reviewer, journey.cast.appellant)
    reviewer.looks("appeal")
    with reviewer.job("decide a review", allowed=3):
        reviewer.ticks(re.compile("Dismissed"))
        reviewer.page.locator("form[action$='/decide/'] textarea").fill(
            "The night shift was counted; the rating stays."
        )
        reviewer.presses("Decide")
        reviewer.reads("Decision")
    appeal.refresh_from_db()
    assert appeal.decided_by == journey.user(journey.cast.reviewer)


def walk(journey: Journey) -> None:
    """From the first word of the self-appraisal to the decision of the review."""
    cast = journey.cast
    for name in (cast.employee, cast.held):  # the third has handed in before the reminders
        self_appraisal(journey, name)
    for name, level in ((cast.employee, 3), (cast.appellant, 3), (cast.held, 2)):
        manager_appraisal(journey, name, level)
    calibrate(journey)
    release(journey)
    answer(journey)
    decide(journey)
