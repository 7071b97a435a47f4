"""The form of a cycle: choosing one, making one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appraisals import actions
from appraisals.forms import ChooseForm, ShapeError, read_structure, reshape
from appraisals.models import CycleForm, Form
from appraisals.pages.shaping import editor_of
from pmcycle.access import UserRequest, get_editable
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Invalid


@login_required
@require_GET
def form(request: UserRequest, pk: int) -> HttpResponse:
    """The editor of the cycle's form, or the library if none is chosen yet."""
    cycle = get_editable(Cycle, request.user, pk=pk)
    return _editor(request, cycle)


def _editor(
    request: UserRequest,
    cycle: Cycle,
    structure: list[dict[str, Any]] | None = None,
    errors: dict[str, str] | None = None,
    name: str | None = None,
    status: int = 200,
) -> HttpResponse:
    chosen = CycleForm.objects.select_related("form_version__form").filter(cycle=cycle).first()
    library = (
        Form.objects.filter(versions__isnull=False)
        .annotate(newest=Max("versions__number"))
        .order_by("name")[:50]
    )
    if structure is None:
        structure = actions.structure_of(chosen.form_version) if chosen else []
    forms = list(library) if cycle.state == Cycle.State.DRAFT else []
    page = editor_of(cycle, chosen, structure, forms, errors or {}, name)
    return render(request, "appraisals/form.html", {"page": page, "cycle": cycle}, status=status)


@login_required
@require_POST
def choose_form(request: UserRequest, pk: int) -> HttpResponse:
    cycle = get_editable(Cycle, request.user, pk=pk)
    choice = ChooseForm(request.POST)
    if not choice.is_valid():
        return _editor(
            request, cycle, errors={"form": _("Choose a form of the library.")}, status=422
        )
    actions.choose_form(cycle, choice.cleaned_data["form"], by=request.user)
    messages.success(request, _("Chosen. Change it here as you like until the launch."))
    return redirect("appraisals:form", pk=pk)


@login_required
@require_POST
def save_form(request: UserRequest, pk: int) -> HttpResponse:
    """Saves what is typed; a button may add, remove or move a part in the same step."""
    cycle = get_editable(Cycle, request.user, pk=pk)
    name = request.POST.get("name", "")
    do = request.POST.get("do", "")
    try:
        structure = read_structure(request.POST)
    except ShapeError as error:
        return _editor(request, cycle, error.structure, error.errors, name, status=422)
    if len(name) > 120 or "\x00" in name:
        return _editor(
            request, cycle, structure, {"name": _("At most 120 letters.")}, name, status=422
        )
    if do:
        structure = reshape(structure, do)
    try:
        version = actions.save_form(
            cycle,
            name,
            structure,
            number=_number(request.POST.get("number")),
            version=_number(request.POST.get("version")),
            by=request.user,
        )
    except Invalid as error:
        return _editor(request, cycle, structure, {error.field: error.reason}, name, status=422)
    if not do:
        messages.success(request, _("Saved as version %(number)s.") % {"number": version.number})
    where = do.partition(":")[2]
    anchor = f"#part-{where.replace('.', '-')}" if where and not do.startswith("remove") else ""
    return redirect(f"{reverse('appraisals:form', args=[pk])}{anchor}")


def _number(text: str | None) -> int:
    """A posted version number; -1, which is nobody's, where there is none."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else -1
