"""The manager's sheet: the team on one page, with the pool on top; and the line above that decides."""

from __future__ import annotations

import itertools
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from incentives import actions
from incentives.forms import AdjustForm, NoteForm
from incentives.models import Approval, Award, Component, FactSheet, Run
from incentives.pages import last_act, people_of_sheet
from pmcycle.access import (
    UserRequest,
    get_editable,
    get_visible,
    lets_through,
    not_found_unless,
    show,
    with_outside,
)
from pmcycle.cycles.models import Assignment, RatingLevel, Relation, StageKind, related
from pmcycle.errors import Refused
from pmcycle.people.models import Employee
from pmcycle.typed import done, row_number
from pmcycle.ui.formats import typed_text

# Tabs on one sheet: one's own team, those that wait for a decision, then by name.
MOST_TEAMS = 30


@login_required
@require_GET
def sheets(request: UserRequest) -> HttpResponse:
    """The runs in which the reader recommends, newest first."""
    runs = (
        Run.objects.led_by(request.user)
        .exclude(state__in=[Run.State.DRAFT, Run.State.CALCULATED])
        .select_related("plan__cycle")
        .order_by("-plan__cycle__first_day", "-pk")
    )
    standing = request.user.standing
    found = list(runs)
    not_found_unless(bool(found) or standing.leads_people or bool(standing.head_paths))
    return render(request, "incentives/sheets.html", {"runs": found})


def _teams(request: UserRequest, run: Run) -> dict[int, str]:
    """Who leads somebody in the run whom the reader leads or stands above, by name; the reader's own team first."""
    calculated = FactSheet.objects.filter(run=run, participation=OuterRef("participation"))
    rows = (
        Assignment.objects.current()
        .filter(Exists(calculated), _followed_by(request))
        .order_by("manager__name", "manager")
        .values_list("manager", "manager__name")
        .distinct()
    )
    return dict(sorted(rows, key=lambda row: row[0] != request.user.employee_id))


def _followed_by(request: UserRequest) -> Q:
    """Rows about people the reader leads or stands above, never about themselves."""
    followed = related(request.user, Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_ADMIN)
    return followed & ~Q(participation__employee=request.user.employee_id or 0)


def _team_rows(request: UserRequest, run: Run, manager: int) -> Any:
    """Awards of the people in one manager's team whom the reader follows, with their rating."""
    sheet = FactSheet.objects.filter(run=OuterRef("run"), participation=OuterRef("participation"))
    team = Assignment.objects.current().filter(manager=manager)
    rows = Award.objects.filter(
        _followed_by(request), run=run, participation__in=team.values("participation")
    ).visible_to(request.user)
    return (
        with_outside(rows, request.user)
        .annotate(
            rating=Subquery(sheet.values("facts__rating")[:1]),
            place=Subquery(sheet.values("facts__compa_ratio")[:1]),
            risen=Coalesce(Subquery(_risen()), Value(Decimal(0))),
        )
        .select_related("component", "pool", "participation__employee", "participation__unit")
        .order_by("participation__employee__sort_name", "participation", "component")
    )


def _risen() -> Any:
    """By how much the other runs of the plan have raised the pay of a person, as their statement says."""
    others = Award.objects.filter(
        participation=OuterRef("participation"), component__kind=Component.Kind.MERIT, is_held=False
    ).exclude(run=OuterRef("run"))
    return others.order_by().values("participation").annotate(s=Sum("amount")).values("s")


def _run_of(request: UserRequest, pk: int) -> Run:
    """A run whose sheet the reader has: managers and the line from the day it is handed to them, HR admins."""
    rows = Run.objects.select_related("plan__cycle")
    if request.user.standing.is_hr_admin:
        return get_visible(rows, request.user, pk=pk)
    opened = rows.led_by(request.user).exclude(state__in=[Run.State.DRAFT, Run.State.CALCULATED])
    try:
        return opened.get(pk=pk)
    except (Run.DoesNotExist, OverflowError) as error:
        raise Http404 from error


@login_required
@require_GET
def sheet(request: UserRequest, pk: int) -> HttpResponse:
    """One's team on one sheet; for the line above the teams one by one, with approve and return."""
    return _sheet(request, _run_of(request, pk))


@login_required
@require_GET
def team(request: UserRequest, pk: int) -> HttpResponse:
    """From the act that handed a team in to that team on the sheet of its run."""
    act = get_visible(Approval, request.user, pk=pk)
    return redirect(f"{reverse('incentives:sheet', args=[act.run_id])}?team={act.manager_id}")


def _sheet(
    request: UserRequest,
    run: Run,
    *,
    wrong: AdjustForm | None = None,
    award: int = 0,
    refused: str = "",
    note: NoteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    me = request.user.employee_id
    levels = dict(
        RatingLevel.objects.filter(scale__cycle=run.plan.cycle_id).values_list("position", "label")
    )
    acts = _acts(run)
    picked = row_number(request.GET.get("team") or request.POST.get("team"))
    names = _teams(request, run)
    waiting = [
        pk for pk in names if acts.get(pk) and acts[pk].act == Approval.Act.SUBMITTED and pk != me
    ]
    own = [me] if me in names else []
    chosen = picked if picked in names else next(iter([*own, *waiting, *names]), None)
    shown = {*itertools.islice(dict.fromkeys([*own, *waiting, *names]), MOST_TEAMS), chosen}
    rows = list(_team_rows(request, run, chosen)) if chosen else []
    show(request.user, rows)
    mine = chosen is not None and chosen == me
    act = acts.get(chosen) if chosen else None
    locked = act is not None and act.act in (Approval.Act.SUBMITTED, Approval.Act.APPROVED)
    may_write = mine and run.state == Run.State.RECOMMENDING and not locked
    for row in rows:
        touched = row.pk == award
        row.form, row.refused = (wrong, refused) if touched else (None, "")
        row.typed = (row.form["amount"].value() or "") if row.form else typed_text(row.amount)
        row.saved = touched and wrong is None and not refused
        row.may_write = may_write and not row.ineligible_why
    people, sums = people_of_sheet(rows, levels)
    used = {r.pool_id for r in rows if r.pool_id}
    pools = [p for p in actions.pools_of(run) if p["pool"].pk in used]
    manager = Employee.objects.filter(pk=chosen).first() if chosen and not mine else None
    may_decide = bool(
        manager
        and act
        and run.state == Run.State.RECOMMENDING
        and act.act == Approval.Act.SUBMITTED
        and actions.may_decide(run, manager, request.user)
    )
    context = {
        "run": run,
        "cycle": run.plan.cycle,
        "pools": pools,
        "people": people,
        "sums": sums,
        "heading": _("Rewards that %s recommends") % manager.name
        if manager
        else _("Rewards of my team"),
        "act": act,
        "remark": last_act(act),
        "may_write": may_write,
        "manager": manager,
        "may_decide": may_decide,
        "note": note or NoteForm(),
        "teams": [
            {
                "label": _("My team") if pk == me else name,
                "url": f"?team={pk}",
                "active": pk == chosen,
                "state": acts[pk].act if pk in acts else "",
            }
            for pk, name in names.items()
            if pk in shown
        ],
        "stage": StageKind.INCENTIVES,
    }
    name = "incentives/sheet.html#sheet" if request.htmx else "incentives/sheet.html"
    return render(request, name, context, status=status)


def _acts(run: Run) -> dict[int, Approval]:
    """The latest act about each manager's team."""
    return {
        a.manager_id: a
        for a in Approval.objects.filter(run=run).select_related("by").order_by("pk")
    }


@login_required
@require_POST
def adjust(request: UserRequest, pk: int) -> HttpResponse:
    """Recommend another amount; a script gets the sheet's inside back, counted anew."""
    award = get_editable(
        Award.objects.select_related("run__plan__cycle", "component"), request.user, pk=pk
    )
    form = AdjustForm(request.POST, prefix="")
    refused = ""
    if form.is_valid():
        data = form.cleaned_data
        try:
            saved = done(
                form,
                lambda: actions.adjust(
                    award, data["amount"], data["reason"], version=data["version"], by=request.user
                ),
            )
        except Refused as error:
            if not request.htmx or error.__class__ is not Refused:
                raise
            saved, refused = False, error.reason
        if saved and not request.htmx:
            messages.success(request, _("Saved."))
            return redirect("incentives:sheet", pk=award.run_id)
    return _sheet(
        request,
        award.run,
        wrong=form if form.errors or refused else None,
        award=award.pk,
        refused=refused,
        status=409 if refused else 422 if form.errors else 200,
    )


@login_required
@require_POST
def hand_in(request: UserRequest, pk: int) -> HttpResponse:
    """One's own team is done."""
    run = _run_of(request, pk)
    awards = Award.objects.filter(run=run)
    if not lets_through(request.user, lambda now: awards.editable_by(now).exists()):
        raise Http404
    form = NoteForm(request.POST)
    if form.is_valid():
        actions.hand_in(run, form.cleaned_data["note"], by=request.user)
        messages.success(request, _("Handed in. The line above looks at it next."))
        return redirect("incentives:sheet", pk=run.pk)
    return _sheet(request, run, note=form, status=422)


@login_required
@require_POST
def decide_team(request: UserRequest, pk: int, manager: int) -> HttpResponse:
    """The line above approves a team, or returns it with a note."""
    run = _run_of(request, pk)
    person = Employee.objects.filter(pk=manager).first() if manager < 2**63 else None
    if person is None or not lets_through(request.user, partial(actions.may_decide, run, person)):
        raise Http404
    form = NoteForm(request.POST)
    act = Approval.Act.APPROVED if request.POST.get("act") == "approve" else Approval.Act.RETURNED
    if form.is_valid() and done(
        form,
        lambda: actions.decide_team(run, person, act, form.cleaned_data["note"], by=request.user),
    ):
        messages.success(
            request,
            _("Approved.") if act == Approval.Act.APPROVED else _("Returned with your note."),
        )
        return redirect(f"{reverse('incentives:sheet', args=[run.pk])}?team={person.pk}")
    return _sheet(request, run, note=form, status=422)
