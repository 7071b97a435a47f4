"""Conversations of a pair through all stages, feedback, check-ins with their agenda, actions and promises."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pmcycle.cycles.models import Participation, Relation, StageKind, related
from pmcycle.people.models import Employee, ReportingLine, User

PAIR = (Relation.SELF, Relation.MANAGER)


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, user: User) -> Self:
        """The pair alone, as long as it is a pair; a 1:1 never reaches skip-level or HR by default."""
        return self.filter(related(user, *PAIR))

    editable_by = visible_to


class Conversation(models.Model):
    """The thread of a manager and an employee in one stage of one cycle."""

    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="conversations")
    stage = models.CharField(max_length=12, choices=StageKind)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["participation", "stage"], name="conversation_once_per_stage")]

    def __str__(self) -> str:
        return f"{self.participation_id} {self.stage}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, user: User) -> Self:
        """The pair; and whoever wrote it keeps what they wrote, also after the pair has changed."""
        own = Q(author=user.employee_id) if user.employee_id else Q(pk__in=[])
        return self.filter(related(user, *PAIR, to="conversation__participation") | own)

    def editable_by(self, user: User) -> Self:
        """Nobody rewrites what was said."""
        return self.none()


class Entry(models.Model):
    """One thing said, about a goal, an appraisal question, an award — or nothing in particular. Append-only."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="entries")
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    body = models.TextField()
    about_kind = models.CharField(max_length=60, blank=True)
    about_id = models.BigIntegerField(null=True)
    about_label = models.CharField(max_length=200, blank=True)
    said_at = models.DateTimeField(db_default=models.functions.Now())

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        ordering = ["said_at", "pk"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        indexes = [models.Index("conversation", "said_at", name="entry_thread")]

    def __str__(self) -> str:
        return f"entry {self.pk}"


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def visible_to(self, user: User) -> Self:
        """Giver and recipient; their manager if shared with the manager; everybody for public praise."""
        me = user.employee_id
        if me is None:
            return self.none()
        own = Q(giver=me) | Q(recipient=me)
        manager = Q(visibility=Feedback.Visibility.MANAGER, recipient__in=_reports_of(me))
        public = Q(visibility=Feedback.Visibility.PUBLIC, hidden_at__isnull=True)
        return self.filter(own | manager | public)

    def editable_by(self, user: User) -> Self:
        """The recipient answers and hides; nobody edits the words."""
        return self.filter(recipient=user.employee_id) if user.employee_id else self.none()


def _reports_of(manager_id: int) -> models.QuerySet[Employee, int]:
    return ReportingLine.objects.current().filter(manager=manager_id).values_list("employee", flat=True)


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
    recipient = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="feedback_received")
    kind = models.CharField(max_length=10, choices=Kind)
    visibility = models.CharField(max_length=10, choices=Visibility)
    body = models.TextField()
    request = models.OneToOneField("FeedbackRequest", null=True, on_delete=models.PROTECT, related_name="answer")
    given_at = models.DateTimeField(db_default=models.functions.Now())
    was_useful = models.BooleanField(null=True)
    hidden_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        ordering = ["-given_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(giver=F("recipient")), name="feedback_not_to_oneself",
                violation_error_message=_("Feedback is for somebody else."),
            ),
            models.CheckConstraint(
                condition=~Q(visibility="public") | Q(kind="praise"), name="feedback_only_praise_is_public",
                violation_error_message=_("Only praise can be shown to everybody."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class FeedbackRequestQuerySet(models.QuerySet["FeedbackRequest"]):
    def visible_to(self, user: User) -> Self:
        me = user.employee_id
        return self.filter(Q(requester=me) | Q(reviewer=me) | Q(about=me)) if me else self.none()

    def editable_by(self, user: User) -> Self:
        me = user.employee_id
        return self.filter(Q(requester=me) | Q(reviewer=me)) if me else self.none()


class FeedbackRequest(models.Model):
    """A question to one reviewer about one person, with a due day."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")
        DECLINED = "declined", _("Declined")

    requester = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="feedback_requests")
    about = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    question = models.TextField()
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    objects = FeedbackRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reviewer=F("about")), name="feedback_request_about_another"),
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"


class PairQuerySet(models.QuerySet["CheckInSeries"]):
    def visible_to(self, user: User) -> Self:
        """The two who meet; what was held stays with them when the reporting line moves."""
        me = user.employee_id
        return self.filter(Q(manager=me) | Q(employee=me)) if me else self.none()

    editable_by = visible_to


class CheckInSeries(models.Model):
    """A recurring meeting of a pair. `rrule` is RFC 5545 text, read in `zone`, so that 10:00 stays 10:00."""

    manager = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=120, default="Check-in")
    rrule = models.CharField(max_length=200)
    starts_on = models.DateField()
    at = models.TimeField()
    minutes = models.PositiveSmallIntegerField(default=30)
    zone = models.CharField(max_length=64)
    ended_on = models.DateField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    objects = PairQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "check-in series"
        constraints = [
            models.CheckConstraint(condition=~Q(manager=F("employee")), name="series_two_people"),
            models.UniqueConstraint(
                fields=["manager", "employee"], condition=Q(ended_on__isnull=True), name="series_one_running_per_pair",
                violation_error_message=_("These two already have a recurring check-in."),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class CheckInQuerySet(models.QuerySet["CheckIn"]):
    def visible_to(self, user: User) -> Self:
        me = user.employee_id
        return self.filter(Q(manager=me) | Q(employee=me)) if me else self.none()

    editable_by = visible_to


class CheckIn(models.Model):
    """One meeting. The pair is copied from the series, so that a held meeting stays with those who held it."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        HELD = "held", _("Held")
        CANCELLED = "cancelled", _("Cancelled")

    series = models.ForeignKey(CheckInSeries, on_delete=models.PROTECT, related_name="check_ins")
    manager = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(default=30)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    shared_note = models.TextField(blank=True)
    held_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = CheckInQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["series", "starts_at"], name="check_in_once_per_time"),
            models.CheckConstraint(
                condition=Q(state="held", held_at__isnull=False) | (~Q(state="held") & Q(held_at__isnull=True)),
                name="check_in_held_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"check-in {self.pk}"


class OfCheckInQuerySet(models.QuerySet["AgendaPoint"]):
    def visible_to(self, user: User) -> Self:
        me = user.employee_id
        return self.filter(Q(check_in__manager=me) | Q(check_in__employee=me)) if me else self.none()

    editable_by = visible_to


class AgendaPoint(models.Model):
    """Something one of the two wants to talk about; what was not, is carried to the next meeting."""

    check_in = models.ForeignKey(CheckIn, on_delete=models.CASCADE, related_name="points")
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=500)
    is_done = models.BooleanField(default=False)
    carried_from = models.OneToOneField("self", null=True, on_delete=models.SET_NULL, related_name="carried_to")
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    objects = OfCheckInQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text


class PrivateNoteQuerySet(models.QuerySet["PrivateNote"]):
    def visible_to(self, user: User) -> Self:
        """Its author, in every role and for ever; nobody else."""
        return self.filter(author=user.employee_id) if user.employee_id else self.none()

    editable_by = visible_to


class PrivateNote(models.Model):
    """What one of the two keeps for themselves about a meeting."""

    check_in = models.ForeignKey(CheckIn, on_delete=models.CASCADE, related_name="private_notes")
    author = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    body = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1)

    objects = PrivateNoteQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["check_in", "author"], name="private_note_once")]

    def __str__(self) -> str:
        return f"private note {self.pk}"


class ActionItemQuerySet(models.QuerySet["ActionItem"]):
    def visible_to(self, user: User) -> Self:
        me = user.employee_id
        return self.filter(Q(check_in__manager=me) | Q(check_in__employee=me)) if me else self.none()

    def editable_by(self, user: User) -> Self:
        return self.visible_to(user)

    def promises(self) -> Self:
        """What managers committed to."""
        return self.filter(owner=F("check_in__manager"))


class ActionItem(models.Model):
    """Who does what by when, out of a check-in. Those of the manager are promises."""

    check_in = models.ForeignKey(CheckIn, on_delete=models.CASCADE, related_name="actions")
    owner = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="action_items")
    text = models.CharField(max_length=500)
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    dropped_why = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    objects = ActionItemQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(dropped_at__isnull=True), name="action_item_one_end"
            )
        ]

    def __str__(self) -> str:
        return self.text


def open_items() -> list[models.QuerySet[Any, Any]]:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`."""
    return []
