"""What each stage needs of the apps above, found by its name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from pmcycle.cycles.models import Cycle, Participation, Stage
from pmcycle.cycles.rules import Finding, Leftover
from pmcycle.people.models import Employee, User


@dataclass(frozen=True)
class StageWork:
    """What one stage needs of the apps, in lists of plain functions that work in sets.

    `copies(old, new, by)` brings an app's settings into a copied cycle. `checks(cycle, people)`
    returns findings before launch. `launches(cycle)` freezes what must not change afterwards.
    `opens(cycle)` and `closes(cycle)` run when the stage does so; a closing step raises `Refused`
    while something must not be left behind, and the stage stays open. `extends(participation)` lays out for one
    person what the opening stage laid out for all, when they get more time in a stage that is closed.
    `joins(cycle, people)` does what is theirs for those who join, or come back, when the stage is closed.
    `ends(cycle, by)` runs when the whole cycle closes. `leaves(cycle, reader)` says what would stay
    open or held if the stage ended now, in a fixed number of statements, without what the reader must
    not know of themselves. `is_for_one`: the stage's acts ask for the day of each person, so that more time opens
    it for one of them after it has closed. All run inside the transaction of the verb and may run again.
    """

    copies: Sequence[Callable[[Cycle, Cycle, User], None]] = ()
    checks: Sequence[Callable[[Cycle, QuerySet[Employee]], Iterable[Finding]]] = ()
    launches: Sequence[Callable[[Cycle], None]] = ()
    opens: Sequence[Callable[[Cycle], object]] = ()
    closes: Sequence[Callable[[Cycle], None]] = ()
    extends: Sequence[Callable[[Participation], None]] = ()
    joins: Sequence[Callable[[Cycle, Collection[Participation]], None]] = ()
    ends: Sequence[Callable[[Cycle, User], None]] = ()
    leaves: Sequence[Callable[[Cycle, User | None], Iterable[Leftover]]] = ()
    is_for_one: bool = True


def stage_work() -> Mapping[str, StageWork]:
    """The table `pmcycle.stages.STAGES`, found by its name because it lies above this app."""
    table: Mapping[str, StageWork] = import_string(settings.STAGES)
    return table


def lay_out_for(cycle: Cycle, people: Collection[Participation]) -> None:
    """What the stages of this cycle have for these people, who join it or come back; nobody gets anything twice."""
    for stage in cycle.stages.exclude(state=Stage.State.PLANNED):
        work = stage_work()[stage.kind]
        if stage.state == Stage.State.OPEN:
            for opens in work.opens:
                opens(cycle)
        else:
            for joins in work.joins:
                joins(cycle, people)


def link(name: str, **kwargs: Any) -> str:
    """The address of a page that mends a finding; empty if this installation has no such page."""
    try:
        return reverse(name, kwargs=kwargs)
    except NoReverseMatch:
        return ""
