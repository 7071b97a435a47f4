"""The shape of what is typed into an evaluation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy as _

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
        label=_("What happened"), max_length=LONG, required=False, widget=forms.Textarea(attrs={"rows": 2})
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
    due_on = forms.DateField(label=_("By"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
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
        help_text=_("It stays with the evaluation. Signing says that you have read it, not that you agree."),
    )


POINT_KINDS = (Point.Kind.ACHIEVEMENT, Point.Kind.SHORTCOMING)
