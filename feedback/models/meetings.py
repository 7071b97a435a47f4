"""Check-ins: their rhythm, agenda, notes, actions and promises, and the calendar that shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from feedback import rules
from feedback.models.conversations import Entry
from feedback.models.giving import Feedback
from pmcycle.access import today
from pmcycle.cycles.models import Assignment, Participation
from pmcycle.people.models import Employee, ReportingLine, User


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

    series = models.ForeignKey(
        CheckInSeries, null=True, on_delete=models.PROTECT, related_name="check_ins"
    )
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
                condition=Q(state="cancelled") | Q(cancelled_why=""),
                name="check_in_reason_only_if_cancelled",
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
        return (
            self.filter(Q(check_in__manager=me) | Q(check_in__employee=me)) if me else self.none()
        )

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
        constraints = [
            models.UniqueConstraint(fields=["check_in", "author"], name="private_note_once")
        ]

    def __str__(self) -> str:
        return f"private note {self.pk}"


class ActionItemQuerySet(models.QuerySet["ActionItem"]):
    def visible_to(self, user: User) -> Self:
        me = user.employee_id
        return (
            self.filter(Q(check_in__manager=me) | Q(check_in__employee=me)) if me else self.none()
        )

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
    from_point = models.OneToOneField(
        AgendaPoint, null=True, on_delete=models.PROTECT, related_name="action"
    )
    text = models.CharField(max_length=500)
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    dropped_why = models.CharField(max_length=300, blank=True)
    # The participation of the person it was promised to, in the cycle into which it came over, still open.
    stands_in = models.ForeignKey(
        "cycles.Participation", null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    objects = ActionItemQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(dropped_at__isnull=True),
                name="action_item_one_end",
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
                fields=["user"],
                condition=Q(revoked_at__isnull=True),
                name="calendar_feed_one_valid_per_user",
            )
        ]

    def __str__(self) -> str:
        return f"calendar of {self.user_id}"


def last_talk(
    participation: str = "pk", employee: str = "employee", manager: int | None = None
) -> Greatest:
    """When manager and employee last talked, as an expression for a queryset; NULL if they never did.

    `Participation.objects.led_by(user).annotate(last_talk=last_talk())`; then
    `feedback.rules.silence_days(row.last_talk, …)`. Counts what was said in their threads, check-ins
    held and feedback between the two; only with the manager of today, who is looked up for each row unless
    the rows are one manager's anyway. `participation` and `employee` are the lookups from the outer row.
    """
    of_today = Assignment.objects.current().filter(participation=OuterRef(OuterRef(participation)))
    with_whom: Any = of_today.values("manager")[:1] if manager is None else manager

    def newest(rows: models.QuerySet[Any], field: str) -> models.Subquery:
        return models.Subquery(rows.order_by(f"-{field}").values(field)[:1])

    said = Entry.objects.filter(
        conversation__participation=OuterRef(participation), conversation__manager=with_whom
    )
    held = CheckIn.objects.filter(
        employee=OuterRef(employee), manager=with_whom, state=CheckIn.State.HELD
    )
    given = Feedback.objects.filter(
        Q(giver=with_whom, recipient=OuterRef(employee))
        | Q(giver=OuterRef(employee), recipient=with_whom)
    )
    return Greatest(newest(said, "said_at"), newest(held, "held_at"), newest(given, "given_at"))
