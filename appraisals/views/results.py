"""Releasing results, reading them, answering them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, When
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appraisals import actions, tasks
from appraisals.forms import AcknowledgeForm, AppealForm, DecisionForm, ReleaseForm
from appraisals.models import (
    FIRST_MENTION,
    Appeal,
    Appraisal,
    CalibrationMove,
    Rating,
    Release,
    ReleasedResult,
    deciders,
)
from appraisals.pages.releasing import Accepted, ReleasePage
from appraisals.pages.results import Calibrated, Mention, ResultPage, Review, mentions_of, reading
from appraisals.pdf import result_as_pdf
from feedback.models import Entry, thread_of
from pmcycle.access import UserRequest, get_editable, get_visible, lets_through, show, with_outside
from pmcycle.activity.actions import hold_to
from pmcycle.activity.given_back import led_to
from pmcycle.activity.tasks import wake
from pmcycle.cycles.actions import accepted_of
from pmcycle.cycles.models import Cycle, Participation, RatingLevel, StageKind
from pmcycle.errors import Invalid, Refused
from pmcycle.people.models import User
from pmcycle.typed import LeftoversForm, all_of_one_kind, went_on

NAMES_SHOWN = 60


# --- release ---------------------------------------------------------------------------------------


@login_required
@require_GET
def release(request: UserRequest, pk: int) -> HttpResponse:
    """Who would get what, what speaks against it, and whose yes is missing."""
    cycle = get_editable(Cycle, request.user, pk=pk)
    leaving = _leaving(request, cycle)
    whole = all_of_one_kind(request, leaving, cycle=cycle)
    return whole or _release_page(request, cycle, ReleaseForm(), leaving)


def _leaving(request: UserRequest, cycle: Cycle) -> LeftoversForm:
    """Who would be left out; low ratings that are held may be settled by the page's other answer."""
    sent = request.POST if request.method == "POST" else None
    leftovers = actions.left_of_release(cycle, request.user)
    at = reverse("appraisals:release", args=[cycle.pk])
    return LeftoversForm(sent, at=at, leftovers=leftovers, optional=["appraisals:first_mention"])


def _accepted(cycle: Cycle, waiting: Release, leaving: LeftoversForm) -> list[Accepted]:
    """What stays open, why that was accepted, and its whole list: as it is now, without the reader's own."""
    why = {one.code: one for one in accepted_of(cycle, actions.act_of(waiting))}
    left: Sequence[Any] = leaving.leftovers
    return [
        Accepted(
            title=one.title,
            reason=why[one.code].reason if one.code in why else "",
            by=why[one.code].by.name if one.code in why else "",
            shown=one.shown,
            more=one.more,
            whole=leaving.whole(one.code),
        )
        for one in left
    ]


def _release_page(
    request: UserRequest, cycle: Cycle, form: ReleaseForm, leaving: LeftoversForm
) -> HttpResponse:
    page = _to_release(request.user, cycle, leaving)
    context = {
        "page": page,
        "cycle": cycle,
        "work": actions.work_on_releases(cycle, request.user) if page.waiting is not None else [],
        "form": form,
        "leaving": leaving,
    }
    status = leaving.status if form.is_bound else 200
    return render(request, "appraisals/release.html", context, status=status)


def _to_release(user: User, cycle: Cycle, leaving: LeftoversForm) -> ReleasePage:
    releases = list(
        Release.objects.filter(cycle=cycle)
        .select_related("requested_by", "approved_by")
        .annotate(results_count=Count("results", filter=Q(results__number=1)))
        .order_by("-pk")
    )
    waiting = next((r for r in releases if r.done_at is None and r.withdrawn_at is None), None)
    ready = Rating.objects.releasable(
        cycle, timezone.now(), by=waiting.requested_at if waiting else None
    )
    counted = _counted(ready, user)
    first_total = sum(row["first"] for row in counted)
    mentions = list(_first_mentions(ready, user)) if first_total else []
    show(user, mentions)
    # Where something can be released, whoever is left out stands beside the question for it.
    unsent = [] if counted else list(_unsent(cycle, user))
    show(user, unsent[:NAMES_SHOWN])
    return ReleasePage(
        counted=counted,
        mentions=mentions,
        mentions_more=max(first_total - NAMES_SHOWN, 0),
        mentions_whole=leaving.whole("appraisals:first_mention"),
        unsent=unsent[:NAMES_SHOWN],
        unsent_whole=leaving.whole("appraisals:unrated") if len(unsent) > NAMES_SHOWN else "",
        waiting=waiting,
        releases=[r for r in releases if r is not waiting],
        accepted=_accepted(cycle, waiting, leaving)
        if waiting and waiting.approved_at is None
        else [],
        may_approve=waiting is not None and waiting.requested_by_id != user.pk,
        is_running=cycle.state == Cycle.State.RUNNING,
    )


LEVEL = Case(When(calibrated__isnull=False, then="calibrated__label"), default="proposed__label")
POSITION = Case(
    When(calibrated__isnull=False, then="calibrated__position"), default="proposed__position"
)


def _counted(ready: Any, user: User) -> list[dict[str, Any]]:
    """How many would get which level, and how many of them as a first mention.

    Nobody previews their own rating: the reader's is left out of every number here.
    """
    return list(
        ready.exclude(participation__employee=user.employee_id or 0)
        .annotate(label=LEVEL, place=POSITION)
        .values("label", "place")
        .annotate(total=Count("pk"), first=Count("pk", filter=FIRST_MENTION))
        .order_by("place")
    )


def _first_mentions(ready: Any, user: User) -> Any:
    """Low ratings that rest on nothing said in time, each with the appraisal to open."""
    written = Appraisal.objects.filter(
        participation=OuterRef("participation"),
        kind=Appraisal.Kind.MANAGER,
        author=OuterRef("proposed_by"),
    )
    return (
        with_outside(ready.filter(FIRST_MENTION), user)
        .exclude(participation__employee=user.employee_id or 0)
        .annotate(label=LEVEL, appraisal_pk=Subquery(written.values("pk")[:1]))
        .select_related("participation__employee", "proposed_by")
        .order_by("participation__employee__sort_name")[:NAMES_SHOWN]
    )


def _unsent(cycle: Cycle, user: User) -> Any:
    """Who takes part and has neither an appraisal that was handed in nor a result."""
    sent = Appraisal.objects.filter(
        participation=OuterRef("pk"), kind=Appraisal.Kind.MANAGER, submitted_at__isnull=False
    )
    rows = (
        Participation.objects.filter(
            ~Exists(sent),
            ~Exists(ReleasedResult.objects.filter(participation=OuterRef("pk"))),
            cycle=cycle,
            state=Participation.State.ACTIVE,
        )
        .exclude(employee=user.employee_id or 0)
        .with_manager()
        .select_related("employee")
        .order_by("employee__sort_name")
    )
    return with_outside(rows, user)[: NAMES_SHOWN + 1]


@login_required
@require_POST
def request_release(request: UserRequest, pk: int) -> HttpResponse:
    cycle = get_editable(Cycle, request.user, pk=pk)
    if cycle.state != Cycle.State.RUNNING:
        raise Refused(_("Results are released while the cycle runs."))
    form, leaving = ReleaseForm(request.POST), _leaving(request, cycle)

    def act() -> None:
        why = form.cleaned_data["accepted_first_mentions"]
        actions.request_release(cycle, why, accepted=leaving.accepted(), by=request.user)

    if not (form.is_valid() & leaving.is_valid() and went_on(form, leaving, act)):
        return _release_page(request, cycle, form, leaving)
    messages.success(request, _("Asked. The release happens when a second HR admin approves it."))
    return redirect("appraisals:release", pk=pk)


@login_required
@require_POST
def approve_release(request: UserRequest, pk: int) -> HttpResponse:
    row = get_editable(Release, request.user, pk=pk)
    job = actions.approve_release(row, by=request.user)
    wake(tasks.release_results)
    return led_to(request, job)


@login_required
@require_POST
def withdraw_release(request: UserRequest, pk: int) -> HttpResponse:
    row = get_editable(Release, request.user, pk=pk)
    actions.withdraw_release(row, by=request.user)
    messages.success(request, _("Withdrawn. Nothing was released."))
    return redirect("appraisals:release", pk=row.cycle_id)


# --- the result ------------------------------------------------------------------------------------


def _results() -> Any:
    return ReleasedResult.objects.select_related(
        "participation__employee",
        "participation__cycle",
        "level",
        "acknowledgement",
        "appeal__decided_by",
        "release",
    )


@login_required
@require_GET
def result(request: UserRequest, pk: int) -> HttpResponse:
    """What the person was given, and what they can answer."""
    row = get_visible(_results(), request.user, pk=pk)
    return _result_page(request, row)


def _result_page(
    request: UserRequest,
    row: ReleasedResult,
    acknowledge_form: AcknowledgeForm | None = None,
    appeal_form: AppealForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "page": _read_result(request.user, row),
        "acknowledge_form": acknowledge_form or AcknowledgeForm(),
        "appeal_form": appeal_form or AppealForm(),
    }
    return render(request, "appraisals/result.html", context, status=status)


def _read_result(user: User, row: ReleasedResult) -> ResultPage:
    part = row.participation
    versions = list(
        ReleasedResult.objects.filter(participation=part)
        .order_by("-number")
        .only("pk", "number", "released_at")
    )
    acknowledgement, appeal = getattr(row, "acknowledgement", None), getattr(row, "appeal", None)
    is_own_and_latest = part.employee_id == user.employee_id and versions[0].pk == row.pk
    runs, ends_on = part.cycle.state == Cycle.State.RUNNING, actions.appeal_ends(row)
    may_answer = is_own_and_latest and runs and part.state == Participation.State.ACTIVE
    is_in_time = part.cycle.local_day(timezone.now()) <= ends_on
    may_appeal = may_answer and appeal is None and row.number == 1 and is_in_time
    is_undecided = appeal is not None and appeal.decided_at is None
    return ResultPage(
        result=row,
        content=reading(row.snapshot),
        is_own=part.employee_id == user.employee_id,
        versions=versions,
        mentions=_mentions(row, user),
        calibrated=_calibrated(row, user),
        acknowledgement=acknowledgement,
        appeal=appeal,
        may_acknowledge=may_answer and acknowledgement is None,
        may_appeal=may_appeal,
        is_over=is_own_and_latest and not runs,
        appeal_ends_on=ends_on,
        deciders=list(deciders(row)) if may_appeal or is_undecided else [],
        thread=thread_of(part, StageKind.APPRAISAL, user),
    )


def _mentions(row: ReleasedResult, user: User) -> list[Mention]:
    """What the rating rests on, with the words that the reader may see."""
    cited = [mention["entry"] for mention in row.snapshot.get("mentions") or []]
    if not cited:
        return []
    texts = dict(Entry.objects.visible_to(user).filter(pk__in=cited).values_list("pk", "body"))
    return mentions_of(row.snapshot, texts)


def _calibrated(row: ReleasedResult, user: User) -> Calibrated | None:
    """That the rating was set in calibration, and for who may see the sessions by whom and why."""
    if not row.snapshot.get("set_in_calibration"):
        return None
    moves = CalibrationMove.objects.visible_to(user).filter(
        rating__participation=row.participation_id
    )
    return Calibrated(list(moves.select_related("old", "new", "by").order_by("pk")))


@login_required
@require_GET
def result_pdf(request: UserRequest, pk: int) -> HttpResponse:
    """The result as a tagged PDF with the hash of the snapshot on it."""
    row = get_visible(_results(), request.user, pk=pk)
    hold_to("costly", request.user.pk)
    name = slugify(f"{row.participation.employee.name} {row.participation.cycle.name}") or "result"
    response = HttpResponse(
        result_as_pdf(row, reading(row.snapshot)), content_type="application/pdf"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response


@login_required
@require_POST
def acknowledge(request: UserRequest, pk: int) -> HttpResponse:
    row = get_editable(_results(), request.user, pk=pk)
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        return _result_page(request, row, acknowledge_form=form, status=422)
    actions.acknowledge(row, form.cleaned_data["comment"], by=request.user)
    messages.success(request, _("Noted that you have read it. That is no agreement."))
    return redirect("appraisals:result", pk=pk)


@login_required
@require_POST
def file_appeal(request: UserRequest, pk: int) -> HttpResponse:
    row = get_editable(_results(), request.user, pk=pk)
    form = AppealForm(request.POST)
    if form.is_valid():
        try:
            actions.file_appeal(row, form.cleaned_data["text"], by=request.user)
        except Invalid as error:
            form.add_error(error.field, error.reason)
        else:
            messages.success(request, _("Sent. People who had no part in the result look at it."))
            return redirect("appraisals:result", pk=pk)
    return _result_page(request, row, appeal_form=form, status=422)


# --- a review --------------------------------------------------------------------------------------


def _appeals() -> Any:
    return Appeal.objects.select_related(
        "result__participation__employee",
        "result__participation__cycle",
        "result__level",
        "result__release",
        "decided_by",
        "new_level",
    )


@login_required
@require_GET
def appeal(request: UserRequest, pk: int) -> HttpResponse:
    """What is asked to be looked at again, beside the result; the decision for those who had no part in it."""
    row = get_visible(_appeals(), request.user, pk=pk)
    return _appeal_page(request, row)


def _levels(row: Appeal) -> list[RatingLevel]:
    cycle = row.result.participation.cycle_id
    return list(RatingLevel.objects.filter(scale__cycle=cycle).exclude(pk=row.result.level_id))


def _appeal_page(
    request: UserRequest, row: Appeal, form: DecisionForm | None = None, status: int = 200
) -> HttpResponse:
    is_here = row.result.participation.state == Participation.State.ACTIVE
    may_decide = (
        row.decided_at is None
        and is_here
        and Appeal.objects.decidable_by(request.user).filter(pk=row.pk).exists()
    )
    if may_decide and form is None:
        form = DecisionForm(initial={"version": row.version}, levels=_levels(row))
    review = Review(
        appeal=row,
        summary=reading(row.result.snapshot)["summary"],
        deciders=list(deciders(row.result)) if row.decided_at is None else [],
    )
    context = {"page": review, "form": form if may_decide else None}
    return render(request, "appraisals/appeal.html", context, status=status)


@login_required
@require_POST
def decide_appeal(request: UserRequest, pk: int) -> HttpResponse:
    row = get_visible(_appeals(), request.user, pk=pk)
    if not lets_through(
        request.user, lambda now: Appeal.objects.decidable_by(now).filter(pk=row.pk).exists()
    ):
        raise PermissionDenied(_("Somebody who had no part in this result decides it."))
    form = DecisionForm(request.POST, levels=_levels(row))
    if form.is_valid():
        chosen = form.cleaned_data["new_level"]
        try:
            actions.decide_appeal(
                row,
                form.cleaned_data["outcome"],
                form.cleaned_data["decision"],
                int(chosen) if chosen else None,
                version=form.cleaned_data["version"],
                by=request.user,
            )
        except Invalid as error:
            form.add_error(error.field, error.reason)
        else:
            messages.success(request, _("Decided. The person has been told."))
            return redirect("appraisals:appeal", pk=pk)
    return _appeal_page(request, row, form, status=422)
