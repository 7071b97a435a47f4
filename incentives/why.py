"""An amount as its tree, from the stored facts and the published rules down to the single day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incentives import rules
from pmcycle.ui.formats import money_text, number_text, when_text

Node = dict[str, Any]


def fact_words(fact: str, facts: Mapping[str, Any], names: rules.Names) -> str:
    """What is known of one fact, as people write it."""
    if fact == "unit":
        ids = [int(part) for part in facts["unit_path"].split("/") if part]
        return names.units.get(ids[-1], "–") if ids else "–"
    value = facts.get(fact)
    if value is None or value == "":
        return _("none fell due") if fact == "promises_kept" else _("not known")
    known = rules.FACTS[fact]
    if known.kind == "level":
        return names.levels.get(int(value), str(value))
    if known.kind == "grade":
        return str(value)
    return " ".join(part for part in (number_text(Decimal(str(value))), str(known.suffix)) if part)


def _rule_node(number: int, rule: rules.Rule, facts: Mapping[str, Any], names: rules.Names) -> Node:
    if rule.effect == "give":
        value = (
            f"{number_text(rule.amount)} %"
            if rule.basis == "percent"
            else money_text(rule.amount, names.currency)
        )
    else:
        value = {"zero": _("nothing"), "hold": _("held")}.get(
            rule.effect, f"− {number_text(rule.amount)} %"
        )
    return {
        "label": _("Rule %d fits") % number,
        "value": value,
        "rule": rules.sentence_text(rule, names),
        "parts": [
            {
                "label": str(rules.FACTS[c.fact].label).capitalize(),
                "value": fact_words(c.fact, facts, names),
                "note": f"{rules.OPERATORS[c.kind][c.op]} {rules.value_words(c, names)}",
            }
            for c in rule.conditions
        ],
    }


def time_node(component: rules.Component, facts: Mapping[str, Any]) -> Node:
    """The share of the period that was worked, stretch by stretch."""
    share = Decimal(facts["share_all"] if component.unpaid_leave_counts else facts["share_worked"])
    parts = []
    for s in facts["segments"]:
        first, last = date.fromisoformat(s["from"]), date.fromisoformat(s["to"])
        days = s["days"] - (0 if component.unpaid_leave_counts else s["unpaid"])
        words = ngettext("%(n)d day × %(fte)s", "%(n)d days × %(fte)s", days)
        node: Node = {
            "label": _("%(first)s to %(last)s")
            % {"first": when_text(first, full=True), "last": when_text(last, full=True)},
            "value": words % {"n": days, "fte": number_text(Decimal(s["fte"]))},
        }
        if s["unpaid"] and not component.unpaid_leave_counts:
            node["note"] = (
                ngettext(
                    "without %d day of unpaid leave", "without %d days of unpaid leave", s["unpaid"]
                )
                % s["unpaid"]
            )
        parts.append(node)
    parts.append({"label": _("Days of the period"), "value": f"÷ {facts['period_days']}"})
    return {
        "label": _("Share of the period worked"),
        "value": f"{number_text(share * 100, 4).rstrip('0').rstrip('.,')} %",
        "note": _("days × FTE ÷ days of the period, both ends counted"),
        "parts": parts,
    }


def _pool_node(part: Mapping[str, Any], currency: str) -> Node:
    unit = Decimal(part["unit"])
    weight = money_text(Decimal(part["weight"]) / 100, currency)
    if part["bound"]:
        word = (
            _("the least a person gets")
            if part["bound"] == "least"
            else _("the most a person gets")
        )
        return {
            "label": _("Share of the pool"),
            "value": word,
            "parts": [{"label": _("What the rules give"), "value": weight}],
        }
    extra = int(part["extra"])
    return {
        "label": _("Share of the pool"),
        "value": money_text((int(part["whole"]) + extra) * unit, currency),
        "note": _("the pool is handed out whole, in proportion"),
        "parts": [
            {"label": _("What the rules give this person"), "value": weight},
            {
                "label": _("What they give all who share it"),
                "value": money_text(Decimal(part["weights"]) / 100, currency),
            },
            {"label": _("Money to share"), "value": money_text(int(part["rest"]) * unit, currency)},
            {
                "label": _("Remainder of the division"),
                "value": f"+ {money_text(extra * unit, currency)}",
                "note": _("largest remainders first, so that not a cent is left"),
            },
        ],
    }


def tree(
    component: rules.Component,
    facts: Mapping[str, Any],
    award: Mapping[str, Any],
    names: rules.Names,
    moves: list[Node] | None = None,
) -> Node:
    """The tree of one award: `award` has amount, guideline, why, held and trace; `moves` are its ledger lines."""
    trace, currency = award["trace"], names.currency
    amount, guideline = Decimal(award["amount"]), Decimal(award["guideline"])
    numbers = {rule.id: (number, rule) for number, rule in enumerate(component.rules, start=1)}
    hits = [_rule_node(*numbers[pk], facts, names) for pk in trace.get("hits", []) if pk in numbers]
    if award["why"]:
        out = award["why"] in rules.LEFT_OUT
        missing = {
            "label": _("The rules cannot say yet") if out else _("Nothing is given"),
            "value": str(rules.WHY[award["why"]]),
        }
        return {
            "label": component.name,
            "value": _("not decided") if out else money_text(amount, currency),
            "parts": [*hits, missing, *_entries(component, facts)],
        }
    parts = list(hits)
    if Decimal(trace["percent"]):
        pay = _("Yearly pay at full time") if component.prorate else _("Yearly pay")
        parts.append({"label": pay, "value": money_text(Decimal(trace["pay"]), currency)})
    if component.prorate:
        parts.append(time_node(component, facts))
    parts += _entries(component, facts)
    cut = Decimal(trace["cut"])
    if cut:
        parts.append(
            {"label": _("The largest reduction counts"), "value": f"− {number_text(cut)} %"}
        )
    exact = rules.rounded(Decimal(trace["gross"]), Decimal("0.0001"))
    parts.append({"label": _("Together, before rounding"), "value": number_text(exact, 4)})
    if trace.get("part"):
        parts.append(_pool_node(trace["part"], currency))
    elif guideline != exact:
        parts.append(
            {
                "label": _("Rounded"),
                "value": money_text(guideline, currency),
                "note": _bounds(component, currency),
            }
        )
    root = {
        "label": _("What the rules give"),
        "value": money_text(guideline, currency),
        "parts": parts,
    }
    top = [root, *(moves or [])]
    if not moves and amount != guideline:
        sign = "+ " if amount > guideline else "− "
        top.append(
            {
                "label": _("Moved by the manager"),
                "value": sign + money_text(abs(amount - guideline), currency),
            }
        )
    if award["held"]:
        top.append({"label": _("Held until it is settled"), "value": _("not paid yet")})
    return {"label": component.name, "value": money_text(amount, currency), "parts": top}


def _entries(component: rules.Component, facts: Mapping[str, Any]) -> list[Node]:
    words = {"zero": _("nothing is given"), "hold": _("held until settled")}
    return [
        {
            "label": _("An entry in effect"),
            "value": words.get(r["effect"]) or f"− {number_text(Decimal(r['percent']))} %",
            "note": _("answered and decided"),
        }
        for r in facts["restraints"]
        if r["kind"] == component.kind
    ]


def _bounds(component: rules.Component, currency: str) -> str:
    found = [_("to %s") % money_text(component.rounding, currency)]
    if component.minimum is not None:
        found.append(_("at least %s") % money_text(component.minimum, currency))
    if component.maximum is not None:
        found.append(_("at most %s") % money_text(component.maximum, currency))
    return ", ".join(found)
