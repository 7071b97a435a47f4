"""The end of a stage or a cycle, and that a cycle runs again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from pmcycle.cycles.models import (
    Stage,
)
from pmcycle.typed import LeftoversForm


@dataclass(frozen=True)
class Consequences:
    """What an act does, under a heading."""

    title: str
    lines: Sequence[str]
    icon: str = "list-check"


@dataclass(frozen=True)
class End:
    """A stage or a cycle ends, or is to run again: what is left, what happens then, the one act.

    `leaving` is what is still open or held; `refusal` says why it cannot be done now, whatever is filled in;
    `sure` is what the button asks once more.
    """

    heading: str
    audience: str
    form: Any
    parts: Sequence[Consequences]
    button: str
    sure: str
    back: str
    leaving: LeftoversForm | None = None
    refusal: str = ""

    @property
    def is_held(self) -> bool:
        """Whether something has to be settled before it can be done."""
        return self.leaving is not None and self.leaving.refuses

    @property
    def asks(self) -> bool:
        """Whether the form is shown: not while what is filled in would be in vain."""
        return not self.is_held or self.form.is_bound


def end_of_stage_does() -> list[Consequences]:
    """What closing a stage by hand does."""
    return [
        Consequences(
            _("What happens then"),
            [
                _(
                    "Nobody can add anything to it any more. Who has more time, or a form given back, has it until "
                    "then."
                ),
                _("What is open in it is not reminded any more and stands on the board as missed."),
                _(
                    "What has been written stays, and you can open the stage again with a new due day."
                ),
            ],
        )
    ]


def end_of_cycle_does(stages: Sequence[Stage], closed_there: Sequence[str]) -> list[Consequences]:
    """What closing a cycle does, and what goes on in the next.

    `closed_there` names the cycles that follow, with objectives closed already.
    """
    still_open = ", ".join(str(stage) for stage in stages if stage.state == Stage.State.OPEN)
    goes_on = [
        _(
            "Goals that are not reached and open steps of development come into each person's next cycle as "
            "proposals, which hold when both have signed them. Open promises go on there with the words and "
            "the day they were made with."
        ),
        _(
            "It happens once: now, where the objectives of the next cycle are open, otherwise when they open. "
            "It need not be a copy of this one."
        ),
        # Where what is left has nobody who could sign it, and the way out.
        *(
            _(
                "In “%s” objectives are closed already: goals and steps come there only to people with more time "
                "for objectives. Give more time to those concerned, now or later, or open the stage there again: "
                "what is left comes then. Promises come now."
            )
            % name
            for name in closed_there
        ),
    ]
    ends = [
        *([_("Stages that are still open close now: %s.") % still_open] if still_open else []),
        _(
            "Nothing can be written in it any more. Everything stays readable to whom it was readable."
        ),
        _("Two HR admins together can open it again, with a reason."),
    ]
    return [
        Consequences(_("What happens then"), ends),
        Consequences(_("What goes on in the next cycle"), goes_on, "arrow-right"),
    ]


def reopening_does() -> list[Consequences]:
    """What asking for a closed cycle to run again does."""
    return [
        Consequences(
            _("What happens then"),
            [
                _("A second HR admin is asked to approve; until then it stays closed."),
                _("Its stages stay closed. You open the one that is needed, with a new due day."),
                _("What has gone on to the next cycle stays there, and does not go a second time."),
            ],
        )
    ]
