"""The fields of a form, known by their kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from django import forms
from django.utils.translation import gettext as _

from pmcycle.ui import formats


class ExplainedChoiceField(forms.ChoiceField):
    """A choice whose options have a sentence each, which stands below them (`descriptions`: value → sentence)."""

    def __init__(self, *, descriptions: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.descriptions = descriptions


class PersonField(forms.CharField):
    """A line that names one person, with `people/_person_field.html` around it to choose them from.

    `find` reads what stands in it (a name, an e-mail, a number, or what the list of suggestions wrote) and answers
    with the person, or None if nobody or more than one is meant. Empty is None where it may be.
    """

    def __init__(self, find: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(max_length=300, widget=forms.TextInput({"autocomplete": "off"}), **kwargs)
        self.find = find

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        found = self.find(text)
        if found is None:
            raise forms.ValidationError(
                _("Nobody, or more than one person, is meant. Choose from the list.")
            )
        return found


class NumberInput(forms.TextInput):
    """A line for a number, which a phone offers digits for.

    No browser's number field: that one reads marks by the machine's language, and hands over nothing at all
    where it does not understand.
    """

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})


class NumberField(forms.DecimalField):
    """A number as people type it, by `formats.read_number`; where two readings are possible, both are shown back."""

    widget = NumberInput

    def to_python(self, value: Any) -> Any:
        return super().to_python(
            _read(value, self.decimal_places if self.decimal_places is not None else 4)
        )

    def prepare_value(self, value: Any) -> Any:
        return (
            formats.typed_text(value) if isinstance(value, Decimal) and value.is_finite() else value
        )


class WholeField(forms.IntegerField):
    """A whole number as people type it: "1.000" is never taken for a one."""

    def to_python(self, value: Any) -> Any:
        number = _read(value, 0)
        return super().to_python(f"{number:f}" if isinstance(number, Decimal) else number)


def _read(value: Any, places: int) -> Any:
    """What was typed as a number without trailing zeros; what is none, or no text, as it is."""
    if not isinstance(value, str) or not value.strip():
        return value
    found = formats.read_number(value, places)
    if isinstance(found, formats.Unsure):
        words = {"typed": value.strip(), "thousands": found.thousands, "decimals": found.decimals}
        raise forms.ValidationError(
            _("“%(typed)s” can be read in two ways. Write %(thousands)s or %(decimals)s.") % words,
            code="unsure",
        )
    if found is None:
        raise forms.ValidationError(_("Enter a number."), code="invalid")
    return Decimal(f"{found.normalize():f}")


Kind = TypeVar("Kind", bound=forms.Field)


def field_of(form: forms.BaseForm, name: str, kind: type[Kind]) -> Kind:
    """The field that a form declares under `name`, where only the request knows what it offers.

    Raises TypeError if it is of another kind.
    """
    field = form.fields[name]
    if not isinstance(field, kind):
        raise TypeError(f"{name} is a {type(field).__name__}, not a {kind.__name__}")
    return field
