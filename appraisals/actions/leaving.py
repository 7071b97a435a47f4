"""What the appraisal stage, or a release of results, would leave open or held."""

from __future__ import annotations

from django.db.models import DateField, Exists, ExpressionWrapper, F, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import ngettext

from appraisals.models import (
    FIRST_MENTION,
    Appeal,
    Appraisal,
    CalibrationSession,
    Rating,
    Release,
    ReleasedResult,
)
from pmcycle.cycles.actions import leftover
from pmcycle.cycles.models import Cycle, Participation, day_in, day_of, taking_part
from pmcycle.cycles.rules import Leftover
from pmcycle.people.models import User


def left_of_appraisals(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Everything of the stage that is open or held, in the order in which it is settled."""
    return [
        *_self(cycle, reader),
        *_unrated(cycle, reader),
        *_calibrating(cycle, reader),
        *_held(cycle, reader),
        *_asked(cycle, reader),
        *_unreleased(cycle, reader),
        *_reviews(cycle, reader),
        *_unread(cycle, reader),
        *_may_ask(cycle, reader),
    ]


def left_of_release(
    cycle: Cycle, reader: User, *, with_first_mentions: bool = False
) -> list[Leftover]:
    """What a release of results would leave out: unrated, held by first mention; or what stands against it.

    Without the reader's own: nobody learns of their rating before its release.
    """
    held = [] if with_first_mentions else _held(cycle, reader)
    return [*_unrated(cycle, reader), *_calibrating(cycle, reader), *held]


def _self(cycle: Cycle, reader: User | None) -> list[Leftover]:
    rows = Appraisal.objects.filter(
        taking_part(cycle), kind=Appraisal.Kind.SELF, submitted_at__isnull=True
    )
    return leftover(
        "appraisals:self",
        lambda n: ngettext(
            "%(n)d self-appraisal is not handed in.", "%(n)d self-appraisals are not handed in.", n
        ),
        rows,
        reader=reader,
        person="author",
        pk="participation_id",
    )


def _unrated(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Nobody has handed in a rating of them: their manager has not yet, or they have no manager."""
    # As a set that is read once: PostgreSQL takes what is releasable for a handful, and asked person by person it
    # would be read again for each of a hundred thousand.
    ready = Rating.objects.releasable(cycle, timezone.now()).values("participation")
    rows = Participation.objects.exclude(pk__in=ready).filter(
        taking_part(cycle, ""),
        ~Exists(ReleasedResult.objects.filter(participation=OuterRef("pk"))),
    )
    return leftover(
        "appraisals:unrated",
        lambda n: ngettext(
            "%(n)d person has no rating: the manager's appraisal is not handed in.",
            "%(n)d people have no rating: the manager's appraisal is not handed in.",
            n,
        ),
        rows,
        reader=reader,
        person="employee",
        without_own=True,
    )


def _calibrating(cycle: Cycle, reader: User | None) -> list[Leftover]:
    rows = CalibrationSession.objects.filter(cycle=cycle, state=CalibrationSession.State.OPEN)
    return leftover(
        "appraisals:calibration",
        lambda n: ngettext(
            "%(n)d calibration is open: ratings may still move.",
            "%(n)d calibrations are open: ratings may still move.",
            n,
        ),
        rows,
        reader=reader,
        name="name",
        url_name="appraisals:calibration",
        refuses=True,
    )


def _held(cycle: Cycle, reader: User | None) -> list[Leftover]:
    written = Appraisal.objects.filter(
        participation=OuterRef("participation"),
        kind=Appraisal.Kind.MANAGER,
        author=OuterRef("proposed_by"),
    )
    rows = (
        Rating.objects.releasable(cycle, timezone.now())
        .filter(FIRST_MENTION)
        .annotate(written=Subquery(written.values("pk")[:1]))
    )
    return leftover(
        "appraisals:first_mention",
        lambda n: ngettext(
            "%(n)d low rating is held: nothing is cited that the person was told in time.",
            "%(n)d low ratings are held: nothing is cited that the person was told in time.",
            n,
        ),
        rows,
        reader=reader,
        person="participation__employee",
        url_name="appraisals:read",
        pk="written",
        without_own=True,
    )


def _asked(cycle: Cycle, reader: User | None) -> list[Leftover]:
    rows = Release.objects.filter(cycle=cycle, done_at__isnull=True, withdrawn_at__isnull=True)
    return leftover(
        "appraisals:release",
        lambda n: ngettext(
            "%(n)d release of results is asked for and not done: approve or withdraw it.",
            "%(n)d releases of results are asked for and not done: approve or withdraw them.",
            n,
        ),
        rows,
        reader=reader,
        name="requested_by__name",
        url_name="appraisals:release",
        pk="cycle_id",
        refuses=True,
    )


def _unreleased(cycle: Cycle, reader: User | None) -> list[Leftover]:
    rows = Rating.objects.releasable(cycle, timezone.now()).exclude(FIRST_MENTION)
    return leftover(
        "appraisals:unreleased",
        lambda n: ngettext(
            "%(n)d rating is ready and not released.",
            "%(n)d ratings are ready and not released.",
            n,
        ),
        rows,
        reader=reader,
        person="participation__employee",
        url_name="appraisals:release",
        pk="participation__cycle_id",
        refuses_end=True,
        without_own=True,
    )


def _reviews(cycle: Cycle, reader: User | None) -> list[Leftover]:
    rows = Appeal.objects.to_decide().filter(result__participation__cycle=cycle)
    return leftover(
        "appraisals:review",
        lambda n: ngettext("%(n)d review is not decided.", "%(n)d reviews are not decided.", n),
        rows,
        reader=reader,
        person="result__participation__employee",
        url_name="appraisals:appeal",
        refuses_end=True,
    )


def _unread(cycle: Cycle, reader: User | None) -> list[Leftover]:
    rows = ReleasedResult.objects.newest().filter(
        taking_part(cycle), acknowledgement__isnull=True, appeal__isnull=True
    )
    return leftover(
        "appraisals:unread",
        lambda n: ngettext(
            "%(n)d person has not acknowledged the result.",
            "%(n)d people have not acknowledged their results.",
            n,
        ),
        rows,
        reader=reader,
        person="participation__employee",
        url_name="appraisals:result",
    )


def _may_ask(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """Their time to ask for a review is not over, and it ends with the cycle."""
    last_day = ExpressionWrapper(
        day_of(F("released_at"), "participation__cycle") + F("participation__cycle__appeal_days"),
        output_field=DateField(),
    )
    rows = (
        ReleasedResult.objects.newest()
        .annotate(last_day=last_day)
        .filter(
            taking_part(cycle),
            number=1,
            appeal__isnull=True,
            last_day__gte=day_in("participation__cycle"),
        )
    )
    return leftover(
        "appraisals:may_ask",
        lambda n: ngettext(
            "%(n)d person can still ask for a review.",
            "%(n)d people can still ask for a review.",
            n,
        ),
        rows,
        reader=reader,
        person="participation__employee",
        url_name="appraisals:result",
        only_at_end=True,
    )
