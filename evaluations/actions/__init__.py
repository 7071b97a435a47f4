"""Writing, sharing and signing evaluations; counting the cycle; carrying over what is unfinished."""

from evaluations.actions.carrying import (
    CarriedOver,
    bring_over,
    bring_over_for,
    bring_over_to,
    carry_over,
    hand_on,
    why_nothing_comes,
)
from evaluations.actions.counting import compute, publish
from evaluations.actions.leaving import left_of_evaluations
from evaluations.actions.writing import (
    EvaluationText,
    PointText,
    StepText,
    begin,
    draft_of,
    save,
    share,
    sign,
    snapshot_of,
    take_back,
    throw_away,
    why_not_open,
)

__all__ = [
    "CarriedOver",
    "EvaluationText",
    "PointText",
    "StepText",
    "begin",
    "bring_over",
    "bring_over_for",
    "bring_over_to",
    "carry_over",
    "compute",
    "draft_of",
    "hand_on",
    "left_of_evaluations",
    "publish",
    "save",
    "share",
    "sign",
    "snapshot_of",
    "take_back",
    "throw_away",
    "why_not_open",
    "why_nothing_comes",
]
