"""Whether the database does what `DATABASE_SETTINGS` asks of it.

A pooler between us and PostgreSQL may drop what a connection asks for. Then the role needs the same
settings, and this says which. Runs with `migrate` and with `check --database default`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections

IN_FORCE = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"


@checks.register(checks.Tags.database)
def settings_in_force(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """A warning for each setting that this very connection does not have."""
    if "default" not in (databases or ()):
        return []
    connection = connections["default"]
    own = str(connection.settings_dict["OPTIONS"].get("options", "")).removeprefix(
        settings.DATABASE_OPTIONS
    )
    with connection.cursor() as cursor:
        cursor.execute(IN_FORCE, [list(settings.DATABASE_SETTINGS)])
        in_force = dict(cursor.fetchall())
    return [
        checks.Warning(
            f"PostgreSQL has {name} = {in_force[name]} for pmcycle instead of {wanted}.",
            hint=f"Let the pooler pass options on, or: ALTER ROLE … SET {name} = {wanted};",
            id="pmcycle.W001",
        )
        for name, wanted in settings.DATABASE_SETTINGS.items()
        if in_force[name] != wanted and f"{name}=" not in own
    ]
