"""The API of home: what needs me, from the same rows as the page."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.utils import timezone
from rest_framework import serializers
from rest_framework.routers import BaseRouter

from pmcycle.activity.models import ToDo, named
from pmcycle.home.contributions import NEEDS
from pmcycle.home.needs import words_and_url
from pmcycle.people.api import ScopedViewSet


class ToDoSerializer(serializers.ModelSerializer[ToDo]):
    """One thing that the reader has to do (phase "todo") or that waits on others (phase "waits")."""

    title = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    due_zone = serializers.SerializerMethodField()

    class Meta:
        model = ToDo
        fields = [
            "id",
            "kind",
            "subject_id",
            "title",
            "url",
            "cycle",
            "stage",
            "phase",
            "due_on",
            "due_zone",
            "opened_at",
        ]
        read_only_fields = fields

    def get_title(self, row: Any) -> str:
        """What it is, in the reader's language."""
        return words_and_url(row.kind, row.subject_id, row.named_as, row.phase)[0]

    def get_url(self, row: Any) -> str:
        """The page on which it is done."""
        return words_and_url(row.kind, row.subject_id, row.named_as, row.phase)[1]

    def get_due_zone(self, row: Any) -> str | None:
        """Where the due day is a day and ends: the cycle's time zone, else the reader's. Null without a due day."""
        if row.due_on is None:
            return None
        return row.zone or self.context["request"].user.zone_name or "UTC"


class ToDoViewSet(ScopedViewSet):
    """What needs the reader now, soonest first, and what of theirs waits on others."""

    scope = "todos"
    rows = ToDo.objects.all()
    serializer_class = ToDoSerializer
    filterset_fields = ["phase", "stage", "cycle"]

    def get_queryset(self) -> Any:
        """Open, come and not over; a kind that has no words has no page either."""
        mine = super().get_queryset().now(timezone.now()).filter(kind__in=list(NEEDS))
        return mine.annotate(named_as=named(), zone=F("cycle__zone")).order_by("due_on", "pk")


def register(router: BaseRouter) -> None:
    """Add this app's viewset to the one router of the project."""
    router.register("todos", ToDoViewSet, basename="todo")
