"""What was sent by forms: so that the same form sent twice is done once."""

from __future__ import annotations

from typing import Any

from django.db import models


class SentForm(models.Model):
    """A form that was done, or what a program sent with a key of its own, and its first answer, kept for a day.

    The sender is no foreign key: its check would hold the user's row for as long as the request lasts, and
    two forms of one person that both change their account would wait for each other.
    """

    sender = models.BigIntegerField()
    # A keyed hash of the form's own key, its address and all that it sent: what was typed is not in it.
    key = models.CharField(max_length=64)
    # A hash of what was sent with a key of the sender's own choosing, which may be sent with something else.
    said = models.CharField(max_length=64, default="", blank=True)
    status = models.PositiveSmallIntegerField(default=0)
    headers: models.JSONField[Any, Any] = models.JSONField(default=dict)
    # The fragment that took the form's place on its page, or what a program was answered; whole pages are never kept.
    body = models.TextField(default="", blank=True)
    messages = models.TextField(default="[]")
    # The rows on which the fragment or the answer stands, keys by kind; it is given again to who still sees them.
    stood_on: models.JSONField[Any, Any] = models.JSONField(default=dict)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sender", "key"], name="form_sent_once")]

    def __str__(self) -> str:
        return f"{self.status} at {self.at}"
