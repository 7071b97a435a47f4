"""Conversations of a pair through all stages, feedback, check-ins with their agenda, actions and promises."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Greatest, TruncDate
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from feedback import rules
from pmcycle.access import today
from pmcycle.cycles.models import Assignment, Participation, Relation, StageKind, items, related
from pmcycle.people.models import Employee, ReportingLine, User

PAIR = (Relation.SELF, Relation.MANAGER)
LONG_TEXT = 20_000

# What an entry may be about, and the page that shows it.
ABOUT_PAGES = {"goals.goal": "goals:detail", "appraisals.appraisal": "appraisals:read"}


def still_meet(manager: str = "manager", employee: str = "employee") -> Q:
    """Rows whose two people are manager and employee today: by reporting line, or in a running cycle."""
    line = ReportingLine.objects.current().filter(
        kind=ReportingLine.Kind.LINE, manager=OuterRef(manager), employee=OuterRef(employee)
    )
    written = Assignment.objects.current().filter(
        manager=OuterRef(manager),
        participation__employee=OuterRef(employee),
        participation__cycle__state="running",
        participation__state=Participation.State.ACTIVE,
    )
    return Q(Exists(line)) | Q(Exists(written))


def counterparts(user: User) -> models.QuerySet[Employee]:
    """Who meets this person one to one: their manager of today and those who report to them."""
    me = user.employee_id
    if me is None:
        return Employee.objects.none()
    line = ReportingLine.objects.current().filter(kind=ReportingLine.Kind.LINE)
    written = Assignment.objects.current().filter(
        participation__cycle__state="running", participation__state=Participation.State.ACTIVE
    )
    ids = (
        line.filter(employee=me).values("manager"),
        line.filter(manager=me).values("employee"),
        written.filter(participation__employee=me).values("manager"),
        written.filter(manager=me).values("participation__employee"),
    )
    found = Q(pk__in=ids[0])
    for more in ids[1:]:
        found |= Q(pk__in=more)
    return Employee.objects.filter(found).exclude(pk=me).working(today())


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, user: User) -> Self:
        """The two who talk; a 1:1 never reaches skip-level or HR by default, nor the next manager."""
        me = user.employee_id
        return self.filter(Q(participation__employee=me) | Q(manager=me)) if me else self.none()

    editable_by = visible_to


class Conversation(models.Model):
    """The thread of one manager and one employee in one stage of one cycle.

    It names the manager, so that a new manager starts a thread of their own instead of inheriting
    what was said with the one before.
    """

    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="conversations")
    manager = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=12, choices=StageKind)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "stage", "manager"], name="conversation_once_per_pair_and_stage"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participation_id} {self.stage}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, user: User) -> Self:
        """The employee; the manager of the thread while they are the manager; and its author for ever."""
        me = user.employee_id
        if me is None:
            return self.none()
        leads = Q(conversation__manager=me) & related(
            user, Relation.MANAGER, to="conversation__participation"
        )
        return self.filter(Q(author=me) | Q(conversation__participation__employee=me) | leads)

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
            models.CheckConstraint(condition=~Q(reviewer=F("requester")), name="feedback_request_to_another"),
        ]
        indexes = [
            models.Index("reviewer", "due_on", name="feedback_request_open", condition=Q(state="open"))
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"


class PairQuerySet(models.QuerySet["CheckInSeries"]):
    def visible_to(self, user: User) -> Self:
        """The two who meet; what was held stays with them when the reporting line moves."""
        me = user.employee_id
        return self.filter(Q(manager=me) | Q(employee=me)) if me else self.none()

    def editable_by(self, user: User) -> Self:
        return self.visible_to(user).filter(still_meet())


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
                fields=["manager", "employee"],
                condition=Q(ended_on__isnull=True),
                name="series_one_running_per_pair",
                violation_error_message=_("These two already have a recurring check-in."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def other_than(self, user: User) -> Employee:
        """Whom the reader meets."""
        return self.employee if user.employee_id == self.manager_id else self.manager

    @property
    def rhythm(self) -> str:
        """The rule in words."""
        return rules.rhythm_in_words(self.rrule)


class CheckInQuerySet(models.QuerySet["CheckIn"]):
    def visible_to(self, user: User) -> Self:
        me = user.employee_id
        return self.filter(Q(manager=me) | Q(employee=me)) if me else self.none()

    def editable_by(self, user: User) -> Self:
        """The two, as long as they are manager and employee; afterwards they may still read it."""
        return self.visible_to(user).filter(still_meet())

    def with_pair(self) -> Self:
        return self.select_related("manager__user", "employee__user", "series")


class CheckIn(models.Model):
    """One meeting. The pair is copied from the series, so that a held meeting stays with those who held it."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        HELD = "held", _("Held")
        CANCELLED = "cancelled", _("Cancelled")

    class Why(models.TextChoices):
        BY_HAND = "by_hand", _("called off")
        AWAY = "away", _("one of you is away")
        ENDED = "ended", _("the series has ended")

    series = models.ForeignKey(CheckInSeries, null=True, on_delete=models.PROTECT, related_name="check_ins")
    manager = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    # The instant that the series' rule gave; it stays when this one meeting is moved.
    slot = models.DateTimeField(null=True)
    starts_at = models.DateTimeField()
    cancelled_why = models.CharField(max_length=10, choices=Why, blank=True, default="")
    minutes = models.PositiveSmallIntegerField(default=30)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    shared_note = models.TextField(blank=True)
    # Apart from `version`: whoever moves the meeting must not stop the other one from writing.
    note_version = models.PositiveIntegerField(default=1)
    note_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    held_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = CheckInQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["series", "slot"], name="check_in_once_per_slot"),
            models.UniqueConstraint(
                fields=["manager", "employee", "starts_at"],
                condition=Q(state="planned"),
                name="check_in_once_per_time",
                violation_error_message=_("These two already have a check-in at that time."),
            ),
            models.CheckConstraint(
                condition=Q(state="cancelled") | Q(cancelled_why=""), name="check_in_reason_only_if_cancelled"
            ),
            models.CheckConstraint(
                condition=Q(state="held", held_at__isnull=False)
                | (~Q(state="held") & Q(held_at__isnull=True)),
                name="check_in_held_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"check-in {self.pk}"

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def is_planned(self) -> bool:
        return self.state == self.State.PLANNED

    @property
    def is_held(self) -> bool:
        return self.state == self.State.HELD

    @property
    def is_past(self) -> bool:
        return self.ends_at < timezone.now()

    def other_than(self, user: User) -> Employee:
        """Whom the reader meets."""
        return self.employee if user.employee_id == self.manager_id else self.manager


class OfCheckInQuerySet(models.QuerySet["AgendaPoint"]):
    def visible_to(self, user: User) -> Self:
        me = user.employee_id
        return self.filter(Q(check_in__manager=me) | Q(check_in__employee=me)) if me else self.none()

    def editable_by(self, user: User) -> Self:
        return self.visible_to(user).filter(still_meet("check_in__manager", "check_in__employee"))

    def written_by(self, user: User) -> Self:
        """A person's own points: only they change the words or take them back."""
        return self.filter(author=user.employee_id) if user.employee_id else self.none()

    def standing(self) -> Self:
        """Not taken back by their author."""
        return self.filter(withdrawn_at__isnull=True)


class AgendaPoint(models.Model):
    """Something one of the two wants to talk about; what was not, is carried to the next meeting."""

    check_in = models.ForeignKey(CheckIn, on_delete=models.CASCADE, related_name="points")
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=500)
    is_done = models.BooleanField(default=False)
    carried_from = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="carried_to"
    )
    withdrawn_at = models.DateTimeField(null=True)
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
        """Its owner always; the other one as long as the two are manager and employee."""
        pair = still_meet("check_in__manager", "check_in__employee")
        return self.visible_to(user).filter(Q(owner=user.employee_id) | pair)

    def open(self) -> Self:
        return self.filter(done_at__isnull=True, dropped_at__isnull=True)

    def promises(self) -> Self:
        """What managers committed to."""
        return self.filter(owner=F("check_in__manager"))


class ActionItem(models.Model):
    """Who does what by when, out of a check-in. Those of the manager are promises."""

    check_in = models.ForeignKey(CheckIn, on_delete=models.CASCADE, related_name="actions")
    owner = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="action_items")
    from_point = models.OneToOneField(AgendaPoint, null=True, on_delete=models.PROTECT, related_name="action")
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
            ),
            models.CheckConstraint(
                condition=Q(dropped_at__isnull=True) | ~Q(dropped_why=""),
                name="action_item_dropped_says_why",
                violation_error_message=_("Say why it is dropped."),
            ),
        ]
        indexes = [
            models.Index(
                "owner",
                "due_on",
                name="action_item_open",
                condition=Q(done_at__isnull=True, dropped_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def is_open(self) -> bool:
        return self.done_at is None and self.dropped_at is None

    @property
    def is_promise(self) -> bool:
        """What the manager committed to."""
        return self.owner_id == self.check_in.manager_id


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    def visible_to(self, user: User) -> Self:
        """A calendar address is its owner's secret."""
        return self.filter(user=user)

    editable_by = visible_to


class CalendarFeed(models.Model):
    """A secret address under which a calendar program reads when someone's check-ins are: times, never content.

    Only the sha256 of the secret is kept, so the address can be shown once and never again.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calendar_feeds")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_read_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(revoked_at__isnull=True), name="calendar_feed_one_valid_per_user"
            )
        ]

    def __str__(self) -> str:
        return f"calendar of {self.user_id}"


# --- what other apps read ------------------------------------------------------------------------------------------


THREAD_SHOWS = 4


def thread_of(participation: Participation, stage: str, user: User) -> dict[str, Any] | None:
    """The pair's thread of one stage for `templates/feedback/_thread.html`; None for whoever is not of the pair.

    Two statements: the manager of today, and the last entries. Whoever renders it passes the
    participation that the page already has; `participation.employee` is read if it is not loaded.
    """
    if user.employee_id is None:
        return None
    assignment = (
        Assignment.objects.current().filter(participation=participation).select_related("manager").first()
    )
    is_employee = participation.employee_id == user.employee_id
    is_manager = assignment is not None and assignment.manager_id == user.employee_id
    if not (is_employee or is_manager):
        return None
    rows = (
        Entry.objects.filter(conversation__participation=participation, conversation__stage=stage)
        .visible_to(user)
        .select_related("author")
        .order_by("-said_at", "-pk")[: THREAD_SHOWS + 1]
    )
    entries = [as_line(entry, user) for entry in rows]
    manager = assignment.manager if assignment else None
    place = {"pk": participation.pk, "stage": stage}
    return {
        "entries": entries[:THREAD_SHOWS][::-1],
        "has_earlier": len(entries) > THREAD_SHOWS,
        "other": participation.employee.name if is_manager else manager.name if manager else "",
        "is_employee": is_employee,
        "can_say": manager is not None,
        "stage": stage,
        "stage_label": StageKind(stage).label,
        "url": reverse("feedback:conversation", kwargs=place),
        "say_url": reverse("feedback:say", kwargs=place),
        "draft_key": f"say-{participation.pk}-{stage}",
        "max_length": LONG_TEXT,
    }


def as_line(entry: Entry, user: User) -> dict[str, Any]:
    """An entry in the shape of `templates/ui/_entry.html`."""
    url = ""
    if entry.about_kind in ABOUT_PAGES and entry.about_id:
        try:
            url = reverse(ABOUT_PAGES[entry.about_kind], kwargs={"pk": entry.about_id})
        except NoReverseMatch:
            url = ""
    return {
        "id": entry.pk,
        "author": entry.author,
        "at": entry.said_at,
        "text": entry.body,
        "mine": entry.author_id == user.employee_id,
        "about": entry.about_label,
        "url": url,
    }


def entries_known_since(participation: Participation, days: int) -> models.QuerySet[Entry]:
    """What others told this person in their conversations at least `days` ago, newest first.

    The no-surprise gate cites one of these: a low rating must have been said before, to the person,
    by somebody else, early enough to act on it.
    """
    before = timezone.now() - timedelta(days=days)
    return (
        Entry.objects.filter(conversation__participation=participation, said_at__lte=before)
        .exclude(author=participation.employee_id)
        .select_related("author", "conversation")
        .order_by("-said_at", "-pk")
    )


def last_talk(participation: str = "pk", employee: str = "employee") -> Greatest:
    """When manager and employee last talked, as an expression for a queryset; NULL if they never did.

    `Participation.objects.led_by(user).annotate(last_talk=last_talk())`; then
    `feedback.rules.silence_days(row.last_talk, …)`. Counts what was said in their threads, check-ins
    held and feedback between the two; only with the manager of today. `participation` and `employee`
    are the lookups from the outer row.
    """
    manager = (
        Assignment.objects.current()
        .filter(participation=OuterRef(OuterRef(participation)))
        .values("manager")[:1]
    )

    def newest(rows: models.QuerySet[Any], field: str) -> models.Subquery:
        return models.Subquery(rows.order_by(f"-{field}").values(field)[:1])

    said = Entry.objects.filter(
        conversation__participation=OuterRef(participation), conversation__manager=manager
    )
    held = CheckIn.objects.filter(employee=OuterRef(employee), manager=manager, state=CheckIn.State.HELD)
    given = Feedback.objects.filter(
        Q(giver=manager, recipient=OuterRef(employee)) | Q(giver=OuterRef(employee), recipient=manager)
    )
    return Greatest(newest(said, "said_at"), newest(held, "held_at"), newest(given, "given_at"))


def open_items() -> list[models.QuerySet[Any, Any]]:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`.

    Requests to answer, agendas that are empty shortly before a meeting, meetings past and not marked
    as held, actions and promises; each for who must act, and as waiting for who counts on it. None of
    it belongs to a cycle. Whoever has left neither acts nor waits.
    """
    now = timezone.now()
    asked = FeedbackRequest.objects.filter(state=FeedbackRequest.State.OPEN)
    planned = CheckIn.objects.filter(state=CheckIn.State.PLANNED)
    soon = planned.filter(starts_at__gt=now, starts_at__lte=now + rules.PREPARE_BEFORE)
    length = models.ExpressionWrapper(
        F("minutes") * timedelta(minutes=1), output_field=models.DurationField()
    )
    past = planned.filter(starts_at__lt=now - length)
    todo = ActionItem.objects.open()
    promised, taken = todo.promises(), todo.exclude(owner=F("check_in__manager"))
    found = [
        _item(asked, "request", "reviewer", "about", "due_on"),
        _item(asked, "request", "requester", "reviewer", "due_on", waits=True),
        _item(promised, "promise", "owner", "check_in__employee", "due_on"),
        _item(promised, "promise", "check_in__employee", "owner", "due_on", waits=True),
        _item(taken, "action", "owner", "check_in__manager", "due_on"),
        _item(taken, "action", "check_in__manager", "owner", "due_on", waits=True),
    ]
    for me, other in (("manager", "employee"), ("employee", "manager")):
        mine = AgendaPoint.objects.standing().filter(check_in=OuterRef("pk"), author=OuterRef(me))
        found += [
            _item(soon.exclude(Exists(mine)), "agenda", me, other, TruncDate("starts_at")),
            _item(past, "not_held", me, other, TruncDate("starts_at")),
        ]
    return found


def _item(
    rows: models.QuerySet[Any], kind: str, recipient: str, about: str, due_on: Any, *, waits: bool = False
) -> models.QuerySet[Any, Any]:
    """Open items of one kind; `recipient` and `about` are lookups to the two people."""
    here = Q(**{f"{recipient}__left_on__isnull": True}) | Q(**{f"{recipient}__left_on__gte": today()})
    return items(
        rows.filter(here),
        kind=f"feedback:{kind}",
        stage="feedback",
        subject=F("pk"),
        recipient=F(f"{recipient}_id"),
        about=F(f"{about}_id"),
        about_name=F(f"{about}__name"),
        cycle=Cast(Value(None), models.BigIntegerField()),
        due_on=F(due_on) if isinstance(due_on, str) else due_on,
        **({"phase": Value("waits", models.CharField())} if waits else {}),
    )
