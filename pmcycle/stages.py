"""THE table: which stage opens and closes what, in which app.

`open_due` is called at launch and by the clock alike, so a stage opens the same way in March and
in July. Each opener gets the cycle and writes what its stage needs, in sets, and may be called
again without making anything twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pmcycle.cycles.models import Cycle, StageKind

Step = Callable[[Cycle], None]


@dataclass(frozen=True)
class StageWork:
    """What happens in which app when a stage opens and closes."""

    opens: Sequence[Step] = ()
    closes: Sequence[Step] = ()


STAGES: dict[str, StageWork] = {
    StageKind.OBJECTIVES: StageWork(),
    StageKind.APPRAISAL: StageWork(),
    StageKind.INCENTIVES: StageWork(),
    StageKind.EVALUATION: StageWork(),
}
