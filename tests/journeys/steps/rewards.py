"""Step 6: rules as sentences, a pool to the cent, a held rise, two people, statements, a file for payroll."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

from playwright.sync_api import expect

from appraisals.models import ReleasedResult
from incentives.models import Award, Component, Pool, Run, Statement
from pmcycle.access import today
from tests.journeys.cast import CYCLE, Journey
from tests.journeys.steps.company import FIRST, SECOND
from tests.journeys.walking import Person

POOL = Decimal("6000.01")


def plan(journey: Journey) -> None:
    """One component, one sentence, one pool; a second person publishes."""
    kim = journey.in_cycle(FIRST, "Reward plan")
    with kim.job("write a reward plan: a component, a rule, a pool"):
        kim.presses("Begin the plan")
        kim.clicks_on(kim.page.locator("button", has_text=re.compile("merit", re.IGNORECASE)).first)
        kim.reads("How “Merit rise” counts")
        kim.ticks(re.compile("Hand out the whole pool"))
        kim.types("Managers may move an amount by", "20")
        kim.presses("Save", exact=True)
        kim.follows(re.compile("Write a rule"))
        lowest = (
            ReleasedResult.objects.order_by("level__position")
            .select_related("level")[0]
            .level.label
        )
        row = kim.page.locator(".slot-row").first
        row.locator("select").nth(0).select_option(label="rating")
        row.locator("select").nth(1).select_option(label="is at least")
        row.locator("input").first.fill(lowest)
        kim.types("How much", "3")
        kim.looks("reward-rule")
        kim.presses("Save the rule")
        kim.follows(re.compile("Set a pool"))
        kim.types("For everybody not named below", str(POOL))
        kim.looks("reward-pools")
        kim.presses("Save", exact=True)
        kim.reads("Reward plan")
    kim.looks("reward-plan")
    assert not kim.page.get_by_text(
        "Publish the rules"
    ).count()  # their author does not publish them
    leo = journey.in_cycle(SECOND, "Reward plan")
    with leo.job("publish the rules as second person", allowed=2):
        leo.confirms("Publish the rules")
        leo.sees("published these rules")


def restrain(journey: Journey) -> None:
    """The manager says what happened, then proposes to hold the rise; the person answers; HR decides."""
    cast = journey.cast
    manager = journey.person(cast.manager)
    manager.opens("My team", cast.held, re.compile("^Appraisal$"))
    manager.says("The safety course is still open. Please take it this month.")
    manager.opens("My team", cast.held, "Propose a restraint")
    with manager.job("propose to hold a rise"):
        manager.types(re.compile("^The facts"), "The safety course of March has not been taken.")
        manager.page.get_by_label("When was it said to the person before?").select_option(index=1)
        manager.page.get_by_label("Which reward").select_option(index=0)
        manager.chooses("What it would do", "held until settled")
        manager.types("The person may answer until", (today() + timedelta(days=3)).isoformat())
        manager.types("It lapses on", (today() + timedelta(days=60)).isoformat())
        manager.looks("restraint-form")
        manager.presses("Propose", exact=True)
        manager.page.locator(".ledger").wait_for()
    held = journey.person(cast.held)
    held.opens("Rewards", "Read and answer")
    with held.job("answer a restraint", allowed=2):
        held.page.locator("form[action$='/answer/'] textarea").fill(
            "The course was full twice; I have a seat for the 12th."
        )
        held.presses("Send my answer")
        held.sees("I have a seat")
    held.looks("restraint-answered")
    leo = journey.in_cycle(SECOND, "Restraints", f"Read: {cast.held}")
    with leo.job("decide about a restraint", allowed=2):
        leo.page.locator("form[action$='/decide/'] textarea").fill(
            "Held until the course is taken on the 12th."
        )
        leo.presses("Let it take effect")
        leo.sees("In effect")


def find_amount(person: Person, name: str) -> None:
    """Narrow the amounts of a run to somebody."""
    person.page.get_by_placeholder("Name", exact=True).fill(name)
    with person.page.expect_navigation():
        person.page.keyboard.press("Enter")


def calculate(journey: Journey) -> Run:
    """The worker calculates; the whole pool is handed out to the cent; each amount opens as its tree."""
    kim = journey.in_cycle(FIRST, "Reward run")
    kim.looks("reward-run-start")
    with kim.job("calculate the rewards", allowed=2):
        kim.presses("Calculate")
        kim.page.get_by_role("link", name="See the result").wait_for(timeout=180_000)
        kim.follows("See the result")
        kim.reads("Amounts")
    kim.looks("reward-run")
    run = Run.objects.get()
    assert sum(run.awards.values_list("amount", flat=True)) == POOL == Pool.objects.get().amount
    for award in run.awards.filter(amount__gt=0).select_related("participation__employee"):
        find_amount(journey.in_cycle(FIRST, "Reward run"), award.participation.employee.name)
        with kim.job("open why somebody gets an amount", allowed=1):
            kim.follows(f"Why: {award.participation.employee.name}")
            kim.page.locator(".why").first.wait_for()
    kim.looks("reward-why")
    assert run.awards.get(participation=journey.part(journey.cast.held)).is_held
    journey.in_cycle(FIRST, "Reward run")
    with kim.job("hand the sheets to the managers", allowed=2):
        kim.confirms("Hand to the managers")
        kim.page.locator("summary", has_text="Hand to the managers").wait_for(state="detached")
    return run


def recommend(journey: Journey, run: Run) -> None:
    """The manager moves money from one to another within the band; more than the pool holds is refused."""
    cast = journey.cast
    manager = journey.person(cast.manager)
    manager.opens("Team rewards", f"Open the sheet: {CYCLE}")
    manager.looks("reward-sheet")
    mine = run.awards.get(participation=journey.part(cast.employee))
    other = run.awards.get(participation=journey.part(cast.appellant))
    move = (mine.guideline * Decimal("0.05")).quantize(Decimal("0.01"))

    def put(award: Award, amount: Decimal) -> None:
        manager.page.locator(f"#amount-{award.pk}").fill(str(amount))
        manager.page.keyboard.press("Enter")  # the sheet is made for the keyboard

    put(mine, mine.amount + move)  # the pool is spent: nothing is left to give more from
    expect(manager.page.locator(f"#wrong-{mine.pk}")).to_be_visible()
    assert Award.objects.get(pk=mine.pk).amount == mine.amount
    manager.looks("reward-overspent")
    manager.opens("Team rewards", f"Open the sheet: {CYCLE}")
    with manager.job("move money from one to another and hand the team in"):
        put(other, other.amount - move)
        expect(manager.page.locator(f"#award-{other.pk}.is-saved")).to_be_visible()
        put(mine, mine.amount + move)
        expect(manager.page.locator(f"#award-{mine.pk}.is-saved")).to_be_visible()
        manager.presses("Hand in my team")
        manager.sees("Handed in")
    assert sum(run.awards.values_list("amount", flat=True)) == POOL


def approve(journey: Journey, run: Run) -> None:
    """The line approves the team, a second person the run, and another than that one releases it."""
    cast = journey.cast
    above = journey.person(cast.above)
    # The line of home leads to the sheet, on which the own team stands first.
    above.opens(
        "What needs me", f"Approve the rewards that {cast.manager} recommends", cast.manager
    )
    with above.job("approve a team's rewards", allowed=1):
        above.presses("Approve", exact=True)
        above.sees("Approved by the line")
    leo = journey.in_cycle(SECOND, "Reward run")
    with leo.job("approve the run as second person", allowed=3):
        leo.sees("What is still open or held")
        leo.gives_reasons("The others follow in a supplementary run.")
        leo.confirms("Approve all amounts")
        leo.page.get_by_role("button", name="Approve all amounts").wait_for(state="detached")
    kim = journey.in_cycle(FIRST, "Reward run")
    with kim.job("release the statements", allowed=3):
        kim.gives_reasons("The others follow in a supplementary run.")
        kim.confirms("Release the statements")
        journey.stack.wait_for(
            lambda: Statement.objects.filter(participation=journey.part(cast.employee)).exists(), 60
        )


def read(journey: Journey) -> None:
    """The statement as a page and as a PDF."""
    name = journey.cast.employee
    employee = journey.person(name)
    employee.opens("Rewards", f"Read: {CYCLE}")
    employee.says("Thank you. How is the pool divided next year?")
    employee.looks("reward-statement")
    with employee.job("say that I have read my statement", allowed=1):
        employee.presses("I have read it")
        employee.page.get_by_role("button", name="I have read it").wait_for(state="detached")
    with employee.page.expect_download() as download:
        employee.follows("PDF", exact=True)
    assert download.value.path().read_bytes().startswith(b"%PDF")


def payroll(journey: Journey, run: Run) -> None:
    """What is held comes in a file of its own once it is settled; both together are the pool, to the cent."""

    def paid(number: int) -> Decimal:
        kim = journey.in_cycle(FIRST, "Reward run")
        with kim.job("take the file for payroll", allowed=2):
            kim.presses("File for payroll (CSV)")
            with kim.page.expect_download() as download:
                kim.follows(f"File {number}, CSV")
        text = download.value.path().read_text(encoding="utf-8-sig")
        return sum(
            (Decimal(line["amount"]) for line in csv.DictReader(io.StringIO(text))), Decimal(0)
        )

    held = run.awards.get(participation=journey.part(journey.cast.held))
    first = paid(1)
    assert first == POOL - held.amount
    leo = journey.in_cycle(SECOND, "Reward run")
    find_amount(leo, journey.cast.held)
    leo.follows(f"Why: {journey.cast.held}")
    with leo.job("settle what was held", allowed=2):
        leo.follows("See the entry that holds it")
        leo.types("Why", "The course was taken on the 12th.")
        leo.presses("Lift it")
        leo.sees("The course was taken on the 12th.")
    assert first + paid(2) == POOL
    assert Component.objects.count() == 1


def walk(journey: Journey) -> None:
    """From the first sentence to the last cent."""
    plan(journey)
    restrain(journey)
    run = calculate(journey)
    recommend(journey, run)
    approve(journey, run)
    read(journey)
    payroll(journey, run)
