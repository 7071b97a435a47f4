"""Feedback that people give, and ask for."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pmcycle.people.models import Employee, ReportingLine, User


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def visible_to(self, user: User) -> Self:
        """Giver and recipient; their manager if shared with the manager; everybody for public praise."""
        me = user.employee_id
        if me is None:
            return self.none()
        own = Q(giver=me) | Q(recipient=me)
        manager = Q(visibility=Feedback.Visibility.MANAGER, recipient__in=reports_of(me))
        public = Q(visibility=Feedback.Visibility.PUBLIC, hidden_at__isnull=True)
        return self.filter(own | manager | public)

    def editable_by(self, user: User) -> Self:
        """The recipient answers and hides; nobody edits the words."""
        return self.filter(recipient=user.employee_id) if user.employee_id else self.none()


def reports_of(manager_id: int | None) -> models.QuerySet[Employee, int]:
    """Who reports to this person today, in the line: "their manager" of a piece of feedback is that one alone."""
    line = ReportingLine.objects.current().filter(kind=ReportingLine.Kind.LINE, manager=manager_id)
    return line.values_list("employee", flat=True)


class Feedback(models.Model):
    """Praise, a suggestion or upward feedback. Who will see it is chosen before writing and then fixed."""

    class Kind(models.TextChoices):
        PRAISE = "praise", _("Praise")
        SUGGESTION = "suggestion", _("Suggestion")
        UPWARD = "upward", _("Upward feedback")

    class Visibility(models.TextChoices):
        PERSON = "person", _("Only the person")
        MANAGER = "manager", _("The person and their manager")
        PUBLIC = "public", _("Everybody (praise)")

    giver = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="feedback_given")
    recipient = models.ForeignKey(
        Employee, on_delete=models.PROTECT, related_name="feedback_received"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    visibility = models.CharField(max_length=10, choices=Visibility)
    body = models.TextField()
    request = models.OneToOneField(
        "FeedbackRequest", null=True, on_delete=models.PROTECT, related_name="answer"
    )
    given_at = models.DateTimeField(db_default=models.functions.Now())
    was_useful = models.BooleanField(null=True)
    hidden_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        ordering = ["-given_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(giver=F("recipient")),
                name="feedback_not_to_oneself",
                violation_error_message=_("Feedback is for somebody else."),
            ),
            models.CheckConstraint(
                condition=~Q(visibility="public") | Q(kind="praise"),
                name="feedback_only_praise_is_public",
                violation_error_message=_("Only praise can be shown to everybody."),
            ),
            models.CheckConstraint(
                condition=Q(hidden_at__isnull=True) | Q(visibility="public"),
                name="feedback_only_public_is_hidden",
            ),
        ]
        indexes = [
            models.Index("recipient", F("given_at").desc(), name="feedback_received"),
            models.Index("giver", F("given_at").desc(), name="feedback_given"),
            models.Index(
                F("given_at").desc(),
                name="feedback_wall",
                condition=Q(visibility="public", hidden_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class FeedbackRequestQuerySet(models.QuerySet["FeedbackRequest"]):
    def visible_to(self, user: User) -> Self:
        """Who asked, who is asked, and whom it is about."""
        me = user.employee_id
        return self.filter(Q(requester=me) | Q(reviewer=me) | Q(about=me)) if me else self.none()

    def editable_by(self, user: User) -> Self:
        """The one who is asked answers or declines."""
        return self.filter(reviewer=user.employee_id) if user.employee_id else self.none()


class FeedbackRequest(models.Model):
    """A question to one reviewer about one person, with a due day."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")
        DECLINED = "declined", _("Declined")

    requester = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(
        Employee, on_delete=models.PROTECT, related_name="feedback_requests"
    )
    about = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    question = models.TextField()
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    objects = FeedbackRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(reviewer=F("about")), name="feedback_request_about_another"
            ),
            models.CheckConstraint(
                condition=~Q(reviewer=F("requester")), name="feedback_request_to_another"
            ),
        ]
        indexes = [
            models.Index(
                "reviewer", "due_on", name="feedback_request_open", condition=Q(state="open")
            )
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"
