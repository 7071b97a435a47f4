"""Pages of appraisals; a module a subject."""

from appraisals.views.calibration import (
    calibration,
    calibrations,
    close_calibration,
    move_rating,
    open_calibration,
)
from appraisals.views.results import (
    acknowledge,
    appeal,
    approve_release,
    decide_appeal,
    file_appeal,
    release,
    request_release,
    result,
    result_pdf,
    withdraw_release,
)
from appraisals.views.shaping import choose_form, form, save_form
from appraisals.views.writing import (
    autosave,
    cite,
    index,
    preview,
    read,
    reopen,
    return_for_rework,
    submit,
    write,
)

__all__ = [
    "acknowledge",
    "appeal",
    "approve_release",
    "autosave",
    "calibration",
    "calibrations",
    "choose_form",
    "cite",
    "close_calibration",
    "decide_appeal",
    "file_appeal",
    "form",
    "index",
    "move_rating",
    "open_calibration",
    "preview",
    "read",
    "release",
    "reopen",
    "request_release",
    "result",
    "result_pdf",
    "return_for_rework",
    "save_form",
    "submit",
    "withdraw_release",
    "write",
]
