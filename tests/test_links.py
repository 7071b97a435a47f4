"""Every page is reached by links from home, and no link leads a reader to where they may not go.

Each of the cast walks, following links and forms that ask, through companies in which what the access
table names exists: as much as fits goes into the first, what has no place there into the next ones. A new
row of the table is covered by itself; what no person's link leads to stands below, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client, client
from django.urls import reverse

from pmcycle.cycles.models import Cycle, PopulationRule, Stage
from pmcycle.errors import Refused
from tests import open_items
from tests.access_table import ROWS, Row
from tests.conftest import ACTORS, SignedIn, World
from tests.walks import walk

NO_LINK_LEADS_TO = {
    "home:livez": "asked by whoever watches the processes",
    "home:readyz": "asked by whoever watches the processes",
    "home:robots": "asked by search engines",
    "home:favicon": "asked by browsers",
    "people:accept_invitation": "its address comes in a mail, to those who cannot sign in yet",
    "people:confirm_address": "its address comes in a mail, to the mailbox that it is about",
    "activity:draft": "asked by the script that keeps what is typed",
    "cycles:preview": "asked by the script of the step in which people are chosen",
    "goals:record_progress": "its form stands in the row of each key result; the page shows what was wrong with it",
    "feedback:calendar": "its secret address is for a calendar program",
}

# Pages of people who work here; accounts of others (auditors, who runs the system) find nothing on them.
OF_EMPLOYEES = {
    "feedback:list",
    "feedback:check_ins",
    "goals:list",
    "appraisals:list",
    "evaluations:list",
    "incentives:mine",
    "incentives:restraints",
}
# The reader may open it, but it is offered to somebody else: to the other one of the pair; to those in HR, where
# who asked for the work is in HR no more.
OFFERED_TO_THE_OTHER = {("goals:counter_change", "owner"), ("activity:job", "owner")}


def is_linked(row: Row, actor: str) -> bool:
    """Whether a person's link leads this reader to the page."""
    if row.method != "get" or actor not in row.may.split() or row.url_name.startswith("api:"):
        return False
    if row.url_name in NO_LINK_LEADS_TO or (row.url_name, actor) in OFFERED_TO_THE_OTHER:
        return False
    # Who runs the system is in no cycle: the list, which they may open, is empty for them.
    if actor == "it_admin" and row.url_name == "cycles:list":
        return False
    return not (actor in ("auditor", "it_admin") and row.url_name in OF_EMPLOYEES)


def is_ended(world: World) -> bool:
    """Whether the cycle runs no more, or a stage of it does not."""
    runs = Cycle.objects.filter(pk=world.cycle.pk, state=Cycle.State.RUNNING)
    return not runs.exists() or world.cycle.stages.exclude(state=Stage.State.OPEN).exists()


@contextmanager
def company(world: World, rows: list[Row]) -> Iterator[dict[Row, str]]:
    """What `rows` speak of, as far as one company has room for it, with the addresses; gone afterwards."""
    with transaction.atomic():
        PopulationRule.objects.get_or_create(cycle=world.cycle)
        made: dict[Any, dict[str, Any]] = {}
        was_ended = is_ended(world)
        there: dict[Row, str] = {}
        for row in rows:
            ends, had = False, set(made)
            try:
                with transaction.atomic():
                    if row.build not in made:
                        made[row.build] = row.build(world)
                        # A row that ends the cycle of the others, or a stage, has a company of its own.
                        ends = is_ended(world) and not was_ended
                        if ends and there:
                            raise Refused("")
                    there[row] = reverse(row.url_name, kwargs=made[row.build])
                if ends:
                    break
            except (Refused, DatabaseError):
                for build in set(made) - had:
                    del made[build]
                continue
        yield there
        transaction.set_rollback(True)


def leads_on(client: Client, address: str) -> tuple[int, str]:
    """The status of an address for this reader, and where it leads on to."""
    response = client.get(address)
    return response.status_code, response.headers.get("Location", "").partition("?")[0].partition(
        "#"
    )[0]


@contextmanager
def only_asking(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A walk changes nothing: what is open is brought up once, and what pages were made of is not kept."""
    open_items.catch_up()
    with monkeypatch.context() as patch:
        patch.setattr(open_items, "catch_up", lambda: None)
        patch.setattr(client, "store_rendered_templates", lambda *args, **kwargs: None)
        yield


@pytest.mark.django_db
# Every page that the reader can come to, in several companies.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("actor", [actor for actor, key in ACTORS.items() if key])
def test_every_page_is_reached_by_links(
    actor: str, world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = as_(getattr(world, str(ACTORS[actor])), raise_request_exception=False)
    rows = [row for row in ROWS if is_linked(row, actor)]
    unreached: list[str] = []
    dead: list[str] = []
    named: set[str] = set()
    is_first = True
    while rows:
        later = []
        with company(world, rows) as there, only_asking(monkeypatch):
            named |= set(there.values())
            # The first company is walked to the end, for the links that lead nowhere.
            found = walk(reader, named, wanted=None if is_first else set(there.values()))
            dead += found.dead
            for row in rows:
                if row in there and there[row] in found.reached:
                    continue
                status, onward = leads_on(reader, there[row]) if row in there else (404, "")
                if status >= 400:
                    # What another row made took its place: it is looked for in the next company.
                    later.append(row)
                elif onward not in found.reached:
                    unreached.append(f"{row.url_name} {row.state}".strip() + f" at {there[row]}")
        assert len(later) < len(rows), (
            f"no company has room for {[(r.url_name, r.state) for r in later]}"
        )
        rows, is_first = later, False
    assert unreached == [], f"pages that no link leads the {actor} to"
    assert dead == [], f"links that lead the {actor} nowhere"
