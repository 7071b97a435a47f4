"""How often something was asked for: what keeps guessing slow and one person from slowing down all; and what
somebody has looked at within the hour."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Use(models.Model):
    """How often one thing was asked for by one person or from one address, since a moment.

    The key is a hash, because what somebody types into the field of an address may be anything.
    """

    key = models.CharField(max_length=64, primary_key=True)
    since = models.DateTimeField(db_index=True)
    times = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.times} since {self.since}"


class Look(models.Model):
    """When somebody last left a line in the trail for opening a record on a page: one an hour is enough.

    A row of its own because two requests of the same moment do not see each other's lines; of two who put
    in the same row one waits for the other. After the hour it is dropped.
    """

    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    page = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reader", "page", "subject_kind", "subject_id"], name="look_once_per_page"
            )
        ]

    def __str__(self) -> str:
        return f"{self.page}: {self.subject_kind} {self.subject_id}"


class CacheEntry(models.Model):
    """The table of Django's database cache, in which the sign-in library counts. Nobody else reads it."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "activity_cache"

    def __str__(self) -> str:
        return self.cache_key
