"""The shape of what HR types when setting up, following and excepting."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pmcycle.cycles import rules
from pmcycle.cycles.models import Cycle, Stage, StageKind
from pmcycle.people.models import Employee, Unit, named_here
from pmcycle.ui.fields import NumberField, PersonField, WholeField

NUMBER = forms.NumberInput(attrs={"inputmode": "numeric"})
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)


class DayField(forms.DateField):
    """A day that a company can mean."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput())
        super().__init__(**kwargs)

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day and not EARLIEST <= day <= LATEST:
            raise forms.ValidationError(_("Choose a day between 1990 and 2100."))
        return day


class VersionForm(forms.Form):
    """A form that knows which version of the row the person read."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2_000_000_000)


def zone_choices(present: str = "") -> list[tuple[str, str]]:
    """The zones of the tz database that are places, and the one in use."""
    names = {
        n
        for n in zoneinfo.available_timezones()
        if "/" in n and not n.startswith(("Etc/", "posix/", "right/"))
    }
    names |= {"UTC", present} - {""}
    return [(name, name.replace("_", " ")) for name in sorted(names)]


class NewCycleForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    copy_of = forms.ModelChoiceField(
        Cycle.objects.none(),
        required=False,
        label=gettext_lazy("Like an earlier cycle"),
        empty_label=gettext_lazy("Start blank"),
        help_text=gettext_lazy(
            "Dates move a year on; scale, form, rules, people and policies come along."
        ),
    )
    first_day = DayField(label=gettext_lazy("First day"), required=False)
    last_day = DayField(label=gettext_lazy("Last day"), required=False)

    def __init__(self, *args: Any, earlier: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        copy_of: Any = self.fields["copy_of"]
        copy_of.queryset = earlier

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("copy_of") and "copy_of" not in self.errors:
            for name in ("first_day", "last_day"):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, _("A blank cycle needs its period."))
        return data


class WhoForm(VersionForm):
    """The rule of who takes part."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    units = forms.ModelMultipleChoiceField(
        Unit.objects.all(),
        required=False,
        label=gettext_lazy("Units, with everything below them"),
        widget=forms.CheckboxSelectMultiple,
    )
    locations = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Locations"), widget=forms.CheckboxSelectMultiple
    )
    grades = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Grades"), widget=forms.CheckboxSelectMultiple
    )
    employment_kinds = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("Employment"),
        widget=forms.CheckboxSelectMultiple,
        choices=Employee.Kind.choices,
    )
    hired_on_or_before = DayField(
        required=False,
        label=gettext_lazy("Hired on or before"),
        help_text=gettext_lazy(
            "Who came later is too new to be appraised; add late joiners one by one."
        ),
    )
    minimum_fte = NumberField(
        required=False,
        label=gettext_lazy("At least this share of full time"),
        max_digits=4,
        decimal_places=3,
        min_value=Decimal(0),
        max_value=Decimal(2),
        help_text=gettext_lazy("1 is full time, 0.5 is half."),
    )
    excluded = forms.ModelMultipleChoiceField(
        Employee.objects.all(),
        required=False,
        label=gettext_lazy("Left out by name"),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self, *args: Any, locations: Iterable[str], grades: Iterable[str], units: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["locations"].choices = [(x, x) for x in locations if x]
        fields["grades"].choices = [(x, x) for x in grades if x]
        fields["units"].choices = units


class StagesForm(VersionForm):
    """Name, period and the dates of the four stages: `<kind>_opens_on`, `_due_on`, `_grace_days`."""

    name = forms.CharField(label=gettext_lazy("Name of the cycle"), max_length=120)
    first_day = DayField(label=gettext_lazy("First day"))
    last_day = DayField(label=gettext_lazy("Last day"))
    zone = forms.ChoiceField(label=gettext_lazy("Time zone of the dates"))
    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        label=gettext_lazy("Currency"),
        max_length=3,
        error_messages={"invalid": gettext_lazy("Three capital letters, such as EUR.")},
    )
    stages_may_overlap = forms.BooleanField(
        required=False,
        label=gettext_lazy("Stages may overlap"),
        help_text=gettext_lazy("Otherwise a stage opens only after the one before it is due."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone: Any = self.fields["zone"]
        zone.choices = zone_choices(str(self.initial.get("zone", "")))
        for kind in StageKind.values:
            self.fields[f"{kind}_opens_on"] = DayField(label=gettext_lazy("Opens on"))
            self.fields[f"{kind}_due_on"] = DayField(label=gettext_lazy("Due on"))
            self.fields[f"{kind}_grace_days"] = WholeField(
                label=gettext_lazy("Days of grace"), min_value=0, max_value=90
            )

    @staticmethod
    def initial_of(cycle: Cycle, stages: Iterable[Stage]) -> dict[str, Any]:
        plain = (
            "name",
            "first_day",
            "last_day",
            "zone",
            "currency",
            "stages_may_overlap",
            "version",
        )
        values = {name: getattr(cycle, name) for name in plain}
        for stage in stages:
            values[f"{stage.kind}_opens_on"] = stage.opens_on
            values[f"{stage.kind}_due_on"] = stage.due_on
            values[f"{stage.kind}_grace_days"] = stage.grace_days
        return values

    def rows(self) -> list[dict[str, Any]]:
        """The fields of each stage together, for the page."""
        return [
            {
                "label": label,
                "kind": kind,
                "opens_on": self[f"{kind}_opens_on"],
                "due_on": self[f"{kind}_due_on"],
                "grace_days": self[f"{kind}_grace_days"],
            }
            for kind, label in StageKind.choices
        ]

    def dates(self) -> dict[str, tuple[date, date, int]]:
        data = self.cleaned_data
        return {
            kind: (data[f"{kind}_opens_on"], data[f"{kind}_due_on"], data[f"{kind}_grace_days"])
            for kind in StageKind.values
        }


class ScaleForm(VersionForm):
    name = forms.CharField(label=gettext_lazy("Name of the scale"), max_length=120)


class LevelForm(forms.Form):
    """One level. An empty row is no level; `place` sorts, lowest first."""

    place = WholeField(
        label=gettext_lazy("Place"), min_value=1, max_value=99, required=False, widget=NUMBER
    )
    label = forms.CharField(label=gettext_lazy("Level"), max_length=60, required=False)
    meaning = forms.CharField(
        label=gettext_lazy("What it means"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    value = NumberField(
        label=gettext_lazy("Value"),
        max_digits=5,
        decimal_places=2,
        min_value=Decimal(0),
        max_value=Decimal(100),
        required=False,
    )
    needs_mention = forms.BooleanField(label=gettext_lazy("Below expectations"), required=False)
    remove = forms.BooleanField(label=gettext_lazy("Remove"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("remove") or not self.is_level():
            return data
        for name, sentence in (
            ("label", _("Give the level a name.")),
            ("meaning", _("Say what it means: people are rated by these words.")),
            ("value", _("Give it a value.")),
        ):
            if data.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, sentence)
        return data

    def is_level(self) -> bool:
        data = self.cleaned_data
        return not data.get("remove") and any(
            data.get(n) not in (None, "") for n in ("label", "meaning", "value")
        )


class BaseLevels(forms.BaseFormSet[LevelForm]):
    def clean(self) -> None:
        if any(self.errors):
            return
        if len(self.levels()) < 2:
            raise forms.ValidationError(_("A scale needs at least two levels."))

    def levels(self) -> list[tuple[str, str, Decimal, bool]]:
        """The levels in their order, lowest first."""
        rows = [f.cleaned_data for f in self.forms if f.cleaned_data and f.is_level()]
        rows.sort(key=lambda d: d["place"] if d.get("place") is not None else 99)
        return [(d["label"], d["meaning"], d["value"], d["needs_mention"]) for d in rows]


LevelFormSet = forms.formset_factory(
    LevelForm, formset=BaseLevels, extra=1, max_num=12, absolute_max=12
)


class VisibilityForm(VersionForm):
    mention_days = WholeField(
        label=gettext_lazy("No surprises: days a shortcoming must be known before release"),
        min_value=0,
        max_value=365,
        help_text=gettext_lazy(
            "A rating below expectations must point to something the person could read at least so many days before."
        ),
    )
    appeal_days = WholeField(
        label=gettext_lazy("Days to ask for a review after release"), min_value=0, max_value=365
    )
    self_opens_after_draft = forms.BooleanField(
        required=False,
        label=gettext_lazy(
            "The manager reads the self-appraisal after saving a draft of their own"
        ),
        help_text=gettext_lazy("So that the manager's first view is their own."),
    )
    missing_part = forms.ChoiceField(
        label=gettext_lazy("If a part of an appraisal is missing"),
        choices=Cycle.Incomplete.choices,
        widget=forms.RadioSelect,
    )
    progress_cap = NumberField(
        label=gettext_lazy("Progress of a goal counts up to"),
        min_value=Decimal(100),
        max_value=Decimal(500),
        max_digits=5,
        decimal_places=2,
        help_text=gettext_lazy("In percent. The real value is kept and shown."),
    )


class DaysField(forms.CharField):
    """Days as a list: “7, 2”."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=40, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            days = rules.days_from_text(text)
        except ValueError:
            raise forms.ValidationError(
                _("Write days as numbers with commas, such as 7, 2.")
            ) from None
        if len(days) > 6 or any(not 0 < day <= 90 for day in days):
            raise forms.ValidationError(_("At most six days, each from 1 to 90."))
        return days


class RemindersForm(VersionForm):
    """Per stage `<kind>_before`, `_after`, `_escalate`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in StageKind.values:
            self.fields[f"{kind}_before"] = DaysField(label=gettext_lazy("Days before it is due"))
            self.fields[f"{kind}_after"] = DaysField(label=gettext_lazy("Days after"))
            self.fields[f"{kind}_escalate"] = WholeField(
                label=gettext_lazy("The manager hears after days"),
                min_value=1,
                max_value=90,
                required=False,
            )

    @staticmethod
    def initial_of(cycle: Cycle, policies: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {"version": cycle.version}
        for kind in StageKind.values:
            policy = policies.get(kind)
            values[f"{kind}_before"] = ", ".join(map(str, policy.days_before)) if policy else ""
            values[f"{kind}_after"] = ", ".join(map(str, policy.days_after)) if policy else ""
            values[f"{kind}_escalate"] = policy.escalate_after if policy else None
        return values

    def policies(self) -> dict[str, tuple[list[int], list[int], int | None]]:
        data = self.cleaned_data
        return {
            k: (data[f"{k}_before"], data[f"{k}_after"], data[f"{k}_escalate"])
            for k in StageKind.values
        }


class AcceptForm(forms.Form):
    code = forms.CharField(max_length=60)
    count = WholeField(min_value=0, max_value=10_000_000)


class ReasonForm(VersionForm):
    """Something out of the ordinary, with its reason."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("It stands in the trail."),
    )


class ReopenForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why it is opened again"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("The second person reads it. It stands in the trail."),
    )


class CloseStageForm(VersionForm):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Why it closes now. It stands in the trail."),
    )


class OpenStageForm(ReasonForm):
    due_on = DayField(label=gettext_lazy("Due on"), required=False)
    field_order = ("due_on", "reason")


class PostponeStageForm(ReasonForm):
    due_on = DayField(label=gettext_lazy("New due day for everybody"))
    field_order = ("due_on", "reason")


class ExtendForm(ReasonForm):
    stage = forms.ModelChoiceField(
        Stage.objects.none(), label=gettext_lazy("Stage"), empty_label=None
    )
    due_on = DayField(label=gettext_lazy("New due day for this person"))
    field_order = ("stage", "due_on", "reason")

    def __init__(self, *args: Any, stages: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stage: Any = self.fields["stage"]
        stage.queryset = stages


class TransferForm(ReasonForm):
    manager = PersonField(named_here, label=gettext_lazy("New manager"))
    on = DayField(label=gettext_lazy("From this day on"))
    field_order = ("manager", "on", "reason")


class MarkLeftForm(ReasonForm):
    left_on = DayField(label=gettext_lazy("Last day"))
    field_order = ("left_on", "reason")


class AddPersonForm(forms.Form):
    employee = PersonField(named_here, label=gettext_lazy("Who joins"))
    starts_on = DayField(label=gettext_lazy("First day in the cycle"))
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)
