"""Inserting what may be there already, by the very rule that says so."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import sql


def insert_new(rows: Sequence[models.Model], target: str) -> int:
    """Insert these rows but for those that clash with `target`; how many are new. One statement.

    `target` is what PostgreSQL infers the unique index from: columns (with WHERE, if it is partial). Any other
    clash is an error: Django's `ignore_conflicts` names no target, and would pass over that of two keys too.
    """
    if not rows:
        return 0
    fields = [
        field for field in rows[0]._meta.concrete_fields if not isinstance(field, models.AutoField)
    ]
    query = sql.InsertQuery(type(rows[0]))
    query.insert_values(fields, list(rows))
    new = 0
    with connection.cursor() as cursor:
        for statement, values in query.get_compiler(DEFAULT_DB_ALIAS).as_sql():
            cursor.execute(f"{statement} ON CONFLICT {target} DO NOTHING", values)
            new += cursor.rowcount
    return new
