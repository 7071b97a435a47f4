"""Forms and what people write into them; rating, calibration, release, acknowledgement and appeal.

Nothing of a manager's text or of a rating reaches the person before a `ReleasedResult` exists; the
querysets here are the only way to those rows.
"""

from appraisals.models.appeals import Appeal, deciders
from appraisals.models.evidence import evidence_for
from appraisals.models.files import file_of
from appraisals.models.following import followed_in
from appraisals.models.forms import CycleForm, Form, FormVersion, Question, Section
from appraisals.models.needs import matters, milestones, open_items
from appraisals.models.ratings import (
    FIRST_MENTION,
    CalibrationMove,
    CalibrationSession,
    Citation,
    Rating,
)
from appraisals.models.results import Acknowledgement, Release, ReleasedResult, second_people
from appraisals.models.writing import Answer, Appraisal, Return, Submission, writing_day

__all__ = [
    "FIRST_MENTION",
    "Acknowledgement",
    "Answer",
    "Appeal",
    "Appraisal",
    "CalibrationMove",
    "CalibrationSession",
    "Citation",
    "CycleForm",
    "Form",
    "FormVersion",
    "Question",
    "Rating",
    "Release",
    "ReleasedResult",
    "Return",
    "Section",
    "Submission",
    "deciders",
    "evidence_for",
    "file_of",
    "followed_in",
    "matters",
    "milestones",
    "open_items",
    "second_people",
    "writing_day",
]
