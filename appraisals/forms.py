"""The shape of what people send to appraisals; what may be done with it is for the actions to judge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appraisals import rules
from appraisals.actions import Key, Value, field_name, title_of
from appraisals.models import Answer, Appeal, Appraisal, Form, Question
from goals.models import Goal
from pmcycle.cycles.models import Cycle, RatingLevel
from pmcycle.people.models import Unit
from pmcycle.ui.fields import NumberField


class AnswersForm(forms.Form):
    """One field for each question (two for each goal: level and words), built from the frozen form.

    `is_draft` takes half an answer; without it, the required questions must be answered.
    """

    use_required_attribute = False
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        appraisal: Appraisal | None,
        questions: Sequence[Question],
        goals: Sequence[Goal],
        levels: Sequence[RatingLevel],
        saved: Mapping[Key, Answer] | None = None,
        rates: bool = False,
        entries: Iterable[int] = (),
        is_draft: bool = False,
    ) -> None:
        self.questions, self.goals, self.levels, self.rates = questions, goals, levels, rates
        self.keys: dict[str, Key] = {}
        super().__init__(data, auto_id="id_%s")
        self.meanings = {str(level.pk): level.meaning for level in levels}
        choices = [(str(level.pk), level.label) for level in levels]
        found = saved or {}
        key: Key
        for question in questions:
            is_required = question.is_required and not is_draft
            if question.kind == Question.Kind.RESULTS:
                continue
            if question.kind == Question.Kind.GOALS:
                for goal in goals:
                    key = (question.pk, goal.pk)
                    self._choice(key, title_of(goal), choices, is_required, _level_in(found, key))
                    self._text(key, "-text", _("What did you see?"), False, found, rows=2)
            elif question.kind == Question.Kind.TEXT:
                self._text((question.pk, None), "", question.text, is_required, found, rows=4)
            elif question.is_rated:
                key = (question.pk, None)
                self._choice(key, question.text, choices, is_required, _level_in(found, key))
            else:
                key, options = (question.pk, None), list(question.options.items())
                chosen = found[key].choice if key in found else ""
                self._choice(key, question.text, options, is_required, chosen)
        if appraisal is not None:
            self.fields["version"].initial = appraisal.version
        if rates:
            self.fields["level"] = forms.ChoiceField(
                label=_("The rating you propose"),
                choices=choices,
                required=not is_draft,
                widget=forms.RadioSelect,
                initial=str(appraisal.level_id or "") if appraisal else "",
                error_messages={"required": _("Propose a rating before you hand this in.")},
            )
            self.fields["citations"] = forms.TypedMultipleChoiceField(
                label=_("What it rests on"),
                coerce=int,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                choices=[(str(pk), str(pk)) for pk in entries],
            )

    def _add(self, key: Key, suffix: str, field: forms.Field, is_required: bool) -> None:
        field.required = is_required
        field.error_messages["required"] = _("This still needs an answer.")
        name = f"{field_name(*key)}{suffix}"
        self.fields[name] = field
        self.keys.setdefault(field_name(*key), key)

    def _text(
        self,
        key: Key,
        suffix: str,
        label: str,
        is_required: bool,
        saved: Mapping[Key, Answer],
        *,
        rows: int,
    ) -> None:
        field = forms.CharField(
            label=label,
            max_length=rules.ANSWER_LIMIT,
            widget=forms.Textarea(attrs={"rows": rows}),
            initial=saved[key].text if key in saved else "",
        )
        self._add(key, suffix, field, is_required)

    def _choice(
        self,
        key: Key,
        label: str,
        choices: Sequence[tuple[str, str]],
        is_required: bool,
        chosen: str,
    ) -> None:
        field = forms.ChoiceField(
            label=label, choices=choices, widget=forms.RadioSelect, initial=chosen
        )
        self._add(key, "", field, is_required)

    def answers(self) -> dict[Key, Value]:
        """What was sent, by question and goal. Only after `is_valid()`."""
        questions = {question.pk: question for question in self.questions}
        sent: dict[Key, Value] = {}
        for name, key in self.keys.items():
            value, question = self.cleaned_data.get(name) or "", questions[key[0]]
            if question.kind == Question.Kind.TEXT:
                sent[key] = Value(text=value)
            elif question.kind == Question.Kind.GOALS:
                text = self.cleaned_data.get(f"{name}-text") or ""
                sent[key] = Value(text=text, level_id=int(value) if value else None)
            elif question.is_rated:
                sent[key] = Value(level_id=int(value) if value else None)
            else:
                sent[key] = Value(choice=value)
        return sent

    def level_id(self) -> int | None:
        value = self.cleaned_data.get("level")
        return int(value) if value else None

    def citations(self) -> list[int] | None:
        return list(self.cleaned_data["citations"]) if self.rates else None


def _level_in(saved: Mapping[Key, Answer], key: Key) -> str:
    """The level that was chosen before, as its option has it."""
    return str(saved[key].level_id or "") if key in saved else ""


class WhyForm(forms.Form):
    """A reason and a day, for what goes back to its author."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    why = forms.CharField(
        label=gettext_lazy("Why"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    until = forms.DateField(
        label=gettext_lazy("Can be written until"), required=False, widget=forms.DateInput()
    )


class MoveForm(forms.Form):
    """Where a rating goes in calibration, and why."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    level = forms.ChoiceField(label=gettext_lazy("To"))
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "Kept with the rating. Name what was compared, not how the person is."
        ),
    )

    def __init__(self, *args: Any, levels: Sequence[RatingLevel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["level"]
        choice.choices = [(str(level.pk), level.label) for level in levels]


class SessionForm(forms.Form):
    """A calibration session: its name and whose ratings it looks at."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    units = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Units"),
        queryset=Unit.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "With everything below them. Choose none to look at the whole cycle."
        ),
    )

    def __init__(self, *args: Any, cycle: Cycle, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units: Any = self.fields["units"]
        units.queryset = Unit.objects.filter(pk__in=cycle.participations.values("unit")).order_by(
            "name"
        )


class ReleaseForm(forms.Form):
    """The question for a release, with the reason if first mentions go out all the same."""

    accepted_first_mentions = forms.CharField(
        label=gettext_lazy("Release first mentions too, because"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "Leave it empty to hold those results back until the manager has cited a conversation."
        ),
    )


class AcknowledgeForm(forms.Form):
    comment = forms.CharField(
        label=gettext_lazy("A note, if you like"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Your manager and HR read it beside the result."),
    )


class AppealForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("What should be looked at again?"),
        max_length=rules.ANSWER_LIMIT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("Say which part does not fit, and what shows it."),
    )


class DecisionForm(forms.Form):
    """The decision of a review."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"), choices=Appeal.Outcome, widget=forms.RadioSelect
    )
    new_level = forms.ChoiceField(label=gettext_lazy("New rating, if it changes"), required=False)
    decision = forms.CharField(
        label=gettext_lazy("The reason"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("The person reads it word for word."),
    )

    def __init__(self, *args: Any, levels: Sequence[RatingLevel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["new_level"]
        choice.choices = [("", "—"), *((str(level.pk), level.label) for level in levels)]


class ChooseForm(forms.Form):
    """A form of the library, or none for the good default."""

    form = forms.ModelChoiceField(
        queryset=Form.objects.filter(versions__isnull=False).distinct(), required=False
    )


# --- the form editor -------------------------------------------------------------------------------

WHERE = re.compile(r"s(\d{1,2})(?:-q(\d{1,2}))?")
QUESTION_KINDS = set(Question.Kind.values)
PARTS = set(Question.Part.values)
_no_nul = ProhibitNullCharactersValidator()


class ShapeError(Exception):
    """What is wrong in the editor's fields, by field name."""

    def __init__(self, errors: dict[str, str], structure: list[dict[str, Any]]) -> None:
        super().__init__(next(iter(errors.values())))
        self.errors, self.structure = errors, structure


def read_structure(data: Mapping[str, str]) -> list[dict[str, Any]]:
    """The sections and questions as the editor posts them (`s0-title`, `s0-q1-text` …), in their order.

    Raises `ShapeError` with a sentence for each field that does not fit.
    """
    errors: dict[str, str] = {}
    sections: dict[int, dict[str, Any]] = {}
    for name in data:
        place = WHERE.match(name)
        if place is None:
            continue
        section = sections.setdefault(int(place[1]), {"questions": {}})
        if place[2] is not None:
            section["questions"].setdefault(int(place[2]), {})
    structure = []
    for s, section in sorted(sections.items()):
        at = f"s{s}"
        questions = [
            _read_question(data, f"{at}-q{q}", errors) for q in sorted(section["questions"])
        ]
        structure.append(
            {
                "title": _text(data, f"{at}-title", 120, errors),
                "help": _text(data, f"{at}-help", 1000, errors, is_required=False),
                "weight": _weight(data, f"{at}-weight", errors),
                "questions": questions,
            }
        )
    if errors:
        raise ShapeError(errors, structure)
    return structure


def _read_question(data: Mapping[str, str], at: str, errors: dict[str, str]) -> dict[str, Any]:
    kind, part = data.get(f"{at}-kind", ""), data.get(f"{at}-part", "")
    if kind not in QUESTION_KINDS:
        errors[f"{at}-kind"], kind = _("Choose how it is answered."), Question.Kind.TEXT.value
    who = data.get(f"{at}-who", "both")
    choices = [
        line.strip()
        for line in _text(data, f"{at}-choices", 2000, errors, is_required=False).splitlines()
    ]
    choices = list(dict.fromkeys(line[:200] for line in choices if line))[
        : rules.STRUCTURE_LIMITS["choices"]
    ]
    takes_choices = kind in (Question.Kind.CHOICE, Question.Kind.COMPETENCY)
    if kind == Question.Kind.CHOICE and len(choices) < 2:
        errors[f"{at}-choices"] = _("Write at least two choices, a line each.")
    return {
        "kind": kind,
        "text": _text(data, f"{at}-text", 300, errors),
        "help": _text(data, f"{at}-help", 1000, errors, is_required=False),
        "weight": _weight(data, f"{at}-weight", errors)
        if kind in rules.SCORED_KINDS
        else Decimal(0),
        "choices": choices if takes_choices else [],
        "required": f"{at}-required" in data,
        "self": who != "manager" and kind != Question.Kind.RESULTS,
        "manager": who != "self",
        "part": part if part in PARTS and kind == Question.Kind.TEXT else "",
    }


def _text(
    data: Mapping[str, str],
    name: str,
    limit: int,
    errors: dict[str, str],
    *,
    is_required: bool = True,
) -> str:
    value = str(data.get(name, "")).strip()
    try:
        _no_nul(value)
    except ValidationError as error:
        errors[name], value = error.messages[0], value.replace("\x00", "")
    if len(value) > limit:
        errors[name] = _("At most %(limit)s letters.") % {"limit": limit}
        value = value[:limit]
    elif is_required and not value:
        errors[name] = _("Write something here.")
    return value


def _weight(data: Mapping[str, str], name: str, errors: dict[str, str]) -> Decimal:
    field = NumberField(min_value=0, max_value=100, max_digits=5, decimal_places=2, required=False)
    try:
        value: Decimal | None = field.clean(str(data.get(name, ""))[:20])
    except ValidationError as error:
        is_unsure = error.error_list[0].code == "unsure"
        errors[name] = error.messages[0] if is_unsure else _("A weight lies between 0 and 100.")
        return Decimal(0)
    return value if value is not None else Decimal(0)


def reshape(structure: list[dict[str, Any]], do: str) -> list[dict[str, Any]]:
    """Add, remove or move a part: `add-section`, `add-question:0`, `remove:0`, `remove:0.1`, `up:0.1`, `down:1`."""
    verb, _colon, where = do.partition(":")
    spot = [int(n) for n in where.split(".") if n.isdecimal() and len(n) < 4]
    new = [{**section, "questions": list(section["questions"])} for section in structure]
    if verb == "add-section":
        new.append({"title": _("New section"), "help": "", "weight": Decimal(0), "questions": []})
        return new
    if not spot or spot[0] >= len(new):
        return new
    questions = new[spot[0]]["questions"]
    if verb == "add-question":
        questions.append(
            {
                "kind": "text",
                "text": _("New question"),
                "help": "",
                "weight": Decimal(0),
                "choices": [],
                "required": True,
                "self": True,
                "manager": True,
                "part": "",
            }
        )
        return new
    rows, at = (questions, spot[1]) if len(spot) > 1 else (new, spot[0])
    if at >= len(rows):
        return new
    if verb == "remove":
        del rows[at]
    elif verb == "up" and at > 0:
        rows[at - 1], rows[at] = rows[at], rows[at - 1]
    elif verb == "down" and at < len(rows) - 1:
        rows[at + 1], rows[at] = rows[at], rows[at + 1]
    return new
