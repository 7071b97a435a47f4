"""How often something was asked for: what keeps guessing slow and one person from slowing down all."""

from __future__ import annotations

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


class CacheEntry(models.Model):
    """The table of Django's database cache, in which the sign-in library counts. Nobody else reads it."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "activity_cache"

    def __str__(self) -> str:
        return self.cache_key
