"""What people type, read at the edge, and what they are told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.errors import Invalid, LeftBehind


def search_words(request: HttpRequest, name: str = "q") -> str:
    """What was typed into a search field, as one line that the database takes."""
    return " ".join(request.GET.get(name, "").replace("\x00", "").split())[:100]


def row_number(text: str | None) -> int | None:
    """The number of a row or a page as an address or a form has it; None if it is no such number."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None


def read_version(request: HttpRequest) -> int:
    """The version a one-button form was read at; 0, which no row has, if it has none."""
    return row_number(request.POST.get("version")) or 0


def done(form: Any, act: Callable[[], Any]) -> bool:
    """Act; a field the action refuses becomes that field's error. True if it was done."""
    try:
        act()
    except Invalid as invalid:
        form.add_error(invalid.field if invalid.field in form.fields else None, invalid.reason)
        return False
    return True


class Left(Protocol):
    """What the form below knows of a `pmcycle.cycles.rules.Leftover`."""

    @property
    def code(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def refuses(self) -> bool: ...
    @property
    def field(self) -> str: ...


class LeftoversForm(forms.Form):
    """Per kind of leftover the count that was read and the reason to go on over it.

    Stands beside the act's own form, inside the same <form>; the component `leftovers` draws it. The
    action judges again under its lock. `optional` are the codes that another answer of the page settles.
    """

    status = 422

    def __init__(
        self, data: Any = None, *, leftovers: Sequence[Left] = (), optional: Iterable[str] = ()
    ) -> None:
        super().__init__(data)
        self.optional = set(optional)
        self.lay_out(leftovers)

    def lay_out(self, leftovers: Sequence[Left]) -> None:
        """Ask about these, in the place of those asked about before."""
        self.fields.clear()
        self.leftovers = sorted(leftovers, key=lambda one: not one.refuses)
        for one in self.leftovers:
            if one.refuses:
                continue
            self.fields[f"count_{one.field}"] = forms.IntegerField(
                widget=forms.HiddenInput, min_value=0, max_value=2_000_000_000, required=False
            )
            self.fields[f"reason_{one.field}"] = forms.CharField(
                label=gettext_lazy("Why this may stay as it is"),
                max_length=500,
                required=one.code not in self.optional,
                error_messages={"required": _("Say why this may stay as it is: %s") % one.title},
                widget=forms.Textarea(attrs={"rows": 2}),
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for one in self.leftovers:
            read = data.get(f"count_{one.field}")
            if read is not None and read < one.count:
                words = {"title": one.title, "read": read}
                self.add_error(None, _("%(title)s You had read %(read)d.") % words)
        return data

    @property
    def rows(self) -> list[tuple[Left, Any]]:
        """Each leftover with the field of its reason; None while something refuses, because it would be in vain."""
        return [(one, None if self.refuses else self[f"reason_{one.field}"]) for one in self.leftovers]

    @property
    def refuses(self) -> bool:
        """Whether something here cannot be accepted, so that the button is not offered."""
        return any(one.refuses for one in self.leftovers)

    def accepted(self) -> dict[str, tuple[int, str]]:
        """By code the count that was read (0 if it is missing) and the reason, for `accept_leftovers`."""
        data = self.cleaned_data
        return {
            one.code: (data[f"count_{one.field}"] or 0, data[f"reason_{one.field}"])
            for one in self.leftovers
            if f"reason_{one.field}" in data
        }


def went_on(form: forms.Form, leaving: LeftoversForm, act: Callable[[], Any]) -> bool:
    """`done` for an act that may leave something: what it refuses stands on the page, anew."""
    try:
        act()
    except LeftBehind as why:
        leaving.lay_out(why.leftovers)
        leaving.add_error(None, why.reason)
        leaving.status = 409
        return False
    except Invalid as invalid:
        asked = leaving if invalid.field in leaving.fields else form
        asked.add_error(invalid.field if invalid.field in asked.fields else None, invalid.reason)
        return False
    return True
