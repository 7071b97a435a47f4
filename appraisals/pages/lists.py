"""How far my own appraisals and those of my team are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from pmcycle.cycles.models import Cycle
from pmcycle.people.models import Employee


@dataclass(frozen=True)
class Step:
    """What can be done next: a button, which is the loud one where it is the reader's to do. "" for no button."""

    label: str = ""
    to: str = ""
    pk: int | None = None
    icon: str = ""

    @property
    def is_mine_to_do(self) -> bool:
        return bool(self.icon)


@dataclass(frozen=True)
class Line(Step):
    """One thing of a cycle about me, how it stands, and its next step."""

    words: str = ""
    at: datetime | date | None = None
    due: date | None = None


@dataclass(frozen=True)
class OwnCycle:
    """My self-appraisal and my result of one cycle."""

    cycle: Cycle
    own: Line
    result: Line


def own_cycle(part: Any) -> OwnCycle:
    """A participation with the columns that the list asks for."""
    return OwnCycle(part.cycle, _own_line(part), _result_line(part))


def _is_over(cycle: Cycle) -> bool:
    return cycle.state in (Cycle.State.CLOSED, Cycle.State.ARCHIVED)


def _own_line(part: Any) -> Line:
    if part.self_sent:
        return Line(
            _("Read"), "appraisals:read", part.self_pk, words=_("Handed in"), at=part.self_sent
        )
    if part.self_pk is None:
        if _is_over(part.cycle):
            return Line(words=_("None was written in this cycle."))
        return Line(words=_("Opens"), at=part.opens_on) if part.opens_on else Line()
    step = _to_write(part.self_pk, is_open=part.self_open, saved_at=part.self_saved)
    if not part.self_open:
        return Line(step.label, step.to, step.pk, words=_("Not open for writing"))
    words = _("A draft is saved; only you see it.") if part.self_saved else ""
    return Line(step.label, step.to, step.pk, step.icon, words=words, due=part.due_on)


def _result_line(part: Any) -> Line:
    if part.result_pk is None:
        if _is_over(part.cycle):
            return Line(words=_("None was released in this cycle."))
        return Line(words=_("Not released yet. You get a notice on the day."))
    words, at = _("Ready to read since"), part.released_at
    if part.appeal_filed and not part.appeal_decided:
        words, at = _("You have asked for a review."), None
    elif part.acknowledged_at:
        words, at = _("You acknowledged it"), part.acknowledged_at
    if part.acknowledged_at:
        return Line(_("Read"), "appraisals:result", part.result_pk, words=words, at=at)
    return Line(_("Read my result"), "appraisals:result", part.result_pk, "eye", words=words, at=at)


def _to_write(pk: int, *, is_open: bool, saved_at: datetime | None) -> Step:
    """Write it, or look at what was written where that is over."""
    if is_open:
        return Step(_("Continue") if saved_at else _("Write"), "appraisals:write", pk, "edit")
    return Step(_("Look at it"), "appraisals:write", pk) if saved_at else Step()


@dataclass(frozen=True)
class TeamRow:
    """How far the appraisal of one person of my team is. States are those of the tag `state`; "" for none."""

    employee: Employee
    cycle: Cycle
    self_sent: datetime | None
    state: str
    state_word: str
    due: date | None
    result_state: str
    result_word: str
    step: Step


def team_row(row: Any) -> TeamRow:
    """An appraisal with the columns that the list asks for."""
    state, word = "not_started", ""
    if row.submitted_at:
        state, word = "submitted", _("handed in")
    elif row.saved_at:
        state = "draft"
    result_state, result_word = _result_state(row)
    return TeamRow(
        employee=row.participation.employee,
        cycle=row.participation.cycle,
        self_sent=row.self_sent,
        state=state,
        state_word=word,
        due=row.due_on if row.is_open else None,
        result_state=result_state,
        result_word=result_word,
        step=_team_step(row),
    )


def _result_state(row: Any) -> tuple[str, str]:
    if row.appeal_filed and not row.appeal_decided:
        return "appealed", _("review asked")
    if row.acknowledged_at:
        return "acknowledged", ""
    return ("released", "") if row.result_pk else ("", "")


def _team_step(row: Any) -> Step:
    if row.result_pk:
        return Step(_("Result"), "appraisals:result", row.result_pk)
    if row.submitted_at:
        return Step(_("Read"), "appraisals:read", row.pk)
    return _to_write(row.pk, is_open=row.is_open, saved_at=row.saved_at)
