"""Writing, reading and handing in appraisals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appraisals import actions
from appraisals.forms import AnswersForm, WhyForm
from appraisals.models import (
    Answer,
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
from appraisals.pages.handed_in import HandedIn, draft_answers
from appraisals.pages.lists import own_cycle, team_row
from appraisals.pages.said import Year, year_of
from appraisals.pages.writing import Sheet, Team, parts_of, running_of, team_of
from feedback.models import thread_of
from goals.models import Goal
from pmcycle.access import UserRequest, get_editable, get_visible, lets_through
from pmcycle.cycles.models import (
    Assignment,
    Cycle,
    Participation,
    RatingLevel,
    Stage,
    StageKind,
    due_day,
)
from pmcycle.errors import Invalid, Stale
from pmcycle.people.models import User
from pmcycle.typed import done

TEAM_PAGE = 50


@login_required
@require_GET
def index(request: UserRequest) -> HttpResponse:
    """My own appraisals and results, and my team's states."""
    user = request.user
    team = None
    if user.standing.leads_people:
        team = Paginator(_team_rows(user), TEAM_PAGE).get_page(request.GET.get("page"))
        team.object_list = [team_row(row) for row in team.object_list]
    context = {
        "own": [own_cycle(part) for part in _own_cycles(user)],
        "team": team,
        "former": _former_drafts(user),
    }
    return render(request, "appraisals/list.html", context)


def _own_cycles(user: User) -> Any:
    """The cycles that the reader takes part in, with how far their self-appraisal and result are."""
    if not user.employee_id:
        return []
    own_day = _of(Appraisal.Kind.SELF).annotate(by=writing_day()).values("by")[:1]
    opens_on = Stage.objects.filter(cycle=OuterRef("cycle"), kind=StageKind.APPRAISAL).values(
        "opens_on"
    )[:1]
    return Participation.objects.mine(user).annotate(
        self_pk=Subquery(_of(Appraisal.Kind.SELF).values("pk")[:1]),
        self_saved=Subquery(_of(Appraisal.Kind.SELF).values("saved_at")[:1]),
        self_sent=Subquery(_of(Appraisal.Kind.SELF).values("submitted_at")[:1]),
        self_open=Exists(_of(Appraisal.Kind.SELF).writable()),
        due_on=Coalesce(Subquery(own_day), due_day(StageKind.APPRAISAL)),
        opens_on=Subquery(opens_on),
        **_result_columns(),
    )[:10]


def _team_rows(user: User) -> Any:
    """What the reader writes or has written about the people they lead now."""
    if not user.employee_id:
        return Appraisal.objects.none()
    self_sent = Appraisal.objects.filter(
        participation=OuterRef("participation"), kind=Appraisal.Kind.SELF
    ).values("submitted_at")[:1]
    return (
        Appraisal.objects.filter(author=user.employee_id, kind=Appraisal.Kind.MANAGER)
        .exclude(participation__cycle__state=Cycle.State.ARCHIVED)
        .filter(participation__assignments__in=_present_assignments(user))
        .select_related("participation__employee", "participation__cycle")
        .annotate(
            self_sent=Subquery(self_sent),
            due_on=writing_day(),
            is_open=_is_open(),
            **_result_columns("participation"),
        )
        .order_by(
            "participation__cycle__state",
            "-participation__cycle__first_day",
            "participation__employee__sort_name",
        )
    )


def _former_drafts(user: User) -> Any:
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


def _present_assignments(user: User) -> Any:
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
    page = _sheet(request.user, appraisal, form)
    if page.closed:
        for field in page.form.fields.values():
            field.disabled = True
    return render(
        request, "appraisals/write.html", {"page": page, "form": page.form}, status=status
    )


def _sheet(user: User, appraisal: Any, form: AnswersForm | None) -> Sheet:
    """The sheet as its author has it: the saved answers, or what was sent and did not fit."""
    part, is_manager = appraisal.participation, appraisal.kind == Appraisal.Kind.MANAGER
    questions, goals = list(actions.questions_of(appraisal)), list(actions.goals_of(part))
    levels = list(RatingLevel.objects.filter(scale__cycle=part.cycle_id))
    other = _self_text(part, user) if is_manager else None
    answers = actions.saved_answers([row for row in (appraisal, other) if row is not None])
    own = answers.get(appraisal.pk, {})
    year = _year(part, user, appraisal.cited)
    entries = [row.entry for row in year.told]
    form = form or _form(appraisal, questions, goals, levels, None, own, entries)
    chosen = {key: answer.level for key, answer in own.items()}
    running = running_of(part.cycle, questions, goals, levels, chosen, appraisal.level)
    return Sheet(
        appraisal=appraisal,
        part=part,
        is_manager=is_manager,
        form=form,
        parts=parts_of(form, levels, answers.get(other.pk) if other else None, running.warnings),
        levels=levels,
        year=year,
        running=running,
        closed="" if appraisal.is_open else actions.why_not_writable(appraisal),
        is_self_open=other is not None,
        team=_team(appraisal) if is_manager else None,
        thread=thread_of(part, StageKind.APPRAISAL, user),
    )


def _self_text(part: Participation, user: User) -> Appraisal | None:
    """The self-appraisal, where it is open to this reader."""
    rows = Appraisal.objects.visible_to(user).filter(participation=part, kind=Appraisal.Kind.SELF)
    found: Appraisal | None = rows.first()
    return found


def _year(part: Participation, user: User, cited: Iterable[int]) -> Year:
    """What the year left behind, as far as `user` may read it, and what of it was said in time."""
    return year_of(evidence_for(part, user), part, cited, part.cycle.local_day(timezone.now()))


def _form(
    appraisal: Appraisal,
    questions: Sequence[Question],
    goals: Sequence[Goal],
    levels: Sequence[RatingLevel],
    data: QueryDict | None,
    saved: Mapping[actions.Key, Answer] | None,
    entries: Sequence[int],
    *,
    is_draft: bool = False,
) -> AnswersForm:
    return AnswersForm(
        data,
        appraisal=appraisal,
        questions=questions,
        goals=goals,
        levels=levels,
        saved=saved,
        rates=appraisal.kind == Appraisal.Kind.MANAGER,
        entries=entries,
        is_draft=is_draft,
    )


def _team(appraisal: Appraisal) -> Team:
    """Where this person stands among those whom the author appraises, and who comes before and next."""
    rows = (
        Appraisal.objects.filter(
            author=appraisal.author_id,
            kind=Appraisal.Kind.MANAGER,
            participation__cycle=appraisal.participation.cycle_id,
        )
        .annotate(is_open=_is_open())
        .order_by("participation__employee__sort_name", "pk")
        .values("pk", "submitted_at", "is_open", name=F("participation__employee__name"))
    )
    return team_of(list(rows), appraisal.pk)


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
    by_script = "X-Autosave" in request.headers
    everything = Appraisal.objects.all()
    rows = everything.select_related("participation") if by_script else _loaded(everything)
    appraisal = get_editable(rows, request.user, pk=pk)
    form = _posted(request, appraisal, is_draft=True)
    if form.is_valid():
        try:
            saved = actions.autosave(appraisal, **_sent(form), by=request.user)
        except Stale as stale:
            if not by_script:
                raise
            said = {"detail": stale.reason, "current": stale.current, "version": stale.version}
            return JsonResponse(said, status=409)
        except Invalid as error:
            form.add_error(error.field, error.reason)
        else:
            return _saved_now(request, saved, form, by_script=by_script)
    if by_script:
        return JsonResponse({"errors": form.errors}, status=422)
    return _screen(request, appraisal, form, status=422)


def _sent(form: AnswersForm) -> dict[str, Any]:
    """What a form that fits brings to the actions."""
    return {
        "answers": form.answers(),
        "level_id": form.level_id(),
        "citations": form.citations(),
        "version": form.cleaned_data["version"],
    }


def _saved_now(
    request: UserRequest, saved: Appraisal, form: AnswersForm, *, by_script: bool
) -> HttpResponse:
    if by_script:
        at = timezone.localtime(saved.saved_at)
        said = {"saved_at": date_format(at, "H:i"), "version": saved.version}
        return JsonResponse({**said, **_score_now(saved, form)})
    messages.success(request, _("Saved. Only you can see it until you hand it in."))
    return redirect("appraisals:write", pk=saved.pk)


def _score_now(saved: Appraisal, form: AnswersForm) -> dict[str, object]:
    """What the script shows anew beside the ratings: the running score, and the contradictions by field."""
    if saved.kind != Appraisal.Kind.MANAGER:
        return {}
    levels = {level.pk: level for level in form.levels}
    chosen = {key: levels.get(value.level_id or 0) for key, value in form.answers().items()}
    running = running_of(
        saved.participation.cycle,
        form.questions,
        form.goals,
        form.levels,
        chosen,
        levels.get(saved.level_id or 0),
    )
    return {"score": running.words, "warnings": running.warnings}


@login_required
@require_POST
def submit(request: UserRequest, pk: int) -> HttpResponse:
    user = request.user
    rows = _loaded(Appraisal.objects.all())
    appraisal = get_visible(rows, user, pk=pk)
    if appraisal.submitted_at is None or appraisal.author_id != user.employee_id:
        appraisal = get_editable(rows, user, pk=pk)
    form = _posted(request, appraisal, is_draft=False)
    if form.is_valid():
        try:
            actions.submit(appraisal, **_sent(form), by=user)
        except actions.Unanswered as lacking:
            for name, reason in lacking.fields.items():
                form.add_error(name, reason)
        except Invalid as error:
            form.add_error(error.field, error.reason)
        else:
            return _after_handing_in(request, appraisal)
    return _screen(request, appraisal, form, status=422)


def _after_handing_in(request: UserRequest, appraisal: Appraisal) -> HttpResponse:
    """To what was handed in, or on to the next person of the manager's list."""
    if appraisal.kind == Appraisal.Kind.SELF:
        messages.success(request, _("Handed in. Your manager can read it from now on."))
        return redirect("appraisals:read", pk=appraisal.pk)
    words = _("Handed in. %(name)s sees nothing of it before the release.")
    messages.success(request, words % {"name": appraisal.participation.employee.name})
    following = _team(appraisal).unsent
    if following is not None:
        return redirect("appraisals:write", pk=following.pk)
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
    part = appraisal.participation
    answers = appraisal.answers.select_related(
        "question", "goal__agreed", "goal__latest", "level"
    ).order_by("question__section__position", "question__position", "pk")
    context = {
        "part": part,
        "person": part.employee,
        "title": _("My draft about %(name)s") % {"name": part.employee.name},
        "answers": draft_answers(
            answers, list(RatingLevel.objects.filter(scale__cycle=part.cycle_id))
        ),
    }
    return render(request, "appraisals/my_draft.html", context)


def _read_page(
    request: UserRequest, appraisal: Any, form: WhyForm, status: int = 200
) -> HttpResponse:
    page = _handed_in(request.user, appraisal)
    if page.may_return:
        form.initial["until"] = actions.default_day(appraisal)
    context = {"page": page, "back_form": form}
    return render(request, "appraisals/read.html", context, status=status)


def _handed_in(user: User, appraisal: Any) -> HandedIn:
    part = appraisal.participation
    is_manager = appraisal.kind == Appraisal.Kind.MANAGER
    is_own = is_manager and user.employee_id == appraisal.author_id
    ratings = Rating.objects.visible_to(user).filter(participation=part)
    rating = ratings.select_related("proposed", "calibrated").first() if is_manager else None
    is_going = (
        part.state == Participation.State.ACTIVE
        and part.cycle.state == Cycle.State.RUNNING
        and not appraisal.is_released
    )
    may_cite = is_going and rating is not None and user.employee_id == appraisal.author_id
    told = _year(part, user, appraisal.cited).told if may_cite else []
    return HandedIn(
        appraisal=appraisal,
        part=part,
        submissions=list(appraisal.submissions.order_by("-number").select_related("by")),
        rating=rating,
        may_return=is_going
        and Appraisal.objects.returnable_by(user).filter(pk=appraisal.pk).exists(),
        may_cite=may_cite,
        told=sorted(told, key=lambda row: row.at, reverse=True),
        team=_team(appraisal) if is_own else None,
    )


@login_required
@require_POST
def cite(request: UserRequest, pk: int) -> HttpResponse:
    user = request.user
    appraisal = get_visible(Appraisal, user, pk=pk)
    _allow(user, Appraisal.objects.citable_by, appraisal)
    version = request.POST.get("version", "")
    entries = [int(n) for n in request.POST.getlist("citations") if n.isdecimal() and len(n) < 19]
    actions.cite(
        appraisal,
        entries,
        version=int(version) if version.isdecimal() and len(version) < 10 else -1,
        by=user,
    )
    messages.success(request, _("Noted. The release looks at it from now on."))
    return redirect("appraisals:read", pk=pk)


@login_required
@require_POST
def return_for_rework(request: UserRequest, pk: int) -> HttpResponse:
    return _give_back(
        request,
        pk,
        actions.return_for_rework,
        _("Sent back with your reason; the earlier text is kept."),
    )


@login_required
@require_POST
def reopen(request: UserRequest, pk: int) -> HttpResponse:
    return _give_back(request, pk, actions.reopen, _("Open again; the earlier text is kept."))


def _give_back(
    request: UserRequest, pk: int, act: Callable[..., object], said: str
) -> HttpResponse:
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
        rows = Question.objects.filter(section__form_version=chosen.form_version_id).select_related(
            "section"
        )
        questions = list(
            rows.filter(Q(for_manager=True) if who == "manager" else Q(for_self=True)).order_by(
                "section__position", "position"
            )
        )
    levels = list(RatingLevel.objects.filter(scale__cycle=cycle))
    form = AnswersForm(
        None, appraisal=None, questions=questions, goals=[], levels=levels, rates=who == "manager"
    )
    context = {
        "cycle": cycle,
        "form": form,
        "parts": parts_of(form, levels),
        "is_manager": who == "manager",
        "heading": _("What a manager will see")
        if who == "manager"
        else _("What an employee will see"),
        "chosen": chosen,
    }
    return render(request, "appraisals/preview.html", context)
