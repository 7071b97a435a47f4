"""Cycles as everybody reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.cycles.actions import link
from pmcycle.cycles.models import (
    Cycle,
    Participation,
    RatingLevel,
    Reopening,
    Stage,
)
from pmcycle.people.models import User


def line_of(stages: Any) -> list[dict[str, Any]]:
    """Stages in the shape of the timeline picture."""
    return [
        {"label": str(s), "start": s.opens_on, "end": s.due_on, "state": s.state} for s in stages
    ]


@dataclass(frozen=True)
class ListedCycle:
    """One cycle on the list, its stages as the timeline takes them, and the day where it is."""

    cycle: Cycle
    stages: list[dict[str, Any]]
    today: date
    is_hr: bool

    @property
    def is_draft(self) -> bool:
        return self.cycle.state == Cycle.State.DRAFT

    @property
    def state(self) -> str:
        """The usual state whose badge it wears."""
        return {"running": "active", "archived": "closed"}.get(self.cycle.state, self.cycle.state)

    @property
    def word(self) -> str:
        """The word on the badge, "" for the usual one."""
        return _("archived") if self.cycle.state == Cycle.State.ARCHIVED else ""

    @property
    def copy(self) -> str:
        """What the page of a new cycle is asked for, to begin with this one."""
        return f"copy_of={self.cycle.pk}"


WHAT = {
    "objectives": gettext_lazy(
        "You and your manager propose goals to each other and agree on them; weights come to 100."
    ),
    "appraisal": gettext_lazy(
        "You and your manager look back over the goals and the year. You read the result after its release."
    ),
    "incentives": gettext_lazy(
        "What the published rules give for results and behaviour is calculated, recommended and approved."
    ),
    "evaluation": gettext_lazy(
        "Your manager writes down achievements, shortcomings and next steps; you both sign."
    ),
}

PAGES = {
    "objectives": "goals:list",
    "appraisal": "appraisals:list",
    "incentives": "incentives:mine",
    "evaluation": "evaluations:list",
}


@dataclass(frozen=True)
class StageStep:
    """What a stage asks of people, with the reader's own day in it and their page, if there are."""

    stage: Stage
    what: str
    own_day: date | None
    url: str


@dataclass(frozen=True)
class Way:
    """Where a page leads to, in words."""

    label: str
    url: str


@dataclass(frozen=True)
class DatesAndRules:
    """A cycle as everybody reads it; `part` is the reader's own, `reopening` what HR admins decide on."""

    cycle: Cycle
    user: User
    today: date
    steps: list[StageStep]
    part: Participation | None
    levels: list[RatingLevel]
    reopening: Reopening | None
    links: list[Way]

    @property
    def line(self) -> list[dict[str, Any]]:
        return line_of(step.stage for step in self.steps)

    @property
    def is_hr(self) -> bool:
        return self.user.standing.is_hr

    @property
    def is_over(self) -> bool:
        return self.cycle.state in (Cycle.State.CLOSED, Cycle.State.ARCHIVED)

    @property
    def may_close(self) -> bool:
        return self.user.standing.is_hr_admin and self.cycle.state == Cycle.State.RUNNING

    @property
    def may_reopen(self) -> bool:
        return self.user.standing.is_hr_admin and self.cycle.state == Cycle.State.CLOSED

    @property
    def may_approve(self) -> bool:
        return self.reopening is not None and self.reopening.requested_by_id != self.user.pk


def dates_and_rules(cycle: Cycle, user: User, today: date) -> DatesAndRules:
    """What happens when in a cycle; for those who take part with their own days."""
    stages, part = list(cycle.stages.all()), None
    if user.employee_id:
        mine = cycle.participations.filter(employee=user.employee_id).with_manager()
        part = mine.prefetch_related("extensions").first()
    reopening = None
    if cycle.state == Cycle.State.CLOSED:
        waiting = Reopening.objects.visible_to(user).waiting().filter(cycle=cycle)
        reopening = waiting.select_related("requested_by").first()
    scale = getattr(cycle, "scale", None)
    return DatesAndRules(
        cycle=cycle,
        user=user,
        today=today,
        steps=_stage_steps(stages, part),
        part=part,
        levels=list(scale.levels.all()) if scale else [],
        reopening=reopening,
        links=_ways(cycle, user),
    )


def _stage_steps(stages: list[Stage], part: Participation | None) -> list[StageStep]:
    days = {s.pk: s.due_on for s in stages if s.state != Stage.State.CLOSED}
    # More time that everybody's day has overtaken is no day of their own.
    extensions = part.extensions.all() if part else []
    more_time = {
        e.stage_id: e.due_on
        for e in extensions
        if e.stage_id not in days or e.due_on > days[e.stage_id]
    }

    def url_of(stage: Stage) -> str:
        return link(PAGES[stage.kind]) if part and stage.state != Stage.State.PLANNED else ""

    return [StageStep(s, str(WHAT[s.kind]), more_time.get(s.pk), url_of(s)) for s in stages]


def _ways(cycle: Cycle, user: User) -> list[Way]:
    # Everybody else finds the evaluation among the others once it is published.
    is_checking = user.standing.is_hr or user.standing.is_auditor
    ways = [
        Way(_("The reward rules"), link("incentives:criteria", pk=cycle.pk)),
        Way(_("The organisation's goals"), link("goals:company", pk=cycle.pk)),
        Way(
            _("What the cycle achieved"),
            link("evaluations:cycle", pk=cycle.pk) if is_checking else "",
        ),
    ]
    return [way for way in ways if way.url]
