"""The manager's grid: one statement for the people, one for what is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from feedback.models import ActionItem, CheckIn, last_talk
from goals.models import Goal, KeyResult
from pmcycle.access import in_force, today
from pmcycle.cycles.models import Cycle, Participation, Stage, StageKind
from pmcycle.home.completion import stands
from pmcycle.home.contributions import NEEDS
from pmcycle.home.items import Turn, turns_of
from pmcycle.home.needs import need_url
from pmcycle.home.rules import Badge, goal_health, silence, whose_turn
from pmcycle.kept import Kept, any_day, any_key, any_moment, any_reader
from pmcycle.people.models import Absence, User
from pmcycle.spelling import holding

NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cell:
    """A badge, and where what it speaks of is done, if there is such a page; what is asked beside it is done there."""

    tone: str
    words: str
    label: str = ""
    url: str = ""
    beside: Badge | None = None


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
    labels: Sequence[str]
    rows: Sequence[Row]
    sort: str

    @property
    def is_planning(self) -> bool:
        """Whether goals are proposed now; of whom has more time alone, their own page offers it."""
        return any(
            stage.kind == StageKind.OBJECTIVES and stage.state == Stage.State.OPEN
            for stage in self.stages
        )


SORTS = ("silence", "name", "goals")


def _counted(rows: Any) -> Coalesce:
    """A count per person as a subquery, so that joins do not multiply each other."""
    counted = (
        rows.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk")).values("n")
    )
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _team(me: int, day: date, at: datetime, search: str = "") -> QuerySet[Participation]:
    """The people of the manager in the newest running cycle, with what the grid shows of each."""
    led = Participation.objects.led_by(any_reader(me)).filter(
        cycle__state=Cycle.State.RUNNING, state="active"
    )
    newest = led.order_by("-cycle__first_day", "-cycle").values("cycle")[:1]
    people = led.filter(cycle=Subquery(newest)).select_related("cycle", "employee")
    if search:
        people = people.filter(holding(search, "employee__name"))
    goals = Goal.objects.filter(participation=OuterRef("pk"), state=Goal.State.AGREED)
    results = KeyResult.objects.filter(
        goal__participation=OuterRef("pk"), goal__state=Goal.State.AGREED, retired_at__isnull=True
    )
    promises = ActionItem.objects.open().filter(owner=me, check_in__employee=OuterRef("employee"))
    planned = CheckIn.objects.filter(
        manager=me, employee=OuterRef("employee"), state=CheckIn.State.PLANNED, starts_at__gte=at
    )
    people = people.annotate(
        last_talk=last_talk(manager=me),
        next_check_in=Subquery(planned.order_by("starts_at", "pk").values("pk")[:1]),
        goals_agreed=_counted(goals),
        confidence=ArraySubquery(results.order_by().values("confidence")),
        promised=ArraySubquery(promises.order_by("due_on").values("due_on")),
        is_away=Exists(Absence.objects.filter(in_force(day), employee=OuterRef("employee"))),
    )
    return people.order_by("employee__sort_name", "pk")


def _stages(cycle: int) -> QuerySet[Stage]:
    return Stage.objects.filter(cycle=cycle).order_by("position")


TEAM: Kept[Participation] = Kept(_team, me=any_key, day=any_day, at=any_moment)
STAGES: Kept[Stage] = Kept(_stages, cycle=any_key)


def grid(user: User, now: datetime, sort: str = "silence", search: str = "") -> Grid:
    """The reader's people in the newest running cycle, longest silence first."""
    me = user.employee_id or 0
    found = list(_team(me, today(), now, search) if search else TEAM(me=me, day=today(), at=now))
    cycle = found[0].cycle if found else None
    stages = list(STAGES(cycle=cycle.pk)) if cycle else []
    staff = [row.employee_id for row in found]
    turns = turns_of(staff, cycle.pk, now) if cycle else {}
    labels = [str(stage.get_kind_display()) for stage in stages]
    rows = [_row(row, list(zip(stages, labels, strict=True)), turns, user, now) for row in found]
    if sort == "silence":
        rows.sort(key=lambda row: row.participation.last_talk or NEVER)
    elif sort == "goals":
        worst = {"danger": 0, "warn": 1, "mute": 2, "ok": 3}
        rows.sort(key=lambda row: worst[row.health.tone])
    return Grid(cycle, stages, labels, rows, sort)


NOTHING = Turn()


def _task(mine: tuple[str, int] | None, part: Participation, stage: Stage) -> str:
    """Where the manager does what a badge asks of them, or reads the goals that it speaks of."""
    if mine is not None and mine[0] in NEEDS:
        return need_url(NEEDS[mine[0]].url_name, mine[1])
    if stage.kind == StageKind.OBJECTIVES and stage.state != Stage.State.PLANNED:
        return reverse("goals:of", args=[part.pk])
    return ""


def _row(
    part: Any,
    stages: Sequence[tuple[Stage, str]],
    turns: Mapping[tuple[int, str], Turn],
    user: User,
    now: datetime,
) -> Row:
    cells, nothing = [], Badge("mute", _("nothing to do"))
    for stage, label in stages:
        turn = turns.get((part.employee_id, stage.kind), NOTHING)
        asked = whose_turn(
            theirs=part.employee_id in turn.recipients,
            mine=user.employee_id in turn.recipients,
            others=bool(turn.recipients),
            is_late=turn.due_on is not None and turn.due_on < part.cycle.local_day(now),
        )
        badge, beside = stands(stage, turn.milestone, asked, nothing)
        url = _task(turn.recipients.get(user.employee_id or 0), part, stage)
        cells.append(Cell(*badge, label, url, beside))
    return Row(
        participation=part,
        health=Cell(
            *goal_health(
                part.goals_agreed,
                *(part.confidence.count(c) for c in ("at_risk", "off_track", "on_track")),
            )
        ),
        talk=Cell(
            *silence(
                part.last_talk, now, begun=(part.cycle.local_day(now) - part.cycle.first_day).days
            )
        ),
        promises=len(part.promised),
        next_promise=part.promised[0] if part.promised else None,
        stages=cells,
    )
