"""Contributions beyond goals."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from goals import actions
from goals.forms import ContributionForm
from goals.models import Contribution
from goals.views.loading import plan_of, version_decided_on
from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.activity.actions import drop_draft
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.errors import Invalid


@login_required
@require_GET
def contributions(request: UserRequest, pk: int) -> HttpResponse:
    """What somebody gave beyond their goals."""
    return _contributions(request, plan_of(request, pk))


@login_required
@require_POST
def contribute(request: UserRequest, pk: int) -> HttpResponse:
    """Record a contribution of one's own."""
    participation = plan_of(request, pk)
    if participation.employee_id != request.user.employee_id:
        raise PermissionDenied(_("Everybody records their own contributions."))
    form = ContributionForm(request.POST)
    if form.is_valid():
        try:
            actions.contribute(participation, by=request.user, **form.cleaned_data)
        except Invalid as error:
            form.add_error(error.field, error.reason)
        else:
            name = form.cleaned_data["beneficiary"].name
            drop_draft(request.user, _draft_key(participation))
            messages.success(
                request, _("Recorded. %(name)s is asked to confirm it.") % {"name": name}
            )
            return redirect("goals:contributions", participation.pk)
    return _contributions(request, participation, form, status=422)


@login_required
@require_GET
def contribution(request: UserRequest, pk: int) -> HttpResponse:
    """One contribution, with the beneficiary's one click."""
    row = get_visible(
        Contribution.objects.select_related("author", "beneficiary", "participation__cycle"),
        request.user,
        pk=pk,
    )
    context = {
        "row": row,
        "may_answer": row.beneficiary_id == request.user.employee_id and _is_open(row),
    }
    return render(request, "goals/contribution.html", context)


@login_required
@require_POST
def confirm_contribution(request: UserRequest, pk: int) -> HttpResponse:
    """Yes, that helped."""
    row = get_editable(Contribution, request.user, pk=pk)
    actions.confirm_contribution(row, version=version_decided_on(request), by=request.user)
    messages.success(request, _("Confirmed. Thank you."))
    return redirect("goals:contribution", row.pk)


@login_required
@require_POST
def decline_contribution(request: UserRequest, pk: int) -> HttpResponse:
    """Not recognised."""
    row = get_editable(Contribution, request.user, pk=pk)
    actions.decline_contribution(row, version=version_decided_on(request), by=request.user)
    messages.success(request, _("Noted."))
    return redirect("goals:contribution", row.pk)


def _is_open(row: Contribution) -> bool:
    part = row.participation
    runs = part.cycle.state == Cycle.State.RUNNING and part.state == Participation.State.ACTIVE
    return runs and row.confirmed_at is None and row.declined_at is None


def _draft_key(participation: Participation) -> str:
    return f"contribution-{participation.pk}"


def _contributions(
    request: UserRequest,
    participation: Any,
    form: ContributionForm | None = None,
    status: int = 200,
) -> HttpResponse:
    mine = participation.employee_id == request.user.employee_id
    rows = Contribution.objects.filter(participation=participation).visible_to(request.user)
    context = {
        "participation": participation,
        "is_mine": mine,
        "nothing": _(
            "You helped another team, trained a colleague, saved a delivery? Write it down while you remember,"
            " and let the person confirm it."
        )
        if mine
        else _("People record what they gave beyond their goals."),
        "rows": list(
            rows.select_related("author", "beneficiary").order_by("-happened_on", "-pk")[:100]
        ),
        "form": form
        or (
            ContributionForm()
            if mine
            and participation.cycle.state == Cycle.State.RUNNING
            and participation.state == Participation.State.ACTIVE
            else None
        ),
        "draft_key": _draft_key(participation),
    }
    return render(request, "goals/contributions.html", context, status=status)
