"""The pages of people that the walk of the whole cycle does not pass: usable by all."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from pmcycle.people.models import Organisation, ReportingLine, User
from tests.factories import people
from tests.journeys.conftest import Visit
from tests.journeys.looking import axe
from tests.journeys.running import Stack
from tests.journeys.walking import follow, go


@pytest.fixture
def kim(stack: Stack) -> User:
    """The HR admin of a company in which nobody is yet."""
    Organisation.objects.create(pk=1, name="Harbour Tools", zone="UTC", currency="USD")
    user = people.make_user(email="kim@example.com", name="Kim Larsen")
    people.grant(user, "hr_admin")
    return user


def test_a_name_is_chosen_while_it_is_typed(visit: Visit, stack: Stack, kim: User) -> None:
    unit = people.make_unit("Harbour Tools")
    linh, chidi = people.make_employee("Linh Tran", unit), people.make_employee("Chidi Abara", unit)
    page = visit(kim)
    go(page, "People", "Linh Tran", "Profile: Linh Tran")
    expect(page.get_by_role("heading", name="Pay")).to_be_visible()
    page.get_by_role("link", name="Edit the record").click()
    manager = page.get_by_label("Reports to")
    manager.press_sequentially("chidi", delay=30)
    page.get_by_role("option", name="Chidi Abara").wait_for()
    axe(page)
    manager.press("ArrowDown")
    manager.press("Enter")
    page.get_by_role("button", name="Change the manager").click()
    expect(page.get_by_text("The new manager counts from that day on.")).to_be_visible()
    assert ReportingLine.objects.get(employee=linh, ends_on=None).manager == chidi


@pytest.mark.timeout(600)
def test_accounts_and_ones_own_pages_are_open_to_all_senses(
    visit: Visit, stack: Stack, kim: User
) -> None:
    people.make_employee("Olga Berg", people.make_unit("Harbour Tools"))
    page = visit(kim)
    go(page, "Accounts and roles")
    axe(page)
    follow(page, "Kim Larsen")
    axe(page)
    go(page, "Accounts and roles", "Without an account")
    page.get_by_label("Invite Olga Berg").check()
    axe(page)
    page.get_by_role("button", name="Invite the chosen").click()
    expect(page.get_by_text("1 person is invited by e-mail.")).to_be_visible()
    for own in ("Settings", "API tokens"):
        go(page, "My menu", own)
        axe(page)
