"""The company as everybody sees it: org chart, search, profiles; and HR's changes to one record."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pmcycle.access import UserRequest, get_editable, get_visible, show, today
from pmcycle.activity.actions import hold_to
from pmcycle.people import pages
from pmcycle.people.actions import records
from pmcycle.people.forms import AbsenceForm, EmployeeForm, EndAbsenceForm, LeaveForm, ManagerForm
from pmcycle.people.models import Absence, Employee, ReportingLine, Unit, User
from pmcycle.typed import done, row_number, search_words
from pmcycle.ui.direction import neutral

PER_PAGE = 50
PICKED = 12


@login_required
@require_GET
def org_chart(request: UserRequest) -> HttpResponse:
    """The tree of who reports to whom; search and unit turn it into a list."""
    people = Employee.objects.visible_to(request.user)
    if request.user.standing.is_it_admin and not request.user.employee_id:
        raise Http404
    search, unit, who = (
        search_words(request),
        row_number(request.GET.get("unit")),
        request.GET.get("who", ""),
    )
    units = list(Unit.objects.visible_to(request.user).order_by("path")[:400])
    context: dict[str, Any] = {
        "search": search,
        "filters": [
            {"name": "unit", "label": _("Unit"), "options": [(u.pk, u.name) for u in units]},
            *(
                [
                    {
                        "name": "who",
                        "label": _("Who"),
                        "options": [("left", _("has left")), ("future", _("starts later"))],
                    }
                ]
                if request.user.standing.is_hr
                else []
            ),
        ],
    }
    if search or unit or who:
        found = people.for_chart().search(search)
        if who == "left" and request.user.standing.is_hr:
            found = found.filter(left_on__lt=today())
        elif who == "future" and request.user.standing.is_hr:
            found = found.filter(hired_on__gt=today())
        else:
            found = found.here()
        path = next((u.path for u in units if u.pk == unit), None)
        if unit:
            found = found.filter(unit__path__startswith=path) if path else found.none()
        return render(
            request,
            "people/org_chart.html",
            {**context, "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page"))},
        )
    at = row_number(request.GET.get("at"))
    if at is not None:
        centre = get_visible(people.for_chart(), request.user, pk=at)
        tops, above = [centre], list(reversed(people.above(centre)))
    else:
        tops, above = list(people.at_the_top().for_chart().biggest_first()[:100]), []
    below = _grouped(people, [p.pk for p in tops if p.report_count])
    tree = [{"person": p, "reports": below.get(p.pk, [])} for p in tops]
    with_reports = [t for t in tree if t["reports"]] or tree[:1]
    alone = [t["person"] for t in tree if t not in with_reports]
    return render(
        request,
        "people/org_chart.html",
        {
            **context,
            "tree": with_reports,
            "alone": alone,
            "above": above,
            "is_centred": at is not None,
        },
    )


def _grouped(people: Any, managers: list[int]) -> dict[int, list[Employee]]:
    grouped: dict[int, list[Employee]] = {}
    for person in people.reporting_to(managers).for_chart().biggest_first()[:600]:
        grouped.setdefault(person.manager_id, []).append(person)
    return grouped


@login_required
@require_GET
def reports(request: UserRequest, pk: int) -> HttpResponse:
    """Who reports to one person: the branch of the tree that opens; without script, the tree around that person."""
    manager = get_visible(Employee, request.user, pk=pk)
    if not request.headers.get("HX-Request"):
        return redirect(f"{reverse('people:org_chart')}?at={pk}")
    below = Employee.objects.visible_to(request.user).reporting_to([manager.pk]).for_chart()
    return render(
        request,
        "people/org_chart.html#branch",
        {"reports": below.biggest_first()[:200]},
    )


@login_required
@require_GET
def picker(request: UserRequest) -> HttpResponse:
    """People by a few letters of name, title or unit: public profiles only, twelve at most.

    Answers `<option value="Name #id">title · unit</option>` to HTMX, JSON
    (`results`: id, name, title, unit) to `Accept: application/json`, else a page of links.
    """
    hold_to("search", request.user.pk)
    search = search_words(request) or " ".join(
        str(v) for k, v in request.GET.items() if k not in ("q", "page") and len(v) < 100
    ).replace("\x00", "")
    people = Employee.objects.visible_to(request.user).here().select_related("unit")
    found = list(people.search(search.split("#")[0])[:PICKED]) if search.strip() else []
    if "application/json" in request.headers.get("Accept", ""):
        shown = [
            {
                "id": p.pk,
                "name": neutral(p.name),
                "title": neutral(p.job_title),
                "unit": neutral(p.unit.name) if p.unit else "",
            }
            for p in found
        ]
        return JsonResponse({"results": shown})
    name = (
        "people/picker.html#options" if request.headers.get("HX-Request") else "people/picker.html"
    )
    return render(request, name, {"found": found, "search": search})


@login_required
@require_GET
def profile(request: UserRequest, pk: int) -> HttpResponse:
    """One person: what all may see, and what only they and HR may."""
    person = get_visible(Employee.objects.for_profile(request.user), request.user, pk=pk)
    is_own = person.pk == request.user.employee_id
    above, below = Employee.objects.around(person, below=30)
    if person.is_private and not is_own:
        show(request.user, Employee.objects.filter(pk=person.pk))
    shown = pages.Profile(
        person=person,
        day=today(),
        is_own=is_own,
        may_edit=person.is_editable,
        above=above,
        reports=below,
        private=pages.private_record(person, today()) if person.is_private else None,
    )
    return render(request, "people/profile.html", {"person": person, "shown": shown})


# --- HR's changes -----------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "POST"])
def edit_employee(request: UserRequest, pk: int) -> HttpResponse:
    """The record as HR corrects it; manager, leave and last day have their own buttons on the same page."""
    person = get_editable(Employee.objects.select_related("unit"), request.user, pk=pk)
    if request.method == "GET":
        return _edit_page(request, person)
    form = EmployeeForm(request.POST, initial=EmployeeForm.of(person))
    if form.is_valid() and done(
        form,
        lambda: records.edit_employee(
            person, form.values(), by=request.user, version=form.cleaned_data["version"]
        ),
    ):
        messages.success(request, _("Saved."))
        return redirect("people:profile", pk=person.pk)
    return _edit_page(request, person, form=form)


@login_required
@require_POST
def change_manager(request: UserRequest, pk: int) -> HttpResponse:
    """Let a person report to somebody else from a day on."""
    person = get_editable(Employee, request.user, pk=pk)
    form = ManagerForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        if done(
            form,
            lambda: records.change_manager(
                person, said["manager"], said["starts_on"], by=request.user, version=said["version"]
            ),
        ):
            messages.success(request, _("The new manager counts from that day on."))
            return redirect("people:profile", pk=person.pk)
    return _edit_page(request, person, manager_form=form)


@login_required
@require_POST
def add_absence(request: UserRequest, pk: int) -> HttpResponse:
    """Note a leave."""
    person = get_editable(Employee, request.user, pk=pk)
    form = AbsenceForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        if done(
            form,
            lambda: records.add_absence(
                person,
                said["kind"],
                said["is_paid"],
                said["starts_on"],
                said["ends_on"],
                by=request.user,
            ),
        ):
            messages.success(request, _("The leave is noted."))
            return redirect("people:profile", pk=person.pk)
    return _edit_page(request, person, absence_form=form)


@login_required
@require_POST
def end_absence(request: UserRequest, pk: int) -> HttpResponse:
    """Say when a leave ends."""
    absence = get_editable(Absence, request.user, pk=pk)
    form = EndAbsenceForm(request.POST)
    if not form.is_valid():
        return _edit_page(request, absence.employee, end_form=form)
    records.end_absence(absence, form.cleaned_data["ends_on"], by=request.user)
    messages.success(request, _("The leave ends on that day."))
    return redirect("people:profile", pk=absence.employee_id)


@login_required
@require_POST
def set_leave_date(request: UserRequest, pk: int) -> HttpResponse:
    """Date a person's leaving, or take it back."""
    person = get_editable(Employee, request.user, pk=pk)
    form = LeaveForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        if done(
            form,
            lambda: records.set_leave_date(
                person,
                said["left_on"],
                said["leave_reason"],
                by=request.user,
                version=said["version"],
            ),
        ):
            messages.success(request, _("Saved. Nothing of this person is deleted."))
            return redirect("people:profile", pk=person.pk)
    return _edit_page(request, person, leave_form=form)


def _edit_page(request: UserRequest, person: Employee, **bound: Form) -> HttpResponse:
    show(request.user, Employee.objects.filter(pk=person.pk))
    line = (
        ReportingLine.objects.current()
        .filter(employee=person, kind="line")
        .select_related("manager")
        .first()
    )
    forms: dict[str, Form] = {
        "form": EmployeeForm(initial=EmployeeForm.of(person)),
        "manager_form": ManagerForm(
            initial={
                "manager": line.manager.pick_text if line else "",
                "starts_on": today(),
                "version": person.version,
            }
        ),
        "absence_form": AbsenceForm(initial={"starts_on": today(), "is_paid": True}),
        "leave_form": LeaveForm(initial={"left_on": person.left_on, "version": person.version}),
        **bound,
    }
    if User.objects.filter(employee=person).exists():
        forms["form"].fields["email"].help_text = _(
            "This person signs in with it. It changes on the page of their account."
        )
    context = {
        **forms,
        "person": person,
        "line": line,
        "former": person.former_periods.all(),
        "absences": person.absences.order_by("-starts_on")[:10],
        "units": Unit.objects.order_by("name")[:400],
    }
    return render(request, "people/edit_employee.html", context, status=422 if bound else 200)
