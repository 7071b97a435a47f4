"""Goals, their wordings, the signatures under them, and wishes to change what is agreed."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pmcycle.cycles.models import (
    Assignment,
    Cycle,
    Participation,
    ParticipationQuerySet,
    Relation,
    Stage,
    StageKind,
    related,
)
from pmcycle.people.models import Employee, Unit, User


class GoalQuerySet(models.QuerySet["Goal"]):
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
            my_managers = Assignment.objects.current().filter(participation__employee=me).values("manager")
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
        near = Q(participation__isnull=True) | Q(participation__in=readers(user)) | Q(state=Goal.State.DRAFT)
        return self.visible_to(user).filter(near)

    def editable_by(self, user: User) -> Self:
        """The pair; drafts their author; team and company goals HR admins."""
        drafts = Q(state=Goal.State.DRAFT)
        pair = ~drafts & related(user, Relation.SELF, Relation.MANAGER)
        company = ~drafts & Q(participation__isnull=True) if user.standing.is_hr_admin else Q(pk__in=[])
        return self.filter((drafts & Q(created_by=user.pk)) | pair | company)

    def shared(self) -> Self:
        """What both sides know of and has not been taken back."""
        return self.exclude(state__in=[Goal.State.DRAFT, Goal.State.WITHDRAWN])

    def weighing(self) -> Self:
        """The goals whose weights make the set of a participation: of this cycle, proposed or agreed."""
        return self.filter(
            horizon=Goal.Horizon.CYCLE, state__in=[Goal.State.PROPOSED, Goal.State.AGREED, Goal.State.CLOSED]
        )

    def with_plan(self) -> Self:
        """Annotated with the manager of today and the objectives stage, and with owner and cycle."""
        stage = Stage.objects.filter(cycle=OuterRef("cycle"), kind=StageKind.OBJECTIVES)
        manager = Assignment.objects.current().filter(participation=OuterRef("participation"))
        return self.select_related("participation__employee", "cycle").annotate(
            manager_id=Subquery(manager.values("manager")[:1]),
            manager_name=Subquery(manager.values("manager__name")[:1]),
            stage_state=Subquery(stage.values("state")[:1]),
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
            changes=ArraySubquery(changes.values(row=JSONObject(**{c: c for c in columns}, **named))[:50]),
        )

    def with_parent(self, user: User) -> Self:
        """Annotated with the title of the goal it contributes to, empty if `user` may not see that one."""
        parent = Goal.objects.visible_to(user).filter(pk=OuterRef("parent"))
        return self.annotate(parent_title=Coalesce(Subquery(parent.values("agreed__title")[:1]), Value("")))

    def for_list(self) -> Self:
        """With wordings, parent and owner, the signatures of the newest wording and the wording before it."""
        signed = Signature.objects.filter(version=OuterRef("latest")).order_by("pk")
        change = ChangeRequest.objects.filter(goal=OuterRef("pk"), state=ChangeRequest.State.OPEN)
        before = GoalVersion.objects.filter(goal=OuterRef("pk"), number=OuterRef("latest__number") - 1)
        return self.select_related(
            "latest__author",
            "agreed",
            "participation__employee",
            "unit",
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
                        by="author__name",
                    )
                )[:1]
            ),
        )


def alignable(participation: Participation, manager_id: int | None) -> GoalQuerySet:
    """What a goal of this participation can contribute to: published goals and the manager's agreed ones."""
    published = Q(participation__isnull=True)
    of_manager = Q(participation__employee=manager_id) & ~Q(visibility=Goal.Visibility.PAIR)
    return (
        Goal.objects.filter(published | of_manager, cycle=participation.cycle_id, state=Goal.State.AGREED)
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
    published = Goal.objects.filter(cycle=cycle, participation__isnull=True, state=Goal.State.AGREED)
    return {
        "company_goals": published,
        "carried_over": Goal.objects.filter(participation__in=people, carried_from__isnull=False),
    }


class Goal(models.Model):
    """What is to be reached. Text, weight and key results live in versions; `agreed` names the one in force."""

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
    unit = models.ForeignKey(Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="goals")
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
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    latest = models.ForeignKey("GoalVersion", null=True, on_delete=models.PROTECT, related_name="+")
    agreed = models.ForeignKey("GoalVersion", null=True, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    result = models.DecimalField(max_digits=7, decimal_places=2, null=True)
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
                condition=Q(parent__isnull=True) | ~Q(parent=F("pk")), name="goal_not_its_own_parent"
            ),
        ]

    def __str__(self) -> str:
        return f"goal {self.pk}"


class GoalVersion(models.Model):
    """One wording of a goal by one author. Never edited once proposed: another wording is another version.

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
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
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
            models.UniqueConstraint(fields=["version", "side"], name="goal_signature_once_per_side"),
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
                violation_error_message=_("There is already a change of this goal waiting for an answer."),
            )
        ]

    def __str__(self) -> str:
        return f"change of goal {self.goal_id}"
