"""A released result as a PDF, with the hash of the snapshot."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from appraisals.models import ReleasedResult
from appraisals.why import note_of, scale_words
from pmcycle.ui.formats import when_text
from pmcycle.ui.pdf import typeset


def result_as_pdf(result: ReleasedResult, content: dict[str, Any]) -> bytes:
    """The pages of one result. What people wrote goes in as data, never as markup."""
    data = {
        "title": _("Result of %(name)s") % {"name": content["person"]},
        "person": content["person"],
        "job": " · ".join(part for part in (content.get("job_title"), content.get("unit")) if part),
        "cycle": content["cycle"],
        "level": content["rating"]["label"],
        "meaning": content["rating"]["meaning"],
        "rated_by": _("Appraised by %(name)s") % {"name": content["rated_by"]},
        "released": _("Released %(when)s") % {"when": when_text(result.released_at, full=True)},
        "summary": content["summary"],
        "strengths": content["strengths"],
        "shortcomings": content["shortcomings"],
        "sections": [
            {
                "title": section["title"],
                "questions": [
                    {"text": q["text"], "pairs": [_row(pair) for pair in q["pairs"]]}
                    for q in section["questions"]
                ],
            }
            for section in content["sections"]
        ],
        "score": _line(content["trace"]) if content.get("trace") else None,
        "hash": result.sha256,
        "words": {
            "strengths": _("Strengths"),
            "shortcomings": _("What fell short"),
            "own": _("Own view"),
            "score": _("How the score came about"),
            "missing": _("missing"),
            "weight": _("weight"),
            "version": _("Version %(number)s") % {"number": result.number},
            "seal": _("SHA-256 of the released snapshot"),
            "reason": result.reason,
        },
    }
    return typeset("appraisals/result.typ", data, get_language() or "en")


def _row(pair: dict[str, Any]) -> dict[str, str]:
    theirs, mine = pair["theirs"], pair["mine"] or {}
    return {
        "goal": pair["goal"],
        "level": theirs["level"],
        "text": theirs["text"] or theirs["choice"],
        "own": " – ".join(
            part
            for part in (mine.get("level", ""), mine.get("text") or mine.get("choice", ""))
            if part
        ),
    }


def _line(trace: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": trace["label"],
        "value": trace["value"],
        "weight": trace["weight"],
        "note": " · ".join(words for words in (note_of(trace), scale_words(trace)) if words),
        "parts": [_line(part) for part in trace.get("parts", [])],
    }
