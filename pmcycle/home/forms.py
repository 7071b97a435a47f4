"""The shape of what is typed into home's pages."""

from __future__ import annotations

from django import forms

from pmcycle.home.team import SORTS


class FindForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)


class TeamForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    sort = forms.ChoiceField(choices=[(name, name) for name in SORTS], required=False)
