"""The editor of a cycle's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from appraisals import rules
from appraisals.models import CycleForm, Form, FormVersion, Question
from pmcycle.cycles.models import Cycle

Row = Mapping[str, Any]
Structure = Sequence[Row]


@dataclass(frozen=True)
class EditedQuestion:
    """A question as the editor's fields have it; `at` begins their names, `spot` is its place (section.question)."""

    at: str
    spot: str
    number: int
    text: str
    help: str
    kind: str
    who: str
    part: str
    weight: Decimal
    choices: str
    is_required: bool
    wrong: Mapping[str, str]

    @property
    def anchor(self) -> str:
        return f"part-{self.spot.replace('.', '-')}"

    @property
    def is_scored(self) -> bool:
        return self.kind in rules.SCORED_KINDS


@dataclass(frozen=True)
class EditedSection:
    """A section as the editor's fields have it."""

    at: str
    spot: str
    number: int
    title: str
    help: str
    weight: Decimal
    questions: list[EditedQuestion]
    wrong: Mapping[str, str]


@dataclass(frozen=True)
class Editor:
    """The form of a cycle in the making. `version` is None where none is chosen yet."""

    cycle: Cycle
    version: FormVersion | None
    name: str
    sections: list[EditedSection]
    errors: Mapping[str, str]
    library: Sequence[Form]

    @property
    def may_edit(self) -> bool:
        return self.cycle.state == Cycle.State.DRAFT

    @property
    def is_shared(self) -> bool:
        """Another cycle uses this version, so that saving makes the next one."""
        return self.may_edit and self.version is not None and self.version.frozen_at is not None

    @property
    def pretitle(self) -> str:
        words = [self.cycle.name]
        if self.version is not None:
            words.append(_("version %(number)s") % {"number": self.version.number})
            if self.version.frozen_at:
                words.append(_("frozen"))
        return " · ".join(words)

    @property
    def weights(self) -> list[dict[str, object]]:
        return [{"label": one.title, "weight": one.weight} for one in self.sections if one.weight]

    @property
    def lacks(self) -> Decimal:
        """What the weights lack to 100."""
        return rules.weight_problem(one.weight for one in self.sections)

    @property
    def form_id(self) -> int | None:
        return self.version.form_id if self.version else None

    kinds = Question.Kind.choices
    parts = Question.Part.choices

    @property
    def who(self) -> list[tuple[str, str]]:
        """Who may answer a question."""
        return [("both", _("both")), ("self", _("employee")), ("manager", _("manager"))]


def editor_of(
    cycle: Cycle,
    chosen: CycleForm | None,
    structure: Structure,
    library: Sequence[Form],
    errors: Mapping[str, str],
    name: str | None,
) -> Editor:
    """The editor over a structure as `actions.structure_of` gives it or as it was sent."""
    version = chosen.form_version if chosen else None
    return Editor(
        cycle=cycle,
        version=version,
        name=name if name is not None else (version.form.name if version else ""),
        sections=[_section(n, section, errors) for n, section in enumerate(structure)],
        errors=errors,
        library=library,
    )


def _section(n: int, section: Row, errors: Mapping[str, str]) -> EditedSection:
    at = f"s{n}"
    wrong = {key: text for key, text in _wrong(errors, at).items() if not key.startswith("q")}
    return EditedSection(
        at=at,
        spot=str(n),
        number=n + 1,
        title=section["title"],
        help=section["help"],
        weight=section["weight"],
        questions=[
            _question(n, q, question, errors) for q, question in enumerate(section["questions"])
        ],
        wrong=wrong,
    )


def _question(s: int, q: int, row: Row, errors: Mapping[str, str]) -> EditedQuestion:
    at = f"s{s}-q{q}"
    who = "self" if row["self"] else "manager"
    return EditedQuestion(
        at=at,
        spot=f"{s}.{q}",
        number=q + 1,
        text=row["text"],
        help=row["help"],
        kind=row["kind"],
        who="both" if row["self"] and row["manager"] else who,
        part=row["part"],
        weight=row["weight"],
        choices="\n".join(row.get("choices", [])),
        is_required=row["required"],
        wrong=_wrong(errors, at),
    )


def _wrong(errors: Mapping[str, str], at: str) -> dict[str, str]:
    return {
        key.removeprefix(f"{at}-"): text for key, text in errors.items() if key.startswith(f"{at}-")
    }
