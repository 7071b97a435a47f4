"""Arithmetic and decisions of incentives: plain values in, plain values out.

This is the reference of the calculation: `calculate` gives every amount of a run from stored facts, and
`actions` computes the same in the database for any number of people. Amounts are `Decimal`, percentages
are numbers of per cent, and every rounding is half away from zero, as PostgreSQL rounds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.cycles.rules import Need

NEEDS: dict[str, Need] = {
    "incentives:sheet": Need(
        title=gettext_lazy("Recommend rewards for your team"),
        button=gettext_lazy("Recommend rewards"),
        url_name="incentives:sheet",
        minutes=15,
    ),
    "incentives:hand_out": Need(
        title=gettext_lazy("Hand the calculated rewards of “%(name)s” to the managers"),
        button=gettext_lazy("Look through the run"),
        url_name="incentives:one_run",
        minutes=10,
    ),
    "incentives:team": Need(
        title=gettext_lazy("Approve the rewards that %(name)s recommends"),
        button=gettext_lazy("Approve the rewards"),
        url_name="incentives:team",
        minutes=5,
    ),
    "incentives:approve": Need(
        title=gettext_lazy("Approve the reward run of “%(name)s” as second person"),
        button=gettext_lazy("Approve the run"),
        url_name="incentives:run",
        minutes=10,
    ),
    "incentives:release": Need(
        title=gettext_lazy("Release the approved statements of “%(name)s”"),
        button=gettext_lazy("Release the statements"),
        url_name="incentives:one_run",
        minutes=10,
    ),
    "incentives:supplement": Need(
        title=gettext_lazy("Calculate the supplementary run of “%(name)s”"),
        button=gettext_lazy("Calculate the run"),
        url_name="incentives:run",
        minutes=5,
    ),
    "incentives:publish": Need(
        title=gettext_lazy("Publish the reward rules of “%(name)s” as second person"),
        button=gettext_lazy("Publish the rules"),
        url_name="incentives:plan",
        minutes=10,
    ),
    "incentives:answer": Need(
        title=gettext_lazy("Read and answer an entry that may restrain your reward"),
        button=gettext_lazy("Answer the entry"),
        url_name="incentives:restraint",
        minutes=10,
    ),
    "incentives:decide": Need(
        title=gettext_lazy("Decide about an entry that would restrain a reward of %(name)s"),
        button=gettext_lazy("Decide about the entry"),
        url_name="incentives:restraint",
        minutes=10,
    ),
    "incentives:statement": Need(
        title=gettext_lazy("Read your reward statement"),
        button=gettext_lazy("Read the statement"),
        url_name="incentives:statement",
        minutes=5,
    ),
}

# How far a person has come in this stage, in the words of the board.
MILESTONES: dict[str, Any] = {
    "recommended": gettext_lazy("recommended"),
    "approved": gettext_lazy("approved"),
    "statement": gettext_lazy("statement released"),
}

CENT = Decimal("0.01")
PER_CENT = Decimal("0.01")
NOTHING = Decimal(0)
MAX_CONDITIONS = 8
MAX_RULES = 40

# --- Facts -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fact:
    """One thing that a condition may ask about. `kind` is level, number, grade or unit."""

    label: Any
    kind: str
    suffix: Any = ""
    decimals: int = 0


# The closed list. The names are columns of the facts that `actions` reads, so nothing else compiles.
FACTS: dict[str, Fact] = {
    "rating": Fact(gettext_lazy("rating"), "level"),
    "rating_value": Fact(gettext_lazy("value of the rating"), "number", "", 2),
    "goal_score": Fact(gettext_lazy("goal score"), "number", gettext_lazy("%"), 2),
    "compa_ratio": Fact(
        gettext_lazy("pay against the middle of its range"), "number", gettext_lazy("%"), 2
    ),
    "grade": Fact(gettext_lazy("grade"), "grade"),
    "unit": Fact(gettext_lazy("unit"), "unit"),
    "months_worked": Fact(gettext_lazy("months worked here"), "number"),
    "fte": Fact(gettext_lazy("full-time equivalent"), "number", "", 3),
    "days_absent": Fact(gettext_lazy("days absent"), "number"),
    "contributions": Fact(gettext_lazy("confirmed contributions"), "number"),
    "promises_kept": Fact(gettext_lazy("promises kept"), "number", gettext_lazy("%"), 2),
}

OPERATORS: dict[str, dict[str, Any]] = {
    "level": {
        "at_least": gettext_lazy("is at least"),
        "at_most": gettext_lazy("is at most"),
        "is": gettext_lazy("is"),
    },
    "number": {
        "at_least": gettext_lazy("is at least"),
        "at_most": gettext_lazy("is at most"),
        "more_than": gettext_lazy("is more than"),
        "less_than": gettext_lazy("is less than"),
    },
    "grade": {"is": gettext_lazy("is"), "is_not": gettext_lazy("is not")},
    "unit": {"is": gettext_lazy("is within"), "is_not": gettext_lazy("is not within")},
}

# Facts that may be missing, and why nobody can say then what the rules give. Every other fact is always
# there (a number of days may truly be none), or, as of promises, may truly not exist.
MISSING: dict[str, str] = {
    "rating": "no_rating",
    "rating_value": "no_rating",
    "goal_score": "no_goal_score",
    "compa_ratio": "no_compa_ratio",
    "grade": "no_grade",
}

_SIGNS = {
    "at_least": ">=",
    "at_most": "<=",
    "more_than": ">",
    "less_than": "<",
    "is": "=",
    "is_not": "<>",
}


@dataclass(frozen=True)
class Condition:
    """`value` is a number for levels (their position) and numbers, a word for grades, an id for units."""

    fact: str
    op: str
    value: Decimal | str

    @property
    def kind(self) -> str:
        return FACTS[self.fact].kind

    @property
    def number(self) -> Decimal:
        """The value of everything but a grade."""
        return Decimal(self.value)


@dataclass(frozen=True)
class Rule:
    """One sentence. `effect` is give, zero, reduce or hold; `amount` a percentage or money by `basis`."""

    id: int
    position: int
    conditions: tuple[Condition, ...]
    effect: str = "give"
    basis: str = "percent"
    amount: Decimal = NOTHING


@dataclass(frozen=True)
class Component:
    """A part of the plan as it was published."""

    id: int
    kind: str
    name: str
    match: str = "first"
    band_percent: Decimal = NOTHING
    rounding: Decimal = CENT
    distributes_pool: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    prorate: bool = True
    unpaid_leave_counts: bool = False
    takes_effect_on: date | None = None
    rules: tuple[Rule, ...] = ()

    @property
    def asks_rating(self) -> bool:
        return any(
            c.fact in ("rating", "rating_value") for rule in self.rules for c in rule.conditions
        )

    @property
    def needs_pay(self) -> bool:
        return any(rule.effect == "give" and rule.basis == "percent" for rule in self.rules)


def condition_from(row: Mapping[str, Any]) -> Condition:
    """A stored condition. ValueError for anything outside the closed list."""
    fact, op, value = row.get("fact"), row.get("op"), row.get("value")
    known = FACTS.get(str(fact))
    if known is None or op not in OPERATORS[known.kind]:
        raise ValueError(f"unknown condition {row!r}")
    if known.kind == "grade":
        return Condition(str(fact), str(op), str(value))
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"not a number: {value!r}")
    return Condition(str(fact), str(op), number)


def components_of(content: Mapping[str, Any]) -> list[Component]:
    """The components of a published (or rehearsed) content, as the calculation reads them."""
    found = []
    for row in content["components"]:
        rules = tuple(
            Rule(
                id=r["id"],
                position=r["position"],
                effect=r["effect"],
                basis=r["basis"],
                amount=Decimal(r["amount"]),
                conditions=tuple(condition_from(c) for c in r["conditions"]),
            )
            for r in sorted(row["rules"], key=lambda r: r["position"])
        )
        found.append(
            Component(
                id=row["id"],
                kind=row["kind"],
                name=row["name"],
                match=row["match"],
                band_percent=Decimal(row["band_percent"]),
                rounding=Decimal(row["rounding"]),
                distributes_pool=row["distributes_pool"],
                prorate=row["prorate"],
                unpaid_leave_counts=row["unpaid_leave_counts"],
                minimum=None if row["minimum"] is None else Decimal(row["minimum"]),
                maximum=None if row["maximum"] is None else Decimal(row["maximum"]),
                takes_effect_on=_day(row.get("takes_effect_on")),
                rules=rules,
            )
        )
    return found


def _day(value: date | str | None) -> date | None:
    """A day of a working copy, or of a published content as text. Versions from before there were days have none."""
    return date.fromisoformat(str(value)) if value else None


# --- Sentences -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Names:
    """What ids are called: levels by position, units by id."""

    levels: Mapping[int, str] = field(default_factory=dict)
    units: Mapping[int, str] = field(default_factory=dict)
    currency: str = ""


def plain(number: Decimal) -> str:
    """A decimal without idle zeros: 1.2500 as "1.25", 6.0 as "6"."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def value_words(condition: Condition, names: Names) -> str:
    """The value of a condition as people write it."""
    fact = FACTS[condition.fact]
    if fact.kind == "grade":
        return str(condition.value)
    if fact.kind == "level":
        return names.levels.get(int(condition.number), _("level %s") % plain(condition.number))
    if fact.kind == "unit":
        return names.units.get(int(condition.number), _("a unit that is gone"))
    return " ".join(part for part in (plain(condition.number), str(fact.suffix)) if part)


Words = list[tuple[str, bool]]


def sentence(rule: Rule, names: Names) -> Words:
    """The rule as a sentence, in pieces: (words, whether it is a slot)."""
    pieces: Words = []
    for number, condition in enumerate(rule.conditions):
        pieces.append((_("If") if number == 0 else _("and"), False))
        pieces.append((str(FACTS[condition.fact].label), True))
        pieces.append((str(OPERATORS[condition.kind][condition.op]), True))
        pieces.append((value_words(condition, names), True))
    pieces.append((_("then") if pieces else _("Always"), False))
    if rule.effect == "give":
        pieces.append((_("give"), False))
        if rule.basis == "percent":
            pieces += [(plain(rule.amount), True), (_("% of yearly pay"), False)]
        else:
            pieces.append((f"{plain(rule.amount)} {names.currency}".strip(), True))
    elif rule.effect == "reduce":
        pieces += [(_("reduce by"), False), (f"{plain(rule.amount)} %", True)]
    else:
        pieces.append(
            (_("give nothing") if rule.effect == "zero" else _("hold until it is settled"), True)
        )
    return pieces


def sentence_text(rule: Rule, names: Names) -> str:
    """The rule as one line of text."""
    return " ".join(words for words, _slot in sentence(rule, names)) + "."


# --- Time worked -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Segment:
    """A stretch of the period at one FTE; both days count."""

    starts_on: date
    ends_on: date
    fte: Decimal
    unpaid: int = 0

    @property
    def days(self) -> int:
        return (self.ends_on - self.starts_on).days + 1


def segments(
    first: date,
    last: date,
    *,
    fte: Decimal,
    changes: Mapping[date, Decimal] | None = None,
    unpaid: Iterable[tuple[date, date]] = (),
) -> list[Segment]:
    """The days worked from `first` to `last`, both inclusive, cut where the FTE changed.

    `changes` maps a first day to the FTE from then on; before the earliest, `fte` holds. `unpaid` are
    stretches of unpaid leave that do not overlap.
    """
    if last < first:
        return []
    leave = list(unpaid)
    before = [day for day in changes or {} if day <= first]
    held = (changes or {})[max(before)] if before else fte
    cuts = [(first, held), *sorted((d, f) for d, f in (changes or {}).items() if first < d <= last)]
    found = []
    for number, (start, rate) in enumerate(cuts):
        end = cuts[number + 1][0] - timedelta(days=1) if number + 1 < len(cuts) else last
        away = sum(max(0, (min(e, end) - max(s, start)).days + 1) for s, e in leave)
        found.append(Segment(start, end, rate, away))
    return found


def share_of(parts: Sequence[Segment], period_days: int, *, unpaid_counts: bool) -> Decimal:
    """Worked days × FTE ÷ real days of the period, to six decimals (3-domain, Proration)."""
    worked = sum(
        (Decimal(p.days - (0 if unpaid_counts else p.unpaid)) * p.fte for p in parts), NOTHING
    )
    return (worked / period_days).quantize(Decimal("0.000001"), ROUND_HALF_UP)


# --- Facts of a person ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Restraint:
    """An entry in effect: zero, reduce (by `percent`) or hold, for one kind of component."""

    id: int
    kind: str
    effect: str
    percent: Decimal = NOTHING


@dataclass(frozen=True)
class Person:
    """What the rules know of one person. None (of a grade: "") is "not known": it is never read as nothing."""

    key: int
    unit_path: str = ""
    grade: str = ""
    currency: str = ""
    fte: Decimal = Decimal(1)
    annual_pay: Decimal | None = None
    full_time_pay: Decimal | None = None
    has_left: bool = False
    rating: int | None = None
    rating_value: Decimal | None = None
    goal_score: Decimal | None = None
    compa_ratio: Decimal | None = None
    months_worked: int = 0
    days_absent: int = 0
    contributions: int = 0
    promises_kept: Decimal | None = None
    share_worked: Decimal = Decimal(1)
    share_all: Decimal = Decimal(1)
    restraints: tuple[Restraint, ...] = ()

    def value_of(self, fact: str) -> Any:
        return self.unit_path if fact == "unit" else getattr(self, fact)


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def person_from(facts: Mapping[str, Any]) -> Person:
    """A person as the facts were stored with the run; numbers are kept as text, so none is lost."""
    return Person(
        key=facts["participation_id"],
        unit_path=facts["unit_path"],
        grade=facts["grade"],
        currency=facts["currency"],
        fte=Decimal(str(facts["fte"])),
        annual_pay=_number(facts["annual_pay"]),
        full_time_pay=_number(facts["full_time_pay"]),
        has_left=facts["has_left"],
        rating=facts["rating"],
        rating_value=_number(facts["rating_value"]),
        goal_score=_number(facts["goal_score"]),
        compa_ratio=_number(facts["compa_ratio"]),
        months_worked=facts["months_worked"],
        days_absent=facts["days_absent"],
        contributions=facts["contributions"],
        promises_kept=_number(facts["promises_kept"]),
        share_worked=Decimal(str(facts["share_worked"])),
        share_all=Decimal(str(facts["share_all"])),
        restraints=tuple(
            Restraint(r["id"], r["kind"], r["effect"], _number(r["percent"]) or NOTHING)
            for r in facts["restraints"]
        ),
    )


def holds(condition: Condition, person: Person) -> bool | None:
    """Whether a condition holds for a person; None where its fact is missing.

    Promises are the one fact that may not exist: of whom none fell due, nothing is missing.
    """
    known = person.value_of(condition.fact)
    if condition.kind == "unit":
        inside = f"/{int(condition.number)}/" in f"/{known}"
        return inside if condition.op == "is" else not inside
    if known is None or known == "":
        return None if condition.fact in MISSING else False
    if condition.kind == "grade":
        return bool(known == condition.value) == (condition.op == "is")
    number, value = Decimal(known), condition.number
    return {
        "at_least": number >= value,
        "at_most": number <= value,
        "more_than": number > value,
        "less_than": number < value,
        "is": number == value,
    }[condition.op]


def fits(rule: Rule, person: Person) -> bool | None:
    """Whether all conditions of a rule hold; a rule without conditions holds for everybody.

    None where no condition fails but one asks for a missing fact, so that nobody can say.
    """
    said = [holds(condition, person) for condition in rule.conditions]
    if False in said:
        return False
    return None if None in said else True


def missing_fact(rule: Rule, person: Person) -> str:
    """The code of the first missing fact that a rule asks for."""
    unknown = (c.fact for c in rule.conditions if holds(c, person) is None)
    return next((MISSING[fact] for fact in unknown), "")


def condition_sql(condition: Condition) -> tuple[str, list[Any]]:
    """A condition as SQL over the facts `f`, with its value as a parameter: the same decision as `holds`."""
    if condition.fact not in FACTS or condition.op not in OPERATORS[condition.kind]:
        raise ValueError(f"unknown condition {condition!r}")
    if condition.kind == "unit":
        sign = ">" if condition.op == "is" else "="
        return f"position(%s in '/' || f.unit_path) {sign} 0", [f"/{int(condition.number)}/"]
    text = f"{fact_sql(condition.fact)} {_SIGNS[condition.op]} %s"
    if condition.fact not in MISSING:
        text = f"coalesce({text}, false)"
    return text, [condition.value]


def fact_sql(fact: str) -> str:
    """A fact of `f` that is NULL where it is missing."""
    return f"nullif(f.{fact}, '')" if FACTS[fact].kind == "grade" else f"f.{fact}"


def rule_sql(rule: Rule) -> tuple[str, list[Any]]:
    """All conditions of a rule as one SQL expression, NULL where `fits` says None."""
    parts = [condition_sql(condition) for condition in rule.conditions]
    values = [value for _sql, more in parts for value in more]
    return " AND ".join(sql for sql, _more in parts) or "true", values


def missing_sql(rule: Rule) -> str:
    """The code of the first missing fact that a rule asks for, as SQL: the same as `missing_fact`."""
    asked = [c.fact for c in rule.conditions if c.fact in MISSING]
    cases = [
        f"WHEN {fact_sql(fact)} IS NULL THEN '{MISSING[fact]}'" for fact in dict.fromkeys(asked)
    ]
    return f"CASE {' '.join(cases)} END" if cases else "NULL"


# --- The amount -------------------------------------------------------------------------------------

# Why somebody gets nothing of a component, first what is asked first.
WHY: dict[str, Any] = {
    "left": gettext_lazy("Has left"),
    "no_pay": gettext_lazy("No pay on file"),
    "currency": gettext_lazy("Paid in another currency than the plan"),
    "no_rating": gettext_lazy("No released rating"),
    "no_goal_score": gettext_lazy("No goal score"),
    "no_compa_ratio": gettext_lazy("No pay range on file"),
    "no_grade": gettext_lazy("No grade on file"),
    "no_days": gettext_lazy("No days worked in the period"),
    "no_rule": gettext_lazy("No rule fits"),
    "restrained": gettext_lazy("Restrained: nothing is given"),
}

# Of these the rules could not say anything: who is left out gets no statement and follows in a later run.
# The other causes are what the rules say: nothing.
LEFT_OUT = ("no_pay", "currency", "no_rating", "no_goal_score", "no_compa_ratio", "no_grade")


@dataclass(frozen=True)
class Weighed:
    """What the rules say of one person and component, before a pool is divided."""

    why: str = ""
    hits: tuple[int, ...] = ()
    percent: Decimal = NOTHING
    fixed: Decimal = NOTHING
    pay: Decimal = NOTHING
    share: Decimal = Decimal(1)
    cut: Decimal = NOTHING
    held: bool = False
    gross: Decimal = NOTHING


def rounded(amount: Decimal, to: Decimal) -> Decimal:
    """The nearest multiple of `to`, half away from zero."""
    with localcontext() as context:
        context.prec = 60
        return (amount / to).quantize(Decimal(1), ROUND_HALF_UP) * to


def weigh(component: Component, person: Person, *, currency: str) -> Weighed:
    """Which rules fit, and what they come to.

    The first giving rule that fits gives (or all of them, added up); every restraining rule that fits
    and every entry in effect restrains: nothing, or less by the largest reduction, or held. Where a rule that
    could still count asks for a missing fact, the rules say nothing at all (`LEFT_OUT`).
    """
    with localcontext() as context:
        context.prec = 60
        said = {rule.id: fits(rule, person) for rule in component.rules}
        fitting = [rule for rule in component.rules if said[rule.id]]
        giving = [rule for rule in fitting if rule.effect == "give"]
        if component.match == "first":
            giving = giving[:1]
        missing = next(
            (
                missing_fact(rule, person)
                for number, rule in enumerate(component.rules)
                if said[rule.id] is None and not _is_beaten(component, number, said)
            ),
            "",
        )
        entries = [r for r in person.restraints if r.kind == component.kind]
        percent = sum((r.amount for r in giving if r.basis == "percent"), NOTHING)
        fixed = sum((r.amount for r in giving if r.basis == "fixed"), NOTHING)
        pay = (person.full_time_pay if component.prorate else person.annual_pay) or NOTHING
        share = Decimal(1)
        if component.prorate:
            share = person.share_all if component.unpaid_leave_counts else person.share_worked
        cut = max(
            [r.amount for r in fitting if r.effect == "reduce"]
            + [r.percent for r in entries if r.effect == "reduce"]
            + [NOTHING]
        )
        is_zero = any(r.effect == "zero" for r in fitting) or any(
            r.effect == "zero" for r in entries
        )
        hold = any(r.effect == "hold" for r in fitting) or any(r.effect == "hold" for r in entries)
        why = next(
            (
                code
                for code, applies in {
                    "left": person.has_left,
                    "no_pay": component.needs_pay and person.annual_pay is None,
                    "currency": bool(person.currency) and person.currency != currency,
                    "no_rating": component.asks_rating and person.rating is None,
                    missing: bool(missing),
                    "no_days": share <= 0,
                    "no_rule": not giving,
                    "restrained": is_zero or cut >= 100,
                }.items()
                if applies
            ),
            "",
        )
        gross = (
            NOTHING if why else (pay * percent * PER_CENT + fixed) * share * (1 - cut * PER_CENT)
        )
        hits = tuple(
            r.id for r in component.rules if r in giving or (r in fitting and r.effect != "give")
        )
        return Weighed(why, hits, percent, fixed, pay, share, cut, hold and not why, gross)


def _is_beaten(component: Component, number: int, said: Mapping[int, bool | None]) -> bool:
    """Whether a giving rule comes too late to count: one before it fits, and the first that fits gives."""
    if component.match != "first" or component.rules[number].effect != "give":
        return False
    return any(rule.effect == "give" and said[rule.id] for rule in component.rules[:number])


def single(component: Component, gross: Decimal) -> Decimal:
    """The amount of somebody whose component divides no pool: rounded, then at least and at most."""
    if gross <= 0:
        return NOTHING
    amount = rounded(gross, component.rounding)
    if component.minimum is not None:
        amount = max(amount, component.minimum)
    if component.maximum is not None:
        amount = min(amount, component.maximum)
    return amount


def band(guideline: Decimal, percent: Decimal) -> tuple[Decimal, Decimal]:
    """From where to where a manager may move an amount without a reason."""
    with localcontext() as context:
        context.prec = 60
        low = (guideline * (1 - percent * PER_CENT)).quantize(CENT, ROUND_HALF_UP)
        return low, (guideline * (1 + percent * PER_CENT)).quantize(CENT, ROUND_HALF_UP)


# --- Dividing a pool --------------------------------------------------------------------------------


class TooSmall(ValueError):
    """The pool cannot pay everybody the least amount."""


@dataclass(frozen=True)
class Claim:
    """One claim on a pool: `weight`, and its least and most, in whole units."""

    key: int
    weight: int
    least: int
    most: int


@dataclass(frozen=True)
class Part:
    """What a claim gets, in units, and how: `bound` is "least", "most" or "" (in proportion)."""

    units: int
    bound: str = ""
    rest: int = 0
    weights: int = 0
    extra: int = 0


def divide(total: int, claims: Iterable[Claim]) -> dict[int, Part]:
    """Divide `total` units in proportion to the weights, exactly, within everybody's least and most.

    One common rate per weight is found at which the amounts, held within their bounds, come to the
    total; whole units are given first and the rest by largest remainder, ties by the smaller key. If even the
    most of everybody does not use the total, everybody gets the most and the rest stays. Raises
    `TooSmall` where the least amounts come to more than the total.
    """
    items = [c for c in claims if c.weight > 0]
    if sum(c.least for c in items) > total:
        raise TooSmall
    if sum(c.most for c in items) <= total:
        return {c.key: Part(c.most, "most") for c in items}

    def spent(rate: Fraction) -> Fraction:
        return sum(
            (min(max(c.weight * rate, Fraction(c.least)), Fraction(c.most)) for c in items),
            Fraction(0),
        )

    rates = sorted({Fraction(bound, c.weight) for c in items for bound in (c.least, c.most)})
    rate = rates[bisect_right(rates, Fraction(total), key=spent) - 1]
    parts: dict[int, Part] = {}
    free = []
    for c in items:
        if Fraction(c.least, c.weight) > rate:
            parts[c.key] = Part(c.least, "least")
        elif Fraction(c.most, c.weight) <= rate:
            parts[c.key] = Part(c.most, "most")
        else:
            free.append(c)
    rest, weights = total - sum(p.units for p in parts.values()), sum(c.weight for c in free)
    if not free:
        return parts
    left = rest - sum(c.weight * rest // weights for c in free)
    ranked = sorted(free, key=lambda c: (-(c.weight * rest % weights), c.key))
    for number, c in enumerate(ranked):
        extra = 1 if number < left else 0
        parts[c.key] = Part(c.weight * rest // weights + extra, "", rest, weights, extra)
    return parts


def unit_of(component: Component, pool: Decimal) -> Decimal:
    """The step in which a pool is divided: the rounding if the pool is a multiple of it, else the cent."""
    return component.rounding if pool % component.rounding == 0 else CENT


def claim_of(component: Component, key: int, gross: Decimal, pool: Decimal) -> Claim:
    """A person's claim on a pool; the weight is what the rules gave, in cents."""
    unit = unit_of(component, pool)
    whole = int(pool / unit)
    least = (
        0
        if component.minimum is None
        else int((component.minimum / unit).to_integral_value(ROUND_CEILING))
    )
    most = (
        whole
        if component.maximum is None
        else int((component.maximum / unit).to_integral_value(ROUND_FLOOR))
    )
    return Claim(key, int(rounded(gross, CENT) * 100), least, max(most, least))


# --- The whole run -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pool:
    """Money for a component, for one unit's subtree or (with an empty path) for all.

    `amount` is what a run may give: in a supplementary run what the runs before have left.
    """

    id: int
    component: int
    unit_path: str
    amount: Decimal


@dataclass(frozen=True)
class Outcome:
    """What the run says of one person and component."""

    guideline: Decimal
    low: Decimal
    high: Decimal
    pool: int | None
    weighed: Weighed
    part: Part | None = None


def pool_of(pools: Iterable[Pool], component: int, unit_path: str) -> Pool | None:
    """The pool nearest to a unit: its own, else that of the closest unit above, else the one for all."""
    near = [p for p in pools if p.component == component and unit_path.startswith(p.unit_path)]
    return max(near, key=lambda p: len(p.unit_path), default=None)


def calculate(
    components: Sequence[Component],
    people: Sequence[Person],
    pools: Sequence[Pool],
    *,
    currency: str,
) -> dict[tuple[int, int], Outcome]:
    """Every amount of a run, by (component, person): the reference for what the database computes."""
    found: dict[tuple[int, int], Outcome] = {}
    for component in components:
        claims: dict[int, list[Claim]] = {}
        weighed: dict[int, tuple[Weighed, Pool | None]] = {}
        for person in people:
            said, pool = (
                weigh(component, person, currency=currency),
                pool_of(pools, component.id, person.unit_path),
            )
            weighed[person.key] = (said, pool)
            if pool is not None and component.distributes_pool:
                claims.setdefault(pool.id, []).append(
                    claim_of(component, person.key, said.gross, pool.amount)
                )
        amounts = {p.id: p.amount for p in pools}
        parts: dict[int, Part] = {}
        for pool_id, rows in claims.items():
            units = int(amounts[pool_id] / unit_of(component, amounts[pool_id]))
            parts |= divide(units, rows)
        for key, (said, pool) in weighed.items():
            part = parts.get(key)
            if pool is not None and component.distributes_pool:
                guideline = part.units * unit_of(component, pool.amount) if part else NOTHING
            else:
                guideline = single(component, said.gross)
            low, high = band(guideline, component.band_percent)
            found[component.id, key] = Outcome(
                guideline, low, high, pool.id if pool else None, said, part
            )
    return found


def recompute(
    component: Component, person: Person, part: Mapping[str, Any] | None, *, currency: str
) -> Decimal:
    """The guideline again, from the stored facts and (where a pool was divided) the stored part of it."""
    said = weigh(component, person, currency=currency)
    if part is None:
        return (
            NOTHING
            if component.distributes_pool and said.gross <= 0
            else single(component, said.gross)
        )
    unit, total = Decimal(part["unit"]), int(part["total"])
    claim = claim_of(component, person.key, said.gross, total * unit)
    if part["bound"] == "least":
        return claim.least * unit
    if part["bound"] == "most":
        return claim.most * unit
    return (claim.weight * int(part["rest"]) // int(part["weights"]) + int(part["extra"])) * unit


@dataclass(frozen=True)
class Tried:
    """What one component would give, or None with the reason why nobody can say or nothing is given."""

    name: str
    amount: Decimal | None
    why: str = ""


def at_rating(
    components: Iterable[Component], person: Person, position: int, value: Decimal, *, currency: str
) -> list[Tried]:
    """What the rules would give a person at another rating, before any pool."""
    other = Person(
        **{**person.__dict__, "rating": position, "rating_value": value, "restraints": ()}
    )
    found = []
    for component in components:
        said = weigh(component, other, currency=currency)
        amount = None if said.why in LEFT_OUT else single(component, said.gross)
        found.append(Tried(component.name, amount, str(WHY.get(said.why, ""))))
    return found
