"""Cycles as HR sets them up, launches and excepts them, and as everybody reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.activity.actions import enqueue
from pmcycle.activity.models import Event
from pmcycle.activity.tasks import wake
from pmcycle.cycles import actions, forms, rules, tasks
from pmcycle.cycles.actions import link
from pmcycle.cycles.models import (
    Cycle,
    Extension,
    Participation,
    PopulationRule,
    RatingScale,
    ReminderPolicy,
    Stage,
    StageKind,
    matching,
    population,
)
from pmcycle.errors import Invalid, Refused
from pmcycle.people.models import Absence, Employee, ReportingLine, Unit
from pmcycle.ui.formats import when_text

# The steps of setting up: the word on the stepper and the heading of the page.
STEPS: dict[str, tuple[Any, Any]] = {
    "who": (gettext_lazy("Who"), gettext_lazy("Who takes part")),
    "stages": (gettext_lazy("Dates"), gettext_lazy("Stages and dates")),
    "rating": (gettext_lazy("Rating"), gettext_lazy("Rating scale and appraisal form")),
    "visibility": (gettext_lazy("Visibility"), gettext_lazy("Who sees what, and when")),
    "rewards": (gettext_lazy("Rewards"), gettext_lazy("Rewards")),
    "reminders": (gettext_lazy("Reminders"), gettext_lazy("Reminders")),
    "check": (gettext_lazy("Check"), gettext_lazy("Check and launch")),
}


def _typed(request: UserRequest, name: str = "q") -> str:
    """What was typed into a search field, fit for the database."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:100]


def _done(form: Any, act: Callable[[], Any]) -> bool:
    """Act; a field the action refuses becomes that field's error. True if it was done."""
    try:
        act()
    except Invalid as invalid:
        form.add_error(invalid.field if invalid.field in form.fields else None, invalid.reason)
        return False
    return True


# --- Reading ---------------------------------------------------------------------------------------


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
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    for cycle in page.object_list:
        cycle.line = _line(cycle.stages.all())  # type: ignore[attr-defined]
    return render(
        request, "cycles/list.html", {"page": page, "may_create": request.user.standing.is_hr_admin}
    )


def _line(stages: Any) -> list[dict[str, Any]]:
    """Stages in the shape of the timeline picture."""
    return [{"label": str(s), "start": s.opens_on, "end": s.due_on, "state": s.state} for s in stages]


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
    more_time = {e.stage_id: e for e in part.extensions.all()} if part else {}
    steps = [
        {"stage": s, "what": WHAT[s.kind], "extension": more_time.get(s.pk), "url": link(PAGES[s.kind])}
        for s in stages
    ]
    scale = getattr(cycle, "scale", None)
    context = {
        "cycle": cycle,
        "line": _line(stages),
        "steps": steps,
        "part": part,
        "levels": list(scale.levels.all()) if scale else [],
        "is_hr": user.standing.is_hr,
        "form_url": link("appraisals:form", pk=pk) if user.standing.is_hr else "",
        "board_url": link("home:board", pk=pk),
        "criteria_url": link("incentives:plan", pk=pk) if user.standing.is_hr else "",
    }
    return render(request, "cycles/detail.html", context)


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


# --- Setting up ------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "POST"])
def create(request: UserRequest) -> HttpResponse:
    """A new cycle: blank, or like an earlier one."""
    if not request.user.standing.is_hr_admin:
        if request.user.standing.is_hr:
            raise PermissionDenied(_("HR admins make cycles."))
        raise Http404
    earlier = Cycle.objects.visible_to(request.user)
    today = timezone.localdate()
    first = today.replace(month=1, day=1, year=today.year + (today.month > 6))
    initial = {
        "name": _("Cycle %s") % first.year,
        "first_day": first,
        "last_day": first.replace(month=12, day=31),
        "copy_of": _typed(request, "copy_of"),
    }
    form = forms.NewCycleForm(request.POST or None, earlier=earlier, initial=initial)
    made: list[Cycle] = []
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data

        def act() -> None:
            if data["copy_of"]:
                made.append(actions.copy_cycle(data["copy_of"], name=data["name"], by=request.user))
            else:
                days = {"first_day": data["first_day"], "last_day": data["last_day"]}
                made.append(actions.create_cycle(name=data["name"], **days, by=request.user))

        if _done(form, act):
            return redirect("cycles:configure", pk=made[0].pk, step="who")
    status = 422 if form.is_bound else 200
    return render(request, "cycles/create.html", {"form": form}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def configure(request: UserRequest, pk: int, step: str) -> HttpResponse:
    """One step of setting up a cycle. Partners read, admins write, until it is launched."""
    if step not in STEPS:
        raise Http404
    source = Cycle.objects.configured_by(request.user).prefetch_related("stages")
    cycle = (get_editable if request.method == "POST" else get_visible)(source, request.user, pk=pk)
    return HANDLERS[step](request, cycle)


def _page(
    request: UserRequest, cycle: Cycle, step: str, *, wrong: bool = False, **context: Any
) -> HttpResponse:
    saved = set(
        Event.objects.filter(stream=f"cycle:{cycle.pk}", verb="configured").values_list(
            "data__step", flat=True
        )
    )
    names = list(STEPS)
    steps = [
        {
            "label": label,
            "url": reverse("cycles:configure", kwargs={"pk": cycle.pk, "step": name}),
            "state": "current"
            if name == step
            else "done"
            if name in saved or cycle.copied_from_id
            else "todo",
        }
        for name, (label, _heading) in STEPS.items()
    ]
    at = names.index(step)
    if "person" not in context:
        context["person"] = population(cycle, cycle.local_day(timezone.now())).first()
    context |= {
        "cycle": cycle,
        "steps": steps,
        "step": step,
        "step_label": STEPS[step][1],
        "number": at + 1,
        "back": steps[at - 1]["url"] if at else "",
        "next": steps[at + 1]["url"] if at + 1 < len(steps) else "",
        "may_edit": request.user.standing.is_hr_admin and cycle.state == Cycle.State.DRAFT,
        "days": _days(cycle),
    }
    return render(request, f"cycles/configure_{step}.html", context, status=422 if wrong else 200)


def _days(cycle: Cycle) -> list[dict[str, Any]]:
    """What one person will see on which day."""
    rows: list[dict[str, Any]] = []
    for stage in cycle.stages.all():
        rows.append(
            {"on": stage.opens_on, "what": _("%s opens on your home page") % stage, "icon": "player-play"}
        )
        rows.append({"on": stage.due_on, "what": _("%s is due") % stage, "icon": "flag"})
        if stage.grace_days:
            rows.append(
                {
                    "on": stage.dates.closes_after,
                    "what": _("Last day of grace for %s") % stage,
                    "icon": "hourglass",
                }
            )
    return sorted(rows, key=lambda row: row["on"])


def _saved(request: UserRequest, cycle: Cycle, step: str) -> HttpResponse:
    """After saving: the next step, or this one again for who wants to go on here."""
    messages.success(request, _("“%s” is saved.") % STEPS[step][1])
    names = list(STEPS)
    target = step if "stay" in request.POST else names[names.index(step) + 1]
    return redirect("cycles:configure", pk=cycle.pk, step=target)


def _rule(cycle: Cycle) -> PopulationRule:
    return PopulationRule.objects.prefetch_related("units", "excluded").get(cycle=cycle)


def _who_form(
    request: UserRequest, cycle: Cycle, data: Any = None, rule: PopulationRule | None = None
) -> Any:
    known = Employee.objects.aggregate(
        locations=ArrayAgg("location", distinct=True, order_by="location", default=[]),
        grades=ArrayAgg("grade", distinct=True, order_by="grade", default=[]),
    )
    units = [(u.pk, "– " * (u.path.count("/") - 1) + u.name) for u in _tree()]
    initial = {}
    if rule is not None:
        plain = ("version", "locations", "grades", "employment_kinds", "hired_on_or_before", "minimum_fte")
        initial = {name: getattr(rule, name) for name in plain}
        initial |= {name: [x.pk for x in getattr(rule, name).all()] for name in ("units", "excluded")}
    form = forms.WhoForm(data, initial=initial, **known, units=units)
    chosen = list(rule.excluded.all()) if rule is not None else []
    typed = request.GET.get("exclude", "").replace("\x00", "").strip()[:100]
    people = {e.pk: e for e in [*chosen, *(_named(typed)[:8] if typed else [])]}
    if data is not None:
        posted = [int(x) for x in data.getlist("excluded") if x.isascii() and x.isdigit() and len(x) < 18]
        people |= {e.pk: e for e in Employee.objects.filter(pk__in=[p for p in posted if p not in people])}
    excluded: Any = form.fields["excluded"]
    excluded.choices = [(e.pk, _who_is(e)) for e in people.values()]
    return form


def _tree() -> list[Unit]:
    """Units in the order of the tree, each below its parent."""
    units = list(Unit.objects.all())
    names = {str(u.pk): u.name for u in units}
    return sorted(units, key=lambda u: [names.get(part, "") for part in u.path.strip("/").split("/")])


def _named(typed: str) -> Any:
    """Working people whose name or number holds these words, any order."""
    people = Employee.objects.working(timezone.localdate()).select_related("unit")
    for word in typed.split()[:5]:
        people = people.filter(Q(name__icontains=word) | Q(number__iexact=word))
    return people


def _who_is(person: Employee) -> str:
    return " · ".join(filter(None, [person.name, person.job_title, str(person.unit or "")]))


def _shown(rule: Mapping[str, Any], day: date, page: str | None) -> dict[str, Any]:
    """How many a rule takes in, by unit, and their names page by page: two statements and the page's."""
    people = matching(rule, day)
    by_unit = list(
        people.order_by().values_list("unit__name").annotate(n=Count("pk")).order_by("-n", "unit__name")
    )
    total = sum(n for _name, n in by_unit)
    paginator = Paginator(people.select_related("unit"), 12)
    paginator.count = total
    return {
        "total": total,
        "by_unit": [(name or _("no unit"), n) for name, n in by_unit[:12]],
        "more_units": max(0, len(by_unit) - 12),
        "people": paginator.get_page(page),
    }


def _rule_values(data: Mapping[str, Any]) -> dict[str, Any]:
    ids = {name: [x.pk for x in data[name]] for name in ("units", "excluded")}
    return {**data, **ids}


def configure_who(request: UserRequest, cycle: Cycle) -> HttpResponse:
    rule = _rule(cycle)
    day = cycle.local_day(timezone.now())
    form = _who_form(request, cycle, request.POST if request.method == "POST" else None, rule)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if _done(
            form, lambda: actions.save_population(cycle, data, version=data["version"] or 0, by=request.user)
        ):
            return _saved(request, cycle, "who")
    ids = {name: [x.pk for x in getattr(rule, name).all()] for name in ("units", "excluded")}
    plain = ("locations", "grades", "employment_kinds", "hired_on_or_before", "minimum_fte")
    shown = _shown({**{n: getattr(rule, n) for n in plain}, **ids}, day, request.GET.get("page"))
    person = next(iter(shown["people"]), None)
    return _page(
        request,
        cycle,
        "who",
        wrong=form.is_bound,
        form=form,
        person=person,
        **shown,
        exclude=_typed(request, "exclude"),
    )


@login_required
@require_GET
def preview(request: UserRequest, pk: int) -> HttpResponse:
    """Whom the rule on the screen would take in, before it is saved."""
    cycle = get_visible(Cycle.objects.configured_by(request.user), request.user, pk=pk)
    form = _who_form(request, cycle, request.GET)
    shown: dict[str, Any] = {"wrong": True}
    if form.is_valid():
        shown = _shown(
            _rule_values(form.cleaned_data), cycle.local_day(timezone.now()), request.GET.get("page")
        )
    return render(request, "cycles/configure_who.html#preview", {"cycle": cycle, "form": form, **shown})


def configure_stages(request: UserRequest, cycle: Cycle) -> HttpResponse:
    initial = forms.StagesForm.initial_of(cycle, cycle.stages.all())
    form = forms.StagesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data, dates = form.cleaned_data, form.dates()
        if _done(
            form, lambda: actions.save_stages(cycle, data, dates, version=data["version"], by=request.user)
        ):
            return _saved(request, cycle, "stages")
    stages = list(cycle.stages.all())
    findings = rules.date_findings(
        [s.dates for s in stages],
        first=cycle.first_day,
        last=cycle.last_day,
        today=cycle.local_day(timezone.now()),
        may_overlap=cycle.stages_may_overlap,
    )
    return _page(
        request, cycle, "stages", wrong=form.is_bound, form=form, line=_line(stages), findings=findings
    )


def configure_rating(request: UserRequest, cycle: Cycle) -> HttpResponse:
    scale = RatingScale.objects.filter(cycle=cycle).prefetch_related("levels").first()
    rows = [
        {
            "place": x.position,
            "label": x.label,
            "meaning": x.meaning,
            "value": x.value,
            "needs_mention": x.needs_mention,
        }
        for x in (scale.levels.all() if scale else [])
    ]
    initial = {"name": scale.name if scale else "", "version": scale.version if scale else 1}
    template = rules.SCALES.get(_typed(request, "scale"))
    if template:
        initial["name"] = template[0]
        rows = [
            {"place": i, "label": label, "meaning": meaning, "value": value, "needs_mention": low}
            for i, (label, meaning, value, low) in enumerate(template[1], start=1)
        ]
    data = request.POST if request.method == "POST" else None
    form = forms.ScaleForm(data, initial=initial)
    levels: Any = forms.LevelFormSet(data, initial=rows, prefix="level")
    if data is not None and form.is_valid() and levels.is_valid():
        name, version = form.cleaned_data["name"], form.cleaned_data["version"]
        found = levels.levels()
        if _done(form, lambda: actions.save_scale(cycle, name, found, version=version, by=request.user)):
            return _saved(request, cycle, "rating")
    people = population(cycle, cycle.local_day(timezone.now()))
    return _page(
        request,
        cycle,
        "rating",
        person=people.first(),
        wrong=form.is_bound,
        form=form,
        levels=levels,
        templates=[(key, words) for key, (words, _levels) in rules.SCALES.items()],
        findings=_contributed(cycle, StageKind.APPRAISAL, people),
        form_url=link("appraisals:form", pk=cycle.pk),
    )


def _contributed(cycle: Cycle, kind: str, people: QuerySet[Employee]) -> list[rules.Finding]:
    """What the apps of one stage have found about this cycle so far."""
    return [f for step in actions.stage_work()[kind].checks for f in step(cycle, people)]


def configure_visibility(request: UserRequest, cycle: Cycle) -> HttpResponse:
    names = (
        "mention_days",
        "appeal_days",
        "missing_part",
        "self_opens_after_draft",
        "progress_cap",
        "version",
    )
    form = forms.VisibilityForm(request.POST or None, initial={name: getattr(cycle, name) for name in names})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if _done(form, lambda: actions.save_policies(cycle, data, version=data["version"], by=request.user)):
            return _saved(request, cycle, "visibility")
    return _page(request, cycle, "visibility", wrong=form.is_bound, form=form)


def configure_rewards(request: UserRequest, cycle: Cycle) -> HttpResponse:
    if request.method == "POST":
        return _saved(request, cycle, "rewards")
    people = population(cycle, cycle.local_day(timezone.now()))
    return _page(
        request,
        cycle,
        "rewards",
        person=people.first(),
        findings=_contributed(cycle, StageKind.INCENTIVES, people),
        plan_url=link("incentives:plan", pk=cycle.pk),
    )


def configure_reminders(request: UserRequest, cycle: Cycle) -> HttpResponse:
    policies = {p.kind: p for p in ReminderPolicy.objects.filter(cycle=cycle)}
    form = forms.RemindersForm(request.POST or None, initial=forms.RemindersForm.initial_of(cycle, policies))
    if request.method == "POST" and form.is_valid():
        version, chosen = form.cleaned_data["version"], form.policies()
        if _done(form, lambda: actions.save_reminders(cycle, chosen, version=version, by=request.user)):
            return _saved(request, cycle, "reminders")
    rows = []
    for stage in cycle.stages.all():
        policy = policies.get(stage.kind)
        days = rules.reminder_days(stage.due_on, policy.days_before, policy.days_after) if policy else []
        rows.append(
            {
                "stage": stage,
                "before": form[f"{stage.kind}_before"],
                "after": form[f"{stage.kind}_after"],
                "escalate": form[f"{stage.kind}_escalate"],
                "hears": ", ".join(when_text(day) for day in days),
                "manager_hears": rules.escalation_day(stage.due_on, policy.escalate_after)
                if policy
                else None,
            }
        )
    return _page(request, cycle, "reminders", wrong=form.is_bound, form=form, rows=rows)


def configure_check(request: UserRequest, cycle: Cycle) -> HttpResponse:
    day = cycle.local_day(timezone.now())
    people = population(cycle, day)
    findings = actions.check(cycle, on=day, people=people)
    accepted = actions.accepted_counts(cycle)
    to_settle = rules.unsettled(findings, accepted)
    opens_now = [s for s in cycle.stages.all() if s.opens_on <= day]
    errors = [f for f in findings if f.is_error]
    rows = [
        {
            "finding": f,
            "accepted": not f.is_error and f not in to_settle,
            "grown": f in to_settle and f.code in accepted,
        }
        for f in findings
    ]
    return _page(
        request,
        cycle,
        "check",
        rows=rows,
        errors=errors,
        to_settle=to_settle,
        count=people.count(),
        opens_now=opens_now,
        ready=not errors and not to_settle,
        person=None,
    )


HANDLERS: dict[str, Callable[[UserRequest, Cycle], HttpResponse]] = {
    "who": configure_who,
    "stages": configure_stages,
    "rating": configure_rating,
    "visibility": configure_visibility,
    "rewards": configure_rewards,
    "reminders": configure_reminders,
    "check": configure_check,
}


def _editable_cycle(request: UserRequest, pk: int) -> Cycle:
    return get_editable(Cycle.objects.configured_by(request.user), request.user, pk=pk)


@login_required
@require_POST
def accept_warning(request: UserRequest, pk: int) -> HttpResponse:
    cycle = _editable_cycle(request, pk)
    form = forms.AcceptForm(request.POST)
    if not form.is_valid():
        raise Refused(_("Look at the check again: this warning could not be read."))
    actions.accept_warning(cycle, form.cleaned_data["code"], form.cleaned_data["count"], by=request.user)
    return redirect("cycles:configure", pk=pk, step="check")


@login_required
@require_POST
def launch(request: UserRequest, pk: int) -> HttpResponse:
    """Hand the launch to a worker, if the check lets it through now."""
    cycle = _editable_cycle(request, pk)
    if cycle.state != Cycle.State.DRAFT:
        raise Refused(_("“%s” has been launched already.") % cycle.name)
    findings = actions.check(cycle)
    if any(f.is_error for f in findings) or rules.unsettled(findings, actions.accepted_counts(cycle)):
        raise Refused(_("The check has findings that are not settled yet."))
    url = link("home:board", pk=pk) or reverse("cycles:detail", kwargs={"pk": pk})
    job, _fresh = enqueue("launch", cycle, by=request.user, url=url)
    wake(tasks.launch_waiting)
    return redirect("activity:job", pk=job.pk)


@login_required
@require_POST
def discard(request: UserRequest, pk: int) -> HttpResponse:
    cycle = _editable_cycle(request, pk)
    actions.discard(cycle, version=_version(request), by=request.user)
    messages.success(request, _("The draft “%s” is gone.") % cycle.name)
    return redirect("cycles:list")


def _version(request: UserRequest) -> int:
    """The version a one-button form was read at; none counts as stale."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@login_required
@require_http_methods(["GET", "POST"])
def close(request: UserRequest, pk: int) -> HttpResponse:
    """End a running cycle, after reading what that means."""
    cycle = _editable_cycle(request, pk)
    if request.method == "POST":
        actions.close(cycle, version=_version(request), by=request.user)
        messages.success(
            request, _("“%s” is closed. What is unfinished goes on in the next cycle.") % cycle.name
        )
        return redirect("cycles:detail", pk=pk)
    return render(request, "cycles/close.html", {"cycle": cycle, "stages": cycle.stages.all()})


@login_required
@require_POST
def archive(request: UserRequest, pk: int) -> HttpResponse:
    cycle = _editable_cycle(request, pk)
    actions.archive(cycle, version=_version(request), by=request.user)
    return redirect("cycles:list")


# --- Stages by hand --------------------------------------------------------------------------------


def _stage_page(request: UserRequest, pk: int, form_of: Any, act: Any, **words: Any) -> HttpResponse:
    stage = get_editable(
        Stage.objects.filter(cycle__in=Cycle.objects.configured_by(request.user)).select_related("cycle"),
        request.user,
        pk=pk,
    )
    initial = {"version": stage.version, "due_on": stage.due_on}
    form = form_of(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and _done(form, lambda: act(stage, form.cleaned_data)):
        messages.success(request, words["said"] % {"stage": stage})
        return redirect(link("home:board", pk=stage.cycle_id) or "cycles:list")
    context = {
        "cycle": stage.cycle,
        "form": form,
        "heading": words["heading"] % {"stage": stage},
        "consequences": words["consequences"],
        "button": words["button"],
        "ready": True,
        "back": link("home:board", pk=stage.cycle_id),
    }
    return render(request, "cycles/change.html", context, status=422 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "POST"])
def open_stage(request: UserRequest, pk: int) -> HttpResponse:
    return _stage_page(
        request,
        pk,
        forms.OpenStageForm,
        lambda stage, data: actions.open_stage(
            stage, due_on=data["due_on"], reason=data["reason"], version=data["version"], by=request.user
        ),
        heading=_("Open %(stage)s now"),
        said=_("%(stage)s is open."),
        button=_("Open it"),
        consequences=[
            _("Everybody who takes part finds it on their home page at once."),
            _("Its forms are laid out now for all who do not have them yet."),
            _("Reminders follow the due day below."),
        ],
    )


@login_required
@require_http_methods(["GET", "POST"])
def close_stage(request: UserRequest, pk: int) -> HttpResponse:
    return _stage_page(
        request,
        pk,
        forms.ReasonForm,
        lambda stage, data: actions.close_stage(
            stage, reason=data["reason"], version=data["version"], by=request.user
        ),
        heading=_("Close %(stage)s now"),
        said=_("%(stage)s is closed."),
        button=_("Close it"),
        consequences=[
            _("Nobody can add anything to it any more, those with more time included."),
            _("What is open in it is not reminded any more and stands on the board as missed."),
            _("What has been written stays, and you can open the stage again with a new due day."),
        ],
    )


@login_required
@require_http_methods(["GET", "POST"])
def postpone_stage(request: UserRequest, pk: int) -> HttpResponse:
    return _stage_page(
        request,
        pk,
        forms.PostponeStageForm,
        lambda stage, data: actions.postpone_stage(
            stage, due_on=data["due_on"], reason=data["reason"], version=data["version"], by=request.user
        ),
        heading=_("Another due day for %(stage)s"),
        said=_("%(stage)s has another due day."),
        button=_("Change the day"),
        consequences=[
            _(
                "The day changes for everybody, on every page; who has more time of their own keeps it if it is later."
            ),
            _("Reminders follow the new day."),
        ],
    )


# --- One person's exceptions -----------------------------------------------------------------------


def _overseen(request: UserRequest) -> Any:
    rows = Participation.objects.overseen_by(request.user)
    return rows.exclude(cycle__state=Cycle.State.DRAFT).select_related("cycle", "employee", "unit")


@login_required
@require_GET
def life_line(request: UserRequest, pk: int) -> HttpResponse:
    """One person's way through the cycle, for HR: dates, managers, absences, exceptions, then and now."""
    part = get_visible(
        _overseen(request).prefetch_related(
            Prefetch("cycle__stages"),
            "assignments__manager",
            Prefetch("extensions", Extension.objects.select_related("stage", "by")),
        ),
        request.user,
        pk=pk,
    )
    cycle, person = part.cycle, part.employee
    absences = list(Absence.objects.filter(employee=person, starts_on__lte=cycle.last_day))
    now_line = (
        ReportingLine.objects.current().filter(employee=person, kind="line").select_related("manager").first()
    )
    history = list(
        Event.objects.filter(subject_kind="cycles.participation", subject_id=part.pk)
        .select_related("actor")
        .order_by("at")
    )
    today = cycle.local_day(timezone.now())
    assignments = sorted(part.assignments.all(), key=lambda a: a.starts_on)
    current = next(
        (a for a in assignments if a.starts_on <= today and (a.ends_on is None or a.ends_on >= today)), None
    )
    events = [
        {"at": h.at, "label": _verb(h.verb), "tone": "accent", "detail": h.data.get("reason", "")}
        for h in history
    ]
    for stage in cycle.stages.all():
        events.append({"at": stage.opens_on, "label": _("%s opens") % stage, "tone": "info"})
        events.append({"at": stage.due_on, "label": _("%s due") % stage, "tone": "mute"})
    events += [
        {"at": e.due_on, "label": _("%s due for this person") % e.stage, "tone": "warn", "detail": e.reason}
        for e in part.extensions.all()
    ]
    spans = [
        {
            "start": max(a.starts_on, cycle.first_day),
            "end": a.ends_on or max(cycle.last_day, today),
            "label": a.manager.name,
            "tone": "accent" if a is current else "mute",
        }
        for a in assignments
    ] + [
        {
            "start": max(a.starts_on, cycle.first_day),
            "end": min(a.ends_on or cycle.last_day, cycle.last_day),
            "label": _("away: %s") % a.kind,
            "tone": "warn",
        }
        for a in absences
        if (a.ends_on or cycle.last_day) >= cycle.first_day
    ]
    pairs = [
        (_("Manager"), current.manager.name if current else "–", now_line.manager.name if now_line else "–"),
        (_("Unit"), str(part.unit or "–"), str(person.unit or "–")),
        (_("Title"), part.job_title or "–", person.job_title or "–"),
        (_("Grade"), part.grade or "–", person.grade or "–"),
    ]
    context = {
        "part": part,
        "cycle": cycle,
        "person": person,
        "events": events,
        "spans": spans,
        "assignments": assignments,
        "then_now": [(label, then, now, then != now) for label, then, now in pairs],
        "may_change": request.user.standing.is_hr_admin
        and part.state == "active"
        and cycle.state == "running",
    }
    return render(request, "cycles/life_line.html", context)


def _verb(verb: str) -> str:
    """A line of history in words."""
    return {
        "takes_part": _("Takes part: facts frozen"),
        "extended": _("More time"),
        "transferred": _("Another manager"),
        "left": _("Has left"),
        "joined": _("Joined late"),
    }.get(verb, verb.replace("_", " "))


def _change_page(
    request: UserRequest,
    part: Participation,
    form: Any,
    act: Callable[[], Any],
    *,
    heading: str,
    button: str,
    said: str,
    consequences: Callable[[], list[str]],
    search: bool = False,
) -> HttpResponse:
    """An exception in two looks: what it will do (by GET, changing nothing), then the act (by POST)."""
    ready = form.is_bound and form.is_valid()
    if request.method == "POST" and ready and _done(form, act):
        messages.success(request, said)
        return redirect("cycles:life_line", pk=part.pk)
    context = {
        "part": part,
        "cycle": part.cycle,
        "form": form,
        "heading": heading,
        "button": button,
        "search": search,
        "typed": _typed(request),
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
    return request.GET if needed in request.GET else None


@login_required
@require_http_methods(["GET", "POST"])
def extend(request: UserRequest, pk: int) -> HttpResponse:
    """More time for one person in one stage."""
    part = get_editable(_overseen(request), request.user, pk=pk)
    stages = part.cycle.stages.exclude(state=Stage.State.CLOSED)
    form = forms.ExtendForm(_bound(request, "due_on"), stages=stages, initial={"version": part.version})

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
        return [
            _("%(name)s has until %(day)s for %(stage)s; everybody else keeps their day.") % words,
            _("The stage stays open until then, and reminders follow the new day."),
            _("%(name)s is told, with the day and without the reason.") % words,
        ]

    name = part.employee.name
    return _change_page(
        request,
        part,
        form,
        act,
        heading=_("More time for %s") % name,
        button=_("Give more time"),
        said=_("%s has more time.") % name,
        consequences=consequences,
    )


@login_required
@require_http_methods(["GET", "POST"])
def transfer(request: UserRequest, pk: int) -> HttpResponse:
    """Another manager from a day on."""
    part = get_editable(_overseen(request).with_manager(), request.user, pk=pk)
    data = _bound(request, "manager")
    form = forms.TransferForm(
        data,
        found=_found(request, data, "manager", part.employee_id),
        initial={"version": part.version, "on": timezone.localdate()},
    )

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
        heading=_("Another manager for %s") % name,
        button=_("Hand over"),
        said=_("%s has been handed over.") % name,
        consequences=consequences,
        search=True,
    )


def _found(request: UserRequest, data: Any, field: str, but: int | None = None) -> list[tuple[int, str]]:
    """Choices of a people picker: whom the search found, and who was chosen already."""
    typed = _typed(request)
    found = list(_named(typed).exclude(pk=but)[:12]) if typed else []
    chosen = (data or {}).get(field, "")
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 18:
        found = [
            *Employee.objects.filter(pk=chosen).select_related("unit"),
            *[e for e in found if e.pk != int(chosen)],
        ]
    return [(e.pk, _who_is(e)) for e in found]


@login_required
@require_http_methods(["GET", "POST"])
def mark_left(request: UserRequest, pk: int) -> HttpResponse:
    """Freeze the part of somebody who has left."""
    part = get_editable(_overseen(request), request.user, pk=pk)
    initial = {"version": part.version, "left_on": part.employee.left_on or timezone.localdate()}
    form = forms.MarkLeftForm(_bound(request, "left_on"), initial=initial)

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
        heading=_("%s has left") % name,
        button=_("Freeze their part"),
        said=_("The part of %s is frozen.") % name,
        consequences=consequences,
    )


@login_required
@require_http_methods(["GET", "POST"])
def add_person(request: UserRequest, pk: int) -> HttpResponse:
    """Add a late joiner to a running cycle."""
    cycle = _editable_cycle(request, pk)
    data = _bound(request, "employee")
    form = forms.AddPersonForm(
        data, found=_found(request, data, "employee"), initial={"starts_on": timezone.localdate()}
    )
    ready = form.is_bound and form.is_valid()
    made: list[Participation] = []
    if request.method == "POST" and ready:
        values = form.cleaned_data

        def act() -> None:
            if values["employee"].pk == request.user.employee_id:
                raise Invalid("employee", _("Somebody else adds you."))
            made.append(
                actions.add_person(
                    cycle,
                    values["employee"],
                    starts_on=values["starts_on"],
                    reason=values["reason"],
                    by=request.user,
                )
            )

        if _done(form, act):
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
            _("%(name)s is told.") % words,
        ]
    context = {
        "cycle": cycle,
        "form": form,
        "heading": _("Add somebody to “%s”") % cycle.name,
        "button": _("Add"),
        "search": True,
        "typed": _typed(request),
        "ready": ready and form.is_valid(),
        "consequences": consequences,
        "two_looks": True,
        "back": link("home:board", pk=pk),
    }
    wrong = request.method == "POST" or (form.is_bound and not form.is_valid())
    return render(request, "cycles/change.html", context, status=422 if wrong else 200)
