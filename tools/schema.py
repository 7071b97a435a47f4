"""The tables of an empty database, in a second instead of ten.

Replaying every migration costs most of the first start of a fresh clone, and of its first test run.
An empty database has no data to carry over, so development and tests make its tables straight from
the models and note the migrations as done; `test_schema.py` holds that both ways lead to the same
database. Production, and a database that has tables already, go through `migrate` alone.
"""

import logging

import django
import pgtrigger
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings

EXTENSIONS = ("btree_gist", "pg_trgm")
# Django's own migrations give a join table wider keys than its models say, so these two are replayed.
REPLAYED = ("contenttypes", "auth")


def prepare_database() -> None:
    """Bring the database to the schema of this checkout."""
    if connection.introspection.table_names():
        call_command("migrate", verbosity=0)
        return
    logging.getLogger("pgtrigger").setLevel(logging.WARNING)
    from_models = {app: None for app in apps.app_configs if app not in REPLAYED}
    with transaction.atomic():
        with connection.cursor() as cursor:
            for extension in EXTENSIONS:
                cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        with override_settings(MIGRATION_MODULES=from_models):
            call_command("migrate", "auth", verbosity=0)
            call_command("migrate", run_syncdb=True, verbosity=0)
        pgtrigger.install()
        call_command("migrate", fake=True, verbosity=0)


if __name__ == "__main__":
    django.setup()
    prepare_database()
