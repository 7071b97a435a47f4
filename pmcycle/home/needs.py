"""What home shows to one reader: a handful of statements whatever the size of the company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from feedback.models import ActionItem
from pmcycle.activity.models import Delivery, Heartbeat, Life, ToDo
from pmcycle.cycles.models import Cycle, Participation, Stage, day_in
from pmcycle.days import today_here, today_in, zone_of
from pmcycle.home.completion import DONE, stands
from pmcycle.home.contributions import AWAITED, MANY, NEEDS
from pmcycle.home.items import Item, open_items_of
from pmcycle.home.rules import Badge, Group, Line, asked_of_me, grouped, time_needed
from pmcycle.kept import Kept, any_key, any_reader
from pmcycle.people.models import User

SENTINEL = 10**15 + 7
PROMISES_SHOWN = 40


@dataclass(frozen=True)
class StageLine:
    """One stage of the cycle on the ring, and the reader's part in it."""

    stage: Stage
    badge: Badge
    beside: Badge | None
    done: int

    @property
    def when(self) -> date | None:
        """The day that matters next: when it opens or is due; none once it is closed."""
        if self.stage.state == Stage.State.PLANNED:
            return self.stage.opens_on
        return self.stage.due_on if self.stage.state == Stage.State.OPEN else None

    def as_arc(self) -> dict[str, Any]:
        return {
            "label": self.stage.get_kind_display(),
            "state": self.stage.state,
            "done": self.done,
        }


@dataclass(frozen=True)
class Desk:
    """Everything on one reader's home."""

    groups: Sequence[Group]
    waits: Sequence[Line]
    cycle: Cycle | None
    participation: Participation | None
    stages: Sequence[StageLine]
    promises: Sequence[ActionItem]
    roles: Sequence[Line]

    @property
    def is_clear(self) -> bool:
        """Nothing is to do, and nothing to look after."""
        return not self.groups and not self.roles

    @property
    def count(self) -> int:
        return sum(len(group.lines) for group in self.groups)

    @property
    def time(self) -> str:
        return time_needed(sum(group.minutes for group in self.groups))

    @property
    def arcs(self) -> list[dict[str, Any]]:
        return [line.as_arc() for line in self.stages]


def need_url(url_name: str, pk: int = SENTINEL) -> str:
    """The address of an item; some kinds lead to a page of all, which takes no number."""
    try:
        return reverse(url_name, args=[pk])
    except NoReverseMatch:
        return reverse(url_name)


def words_and_url(kind: str, subject: int, name: str, phase: str) -> tuple[str, str]:
    """The title of a to-do for who has to do it, or for who waits, and the address of what it is about."""
    need = NEEDS[kind]
    words = need.waits if phase == "waits" and need.waits else need.title
    return str(words) % {"name": name}, need_url(need.url_name, subject)


# What two people agreed in a check-in; their page has its words.
AGREED = ("feedback:action", "feedback:promise")


def line_of(item: Item, agreed: Mapping[int, ActionItem]) -> Line:
    """An item in words; `agreed` has those of what was promised or agreed in a check-in."""
    need = NEEDS[item.kind]
    title, url = words_and_url(item.kind, item.subject, item.name, item.phase)
    return Line(
        title=title,
        button=str(need.button),
        url=url,
        due_on=item.due_on,
        minutes=need.minutes,
        stage=item.stage,
        on=today_in(zone_of(item.zone) or UTC) if item.zone else today_here(),
        zone=item.zone or "",
        kind=item.kind,
        name=item.name,
        words=agreed[item.subject].text if item.kind in AGREED and item.subject in agreed else "",
        is_awaited=item.kind in AWAITED,
    )


def desk(user: User) -> Desk:
    """What needs the reader today, what waits on others, and how the cycle stands."""
    mine = open_items_of(user.employee_id, timezone.now()) if user.employee_id else []
    todo = [item for item in mine if item.phase == "todo"]
    waits = [item for item in mine if item.phase != "todo"]
    participation = RUNNING.first(me=user.employee_id) if user.employee_id else None
    cycle = participation.cycle if participation else _running_cycle(user)
    agreed = {row.pk: row for row in _promises(user)}
    to_keep = {item.subject for item in todo if item.kind in AGREED}
    # What others promised stands with its words beside the ring, so not among what is waited for too.
    others = [item for item in waits if item.kind not in AGREED or item.subject not in agreed]
    return Desk(
        groups=grouped([line_of(item, agreed) for item in todo], MANY),
        waits=sorted(
            (line_of(item, agreed) for item in others),
            key=lambda line: (line.due_on or date.max, line.title),
        ),
        cycle=cycle,
        participation=participation,
        stages=_stage_lines(cycle, participation, todo, waits) if cycle else [],
        promises=[row for row in agreed.values() if row.pk not in to_keep],
        roles=role_lines(user),
    )


def _running(me: int) -> QuerySet[Participation]:
    return Participation.objects.mine(any_reader(me)).filter(cycle__state=Cycle.State.RUNNING)[:1]


def _promised(me: int) -> QuerySet[ActionItem]:
    rows = ActionItem.objects.visible_to(any_reader(me)).open()
    return rows.select_related("owner").order_by("due_on", "pk")[:PROMISES_SHOWN]


RUNNING: Kept[Participation] = Kept(_running, me=any_key)
PROMISED: Kept[ActionItem] = Kept(_promised, me=any_key)


def _running_cycle(user: User) -> Cycle | None:
    return Cycle.objects.visible_to(user).filter(state=Cycle.State.RUNNING).first()


def _stage_lines(
    cycle: Cycle, participation: Participation | None, todo: Sequence[Item], waits: Sequence[Item]
) -> list[StageLine]:
    """The stages with what the reader has to do in each, and how far they have come."""
    rows = participation.places.values_list("stage", "milestone") if participation else ()
    come, lines = dict(rows), []
    for stage in cycle.stages.all():
        mine = sum(item.stage == stage.kind and item.cycle == cycle.pk for item in todo)
        others = sum(item.stage == stage.kind and item.cycle == cycle.pk for item in waits)
        milestone = come.get(stage.kind, "")
        badge, beside = stands(stage, milestone, asked_of_me(mine), _nothing_of_mine(stage, others))
        lines.append(StageLine(stage, badge, beside, int(milestone in DONE)))
    return lines


def _nothing_of_mine(stage: Stage, waits: int) -> Badge:
    """A stage in which nothing is asked of the reader, who has come nowhere in it yet."""
    if waits:
        return Badge("info", _("waiting for others"))
    return Badge(
        "mute", _("closed") if stage.state == Stage.State.CLOSED else _("nothing for you now")
    )


def _promises(user: User) -> list[ActionItem]:
    """What the reader promised in check-ins and what was promised to them, soonest first."""
    if not user.employee_id:
        return []
    return list(PROMISED(me=user.employee_id))


def role_lines(user: User) -> list[Line]:
    """What waits in the company's machinery for those who look after it."""
    standing, lines = user.standing, []
    if standing.is_hr_admin or standing.is_it_admin:
        lines += _held_lines(standing.is_it_admin)
    if standing.is_hr_admin:
        lines += _hr_lines()
    if standing.is_auditor:
        lines.append(
            Line(
                _("Look through the audit trail"),
                _("Open"),
                need_url("activity:trail"),
                None,
                10,
                "",
            )
        )
    if standing.is_it_admin:
        lines += _operator_lines()
    return lines


def _hr_lines() -> list[Line]:
    # Somebody is missing where a to-do is past its day, not where the stage's day has passed and all is done.
    late = ToDo.objects.now(timezone.now()).filter(
        cycle=OuterRef("pk"),
        stage=OuterRef("stages__kind"),
        phase=ToDo.Phase.TODO,
        due_on__lt=day_in("cycle"),
    )
    counts = Cycle.objects.aggregate(
        drafts=Count("pk", filter=Q(state=Cycle.State.DRAFT)),
        running=Count("pk", filter=Q(state=Cycle.State.RUNNING)),
        draft=Max("pk", filter=Q(state=Cycle.State.DRAFT)),
        newest=Max("pk", filter=Q(state=Cycle.State.RUNNING)),
        overdue=Count(
            "stages__pk",
            distinct=True,
            filter=Q(
                Exists(late),
                state=Cycle.State.RUNNING,
                stages__state="open",
                stages__due_on__lt=day_in(""),
            ),
        ),
    )
    lines = []
    if counts["drafts"] == 1:
        lines.append(
            Line(
                _("A cycle is being prepared"),
                _("Continue"),
                need_url("cycles:detail", counts["draft"]),
                None,
                10,
                "",
            )
        )
    elif counts["drafts"]:
        words = _("%(n)d cycles are being prepared") % {"n": counts["drafts"]}
        lines.append(Line(words, _("Continue"), need_url("cycles:list"), None, 10, ""))
    if counts["overdue"]:
        words = ngettext(
            "%(n)d stage is open past its due day",
            "%(n)d stages are open past their due day",
            counts["overdue"],
        ) % {"n": counts["overdue"]}
        lines.append(
            Line(words, _("Who is missing"), need_url("home:board", counts["newest"]), None, 5, "")
        )
    if not counts["drafts"] and not counts["running"]:
        lines.append(
            Line(_("No cycle is running"), _("Prepare one"), need_url("cycles:list"), None, 10, "")
        )
    return lines


def _held_lines(is_it_admin: bool) -> list[Line]:
    """That this is a restored copy, whose mails somebody has to let go."""
    if not Life.objects.held().exists():
        return []
    where = need_url("activity:operations" if is_it_admin else "activity:deliveries")
    words = _("This is a restored copy: no mail leaves until you let them go")
    return [Line(words, _("Decide"), where, None, 5, "")]


def _operator_lines() -> list[Line]:
    operations = need_url("activity:operations")
    failed = Delivery.objects.filter(state=Delivery.State.FAILED).count()
    heard = Heartbeat.objects.filter(
        name="deliver", at__gte=timezone.now() - timedelta(minutes=5)
    ).exists()
    lines = []
    if not heard:
        words = _("The clock has not struck for five minutes: no mail leaves")
        lines.append(Line(words, _("Look"), operations, None, 5, ""))
    if failed:
        words = ngettext(
            "%(n)d mail could not be sent", "%(n)d mails could not be sent", failed
        ) % {"n": failed}
        lines.append(Line(words, _("Look"), operations, None, 5, ""))
    return lines or [Line(_("Everything runs"), _("Operations"), operations, None, 1, "")]
