"""A goal as its pages show it: cards and rows made of plain rows of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from goals.forms import ProgressForm, owner_label
from goals.models import ChangeRequest, Goal, GoalVersion, KeyResult, ProgressUpdate, Signature
from goals.rules import (
    Balance,
    KeyResultText,
    balance,
    behind_of,
    capped,
    goal_progress,
    key_result_progress,
    key_result_words,
)
from pmcycle.kept import Kept, any_key
from pmcycle.ui.formats import local_day, percent_number, typed_text, when_text
from pmcycle.ui.stencils import Filling, Stencil, any_number, any_text


def standing_of(key_result: KeyResult) -> dict[str, Any]:
    """What the row shows before anything is typed."""
    value = key_result.current
    if value is not None:
        value = Decimal(format(value.normalize(), "f"))
    return {
        "value": value if key_result.kind != KeyResult.Kind.REACH else str(int(value or 0)),
        "confidence": key_result.confidence or KeyResult.Confidence.ON_TRACK,
        "version": key_result.version,
    }


@dataclass
class Row:
    """A key result as a line of the page."""

    key_result: Any
    words: str
    progress: Decimal | None
    raw: Decimal | None
    spark: list[Decimal]
    form: ProgressForm | None = None

    @property
    def recording(self) -> Filling:
        """The form that records its progress, as it is before anything is typed."""
        key_result, stands = self.key_result, standing_of(self.key_result)
        value = stands["value"]
        is_asked = key_result.kind == KeyResult.Kind.REACH
        shape = (
            key_result.kind,
            stands["confidence"],
            bool(key_result.unit),
            value if is_asked else value is not None,
        )
        values = {
            "pk": key_result.pk,
            "version": key_result.version,
            "unit": key_result.unit,
            "value": "" if is_asked or value is None else typed_text(value),
        }
        return Filling(RECORDING, shape, values)

    @property
    def reached(self) -> str:
        """How far it is in words: what counts, and where that is cut, what was measured."""
        words = {"n": percent_number(self.progress), "raw": percent_number(self.raw)}
        if self.raw is None or self.progress == self.raw:
            return _("%(n)s %%") % words
        if self.raw < 0:
            return _("%(n)s %%, below the start: %(raw)s %%") % words
        return _("%(n)s %%, in fact %(raw)s %%") % words


def _recording(
    shape: tuple[str, str, bool, Any], *, pk: int, version: int, unit: str, value: str, token: str
) -> Any:
    """What `_record.html` is rendered with once for all key results of a kind."""
    kind, confidence, has_unit, stands = shape
    key_result = KeyResult(pk=pk, kind=kind, version=version, unit=unit if has_unit else "")
    shown: Any = stands if kind == KeyResult.Kind.REACH else value if stands else None
    initial = {"value": shown, "confidence": confidence, "version": version}
    row = Row(key_result, "", None, None, [], ProgressForm(key_result=key_result, initial=initial))
    return {"row": row, "token": token, "note": "", "open": False}


RECORDING = Stencil(
    "goals/_record.html",
    _recording,
    pk=any_number,
    version=any_number,
    unit=any_text,
    value=any_text,
    token=any_text,
)


def row_of(key_result: Any, cap: Decimal, form: ProgressForm | None = None) -> Row:
    raw = key_result.progress
    words = key_result_words(
        {
            "title": "",
            "kind": key_result.kind,
            "unit": key_result.unit,
            **{
                name: None
                if getattr(key_result, name) is None
                else format(getattr(key_result, name).normalize(), "f")
                for name in ("start", "target", "low", "high")
            },
        }
    )
    values = list(reversed(key_result.spark))
    if key_result.kind in (KeyResult.Kind.INCREASE, KeyResult.Kind.DECREASE):
        values = [key_result.start, *values]
    return Row(
        key_result,
        words.removeprefix(": "),
        capped(raw, cap),
        raw,
        values,
        form,
    )


def key_results_of(goals: Sequence[Goal]) -> dict[int, list[KeyResult]]:
    found: dict[int, list[KeyResult]] = {}
    for row in KeyResult.objects.for_list().filter(goal__in=goals):
        found.setdefault(row.goal_id, []).append(row)
    return found


KEY_RESULTS: Kept[KeyResult] = Kept(
    lambda participation: KeyResult.objects.for_list().filter(goal__participation=participation),
    participation=any_key,
)


def key_results_of_plan(participation: int) -> dict[int, list[KeyResult]]:
    """The key results of all goals of a participation, by goal; whoever shows them looks up the goals they show."""
    found: dict[int, list[KeyResult]] = {}
    for row in KEY_RESULTS(participation=participation):
        found.setdefault(row.goal_id, []).append(row)
    return found


@dataclass(frozen=True)
class Standing:
    """How far a goal is: percent or none, and how many key results are not measured or below their start."""

    percent: Decimal | None
    unmeasured: int
    behind: int


def standing_at(goal: Any, parts: Sequence[Decimal | None]) -> Standing:
    """How far a goal is with the progress of its key results as measured."""
    return Standing(goal.result, sum(part is None for part in parts), behind_of(parts))


@dataclass
class Card:
    """A goal as the page shows it to one of its readers."""

    goal: Any
    wording: GoalVersion
    rows: list[Row]
    progress: Decimal | None
    signed_by: list[str]
    waits_for: str
    waits_for_me: bool
    change_waits_for_me: bool
    added: Decimal = Decimal(0)
    # What one of the two can do with it in the list: draft, answer, proposed, change or agreed; "" for nothing.
    acts: str = ""

    @property
    def weight(self) -> Decimal | None:
        return self.wording.weight

    @property
    def weight_before(self) -> Decimal | None:
        """The weight that the other side has changed; none if it is the same or nobody has."""
        if not self.is_countered or self.goal.before["weight"] is None:
            return None
        before = Decimal(str(self.goal.before["weight"]))
        return None if before == self.weight else before

    @property
    def state(self) -> str:
        """How it stands, for the badge."""
        if self.goal.change_author:
            return "requested"
        return "countered" if self.is_countered else str(self.goal.state)

    @property
    def state_word(self) -> str:
        """What the badge says instead of its usual word, if anything."""
        return _("agreed · change asked for") if self.goal.change_author else ""

    @property
    def signing(self) -> str:
        """Who has signed what is proposed, and for whom it waits; "" where it waits for nobody."""
        if not self.waits_for or not self.signed_by:
            return _("waits for %(name)s") % {"name": self.waits_for} if self.waits_for else ""
        words = {"signed": ", ".join(self.signed_by), "waits": self.waits_for}
        return _("%(signed)s signed · waits for %(waits)s") % words

    @property
    def signers(self) -> str:
        """Who has signed what is agreed; "" where it was published and needs no signature."""
        return "" if self.waits_for else _(" and ").join(self.signed_by)

    @property
    def has_no_key_results(self) -> bool:
        """It is agreed, and nothing in it can be measured."""
        return self.goal.state == Goal.State.AGREED and not self.rows

    @property
    def may_drop(self) -> bool:
        """It came over from an earlier cycle, and nobody has signed it here: either of the two may leave it out."""
        return self.goal.state == Goal.State.PROPOSED and not self.signed_by

    @property
    def standing(self) -> Standing:
        return standing_at(self.goal, [row.raw for row in self.rows])

    @property
    def is_countered(self) -> bool:
        return self.goal.state == Goal.State.PROPOSED and self.goal.before is not None

    @property
    def key_result_words(self) -> list[str]:
        return [key_result_words(row) for row in self.wording.key_results]

    @property
    def key_results_before(self) -> str:
        return "\n".join(key_result_words(row) for row in self.goal.before["key_results"])

    @property
    def key_results_now(self) -> str:
        return "\n".join(self.key_result_words)


def card_of(
    goal: Any,
    rows: Sequence[KeyResult],
    participation: Any,
    user_employee: int | None,
    cap: Decimal,
) -> Card:
    is_proposed = goal.state == Goal.State.PROPOSED
    signed = {s["side"]: s["name"] for s in goal.signed}
    me = (
        Signature.Side.EMPLOYEE
        if user_employee == participation.employee_id
        else Signature.Side.MANAGER
        if user_employee is not None and user_employee == participation.manager_id
        else None
    )
    names = {
        Signature.Side.EMPLOYEE: participation.employee.name,
        Signature.Side.MANAGER: participation.manager_name or _("the manager"),
    }
    missing = [side for side in Signature.Side if side not in signed]
    return Card(
        goal=goal,
        wording=goal.latest if is_proposed or goal.agreed is None else goal.agreed,
        rows=[row_of(row, cap) for row in rows],
        progress=goal.result,
        signed_by=[_("you") if side == me else name for side, name in signed.items()],
        waits_for=_(" and ").join(_("you") if side == me else names[side] for side in missing)
        if is_proposed
        else "",
        waits_for_me=is_proposed and me in missing,
        change_waits_for_me=me is not None and goal.change_author not in (None, user_employee),
    )


def published_card(goal: Goal, rows: Sequence[KeyResult], cap: Decimal) -> Card:
    """A goal of the organisation or of a unit: nobody signs it, and it waits for nobody."""
    if goal.agreed is None:
        raise ValueError("A published goal has a wording that holds")
    return Card(
        goal=goal,
        wording=goal.agreed,
        rows=[row_of(row, cap) for row in rows],
        progress=goal.result,
        signed_by=[],
        waits_for="",
        waits_for_me=False,
        change_waits_for_me=False,
    )


def acts_of(card: Card, *, may_plan: bool, may_record: bool) -> str:
    """What one of the two can do with a goal in the list: the `acts` of its card."""
    goal = card.goal
    if goal.state == Goal.State.DRAFT:
        return "draft"
    if goal.state == Goal.State.PROPOSED and may_plan:
        return "answer" if card.waits_for_me else "proposed"
    if card.change_waits_for_me:
        return "change"
    holds = goal.state == Goal.State.AGREED and not goal.change_author and not goal.measured_on
    return "agreed" if holds and may_record else ""


@dataclass(frozen=True)
class Branch:
    """A published goal in the tree of goals, with the published ones and the goals of people below it."""

    card: Card
    owner: str
    branches: Sequence[Branch]
    people: Sequence[Goal]

    @property
    def count(self) -> int:
        """How many goals contribute to it directly."""
        return len(self.branches) + len(self.people)


def tree_of(
    goals: Sequence[Goal],
    people: Sequence[Goal],
    rows: Mapping[int, Sequence[KeyResult]],
    cap: Decimal,
) -> list[Branch]:
    """Published goals by what they contribute to; one whose goal above is not among them stands on top."""
    known = {goal.pk for goal in goals}
    below: dict[int, list[Goal]] = {}
    for goal in [*goals, *people]:
        below.setdefault(goal.parent_id if goal.parent_id in known else 0, []).append(goal)

    def branches(parent: int) -> list[Branch]:
        found = [goal for goal in below.get(parent, ()) if goal.participation_id is None]
        return [
            Branch(
                published_card(goal, rows.get(goal.pk, ()), cap),
                owner_label(goal),
                branches(goal.pk),
                [child for child in below.get(goal.pk, ()) if child.participation_id is not None],
            )
            for goal in found
        ]

    return branches(0)


@dataclass(frozen=True)
class HistoryLine:
    """One wording of a goal, with what it changed in the one before and who signed it."""

    version: Any
    before: Any
    said: str
    key_results: str
    key_results_before: str
    signatures: Sequence[Mapping[str, Any]]


def history_of(versions: Sequence[Any], goal: Any) -> list[HistoryLine]:
    """Every wording, newest first, with what changed in it, who wrote and who signed it."""
    lines: list[HistoryLine] = []
    for version in versions:
        before = lines[-1] if lines else None
        lines.append(
            HistoryLine(
                version=version,
                before=before.version if before else None,
                said=_who_wrote(version, goal, is_first=before is None),
                key_results="\n".join(key_result_words(row) for row in version.key_results),
                key_results_before=before.key_results if before else "",
                signatures=[{**s, "at": datetime.fromisoformat(s["at"])} for s in version.signed],
            )
        )
    return lines[::-1]


def _who_wrote(version: Any, goal: Any, *, is_first: bool) -> str:
    if not version.author:
        return _("It came over from %(cycle)s") % {
            "cycle": goal.from_cycle.name if goal.from_cycle else ""
        }
    words = _("%(name)s wrote it") if is_first else _("%(name)s reworded it")
    return words % {"name": version.author.name}


def effect_of(
    goal: Any, change: ChangeRequest, rows: Sequence[KeyResult], cap: Decimal
) -> dict[str, Any]:
    """What a change does: the total of the weights and the progress of the goal, before and after."""

    def total(version: GoalVersion) -> Balance:
        return balance(
            [*goal.other_weights, *([version.weight] if version.weight is not None else [])]
        )

    measured = {row.key: row.current for row in rows if row.updated_at is not None}
    after = [progress_of(row, measured.get(row["key"])) for row in change.new.key_results]
    return {
        "weights_before": total(change.old),
        "weights_after": total(change.new),
        "progress_before": _share(goal.result),
        "progress_after": _share(goal_progress(after, cap)),
        "key_results_old": "\n".join(key_result_words(row) for row in change.old.key_results),
        "key_results_new": "\n".join(key_result_words(row) for row in change.new.key_results),
    }


def _share(progress: Decimal | None) -> str:
    return "–" if progress is None else _("%(n)s %%") % {"n": percent_number(progress)}


def progress_of(row: Mapping[str, Any], current: Decimal | None) -> Decimal | None:
    """How far a key result would be if it were worded like this."""
    text = KeyResultText.from_row(row)
    return key_result_progress(
        text.kind,
        current,
        start=text.start or Decimal(0),
        target=text.target,
        low=text.low,
        high=text.high,
    )


def charts_of(rows: Sequence[KeyResult], updates: Sequence[ProgressUpdate]) -> list[dict[str, Any]]:
    """The measured values of each key result over time."""
    charts = []
    for row in rows:
        points = [u for u in reversed(updates) if u.key_result_id == row.pk and u.value is not None]
        if len(points) < 2 or row.kind == KeyResult.Kind.REACH:
            continue
        levels = [
            (level, word)
            for level, word in (
                (row.target, _("target")),
                (row.low, _("at least")),
                (row.high, _("at most")),
            )
            if level is not None
        ]
        line = [
            {
                "label": when_text(local_day(u.at)),
                "value": u.value,
                # Only what is not as hoped is worth the room under a point.
                "note": ""
                if u.confidence == KeyResult.Confidence.ON_TRACK
                else u.get_confidence_display(),
            }
            for u in points[-8:]
        ]
        charts.append(
            {
                "row": row,
                "points": line,
                "levels": levels,
                "unit": f" {row.unit}" if row.unit else "",
            }
        )
    return charts
