"""The clock of pmcycle with every interval shortened, for beat in the journeys."""

from pmcycle.celery import CLOCK, app

SECONDS = 2.0

app.conf.beat_schedule = {
    name: {**job, "schedule": SECONDS} if isinstance(job["schedule"], int | float) else job
    for name, job in CLOCK.items()
}
