"""All that an act would leave behind: every kind whole, by name and page by page, from the page that asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appraisals.actions import left_of_release
from pmcycle import typed
from tests.conftest import SignedIn, World
from tests.factories import appraisals, cycles, incentives
from tests.pages import flat
from tests.query_tables.cycles import more_people
from tests.walks import ways_of

pytestmark = pytest.mark.django_db
MANY = 25  # more than are named at once


def closing_a_stage(world: World) -> str:
    return reverse("cycles:close_stage", args=[world.cycle.stages.get(kind="appraisal").pk])


def closing_the_cycle(world: World) -> str:
    return reverse("cycles:close", args=[world.cycle.pk])


def releasing_results(world: World) -> str:
    appraisals.rate(world.ana_part)
    return reverse("appraisals:release", args=[world.cycle.pk])


def approving_rewards(world: World) -> str:
    incentives.rate(world.ana_part)
    incentives.recommending(world)
    return reverse("incentives:run", args=[world.cycle.pk])


def releasing_rewards(world: World) -> str:
    incentives.rate(world.ana_part)
    incentives.approved(world)
    return reverse("incentives:run", args=[world.cycle.pk])


PAGES = [
    closing_a_stage,
    closing_the_cycle,
    releasing_results,
    approving_rewards,
    releasing_rewards,
]


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed, "LEFTOVERS_A_PAGE", 10)


def lists(client: Client, address: str) -> list[str]:
    """The addresses of whole lists that a page leads to."""
    ways = ways_of(address, client.get(address).content.decode())
    return sorted({way for way in ways if "kind=" in way})


def names_of(client: Client, address: str) -> list[tuple[str, str]]:
    """Everybody on all pages of a list, with the way to where it is settled."""
    found: list[tuple[str, str]] = []
    for number in range(1, 9):
        html = client.get(f"{address}&page={number}").content.decode()
        found += [
            (unescape(name), unescape(url))
            for url, name in re.findall(
                r'<div class="todo-what">\s*<a href="([^"]+)">([^<]+)</a>', html
            )
        ]
        if 'rel="next"' not in html:
            break
    return found


@pytest.mark.parametrize("page", PAGES, ids=[page.__name__ for page in PAGES])
def test_what_is_not_named_is_one_link_away(
    world: World, as_: SignedIn, page: Callable[[World], str]
) -> None:
    appraisals.open_stage(world.cycle)
    more_people(world, MANY)
    client = as_(world.lea if page is approving_rewards else world.kim)
    address = page(world)
    shown = flat(client.get(address))
    whole = lists(client, address)
    assert whole, "more than are named"
    for way in whole:
        found = names_of(client, way)
        title = re.search(r"<h1[^>]*>\s*(.*?)\s*</h1>", client.get(way).content.decode(), re.DOTALL)
        assert title
        assert title[1] in shown
        assert len(found) == int(title[1].split()[0]), title[1]
        assert len(set(found)) == len(found)
        assert {f"Extra Person{10 + number}" for number in (0, MANY - 1)} <= {
            name for name, _url in found
        }
        assert {client.get(url).status_code for _name, url in (found[0], found[-1])} == {200}
        assert address in client.get(way).content.decode(), "the way back"


def test_a_page_that_was_sent_back_leads_to_the_lists_all_the_same(
    world: World, as_: SignedIn
) -> None:
    more_people(world, MANY)
    address = approving_rewards(world)
    run = incentives.run_in_recommendation(world)["pk"]
    client = as_(world.lea)
    refused = client.post(reverse("incentives:approve", args=[run]), {"version": 1})
    assert refused.status_code == 422
    ways = [way for way in ways_of(address, refused.content.decode()) if "kind=" in way]
    assert ways
    assert all(client.get(way).status_code == 200 for way in ways)


def test_the_second_person_reads_the_whole_of_what_was_accepted(
    world: World, as_: SignedIn
) -> None:
    more_people(world, MANY)
    address = releasing_results(world)
    left = cycles.reasons(left_of_release(world.cycle, world.lea))
    asked = reverse("appraisals:request_release", args=[world.cycle.pk])
    assert as_(world.lea).post(asked, left).status_code == 302
    kim = as_(world.kim)
    [way] = lists(kim, address)
    assert "Extra Person34" in [name for name, _url in names_of(kim, way)]


def test_nobody_finds_more_than_on_the_page_itself(world: World, as_: SignedIn) -> None:
    appraisals.open_stage(world.cycle)
    query = {"kind": "appraisals:unrated"}
    for user, status in ((world.ana, 404), (world.ines, 403), (world.mira, 404), (world.noor, 404)):
        for address in (closing_a_stage(world), closing_the_cycle(world)):
            assert as_(user).get(address, query).status_code == status
    own = names_of(as_(world.kim), f"{closing_a_stage(world)}?kind=appraisals%3Aself")
    assert dict(own)[world.kim.name] == reverse("home:index"), "nobody settles their own"
    assert len(own) == world.cycle.participations.count()


@pytest.mark.parametrize("absurd", ["", "appraisals:nothing", "x" * 500, "a\x00b"])
def test_a_kind_of_which_nothing_is_left_shows_the_page_of_the_act(
    world: World, as_: SignedIn, absurd: str
) -> None:
    appraisals.open_stage(world.cycle)
    shown = flat(as_(world.kim).get(closing_a_stage(world), {"kind": absurd}))
    assert "closes for everybody now" in shown


def test_a_page_that_does_not_exist_is_the_nearest(world: World, as_: SignedIn) -> None:
    appraisals.open_stage(world.cycle)
    for page in ("0", "-1", "99999999999999999999", "last", ""):
        query = {"kind": "appraisals:self", "page": page}
        assert as_(world.kim).get(closing_a_stage(world), query).status_code == 200


@pytest.mark.parametrize("page", PAGES, ids=[page.__name__ for page in PAGES])
def test_the_statements_of_a_list_do_not_grow_with_it(
    world: World, as_: SignedIn, page: Callable[[World], str]
) -> None:
    more_people(world, 1)
    appraisals.open_stage(world.cycle)
    address = page(world)
    kind = "incentives:no_rating" if "run" in address else "appraisals:unrated"
    client = as_(world.lea if page is approving_rewards else world.kim)
    counts = []
    for rows in (0, 29):
        more_people(world, rows)
        client.get(address, {"kind": kind})
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address, {"kind": kind}).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
