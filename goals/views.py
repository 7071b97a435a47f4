"""Pages of goals: load, form, act, render."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback.models import thread_of
from goals import actions
from goals.actions import GoalText
from goals.cards import card_of, charts_of, effect_of, history_of, key_results_of, row_of, standing_of
from goals.forms import (
    AlignForm,
    ChangeForm,
    ContributionForm,
    DecisionForm,
    GoalForm,
    KeyResultFormSet,
    KeyResultRows,
    ProgressForm,
    PublishForm,
    RewordForm,
    owner_label,
)
from goals.models import (
    ChangeRequest,
    Contribution,
    Goal,
    GoalVersion,
    KeyResult,
    ProgressUpdate,
    Signature,
    alignable,
    readers,
)
from goals.rules import (
    AUTHORSHIP_WORDS,
    MAX_KEY_RESULTS,
    authorship,
    balance,
    effective_weights,
    goal_progress,
    goal_score,
    key_result_words,
)
from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.cycles.models import Cycle, Participation, Stage, StageKind
from pmcycle.errors import Invalid, Refused, Stale

EMPTY_ROWS = 2


# --- reading -----------------------------------------------------------------------------------------------


@login_required
@require_GET
def list_(request: UserRequest) -> HttpResponse:
    """My goals in my newest running cycle."""
    participation = _plans(Participation.objects.mine(request.user)).first()
    if participation is None:
        return render(request, "goals/none.html")
    return _page(request, participation)


@login_required
@require_GET
def of(request: UserRequest, pk: int) -> HttpResponse:
    """The same page of one person, for the pair, the line above and HR of the unit."""
    return _page(request, _plan(request, pk))


@login_required
@require_GET
def company(request: UserRequest, pk: int) -> HttpResponse:
    """The goals of the organisation and its units in a cycle, with what contributes to each."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    published = Goal.objects.filter(cycle=cycle, participation__isnull=True).visible_to(request.user)
    goals = list(published.select_related("agreed", "unit", "parent__agreed").order_by("unit__name", "pk"))
    rows = key_results_of(goals)
    visible = Goal.objects.visible_to(request.user).filter(parent__in=goals).select_related(
        "agreed", "latest", "participation__employee", "unit"
    )  # fmt: skip
    below: dict[int, list[Goal]] = {}
    for child in visible[:200]:
        below.setdefault(child.parent_id or 0, []).append(child)
    cards = [
        {
            "goal": goal, "wording": goal.agreed, "owner": owner_label(goal), "below": below.get(goal.pk, []),
            "key_results": [row_of(row, cycle.progress_cap) for row in rows.get(goal.pk, [])],
            "progress": goal_progress([r.progress for r in rows.get(goal.pk, [])], cycle.progress_cap),
        }
        for goal in goals
    ]  # fmt: skip
    return render(request, "goals/company.html", {"cycle": cycle, "cards": cards})


@login_required
@require_GET
def detail(request: UserRequest, pk: int) -> HttpResponse:
    """One goal: what holds, how it stands, how it came to be, what it contributes to."""
    goals = Goal.objects.for_list().with_plan().for_detail(request.user)
    return _detail(request, get_visible(goals, request.user, pk=pk))


# --- proposing ----------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "POST"])
def propose(request: UserRequest, pk: int) -> HttpResponse:
    """Write a goal and put it to the other side."""
    return _write(
        request, _plan(request, pk, of_pair=True), actions.propose, _("Proposed. %(name)s answers next.")
    )


@login_required
@require_POST
def draft(request: UserRequest, pk: int) -> HttpResponse:
    """Keep a goal for oneself."""
    return _write(
        request, _plan(request, pk, of_pair=True), actions.draft, _("Kept. Only you see this draft.")
    )


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: UserRequest, pk: int) -> HttpResponse:
    """Go on with one's draft."""
    return _rewrite(request, pk, actions.edit, _("Kept. Only you see this draft."))


@login_required
@require_POST
def propose_draft(request: UserRequest, pk: int) -> HttpResponse:
    """Put one's draft to the other side."""
    return _rewrite(request, pk, actions.propose_draft, _("Proposed. %(name)s answers next."))


@login_required
@require_http_methods(["GET", "POST"])
def counter(request: UserRequest, pk: int) -> HttpResponse:
    """Answer a proposal with another wording."""
    goal = _goal(request, pk)
    participation = _of(request, goal)

    def act(text: GoalText, form: RewordForm) -> None:
        actions.counter(goal, text, version=_version(form), by=request.user)
        messages.success(
            request, _("Sent back. %(name)s answers next.") % {"name": _other(request, participation)}
        )

    return _reword(request, goal, RewordForm, goal.latest, goal.version, act, "goals/counter.html")


@login_required
@require_POST
def accept(request: UserRequest, pk: int) -> HttpResponse:
    """Sign the wording that was read."""
    goal = _goal(request, pk)
    actions.accept(goal, version=_decided(request), by=request.user)
    messages.success(request, _("Agreed. The text is frozen; a change now takes both of you."))
    return redirect("goals:of", goal.participation_id)


@login_required
@require_POST
def agree_set(request: UserRequest, pk: int) -> HttpResponse:
    """Sign everything that waits for me."""
    participation = _plan(request, pk, of_pair=True)
    seen = _seen(request.POST.getlist("seen"))
    goals = actions.agree_set(participation, seen, by=request.user)
    messages.success(request, _("Agreed to %(n)s goals. The texts are frozen.") % {"n": len(goals)})
    return redirect("goals:of", participation.pk)


@login_required
@require_POST
def withdraw(request: UserRequest, pk: int) -> HttpResponse:
    """Take a draft or one's own proposal back."""
    goal = _goal(request, pk)
    actions.withdraw(goal, version=_decided(request), by=request.user)
    messages.success(request, _("Taken back."))
    return redirect("goals:of", goal.participation_id)


@login_required
@require_http_methods(["GET", "POST"])
def align(request: UserRequest, pk: int) -> HttpResponse:
    """Say to which goal this one contributes."""
    goal = get_editable(Goal.objects.for_list().with_plan(), request.user, pk=pk)
    initial = {"parent": goal.parent_id, "version": goal.version}
    form = AlignForm(request.POST or None, initial=initial, parents=_parents(request, goal))
    if form.is_valid():
        try:
            data = form.cleaned_data
            actions.align(goal, data["parent"], version=data["version"], by=request.user)
        except Invalid as error:
            form.add_error("parent", error.reason)
        else:
            messages.success(request, _("Saved."))
            return redirect("goals:detail", goal.pk)
    context = {"goal": goal, "wording": goal.agreed or goal.latest, "form": form}
    return render(request, "goals/align.html", context, status=422 if request.method == "POST" else 200)


@login_required
@require_http_methods(["GET", "POST"])
def assign(request: UserRequest, pk: int) -> HttpResponse:
    """Propose one goal to several people of one's team in a cycle."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    team = Participation.objects.led_by(request.user).filter(cycle=cycle, state=Participation.State.ACTIVE)
    team = team.select_related("employee", "cycle").order_by("employee__sort_name", "pk")
    if not team.exists():
        raise Http404
    chosen = [int(value) for value in request.POST.getlist("people") if value.isascii() and value.isdigit()][
        :500
    ]
    parents = alignable(team[0], request.user.employee_id).visible_to(request.user)
    form, rows = _forms(request, GoalForm, {"visibility": Goal.Visibility.LINE}, [], parents=parents)
    problem = ""
    if _sent(request, form, rows):
        people = list(team.filter(pk__in=[value for value in chosen if value < 2**63]))
        problem = "" if people else _("Choose at least one person.")
        if people and _acts(form, lambda: actions.assign(people, form.text(rows), by=request.user)):
            messages.success(
                request, _("Proposed to %(n)s people. Each answers for themselves.") % {"n": len(people)}
            )
            return redirect("home:team")
    context = {
        "cycle": cycle,
        "form": form,
        "rows": rows,
        "team": team[:200],
        "chosen": chosen,
        "problem": problem,
    }
    return render(request, "goals/assign.html", context, status=_status(request, form, rows, problem))


@login_required
@require_http_methods(["GET", "POST"])
def publish(request: UserRequest, pk: int) -> HttpResponse:
    """Publish a goal of the organisation or of a unit; HR admins."""
    cycle = get_visible(Cycle, request.user, pk=pk)
    if not request.user.standing.is_hr_admin:
        raise PermissionDenied(_("Goals of the organisation are published by HR."))
    parents = Goal.objects.filter(
        cycle=cycle, participation__isnull=True, state=Goal.State.AGREED
    ).select_related("agreed", "unit", "participation__employee")  # fmt: skip
    form, rows = _forms(request, PublishForm, {}, [], parents=parents)
    if _sent(request, form, rows):
        unit = form.cleaned_data["unit"]
        if _acts(form, lambda: actions.publish(cycle, form.text(rows), unit=unit, by=request.user)):
            messages.success(request, _("Published. Everybody can align their goals to it."))
            return redirect("goals:company", cycle.pk)
    context = {"cycle": cycle, "form": form, "rows": rows}
    return render(request, "goals/publish.html", context, status=_status(request, form, rows))


# --- changing what is agreed ---------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "POST"])
def request_change(request: UserRequest, pk: int) -> HttpResponse:
    """Ask for another wording of an agreed goal."""
    goal = _goal(request, pk)
    participation = _of(request, goal)
    if goal.state != Goal.State.AGREED:
        raise Refused(_("Only an agreed goal needs a change request."))

    def act(text: GoalText, form: RewordForm) -> None:
        data = form.cleaned_data
        actions.request_change(
            goal,
            text,
            reason=data["reason"],
            explanation=data["explanation"],
            version=_version(form),
            by=request.user,
        )
        messages.success(request, _("%(name)s is asked. Until then the agreed goal holds.") % {
            "name": _other(request, participation)
        })  # fmt: skip

    return _reword(request, goal, ChangeForm, goal.agreed, goal.version, act, "goals/request_change.html")


@login_required
@require_http_methods(["GET", "POST"])
def counter_change(request: UserRequest, pk: int) -> HttpResponse:
    """Answer a change with yet another wording."""
    change = _change(request, pk)
    participation = _of(request, change.goal)

    def act(text: GoalText, form: RewordForm) -> None:
        actions.counter_change(change, text, version=_version(form), by=request.user)
        messages.success(
            request, _("Sent back. %(name)s answers next.") % {"name": _other(request, participation)}
        )

    return _reword(
        request, change.goal, RewordForm, change.new, change.version, act, "goals/counter.html", change=change
    )


@login_required
@require_POST
def accept_change(request: UserRequest, pk: int) -> HttpResponse:
    """Put the changed wording in force."""
    change = _change(request, pk)
    actions.accept_change(change, version=_decided(request), by=request.user)
    messages.success(
        request, _("Agreed. The new wording holds from now on; the old one stays in the history.")
    )
    return redirect("goals:detail", change.goal_id)


@login_required
@require_POST
def decline_change(request: UserRequest, pk: int) -> HttpResponse:
    """Leave the goal as it was agreed."""
    change = _change(request, pk)
    actions.decline_change(change, version=_decided(request), by=request.user)
    messages.success(request, _("Declined. The goal holds as it was agreed."))
    return redirect("goals:detail", change.goal_id)


@login_required
@require_POST
def withdraw_change(request: UserRequest, pk: int) -> HttpResponse:
    """Take one's own change back."""
    change = _change(request, pk)
    actions.withdraw_change(change, version=_decided(request), by=request.user)
    messages.success(request, _("Taken back. The goal holds as it was agreed."))
    return redirect("goals:detail", change.goal_id)


# --- progress -------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "POST"])
def record_progress(request: UserRequest, pk: int) -> HttpResponse:
    """One number, one word of confidence; the row of the page comes back."""
    rows = KeyResult.objects.for_list().select_related(
        "goal__agreed", "goal__participation__employee", "goal__participation__cycle", "goal__cycle"
    )  # fmt: skip
    key_result = get_editable(rows, request.user, pk=pk)
    form = ProgressForm(request.POST or None, key_result=key_result, initial=standing_of(key_result))
    status, note = 200, ""
    if request.method == "POST":
        status = 422
        try:
            if form.is_valid():
                data = {
                    name: form.cleaned_data[name]
                    for name in ("value", "confidence", "note", "link", "version")
                }
                actions.record_progress(key_result, by=request.user, **data)
                if not request.htmx:
                    messages.success(request, _("Recorded."))
                    return redirect(_back(request, key_result.goal))
                key_result = rows.get(pk=pk)
                form, status, note = (
                    ProgressForm(key_result=key_result, initial=standing_of(key_result)),
                    200,
                    "saved",
                )
        except Invalid as error:
            form.add_error(error.field, error.reason)
        except Stale as stale:
            if not request.htmx:
                raise
            key_result, status, note = rows.get(pk=pk), 409, stale.reason
            typed = request.POST.copy()
            typed["version"] = str(stale.version)
            form.data = typed
    cap = key_result.goal.cycle.progress_cap
    context = {
        "row": row_of(key_result, cap, form=form), "goal": key_result.goal, "note": note, "may_record": True,
        "open": status != 200,
    }  # fmt: skip
    if not request.htmx:
        return render(request, "goals/record_progress.html", context, status=status)
    measured = KeyResult.objects.filter(goal=key_result.goal_id, retired_at__isnull=True)
    context["progress"] = goal_progress([row.progress for row in measured], cap)
    return render(request, "goals/_key_result.html", {**context, "is_fragment": True}, status=status)


# --- contributions --------------------------------------------------------------------------------------------


@login_required
@require_GET
def contributions(request: UserRequest, pk: int) -> HttpResponse:
    """What somebody gave beyond their goals."""
    return _contributions(request, _plan(request, pk))


@login_required
@require_POST
def contribute(request: UserRequest, pk: int) -> HttpResponse:
    """Record a contribution of one's own."""
    participation = _plan(request, pk)
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
            messages.success(request, _("Recorded. %(name)s is asked to confirm it.") % {"name": name})
            return redirect("goals:contributions", participation.pk)
    return _contributions(request, participation, form, status=422)


@login_required
@require_GET
def contribution(request: UserRequest, pk: int) -> HttpResponse:
    """One contribution, with the beneficiary's one click."""
    row = get_visible(
        Contribution.objects.select_related("author", "beneficiary", "participation"), request.user, pk=pk
    )
    context = {"row": row, "may_answer": row.beneficiary_id == request.user.employee_id and _is_open(row)}
    return render(request, "goals/contribution.html", context)


@login_required
@require_POST
def confirm_contribution(request: UserRequest, pk: int) -> HttpResponse:
    """Yes, that helped."""
    row = get_editable(Contribution, request.user, pk=pk)
    actions.confirm_contribution(row, version=_decided(request), by=request.user)
    messages.success(request, _("Confirmed. Thank you."))
    return redirect("goals:contribution", row.pk)


@login_required
@require_POST
def decline_contribution(request: UserRequest, pk: int) -> HttpResponse:
    """Not recognised."""
    row = get_editable(Contribution, request.user, pk=pk)
    actions.decline_contribution(row, version=_decided(request), by=request.user)
    messages.success(request, _("Noted."))
    return redirect("goals:contribution", row.pk)


# --- loading --------------------------------------------------------------------------------------------------


def _plans(rows: QuerySet[Participation]) -> QuerySet[Participation]:
    """Participations with what the page of goals reads of them, in one statement."""
    stage = Stage.objects.filter(cycle=OuterRef("cycle"), kind=StageKind.OBJECTIVES)
    with_manager = rows.with_manager()  # type: ignore[attr-defined]
    found: QuerySet[Participation] = with_manager.select_related("cycle", "employee").annotate(
        stage_state=Subquery(stage.values("state")[:1]), stage_due=Subquery(stage.values("due_on")[:1])
    )
    return found


def _plan(request: UserRequest, pk: int, *, of_pair: bool = False) -> Participation:
    found: Participation = get_visible(_plans(readers(request.user)), request.user, pk=pk)
    if of_pair and not _is_of_pair(request, found):
        raise PermissionDenied(_("Goals are proposed and agreed by the two whom they concern."))
    return found


def _is_of_pair(request: UserRequest, participation: Any) -> bool:
    me = request.user.employee_id
    return me is not None and me in (participation.employee_id, participation.manager_id)


def _goal(request: UserRequest, pk: int) -> Goal:
    """A goal of a pair that the reader may change, with its plan."""
    goals = Goal.objects.for_list().select_related("participation__cycle", "cycle")
    goal = get_editable(goals, request.user, pk=pk)
    if goal.participation_id is None:
        raise Refused(_("A goal of the organisation is not agreed by two people."))
    return goal


def _of(request: UserRequest, goal: Goal) -> Any:
    return _plans(Participation.objects.filter(goals=goal)).get()


def _change(request: UserRequest, pk: int) -> ChangeRequest:
    changes = ChangeRequest.objects.select_related(
        "goal__latest", "goal__agreed", "goal__participation__employee", "new__author", "old", "requested_by"
    )  # fmt: skip
    return get_editable(changes, request.user, pk=pk)


def _other(request: UserRequest, participation: Any) -> str:
    """The other of the two, by name."""
    if request.user.employee_id == participation.employee_id:
        return participation.manager_name or _("your manager")
    return str(participation.employee.name)


def _parents(request: UserRequest, goal: Any) -> Any:
    """What the goal can contribute to. The manager is annotated on the goal."""
    if goal.participation is None:
        published = Goal.objects.filter(
            cycle=goal.cycle_id, participation__isnull=True, state=Goal.State.AGREED
        )
        return published.select_related("agreed", "unit", "participation__employee").exclude(pk=goal.pk)
    return alignable(goal.participation, goal.manager_id).visible_to(request.user).exclude(pk=goal.pk)


def _decided(request: UserRequest) -> int:
    """The version that a decision was made on; without one it is no decision."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise Refused(_("This page is too old to decide on. Open it again, read the text, then decide."))
    version: int = form.cleaned_data["version"]
    return version


def _version(form: GoalForm) -> int:
    """The version that the person was editing; a form without one counts as the oldest."""
    return form.cleaned_data.get("version") or 0


def _seen(values: Sequence[str]) -> dict[int, int]:
    """`goal:version` pairs of what was on the page."""
    found = {}
    for value in values[:200]:
        goal, colon, version = value.partition(":")
        if colon and goal.isascii() and goal.isdigit() and version.isascii() and version.isdigit():
            found[int(goal)] = int(version)
    return found


def _back(request: UserRequest, goal: Goal) -> str:
    """After recording: the page of the person's goals, or of the company's."""
    if goal.participation_id is None:
        return reverse("goals:detail", args=[goal.pk])
    return reverse("goals:of", args=[goal.participation_id]) + f"#goal-{goal.pk}"


def _is_open(row: Contribution) -> bool:
    return row.confirmed_at is None and row.declined_at is None


# --- forms ----------------------------------------------------------------------------------------------------


def _forms(
    request: UserRequest,
    form_class: type[GoalForm],
    initial: Mapping[str, Any],
    key_results: Sequence[Any],
    **kwargs: Any,
) -> tuple[Any, Any]:
    """The form of a goal and the formset of its key results; bound when something was sent."""
    posted = request.POST.copy() if request.method == "POST" else None
    if posted is not None and posted.get("add_row"):
        total = posted.get("kr-TOTAL_FORMS", "")
        if total.isascii() and total.isdigit() and int(total) < MAX_KEY_RESULTS:
            posted["kr-TOTAL_FORMS"] = str(int(total) + 1)
    form = form_class(posted, initial=dict(initial), **kwargs)
    blanks: list[dict[str, Any]] = [{} for _n in range(1 if key_results else EMPTY_ROWS)]
    start = [*key_results, *blanks][:MAX_KEY_RESULTS]
    return form, KeyResultFormSet(posted, initial=start if posted is None else None, prefix="kr")


def _sent(request: UserRequest, form: GoalForm, rows: KeyResultRows) -> bool:
    """Whether the form was sent for good and is well-formed; "Add a row" only shows it again."""
    return request.method == "POST" and not request.POST.get("add_row") and form.is_valid() & rows.is_valid()


def _status(request: UserRequest, form: GoalForm, rows: KeyResultRows, problem: str = "") -> int:
    return 422 if request.method == "POST" and not request.POST.get("add_row") else 200


def _acts(form: GoalForm, act: Callable[[], Any]) -> bool:
    """Do it; a rule about one field becomes that field's error."""
    try:
        act()
    except Invalid as error:
        form.add_error(error.field if error.field in form.fields else None, error.reason)
        return False
    return True


def _initial(wording: GoalVersion | None, goal: Goal | None, version: int | None) -> dict[str, Any]:
    if wording is None:
        return {}
    found: dict[str, Any] = {
        "title": wording.title,
        "why": wording.why,
        "weight": wording.weight,
        "due_on": wording.due_on,
        "version": version,
    }
    if goal is not None:
        found |= {"horizon": goal.horizon, "visibility": goal.visibility, "parent": goal.parent_id}
    return found


def _write(request: UserRequest, participation: Any, act: Callable[..., Goal], done: str) -> HttpResponse:
    """The form of a new goal; `?from=` copies an earlier one of the same person."""
    parents = alignable(participation, participation.manager_id).visible_to(request.user)
    initial, key_results = _copied(request, participation)
    initial.setdefault("parent", request.GET.get("parent"))
    form, rows = _forms(request, GoalForm, initial, key_results, parents=parents)
    if _sent(request, form, rows) and _acts(
        form, lambda: act(participation, form.text(rows), by=request.user)
    ):  # fmt: skip
        messages.success(request, done % {"name": _other(request, participation)})
        return redirect("goals:of", participation.pk)
    return _form_page(request, participation, form, rows)


def _rewrite(request: UserRequest, pk: int, act: Callable[..., Goal], done: str) -> HttpResponse:
    goal = _goal(request, pk)
    participation = _of(request, goal)
    if goal.state != Goal.State.DRAFT:
        raise Refused(_("This goal is already: %(state)s.") % {"state": goal.get_state_display()})
    latest = goal.latest
    parents = alignable(participation, participation.manager_id).visible_to(request.user)
    form, rows = _forms(
        request,
        GoalForm,
        _initial(latest, goal, goal.version),
        latest.key_results if latest else [],
        parents=parents,
    )
    if _sent(request, form, rows) and _acts(
        form, lambda: act(goal, form.text(rows), version=_version(form), by=request.user)
    ):
        messages.success(request, done % {"name": _other(request, participation)})
        return redirect("goals:of", participation.pk)
    return _form_page(request, participation, form, rows, goal=goal)


def _form_page(
    request: UserRequest, participation: Any, form: GoalForm, rows: KeyResultRows, goal: Goal | None = None
) -> HttpResponse:
    others = Goal.objects.weighing().filter(participation=participation)
    weights = others.values_list("latest__weight", flat=True)
    context = {
        "participation": participation, "form": form, "rows": rows, "goal": goal,
        "other": _other(request, participation),
        "is_mine": participation.employee_id == request.user.employee_id,
        "rest": balance([w for w in weights if w is not None]).left,
        "earlier": _earlier(participation) if request.method == "GET" and goal is None else [],
    }  # fmt: skip
    return render(request, "goals/propose.html", context, status=_status(request, form, rows))


def _earlier(participation: Any) -> list[Goal]:
    """Goals of earlier cycles that the person can copy from."""
    rows = Goal.objects.filter(
        participation__employee=participation.employee_id, state__in=[Goal.State.AGREED, Goal.State.CLOSED]
    ).exclude(participation=participation)  # fmt: skip
    return list(rows.select_related("agreed", "cycle").order_by("-pk")[:8])


def _copied(request: UserRequest, participation: Any) -> tuple[dict[str, Any], list[Any]]:
    source = request.GET.get("from", "")
    if not (source.isascii() and source.isdigit()):
        return {}, []
    goal = get_visible(
        Goal.objects.select_related("agreed").filter(participation__employee=participation.employee_id),
        request.user, pk=int(source),
    )  # fmt: skip
    if goal.agreed is None:
        return {}, []
    return {**_initial(goal.agreed, goal, None), "parent": None}, [
        {**row, "key": ""} for row in goal.agreed.key_results
    ]


def _reword(
    request: UserRequest,
    goal: Goal,
    form_class: type[RewordForm],
    wording: GoalVersion | None,
    version: int,
    act: Callable[[GoalText, RewordForm], None],
    template: str,
    change: ChangeRequest | None = None,
) -> HttpResponse:
    """Another wording beside the one that is known."""
    participation = _of(request, goal)
    weighs = goal.horizon == Goal.Horizon.CYCLE
    initial = {**_initial(wording, None, version), "horizon": goal.horizon}
    form, rows = _forms(request, form_class, initial, wording.key_results if wording else [], weighs=weighs)
    if _sent(request, form, rows) and _acts(form, lambda: act(form.text(rows), form)):
        return redirect("goals:detail", goal.pk)
    others = Goal.objects.weighing().filter(participation=participation).exclude(pk=goal.pk)
    weights = [w for w in others.values_list("latest__weight", flat=True) if w is not None]
    context = {
        "goal": goal, "wording": wording, "form": form, "rows": rows, "other": _other(request, participation),
        "participation": participation, "change": change, "rest": balance(weights).left,
        "words": [key_result_words(row) for row in (wording.key_results if wording else [])],
    }  # fmt: skip
    return render(request, template, context, status=_status(request, form, rows))


# --- showing --------------------------------------------------------------------------------------------------


def _page(request: UserRequest, participation: Any) -> HttpResponse:
    me = request.user.employee_id
    cap = participation.cycle.progress_cap
    of_plan = Goal.objects.for_list().filter(participation=participation).exclude(state=Goal.State.WITHDRAWN)
    goals = list(of_plan.visible_to(request.user).order_by("pk"))
    rows = key_results_of(goals)
    cards = [card_of(goal, rows.get(goal.pk, []), participation, me, cap) for goal in goals]
    weighing = [
        c
        for c in cards
        if c.goal.horizon == Goal.Horizon.CYCLE and c.goal.state != Goal.State.DRAFT and c.weight is not None
    ]
    weights = [c.weight for c in weighing if c.weight is not None]
    found = balance(weights)
    for card, weight in zip(weighing, effective_weights(weights), strict=True):
        card.added = weight - (card.weight or 0)
    agreed = [c for c in weighing if c.goal.state in (Goal.State.AGREED, Goal.State.CLOSED)]
    is_pair = _is_of_pair(request, participation)
    is_active = (
        participation.state == Participation.State.ACTIVE and participation.cycle.state == Cycle.State.RUNNING
    )
    mine = participation.employee_id == me
    side = list(alignable(participation, participation.manager_id).visible_to(request.user)[:24])
    waiting = [c for c in cards if c.waits_for_me]
    context = {
        "participation": participation,
        "cycle": participation.cycle,
        "is_mine": mine,
        "is_pair": is_pair,
        "other": _other(request, participation),
        "may_plan": is_pair and is_active and participation.stage_state == Stage.State.OPEN,
        "may_record": is_pair and is_active,
        "cards": [
            c for c in cards if c.goal.horizon == Goal.Horizon.CYCLE and c.goal.state != Goal.State.DRAFT
        ],
        "beyond": [
            c for c in cards if c.goal.horizon != Goal.Horizon.CYCLE and c.goal.state != Goal.State.DRAFT
        ],
        "drafts": [c for c in cards if c.goal.state == Goal.State.DRAFT],
        "weights": [{"label": c.wording.title, "weight": c.weight} for c in weighing],
        "balance": found,
        "is_agreed": found.is_whole and len(agreed) == len(weighing),
        "score": goal_score([(c.weight or Decimal(0), c.progress) for c in agreed], reweight=True),
        "waiting": waiting,
        "waits_for_other": [c for c in cards if c.waits_for and not c.waits_for_me],
        "changes": [c for c in cards if c.change_waits_for_me],
        "company": [g for g in side if g.participation_id is None],
        "of_manager": [g for g in side if g.participation_id is not None],
        "thread": _thread(request, participation),
        "stage_open": participation.stage_state == Stage.State.OPEN,
    }
    return render(request, "goals/list.html", context)


def _thread(request: UserRequest, participation: Any) -> dict[str, Any] | None:
    return thread_of(participation, StageKind.OBJECTIVES, request.user)


def _detail(request: UserRequest, goal: Any) -> HttpResponse:
    participation = goal.participation
    if participation is not None:
        participation.manager_id, participation.manager_name = goal.manager_id, goal.manager_name
    me = request.user.employee_id
    cap = goal.cycle.progress_cap
    rows = key_results_of([goal]).get(goal.pk, [])
    signed = Signature.objects.filter(version=OuterRef("pk")).order_by("pk")
    versions = list(
        goal.versions.select_related("author")
        .annotate(
            signed=ArraySubquery(
                signed.values(row=JSONObject(side="side", signer="signer", name="signer__name", at="at"))
            )
        )
        .order_by("number")
    )
    changes = _changes(goal, versions)
    updates = list(
        ProgressUpdate.objects.filter(key_result__goal=goal)
        .select_related("author", "key_result")
        .order_by("-at", "-pk")[:100]
    )
    card = card_of(goal, rows, participation, me, cap) if participation else None
    is_pair = participation is not None and _is_of_pair(request, participation)
    runs = goal.cycle.state == Cycle.State.RUNNING
    may_edit = is_pair and runs and participation.state == Participation.State.ACTIVE
    opened = next((c for c in changes if c.state == ChangeRequest.State.OPEN), None)
    is_of_company = participation is None and request.user.standing.is_hr_admin
    may_align = (may_edit or is_of_company) and goal.state in (Goal.State.PROPOSED, Goal.State.AGREED)
    author = authorship(
        [(v.number, v.author_id) for v in versions],
        [(v.number, s["signer"], s["side"]) for v in versions for s in v.signed],
    )
    context = {
        "goal": goal,
        "participation": participation,
        "cycle": goal.cycle,
        "owner": owner_label(goal),
        "wording": card.wording if card else goal.agreed,
        "card": card,
        "rows": card.rows if card else [row_of(row, cap) for row in rows],
        "progress": card.progress if card else goal_progress([row.progress for row in rows], cap),
        "is_pair": is_pair,
        "other": _other(request, participation) if participation else "",
        "may_plan": may_edit and goal.stage_state == Stage.State.OPEN,
        "may_change": may_edit and goal.state == Goal.State.AGREED and opened is None,
        "may_record": (may_edit or (is_of_company and runs)) and goal.state == Goal.State.AGREED,
        "may_align": may_align,
        "change": opened,
        "change_is_mine": opened is not None and opened.new.author_id == me,
        "changes": [c for c in changes if c is not opened],
        "effect": effect_of(goal, opened, rows, cap) if opened and participation else None,
        "history": history_of(versions),
        "authorship": AUTHORSHIP_WORDS.get(author or ""),
        "updates": updates,
        "charts": charts_of(rows, updates),
        "thread": _thread(request, participation) if is_pair else None,
    }
    return render(request, "goals/detail.html", context)


def _changes(goal: Any, versions: Sequence[Any]) -> list[Any]:
    """The change requests that came with the goal, with the wordings they name."""
    wordings = {version.pk: version for version in versions}
    changes = []
    for row in goal.changes:
        change: Any = ChangeRequest(
            pk=row["pk"],
            goal=goal,
            old=wordings[row["old_id"]],
            new=wordings[row["new_id"]],
            reason=row["reason"],
            explanation=row["explanation"],
            state=row["state"],
            lapses_on=date.fromisoformat(row["lapses_on"]),
            ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
            version=row["version"],
        )
        change.requested_name = row["requested_name"]
        changes.append(change)
    return changes


def _contributions(
    request: UserRequest, participation: Any, form: ContributionForm | None = None, status: int = 200
) -> HttpResponse:
    mine = participation.employee_id == request.user.employee_id
    rows = Contribution.objects.filter(participation=participation).visible_to(request.user)
    context = {
        "participation": participation,
        "is_mine": mine,
        "rows": list(rows.select_related("author", "beneficiary").order_by("-happened_on", "-pk")[:100]),
        "form": form or (ContributionForm() if mine else None),
    }
    return render(request, "goals/contributions.html", context, status=status)
