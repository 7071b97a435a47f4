"""The API of feedback: the same verbs as the pages, through the same actions, with closed field lists."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from feedback import actions
from feedback.models import (
    LONG_TEXT,
    PAIR,
    ActionItem,
    AgendaPoint,
    CheckIn,
    Entry,
    Feedback,
    FeedbackRequest,
)
from pmcycle.access import get_visible
from pmcycle.cycles.models import Participation, StageKind, related
from pmcycle.errors import Invalid
from pmcycle.people.api import ScopedViewSet, VersionedSerializer
from pmcycle.people.filters import Filters
from pmcycle.people.models import Employee

# --- what goes out ---------------------------------------------------------------------------------


class EntrySerializer(serializers.ModelSerializer[Entry]):
    """One thing said in the thread of a pair."""

    participation = serializers.IntegerField(source="conversation.participation_id", read_only=True)
    stage = serializers.CharField(source="conversation.stage", read_only=True)

    class Meta:
        model = Entry
        fields = [
            "id",
            "participation",
            "stage",
            "author",
            "body",
            "about_kind",
            "about_id",
            "about_label",
            "said_at",
        ]
        read_only_fields = fields


class FeedbackSerializer(serializers.ModelSerializer[Feedback]):
    """A piece of feedback; `visibility` says who else reads it."""

    class Meta:
        model = Feedback
        fields = [
            "id",
            "giver",
            "recipient",
            "kind",
            "visibility",
            "body",
            "request",
            "given_at",
            "was_useful",
            "hidden_at",
            "version",
        ]
        read_only_fields = fields


class FeedbackRequestSerializer(serializers.ModelSerializer[FeedbackRequest]):
    """A question to a colleague and what became of it."""

    class Meta:
        model = FeedbackRequest
        fields = [
            "id",
            "requester",
            "reviewer",
            "about",
            "question",
            "due_on",
            "state",
            "created_at",
            "version",
        ]
        read_only_fields = fields


class PointSerializer(serializers.ModelSerializer[AgendaPoint]):
    """A point of an agenda."""

    class Meta:
        model = AgendaPoint
        fields = ["id", "check_in", "author", "text", "is_done", "carried_from", "version"]
        read_only_fields = fields


class ActionItemSerializer(serializers.ModelSerializer[ActionItem]):
    """Who does what by when; the manager's are promises."""

    is_promise = serializers.BooleanField(read_only=True)

    class Meta:
        model = ActionItem
        fields = [
            "id",
            "check_in",
            "owner",
            "is_promise",
            "text",
            "due_on",
            "done_at",
            "dropped_at",
            "dropped_why",
            "version",
        ]
        read_only_fields = fields


class CheckInSerializer(serializers.ModelSerializer[CheckIn]):
    """A meeting; `note_version` goes with the shared note, `version` with the meeting itself."""

    class Meta:
        model = CheckIn
        fields = [
            "id",
            "series",
            "manager",
            "employee",
            "starts_at",
            "minutes",
            "state",
            "shared_note",
            "note_version",
            "held_at",
            "version",
        ]
        read_only_fields = fields


# --- what comes in ---------------------------------------------------------------------------------


class SaySerializer(serializers.Serializer[Any]):
    """Something to say to the other one."""

    participation = serializers.IntegerField(min_value=1)
    stage = serializers.ChoiceField(choices=StageKind.choices)
    body = serializers.CharField(max_length=LONG_TEXT)
    about_kind = serializers.RegexField(
        r"^[a-z_.]+$", max_length=60, required=False, allow_blank=True, default=""
    )
    about_id = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, allow_null=True, default=None
    )
    about_label = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default=""
    )


class GiveSerializer(serializers.Serializer[Any]):
    """Feedback and who will read it."""

    recipient = serializers.IntegerField(min_value=1)
    kind = serializers.ChoiceField(choices=Feedback.Kind.choices)
    visibility = serializers.ChoiceField(choices=Feedback.Visibility.choices)
    body = serializers.CharField(max_length=LONG_TEXT)


class AnswerSerializer(VersionedSerializer):
    """The answer to a request."""

    kind = serializers.ChoiceField(choices=Feedback.Kind.choices[:2])
    visibility = serializers.ChoiceField(choices=Feedback.Visibility.choices[:2])
    body = serializers.CharField(max_length=LONG_TEXT)


class DecisionSerializer(VersionedSerializer):
    """A step on what was read."""


class AddPointSerializer(serializers.Serializer[Any]):
    """A point for the agenda."""

    text = serializers.CharField(max_length=500)


class WriteNoteSerializer(VersionedSerializer):
    """The shared note; `version` is the `note_version` that was read."""

    shared_note = serializers.CharField(
        max_length=LONG_TEXT, allow_blank=True, trim_whitespace=False
    )


class AddActionSerializer(serializers.Serializer[Any]):
    """Who does what by when."""

    text = serializers.CharField(max_length=500)
    owner = serializers.IntegerField(min_value=1)
    due_on = serializers.DateField()


# --- viewsets --------------------------------------------------------------------------------------


class EntryFilter(Filters):
    """By participation and stage."""

    participation = django_filters.NumberFilter(field_name="conversation__participation")
    stage = django_filters.CharFilter(field_name="conversation__stage")

    class Meta:
        model = Entry
        fields: list[str] = []


class EntryViewSet(ScopedViewSet):
    """What you and the other one have said, in every stage."""

    scope = "feedback"
    rows = Entry.objects.select_related("conversation").order_by("-said_at", "-pk")
    serializer_class = EntrySerializer
    filterset_class = EntryFilter

    @extend_schema(request=SaySerializer, responses={201: EntrySerializer})
    @action(detail=False, methods=["post"])
    def say(self, request: Request) -> Response:
        """Say something to your manager of today, or to somebody you lead."""
        data = self.read(SaySerializer)
        pairs = Participation.objects.filter(related(self.by(), *PAIR, to=""))
        participation = get_visible(pairs, self.by(), pk=data.pop("participation"))
        entry = actions.say(
            participation, data.pop("stage"), data.pop("body"), by=self.by(), **data
        )
        return self.answer_with(entry.pk, status.HTTP_201_CREATED)


class FeedbackViewSet(ScopedViewSet):
    """Feedback that you may read."""

    scope = "feedback"
    rows = Feedback.objects.order_by("-given_at", "-pk")
    serializer_class = FeedbackSerializer
    filterset_fields = ["giver", "recipient", "kind", "visibility"]

    @extend_schema(request=GiveSerializer, responses={201: FeedbackSerializer})
    @action(detail=False, methods=["post"])
    def give(self, request: Request) -> Response:
        """Give feedback; who reads it never changes afterwards."""
        data = self.read(GiveSerializer)
        recipient = Employee.objects.visible_to(self.by()).filter(pk=data.pop("recipient")).first()
        if recipient is None:
            raise Invalid("recipient", _("Nobody has this number."))
        try:
            given = actions.give(recipient, by=self.by(), **data)
        except Invalid as error:
            raise Invalid(
                "recipient" if error.field == "to" else error.field, error.reason
            ) from error
        return self.answer_with(given.pk, status.HTTP_201_CREATED)


class FeedbackRequestViewSet(ScopedViewSet):
    """Questions that you asked, were asked, or that are about you."""

    scope = "feedback"
    rows = FeedbackRequest.objects.order_by("-pk")
    serializer_class = FeedbackRequestSerializer
    filterset_fields = ["state", "reviewer", "requester", "about"]

    @extend_schema(request=AnswerSerializer, responses={201: FeedbackSerializer})
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str | None = None) -> Response:
        """Answer it."""
        row = self.mine(pk)
        given = actions.answer(row, by=self.by(), **self.read(AnswerSerializer))
        return Response(FeedbackSerializer(given).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=DecisionSerializer, responses={200: FeedbackRequestSerializer})
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str | None = None) -> Response:
        """Say that you cannot this time."""
        row = self.mine(pk)
        actions.decline(row, version=self.read(DecisionSerializer)["version"], by=self.by())
        return self.answer_with(row.pk)


class CheckInViewSet(ScopedViewSet):
    """Your check-ins, and what is done in them. Private notes are not part of the API."""

    scope = "check_ins"
    rows = CheckIn.objects.with_pair().order_by("starts_at", "pk")
    serializer_class = CheckInSerializer
    filterset_fields = ["state", "manager", "employee"]

    @extend_schema(
        responses={200: PointSerializer(many=True)},
        filters=False,
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("offset", int)],
    )
    @action(detail=True, methods=["get"], filterset_fields=None)
    def points(self, request: Request, pk: str | None = None) -> Response:
        """Both sides of the agenda."""
        rows = (
            AgendaPoint.objects.visible_to(self.by()).standing().filter(check_in=self.get_object())
        )
        return self.get_paginated_response(
            PointSerializer(self.paginate_queryset(rows), many=True).data
        )

    @extend_schema(request=AddPointSerializer, responses={201: PointSerializer})
    @action(detail=True, methods=["post"])
    def add_point(self, request: Request, pk: str | None = None) -> Response:
        """Put a point on your side of the agenda."""
        point = actions.add_point(
            self.mine(pk), self.read(AddPointSerializer)["text"], by=self.by()
        )
        return Response(PointSerializer(point).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=WriteNoteSerializer, responses={200: CheckInSerializer})
    @action(detail=True, methods=["post"])
    def write_note(self, request: Request, pk: str | None = None) -> Response:
        """Save the shared note that you have read; 409 with the saved text if the other one was faster."""
        row, data = self.mine(pk), self.read(WriteNoteSerializer)
        actions.write_note(row, data["shared_note"], version=data["version"], by=self.by())
        return self.answer_with(row.pk)

    @extend_schema(request=DecisionSerializer, responses={200: CheckInSerializer})
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str | None = None) -> Response:
        """Mark it as held; open points go to the next one."""
        row = self.mine(pk)
        actions.hold(row, version=self.read(DecisionSerializer)["version"], by=self.by())
        return self.answer_with(row.pk)

    @extend_schema(request=AddActionSerializer, responses={201: ActionItemSerializer})
    @action(detail=True, methods=["post"])
    def add_action(self, request: Request, pk: str | None = None) -> Response:
        """Note who of the two does what by when."""
        row, data = self.mine(pk), self.read(AddActionSerializer)
        item = actions.add_action(row, owner_id=data.pop("owner"), by=self.by(), **data)
        return Response(ActionItemSerializer(item).data, status=status.HTTP_201_CREATED)


class ActionItemFilter(Filters):
    """By owner, check-in, and whether it is still open."""

    open = django_filters.BooleanFilter(method="only_open")

    class Meta:
        model = ActionItem
        fields = ["owner", "check_in"]

    def only_open(self, rows: QuerySet[ActionItem], name: str, value: bool) -> QuerySet[ActionItem]:
        still = {"done_at__isnull": True, "dropped_at__isnull": True}
        return rows.filter(**still) if value else rows.exclude(**still)


class ActionItemViewSet(ScopedViewSet):
    """Actions and promises out of your check-ins."""

    scope = "check_ins"
    rows = ActionItem.objects.select_related("check_in").order_by("due_on", "pk")
    serializer_class = ActionItemSerializer
    filterset_class = ActionItemFilter

    @extend_schema(request=DecisionSerializer, responses={200: ActionItemSerializer})
    @action(detail=True, methods=["post"])
    def done(self, request: Request, pk: str | None = None) -> Response:
        """It is done, or the promise is kept."""
        row = self.mine(pk)
        actions.done(row, version=self.read(DecisionSerializer)["version"], by=self.by())
        return self.answer_with(row.pk)


def register(router: BaseRouter) -> None:
    """Add this app's viewsets to the one router of the project."""
    router.register("conversations", EntryViewSet, basename="conversation")
    router.register("feedback", FeedbackViewSet, basename="feedback")
    router.register("feedback-requests", FeedbackRequestViewSet, basename="feedbackrequest")
    router.register("check-ins", CheckInViewSet, basename="checkin")
    router.register("action-items", ActionItemViewSet, basename="actionitem")
