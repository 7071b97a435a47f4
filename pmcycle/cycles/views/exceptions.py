"""One person's way through a cycle, and its exceptions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Prefetch, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.activity.models import Event
from pmcycle.cycles import actions, forms
from pmcycle.cycles.actions import link
from pmcycle.cycles.models import (
    Assignment,
    Cycle,
    Extension,
    Participation,
    Stage,
    StageKind,
)
from pmcycle.cycles.views.shared import editable_cycle, named, refuse_unless, who_is
from pmcycle.people.models import Absence, Employee, ReportingLine
from pmcycle.typed import done, row_number, search_words
from pmcycle.ui.formats import when_text

# What happens to one person alone, in the words of the pages.
KINDS = {
    "extended": gettext_lazy("More time"),
    "transferred": gettext_lazy("Another manager"),
    "left": gettext_lazy("Has left"),
    "came_back": gettext_lazy("Takes part again"),
    "joined": gettext_lazy("Joined late"),
}


def _overseen(request: UserRequest) -> Any:
    rows = Participation.objects.overseen_by(request.user)
    return rows.exclude(cycle__state=Cycle.State.DRAFT).select_related("cycle", "employee", "unit")


@login_required
@require_GET
def life_line(request: UserRequest, pk: int) -> HttpResponse:
    """One person's way through the cycle, for HR: dates, managers, absences, exceptions, then and now."""
    line_now = ReportingLine.objects.current().filter(employee=OuterRef("employee"), kind="line")
    more = Extension.objects.filter(stage=OuterRef("pk"), participation=pk)
    stages = Stage.objects.annotate(
        own_due=Subquery(more.values("due_on")), own_why=Subquery(more.values("reason"))
    )
    rows = (
        _overseen(request)
        .select_related("employee__unit")
        .prefetch_related(
            Prefetch("cycle__stages", stages),
            Prefetch("assignments", Assignment.objects.select_related("manager").order_by("starts_on")),
        )
    )
    changeable = Participation.objects.editable_by(request.user).filter(pk=OuterRef("pk"))
    rows = rows.annotate(
        manager_now=Subquery(line_now.values("manager__name")[:1]), is_changeable=Exists(changeable)
    )
    part = get_visible(rows, request.user, pk=pk)
    cycle, person = part.cycle, part.employee
    today = cycle.local_day(timezone.now())
    assignments = list(part.assignments.all())
    current = next((a for a in assignments if a.starts_on <= today <= (a.ends_on or today)), None)
    pairs = [
        (_("Manager"), current.manager.name if current else "–", part.manager_now or "–"),
        (_("Unit"), str(part.unit or "–"), str(person.unit or "–")),
        (_("Title"), part.job_title or "–", person.job_title or "–"),
        (_("Grade"), part.grade or "–", person.grade or "–"),
    ]
    context = {
        "part": part,
        "cycle": cycle,
        "person": person,
        "today": today,
        "events": _events(part),
        "spans": _spans(part, assignments, current, today),
        "assignments": assignments,
        "then_now": [(label, then, now, then != now) for label, then, now in pairs],
        "may_change": part.is_changeable
        and part.state == Participation.State.ACTIVE
        and cycle.state == Cycle.State.RUNNING,
        "may_return": part.is_changeable
        and part.state == Participation.State.LEFT
        and cycle.state == Cycle.State.RUNNING,
    }
    return render(request, "cycles/life_line.html", context)


def _changeable(rows: Any, request: UserRequest, pk: int) -> Participation:
    """Whose way is changed; the form is offered while the cycle runs and the person takes part."""
    part: Participation = get_editable(rows, request.user, pk=pk)
    refuse_unless(part.cycle, Cycle.State.RUNNING)
    return part


def _events(part: Participation) -> list[dict[str, Any]]:
    """What happened to one person in the cycle, and what is due, in the shape of the life line."""
    history = (
        Event.objects.filter(subject_kind="cycles.participation", subject_id=part.pk)
        .exclude(verb="viewed")
        .order_by("at")
    )
    events: list[dict[str, Any]] = [
        {"at": h.at, "label": _verb(h.verb), "tone": "accent", "detail": h.data.get("reason", "")}
        for h in history
    ]
    stages: list[Any] = list(part.cycle.stages.all())
    for stage in stages:
        events.append({"at": stage.opens_on, "label": _("%s opens") % stage, "tone": "info"})
        events.append({"at": stage.due_on, "label": _("%s due") % stage, "tone": "mute"})
    events += [
        {
            "at": stage.own_due,
            "label": _("%s due for this person") % stage,
            "tone": "warn",
            "detail": stage.own_why,
        }
        for stage in stages
        if stage.own_due
    ]
    return events


def _spans(
    part: Participation, assignments: list[Assignment], current: Assignment | None, today: date
) -> list[dict[str, Any]]:
    """Who led one person from when to when, and when they were away, within the cycle."""
    cycle = part.cycle
    away = Absence.objects.filter(employee=part.employee_id, starts_on__lte=cycle.last_day)
    led = [
        {
            "start": max(a.starts_on, cycle.first_day),
            "end": a.ends_on or max(cycle.last_day, today),
            "label": a.manager.name,
            "tone": "accent" if a is current else "mute",
        }
        for a in assignments
    ]
    return led + [
        {
            "start": max(a.starts_on, cycle.first_day),
            "end": min(a.ends_on or cycle.last_day, cycle.last_day),
            "label": _("away: %s") % a.kind,
            "tone": "warn",
        }
        for a in away
        if (a.ends_on or cycle.last_day) >= cycle.first_day
    ]


def _verb(verb: str) -> str:
    """A line of history in words."""
    words = {"takes_part": _("Takes part: facts frozen"), **KINDS}
    return str(words.get(verb, verb.replace("_", " ")))


def _change_page(
    request: UserRequest,
    part: Participation,
    form: Any,
    act: Callable[[], Any],
    *,
    judge: Callable[[], None],
    heading: str,
    button: str,
    said: str,
    consequences: Callable[[], list[str]],
    search: bool = False,
) -> HttpResponse:
    """An exception in two looks: what it will do (by GET, changing nothing), then the act (by POST).

    `judge` refuses in the first look whatever the act would refuse: no page promises what cannot be done.
    """
    ready = form.is_bound and form.is_valid()
    if request.method == "POST" and ready and done(form, act):
        messages.success(request, said)
        return redirect("cycles:life_line", pk=part.pk)
    if request.method == "GET" and ready:
        done(form, judge)
    context = {
        "part": part,
        "cycle": part.cycle,
        "form": form,
        "heading": heading,
        "button": button,
        "search": search,
        "typed": search_words(request),
        "ready": ready and form.is_valid(),
        "consequences": consequences() if form.is_bound and form.is_valid() else [],
        "back": reverse("cycles:life_line", kwargs={"pk": part.pk}),
        "two_looks": True,
    }
    wrong = request.method == "POST" or (form.is_bound and not form.is_valid())
    return render(request, "cycles/change.html", context, status=422 if wrong else 200)


def _bound(request: UserRequest, needed: str) -> Any:
    """The data of a change: what is posted, or what is asked to be looked at first."""
    if request.method == "POST":
        return request.POST
    return request.GET if needed in request.GET and FIND not in request.GET else None


# The button that looks for somebody: it brings the rest of the form along, and nothing is judged yet.
FIND = "find"


def _filled_in(request: UserRequest, initial: dict[str, Any]) -> dict[str, Any]:
    """What a form begins with: what was filled in before somebody was looked for, else `initial`."""
    typed = request.GET.dict() if FIND in request.GET else {}
    return {**initial, **{name: value.replace("\x00", "") for name, value in typed.items()}}


@login_required
@require_http_methods(["GET", "POST"])
def extend(request: UserRequest, pk: int) -> HttpResponse:
    """More time for one person in one stage, also one that is closed for the others."""
    part = _changeable(_overseen(request), request, pk)
    form = forms.ExtendForm(
        _bound(request, "due_on"),
        stages=actions.stages_with_more_time(part.cycle),
        initial={"version": part.version},
    )

    def judge() -> None:
        actions.judge_extension(part, form.cleaned_data["stage"], due_on=form.cleaned_data["due_on"])

    def act() -> None:
        data = form.cleaned_data
        actions.extend(
            part,
            data["stage"],
            due_on=data["due_on"],
            reason=data["reason"],
            version=data["version"],
            by=request.user,
        )

    def consequences() -> list[str]:
        data = form.cleaned_data
        words = {
            "name": part.employee.name,
            "stage": data["stage"],
            "day": when_text(data["due_on"], full=True),
        }
        if data["stage"].state == Stage.State.CLOSED:
            stays = _("%(stage)s stays closed for everybody else.") % words
        else:
            stays = _("The stage stays open until then, and reminders follow the new day.")
        return [
            _("%(name)s has until %(day)s for %(stage)s; everybody else keeps their day.") % words,
            _("Who writes about %(name)s there may do so until then too.") % words,
            stays,
            _("%(name)s is told, with the day and without the reason.") % words,
        ]

    name = part.employee.name
    return _change_page(
        request,
        part,
        form,
        act,
        judge=judge,
        heading=_("More time for %s") % name,
        button=_("Give more time"),
        said=_("%s has more time.") % name,
        consequences=consequences,
    )


@login_required
@require_http_methods(["GET", "POST"])
def transfer(request: UserRequest, pk: int) -> HttpResponse:
    """Another manager from a day on."""
    part = _changeable(_overseen(request).with_manager(), request, pk)
    data = _bound(request, "manager")
    form = forms.TransferForm(
        data,
        found=_found(request, "manager", part.employee_id),
        initial=_filled_in(request, {"version": part.version, "on": part.cycle.local_day(timezone.now())}),
    )

    def judge() -> None:
        last = part.assignments.order_by("-starts_on").first()
        data = form.cleaned_data
        actions.judge_transfer(part, data["manager"], on=data["on"], last=last, by=request.user)

    def act() -> None:
        data = form.cleaned_data
        actions.transfer(
            part,
            data["manager"],
            on=data["on"],
            reason=data["reason"],
            version=data["version"],
            by=request.user,
        )

    def consequences() -> list[str]:
        data = form.cleaned_data
        former = getattr(part, "manager_name", None) or _("nobody")
        words = {
            "name": part.employee.name,
            "new": data["manager"].name,
            "old": former,
            "day": when_text(data["on"], full=True),
        }
        return [
            _("From %(day)s %(new)s is the manager of %(name)s in this cycle; until then it is %(old)s.")
            % words,
            _(
                "What %(old)s has written stays theirs and stays readable for them; %(new)s starts forms of their own."
            )
            % words,
            _("Notes of earlier one-to-ones stay with the two who wrote them."),
            _("The line above %(name)s becomes the line above %(new)s.") % words,
            _("All three are told."),
        ]

    name = part.employee.name
    return _change_page(
        request,
        part,
        form,
        act,
        judge=judge,
        heading=_("Another manager for %s") % name,
        button=_("Hand over"),
        said=_("%s has been handed over.") % name,
        consequences=consequences,
        search=True,
    )


def _found(request: UserRequest, field: str, but: int | None = None) -> list[tuple[int, str]]:
    """Choices of a people picker: whom the search found, and who was chosen already."""
    typed = search_words(request)
    found = list(named(typed).exclude(pk=but)[:12]) if typed else []
    chosen = row_number((request.POST if request.method == "POST" else request.GET).get(field))
    if chosen is not None:
        found = [
            *Employee.objects.filter(pk=chosen).select_related("unit"),
            *[e for e in found if e.pk != chosen],
        ]
    return [(e.pk, who_is(e)) for e in found]


@login_required
@require_http_methods(["GET", "POST"])
def mark_left(request: UserRequest, pk: int) -> HttpResponse:
    """Freeze the part of somebody who has left."""
    part = _changeable(_overseen(request), request, pk)
    today = part.cycle.local_day(timezone.now())
    initial = {"version": part.version, "left_on": part.employee.left_on or today}
    form = forms.MarkLeftForm(_bound(request, "left_on"), initial=initial)

    def judge() -> None:
        actions.judge_leaving(part, left_on=form.cleaned_data["left_on"])

    def act() -> None:
        data = form.cleaned_data
        actions.mark_left(
            part, left_on=data["left_on"], reason=data["reason"], version=data["version"], by=request.user
        )

    def consequences() -> list[str]:
        name = part.employee.name
        led = Participation.objects.filter(cycle=part.cycle_id, state="active").filter(
            assignments__manager=part.employee_id, assignments__ends_on__isnull=True
        )
        names = list(led.values_list("employee__name", flat=True)[:10])
        told = [
            _("What %s has written is frozen and kept.") % name,
            _("Nobody waits for %s any more, and no reminder goes out to or about them.") % name,
        ]
        if names:
            told.append(
                _("%(names)s still report to %(name)s here: hand each of them over.")
                % {"names": ", ".join(names), "name": name}
            )
        return told

    name = part.employee.name
    return _change_page(
        request,
        part,
        form,
        act,
        judge=judge,
        heading=_("%s has left") % name,
        button=_("Freeze their part"),
        said=_("The part of %s is frozen.") % name,
        consequences=consequences,
    )


@login_required
@require_http_methods(["GET", "POST"])
def return_person(request: UserRequest, pk: int) -> HttpResponse:
    """Take up the part of somebody who had left and is back."""
    part = get_editable(_overseen(request), request.user, pk=pk)
    form = forms.ReasonForm(_bound(request, "reason"), initial={"version": part.version})

    def judge() -> None:
        actions.judge_return(part)

    def act() -> None:
        data = form.cleaned_data
        actions.return_person(part, reason=data["reason"], version=data["version"], by=request.user)

    def consequences() -> list[str]:
        words = {"name": part.employee.name}
        return [
            _("%(name)s takes part again, and what they have written goes on where it stood.") % words,
            _("Stages that are open open for them; give more time where a stage is over.") % words,
            _("Rewards count %(name)s in again where they are still being calculated.") % words,
            _("%(name)s is told.") % words,
        ]

    name = part.employee.name
    return _change_page(
        request,
        part,
        form,
        act,
        judge=judge,
        heading=_("%s is back") % name,
        button=_("Take up their part again"),
        said=_("%s takes part again.") % name,
        consequences=consequences,
    )


def _joins_late(cycle: Cycle) -> list[str]:
    closed = cycle.stages.filter(kind=StageKind.OBJECTIVES, state=Stage.State.CLOSED)
    words = _(
        "Objectives are closed: what their last cycle left comes with them, and both sign it once you give more "
        "time for objectives."
    )
    return [words] if closed.exists() else []


@login_required
@require_http_methods(["GET", "POST"])
def add_person(request: UserRequest, pk: int) -> HttpResponse:
    """Add a late joiner to a running cycle."""
    cycle = editable_cycle(request, pk)
    refuse_unless(cycle, Cycle.State.RUNNING)
    data = _bound(request, "employee")
    form = forms.AddPersonForm(
        data,
        found=_found(request, "employee"),
        initial=_filled_in(request, {"starts_on": cycle.local_day(timezone.now())}),
    )
    ready = form.is_bound and form.is_valid()
    made: list[Participation] = []

    def judge() -> None:
        who = form.cleaned_data["employee"]
        actions.judge_addition(cycle, who, starts_on=form.cleaned_data["starts_on"], by=request.user)

    if request.method == "GET" and ready:
        done(form, judge)
    if request.method == "POST" and ready:
        values = form.cleaned_data

        def act() -> None:
            judge()
            made.append(
                actions.add_person(
                    cycle,
                    values["employee"],
                    starts_on=values["starts_on"],
                    reason=values["reason"],
                    by=request.user,
                )
            )

        if done(form, act):
            messages.success(request, _("%s takes part now.") % values["employee"].name)
            return redirect("cycles:life_line", pk=made[0].pk)
    consequences = []
    if ready and form.is_valid():
        words = {
            "name": form.cleaned_data["employee"].name,
            "day": when_text(form.cleaned_data["starts_on"], full=True),
        }
        consequences = [
            _("%(name)s takes part from %(day)s on, with unit, grade, pay and manager as they are today.")
            % words,
            _("Stages that are open open for them at once; give more time where that is too short."),
            *_joins_late(cycle),
            _("%(name)s is told.") % words,
        ]
    context = {
        "cycle": cycle,
        "form": form,
        "heading": _("Add somebody to “%s”") % cycle.name,
        "button": _("Add"),
        "search": True,
        "typed": search_words(request),
        "ready": ready and form.is_valid(),
        "consequences": consequences,
        "two_looks": True,
        "back": link("home:board", pk=pk),
    }
    wrong = request.method == "POST" or (form.is_bound and not form.is_valid())
    return render(request, "cycles/change.html", context, status=422 if wrong else 200)
