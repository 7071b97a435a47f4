"""One function per verb of appraisals; a module a subject."""

from appraisals.actions.calibration import close_calibration, move_rating, open_calibration
from appraisals.actions.releasing import (
    JOB,
    acknowledge,
    appeal_ends,
    approve_release,
    audience_of,
    decide_appeal,
    file_appeal,
    release,
    request_release,
    withdraw_release,
)
from appraisals.actions.shaping import (
    check_form,
    choose_form,
    copy_form,
    freeze_form,
    make_default_form,
    save_form,
    structure_of,
)
from appraisals.actions.writing import (
    Answers,
    Key,
    Unanswered,
    Value,
    autosave,
    cite,
    field_name,
    goals_of,
    open_appraisals,
    open_missing,
    questions_of,
    reopen,
    return_for_rework,
    saved_answers,
    submit,
)

__all__ = [
    "JOB", "Answers", "Key", "Unanswered", "Value", "acknowledge", "appeal_ends", "approve_release", "audience_of",
    "autosave", "check_form", "choose_form", "cite", "close_calibration", "copy_form", "decide_appeal", "field_name", "file_appeal",
    "freeze_form", "goals_of", "make_default_form", "move_rating", "open_appraisals", "open_calibration", "open_missing",
    "questions_of", "release", "reopen", "request_release", "return_for_rework", "save_form", "saved_answers",
    "structure_of", "submit", "withdraw_release",
]
