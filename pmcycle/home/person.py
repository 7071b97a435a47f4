"""The hub of a person: everything the reader may see of them over the years, as links and states.

Each app says what of a person a reader may open (`file_of`, within `visible_to`); the words stand in
`SORTS`. No content is read here: whoever opens a paper is written down there, where it is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext_lazy

import appraisals.models
import evaluations.models
import feedback.models
import goals.models
import incentives.models
import pmcycle.cycles.models
from appraisals.models import Appraisal
from evaluations.models import Evaluation
from feedback.models import CheckIn
from incentives.models import Component, RestraintEntry
from pmcycle.access import show, with_outside
from pmcycle.cycles.models import Cycle, Participation, StageKind
from pmcycle.people.models import Employee, ReportingLine, User

FILES = (
    pmcycle.cycles.models.file_of,
    goals.models.file_of,
    appraisals.models.file_of,
    incentives.models.file_of,
    evaluations.models.file_of,
    feedback.models.file_of,
)
REPORTS_SHOWN = 30


@dataclass(frozen=True)
class Sort:
    """How a paper of one kind reads: `title` with %(detail)s or %(n)d, `details` and `states` from stored to word."""

    title: Any
    icon: str
    url_name: str = ""
    query: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)


SORTS: dict[str, Sort] = {
    "cycles:life_line": Sort(gettext_lazy("Timeline in the cycle"), "history"),
    "goals:of": Sort(ngettext_lazy("%(n)d goal", "%(n)d goals", "n"), "target"),
    "goals:detail": Sort(gettext_lazy("Goal: %(detail)s"), "target"),
    "goals:contributions": Sort(gettext_lazy("Beyond the goals"), "heart"),
    "goals:contribution": Sort(
        gettext_lazy("A contribution"),
        "heart",
        states={
            "asked": pgettext_lazy("state", "not confirmed yet"),
            "declined": pgettext_lazy("state", "declined"),
        },
    ),
    "appraisals:write": Sort("%(detail)s", "edit", details=dict(Appraisal.Kind.choices)),
    "appraisals:read": Sort("%(detail)s", "list-check", details=dict(Appraisal.Kind.choices)),
    "appraisals:result": Sort(gettext_lazy("Result"), "award"),
    "appraisals:appeal": Sort(
        gettext_lazy("Review of the result"),
        "scale",
        states={
            "open": gettext_lazy("undecided"),
            "done": gettext_lazy("decided"),
        },
    ),
    "incentives:statement": Sort(gettext_lazy("Reward statement"), "file-text"),
    "incentives:award": Sort(
        gettext_lazy("Award: %(detail)s"),
        "coin",
        states={
            "calculated": gettext_lazy("calculated"),
            "recommending": gettext_lazy("in recommendation"),
            "exported": gettext_lazy("released"),
        },
    ),
    "incentives:restraint": Sort(
        gettext_lazy("Restraint: %(detail)s"),
        "scale",
        details=dict(Component.Kind.choices),
        states=dict(RestraintEntry.State.choices),
    ),
    "incentives:propose_restraint": Sort(gettext_lazy("Propose a restraint"), "plus"),
    "evaluations:read": Sort(
        gettext_lazy("Evaluation"), "file-text", states=dict(Evaluation.State.choices)
    ),
    "evaluations:write": Sort(gettext_lazy("Write the evaluation"), "edit"),
    "feedback:conversation": Sort(
        gettext_lazy("What was said: %(detail)s"), "messages", details=dict(StageKind.choices)
    ),
    "feedback:check_in": Sort(
        gettext_lazy("Check-in"), "calendar-event", states=dict(CheckIn.State.choices)
    ),
    "feedback:received": Sort(
        ngettext_lazy("%(n)d piece of feedback for me", "%(n)d pieces of feedback for me", "n"),
        "message",
        "feedback:list",
        "show=received",
    ),
    "feedback:given": Sort(
        ngettext_lazy("%(n)d piece of feedback from me", "%(n)d pieces of feedback from me", "n"),
        "message",
        "feedback:list",
        "show=given",
    ),
    "feedback:team": Sort(
        ngettext_lazy(
            "%(n)d piece of feedback shared with me", "%(n)d pieces of feedback shared with me", "n"
        ),
        "message",
        "feedback:list",
        "show=team",
    ),
    "feedback:praise": Sort(
        ngettext_lazy("%(n)d praise that all may read", "%(n)d praises that all may read", "n"),
        "heart",
        "feedback:list",
        "show=praise",
    ),
}


@dataclass(frozen=True)
class Paper:
    """One line: what it is, where it opens, how it stands and since when."""

    title: str
    url: str
    icon: str
    state: str
    state_word: str
    at: datetime | None


@dataclass(frozen=True)
class Year:
    """What stands about the person in one cycle. `conversations` are the stages' threads of the pair."""

    part: Any
    papers: Sequence[Paper]
    conversations: Sequence[tuple[str, str]]
    cycle_url: str


@dataclass(frozen=True)
class File:
    """The page: a card a cycle, what belongs to none, and whom the person leads today."""

    years: Sequence[Year]
    others: Sequence[Paper]
    reports: Sequence[Employee]
    is_own: bool


def with_reach(user: User) -> QuerySet[Employee]:
    """People with the public facts that the page shows, and whether `user` may read their record."""
    line = ReportingLine.objects.current().filter(
        kind=ReportingLine.Kind.LINE, employee=OuterRef("pk")
    )
    return Employee.objects.for_profile(user).annotate(
        manager_pk=Subquery(line.values("manager")[:1]),
        manager_name=Subquery(line.values("manager__name")[:1]),
    )


def file_of(person: Employee, user: User) -> File:
    """Everything on the page in three statements: cycles they took part in, papers in reach, their people."""
    by_part: dict[int | None, list[Any]] = defaultdict(list)
    for row in _rows(person.pk, user):
        by_part[row[2]].append(row)
    # Whoever may not see that somebody takes part may still see a goal that is open to all.
    seen = Participation.objects.visible_to(user).filter(pk=OuterRef("pk"))
    parts: Any = list(
        with_outside(Participation.objects.filter(employee=person), user)
        .annotate(is_seen=Exists(seen))
        .exclude(cycle__state=Cycle.State.DRAFT)
        .select_related("cycle")
        .with_manager()
        .order_by("-cycle__first_day", "-cycle")
    )
    show(user, [part for part in parts if part.is_seen])
    years = [
        Year(
            part,
            _papers(by_part[part.pk], person),
            _conversations(by_part[part.pk]),
            reverse("home:hub" if user.standing.is_hr else "cycles:detail", args=[part.cycle_id]),
        )
        for part in parts
        if part.is_seen or by_part[part.pk]
    ]
    reports = (
        Employee.objects.visible_to(user).reporting_to([person.pk]).order_by("sort_name", "pk")
    )
    others = _papers(by_part[None], person)
    return File(years, others, list(reports[:REPORTS_SHOWN]), person.pk == user.employee_id)


def _rows(employee_id: int, user: User) -> list[tuple[Any, ...]]:
    first, *rest = [rows for file_of_app in FILES for rows in file_of_app(employee_id, user)]
    sql, params = first.union(*rest, all=True).query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _papers(rows: Iterable[tuple[Any, ...]], person: Employee) -> list[Paper]:
    order = {kind: place for place, kind in enumerate(SORTS)}
    known = [row for row in rows if row[0] in SORTS]
    known.sort(key=lambda row: (order[row[0]], row[5] is not None and -row[5].timestamp(), row[1]))
    return [_paper(row, person) for row in known]


def _paper(row: tuple[Any, ...], person: Employee) -> Paper:
    kind, subject, _part, detail, state, at, number = row
    sort = SORTS[kind]
    words = {"detail": sort.details.get(detail, detail), "n": number or 0}
    if kind == "feedback:conversation":
        url = reverse(kind, args=[subject, detail])
    elif sort.url_name:
        query = (
            f"{sort.query}&{urlencode({'q': person.name})}"
            if kind != "feedback:received"
            else sort.query
        )
        url = f"{reverse(sort.url_name)}?{query}"
    else:
        url = reverse(kind, args=[subject])
    return Paper(
        str(sort.title % words), url, sort.icon, state, str(sort.states.get(state, "")), at
    )


def _conversations(rows: Iterable[tuple[Any, ...]]) -> list[tuple[str, str]]:
    """The threads of the pair, a stage each, where the reader is one of the two."""
    return [
        (str(StageKind(stage).label), reverse("feedback:conversation", args=[subject, stage]))
        for kind, subject, *_rest in rows
        if kind == "feedback:pair"
        for stage in StageKind.values
    ]
