"""The shape of what people type; rules are in the actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from feedback import rules
from feedback.models import LONG_TEXT, CheckIn, Feedback, counterparts, reports_of
from pmcycle.people.models import Employee, User
from pmcycle.ui.fields import ExplainedChoiceField, WholeField, field_of

BIGGEST_ID = 2**63 - 1


class SayForm(forms.Form):
    """Something to say, and perhaps what it is about."""

    body = forms.CharField(
        label=_("Your message"),
        max_length=LONG_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write something first.")},
    )
    about_kind = forms.RegexField(
        r"^[a-z_.]+$", max_length=60, required=False, widget=forms.HiddenInput()
    )
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


class Versioned(forms.Form):
    """A form about a row that somebody has read: it sends back the version they read."""

    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput())


HOW_OFTEN = [
    (rules.WEEKLY, _("Every week")),
    (rules.BIWEEKLY, _("Every two weeks")),
    (rules.MONTHLY, _("Once a month")),
]


class RhythmForm(forms.Form):
    """When and how often two people meet."""

    frequency = forms.ChoiceField(
        label=_("How often"),
        choices=HOW_OFTEN,
        widget=forms.RadioSelect(),
        initial=rules.BIWEEKLY,
    )
    weekday = forms.TypedChoiceField(
        label=_("On"),
        coerce=int,
        choices=list(enumerate(rules.WEEKDAY_NAMES)),
    )
    at = forms.TimeField(label=_("At"), widget=forms.TimeInput())
    minutes = forms.TypedChoiceField(
        label=_("For"),
        coerce=int,
        initial=30,
        choices=[
            (m, ngettext_lazy("%(n)d minute", "%(n)d minutes", m) % {"n": m})
            for m in (15, 25, 30, 45, 60, 90)
        ],
    )
    starts_on = forms.DateField(
        label=_("From"),
        widget=forms.DateInput(),
        help_text=_("The first meeting is on the first such weekday from this day on."),
    )
    zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        help_text=_(
            "The clock time stays the same there in summer and winter, such as Europe/Berlin."
        ),
    )

    def rhythm(self) -> dict[str, Any]:
        """The values as the action takes them."""
        return {
            k: self.cleaned_data[k]
            for k in ("frequency", "starts_on", "weekday", "at", "minutes", "zone")
        }


class ScheduleForm(RhythmForm):
    """The same, and with whom; also for one single meeting."""

    other = forms.ModelChoiceField(
        label=_("With"), queryset=Employee.objects.none(), empty_label=None
    )

    field_order = ["other"]

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "other", forms.ModelChoiceField).queryset = counterparts(user)
        field_of(self, "frequency", forms.ChoiceField).choices = [
            *HOW_OFTEN,
            (rules.ONCE, _("Just once, on the first day below")),
        ]


class RescheduleForm(RhythmForm, Versioned):
    """Another rhythm for a series that runs."""


class MoveForm(Versioned):
    """Another time for one meeting, in the reader's own zone."""

    starts_at = forms.DateTimeField(label=_("New time"), widget=forms.DateTimeInput())
    minutes = WholeField(label=_("Minutes"), min_value=5, max_value=480)


class PointForm(forms.Form):
    """One line of the agenda."""

    text = forms.CharField(
        label=_("What do you want to talk about?"),
        max_length=500,
        error_messages={"required": _("Write what you want to talk about.")},
    )


class EditPointForm(PointForm, Versioned):
    """The same, changed."""


class NoteForm(Versioned):
    """The note that both write."""

    shared_note = forms.CharField(
        label=_("Shared note"),
        max_length=LONG_TEXT,
        required=False,
        strip=False,
        widget=forms.Textarea(),
    )


class PrivateNoteForm(Versioned):
    """The note that nobody else reads."""

    body = forms.CharField(
        label=_("Your private note"),
        max_length=LONG_TEXT,
        required=False,
        strip=False,
        widget=forms.Textarea(),
    )


class TurnForm(forms.Form):
    """Who of the two does by when what stands on the agenda."""

    owner = forms.TypedChoiceField(label=_("Who does it"), coerce=int)
    due_on = forms.DateField(label=_("By when"), widget=forms.DateInput())

    def __init__(self, *args: Any, check_in: CheckIn, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pair = (check_in.manager, check_in.employee)
        field_of(self, "owner", forms.TypedChoiceField).choices = [(p.pk, p.name) for p in pair]


class ActionForm(TurnForm):
    """The same, with the words of what is to be done."""

    text = forms.CharField(
        label=_("What is to be done"),
        max_length=500,
        error_messages={"required": _("Write what is to be done.")},
    )


class DropForm(Versioned):
    """Why something will not be done."""

    why = forms.CharField(
        label=_("Why it is dropped"),
        max_length=300,
        error_messages={"required": _("Say why it is dropped.")},
    )


class DayForm(Versioned):
    """Another day."""

    due_on = forms.DateField(label=_("New day"), widget=forms.DateInput())


class ColleagueField(forms.CharField):
    """A field with the picker of people behind it; cleans to somebody who works here."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"list": "people", "autocomplete": "off", "data-picker": ""}
        super().__init__(max_length=300, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        found = Employee.objects.here().picked(text)
        if found is None:
            raise forms.ValidationError(
                _("Nobody, or more than one person, is meant. Choose from the list.")
            )
        return found


class ChooseForm(forms.Form):
    """Before a word is written: for whom, what, and who will read it."""

    to = ColleagueField(label=_("For whom"), help_text=_("Type a name and choose from the list."))
    kind = ExplainedChoiceField(
        label=_("What it is"),
        choices=Feedback.Kind.choices,
        widget=forms.RadioSelect(),
        initial=Feedback.Kind.PRAISE,
        descriptions={
            "praise": _("What somebody did well, and what it changed."),
            "suggestion": _("What could be better, and how."),
            "upward": _("To your own manager, with your name."),
        },
    )
    visibility = ExplainedChoiceField(
        label=_("Who will read it"),
        choices=Feedback.Visibility.choices,
        widget=forms.RadioSelect(),
        initial=Feedback.Visibility.PERSON,
        help_text=_("This is fixed before you write and never changes."),
        descriptions={
            "person": _("Nobody else, not even their manager or HR."),
            "manager": _("The person and whoever is their manager."),
            "public": _("Everybody who works here, until the person hides it."),
        },
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("visibility") == Feedback.Visibility.PUBLIC and data.get("kind") not in (
            "praise",
            None,
        ):
            self.add_error("visibility", _("Only praise can be shown to everybody."))
        if data.get("to") and data["to"].pk == self.user.employee_id:
            self.add_error("to", _("Feedback is for somebody else."))
        return data


class WordsForm(forms.Form):
    """The feedback itself."""

    body = forms.CharField(
        label=_("Your words"),
        max_length=LONG_TEXT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("What happened, what it led to, what you wish for next time."),
        error_messages={"required": _("Write something first.")},
    )


class AnswerForm(WordsForm, Versioned):
    """The answer to a request."""

    kind = forms.ChoiceField(
        label=_("What it is"),
        choices=Feedback.Kind.choices[:2],
        widget=forms.RadioSelect(),
        initial=Feedback.Kind.SUGGESTION,
    )
    visibility = forms.ChoiceField(
        choices=Feedback.Visibility.choices[:2], widget=forms.HiddenInput()
    )

    field_order = ["kind", "body"]


class RequestForm(forms.Form):
    """A question to a colleague."""

    reviewer = ColleagueField(
        label=_("Whom do you ask"), help_text=_("Type a name and choose from the list.")
    )
    about = forms.ModelChoiceField(
        label=_("About whom"), queryset=Employee.objects.none(), empty_label=None
    )
    question = forms.CharField(
        label=_("Your question"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One question about something they have seen is answered best."),
        error_messages={"required": _("Ask a question, so that the answer can help.")},
    )
    due_on = forms.DateField(label=_("Answer by"), widget=forms.DateInput())

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Employee.objects.filter(
            Q(pk=user.employee_id) | Q(pk__in=reports_of(user.employee_id))
        )
        field_of(self, "about", forms.ModelChoiceField).queryset = mine


class UsefulForm(Versioned):
    """Whether it helped."""

    was_useful = forms.TypedChoiceField(
        coerce=lambda value: value == "1", choices=[("1", ""), ("0", "")]
    )


class FilterForm(forms.Form):
    """What of the feedback is shown; anything strange in the address falls back to all."""

    show = forms.ChoiceField(
        choices=[(name, name) for name in ("received", "given", "praise", "team")], required=False
    )
    kind = forms.ChoiceField(choices=Feedback.Kind.choices, required=False)
    q = forms.CharField(max_length=100, required=False)
