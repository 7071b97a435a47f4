"""Entries that restrain a reward, as the two-sided ledger that both sides read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback.models import Entry, entries_known_since
from incentives import actions
from incentives.forms import AnswerForm, DecideForm, RestraintForm
from incentives.models import OVERSEERS, Award, RestraintEntry
from incentives.pages import before_deciding, entry_line
from pmcycle.access import UserRequest, get_visible, lets_through, show, with_outside
from pmcycle.cycles.models import Cycle, Participation, Relation, related
from pmcycle.typed import done
from pmcycle.ui.formats import when_text

PER_PAGE = 100


@login_required
@require_GET
def restraints(request: UserRequest) -> HttpResponse:
    """Entries about oneself and about those one stands above, open ones first."""
    rows = (
        with_outside(
            RestraintEntry.objects.visible_to(request.user).with_decision_due(), request.user
        )
        .select_related("participation__employee", "participation__cycle", "proposed_by")
        .order_by("-pk")[:PER_PAGE]
    )
    entries = list(rows)
    show(request.user, entries)
    team = (
        Participation.objects.filter(related(request.user, *OVERSEERS, to=""))
        .filter(~related(request.user, Relation.SELF, to=""))
        .filter(cycle__state=Cycle.State.RUNNING, state=Participation.State.ACTIVE)
        .select_related("employee", "cycle")
        .order_by("employee__sort_name")[:50]
    )
    lines = [entry_line(entry, request.user.employee_id) for entry in entries]
    groups = [
        (_("Open"), [e for e in lines if e.is_open]),
        (_("Over"), [e for e in lines if not e.is_open]),
    ]
    context = {"groups": [(title, found) for title, found in groups if found], "team": list(team)}
    return render(request, "incentives/restraints.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def propose_restraint(request: UserRequest, pk: int) -> HttpResponse:
    """Propose an entry: facts, what was said before, effect, and until when it may be answered."""
    overseen = related(request.user, *OVERSEERS, to="") & ~related(
        request.user, Relation.SELF, to=""
    )
    part = get_visible(
        Participation.objects.filter(overseen).select_related("employee", "cycle"),
        request.user,
        pk=pk,
    )
    if request.method == "GET":
        actions.judge_restraining(part)
    known = list(entries_known_since(part, part.cycle.mention_days)[:40])
    readable = set(
        Entry.objects.visible_to(request.user)
        .filter(pk__in=[e.pk for e in known])
        .values_list("pk", flat=True)
    )
    options = [(e.pk, _entry_words(e, e.pk in readable)) for e in known]
    today = part.cycle.local_day(timezone.now())
    first = {
        "answer_by": today + timedelta(days=7),
        "lapses_on": today + timedelta(days=90),
        "effect": "hold",
    }
    form = RestraintForm(request.POST or None, entries=options, initial=first)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        chosen = next((e for e in known if e.pk == values["entry"]), None)
        made: list[RestraintEntry] = []
        if done(
            form,
            lambda: made.append(actions.propose_restraint(part, chosen, values, by=request.user)),
        ):
            messages.success(
                request,
                _("%s is told and can answer before anything takes effect.") % part.employee.name,
            )
            return redirect("incentives:restraint", pk=made[0].pk)
    context = {"form": form, "part": part, "cycle": part.cycle, "has_mention": bool(known)}
    return render(
        request, "incentives/restraint_form.html", context, status=422 if form.errors else 200
    )


def _entry_words(entry: Entry, is_readable: bool) -> str:
    """Whose words and when; the words themselves only to who may read them."""
    head = _("%(name)s, %(day)s") % {
        "name": entry.author.name,
        "day": when_text(entry.said_at, full=True),
    }
    return f"{head}: {entry.body[:80]}" if is_readable else head


@login_required
@require_GET
def restraint(request: UserRequest, pk: int) -> HttpResponse:
    """One entry: the facts on one side, the answer on the other, the decision below."""
    return _page(request, pk)


def _page(
    request: UserRequest,
    pk: int,
    *,
    answer: AnswerForm | None = None,
    decide: DecideForm | None = None,
    status: int = 200,
) -> HttpResponse:
    awards = Award.objects.approved().filter(
        participation=OuterRef("participation"), component__kind=OuterRef("component_kind")
    )
    found = get_visible(
        RestraintEntry.objects.with_decision_due()
        .select_related(
            "participation__employee",
            "participation__cycle",
            "proposed_by",
            "decided_by",
            "entry__author",
        )
        .annotate(
            is_too_late=Exists(awards.given()),
            is_taken=Exists(awards.filter(ineligible_why="restrained")),
        ),
        request.user,
        pk=pk,
    )
    today = found.participation.cycle.local_day(timezone.now())
    is_own = found.participation.employee_id == request.user.employee_id
    is_running = found.participation.cycle.state == Cycle.State.RUNNING
    is_here = is_running and found.participation.state == Participation.State.ACTIVE
    is_open = found.state in (RestraintEntry.State.PROPOSED, RestraintEntry.State.EFFECTIVE)
    decides = is_open and actions.is_decidable(found)
    decides = (
        decides and RestraintEntry.objects.decidable_by(request.user).filter(pk=found.pk).exists()
    )
    may_cite = (
        found.entry_id and Entry.objects.visible_to(request.user).filter(pk=found.entry_id).exists()
    )
    name = found.participation.employee.name
    may_take_effect = is_here and actions.may_take_effect(found, today)
    context: dict[str, Any] = {
        "entry": found,
        "is_own": is_own,
        "cycle": found.participation.cycle,
        "may_decide": decides,
        "name": name,
        "heading": _("An entry about your reward")
        if is_own
        else _("An entry about the reward of %s") % name,
        "warning": before_deciding(found, may_take_effect=may_take_effect),
        "offers_effect": found.state == RestraintEntry.State.PROPOSED
        and may_take_effect
        and not vars(found)["is_too_late"],
        "said": found.entry if may_cite else None,
        "may_answer": is_own and is_here and found.state == RestraintEntry.State.PROPOSED,
        "answer": answer or AnswerForm(initial={"answer": found.answer, "version": found.version}),
        "decide": decide or DecideForm(initial={"version": found.version}),
    }
    return render(request, "incentives/restraint.html", context, status=status)


@login_required
@require_POST
def answer(request: UserRequest, pk: int) -> HttpResponse:
    """One's own account of it."""
    found = get_visible(RestraintEntry, request.user, pk=pk)
    mine = RestraintEntry.objects.filter(pk=found.pk)
    if not lets_through(request.user, lambda now: mine.answerable_by(now).exists()):
        raise Http404
    form = AnswerForm(request.POST)
    if form.is_valid() and done(
        form,
        lambda: actions.answer(
            found,
            form.cleaned_data["answer"],
            version=form.cleaned_data["version"],
            by=request.user,
        ),
    ):
        messages.success(request, _("Sent. Whoever decides reads it first."))
        return redirect("incentives:restraint", pk=found.pk)
    return _page(request, pk, answer=form, status=422)


@login_required
@require_POST
def decide(request: UserRequest, pk: int) -> HttpResponse:
    """Let it take effect, or lift it, with the reason."""
    found = get_visible(RestraintEntry.objects.decidable_by(request.user), request.user, pk=pk)
    form = DecideForm(request.POST)
    outcome = "effective" if request.POST.get("outcome") == "effective" else "lifted"
    if form.is_valid() and done(
        form,
        lambda: actions.decide(
            found,
            outcome,
            form.cleaned_data["decision"],
            version=form.cleaned_data["version"],
            by=request.user,
        ),
    ):
        messages.success(request, _("In effect.") if outcome == "effective" else _("Lifted."))
        return redirect("incentives:restraint", pk=found.pk)
    return _page(request, pk, decide=form, status=422)
