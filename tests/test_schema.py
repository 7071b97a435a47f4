"""The short way to the tables and the migrations lead to the same database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.plugin import ROOT

CATALOGUE = """
SELECT 'column', table_name || '.' || column_name, concat_ws(' ', udt_name, character_maximum_length,
  numeric_precision, numeric_scale, is_nullable, column_default, is_identity)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, prosrc
FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'pgtrigger%'
UNION ALL SELECT 'extension', extname, extversion FROM pg_extension
UNION ALL SELECT 'migration', app, name FROM django_migrations
UNION ALL SELECT 'content type', app_label, model FROM django_content_type
UNION ALL SELECT 'permission', codename, name FROM auth_permission
"""


@contextmanager
def _empty_database(name: str) -> Iterator[str]:
    here = os.environ["DATABASE_URL"]
    with closing(psycopg2.connect(here)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            try:
                yield urlsplit(here)._replace(path=f"/{name}").geturl()
            finally:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _catalogue(database: str, *command: str) -> set[tuple[str, str, str]]:
    env = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "pmcycle.settings"}
    subprocess.run([sys.executable, *command], cwd=ROOT, env=env, check=True)
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(CATALOGUE)
        return set(cursor.fetchall())


@pytest.mark.timeout(300)
def test_tables_made_from_the_models_are_those_of_the_migrations() -> None:
    with (
        _empty_database(f"short_{os.getpid()}") as short,
        _empty_database(f"long_{os.getpid()}") as long,
    ):
        from_models = _catalogue(short, "-m", "tools.schema")
        from_migrations = _catalogue(long, "manage.py", "migrate", "-v0")
    assert from_models - from_migrations == set()
    assert from_migrations - from_models == set()
