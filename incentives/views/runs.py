"""The run: calculate, hand to the managers, approve, release, export; and the tree of an amount."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import OuterRef, Q, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from incentives import actions, rules, tasks, why
from incentives.actions.plans import names_of
from incentives.forms import SettleForm, VersionForm
from incentives.models import Award, FactSheet, PayrollExport, Plan, RestraintEntry, Run
from pmcycle.access import UserRequest, get_editable, get_visible, show, with_outside
from pmcycle.activity.actions import hold_to
from pmcycle.activity.given_back import led_to
from pmcycle.activity.models import Job
from pmcycle.activity.tasks import wake
from pmcycle.cycles.models import Cycle, Participation, Relation, Stage, StageKind, related
from pmcycle.cycles.rules import Leftover
from pmcycle.errors import Refused
from pmcycle.spelling import holding
from pmcycle.typed import (
    LeftoversForm,
    all_of_one_kind,
    done,
    read_version,
    row_number,
    search_words,
    went_on,
)
from pmcycle.ui.formats import money_text

AWARDS_A_PAGE = 25
WAITING_A_PAGE = 100


@login_required
@require_GET
def run(request: UserRequest, pk: int) -> HttpResponse:
    """Where the money stands: the runs of the plan, steps, who is left out, pools, amounts, files for payroll."""
    return _run_page(request, pk, at=row_number(request.GET.get("run")))


@login_required
@require_GET
def one_run(request: UserRequest, pk: int) -> HttpResponse:
    """From a run to its place on the page of its plan: a newer run may stand there first."""
    return _to(_hr_run(request, pk))


def _run_page(
    request: UserRequest,
    pk: int,
    *,
    at: int | None = None,
    form: VersionForm | None = None,
    leaving: LeftoversForm | None = None,
) -> HttpResponse:
    with_plan = Cycle.objects.select_related(
        "reward_plan__published_by", "reward_plan__drafted_by"
    ).annotate(
        rewards_due=Subquery(
            Stage.objects.filter(cycle=OuterRef("pk"), kind=StageKind.INCENTIVES).values("due_on")[
                :1
            ]
        )
    )
    cycle = get_visible(with_plan, request.user, pk=pk)
    if not request.user.standing.is_hr:
        raise Http404
    plan = getattr(cycle, "reward_plan", None)
    runs = _runs_of(request, plan)
    found = next((r for r in runs if r.number == at), runs[0] if runs else None)
    may_act = request.user.standing.is_hr_admin
    # Of a closed cycle only payroll is owed its files.
    is_given = found is not None and found.state in (Run.State.RELEASED, Run.State.EXPORTED)
    is_calculated = found is not None and found.calculated_at is not None
    context: dict[str, Any] = {
        "may_go_on": may_act and (cycle.state == Cycle.State.RUNNING or is_given),
        "cycle": cycle,
        "plan": plan,
        "run": found,
        "may_act": may_act,
        "steps": _steps(plan, found),
        "work": actions.work_on_runs(cycle, request.user) if runs else [],
        "tabs": _tabs(runs, found) if len(runs) > 1 else [],
        "step": _step(plan, found),
        "title": found.title if found and found.number > 1 else _("Reward run"),
        "has_sheets": may_act and is_calculated,
        "rewards_due": vars(cycle)["rewards_due"],
    }
    if found is not None and found.calculated_at is not None:
        act = _act(request, found, form, leaving)
        if whole := all_of_one_kind(request, act["leaving"], cycle=cycle):
            return whole
        context |= _amounts(request, found) | act
    if plan and found and any(r.calculated_at for r in runs):
        is_newest = found == runs[0]
        waiting = actions.waiting(plan, seen_by=request.user)
        place = request.GET.get("waiting")
        page = Paginator(waiting, WAITING_A_PAGE).get_page(place)
        if named := [person.participation.pk for person in page]:
            show(request.user, Participation.objects.filter(pk__in=named))
        context |= {
            "waiting": page,
            "leafs": bool(place),
            "what_follows": _what_follows(found, is_newest=is_newest),
            "may_supplement": may_act
            and is_newest
            and not found.is_open
            and cycle.state == Cycle.State.RUNNING,
        }
    return render(
        request, "incentives/run.html", context, status=leaving.status if leaving else 200
    )


def _step(plan: Plan | None, found: Run | None) -> str:
    """What HR does next, which is the fragment that the page shows."""
    if plan is None or not plan.is_published:
        return "publish"
    if found is None:
        return "calculate"
    steps = {
        Run.State.DRAFT: "calculate",
        Run.State.CALCULATED: "hand_out",
        Run.State.RECOMMENDING: "approve",
        Run.State.APPROVED: "release",
    }
    return steps.get(Run.State(found.state), "payroll")


def _what_follows(found: Run, *, is_newest: bool) -> str:
    """How those who are left out come to their reward."""
    if found.is_open:
        return _(
            "Once what is missing is there, calculate again, or let them follow in a supplementary run after the "
            "approval."
        )
    if is_newest:
        return _(
            "They follow in a supplementary run: the same rules, what is left of the pools, two people again."
        )
    return _("They follow in the newest run of this plan.")


def _runs_of(request: UserRequest, plan: Plan | None) -> list[Run]:
    """The runs of a plan, the newest first."""
    if plan is None:
        return []
    found = Run.objects.visible_to(request.user).filter(plan=plan).order_by("-number")
    return list(
        found.select_related(
            "calculated_by", "approved_by", "released_by", "plan_version", "plan__cycle"
        )
    )


def _tabs(runs: list[Run], found: Run | None) -> list[dict[str, Any]]:
    return [
        {
            "label": f"{r.title}: {r.get_state_display()}",
            "url": f"?run={r.number}",
            "active": r == found,
        }
        for r in reversed(runs)
    ]


def _amounts(request: UserRequest, found: Run) -> dict[str, Any]:
    """The amounts of a run, searched and filtered, with its pools, its sums and its files."""
    rows = with_outside(
        Award.objects.filter(run=found).visible_to(request.user), request.user
    ).select_related("participation__employee", "participation__unit", "component")
    query = search_words(request)
    kind = request.GET.get("show", "")
    if query:
        rows = rows.filter(holding(query, "participation__employee__name"))
    if kind == "held":
        rows = rows.filter(is_held=True)
    elif kind == "out":
        rows = rows.left_out()
    elif kind == "nothing":
        rows = rows.exclude(ineligible_why="").exclude(
            pk__in=Award.objects.left_out().filter(run=found)
        )
    elif kind == "outside":
        rows = rows.filter(is_outside=True)
    ordered = rows.order_by("participation__employee__sort_name", "component")
    is_admin = request.user.standing.is_hr_admin
    files = PayrollExport.objects.visible_to(request.user).filter(run=found).defer("content")
    page = Paginator(ordered, AWARDS_A_PAGE).get_page(request.GET.get("page"))
    show(request.user, list(page))
    return {
        "rows": page,
        "pools": actions.pools_of(found) if is_admin else [],
        "filters": [
            {
                "name": "show",
                "label": _("Show"),
                "value": kind,
                "options": [
                    ("out", _("left out")),
                    ("held", _("held")),
                    ("nothing", _("nothing given")),
                    ("outside", _("outside the band")),
                ],
            }
        ],
        "lines": actions.reconciliation(found) if is_admin and not found.is_open else [],
        "exports": [] if found.is_open else list(files.select_related("by")),
    }


def _act(
    request: UserRequest, found: Run, form: VersionForm | None, leaving: LeftoversForm | None
) -> dict[str, Any]:
    """What the reader would go on over if they approved or released now; it may be another person's turn."""
    me = request.user
    if leaving is None:
        left: list[Leftover] = []
        if me.standing.is_hr_admin and found.state == Run.State.RECOMMENDING:
            left = actions.left_of_approval(found, me)
        elif me.standing.is_hr_admin and found.state == Run.State.APPROVED:
            left = actions.left_of_release(found, me)
        leaving = LeftoversForm(at=_address(found), leftovers=left)
    return {
        "leaving": leaving,
        "form": form or VersionForm(initial={"version": found.version}),
        "calculated_it": found.calculated_by_id == me.pk,
        "approved_it": found.approved_by_id == me.pk,
    }


def _steps(plan: Plan | None, run: Run | None) -> list[dict[str, Any]]:
    order = ["draft", "calculated", "recommending", "approved", "released", "exported"]
    here = order.index(run.state) if run else 0
    published = bool(plan and plan.is_published)
    words = [
        _("Rules published"),
        _("Calculated"),
        _("Managers recommend"),
        _("Approved"),
        _("Released"),
        _("At payroll"),
    ]
    states = ["done" if published else "current"]
    # The managers' step lasts from the moment they have their sheets until somebody approves.
    waits_at = 2 if here == 2 else here + 1
    for number in range(1, 6):
        state = "done" if here >= number else "todo"
        states.append("current" if published and number == waits_at else state)
    return [{"label": label, "state": state} for label, state in zip(words, states, strict=True)]


def _hr_run(request: UserRequest, pk: int, **lookup: Any) -> Run:
    return get_editable(Run.objects.select_related("plan__cycle"), request.user, pk=pk, **lookup)


@login_required
@require_POST
def calculate(request: UserRequest, pk: int) -> HttpResponse:
    """Ask for a calculation; its page shows the progress."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    plan = get_editable(Plan, request.user, cycle=cycle)
    job = actions.request_calculation(plan, by=request.user)
    wake(tasks.calculate_waiting)
    return led_to(request, job)


@login_required
@require_POST
def open_recommending(request: UserRequest, pk: int) -> HttpResponse:
    """Hand the amounts to the managers."""
    found = _hr_run(request, pk)
    actions.open_recommending(found, version=read_version(request), by=request.user)
    messages.success(request, _("The managers have their sheets."))
    return _to(found)


@login_required
@require_POST
def open_supplement(request: UserRequest, pk: int) -> HttpResponse:
    """Open the next run, for whom the runs so far have left out."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    plan = get_editable(Plan, request.user, cycle=cycle)
    opened = actions.open_supplement(plan, by=request.user)
    messages.success(
        request, _("%s is open. Calculate it when the facts are there.") % opened.title
    )
    return redirect("incentives:run", pk=pk)


@login_required
@require_POST
def approve(request: UserRequest, pk: int) -> HttpResponse:
    """The second person's yes to all amounts, over what is left with a reason for each kind."""
    found = _hr_run(request, pk)
    form = VersionForm(request.POST)
    left = actions.left_of_approval(found, request.user)
    leaving = LeftoversForm(request.POST, at=_address(found), leftovers=left)

    def act() -> None:
        version = form.cleaned_data["version"]
        actions.approve(found, accepted=leaving.accepted(), version=version, by=request.user)

    if form.is_valid() & leaving.is_valid() and went_on(form, leaving, act):
        messages.success(request, _("Approved. Nothing changes any more."))
        return _to(found)
    return _run_page(request, found.plan.cycle_id, at=found.number, form=form, leaving=leaving)


@login_required
@require_POST
def release(request: UserRequest, pk: int) -> HttpResponse:
    """Release the statements, over what is left with a reason for each kind; a worker writes them."""
    found = _hr_run(request, pk)
    form = VersionForm(request.POST)
    left = actions.left_of_release(found, request.user)
    leaving = LeftoversForm(request.POST, at=_address(found), leftovers=left)
    jobs: list[Job] = []

    def act() -> None:
        version = form.cleaned_data["version"]
        job = actions.request_release(
            found, accepted=leaving.accepted(), version=version, by=request.user
        )
        jobs.append(job)

    if form.is_valid() & leaving.is_valid() and went_on(form, leaving, act):
        wake(tasks.release_waiting)
        return led_to(request, jobs[0])
    return _run_page(request, found.plan.cycle_id, at=found.number, form=form, leaving=leaving)


def _address(found: Run) -> str:
    """The page of one run of its plan."""
    return f"{reverse('incentives:run', args=[found.plan.cycle_id])}?run={found.number}"


def _to(found: Run) -> HttpResponse:
    return redirect(_address(found))


@login_required
@require_POST
def export_payroll(request: UserRequest, pk: int) -> HttpResponse:
    """Make the file for payroll."""
    found = _hr_run(request, pk)
    hold_to("costly", request.user.pk)
    kind = request.POST.get("format", "csv")
    if kind not in TYPES:
        raise Refused(_("Payroll gets CSV or XLSX."))
    export = actions.export_payroll(found, kind, by=request.user)
    messages.success(
        request,
        _("%(rows)d lines, %(total)s. The file is below.")
        % {"rows": export.rows, "total": money_text(export.total, found.plan.cycle.currency)},
    )
    return _to(found)


TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@login_required
@require_GET
def payroll_file(request: UserRequest, pk: int) -> HttpResponse:
    """The bytes as they were handed over."""
    export = get_visible(
        PayrollExport.objects.select_related("run__plan__cycle"), request.user, pk=pk
    )
    show(request.user, Award.objects.filter(run=export.run))
    supplement = f"-run-{export.run.number}" if export.run.number > 1 else ""
    name = slugify(f"payroll-{export.run.plan.cycle.name}{supplement}-{export.batch}") or "payroll"
    response = HttpResponse(bytes(export.content), content_type=TYPES[export.format])
    response["Content-Disposition"] = f'attachment; filename="{name}.{export.format}"'
    return response


@login_required
@require_GET
def award(request: UserRequest, pk: int) -> HttpResponse:
    """One amount and its tree."""
    return _award_page(request, pk)


def _award_page(
    request: UserRequest, pk: int, form: SettleForm | None = None, status: int = 200
) -> HttpResponse:
    sheet = FactSheet.objects.filter(run=OuterRef("run"), participation=OuterRef("participation"))
    found = get_visible(
        Award.objects.select_related(
            "run__plan__cycle",
            "run__plan_version",
            "component",
            "participation__employee",
            "participation__unit",
            "pool",
        ).annotate(facts=Subquery(sheet.values("facts")[:1])),
        request.user,
        pk=pk,
    )
    cycle = found.run.plan.cycle
    is_own = found.participation.employee_id == request.user.employee_id
    entry = None
    if found.is_held:
        entries = RestraintEntry.objects.holding(found.participation_id, found.component.kind)
        entry = entries.visible_to(request.user).first()
    names = names_of(cycle)
    lines = [] if is_own else list(found.lines.select_related("by"))
    moves = [
        {
            "label": _("Recommended by %s") % line.by.name if line.by else _("Recommended"),
            "value": money_text(line.amount, found.currency),
            "note": line.reason,
        }
        for line in lines
        if line.kind == "adjusted"
    ][-1:]
    context = {
        "award": found,
        "cycle": cycle,
        "is_own": is_own,
        "lines": lines,
        "tree": tree_of(found, names, moves if found.amount != found.guideline else []),
        "form": form or SettleForm(initial={"version": found.version}),
        "entry": entry,
        "may_settle": request.user.standing.is_hr_admin
        and not is_own
        and found.is_held
        and not entry
        and not found.run.is_open,
        "run_address": _address(found.run) if request.user.standing.is_hr else "",
        "heading": _("%(name)s: %(amount)s")
        % {
            "name": found.component.name,
            "amount": _("not decided")
            if found.is_left_out
            else money_text(found.amount, found.currency),
        },
    }
    return render(request, "incentives/award.html", context, status=status)


def tree_of(
    award: Any, names: rules.Names, moves: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The tree of an award row annotated with its `facts`."""
    version = award.run.plan_version
    component = next(c for c in rules.components_of(version.content) if c.id == award.component_id)
    shown = {
        "amount": award.amount,
        "guideline": award.guideline,
        "why": award.ineligible_why,
        "held": award.is_held,
        "trace": award.trace,
    }
    return why.tree(component, award.facts, shown, names, moves)


@login_required
@require_POST
def settle(request: UserRequest, pk: int) -> HttpResponse:
    """Set free what a rule has held."""
    mine = related(request.user, Relation.SELF)
    hr = Q() if request.user.standing.is_hr_admin else Q(pk__in=[])
    found = get_visible(Award.objects.filter(hr & ~mine), request.user, pk=pk)
    form = SettleForm(request.POST)
    if form.is_valid() and done(
        form,
        lambda: actions.settle(
            found,
            form.cleaned_data["reason"],
            version=form.cleaned_data["version"],
            by=request.user,
        ),
    ):
        messages.success(request, _("Settled. It goes to payroll with the next file."))
        return redirect("incentives:award", pk=found.pk)
    return _award_page(request, pk, form, status=422)
