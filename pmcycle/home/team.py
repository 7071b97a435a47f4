"""The manager's grid: one statement for the people, one for what is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from feedback.models import ActionItem, last_talk
from goals.models import Goal, KeyResult
from pmcycle.access import in_force
from pmcycle.activity.models import Place
from pmcycle.cycles.models import Cycle, Participation, Stage
from pmcycle.home.completion import DONE
from pmcycle.home.contributions import MILESTONES
from pmcycle.home.items import Item, open_items_about
from pmcycle.home.rules import goal_health, silence, stage_state
from pmcycle.people.models import Absence, User

NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cell:
    tone: str
    words: str
    label: str = ""


@dataclass(frozen=True)
class Row:
    """One person of the team."""

    participation: Any
    health: Cell
    talk: Cell
    promises: int
    next_promise: date | None
    stages: Sequence[Cell]


@dataclass(frozen=True)
class Grid:
    cycle: Cycle | None
    stages: Sequence[Stage]
    rows: Sequence[Row]
    sort: str


SORTS = ("silence", "name", "goals")


def _counted(rows: Any) -> Coalesce:
    """A count per person as a subquery, so that joins do not multiply each other."""
    counted = rows.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def grid(user: User, now: datetime, today: date, sort: str = "silence", search: str = "") -> Grid:
    """The reader's people in the newest running cycle, longest silence first."""
    led = Participation.objects.led_by(user).filter(cycle__state=Cycle.State.RUNNING, state="active")
    newest = led.order_by("-cycle__first_day", "-cycle").values("cycle")[:1]
    people = led.filter(cycle=Subquery(newest)).select_related("cycle", "employee")
    if search:
        people = people.filter(employee__name__icontains=search)
    goals = Goal.objects.filter(participation=OuterRef("pk"), state=Goal.State.AGREED)
    results = KeyResult.objects.filter(
        goal__participation=OuterRef("pk"), goal__state=Goal.State.AGREED, retired_at__isnull=True
    )
    promises = ActionItem.objects.filter(
        owner=user.employee_id,
        check_in__employee=OuterRef("employee"),
        done_at__isnull=True,
        dropped_at__isnull=True,
    )
    people = people.annotate(
        last_talk=last_talk(),
        goals_agreed=_counted(goals),
        on_track=_counted(results.filter(confidence="on_track")),
        at_risk=_counted(results.filter(confidence="at_risk")),
        off_track=_counted(results.filter(confidence="off_track")),
        promises=_counted(promises),
        next_promise=Subquery(promises.order_by("due_on").values("due_on")[:1]),
        is_away=Exists(Absence.objects.filter(in_force(today), employee=OuterRef("employee"))),
    )
    found = list(people.order_by("employee__sort_name", "pk"))
    cycle = found[0].cycle if found else None
    stages = list(cycle.stages.all()) if cycle else []
    staff = [row.employee_id for row in found]
    items = open_items_about(staff, cycle.pk, now) if cycle else []
    places = Place.objects.filter(participation__in=found).values_list("participation", "stage", "milestone")
    come = {(part, stage): milestone for part, stage, milestone in places} if found else {}
    turns = _turns(items)
    rows = [_row(row, stages, turns, come, user, now, today) for row in found]
    if sort == "silence":
        rows.sort(key=lambda row: row.participation.last_talk or NEVER)
    elif sort == "goals":
        worst = {"danger": 0, "warn": 1, "mute": 2, "ok": 3}
        rows.sort(key=lambda row: worst[row.health.tone])
    return Grid(cycle, stages, rows, sort)


Turns = dict[tuple[int | None, str], list[Item]]


def _turns(items: Sequence[Item]) -> Turns:
    """What is open in the cycle, by the person it is about and by stage."""
    turns: Turns = defaultdict(list)
    for item in items:
        turns[item.about, item.stage].append(item)
    return turns


def _row(
    part: Any,
    stages: Sequence[Stage],
    turns: Turns,
    come: Mapping[tuple[int, str], str],
    user: User,
    now: datetime,
    today: date,
) -> Row:
    cells = []
    for stage in stages:
        open_here = turns.get((part.employee_id, stage.kind), [])
        milestone = come.get((part.pk, stage.kind), "")
        tone, words = stage_state(
            stage.state,
            theirs=any(item.recipient == part.employee_id for item in open_here),
            mine=any(item.recipient == user.employee_id for item in open_here),
            others=bool(open_here),
            is_late=any(item.due_on and item.due_on < today for item in open_here),
            milestone=MILESTONES.get(milestone, ""),
            is_done=milestone in DONE,
        )
        cells.append(Cell(tone, words, stage.get_kind_display()))
    return Row(
        participation=part,
        health=Cell(*goal_health(part.goals_agreed, part.at_risk, part.off_track, part.on_track)),
        talk=Cell(*silence(part.last_talk, now)),
        promises=part.promises,
        next_promise=part.next_promise,
        stages=cells,
    )
