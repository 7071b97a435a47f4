"""What happened (events), who is told (notices, deliveries), what runs long (jobs), what is typed (drafts).

This app stands below `people`: it knows users and employees only through their foreign keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pgtrigger
from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from pmcycle.activity.models.todos import ToDo
from pmcycle.activity.rules import facts_of, job_progress, job_title
from pmcycle.activity.triggers import WithoutSwitch
from pmcycle.activity.words import look_words, subject_words, verb_words

if TYPE_CHECKING:
    from pmcycle.people.models import User

# Notices that the clock writes, as opposed to what somebody did.
CLOCK_KINDS = ("reminder", "escalation")
# The notice whose mail carries the secret link on which a new password is chosen.
PASSWORD_LINK = "password_link"  # noqa: S105

# What happens to one person alone in a cycle, as the trail names it; rare beside all else that it holds.
EXCEPTIONS = ("extended", "transferred", "left", "came_back", "joined")

# Sequence and hash are made by the database, so that rows written by INSERT … SELECT are chained
# like single ones and no code path can leave a gap. The lock makes the tail of one stream stand
# still until the writing transaction ends; therefore a statement of many rows need look it up only
# once. What it last wrote is kept in a setting of the transaction, which a rolled-back savepoint
# takes back together with the rows and the lock.
# Every column counts, each at its place in an array: no value can pass for its neighbour's, nor none for an
# empty one.
HASH = """encode(sha256(convert_to(json_build_array({row}previous_hash, {row}stream, {row}seq,
    extract(epoch from {row}at), {row}verb, {row}actor_id, {row}on_behalf_of_id, {row}about_id, {row}subject_kind,
    {row}subject_id, {row}data, {row}request_id)::text, 'UTF8')), 'hex')"""

CHAIN = f"""
DECLARE tail text[] := string_to_array(current_setting('pmcycle.tail', true), '|');
BEGIN
  IF cardinality(tail) IS DISTINCT FROM 3 OR tail[3] <> NEW.stream THEN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.stream, 7201));
    tail := (SELECT ARRAY[hash, seq::text] FROM activity_event WHERE stream = NEW.stream ORDER BY seq DESC LIMIT 1);
  END IF;
  NEW.seq := coalesce(tail[2]::bigint, 0) + 1;
  NEW.previous_hash := coalesce(tail[1], '');
  NEW.hash := {HASH.format(row="NEW.")};
  -- An assignment, not PERFORM: a statement for each row costs more than the hash.
  tail[1] := set_config('pmcycle.tail', concat_ws('|', NEW.hash, NEW.seq, NEW.stream), true);
  RETURN NEW;
END;
"""  # noqa: S608 - constants


CHECK_CHAIN = f"""
SELECT stream, count(*) AS length, count(*) FILTER (WHERE NOT fits) AS broken,
       min(seq) FILTER (WHERE NOT fits) AS first_broken, max(at) AS newest
FROM (
  SELECT stream, seq, at,
         hash = {HASH.format(row="")}
         AND previous_hash = coalesce(lag(hash) OVER by_stream, '')
         AND seq = coalesce(lag(seq) OVER by_stream, 0) + 1 AS fits
  FROM activity_event WINDOW by_stream AS (PARTITION BY stream ORDER BY seq)
) link GROUP BY stream ORDER BY count(*) FILTER (WHERE NOT fits) DESC, max(at) DESC
"""  # noqa: S608 - constants


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: User) -> Self:
        """Auditors read the whole trail; HR partners their units' (not their own); everybody who looked at them."""
        if user.standing.is_auditor:
            return self
        own = Q(about_id=user.employee_id, verb="viewed") if user.employee_id else Q(pk__in=[])
        if user.standing.is_hr_admin or user.standing.partner_paths:
            unit = Q(pk__in=[])
            for path in user.standing.partner_paths:
                unit |= Q(about__unit__path__startswith=path)
            return self.filter(own | (unit & ~Q(about_id=user.employee_id)))
        if user.standing.is_it_admin:
            return self.filter(own | Q(stream="security"))
        return self.filter(own)

    def editable_by(self, user: User) -> Self:
        """Nobody: the trail is append-only."""
        return self.none()

    def chain(self) -> list[dict[str, Any]]:
        """Every stream with its length and its broken links, recomputed by the database in one statement.

        A link is broken when the hash does not fit the row, or does not follow the row before it. What
        was cut off at the end of a stream leaves no broken link: the seals tell (`actions.sealing`).
        """
        with connection.cursor() as cursor:
            cursor.execute(CHECK_CHAIN)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Event(models.Model):
    """One line of history, written by `record` in the transaction of the verb it tells of."""

    stream = models.CharField(max_length=80)
    seq = models.BigIntegerField(default=0)
    at = models.DateTimeField(db_default=models.functions.Now(), db_index=True)
    verb = models.CharField(max_length=60)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Found by the index on employee and time, as the stream is by its unique key: a large import
    # or launch writes a row for everybody, and each index more is paid for every one of them.
    about = models.ForeignKey(
        "people.Employee", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    subject_kind = models.CharField(max_length=60)
    subject_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index("about", models.F("at").desc(), name="event_about_at"),
            models.Index("subject_kind", "subject_id", name="event_subject"),
            # Costs nothing where a row is written for everybody, and finds the few of a whole company.
            models.Index(
                "subject_id",
                models.F("at").desc(),
                name="event_exception",
                condition=Q(subject_kind="cycles.participation", verb__in=EXCEPTIONS),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["stream", "seq"], name="event_seq_once_per_stream")
        ]
        triggers = [
            WithoutSwitch(
                name="chain", when=pgtrigger.Before, operation=pgtrigger.Insert, func=CHAIN
            ),
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject_kind} {self.subject_id}"

    @property
    def facts(self) -> dict[str, Any]:
        """What the event says to those who read the trail: everything but what somebody typed."""
        return facts_of(self.data)

    @property
    def did(self) -> str:
        """What was done, in words."""
        return verb_words(self.verb)

    @property
    def to_what(self) -> str:
        """What it was done to, in words and with its number."""
        return f"{subject_words(self.subject_kind)} {self.subject_id or ''}".strip()

    @property
    def look(self) -> dict[str, str]:
        """Of a look, in words: `what` was shown, `role` of who looked, `way` if it was no page."""
        return dict(zip(("what", "role", "way"), look_words(self.data, self.to_what), strict=True))


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: User) -> Self:
        """A notice is its recipient's alone."""
        return self.filter(recipient=user)

    editable_by = visible_to


class Notice(models.Model):
    """One thing one person is told, in the inbox at once and by mail when a delivery row says so.

    `key` is unique: whoever tries to tell the same person the same thing twice inserts nothing.
    The title is a task ("Write your self-appraisal"), never content.
    """

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    url = models.CharField(max_length=300)
    subject_kind = models.CharField(max_length=60, blank=True)
    subject_id = models.BigIntegerField(null=True)
    due_on = models.DateField(null=True)
    # Where the due day is a day: the zone of the cycle that set it. "" of a day that is one where the reader is.
    due_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    is_urgent = models.BooleanField(default=False)
    key = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    read_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index("recipient", models.F("created_at").desc(), name="notice_inbox"),
            models.Index("recipient", name="notice_unread", condition=Q(read_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.title

    @staticmethod
    def unread() -> Coalesce:
        """How many unread notices a user has, as an expression read together with the user.

        What the clock reminded of counts as long as it is to do: done, it needs nobody's eyes.
        """
        matter = ToDo.objects.open().filter(
            kind=OuterRef("subject_kind"), subject_id=OuterRef("subject_id")
        )
        mine = Notice.objects.filter(
            ~Q(kind__in=CLOCK_KINDS) | Exists(matter),
            recipient=OuterRef("pk"),
            read_at__isnull=True,
        ).order_by()
        counted = mine.values("recipient").annotate(n=models.Count("pk")).values("n")
        return Coalesce(Subquery(counted), 0)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User) -> Self:
        """HR's log of what the clock sent or held back, of the people in its care; others read their inbox.

        Not what two people agreed in their check-ins: that there is something between them is theirs.
        """
        standing = user.standing
        rows = self.filter(notice__kind__in=CLOCK_KINDS).exclude(
            notice__subject_kind__startswith="feedback:"
        )
        if standing.is_hr_admin:
            return rows
        reach = Q(pk__in=[])
        for path in standing.partner_paths:
            reach |= Q(notice__recipient__employee__unit__path__startswith=path)
        return rows.filter(reach)

    def editable_by(self, user: User) -> Self:
        """Operators have a mail tried again; they see its state and address, never its title."""
        return self if user.standing.is_it_admin else self.none()


class Delivery(models.Model):
    """A notice on its way over one channel: an outbox row with a lease.

    `why` says in words why it was held back or failed, and is what HR sees in the log.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        SENT = "sent", _("Sent")
        SUPPRESSED = "suppressed", _("Held back")
        FAILED = "failed", _("Failed")

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=10, choices=Channel)
    state = models.CharField(
        max_length=10, choices=State, db_default=State.PENDING, default=State.PENDING
    )
    # When it may leave. Nothing: somebody's act, of which the clock has not judged yet on which morning it leaves.
    not_before = models.DateTimeField(null=True, db_default=models.functions.Now())
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    message_id = models.CharField(max_length=200, blank=True, db_default="")
    sent_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=300, blank=True, db_default="")
    # Empty: the person's address, the notice's page. A link that only who reads a certain mailbox may know
    # stands here, because the inbox shows the notice.
    address = models.EmailField(blank=True, db_default="")
    link = models.CharField(max_length=300, blank=True, db_default="")

    # What it is about, in words for HR; the page of deliveries sets it.
    task: str

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel"], name="delivery_once_per_channel"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="delivery_sent_has_time",
            ),
        ]
        indexes = [
            models.Index("not_before", name="delivery_due", condition=Q(state="pending")),
            models.Index("sent_at", name="delivery_sent", condition=Q(state="sent")),
            # Whoever is back is looked for at every sweep, among those who were away.
            models.Index("why", name="delivery_held_back", condition=Q(state="suppressed")),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User) -> Self:
        """Whoever started it, and HR admins (operations on people), never IT content."""
        if user.standing.is_hr_admin:
            return self
        return self.filter(started_by=user)

    def editable_by(self, user: User) -> Self:
        """Who sees it may have it tried again; operators may, where it ended in an error of the machine."""
        if user.standing.is_it_admin:
            return self.filter(Q(started_by=user) | ~Q(error=""))
        return self.visible_to(user)

    def unfinished(self) -> Self:
        return self.exclude(state__in=Job.ENDED)

    def on(self, kind: str, rows: models.QuerySet[Any], *, wanted: Q) -> Self:
        """Work of a kind on these rows that waits or runs; or that failed, where a row is `wanted` to have it still
        and it was not asked for anew since."""
        newer = Job.objects.filter(
            kind=OuterRef("kind"),
            subject_kind=OuterRef("subject_kind"),
            subject_id=OuterRef("subject_id"),
            pk__gt=OuterRef("pk"),
        )
        goes_on = ~Q(state__in=Job.ENDED) & Q(subject_id__in=rows.order_by().values("pk"))
        has_failed = Q(
            state=Job.State.FAILED, subject_id__in=rows.filter(wanted).order_by().values("pk")
        )
        found = self.filter(kind=kind, subject_kind=rows.model._meta.label_lower)
        return found.filter(goes_on | has_failed & ~Exists(newer)).order_by("pk")


class Job(models.Model):
    """Long work as a row: a worker claims it with a lease that it renews, pages show how many of how many.

    One unfinished job per (kind, subject): pressing the button twice finds the first. `fence` counts the
    claims; whoever writes with an older number is refused. `holder_pid` and `holder_since` name the database
    session of the holder. `error` names what broke, for operators; empty where the work was refused.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    kind = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    error = models.CharField(max_length=80, blank=True, default="")
    url = models.CharField(max_length=300, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    # While it runs, until when the holder counts as alive; while it waits, until when it rests.
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    holder_pid = models.IntegerField(null=True)
    holder_since = models.DateTimeField(null=True)

    ENDED = (State.DONE, State.FAILED)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_kind", "subject_id"],
                condition=Q(state__in=["waiting", "running"]),
                name="job_one_unfinished_per_subject",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "failed"], finished_at__isnull=False)
                | (~Q(state__in=["done", "failed"]) & Q(finished_at__isnull=True)),
                name="job_ended_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(message=""),
                name="job_failed_says_why",
                violation_error_message=_("Work that failed says why."),
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease_until__isnull=False),
                name="job_running_has_a_lease",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_kind} {self.subject_id}"

    @property
    def is_finished(self) -> bool:
        return self.state in self.ENDED

    @property
    def is_done(self) -> bool:
        return self.state == self.State.DONE

    @property
    def is_failed(self) -> bool:
        return self.state == self.State.FAILED

    @property
    def failure(self) -> str:
        """What went wrong and what to do, empty unless it failed."""
        return self.message if self.is_failed else ""

    @property
    def title(self) -> str:
        return job_title(self.kind)

    @property
    def progress_words(self) -> str:
        """How far it is, in people or lines."""
        return job_progress(self.kind, self.done, self.total)


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, user: User) -> Self:
        """A draft is its author's alone."""
        return self.filter(author=user)

    editable_by = visible_to

    def kept(self) -> Self:
        """With something in them: not those whose form was sent."""
        return self.exclude(data={})

    def given_back(self) -> Self:
        """What was sent and refused: it is kept until its author throws it away."""
        return self.exclude(refused="")


class Draft(models.Model):
    """What a person is typing into a form that has not been sent: saved for them, seen by nobody else.

    Once the form is sent the row stays, empty, and counts how often: what was typed before and comes late, over
    a slow line, carries an older count and brings nothing back. What was sent and refused is a draft too, with
    the reason.
    """

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts"
    )
    key = models.CharField(max_length=200)
    data = models.JSONField(default=dict)
    sent = models.PositiveIntegerField(default=0)
    # Why what was sent was not taken, and on which page it was typed; empty for a form that is still open.
    refused = models.TextField(default="", blank=True)
    page = models.CharField(max_length=500, default="", blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["author", "key"], name="draft_once_per_form")
        ]

    def __str__(self) -> str:
        return self.key

    def texts(self) -> list[tuple[str, str]]:
        """What stands in the fields, by name: nothing of those that are empty."""
        values = [
            (name, value if isinstance(value, list) else [value])
            for name, value in self.data.items()
        ]
        return [
            (name, str(text)) for name, many in values for text in many if str(text or "").strip()
        ]


class Heartbeat(models.Model):
    """When a job of the clock last ran: what operators look at first."""

    name = models.CharField(max_length=60, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
