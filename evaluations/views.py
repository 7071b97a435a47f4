"""Pages of the closing evaluation: of a person, and of the cycle itself."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, ExpressionWrapper
from django.forms import formset_factory
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appraisals.models import evidence_for
from appraisals.rules import by_month
from evaluations import actions
from evaluations.forms import (
    POINT_KINDS,
    EvaluationForm,
    PointForm,
    SignForm,
    StepForm,
    WritingForms,
)
from evaluations.models import CycleEvaluation, Evaluation, Point, Signature
from feedback.models import thread_of
from pmcycle.access import UserRequest, get_editable, get_visible, lets_through
from pmcycle.cycles.models import Cycle, Participation, StageKind, open_today
from pmcycle.errors import Refused, Stale
from pmcycle.people.models import User
from pmcycle.typed import read_version

EVIDENCE_SHOWN = 200
EMPTY_ROWS = 2
BETWEEN_TWO = ("entry", "promise", "action", "feedback")


@login_required
@require_GET
def list_evaluations(request: UserRequest) -> HttpResponse:
    """My own evaluations over the cycles, and those of the people I lead."""
    user = request.user
    seen = Evaluation.objects.visible_to(user).exclude(state=Evaluation.State.DRAFT)
    mine = seen.filter(participation__employee=user.employee_id).select_related(
        "participation__cycle", "author"
    )
    team: Any = (
        Participation.objects.led_by(user)
        .filter(state=Participation.State.ACTIVE, cycle__state=Cycle.State.RUNNING)
        .select_related("employee", "cycle")
        .annotate(
            is_open=ExpressionWrapper(open_today(StageKind.EVALUATION), output_field=BooleanField())
        )
        .order_by("employee__sort_name")
    )
    states = {
        e.participation_id: e
        for e in Evaluation.objects.visible_to(user).filter(participation__in=team)
    }
    rows = [
        {
            "participation": p,
            "evaluation": states.get(p.pk),
            "act": _act(states.get(p.pk), is_open=p.is_open),
        }
        for p in team
    ]
    cycles = (
        CycleEvaluation.objects.visible_to(user)
        .select_related("cycle")
        .order_by("-cycle__first_day")
    )
    context = {"mine": mine, "rows": rows, "cycles": cycles}
    return render(request, "evaluations/list.html", context)


def _act(evaluation: Evaluation | None, *, is_open: bool) -> str:
    """What a manager does with the evaluation of one of their people: read, look, continue, write or nothing."""
    if evaluation is not None and evaluation.state != Evaluation.State.DRAFT:
        return "read"
    if not is_open:
        return "look" if evaluation is not None else ""
    return "continue" if evaluation is not None else "write"


@login_required
@require_http_methods(["GET", "POST"])
def write(request: UserRequest, pk: int) -> HttpResponse:
    """The manager's one screen for one person: texts left, the year's evidence right."""
    user = request.user
    participation = get_visible(
        Participation.objects.led_by(user)
        .select_related("employee", "cycle")
        .annotate(
            is_open=ExpressionWrapper(open_today(StageKind.EVALUATION), output_field=BooleanField())
        ),
        user,
        pk=pk,
    )
    if request.method == "GET":
        # Opening the page writes nothing: the draft begins with the first words that are sent.
        evaluation = actions.draft_of(participation, by=user)
    else:
        evaluation = actions.begin(participation, by=user)
    if evaluation.state != Evaluation.State.DRAFT:
        return redirect("evaluations:read", pk=evaluation.pk)
    evidence = _evidence(participation, user)
    if request.method == "GET":
        closed = "" if vars(participation)["is_open"] else actions.why_not_open(participation)
        return _page(request, evaluation, _forms(evaluation, evidence), evidence, closed=closed)
    forms = _forms(evaluation, evidence, request.POST)
    if not forms.are_valid():
        return _page(request, evaluation, forms, evidence, status=422)
    saved = actions.save(evaluation, forms.text(evidence), version=forms.version, by=user)
    if request.POST.get("act") != "share":
        messages.success(request, _("Saved. Only you can read it until you share it."))
        return redirect("evaluations:write", pk=participation.pk)
    try:
        actions.share(saved, version=saved.version, by=user)
    except Refused as refusal:
        forms = _forms(saved, evidence)
        return _page(request, saved, forms, evidence, problem=refusal.reason, status=409)
    messages.success(request, _("Shared. Both of you can sign it now."))
    return redirect("evaluations:read", pk=saved.pk)


@login_required
@require_POST
def autosave(request: UserRequest, pk: int) -> HttpResponse:
    """Keep what is being typed about this person; says "saved" only after the row is written."""
    user = request.user
    participation = get_visible(Participation.objects.led_by(user), user, pk=pk)
    try:
        evaluation = actions.begin(participation, by=user)
    except Refused as refusal:
        return JsonResponse({"detail": refusal.reason}, status=409)
    evidence = _evidence(evaluation.participation, user)
    forms = _forms(evaluation, evidence, request.POST)
    if not forms.are_valid():
        return JsonResponse({"errors": forms.errors()}, status=422)
    try:
        saved = actions.save(evaluation, forms.text(evidence), version=forms.version, by=user)
    except Stale as stale:
        return JsonResponse({"detail": stale.reason, "version": stale.version}, status=409)
    except Refused as refusal:
        return JsonResponse({"detail": refusal.reason}, status=409)
    at = date_format(timezone.localtime(saved.saved_at), "H:i")
    return JsonResponse({"saved_at": at, "version": saved.version})


@login_required
@require_GET
def read(request: UserRequest, pk: int) -> HttpResponse:
    """The evaluation as shared or signed, with the signatures and what each side added."""
    user = request.user
    rows = Evaluation.objects.exclude(state=Evaluation.State.DRAFT)
    evaluation = get_visible(
        rows.select_related("participation__employee", "participation__cycle", "author"),
        user,
        pk=pk,
    )
    return _read_page(request, evaluation, SignForm(initial={"version": evaluation.version}))


@login_required
@require_POST
def sign(request: UserRequest, pk: int) -> HttpResponse:
    user = request.user
    evaluation = get_visible(Evaluation.objects.exclude(state=Evaluation.State.DRAFT), user, pk=pk)
    if not lets_through(
        user, lambda now: Evaluation.objects.signable_by(now).filter(pk=pk).exists()
    ):
        raise PermissionDenied(_("The person and their manager sign this."))
    form = SignForm(request.POST)
    if not form.is_valid():
        return _read_page(request, evaluation, form, status=422)
    actions.sign(
        evaluation, form.cleaned_data["comment"], version=form.cleaned_data["version"], by=user
    )
    messages.success(request, _("Signed."))
    return redirect("evaluations:read", pk=pk)


@login_required
@require_POST
def take_back(request: UserRequest, pk: int) -> HttpResponse:
    user = request.user
    evaluation = get_editable(Evaluation, user, pk=pk)
    actions.take_back(evaluation, version=read_version(request), by=user)
    messages.success(request, _("Taken back. It is a draft again, and only you can read it."))
    return redirect("evaluations:write", pk=evaluation.participation_id)


@login_required
@require_POST
def throw_away(request: UserRequest, pk: int) -> HttpResponse:
    """End what the reader has begun about somebody, also when somebody else leads the person now."""
    begun = get_visible(Evaluation.objects.begun_by(request.user), request.user, pk=pk)
    actions.throw_away(begun, version=read_version(request), by=request.user)
    messages.success(request, _("The text is gone."))
    return redirect("activity:unsent")


@login_required
@require_GET
def cycle_evaluation(request: UserRequest, pk: int) -> HttpResponse:
    """What the cycle itself achieved."""
    user = request.user
    cycle = get_visible(Cycle.objects.prefetch_related("stages"), user, pk=pk)
    found = CycleEvaluation.objects.visible_to(user).filter(cycle=cycle).first()
    if found is None and not (user.standing.is_hr or user.standing.is_auditor):
        raise Http404
    may_count = user.standing.is_hr_admin
    may_carry = may_count and cycle.state == Cycle.State.RUNNING
    context = {
        "cycle": cycle,
        "evaluation": found,
        "may_count": may_count,
        "may_carry": may_carry,
        "nothing_comes": actions.why_nothing_comes(cycle) if may_carry else "",
        "objectives": next((s for s in cycle.stages.all() if s.kind == StageKind.OBJECTIVES), None),
        **_pictures(found),
    }
    return render(request, "evaluations/cycle.html", context)


@login_required
@require_POST
def compute(request: UserRequest, pk: int) -> HttpResponse:
    user = request.user
    cycle = get_editable(Cycle, user, pk=pk)
    actions.compute(cycle, by=user)
    messages.success(request, _("Counted."))
    return redirect("evaluations:cycle", pk=pk)


@login_required
@require_POST
def publish(request: UserRequest, pk: int) -> HttpResponse:
    user = request.user
    cycle = get_editable(Cycle, user, pk=pk)
    evaluation = get_editable(CycleEvaluation, user, cycle=cycle)
    actions.publish(evaluation, version=read_version(request), by=user)
    messages.success(request, _("Published. Everybody who works here can read it now."))
    return redirect("evaluations:cycle", pk=pk)


@login_required
@require_POST
def carry_over(request: UserRequest, pk: int) -> HttpResponse:
    """Bring what the last cycle of each person left unfinished into this one, once."""
    user = request.user
    cycle = get_editable(Cycle, user, pk=pk)
    came = actions.carry_over(cycle, by=user)
    counts = {"goals": came.goals, "steps": came.steps, "promises": came.promises}
    messages.success(
        request,
        _(
            "Came over: unfinished goals %(goals)d, steps of development %(steps)d, open promises %(promises)d."
        )
        % counts,
    )
    return redirect("evaluations:cycle", pk=pk)


def _pictures(found: CycleEvaluation | None) -> dict[str, Any]:
    """The kept figures in the shapes that the charts take."""
    figures = dict(found.figures) if found else {}
    if not figures:
        return {"f": {}}
    figures["on_time"] = [{**row, "words": _(row["label"])} for row in figures["on_time"]]
    authors = figures["authorship"]
    words = {
        "co_authored": _("Worded by both"),
        "own": _("The employee's own"),
        "handed_down": _("Handed down"),
        "carried": _("Carried over as they were"),
    }
    return {
        "f": figures,
        "ratings": [
            (r["label"], r["before"], r["after"]) for r in figures["ratings"] if not r["is_hidden"]
        ],
        "hidden_ratings": [r["label"] for r in figures["ratings"] if r["is_hidden"]],
        "authors": [(words[key], authors.get(key, 0)) for key in words],
        "rewards": [(r["label"], r["people"]) for r in figures["rewards"] if not r["is_hidden"]],
        "hidden_rewards": [r["label"] for r in figures["rewards"] if r["is_hidden"]],
    }


# --- the writing screen's forms ------------------------------------------------------------------------


def _forms(
    evaluation: Evaluation, evidence: list[dict[str, Any]], data: Any = None
) -> WritingForms:
    choices = [(e["value"], e["label"]) for e in evidence]
    saved = list(evaluation.points.all()) if evaluation.pk else []
    # What was cited stays choosable although it may have left the list of the newest.
    known = {value for value, _label in choices}
    choices += [
        (f"{p.evidence_kind}:{p.evidence_id}", p.evidence_label)
        for p in saved
        if p.evidence_kind and f"{p.evidence_kind}:{p.evidence_id}" not in known
    ]
    # Against what was saved meanwhile, a line that has not changed since would count as left empty.
    is_unsent = data is None
    points = {}
    for kind in POINT_KINDS:
        rows = [
            {
                "text": p.text,
                "evidence": f"{p.evidence_kind}:{p.evidence_id}" if p.evidence_kind else "",
            }
            for p in saved
            if p.kind == kind
        ]
        make = formset_factory(PointForm, extra=EMPTY_ROWS, max_num=40, absolute_max=60)
        points[kind.value] = make(
            data,
            initial=rows if is_unsent else None,
            prefix=kind.value,
            form_kwargs={"evidence": choices},
        )
    planned = [
        {"text": s.text, "due_on": s.due_on, "support": s.support}
        for s in (evaluation.steps.all() if evaluation.pk else ())
    ]
    steps = formset_factory(StepForm, extra=EMPTY_ROWS, max_num=40, absolute_max=60)(
        data, prefix="step", initial=planned if is_unsent else None
    )
    main = EvaluationForm(
        data,
        initial={
            "version": evaluation.version,
            "summary": evaluation.summary,
            "potential": evaluation.potential,
            "long_term_goal": evaluation.long_term_goal,
        },
    )
    return WritingForms(main, points, steps)


def _evidence(participation: Participation, user: User) -> list[dict[str, Any]]:
    """The newest things of the year about this person that the writer may read, as choices and as cards."""
    names = {
        "progress": _("Progress"),
        "feedback": _("Feedback"),
        "promise": _("Promise"),
        "action": _("Action"),
        "contribution": _("Contribution"),
        "entry": _("Conversation"),
    }
    rows = []
    for kind, at, title, body, who, number in evidence_for(participation, user):
        day = participation.cycle.local_day(at)
        words = " ".join(part for part in (title, body) if part).strip()
        head = f"{date_format(day, 'j M Y')} · {names.get(kind, kind)}"
        rows.append(
            {
                "kind": kind,
                "at": at,
                "day": day,
                "title": title,
                "body": body,
                "who": who,
                "value": f"{kind}:{number}",
                "label": f"{head}: {words[:110]}",
                # The line above and HR read what is cited; words of the two alone stay between them.
                "cited": f"{head}, {who}" if kind in BETWEEN_TWO else f"{head}: {words[:110]}",
            }
        )
    rows.sort(key=lambda row: row["at"], reverse=True)
    return rows[:EVIDENCE_SHOWN]


def _page(
    request: UserRequest,
    evaluation: Evaluation,
    forms: WritingForms,
    evidence: list[dict[str, Any]],
    problem: str = "",
    closed: str = "",
    status: int = 200,
) -> HttpResponse:
    user = request.user
    participation = evaluation.participation
    context = {
        "evaluation": evaluation,
        "participation": participation,
        "person": participation.employee,
        "title": _("Evaluation of %(name)s") % {"name": participation.employee.name},
        "form": forms.main,
        "achievements": forms.points[Point.Kind.ACHIEVEMENT.value],
        "shortcomings": forms.points[Point.Kind.SHORTCOMING.value],
        "steps": forms.steps,
        "months": by_month(evidence),
        "evidence_count": len(evidence),
        "problem": problem,
        "closed": closed,
        "thread": thread_of(participation, StageKind.EVALUATION, user),
    }
    return render(request, "evaluations/write.html", context, status=status)


def _read_page(
    request: UserRequest, evaluation: Evaluation, form: SignForm, status: int = 200
) -> HttpResponse:
    user = request.user
    participation = evaluation.participation
    signatures = list(evaluation.signatures.select_related("signer"))
    is_person = participation.employee_id == user.employee_id
    is_author = evaluation.author_id == user.employee_id
    side = Signature.Side.EMPLOYEE if is_person else Signature.Side.MANAGER
    points = list(evaluation.points.all())
    context = {
        "evaluation": evaluation,
        "participation": participation,
        "person": participation.employee,
        "title": _("Evaluation of %(name)s") % {"name": participation.employee.name},
        "achievements": [p for p in points if p.kind == Point.Kind.ACHIEVEMENT],
        "shortcomings": [p for p in points if p.kind == Point.Kind.SHORTCOMING],
        "steps": evaluation.steps.all(),
        "signatures": signatures,
        "form": form,
        "may_sign": (is_person or is_author)
        and participation.state == Participation.State.ACTIVE
        and participation.cycle.state == Cycle.State.RUNNING
        and evaluation.state == Evaluation.State.SHARED
        and side not in {s.side for s in signatures}
        and not actions.why_not_open(participation),
        "may_take_back": is_author
        and evaluation.state == Evaluation.State.SHARED
        and not signatures
        and not actions.why_not_open(participation),
        "thread": thread_of(participation, StageKind.EVALUATION, user),
    }
    return render(request, "evaluations/read.html", context, status=status)
