"""HR sets up a cycle step by step, checks and launches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.activity.given_back import led_to
from pmcycle.activity.tasks import wake
from pmcycle.cycles import actions, forms, rules, tasks
from pmcycle.cycles.actions import link
from pmcycle.cycles.models import (
    Cycle,
    ReminderPolicy,
    StageKind,
    matching,
    population,
)
from pmcycle.cycles.pages import STEPS, CheckStep, ReminderRow, Step, line_of
from pmcycle.cycles.views.shared import editable_cycle, named, who_is
from pmcycle.days import today_here
from pmcycle.errors import Refused
from pmcycle.people.models import Employee, Unit, calendar
from pmcycle.typed import done, read_version, row_number, search_words


@login_required
@require_http_methods(["GET", "POST"])
def create(request: UserRequest) -> HttpResponse:
    """A new cycle: blank, or like an earlier one."""
    if not request.user.standing.is_hr_admin:
        if request.user.standing.is_hr:
            raise PermissionDenied(_("HR admins make cycles."))
        raise Http404
    earlier = Cycle.objects.visible_to(request.user)
    today = today_here()
    first = today.replace(month=1, day=1, year=today.year + (today.month > 6))
    initial = {
        "name": _("Cycle %s") % first.year,
        "first_day": first,
        "last_day": first.replace(month=12, day=31),
        "copy_of": search_words(request, "copy_of"),
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

        if done(form, act):
            return redirect("cycles:configure", pk=made[0].pk, step="who")
    status = 422 if form.is_bound else 200
    return render(request, "cycles/create.html", {"form": form}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def configure(request: UserRequest, pk: int, step: str) -> HttpResponse:
    """One step of setting up a cycle. Partners read, admins write, until it is launched."""
    if step not in STEPS:
        raise Http404
    source = Cycle.objects.configured_by(request.user).for_setting_up()
    cycle = (get_editable if request.method == "POST" else get_visible)(source, request.user, pk=pk)
    return HANDLERS[step](request, cycle)


def _page(
    request: UserRequest, cycle: Cycle, step: str, *, wrong: bool = False, **context: Any
) -> HttpResponse:
    if "person" not in context:
        context["person"] = population(cycle, cycle.local_day(timezone.now())).first()
    context["cycle"] = cycle
    context["step"] = Step(cycle, step, request.user.standing.is_hr_admin, context["person"])
    return render(request, f"cycles/configure_{step}.html", context, status=422 if wrong else 200)


def _saved(request: UserRequest, cycle: Cycle, step: str) -> HttpResponse:
    """After saving: the next step, or this one again for who wants to go on here."""
    messages.success(request, _("“%s” is saved.") % STEPS[step][1])
    names = list(STEPS)
    target = step if "stay" in request.POST else names[names.index(step) + 1]
    return redirect("cycles:configure", pk=cycle.pk, step=target)


def _who_form(request: UserRequest, data: Any = None, cycle: Any = None) -> forms.WhoForm:
    """The rule as typed, else as `cycle` has it. Whom it leaves out by name, and whom a search for more found."""
    known = Employee.objects.aggregate(
        locations=ArrayAgg("location", distinct=True, order_by="location", default=[]),
        grades=ArrayAgg("grade", distinct=True, order_by="grade", default=[]),
    )
    tree = _tree()
    units = [(u.pk, "– " * (u.path.count("/") - 1) + u.name) for u in tree]
    initial, left_out = {}, set[int]()
    if cycle is not None:
        left_out = set(cycle.excluded_ids)
        initial = {
            **cycle.population.conditions(),
            "version": cycle.population.version,
            "units": [u.pk for u in tree if u.path in cycle.unit_paths],
            "excluded": cycle.excluded_ids,
        }
    if data is not None:
        left_out |= {
            pk for text in data.getlist("excluded") if (pk := row_number(text)) is not None
        }
    typed = search_words(request, "exclude")
    people = (
        list(Employee.objects.filter(pk__in=left_out).select_related("unit")) if left_out else []
    )
    people += named(typed).exclude(pk__in=left_out)[:8] if typed else []
    form = forms.WhoForm(data, initial=initial, **known, units=units)
    excluded: Any = form.fields["excluded"]
    excluded.choices = [(e.pk, who_is(e)) for e in people]
    return form


def _tree() -> list[Unit]:
    """Units in the order of the tree, each below its parent."""
    units = list(Unit.objects.all())
    names = {str(u.pk): u.name for u in units}
    return sorted(
        units, key=lambda u: [names.get(part, "") for part in u.path.strip("/").split("/")]
    )


def _shown(people: QuerySet[Employee], page: str | None) -> dict[str, Any]:
    """How many a rule takes in, by unit, and their names page by page: two statements."""
    by_unit = list(
        people.order_by()
        .values_list("unit__name")
        .annotate(n=Count("pk"))
        .order_by("-n", "unit__name")
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


def configure_who(request: UserRequest, cycle: Cycle) -> HttpResponse:
    form = _who_form(request, request.POST if request.method == "POST" else None, cycle)
    # Looking for somebody brings the rest of the rule along and saves nothing of it yet.
    looks = "find" in request.POST
    if request.method == "POST" and not looks and form.is_valid():
        data = form.cleaned_data
        if done(
            form,
            lambda: actions.save_population(
                cycle, data, version=data["version"] or 0, by=request.user
            ),
        ):
            return _saved(request, cycle, "who")
    shown = _shown(population(cycle, cycle.local_day(timezone.now())), request.GET.get("page"))
    person = next(iter(shown["people"]), None)
    return _page(
        request,
        cycle,
        "who",
        wrong=form.is_bound and not looks,
        form=form,
        person=person,
        **shown,
        exclude=search_words(request, "exclude"),
    )


@login_required
@require_GET
def preview(request: UserRequest, pk: int) -> HttpResponse:
    """Whom the rule on the screen would take in, before it is saved."""
    cycle = get_visible(Cycle.objects.configured_by(request.user), request.user, pk=pk)
    form = _who_form(request, request.GET)
    shown: dict[str, Any] = {"wrong": True}
    if form.is_valid():
        data = form.cleaned_data
        reach = {
            "unit_paths": [u.path for u in data["units"]],
            "excluded_ids": [e.pk for e in data["excluded"]],
        }
        people = matching({**data, **reach}, cycle.local_day(timezone.now()))
        shown = _shown(people, request.GET.get("page"))
    return render(
        request, "cycles/configure_who.html#preview", {"cycle": cycle, "form": form, **shown}
    )


def configure_stages(request: UserRequest, cycle: Cycle) -> HttpResponse:
    initial = forms.StagesForm.initial_of(cycle, cycle.stages.all())
    form = forms.StagesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data, dates = form.cleaned_data, form.dates()
        if done(
            form,
            lambda: actions.save_stages(
                cycle, data, dates, version=data["version"], by=request.user
            ),
        ):
            return _saved(request, cycle, "stages")
    stages, today = list(cycle.stages.all()), cycle.local_day(timezone.now())
    findings = rules.date_findings(
        [s.dates for s in stages],
        first=cycle.first_day,
        last=cycle.last_day,
        today=today,
        may_overlap=cycle.stages_may_overlap,
        calendar=calendar(),
    )
    shown = {"line": line_of(stages), "today": today, "findings": findings}
    return _page(request, cycle, "stages", wrong=form.is_bound, form=form, **shown)


def configure_rating(request: UserRequest, cycle: Cycle) -> HttpResponse:
    scale = getattr(cycle, "scale", None)
    rows = [
        {
            "place": x.position,
            "label": x.label,
            "meaning": x.meaning,
            "value": f"{x.value.normalize():f}",
            "needs_mention": x.needs_mention,
        }
        for x in (scale.levels.all() if scale else [])
    ]
    initial = {"name": scale.name if scale else "", "version": scale.version if scale else 1}
    template = rules.SCALES.get(search_words(request, "copy"))
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
        if done(
            form, lambda: actions.save_scale(cycle, name, found, version=version, by=request.user)
        ):
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
        form_url=link("appraisals:form", pk=cycle.pk) if request.user.standing.is_hr_admin else "",
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
    form = forms.VisibilityForm(
        request.POST or None, initial={name: getattr(cycle, name) for name in names}
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if done(
            form,
            lambda: actions.save_policies(cycle, data, version=data["version"], by=request.user),
        ):
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
    form = forms.RemindersForm(
        request.POST or None, initial=forms.RemindersForm.initial_of(cycle, policies)
    )
    if request.method == "POST" and form.is_valid():
        version, chosen = form.cleaned_data["version"], form.policies()
        if done(
            form, lambda: actions.save_reminders(cycle, chosen, version=version, by=request.user)
        ):
            return _saved(request, cycle, "reminders")
    person = population(cycle, cycle.local_day(timezone.now())).first()
    rows = [
        ReminderRow(
            stage,
            policies.get(stage.kind),
            person,
            *(form[f"{stage.kind}_{part}"] for part in ("before", "after", "escalate")),
        )
        for stage in cycle.stages.all()
    ]
    return _page(
        request, cycle, "reminders", wrong=form.is_bound, form=form, rows=rows, person=person
    )


def configure_check(request: UserRequest, cycle: Cycle) -> HttpResponse:
    day = cycle.local_day(timezone.now())
    is_hr_admin = request.user.standing.is_hr_admin
    check = CheckStep(
        actions.check(cycle, on=day),
        list(cycle.stages.all()),
        day,
        may_edit=is_hr_admin and cycle.state == Cycle.State.DRAFT,
        is_hr_admin=is_hr_admin,
    )
    work = actions.work_on_launch(cycle, request.user)
    return _page(request, cycle, "check", check=check, work=work, person=None)


HANDLERS: dict[str, Callable[[UserRequest, Cycle], HttpResponse]] = {
    "who": configure_who,
    "stages": configure_stages,
    "rating": configure_rating,
    "visibility": configure_visibility,
    "rewards": configure_rewards,
    "reminders": configure_reminders,
    "check": configure_check,
}


@login_required
@require_POST
def accept_warning(request: UserRequest, pk: int) -> HttpResponse:
    cycle = editable_cycle(request, pk)
    form = forms.AcceptForm(request.POST)
    if not form.is_valid():
        raise Refused(_("Look at the check again: this warning could not be read."))
    actions.accept_warning(
        cycle, form.cleaned_data["code"], form.cleaned_data["count"], by=request.user
    )
    return redirect("cycles:configure", pk=pk, step="check")


@login_required
@require_POST
def launch(request: UserRequest, pk: int) -> HttpResponse:
    """Hand the launch to a worker, if the check lets it through now."""
    cycle = editable_cycle(request, pk)
    job = actions.request_launch(cycle, by=request.user)
    wake(tasks.launch_waiting)
    return led_to(request, job)


@login_required
@require_POST
def discard(request: UserRequest, pk: int) -> HttpResponse:
    cycle = editable_cycle(request, pk)
    actions.discard(cycle, version=read_version(request), by=request.user)
    messages.success(request, _("The draft “%s” is gone.") % cycle.name)
    return redirect("cycles:list")
