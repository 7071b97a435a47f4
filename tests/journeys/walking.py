"""People who walk through the product: what they do, in how many clicks, and at which step it failed."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.journeys.looking import axe, in_both_themes, look

ROOT = Path(__file__).resolve().parents[2]
CLICKS = ROOT / ".dev" / "clicks.md"


def spoken(name: str | re.Pattern[str]) -> str | re.Pattern[str]:
    """A name with a note for those who hear the page, as in "Open: appraisal of Ana": browsers part the two."""
    if isinstance(name, str) and (": " in name or ", " in name):
        return re.compile(re.sub(r"([:,])\\ ", r"\\s*\1\\s*", re.escape(name)))
    return name


def follow(page: Page, name: str | re.Pattern[str]) -> None:
    """Click a link of the page by its words, and wait until the page that it leads to is there."""
    link = page.get_by_role("main").get_by_role("link", name=spoken(name)).first
    # Without the wait the next words might be looked for on the page that is left.
    with page.expect_navigation():
        link.click()


def go(page: Page, entry: str, *links: str | re.Pattern[str]) -> int:
    """Come to a page as people do: an entry of the menu, then links by their words. Says how many clicks it took.

    After "My menu" the first of the links is one of that menu.
    """
    clicks = 1 + len(links)
    chosen: str | re.Pattern[str]
    if entry == "My menu":
        more = page.get_by_role("button", name="More", exact=True)
        if more.is_visible():  # a phone keeps the menu behind it
            more.click()
            clicks += 1
        page.get_by_role("button", name=re.compile("^My menu")).click()
        menu, chosen, links = page.locator("#user-menu"), links[0], links[1:]
    else:
        menu = page.get_by_role("navigation", name=re.compile("^(Main|Quick menu)$"))
        # "Rewards" is not "Team rewards", and a number may follow.
        chosen = re.compile(rf"^{re.escape(entry)}")
    way = menu.get_by_role("link", name=chosen).first
    if (
        entry != "My menu" and not way.is_visible()
    ):  # on a phone, only the first ways stand at the foot
        page.get_by_role("button", name="More", exact=True).click()
        clicks += 1
    with page.expect_navigation():
        way.click()
    for link in links:
        follow(page, link)
    return clicks


@dataclass
class Counted:
    """One job of a person: how many clicks it took and how many `5-pages` allows (None: no number there)."""

    step: str
    job: str
    clicks: int = 0
    allowed: int | None = None
    pages: list[str] = field(default_factory=list)


@dataclass
class Walk:
    """A journey of several people: names its steps, counts clicks, keeps what it saw for the summary."""

    company: str
    # Whether the dark theme is judged as well: its contrast is the same in every company.
    dark_too: bool = True
    step_name: str = ""
    jobs: list[Counted] = field(default_factory=list)
    steps: list[tuple[str, float]] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    looked_at: set[str] = field(default_factory=set)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A part of the journey. A failure inside it carries its name."""
        self.step_name, began = name, time.monotonic()
        try:
            yield
        except BaseException as error:
            where = ", ".join(f"{p.name} at {p.page.url}" for p in self.people.values())
            error.add_note(f"The journey failed at: {name} ({self.company}). {where}")
            for person in self.people.values():
                person.keep_last_picture(name)
            raise
        self.steps.append((name, time.monotonic() - began))

    def look_once(self, page: Page, name: str) -> None:
        """Judge the page by the rules of access for all, and take its picture."""
        if name in self.looked_at:
            return
        self.looked_at.add(name)
        (in_both_themes if self.dark_too else axe)(page)
        if os.environ.get("PICTURES"):  # four pictures a page cost more than the walk itself
            look(page, f"journey-{name}")

    def summary(self) -> str:
        """Steps with their seconds, jobs with their clicks."""
        lines = [f"## {self.company}", "", "| step | seconds |", "|---|---|"]
        lines += [f"| {name} | {seconds:.1f} |" for name, seconds in self.steps]
        lines += ["", "| step | job | clicks | allowed | pages |", "|---|---|---|---|---|"]
        for job in self.jobs:
            allowed = "–" if job.allowed is None else job.allowed
            lines.append(
                f"| {job.step} | {job.job} | {job.clicks} | {allowed} | {' · '.join(job.pages)} |"
            )
        return "\n".join([*lines, ""])

    def write_down(self) -> None:
        """Put the summary into the file that people quote from."""
        CLICKS.parent.mkdir(exist_ok=True)
        kept = CLICKS.read_text() if CLICKS.exists() else ""
        # Each company has one part; the newest walk replaces it.
        parts = [
            part
            for part in re.split(r"(?m)^(?=## )", kept)
            if part and not part.startswith(f"## {self.company}\n")
        ]
        CLICKS.write_text("".join(f"{part.rstrip()}\n\n" for part in [*parts, self.summary()]))


class Person:
    """Somebody in front of a browser of their own. Every click is counted; typing is not."""

    def __init__(self, name: str, page: Page, walk: Walk) -> None:
        self.name = name
        self.page = page
        self.walk = walk
        self.clicks = 0
        walk.people[name] = self

    # What a person does.

    def opens(self, entry: str, *links: str | re.Pattern[str]) -> None:
        """Come to a page by the menu and by links (see `go`)."""
        self.clicks += go(self.page, entry, *links)

    def opens_record(self, name: str) -> None:
        """Find somebody in the company, and open everything about them."""
        self.opens("People")
        self.page.get_by_placeholder("Name, title or unit").fill(name)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.clicks += 1
        follow(self.page, re.compile(re.escape(name)))

    def clicks_on(self, target: Locator) -> None:
        self.clicks += 1
        target.click()

    def presses(
        self, name: str | re.Pattern[str], *, inside: Locator | None = None, exact: bool = False
    ) -> None:
        """Click a button by the words on it."""
        self.clicks_on((inside or self.page).get_by_role("button", name=name, exact=exact).first)

    def follows(
        self, name: str | re.Pattern[str], *, inside: Locator | None = None, exact: bool = False
    ) -> None:
        """Click a link by its words."""
        self.clicks_on(
            (inside or self.page).get_by_role("link", name=spoken(name), exact=exact).first
        )

    def sends(self, name: str | re.Pattern[str], *, inside: Locator | None = None) -> None:
        """Click a button that leads to another page, and wait until that page is there."""
        with self.page.expect_navigation():
            self.presses(name, inside=inside)

    def confirms(self, words: str | re.Pattern[str], *, inside: Locator | None = None) -> None:
        """Click a button that first says what will follow, and click it again in its box."""
        self.clicks_on(
            (inside or self.page).locator("details.confirm > summary", has_text=words).first
        )
        self.clicks_on(self.page.locator("dialog.ask button[type=submit]"))

    def types(
        self,
        label: str | re.Pattern[str],
        text: str,
        *,
        inside: Locator | None = None,
        exact: bool = False,
    ) -> None:
        (inside or self.page).get_by_label(label, exact=exact).first.fill(text)

    def chooses(
        self, label: str | re.Pattern[str], option: str, *, inside: Locator | None = None
    ) -> None:
        (inside or self.page).get_by_label(label).first.select_option(label=option)

    def ticks(
        self, label: str | re.Pattern[str], *, inside: Locator | None = None, exact: bool = False
    ) -> None:
        self.clicks += 1
        (inside or self.page).get_by_label(label, exact=exact).first.check()

    def gives_reasons(self, why: str) -> None:
        """Say for each kind of what is left why it may stay as it is."""
        for asked in self.page.locator(".leftovers textarea").all():
            asked.fill(why)

    def says(self, words: str) -> None:
        """Say something in the thread that stands on this page."""
        talk = self.page.locator("section.talk")
        talk.locator("textarea").fill(words)
        self.presses("Send", inside=talk)
        self.hears(words)

    # What a person sees.

    def hears(self, words: str) -> None:
        """Wait until these words stand in the thread of this page."""
        expect(self.page.locator("section.talk .thread")).to_contain_text(words)

    def sees(self, words: str | re.Pattern[str]) -> Locator:
        """Wait until these words stand on the page."""
        found = self.page.get_by_text(words).locator("visible=true").first
        found.wait_for()
        return found

    def reads(self, heading: str | re.Pattern[str]) -> None:
        """Wait for a heading."""
        self.page.get_by_role("heading", name=heading).first.wait_for()

    def looks(self, name: str) -> None:
        """Judge the page as it stands (see `Walk.look_once`)."""
        self.walk.look_once(self.page, name)

    @contextmanager
    def job(self, words: str, *, allowed: int | None = None) -> Iterator[Counted]:
        """Count the clicks of one job, and hold them against what the design of the pages allows."""
        counted = Counted(self.walk.step_name, words, allowed=allowed)
        before = self.clicks
        pages: list[str] = []
        note: Callable[[object], None] = lambda _frame: pages.append(shape_of(self.page.url))  # noqa: E731
        pages.append(shape_of(self.page.url))
        self.page.on("framenavigated", note)
        try:
            yield counted
        finally:
            self.page.remove_listener("framenavigated", note)
        counted.clicks = self.clicks - before
        counted.pages = list(dict.fromkeys(pages))
        self.walk.jobs.append(counted)
        assert allowed is None or counted.clicks <= allowed, (
            f"{words}: {counted.clicks} clicks, {allowed} allowed"
        )

    def keep_last_picture(self, name: str) -> None:
        """Save what the person saw when the journey failed."""
        folder = ROOT / ".dev" / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(
            path=folder / f"failed-{self.name.replace(' ', '-')}.png", full_page=True
        )


def shape_of(url: str) -> str:
    """The address without its host and numbers, as in /goals/…/."""
    path = re.sub(r"^https?://[^/]+", "", url).partition("?")[0]
    return re.sub(r"/\d+(?=/|$)", "/…", re.sub(r"/[A-Za-z0-9_:-]{20,}(?=/|$)", "/…", path))
