"""One person's way through a cycle, and what is done to one person or one stage alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.activity.models import Event
from pmcycle.cycles.models import (
    Assignment,
    Cycle,
    Participation,
    Stage,
    StageKind,
)
from pmcycle.people.models import Absence, Employee
from pmcycle.ui.formats import when_text

# What happens to one person alone, in the words of the pages.
KINDS = {
    "extended": gettext_lazy("More time"),
    "transferred": gettext_lazy("Another manager"),
    "left": gettext_lazy("Has left"),
    "came_back": gettext_lazy("Takes part again"),
    "joined": gettext_lazy("Joined late"),
}


@dataclass(frozen=True)
class ThenAndNow:
    """A fact as it was frozen at launch beside what holds today."""

    label: str
    then: str
    now: str

    @property
    def differs(self) -> bool:
        return self.then != self.now


@dataclass(frozen=True)
class WayThrough:
    """One person's way through a cycle: dates, managers, absences and exceptions, nothing of what was written.

    `part` comes with its cycle and stages (`own_due`, `own_why`), assignments, unit and `manager_now`.
    """

    part: Any
    today: date
    is_changeable: bool
    events: list[dict[str, Any]]
    spans: list[dict[str, Any]]
    assignments: list[Assignment]

    @property
    def person(self) -> Employee:
        person: Employee = self.part.employee
        return person

    @property
    def then_now(self) -> list[ThenAndNow]:
        part, person = self.part, self.part.employee
        current = leads_on(self.assignments, self.today)
        pairs = [
            (_("Manager"), current and current.manager.name, part.manager_now),
            (_("Unit"), part.unit, person.unit),
            (_("Title"), part.job_title, person.job_title),
            (_("Grade"), part.grade, person.grade),
        ]
        return [ThenAndNow(label, str(then or "–"), str(now or "–")) for label, then, now in pairs]

    @property
    def has_left(self) -> bool:
        return bool(self.part.state == Participation.State.LEFT)

    @property
    def may_change(self) -> bool:
        return self._is_running and self.part.state == Participation.State.ACTIVE

    @property
    def may_return(self) -> bool:
        return self._is_running and self.has_left

    @property
    def _is_running(self) -> bool:
        return bool(self.is_changeable and self.part.cycle.state == Cycle.State.RUNNING)


def leads_on(assignments: list[Assignment], day: date) -> Assignment | None:
    """Who leads on a day, of those who led."""
    return next((a for a in assignments if a.starts_on <= day <= (a.ends_on or day)), None)


def way_through(part: Any, today: date, *, is_changeable: bool) -> WayThrough:
    """The way of one person (see `WayThrough` for what `part` comes with)."""
    assignments = list(part.assignments.all())
    return WayThrough(
        part, today, is_changeable, _events(part), _spans(part, assignments, today), assignments
    )


def _events(part: Participation) -> list[dict[str, Any]]:
    """What happened to one person in the cycle, and what is due, in the shape of the timeline."""
    history = (
        Event.objects.filter(subject_kind="cycles.participation", subject_id=part.pk)
        .exclude(verb="viewed")
        .order_by("at")
    )
    events: list[dict[str, Any]] = [
        {"at": h.at, "label": _verb(h.verb), "tone": "accent", "detail": h.data.get("reason", "")}
        for h in history
    ]
    stages: list[Any] = list(part.cycle.stages.all())
    for stage in stages:
        events.append({"at": stage.opens_on, "label": _("%s opens") % stage, "tone": "info"})
        events.append({"at": stage.due_on, "label": _("%s due") % stage, "tone": "mute"})
    return events + [
        {
            "at": stage.own_due,
            "label": _("%s due for this person") % stage,
            "tone": "warn",
            "detail": stage.own_why,
        }
        for stage in stages
        if stage.own_due
    ]


def _verb(verb: str) -> str:
    """A line of history in words."""
    words = {"takes_part": _("Takes part: facts frozen"), **KINDS}
    return str(words.get(verb, verb.replace("_", " ")))


def _spans(part: Participation, assignments: list[Assignment], today: date) -> list[dict[str, Any]]:
    """Who led one person from when to when, and when they were away, within the cycle."""
    cycle, current = part.cycle, leads_on(assignments, today)
    away = Absence.objects.filter(employee=part.employee_id, starts_on__lte=cycle.last_day)
    led = [
        {
            "start": max(a.starts_on, cycle.first_day),
            "end": a.ends_on or max(cycle.last_day, today),
            "label": a.manager.name,
            "tone": "accent" if a is current else "mute",
        }
        for a in assignments
    ]
    return led + [
        {
            "start": max(a.starts_on, cycle.first_day),
            "end": min(a.ends_on or cycle.last_day, cycle.last_day),
            "label": _("away: %s") % a.kind,
            "tone": "warn",
        }
        for a in away
        if (a.ends_on or cycle.last_day) >= cycle.first_day
    ]


@dataclass(frozen=True)
class ExceptionLine:
    """One exception of the list: whose, of what kind and what it comes to in words."""

    event: Event
    kind: str
    what: str

    @property
    def reason(self) -> str:
        return str(self.event.data.get("reason") or "–")

    @property
    def by(self) -> str:
        return self.event.actor.name if self.event.actor else _("by the day in the records")


@dataclass(frozen=True)
class Change:
    """An exception, of one person or of a stage: its form, what it does, and how it is made.

    With `two_looks` the form is sent by GET first and shows what it would do, changing nothing. `people` names
    the fields that name somebody; `refusal` says why it cannot be done now, whatever is filled in.
    """

    heading: str
    button: str
    form: Any
    back: str
    consequences: Sequence[str] = ()
    part: Participation | None = None
    two_looks: bool = True
    refusal: str = ""
    people: Sequence[str] = ("manager", "employee")

    @property
    def is_second_look(self) -> bool:
        return self.two_looks and self.form.is_bound and self.form.is_valid()

    @property
    def method(self) -> str:
        return "get" if self.two_looks else "post"


def more_time_does(part: Participation, stage: Stage, due_on: date) -> list[str]:
    """What more time for one person in one stage does, in sentences."""
    words = {"name": part.employee.name, "stage": stage, "day": when_text(due_on, full=True)}
    if stage.state == Stage.State.CLOSED:
        stays = _("%(stage)s stays closed for everybody else.") % words
    else:
        stays = _("The stage stays open until then, and reminders follow the new day.")
    return [
        _("%(name)s has until %(day)s for %(stage)s; everybody else keeps their day.") % words,
        _("Who writes about %(name)s there may do so until then too.") % words,
        stays,
        _("%(name)s is told, with the day and without the reason.") % words,
    ]


def handing_over_does(part: Any, manager: Employee, on: date) -> list[str]:
    """What another manager from a day on does; `part` comes `with_manager`."""
    words = {
        "name": part.employee.name,
        "new": manager.name,
        "old": part.manager_name or _("nobody"),
        "day": when_text(on, full=True),
    }
    return [
        _(
            "From %(day)s %(new)s is the manager of %(name)s in this cycle; until then it is %(old)s."
        )
        % words,
        _(
            "What %(old)s has written stays theirs and stays readable for them; %(new)s starts forms of their own."
        )
        % words,
        _("Notes of earlier one-to-ones stay with the two who wrote them."),
        _("The line above %(name)s becomes the line above %(new)s.") % words,
        _("All three are told."),
    ]


def leaving_does(part: Participation) -> list[str]:
    """What freezing the part of somebody who has left does, and whom they leave without a manager."""
    name = part.employee.name
    led = Participation.objects.filter(cycle=part.cycle_id, state="active").filter(
        assignments__manager=part.employee_id, assignments__ends_on__isnull=True
    )
    names = list(led.values_list("employee__name", flat=True)[:10])
    told = [
        _("What %s has written is frozen and kept.") % name,
        _("Nobody waits for %s any more, and no reminder goes out to or about them.") % name,
    ]
    if names:
        words = {"names": ", ".join(names), "name": name}
        told.append(_("%(names)s still report to %(name)s here: hand each of them over.") % words)
    return told


def return_does(part: Participation) -> list[str]:
    """What it does when somebody who had left takes part again."""
    words = {"name": part.employee.name}
    return [
        _("%(name)s takes part again, and what they have written goes on where it stood.") % words,
        _("Stages that are open open for them; give more time where a stage is over.") % words,
        _("Rewards count %(name)s in again where they are still being calculated.") % words,
        _("%(name)s is told.") % words,
    ]


def joining_does(cycle: Cycle, who: Employee, starts_on: date) -> list[str]:
    """What it does when somebody joins a running cycle."""
    words = {"name": who.name, "day": when_text(starts_on, full=True)}
    closed = cycle.stages.filter(kind=StageKind.OBJECTIVES, state=Stage.State.CLOSED).exists()
    late = _(
        "Objectives are closed: what their last cycle left comes with them, and both sign it once you give more "
        "time for objectives."
    )
    return [
        _(
            "%(name)s takes part from %(day)s on, with unit, grade, pay and manager as they are today."
        )
        % words,
        _("Stages that are open open for them at once; give more time where that is too short."),
        *([late] if closed else []),
        _("%(name)s is told.") % words,
    ]
