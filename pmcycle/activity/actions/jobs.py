"""Long work: asked for once, claimed by one worker, ended in done or in words why not."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from pmcycle.activity.actions.telling import Tell, kind_of, record
from pmcycle.activity.models import Job
from pmcycle.activity.models.telling import JobQuerySet
from pmcycle.activity.rules import failure_words
from pmcycle.errors import Refused, database_failed

if TYPE_CHECKING:
    from pmcycle.people.models import User

log = structlog.get_logger()

# Whoever holds a job says so four times within a lease. Once it has lapsed, the holder counts as dead. Lease and
# clock together are half of the minute that is promised: the other half is for a machine that is busy, where a worker
# takes ten seconds to start and a tick waits.
LEASE = timedelta(seconds=20)
RENEWALS = 4
# How often work is begun before it counts as failed, and how long it rests when the database failed it.
TRIES = 3
REST = timedelta(seconds=15)

# Told how many people or lines of `Job.total` are dealt with by now.
Step = Callable[[int], None]
# Does the work on the job's subject for whoever asked for it, in one transaction; may give a closing sentence.
Work = Callable[[Any, "User", Step], str | None]
# What follows the work in transactions of its own, as often as it is asked for.
After = Callable[[Any, "User"], None]


class Fenced(Exception):
    """Somebody else has taken the job over meanwhile: whatever was written for it is taken back."""


def no_step(done: int) -> None:
    """What work calls as it gets on when no page follows it."""


def in_parts(step: Step, people: int, parts: int) -> Callable[[], None]:
    """For work in sets, of which each statement deals with everybody: a part that is done stands for its
    share of the people."""
    ended = itertools.count(1)
    return lambda: step(people * next(ended) // parts)


# The partial index is named, so that nothing but a second job of the same is passed over.
ENQUEUE = """
INSERT INTO activity_job (kind, subject_kind, subject_id, state, done, total, message, error, url, started_by_id,
  created_at, attempts, fence)
VALUES (%(kind)s, %(subject_kind)s, %(subject)s, 'waiting', 0, %(total)s, '', '', %(url)s, %(by)s, %(now)s, 0, 0)
ON CONFLICT (kind, subject_kind, subject_id) WHERE state IN ('waiting', 'running') DO NOTHING
"""


def _of(kind: str, subject: models.Model) -> JobQuerySet:
    return Job.objects.filter(kind=kind, subject_kind=kind_of(subject), subject_id=subject.pk)


def asked_for(kind: str, subject: models.Model) -> Job | None:
    """The unfinished job of this kind for this subject. Whoever asks for the same waits until this transaction ends.

    Asked before any row is locked: the worker holds the rows for as long as the work takes, and who presses
    the button meanwhile must not wait for it. Nobody else can ask between this and `enqueue`.
    """
    with connection.cursor() as cursor:
        key = f"{kind}:{kind_of(subject)}:{subject.pk}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7202))", [key])
    return _of(kind, subject).unfinished().first()


def enqueue(kind: str, subject: models.Model, *, by: User, total: int = 0, url: str = "") -> Job:
    """The unfinished job of this kind for this subject, made unless there is one: the partial unique index decides.

    Where another's ended at this very moment, they get it as it ended.
    """
    values = {
        "kind": kind,
        "subject_kind": kind_of(subject),
        "subject": subject.pk,
        "total": total,
        "url": url,
        "by": by.pk,
        "now": timezone.now(),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ENQUEUE, values)
        return _of(kind, subject).latest("pk")


# --- claiming ---------------------------------------------------------------------------------------


def claim(kind: str, now: datetime | None = None) -> Job | None:
    """The next waiting job of a kind, leased to this worker; or one whose holder died with its lease.

    Each claim has a higher number than the one before: what the former holder writes later does not fit it
    any more. Work that took its holders with it too often ends here.
    """
    now = now or timezone.now()
    over = models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=now)
    unfinished = Job.objects.unfinished().filter(over, kind=kind).order_by("pk")
    while True:
        with transaction.atomic():
            job = unfinished.select_for_update(skip_locked=True, of=("self",)).first()
            if job is None:
                return None
            if job.state == Job.State.RUNNING:
                _end_session_of(job)
            if job.attempts >= TRIES:
                _fail(job, failure_words("dead"), error="dead")
                continue
            job.state, job.lease_until, job.attempts = (
                Job.State.RUNNING,
                now + LEASE,
                job.attempts + 1,
            )
            job.fence, job.done = job.fence + 1, 0
            job.holder_pid, job.holder_since = _session()
            job.save()
        return Job.objects.select_related("started_by").get(pk=job.pk)


def _session() -> tuple[int, datetime]:
    """What tells this database session from all others, also from one that later has its number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        pid, since = cursor.fetchone()
    return pid, since


def _end_session_of(job: Job) -> None:
    """A holder that hangs, or whose machine is gone, still has its locks: they go with its session."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid = %s AND backend_start = %s AND pid <> pg_backend_pid()",
            [job.holder_pid, job.holder_since],
        )
    log.warning("job_taken_over", job=job.pk, kind=job.kind, attempts=job.attempts)


# --- holding ----------------------------------------------------------------------------------------


@contextmanager
def holding(job: Job) -> Iterator[Step]:
    """Renew the lease while the work goes on, and let the job's page count how far it is.

    Over a connection of its own, because nobody sees what the transaction of the work has not committed.
    """
    beside = connection.copy()
    beside.inc_thread_sharing()
    over, one_at_a_time = threading.Event(), threading.Lock()

    def say(done: int | None = None) -> None:
        with one_at_a_time, beside.cursor() as cursor:
            cursor.execute(
                "UPDATE activity_job SET done = least(coalesce(%s, done), total), lease_until = %s"
                " WHERE id = %s AND fence = %s AND state = 'running'",
                [done, timezone.now() + LEASE, job.pk, job.fence],
            )

    def beat() -> None:
        while not over.wait(LEASE.total_seconds() / RENEWALS):
            try:
                say()
            except (DatabaseError, InterfaceError) as error:
                # The lease may lapse now; then another takes over, and the number keeps us from writing.
                log.warning("job_lease_not_renewed", job=job.pk, error=str(error))
                beside.close()

    pulse = threading.Thread(target=beat, name=f"job-{job.pk}", daemon=True)
    pulse.start()
    try:
        yield say
    finally:
        over.set()
        pulse.join()
        beside.close()


# --- the loop ---------------------------------------------------------------------------------------


def carry_out(kind: str, work: Work, *, after: After | None = None) -> None:
    """Claim, do and end every waiting job of a kind.

    The work and the word that it is done are one transaction, so a worker that dies leaves either both or
    neither, and work done again writes nothing twice. Whoever asked for it must still be allowed to. A
    refusal ends the job with its reason, an error with words; a database that failed gets another try.

    What comes `after` has transactions of its own, and the job ends when that is done. A worker that dies
    between leaves all of it to the next, so with `after` the work must find out that it is done already.
    """
    while job := claim(kind):
        _carry_out(job, work, after)


def _carry_out(job: Job, work: Work, after: After | None) -> None:
    try:
        with transaction.atomic():
            with holding(job) as step:
                words, failed = _done(job, work, step)
                # What the commit would check is checked while the lease is still renewed.
                connection.check_constraints()
            if failed:
                _fail(job, words)
            elif after is None:
                finish(job, words)
            elif not _mine(job).update(lease_until=timezone.now() + LEASE):
                raise Fenced
        if after is not None and not failed:
            with holding(job):
                after(_subject(job), job.started_by)
            finish(job, words)
    except Fenced:
        log.warning("job_fenced", job=job.pk, kind=job.kind, fence=job.fence)
    except Exception as error:
        log.exception("job_raised", job=job.pk, kind=job.kind)
        _raised(job, error)


def _done(job: Job, work: Work, step: Step) -> tuple[str, bool]:
    """The closing sentence, and whether it is the reason of a refusal."""
    try:
        return work(_subject(job), job.started_by, step) or "", False
    except Refused as refusal:
        return refusal.reason, True


def _subject(job: Job) -> Any:
    """The row the work is about, if whoever asked for it may still change it at the moment of the work."""
    rows: Any = apps.get_model(job.subject_kind)._default_manager
    row = rows.editable_by(job.started_by).filter(pk=job.subject_id).first()
    if row is None:
        raise Refused(_("%s may not do this any more.") % job.started_by.name)
    return row


def _raised(job: Job, error: Exception) -> None:
    """What becomes of work that ended in an error: another try where the database failed it, else the end."""
    name = type(error).__name__
    if database_failed(error):
        connection.close()
        if job.attempts < TRIES:
            waits = {"state": Job.State.WAITING, "lease_until": timezone.now() + REST}
            _mine(job).update(**waits, holder_pid=None, holder_since=None)
            return
    with transaction.atomic():
        _fail(job, failure_words(name), error=name)


def _mine(job: Job) -> models.QuerySet[Job]:
    """The job, as long as nobody has taken it over."""
    return Job.objects.filter(pk=job.pk, fence=job.fence).exclude(state__in=Job.ENDED)


def finish(job: Job, message: str = "") -> None:
    """End a job well. Raises Fenced if somebody else has taken it over."""
    _end(job, state=Job.State.DONE, message=message, done=models.F("total"))


def _end(job: Job, **columns: Any) -> None:
    ended = _mine(job).update(
        **columns, finished_at=timezone.now(), lease_until=None, holder_pid=None, holder_since=None
    )
    if not ended:
        raise Fenced


def _fail(job: Job, message: str, *, error: str = "") -> None:
    """End a job with the reason, and tell whoever asked for it; of an error also who runs the system."""
    _end(job, state=Job.State.FAILED, message=message, error=error[:80])
    title = _("It stopped, read why: %s") % job.title
    key = f"job:{job.pk}:{job.fence}"
    told = [
        Tell(
            job.started_by_id,
            title,
            reverse("activity:job", args=[job.pk]),
            f"{key}:{job.started_by_id}",
            is_urgent=True,
        )
    ]
    if error:
        operators: models.QuerySet[User] = import_string(settings.OPERATORS)()
        url = reverse("activity:operations")
        told += [
            Tell(user.pk, title, url, f"{key}:{user.pk}", is_urgent=True)
            for user in operators.exclude(pk=job.started_by_id)
        ]
    record("job_failed", job, by=None, notify=told, kind=job.kind, error=error)


def retry_job(job: Job, *, by: User) -> Job:
    """Have failed work tried again from the beginning, for whoever asked for it first.

    Refused unless it is the newest of its kind for its subject, and failed.
    """
    with transaction.atomic():
        same = Job.objects.filter(
            kind=job.kind, subject_kind=job.subject_kind, subject_id=job.subject_id
        )
        # All of them, so that of two who press at once the second finds what the first has begun.
        row = list(same.select_for_update(of=("self",)).order_by("pk"))[-1]
        if row.pk != job.pk:
            raise Refused(_("This was asked for anew since; look there."))
        if row.state != Job.State.FAILED:
            raise Refused(_("This has not failed; nothing was changed."))
        row.state, row.attempts, row.done, row.message, row.error = Job.State.WAITING, 0, 0, "", ""
        row.finished_at = None
        row.save()
        record("retried_job", row, by=by, kind=row.kind)
    return row
