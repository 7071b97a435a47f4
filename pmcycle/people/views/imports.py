"""Pages of the import: the list, the columns, the rehearsal, and the buttons between them."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models.fields.json import KeyTextTransform
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pmcycle.access import UserRequest, get_editable, get_visible, show
from pmcycle.activity.actions import hold_to
from pmcycle.activity.given_back import led_to
from pmcycle.activity.models import Job
from pmcycle.activity.tasks import wake
from pmcycle.errors import Invalid, Refused
from pmcycle.people import pages, tasks
from pmcycle.people.actions import exporting, importing
from pmcycle.people.forms import (
    BASIS_LABELS,
    SEX_LABELS,
    STATUS_LABELS,
    ColumnsForm,
    ReadingForm,
    SettleForm,
    UploadForm,
)
from pmcycle.people.models import Employee, Import, ImportLine, waiting_for_manager
from pmcycle.people.rules import columns, lines
from pmcycle.spelling import holding
from pmcycle.typed import done, row_number

PER_PAGE = 50
# So many people who wait for a manager are named at once; who gets one makes room.
WAITING = 50


def _hr_admins_only(request: UserRequest) -> None:
    if not request.user.standing.is_hr_admin:
        raise Http404


@login_required
@require_GET
def imports(request: UserRequest) -> HttpResponse:
    """Every file that came in, the newest first, and the way to bring the next one."""
    _hr_admins_only(request)
    return _imports_page(request, UploadForm(initial={"kind": request.GET.get("kind", "people")}))


def _imports_page(request: UserRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    runs = (
        Import.objects.visible_to(request.user)
        .select_related("uploaded_by")
        .defer("content", "choices")
    )
    page: Any = Paginator(runs, 20).get_page(request.GET.get("page"))
    page.object_list = [pages.ListedImport(run) for run in page]
    context = {
        "form": form,
        "page": page,
        "invited_second": request.session.get("invited_second", ""),
        "without_manager": waiting_for_manager()[:WAITING],
    }
    return render(request, "people/imports.html", context, status=status)


@login_required
@require_POST
def upload_import(request: UserRequest) -> HttpResponse:
    """Take a file in; what cannot be read is refused beside the field, and nothing is kept."""
    _hr_admins_only(request)
    hold_to("upload", request.user.pk)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _imports_page(request, form, status=422)
    upload = form.cleaned_data["file"]
    try:
        run = importing.upload_import(
            form.cleaned_data["kind"], upload.name, upload.read(), by=request.user
        )
    except Invalid as error:
        form.add_error(error.field, error.reason)
        return _imports_page(request, form, status=422)
    return redirect("people:map_columns", pk=run.pk)


@login_required
@require_http_methods(["GET", "POST"])
def map_columns(request: UserRequest, pk: int) -> HttpResponse:
    """Which column is what, and how its values are read; leads to the rehearsal.

    Where a column was chosen anew, what its values mean is derived anew, and shown before anything follows.
    """
    run = get_editable(Import, request.user, pk=pk)
    if run.state == Import.State.APPLIED:
        return redirect("people:rehearsal", pk=run.pk)
    if request.method == "POST":
        # The file is read to its end.
        hold_to("costly", request.user.pk)
    form = ColumnsForm(
        run, request.POST if request.method == "POST" else None, importing.samples(run)
    )
    if request.method == "POST":
        is_valid = form.is_valid()
        version = form.cleaned_data.get("version")
        if form.has_columns() and importing.choose_columns(
            run, form.mapping(), form.options(), by=request.user, version=version
        ):
            messages.info(
                request, _("Read how these columns are understood now, and correct what is wrong.")
            )
            return redirect("people:map_columns", pk=run.pk)
        if is_valid:
            run = importing.map_columns(
                run, form.mapping(), form.options(), by=request.user, version=version
            )
            return _rehearse(request, run)
    return _columns_page(request, run, form, ReadingForm(run))


def _columns_page(
    request: UserRequest, run: Import, form: ColumnsForm, reading: ReadingForm
) -> HttpResponse:
    context = {
        "run": run,
        "form": form,
        "reading": reading,
        "columns": _columns(run, form),
        "steps": steps(run, "columns"),
    }
    failed = form.is_bound or reading.is_bound
    return render(request, "people/map_columns.html", context, status=422 if failed else 200)


@login_required
@require_POST
def reread(request: UserRequest, pk: int) -> HttpResponse:
    """Open the file otherwise: other letters, another sheet, another line of names."""
    run = get_editable(Import, request.user, pk=pk)
    hold_to("costly", request.user.pk)
    form = ReadingForm(run, request.POST)
    if form.is_valid() and done(
        form,
        lambda: importing.reread(
            run, **form.chosen(), by=request.user, version=form.cleaned_data["version"]
        ),
    ):
        return redirect("people:map_columns", pk=run.pk)
    return _columns_page(request, run, ColumnsForm(run, None, importing.samples(run)), form)


def _rehearse(request: UserRequest, run: Import) -> HttpResponse:
    """Rehearse a short file at once; let the worker rehearse a long one, and show its progress."""
    if run.line_count <= importing.AT_ONCE:
        importing.rehearse(run, by=request.user)
        return redirect("people:rehearsal", pk=run.pk)
    url = reverse("people:rehearsal", kwargs={"pk": run.pk})
    job = importing.start_rehearsal(run, by=request.user, url=url)
    wake(tasks.rehearse_imports)
    return led_to(request, job)


def _columns(run: Import, form: ColumnsForm) -> list[dict[str, Any]]:
    """Each field with its select and three cells of the column chosen for it, as they stand and as they are read."""
    shown = []
    mapping = {
        bound.name.removeprefix("field-"): at
        for bound in form.column_fields()
        if (at := row_number(str(bound.value() if bound.value() is not None else ""))) is not None
    }
    as_of = date.fromisoformat(run.options["as_of"])
    for bound in form.column_fields():
        name = bound.name.removeprefix("field-")
        found: list[dict[str, str]] = []
        if name in mapping and run.kind == Import.Kind.PEOPLE:
            found = lines.examples(name, form.rows, mapping, run.options, as_of)
        elif name in mapping:
            found = [
                {"before": text, "after": "", "why": ""}
                for text in list(dict.fromkeys(columns.column_of(form.rows, mapping, name)))[:3]
            ]
        shown.append({"field": bound, "values": found})
    return shown


def steps(run: Import, at: str) -> list[dict[str, str]]:
    """The way of an import for the stepper."""
    order = [
        ("upload", _("Upload")),
        ("columns", _("Columns")),
        ("rehearsal", _("Rehearsal")),
        ("applied", _("Applied")),
    ]
    position = [name for name, _label in order].index(at)
    urls = (
        {"columns": reverse("people:map_columns", kwargs={"pk": run.pk})}
        if at == "rehearsal"
        else {}
    )
    return [
        {
            "label": label,
            "state": "done"
            if i < position or at == "applied"
            else "current"
            if i == position
            else "todo",
            "url": urls.get(name, ""),
        }
        for i, (name, label) in enumerate(order)
    ]


@login_required
@require_GET
def rehearsal(request: UserRequest, pk: int) -> HttpResponse:
    """Every line's fate, with counts, filters and what is left to settle by hand."""
    run = get_visible(Import.objects.for_rehearsal(), request.user, pk=pk)
    if run.state == Import.State.UPLOADED:
        job = Job.objects.filter(
            kind=importing.REHEARSE, subject_id=run.pk, finished_at=None
        ).first()
        return (
            redirect("activity:job", pk=job.pk)
            if job
            else redirect("people:map_columns", pk=run.pk)
        )
    return render(request, "people/rehearsal.html", _rehearsal_context(request, run))


def _rehearsal_context(request: UserRequest, run: Import) -> dict[str, Any]:
    fate = request.GET.get("fate", "")
    search = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:100]
    found = ImportLine.objects.filter(run=run)
    if fate in ImportLine.Fate.values:
        found = found.filter(fate=fate)
    elif fate == "address":
        found = found.with_another_address()
    if search:
        found = found.annotate(named=KeyTextTransform("name", "values")).filter(
            holding(search, "named", "key")
        )
    here = reverse("people:rehearsal", kwargs={"pk": run.pk})
    tabs: list[dict[str, Any]] = [
        {"label": _("All"), "url": here, "active": not fate, "count": sum(run.counts.values())}
    ]
    tabs += [
        {
            "label": label,
            "url": f"{here}?fate={value}",
            "active": fate == value,
            "count": run.counts[value],
        }
        for value, label in ImportLine.Fate.choices
        if run.counts.get(value)
    ]
    if run.elsewhere:
        tabs.append(
            {
                "label": _("Another address"),
                "url": f"{here}?fate=address",
                "active": fate == "address",
                "count": run.elsewhere,
            }
        )
    is_open = run.state == Import.State.CHECKED
    job = Job.objects.filter(kind=importing.APPLY, subject_id=run.pk).order_by("-pk").first()
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    if run.kind == Import.Kind.PEOPLE:
        # Beside what the file says stands what the record says.
        known = [line.key for line in page if line.fate == ImportLine.Fate.CHANGED]
        if known:
            show(request.user, Employee.objects.filter(number__in=known))
    return {
        "run": run,
        "heading": (_("Applied: %s") if run.state == Import.State.APPLIED else _("Rehearsal: %s"))
        % run.file_name,
        "page": page,
        "tabs": tabs,
        **(_doubts(run) if is_open else {}),
        "steps": steps(run, "applied" if run.state == Import.State.APPLIED else "rehearsal"),
        "is_open": is_open and not (job and not job.is_finished),
        "job": job,
        "columns_url": reverse("people:map_columns", kwargs={"pk": run.pk}),
        "is_ready": is_open and not run.counts.get("ambiguous") and not run.counts.get("refused"),
        "to_write": run.counts.get("created", 0) + run.counts.get("changed", 0),
    }


# So many doubts stand on one page; what is settled makes room for the next.
CARDS = 40


def _doubts(run: Import) -> dict[str, Any]:
    """What to settle: a card for each doubtful line, and one for each word or manager however many lines say it.

    `groups` are kinds of doubt with more than one card, which can be answered all at once.
    """
    doubtful = ImportLine.objects.filter(run=run, fate=ImportLine.Fate.AMBIGUOUS)
    cards: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in doubtful:
        for doubt in row.candidates:
            kind = doubt["kind"]
            about = {
                "cell": (doubt.get("field", ""), doubt.get("key", "")),
                "manager": (doubt.get("key", ""),),
            }
            key = (kind, *about.get(kind, (str(row.number),)))
            card = cards.setdefault(key, {"kind": kind, "line": row, "doubt": doubt, "uses": 0})
            card["uses"] += 1
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    labels = {f.name: f.label for f in columns.FIELDS[run.kind]}
    for card in cards.values():
        doubt, field = card["doubt"], card["doubt"].get("field", "")
        card["label"] = labels.get(field, "")
        card["readings"] = [
            {"value": r, "label": READINGS.get(field, {}).get(r, r)}
            for r in doubt.get("readings", ())
        ]
        group = groups.setdefault(
            (card["kind"], field), {**card, "field": field, "cards": 0, "lines": 0}
        )
        group["cards"] += 1
        group["lines"] += card["uses"]
    shown = sorted(cards.values(), key=lambda c: (c["kind"], -c["uses"]))
    return {
        "doubts": shown[:CARDS],
        "more_doubts": max(0, len(shown) - CARDS),
        "groups": [g for g in groups.values() if g["cards"] > 1],
    }


READINGS: dict[str, dict[str, Any]] = {
    "status": STATUS_LABELS,
    "pay_per": BASIS_LABELS,
    "sex": SEX_LABELS,
}


@login_required
@require_POST
def rehearse(request: UserRequest, pk: int) -> HttpResponse:
    """Judge every line again against the company as it is now."""
    return _rehearse(request, get_editable(Import, request.user, pk=pk))


@login_required
@require_POST
def settle(request: UserRequest, pk: int) -> HttpResponse:
    """Decide one doubt by hand; the whole file is rehearsed again with it."""
    run = get_editable(Import.objects.for_rehearsal(), request.user, pk=pk)
    form = SettleForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            for error in errors:
                messages.error(request, str(error))
        return render(
            request, "people/rehearsal.html", _rehearsal_context(request, run), status=422
        )
    said = form.cleaned_data
    if said["act"] == "all_skip":
        run = importing.leave_out_like(
            run, said["kind_of"], said["field"], by=request.user, version=said["version"]
        )
    else:
        run = importing.settle(run, form.choices(), by=request.user, version=said["version"])
    return _rehearse(request, run)


@login_required
@require_POST
def leave_out_refused(request: UserRequest, pk: int) -> HttpResponse:
    """Pass over all lines that are refused now."""
    run = get_editable(Import, request.user, pk=pk)
    return _rehearse(
        request, importing.leave_out_refused(run, by=request.user, version=_version(request))
    )


@login_required
@require_POST
def apply_import(request: UserRequest, pk: int) -> HttpResponse:
    """Queue the rehearsed import, and show its progress."""
    run = get_editable(Import, request.user, pk=pk)
    url = reverse("people:rehearsal", kwargs={"pk": run.pk})
    job = importing.start_apply(run, by=request.user, version=_version(request), url=url)
    wake(tasks.apply_imports)
    return led_to(request, job)


@login_required
@require_POST
def export_import(request: UserRequest, pk: int) -> HttpResponse:
    """The file's lines with what the company holds now, as a workbook; that it was taken out is in the trail."""
    run = get_visible(Import, request.user, pk=pk)
    if run.state != Import.State.APPLIED:
        raise Refused(_("Only what has been imported can be given back in the same columns."))
    hold_to("costly", request.user.pk)
    if run.kind == Import.Kind.PEOPLE:
        known = (
            ImportLine.objects.filter(run=run).exclude(fate=ImportLine.Fate.PASSED).values("key")
        )
        show(request.user, Employee.objects.filter(number__in=known))
    response = HttpResponse(
        exporting.export_import(run, by=request.user),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    response.headers["Content-Disposition"] = f'attachment; filename="import-{run.pk}.xlsx"'
    return response


def _version(request: UserRequest) -> int:
    """The version that the page was read with; without one the page counts as old."""
    said = request.POST.get("version", "")
    if not said.isdecimal() or len(said) > 9:
        raise Refused(_("This page is out of date. Load it again."))
    return int(said)
