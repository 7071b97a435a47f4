"""A reward statement as a PDF, with the hash of the snapshot."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from incentives.models import Statement
from pmcycle.ui.formats import money_text, when_text
from pmcycle.ui.pdf import typeset


def statement_as_pdf(statement: Statement, context: dict[str, Any]) -> bytes:
    """The pages of one statement. Texts go in as data, never as markup."""
    content, currency = context["content"], context["content"]["currency"]
    data = {
        "title": _("Reward statement of %(name)s") % {"name": content["person"]},
        "person": content["person"],
        "job": " · ".join(
            part for part in (content["job_title"], content["unit"], content["grade"]) if part
        ),
        "cycle": content["cycle"],
        "released": _("Released %(when)s") % {"when": when_text(statement.released_at, full=True)},
        "once": money_text(context["given"].once, currency)
        if context["given"].once is not None
        else "–",
        "before": money_text(context["before"], currency) if context["before"] is not None else "–",
        "after": money_text(context["after"], currency) if context["after"] is not None else "–",
        "awards": [
            {
                "name": card["award"]["name"],
                "amount": _("not decided yet")
                if card["is_left_out"]
                else money_text(card["amount"], currency),
                "paid": card["how_paid"],
                "note": _("Held until it is settled")
                if card["award"]["held"]
                else card["why_words"],
                "rules": [
                    "".join(f"{words} " for words, _slot in s["words"]).strip() + "."
                    for s in card["sentences"]
                ],
                "tree": _node(card["tree"]),
            }
            for card in context["cards"]
        ],
        "hash": statement.sha256,
        "words": {
            "once": _("Paid once"),
            "before": _("Yearly pay before"),
            "after": _("Yearly pay after"),
            "rules": _("The rules that fit"),
            "how": _("How it came about"),
            "version": _("Rules as published, version %(number)s") % {"number": content["rules"]},
            "seal": _("SHA-256 of the released snapshot"),
        },
    }
    return typeset("incentives/statement.typ", data, get_language() or "en")


def _node(node: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": str(node["label"]),
        "value": str(node["value"]),
        "note": str(node.get("note", "")),
        "parts": [_node(part) for part in node.get("parts", [])],
    }
