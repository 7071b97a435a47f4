"""The stored tree of a score in words: what each line is made of, what was measured, when and by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from pmcycle.ui.formats import number_text


def why_tree(trace: dict[str, Any]) -> dict[str, Any]:
    """The tree in the shape that the component `why` draws."""
    weight = trace.get("weight", "100")
    parts = [why_tree(part) for part in trace.get("parts", [])]
    share = _("counts %(weight)s") % {
        "weight": weight.rstrip("0").rstrip(".") if "." in weight else weight
    }
    node = {
        "label": trace.get("label", ""),
        "value": number_text(trace["value"]) if trace.get("value") is not None else _("missing"),
        "note": " · ".join(words for words in (note_of(trace), share) if words),
        "parts": parts,
    }
    if parts:
        missing = (
            _("what is missing is left out and its weight spread over the rest")
            if trace.get("rule") == "reweight"
            else _("incomplete as long as a part is missing")
        )
        node["rule"] = _(
            "Weighted mean of the parts below, rounded half up to four decimals; %(missing)s."
        ) % {"missing": missing}
        if trace.get("marks"):
            node["rule"] = f"{node['rule']} {scale_words(trace)}"
    return node


def note_of(trace: Mapping[str, Any]) -> str:
    """What stands beside a line: the level that was chosen, and what was measured and when."""
    chosen = trace.get("note") or ""
    if chosen and trace.get("measured") is None:
        return chosen
    return " · ".join(words for words in (chosen, measured_words(trace)) if words)


def measured_words(row: Mapping[str, Any]) -> str:
    """ "85 %, measured on 5 December 2026"; empty where nothing is measured."""
    if not row.get("measured_on"):
        return ""
    words = {"day": date_format(date.fromisoformat(row["measured_on"]), "j F Y")}
    if row.get("measured") is None:
        return _("nothing measured until %(day)s") % words
    return _("%(percent)s %%, measured on %(day)s") % {
        **words,
        "percent": number_text(row["measured"]),
    }


def scale_words(trace: Mapping[str, Any]) -> str:
    """How a measured result stands on the scale; empty for lines that stand on none."""
    marks = [
        _("%(percent)s %% is %(value)s")
        % {"percent": number_text(percent), "value": number_text(value)}
        for percent, value in trace.get("marks", [])
    ]
    if not marks:
        return ""
    return _(
        "A goal's result is the mean of its measured key results; on the scale %(marks)s, and what lies between "
        "stands in proportion."
    ) % {"marks": ", ".join(marks)}
