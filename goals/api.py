"""The API of goals: the same verbs as the pages, through the same actions, with closed field lists."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from goals import actions
from goals.actions import GoalText
from goals.models import (
    ChangeRequest,
    Contribution,
    Goal,
    KeyResult,
    ProgressUpdate,
    alignable,
    readers,
)
from goals.rules import KeyResultText
from pmcycle.access import get_editable, get_visible
from pmcycle.cycles.models import Participation, Relation, related
from pmcycle.errors import Invalid
from pmcycle.people.api import ScopedViewSet, VersionedSerializer
from pmcycle.people.models import Employee, User

LONG = 20_000


class Figure(serializers.DecimalField):
    """A measured value."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=14, decimal_places=4, **kwargs)


# --- what goes out -------------------------------------------------------------------------------------------


class KeyResultSerializer(serializers.ModelSerializer[KeyResult]):
    """A key result in force and how it stands; `progress` is in percent, not capped."""

    progress = serializers.DecimalField(
        max_digits=20, decimal_places=2, read_only=True, allow_null=True
    )

    class Meta:
        model = KeyResult
        fields = [
            "id",
            "goal",
            "key",
            "title",
            "kind",
            "start",
            "target",
            "low",
            "high",
            "unit",
            "current",
            "confidence",
            "progress",
            "updated_at",
            "version",
        ]
        read_only_fields = fields


class SignatureSerializer(serializers.Serializer[Any]):
    """One side's yes to the newest wording."""

    side = serializers.CharField()
    name = serializers.CharField()


class GoalSerializer(serializers.ModelSerializer[Goal]):
    """A goal with the wording in force (or proposed) and its key results.

    `progress` is how far it is in percent; `result` is the same figure once it is fixed, on the day
    `measured_on`, by a handed-in appraisal or the end of the cycle. `from_cycle` is the cycle it came over from.
    """

    owner = serializers.SerializerMethodField()
    title = serializers.SerializerMethodField()
    why = serializers.SerializerMethodField()
    weight = serializers.SerializerMethodField()
    due_on = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()
    signatures = SignatureSerializer(source="signed", many=True, read_only=True)
    key_results = KeyResultSerializer(many=True, read_only=True)

    class Meta:
        model = Goal
        fields = [
            "id",
            "participation",
            "cycle",
            "owner",
            "horizon",
            "visibility",
            "state",
            "parent",
            "title",
            "why",
            "weight",
            "due_on",
            "progress",
            "result",
            "measured_on",
            "from_cycle",
            "signatures",
            "key_results",
            "version",
        ]
        read_only_fields = fields

    def get_owner(self, goal: Goal) -> str:
        if goal.participation is not None:
            return goal.participation.employee.name
        return goal.unit.name if goal.unit else ""

    def _wording(self, goal: Goal) -> Any:
        return (
            goal.latest if goal.state == Goal.State.PROPOSED or goal.agreed is None else goal.agreed
        )

    def get_title(self, goal: Goal) -> str:
        return str(self._wording(goal).title)

    def get_why(self, goal: Goal) -> str:
        return str(self._wording(goal).why)

    @extend_schema_field(serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True))
    def get_weight(self, goal: Goal) -> str | None:
        weight = self._wording(goal).weight
        return None if weight is None else str(weight)

    @extend_schema_field(serializers.DateField(allow_null=True))
    def get_due_on(self, goal: Goal) -> Any:
        return self._wording(goal).due_on

    @extend_schema_field(serializers.DecimalField(max_digits=6, decimal_places=2, allow_null=True))
    def get_progress(self, goal: Goal) -> str | None:
        return None if goal.result is None else str(goal.result)

    @extend_schema_field(serializers.DecimalField(max_digits=6, decimal_places=2, allow_null=True))
    def get_result(self, goal: Goal) -> str | None:
        return self.get_progress(goal) if goal.measured_on else None


class ChangeRequestSerializer(serializers.ModelSerializer[ChangeRequest]):
    """A wish to change an agreed goal, with both wordings."""

    title_old = serializers.CharField(source="old.title", read_only=True)
    title_new = serializers.CharField(source="new.title", read_only=True)
    weight_old = serializers.DecimalField(
        source="old.weight", max_digits=5, decimal_places=2, read_only=True, allow_null=True
    )
    weight_new = serializers.DecimalField(
        source="new.weight", max_digits=5, decimal_places=2, read_only=True, allow_null=True
    )

    class Meta:
        model = ChangeRequest
        fields = [
            "id",
            "goal",
            "title_old",
            "title_new",
            "weight_old",
            "weight_new",
            "reason",
            "explanation",
            "requested_by",
            "requested_at",
            "lapses_on",
            "state",
            "ended_at",
            "version",
        ]
        read_only_fields = fields


class ProgressUpdateSerializer(serializers.ModelSerializer[ProgressUpdate]):
    """One update; a value of null says that nothing changed."""

    class Meta:
        model = ProgressUpdate
        fields = ["id", "key_result", "value", "confidence", "note", "link", "author", "at"]
        read_only_fields = fields


class ContributionSerializer(serializers.ModelSerializer[Contribution]):
    """Something valuable outside the goals, and the beneficiary's answer."""

    class Meta:
        model = Contribution
        fields = [
            "id",
            "participation",
            "author",
            "beneficiary",
            "text",
            "happened_on",
            "confirmed_at",
            "declined_at",
            "version",
        ]
        read_only_fields = fields


# --- what comes in -------------------------------------------------------------------------------------------


class KeyResultTextSerializer(serializers.Serializer[Any]):
    """A key result as it is worded; `key` names a known one."""

    key = serializers.CharField(max_length=12, required=False, allow_blank=True, default="")
    title = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField(choices=KeyResult.Kind.choices, default=KeyResult.Kind.INCREASE)
    start = Figure(required=False, allow_null=True, default=None)
    target = Figure(required=False, allow_null=True, default=None)
    low = Figure(required=False, allow_null=True, default=None)
    high = Figure(required=False, allow_null=True, default=None)
    unit = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")


class WordingSerializer(serializers.Serializer[Any]):
    """The wording of a goal."""

    title = serializers.CharField(max_length=200)
    why = serializers.CharField(max_length=LONG, required=False, allow_blank=True, default="")
    weight = serializers.DecimalField(
        max_digits=5,
        decimal_places=2,
        min_value=Decimal("0.01"),
        max_value=Decimal(100),
        required=False,
        allow_null=True,
        default=None,
    )
    due_on = serializers.DateField(required=False, allow_null=True, default=None)
    key_results = KeyResultTextSerializer(many=True, required=False, default=list)

    def text(self, **more: Any) -> GoalText:
        data = self.validated_data
        rows = [KeyResultText(**row) for row in data["key_results"]]
        return GoalText(data["title"], data["why"], data["weight"], data["due_on"], rows, **more)


class ProposeSerializer(WordingSerializer):
    """A new goal of a participation."""

    participation = serializers.IntegerField(min_value=1)
    horizon = serializers.ChoiceField(choices=Goal.Horizon.choices, default=Goal.Horizon.CYCLE)
    visibility = serializers.ChoiceField(
        choices=Goal.Visibility.choices, default=Goal.Visibility.LINE
    )
    parent = serializers.IntegerField(  # type: ignore[assignment]
        required=False, allow_null=True, default=None, min_value=1
    )


class CounterSerializer(VersionedSerializer, WordingSerializer):
    """Another wording of what was read."""


class RequestChangeSerializer(CounterSerializer):
    """Another wording of an agreed goal, with its reason."""

    reason = serializers.ChoiceField(choices=ChangeRequest.Reason.choices)
    explanation = serializers.CharField(max_length=LONG)


class GoalDecisionSerializer(VersionedSerializer):
    """A yes or no to what was read."""


class SeenSerializer(serializers.Serializer[Any]):
    """A goal that was read, and its version."""

    goal = serializers.IntegerField(min_value=1)
    version = serializers.IntegerField(min_value=1)


class AgreeSetSerializer(serializers.Serializer[Any]):
    """Everything of a participation that waits for the signer, as it was read."""

    participation = serializers.IntegerField(min_value=1)
    seen = SeenSerializer(many=True)


class AlignSerializer(VersionedSerializer):
    """The goal that this one contributes to; null for none."""

    parent = serializers.IntegerField(allow_null=True, min_value=1)  # type: ignore[assignment]


class RecordProgressSerializer(VersionedSerializer):
    """One number and one word of confidence; a value of null says that nothing changed."""

    value = Figure(allow_null=True)
    confidence = serializers.ChoiceField(choices=KeyResult.Confidence.choices)
    note = serializers.CharField(max_length=LONG, required=False, allow_blank=True, default="")
    link = serializers.URLField(max_length=500, required=False, allow_blank=True, default="")


class ContributeSerializer(serializers.Serializer[Any]):
    """A contribution of one's own."""

    participation = serializers.IntegerField(min_value=1)
    beneficiary = serializers.IntegerField(min_value=1)
    text = serializers.CharField(max_length=LONG)
    happened_on = serializers.DateField()


# --- viewsets ------------------------------------------------------------------------------------------------


class GoalsViewSet(ScopedViewSet):
    """What the viewsets of goals share."""

    scope = "goals"

    def decide(self, pk: str | None, verb: Callable[..., Any]) -> Response:
        """Carry out a yes or no to what was read."""
        row = self.mine(pk)
        verb(row, version=self.read(GoalDecisionSerializer)["version"], by=self.by())
        return self.answer_with(row.pk)

    def pair(self, pk: int) -> Participation:
        """A participation whose goals the user agrees with somebody."""
        rows = readers(self.by()).select_related("employee", "cycle").with_manager()
        found = get_visible(rows, self.by(), pk=pk)
        if (
            not rows.filter(related(self.by(), Relation.SELF, Relation.MANAGER, to=""))
            .filter(pk=pk)
            .exists()
        ):
            raise PermissionDenied(_("Goals are proposed and agreed by the two whom they concern."))
        return found


def parent_of(participation: Any, pk: int | None, by: User) -> Goal | None:
    """A goal to align to, by its id."""
    if pk is None:
        return None
    goal = (
        alignable(participation.cycle_id, participation.manager_id)
        .visible_to(by)
        .filter(pk=pk)
        .first()
    )
    if goal is None:
        raise Invalid("parent", _("There is no such goal to contribute to."))
    return goal


class GoalViewSet(GoalsViewSet):
    """Goals that you may see, and the verbs of agreeing on them."""

    rows = (
        Goal.objects.for_list()
        .select_related("cycle")
        .prefetch_related(
            Prefetch("key_results", KeyResult.objects.filter(retired_at__isnull=True))
        )
        .order_by("pk")
    )
    serializer_class = GoalSerializer
    filterset_fields = ["participation", "cycle", "state", "horizon", "parent"]

    @extend_schema(request=ProposeSerializer, responses={201: GoalSerializer})
    @action(detail=False, methods=["post"])
    def propose(self, request: Request) -> Response:
        """Put a new goal to the other side."""
        data = self.checked(ProposeSerializer)
        checked = data.validated_data
        participation = self.pair(checked["participation"])
        text = data.text(
            horizon=checked["horizon"],
            visibility=checked["visibility"],
            parent=parent_of(participation, checked["parent"], self.by()),
        )
        goal = actions.propose(participation, text, by=self.by())
        return self.answer_with(goal.pk, status.HTTP_201_CREATED)

    @extend_schema(
        request=AgreeSetSerializer, responses={200: GoalSerializer(many=True)}, filters=False
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def agree_set(self, request: Request) -> Response:
        """Sign everything that waits for you, as you read it."""
        data = self.read(AgreeSetSerializer)
        participation = self.pair(data["participation"])
        seen = {row["goal"]: row["version"] for row in data["seen"]}
        goals = actions.agree_set(participation, seen, by=self.by())
        rows = self.get_queryset().filter(pk__in=[goal.pk for goal in goals])
        return Response(self.get_serializer(rows, many=True).data)

    @extend_schema(request=CounterSerializer, responses={200: GoalSerializer})
    @action(detail=True, methods=["post"])
    def counter(self, request: Request, pk: str | None = None) -> Response:
        """Answer a proposal with another wording."""
        goal = self.mine(pk)
        data = self.checked(CounterSerializer)
        actions.counter(goal, data.text(), version=data.validated_data["version"], by=self.by())
        return self.answer_with(goal.pk)

    @extend_schema(request=GoalDecisionSerializer, responses={200: GoalSerializer})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str | None = None) -> Response:
        """Sign the wording that you read."""
        return self.decide(pk, actions.accept)

    @extend_schema(request=GoalDecisionSerializer, responses={204: None})
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        """Take your own proposal or draft back."""
        goal = self.mine(pk)
        data = self.read(GoalDecisionSerializer)
        actions.withdraw(goal, version=data["version"], by=self.by())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=AlignSerializer, responses={200: GoalSerializer})
    @action(detail=True, methods=["post"])
    def align(self, request: Request, pk: str | None = None) -> Response:
        """Say to which goal it contributes."""
        goal: Any = get_editable(self.rows.all().with_plan(), self.by(), pk=pk)
        data = self.read(AlignSerializer)
        plan: Any = goal.participation or Participation(cycle_id=goal.cycle_id)
        plan.manager_id = goal.manager_id
        parent = parent_of(plan, data["parent"], self.by())
        actions.align(goal, parent, version=data["version"], by=self.by())
        return self.answer_with(goal.pk)

    @extend_schema(request=RequestChangeSerializer, responses={201: ChangeRequestSerializer})
    @action(detail=True, methods=["post"])
    def request_change(self, request: Request, pk: str | None = None) -> Response:
        """Ask for another wording of an agreed goal."""
        goal = self.mine(pk)
        data = self.checked(RequestChangeSerializer)
        checked = data.validated_data
        change = actions.request_change(
            goal,
            data.text(),
            reason=checked["reason"],
            explanation=checked["explanation"],
            version=checked["version"],
            by=self.by(),
        )
        return Response(ChangeRequestSerializer(change).data, status=status.HTTP_201_CREATED)


class ChangeRequestViewSet(GoalsViewSet):
    """Changes of agreed goals, and the answers to them."""

    rows = ChangeRequest.objects.select_related("old", "new", "goal").order_by("-pk")
    serializer_class = ChangeRequestSerializer
    filterset_fields = ["goal", "state"]

    @extend_schema(request=CounterSerializer, responses={200: ChangeRequestSerializer})
    @action(detail=True, methods=["post"])
    def counter_change(self, request: Request, pk: str | None = None) -> Response:
        """Answer with yet another wording."""
        change = self.mine(pk)
        data = self.checked(CounterSerializer)
        actions.counter_change(
            change, data.text(), version=data.validated_data["version"], by=self.by()
        )
        return self.answer_with(change.pk)

    @extend_schema(request=GoalDecisionSerializer, responses={200: ChangeRequestSerializer})
    @action(detail=True, methods=["post"])
    def accept_change(self, request: Request, pk: str | None = None) -> Response:
        """Put the changed wording in force."""
        return self.decide(pk, actions.accept_change)

    @extend_schema(request=GoalDecisionSerializer, responses={200: ChangeRequestSerializer})
    @action(detail=True, methods=["post"])
    def decline_change(self, request: Request, pk: str | None = None) -> Response:
        """Leave the goal as it was agreed."""
        return self.decide(pk, actions.decline_change)

    @extend_schema(request=GoalDecisionSerializer, responses={200: ChangeRequestSerializer})
    @action(detail=True, methods=["post"])
    def withdraw_change(self, request: Request, pk: str | None = None) -> Response:
        """Take your own change back."""
        return self.decide(pk, actions.withdraw_change)


class KeyResultViewSet(GoalsViewSet):
    """Key results in force, and their progress."""

    rows = KeyResult.objects.filter(retired_at__isnull=True).order_by("pk")
    serializer_class = KeyResultSerializer
    filterset_fields = ["goal", "goal__participation", "confidence"]

    @extend_schema(request=RecordProgressSerializer, responses={200: KeyResultSerializer})
    @action(detail=True, methods=["post"])
    def record_progress(self, request: Request, pk: str | None = None) -> Response:
        """Record one number and one word of confidence."""
        row = self.mine(pk)
        data = self.read(RecordProgressSerializer)
        actions.record_progress(row, by=self.by(), **data)
        return self.answer_with(row.pk)

    @extend_schema(responses={200: ProgressUpdateSerializer(many=True)}, filters=False)
    @action(detail=True, methods=["get"], filterset_fields=None)
    def updates(self, request: Request, pk: str | None = None) -> Response:
        """The updates of a key result, newest first."""
        row = self.get_object()
        rows = ProgressUpdate.objects.visible_to(self.by()).filter(key_result=row)
        page = self.paginate_queryset(rows.order_by("-at", "-pk"))
        return self.get_paginated_response(ProgressUpdateSerializer(page, many=True).data)


class ContributionViewSet(GoalsViewSet):
    """What people gave beyond their goals."""

    rows = Contribution.objects.order_by("-pk")
    serializer_class = ContributionSerializer
    filterset_fields = ["participation", "beneficiary"]

    @extend_schema(request=ContributeSerializer, responses={201: ContributionSerializer})
    @action(detail=False, methods=["post"])
    def contribute(self, request: Request) -> Response:
        """Record a contribution of your own."""
        data = self.read(ContributeSerializer)
        participation = get_visible(readers(self.by()), self.by(), pk=data.pop("participation"))
        if participation.employee_id != self.by().employee_id:
            raise PermissionDenied(_("Everybody records their own contributions."))
        beneficiary = (
            Employee.objects.visible_to(self.by()).filter(pk=data.pop("beneficiary")).first()
        )
        if beneficiary is None:
            raise Invalid("beneficiary", _("Nobody has this number."))
        row = actions.contribute(participation, beneficiary=beneficiary, by=self.by(), **data)
        return self.answer_with(row.pk, status.HTTP_201_CREATED)

    @extend_schema(request=GoalDecisionSerializer, responses={200: ContributionSerializer})
    @action(detail=True, methods=["post"])
    def confirm_contribution(self, request: Request, pk: str | None = None) -> Response:
        """Say that it helped you."""
        return self.decide(pk, actions.confirm_contribution)

    @extend_schema(request=GoalDecisionSerializer, responses={200: ContributionSerializer})
    @action(detail=True, methods=["post"])
    def decline_contribution(self, request: Request, pk: str | None = None) -> Response:
        """Say that you do not recognise it."""
        return self.decide(pk, actions.decline_contribution)


def register(router: BaseRouter) -> None:
    """Add this app's viewsets to the one router of the project."""
    router.register("goals", GoalViewSet, basename="goal")
    router.register("goal-changes", ChangeRequestViewSet, basename="goalchange")
    router.register("key-results", KeyResultViewSet, basename="keyresult")
    router.register("contributions", ContributionViewSet, basename="contribution")
