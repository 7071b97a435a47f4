"""The Celery app and the whole clock, a line a job.

PostgreSQL remembers what is due; a job only wakes the work up, so a tick that is lost or doubled
harms nothing. Times are UTC. Every job names its expiry: ticks that piled up while no worker ran
are dropped instead of run in a row.
"""

import os
from typing import Any

from celery import Celery
from celery import Task as CeleryTask
from celery.signals import setup_logging
from celery.worker.request import Request as WorkerRequest
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.transport import virtual

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmcycle.settings")

MINUTE = 60.0
# Looked for so often, work whose worker died is taken over half a minute after its last sign of life, and on a busy
# machine within the minute that is promised.
OFTEN = 10.0

# job: the task, how often in seconds, and after how many seconds a tick is no longer worth running.
CLOCK: dict[str, dict[str, Any]] = {
    "cycles.launch_waiting": {
        "task": "pmcycle.cycles.tasks.launch_waiting",
        "schedule": OFTEN,
        "options": {"expires": OFTEN},
    },
    "cycles.open_due": {
        "task": "pmcycle.cycles.tasks.open_due",
        "schedule": 5 * MINUTE,
        "options": {"expires": 5 * MINUTE},
    },
    "home.deliver": {
        "task": "pmcycle.home.tasks.deliver",
        "schedule": MINUTE,
        "options": {"expires": MINUTE},
    },
    "appraisals.open": {
        "task": "appraisals.tasks.open_missing",
        "schedule": 5 * MINUTE,
        "options": {"expires": 5 * MINUTE},
    },
    "appraisals.release": {
        "task": "appraisals.tasks.release_results",
        "schedule": OFTEN,
        "options": {"expires": OFTEN},
    },
    "incentives.calculate": {
        "task": "incentives.tasks.calculate_waiting",
        "schedule": OFTEN,
        "options": {"expires": OFTEN},
    },
    "incentives.release": {
        "task": "incentives.tasks.release_waiting",
        "schedule": OFTEN,
        "options": {"expires": OFTEN},
    },
    "incentives.lapse": {
        "task": "incentives.tasks.lapse_due",
        "schedule": 60 * MINUTE,
        "options": {"expires": 60 * MINUTE},
    },
    "activity.forget_uses": {
        "task": "pmcycle.activity.tasks.forget_uses",
        "schedule": 60 * MINUTE,
        "options": {"expires": 60 * MINUTE},
    },
    "home.remind": {
        "task": "pmcycle.home.tasks.remind",
        "schedule": 5 * MINUTE,
        "options": {"expires": 5 * MINUTE},
    },
    "home.turn_day": {
        "task": "pmcycle.home.tasks.turn_day",
        "schedule": 5 * MINUTE,
        "options": {"expires": 5 * MINUTE},
    },
    "activity.seal_trail": {
        "task": "pmcycle.activity.tasks.seal_trail",
        "schedule": 60 * MINUTE,
        "options": {"expires": 60 * MINUTE},
    },
    "people.answer_password_wishes": {
        "task": "pmcycle.people.tasks.answer_password_wishes",
        "schedule": MINUTE,
        "options": {"expires": MINUTE},
    },
    "people.rehearse_imports": {
        "task": "pmcycle.people.tasks.rehearse_imports",
        "schedule": OFTEN,
        "options": {"expires": OFTEN},
    },
    "people.apply_imports": {
        "task": "pmcycle.people.tasks.apply_imports",
        "schedule": OFTEN,
        "options": {"expires": OFTEN},
    },
    "feedback.plan_check_ins": {
        "task": "feedback.tasks.plan_check_ins",
        "schedule": 15 * MINUTE,
        "options": {"expires": 15 * MINUTE},
    },
    "people.close_accounts_of_leavers": {
        "task": "pmcycle.people.tasks.close_accounts_of_leavers",
        "schedule": 60 * MINUTE,
        "options": {"expires": 60 * MINUTE},
    },
    "goals.lapse_changes": {
        "task": "goals.tasks.lapse_changes",
        "schedule": 60 * MINUTE,
        "options": {"expires": 60 * MINUTE},
    },
}


class Request(WorkerRequest):
    """A task in the hands of a worker.

    A broker that is frozen just then does not hear that the task is done, and the library goes on counting
    it as held: with one task at a time, the worker would never take another. So its place is given free
    here; the broker hands the task out once more after its visibility timeout, and every job may run again.
    """

    def acknowledge(self) -> None:
        super().acknowledge()
        if not self.message.acknowledged:
            virtual.QoS.ack(self.message.channel.qos, self.message.delivery_tag)


class Task(CeleryTask):  # type: ignore[type-arg]
    """What every job of ours is made from."""

    Request = "pmcycle.celery:Request"


app = Celery("pmcycle", task_cls=Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = CLOCK
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@setup_logging.connect
def _log_as_the_web_does(**_: Any) -> None:
    """Keep Celery from installing its own handlers, so that every process writes the same lines."""
    import logging.config

    logging.config.dictConfig(settings.LOGGING)
