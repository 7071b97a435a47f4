"""The fields of a form, known by their kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django import forms


class ExplainedChoiceField(forms.ChoiceField):
    """A choice whose options have a sentence each, which stands below them (`descriptions`: value → sentence)."""

    def __init__(self, *, descriptions: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.descriptions = descriptions


Kind = TypeVar("Kind", bound=forms.Field)


def field_of(form: forms.BaseForm, name: str, kind: type[Kind]) -> Kind:
    """The field that a form declares under `name`, where only the request knows what it offers.

    Raises TypeError if it is of another kind.
    """
    field = form.fields[name]
    if not isinstance(field, kind):
        raise TypeError(f"{name} is a {type(field).__name__}, not a {kind.__name__}")
    return field
