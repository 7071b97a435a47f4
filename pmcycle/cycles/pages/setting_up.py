"""The steps of setting up a cycle, and the check before the launch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pmcycle.cycles.models import (
    Cycle,
    ReminderPolicy,
    Stage,
)
from pmcycle.cycles.rules import Check, Finding, escalation_day, reminder_days
from pmcycle.people.models import Employee
from pmcycle.ui.formats import when_text

# The steps of setting up: the word on the stepper and the heading of the page.
STEPS: dict[str, tuple[Any, Any]] = {
    "who": (gettext_lazy("Who"), gettext_lazy("Who takes part")),
    "stages": (gettext_lazy("Dates"), gettext_lazy("Stages and dates")),
    "rating": (gettext_lazy("Rating"), gettext_lazy("Rating scale and appraisal form")),
    "visibility": (gettext_lazy("Visibility"), gettext_lazy("Who sees what, and when")),
    "rewards": (gettext_lazy("Rewards"), gettext_lazy("Rewards")),
    "reminders": (gettext_lazy("Reminders"), gettext_lazy("Reminders")),
    "check": (gettext_lazy("Check"), gettext_lazy("Check and launch")),
}


@dataclass(frozen=True)
class Day:
    """What one person will see on a day."""

    on: date
    what: str
    icon: str


@dataclass(frozen=True)
class Step:
    """One step of setting up a cycle, and how far the others are. `person` is somebody who would take part."""

    cycle: Cycle
    name: str
    is_hr_admin: bool
    person: Employee | None

    @property
    def heading(self) -> str:
        return str(STEPS[self.name][1])

    @property
    def steps(self) -> list[dict[str, Any]]:
        """In the shape of the stepper. A step is done when it has been saved, or copied, not when it was looked at."""
        saved = set(self.cycle.saved_steps)
        if self.is_launched:
            saved = set(STEPS)
        elif self.cycle.copied_from_id:
            saved = set(STEPS) - {"check"}
        return [
            {
                "label": label,
                "url": self._url(name),
                "state": "current" if name == self.name else "done" if name in saved else "todo",
            }
            for name, (label, _heading) in STEPS.items()
        ]

    @property
    def number(self) -> int:
        return [*STEPS].index(self.name) + 1

    @property
    def last(self) -> int:
        return len(STEPS)

    @property
    def back(self) -> str:
        """The address of the step before, or ""."""
        return self._url([*STEPS][self.number - 2]) if self.number > 1 else ""

    @property
    def next(self) -> str:
        """The address of the step after, or ""."""
        return self._url([*STEPS][self.number]) if self.number < self.last else ""

    def _url(self, name: str) -> str:
        return reverse("cycles:configure", kwargs={"pk": self.cycle.pk, "step": name})

    @property
    def is_launched(self) -> bool:
        return self.cycle.state != Cycle.State.DRAFT

    @property
    def may_edit(self) -> bool:
        return self.is_hr_admin and not self.is_launched

    @property
    def days_title(self) -> str:
        if self.person is None:
            return _("What one person will see")
        return _("What %(name)s will see") % {"name": self.person.name}

    @property
    def days(self) -> list[Day]:
        """What one person will see on which day."""
        days: list[Day] = []
        for stage in self.cycle.stages.all():
            days.append(Day(stage.opens_on, _("%s opens on your home page") % stage, "player-play"))
            days.append(Day(stage.due_on, _("%s is due") % stage, "flag"))
            if stage.grace_days:
                grace = _("Last day of grace for %s") % stage
                days.append(Day(stage.dates.closes_after, grace, "hourglass"))
        return sorted(days, key=lambda day: day.on)


@dataclass(frozen=True)
class ReminderRow:
    """The reminders of one stage: its fields, the names of these, and what they mean as saved."""

    stage: Stage
    policy: ReminderPolicy | None
    person: Employee | None
    before: Any
    after: Any
    escalate: Any

    @property
    def before_label(self) -> str:
        return _("%(stage)s: remind so many days before") % {"stage": self.stage}

    @property
    def after_label(self) -> str:
        return _("%(stage)s: remind so many days after") % {"stage": self.stage}

    @property
    def escalate_label(self) -> str:
        return _("%(stage)s: the manager hears after so many days") % {"stage": self.stage}

    @property
    def means(self) -> str:
        """Who would hear of it on which days, in a sentence or two."""
        policy, due_on = self.policy, self.stage.due_on
        days = reminder_days(due_on, policy.days_before, policy.days_after) if policy else []
        manager = escalation_day(due_on, policy.escalate_after) if policy else None
        words = {
            "days": ", ".join(when_text(day) for day in days),
            "name": self.person.name if self.person else "",
        }
        if not days:
            told = _("Nobody is reminded of this stage.")
        elif self.person:
            told = _("If it is not done, %(name)s would hear on %(days)s.") % words
        else:
            told = _("Who has not done it would hear on %(days)s.") % words
        if manager is None:
            return told
        return f"{told} {_('The manager would hear on %(day)s.') % {'day': when_text(manager)}}"


@dataclass(frozen=True)
class CheckRow:
    """A finding of the check, and what the reader can do about it."""

    finding: Finding
    is_accepted: bool
    has_grown: bool
    may_edit: bool
    is_hr_admin: bool

    @property
    def tone(self) -> str:
        return "danger" if self.finding.is_error else "ok" if self.is_accepted else "warn"

    @property
    def word(self) -> str:
        if self.finding.is_error:
            return _("Refuses")
        return _("Accepted") if self.is_accepted else _("Warning")

    @property
    def people(self) -> str:
        """The first of whom it holds for."""
        names = ", ".join(self.finding.people)
        return f"{names} …" if self.finding.count > len(self.finding.people) > 0 else names

    @property
    def url(self) -> str:
        """Where it is put right, for those who may."""
        return self.finding.url if self.is_hr_admin else ""

    @property
    def fix(self) -> str:
        return self.finding.fix or _("Put it right")

    @property
    def may_accept(self) -> bool:
        return self.may_edit and not self.finding.is_error and not self.is_accepted


@dataclass(frozen=True)
class CheckStep:
    """The check before a launch, row by row, and whether the reader can launch."""

    found: Check
    stages: Sequence[Stage]
    day: date
    may_edit: bool
    is_hr_admin: bool

    @property
    def rows(self) -> list[CheckRow]:
        open_ = self.found.unsettled
        return [
            CheckRow(
                finding=f,
                is_accepted=not f.is_error and f not in open_,
                has_grown=f in open_ and f.code in self.found.accepted,
                may_edit=self.may_edit,
                is_hr_admin=self.is_hr_admin,
            )
            for f in self.found.findings
        ]

    @property
    def count(self) -> int:
        """How many people would take part."""
        return self.found.people

    @property
    def opens_now(self) -> list[str]:
        return [str(stage) for stage in self.stages if stage.opens_on <= self.day]

    @property
    def may_launch(self) -> bool:
        return self.may_edit and not self.found.errors and not self.found.unsettled

    @property
    def tone(self) -> str:
        return "danger" if self.found.errors else "warn"

    @property
    def against(self) -> str:
        """What stands against the launch, in a sentence, or ""."""
        errors, unsettled = len(self.found.errors), len(self.found.unsettled)
        if errors:
            words = ngettext(
                "%(n)d finding refuses the launch.", "%(n)d findings refuse the launch.", errors
            )
            return words % {"n": errors}
        if unsettled:
            words = ngettext(
                "%(n)d warning waits to be put right or accepted.",
                "%(n)d warnings wait to be put right or accepted.",
                unsettled,
            )
            return words % {"n": unsettled}
        return ""
