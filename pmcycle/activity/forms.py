"""The shape of what is typed into activity's pages."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from pmcycle.activity.models import Delivery
from pmcycle.activity.rules import is_draft
from pmcycle.errors import FORM_KEY

DRAFT_BYTES = 512 * 1024
NOT_TEXT = ("csrfmiddlewaretoken", FORM_KEY, "password")


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


class TrailForm(forms.Form):
    """Filters of the trail; what makes no sense is passed over, field by field."""

    verb = forms.CharField(max_length=60, required=False)
    subject = forms.CharField(max_length=60, required=False)
    about = forms.CharField(max_length=100, required=False)
    actor = forms.CharField(max_length=100, required=False)
    day = forms.DateField(required=False)
    before = forms.IntegerField(min_value=1, max_value=2**62, required=False)


class DeliveriesForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    state = forms.ChoiceField(choices=Delivery.State.choices, required=False)
    page = forms.IntegerField(min_value=1, max_value=10**6, required=False)


class InboxForm(forms.Form):
    show = forms.ChoiceField(choices=[("unread", "unread")], required=False)
    page = forms.IntegerField(min_value=1, max_value=10**6, required=False)


class PageForm(forms.Form):
    page = forms.IntegerField(min_value=1, max_value=10**6, required=False)


class MailboxForm(forms.Form):
    q = forms.CharField(max_length=200, required=False)


def chosen(form: forms.Form) -> dict[str, Any]:
    """The values that made sense."""
    form.is_valid()
    return {name: form.cleaned_data.get(name) or "" for name in form.fields}
