"""How the machine does: what operators see, without a word of what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis
from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.models import Delivery, Heartbeat, Job

QUIET = timedelta(minutes=5)


@dataclass(frozen=True)
class Health:
    """The state of clock, worker, queue, mails and long work."""

    beat_at: datetime | None
    queue: int | None
    diagnosis: str
    tone: str
    deliveries: list[tuple[str, str, int]]
    oldest: datetime | None
    jobs: list[tuple[str, str, int]]
    unfinished: list[Job]
    broken: list[Job]


def queue_length() -> int | None:
    """Tasks that wait in the broker; None if it does not answer."""
    try:
        client = redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        try:
            return int(client.llen("celery"))
        finally:
            client.close()
    except (redis.RedisError, OSError):
        return None


def diagnose(beat_at: datetime | None, queue: int | None, now: datetime) -> tuple[str, str]:
    """Tone and words: what stands still, told from when the clock was last heard and how long the queue is."""
    if queue is None:
        return "danger", _(
            "Redis does not answer. Pages work; mails and long work wait until it is back."
        )
    if beat_at is None or now - beat_at > QUIET:
        if queue:
            return "danger", _(
                "No worker takes tasks from the queue. Start the worker; nothing is lost meanwhile."
            )
        return "danger", _("The clock does not strike. Start beat; nothing is lost meanwhile.")
    return "ok", _("Clock and worker run.")


def health() -> Health:
    """Everything on the operators' page."""
    now = timezone.now()
    beat_at = Heartbeat.objects.filter(name="deliver").values_list("at", flat=True).first()
    queue = queue_length()
    tone, diagnosis = diagnose(beat_at, queue, now)
    mails: dict[str, Any] = {
        row["state"]: row
        for row in Delivery.objects.values("state").annotate(
            n=Count("pk"), oldest=Min("not_before")
        )
    }
    jobs = dict(Job.objects.order_by().values_list("state").annotate(Count("pk")))
    return Health(
        beat_at=beat_at,
        queue=queue,
        diagnosis=diagnosis,
        tone=tone,
        deliveries=[
            (s.value, str(s.label), mails.get(s.value, {}).get("n", 0)) for s in Delivery.State
        ],
        oldest=mails.get("pending", {}).get("oldest"),
        jobs=[(s.value, str(s.label), jobs.get(s.value, 0)) for s in Job.State],
        unfinished=list(Job.objects.unfinished().order_by("pk")[:20]),
        # Not what was refused: its reason is HR's.
        broken=list(
            Job.objects.filter(state=Job.State.FAILED).exclude(error="").order_by("-pk")[:20]
        ),
    )
