"""What a cycle achieved, counted from its rows, and opened to those who took part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from appraisals.models import Appeal, Citation, ReleasedResult
from evaluations import rules
from evaluations.models import CycleEvaluation
from feedback.models import CheckIn, Entry
from goals.models import Goal, GoalVersion
from incentives.models import OPEN_TO_THE_PERSON, Award
from pmcycle.activity.actions import record
from pmcycle.activity.models import Milestone, ToDo
from pmcycle.cycles.models import Cycle, Participation, RatingLevel, StageKind, due_day
from pmcycle.days import bounds_of
from pmcycle.errors import Refused, check_version
from pmcycle.people.models import User

# What is done until goals are agreed; a change that is asked for afterwards is none of it.
PLANNING = ["goals:propose", "goals:complete", "goals:answer", "goals:answer_own"]


def compute(cycle: Cycle, *, by: User) -> CycleEvaluation:
    """Count what the cycle achieved, from the rows as they are now, and keep the figures."""
    with transaction.atomic():
        Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        row, _new = CycleEvaluation.objects.get_or_create(cycle=cycle)
        if row.published_at is not None:
            raise Refused(_("This evaluation is published. Its figures stay as they were read."))
        row.figures, row.computed_at, row.version = (
            figures_of(cycle),
            timezone.now(),
            row.version + 1,
        )
        row.save()
        record("computed_cycle_evaluation", row, by=by)
        return row


def publish(evaluation: CycleEvaluation, *, version: int | None, by: User) -> CycleEvaluation:
    """Open the figures to everybody who took part."""
    with transaction.atomic():
        row = CycleEvaluation.objects.select_for_update().get(pk=evaluation.pk)
        check_version(row, version)
        if row.computed_at is None:
            raise Refused(_("Count the figures first."))
        if row.published_at is not None:
            raise Refused(_("This evaluation is published already."))
        row.published_at, row.published_by, row.version = timezone.now(), by, row.version + 1
        row.save()
        record("published_cycle_evaluation", row, by=by)
        return row


def figures_of(cycle: Cycle) -> dict[str, Any]:
    """The figures of a cycle as plain values: on-time shares, authorship, ratings, rewards, talks, appeals.

    A constant number of statements whatever the size of the company.
    """
    people = Participation.objects.filter(cycle=cycle, state=Participation.State.ACTIVE)
    total = people.count()
    goals = Goal.objects.filter(participation__in=people, agreed__isnull=False)
    on_time = [
        _row(label, _on_time(cycle, people, milestone, stage, kinds), total)
        for label, milestone, stage, kinds in (
            (gettext_noop("Goals agreed"), "goals_agreed", StageKind.OBJECTIVES, PLANNING),
            (
                gettext_noop("Self-appraisals"),
                "self_handed_in",
                StageKind.APPRAISAL,
                ["appraisals:self"],
            ),
            (
                gettext_noop("Manager appraisals"),
                "manager_handed_in",
                StageKind.APPRAISAL,
                ["appraisals:manager"],
            ),
            (
                gettext_noop("Evaluations signed"),
                "signed",
                StageKind.EVALUATION,
                ["evaluations:sign"],
            ),
        )
    ]
    results = ReleasedResult.objects.filter(participation__in=people)
    appeals = Appeal.objects.filter(result__participation__in=people).aggregate(
        filed=Count("pk"), upheld=Count("pk", filter=Q(outcome="upheld"))
    )
    # What is not released has not happened yet: a count would tell of it before its time.
    released = ReleasedResult.objects.newest().filter(participation__in=people)
    low = released.filter(level__needs_mention=True)
    told = low.filter(
        Exists(Citation.objects.filter(appraisal__participation=OuterRef("participation")))
    )
    awards = Award.objects.filter(
        participation__in=people, amount__gt=0, run__state__in=OPEN_TO_THE_PERSON
    )
    talks = Entry.objects.filter(conversation__participation__in=people).count()
    begins, ends = bounds_of(cycle.first_day, cycle.last_day, cycle.tzinfo)
    held = CheckIn.objects.filter(
        state=CheckIn.State.HELD,
        employee__in=people.values("employee"),
        starts_at__gte=begins,
        starts_at__lt=ends,
    ).count()
    return {
        "people": total,
        "on_time": on_time,
        "authorship": _authorship(goals),
        "ratings": _ratings(cycle, released),
        "released": results.count(),
        "appeals": appeals,
        "first_mentions": low.count() - told.count(),
        "low_ratings": low.count(),
        "rewards": _rewards(awards, total),
        "entries": talks,
        "check_ins": held,
    }


def _on_time(
    cycle: Cycle,
    people: QuerySet[Participation],
    milestone: str,
    stage: StageKind,
    kinds: Sequence[str],
) -> int:
    """How many people reached a milestone with nothing of these kinds done after its day, where the cycle is.

    A to-do that is done keeps the day by which it was due then: more time that is given before counts, a later
    day that is given afterwards changes nothing, and what is done once more counts by the day it had itself.
    """
    reached = Milestone.objects.filter(participation=OuterRef("pk"), kind=milestone)
    done = ToDo.objects.filter(
        cycle=cycle,
        about=OuterRef("employee"),
        kind__in=kinds,
        phase=ToDo.Phase.TODO,
        done_at__isnull=False,
    )
    late = done.annotate(done_on=TruncDate("done_at", tzinfo=cycle.tzinfo)).filter(
        done_on__gt=F("due_on")
    )
    # What was brought in as done was never anybody's to-do; there is only its own time.
    in_time = reached.annotate(
        reached_on=TruncDate("at", tzinfo=cycle.tzinfo), last_day=due_day(stage, "participation")
    ).filter(reached_on__lte=F("last_day"))
    return (
        people.filter(Exists(reached), ~Exists(late)).filter(Exists(done) | Exists(in_time)).count()
    )


def _ratings(cycle: Cycle, released: QuerySet[ReleasedResult]) -> list[dict[str, Any]]:
    """Released results by level, as managers proposed them and as they count; small groups are left out."""
    before = dict(released.values_list("participation__rating__proposed").annotate(n=Count("pk")))
    after = dict(released.values_list("level").annotate(n=Count("pk")))
    levels = RatingLevel.objects.filter(scale__cycle=cycle)
    rows = [
        {"label": level.label, "before": before.get(level.pk, 0), "after": after.get(level.pk, 0)}
        for level in levels
    ]
    return rules.suppressed(rows, "before", "after")


def _row(label: str, part: int, whole: int) -> dict[str, Any]:
    fraction = rules.share(part, whole)
    return {
        "label": label,
        "done": part,
        "of": whole,
        "share": str(fraction) if fraction is not None else None,
    }


def _authorship(goals: Any) -> dict[str, int]:
    """How many agreed goals both sides worded, the employee alone, the manager alone, or nobody: carried over."""
    by_employee = GoalVersion.objects.filter(
        goal=OuterRef("pk"),
        number__lte=OuterRef("agreed__number"),
        author=OuterRef("participation__employee"),
    )
    by_other = GoalVersion.objects.filter(
        goal=OuterRef("pk"), number__lte=OuterRef("agreed__number"), author__isnull=False
    ).exclude(author=OuterRef("participation__employee"))
    counts = goals.annotate(by_employee=Exists(by_employee), by_other=Exists(by_other)).aggregate(
        co_authored=Count("pk", filter=Q(by_employee=True, by_other=True)),
        own=Count("pk", filter=Q(by_employee=True, by_other=False)),
        handed_down=Count("pk", filter=Q(by_employee=False, by_other=True)),
        carried=Count("pk", filter=Q(by_employee=False, by_other=False)),
    )
    return {key: int(value) for key, value in counts.items()}


def _rewards(awards: Any, total: int) -> list[dict[str, Any]]:
    """Number of people with an award by component; small groups are left out with the next smallest."""
    rows = [
        {"label": label, "people": people}
        for label, people in awards.values_list("component__name").annotate(
            n=Count("participation", distinct=True)
        )
    ]
    return [{**row, "of": total} for row in rules.suppressed(rows, "people")]
