"""Step 1: from an empty database to a company whose people can sign in."""

from __future__ import annotations

import re
from io import StringIO

from django.core.management import call_command
from playwright.sync_api import expect

from pmcycle.people.models import Employee, PayRange, User
from tests.journeys.cast import PASSWORD, Journey
from tests.journeys.walking import Person

FIRST, SECOND = "Kim Larsen", "Leo Park"


def first_visit(journey: Journey) -> Person:
    """The one-time code of the log opens the empty installation to its first two HR admins."""
    log = StringIO()
    call_command("setup_code", stdout=log)
    printed = re.search(r"\b[0-9a-f]{4}(-[0-9a-f]{4}){5}\b", log.getvalue())
    assert printed, log.getvalue()
    code = printed.group()
    kim = Person(FIRST, journey.visit(), journey.walk)
    kim.reads("Welcome to pmcycle")
    kim.looks("first-visit")
    with kim.job("set up the organisation and its two HR admins"):
        kim.types("One-time code", code)
        kim.types("Name of the organisation", journey.walk.company)
        kim.types("Time zone", "UTC")
        kim.types("Currency", "USD")
        kim.types("Your name", FIRST)
        kim.types("Your e-mail", "kim@pmcycle.example")
        kim.types("Your password", PASSWORD)
        kim.types("Their name", SECOND)
        kim.types("Their e-mail", "leo@pmcycle.example")
        kim.presses("Set pmcycle up")
        kim.reads("Imports")
    kim.looks("imports-empty")
    return kim


def choose_password(journey: Journey, name: str, email: str) -> Person:
    """From the invitation in the mailbox, through the link, to the home page."""
    mail = journey.stack.wait_for_mail(email, "password")
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://\S+/people/invitation/\S+", body.get_content())
    assert found, body.get_content()
    person = Person(name, journey.visit(link=found.group()), journey.walk)
    with person.job("choose a password from the invitation and sign in"):
        person.page.locator("input[type=password]").nth(0).fill(PASSWORD)
        person.page.locator("input[type=password]").nth(1).fill(PASSWORD)
        person.looks("choose-password")
        person.presses("Change Password")
        person.page.wait_for_url("**/")
        person.page.get_by_role(
            "heading", level=1, name=re.compile("needs you|What needs me|Nothing", re.IGNORECASE)
        ).wait_for()
    return person


def import_people(journey: Journey, kim: Person) -> None:
    """Upload, columns, rehearsal, the double number settled by hand, applied at once by the worker."""
    files = journey.files
    kim.opens("Imports")
    with kim.job("import the company"):
        kim.page.locator("input[type=file]").set_input_files(files.people)
        kim.presses("Upload and choose columns")
        kim.reads(files.people.name)
        kim.looks("import-columns")
        # In both companies a name stands without the comma that the others have.
        kim.page.get_by_label("Names are written").select_option("given")
        kim.ticks("are built from the names")
        kim.page.locator("[name=email_domain]").fill("example.com")
        kim.presses("Rehearse")
        kim.reads(re.compile("Rehearsal"))
        expect(kim.page.get_by_text("To settle by hand")).to_be_visible()
        kim.looks("import-rehearsal")
        assert not Employee.objects.exists()  # a rehearsal changes nothing
        kim.clicks_on(kim.page.get_by_role("button", name="Use this number").last)
        kim.sees("Ready to apply")
        kim.presses("Apply the import")
        kim.page.get_by_role("link", name="See the result").wait_for(timeout=180_000)
        kim.follows("See the result")
        kim.reads(re.compile("^Applied"))
    kim.looks("import-applied")
    assert Employee.objects.count() == files.created


def import_again(journey: Journey, kim: Person) -> None:
    """The same file a second time asks nothing and changes nothing; a broken one says so beside the field."""
    kim.opens("Imports")
    kim.page.locator("input[type=file]").set_input_files(
        {
            "name": "people.xlsx",
            "mimeType": "application/zip",
            "buffer": b"PK\x03\x04 not a workbook",
        }
    )
    kim.presses("Upload and choose columns")
    kim.page.locator(".invalid-feedback, [role=alert], .notice").first.wait_for()
    kim.looks("import-refused")
    kim.page.locator("input[type=file]").set_input_files(journey.files.people)
    kim.presses("Upload and choose columns")
    kim.presses("Rehearse")
    kim.sees("The file says nothing new")


def import_ranges(journey: Journey, kim: Person) -> None:
    """The pay ranges, whose header has two rows."""
    kim.opens("Imports")
    with kim.job("import the pay ranges"):
        kim.page.get_by_label(re.compile("pay ranges", re.IGNORECASE)).first.check()
        kim.page.locator("input[type=file]").set_input_files(journey.files.ranges)
        kim.presses("Upload and choose columns")
        kim.presses("Rehearse")
        kim.presses("Apply the import")
        kim.page.get_by_role("link", name="See the result").wait_for(timeout=180_000)
        kim.follows("See the result")
    assert PayRange.objects.count() == journey.files.pay_ranges


def org_chart(journey: Journey, kim: Person) -> None:
    """Expand and search: who reports to whom is what the file said in other words."""
    cast = journey.cast
    kim.opens("People")
    kim.looks("org-chart")
    with kim.job("find who reports to a manager in the org chart"):
        kim.page.get_by_placeholder("Name, title or unit").fill(cast.manager)
        kim.page.keyboard.press("Enter")
        kim.follows(re.compile(re.escape(cast.manager)), inside=kim.page.locator("table"))
        kim.reads(cast.manager)
        expect(
            kim.page.get_by_role("link", name=re.compile(re.escape(cast.employee)))
        ).to_be_visible()
    expect(
        kim.page.get_by_role("link", name=re.compile(re.escape(cast.above))).first
    ).to_be_visible()
    kim.looks("profile")


def invite_people(journey: Journey, kim: Person) -> None:
    """Everybody with an address gets a link by mail; two HR admins make somebody of the company HR's reviewer."""
    kim.opens("Accounts and roles", "Without an account")
    kim.looks("accounts-without")
    with kim.job("invite everybody"):
        kim.confirms(re.compile("Invite all"))
        kim.sees("invited by e-mail")
    assert not User.objects.filter(employee__name=journey.cast.leaver).exists()
    reviewer = journey.user(journey.cast.reviewer)
    with kim.job("ask for a role for somebody"):
        kim.page.get_by_placeholder("Name or e-mail").fill(reviewer.email)
        kim.page.keyboard.press("Enter")
        kim.follows(re.compile(re.escape(reviewer.name)), inside=kim.page.locator("table"))
        kim.chooses("Role", "HR admin")
        kim.presses("Ask for the role")
        kim.sees("The role waits for a second person.")
    kim.looks("account")
    leo = journey.person(SECOND)
    leo.opens("Accounts and roles")
    leo.page.get_by_placeholder("Name or e-mail").fill(reviewer.email)
    leo.page.keyboard.press("Enter")
    leo.follows(re.compile(re.escape(reviewer.name)), inside=leo.page.locator("table"))
    with leo.job("approve a role as the second person"):
        leo.confirms("Approve")
        leo.sees("The role is granted.")


def walk(journey: Journey) -> None:
    """From the first visit to everybody's invitation."""
    kim = first_visit(journey)
    choose_password(journey, SECOND, "leo@pmcycle.example")
    import_people(journey, kim)
    import_again(journey, kim)
    import_ranges(journey, kim)
    org_chart(journey, kim)
    invite_people(journey, kim)
    employee = journey.user(journey.cast.employee)
    choose_password(journey, employee.name, employee.email)
