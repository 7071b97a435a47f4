"""The hub of a cycle: everything HR does in it, each with its state and number, what others wait for first.

The list is `entries`: a new page of a cycle is one line there. Numbers are counted from querysets of the
apps that own the rows (`followed_in`), what is open from `open_in` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, IntegerField, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

import appraisals.models
import evaluations.models
import goals.models
import incentives.models
import pmcycle.cycles.models
from appraisals.actions import work_on_releases
from appraisals.models import Appeal
from incentives.actions import work_on_runs
from incentives.models import Run
from pmcycle.activity.models import Job
from pmcycle.cycles.actions import work_on_launch
from pmcycle.cycles.models import Cycle, CycleQuerySet, Participation, Stage
from pmcycle.home.completion import Open, open_in
from pmcycle.people.models import User
from pmcycle.ui.formats import when_text

FOLLOWED = (
    pmcycle.cycles.models.followed_in,
    goals.models.followed_in,
    appraisals.models.followed_in,
    incentives.models.followed_in,
    evaluations.models.followed_in,
)
REVIEWS_SHOWN = 20
LATE_STAGE = ngettext_lazy(
    "The stage is past its day and waits for %(n)d person.",
    "The stage is past its day and waits for %(n)d people.",
    "n",
)


@dataclass(frozen=True)
class Entry:
    """One thing HR does in a cycle. `waits` says who waits for it, empty if nobody does."""

    section: str
    title: str
    url: str
    icon: str
    tone: str
    state: str
    words: str = ""
    waits: str = ""


@dataclass(frozen=True)
class HubStage:
    """A stage at a glance: for how many people of all it is done, when it opens or ends, and who is where."""

    label: str
    words: str
    done: int
    everybody: int
    hint: str
    url: str


@dataclass(frozen=True)
class Hub:
    """The page: what others wait for, the stages, then every entry under its section, then the reviews by name."""

    cycle: Cycle
    stages: Sequence[HubStage]
    entries: Sequence[Entry]
    reviews: Sequence[Appeal]
    carried_over: int

    @property
    def waiting(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.waits]

    @property
    def sections(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.section, []).append(entry)
        return found


@dataclass(frozen=True)
class Facts:
    """What the entries are worded from."""

    cycle: Cycle
    user: User
    day: date
    n: Mapping[str, int]
    open: Open
    work: Sequence[Job]

    @property
    def may_act(self) -> bool:
        return self.user.standing.is_hr_admin

    @property
    def is_running(self) -> bool:
        return self.cycle.state == Cycle.State.RUNNING

    @property
    def is_draft(self) -> bool:
        return self.cycle.state == Cycle.State.DRAFT

    def url(self, name: str) -> str:
        return reverse(name, args=[self.cycle.pk])


def hub(cycle: Cycle, user: User, day: date) -> Hub:
    """Everything on the page, in a fixed number of statements. `cycle` comes from `with_what_it_leads_to`."""
    facts = Facts(
        cycle, user, day, numbers(cycle, user), open_in(cycle, user, day), work_in(cycle, user)
    )
    others = Participation.objects.overseen_by(user).filter(cycle=cycle).values("pk")
    reviews = Appeal.objects.visible_to(user).filter(result__participation__in=others)
    newest = reviews.select_related("result__participation__employee").order_by(
        F("decided_at").desc(nulls_first=True), "due_on", "pk"
    )
    return Hub(
        cycle,
        _stages(facts),
        list(entries(facts)),
        list(newest[:REVIEWS_SHOWN]),
        facts.n["carried_over"],
    )


def _stages(facts: Facts) -> list[HubStage]:
    """The stages of a cycle that was launched; nobody has done anything in a draft."""
    if facts.is_draft:
        return []
    everybody, board = facts.n["people"], facts.url("home:board")
    hints: dict[Stage.State, Callable[[Stage], str]] = {
        Stage.State.PLANNED: lambda stage: _("opens %s") % when_text(stage.opens_on),
        Stage.State.OPEN: lambda stage: _("open until %s") % when_text(stage.due_on),
        Stage.State.CLOSED: lambda _stage: _("closed"),
    }
    found = []
    for stage in facts.cycle.stages.all():
        done = max(facts.open.done.get(stage.kind, 0), 0)
        words = _("%(done)d of %(all)d") % {"done": done, "all": everybody}
        hint = hints[Stage.State(stage.state)](stage)
        found.append(
            HubStage(str(stage), words, done, everybody, hint, f"{board}?stage={stage.kind}")
        )
    return found


def work_in(cycle: Cycle, user: User) -> list[Job]:
    """Long work of a cycle that waits, runs or has failed, as far as the reader may see it, in one statement."""
    return list(
        work_on_launch(cycle, user) | work_on_releases(cycle, user) | work_on_runs(cycle, user),
    )


def with_what_it_leads_to() -> CycleQuerySet:
    """Cycles with the one form, plan, run and evaluation that each has, if it has them."""
    return Cycle.objects.select_related(
        "appraisal_form__form_version__form", "reward_plan", "evaluation"
    ).prefetch_related("stages", "reward_plan__runs")


def numbers(cycle: Cycle, user: User) -> dict[str, int]:
    """What the apps follow of a cycle, counted in one statement."""
    rows: dict[str, QuerySet[Any]] = {}
    for followed in FOLLOWED:
        rows |= followed(cycle, user)
    counted = {f"n_{name}": _counted(found) for name, found in rows.items()}
    found: Any = Cycle.objects.order_by().filter(pk=cycle.pk).values(**counted).get()
    return {name.removeprefix("n_"): number for name, number in found.items()}


def _counted(rows: QuerySet[Any]) -> Coalesce:
    counted = (
        rows.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk", distinct=True))
    )
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)


def entries(facts: Facts) -> Iterator[Entry]:
    """Everything HR does in a cycle, in the order in which a year brings it, after the work that is under way."""
    yield from _work(facts)
    yield from _setting_up(facts)
    yield from _people(facts)
    yield from _objectives(facts)
    yield from _appraisal(facts)
    yield from _incentives(facts)
    yield from _evaluation(facts)
    yield from _end(facts)


def _set_up(facts: Facts, step: str) -> str:
    return reverse("cycles:configure", args=[facts.cycle.pk, step])


def _setting_up(facts: Facts) -> Iterator[Entry]:
    section, cycle = _("Setting up"), facts.cycle
    if facts.is_draft:
        waits = _("Nobody sees this cycle before its launch.") if facts.may_act else ""
        yield Entry(
            section,
            _("Check and launch"),
            _set_up(facts, "check"),
            "list-check",
            "warn",
            _("being prepared"),
            _("What is missing, and the launch itself."),
            waits,
        )
    yield Entry(
        section,
        _("Settings"),
        _set_up(facts, "who"),
        "settings",
        "mute",
        _("open") if facts.is_draft else _("frozen at launch"),
        _("Who takes part, dates, rating, visibility."),
    )
    yield Entry(
        section,
        _("Days of reminders"),
        _set_up(facts, "reminders"),
        "bell",
        "mute",
        "",
        _("When the system reminds, and when the manager hears of it."),
    )
    if not facts.is_draft:
        yield Entry(
            section,
            _("What everybody sees"),
            facts.url("cycles:detail"),
            "eye",
            "mute",
            cycle.get_state_display(),
            _("Dates, ratings and rules as all read them."),
        )


def _people(facts: Facts) -> Iterator[Entry]:
    if facts.is_draft:
        return
    section, n = _("People"), facts.n
    board = facts.url("home:board")
    late = facts.open.late
    words = (
        _count(
            late,
            ngettext_lazy(
                "%(n)d stage of a person is late.", "%(n)d stages of people are late.", "n"
            ),
        )
        if late
        else ""
    )
    yield Entry(
        section,
        _("Board"),
        board,
        "layout-grid",
        "warn" if late else "info" if facts.open.due else "mute",
        _count(
            n["people"], ngettext_lazy("%(n)d person takes part", "%(n)d people take part", "n")
        ),
        words,
    )
    if facts.is_running:
        yield Entry(
            section,
            _("Remind"),
            facts.url("home:remind"),
            "bell",
            "info" if facts.open.due else "mute",
            _count(
                facts.open.due,
                ngettext_lazy(
                    "%(n)d stage of a person is open", "%(n)d stages of people are open", "n"
                ),
            ),
            _("You see first who gets what, and who does not and why."),
        )
    unled = n["without_manager"]
    if unled and facts.is_running:
        yield Entry(
            section,
            _("Without a manager"),
            f"{board}?state=blocked",
            "ban",
            "danger",
            _count(unled, ngettext_lazy("%(n)d person", "%(n)d people", "n")),
            _("Name a manager on their timeline."),
            _("They cannot go on by themselves."),
        )
    given = [
        _some(
            n["given_more_time"],
            ngettext_lazy("%(n)d given more time", "%(n)d given more time", "n"),
        ),
        _some(n["left"], ngettext_lazy("%(n)d has left.", "%(n)d have left.", "n")),
    ]
    yield Entry(
        section,
        _("Exceptions"),
        facts.url("cycles:exceptions"),
        "clock",
        "mute",
        given[0],
        f"{given[1]} {_('More time, another manager, leaving: on the timeline of each person.')}".strip(),
    )
    if facts.is_running and facts.may_act:
        yield Entry(
            section,
            _("Add somebody"),
            facts.url("cycles:add_person"),
            "user-plus",
            "mute",
            "",
            _("Who joined after the launch."),
        )


def _stage_entry(facts: Facts, section: str, kind: str, title: str) -> Iterator[Entry]:
    """How far one stage is: a stage open past its day keeps others waiting."""
    stage = next((s for s in facts.cycle.stages.all() if s.kind == kind), None)
    if stage is None or facts.is_draft:
        return
    everybody, missing = facts.n["people"], facts.open.by_stage.get(kind, 0)
    url = f"{facts.url('home:board')}?stage={kind}"
    if stage.state == Stage.State.PLANNED:
        state, tone, words = _("opens %s") % when_text(stage.opens_on), "mute", ""
        if stage.opens_on < facts.day:
            tone = "warn"
        yield Entry(section, title, url, "calendar", tone, state, words)
        return
    is_late = stage.state == Stage.State.OPEN and stage.due_on < facts.day and missing > 0
    yield Entry(
        section,
        title,
        url,
        "chart-bar",
        "warn" if is_late else "info" if stage.state == Stage.State.OPEN else "mute",
        _share(facts.open.done.get(kind, 0), everybody, _("%(done)d of %(all)d are done")),
        _("Open, due %s") % when_text(stage.due_on)
        if stage.state == Stage.State.OPEN
        else _("Closed"),
        _count(missing, LATE_STAGE) if is_late else "",
    )


def _objectives(facts: Facts) -> Iterator[Entry]:
    section, n = _("Objectives"), facts.n
    yield from _stage_entry(facts, section, "objectives", _("How far goals are"))
    published = n["company_goals"]
    yield Entry(
        section,
        _("Goals of the organisation"),
        facts.url("goals:company"),
        "building",
        "ok" if published else "mute",
        _count(published, ngettext_lazy("%(n)d published", "%(n)d published", "n")),
        _("What everybody can align their own goals to."),
    )


def _appraisal(facts: Facts) -> Iterator[Entry]:
    section, n, cycle = _("Appraisal"), facts.n, facts.cycle
    chosen = getattr(cycle, "appraisal_form", None)
    if facts.may_act:
        missing = chosen is None and facts.is_running
        yield Entry(
            section,
            _("Appraisal form"),
            facts.url("appraisals:form"),
            "file-text",
            "danger" if missing else "ok" if chosen else "mute",
            chosen.form_version.form.name if chosen else _("not chosen"),
            "",
            _("Without a form nobody can appraise.") if missing else "",
        )
    if facts.is_draft:
        return
    yield from _stage_entry(facts, section, "appraisal", _("How far appraisals are"))
    yield Entry(
        section,
        _("Calibration"),
        facts.url("appraisals:calibrations"),
        "layout-grid",
        "info" if n["sessions_open"] else "mute",
        _count(n["sessions_open"], ngettext_lazy("%(n)d session open", "%(n)d sessions open", "n")),
        _count(n["sessions"], ngettext_lazy("%(n)d session in all", "%(n)d sessions in all", "n")),
    )
    yield from _release(facts, section)
    undecided = n["reviews_undecided"]
    yield Entry(
        section,
        _("Reviews"),
        "#reviews",
        "scale",
        "warn" if undecided else "mute",
        _count(undecided, ngettext_lazy("%(n)d review undecided", "%(n)d reviews undecided", "n")),
        _count(
            n["reviews"], ngettext_lazy("%(n)d asked for in all", "%(n)d asked for in all", "n")
        ),
        _("Each has a day by which it is decided.") if undecided else "",
    )


def _release(facts: Facts, section: str) -> Iterator[Entry]:
    n = facts.n
    if not facts.may_act:
        return
    if n["releases_waiting"]:
        state, tone = _("waits for a second person"), "warn"
    elif n["held_by_first_mention"]:
        state = _count(
            n["held_by_first_mention"],
            ngettext_lazy("%(n)d held by first mention", "%(n)d held by first mention", "n"),
        )
        tone = "warn"
    elif n["ready"]:
        state, tone = _count(n["ready"], ngettext_lazy("%(n)d ready", "%(n)d ready", "n")), "info"
    else:
        state, tone = _share(n["released"], n["people"], _("%(done)d of %(all)d released")), "mute"
    words = ", ".join(
        [
            _count(
                n["ready"], ngettext_lazy("%(n)d ready to release", "%(n)d ready to release", "n")
            ),
            _share(n["released"], n["people"], _("%(done)d of %(all)d released")),
        ]
    )
    waits = ""
    if n["releases_waiting"]:
        waits = _("Another HR admin approves it; results open then.")
    elif n["held_by_first_mention"]:
        waits = _("A low rating that the person has not heard of before holds their result.")
    yield Entry(
        section,
        _("Release of results"),
        facts.url("appraisals:release"),
        "lock-open",
        tone,
        state,
        words,
        waits,
    )


RUN_WAITS: dict[str, Any] = {
    Run.State.CALCULATED: lambda: _("The managers cannot recommend yet."),
    Run.State.APPROVED: lambda: _("Approved statements wait for another person's release."),
    Run.State.RELEASED: lambda: _("Payroll waits for its file."),
}


def _incentives(facts: Facts) -> Iterator[Entry]:
    section, n = _("Rewards"), facts.n
    plan = getattr(facts.cycle, "reward_plan", None)
    runs = list(plan.runs.all()) if plan else []
    run = runs[-1] if runs else None
    to_publish = plan is not None and not plan.is_published and plan.drafted_by_id is not None
    yield Entry(
        section,
        _("Reward plan"),
        facts.url("incentives:plan"),
        "adjustments",
        "mute" if plan is None else "ok" if plan.is_published else "warn",
        _("none") if plan is None else _("published") if plan.is_published else _("not published"),
        _("Rules, pools and the rehearsal on an earlier cycle."),
        _("A second person publishes the rules.") if to_publish else "",
    )
    if facts.is_draft:
        return
    yield Entry(
        section,
        _("Published rules"),
        facts.url("incentives:criteria"),
        "eye",
        "mute",
        "",
        _("What everybody reads."),
    )
    sheets = facts.open.sheets
    held = _some(n["awards_held"], ngettext_lazy("%(n)d award held", "%(n)d awards held", "n"))
    words = (
        RUN_WAITS[run.state]()
        if run is not None and run.state in RUN_WAITS and facts.may_act
        else ""
    )
    if run is not None and run.state == Run.State.RECOMMENDING:
        words = (
            _count(
                sheets,
                ngettext_lazy(
                    "%(n)d team is not handed in yet.", "%(n)d teams are not handed in yet.", "n"
                ),
            )
            if sheets
            else _("All teams are handed in; a second person approves.")
        )
    yield Entry(
        section,
        _("Reward run"),
        facts.url("incentives:run"),
        "coin",
        "mute" if run is None else "info",
        _("not calculated") if run is None else run.get_state_display(),
        held,
        words,
    )
    yield from _stage_entry(facts, section, "incentives", _("How far rewards are"))
    proposed = n["restraints_proposed"]
    yield Entry(
        section,
        _("Restraints"),
        reverse("incentives:restraints"),
        "scale",
        "warn" if proposed else "mute",
        _some(proposed, ngettext_lazy("%(n)d undecided", "%(n)d undecided", "n")),
        _some(n["restraints_in_force"], ngettext_lazy("%(n)d in effect", "%(n)d in effect", "n")),
        _("Nothing takes effect before it is decided.") if proposed else "",
    )
    yield Entry(
        section,
        _("Statements"),
        facts.url("incentives:run"),
        "file-text",
        "mute",
        _share(n["statements_read"], n["statements"], _("%(done)d of %(all)d read"))
        if n["statements"]
        else "",
        _("Each stands on the page of its person."),
    )
    if facts.may_act:
        yield Entry(
            section,
            _("Files for payroll"),
            f"{facts.url('incentives:run')}#payroll",
            "download",
            "mute",
            _some(n["payroll_files"], ngettext_lazy("%(n)d file", "%(n)d files", "n")),
            "",
        )


def _evaluation(facts: Facts) -> Iterator[Entry]:
    if facts.is_draft:
        return
    section, n = _("Evaluation"), facts.n
    yield from _stage_entry(facts, section, "evaluation", _("How far evaluations are"))
    counted = getattr(facts.cycle, "evaluation", None)
    if counted is not None and counted.published_at:
        state, tone = _("published"), "ok"
    elif counted is not None and counted.computed_at:
        state, tone = _("counted, not published"), "info"
    else:
        state, tone = _("not counted"), "mute"
    words = _("Closing evaluations: %(signed)d signed, %(shared)d wait for a signature.") % {
        "signed": n["evaluations_signed"],
        "shared": n["evaluations_shared"],
    }
    yield Entry(
        section,
        _("What the cycle achieved"),
        facts.url("evaluations:cycle"),
        "chart-bar",
        tone,
        state,
        words,
    )


def _end(facts: Facts) -> Iterator[Entry]:
    section, cycle, n = _("The end"), facts.cycle, facts.n
    if facts.is_draft:
        return
    if facts.is_running and facts.may_act:
        yield Entry(
            section,
            _("Close the cycle"),
            facts.url("cycles:close"),
            "flag",
            "mute",
            _("running until %s") % when_text(cycle.last_day),
            _("You read first what is left behind."),
        )
    elif not facts.is_running:
        asked = n["reopenings"]
        yield Entry(
            section,
            _("Closed"),
            facts.url("cycles:detail"),
            "lock",
            "warn" if asked else "mute",
            cycle.get_state_display(),
            _("Everything in it stays readable. Two of you can open it again."),
            _("Another HR admin approves that it is opened again.") if asked else "",
        )
    yield Entry(
        section,
        _("Mails about it"),
        reverse("activity:deliveries"),
        "mail",
        "mute",
        "",
        _("Who got which reminder, when, and why not."),
    )


def _work(facts: Facts) -> Iterator[Entry]:
    """Long work that waits, runs or has failed, each with the way to its page."""
    for job in facts.work:
        words = _("It stopped: read why, and try again.") if job.is_failed else job.progress_words
        yield Entry(
            _("Long work"),
            job.title,
            reverse("activity:job", args=[job.pk]),
            "refresh",
            "danger" if job.is_failed else "info",
            job.get_state_display(),
            words,
            words if job.is_failed else "",
        )


def _share(done: int, everybody: int, words: str) -> str:
    return words % {"done": max(done, 0), "all": everybody}


def _count(number: int, words: Any) -> str:
    return str(words % {"n": number})


def _some(number: int, words: Any) -> str:
    """The same where there are any: that there are none is not worth a badge."""
    return _count(number, words) if number else ""
