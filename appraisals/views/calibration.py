"""Ratings side by side, and moving them with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appraisals import actions
from appraisals.forms import MoveForm, SessionForm
from appraisals.models import CalibrationMove, CalibrationSession, Rating, ReleasedResult
from appraisals.pages.calibration import SessionLine, board_of, whose
from pmcycle.access import UserRequest, get_editable, get_visible, show, with_outside
from pmcycle.cycles.models import Cycle, Participation, RatingLevel
from pmcycle.errors import Invalid
from pmcycle.people.models import User

MOST_CASES = 400


@login_required
@require_GET
def calibrations(request: UserRequest, pk: int) -> HttpResponse:
    """The sessions of a cycle, and a new one."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    sessions = CalibrationSession.objects.visible_to(request.user)
    if not request.user.standing.is_hr:
        get_visible(sessions, request.user, pk=0)
    return _sessions(request, cycle, None)


def _sessions(
    request: UserRequest, cycle: Cycle, form: SessionForm | None, status: int = 200
) -> HttpResponse:
    # That one's own rating was moved would show in the difference to the cards one may see.
    others = ~Q(moves__rating__participation__employee=request.user.employee_id or 0)
    sessions: Any = (
        CalibrationSession.objects.visible_to(request.user)
        .filter(cycle=cycle)
        .annotate(move_count=Count("moves", filter=others, distinct=True))
        .select_related("created_by")
        .prefetch_related("units")
    )
    may_open = request.user.standing.is_hr_admin and cycle.state == Cycle.State.RUNNING
    context = {
        "cycle": cycle,
        "lines": [SessionLine(row, whose(row.units.all()), row.move_count) for row in sessions],
        "form": form or (SessionForm(cycle=cycle) if may_open else None),
    }
    return render(request, "appraisals/calibrations.html", context, status=status)


@login_required
@require_POST
def open_calibration(request: UserRequest, pk: int) -> HttpResponse:
    cycle = get_editable(Cycle, request.user, pk=pk)
    form = SessionForm(request.POST, cycle=cycle)
    if not form.is_valid():
        return _sessions(request, cycle, form, status=422)
    session = actions.open_calibration(
        cycle, form.cleaned_data["name"], form.cleaned_data["units"], by=request.user
    )
    return redirect("appraisals:calibration", pk=session.pk)


@login_required
@require_GET
def calibration(request: UserRequest, pk: int) -> HttpResponse:
    """A column a level; `?case=…&level=…` opens the form that moves one card."""
    session = get_visible(_session_rows(), request.user, pk=pk)
    return _board(request, session)


def _session_rows() -> Any:
    return CalibrationSession.objects.select_related("cycle").prefetch_related("units")


def _board(
    request: UserRequest,
    session: CalibrationSession,
    form: MoveForm | None = None,
    case: int = 0,
    status: int = 200,
) -> HttpResponse:
    user = request.user
    levels = list(RatingLevel.objects.filter(scale__cycle=session.cycle_id))
    ratings = list(_ratings(session, user))
    show(user, ratings)
    is_open = session.state == CalibrationSession.State.OPEN and user.standing.is_hr_admin
    case = case or _number(request.GET.get("case"))
    page = board_of(session, levels, ratings, is_open=is_open, chosen=case)
    if page.chosen is not None and form is None:
        chosen = next(r for r in ratings if r.pk == page.chosen.pk)
        wanted = _number(request.GET.get("level")) or chosen.level_id
        form = MoveForm(initial={"version": chosen.version, "level": str(wanted)}, levels=levels)
    return render(
        request, "appraisals/calibration.html", {"page": page, "form": form}, status=status
    )


def _ratings(session: CalibrationSession, user: User) -> Any:
    """The ratings of a session that the reader may see, without their own, with all that a card says."""
    last_move = CalibrationMove.objects.filter(rating=OuterRef("pk")).order_by("-pk")
    may_move = Rating.objects.calibratable_by(user).filter(
        pk=OuterRef("pk"), participation__state=Participation.State.ACTIVE
    )
    return (
        with_outside(Rating.objects.of_session(session).visible_to(user), user)
        .exclude(participation__employee=user.employee_id or 0)
        .select_related(
            "participation__employee",
            "participation__unit",
            "proposed",
            "calibrated",
            "proposed_by",
        )
        .annotate(
            may_move=Exists(may_move),
            is_released=Exists(
                ReleasedResult.objects.filter(participation=OuterRef("participation"))
            ),
            last_reason=Subquery(last_move.values("reason")[:1]),
        )
        .order_by("participation__employee__sort_name")[:MOST_CASES]
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0


@login_required
@require_POST
def move_rating(request: UserRequest, pk: int, rating: int) -> HttpResponse:
    session = get_editable(_session_rows(), request.user, pk=pk)
    row = get_editable(Rating.objects.of_session(session), request.user, pk=rating)
    levels = list(RatingLevel.objects.filter(scale__cycle=session.cycle_id))
    form = MoveForm(request.POST, levels=levels)
    if form.is_valid():
        try:
            move = actions.move_rating(
                session,
                row,
                int(form.cleaned_data["level"]),
                form.cleaned_data["reason"],
                version=form.cleaned_data["version"],
                by=request.user,
            )
        except Invalid as error:
            form.add_error(error.field, error.reason)
        else:
            messages.success(
                request,
                _("Moved to “%(level)s”. Both ratings and the reason are kept.")
                % {"level": move.new.label},
            )
            return redirect(f"{reverse('appraisals:calibration', args=[pk])}#case-{row.pk}")
    return _board(request, session, form, case=row.pk, status=422)


@login_required
@require_POST
def close_calibration(request: UserRequest, pk: int) -> HttpResponse:
    session = get_editable(_session_rows(), request.user, pk=pk)
    version = _number(request.POST.get("version"))
    actions.close_calibration(session, version=version or -1, by=request.user)
    messages.success(request, _("The session is closed."))
    return redirect("appraisals:calibration", pk=pk)
