"""Walking through the product as a person does: from home, by links and by forms that ask."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from django.test import Client

# How often one address is asked with another query: the second page, a filter, a sort order.
QUERIES_AN_ADDRESS = 3
# How many pages of one kind are opened besides those that are named: the fourth person's page is like the third's.
PAGES_OF_A_KIND = 3
MOST_PAGES = 1000
# From which kinds of pages a kind was first reached, on any walk so far: those are opened first when it is looked for
# again. What a walk finds does not depend on it, only how soon.
KNOWN_WAYS: defaultdict[str, set[str]] = defaultdict(set)


class Ways(HTMLParser):
    """Where one page leads: the addresses of its links, and of its forms that ask (GET) with what they hold."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._form: dict[str, str] | None = None
        self._action = ""
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.found.append(given["href"])
        elif tag == "form":
            asks = given.get("method", "get").lower() == "get"
            self._form, self._action = ({} if asks else None), given.get("action", "")
        elif self._form is None:
            return
        elif (
            tag == "input"
            and given.get("name")
            and given.get("type") not in ("checkbox", "radio", "submit")
        ):
            self._form[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given.get("name", "")
        elif (
            tag == "option"
            and self._select
            and ("selected" in given or self._select not in self._form)
        ):
            self._form[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "form" and self._form is not None:
            self.found.append(f"{self._action}?{urlencode(self._form)}")
            self._form = None


def ways_of(address: str, html: str) -> Iterator[str]:
    """The addresses within the product that a page leads to, absolute, without their fragments."""
    ways = Ways()
    ways.feed(html)
    for href in ways.found:
        parts = urlsplit(urljoin(f"http://testserver{address}", href))
        if parts.scheme == "http" and parts.netloc == "testserver":
            yield parts.path + (f"?{parts.query}" if parts.query else "")


@dataclass
class Walk:
    """What one reader came to: each address with the page that first led there, and the links that led nowhere."""

    reached: dict[str, str] = field(default_factory=lambda: {"/": ""})
    dead: list[str] = field(default_factory=list)
    pages: int = 0


def kind_of(path: str) -> str:
    """An address without its numbers."""
    return re.sub(r"\d+", "#", path)


def known_ways_to(wanted: set[str]) -> set[str]:
    """The kinds of pages over which what is looked for was reached before."""
    found: set[str] = set()
    ahead = [kind_of(path) for path in wanted]
    while ahead:
        new = KNOWN_WAYS[ahead.pop()] - found
        found |= new
        ahead += new
    return found


def nearness(path: str, wanted: set[str], ways: set[str]) -> int:
    """How many leading parts of an address it has in common with one that is looked for; hubs lead far."""
    if kind_of(path) in ways:
        return 9
    parts = path.split("/")
    most = 3 if parts[-2:-1] in (["hub"], ["years"]) else 0
    for other in wanted:
        same = 0
        for one, two in zip(parts, other.split("/"), strict=False):
            if one != two:
                break
            same += 1
        most = max(most, same)
    return most


def walk(client: Client, named: set[str], *, wanted: set[str] | None = None) -> Walk:
    """From home to wherever links lead; with `wanted` only until those are reached, the likely ways first.

    Of each kind of page a few are opened, and all that are `named`.
    """
    found, asked, number = Walk(), {"/": 1}, 0
    missing = set(wanted or ())
    ways = known_ways_to(missing)
    queue = [(0, 0, "/", "")]
    while queue and found.pages < MOST_PAGES and (wanted is None or missing):
        *_, address, before = heappop(queue)
        response = client.get(address, follow=True)
        found.pages += 1
        # A form that asks and is sent as it stands may miss something: 422 is its answer, not a dead end.
        if response.status_code >= 400 and response.status_code != 422:
            found.dead.append(f"{before} leads to {address}: {response.status_code}")
            continue
        for hop, _status in getattr(response, "redirect_chain", []):
            found.reached.setdefault(urlsplit(hop).path, before)
        if response.streaming or not response.headers.get("Content-Type", "").startswith(
            "text/html"
        ):
            continue
        for way in ways_of(response.request["PATH_INFO"], response.content.decode()):
            path = way.partition("?")[0]
            if path not in found.reached:
                found.reached[path] = address
                KNOWN_WAYS[kind_of(path)].add(kind_of(address.partition("?")[0]))
            if way in asked or (
                path not in asked and path not in named and not _is_new_kind(path, asked)
            ):
                continue
            asked[way] = 1
            asked[path] = asked.get(path, 0) + 1
            if asked[path] <= QUERIES_AN_ADDRESS:
                number += 1
                heappush(queue, (-nearness(path, missing, ways), number, way, address))
        if not missing <= (missing := missing - set(found.reached)):
            ways = known_ways_to(missing)
    return found


def _is_new_kind(path: str, asked: dict[str, int]) -> bool:
    """Whether pages of this kind may still be opened; counts it."""
    kind = kind_of(path)
    if kind == path:
        return True
    asked[kind] = asked.get(kind, 0) + 1
    return asked[kind] <= PAGES_OF_A_KIND
