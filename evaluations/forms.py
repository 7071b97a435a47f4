"""The shape of what is typed into an evaluation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy as _

from evaluations.actions import EvaluationText, PointText, StepText
from evaluations.models import Evaluation, Point

LONG = 20_000


class EvaluationForm(forms.Form):
    """The texts about the whole year."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    summary = forms.CharField(
        label=_("Summary"),
        max_length=LONG,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Two or three sentences the person can remember."),
    )
    potential = forms.ChoiceField(
        label=_("Potential"),
        required=False,
        widget=forms.RadioSelect,
        choices=Evaluation.Potential.choices,
    )
    long_term_goal = forms.CharField(
        label=_("Long-term goal"),
        max_length=LONG,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Where this person wants to be in some years, in their own words."),
    )


class PointForm(forms.Form):
    """One achievement or shortcoming and what it rests on (`kind:row`, chosen from the year's evidence)."""

    text = forms.CharField(
        label=_("What happened"),
        max_length=LONG,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    evidence = forms.ChoiceField(label=_("It rests on"), required=False)

    def __init__(self, *args: Any, evidence: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["evidence"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [("", _("nothing chosen")), *evidence]


class StepForm(forms.Form):
    """One dated step of the development plan, and what the manager does for it."""

    text = forms.CharField(label=_("Step"), max_length=300, required=False)
    due_on = forms.DateField(
        label=_("By"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    support = forms.CharField(label=_("Support promised"), max_length=300, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("text") and not cleaned.get("due_on") and "due_on" not in self.errors:
            self.add_error("due_on", _("A step has a day by which it is done."))
        return cleaned


class SignForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    comment = forms.CharField(
        label=_("Your comment"),
        max_length=LONG,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[ProhibitNullCharactersValidator()],
        help_text=_(
            "It stays with the evaluation. Signing says that you have read it, not that you agree."
        ),
    )


POINT_KINDS = (Point.Kind.ACHIEVEMENT, Point.Kind.SHORTCOMING)


class WritingForms:
    """The texts, achievements, shortcomings and steps of one screen, read together."""

    def __init__(self, main: EvaluationForm, points: dict[str, Any], steps: Any) -> None:
        self.main, self.points, self.steps = main, points, steps

    def are_valid(self) -> bool:
        return all(
            [
                self.main.is_valid(),
                *(p.is_valid() for p in self.points.values()),
                self.steps.is_valid(),
            ]
        )

    @property
    def version(self) -> int:
        version: int = self.main.cleaned_data["version"]
        return version

    def errors(self) -> dict[str, list[str]]:
        found = {name: [str(e) for e in errors] for name, errors in self.main.errors.items()}
        for formset in [*self.points.values(), self.steps]:
            for form in formset:
                found |= {
                    form.add_prefix(name): [str(e) for e in errors]
                    for name, errors in form.errors.items()
                }
        return found

    def text(self, evidence: list[dict[str, Any]]) -> EvaluationText:
        label = {e["value"]: e["cited"] for e in evidence}
        points = []
        for kind, formset in self.points.items():
            for row in formset.cleaned_data:
                if row.get("text", "").strip():
                    source, _sep, number = row["evidence"].partition(":")
                    points.append(
                        PointText(
                            kind,
                            row["text"],
                            source,
                            int(number) if number else None,
                            label.get(row["evidence"], "")[:300],
                        )
                    )
        steps = [
            StepText(row["text"], row["due_on"], row.get("support", ""))
            for row in self.steps.cleaned_data
            if row.get("text", "").strip()
        ]
        main = self.main.cleaned_data
        return EvaluationText(
            main["summary"], main["potential"], main["long_term_goal"], points, steps
        )
