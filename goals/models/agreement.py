"""Goals, their wordings, the signatures under them, and wishes to change what is agreed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Self

import pgtrigger
from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import (
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, JSONObject, Least, NullIf, Round
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from goals.rules import CENT, HALF_CENT, WHOLE
from pmcycle.cycles.models import (
    Assignment,
    Cycle,
    Participation,
    ParticipationQuerySet,
    Relation,
    Stage,
    StageKind,
    from_outside,
    open_today,
    related,
)
from pmcycle.people.models import Employee, Unit, User


class GoalQuerySet(models.QuerySet["Goal"]):
    about = "participation__employee"

    def outside(self, user: User) -> Q:
        """Who reads a person's goals by their place in the line or in HR. Whom it was opened to is meant to."""
        return Q(participation__in=readers(user)) & from_outside(user)

    def visible_to(self, user: User) -> Self:
        """Drafts: their author. Then the pair and HR of the unit; the line above unless kept to the pair;
        once agreed, whom the owner opened it to.

        "Our line" goes both ways: who reports to the owner sees it, so that they can align to it.
        Team and organisation goals are open to all who read here once they are published.
        """
        drafts = Q(state=Goal.State.DRAFT)
        agreed = Q(state__in=[Goal.State.AGREED, Goal.State.CLOSED])
        wider = ~Q(visibility=Goal.Visibility.PAIR)
        found = drafts & Q(created_by=user.pk)
        found |= ~drafts & related(
            user, Relation.SELF, Relation.MANAGER, Relation.HR_PARTNER, Relation.HR_ADMIN
        )
        found |= ~drafts & wider & related(user, Relation.SKIP_LEVEL)
        me = user.employee
        if me is not None:
            my_managers = (
                Assignment.objects.current().filter(participation__employee=me.pk).values("manager")
            )
            opened = Q(visibility=Goal.Visibility.EVERYONE) | wider & Q(
                participation__employee__in=my_managers
            )
            if me.unit_id:
                opened |= Q(visibility=Goal.Visibility.UNIT, participation__unit=me.unit_id)
            found |= agreed & opened
        if me is not None or user.standing.is_auditor or user.standing.is_hr:
            found |= agreed & Q(participation__isnull=True)
        return self.filter(found)

    def followed_by(self, user: User) -> Self:
        """Of the visible ones: those whose making and course `user` reads too, with every note and change.

        To whom a goal is merely opened, it is what holds and how far it is.
        """
        near = (
            Q(participation__isnull=True)
            | Q(participation__in=readers(user))
            | Q(state=Goal.State.DRAFT)
        )
        return self.visible_to(user).filter(near)

    def editable_by(self, user: User) -> Self:
        """The pair; drafts their author; team and company goals HR admins."""
        drafts = Q(state=Goal.State.DRAFT)
        pair = ~drafts & related(user, Relation.SELF, Relation.MANAGER)
        company = (
            ~drafts & Q(participation__isnull=True) if user.standing.is_hr_admin else Q(pk__in=[])
        )
        return self.filter((drafts & Q(created_by=user.pk)) | pair | company)

    def shared(self) -> Self:
        """What both sides know of and has not been taken back."""
        return self.exclude(state__in=[Goal.State.DRAFT, Goal.State.WITHDRAWN])

    def weighing(self) -> Self:
        """The goals whose weights make the set of a participation: of this cycle, proposed or agreed."""
        return self.filter(
            horizon=Goal.Horizon.CYCLE,
            state__in=[Goal.State.PROPOSED, Goal.State.AGREED, Goal.State.CLOSED],
        )

    def rated(self) -> Self:
        """The goals that an appraisal of the cycle and its rewards look at: of this cycle, agreed by both."""
        return self.filter(
            horizon=Goal.Horizon.CYCLE, state__in=[Goal.State.AGREED, Goal.State.CLOSED]
        )

    def unfinished(self) -> Self:
        """Agreed and not reached, as far as anybody has measured."""
        return self.filter(
            Q(result__isnull=True) | Q(result__lt=100),
            agreed__isnull=False,
            state__in=[Goal.State.AGREED, Goal.State.CLOSED],
        )

    def scores(self) -> models.QuerySet[Any, Any]:
        """The goal score of each participation: {participation, goals, measured, score}.

        The mean of the results of the rated goals by their effective weights (`rules.effective_weights`: what
        rounding has left counts with the heaviest), to two decimals. A goal without a result makes it
        incomplete (NULL), or its weight is spread over the others if the cycle says so; it never counts as
        zero (3-domain, Score).
        """
        known = Q(result__isnull=False)
        spreads = Q(cycle__missing_part=Cycle.Incomplete.REWEIGHT)
        weight, none = F("agreed__weight"), Value(Decimal(0))
        by_weight = ArrayAgg("result", order_by=["-agreed__weight", "pk"])
        is_rounded = Q(
            left__range=(-HALF_CENT * F("goals"), HALF_CENT * F("goals")), heaviest__isnull=False
        )
        extra = Case(When(is_rounded, then=F("left")), default=none)
        mean = (F("points") + extra * Coalesce(F("heaviest"), none)) / NullIf(
            F("weights") + extra, none
        )
        return (
            self.rated()
            .filter(agreed__weight__isnull=False)
            .order_by("participation")
            .values("participation", "cycle__missing_part")
            .annotate(goals=Count("pk"), measured=Count("pk", filter=known), results=by_weight)
            .annotate(heaviest=F("results__0"), left=Value(WHOLE) - Sum(weight))
            .annotate(
                weights=Sum(weight, filter=known), points=Sum(weight * F("result"), filter=known)
            )
            .annotate(mean=mean)
            # What lies below 100 stays below it, as in `rules.percent_of`.
            .annotate(below=Least(Round("mean", 2), WHOLE - CENT), whole=Round("mean", 2))
            .annotate(rounded=Case(When(mean__lt=WHOLE, then=F("below")), default=F("whole")))
            .annotate(score=Case(When(spreads | Q(measured=F("goals")), then=F("rounded"))))
            .values("participation", "goals", "measured", "score")
        )

    def with_plan(self) -> Self:
        """Annotated with the manager of today and whether the set may be planned, and with owner and cycle."""
        planning = Participation.objects.filter(may_plan_today(), pk=OuterRef("participation"))
        manager = Assignment.objects.current().filter(participation=OuterRef("participation"))
        return self.select_related("participation__employee", "cycle").annotate(
            manager_id=Subquery(manager.values("manager")[:1]),
            manager_name=Subquery(manager.values("manager__name")[:1]),
            is_planning=Exists(planning),
        )

    def for_detail(self, user: User) -> Self:
        """Annotated with the goals below it that `user` may see, its change requests, newest first, the
        weights of the others in its set, and whether `user` reads how it came to be (`is_followed`)."""
        below = Goal.objects.visible_to(user).filter(parent=OuterRef("pk")).order_by("pk")
        changes = ChangeRequest.objects.filter(goal=OuterRef("pk")).order_by("-pk")
        others = (
            Goal.objects.weighing()
            .filter(participation=OuterRef("participation"), latest__weight__isnull=False)
            .exclude(pk=OuterRef("pk"))
        )
        named = {"requested_name": "requested_by__name"}
        columns = (
            "old_id",
            "new_id",
            "reason",
            "explanation",
            "state",
            "lapses_on",
            "ended_at",
            "version",
            "pk",
        )
        return self.annotate(
            is_followed=Exists(Goal.objects.followed_by(user).filter(pk=OuterRef("pk"))),
            below=ArraySubquery(
                below.values(
                    row=JSONObject(
                        pk="pk",
                        title=Coalesce("agreed__title", "latest__title"),
                        owner=Coalesce("participation__employee__name", "unit__name"),
                    )
                )[:50]
            ),
            other_weights=ArraySubquery(others.values("latest__weight")),
            changes=ArraySubquery(
                changes.values(row=JSONObject(**{c: c for c in columns}, **named))[:50]
            ),
        )

    def with_parent(self, user: User) -> Self:
        """Annotated with the title of the goal it contributes to, empty if `user` may not see that one."""
        parent = Goal.objects.visible_to(user).filter(pk=OuterRef("parent"))
        return self.annotate(
            parent_title=Coalesce(Subquery(parent.values("agreed__title")[:1]), Value(""))
        )

    def for_list(self) -> Self:
        """With wordings, parent and owner, the signatures of the newest wording and the wording before it."""
        signed = Signature.objects.filter(version=OuterRef("latest")).order_by("pk")
        change = ChangeRequest.objects.filter(goal=OuterRef("pk"), state=ChangeRequest.State.OPEN)
        before = GoalVersion.objects.filter(
            goal=OuterRef("pk"), number=OuterRef("latest__number") - 1
        )
        return self.select_related(
            "latest__author",
            "agreed",
            "participation__employee",
            "unit",
            "from_cycle",
        ).annotate(
            signed=ArraySubquery(signed.values(row=JSONObject(side="side", name="signer__name"))),
            change_author=Subquery(change.values("new__author")[:1]),
            before=Subquery(
                before.values(
                    row=JSONObject(
                        title="title",
                        why="why",
                        weight="weight",
                        key_results="key_results",
                        by=Coalesce("author__name", "goal__from_cycle__name"),
                    )
                )[:1]
            ),
        )


def alignable(cycle_id: int, manager_id: int | None) -> GoalQuerySet:
    """What a goal in this cycle of somebody with this manager can contribute to: published goals and the manager's
    agreed ones."""
    published = Q(participation__isnull=True)
    # Named by its key, not found by a join: the database looks both up instead of reading the whole cycle.
    leads = Participation.objects.filter(cycle=cycle_id, employee=manager_id).values("pk")
    of_manager = Q(participation=Subquery(leads)) & ~Q(visibility=Goal.Visibility.PAIR)
    return (
        Goal.objects.filter(published | of_manager, cycle=cycle_id, state=Goal.State.AGREED)
        .select_related("agreed", "participation__employee", "unit")
        .order_by(F("participation").asc(nulls_first=True), F("unit").asc(nulls_first=True), "pk")
    )


def _reads_all(user: User) -> Q:
    """The pair, the line above, HR of the unit."""
    return related(
        user,
        Relation.SELF,
        Relation.MANAGER,
        Relation.SKIP_LEVEL,
        Relation.HR_PARTNER,
        Relation.HR_ADMIN,
        to="",
    )


def readers(user: User) -> ParticipationQuerySet:
    """The participations whose goals `user` may read."""
    return Participation.objects.filter(_reads_all(user))


def readers_of_a_part(user: User) -> ParticipationQuerySet:
    """The same, and those of whom `user` was the manager in this cycle and keeps what they wrote.

    Annotated with `is_reader`: whether all the goals may be read.
    """
    former = related(user, Relation.FORMER_MANAGER, to="")
    return Participation.objects.filter(_reads_all(user) | former).annotate(
        is_reader=ExpressionWrapper(_reads_all(user), output_field=models.BooleanField())
    )


def followed_in(cycle: Cycle, user: User) -> dict[str, models.QuerySet[Any]]:
    """What HR follows of a cycle in this app, by name: rows to be counted, never the reader's own."""
    people = Participation.objects.overseen_by(user).filter(cycle=cycle).values("pk")
    published = Goal.objects.filter(
        cycle=cycle, participation__isnull=True, state=Goal.State.AGREED
    )
    return {
        "company_goals": published,
        "carried_over": Goal.objects.filter(participation__in=people, carried_from__isnull=False),
    }


BOTH_SIGNED = """
IF (SELECT count(DISTINCT side) FROM goals_signature WHERE version_id = NEW.agreed_id) < 2 THEN
  RAISE EXCEPTION 'A goal of two people holds when both have signed the same wording.'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'goal_agreed_by_both';
END IF;
RETURN NEW;
"""


# A goal beyond the cycle has its day where it likes; one of the cycle within it.
DAY_IN_CYCLE = """
IF EXISTS (
  SELECT FROM goals_goal g JOIN cycles_cycle c ON c.id = g.cycle_id
  WHERE g.id = NEW.goal_id AND g.horizon = 'cycle' AND NEW.due_on NOT BETWEEN c.first_day AND c.last_day
) THEN
  RAISE EXCEPTION 'A goal of the cycle is reached within it.'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'goal_day_in_cycle';
END IF;
RETURN NEW;
"""


class Goal(models.Model):
    """What is to be reached. Text, weight and key results live in versions; `agreed` names the one in force.

    `result` is how far it is in percent, the only reading of it that pages, scores and rewards use: live
    until `measured_on`, the day of an appraisal or of the end of the cycle, on which it was fixed.
    `from_cycle` is the cycle from which it came over, unfinished; nobody wrote it here.
    """

    class Horizon(models.TextChoices):
        CYCLE = "cycle", _("This cycle")
        LONG_TERM = "long_term", _("Long-term")
        DEVELOPMENT = "development", _("Development")

    class Visibility(models.TextChoices):
        PAIR = "pair", _("The two of us, and HR")
        LINE = "line", _("Our line, above and below")
        UNIT = "unit", _("Our unit")
        EVERYONE = "everyone", _("Everyone")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PROPOSED = "proposed", _("Proposed")
        AGREED = "agreed", _("Agreed")
        CLOSED = "closed", _("Closed")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    participation = models.ForeignKey(
        Participation, null=True, on_delete=models.PROTECT, related_name="goals"
    )
    unit = models.ForeignKey(
        Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="goals"
    )
    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.PROTECT, related_name="goals")
    horizon = models.CharField(_("horizon"), max_length=12, choices=Horizon, default=Horizon.CYCLE)
    visibility = models.CharField(
        _("who may see it"), max_length=10, choices=Visibility, default=Visibility.LINE
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="aligned"
    )
    carried_from = models.OneToOneField(
        "self", null=True, on_delete=models.SET_NULL, related_name="carried_to"
    )
    from_cycle = models.ForeignKey(
        "cycles.Cycle", null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    latest = models.ForeignKey("GoalVersion", null=True, on_delete=models.PROTECT, related_name="+")
    agreed = models.ForeignKey("GoalVersion", null=True, on_delete=models.PROTECT, related_name="+")
    # Empty where the clock brought it over.
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    result = models.DecimalField(max_digits=7, decimal_places=2, null=True)
    measured_on = models.DateField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = GoalQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["agreed", "closed"]) | Q(agreed__isnull=False),
                name="goal_agreed_names_the_version",
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("pk")),
                name="goal_not_its_own_parent",
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(measured_on__isnull=False),
                name="goal_closed_is_measured",
            ),
            models.CheckConstraint(
                condition=Q(carried_from__isnull=True) | Q(from_cycle__isnull=False),
                name="goal_carried_names_the_cycle",
            ),
            models.CheckConstraint(
                condition=Q(created_by__isnull=False) | Q(from_cycle__isnull=False),
                name="goal_has_an_author_or_came_over",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="agreed_by_both",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("agreed_id"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__agreed__isnull=False, new__participation__isnull=False),
                func=BOTH_SIGNED,
            )
        ]

    def __str__(self) -> str:
        return f"goal {self.pk}"


class GoalVersion(models.Model):
    """One wording of a goal by one author. Never edited once proposed: another wording is another version.

    Without author it came over from an earlier cycle as it was: nobody wrote it here, and nobody has signed it.
    `key_results` is a list of {key, title, kind, start, target, low, high, unit} with decimals as text;
    `key` is stable across versions, so that progress stays with its key result.
    """

    goal = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(_("title"), max_length=200)
    why = models.TextField(_("why it matters"), blank=True)
    weight = models.DecimalField(_("weight"), max_digits=5, decimal_places=2, null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    key_results = models.JSONField(default=list)
    author = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(null=True)
    in_force_from = models.DateTimeField(null=True)
    in_force_to = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["goal", "number"], name="goal_version_number_once"),
            models.CheckConstraint(
                condition=Q(weight__isnull=True) | Q(weight__gt=0, weight__lte=100),
                name="goal_version_weight",
                violation_error_message=_("A weight is more than 0 and at most 100."),
            ),
            models.CheckConstraint(
                condition=Q(author__isnull=False) | Q(number=1),
                name="goal_version_reworded_by_somebody",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="day_in_cycle",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("due_on"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__due_on__isnull=False),
                func=DAY_IN_CYCLE,
            )
        ]

    def __str__(self) -> str:
        return self.title


class Signature(models.Model):
    """One side's yes to one version. A goal is agreed when both sides signed the same version."""

    class Side(models.TextChoices):
        EMPLOYEE = "employee", _("Employee")
        MANAGER = "manager", _("Manager")

    version = models.ForeignKey(GoalVersion, on_delete=models.CASCADE, related_name="signatures")
    side = models.CharField(max_length=10, choices=Side)
    signer = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "side"], name="goal_signature_once_per_side"
            ),
            models.UniqueConstraint(
                fields=["version", "signer"],
                name="goal_signature_two_people",
                violation_error_message=_("One person cannot sign for both sides."),
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.side} signs {self.version_id}"


class ChangeRequestQuerySet(models.QuerySet["ChangeRequest"]):
    about = "goal__participation__employee"

    def outside(self, user: User) -> Q:
        return Q(goal__participation__in=readers(user)) & from_outside(
            user, to="goal__participation"
        )

    def visible_to(self, user: User) -> Self:
        return self.filter(goal__in=Goal.objects.followed_by(user))

    def editable_by(self, user: User) -> Self:
        """The pair answers."""
        return self.filter(goal__in=Goal.objects.editable_by(user))


class ChangeRequest(models.Model):
    """A wish to change an agreed goal: the new wording, the reason, and how it ended."""

    class Reason(models.TextChoices):
        STRATEGY = "strategy", _("The strategy changed")
        RESOURCES = "resources", _("Resources changed")
        ERROR = "error", _("There was an error in it")
        ABSENCE = "absence", _("Absence")
        OTHER = "other", _("Another reason")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        AGREED = "agreed", _("Agreed")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        LAPSED = "lapsed", _("Lapsed")

    goal = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="change_requests")
    old = models.ForeignKey(GoalVersion, on_delete=models.PROTECT, related_name="+")
    new = models.ForeignKey(GoalVersion, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=10, choices=Reason)
    explanation = models.TextField()
    requested_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    lapses_on = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)

    objects = ChangeRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["goal"],
                condition=Q(state="open"),
                name="change_request_one_open",
                violation_error_message=_(
                    "There is already a change of this goal waiting for an answer."
                ),
            )
        ]

    def __str__(self) -> str:
        return f"change of goal {self.goal_id}"


def may_plan_today(participation: str = "", now: datetime | None = None) -> Q:
    """Rows whose participation (at this lookup; "" for participations themselves) may be planned for on the day of
    a moment (now): goals proposed and agreed; `actions.judging` judges the same.

    The objectives stage is open for them, or it is closed and an agreed change has left a gap to fill.
    """
    over = Stage.objects.filter(
        kind=StageKind.OBJECTIVES, state=Stage.State.CLOSED, cycle__state=Cycle.State.RUNNING
    )
    changed = ChangeRequest.objects.filter(
        state=ChangeRequest.State.AGREED, goal__participation__isnull=False
    ).values("goal__participation")
    at, pk = (f"{participation}__", participation) if participation else ("", "pk")
    gap = Q(
        **{
            f"{at}state": Participation.State.ACTIVE,
            f"{at}cycle__in": over.values("cycle"),
            f"{pk}__in": changed,
        }
    )
    whole = Exists(sets_of_weights(is_whole=True, participation=pk))
    return open_today(StageKind.OBJECTIVES, participation, now) | (gap & ~Q(whole))


def sets_of_weights(*, is_whole: bool, participation: str = "pk") -> models.QuerySet[Goal, Any]:
    """The goals that weigh of a participation (at this lookup of the outer row) as one row, if they do
    (not) come to 100."""
    agreed = models.Case(
        models.When(state=Goal.State.PROPOSED, then=models.F("latest__weight")),
        default=models.F("agreed__weight"),
    )
    totals = (
        Goal.objects.weighing()
        .filter(participation=OuterRef(participation))
        .order_by()
        .values("participation")
        .annotate(total=models.Sum(agreed), tolerance=models.Count("pk") * Value(HALF_CENT))
    )
    low, high = WHOLE - models.F("tolerance"), WHOLE + models.F("tolerance")
    found: models.QuerySet[Goal, Any] = (
        totals.filter(total__gte=low, total__lte=high)
        if is_whole
        else totals.filter(Q(total__gt=high) | Q(total__lt=low))
    )
    return found
