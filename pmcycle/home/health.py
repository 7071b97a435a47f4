"""Whether what pmcycle stands on answers."""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, connection
from redis.exceptions import RedisError


def problems() -> list[str]:
    """The names of what does not answer: "database", "redis"; empty if all is well."""
    missing = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        missing.append("database")
    try:
        cache.get("ready")
    except (RedisError, OSError):
        missing.append("redis")
    return missing
