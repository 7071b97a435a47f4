"""The shape of what people type about goals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from goals.actions import GoalText
from goals.models import ChangeRequest, Goal, GoalQuerySet, KeyResult
from goals.rules import MAX_KEY_RESULTS, KeyResultText, key_result_problem
from pmcycle.cycles.models import Participation, ParticipationQuerySet
from pmcycle.days import today_here
from pmcycle.people.models import Employee, Unit
from pmcycle.ui.fields import NumberField, NumberInput, field_of

LONG = 20_000


def figure(label: Any) -> NumberField:
    return NumberField(label=label, required=False, max_digits=14, decimal_places=4)


class WeightInput(NumberInput):
    """Needed for goals of the cycle only, so the browser must not insist."""

    def use_required_attribute(self, initial: Any) -> bool:
        return False


def owner_label(goal: Goal) -> str:
    """Whose goal it is, in words."""
    if goal.participation is not None:
        return goal.participation.employee.name
    return goal.unit.name if goal.unit else _("Organisation")


class ParentField(forms.ModelChoiceField[Goal]):
    """To which goal a goal contributes; each is called by its owner and its wording."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"queryset": Goal.objects.none(), "required": False, **kwargs}
        super().__init__(
            label=gettext_lazy("Contributes to"),
            empty_label=gettext_lazy("nothing above it"),
            **kwargs,
        )

    def label_from_instance(self, obj: Goal) -> str:
        return f"{owner_label(obj)}: {obj.agreed}"


class PeopleField(forms.ModelMultipleChoiceField[Participation]):
    """People of a cycle, called by their names."""

    def label_from_instance(self, obj: Participation) -> str:
        return obj.employee.name


class WordingForm(forms.Form):
    """A wording of a goal without its key results; where it `weighs`, with its weight."""

    title = forms.CharField(label=gettext_lazy("Goal"), max_length=200)
    why = forms.CharField(
        label=gettext_lazy("Why it matters"),
        max_length=LONG,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    weight = NumberField(
        label=gettext_lazy("Weight"),
        max_digits=5,
        decimal_places=2,
        min_value=Decimal("0.01"),
        max_value=Decimal(100),
        widget=WeightInput(),
        error_messages={
            "required": gettext_lazy("How much does it weigh? The goals of the cycle come to 100.")
        },
    )
    due_on = forms.DateField(
        label=gettext_lazy("Reached by"), required=False, widget=forms.DateInput()
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, weighs: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not weighs:
            del self.fields["weight"]

    def text(self, rows: Any) -> GoalText:
        """The wording, with the key results of a valid formset."""
        data = self.cleaned_data
        return GoalText(
            title=data["title"],
            why=data["why"],
            weight=data.get("weight"),
            due_on=data.get("due_on"),
            horizon=data.get("horizon") or self.initial.get("horizon") or Goal.Horizon.CYCLE,
            visibility=data.get("visibility") or Goal.Visibility.LINE,
            parent=data.get("parent"),
            key_results=[form.text() for form in rows.kept],
        )


class GoalForm(WordingForm):
    """A new goal: its wording, who may see it and where it belongs."""

    horizon = forms.ChoiceField(
        label=gettext_lazy("Horizon"), choices=Goal.Horizon.choices, initial=Goal.Horizon.CYCLE
    )
    visibility = forms.ChoiceField(
        label=gettext_lazy("Who may see it"),
        choices=Goal.Visibility.choices,
        initial=Goal.Visibility.LINE,
    )
    parent = ParentField()

    def __init__(self, *args: Any, parents: GoalQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "parent", ParentField).queryset = parents

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("horizon") in (Goal.Horizon.LONG_TERM, Goal.Horizon.DEVELOPMENT):
            self.errors.pop("weight", None)
        return cleaned


class AssignForm(GoalForm):
    """One goal for several people of a team."""

    people = PeopleField(
        label=gettext_lazy("To whom"),
        queryset=Participation.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one person.")},
    )

    def __init__(self, *args: Any, team: ParticipationQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "people", PeopleField).queryset = team


class ChangeForm(WordingForm):
    """A wish to change an agreed goal, with its reason."""

    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=ChangeRequest.Reason.choices)
    explanation = forms.CharField(
        label=gettext_lazy("What happened?"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class PublishForm(WordingForm):
    """A goal of the organisation or of one unit, which weighs nothing."""

    unit = forms.ModelChoiceField(
        label=gettext_lazy("Of"),
        queryset=Unit.objects.all(),
        required=False,
        empty_label=gettext_lazy("the whole organisation"),
    )
    parent = ParentField()

    def __init__(self, *args: Any, parents: GoalQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, weighs=False, **kwargs)
        field_of(self, "parent", ParentField).queryset = parents


class KeyResultForm(forms.Form):
    """One row; a row without a title is no row."""

    key = forms.CharField(required=False, max_length=12, widget=forms.HiddenInput)
    title = forms.CharField(label=gettext_lazy("Key result"), max_length=200, required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Measured by"), choices=KeyResult.Kind.choices, required=False
    )
    start = figure(gettext_lazy("From"))
    target = figure(gettext_lazy("To"))
    low = figure(gettext_lazy("At least"))
    high = figure(gettext_lazy("At most"))
    unit = forms.CharField(label=gettext_lazy("Unit"), max_length=20, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        figures = [cleaned.get(name) for name in ("start", "target", "low", "high")]
        if not cleaned.get("title") and any(value is not None for value in figures):
            self.add_error("title", _("Say what is measured."))
        elif (
            cleaned.get("title")
            and not self.errors
            and (problem := key_result_problem(self.text()))
        ):
            self.add_error(*problem)
        return cleaned

    def text(self) -> KeyResultText:
        data = self.cleaned_data
        return KeyResultText(
            data["title"],
            data.get("kind") or KeyResult.Kind.INCREASE,
            data.get("start"),
            data.get("target"),
            data.get("low"),
            data.get("high"),
            data.get("unit", ""),
            data.get("key", ""),
        )


class KeyResultRows(forms.BaseFormSet[KeyResultForm]):
    """The rows of a goal. "Add a row" and "Remove" work by submitting the form, or by script without."""

    @property
    def kept(self) -> list[KeyResultForm]:
        return [
            f
            for f in self.forms
            if f.cleaned_data.get("title") and not f.cleaned_data.get("DELETE")
        ]

    def add_fields(self, form: KeyResultForm, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Remove")


KeyResultFormSet = forms.formset_factory(
    KeyResultForm,
    formset=KeyResultRows,
    extra=0,
    can_delete=True,
    max_num=MAX_KEY_RESULTS,
    validate_max=True,
    absolute_max=MAX_KEY_RESULTS + 8,
)


class ProgressForm(forms.Form):
    """One update of one key result."""

    value = NumberField(
        label=gettext_lazy("Now at"), max_digits=14, decimal_places=4, required=False
    )
    confidence = forms.ChoiceField(
        label=gettext_lazy("Confidence"), choices=KeyResult.Confidence.choices
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=LONG,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    link = forms.URLField(
        label=gettext_lazy("Link to evidence"),
        max_length=500,
        required=False,
        assume_scheme="https",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)
    no_change = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, key_result: KeyResult, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"kr{key_result.pk}_%s")
        super().__init__(*args, **kwargs)
        if key_result.kind == KeyResult.Kind.REACH:
            self.fields["value"] = forms.TypedChoiceField(
                label=_("Reached?"),
                choices=[("0", _("not yet")), ("1", _("yes"))],
                coerce=Decimal,
                required=False,
                empty_value=None,
            )
        elif key_result.kind == KeyResult.Kind.ZERO:
            self.fields["value"].label = _("Incidents so far")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("no_change"):
            cleaned["value"] = None
            self.errors.pop("value", None)
        elif cleaned.get("value") is None and "value" not in self.errors:
            self.add_error("value", _("Give the number, or say that nothing changed."))
        return cleaned


class ContributionForm(forms.Form):
    """Something valuable outside the goals. The beneficiary is found by e-mail or employee number."""

    text = forms.CharField(
        label=gettext_lazy("What did you contribute?"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    beneficiary = forms.CharField(
        label=gettext_lazy("Who had the benefit?"),
        max_length=254,
        help_text=gettext_lazy(
            "Their e-mail address or employee number. They confirm in one click."
        ),
    )
    happened_on = forms.DateField(
        label=gettext_lazy("When?"), widget=forms.DateInput(), initial=today_here
    )

    def clean_beneficiary(self) -> Employee:
        typed = self.cleaned_data["beneficiary"].strip()
        found = (
            Employee.objects.filter(email__iexact=typed).first()
            or Employee.objects.filter(number=typed).first()
        )
        if found is None:
            raise forms.ValidationError(_("Nobody has this address or number."))
        return found


class DecisionForm(forms.Form):
    """A yes or no to a text: the version that was read is required."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class AlignForm(DecisionForm):
    """To which goal a goal contributes."""

    parent = ParentField()

    def __init__(self, *args: Any, parents: GoalQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "parent", ParentField).queryset = parents
