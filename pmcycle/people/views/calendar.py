"""The company's calendar: working days and holidays."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.days import today_here
from pmcycle.people.actions import company
from pmcycle.people.forms import HolidayForm, WorkingDaysForm
from pmcycle.people.models import Holiday, Organisation
from pmcycle.typed import done

MOST_SHOWN = 100


@login_required
@require_GET
def calendar(request: UserRequest) -> HttpResponse:
    """On which days the company works."""
    return _page(request, get_visible(Organisation, request.user))


def _page(request: UserRequest, organisation: Organisation, **bound: Form) -> HttpResponse:
    said = {"working_days": organisation.working_days, "version": organisation.version}
    context = {
        "days_form": WorkingDaysForm(initial=said),
        "holiday_form": HolidayForm(),
        "holidays": Holiday.objects.visible_to(request.user).filter(day__gte=today_here())[
            :MOST_SHOWN
        ],
        "past": Holiday.objects.visible_to(request.user)
        .filter(day__lt=today_here())
        .order_by("-day")[:MOST_SHOWN],
        **bound,
    }
    return render(request, "people/calendar.html", context, status=422 if bound else 200)


@login_required
@require_POST
def set_working_days(request: UserRequest) -> HttpResponse:
    """Choose the days of the week."""
    organisation = get_editable(Organisation, request.user)
    form = WorkingDaysForm(request.POST)
    if not form.is_valid():
        return _page(request, organisation, days_form=form)
    said = form.cleaned_data
    company.set_working_days(
        organisation, said["working_days"], version=said["version"], by=request.user
    )
    messages.success(request, _("Saved. Reminders wait for these days."))
    return redirect("people:calendar")


@login_required
@require_POST
def add_holiday(request: UserRequest) -> HttpResponse:
    """Name a holiday."""
    organisation = get_editable(Organisation, request.user)
    form = HolidayForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        if done(form, lambda: company.add_holiday(said["day"], said["name"], by=request.user)):
            messages.success(request, _("“%s” is in the calendar.") % said["name"])
            return redirect("people:calendar")
    return _page(request, organisation, holiday_form=form)


@login_required
@require_POST
def remove_holiday(request: UserRequest, pk: int) -> HttpResponse:
    """Take a holiday out of the calendar."""
    holiday = get_editable(Holiday, request.user, pk=pk)
    company.remove_holiday(holiday, by=request.user)
    messages.success(request, _("“%s” is a working day again.") % holiday.name)
    return redirect("people:calendar")
