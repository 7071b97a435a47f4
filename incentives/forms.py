"""The shape of what people type; rules are in the actions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incentives import rules
from incentives.models import LONG_TEXT, Component, RestraintEntry, Rule
from pmcycle.people.models import Unit
from pmcycle.ui.fields import NumberField

ROUNDINGS = [
    ("0.01", gettext_lazy("to the cent")),
    ("1", gettext_lazy("to whole units")),
    ("10", gettext_lazy("to tens")),
    ("100", gettext_lazy("to hundreds")),
]


class VersionForm(forms.Form):
    """A form over a row that somebody else may be changing: without a version nothing is saved."""

    version = forms.IntegerField(
        widget=forms.HiddenInput(),
        min_value=1,
        max_value=2**31 - 1,
        error_messages={
            "required": gettext_lazy("Open the page again: it is not known which text you read.")
        },
    )


class LongText(forms.CharField):
    """Plain text of some length."""

    def __init__(self, rows: int = 4, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": rows}))
        super().__init__(max_length=LONG_TEXT, **options)


class ComponentForm(VersionForm):
    """How a component counts."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    match = forms.ChoiceField(
        label=gettext_lazy("What counts"), choices=Component.Match, widget=forms.RadioSelect
    )
    band_percent = NumberField(
        label=gettext_lazy("Managers may move an amount by"),
        min_value=0,
        max_value=100,
        max_digits=5,
        decimal_places=2,
    )
    rounding = forms.ChoiceField(label=gettext_lazy("Round"), choices=ROUNDINGS)
    distributes_pool = forms.BooleanField(
        label=gettext_lazy("Hand out the whole pool, in proportion to what the rules give"),
        required=False,
    )
    minimum = NumberField(
        label=gettext_lazy("At least, a person"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        required=False,
    )
    maximum = NumberField(
        label=gettext_lazy("At most, a person"),
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        required=False,
    )
    prorate = forms.BooleanField(label=gettext_lazy("Count days worked and FTE"), required=False)
    unpaid_leave_counts = forms.BooleanField(
        label=gettext_lazy("Unpaid leave counts as worked"), required=False
    )
    takes_effect_on = forms.DateField(
        label=gettext_lazy("Takes effect on"),
        required=False,
        widget=forms.DateInput,
        help_text=gettext_lazy(
            "From this day the new pay holds, or the amount is paid. Statements say it."
        ),
    )

    def clean_rounding(self) -> Decimal:
        return Decimal(self.cleaned_data["rounding"])


class RuleForm(forms.Form):
    """What a sentence does; its conditions are `ConditionForm`s."""

    effect = forms.ChoiceField(label=gettext_lazy("then"), choices=Rule.Effect)
    amount = NumberField(
        label=gettext_lazy("how much"), min_value=0, max_digits=12, decimal_places=4, required=False
    )
    basis = forms.ChoiceField(label=gettext_lazy("of what"), choices=Rule.Basis)
    version = forms.IntegerField(widget=forms.HiddenInput(), min_value=0, max_value=2**31 - 1)

    def clean_amount(self) -> Decimal:
        return self.cleaned_data["amount"] or Decimal(0)


class ConditionForm(forms.Form):
    """One slot row: fact, operator, value. An empty fact is an empty row."""

    fact = forms.ChoiceField(
        label=gettext_lazy("fact"),
        required=False,
        choices=[("", "—"), *[(name, fact.label) for name, fact in rules.FACTS.items()]],
    )
    op = forms.ChoiceField(
        label=gettext_lazy("comparison"),
        required=False,
        choices=[
            ("at_least", gettext_lazy("is at least")),
            ("at_most", gettext_lazy("is at most")),
            ("more_than", gettext_lazy("is more than")),
            ("less_than", gettext_lazy("is less than")),
            ("is", gettext_lazy("is / is within")),
            ("is_not", gettext_lazy("is not / is not within")),
        ],
    )
    value = forms.CharField(label=gettext_lazy("value"), max_length=200, required=False)

    def __init__(self, *args: Any, names: rules.Names, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = names
        self.condition: dict[str, str] | None = None
        self.fields["value"].widget.attrs.update({"list": "values", "autocomplete": "off"})

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        fact = rules.FACTS.get(data.get("fact") or "")
        if fact is None:
            return data
        op, value = data.get("op") or "", (data.get("value") or "").strip()
        if op not in rules.OPERATORS[fact.kind]:
            allowed = ", ".join(str(word) for word in rules.OPERATORS[fact.kind].values())
            self.add_error("op", _("For this fact choose one of: %s.") % allowed)
        elif not value:
            self.add_error("value", _("Fill in the slot."))
        else:
            self.condition = {"fact": data["fact"], "op": op, "value": self._value(fact, value)}
        return data

    def _value(self, fact: rules.Fact, typed: str) -> str:
        if fact.kind == "grade":
            return typed
        known = {"level": self.names.levels, "unit": self.names.units}.get(fact.kind)
        if known is not None:
            found = next(
                (key for key, label in known.items() if label.casefold() == typed.casefold()), None
            )
            if found is None:
                some = ", ".join(list(known.values())[:6])
                self.add_error(
                    "value",
                    _("There is no “%(typed)s”. There are: %(some)s.")
                    % {"typed": typed[:60], "some": some},
                )
                return "0"
            return str(found)
        field = NumberField(
            max_digits=13, decimal_places=4, error_messages={"invalid": _("Give a number.")}
        )
        try:
            number: Decimal = field.clean(typed.replace("%", ""))
        except forms.ValidationError as error:
            is_unsure = error.error_list[0].code == "unsure"
            self.add_error("value", error.messages[0] if is_unsure else _("Give a number."))
            return "0"
        return rules.plain(number)


class PoolsForm(VersionForm):
    """Money for everybody, and apart for some units with all below them."""

    whole = NumberField(
        label=gettext_lazy("For everybody not named below"),
        min_value=0,
        max_digits=14,
        decimal_places=2,
        required=False,
    )

    def __init__(self, *args: Any, units: list[Unit], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.units = units
        for unit in units:
            self.fields[f"unit_{unit.pk}"] = NumberField(
                label=unit.name, min_value=0, max_digits=14, decimal_places=2, required=False
            )

    def by_unit(self) -> dict[int, Decimal]:
        """The amounts of the units that have one."""
        found = {u.pk: self.cleaned_data.get(f"unit_{u.pk}") for u in self.units}
        return {pk: amount for pk, amount in found.items() if amount is not None}


class AdjustForm(VersionForm):
    """Another amount, and why where it lies outside the band."""

    amount = NumberField(label=gettext_lazy("Amount"), min_value=0, max_digits=14, decimal_places=2)
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=1000, required=False)


class NoteForm(forms.Form):
    """A sentence that goes with an act."""

    note = LongText(label=gettext_lazy("Note"), required=False, rows=2)


class SettleForm(VersionForm):
    reason = forms.CharField(label=gettext_lazy("What has settled it"), max_length=1000)


class RestraintForm(forms.Form):
    """An entry that would restrain a reward."""

    component_kind = forms.ChoiceField(label=gettext_lazy("Which reward"), choices=Component.Kind)
    effect = forms.ChoiceField(
        label=gettext_lazy("What it would do"), choices=RestraintEntry.Effect
    )
    percent = NumberField(
        label=gettext_lazy("Reduced by"),
        min_value=Decimal("0.01"),
        max_value=100,
        max_digits=5,
        decimal_places=2,
        required=False,
    )
    facts = LongText(
        label=gettext_lazy("The facts: what, when, how it shows"),
        rows=6,
        help_text=gettext_lazy(
            "Only what can be shown. No opinions about the person, nothing from hearsay."
        ),
    )
    entry = forms.TypedChoiceField(
        label=gettext_lazy("When was it said to the person before?"),
        coerce=int,
        empty_value=None,
        required=False,
    )
    answer_by = forms.DateField(
        label=gettext_lazy("The person may answer until"),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    lapses_on = forms.DateField(
        label=gettext_lazy("It lapses on"), widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, entries: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["entry"].choices = [("", _("Choose …")), *entries]


class AnswerForm(VersionForm):
    answer = LongText(
        label=gettext_lazy("Your answer"),
        rows=6,
        error_messages={"required": gettext_lazy("Write something first.")},
    )


class DecideForm(VersionForm):
    decision = LongText(
        label=gettext_lazy("Why"),
        rows=3,
        error_messages={"required": gettext_lazy("Say why; the person reads it.")},
    )
