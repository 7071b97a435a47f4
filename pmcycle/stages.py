"""THE table: which stage starts, opens and closes what, in which app.

`open_due` is called at launch and by the clock alike, so a stage opens the same way in March and
in July. Every step works in sets and may be called again without making anything twice. `cycles`
stands below the apps named here, so it finds this table through `settings.STAGES`.
"""

from __future__ import annotations

import appraisals.actions
import evaluations.actions
import goals.actions
import incentives.actions
from pmcycle.cycles.actions import StageWork
from pmcycle.cycles.models import StageKind

STAGES: dict[str, StageWork] = {
    StageKind.OBJECTIVES: StageWork(
        opens=[goals.actions.open_objectives, evaluations.actions.bring_over],
        extends=[evaluations.actions.bring_over_for],
        joins=[evaluations.actions.bring_over_to],
        leaves=[goals.actions.left_of_objectives],
    ),
    StageKind.APPRAISAL: StageWork(
        copies=[appraisals.actions.copy_form],
        checks=[appraisals.actions.check_form],
        launches=[appraisals.actions.freeze_form],
        opens=[appraisals.actions.open_appraisals],
        extends=[appraisals.actions.open_appraisals_of],
        leaves=[appraisals.actions.left_of_appraisals],
    ),
    StageKind.INCENTIVES: StageWork(
        copies=[incentives.actions.copy_plan],
        checks=[incentives.actions.check_plan],
        opens=[incentives.actions.open_incentives],
        closes=[incentives.actions.close_incentives],
        leaves=[incentives.actions.left_of_incentives],
        # A run is everybody's: what it waits for is its own state, and nobody's day.
        is_for_one=False,
    ),
    StageKind.EVALUATION: StageWork(
        closes=[goals.actions.close_goals],
        ends=[goals.actions.end_goals, evaluations.actions.hand_on],
        leaves=[goals.actions.left_changes, evaluations.actions.left_of_evaluations],
    ),
}
