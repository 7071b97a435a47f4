"""How what is done here reads in the trail, and what was shown to whoever looked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

# What an event says, after the name of who did it.
VERBS: dict[str, Any] = {
    "acknowledged": _("acknowledged"),
    "appealed": _("asked for a review of"),
    "approved_release": _("approved, as the second person,"),
    "calibrated": _("moved a rating in"),
    "chose_form": _("chose the form of appraisals for"),
    "cited": _("cited evidence in"),
    "closed_calibration": _("closed"),
    "decided_appeal": _("decided"),
    "opened_calibration": _("opened"),
    "released": _("released"),
    "released_results": _("released the results of"),
    "reopened": _("opened again"),
    "requested_release": _("asked to release"),
    "returned": _("returned for rework"),
    "saved_form": _("saved the form of"),
    "submitted": _("handed in"),
    "withdrew_release": _("withdrew"),
}

# What it was done to.
SUBJECTS: dict[str, Any] = {
    "appraisals.acknowledgement": _("acknowledgement"),
    "appraisals.appeal": _("review"),
    "appraisals.appraisal": _("appraisal"),
    "appraisals.calibrationmove": _("move in a calibration"),
    "appraisals.calibrationsession": _("calibration"),
    "appraisals.citation": _("evidence"),
    "appraisals.cycleform": _("form of a cycle"),
    "appraisals.form": _("form"),
    "appraisals.formversion": _("form"),
    "appraisals.rating": _("rating"),
    "appraisals.release": _("release"),
    "appraisals.releasedresult": _("result"),
    "appraisals.return": _("return"),
}

# What somebody had before them when they looked, where the record alone does not say it. By the page's name.
LOOKS: dict[str, Any] = {
    "appraisals:calibration": _("your rating among others"),
    "appraisals:release": _("your rating before its release"),
    "appraisals:request_release": _("your rating before its release"),
}
