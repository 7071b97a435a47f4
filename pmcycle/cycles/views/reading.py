"""Cycles as everybody reads them, and their end."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.cycles import actions, forms
from pmcycle.cycles.actions import link
from pmcycle.cycles.models import (
    Cycle,
    Reopening,
    Stage,
)
from pmcycle.cycles.views.shared import editable_cycle, line_of, refuse_unless, why_not
from pmcycle.typed import LeftoversForm, all_of_one_kind, done, read_version, went_on

WHAT = {
    "objectives": gettext_lazy(
        "You and your manager propose goals to each other and agree on them; weights come to 100."
    ),
    "appraisal": gettext_lazy(
        "You and your manager look back over the goals and the year. You read the result after its release."
    ),
    "incentives": gettext_lazy(
        "What the published rules give for results and behaviour is calculated, recommended and approved."
    ),
    "evaluation": gettext_lazy(
        "Your manager writes down achievements, shortcomings and next steps; you both sign."
    ),
}


PAGES = {
    "objectives": "goals:list",
    "appraisal": "appraisals:list",
    "incentives": "incentives:mine",
    "evaluation": "evaluations:list",
}


@login_required
@require_GET
def list_cycles(request: UserRequest) -> HttpResponse:
    """The cycles the reader may know of, the newest first."""
    rows = (
        Cycle.objects.visible_to(request.user)
        .annotate(people=Count("participations", filter=Q(participations__state="active")))
        .prefetch_related("stages")
        .order_by("-first_day", "-pk")
    )
    page, now = Paginator(rows, 20).get_page(request.GET.get("page")), timezone.now()
    context = {
        "page": page,
        "rows": [(cycle, line_of(cycle.stages.all()), cycle.local_day(now)) for cycle in page],
        "may_create": request.user.standing.is_hr_admin,
    }
    return render(request, "cycles/list.html", context)


@login_required
@require_GET
def detail(request: UserRequest, pk: int) -> HttpResponse:
    """What happens when in a cycle, for everybody; for those who take part with their own dates."""
    user = request.user
    cycle = get_visible(Cycle.objects.select_related("scale"), user, pk=pk)
    if cycle.state == Cycle.State.DRAFT:
        return redirect("cycles:configure", pk=pk, step="who")
    stages = list(cycle.stages.all())
    part = None
    if user.employee_id:
        mine = cycle.participations.filter(employee=user.employee_id).with_manager()
        part = mine.prefetch_related("extensions").first()
    days = {s.pk: s.due_on for s in stages if s.state != Stage.State.CLOSED}
    # More time that everybody's day has overtaken is no day of their own.
    extensions = part.extensions.all() if part else []
    more_time = {e.stage_id: e for e in extensions if e.stage_id not in days or e.due_on > days[e.stage_id]}
    steps = [
        {"stage": s, "what": WHAT[s.kind], "extension": more_time.get(s.pk), "url": link(PAGES[s.kind])}
        for s in stages
    ]
    scale = getattr(cycle, "scale", None)
    is_checking = user.standing.is_hr or user.standing.is_auditor
    context = {
        "cycle": cycle,
        "line": line_of(stages),
        "today": cycle.local_day(timezone.now()),
        "steps": steps,
        "part": part,
        "levels": list(scale.levels.all()) if scale else [],
        "is_hr": user.standing.is_hr,
        "hub_url": link("home:hub", pk=pk),
        "board_url": link("home:board", pk=pk),
        "reopening": Reopening.objects.visible_to(user)
        .waiting()
        .filter(cycle=cycle)
        .select_related("requested_by")
        .first()
        if cycle.state == Cycle.State.CLOSED
        else None,
        "rules_url": link("incentives:criteria", pk=pk),
        "company_url": link("goals:company", pk=pk),
        # Everybody else finds it among the evaluations once it is published.
        "evaluation_url": link("evaluations:cycle", pk=pk) if is_checking else "",
    }
    return render(request, "cycles/detail.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def close(request: UserRequest, pk: int) -> HttpResponse:
    """End a running cycle, after reading what that means."""
    cycle = editable_cycle(request, pk)
    refuse_unless(cycle, Cycle.State.RUNNING)
    sent = request.POST if request.method == "POST" else None
    form = forms.VersionForm(sent, initial={"version": cycle.version})
    leaving = LeftoversForm(sent, at=request.path, leftovers=actions.leftovers_of_cycle(cycle, request.user))
    if whole := all_of_one_kind(request, leaving, cycle=cycle):
        return whole

    def act() -> None:
        version = form.cleaned_data["version"]
        actions.close(cycle, accepted=leaving.accepted(), version=version, by=request.user)

    if form.is_bound and form.is_valid() & leaving.is_valid() and went_on(form, leaving, act):
        messages.success(
            request, _("“%s” is closed. What is unfinished goes on in the next cycle.") % cycle.name
        )
        return redirect("cycles:detail", pk=pk)
    stages = list(cycle.stages.all())
    context = {
        "cycle": cycle,
        "form": form,
        "leaving": leaving,
        "refusal": why_not(actions.judge_end, cycle) if request.method == "GET" else "",
        "heading": _("Close %(name)s") % {"name": cycle.name},
        "consequences": [
            *_closing_now(stages),
            _(
                "Goals that are not reached and open steps of development come into each person's next cycle as "
                "proposals, which hold when both have signed them. Open promises go on there with the words and "
                "the day they were made with."
            ),
            _(
                "It happens once: now, where the objectives of the next cycle are open, otherwise when they open. "
                "It need not be a copy of this one."
            ),
            *_closed_there(cycle),
            _("Nothing can be written in it any more. Everything stays readable to whom it was readable."),
            _("Two HR admins together can open it again, with a reason."),
        ],
        "button": _("Close the cycle"),
        "sure": _(
            "“%(name)s” ends for everybody now. What is left in it stays as it is, and your reasons stand in the trail."
        )
        % {"name": cycle.name},
        "back": reverse("cycles:detail", kwargs={"pk": pk}),
    }
    return render(request, "cycles/end.html", context, status=leaving.status if form.is_bound else 200)


def _closed_there(cycle: Cycle) -> list[str]:
    """Where what is left has nobody who could sign it, and the way out."""
    return [
        _(
            "In “%s” objectives are closed already: goals and steps come there only to people with more time for "
            "objectives. Give more time to those concerned, now or later, or open the stage there again: what is "
            "left comes then. Promises come now."
        )
        % name
        for name in actions.closed_to_what_is_left(cycle)
    ]


def _closing_now(stages: list[Stage]) -> list[str]:
    still_open = [str(stage) for stage in stages if stage.state == Stage.State.OPEN]
    return [_("Stages that are still open close now: %s.") % ", ".join(still_open)] if still_open else []


@login_required
@require_POST
def archive(request: UserRequest, pk: int) -> HttpResponse:
    cycle = editable_cycle(request, pk)
    actions.archive(cycle, version=read_version(request), by=request.user)
    return redirect("cycles:list")


@login_required
@require_http_methods(["GET", "POST"])
def request_reopening(request: UserRequest, pk: int) -> HttpResponse:
    """Ask, with a reason, for a closed cycle to run again; a second HR admin approves."""
    cycle = editable_cycle(request, pk)
    refuse_unless(cycle, Cycle.State.CLOSED)
    form = forms.ReopenForm(request.POST if request.method == "POST" else None)

    def act() -> None:
        actions.request_reopening(cycle, form.cleaned_data["reason"], by=request.user)

    if form.is_bound and form.is_valid() and done(form, act):
        messages.success(request, _("Asked. The cycle runs again when a second HR admin approves."))
        return redirect("cycles:detail", pk=pk)
    context = {
        "cycle": cycle,
        "form": form,
        "heading": _("Open %(name)s again") % {"name": cycle.name},
        "consequences": [
            _("A second HR admin is asked to approve; until then it stays closed."),
            _("Its stages stay closed. You open the one that is needed, with a new due day."),
            _("What has gone on to the next cycle stays there, and does not go a second time."),
        ],
        "button": _("Ask to open it again"),
        "sure": _("All other HR admins are told; with the yes of one of them “%(name)s” runs again.")
        % {"name": cycle.name},
        "back": reverse("cycles:detail", kwargs={"pk": pk}),
    }
    return render(request, "cycles/end.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def approve_reopening(request: UserRequest, pk: int) -> HttpResponse:
    row = get_editable(Reopening, request.user, pk=pk)
    cycle = actions.approve_reopening(row, by=request.user)
    messages.success(request, _("“%s” runs again. Open the stage that is needed.") % cycle.name)
    return redirect("cycles:detail", pk=cycle.pk)


@login_required
@require_POST
def withdraw_reopening(request: UserRequest, pk: int) -> HttpResponse:
    row = get_editable(Reopening, request.user, pk=pk)
    actions.withdraw_reopening(row, by=request.user)
    messages.success(request, _("Withdrawn. The cycle stays closed."))
    return redirect("cycles:detail", pk=row.cycle_id)
