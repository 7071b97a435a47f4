"""The shape of what is typed into activity's pages."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from pmcycle.activity.rules import is_draft

DRAFT_BYTES = 512 * 1024
NOT_TEXT = ("csrfmiddlewaretoken", "password")


class DraftForm(forms.Form):
    """What somebody has typed so far into the form called `key`, as JSON text."""

    key = forms.CharField(max_length=200)
    fields_json = forms.CharField(strip=False)

    def clean_fields_json(self) -> dict[str, Any]:
        try:
            data = json.loads(self.cleaned_data["fields_json"])
        except (ValueError, RecursionError):
            data = None
        if isinstance(data, dict) and isinstance(data.get("fields"), dict):
            data = data["fields"]
        if not is_draft(data):
            raise forms.ValidationError(_("A draft is a set of fields with text in them."))
        found: dict[str, Any] = data
        return found
