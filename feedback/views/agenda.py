"""What is written on the screen of a meeting: points, notes, actions and promises."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback import actions
from feedback.forms import (
    ActionForm,
    DayForm,
    DropForm,
    EditPointForm,
    NoteForm,
    PointForm,
    PrivateNoteForm,
    TurnForm,
    Versioned,
)
from feedback.models import ActionItem, AgendaPoint, CheckIn
from feedback.pages import ItemPage
from feedback.views.check_ins import ACTION_IDS, POINT_IDS, load, show
from feedback.views.going_back import back
from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.errors import Invalid
from pmcycle.typed import row_number


@login_required
@require_POST
def add_point(request: UserRequest, pk: int) -> HttpResponse:
    """Put a point on one's own side of the agenda."""
    row = get_editable(CheckIn, request.user, pk=pk)
    form = PointForm(request.POST, auto_id=POINT_IDS)
    if form.is_valid():
        actions.add_point(row, form.cleaned_data["text"], by=request.user)
        return _agenda(request, pk)
    return show(request, load(request, pk), "agenda" if request.htmx else "", 422, point_form=form)


@login_required
@require_http_methods(["GET", "POST"])
def edit_point(request: UserRequest, pk: int) -> HttpResponse:
    """Change the words of one's own point."""
    points = AgendaPoint.objects.standing().select_related("check_in")
    point = get_editable(points.written_by(request.user), request.user, pk=pk)
    form = EditPointForm(
        request.POST or None, initial={"text": point.text, "version": point.version}
    )
    if request.method == "POST" and form.is_valid():
        actions.edit_point(point, **form.cleaned_data, by=request.user)
        return _agenda(request, point.check_in_id)
    context = {"point": point, "form": form}
    return render(request, "feedback/edit_point.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def remove_point(request: UserRequest, pk: int) -> HttpResponse:
    """Take one's own point off the agenda."""
    points = AgendaPoint.objects.standing().select_related("check_in")
    point = get_editable(points.written_by(request.user), request.user, pk=pk)
    form = Versioned(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else -1
    actions.remove_point(point, version=version, by=request.user)
    return _agenda(request, point.check_in_id)


@login_required
@require_POST
def tick_point(request: UserRequest, pk: int) -> HttpResponse:
    """Talked about, or not: `done` says which."""
    point = get_editable(AgendaPoint.objects.select_related("check_in"), request.user, pk=pk)
    actions.tick_point(point, is_done=request.POST.get("done") == "1", by=request.user)
    return _agenda(request, point.check_in_id)


@login_required
@require_http_methods(["GET", "POST"])
def turn_into_action(request: UserRequest, pk: int) -> HttpResponse:
    """Make a point somebody's action."""
    points = AgendaPoint.objects.standing().select_related(
        "check_in__manager", "check_in__employee"
    )
    point = get_editable(points, request.user, pk=pk)
    form = TurnForm(
        request.POST or None, check_in=point.check_in, initial={"owner": request.user.employee_id}
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.turn_into_action(
                point,
                owner_id=form.cleaned_data["owner"],
                due_on=form.cleaned_data["due_on"],
                by=request.user,
            )
            messages.success(request, _("Noted below, with its day."))
            return redirect(_place(point.check_in_id, "actions"))
        except Invalid as error:
            form.add_error(error.field, error.reason)
    context = {"point": point, "form": form}
    return render(
        request, "feedback/turn_into_action.html", context, status=422 if form.errors else 200
    )


@login_required
@require_POST
def write_note(request: UserRequest, pk: int) -> HttpResponse:
    """Save the shared note: by itself while writing, or by its button."""
    row = get_editable(CheckIn, request.user, pk=pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _not_saved(request, form, pk, "note_form")
    row = actions.write_note(
        row, form.cleaned_data["shared_note"], version=form.cleaned_data["version"], by=request.user
    )
    return _saved(request, row.note_version, pk, "note")


@login_required
@require_POST
def write_private_note(request: UserRequest, pk: int) -> HttpResponse:
    """Save one's own note, which nobody else reads."""
    row = get_visible(CheckIn, request.user, pk=pk)
    form = PrivateNoteForm(request.POST)
    if not form.is_valid():
        return _not_saved(request, form, pk, "private_form")
    note = actions.write_private_note(
        row, form.cleaned_data["body"], version=form.cleaned_data["version"], by=request.user
    )
    return _saved(request, note.version, pk, "private")


@login_required
@require_POST
def add_action(request: UserRequest, pk: int) -> HttpResponse:
    """Note who does what by when."""
    row = get_editable(CheckIn.objects.with_pair(), request.user, pk=pk)
    form = ActionForm(request.POST, check_in=row, auto_id=ACTION_IDS)
    if form.is_valid():
        data = form.cleaned_data
        try:
            actions.add_action(
                row,
                owner_id=data["owner"],
                text=data["text"],
                due_on=data["due_on"],
                by=request.user,
            )
            if request.htmx:
                return show(request, load(request, pk), "actions")
            return redirect(_place(pk, "actions"))
        except Invalid as error:
            form.add_error(error.field, error.reason)
    return show(
        request, load(request, pk), "actions" if request.htmx else "", 422, action_form=form
    )


@login_required
@require_GET
def item(request: UserRequest, pk: int) -> HttpResponse:
    """One action or promise: done, another day, or dropped with a reason."""
    return _show_item(request, pk)


@login_required
@require_POST
def done(request: UserRequest, pk: int) -> HttpResponse:
    """It is done, or the promise is kept."""
    row = get_editable(ActionItem, request.user, pk=pk)
    form = Versioned(request.POST)
    if not form.is_valid():
        return _show_item(request, pk, status=422)
    row = actions.done(row, version=form.cleaned_data["version"], by=request.user)
    if request.htmx and (on := row_number(request.POST.get("on"))):
        return show(request, load(request, on), "actions")
    messages.success(request, _("Done."))
    return back(request, reverse("feedback:item", kwargs={"pk": pk}))


@login_required
@require_POST
def drop(request: UserRequest, pk: int) -> HttpResponse:
    """It will not be done, for a reason."""
    row = get_editable(ActionItem, request.user, pk=pk)
    form = DropForm(request.POST)
    if form.is_valid():
        actions.drop(row, **form.cleaned_data, by=request.user)
        messages.success(request, _("Dropped. The reason stays with it."))
        return redirect("feedback:item", pk=pk)
    return _show_item(request, pk, status=422, drop_form=form)


@login_required
@require_POST
def reschedule(request: UserRequest, pk: int) -> HttpResponse:
    """Another day for an action or a promise."""
    row = get_editable(ActionItem, request.user, pk=pk)
    form = DayForm(request.POST)
    if form.is_valid():
        try:
            actions.reschedule(row, **form.cleaned_data, by=request.user)
            messages.success(request, _("The due date is changed."))
            return redirect("feedback:item", pk=pk)
        except Invalid as error:
            form.add_error(error.field, error.reason)
    return _show_item(request, pk, status=422, day_form=form)


def _show_item(
    request: UserRequest, pk: int, status: int = 200, **typed: forms.Form
) -> HttpResponse:
    rows = ActionItem.objects.select_related("owner", "check_in__manager", "check_in__employee")
    row = get_visible(rows, request.user, pk=pk)
    context = {
        "page": ItemPage(row, row.check_in.other_than(request.user)),
        "drop_form": DropForm(initial={"version": row.version}),
        "day_form": DayForm(initial={"version": row.version, "due_on": row.due_on}),
        **typed,
    }
    return render(request, "feedback/item.html", context, status=status)


def _agenda(request: UserRequest, pk: int) -> HttpResponse:
    """The two columns anew for htmx; else back to the screen where they are."""
    if request.htmx:
        return show(request, load(request, pk), "agenda")
    return redirect(_place(pk, "agenda"))


def _place(pk: int, part: str) -> str:
    return reverse("feedback:check_in", kwargs={"pk": pk}) + f"#{part}"


def _saved(request: UserRequest, version: int, pk: int, part: str) -> HttpResponse:
    if request.headers.get("X-Autosave"):
        now = timezone.localtime(timezone.now())
        return JsonResponse({"saved_at": now.strftime("%H:%M"), "version": version})
    messages.success(request, _("Saved."))
    return redirect(_place(pk, part))


def _not_saved(request: UserRequest, form: forms.Form, pk: int, name: str) -> HttpResponse:
    if request.headers.get("X-Autosave"):
        return JsonResponse({"errors": form.errors}, status=422)
    return show(request, load(request, pk), "", 422, **{name: form})
