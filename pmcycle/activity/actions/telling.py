"""Writing history and telling people of it, in the transaction of the verb."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import structlog
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.utils import timezone

from pmcycle.activity.actions.inserting import insert_new
from pmcycle.activity.actions.todos import settle
from pmcycle.activity.models import Delivery, Event, Notice

if TYPE_CHECKING:
    from pmcycle.people.models import User


@dataclass(frozen=True)
class Tell:
    """One person to tell. `key` decides what counts as the same thing said twice.

    The inbox has it at once. The mail waits for the person's next working morning, with all else of the day,
    unless it is urgent: what somebody cannot go on without, or what comes too late in the morning.
    """

    user_id: int
    title: str
    url: str
    key: str
    kind: str = "notice"
    due_on: date | None = None
    is_urgent: bool = False
    # The zone of the cycle that set the due day; "" of a day that people set for themselves.
    due_zone: str = ""
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
INSERT INTO activity_delivery (notice_id, channel, not_before) SELECT id, 'email', %s::timestamptz FROM told
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
                *(
                    kind,
                    title[:200],
                    url,
                    kind_of(subject),
                    subject.pk,
                    due_on,
                    is_urgent,
                    key,
                    now,
                ),
                *params,
                now if is_urgent else None,
            ],
        )
        return int(cursor.rowcount)


def _tell_each(lines: Iterable[tuple[models.Model, Tell]]) -> None:
    tells = {t.key: (subject, t) for subject, t in lines}
    if not tells:
        return
    now = timezone.now()
    insert_new(
        [
            Notice(
                recipient_id=t.user_id,
                kind=t.kind,
                title=t.title[:200],
                url=t.url,
                subject_kind=kind_of(subject),
                subject_id=subject.pk,
                due_on=t.due_on,
                due_zone=t.due_zone,
                is_urgent=t.is_urgent,
                key=t.key,
                created_at=now,
            )
            for subject, t in tells.values()
        ],
        "(key)",
    )
    fresh = Notice.objects.filter(key__in=tells, deliveries__isnull=True).values_list("pk", "key")
    insert_new(
        [
            Delivery(
                notice_id=pk,
                channel=Delivery.Channel.EMAIL,
                not_before=now if tells[key][1].is_urgent else None,
                address=tells[key][1].address,
                link=tells[key][1].link,
            )
            for pk, key in fresh
        ],
        "(notice_id, channel)",
    )
