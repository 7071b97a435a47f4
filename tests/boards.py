"""The board of a cycle as HR reads it: what stands on the page, and that the page agrees with itself."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.test import Client
from django.urls import reverse

from pmcycle.activity.actions import drift, miscounted, misplaced
from pmcycle.activity.models import ToDo
from pmcycle.cycles.models import Cycle
from tests.open_items import WATCH

# The words of a line, as the picture above the lines counts them.
COUNTED_AS = {
    "done": "done",
    "under way": "open or under way",
    "open": "open or under way",
    "overdue": "overdue",
    "blocked": "blocked or missed",
    "missed": "blocked or missed",
    "nothing to do": "nothing to do, or not open yet",
    "planned": "nothing to do, or not open yet",
}
LEFT = "has left"


@dataclass
class Shown:
    """What one page of the board shows.

    `figures` are the numbers at its top by their labels; `stages` counts people by stage and word of the
    picture, `reached` by milestone, and `last` is when each was last reached; `lines` holds for each name the word
    of every stage, `beside` what is due of who is done, and `cells` all that stands in them; `units` the shares
    that are done by unit and stage, and `unit_of` who is in which.
    """

    figures: dict[str, int] = field(default_factory=dict)
    stages: dict[str, dict[str, int]] = field(default_factory=dict)
    reached: dict[str, tuple[int, int]] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    lines: dict[str, dict[str, str]] = field(default_factory=dict)
    beside: dict[str, dict[str, str]] = field(default_factory=dict)
    cells: dict[str, dict[str, str]] = field(default_factory=dict)
    units: dict[str, dict[str, str]] = field(default_factory=dict)
    unit_of: dict[str, str] = field(default_factory=dict)

    def in_stage(self, stage: str) -> dict[str, int]:
        """How many stand where in a stage, by the words of their lines."""
        return dict(Counter(line[stage] for line in self.lines.values()))

    def agrees(self) -> bool:
        """Whether every number of the page is that of its lines.

        For a page that shows all lines, of units that have no others below them.
        """
        here = {name: line for name, line in self.lines.items() if LEFT not in line.values()}
        words = [
            word
            for name in here
            for word in (*here[name].values(), *self.beside.get(name, {}).values())
        ]
        assert self.figures["Take part"] == len(here)
        assert self.figures["Blocked"] == words.count("blocked")
        assert self.figures["Overdue"] == words.count("overdue")
        for stage, counts in self.stages.items():
            counted = Counter(COUNTED_AS[line[stage]] for line in here.values())
            assert {word: n for word, n in counts.items() if n} == dict(counted), stage
            for unit, shares in self.units.items():
                inside = [line[stage] for name, line in here.items() if self.unit_of[name] == unit]
                share = f"{inside.count('done')} / {len(inside)}"
                assert shares[stage] == ("–" if "planned" in inside or not inside else share), (
                    unit,
                    stage,
                )
        for name, line in self.beside.items():
            assert {self.lines[name][stage] for stage in line} == {"done"}, name
        assert {step for step, (n, _whole) in self.reached.items() if n} == set(self.last)
        assert {whole for _n, whole in self.reached.values()} == {len(here)}
        return True


class _Page(HTMLParser):
    """Reads the marks that the parts of the page have: labels of cells, badges, names, tables of pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = Shown()
        self.classes: list[str] = []
        self.label = self.stat = self.name = self.unit = self.last_on = ""
        self.headers: list[str] = []
        self.row: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("input", "br", "img", "meta", "link"):
            return
        self.classes.append(f"{tag} {given.get('class', '')}")
        if tag == "progress" and self.within("ul reached"):
            found = re.fullmatch(r"(.+): (\d+) of (\d+)", given["aria-label"])
            assert found
            self.shown.reached[found[1]] = int(found[2]), int(found[3])
            if self.last_on:
                self.shown.last[found[1]] = self.last_on
            self.last_on = ""
        if tag == "tr":
            self.name = self.unit = ""
            self.row = []
        if tag == "td":
            self.label = given.get("data-label", "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Parts of pictures hold nothing."""

    def handle_endtag(self, tag: str) -> None:
        while self.within(f"{tag} ") and not self.classes.pop().startswith(f"{tag} "):
            pass
        if tag == "tr" and self.within("details pic-table"):
            if not self.headers:
                self.headers = self.row
            else:
                counts = map(int, self.row[1:])
                self.shown.stages[self.row[0]] = dict(zip(self.headers[1:], counts, strict=True))

    def within(self, mark: str) -> bool:
        return any(one.startswith(mark) for one in self.classes)

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text:
            return
        if self.within("ul reached") and self.within("time "):
            self.last_on = text
        if self.within("div stat-label"):
            self.stat = text
        elif self.within("div stat-value"):
            self.shown.figures[self.stat] = int(text)
        elif self.within("details pic-table") and self.within("tr "):
            self.row.append(text)
        elif self.within("span person-name"):
            self.name = text
        elif self.within("span person-note"):
            self.shown.unit_of[self.name] = text
        elif self.within("th ") and not self.name and not self.within("thead "):
            self.unit = text
        elif self.within("td ") and self.name:
            if self.within("span badge"):
                line = self.shown.lines.setdefault(self.name, {})
                if self.label in line:
                    self.shown.beside.setdefault(self.name, {})[self.label] = text
                else:
                    line[self.label] = text
            cell = self.shown.cells.setdefault(self.name, {})
            cell[self.label] = f"{cell.get(self.label, '')} {text}".strip()
        elif self.within("td num") and self.unit:
            self.shown.units.setdefault(self.unit, {})[self.label] = text


def board(client: Client, cycle: Cycle) -> Shown:
    """The board that this reader gets, which agrees with itself.

    It is read as the acts before have left it: nothing is brought up to its definition for it. While the clock
    is late, what the day leaves to it may differ.
    """
    assert WATCH.is_late or is_whole()
    answer = client.get(reverse("home:board", args=[cycle.pk]))
    assert answer.status_code == 200
    page = _Page()
    page.feed(answer.content.decode())
    assert page.shown.agrees()
    return page.shown


def is_whole() -> bool:
    """Nothing is open against its definition, nothing doubled, and what the board counts is what there is."""
    assert (drift(), misplaced(), miscounted()) == ([], [], 0)
    once = ToDo.objects.open().values_list("kind", "subject_id", "recipient", "phase")
    assert len(once) == len(set(once))
    return True
