"""The API of appraisals: the same verbs as the pages, through the same actions, with closed field lists."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from appraisals import actions, rules
from appraisals.models import Answer, Appraisal, Question, ReleasedResult
from pmcycle.access import get_editable, get_visible
from pmcycle.cycles.models import RatingLevel
from pmcycle.errors import Invalid
from pmcycle.people.api import ScopedViewSet, VersionedSerializer

# --- what goes out ---------------------------------------------------------------------------------


class AnswerSerializer(serializers.ModelSerializer[Answer]):
    """One answer; `goal` where the question is about goals."""

    class Meta:
        model = Answer
        fields = ["question", "goal", "text", "level", "choice", "updated_at"]
        read_only_fields = fields


class AppraisalLineSerializer(serializers.ModelSerializer[Appraisal]):
    """That there is an appraisal which the reader may open: their own, or a submitted one."""

    person = serializers.CharField(source="participation.employee.name", read_only=True)
    cycle = serializers.CharField(source="participation.cycle.name", read_only=True)
    author = serializers.CharField(source="author.name", read_only=True)

    class Meta:
        model = Appraisal
        fields = [
            "id",
            "participation",
            "person",
            "cycle",
            "kind",
            "author",
            "saved_at",
            "submitted_at",
            "version",
        ]
        read_only_fields = fields


class AppraisalSerializer(AppraisalLineSerializer):
    """One appraisal with what is written in it."""

    answers = AnswerSerializer(many=True, read_only=True)

    class Meta(AppraisalLineSerializer.Meta):
        fields = [*AppraisalLineSerializer.Meta.fields, "level", "answers"]
        read_only_fields = fields


class SavedSerializer(serializers.Serializer[Any]):
    """What was written: the version to send next time, and when."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    saved_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)


class SubmittedSerializer(SavedSerializer):
    """What was handed in, and as the how manieth time."""

    submission = serializers.IntegerField()


class ResultLineSerializer(serializers.ModelSerializer[ReleasedResult]):
    """That there is a released result which the reader may open."""

    person = serializers.CharField(source="participation.employee.name", read_only=True)
    acknowledged_at = serializers.SerializerMethodField()

    class Meta:
        model = ReleasedResult
        fields = ["id", "participation", "person", "number", "released_at", "acknowledged_at"]
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_acknowledged_at(self, result: ReleasedResult) -> Any:
        done = getattr(result, "acknowledgement", None)
        return done.at if done else None


class ResultSerializer(ResultLineSerializer):
    """A released result: the snapshot as it was given, and its hash."""

    level = serializers.CharField(source="level.label", read_only=True)

    class Meta(ResultLineSerializer.Meta):
        fields = [*ResultLineSerializer.Meta.fields, "level", "snapshot", "sha256", "reason"]
        read_only_fields = fields


# --- what comes in ---------------------------------------------------------------------------------


class AnswerInput(serializers.Serializer[Any]):
    """The answer to one question; what fits the question's kind is kept."""

    question = serializers.IntegerField(min_value=1, max_value=2**62)
    goal = serializers.IntegerField(min_value=1, max_value=2**62, required=False, allow_null=True)
    text = serializers.CharField(max_length=rules.ANSWER_LIMIT, required=False, allow_blank=True)
    level = serializers.IntegerField(min_value=1, max_value=2**62, required=False, allow_null=True)
    choice = serializers.CharField(max_length=200, required=False, allow_blank=True)


class WriteInput(VersionedSerializer):
    """The answers that change; others stay. `level` is the rating a manager proposes."""

    answers = serializers.ListField(child=AnswerInput(), max_length=1000)
    level = serializers.IntegerField(min_value=1, max_value=2**62, required=False, allow_null=True)


class CommentInput(serializers.Serializer[Any]):
    comment = serializers.CharField(max_length=5000, required=False, allow_blank=True, default="")


class AppealInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=rules.ANSWER_LIMIT)


class AppealSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    due_on = serializers.DateField()


class AppraisalViewSet(ScopedViewSet):
    """Appraisals that you may read: your own drafts, and what is handed in and open to you."""

    scope = "appraisals"
    rows = Appraisal.objects.with_context().order_by("-pk")
    serializer_class = AppraisalSerializer
    filterset_fields = ["kind", "participation"]
    lists_content = False

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        """What is written is read one by one, where it is noted who looked."""
        return AppraisalLineSerializer if self.action == "list" else AppraisalSerializer

    @extend_schema(request=WriteInput, responses=SavedSerializer)
    @action(detail=True, methods=["post"])
    def autosave(self, request: Request, pk: str) -> Response:
        """Keep these answers in the draft."""
        row, answers, level, version = self._read(pk)
        saved = actions.autosave(row, answers, level_id=level, version=version, by=self.by())
        return Response(SavedSerializer(saved).data)

    @extend_schema(request=WriteInput, responses={201: SubmittedSerializer})
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str) -> Response:
        """Keep these answers and hand the appraisal in."""
        row, answers, level, version = self._read(pk)
        done = actions.submit(row, answers, level_id=level, version=version, by=self.by())
        row.refresh_from_db()
        return Response(
            {**SavedSerializer(row).data, "submission": done.number},
            status=status.HTTP_201_CREATED,
        )

    def _read(self, pk: str) -> tuple[Appraisal, actions.Answers, int | None, int]:
        """The draft, all of its answers with the sent ones over them, and the version that was read."""
        row = get_editable(Appraisal.objects.select_related("participation"), self.by(), pk=pk)
        data = self.read(WriteInput)
        levels = set(
            RatingLevel.objects.filter(scale__cycle=row.participation.cycle_id).values_list(
                "pk", flat=True
            )
        )
        questions = {question.pk: question for question in actions.questions_of(row)}
        goals = {goal.pk for goal in actions.goals_of(row.participation)}
        answers: dict[actions.Key, actions.Value] = {
            key: actions.Value(text=a.text, level_id=a.level_id, choice=a.choice)
            for key, a in actions.saved_answers([row]).get(row.pk, {}).items()
        }
        for sent in data["answers"]:
            key, value = _answer(sent, questions, goals, levels)
            answers[key] = value
        level = data.get("level", row.level_id)
        if level is not None and (level not in levels or row.kind == Appraisal.Kind.SELF):
            raise Invalid("level", _("Choose a level of this cycle's scale."))
        return row, answers, level, data["version"]


def _answer(
    sent: dict[str, Any], questions: dict[int, Question], goals: set[int], levels: set[int]
) -> tuple[actions.Key, actions.Value]:
    """One sent answer, judged against its question."""
    question = questions.get(sent["question"])
    if question is None or question.kind == Question.Kind.RESULTS:
        raise Invalid("answers", _("This question is not one of yours."))
    goal = sent.get("goal")
    is_goals = question.kind == Question.Kind.GOALS
    if is_goals != (goal is not None) or (goal is not None and goal not in goals):
        raise Invalid(
            "answers", _("Name the goal where the question is about goals, and only there.")
        )
    level, choice = sent.get("level"), sent.get("choice", "")
    if level is not None and (not (is_goals or question.is_rated) or level not in levels):
        raise Invalid("answers", _("Choose a level of this cycle's scale."))
    if choice and choice not in question.options:
        raise Invalid("answers", _("This choice is not offered."))
    text = sent.get("text", "") if is_goals or question.kind == Question.Kind.TEXT else ""
    return (question.pk, goal), actions.Value(text=text, level_id=level, choice=choice)


class ResultViewSet(ScopedViewSet):
    """Released results that you may read."""

    scope = "appraisals"
    rows = ReleasedResult.objects.select_related(
        "participation__employee", "level", "acknowledgement"
    ).order_by("-pk")
    serializer_class = ResultSerializer
    filterset_fields = ["participation"]
    lists_content = False

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        """What is given is read one by one, where it is noted who looked."""
        return ResultLineSerializer if self.action == "list" else ResultSerializer

    def _own(self, pk: str) -> ReleasedResult:
        row = get_visible(ReleasedResult.objects.select_related("participation"), self.by(), pk=pk)
        if row.participation.employee_id != self.by().employee_id:
            raise PermissionDenied(_("The person whom it is about answers a result."))
        return row

    @extend_schema(request=CommentInput, responses=ResultSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that you have read it; no agreement."""
        row = self._own(pk)
        actions.acknowledge(row, self.read(CommentInput)["comment"], by=self.by())
        return Response(self.get_serializer(self.get_object()).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=AppealInput, responses=AppealSerializer)
    @action(detail=True, methods=["post"])
    def file_appeal(self, request: Request, pk: str) -> Response:
        """Ask for a review."""
        row = self._own(pk)
        appeal = actions.file_appeal(row, self.read(AppealInput)["text"], by=self.by())
        return Response(AppealSerializer(appeal).data, status=status.HTTP_201_CREATED)


def register(router: BaseRouter) -> None:
    """Add this app's viewsets to the one router of the project."""
    router.register("appraisals", AppraisalViewSet, basename="appraisal")
    router.register("results", ResultViewSet, basename="result")
