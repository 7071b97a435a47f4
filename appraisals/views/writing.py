"""Writing, reading and handing in appraisals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appraisals import actions, rules
from appraisals.forms import AnswersForm, WhyForm
from appraisals.models import (
    Appraisal,
    Citation,
    CycleForm,
    Question,
    Rating,
    ReleasedResult,
    Return,
    evidence_for,
    writing_day,
)
from appraisals.why import why_tree, with_readings
from feedback.models import thread_of
from pmcycle.access import UserRequest, get_editable, get_visible, lets_through
from pmcycle.cycles.models import Assignment, Cycle, Participation, RatingLevel, Stage, StageKind, due_day
from pmcycle.errors import Invalid, Stale
from pmcycle.people.models import User
from pmcycle.typed import done

TEAM_PAGE = 50


@login_required
@require_GET
def index(request: UserRequest) -> HttpResponse:
    """My own appraisals and results, and my team's states."""
    user = request.user
    own = (
        Participation.objects.mine(user).annotate(
            self_pk=Subquery(_of(Appraisal.Kind.SELF).values("pk")[:1]),
            self_saved=Subquery(_of(Appraisal.Kind.SELF).values("saved_at")[:1]),
            self_sent=Subquery(_of(Appraisal.Kind.SELF).values("submitted_at")[:1]),
            self_open=Exists(_of(Appraisal.Kind.SELF).writable()),
            due_on=Coalesce(
                Subquery(_of(Appraisal.Kind.SELF).annotate(by=writing_day()).values("by")[:1]),
                due_day(StageKind.APPRAISAL),
            ),
            opens_on=Subquery(
                Stage.objects.filter(cycle=OuterRef("cycle"), kind=StageKind.APPRAISAL).values("opens_on")[:1]
            ),
            **_result_columns(),
        )[:10]
        if user.employee_id
        else []
    )
    team = (
        Appraisal.objects.filter(author=user.employee_id, kind=Appraisal.Kind.MANAGER)
        .exclude(participation__cycle__state=Cycle.State.ARCHIVED)
        .filter(participation__assignments__in=_present_assignments(user))
        .select_related("participation__employee", "participation__cycle")
        .annotate(
            self_sent=Subquery(
                Appraisal.objects.filter(
                    participation=OuterRef("participation"), kind=Appraisal.Kind.SELF
                ).values("submitted_at")[:1]
            ),
            due_on=writing_day(),
            is_open=_is_open(),
            **_result_columns("participation"),
        )
        .order_by(
            "participation__cycle__state",
            "-participation__cycle__first_day",
            "participation__employee__sort_name",
        )
        if user.employee_id and user.standing.leads_people
        else Appraisal.objects.none()
    )
    page = (
        Paginator(team, TEAM_PAGE).get_page(request.GET.get("page")) if user.standing.leads_people else None
    )
    context = {"own": own, "team": page, "former": _former_drafts(user), "today": timezone.now()}
    return render(request, "appraisals/list.html", context)


def _former_drafts(user: Any) -> Any:
    """What the reader had begun to write about people whom others lead now."""
    if not user.employee_id:
        return Appraisal.objects.none()
    return (
        Appraisal.objects.filter(
            author=user.employee_id,
            kind=Appraisal.Kind.MANAGER,
            submitted_at__isnull=True,
            saved_at__isnull=False,
        )
        .exclude(participation__assignments__in=_present_assignments(user))
        .select_related("participation__employee", "participation__cycle")
        .order_by("-saved_at")[:TEAM_PAGE]
    )


def _of(kind: str) -> Any:
    return Appraisal.objects.filter(participation=OuterRef("pk"), kind=kind)


def _is_open() -> Any:
    """Whether an appraisal can be written today."""
    return Exists(Appraisal.objects.writable().filter(pk=OuterRef("pk")))


def _present_assignments(user: Any) -> Any:
    return Assignment.objects.current().filter(manager=user.employee_id)


def _result_columns(at: str = "pk") -> dict[str, Any]:
    latest = ReleasedResult.objects.filter(participation=OuterRef(at)).order_by("-number")
    return {
        "result_pk": Subquery(latest.values("pk")[:1]),
        "released_at": Subquery(latest.values("released_at")[:1]),
        "acknowledged_at": Subquery(latest.values("acknowledgement__at")[:1]),
        "appeal_filed": Subquery(latest.values("appeal__filed_at")[:1]),
        "appeal_decided": Subquery(latest.values("appeal__decided_at")[:1]),
    }


def _loaded(rows: Any) -> Any:
    """An appraisal with all that its page says around the text, in one statement."""
    back = Return.objects.filter(appraisal=OuterRef("pk")).order_by("-number")
    return rows.with_context().annotate(
        due_on=writing_day(),
        is_open=_is_open(),
        cited=ArraySubquery(Citation.objects.filter(appraisal=OuterRef("pk")).values("entry")),
        back_why=Subquery(back.values("why")[:1]),
        back_by=Subquery(back.values("by__name")[:1]),
        back_at=Subquery(back.values("at")[:1]),
        back_until=Subquery(back.values("open_until")[:1]),
        is_released=Exists(ReleasedResult.objects.filter(participation=OuterRef("participation"))),
    )


@login_required
@require_GET
def write(request: UserRequest, pk: int) -> HttpResponse:
    """One screen: the questions, the year beside them, the rating, and handing in."""
    rows = _loaded(Appraisal.objects.all())
    try:
        appraisal = get_editable(rows, request.user, pk=pk)
    except PermissionDenied:
        if Appraisal.objects.filter(pk=pk, submitted_at__isnull=False).exists():
            return redirect("appraisals:read", pk=pk)
        raise
    return _screen(request, appraisal, None)


def _screen(
    request: UserRequest, appraisal: Any, form: AnswersForm | None, status: int = 200
) -> HttpResponse:
    user = request.user
    part = appraisal.participation
    is_manager = appraisal.kind == Appraisal.Kind.MANAGER
    questions = list(actions.questions_of(appraisal))
    goals = list(actions.goals_of(part))
    levels = list(RatingLevel.objects.filter(scale__cycle=part.cycle_id))
    evidence = _evidence(part, user)
    other = (
        Appraisal.objects.visible_to(user).filter(participation=part, kind=Appraisal.Kind.SELF).first()
        if is_manager
        else None
    )
    answers = actions.saved_answers([row for row in (appraisal, other) if row is not None])
    entries = [row for row in evidence if row["kind"] == "entry"]
    form = form or _form(appraisal, questions, goals, levels, None, answers.get(appraisal.pk), entries)
    closed = "" if appraisal.is_open else actions.why_not_writable(appraisal)
    if closed:
        for field in form.fields.values():
            field.disabled = True
    low = {level.pk for level in levels if level.needs_mention}
    cited = set(appraisal.cited)
    told = [{**row, "is_cited": row["row"] in cited, "is_early": _is_early(row, part)} for row in entries]
    mentions = [
        rules.Mention(row["day"], 0 if row["who"] != part.employee.name else part.employee_id)
        for row in told
        if row["is_cited"]
    ]
    context = {
        "appraisal": appraisal,
        "part": part,
        "person": part.employee,
        "is_manager": is_manager,
        "form": form,
        "closed": closed,
        "layout": form.layout(answers.get(other.pk) if other else None),
        "levels": levels,
        "low_labels": [level.label for level in levels if level.needs_mention],
        "is_low": appraisal.level_id in low,
        "is_heard": rules.was_mentioned(
            mentions, part.employee_id, part.cycle.local_day(timezone.now()), part.cycle.mention_days
        ),
        "told": told,
        "months": rules.by_month(evidence),
        "evidence_count": len(evidence),
        "other": other,
        "other_waits": is_manager and other is None,
        "team": _team(appraisal) if is_manager else None,
        "thread": thread_of(part, StageKind.APPRAISAL, user),
        "cited_count": len(cited),
    }
    return render(request, "appraisals/write.html", context, status=status)


def _is_early(row: dict[str, Any], part: Participation) -> bool:
    """Whether the person had the chance to hear it in time: said by somebody else, long enough ago."""
    mention = rules.Mention(row["day"], part.employee_id if row["who"] == part.employee.name else 0)
    day = part.cycle.local_day(timezone.now())
    return rules.was_mentioned([mention], part.employee_id, day, part.cycle.mention_days)


def _evidence(part: Participation, user: Any) -> list[dict[str, Any]]:
    names = ("kind", "at", "title", "body", "who", "row")
    rows = [dict(zip(names, row, strict=True)) for row in evidence_for(part, user)]
    for row in rows:
        row["day"] = part.cycle.local_day(row["at"])
    return rows


def _form(
    appraisal: Appraisal,
    questions: Any,
    goals: Any,
    levels: Any,
    data: Any,
    saved: Any,
    entries: Any,
    *,
    is_draft: bool = False,
) -> AnswersForm:
    pks = entries if entries and isinstance(entries[0], int) else [row["row"] for row in entries]
    return AnswersForm(
        data,
        appraisal=appraisal,
        questions=questions,
        goals=goals,
        levels=levels,
        saved=saved,
        rates=appraisal.kind == Appraisal.Kind.MANAGER,
        entries=pks,
        is_draft=is_draft,
    )


def _team(appraisal: Appraisal) -> dict[str, Any]:
    """Where this person stands among those I appraise, and who comes next."""
    rows = list(
        Appraisal.objects.filter(
            author=appraisal.author_id,
            kind=Appraisal.Kind.MANAGER,
            participation__cycle=appraisal.participation.cycle_id,
        )
        .annotate(is_open=_is_open())
        .order_by("participation__employee__sort_name", "pk")
        .values("pk", "submitted_at", "is_open", name=F("participation__employee__name"))
    )
    at = next((n for n, row in enumerate(rows) if row["pk"] == appraisal.pk), 0)
    after = rows[at + 1 :] + rows[:at]
    unsent = [row for row in after if row["is_open"]]
    return {
        "place": at + 1,
        "total": len(rows),
        "next": unsent[0] if unsent else None,
        "previous": rows[at - 1] if at > 0 else None,
        "sent": sum(row["submitted_at"] is not None for row in rows),
    }


def _posted(request: UserRequest, appraisal: Appraisal, *, is_draft: bool) -> AnswersForm:
    """The sent form over the same questions; entries may be any that are sent, the action judges them."""
    sent = [int(pk) for pk in request.POST.getlist("citations") if pk.isdecimal() and len(pk) < 19]
    levels = list(RatingLevel.objects.filter(scale__cycle=appraisal.participation.cycle_id))
    return _form(
        appraisal,
        list(actions.questions_of(appraisal)),
        list(actions.goals_of(appraisal.participation)),
        levels,
        request.POST,
        None,
        sent,
        is_draft=is_draft,
    )


@login_required
@require_POST
def autosave(request: UserRequest, pk: int) -> HttpResponse:
    """Keep what is typed. The script gets JSON; without it, the button leads back to the page."""
    user = request.user
    by_script = "X-Autosave" in request.headers
    if by_script:
        appraisal = get_editable(Appraisal.objects.select_related("participation"), user, pk=pk)
    else:
        appraisal = get_editable(_loaded(Appraisal.objects.all()), user, pk=pk)
    form = _posted(request, appraisal, is_draft=True)
    if not form.is_valid():
        if by_script:
            return JsonResponse({"errors": form.errors}, status=422)
        return _screen(request, appraisal, form, status=422)
    try:
        saved = actions.autosave(
            appraisal,
            form.answers(),
            level_id=form.level_id(),
            citations=form.citations(),
            version=form.cleaned_data["version"],
            by=user,
        )
    except Stale as stale:
        if not by_script:
            raise
        return JsonResponse(
            {"detail": stale.reason, "current": stale.current, "version": stale.version}, status=409
        )
    except Invalid as error:
        if by_script:
            return JsonResponse({"errors": {error.field: [error.reason]}}, status=422)
        form.add_error(error.field, error.reason)
        return _screen(request, appraisal, form, status=422)
    if by_script:
        at = timezone.localtime(saved.saved_at)
        return JsonResponse({"saved_at": date_format(at, "H:i"), "version": saved.version})
    messages.success(request, _("Saved. Only you can see it until you hand it in."))
    return redirect("appraisals:write", pk=pk)


@login_required
@require_POST
def submit(request: UserRequest, pk: int) -> HttpResponse:
    user = request.user
    rows = _loaded(Appraisal.objects.all())
    appraisal = get_visible(rows, user, pk=pk)
    if appraisal.submitted_at is None or appraisal.author_id != user.employee_id:
        appraisal = get_editable(rows, user, pk=pk)
    form = _posted(request, appraisal, is_draft=False)
    if not form.is_valid():
        return _screen(request, appraisal, form, status=422)
    try:
        actions.submit(
            appraisal,
            form.answers(),
            level_id=form.level_id(),
            citations=form.citations(),
            version=form.cleaned_data["version"],
            by=user,
        )
    except actions.Unanswered as lacking:
        for name, reason in lacking.fields.items():
            form.add_error(name, reason)
        return _screen(request, appraisal, form, status=422)
    except Invalid as error:
        form.add_error(error.field, error.reason)
        return _screen(request, appraisal, form, status=422)
    if appraisal.kind == Appraisal.Kind.SELF:
        messages.success(request, _("Handed in. Your manager can read it from now on."))
        return redirect("appraisals:read", pk=pk)
    messages.success(
        request,
        _("Handed in. %(name)s sees nothing of it before the release.")
        % {"name": appraisal.participation.employee.name},
    )
    following = _team(appraisal)["next"]
    if following is not None:
        return redirect("appraisals:write", pk=following["pk"])
    return redirect("appraisals:list")


@login_required
@require_GET
def read(request: UserRequest, pk: int) -> HttpResponse:
    """A submitted appraisal as it was handed in; for those who may, the way back to its author."""
    user = request.user
    appraisal = get_visible(_loaded(Appraisal.objects.all()), user, pk=pk)
    if appraisal.submitted_at is None:
        if Appraisal.objects.editable_by(user).filter(pk=pk).exists():
            return redirect("appraisals:write", pk=pk)
        return _own_draft_page(request, appraisal)
    return _read_page(request, appraisal, WhyForm(initial={"version": appraisal.version}))


def _own_draft_page(request: UserRequest, appraisal: Any) -> HttpResponse:
    """What a former manager had begun to write: theirs to read, nobody else's."""
    answers = appraisal.answers.select_related("question", "goal__agreed", "goal__latest", "level").order_by(
        "question__section__position", "question__position", "pk"
    )
    context = {
        "appraisal": appraisal,
        "part": appraisal.participation,
        "person": appraisal.participation.employee,
        "answers": answers,
    }
    return render(request, "appraisals/my_draft.html", context)


def _read_page(request: UserRequest, appraisal: Any, form: WhyForm, status: int = 200) -> HttpResponse:
    user = request.user
    part = appraisal.participation
    me = user.employee_id
    submissions = list(appraisal.submissions.order_by("-number").select_related("by"))
    for submission in submissions:
        submission.answers = with_readings(submission.answers)
    rating = (
        Rating.objects.visible_to(user)
        .filter(participation=part)
        .select_related("proposed", "calibrated")
        .first()
        if appraisal.kind == Appraisal.Kind.MANAGER
        else None
    )
    may_return = (
        part.state == Participation.State.ACTIVE
        and part.cycle.state == Cycle.State.RUNNING
        and not appraisal.is_released
        and Appraisal.objects.returnable_by(user).filter(pk=appraisal.pk).exists()
    )
    if may_return:
        form.initial["until"] = actions.default_day(appraisal)
    context = {
        "appraisal": appraisal,
        "part": part,
        "person": part.employee,
        "is_manager": appraisal.kind == Appraisal.Kind.MANAGER,
        "is_own": me == appraisal.author_id,
        "submission": submissions[0] if submissions else None,
        "earlier": submissions[1:],
        "rating": rating,
        "why": why_tree(rating.trace) if rating else None,
        "may_return": may_return,
        "may_cite": me == appraisal.author_id
        and rating is not None
        and not appraisal.is_released
        and part.cycle.state == Cycle.State.RUNNING
        and part.state == Participation.State.ACTIVE,
        "back_form": form,
    }
    if context["may_cite"]:
        cited = set(appraisal.cited)
        told = [row for row in _evidence(part, user) if row["kind"] == "entry"]
        context["told"] = [
            {**row, "is_cited": row["row"] in cited, "is_early": _is_early(row, part)}
            for row in sorted(told, key=lambda row: row["at"], reverse=True)
        ]
        context["cited_count"] = len(cited)
    return render(request, "appraisals/read.html", context, status=status)


@login_required
@require_POST
def cite(request: UserRequest, pk: int) -> HttpResponse:
    user = request.user
    appraisal = get_visible(Appraisal, user, pk=pk)
    _allow(user, Appraisal.objects.citable_by, appraisal)
    version = request.POST.get("version", "")
    entries = [int(n) for n in request.POST.getlist("citations") if n.isdecimal() and len(n) < 19]
    actions.cite(
        appraisal, entries, version=int(version) if version.isdecimal() and len(version) < 10 else -1, by=user
    )
    messages.success(request, _("Noted. The release looks at it from now on."))
    return redirect("appraisals:read", pk=pk)


@login_required
@require_POST
def return_for_rework(request: UserRequest, pk: int) -> HttpResponse:
    return _give_back(
        request, pk, actions.return_for_rework, _("Sent back with your reason; the earlier text is kept.")
    )


@login_required
@require_POST
def reopen(request: UserRequest, pk: int) -> HttpResponse:
    return _give_back(request, pk, actions.reopen, _("Open again; the earlier text is kept."))


def _give_back(request: UserRequest, pk: int, act: Any, said: str) -> HttpResponse:
    user = request.user
    appraisal = get_visible(_loaded(Appraisal.objects.all()), user, pk=pk)
    _allow(user, Appraisal.objects.returnable_by, appraisal)
    form = WhyForm(request.POST)
    if not form.is_valid():
        return _read_page(request, appraisal, form, status=422)
    data = form.cleaned_data

    def give_back() -> None:
        act(appraisal, data["why"], until=data["until"], version=data["version"], by=user)

    if not done(form, give_back):
        return _read_page(request, appraisal, form, status=422)
    messages.success(request, said)
    return redirect("appraisals:list")


def _allow(user: User, scope: Callable[[User], Any], appraisal: Appraisal) -> None:
    """403 with a reason where the person may read the appraisal but this is not theirs to do."""
    if not lets_through(user, lambda now: bool(scope(now).filter(pk=appraisal.pk).exists())):
        raise PermissionDenied(_("You may read this, but changing it is not yours to do."))


@login_required
@require_GET
def preview(request: UserRequest, pk: int) -> HttpResponse:
    """The form of a cycle as the person will see it; nothing here is saved."""
    user = request.user
    cycle = get_editable(Cycle, user, pk=pk)
    chosen = CycleForm.objects.select_related("form_version__form").filter(cycle=cycle).first()
    who = "manager" if request.GET.get("as") == "manager" else "self"
    questions: list[Question] = []
    if chosen is not None:
        rows = Question.objects.filter(section__form_version=chosen.form_version_id).select_related("section")
        questions = list(
            rows.filter(Q(for_manager=True) if who == "manager" else Q(for_self=True)).order_by(
                "section__position", "position"
            )
        )
    levels = list(RatingLevel.objects.filter(scale__cycle=cycle))
    form = AnswersForm(
        None,
        appraisal=None,
        questions=questions,
        goals=[],
        levels=levels,
        rates=who == "manager",
        is_draft=False,
    )
    context = {
        "cycle": cycle,
        "form": form,
        "layout": form.layout(),
        "who": who,
        "chosen": chosen,
        "form_url": reverse("appraisals:form", args=[cycle.pk]),
    }
    return render(request, "appraisals/preview.html", context)
