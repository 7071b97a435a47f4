"""HR brings the company in from a file, looks at it, and changes one record; every page open to all senses."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from pmcycle.people.actions import accounts
from pmcycle.people.models import Employee, Organisation, ReportingLine, User
from tests.company_files import OUR_OWN
from tests.factories import people
from tests.journeys.conftest import Visit
from tests.journeys.looking import axe
from tests.journeys.running import Stack


@pytest.fixture
def kim(stack: Stack) -> User:
    """The HR admin of a company in which nobody is yet."""
    Organisation.objects.create(pk=1, name="Harbour Tools", zone="UTC", currency="USD")
    user = people.make_user(email="kim@example.com", name="Kim Larsen")
    people.grant(user, "hr_admin")
    return user


@pytest.mark.timeout(600)
def test_hr_imports_the_company_and_the_org_chart_is_right(visit: Visit, stack: Stack, kim: User) -> None:
    page = visit(kim, "/people/imports/")
    axe(page)
    page.get_by_label("File", exact=True).set_input_files(OUR_OWN.people)
    page.get_by_role("button", name="Upload and choose columns").click()

    expect(page.get_by_text("The dates in the file prove it.")).to_be_visible()
    page.get_by_label("are built from the names").check()
    page.get_by_label("At", exact=False).last.fill("harbour.example")
    axe(page)
    page.get_by_role("button", name="Rehearse").click()

    expect(page.get_by_role("heading", name="To settle by hand")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Use this number").last.click()
    page.get_by_role("button", name="Apply the import").click()
    stack.wait_for(lambda: Employee.objects.count() == OUR_OWN.created, seconds=60)

    page.goto("/people/")
    page.locator("summary", has_text="Inés Núñez").click()
    expect(page.get_by_role("link", name="Linh Tran")).to_be_visible()
    axe(page)
    page.goto("/people/?q=tran")
    page.get_by_role("link", name="Linh Tran").click()
    expect(page.get_by_role("heading", name="Pay")).to_be_visible()
    axe(page)
    page.get_by_role("link", name="Change the record").click()
    manager = page.get_by_label("Reports to")
    manager.fill("")
    manager.press_sequentially("chidi", delay=30)
    option = page.locator("datalist#people option").first
    option.wait_for(state="attached")
    axe(page)
    manager.fill(option.get_attribute("value") or "")
    page.get_by_role("button", name="Change the manager").click()
    expect(page.get_by_text("The new manager counts from that day on.")).to_be_visible()
    line = ReportingLine.objects.get(employee__number="7009", ends_on=None)
    assert line.manager.name == "Chidi Abara"


@pytest.mark.timeout(600)
def test_accounts_and_ones_own_pages_are_open_to_all_senses(visit: Visit, stack: Stack, kim: User) -> None:
    people.make_employee("Olga Berg", people.make_unit("Harbour Tools"))
    page = visit(kim, "/people/accounts/")
    axe(page)
    page.get_by_role("link", name="Kim Larsen").last.click()
    axe(page)
    page.goto("/people/accounts/?show=without")
    page.get_by_label("Invite Olga Berg").check()
    axe(page)
    page.get_by_role("button", name="Invite the chosen").click()
    expect(page.get_by_text("1 person is invited by e-mail.")).to_be_visible()
    for path in ("/people/settings/", "/people/tokens/", "/people/picker/?q=olga"):
        page.goto(path)
        axe(page)
    page.get_by_role("link", name="Calendar").click()
    page.get_by_label("Day", exact=True).fill("2040-12-25")
    page.get_by_label("Name").fill("Christmas Day")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("is in the calendar")).to_be_visible()
    axe(page)


@pytest.mark.timeout(600)
def test_a_stranger_sets_an_empty_installation_up(visit: Visit, stack: Stack) -> None:
    code = accounts.new_setup_code()
    page = visit(None, "/")
    axe(page)
    for label, text in [
        ("One-time code", code), ("Name of the organisation", "Harbour Tools"), ("Your name", "Kira Moss"),
        ("Your e-mail", "kira@harbour.example"), ("Your password", "a long enough phrase"),
        ("Their name", "Leo Park"), ("Their e-mail", "leo@harbour.example"),
    ]:  # fmt: skip
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Set pmcycle up").click()
    expect(page.get_by_role("heading", name="Imports")).to_be_visible()
    expect(page.get_by_text("Your second HR admin")).to_be_visible()
    axe(page)
