"""Who was left out of the runs so far, by name and cause, and the supplementary run in which they follow."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from appraisals.models import ReleasedResult
from incentives.actions.holding import hold_plan
from incentives.models import OVERSEERS, Award, AwardQuerySet, Plan, RestraintEntry, Run
from pmcycle.activity.actions import record
from pmcycle.cycles.models import Participation, Relation, related
from pmcycle.errors import Refused
from pmcycle.people.models import User


@dataclass
class Waiting:
    """One person who waits for a run, with the causes in words, each once.

    `is_ready` says that a cause is gone, so that the next calculation says something.
    """

    participation: Participation
    causes: list[str] = field(default_factory=list)
    is_ready: bool = False


def not_in_a_run(plan: Plan) -> QuerySet[Participation]:
    """Who takes part and is in no calculated run of the plan: they joined after it."""
    known = Award.objects.filter(run__plan=plan, participation=OuterRef("pk"))
    return Participation.objects.filter(
        ~Exists(known), cycle=plan.cycle_id, state=Participation.State.ACTIVE
    )


def last_said(plan: Plan) -> AwardQuerySet:
    """What the newest run says of each person and component."""
    newer = Award.objects.filter(
        run__plan=plan,
        component=OuterRef("component"),
        participation=OuterRef("participation"),
        run__number__gt=OuterRef("run__number"),
    )
    return Award.objects.filter(
        ~Exists(newer), run__plan=plan, participation__state=Participation.State.ACTIVE
    )


def waiting(plan: Plan, *, seen_by: User | None = None) -> list[Waiting]:
    """Everybody whom a supplementary run is for, by name; of them those whom `seen_by` may see. Two statements.

    Left out for a missing fact, restrained by an entry that has ended since, had left and is back, or not in
    any run yet.
    """
    rated = Exists(ReleasedResult.objects.filter(participation=OuterRef("participation")))
    ended = RestraintEntry.objects.filter(
        participation=OuterRef("participation"),
        component_kind=OuterRef("component__kind"),
        state__in=[RestraintEntry.State.LIFTED, RestraintEntry.State.LAPSED],
        decided_at__isnull=False,
    )
    in_force = RestraintEntry.objects.in_force().filter(
        participation=OuterRef("participation"),
        component_kind=OuterRef("component__kind"),
        effect="zero",
    )
    set_free = Q(Exists(ended), ~Exists(in_force), ineligible_why="restrained")
    rows = (
        (last_said(plan).visible_to(seen_by) if seen_by else last_said(plan))
        .filter(Q(pk__in=Award.objects.left_out().filter(run__plan=plan)) | set_free)
        .annotate(is_rated=rated)
        .select_related("participation__employee", "participation__unit", "component")
        .order_by("participation__employee__sort_name", "participation", "component")
    )
    found: dict[int, Waiting] = {}
    for row in rows:
        person = found.setdefault(row.participation_id, Waiting(row.participation))
        words = row.why_words
        if row.ineligible_why == "restrained":
            words, person.is_ready = _("The entry that took it away has ended"), True
        elif row.ineligible_why == "left":
            words, person.is_ready = _("Had left at the calculation, and is back"), True
        elif row.ineligible_why == "no_rating" and vars(row)["is_rated"]:
            words, person.is_ready = _("Rated since the calculation"), True
        if words not in person.causes:
            person.causes.append(words)
    late = not_in_a_run(plan)
    if seen_by:
        late = late.filter(
            related(seen_by, *OVERSEERS, to="") & ~related(seen_by, Relation.SELF, to="")
        )
    for participation in late.select_related("employee", "unit").order_by("employee__sort_name"):
        found[participation.pk] = Waiting(participation, [_("Joined after the calculation")], True)
    return list(found.values())


def open_supplement(plan: Plan, *, by: User) -> Run:
    """The next run of a plan, for whom the runs before left out: same rules, what is left of the same pools.

    Cycle and plan are locked before the runs are looked at: of two who ask at once one is told that there is an
    open run already, and no run is opened in a cycle that closes.
    """
    with transaction.atomic():
        locked = hold_plan(plan.pk)
        last = (
            Run.objects.select_for_update(of=("self",))
            .filter(plan=locked)
            .order_by("-number")
            .first()
        )
        if last is None:
            raise Refused(
                _("Nothing is calculated yet: calculate the first run, it is for everybody.")
            )
        if last.is_open:
            raise Refused(
                _(
                    "“%s” is still open. Calculate it again: it takes in everybody whose facts are there by then."
                )
                % last.title
            )
        people = waiting(locked)
        if not people:
            raise Refused(_("Nobody is left out: the runs have said something about everybody."))
        run = Run.objects.create(
            plan=locked,
            number=last.number + 1,
            supplements=last,
            plan_version_id=last.plan_version_id,
        )
        record(
            "supplement_opened",
            run,
            by=by,
            stream=f"cycle:{locked.cycle_id}",
            number=run.number,
            people=len(people),
        )
    return run
