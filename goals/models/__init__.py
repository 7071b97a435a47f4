"""Goals that count only when both sides agreed to the same text, their key results and their progress."""

from goals.models.agreement import (
    ChangeRequest,
    Goal,
    GoalQuerySet,
    GoalVersion,
    Signature,
    alignable,
    followed_in,
    may_plan_today,
    readers,
    readers_of_a_part,
    sets_of_weights,
)
from goals.models.contributions import Contribution
from goals.models.files import file_of
from goals.models.needs import milestones, open_items
from goals.models.progress import KeyResult, ProgressUpdate

__all__ = [
    "ChangeRequest",
    "Contribution",
    "Goal",
    "GoalQuerySet",
    "GoalVersion",
    "KeyResult",
    "ProgressUpdate",
    "Signature",
    "alignable",
    "file_of",
    "followed_in",
    "may_plan_today",
    "milestones",
    "open_items",
    "readers",
    "readers_of_a_part",
    "sets_of_weights",
]
