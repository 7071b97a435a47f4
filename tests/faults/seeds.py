"""Bugs put in on purpose, to see that the faults find them: `./dev faults --quick --seed NAME` has to fail.

Python is changed in the processes that serve and work alone: `celery -A tests.faults.seeds` and
`gunicorn -c python:tests.faults.serving` call `plant`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from signal import SIGKILL
from typing import Any

from celery.signals import worker_process_init

from pmcycle.celery import app as app
from tools.processes import die_with_parent

VARIABLE = "FAULTS_SEED"

# What is missing, by name.
SEEDS = {
    "constraint": "the constraint that keeps each form of a person once",
    "lock": "the lock under which a worker claims the mails of a person",
    "update": "the condition that a mail is claimed only while nobody holds it",
}
# What a seed takes out of the database.
STATEMENTS = {
    "constraint": """
DO $$ DECLARE name text; BEGIN
  SELECT conname INTO STRICT name FROM pg_constraint
  WHERE conrelid = 'activity_sentform'::regclass AND contype = 'u';
  EXECUTE 'ALTER TABLE activity_sentform DROP CONSTRAINT ' || quote_ident(name);
END $$
"""
}


def plant(seed: str) -> None:
    """Take it out of this process."""
    from django.db.models import Q

    from pmcycle.activity import once
    from pmcycle.activity.actions import delivery
    from pmcycle.activity.models.telling import DeliveryQuerySet

    def insert(rows: Sequence[Any], _unique: str) -> int:
        return len(type(rows[0])._default_manager.bulk_create(rows))

    def unlocked(self: Any, **_: Any) -> Any:
        return self.all()

    def update(self: Any, **columns: Any) -> int:
        time.sleep(0.3)  # between looking and taking, where the lock would have kept others waiting
        return models_update(self, **columns)

    models_update = DeliveryQuerySet.update
    if seed == "constraint":
        forms: Any = once
        forms.insert_new = insert
    elif seed == "lock":
        rows: Any = DeliveryQuerySet
        rows.select_for_update, rows.update = unlocked, update
    elif seed == "update":
        module: Any = delivery
        module.Q = lambda **_: Q()


@worker_process_init.connect
def begin(**_: Any) -> None:
    """In each process that does the work: a killed worker leaves no part of it behind."""
    die_with_parent(SIGKILL)
    plant(os.environ.get(VARIABLE, ""))
