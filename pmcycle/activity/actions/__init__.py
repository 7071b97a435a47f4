"""Writing history, telling people, and claiming long work."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions.limits import count, forget_uses, give_back, hold_to
from pmcycle.activity.actions.todos import (
    add_up_places,
    drift,
    miscounted,
    misplaced,
    recount,
    settle,
    settle_all,
    settle_cycle,
    settle_roles,
)
from pmcycle.activity.models import Delivery, Draft, Event, Heartbeat, Job, Notice
from pmcycle.errors import Refused

if TYPE_CHECKING:
    from pmcycle.people.models import User

__all__ = [
    "Line",
    "Tell",
    "add_up_places",
    "beat",
    "claim",
    "count",
    "drift",
    "drop_draft",
    "enqueue",
    "finish",
    "forget_uses",
    "give_back",
    "hold_to",
    "kind_of",
    "mark_read",
    "miscounted",
    "misplaced",
    "no_step",
    "record",
    "record_each",
    "record_export",
    "record_view",
    "recount",
    "retry_delivery",
    "save_draft",
    "settle",
    "settle_all",
    "settle_cycle",
    "settle_roles",
    "steps",
    "tell",
]

LEASE = timedelta(minutes=10)

Step = Callable[[], None]


@dataclass(frozen=True)
class Tell:
    """One person to tell. `key` decides what counts as the same thing said twice."""

    user_id: int
    title: str
    url: str
    key: str
    kind: str = "notice"
    due_on: date | None = None
    is_urgent: bool = False
    # Where the mail goes and where its link leads, if not to the person's address and to `url`.
    address: str = ""
    link: str = ""


def kind_of(subject: models.Model) -> str:
    """The name under which a row stands in events, notices and jobs: `app.model`."""
    return subject._meta.label_lower


def record(
    verb: str,
    subject: models.Model,
    *,
    by: User | None,
    about: models.Model | None = None,
    stream: str | None = None,
    on_behalf_of: User | None = None,
    notify: Iterable[Tell] = (),
    **data: Any,
) -> Event:
    """Write one event and its notices in the caller's transaction.

    `about` is the employee whom the subject concerns (None for matters of the company); `data` is
    kept with the event and must hold names of things and hashes, never the text of a person.
    `by=None` is the clock. Raises RuntimeError outside a transaction, because then the event could
    tell of something that was rolled back.
    """
    line = Line(subject, about.pk if about else None, tuple(notify), data)
    return record_each(verb, [line], by=by, stream=stream, on_behalf_of=on_behalf_of)[0]


@dataclass(frozen=True)
class Line:
    """What `record_each` writes about one subject: its event and whom it tells."""

    subject: models.Model
    about_id: int | None
    notify: Sequence[Tell] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def record_each(
    verb: str,
    lines: Iterable[Line],
    *,
    by: User | None,
    stream: str | None = None,
    on_behalf_of: User | None = None,
) -> list[Event]:
    """`record` for every line, in a constant number of statements."""
    if not connection.in_atomic_block:
        raise RuntimeError("record() must run in the transaction of the verb it tells of")
    # Each stream is locked until the end: always in the same order, so that nobody waits in a ring.
    lines = sorted(lines, key=lambda line: line.about_id or 0)
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    now = timezone.now()
    events = Event.objects.bulk_create(
        Event(
            stream=stream or (f"employee:{line.about_id}" if line.about_id else "company"),
            at=now,
            verb=verb,
            actor_id=by.pk if by else None,
            on_behalf_of_id=on_behalf_of.pk if on_behalf_of else None,
            about_id=line.about_id,
            subject_kind=kind_of(line.subject),
            subject_id=line.subject.pk,
            data=dict(line.data),
            request_id=str(request_id),
        )
        for line in lines
    )
    _tell_each((line.subject, t) for line in lines for t in line.notify)
    _settle_each(verb, lines, by)
    return events


def _settle_each(verb: str, lines: Iterable[Line], by: User | None) -> None:
    """What the act opened or finished for the people it is about."""
    about: dict[str, set[int]] = {}
    for line in lines:
        # An account has no employee in its event, because it belongs to the stream of security.
        person = line.about_id or getattr(line.subject, "employee_id", None)
        people = about.setdefault(line.subject._meta.app_label, set())
        if person:
            people.add(person)
    for app, people in about.items():
        settle(verb, app, people, by=by)


def tell(subject: models.Model, notify: Iterable[Tell]) -> None:
    """Put notices and their e-mail deliveries into the outbox; a known key is passed over."""
    _tell_each((subject, t) for t in notify)


# One row a recipient: `{{n}}` in address and key stands for the number that came with them.
TELL_ALL = """
WITH told AS (
  INSERT INTO activity_notice
    (recipient_id, kind, title, url, subject_kind, subject_id, due_on, is_urgent, key, created_at)
  SELECT who.user_id, %s, %s, replace(%s, '{{n}}', who.number::text), %s, %s, %s, %s,
    replace(%s, '{{n}}', who.number::text), %s
  FROM ({who}) who (user_id, number)
  ON CONFLICT (key) DO NOTHING
  RETURNING id
)
INSERT INTO activity_delivery (notice_id, channel, not_before) SELECT id, 'email', %s FROM told
"""


def tell_all(
    subject: models.Model,
    who: models.QuerySet[Any, tuple[int, int]],
    *,
    title: str,
    url: str,
    key: str,
    kind: str = "notice",
    due_on: date | None = None,
    is_urgent: bool = False,
) -> int:
    """Tell however many people the same thing in one statement; how many of them hear it for the first time.

    `who` gives pairs of a user's id and a number; `{n}` in `url` and `key` becomes that number.
    """
    now = timezone.now()
    try:
        sql, params = who.order_by().query.sql_with_params()
    except EmptyResultSet:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            TELL_ALL.format(who=sql),
            [
                *(kind, title[:200], url, kind_of(subject), subject.pk, due_on, is_urgent, key, now),
                *params,
                now,
            ],
        )
        return int(cursor.rowcount)


def _tell_each(lines: Iterable[tuple[models.Model, Tell]]) -> None:
    tells = {t.key: (subject, t) for subject, t in lines}
    if not tells:
        return
    now = timezone.now()
    Notice.objects.bulk_create(
        [
            Notice(
                recipient_id=t.user_id,
                kind=t.kind,
                title=t.title[:200],
                url=t.url,
                subject_kind=kind_of(subject),
                subject_id=subject.pk,
                due_on=t.due_on,
                is_urgent=t.is_urgent,
                key=t.key,
                created_at=now,
            )
            for subject, t in tells.values()
        ],
        ignore_conflicts=True,
    )
    fresh = Notice.objects.filter(key__in=tells, deliveries__isnull=True).values_list("pk", "key")
    Delivery.objects.bulk_create(
        [
            Delivery(
                notice_id=pk,
                channel=Delivery.Channel.EMAIL,
                not_before=now,
                address=tells[key][1].address,
                link=tells[key][1].link,
            )
            for pk, key in fresh
        ],
        ignore_conflicts=True,
    )


def record_view(subject: models.Model, *, by: User, about: models.Model, role: str) -> None:
    """Note that somebody who is no party opened a sensitive record; once an hour per reader and record."""
    hour_ago = timezone.now() - timedelta(hours=1)
    if Event.objects.filter(
        verb="viewed", actor=by, subject_kind=kind_of(subject), subject_id=subject.pk, at__gte=hour_ago
    ).exists():
        return
    with transaction.atomic():
        record("viewed", subject, by=by, about=about, role=role)


def enqueue(
    kind: str, subject: models.Model, *, by: User, total: int = 0, url: str = "", **arguments: Any
) -> tuple[Job, bool]:
    """The unfinished job of this kind for this subject, and whether this call made it.

    Two people pressing the button at once get the same job: the partial unique index decides.
    """
    with transaction.atomic():
        rows = Job.objects.bulk_create(
            [
                Job(
                    kind=kind,
                    subject_kind=kind_of(subject),
                    subject_id=subject.pk,
                    started_by_id=by.pk,
                    total=total,
                    url=url,
                    arguments=arguments,
                )
            ],
            ignore_conflicts=True,
        )
        unfinished = Job.objects.filter(
            kind=kind, subject_kind=kind_of(subject), subject_id=subject.pk, state__in=["waiting", "running"]
        )
        job = unfinished.order_by("pk").last()
        if job is None:
            raise RuntimeError("a job finished between insert and look-up")
        return job, bool(rows) and job.attempts == 0 and job.started_by_id == by.pk


def claim(kind: str) -> Job | None:
    """The next waiting job of a kind, leased to this worker; or one whose worker died with its lease."""
    now = timezone.now()
    free = models.Q(state=Job.State.WAITING) | models.Q(state=Job.State.RUNNING, lease_until__lt=now)
    with transaction.atomic():
        job = Job.objects.select_for_update(skip_locked=True).filter(free, kind=kind).order_by("pk").first()
        if job is None:
            return None
        job.state, job.lease_until, job.attempts = Job.State.RUNNING, now + LEASE, job.attempts + 1
        job.save(update_fields=["state", "lease_until", "attempts"])
        return job


def no_step() -> None:
    """What work calls after each of its steps when no page follows it."""


@contextmanager
def steps(job: Job) -> Iterator[Step]:
    """Let the job's page count the steps of work that is one transaction; `job.total` says how many there are.

    Each call of what this gives tells of one more step, over a connection of its own because nobody
    sees what the transaction has not committed, and renews the lease.
    """
    beside = connection.copy()
    counted = itertools.count(1)

    def step() -> None:
        with beside.cursor() as cursor:
            cursor.execute(
                "UPDATE activity_job SET done = %s, lease_until = %s WHERE id = %s",
                [next(counted), timezone.now() + LEASE, job.pk],
            )

    try:
        yield step
    finally:
        beside.close()


def finish(job: Job, message: str = "", *, failed: bool = False) -> None:
    """End a job, with a sentence for the person who started it."""
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.FAILED if failed else Job.State.DONE,
        message=message,
        finished_at=timezone.now(),
        lease_until=None,
        **({} if failed else {"done": models.F("total")}),
    )


def save_draft(user: User, key: str, data: dict[str, Any]) -> Draft:
    """Keep what the person is typing; the last answer of the server is the time shown as saved."""
    draft, _created = Draft.objects.update_or_create(author=user, key=key, defaults={"data": data})
    return draft


def drop_draft(user: User, key: str) -> None:
    """The form was sent: its draft has done its work."""
    Draft.objects.filter(author=user, key=key).delete()


def beat(name: str, at: datetime | None = None) -> None:
    """Note that a job of the clock ran just now (or began `at`): beat and worker are both alive."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at or timezone.now()})


def record_export(by: User, rows: int, filters: dict[str, str]) -> None:
    """Note that somebody took lines of the trail out of the system."""
    with transaction.atomic():
        record("exported_trail", by, by=by, stream="security", rows=rows, filters=filters)


def retry_delivery(delivery: Delivery, *, by: User) -> None:
    """Have a failed mail tried again from the beginning. Raises Refused if it is not failed."""
    with transaction.atomic():
        locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if locked.state != Delivery.State.FAILED:
            raise Refused(_("This mail has not failed; nothing was changed."))
        locked.state, locked.attempts, locked.not_before, locked.why = "pending", 0, timezone.now(), ""
        locked.save(update_fields=["state", "attempts", "not_before", "why"])
        record("retried_delivery", locked, by=by, stream="security")


def mark_read(user: User, pks: Iterable[int] | None = None) -> int:
    """Mark the user's unread notices as read, all or the given ones; returns how many there were."""
    unread = Notice.objects.visible_to(user).filter(read_at__isnull=True)
    if pks is not None:
        unread = unread.filter(pk__in=list(pks))
    return unread.update(read_at=timezone.now())
