"""The controls of forms are those of Django, to the letter."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.translation import gettext_lazy

from pmcycle.ui.fields import NumberField
from pmcycle.ui.widgets import DRAWN, Renderer

HOSTILE = "<b>\"'&"


class Every(forms.Form):
    """One of each control that is drawn, with words that would be markup."""

    text = forms.CharField(max_length=20, initial=HOSTILE, help_text="Short.")
    empty = forms.CharField(required=False)
    zero = forms.IntegerField(initial=0)
    number = NumberField(initial=Decimal("1.50"))
    mail = forms.EmailField()
    link = forms.URLField(assume_scheme="https")
    secret = forms.CharField(widget=forms.PasswordInput)
    version = forms.IntegerField(widget=forms.HiddenInput, initial=7)
    day = forms.DateField(
        initial=dt.date(2026, 5, 12), widget=forms.DateInput(attrs={"data-x": HOSTILE})
    )
    moment = forms.DateTimeField(initial=dt.datetime(2026, 5, 12, 8, 30))  # noqa: DTZ001 - as it stands in a field
    hour = forms.TimeField(initial=dt.time(8, 30))
    read = forms.BooleanField(initial=True)
    unread = forms.BooleanField(required=False)
    words = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), initial=f"\n{HOSTILE}")
    none = forms.CharField(widget=forms.Textarea, required=False)
    unit = forms.ChoiceField(
        choices=[
            ("", gettext_lazy("all")),
            ("f", HOSTILE),
            ("More", [(1, "One"), (HOSTILE, "Two")]),
        ],
        initial="f",
    )
    units = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")], initial=["b"])


def plain(markup: str) -> str:
    """Without the line breaks between tags, which nobody sees."""
    return re.sub(r"\s*\n\s*(?=<)", "", markup)


@pytest.mark.parametrize("name", list(Every.base_fields))
@pytest.mark.parametrize("is_bound", [False, True])
def test_a_control_is_drawn_as_django_draws_it(name: str, is_bound: bool) -> None:
    data = {
        "text": HOSTILE,
        "words": "",
        "unit": HOSTILE,
        "number": "x",
        "units": ["a"],
        "zero": "0",
    }
    ours = Every(data if is_bound else None, renderer=Renderer())
    theirs = Every(data if is_bound else None, renderer=DjangoTemplates())
    assert plain(str(ours[name])) == plain(str(theirs[name]))


def test_each_of_these_is_drawn_by_python() -> None:
    drawn = {field.widget.template_name for field in Every.base_fields.values()}
    assert drawn <= set(DRAWN)


def test_what_we_do_not_draw_is_left_to_django() -> None:
    class Files(forms.Form):
        file = forms.FileField()

    assert 'type="file"' in str(Files(renderer=Renderer())["file"])
