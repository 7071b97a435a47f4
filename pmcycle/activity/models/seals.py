"""What is known of the trail outside its table."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _


class TrailSeal(models.Model):
    """That the heads of the trail were written into a signed file on a day, and the SHA-256 of that file.

    The file holds what the table cannot tell of itself: how far each stream went. The row holds what the file
    cannot tell: that it was there.
    """

    number = models.PositiveIntegerField(unique=True)
    day = models.DateField(unique=True)
    digest = models.CharField(max_length=64)
    heads = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(digest__regex="^[0-9a-f]{64}$"),
                name="trail_seal_has_digest",
                violation_error_message=_("A seal names the hash of its file."),
            )
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.day}"
