"""What people type, read at the edge, and what they are told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.errors import Invalid, LeftBehind

LEFTOVERS_A_PAGE = 100


def search_words(request: HttpRequest, name: str = "q") -> str:
    """What was typed into a search field, as one line that the database takes."""
    sent = request.POST if request.method == "POST" else request.GET
    return " ".join(sent.get(name, "").replace("\x00", "").split())[:100]


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
    def part(self, first: int, last: int) -> Sequence[tuple[str, str]]: ...


class LeftoversForm(forms.Form):
    """Per kind of leftover the count that was read and the reason to go on over it.

    Stands beside the act's own form, inside the same <form>; the component `leftovers` draws it. The
    action judges again under its lock. `optional` are the codes that another answer of the page settles.
    `at` is the address of the page, which with ?kind= lists all of one kind (`all_of_one_kind`).
    """

    status = 422

    def __init__(
        self,
        data: Any = None,
        *,
        at: str,
        leftovers: Sequence[Left] = (),
        optional: Iterable[str] = (),
    ) -> None:
        super().__init__(data)
        self.at = at
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
    def rows(self) -> list[tuple[Left, Any, str]]:
        """Each leftover with the field of its reason and the address of its whole list.

        No field while something refuses, because it would be in vain.
        """
        return [
            (one, None if self.refuses else self[f"reason_{one.field}"], self.whole(one.code))
            for one in self.leftovers
        ]

    @property
    def groups(self) -> list[tuple[str, list[tuple[Left, Any, str]]]]:
        """The rows under what has to become of them, in words: what refuses first."""
        rest = _("Also open or held") if self.refuses else _("May stay as it is, with a reason")
        refusing = [row for row in self.rows if row[0].refuses]
        others = [row for row in self.rows if not row[0].refuses]
        return [
            (words, rows)
            for words, rows in ((_("To settle first"), refusing), (rest, others))
            if rows
        ]

    def whole(self, code: str) -> str:
        """The address of the whole list of one kind."""
        return f"{self.at}{'&' if '?' in self.at else '?'}{urlencode({'kind': code})}"

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


class _Listed:
    """The names of one kind as a paginator takes them: counted already, read a page at a time."""

    def __init__(self, one: Left) -> None:
        self.one = one

    def __len__(self) -> int:
        return self.one.count

    def __getitem__(self, places: slice) -> Sequence[tuple[str, str]]:
        return self.one.part(places.start, places.stop)


def all_of_one_kind(
    request: HttpRequest, leaving: LeftoversForm, **context: Any
) -> HttpResponse | None:
    """With ?kind= in the address: all that is left of it by name, page by page, in place of the page of the act.

    None where no kind is asked for, or nothing of it is left (any more). `context` has the `cycle`.
    """
    code = request.GET.get("kind") if request.method == "GET" else None
    one = next((one for one in leaving.leftovers if one.code == code), None)
    if one is None:
        return None
    listed: Any = _Listed(one)
    page = Paginator(listed, LEFTOVERS_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request, "ui/leftover.html", {"one": one, "page": page, "at": leaving.at, **context}
    )


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
