"""Fixtures of the journeys: the whole application runs, and a real browser walks through it.

    def test_something(visit, stack):
        page = visit(ada)                     # at home, signed in as ada; visit() alone is a stranger
        go(page, "My goals", "New goal")      # from tests.journeys.walking: the menu, then links
        axe(page)                             # from tests.journeys.looking
        stack.tick("activity.deliver")        # one strike of the clock, done by the real worker
        assert stack.mails(to="ada@example.com")

A journey types no address: what no link leads to, nobody finds (tests/test_house.py holds it). It begins
at home; the one other beginning is a link out of a mail, `visit(link=…)`.

A page that logs an error, breaks the content security policy, gets a 5xx or loads something from
elsewhere fails its test. A test that provokes such a thing clears `watch.problems`.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django import DjangoDbBlocker, Settings
from pytest_django.live_server_helper import LiveServer

from tests.conftest import World, build_world
from tests.factories import appraisals, feedback, goals, incentives
from tests.journeys.looking import Watch
from tests.journeys.running import Stack
from tools.chromium import find_chromium, launch_arguments

LONGEST = (
    "test_faults.py",
    "test_the_whole_cycle.py",
    "test_access.py",
    "test_queries.py",
    "test_pictures.py",
)


class Visit(Protocol):
    """Opens home in a browser of its own, signed in as a user or as a stranger; or a link that a mail holds."""

    def __call__(
        self, user: AbstractBaseUser | None = None, *, link: str = "", phone: bool = False
    ) -> Page: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # One file is one worker's: what takes longest begins first, or the other worker waits for it at the end.
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker("journey")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": find_chromium(),
        "args": launch_arguments(),
    }


@pytest.fixture(scope="session")
def browser_context_args(
    browser_context_args: dict[str, Any], live_server: LiveServer
) -> dict[str, Any]:
    return {
        **browser_context_args,
        "base_url": live_server.url,
        "locale": "en-GB",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
        "viewport": {"width": 1280, "height": 900},
    }


@pytest.fixture(scope="session")
def _processes(
    live_server: LiveServer,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    stack = Stack(live_server.url, tmp_path_factory.mktemp("stack"))
    try:
        with django_db_blocker.unblock():
            stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(_processes: Stack, transactional_db: None, settings: Settings) -> Iterator[Stack]:
    """The whole application on this test's database: web server, worker, clock and mailbox."""
    settings.SITE_URL = _processes.url
    settings.TRAIL_SEALS_DIR = str(_processes.seals_folder)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", _processes.mail_port
    _processes.resume()
    yield _processes
    _processes.pause()


@pytest.fixture
def watch(stack: Stack) -> Iterator[Watch]:
    watch = Watch(stack.url)
    yield watch
    assert not watch.problems, "\n".join(watch.problems)


# What is awaited comes on a slow machine too; what does not come fails the test two minutes later.
PATIENCE = 120_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture
def visit(stack: Stack, watch: Watch, new_context: Callable[..., BrowserContext]) -> Visit:
    def open_page(
        user: AbstractBaseUser | None = None, *, link: str = "", phone: bool = False
    ) -> Page:
        assert not link or stack.has_mailed(link), f"no mail holds {link}"
        context = new_context(has_touch=phone, is_mobile=phone)
        if user is not None:
            context.add_cookies(
                [{"name": "sessionid", "value": session_of(user), "url": stack.url}]
            )
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        watch.follow(page)
        if phone:
            page.set_viewport_size({"width": 390, "height": 844})
        page.goto(link or "/")
        return page

    return open_page


@pytest.fixture
def under_way(stack: Stack) -> World:
    """A company in whose cycle something of every stage is under way."""
    world = build_world()
    goals.agree(world.part["ana"], world.ana, world.bashir)
    goals.propose(world.part["chen"], world.chen)
    appraisals.appealed(world)
    appraisals.hand_in(appraisals.manager_appraisal(world.part["chen"]), "Partly meets")
    incentives.write_plan(world)
    incentives.restraint(world)
    feedback.meeting_of_ana(world)
    return world


@pytest.fixture
def page(visit: Visit) -> Page:
    """A stranger's page at the address of the application."""
    return visit()


def session_of(user: AbstractBaseUser) -> str:
    """Return the key of a new session in which the user has just signed in with a password."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "pmcycle.people.backends.Backend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time()}]
    session.create()
    assert session.session_key
    return session.session_key
