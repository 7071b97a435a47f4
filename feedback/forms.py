"""The shape of what people type; rules are in the actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from feedback.models import LONG_TEXT

BIGGEST_ID = 2**63 - 1


class SayForm(forms.Form):
    """Something to say, and perhaps what it is about."""

    body = forms.CharField(
        label=_("Your message"),
        max_length=LONG_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write something first.")},
    )
    about_kind = forms.RegexField(r"^[a-z_.]+$", max_length=60, required=False, widget=forms.HiddenInput())
    about_id = forms.IntegerField(
        min_value=1, max_value=BIGGEST_ID, required=False, widget=forms.HiddenInput()
    )
    about_label = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput())

    def about(self) -> dict[str, Any]:
        """What it is about, as the action takes it."""
        data = self.cleaned_data
        if not data["about_kind"]:
            return {}
        return {key: data[key] for key in ("about_kind", "about_id", "about_label")}
