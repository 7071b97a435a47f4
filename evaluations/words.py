"""How what is done here reads in the trail, and what was shown to whoever looked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

# What an event says, after the name of who did it.
VERBS: dict[str, Any] = {
    "began_evaluation": _("began"),
    "carried_over_goals": _("carried over what was unfinished into"),
    "closed_evaluation": _("closed"),
    "computed_cycle_evaluation": _("computed the evaluation of"),
    "published_cycle_evaluation": _("published the evaluation of"),
    "shared_evaluation": _("shared"),
    "signed_evaluation": _("signed"),
    "threw_away_evaluation": _("threw away the draft of"),
    "took_back_evaluation": _("took back"),
}

# What it was done to.
SUBJECTS: dict[str, Any] = {
    "evaluations.cycleevaluation": _("evaluation of a cycle"),
    "evaluations.developmentstep": _("development step"),
    "evaluations.evaluation": _("evaluation"),
    "evaluations.signature": _("signature"),
}
