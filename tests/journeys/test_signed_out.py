"""A sign-in that ends while somebody writes: their words wait on the device, and are handed in once."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from feedback.models import Entry, Feedback
from pmcycle.people.models import User
from tests.conftest import World, build_world
from tests.factories.feedback import person
from tests.journeys.conftest import Visit
from tests.journeys.looking import Watch
from tests.journeys.walking import go

WORDS = "You explained the new press so that even I understood it."
PASSWORD = "correct horse battery staple"


@pytest.fixture
def world(transactional_db: None) -> World:
    return build_world()


def begin_feedback(page: Page, to: User) -> None:
    go(page, "Feedback", "Give feedback")
    page.get_by_label("For whom").fill(person(to).pick_text)
    page.get_by_role("radio", name="Praise", exact=True).check()
    page.get_by_label("The person and their manager").check()
    page.get_by_role("button", name="Go on to write").click()
    expect(page.get_by_label("Your words")).to_be_visible()


def sign_in(page: Page, user: User) -> None:
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.mark.timeout(300)
def test_words_sent_after_the_end_of_a_sign_in_come_back_with_the_next_one(
    world: World, visit: Visit, watch: Watch
) -> None:
    page = visit(with_password(world.ana))
    begin_feedback(page, world.chen)
    Session.objects.all().delete()
    page.get_by_label("Your words").fill(WORDS)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(page.get_by_text("Your words are kept on this device")).to_be_visible()
    expect(page.locator("textarea").filter(has_text=WORDS)).to_be_visible()
    assert not Feedback.objects.exists()
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, world.ana)
    expect(page.get_by_label("Your words")).to_have_value(WORDS)
    expect(page.get_by_text("They are not handed in yet")).to_be_visible()
    page.get_by_role("button", name="Send").dblclick()
    expect(page.get_by_text(WORDS).first).to_be_visible()
    expect(page.get_by_label("Your words")).to_have_count(0)
    assert Feedback.objects.get().body == WORDS
    page.reload()
    expect(page.get_by_text("from before you were signed out")).to_have_count(0)
    watch.problems.clear()


@pytest.mark.timeout(300)
def test_nobody_else_at_the_same_device_reads_them(
    world: World, visit: Visit, watch: Watch
) -> None:
    page = visit(with_password(world.ana))
    with_password(world.hugo)
    begin_feedback(page, world.chen)
    Session.objects.all().delete()
    page.get_by_label("Your words").fill(WORDS)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, world.hugo)
    expect(page.get_by_label("Your words")).to_be_visible()
    expect(page.get_by_label("Your words")).to_have_value("")
    expect(page.get_by_text("from before you were signed out")).to_have_count(0)
    watch.problems.clear()


@pytest.mark.timeout(300)
def test_a_talk_in_its_place_on_a_page_keeps_its_words_too(
    world: World, visit: Visit, watch: Watch
) -> None:
    page = visit(with_password(world.ana))
    go(page, "My menu", "Everything about me", re.compile("^Objectives$"))
    box = page.get_by_role("textbox", name="Say something to Bashir Nouri")
    Session.objects.all().delete()
    box.fill(WORDS)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("You are signed out. Your words are kept")).to_be_visible()
    expect(box).to_have_value(WORDS)
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, world.ana)
    expect(page.get_by_role("textbox", name="Say something to Bashir Nouri")).to_have_value(WORDS)
    page.get_by_role("button", name="Send").dblclick()
    expect(page.get_by_role("textbox", name="Say something to Bashir Nouri")).to_have_value("")
    assert Entry.objects.filter(body=WORDS).count() == 1
    watch.problems.clear()
