"""Telling a restored copy from the installation it was copied from, and holding its mails.

A copy has every mail that waited when the backup was made, and would send it a second time, to people who
know nothing of a copy. So the database remembers where its present life began, and compares before each mail.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from pmcycle.activity.actions.telling import record
from pmcycle.activity.models import Delivery, Life
from pmcycle.errors import Refused

if TYPE_CHECKING:
    from pmcycle.people.models import User

log = structlog.get_logger()

LOCK = 7205

# Another server or database, another table (a dump was read into the same database), another timeline (files
# and archived log were brought back, or a standby took over and may lack what was sent last).
PLACE = """
SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
  (SELECT oid FROM pg_database WHERE datname = current_database()), 'activity_life'::regclass::oid,
  left(pg_walfile_name(pg_current_wal_lsn()), 8))
"""


@dataclass(frozen=True)
class Held:
    """The mails that a restored copy holds: how many wait, and how many of them are from before."""

    life: Life
    waiting: int
    older: int


def place() -> str:
    """Where this database is, and under which host name it is reached: copied files differ in nothing else."""
    with connection.cursor() as cursor:
        cursor.execute(PLACE)
        [found] = cursor.fetchone()
    return f"{found}/{urlsplit(settings.SITE_URL).hostname or ''}"


def current() -> Life:
    """The life this installation is in. If the database is not where it was, it begins one, with its mails held."""
    here = place()
    life = Life.objects.order_by("-pk").first()
    return life if life and life.place == here else _begin(here)


def _begin(here: str) -> Life:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        former = Life.objects.order_by("-pk").first()
        if former and former.place == here:
            return former  # another worker noticed it first
        if former and not former.place:
            former.place = here
            former.save(update_fields=["place"])
            return former
        tried = Delivery.objects.exclude(message_id="")
        now = timezone.now()
        code = uuid.uuid4().hex[:12]
        if former is None and not tried.exists():
            return Life.objects.create(code=code, place=here, began_at=now, let_go_at=now)
        life = Life.objects.create(code=code, place=here, began_at=now)
        # What goes out from here on goes out in this life, also what the former one had tried.
        tried.exclude(state=Delivery.State.SENT).update(message_id="", lease_until=None)
        record("held_mails", life, by=None, stream="security")
        log.warning("mails_held", life=code, place=here, former=former.place if former else "")
        return life


def held() -> Held | None:
    """What is held in the present life; None if mails leave."""
    life = Life.objects.held().order_by("-pk").first()
    if life is None:
        return None
    counts = Delivery.objects.filter(state=Delivery.State.PENDING).aggregate(
        waiting=Count("pk"), older=Count("pk", filter=Q(notice__created_at__lt=life.began_at))
    )
    return Held(life, **counts)


def let_mails_go(life: Life, *, drop_older: bool, by: User | None) -> int:
    """Send from now on; what is older than this life is dropped if `drop_older`. Returns how many were dropped.

    `by=None` is somebody on the machine itself. Raises Refused if this life holds nothing, or is over.
    """
    with transaction.atomic():
        lives = {
            row.pk: row
            for row in Life.objects.held().select_for_update(of=("self",)).order_by("pk")
        }
        if life.pk not in lives or life.pk != max(lives):
            raise Refused(
                _("These mails have been let go, or this copy was restored again; look once more.")
            )
        dropped = 0
        if drop_older:
            older = Delivery.objects.filter(
                state=Delivery.State.PENDING, notice__created_at__lt=lives[life.pk].began_at
            )
            dropped = older.update(
                state=Delivery.State.SUPPRESSED,
                why=_("It was written before a backup was restored."),
            )
        # An earlier copy of which nobody let the mails go is past as well.
        Life.objects.filter(pk__in=lives).update(let_go_at=timezone.now(), let_go_by=by)
        record("let_mails_go", life, by=by, stream="security", dropped=dropped)
    return dropped
