"""What the pages of incentives show, in words and lines that templates only write down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from incentives import rules
from incentives.models import Approval, Component, Pool, RestraintEntry, Statement
from pmcycle.ui.formats import money_text, number_text, when_text


@dataclass(frozen=True)
class PoolLine:
    """Money for somebody, or the sum of all pools of a component (`is_sum`)."""

    name: str
    amount: Decimal
    currency: str
    is_sum: bool = False


def pool_lines(pools: Sequence[Pool], currency: str) -> list[PoolLine]:
    """The pools of a component with their sum; none if there are none."""
    rest = _("everybody") if len(pools) == 1 else _("everybody else")
    lines = [PoolLine(p.unit.name if p.unit else rest, p.amount, p.currency) for p in pools]
    total = sum((p.amount for p in pools), Decimal(0))
    return [*lines, PoolLine(_("Together"), total, currency, is_sum=True)] if lines else []


def how_it_counts(component: rules.Component, currency: str) -> list[tuple[str, str]]:
    """How a component counts, in words, each with the name of its icon; "" for none."""
    if not component.prorate:
        time = _("not prorated")
    elif component.unpaid_leave_counts:
        time = _("by days and FTE; unpaid leave counts as worked")
    else:
        time = _("by days and FTE; unpaid leave does not count")
    found = [
        (
            "list-check",
            _("all rules that fit are added up")
            if component.match == "all"
            else _("the first rule that fits gives"),
        ),
        (
            "arrows-exchange",
            _("managers may move it by ± %(band)s %%")
            % {"band": number_text(component.band_percent)},
        ),
        ("calendar", time),
    ]
    if component.takes_effect_on:
        found.append(("calendar-event", how_paid(component)))
    if component.distributes_pool:
        found.append(("chart-pie", _("the whole pool is handed out, in proportion")))
    found.append(
        ("coin", _("rounded to %(step)s") % {"step": money_text(component.rounding, currency)})
    )
    if component.minimum is not None:
        found.append(
            ("", _("at least %(amount)s") % {"amount": money_text(component.minimum, currency)})
        )
    if component.maximum is not None:
        found.append(
            ("", _("at most %(amount)s") % {"amount": money_text(component.maximum, currency)})
        )
    return found


# --- the sheet of a team ------------------------------------------------------------------------------


@dataclass
class SheetPerson:
    """One person of a team: pay and place in its range, an amount for each component, and the pay that follows.

    `pay` is what holds before the run, in the currency of the person; `place` is in percent of the middle of the
    range. None where it is not known.
    """

    participation: Any
    level: str
    pay: Decimal | None
    place: Decimal | None
    amounts: list[Any] = field(default_factory=list)

    @property
    def currency(self) -> str:
        return str(self.participation.currency)

    @property
    def new_pay(self) -> Decimal | None:
        """The pay with the rises of this run that are not held; bonuses and one-off awards are no pay.

        None where the pay is not known, or a rise is not decided yet.
        """
        rises = [a for a in self.amounts if a and is_rise(a.component.kind)]
        if self.pay is None or any(rise.is_left_out for rise in rises):
            return None
        return sum((rise.amount for rise in rises if not rise.is_held), self.pay)


@dataclass
class SheetSum:
    """What a team gets of one component, and what the rules alone would give it."""

    component: Component
    amount: Decimal = Decimal(0)
    guideline: Decimal = Decimal(0)


def how_paid(component: rules.Component) -> str:
    """How often an amount is paid and, where the rules name a day, from when."""
    often = _("a year") if is_rise(component.kind) else _("once")
    if component.takes_effect_on is None:
        return often
    day = when_text(component.takes_effect_on, full=True)
    return _("%(often)s, from %(day)s") % {"often": often, "day": day}


def is_rise(kind: str) -> bool:
    """Whether a component raises the pay from year to year; the others are paid once."""
    return kind == Component.Kind.MERIT


def people_of_sheet(
    rows: Iterable[Any], levels: dict[int, str]
) -> tuple[list[SheetPerson], list[SheetSum]]:
    """The awards of a team, a line a person, and the sums by component, in the order of the plan.

    The awards are annotated with `rating`, `place` and `risen`; each gets its `share` of the pay in percent.
    """
    found = list(rows)
    sums = {
        a.component_id: SheetSum(a.component) for a in sorted(found, key=lambda a: a.component_id)
    }
    people: dict[int, SheetPerson] = {}
    for award in found:
        part = award.participation
        pay = None if part.annual_pay is None else part.annual_pay + award.risen
        place = None if award.place is None else Decimal(award.place)
        person = people.setdefault(
            part.pk, SheetPerson(part, levels.get(award.rating, ""), pay, place)
        )
        award.share = award.amount / pay if pay else None
        person.amounts.append(award)
        sums[award.component_id].amount += award.amount
        sums[award.component_id].guideline += award.guideline
    for person in people.values():
        of = {award.component_id: award for award in person.amounts}
        person.amounts = [of.get(component) for component in sums]
    return list(people.values()), list(sums.values())


def last_act(act: Approval | None) -> tuple[str, str] | None:
    """What the latest act about a team means for its sheet: tone and title of a remark."""
    remarks = {
        "returned": ("warn", _("Returned")),
        "submitted": ("info", _("Handed in")),
        "approved": ("ok", _("Approved by the line")),
    }
    return remarks[act.act] if act else None


# --- entries that restrain ----------------------------------------------------------------------------


@dataclass(frozen=True)
class EntryLine:
    """An entry about a reward in a list: whom it is about, and the day that matters next, with its word.

    `is_due`: somebody has to act until that day; otherwise it is only said. No day for what has ended early.
    """

    entry: RestraintEntry
    is_own: bool
    word: str
    day: date | None
    is_due: bool

    @property
    def is_open(self) -> bool:
        return self.entry.state in (RestraintEntry.State.PROPOSED, RestraintEntry.State.EFFECTIVE)

    @property
    def asks_the_reader(self) -> bool:
        """Whether it waits for the reader's own answer, which may be written anew until it is decided."""
        return self.is_own and self.entry.state == RestraintEntry.State.PROPOSED


def entry_line(entry: RestraintEntry, reader: int | None) -> EntryLine:
    """A line about an entry that was read `with_decision_due`, for the reader with this employee id."""
    part = entry.participation
    today = part.cycle.local_day(timezone.now())
    word, day, is_due = "", None, False
    if (
        entry.state == RestraintEntry.State.PROPOSED
        and entry.answered_at is None
        and today <= entry.answer_by
    ):
        word, day, is_due = _("answer"), entry.answer_by, True
    elif entry.state == RestraintEntry.State.PROPOSED:
        word, day, is_due = _("decision"), vars(entry)["decision_due"], True
    elif entry.state == RestraintEntry.State.EFFECTIVE:
        word, day = _("lapses"), entry.lapses_on
    elif entry.state == RestraintEntry.State.LAPSED:
        word, day = _("lapsed after"), entry.lapses_on
    return EntryLine(entry, part.employee_id == reader, word, day, is_due)


def before_deciding(entry: RestraintEntry, *, may_take_effect: bool) -> tuple[str, str] | None:
    """What whoever decides should know first, with its tone; none where there is nothing to know.

    The entry is annotated with `is_too_late` (the reward is given) and `is_taken` (it was taken away).
    """
    is_proposed = entry.state == RestraintEntry.State.PROPOSED
    if vars(entry)["is_too_late"]:
        if is_proposed:
            return "warn", _("This reward is approved, so the entry can no longer take effect.")
        if entry.effect == RestraintEntry.Effect.HOLD:
            return "warn", _(
                "Lifting it sets the amount free: it goes to payroll with the next file."
            )
        return "warn", _(
            "The rewards of this cycle were approved with this entry in effect: lifting it does not change the "
            "amount. What %(name)s should have had is given as an award in the next cycle; write the sum into your "
            "decision."
        ) % {"name": entry.participation.employee.name}
    if vars(entry)["is_taken"] and entry.effect == RestraintEntry.Effect.ZERO and not is_proposed:
        return "warn", _(
            "The rewards were approved with this entry in effect. Once it is lifted, the reward can follow in a "
            "supplementary run, from what is left of the pools."
        )
    if is_proposed and not may_take_effect:
        return "info", _(
            "It can take effect after the answer, or after the day to answer by. Lifting it is possible now."
        )
    return None


# --- what a person reads ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """What a statement says, the rise of the yearly pay and what is paid once apart; None for what is not in it.

    Both leave out what is held, which is `held`.
    """

    rise: Decimal | None
    once: Decimal | None
    held: Decimal
    currency: str
    rise_words: str


def given(snapshot: Mapping[str, Any], components: Iterable[rules.Component]) -> Given:
    """Of the awards of a statement's snapshot. They are never added up: a rise comes again each year.

    `components` are those of the rules it was made from, which say from when.
    """
    rises = [c for c in components if is_rise(c.kind)]
    rise: Decimal | None = None
    once: Decimal | None = None
    held = Decimal(0)
    for award in snapshot["awards"]:
        amount = Decimal(award["amount"])
        if award["why"] in rules.LEFT_OUT:
            continue
        if award["held"]:
            held += amount
        elif is_rise(award["kind"]):
            rise = (rise or Decimal(0)) + amount
        else:
            once = (once or Decimal(0)) + amount
    rise_words = how_paid(rises[0]) if rises else _("a year")
    return Given(rise, once, held, snapshot["currency"], rise_words)


@dataclass(frozen=True)
class StatementLine:
    """A statement in a list, with what it gives."""

    statement: Statement
    given: Given


@dataclass(frozen=True)
class TriedComponent:
    """What one component would give at each rating that it can say, as (rating, amount)."""

    component: rules.Component
    bars: list[tuple[str, Decimal]]

    @property
    def is_rise(self) -> bool:
        return is_rise(self.component.kind)
