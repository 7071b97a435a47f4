"""A due self-appraisal reminds its author by mail and in the inbox: once, in their morning, by the real worker."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from pmcycle.access import today
from pmcycle.activity.models import Notice
from pmcycle.cycles.models import Stage
from pmcycle.people.models import Employee, Organisation
from tests.conftest import build_world
from tests.factories import appraisals
from tests.journeys.conftest import Visit
from tests.journeys.looking import axe
from tests.journeys.running import Stack


def where_it_is(hour: int) -> str:
    """A zone in which it is this hour now, so that the test does not depend on the time of day."""
    offset = (hour - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-offset:+d}" if offset else "UTC"


@pytest.mark.django_db(transaction=True)
def test_a_due_self_appraisal_reminds_its_author_once_in_their_morning(stack: Stack, visit: Visit) -> None:
    world = build_world()
    assert world.hugo.employee_id
    assert world.jan.employee_id
    Organisation.objects.update(working_days=[1, 2, 3, 4, 5, 6, 7])
    Employee.objects.update(zone=where_it_is(10))
    appraisals.open_stage(world.cycle)
    # Chen has handed in, Hugo has left, and in Jan's zone it is night; only Ana is to be reminded.
    appraisals.hand_in(appraisals.self_appraisal(world.part["chen"]))
    Employee.objects.filter(pk=world.hugo.employee_id).update(left_on=today() - timedelta(days=1))
    Employee.objects.filter(pk=world.jan.employee_id).update(zone=where_it_is(3))
    Stage.objects.filter(cycle=world.cycle, kind="appraisal").update(due_on=today() + timedelta(days=1))

    stack.tick("home.remind")
    mail = stack.wait_for_mail(world.ana.email, "Write your self-appraisal")
    assert str(mail["Message-ID"]).startswith("<notice-")
    words = mail.get_body(("plain",))
    assert words is not None
    link = next(line for line in words.get_content().splitlines() if "/appraisals/" in line)

    page = visit(world.ana, "/activity/inbox/")
    expect(page.get_by_text("Write your self-appraisal").first).to_be_visible()
    axe(page)
    page.get_by_role("button", name=re.compile(r"^Open\s*: Write your self-appraisal")).first.click()
    assert page.url == link.strip()

    stack.tick("home.remind")
    stack.tick("home.deliver")
    assert len(stack.mails(to=world.ana.email)) == 1
    for user in (world.chen, world.hugo, world.jan):
        assert not [m for m in stack.mails(to=user.email) if "self-appraisal" in str(m["Subject"])]
        assert not Notice.objects.filter(recipient=user, subject_kind="appraisals:self").exists()
