"""Sending what waits in the outbox: claimed with a lease, one mail a person, retried with back-off.

A worker that dies between the mail server's answer and the commit cannot know whether the mail left.
It goes out again after the lease, with the same content and the same Message-ID, which mail servers
and clients take for the one they have: at least once on the wire, once for the reader.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

import css_inline
import structlog
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pmcycle.activity.actions import lives
from pmcycle.activity.models import PASSWORD_LINK, Delivery, Life, Notice
from pmcycle.activity.rules import TRIES, is_for_good, retry_after
from pmcycle.days import zone_of
from pmcycle.ui.direction import neutral
from pmcycle.ui.formats import due_words, numbers_as

if TYPE_CHECKING:
    from pmcycle.people.models import User

log = structlog.get_logger()

LEASE = timedelta(minutes=10)


@dataclass(frozen=True)
class Claimed:
    """One mail to one person, leased to this worker until `lease_until`."""

    rows: list[Delivery]
    message_id: str
    lease_until: datetime

    @property
    def recipient(self) -> Any:
        return self.rows[0].notice.recipient


def claim_mail(*, gathered: bool) -> Claimed | None:
    """Lease the next person's due deliveries as one mail; None if nothing is due, or if this copy holds its mails.

    The person's row is locked while choosing, so that two workers never split one digest.
    `gathered` says whether what waits for a morning is included: whoever claims it must have held back first
    what is done meanwhile and what is not due yet (`pmcycle.home.actions.hold_back`).
    """
    life = lives.current()
    if life.let_go_at is None:
        return None
    while True:
        now = timezone.now()
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        due = Delivery.objects.filter(free, state=Delivery.State.PENDING, not_before__lte=now)
        if not gathered:
            due = due.filter(notice__is_urgent=True)
        with transaction.atomic():
            first = (
                due.select_related("notice__recipient")
                .select_for_update(skip_locked=True, no_key=True, of=("notice__recipient",))
                .order_by("not_before", "pk")
                .first()
            )
            if first is None:
                return None
            # Read again under the lock: another worker may have leased them a moment ago.
            rows = list(
                due.filter(notice__recipient=first.notice.recipient_id)
                .select_related("notice__recipient__employee")
                .order_by(F("notice__due_on").asc(nulls_last=True), "pk")
            )
            if not rows:
                continue
            # A link for a new password stands alone: whoever waits for it looks for its title.
            rows = [row for row in rows if row.notice.kind == PASSWORD_LINK][:1] or rows
            rows = [row for row in rows if row.address == rows[0].address]
            tried = next((row.message_id for row in rows if row.message_id), "")
            rows = [row for row in rows if row.message_id == tried]
            message_id = tried or _message_id(rows, life)
            lease_until = now + LEASE
            Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
                lease_until=lease_until, message_id=message_id, attempts=F("attempts") + 1
            )
            for row in rows:
                row.attempts += 1
        return Claimed(rows, message_id, lease_until)


def _message_id(rows: list[Delivery], life: Life) -> str:
    """Never the same for two mails, nor in two copies of one database."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<notice-{min(row.pk for row in rows)}-{len(rows)}.{life.code}@{domain}>"


def write_mail(claimed: Claimed) -> EmailMultiAlternatives:
    """The mail in text and HTML: what, by when, a link each that says what it is for; nothing that somebody wrote."""
    recipient = claimed.recipient
    notices = [row.notice for row in claimed.rows]
    links = {row.notice_id: row.link or row.notice.url for row in claimed.rows}
    with timezone.override(zone_of(recipient.zone_name)), numbers_as(recipient.numbers):
        button_of: Callable[[Notice], str] = import_string(settings.BUTTONS)
        lines = [
            {
                "title": neutral(n.title),
                "link": link_of(n, recipient, links[n.pk]),
                "due": due_words(n.due_on, n.due_zone) if n.due_on else "",
                "button": button_of(n),
            }
            for n in notices
        ]
        is_single = len(lines) == 1
        context = {
            "name": recipient.name,
            "notices": lines,
            "action_url": lines[0]["link"] if is_single else "",
            "action_label": lines[0]["button"],
            "why_you": _why(all(n.is_urgent for n in notices)),
        }
        text = render_to_string("mail/notices.txt", context)
        html = css_inline.inline(render_to_string("mail/notices.html", context))
    if len(notices) == 1:
        subject = neutral(notices[0].title)
    else:
        subject = ngettext("%(n)d thing needs you", "%(n)d things need you", len(notices)) % {
            "n": len(notices)
        }
    mail = EmailMultiAlternatives(
        " ".join(subject.split()),
        text,
        to=[claimed.rows[0].address or recipient.email],
        headers={"Message-ID": claimed.message_id, "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(html, "text/html")
    return mail


def link_of(notice: Notice, recipient: User, path: str) -> str:
    """Where a mail leads, to `path` at the configured address.

    The secret of a link for a new password is made here: it is in the mail alone, never in a row that the
    inbox or a backup shows.
    """
    if notice.kind != PASSWORD_LINK:
        return str(settings.SITE_URL + path)
    key = default_token_generator.make_token(recipient)
    which = {"uidb36": user_pk_to_url_str(recipient), "key": key}
    return str(settings.SITE_URL + reverse("account_reset_password_from_key", kwargs=which))


def _why(is_urgent: bool) -> str:
    if is_urgent:
        return _("You get this at once because it cannot wait for the morning.")
    return _(
        "At most one such mail comes on a working day, in the morning where you are. What is done is not reminded."
    )


def deliver(*, gathered: bool, is_time_up: Callable[[], bool] = lambda: False) -> int:
    """Send mails until nothing is due; returns how many left. A failure is kept on its rows and retried."""
    sent = 0
    connection = get_connection()
    try:
        while not is_time_up() and (claimed := claim_mail(gathered=gathered)):
            if not claimed.recipient.is_active:
                _settle(claimed, state=Delivery.State.SUPPRESSED, why=_("The account is closed."))
                continue
            try:
                mail = write_mail(claimed)
                mail.connection = connection
                mail.send()
            except (smtplib.SMTPException, OSError) as error:
                _keep_failure(claimed, error)
                # The next mail gets a fresh connection; this one may be in any state.
                connection.close()
            else:
                _settle(claimed, state=Delivery.State.SENT, sent_at=timezone.now(), why="")
                sent += 1
    finally:
        connection.close()
    return sent


def _settle(claimed: Claimed, **values: Any) -> None:
    """Write how it went, unless the lease has passed to another worker meanwhile."""
    Delivery.objects.filter(
        pk__in=[row.pk for row in claimed.rows],
        state=Delivery.State.PENDING,
        message_id=claimed.message_id,
        lease_until=claimed.lease_until,
    ).update(lease_until=None, **values)


def _keep_failure(claimed: Claimed, error: Exception) -> None:
    attempts = claimed.rows[0].attempts
    code = getattr(error, "smtp_code", 0)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((answer[0] for answer in error.recipients.values()), default=0)
    log.warning(
        "mail_not_sent",
        message_id=claimed.message_id,
        attempts=attempts,
        error=type(error).__name__,
    )
    if is_for_good(code):
        why = _("The mail server does not accept this address or mail (%(code)s).") % {"code": code}
        _settle(claimed, state=Delivery.State.FAILED, why=why)
    elif attempts >= TRIES:
        why = _("The mail server could not be reached in %(n)d tries.") % {"n": attempts}
        _settle(claimed, state=Delivery.State.FAILED, why=why)
    else:
        why = _("The mail server did not take it; it is tried again.")
        _settle(claimed, not_before=timezone.now() + retry_after(attempts), why=why)
